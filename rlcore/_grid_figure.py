"""A grid world as a picture. Public through `rlcore.plot`."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.patches import Rectangle

from rlcore._style import BACKGROUND, FOREGROUND, ink, minus, new_axes
from rlcore.mdp import FiniteMDP

WALL = "#7A7A7A"
DIVERGING = LinearSegmentedColormap.from_list("value", ["#D55E00", "#f2f2f2", "#0072B2"])
SEQUENTIAL = LinearSegmentedColormap.from_list("positive", ["#f2f2f2", "#0072B2"])
MOVES = {"up": (0, -1), "right": (1, 0), "down": (0, 1), "left": (-1, 0)}  # (column, row): rows grow downwards


def grid(
    mdp: FiniteMDP,
    v: np.ndarray | None = None,
    pi: np.ndarray | None = None,
    ax: Axes | None = None,
    *,
    title: str = "",
    digits: int = 2,
    limits: tuple[float, float] | None = None,
) -> Axes:
    """Draw a grid world: walls in grey, terminal cells with their reward, values as colours, a policy as arrows.

    `mdp.labels` must be (row, column) cells; cells of the bounding rectangle without a state are walls.
    `v` (S,) colours each cell and is written in it with `digits` decimals (none if negative); `limits` are the
    values at the ends of the colour scale. `pi`, (S,) actions or (S, A) probabilities of the actions up, right,
    down and left, gives arrows, in each cell as long as the action is
    probable. Raises ValueError for labels that are no
    cells, actions that are no moves, or a wrong shape.
    Source: the layout of figure 3.2 in Sutton and Barto (2018).
    """
    cells = _cells(mdp)
    rows, columns = cells.max(axis=0) + 1
    ax = new_axes(ax, figsize=(0.75 * columns + 0.2, 0.75 * rows + (0.5 if title else 0.2)))
    faces = _cell_colours(mdp, v, limits)
    colour = {tuple(cell): face for cell, face in zip(cells.tolist(), faces, strict=True)}
    for row, column in np.ndindex(rows, columns):
        style: dict[str, Any] = {"facecolor": colour.get((row, column), WALL), "edgecolor": FOREGROUND}
        ax.add_patch(Rectangle((column - 0.5, row - 0.5), 1, 1, linewidth=0.6, **style))
    inks = [FOREGROUND if face == BACKGROUND else ink(face) for face in faces]
    _write_cells(ax, mdp, cells, v if digits >= 0 else None, digits, inks, low=pi is not None)
    if pi is not None:
        _arrows(ax, mdp, cells, pi, inks, lift=0.12 if v is not None and digits >= 0 else 0.0)
    ax.set(xlim=(-0.53, columns - 0.47), ylim=(rows - 0.47, -0.53), aspect="equal", xticks=[], yticks=[], title=title)
    ax.spines[:].set_visible(False)
    return ax


def _cells(mdp: FiniteMDP) -> np.ndarray:
    try:
        cells = np.array([(int(cell[0]), int(cell[1])) for cell in mdp.labels])  # type: ignore[index]
    except (TypeError, ValueError, IndexError):
        raise ValueError(
            f"A grid needs states labelled by (row, column); got the label {mdp.labels[0]!r}. "
            "Build the world with rlcore.worlds.grid, or draw it with plot.transitions or plot.values."
        ) from None
    if cells.min() < 0:
        raise ValueError(f"Rows and columns of a grid start at 0; got the smallest index {cells.min()}.")
    return cells


def _cell_colours(mdp: FiniteMDP, v: np.ndarray | None, limits: tuple[float, float] | None) -> list[Any]:
    if v is None:
        return [BACKGROUND] * mdp.S
    v = _checked_values(mdp, v)
    inner = v[~mdp.terminal]
    low, high = limits or (float(inner.min()), float(inner.max()))
    if low < 0 < high or high <= 0:
        low, high = -max(-low, high, 1e-300), max(-low, high, 1e-300)  # white is zero
        colours, scale = DIVERGING, Normalize(low, high)
    else:
        colours, scale = SEQUENTIAL, Normalize(low, high if high > low else low + 1)
    return [BACKGROUND if end else colours(scale(x)) for x, end in zip(v, mdp.terminal, strict=True)]


def _checked_values(mdp: FiniteMDP, v: np.ndarray) -> np.ndarray:
    v = np.asarray(v, dtype=float)
    if v.shape != (mdp.S,) or not np.isfinite(v).all():
        raise ValueError(f"Values to draw must be a finite array of shape ({mdp.S},); got shape {v.shape}.")
    return v


def _write_cells(ax: Axes, mdp: FiniteMDP, cells, v, digits: int, inks, low: bool) -> None:
    rewards = _entry_rewards(mdp)
    for s, (row, column) in enumerate(cells):
        if mdp.terminal[s]:
            ax.add_patch(
                Rectangle((column - 0.4, row - 0.4), 0.8, 0.8, fill=False, edgecolor=FOREGROUND, linewidth=0.8)
            )
            text = "end" if rewards is None else minus(f"{rewards[s]:+g}")
            ax.text(column, row, text, ha="center", va="center", color=FOREGROUND, weight="bold", size=10)
        elif v is not None:
            text = minus(f"{round(v[s], digits) + 0.0:.{digits}f}")
            ax.text(column, row + (0.32 if low else 0), text, ha="center", va="center", color=inks[s], size=9)


def _entry_rewards(mdp: FiniteMDP) -> np.ndarray | None:
    """(S,) rewards of entering each terminal state, if the rewards are a constant plus exactly those; else None."""
    ends = np.flatnonzero(mdp.terminal)
    open_rows = (mdp.feasible & ~mdp.terminal[:, None]).T.ravel()
    into = mdp.P[:, ends]
    into = into.toarray() if hasattr(into, "toarray") else into
    design = np.column_stack([np.ones(open_rows.sum()), into[open_rows]])
    r = mdp.r.T.ravel()[open_rows]
    solution = np.linalg.lstsq(design, r, rcond=None)[0]
    if np.abs(design @ solution - r).max(initial=0) > 1e-9 * (1 + np.abs(r).max(initial=0)):
        return None
    rewards = np.zeros(mdp.S)
    rewards[ends] = np.round(solution[1:], 9) + 0.0
    return rewards


def _arrows(ax: Axes, mdp: FiniteMDP, cells: np.ndarray, pi, inks, lift: float) -> None:
    unknown = [name for name in mdp.action_labels if name not in MOVES]
    if unknown:
        raise ValueError(f"Arrows need actions named {', '.join(MOVES)}; got {unknown[0]!r}.")
    weights = mdp.policy_matrix(pi)
    states, actions = np.nonzero((weights > 0.005) & ~mdp.terminal[:, None])
    moves = np.array([MOVES[str(name)] for name in mdp.action_labels])[actions]
    likeliest = weights.max(axis=1)[states, None]
    mixed = likeliest < 1
    lengths = weights[states, actions][:, None] / likeliest * np.where(mixed, 0.32, 0.44)
    x, y = cells[states, 1], cells[states, 0] - lift
    tails = np.where(mixed, 0.0, -0.5) * lengths * moves  # a certain action: an arrow through the middle
    dx, dy = (lengths * moves).T
    ax.quiver(
        x + tails[:, 0], y + tails[:, 1], dx, dy, color=[inks[s] for s in states],
        angles="xy", scale_units="xy", scale=1, width=0.035, units="x", headwidth=4, headlength=4, headaxislength=3.5,
        minlength=0,
    )  # fmt: skip
