"""Each statement of the chapter on linear-quadratic control, on random instances, where it is tight, where it breaks.

Nothing here trusts the solvers: costs of paths are summed step by step, minima come from one large least-squares
problem, infinite horizons from SciPy's Riccati and Lyapunov solvers, and derivatives from differences.
"""

from itertools import pairwise

import numpy as np
import pytest
from scipy.linalg import solve_discrete_are, solve_discrete_lyapunov

from rlcore.planning import lqr

NEVER_TIGHT = {
    "lem-square": "an equation: both sides agree on every instance",
    "thm-riccati": "an equation: both sides agree on every instance",
    "prop-mode": "an equation, and a property that follows from it",
    "thm-detectable": "it asserts existence, uniqueness and convergence, and gives no bound",
    "thm-certainty": "an equation: both sides agree on every instance",
    "prop-average-cost": "an equation: both sides agree on every instance",
    "prop-costate": "an equation: both sides agree on every instance",
    "prop-ilqr": "an equivalence and equations",
    "cor-line-search": "it asserts that a step exists, and gives no bound",
}
NOTHING_TO_DROP = {
    "prop-costate": "it holds for all smooth dynamics and costs",
}


def psd(rng, n, rank=None):
    """A random symmetric matrix without negative eigenvalues."""
    C = rng.normal(size=(n if rank is None else rank, n)) * 10 ** rng.uniform(-0.5, 0.5)
    return C.T @ C


def matrices(rng, *, definite=True):
    """A (n, n), B (n, m), Q and R, with 1 to 4 states and 1 to 3 controls; Q may be singular unless definite."""
    n, m = int(rng.integers(1, 5)), int(rng.integers(1, 4))
    A = rng.normal(size=(n, n)) * rng.uniform(0.2, 1.3) / np.sqrt(n)
    Q = psd(rng, n) + 0.05 * np.eye(n) if definite else psd(rng, n, int(rng.integers(1, n + 1)))
    return A, rng.normal(size=(n, m)), Q, psd(rng, m) + 0.1 * np.eye(m)


def instances(seed, n=120, **kwargs):
    for rng in np.random.default_rng(seed).spawn(n):
        yield *matrices(rng, **kwargs), rng


def best_gain(A, B, R, P):
    return np.linalg.inv(R + B.T @ P @ B) @ B.T @ P @ A


def T(A, B, Q, R, K, P):
    """The cost of a step with the gain K and of P afterwards, term by term."""
    closed = A - B @ K
    return Q + K.T @ R @ K + closed.T @ P @ closed


def F(A, B, Q, R, P):
    """Riccati's operator in the form without a gain."""
    return Q + A.T @ P @ A - A.T @ P @ B @ np.linalg.inv(R + B.T @ P @ B) @ B.T @ P @ A


def cost_of(A, B, Q, R, K):
    """The cost of a stabilising gain for ever, by SciPy's Lyapunov solver."""
    return solve_discrete_lyapunov((A - B @ K).T, Q + K.T @ R @ K)


def below(M, N, slack=1e-8):
    """Whether M <= N in the order of positive semidefinite matrices, up to rounding."""
    return np.linalg.eigvalsh((N - M + (N - M).T) / 2).min() >= -slack * (1 + np.abs(M).max() + np.abs(N).max())


def close(x, y, rtol=1e-7):
    np.testing.assert_allclose(x, y, rtol=rtol, atol=rtol * (1 + np.abs(y).max()))


def spectral_radius(M):
    return np.abs(np.linalg.eigvals(M)).max()


def stabilizing_gain(A, B, Q, R, rng):
    """A gain that stabilises and is far from the best: the optimum of another cost."""
    n, m = B.shape
    return best_gain(A, B, np.eye(m), solve_discrete_are(A, B, psd(rng, n) + 0.1 * np.eye(n), np.eye(m)))


# ---------------------------------------------------------------------- one step, a finite horizon


@pytest.mark.claim("lem-square", "random")
def test_a_step_costs_its_minimum_and_the_square_of_the_deviation():
    for A, B, Q, R, rng in instances(1):
        n, m = B.shape
        P, x, u, K = psd(rng, n), rng.normal(size=n), rng.normal(size=m), rng.normal(size=(m, n))
        S, K_P = R + B.T @ P @ B, best_gain(A, B, R, P)
        y = A @ x + B @ u
        paid = x @ Q @ x + u @ R @ u + y @ P @ y
        close(paid, x @ F(A, B, Q, R, P) @ x + (u + K_P @ x) @ S @ (u + K_P @ x))
        close(T(A, B, Q, R, K, P), F(A, B, Q, R, P) + (K - K_P).T @ S @ (K - K_P))
        problem = lqr.LinearQuadratic(A, B, Q, R)
        close(lqr.riccati(problem, P), F(A, B, Q, R, P))
        close(lqr.cost_step(problem, K, P), T(A, B, Q, R, K, P))
        close(lqr.gain(problem, P), K_P)


@pytest.mark.claim("lem-square", "dropped")
@pytest.mark.claim("thm-riccati", "dropped")
def test_if_control_earns_something_no_control_is_best():
    """R = -1, B = 1, P = 0: the cost of a step falls for ever with the control."""
    costs = [1.0 - u**2 for u in (0.0, 1.0, 10.0, 100.0)]
    assert all(a > b for a, b in pairwise(costs))
    with pytest.raises(ValueError, match="it must be positive definite"):
        lqr.LinearQuadratic(1.0, 1.0, 1.0, -1.0)


def changing(rng, H):
    """H random steps of one size, and a final cost."""
    n, m = int(rng.integers(1, 4)), int(rng.integers(1, 3))
    stages = [
        (rng.normal(size=(n, n)), rng.normal(size=(n, m)), psd(rng, n, 1), psd(rng, m) + 0.1 * np.eye(m))
        for _ in range(H)
    ]
    return stages, psd(rng, n)


def path_cost(stages, final, x, u, w=None):
    """The cost of controls u (H, m) from x, step by step."""
    total = 0.0
    for t, (A, B, Q, R) in enumerate(stages):
        total += x @ Q @ x + u[t] @ R @ u[t]
        x = A @ x + B @ u[t] + (0.0 if w is None else w[t])
    return total + x @ final @ x


@pytest.mark.claim("thm-riccati", "random")
def test_the_plan_costs_the_least_and_each_deviation_its_square():
    for rng in np.random.default_rng(2).spawn(120):
        H = int(rng.integers(1, 6))
        stages, final = changing(rng, H)
        plan = lqr.finite_horizon([lqr.LinearQuadratic(*stage) for stage in stages], terminal=final)
        x0, u = rng.normal(size=plan.P.shape[1]), rng.normal(size=(H, plan.K.shape[1]))
        paid, x = x0 @ plan.P[0] @ x0, x0
        for t, (A, B, _Q, R) in enumerate(stages):
            e = u[t] + plan.K[t] @ x
            paid += e @ (R + B.T @ plan.P[t + 1] @ B) @ e
            x = A @ x + B @ u[t]
        close(path_cost(stages, final, x0, u), paid)
        close(least_by_one_linear_system(stages, final, x0), x0 @ plan.P[0] @ x0)


def least_by_one_linear_system(stages, final, x0):
    """The minimum of the cost, a quadratic in all controls at once, from its values at points."""
    H, m = len(stages), stages[0][1].shape[1]
    d = H * m

    def J(z):
        return path_cost(stages, final, x0, z.reshape(H, m))

    unit, zero = np.eye(d), J(np.zeros(d))
    g = np.array([(J(e) - J(-e)) / 2 for e in unit])
    hessian = np.array([[J(e + f) - J(e) - J(f) + zero for f in unit] for e in unit])
    return zero - g @ np.linalg.solve(hessian, g) / 2


# ---------------------------------------------------------------------- the scalar case


@pytest.mark.claim("thm-scalar-riccati", "random")
def test_scalar_iterates_go_to_the_root_at_the_stated_rate():
    for rng in np.random.default_rng(3).spawn(150):
        a, b = rng.normal(size=2) * 1.5
        q, r, p = 10 ** rng.uniform(-1, 1, size=3)
        c = b**2 * q + (a**2 - 1) * r
        root = (c + np.sqrt(c**2 + 4 * b**2 * q * r)) / (2 * b**2)
        positive = np.roots([b**2, -c, -q * r])
        close(root, positive[positive > 0].item(), 1e-6)
        close(lqr.infinite_horizon(lqr.LinearQuadratic(a, b, q, r)).P.item(), root, 1e-6)
        closed, rate = a * r / (r + b**2 * root), 1 - q / root
        assert abs(closed) < 1
        close(closed, a - b * (a * b * root / (r + b**2 * root)))
        for _ in range(6):
            new = q + a**2 * r * p / (r + b**2 * p)
            assert abs(new - root) <= rate * abs(p - root) + 1e-9 * root
            assert (new - root) * (p - root) >= -1e-9 * root**2
            p = new
        near = root * (1 + 1e-4)
        ratio = (q + a**2 * r * near / (r + b**2 * near) - root) / (near - root)
        assert ratio == pytest.approx(closed**2, rel=1e-3, abs=1e-6)


@pytest.mark.claim("thm-scalar-riccati", "tight")
def test_the_first_scalar_step_from_zero_attains_the_rate():
    phi = (1 + np.sqrt(5)) / 2
    assert 1 - phi == pytest.approx((1 - 1 / phi) * (0 - phi))


@pytest.mark.claim("thm-scalar-riccati", "dropped")
def test_if_the_state_costs_nothing_there_are_two_roots_and_zero_keeps_to_the_wrong_one():
    def step(p):
        return 4 * p / (1 + p)

    assert step(0.0) == 0.0
    assert step(3.0) == 3.0
    p = 1e-9
    for _ in range(80):
        p = step(p)
    assert p == pytest.approx(3.0)


# ---------------------------------------------------------------------- modes


@pytest.mark.claim("prop-mode", "random")
def test_no_control_moves_a_mode_whose_left_eigenvector_the_control_does_not_touch():
    """A real mode, or a complex pair, below a block that the control moves; in coordinates drawn at random."""
    for A, B, _Q, _R, rng in instances(4):
        modulus, turn = rng.uniform(1.01, 1.5), rng.choice([0.0, rng.uniform(0.2, 3)])
        mode = modulus * np.exp(1j * turn)
        block = np.array([[mode.real, mode.imag], [-mode.imag, mode.real]]) if turn else np.array([[modulus]])
        k, n, m = len(block), len(A) + len(block), B.shape[1]
        big, inputs = np.zeros((n, n)), np.zeros((n, m))
        big[:-k, :-k], big[:-k, -k:], big[-k:, -k:], inputs[:-k] = A, rng.normal(size=(n - k, k)), block, B
        change = rng.normal(size=(n, n)) + 2 * np.eye(n)
        A2, B2 = change @ big @ np.linalg.inv(change), change @ inputs
        w = (np.array([1, -1j]) if turn else np.ones(1)) @ np.linalg.inv(change)[-k:]
        mode = mode if np.allclose(w @ A2, mode * w, atol=1e-6 * np.abs(A2).max()) else mode.conjugate()
        scale = 1e-8 * np.linalg.cond(change) * (1 + np.abs(w).max()) * (1 + np.abs(A2).max())
        np.testing.assert_allclose(w @ A2, mode * w, atol=scale)
        np.testing.assert_allclose(w @ B2, np.zeros(m), atol=scale)
        x = x0 = rng.normal(size=n)
        total = 0.0
        for t in range(6):
            np.testing.assert_allclose(w @ x, mode**t * (w @ x0), atol=10 * scale)
            total += x @ x  # Q = I
            x = A2 @ x + B2 @ rng.normal(size=m)
        assert total >= (1 - 1e-9) * sum(modulus ** (2 * t) for t in range(6)) * abs(w @ x0) ** 2 / (abs(w) ** 2).sum()
        closed = A2 - B2 @ rng.normal(size=(m, n))
        assert np.abs(np.linalg.eigvals(closed) - mode).min() < 1e-4
        problem = lqr.LinearQuadratic(A2, B2, np.eye(n), np.eye(m))
        assert not lqr.stabilizable(problem)
        with pytest.raises(ValueError, match="not stabilisable: A has the eigenvalue"):
            lqr.infinite_horizon(problem)


@pytest.mark.claim("prop-mode", "dropped")
def test_a_mode_that_the_control_touches_can_be_moved():
    assert spectral_radius(np.array([[2.0]]) - np.array([[1.0]]) @ np.array([[1.5]])) == 0.5


# ---------------------------------------------------------------------- the infinite horizon


@pytest.mark.claim("lem-riccati-operator", "random")
def test_the_operator_is_a_minimum_monotone_and_concave():
    for A, B, Q, R, rng in instances(5, definite=False):
        n, m = B.shape
        P, more, K, s = psd(rng, n), psd(rng, n), rng.normal(size=(m, n)), rng.uniform()
        other = psd(rng, n)
        assert below(F(A, B, Q, R, P), T(A, B, Q, R, K, P))
        assert below(F(A, B, Q, R, P), F(A, B, Q, R, P + more))
        assert below(T(A, B, Q, R, K, P), T(A, B, Q, R, K, P + more))
        mixed = F(A, B, Q, R, s * P + (1 - s) * other)
        assert below(s * F(A, B, Q, R, P) + (1 - s) * F(A, B, Q, R, other), mixed)


@pytest.mark.claim("lem-riccati-operator", "tight")
def test_without_influence_the_operator_is_affine():
    A, B, Q, R = np.array([[0.7]]), np.zeros((1, 1)), np.eye(1), np.eye(1)
    P, other = np.array([[2.0]]), np.array([[5.0]])
    close(F(A, B, Q, R, (P + other) / 2), (F(A, B, Q, R, P) + F(A, B, Q, R, other)) / 2)
    close(F(A, B, Q, R, P), T(A, B, Q, R, np.zeros((1, 1)), P))


@pytest.mark.claim("lem-riccati-operator", "dropped")
def test_for_indefinite_matrices_the_gain_may_be_a_maximum():
    A = B = Q = R = np.eye(1)
    P = np.array([[-2.0]])
    assert F(A, B, Q, R, P) > T(A, B, Q, R, np.array([[5.0]]), P)


@pytest.mark.claim("thm-infinite-riccati", "random")
def test_the_iterates_rise_to_the_least_cost_and_any_error_shrinks_by_the_share_paid_at_once():
    for A, B, Q, R, rng in instances(6):
        n = len(A)
        best = solve_discrete_are(A, B, Q, R)
        K = best_gain(A, B, R, best)
        beta = np.linalg.eigvals(np.linalg.solve(best, Q)).real.min()
        assert 0 < beta <= 1 + 1e-9
        P = np.zeros((n, n))
        for _ in range(8):
            new = F(A, B, Q, R, P)
            assert below(P, new)
            assert below(new, best)
            P = new
        closed = A - B @ K
        assert below(closed.T @ best @ closed, (1 - beta) * best)
        assert spectral_radius(closed) < 1
        close(cost_of(A, B, Q, R, K), best, 1e-6)
        P = psd(rng, n) * 3
        relative = np.linalg.eigvals(np.linalg.solve(best, P)).real
        theta = max(relative.max() - 1, 1 - relative.min())
        for _ in range(5):
            P, theta = F(A, B, Q, R, P), (1 - beta) * theta
            assert below((1 - theta) * best, P)
            assert below(P, (1 + theta) * best)


@pytest.mark.claim("thm-infinite-riccati", "random")
def test_no_other_gain_costs_less():
    for A, B, Q, R, rng in instances(7):
        best = solve_discrete_are(A, B, Q, R)
        assert below(best, cost_of(A, B, Q, R, stabilizing_gain(A, B, Q, R, rng)), 1e-6)
        close(cost_of(A, B, Q, R, best_gain(A, B, R, best)), best, 1e-6)


@pytest.mark.claim("thm-infinite-riccati", "tight")
def test_from_zero_the_scalar_recursion_attains_the_rate():
    """a = b = q = r = 1: beta = 1/phi, and after the first step the lower bound (1 - (1 - beta)) phi = 1 is reached."""
    phi = (1 + np.sqrt(5)) / 2
    assert F(*np.ones((4, 1, 1)), np.zeros((1, 1))).item() == pytest.approx((1 - (1 - 1 / phi)) * phi)


@pytest.mark.claim("thm-infinite-riccati", "dropped")
def test_without_a_stabilising_gain_the_iterates_have_no_bound():
    A, B, Q, R, P = np.diag([0.5, 2.0]), np.array([[1.0], [0.0]]), np.eye(2), np.eye(1), np.zeros((2, 2))
    for _ in range(20):
        P = F(A, B, Q, R, P)
    assert P[1, 1] > 4.0**19


@pytest.mark.claim("thm-infinite-riccati", "dropped")
@pytest.mark.claim("thm-detectable", "dropped")
def test_an_unstable_mode_that_costs_nothing_makes_two_solutions_and_the_least_does_not_stabilise():
    A, B, Q, R = np.array([[2.0]]), np.eye(1), np.zeros((1, 1)), np.eye(1)
    for P in (np.zeros((1, 1)), np.array([[3.0]])):
        close(F(A, B, Q, R, P), P)
    regulator = lqr.infinite_horizon(lqr.LinearQuadratic(A, B, Q, R))
    assert regulator.P == 0
    assert not regulator.stabilizing


@pytest.mark.claim("thm-detectable", "random")
def test_if_unstable_modes_cost_something_all_starts_lead_to_one_stabilising_solution():
    singular = 0
    for A, B, Q, R, rng in instances(8, 150, definite=False):
        modes, vectors = np.linalg.eig(A)
        seen = np.linalg.norm(Q @ vectors, axis=0)
        if (seen[np.abs(modes) >= 1] < 1e-2).any():
            continue
        singular += np.linalg.matrix_rank(Q) < len(Q)
        best = solve_discrete_are(A, B, Q, R)
        closed = A - B @ best_gain(A, B, R, best)
        assert spectral_radius(closed) < 1
        if spectral_radius(closed) > 0.97:  # too slow to wait for
            continue
        steps = int(np.ceil(-12 / np.log(max(spectral_radius(closed), 0.1)))) + 50
        for P in (np.zeros_like(Q), psd(rng, len(Q)) * 10):
            for _ in range(steps):
                P = F(A, B, Q, R, P)
                P = (P + P.T) / 2
            close(P, best, 1e-5)
    assert singular >= 40


# ---------------------------------------------------------------------- noise


@pytest.mark.claim("thm-certainty", "random")
def test_with_noise_of_any_law_the_plan_without_noise_is_best_and_costs_a_constant_more():
    """Exact: the noise takes n + 1 values with equal chances, all sequences of two steps are gone through."""
    for rng in np.random.default_rng(9).spawn(120):
        stages, final = changing(rng, 2)
        n, m = stages[0][1].shape
        values = rng.normal(size=(2, n + 1, n))
        values -= values.mean(axis=1, keepdims=True)
        W = np.einsum("tki,tkj->tij", values, values) / (n + 1)
        problems = [lqr.LinearQuadratic(*stage, W=w) for stage, w in zip(stages, W, strict=True)]
        plan, x0 = lqr.finite_horizon(problems, terminal=final), rng.normal(size=n)
        quiet = lqr.finite_horizon([lqr.LinearQuadratic(*stage) for stage in stages], terminal=final)
        close(plan.K, quiet.K)

        def expected(first, second, stages=stages, final=final, values=values, x0=x0, n=n):
            """The mean cost if `first` is used at once and `second(i, x)` after the i-th noise."""
            total, (A, B, _Q, _R) = 0.0, stages[0]
            for i in range(n + 1):
                u = np.array([first, second(i, A @ x0 + B @ first + values[0, i])])
                for j in range(n + 1):
                    total += path_cost(stages, final, x0, u, [values[0, i], values[1, j]])
            return total / (n + 1) ** 2

        promised = x0 @ plan.P[0] @ x0 + plan.c[0]
        close(expected(-plan.K[0] @ x0, lambda i, x, K=plan.K[1]: -K @ x), promised)
        for _ in range(3):
            free, first = rng.normal(size=(n + 1, m)), rng.normal(size=m)
            assert expected(first, lambda i, x, free=free: free[i]) >= promised - 1e-8 * (1 + promised)


@pytest.mark.claim("thm-certainty", "dropped")
def test_noise_with_a_mean_changes_the_best_control():
    """x' = u + w, cost u^2 + x'^2: with E w = 1 the best control is -1/2, at every state, and not -0 x."""
    u = np.linspace(-2, 2, 4001)
    assert u[np.argmin(u**2 + (u + 1) ** 2)] == pytest.approx(-0.5)
    assert lqr.finite_horizon(lqr.LinearQuadratic(0.0, 1.0, 0.0, 1.0), 1, terminal=1.0).K == 0


@pytest.mark.claim("prop-average-cost", "random")
def test_the_cost_of_many_steps_by_propagating_moments():
    for A, B, Q, R, rng in instances(10):
        K = stabilizing_gain(A, B, Q, R, rng)
        n, closed, P = len(A), A - B @ K, cost_of(A, B, Q, R, K)
        W, x0 = psd(rng, n), rng.normal(size=n)
        second, total = np.outer(x0, x0), 0.0
        for steps in range(1, 501):
            total += np.trace((Q + K.T @ R @ K) @ second)
            second = closed @ second @ closed.T + W
            if steps in (1, 7, 500):
                close(total, steps * np.trace(P @ W) + x0 @ P @ x0 - np.trace(P @ second), 1e-6)
        if spectral_radius(closed) < 0.9:
            close(np.trace((Q + K.T @ R @ K) @ second), np.trace(P @ W), 1e-6)  # of the last step


@pytest.mark.claim("prop-average-cost", "dropped")
def test_if_the_closed_loop_is_not_stable_the_cost_per_step_grows():
    """x' = x + w, cost x^2, variance 1: the second moment is t, so the mean over T steps is (T - 1) / 2."""
    walk = lqr.LinearQuadratic(1.0, 0.0, 1.0, 1.0, W=1.0)  # no control has an influence
    assert [lqr.finite_horizon(walk, T).c[0] / T for T in (11, 101, 1001)] == [5, 50, 500]


@pytest.mark.claim("prop-multiplicative", "random")
def test_uncertain_actuators_make_gains_smaller_and_have_a_threshold():
    kinds = []
    for rng in np.random.default_rng(11).spawn(150):
        a, b = rng.normal(size=2) * 1.5
        q, r = 10 ** rng.uniform(-1, 1, size=2)
        sigma, K = abs(rng.normal()) * 1.5, np.linspace(-6, 6, 60_001)
        p = 0.0
        for _ in range(4):
            costs = q + K**2 * r + p * ((a - b * K) ** 2 + sigma**2 * K**2)
            best = a * b * p / (r + (b**2 + sigma**2) * p)
            new = q + a**2 * p - (a * b * p) ** 2 / (r + (b**2 + sigma**2) * p)
            if abs(best) < 5.9:
                assert costs.min() == pytest.approx(new, rel=1e-4)
                assert abs(K[costs.argmin()] - best) < 1e-2
            assert abs(best) <= abs(a * b * p / (r + b**2 * p))
            p = new
        slope = a**2 * sigma**2 / (b**2 + sigma**2)
        if 0.9 < slope < 1:
            continue
        for _ in range(3000):
            before, p = p, q + a**2 * p - (a * b * p) ** 2 / (r + (b**2 + sigma**2) * p)
            if p > 1e100:
                break
        kinds.append(slope < 1)
        assert (p - before <= 1e-9 * p) if slope < 1 else (p - before >= q * (1 - 1e-9))
    assert min(sum(kinds), len(kinds) - sum(kinds)) >= 15
    assert len(kinds) >= 100


@pytest.mark.claim("prop-multiplicative", "tight")
def test_at_the_threshold_the_cost_still_grows():
    a, p = np.sqrt(2.0), 0.0  # b = sigma = 1: the slope is a^2 / 2 = 1
    for k in range(1, 500):
        p = 1 + a**2 * p - (a * p) ** 2 / (1 + 2 * p)
        assert p >= k


@pytest.mark.claim("prop-multiplicative", "dropped")
def test_without_this_noise_every_strength_of_the_mode_has_a_finite_cost():
    assert lqr.infinite_horizon(lqr.LinearQuadratic(50.0, 1.0, 1.0, 1.0)).converged


# ---------------------------------------------------------------------- gains, policy iteration, a grid


@pytest.mark.claim("thm-gain-loss", "random")
def test_a_gain_loses_the_squares_of_its_error_and_policy_iteration_mends_it_quadratically():
    for A, B, Q, R, rng in instances(12):
        best = solve_discrete_are(A, B, Q, R)
        K_best, S = best_gain(A, B, R, best), R + B.T @ best @ B
        K = stabilizing_gain(A, B, Q, R, rng)
        error, closed = K - K_best, A - B @ K
        cost = cost_of(A, B, Q, R, K)
        close(cost - best, solve_discrete_lyapunov(closed.T, error.T @ S @ error), 1e-6)
        gaps = [np.linalg.norm(cost - best)]
        for _ in range(7):
            K = best_gain(A, B, R, cost)
            assert spectral_radius(A - B @ K) < 1
            new = cost_of(A, B, Q, R, K)
            assert below(new, cost)
            cost = new
            gaps.append(np.linalg.norm(cost - best))
        scale = np.linalg.norm(best)
        assert gaps[-1] <= 1e-6 * scale
        for gap, after in pairwise(gaps):  # the constant 100 is generous: it is the square that matters
            if gap < 1e-2 * scale:
                assert after <= 100 * gap**2 / scale + 1e-9 * scale


@pytest.mark.claim("thm-gain-loss", "tight")
def test_only_the_best_gain_loses_nothing():
    A, B, Q, R = np.ones((4, 1, 1))
    phi = (1 + np.sqrt(5)) / 2
    assert cost_of(A, B, Q, R, np.array([[1 / phi]])).item() == pytest.approx(phi)


@pytest.mark.claim("thm-gain-loss", "dropped")
def test_from_a_gain_that_does_not_stabilise_the_linear_equation_has_no_cost():
    """a = 2, b = q = r = 1, K = 0: the solution of p = 1 + 4p is negative, and the cost is infinite."""
    assert cost_of(2 * np.eye(1), np.eye(1), np.eye(1), np.eye(1), np.zeros((1, 1))).item() == pytest.approx(-1 / 3)
    with pytest.raises(ValueError, match="K0 does not stabilise"):
        lqr.policy_iteration(lqr.LinearQuadratic(2.0, 1.0, 1.0, 1.0), [[0.0]])


def grid_cost(q, r, gamma, h, points, largest=np.inf):
    """Optimal costs on the multiples of h, by value iteration until nothing changes."""
    x = h * np.arange(-points, points + 1)
    moves = x[None, :] - x[:, None]
    step = np.where(np.abs(moves) <= largest, q * x[:, None] ** 2 + r * moves**2, np.inf)
    v = np.zeros(len(x))
    for _ in range(int(np.ceil(-30 / np.log(gamma))) + 1):
        v = (step + gamma * v).min(axis=1)
    return x, v


@pytest.mark.claim("prop-grid", "random")
def test_a_table_is_above_the_quadratic_by_less_than_the_bound():
    for rng in np.random.default_rng(13).spawn(120):
        q, r = 10 ** rng.uniform(-1, 1, size=2)
        gamma, h = rng.uniform(0.3, 0.95), rng.uniform(0.05, 0.5)
        p = solve_discrete_are(*np.array([[[np.sqrt(gamma)]]] * 2), [[q]], [[r]]).item()
        x, v = grid_cost(q, r, gamma, h, int(rng.integers(2, 25)))
        gap, bound = v - p * x**2, (r + gamma * p) * h**2 / (4 * (1 - gamma))
        assert (gap >= -1e-8 * (1 + v)).all()
        assert (gap <= bound + 1e-8 * (1 + v)).all()


@pytest.mark.claim("prop-grid", "tight")
def test_if_moving_half_a_cell_would_be_best_the_bound_is_nearly_attained():
    """With a gain just below 1/2 and a small discount factor, the state h stays where it is, half a cell from best."""
    gamma, h = 0.01, 0.25
    K = 0.999 * np.sqrt(1 - gamma) / (1 + np.sqrt(1 - gamma))
    p = K / (1 - K) / gamma  # of r = 1, as K = gamma p / (r + gamma p)
    x, v = grid_cost(p - K, 1.0, gamma, h, 8)
    gap, bound = v - p * x**2, (1 + gamma * p) * h**2 / (4 * (1 - gamma))
    assert 0.98 * bound < gap[9] <= bound
    assert gap[8] == 0  # and at the origin the lower bound is


@pytest.mark.claim("prop-grid", "dropped")
def test_if_moves_are_short_the_bound_fails():
    gamma, h = 0.9, 0.125
    p = solve_discrete_are(*np.array([[[np.sqrt(gamma)]]] * 2), [[1.0]], [[1.0]]).item()
    x, v = grid_cost(1.0, 1.0, gamma, h, 16, largest=h)
    assert (v - p * x**2).max() > 10 * (1 + gamma * p) * h**2 / (4 * (1 - gamma))


# ---------------------------------------------------------------------- paths


class Smooth:
    """Random smooth dynamics and costs, that are not convex, with derivatives by hand."""

    def __init__(self, rng, *, bend=1.0):
        self.n, self.m = int(rng.integers(1, 4)), int(rng.integers(1, 3))
        self.A, self.B = rng.normal(size=(self.n, self.n)) * 0.7, rng.normal(size=(self.n, self.m))
        self.D, self.bend = rng.normal(size=(self.n, self.n)) * 0.5, bend
        self.Q, self.R = psd(rng, self.n), psd(rng, self.m) + 0.3 * np.eye(self.m)

    def f(self, x, u):
        return self.A @ x + self.B @ u + self.bend * np.sin(self.D @ x)

    def cost(self, x, u):
        return 0.5 * x @ self.Q @ x + 0.5 * u @ self.R @ u + self.bend * np.cos(x).sum()

    def final(self, x):
        return x @ self.Q @ x

    def total(self, x, u):
        total = 0.0
        for control in u:
            total += self.cost(x, control)
            x = self.f(x, control)
        return total + self.final(x)

    def path(self, x, u):
        states = [x]
        for control in u:
            states.append(self.f(states[-1], control))
        return states

    def expand(self, x, u):
        fx = self.A + self.bend * np.cos(self.D @ x)[:, None] * self.D
        lxx = self.Q - self.bend * np.diag(np.cos(x))
        lx = self.Q @ x - self.bend * np.sin(x)
        return lqr.Expansion(fx, self.B, lx, self.R @ u, lxx, np.zeros((self.m, self.n)), self.R)

    def expand_final(self, x):
        return 2 * self.Q @ x, 2 * self.Q


def smooth(seed, n=120, **kwargs):
    for rng in np.random.default_rng(seed).spawn(n):
        model, H = Smooth(rng, **kwargs), int(rng.integers(1, 6))
        yield model, rng.normal(size=model.n), rng.normal(size=(H, model.m)), rng


def gradient_of(model, x0, u, h=1e-5):
    """By central differences of the cost of the whole path."""
    g = np.empty(u.size)
    for i, e in enumerate(np.eye(u.size)):
        e = h * e.reshape(u.shape)
        g[i] = (model.total(x0, u + e) - model.total(x0, u - e)) / (2 * h)
    return g


def model_hessian(model, x0, u):
    """The matrix H of the linear-quadratic model, and the part that the curvature of the dynamics adds."""
    x, d, m = model.path(x0, u), u.size, model.m
    dx, H, prices = np.zeros((model.n, d)), np.zeros((d, d)), [model.expand_final(x[-1])[0]]
    for t in reversed(range(len(u))):
        at = model.expand(x[t], u[t])
        prices.insert(0, at.lx + at.fx.T @ prices[0])
    curved = np.zeros((d, d))
    for t in range(len(u)):
        at, du = model.expand(x[t], u[t]), np.eye(d)[t * m : (t + 1) * m]
        H += dx.T @ at.lxx @ dx + du.T @ at.luu @ du
        bent = -model.bend * np.sin(model.D @ x[t]) * prices[t + 1]
        curved += (model.D @ dx).T @ np.diag(bent) @ (model.D @ dx)
        dx = at.fx @ dx + at.fu @ du
    return H + dx.T @ model.expand_final(x[-1])[1] @ dx, curved


def direction_of(model, x0, u, mu):
    """The direction that the solver's backward pass finds, or None: k - K dx followed along the linear model."""
    from rlcore.planning import _ilqr

    problem, x, u = _ilqr._start(model.f, model.cost, model.final, x0, u, model.expand, model.expand_final)
    local, _ = _ilqr._gradient(problem, x, u)
    found = _ilqr._backward(local, problem.expand_final(x[-1]), mu)
    if found is None:
        return None
    dx, du = np.zeros(model.n), []
    for t, (k, K) in enumerate(zip(*found, strict=True)):
        du.append(k - K @ dx)
        dx = local.fx[t] @ dx + local.fu[t] @ du[-1]
    return np.concatenate(du)


@pytest.mark.claim("prop-costate", "random")
def test_the_backward_pass_is_the_gradient():
    for model, x0, u, _rng in smooth(14):
        g = gradient_of(model, x0, u)
        by_hand = {"expand": model.expand, "expand_final": model.expand_final}
        found = lqr.gradient(model.f, model.cost, model.final, x0, u, **by_hand)
        np.testing.assert_allclose(found.ravel(), g, atol=1e-6 * (1 + np.abs(g).max()))


@pytest.mark.claim("prop-ilqr", "random")
def test_the_direction_solves_the_linear_system_of_the_model_and_exists_when_it_is_positive():
    kinds = []
    for model, x0, u, rng in smooth(15, 200, bend=3.0):
        H, _ = model_hessian(model, x0, u)
        mu = float(rng.choice([0.0, 1.0]))
        lowest = np.linalg.eigvalsh(H + mu * np.eye(len(H)))[0]
        if abs(lowest) < 1e-6:
            continue
        d = direction_of(model, x0, u, mu)
        kinds.append(lowest > 0)
        assert (d is not None) == (lowest > 0)
        if d is not None:
            g = gradient_of(model, x0, u)
            np.testing.assert_allclose((H + mu * np.eye(len(H))) @ d, -g, atol=1e-5 * (1 + np.abs(g).max()))
            assert g @ d < 0
    assert min(sum(kinds), len(kinds) - sum(kinds)) >= 20
    assert len(kinds) >= 150


@pytest.mark.claim("prop-ilqr", "random")
def test_the_model_lacks_the_curvature_of_the_dynamics_weighed_by_prices():
    for model, x0, u, _rng in smooth(16):
        H, curved = model_hessian(model, x0, u)
        h, rows = 1e-4, []
        for e in np.eye(u.size):
            e = h * e.reshape(u.shape)
            rows.append((gradient_of(model, x0, u + e, 1e-4) - gradient_of(model, x0, u - e, 1e-4)) / (2 * h))
        np.testing.assert_allclose(np.array(rows), H + curved, atol=2e-5 * (1 + np.abs(H + curved).max()))


@pytest.mark.claim("prop-ilqr", "random")
def test_on_a_linear_quadratic_problem_one_step_is_enough():
    for model, x0, u, _rng in smooth(17, bend=0.0):
        arguments = {"expand": model.expand, "expand_final": model.expand_final, "tol": 1e-6 * (1 + np.abs(u).max())}
        result = lqr.ilqr(model.f, model.cost, model.final, x0, u, **arguments)
        assert len(result.history["cost"]) == 1
        assert result.converged
        stage = lqr.LinearQuadratic(model.A, model.B, model.Q / 2, model.R / 2)
        plan = lqr.finite_horizon(stage, len(u), terminal=model.Q)
        close(result.cost, x0 @ plan.P[0] @ x0, 1e-6)


@pytest.mark.claim("prop-ilqr", "dropped")
def test_without_a_positive_definite_model_the_solution_of_the_system_may_lead_uphill():
    """J(u) = cos(u) near u = 0.1 has g = -sin u < 0 and H = -cos u < 0: the Newton direction -g/H points uphill."""
    u = 0.1
    g, H = -np.sin(u), -np.cos(u)
    assert g * (-g / H) > 0
    found = lqr.ilqr(lambda x, u: x, lambda x, u: np.cos(u).item(), lambda x: 0.0, [0.0], [[u]])
    assert found.history["mu"][0] > -H  # with it the direction leads downhill
    assert np.cos(found.u.item()) == pytest.approx(-1)


@pytest.mark.claim("cor-line-search", "random")
def test_short_steps_along_the_feedback_path_lower_the_cost_as_the_slope_says():
    from rlcore.planning import _ilqr

    tested = 0
    for model, x0, u, _rng in smooth(18, 150):
        problem, x, u = _ilqr._start(model.f, model.cost, model.final, x0, u, model.expand, model.expand_final)
        local, _ = _ilqr._gradient(problem, x, u)
        g = gradient_of(model, x0, u)
        mu = 1.0
        while (found := _ilqr._backward(local, problem.expand_final(x[-1]), mu)) is None:
            mu *= 10
        slope = g @ direction_of(model, x0, u, mu)
        if slope > -1e-3:
            continue
        tested += 1
        costs = [model.total(x0, _ilqr._forward(problem, x, u, found, s)[1]) for s in (1e-5, -1e-5)]
        assert (costs[0] - costs[1]) / 2e-5 == pytest.approx(slope, rel=1e-3, abs=1e-5)
        assert costs[0] < model.total(x0, u) + 1e-4 * 1e-5 * slope
    assert tested >= 100


@pytest.mark.claim("cor-line-search", "dropped")
def test_where_the_gradient_vanishes_no_step_is_looked_for():
    pendulum = lqr.Pendulum()
    rest = lqr.ilqr(pendulum.step, pendulum.cost, pendulum.final_cost, pendulum.hanging, np.zeros((20, 1)))
    assert rest.converged
    assert not len(rest.history["cost"])
    assert (rest.u == 0).all()
