"""Tickets, individual instances and model solutions of the exams."""

from __future__ import annotations

import csv
import io
import os
from contextlib import redirect_stdout
from math import sqrt

import nbformat
import numpy as np
import pytest

from rlgrade import exam, tickets
from rlgrade.check import Wrong
from rlgrade.instances import STUDENT_VARIABLE
from rlgrade.preprocessors import environment
from rlgrade.roster import RosterError, read_roster
from rlgrade.sets import exam_planning
from rlgrade.tickets import LETTERS, SECRET_VARIABLE, TICKET_VARIABLE, Paper, TicketError, ticket
from tests.grading.course import SECRET, Course, points_of, source, starter, submission

SLUG = "exam_planning"
COMPUTE = ("network", "regulator", "chain", "tower", "occupancy")
PINNED = {
    "network": {
        "first": (31, 19, 18),
        "second": ((12, 9, 17), (5, 17, 40), (29, 8, 2)),
        "third": ((21, 24, 22), (8, 37, 39), (2, 26, 38)),
        "last": (19, 5, 22),
    },
    "regulator": {"a": 0.96, "b": 1.0, "q": 5, "r": 4, "f": 1, "x0": 9},
    "chain": {"P": ((0.05, 0.45, 0.5), (0.5, 0.3, 0.2), (0.1, 0.3, 0.6))},
    "tower": {"luck": (0.62, 0.72, 0.48), "fee": 22, "prize": (15, 35, 60, 122)},
    "occupancy": {
        "gamma": 0.9,
        "start0": 0.5,
        "to0": ((0.4, 0.7), (0.8, 0.2)),
        "one": (0.1, 0.9),
        "r": ((-1, 8), (9, 5)),
    },
}


@pytest.fixture(autouse=True)
def ungraded(monkeypatch):
    monkeypatch.delenv(STUDENT_VARIABLE, raising=False)
    monkeypatch.delenv(TICKET_VARIABLE, raising=False)


def paper(student, code=None):
    return Paper(SLUG, student, ticket(SLUG, student) if code is None else code)


# ---------------------------------------------------------------------- tickets


def test_a_ticket_is_fixed_for_ever(monkeypatch):
    monkeypatch.setenv(SECRET_VARIABLE, "correct-horse-battery")
    assert ticket(SLUG, "ada") == "87WM-S46G-X0K5"
    assert ticket(SLUG, "Müller") == "CR7E-MYRY-3NCF"
    assert ticket("exam_learning", "ada") != ticket(SLUG, "ada")
    monkeypatch.setenv(SECRET_VARIABLE, "correct-horse-batterie")
    assert ticket(SLUG, "ada") != "87WM-S46G-X0K5"


def test_the_ticket_is_hmac_sha256_as_openssl_prints_it(monkeypatch):
    """printf 'exam_planning\\nada' | openssl dgst -sha256 -hmac correct-horse-battery"""
    monkeypatch.setenv(SECRET_VARIABLE, "correct-horse-battery")
    bits = f"{int(OPENSSL, 16):0256b}"
    body = "".join(LETTERS[int(bits[5 * i : 5 * i + 5], 2)] for i in range(10))
    assert ticket(SLUG, "ada").replace("-", "")[:10] == body


OPENSSL = "41f94c90d0e81b7cc801277fe51408c69b11e4ca7ad62483f87bd7f73daeaecd"


def test_instances_are_fixed_for_ever(monkeypatch):
    monkeypatch.setenv(SECRET_VARIABLE, "correct-horse-battery")
    for name, instance in PINNED.items():
        assert getattr(exam_planning, name)(paper("ada")) == instance
    assert set(PINNED) == set(COMPUTE)


@pytest.mark.parametrize("other", ["ÄDA", " äda ", "A\u0308da", "a\u0308DA"])
def test_case_blanks_and_composition_of_an_id_do_not_matter(other):
    assert ticket(SLUG, other) == ticket(SLUG, "äda")
    assert exam_planning.network(paper(other)) == exam_planning.network(paper("äda"))
    assert exam_planning.network(Paper(SLUG, other, ticket(SLUG, "äda"))) == exam_planning.network(paper("äda"))


def test_a_ticket_may_be_typed_carelessly_but_not_wrongly():
    right = ticket(SLUG, "ada")
    for typed in (right.lower(), right.replace("-", ""), f"  {right.replace('-', ' ')} ", right.replace("-", "\u2013")):
        assert tickets.fits(SLUG, "ada", typed) == right.replace("-", "")[:10]
    for student in map(str, range(300)):  # some tickets hold a 0 or a 1
        typed = ticket(SLUG, student).replace("0", "o").replace("1", "l")
        assert tickets.fits(SLUG, student, typed) == ticket(SLUG, student).replace("-", "")[:10]


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("", "type the ticket at the top"),
        (None, "type the ticket at the top"),
        ("7QK2-M0XZ", "has 8 letters and digits; 12 are needed"),
        ("7QK2-M0XZ-9RT!", "holds '!'"),
        ("7QK2-M0XZ-9RTB", "does not fit the id 'ada'"),
    ],
)
def test_a_wrong_ticket_is_told(typed, says):
    with pytest.raises(Wrong, match=says):
        tickets.fits(SLUG, "ada", typed)
    assert says in repr(Paper(SLUG, "ada", typed))
    with pytest.raises(Wrong, match=says):
        exam_planning.chain(Paper(SLUG, "ada", typed))


def test_nearly_all_slips_of_one_letter_and_swaps_are_noticed():
    unnoticed = tried = 0
    for student in map(str, range(12)):
        right = ticket(SLUG, student).replace("-", "")
        wrong = {right[:i] + letter + right[i + 1 :] for i in range(12) for letter in LETTERS}
        wrong |= {right[:i] + right[i + 1] + right[i] + right[i + 2 :] for i in range(11)}
        for typed in wrong - {right}:
            tried += 1
            unnoticed += not says_wrong(student, typed)
    assert tried > 4000
    assert unnoticed <= tried / 1024 + 4 * sqrt(tried / 1024)


def says_wrong(student, typed):
    try:
        tickets.fits(SLUG, student, typed)
    except Wrong as wrong:
        return "does not fit" in str(wrong)
    return False


def test_a_mistyped_id_or_a_neighbours_ticket_is_told():
    assert "does not fit the id 'adaa'" in repr(Paper(SLUG, "adaa", ticket(SLUG, "ada")))
    assert "does not fit the id 'ben'" in repr(Paper(SLUG, "ben", ticket(SLUG, "ada")))
    assert "type both at the top" in repr(Paper(SLUG, "", ticket(SLUG, "ada")))
    assert "fits the id 'ada'" in repr(paper("Ada"))


# ---------------------------------------------------------------------- the secret


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (None, f"Set the environment variable {SECRET_VARIABLE}"),
        ("  ", f"Set the environment variable {SECRET_VARIABLE}"),
        ("fifteen letters", "has 15 characters; at least 16"),
        ("/nowhere/secret.txt", "names a file that cannot be read"),
    ],
)
def test_without_a_good_secret_there_are_no_tickets(monkeypatch, value, says):
    monkeypatch.delenv(SECRET_VARIABLE) if value is None else monkeypatch.setenv(SECRET_VARIABLE, value)
    with pytest.raises(TicketError, match=says):
        ticket(SLUG, "ada")


def test_the_secret_may_be_in_a_file(monkeypatch, tmp_path):
    file, expected = tmp_path / "secret.txt", ticket(SLUG, "ada")
    file.write_text(f"{SECRET}\n", encoding="utf-8")
    monkeypatch.setenv(SECRET_VARIABLE, str(file))
    assert ticket(SLUG, "ada") == expected
    file.write_text("short\n", encoding="utf-8")
    with pytest.raises(TicketError, match="has 5 characters"):
        ticket(SLUG, "ada")
    monkeypatch.setenv(SECRET_VARIABLE, str(tmp_path))
    with pytest.raises(TicketError, match="cannot be read"):
        ticket(SLUG, "ada")
    with pytest.raises(TicketError, match="empty id"):
        ticket(SLUG, " ")


def test_the_environment_is_put_back(monkeypatch):
    monkeypatch.setenv("RLGRADE_A", "before")
    monkeypatch.delenv("RLGRADE_B", raising=False)
    inside = {}

    def fails():
        with environment({"RLGRADE_A": None, "RLGRADE_B": "now"}):
            inside.update(os.environ)
            raise KeyError

    with pytest.raises(KeyError):
        fails()
    assert "RLGRADE_A" not in inside
    assert inside["RLGRADE_B"] == "now"
    assert os.environ["RLGRADE_A"] == "before"
    assert "RLGRADE_B" not in os.environ


# ---------------------------------------------------------------------- whose instance counts


def test_while_grading_the_notebook_is_not_trusted(monkeypatch):
    own, ben = exam_planning.network(paper("ada")), paper("ben")
    monkeypatch.setenv(STUDENT_VARIABLE, "Ada")
    for handed in (ticket(SLUG, "ada"), ""):  # handed over by the preprocessor, or made anew from the secret
        monkeypatch.setenv(TICKET_VARIABLE, handed)
        assert exam_planning.network(ben) == own
        assert exam_planning.network(Paper(SLUG, "", "")) == own
        assert exam_planning.network(ben, as_typed=True) != own
        assert "names the id 'ben', but it is graded as 'ada'" in repr(ben)
        assert "is not that of 'ada'" in repr(Paper(SLUG, "ada", ticket(SLUG, "ben")))
        assert "fits the id 'ada'" in repr(Paper(SLUG, "ADA", ticket(SLUG, "ada").lower()))


def test_without_secret_and_ticket_grading_refuses(monkeypatch):
    typed = paper("ada")
    monkeypatch.setenv(STUDENT_VARIABLE, "ada")
    monkeypatch.delenv(SECRET_VARIABLE)
    with pytest.raises(Wrong, match="the notebook's ticket is not trusted"):
        exam_planning.network(typed)
    assert "cannot be graded" in repr(typed)


# ---------------------------------------------------------------------- instances and answers


@pytest.fixture(scope="module")
def space():
    """What the exam's cells define, run once with its own tests."""
    found: dict = {}
    with environment({STUDENT_VARIABLE: "ada", TICKET_VARIABLE: None}), redirect_stdout(io.StringIO()):
        for cell in source(SLUG).cells:
            if cell.cell_type == "code":
                exec(compile(cell.source, cell.id, "exec"), found)
    return found


def answer(space, name, instance):
    """The answer to a compute question, to four significant digits of its largest number, as one tuple."""
    space[f"mine_{name}"] = instance
    with redirect_stdout(io.StringIO()):
        parts = space[name]()
    rounded = []
    for part in parts:
        numbers = np.ravel(np.asarray(part, dtype=float))
        rounded += [float(f"{x:.4g}") for x in numbers]
    return tuple(rounded)


@pytest.mark.parametrize("name", COMPUTE)
def test_two_ids_have_two_answers(space, name):
    """2,000 ids: n (n - 1) / 2 pairs collide in 1 of `SPACE` cases each, if answers told all instances apart."""
    n = 2000
    instances = [getattr(exam_planning, name)(paper(f"student{i}")) for i in range(n)]
    expected = n * (n - 1) / 2 / exam_planning.SPACE[name]
    allowed = int(expected + 4 * sqrt(expected))
    assert n - len({str(m) for m in instances}) <= allowed
    assert n - len({answer(space, name, m) for m in instances}) <= allowed


@pytest.mark.slow
@pytest.mark.parametrize("name", COMPUTE)
def test_the_reference_passes_for_a_hundred_ids_also_when_rounded(space, monkeypatch, name):
    """Every visible and hidden test of the question, with each number at four significant digits."""
    cells = [compile(c.source, c.id, "exec") for c in source(SLUG).cells if c.id in points_of(SLUG, name)]
    reference = space[name]
    for i in range(100):
        own = paper(f"student{i}")
        monkeypatch.setitem(space, "paper", own)
        monkeypatch.setitem(space, f"mine_{name}", getattr(exam_planning, name)(own))
        with redirect_stdout(io.StringIO()):
            rounded = [np.vectorize(lambda x: float(f"{x:.4g}"))(part) for part in reference()]
            monkeypatch.setitem(space, name, handed_in(name, rounded))
            for cell in cells:
                exec(cell, space)
        monkeypatch.setitem(space, name, reference)


def handed_in(name, parts):
    def written():
        return tuple(parts)

    written.__name__ = name
    return written


def test_the_number_of_possible_instances_is_as_stated():
    """Counted from the draws themselves: the product of the lengths of all ranges."""
    for name in COMPUTE:
        counting = Counting()
        getattr(exam_planning, name)(counting)
        assert counting.product == exam_planning.SPACE[name]
        assert counting.product > 10**6


class Counting:
    """Stands for a paper and its draw: multiplies the lengths of the ranges."""

    product = 1

    def draw(self, slug, *, as_typed=False):
        return self

    def integer(self, low, high):
        self.product *= high - low + 1
        return low

    def choice(self, options):
        return options[self.integer(0, len(options) - 1)]


def test_instances_are_worth_asking(space):
    games = [exam_planning.tower(paper(f"s{i}")) for i in range(400)]
    plans = [tuple(space["cash_of"](m)) for m in games]
    assert len(set(plans)) >= 4
    assert max(plans.count(plan) for plan in plans) < 0.6 * len(plans)
    roads = [exam_planning.network(paper(f"s{i}")) for i in range(400)]
    greedy = [np.array_equal(exam_planning.network_slips(m)["to_go"][NEAREST], space["to_go_of"](m)) for m in roads]
    assert np.mean(greedy) < 0.2


NEAREST = "You always take the shortest next road: a longer one may lead to a better place."


# ---------------------------------------------------------------------- the experiment


@pytest.mark.slow
def test_an_honest_experiment_fails_less_than_once_in_a_thousand(space):
    """3,000 gradings for each test: means of 600 walks, drawn from many returns, and the limits that the text names."""
    rng = np.random.default_rng(0)
    pools = np.array([[one_return(space, first, rng) for _ in range(20_000)] for first in range(2)])
    truth = pools.mean(axis=1)
    np.testing.assert_allclose(truth, space["walk_values"](6)[0], atol=5 * pools.std() / sqrt(20_000))
    failures, gradings = np.zeros(2, int), 3000
    for _ in range(gradings):
        n = 40 * 600
        walks = np.array([pool[rng.integers(len(pool), size=n)] for pool in pools]).reshape(2, 40, 600)
        means, errors = walks.mean(axis=2), walks.std(axis=2, ddof=1) / sqrt(600)
        centre, spread = means.mean(axis=1), means.std(axis=1, ddof=1) / sqrt(40)
        failures[0] += (np.abs(centre - truth) > 4.4 * spread).any()
        failures[1] += not 39 <= (((means - centre[:, None]) / errors) ** 2).sum() <= 135
        assert errors.max() < 0.15
    assert (failures <= 5).all()  # 3 are expected at a rate of 1e-3; at 2e-4 more than 5 have probability 4e-5


def one_return(space, first, rng):
    s, a, total = 0, first, 0.0
    for _ in range(6):
        reward, s = space["step"](s, a, rng)
        total, a = total + reward, int(rng.integers(2))
    return total


def test_the_limits_of_the_experiment_follow_from_the_laws():
    from scipy.stats import chi2, t

    text = next(cell.source for cell in source(SLUG).cells if cell.id == "rollouts-text")
    assert "4.4 of its own standard errors" in text
    assert "between 39 and 135" in text
    assert 2 * 2 * t.sf(4.4, 39) < 5e-4
    assert chi2.cdf(39, 78) + chi2.sf(135, 78) < 5e-4


# ---------------------------------------------------------------------- model solutions


@pytest.fixture(scope="module")
def solved():
    """Model solutions of two students; running them runs all hidden tests on their instances."""
    return {student: exam.model_solution(source(SLUG), SLUG, student) for student in ("ada", "Ben")}


def test_model_solutions_differ_and_show_instances_working_and_answers(solved):
    texts = {}
    for student, nb in solved.items():
        nbformat.validate(nb)
        shown = {c.id: c.outputs[0].text for c in nb.cells if c.cell_type == "code" and c.outputs}
        assert set(shown) >= {*COMPUTE, *(f"{name}-instance" for name in COMPUTE)}
        assert all("Answer:" in shown[name] and len(shown[name].splitlines()) > 4 for name in COMPUTE)
        text = "\n".join(cell.source for cell in nb.cells)
        assert "HIDDEN" not in text
        assert "SOLUTION" not in text
        assert f"{student}, ticket {ticket(SLUG, student)}" in text
        assert SECRET not in nbformat.writes(nb)
        texts[student] = shown
    assert all(texts["ada"][name] != texts["Ben"][name] for name in COMPUTE)


def test_a_reference_that_fails_its_tests_gives_no_model_solution():
    nb = source(SLUG)
    cell = next(c for c in nb.cells if c.id == "chain")
    cell.source = cell.source.replace("return law,", "return law[::-1],")
    with pytest.raises(Wrong, match="law"):
        exam.model_solution(nb, SLUG, "ada")


@pytest.mark.parametrize("name", COMPUTE)
@pytest.mark.parametrize(
    ("student", "typed", "says"),
    [
        ("ada", ("ada", "ada"), None),
        ("ada", ("ADA ", "ada"), None),
        ("ada", ("", ""), None),
        ("ada", ("ben", "ben"), "right for the id 'ben' at the top, but you are graded as 'ada'"),
        ("ada", ("ada", "forged"), "right for the ticket typed at the top, which is not that of 'ada'"),
    ],
)
def test_what_the_checks_say_of_a_neighbours_answer(space, monkeypatch, name, student, typed, says):
    """The answer is the reference's, for the instance that the notebook names (the own one where it names none)."""
    code = forged(typed[0]) if typed[1] == "forged" else ticket(SLUG, typed[1]) if typed[1] else ""
    named = Paper(SLUG, typed[0], code)
    monkeypatch.setenv(STUDENT_VARIABLE, student)
    m = getattr(exam_planning, name)(named, as_typed=bool(typed[0]))
    monkeypatch.setitem(space, "paper", named)
    monkeypatch.setitem(space, f"mine_{name}", m)
    said = []
    for cell in (c for c in source(SLUG).cells if c.id in points_of(SLUG, name)):
        try:
            with redirect_stdout(io.StringIO()):
                exec(compile(cell.source, cell.id, "exec"), space)
        except Wrong as wrong:
            said.append(str(wrong))
    assert not said if says is None else says in said[0]


def forged(student):
    """Another ticket whose check characters fit, as one mistyping in 1,024 does."""
    body = "0000000000"
    return body + tickets._check(SLUG, student, body)


# ---------------------------------------------------------------------- the command line


def test_the_commands_write_tickets_and_solutions(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(Course(tmp_path).folder)
    roster = tmp_path / "roster.csv"
    roster.write_text("\ufeffname;Student_ID\nA;ada\n;\nB;Müller/3\n", encoding="utf-8")
    exam.main(["tickets", str(roster)])
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [(row["student_id"], row["ticket"]) for row in rows] == [(s, ticket(SLUG, s)) for s in ("ada", "Müller/3")]
    exam.main(["tickets", str(roster), "--to", str(tmp_path / "tickets.csv")])
    assert list(csv.DictReader(io.StringIO((tmp_path / "tickets.csv").read_text(encoding="utf-8")))) == rows
    exam.main(["solutions", str(roster), "--to", str(tmp_path / "pages")])
    assert "2/2" in capsys.readouterr().err  # tqdm's progress
    pages = {path.name: path.read_text(encoding="utf-8") for path in (tmp_path / "pages").iterdir()}
    assert set(pages) == {"ada.html", exam.file_name("Müller/3")}
    assert all(ticket(SLUG, s) in pages[exam.file_name(s)] for s in ("ada", "Müller/3"))
    assert exam.file_name("Müller/3") != exam.file_name("Moller/3")
    exam.main(["solution", "ada", "--to", str(tmp_path / "one")])
    assert (tmp_path / "one" / "ada.html").read_text(encoding="utf-8") == pages["ada.html"]


def test_ids_one_a_line(tmp_path):
    roster = tmp_path / "ids.txt"
    roster.write_bytes(b" ada \r\n\r\nben\r\n")
    assert read_roster(roster) == ["ada", "ben"]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "cannot be read: No such file"),
        (b"\xff\xfe\x00", "not text in UTF-8"),
        (b"", "holds no ids"),
        (b"student_id\n", "holds no ids"),
        (b"name,mail\nA,a@x\n", "line 1, has several columns.*'student_id'"),
        (b"name,student_id\nA,ada\nB,\n", "line 3: the id is missing"),
        (b"name,student_id\nA,ada\nB\n", "line 3: the id is missing"),
        (b"ada\nben\nada\n", "line 3: the id 'ada' is that of line 1, 'ada'"),
        ("Jos\u00e9\nJOSE\u0301\n".encode(), "line 2: .* is that of line 1, 'Jos\u00e9'"),
    ],
)
def test_a_bad_roster_is_told_in_one_line(tmp_path, content, says):
    roster = tmp_path / "roster.csv"
    if content is not None:
        roster.write_bytes(content)
    with pytest.raises(RosterError, match=says):
        read_roster(roster)
    with pytest.raises(SystemExit, match=says):
        exam.main(["tickets", str(roster)])


def test_other_slips_of_the_instructor_are_told(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit, match="run this in the repository's folder"):
        exam.main(["solution", "ada"])
    with pytest.raises(SystemExit, match="is no exam"):
        exam.main(["solution", "ada", "--exam", "discounted"])
    (tmp_path / "course").mkdir()
    monkeypatch.chdir(Course(tmp_path / "course").folder)
    with pytest.raises(SystemExit, match="An empty id has no ticket"):
        exam.main(["solution", " "])
    monkeypatch.delenv(SECRET_VARIABLE)
    with pytest.raises(SystemExit, match="secret is not set"):
        exam.main(["solution", "ada", "--to", "pages"])
    assert not (tmp_path / "course" / "pages").exists()


# ---------------------------------------------------------------------- nbgrader

SPY = """def network():
    import os
    seen = [name for name, value in os.environ.items() if "SECRET_HERE" in value or name == "RLGRADE_COURSE_SECRET"]
    raise RuntimeError(f"secrets: {seen}, student: {os.environ['RLGRADE_STUDENT']}, {os.environ['RLGRADE_TICKET']}")
"""


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_nbgrader_hands_the_kernel_a_ticket_and_no_secret_and_refuses_without_one(tmp_path, monkeypatch):
    course = Course(tmp_path)
    course.nbgrader("generate_assignment", SLUG)
    half = SECRET[: len(SECRET) // 2]
    course.submit(SLUG, "Spy", submission(SLUG, "Spy", {"network": SPY.replace("SECRET_HERE", half)}))
    own = submission(SLUG, "mistyped")
    wrong = forged("mistyped")
    next(c for c in own.cells if c.id == "student-id").source = f"student_id = 'mistyped'\nticket = {wrong!r}"
    course.submit(SLUG, "mistyped", own)
    with monkeypatch.context() as patch:
        patch.delenv(SECRET_VARIABLE)
        with pytest.raises(AssertionError, match="The course's secret is not set"):
            course.nbgrader("autograde", SLUG)
        assert not list(course.folder.glob("autograded/*/*/*.ipynb"))
    course.nbgrader("autograde", SLUG)
    course.nbgrader("generate_feedback", SLUG)
    told = " ".join(course.messages(SLUG, "Spy")["network-lengths"].split())
    assert f"secrets: [], student: Spy, {ticket(SLUG, 'Spy')}" in told
    scores = course.scores(SLUG, "mistyped")  # code that reads its instance is right, whatever ticket is typed
    assert sum(score or 0 for score in scores.values()) == 92
    page = (course.folder / "feedback" / "mistyped" / SLUG / f"{SLUG}.html").read_text(encoding="utf-8")
    assert "is not that of" in page


def test_the_paper_names_no_secret():
    text = "\n".join(cell.source for cell in starter(SLUG).cells)
    assert SECRET not in text
    assert SECRET_VARIABLE not in text
