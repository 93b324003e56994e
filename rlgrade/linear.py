"""Random linear-quadratic problems, and what is true of them, without the algorithms that the exercises ask for.

Arrays are A (n, n), B (n, m), Q (n, n), R (m, m): x' = A x + B u, at the cost x'Qx + u'Ru of a step. A gain K (m, n)
stands for u = -Kx.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from rlgrade.check import demand, numbers

__all__ = ["best_forever", "best_gain", "best_plan", "curved", "matrices", "modes", "positive", "radius", "system"]

Problem = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


# ---------------------------------------------------------------------- instances


def system(seed: int, n: int = 3, m: int = 2) -> Problem:
    """A random problem `A, B, Q, R`; A has the spectral radius 0.9, 1 or 1.2, and Q and R are positive definite.

    Raises what NumPy raises for impossible sizes. Source: this book.
    """
    rng = np.random.default_rng(seed)
    A, B = rng.normal(size=(n, n)), rng.integers(-3, 4, size=(n, m)).astype(float)
    B[np.arange(m) % n, np.arange(m)] += 5.0
    G, L = rng.integers(-2, 3, size=(n, n)), rng.integers(-1, 2, size=(m, m))
    A *= (0.9, 1.0, 1.2)[seed % 3] / radius(A)
    return A.round(3), B / 4, (G.T @ G + np.eye(n)) / 4, L.T @ L + np.eye(m)


def modes(seed: int, moved: Sequence[float], unmoved: Sequence[complex]) -> tuple[np.ndarray, np.ndarray]:
    """A random pair `A, B` with these eigenvalues: one control moves all the `moved`, which differ, and no `unmoved`.

    A complex number in `unmoved` stands for itself and its conjugate. Raises nothing. Source: Kalman (1963).
    """
    from scipy.linalg import block_diag

    rng = np.random.default_rng(seed)
    pairs = [[[z.real, z.imag], [-z.imag, z.real]] if np.iscomplex(z) else [[np.real(z)]] for z in unmoved]
    A = block_diag(np.diag(moved), *pairs) if len(moved) else block_diag(*pairs)
    n, k = len(A), len(moved)
    A[:k, k:] = rng.integers(-1, 2, size=(k, n - k))
    B = np.zeros((n, 1))
    B[:k, 0] = rng.integers(1, 4, size=k)
    turn = np.linalg.qr(rng.normal(size=(n, n)))[0]
    return turn @ A @ turn.T, turn @ B


def curved(seed: int, n: int = 2, m: int = 1) -> tuple[Callable, Callable]:
    """Random dynamics that are not linear: `step(x, u)` (n,) and `derivatives(x, u)`, which are (n, n) and (n, m).

    Raises nothing. Source: this book.
    """
    rng = np.random.default_rng(seed)
    M, N, C = rng.normal(size=(n, n)), rng.normal(size=(n, m)), 0.9 * np.linalg.qr(rng.normal(size=(n, n)))[0]

    def step(x, u):
        return C @ x + 0.5 * np.sin(M @ x + N @ u)

    def derivatives(x, u):
        slope = 0.5 * np.cos(M @ x + N @ u)[:, None]
        return C + slope * M, slope * N

    return step, derivatives


# ---------------------------------------------------------------------- certificates


def radius(M: np.ndarray) -> float:
    """The largest modulus of an eigenvalue of `M` (n, n). Source: Horn and Johnson (2013), definition 1.2.9."""
    return float(np.abs(np.linalg.eigvals(M)).max())


def best_gain(A: np.ndarray, B: np.ndarray, R: np.ndarray, P: np.ndarray) -> np.ndarray:
    """The gain (m, n) that minimises u'Ru + y'Py in the next state y, by least squares.

    Source: Golub and Van Loan (2013), section 5.3.
    """
    return np.linalg.lstsq(np.vstack([_root(R), _root(P) @ B]), np.vstack([0 * B.T, _root(P) @ A]))[0]


def best_plan(A, B, Q, R, P_end: np.ndarray, H: int) -> tuple[np.ndarray, np.ndarray]:
    """First gain (m, n) and least cost (n, n) of H steps: one least-squares problem for all controls at once.

    Source: Golub and Van Loan (2013), section 5.3.
    """
    (n, m), rows, start = B.shape, [], []
    x0, xu = np.eye(n), np.zeros((n, H * m))  # the state is x0 @ x + xu @ (all controls)
    for t in range(H):
        own = np.eye(H * m)[t * m : (t + 1) * m]
        rows += [_root(Q) @ xu, _root(R) @ own]
        start += [_root(Q) @ x0, np.zeros((m, n))]
        x0, xu = A @ x0, A @ xu + B @ own
    M, N = np.vstack([*rows, _root(P_end) @ xu]), np.vstack([*start, _root(P_end) @ x0])
    u = -np.linalg.lstsq(M, N)[0]
    left = M @ u + N
    return -u[:m], left.T @ left


def best_forever(A, B, Q, R, gamma: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """The stabilising solution (n, n) of Riccati's equation with discount `gamma`, and its gain (m, n), by SciPy.

    Raises ArithmeticError where the equation fails by more than 1e-8 of its size. Source: Laub (1979).
    """
    from scipy.linalg import solve_discrete_are

    A, B = np.sqrt(gamma) * A, np.sqrt(gamma) * B
    P = solve_discrete_are(A, B, Q, R)
    K = best_gain(A, B, R, P)
    gap = np.abs(Q + K.T @ R @ K + (A - B @ K).T @ P @ (A - B @ K) - P).max()
    if not gap <= 1e-8 * max(1.0, np.abs(P).max()):
        raise ArithmeticError(f"The certificate failed its own check: residual {gap:.3g}.")
    return P, K


def _root(M: np.ndarray) -> np.ndarray:
    """A matrix G (k, k) with G'G = M, for M symmetric and positive semidefinite."""
    values, vectors = np.linalg.eigh(M)
    return np.sqrt(np.maximum(values, 0.0))[:, None] * vectors.T


# ---------------------------------------------------------------------- what a witness returns


def matrices(A: Any, B: Any, n_most: int, m_most: int) -> tuple[np.ndarray, np.ndarray]:
    """What an answer returned, as a pair A (n, n), B (n, m) with at most these sizes and entries up to 10 in size.

    Raises `Wrong` naming what is amiss. Source: this book.
    """
    n, m = np.shape(B) if np.ndim(B) == 2 else (0, 0)
    sizes = f"n <= {n_most}" + (f" and m <= {m_most}" if m_most > 1 else " and m = 1: one control")
    fits = 1 <= n <= n_most and 1 <= m <= m_most
    demand(fits, f"B must have shape (n, m) with {sizes}.", what="B", got=B)
    A, B = numbers(A, (n, n), "A"), numbers(B, (n, m), "B")
    for name, M in (("A", A), ("B", B)):
        demand(np.abs(M).max() <= 10, "some entry is larger than 10 in size.", what=name, got=M)
    return A, B


def positive(M: Any, size: int, least: float, what: str, *, most: float = 100.0) -> np.ndarray:
    """What an answer returned, as a symmetric matrix (size, size) with eigenvalues from `least` to `most`.

    Raises `Wrong` naming what is amiss. Source: this book.
    """
    M = numbers(M, (size, size), what)
    demand(np.allclose(M, M.T, atol=1e-9), "the matrix must be symmetric.", what=what, got=M)
    values = np.linalg.eigvalsh(M)
    low = f"its smallest eigenvalue is {values[0]:.4g}: at least {least:g} is asked for."
    demand(values[0] >= least - 1e-9, low, what=what, got=M)
    demand(values[-1] <= most * (1 + 1e-9), f"its largest eigenvalue is above {most:g}.", what=what, got=M)
    return M
