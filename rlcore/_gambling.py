"""Stakes on a coin. Public through `rlcore.worlds`."""

from __future__ import annotations

import numpy as np

from rlcore._moves import from_moves, need
from rlcore.mdp import FiniteMDP


def gambler(goal: int = 100, *, p_heads: float = 0.4) -> FiniteMDP:
    """A gambler who stakes whole units on a coin until all is lost or the goal is reached.

    States 0 to `goal`, the capital, of which 0 and `goal` are terminal. Action a stakes a + 1 units, at most the
    capital and at most what is missing to the goal (otherwise infeasible, -inf); `action_labels` are the stakes. With
    probability `p_heads` the stake is won, else it is lost. Reaching the goal pays 1, nothing else pays, and
    gamma = 1: a value is the probability of reaching the goal. The first state is uniform on 1..goal-1. The
    problem as published also allows a stake of 0, which here would only waste a step.

    Raises ValueError for a goal that is not a whole number of at least 2, or p_heads outside [0, 1].
    Source: Sutton and Barto (2018), example 4.3; Dubins and Savage (1965).
    """
    need(goal >= 2 and goal % 1 == 0, "goal", goal, "a game needs a goal of at least 2 whole units")
    need(0 <= p_heads <= 1, "p_heads", p_heads, "choose a probability in [0, 1]")
    goal = int(goal)
    s, stake = np.meshgrid(np.arange(1, goal), np.arange(1, goal // 2 + 1), indexing="ij")
    allowed = stake <= np.minimum(s, goal - s)
    s, stake = s[allowed], stake[allowed]
    moves = [
        (s, stake - 1, s + stake, p_heads, (s + stake == goal).astype(float)),
        (s, stake - 1, s - stake, 1 - p_heads, 0.0),
    ]
    ended = np.isin(np.arange(goal + 1), (0, goal))
    return from_moves(goal + 1, goal // 2, moves, 1.0, terminal=ended, action_labels=tuple(range(1, goal // 2 + 1)))
