"""First and second derivatives of dynamics and costs, and central differences for them.

Public through `rlcore.planning.lqr`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

Dynamics = Callable[[np.ndarray, np.ndarray], np.ndarray]
Cost = Callable[[np.ndarray, np.ndarray], float]
FinalCost = Callable[[np.ndarray], float]


class Expansion(NamedTuple):
    """Derivatives at a point: of the dynamics, `fx` (n, n) and `fu` (n, m); of the cost of a step, `lx` (n,),
    `lu` (m,), `lxx` (n, n), `lux` (m, n) and `luu` (m, m). Source: Tassa, Erez and Todorov (2012).
    """

    fx: np.ndarray
    fu: np.ndarray
    lx: np.ndarray
    lu: np.ndarray
    lxx: np.ndarray
    lux: np.ndarray
    luu: np.ndarray


Expand = Callable[[np.ndarray, np.ndarray], Expansion]
ExpandFinal = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]


def differences(f: Dynamics, cost: Cost) -> Expand:
    """A function that computes an `Expansion` by central differences, from 2(n+m) calls of f and 2(n+m)^2 + 1 of cost.

    The errors are of order 1e-10 in the first derivatives and 1e-7 in the second, for functions of the scale 1.
    Source: Nocedal and Wright (2006), section 8.1.
    """

    def expand(x: np.ndarray, u: np.ndarray) -> Expansion:
        n, z = len(x), np.concatenate([x, u])
        jacobian = _jacobian(lambda z: np.asarray(f(z[:n], z[n:]), dtype=float), z)
        slope, bend = _slope_and_bend(lambda z: float(cost(z[:n], z[n:])), z)
        return Expansion(
            jacobian[:, :n], jacobian[:, n:], slope[:n], slope[n:], bend[:n, :n], bend[n:, :n], bend[n:, n:]
        )

    return expand


def differences_final(final_cost: FinalCost) -> ExpandFinal:
    """The same for the final cost: gradient (n,) and second derivatives (n, n)."""
    return lambda x: _slope_and_bend(lambda z: float(final_cost(z)), np.asarray(x, dtype=float))


def _steps(z: np.ndarray, power: float) -> np.ndarray:
    """A diagonal matrix of steps, each a power of the rounding error times the scale of the coordinate."""
    return np.diag(np.finfo(float).eps ** power * (1 + np.abs(z)))


def _jacobian(f: Callable[[np.ndarray], np.ndarray], z: np.ndarray) -> np.ndarray:
    h = _steps(z, 1 / 3)
    return np.stack([(f(z + step) - f(z - step)) / (2 * step.sum()) for step in h], axis=-1)


def _slope_and_bend(c: Callable[[np.ndarray], float], z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Gradient (d,) and second derivatives (d, d) of a number c(z)."""
    slope = _jacobian(lambda z: np.array(c(z)), z)
    h, here, d = _steps(z, 1 / 4), c(z), len(z)
    bend = np.empty((d, d))
    for i in range(d):
        bend[i, i] = (c(z + h[i]) - 2 * here + c(z - h[i])) / h[i, i] ** 2
        for j in range(i):
            corners = c(z + h[i] + h[j]) - c(z + h[i] - h[j]) - c(z - h[i] + h[j]) + c(z - h[i] - h[j])
            bend[i, j] = bend[j, i] = corners / (4 * h[i, i] * h[j, j])
    return slope, bend
