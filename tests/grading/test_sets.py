"""What every problem set must have, read from its source, its catalogue and its released notebook."""

from __future__ import annotations

import ast
import re
import resource

import nbclient
import pytest

from rlgrade.instances import STUDENT_VARIABLE
from tests.grading.course import SETS, answer_ids, grading, points_of, source, starter, submission, wrong_answers

KINDS = {"implement", "witness", "derive", "compute", "experiment", "explain"}
HEADING = re.compile(r"^## Problem (\d+) · (.+)\n\n\*(\w+) · (\d+) points · (O\d)\*$", re.MULTILINE)


def problems(slug):
    """(number, title, kind, points, outcome) of each problem, and the id of its answer cell."""
    found, current = [], None
    for cell in source(slug).cells:
        heading = HEADING.search(cell.source) if cell.cell_type == "markdown" else None
        current = heading.groups() if heading else current
        if grading(cell).get("solution") and cell.id != "student-id":
            found.append((*current, cell.id))
    return found


@pytest.mark.parametrize("slug", SETS)
def test_problems_kinds_points_and_outcomes(slug):
    found = problems(slug)
    assert [int(number) for number, *_ in found] == list(range(1, len(found) + 1))
    assert len(found) >= 8
    kinds = {kind for _, _, kind, *_ in found}
    assert kinds <= KINDS
    assert len(kinds) >= 4
    table = source(slug).cells[0].source
    for number, title, kind, points, outcome, answer in found:
        assert f"| {number} | {title} | {kind} | {points} | {outcome} |" in table
        assert f"**{outcome}** " in table
        own = next(c for c in source(slug).cells if c.id == answer)
        assert float(points) == (grading(own).get("points") or sum(points_of(slug, answer).values()))
    assert sum(float(points) for *_, points, _, _ in found) == 100


@pytest.mark.parametrize("slug", SETS)
def test_at_least_three_wrong_answers_for_each_problem_that_is_graded_by_machine(slug):
    catalogue = wrong_answers(slug)
    machine = [answer for *_, kind, _, _, answer in problems(slug) if kind != "explain"]
    assert list(catalogue) == machine
    for problem, wrong in catalogue.items():
        assert len({w.name for w in wrong}) >= 3, problem
        for w in wrong:
            ast.parse(w.source)
            assert w.fails, w.name
            assert set(w.fails) <= points_of(slug, problem).keys(), w.name
        lost = {name for w in wrong for name in w.fails}
        assert lost == points_of(slug, problem).keys(), (
            f"no wrong answer to {problem} fails {points_of(slug, problem).keys() - lost}"
        )


@pytest.mark.parametrize("slug", SETS)
def test_the_source_is_clean_and_its_ids_are_stable(slug):
    nb = source(slug)
    assert len({cell.id for cell in nb.cells}) == len(nb.cells)
    for cell in nb.cells:
        if cell.cell_type == "code":
            assert cell.execution_count is None
            assert cell.outputs == []
        if grading(cell):
            assert grading(cell)["grade_id"] == cell.id
            assert grading(cell)["schema_version"] == 3
    assert not re.search(r"^:::|\{(?:prf|ref|eq|cite)", "\n".join(c.source for c in nb.cells), re.MULTILINE)


@pytest.mark.parametrize("slug", SETS)
def test_the_released_notebook_shows_no_answer_and_no_empty_test(slug):
    text = "\n".join(cell.source for cell in starter(slug).cells)
    assert "SOLUTION" not in text
    assert "HIDDEN" not in text
    for cell in starter(slug).cells:
        if grading(cell).get("grade") and not grading(cell)["solution"]:
            assert re.search(r"^# (When|Checked here and when) graded: .{20,}", cell.source, re.MULTILINE), cell.id
        if grading(cell).get("solution") and cell.cell_type == "code":
            assert "raise NotImplementedError" in cell.source
            assert cell.id == "student-id" or '"""' in cell.source, "the interface is stated in a docstring"


def processor_seconds():
    """Of all child processes that have ended: the clock on the wall depends on what else the machine does."""
    return sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2])


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("slug", SETS)
def test_the_set_runs_in_ten_seconds_and_the_first_cell_in_plain_jupyter(slug, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv(STUDENT_VARIABLE, "reference")
    nb = source(slug)
    before = processor_seconds()
    nbclient.NotebookClient(nb, timeout=60).execute()  # raises at the first error: all hidden tests must pass
    assert processor_seconds() - before < 10
    monkeypatch.delenv(STUDENT_VARIABLE)
    released = submission(slug, "someone", keep=[])
    nbclient.NotebookClient(released, timeout=60, allow_errors=True).execute()
    errors = {
        c.id for c in released.cells if c.cell_type == "code" and any(o.output_type == "error" for o in c.outputs)
    }
    tests = {name for problem in answer_ids(slug) for name in points_of(slug, problem)}
    assert errors == tests  # each test fails, nothing else does
