"""The book in numbers: what is counted is what a reader would count."""

from __future__ import annotations

import json

import chapters
import pytest
from chapters_table import table
from claims import find_checks

CHAPTER = """# A title

Two words and $x + y$, then more.

$$
a = b
$$

:::{prf:theorem} Named
:label: thm-a

It holds.
:::

*Idea.* Look.

:::{dropdown} Proof
Because.
:::

:::{prf:lemma} Stated only
:label: lem-b

See someone.
:::
"""

SET = [
    "# Set",
    "## Problem 1 · First\n\n*implement · 60 points · O1*",
    "## Problem 2 · Second\n\n*witness · 40 points · O1*",
]

CATALOGUE = 'WRONG_ANSWERS = {"first": ["a", "b", "c"], "second": ["d"]}\n'


@pytest.fixture
def repository(tmp_path):
    def notebook(path, sources):
        path.parent.mkdir(parents=True)
        cells = [{"cell_type": "markdown", "source": source.splitlines(keepends=True)} for source in sources]
        path.write_text(json.dumps({"cells": cells}), encoding="utf-8")

    notebook(tmp_path / "book" / "part" / "x.ipynb", [CHAPTER])
    notebook(tmp_path / "solutions" / "x" / "x.ipynb", SET)
    (tmp_path / "solutions" / "x" / "wrong_answers.py").write_text(CATALOGUE, encoding="utf-8")
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_x.py").write_text(
        'import pytest\n\n@pytest.mark.claim("thm-a", "random")\ndef test_it(): ...\n', encoding="utf-8"
    )
    (tmp_path / "book" / "index.md").write_text("Not a chapter.", encoding="utf-8")
    return tmp_path


def test_a_small_book_is_counted_as_by_hand(repository):
    (found,) = chapters.count_chapters(repository, find_checks(repository / "tests"))
    assert (found.page, found.stated, found.proved, found.claims, found.checked) == ("part/x", 2, 1, 2, 1)
    assert (dict(found.problems), found.points, found.wrong) == ({"implement": 1, "witness": 1}, 100, 4)


def test_words_are_those_of_the_prose():
    assert chapters.words("Two words and $x + y$, then more.") == 6  # the formula is one
    assert chapters.words("$$\na = b\n$$") == 1
    assert chapters.words(":label: thm-a\n\n:::{prf:theorem} Named\nIt holds.\n:::") == 2
    assert chapters.words("| a | b |\n|---|---|\n") == 2


def test_a_chapter_without_a_set_has_none(repository):
    for path in (repository / "solutions" / "x").iterdir():
        path.unlink()
    (found,) = chapters.count_chapters(repository, find_checks(repository / "tests"))
    assert (found.problems.total(), found.points, found.wrong) == (0, 0, 0)
    assert "no problem set" in table([found], [])


def test_an_exam_is_counted_though_it_has_no_chapter(repository):
    folder = repository / "solutions" / "exam_x"
    folder.mkdir()
    notebook = (repository / "solutions" / "x" / "x.ipynb").read_text(encoding="utf-8")
    (folder / "exam_x.ipynb").write_text(notebook, encoding="utf-8")
    (folder / "wrong_answers.py").write_text(CATALOGUE, encoding="utf-8")
    (exam,) = chapters.count_exams(repository)
    assert exam == ("Set", {"implement": 1, "witness": 1}, 4)
    lines = table([], [exam]).splitlines()
    assert lines[-3:-1] == ["  - 2", "  - 4"]


def test_the_table_of_this_book_sums_up(root):
    found = chapters.count_chapters(root, find_checks(root / "tests"))
    assert {chapter.page for chapter in found} >= {"introduction", "planning/discounted", "planning/episodic"}
    for chapter in found:
        assert chapter.proved <= chapter.stated <= chapter.claims
        assert chapter.points in (0, 100)
    exams = chapters.count_exams(root)
    last = table(found, exams).splitlines()[-7:-1]
    assert last[0] == "* - **All**"
    assert last[1] == f"  - {sum(chapter.words for chapter in found):,}"
    assert last[-1] == f"  - {sum(chapter.wrong for chapter in found) + sum(wrong for *_, wrong in exams)}"
