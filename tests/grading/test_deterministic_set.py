"""The random graphs, the searches, the orders and the experiment of the problem set on deterministic processes."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest

from rlgrade import graphs
from rlgrade.check import Wrong
from rlgrade.instances import STUDENT_VARIABLE
from rlgrade.sets import deterministic
from tests.grading.course import source

INF = np.inf


@pytest.fixture(autouse=True)
def ungraded(monkeypatch):
    monkeypatch.delenv(STUDENT_VARIABLE, raising=False)


def namespace(*ids):
    """What these cells of the problem set define."""
    space: dict = {}
    for cell in source("deterministic").cells:
        if cell.id in ("imports", *ids):
            exec(compile(cell.source, cell.id, "exec"), space)
    return space


# ---------------------------------------------------------------------- graphs


def simple_cycles(C):
    """All cycles, each from each of its nodes."""
    n = len(C)
    every = (cycle for k in range(1, n + 1) for cycle in permutations(range(n), k))
    return [(cycle, C[cycle, cycle[1:] + cycle[:1]].sum()) for cycle in every]


@pytest.mark.parametrize("seed", range(10))
def test_the_least_mean_is_that_of_an_enumeration(seed):
    C = graphs.graph(seed, 6, loops=True, shift=seed)
    assert graphs.least_mean(C) == pytest.approx(min(total / len(cycle) for cycle, total in simple_cycles(C)))


def test_a_graph_without_a_cycle_has_no_mean():
    with pytest.raises(ArithmeticError, match="no cycle"):
        graphs.least_mean(np.array([[INF, 1.0], [INF, INF]]))


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("hidden", [False, True])
def test_the_planted_cycle_is_there_and_no_other_cycle_is_negative(seed, hidden):
    for total in (-2, 0):
        C, cycle = graphs.cyclic(seed, total, 6, hidden=hidden)
        assert graphs.cycle_cost(C, cycle, "cycle") == total
        assert (graphs.distances(C) is None) == (total < 0)
        assert min(cost for _, cost in simple_cycles(C)) == total
        if hidden:
            reached = np.linalg.matrix_power(np.isfinite(C) + np.eye(6), 6)[0] > 0
            assert not reached[cycle].any()


@pytest.mark.parametrize("seed", range(10))
def test_the_least_consistent_function_is_the_best_of_all_walks(seed):
    C = graphs.graph(seed, 6)
    between = graphs.distances(C)
    h = np.floor(np.random.default_rng(seed).random(6) * between[:, 5])
    np.testing.assert_allclose(graphs.least_consistent(C, h), (h[:, None] - between).max(axis=0), atol=1e-7)


@pytest.mark.parametrize("seed", range(20))
def test_the_search_is_right_with_re_opening_and_without_where_no_cost_is_negative(seed):
    C = graphs.graph(seed, 7)
    g, taken = graphs.best_first(C)
    np.testing.assert_array_equal(g, graphs.distances(C)[0])
    assert sorted(taken) == list(range(7))
    C = graphs.graph(seed, 7, shift=9)
    np.testing.assert_array_equal(graphs.best_first(C, reopen=True)[0], graphs.distances(C)[0])
    h = np.random.default_rng(seed).integers(0, 9, size=7)  # re-opening forgives any heuristic, searched to the end
    np.testing.assert_array_equal(graphs.best_first(C, h, reopen=True)[0], graphs.distances(C)[0])


def test_the_search_stops_after_the_number_of_nodes_it_may_take():
    C = np.array([[INF, 1.0], [-2.0, INF]])
    assert len(graphs.best_first(C, reopen=True, most=50)[1]) == 50


def test_free_edges_are_edges():
    C = np.array([[INF, 0.0, INF], [INF, INF, 0.0], [INF, INF, INF]])
    np.testing.assert_array_equal(graphs.distances(C)[0], [0, 0, 0])
    assert graphs.distances(np.array([[-1.0]])) is None


@pytest.mark.parametrize(
    ("value", "match"),
    [
        (None, "an array"),
        ([[1, 2], [3]], "an array"),
        (np.zeros((6, 6)), "n from 2 to 5"),
        ([[INF, "x"], [INF, INF]], "real numbers"),
        ([[INF, np.nan], [INF, INF]], "finite number"),
        ([[INF, -INF], [INF, INF]], "finite number"),
        ([[INF, 0.5], [INF, INF]], "whole numbers up to 20"),
        ([[INF, 21.0], [INF, INF]], "whole numbers up to 20"),
        ([[INF, 1.0], [-2.0, INF]], "a cycle has negative cost"),
        ([[INF, INF], [1.0, INF]], "no walk leads from node 0"),
    ],
)
def test_what_is_no_small_graph_is_named(value, match):
    with pytest.raises(Wrong, match=match):
        graphs.small(value, 5, 20)


@pytest.mark.parametrize(
    ("cycle", "match"),
    [
        (None, "list of one node"),
        ([], "list of one node"),
        ([0, 3], "not among 0..2"),
        ([0, 1, 2, 0], "listed twice"),
        ([2, 1, 0], "turn the list"),
        ([0, 1], "no edge from 1 to 0: nothing before"),
        ([0.5], "whole numbers"),
    ],
)
def test_what_is_no_cycle_is_named(cycle, match):
    C = np.full((3, 3), INF)
    C[[0, 1, 2], [1, 2, 0]] = 1.0
    assert graphs.cycle_cost(C, [1, 2, 0], "cycle") == 3
    with pytest.raises(Wrong, match=match):
        graphs.cycle_cost(C, cycle, "cycle")


def test_infinite_entries_are_compared():
    want = np.array([0.0, INF, 3.0])
    graphs.compare([0, INF, 3], want, what="d", expected="distances", slips={})
    with pytest.raises(Wrong, match=r"d\[1\], is too small"):
        graphs.compare([0, 5, 3], want, what="d", expected="distances", slips={})
    with pytest.raises(Wrong, match=r"d\[2\], is too large"):
        graphs.compare([0, INF, INF], want, what="d", expected="distances", slips={})
    with pytest.raises(Wrong, match="all wrong alike"):
        graphs.compare([0, 5, INF], want, what="d", expected="x", slips={"all wrong alike": np.array([0, 5, INF])})
    with pytest.raises(Wrong, match="shape"):
        graphs.compare([0, 5], want, what="d", expected="distances", slips={})


# ---------------------------------------------------------------------- the orders


def test_orders_differ_and_ask_for_several_and_the_bound_binds():
    space = namespace("orders", "student-id", "orders-instance")
    test = next(cell.source for cell in source("deterministic").cells if cell.id == "orders-best")
    exec("from itertools import product\n" + test[: test.index("def my_orders_part")], space)
    shops = [deterministic.orders(f"student {i}") for i in range(300)]
    assert len({str(shop) for shop in shops}) == 300
    counts, binds = [], []
    for shop in shops:
        space["mine"] = shop
        best, plan, two = space["my_orders"]()
        assert best == space["plan_cost"](shop, plan) == space["best_cost"](shop)  # a graph search, and all plans
        assert two == space["best_cost"](shop, 2)
        counts.append(sum(plan))
        binds.append(two > best)
    assert np.mean(binds) > 0.95
    assert np.mean([2 < count < 6 for count in counts]) > 0.95


def test_the_shop_is_that_of_the_graded_id(monkeypatch):
    monkeypatch.setenv(STUDENT_VARIABLE, "ben")
    assert deterministic.orders("ada") == deterministic.orders("ben")
    slips = deterministic.orders_slips("ada", lambda m: m["demand"])
    assert any("'ada'" in text and "'ben'" in text for text in slips)


# ---------------------------------------------------------------------- the experiment


def space_of_passages():
    return namespace("passages", "passages-mean")


def fast_passages(rng, gradings, runs, n):
    """Distances (gradings, runs) by the argument of the text: the time until a node of random rank is taken."""
    waits = rng.exponential(1 / (np.arange(1, n) * (n - np.arange(1, n))), size=(gradings, runs, n - 1))
    rank = rng.integers(n - 1, size=(gradings, runs, 1))
    return np.take_along_axis(waits.cumsum(axis=2), rank, axis=2)[..., 0]


def test_the_law_is_that_of_the_experiment(monkeypatch):
    monkeypatch.setenv(STUDENT_VARIABLE, "reference")
    space = space_of_passages()
    x = space["passages"](8, 50_000, 7)
    assert x.mean() == pytest.approx(space["law_mean"], abs=0.006)
    assert x.std() == pytest.approx(space["law_spread"], abs=0.006)
    y = fast_passages(np.random.default_rng(1), 1, 50_000, 8)[0]
    for at in (0.05, 0.2, 0.5, 1.0):
        assert (x <= at).mean() == pytest.approx(space["law_function"](at), abs=0.01)
        assert (y <= at).mean() == pytest.approx(space["law_function"](at), abs=0.01)


@pytest.mark.slow
def test_false_failures_are_rarer_than_one_in_a_thousand():
    """20,000 gradings of a right answer, drawn from the law that the test above compares with the experiment.

    A failure of either test counts, as if they were graded on samples of their own, as they are.
    """
    space, rng = space_of_passages(), np.random.default_rng(0)
    grid = np.linspace(0, 12, 60_001)
    law = space["law_function"](grid)
    samples = (np.interp(rng.random(4000), law, grid) for _ in range(20_000))
    failures = sum((not space["mean_verdict"](x)[0]) + (not space["law_verdict"](x)[0]) for x in samples)
    assert failures <= 20
