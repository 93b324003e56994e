"""Planning by sampling: what to do in one state, with a model that can only be asked for samples.

`generative` makes such a model of a `FiniteMDP`, `LineGame` of a board game. `sparse_sampling` and `rollouts` spend a
fixed number of samples on each action, `mcts` spends more where it looks promising; `minimax` solves small games
exactly. `ucb1` is the rule by which `mcts` chooses, alone, and `trap_chain` the process that misleads it.

Sources: Kearns, Mansour and Ng (2002); Kocsis and Szepesvari (2006); Browne et al. (2012), a survey.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import log, sqrt

import numpy as np

from rlcore.mdp import FiniteMDP
from rlcore.planning._games import CONNECT, TIC_TAC_TOE, LineGame, Solved, minimax
from rlcore.planning._generative import GenerativeModel, State, count, generative, nonnegative
from rlcore.planning._search import Leaf, Search
from rlcore.planning._sparse import (
    Estimate,
    rollout_value,
    rollouts,
    sparse_failure,
    sparse_parameters,
    sparse_sampling,
)
from rlcore.planning._tree import Tree, polynomial_scores, puct_scores, uct_scores

__all__ = [
    "CONNECT",
    "TIC_TAC_TOE",
    "Estimate",
    "GenerativeModel",
    "LineGame",
    "Solved",
    "Tree",
    "generative",
    "grow",
    "mcts",
    "minimax",
    "polynomial_scores",
    "puct_scores",
    "random_rollout",
    "rollouts",
    "sparse_failure",
    "sparse_parameters",
    "sparse_sampling",
    "trap_chain",
    "ucb1",
    "uct_scores",
]


def grow(
    model: GenerativeModel,
    state: State,
    *,
    c: float = sqrt(2),
    rule: str = "uct",
    evaluate: Leaf | None = None,
    prior: Callable[[State], np.ndarray] | None = None,
    max_depth: int | None = None,
    rng: int | np.random.Generator | None = None,
) -> Iterator[Tree]:
    """Monte Carlo tree search without end: the same growing `Tree`, after each further simulation.

    Parameters
    ----------
    c : float
        Weight of the bonus, in the unit of the values; sqrt(2) is UCB1's for returns in [0, 1].
    rule : "uct", "polynomial" or "puct"
        Which score selects: `uct_scores`, `polynomial_scores`, `puct_scores`.
    evaluate : function (state, rng) -> float, optional
        A value for a new leaf, for whoever moves there. Default: `random_rollout(model)`.
    prior : function state -> (A,) probabilities, optional
        For PUCT. Default: all legal actions alike.
    max_depth : int, optional
        A state that many steps from the root is evaluated at each visit, and never expanded.

    Raises ValueError for c < 0, an unknown rule, a prior that is no law or that the rule would not see, a depth
    below 1, no legal action, and what the model or `evaluate` returns wrongly.
    Source: Kocsis and Szepesvari (2006), figure 1; Browne et al. (2012), algorithm 2.
    """
    evaluate = random_rollout(model) if evaluate is None else evaluate
    search = Search(model, evaluate, c, rule, prior, max_depth, np.random.default_rng(rng))
    tree = search.root(state)
    return _simulations(search, tree)


def _simulations(search: Search, tree: Tree) -> Iterator[Tree]:
    while True:
        search.step(tree)
        yield tree


def mcts(model: GenerativeModel, state: State, *, budget: int, **settings) -> Tree:
    """Monte Carlo tree search with `budget` simulations. The other settings are those of `grow`; returns the `Tree`.

    Raises ValueError for a budget below 1, and as `grow` does. Source: Kocsis and Szepesvari (2006), figure 1.
    """
    count("budget", budget)
    simulations = grow(model, state, **settings)
    for _ in range(budget):
        tree = next(simulations)
    return tree


def random_rollout(model: GenerativeModel, policy=None, *, steps: int = 100) -> Leaf:
    """An `evaluate` for `mcts`: the return of one run of `policy`, by default uniform over the legal actions.

    A run is cut off after `steps` steps, which changes its mean by at most gamma**steps * r_max / (1 - gamma).
    Raises ValueError for steps < 1. Source: Kocsis and Szepesvari (2006), section 2.1.
    """
    count("steps", steps)
    return lambda s, rng: rollout_value(model, s, policy, steps, rng)[0]


def ucb1(
    means: np.ndarray, *, steps: int, c: float = sqrt(2), runs: int = 1, rng: int | np.random.Generator | None = None
) -> np.ndarray:
    """How often UCB1 plays each of K arms whose rewards are 0 or 1: counts (runs, K) after `steps` plays.

    `means` (K,) are probabilities. Each arm once; then, in play t, the largest mean + c * sqrt(log(t) / plays),
    the lowest index on ties. Raises ValueError for means outside [0, 1], steps or runs below 1, or c < 0.
    Source: Auer, Cesa-Bianchi and Fischer (2002), figure 1, where c = sqrt(2).
    """
    means = np.asarray(means, dtype=float)
    if means.ndim != 1 or not means.size or not ((means >= 0) & (means <= 1)).all():
        raise ValueError(f"means must be a list of probabilities, one for each arm; got {means!r}.")
    count("steps", steps), count("runs", runs), nonnegative("c", c)
    rng, row = np.random.default_rng(rng), np.arange(runs)
    plays, total = np.zeros((runs, len(means)), dtype=int), np.zeros((runs, len(means)))
    for t in range(1, steps + 1):
        n = np.maximum(plays, 1)
        scores = np.where(plays > 0, total / n + c * np.sqrt(log(t) / n), np.inf)
        arm = scores.argmax(axis=1)
        plays[row, arm] += 1
        total[row, arm] += rng.random(runs) < means[arm]
    return plays


def trap_chain(depth: int) -> FiniteMDP:
    """A chain that pays 1 at its end, and almost as much for leaving early: states 0..depth-1, and one end.

    In state d, "leave" (action 0) ends with the reward (depth - 1 - d) / depth, and "stay" (action 1) leads to
    state d + 1 for nothing, in the last state to the end for 1. The optimal value is 1 everywhere; gamma is 1.
    Raises ValueError for a depth below 1. Source: Coquelin and Munos (2007), the example against UCT.
    """
    D = count("depth", depth)
    d = np.arange(D)
    moves = np.concatenate([np.full(D, D), d + 1])
    pay = np.concatenate([(D - 1 - d) / D, d == D - 1])
    return FiniteMDP.from_transitions(
        *(D + 1, 2, np.tile(d, 2), np.repeat([0, 1], D), moves, 1.0, pay, 1.0),
        terminal=np.arange(D + 1) == D,
        mu=np.arange(D + 1) == 0,
        action_labels=("leave", "stay"),
    )
