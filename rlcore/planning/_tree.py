"""The tree of a Monte Carlo tree search, and the scores by which it grows. Public through `tree_search`.

The tree is a struct of arrays: one row a node, and rows are added by doubling. Node 0 is the root. A node is a path
of actions and sampled next states, not a state: the same state reached by two paths is two nodes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from math import log, sqrt

import numpy as np

from rlcore.planning._generative import State

Rule = Callable[[np.ndarray, np.ndarray, int, np.ndarray, float], np.ndarray]


def uct_scores(q: np.ndarray, n: np.ndarray, total: int, prior: np.ndarray, c: float) -> np.ndarray:
    """UCB1 at a node: q + c * sqrt(log(total) / n). All arrays (k,), over the legal actions, n >= 1.

    Source: Auer, Cesa-Bianchi and Fischer (2002), figure 1; Kocsis and Szepesvari (2006), section 2.2.
    """
    return q + c * np.sqrt(log(total) / n)


def polynomial_scores(q: np.ndarray, n: np.ndarray, total: int, prior: np.ndarray, c: float) -> np.ndarray:
    """A bonus that grows like a power of the visits, not their logarithm: q + c * total**(1/4) / sqrt(n).

    All arrays (k,), as in `uct_scores`. Source: Shah, Xie and Xu (2020).
    """
    return q + c * total**0.25 / np.sqrt(n)


def puct_scores(q: np.ndarray, n: np.ndarray, total: int, prior: np.ndarray, c: float) -> np.ndarray:
    """A bonus in proportion to a prior probability: q + c * prior * sqrt(total) / (1 + n). Here n may be 0.

    All arrays (k,), as in `uct_scores`. Source: Silver et al. (2017), Methods, "Select"; after Rosin (2011).
    """
    return q + c * prior * sqrt(total) / (1 + n)


RULES: dict[str, Rule] = {"uct": uct_scores, "polynomial": polynomial_scores, "puct": puct_scores}


@dataclass(eq=False)
class Tree:
    """What `mcts` knows. N nodes, A actions; values are the mover's, in the unit of the rewards.

    Over nodes: `state` (list of N), `parent` and `action` (N,), how it was reached (-1 for the root), `terminal`
    (N,), `born` (N,), the simulation that added it (0 for the root), `node_visits` (N,) and `node_values` (N,),
    the mean return from it. Over the actions of a node (N, A): `legal`, `prior`, `action_visits` and
    `action_values`, the mean return of taking it (0 where never taken). `children` maps (node, action, next state) to
    a node. `history` has a tuple for each simulation: the nodes on its path, and the return from the root.
    Arrays have spare rows: look at the first `N`. Source of the layout: mctx (DeepMind, 2022), class Tree.
    """

    A: int
    N: int = 0
    state: list[State] = field(default_factory=list)
    children: dict[tuple[int, int, State], int] = field(default_factory=dict)
    history: list[tuple[tuple[int, ...], float]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.parent, self.action, self.born = (np.zeros(16, dtype=int) for _ in range(3))
        self.terminal = np.zeros(16, dtype=bool)
        self.node_visits, self.node_values = np.zeros(16, dtype=int), np.zeros(16)
        self.legal, self.prior = np.zeros((16, self.A), dtype=bool), np.zeros((16, self.A))
        self.action_visits, self.action_values = np.zeros((16, self.A), dtype=int), np.zeros((16, self.A))
        self.options: list[np.ndarray] = []  # legal actions, ready for indexing

    @property
    def root_value(self) -> float:
        """The mean return over all simulations, those that explored included."""
        return float(self.node_values[0])

    @property
    def best_action(self) -> int:
        """The root's most visited action; among equals, the one of larger mean."""
        visits, q = self.action_visits[0], np.where(self.legal[0], self.action_values[0], -np.inf)
        return int(np.where(visits == visits.max(), q, -np.inf).argmax())

    @property
    def best_value(self) -> float:
        """The mean return of the root's most visited action."""
        return float(self.action_values[0, self.best_action])

    def add(self, s: State, parent: int, action: int, legal: list[int], prior: np.ndarray) -> int:
        """Add a node without visits; without legal actions it is terminal. Returns its index."""
        node = self.N
        if node == len(self.parent):
            for name, array in vars(self).items():
                if isinstance(array, np.ndarray):
                    setattr(self, name, np.concatenate([array, np.zeros_like(array)]))
        self.parent[node], self.action[node], self.born[node] = parent, action, len(self.history) + (parent >= 0)
        self.terminal[node], self.legal[node, legal], self.prior[node] = not legal, True, prior
        self.state.append(s)
        self.options.append(np.array(legal, dtype=int))
        self.children[parent, action, s] = node
        self.N += 1
        return node

    def record(self, node: int, value: float, action: int | None = None) -> None:
        """Add one return to the mean of a node, or of an action there."""
        i: int | tuple[int, int] = node if action is None else (node, action)
        visits, values = (
            (self.node_visits, self.node_values) if action is None else (self.action_visits, self.action_values)
        )
        visits[i] += 1
        values[i] += (value - values[i]) / visits[i]
