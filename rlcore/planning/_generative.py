"""A model that can only be sampled, and what a planner demands of it. Public through `tree_search`."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rlcore import _checks as checks
from rlcore.mdp import FiniteMDP

State = Any  # hashable
Step = Callable[[State, int, np.random.Generator], tuple[State, float, float]]  # next state, reward, discount


@dataclass(frozen=True)
class GenerativeModel:
    """A process that can be asked: what might happen if I did `a` in `s`?

    Calling `model(s, a, rng)` draws `(s_next, r, discount)`: a next state (any hashable), a reward in the
    problem's unit, and the factor in [0, 1] on what follows, 0 if the process has ended. Every call asks `step`,
    which has this signature, and checks its answer.

    `actions(s)` lists the legal actions, integers in 0..A-1; `A` counts actions. With `players = 2`, players move
    in turn, the reward is the mover's, and what the next player gains the mover loses. `r_max` bounds |r| and
    `gamma` the discount, for functions that promise something; None if nobody knows.

    Raises ValueError for A < 1, another number of players, r_max < 0 or gamma outside [0, 1].
    Source: Kearns, Mansour and Ng (2002), section 2, who call it a generative model.
    """

    step: Step
    actions: Callable[[State], Sequence[int]]
    A: int
    players: int = 1
    r_max: float | None = None
    gamma: float | None = None

    def __post_init__(self) -> None:
        count("A", self.A)
        if self.players not in (1, 2):
            raise ValueError(f"players must be 1, or 2 who move in turn; got {self.players!r}.")
        if self.r_max is not None:
            nonnegative("r_max", self.r_max)
        if self.gamma is not None:
            checks.discount_factor(self.gamma)

    @property
    def sign(self) -> int:
        """What the next state's value counts for the mover: 1, or -1 if it is the opponent's."""
        return 1 if self.players == 1 else -1

    def __call__(self, s: State, a: int, rng: np.random.Generator) -> tuple[State, float, float]:
        """Draw one transition. Raises ValueError for a discount outside [0, 1] or a reward that is not finite."""
        s_next, r, discount = self.step(s, a, rng)
        if not 0 <= discount <= 1:
            raise ValueError(
                f"From state {s!r}, action {a}, the model returns the discount {discount!r}: "
                "it must lie in [0, 1], 0 if the process has ended."
            )
        if not -np.inf < r < np.inf:
            raise ValueError(f"From state {s!r}, action {a}, the model returns the reward {r!r}: it must be finite.")
        return s_next, r, discount

    def legal(self, s: State) -> list[int]:
        """The legal actions. Raises ValueError if there is none, or one is no integer in 0..A-1."""
        legal = list(self.actions(s))
        if not legal:
            raise ValueError(
                f"State {s!r} has no legal action: allow one, or let the transition into it return discount 0."
            )
        for a in legal:
            if not ((type(a) is int or checks.is_integer(a)) and 0 <= a < self.A):  # the first test is the fast one
                raise ValueError(f"State {s!r} lists the action {a!r}: actions are integers in 0..{self.A - 1}.")
        return legal


def generative(mdp: FiniteMDP) -> GenerativeModel:
    """The generative model of a finite process: states 0..S-1, expected rewards, discount gamma or 0 at an end.

    Its planners see no probabilities. Rows are tabulated when first asked for. The model raises ValueError for an
    infeasible action and, through `legal`, for a start in a terminal state.
    Source: Kearns, Mansour and Ng (2002), section 2.
    """
    rows: dict[tuple[int, int], tuple[list[int], list[float]]] = {}
    feasible = mdp.feasible & ~mdp.terminal[:, None]

    def row(s: int, a: int) -> tuple[list[int], list[float]]:
        if not feasible[s, a]:
            raise ValueError(f"Action {a} is infeasible in state {s}: choose among {np.flatnonzero(feasible[s])}.")
        p = mdp.P[[a * mdp.S + s]]
        p = np.asarray(p if isinstance(p, np.ndarray) else p.todense()).ravel()
        (support,) = np.nonzero(p)
        return support.tolist(), np.cumsum(p[support])[:-1].tolist()  # the last state takes what rounding leaves

    def step(s, a, rng):
        if (s, a) not in rows:
            rows[s, a] = row(s, a)
        support, levels = rows[s, a]
        s_next = support[bisect_right(levels, rng.random())] if levels else support[0]
        return s_next, rewards[s][a], 0.0 if ends[s_next] else mdp.gamma

    rewards, ends = mdp.r.tolist(), mdp.terminal.tolist()
    legal = [np.flatnonzero(row).tolist() for row in feasible]
    r_max = float(np.abs(mdp.r[mdp.feasible]).max())
    return GenerativeModel(step, legal.__getitem__, mdp.A, r_max=r_max, gamma=mdp.gamma)


def count(name: str, n) -> int:
    if not (checks.is_integer(n) and n >= 1):
        raise ValueError(f"{name} must be an integer of at least 1; got {n!r}.")
    return int(n)


def nonnegative(name: str, x) -> float:
    if not (checks.is_number(x) and 0 <= x < np.inf):
        raise ValueError(f"{name} must be a finite number of at least 0; got {x!r}.")
    return float(x)
