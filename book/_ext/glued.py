"""Numbers in the text, written so that the site and JupyterLab show the same.

The role {eval} holds a Python expression, which jupyterlab-myst evaluates in the kernel. On the site there is no
kernel: the expression must be a name that the chapter handed over by `glue`, or that name with a format.
"""

from __future__ import annotations

import re

from myst_nb.ext.glue.roles import PasteTextRole
from myst_nb.ext.glue.utils import glue_warning

EXPRESSION = re.compile(
    r"""(?P<name>[^\W\d]\w*) | f(?P<quote>['"])\{(?P<key>[^\W\d]\w*):(?P<format>[^{}]+)\}(?P=quote)""", re.X
)


def key_of(expression: str) -> str | None:
    """`x` to `x`, `f"{x:.2f}"` to `x:.2f`, as MyST-NB's glue takes it; None for any other expression."""
    match = EXPRESSION.fullmatch(expression.strip())
    return match and (match["name"] or f"{match['key']}:{match['format']}")


class Glued(PasteTextRole):
    """The role {eval} on the site."""

    def run(self):
        key = key_of(self.text)
        if key is None:
            message = f'{{eval}}`{self.text}` must be a glued name, or f"{{name:format}}" with one'
            return [], [glue_warning(message, self.document, self.line)]
        self.text = key
        return super().run()
