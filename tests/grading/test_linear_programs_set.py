"""The individual wells, the misconceptions and the chi-squared tests of the problem set on linear programs."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import linprog

from rlgrade import instances
from rlgrade.check import Wrong
from rlgrade.instances import STUDENT_VARIABLE
from rlgrade.sets import linear_programs
from tests.grading.course import source


@pytest.fixture(autouse=True)
def ungraded(monkeypatch):
    monkeypatch.delenv(STUDENT_VARIABLE, raising=False)


def namespace(*ids):
    """What these cells of the problem set define."""
    space: dict = {}
    for cell in source("linear_programs").cells:
        if cell.id in ("imports", *ids):
            exec(compile(cell.source, cell.id, "exec"), space)
    return space


def well_program(m):
    """The well's program of visits, as arguments of linprog; the pair (s, a) is 2 s + a, and a = 1 pumps."""
    flow = np.repeat(np.eye(3), 2, axis=1)
    for s in range(3):
        for a, (to, chance) in enumerate([(min(s + 1, 2), m["rain"]), (max(s - 1, 0), m["fall"])]):
            flow[to, 2 * s + a] -= m["gamma"] * chance
            flow[s, 2 * s + a] -= m["gamma"] * (1 - chance)
    pay = np.array([[0, p] for p in m["pay"]]).ravel()
    return {"c": -pay, "A_ub": [[0, 1] * 3], "b_ub": [m["limit"]], "A_eq": flow, "b_eq": np.full(3, 1 / 3)}


def test_every_well_has_a_limit_that_binds_one_coin_and_a_price_that_is_no_mean():
    wells = [linear_programs.well(f"s{i}") for i in range(300)]
    assert len({str(m) for m in wells}) == 300
    assert linear_programs.well(" S1 ") == wells[1]
    coins = set()
    for m in wells:
        found = linprog(**well_program(m))
        free = linprog(**{**well_program(m), "b_ub": [1e6]})
        assert free.fun < found.fun - 0.01
        x = found.x.reshape(3, 2)
        pump = x[:, 1] / x.sum(axis=1)
        coin = np.flatnonzero((pump > 1e-6) & (pump < 1 - 1e-6))
        assert len(coin) == 1
        assert 2e-4 < pump[coin[0]] < 1 - 2e-4  # answers are compared to 1e-4
        coins.add(int(coin[0]))
        price, value = -found.ineqlin.marginals[0], -found.fun
        assert abs(price - value / m["limit"]) > 1e-2
    assert coins == {0, 1}  # at high water everybody pumps for sure


def test_the_well_is_that_of_the_graded_id(monkeypatch):
    monkeypatch.setenv(STUDENT_VARIABLE, "ben")
    assert linear_programs.well("ada") == linear_programs.well("ben")
    slips = linear_programs.well_slips("ada", lambda m: np.array(m["pay"]))
    first = next(iter(slips))
    assert "'ada'" in first
    assert "'ben'" in first
    np.testing.assert_array_equal(slips[first], linear_programs.well("ada", as_typed=True)["pay"])


def test_no_misconception_is_the_right_answer():
    space = namespace("occupancy", "programs", "certificate")
    for seed in range(200, 250):
        P, r, gamma = instances.mdp(seed, 4, 3)
        rng = np.random.default_rng(seed)
        mu, pi, v = rng.dirichlet(np.ones(4)), rng.dirichlet(np.ones(3), size=4), rng.normal(size=4)
        x = space["occupancy"](P, gamma, mu, pi)
        c_v, A_ub, b_ub = space["values_program"](P, r, gamma, mu)
        c_x, A_eq, b_eq = space["visits_program"](P, r, gamma, mu)
        upper, lower, losses = space["certificate"](P, r, gamma, mu, v)
        assert losses.sum() == pytest.approx(upper - lower)
        programs = linear_programs.programs(P, r, gamma, mu)
        bounds = linear_programs.certificate(P, r, gamma, mu, v)
        right = {"A_ub": A_ub, "b_ub": b_ub, "c_v": c_v, "A_eq": A_eq, "b_eq": b_eq, "c_x": c_x}
        pairs = [(x, linear_programs.occupancy(P, gamma, mu, pi)), *((right[k], programs[k]) for k in right)]
        pairs.append((losses, bounds["losses"]))
        harmless = "never lower it", "size of the change", "greedy for the rewards"  # right on some instances
        for want, name in ((upper, "upper"), (lower, "lower")):
            pairs.append((want, {t: w for t, w in bounds[name].items() if not any(h in t for h in harmless)}))
        for want, slips in pairs:
            for text, wrong in slips.items():
                assert np.abs(np.asarray(wrong) - want).max() > 1e-6, (seed, text)


GOOD = np.full((2, 2, 2), 0.5)
PAYS = np.zeros((2, 2))


@pytest.mark.parametrize(
    ("P", "r", "gamma", "fragment"),
    [
        (GOOD, np.zeros((2, 3)), 0.5, "A <= 2"),
        (GOOD, 1.0, 0.5, "S <= 3"),
        (GOOD, PAYS + 11, 0.5, "larger than 10"),
        (GOOD, PAYS, 0.95, "from 0.1 to 0.9"),
        (GOOD / 2, PAYS, 0.5, "must sum to 1"),
        (np.array([[[0.999, 0.001]] * 2] * 2), PAYS, 0.5, "at least 0.01"),
        (GOOD[:1], PAYS, 0.5, "must be an array of shape"),
    ],
)
def test_a_model_that_is_none_is_refused_with_its_place(P, r, gamma, fragment):
    linear_programs.model(GOOD, PAYS, 0.9)
    with pytest.raises(Wrong, match=fragment):
        linear_programs.model(P, r, gamma)


def test_a_right_experiment_fails_with_probability_below_one_in_a_thousand():
    """100,000 gradings of exact draws: counts of 4000 pairs, and tables of 2000 successive ones."""
    space, rng, n = namespace("draws", "draws-law"), np.random.default_rng(0), 100_000
    tail, failed = space["chdtrc"], np.zeros(n)
    laws = [test[4] for test in space["draw_tests"]]
    for law in (space["two_thirds"], *laws):
        hopes = 4000 * law.ravel()
        counts = rng.multinomial(4000, law.ravel(), size=n)
        failed += tail(len(hopes) - 1, ((counts - hopes) ** 2 / hopes).sum(axis=1)) < 2e-5
    for law in (space["two_thirds"], *laws[::2]):
        states = law.sum(axis=1)
        tables = rng.multinomial(2000, np.outer(states, states).ravel(), size=n).reshape(n, len(states), -1)
        hopes = tables.sum(axis=2, keepdims=True) * tables.sum(axis=1, keepdims=True) / 2000
        failed += tail((len(states) - 1) ** 2, ((tables - hopes) ** 2 / hopes).sum(axis=(1, 2))) < 2e-5
    assert (failed > 0).mean() < 1e-3


def test_a_law_that_is_nearly_right_is_told_apart():
    space = namespace("draws", "draws-law")
    for P, gamma, mu, pi, law, seed, _ in space["draw_tests"]:
        pairs = space["run_draws"](P, gamma, mu, pi, seed)
        assert space["chance"](pairs, law) >= 2e-5
        for text, wrong in linear_programs.draws(P, gamma, mu, pi).items():
            assert space["chance"](pairs, wrong) < 2e-5, text
