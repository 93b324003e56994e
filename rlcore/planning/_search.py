"""The four steps of a Monte Carlo tree search: select, simulate, expand, backward. Public through `tree_search`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from rlcore.planning._generative import GenerativeModel, State, count, nonnegative
from rlcore.planning._tree import RULES, Tree

Leaf = Callable[[State, np.random.Generator], float]
Transition = tuple[int, int, float, float]  # node, action, reward, discount


@dataclass(eq=False)
class Search:
    """The settings of a search, as `tree_search.mcts` explains them, checked."""

    model: GenerativeModel
    evaluate: Leaf
    c: float
    rule: str
    prior: Callable[[State], np.ndarray] | None
    max_depth: int | None
    rng: np.random.Generator

    def __post_init__(self) -> None:
        nonnegative("c", self.c)
        if self.rule not in RULES:
            raise ValueError(f"rule must be one of {sorted(RULES)}; got {self.rule!r}.")
        if self.prior is not None and self.rule != "puct":
            raise ValueError(f'Only rule="puct" looks at a prior; with {self.rule!r} leave it out.')
        if self.max_depth is not None:
            count("max_depth", self.max_depth)

    def root(self, state: State) -> Tree:
        """A tree that has a root and nothing else."""
        tree = Tree(self.model.A)
        self.expand(tree, state, -1, -1, ended=False)
        return tree

    def step(self, tree: Tree) -> None:
        """One simulation."""
        path, leaf, new = self.simulate(tree)
        if new is not None:
            node, a, _, discount = path[-1]
            leaf = self.expand(tree, new, node, a, ended=discount == 0)
        value = 0.0 if tree.terminal[leaf] else float(self.evaluate(tree.state[leaf], self.rng))
        if not -np.inf < value < np.inf:
            raise ValueError(f"evaluate returns {value} in state {tree.state[leaf]!r}: give a finite value.")
        self.backward(tree, path, leaf, value)

    def simulate(self, tree: Tree) -> tuple[list[Transition], int, State | None]:
        """From the root to an end, to the greatest depth, or out of the tree: transitions, last node, new state."""
        node, path = 0, list[Transition]()
        while not tree.terminal[node] and (self.max_depth is None or len(path) < self.max_depth):
            a = self.select(tree, node)
            s_next, r, discount = self.model(tree.state[node], a, self.rng)
            path.append((node, a, r, discount))
            child = tree.children.get((node, a, s_next))
            if child is None:
                return path, node, s_next
            if tree.terminal[child] != (discount == 0):
                raise ValueError(
                    f"The model enters state {s_next!r} with discount 0 at one time and not at another: "
                    "let the state say whether the process has ended."
                )
            node = child
        return path, node, None

    def select(self, tree: Tree, node: int) -> int:
        """The action of the largest score, a random one of several; untried ones come first, except in PUCT."""
        options = tree.options[node]
        n, q = tree.action_visits[node, options], tree.action_values[node, options]
        visits = n.tolist()  # for few actions, lists are faster than reductions of arrays
        if self.rule == "puct":  # an untried action is taken to be worth what its node is
            q = np.where(n > 0, q, tree.node_values[node])
        elif 0 in visits:
            return self.any_of(options[n == 0])
        scores = RULES[self.rule](q, n, max(1, sum(visits)), tree.prior[node, options], self.c)
        return self.any_of(options[scores == scores[scores.argmax()]])

    def any_of(self, options: np.ndarray) -> int:
        return int(options[0] if len(options) == 1 else options[int(self.rng.random() * len(options))])

    def expand(self, tree: Tree, s: State, parent: int, action: int, *, ended: bool) -> int:
        """Add a node for a new state, with the prior of its actions."""
        prior, legal = np.zeros(tree.A), [] if ended else self.model.legal(s)
        if legal and self.prior is None:
            prior[legal] = 1 / len(legal)
        elif legal and self.prior is not None:
            prior = np.asarray(self.prior(s), dtype=float)
            if prior.shape != (tree.A,) or not (prior >= 0).all() or abs(prior[legal].sum() - 1) > 1e-9:
                raise ValueError(
                    f"The prior in state {s!r} is {prior}: give {tree.A} probabilities that sum to 1 over {legal}."
                )
        return tree.add(s, parent, action, legal, prior)

    def backward(self, tree: Tree, path: list[Transition], leaf: int, value: float) -> None:
        """Add to the means of each node on the path, and of its action, the return from there."""
        tree.record(leaf, value)
        for node, a, r, discount in reversed(path):
            value = r + self.model.sign * discount * value
            tree.record(node, value)
            tree.record(node, value, a)
        tree.history.append(((*(node for node, *_ in path), leaf), value))
