"""Small problems whose search tree can be drawn, as tables that JavaScript can read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from rlcore.mdp import FiniteMDP
from rlcore.planning import discounted, episodic
from rlcore.planning.tree_search import GenerativeModel, Tree, generative, minimax, trap_chain


@dataclass(frozen=True, eq=False)
class Example:
    """A problem to search: `model` from state `start`, and `table`, the same for tree_model.js.

    `exact` (k,) are the true values of the start's legal actions. Where `rollouts` is False, a new leaf is worth 0.
    Source: `of_process` and `of_game`, which make them.
    """

    model: GenerativeModel
    start: Any
    table: dict[str, Any] = field(repr=False)

    @property
    def exact(self) -> np.ndarray:
        """The values of the start's legal actions. Source: backward induction."""
        return np.array(self.table["exact"])

    @property
    def largest(self) -> float:
        """The largest reward, in absolute value. Source: the table."""
        return self.table["largest"]

    def worth(self, tree: Tree, node: int) -> float:
        """The mean return through a node for whoever moved at its parent, and at the root for whoever moves there.

        Source: the backward step of the search.
        """
        if node == 0:
            return tree.root_value
        option = self._option_to(tree, node)
        discount = option["discounts"][option["support"].index(self._row_of(tree.state[node]))]
        return option["reward"] + self.model.sign * discount * float(tree.node_values[node])

    def branches(self, tree: Tree, node: int) -> bool:
        """Whether the action that led to a node might have led elsewhere. Source: the table."""
        return len(self._option_to(tree, node)["support"]) > 1

    def _option_to(self, tree: Tree, node: int) -> dict[str, Any]:
        row = self.table["rows"][self._row_of(tree.state[tree.parent[node]])]
        return next(option for option in row if option["action"] == tree.action[node])

    def _row_of(self, state: Any) -> int:
        return state if self.table["players"] == 1 else self.table["states"].index(str(state))

    @property
    def rollouts(self) -> bool:
        """Whether new leaves are evaluated by a random run. Source: the table."""
        return self.table["rollouts"]


def of_process(
    mdp: FiniteMDP, start: int, *, rollouts: bool = True, code: Sequence[str] = (), about: str = ""
) -> Example:
    """An example from a finite process. Raises ValueError for a start in a terminal state.

    Source: `tree_search.generative` for the model, policy iteration for the exact values.
    """
    model = generative(mdp)
    first = model.legal(start)
    q = mdp.q((episodic if mdp.gamma == 1 else discounted).policy_iteration(mdp).v)
    rows = [[] if mdp.terminal[s] else [_row(mdp, s, a) for a in model.legal(s)] for s in range(mdp.S)]
    names = [str(label) for label in (mdp.action_labels or range(mdp.A))]
    states = [str(label) for label in (mdp.labels or range(mdp.S))]
    exact = [float(q[start, a]) for a in first]
    return Example(model, start, _table(rows, 1, start, exact, names, states, rollouts, code, repr(start), about))


def of_game(
    model: GenerativeModel, start: Any, names: Sequence[str], *, code: Sequence[str] = (), about: str = ""
) -> Example:
    """An example from a game of two players without chance, its positions listed from `start`.

    Raises ValueError as `minimax` does. Source: Knuth and Moore (1975) for the exact values.
    """
    solved = minimax(model, start)
    index, todo, rows = {start: 0}, [start], list[list[dict]]()
    ended = set()
    for s in todo:  # grows while it is read
        rows.append([])
        for a in [] if s in ended else model.legal(s):
            s_next, r, discount = model(s, a, None)  # type: ignore[arg-type]
            if s_next not in index:
                index[s_next] = len(todo)
                todo.append(s_next)
            if discount == 0:
                ended.add(s_next)
            rows[-1].append(_option(a, r, [index[s_next]], [], [discount]))
    exact = [float(solved.q[a]) for a in model.legal(start)]
    states = [str(s) for s in todo]
    return Example(model, start, _table(rows, 2, 0, exact, names, states, True, code, repr(start), about))


def _row(mdp: FiniteMDP, s: int, a: int) -> dict[str, Any]:
    """As `generative` draws from it: the same levels, so that the same uniform number means the same state."""
    p = mdp.P[[a * mdp.S + s]]
    p = np.asarray(p if isinstance(p, np.ndarray) else p.todense()).ravel()
    (support,) = np.nonzero(p)
    discounts = np.where(mdp.terminal[support], 0.0, mdp.gamma)
    return _option(a, mdp.r[s, a], support.tolist(), np.cumsum(p[support])[:-1].tolist(), discounts.tolist())


def _option(a: int, r: float, support: list[int], levels: list[float], discounts: list[float]) -> dict[str, Any]:
    return {"action": int(a), "reward": float(r), "support": support, "levels": levels, "discounts": discounts}


def _table(rows, players, start, exact, actions, states, rollouts, code, root, about) -> dict[str, Any]:
    names = {"actions": list(actions), "states": states, "code": list(code), "root": root, "about": about}
    largest = max(abs(option["reward"]) for row in rows for option in row)
    return {
        "rows": rows,
        "players": players,
        "start": start,
        "exact": exact,
        "rollouts": rollouts,
        "largest": largest,
        **names,
    }


# ---------------------------------------------------------------- the three that are built in


def mountain() -> FiniteMDP:
    """From the camp to the top, by the hut or straight over the ridge: four places, and the end.

    Rewards depend on state and action only, so that what is paid on the way to a node is what is drawn there.
    Source: made up for the figure.
    """
    camp, hut, ridge, top, end = range(5)
    moves = [
        *((camp, 0, hut, 1.0, 0.0), (camp, 1, ridge, 0.6, 0.0), (camp, 1, camp, 0.4, 0.0)),
        *((hut, 0, end, 1.0, 0.5), (hut, 1, ridge, 0.4, 0.0), (hut, 1, camp, 0.6, 0.0)),
        *((ridge, 0, hut, 1.0, 0.0), (ridge, 1, top, 0.7, 0.0), (ridge, 1, camp, 0.3, 0.0)),
        (top, 0, end, 1.0, 1.0),
    ]
    s, a, s_next, p, r = map(np.array, zip(*moves, strict=True))
    return FiniteMDP.from_transitions(
        *(5, 2, s, a, s_next, p, r, 0.9),
        terminal=np.arange(5) == end,
        mu=np.arange(5) == camp,
        labels=("camp", "hut", "ridge", "top", "end"),
        action_labels=("safe", "bold"),
    )


def nim(most: int = 3) -> GenerativeModel:
    """One heap; players take 1 to `most` in turn, and whoever takes the last wins 1. States are what is left.

    Source: Bouton (1901), the simplest of such games; the losing heaps are the multiples of most + 1.
    """

    def step(heap, a, rng):
        left = heap - a - 1
        return left, float(left == 0), float(left > 0)

    return GenerativeModel(step, lambda heap: range(min(most, heap)), most, players=2, r_max=1.0, gamma=1.0)


HEAP, LENGTH = 7, 5


def builtin() -> dict[str, Example]:
    """The examples of the figure, by name. Source: `mountain`, `nim` and `tree_search.trap_chain`."""
    where = "from rlcore.widgets import tree"
    return {
        "chance": of_process(
            mountain(),
            0,
            code=(where, "model = ts.generative(tree.mountain())"),
            about="A process with chance. Safe leads from the camp to the hut, and pays 0.5 there. Bold may lead to "
            "the ridge and on to the top, which pays 1, or back to the camp. Each step discounts by 0.9.",
        ),
        "game": of_game(
            nim(),
            HEAP,
            ("take 1", "take 2", "take 3"),
            code=(where, "model = tree.nim()"),
            about=f"A game. From a heap of {HEAP}, two players take 1, 2 or 3 in turn; whoever takes the last one "
            "wins 1, and the other loses 1. Each number is for whoever took that action.",
        ),
        "trap": of_process(
            trap_chain(LENGTH),
            0,
            rollouts=False,
            code=(f"model = ts.generative(ts.trap_chain({LENGTH}))",),
            about=f"The trap. Leaving at once pays {(LENGTH - 1) / LENGTH:g}, each step later "
            f"{1 / LENGTH:g} less; staying all {LENGTH} times pays 1. New leaves count as 0.",
        ),
    }
