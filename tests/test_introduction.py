"""The claims of the introduction, on random processes, where they are tight, and where they fail."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rlcore import FiniteMDP, greedy, worlds
from rlcore.planning.discounted import evaluate, solve
from tests.instances import instances, random_policy

BOOK = Path(__file__).parents[1] / "book"

NEVER_TIGHT = {
    "thm-random-horizon": "an equation, not an inequality",
    "prop-abel": "an equation and a limit, not an inequality",
}


def expected_rewards(mdp: FiniteMDP, pi: np.ndarray, n: int) -> np.ndarray:
    """x_t from every state: array (n, S)."""
    P, x = mdp.induced(pi)
    rows = [x]
    for _ in range(n - 1):
        rows.append(P @ rows[-1])
    return np.array(rows)


def random_instances(seed: int, count: int = 100):
    rng = np.random.default_rng(seed)
    for _ in range(count):
        S, A = int(rng.integers(2, 9)), int(rng.integers(1, 5))
        mdp = worlds.garnet(S, A, int(rng.integers(1, S + 1)), gamma=rng.uniform(0, 0.95), rng=rng)
        shifted = replace(mdp, r=mdp.r * rng.uniform(0.1, 5) - rng.uniform(0, 3))
        yield shifted, random_policy(shifted, rng), rng


# ---------------------------------------------------------------------- discounting is a random horizon


@pytest.mark.claim("thm-random-horizon", "random")
def test_geometric_mixture_of_horizons_is_the_discounted_value():
    for mdp, pi, _ in random_instances(1):
        n = np.arange(1, 1001)
        law = (1 - mdp.gamma) * mdp.gamma ** (n - 1)
        totals = expected_rewards(mdp, pi, 1000).cumsum(axis=0)  # totals[n - 1]: the sum of the first n
        np.testing.assert_allclose(law @ totals, evaluate(mdp, pi), rtol=1e-9, atol=1e-9)


@pytest.mark.claim("thm-random-horizon", "random")
def test_geometric_horizon_by_simulation():
    """Draws of N and of the rewards: their mean is within five standard errors."""
    rng, gamma = np.random.default_rng(2), 0.8
    lifetimes = rng.geometric(1 - gamma, size=20_000)
    rewards = rng.choice([-1.0, 3.0], size=(20_000, 1)) * np.ones(200)  # correlated over time, independent of N
    earned = np.where(np.arange(200) < lifetimes[:, None], rewards, 0).sum(axis=1)
    assert abs(earned.mean() - 1 / (1 - gamma)) < 5 * earned.std() / np.sqrt(len(earned))


@pytest.mark.claim("thm-random-horizon", "dropped")
def test_a_horizon_that_depends_on_the_rewards_breaks_it():
    """Good machines (reward 1 for ever) outlive bad ones (reward 0), though N is geometric over all."""
    rng, gamma, n = np.random.default_rng(3), 0.5, 200_000
    good = rng.random(n) < 0.5
    lifetimes = np.where(good, 1 + rng.geometric(0.5, size=n), 1)
    for k in range(1, 6):
        assert abs(np.mean(lifetimes > k) - gamma**k) < 5 / np.sqrt(n)
    earned, discounted = np.mean(good * lifetimes), 0.5 / (1 - gamma)
    assert earned == pytest.approx(1.5, abs=0.02)
    assert earned > discounted + 0.4


# ---------------------------------------------------------------------- from discounted to average


@pytest.mark.claim("prop-abel", "random")
def test_discounted_mean_is_a_mixture_of_means_and_tends_to_the_average():
    for mdp, pi, _ in random_instances(5):
        x = expected_rewards(mdp, pi, 3000)[:, 0]
        T = np.arange(1, 3001)
        means = x.cumsum() / T
        weights = (1 - mdp.gamma) ** 2 * T * mdp.gamma ** (T - 1)
        assert weights.sum() == pytest.approx(1)
        assert weights @ means == pytest.approx((1 - mdp.gamma) * evaluate(mdp, pi)[0], abs=1e-9)
        patient = replace(mdp, gamma=1 - 1e-6)
        long_run = np.linalg.matrix_power((np.eye(mdp.S) + mdp.induced(pi)[0]) / 2, 2**20)[0] @ mdp.induced(pi)[1]
        assert 1e-6 * evaluate(patient, pi)[0] == pytest.approx(long_run, abs=1e-3)


@pytest.mark.claim("prop-abel", "dropped")
def test_without_a_limit_of_the_means_neither_mean_settles():
    """Ones on [1, 10), [100, 1000), ... and zeros else: each block is nine times as long as all before it."""
    starts = 10.0 ** np.arange(0, 16, 2)
    average = [np.minimum(10 * starts, T).sum() - np.minimum(starts, T).sum() for T in 10.0 ** np.arange(4, 12)]
    means = np.array(average) / 10.0 ** np.arange(4, 12)
    np.testing.assert_allclose(means, np.where(np.arange(8) % 2 == 0, 1 / 11, 10 / 11), atol=1e-3)
    horizons = 10.0 ** np.arange(4, 12, 0.25)
    # with gamma = e^(-1/T), a block from a to b contributes gamma^a - gamma^b to the discounted mean
    discounted = np.array([(np.exp(-starts / T) - np.exp(-10 * starts / T)).sum() for T in horizons])
    np.testing.assert_allclose(discounted[:16], discounted[16:], atol=1e-3)  # goes on for ever, period 100 in T
    assert np.ptp(discounted) > 0.4


# ---------------------------------------------------------------------- criteria disagree


def farm(c: float, gamma: float) -> FiniteMDP:
    return FiniteMDP.from_arrays([[[1, 0], [0, 1]], [[0, 1], [0, 0]]], [[1, 0], [c, -np.inf]], gamma)


def harvest_is_the_only_optimum(c: float, gamma: float, T: int) -> bool:
    """By enumeration of when to invest, and by the Bellman equation."""
    when = np.arange(T)
    finite = bool((when + c * (T - when - 1) < T - 1e-12).all())
    q = solve(farm(c, gamma)).q[0]
    return finite and bool(q[0] > q[1] + 1e-12)


def average(c: float, action: int) -> float:
    """Reward per year from the field, taking always `action` there: the limit of (1 - gamma) v."""
    return 1e-8 * evaluate(farm(c, 1 - 1e-8), np.array([action, 0]))[0]


def criteria_disagree(c: float, gamma: float, T: int) -> bool:
    return harvest_is_the_only_optimum(c, gamma, T) and average(c, 0) < average(c, 1) - 1e-6


@pytest.mark.claim("prop-criteria-disagree", "random")
def test_the_criteria_disagree_exactly_in_the_interval():
    rng = np.random.default_rng(6)
    for i in range(200):
        gamma, T = rng.uniform(0.02, 0.97), int(rng.integers(2, 40))
        if i % 2:
            gamma, T = rng.uniform(0.5, 0.97), int(rng.integers(2, 6))
        low, high = sorted((1 / gamma, T / (T - 1)))
        assert criteria_disagree(1 + (low - 1) * rng.uniform(0.02, 0.98), gamma, T)
        assert not criteria_disagree(rng.uniform(0.1, 1), gamma, T)
        assert not criteria_disagree(low + 1e-6, gamma, T)
        if high - low > 1e-3:
            assert not criteria_disagree(rng.uniform(low, high), gamma, T)


@pytest.mark.claim("prop-criteria-disagree", "tight")
@pytest.mark.parametrize(("c", "gamma", "T"), [(1 / 0.8, 0.8, 2), (5 / 4, 0.1, 5)])
def test_the_edges_of_the_interval_are_sharp(c, gamma, T):
    """One edge set by the discount factor, one by the horizon."""
    assert not criteria_disagree(c, gamma, T)
    assert criteria_disagree(c - 1e-6, gamma, T)


@pytest.mark.claim("prop-criteria-disagree", "dropped")
def test_for_a_fixed_process_and_gamma_close_to_one_they_agree():
    """The process may not be chosen before the discount factor: from gamma > 1/c on, investing is optimal."""
    for gamma in (0.92, 0.99, 0.9999):
        assert solve(farm(1.1, gamma)).pi[0] == 1


# ---------------------------------------------------------------------- the price of myopia


@pytest.mark.claim("prop-myopia", "random")
def test_myopia_is_optimal_without_influence_and_bounded_with_it():
    losses = 0
    for mdp, _ in instances(7, 200, terminal=False):
        loss = solve(mdp, tol=1e-10).v - evaluate(mdp, greedy(mdp.r))
        range_of_rewards = np.ptp(mdp.r[mdp.feasible])
        assert loss.min() >= -1e-6
        assert loss.max() <= mdp.gamma / (1 - mdp.gamma) * range_of_rewards + 1e-6
        losses += loss.max() > 1e-3
        no_influence = FiniteMDP(np.tile(mdp.P[: mdp.S], (mdp.A, 1)), mdp.r, mdp.gamma)  # action 0 is always feasible
        best = solve(no_influence, tol=1e-10).v
        np.testing.assert_allclose(evaluate(no_influence, greedy(mdp.r)), best, atol=1e-6)
    assert losses >= 25  # the bound was put to the test


@pytest.mark.claim("prop-myopia", "tight")
@pytest.mark.parametrize("gamma", [0.0, 0.5, 0.99])
def test_a_trap_costs_the_whole_bound(gamma):
    p = np.zeros((3, 2, 3))
    p[0, 0, 1] = p[0, 1, 2] = p[1, :, 1] = p[2, :, 2] = 1
    trap = FiniteMDP.from_arrays(p, [[0, 0], [0, 0], [1, 1]], gamma)
    loss = solve(trap).v - evaluate(trap, greedy(trap.r))
    assert loss[0] == pytest.approx(gamma / (1 - gamma))


@pytest.mark.claim("prop-myopia", "dropped")
def test_where_actions_influence_states_myopia_is_not_optimal():
    machine = worlds.machine_replacement()
    assert (solve(machine).v - evaluate(machine, greedy(machine.r))).min() > 1


@pytest.mark.claim("prop-myopia", "dropped")
def test_where_an_action_can_end_the_process_equal_rewards_are_no_protection():
    quit_or_work = FiniteMDP.from_arrays(
        [[[0, 1], [1, 0]], [[0, 0], [0, 0]]], [[1, 1], [0, 0]], 0.9, terminal=np.array([False, True])
    )
    loss = solve(quit_or_work).v - evaluate(quit_or_work, greedy(quit_or_work.r))
    assert loss[0] == pytest.approx(9)  # although rewards range over 0


# ---------------------------------------------------------------------- the chapter as a file


def test_reading_map_is_that_of_the_index():
    """The chapter's figure and the table of the index are two drawings of one graph."""
    cells = json.loads((BOOK / "introduction.ipynb").read_text(encoding="utf-8"))["cells"]
    space: dict = {}
    for cell in cells:
        source = "".join(cell["source"])
        if re.match(r"part_[12] = ", source):
            exec(source.split("available =")[0], space)
    drawn = space["part_1"] | space["part_2"]
    table = {}
    for row in (BOOK / "index.md").read_text(encoding="utf-8").splitlines():
        columns = [re.sub(r"\[(.*?)\]\(.*?\)", r"\1", part).strip() for part in row.split("|")[1:-1]]
        if len(columns) == 3 and columns[2].strip("*") in ("to read", "planned"):
            table[columns[0]] = [] if columns[1] == "nothing" else re.split(r",\s*", columns[1])
    assert drawn == table
