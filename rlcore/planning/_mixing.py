"""How far a chain is from its limit, and how fast it comes there. Public through `markov_chains`."""

from __future__ import annotations

import numpy as np

from rlcore._checks import is_integer, is_number
from rlcore.planning._chain_graph import law, need_irreducible, need_one_closed_class, transition_matrix

LONGEST = 1 << 40  # a power this high has lost half of its digits


def total_variation(mu, nu) -> np.ndarray | float:
    """The total variation distance, half the sum of |mu - nu|, in [0, 1]: the largest difference on any event.

    Laws (S,), or stacks of them (..., S) that broadcast; a number, or one for each pair. Raises ValueError for what
    is no law, or sizes that disagree. Source: Levin and Peres (2017), section 4.1.
    """
    shape = np.shape(mu)
    S = shape[-1] if shape else 0
    mu, nu = law("mu", mu, S), law("nu", nu, S)
    try:
        distance = np.abs(mu - nu).sum(axis=-1) / 2
    except ValueError:
        raise ValueError(
            f"mu has shape {mu.shape} and nu {nu.shape}, which do not pair off: give stacks of one size, or one law."
        ) from None
    return float(distance) if distance.ndim == 0 else distance


def distances(P, steps: int) -> np.ndarray:
    """How far a chain (S, S) is from its invariant law: d (steps + 1,), the largest total variation over all starts.

    The law is that of `invariant_law`; the sequence never rises. It does not fall to 0 for a periodic chain. Raises
    ValueError for an invalid matrix, several closed classes, or steps < 0.
    Source: Levin and Peres (2017), section 4.4.
    """
    from rlcore.planning.markov_chains import invariant_law

    P, nu = transition_matrix(P), invariant_law(P)
    _check_steps(steps)
    power, d = np.eye(len(P)), []
    for _ in range(steps + 1):
        d.append(_distance(power, nu))
        power = power @ P
    return np.array(d)


def mixing_time(P, epsilon: float = 0.25) -> int:
    """The least n with d(n) <= epsilon, d(n) as in `distances`, by squaring the matrix and then by bisection.

    Raises ValueError for an invalid matrix, for epsilon outside (0, 1), for a chain with several closed classes or a
    periodic one, which never mix, and for a time above 2^40, which rounding would decide.
    Source: Levin and Peres (2017), section 4.5.
    """
    from rlcore.planning.markov_chains import invariant_law

    P = transition_matrix(P)
    if not (is_number(epsilon) and 0 < epsilon < 1):
        raise ValueError(f"epsilon = {epsilon!r}: choose a distance between 0 and 1, such as 0.25.")
    only = need_one_closed_class(P, "it converges to no law that all starts share, and never mixes")
    if only.period > 1:
        raise ValueError(
            f"The chain has period {only.period}: its laws go round for ever, and it never mixes. "
            "Make it lazy, (I + P) / 2, or ask for averages over time."
        )
    nu, powers = invariant_law(P), [P]
    if _distance(np.eye(len(P)), nu) <= epsilon:
        return 0
    while _distance(powers[-1], nu) > epsilon:
        if 1 << len(powers) > LONGEST:
            raise ValueError(f"The mixing time exceeds {LONGEST:,} steps: rounding would decide it. Look at a block.")
        powers.append(_product(powers[-1], powers[-1]))
    if len(powers) == 1:
        return 1
    n, power = 1 << (len(powers) - 2), powers[-2]  # d(n) > epsilon; add smaller powers while that stays so
    for k in range(len(powers) - 3, -1, -1):
        longer = _product(power, powers[k])
        if _distance(longer, nu) > epsilon:
            n, power = n + (1 << k), longer
    return n + 1


def doeblin(P) -> float:
    """The sum over j of min_i p(i, j): what all rows have in common, in [0, 1]; at most 1 - dobrushin(P).

    Raises ValueError for an invalid matrix. Source: Doeblin (1938).
    """
    return float(transition_matrix(P).min(axis=0).sum())


def dobrushin(P) -> float:
    """The largest total variation distance of two rows, in [0, 1]: the factor by which a step contracts laws.

    Raises ValueError for an invalid matrix. Source: Dobrushin (1956).
    """
    P = transition_matrix(P)
    return max(float(np.abs(P - row).sum(axis=1).max() / 2) for row in P)


def spectral_gap(P) -> float:
    """1 - max |lambda| over the other eigenvalues than the simple one at 1: the absolute spectral gap, in [0, 1].

    0 for a periodic chain; 1 for a single state. Raises ValueError for an invalid or reducible matrix. Eigenvalues
    of a chain that is not reversible may be ill-conditioned; those of a reversible one come from a symmetric matrix.
    Source: Levin and Peres (2017), section 12.1.
    """
    from rlcore.planning.markov_chains import invariant_law, is_reversible

    P = transition_matrix(P)
    only = need_irreducible(P, "the eigenvalue 1 says nothing about mixing from every start")
    if len(P) == 1 or only.period > 1:
        return float(len(P) == 1)
    if is_reversible(P):
        root = np.sqrt(invariant_law(P))
        A = root[:, None] * P / root
        eigenvalues = np.linalg.eigvalsh((A + A.T) / 2)
    else:
        eigenvalues = np.linalg.eigvals(P)
    others = np.delete(eigenvalues, np.argmin(np.abs(eigenvalues - 1)))
    return float(np.clip(1 - np.abs(others).max(), 0.0, 1.0))


def _distance(power: np.ndarray, nu: np.ndarray) -> float:
    return float(np.abs(power - nu).sum(axis=1).max() / 2)


def _product(P: np.ndarray, Q: np.ndarray) -> np.ndarray:
    """P Q with rows that sum to 1 again, so that rounding does not grow from power to power."""
    R = P @ Q
    return R / R.sum(axis=1, keepdims=True)


def _check_steps(steps) -> None:
    if not is_integer(steps) or steps < 0:
        raise ValueError(f"steps = {steps!r}: give a number of steps, an integer of at least 0.")
