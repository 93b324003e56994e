"""Each statement of the chapter on planning by sampling, on random instances, where it is tight, and where it breaks.

Nothing here trusts the planners: optimal values come from enumerating deterministic policies, tails from exact
binomial laws, bandits are simulated below, and the trap is walked by a simulation of its own.
"""

from dataclasses import replace
from itertools import pairwise
from math import ceil, e, exp, inf, log, sqrt

import numpy as np
import pytest
from scipy.special import zeta
from scipy.stats import binom

from rlcore import FiniteMDP
from rlcore.planning import tree_search as ts
from tests.instances import instances, random_policy
from tests.planning.test_discounted_claims import optimum, slack, value

NEVER_TIGHT = {
    "thm-sparse-policy": "its constants pass through several inequalities that are not tight together",
    "thm-ucb": "the bound adds a tail that is never attained",
    "cor-node": "its bounds are those of thm-ucb, which are never attained; its equation is checked",
    "prop-rollout": "two inequalities that are not tight together",
}
NOTHING_TO_DROP = {
    "prop-sparse-cost": "it holds for every model with finitely many actions",
}


def generative(mdp):
    """A model of a process that draws by its own means."""
    P = np.asarray(mdp.P).reshape(mdp.A, mdp.S, mdp.S)

    def step(s, a, rng):
        s_next = int(rng.choice(mdp.S, p=P[a, s]))
        return s_next, float(mdp.r[s, a]), 0.0 if mdp.terminal[s_next] else mdp.gamma

    scale = float(np.abs(mdp.r[mdp.feasible]).max())
    return ts.GenerativeModel(
        step, lambda s: np.flatnonzero(mdp.feasible[s]).tolist(), mdp.A, r_max=scale, gamma=mdp.gamma
    )


def q_of(mdp, v):
    P = np.asarray(mdp.P).reshape(mdp.A, mdp.S, mdp.S)
    return mdp.r + mdp.gamma * np.einsum("ast,t->sa", P, v)


# ---------------------------------------------------------------------- Hoeffding's inequality


@pytest.mark.claim("lem-hoeffding", "random")
def test_exact_binomial_tails_are_below_the_bound():
    rng = np.random.default_rng(0)
    for _ in range(300):
        n, p, x, w = int(rng.integers(1, 200)), rng.random(), rng.uniform(0.01, 0.6), 10 ** rng.uniform(-1, 1)
        above = binom.sf(ceil(n * (p + x) - 1e-9) - 1, n, p)  # mean of variables in {0, w} at least w (p + x)
        below = binom.cdf(np.floor(n * (p - x) + 1e-9), n, p)
        bound = exp(-2 * n * (w * x) ** 2 / w**2)
        assert max(above, below) <= bound * (1 + 1e-9)
        assert above + below <= 2 * bound * (1 + 1e-9)


@pytest.mark.claim("lem-hoeffding", "tight")
def test_fair_coins_attain_the_exponent():
    """With x small and n x^2 large, -log P / (2 n x^2) tends to 1."""
    rates = [-binom.logsf(ceil(n * (0.5 + x)) - 1, n, 0.5) / (2 * n * x**2) for n, x in ((10**4, 0.1), (360_000, 0.03))]
    assert 1 <= rates[1] < rates[0] < 1.05
    assert rates[1] < 1.01


@pytest.mark.claim("lem-hoeffding", "dropped")
def test_copies_of_one_coin_and_unbounded_variables_break_the_bound():
    n, x = 100, 0.4
    assert exp(-2 * n * x**2) < 0.5, "all equal: P(mean - 1/2 >= 0.4) = 1/2"
    size, p = 1e4, 1e-4  # size with probability p, mean 1, taken to lie in an interval of length 1
    assert 1 - (1 - p) ** n > exp(-2 * n * (size / n - 1) ** 2)


# ---------------------------------------------------------------------- sparse sampling


@pytest.mark.claim("prop-sparse-cost", "random")
def test_calls_never_exceed_the_geometric_sum():
    for mdp, rng in instances(1, n=120):
        H, C = int(rng.integers(1, 4)), int(rng.integers(1, 4))
        s = int(np.flatnonzero(~mdp.terminal)[0])
        look = ts.sparse_sampling(generative(mdp), s, horizon=H, width=C, rng=rng)
        assert mdp.feasible[s].sum() * C <= look.calls <= sum((mdp.A * C) ** h for h in range(1, H + 1))


@pytest.mark.claim("prop-sparse-cost", "tight")
def test_without_an_end_the_sum_is_attained_for_any_number_of_states():
    for S in (1, 3, 50):
        p = np.random.default_rng(S).dirichlet(np.ones(S), size=(S, 2))
        model = generative(FiniteMDP.from_arrays(p, np.zeros((S, 2)), 0.9))
        for H, C in ((1, 5), (2, 3), (3, 2)):
            look = ts.sparse_sampling(model, 0, horizon=H, width=C, rng=0)
            assert look.calls == sum((2 * C) ** h for h in range(1, H + 1))


def promise(mdp, H, C, accuracy):
    """delta and the error bound of thm-sparse-accuracy, from its formulas."""
    v_max = np.abs(mdp.r[mdp.feasible]).max() / (1 - mdp.gamma)
    N = mdp.A * sum((mdp.A * C) ** h for h in range(H))
    delta = 2 * N * exp(-C * accuracy**2 / (2 * v_max**2))
    return delta, accuracy / (1 - mdp.gamma) + mdp.gamma**H * v_max


def noisy(mdp):
    """The same process with rewards of either r_max or -r_max, as chance has it, with the same means."""
    model = generative(mdp)

    def step(s, a, rng):
        s_next, r, discount = model.step(s, a, rng)
        return s_next, model.r_max if rng.random() * 2 * model.r_max < r + model.r_max else -model.r_max, discount

    return replace(model, step=step)


@pytest.mark.claim("thm-sparse-accuracy", "random")
def test_errors_exceed_the_bound_less_often_than_delta():
    """On 120 processes with little discounting ahead and random rewards, with the accuracy for which delta = 1/10.

    The bound is less than the largest possible error, 2 v_max; at most some 12 failures are allowed.
    """
    failures, near = 0, 0.0
    for base, rng in instances(2, n=120, gamma=0.9):
        mdp, H = replace(base, gamma=rng.uniform(0, 0.35)), int(rng.integers(1, 3))
        C = 60 if H == 1 else 20
        v_max = np.abs(mdp.r[mdp.feasible]).max() / (1 - mdp.gamma)
        N = mdp.A * sum((mdp.A * C) ** h for h in range(H))
        accuracy = v_max * sqrt(2 * log(20 * N) / C)
        delta, bound = promise(mdp, H, C, accuracy)
        assert delta == pytest.approx(0.1)
        assert bound < 2 * v_max
        model = noisy(mdp)
        assert ts.sparse_failure(model, horizon=H, width=C, accuracy=accuracy) == pytest.approx(delta)
        s = int(np.flatnonzero(~mdp.terminal)[0])
        look = ts.sparse_sampling(model, s, horizon=H, width=C, rng=rng)
        exact = q_of(mdp, optimum(mdp))[s]
        known = mdp.feasible[s]
        error = np.abs(look.q[known] - exact[known]).max()
        failures += error > bound + slack(exact[known])
        near = max(near, error / bound)
    assert failures <= 25
    assert near > 0.2, "the errors are of the bound's order"


@pytest.mark.claim("thm-sparse-accuracy", "random")
def test_single_means_are_off_as_seldom_as_promised():
    """H = 1 and gamma = 0: the mean of C rewards +-1, where the promise is not empty."""
    rng, C, accuracy = np.random.default_rng(3), 60, 0.3
    model = ts.GenerativeModel(
        lambda s, a, rng: (0, 1.0 if rng.random() < 0.5 else -1.0, 0.0), lambda s: [0], 1, r_max=1.0, gamma=0.0
    )
    delta = ts.sparse_failure(model, horizon=1, width=C, accuracy=accuracy)
    off = [abs(ts.sparse_sampling(model, 0, horizon=1, width=C, rng=rng).value) > accuracy for _ in range(1500)]
    assert 0 < np.mean(off) <= delta < 0.2


@pytest.mark.claim("thm-sparse-accuracy", "tight")
def test_the_part_beyond_the_horizon_is_attained():
    """One state that pays r_max for ever, no chance: the error is gamma^H v_max, and accuracy may be 0 in the limit."""
    mdp = FiniteMDP.from_arrays(np.ones((1, 1, 1)), [[2.0]], 0.8)
    for H in range(1, 8):
        look = ts.sparse_sampling(generative(mdp), 0, horizon=H, width=2, rng=0)
        _, bound = promise(mdp, H, 2, 0.0)
        assert abs(look.value - 10.0) == pytest.approx(bound)


@pytest.mark.claim("thm-sparse-accuracy", "dropped")
def test_rewards_beyond_r_max_break_the_bound():
    """A reward of 50 with probability 1/50: told that rewards are at most 1, the promise fails almost surely."""
    told = ts.GenerativeModel(
        lambda s, a, rng: (0, 50.0 if rng.random() < 0.02 else 0.0, 0.0), lambda s: [0], 1, r_max=1.0, gamma=0.0
    )
    rng, C, accuracy = np.random.default_rng(4), 10, 0.99
    delta = ts.sparse_failure(told, horizon=1, width=C, accuracy=accuracy)
    off = [abs(ts.sparse_sampling(told, 0, horizon=1, width=C, rng=rng).value - 1) > accuracy for _ in range(200)]
    assert delta < 0.1 < 0.9 < np.mean(off)


def constants(gamma, r_max, A, epsilon):
    """H and C of thm-sparse-policy, straight from the statement, H as small as it allows."""
    v_max, lam = r_max / (1 - gamma), epsilon * (1 - gamma) ** 2 / 8
    delta, H = min(1.0, epsilon * (1 - gamma) / (4 * v_max)), 1
    while gamma**H * v_max > epsilon * (1 - gamma) / 8:
        H += 1
    kappa = 2 * v_max**2 / lam**2
    alpha, beta = kappa * (log(4 / delta) + H * log(A)), kappa * (H - 1)
    C = max(2.0, 2 * alpha + (2 * beta * (log(2 * beta) - 1) if beta > 0 else 0.0))
    return H, C, lam, delta, v_max


@pytest.mark.claim("thm-sparse-policy", "random")
def test_the_constants_make_the_failure_and_the_loss_small_enough():
    rng = np.random.default_rng(5)
    for _ in range(300):
        gamma, r_max, A = rng.choice([0.0, rng.uniform(0.05, 0.98)]), 10 ** rng.uniform(-1, 1), int(rng.integers(1, 9))
        epsilon = 10 ** rng.uniform(-2, 0.5) * r_max / (1 - gamma)
        H, C, lam, delta, v_max = constants(gamma, r_max, A, epsilon)
        log_pairs = log(A) + log(sum((A * C) ** (h - H + 1.0) for h in range(H))) + (H - 1) * log(A * C)
        assert log(2) + log_pairs - C * lam**2 / (2 * v_max**2) <= log(delta) + 1e-9
        error = lam / (1 - gamma) + gamma**H * v_max
        if delta < 1:
            assert (2 * error + 2 * delta * v_max) / (1 - gamma) <= epsilon * (1 + 1e-9)
        else:
            assert epsilon >= 2 * v_max
        model = ts.GenerativeModel(lambda s, a, rng: (0, 0.0, 0.0), lambda s: [0], A, r_max=r_max, gamma=gamma)
        horizon, width = ts.sparse_parameters(model, epsilon)
        assert horizon == H
        assert width == pytest.approx(ceil(C), rel=1e-9)


def chosen_first(p, n):
    """The probability that action 0 has the larger mean of n coins, or as large a one; p (2,) heads. No sampling."""
    k = np.arange(n + 1)
    return float(binom.pmf(k, n, p[0]) @ binom.cdf(k, n, p[1]))


@pytest.mark.claim("thm-sparse-policy", "random")
def test_acting_by_a_sparse_tree_loses_less_than_epsilon():
    """200 one-step problems with rewards +-1, where the law of the choice is binomial: the exact loss.

    And the planner chooses by this law, checked with few samples, where both choices are probable.
    """
    rng, most, chosen, expected = np.random.default_rng(6), 0.0, 0, 0.0
    for _ in range(200):
        heads, epsilon = rng.random(2), rng.uniform(0.1, 1.9)
        H, C, *_ = constants(0.0, 1.0, 2, epsilon)
        assert H == 1
        first = chosen_first(heads, ceil(C))
        loss = (2 * heads.max() - 1) - (first * (2 * heads[0] - 1) + (1 - first) * (2 * heads[1] - 1))
        assert -1e-9 <= loss <= epsilon
        most = max(most, loss)
        model = ts.GenerativeModel(
            lambda s, a, rng, p=heads: (0, 1.0 if rng.random() < p[a] else -1.0, 0.0), lambda s: [0, 1], 2
        )
        chosen += ts.sparse_sampling(model, 0, horizon=1, width=4, rng=rng).action == 0
        expected += chosen_first(heads, 4)
    assert most > 1e-4, "the planner does err"
    assert abs(chosen - expected) < 4 * sqrt(200 / 4)


@pytest.mark.claim("thm-sparse-policy", "dropped")
def test_with_a_wrong_scale_of_rewards_the_loss_exceeds_epsilon():
    """Action 0 pays 1, but -1e6 with probability 1e-4; action 1 pays 0. Told that |R| <= 1, the planner prefers 0."""
    rng = np.random.default_rng(7)
    told = ts.GenerativeModel(
        lambda s, a, rng: (0, (-1e6 if rng.random() < 1e-4 else 1.0) if a == 0 else 0.0, 0.0),
        lambda s: [0, 1],
        2,
        r_max=1.0,
        gamma=0.0,
    )
    H, C = ts.sparse_parameters(told, 1.5)
    chosen = [ts.sparse_sampling(told, 0, horizon=H, width=C, rng=rng).action for _ in range(20)]
    mean = (1 - 1e-4) * 1.0 - 1e-4 * 1e6  # of action 0
    loss = np.mean([-mean if a == 0 else 0.0 for a in chosen])
    assert loss > 1.5


# ---------------------------------------------------------------------- acting on noisy values


def noisy_policy(q, known, eta, delta):
    """In each state: with probability 1 - delta the worst action within eta of the best, otherwise the worst."""
    pi = np.zeros(q.shape)
    for s in range(len(q)):
        actions = np.flatnonzero(known[s])
        values = q[s, actions]
        near = actions[values >= values.max() - eta]
        pi[s, near[q[s, near].argmin()]] += 1 - delta
        pi[s, actions[values.argmin()]] += delta
    return pi


@pytest.mark.claim("lem-noisy-choice", "random")
def test_noisy_choices_cost_what_the_lemma_says():
    """With v = v* and with v = v^pi of a random policy."""
    for mdp, rng in instances(8, n=150):
        for v in (optimum(mdp), value(mdp, random_policy(mdp, rng))):
            q = q_of(mdp, v)
            spread = max(np.ptp(row[known]) for row, known in zip(q, mdp.feasible, strict=True))
            eta, delta = rng.random() * spread, rng.random()
            w = value(mdp, noisy_policy(q, mdp.feasible, eta, delta))
            assert (w >= v - (eta + delta * spread) / (1 - mdp.gamma) - slack(v, q[mdp.feasible])).all()
            noise = rng.uniform(-eta / 2, eta / 2, size=q.shape)
            best = np.where(mdp.feasible, q + noise, -inf).argmax(axis=1)
            assert (value(mdp, best) >= v - eta / (1 - mdp.gamma) - slack(v, q[mdp.feasible])).all()


@pytest.mark.claim("lem-noisy-choice", "tight")
def test_one_state_attains_the_cost_of_noise():
    """Three actions pay 0, -eta and -W: eta is lost without failures, and delta * W where eta = 0."""
    eta, W, gamma = 0.3, 2.0, 0.9
    mdp = FiniteMDP.from_arrays(np.ones((1, 3, 1)), [[0.0, -eta, -W]], gamma)
    assert -value(mdp, np.array([[0.0, 1.0, 0.0]]))[0] == pytest.approx(eta / (1 - gamma))
    for delta in (0.1, 0.6, 1.0):
        assert -value(mdp, np.array([[1 - delta, 0.0, delta]]))[0] == pytest.approx(delta * W / (1 - gamma))


@pytest.mark.claim("lem-noisy-choice", "dropped")
def test_where_v_is_not_below_Tv_the_greedy_policy_may_lose_everything():
    """v too large: v = 10 in a state where every action pays 0 and stays. The exact greedy policy has value 0."""
    mdp = FiniteMDP.from_arrays(np.ones((1, 2, 1)), [[0.0, 0.0]], 0.5)
    v, eta, delta = np.array([10.0]), 0.0, 0.0
    assert (q_of(mdp, v).max(axis=1) < v).all()
    assert (value(mdp, np.array([0])) < v - (eta + delta * 0.0) / (1 - 0.5)).all()


@pytest.mark.claim("prop-rollout", "random")
def test_the_rollout_policy_is_not_much_worse_than_the_policy():
    """Estimates within their bound up to delta, and the exact value of a drawn rollout policy."""
    failures = count = 0
    for mdp, rng in instances(9, n=110):
        pi, model, m, L = random_policy(mdp, rng), generative(mdp), 12, 8
        q = q_of(mdp, value(mdp, pi))
        v_max = model.r_max / (1 - mdp.gamma)
        lam = v_max * sqrt(2 * log(20 * mdp.A) / m)  # delta = 1/10
        bound = lam + mdp.gamma**L * v_max
        s = int(np.flatnonzero(~mdp.terminal)[0])
        follow = lambda state, rng, pi=pi: int(rng.choice(pi.shape[1], p=pi[state]))  # noqa: E731
        look = ts.rollouts(model, s, follow, runs=m, steps=L, rng=rng)
        known = mdp.feasible[s]
        failures += np.abs(look.q[known] - q[s, known]).max() > bound
        count += 1
        noise = np.where(mdp.feasible, q + rng.uniform(-bound, bound, size=q.shape), -inf)
        improved = value(mdp, noise.argmax(axis=1))
        assert (improved >= value(mdp, pi) - 2 * bound / (1 - mdp.gamma) - slack(q[mdp.feasible])).all()
    assert failures <= 0.1 * count + 4 * sqrt(0.09 * count)


@pytest.mark.claim("prop-rollout", "random")
def test_the_exact_law_of_rollouts_on_one_step_problems():
    """150 problems with rewards +-1: v of the rollout policy from binomial laws, for the best accuracy and others."""
    rng, tightest = np.random.default_rng(16), inf
    for _ in range(150):
        heads, pi, m = rng.random(2), rng.dirichlet((0.1, 0.1)), int(rng.integers(1, 400))
        first = chosen_first(heads, m)
        gain = (np.array([first, 1 - first]) - pi) @ (2 * heads - 1)  # v of the rollout policy - v^pi
        for lam in rng.uniform(0.02, 1, size=20):
            cost = 2 * lam + 2 * 2 * 2 * exp(-m * lam**2 / 2)
            assert gain >= -cost
            tightest = min(tightest, cost)
    assert tightest < 0.8, "the bound says something: nobody can lose more than 2"


@pytest.mark.claim("prop-rollout", "dropped")
def test_dependent_runs_keep_their_error():
    """All m runs share one coin: the mean is off by 1, with probability 1, however many there are."""
    coin = np.random.default_rng(10)
    m, off = 400, []
    for _ in range(50):
        shared = 1.0 if coin.random() < 0.5 else -1.0
        model = ts.GenerativeModel(lambda s, a, rng, x=shared: (0, x, 0.0), lambda s: [0], 1, r_max=1.0, gamma=0.0)
        off.append(abs(ts.rollouts(model, 0, runs=m, steps=1, rng=0).value))
    assert 2 * exp(-m * 0.5**2 / 2) < 1e-10
    assert min(off) > 0.5


# ---------------------------------------------------------------------- UCB


def play_ucb(draw, K, n, c):
    """Counts and total reward of UCB1, one play at a time; `draw(a)` is a reward."""
    plays, total = np.zeros(K, dtype=int), np.zeros(K)
    for t in range(1, n + 1):
        a = t - 1 if t <= K else int((total / plays + c * np.sqrt(log(t) / plays)).argmax())
        plays[a] += 1
        total[a] += draw(a)
    return plays, total.sum()


def ucb_bound(gap, n, c):
    return 4 * c**2 * log(n) / gap**2 + 1 + 2 * (zeta(2 * c**2 - 1) - 1)


@pytest.mark.claim("thm-ucb", "random")
def test_pulls_of_bad_arms_stay_below_the_bound_on_random_bandits():
    """100 bandits, 20 runs each; large gaps and small c make the bound bite."""
    rng, informative = np.random.default_rng(11), 0
    for _ in range(100):
        K, c, n = int(rng.integers(2, 4)), rng.uniform(1.05, 1.6), 400
        means = rng.random(K)
        means[0] = 0.02
        means[-1] = 0.98
        plays = ts.ucb1(means, steps=n, c=c, runs=20, rng=rng)
        for a in range(K - 1):
            gap = means.max() - means[a]
            mean, error = plays[:, a].mean(), plays[:, a].std() / sqrt(20)
            if gap > 0:
                assert mean <= ucb_bound(gap, n, c) + 4 * error
                informative += ucb_bound(gap, n, c) < n
    assert informative > 100


@pytest.mark.claim("thm-ucb", "random")
def test_the_vectorised_rule_is_the_rule():
    """Sure rewards: the vectorised rule and the one above make the same plays."""
    for means in ([0.0, 1.0], [1.0, 0.0, 1.0], [0.0, 0.0]):
        plays, _ = play_ucb(lambda a, m=means: m[a], len(means), 200, 1.2)
        assert ts.ucb1(means, steps=200, c=1.2)[0].tolist() == plays.tolist()


@pytest.mark.claim("thm-ucb", "dropped")
def test_without_a_bonus_or_without_independence_pulls_are_not_logarithmic():
    """c = 0: ten times the plays are ten times the pulls. And rewards that drift: the bound fails by a factor."""
    short, long = (ts.ucb1([0.5, 0.9], steps=n, c=0.0, runs=300, rng=12)[:, 0] for n in (400, 4000))
    assert long.max() == 3999
    assert 8 < long.mean() / short.mean() < 12
    paid = 0

    def drifting(a):  # arm 1 pays 0 a hundred times, and 1 ever after: in the long run it is the better one
        nonlocal paid
        paid += a
        return 0.5 if a == 0 else float(paid > 100)

    n = 4000
    plays, _ = play_ucb(drifting, 2, n, 1.05)
    assert plays[0] > 10 * ucb_bound(0.5, n, 1.05)


@pytest.mark.claim("cor-node", "random")
def test_the_average_at_a_node_is_biased_by_the_bad_pulls():
    """100 bandits: mean reward + (sum of gaps * pulls)/n is mu*, within errors, and the bias obeys the bound."""
    rng, z = np.random.default_rng(13), []
    for _ in range(100):
        means, n, runs = np.array([0.05, 0.5 * rng.random(), 0.95]), 150, 12
        averages, biases, wrong = [], [], []
        for stream in rng.spawn(runs):
            plays, total = play_ucb(lambda a, g=stream, m=means: float(g.random() < m[a]), 3, n, 1.2)
            averages.append(total / n)
            biases.append(((means.max() - means) * plays).sum() / n)
            wrong.append(plays.argmax() != 2)
        gaps = means.max() - means[:2]
        bounds = np.array([ucb_bound(gap, n, 1.2) for gap in gaps])
        assert np.mean(biases) <= (gaps * bounds).sum() / n
        assert np.mean(wrong) <= 3 / n * bounds.sum() + 1e-12
        difference = np.array(averages) + np.array(biases) - means.max()
        z.append(difference.mean() / (difference.std(ddof=1) / sqrt(runs)))
    assert abs(np.mean(z)) < 0.4, "the equation, up to chance"


@pytest.mark.claim("cor-node", "dropped")
def test_a_node_whose_child_still_learns_has_a_larger_bias():
    """The trap's root, as a bandit whose arms are worth 9/10 and 1: its bias exceeds the bound for constant arms."""
    D, n = 10, 20_000
    tree = ts.mcts(ts.generative(ts.trap_chain(D)), 0, budget=n, evaluate=lambda s, rng: 0.0, rng=0)
    assert 1 - tree.root_value > 0.1 > ucb_bound(1 / D, n, sqrt(2)) / D / n


# ---------------------------------------------------------------------- UCT, and the trap


@pytest.mark.slow
@pytest.mark.claim("thm-uct", "random")
def test_root_means_approach_the_optimum_and_bad_actions_become_rare():
    """100 processes, two steps: the median error falls with the budget, bad actions are tried as rarely as claimed."""
    errors = []
    for mdp, rng in instances(14, n=100, gamma=0.9):
        s = int(np.flatnonzero(~mdp.terminal)[0])
        v1 = np.where(mdp.terminal, 0.0, mdp.r.max(axis=1))
        q = q_of(mdp, v1)[s]
        scale = np.abs(mdp.r[mdp.feasible]).max()
        settings = dict(c=scale, max_depth=2, evaluate=lambda s, rng: 0.0, rng=rng)
        tree = ts.mcts(generative(mdp), s, budget=1500, **settings)
        returns = np.array([value for _, value in tree.history])
        errors.append([abs(returns[:n].mean() - q.max()) / scale for n in (15, 150, 1500)])
        gaps = (q.max() - q[mdp.feasible[s]]) / scale
        bad, tried = gaps > 0.3, tree.action_visits[0, mdp.feasible[s]]
        assert (tried[bad] <= 2 * log(1500) / gaps[bad] ** 2 + 3).all(), "twice the limit, c = scale"
    median = np.median(errors, axis=0)
    assert median[0] > 2 * median[1] > 4 * median[2]


@pytest.mark.claim("thm-uct", "tight")
def test_bad_actions_are_tried_as_often_as_the_limit_says():
    """Sure rewards 0 and 1 - gap: visits / ln n comes from below to c^2 / gap^2, within 12 % and nearer with time."""
    for c, gap in ((1.0, 1.0), (0.5, 0.5), (1.0, 0.5)):
        model = ts.GenerativeModel(lambda s, a, rng, g=gap: (a, 1.0 - g * a, 0.0), lambda s: [0, 1], 2)
        tree = ts.mcts(model, -1, budget=20_000, c=c, rng=0)
        tried = np.cumsum([tree.state[path[1]] for path, _ in tree.history])
        n = np.array([200, 20_000])
        ratio = tried[n - 1] / (np.log(n) * c**2 / gap**2)
        assert abs(ratio[1] - 1) < 0.12
        assert tried[-1] <= np.log(20_000) * c**2 / gap**2 + 1
        assert abs(ratio[1] - 1) < abs(ratio[0] - 1) + 0.1


@pytest.mark.claim("thm-uct", "dropped")
def test_without_exploration_a_better_action_may_never_be_tried_again():
    """c = 0: an action of mean 0.9 that failed at first, against a sure 0.5."""
    model = ts.GenerativeModel(
        lambda s, a, rng: (a, 0.5 if a == 0 else float(rng.random() < 0.9), 0.0), lambda s: [0, 1], 2
    )
    starved = [ts.mcts(model, -1, budget=500, c=0.0, rng=seed).action_visits[0, 1] for seed in range(60)]
    explored = [ts.mcts(model, -1, budget=500, c=1.0, rng=seed).action_visits[0, 1] for seed in range(10)]
    assert min(starved) == 1
    assert min(explored) > 250


def trap_bound(D, c):
    """x_0 of prop-trap."""
    xs = [1]
    for _ in range(D - 1):
        m, n = xs[-1], xs[-1] + 1
        while c * sqrt(log(n)) * (m**-0.5 - (n - m) ** -0.5) < 1 / D:
            n += 1
        xs.append(1 + n)
    return xs[::-1]


def walk_the_trap(D, c, rng, limit=20_000):
    """UCT on the chain with counters only: simulations until the end is reached."""
    visits, totals, known = np.zeros((D, 2)), np.zeros((D, 2)), 1
    for simulation in range(1, limit + 1):
        d, path, reward = 0, [], None
        while reward is None:
            n = visits[d]
            if n.all():
                score = totals[d] / n + c * np.sqrt(np.log(n.sum()) / n)
                a = int(score.argmax()) if score[0] != score[1] else int(rng.integers(2))
            else:
                a = int(rng.choice(np.flatnonzero(n == 0)))
            path.append((d, a))
            if a == 0:
                reward = (D - 1 - d) / D
            elif d == D - 1:
                return simulation
            elif d + 1 == known:
                known, reward = known + 1, 0.0
            else:
                d += 1
        for d, a in path:
            visits[d, a] += 1
            totals[d, a] += reward
    return inf


@pytest.mark.claim("prop-trap", "random")
def test_nobody_escapes_the_trap_earlier_than_the_bound():
    rng, finite = np.random.default_rng(15), 0
    for _ in range(120):
        D, c = int(rng.integers(2, 6)), rng.uniform(0.6, 2.5)
        xs = trap_bound(D, c)
        time = walk_the_trap(D, c, rng, limit=3000)
        assert time >= min(xs[0], 3000)
        finite += time < inf
        assert xs[0] >= 3 * 2 ** (D - 1) - 2
        assert all(x >= 1 + e ** (y / (c * D) ** 2) - 1e-9 for x, y in pairwise(xs))
    assert finite > 60


@pytest.mark.claim("prop-trap", "random")
def test_the_search_walks_like_the_counters():
    """The times of `mcts` and of the counters above have the same law: equal means, within their errors."""
    for D, c in ((3, sqrt(2)), (4, 2.0)):
        model, times = ts.generative(ts.trap_chain(D)), []
        for seed in range(120):
            trees = ts.grow(model, 0, c=c, evaluate=lambda s, rng: 0.0, rng=seed)
            found = next(tree for tree in trees if tree.history[-1][1] == 1.0)
            times.append(len(found.history))
        own = [walk_the_trap(D, c, np.random.default_rng(seed)) for seed in range(120)]
        error = sqrt((np.var(times) + np.var(own)) / 120)
        assert abs(np.mean(times) - np.mean(own)) < 4 * error


@pytest.mark.claim("prop-trap", "tight")
def test_at_depth_two_the_luckiest_run_attains_the_bound():
    for c in (0.8, 1.0, sqrt(2), 2.0):
        fastest = min(walk_the_trap(2, c, np.random.default_rng(seed)) for seed in range(40))
        assert fastest == trap_bound(2, c)[0]


@pytest.mark.claim("prop-trap", "dropped")
def test_leaf_evaluations_that_see_the_end_escape_before_the_bound():
    """With random rollouts in place of zeros, some run collects the last reward before simulation x_0."""
    model, earliest = ts.generative(ts.trap_chain(5)), inf
    for seed in range(10):
        trees = ts.grow(model, 0, c=sqrt(2), rng=seed)
        found = next(tree for tree in trees if tree.history[-1][1] == 1.0)
        earliest = min(earliest, len(found.history))
    assert earliest < trap_bound(5, sqrt(2))[0]
