"""Values found and verified without the algorithms that the exercises ask for.

Arrays are the textbook's: P (S, A, S) laws, r (S, A) rewards. The optimum comes from a linear programme, is
polished by one linear solve, and is accepted only if it satisfies Bellman's equation.
"""

from __future__ import annotations

import numpy as np

__all__ = ["bellman_residual", "optimal_values", "policy_values"]


def policy_values(P: np.ndarray, r: np.ndarray, gamma: float, pi: np.ndarray) -> np.ndarray:
    """Values (S,) of the stationary policy `pi`, (S,) actions or (S, A) probabilities, by one linear solve.

    Raises numpy.linalg.LinAlgError only if gamma = 1. Source: Puterman (1994), theorem 6.1.1.
    """
    S, A = r.shape
    weights = np.eye(A)[pi] if np.ndim(pi) == 1 else np.asarray(pi)
    P_pi = np.einsum("sa,sat->st", weights, P)
    return np.linalg.solve(np.eye(S) - gamma * P_pi, (weights * r).sum(axis=1))


def bellman_residual(P: np.ndarray, r: np.ndarray, gamma: float, v: np.ndarray) -> float:
    """max over s of |max over a of (r + gamma P v) - v| for `v` (S,); 0 only at the optimum. Source: Bellman (1957)."""
    return float(np.abs((r + gamma * np.einsum("sat,t->sa", P, v)).max(axis=1) - v).max())


def optimal_values(P: np.ndarray, r: np.ndarray, gamma: float) -> np.ndarray:
    """Optimal values (S,): the smallest v with v >= r_a + gamma P_a v for every action a.

    Raises ArithmeticError if the solution does not satisfy Bellman's equation to 1e-9 of its size.
    Source: d'Epenoux (1963); Puterman (1994), section 6.9.
    """
    from scipy.optimize import linprog

    S, A = r.shape
    rows = (np.eye(S)[:, None, :] - gamma * P).reshape(S * A, S)
    v = linprog(np.ones(S), A_ub=-rows, b_ub=-r.reshape(-1), bounds=(None, None), method="highs").x
    v = policy_values(P, r, gamma, (r + gamma * P @ v).argmax(axis=1))
    residual = bellman_residual(P, r, gamma, v)
    if not residual <= 1e-9 * max(1.0, np.abs(v).max()):
        raise ArithmeticError(f"The certificate failed its own check: Bellman residual {residual:.3g}.")
    return v
