"""Each statement of the chapter on deterministic processes, where it is tight, and where it breaks.

Nothing here trusts the solvers: least weights come from enumerating walks, paths or cycles, the best plan from all
lists of actions, and the searches are written out again, without a heap.
"""

from itertools import pairwise, product
from math import inf

import numpy as np
import pytest

from rlcore import FiniteMDP
from rlcore.planning import deterministic as det
from rlcore.planning import finite_horizon as fh

NEVER_TIGHT = {
    "lem-cycles": "it asserts existence, and an infinite infimum",
    "lem-reweighting": "an equation: both sides agree on every instance",
    "prop-deterministic-dp": "an equation: both sides agree on every instance",
    "prop-negative-cycle": "an equivalence",
    "thm-dijkstra": "an equation: both sides agree on every instance",
}
NOTHING_TO_DROP = {
    "lem-reweighting": "it holds for every graph and every potential",
    "prop-cycle-certificate": "it holds for every graph with a cycle",
    "prop-negative-cycle": "it holds for every graph",
}


# ---------------------------------------------------------------------- instances and enumerations


def random_graph(rng, *, least, n=None, density=2.0, cyclic=False):
    """2 to 6 nodes, weights uniform on [least, 4); with a self-loop somewhere if `cyclic`."""
    n = int(rng.integers(2, 7)) if n is None else n
    m = int(rng.integers(1, int(density * n) + 1))
    tail, head, weight = rng.integers(n, size=m), rng.integers(n, size=m), rng.uniform(least, 4.0, size=m)
    if cyclic:
        u = rng.integers(n)
        tail, head, weight = np.r_[tail, u], np.r_[head, u], np.r_[weight, rng.uniform(least, 4.0)]
    return det.Graph(n, tail, head, weight)


def graphs(seed, *, count=120, **kwargs):
    for rng in np.random.default_rng(seed).spawn(count):
        yield random_graph(rng, **kwargs), rng


def edge_list(graph):
    return list(zip(graph.tail.tolist(), graph.head.tolist(), graph.weight.tolist(), strict=True))


def paths_from(graph, s):
    """All (nodes, weight) of walks from s that visit no node twice, by going on from each."""
    found, stack = [], [((s,), 0.0)]
    while stack:
        nodes, weight = stack.pop()
        found.append((nodes, weight))
        stack += [((*nodes, v), weight + w) for u, v, w in edge_list(graph) if u == nodes[-1] and v not in nodes]
    return found


def simple_cycles(graph):
    """All (nodes, weight) of cycles, the first node not repeated, from each of their nodes."""
    return [
        (nodes, weight + w)
        for s in range(graph.n)
        for nodes, weight in paths_from(graph, s)
        for u, v, w in edge_list(graph)
        if u == nodes[-1] and v == s
    ]


def path_distances(graph, s):
    """The least weight (n,) of a path: the distances, where no cycle is negative."""
    best = np.full(graph.n, inf)
    for nodes, weight in paths_from(graph, s):
        best[nodes[-1]] = min(best[nodes[-1]], weight)
    return best


def least_walks(graph, starts, length):
    """(length+1, n): the least weight of a walk of exactly k edges, by matrix powers of (min, +)."""
    W = np.full((graph.n, graph.n), inf)
    for u, v, w in edge_list(graph):
        W[u, v] = min(W[u, v], w)
    rows = [np.where(np.isin(np.arange(graph.n), starts), 0.0, inf)]
    for _ in range(length):
        rows.append((rows[-1][:, None] + W).min(axis=0))
    return np.array(rows)


def reaches_negative_cycle(graph, s):
    reached = {nodes[-1] for nodes, _ in paths_from(graph, s)}
    return any(weight < 0 and nodes[0] in reached for nodes, weight in simple_cycles(graph))


def slow_search(graph, s, key, stop=None):
    """Expand, once each, the node with the least distance + key; ties to the smaller key, then the lowest node."""
    d, order = {s: 0.0}, []
    while waiting := [u for u in d if u not in order]:
        u = min(waiting, key=lambda v: (d[v] + key[v], key[v], v))
        order.append(u)
        if u == stop:
            break
        for x, v, w in edge_list(graph):
            if x == u and v not in order:
                d[v] = min(d.get(v, inf), d[u] + w)
    return order, d


def consistent_guess(graph, goal, rng):
    """The distance to the goal in a graph with some edges made cheaper: consistent, and 0 at the goal."""
    cheaper = graph.weight * rng.uniform(0, 1, size=graph.m)
    back = det.Graph(graph.n, graph.head, graph.tail, cheaper)
    return path_distances(back, goal)


def with_goal(seed, count=120, **kwargs):
    """Graphs of non-negative weights whose goal, the last node, can be reached from node 0; and generators."""
    made = 0
    for rng in np.random.default_rng(seed).spawn(20 * count):
        graph = random_graph(rng, least=0.0, n=6, **kwargs)
        if np.isfinite(path_distances(graph, 0)[5]):
            yield graph, rng
            made += 1
        if made == count:
            return


def random_process(rng, S=4, A=2, *, ends=False):
    """With some infeasible actions; if it `ends`, in the last state, where lists go on and stay for nothing."""
    target, r = rng.integers(S, size=(S, A)), rng.normal(size=(S, A))
    r[:, 1:][rng.random((S, A - 1)) < 0.2] = -inf
    P, terminal = np.eye(S)[target], ends & (np.arange(S) == S - 1)
    P[terminal], r[terminal], target[terminal] = 0.0, 0.0, S - 1
    return FiniteMDP.from_arrays(P, r, 1.0, terminal=terminal), target


def lists_from(mdp, target, s, H):
    """(actions, states, rewards) of every feasible list of H actions from s."""
    for actions in product(range(mdp.A), repeat=H):
        states, rewards = [s], []
        for a in actions:
            rewards.append(mdp.r[states[-1], a])
            states.append(int(target[states[-1], a]))
        if -inf not in rewards:
            yield actions, states, rewards


def test_there_are_enough_instances():
    assert sum(1 for _ in with_goal(1)) >= 100


# ---------------------------------------------------------------------- plans


def expected(mdp, target, s, H, policy, F):
    """E F of a history-dependent randomised policy, going through the tree of histories."""

    def go(history, p):
        if len(history) == 2 * H + 1:
            return p * F(history)
        law = policy(history)
        return sum(go((*history, a, int(target[history[-1], a])), p * law[a]) for a in range(mdp.A) if law[a] > 0)

    return go((s,), 1.0)


def random_history_policy(mdp, rng):
    """A law on the feasible actions for each history, drawn when it is first asked for."""
    laws: dict = {}

    def policy(history):
        if history not in laws:
            weights = rng.exponential(size=mdp.A) ** 3 * mdp.feasible[history[-1]]
            laws[history] = weights / weights.sum()
        return laws[history]

    return policy


@pytest.mark.claim("thm-open-loop", "random")
def test_no_policy_with_memory_and_dice_beats_the_best_list_whatever_is_paid_for_the_path():
    gaps = []
    for rng in np.random.default_rng(1).spawn(120):
        mdp, target = random_process(rng)
        H, prizes = 3, {}

        def F(path, rng=rng, prizes=prizes):  # any function of the path
            return prizes.setdefault(path, rng.normal())

        best = max(
            F((*(x for pair in zip(states, actions, strict=False) for x in pair), states[-1]))
            for actions, states, _ in lists_from(mdp, target, 0, H)
        )
        gaps.append(best - expected(mdp, target, 0, H, random_history_policy(mdp, rng), F))
    assert len(gaps) >= 100
    assert min(gaps) >= -1e-12
    assert max(gaps) > 0.1


@pytest.mark.claim("thm-open-loop", "tight")
def test_the_best_list_is_a_policy_and_a_lottery_over_best_lists_is_as_good():
    mdp = FiniteMDP([[0, 1], [0, 1], [0, 1], [0, 1]], [[2, 2], [0, 0]], 1.0)
    policy = lambda history: np.array([0.3, 0.7])  # noqa: E731
    total = expected(mdp, np.ones((2, 2), int), 0, 2, policy, lambda h: mdp.r[h[0], h[1]] + mdp.r[h[2], h[3]])
    assert total == pytest.approx(det.follow(mdp, [0, 0], 0).total) == pytest.approx(2)


@pytest.mark.claim("thm-open-loop", "dropped")
def test_with_chance_in_the_moves_or_in_the_start_looking_beats_every_list():
    guess_the_coin = [[0, 1, 0], [0, 0, 1]]  # states 1 and 2 pay for actions 0 and 1
    P = np.array([[0, 0.5, 0.5], [0, 1, 0], [0, 0, 1]] * 2, dtype=float)
    mdp = FiniteMDP(P, np.transpose(guess_the_coin), 1.0, mu=[1, 0, 0])
    for start, H in (([1.0, 0, 0], 2), ([0, 0.5, 0.5], 1)):  # the coin falls at the first step; or before
        looking = start @ fh.backward_induction(mdp, H).v[0]
        blind = max(
            sum(
                (start @ np.linalg.matrix_power(P[:3], t))[s] * mdp.r[s, a]
                for t, a in enumerate(actions)
                for s in range(3)
            )
            for actions in product(range(2), repeat=H)
        )
        assert (looking, blind) == (1.0, 0.5)


@pytest.mark.claim("prop-deterministic-dp", "random")
def test_backward_induction_finds_the_best_of_all_lists_from_every_state():
    for i, rng in enumerate(np.random.default_rng(2).spawn(120)):
        mdp, target = random_process(rng, S=int(rng.integers(2, 5)), A=int(rng.integers(1, 4)), ends=i % 2 == 1)
        H, gamma, g = 4, i % 5 / 4, rng.normal(size=mdp.S) * ~mdp.terminal  # gamma from 0 to 1
        w, looks = g, 0
        for _ in range(H):
            q = np.where(mdp.terminal[:, None], 0.0, np.full((mdp.S, mdp.A), -inf))
            for s, a in np.argwhere(mdp.feasible & ~mdp.terminal[:, None]):
                q[s, a], looks = mdp.r[s, a] + gamma * w[target[s, a]], looks + 1
            w = q.max(axis=1)
        assert looks <= H * mdp.S * mdp.A
        discounted = FiniteMDP(mdp.P, mdp.r, gamma, terminal=mdp.terminal)
        np.testing.assert_allclose(fh.backward_induction(discounted, H, terminal_value=g).v[0], w)
        for s in range(mdp.S):
            best = max(
                np.dot(gamma ** np.arange(H), rewards) + gamma**H * g[states[-1]]
                for _, states, rewards in lists_from(mdp, target, s, H)
            )
            assert w[s] == pytest.approx(best)


@pytest.mark.claim("prop-deterministic-dp", "dropped")
def test_with_rewards_that_depend_on_the_past_the_recursion_misses_the_best_list():
    # After the dear first step, the second costs what it otherwise pays.
    target = np.array([[1, 1], [2, 2], [2, 2]])
    r = np.array([[1.0, 2.0], [0.0, 3.0], [0.0, 0.0]])

    def paid(a, b):
        return r[0, a] + (r[1, b] if a == 0 else -r[1, b])

    mdp = FiniteMDP.from_arrays(np.eye(3)[target], r, 1.0)
    a, b = det.open_loop(mdp, fh.backward_induction(mdp, 2).pi, 0).actions
    assert paid(a, b) < max(paid(a, b) for a, b in product(range(2), repeat=2))


# ---------------------------------------------------------------------- distances


@pytest.mark.claim("lem-cycles", "random")
def test_walks_gain_nothing_over_paths_unless_a_negative_cycle_is_on_the_way():
    kinds = []
    for real, _ in graphs(3, least=-2.6):
        graph = det.Graph(real.n, real.tail, real.head, real.weight.round())  # so that the mean of a negative cycle
        n, best_path = graph.n, path_distances(graph, 0)  # is at most -1/n, and long walks show it
        reached = np.isfinite(best_path)
        kinds.append(reaches_negative_cycle(graph, 0))
        walks = least_walks(graph, [0], 400 * n if kinds[-1] else 20 * n)
        np.testing.assert_array_equal(np.isfinite(walks[:n].min(axis=0)), reached)
        if not kinds[-1]:
            np.testing.assert_allclose(walks.min(axis=0), best_path)
            np.testing.assert_allclose(walks[:n].min(axis=0), best_path)
        else:
            onwards = {  # what can be reached from a negative cycle that can be reached
                path[-1]
                for nodes, weight in simple_cycles(graph)
                if weight < 0 and reached[nodes[0]]
                for path, _ in paths_from(graph, nodes[0])
            }
            assert all(walks[:, v].min() < walks[: 100 * n, v].min() for v in onwards)
    assert 20 < sum(kinds) < 100


@pytest.mark.claim("lem-cycles", "dropped")
def test_with_a_negative_cycle_no_walk_is_best():
    graph = det.Graph(2, [0, 1], [1, 0], [1.0, -2.0])
    walks = least_walks(graph, [0], 100)[1::2, 1]
    np.testing.assert_allclose(np.diff(walks), -1)
    assert path_distances(graph, 0)[1] == 1


@pytest.mark.claim("thm-bellman-ford", "random")
def test_after_k_rounds_the_best_walks_of_at_most_k_edges_are_known():
    kept = 0
    for graph, _ in graphs(4, least=-0.4, count=200):
        if reaches_negative_cycle(graph, 0):
            continue
        kept += 1
        found = det.bellman_ford(graph, 0, record=True)
        most = np.minimum.accumulate(least_walks(graph, [0], graph.n), axis=0)
        for k, d in enumerate(found.history):
            np.testing.assert_allclose(d, most[k], atol=1e-12)
        np.testing.assert_allclose(found.distance, path_distances(graph, 0), atol=1e-12)
        assert len(found.history) <= graph.n  # the round that changes nothing, at most the n-th, is not kept
        for v in np.flatnonzero(np.isfinite(found.distance)).tolist():
            assert found.path(v).weight == pytest.approx(found.distance[v])
            assert found.path(v).nodes[0] == 0
    assert kept >= 100


@pytest.mark.claim("thm-bellman-ford", "tight")
def test_a_line_needs_all_rounds():
    n = 7
    line = det.Graph(n, np.arange(n - 1), np.arange(1, n), np.ones(n - 1))
    found = det.bellman_ford(line, 0, record=True)
    assert len(found.history) == n
    assert (np.isfinite(found.history).sum(axis=1) == np.arange(1, n + 1)).all()


@pytest.mark.claim("thm-bellman-ford", "dropped")
def test_with_a_negative_cycle_the_last_round_but_one_knows_no_distances():
    graph = det.Graph(3, [0, 1, 1], [1, 1, 2], [1.0, -1.0, 1.0])
    rows = np.minimum.accumulate(least_walks(graph, [0], 9), axis=0)
    assert rows[9, 2] < rows[2, 2]
    with pytest.raises(det.NegativeCycle):
        det.bellman_ford(graph, 0)


@pytest.mark.claim("prop-negative-cycle", "random")
def test_round_n_changes_something_if_and_only_if_a_negative_cycle_can_be_reached():
    kinds = []
    for graph, _ in graphs(5, least=-2.0):
        rows = np.minimum.accumulate(least_walks(graph, [0], graph.n), axis=0)
        changes = bool((rows[graph.n] < rows[graph.n - 1] - 1e-12).any())
        kinds.append(changes)
        assert changes == reaches_negative_cycle(graph, 0)
        if changes:
            with pytest.raises(det.NegativeCycle) as caught:
                det.bellman_ford(graph, 0)
            nodes = caught.value.cycle.nodes.tolist()
            weights = [w for c, w in simple_cycles(graph) if list(c) == nodes[:-1]]  # several with parallel edges
            assert any(w == pytest.approx(caught.value.cycle.weight) for w in weights)
            assert caught.value.cycle.weight < 0
    assert 20 < sum(kinds) < 100


@pytest.mark.claim("thm-dijkstra", "random")
def test_nodes_are_expanded_once_nearest_first_with_their_distances():
    for i, (real, _) in enumerate(graphs(6, least=0.0, density=3.0)):
        weight = np.floor(real.weight / 2) if i % 2 else real.weight  # free edges and ties
        graph = det.Graph(real.n, real.tail, real.head, weight)
        found, best = det.dijkstra(graph, 0), path_distances(graph, 0)
        np.testing.assert_allclose(found.distance, best)
        assert sorted(found.order.tolist()) == np.flatnonzero(np.isfinite(best)).tolist()
        assert all(best[u] <= best[v] + 1e-12 for u, v in pairwise(found.order))
        for k, u in enumerate(found.order.tolist()):  # what is known when it is expanded is already right
            stopped = det.dijkstra(graph, 0, target=u)
            assert stopped.distance[u] == pytest.approx(best[u])
            assert len(stopped.order) == k + 1


@pytest.mark.claim("thm-dijkstra", "dropped")
def test_one_negative_edge_spoils_it_without_any_cycle():
    graph = det.Graph(3, [0, 0, 2], [1, 2, 1], [2.0, 3.0, -2.0])
    hasty = det.dijkstra(graph, 0, check=False)
    assert hasty.distance[1] == 2 == slow_search(graph, 0, np.zeros(3))[1][1]
    assert path_distances(graph, 0)[1] == 1
    assert hasty.order.tolist() == [0, 1, 2]
    with pytest.raises(ValueError, match="negative weight"):
        det.dijkstra(graph, 0)


# ---------------------------------------------------------------------- potentials


@pytest.mark.claim("lem-reweighting", "random")
def test_a_potential_changes_walks_by_their_ends_and_cycles_not_at_all():
    cycles = 0
    for graph, rng in graphs(7, least=-2.0):
        h = rng.normal(size=graph.n) * 5
        new = graph.reweighted(h)
        for s in range(graph.n):
            for (nodes, old), (same, changed) in zip(paths_from(graph, s), paths_from(new, s), strict=True):
                assert nodes == same
                assert changed == pytest.approx(old + h[nodes[-1]] - h[s])
        for (_, old), (_, changed) in zip(simple_cycles(graph), simple_cycles(new), strict=True):
            assert changed == pytest.approx(old)
            cycles += 1
    assert cycles > 100


@pytest.mark.claim("thm-a-star", "random")
def test_a_star_is_dijkstra_on_the_reweighted_graph_and_expands_what_it_must():
    fewer = negative = 0
    for graph, rng in with_goal(8, density=3.0):
        h, goal = consistent_guess(graph, 5, rng), 5
        h = np.where(np.isfinite(h), h, 50.0)  # dead ends: a finite number that keeps h consistent
        plain, lower = graph, h * rng.uniform(0, 1)  # consistent as well
        if rng.random() < 0.5:  # raise and lower nodes, so that some weights are negative and both guesses fit
            height = rng.uniform(0, 3, size=6)
            graph = graph.reweighted(height)
            h, lower = h - height + height[goal], lower - height + height[goal]
        negative += graph.weight.min() < 0
        best = path_distances(graph, 0)
        found = det.a_star(graph, 0, goal, h)
        order, d = slow_search(graph.reweighted(h), 0, np.zeros(6), stop=goal)
        assert found.order.tolist() == order
        assert len(set(order)) == len(order)
        assert all(found.distance[u] == pytest.approx(best[u]) for u in order)
        assert d[goal] == pytest.approx(best[goal] + h[goal] - h[0])
        must = {u for u in range(6) if best[u] + h[u] < best[goal] - 1e-9}
        may = {u for u in range(6) if best[u] + h[u] <= best[goal] + 1e-9}
        assert must <= set(order) <= may
        more = set(det.a_star(graph, 0, goal, lower).order.tolist())
        assert {u for u in order if best[u] + h[u] < best[goal] - 1e-9} <= more
        fewer += len(order) < len(det.dijkstra(plain, 0, target=goal).order)
    assert fewer > 20
    assert negative > 30


@pytest.mark.claim("thm-a-star", "tight")
def test_the_perfect_guess_expands_the_shortest_path_and_no_guess_everything_nearer():
    graph = det.Graph.from_grid(["....S....G"])
    start, goal = 4, 9
    perfect = det.dijkstra(graph.reversed(), goal).distance
    assert det.a_star(graph, start, goal, perfect).order.tolist() == [4, 5, 6, 7, 8, 9]
    assert set(det.a_star(graph, start, goal, np.zeros(10)).order.tolist()) == set(range(10))


@pytest.mark.claim("thm-a-star", "dropped")
def test_an_admissible_guess_that_is_not_consistent_leads_astray():
    graph = det.Graph(4, [0, 0, 2, 1], [1, 2, 1, 3], [3.0, 1.0, 1.0, 3.0])
    guess = np.array([0.0, 0.0, 4.0, 0.0])
    togo = path_distances(graph.reversed(), 3)
    assert (guess <= togo).all()
    assert graph.reweighted(guess).weight.min() < 0
    assert det.a_star(graph, 0, 3, guess, check=False).distance[3] == 6 > path_distances(graph, 0)[3] == 5


@pytest.mark.claim("prop-reopening", "random")
def test_with_reopening_the_path_is_longer_by_no_more_than_the_guess_is_too_high():
    longer = inconsistent = 0
    for graph, rng in with_goal(9, density=4.0):
        togo, best = path_distances(graph.reversed(), 5), path_distances(graph, 0)[5]
        togo = np.where(np.isfinite(togo), togo, 50.0)
        for c in (1.0, rng.uniform(1, 12)):
            h = c * togo * rng.uniform(0, 1, size=6)
            h[rng.integers(6)] *= 0
            h[5] = 0.0
            found = det.a_star(graph, 0, 5, h, check=False, reopen=True)
            assert found.path(5).weight <= found.distance[5] + 1e-12
            assert found.distance[5] <= c * best + 1e-9
            longer += found.distance[5] > best + 1e-9
            inconsistent += graph.reweighted(h).weight.min() < -1e-9
    assert longer > 5
    assert inconsistent > 100


@pytest.mark.claim("prop-reopening", "tight")
def test_the_factor_can_be_paid_in_full():
    c = 3.0
    graph = det.Graph(3, [0, 0, 1], [1, 2, 2], [0.0, c, 1.0])  # two ways: for c at once, or for 1
    togo, guess = path_distances(graph.reversed(), 2), np.array([0.0, c, 0.0])
    assert (guess <= c * togo).all()
    found = det.a_star(graph, 0, 2, guess, check=False, reopen=True)
    assert found.path(2).weight == found.distance[2] == c * path_distances(graph, 0)[2] == 3.0


@pytest.mark.claim("prop-reopening", "dropped")
def test_without_reopening_an_admissible_guess_is_not_enough_and_with_it_a_higher_one_is_not():
    graph = det.Graph(4, [0, 0, 2, 1], [1, 2, 1, 3], [3.0, 1.0, 1.0, 3.0])
    guess = [0.0, 0.0, 4.0, 0.0]
    assert det.a_star(graph, 0, 3, guess, check=False).distance[3] == 6
    assert det.a_star(graph, 0, 3, guess, check=False, reopen=True).distance[3] == 5
    too_high = [0.0, 0.0, 10.0, 0.0]
    assert det.a_star(graph, 0, 3, too_high, check=False, reopen=True).distance[3] == 6


@pytest.mark.claim("prop-reopening", "dropped")
def test_with_negative_weights_the_factor_bounds_nothing():
    graph = det.Graph(3, [0, 1, 0], [1, 2, 2], [-10.0, 11.0, 11.0])
    guess = np.array([0.0, 22.0, 0.0])
    assert (guess <= 2 * path_distances(graph.reversed(), 2)).all()
    assert path_distances(graph, 0)[2] == 1
    assert det.a_star(graph, 0, 2, guess, check=False, reopen=True).distance[2] == 11


# ---------------------------------------------------------------------- cycles


def best_cycle(graph, s=None):
    """The least mean of a cycle (that can be reached from s), by enumeration."""
    reached = range(graph.n) if s is None else {nodes[-1] for nodes, _ in paths_from(graph, s)}
    return min(weight / len(nodes) for nodes, weight in simple_cycles(graph) if nodes[0] in reached)


@pytest.mark.claim("thm-average-cycle", "random")
def test_no_plan_earns_more_than_the_best_cycle_and_going_round_it_does():
    for rng in np.random.default_rng(10).spawn(120):
        mdp, target = random_process(rng, S=int(rng.integers(2, 6)), A=int(rng.integers(1, 4)))
        graph, s = det.Graph.from_mdp(mdp), int(rng.integers(mdp.S))
        lam, r_max = best_cycle(graph, s), np.abs(mdp.r[mdp.feasible]).max()
        total = -least_walks(graph, [s], 60).min(axis=1)  # the best reward of n steps, over all lists
        n = np.arange(61)
        assert (total <= -n * lam + 2 * (mdp.S - 1) * r_max + 1e-9).all()
        averages = []
        for pi in product(*[np.flatnonzero(mdp.feasible[u]) for u in range(mdp.S)]):
            u, seen, rewards = s, {}, []
            while u not in seen:
                seen[u] = len(rewards)
                rewards.append(mdp.r[u, pi[u]])
                u = int(target[u, pi[u]])
            averages.append(np.mean(rewards[seen[u] :]))
        assert max(averages) == pytest.approx(-lam)
        assert det.karp(graph, s).mean == pytest.approx(lam)


@pytest.mark.claim("thm-average-cycle", "tight")
def test_the_constant_is_needed_up_to_the_way_to_the_cycle():
    S = 5  # four steps that pay 1, then a loop that costs 1
    target = np.minimum(np.arange(S) + 1, S - 1)[:, None]
    r = np.array([1.0, 1, 1, 1, -1])[:, None]
    graph = det.Graph.from_mdp(FiniteMDP.from_arrays(np.eye(S)[target], r, 1.0))
    n = 30
    assert -least_walks(graph, [0], n)[n].min() == -n * best_cycle(graph) + 2 * (S - 1)


@pytest.mark.claim("thm-average-cycle", "dropped")
def test_with_chance_no_policy_earns_what_the_best_cycle_of_possible_moves_promises():
    # The only action leads anywhere at random and pays 1 in state 0: nobody can go round the loop there for ever.
    mdp = FiniteMDP(np.full((2, 2), 0.5), [[1.0], [0.0]], 1.0)
    with pytest.raises(ValueError, match="not deterministic"):
        det.Graph.from_mdp(mdp)
    average = fh.backward_induction(mdp, 1000).v[0] / 1000
    support = det.Graph(2, [0, 0, 1, 1], [0, 1, 0, 1], [-1.0, -1.0, 0.0, 0.0])  # edges wherever p > 0
    assert average.max() < 0.51 < -best_cycle(support)


@pytest.mark.claim("thm-karp", "random")
def test_the_formula_gives_the_least_mean_and_all_cycles_of_the_walk_have_it():
    for graph, _ in graphs(11, least=-3.0, cyclic=True):
        n, D = graph.n, least_walks(graph, list(range(graph.n)), graph.n)
        value = np.full(n, inf)
        for v in np.flatnonzero(np.isfinite(D[n])):
            value[v] = max((D[n, v] - D[k, v]) / (n - k) for k in range(n) if np.isfinite(D[k, v]))
        lam = best_cycle(graph)
        assert value.min() == pytest.approx(lam)
        walk = det.walks(graph, list(range(n)), n).walk(n, int(value.argmin()))
        nodes, weights = walk.nodes.tolist(), graph.weight[walk.edges]
        loops = [(i, j) for i in range(n) for j in range(i + 1, n + 1) if nodes[i] == nodes[j]]
        assert loops
        for i, j in loops:
            assert weights[i:j].mean() == pytest.approx(lam)
        mine = det.karp(graph)
        assert mine.mean == pytest.approx(lam)
        assert graph.weight[mine.cycle.edges].mean() == pytest.approx(lam)


@pytest.mark.claim("thm-karp", "tight")
def test_walks_of_n_edges_cannot_be_replaced_by_shorter_ones():
    # Taking n - 1 for n: on a line with a cycle at its end, the formula then misses the cycle.
    graph = det.Graph(4, [0, 1, 2, 3], [1, 2, 3, 0], [0.0, 0.0, 0.0, 4.0])
    D = least_walks(graph, list(range(4)), 4)

    def formula(n):
        return min(max((D[n, v] - D[k, v]) / (n - k) for k in range(n)) for v in range(4))

    assert formula(4) == best_cycle(graph) == 1.0
    assert formula(3) == 0.0


@pytest.mark.claim("thm-karp", "dropped")
def test_without_a_cycle_there_is_no_walk_of_n_edges():
    for rng in np.random.default_rng(12).spawn(100):
        n = int(rng.integers(2, 7))
        pairs = [(u, v) for u in range(n) for v in range(u + 1, n) if rng.random() < 0.6] or [(0, 1)]
        graph = det.Graph(n, *np.transpose(pairs), rng.normal(size=len(pairs)))
        assert np.isinf(least_walks(graph, list(range(n)), n)[n]).all()
        with pytest.raises(ValueError, match="no cycle"):
            det.karp(graph)


@pytest.mark.claim("prop-cycle-certificate", "random")
def test_every_potential_bounds_the_least_cycle_mean_from_below():
    for graph, rng in graphs(13, least=-3.0, cyclic=True):
        lam = best_cycle(graph)
        for scale in (0.0, 0.5, 5.0):
            h = rng.normal(size=graph.n) * scale
            assert (graph.weight + h[graph.head] - h[graph.tail]).min() <= lam + 1e-12


@pytest.mark.claim("prop-cycle-certificate", "tight")
def test_distances_with_the_mean_taken_off_attain_it():
    for graph, _ in graphs(14, least=-3.0, cyclic=True):
        lam = best_cycle(graph)
        less = det.Graph(graph.n, graph.tail, graph.head, graph.weight - lam)
        h = -least_walks(less, list(range(graph.n)), graph.n - 1).min(axis=0)
        assert (graph.weight + h[graph.head] - h[graph.tail]).min() == pytest.approx(lam)
