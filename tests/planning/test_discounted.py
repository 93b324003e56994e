"""The discounted solvers: against closed forms, against each other, and against certificates of their own."""

import warnings
from dataclasses import replace
from itertools import count

import numpy as np
import pytest
from scipy.optimize import linprog
from scipy.sparse import csr_array

from rlcore import FiniteMDP, greedy, worlds
from rlcore.planning import discounted
from rlcore.planning.certificates import Progress
from tests.instances import instances, random_actions, random_policy, random_values

SOLVERS = {
    "value iteration": discounted.value_iteration,
    "Gauss-Seidel value iteration": discounted.gauss_seidel,
    "asynchronous value iteration": lambda mdp, **kw: discounted.asynchronous(mdp, rng=0, **kw),
    "prioritized sweeping": discounted.prioritized,
    "policy iteration": discounted.policy_iteration,
    "modified policy iteration": discounted.modified_policy_iteration,
    "value iteration with action elimination": discounted.action_elimination,
}
each_solver = pytest.mark.parametrize("name", SOLVERS)


def as_sparse(mdp):
    return replace(mdp, P=csr_array(mdp.P))


def linear_program(mdp):
    """v* as the least v with v >= T v: a certificate that shares no code with the solvers."""
    P = mdp.P if isinstance(mdp.P, np.ndarray) else mdp.P.toarray()
    rows, right = [], []
    for s in range(mdp.S):
        for a in range(mdp.A):
            if mdp.feasible[s, a] and not mdp.terminal[s]:
                rows.append(mdp.gamma * P[a * mdp.S + s] - np.eye(mdp.S)[s])
                right.append(-mdp.r[s, a])
    bounds = [(0, 0) if end else (None, None) for end in mdp.terminal]
    return linprog(np.ones(mdp.S), np.array(rows), np.array(right), bounds=bounds).x


def check(mdp, solution, best, tol):
    """The promises of `Solution`, recomputed here."""
    q = mdp.q(solution.v)
    d = q.max(axis=1) - solution.v
    scale = mdp.gamma / (1 - mdp.gamma)
    rounding = 1e-9 * (1 + np.abs(best).max())
    assert solution.converged
    assert solution.residual == pytest.approx((d.max() - d.min()) / 2)
    assert solution.residual <= tol + rounding
    np.testing.assert_array_equal(solution.q, q)
    np.testing.assert_array_equal(solution.pi, greedy(q))
    low, high = solution.bounds
    assert (low <= best + rounding).all()
    assert (best <= high + rounding).all()
    assert (high - low).max() <= 2 * scale * solution.residual + rounding
    assert (solution.v[mdp.terminal] == 0).all()
    assert np.abs(solution.v - best).max() <= 2 * tol * (1 + scale) + rounding
    loss = (best - discounted.evaluate(mdp, solution.pi)).max()
    assert loss <= 2 * scale * tol + rounding
    assert len(solution.history["residual"]) == len(solution.history["backups"]) == solution.iterations


# ---------------------------------------------------------------------- closed forms and certificates


@each_solver
@pytest.mark.parametrize("gamma", [0.0, 0.3, 0.9, 10 / 11 + 1e-3, 0.99])
def test_two_states_in_closed_form(name, gamma):
    """Puterman (1994), example 6.2.1, on both sides of gamma = 10/11."""
    mdp = worlds.two_state(gamma)
    solution = SOLVERS[name](mdp, tol=1e-9)
    check(mdp, solution, worlds.two_state_values(gamma), 1e-9)
    assert solution.method == name


@each_solver
def test_solvers_agree_with_a_linear_program(name):
    for mdp, _ in instances(31, 24):
        best = linear_program(mdp)
        for process in (mdp, as_sparse(mdp)):
            check(process, SOLVERS[name](process, tol=1e-7), best, 1e-7)


@each_solver
@pytest.mark.parametrize(
    "mdp",
    [worlds.grid(), worlds.chain(), worlds.machine_replacement(), worlds.inventory(), worlds.admission_control()],
    ids=["grid", "chain", "machine replacement", "inventory", "admission control"],
)
def test_solvers_agree_on_the_worlds(name, mdp):
    best = discounted.policy_iteration(mdp).v
    assert np.abs(mdp.q(best).max(axis=1) - best).max() < 1e-9 * (1 + np.abs(best).max())
    check(mdp, SOLVERS[name](mdp, tol=1e-5), best, 1e-5)


@each_solver
def test_a_start_near_the_answer_saves_work_and_changes_no_answer(name):
    mdp = worlds.grid(gamma=0.95)
    cold = SOLVERS[name](mdp, tol=1e-8)
    warm = SOLVERS[name](mdp, tol=1e-8, v0=cold.v)
    assert warm.iterations <= cold.iterations
    np.testing.assert_allclose(warm.v, cold.v, atol=1e-6)


@each_solver
def test_a_start_is_not_changed_in_place(name):
    mdp = worlds.two_state(0.9)
    v0 = np.array([1.0, 2.0])
    SOLVERS[name](mdp, v0=v0)
    np.testing.assert_array_equal(v0, [1.0, 2.0])


def test_large_sparse_processes():
    mdp = worlds.garnet(2000, 4, 5, gamma=0.99, rng=0)
    assert not isinstance(mdp.P, np.ndarray)
    best = discounted.policy_iteration(mdp).v
    for solver in (discounted.value_iteration, discounted.modified_policy_iteration, discounted.action_elimination):
        check(mdp, solver(mdp, tol=1e-7), best, 1e-7)


def test_evaluate_agrees_with_a_simulation_free_sum():
    for mdp, rng in instances(32, 30):
        for pi in (random_actions(mdp, rng), random_policy(mdp, rng)):
            for process in (mdp, as_sparse(mdp)):
                P, r = process.induced(pi)
                v = np.zeros(mdp.S)
                for _ in range(1500):
                    v = r + mdp.gamma * (P @ v)
                np.testing.assert_allclose(discounted.evaluate(process, pi), v, atol=1e-8 * (1 + np.abs(v).max()))


# ---------------------------------------------------------------------- the chapter's pseudocode


def test_value_iteration_is_its_pseudocode():
    """alg-value-iteration, line by line."""
    for mdp, rng in instances(33, 30):
        v, spans = random_values(mdp, rng), []
        start = v
        while True:
            v_next = mdp.q(v).max(axis=1)
            change = v_next - v
            spans.append((change.max() - change.min()) / 2)
            v = v_next
            if spans[-1] <= 1e-6:
                break
        solution = discounted.value_iteration(mdp, v0=start)
        np.testing.assert_array_equal(solution.history["residual"], spans)
        shift = 0 if mdp.terminal.any() else mdp.gamma / (1 - mdp.gamma) * (change.max() + change.min()) / 2
        np.testing.assert_allclose(solution.v, v + shift, rtol=1e-12, atol=1e-12)


def test_policy_iteration_is_its_pseudocode():
    """alg-policy-iteration, line by line; the solver starts from the greedy policy of v0."""
    for mdp, _ in instances(34, 30):
        pi, rounds = greedy(mdp.q(np.zeros(mdp.S))), 0
        while True:
            v, rounds = discounted.evaluate(mdp, pi), rounds + 1
            q = mdp.q(v)
            best = q.max(axis=1)
            kept = np.isclose(q[np.arange(mdp.S), pi], best, rtol=0, atol=1e-10 * (1 + np.abs(v).max()))
            new = np.where(kept, pi, greedy(q))
            if (new == pi).all():
                break
            pi = new
        solution = discounted.policy_iteration(mdp)
        assert solution.iterations == rounds
        np.testing.assert_allclose(solution.v, v, atol=1e-9 * (1 + np.abs(v).max()))


def test_modified_policy_iteration_without_inner_sweeps_is_value_iteration():
    mdp = worlds.garnet(50, 3, 4, gamma=0.9, rng=1)
    plain, modified = discounted.value_iteration(mdp), discounted.modified_policy_iteration(mdp, sweeps=0)
    np.testing.assert_allclose(modified.history["residual"], plain.history["residual"])
    np.testing.assert_allclose(modified.v, plain.v)


def test_gauss_seidel_is_the_cyclic_order():
    mdp = worlds.chain()
    cyclic = discounted.asynchronous(mdp, order=(s for _ in count() for s in range(mdp.S)))
    np.testing.assert_array_equal(discounted.gauss_seidel(mdp).v, cyclic.v)


# ---------------------------------------------------------------------- what is recorded, and stopping


def test_action_elimination_drops_pairs_and_keeps_optimal_ones():
    mdp = worlds.garnet(100, 6, 5, gamma=0.9, rng=2)
    solution = discounted.action_elimination(mdp, tol=1e-10)
    active = solution.history["active"]
    assert active[0] == 600
    assert 100 <= active[-1] < 150
    assert (np.diff(active) <= 0).all()
    assert solution.history["backups"][-1] == active.sum() < 600 * solution.iterations
    np.testing.assert_array_equal(solution.pi, discounted.policy_iteration(mdp).pi)


def test_prioritized_sweeping_looks_at_fewer_pairs_where_news_travels_from_a_goal():
    mdp = worlds.grid(gamma=0.95, slip=0.0)
    ours, sweeps = (
        f(mdp, tol=1e-9).history["backups"][-1] for f in (discounted.prioritized, discounted.value_iteration)
    )
    assert ours < sweeps


@each_solver
def test_max_iter_warns_and_says_so(name):
    mdp = worlds.grid(gamma=0.99)
    with pytest.warns(RuntimeWarning, match=rf"^{name} stopped after 1 iterations \(max_iter\).*Raise max_iter or tol"):
        solution = SOLVERS[name](mdp, tol=1e-10, max_iter=1)
    assert not solution.converged
    assert solution.iterations == 1
    best = discounted.policy_iteration(mdp).v
    assert (solution.bounds[0] <= best + 1e-9).all()
    assert (best <= solution.bounds[1] + 1e-9).all()


def test_a_tolerance_below_rounding_ends_with_a_warning():
    mdp = worlds.garnet(30, 2, 30, gamma=0.9, rng=3)
    mdp = replace(mdp, r=mdp.r * 1e6)
    with pytest.warns(RuntimeWarning, match="rounding allows no better"):
        solution = discounted.value_iteration(mdp, tol=1e-14)
    assert not solution.converged


def test_without_max_iter_no_solver_stops_early():
    for mdp, rng in instances(35, 60):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            for solver in SOLVERS.values():
                assert solver(mdp, tol=1e-6, v0=random_values(mdp, rng)).converged


def test_solve_chooses_by_size_and_says_what():
    assert discounted.solve(worlds.grid()).method == "policy iteration"
    large = worlds.garnet(600, 2, 3, gamma=0.9, rng=0)
    solution = discounted.solve(large)
    assert solution.method == "modified policy iteration"
    check(large, solution, discounted.policy_iteration(large).v, 1e-6)


def test_policy_iteration_ends_on_ties():
    mdp = FiniteMDP(P=np.ones((3, 1)), r=[[1.0, 1.0, 1.0]], gamma=0.99)
    assert discounted.policy_iteration(mdp).iterations == 1


def test_certify_any_values():
    mdp = worlds.two_state(0.95)
    q, residual, (low, high) = discounted.certify(mdp, np.array([3.0, -4.0]))
    best = worlds.two_state_values(0.95)
    assert (low <= best).all()
    assert (best <= high).all()
    d = q.max(axis=1) - np.array([3.0, -4.0])
    assert residual == pytest.approx(np.ptp(d) / 2)


# ---------------------------------------------------------------------- bad input


@each_solver
def test_solvers_refuse_gamma_one_and_say_what_to_do(name):
    with pytest.raises(ValueError, match=r"gamma < 1.*replace\(mdp, gamma="):
        SOLVERS[name](replace(worlds.two_state(0.9), gamma=1.0))


@each_solver
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"v0": [1.0, 2.0, 3.0]}, r"shape \(2,\), one per state; got shape \(3,\)"),
        ({"v0": [np.nan, 0.0]}, "The value of state 0 is nan: give a finite number"),
        ({"v0": [0.0, np.inf]}, "The value of state 1 is inf"),
        ({"v0": [[0.0], [0.0, 1.0]]}, "Values must be an array of real numbers"),
        ({"tol": 0.0}, "tol must be a positive number; got 0.0"),
        ({"tol": np.nan}, "tol must be a positive number; got nan"),
        ({"tol": None}, "tol must be a positive number; got None"),
        ({"max_iter": 0}, "max_iter must be an integer of at least 1, or None; got 0"),
        ({"max_iter": 2.5}, "max_iter must be an integer of at least 1, or None; got 2.5"),
        ({"max_iter": True}, "max_iter must be an integer of at least 1, or None; got True"),
    ],
)
def test_solvers_name_what_is_wrong(name, arguments, message):
    with pytest.raises(ValueError, match=message):
        SOLVERS[name](worlds.two_state(0.9), **arguments)


def test_a_terminal_state_has_value_zero():
    mdp = worlds.grid()
    end = int(np.flatnonzero(mdp.terminal)[0])
    with pytest.raises(ValueError, match=f"terminal state {end} is exactly 0; got 1.0"):
        discounted.value_iteration(mdp, v0=np.ones(mdp.S))
    with pytest.raises(ValueError, match="exactly 0"):
        discounted.certify(mdp, np.ones(mdp.S))


def test_evaluate_refuses_bad_policies():
    mdp = worlds.two_state(0.9)
    with pytest.raises(ValueError, match="gamma < 1"):
        discounted.evaluate(replace(mdp, gamma=1.0), np.array([0, 0]))
    with pytest.raises(ValueError, match=r"integer array of shape \(2,\).*got int64 of shape \(3,\)"):
        discounted.evaluate(mdp, np.array([0, 0, 0]))


def test_an_order_of_updates_must_not_end():
    with pytest.raises(ValueError, match="ended after 1 of 2"):
        discounted.asynchronous(worlds.two_state(0.9), order=iter([0]))


@pytest.mark.parametrize("bad", [7, -1, 0.5, True, None])
def test_an_order_of_updates_names_states(bad):
    with pytest.raises(ValueError, match=rf"order of updates names {bad}: states are the integers 0\.\.1"):
        discounted.asynchronous(worlds.two_state(0.9), order=[0, bad])


def test_an_order_of_updates_is_any_iterable():
    mdp = worlds.two_state(0.9)
    listed = discounted.asynchronous(mdp, order=[0, 1] * 500)
    np.testing.assert_array_equal(listed.v, discounted.gauss_seidel(mdp).v)


@pytest.mark.parametrize("sweeps", [-1, 1.5, True])
def test_inner_sweeps_are_counted(sweeps):
    with pytest.raises(ValueError, match=f"sweeps must be an integer of at least 0; got {sweeps}"):
        discounted.modified_policy_iteration(worlds.two_state(0.9), sweeps=sweeps)


def test_progress_counts_backups_up():
    progress = Progress(worlds.two_state(0.9), tol=1e-3, max_iter=None)
    assert not progress.done(1.0, 4, np.ones(2))
    assert progress.done(1e-4, 4, np.ones(2))
    assert progress.backups == [4, 8]
