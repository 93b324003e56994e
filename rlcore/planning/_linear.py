"""The linear system that every policy's value solves."""

from __future__ import annotations

import numpy as np


def solve_chain(P, gamma: float, right: np.ndarray) -> np.ndarray:
    """x with (I - gamma P) x = right, for a dense or sparse P (S, S) and one or several right sides, (S,) or (S, k)."""
    S = P.shape[0]
    if isinstance(P, np.ndarray):
        return np.linalg.solve(np.eye(S) - gamma * P, right)
    from scipy.sparse import eye_array
    from scipy.sparse.linalg import splu

    return splu((eye_array(S) - gamma * P).tocsc()).solve(right)
