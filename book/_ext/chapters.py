"""What each chapter holds, counted from its sources: pure functions, without Sphinx."""

from __future__ import annotations

import ast
import json
import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from claims import DIRECTIVE, Claim, Register, claims_in, pages

PROOF = re.compile(r"^:{3,}\{dropdown\}[ \t]+(?:\w+[ \t]+)*[Pp]roofs?\b", re.MULTILINE)
PROBLEM = re.compile(r"^## Problem \d+ · .+\n\n\*(\w+) · (\d+) points", re.MULTILINE)
NOT_PROSE = (
    re.compile(r"\$\$.*?\$\$", re.DOTALL),  # formulas count as one word each
    re.compile(r"\$[^$\n]+\$"),
)
MARKUP = re.compile(r"^\s*(?::{3,}.*|:[\w-]+:.*|\|?[-:| ]+\|?)$", re.MULTILINE)


@dataclass(frozen=True)
class Chapter:
    """Counts of one chapter. `problems` and `wrong` are empty and 0 where it has no problem set."""

    page: str
    words: int
    stated: int
    proved: int
    claims: int
    checked: int
    problems: Counter = field(default_factory=Counter)
    points: int = 0
    wrong: int = 0


def words(text: str) -> int:
    """Words of a page's prose; each formula counts as one."""
    for pattern in NOT_PROSE:
        text = pattern.sub(" formula ", text)
    return len(re.findall(r"[^\W_][\w'’-]*", MARKUP.sub("", text)))


def proved(text: str) -> int:
    """Statements that a folded proof follows before the next statement begins."""
    starts = [m.start() for m in DIRECTIVE.finditer(text + "\n") if m["kind"] != "math"]
    ends = [*starts[1:], len(text)]
    return sum(PROOF.search(text, start, end) is not None for start, end in zip(starts, ends, strict=True))


def problem_set(folder: Path) -> tuple[Counter, int, int]:
    """Problems by kind, points, and catalogued wrong answers of a set; nothing where there is no such folder."""
    notebook = folder / f"{folder.name}.ipynb"
    if not notebook.is_file():
        return Counter(), 0, 0
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    text = "\n\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
    found = PROBLEM.findall(text)
    return Counter(kind for kind, _ in found), sum(int(points) for _, points in found), wrong_answers(folder)


def wrong_answers(folder: Path) -> int:
    """How many wrong answers the catalogue of a set names. Runs the catalogue: it is data written in Python."""
    scope: dict = {"__name__": f"wrong_answers_of_{folder.name}"}
    source = (folder / "wrong_answers.py").read_text(encoding="utf-8")
    exec(compile(ast.parse(source), str(folder / "wrong_answers.py"), "exec"), scope)
    return sum(len(answers) for answers in scope["WRONG_ANSWERS"].values())


def is_checked(claim: Claim, register: Register) -> bool:
    """Whether at least one test checks the claim."""
    return any(check.label == claim.label for check in register.checks)


def count_chapters(root: Path, register: Register) -> list[Chapter]:
    """The chapters, which are the notebooks of the book, page by page."""
    found = []
    for page, text in pages(root / "book"):
        if not (root / "book" / f"{page}.ipynb").is_file():
            continue
        claims = claims_in(text, page)
        statements = sum(claim.kind != "equation" for claim in claims)
        checked = sum(is_checked(claim, register) for claim in claims)
        kinds, points, wrong = problem_set(root / "solutions" / Path(page).name)
        counts = (words(text), statements, proved(text), len(claims), checked)
        found.append(Chapter(page, *counts, problems=kinds, points=points, wrong=wrong))
    return found


def count_exams(root: Path) -> list[tuple[str, Counter, int]]:
    """(title, problems by kind, wrong answers) of each problem set that is an exam, which belongs to no chapter."""
    found = []
    for folder in sorted((root / "solutions").glob("exam_*")):
        cells = json.loads((folder / f"{folder.name}.ipynb").read_text(encoding="utf-8"))["cells"]
        title = re.search(r"^# (.+)$", "".join(cells[0]["source"]), re.MULTILINE)
        kinds, _, wrong = problem_set(folder)
        found.append((title[1] if title else folder.name, kinds, wrong))
    return found
