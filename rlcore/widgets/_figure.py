"""What every figure that responds has in common.

A figure is one Python object with two lives. In JupyterLab it is an anywidget. In the book's static pages it is a
`<figure>` with a still picture and its data, which `boot.js` replaces by the same JavaScript module, no kernel behind
it. A new figure is a subclass with traits, `still()`, `alt`, and a module `NAME.js` beside this file.
"""

from __future__ import annotations

import json
import re
from html import escape
from pathlib import Path
from typing import Any, ClassVar

import anywidget

HERE = Path(__file__).parent
IMPORT = re.compile(r'^import .* from "\./(\w+)\.js";\n', re.MULTILINE)


def bundle(name: str, seen: set[str] | None = None) -> str:
    """The source of `NAME.js` after that of the modules it imports, each once, as one ES module.

    anywidget hands its front end one text, in which a relative import would lead nowhere; static pages load the
    files as they are. Raises FileNotFoundError for a module that does not exist.
    Source: anywidget documentation, "Front-end module".
    """
    seen = {name} if seen is None else seen
    source, parts = (HERE / f"{name}.js").read_text(encoding="utf-8"), []
    for other in IMPORT.findall(source):
        if other not in seen:
            seen.add(other)
            parts.append(bundle(other, seen))
    return "\n".join([*parts, IMPORT.sub("", source)])


class Figure(anywidget.AnyWidget):
    """Base of the figures: subclasses set `name`, declare synchronized traits, and write `still()` and `alt`."""

    name: ClassVar[str]
    _css = (HERE / "figure.css").read_text(encoding="utf-8")

    def __init_subclass__(cls, **kwargs: Any) -> None:
        if "name" in cls.__dict__:  # traitlets makes further subclasses of its own
            cls._esm = bundle(cls.name)
        super().__init_subclass__(**kwargs)

    def data(self) -> dict[str, Any]:
        """The traits that the subclass declares: what the JavaScript module reads. Source: the class itself."""
        own = set(self.trait_names(sync=True)) - set(anywidget.AnyWidget.class_trait_names())
        return {name: getattr(self, name) for name in sorted(own) if not name.startswith("_")}

    def still(self) -> str:
        """HTML of the picture that is shown without JavaScript and in print. Source: written by each figure."""
        raise NotImplementedError(f"{type(self).__name__} needs a still().")

    def html(self) -> str:
        """The figure of a static page: still picture and data; the page links figure.css and boot.js.

        Source: the HTML standard, section 4.12.1, "Data blocks".
        """
        data = json.dumps(self.data(), allow_nan=False).replace("<", "\\u003c")  # no tag can end the script early
        return (
            f'<figure class="rl-figure" data-rl-figure="{escape(self.name)}">\n'
            f'<div class="rl-still">{self.still()}</div>\n<script type="application/json">{data}</script>\n</figure>'
        )

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict, dict]:
        """anywidget's bundle, with the static figure as text/html: JupyterLab prefers the widget, the book the HTML."""
        data, metadata = super()._repr_mimebundle_(**kwargs) or ({}, {})
        return {**data, "text/html": self.html()}, metadata
