"""Linear programs over occupancies, handed to HiGHS, and what to say when one has no solution.

A program is: maximise r . x over x >= 0 with flow @ x = start, and costs @ x <= limits. Columns are the feasible
pairs (s, a) of states that are not terminal, rows those states; over a finite horizon, once for each time.
Public through `rlcore.planning.linear_programs`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from rlcore import _checks as checks
from rlcore.mdp import FiniteMDP

TOLERANCE = 1e-9  # of HiGHS, relative to the largest reward or cost; smaller shares of an occupancy are rounding
NOTHING = "All states are terminal: there is nothing to decide, and no linear program to solve."


@dataclass(frozen=True, eq=False)
class Program:
    """The columns' places `at` in an array of `shape`, their rewards, the flow matrix, and the right side."""

    shape: tuple[int, ...]
    at: tuple[np.ndarray, ...]
    r: np.ndarray
    flow: Any
    start: np.ndarray

    @cached_property
    def scale(self) -> float:
        return float(np.abs(self.r).max()) or 1.0

    def array(self, x: np.ndarray) -> np.ndarray:
        """Columns (k,) as an array of `shape`; what is no more than the solver's tolerance is 0."""
        full = np.zeros(self.shape)
        full[self.at] = np.where(x > TOLERANCE * x.sum(), x, 0.0)
        return full

    def primal(self) -> tuple[np.ndarray, np.ndarray, int]:
        """Minimise start . v over flow.T @ v >= r: v, the multipliers x of the inequalities, pivots."""
        found = _highs(self.start, A_ub=-self.flow.T, b_ub=-self.r / self.scale, bounds=(None, None))
        need_solved(found)
        return found.x * self.scale, -found.ineqlin.marginals, found.nit

    def dual(self, costs: np.ndarray, limits: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, int]:
        """Maximise r . x: x, the values v, the prices of the limits, pivots. `costs` (m, k), `limits` (m,)."""
        unit = units(costs)
        found = _highs(-self.r / self.scale, *_rows(costs, limits, unit), A_eq=self.flow, b_eq=self.start)
        if found.status == 2:
            raise ValueError(self.why_infeasible(costs, limits))
        need_solved(found)
        prices = -found.ineqlin.marginals * self.scale / unit if len(limits) else np.zeros(0)
        return found.x, -found.eqlin.marginals * self.scale, np.maximum(prices, 0.0), found.nit

    def why_infeasible(self, costs: np.ndarray, limits: np.ndarray) -> str:
        """Which limit no policy can keep, and what could be kept instead."""
        for k, (cost, limit, unit) in enumerate(zip(costs, limits, units(costs), strict=True)):
            found = _highs(cost / unit, A_eq=self.flow, b_eq=self.start)
            need_solved(found)
            least = rounded_up(found.fun * unit)
            if found.fun * unit > limit or len(limits) == 1:
                return (
                    f"Constraint {k} cannot be met: from this law of the first state every policy has an expected "
                    f"discounted cost of about {least} or more, and limits[{k}] = {limit:.9g}. "
                    f"Raise the limit to {least}, or start elsewhere."
                )
        loose = np.column_stack([costs, -np.ones(len(costs))])  # one more column: how much to add to every limit
        objective = np.append(np.zeros(len(self.r)), 1.0)
        from scipy.sparse import hstack

        flow = hstack([self.flow, np.zeros((len(self.start), 1))])
        found = _highs(objective, *_rows(loose, limits, np.ones(len(costs))), A_eq=flow, b_eq=self.start)
        need_solved(found)
        return (
            f"Each of the {len(costs)} constraints can be met alone, but not all at once: the limits would have to be "
            f"raised by {rounded_up(found.fun)} each. Raise some of them, or drop a constraint."
        )


def _rows(costs: np.ndarray, limits: np.ndarray, unit: np.ndarray) -> tuple[np.ndarray | None, np.ndarray | None]:
    return (costs / unit[:, None], limits / unit) if len(limits) else (None, None)


def rounded_up(number: float) -> str:
    """`number` with about six digits, and not below it: what is advised must work."""
    step = 10.0 ** (np.floor(np.log10(max(abs(number), 1e-9))) - 5)
    return f"{np.ceil(number / step) * step:.7g}"


def units(costs: np.ndarray) -> np.ndarray:
    """The largest cost (m,) of each row of `costs` (m, k), 1 where all are 0."""
    largest = np.abs(costs).max(axis=1, initial=0.0)
    return np.where(largest > 0, largest, 1.0)


def _highs(c, A_ub=None, b_ub=None, A_eq=None, b_eq=None, bounds=(0, None)):
    from scipy.optimize import linprog

    tolerances = {"primal_feasibility_tolerance": TOLERANCE, "dual_feasibility_tolerance": TOLERANCE}
    return linprog(c, A_ub, b_ub, A_eq, b_eq, bounds, method="highs-ds", options=tolerances)


def need_solved(found) -> None:
    if found.status != 0:  # neither infeasible nor unbounded can occur here: the solver gave up
        raise RuntimeError(
            f"The linear program was not solved: {found.message} Rewards, costs or probabilities that differ by "
            "many orders of magnitude are the usual reason: rescale them, or use rlcore.planning.discounted."
        )


# ---------------------------------------------------------------------- from processes


def of_process(mdp: FiniteMDP, weights: np.ndarray) -> Program:
    """The program of a discounted process: x(s', .) - gamma sum p(s' | s, a) x(s, a) = weights(s')."""
    return of_stages([mdp], weights[None], cyclic=True)


def of_stages(stages: Sequence[FiniteMDP], weights: np.ndarray, *, final=None, cyclic: bool = False) -> Program:
    """The program of H processes in turn, `weights` (H, S); `cyclic` leads from the last back to the first."""
    from scipy.sparse import csc_array, csr_array

    H, S, A = len(stages), stages[0].S, stages[0].A
    open_states = ~stages[0].terminal
    n, row_of = int(open_states.sum()), np.cumsum(open_states) - 1
    if n == 0:
        raise ValueError(NOTHING)
    places, rewards, entries = [], [], []
    column = 0
    for t, mdp in enumerate(stages):
        s, a = np.nonzero(mdp.feasible & open_states[:, None])
        P, k = csr_array(mdp.P)[a * S + s], np.arange(len(s))
        r = mdp.r[s, a] + (mdp.gamma * (P @ final) if final is not None and t == H - 1 else 0.0)
        entries.append((t * n + row_of[s], column + k, np.ones(len(s))))
        if cyclic or t < H - 1:
            leads = P[:, open_states].tocoo()
            entries.append(((t + 1) % H * n + leads.coords[1], column + leads.coords[0], -mdp.gamma * leads.data))
        places.append((np.full(len(s), t), s, a))
        rewards.append(r)
        column += len(s)
    i, j, value = (np.concatenate(part) for part in zip(*entries, strict=True))
    at = tuple(np.concatenate(part) for part in zip(*places, strict=True))
    flow = csc_array((value, (i, j)), shape=(H * n, column))
    return Program((H, S, A), at, np.concatenate(rewards), flow, weights[:, open_states].ravel())


def values_of(mdp: FiniteMDP, v: np.ndarray) -> np.ndarray:
    """Values (H*n,) at the states that are not terminal, as (H, S), with 0 at those that are."""
    full = np.zeros((len(v) // int((~mdp.terminal).sum()), mdp.S))
    full[:, ~mdp.terminal] = v.reshape(len(full), -1)
    return full


# ---------------------------------------------------------------------- arguments


def weights_of(weights, terminal: np.ndarray, shapes: tuple[tuple[int, ...], ...]) -> np.ndarray:
    """Weights of states, checked; the same for each state that is not terminal, with sum 1, by default."""
    if terminal.all():
        raise ValueError(NOTHING)
    if weights is None:
        weights = np.broadcast_to(~terminal, shapes[-1]).astype(float)
        return weights / weights.sum()
    weights = checks.real_array("weights", weights)
    if weights.shape not in shapes:
        raise ValueError(f"weights must have shape {' or '.join(map(str, shapes))}; got shape {weights.shape}.")
    bad = ~((weights >= 0) & (weights < np.inf))
    if bad.any():
        place = ", ".join(map(str, np.argwhere(bad)[0]))
        raise ValueError(
            f"weights[{place}] = {weights[bad][0]}: with a weight below 0 the values could be raised, and the sum "
            "lowered, without end: the program is unbounded. Give finite weights of at least 0."
        )
    if not weights[..., ~terminal].any():
        raise ValueError("All weights of states that are not terminal are 0: give at least one a positive weight.")
    return weights


def costs_of(mdp: FiniteMDP, costs, limits, name: str = "limits") -> tuple[np.ndarray, np.ndarray]:
    """Costs (m, S, A), 0 where infeasible, and limits (m,), checked; one cost may come as (S, A) and a number."""
    costs, limits = np.array(checks.real_array("costs", costs)), checks.real_array(name, limits)
    if costs.ndim == 2 and limits.ndim == 0:
        costs, limits = costs[None], limits[None]
    if costs.shape[1:] != (mdp.S, mdp.A) or limits.shape != costs.shape[:1]:
        raise ValueError(
            f"costs must have shape (m, S, A) = (m, {mdp.S}, {mdp.A}) with {name} of shape (m,), or (S, A) with one "
            f"number; got {costs.shape} and {limits.shape}."
        )
    costs[:, ~mdp.feasible] = 0.0
    if not np.isfinite(costs).all():
        k, s, a = np.argwhere(~np.isfinite(costs))[0]
        raise ValueError(f"costs[{k}, {s}, {a}] = {costs[k, s, a]}: a cost is a finite number.")
    if costs[:, mdp.terminal].any():
        k, s, a = np.argwhere((costs != 0) & mdp.terminal[:, None])[0]
        raise ValueError(f"costs[{k}, {s}, {a}] = {costs[k, s, a]}, but state {s} is terminal: charge on entering it.")
    if not np.isfinite(limits).all():
        k = int(np.argmin(np.isfinite(limits)))
        raise ValueError(f"{name}[{k}] = {limits[k]}: give a finite number. Drop constraints that have no limit.")
    return costs, limits
