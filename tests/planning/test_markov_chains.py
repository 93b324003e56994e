"""Markov chains: against a second method, closed forms with their source, simulation, and what bad input is told."""

from fractions import Fraction
from math import comb, log

import numpy as np
import pytest
from scipy.sparse import csr_array

from rlcore import plot, worlds
from rlcore.planning import episodic
from rlcore.planning import markov_chains as mc
from tests.instances import chains, instances, random_policy
from tests.planning.test_markov_chains_claims import MANY, SIX, SWAP, closed_groups, groups, law, return_gcd, sums, tv


def birth_death(up, down):
    P = np.diag(up, 1) + np.diag(down, -1)
    return P + np.diag(1 - P.sum(axis=1))


def by_eigenvector(P):
    eigenvalues, vectors = np.linalg.eig(P.T)
    nu = vectors[:, np.argmin(np.abs(eigenvalues - 1))].real
    return nu / nu.sum()


def urns(N):
    i = np.arange(N + 1)
    return np.diag((N - i[:-1]) / N, 1) + np.diag(i[1:] / N, -1)


# ---------------------------------------------------------------------- classes


def test_classes_and_periods_agree_with_boolean_powers():
    for P, _ in chains(101, 200):
        found = mc.classes(P)
        closed = [g.tolist() for g in closed_groups(P)]
        assert [c.states.tolist() for c in found] == [g.tolist() for g in groups(P)]
        for c in found:
            assert c.recurrent == (c.states.tolist() in closed)
            assert c.period == return_gcd(P, c.states[0]) == mc.period(P, int(c.states[-1]))
        assert mc.is_irreducible(P) == (len(found) == 1)


def test_a_long_cycle_with_two_chords_has_the_common_divisor_as_its_period():
    P = np.roll(np.eye(12), 1, axis=1)
    P[5, 6], P[5, 2] = 0.5, 0.5  # a loop of 4
    assert mc.period(P) == 4
    P[8], P[8, [9, 3]] = 0, 0.5  # a loop of 6
    assert mc.period(P) == 2


# ---------------------------------------------------------------------- the invariant law


def test_law_by_elimination_is_the_law_by_eigenvector_and_by_simulation():
    """Shares of 4,000 runs within five standard errors: fails by chance less than once in 10^4."""
    for P, _ in chains(102, irreducible=True):
        np.testing.assert_allclose(mc.invariant_law(P), by_eigenvector(P), atol=1e-9)
    P, _ = mc.chain_of(worlds.machine_replacement(), (np.arange(10) >= 6).astype(int))
    nu, last = mc.invariant_law(P), mc.simulate(P, 0, 100, runs=4000, rng=3)[:, -1]
    share = np.bincount(last, minlength=10) / 4000
    assert (np.abs(share - nu) <= 5 * np.sqrt(nu * (1 - nu) / 4000)).all()


@pytest.mark.parametrize("link", [1e-9, 1e-13, 1e-17, 1e-300])
def test_elimination_keeps_its_digits_where_the_chain_nearly_falls_apart(link):
    """Grassmann, Taksar and Heyman (1985); the exact law is (3, 3, 1, 1)/8, by detailed balance."""
    P = birth_death([0.5, link, 0.5], [0.5, 3 * link, 0.5])
    exact = np.array([3, 3, 1, 1]) / 8
    np.testing.assert_allclose(mc.invariant_law(P), exact, rtol=1e-14)
    if link <= 1e-13:
        assert np.abs(by_eigenvector(P) / exact - 1).max() > 1e-6


def test_elimination_is_accurate_entry_by_entry_against_fractions():
    """Random chains in three blocks that are linked with 2^-50, solved exactly in rational numbers."""
    for rng in np.random.default_rng(103).spawn(20):
        block = np.arange(6) // 2
        weight = rng.integers(1, 20, size=(6, 6)).astype(float)
        weight = np.where(block[:, None] == block, weight, weight * 2.0**-50)
        off = weight / 256  # exact in binary, row sums below 1/2
        np.fill_diagonal(off, 0.0)
        P = off + np.diag(1 - off.sum(axis=1))
        exact = exact_law(off)
        np.testing.assert_allclose(mc.invariant_law(P), exact, rtol=1e-13)


def exact_law(off):
    """nu with nu_j * (sum of row j) = sum_i nu_i off[i, j], by Gauss in fractions, the last equation the sum."""
    S = len(off)
    a = [[Fraction(off[j, i]) for j in range(S)] for i in range(S)]
    for i in range(S):
        a[i][i] = -sum((Fraction(x) for x in off[i]), Fraction(0))
    a[-1] = [Fraction(1)] * S
    b = [Fraction(0)] * (S - 1) + [Fraction(1)]
    for k in range(S):
        pivot = next(i for i in range(k, S) if a[i][k])
        a[k], a[pivot], b[k], b[pivot] = a[pivot], a[k], b[pivot], b[k]
        for i in range(S):
            if i != k and a[i][k]:
                f = a[i][k] / a[k][k]
                a[i] = [x - f * y for x, y in zip(a[i], a[k], strict=True)]
                b[i] -= f * b[k]
    return [float(b[k] / a[k][k]) for k in range(S)]


def test_known_laws():
    """The urns of Ehrenfest: binomial; a queue: geometric (Kemeny and Snell, 1960); a doubly stochastic chain."""
    binomial = np.array([comb(30, i) for i in range(31)]) / 2.0**30
    np.testing.assert_allclose(mc.invariant_law(urns(30)), binomial, rtol=1e-12)
    queue = worlds.admission_control(40, arrival_rate=0.2, service_rate=1.0)
    P, _ = mc.chain_of(queue, (np.arange(41) == 40).astype(int))
    nu = mc.invariant_law(P)
    np.testing.assert_allclose(nu[1:] / nu[:-1], 0.2, rtol=1e-12)  # down to 1e-28
    np.testing.assert_allclose(mc.invariant_law((SWAP + np.eye(2)) / 2), 0.5)


def test_law_of_a_very_uneven_chain_neither_overflows_nor_loses_a_tail():
    nu = mc.invariant_law(birth_death(np.full(300, 0.9), np.full(300, 1e-2)))
    assert np.isfinite(nu).all()
    np.testing.assert_allclose(nu[-4:] / nu[-5:-1], 90, rtol=1e-12)


def test_transient_states_have_probability_zero_and_sparse_input_is_accepted():
    P = np.array([[0.5, 0.25, 0.25], [0, 0.5, 0.5], [0, 0.25, 0.75]])
    np.testing.assert_allclose(mc.invariant_law(P), [0, 1 / 3, 2 / 3])
    np.testing.assert_array_equal(mc.invariant_law(csr_array(P)), mc.invariant_law(P))
    np.testing.assert_allclose(mc.return_times(P), [np.inf, 3, 1.5])


# ---------------------------------------------------------------------- hitting, absorption, averages


def test_hitting_and_absorption_agree_with_powers_of_the_stopped_chain():
    for P, rng in chains(104):
        target = int(rng.integers(len(P)))
        stopped = P.copy()
        stopped[target] = np.eye(len(P))[target]
        h = np.linalg.matrix_power(stopped, MANY)[:, target]
        np.testing.assert_allclose(mc.hitting_probabilities(P, target), h, atol=1e-9)
        times = mc.hitting_times(P, [target])
        stopped[:, target] = 0.0
        expected = sums(stopped, MANY)[0].sum(axis=1)
        expected[target] = 0
        sure = h > 1 - 1e-9
        np.testing.assert_allclose(times[sure], expected[sure], rtol=1e-7)
        assert np.isinf(times[~sure]).all()
        ends = np.linalg.matrix_power(P, MANY)
        absorbed = np.stack([ends[:, g].sum(axis=1) for g in closed_groups(P)], axis=1)
        np.testing.assert_allclose(mc.absorption_probabilities(P), absorbed, atol=1e-9)


def test_gamblers_ruin():
    """Feller (1968), section XIV.2-3: with r = q/p, P(ruin) = (r^i - r^N)/(1 - r^N), and the expected duration."""
    N, p = 10, 0.45
    P = birth_death(np.r_[0, np.full(N - 1, p)], np.r_[np.full(N - 1, 1 - p), 0])
    i, r = np.arange(N + 1), (1 - p) / p
    ruin = (r**i - r**N) / (1 - r**N)
    np.testing.assert_allclose(mc.absorption_probabilities(P)[:, 0], ruin, atol=1e-12)
    np.testing.assert_allclose(mc.hitting_probabilities(P, 0), ruin, atol=1e-12)
    duration = (i - N * (1 - ruin)) / (1 - 2 * p)
    np.testing.assert_allclose(mc.hitting_times(P, [0, N]), duration, atol=1e-9)
    flags = (i == 0) | (i == N)
    np.testing.assert_array_equal(mc.hitting_times(P, flags), mc.hitting_times(P, [0, N]))


@pytest.mark.parametrize("leak", [1e-3, 1e-12, 1e-20])
def test_hitting_keeps_its_digits_where_the_chain_hardly_leaves(leak):
    """Two states that swap, and leak to two ends: as 1 to 3. An ordinary solver finds the last system singular."""
    P = np.zeros((4, 4))
    P[0, [1, 2]], P[1, [0, 3]], P[2, 2], P[3, 3] = (1 - leak, leak), (1 - 3 * leak, 3 * leak), 1, 1
    first = leak / (4 * leak - 3 * leak**2)  # from state 0 to end 2
    np.testing.assert_allclose(mc.absorption_probabilities(P)[0], [first, 1 - first], rtol=1e-9)
    np.testing.assert_allclose(mc.hitting_times(P, [2, 3])[0], (2 - leak) / (4 * leak - 3 * leak**2), rtol=1e-9)
    np.testing.assert_allclose(mc.hitting_probabilities(P, 2)[0], first, rtol=1e-9)


def test_steps_to_the_end_are_those_of_the_episodic_solver():
    floor = worlds.grid(gamma=1.0, step_reward=-0.04)
    die = np.full((floor.S, 4), 0.25)
    P, r = mc.chain_of(floor, die)
    assert (P[floor.terminal, floor.terminal] == 1).all()
    np.testing.assert_allclose(mc.hitting_times(P, floor.terminal), episodic.expected_steps(floor, die))
    np.testing.assert_allclose(mc.gain(P, r), 0, atol=1e-12)


def test_return_times_are_the_inverse_of_the_law():
    for P, _ in chains(105, irreducible=True):
        np.testing.assert_allclose(mc.return_times(P), 1 / law(P), rtol=1e-8)


def test_gain_is_the_limit_of_averages_and_of_discounted_values():
    for P, rng in chains(106):
        r = rng.normal(size=len(P))
        g = mc.gain(P, r)
        np.testing.assert_allclose(g, sums(P, 1 << 20)[0] @ r / (1 << 20), atol=1e-3)
        np.testing.assert_allclose(g, 1e-7 * np.linalg.solve(np.eye(len(P)) - (1 - 1e-7) * P, r), atol=1e-4)
    for mdp, rng in instances(110):
        P, r = mc.chain_of(mdp, random_policy(mdp, rng))
        g = mc.gain(P, r)
        np.testing.assert_allclose(P @ g, g, atol=1e-9 * (1 + np.abs(r).max()))
    np.testing.assert_allclose(mc.gain(SWAP, [3, 5]), 4)


# ---------------------------------------------------------------------- evolution and simulation


def test_evolution_and_simulation_have_the_same_laws():
    """4,000 runs against the exact law at three times, five standard errors."""
    P = SIX
    laws = mc.evolve(P, 0, 12)
    assert laws.shape == (13, 6)
    runs = mc.simulate(P, 0, 12, runs=4000, rng=5)
    assert runs.shape == (4000, 13)
    assert (P[runs[:, :-1], runs[:, 1:]] > 0).all()
    for t in (1, 4, 12):
        np.testing.assert_allclose(laws[t], np.linalg.matrix_power(P, t)[0], atol=1e-14)
        share = np.bincount(runs[:, t], minlength=6) / 4000
        assert (np.abs(share - laws[t]) <= 5 * np.sqrt(laws[t] * (1 - laws[t]) / 4000)).all()


def test_simulation_repeats_with_its_seed_and_starts_from_a_law():
    again = [mc.simulate(SIX, 0, 20, runs=9, rng=seed) for seed in (1, 1, 2)]
    np.testing.assert_array_equal(again[0], again[1])
    assert (again[0] != again[2]).any()
    first = mc.simulate(SIX, [0, 0, 0.5, 0, 0.5, 0], 0, runs=2000, rng=0)[:, 0]
    assert set(first) == {2, 4}
    assert abs((first == 2).mean() - 0.5) < 5 * 0.5 / np.sqrt(2000)


# ---------------------------------------------------------------------- distance and speed


def test_mixing_time_is_the_first_time_below():
    checked = 0
    for P, rng in chains(107):
        closed = [c for c in mc.classes(P) if c.recurrent]
        if len(closed) > 1 or closed[0].period > 1:
            continue
        epsilon = float(rng.choice([0.25, 0.01, 0.4]))
        n = mc.mixing_time(P, epsilon)
        d = mc.distances(P, n)
        assert d[-1] <= epsilon
        assert n == 0 or d[-2] > epsilon
        assert (np.diff(d) <= 1e-12).all()
        checked += 1
    assert checked >= 40


def test_mixing_time_of_two_states_is_known():
    """d(n) = (1 - 2a)^n / 2, so the time to 1/4 is the least n with (1 - 2a)^n <= 1/2."""
    for a in (0.3, 0.01, 1e-5):
        n = mc.mixing_time(birth_death([a], [a]))
        assert n == int(np.ceil(-log(2) / np.log1p(-2 * a)))
    assert mc.mixing_time(np.ones((1, 1))) == 0
    assert mc.mixing_time(np.full((5, 5), 0.2)) == 1
    with pytest.raises(ValueError, match=r"exceeds 1,099,511,627,776 steps: rounding would decide it"):
        mc.mixing_time(birth_death([1e-14], [1e-14]))


def test_total_variation_broadcasts():
    mu, nu = np.array([0.5, 0.5, 0]), np.array([[0.5, 0.5, 0], [0, 0, 1], [0.25, 0.25, 0.5]])
    np.testing.assert_allclose(mc.total_variation(mu, nu), [0, 1, 0.5])
    assert mc.total_variation(mu, nu[1]) == 1.0
    assert isinstance(mc.total_variation(mu, mu), float)


def test_coefficients_are_those_of_their_definitions():
    for P, rng in chains(108):
        Q = rng.dirichlet(np.ones(len(P)), size=len(P))
        for M in (P, Q):
            assert mc.dobrushin(M) == pytest.approx(max(tv(p, q) for p in M for q in M))
            assert mc.doeblin(M) == pytest.approx(sum(min(row[j] for row in M) for j in range(len(M))))


def test_spectral_gaps_with_a_closed_form():
    """Levin and Peres (2017), chapter 12: a lazy walk on a cycle, (1 - cos(2 pi/n))/2; the lazy urns, 1/N."""
    n = 9
    turn = np.roll(np.eye(n), 1, axis=1)
    lazy = np.eye(n) / 2 + (turn + turn.T) / 4
    assert mc.spectral_gap(lazy) == pytest.approx((1 - np.cos(2 * np.pi / n)) / 2)
    assert mc.spectral_gap((np.eye(13) + urns(12)) / 2) == pytest.approx(1 / 12)
    assert mc.spectral_gap(turn) == mc.spectral_gap(SWAP) == 0.0
    assert mc.spectral_gap(np.ones((1, 1))) == 1.0
    skewed = 0.5 * np.eye(n) + 0.5 * turn  # not reversible: |1 + exp(2 pi i/n)|/2
    assert mc.spectral_gap(skewed) == pytest.approx(1 - np.cos(np.pi / n))


# ---------------------------------------------------------------------- time reversed


def test_reversal_is_an_involution_and_tells_reversibility():
    found = set()
    for P, _ in chains(109, irreducible=True):
        back = mc.reversal(P)
        np.testing.assert_allclose(back.sum(axis=1), 1)
        np.testing.assert_allclose(mc.reversal(back), P, atol=1e-9)
        assert mc.is_reversible(P) == np.allclose(back, P, atol=1e-9)
        assert mc.is_reversible((P + back) / 2)
        found.add(mc.is_reversible(P))
    assert found == {True, False}
    assert mc.is_reversible(urns(30))


# ---------------------------------------------------------------------- bad input


def off_by(row, amount):
    P = np.full((3, 3), 1 / 3)
    P[row, 0] += amount
    return P


@pytest.mark.parametrize(
    ("P", "message"),
    [
        (off_by(1, 0.01), r"Row 1 of P sums to 1\.01, off by \+0\.01.*divide the row by its sum"),
        (off_by(2, -1e-6), r"Row 2 of P sums to 0\.999999, off by -1e-06"),
        (np.diag([1.0, 0.0]), r"Row 1 of P sums to 0, off by -1.*let the state stay for ever, P\[1, 1\] = 1"),
        ([[0.5, 0.5], [1.5, -0.5]], r"P\[1, 1\] = -0\.5: the probability of a step"),
        ([[np.nan, 1], [0, 1]], r"P\[0, 0\] = nan"),
        (np.ones((2, 3)) / 3, r"shape \(S, S\) with S >= 1; got \(2, 3\)"),
        (np.zeros((0, 0)), r"got \(0, 0\)"),
        ([["a", "b"], ["c", "d"]], r"P must be an array of real numbers"),
    ],
)
@pytest.mark.parametrize(
    "function", [mc.transition_matrix, mc.classes, mc.invariant_law, mc.dobrushin, mc.return_times]
)
def test_a_matrix_that_is_none_is_named(function, P, message):
    with pytest.raises(ValueError, match=message):
        function(P)


def test_several_closed_classes_are_named():
    with pytest.raises(ValueError, match=r"2 closed classes, \[2, 3\], \[4, 5\], so it has many invariant laws"):
        mc.invariant_law(SIX)
    with pytest.raises(ValueError, match=r"2 closed classes.*never mixes"):
        mc.mixing_time(SIX)
    with pytest.raises(ValueError, match=r"9 closed classes, \[0\], \[1\], \[2\], \[3\], \.\.\., so"):
        mc.distances(np.eye(9), 3)
    cycles = np.kron(np.eye(2), np.roll(np.eye(7), 1, axis=1))
    with pytest.raises(ValueError, match=r"\[0, 1, 2, 3, 4, \.\.\.\], \[7, 8, 9, 10, 11, \.\.\.\]"):
        mc.invariant_law(cycles)


@pytest.mark.parametrize("function", [mc.reversal, mc.is_reversible, mc.spectral_gap])
def test_a_transient_state_is_named_where_none_may_be(function):
    with pytest.raises(ValueError, match=r"reducible: state 0 is transient"):
        function([[0.5, 0.5], [0, 1]])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: mc.mixing_time(SWAP), r"period 2: its laws go round.*\(I \+ P\) / 2"),
        (lambda: mc.mixing_time(np.eye(1), 0), r"epsilon = 0: choose a distance between 0 and 1"),
        (lambda: mc.mixing_time(np.eye(1), "x"), r"epsilon = 'x'"),
        (lambda: mc.hitting_times(SWAP, 2), r"target = 2: it must be an integer in 0\.\.1"),
        (lambda: mc.hitting_times(SWAP, -1), r"target = -1"),
        (lambda: mc.hitting_probabilities(SWAP, 0.5), r"target = 0\.5"),
        (lambda: mc.hitting_probabilities(SWAP, []), r"target is empty: name at least one state"),
        (lambda: mc.hitting_probabilities(SWAP, [False, False]), r"target is empty"),
        (lambda: mc.hitting_times(SWAP, [True, False, True]), r"target = True"),
        (lambda: mc.period(SWAP, 5), r"state = 5: it must be an integer in 0\.\.1"),
        (lambda: mc.evolve(SWAP, 0, -1), r"steps = -1: give a number of steps"),
        (lambda: mc.distances(SWAP, 1.5), r"steps = 1\.5"),
        (lambda: mc.evolve(SWAP, [0.5, 0.6], 2), r"mu is no law: its least entry is 0\.5, its sums lie between 1\.1"),
        (lambda: mc.evolve(SWAP, [1, 0, 0], 2), r"mu must hold one probability for each of the 2 states"),
        (lambda: mc.evolve(SWAP, np.eye(2), 2), r"mu must be one law of shape \(2,\); got shape \(2, 2\)"),
        (lambda: mc.evolve(SWAP, 7, 2), r"mu = 7: it must be an integer in 0\.\.1"),
        (lambda: mc.simulate(SWAP, 0, 3, runs=0), r"runs = 0: simulate at least 1 run"),
        (lambda: mc.simulate(SWAP, [np.nan, 1], 3), r"mu is no law"),
        (lambda: mc.total_variation([0.5, 0.5], [1.2, -0.2]), r"nu is no law: its least entry is -0\.2"),
        (lambda: mc.total_variation(0.5, [1.0]), r"mu must hold one probability"),
        (lambda: mc.total_variation([], []), r"mu must hold one probability for each of the 0 states"),
        (lambda: mc.total_variation(np.eye(2), np.eye(2)[[0, 1, 0]]), r"\(2, 2\) and nu \(3, 2\).* stacks of one size"),
        (lambda: mc.is_reversible(SWAP, "x"), r"tol = 'x': give a relative error of at least 0"),
        (lambda: mc.is_reversible(SWAP, -1), r"tol = -1"),
        (lambda: mc.gain(SWAP, [1, 2, 3]), r"a finite reward for each of the 2 states; got shape \(3,\)"),
        (lambda: mc.gain(SWAP, [1, np.inf]), r"a finite reward"),
    ],
)
def test_bad_arguments_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


# ---------------------------------------------------------------------- the drawing of a chain


def test_chain_is_drawn_with_a_colour_for_each_closed_class():
    from matplotlib.colors import to_hex
    from matplotlib.patches import Circle, FancyArrowPatch

    ax = plot.chain(SIX, labels="abcdef", title="six")
    rings = [p for p in ax.patches if isinstance(p, Circle)]
    colours = [to_hex(p.get_edgecolor()).upper() for p in rings]
    assert colours == [plot.COLORS[k].upper() for k in (4, 4, 0, 0, 1, 1)]
    assert len([p for p in ax.patches if isinstance(p, FancyArrowPatch)]) == (SIX > 0).sum()
    words = [t.get_text() for t in ax.texts]
    assert {*"abcdef", "0.3", "0.4", "0.5"} == set(words)
    assert plot.chain(SWAP, ax, layout="line") is ax


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: plot.chain(np.eye(11)), r"up to 10 states, with a label each; got 11 states"),
        (lambda: plot.chain(SWAP, labels="abc"), r"got 2 states, 3 labels"),
        (lambda: plot.chain(SWAP, layout="tree"), r'layout must be "circle" or "line"'),
        (lambda: plot.chain([[1, 1], [0, 1]]), r"Row 0 of P sums to 2"),
    ],
)
def test_chain_refuses_what_it_cannot_draw(call, message):
    with pytest.raises(ValueError, match=message):
        call()
