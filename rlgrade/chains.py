"""Chains to test on, chains that students submit, and exact linear algebra for both.

A chain is an array P (n, n) whose row i is the law of the next state.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from rlgrade import check, paths

__all__ = ["chain", "exact", "irreducible", "law", "maps", "slow", "stochastic"]


def chain(seed: int, n: int = 5, d: int = 1) -> np.ndarray:
    """A random irreducible chain (n, n) whose period is a multiple of d, which must divide n. Source: this book."""
    rng = np.random.default_rng(seed)
    place = rng.permutation(n)  # on a ring; a step moves on by one place, up to multiples of d
    ahead = place[None, :] - place[:, None] - 1
    weights = rng.integers(1, 10, size=(n, n)) * (rng.random((n, n)) < 0.4) * (ahead % d == 0)
    weights = np.maximum(weights, ahead % n == 0)
    return weights / weights.sum(axis=1, keepdims=True)


def slow(seed: int, n: int = 5) -> np.ndarray:
    """A random irreducible chain (n, n) with steps as rare as 1e-15, precise off the diagonal. Source: this book."""
    P = chain(seed, n) * 10.0 ** -np.random.default_rng(seed).integers(0, 15, size=(n, n))
    np.fill_diagonal(P, 0)
    np.fill_diagonal(P, 1 - P.sum(axis=1))
    return P


def maps(P: np.ndarray) -> Callable[[Any, float], np.ndarray]:
    """The function (states, u) -> next states that moves all states by the same u, uniform on [0, 1).

    From state i the next one is the first whose cumulative probability exceeds u; `states` may have any shape.
    Source: Levin and Peres (2017), section 1.2.
    """
    edges = P.cumsum(axis=1)[:, :-1]

    def update(states, u):
        return (edges[np.asarray(states, dtype=int)] <= u).sum(axis=-1)

    return update


def exact(A: Sequence, b: Sequence) -> list[Fraction]:
    """The solution (n,) of A x = b in fractions, for A (n, n) and b (n,) of numbers; floats count as they are stored.

    Raises ZeroDivisionError where A has no inverse. Source: Gauss–Jordan elimination.
    """
    rows = [[*map(Fraction, row), Fraction(y)] for row, y in zip(A, b, strict=True)]
    for k in range(len(rows)):
        pivot = max(range(k, len(rows)), key=lambda i: abs(rows[i][k]))
        rows[k], rows[pivot] = rows[pivot], rows[k]
        rows[k] = [x / rows[k][k] for x in rows[k]]
        for i in range(len(rows)):
            if i != k and rows[i][k]:
                rows[i] = [x - rows[i][k] * y for x, y in zip(rows[i], rows[k], strict=True)]
    return [row[-1] for row in rows]


def law(P: Sequence) -> list[Fraction]:
    """The invariant law (n,) of an irreducible P (n, n) in fractions; only the entries off the diagonal count.

    Raises ZeroDivisionError where the chain has more than one. Source: Norris (1997), section 1.7.
    """
    n = len(P)
    rates = [[Fraction(P[i][j]) if i != j else Fraction(0) for j in range(n)] for i in range(n)]
    flow = [[rates[i][j] if i != j else -sum(rates[j]) for i in range(n)] for j in range(n)]
    return exact([*flow[:-1], [1] * n], [0] * (n - 1) + [1])


def stochastic(value: Any, what: str, most: int, least: int = 1) -> np.ndarray:
    """A submitted chain (n, n) with n in least..most; raises `Wrong` if it is none. Source: this book."""
    n = len(value) if isinstance(value, (list, tuple, np.ndarray)) and np.ndim(value) else 0
    size = f"from {least} to {most} states are asked for; this has {n}."
    check.demand(least <= n <= most, size, what=what, got=value)
    P = check.numbers(value, (n, n), what)
    rows = (P >= 0).all(axis=1) & (np.abs(P.sum(axis=1) - 1) < 1e-9)
    bad = int(np.argmin(rows))
    finding = f"row {bad} is no law: its entries must not be negative, and sum to 1."
    columns = " Your columns sum to 1: P[i, j] is the probability to go from i to j."
    finding += columns if np.allclose(P.sum(axis=0), 1) and (P >= 0).all() else ""
    check.demand(rows.all(), finding, what=what, got=value)
    return P


def irreducible(P: np.ndarray, what: str) -> None:
    """Raises `Wrong` with a pair of states unless every state of P (n, n) leads to every other. Source: this book."""
    for j, goal in enumerate(np.eye(len(P), dtype=bool)):
        from_here = paths.reach(P, goal)
        finding = f"the chain is not irreducible: state {int(np.argmin(from_here))} never leads to state {j}."
        check.demand(bool(from_here.all()), finding, what=what, got=P)
