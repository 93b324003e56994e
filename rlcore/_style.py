"""Colours and parameters of the book's figures. Public through `rlcore.plot`.

On a page, `FOREGROUND` becomes the text's colour and `BACKGROUND` transparent, to follow light and dark mode: so
nothing may rely on `BACKGROUND` to hide what lies under it. The other colours are legible on white and on
near-black, and differ for readers with a colour-vision deficiency.
Source of the palette: Okabe and Ito (2008), Color universal design.
"""

from __future__ import annotations

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb

FOREGROUND = "#1b1b1b"  # text, axes, ticks: the page's text colour
BACKGROUND = "#fefefe"  # figure and axes: transparent on the page
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#7A7A7A")  # contrast of 3 or more on white and on #121212
MARKERS = "os^Dv"
LINES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)))  # so that no curve is known by its colour alone
DARK_TEXT, LIGHT_TEXT = "#010101", "#ffffff"  # inside coloured cells, where the page's colours do not matter


def use_style() -> None:
    """Set Matplotlib's parameters for the book and, inside IPython, SVG as the format of inline figures.

    Takes and returns nothing; sizes are in inches and points. Source: Matplotlib documentation, "Customizing
    Matplotlib with style sheets and rcParams".
    """
    mpl.rcParams.update(
        {
            "figure.figsize": (6.4, 3.4),
            "figure.constrained_layout.use": True,
            "figure.facecolor": BACKGROUND,
            "axes.facecolor": BACKGROUND,
            "axes.prop_cycle": cycler(color=COLORS, linestyle=LINES),
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.titlesize": "medium",
            "font.size": 11,
            "legend.frameon": False,
            "lines.linewidth": 1.8,
            "svg.hashsalt": "rlcore",  # the same figure gives the same bytes
        }
    )
    for name in ("text.color", "axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color"):
        mpl.rcParams[name] = FOREGROUND
    try:
        from IPython import get_ipython
    except ImportError:
        return
    if get_ipython() is not None:
        from matplotlib_inline.backend_inline import set_matplotlib_formats

        # the figure as laid out, not cropped to its ink: equal sizes on the page
        set_matplotlib_formats("svg", bbox_inches=None, metadata={"Date": None})


def new_axes(ax: Axes | None, figsize: tuple[float, float] | None = None) -> Axes:
    return plt.subplots(figsize=figsize)[1] if ax is None else ax


def minus(text: str) -> str:
    return text.replace("-", "−")


def ink(face) -> str:
    """Near-black or near-white, whichever contrasts more with a face colour."""
    return DARK_TEXT if luminance(face) > 0.179 else LIGHT_TEXT


def luminance(colour) -> float:
    """Relative luminance in [0, 1] of any Matplotlib colour. Source: W3C (2018), WCAG 2.1, definition 1.4."""
    c = np.array(to_rgb(colour))
    linear = np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])
