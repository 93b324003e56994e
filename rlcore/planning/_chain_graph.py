"""What is demanded of a transition matrix, and what its graph alone decides. Public through `markov_chains`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rlcore._checks import ROW_SUM_TOLERANCE, is_integer, real_array


@dataclass(frozen=True, eq=False)
class CommunicatingClass:
    """A class of states that lead to each other.

    `states` (k,) in increasing order; `recurrent`, whether the chain, once inside, never leaves (in a finite chain
    that is recurrence); `period`, the greatest common divisor of the lengths of the ways back, 0 for a single state to
    which there is no way back. Source: Norris (1997), sections 1.2, 1.5 and 1.8.
    """

    states: np.ndarray
    recurrent: bool
    period: int


# ---------------------------------------------------------------------- arguments


def transition_matrix(P) -> np.ndarray:
    """A transition matrix (S, S), checked, as a dense array of floats; SciPy's sparse arrays are made dense.

    Raises ValueError for another shape, and for a row that is no law, with its place, its value and the remedy.
    Source: Norris (1997), section 1.1.
    """
    P = real_array("P", P.toarray() if hasattr(P, "toarray") else P)
    if P.ndim != 2 or P.shape[0] != P.shape[1] or not P.size:
        raise ValueError(f"A transition matrix has shape (S, S) with S >= 1; got {P.shape}.")
    bad = ~((P >= 0) & np.isfinite(P))
    if bad.any():
        i, j = np.argwhere(bad)[0]
        raise ValueError(f"P[{i}, {j}] = {P[i, j]}: the probability of a step lies in [0, 1].")
    excess = P.sum(axis=1) - 1
    wrong = np.abs(excess) > ROW_SUM_TOLERANCE
    if wrong.any():
        i = int(np.argmax(wrong))
        remedy = f"let the state stay for ever, P[{i}, {i}] = 1" if not P[i].any() else "divide the row by its sum"
        raise ValueError(
            f"Row {i} of P sums to {1 + excess[i]:.12g}, off by {excess[i]:+.3g}: a row is the law of the next state, "
            f"and sums to 1. If nothing is missing from it, {remedy}."
        )
    return P


def law(name: str, mu, S: int) -> np.ndarray:
    """A law on the states (S,), or one for each row (..., S), checked."""
    mu = real_array(name, mu)
    if mu.ndim < 1 or mu.shape[-1] != S or not mu.size:
        raise ValueError(f"{name} must hold one probability for each of the {S} states; got shape {mu.shape}.")
    total = mu.sum(axis=-1)
    if not ((mu >= 0).all() and (np.abs(total - 1) <= ROW_SUM_TOLERANCE).all()):
        raise ValueError(
            f"{name} is no law: its least entry is {mu.min():.6g}, its sums lie between {total.min():.12g} and "
            f"{total.max():.12g}. Probabilities are at least 0 and sum to 1: divide them by their sum."
        )
    return mu


def point(state, S: int, name: str = "state") -> int:
    """A state, checked."""
    if not is_integer(state) or not 0 <= state < S:
        raise ValueError(f"{name} = {state!r}: it must be an integer in 0..{S - 1}.")
    return int(state)


def first_law(mu, S: int) -> np.ndarray:
    """A law (S,), or the one that sits in a state, checked."""
    if np.ndim(mu) == 0:
        return np.eye(S)[point(mu, S, "mu")]
    mu = law("mu", mu, S)
    if mu.ndim > 1:
        raise ValueError(f"mu must be one law of shape ({S},); got shape {mu.shape}.")
    return mu


def subset(target, S: int) -> np.ndarray:
    """(S,) bool from a state, a list of states, or flags (S,), checked; not empty."""
    states = np.asarray(target)
    if states.dtype == bool and states.shape == (S,):
        inside = states.copy()
    else:
        inside = np.zeros(S, dtype=bool)
        for state in np.atleast_1d(states).ravel().tolist():
            inside[point(state, S, "target")] = True
    if not inside.any():
        raise ValueError("target is empty: name at least one state.")
    return inside


def need_one_closed_class(P: np.ndarray, what: str) -> CommunicatingClass:
    """The only closed class; an error that names all of them if there are several."""
    closed = [c for c in classes(P) if c.recurrent]
    if len(closed) > 1:
        raise ValueError(
            f"The chain has {len(closed)} closed classes, {_names(closed)}, so {what}. "
            "Take one class at a time, P[np.ix_(c.states, c.states)], or join the classes (a restart does)."
        )
    return closed[0]


def need_irreducible(P: np.ndarray, what: str) -> CommunicatingClass:
    """The only class; an error that names a transient state if there is one."""
    only = need_one_closed_class(P, what)
    if len(only.states) < len(P):
        outside = int(np.setdiff1d(np.arange(len(P)), only.states)[0])
        raise ValueError(
            f"The chain is reducible: state {outside} is transient, so {what}. "
            "Keep the closed class only, P[np.ix_(c.states, c.states)]."
        )
    return only


def _names(some: Sequence[CommunicatingClass]) -> str:
    texts = [f"{c.states[:5].tolist()}"[:-1] + (", ...]" if len(c.states) > 5 else "]") for c in some[:4]]
    return ", ".join(texts) + (", ..." if len(some) > 4 else "")


# ---------------------------------------------------------------------- the graph


def classes(P) -> list[CommunicatingClass]:
    """The communicating classes of a chain (S, S), ordered by their first states.

    Linear in S^2. Raises ValueError for an invalid matrix. Source: Norris (1997), section 1.2; for the period by
    levels of a breadth-first search, Denardo (1977).
    """
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import connected_components, shortest_path

    P = transition_matrix(P)
    i, j = np.nonzero(P)
    graph = csr_array((np.ones(len(i)), (i, j)), shape=P.shape)
    count, label = connected_components(graph, connection="strong")
    leaves = np.zeros(count, dtype=bool)
    leaves[label[i[label[i] != label[j]]]] = True
    found = []
    for k in np.argsort([np.argmax(label == k) for k in range(count)]):
        states = np.flatnonzero(label == k)
        inner = graph[states][:, states].tocoo()
        level = shortest_path(inner.tocsr(), unweighted=True, indices=0)
        gaps = (level[inner.row] + 1 - level[inner.col]).astype(int)
        found.append(CommunicatingClass(states, bool(~leaves[k]), int(np.gcd.reduce(gaps)) if len(gaps) else 0))
    return found


def period(P, state: int = 0) -> int:
    """The greatest common divisor of the n >= 1 with p^n(state, state) > 0; 0 if there is no way back.

    Raises ValueError for an invalid matrix or state. Source: Norris (1997), section 1.8.
    """
    found = classes(P)
    state = point(state, sum(len(c.states) for c in found))
    return next(c.period for c in found if state in c.states)


def is_irreducible(P) -> bool:
    """Whether all states lead to each other. Raises ValueError for an invalid matrix. Source: Norris (1997), 1.2."""
    return len(classes(P)) == 1


def reaching(P: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """(S,) bool: the states from which a set (S,) bool can be reached."""
    before, edges = -1, P > 0
    while inside.sum() > before:
        before, inside = inside.sum(), inside | edges[:, inside].any(axis=1)
    return inside
