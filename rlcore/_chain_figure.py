"""A small Markov chain as a graph, coloured by its classes. Public through `rlcore.plot`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Circle, FancyArrowPatch

from rlcore._graph_figures import _beside_arc, _state_positions
from rlcore._style import BACKGROUND, COLORS, FOREGROUND, new_axes
from rlcore.planning.markov_chains import classes, transition_matrix

RADIUS = 0.24


def chain(
    P: np.ndarray,
    ax: Axes | None = None,
    *,
    labels: Sequence | None = None,
    layout: str = "circle",
    title: str = "",
) -> Axes:
    """Draw a small chain (S, S): states as circles, steps as arrows with their probabilities (unless 1).

    Closed classes have a thick outline and one of four colours, transient states a thin grey one. `labels` (S,) name
    the states (0, 1, ... by default); `layout` is "circle" or "line". Raises ValueError for an invalid matrix, more
    than 10 states, another layout, or labels of another number. Source: the diagrams of Norris (1997), section 1.1.
    """
    P = transition_matrix(P)
    names = [str(name) for name in (range(len(P)) if labels is None else labels)]
    if len(P) > 10 or len(names) != len(P):
        raise ValueError(f"chain draws up to 10 states, with a label each; got {len(P)} states, {len(names)} labels.")
    if layout not in ("circle", "line"):
        raise ValueError(f'layout must be "circle" or "line"; got {layout!r}.')
    at = _state_positions(len(P), layout)
    ax = new_axes(ax, figsize=(6.4, 2.2 if layout == "line" or len(P) <= 2 else 4.2))
    colour = _colours(P)
    rings = [_draw_state(ax, *drawn) for drawn in zip(at, names, colour, strict=True)]
    flat = layout == "line" or len(P) <= 2
    for i, j in np.argwhere(P > 0):
        if i == j:
            _draw_loop(ax, at[i], np.array([0.0, 1.0]) if flat else _outwards(at, i), P[i, i], colour[i])
        else:
            _draw_step(ax, rings[i], rings[j], P[i, j], colour[i])
    low, high = at.min(axis=0) - 0.8, at.max(axis=0) + 0.8
    ax.set(xlim=(low[0], high[0]), ylim=(low[1], high[1] + 0.1), aspect="equal", title=title)
    ax.axis("off")
    return ax


def _colours(P: np.ndarray) -> list[str]:
    colour = [COLORS[4]] * len(P)
    for k, c in enumerate(c for c in classes(P) if c.recurrent):
        for s in c.states:
            colour[s] = COLORS[k % 4]
    return colour


def _draw_state(ax: Axes, at: np.ndarray, name: str, colour: str) -> Circle:
    width = 1.2 if colour == COLORS[4] else 2.6
    ring = Circle((at[0], at[1]), RADIUS, facecolor=BACKGROUND, edgecolor=colour, linewidth=width, zorder=3)
    ax.add_patch(ring)
    ax.text(at[0], at[1], name, ha="center", va="center", size=10, zorder=4)
    return ring


def _outwards(at: np.ndarray, i: int) -> np.ndarray:
    away = at[i] - at.mean(axis=0)
    return away / np.hypot(*away)


def _draw_step(ax: Axes, start: Circle, end: Circle, p: float, colour: str) -> None:
    bend, style = 0.22, dict[str, Any](arrowstyle="-|>", mutation_scale=11, linewidth=1.3, color=colour)
    arc = f"arc3,rad={bend}"
    ends = start.center, end.center
    ax.add_patch(FancyArrowPatch(*ends, connectionstyle=arc, patchA=start, patchB=end, **style))
    _write(ax, _beside_arc(np.array(start.center), np.array(end.center), bend, 0.12), p)


def _draw_loop(ax: Axes, at: np.ndarray, out: np.ndarray, p: float, colour: str) -> None:
    """A loop on the side `out` (2,), from one point of the rim to another."""
    turn = np.deg2rad(32) * np.array([1, -1])
    rim = [at + RADIUS * np.array([[np.cos(t), -np.sin(t)], [np.sin(t), np.cos(t)]]) @ out for t in turn]
    style: dict[str, Any] = {"arrowstyle": "-|>", "mutation_scale": 11, "linewidth": 1.3, "color": colour}
    arc = "arc3,rad=-1.6"
    ax.add_patch(FancyArrowPatch(tuple(rim[0]), tuple(rim[1]), connectionstyle=arc, shrinkA=0, shrinkB=0, **style))
    _write(ax, at + 0.58 * out, p)


def _write(ax: Axes, at: np.ndarray, p: float) -> None:
    if p < 1:
        ax.text(at[0], at[1], f"{p:.2g}", ha="center", va="center", size=8, color=FOREGROUND)
