"""When a discounted solver may stop, and the certificate that its result carries.

One meaning of `tol` throughout: the half-span of Tv - v,

    half_span(d) = (max d - min d) / 2,

which is never later than the same sup norm: where nothing is terminal, adding a constant to v changes Tv - v
by a constant and no greedy action. Where the process can end, v is pinned to 0 at the terminal states, and the zeros of
Tv - v there belong to the span. At a half-span of tol the bounds on the optimal values are
2*gamma/(1-gamma)*tol apart.

Sources: MacQueen (1966); Puterman (1994), section 6.6.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field

import numpy as np

from rlcore import _checks as checks
from rlcore.mdp import FiniteMDP, greedy

__all__ = ["Solution", "certify", "half_span", "macqueen_bounds"]


@dataclass(frozen=True, eq=False)
class Solution:
    """What a solver returns.

    `v` (S,) values; `q` (S, A) one look ahead from v; `pi` (S,) the greedy policy of q, lowest action on ties;
    `residual`, the half-span of Tv - v at the returned v; `bounds`, a pair of (S,) arrays that enclose the
    optimal values; `history`, arrays with one entry per iteration: `residual`, what the stopping test saw then,
    and `backups`, the state-action pairs looked at so far; `converged`, whether the test was passed; `method`,
    the solver's name. Values are in the unit of the rewards.

    `pi` loses at most 2*gamma/(1-gamma)*residual, and 1e-12/(1-gamma) of the span of q more where `greedy`
    takes near ties for ties.
    Source of the bounds: MacQueen (1966).
    """

    v: np.ndarray
    q: np.ndarray
    pi: np.ndarray
    residual: float
    bounds: tuple[np.ndarray, np.ndarray]
    history: dict[str, np.ndarray]
    converged: bool
    method: str

    @property
    def iterations(self) -> int:
        """Number of iterations (sweeps, or rounds of policy improvement)."""
        return len(self.history["residual"])


def half_span(d: np.ndarray) -> float:
    """(max d - min d) / 2 of an array (S,). Source: Puterman (1994), section 6.6.1."""
    return float(d.max() - d.min()) / 2


def macqueen_bounds(mdp: FiniteMDP, v: np.ndarray, tv: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Lower and upper bounds (S,), (S,) on the optimal values, from v (S,) and tv = Tv (S,).

    tv + gamma/(1-gamma) * (min, max) of tv - v; exact zeros where s is terminal. Needs gamma < 1 and
    v = 0 on terminal states. Source: MacQueen (1966); Puterman (1994), theorem 6.6.3.
    """
    d, scale = tv - v, mdp.gamma / (1 - mdp.gamma)
    open_states = ~mdp.terminal
    return tv + open_states * (scale * d.min()), tv + open_states * (scale * d.max())


def certify(mdp: FiniteMDP, v: np.ndarray) -> tuple[np.ndarray, float, tuple[np.ndarray, np.ndarray]]:
    """`q` (S, A), the half-span of Tv - v, and bounds on the optimal values, computed afresh from any v (S,).

    Raises ValueError unless gamma < 1, v has shape (S,), is finite and is 0 on terminal states.
    Source: MacQueen (1966).
    """
    v = start(mdp, v)
    q = mdp.q(v)
    tv = q.max(axis=1)
    return q, half_span(tv - v), macqueen_bounds(mdp, v, tv)


def need_discounting(mdp: FiniteMDP) -> None:
    if mdp.gamma >= 1:
        raise ValueError(
            "Discounted solvers need gamma < 1; this process has gamma = 1. Lower it with "
            "dataclasses.replace(mdp, gamma=...), or treat the problem as episodic or finite-horizon."
        )


def start(mdp: FiniteMDP, v0) -> np.ndarray:
    """The first iterate of a discounted solver: `v0` checked, or zeros."""
    need_discounting(mdp)
    return values(mdp, v0)


def values(mdp: FiniteMDP, v0) -> np.ndarray:
    """`v0` checked, or zeros, for any gamma."""
    v = np.zeros(mdp.S) if v0 is None else checks.real_array("Values", v0)
    if v.shape != (mdp.S,):
        raise ValueError(f"Values must have shape ({mdp.S},), one per state; got shape {v.shape}.")
    if not np.isfinite(v).all():
        s = int(np.argmin(np.isfinite(v)))
        raise ValueError(f"The value of state {s} is {v[s]}: give a finite number.")
    if v[mdp.terminal].any():
        s = int(np.argmax(mdp.terminal & (v != 0)))
        raise ValueError(f"The value of terminal state {s} is exactly 0; got {v[s]}.")
    return v


@dataclass
class Progress:
    """Records residuals, and decides when to stop: at tol, at max_iter, or where rounding makes tol unreachable."""

    mdp: FiniteMDP
    tol: float
    max_iter: int | None
    residual: list[float] = field(default_factory=list)
    backups: list[int] = field(default_factory=list)
    stalled: bool = False

    def __post_init__(self) -> None:
        if not (checks.is_number(self.tol) and self.tol > 0):
            raise ValueError(f"tol must be a positive number; got {self.tol!r}.")
        if self.max_iter is not None and not (checks.is_integer(self.max_iter) and self.max_iter >= 1):
            raise ValueError(f"max_iter must be an integer of at least 1, or None; got {self.max_iter!r}.")

    def done(self, residual: float, backups: int, values: np.ndarray) -> bool:
        """Record one iteration, and say whether to stop; `values` (S,) sets the scale of rounding errors."""
        before = self.residual[-1] if self.residual else np.inf
        self.residual.append(residual)
        self.backups.append(backups + (self.backups[-1] if self.backups else 0))
        self.stalled = residual >= before and residual <= self.rounding(values)
        return residual <= self.tol or self.stalled or len(self.residual) == self.max_iter

    def rounding(self, values: np.ndarray) -> float:
        """What rounding alone can leave in Tv - v: n + 2 roundings a row, each carried along at rate gamma."""
        P = self.mdp.P
        n = P.shape[1] if isinstance(P, np.ndarray) else int(np.diff(P.indptr).max())
        scale = np.abs(values).max() + np.abs(self.mdp.r[self.mdp.feasible]).max()
        return np.finfo(float).eps * (n + 2) * float(scale) / (1 - self.mdp.gamma)

    def solution(self, v: np.ndarray, method: str) -> Solution:
        q, residual, bounds = certify(self.mdp, v)
        history = {"residual": np.array(self.residual), "backups": np.array(self.backups)}
        converged = self.passed(residual, method)
        return Solution(v, q, greedy(q), residual, bounds, history, converged, method)

    def passed(self, residual: float, method: str) -> bool:
        """Whether the stopping test was passed; warns where it was not."""
        converged = min(residual, self.residual[-1]) <= self.tol
        if not converged:
            why = "max_iter" if len(self.residual) == self.max_iter else "rounding allows no better"
            warnings.warn(
                f"{method} stopped after {len(self.residual)} iterations ({why}) at residual "
                f"{residual:.3g} > tol = {self.tol:g}; the bounds in the result still hold. Raise max_iter or tol.",
                RuntimeWarning,
                stacklevel=4,
            )
        return converged


def shifted(mdp: FiniteMDP, v: np.ndarray, tv: np.ndarray) -> np.ndarray:
    """Tv moved to the middle of its MacQueen bounds, at no cost in residual unless the process can end."""
    if mdp.terminal.any():  # a constant is not neutral where rows lose mass: it would raise the residual
        return tv
    d = tv - v
    return tv + mdp.gamma / (1 - mdp.gamma) * (d.max() + d.min()) / 2
