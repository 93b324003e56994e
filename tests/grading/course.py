"""A temporary nbgrader course, and submissions made from a problem set's own source."""

from __future__ import annotations

import copy
import importlib.util
import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import nbformat

from rlgrade import tickets

ROOT = Path(__file__).resolve().parents[2]
SETS = sorted(path.stem for path in ROOT.glob("solutions/*/*.ipynb") if path.parent.name == path.stem)
SECRET = "a secret of the tests, and of no course"  # set in the environment by conftest.py


@cache
def catalogue(slug: str) -> ModuleType:
    """The module beside a set's notebook."""
    spec = importlib.util.spec_from_file_location(f"{slug}_wrong", ROOT / "solutions" / slug / "wrong_answers.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def wrong_answers(slug: str) -> dict[str, list[Any]]:
    """The catalogued wrong answers to each problem, by the id of its answer cell."""
    return catalogue(slug).WRONG_ANSWERS


def half_right(slug: str) -> dict[str, str]:
    """The wrong answers in the half-right submission: problem to name in the catalogue."""
    return catalogue(slug).HALF_RIGHT


def source(slug: str) -> nbformat.NotebookNode:
    return nbformat.read(ROOT / "solutions" / slug / f"{slug}.ipynb", 4)


def starter(slug: str) -> nbformat.NotebookNode:
    return nbformat.read(ROOT / "exercises" / slug / f"{slug}.ipynb", 4)


def grading(cell) -> dict[str, Any]:
    return cell.metadata.get("nbgrader", {})


def answer_ids(slug: str) -> list[str]:
    return [cell.id for cell in source(slug).cells if grading(cell).get("solution") and cell.id != "student-id"]


def points_of(slug: str, problem: str) -> dict[str, float]:
    """Points of the test cells of a problem, by id: those between its answer cell and the next answer."""
    points: dict[str, float] = {}
    current = None
    for cell in source(slug).cells:
        if grading(cell).get("solution"):
            current = cell.id
        elif grading(cell).get("grade") and current == problem:
            points[cell.id] = grading(cell)["points"]
    return points


def submission(slug: str, student: str, replace: dict[str, str] | None = None, keep: list[str] | None = None):
    """The released notebook with the reference's answers to `keep` (all by default), and `replace` on top."""
    nb, reference = copy.deepcopy(starter(slug)), {cell.id: cell.source for cell in source(slug).cells}
    keep = answer_ids(slug) if keep is None else keep
    for cell in nb.cells:
        if cell.id in keep:
            cell.source = reference[cell.id]
        elif cell.id == "student-id":
            cell.source = f"student_id = {student!r}"
            if tickets.needed(slug):
                cell.source += f"\nticket = {tickets.ticket(slug, student)!r}"
        cell.source = (replace or {}).get(cell.id, cell.source)
    return nb


class Course:
    """A course folder, with nbgrader's commands run in it as an instructor would."""

    def __init__(self, folder: Path):
        self.folder = folder
        shutil.copy(ROOT / "nbgrader_config.py", folder)
        shutil.copytree(ROOT / "solutions", folder / "solutions")

    def nbgrader(self, *arguments: str) -> str:
        """Run a command; its log. Threads of the linear algebra are limited as on a busy grading machine."""
        done = subprocess.run(
            [sys.executable, "-m", "nbgrader", *arguments],
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"},
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    def submit(self, slug: str, student: str, nb) -> None:
        folder = self.folder / "submitted" / student / slug
        folder.mkdir(parents=True, exist_ok=True)
        nbformat.write(nb, folder / f"{slug}.ipynb")

    def gradebook(self, course_id: str = "rl-foundations"):
        from nbgrader.api import Gradebook

        return Gradebook(f"sqlite:///{self.folder / 'gradebook.db'}", course_id)

    def scores(self, slug: str, student: str) -> dict[str, float | None]:
        """Automatic score of each graded cell, by id; None awaits a person."""
        with self.gradebook() as book:
            found = book.find_submission_notebook(slug, slug, student)
            return {grade.name: grade.auto_score for grade in found.grades}

    def messages(self, slug: str, student: str) -> dict[str, str]:
        """What the feedback page says under each test cell, by id, as text."""
        from bs4 import BeautifulSoup

        page = BeautifulSoup((self.folder / "feedback" / student / slug / f"{slug}.html").read_text(), "html.parser")
        found = {}
        for anchor in page.select(".nbgrader_cell a[name]"):
            if anchor["name"].startswith("comment-"):  # an answer cell, not a test
                continue
            cell = anchor.find_parent("div", class_="cell")
            found[anchor["name"]] = " ".join(pre.get_text() for pre in cell.select(".output_error pre"))
        return found
