"""Linear systems of chains that end, solved without a subtraction. Used by `markov_chains`."""

from __future__ import annotations

import numpy as np


def solve_leaving(Q: np.ndarray, out: np.ndarray, right: np.ndarray) -> np.ndarray:
    """x (k, m) with x = Q x + right, for steps Q (k, k) among states that are left with probabilities out (k,).

    Rows of Q and entries of `out` sum to 1, and every state leads out. `right` (k, m) is not negative. States are
    eliminated as in GTH, and 1 - q(i, i) is the sum of the other ways: so chains that hardly ever leave lose no digits,
    where an ordinary solver may find the system singular. Source: Grassmann, Taksar and Heyman (1985).
    """
    Q, out, x = Q.copy(), out.copy(), np.array(right, dtype=float)
    for k in range(len(Q) - 1, -1, -1):
        sigma = Q[k, :k].sum() + out[k]
        Q[k, :k] /= sigma
        out[k] /= sigma
        x[k] /= sigma
        Q[:k, :k] += np.outer(Q[:k, k], Q[k, :k])
        out[:k] += Q[:k, k] * out[k]
        x[:k] += np.outer(Q[:k, k], x[k])
    for k in range(1, len(Q)):
        x[k] += Q[k, :k] @ x[:k]
    return x
