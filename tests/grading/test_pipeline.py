"""Submissions through nbgrader itself: reference, starter, a half-right one and every catalogued wrong answer."""

from __future__ import annotations

import csv
from itertools import zip_longest

import pytest
from bs4 import BeautifulSoup

from rlgrade.release import release
from tests.grading.course import (
    ROOT,
    SETS,
    Course,
    answer_ids,
    grading,
    half_right,
    points_of,
    source,
    starter,
    submission,
    wrong_answers,
)

# With pytest-xdist, one worker grades the submissions of a set for all tests of this file: see conftest.py.
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]


def manual(slug):
    """Points of the answers that wait for a person, by id."""
    return {
        c.id: grading(c)["points"] for c in source(slug).cells if grading(c).get("solution") and grading(c)["grade"]
    }


def batches(slug):
    """Student id -> wrong answers, one of each problem at most: the k-th student gives the k-th of every list."""
    rows = zip_longest(*([(problem, wrong) for wrong in found] for problem, found in wrong_answers(slug).items()))
    return {f"s{1003 + k}": dict(entry for entry in row if entry) for k, row in enumerate(rows)}


@pytest.fixture(scope="module", params=SETS)
def graded(request, tmp_path_factory):
    """The course after generate_assignment, autograde, generate_feedback and export."""
    slug, course = request.param, Course(tmp_path_factory.mktemp("course"))
    course.nbgrader("generate_assignment", slug)
    course.submit(slug, "reference", submission(slug, "reference"))
    course.submit(slug, "blank", starter(slug))
    chosen = {p: next(w for w in wrong_answers(slug)[p] if w.name == name) for p, name in half_right(slug).items()}
    half = answer_ids(slug)[: len(answer_ids(slug)) // 2]
    course.submit(slug, "half-right", submission(slug, "half-right", {p: w.source for p, w in chosen.items()}, half))
    for student, wrong in batches(slug).items():
        typed = next((w.student_id for w in wrong.values() if w.student_id), student)
        course.submit(slug, student, submission(slug, typed, {problem: w.source for problem, w in wrong.items()}))
    course.log = course.nbgrader("autograde", slug)
    course.nbgrader("generate_feedback", slug)
    course.nbgrader("export", "--to", "grades.csv")
    return slug, course


def test_reference_has_every_point_and_awaits_the_manual_ones(graded):
    slug, course = graded
    scores = course.scores(slug, "reference")
    expected = {name: points for problem in answer_ids(slug) for name, points in points_of(slug, problem).items()}
    automatic = {name: score for name, score in scores.items() if name not in manual(slug)}
    assert automatic == expected
    with course.gradebook() as book:
        for name in manual(slug):
            grade = book.find_grade(name, slug, slug, "reference")
            assert grade.needs_manual_grade
            assert grade.auto_score is None
        assert book.find_submission(slug, "reference").needs_manual_grade


def test_starter_scores_nothing_and_says_so(graded):
    slug, course = graded
    assert set(course.scores(slug, "blank").values()) == {0}
    messages = course.messages(slug, "blank")
    for problem in wrong_answers(slug):
        for name in points_of(slug, problem):
            assert "is not written yet" in messages[name], (name, messages[name])


def test_half_right(graded):
    slug, course = graded
    lost = {
        name
        for problem, chosen in half_right(slug).items()
        for wrong in wrong_answers(slug)[problem]
        if wrong.name == chosen
        for name in wrong.fails
    }
    scores, half = course.scores(slug, "half-right"), answer_ids(slug)[: len(answer_ids(slug)) // 2]
    for problem in answer_ids(slug):
        for name, points in points_of(slug, problem).items():
            assert scores[name] == (points if problem in half and name not in lost else 0), name


def test_each_wrong_answer_loses_its_points_with_its_message(graded):
    slug, course = graded
    for student, wrong in batches(slug).items():
        scores, messages = course.scores(slug, student), course.messages(slug, student)
        for problem in wrong_answers(slug):
            points = points_of(slug, problem)
            fails = wrong[problem].fails if problem in wrong else ()
            lost = {name for name in points if scores[name] == 0}
            assert lost == set(fails), (student, problem, {name: messages[name] for name in lost})
            assert all(scores[name] == points[name] for name in points.keys() - lost)
            for name in fails:
                assert wrong[problem].says in " ".join(messages[name].split()), (name, messages[name])


def test_feedback_hides_the_tests_and_is_short(graded):
    slug, course = graded
    hidden = hidden_lines(slug)
    assert len(hidden) > 50
    for student in ("reference", "blank", "half-right", *batches(slug)):
        page = BeautifulSoup((course.folder / "feedback" / student / slug / f"{slug}.html").read_text(), "html.parser")
        assert "HIDDEN TESTS" not in page.get_text()
        if student == "blank":  # others' own answers may hold a line of a test
            assert not [line for line in hidden if line in page.get_text()]
        messages = course.messages(slug, student)
        assert not [line for line in hidden if line in " ".join(messages.values())]
        assert "Traceback" not in " ".join(messages.values())
        assert max(map(len, messages.values())) < 1000


def hidden_lines(slug):
    """Lines long enough to be told apart that students must never see."""
    lines, hidden = set(), False
    for cell in source(slug).cells:
        for line in cell.source.splitlines():
            hidden = (hidden or "BEGIN HIDDEN" in line) and "END HIDDEN" not in line
            if hidden and len(line.strip()) > 30 and "HIDDEN" not in line:
                lines.add(line.strip())
    return lines - {line.strip() for cell in starter(slug).cells for line in cell.source.splitlines()}


def test_exported_grades(graded):
    slug, course = graded
    with open(course.folder / "grades.csv", newline="") as file:
        rows = {row["student_id"]: row for row in csv.DictReader(file)}
    assert set(rows) == {"reference", "blank", "half-right", *batches(slug)}
    for student, row in rows.items():
        total = sum(score or 0 for score in course.scores(slug, student).values())
        assert float(row["score"]) == total
        assert float(row["max_score"]) == 100
    assert float(rows["reference"]["score"]) == 100 - sum(manual(slug).values())
    assert float(rows["blank"]["score"]) == 0


def test_a_manual_score_survives_a_regrade(graded):
    slug, course = graded
    name = next(iter(manual(slug)))
    with course.gradebook() as book:
        grade = book.find_grade(name, slug, slug, "reference")
        grade.manual_score, grade.needs_manual_grade = 3.5, False
        book.db.commit()
    course.nbgrader("autograde", slug, "--student", "reference", "--force")
    with course.gradebook() as book:
        assert book.find_grade(name, slug, slug, "reference").score == 3.5
        book.find_grade(name, slug, slug, "reference").manual_score = None
        book.db.commit()


def test_release_is_deterministic_and_needs_no_gradebook(tmp_path):
    course = Course(tmp_path)
    release([], course.folder)
    first = {slug: (tmp_path / "exercises" / slug / f"{slug}.ipynb").read_bytes() for slug in SETS}
    release([], course.folder)
    for slug in SETS:
        folder = tmp_path / "exercises" / slug
        assert [path.name for path in folder.iterdir()] == [f"{slug}.ipynb"]
        assert (folder / f"{slug}.ipynb").read_bytes() == first[slug]
        committed = (ROOT / "exercises" / slug / f"{slug}.ipynb").read_bytes()
        assert first[slug] == committed, "exercises/ is out of date: run `make exercises`."
    assert not (tmp_path / "gradebook.db").exists()
