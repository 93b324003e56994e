"""Each statement of the chapter on Markov chains, on random instances, where it is tight, and where it breaks.

Nothing here trusts the functions under test: what leads where comes from Boolean powers, invariant laws from a singular
value decomposition, probabilities and expected times from high powers of stopped chains.
"""

from itertools import product
from math import gcd

import numpy as np
import pytest

from tests.instances import chains

NEVER_TIGHT = {
    "thm-recurrence": "equations",
    "thm-class-properties": "equivalences",
    "prop-closed-classes": "an equivalence",
    "prop-walk": "equations",
    "prop-hitting": "equations",
    "thm-invariant-law": "equations",
    "cor-many-laws": "an equivalence",
    "prop-gth": "equations",
    "prop-gain": "an equation",
    "prop-gain-equation": "an equation",
    "thm-ergodic": "a limit",
    "thm-detailed-balance": "equations",
    "lem-positive-power": "an equivalence",
    "thm-convergence": "with S > 1 states it never is: thm-tv-contraction improves 1 - delta to 1 - S delta",
}
NOTHING_TO_DROP = {
    "thm-recurrence": "it holds for every countable chain",
    "prop-walk": "it covers every p",
    "cor-many-laws": "it holds for every finite chain",
    "lem-coupling": "it holds for every two laws",
}
MANY = 1 << 16
SIX = np.zeros((6, 6))  # a and b are transient, {c, d} and {e, f} closed, the latter of period 2
SIX[0, [0, 1, 4]] = 0.4, 0.3, 0.3
SIX[1, [0, 2]] = SIX[3, [2, 3]] = 0.5
SIX[2, 3] = SIX[4, 5] = SIX[5, 4] = 1.0
SWAP = np.array([[0.0, 1.0], [1.0, 0.0]])


# ---------------------------------------------------------------------- the same notions, by other means


def leads(P):
    """(S, S) bool: whether i leads to j in at least 0 steps."""
    return np.linalg.matrix_power(np.eye(len(P)) + (P > 0), len(P)) > 0


def groups(P):
    """The classes, as lists of states."""
    both = leads(P) & leads(P).T
    return [np.flatnonzero(row) for i, row in enumerate(both) if row.argmax() == i]


def closed_groups(P):
    return [g for g in groups(P) if np.delete(P[g], g, axis=1).sum() == 0]


def return_gcd(P, i):
    """The greatest common divisor of the return lengths up to 3 S^2."""
    edges, power, d = P > 0, P > 0, 0
    for n in range(1, 3 * len(P) ** 2):
        d, power = gcd(d, n) if power[i, i] else d, (power.astype(int) @ edges) > 0
    return d


def sums(P, n):
    """P^0 + ... + P^(n-1), and P^n."""
    S = len(P)
    block = np.block([[P, np.eye(S)], [np.zeros((S, S)), np.eye(S)]])
    power = np.linalg.matrix_power(block, n)
    return power[:S, S:], power[:S, :S]


def layers(P, i, count):
    """Probabilities from i to return at least 1, ..., count times: each return goes up a layer."""
    S = len(P)
    big = np.zeros(((count + 1) * S,) * 2)
    for k in range(count + 1):
        here, up = k * S, min(k + 1, count) * S
        for j in range(S):
            big[here : here + S, (up if j == i else here) + j] = P[:, j]
    at_end = np.linalg.matrix_power(big, MANY)[i].reshape(count + 1, S).sum(axis=1)
    return np.cumsum(at_end[::-1])[::-1][1:]


def law(P):
    """The invariant law of an irreducible chain: the singular vector of I - P, transposed, for 0."""
    _, values, rows = np.linalg.svd((np.eye(len(P)) - P).T)
    assert values[-1] < 1e-12 < values[-2] if len(P) > 1 else True
    return rows[-1] / rows[-1].sum()


def tv(mu, nu):
    return np.abs(mu - nu).sum() / 2


def d(P, n, nu=None):
    nu = law(P) if nu is None else nu
    return max(tv(row, nu) for row in np.linalg.matrix_power(P, n))


def kappa(P):
    return max(tv(p, q) for p, q in product(P, P))


def alpha(P):
    return P.min(axis=0).sum()


def walk_home(p, steps):
    """For a walk from 0: p^n(0, 0) for n = 0..steps, and P(T = n) for n = 1..steps."""
    visits, first = [1.0], []
    free, taboo = np.zeros((2, 2 * steps + 3))
    home = steps + 1
    free[home] = taboo[home] = 1.0
    for _ in range(steps):
        free = p * np.roll(free, 1) + (1 - p) * np.roll(free, -1)
        taboo = p * np.roll(taboo, 1) + (1 - p) * np.roll(taboo, -1)
        visits.append(free[home])
        first.append(taboo[home])
        taboo[home] = 0.0
    return np.array(visits), np.array(first)


# ---------------------------------------------------------------------- recurrence and classes


@pytest.mark.claim("thm-recurrence", "random")
def test_visits_are_geometric_and_their_sum_tells_recurrence():
    seen = set()
    for P, _ in chains(1):
        for i in range(len(P)):
            returns = layers(P, i, 3)
            f = returns[0]
            np.testing.assert_allclose(returns, f ** np.arange(1, 4), atol=1e-9)
            visits, longer = sums(P, MANY)[0][i, i], sums(P, 2 * MANY)[0][i, i]
            if f < 1 - 1e-9:
                assert visits == pytest.approx(1 / (1 - f), rel=1e-7) == longer
            else:
                assert longer > 1.9 * visits > 1000
            seen.add(bool(f < 1 - 1e-9))
    assert seen == {True, False}


@pytest.mark.claim("thm-class-properties", "random")
def test_recurrence_and_period_are_shared_in_a_class():
    seen = set()
    for P, _ in chains(2):
        for g in groups(P):
            recurrent = {bool(layers(P, i, 1)[0] > 1 - 1e-9) for i in g}
            periods = {return_gcd(P, i) for i in g}
            assert len(recurrent) == len(periods) == 1
            seen |= periods
            if recurrent == {True}:
                assert np.delete(P[g], g, axis=1).sum() == 0
                visits, longer = (sums(P, n)[0][np.ix_(g, g)] for n in (MANY, 2 * MANY))
                assert (longer > 1.9 * visits).all()
                assert visits.min() > 50
    assert seen >= {0, 1, 2, 3}


@pytest.mark.claim("thm-class-properties", "dropped")
def test_different_classes_may_differ_in_both():
    assert layers(SIX, 0, 1)[0] < 0.9
    assert layers(SIX, 4, 1)[0] == pytest.approx(1)
    assert (return_gcd(SIX, 0), return_gcd(SIX, 4)) == (1, 2)


@pytest.mark.claim("prop-closed-classes", "random")
def test_finite_classes_are_recurrent_if_and_only_if_closed_and_the_chain_ends_in_one():
    for P, _ in chains(3):
        closed = np.concatenate(closed_groups(P))
        assert closed.size
        for i in range(len(P)):
            assert (layers(P, i, 1)[0] > 1 - 1e-9) == (i in closed)
        np.testing.assert_allclose(np.linalg.matrix_power(P, MANY)[:, closed].sum(axis=1), 1, atol=1e-9)


@pytest.mark.claim("prop-closed-classes", "dropped")
def test_an_infinite_closed_class_may_be_transient():
    """The walk on all integers is irreducible, so its one class is closed; with a drift it is transient."""
    assert walk_home(0.7, 800)[1].sum() < 0.61


@pytest.mark.claim("prop-walk", "random")
def test_the_walk_comes_home_as_often_as_the_formula_says():
    rng = np.random.default_rng(4)
    for _ in range(100):
        p = rng.choice([rng.uniform(0.05, 0.35), rng.uniform(0.65, 0.95)])
        visits, first = walk_home(p, 500)
        assert visits.sum() == pytest.approx(1 / abs(2 * p - 1), rel=1e-6)
        assert first.sum() == pytest.approx(1 - abs(2 * p - 1), rel=1e-6)
    visits, first = walk_home(0.5, 1600)
    assert visits.sum() / visits[:401].sum() == pytest.approx(2, abs=0.05)  # grows like the root of n
    n = np.arange(1, 1601)
    assert (n * first).sum() / (n * first)[:400].sum() == pytest.approx(2, abs=0.05)
    assert 1 - first.sum() < 0.03


# ---------------------------------------------------------------------- hitting


@pytest.mark.claim("prop-hitting", "random")
def test_hitting_solves_its_systems_and_is_the_least_solution():
    infinite = 0
    for P, rng in chains(5):
        S = len(P)
        A = np.zeros(S, dtype=bool)
        A[rng.choice(S, size=rng.integers(1, 3), replace=False)] = True
        stopped = np.where(A[:, None], np.eye(S), P)
        h = np.linalg.matrix_power(stopped, MANY)[:, A].sum(axis=1)
        M = leads(P)[:, A].any(axis=1) & ~A
        block = np.eye(M.sum()) - P[np.ix_(M, M)]
        np.testing.assert_allclose(np.linalg.solve(block, P[np.ix_(M, A)].sum(axis=1)), h[M], atol=1e-9)
        sure = ~A & (h > 1 - 1e-9)
        infinite += (h < 1 - 1e-9).sum()
        times = sums(np.where(A, 0.0, stopped), MANY)[0][:, ~A].sum(axis=1)
        block = np.eye(sure.sum()) - P[np.ix_(sure, sure)]
        np.testing.assert_allclose(np.linalg.solve(block, np.ones(sure.sum())), times[sure], rtol=1e-7)
        assert (times[~A & ~sure] > 30).all()
        others = [np.isin(np.arange(S), g) for g in closed_groups(stopped) if not A[g].any()]
        for w in rng.normal(size=(5, len(others))):
            g = h + np.linalg.matrix_power(stopped, MANY) @ sum(
                (x * c for x, c in zip(w, others, strict=True)), np.zeros(S)
            )
            np.testing.assert_allclose(g[~A], (P @ g)[~A], atol=1e-8)
            assert (g < -1e-9).any() or (g >= h - 1e-9).all()
    assert infinite > 20


@pytest.mark.claim("prop-hitting", "dropped")
def test_without_the_zeros_the_equation_has_two_solutions():
    h = np.array([1 / 3, 2 / 3, 1, 1, 0, 0])
    for g in (h, np.ones(6)):
        np.testing.assert_allclose(SIX @ g, g)


# ---------------------------------------------------------------------- invariant laws


@pytest.mark.claim("thm-invariant-law", "random")
def test_the_one_law_is_given_by_return_times_and_by_visits_on_a_tour():
    for P, _ in chains(6, irreducible=True):
        S, nu = len(P), law(P)
        assert np.linalg.matrix_rank(np.eye(S) - P) == S - 1
        for i in range(S):
            taboo = P.copy()
            taboo[:, i] = 0.0
            tour = sums(taboo, MANY)[0][i]
            assert nu[i] == pytest.approx(1 / tour.sum(), rel=1e-8)
            np.testing.assert_allclose(tour, nu / nu[i], rtol=1e-8)


@pytest.mark.claim("thm-invariant-law", "dropped")
def test_a_reducible_chain_has_two_laws_and_return_times_give_none():
    P, inverses = np.eye(2), []
    assert np.linalg.matrix_rank(np.eye(2) - P) == 0  # every law is invariant
    for i in range(2):
        taboo = P.copy()
        taboo[:, i] = 0.0
        inverses.append(1 / sums(taboo, MANY)[0][i].sum())
    assert sum(inverses) == 2


@pytest.mark.claim("cor-many-laws", "random")
def test_there_are_as_many_extreme_laws_as_closed_classes():
    several = 0
    for P, _ in chains(7, 200):
        S, closed = len(P), closed_groups(P)
        _, values, rows = np.linalg.svd((np.eye(S) - P).T)
        null = rows[values < 1e-10]
        assert len(null) == len(closed)
        transient = np.setdiff1d(np.arange(S), np.concatenate(closed))
        np.testing.assert_allclose(null[:, transient], 0, atol=1e-9)
        for g in closed:
            whole = np.zeros(S)
            whole[g] = law(P[np.ix_(g, g)])
            np.testing.assert_allclose(whole @ P, whole, atol=1e-12)
        several += len(closed) > 1
    assert several > 20


@pytest.mark.claim("prop-gth", "random")
def test_the_chain_watched_elsewhere_has_the_same_law_there():
    for P, _ in chains(8, irreducible=True):
        k = len(P) - 1
        sigma = P[k, :k].sum()
        less = P[:k, :k] + np.outer(P[:k, k], P[k, :k]) / sigma
        np.testing.assert_allclose(less.sum(axis=1), 1)
        assert leads(less).all()
        short = law(less)
        whole = np.append(short, short @ P[:k, k] / sigma)
        np.testing.assert_allclose(whole / whole.sum(), law(P), rtol=1e-8)


@pytest.mark.claim("prop-gth", "dropped")
def test_an_absorbing_state_cannot_be_eliminated():
    P = np.array([[0.5, 0.5], [0.0, 1.0]])
    sigma = P[1, :1].sum()  # 0: the chain is never seen elsewhere again
    with np.errstate(invalid="ignore"):
        assert np.isnan(P[:1, :1] + P[:1, 1:] @ P[1:, :1] / sigma).all()


@pytest.mark.claim("prop-gain", "random")
def test_averages_over_time_settle_at_the_weighted_means():
    for P, rng in chains(9):
        r = rng.normal(size=len(P))
        average = sums(P, MANY)[0] @ r / MANY
        ends = np.linalg.matrix_power(P, MANY)
        g = sum(ends[:, c].sum(axis=1) * (law(P[np.ix_(c, c)]) @ r[c]) for c in closed_groups(P))
        np.testing.assert_allclose(average, g, atol=2e-3)


@pytest.mark.claim("prop-gain", "dropped")
def test_in_an_infinite_chain_averages_may_swing():
    """From i to i + 1 for sure, paid 1 while i is between 4^k and 2 * 4^k: no limit."""
    i = np.arange(1, 4**9)
    paid = np.log2(i).astype(int) % 2 == 0
    average = np.cumsum(paid) / i
    assert average[4**7 :].max() - average[4**7 :].min() > 0.3


def gain_equation(P):
    """The matrix of g + h - P h, in the unknowns g, h(1), h(2), ..."""
    return np.column_stack([np.ones(len(P)), (np.eye(len(P)) - P)[:, 1:]])


@pytest.mark.claim("prop-gain-equation", "random")
def test_with_one_closed_class_the_equation_of_the_gain_has_one_solution_and_otherwise_not():
    used = transient = periodic = 0
    for P, rng in chains(23, 250):
        S, closed = len(P), closed_groups(P)
        assert (np.linalg.matrix_rank(gain_equation(P), tol=1e-10) == S) == (len(closed) == 1)
        if len(closed) == 1:
            r = rng.normal(size=S)
            g = np.linalg.solve(gain_equation(P), r)[0]
            np.testing.assert_allclose(sums(P, MANY)[0] @ r / MANY, g, atol=2e-3)
            assert g == pytest.approx(law(P[np.ix_(closed[0], closed[0])]) @ r[closed[0]], abs=1e-9)
            used, transient = used + 1, transient + (len(closed[0]) < S)
            periodic += return_gcd(P, closed[0][0]) > 1
    assert used >= 100
    assert transient > 20
    assert periodic > 5


@pytest.mark.claim("prop-gain-equation", "dropped")
def test_with_two_closed_classes_the_equation_has_no_solution_or_many():
    for r, solvable in (([0, 0, 1, 1, 0, 0], False), (np.ones(6), True)):
        best, *_ = np.linalg.lstsq(gain_equation(SIX), r)
        assert np.allclose(gain_equation(SIX) @ best, r) == solvable
    h = np.array([1 / 3, 2 / 3, 1, 1, 0, 0]) - 1 / 3  # with g = 1, besides h = 0, for r = 1
    np.testing.assert_allclose(1 + h, 1 + SIX @ h)


@pytest.mark.claim("thm-ergodic", "random")
def test_one_long_run_has_the_invariant_mean():
    """2,000 steps each; the exact standard deviation of the average, and six of them."""
    n = 2000
    for P, rng in chains(10, irreducible=True):
        S, nu = len(P), law(P)
        r = rng.normal(size=S)
        levels, s, paid = np.cumsum(P, axis=1), 0, 0.0
        for u in rng.random(n):
            paid += r[s]
            s = min(int(np.searchsorted(levels[s], u, side="right")), S - 1)
        centred = r - nu @ r
        h = np.linalg.solve(np.eye(S) - P + np.outer(np.ones(S), nu), centred)  # the deviation matrix
        variance = nu @ (2 * centred * h - centred**2)
        bias = 2 * np.abs(h).max() / n
        assert abs(paid / n - nu @ r) <= 6 * np.sqrt(max(variance, 0) / n) + bias + 1e-9


@pytest.mark.claim("thm-ergodic", "dropped")
def test_in_a_reducible_chain_runs_have_different_averages():
    rng, shares = np.random.default_rng(0), set()
    for _ in range(40):
        s, count = 0, 0
        for _ in range(300):
            s = int(rng.choice(6, p=SIX[s]))
            count += s == 2
        shares.add(round(count / 300, 1))
    assert 0.0 in shares
    assert 0.3 in shares


# ---------------------------------------------------------------------- time reversed


def reversible(rng, *, aperiodic=True):
    """A random reversible chain, from symmetric weights, and its law."""
    S = int(rng.integers(2, 7))
    weight = np.triu(rng.exponential(size=(S, S)) * (rng.random((S, S)) < 0.6), 1 - aperiodic)
    weight[np.arange(S - 1), np.arange(1, S)] += 0.1
    weight[0, 0] += 0.05 * aperiodic
    weight = weight + weight.T
    return weight / weight.sum(axis=1, keepdims=True), weight.sum(axis=1) / weight.sum()


@pytest.mark.claim("thm-detailed-balance", "random")
def test_balance_gives_invariance_and_paths_have_their_probabilities_reversed():
    for rng in np.random.default_rng(11).spawn(120):
        P, nu = reversible(rng)
        np.testing.assert_allclose(nu @ P, nu)
    for P, rng in chains(12, irreducible=True):
        S, nu = len(P), law(P)
        back = P.T * nu / nu[:, None]
        np.testing.assert_allclose(back.sum(axis=1), 1)
        np.testing.assert_allclose(nu @ back, nu, atol=1e-12)
        path = rng.integers(S, size=4)
        there = nu[path[0]] * np.prod(P[path[:-1], path[1:]])
        again = nu[path[-1]] * np.prod(back[path[:0:-1], path[-2::-1]])
        assert there == pytest.approx(again, abs=1e-12)
        flow = nu[:, None] * P
        assert np.allclose(back, P) == np.allclose(flow, flow.T)
    for rng in np.random.default_rng(13).spawn(120):
        up, down = rng.uniform(0.05, 0.5, size=(2, int(rng.integers(1, 6))))
        P = np.diag(up, 1) + np.diag(down, -1)
        P += np.diag(1 - P.sum(axis=1))
        nu = law(P)
        np.testing.assert_allclose(nu[1:] / nu[:-1], up / down, rtol=1e-8)


@pytest.mark.claim("thm-detailed-balance", "dropped")
def test_a_walk_round_a_triangle_has_an_invariant_law_without_balance():
    turn = np.roll(np.eye(3), 1, axis=1)
    P, nu = 0.75 * turn + 0.25 * turn.T, np.full(3, 1 / 3)
    np.testing.assert_allclose(nu @ P, nu)
    assert nu[0] * P[0, 1] == pytest.approx(3 * nu[1] * P[1, 0])


# ---------------------------------------------------------------------- convergence


def two_laws(rng):
    S = int(rng.integers(2, 7))
    return rng.dirichlet(np.full(S, 0.5), size=2)


@pytest.mark.claim("lem-coupling", "random")
def test_total_variation_is_the_best_bet_and_below_every_coupling():
    for rng in np.random.default_rng(14).spawn(120):
        mu, nu = two_laws(rng)
        bets = [(mu - nu) @ np.array(A) for A in product((0, 1), repeat=len(mu))]
        assert max(bets) == pytest.approx(tv(mu, nu)) == 1 - np.minimum(mu, nu).sum()
        joint = rng.exponential(size=(len(mu),) * 2)
        for _ in range(300):  # scaled until it has the two laws
            joint *= (mu / joint.sum(axis=1))[:, None]
            joint *= nu / joint.sum(axis=0)
        for coupling in (joint, np.outer(mu, nu)):
            assert tv(mu, nu) <= 1 - np.trace(coupling) + 1e-6


@pytest.mark.claim("lem-coupling", "tight")
def test_a_coupling_that_agrees_where_it_can_attains_the_distance():
    for rng in np.random.default_rng(15).spawn(120):
        mu, nu = two_laws(rng)
        more, less = np.maximum(mu - nu, 0), np.maximum(nu - mu, 0)
        joint = np.diag(np.minimum(mu, nu)) + np.outer(more, less) / more.sum()
        np.testing.assert_allclose(joint.sum(axis=1), mu)
        np.testing.assert_allclose(joint.sum(axis=0), nu)
        assert 1 - np.trace(joint) == pytest.approx(tv(mu, nu))


def aperiodic(P):
    return leads(P).all() and return_gcd(P, 0) == 1


@pytest.mark.claim("lem-positive-power", "random")
def test_powers_become_positive_if_and_only_if_irreducible_and_aperiodic():
    seen = set()
    for P, _ in [*chains(16), *chains(17, irreducible=True)]:
        S = len(P)
        powers = [np.linalg.matrix_power(P, n) > 0 for n in range((S - 1) ** 2 + 1, 4 * S**2)]
        positive = [p.all() for p in powers]
        assert any(positive) == all(positive) == aperiodic(P)
        seen.add(aperiodic(P))
    assert seen == {True, False}


@pytest.mark.claim("lem-positive-power", "dropped")
def test_powers_of_a_periodic_chain_keep_their_zeros():
    for n in range(1, 50):
        assert not np.linalg.matrix_power(SWAP, n).all()


@pytest.mark.claim("thm-convergence", "random")
def test_distance_falls_as_the_least_entry_of_a_power_says():
    count = 0
    for P, _ in chains(18, 250, irreducible=True):
        if not aperiodic(P):
            continue
        nu, count = law(P), count + 1
        m = next(m for m in range(1, 100) if (np.linalg.matrix_power(P, m) > 0).all())
        delta = np.linalg.matrix_power(P, m).min()
        for n in (0, 1, m, 2 * m + 1, 7 * m):
            assert d(P, n, nu) <= (1 - delta) ** (n // m) + 1e-9
        assert d(P, MANY, nu) < 1e-8
    assert count >= 100


@pytest.mark.claim("thm-convergence", "dropped")
def test_periodic_and_reducible_chains_do_not_converge():
    half = np.array([0.5, 0.5])
    assert all(d(SWAP, n, half) == 0.5 for n in range(50))
    assert all(d(np.eye(2), n, half) == 0.5 for n in range(50))


@pytest.mark.claim("thm-tv-contraction", "random")
def test_a_step_contracts_and_a_contracting_power_gives_one_law_and_a_rate():
    used = 0
    for P, rng in chains(19, 200):
        S = len(P)
        Q = rng.dirichlet(np.ones(S), size=S)
        mu, nu = rng.dirichlet(np.full(S, 0.4), size=2)
        assert tv(mu @ P, nu @ P) <= kappa(P) * tv(mu, nu) + 1e-12
        assert kappa(P @ Q) <= kappa(P) * kappa(Q) + 1e-12
        assert kappa(P) <= 1 - alpha(P) + 1e-12
        m = next((m for m in range(1, 40) if kappa(np.linalg.matrix_power(P, m)) < 0.99), None)
        if m is None:
            continue
        used += 1
        (c,) = closed_groups(P)
        limit = np.zeros(S)
        limit[c] = law(P[np.ix_(c, c)])
        for n in (0, 1, m, 3 * m + 1):
            assert d(P, n, limit) <= kappa(np.linalg.matrix_power(P, m)) ** (n // m) + 1e-9
    assert used >= 100


@pytest.mark.claim("thm-tv-contraction", "tight")
def test_two_sure_starts_attain_the_factor_and_a_restart_attains_the_overlap():
    for P, _ in chains(20):
        S = len(P)
        worst = max(product(range(S), repeat=2), key=lambda pair: tv(P[pair[0]], P[pair[1]]))
        mu, nu = np.eye(S)[list(worst)]
        assert tv(mu @ P, nu @ P) == pytest.approx(kappa(P) * 1.0)
    for c in (0.1, 0.5, 0.9):
        restart = (1 - c) * np.eye(4) + c / 4
        assert kappa(restart) == pytest.approx(1 - c) == 1 - alpha(restart)
        two = np.array([[1 - c / 2, c / 2], [c / 2, 1 - c / 2]])
        assert kappa(two @ two) == pytest.approx(kappa(two) ** 2)


@pytest.mark.claim("thm-tv-contraction", "dropped")
def test_without_overlap_nothing_contracts_and_there_may_be_several_laws():
    for P in (SWAP, np.eye(2), SIX):
        for m in range(1, 65):
            assert kappa(np.linalg.matrix_power(P, m)) == pytest.approx(1)
    assert len(closed_groups(np.eye(2))) == 2


def other_modulus(P):
    """The largest modulus of the eigenvalues other than one at 1."""
    values = np.linalg.eigvals(P)
    return np.abs(np.delete(values, np.argmin(np.abs(values - 1)))).max()


@pytest.mark.claim("thm-spectral-mixing", "random")
def test_distance_and_mixing_time_lie_between_the_spectral_bounds():
    for rng in np.random.default_rng(21).spawn(120):
        P, nu = reversible(rng)
        lam = other_modulus(P)
        above = np.sqrt((1 - nu) / nu).max() / 2
        for n in (0, 1, 2, 5, 20):
            assert lam**n / 2 - 1e-9 <= d(P, n, nu) <= above * lam**n + 1e-9
        epsilon = rng.uniform(0.01, 0.4)
        mixing = next(n for n in range(100_000) if d(P, n, nu) <= epsilon)
        low = (1 / (1 - lam) - 1) * np.log(1 / (2 * epsilon))
        high = np.ceil(np.log(1 / (2 * epsilon * np.sqrt(nu.min()))) / (1 - lam))
        assert low - 1e-6 <= mixing <= high


@pytest.mark.claim("thm-spectral-mixing", "tight")
def test_two_symmetric_states_attain_both_bounds():
    for a in (0.1, 0.3, 0.8):
        P = np.array([[1 - a, a], [a, 1 - a]])
        for n in range(8):
            assert d(P, n) == pytest.approx(abs(1 - 2 * a) ** n / 2) == other_modulus(P) ** n / 2


@pytest.mark.claim("thm-spectral-mixing", "dropped")
def test_a_shift_register_has_no_other_eigenvalue_and_takes_four_steps():
    P = np.zeros((16, 16))
    for i, bit in product(range(16), (0, 1)):
        P[i, (2 * i + bit) % 16] = 0.5
    nu = np.full(16, 1 / 16)
    np.testing.assert_allclose(np.sort(np.abs(np.linalg.eigvals(np.linalg.matrix_power(P, 4))))[:-1], 0, atol=1e-12)
    assert [d(P, n, nu) for n in (1, 3, 4)] == [0.875, 0.5, 0.0]
