"""The book's Sphinx extension: fresh outputs, figures in the page's colours, figures that respond, the claims' table.

Everything that can be done without Sphinx is in the modules beside it.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.transforms import SphinxTransform
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util import logging

from chapters_table import ChaptersTable
from claims_table import ClaimsTable
from figures import inline_svg
from fingerprint import fingerprint
from glued import Glued

logger = logging.getLogger(__name__)


def root_of(app: Sphinx) -> Path:
    """The repository, which holds the book's sources, `rlcore` and the tests."""
    return Path(app.config.rlbook_root or Path(app.srcdir).parent)


def choose_cache(app: Sphinx, config: Config) -> None:
    """Keep executed notebooks in a folder named after the code that they call.

    The path is a setting that the pages depend on, so that a change of the code makes Sphinx read them all again.
    """
    os.environ.pop("MPLBACKEND", None)  # a backend that is set here would keep figures out of the notebooks
    root = root_of(app)
    key = fingerprint(root / name for name in config.rlbook_code)
    config.nb_execution_cache_path = str(Path(app.outdir).parent / ".jupyter_cache" / key)
    config.rlbook_self = fingerprint([Path(__file__).parent])  # this extension writes the pages, so they depend on it


class InlineFigures(SphinxPostTransform):
    """Local SVG images become part of the page; every image must say what it shows."""

    default_priority = 5  # before images are matched to files that are copied
    formats = ("html",)

    def run(self, **kwargs) -> None:
        colors = self.config.rlbook_colors or _colors_of_plots()
        for i, node in enumerate(list(self.document.findall(nodes.image))):
            alt = node.get("alt", "").strip()
            if not alt:
                logger.warning("an image has no alternative text: %s", node["uri"], location=node, type="rlbook")
            path = Path(self.app.srcdir) / node["uri"]
            if path.suffix != ".svg" or not path.is_file():
                continue
            try:
                figure = inline_svg(path.read_text(encoding="utf-8"), alt=alt, prefix=f"fig{i}-", colors=colors)
            except ValueError as error:
                logger.warning("%s: %s", path.name, error, location=node, type="rlbook")
                continue
            node.replace_self(nodes.raw("", figure, format="html", classes=node["classes"]))


class Downloads(SphinxTransform):
    """A link to a notebook that is no page, such as `../exercises/x/x.ipynb`, downloads it."""

    default_priority = 500

    def apply(self, **kwargs) -> None:
        for node in list(self.document.findall(addnodes.pending_xref)):
            target = node["reftarget"]
            path = Path(self.app.srcdir, f"{target}.ipynb")
            if (
                (node.get("refdomain"), node["reftype"]) == ("doc", "myst")
                and target not in self.env.found_docs
                and path.is_file()
            ):
                source = Path(self.app.srcdir, self.env.docname).parent
                link = addnodes.download_reference(
                    "", "", *node.children, reftarget=os.path.relpath(path, source), refdoc=self.env.docname
                )
                node.replace_self(link)


class UniqueIds(SphinxPostTransform):
    """sphinx-proof gives all proofs of a page one id, and the bodies of all statements another: leave them out."""

    default_priority = 5

    def run(self, **kwargs) -> None:
        for node in self.document.findall(nodes.Element):
            if node.get("ids") in (["proof"], ["proof-content"]):
                node["ids"] = []


class KeepPunctuation(SphinxPostTransform):
    """A browser may break a line between a formula and the full stop after it; in one unbreakable span it may not."""

    default_priority = 5
    formats = ("html",)

    def run(self, **kwargs) -> None:
        for formula in list(self.document.findall(nodes.math)):
            following = formula.next_node(descend=False, siblings=True)
            if not isinstance(following, nodes.Text) or following[:1] not in set(".,;:!?)"):
                continue
            mark = following[: len(following) - len(following.lstrip(".,;:!?)"))]
            parent, rest = formula.parent, nodes.Text(following[len(mark) :])
            parent.replace(following, rest)
            parent.replace(formula, nodes.inline("", "", formula.deepcopy(), nodes.Text(mark), classes=["rl-unbroken"]))


def _colors_of_plots() -> dict[str, str]:
    from rlcore import plot

    return {plot.FOREGROUND: "currentColor", plot.BACKGROUND: "transparent"}


def copy_widgets(app: Sphinx) -> None:
    """Put the scripts of the figures that respond where `boot.js` is loaded from."""
    source = root_of(app) / "rlcore" / "widgets"
    target = Path(app.outdir) / "_static" / "widgets"
    if app.builder.format == "html" and source.is_dir():
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir(parents=True)
        for path in sorted([*source.glob("*.js"), *source.glob("*.css")]):
            shutil.copy(path, target)


def load_widgets(app: Sphinx, pagename: str, templatename: str, context: dict, doctree) -> None:
    """Load them only on pages with such a figure."""
    if "data-rl-figure" not in context.get("body", ""):
        return
    widgets = Path(app.outdir) / "_static" / "widgets"
    for path in sorted(widgets.glob("*.css")):
        app.add_css_file(f"widgets/{path.name}")
    app.add_js_file("widgets/boot.js", type="module")


def drop_icon_script(app: Sphinx, error: Exception | None) -> None:
    """Leave out 1.5 MB of script that the theme loads on each page for a dozen icons, which book.css has."""
    script = Path(app.outdir) / "_static" / "scripts" / "fontawesome.js"
    if error is None and script.is_file():
        script.write_text("/* icons: see book.css */\n", encoding="utf-8")


def setup(app: Sphinx) -> dict:
    """Called by Sphinx."""
    app.add_config_value("rlbook_root", "", "env", str)
    app.add_config_value("rlbook_code", ["rlcore", "requirements.txt"], "", list)
    app.add_config_value("rlbook_colors", {}, "env", dict)
    app.add_config_value("rlbook_self", "", "env", str)
    app.add_config_value("comments_config", {}, "html", dict)  # Jupyter Book sets it even where comments are left out
    app.add_directive("chapters-table", ChaptersTable)
    app.add_directive("claims-table", ClaimsTable)
    app.add_role("eval", Glued(), override=True)
    app.add_transform(Downloads)
    app.add_post_transform(InlineFigures)
    app.add_post_transform(UniqueIds)
    app.add_post_transform(KeepPunctuation)
    app.connect("config-inited", choose_cache)
    app.connect("builder-inited", copy_widgets)
    app.connect("html-page-context", load_widgets)
    app.connect("build-finished", drop_icon_script)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
