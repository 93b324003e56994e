"""Each statement of the appendix on contractions, on random instances, where it is tight, and where it breaks.

Maps are built here with a known factor; fixed points come from linear solves, long iteration or enumeration.
"""

from itertools import product

import numpy as np
import pytest

ROUNDING = 1e-9

NEVER_TIGHT = {"prop-invariant-set": "it says where the fixed point lies, and gives no bound"}
NOTHING_TO_DROP = {"prop-weighted-factor": "it holds for every matrix and all positive weights"}


def streams(seed, n=120):
    """One generator for each of `n` instances."""
    return np.random.default_rng(seed).spawn(n)


def sup(v, w=1.0):
    return (np.abs(v) / w).max()


def span(v):
    return v.max() - v.min()


def factor(M, w=1.0):
    """The largest stretch of a vertex of the unit box, by trying all of them; for a few dimensions."""
    signs = np.array(list(product([-1.0, 1.0], repeat=len(M)))) * w
    return max(sup(M @ v, w) for v in signs)


def random_weights(rng, n):
    return 10 ** rng.uniform(-1, 1, size=n)


def radius(M):
    return np.abs(np.linalg.eigvals(M)).max()


class Game:
    """(Fv)(s) = max_a min_b r(s,a,b) + (M_ab v)(s), with M >= 0 and M w <= gamma w: not linear, not convex."""

    def __init__(self, rng, n=4, gamma=None):
        self.n, self.gamma = n, float(rng.uniform(0.1, 0.95)) if gamma is None else gamma
        self.w = random_weights(rng, n)
        M = rng.exponential(size=(3, 2, n, n)) * (rng.random((3, 2, n, n)) < 0.6)
        M[..., 0] += 1e-3
        self.M = self.gamma * M * (self.w / (M @ self.w))[..., None]
        self.r = rng.normal(size=(3, 2, n)) * 10

    def __call__(self, v):
        return (self.r + self.M @ v).min(axis=1).max(axis=0)

    def fixed_point(self):
        v = np.zeros(self.n)
        for _ in range(int(np.log(1e-14) / np.log(self.gamma)) + 10):
            v = self(v)
        return v


# ---------------------------------------------------------------------- norms


@pytest.mark.claim("prop-norm-comparison", "random")
def test_norms_bound_each_other():
    for rng in streams(1):
        n, p = int(rng.integers(1, 9)), float(rng.uniform(1, 6))
        v, w = rng.normal(size=n), random_weights(rng, n)
        p_norm = (np.abs(v) ** p).sum() ** (1 / p)
        assert sup(v) <= p_norm + ROUNDING
        assert p_norm <= n ** (1 / p) * sup(v) + ROUNDING
        assert sup(v) / w.max() <= sup(v, w) + ROUNDING
        assert sup(v, w) <= sup(v) / w.min() + ROUNDING


@pytest.mark.claim("prop-norm-comparison", "random")
def test_any_norm_lies_between_multiples_of_the_sup_norm():
    for rng in streams(2):
        A = rng.normal(size=(4, 4))  # the norm |Av|_1, for which c and C are explicit
        upper, lower = np.abs(A).sum(), 1 / np.abs(np.linalg.inv(A)).sum()
        for v in rng.normal(size=(20, 4)):
            assert lower * sup(v) - ROUNDING <= np.abs(A @ v).sum() <= upper * sup(v) + ROUNDING


@pytest.mark.claim("prop-norm-comparison", "tight")
def test_unit_vectors_and_constants_attain_the_constants():
    ones, unit, w = np.ones(5), np.eye(5)[2], np.array([1.0, 2, 4, 2, 1])
    assert np.linalg.norm(unit, 3) == pytest.approx(sup(unit))
    assert np.linalg.norm(ones, 3) == pytest.approx(5 ** (1 / 3) * sup(ones))
    assert sup(unit, w) == sup(unit) / w.max()
    assert sup(ones, w) == sup(ones) / w.min()


@pytest.mark.claim("prop-norm-comparison", "dropped")
def test_no_constant_serves_all_dimensions():
    ratios = [np.full(n, 1 / n).sum() / sup(np.full(n, 1 / n)) for n in (1, 10, 1000)]
    assert ratios == pytest.approx([1, 10, 1000])


@pytest.mark.claim("prop-weighted-factor", "random", "tight")
def test_the_formula_is_the_largest_stretch_and_bounds_eigenvalues():
    for rng in streams(3):
        n = int(rng.integers(1, 6))
        M, w = rng.normal(size=(n, n)), random_weights(rng, n)
        formula = (np.abs(M) @ w / w).max()
        assert formula == pytest.approx(factor(M, w))  # a vertex attains it
        inside = rng.uniform(-1, 1, size=(50, n)) * w
        assert max(sup(M @ v, w) for v in inside) <= formula + ROUNDING
        assert radius(M) <= formula + ROUNDING


# ---------------------------------------------------------------------- residuals, invariant sets


@pytest.mark.claim("prop-residual", "random")
def test_the_residual_brackets_the_distance():
    for rng in streams(4):
        F = Game(rng)
        v_star = F.fixed_point()
        u = v_star + rng.normal(size=F.n) * 10 ** rng.uniform(-2, 2)
        residual, distance = sup(F(u) - u, F.w), sup(u - v_star, F.w)
        slack = ROUNDING * (1 + sup(v_star, F.w) + distance)
        assert residual / (1 + F.gamma) <= distance + slack
        assert distance <= residual / (1 - F.gamma) + slack


@pytest.mark.claim("prop-residual", "tight")
@pytest.mark.parametrize("gamma", [0.1, 0.5, 0.9])
def test_scaling_attains_both_sides(gamma):
    u = 3.0
    assert abs(gamma * u - u) / (1 - gamma) == pytest.approx(u)
    assert abs(-gamma * u - u) / (1 + gamma) == pytest.approx(u)


@pytest.mark.claim("prop-residual", "dropped")
def test_without_a_uniform_factor_no_multiple_of_the_residual_is_enough():
    def F(x):
        return x - x**3

    x, y = np.random.default_rng(0).uniform(-0.5, 0.5, size=(2, 1000))
    assert (np.abs(F(x) - F(y)) < np.abs(x - y)).all()  # distances shrink strictly
    ratios = [x / abs(F(x) - x) for x in (1e-1, 1e-2, 1e-3)]
    assert ratios == pytest.approx([1e2, 1e4, 1e6])


@pytest.mark.claim("prop-invariant-set", "random")
def test_monotone_functions_stay_monotone_hence_so_is_the_fixed_point():
    for rng in streams(5):
        n, gamma = 5, float(rng.uniform(0.1, 0.95))
        # Rows that move stochastically upwards, and rewards that increase: F keeps increasing functions.
        tails = np.sort(rng.random((2, n, n)), axis=1)
        tails = np.sort(tails, axis=2)[..., ::-1].copy()
        tails[..., 0] = 1.0
        P = tails - np.concatenate([tails[..., 1:], np.zeros((2, n, 1))], axis=2)
        r = np.sort(rng.normal(size=(2, n)), axis=1)
        v = np.sort(rng.normal(size=n))
        assert (np.diff((r + gamma * P @ v).max(axis=0)) >= -ROUNDING).all()  # F(C) lies in C
        values = []  # the fixed point, by enumeration of policies
        for policy in product(range(2), repeat=n):
            rows = (list(policy), np.arange(n))
            values.append(np.linalg.solve(np.eye(n) - gamma * P[rows], r[rows]))
        assert (np.diff(np.max(values, axis=0)) >= -ROUNDING).all()


@pytest.mark.claim("prop-invariant-set", "dropped")
def test_an_open_set_may_miss_its_fixed_point():
    x = np.random.default_rng(0).exponential(size=100)
    for _ in range(100):
        x = x / 2
        assert (x > 0).all()  # F keeps the positive numbers
    assert (x < 1e-25).all()  # but the limit, its fixed point 0, is none of them


# ---------------------------------------------------------------------- several steps


def stretched(rng, n=3):
    """An affine map that need not contract the sup norm, with the first power that does, and its factor."""
    M = rng.normal(size=(n, n))
    M *= rng.uniform(0.3, 0.9) / radius(M)
    for m in range(1, 200):
        beta = factor(np.linalg.matrix_power(M, m))
        if beta < 1:
            return M, rng.normal(size=n), m, beta
    raise AssertionError("no power contracts")


@pytest.mark.claim("thm-multistep", "random")
def test_a_power_that_contracts_is_enough():
    needed = 0
    for rng in streams(6, 150):
        M, b, m, beta = stretched(rng)
        needed += m > 1
        v_star = np.linalg.solve(np.eye(3) - M, b)
        path = [rng.normal(size=3) * 5]
        for _ in range(5 * m):
            path.append(M @ path[-1] + b)
        errors = [sup(v - v_star) for v in path]
        for k, error in enumerate(errors):
            assert error <= beta ** (k // m) * max(errors[:m]) + ROUNDING * (1 + errors[0] + sup(v_star))
    assert needed >= 30  # the plain theorem of Banach does not cover these


@pytest.mark.claim("thm-multistep", "tight")
def test_a_swap_with_one_shrinking_step_attains_the_rate():
    beta, v = 0.5, np.ones(2)
    for k in range(10):
        assert sup(v) == beta ** (k // 2)
        v = np.array([beta * v[1], v[0]])


@pytest.mark.claim("thm-multistep", "dropped")
def test_if_no_power_contracts_there_may_be_no_limit_or_no_fixed_point():
    turn = np.array([[0.0, -1.0], [1.0, 0.0]])
    v = np.array([1.0, 0.0])
    for _ in range(100):
        v = turn @ v
        assert np.linalg.norm(v) == 1  # the fixed point is 0
    x = np.random.default_rng(0).normal(size=100) * 10
    assert (x + 1) - x == pytest.approx(1.0)  # x -> x + 1 keeps distances, and moves every point


# ---------------------------------------------------------------------- Blackwell's conditions


@pytest.mark.claim("thm-blackwell-conditions", "random")
def test_games_satisfy_the_conditions_and_contract():
    for rng in streams(7):
        F = Game(rng)
        v, c = rng.normal(size=F.n) * 5, float(rng.exponential())
        u = rng.normal(size=F.n) * 5
        assert (F(np.minimum(u, v)) <= F(v) + ROUNDING).all()
        assert (F(v + c * F.w) <= F(v) + F.gamma * c * F.w + ROUNDING * (1 + c * F.w)).all()
        assert sup(F(u) - F(v), F.w) <= F.gamma * sup(u - v, F.w) * (1 + ROUNDING) + ROUNDING


@pytest.mark.claim("thm-blackwell-conditions", "tight")
def test_a_shift_is_discounted_by_exactly_gamma():
    for rng in streams(8, 20):
        F = Game(rng)
        v = rng.normal(size=F.n)
        assert sup(F(v + 2 * F.w) - F(v), F.w) == pytest.approx(2 * F.gamma)


@pytest.mark.claim("thm-blackwell-conditions", "dropped")
def test_without_monotonicity_shifts_are_discounted_and_distances_grow():
    M = 0.9 * np.array([[2.0, -1.0], [0.0, 1.0]])
    assert M @ np.ones(2) == pytest.approx(0.9)
    assert factor(M) == pytest.approx(2.7)


@pytest.mark.claim("thm-blackwell-conditions", "dropped")
def test_monotone_maps_that_do_not_discount_shifts_may_stretch():
    M = np.array([[0.5, 0.4], [0.4, 1.1]])  # monotone, as no entry is negative
    u, v = np.random.default_rng(0).normal(size=(2, 100, 2))
    assert (M @ np.minimum(u, v).T <= M @ v.T + ROUNDING).all()
    assert (M @ np.ones(2)).max() == factor(M) == 1.5


# ---------------------------------------------------------------------- perturbation


@pytest.mark.claim("thm-perturbed-fixed-point", "random")
def test_close_maps_have_close_fixed_points():
    for rng in streams(9):
        F, epsilon = Game(rng), float(10 ** rng.uniform(-3, 0))
        v_star = F.fixed_point()
        shift = rng.uniform(-1, 1, size=F.r.shape) * epsilon * F.w
        G = Game(rng)
        G.w, G.M, G.r, G.gamma = F.w, F.M, F.r + shift, F.gamma  # max and min move by at most epsilon w
        assert sup(G.fixed_point() - v_star, F.w) <= epsilon / (1 - F.gamma) + ROUNDING * (1 + sup(v_star, F.w))


@pytest.mark.claim("thm-perturbed-fixed-point", "random")
def test_iterates_with_errors_stay_within_the_bound():
    for rng in streams(10):
        F, epsilon = Game(rng), float(10 ** rng.uniform(-3, 0))
        v_star, v = F.fixed_point(), rng.normal(size=F.n)
        start = sup(v - v_star, F.w)
        for k in range(1, 40):
            v = F(v) + rng.choice([-1, 1], size=F.n) * epsilon * F.w
            bound = F.gamma**k * start + (1 - F.gamma**k) / (1 - F.gamma) * epsilon
            assert sup(v - v_star, F.w) <= bound + ROUNDING * (1 + start)


@pytest.mark.claim("thm-perturbed-fixed-point", "tight")
def test_an_error_that_always_has_one_sign_attains_both_bounds():
    gamma, epsilon, v = 0.9, 0.1, 2.0
    for k in range(1, 30):
        v = gamma * v + epsilon
        assert v == pytest.approx(gamma**k * 2 + (1 - gamma**k) / (1 - gamma) * epsilon)
    fixed = epsilon / (1 - gamma)
    assert gamma * fixed + epsilon == pytest.approx(fixed)


@pytest.mark.claim("thm-perturbed-fixed-point", "dropped")
def test_without_contraction_errors_add_up():
    v = 0.0
    for _ in range(1000):
        v = v + 0.1  # the identity, with an error of 0.1
    assert v == pytest.approx(100)


# ---------------------------------------------------------------------- asynchronous iteration


def asynchronous(F, v, steps, rng, B, D):
    """Each component once in any B steps, at times that differ from component to component; values up to D old."""
    path, n = [np.array(v, dtype=float)], len(v)
    turn = rng.integers(0, B, size=n)
    for t in range(steps):
        new = path[-1].copy()
        for i in np.flatnonzero((t % B == turn) | (rng.random(n) < 0.1)):
            ages = np.minimum(rng.integers(0, D + 1, size=n), t)
            new[i] = F(np.array([path[t - age][j] for j, age in enumerate(ages)]))[i]
        path.append(new)
    return path


@pytest.mark.claim("thm-asynchronous-boxes", "random")
def test_old_values_and_any_order_converge_at_the_stated_rate():
    for rng in streams(11):
        F = Game(rng, gamma=float(rng.uniform(0.1, 0.7)))
        B, D = int(rng.integers(1, 5)), int(rng.integers(0, 5))
        v_star, v = F.fixed_point(), rng.normal(size=F.n) * 10
        start = sup(v - v_star, F.w)
        for t, u in enumerate(asynchronous(F, v, 8 * (B + D), rng, B, D)):
            assert sup(u - v_star, F.w) <= F.gamma ** (t // (B + D)) * start + ROUNDING * (1 + start)


@pytest.mark.claim("thm-asynchronous-boxes", "tight")
def test_synchronous_scaling_attains_the_rate():
    rng, gamma = np.random.default_rng(0), 0.5
    for t, v in enumerate(asynchronous(lambda u: gamma * u, np.ones(3), 20, rng, 1, 0)):
        assert sup(v) == gamma**t


@pytest.mark.claim("thm-asynchronous-boxes", "dropped")
def test_a_contraction_of_the_two_norm_diverges_when_updated_in_turn():
    M, v = np.array([[-0.6, -0.6], [0.6, -0.6]]), np.ones(2)
    assert np.linalg.norm(M, 2) < 0.85
    for t in range(100):
        v[t % 2] = M[t % 2] @ v
    assert sup(v) > 1e4


@pytest.mark.claim("thm-asynchronous-boxes", "dropped")
def test_a_component_whose_turn_never_comes_or_values_that_stay_old_keep_the_error():
    never = np.array([1.0, 1.0])
    for _ in range(100):
        never[0] = 0.5 * never[1]
    assert never.tolist() == [0.5, 1.0]
    first, v = 1.0, 1.0
    for _ in range(100):
        v = 0.5 * first  # tau stays 0
    assert v == 0.5


# ---------------------------------------------------------------------- span


def stochastic(rng, *shape):
    return rng.dirichlet(np.full(shape[-1], 10 ** rng.uniform(-0.7, 0.5)), size=shape[:-1])


def overlap(rows):
    """Half the largest 1-norm between two of the rows."""
    return max(np.abs(a - b).sum() / 2 for a in rows for b in rows)


@pytest.mark.claim("prop-span-coefficient", "random", "tight")
def test_averaging_shrinks_the_span_by_the_coefficient_and_an_indicator_attains_it():
    for rng in streams(12):
        n = int(rng.integers(2, 7))
        P = stochastic(rng, n, n)
        delta = overlap(P)
        assert delta == pytest.approx(1 - min(np.minimum(a, b).sum() for a in P for b in P))
        v = rng.normal(size=n)
        assert span(P @ v) <= delta * span(v) + ROUNDING
        indicators = [np.array(bits) for bits in product([0.0, 1.0], repeat=n)]
        assert max(span(P @ f) for f in indicators if span(f)) == pytest.approx(delta)


@pytest.mark.claim("prop-span-coefficient", "dropped")
def test_rows_with_different_sums_give_constants_a_span():
    M, one = np.diag([0.5, 0.9]), np.ones(2)
    assert span(one) == 0
    assert span(M @ one) == pytest.approx(0.4)


@pytest.mark.claim("thm-span-fixed-point", "random")
def test_undiscounted_values_converge_up_to_constants_and_bracket_the_gain():
    for rng in streams(13):
        n = 3
        P, r = stochastic(rng, 2, n, n), rng.normal(size=(2, n))
        beta = overlap(P.reshape(-1, n))
        gains = []
        for policy in product(range(2), repeat=n):
            rows = (list(policy), np.arange(n))
            law = np.linalg.lstsq(np.vstack([(np.eye(n) - P[rows]).T, np.ones(n)]), np.r_[np.zeros(n), 1], rcond=None)[
                0
            ]
            gains.append(law @ r[rows])
        g = max(gains)  # of the best policy, by enumeration
        v_star = np.zeros(n)
        for _ in range(3000):
            v_star = (r + P @ v_star).max(axis=0)
            v_star -= v_star[0]
        v = rng.normal(size=n) * 5
        start = span(v - v_star)
        for k in range(30):
            assert span(v - v_star) <= beta**k * start + 1e-7 * (1 + start)
            step = (r + P @ v).max(axis=0) - v
            assert step.min() - 1e-7 <= g <= step.max() + 1e-7
            assert span(step) <= 2 * beta**k * start + 1e-6 * (1 + start)  # so both sides tend to g
            v = v + step


@pytest.mark.claim("thm-span-fixed-point", "tight")
def test_two_states_attain_the_rate_and_the_bracket():
    P, v = np.array([[0.8, 0.2], [0.3, 0.7]]), np.array([0.0, 1.0])
    for k in range(10):
        assert span(v) == pytest.approx(0.5**k)  # r = 0: v* = 0, and delta(P) = 0.5
        v = P @ v
    step = np.full(2, 1.5) + P @ np.ones(2) - np.ones(2)  # r = 1.5 everywhere, v = v*
    assert step.min() == step.max() == pytest.approx(1.5)


@pytest.mark.claim("thm-span-fixed-point", "dropped")
def test_a_periodic_chain_keeps_its_differences():
    P, v = np.array([[0.0, 1.0], [1.0, 0.0]]), np.array([0.0, 1.0])
    assert overlap(P) == 1
    for _ in range(100):
        v = P @ v
        assert span(v) == 1


@pytest.mark.claim("thm-span-fixed-point", "dropped")
def test_without_monotonicity_the_gain_may_leave_the_bracket():
    Q = np.array([[1.4, -0.4], [0.6, 0.4]])  # rows sum to one, one entry is negative; span shrinks by 0.8
    law = np.array([0.6, -0.4]) / 0.2
    assert law @ Q == pytest.approx(law)
    assert span(Q @ np.array([0.0, 1.0])) == pytest.approx(0.8)
    r = np.array([0.0, 1.0])
    g = law @ r
    assert g < r.min()  # at v = 0 the bracket is [0, 1], and the gain is -2


# ---------------------------------------------------------------------- weights


def nonnegative(rng, n=4):
    M = rng.exponential(size=(n, n)) * (rng.random((n, n)) < 0.5)
    M[0] += 1e-3
    M[:, 0] += 1e-3
    return M


@pytest.mark.claim("thm-spectral-weights", "random")
def test_the_stated_weights_contract():
    stretches = 0
    for rng in streams(14, 150):
        M = nonnegative(rng)
        M *= rng.uniform(0.2, 0.98) / radius(M)
        stretches += factor(M) > 1
        w = np.linalg.solve(np.eye(4) - M, np.ones(4))
        assert (w >= 1 - ROUNDING).all()
        assert M @ w == pytest.approx(w - 1)
        assert factor(M, w) == pytest.approx(1 - 1 / w.max())
        epsilon = float(rng.uniform(0.01, 0.5))
        scaled = M / (radius(M) + epsilon)
        close, term = np.zeros(4), np.ones(4)
        for _ in range(4000):
            close, term = close + term, scaled @ term
        assert factor(M, close) <= radius(M) + epsilon + ROUNDING
        assert factor(M, random_weights(rng, 4)) >= radius(M) - ROUNDING
    assert stretches >= 30  # so that weights were needed


@pytest.mark.claim("thm-spectral-weights", "random")
def test_a_map_dominated_by_the_matrix_converges_asynchronously():
    for rng in streams(15, 100):
        M = nonnegative(rng)
        M *= rng.uniform(0.2, 0.7) / radius(M)
        signs, b = rng.choice([-1, 1], size=(4, 4)), rng.normal(size=4)

        def F(v, M=M, signs=signs, b=b):
            return b + (M * signs) @ np.abs(v)  # |Fu - Fv| <= M |u - v|

        w = np.linalg.solve(np.eye(4) - M, np.ones(4))
        u, v = rng.normal(size=(2, 4))
        assert sup(F(u) - F(v), w) <= (1 - 1 / w.max()) * sup(u - v, w) + ROUNDING
        for _ in range(400):
            u = F(u)
        end = asynchronous(F, v, 400, rng, 2, 1)[-1]
        assert end == pytest.approx(u, abs=1e-6)


@pytest.mark.claim("thm-spectral-weights", "tight")
def test_an_eigenvector_as_weights_attains_the_spectral_radius():
    M, w = np.array([[0.2, 0.4], [0.1, 0.2]]), np.array([2.0, 1.0])
    assert M @ w == pytest.approx(0.4 * w)
    assert factor(M, w) == pytest.approx(radius(M)) == pytest.approx(0.4)


@pytest.mark.claim("thm-spectral-weights", "dropped")
def test_with_signs_a_small_spectral_radius_gives_no_weights():
    M = np.array([[-0.6, -0.6], [0.6, -0.6]])
    assert radius(M) < 0.85
    assert min(factor(M, np.array([1.0, x])) for x in np.logspace(-3, 3, 601)) >= 1.2 - ROUNDING
