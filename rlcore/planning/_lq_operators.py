"""The operators of linear-quadratic control, the cost of a gain, and the modes that control or cost do not reach.

A mode is an eigenvalue of A with a left eigenvector w. No control moves it if w B = 0 (the test of Popov, Belevitch
and Hautus). The eigenvectors are sought in the complement of the reachable states, so that an eigenvalue that is
reachable and an equal one that is not are told apart. Public through `rlcore.planning.lqr`.
"""

from __future__ import annotations

import numpy as np

from rlcore.planning._linear_system import LinearQuadratic, gain_of, matrix, value_of

RANK = 1e-9  # a direction that carries less than this share of the largest is not reached
UNIT_CIRCLE = 1e-9  # a modulus this close to 1 counts as 1


def gain(problem: LinearQuadratic, P: np.ndarray) -> np.ndarray:
    """The gain K (m, n) that is best now if x'Px (n, n) is paid next.

    Source: Bertsekas (2017), volume I, section 3.1.
    """
    A, B, gamma, P = problem.A, problem.B, problem.gamma, value_of(problem, P)
    return np.linalg.solve(problem.R + gamma * B.T @ P @ B, gamma * B.T @ P @ A)


def cost_step(problem: LinearQuadratic, K: np.ndarray, P: np.ndarray) -> np.ndarray:
    """Q + K'RK + gamma (A - BK)'P(A - BK), (n, n): the cost of one step of u = -K x, and of x'Px afterwards.

    Source: Anderson and Moore (1990); this form keeps rounding from making P indefinite.
    """
    K, P = gain_of(problem, K), value_of(problem, P)
    closed = problem.A - problem.B @ K
    P = problem.Q + K.T @ problem.R @ K + problem.gamma * closed.T @ P @ closed
    return (P + P.T) / 2


def riccati(problem: LinearQuadratic, P: np.ndarray) -> np.ndarray:
    """One step of Riccati's recursion, (n, n): the least cost of a step and of x'Px afterwards.

    Source: Kalman (1960).
    """
    return cost_step(problem, gain(problem, P), P)


def evaluate(problem: LinearQuadratic, K: np.ndarray) -> np.ndarray:
    """The cost matrix P (n, n) of u = -K x for ever, without noise: the least P >= 0 with P = cost_step(K, P).

    A Lyapunov equation, on the states that the cost can see. What it cannot see may grow for ever at no cost.
    Raises ValueError if the cost is infinite, naming the eigenvalue of sqrt(gamma) (A - BK), or for a K of another
    shape than (m, n). Source: Anderson and Moore (1990).
    """
    from scipy.linalg import solve_discrete_lyapunov

    K = gain_of(problem, K)
    closed = np.sqrt(problem.gamma) * (problem.A - problem.B @ K)
    cost = problem.Q + K.T @ problem.R @ K
    seen = reachable(closed.T, cost)  # (n, k)
    part = seen.T @ closed @ seen
    eigenvalues = np.linalg.eigvals(part)
    if unstable(eigenvalues).any():
        worst = eigenvalues[np.abs(eigenvalues).argmax()]
        raise ValueError(
            f"The gain has an infinite cost: sqrt(gamma) (A - B K) has the eigenvalue {number(worst)}, of modulus "
            f"{abs(worst):.6g} >= 1, on states that cost something. Take a stabilising gain, as infinite_horizon does."
        )
    P = seen @ solve_discrete_lyapunov(part.T, seen.T @ cost @ seen) @ seen.T if seen.size else np.zeros_like(cost)
    return (P + P.T) / 2


def radius(problem: LinearQuadratic, K: np.ndarray) -> float:
    """Spectral radius of sqrt(gamma) (A - BK), for K (m, n); below 1 if u = -K x stabilises.

    Source: Anderson and Moore (1990).
    """
    closed = problem.A - problem.B @ gain_of(problem, K)
    return float(np.sqrt(problem.gamma) * np.abs(np.linalg.eigvals(closed)).max())


# ---------------------------------------------------------------------- modes


def reachable(A: np.ndarray, B: np.ndarray) -> np.ndarray:
    """An orthonormal basis (n, k) of the states that the controls B (n, m) can reach from 0.

    Source: Kalman (1963), whose decomposition this is.
    """
    n = len(A)
    basis, new = np.empty((n, 0)), B / (np.linalg.norm(B) or 1.0)
    while new.size and basis.shape[1] < n:
        new = new - basis @ (basis.T @ new)
        left, sizes, _ = np.linalg.svd(new - basis @ (basis.T @ new), full_matrices=False)
        found = left[:, sizes > RANK]
        basis = np.hstack([basis, found])
        new = A @ found / (np.linalg.norm(A) or 1.0)
    return basis


def complement(basis: np.ndarray) -> np.ndarray:
    """An orthonormal basis of what is orthogonal to the columns."""
    return np.linalg.qr(basis, mode="complete")[0][:, basis.shape[1] :]


def unreachable_modes(A: np.ndarray, B: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Eigenvalues (k,) with left eigenvectors w (k, n), w A = lambda w and w B = 0, by falling modulus.

    `A` is (n, n) and `B` (n, m). A direction that carries less than 1e-9 of the largest counts as unreachable.
    Raises ValueError for shapes that disagree. Source: Hautus (1970).
    """
    A, B = matrix("A", A), matrix("B", B)
    if A.shape != (len(A), len(A)) or len(B) != len(A):
        raise ValueError(f"A must have shape (n, n) and B (n, m); got {A.shape} and {B.shape}.")
    rest = complement(reachable(A, B))
    eigenvalues, vectors = np.linalg.eig((rest.T @ A @ rest).T)
    order = np.argsort(-np.abs(eigenvalues), kind="stable")
    return eigenvalues[order], (rest @ vectors).T[order]


def unstable(eigenvalues: np.ndarray) -> np.ndarray:
    """Which eigenvalues lie on the unit circle or outside, up to rounding."""
    return np.abs(eigenvalues) >= 1 - UNIT_CIRCLE


def need_stabilizable(problem: LinearQuadratic) -> None:
    """Raise ValueError, with the mode, unless (A, B) is stabilisable. Source: Hautus (1970)."""
    scale = np.sqrt(problem.gamma)
    eigenvalues, vectors = unreachable_modes(scale * problem.A, scale * problem.B)
    if unstable(eigenvalues[:1]).any():
        w = np.array2string(np.real_if_close(vectors[0]), precision=3, suppress_small=True)
        times = "" if problem.gamma == 1 else "sqrt(gamma) "
        raise ValueError(
            f"The pair (A, B) is not stabilisable: {times}A has the eigenvalue {number(eigenvalues[0])}, of modulus "
            f"{abs(eigenvalues[0]):.6g} >= 1, and its left eigenvector w = {w} has w B = 0, so no control moves this "
            "mode. Add an actuator that reaches it, or take it out of the model; backward recursion over a finite "
            "horizon needs no such thing."
        )


def number(value: complex) -> str:
    """An eigenvalue in few digits, without an imaginary part where there is none."""
    value = complex(value)
    return f"{value.real:.6g}" if abs(value.imag) < 1e-12 else f"{value.real:.6g}{value.imag:+.6g}j"


def stabilizable(problem: LinearQuadratic) -> bool:
    """Whether some gain K (m, n) stabilises: each mode of sqrt(gamma) A with modulus >= 1 feels the control.

    Source: Hautus (1970).
    """
    scale = np.sqrt(problem.gamma)
    return not unstable(unreachable_modes(scale * problem.A, scale * problem.B)[0]).any()


def unseen_modes(problem: LinearQuadratic) -> np.ndarray:
    """The eigenvalues (k,) of sqrt(gamma) A whose right eigenvectors cost nothing."""
    return unreachable_modes(np.sqrt(problem.gamma) * problem.A.T, problem.Q)[0]


def detectable(problem: LinearQuadratic) -> bool:
    """Whether every mode of sqrt(gamma) A with modulus >= 1 costs something, by Q (n, n). Source: Hautus (1970)."""
    return not unstable(unseen_modes(problem)).any()
