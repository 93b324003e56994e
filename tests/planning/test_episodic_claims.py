"""Each statement of the chapter on processes that end, on random instances, where it is tight, and where it breaks.

Nothing here trusts the solvers: optimal values come from enumerating deterministic policies, properness from
eigenvalues, and a policy's value from a dense linear system.
"""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from rlcore import FiniteMDP, greedy
from rlcore.planning import episodic
from tests.instances import instances, random_policy, random_values
from tests.planning.test_discounted_claims import T, T_pi, all_policies, norm, slack, value

NEVER_TIGHT = {
    "prop-search": "an equivalence",
    "thm-proper-iteration": "it asserts an order and an end, and gives no bound",
    "thm-ssp": "it asserts existence, uniqueness and convergence, and gives no bound",
    "thm-termination": "an equation: both sides agree on every instance",
    "thm-time": "an equation: both sides agree on every instance",
}
NOTHING_TO_DROP = {
    "prop-search": "it holds for every finite process",
    "thm-termination": "it holds for every discounted process",
}


def stay_or_leave():
    """State 0: stay for nothing, or leave at a cost of 1."""
    return FiniteMDP([[1, 0], [0, 0], [0, 1], [0, 0]], [[0, -1], [0, 0]], 1.0, terminal=[False, True])


def paid_loop(pay):
    """State 0: stay and earn `pay`, or leave at a cost of 1."""
    return replace(stay_or_leave(), r=np.array([[pay, -1], [0, 0]]))


def random_graph(rng, *, leaving=0.25):
    """2 to 5 states, the last one or two of them ends, 1 to 3 actions, each leading to one or two states."""
    S, A = int(rng.integers(2, 6)), int(rng.integers(1, 4))
    p = np.zeros((S, A, S))
    ends = np.arange(S) >= S - (2 if S > 3 and rng.random() < 0.3 else 1)
    for s in np.flatnonzero(~ends):
        for a in range(A):
            targets = rng.choice(np.flatnonzero(~ends), size=2)
            if rng.random() < leaving:
                targets[0] = rng.choice(np.flatnonzero(ends))
            weight = rng.uniform(0.1, 0.9)
            np.add.at(p[s, a], targets, [weight, 1 - weight])
    r = rng.normal(size=(S, A))
    r[:, 1:][rng.random((S, A - 1)) < 0.15] = -np.inf
    r[ends] = 0.0
    return FiniteMDP.from_arrays(p, r, 1.0, terminal=ends)


def small(seed, n=120, **kwargs):
    """`n` random graphs, in which some policies never end, and their generators."""
    for rng in np.random.default_rng(seed).spawn(n):
        yield random_graph(rng, **kwargs), rng


def ending_mdps(seed, n=120, *, leaving=0.4):
    """Graphs with a proper policy in which whatever does not lead to the end at once costs something."""
    count = 0
    for rng in np.random.default_rng(seed).spawn(20 * n):
        mdp = random_graph(rng, leaving=leaving)
        leads = (mdp.P @ mdp.terminal).reshape(mdp.A, mdp.S).T > 0
        open_states = ~mdp.terminal[:, None]
        mdp = replace(mdp, r=np.where(open_states & ~leads, -np.abs(mdp.r) - 0.05, mdp.r))
        if any(is_proper(mdp, pi) for pi in all_policies(mdp)):
            yield mdp, rng
            count += 1
        if count == n:
            return


def all_proper_mdps(seed, n=120):
    """Graphs in which every policy ends, by enumeration."""
    count = 0
    for mdp, rng in small(seed, 30 * n, leaving=0.7):
        if all(is_proper(mdp, pi) for pi in all_policies(mdp)):
            yield mdp, rng
            count += 1
        if count == n:
            return


def matrix(mdp, pi):
    """P_pi, for actions (S,) or probabilities (S, A)."""
    weights = np.eye(mdp.A)[pi] if pi.ndim == 1 else pi
    return np.einsum("sa,ast->st", weights, mdp.P.reshape(mdp.A, mdp.S, mdp.S))


def is_proper(mdp, pi):
    """Whether P_pi^t tends to zero."""
    return bool(np.abs(np.linalg.eigvals(matrix(mdp, pi))).max() < 1 - 1e-9)


def proper_policies(mdp):
    return [pi for pi in all_policies(mdp) if is_proper(mdp, pi)]


def best_proper(mdp):
    """The best value that any proper deterministic policy has in each state."""
    return np.max([value(mdp, pi) for pi in proper_policies(mdp)], axis=0)


def longest(mdp):
    """Largest expected number of steps, by enumeration."""
    ones = replace(mdp, r=np.where(mdp.terminal[:, None] | ~mdp.feasible, mdp.r, 1.0))
    return best_proper(ones)


def test_there_are_enough_instances():
    assert sum(1 for _ in ending_mdps(1)) >= 100
    assert sum(1 for _ in all_proper_mdps(1)) >= 100


# ---------------------------------------------------------------------- proper policies


@pytest.mark.claim("thm-proper", "random")
def test_reaching_the_end_is_a_radius_below_one_and_an_inverse():
    kinds = []
    for mdp, rng in small(1, 150):
        pi = random_policy(mdp, rng) if rng.random() < 0.3 else rng.choice(all_policies(mdp))
        P, n = matrix(mdp, pi), mdp.S
        reach = np.linalg.matrix_power(np.eye(n) + (P > 0), n)[:, mdp.terminal].any(axis=1).all()
        singular = np.linalg.matrix_rank(np.eye(n) - P, tol=1e-10) < n
        kinds.append(bool(reach))
        assert episodic.proper(mdp, pi) == reach == is_proper(mdp, pi) == (not singular)
        if reach:
            series, power = np.zeros((n, n)), np.eye(n)
            for _ in range(20_000):
                series, power = series + power, power @ P
            np.testing.assert_allclose(np.linalg.inv(np.eye(n) - P), series, rtol=1e-6, atol=1e-8)
            np.testing.assert_allclose(episodic.expected_steps(mdp, pi), series @ ~mdp.terminal, rtol=1e-6)
            m = (~mdp.terminal).sum()
            left = np.linalg.matrix_power(P, m) @ ~mdp.terminal
            for k in range(1, 6):
                after = np.linalg.matrix_power(P, k * m) @ ~mdp.terminal
                assert after.max() <= left.max() ** k + 1e-12
            assert left.max() < 1
    assert 30 < sum(kinds) < 120


@pytest.mark.claim("thm-proper", "tight")
def test_one_state_attains_the_geometric_rate():
    mdp = FiniteMDP([[0.7, 0.3], [0, 0]], [[-1.0], [0]], 1.0, terminal=[False, True])
    P = matrix(mdp, np.array([0, 0]))
    for k in range(1, 8):
        assert np.linalg.matrix_power(P, k)[0, 0] == pytest.approx(0.7**k)


@pytest.mark.claim("thm-proper", "dropped")
def test_an_improper_policy_has_a_singular_system():
    P = matrix(stay_or_leave(), np.array([0, 0]))
    assert np.linalg.matrix_rank(np.eye(2) - P) == 1


@pytest.mark.claim("prop-search", "random")
def test_the_two_searches_find_what_enumeration_finds():
    for mdp, _rng in small(2, 150):
        kinds = [is_proper(mdp, pi) for pi in all_policies(mdp)]
        assert episodic.staying(mdp).any() == (not all(kinds))
        reached = mdp.terminal.copy()
        for _ in range(mdp.S):
            reached |= np.array([mdp.P[s :: mdp.S][:, reached].any() for s in range(mdp.S)])
        assert reached.all() == any(kinds)


@pytest.mark.claim("lem-compare", "random")
def test_a_value_that_a_step_raises_is_below_the_policys():
    for mdp, rng in ending_mdps(3):
        for pi in proper_policies(mdp)[:5]:
            v_pi, e = value(mdp, pi), (~mdp.terminal).astype(float)
            steps = np.linalg.solve(np.eye(mdp.S) - matrix(mdp, pi), e * rng.exponential(size=mdp.S))
            for v, sign in ((v_pi - steps, 1), (v_pi + steps, -1)):
                assert (sign * (T_pi(mdp, pi, v) - v) >= -slack(v)).all()
                assert (sign * (v_pi - v) >= -slack(v)).all()


@pytest.mark.claim("lem-compare", "random")
def test_only_proper_policies_raise_a_value_where_loops_cost():
    improper = 0
    for mdp, rng in ending_mdps(4):
        v = random_values(mdp, rng)
        for pi in all_policies(mdp):
            if not is_proper(mdp, pi):
                improper += 1
                assert (T_pi(mdp, pi, v) < v).any()
    assert improper >= 100


@pytest.mark.claim("lem-compare", "tight")
def test_the_value_itself_is_raised_by_nothing():
    for mdp, _rng in ending_mdps(5, 20):
        pi = proper_policies(mdp)[0]
        v = value(mdp, pi)
        np.testing.assert_allclose(T_pi(mdp, pi, v), v, atol=slack(v))


@pytest.mark.claim("lem-compare", "dropped")
def test_staying_for_nothing_raises_no_value_and_bounds_none():
    mdp, pi = stay_or_leave(), np.array([0, 0])
    for c in (-7.0, 0.0, 9.0):
        v = np.array([c, 0.0])
        np.testing.assert_array_equal(T_pi(mdp, pi, v), v)


# ---------------------------------------------------------------------- policy iteration, value iteration


def rounds(mdp, pi):
    """Policy iteration as the book states it; a list of policies, the last one improper if it met an infinite value."""
    states, seen = np.arange(mdp.S), [pi]
    while True:
        v = value(mdp, pi)
        q = mdp.q(v)
        better = q.max(axis=1) > q[states, pi] + 1e-9 * (1 + norm(v))
        if not better.any():
            return seen
        pi = np.where(better, q.argmax(axis=1), pi)
        seen.append(pi)
        if not is_proper(mdp, pi):
            return seen


def largest_mean(mdp, pi, steps=4000):
    """The largest mean reward per step over a long time."""
    P, total, v = matrix(mdp, pi), np.zeros(mdp.S), mdp.r[np.arange(mdp.S), pi]
    for _ in range(steps):
        total, v = total + v, P @ v
    return total.max() / steps


@pytest.mark.claim("thm-proper-iteration", "random")
def test_policy_iteration_ends_at_the_best_proper_policy_or_at_an_infinite_value():
    ends = {"best": 0, "infinite": 0}
    for mdp, rng in small(6, 400):
        choices = proper_policies(mdp)
        if not choices:
            continue
        seen = rounds(mdp, choices[rng.integers(len(choices))])
        assert all(is_proper(mdp, pi) for pi in seen[:-1])
        for pi, new in pairwise(seen[:-1]):
            assert (value(mdp, new) >= value(mdp, pi) - slack(value(mdp, pi))).all()
        if is_proper(mdp, seen[-1]):
            ends["best"] += 1
            best = best_proper(mdp)
            np.testing.assert_allclose(value(mdp, seen[-1]), best, atol=slack(best))
        else:
            ends["infinite"] += 1
            assert largest_mean(mdp, seen[-1]) > 0
    assert min(ends.values()) >= 30
    assert sum(ends.values()) >= 100


@pytest.mark.claim("thm-proper-iteration", "dropped")
def test_from_an_improper_policy_there_is_nothing_to_solve():
    with pytest.raises(np.linalg.LinAlgError):
        value(stay_or_leave(), np.array([0, 0]))


@pytest.mark.claim("thm-ssp", "random")
def test_where_loops_cost_there_is_one_solution_and_sweeps_find_it():
    for mdp, rng in ending_mdps(7):
        best = best_proper(mdp)
        np.testing.assert_allclose(T(mdp, best), best, atol=slack(best))
        for v in (random_values(mdp, rng), best + 20 * ~mdp.terminal, best - 20 * ~mdp.terminal):
            w = v
            for _ in range(6000):
                w = T(mdp, w)
            np.testing.assert_allclose(w, best, atol=1e-6 * (1 + norm(best)))
        pi = greedy(mdp.q(best))
        assert is_proper(mdp, pi)
        np.testing.assert_allclose(value(mdp, pi), best, atol=slack(best))


@pytest.mark.claim("thm-ssp", "random")
def test_policies_that_change_over_time_gain_nothing():
    for mdp, rng in ending_mdps(8):
        policies, best, earned = all_policies(mdp), best_proper(mdp), np.zeros(mdp.S)
        for _ in range(6000):
            earned = T_pi(mdp, policies[rng.integers(len(policies))], earned)
        assert (earned <= best + 1e-6 * (1 + norm(best))).all()


@pytest.mark.claim("thm-ssp", "dropped")
def test_a_free_loop_gives_many_solutions_and_limits_that_depend_on_the_start():
    mdp = stay_or_leave()
    for c in (-1.0, 0.0, 4.0):
        v = np.array([c, 0.0])
        np.testing.assert_array_equal(T(mdp, v), v)
    np.testing.assert_array_equal(T(mdp, np.array([-5.0, 0.0])), [-1, 0])


@pytest.mark.claim("thm-ssp", "dropped")
def test_a_loop_that_takes_back_what_it_pays_makes_sweeps_swing():
    P = [[0, 1, 0], [1, 0, 0], [0, 0, 0], [0, 0, 1], [0, 0, 1], [0, 0, 0]]
    mdp = FiniteMDP(P, [[1, -10], [-1, -10], [0, 0]], 1.0, terminal=[False, False, True])
    once = T(mdp, np.zeros(3))
    np.testing.assert_array_equal(once, [1, -1, 0])
    np.testing.assert_array_equal(T(mdp, once), np.zeros(3))
    with pytest.raises(ValueError, match="swings for ever"):
        episodic.value_iteration(mdp)


@pytest.mark.claim("thm-ssp", "dropped")
def test_a_loop_that_pays_makes_values_infinite():
    mdp, v = paid_loop(0.5), np.zeros(2)
    for _ in range(100):
        v = T(mdp, v)
    assert v[0] == 50


# ---------------------------------------------------------------------- rates and bounds


def weighted(d, w, mdp):
    return (np.abs(d)[~mdp.terminal] / w[~mdp.terminal]).max()


@pytest.mark.claim("thm-weighted", "random")
def test_the_operators_contract_in_the_weighted_norm():
    for mdp, rng in all_proper_mdps(9):
        w, u, v, pi = longest(mdp), random_values(mdp, rng), random_values(mdp, rng), random_policy(mdp, rng)
        factor = 1 - 1 / w.max()
        for F in (lambda x, mdp=mdp: T(mdp, x), lambda x, mdp=mdp, pi=pi: T_pi(mdp, pi, x)):
            assert weighted(F(u) - F(v), w, mdp) <= factor * weighted(u - v, w, mdp) + slack(u, v)
        ones = replace(mdp, r=np.where(mdp.terminal[:, None] | ~mdp.feasible, mdp.r, 1.0))
        np.testing.assert_allclose(T(ones, w), w, atol=slack(w))
        for t in (1, 5, 20):  # at most w/(t+1) of the runs go on after t steps, whatever the policy
            left = ~mdp.terminal
            for _ in range(t):
                left = matrix(mdp, random_policy(mdp, rng)) @ left
            assert (left <= w / (t + 1) + 1e-9).all()


@pytest.mark.claim("thm-weighted", "tight")
def test_one_state_contracts_by_exactly_the_factor():
    mdp = FiniteMDP([[0.75, 0.25], [0, 0]], [[-1.0], [0]], 1.0, terminal=[False, True])
    assert longest(mdp)[0] == pytest.approx(4)
    assert T(mdp, np.array([8.0, 0]))[0] - T(mdp, np.zeros(2))[0] == pytest.approx(8 * (1 - 1 / 4))


@pytest.mark.claim("thm-weighted", "dropped")
def test_with_an_improper_policy_distances_need_not_shrink_in_any_weights():
    mdp = stay_or_leave()
    u, v = np.array([2.0, 0.0]), np.array([5.0, 0.0])
    np.testing.assert_array_equal(T(mdp, u) - T(mdp, v), u - v)


@pytest.mark.claim("prop-certificates", "random")
def test_the_bounds_enclose_the_best_value_where_every_policy_ends():
    for mdp, rng in all_proper_mdps(10):
        v, best, w = random_values(mdp, rng), best_proper(mdp), longest(mdp)
        pi = greedy(mdp.q(v))
        d = T(mdp, v) - v
        up, down = max(0, d.max()), max(0, -d.min())
        steps = np.linalg.solve(np.eye(mdp.S) - matrix(mdp, pi), ~mdp.terminal)
        assert (v - down * steps <= value(mdp, pi) + slack(v, best)).all()
        assert (best <= v + up * w + slack(v, best)).all()


@pytest.mark.claim("prop-certificates", "random")
def test_the_bound_from_a_cheaper_problem_holds_where_loops_cost():
    for mdp, rng in ending_mdps(11):
        v, best = random_values(mdp, rng), best_proper(mdp)
        delta = rng.uniform(0.005, 0.04)  # below the least cost of a loop
        u = best_proper(replace(mdp, r=np.where(mdp.terminal[:, None], 0.0, mdp.r + delta)))
        assert (T(mdp, u) <= u - delta * ~mdp.terminal + slack(u)).all()
        up = max(0, (T(mdp, v) - v).max())
        assert (best <= v + up / (up + delta) * (u - v) + slack(v, u)).all()


@pytest.mark.claim("prop-certificates", "tight")
def test_one_state_attains_both_bounds():
    mdp = FiniteMDP([[0.75, 0.25], [0, 0]], [[-1.0], [0]], 1.0, terminal=[False, True])
    pi = np.array([0, 0])
    for v0, side in ((-10.0, 1), (5.0, 0)):
        assert episodic.bounds(mdp, np.array([v0, 0.0]), pi)[side][0] == pytest.approx(-4)


@pytest.mark.claim("prop-certificates", "dropped")
def test_an_improper_greedy_policy_gives_no_lower_bound():
    mdp, v = stay_or_leave(), np.array([3.0, 0.0])
    assert (T(mdp, v) == v).all()
    assert best_proper(mdp)[0] == -1
    assert episodic.bounds(mdp, v, greedy(mdp.q(v)))[0][0] == -np.inf


# ---------------------------------------------------------------------- what else ends


@pytest.mark.claim("thm-termination", "random")
def test_discounting_and_ending_by_chance_give_every_policy_the_same_value():
    for mdp, rng in instances(12):
        ends, pi = episodic.with_termination(mdp), random_policy(mdp, rng)
        both = np.vstack([pi, np.eye(mdp.A)[:1]])
        np.testing.assert_allclose(value(ends, both)[:-1], value(mdp, pi), atol=1e-7 * (1 + norm(value(mdp, pi))))
        v = random_values(mdp, rng)
        np.testing.assert_allclose(T(ends, np.append(v, 0))[:-1], T(mdp, v), atol=slack(v))
        assert is_proper(ends, both)


def by_recursion(mdp, horizon):
    v = [np.zeros(mdp.S)]
    for _ in range(horizon):
        v.insert(0, T(mdp, v[0]))
    return np.array(v)


@pytest.mark.claim("thm-time", "random")
def test_the_process_with_a_clock_has_the_values_of_the_finite_horizon():
    for mdp, rng in instances(13, 120, gamma=1.0):
        horizon = int(rng.integers(1, 4))
        augmented = episodic.time_augmented(mdp, horizon)
        best = by_recursion(mdp, horizon)
        np.testing.assert_allclose(T(augmented, best.ravel()), best.ravel(), atol=slack(best))
        rules = rng.random((horizon + 1, mdp.S, mdp.A)) * mdp.feasible
        rules /= rules.sum(axis=2, keepdims=True)
        earned = np.zeros(mdp.S)
        for t in reversed(range(horizon)):
            earned = T_pi(mdp, rules[t], earned)
        policy = rules.reshape(-1, mdp.A)
        assert is_proper(augmented, policy)
        np.testing.assert_allclose(value(augmented, policy)[: mdp.S], earned, atol=slack(best))


@pytest.mark.claim("thm-time", "dropped")
def test_without_the_clock_in_the_state_the_best_rule_is_lost():
    mdp = FiniteMDP([[1, 0], [0, 0], [0, 1], [0, 0]], [[1, 5], [0, 0]], 1.0, terminal=[False, True])
    stationary = []
    for pi in all_policies(mdp):
        v = np.zeros(2)
        for _ in range(3):
            v = T_pi(mdp, pi, v)
        stationary.append(v[0])
    assert max(stationary) == 5
    assert by_recursion(mdp, 3)[0, 0] == 7
