"""What a linear program returns. Public through `rlcore.planning.linear_programs`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class LinearSolution:
    """The optimum of an unconstrained process, from either program.

    `v` (S,) values as the solver found them; `q` (S, A) one look ahead; `pi` (S,) an action that the program's
    occupancy uses, or a greedy one where it has none; `occupancy` (S, A) of `pi` from `weights` (S,);
    `residual`, the half-span of Tv - v, and `bounds`, a pair of (S,) arrays that enclose the optimal values, both
    recomputed from v; `gap`, how much `weights . v` could at most exceed the optimum, or `pi` fall short of it;
    `pivots` of the simplex method (0 where preprocessing solved the program); `method`. Unit of the rewards.
    Source: Puterman (1994), section 6.9.
    """

    v: np.ndarray
    q: np.ndarray
    pi: np.ndarray
    occupancy: np.ndarray
    weights: np.ndarray
    residual: float
    bounds: tuple[np.ndarray, np.ndarray]
    gap: float
    pivots: int
    method: str


@dataclass(frozen=True, eq=False)
class ConstrainedSolution:
    """The optimum under limits on expected discounted costs.

    `pi` (S, A) probabilities; `occupancy` (S, A) of `pi` from the law of the first state; `v` (S,) its values and
    `value` their mean; `costs` (m,) what it spends; `prices` (m,), one for each limit, what a unit more of it would
    add; `bound`, the Lagrangian's upper bound on the value of every policy within the limits, at these prices, and
    `gap` = bound - value; `pivots` as above. All but `prices` and `pivots` are recomputed from `pi` and `prices`.
    Source: Altman (1999), chapter 3.
    """

    v: np.ndarray
    pi: np.ndarray
    occupancy: np.ndarray
    value: float
    costs: np.ndarray
    limits: np.ndarray
    prices: np.ndarray
    bound: float
    gap: float
    pivots: int

    @property
    def randomized(self) -> np.ndarray:
        """The visited states in which `pi` takes more than one action."""
        return np.flatnonzero((self.occupancy > 0).sum(axis=1) > 1)


@dataclass(frozen=True, eq=False)
class HorizonSolution:
    """The optimum of a finite horizon: `v` (H+1, S), `q` (H, S, A) and `pi` (H, S) as in `finite_horizon.Plan`.

    `occupancy` (H, S, A) holds discounted marginals of `pi` from `weights` (H, S); `gap` and `pivots` as above.
    Source: Puterman (1994), section 4.5 for the recursion that it solves.
    """

    v: np.ndarray
    q: np.ndarray
    pi: np.ndarray
    occupancy: np.ndarray
    weights: np.ndarray
    gap: float
    pivots: int
