"""Deterministic processes: against SciPy, networkx and brute force, at the edges, and on bad input."""

import pickle
from itertools import pairwise, product

import networkx as nx
import numpy as np
import pytest
from scipy.sparse import coo_array
from scipy.sparse.csgraph import NegativeCycleError
from scipy.sparse.csgraph import bellman_ford as scipy_bellman_ford
from scipy.sparse.csgraph import dijkstra as scipy_dijkstra

from rlcore import FiniteMDP, plot, worlds
from rlcore.planning import deterministic as det
from rlcore.planning import finite_horizon as fh

WALLS = (
    "S....",
    ".###.",
    "...#.",
    ".#.#G",
)


def random_graph(rng, *, least=0.0, simple=False, n=None):
    """1 to 12 nodes and up to 3n edges, often disconnected; without parallel edges if `simple`."""
    n = int(rng.integers(1, 13)) if n is None else n
    m = int(rng.integers(0, 3 * n + 1))
    pairs = rng.integers(n, size=(m, 2))
    pairs = np.unique(pairs, axis=0) if simple else pairs
    return det.Graph(n, pairs[:, 0], pairs[:, 1], rng.uniform(least, 5.0, size=len(pairs)))


def graphs(seed, count=200, **kwargs):
    for rng in np.random.default_rng(seed).spawn(count):
        yield random_graph(rng, **kwargs), rng


def as_networkx(graph):
    out = nx.MultiDiGraph()
    out.add_nodes_from(range(graph.n))
    out.add_weighted_edges_from(zip(graph.tail.tolist(), graph.head.tolist(), graph.weight.tolist(), strict=True))
    return out


def as_sparse(graph):
    return coo_array((graph.weight, (graph.tail, graph.head)), shape=(graph.n, graph.n)).tocsr()


def by_networkx(graph, source):
    """Distances (n,), or None where networkx finds a negative cycle."""
    try:
        found = nx.single_source_bellman_ford_path_length(as_networkx(graph), source)
    except nx.NetworkXUnbounded:
        return None
    return np.array([found.get(v, np.inf) for v in range(graph.n)])


def negative_cycle(graph, source):
    try:
        det.bellman_ford(graph, source)
    except det.NegativeCycle as error:
        return error.cycle
    return None


def random_process(rng, *, gamma=None, terminal=False):
    """2 to 5 states, 1 to 3 actions, some infeasible; the last state may be terminal."""
    S, A = int(rng.integers(2, 6)), int(rng.integers(1, 4))
    target, r = rng.integers(S, size=(S, A)), rng.normal(size=(S, A))
    r[:, 1:][rng.random((S, A - 1)) < 0.2] = -np.inf
    ends, p = np.zeros(S, dtype=bool), np.eye(S)[target]
    if terminal:
        ends[-1], r[-1], p[-1] = True, 0.0, 0.0
    return FiniteMDP.from_arrays(p, r, rng.uniform(0.3, 1) if gamma is None else gamma, terminal=ends), target


# ---------------------------------------------------------------------- shortest paths against others


def test_bellman_ford_agrees_with_scipy_and_networkx_on_graphs_of_both_signs():
    cycles = 0
    for graph, _ in graphs(1, simple=True, least=-2.5):
        theirs, cycle = by_networkx(graph, 0), negative_cycle(graph, 0)
        cycles += cycle is not None
        assert (theirs is None) == (cycle is not None)
        if cycle is None:
            mine = det.bellman_ford(graph, 0).distance
            np.testing.assert_allclose(mine, theirs, atol=1e-12)
            reached = np.flatnonzero(np.isfinite(mine))  # SciPy refuses negative cycles that cannot be reached, too
            np.testing.assert_allclose(
                scipy_bellman_ford(as_sparse(graph)[reached][:, reached], indices=int(np.searchsorted(reached, 0))),
                mine[reached],
                atol=1e-12,
            )
    assert 40 < cycles < 160


def test_scipy_refuses_the_graphs_whose_negative_cycle_is_found():
    for graph, _ in graphs(2, 100, simple=True, least=-1.0):
        if negative_cycle(graph, 0) is not None:
            with pytest.raises(NegativeCycleError):
                scipy_bellman_ford(as_sparse(graph), indices=0)


def test_a_negative_cycle_is_a_simple_cycle_of_the_graph_and_negative():
    found = 0
    for graph, _ in graphs(3, least=-1.5):
        cycle = negative_cycle(graph, 0)
        if cycle is not None:
            found += 1
            assert cycle.nodes[0] == cycle.nodes[-1]
            assert len(set(cycle.nodes[:-1].tolist())) == len(cycle.edges)
            assert cycle.weight == pytest.approx(graph.weight[cycle.edges].sum())
            assert cycle.weight < 0
            np.testing.assert_array_equal(graph.tail[cycle.edges], cycle.nodes[:-1])
            np.testing.assert_array_equal(graph.head[cycle.edges], cycle.nodes[1:])
            assert nx.has_path(as_networkx(graph), 0, int(cycle.nodes[0]))
    assert found > 40


def test_dijkstra_agrees_with_scipy_and_networkx():
    unreachable = 0
    for graph, _ in graphs(4, simple=True):
        mine = det.dijkstra(graph, 0)
        theirs = nx.single_source_dijkstra_path_length(as_networkx(graph), 0)
        np.testing.assert_allclose(mine.distance, scipy_dijkstra(as_sparse(graph), indices=0), atol=1e-12)
        assert all(mine.distance[v] == pytest.approx(d) for v, d in theirs.items())
        assert set(mine.order.tolist()) == set(theirs)
        unreachable += len(theirs) < graph.n
    assert 50 < unreachable < 200


def test_a_star_agrees_with_networkx_on_parallel_edges_and_unreachable_goals():
    missing = 0
    for graph, rng in graphs(5):
        goal, togo = graph.n - 1, det.dijkstra(graph.reversed(), graph.n - 1).distance
        found = det.a_star(graph, 0, goal, togo * rng.uniform(0, 1))
        theirs = by_networkx(graph, 0)
        assert found.distance[goal] == pytest.approx(theirs[goal])
        missing += np.isinf(theirs[goal])
        if np.isfinite(theirs[goal]):
            assert found.path(goal).weight == pytest.approx(theirs[goal])
            assert len(found.order) <= len(det.dijkstra(graph, 0, target=goal).order) + 1
    assert 20 < missing < 180


@pytest.mark.parametrize("search", [det.bellman_ford, det.dijkstra])
def test_paths_have_the_weight_of_their_distance(search):
    for graph, _ in graphs(6, 60):
        found = search(graph, 0)
        for v in np.flatnonzero(np.isfinite(found.distance)).tolist():
            path = found.path(v)
            assert (path.nodes[0], path.nodes[-1]) == (0, v)
            assert path.weight == pytest.approx(found.distance[v])
            assert len(set(path.nodes.tolist())) == len(path.nodes)
            assert found.predecessor[v] == (path.nodes[-2] if len(path.nodes) > 1 else -1)


def test_several_sources_give_the_distance_from_the_nearest():
    for graph, rng in graphs(7, 60, n=8):
        sources = rng.choice(8, size=3, replace=False).tolist()
        each = np.min([by_networkx(graph, s) for s in sources], axis=0)
        np.testing.assert_allclose(det.bellman_ford(graph, sources).distance, each)
        np.testing.assert_allclose(det.dijkstra(graph, sources).distance, each)


def test_a_grid_as_large_as_a_page_agrees_with_scipy():
    rng = np.random.default_rng(8)
    layout = ["".join(rng.choice(list(".#3"), p=[0.6, 0.2, 0.2], size=40)) for _ in range(30)]
    graph = det.Graph.from_grid(layout)
    np.testing.assert_allclose(det.dijkstra(graph, 0).distance, scipy_dijkstra(as_sparse(graph), indices=0))


def test_a_cycle_that_is_negative_only_by_rounding_is_none():
    graph = det.Graph(3, [0, 1, 2], [1, 2, 0], [0.1, 0.2, -0.3])
    turned = det.Graph(3, [0, 1, 2], [1, 2, 0], [-0.1, -0.2, 0.3])
    for g in (graph, turned):
        assert det.bellman_ford(g, 0).distance[0] == 0
    with pytest.raises(det.NegativeCycle):
        det.bellman_ford(det.Graph(3, [0, 1, 2], [1, 2, 0], [0.1, 0.2, -0.3 - 1e-9]), 0)


# ---------------------------------------------------------------------- the order of the search


def test_the_search_stops_at_its_target_and_leaves_upper_bounds():
    graph = det.Graph(4, [0, 0, 1, 2], [1, 2, 3, 3], [1.0, 2.0, 9.0, 1.0])
    found = det.dijkstra(graph, 0, target=2)
    np.testing.assert_array_equal(found.order, [0, 1, 2])
    assert found.distance[3] == 10.0
    assert not found.settled[3]
    with pytest.raises(ValueError, match=r"stopped before node 3: search again with target=3"):
        found.path(3)


def test_ties_go_to_the_lowest_node_and_in_a_star_to_the_smaller_guess():
    graph = det.Graph(4, [0, 0, 1, 2], [1, 2, 3, 3], [1.0, 1.0, 1.0, 1.0])
    np.testing.assert_array_equal(det.dijkstra(graph, 0).order, [0, 1, 2, 3])
    np.testing.assert_array_equal(det.a_star(graph, 0, 3, [2, 1, 1, 0]).order, [0, 1, 3])


def test_a_guess_of_inf_keeps_away_from_dead_ends():
    graph = det.Graph(3, [0, 0], [1, 2], [1.0, 2.0])
    np.testing.assert_array_equal(det.a_star(graph, 0, 2, [2.0, np.inf, 0.0]).order, [0, 2])


def test_a_consistent_guess_makes_negative_edges_harmless():
    graph = det.Graph(3, [0, 0, 2], [1, 2, 1], [2.0, 3.0, -2.0])
    found = det.a_star(graph, 0, 1, [1.0, 0.0, -2.0])
    assert found.distance[1] == 1.0


def test_with_reopening_the_goal_may_be_expanded_late_and_nodes_twice():
    graph = det.Graph(4, [0, 0, 2, 1], [1, 2, 1, 3], [3.0, 1.0, 1.0, 3.0])
    guess = [0.0, 0.0, 4.0, 0.0]
    assert det.a_star(graph, 0, 3, guess, check=False).distance[3] == 6.0
    patient = det.a_star(graph, 0, 3, guess, check=False, reopen=True)
    assert patient.distance[3] == 5.0
    np.testing.assert_array_equal(patient.order, [0, 1, 2, 1, 3])


def test_reopening_refuses_a_negative_cycle():
    graph = det.Graph(3, [0, 1, 1], [1, 0, 2], [-1.0, 0.0, 1.0])
    with pytest.raises(det.NegativeCycle, match="0 -> 1 -> 0"):
        det.a_star(graph, 0, 2, np.zeros(3), check=False, reopen=True)


# ---------------------------------------------------------------------- cycles and walks


def test_karp_agrees_with_the_list_of_all_cycles():
    acyclic = 0
    for graph, _ in graphs(9, n=6, least=-3.0):
        lightest: dict = {}
        for u, v, w in zip(graph.tail.tolist(), graph.head.tolist(), graph.weight.tolist(), strict=True):
            lightest[u, v] = min(w, lightest.get((u, v), np.inf))
        means = [
            np.mean([lightest[e] for e in zip(c, c[1:] + c[:1], strict=True)])
            for c in nx.simple_cycles(nx.DiGraph(list(lightest)))
        ]
        if not means:
            acyclic += 1
            with pytest.raises(ValueError, match="has no cycle"):
                det.karp(graph)
            continue
        best = det.karp(graph)
        assert best.mean == pytest.approx(min(means))
        assert best.cycle.nodes[0] == best.cycle.nodes[-1]
        assert graph.weight[best.cycle.edges].mean() == pytest.approx(best.mean)
    assert 5 < acyclic < 150


def test_karp_from_a_source_sees_only_what_can_be_reached():
    graph = det.Graph(4, [0, 0, 1, 2, 3], [1, 1, 1, 3, 2], [0.0, 4.0, 2.0, 1.0, 0.0])
    assert det.karp(graph).mean == 0.5
    assert det.karp(graph, 0).mean == 2.0
    np.testing.assert_array_equal(det.karp(graph, 3).cycle.nodes[[0, -1]], det.karp(graph, 2).cycle.nodes[[0, -1]])


def test_karp_says_where_there_is_no_cycle():
    graph = det.Graph(3, [0, 2], [1, 2], [1.0, 1.0])
    with pytest.raises(ValueError, match=r"From the source 0 one can reach no cycle.*at most 1 edges"):
        det.karp(graph, 0)
    with pytest.raises(ValueError, match="The graph has no cycle"):
        det.karp(det.Graph(1, [], [], []))


def test_walks_of_each_length_agree_with_all_lists_of_edges():
    for graph, _ in graphs(10, 40, n=4, least=-2.0):
        table = det.walks(graph, 0, 3)
        for k in range(1, 4):
            best = np.full(graph.n, np.inf)
            for edges in product(range(graph.m), repeat=k):
                nodes = [graph.tail[edges[0]], *graph.head[list(edges)]]
                joined = all(graph.head[a] == graph.tail[b] for a, b in pairwise(edges))
                if nodes[0] == 0 and joined:
                    best[nodes[-1]] = min(best[nodes[-1]], graph.weight[list(edges)].sum())
            np.testing.assert_allclose(table.distance[k], best)
            for v in np.flatnonzero(np.isfinite(best)).tolist():
                walk = table.walk(k, v)
                assert len(walk.edges) == k
                assert walk.weight == pytest.approx(best[v])


# ---------------------------------------------------------------------- processes


def test_the_plan_beats_every_list_of_actions():
    for i, rng in enumerate(np.random.default_rng(11).spawn(100)):
        mdp, target = random_process(rng, terminal=i % 3 == 0)
        H, g = 4, rng.normal(size=mdp.S) * ~mdp.terminal
        plan = fh.backward_induction(mdp, H, terminal_value=g)
        best, start = -np.inf, int(rng.integers(mdp.S))
        for actions in product(range(mdp.A), repeat=H):
            s, total, factor = start, 0.0, 1.0
            for a in actions:
                if not mdp.terminal[s]:
                    total, s = total + factor * mdp.r[s, a], target[s, a]
                factor *= mdp.gamma
            best = max(best, total + factor * g[s])
        mine = det.open_loop(mdp, plan.pi, start)
        steps = len(mine.actions)
        assert mine.total + mdp.gamma**steps * g[mine.states[-1]] * (steps == H) == pytest.approx(best)
        assert det.follow(mdp, mine.actions, start).total == mine.total
        assert mine.rewards @ mdp.gamma ** np.arange(steps) == pytest.approx(mine.total)


def test_a_process_becomes_a_graph_and_keeps_its_actions():
    mdp, target = random_process(np.random.default_rng(12))
    graph = det.Graph.from_mdp(mdp)
    assert graph.m == mdp.feasible.sum()
    np.testing.assert_array_equal(graph.head, target[graph.tail, graph.action])
    np.testing.assert_array_equal(graph.weight, -mdp.r[graph.tail, graph.action])


def test_a_sparse_process_gives_the_same_graph():
    from scipy.sparse import csr_array

    dense = worlds.grid(slip=0.0, gamma=1.0, step_reward=-1.0)
    sparse = FiniteMDP(csr_array(dense.P), dense.r, 1.0, terminal=dense.terminal, labels=dense.labels)
    one, two = det.Graph.from_mdp(dense), det.Graph.from_mdp(sparse)
    for name in ("tail", "head", "weight", "action"):
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name))


def test_distances_to_the_end_are_minus_the_values_of_the_shortest_path_problem():
    from rlcore.planning import episodic

    mdp = worlds.grid(slip=0.0, gamma=1.0, step_reward=-0.04)
    ends = np.flatnonzero(mdp.terminal).tolist()
    to_end = det.bellman_ford(det.Graph.from_mdp(mdp).reversed(), ends).distance
    np.testing.assert_allclose(-to_end, episodic.policy_iteration(mdp).v, atol=1e-9)


def test_a_grid_has_an_edge_to_each_free_neighbour():
    graph = det.Graph.from_grid(WALLS)
    assert graph.n == sum(row.count(c) for row in WALLS for c in ".SG")
    cells = set(graph.labels)
    edges = {(graph.labels[u], graph.labels[v]) for u, v in zip(graph.tail, graph.head, strict=True)}
    assert edges == {(x, y) for x in cells for y in cells if abs(x[0] - y[0]) + abs(x[1] - y[1]) == 1}
    goal = graph.node((3, 4))
    assert det.dijkstra(graph, graph.node((0, 0))).distance[goal] == 7
    assert det.manhattan(graph, goal)[graph.node((0, 0))] == 7


def test_digits_are_what_entering_costs():
    graph = det.Graph.from_grid(["S9.", "111"])
    assert det.dijkstra(graph, 0).distance[graph.node((0, 2))] == 4
    assert det.dijkstra(graph, 0).distance[graph.node((0, 1))] == 9


def test_a_graph_is_not_changed_by_what_it_was_made_of_nor_by_its_users():
    weight = np.array([1.0, 2.0])
    graph = det.Graph(2, [0, 1], [1, 0], weight)
    weight[0] = 7.0
    assert graph.weight[0] == 1.0
    with pytest.raises(ValueError, match="read-only"):
        graph.weight[0] = 3.0


def test_the_picture_of_a_search_has_a_cell_for_each_place_and_a_line_for_the_path():
    graph = det.Graph.from_grid(WALLS)
    start, goal = graph.node((0, 0)), graph.node((3, 4))
    found = det.dijkstra(graph, start, target=goal)
    ax = plot.search(found, goal, title="x")
    assert len(ax.patches) == 20
    assert len({p.get_facecolor() for p in ax.patches}) == len(found.order) + 1 + (len(found.order) < graph.n)
    assert {t.get_text() for t in ax.texts} == {"S", "G"}
    assert len(ax.lines[0].get_xdata()) == 8
    assert not plot.search(found, source=start).lines
    with pytest.raises(ValueError, match=r"Labels must be cells \(row, column\); got 0"):
        plot.search(det.dijkstra(det.Graph(1, [], [], []), 0))


# ---------------------------------------------------------------------- bad input

LINE = det.Graph(3, [0, 1], [1, 2], [1.0, 1.0], labels=["a", "b", "c"])
FIRM = worlds.grid(slip=0.0)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: det.Graph(0, [], [], []), r"n = 0: give the number of nodes"),
        (lambda: det.Graph(2, [0], [2], [1.0]), r"head\[0\] = 2: nodes are 0\.\.1"),
        (lambda: det.Graph(2, [-1], [1], [1.0]), r"tail\[0\] = -1: nodes are 0\.\.1"),
        (lambda: det.Graph(2, [0.5], [1], [1.0]), r"tail must hold integers.*float64"),
        (lambda: det.Graph(2, [0, 1], [1], [1.0]), r"of one length.*\(2,\), \(1,\) and \(1,\)"),
        (lambda: det.Graph(2, [0], [1], [np.nan]), r"weight\[0\] = nan on the edge from 0 to 1"),
        (lambda: det.Graph(2, [0], [1], [np.inf]), r"weight\[0\] = inf.*Leave out"),
        (lambda: det.Graph(2, [0], [1], [1.0], labels=["x", "x"]), r"labels must hold 2 different names"),
        (lambda: det.Graph(2, [0], [1], [1.0], action=[0, 1]), r"action must hold 1 integers"),
        (lambda: det.Graph.from_mdp(worlds.grid()), r"in state \(0, 0\), action 'up' leads to 2 states .*0\.9"),
        (lambda: det.Graph.from_grid("S.#"), r"give a list of rows"),
        (lambda: det.Graph.from_grid(["S.", "."]), r"rows of lengths \[2, 1\]"),
        (lambda: det.Graph.from_grid(["S.", ".x"]), r"'x' in row 1, column 1"),
        (lambda: det.Graph.from_grid(["##"]), r"no free cell"),
        (lambda: det.Graph.from_grid(WALLS).node((1, 1)), r"No node is labelled \(1, 1\)"),
        (lambda: LINE.reweighted([0, 1]), r"shape \(3,\); got \(2,\)"),
        (lambda: LINE.path([1, 0]), r"Edge 1 ends in 'c', but edge 0 begins in 'a'"),
        (lambda: LINE.path([]), r"one or more integers in 0\.\.1"),
        (lambda: det.bellman_ford(LINE, 3), r"source = 3: give a node"),
        (lambda: det.bellman_ford(LINE, []), r"source is empty"),
        (lambda: det.bellman_ford(LINE, 2).path(0), r"No path leads from the source to node 'a'"),
        (lambda: det.dijkstra(LINE, 0, target=1.5), r"target = 1\.5: give a node"),
        (lambda: det.dijkstra(LINE.reweighted([0, 0, -2]), 0), r"Edge 1, from 'b' to 'c', has the negative weight -1"),
        (lambda: det.a_star(LINE, 0, 2, [0, 0]), r"h must give a number .* got shape \(2,\)"),
        (lambda: det.a_star(LINE, 0, 2, [0, np.nan, 0]), r"h must give a number"),
        (lambda: det.a_star(LINE, 0, 2, [2, 1, 1]), r"h at the target 'c' is 1: it must be 0"),
        (lambda: det.a_star(LINE, 0, 2, [5, 1, 0]), r"not consistent on edge 0, from 'a' to 'b': h = 5 is more than"),
        (lambda: det.a_star(LINE, 0, 2, [np.inf, 1, 0]), r"not consistent on edge 0"),
        (lambda: det.manhattan(LINE, 0), r"Labels must be cells \(row, column\); got 'a'"),
        (lambda: det.walks(LINE, 0, -1), r"length = -1: give a number of edges"),
        (lambda: det.walks(LINE, 0, 2).walk(3, 0), r"length = 3: walks of 1 to 2 edges"),
        (lambda: det.walks(LINE, 0, 2).walk(1.5, 0), r"length = 1\.5: walks of 1 to 2 edges"),
        (lambda: det.walks(LINE, 0, 2).walk(2, -1), r"node = -1: give a node"),
        (lambda: det.walks(LINE, 0, 2).walk(2, 0), r"No walk of 2 edges leads to node 'a'"),
        (lambda: det.open_loop(FIRM, np.zeros((3, 2), int), 0), r"pi must hold integer actions of shape \(H, 28\)"),
        (lambda: det.open_loop(FIRM, np.full((3, 28), 9), 0), r"Step 0 takes action 9 in state \(0, 0\)"),
        (lambda: det.follow(FIRM, [0.5], 0), r"actions must be a list of integers"),
        (lambda: det.follow(FIRM, [1], 99), r"start = 99: give a node \(a state\), an integer in 0\.\.27"),
        (lambda: det.follow(worlds.grid(), [1], 0), r"The process is not deterministic"),
    ],
)
def test_bad_input_is_refused_with_place_value_and_remedy(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_a_negative_cycle_is_named_by_its_labels():
    graph = det.Graph(3, [0, 1, 2], [1, 2, 1], [1.0, 1.0, -2.0], labels=["Rome", "Oslo", "Lima"])
    with pytest.raises(det.NegativeCycle, match=r"-> (Oslo|Lima) -> .*negative weight -1:") as caught:
        det.bellman_ford(graph, 0)
    assert set(caught.value.cycle.nodes.tolist()) == {1, 2}


def test_a_negative_cycle_can_be_sent_to_another_process():
    with pytest.raises(det.NegativeCycle) as caught:
        det.bellman_ford(det.Graph(1, [0], [0], [-2.0]), 0)
    copy = pickle.loads(pickle.dumps(caught.value))
    assert str(copy) == str(caught.value)
    assert copy.cycle.weight == -2.0


def test_long_walks_are_cut_short_in_messages():
    n = 40
    ring = det.Graph(n, np.arange(n), (np.arange(n) + 1) % n, np.full(n, -1.0))
    with pytest.raises(det.NegativeCycle, match=r"\.\.\. \(32 more\) ->"):
        det.bellman_ford(ring, 0)
