"""The directive `{chapters-table}`: what each chapter holds, counted from chapters, tests and problem sets."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.util.docutils import SphinxDirective

from chapters import Chapter, count_chapters, count_exams
from claims import find_checks
from claims_table import list_row

HEADER = ("Chapter", "Words", "Statements, proved", "Claims, checked", "Problems by kind", "Wrong answers")


class ChaptersTable(SphinxDirective):
    """One row a chapter, in the order of the table of contents."""

    def run(self) -> list:
        root = Path(self.config.rlbook_root or Path(self.env.app.srcdir).parent)
        self.env.note_reread()  # tests and other pages change without this one
        found = {chapter.page: chapter for chapter in count_chapters(root, find_checks(root / "tests"))}
        pages = re.findall(r"^\s*- file: (\S+)", (root / "_toc.yml").read_text(encoding="utf-8"), re.MULTILINE)
        built = [found[page] for page in pages if page in found and page in self.env.found_docs]
        text = table(built, count_exams(root))
        parent = nodes.container(classes=["chapters-table"])
        self.state.nested_parse(StringList(text.splitlines(), source="chapters-table"), self.content_offset, parent)
        return [parent]


def table(chapters: list[Chapter], exams: list[tuple[str, Counter, int]]) -> str:
    """MyST for the table, with a last row of sums."""
    papers = [(title, "", "", "", by_kind(kinds), str(wrong)) for title, kinds, wrong in exams]
    rows = [HEADER, *(row(chapter) for chapter in chapters), *papers, sums(chapters, exams)]
    lines = [line for cells in rows for line in list_row(cells)]
    return "\n".join([":::{list-table}", ":header-rows: 1", "", *lines, ":::", ""])


def by_kind(kinds: Counter) -> str:
    """Problems by kind, the most frequent first."""
    return ", ".join(f"{n} {kind}" for kind, n in kinds.most_common())


def row(chapter: Chapter) -> tuple[str, ...]:
    """The six cells of a chapter."""
    return (
        f"{{doc}}`/{chapter.page}`",
        f"{chapter.words:,}",
        f"{chapter.stated}, {chapter.proved}",
        f"{chapter.claims}, {chapter.checked}",
        by_kind(chapter.problems) or "no problem set",
        f"{chapter.wrong}" if chapter.wrong else "",
    )


def sums(chapters: list[Chapter], exams: list[tuple[str, Counter, int]]) -> tuple[str, ...]:
    """The cells of the last row."""
    problems = sum(c.problems.total() for c in chapters) + sum(kinds.total() for _, kinds, _ in exams)
    wrong = sum(c.wrong for c in chapters) + sum(wrong for *_, wrong in exams)
    stated, proved = sum(c.stated for c in chapters), sum(c.proved for c in chapters)
    claims, checked = sum(c.claims for c in chapters), sum(c.checked for c in chapters)
    words = sum(c.words for c in chapters)
    return ("**All**", f"{words:,}", f"{stated}, {proved}", f"{claims}, {checked}", f"{problems}", f"{wrong}")
