"""Each statement of the appendix on linear algebra, on random instances, where it is tight, and where it breaks.

Laws are computed here by long averaging or by exact formulas, times by summing probabilities, and series term by term.
"""

from itertools import combinations

import numpy as np
import pytest

ROUNDING = 1e-8

NEVER_TIGHT = {
    "thm-m-matrix": "an equivalence, and a comparison that is an equality for v = Mv + b",
    "thm-perron": "it says which eigenvalues there are, and gives no bound",
    "prop-deflation": "an identity",
    "thm-fundamental-matrix": "identities: both sides agree on every instance",
    "cor-poisson-equation": "an equation: both sides agree on every instance",
    "prop-small-discount": "an identity and a limit",
    "prop-passage-times": "an identity",
    "thm-censored-chain": "identities: both sides agree on every instance",
}
NOTHING_TO_DROP = {"prop-gershgorin": "it holds for every square matrix"}

SWAP = np.array([[0.0, 1.0], [1.0, 0.0]])
COIN = np.full((2, 2), 0.5)


def streams(seed, n=120):
    """One generator for each of `n` instances."""
    return np.random.default_rng(seed).spawn(n)


def moduli(M):
    """Absolute values of the eigenvalues, the largest first."""
    return np.sort(np.abs(np.linalg.eigvals(M)))[::-1]


def power(M, t):
    return np.linalg.matrix_power(M, t)


def stochastic(rng, n=None, *, transient=False):
    """Positive rows, from nearly deterministic to nearly uniform; if `transient`, state 0 is never entered."""
    n = int(rng.integers(2, 7)) if n is None else n
    P = rng.dirichlet(np.full(n, 10 ** rng.uniform(-0.3, 0.6)), size=n)
    P = 0.95 * P + 0.05 / n
    if transient:
        P[:, 0] = 0
        P /= P.sum(axis=1, keepdims=True)
    return P


def law_of(P):
    """The invariant law, as a row of a high power."""
    return power(P, 2**14)[0]


def reversible(rng, n=None):
    """A random walk on a weighted graph, and its law."""
    n = int(rng.integers(2, 7)) if n is None else n
    W = rng.exponential(size=(n, n)) ** 3
    W = W + W.T + 1e-2
    return W / W.sum(axis=1, keepdims=True), W.sum(axis=1) / W.sum()


def fundamental(P, pi):
    """Z and H."""
    E = np.outer(np.ones(len(P)), pi)
    Z = np.linalg.inv(np.eye(len(P)) - P + E)
    return Z, Z - E


def register(bits=3):
    """The last tosses of a coin: not reversible, and all eigenvalues but one are 0."""
    n = 2**bits
    P = np.zeros((n, n))
    for s in range(n):
        P[s, [2 * s % n, (2 * s + 1) % n]] = 0.5
    return P


# ---------------------------------------------------------------------- powers and bounds


@pytest.mark.claim("thm-neumann", "random")
def test_powers_vanish_and_the_series_is_the_inverse_exactly_below_one():
    for i, rng in enumerate(streams(1)):
        n = int(rng.integers(1, 6))
        M = rng.normal(size=(n, n))
        rho = rng.uniform(0.2, 0.9) if i % 2 else rng.uniform(1.05, 2)
        M *= rho / moduli(M)[0]
        far = np.abs(power(M, 300)).max()
        norms = [np.linalg.norm(power(M, t), 2) for t in range(1, 9)]
        assert all(rho <= norm ** (1 / t) + ROUNDING for t, norm in enumerate(norms, 1))
        assert far ** (1 / 300) == pytest.approx(rho, rel=0.05)  # Gelfand's limit
        if rho < 1:
            total, term = np.zeros((n, n)), np.eye(n)
            for _ in range(600):
                total, term = total + term, term @ M
            assert far < 1e-10
            assert total == pytest.approx(np.linalg.inv(np.eye(n) - M), rel=1e-6, abs=1e-6)
        else:
            assert far > 1e4


@pytest.mark.claim("thm-neumann", "tight")
def test_symmetric_matrices_need_no_limit():
    for rng in streams(2, 20):
        M = rng.normal(size=(4, 4))
        M = M + M.T
        for t in (1, 2, 5):
            assert np.linalg.norm(power(M, t), 2) ** (1 / t) == pytest.approx(moduli(M)[0])


@pytest.mark.claim("thm-neumann", "dropped")
def test_on_the_unit_circle_powers_stay_and_nothing_is_invertible():
    assert np.abs(power(SWAP, 1001)).max() == 1
    assert np.linalg.matrix_rank(np.eye(2) - SWAP) == 1


@pytest.mark.claim("prop-gershgorin", "random")
def test_every_eigenvalue_lies_in_a_disc():
    for rng in streams(3):
        n = int(rng.integers(1, 7))
        M = rng.normal(size=(n, n))
        centres = np.diag(M)
        radii = np.abs(M).sum(axis=1) - np.abs(centres)
        for eigenvalue in np.linalg.eigvals(M):
            assert (np.abs(eigenvalue - centres) <= radii + ROUNDING).any()


@pytest.mark.claim("prop-gershgorin", "tight")
def test_the_swap_has_its_eigenvalues_on_the_edge():
    assert np.abs(np.linalg.eigvals(SWAP) - 0) == pytest.approx([1, 1])  # centre 0, radius 1


@pytest.mark.claim("prop-collatz", "random")
def test_ratios_bracket_the_spectral_radius():
    for rng in streams(4):
        M = rng.exponential(size=(4, 4)) * (rng.random((4, 4)) < 0.6)
        w = 10 ** rng.uniform(-1, 1, size=4)
        ratios = M @ w / w
        assert ratios.min() - 1e-6 <= moduli(M)[0] <= ratios.max() + 1e-6


@pytest.mark.claim("prop-collatz", "tight")
def test_stochastic_matrices_attain_both_bounds():
    for rng in streams(5, 20):
        P = stochastic(rng)
        assert P.sum(axis=1) == pytest.approx(1.0)
        assert moduli(P)[0] == pytest.approx(1.0)


@pytest.mark.claim("prop-collatz", "dropped")
def test_with_signs_the_row_sums_say_nothing():
    M = np.array([[3.0, -2.0], [-2.0, 3.0]])
    assert M.sum(axis=1).tolist() == [1, 1]
    assert moduli(M)[0] == pytest.approx(5)


@pytest.mark.claim("thm-m-matrix", "random")
def test_the_inverse_is_nonnegative_exactly_when_the_radius_is_below_one():
    for i, rng in enumerate(streams(6)):
        M = rng.exponential(size=(4, 4)) * (rng.random((4, 4)) < 0.7) + 1e-3
        M *= (rng.uniform(0.2, 0.97) if i % 2 else rng.uniform(1.05, 2)) / moduli(M)[0]
        inverse = np.linalg.inv(np.eye(4) - M)
        assert (inverse >= 0).all() == bool(i % 2)
        trials = 10 ** rng.uniform(-1, 1, size=(200, 4))
        if i % 2:
            w = inverse.sum(axis=1)
            assert (M @ w < w).all()
            b, loss = rng.normal(size=4), rng.exponential(size=4)
            v = inverse @ (b - loss)  # so v = Mv + b - loss <= Mv + b
            assert (v <= inverse @ b + ROUNDING).all()
        else:
            assert not any((M @ w < w).all() for w in trials)


@pytest.mark.claim("thm-m-matrix", "dropped")
def test_above_one_the_comparison_fails():
    v, b = 1.0, 1.0
    assert v <= 2 * v + b
    assert not v <= b / (1 - 2)


@pytest.mark.claim("thm-m-matrix", "dropped")
def test_with_signs_a_small_radius_gives_negative_entries():
    M = np.array([[0.0, -0.5], [0.0, 0.0]])
    assert moduli(M)[0] == 0
    assert (np.linalg.inv(np.eye(2) - M) < 0).any()


# ---------------------------------------------------------------------- Perron, deflation


@pytest.mark.claim("thm-perron", "random")
def test_primitive_matrices_have_one_dominant_eigenvalue_with_positive_vectors():
    with_zeros = 0
    for rng in streams(7, 150):
        n = int(rng.integers(2, 6))
        M = rng.exponential(size=(n, n)) * (rng.random((n, n)) < 0.7)
        M += np.roll(np.eye(n), 1, axis=1) * 0.1  # a cycle through all
        M[0, 0] += 0.1  # and a loop: primitive
        with_zeros += (M == 0).any()
        assert (power(M, n * n) > 0).all()
        values, right = np.linalg.eig(M)
        first = int(np.argmax(np.abs(values)))
        rho = values[first]
        assert rho.imag == 0
        assert rho.real > 0
        assert np.sort(np.abs(values))[-2] < rho.real - 1e-9  # so it is simple, too
        for vector in (right[:, first], np.linalg.eig(M.T)[1][:, np.argmax(np.abs(np.linalg.eig(M.T)[0]))]):
            assert (vector.real / vector.real.sum() > 0).all()
        for k in range(n):
            z = right[:, k] / right[np.argmax(np.abs(right[:, k])), k]
            assert (k == first) == bool(np.abs(z.imag).max() < 1e-12 and z.real.min() >= -1e-12)
    assert with_zeros >= 100


@pytest.mark.claim("thm-perron", "dropped")
def test_periodic_or_reducible_matrices_have_other_eigenvalues_of_that_size():
    assert moduli(SWAP) == pytest.approx([1, 1])
    assert moduli(np.eye(2)).tolist() == [1, 1]
    assert (np.eye(2)[:, 0] >= 0).all()  # a non-negative eigenvector of the identity that is no multiple of (1, 1)


@pytest.mark.claim("prop-deflation", "random")
def test_powers_split_and_the_rest_dies_out():
    for rng in streams(8):
        n = int(rng.integers(2, 6))
        M = rng.exponential(size=(n, n)) + 0.05
        values, right = np.linalg.eig(M)
        rho = np.abs(values).max()
        x = np.abs(right[:, np.argmax(np.abs(values))].real)
        y = np.abs(np.linalg.svd(M.T - rho * np.eye(n))[2][-1])
        y /= y @ x
        N = M - rho * np.outer(x, y)
        for t in (1, 2, 5):
            assert power(M, t) == pytest.approx(rho**t * np.outer(x, y) + power(N, t), rel=1e-6)
        others = np.poly(np.r_[np.delete(values, np.argmax(np.abs(values))), 0])
        assert np.poly(N) == pytest.approx(others.real, abs=1e-6 * rho**n)
        kappa = moduli(N)[0] / rho + 0.1
        errors = [np.abs(power(N, t) / rho**t).max() / kappa**t for t in (20, 40, 80)]
        assert errors[2] <= errors[1] + ROUNDING <= errors[0] + 2 * ROUNDING


@pytest.mark.claim("prop-deflation", "dropped")
def test_vectors_that_are_not_normalised_do_not_split():
    ones = np.ones((2, 2))  # x = y = (1, 1) without normalising
    N = COIN - ones
    assert np.abs(power(COIN, 2) - ones - power(N, 2)).max() > 0.5


# ---------------------------------------------------------------------- the fundamental matrix


@pytest.mark.claim("thm-fundamental-matrix", "random")
def test_the_deviation_matrix_inverts_as_far_as_possible_and_is_the_series():
    for i, rng in enumerate(streams(9)):
        P = stochastic(rng, n=4, transient=bool(i % 2))
        pi, one, I = law_of(P), np.ones(4), np.eye(4)
        Z, H = fundamental(P, pi)
        assert Z @ one == pytest.approx(one)
        assert pi @ Z == pytest.approx(pi)
        for product in ((I - P) @ H, H @ (I - P)):
            assert product == pytest.approx(I - np.outer(one, pi), abs=ROUNDING)
        series, term = np.zeros((4, 4)), I
        for _ in range(2000):
            series, term = series + (term - np.outer(one, pi)), term @ P
        assert pytest.approx(H, abs=1e-6) == series


@pytest.mark.claim("thm-fundamental-matrix", "random")
def test_the_identities_hold_for_periodic_chains():
    for rng in streams(10, 100):
        A, B = stochastic(rng, 2), stochastic(rng, 3)[:2]
        P = np.zeros((5, 5))  # two states, then three, in turn
        P[:2, 2:], P[2:, :2] = B, np.vstack([A, A[:1]])
        pi = (power(P, 5000)[0] + power(P, 5001)[0]) / 2
        _, H = fundamental(P, pi)
        assert (np.eye(5) - P) @ H == pytest.approx(np.eye(5) - np.outer(np.ones(5), pi), abs=ROUNDING)
        assert pi @ H == pytest.approx(np.zeros(5), abs=ROUNDING)


@pytest.mark.claim("thm-fundamental-matrix", "dropped")
def test_with_two_laws_there_is_no_inverse_and_with_a_period_no_series():
    assert np.linalg.matrix_rank(np.eye(2) - np.eye(2) + COIN) == 1
    sums = np.cumsum([power(SWAP, t)[0, 0] - 0.5 for t in range(101)])
    assert sums[:4].tolist() == [0.5, 0, 0.5, 0]
    assert sums[-1] == 0.5


@pytest.mark.claim("cor-poisson-equation", "random")
def test_gain_and_bias_solve_poissons_equation_and_nothing_else_does():
    for rng in streams(11):
        P, r = stochastic(rng, n=4), rng.normal(size=4) * 5
        pi = law_of(P)
        g, h = pi @ r, fundamental(P, pi)[1] @ r + rng.normal()
        assert h == pytest.approx(r - g + P @ h, abs=ROUNDING)
        v, total = np.zeros(4), 500  # the bias as a difference of totals
        for _ in range(total):
            v = r + P @ v
        assert v - total * g - (v - total * g)[0] == pytest.approx(h - h[0], abs=1e-6)
        system = np.column_stack([np.eye(4) - P, np.ones(4)])  # unknowns h and g
        assert np.linalg.matrix_rank(system) == 4  # so the solutions form one line, h + c


@pytest.mark.claim("cor-poisson-equation", "dropped")
def test_with_two_laws_one_gain_is_not_enough():
    r = np.array([0.0, 1.0])  # two absorbing states: h = r - g + h asks for r = g
    system = np.column_stack([np.eye(2) - np.eye(2), np.ones(2)])
    assert np.linalg.matrix_rank(np.column_stack([system, r])) > np.linalg.matrix_rank(system)


@pytest.mark.claim("prop-small-discount", "random")
def test_the_resolvent_splits_and_its_regular_part_tends_to_the_deviation_matrix():
    for rng in streams(12):
        P = stochastic(rng, n=4)
        pi = law_of(P)
        E, H = np.outer(np.ones(4), pi), fundamental(P, pi)[1]
        gamma = float(rng.uniform(0, 0.99))
        regular = np.linalg.inv(np.eye(4) - gamma * (P - E)) - E
        assert np.linalg.inv(np.eye(4) - gamma * P) == pytest.approx(E / (1 - gamma) + regular)
        gaps = [np.abs(np.linalg.inv(np.eye(4) - c * P) - E / (1 - c) - H).max() for c in (0.9, 0.99, 0.999)]
        assert gaps[2] < gaps[1] / 5 < gaps[0] / 20


@pytest.mark.claim("prop-small-discount", "dropped")
def test_with_two_laws_no_single_law_splits_off():
    for pi in ([1.0, 0.0], [0.5, 0.5], [0.0, 1.0]):
        rest = [np.linalg.inv((1 - c) * np.eye(2)) - np.outer(np.ones(2), pi) / (1 - c) for c in (0.9, 0.999)]
        assert np.abs(rest[1]).max() > 50 * np.abs(rest[0]).max()


@pytest.mark.claim("prop-passage-times", "random")
def test_times_are_those_of_summed_probabilities():
    for rng in streams(13):
        P = stochastic(rng, n=4)
        pi = law_of(P)
        H = fundamental(P, pi)[1]
        for j in range(4):
            stay = P.copy()
            stay[:, j] = 0  # steps that do not enter j
            still, times = np.ones(4), np.zeros(4)
            for _ in range(2000):  # E[time] = sum over t of P(time > t)
                times, still = times + still, stay @ still
            assert times[j] == pytest.approx(1 / pi[j], rel=1e-5)
            for i in set(range(4)) - {j}:
                assert times[i] == pytest.approx((H[j, j] - H[i, j]) / pi[j], rel=1e-5)


@pytest.mark.claim("prop-passage-times", "dropped")
def test_a_state_that_is_left_for_good_has_no_return_time():
    P = np.array([[0.0, 1.0], [0.0, 1.0]])
    assert (power(P, 100)[:, 0] == 0).all()  # so pi_0 = 0, and 1 / pi_0 is no number


# ---------------------------------------------------------------------- perturbation


def sensitivity(H):
    return max(np.abs(a - b).sum() / 2 for a in H for b in H)


@pytest.mark.claim("thm-perturbed-law", "random")
def test_the_law_moves_as_stated():
    for i, rng in enumerate(streams(14)):
        P = stochastic(rng, n=4, transient=bool(i % 2))
        x = rng.uniform(0.01, 1)
        Q = (1 - x) * P + x * stochastic(rng, n=4)
        pi, moved = law_of(P), law_of(Q)
        H = fundamental(P, pi)[1]
        assert moved - pi == pytest.approx(moved @ (Q - P) @ H, abs=ROUNDING)
        change = np.abs(Q - P).sum(axis=1).max()
        assert np.abs(moved - pi).sum() <= sensitivity(H) * change + ROUNDING


@pytest.mark.claim("thm-perturbed-law", "tight")
def test_two_states_whose_rows_move_alike_attain_the_bound():
    P, shift = np.array([[0.7, 0.3], [0.2, 0.8]]), np.array([0.1, -0.1])
    pi, moved = law_of(P), law_of(P + shift)
    bound = sensitivity(fundamental(P, pi)[1]) * 0.2
    assert np.abs(moved - pi).sum() == pytest.approx(bound)


@pytest.mark.claim("thm-perturbed-law", "dropped")
def test_with_two_laws_a_tiny_change_moves_the_law_far():
    tiny = 1e-6
    Q = np.array([[1.0, 0.0], [tiny, 1 - tiny]])
    other = np.array([0.0, 1.0])  # invariant for the identity
    moved = np.array([1.0, 0.0])
    assert moved @ Q == pytest.approx(moved)
    assert np.abs(Q - np.eye(2)).sum(axis=1).max() == pytest.approx(2 * tiny)
    assert np.abs(moved - other).sum() == 2


# ---------------------------------------------------------------------- reversible chains


def pi_norm(f, pi):
    return np.sqrt(pi @ f**2)


@pytest.mark.claim("thm-reversible-spectrum", "random")
def test_reversible_chains_are_symmetric_and_forget_at_the_stated_rate():
    for rng in streams(15):
        P, pi = reversible(rng)
        root = np.sqrt(pi)
        A = root[:, None] * P / root
        assert pytest.approx(A.T) == A
        values = np.linalg.eigvals(P)
        assert np.abs(values.imag).max() < 1e-7
        assert values.real.min() >= -1 - ROUNDING
        assert moduli(P)[0] == pytest.approx(1)
        star, f = moduli(P)[1], rng.normal(size=len(P))
        for t in range(8):
            left = pi_norm(power(P, t) @ f - pi @ f, pi)
            assert left <= star**t * pi_norm(f - pi @ f, pi) + ROUNDING
            for i in range(len(P)):
                assert np.abs(power(P, t)[i] - pi).sum() <= star**t * np.sqrt(1 / pi[i] - 1) + ROUNDING


@pytest.mark.claim("thm-reversible-spectrum", "tight")
def test_two_symmetric_states_attain_both_bounds():
    P, pi, f = np.array([[0.8, 0.2], [0.2, 0.8]]), np.full(2, 0.5), np.array([1.0, -1.0])
    for t in range(6):
        assert pi_norm(power(P, t) @ f, pi) == pytest.approx(0.6**t)
        assert np.abs(power(P, t)[0] - pi).sum() == pytest.approx(0.6**t * np.sqrt(1 / 0.5 - 1))


@pytest.mark.claim("thm-reversible-spectrum", "dropped")
def test_a_shift_register_has_eigenvalues_zero_and_remembers():
    P = register()
    assert np.poly(P) == pytest.approx(np.r_[1, -1, np.zeros(7)])  # eigenvalues: 1, and 0 seven times
    assert np.abs(power(P, 1)[0] - 1 / 8).sum() == 1.5
    assert np.abs(power(P, 3) - 1 / 8).max() == 0


def form(P, pi, f):
    """Half the mean square of a step of f."""
    return (pi[:, None] * P * (f[:, None] - f) ** 2).sum() / 2


def variance(pi, f):
    return pi @ (f - pi @ f) ** 2


@pytest.mark.claim("thm-gap-variational", "random", "tight")
def test_no_function_and_no_set_is_below_the_gap_and_an_eigenvector_attains_it():
    for rng in streams(16):
        P, pi = reversible(rng)
        n, values = len(P), np.linalg.eig(P)
        order = np.argsort(-values[0].real)
        gap, second = 1 - values[0].real[order[1]], values[1].real[:, order[1]]
        for f in rng.normal(size=(20, n)):
            assert form(P, pi, f) >= gap * variance(pi, f) - ROUNDING
        assert form(P, pi, second) == pytest.approx(gap * variance(pi, second))
        for size in range(1, n):
            for B in map(list, combinations(range(n), size)):
                rest = [i for i in range(n) if i not in B]
                leaving, mass = (pi[B, None] * P[np.ix_(B, rest)]).sum(), pi[B].sum()
                assert gap <= leaving / (mass * (1 - mass)) + ROUNDING


@pytest.mark.claim("thm-gap-variational", "dropped")
def test_without_reversibility_the_minimum_is_not_the_gap():
    P, pi, f = register(), np.full(8, 1 / 8), np.arange(8.0)
    assert np.poly(P)[1] == pytest.approx(-1)  # lambda_2 = 0, so the gap would be 1
    assert form(P, pi, f) / variance(pi, f) < 0.6


# ---------------------------------------------------------------------- censoring


def watched(P, k):
    """Law of the next state among the first k, by summing over the time spent elsewhere."""
    S, elsewhere = P[:k, :k].copy(), P[:k, k:]
    for _ in range(3000):
        S, elsewhere = S + elsewhere @ P[k:, :k], elsewhere @ P[k:, k:]
    return S


@pytest.mark.claim("thm-censored-chain", "random")
def test_the_schur_complement_is_the_watched_chain_and_keeps_the_law():
    for rng in streams(17):
        n = int(rng.integers(3, 7))
        P, k = stochastic(rng, n), int(rng.integers(1, n))
        inverse = np.linalg.inv(np.eye(n - k) - P[k:, k:])
        S = P[:k, :k] + P[:k, k:] @ inverse @ P[k:, :k]
        assert pytest.approx(watched(P, k), abs=1e-7) == S
        assert S.sum(axis=1) == pytest.approx(1.0)
        pi = law_of(P)
        assert pi[:k] @ S == pytest.approx(pi[:k])
        assert pi[k:] == pytest.approx(pi[:k] @ P[:k, k:] @ inverse)
        start = law_of(S) if k > 1 else np.ones(1)  # and conversely
        whole = np.r_[start, start @ P[:k, k:] @ inverse]
        assert whole @ P == pytest.approx(whole)


@pytest.mark.claim("thm-censored-chain", "dropped")
def test_if_the_set_cannot_be_reached_nothing_can_be_inverted():
    P = np.array([[0.5, 0.5], [0.0, 1.0]])
    assert 1 - P[1, 1] == 0
    assert watched(P, 1)[0, 0] == 0.5  # no probability any more: the rest never comes back
