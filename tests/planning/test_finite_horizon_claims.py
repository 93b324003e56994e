"""Each statement of the chapter on finite horizons, on random instances, where it is tight, and where it breaks.

Nothing here trusts the solvers: expectations come from a recursion over all histories, and optimal values from
enumerating all deterministic policies that depend on the history.
"""

from itertools import permutations, product

import numpy as np
import pytest

from rlcore import FiniteMDP, worlds
from rlcore.planning import discounted, finite_horizon
from tests.instances import instances, random_values

NEVER_TIGHT = {
    "thm-markov-marginals": "an equation: both sides agree on every instance",
    "cor-markov-enough": "an equation: both sides agree on every instance",
    "prop-backward-evaluation": "an equation: both sides agree on every instance",
    "prop-loss-identity": "an equation: both sides agree on every instance",
    "cor-optimal-tails": "an equation: both sides agree on every instance",
    "prop-utility-state": "an equation: both sides agree on every instance",
    "prop-secretary": "equations, but for bounds on k that are irrational numbers and so never attained",
}


def tiny(seed, n=120):
    """Processes with few histories, laws that change, and small whole rewards, so that actions often tie."""
    for i, rng in enumerate(np.random.default_rng(seed).spawn(n)):
        S, H = ((2, 3), (3, 2), (2, 2), (3, 1))[i % 4]
        ended = np.arange(S) == (S - 1 if i % 3 == 0 else S)
        gamma = float(rng.choice([1.0, 0.5, rng.uniform(0.1, 1)]))
        stages = []
        for _ in range(H):
            p = rng.dirichlet(np.full(S, 0.7), size=(S, 2)) * (rng.random((S, 2, S)) < 0.8)
            p[p.sum(axis=2) == 0] = np.eye(S)[0]
            p = p / p.sum(axis=2, keepdims=True) * ~ended[:, None, None]
            r = rng.integers(-2, 3, size=(S, 2)) * ~ended[:, None] * 1.0
            if i % 5 == 0:
                p[:, 1], r[:, 1] = p[:, 0], r[:, 0]
            r[:, 1] = np.where(rng.random(S) < 0.15, -np.inf, r[:, 1])
            stages.append(FiniteMDP.from_arrays(p, r, gamma, terminal=ended))
        mu = rng.dirichlet(np.ones(S)) * (np.arange(S) != rng.integers(S))
        yield stages, rng.integers(-2, 3, size=S) * ~ended * 1.0, mu / mu.sum(), rng


def branches(mdp, s, a):
    law = mdp.P.reshape(mdp.A, mdp.S, mdp.S)[a, s]
    return [(u, law[u]) for u in range(mdp.S) if law[u] > 0]


def to_come(stages, choose, h, final, u=lambda y: y, paid=0.0, discount=1.0):
    """E u(paid + what is still to come, discounted) after the history h; choose(h) gives probabilities (A,)."""
    t, s = len(h) // 2, h[-1]
    if stages[0].terminal[s]:
        return u(paid)
    if t == len(stages):
        return u(paid + discount * final[s])
    mdp, total = stages[t], 0.0
    for a, weight in enumerate(choose(h)):
        if weight > 0:
            rest = (paid + discount * mdp.r[s, a], discount * mdp.gamma)
            for s_next, p in branches(mdp, s, a):
                total += weight * p * to_come(stages, choose, (*h, a, s_next), final, u, *rest)
    return total


def histories(stages, choose, mu):
    """Every history of positive probability before the end, of each length, with its probability."""
    level = [((s,), p) for s, p in enumerate(mu) if p > 0]
    for mdp in stages:
        level = [(h, p) for h, p in level if not mdp.terminal[h[-1]]]
        yield from level
        level = [
            ((*h, a, s_next), p * weight * q)
            for h, p in level
            for a, weight in enumerate(choose(h))
            if weight > 0
            for s_next, q in branches(mdp, h[-1], a)
        ]


def memory(stages, rng):
    """A random policy that depends on the whole history."""
    table = {}

    def choose(h):
        if h not in table:
            weights = rng.dirichlet([0.5, 0.5]) * stages[len(h) // 2].feasible[h[-1]]
            table[h] = weights / weights.sum() if weights.sum() > 0 else np.array([1.0, 0.0])
        return table[h]

    return choose


def markov(pi, start=0):
    """A Markov policy (H, S, A) as a function of the history since `start`."""
    return lambda h: pi[start + len(h) // 2, h[-1]]


def after(choose, h):
    """What a policy does from the history h on."""
    return lambda tail: choose(h[:-1] + tail)


def occupation(stages, choose, mu):
    """Marginals (H, S, A), as sums over histories."""
    d = np.zeros((len(stages), *stages[0].r.shape))
    for h, p in histories(stages, choose, mu):
        d[len(h) // 2, h[-1]] += p * np.asarray(choose(h))
    return d


def copy_of(stages, d):
    """The Markov policy with these marginals, as a function of the history; action 0 where nobody comes."""
    total = d.sum(axis=2, keepdims=True)
    pi = np.where(total > 0, d / np.where(total > 0, total, 1), np.eye(d.shape[2])[0])
    return markov(pi)


def deterministic(stages, first):
    """All deterministic policies from one first state; own actions need no remembering, so they map states seen."""
    H, S = len(stages), stages[0].S
    seen = [(first, *later) for t in range(H) for later in product(range(S), repeat=t)]
    open_ = [x for x in seen if not stages[0].terminal[list(x)].any()]
    for actions in product(*[np.flatnonzero(stages[len(x) - 1].feasible[x[-1]]) for x in open_]):
        table = dict(zip(open_, np.eye(stages[0].A)[list(actions)], strict=True))
        yield lambda h, table=table: table[h[::2]]


def optimum(stages, first, final, u=lambda y: y):
    return max(to_come(stages, choose, (first,), final, u) for choose in deterministic(stages, first))


def look_back(stages, final):
    """w (H+1, S) and q (H, S, A) of the algorithm, written out."""
    S, A = stages[0].r.shape
    w, q = [final], []
    for mdp in reversed(stages):
        q_t = np.full((S, A), -np.inf)
        for s, a in np.argwhere(mdp.feasible):
            q_t[s, a] = mdp.r[s, a] + mdp.gamma * sum(p * w[0][u] for u, p in branches(mdp, s, a))
        q.insert(0, q_t)
        w.insert(0, np.where(mdp.terminal, 0.0, q_t.max(axis=1)))
    return np.array(w), np.array(q)


def expected(stages, choose, mu, final, u=lambda y: y):
    return sum(p * to_come(stages, choose, (s,), final, u) for s, p in enumerate(mu) if p > 0)


# ---------------------------------------------------------------------- marginals


def evening():
    """A coin gives 2 or nothing; then take 1, or gamble for 3 or nothing; 3 steps."""
    mdp = FiniteMDP.from_transitions(
        6,
        2,
        s=[0, 1, 2, 2, 2, 3, 4, 5],
        a=[0, 0, 0, 1, 1, 0, 0, 0],
        s_next=[2, 2, 5, 3, 4, 5, 5, 5],
        p=[1, 1, 1, 0.5, 0.5, 1, 1, 1],
        r=[2, 0, 1, 0, 0, 3, 0, 0],
        gamma=1.0,
    )
    return [mdp] * 3, np.zeros(6), np.array([0.5, 0.5, 0, 0, 0, 0])


def guest(if_rich, if_poor):
    chance = {0: if_rich, 1: if_poor}
    return lambda h: [1 - chance[h[0]], chance[h[0]]] if h[-1] == 2 else [1.0, 0.0]


@pytest.mark.claim("thm-markov-marginals", "random")
def test_a_markov_policy_copies_the_marginals():
    for stages, final, mu, rng in tiny(1):
        choose = memory(stages, rng)
        d = occupation(stages, choose, mu)
        copy = copy_of(stages, d)
        np.testing.assert_allclose(occupation(stages, copy, mu), d, atol=1e-12)
        for s in range(stages[0].S):  # the law of s_H: a payment of 1 there
            if not stages[0].terminal[s]:
                only = [FiniteMDP(m.P, np.where(m.feasible, 0.0, m.r), 1.0, terminal=m.terminal) for m in stages]
                last = [expected(only, policy, mu, np.eye(len(final))[s]) for policy in (choose, copy)]
                assert last[0] == pytest.approx(last[1], abs=1e-12)
        np.testing.assert_allclose(finite_horizon.marginals(stages, choose, mu=mu), d, atol=1e-12)
        pi = finite_horizon.markov_policy(stages, d)
        np.testing.assert_allclose(finite_horizon.marginals(stages, pi, mu=mu), d, atol=1e-12)


@pytest.mark.claim("thm-markov-marginals", "dropped")
def test_the_law_of_two_times_together_is_not_copied():
    stages, _, mu = evening()
    prudent = guest(0, 1)
    copy = copy_of(stages, occupation(stages, prudent, mu))

    def both(choose):  # rich at first, and gambling later
        return sum(p * choose(h)[1] for h, p in histories(stages, choose, mu) if h[0] == 0 and h[-1] == 2)

    assert both(prudent) == 0.0
    assert both(copy) == 0.25


def corridor():
    """A sign, then a junction whose treat is where the sign said; the two junctions look alike."""
    moves = [[0, 0, 1, 0], [0, 0, 0, 1], [0, 0, 1, 0], [0, 0, 0, 1]]
    return [FiniteMDP(moves + moves, [[0, 0], [0, 0], [1, 0], [0, 1]], 1.0)] * 2, np.array([0.5, 0.5, 0, 0])


@pytest.mark.claim("thm-markov-marginals", "dropped")
@pytest.mark.claim("cor-markov-enough", "dropped")
def test_what_is_seen_need_not_be_a_state():
    """The same marginals of what is seen and done, and half the reward: the process of what is seen isn't Markov."""
    stages, mu = corridor()
    seen, final = np.array([0, 1, 2, 2]), np.zeros(4)
    with_memory = lambda h: np.eye(2)[h[0]] if len(h) > 1 else [1.0, 0.0]  # noqa: E731
    no_memory = lambda h: [0.5, 0.5] if seen[h[-1]] == 2 else [1.0, 0.0]  # noqa: E731
    merged = []
    for policy in (with_memory, no_memory):
        d = np.zeros((2, 3, 2))
        np.add.at(d, (slice(None), seen), occupation(stages, policy, mu))
        merged.append(d)
    np.testing.assert_array_equal(*merged)
    assert expected(stages, with_memory, mu, final) == 1.0
    for x in np.linspace(0, 1, 11):
        blind = np.where(seen[:, None] == 2, [1 - x, x], [1.0, 0.0])
        assert expected(stages, markov(np.stack([blind] * 2)), mu, final) == pytest.approx(0.5)


@pytest.mark.claim("cor-markov-enough", "random")
def test_the_copy_earns_as_much():
    for stages, final, mu, rng in tiny(2):
        choose = memory(stages, rng)
        copy = copy_of(stages, occupation(stages, choose, mu))
        value = expected(stages, choose, mu, final)
        assert expected(stages, copy, mu, final) == pytest.approx(value, abs=1e-12)


@pytest.mark.claim("cor-markov-enough", "dropped")
def test_variance_and_targets_depend_on_more_than_marginals():
    stages, final, mu = evening()
    policies = [guest(0, 1), guest(1, 0), guest(0.5, 0.5)]
    marginals = [occupation(stages, policy, mu) for policy in policies]
    np.testing.assert_allclose(marginals[1], marginals[0])
    np.testing.assert_allclose(marginals[2], marginals[0])
    assert [expected(stages, policy, mu, final) for policy in policies] == [2.25] * 3
    squares = [expected(stages, policy, mu, final, lambda y: (y - 2.25) ** 2) for policy in policies]
    assert squares == [1.6875, 2.6875, 2.1875]
    assert [expected(stages, policy, mu, final, lambda y: y >= 3) for policy in policies] == [0.75, 0.25, 0.5]
    for x in np.linspace(0, 1, 21):  # every Markov policy
        assert expected(stages, guest(x, x), mu, final, lambda y: y >= 3) == pytest.approx(0.5)


# ---------------------------------------------------------------------- evaluation and optimality


@pytest.mark.claim("prop-backward-evaluation", "random")
def test_the_recursion_gives_the_values():
    for stages, final, mu, rng in tiny(3):
        S = stages[0].S
        weights = np.array([rng.dirichlet([1, 1], size=S) * m.feasible + 1e-9 * np.eye(2)[0] for m in stages])
        pi = weights / weights.sum(axis=2, keepdims=True)
        v = finite_horizon.evaluate(stages, pi, terminal_value=final)
        by_paths = [to_come(stages, markov(pi), (s,), final) for s in range(S)]
        np.testing.assert_allclose(v[0], by_paths, atol=1e-10)
        assert mu @ v[0] == pytest.approx(expected(stages, markov(pi), mu, final), abs=1e-10)
        for t in range(1, len(stages)):  # later values are those of the rest of the process
            rest = [to_come(stages[t:], markov(pi, t), (s,), final) for s in range(S)]
            np.testing.assert_allclose(v[t], rest, atol=1e-10)


@pytest.mark.claim("prop-backward-evaluation", "dropped")
def test_with_memory_a_state_has_no_value():
    stages, final, _ = evening()
    rich, poor = (to_come(stages, guest(0, 1), (s, 0, 2), final) for s in (0, 1))
    assert (rich, poor) == (1.0, 1.5)


@pytest.mark.claim("thm-finite-optimality", "random")
def test_backward_induction_is_the_best_of_all_policies_with_memory():
    for stages, final, mu, rng in tiny(4):
        plan, w = finite_horizon.backward_induction(stages, terminal_value=final), look_back(stages, final)[0]
        np.testing.assert_allclose(plan.v, w, atol=1e-12)
        for s in np.flatnonzero(~stages[0].terminal):
            assert w[0, s] == pytest.approx(optimum(stages, s, final), abs=1e-10)
            own = to_come(stages, markov(np.eye(2)[plan.pi]), (s,), final)
            assert own == pytest.approx(w[0, s], abs=1e-10)
        choose = memory(stages, rng)
        for h, _ in histories(stages, choose, mu):
            rest = to_come(stages[len(h) // 2 :], after(choose, h), h[-1:], final)
            assert rest <= w[len(h) // 2, h[-1]] + 1e-10


@pytest.mark.claim("thm-finite-optimality", "tight")
def test_any_choice_of_maximising_actions_attains_the_bound():
    """In a tie the choice may depend on the history, and on chance."""
    ties = 0
    for stages, final, mu, rng in tiny(5):
        w, q = look_back(stages, final)
        attains = q > w[:-1, :, None] - 1e-12
        coins = memory(stages, rng)

        def choose(h, attains=attains, coins=coins):
            weights = (np.array(coins(h)) + 0.1) * attains[len(h) // 2, h[-1]]
            return weights / weights.sum()

        ties += bool((attains.sum(axis=2) > 1)[:, ~stages[0].terminal].any())
        assert expected(stages, choose, mu, final) == pytest.approx(mu @ w[0], abs=1e-10)
    assert ties > 20


@pytest.mark.claim("thm-finite-optimality", "dropped")
def test_with_infinitely_many_actions_nothing_is_optimal():
    for n in (2, 10, 500):  # action k pays 1 - 1/k: each is beaten by the next
        mdp = FiniteMDP(np.ones((n, 1)), [1 - 1 / np.arange(1, n + 1)], 1.0)
        plan = finite_horizon.backward_induction(mdp, 1)
        assert plan.pi[0, 0] == n - 1
        assert plan.v[0, 0] < 1


@pytest.mark.claim("thm-finite-optimality", "dropped")
def test_a_policy_that_ignores_the_clock_is_not_enough():
    mdp = FiniteMDP(P=[[1, 0], [0, 1], [0, 1], [0, 1]], r=[[1.0, 3.0], [0.0, 0.0]], gamma=1.0)  # earn, or cash in
    best = finite_horizon.backward_induction(mdp, 4)
    assert best.pi[:, 0].tolist() == [0, 0, 0, 1]
    fixed = [to_come([mdp] * 4, lambda h, a=a: np.eye(2)[a], (0,), np.zeros(2)) for a in (0, 1)]
    assert best.v[0, 0] == 6.0 > max(fixed)


# ---------------------------------------------------------------------- losses and tails


@pytest.mark.claim("prop-loss-identity", "random")
def test_the_loss_is_the_sum_of_local_losses():
    for stages, final, mu, rng in tiny(6):
        w, q = look_back(stages, final)
        choose = memory(stages, rng)
        local = np.where(np.isfinite(q), w[:-1, :, None] - q, 0)
        discount = stages[0].gamma ** np.arange(len(stages))
        losses = (occupation(stages, choose, mu) * local).sum(axis=(1, 2))
        assert (local >= 0).all()
        gap = mu @ w[0] - expected(stages, choose, mu, final)
        assert discount @ losses == pytest.approx(gap, abs=1e-10)


CHOICE = FiniteMDP(P=[[1, 0], [0, 1], [0, 1], [0, 1]], r=[[1.0, 0.0], [0.0, -5.0]], gamma=1.0)
ONLY_NOW = FiniteMDP(P=[[1], [1]], r=[[1.0, 0.0]], gamma=0.0)


@pytest.mark.claim("prop-loss-identity", "dropped")
@pytest.mark.claim("cor-optimal-tails", "dropped")
def test_without_a_future_later_mistakes_cost_nothing():
    careless = lambda h: [1.0, 0.0] if len(h) == 1 else [0.0, 1.0]  # noqa: E731
    stages = [ONLY_NOW] * 2
    assert to_come(stages, careless, (0,), np.zeros(1)) == optimum(stages, 0, np.zeros(1)) == 1.0
    assert to_come(stages[1:], lambda h: [0.0, 1.0], (0,), np.zeros(1)) < optimum(stages[1:], 0, np.zeros(1))


@pytest.mark.claim("cor-optimal-tails", "random")
def test_after_every_history_that_happens_an_optimal_policy_stays_optimal():
    checked = 0
    for stages, final, _, _ in tiny(7):
        w = look_back(stages, final)[0]
        for s in np.flatnonzero(~stages[0].terminal):
            for choose in deterministic(stages, s):
                tails = [
                    (to_come(stages[len(h) // 2 :], after(choose, h), h[-1:], final), h)
                    for h, _ in histories(stages, choose, np.eye(stages[0].S)[s])
                ]
                optimal = [value >= w[len(h) // 2, h[-1]] - 1e-10 for value, h in tails]
                assert not optimal[0] or all(optimal)  # the first tail is the whole
                checked += optimal[0]
    assert checked >= 100


@pytest.mark.claim("cor-optimal-tails", "random")
def test_another_optimal_continuation_keeps_an_optimal_policy_optimal():
    changed = 0
    for stages, final, mu, rng in tiny(10):
        w, q = look_back(stages, final)
        lowest, highest = q.argmax(axis=2), 1 - q[:, :, ::-1].argmax(axis=2)  # both maximise; they differ in ties
        own, other = markov(np.eye(2)[lowest]), markov(np.eye(2)[highest])
        switch = {h for h, _ in histories(stages, own, mu) if rng.random() < 0.5}

        def choose(h, switch=switch, own=own, other=other):
            later = any(h[:n] in switch for n in range(1, len(h) + 1, 2))
            return other(h) if later else own(h)

        changed += any((choose(h) != own(h)).any() for h, _ in histories(stages, choose, mu))
        assert expected(stages, choose, mu, final) == pytest.approx(mu @ w[0], abs=1e-10)
    assert changed > 20


@pytest.mark.claim("cor-optimal-tails", "dropped")
def test_where_it_never_comes_an_optimal_policy_may_be_foolish():
    foolish = np.array([[0, 1]] * 3)
    v, best = finite_horizon.evaluate(CHOICE, foolish), look_back([CHOICE] * 3, np.zeros(2))[0]
    assert v[0, 0] == best[0, 0] == 3.0
    assert v[1, 1] == -10.0 < best[1, 1]


@pytest.mark.claim("cor-optimal-tails", "dropped")
def test_for_targets_the_best_continuation_depends_on_the_past():
    stages, final, _ = evening()
    u = lambda y: float(y >= 3)  # noqa: E731
    gambles = {}
    for first, money in ((0, 2.0), (1, 0.0)):
        home, gamble = (to_come(stages, guest(a, a), (first, 0, 2), final, u, money) for a in (0, 1))
        gambles[first] = bool(gamble > home)
    assert gambles == {0: False, 1: True}


# ---------------------------------------------------------------------- secretary


def hires_best(order, k):
    """Does the rule with threshold k hire the best (rank 0) of these candidates?"""
    for i in range(k - 1, len(order)):
        if order[i] == min(order[: i + 1]):
            return order[i] == 0
    return False


def formula(n, k):
    return 1 / n if k == 1 else (k - 1) / n * sum(1 / (i - 1) for i in range(k, n + 1))


@pytest.mark.claim("prop-secretary", "random")
def test_the_success_of_each_threshold_by_counting_orders():
    for n in range(2, 8):
        orders = list(permutations(range(n)))
        for k in range(1, n + 1):
            assert np.mean([hires_best(order, k) for order in orders]) == pytest.approx(formula(n, k))


@pytest.mark.claim("prop-secretary", "random")
def test_the_optimal_threshold():
    for n in range(2, 140):
        goes_on, hire = [0.0], []  # worth of having sent i away, for i = n, n - 1, ...
        for i in range(n, 0, -1):
            hire.insert(0, i / n >= goes_on[0] - 1e-12)
            goes_on.insert(0, max(i / n, goes_on[0]) / i + (1 - 1 / i) * goes_on[0])
        k = min(k for k in range(1, n + 1) if sum(1 / j for j in range(k, n)) <= 1 + 1e-12)
        assert hire == [i >= k for i in range(1, n + 1)]
        assert goes_on[0] == pytest.approx(formula(n, k)) == max(formula(n, j) for j in range(1, n + 1))
        assert n / np.e <= k < 2 + (n - 1) / np.e
    assert formula(20_000, 7358) == pytest.approx(np.exp(-1), abs=1e-4)


def best_of_all_rules(orders, i=1):
    """How many of these orders a rule can win that sees all ranks so far; their first i - 1 candidates look alike."""
    groups = {}
    for order in orders:
        groups.setdefault(sum(x < order[i - 1] for x in order[:i]), []).append(order)
    return sum(
        max(sum(o[i - 1] == 0 for o in same), best_of_all_rules(same, i + 1) if i < len(same[0]) else 0)
        for same in groups.values()
    )


@pytest.mark.claim("prop-secretary", "random")
def test_no_rule_that_sees_all_ranks_does_better_than_a_threshold():
    for n in range(2, 8):
        orders = list(permutations(range(n)))
        best = max(formula(n, k) for k in range(1, n + 1))
        assert best_of_all_rules(orders) / len(orders) == pytest.approx(best)


@pytest.mark.claim("prop-secretary", "dropped")
def test_in_an_order_that_is_not_random_the_rule_fails():
    worst_first = list(range(9, -1, -1))
    assert not any(hires_best(worst_first, k) for k in range(1, 10))
    assert hires_best(worst_first, 10)


# ---------------------------------------------------------------------- rolling horizon


def stationary_value(mdp, pi):
    rows = mdp.P.reshape(mdp.A, mdp.S, mdp.S)[pi, np.arange(mdp.S)]
    return np.linalg.solve(np.eye(mdp.S) - mdp.gamma * rows, mdp.r[np.arange(mdp.S), pi])


@pytest.mark.claim("cor-rolling-horizon", "random")
def test_the_rolling_horizon_loses_no_more_than_the_bound():
    for mdp, rng in instances(8):
        best, g, H = discounted.policy_iteration(mdp).v, random_values(mdp, rng), int(rng.integers(1, 6))
        first = finite_horizon.backward_induction(mdp, H, terminal_value=g).pi[0]
        loss = np.abs(best - stationary_value(mdp, first)).max()
        scale = np.abs(g - best).max()
        assert loss <= 2 * mdp.gamma**H / (1 - mdp.gamma) * scale + 1e-8 * (1 + np.abs(best).max())


@pytest.mark.claim("cor-rolling-horizon", "tight")
@pytest.mark.parametrize("gamma", [0.3, 0.9])
def test_one_step_ahead_attains_the_bound(gamma):
    mdp, g = worlds.greedy_loss_example(gamma, epsilon=0.5)
    first = finite_horizon.backward_induction(mdp, 1, terminal_value=g).pi[0]
    assert np.abs(stationary_value(mdp, first)).max() == pytest.approx(2 * gamma / (1 - gamma) * 0.5)


@pytest.mark.claim("cor-rolling-horizon", "tight")
@pytest.mark.parametrize("H", [1, 2, 5])
def test_a_chain_attains_the_bound_for_every_horizon(H):
    """State 0 stays at a cost, or moves on along a chain 0, 1, ..., H of rewards 0; H - 1 looks better than it is."""
    gamma, epsilon = 0.8, 0.5
    p, r = np.zeros((H + 1, 2, H + 1)), np.zeros((H + 1, 2))
    p[:, 0, 0] = 1
    p[np.arange(H + 1), 1, np.minimum(np.arange(H + 1) + 1, H)] = 1
    r[0, 0], r[1:, 0] = -2 * gamma**H * epsilon, -np.inf
    mdp, g = FiniteMDP.from_arrays(p, r, gamma), np.full(H + 1, -epsilon)
    g[H - 1] = epsilon
    first = finite_horizon.backward_induction(mdp, H, terminal_value=g).pi[0]
    assert first[0] == 0
    assert -stationary_value(mdp, first)[0] == pytest.approx(2 * gamma**H / (1 - gamma) * epsilon)


@pytest.mark.claim("cor-rolling-horizon", "dropped")
def test_without_discounting_the_planner_puts_it_off_for_ever():
    """State 0: wait, or do it for a reward of 1. Every plan is worth 1, and its first action is to wait."""
    task = FiniteMDP([[1, 0], [0, 0], [0, 1], [0, 0]], [[0, 1], [0, 0]], 1.0, terminal=[False, True])
    for H in (2, 5, 50):
        plan = finite_horizon.backward_induction(task, H)
        assert plan.v[0, 0] == 1.0
        assert plan.pi[0, 0] == 0


# ---------------------------------------------------------------------- money as part of the state


def with_money(stages, final, u, s, y=0.0, t=0, discount=1.0):
    """The recursion of the chapter for w_t(s, y)."""
    mdp = stages[min(t, len(stages) - 1)]
    if mdp.terminal[s]:
        return u(y)
    if t == len(stages):
        return u(y + discount * final[s])
    return max(
        sum(
            p * with_money(stages, final, u, s_next, y + discount * mdp.r[s, a], t + 1, discount * mdp.gamma)
            for s_next, p in branches(mdp, s, a)
        )
        for a in np.flatnonzero(mdp.feasible[s])
    )


@pytest.mark.claim("prop-utility-state", "random")
def test_with_money_in_the_state_memory_is_worth_nothing():
    for stages, final, _, rng in tiny(9):
        target, slope = rng.integers(-2, 4), rng.normal()
        for u in (lambda y, c=target: float(y >= c), lambda y, b=slope: b * y - y * y):
            for s in np.flatnonzero(~stages[0].terminal):
                best = optimum(stages, s, final, u)
                assert with_money(stages, final, u, s) == pytest.approx(best, abs=1e-10)


@pytest.mark.claim("prop-utility-state", "dropped")
def test_without_money_in_the_state_a_target_is_missed():
    stages, final, mu = evening()
    u = lambda y: float(y >= 3)  # noqa: E731
    assert sum(mu[s] * with_money(stages, final, u, s) for s in (0, 1)) == 0.75
    assert max(expected(stages, guest(x, x), mu, final, u) for x in np.linspace(0, 1, 21)) == pytest.approx(0.5)
