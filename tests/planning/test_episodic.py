"""The solvers of processes that end: against simulation, discounted solvers, a direct recursion, and enumeration."""

import warnings
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from scipy.sparse import csr_array

from rlcore import FiniteMDP, greedy, worlds
from rlcore.planning import discounted, episodic
from rlcore.simulate import discounted_return, rollout
from tests.instances import instances, random_policy, random_values
from tests.planning.test_episodic_claims import (
    all_policies,
    best_proper,
    ending_mdps,
    is_proper,
    paid_loop,
    small,
    stay_or_leave,
    value,
)

FLOOR = worlds.grid(gamma=1.0, step_reward=-0.04)
SOLVERS = {"value iteration": episodic.value_iteration, "policy iteration": episodic.policy_iteration}
each_solver = pytest.mark.parametrize("name", SOLVERS)


def as_sparse(mdp):
    return replace(mdp, P=csr_array(mdp.P))


# ---------------------------------------------------------------------- against something independent


def test_values_and_steps_agree_with_simulation():
    """Means of 4,000 runs within five standard errors: fails by chance less than once in 10^5."""
    pi = episodic.policy_iteration(FLOOR).pi
    start = int(np.argmax(FLOOR.mu))
    walks = rollout(FLOOR, pi, steps=400, runs=4000, rng=1)
    assert FLOOR.terminal[walks.s_next[:, -1]].all()
    for sample, expected in (
        (discounted_return(walks), episodic.evaluate(FLOOR, pi)[start]),
        ((~FLOOR.terminal[walks.s]).sum(axis=1), episodic.expected_steps(FLOOR, pi)[start]),
    ):
        assert abs(sample.mean() - expected) <= 5 * sample.std() / np.sqrt(len(sample))


@each_solver
def test_discounting_as_termination_agrees_with_the_discounted_solvers(name):
    for mdp, rng in instances(1):
        ends, pi = episodic.with_termination(mdp), random_policy(mdp, rng)
        best = discounted.policy_iteration(mdp).v
        scale = 1e-6 * (1 + np.abs(best).max()) / (1 - mdp.gamma)
        np.testing.assert_allclose(SOLVERS[name](ends).v, np.append(best, 0), atol=scale)
        np.testing.assert_allclose(SOLVERS[name](mdp).v, best, atol=scale)
        both = np.vstack([pi, np.eye(mdp.A)[:1]])
        np.testing.assert_allclose(episodic.evaluate(ends, both)[:-1], discounted.evaluate(mdp, pi), atol=scale)


@each_solver
def test_a_process_with_a_constant_chance_to_end_agrees_with_the_discounted_solvers(name):
    """The other way round: where every step ends with probability 0.2, the rest is discounted by 0.8."""
    for i, rng in enumerate(np.random.default_rng(2).spawn(100)):
        S, A = int(rng.integers(2, 6)), 1 + i % 3
        laws, r = rng.dirichlet(np.ones(S), size=(S, A)), rng.normal(size=(S, A))
        p = np.zeros((S + 1, A, S + 1))
        p[:S, :, :S], p[:S, :, S] = 0.8 * laws, 0.2
        ends = FiniteMDP.from_arrays(p, np.vstack([r, np.zeros(A)]), 1.0, terminal=np.arange(S + 1) == S)
        best = discounted.policy_iteration(FiniteMDP.from_arrays(laws, r, 0.8)).v
        np.testing.assert_allclose(SOLVERS[name](ends).v[:S], best, atol=1e-5)


def test_time_augmentation_agrees_with_backward_recursion():
    for mdp, rng in instances(3, 100):
        H = int(rng.integers(1, 8))
        mdp = replace(mdp, gamma=float(rng.choice([1.0, 0.9])))
        p = mdp.P.reshape(mdp.A, mdp.S, mdp.S)
        v = np.zeros((H + 1, mdp.S))
        for t in reversed(range(H)):
            for s in np.flatnonzero(~mdp.terminal):
                v[t, s] = max(mdp.r[s, a] + mdp.gamma * p[a, s] @ v[t + 1] for a in np.flatnonzero(mdp.feasible[s]))
        for matrix in (mdp, as_sparse(mdp)):
            augmented = episodic.time_augmented(matrix, H)
            np.testing.assert_allclose(episodic.policy_iteration(augmented).v.reshape(H + 1, -1), v, atol=1e-9)
        assert episodic.all_proper(augmented)
        assert augmented.labels[mdp.S * H] == (H, 0)


@each_solver
def test_solvers_find_the_best_proper_policy_within_their_bounds(name):
    for mdp, _rng in ending_mdps(4):
        best = best_proper(mdp)
        solution = SOLVERS[name](mdp, tol=1e-9)
        slack = 1e-6 * (1 + np.abs(best).max())
        np.testing.assert_allclose(solution.v, best, atol=slack)
        low, high = solution.bounds
        assert (low <= best + slack).all()
        assert (best <= high + slack).all()
        assert (value(mdp, solution.pi) >= low - slack).all()
        assert solution.converged
        assert np.isfinite(high).all()


@each_solver
def test_the_grid_is_solved_the_same_dense_and_sparse(name):
    dense, sparse = SOLVERS[name](FLOOR), SOLVERS[name](as_sparse(FLOOR))
    np.testing.assert_allclose(dense.v, sparse.v, atol=1e-9)
    np.testing.assert_allclose(dense.bounds, sparse.bounds, atol=1e-9)
    assert (dense.bounds[1] - dense.bounds[0]).max() < 1e-3
    assert dense.iterations == len(dense.history["backups"])


def test_the_steps_of_a_deterministic_grid_are_the_distances():
    floor = worlds.grid(["..G", ".#.", "S.."], slip=0.0, step_reward=-1.0, rewards={"G": 0.0}, gamma=1.0)
    solution = episodic.policy_iteration(floor)
    np.testing.assert_allclose(solution.v, [-2, -1, 0, -3, -1, -4, -3, -2])
    np.testing.assert_allclose(episodic.expected_steps(floor, solution.pi), -solution.v)


def test_bounds_hold_for_any_values_and_policy():
    for mdp, rng in ending_mdps(5):
        best, v = best_proper(mdp), random_values(mdp, rng)
        pi = greedy(mdp.q(v))
        low, high = episodic.bounds(mdp, v, pi)
        slack = 1e-8 * (1 + np.abs(best).max() + np.abs(v).max())
        assert (low <= best + slack).all()
        assert (best <= high + slack).all()
        if is_proper(mdp, pi):
            assert (low <= value(mdp, pi) + slack).all()
        else:
            assert (low[~mdp.terminal] == -np.inf).all()


# ---------------------------------------------------------------------- properness


def test_graph_checks_agree_with_enumeration():
    improper = 0
    for mdp, _rng in small(6):
        policies = all_policies(mdp)
        kinds = [is_proper(mdp, pi) for pi in policies]
        assert [episodic.proper(mdp, pi) for pi in policies] == kinds
        assert episodic.all_proper(mdp) == all(kinds)
        improper += not all(kinds)
        if any(kinds):
            assert is_proper(mdp, episodic.find_proper(mdp))
        else:
            with pytest.raises(ValueError, match="No policy can end from state"):
                episodic.find_proper(mdp)
    assert improper > 30


def test_a_random_policy_is_proper_where_one_action_leaves():
    mdp = stay_or_leave()
    assert episodic.proper(mdp, np.array([[0.9, 0.1], [1, 0]]))
    assert not episodic.proper(mdp, np.array([0, 0]))
    np.testing.assert_array_equal(episodic.staying(mdp), [[True, False], [False, False]])
    assert episodic.expected_steps(mdp, np.array([[0.9, 0.1], [1, 0]]))[0] == pytest.approx(10)


def test_max_steps_is_the_largest_of_all_policies():
    for mdp, _rng in small(7):
        if episodic.all_proper(mdp):
            ones = replace(mdp, r=np.where(mdp.terminal[:, None] | ~mdp.feasible, mdp.r, 1.0))
            longest = np.max([value(ones, pi) for pi in all_policies(mdp)], axis=0)
            np.testing.assert_allclose(episodic.max_steps(mdp), longest, rtol=1e-8)


# ---------------------------------------------------------------------- loops


def test_a_free_loop_is_seen_in_the_bounds():
    mdp = stay_or_leave()
    for v0, limit in ((0.0, 0.0), (-5.0, -1.0), (3.0, 3.0)):
        solution = episodic.value_iteration(mdp, v0=np.array([v0, 0.0]))
        assert solution.v[0] == limit
        assert solution.bounds[0][0] == -np.inf  # its greedy policy stays for ever
    solution = episodic.policy_iteration(mdp)
    np.testing.assert_array_equal(solution.pi, [1, 0])
    np.testing.assert_array_equal(solution.v, [-1, 0])
    with pytest.raises(ValueError, match="improper: from state 0 it never ends"):
        episodic.policy_iteration(mdp, pi0=np.array([0, 0]))


@each_solver
def test_a_loop_that_pays_is_refused(name):
    for mdp in (paid_loop(0.5), worlds.grid(gamma=1.0, step_reward=0.01)):
        with pytest.raises(ValueError, match="Values are infinite: from state"):
            SOLVERS[name](mdp)


@each_solver
def test_a_loop_that_pays_and_costs_as_much_is_no_trouble_for_policy_iteration(name):
    """Around the loop the rewards are +1 and -1; leaving costs 1 in each state."""
    free = FiniteMDP(
        P=[[0, 1, 0], [1, 0, 0], [0, 0, 0], [0, 0, 1], [0, 0, 1], [0, 0, 0]],
        r=[[1, -1], [-1, -1], [0, 0]],
        gamma=1.0,
        terminal=[False, False, True],
    )
    solution = SOLVERS[name](free, **({"v0": [-9.0, -9.0, 0.0]} if name == "value iteration" else {}))
    np.testing.assert_allclose(solution.v, [0, -1, 0])


# ---------------------------------------------------------------------- bad input, limits


NO_END = FiniteMDP(P=[[1.0]], r=[[-1.0]], gamma=1.0)
BAD = {
    "no end": (lambda: episodic.value_iteration(NO_END), "No policy can end from state 0"),
    "no end, PI": (lambda: episodic.policy_iteration(NO_END), "No policy can end from state 0"),
    "improper": (lambda: episodic.evaluate(stay_or_leave(), np.array([0, 0])), "improper: from state 0"),
    "steps": (lambda: episodic.expected_steps(NO_END, np.array([0])), "improper: from state 0"),
    "label": (lambda: episodic.evaluate(FLOOR, np.full(FLOOR.S, 3)), r"from state \(0, 0\) it never ends"),
    "max_steps": (lambda: episodic.max_steps(stay_or_leave()), "From state 0 some policy never ends"),
    "horizon": (lambda: episodic.time_augmented(NO_END, 0), "horizon = 0: take at least 1 step"),
    "pi0": (lambda: episodic.policy_iteration(FLOOR, pi0=np.ones((2, 2))), r"pi0 must hold .*; got shape \(2, 2\)"),
    "v0": (lambda: episodic.value_iteration(FLOOR, v0=np.ones(3)), r"must have shape \(28,\)"),
    "v0 at the end": (lambda: episodic.value_iteration(FLOOR, v0=np.ones(28)), "value of terminal state"),
    "tol": (lambda: episodic.value_iteration(FLOOR, tol=0), "tol must be a positive number"),
    "max_iter": (lambda: episodic.policy_iteration(FLOOR, max_iter=0), "max_iter must be an integer of at least 1"),
    "policy": (lambda: episodic.proper(FLOOR, np.full(FLOOR.S, 4)), "takes action 4 in state 0"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_refused_with_its_place_and_remedy(name):
    call, message = BAD[name]
    with pytest.raises(ValueError, match=message):
        call()


@each_solver
def test_stopping_at_max_iter_warns_and_keeps_its_bounds(name):
    with pytest.warns(RuntimeWarning, match=r"max_iter\) at residual"):
        solution = SOLVERS[name](FLOOR, max_iter=1)
    best = episodic.policy_iteration(FLOOR).v
    assert not solution.converged
    assert solution.iterations == 1
    assert (solution.bounds[0] <= best + 1e-9).all()
    assert (best <= solution.bounds[1] + 1e-9).all()


def test_value_iteration_ends_where_rounding_allows_no_better():
    ends = episodic.with_termination(worlds.garnet(30, 3, 4, gamma=0.9, rng=0))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # it says so, unless it hits a fixed point exactly
        solution = episodic.value_iteration(ends, tol=1e-300)
    assert solution.residual <= 1e-13


def test_transformed_processes_keep_names_and_starts():
    named = FiniteMDP(P=[[1.0]], r=[[2.0]], gamma=0.5, labels=["end"])
    ends = episodic.with_termination(named)
    assert ends.labels == ("end", ("end", 1))
    assert ends.gamma == 1
    np.testing.assert_allclose(ends.P, [[0.5, 0.5], [0, 0]])
    assert episodic.with_termination(ends) is ends
    assert episodic.evaluate(ends, np.array([0, 0]))[0] == pytest.approx(4)
    large = episodic.with_termination(worlds.garnet(200, 3, 4, gamma=0.9, rng=0))
    assert not isinstance(large.P, np.ndarray)
    np.testing.assert_allclose(episodic.expected_steps(large, np.zeros(201, dtype=int))[:-1], 10)
    augmented = episodic.time_augmented(FLOOR, 3)
    assert augmented.mu.reshape(4, -1)[0] == pytest.approx(FLOOR.mu)
    assert augmented.action_labels == FLOOR.action_labels


def test_all_grids_of_a_family_end_properly():
    for slip, step in product((0.1, 0.5), (-0.01, -2.0)):
        floor = worlds.grid(gamma=1.0, slip=slip, step_reward=step)
        assert episodic.proper(floor, episodic.policy_iteration(floor).pi)
