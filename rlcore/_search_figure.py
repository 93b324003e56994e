"""A search on a grid as a picture. Public through `rlcore.plot`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from rlcore._grid_figure import SEQUENTIAL, WALL
from rlcore._style import BACKGROUND, COLORS, FOREGROUND, ink, new_axes

if TYPE_CHECKING:
    from rlcore.planning.deterministic import ShortestPaths


def search(
    result: ShortestPaths, target: int | None = None, ax: Axes | None = None, *, source: int | None = None, title=""
) -> Axes:
    """Draw which cells of a grid a search expanded: the later, the darker; walls in grey, others left empty.

    `result` comes from `dijkstra` or `a_star` on a graph whose labels are cells `(row, column)`. With a `target` its
    path is drawn as a line from S to G; `source` puts the S where no path is drawn. Raises ValueError for other
    labels, or where no path leads to the target. Source: Hart, Nilsson and Raphael (1968), for the search.
    """
    graph = result.graph
    try:
        cells = np.array(graph.labels, dtype=int).reshape(graph.n, 2)
    except (TypeError, ValueError):
        raise ValueError(f"Labels must be cells (row, column); got {graph.labels[0]!r}. Use Graph.from_grid.") from None
    rows, columns = cells.max(axis=0) + 1
    ax = new_axes(ax, figsize=(0.3 * columns + 0.3, 0.3 * rows + 0.5))
    rank = dict(zip(result.order.tolist(), np.linspace(0.15, 1, len(result.order)), strict=True))
    face = {tuple(cell): SEQUENTIAL(rank[u]) if u in rank else BACKGROUND for u, cell in enumerate(cells.tolist())}
    for row, column in np.ndindex(rows, columns):
        colour = face.get((row, column), WALL)
        ax.add_patch(Rectangle((column - 0.5, row - 0.5), 1, 1, facecolor=colour, edgecolor=FOREGROUND, linewidth=0.4))
    letters = {} if source is None else {source: "S"}
    if target is not None:
        nodes = result.path(target).nodes
        ax.plot(cells[nodes, 1], cells[nodes, 0], color=COLORS[1], linestyle="-", linewidth=2.5, zorder=3)
        letters |= {int(nodes[0]): "S", target: "G"}
    for u, letter in letters.items():
        row, column = cells[u]
        colour = FOREGROUND if face[row, column] == BACKGROUND else ink(face[row, column])
        ax.text(column, row, letter, ha="center", va="center", weight="bold", color=colour, size=9, zorder=4)
    ax.set(xlim=(-0.55, columns - 0.45), ylim=(rows - 0.45, -0.55), aspect="equal", xticks=[], yticks=[], title=title)
    ax.spines[:].set_visible(False)
    return ax
