"""rlgrade.paths and the instances of the problem set on shortest paths."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from rlgrade import paths
from rlgrade.check import Wrong
from rlgrade.instances import STUDENT_VARIABLE
from rlgrade.sets import episodic


@pytest.fixture(autouse=True)
def ungraded(monkeypatch):
    monkeypatch.delenv(STUDENT_VARIABLE, raising=False)


def values(P, r, pi):
    rows = np.arange(len(pi))
    return np.linalg.solve(np.eye(len(pi)) - P[rows, pi], r[rows, pi])


def policies(P, terminal):
    """All proper policies, told apart from the others by a long walk; the action in terminal states is 0."""
    S, A = P.shape[:2]
    for pi in product(*(range(1 if end else A) for end in terminal)):
        walk = P[np.arange(S), pi] + np.diag(terminal)
        for _ in range(30):
            walk = walk @ walk
        if (walk[:, terminal].sum(axis=1) > 1 - 1e-6).all():
            yield np.array(pi)


@pytest.mark.parametrize("seed", range(8))
def test_forward_has_proper_policies_only(seed):
    P, r, terminal = paths.forward(seed, 5, 2)
    assert len(list(policies(P, terminal))) == 2 ** (~terminal).sum()
    np.testing.assert_allclose(P.sum(axis=(1, 2)), 2 * ~terminal)
    assert not r[terminal].any()


@pytest.mark.parametrize("wait", [False, True])
@pytest.mark.parametrize("seed", range(8))
def test_in_a_maze_action_0_never_ends_and_the_certificate_is_the_best_proper_policy(seed, wait):
    P, r, terminal = paths.maze(seed, 5, 3, wait=wait)
    proper = list(policies(P, terminal))
    assert proper
    assert not paths.reach(P[:, 0], terminal)[~terminal].all()
    best = np.max([values(P, r, pi) for pi in proper], axis=0)
    np.testing.assert_allclose(paths.best_values(P, r, terminal), best, atol=1e-7)


def test_the_certificate_refuses_a_loop_that_earns():
    P, r = np.zeros((2, 2, 2)), np.array([[1.0, 0.0], [0.0, 0.0]])
    P[0, 0, 0] = P[0, 1, 1] = 1.0
    with pytest.raises(ArithmeticError, match="a loop earns"):
        paths.best_values(P, r, np.array([False, True]))


def test_reach_follows_positive_entries_only():
    steps = np.array([[0, 1e-300, 0], [0, 0, 1], [0, 0, 0]])
    np.testing.assert_array_equal(paths.reach(steps, np.array([False, False, True])), [True, True, True])
    np.testing.assert_array_equal(paths.reach(steps, np.array([True, False, False])), [True, False, False])


def test_the_factor_is_the_smallest():
    P, _, terminal = paths.forward(3, 5, 2)
    w = np.where(terminal, 0, np.arange(1.0, 6))
    rho = paths.factor(P, terminal, w)
    excess = ((P @ w) - rho * w[:, None])[~terminal]
    assert excess.max() == pytest.approx(0, abs=1e-12)


GOOD = np.array([[[0.0, 1, 0], [0, 0, 1]], [[1, 0, 0], [0, 0, 1]], [[0, 0, 0], [0, 0, 0]]])
STAY = GOOD[[0, 0, 2]]


@pytest.mark.parametrize(
    ("P", "r", "terminal", "fragment"),
    [
        (GOOD, np.zeros((3, 3)), [0, 0, 1], "A <= 2"),
        (GOOD, 1.0, [0, 0, 1], "S <= 3"),
        (GOOD, np.zeros((3, 2)), [0, 0, 0], "at least one true"),
        (2 * GOOD, np.zeros((3, 2)), [0, 0, 1], "must sum to 1"),
        (GOOD, np.ones((3, 2)), [0, 0, 1], "rows of terminal states must be 0"),
        (GOOD[:, [0, 0]], np.zeros((3, 2)), [0, 0, 1], "no policy is proper: from state 0"),
        (STAY, np.zeros((3, 2)), [0, 0, 1], "can stay in state 1"),
    ],
)
def test_a_model_that_is_none_is_refused_with_its_place(P, r, terminal, fragment):
    paths.model(GOOD, np.zeros((3, 2)), [False, False, True])
    with pytest.raises(Wrong, match=fragment):
        paths.model(P, r, terminal)


def test_streets_differ_and_the_best_choice_depends_on_them():
    streets = [episodic.street(f"s{i}") for i in range(300)]
    assert len({str(m) for m in streets}) == 300
    assert episodic.street(" S1 ") == streets[1]
    plans = {tuple(choosy(m)) for m in streets}
    assert len(plans) >= 3
    assert (1, 1, 1, 1) not in plans  # taking the first free place is right for nobody


def choosy(m):
    v = np.zeros(4)
    for _ in range(300):
        on = m["drive"] + np.roll(v, -1)
        v = np.array(m["free"]) * np.minimum(m["walk"], on) + (1 - np.array(m["free"])) * on
    return (np.array(m["walk"]) < m["drive"] + np.roll(v, -1)).astype(int)


def test_the_slips_of_a_street_name_the_id_that_was_typed(monkeypatch):
    monkeypatch.setenv(STUDENT_VARIABLE, "ben")
    slips = episodic.street_slips("ada", lambda m: np.array(m["walk"]))
    first = next(iter(slips))
    assert "'ada'" in first
    assert "'ben'" in first
    np.testing.assert_array_equal(slips[first], episodic.street("ada", as_typed=True)["walk"])
