"""Each statement of the chapter on discounted processes, on random instances, where it is tight, and where it breaks.

Nothing here trusts the solvers: optimal values come from enumerating all deterministic policies, and a
policy's value from a dense linear system written out below.
"""

from dataclasses import replace
from itertools import count, pairwise, product

import numpy as np
import pytest

from rlcore import FiniteMDP, greedy, worlds
from rlcore.planning import discounted
from tests.instances import instances, random_actions, random_policy, random_values

ROUNDING = 1e-9  # relative to the size of the values at hand

NEVER_TIGHT = {
    "eq-bellman-policy": "an equation: both sides agree on every instance",
    "eq-bellman-optimality": "an equation: both sides agree on every instance",
    "prop-newton": "an equation: both sides agree on every instance",
    "thm-blackwell": "it asserts existence and gives no bound",
}


def value(mdp, pi):
    """v^pi by a dense solve, for actions (S,) or probabilities (S, A)."""
    P = mdp.P.reshape(mdp.A, mdp.S, mdp.S)
    weights = np.eye(mdp.A)[pi] if pi.ndim == 1 else pi
    P_pi = np.einsum("sa,ast->st", weights, P)
    r_pi = np.where(weights > 0, weights * np.where(weights > 0, mdp.r, 0), 0).sum(axis=1)
    return np.linalg.solve(np.eye(mdp.S) - mdp.gamma * P_pi, r_pi)


def all_policies(mdp):
    """Every deterministic stationary policy."""
    choices = [np.flatnonzero(f) if not end else [0] for f, end in zip(mdp.feasible, mdp.terminal, strict=True)]
    return [np.array(actions) for actions in product(*choices)]


def optimum(mdp):
    """v* as the best value that any deterministic policy has in each state."""
    return np.max([value(mdp, pi) for pi in all_policies(mdp)], axis=0)


def T(mdp, v):
    return mdp.q(v).max(axis=1)


def T_pi(mdp, pi, v):
    q = np.where(mdp.feasible, mdp.q(v), 0)
    return q[np.arange(mdp.S), pi] if pi.ndim == 1 else (pi * q).sum(axis=1)


def norm(v):
    return np.abs(v).max()


def span(v):
    return v.max() - v.min()


def slack(*arrays):
    return ROUNDING * (1 + max(norm(a) for a in arrays))


def small(seed, **kwargs):
    """Instances with few enough policies to enumerate."""
    for mdp, rng in instances(seed, 200, **kwargs):
        if mdp.A**mdp.S <= 300:
            yield mdp, rng


def two_absorbing(low, high, gamma):
    """Two states that never meet, which pay `low` and `high` for ever."""
    return FiniteMDP(P=np.eye(2), r=[[low], [high]], gamma=gamma)


def corridor(n, gamma):
    """Rooms 0..n-1 to wait in or walk on from; leaving the last one pays 1 and ends."""
    rooms = np.arange(n)
    return FiniteMDP.from_transitions(
        n + 1,
        2,
        s=np.r_[rooms, rooms],
        a=np.repeat([0, 1], n),
        s_next=np.r_[rooms, rooms + 1],
        p=1.0,
        r=np.r_[np.zeros(n), rooms == n - 1],
        gamma=gamma,
        terminal=np.arange(n + 1) == n,
    )


def test_there_are_enough_small_instances():
    assert sum(1 for _ in small(3)) >= 100
    assert sum(1 for _ in small(3, terminal=False)) >= 100


# ---------------------------------------------------------------------- the model


def truncated(mdp, pi, horizon):
    """Expected discounted reward of the first `horizon` steps."""
    v = np.zeros(mdp.S)
    for _ in range(horizon):
        v = T_pi(mdp, pi, v)
    return v


@pytest.mark.claim("prop-horizon", "random")
def test_what_lies_beyond_the_horizon():
    for mdp, rng in instances(1):
        pi, horizon = random_policy(mdp, rng), int(rng.integers(0, 30))
        r_max = norm(mdp.r[mdp.feasible])
        rest = norm(value(mdp, pi) - truncated(mdp, pi, horizon))
        assert rest <= mdp.gamma**horizon * r_max / (1 - mdp.gamma) + slack(mdp.r[mdp.feasible])
        epsilon = rng.uniform(0.01, 0.5) * r_max
        enough = max(0, int(np.ceil(np.log(r_max / (epsilon * (1 - mdp.gamma))) / (1 - mdp.gamma))))
        assert norm(value(mdp, pi) - truncated(mdp, pi, enough)) <= epsilon * (1 + ROUNDING)


@pytest.mark.claim("prop-horizon", "tight")
def test_a_constant_reward_attains_the_horizon_bound():
    for gamma in (0.1, 0.5, 0.9):
        mdp = FiniteMDP(P=[[1]], r=[[2.0]], gamma=gamma)
        pi = np.array([0])
        for horizon in range(5):
            assert value(mdp, pi)[0] - truncated(mdp, pi, horizon)[0] == pytest.approx(gamma**horizon * 2 / (1 - gamma))


@pytest.mark.claim("prop-horizon", "dropped")
def test_without_discounting_no_horizon_is_enough():
    mdp = FiniteMDP(P=[[1]], r=[[1.0]], gamma=1.0)
    pi = np.array([0])
    assert truncated(mdp, pi, 2000)[0] - truncated(mdp, pi, 1000)[0] == 1000


@pytest.mark.claim("thm-evaluation", "random")
def test_the_neumann_series_inverts():
    for mdp, rng in instances(2):
        pi = random_policy(mdp, rng)
        P, r = mdp.induced(pi)
        P = P if isinstance(P, np.ndarray) else P.toarray()
        power, inverse = np.eye(mdp.S), np.zeros((mdp.S, mdp.S))
        for _ in range(1500):
            inverse, power = inverse + power, mdp.gamma * power @ P
        np.testing.assert_allclose(inverse @ (np.eye(mdp.S) - mdp.gamma * P), np.eye(mdp.S), atol=1e-8)
        assert (inverse >= 0).all()
        sums = inverse.sum(axis=1) * (1 - mdp.gamma)
        assert (sums <= 1 + ROUNDING).all()
        if not mdp.terminal.any():
            np.testing.assert_allclose(sums, 1)
        np.testing.assert_allclose(inverse @ r, discounted.evaluate(mdp, pi), atol=1e-8 * (1 + norm(r)))


@pytest.mark.claim("thm-evaluation", "tight")
def test_row_sums_of_the_inverse_are_attained_only_without_an_end():
    for gamma in (0.3, 0.9):
        for end, expected in ((False, 1 / (1 - gamma)), (True, 1.0)):
            mdp = FiniteMDP(P=[[0, 1], [0, 1]], r=[[1.0], [0.0 if end else 1.0]], gamma=gamma, terminal=[False, end])
            assert discounted.evaluate(mdp, np.array([0, 0]))[0] == pytest.approx(expected)


@pytest.mark.claim("thm-evaluation", "dropped")
def test_without_discounting_the_matrix_is_singular():
    for mdp, rng in instances(3, terminal=False):
        P, _ = mdp.induced(random_policy(mdp, rng))
        P = P if isinstance(P, np.ndarray) else P.toarray()
        assert np.linalg.matrix_rank(np.eye(mdp.S) - P, tol=1e-12) < mdp.S


@pytest.mark.claim("eq-bellman-policy", "random")
def test_a_policys_value_solves_its_equation_and_is_the_expected_sum():
    for mdp, rng in instances(4):
        pi = random_policy(mdp, rng)
        v = discounted.evaluate(mdp, pi)
        np.testing.assert_allclose(v, T_pi(mdp, pi, v), atol=slack(v))
        np.testing.assert_allclose(v, truncated(mdp, pi, 1500), atol=1e-8 * (1 + norm(v)))


@pytest.mark.claim("eq-bellman-policy", "dropped")
def test_without_discounting_the_equation_has_many_solutions_or_none():
    paid = FiniteMDP(P=[[1]], r=[[1.0]], gamma=1.0)
    unpaid = FiniteMDP(P=[[1]], r=[[0.0]], gamma=1.0)
    for v in np.linspace(-5, 5, 11):
        assert T(paid, np.array([v]))[0] != v
        assert T(unpaid, np.array([v]))[0] == v


# ---------------------------------------------------------------------- operators


@pytest.mark.claim("thm-contraction", "random")
def test_the_operators_are_monotone_carry_constants_and_contract():
    for mdp, rng in instances(5):
        u, v, pi = random_values(mdp, rng), random_values(mdp, rng), random_policy(mdp, rng)
        above, c = u + rng.exponential(size=mdp.S) * ~mdp.terminal, rng.normal() * 10
        for F in (lambda x, mdp=mdp: T(mdp, x), lambda x, mdp=mdp, pi=pi: T_pi(mdp, pi, x)):
            assert (F(u) <= F(above) + slack(u)).all()
            assert norm(F(u) - F(v)) <= mdp.gamma * norm(u - v) + slack(u, v)
            if not mdp.terminal.any():
                np.testing.assert_allclose(F(u + c), F(u) + mdp.gamma * c, atol=slack(u) + ROUNDING * abs(c))


@pytest.mark.claim("thm-contraction", "tight")
def test_a_constant_difference_shrinks_by_exactly_gamma():
    for mdp, rng in instances(6, 20, terminal=False):
        v = random_values(mdp, rng)
        assert norm(T(mdp, v + 3) - T(mdp, v)) == pytest.approx(3 * mdp.gamma, abs=1e-9)


@pytest.mark.claim("thm-contraction", "dropped")
def test_in_the_euclidean_norm_distances_can_grow():
    mdp = FiniteMDP(P=[[1, 0], [1, 0]], r=[[0], [0]], gamma=0.9)
    u = np.array([1.0, 0.0])
    assert np.linalg.norm(T(mdp, u)) == pytest.approx(0.9 * np.sqrt(2))
    assert np.linalg.norm(T(mdp, u)) > np.linalg.norm(u)


@pytest.mark.claim("thm-contraction", "dropped")
def test_constants_are_not_carried_where_the_process_can_end():
    mdp = FiniteMDP(P=[[0, 1], [0, 0]], r=[[1], [0]], gamma=0.9, terminal=[False, True])
    v = np.zeros(2)
    assert T(mdp, v + np.array([1.0, 0.0]))[0] == T(mdp, v)[0] != T(mdp, v)[0] + 0.9


@pytest.mark.claim("thm-banach", "random")
def test_the_three_rates_of_a_contraction():
    for i, rng in enumerate(np.random.default_rng(7).spawn(120)):
        n, gamma = int(rng.integers(1, 6)), rng.uniform(0.1, 0.95)
        M = rng.normal(size=(n, n))
        M *= gamma / np.linalg.norm(M, 2)  # a contraction in the Euclidean norm, affine or followed by tanh
        b = rng.normal(size=n)
        F = (lambda x, M=M, b=b: M @ x + b) if i % 2 else (lambda x, M=M, b=b: np.tanh(M @ x) + b)
        fixed = rng.normal(size=n)
        for _ in range(2000):
            fixed = F(fixed)
        np.testing.assert_allclose(F(fixed), fixed, atol=1e-10)
        iterates = [rng.normal(size=n) * 5]
        for k in range(1, 40):
            iterates.append(F(iterates[-1]))
            error = np.linalg.norm(iterates[k] - fixed) - 1e-9
            first, last = (np.linalg.norm(iterates[j] - iterates[j - 1]) for j in (1, k))
            assert error <= gamma**k * np.linalg.norm(iterates[0] - fixed)
            assert error <= gamma**k / (1 - gamma) * first
            assert error <= gamma / (1 - gamma) * last


@pytest.mark.claim("thm-banach", "tight")
def test_scaling_the_line_attains_all_three_rates():
    gamma, iterates = 0.8, [5.0]
    for k in range(1, 20):
        iterates.append(gamma * iterates[-1])
        error = abs(iterates[k] - 0.0)  # the fixed point is 0
        assert error == pytest.approx(gamma**k * iterates[0])
        assert error == pytest.approx(gamma**k / (1 - gamma) * abs(iterates[1] - iterates[0]))
        assert error == pytest.approx(gamma / (1 - gamma) * abs(iterates[k] - iterates[k - 1]))


@pytest.mark.claim("thm-banach", "dropped")
def test_without_a_uniform_factor_there_may_be_no_fixed_point():
    def F(x):
        return np.sqrt(x**2 + 1)

    for x, y in np.random.default_rng(8).uniform(0, 50, size=(100, 2)):
        assert abs(F(x) - F(y)) < abs(x - y)
        assert F(x) > x


# ---------------------------------------------------------------------- optimality


@pytest.mark.claim("thm-optimality", "random")
def test_the_fixed_point_is_the_best_of_all_policies_and_greedy_attains_it():
    for mdp, rng in small(9):
        v = optimum(mdp)
        np.testing.assert_allclose(T(mdp, v), v, atol=slack(v))
        np.testing.assert_allclose(value(mdp, greedy(mdp.q(v))), v, atol=slack(v))
        assert (value(mdp, random_policy(mdp, rng)) <= v + slack(v)).all()
        optimal_actions = mdp.q(v) >= v[:, None] - slack(v)
        for pi in all_policies(mdp):
            attains = optimal_actions[np.arange(mdp.S), pi].all()
            assert attains == bool(norm(value(mdp, pi) - v) <= 10 * slack(v) / (1 - mdp.gamma))


@pytest.mark.claim("thm-optimality", "random")
def test_policies_that_change_over_time_gain_nothing():
    for mdp, rng in small(10, gamma=0.8):
        v, horizon = optimum(mdp), 120
        earned = np.zeros(mdp.S)
        rules = [random_actions(mdp, rng) for _ in range(horizon)]  # a Markov policy, different at every step
        for t in reversed(range(horizon)):
            earned = T_pi(mdp, rules[t], earned)
        assert (earned <= v + 0.8**horizon * norm(mdp.r[mdp.feasible]) / 0.2 + slack(v)).all()


def value_with_memory(mdp, first, others, s0):
    """Value of the policy that follows `others[s1]` for ever, where s1 is the state after the first action."""
    row = mdp.P.reshape(mdp.A, mdp.S, mdp.S)[first, s0]
    return mdp.r[s0, first] + mdp.gamma * sum(row[s] * value(mdp, others[s])[s] for s in range(mdp.S))


@pytest.mark.claim("thm-optimality", "tight")
def test_a_policy_with_memory_can_equal_the_optimum_but_not_beat_it():
    for mdp, rng in small(11, terminal=False):
        v = optimum(mdp)
        best = greedy(mdp.q(v))
        others = [best] * mdp.S
        assert value_with_memory(mdp, best[0], others, 0) == pytest.approx(v[0], abs=slack(v))
        others = [random_actions(mdp, rng) for _ in range(mdp.S)]
        assert value_with_memory(mdp, random_actions(mdp, rng)[0], others, 0) <= v[0] + slack(v)


@pytest.mark.claim("thm-optimality", "dropped")
def test_with_infinitely_many_actions_no_policy_may_be_optimal():
    for n in (1, 10, 100, 1000):  # action i pays 1 - 1/(i+1) for ever: the supremum 1/(1-gamma) is never reached
        mdp = FiniteMDP(P=np.ones((n, 1)), r=1 - 1 / np.arange(1, n + 1)[None, :], gamma=0.5)
        assert discounted.policy_iteration(mdp).pi[0] == n - 1
        assert optimum(mdp)[0] == pytest.approx(2 * (1 - 1 / n))
        assert optimum(mdp)[0] < 2


@pytest.mark.claim("eq-bellman-optimality", "random")
def test_only_the_optimal_value_solves_the_optimality_equation():
    for mdp, rng in small(12):
        v = optimum(mdp)
        np.testing.assert_allclose(T(mdp, v), v, atol=slack(v))
        other = random_values(mdp, rng)
        assert norm(T(mdp, other) - other) >= (1 - mdp.gamma) * norm(other - v) - slack(v, other)
        for _ in range(1200):
            other = T(mdp, other)
        np.testing.assert_allclose(other, v, atol=1e-8 * (1 + norm(v)))


@pytest.mark.claim("eq-bellman-optimality", "dropped")
def test_without_discounting_the_optimality_equation_has_many_solutions():
    mdp = FiniteMDP(P=np.eye(2), r=[[0.0], [0.0]], gamma=1.0)
    for c in (0.0, 7.0, -3.0):
        assert (T(mdp, np.full(2, c)) == c).all()


# ---------------------------------------------------------------------- value iteration


@pytest.mark.claim("thm-greedy-loss", "random")
def test_a_greedy_policy_loses_at_most_the_bound():
    for mdp, rng in small(13):
        best = optimum(mdp)
        v = best + rng.normal(size=mdp.S) * ~mdp.terminal * 10 ** rng.uniform(-2, 1)
        loss = best - value(mdp, greedy(mdp.q(v)))
        assert loss.max() <= 2 * mdp.gamma / (1 - mdp.gamma) * norm(v - best) + slack(best)


@pytest.mark.claim("thm-greedy-loss", "tight")
def test_the_greedy_loss_is_attained():
    for gamma in np.linspace(0.05, 0.99, 25):
        for epsilon in (0.01, 1.0, 30.0):
            mdp, v = worlds.greedy_loss_example(gamma, epsilon)
            best = optimum(mdp)
            assert norm(v - best) == pytest.approx(epsilon)
            loss = best - value(mdp, greedy(mdp.q(v)))
            assert loss.max() == pytest.approx(2 * gamma * epsilon / (1 - gamma))


@pytest.mark.claim("thm-greedy-loss", "dropped")
def test_a_policy_that_is_not_greedy_can_lose_more():
    mdp = FiniteMDP(P=[[1], [1]], r=[[0.0, 1.0]], gamma=0.5)
    best = optimum(mdp)
    assert (best - value(mdp, np.array([0])))[0] == 2.0  # although v = v* makes the bound 0


@pytest.mark.claim("thm-macqueen", "random")
def test_the_macqueen_bounds_enclose():
    for mdp, rng in small(14):
        v, best = random_values(mdp, rng), optimum(mdp)
        low, high = discounted.macqueen_bounds(mdp, v, T(mdp, v))
        pi = greedy(mdp.q(v))
        eps = slack(best, v) / (1 - mdp.gamma)
        assert (low <= value(mdp, pi) + eps).all()
        assert (value(mdp, pi) <= best + eps).all()
        assert (best <= high + eps).all()
        scale = mdp.gamma / (1 - mdp.gamma) * span(T(mdp, v) - v)
        assert norm(best - value(mdp, pi)) <= scale + eps
        assert norm((low + high) / 2 - best) <= scale / 2 + eps


@pytest.mark.claim("thm-macqueen", "tight")
def test_two_absorbing_states_attain_both_macqueen_bounds():
    for gamma in (0.2, 0.9):
        mdp = two_absorbing(-1.0, 3.0, gamma)
        low, high = discounted.macqueen_bounds(mdp, np.zeros(2), T(mdp, np.zeros(2)))
        assert low[0] == pytest.approx(optimum(mdp)[0])
        assert high[1] == pytest.approx(optimum(mdp)[1])


@pytest.mark.claim("thm-macqueen", "dropped")
def test_leaving_terminal_states_out_of_the_extrema_breaks_the_lower_bound():
    mdp = FiniteMDP(P=[[0, 1], [0, 0]], r=[[1], [0]], gamma=0.9, terminal=[False, True])
    v = np.zeros(2)
    d = (T(mdp, v) - v)[~mdp.terminal]
    assert T(mdp, v)[0] + 0.9 / 0.1 * d.min() > optimum(mdp)[0]
    assert discounted.macqueen_bounds(mdp, v, T(mdp, v))[0][0] == pytest.approx(optimum(mdp)[0])


@pytest.mark.claim("thm-macqueen", "dropped")
def test_the_lower_bound_needs_a_greedy_policy():
    mdp = FiniteMDP(P=[[1], [1]], r=[[0.0, 1.0]], gamma=0.5)
    low, _ = discounted.macqueen_bounds(mdp, np.zeros(1), T(mdp, np.zeros(1)))
    assert value(mdp, np.array([0]))[0] < low[0]


@pytest.mark.claim("prop-span", "random")
def test_the_span_contracts():
    for mdp, rng in instances(15):
        u, v = random_values(mdp, rng), random_values(mdp, rng)
        assert span(T(mdp, u) - T(mdp, v)) <= mdp.gamma * span(u - v) + slack(u, v)
        first = span(T(mdp, v) - v)
        for k in range(1, 15):
            v = T(mdp, v)
            assert span(T(mdp, v) - v) <= mdp.gamma**k * first + slack(v)


@pytest.mark.claim("prop-span", "tight")
def test_states_that_never_mix_attain_the_factor_gamma():
    mdp = two_absorbing(0.0, 1.0, 0.7)
    u, v = np.array([5.0, -2.0]), np.array([1.0, 1.0])
    assert span(T(mdp, u) - T(mdp, v)) == pytest.approx(0.7 * span(u - v))


@pytest.mark.claim("prop-span", "dropped")
def test_the_span_over_open_states_alone_need_not_contract():
    # One state leads to the end, the other to itself: equal guesses move apart, unless the end's zero is counted.
    mdp = FiniteMDP(
        P=[[0, 0, 1], [0, 1, 0], [0, 0, 0]], r=[[0.0], [0.0], [0.0]], gamma=0.9, terminal=[False, False, True]
    )
    u, v = np.array([1.0, 1.0, 0.0]), np.zeros(3)
    assert span((u - v)[:2]) == 0
    assert span((T(mdp, u) - T(mdp, v))[:2]) == pytest.approx(0.9)


@pytest.mark.claim("cor-stopping", "random")
def test_the_stopping_rule_delivers_an_epsilon_optimal_policy_in_time():
    for mdp, rng in small(16):
        if mdp.gamma == 0:
            continue
        best, v = optimum(mdp), random_values(mdp, rng)
        epsilon, first = 10 ** rng.uniform(-3, 1), norm(T(mdp, v) - v)
        log = np.log(2 * first / (epsilon * (1 - mdp.gamma))) / (1 - mdp.gamma)
        for k in count(1):
            tv = T(mdp, v)
            loss = norm(best - value(mdp, greedy(mdp.q(tv))))
            eps = slack(best, v) / (1 - mdp.gamma)
            scale = mdp.gamma**2 / (1 - mdp.gamma)
            assert loss <= scale * span(tv - v) + eps
            assert scale * span(tv - v) <= 2 * scale * norm(tv - v) + eps
            if norm(tv - v) <= epsilon * (1 - mdp.gamma) / (2 * mdp.gamma):
                assert loss <= epsilon + eps
                assert k <= (2 + log if log > 0 else 1)
                break
            v = tv


@pytest.mark.claim("cor-stopping", "tight")
def test_a_choice_between_two_absorbing_states_attains_the_stopping_bound():
    for gamma in (0.3, 0.9, 0.99):
        delta = 2.0  # state 0 chooses between state 1, which pays delta for ever, and state 2, which pays -delta
        P = np.array([[0, 1, 0], [0, 1, 0], [0, 0, 1], [0, 0, 1], [0, 1, 0], [0, 0, 1]], dtype=float)
        P[[1, 2]], P[[4, 5]] = np.eye(3)[[1, 2]], np.eye(3)[[1, 2]]
        P[0], P[3] = np.eye(3)[2], np.eye(3)[1]
        r = np.array([[2 * gamma * delta, 0.0], [delta, delta], [-delta, -delta]])
        mdp = FiniteMDP(P, r, gamma)
        v0 = np.array([2 * gamma * delta, 0.0, 0.0])
        v1 = T(mdp, v0)
        assert norm(v1 - v0) == pytest.approx(delta)
        q = mdp.q(v1)
        assert q[0, 0] == pytest.approx(q[0, 1])  # a tie, which greedy breaks towards the bad action
        loss = norm(optimum(mdp) - value(mdp, greedy(q)))
        assert loss == pytest.approx(2 * gamma**2 / (1 - gamma) * delta)
        assert loss == pytest.approx(gamma**2 / (1 - gamma) * span(v1 - v0))


@pytest.mark.claim("cor-stopping", "dropped")
def test_a_small_change_between_arbitrary_guesses_guarantees_nothing():
    mdp, v = worlds.greedy_loss_example(0.9, epsilon=1.0)
    v_before = v + 1e-9  # the guesses are close, but the second is not T of the first
    best = optimum(mdp)
    loss = norm(best - value(mdp, greedy(mdp.q(v))))
    assert loss > 2 * 0.9**2 / 0.1 * norm(v - v_before) + 1


@pytest.mark.claim("prop-elimination", "random")
def test_eliminated_actions_are_not_optimal():
    eliminated = 0
    for mdp, rng in small(17):
        best = optimum(mdp)
        v = best + rng.normal(size=mdp.S) * ~mdp.terminal * 10 ** rng.uniform(-3, 0)
        q, tv = mdp.q(v), T(mdp, v)
        out = (tv[:, None] - q > mdp.gamma / (1 - mdp.gamma) * span(tv - v)) & mdp.feasible
        eliminated += out.sum()
        assert (mdp.q(best)[out] < np.broadcast_to(best[:, None], q.shape)[out]).all()
    assert eliminated > 200


@pytest.mark.claim("prop-elimination", "tight")
def test_at_the_threshold_an_optimal_action_may_sit():
    # As in the stopping example: the better action looks worse by exactly gamma/(1-gamma) span(d), and is optimal.
    gamma, delta = 0.5, 1.0
    P = np.zeros((6, 3))
    P[0], P[3] = np.eye(3)[1], np.eye(3)[2]
    P[[1, 4]], P[[2, 5]] = np.eye(3)[1], np.eye(3)[2]
    advantage = 2 * gamma * delta / (1 - gamma)
    r = np.array([[0.0, advantage], [delta, delta], [-delta, -delta]])
    mdp = FiniteMDP(P, r, gamma)
    v = np.array([advantage, 0.0, 0.0])
    q, d = mdp.q(v), T(mdp, v) - v
    assert T(mdp, v)[0] - q[0, 0] == pytest.approx(gamma / (1 - gamma) * span(d))
    best = optimum(mdp)
    assert mdp.q(best)[0, 0] == pytest.approx(best[0])


@pytest.mark.claim("prop-elimination", "dropped")
def test_below_the_threshold_optimal_actions_would_be_lost():
    lost = 0
    for mdp, rng in small(18, terminal=False):
        best, v = optimum(mdp), random_values(mdp, rng)
        q, tv = mdp.q(v), T(mdp, v)
        out = (tv[:, None] - q > 0.1 * mdp.gamma / (1 - mdp.gamma) * span(tv - v)) & mdp.feasible
        lost += (mdp.q(best)[out] >= np.broadcast_to(best[:, None], q.shape)[out] - slack(best)).sum()
    assert lost > 0


# ---------------------------------------------------------------------- policy iteration


@pytest.mark.claim("thm-improvement", "random")
def test_improvement_improves_and_stalls_only_at_the_optimum():
    for mdp, rng in small(19):
        pi, best = random_policy(mdp, rng), optimum(mdp)
        v = value(mdp, pi)
        q = mdp.q(v)
        choices = q >= v[:, None] - slack(v)  # any mixture of actions that do not look worse
        mixed = rng.exponential(size=q.shape) * choices
        mixed /= mixed.sum(axis=1, keepdims=True)
        for new in (greedy(q), greedy(np.where(choices, 0.0, -1.0), rng), mixed):
            step = T_pi(mdp, new, v)
            eps = slack(v, best) / (1 - mdp.gamma)
            assert (step >= v - eps).all()
            assert (value(mdp, new) >= step - eps).all()


@pytest.mark.claim("thm-improvement", "random")
def test_a_greedy_improvement_stalls_exactly_at_optimal_policies():
    stalls = 0
    for mdp, _ in small(39):
        best, policies = optimum(mdp), all_policies(mdp)
        eps = slack(best) / (1 - mdp.gamma)
        for pi in policies:
            v = value(mdp, pi)
            stalled = norm(value(mdp, greedy(mdp.q(v))) - v) <= eps
            assert stalled == bool(norm(v - best) <= eps)
            stalls += stalled and len(policies) > 1
    assert stalls >= 100


@pytest.mark.claim("thm-improvement", "tight")
def test_improvement_is_no_larger_than_one_step_when_the_rest_is_settled():
    mdp = corridor(5, 0.9)
    waiting = np.zeros(6, dtype=int)
    v = value(mdp, waiting)
    new = greedy(mdp.q(v))
    np.testing.assert_allclose(value(mdp, new), T(mdp, v))
    best = greedy(mdp.q(optimum(mdp)))
    np.testing.assert_allclose(value(mdp, best), T(mdp, value(mdp, best)))


@pytest.mark.claim("thm-improvement", "dropped")
def test_gaining_in_one_state_and_losing_in_another_can_make_all_states_worse():
    # State 0 moves to 1 for free; there, action 1 throws away 10 while the change in state 0 gains 1.
    P = np.array([[0, 1], [1, 0], [0, 1], [1, 0]], dtype=float)
    mdp = FiniteMDP(P, [[0.0, 1.0], [0.0, -10.0]], gamma=0.9)
    old, new = np.array([0, 0]), np.array([1, 1])
    v = value(mdp, old)
    gain = T_pi(mdp, new, v) - v
    assert gain[0] > 0 > gain[1]
    assert (value(mdp, new) < v).all()


def policy_iterates(mdp, pi):
    """The values of alg-policy-iteration, transcribed from the chapter."""
    while True:
        v = value(mdp, pi)
        yield pi, v
        q = mdp.q(v)
        attains = q[np.arange(mdp.S), pi] >= q.max(axis=1) - 1e-11 * (1 + norm(v))
        new = np.where(attains, pi, greedy(q))
        if (new == pi).all():
            return
        pi = new


@pytest.mark.claim("thm-policy-iteration", "random")
def test_policy_iteration_ends_contracts_and_leads_value_iteration():
    for mdp, rng in small(20):
        best = optimum(mdp)
        steps = list(policy_iterates(mdp, random_actions(mdp, rng)))
        assert len({tuple(pi) for pi, _ in steps}) == len(steps) <= len(all_policies(mdp))
        vi, eps = steps[0][1], slack(best) / (1 - mdp.gamma)
        for (_, v), (_, v_next) in pairwise(steps):
            assert norm(v_next - best) <= mdp.gamma * norm(v - best) + eps
            vi = T(mdp, vi)
            assert (v_next >= vi - eps).all()
        np.testing.assert_allclose(steps[-1][1], best, atol=eps)


@pytest.mark.claim("thm-policy-iteration", "tight")
def test_on_the_corridor_policy_iteration_is_value_iteration():
    gamma, n = 0.9, 7
    mdp = corridor(n, gamma)
    best = value(mdp, np.ones(n + 1, dtype=int))
    vi = None
    for k, (_, v) in enumerate(policy_iterates(mdp, np.zeros(n + 1, dtype=int))):
        vi = v if vi is None else T(mdp, vi)
        np.testing.assert_allclose(v, vi, atol=1e-12)
        assert norm(v - best) == pytest.approx(gamma**k if k < n else 0.0, abs=1e-12)
    assert k == n


@pytest.mark.claim("thm-policy-iteration", "dropped")
def test_careless_ties_make_policy_iteration_run_for_ever():
    mdp = FiniteMDP(P=[[1], [1]], r=[[1.0, 1.0]], gamma=0.9)
    pi = np.array([0])
    for _ in range(50):
        q = mdp.q(value(mdp, pi))
        assert q[0, 0] == q[0, 1]
        new = np.array([1 - pi[0]])  # a greedy choice as good as any
        assert (new != pi).any()
        pi = new
    assert discounted.policy_iteration(mdp).iterations == 1


@pytest.mark.claim("thm-policy-iteration", "dropped")
def test_improving_some_states_only_does_not_contract():
    mdp = FiniteMDP(P=np.tile(np.eye(2), (2, 1)), r=[[0.0, 1.0], [0.0, 1.0]], gamma=0.5)  # two separate choices
    best, start, half_improved = optimum(mdp), np.array([0, 0]), np.array([1, 0])
    assert norm(value(mdp, half_improved) - best) == norm(value(mdp, start) - best) > 0
    one_sweep = T(mdp, value(mdp, start))
    assert (value(mdp, half_improved) < one_sweep)[1]


def changes_of_policy(mdp, pi):
    return len(list(policy_iterates(mdp, pi))) - 1


def most_changes(mdp):
    """(m - n) * ceil(ln(1/(1-gamma)) / (1-gamma)), with n open states and m pairs in them."""
    open_states = ~mdp.terminal
    m, n = mdp.feasible[open_states].sum(), open_states.sum()
    return (m - n) * np.ceil(np.log(1 / (1 - mdp.gamma)) / (1 - mdp.gamma))


@pytest.mark.claim("thm-strongly-polynomial", "random")
def test_policy_iteration_changes_its_policy_rarely_enough():
    for mdp, rng in instances(40, 200):
        if mdp.gamma > 0:
            assert changes_of_policy(mdp, random_actions(mdp, rng)) <= most_changes(mdp)


@pytest.mark.claim("thm-strongly-polynomial", "tight")
def test_the_corridor_attains_the_number_of_changes():
    for n in (1, 3, 8):
        mdp = corridor(n, gamma=0.1)
        assert changes_of_policy(mdp, np.zeros(n + 1, dtype=int)) == most_changes(mdp) == n


@pytest.mark.claim("thm-strongly-polynomial", "dropped")
def test_without_a_future_one_change_may_still_be_needed():
    mdp = FiniteMDP(P=[[1], [1]], r=[[0.0, 1.0]], gamma=0.0)
    assert changes_of_policy(mdp, np.array([0])) == 1 > most_changes(mdp)


@pytest.mark.claim("prop-newton", "random")
def test_an_improvement_is_a_newton_step():
    for mdp, rng in instances(21):
        v = random_values(mdp, rng)
        pi = greedy(mdp.q(v))
        P, _ = mdp.induced(pi)
        step = np.linalg.solve(np.eye(mdp.S) - mdp.gamma * P, T(mdp, v) - v)
        np.testing.assert_allclose(v + step, value(mdp, pi), atol=slack(v) / (1 - mdp.gamma))


@pytest.mark.claim("prop-newton", "dropped")
def test_the_newton_step_needs_a_greedy_policy():
    mdp = FiniteMDP(P=[[1], [1]], r=[[0.0, 1.0]], gamma=0.5)
    v = np.zeros(1)
    step = (T(mdp, v) - v) / (1 - 0.5)
    assert v + step != pytest.approx(value(mdp, np.array([0])))


# ---------------------------------------------------------------------- between the two


def modified_iterates(mdp, v, n, rounds):
    """v_{k+1} = (T^{pi_k})^{n+1} v_k, transcribed from the chapter."""
    yield v
    for _ in range(rounds):
        pi = greedy(mdp.q(v))
        for _ in range(n + 1):
            v = T_pi(mdp, pi, v)
        yield v


def start_below(mdp, rng):
    """A start with T v >= v: the value of some policy, lowered by a constant where nothing ends."""
    v = value(mdp, random_actions(mdp, rng))
    return v if mdp.terminal.any() else v - rng.exponential()


@pytest.mark.claim("prop-modified", "random")
def test_modified_policy_iteration_climbs_and_leads_value_iteration():
    for mdp, rng in small(22):
        best, v0, n = optimum(mdp), start_below(mdp, rng), int(rng.integers(0, 8))
        eps = slack(best, v0) / (1 - mdp.gamma)
        vi = v0
        for v, v_next in zip(*[list(modified_iterates(mdp, v0, n, 25))[i:] for i in (0, 1)], strict=False):
            assert (vi <= v + eps).all()
            assert (v <= v_next + eps).all()
            assert (v_next <= best + eps).all()
            vi = T(mdp, vi)


@pytest.mark.claim("prop-modified", "random")
def test_modified_policy_iteration_converges_from_anywhere():
    for mdp, rng in small(23):
        *_, v = modified_iterates(mdp, random_values(mdp, rng), 3, 400)
        np.testing.assert_allclose(v, optimum(mdp), atol=1e-7 * (1 + norm(v)))


@pytest.mark.claim("prop-modified", "tight")
def test_without_inner_sweeps_it_is_value_iteration():
    for mdp, rng in instances(24, 20):
        vi = v0 = random_values(mdp, rng)
        for v in modified_iterates(mdp, v0, 0, 10):
            np.testing.assert_allclose(v, vi, atol=slack(v0))
            vi = T(mdp, vi)


@pytest.mark.claim("prop-modified", "dropped")
def test_from_above_modified_policy_iteration_need_not_be_monotone_or_lead():
    behind = 0
    for mdp, rng in small(25):
        v0 = random_values(mdp, rng)
        _, v1 = modified_iterates(mdp, v0, 3, 1)
        behind += bool((v1 < T(mdp, v0) - slack(v0)).any() and (v1 < v0 - slack(v0)).any())
    assert behind > 10


def round_of_updates(mdp, v, order):
    v = v.copy()
    for s in order:
        v[s] = T(mdp, v)[s]
    return v


@pytest.mark.claim("thm-asynchronous", "random")
def test_each_round_of_single_updates_shrinks_the_error_by_gamma():
    for mdp, rng in small(26):
        v, best = random_values(mdp, rng), optimum(mdp)
        for _ in range(8):
            extra = rng.integers(mdp.S, size=rng.integers(0, 5))
            order = rng.permutation(np.r_[np.arange(mdp.S), extra])
            before, v = norm(v - best), round_of_updates(mdp, v, order)
            assert norm(v - best) <= mdp.gamma * before + slack(best, v)


@pytest.mark.claim("thm-asynchronous", "random")
def test_gauss_seidel_from_below_leads_value_iteration():
    for mdp, rng in small(27):
        v, best = start_below(mdp, rng), optimum(mdp)
        eps = slack(v, best) / (1 - mdp.gamma)
        for _ in range(10):
            new = round_of_updates(mdp, v, range(mdp.S))
            assert (new >= T(mdp, v) - eps).all()
            assert (new <= T(mdp, new) + eps).all()
            assert (new <= best + eps).all()
            v = new


@pytest.mark.claim("thm-asynchronous", "tight")
def test_absorbing_states_shrink_by_exactly_gamma_a_round():
    mdp = two_absorbing(1.0, 2.0, 0.8)
    best = optimum(mdp)
    v = round_of_updates(mdp, best + 5, range(2))
    assert norm(v - best) == pytest.approx(0.8 * 5)


@pytest.mark.claim("thm-asynchronous", "dropped")
def test_a_state_that_is_never_updated_spoils_the_limit():
    mdp = FiniteMDP(P=[[0, 1], [0, 1]], r=[[0.0], [1.0]], gamma=0.5)
    v = np.zeros(2)
    for _ in range(100):
        v = round_of_updates(mdp, v, [0])
    assert v[0] == 0.0
    assert optimum(mdp)[0] == pytest.approx(1.0)


# ---------------------------------------------------------------------- gamma -> 1


def last_crossing(mdp, pi, other, s, nodes=64):
    """The largest gamma < 1 at which the values of two policies cross in state s, or 0: roots of a polynomial.

    det(I - gamma P) det(I - gamma P') (v - v')(s) is a polynomial of degree below 2S; it is interpolated.
    """
    P, r = mdp.induced(pi)
    P2, r2 = mdp.induced(other)
    eye = np.eye(mdp.S)

    def f(gamma):
        A, B = eye - gamma * P, eye - gamma * P2
        adj_a = np.linalg.solve(A, r)[s] * np.linalg.det(A)
        adj_b = np.linalg.solve(B, r2)[s] * np.linalg.det(B)
        return adj_a * np.linalg.det(B) - adj_b * np.linalg.det(A)

    x = 0.495 * np.cos(np.pi * (np.arange(nodes) + 0.5) / nodes) + 0.495
    values = np.array([f(gamma) for gamma in x])
    if norm(values) < 1e-12:
        return 0.0
    fit = np.polynomial.Chebyshev.fit(x, values, 2 * mdp.S, domain=[0, 0.99])
    roots = fit.roots()
    real = roots[np.abs(roots.imag) < 1e-7].real
    inside = real[(real > 0) & (real < 1 - 1e-9)]
    return float(inside.max()) if len(inside) else 0.0


@pytest.mark.claim("thm-blackwell", "random")
def test_beyond_the_last_crossing_one_policy_stays_optimal():
    checked = 0
    for i in range(140):
        rng = np.random.default_rng(1000 + i)
        S = int(rng.integers(2, 4))
        p, r = rng.dirichlet(np.ones(S), size=(S, 2)), rng.normal(size=(S, 2))
        if i % 4 == 0:
            r[0, 1] = -np.inf
        ended = np.arange(S) == (S - 1 if i % 3 == 0 else S)
        p[ended], r[ended] = 0.0, 0.0
        mdp = FiniteMDP.from_arrays(p, r, 0.5, terminal=ended)
        policies = all_policies(mdp)
        pairs = [(pi, other) for i, pi in enumerate(policies) for other in policies[:i]]
        gamma0 = max((last_crossing(mdp, *pair, s) for pair in pairs for s in range(S)), default=0.0)
        if gamma0 > 0.999:  # rounding would decide beyond
            continue
        patient = [replace(mdp, gamma=g) for g in 1 - (1 - gamma0) * np.array([0.99, 0.5, 0.1, 0.01])]
        best = [greedy(m.q(optimum(m))) for m in patient]
        assert all((pi == best[0]).all() for pi in best)
        checked += 1
    assert checked >= 100


@pytest.mark.claim("thm-blackwell", "dropped")
def test_with_infinitely_many_actions_the_best_action_keeps_changing():
    # Action n costs n now and then pays 1 - 1/n for ever.
    n = np.arange(1, 400)
    best = [int(n[np.argmax(-n + g * (1 - 1 / n) / (1 - g))]) for g in (0.9, 0.99, 0.999, 0.9999)]
    assert best == sorted(set(best))
    assert best == [round(np.sqrt(g / (1 - g))) for g in (0.9, 0.99, 0.999, 0.9999)]
