"""Linear-quadratic control along a path: iLQR, for smooth dynamics that are not linear.

Dynamics x' = f(x, u), a cost l(x, u) for each step and a final cost. Around a path the dynamics are replaced by
their first derivatives and the costs by their second-order expansion; what comes out is a linear-quadratic problem
whose solution is a direction in which to change the controls. Public through `rlcore.planning.lqr`.

Source: Li and Todorov (2004); the line search and the regularisation are after Tassa, Erez and Todorov (2012).
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np

from rlcore import _checks as checks
from rlcore.planning._expansion import (
    Cost,
    Dynamics,
    Expand,
    ExpandFinal,
    Expansion,
    FinalCost,
    differences,
    differences_final,
)
from rlcore.planning._linear_system import need_tolerance

ARMIJO = 1e-4  # share of the decrease that the slope promises
HALVINGS = 12
LEAST, MOST = 1e-6, 1e12  # the regularisation, where there is any


@dataclass(frozen=True, eq=False)
class Trajectory:
    """What iLQR returns.

    States `x` (H+1, n), controls `u` (H, m), and gains `K` (H, m, n) for staying near them by u[t] - K[t] (x_t - x[t]);
    the `cost`; the `gradient` (H, m) of the cost in the controls; `history`, arrays with one entry for each accepted
    step: the `cost` and the largest entry of the `gradient` before it, its length `step`, its regularisation `mu`;
    `converged`, whether the largest entry of the gradient is at most tol. Source: Li and Todorov (2004).
    """

    x: np.ndarray
    u: np.ndarray
    K: np.ndarray
    cost: float
    gradient: np.ndarray
    history: dict[str, np.ndarray]
    converged: bool


@dataclass(frozen=True)
class _Problem:
    f: Dynamics
    cost: Cost
    final_cost: FinalCost
    expand: Expand
    expand_final: ExpandFinal

    def total(self, x: np.ndarray, u: np.ndarray) -> float:
        return float(sum(self.cost(*pair) for pair in zip(x[:-1], u, strict=True)) + self.final_cost(x[-1]))

    def expansions(self, x: np.ndarray, u: np.ndarray) -> Expansion:
        """The derivatives along a path, stacked."""
        H, m, n = *u.shape, x.shape[1]
        local = Expansion(*(np.array(part, dtype=float) for part in zip(*map(self.expand, x[:-1], u), strict=True)))
        shapes = ((n, n), (n, m), (n,), (m,), (n, n), (m, n), (m, m))
        for name, part, shape in zip(Expansion._fields, local, shapes, strict=True):
            if part.shape != (H, *shape) or not np.isfinite(part).all():
                raise ValueError(f"expand(x, u).{name} must be a finite array of shape {shape}, at every step.")
        return local


def ilqr(
    f: Dynamics,
    cost: Cost,
    final_cost: FinalCost,
    x0: np.ndarray,
    u0: np.ndarray,
    *,
    expand: Expand | None = None,
    expand_final: ExpandFinal | None = None,
    tol: float = 1e-6,
    max_iter: int = 500,
) -> Trajectory:
    """Controls that make the cost of a path stationary, from the state `x0` (n,) and a first guess `u0` (H, m).

    `f(x, u)` gives the next state (n,), `cost(x, u)` and `final_cost(x)` numbers; `expand(x, u)` gives an `Expansion`
    and `expand_final(x)` the gradient (n,) and second derivatives (n, n), by central differences if omitted. Each
    step goes along the linear-quadratic solution, halved until the cost falls enough; where the quadratic model has
    no minimum, or no step helps, mu |du|^2 / 2 is added to it. Stops when no entry of the gradient exceeds tol.

    The result need not be a global minimum. Returns a `Trajectory`. Raises ValueError for shapes that disagree, a path
    from u0 or derivatives that are not finite, or an invalid tol or max_iter; warns where tol is missed.
    Source: Li and Todorov (2004); Tassa, Erez and Todorov (2012).
    """
    need_tolerance(tol, max_iter)
    problem, x, u = _start(f, cost, final_cost, x0, u0, expand, expand_final)
    total, mu = problem.total(x, u), 0.0
    history: list[tuple[float, ...]] = []
    local, grad = _gradient(problem, x, u)
    while np.abs(grad).max() > tol and len(history) < max_iter and mu <= MOST:
        found = None
        if (direction := _backward(local, problem.expand_final(x[-1]), mu)) is not None:
            found = _line_search(problem, x, u, total, direction, _slope(local, grad, direction))
        if found is None:
            mu = max(10 * mu, LEAST)
            continue
        step, x, u, new = found
        history.append((total, np.abs(grad).max(), step, mu))
        total, mu = new, mu / 10 if mu > 10 * LEAST else 0.0
        local, grad = _gradient(problem, x, u)
    return _trajectory(problem, x, u, total, local, grad, history, tol)


def gradient(
    f: Dynamics,
    cost: Cost,
    final_cost: FinalCost,
    x0: np.ndarray,
    u: np.ndarray,
    *,
    expand: Expand | None = None,
    expand_final: ExpandFinal | None = None,
) -> np.ndarray:
    """The gradient (H, m) in the controls `u` (H, m) of the cost of the path from `x0` (n,), by one backward pass.

    Arguments and errors as for `ilqr`. Source: the costate of Pontryagin et al. (1962).
    """
    problem, x, u = _start(f, cost, final_cost, x0, u, expand, expand_final)
    return _gradient(problem, x, u)[1]


# ---------------------------------------------------------------------- passes


def _gradient(problem: _Problem, x: np.ndarray, u: np.ndarray) -> tuple[Expansion, np.ndarray]:
    """The derivatives along a path, and the gradient of its cost: price[t] is the derivative in the state x[t]."""
    local = problem.expansions(x, u)
    price, grad = problem.expand_final(x[-1])[0], np.empty_like(u)
    for t in reversed(range(len(u))):
        grad[t] = local.lu[t] + local.fu[t].T @ price
        price = local.lx[t] + local.fx[t].T @ price
    return local, grad


def _backward(local: Expansion, final: tuple[np.ndarray, np.ndarray], mu: float):
    """Minimise the linear-quadratic model plus mu |du|^2 / 2: du = k[t] - K[t] dx. None if it has no minimum."""
    Vx, Vxx = final
    H, m = local.lu.shape
    k, K = np.empty((H, m)), np.empty((H, m, len(Vx)))
    for t in reversed(range(H)):
        fx, fu, lx, lu, lxx, lux, luu = (part[t] for part in local)
        Qx, Qu, Qxx = lx + fx.T @ Vx, lu + fu.T @ Vx, lxx + fx.T @ Vxx @ fx
        Qux, Quu = lux + fu.T @ Vxx @ fx, luu + fu.T @ Vxx @ fu + mu * np.eye(m)
        if np.linalg.eigvalsh(Quu)[0] <= 1e-12 * max(1.0, np.abs(Quu).max()):
            return None
        k[t], K[t] = -np.linalg.solve(Quu, Qu), np.linalg.solve(Quu, Qux)
        Vx, Vxx = Qx - K[t].T @ Qu, Qxx - Qux.T @ K[t]
        Vxx = (Vxx + Vxx.T) / 2
    return k, K


def _slope(local: Expansion, grad: np.ndarray, direction: tuple[np.ndarray, np.ndarray]) -> float:
    """The derivative of the cost along the direction; negative unless the gradient is 0."""
    dx, slope = np.zeros(local.fx.shape[1]), 0.0
    for t, (k, K) in enumerate(zip(*direction, strict=True)):
        du = k - K @ dx
        slope += float(grad[t] @ du)
        dx = local.fx[t] @ dx + local.fu[t] @ du
    return slope


def _line_search(problem: _Problem, x, u, total: float, direction, slope: float):
    """The longest of the steps 1, 1/2, 1/4, ... that lowers the cost by ARMIJO of what the slope promises, or None."""
    for step in 0.5 ** np.arange(HALVINGS):
        with np.errstate(all="ignore"):  # a long step may leave the range of numbers; it is then refused
            x_new, u_new = _forward(problem, x, u, direction, step)
            new = problem.total(x_new, u_new)
        if new <= total + ARMIJO * step * slope and new < total:
            return step, x_new, u_new, new
    return None


def _forward(problem: _Problem, x: np.ndarray, u: np.ndarray, direction, step: float) -> tuple[np.ndarray, np.ndarray]:
    """The path of u[t] + step k[t] - K[t] (x_t - x[t])."""
    x_new, u_new = np.empty_like(x), np.empty_like(u)
    x_new[0] = x[0]
    for t, (k, K) in enumerate(zip(*direction, strict=True)):
        u_new[t] = u[t] + step * k - K @ (x_new[t] - x[t])
        x_new[t + 1] = problem.f(x_new[t], u_new[t])
    return x_new, u_new


# ---------------------------------------------------------------------- start and end


def _start(f, cost, final_cost, x0, u0, expand, expand_final) -> tuple[_Problem, np.ndarray, np.ndarray]:
    """The problem with its derivatives, the first path, and its controls."""
    problem = _Problem(
        f, cost, final_cost, expand or differences(f, cost), expand_final or differences_final(final_cost)
    )
    x0, u = checks.real_array("x0", x0), checks.real_array("u0", u0)
    if x0.ndim != 1 or u.ndim != 2 or not u.size or not x0.size:
        raise ValueError(f"x0 must have shape (n,) and u0 shape (H, m); got {x0.shape} and {u.shape}.")
    x = np.empty((len(u) + 1, len(x0)))
    x[0] = x0
    for t in range(len(u)):
        after = checks.real_array(f"f(x, u) at time {t}", f(x[t], u[t]))
        if after.shape != x0.shape or not np.isfinite(after).all():
            raise ValueError(
                f"f(x, u) at time {t} must be a finite array of shape {x0.shape}; got {after} for x = {x[t]}, "
                f"u = {u[t]}. Start from gentler controls."
            )
        x[t + 1] = after
    if not np.isfinite(problem.total(x, u)):
        raise ValueError("The cost of the first path is not finite. Start from gentler controls.")
    return problem, x, u


def _trajectory(problem: _Problem, x, u, total: float, local, grad, history, tol: float) -> Trajectory:
    largest = float(np.abs(grad).max())
    if largest > tol:
        warnings.warn(
            f"iLQR stopped after {len(history)} steps with a gradient of {largest:.3g} > tol = {tol:g}. "
            "Raise max_iter or tol, or start elsewhere.",
            RuntimeWarning,
            stacklevel=3,
        )
    final, mu = problem.expand_final(x[-1]), 0.0
    while (direction := _backward(local, final, mu)) is None:
        mu = max(10 * mu, LEAST)
    names = ("cost", "gradient", "step", "mu")
    columns = dict(zip(names, np.array(history, dtype=float).reshape(-1, 4).T, strict=True))
    return Trajectory(x, u, direction[1], total, grad, columns, largest <= tol)
