"""Linear-quadratic control: Riccati's recursion, its limit, the cost of a gain, simulation; and iLQR beyond it.

A problem is a `LinearQuadratic`. Costs are negative rewards, and here they are minimised. A gain K (m, n) is the
policy u = -K x. A symmetric matrix P (n, n) stands for the function x'Px of the state, and the two operators are

    cost_step(problem, K, P) = Q + K'RK + gamma (A - BK)' P (A - BK),       riccati(problem, P) = its minimum over K.

Sources: Kalman (1960); Bertsekas (2017), volume I, section 3.1; Anderson and Moore (1990).
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rlcore._pendulum import Pendulum
from rlcore.planning._expansion import Expansion, differences
from rlcore.planning._ilqr import Trajectory, gradient, ilqr
from rlcore.planning._linear_system import (
    LinearQuadratic,
    Paths,
    definite,
    gain_of,
    need_tolerance,
    simulate,
    stages_of,
)
from rlcore.planning._lq_operators import (
    UNIT_CIRCLE,
    cost_step,
    detectable,
    evaluate,
    gain,
    need_stabilizable,
    number,
    radius,
    reachable,
    riccati,
    stabilizable,
    unreachable_modes,
    unseen_modes,
    unstable,
)

__all__ = [
    "Expansion",
    "LinearQuadratic",
    "Paths",
    "Pendulum",
    "Plan",
    "Regulator",
    "Trajectory",
    "cost_step",
    "detectable",
    "differences",
    "evaluate",
    "finite_horizon",
    "gain",
    "gradient",
    "ilqr",
    "infinite_horizon",
    "policy_iteration",
    "radius",
    "riccati",
    "simulate",
    "stabilizable",
    "unreachable_modes",
]

ROUNDING, STALL = 1e-11, 10  # residuals below this that have not fallen for so many steps are rounding


@dataclass(frozen=True, eq=False)
class Plan:
    """The optimum of a finite horizon H: from time t on, the least expected cost is x'P[t]x + c[t].

    `P` (H+1, n, n); `K` (H, m, n), the gains of u = -K[t] x; `c` (H+1,), what the noise costs.
    Source: Bertsekas (2017), volume I, section 3.1.
    """

    P: np.ndarray
    K: np.ndarray
    c: np.ndarray


@dataclass(frozen=True, eq=False)
class Regulator:
    """The optimum of an infinite horizon: the least cost from x is x'Px, without noise, and u = -K x attains it.

    `P` (n, n); `K` (m, n), the minimiser for P; `residual`, the largest entry of riccati(P) - P relative to the
    largest of P; `bounds`, matrices that enclose the optimum: lower <= P* <= upper, where differences are positive
    semidefinite: the upper one is the cost of K, inf if that is infinite; the lower one the iterate from below or, in
    policy iteration, only Q; `radius`, the spectral radius of sqrt(gamma) (A - BK), below 1 if K is stabilising;
    `history`, the residuals, one for each step; `converged`, whether the last of them is at most tol. With noise the
    cost is c = gamma/(1-gamma) tr(PW) more if gamma < 1, and tr(PW) a step otherwise.
    Source: Bertsekas (2017), volume I, section 3.1.
    """

    P: np.ndarray
    K: np.ndarray
    residual: float
    bounds: tuple[np.ndarray, np.ndarray]
    radius: float
    history: np.ndarray
    converged: bool

    @property
    def stabilizing(self) -> bool:
        """Whether K drives every state to 0 (at a rate that beats the discount)."""
        return self.radius < 1

    @property
    def iterations(self) -> int:
        """Number of steps."""
        return len(self.history)


# ---------------------------------------------------------------------- the best gains


def finite_horizon(
    problem: LinearQuadratic | Sequence[LinearQuadratic], horizon: int | None = None, *, terminal=None
) -> Plan:
    """The best way to act for H = `horizon` steps, from the last to the first.

    Takes a problem, or a sequence of H of them, one for each step; `terminal` (n, n), zero by default, is the
    matrix of the cost x'Px of the last state. Returns a `Plan`. Raises ValueError for a horizon below 1, problems of
    different sizes, or a `terminal` that is not symmetric and positive semidefinite.
    Source: Bertsekas (2017), volume I, section 3.1.
    """
    stages = stages_of(problem, horizon)
    H, n, m = len(stages), stages[0].n, stages[0].m
    P, K, c = np.zeros((H + 1, n, n)), np.empty((H, m, n)), np.zeros(H + 1)
    P[H] = 0.0 if terminal is None else definite("terminal", terminal, n)
    for t in reversed(range(H)):
        K[t] = gain(stages[t], P[t + 1])
        P[t] = cost_step(stages[t], K[t], P[t + 1])
        c[t] = stages[t].gamma * (c[t + 1] + np.trace(P[t + 1] @ stages[t].W))
    return Plan(P, K, c)


def infinite_horizon(problem: LinearQuadratic, *, tol: float = 1e-10, max_iter: int = 100_000) -> Regulator:
    """Repeat P <- riccati(P) from P = 0, until no entry changes by more than tol times the largest entry of P.

    The iterates rise to the least cost, detectable or not. If not, states that never cost anything are left out, as
    rounding errors would find them; the gain leaves them alone, and `stabilizing` is False. Returns a `Regulator`.
    Raises ValueError if (A, B) is not stabilisable, naming the mode, or for an invalid argument; warns if max_iter
    steps, or rounding, do not allow tol. Source: Bertsekas (2017), volume I, section 3.1.
    """
    need_tolerance(tol, max_iter)
    need_stabilizable(problem)
    part, seen = _seen(problem)
    P, new = np.zeros((part.n, part.n)), riccati(part, np.zeros((part.n, part.n)))
    history = [_change(P, new)]
    while not _stop(history, tol, max_iter):
        P, new = new, riccati(part, new)
        history.append(_change(P, new))
    P = seen @ P @ seen.T
    return _regulator(problem, P, P, history, tol, "The Riccati recursion")


def policy_iteration(problem: LinearQuadratic, K0: np.ndarray, *, tol: float = 1e-10, max_iter: int = 100) -> Regulator:
    """Evaluate u = -K x and take the best gain for its cost, from a stabilising gain `K0` (m, n): Newton's method.

    If the problem is not detectable, this approaches the least cost of the gains that stabilise. Returns a
    `Regulator`. Raises ValueError if K0 does not stabilise, naming the spectral radius, if a mode on the unit circle
    costs nothing (the gains approach one that does not stabilise), or for an invalid argument; warns as
    `infinite_horizon` does. Source: Hewer (1971); Kleinman (1968) in continuous time.
    """
    need_tolerance(tol, max_iter)
    K = gain_of(problem, K0, "K0")
    history: list[float] = []
    for mode in unseen_modes(problem):
        if abs(abs(mode) - 1) <= UNIT_CIRCLE:
            raise ValueError(
                f"No stabilising gain is best: sqrt(gamma) A has the eigenvalue {number(mode)}, on the unit circle, "
                "whose eigenvector costs nothing. Let Q charge for it, or use infinite_horizon, which leaves it alone."
            )
    if unstable(np.array([radius(problem, K)]))[0]:
        raise ValueError(
            f"K0 does not stabilise: sqrt(gamma) (A - B K0) has the spectral radius {radius(problem, K):.6g} >= 1, "
            "so there is no cost to start from. The gain of infinite_horizon at a loose tol will do."
        )
    while not (history and _stop(history, tol, max_iter)):
        P = evaluate(problem, K)
        K = gain(problem, P)
        history.append(_change(P, cost_step(problem, K, P)))
    return _regulator(problem, P, problem.Q, history, tol, "Policy iteration")


# ---------------------------------------------------------------------- stopping


def _change(P: np.ndarray, new: np.ndarray) -> float:
    """The largest entry of new - P, relative to the largest of new."""
    return float(np.abs(new - P).max() / (np.abs(new).max() or 1.0))


def _stop(history: list[float], tol: float, max_iter: int) -> bool:
    """At tol, at max_iter, or where rounding makes tol unreachable."""
    recent, before = history[-STALL:], history[:-STALL]
    stalled = bool(before) and min(before) <= min(recent) and max(recent) <= ROUNDING
    return history[-1] <= tol or stalled or len(history) == max_iter


def _seen(problem: LinearQuadratic) -> tuple[LinearQuadratic, np.ndarray]:
    """The problem without the states that never cost anything, and an orthonormal basis (n, k) of the others.

    Only where it is not detectable: there P = 0 is a fixed point that rounding errors would leave.
    """
    if detectable(problem):
        return problem, np.eye(problem.n)
    V = reachable(problem.A.T, problem.Q)
    if not V.shape[1]:  # nothing costs anything: one state that stays 0
        V = np.zeros((problem.n, 1))
    return LinearQuadratic(V.T @ problem.A @ V, V.T @ problem.B, V.T @ problem.Q @ V, problem.R, gamma=problem.gamma), V


def _regulator(
    problem: LinearQuadratic, P: np.ndarray, lower: np.ndarray, history: list[float], tol: float, method: str
) -> Regulator:
    """The result, with its residual and bounds computed from P; warns where tol was missed."""
    K = gain(problem, P)
    residual = _change(P, cost_step(problem, K, P))
    if history[-1] > tol:
        warnings.warn(
            f"{method} stopped after {len(history)} steps at residual {residual:.3g} > tol = {tol:g}; the bounds in "
            "the result still hold. Raise max_iter or tol.",
            RuntimeWarning,
            stacklevel=3,
        )
    try:
        upper = evaluate(problem, K)
    except ValueError:  # stopped too early: the gain does not stabilise yet
        upper = np.full_like(P, np.inf)
    return Regulator(P, K, residual, (lower, upper), radius(problem, K), np.array(history), history[-1] <= tol)
