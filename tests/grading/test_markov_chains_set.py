"""The chains, the exact linear algebra, the individual instances and the sampling tests of the set on Markov chains."""

from __future__ import annotations

from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from scipy.special import chdtri

from rlgrade import chains, check
from rlgrade.instances import STUDENT_VARIABLE
from rlgrade.sets import markov_chains
from tests.grading.course import source

DRAWS, SHOWN, LEVEL, GRADINGS = 2000, 600, 1e-4, 20_000


@pytest.fixture(autouse=True)
def ungraded(monkeypatch):
    monkeypatch.delenv(STUDENT_VARIABLE, raising=False)


def trees(P):
    """Invariant weights by the Markov chain tree theorem: the products along all trees that lead to each state."""
    n, weights = len(P), []
    for root in range(n):
        total = Fraction(0)
        for ways in product(range(n), repeat=n - 1):
            ahead = dict(zip([i for i in range(n) if i != root], ways, strict=True))
            ends = set(ahead)
            for _ in range(n):
                ends = {ahead[i] for i in ends if i != root}
            if not ends:
                total += np.prod([Fraction(P[i, j]) for i, j in ahead.items()], initial=Fraction(1))
        weights.append(total)
    return [w / sum(weights) for w in weights]


# ---------------------------------------------------------------------- chains


@pytest.mark.parametrize("seed", range(12))
def test_the_exact_law_is_that_of_the_tree_theorem(seed):
    P = chains.chain(seed, 4, 1 + seed % 2)
    assert chains.law(P) == trees(P)


@pytest.mark.parametrize(("n", "d"), [(4, 1), (6, 2), (6, 3), (5, 5), (1, 1)])
def test_random_chains_are_irreducible_with_a_multiple_of_the_period(n, d):
    for seed in range(30):
        P = chains.chain(seed, n, d)
        np.testing.assert_allclose(P.sum(axis=1), 1)
        assert (np.linalg.matrix_power(np.eye(n) + P, n) > 0).all()
        for t in range(1, 2 * n):
            assert t % d == 0 or not np.linalg.matrix_power(P, t).diagonal().any()


def test_slow_chains_take_the_digits_of_a_linear_solver():
    lost = []
    for seed in range(50, 58):
        P = chains.slow(seed, 4)
        law = np.array([float(x) for x in trees(P)])
        np.testing.assert_allclose([float(x) for x in chains.law(P)], law, rtol=1e-12)
        rows = np.vstack([(P.T - np.eye(4))[:-1], np.ones(4)])
        lost.append(np.abs(np.linalg.solve(rows, np.eye(4)[-1]) / law - 1).max() > 1e-8)
    assert np.mean(lost) > 0.5


def test_exact_solves_with_fractions_and_refuses_a_singular_matrix():
    assert chains.exact([[0, 2], [3, 1]], [1, 1]) == [Fraction(1, 6), Fraction(1, 2)]
    with pytest.raises(ZeroDivisionError):
        chains.exact([[1, 2], [2, 4]], [1, 1])


def test_maps_move_each_state_by_its_own_row():
    P = np.array([[0.25, 0.5, 0.25], [0, 1, 0], [0.5, 0, 0.5]])
    u = (np.arange(4000) + 0.5) / 4000
    for i in range(3):
        after = np.array([chains.maps(P)(np.array([i]), x)[0] for x in u])
        np.testing.assert_allclose(np.bincount(after, minlength=3) / 4000, P[i], atol=1e-3)


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ([[1, 0], [0.5, 0.4]], "row 1 is no law"),
        ([[0.5, 0], [0.5, 1]], "Your columns sum to 1"),
        ([[1.5, -0.5], [0.5, 0.5]], "row 0 is no law"),
        (np.eye(5), "from 2 to 4 states"),
        (None, "from 2 to 4 states"),
        ([[1, 0]], "from 2 to 4 states"),
        ([[1, 0, 0], [0, 1, 0]], "an array of shape"),
    ],
)
def test_what_is_no_chain_is_refused_by_name(value, says):
    with pytest.raises(check.Wrong, match=says):
        chains.stochastic(value, "P", 4, 2)


def test_a_reducible_chain_is_refused_with_two_states():
    chains.irreducible(np.roll(np.eye(3), 1, axis=1), "P")
    with pytest.raises(check.Wrong, match="state 1 never leads to state 0"):
        chains.irreducible(np.array([[0.5, 0.5], [0, 1]]), "P")


# ---------------------------------------------------------------------- individual instances


def test_parcels_are_laws_and_no_two_students_share_one():
    seen = set()
    for i in range(300):
        m = markov_chains.parcel(f"student {i}")
        rows = np.column_stack([m["moves"], m["delivered"], m["lost"]])
        np.testing.assert_allclose(rows.sum(axis=1), 1)
        assert rows.min() >= 0
        assert (rows[:, :4] + np.eye(4)).min() >= 0.05 - 1e-12
        assert (np.array(m["moves"]).diagonal() == 0).all()
        seen.add(m["moves"])
    assert len(seen) == 300


def test_the_survey_of_the_delivered_differs_from_the_mean_of_all():
    """The misconception of problem 4 is seen at the five digits that are asked for."""
    for i in range(300):
        m = markov_chains.parcel(f"student {i}")
        rest = np.eye(4) - np.array(m["moves"])
        arrives, moves = np.linalg.solve(rest, m["delivered"]), np.linalg.solve(rest, np.ones(4))
        happy = np.linalg.solve(rest, arrives)[0] / arrives[0]
        assert happy < moves[0] - 0.05


def test_weathers_are_laws_whose_past_differs_from_their_future():
    seen = set()
    for i in range(300):
        P = np.array(markov_chains.weather(f"student {i}")["P"])
        np.testing.assert_allclose(P.sum(axis=1), 1)
        assert P.min() >= 0.04 - 1e-12
        law = np.linalg.matrix_power(P, 500)[0]
        assert np.abs(law - 0.25).max() > 1e-3
        assert np.abs(law * P[:, 0] / law[0] - P[0]).max() > 1e-3
        seen.add(tuple(P.ravel()))
    assert len(seen) == 300


@pytest.mark.parametrize("name", ["parcel", "weather"])
def test_the_instance_is_that_of_the_graded_id(name, monkeypatch):
    monkeypatch.setenv(STUDENT_VARIABLE, "ben")
    instance, slips = getattr(markov_chains, name), getattr(markov_chains, f"{name}_slips")
    assert instance("ada") == instance("ben") != instance("ada", as_typed=True)
    assert any("'ada'" in text and "'ben'" in text for text in slips("ada", lambda m: m))


# ---------------------------------------------------------------------- the tests of the samples


def namespace():
    """What the cells of the sampling problem define, the answer included."""
    space: dict = {}
    for cell in source("markov_chains").cells:
        if cell.id in ("imports", "exact", "exact-law", "exact-pairs"):
            exec(compile(cell.source, cell.id, "exec"), space)
    return space


def laws(space):
    return {
        (name, size): np.array([float(x) for x in trees(P)])
        for name, P, sizes in (("two", space["golden"], (SHOWN, DRAWS)), ("four", space["four"], (DRAWS,)))
        for size in sizes
    }


def test_the_text_states_the_level_and_the_number_of_the_tests():
    text = next(cell.source for cell in source("markov_chains").cells if cell.id == "exact-text")
    assert "probability $10^{-4}$ only" in text
    assert f"`m = {DRAWS}`" in text
    assert f"take {SHOWN} draws" in text
    assert "one of the six" in text
    space = namespace()
    assert len(laws(space)) * 2 == 6
    value, bound = space["surprise"](np.array([60, 40]), np.array([0.5, 0.5]))
    assert value == pytest.approx(4)
    assert bound == pytest.approx(chdtri(1, LEVEL))


@pytest.mark.slow
def test_false_failures_are_rarer_than_one_in_a_thousand():
    """20,000 gradings of an exact sampler: independent draws from the law, and all six tests as the cells make them.

    The bounds are those of the limit law of Pearson's statistic; this measures what they are worth for these counts.
    """
    space, rng = namespace(), np.random.default_rng(5)
    failed = np.zeros(GRADINGS, dtype=bool)
    for (_, size), law in laws(space).items():
        n = len(law)
        both = rng.multinomial(size // 2, np.outer(law, law).ravel(), size=GRADINGS)
        single = both.reshape(GRADINGS, n, n).sum(axis=1) + both.reshape(GRADINGS, n, n).sum(axis=2)
        for counts, expected in ((both, np.outer(law, law).ravel()), (single, law)):
            bound = space["surprise"](counts[0], expected)[1]
            mean = counts[0].sum() * expected
            failed |= ((counts - mean) ** 2 / mean).sum(axis=1) > bound
    assert failed.sum() <= GRADINGS * 1e-3


@pytest.mark.slow
def test_the_reference_passes_with_many_seeds():
    space = namespace()
    for (name, size), law in laws(space).items():
        P = space["golden"] if name == "two" else space["four"]
        for seed in range(1000, 1010):
            space["check_pairs"](P, law, size, seed, name)


@pytest.mark.slow
def test_a_sampler_that_starts_at_the_first_meeting_fails_with_every_seed():
    """Both on the chain whose copies meet in one state only, and on the one where they meet in several."""
    space = namespace()

    def forward(update, n, draw, m):
        def one():
            states = np.arange(n)
            while not (states == states[0]).all():
                states = update(states, draw())
            return states[0]

        return np.array([one() for _ in range(m)])

    space["exact_draws"] = forward
    for (name, size), law in laws(space).items():
        P = space["golden"] if name == "two" else space["four"]
        for seed in range(1000, 1005):
            with pytest.raises(check.Wrong, match="Pearson"):
                space["check_draws"](P, law, size, seed, name)
