"""Figures that respond: anywidgets in a notebook, and alive without a kernel in the book's pages.

The only part of `rlcore` that imports anywidget.
"""

from rlcore.widgets.chain import ChainFigure
from rlcore.widgets.grid import GridFigure
from rlcore.widgets.polytope import PolytopeFigure
from rlcore.widgets.search import SearchFigure
from rlcore.widgets.tree import TreeFigure

__all__ = ["ChainFigure", "GridFigure", "PolytopeFigure", "SearchFigure", "TreeFigure"]
