"""Shortest paths: Bellman-Ford, Dijkstra, A*. Public through `rlcore.planning.deterministic`."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rlcore import _checks as checks
from rlcore.planning._graphs import Graph, Path

EPS = float(np.finfo(float).eps)


@dataclass(frozen=True, eq=False)
class ShortestPaths:
    """Shortest paths from a source, or from the nearest of several.

    `distance` (n,), inf where there is no path; `edge` (n,), the last edge of a path that attains it, -1 at sources
    and where there is none; `order`, the nodes in the order in which they were expanded (Dijkstra, A*; empty for
    Bellman-Ford); `settled` (n,) bool, where the search is done: one that stops at its target leaves upper bounds at
    the other nodes; `history` (rounds+1, n), Bellman-Ford's distances after each round if asked for, else None.
    Source: Cormen et al. (2009), chapter 24.
    """

    graph: Graph
    distance: np.ndarray
    edge: np.ndarray
    order: np.ndarray
    settled: np.ndarray
    history: np.ndarray | None = None

    @property
    def predecessor(self) -> np.ndarray:
        """(n,) the node before each on its path, -1 at sources and where there is no path."""
        return np.where(self.edge >= 0, self.graph.tail[self.edge] if self.graph.m else -1, -1)

    def path(self, target: int) -> Path:
        """The path found to `target`. Raises ValueError if there is none, or if the search stopped before it."""
        u = node_of("target", target, self.graph.n)
        name = self.graph.labels[u]
        if not np.isfinite(self.distance[u]):
            raise ValueError(f"No path leads from the source to node {name!r}: its distance is inf.")
        if not self.settled[u]:
            raise ValueError(f"The search stopped before node {name!r}: search again with target={u}, or without one.")
        edges: list[int] = []
        while self.edge[u] >= 0:
            edges.append(int(self.edge[u]))
            u = int(self.graph.tail[edges[-1]])
        if not edges:
            return Path(np.array([u]), np.array([], dtype=int), 0.0)
        return self.graph.path(edges[::-1])


class NegativeCycle(ValueError):
    """Raised where distances have no minimum; `cycle` is a `Path` of negative weight that ends where it begins.

    Source: Cormen et al. (2009), section 24.1.
    """

    def __init__(self, graph: Graph, cycle: Path) -> None:
        self.graph, self.cycle = graph, cycle
        super().__init__(
            f"The cycle {graph.names(cycle.nodes)} can be reached and has the negative weight {cycle.weight:.6g}: "
            "going round it again makes every path through it shorter. Make the cycle cost something, or limit the "
            "number of edges (walks)."
        )

    def __reduce__(self):  # so that it survives the way between two processes
        return NegativeCycle, (self.graph, self.cycle)


def bellman_ford(graph: Graph, source: int | Sequence[int], *, record: bool = False) -> ShortestPaths:
    """Shortest paths by rounds: in round k every edge is tried on the distances after round k - 1.

    After k rounds the distances are those of the best paths of at most k edges. `source` is a node or several;
    `record` keeps the distances after each round. Gains smaller than the rounding of n additions do not count.
    Cost: O(n m). Raises `NegativeCycle`, a ValueError, if the sources can reach one, and ValueError for a source out
    of range. Source: Bellman (1958); Cormen et al. (2009), section 24.1.
    """
    distance, edge = start_at(graph, source)
    history = [distance]
    for _ in range(graph.n):
        candidate = distance[graph.tail] + graph.weight
        rounding = graph.n * EPS * (np.abs(distance[graph.tail]) + np.abs(graph.weight))
        better = np.flatnonzero(candidate + rounding < distance[graph.head])
        if not len(better):
            break
        distance = distance.copy()
        np.minimum.at(distance, graph.head[better], candidate[better])
        best = better[candidate[better] == distance[graph.head[better]]][::-1]  # reversed: the first edge wins
        edge[graph.head[best]] = best
        if record:
            history.append(distance)
    else:  # without a negative cycle, round n changes nothing
        raise NegativeCycle(graph, graph.path(_cycle_behind(graph, edge, int(graph.head[better[0]]))))
    none, kept = np.array([], dtype=int), np.array(history) if record else None
    return ShortestPaths(graph, distance, edge, none, np.isfinite(distance), kept)


def _cycle_behind(graph: Graph, edge: np.ndarray, node: int) -> list[int]:
    """The cycle that one comes to by going back from a node that improved in round n."""
    for _ in range(graph.n):
        node = int(graph.tail[edge[node]])
    cycle, u = [int(edge[node])], int(graph.tail[edge[node]])
    while u != node:
        cycle.append(int(edge[u]))
        u = int(graph.tail[edge[u]])
    return cycle[::-1]


def dijkstra(
    graph: Graph, source: int | Sequence[int], *, target: int | None = None, check: bool = True
) -> ShortestPaths:
    """Shortest paths by expanding, once each, the nearest node that has not been expanded.

    With a `target` the search stops when that is expanded. Ties go to the lowest node. check=False runs the same
    steps on negative edges, where the result may be wrong: for counter-examples. Cost: O((n + m) log m).
    Raises ValueError for a negative edge, naming it, or nodes out of range.
    Source: Dijkstra (1959); Cormen et al. (2009), section 24.3.
    """
    if check and (graph.weight < 0).any():
        i = int(np.argmax(graph.weight < 0))
        u, v = graph.labels[graph.tail[i]], graph.labels[graph.head[i]]
        raise ValueError(
            f"Edge {i}, from {u!r} to {v!r}, has the negative weight {graph.weight[i]:.6g}: Dijkstra's algorithm may "
            "then miss better paths. Use bellman_ford."
        )
    return _best_first(graph, source, np.zeros(graph.n), target, reopen=False)


def a_star(
    graph: Graph, source: int | Sequence[int], target: int, h, *, check: bool = True, reopen: bool = False
) -> ShortestPaths:
    """A shortest path to `target`, expanding the node where distance + h is least; h (n,) guesses the distance to go.

    The guess must be consistent, h(u) <= w(u, v) + h(v) on every edge, and 0 at the target; then each node is
    expanded at most once, negative edges do no harm, and h = inf says that the target cannot be reached.
    Ties go to the smaller h, then to the lowest node. check=False takes any h: the path found may then be too long.
    With reopen=True a node whose distance falls is expanded again (`order` repeats it), so that the path is right if h
    is admissible, never above the distance to go; on a negative cycle that would not end, and is refused.
    Raises ValueError for an inconsistent h, naming the edge, a shape other than (n,), NaN or -inf.
    Source: Hart, Nilsson and Raphael (1968).
    """
    h = checks.real_array("h", h)
    target = node_of("target", target, graph.n)
    if h.shape != (graph.n,) or not (h > -np.inf).all():
        raise ValueError(f"h must give a number (or inf) for each node, shape ({graph.n},); got shape {h.shape}.")
    if check:
        _check_consistent(graph, h, target)
    if reopen:
        bellman_ford(graph, source)
    return _best_first(graph, source, h, target, reopen)


def manhattan(graph: Graph, target: int) -> np.ndarray:
    """Rows plus columns between each cell (n,) and the target: consistent where a step to a neighbour costs at least 1.

    Raises ValueError if the labels are no cells `(row, column)`.
    Source: Russell and Norvig (2010), Artificial Intelligence, section 3.6.
    """
    try:
        cells = np.array(graph.labels, dtype=float).reshape(graph.n, 2)
    except (TypeError, ValueError):
        raise ValueError(f"Labels must be cells (row, column); got {graph.labels[0]!r}. Use Graph.from_grid.") from None
    return np.abs(cells - cells[node_of("target", target, graph.n)]).sum(axis=1)


def _check_consistent(graph: Graph, h: np.ndarray, target: int) -> None:
    if h[target] != 0:
        raise ValueError(f"h at the target {graph.labels[target]!r} is {h[target]:.6g}: it must be 0.")
    right = graph.weight + h[graph.head]
    scale = np.abs(np.where(np.isfinite(right), right, 0.0)) + np.abs(graph.weight)
    wrong = h[graph.tail] > right + 8 * EPS * scale
    if wrong.any():
        i = int(np.argmax(wrong))
        u, v = graph.labels[graph.tail[i]], graph.labels[graph.head[i]]
        raise ValueError(
            f"h is not consistent on edge {i}, from {u!r} to {v!r}: h = {h[graph.tail[i]]:.6g} is more than the weight "
            f"{graph.weight[i]:.6g} plus h = {h[graph.head[i]]:.6g}, so a node may be expanded too early. Lower h, or "
            "pass check=False to see what happens."
        )


def _best_first(graph: Graph, source, h: np.ndarray, target: int | None, reopen: bool) -> ShortestPaths:
    """Expand by distance + h. Dijkstra's algorithm is the case h = 0."""
    distance, edge = start_at(graph, source)
    goal = -1 if target is None else node_of("target", target, graph.n)
    order: list[int] = []
    done = np.zeros(graph.n, dtype=bool)
    heap = [(h[u], h[u], int(u)) for u in np.flatnonzero(distance == 0)]
    heapq.heapify(heap)
    while heap:
        f, _, u = heapq.heappop(heap)
        if done[u] or f == np.inf or f > distance[u] + h[u]:  # an older entry, or no way to the target
            continue
        done[u] = True
        order.append(u)
        if u == goal:
            break
        for e in graph.out[u]:
            v, d = int(graph.head[e]), distance[u] + graph.weight[e]
            if d < distance[v] and (reopen or not done[v]):
                distance[v], edge[v], done[v] = d, e, False
                heapq.heappush(heap, (d + h[v], h[v], v))
    return ShortestPaths(graph, distance, edge, np.array(order, dtype=int), done)


def start_at(graph: Graph, source) -> tuple[np.ndarray, np.ndarray]:
    sources = [node_of("source", s, graph.n) for s in (source if np.iterable(source) else [source])]
    if not sources:
        raise ValueError("source is empty: give a node, or a list of at least one.")
    distance = np.full(graph.n, np.inf)
    distance[sources] = 0.0
    return distance, np.full(graph.n, -1)


def node_of(name: str, value, n: int) -> int:
    if not checks.is_integer(value) or not 0 <= value < n:
        raise ValueError(f"{name} = {value!r}: give a node (a state), an integer in 0..{n - 1}.")
    return int(value)
