"""The simulation problem fails a correct experiment with probability below 1e-3, and does not pass a wrong one."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom

from tests.grading.course import source

REPEATS, ALLOWED, RUNS = 120, 15, 20_000


def namespace():
    """What the test cells of the problem define."""
    space: dict = {}
    for cell in source("discounted").cells:
        if cell.id in ("imports", "simulation", "simulation-width"):
            exec(compile(cell.source, cell.id, "exec"), space)
    return space


def test_the_count_allowed_is_the_smallest_that_keeps_the_promise():
    text = next(cell.source for cell in source("discounted").cells if cell.id == "simulation-text")
    assert f"{ALLOWED + 1} or more of the {REPEATS} intervals" in text
    coverage = next(cell.source for cell in source("discounted").cells if cell.id == "simulation-coverage")
    assert f"missed <= {ALLOWED}" in coverage
    assert binom.sf(ALLOWED, REPEATS, 0.05) < 1e-3 / 2  # half for this test, half for the other
    assert binom.sf(ALLOWED - 2, REPEATS, 0.05) > 1e-3


def test_the_walk_is_the_process_whose_value_is_tested():
    space = namespace()
    states = np.repeat(np.arange(4), 20_000)
    rewards, after = space["walk"](states, np.random.default_rng(0))
    for s in range(4):
        np.testing.assert_allclose(rewards[states == s].mean(), space["pays"][s], atol=0.015)
        np.testing.assert_allclose(np.bincount(after[states == s], minlength=4) / 20_000, space["law"][s], atol=0.015)


@pytest.mark.slow
def test_false_failures_are_rarer_than_one_in_a_thousand():
    """20,000 gradings of the most exposed honest answer: intervals that miss in 5 % of the cases, no more, no less.

    Each takes the mean of m runs of the very process of the test, plus and minus 1.96 exact standard errors. Runs are
    drawn once and resampled, because 20,000 x 120 experiments would take hours.
    """
    space, rng = namespace(), np.random.default_rng(1)
    states, total = np.full(200_000, 1), np.zeros(200_000)
    for k in range(60):
        rewards, states = space["walk"](states, rng)
        total += 0.85**k * rewards
    truth, half_width = space["walk_values"][1], 0.4
    m = int(np.ceil((1.96 * total.std() / half_width) ** 2))
    failures = 0
    for _ in range(RUNS):
        midpoints = rng.choice(total, size=(REPEATS, m)).mean(axis=1)
        missed = (np.abs(midpoints - truth) > half_width).sum()
        error = 4 * midpoints.std(ddof=1) / np.sqrt(REPEATS) + half_width / 2
        failures += bool(missed > ALLOWED or abs(midpoints.mean() - truth) > error)
    assert failures <= RUNS * 1e-3


@pytest.mark.slow
def test_the_reference_never_fails_in_many_gradings():
    space = namespace()
    for batch in range(20):
        intervals, truth, error = space["walk_intervals"](start=10_000 + REPEATS * batch)
        assert ((intervals[:, 0] > truth) | (truth > intervals[:, 1])).sum() <= ALLOWED
        assert abs(intervals.mean() - truth) <= error
