"""Each statement of the chapter on linear programs, on random instances, where it is tight, and where it breaks.

Nothing here trusts the programs under test: occupancies are sums over time, optimal values come from enumerating
deterministic policies, and the best policy within a limit from enumerating pairs of them.
"""

from dataclasses import replace
from itertools import combinations, pairwise, product

import numpy as np
import pytest

from rlcore import FiniteMDP, greedy, worlds
from rlcore.planning import linear_programs as lp
from tests.instances import instances, random_actions, random_policy, random_values
from tests.planning.test_discounted_claims import T, all_policies, optimum, small, value

NEVER_TIGHT = {
    "cor-stationary-enough": "an equation: both sides agree on every instance",
    "prop-gap": "an equation: both sides agree on every instance",
    "prop-pivot": "an equation: both sides agree on every instance",
    "cor-weights": "an equivalence",
    "thm-vertices": "an equivalence",
    "thm-slackness": "an equivalence",
}


def series(mdp, pi):
    """x(s, a) as the sum over 1,024 steps of gamma^t P(s_t = s, a_t = a), for a stationary policy."""
    weights = np.eye(mdp.A)[pi] if pi.ndim == 1 else pi
    P = np.einsum("sa,ast->st", weights, mdp.P.reshape(mdp.A, mdp.S, mdp.S))
    power, total = mdp.gamma * P * ~mdp.terminal, np.eye(mdp.S)
    for _ in range(10):  # the sum of twice as many powers, each time
        total, power = total + total @ power, power @ power
    return ((mdp.mu * ~mdp.terminal) @ total)[:, None] * weights


def flow_of(mdp, x):
    """(F x)(s'), by loops."""
    p, out = mdp.P.reshape(mdp.A, mdp.S, mdp.S), x.sum(axis=1)
    for s, a in np.argwhere(x != 0):
        out = out - mdp.gamma * x[s, a] * p[a, s]
    return out * ~mdp.terminal


def rewards(mdp):
    return np.where(mdp.feasible, mdp.r, 0.0)


def positive_mu(mdp, rng):
    """Any law that is positive where the process has not ended."""
    mu = rng.dirichlet(np.ones(mdp.S)) + 0.02
    mu[mdp.terminal] = 0.0
    return replace(mdp, mu=mu / mu.sum())


def unvisited(mdp, rng):
    """The same process, begun in one state only."""
    first = int(rng.choice(np.flatnonzero(~mdp.terminal)))
    return replace(mdp, mu=np.eye(mdp.S)[first])


def corridor():
    """Entered on the left, with action 0; the right end may never be seen."""
    P = [[0, 1, 0], [0, 1, 0], [0, 0, 0], [0, 0, 1], [0, 0, 1], [0, 0, 0]]
    return FiniteMDP(P, [[0, 2], [1, 0], [0, 0]], 0.5, terminal=[False, False, True], mu=[1.0, 0, 0])


def noisy_worker():
    """One state; work pays 1 and is as noisy. Returns the process and the noise."""
    return FiniteMDP([[1.0], [1.0]], [[0.0, 1.0]], 0.9), np.array([[0.0, 1.0]])


def few(seed, n=110, **kwargs):
    """Instances with at most 40 deterministic policies and two actions somewhere, all discounted."""
    count = 0
    for mdp, rng in instances(seed, 2000, **kwargs):
        if 2 <= len(all_policies(mdp)) <= 40 and mdp.gamma > 0:
            yield mdp, rng
            count += 1
            if count == n:
                return


def limited(seed, n=110):
    """A process, a cost, and a limit between the least and the largest cost of a deterministic policy."""
    for mdp, rng in few(seed, n):
        mdp = positive_mu(mdp, rng) if rng.random() < 0.5 else unvisited(mdp, rng)
        cost = rng.exponential(size=(mdp.S, mdp.A)) * mdp.feasible * ~mdp.terminal[:, None]
        spent = [(series(mdp, pi) * cost).sum() for pi in all_policies(mdp)]
        yield mdp, cost, float(rng.uniform(min(spent), max(spent))) + 1e-9


def best_within(mdp, cost, limit):
    """The best reward within one limit: the best point of the convex hull of all (cost, reward), cut at the limit."""
    points = []
    for pi in all_policies(mdp):
        x = series(mdp, pi)
        points.append(((x * cost).sum(), (x * rewards(mdp)).sum()))
    best = max((value for spent, value in points if spent <= limit), default=-np.inf)
    for (c0, v0), (c1, v1) in combinations(points, 2):
        if min(c0, c1) <= limit < max(c0, c1):
            best = max(best, v0 + (v1 - v0) * (limit - c0) / (c1 - c0))
    return best


def test_there_are_enough_instances():
    assert sum(1 for _ in few(1)) >= 100
    assert sum(1 for _ in limited(1)) >= 100


# ---------------------------------------------------------------------- occupancies


@pytest.mark.claim("thm-occupancies", "random")
def test_visits_balance_and_the_policy_comes_back():
    for mdp, rng in instances(1):
        mdp, pi = positive_mu(mdp, rng), random_policy(mdp, rng)
        x = series(mdp, pi)
        np.testing.assert_allclose(flow_of(mdp, x), mdp.mu, atol=1e-8)
        assert x.sum() <= 1 / (1 - mdp.gamma) + 1e-9
        if not mdp.terminal.any():
            assert x.sum() == pytest.approx(1 / (1 - mdp.gamma))
        np.testing.assert_allclose(lp.occupancy(mdp, pi), x, atol=1e-8)
        open_states = ~mdp.terminal
        np.testing.assert_allclose(lp.policy(mdp, x)[open_states], pi[open_states], atol=1e-9)


@pytest.mark.claim("thm-occupancies", "random")
def test_every_point_of_the_polytope_is_the_occupancy_of_its_policy():
    """Points that no policy was asked for: mixtures of occupancies."""
    for mdp, rng in instances(2):
        mdp = unvisited(mdp, rng)
        y, z = (series(mdp, random_actions(mdp, rng)) for _ in range(2))
        x = (1 - (alpha := rng.random())) * y + alpha * z
        np.testing.assert_allclose(flow_of(mdp, x), mdp.mu, atol=1e-8)
        np.testing.assert_allclose(series(mdp, lp.policy(mdp, x)), x, atol=1e-8)


@pytest.mark.claim("thm-occupancies", "tight")
def test_without_an_end_the_visits_sum_to_the_horizon():
    for mdp, rng in instances(3, 20, terminal=False):
        assert series(mdp, random_policy(mdp, rng)).sum() == pytest.approx(1 / (1 - mdp.gamma))


@pytest.mark.claim("thm-occupancies", "dropped")
def test_where_nothing_is_visited_two_policies_share_an_occupancy():
    mdp = corridor()
    one, two = series(mdp, np.array([1, 0, 0])), series(mdp, np.array([1, 1, 0]))
    np.testing.assert_array_equal(one, two)


@pytest.mark.claim("thm-occupancies", "dropped")
def test_without_discounting_a_circulation_is_nobodys_visits():
    mdp = FiniteMDP(np.eye(2), [[1.0], [1.0]], 1.0, mu=[1.0, 0.0])
    circulation = np.array([[0.0], [5.0]])
    np.testing.assert_array_equal(flow_of(mdp, circulation), [0, 0])
    with pytest.raises(ValueError, match="gamma < 1"):
        lp.occupancy(mdp, np.array([0, 0]))


def alternating(mdp, first, second, steps=900):
    """The occupancy of the policy that takes `first` at even times and `second` at odd ones: it needs a clock."""
    x, law = np.zeros((mdp.S, mdp.A)), mdp.mu * ~mdp.terminal
    p = mdp.P.reshape(mdp.A, mdp.S, mdp.S)
    for t in range(steps):
        pi = (first, second)[t % 2]
        x[np.arange(mdp.S), pi] += mdp.gamma**t * law
        law = (law @ p[pi, np.arange(mdp.S)]) * ~mdp.terminal
    return x


@pytest.mark.claim("cor-stationary-enough", "random")
def test_a_policy_with_a_clock_is_copied_by_one_without():
    for mdp, rng in instances(4):
        mdp = unvisited(mdp, rng)
        x = alternating(mdp, random_actions(mdp, rng), random_actions(mdp, rng))
        pi = lp.policy(mdp, x)
        np.testing.assert_allclose(series(mdp, pi), x, atol=1e-8)
        assert mdp.mu @ value(mdp, pi) == pytest.approx((x * rewards(mdp)).sum(), abs=1e-7)


@pytest.mark.claim("cor-stationary-enough", "dropped")
def test_the_copy_is_for_one_law_of_the_first_state_only():
    mdp = FiniteMDP([[0, 1], [1, 0], [1, 0], [0, 1]], [[0, 1], [0, 1]], 0.5, mu=[1.0, 0.0])
    first, second = np.array([0, 0]), np.array([1, 1])
    copy = lp.policy(mdp, alternating(mdp, first, second))
    other = replace(mdp, mu=np.array([0.0, 1.0]))
    assert np.abs(series(other, copy) - alternating(other, first, second)).max() > 0.1


# ---------------------------------------------------------------------- two programs


@pytest.mark.claim("thm-primal", "random")
def test_whatever_a_step_does_not_raise_is_above_the_optimum():
    for mdp, rng in small(5):
        best = optimum(mdp)
        assert (best >= T(mdp, best) - 1e-8 * (1 + np.abs(best).max())).all()
        v = random_values(mdp, rng)
        rise = np.maximum(T(mdp, v) - v, 0).max() / (1 - mdp.gamma)
        v = v + rise * ~mdp.terminal  # feasible now
        assert (v >= T(mdp, v) - 1e-8 * (1 + np.abs(v).max())).all()
        assert (v >= best - 1e-8 * (1 + np.abs(v).max())).all()
        np.testing.assert_allclose(lp.primal(mdp).v, best, atol=1e-6 * (1 + np.abs(best).max()))


@pytest.mark.claim("thm-primal", "tight")
def test_the_optimal_value_is_feasible_with_equality_somewhere_in_each_state():
    for mdp, _rng in list(small(6))[:30]:
        best = optimum(mdp)
        np.testing.assert_allclose(T(mdp, best), best, atol=1e-8 * (1 + np.abs(best).max()))


@pytest.mark.claim("thm-primal", "dropped")
def test_where_the_weight_is_zero_other_values_solve_the_primal_too():
    mdp = corridor()
    best = optimum(mdp)
    other = best + np.array([0.0, 1.0, 0.0])
    assert (other >= T(mdp, other)).all()
    assert mdp.mu @ other == mdp.mu @ best


@pytest.mark.claim("prop-gap", "random")
def test_the_gap_is_the_sum_of_what_each_visit_loses():
    for mdp, rng in instances(7):
        v, x = random_values(mdp, rng), series(mdp, random_policy(mdp, rng))
        y = series(mdp, random_policy(mdp, rng))
        x = 3 * x - 2 * y  # balances, and has negative entries
        q = np.where(mdp.feasible, mdp.q(v), 0.0)
        gap = mdp.mu @ v - (x * rewards(mdp)).sum()
        assert gap == pytest.approx((x * (v[:, None] - q)).sum(), abs=1e-6 * (1 + np.abs(v).max()))


@pytest.mark.claim("prop-gap", "dropped")
def test_what_does_not_balance_has_another_gap():
    mdp = corridor()
    x, v = np.array([[1.0, 0], [0, 0], [0, 0]]), np.array([1.0, 1.0, 0.0])
    assert flow_of(mdp, x).tolist() != mdp.mu.tolist()
    gap = mdp.mu @ v - (x * mdp.r).sum()
    assert gap != (x * (v[:, None] - mdp.q(v))).sum()


@pytest.mark.claim("thm-duality", "random")
def test_every_occupancy_earns_less_than_every_feasible_value():
    for mdp, rng in small(8):
        best, v = optimum(mdp), random_values(mdp, rng)
        v = v + np.maximum(T(mdp, v) - v, 0).max() / (1 - mdp.gamma) * ~mdp.terminal
        tiny = 1e-6 * (1 + np.abs(v).max() + np.abs(best).max())
        assert (series(mdp, random_policy(mdp, rng)) * rewards(mdp)).sum() <= mdp.mu @ v + tiny
        both = [lp.primal(mdp, weights=mdp.mu), lp.dual(mdp, weights=mdp.mu)]
        for found in both:
            assert (found.occupancy * rewards(mdp)).sum() == pytest.approx(mdp.mu @ best, abs=tiny)
            assert mdp.mu @ found.v == pytest.approx(mdp.mu @ best, abs=tiny)


@pytest.mark.claim("thm-duality", "tight")
def test_a_greedy_policy_closes_the_gap():
    for mdp, _rng in list(small(9))[:30]:
        best = optimum(mdp)
        x = series(mdp, greedy(mdp.q(best)))
        assert (x * rewards(mdp)).sum() == pytest.approx(mdp.mu @ best, abs=1e-7 * (1 + np.abs(best).max()))


@pytest.mark.claim("thm-duality", "dropped")
def test_a_value_that_is_not_feasible_bounds_nothing():
    mdp = corridor()
    assert (series(mdp, np.array([1, 0, 0])) * mdp.r).sum() > mdp.mu @ np.zeros(3)


@pytest.mark.claim("thm-slackness", "random")
def test_both_are_optimal_exactly_if_the_policy_is_greedy_where_it_goes():
    kinds = []
    for mdp, rng in few(10, 150):
        mdp = unvisited(mdp, rng)
        best = optimum(mdp)
        v = best + (rng.random() < 0.5) * rng.exponential() * ~mdp.terminal  # feasible either way
        pi = greedy(mdp.q(best)) if rng.random() < 0.7 else random_actions(mdp, rng)
        x = series(mdp, pi)
        scale = 1e-7 * (1 + np.abs(best).max())
        slack_ = np.where(x > 1e-12, v[:, None] - np.where(mdp.feasible, mdp.q(v), 0.0), 0.0)
        optimal = abs((x * rewards(mdp)).sum() - mdp.mu @ best) <= scale and abs(mdp.mu @ v - mdp.mu @ best) <= scale
        gap = mdp.mu @ v - (x * rewards(mdp)).sum()
        assert gap >= -scale
        assert optimal == (slack_ <= 10 * scale).all()  # greedy, and v = Tv, at every pair that is used
        kinds.append(optimal)
    assert 20 < sum(kinds) < 130


@pytest.mark.claim("thm-slackness", "dropped")
def test_a_bad_policy_and_its_infeasible_value_have_no_gap():
    mdp = worlds.machine_replacement(2, wear=(0.5, 0.5), operating_cost=4, replacement_cost=6, gamma=0.8)
    bad = np.array([1, 0])
    v, x = value(mdp, bad), series(mdp, bad)
    assert (x * mdp.r).sum() == pytest.approx(mdp.mu @ v)
    assert mdp.mu @ v < mdp.mu @ optimum(mdp) - 1
    assert (v < T(mdp, v) - 1).any()


@pytest.mark.claim("cor-weights", "random")
def test_the_dual_finds_a_policy_that_is_best_from_everywhere_whatever_the_weights():
    for mdp, rng in small(11):
        best = optimum(mdp)
        for _ in range(2):
            found = lp.dual(mdp, weights=positive_mu(mdp, rng).mu)
            np.testing.assert_allclose(value(mdp, found.pi), best, atol=1e-6 * (1 + np.abs(best).max()))


@pytest.mark.claim("cor-weights", "random")
def test_best_from_one_positive_law_is_best_from_every_state():
    for mdp, rng in few(11):
        best, mu, scale = optimum(mdp), positive_mu(mdp, rng).mu, 1e-6
        for pi in all_policies(mdp):
            loss = np.abs(best - value(mdp, pi)) / (1 + np.abs(best).max())
            assert (mu @ loss <= scale * mu[~mdp.terminal].min()) == (loss <= scale).all()


@pytest.mark.claim("cor-weights", "dropped")
def test_with_a_weight_of_zero_the_dual_is_solved_by_a_policy_that_is_bad_elsewhere():
    mdp, careless = corridor(), np.array([1, 1, 0])
    assert (series(mdp, careless) * mdp.r).sum() == mdp.mu @ optimum(mdp)
    assert value(mdp, careless)[1] < optimum(mdp)[1]


@pytest.mark.claim("cor-weights", "dropped")
def test_with_a_limit_the_weights_decide_the_policy():
    two = FiniteMDP([[1, 0], [0, 1], [1, 0], [0, 1]], [[0, 1], [0, 1]], 0.9)
    noise = np.array([[0.0, 1.0], [0.0, 1.0]])
    answers = [lp.constrained(two, noise, 3.0, mu=mu).pi for mu in ([0.7, 0.3], [0.2, 0.8])]
    assert np.abs(answers[0] - answers[1]).max() > 0.1


# ---------------------------------------------------------------------- vertices, pivots


def is_vertex(mdp, x):
    """Whether no direction keeps the flow and the zeros of x: the columns that x uses are independent."""
    pairs = np.argwhere(x > 1e-10)
    columns = np.array([flow_of(mdp, np.eye(mdp.S * mdp.A)[s * mdp.A + a].reshape(mdp.S, mdp.A)) for s, a in pairs])
    return np.linalg.matrix_rank(columns, tol=1e-9) == len(pairs)


@pytest.mark.claim("thm-vertices", "random")
def test_vertices_use_one_action_where_they_go():
    kinds = []
    for mdp, rng in instances(12, 150):
        mdp = positive_mu(mdp, rng) if rng.random() < 0.5 else unvisited(mdp, rng)
        actions = random_actions(mdp, rng)
        pi = np.eye(mdp.A)[actions]
        if rng.random() < 0.6:  # a coin in some state
            s = rng.integers(mdp.S)
            pi[s] = random_policy(mdp, rng)[s]
        x = series(mdp, pi)
        single = ((x > 1e-10).sum(axis=1) <= 1).all()
        assert is_vertex(mdp, x) == single
        kinds.append(single)
    assert 30 < sum(kinds) < 130


@pytest.mark.claim("thm-vertices", "random")
def test_different_deterministic_policies_are_different_vertices_if_every_state_is_visited():
    for mdp, rng in few(12):
        mdp = positive_mu(mdp, rng)
        points = [series(mdp, pi) for pi in all_policies(mdp)]
        assert all(is_vertex(mdp, x) for x in points)
        assert min(np.abs(x - y).max() for x, y in combinations(points, 2)) > 1e-3


@pytest.mark.claim("thm-vertices", "random")
def test_a_coin_in_one_state_lies_on_the_segment_between_its_sides():
    for mdp, rng in instances(13):
        mdp = positive_mu(mdp, rng)
        pi, s = random_policy(mdp, rng), int(rng.choice(np.flatnonzero(~mdp.terminal)))
        a = int(random_actions(mdp, rng)[s])
        if pi[s, a] > 0.999:
            continue
        sides = [pi.copy(), pi.copy()]
        sides[0][s] = np.eye(mdp.A)[a]
        sides[1][s, a] = 0
        sides[1][s] /= sides[1][s].sum()
        y, z, x = (series(mdp, policy) for policy in (*sides, pi))
        alpha = x[s, a] / y[s, a]
        assert 0 < alpha < 1
        np.testing.assert_allclose(alpha * y + (1 - alpha) * z, x, atol=1e-8)


@pytest.mark.claim("thm-vertices", "dropped")
def test_two_deterministic_policies_share_a_vertex_where_they_do_not_differ_on_the_way():
    mdp = corridor()
    one, two = series(mdp, np.array([1, 0, 0])), series(mdp, np.array([1, 1, 0]))
    assert is_vertex(mdp, one)
    np.testing.assert_array_equal(one, two)


@pytest.mark.claim("prop-pivot", "random")
def test_changing_one_action_gains_its_visits_times_its_advantage():
    for mdp, rng in instances(14):
        pi, s = random_actions(mdp, rng), int(rng.choice(np.flatnonzero(~mdp.terminal)))
        other = pi.copy()
        other[s] = rng.choice(np.flatnonzero(mdp.feasible[s]))
        v, x = value(mdp, pi), series(mdp, other)
        advantage = mdp.q(v)[s, other[s]] - v[s]
        gain = mdp.mu @ value(mdp, other) - mdp.mu @ v
        assert gain == pytest.approx(x[s, other[s]] * advantage, abs=1e-7 * (1 + np.abs(v).max()))


@pytest.mark.claim("prop-pivot", "dropped")
def test_changing_two_actions_is_not_the_sum_of_two_pivots():
    mdp = worlds.machine_replacement(2, wear=(0.5, 0.5), operating_cost=4, replacement_cost=6, gamma=0.8)
    a, b, c, d = (mdp.mu @ value(mdp, np.array(pi)) for pi in product((0, 1), repeat=2))
    assert abs((d - a) - ((b - a) + (c - a))) > 0.1


# ---------------------------------------------------------------------- the finite horizon


def backward(mdp, H, final):
    v = [final]
    for _ in range(H):
        v.append(np.where(mdp.terminal, 0.0, mdp.q(v[-1]).max(axis=1)))
    return np.array(v[::-1])


def marginals_of(mdp, policies):
    """gamma^t P(s_t = s, a_t = a) for policies (S, A), one for each time."""
    p, law, x = mdp.P.reshape(mdp.A, mdp.S, mdp.S), mdp.mu * ~mdp.terminal, []
    for t, pi in enumerate(policies):
        x.append(mdp.gamma**t * law[:, None] * pi)
        law = np.einsum("s,sa,ast->t", law, pi, p) * ~mdp.terminal
    return np.array(x)


@pytest.mark.claim("thm-horizon-program", "random")
def test_the_program_of_a_horizon_finds_the_values_of_backward_induction():
    for mdp, rng in instances(15, 110):
        mdp = replace(mdp, gamma=1.0) if rng.random() < 0.5 else mdp
        H, final = int(rng.integers(1, 6)), random_values(mdp, rng)
        v = backward(mdp, H, final)
        scale = 1e-6 * (1 + np.abs(v).max())
        found = lp.finite_horizon(mdp, H, terminal_value=final)
        np.testing.assert_allclose(found.v, v, atol=scale)
        from_mu = lp.finite_horizon(mdp, H, terminal_value=final, weights=mdp.mu)
        x = from_mu.occupancy
        last = mdp.P.reshape(mdp.A, mdp.S, mdp.S) @ final
        earned = (x * rewards(mdp)).sum() + mdp.gamma * (x[-1] * last.T).sum()
        assert earned == pytest.approx(mdp.mu @ v[0], abs=scale)
        assert from_mu.v[0] @ mdp.mu == pytest.approx(mdp.mu @ v[0], abs=scale)
        assert (from_mu.v >= v - scale).all()
        np.testing.assert_allclose(x[0].sum(axis=1), mdp.mu * ~mdp.terminal, atol=1e-9)


@pytest.mark.claim("thm-horizon-program", "random")
def test_every_point_of_a_horizons_polytope_is_the_marginals_of_its_markov_policy():
    """Mixtures of marginals: they balance, and the policy that divides them by their visits has them."""
    for mdp, rng in instances(20):
        mdp = replace(mdp, gamma=1.0) if rng.random() < 0.5 else mdp
        H, alpha = int(rng.integers(2, 6)), rng.random()
        y, z = (marginals_of(mdp, [random_policy(mdp, rng) for _ in range(H)]) for _ in range(2))
        x = alpha * y + (1 - alpha) * z
        visits = x.sum(axis=2, keepdims=True)
        pi = np.where(visits > 0, x / np.where(visits > 0, visits, 1.0), random_policy(mdp, rng))
        np.testing.assert_allclose(marginals_of(mdp, pi), x, atol=1e-12)
        assert (x.sum(axis=(1, 2)) <= 1 + 1e-12).all()


@pytest.mark.claim("thm-horizon-program", "tight")
def test_positive_weights_at_all_times_leave_only_the_optimal_values():
    mdp = worlds.machine_replacement(3, gamma=1.0)
    np.testing.assert_allclose(lp.finite_horizon(mdp, 4).v, backward(mdp, 4, np.zeros(3)), atol=1e-7)


@pytest.mark.claim("thm-horizon-program", "dropped")
def test_without_a_horizon_or_discounting_no_value_is_feasible():
    mdp = FiniteMDP([[1.0]], [[1.0]], 1.0)
    for v in (0.0, 10.0, 1e6):
        assert v < T(mdp, np.array([v]))[0]


# ---------------------------------------------------------------------- limits


@pytest.mark.claim("thm-coins", "random")
def test_the_best_policy_within_a_limit_is_found_with_at_most_one_coin():
    coins = 0
    for mdp, cost, limit in limited(16):
        found = lp.constrained(mdp, cost, limit)
        best = best_within(mdp, cost, limit)
        x = series(mdp, found.pi)
        scale = 1e-6 * (1 + np.abs(best))
        assert (x * rewards(mdp)).sum() == pytest.approx(best, abs=scale)
        assert (x * cost).sum() <= limit + 1e-6 * (1 + limit)
        spread = ((x > 1e-9).sum(axis=1) - 1).clip(min=0).sum()
        exhausted = abs((x * cost).sum() - limit) <= 1e-6 * (1 + limit)
        assert spread <= exhausted
        coins += spread
    assert coins > 30


@pytest.mark.claim("thm-coins", "random")
def test_two_limits_need_at_most_two_coins():
    coins = []
    for mdp, rng in few(17):
        mdp = positive_mu(mdp, rng)
        costs = rng.exponential(size=(2, mdp.S, mdp.A)) * mdp.feasible * ~mdp.terminal[:, None]
        middle = series(mdp, random_policy(mdp, rng))  # what keeps both limits
        limits = np.tensordot(costs, middle, axes=2) + 1e-9
        found = lp.constrained(mdp, costs, limits)
        x = series(mdp, found.pi)
        assert (np.tensordot(costs, x, axes=2) <= limits + 1e-6 * (1 + limits)).all()
        assert (x * rewards(mdp)).sum() >= (middle * rewards(mdp)).sum() - 1e-6
        # Optimal: a Lagrangian bound, by enumeration, is attained.
        charged = replace(mdp, r=mdp.r - np.tensordot(found.prices, costs, axes=1))
        bound = found.prices @ limits + mdp.mu @ optimum(charged)
        scale = 1e-6 * (1 + np.abs(bound) + found.prices @ limits)
        assert (x * rewards(mdp)).sum() == pytest.approx(bound, abs=scale)
        exhausted = (np.tensordot(costs, x, axes=2) >= limits - 1e-6 * (1 + limits)).sum()
        coins.append(((x > 1e-9).sum(axis=1) - 1).clip(min=0).sum())
        assert coins[-1] <= exhausted
    assert max(coins) == 2


@pytest.mark.claim("thm-coins", "tight")
def test_the_noisy_worker_needs_its_coin():
    mdp, noise = noisy_worker()
    found = lp.constrained(mdp, noise, 5.0)
    np.testing.assert_allclose(found.pi, [[0.5, 0.5]], atol=1e-9)
    assert found.value == pytest.approx(5)
    earned = [value(mdp, np.array([a]))[0] for a in (0, 1)]
    assert earned == pytest.approx([0, 10])  # what is allowed earns nothing, and what earns is not allowed


@pytest.mark.claim("thm-coins", "dropped")
def test_an_optimum_that_is_no_vertex_may_toss_more_coins():
    """Two states, two copies of one action in each: every policy is optimal, and no limit is there."""
    mdp = FiniteMDP([[1, 0], [0, 1]] * 2, np.ones((2, 2)), 0.5)
    x = series(mdp, np.full((2, 2), 0.5))
    assert x.sum() == pytest.approx(mdp.mu @ optimum(mdp))
    assert ((x > 0).sum(axis=1) == 2).all()


@pytest.mark.claim("prop-frontier", "random")
def test_the_value_is_concave_in_the_limit():
    for mdp, cost, limit in limited(18):
        spent = [(series(mdp, pi) * cost).sum() for pi in all_policies(mdp)]
        other = min(spent) + 1e-9 + 0.7 * (max(spent) - min(spent))
        V = [lp.constrained(mdp, cost, b).value for b in sorted((limit, other))]
        middle = lp.constrained(mdp, cost, (limit + other) / 2).value
        scale = 1e-6 * (1 + np.abs(V).max())
        assert V[0] <= V[1] + scale
        assert middle >= sum(V) / 2 - scale


@pytest.mark.claim("prop-frontier", "tight")
def test_between_two_corners_the_frontier_is_straight():
    mdp, noise = noisy_worker()
    for limit in (0.0, 2.0, 7.5, 10.0):
        assert lp.constrained(mdp, noise, limit).value == pytest.approx(limit)


@pytest.mark.claim("prop-frontier", "dropped")
def test_without_coins_the_frontier_is_a_staircase():
    mdp, noise = noisy_worker()
    options = [((series(mdp, np.array([a])) * noise).sum(), value(mdp, np.array([a]))[0]) for a in (0, 1)]
    V = [max(v for c, v in options if c <= b + 1e-9) for b in (0.0, 5.0, 10.0)]
    assert V[1] < (V[0] + V[2]) / 2


def dual_function(mdp, cost, limit, price):
    charged = replace(mdp, r=mdp.r - price * cost)
    return price * limit + mdp.mu @ optimum(charged)


@pytest.mark.claim("prop-prices", "random")
def test_prices_bound_the_value_and_the_best_ones_attain_it():
    for mdp, cost, limit in limited(19):
        best = best_within(mdp, cost, limit)
        prices = np.linspace(0, 5, 6)
        heights = [dual_function(mdp, cost, limit, price) for price in prices]
        scale = 1e-6 * (1 + abs(best))
        assert min(heights) >= best - scale
        assert (np.diff(heights, 2) >= -scale).all()  # convex
        found = lp.constrained(mdp, cost, limit)
        price = found.prices[0]
        assert price >= 0
        assert dual_function(mdp, cost, limit, price) == pytest.approx(best, abs=scale * (1 + price * (1 + limit)))
        more = best_within(mdp, cost, limit * 1.1)
        assert more <= best + price * 0.1 * limit + scale * (1 + price * (1 + limit))


@pytest.mark.claim("prop-prices", "tight")
def test_at_the_right_price_the_bound_is_the_value():
    mdp, noise = noisy_worker()
    assert dual_function(mdp, noise, 5.0, 1.0) == pytest.approx(5)
    assert [dual_function(mdp, noise, 5.0, price) > 5.1 for price in (0.5, 2.0)] == [True, True]


@pytest.mark.claim("prop-prices", "random")
def test_where_the_bound_is_least_a_mixture_of_policies_that_are_best_there_is_the_answer():
    """By enumeration alone: the least D over the prices at which two of its pieces cross, or none is charged."""
    charged = 0
    for mdp, cost, limit in limited(21):
        occupancies = [series(mdp, pi) for pi in all_policies(mdp)]
        points = np.array([[(x * cost).sum(), (x * rewards(mdp)).sum()] for x in occupancies])
        spent, earned = points.T
        crossings = [(v1 - v0) / (c1 - c0) for (c0, v0), (c1, v1) in combinations(points, 2) if c1 != c0]
        prices = np.array([0.0, *(price for price in crossings if price > 0)])
        heights = [(earned + price * (limit - spent)).max() for price in prices]
        best = best_within(mdp, cost, limit)
        assert min(heights) == pytest.approx(best, abs=1e-6 * (1 + abs(best)))
        charged += prices[int(np.argmin(heights))] > 0
    assert charged > 20


@pytest.mark.claim("prop-prices", "dropped")
def test_limits_that_nobody_keeps_leave_the_bound_without_a_minimum():
    mdp, noise = noisy_worker()
    heights = [dual_function(mdp, noise, -1.0, price) for price in (1.0, 10.0, 100.0)]
    np.testing.assert_allclose(heights, [-1, -10, -100])


@pytest.mark.claim("prop-prices", "dropped")
def test_a_policy_that_breaks_the_limit_may_earn_more_than_the_bound():
    mdp, noise = noisy_worker()
    assert value(mdp, np.array([1]))[0] > dual_function(mdp, noise, 5.0, 1.0) + 4


@pytest.mark.claim("prop-prices", "dropped")
def test_a_negative_price_bounds_nothing():
    """A limit that work would not exhaust: paid for noise, the bound falls below what the worker earns."""
    mdp, noise = noisy_worker()
    heights = [dual_function(mdp, noise, 20.0, price) for price in (0.0, -1.0)]
    assert heights[0] == pytest.approx(10)
    assert heights[1] < 10 - 1e-6
    assert all(a >= b for a, b in pairwise(heights))
