"""Search trees as figures. Public through `rlcore.plot`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes

from rlcore._style import COLORS, FOREGROUND, ink, minus, new_axes

if TYPE_CHECKING:
    from rlcore.planning.tree_search import Tree

LABELLED = 14  # nodes on one level up to which their edges and values are written out


def search_tree(tree: Tree, ax: Axes | None = None, *, min_visits: int = 1, names: Sequence[str] | None = None) -> Axes:
    """Draw a search tree, the root on top: circles as large as their visits are many, squares where it has ended.

    Nodes with fewer than `min_visits` visits are left out, with what is below them. The line of play that has been
    visited most is orange. On levels with few nodes each shows the action that leads to it, by its name in `names` (A,)
    or its number, and the mean return of that action, for whoever took it.
    Raises ValueError for min_visits < 1 or too few names.
    Source: the layout of figure 2 in Browne et al. (2012).
    """
    if min_visits < 1:
        raise ValueError(f"min_visits = {min_visits}: a node has at least 1 visit to be drawn.")
    if names is not None and len(names) != tree.A:
        raise ValueError(f"names must name {tree.A} actions; got {len(names)}.")
    shown = [node for node in range(tree.N) if node == 0 or tree.node_visits[node] >= min_visits]
    x, depth = _places(tree, shown)
    best = _most_visited(tree, shown)
    crowd = np.bincount([depth[node] for node in shown])
    ax = new_axes(ax, (6.4, 1.1 * len(crowd) + 0.6))
    visits, inner = tree.node_visits[: tree.N], set(tree.parent[shown].tolist())
    for node in shown:
        on, at = node in best, (x[node], -depth[node])
        if node:
            start = (x[tree.parent[node]], -depth[tree.parent[node]])
            share = visits[node] / max(1, visits[0])
            style = dict(color=COLORS[1] if on else FOREGROUND, linestyle="-", linewidth=0.6 + 4 * share, zorder=1)
            ax.plot([start[0], at[0]], [start[1], at[1]], **style)
        face, size = COLORS[1 if on else 0], 30 + 900 * np.sqrt(visits[node] / max(1, visits[0]))
        ax.scatter(*at, s=size, color=face, marker="s" if tree.terminal[node] else "o", zorder=2)
        if crowd[depth[node]] <= LABELLED:
            action = "" if node == 0 else str(tree.action[node] if names is None else names[tree.action[node]])
            value = tree.action_values[tree.parent[node], tree.action[node]] if node else tree.root_value
            below = f"{action}\n" * bool(action) + minus(f"{value:.2f}")
            if size > 350:
                ax.annotate(str(visits[node]), at, ha="center", va="center", fontsize=8, color=ink(face), zorder=3)
            radius = np.sqrt(size) / 2 + 3
            if node in inner:  # edges leave it below
                ax.annotate(below, at, (radius, 0), textcoords="offset points", va="center", fontsize=8, zorder=3)
            else:
                style = dict(textcoords="offset points", ha="center", va="top", fontsize=8, zorder=3)
                ax.annotate(below, at, (0, -radius), **style)
    ax.margins(0.08, 0.2)
    ax.axis("off")
    return ax


def _places(tree: Tree, shown: list[int]) -> tuple[dict[int, float], dict[int, int]]:
    """Abscissa and depth of each node: leaves side by side, a parent above the middle of its children."""
    below: dict[int, list[int]] = {node: [] for node in shown}
    depth = {0: 0}
    for node in shown[1:]:  # a node comes after its parent
        parent = int(tree.parent[node])
        below[parent].append(node)
        depth[node] = depth[parent] + 1
    x, leaves, stack = dict[int, float](), 0, [(0, False)]
    while stack:
        node, done = stack.pop()
        children = sorted(below[node], key=lambda child: (tree.action[child], child))
        if done:
            x[node] = (x[children[0]] + x[children[-1]]) / 2
        elif not children:
            x[node], leaves = float(leaves), leaves + 1
        else:
            stack.append((node, True))
            stack.extend((child, False) for child in reversed(children))
    return x, depth


def _most_visited(tree: Tree, shown: list[int]) -> set[int]:
    """The root, its most visited child, and so on."""
    line, node = {0}, 0
    while children := [child for child in shown[1:] if tree.parent[child] == node]:
        node = max(children, key=lambda child: tree.node_visits[child])
        line.add(node)
    return line
