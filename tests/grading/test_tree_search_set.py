"""The problem set on planning by sampling: false-fail rates, searches that agree, certificates, individual nodes."""

from __future__ import annotations

import ast
import contextlib
import io
import re
from functools import cache
from itertools import product

import numpy as np
import pytest
from scipy.stats import binom

from rlcore.planning.tree_search import GenerativeModel, minimax
from rlgrade import trees
from rlgrade.check import Wrong
from rlgrade.instances import STUDENT_VARIABLE
from rlgrade.sets import tree_search
from tests.grading.course import source

REPEATS, ALLOWED, A, DELTA = 120, 15, 4, 0.05
SERIES = ((1.0, 0.08), (20.0, 4.0))  # width and gap


@pytest.fixture(autouse=True)
def ungraded(monkeypatch):
    monkeypatch.delenv(STUDENT_VARIABLE, raising=False)


@cache
def namespace():
    """What the cells of the source define up to the tree search, after running them."""
    space: dict = {"student_id": "someone"}
    for cell in source("tree_search").cells:
        if cell.cell_type == "code" and cell.id != "student-id":
            with contextlib.redirect_stdout(io.StringIO()):
                exec(compile(cell.source, cell.id, "exec"), space)
        if cell.id == "uct-counts":
            break
    text = next(cell.source for cell in source("tree_search").cells if cell.id == "node-scores")
    exec(compile(text[: text.index("### END HIDDEN")], "node-scores", "exec"), space)
    return space


# ---------------------------------------------------------------------- rollouts: an experiment


def test_the_number_of_errors_allowed_keeps_the_promise():
    text = next(cell.source for cell in source("tree_search").cells if cell.id == "rollouts-text")
    assert f"{ALLOWED + 1} or more of {REPEATS} choices" in text
    tests = next(cell.source for cell in source("tree_search").cells if cell.id == "rollouts-errors")
    assert f"in {SERIES}:" in tests
    assert f"check_errors({A}, width, gap, {REPEATS}, {ALLOWED})" in tests
    assert 2 * binom.sf(ALLOWED, REPEATS, DELTA) < 1e-3  # two series
    assert 2 * binom.sf(ALLOWED - 1, REPEATS, DELTA) > 1e-3


def error_probability(n, width, gap):
    """Of choosing the largest of A means of n returns 0 or `width`, where a tie is an error."""
    k, high, low = np.arange(n + 1), (width + gap) / 2 / width, (width - gap) / 2 / width
    return 1 - (binom.pmf(k, n, high) * binom.cdf(k - 1, n, low) ** (A - 1)).sum()


@pytest.mark.slow
def test_false_failures_of_the_experiment_are_rarer_than_one_in_a_thousand():
    """20,000 gradings of the most exposed honest answer: as few rollouts as keep the error at 5 %."""
    rng, runs, failed = np.random.default_rng(0), 20_000, np.zeros(20_000, dtype=bool)
    for width, gap in SERIES:
        n = next(n for n in range(10, 4000) if error_probability(n, width, gap) <= DELTA)
        best = rng.binomial(n, (width + gap) / 2 / width, size=(runs, REPEATS))
        rest = rng.binomial(n, (width - gap) / 2 / width, size=(runs, REPEATS, A - 1)).max(axis=2)
        failed |= (best <= rest).sum(axis=1) > ALLOWED
        assert 0.9 * DELTA < (best <= rest).mean() <= 1.01 * DELTA  # it is exposed indeed
    assert failed.mean() <= 1e-3


# ---------------------------------------------------------------------- sparse sampling: a test of the mean


@pytest.mark.slow
def test_false_failures_of_the_sparse_average_are_rarer_than_one_in_a_thousand():
    """1,000 gradings of a right answer: the error in its standard errors is standard normal, and 4.5 is far out."""
    space, rng, runs = namespace(), np.random.default_rng(0), 3000
    for C, chances in ((2, [[0.5, 0.5, 0.5], [0.3, 0.6, 0.4]]), (4, [[0.4, 0.5], [0.3, 0.6]])):
        assert f"({C}, {chances})" in next(c.source for c in source("tree_search").cells if c.id == "sparse-chance")
        truth, z = np.mean([space["mean_of_max"](p, C) for p in chances]), []
        for _ in range(1000):
            after = rng.integers(2, size=(runs, C))
            means = [rng.binomial(C, p, size=(runs, C, len(p))).max(axis=2) / C for p in chances]
            found = np.where(after == 0, *means).mean(axis=1)
            z.append((found.mean() - truth) / (found.std() / np.sqrt(runs)))
        assert abs(np.mean(z)) < 0.15
        assert 0.9 < np.std(z) < 1.1
        assert np.abs(z).max() < 4.5


# ---------------------------------------------------------------------- searches, games


@pytest.mark.parametrize("seed", range(20))
def test_the_search_that_makes_mistakes_makes_none_when_told_so(seed):
    space = namespace()
    world, _ = space["chance_world"](100 + seed, 50, 1 + seed % 2)
    plain = space["plain_search"](*world())
    np.testing.assert_allclose(tree_search.search(*world()), plain, atol=1e-12)
    np.testing.assert_allclose(space["uct"](*world())[1:], plain, atol=1e-12)


def cases(name):
    """The seeds and budgets listed in a test cell."""
    text = next(cell.source for cell in source("tree_search").cells if cell.id == name)
    return ast.literal_eval(re.search(r"^steady = (.+)$", text, re.MULTILINE).group(1))


def test_rounding_decides_nothing_in_the_searches_that_are_compared_exactly():
    """Rewards that differ by 1e-11, as means do that are computed in another way, leave all visits as they are."""
    games = [lambda s=s: (*trees.tree_model(trees.random_game(s, 4)), (), 80, 3.0, len, 2) for s in range(3)]
    searches = [namespace()["chance_world"](seed, budget, 1)[0] for seed, budget in cases("uct-counts")]
    searches += [namespace()["chance_world"](seed + 20, 60, 2)[0] for seed in range(5)]
    for k, world in enumerate([*searches, *games]):
        rng = np.random.default_rng(k)

        def shaken(world=world, rng=rng):
            model, *rest = world()

            def other(s, a):
                after, r, discount = model(s, a)
                return after, r + rng.uniform(-1e-11, 1e-11), discount

            return other, *rest

        for _ in range(5):
            np.testing.assert_array_equal(tree_search.search(*shaken())[0], tree_search.search(*world())[0])


def test_each_mistake_changes_the_counts_of_some_search():
    space = namespace()
    for mistake in tree_search.MISTAKES:
        worlds_ = [space["chance_world"](seed, 60, 2)[0] for seed in range(20, 25)]
        assert any(
            not np.allclose(tree_search.search(*w())[0], tree_search.search(*w(), mistake=mistake)[0]) for w in worlds_
        ), mistake


@pytest.mark.parametrize("seed", range(40))
def test_what_can_be_forced_is_the_minimax_value(seed):
    game = trees.random_game(seed, 4)
    model, actions = trees.tree_model(game)
    exact = minimax(GenerativeModel(lambda s, a, rng: model(s, a), actions, 3, players=2), ()).q[: len(game)]
    for move, value in zip(game, exact, strict=True):
        assert trees.can_force(move, value)
        assert not trees.can_force(move, value + 1e-9)


def test_outcomes_are_a_law_and_change_sides():
    game = ((1, ((2, ()), (3, ((4, ()),)))), (5, ()))
    assert trees.outcomes(game, 2) == [(0.25, -1, (1, 2)), (0.25, 2, (1, 3, 4)), (0.5, 5, (5,))]
    assert [total for _, total, _ in trees.outcomes(game, 1)] == [3, 8, 5]


def test_a_game_that_is_none_is_named():
    assert trees.tree([(0, [(1, [])]), [2, ()]], 3) == ((0.0, ((1.0, ()),)), (2.0, ()))
    for value, message in (
        (3, "must be a list of moves"),
        ([], "there is no move"),
        ([1], "must be a pair"),
        ([(0, [(1, [])] * 3)], "more than 3 moves"),
        ([(0, None)], "the position after move 0 of the first position must be a list"),
        ([("x", [])], "must hold real numbers"),
    ):
        with pytest.raises(Wrong, match=message):
            trees.tree(value, 3)


def test_the_chapters_chains_are_no_answer_to_the_trap():
    """With four states it is searched to its end within 2000 simulations; with five, leaving costs 0.2 only."""

    def chain(depth):
        position: tuple = ((0.0, ()), (1.0, ()))
        for d in reversed(range(depth - 1)):
            position = (((depth - 1 - d) / depth, ()), (0.0, position))
        return position

    for depth in (2, 3, 4):
        visits, _ = tree_search.search(*trees.tree_model(chain(depth)), (), 2000, np.sqrt(2), lambda s: 0.0)
        assert visits[0] < 1900
    assert 1 - chain(5)[0][0] < 0.25


def test_the_bias_of_a_maximum_that_is_asked_for_can_be_had_with_four_actions_and_not_with_three():
    """The largest bias of A equal coins and two samples, over p on a grid."""
    p = np.linspace(0, 1, 1001)
    bias = {k: ((1 - (1 - p**2) ** k) / 2 + (1 - (1 - p) ** (2 * k)) / 2 - p).max() for k in (2, 3, 4)}
    assert bias[4] > 0.3 > bias[3] > bias[2]


# ---------------------------------------------------------------------- the individual node


def test_nodes_differ_and_ask_for_something():
    space = namespace()
    streaks, instances = [], set()
    for i in range(300):
        m = tree_search.node(f"student {i}")
        instances.add(str(m))
        assert all(0 <= t <= n for n, t in zip(m["visits"], m["totals"], strict=True))
        ordered = np.sort(space["scores_of"](m))
        assert ordered[-1] - ordered[-2] > 1e-3  # no tie
        streaks.append(space["streak_of"](m))
        values = space["values_of"](m)
        assert np.abs(values[:2] - values[2:]).min() > 0.1
    assert len(instances) == 300
    assert min(streaks) >= 2
    assert max(streaks) < 200


def test_a_streak_is_what_step_by_step_selection_gives():
    space = namespace()
    for i, c in product(range(20), (0.3, 0.8)):
        m = tree_search.node(f"student {i}") | {"c": c}
        n, total, chosen = list(m["visits"]), m["totals"], []
        while len(set(chosen)) < 2:
            N = sum(n)
            chosen.append(int(np.argmax([t / k + c * np.sqrt(np.log(N) / k) for k, t in zip(n, total, strict=True)])))
            n[chosen[-1]] += 1
        assert space["streak_of"](m) == len(chosen) - 1


def test_the_node_is_that_of_the_graded_id(monkeypatch):
    monkeypatch.setenv(STUDENT_VARIABLE, "ben")
    assert tree_search.node("ada") == tree_search.node("ben")
    assert tree_search.node("ada", as_typed=True) != tree_search.node("ben")
    slips = tree_search.node_slips("ada", lambda m: m["c"])
    assert any("'ada'" in text and "'ben'" in text for text in slips)
