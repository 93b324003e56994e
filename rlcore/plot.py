"""Every figure of the book. Each function draws on `ax` (a new one by default), returns it, and never shows it.

`use_style` sets the book's look, once in a notebook. Curves are drawn here, grid worlds and graphs in modules of
their own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from rlcore._chain_figure import chain
from rlcore._graph_figures import dependencies, transitions
from rlcore._grid_figure import grid
from rlcore._search_figure import search
from rlcore._style import BACKGROUND, COLORS, FOREGROUND, MARKERS, luminance, new_axes, use_style
from rlcore._tree_figure import search_tree

__all__ = [
    "BACKGROUND",
    "COLORS",
    "FOREGROUND",
    "chain",
    "dependencies",
    "grid",
    "lines",
    "luminance",
    "mean_interval",
    "residuals",
    "search",
    "search_tree",
    "transitions",
    "use_style",
    "values",
]


def lines(
    x: np.ndarray,
    curves: Mapping[str, np.ndarray],
    ax: Axes | None = None,
    *,
    xlabel: str = "",
    ylabel: str = "",
    xscale: str = "linear",
    markers: bool = False,
) -> Axes:
    """Draw curves over common abscissae: `x` (n,) and a mapping of names to arrays (n,), with a legend.

    `xscale` is any scale of Matplotlib's; `markers` marks the points. Raises ValueError for no curve, or one that
    has another shape than `x` or is not finite. Source: Matplotlib documentation, "Axes.plot".
    """
    x = np.asarray(x, dtype=float)
    if not curves:
        raise ValueError("lines needs at least one curve to draw.")
    for name, y in curves.items():
        if np.shape(y) != x.shape or x.ndim != 1 or not np.isfinite(y).all():
            raise ValueError(
                f"The curve {name!r} must be a finite array of shape {x.shape}, as x is; got {np.shape(y)}."
            )
    ax = new_axes(ax)
    for i, (name, y) in enumerate(curves.items()):
        ax.plot(x, y, marker=MARKERS[i % len(MARKERS)] if markers else "", markersize=5, label=name)
    ax.set(xlabel=xlabel, ylabel=ylabel, xscale=xscale)
    ax.legend()
    return ax


def values(
    v: np.ndarray | Mapping[str, np.ndarray],
    ax: Axes | None = None,
    *,
    labels: Sequence | None = None,
    xlabel: str = "state",
    ylabel: str = "value",
) -> Axes:
    """Draw values over states: bars for one array (S,), lines with markers for a mapping of names to arrays.

    `labels` (S,) name the states on the axis (0, 1, ... by default). Raises ValueError for arrays that are empty,
    not finite or of different lengths. Source: the layout of figure 6.2 in Sutton and Barto (2018).
    """
    several = isinstance(v, Mapping)
    curves = {name: np.asarray(y, dtype=float) for name, y in (v.items() if several else [("", v)])}  # type: ignore
    shapes = {y.shape for y in curves.values()}
    if len(shapes) != 1 or any(y.ndim != 1 or not y.size or not np.isfinite(y).all() for y in curves.values()):
        raise ValueError(f"Values to draw must be finite arrays of one shape (S,); got shapes {sorted(shapes)}.")
    at = np.arange(*shapes.pop())
    names = [str(name) for name in (at if labels is None else labels)]
    if len(names) != len(at):
        raise ValueError(f"labels must name {len(at)} states; got {len(names)}.")
    if several:
        ax = lines(at, curves, ax, markers=True)
    else:
        ax = new_axes(ax)
        ax.bar(at, curves[""], color=COLORS[0], width=0.7)
    ax.axhline(0, color=FOREGROUND, linewidth=0.8, linestyle="-")
    ticks = at[:: -(-len(at) // 12)]
    ax.set_xticks(ticks, [names[i] for i in ticks])
    ax.set(xlabel=xlabel, ylabel=ylabel)
    return ax


def residuals(runs: Mapping[str, Any], ax: Axes | None = None, *, x: str = "iterations") -> Axes:
    """Draw how residuals fall, on a logarithmic scale, one curve for each name.

    `runs` maps names to a `Solution` or to an array of residuals, one for each iteration, in the unit of the
    rewards; with x = "backups" (state-action pairs looked at) every entry must be a `Solution`. Residuals of 0
    are left out. Raises ValueError for another x, no run, or arrays without backups.
    Source: the layout of figure 6.3.1 in Puterman (1994).
    """
    if x not in ("iterations", "backups"):
        raise ValueError(f'x must be "iterations" or "backups"; got {x!r}.')
    if not runs:
        raise ValueError("residuals needs at least one run to draw.")
    ax = new_axes(ax)
    for i, (name, run) in enumerate(runs.items()):
        history = getattr(run, "history", None)
        if history is None and x == "backups":
            raise ValueError(f'{name!r} is an array, which knows no backups; pass its Solution, or x="iterations".')
        y = np.array(run if history is None else history["residual"], dtype=float)
        at = np.arange(1, len(y) + 1) if x == "iterations" else history["backups"]  # type: ignore[index]
        y[y <= 0] = np.nan
        marker = dict(marker=MARKERS[i % len(MARKERS)], markersize=4) if len(y) <= 15 else {}
        ax.plot(at, y, label=name, **marker)  # type: ignore[arg-type]
    label = "iterations" if x == "iterations" else "state-action pairs looked at"
    ax.set(yscale="log", xlabel=label, ylabel="residual")
    ax.legend()
    return ax


def mean_interval(
    x: np.ndarray, runs: np.ndarray, ax: Axes | None = None, label: str = "", *, min_runs: int = 30
) -> Axes:
    """Draw the mean over independent runs with its pointwise 95 % interval, and say how many runs there were.

    `x` (n,) are the abscissae and `runs` (R, n) the outcomes, one row for each run; the interval is Student's,
    mean +/- t * s / sqrt(R). Raises ValueError for fewer than `min_runs` rows, shapes that disagree, or entries
    that are not finite. Source: Student (1908); Henderson et al. (2018) on why few runs mislead.
    """
    x, runs = np.asarray(x), np.asarray(runs, dtype=float)
    if runs.ndim != 2 or x.shape != runs.shape[1:]:
        raise ValueError(f"runs must have shape (R, {len(np.atleast_1d(x))}), a row for each run; got {runs.shape}.")
    if len(runs) < max(min_runs, 2):
        raise ValueError(
            f"{len(runs)} runs say little about chance: use at least {max(min_runs, 2)}, or pass min_runs (2 or more)."
        )
    if not np.isfinite(runs).all():
        row = int(np.argmax(~np.isfinite(runs).all(axis=1)))
        raise ValueError(f"Run {row} has entries that are not finite; drop it and say so, or repair it.")
    mean, half = mean_and_half_width(runs)
    ax = new_axes(ax)
    name = f"{label or 'mean'} (n = {len(runs)} runs, 95 % interval)"
    (line,) = ax.plot(x, mean, label=name)
    ax.fill_between(x, mean - half, mean + half, color=line.get_color(), alpha=0.25, linewidth=0)
    ax.legend()
    return ax


def mean_and_half_width(runs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean (n,) over the rows of `runs` (R, n), and half the width of its 95 % interval. Source: Student (1908)."""
    from scipy.special import stdtrit

    t = stdtrit(len(runs) - 1, 0.975)
    return runs.mean(axis=0), t * runs.std(axis=0, ddof=1) / np.sqrt(len(runs))
