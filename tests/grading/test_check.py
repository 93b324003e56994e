"""rlgrade.check: what it accepts, and what it says."""

from __future__ import annotations

import contextlib
import time
import warnings

import numpy as np
import pytest

from rlcore import FiniteMDP
from rlgrade import check
from rlgrade.check import Wrong, ask, close, demand, numbers, parts


def says(fragment):
    return pytest.raises(Wrong, match=fragment)


def test_plain_values_come_back_as_they_are():
    mdp = FiniteMDP(np.eye(1), np.zeros((1, 1)), 0.5)
    value = {"a": [1, (2.5, "x")], "b": None, "m": mdp, "t": True}
    assert ask(lambda: value) == value
    assert type(ask(lambda: np.float64(2))) is float
    assert type(ask(lambda: np.arange(3).view(np.matrix))) is np.ndarray


def test_arguments_are_copies():
    P = np.zeros(3)

    def spoil(P):
        P += 1
        return P

    assert ask(spoil, P).sum() == 3
    assert P.sum() == 0


def test_output_and_warnings_are_dropped(capsys):
    def noisy():
        print("here")
        warnings.warn("careful", stacklevel=1)
        return np.float64(1) / np.zeros(1)

    ask(noisy)
    assert capsys.readouterr() == ("", "")


def test_an_unwritten_function_is_named_and_so_is_the_one_it_calls():
    def inner():
        raise NotImplementedError

    def outer():
        return inner()

    with says("`inner` is not written yet"):
        ask(inner)
    with says("`inner`, which `outer` calls, is not written yet"):
        ask(outer)


def test_an_error_names_its_type_and_line_but_quotes_no_library():
    def answer(v):
        return np.linalg.solve(np.zeros((2, 2)), v)

    with says("`answer` stopped with LinAlgError: Singular matrix\n.*line [0-9]+ of its cell") as caught:
        ask(answer, np.ones(2))
    assert "site-packages" not in str(caught.value)
    with says("stopped with SystemExit"):
        ask(lambda: exit())
    with says("A function was expected here"):
        ask(3.0)


def test_a_wrong_number_of_arguments_names_those_of_both_and_no_line_of_ours():
    def answer(P, r):
        return P

    with says(r"called with 3 arguments \(array \(2,\), float, int\).* takes \(P, r\)") as caught:
        ask(answer, np.ones(2), 0.5, 1)
    assert "of its cell" not in str(caught.value)


def test_a_loop_that_never_ends_is_stopped_even_if_it_catches_exceptions():
    def endless():
        while True:
            with contextlib.suppress(Exception):
                sum(range(1000))

    with says("had not returned after 0.2 s"):
        ask(endless, seconds=0.2)
    with says("To see it again: seed 3"):
        ask(endless, seconds=0.1, where="seed 3")


def test_an_answer_that_waits_has_more_time_but_not_for_ever():
    """The limit is on processor time, so that a busy machine takes no points; by the clock it is ten times as long."""

    def waits():
        time.sleep(0.2)
        return 1

    def sleeps():
        while True:
            time.sleep(0.01)

    assert ask(waits, seconds=0.1) == 1
    with says("had not returned after 0.02 s"):
        ask(sleeps, seconds=0.02)


def test_objects_are_no_answers():
    class Agent:
        pass

    for value in (Agent(), [Agent()], lambda: 1, np.array([None])):
        with says("return plain numbers"):
            ask(lambda value=value: value)


@pytest.mark.parametrize(
    ("value", "fragment"),
    [
        (None, "is a `return` missing"),
        ([[1.0], [1.0, 2.0]], "rows of different lengths"),
        (["a", "b"], "must hold real numbers"),
        (np.ones((2, 1)), r"must be an array of shape \(2,\); got shape \(2, 1\)"),
        (1.0, "got a single number"),
        ([1.0, np.nan], r"v\[1\] is nan"),
        ([1.0, np.inf], r"v\[1\] is inf"),
        (np.array([1 + 1j, 2]), "must hold real numbers"),
    ],
)
def test_type_shape_and_finiteness_come_first(value, fragment):
    with says(fragment):
        close(value, [1, 2], what="v", expected="two numbers", slips={"never": [1, np.nan]})


def test_whole_numbers():
    assert numbers([1.0, 2.0], (2,), "pi", whole=True).dtype == int
    with says(r"pi\[0\] is 0.5: whole numbers"):
        numbers([0.5, 2.0], (2,), "pi", whole=True)


def test_the_misconception_that_matches_is_named():
    slips = {"Your values match those without gamma.": [3, 4], "Your values match the minimum.": [0, 0]}
    close([1, 2], [1, 2], what="v", expected="", slips=slips)
    with says("v: Your values match those without gamma.\n  Expected: Tv\n  Returned: .*\n  To see it again: seed 3"):
        close([3, 4], [1, 2], what="v", expected="Tv", slips=lambda: slips, where="seed 3")


def test_an_unknown_error_says_where_and_which_side_and_never_the_answer():
    with says(r"1 of 2 entries are wrong; the first, v\[1\], is too large") as caught:
        close([1, 2.5], [1, 2.25], what="v", expected="Tv")
    assert "2.25" not in str(caught.value)
    with says("It is too small"):
        close(0, 1, what="gamma", expected="")


def test_the_tolerance_is_relative_to_the_size():
    close([1e6 + 1e-3], [1e6], what="v", expected="")
    with says("too large"):
        close([1 + 1e-3], [1], what="v", expected="")


def test_parts():
    assert parts([1, 2], ("a", "b"), "f()") == (1, 2)
    with says("returned nothing"):
        parts(None, ("a", "b"), "f()")
    for value in ((1, 2, 3), np.ones(2), 3):
        with says(r"must return 2 things, \(a, b\)"):
            parts(value, ("a", "b"), "f()")


def test_demand_adds_the_misconception_seen():
    demand(True, "never", what="v")
    with says("v: too far. You stop too early."):
        demand(False, "too far.", what="v", got=[1.0], slips={"You stop too early.": [1.0]})
    with says("pi: too far. You stop too early."):
        demand(False, "too far.", what="pi", got=[1], seen=[2.0], slips={"You stop too early.": [2.0]})


def test_a_long_value_is_cut():
    assert len(check.report("v", "wrong.", got=np.arange(10_000))) < 250


def test_ipython_shows_the_message_and_no_traceback():
    assert Wrong("a\nb")._render_traceback_() == ["a", "b"]
    assert max(map(len, Wrong("word " * 100)._render_traceback_())) <= 88
    assert issubclass(Wrong, AssertionError)
