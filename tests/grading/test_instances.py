"""rlgrade.instances, certificates, formula and the individual machine."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlcore import FiniteMDP
from rlcore.planning.discounted import solve
from rlgrade import certificates, formula, instances
from rlgrade.check import Wrong, close
from rlgrade.instances import STUDENT_VARIABLE, Draw, student_id
from rlgrade.sets import discounted

DRAWN = [105, 907, 545]


@pytest.fixture(autouse=True)
def ungraded(monkeypatch):
    monkeypatch.delenv(STUDENT_VARIABLE, raising=False)


def test_a_draw_is_fixed_for_ever():
    draw = Draw("ada", "discounted/machine")
    # SHA-256 of "ada\ndiscounted/machine\n0", "...1", "...2", as printed by sha256sum, modulo 1000
    assert [draw.integer(0, 999) for _ in range(3)] == DRAWN
    assert Draw(" Ada ", "discounted/machine").integer(0, 999) == DRAWN[0]
    assert Draw("ada", "other").integer(0, 999) != DRAWN[0]
    with pytest.raises(ValueError, match="low <= high"):
        draw.integer(2, 1)


@given(st.text(min_size=1), st.integers(-50, 50), st.integers(0, 100))
def test_a_draw_stays_in_its_range(student, low, width):
    draw = Draw(student, "range")
    assert all(low <= draw.integer(low, low + width) <= low + width for _ in range(5))
    assert draw.choice("abc") in "abc"


def test_draws_are_uniform():
    counts = np.bincount([Draw(str(i), "die").integer(0, 5) for i in range(6000)])
    assert ((counts - 1000) ** 2 / 1000).sum() < 20.5  # chi-square, 5 degrees of freedom: 0.1 %


def test_the_id_comes_from_nbgrader_first(monkeypatch):
    with pytest.raises(Wrong, match="type it near the top"):
        student_id("")
    assert student_id(" Ada ") == "ada"
    monkeypatch.setenv(STUDENT_VARIABLE, "ben")
    assert student_id("ada") == "ben"
    assert discounted.machine("ada") == discounted.machine("ben")
    assert discounted.machine("ada", as_typed=True) != discounted.machine("ben")


def test_without_an_id_the_machine_asks_for_it_only_when_used():
    mine = instances.mine(discounted.machine, "")
    assert "type it near the top" in repr(mine)
    with pytest.raises(Wrong, match="type it near the top"):
        mine["earns"]
    assert instances.mine(discounted.machine, "ada") == discounted.machine("ada")


def test_the_wrong_id_is_named(monkeypatch):
    monkeypatch.setenv(STUDENT_VARIABLE, "ben")
    slips = discounted.machine_slips("ada", lambda m: m["price"])
    assert any("'ada'" in text and "'ben'" in text for text in slips)


@pytest.mark.parametrize("seed", range(50))
def test_random_processes_are_valid_and_certified(seed):
    P, r, gamma = instances.mdp(seed, 5, 3)
    mdp = FiniteMDP.from_arrays(P, r, gamma)
    v = certificates.optimal_values(P, r, gamma)
    np.testing.assert_allclose(v, solve(mdp, tol=1e-10).v, atol=1e-7)
    assert certificates.bellman_residual(P, r, gamma, v) < 1e-9 * max(1, abs(v).max())
    assert certificates.bellman_residual(P, r, gamma, v + 1) > (1 - gamma) / 2
    assert instances.mdp(seed, 5, 3, 0.25)[2] == 0.25


def test_policies_are_evaluated_alike_in_both_forms():
    P, r, gamma = instances.mdp(3, 5, 3)
    pi = np.array([0, 2, 1, 1, 0])
    np.testing.assert_allclose(
        certificates.policy_values(P, r, gamma, pi), certificates.policy_values(P, r, gamma, np.eye(3)[pi])
    )


def test_every_machine_is_valid_has_a_threshold_and_hardly_two_are_alike():
    machines = [discounted.machine(f"student {i}") for i in range(500)]
    assert len({str(m) for m in machines}) > 495
    for m in machines:
        P, r = discounted.machine_arrays(m)
        FiniteMDP.from_arrays(P, r, m["gamma"])
        worth = [certificates.policy_values(P, r, g, [0, 0, 1])[2] for g in (0.01, 0.9999)]
        assert worth[0] < 0 < worth[1]
    early = np.mean([np.diff(q_worn(m))[0] > 0 for m in machines])
    assert 0.2 < early < 0.8  # replacing a worn machine is right for some students, wrong for others


def q_worn(m):
    P, r = discounted.machine_arrays(m)
    return r[1] + m["gamma"] * P[1] @ certificates.optimal_values(P, r, m["gamma"])


@pytest.mark.parametrize("seed", range(5))
def test_all_policies_of_twins_are_worth_the_same(seed):
    P, r, gamma = discounted.twins(seed)
    v = certificates.optimal_values(P, r, gamma)
    for actions in np.random.default_rng(seed).integers(2, size=(20, 10)):
        np.testing.assert_allclose(certificates.policy_values(P, r, gamma, actions), v, atol=1e-9)


@pytest.mark.parametrize("seed", [31, 5, 11])
def test_the_visible_twins_catch_a_program_that_compares_floats_exactly(seed):
    P, r, gamma = discounted.twins(seed)
    pi, states = np.zeros(10, int), np.arange(10)
    v = np.linalg.solve(np.eye(10) - gamma * P[states, pi], r[states, pi])
    assert (np.argmax(r + gamma * P @ v, axis=1) != pi).any()


SLIPS = {
    "order is": lambda q, P, v: q.argmax(1),
    "axis 0": lambda q, P, v: q.max(0),
    "sums over the actions": lambda q, P, v: (q + 0.9 * (v @ P - P @ v)).max(1),
}


@pytest.mark.parametrize("fragment", SLIPS)
def test_slips_of_a_square_process_are_named(fragment):
    P, r, gamma = instances.mdp(5, 3, 3, 0.9)
    v = np.array([3.0, -2.0, 7.0])
    q = r + gamma * P @ v
    with pytest.raises(Wrong, match=fragment):
        close(SLIPS[fragment](q, P, v), q.max(1), what="tv", expected="", slips=discounted.bellman(P, r, gamma, v))


def test_an_alias_in_a_sweep_is_named():
    P, r, gamma = instances.mdp(41, 6, 3)
    v = np.zeros(6)
    new = v
    for s in range(6):
        new[s] = (r[s] + gamma * P[s] @ v).max()
    for name in ("value_iteration", "gauss_seidel"):
        known, sweeps = getattr(discounted, name)(P, r, gamma, 1e-3)[discounted.SAME_ARRAY]
        np.testing.assert_allclose(known, new)
        assert sweeps == 1


def test_formulas_are_exact():
    x = Fraction(2, 7)
    assert formula.evaluate("(4 - 2*gamma)/((1 - gamma)*(4 + gamma))", gamma=x) == (4 - 2 * x) / ((1 - x) * (4 + x))
    assert formula.evaluate("gamma^2 - +gamma**-1", gamma=x) == x**2 - 1 / x
    assert formula.evaluate("0.1 + 0.2") == Fraction(3, 10)


@pytest.mark.parametrize(
    ("text", "fragment"),
    [
        (0.8, "formula as text"),
        ("1/(1 - gamma", "cannot be read|not a formula"),
        ("2 gamma", "not a formula"),
        ("1/(gamma - gamma)", "divides by zero at gamma = 1/3"),
        ("(1 - gamma)(2 + gamma)", r"lacks a \* before a bracket"),
        ("gamma(2 + gamma)", r"lacks a \* before a bracket"),
        ("beta", "uses the name 'beta'"),
        ("gamma**0.5", "brackets only"),
        ("gamma**1000000000", "brackets only"),
        ("__import__('os')", "brackets only"),
        ("gamma.real", "brackets only"),
        ("1" * 600, "longer than 500"),
        ("(" * 240 + ")" * 240, "not a formula"),
    ],
)
def test_other_text_is_refused(text, fragment):
    with pytest.raises(Wrong, match=fragment):
        formula.evaluate(text, gamma=Fraction(1, 3))
