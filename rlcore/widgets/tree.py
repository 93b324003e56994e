"""A search tree that grows by UCT, one simulation after another."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from itertools import pairwise
from typing import Any

import numpy as np
import traitlets

from rlcore import _checks as checks
from rlcore._tree_figure import _places
from rlcore.planning import tree_search as ts
from rlcore.widgets._figure import Figure
from rlcore.widgets._tree_examples import Example, builtin, mountain, nim, of_game, of_process
from rlcore.widgets.grid import short

__all__ = ["Example", "TreeFigure", "mountain", "nim", "of_game", "of_process"]

WIDTH, HEIGHT = 720, 340  # of the still picture; the live one has the size of its box
LEFT, RIGHT, TOP, BOTTOM = 26, 60, 20, 20  # margins, as in tree_board.js
LARGE, LITTLE, LARGEST = 13.0, 1.6, 3.5  # radii of nodes, and of a diamond, as there
MOST = 3000  # simulations, as in tree_state.js
DRAWN = 200  # nodes, as in tree_board.js
UP, DOWN = "#0072b2", "#d55e00"  # above and below zero, as in figure.css
FAINTEST, FULLEST = 0.1, 0.7  # opacity of the value 0 and of the largest reward, as in tree_board.js


class TreeFigure(Figure):
    """UCT on small problems, step by step: the path, the new leaf, visits, means, and the exact values.

    `examples` maps names to what `of_process` or `of_game` return, by default three: "chance", a process; "game",
    one of Nim; and "trap", the chain that misleads UCT. `example` names the one that is shown first. `c` >= 0 is the
    weight of the bonus, `seed` in 0..2**32 - 1 the random numbers, `simulations` how many are made at the start, at
    most 3000; `alt` replaces the text that describes the still picture. In a notebook the trait `world`, a dict of
    example, c, seed and simulations, follows the reader, and `figure.tree` is the tree on the screen; setting it
    changes the screen.
    Raises ValueError for an unknown example, or a number that is not as said.
    Source: Kocsis and Szepesvari (2006), figure 1.
    """

    name = "tree"
    world = traitlets.Dict().tag(sync=True)
    examples = traitlets.Dict().tag(sync=True)

    def __init__(
        self,
        example: str | None = None,
        *,
        c: float = 1.0,
        seed: int = 0,
        simulations: int = 30,
        examples: Mapping[str, Example] | None = None,
        alt: str | None = None,
        **kwargs: Any,
    ) -> None:
        self._alt = alt
        self._examples = dict(builtin() if examples is None else examples)
        if not self._examples:
            raise ValueError("examples is empty: give at least one, as of_process or of_game makes it.")
        tables = {name: problem.table for name, problem in self._examples.items()}
        world = {"c": c, "seed": seed, "simulations": simulations}
        super().__init__(
            examples=tables, world={"example": next(iter(tables)) if example is None else example, **world}, **kwargs
        )

    @traitlets.validate("world")
    def _valid(self, proposal: dict[str, Any]) -> dict[str, Any]:
        """Refuse settings that no search has, or that are not drawn."""
        example, c, seed, simulations = (proposal["value"][k] for k in ("example", "c", "seed", "simulations"))
        if example not in self._examples:
            raise ValueError(f"There is no example {example!r}: choose among {', '.join(self._examples)}.")
        if not (checks.is_number(c) and 0 <= c < np.inf):
            raise ValueError(f"c = {c!r}: give a finite number of at least 0.")
        if not (checks.is_integer(seed) and 0 <= seed < 2**32):
            raise ValueError(f"seed = {seed!r}: give an integer in 0..2**32 - 1.")
        if not (checks.is_integer(simulations) and 0 <= simulations <= MOST):
            raise ValueError(f"simulations = {simulations!r}: give an integer in 0..{MOST}.")
        return {"example": example, "c": float(c), "seed": int(seed), "simulations": int(simulations)}

    @property
    def problem(self) -> Example:
        """The example that the figure shows, as it is now. Source: `examples`."""
        return self._examples[self.world["example"]]

    @property
    def tree(self) -> ts.Tree | None:
        """The tree that the figure shows, as it is now; None before the first simulation. Source: `ts.mcts`."""
        if not self.world["simulations"]:
            return None
        leaf = {} if self.problem.rollouts else {"evaluate": lambda s, rng: 0.0}
        settings = {"c": self.world["c"], "rng": self.world["seed"], "budget": self.world["simulations"], **leaf}
        return ts.mcts(self.problem.model, self.problem.start, **settings)

    @property
    def alt(self) -> str:
        """What the still picture shows, in words. Source: the tree and the exact values."""
        if self._alt is not None:
            return self._alt
        tree, problem, world = self.tree, self.problem, self.world
        if tree is None:
            return "A search tree before the first simulation: only its root."
        legal, names = np.flatnonzero(tree.legal[0]), problem.table["actions"]
        rows = ", ".join(
            f"{names[a]} {tree.action_visits[0, a]} visits and mean {short(tree.action_values[0, a])} (exact "
            f"{short(exact)})"
            for a, exact in zip(legal, problem.exact, strict=True)
        )
        return (
            f"A search tree after {world['simulations']} simulations of UCT with c = {world['c']:g} in the example "
            f"{world['example']}: {tree.N} nodes, larger where visited more often. At the root: {rows}. The most "
            f"visited action is {names[tree.best_action]}."
        )

    def still(self) -> str:
        """The tree at the start, in boxes as large as those of the live figure. Source: `tree`."""
        return (
            '<div class="rl-tree"><div class="rl-tools rl-space"></div>'
            f'<div class="rl-canvas">{self._picture()}</div>'
            '<p class="rl-legend rl-space"></p><p class="rl-status rl-space"></p>'
            '<div class="rl-controls rl-space"></div><div class="rl-inspect rl-space"></div>'
            '<div class="rl-code rl-space"></div></div>'
            "<noscript><style>.rl-figure .rl-space { display: none; }</style>"
            '<p class="rl-note">With JavaScript, this figure lets you watch the tree grow, simulation after '
            "simulation.</p></noscript>"
        )

    def _picture(self) -> str:
        tree = self.tree
        root = f'<circle cx="{WIDTH / 2}" cy="{TOP}" r="{LITTLE}" fill="none" stroke="currentColor"/>'
        parts = root if tree is None else _edges_and_nodes(tree, self.problem)
        return (
            f'<svg class="rl-growth" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(self.alt)}">'
            f"{parts}</svg>"
        )


def _edges_and_nodes(tree: ts.Tree, problem: Example) -> str:
    """As layoutTree and drawTree of tree_board.js draw it, without labels."""
    visits = tree.node_visits[: tree.N]
    shown = sorted(np.lexsort((np.arange(tree.N), -visits))[:DRAWN].tolist())
    x, depth = _places(tree, shown)
    leaves, levels = max(x.values()), max(1, *depth.values())
    across, down = (WIDTH - LEFT - RIGHT) / max(1, leaves), (HEIGHT - TOP - BOTTOM) / levels
    at = {k: (LEFT + across * x[k] if leaves else WIDTH / 2, TOP + down * depth[k]) for k in shown}
    gap = _gaps(at)
    radius = {k: max(LITTLE, min(LARGE * np.sqrt(visits[k] / visits[0]), 0.48 * gap[k], 0.4 * down)) for k in shown}
    joints = {k: joint for k in shown[1:] if (joint := _joint(tree, problem, k, at))}
    d, last = min(LARGEST, max(LITTLE, 0.2 * across)), set(tree.history[-1][0])
    lines = sorted((k in last, _line([at[int(tree.parent[k])], joints.get(k), at[k]], k in last)) for k in shown[1:])
    diamonds = (
        f'<path class="rl-joint" d="M{x:.1f} {y - d:.1f}l{d:g} {d:g}l-{d:g} {d:g}l-{d:g} -{d:g}z"/>'
        for x, y in joints.values()
    )
    nodes = (_node(tree, problem, k, at[k], radius[k]) for k in shown)
    return "".join([*(line for _, line in lines), *diamonds, *nodes])


def _gaps(at: dict[int, tuple[float, float]]) -> dict[int, float]:
    """How far the next node on the same level is from each."""
    gap = dict.fromkeys(at, np.inf)
    for j, k in pairwise(sorted(at, key=lambda k: (at[k][1], at[k][0]))):
        if at[j][1] == at[k][1]:
            gap[j], gap[k] = min(gap[j], at[k][0] - at[j][0]), at[k][0] - at[j][0]
    return gap


def _line(places: list[tuple[float, float] | None], on: bool) -> str:
    points = " ".join(f"{place[0]:.1f},{place[1]:.1f}" for place in places if place)
    stroke = (DOWN, 3, 1) if on else ("currentColor", 1, 0.35)
    return (
        f'<polyline class="rl-edge{" rl-on" * on}" points="{points}" fill="none" '
        'stroke="{}" stroke-width="{}" stroke-opacity="{}"/>'.format(*stroke)
    )


def _joint(tree: ts.Tree, problem: Example, k: int, at: dict) -> tuple[float, float] | None:
    """Where the lines to the outcomes of an action part, if it has several."""
    parent, action = int(tree.parent[k]), tree.action[k]
    if not problem.branches(tree, k):
        return None
    siblings = [at[j][0] for j in at if j and tree.parent[j] == parent and tree.action[j] == action]
    middle = (min(siblings) + max(siblings)) / 2
    return (at[parent][0] + 2 * middle) / 3, (at[k][1] + at[parent][1]) / 2


def _node(tree: ts.Tree, problem: Example, k: int, at: tuple[float, float], radius: float) -> str:
    value = problem.worth(tree, k)
    shade = FAINTEST + (FULLEST - FAINTEST) * min(1.0, abs(value) / max(1e-9, problem.largest))
    style = f'style="fill:{UP if value >= 0 else DOWN};fill-opacity:{shade:.3f}" stroke="currentColor"'
    if tree.terminal[k]:
        x, y, side = at[0] - radius, at[1] - radius, 2 * radius
        shape = f'rect x="{x:.1f}" y="{y:.1f}" width="{side:.1f}" height="{side:.1f}"'
    else:
        shape = f'circle cx="{at[0]:.1f}" cy="{at[1]:.1f}" r="{radius:.1f}"'
    return f'<{shape} class="rl-paper" fill="none"/><{shape} {style}/>'  # lines must not shine through
