"""Deterministic decision processes: plans, shortest paths, and the best cycle.

If nothing is left to chance, a process is a graph: states are nodes, and a feasible action is an edge whose weight
is its cost, -r(s, a). What is best over a finite horizon is found by `rlcore.planning.finite_horizon`, and `open_loop`
reads the list of actions off; what is best until a goal is reached is a shortest path; and the best average reward
per step is attained by going round a cycle.

Weights are costs, and smaller is better. Edges that are not there are left out, and a node that cannot be reached is
at distance inf.

Sources: Bellman (1958); Dijkstra (1959); Hart, Nilsson and Raphael (1968); Karp (1978).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import fsum

import numpy as np

from rlcore import _checks as checks
from rlcore.mdp import FiniteMDP
from rlcore.planning._graphs import Graph, Path, successors
from rlcore.planning._shortest import (
    NegativeCycle,
    ShortestPaths,
    a_star,
    bellman_ford,
    dijkstra,
    manhattan,
    node_of,
    start_at,
)

__all__ = [
    "CycleMean",
    "Graph",
    "NegativeCycle",
    "OpenLoop",
    "Path",
    "ShortestPaths",
    "Walks",
    "a_star",
    "bellman_ford",
    "dijkstra",
    "follow",
    "karp",
    "manhattan",
    "open_loop",
    "successors",
    "walks",
]

# ---------------------------------------------------------------------- finitely many steps


@dataclass(frozen=True, eq=False)
class OpenLoop:
    """What a list of actions does: `states` (k+1,), `actions` (k,), `rewards` (k,) and the discounted `total`.

    k is the number of steps made, fewer than asked for where a terminal state ends the process.
    Source: Bertsekas (2017), chapter 1.
    """

    states: np.ndarray
    actions: np.ndarray
    rewards: np.ndarray
    total: float


def open_loop(mdp: FiniteMDP, pi: np.ndarray, start: int) -> OpenLoop:
    """The list of actions that a Markov policy, (H, S) actions, takes from the state `start`: a plan without looking.

    Raises ValueError for a process that is not deterministic, a start out of range, or an action that is not feasible
    where it is taken. Source: Bertsekas (2017), chapter 1.
    """
    pi = np.asarray(pi)
    if pi.ndim != 2 or pi.shape[1] != mdp.S or pi.dtype.kind not in "iu":
        raise ValueError(
            f"pi must hold integer actions of shape (H, {mdp.S}); got {pi.dtype} of shape {pi.shape}. "
            "Take the pi of a Plan of rlcore.planning.finite_horizon."
        )
    return _steps(mdp, start, len(pi), lambda t, s: int(pi[t, s]))


def follow(mdp: FiniteMDP, actions: Sequence[int] | np.ndarray, start: int) -> OpenLoop:
    """What happens, from the state `start`, if these actions (k,) are taken one after the other.

    Raises ValueError as `open_loop` does. Source: Bertsekas (2017), chapter 1.
    """
    actions = np.asarray(actions)
    if actions.ndim != 1 or (actions.size and actions.dtype.kind not in "iu"):
        raise ValueError(f"actions must be a list of integers; got {actions.dtype} of shape {actions.shape}.")
    return _steps(mdp, start, len(actions), lambda t, s: int(actions[t]))


def _steps(mdp: FiniteMDP, start: int, horizon: int, choose) -> OpenLoop:
    target, s = successors(mdp), node_of("start", start, mdp.S)
    states, actions, rewards, total = [s], [], [], 0.0
    for t in range(horizon):
        if mdp.terminal[s]:
            break
        a = choose(t, s)
        if not 0 <= a < mdp.A or target[s, a] < 0:
            raise ValueError(
                f"Step {t} takes action {a} in state {mdp.labels[s]!r}, where it is not feasible; "
                f"feasible are {np.flatnonzero(target[s] >= 0).tolist()}."
            )
        total += mdp.gamma**t * mdp.r[s, a]
        actions.append(a)
        rewards.append(mdp.r[s, a])
        s = int(target[s, a])
        states.append(s)
    return OpenLoop(np.array(states), np.array(actions, dtype=int), np.array(rewards), float(total))


# ---------------------------------------------------------------------- walks and cycles


@dataclass(frozen=True, eq=False)
class Walks:
    """Best walks of each length: `distance` (k+1, n), of exactly j edges; `edge` (k+1, n), their last edges, or -1.

    Source: Karp (1978).
    """

    graph: Graph
    distance: np.ndarray
    edge: np.ndarray

    def walk(self, length: int, node: int) -> Path:
        """A best walk of exactly `length` >= 1 edges to `node`. Raises ValueError if there is none, or no such node."""
        node = node_of("node", node, self.graph.n)
        if not checks.is_integer(length) or not 1 <= length < len(self.distance):
            raise ValueError(f"length = {length}: walks of 1 to {len(self.distance) - 1} edges are known.")
        if not np.isfinite(self.distance[length, node]):
            raise ValueError(f"No walk of {length} edges leads to node {self.graph.labels[node]!r}.")
        edges = []
        for j in range(length, 0, -1):
            edges.append(int(self.edge[j, node]))
            node = int(self.graph.tail[edges[-1]])
        return self.graph.path(edges[::-1])


def walks(graph: Graph, source: int | Sequence[int], length: int) -> Walks:
    """The best walks from the source (or any of several) of exactly 0, 1, ..., `length` edges, cycles and all.

    Cost: O(m length). Raises ValueError for a negative length or a source out of range.
    Source: Bellman (1958); Karp (1978).
    """
    if not checks.is_integer(length) or length < 0:
        raise ValueError(f"length = {length!r}: give a number of edges, an integer of at least 0.")
    distance, edge = np.full((length + 1, graph.n), np.inf), np.full((length + 1, graph.n), -1)
    distance[0] = start_at(graph, source)[0]
    for j in range(1, length + 1):
        candidate = distance[j - 1, graph.tail] + graph.weight
        np.minimum.at(distance[j], graph.head, candidate)
        best = np.flatnonzero((candidate == distance[j, graph.head]) & np.isfinite(candidate))[::-1]
        edge[j, graph.head[best]] = best
    return Walks(graph, distance, edge)


@dataclass(frozen=True, eq=False)
class CycleMean:
    """The least mean weight of an edge on a cycle, `mean`, and a simple `cycle` that has it.

    Source: Karp (1978).
    """

    mean: float
    cycle: Path


def karp(graph: Graph, source: int | Sequence[int] | None = None) -> CycleMean:
    """The minimum cycle mean among the cycles that can be reached from the source, or of the whole graph.

    In the unit of the weights, per edge. Cost: O(n m) time and O(n^2) memory. Raises ValueError if there is no cycle,
    or for a source out of range. Source: Karp (1978).
    """
    if source is None:
        reached = np.arange(graph.n)
    else:
        free = Graph(graph.n, graph.tail, graph.head, np.zeros(graph.m))
        reached = np.flatnonzero(np.isfinite(bellman_ford(free, source).distance))
    table, n = walks(graph, reached.tolist(), len(reached)), len(reached)
    with np.errstate(invalid="ignore"):  # inf - inf, where there is no walk of n edges
        means = (table.distance[n] - table.distance[:n]) / (n - np.arange(n))[:, None]
    largest = np.where(np.isfinite(table.distance[n]), np.where(np.isnan(means), -np.inf, means).max(axis=0), np.inf)
    end = int(np.argmin(largest))
    if largest[end] == np.inf:
        where = "The graph has" if source is None else f"From the source {source!r} one can reach"
        raise ValueError(f"{where} no cycle, so there is no cycle mean: every walk ends after at most {n - 1} edges.")
    cycle = min(_cycles_of(graph, table.walk(n, end)), key=lambda c: c.weight / len(c.edges))
    return CycleMean(fsum(graph.weight[cycle.edges]) / len(cycle.edges), cycle)


def _cycles_of(graph: Graph, walk: Path) -> list[Path]:
    """The simple cycles that fall off a walk, as it is followed, whenever it comes back to a node."""
    cycles, nodes, edges = [], [int(walk.nodes[0])], []
    for e, u in zip(walk.edges.tolist(), walk.nodes[1:].tolist(), strict=True):
        edges.append(e)
        if u in nodes:
            i = nodes.index(u)
            cycles.append(graph.path(edges[i:]))
            nodes, edges = nodes[:i], edges[:i]
        nodes.append(u)
    return cycles
