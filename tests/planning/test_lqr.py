"""Linear-quadratic control: gains against SciPy, closed forms, certificates, iLQR on the pendulum, bad input."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.linalg import expm, solve_discrete_are

from rlcore.planning import lqr

PHI = (1 + np.sqrt(5)) / 2
GOLDEN = lqr.LinearQuadratic(1.0, 1.0, 1.0, 1.0)
CART = lqr.LinearQuadratic([[1, 0.1], [0, 1]], [[0.005], [0.1]], np.diag([1, 0.1]), 0.1)
PENDULUM = lqr.Pendulum()
MODEL = (PENDULUM.step, PENDULUM.cost, PENDULUM.final_cost)
BY_HAND = {"expand": PENDULUM.expand, "expand_final": PENDULUM.expand_final}


def systems(seed, n=120):
    """Random systems, every second one discounted, with costs of any rank."""
    for i, rng in enumerate(np.random.default_rng(seed).spawn(n)):
        states, controls = int(rng.integers(1, 7)), int(rng.integers(1, 4))
        A = rng.normal(size=(states, states)) * rng.uniform(0.2, 1.2)
        B = rng.normal(size=(states, controls))
        C = rng.normal(size=(int(rng.integers(1, states + 1)), states))
        D = rng.normal(size=(controls, controls))
        gamma = 1.0 if i % 2 else float(rng.uniform(0.5, 1))
        yield lqr.LinearQuadratic(A, B, C.T @ C, D.T @ D + 0.1 * np.eye(controls), gamma=gamma), rng


def turned(problem, rng):
    """The same problem in coordinates turned at random."""
    U = np.linalg.qr(rng.normal(size=(problem.n, problem.n)))[0]
    return replace(problem, A=U @ problem.A @ U.T, B=U @ problem.B, Q=U @ problem.Q @ U.T), U


# ---------------------------------------------------------------------- the infinite horizon


def test_gains_agree_with_scipy_on_random_systems():
    for problem, _rng in systems(0):
        root = np.sqrt(problem.gamma)
        P = solve_discrete_are(root * problem.A, root * problem.B, problem.Q, problem.R)
        K = np.linalg.solve(
            problem.R + problem.gamma * problem.B.T @ P @ problem.B, problem.gamma * problem.B.T @ P @ problem.A
        )
        found = lqr.infinite_horizon(problem)
        np.testing.assert_allclose(found.P, P, rtol=1e-6, atol=1e-7 * np.abs(P).max())
        np.testing.assert_allclose(found.K, K, rtol=1e-6, atol=1e-7 * np.abs(K).max())
        assert found.stabilizing
        assert found.converged
        assert found.residual <= 1.01e-10
        assert found.residual == pytest.approx(found.history[-1], rel=0.01, abs=1e-13)


def test_bounds_enclose_the_optimum_at_every_tolerance():
    finite = 0
    for problem, _rng in systems(1, 60):
        best = lqr.infinite_horizon(problem).P
        for tol in (0.5, 1e-2, 1e-6):
            low, high = lqr.infinite_horizon(problem, tol=tol).bounds
            slack = 1e-7 * np.abs(best).max()
            assert np.linalg.eigvalsh(best - low)[0] >= -slack
            if np.isfinite(high).all():
                finite += 1
                assert np.linalg.eigvalsh(high - best)[0] >= -slack
    assert finite >= 120


def test_policy_iteration_agrees_and_needs_few_rounds():
    for problem, _rng in systems(2, 60):
        start = lqr.infinite_horizon(problem, tol=1e-2)
        if start.radius >= 0.999:
            continue
        slow, fast = lqr.infinite_horizon(problem), lqr.policy_iteration(problem, start.K)
        np.testing.assert_allclose(fast.P, slow.P, rtol=1e-5, atol=1e-7 * np.abs(slow.P).max())
        assert fast.iterations <= 10
        assert fast.stabilizing


def test_policy_iteration_finds_the_stabilising_solution_where_the_cost_is_blind():
    found = lqr.policy_iteration(lqr.LinearQuadratic(2.0, 1.0, 0.0, 1.0), 1.7)
    assert found.P.item() == pytest.approx(3)  # r (a^2 - 1) / b^2, not the least cost 0
    assert found.stabilizing


def test_the_golden_ratio():
    found = lqr.infinite_horizon(GOLDEN)
    assert found.P.item() == pytest.approx(PHI)
    assert found.K.item() == pytest.approx(1 / PHI)
    assert found.radius == pytest.approx(1 / PHI**2)
    plan = lqr.finite_horizon(GOLDEN, 5)
    np.testing.assert_allclose(plan.P[::-1].ravel(), [0, 1, 3 / 2, 8 / 5, 21 / 13, 55 / 34])


def test_scalar_closed_form_with_a_discount():
    """p = q + gamma a^2 r p / (r + gamma b^2 p) by hand for a = 2, b = q = r = 1, gamma = 1/2.

    p (1 + p/2) = 1 + p/2 + 2p, so p^2 - 3p - 2 = 0.
    """
    problem = lqr.LinearQuadratic(2.0, 1.0, 1.0, 1.0, gamma=0.5)
    assert lqr.infinite_horizon(problem).P.item() == pytest.approx((3 + np.sqrt(17)) / 2)


def test_noise_costs_its_constant_with_and_without_a_discount():
    noisy = replace(GOLDEN, W=[[2.0]])
    plan = lqr.finite_horizon(noisy, 3)
    np.testing.assert_allclose(plan.c, [2 * (1.5 + 1 + 0), 2 * (1 + 0), 0, 0])
    discounted = lqr.finite_horizon(replace(noisy, gamma=0.5), 2, terminal=[[1.0]])
    assert discounted.c[1] == pytest.approx(0.5 * 2 * 1)
    assert discounted.c[0] == pytest.approx(0.5 * (1 + 2 * discounted.P[1].item()))


def test_a_limited_number_of_steps_warns_and_keeps_true_bounds():
    with pytest.warns(RuntimeWarning, match="stopped after 3 steps at residual .* bounds in the result still hold"):
        found = lqr.infinite_horizon(CART, max_iter=3)
    assert not found.converged
    assert found.iterations == 3
    best = lqr.infinite_horizon(CART).P
    assert np.linalg.eigvalsh(best - found.bounds[0])[0] >= 0
    assert np.isinf(found.bounds[1]).all() or np.linalg.eigvalsh(found.bounds[1] - best)[0] >= 0
    with pytest.warns(RuntimeWarning, match="Policy iteration stopped after 1 steps"):
        lqr.policy_iteration(CART, [[0.3, 0.5]], max_iter=1)


def test_a_tolerance_below_rounding_ends_and_says_so():
    with pytest.warns(RuntimeWarning, match="> tol = 1e-30"):
        found = lqr.infinite_horizon(next(systems(0))[0], tol=1e-30)
    assert found.residual < 1e-13


# ---------------------------------------------------------------------- what cannot be moved, what is not seen


def test_an_unstabilisable_mode_is_named_in_any_coordinates():
    problem = lqr.LinearQuadratic(np.diag([0.5, 2.0]), [[1.0], [0.0]], np.eye(2), 1.0)
    with pytest.raises(ValueError, match=r"A has the eigenvalue 2, of modulus 2 >= 1.*w = \[.*\] has w B = 0"):
        lqr.infinite_horizon(problem)
    for rng in np.random.default_rng(3).spawn(20):
        other, U = turned(problem, rng)
        assert not lqr.stabilizable(other)
        modes, w = lqr.unreachable_modes(other.A, other.B)
        np.testing.assert_allclose(modes, [2])
        np.testing.assert_allclose(np.abs(w @ U), [[0, 1]], atol=1e-9)


def test_a_mode_on_the_unit_circle_and_a_complex_pair_cannot_be_left_alone():
    for block, name in ((np.eye(1), "eigenvalue 1, of modulus 1"), (1.1 * expm([[0, -1.0], [1, 0]]), "modulus 1.1")):
        n = len(block)
        A, B = np.zeros((n + 1, n + 1)), np.eye(n + 1)[:, n:]
        A[:n, :n] = block
        with pytest.raises(ValueError, match=name):
            lqr.infinite_horizon(lqr.LinearQuadratic(A, B, np.eye(n + 1), 1.0))


def test_a_discount_may_forget_a_mode():
    problem = lqr.LinearQuadratic(np.diag([0.5, 1.1]), [[1.0], [0.0]], np.eye(2), 1.0, gamma=0.8)
    found = lqr.infinite_horizon(problem)
    assert found.P[1, 1] == pytest.approx(1 / (1 - 0.8 * 1.1**2))
    with pytest.raises(ValueError, match=r"sqrt\(gamma\) A has the eigenvalue 1.0"):
        lqr.infinite_horizon(replace(problem, gamma=0.9))


def test_a_stable_mode_need_not_be_moved_nor_seen():
    problem = lqr.LinearQuadratic(np.diag([2.0, 0.5]), [[1.0], [0.0]], np.diag([1.0, 0.0]), 1.0)
    assert lqr.stabilizable(problem)
    assert lqr.detectable(problem)
    assert lqr.infinite_horizon(problem).stabilizing


def test_a_repeated_eigenvalue_is_judged_by_its_direction():
    """One of two equal eigenvalues is reachable and the other is not."""
    problem = lqr.LinearQuadratic(2 * np.eye(2), [[1.0], [0.0]], np.eye(2), 1.0)
    assert not lqr.stabilizable(problem)
    chain = lqr.LinearQuadratic(2 * np.eye(3) + np.eye(3, k=1), [[0.0], [0.0], [1.0]], np.eye(3), 1.0)
    assert lqr.stabilizable(chain)
    assert not lqr.stabilizable(replace(chain, B=[[1.0], [0.0], [0.0]]))


def test_stabilisability_agrees_with_the_rank_test_on_sparse_systems():
    """Hautus (1970): [lambda I - A, B] has rank n for each eigenvalue with modulus >= 1."""
    answers = []
    for rng in np.random.default_rng(9).spawn(400):
        n, m = int(rng.integers(1, 6)), int(rng.integers(1, 3))
        A, B = (rng.integers(-1, 2, size=shape) * (rng.uniform(size=shape) < 0.5) for shape in ((n, n), (n, m)))
        A = A * rng.choice([0.5, 1.0, 2.0])
        modes = np.linalg.eigvals(A)
        if (np.abs(np.abs(modes) - 1) < 1e-3).any():  # rounding decides
            continue
        blocks = [np.hstack([mode * np.eye(n) - A, B]) for mode in modes if np.abs(mode) > 1]
        answers.append(all(np.linalg.matrix_rank(block, tol=1e-6) == n for block in blocks))
        assert lqr.stabilizable(lqr.LinearQuadratic(A, B, np.eye(n), np.eye(m))) == answers[-1]
    assert len(answers) >= 200
    assert min(sum(answers), len(answers) - sum(answers)) >= 30


def test_what_no_cost_sees_is_left_alone_in_any_coordinates():
    plain = lqr.LinearQuadratic(np.diag([2, 0.5]), [[1.0], [1.0]], np.diag([0.0, 1.0]), 1.0)
    least = lqr.infinite_horizon(lqr.LinearQuadratic(0.5, 1.0, 1.0, 1.0)).P.item()
    for rng in np.random.default_rng(4).spawn(20):
        problem, U = turned(plain, rng)
        found = lqr.infinite_horizon(problem)
        assert not lqr.detectable(problem)
        assert not found.stabilizing
        assert found.converged
        np.testing.assert_allclose(U.T @ found.P @ U, [[0, 0], [0, least]], atol=1e-8)
        np.testing.assert_allclose(found.bounds[1], found.P, atol=1e-6)


def test_if_nothing_costs_anything_nothing_is_done():
    found = lqr.infinite_horizon(lqr.LinearQuadratic([[2.0, 1], [0, 3]], [[0.0], [1]], np.zeros((2, 2)), 1.0))
    assert not found.P.any()
    assert not found.K.any()
    assert not found.stabilizing


def test_a_gain_with_unseen_growth_has_a_finite_cost_and_others_an_infinite_one():
    blind = lqr.LinearQuadratic(np.diag([2.0, 0.5]), [[0.0], [1.0]], np.diag([0.0, 1.0]), 1.0)
    np.testing.assert_allclose(lqr.evaluate(blind, [[0.0, 0.0]]), np.diag([0, 4 / 3]), atol=1e-9)
    with pytest.raises(ValueError, match="has the eigenvalue 2, of modulus 2 >= 1, on states"):
        lqr.evaluate(blind, [[1.0, 0.0]])


def test_the_cost_of_a_gain_is_the_sum_of_its_steps():
    for problem, rng in systems(5, 40):
        K = lqr.infinite_horizon(problem).K * rng.uniform(0.95, 1.0)
        if lqr.radius(problem, K) > 0.95:
            continue
        x0 = rng.normal(size=problem.n)
        costs = lqr.simulate(problem, K, x0, steps=800).cost[0]
        total = (costs * problem.gamma ** np.arange(800)).sum()
        assert x0 @ lqr.evaluate(problem, K) @ x0 == pytest.approx(total, rel=1e-6)


# ---------------------------------------------------------------------- simulation


def test_runs_are_reproducible_and_have_the_covariance():
    W = np.array([[2.0, 1.0], [1.0, 1.0]])
    problem = lqr.LinearQuadratic(np.zeros((2, 2)), np.zeros((2, 1)), np.eye(2), 1.0, W)
    run = lqr.simulate(problem, [[0.0, 0.0]], [5, 5], steps=50, runs=400, rng=0)
    again = lqr.simulate(problem, [[0.0, 0.0]], [5, 5], steps=50, runs=400, rng=0)
    np.testing.assert_array_equal(run.x, again.x)
    assert run.x.shape == (400, 51, 2)
    assert run.u.shape == (400, 50, 1)
    np.testing.assert_allclose(np.cov(run.x[:, 1:].reshape(-1, 2).T), W, atol=0.1)  # about 5 standard errors
    np.testing.assert_allclose(run.cost[:, 0], 50)


def test_a_plan_is_followed_step_by_step():
    plan = lqr.finite_horizon(CART, 30, terminal=np.eye(2))
    run = lqr.simulate(CART, plan.K, [1, 2], steps=30)
    end = run.x[0, -1]
    assert run.cost.sum() + end @ end == pytest.approx(np.array([1, 2]) @ plan.P[0] @ [1, 2])


# ---------------------------------------------------------------------- iLQR


def swing(**kwargs):
    return lqr.ilqr(*MODEL, PENDULUM.hanging, np.full((100, 1), 0.01), **(BY_HAND | kwargs))


def test_the_pendulum_swings_up():
    found = swing()
    assert found.converged
    assert np.cos(found.x[-1, 0]) > 0.999
    assert abs(found.x[-1, 1]) < 0.1
    assert np.abs(found.u).max() < PENDULUM.gravity
    total = found.x[0], 0.0
    for t, u in enumerate(found.u):  # the path is a path of the pendulum, and its cost is its cost
        np.testing.assert_allclose(PENDULUM.step(found.x[t], u), found.x[t + 1])
        total = (found.x[t], total[1] + PENDULUM.cost(found.x[t], u))
    assert total[1] + PENDULUM.final_cost(found.x[-1]) == pytest.approx(found.cost)
    costs = [*found.history["cost"], found.cost]
    assert (np.diff(costs) < 0).all()
    assert (found.history["step"] < 1).any()
    assert found.history["mu"].max() > 0


def test_the_end_is_a_minimum_and_a_worse_start_is_worse_than_no_other():
    found, rng = swing(), np.random.default_rng(6)
    for _ in range(30):
        u, x, total = found.u + 0.05 * rng.normal(size=found.u.shape), PENDULUM.hanging, 0.0
        for control in u:
            total, x = total + PENDULUM.cost(x, control), PENDULUM.step(x, control)
        assert total + PENDULUM.final_cost(x) > found.cost


def test_derivatives_by_hand_agree_with_differences():
    rng, by_differences = np.random.default_rng(7), lqr.differences(PENDULUM.step, PENDULUM.cost)
    for _ in range(30):
        x, u = rng.normal(size=2) * 3, rng.normal(size=1)
        for mine, theirs in zip(PENDULUM.expand(x, u), by_differences(x, u), strict=True):
            np.testing.assert_allclose(mine, theirs, atol=2e-6)
        h = 1e-5
        gradient, bend = PENDULUM.expand_final(x)
        for e, g, b in zip(np.eye(2) * h, gradient, bend, strict=True):
            up, down = PENDULUM.final_cost(x + e), PENDULUM.final_cost(x - e)
            assert (up - down) / (2 * h) == pytest.approx(g, abs=1e-5)
            np.testing.assert_allclose(
                (PENDULUM.expand_final(x + e)[0] - PENDULUM.expand_final(x - e)[0]) / (2 * h), b, atol=1e-5
            )


def test_the_gradient_agrees_with_differences_of_the_whole_path():
    u = np.random.default_rng(8).normal(size=(12, 1))

    def total(u):
        x, cost = PENDULUM.hanging, 0.0
        for control in u:
            cost, x = cost + PENDULUM.cost(x, control), PENDULUM.step(x, control)
        return cost + PENDULUM.final_cost(x)

    steps = 1e-5 * np.eye(12)[:, :, None]
    quotients = [(total(u + e) - total(u - e)) / 2e-5 for e in steps]
    for options in (BY_HAND, {}):
        g = lqr.gradient(*MODEL, PENDULUM.hanging, u, **options)
        np.testing.assert_allclose(g[:, 0], quotients, atol=1e-5)


def test_differences_do_as_well_as_derivatives():
    u0 = np.full((30, 1), 0.1)
    short = [lqr.ilqr(*MODEL, np.array([0.5, 0.0]), u0, **options) for options in (BY_HAND, {})]
    np.testing.assert_allclose(short[0].u, short[1].u, atol=1e-4)


def test_the_linearised_pendulum_is_balanced():
    problem = PENDULUM.linearized()
    np.testing.assert_allclose(problem.A @ [1e-4, 0], PENDULUM.step(np.array([1e-4, 0]), np.zeros(1)), atol=1e-10)
    K, x = lqr.infinite_horizon(problem).K, np.array([0.3, 0.0])
    for _ in range(200):
        x = PENDULUM.step(x, -K @ x)
    assert np.abs(x).max() < 1e-8


def test_energy_is_kept_without_torque_and_friction():
    """The symplectic Euler method keeps the energy within a small band: g/l (1 + cos) + speed^2 / 2."""
    free, x, energies = lqr.Pendulum(damping=0.0, dt=0.01), np.array([2.0, 0.0]), []
    for _ in range(3000):
        x = free.step(x, np.zeros(1))
        energies.append(free.gravity * (1 + np.cos(x[0])) + x[1] ** 2 / 2)
    assert np.ptp(energies) < 0.06 * np.mean(energies)


def test_too_few_steps_warn():
    with pytest.warns(RuntimeWarning, match="iLQR stopped after 2 steps with a gradient of"):
        found = swing(max_iter=2)
    assert not found.converged


def test_a_tolerance_that_rounding_forbids_ends():
    with pytest.warns(RuntimeWarning, match="> tol = 1e-300"):
        lqr.ilqr(*MODEL, np.array([0.5, 0.0]), np.full((10, 1), 0.1), **BY_HAND, tol=1e-300)


# ---------------------------------------------------------------------- bad input


def problem(**changes):
    return lqr.LinearQuadratic(**({"A": np.eye(2), "B": [[0.0], [1.0]], "Q": np.eye(2), "R": 1.0} | changes))


def spoiled(**parts):
    return lambda x, u: PENDULUM.expand(x, u)._replace(**parts)


BAD = {
    "A not square": (lambda: problem(A=np.ones((2, 3))), r"A must have shape \(2, 2\), for n = 2 .* got \(2, 3\)"),
    "A a vector": (lambda: problem(A=[1.0, 2.0]), "A must be a matrix"),
    "A nan": (lambda: problem(A=[[1, np.nan], [0, 1]]), r"A\[0, 1\] = nan: give a finite number"),
    "A text": (lambda: problem(A="no"), "A must be an array of real numbers"),
    "B rows": (lambda: problem(B=[[1.0]]), r"B must have shape \(2, 1\)"),
    "no control": (lambda: problem(B=np.ones((2, 0))), "m = 0 controls"),
    "Q shape": (lambda: problem(Q=np.eye(3)), r"Q must have shape \(2, 2\); got \(3, 3\)"),
    "Q asymmetric": (lambda: problem(Q=[[1, 2], [0, 1]]), r"Q\[0, 1\] = 2.0 but Q\[1, 0\] = 0.0: Q must be symmetric"),
    "Q indefinite": (lambda: problem(Q=np.diag([1, -0.5])), "Q has the eigenvalue -0.5 .* positive semidefinite"),
    "R zero": (lambda: problem(R=0.0), "R has the eigenvalue 0 .* positive definite"),
    "R negative": (lambda: problem(R=-2.0), "R has the eigenvalue -2 .* positive definite"),
    "R shape": (lambda: problem(R=np.eye(2)), r"R must have shape \(1, 1\)"),
    "W indefinite": (lambda: problem(W=-np.eye(2)), "W has the eigenvalue -1"),
    "gamma": (lambda: problem(gamma=1.5), r"gamma must lie in \[0, 1\]"),
    "horizon": (lambda: lqr.finite_horizon(CART, 0), "horizon must be an integer of at least 1; got 0"),
    "no horizon": (lambda: lqr.finite_horizon(CART), "horizon must be an integer of at least 1; got None"),
    "stages": (lambda: lqr.finite_horizon([CART, CART], 3), "got 2 for the horizon 3"),
    "no stages": (lambda: lqr.finite_horizon([]), "one problem for each step: got 0"),
    "sizes": (lambda: lqr.finite_horizon([CART, GOLDEN]), "Problem 1 has 1 states and 1 controls, problem 0 has 2"),
    "terminal": (lambda: lqr.finite_horizon(CART, 2, terminal=-np.eye(2)), "terminal has the eigenvalue -1"),
    "tol": (lambda: lqr.infinite_horizon(CART, tol=0), "tol must be a positive number; got 0"),
    "max_iter": (lambda: lqr.infinite_horizon(CART, max_iter=0), "max_iter must be an integer of at least 1; got 0"),
    "K shape": (lambda: lqr.evaluate(CART, [[1.0]]), r"K must have shape \(m, n\) = \(1, 2\); got \(1, 1\)"),
    "K unstable": (lambda: lqr.evaluate(CART, [[-1.0, 0.0]]), "infinite cost: .* has the eigenvalue"),
    "K0": (lambda: lqr.policy_iteration(CART, [[0.0, 0.0]]), "K0 does not stabilise: .* radius 1 >= 1"),
    "steps": (lambda: lqr.simulate(CART, [[0, 0]], [0, 0], steps=0), "steps must be an integer of at least 1; got 0"),
    "runs": (lambda: lqr.simulate(CART, [[0, 0]], [0, 0], steps=1, runs=0), "runs must be an integer"),
    "x0": (lambda: lqr.simulate(CART, [[0, 0]], [0], steps=1), r"x0 must be a finite array of shape \(2,\)"),
    "K in time": (lambda: lqr.simulate(CART, np.zeros((3, 1, 2)), [0, 0], steps=2), r"K must be .* \(2, 1, 2\)"),
    "noise": (lambda: lqr.simulate(CART, [[0, 0]], [0, 0], steps=2, noise=[0.0]), r"noise must be .* \(1, 2, 2\)"),
    "ilqr u0": (lambda: lqr.ilqr(*MODEL, PENDULUM.hanging, np.zeros(5)), r"u0 shape \(H, m\); got \(2,\) and \(5,\)"),
    "ilqr f": (lambda: lqr.ilqr(lambda x, u: x[:1], *MODEL[1:], [0.0, 0.0], [[0.0]]), r"time 0 must be .* \(2,\)"),
    "ilqr f inf": (lambda: lqr.ilqr(lambda x, u: x / 0.0, *MODEL[1:], [0.0, 0.0], [[0.0]]), "gentler controls"),
    "ilqr cost": (lambda: lqr.ilqr(MODEL[0], lambda x, u: np.nan, MODEL[2], [0.0, 0.0], [[0.0]]), "is not finite"),
    "ilqr tol": (lambda: swing(tol=-1), "tol must be a positive number; got -1"),
    "ilqr max_iter": (lambda: swing(max_iter=0.5), "max_iter must be an integer of at least 1; got 0.5"),
    "ilqr nan": (lambda: swing(expand=spoiled(lx=np.array([np.nan, 0.0]))), r"expand\(x, u\).lx must be a finite"),
    "ilqr shape": (lambda: swing(expand=spoiled(fu=np.eye(2))), r"expand\(x, u\).fu must be .* shape \(2, 1\)"),
    "operator": (lambda: lqr.gain(CART, np.eye(3)), r"P must have shape \(n, n\) = \(2, 2\); got \(3, 3\)"),
    "step": (lambda: lqr.cost_step(CART, [[1.0]], np.eye(2)), r"K must have shape \(m, n\) = \(1, 2\); got \(1, 1\)"),
    "modes": (lambda: lqr.unreachable_modes(np.eye(2), np.eye(3)), r"A must have shape \(n, n\) and B \(n, m\)"),
    "no problem": (lambda: lqr.finite_horizon([CART, 3]), "Give a LinearQuadratic, or a sequence of them"),
    "circle": (
        lambda: lqr.policy_iteration(
            problem(Q=np.diag([0, 1.0]), A=np.eye(2), B=np.eye(2), R=np.eye(2)), np.eye(2) / 2
        ),
        "No stabilising gain is best: .* eigenvalue 1, on the unit circle",
    ),
    "pendulum": (lambda: lqr.Pendulum(length=0.0), "length = 0.0: give a positive, finite number"),
    "damping": (lambda: lqr.Pendulum(damping=-1.0), "damping = -1.0: give a finite number of at least 0"),
}


@pytest.mark.parametrize("name", BAD)
@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
def test_bad_input_is_refused_with_its_place_and_remedy(name):
    call, message = BAD[name]
    with pytest.raises(ValueError, match=message):
        call()


def test_numbers_stand_for_matrices_with_one_entry():
    run = lqr.simulate(GOLDEN, 0.5, 1.0, steps=3)
    np.testing.assert_allclose(run.x.ravel(), [1, 0.5, 0.25, 0.125])
    assert lqr.riccati(GOLDEN, 1.0) == 1.5


def test_a_problem_keeps_its_own_read_only_copy():
    A = np.eye(2)
    kept = problem(A=A)
    A[0, 0] = 7.0
    assert kept.A[0, 0] == 1.0
    with pytest.raises(ValueError, match="read-only"):
        kept.A[0, 0] = 7.0
