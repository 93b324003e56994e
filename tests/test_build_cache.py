"""A page never shows output that is older than the code that made it, and nothing runs without need."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

pytestmark = pytest.mark.slow

CONF = """
import sys
sys.path[:0] = [{ext!r}]
extensions = ["myst_nb", "sphinx_proof", "rlbook"]
rlbook_colors = {{"#1b1b1b": "currentColor"}}
nb_execution_mode = "cache"
nb_execution_show_tb = True
nb_ipywidgets_js = {{}}
html_theme = "basic"
"""


@pytest.fixture
def project(tmp_path, root) -> Path:
    """A book of one chapter that calls a package `rlcore` of one line."""
    book = tmp_path / "book"
    book.mkdir()
    (book / "conf.py").write_text(CONF.format(ext=str(root / "book" / "_ext")))
    (tmp_path / "requirements.txt").write_text("numpy==1\n")
    (tmp_path / "rlcore").mkdir()
    (tmp_path / "rlcore" / "__init__.py").write_text("ANSWER = 'first answer'\n")
    chapter(book, "import sys; sys.path.insert(0, '..')\nimport rlcore\nprint(rlcore.ANSWER)")
    return tmp_path


def chapter(book: Path, *cells: str, **metadata) -> None:
    """Write the chapter: a title and code cells."""
    notebook = nbformat.v4.new_notebook(metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}})
    notebook.cells = [nbformat.v4.new_markdown_cell("# A chapter")]
    notebook.cells += [nbformat.v4.new_code_cell(cell, metadata=metadata) for cell in cells]
    nbformat.write(notebook, book / "index.ipynb")


def build(project: Path) -> subprocess.CompletedProcess:
    """Run Sphinx as `make book` does: warnings are errors."""
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-d", "out/trees", "book", "out/html"]
    return subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)


def test_outputs_follow_the_code(project):
    page = project / "out" / "html" / "index.html"
    first = build(project)
    assert first.returncode == 0, first.stderr
    assert "Executing notebook" in first.stdout + first.stderr
    assert "first answer" in page.read_text()

    again = build(project)
    assert again.returncode == 0
    assert "Executing notebook" not in again.stdout + again.stderr

    (project / "rlcore" / "__init__.py").write_text("ANSWER = 'second answer'\n")
    changed = build(project)
    assert changed.returncode == 0, changed.stderr
    assert "Executing notebook" in changed.stdout + changed.stderr
    assert "second answer" in page.read_text()
    assert "first answer" not in page.read_text()

    (project / "rlcore" / "__init__.py").write_text("ANSWER = 'first answer'\n")
    back = build(project)  # the page changes, from the cache
    assert "Executing notebook" not in back.stdout + back.stderr
    assert "first answer" in page.read_text()


def test_a_cell_that_fails_fails_the_build_and_is_shown(project):
    chapter(project / "book", "x = 1", "zebra = 1 / 0")
    done = build(project)
    assert done.returncode != 0
    assert "zebra = 1 / 0" in done.stderr
    assert "ZeroDivisionError" in done.stderr
    assert "index.ipynb" in done.stderr


FIGURE = """from IPython.display import SVG
SVG('<svg xmlns="http://www.w3.org/2000/svg" width="10" height="10"><g id="a" fill="#1b1b1b"/></svg>')"""


def test_a_figure_is_inlined_with_its_alternative_text(project):
    chapter(project / "book", FIGURE, mystnb={"image": {"alt": "nothing at all"}})
    done = build(project)
    assert done.returncode == 0, done.stderr
    page = (project / "out" / "html" / "index.html").read_text()
    assert 'aria-label="nothing at all"' in page
    assert 'fill="currentColor"' in page


def test_a_figure_without_alternative_text_fails_the_build(project):
    chapter(project / "book", FIGURE)
    done = build(project)
    assert done.returncode != 0
    assert "no alternative text" in done.stderr
