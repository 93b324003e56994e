"""Two searches on a grid with walls, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

import numpy as np
import traitlets

from rlcore._checks import is_number
from rlcore.planning.deterministic import Graph, ShortestPaths, a_star, dijkstra, manhattan
from rlcore.widgets._figure import Figure

SIZE = 32  # side of a cell, as in search_board.js
WEAKEST, STRONGEST = 0.12, 0.6  # opacity of the first and the last expansion, as in search_board.js
EXPANDED, PATH = "#0072b2", "#d55e00"  # as in figure.css
TRIM = 0.4  # of the first and the last step of a path is not drawn, as in search_board.js
LARGEST = 40  # rows or columns: smaller cells could not be painted

LEGEND = "Blue: expanded, the later the stronger. Dashed: waiting. A digit: mud, costs that much to enter."

MUDDY = (
    ".............",
    "......55.....",
    "......55.....",
    "......55.##..",
    ".S....55..#..",
    "......55..#G.",
    "......55..#..",
    "...########..",
    ".............",
)


class SearchFigure(Figure):
    """Dijkstra's algorithm and A* on a grid that the reader paints, with a slider for the weight of the guess.

    `layout` is one of `Graph.from_grid` with exactly one S and one G and at most 40 rows and columns; `weight` >= 0
    multiplies the Manhattan distance, so that 0 is no guess, 1 is consistent, and more may not be: A* then expands
    cells again where their distance falls; `alt` replaces the text that describes the still picture. In a notebook
    the trait `world`, a dict of layout and weight, follows the reader, so that `figure.graph` and `figure.searches`
    are what the screen shows; setting it changes the screen. Raises ValueError as `Graph.from_grid` does, for a
    missing or second S or G, for a larger grid, and for a weight that is no finite number of at least 0.
    Source: Dijkstra (1959); Hart, Nilsson and Raphael (1968); Pohl (1970).
    """

    name = "search"
    world = traitlets.Dict().tag(sync=True)

    def __init__(
        self, layout: Sequence[str] = MUDDY, *, weight: float = 1.0, alt: str | None = None, **kwargs: Any
    ) -> None:
        self._alt = alt
        super().__init__(world={"layout": layout, "weight": weight}, **kwargs)

    @traitlets.validate("world")
    def _valid(self, proposal: dict[str, Any]) -> dict[str, Any]:
        """Refuse what the searches refuse, and grids without a start and a goal."""
        layout, weight = proposal["value"]["layout"], proposal["value"]["weight"]
        Graph.from_grid(layout)
        if max(len(layout), len(layout[0])) > LARGEST:
            raise ValueError(
                f"layout has {len(layout)} rows and {len(layout[0])} columns: give at most {LARGEST} of each, "
                "or the cells are too small to paint."
            )
        for char, what in (("S", "start"), ("G", "goal")):
            count = "".join(layout).count(char)
            if count != 1:
                raise ValueError(f"layout has {count} cells {char!r}: mark exactly one cell as the {what}.")
        if not is_number(weight) or not 0 <= weight < np.inf:
            raise ValueError(f"weight = {weight!r}: give a finite number of at least 0.")
        return {"layout": list(layout), "weight": float(weight)}

    @property
    def graph(self) -> Graph:
        """The grid that the figure shows, as it is now. Source: `Graph.from_grid`."""
        return Graph.from_grid(self.world["layout"])

    @property
    def start(self) -> int:
        """The node of the start. Source: the S of the layout."""
        return self._node("S")

    @property
    def goal(self) -> int:
        """The node of the goal. Source: the G of the layout."""
        return self._node("G")

    @property
    def searches(self) -> dict[str, ShortestPaths]:
        """What both searches find, as the figure shows it at the end. Source: Hart, Nilsson and Raphael (1968)."""
        graph, start, goal = self.graph, self.start, self.goal
        h = self.world["weight"] * manhattan(graph, goal)
        return {
            "Dijkstra": dijkstra(graph, start, target=goal),
            "A*": a_star(graph, start, goal, h, check=False, reopen=True),
        }

    @property
    def alt(self) -> str:
        """What the still picture shows, in words. Source: the two searches."""
        if self._alt is not None:
            return self._alt
        layout, searches = self.world["layout"], self.searches
        found = "; ".join(f"{name}: {_counts(search, self.goal)}" for name, search in searches.items())
        return (
            f"The same grid of {len(layout)} rows and {len(layout[0])} columns twice, with walls, a start S and a "
            f"goal G. Cells are the stronger in colour, the later a search expanded them. {found}. The guess of A* is "
            f"{self.world['weight']:g} times the Manhattan distance."
        )

    def _node(self, char: str) -> int:
        layout = self.world["layout"]
        return self.graph.node(next((i, row.index(char)) for i, row in enumerate(layout) if char in row))

    def still(self) -> str:
        """Both searches at their end, in boxes as large as those of the live figure. Source: `searches`."""
        searches = self.searches
        steps = max(len(search.order) for search in searches.values())
        sides = (
            f'<div><p class="rl-counts"><b>{name}</b><span>{_counts(search, self.goal)}</span></p>'
            f"{self._picture(search, steps)}</div>"
            for name, search in searches.items()
        )
        return (
            '<div class="rl-search"><div class="rl-tools rl-space"></div>'
            f'<div class="rl-pair" role="img" aria-label="{escape(self.alt)}">{"".join(sides)}</div>'
            f'<p class="rl-legend">{LEGEND}</p>'
            '<p class="rl-status rl-space"></p><div class="rl-controls rl-space"></div>'
            '<div class="rl-inspect rl-space"></div><div class="rl-code rl-space"></div></div>'
            "<noscript><style>.rl-figure .rl-space { display: none; }</style>"
            '<p class="rl-note">With JavaScript, this figure lets you paint walls, move the start and the goal, and '
            "watch both searches expand cell after cell.</p></noscript>"
        )

    def _picture(self, search: ShortestPaths, steps: int) -> str:
        layout, labels = self.world["layout"], search.graph.labels
        rank = {labels[u]: k for k, u in enumerate(search.order.tolist(), 1)}
        waiting = {labels[u] for u in _waiting(search).tolist()}
        cells = "".join(
            f'<g transform="translate({j * SIZE} {i * SIZE})">'
            + _cell(char, rank.get((i, j), 0) / steps, (i, j) in waiting)
            + "</g>"
            for i, row in enumerate(layout)
            for j, char in enumerate(row)
        )
        rows, columns = len(layout), len(layout[0])
        return (
            f'<svg class="rl-board" viewBox="0 0 {columns * SIZE} {rows * SIZE}" aria-hidden="true" '
            f'style="max-width:{columns * SIZE}px">{cells}{self._line(search)}</svg>'
        )

    def _line(self, search: ShortestPaths) -> str:
        if not search.settled[self.goal]:
            return ""
        cells = [search.graph.labels[u] for u in search.path(self.goal).nodes.tolist()]
        places = (np.array(cells)[:, ::-1] + 0.5) * SIZE
        ends = places[[0, -1]] + TRIM * (places[[1, -2]] - places[[0, -1]])  # the letters stay legible
        points = " ".join(f"{x:g},{y:g}" for x, y in [ends[0], *places[1:-1], ends[1]])
        return f'<polyline class="rl-path" points="{points}" fill="none" stroke="{PATH}" stroke-width="4"/>'


def _waiting(search: ShortestPaths) -> np.ndarray:
    return np.flatnonzero(np.isfinite(search.distance) & ~search.settled)


def _counts(search: ShortestPaths, goal: int) -> str:
    """As createSide of search.js writes it."""
    end = f"cost {search.distance[goal]:g}" if search.settled[goal] else "no path"
    return f"{len(search.order)} expanded, {len(_waiting(search))} waiting, {end}"


def _cell(char: str, age: float, waits: bool) -> str:
    """The inside of a cell; age in (0, 1] tells when it was expanded, 0 that it was not."""
    wall = char == "#"
    colour, opacity = (
        ("currentColor", 0.42) if wall else (EXPANDED, (WEAKEST + (STRONGEST - WEAKEST) * age) * (age > 0))
    )
    face = (
        f'<rect width="{SIZE}" height="{SIZE}" style="fill:{colour};fill-opacity:{opacity:.3f}" '
        'stroke="currentColor" stroke-opacity="0.22"/>'
    )
    ring = f'<rect class="rl-waits" x="3.5" y="3.5" width="{SIZE - 7}" height="{SIZE - 7}" rx="2" fill="none"/>'
    kind = {"S": "rl-end", "G": "rl-end"}.get(char, "rl-mud" if char in "23456789" else "")
    letter = f'<text class="{kind}" x="{SIZE // 2}" y="21.5" text-anchor="middle" fill="currentColor">{char}</text>'
    return face + (ring if waits else "") + (letter if kind else "")
