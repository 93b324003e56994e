"""Weighted directed graphs, and the deterministic processes and grids that they come from."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import fsum
from typing import Any

import numpy as np

from rlcore import _checks as checks
from rlcore.mdp import FiniteMDP

FREE = ".SG123456789"  # a digit is the cost of entering; the other characters cost 1
STEPS = {"up": (-1, 0), "right": (0, 1), "down": (1, 0), "left": (0, -1)}


@dataclass(frozen=True, eq=False)
class Path:
    """A walk through a graph: `nodes` (k+1,), the `edges` (k,) between them, and its `weight`, their sum.

    Source: Cormen et al. (2009), appendix B.4.
    """

    nodes: np.ndarray
    edges: np.ndarray
    weight: float


@dataclass(frozen=True, eq=False)
class Graph:
    """A directed graph whose edge i leads from `tail[i]` to `head[i]` and costs `weight[i]`.

    Parameters
    ----------
    n : int
        Number of nodes, which are 0, ..., n - 1.
    tail, head : (m,) integer arrays
    weight : (m,) array
        Costs, to be minimised, in the unit of the problem; any finite numbers. Parallel edges and loops are allowed.
    labels : sequence of length n, optional
        What to call the nodes in messages (a grid's `(row, column)`). Default: 0, 1, 2, ...
    action : (m,) integer array, optional
        The action that takes each edge. Default: the number of the edge among those of its tail.

    Raises ValueError naming the edge and its value: a node outside 0..n-1, a weight that is not finite, arrays of
    different lengths, labels that are not n different names.
    Source: Cormen, Leiserson, Rivest and Stein (2009), chapters 22 and 24.
    """

    n: int
    tail: np.ndarray
    head: np.ndarray
    weight: np.ndarray
    labels: Sequence[Hashable] = None  # type: ignore[assignment]
    action: np.ndarray = None  # type: ignore[assignment]

    def __post_init__(self) -> None:
        if not checks.is_integer(self.n) or self.n < 1:
            raise ValueError(f"n = {self.n!r}: give the number of nodes, an integer of at least 1.")
        weight = checks.real_array("weight", self.weight)
        tail, head = _nodes("tail", self.tail, self.n), _nodes("head", self.head, self.n)
        if not (weight.ndim == 1 and tail.shape == head.shape == weight.shape):
            raise ValueError(
                "tail, head and weight must be of one length, an entry for each edge; "
                f"got shapes {tail.shape}, {head.shape} and {weight.shape}."
            )
        bad = ~np.isfinite(weight)
        if bad.any():
            i = int(np.argmax(bad))
            raise ValueError(
                f"weight[{i}] = {weight[i]} on the edge from {tail[i]} to {head[i]}: weights must be finite. "
                "Leave out an edge that must not be used."
            )
        values: dict[str, Any] = {
            "n": int(self.n),
            "tail": tail,
            "head": head,
            "weight": weight,
            "labels": checks.names_of(self.labels, self.n, "labels"),
            "action": _numbers_among_siblings(tail) if self.action is None else _actions(self.action, len(tail)),
        }
        for name, value in values.items():
            object.__setattr__(self, name, value)
        for array in (tail, head, weight, self.action):
            array.setflags(write=False)

    # ------------------------------------------------------------------ constructors

    @classmethod
    def from_mdp(cls, mdp: FiniteMDP) -> Graph:
        """The graph of a deterministic process: an edge of weight -r(s, a) for each feasible action a in state s.

        Terminal states have no edges out. gamma plays no part. Edges come state by state, in the order of the
        actions. Raises ValueError naming the first pair whose next state is left to chance, as `successors` does.
        Source: Bertsekas (2017), section 2.1.
        """
        target = successors(mdp)
        tail, action = np.nonzero(target >= 0)
        return cls(mdp.S, tail, target[tail, action], -mdp.r[tail, action], labels=mdp.labels, action=action)

    @classmethod
    def from_grid(cls, layout: Sequence[str]) -> Graph:
        """A grid with walls: the cells that are no walls, in reading order, labelled `(row, column)`.

        `layout` holds rows of equal length of `#` (wall), `.`, `S`, `G` (free) and digits 1 to 9. Each cell has
        edges up, right, down and left (actions 0 to 3) to its free neighbours; entering a cell costs its digit, or 1.
        Raises ValueError for rows of unequal length, another character (it says where), or no free cell.
        Source: Hart, Nilsson and Raphael (1968), for searches of this kind.
        """
        rows = [layout] if isinstance(layout, str) else list(layout)
        if isinstance(layout, str) or not all(isinstance(row, str) for row in rows):
            raise ValueError(f"layout = {layout!r}: give a list of rows, each a string, such as ['S..', '.#G'].")
        if len({len(row) for row in rows}) > 1:
            raise ValueError(f"layout has rows of lengths {[len(row) for row in rows]}: make them equal, with '#'.")
        cells = {(i, j): c for i, row in enumerate(rows) for j, c in enumerate(row) if c != "#"}
        for (i, j), c in cells.items():
            if c not in FREE:
                raise ValueError(f"layout has {c!r} in row {i}, column {j}: use '#', '.', 'S', 'G' or a digit 1 to 9.")
        if not cells:
            raise ValueError("layout has no free cell: mark at least one with '.'.")
        index = {cell: u for u, cell in enumerate(cells)}
        moves = [
            (u, index[i + di, j + dj], int(c) if (c := cells[i + di, j + dj]).isdigit() else 1, a)
            for (i, j), u in index.items()
            for a, (di, dj) in enumerate(STEPS.values())
            if (i + di, j + dj) in index
        ]
        tail, head, weight, action = np.array(moves, dtype=int).reshape(-1, 4).T
        return cls(len(cells), tail, head, weight, labels=list(cells), action=action)

    # ------------------------------------------------------------------ what graphs are asked

    @property
    def m(self) -> int:
        """Number of edges."""
        return len(self.tail)

    @cached_property
    def out(self) -> list[list[int]]:
        """For each node, the edges that leave it, in their order."""
        lists: list[list[int]] = [[] for _ in range(self.n)]
        for edge, u in enumerate(self.tail.tolist()):
            lists[u].append(edge)
        return lists

    def node(self, label: Hashable) -> int:
        """The node of that label. Raises ValueError if there is none (on a grid: if the cell is a wall)."""
        if label not in self.labels:
            raise ValueError(
                f"No node is labelled {label!r}; labels run from {self.labels[0]!r} to {self.labels[-1]!r}."
            )
        return self.labels.index(label)

    def reversed(self) -> Graph:
        """The graph with every edge turned round, in the same order: distances to a node become distances from it."""
        return Graph(self.n, self.head, self.tail, self.weight, self.labels, self.action)

    def reweighted(self, potential) -> Graph:
        """The graph with weights w(u, v) + potential(v) - potential(u).

        Each path's weight changes by the potential (n,) of its last node less that of its first, so that best paths
        stay best. Raises ValueError for another shape, or entries that are not finite. Source: Johnson (1977).
        """
        h = checks.real_array("potential", potential)
        if h.shape != (self.n,) or not np.isfinite(h).all():
            raise ValueError(f"potential must be a finite number for each node, shape ({self.n},); got {h.shape}.")
        return Graph(self.n, self.tail, self.head, self.weight + h[self.head] - h[self.tail], self.labels, self.action)

    def path(self, edges: Sequence[int] | np.ndarray) -> Path:
        """The walk along these edges, at least one. Raises ValueError where one does not begin at the end of the last.

        Source: Cormen et al. (2009), appendix B.4."""
        e = np.asarray(edges)
        if e.ndim != 1 or not e.size or e.dtype.kind not in "iu" or e.min() < 0 or e.max() >= self.m:
            raise ValueError(f"edges must be one or more integers in 0..{self.m - 1}; got {edges!r}.")
        broken = self.head[e[:-1]] != self.tail[e[1:]]
        if broken.any():
            i = int(np.argmax(broken))
            raise ValueError(
                f"Edge {e[i]} ends in {self.labels[self.head[e[i]]]!r}, but edge {e[i + 1]} begins in "
                f"{self.labels[self.tail[e[i + 1]]]!r}: give edges that follow each other."
            )
        return Path(np.r_[self.tail[e[0]], self.head[e]], e.astype(int), fsum(self.weight[e]))

    def names(self, nodes) -> str:
        """Some nodes' labels, joined by arrows, for messages; long walks are cut short."""
        names = [str(self.labels[u]) for u in nodes]
        return " -> ".join(names if len(names) <= 12 else [*names[:6], f"... ({len(names) - 9} more)", *names[-3:]])


def successors(mdp: FiniteMDP) -> np.ndarray:
    """Where each action leads in a deterministic process: (S, A) integers, -1 if infeasible or the state is terminal.

    Raises ValueError naming the first state and action whose next state is left to chance.
    Source: Bertsekas (2017), section 2.1.
    """
    S, A = mdp.S, mdp.A
    rows, columns = mdp.P.nonzero()
    used = (mdp.feasible & ~mdp.terminal[:, None]).ravel()  # pair s*A + a
    count = np.bincount((rows % S) * A + rows // S, minlength=S * A)
    random = used & (count != 1)
    if random.any():
        s, a = divmod(int(np.argmax(random)), A)
        law = np.asarray(mdp.P[[a * S + s]] if isinstance(mdp.P, np.ndarray) else mdp.P[[a * S + s]].toarray()).ravel()
        ways = ", ".join(f"{mdp.labels[t]!r} with probability {law[t]:.4g}" for t in np.flatnonzero(law)[:3])
        raise ValueError(
            f"The process is not deterministic: in state {mdp.labels[s]!r}, action {mdp.action_labels[a]!r} leads to "
            f"{count[s * A + a]} states ({ways}). Take a process whose rows of P have a single 1."
        )
    target = np.full(S * A, -1)
    target[(rows % S) * A + rows // S] = columns
    return np.where(used, target, -1).reshape(S, A)


def _nodes(name: str, values, n: int) -> np.ndarray:
    array = np.array(values)
    if array.size and array.dtype.kind not in "iu":
        raise ValueError(f"{name} must hold integers in 0..{n - 1}; its entries are {array.dtype}.")
    outside = (array < 0) | (array >= n)
    if outside.any():
        i = int(np.argmax(outside))
        raise ValueError(f"{name}[{i}] = {array.flat[i]}: nodes are 0..{n - 1}.")
    return array.astype(int)


def _actions(values, m: int) -> np.ndarray:
    array = np.array(values)
    if array.shape != (m,) or (m and array.dtype.kind not in "iu"):
        raise ValueError(f"action must hold {m} integers, one for each edge; got {array.dtype} of shape {array.shape}.")
    return array.astype(int)


def _numbers_among_siblings(tail: np.ndarray) -> np.ndarray:
    number, seen = np.empty(len(tail), dtype=int), {}  # type: ignore[var-annotated]
    for edge, u in enumerate(tail.tolist()):
        number[edge] = seen[u] = seen.get(u, -1) + 1
    return number
