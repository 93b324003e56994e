"""Random graphs with costs, and what is true of them, without the algorithms that the exercises ask for.

A graph with n nodes is an array C (n, n): C[s, t] is the cost of the edge from s to t, and infinite where there is no
edge. An edge of cost 0 is an edge. All costs are whole numbers, so that sums are exact.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from rlgrade.check import demand, numbers

__all__ = [
    "best_first",
    "cheaper",
    "compare",
    "costs",
    "cycle_cost",
    "cyclic",
    "distances",
    "graph",
    "least_consistent",
    "least_mean",
    "process",
    "small",
]

# ---------------------------------------------------------------------- instances


def process(seed: int, S: int = 4, A: int = 3) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A random deterministic process `nxt, cost, g`: next states (S, A), costs (S, A), final costs (S,), -9 to 9.

    Raises what NumPy raises for impossible sizes. Source: this book.
    """
    rng = np.random.default_rng(seed)
    nxt = rng.integers(S, size=(S, A))
    return nxt, rng.integers(-9, 10, size=(S, A)).astype(float), rng.integers(-9, 10, size=S).astype(float)


def graph(seed: int, n: int = 7, *, round_trip: bool = True, shift: int = 0, loops: bool = False) -> np.ndarray:
    """A random graph C (n, n) with costs 1 to 9; with `round_trip`, every node can reach every other.

    With `shift`, potentials of up to that size are added and taken off, so that some costs are negative and yet no
    cycle is; with `loops`, some edges lead back to their own node. Raises what NumPy raises for impossible sizes.
    Source: after the reweighting of Johnson (1977).
    """
    rng = np.random.default_rng(seed)
    C = np.where(rng.random((n, n)) < 0.35, rng.integers(1, 10, size=(n, n)), np.inf)
    if round_trip:
        order = rng.permutation(n)
        C[order, np.roll(order, -1)] = rng.integers(1, 10, size=n)
    if not loops:
        np.fill_diagonal(C, np.inf)
    potential = rng.integers(0, shift + 1, size=n)
    return C + potential[:, None] - potential


def cyclic(seed: int, total: int, n: int = 8, *, hidden: bool = False) -> tuple[np.ndarray, list[int]]:
    """A graph C (n, n) without a cycle of negative cost, but for one of cost `total` planted in it, and that cycle.

    With `hidden`, no walk from node 0 enters the cycle. With `total` 0, no cycle is negative.
    Raises what NumPy raises for impossible sizes. Source: after the reweighting of Johnson (1977).
    """
    rng = np.random.default_rng(seed)
    cycle = 1 + rng.permutation(n - 1)[: 1 + seed % (n - 3)]
    C = graph(seed, n, round_trip=False)
    if hidden:
        outside = np.setdiff1d(np.arange(n), cycle)
        C[np.ix_(outside, cycle)] = np.inf
    C[cycle, np.roll(cycle, -1)] = 0.0
    C[cycle[-1], cycle[0]] = total
    potential = rng.integers(0, 10, size=n)
    return C + potential[:, None] - potential, [int(s) for s in cycle]


def cheaper(seed: int, C: np.ndarray) -> np.ndarray:
    """The graph C (n, n) with each cost lowered by chance, to a whole number of at least 0. Source: this book."""
    return np.floor(C * np.random.default_rng(seed).uniform(0.3, 1.0, size=C.shape))


# ---------------------------------------------------------------------- certificates


def distances(C: np.ndarray) -> np.ndarray | None:
    """Costs (n, n) of the best walks between all pairs, infinite where there is none; None if a cycle is negative.

    Source: Johnson (1977), as in scipy.sparse.csgraph.
    """
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import NegativeCycleError, johnson

    if (np.diagonal(C) < 0).any():
        return None
    rows, columns = np.nonzero(np.isfinite(C))
    sparse = csr_array((C[rows, columns], (rows, columns)), shape=C.shape)  # stores costs of 0, as a dense one cannot
    try:
        return np.asarray(johnson(sparse))
    except NegativeCycleError:
        return None


def least_mean(C: np.ndarray) -> float:
    """The least mean cost of a cycle of C (n, n): the largest x with x + p(s) <= C(s, t) + p(t) for some p.

    Raises ArithmeticError where there is no cycle. Source: the linear programme dual to circulations, Karp (1978).
    """
    from scipy.optimize import linprog

    n = len(C)
    rows, columns = np.nonzero(np.isfinite(C))
    unit = np.eye(n)
    above = np.column_stack([unit[rows] - unit[columns], np.ones(len(rows))])
    found = linprog([0.0] * n + [-1.0], A_ub=above, b_ub=C[rows, columns], bounds=(None, None), method="highs")
    if found.status != 0:
        raise ArithmeticError("No mean: the graph has no cycle.")
    return float(found.x[-1])


def least_consistent(C: np.ndarray, h: np.ndarray) -> np.ndarray:
    """The least k (n,) with k >= h and k(s) <= C(s, t) + k(t) on every edge of C (n, n), by a linear programme.

    Raises ArithmeticError where there is none. Source: Bellman (1958), as a system of differences.
    """
    from scipy.optimize import linprog

    rows, columns = np.nonzero(np.isfinite(C))
    unit = np.eye(len(C))
    bounds = [(low, None) for low in h]
    found = linprog(np.ones(len(C)), unit[rows] - unit[columns], C[rows, columns], bounds=bounds, method="highs")
    if found.status != 0:
        raise ArithmeticError("No consistent function: a cycle is negative.")
    return np.asarray(found.x)


def best_first(C: np.ndarray, h: np.ndarray | None = None, *, reopen: bool = False, most: int = 10**6):
    """Search from node 0: again and again take the open node of least g + h, lowest number first, and relax its edges.

    Without `h` (n,) this is Dijkstra's algorithm. A node that was taken is closed; with `reopen` it is opened again
    whenever its g falls. Returns (g, taken): g (n,) and the list of the nodes taken, at most `most`.
    Source: Dijkstra (1959); Hart, Nilsson and Raphael (1968).
    """
    n = len(C)
    h = np.zeros(n) if h is None else h
    g, is_open, taken = np.full(n, np.inf), np.zeros(n, dtype=bool), [0] * 0
    closed = is_open.copy()
    g[0], is_open[0] = 0.0, True
    while is_open.any() and len(taken) < most:
        s = int(np.where(is_open, g + h, np.inf).argmin())
        is_open[s], closed[s] = False, True
        taken.append(s)
        better = (g[s] + C[s] < g) & (reopen | ~closed)
        g[better] = g[s] + C[s, better]
        is_open |= better
    return g, taken


# ---------------------------------------------------------------------- reading and comparing answers


def costs(value: Any, shape: tuple[int, ...], what: str) -> np.ndarray:
    """`value` as an array of `shape` whose entries are numbers, or infinite where there is no edge or no walk.

    Raises `Wrong` naming the first thing amiss. Source: this book.
    """
    try:
        array = np.asarray(value, dtype=float)
    except (TypeError, ValueError):
        array = np.asarray(numbers(value, shape, what))
    far = np.isposinf(array)
    return np.where(far, np.inf, numbers(np.where(far, 0.0, array), shape, what))


def small(value: Any, most: int, limit: float, what: str = "C") -> np.ndarray:
    """What an answer returned, as a graph (n, n) of at most `most` nodes and whole costs up to `limit` in size.

    Raises `Wrong` where it is none, a cycle is negative, or node 0 cannot reach the last one. Source: this book.
    """
    try:
        shape = np.shape(value)
    except ValueError:
        shape = ()
    square = len(shape) == 2 and shape[0] == shape[1] and 2 <= shape[0] <= most
    finding = f"a graph is an array (n, n); here with n from 2 to {most}. Its shape is {shape}."
    demand(square, finding, what=what)
    C = costs(value, shape, what)
    finite = C[np.isfinite(C)]
    whole = (finite == np.round(finite)).all() and (np.abs(finite) <= limit).all()
    demand(whole, f"whole numbers up to {limit:g} in size are needed, or np.inf.", what=what, got=C)
    between = distances(C)
    finding = "a cycle has negative cost: going round and round, no walk is the best."
    demand(between is not None, finding, what=what, expected="no cycle of negative cost", got=C)
    linked = between is not None and bool(np.isfinite(between[0, -1]))
    demand(linked, f"no walk leads from node 0 to node {len(C) - 1}.", what=what, got=C)
    return C


def compare(got: Any, want: np.ndarray, *, what: str, expected: str, slips: Mapping[str, Any], where: str = "") -> None:
    """As `rlgrade.check.close`, for a `want` of any shape that may be infinite in places.

    Raises `Wrong`. Source: this book.
    """
    value = costs(got, np.shape(want), what)
    wrong = np.argwhere(~np.isclose(value, want, atol=1e-8))
    if not len(wrong):
        return
    known = [text for text, slip in slips.items() if np.isclose(value, slip, atol=1e-8).all()]
    place = tuple(int(i) for i in wrong[0])
    side = "too large" if value[place] > want[place] else "too small"
    text = f"{len(wrong)} of {value.size} entries are wrong; the first, {what}{list(place)}, is {side}."
    demand(False, [*known, text][0], what=what, expected=expected, got=value, where=where)


def cycle_cost(C: np.ndarray, cycle: Any, what: str, where: str = "") -> float:
    """The cost of `cycle`, a list of nodes of C (n, n) in the order of travel, each once, the first not repeated.

    Raises `Wrong` where it is no such list, or an edge is missing. Source: this book.
    """
    length = len(cycle) if isinstance(cycle, (list, tuple, np.ndarray)) else 0
    demand(length > 0, "a list of one node or more is needed.", what=what, got=cycle, where=where)
    nodes = numbers(list(cycle), (length,), what, whole=True)
    inside = (nodes >= 0).all() and (nodes < len(C)).all()
    demand(inside, f"a node is not among 0..{len(C) - 1}.", what=what, got=cycle, where=where)
    once = len(set(nodes.tolist())) == length
    twice = "a node is listed twice: list each node of the cycle once, and do not repeat the first."
    demand(once, twice, what=what, got=cycle, where=where)
    steps = C[nodes, np.roll(nodes, -1)]
    back = np.isfinite(C[np.roll(nodes, -1), nodes]).all()
    s, t = nodes[np.argmax(~np.isfinite(steps))], np.roll(nodes, -1)[np.argmax(~np.isfinite(steps))]
    why = ", but all edges the other way round: turn the list." if back else ": nothing before the cycle belongs to it."
    finding = f"there is no edge from {s} to {t}" + why
    demand(np.isfinite(steps).all(), finding, what=what, got=cycle, where=where)
    return float(steps.sum())
