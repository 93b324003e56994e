"""Small processes and reading maps as graphs, with layouts of our own. Public through `rlcore.plot`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Circle, FancyArrowPatch

from rlcore._style import BACKGROUND, COLORS, FOREGROUND, minus, new_axes
from rlcore.mdp import FiniteMDP


def transitions(
    mdp: FiniteMDP,
    pi: np.ndarray | None = None,
    ax: Axes | None = None,
    *,
    layout: str = "circle",
    title: str = "",
) -> Axes:
    """Draw a small process: states as circles, actions as dots with their rewards (unless 0), arcs as probabilities.

    `pi` (S,) or (S, A) draws the actions it takes in colour; terminal states have a double ring. `layout` is
    "circle" or "line". Raises ValueError for more than 8 states or another layout.
    Source: the transition graphs of Puterman (1994), figure 3.1.1.
    """
    if mdp.S > 8:
        raise ValueError(f"transitions draws up to 8 states; this process has {mdp.S}. Draw its values instead.")
    if layout not in ("circle", "line"):
        raise ValueError(f'layout must be "circle" or "line"; got {layout!r}.')
    weights = None if pi is None else mdp.policy_matrix(pi)
    at = _state_positions(mdp.S, layout)
    ax = new_axes(ax, figsize=(6.4, 2.4 if layout == "line" or mdp.S <= 2 else 4.8))
    rings = [_draw_state(ax, at[s], str(mdp.labels[s]), mdp.terminal[s]) for s in range(mdp.S)]
    dots = _action_positions(mdp, at, layout)
    for (s, a), dot in dots.items():
        taken = weights is not None and weights[s, a] > 0
        _draw_action(ax, mdp, rings, (s, a), dot, COLORS[1] if taken else FOREGROUND, 2.0 if taken else 1.0)
    points = np.vstack([at, *dots.values()])
    margin = np.array([0.75, 0.35])
    low, high = points.min(axis=0) - margin, points.max(axis=0) + margin
    ax.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]), aspect="equal", title=title)
    ax.axis("off")
    return ax


def _draw_state(ax: Axes, at: np.ndarray, name: str, terminal: bool) -> Circle:
    style: dict[str, Any] = {"facecolor": BACKGROUND, "edgecolor": FOREGROUND, "linewidth": 1.4, "zorder": 3}
    ring = Circle((at[0], at[1]), 0.22, **style)
    ax.add_patch(ring)
    if terminal:
        ax.add_patch(Circle((at[0], at[1]), 0.18, **style))
    ax.text(at[0], at[1], name, ha="center", va="center", size=10, zorder=4)
    return ring


def _state_positions(S: int, layout: str) -> np.ndarray:
    if layout == "line" or S <= 2:
        return np.column_stack([1.6 * np.arange(S), np.zeros(S)])
    angle = np.pi / 2 - 2 * np.pi * np.arange(S) / S
    radius = 0.8 / np.sin(np.pi / S)
    return radius * np.column_stack([np.cos(angle), np.sin(angle)])


def _action_positions(mdp: FiniteMDP, at: np.ndarray, layout: str) -> dict[tuple[int, int], np.ndarray]:
    """Where each feasible action's dot lies: towards where it leads on average, at least 50 degrees from others."""
    centre, flat, dots = at.mean(axis=0), layout == "line" or mdp.S <= 2, {}
    for s in np.flatnonzero(~mdp.terminal):
        actions = np.flatnonzero(mdp.feasible[s])
        wanted = [_wanted_angle(_row(mdp, int(s), int(a)) @ at - at[s], at[s] - centre, flat) for a in actions]
        if flat and len(wanted) == 2 and wanted[0] == wanted[1]:  # two that lead the same way: above and below
            wanted[1] = 2 * np.pi - wanted[1]
        for a, angle in zip(actions, _spread(np.array(wanted), np.deg2rad(50)), strict=True):
            dots[int(s), int(a)] = at[s] + 0.62 * np.array([np.cos(angle), np.sin(angle)])
    return dots


def _wanted_angle(drift: np.ndarray, away: np.ndarray, flat: bool) -> float:
    """The direction in which an action leads; outwards for a loop. In a row, rightwards is above, leftwards below."""
    loop = np.hypot(*drift) < 1e-9
    if flat and not loop:
        return 0.9 if drift[0] > 0 else np.pi + 0.9
    if flat and abs(away[0]) < 1e-9:
        return np.pi / 2
    x, y = away if loop else drift
    return float(np.arctan2(y, x)) % (2 * np.pi)


def _row(mdp: FiniteMDP, s: int, a: int) -> np.ndarray:
    row = mdp.P[[a * mdp.S + s]]
    return np.asarray(row.toarray() if hasattr(row, "toarray") else row).ravel()


def _spread(angles: np.ndarray, gap: float) -> np.ndarray:
    """Angles pushed apart, in their order, to be `gap` from each other, with their mean kept."""
    order = np.argsort(angles, kind="stable")
    out = angles[order].copy()
    for i in range(1, len(out)):
        out[i] = max(out[i], out[i - 1] + gap)
    out += angles.mean() - out.mean()
    result = np.empty_like(out)
    result[order] = out
    return result


def _draw_action(ax: Axes, mdp: FiniteMDP, rings: list[Circle], pair, dot, colour: str, width: float) -> None:
    s, a = pair
    home = np.array(rings[s].center)
    out = (dot - home) / np.linalg.norm(dot - home)
    rim = home + rings[s].radius * out  # nothing is drawn behind a circle: on a page it is transparent
    ax.plot(*np.transpose([rim, dot]), color=colour, linewidth=width, linestyle="-", zorder=1)
    ax.add_patch(Circle(dot, 0.05, color=colour, zorder=3))
    ha = "center" if abs(out[0]) < 0.7 else ("left" if out[0] > 0 else "right")
    va = "center" if abs(out[1]) < 0.3 else ("bottom" if out[1] > 0 else "top")
    reward = minus(f", {mdp.r[s, a]:+.4g}") if mdp.r[s, a] else ""
    x, y = dot + 0.1 * out
    ax.text(x, y, f"{mdp.action_labels[a]}{reward}", ha=ha, va=va, size=9, zorder=4)
    row = _row(mdp, s, a)
    for s_next in np.flatnonzero(row):
        end = np.array(rings[s_next].center)
        side = np.sign(np.round((end - dot)[::-1] * (1, -1) @ out, 9)) or 1.0  # bend outwards
        bend = -0.6 if s_next == s else 0.2 * side
        arc = f"arc3,rad={bend}"
        style: dict[str, Any] = {"color": colour, "linewidth": width, "mutation_scale": 11, "arrowstyle": "-|>"}
        ax.add_patch(FancyArrowPatch(tuple(dot), tuple(end), connectionstyle=arc, patchB=rings[s_next], **style))
        if row[s_next] < 1:
            inside = (end - dot) @ out > 0  # an arc that turns back has its label outside, away from the others
            x, y = _beside_arc(dot, end, bend, -0.1 if inside else 0.11)
            ax.text(x, y, f"{row[s_next]:.2g}", ha="center", va="center", size=8)


def _beside_arc(start: np.ndarray, end: np.ndarray, bend: float, gap: float) -> np.ndarray:
    """A point at distance `gap`, outwards, from the middle of Matplotlib's arc3 curve (a quadratic Bezier)."""
    dx, dy = end - start
    normal = np.sign(bend) * np.array([dy, -dx])
    return (start + end) / 2 + normal * (abs(bend) / 2 + gap / np.hypot(dx, dy))


def dependencies(graph: Mapping[str, Sequence[str]], ax: Axes | None = None, *, ready: Sequence[str] = ()) -> Axes:
    """Draw what needs what: `graph` maps each name, in reading order, to the earlier names that it needs.

    Names are listed from top to bottom, and an arc leads from each to those that need it; names in `ready` are
    in bold with a full dot, the others have an empty one. Raises ValueError where a name needs one that does not
    come before it, or `ready` has one that is not in the graph. Source: Wattenberg (2002), Arc diagrams.
    """
    row: dict[str, int] = {}
    for name, needs in graph.items():
        missing = [x for x in needs if x not in row]
        if missing:
            raise ValueError(f"{name!r} needs {missing[0]!r}, which does not come before it: list that first.")
        row[name] = -len(row)
    if set(ready) - set(row):
        raise ValueError(f"ready names {sorted(set(ready) - set(row))[0]!r}, which is not in the graph.")
    ax = new_axes(ax, figsize=(5.2, 0.34 * len(graph) + 0.2))
    for name, y in row.items():
        face = COLORS[0] if name in ready else "none"
        ax.text(-0.35, y, name, ha="right", va="center", size=10, weight="bold" if name in ready else "normal")
        ax.plot(0, y, "o", markerfacecolor=face, markeredgecolor=COLORS[0], markersize=6, zorder=3)
        for x in graph[name]:
            colour = COLORS[0] if x in ready else COLORS[4]
            style: dict[str, Any] = {
                "arrowstyle": "-|>",
                "mutation_scale": 9,
                "shrinkA": 4,
                "shrinkB": 4,
                "color": colour,
            }
            ax.add_patch(FancyArrowPatch((0, row[x]), (0, y), connectionstyle="arc3,rad=-0.55", **style))
    ax.set(xlim=(-7.5, 4.5), ylim=(0.6 - len(graph), 0.6))
    ax.axis("off")
    return ax
