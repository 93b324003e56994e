"""The small package that the book's chapters call.

`FiniteMDP` and its operators are here; the rest lives in modules named after the chapters:
`rlcore.planning.discounted`, `rlcore.worlds`, `rlcore.simulate`, `rlcore.gym`, `rlcore.plot`, `rlcore.widgets`.
"""

from rlcore.mdp import FiniteMDP, greedy

__all__ = ["FiniteMDP", "greedy"]
__version__ = "0.1.0"
