"""Linear programs: against value iteration, enumeration and backward induction; and what bad input is told."""

import re
import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import OptimizeResult
from scipy.sparse import csr_array

from rlcore import FiniteMDP, worlds
from rlcore.planning import _programs, discounted
from rlcore.planning import finite_horizon as fh
from rlcore.planning import linear_programs as lp
from tests.instances import instances, random_policy, random_values
from tests.planning.test_discounted_claims import value
from tests.planning.test_linear_programs_claims import best_within, corridor, limited, noisy_worker, rewards, series

FLOOR = worlds.grid(gamma=0.95, step_reward=-0.1)
PROGRAMS = {"primal": lp.primal, "dual": lp.dual}
each_program = pytest.mark.parametrize("solve", PROGRAMS.values(), ids=PROGRAMS)


def as_sparse(mdp):
    return replace(mdp, P=csr_array(mdp.P))


def falls(mdp=FLOOR):
    """(S, A) chance that an action leads into the pit at once."""
    into = np.asarray(mdp.P[:, [mdp.labels.index((1, 6))]].sum(axis=1)).reshape(mdp.A, -1).T
    return np.where(mdp.terminal[:, None], 0.0, into)


# ---------------------------------------------------------------------- against something independent


@each_program
def test_programs_agree_with_value_iteration_dense_and_sparse(solve):
    for mdp, _rng in instances(1):
        v = discounted.value_iteration(mdp, tol=1e-9).v
        scale = 1e-6 * (1 + np.abs(v).max())
        for matrix in (mdp, as_sparse(mdp)):
            found = solve(matrix)
            np.testing.assert_allclose(found.v, v, atol=scale)
            np.testing.assert_allclose(value(mdp, found.pi), v, atol=scale)
            assert (found.bounds[0] <= v + scale).all()
            assert (v <= found.bounds[1] + scale).all()
            assert -1e-9 <= found.gap <= scale
            assert not found.v[mdp.terminal].any()
            np.testing.assert_allclose(
                found.occupancy, series(replace(mdp, mu=found.weights), found.pi), atol=1e-8 / (1 - mdp.gamma)
            )


@each_program
def test_the_optimal_policy_of_the_floor_is_recovered(solve):
    exact = discounted.policy_iteration(FLOOR)
    found = solve(FLOOR)
    open_states = ~FLOOR.terminal
    np.testing.assert_array_equal(found.pi[open_states], exact.pi[open_states])
    np.testing.assert_array_equal(lp.policy(FLOOR, found.occupancy).argmax(axis=1)[open_states], exact.pi[open_states])
    np.testing.assert_allclose(found.v, exact.v, atol=1e-7)


def test_the_known_values_of_putermans_example():
    """Puterman (1994), example 6.2.1: values in closed form, an infeasible action in s2."""
    for gamma in (0.5, 0.95):
        for solve in PROGRAMS.values():
            np.testing.assert_allclose(
                solve(worlds.two_state(gamma)).v, worlds.two_state_values(gamma), atol=1e-6, rtol=1e-8
            )


def test_one_limit_against_enumeration():
    for mdp, cost, limit in limited(2):
        found = lp.constrained(mdp, cost, limit)
        best = best_within(mdp, cost, limit)
        scale = 1e-6 * (1 + abs(best))
        assert found.value == pytest.approx(best, abs=scale)
        assert found.bound >= best - scale
        assert abs(found.gap) <= scale * (1 + found.prices[0] * (1 + limit))
        x = series(mdp, found.pi)
        np.testing.assert_allclose(found.occupancy, x, atol=1e-7 / (1 - mdp.gamma))
        np.testing.assert_allclose(found.costs, [(x * cost).sum()], atol=1e-7 * (1 + limit))
        assert found.costs[0] <= limit + 1e-6 * (1 + limit)
        assert len(found.randomized) <= 1
        np.testing.assert_allclose(found.v, value(mdp, found.pi), atol=1e-6 * (1 + np.abs(found.v).max()))


def test_limits_that_do_not_bind_cost_nothing():
    for mdp, rng in instances(3):
        cost = rng.exponential(size=(mdp.S, mdp.A)) * ~mdp.terminal[:, None]
        found = lp.constrained(mdp, cost, cost.max() / (1 - mdp.gamma) + 1)
        best = mdp.mu @ discounted.policy_iteration(mdp).v
        assert found.value == pytest.approx(best, abs=1e-6 * (1 + abs(best)))
        assert found.prices[0] == 0
        assert len(found.randomized) == 0


def test_a_limit_from_below_is_one_from_above_with_both_signs_changed():
    mdp, noise = noisy_worker()
    lazy = replace(mdp, r=-mdp.r)
    found = lp.constrained(lazy, -noise, -4.0)  # make noise of at least 4
    assert found.value == pytest.approx(-4)
    assert found.costs[0] == pytest.approx(-4)
    assert found.prices[0] == pytest.approx(1)


def test_the_horizon_agrees_with_backward_induction_for_laws_that_change():
    for mdp, rng in instances(4):
        other = replace(mdp, r=np.where(mdp.terminal[:, None], 0.0, mdp.r + rng.normal()), gamma=1.0)
        stages, final = [mdp, other, mdp, other], random_values(mdp, rng)
        plan = fh.backward_induction(stages, terminal_value=final)
        found = lp.finite_horizon(stages, terminal_value=final)
        scale = 1e-6 * (1 + np.abs(plan.v).max())
        np.testing.assert_allclose(found.v, plan.v, atol=scale)
        np.testing.assert_allclose(fh.evaluate(stages, found.pi, terminal_value=final), plan.v, atol=scale)
        assert -1e-9 <= found.gap <= scale


def test_the_occupancy_of_a_horizon_is_that_of_its_marginals():
    mdp = worlds.machine_replacement(4, gamma=1.0)
    found = lp.finite_horizon(mdp, 5, weights=mdp.mu)
    np.testing.assert_allclose(found.occupancy, fh.marginals(mdp, found.pi), atol=1e-12)


def test_the_simplex_method_agrees_with_policy_iteration():
    for mdp, rng in instances(5):
        exact = discounted.policy_iteration(mdp)
        for v0 in (None, random_values(mdp, rng)):
            found = lp.simplex(mdp, v0=v0)
            np.testing.assert_allclose(found.v, exact.v, atol=1e-7 * (1 + np.abs(exact.v).max()))
            assert found.converged


def test_the_simplex_method_warns_at_its_limit():
    with pytest.warns(RuntimeWarning, match=r"simplex method stopped after 1 iterations \(max_iter\)"):
        found = lp.simplex(FLOOR, max_iter=1)
    assert not found.converged


# ---------------------------------------------------------------------- operators


def test_flow_inverts_occupancy_and_policy_inverts_it_too():
    for mdp, rng in instances(6):
        pi = random_policy(mdp, rng)
        for matrix in (mdp, as_sparse(mdp)):
            x = lp.occupancy(matrix, pi)
            np.testing.assert_allclose(lp.flow(matrix, x), mdp.mu * ~mdp.terminal, atol=1e-9)
            assert (x * rewards(mdp)).sum() == pytest.approx(mdp.mu @ value(mdp, pi), abs=1e-7)
        back = lp.policy(mdp, x, elsewhere=pi)
        np.testing.assert_allclose(back[~mdp.terminal], pi[~mdp.terminal], atol=1e-9)


def test_a_policy_where_nothing_is_visited_is_what_was_asked_for():
    mdp = corridor()
    x = lp.occupancy(mdp, np.array([1, 0, 0]))
    np.testing.assert_array_equal(lp.policy(mdp, x)[1], [0.5, 0.5])
    np.testing.assert_array_equal(lp.policy(mdp, x, elsewhere=np.array([0, 1, 0]))[1], [0, 1])
    two = worlds.two_state()
    np.testing.assert_array_equal(lp.policy(two, np.zeros((2, 2)))[1], [1, 0])  # a2 is infeasible there


def test_a_start_in_a_terminal_state_is_no_visit():
    mdp = replace(corridor(), mu=np.array([0.5, 0.0, 0.5]))
    x = lp.occupancy(mdp, np.array([1, 0, 0]))
    np.testing.assert_array_equal(x, [[0, 0.5], [0, 0], [0, 0]])
    found = lp.constrained(mdp, np.zeros((3, 2)), 1.0)
    assert found.value == pytest.approx(1.0)


def test_costs_at_infeasible_actions_are_ignored():
    mdp = worlds.two_state()
    cost = np.array([[1.0, 0.0], [0.0, np.inf]])
    assert lp.constrained(mdp, cost, 0.0).occupancy[0, 0] == pytest.approx(0)


def test_prices_make_rewards_of_costs():
    mdp, noise = noisy_worker()
    np.testing.assert_array_equal(lp.priced(mdp, noise, 3.0).r, [[0, -2]])
    np.testing.assert_array_equal(lp.priced(worlds.two_state(), np.ones((1, 2, 2)), [1.0]).r, [[4, 9], [-2, -np.inf]])


def test_no_weight_on_a_state_shows_in_the_bounds():
    """The primal may say anything between 2 and 4 of the right end; the bounds must hold all the same."""
    mdp = corridor()
    for solve in PROGRAMS.values():
        found = solve(mdp, weights=mdp.mu)
        assert found.v[0] == pytest.approx(2)
        assert found.bounds[0][1] - 1e-9 <= 2 <= found.bounds[1][1] + 1e-9
        assert mdp.mu @ value(mdp, found.pi) == pytest.approx(2)


def test_programs_stay_sparse():
    """5,000 states: a dense matrix of the constraints would take half a gigabyte."""
    mdp = worlds.garnet(5000, 3, 3, rng=0)
    tracemalloc.start()
    program = _programs.of_process(mdp, np.ones(5000))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert program.flow.nnz <= 4 * 15_000
    assert peak < 40e6


# ---------------------------------------------------------------------- bad input

END = FiniteMDP([[0.0]], [[0.0]], 0.9, terminal=[True])
PAIR = np.stack([falls(), np.where(FLOOR.terminal[:, None], 0.0, np.ones((1, 4)))])
LEAST = (lp.dual(replace(FLOOR, r=-PAIR[1]), weights=FLOOR.mu).occupancy * PAIR[1]).sum()
UNENDING = replace(FLOOR, gamma=1.0)
BAD = {
    "gamma, primal": (lambda: lp.primal(UNENDING), "gamma < 1"),
    "gamma, dual": (lambda: lp.dual(UNENDING), "gamma < 1"),
    "gamma, constrained": (lambda: lp.constrained(UNENDING, falls(), 1.0), "gamma < 1"),
    "gamma, simplex": (lambda: lp.simplex(UNENDING), "gamma < 1"),
    "nothing to decide": (lambda: lp.dual(END, weights=[1.0]), "All states are terminal: there is nothing to decide"),
    "nothing to decide, primal": (lambda: lp.primal(END), "All states are terminal: there is nothing to decide"),
    "nothing to decide, limits": (lambda: lp.constrained(END, [[0.0]], 1.0), "All states are terminal"),
    "unbounded": (lambda: lp.primal(FLOOR, weights=-np.ones(28)), r"weights\[0\] = -1.0: .*program is unbounded"),
    "weights": (lambda: lp.dual(FLOOR, weights=np.ones(3)), r"weights must have shape \(28,\); got shape \(3,\)"),
    "no weight": (lambda: lp.dual(FLOOR, weights=np.zeros(28)), "at least one a positive weight"),
    "infinite weight": (lambda: lp.dual(FLOOR, weights=np.full(28, np.inf)), r"weights\[0\] = inf"),
    "weights over time": (lambda: lp.finite_horizon(FLOOR, 2, weights=np.ones((3, 28))), r"\(28,\) or \(2, 28\)"),
    "horizon": (lambda: lp.finite_horizon(FLOOR, 0), "horizon"),
    "infeasible": (
        lambda: lp.constrained(FLOOR, PAIR[1], 3.0),
        rf"Constraint 0 cannot be met: .* of about {LEAST:.4f}\d* or more, and limits\[0\] = 3\. Raise",
    ),
    "infeasible, second": (lambda: lp.constrained(FLOOR, PAIR, [1.0, 3.0]), "Constraint 1 cannot be met"),
    "infeasible together": (
        lambda: lp.constrained(FLOOR, PAIR, [0.0, LEAST + 1e-3]),
        r"Each of the 2 constraints can be met alone, but not all at once: .* raised by 0\.\d+ each",
    ),
    "costs": (lambda: lp.constrained(FLOOR, np.ones((3, 3)), 1.0), r"\(m, 28, 4\) with limits of shape \(m,\)"),
    "limits": (lambda: lp.constrained(FLOOR, PAIR, [1.0]), r"got \(2, 28, 4\) and \(1,\)"),
    "costs, values": (
        lambda: lp.constrained(noisy_worker()[0], [[0.0, np.nan]], 1.0),
        r"costs\[0, 0, 1\] = nan: a cost is a finite number",
    ),
    "costs at the end": (lambda: lp.constrained(FLOOR, np.ones((28, 4)), 1.0), "is terminal: charge on entering it"),
    "limit, value": (lambda: lp.constrained(FLOOR, falls(), np.inf), r"limits\[0\] = inf: give a finite number"),
    "mu": (lambda: lp.constrained(FLOOR, falls(), 1.0, mu=np.ones(28)), "mu must be a probability vector"),
    "price": (lambda: lp.priced(FLOOR, falls(), -1.0), r"prices\[0\] = -1.0: a limit from above has a price"),
    "prices": (lambda: lp.priced(FLOOR, PAIR, [1.0]), r"with prices of shape \(m,\)"),
    "flow": (lambda: lp.flow(FLOOR, np.ones(28)), r"x must have shape \(28, 4\).*got shape \(28,\)"),
    "policy": (lambda: lp.policy(FLOOR, np.ones(28)), r"x must have shape \(28, 4\)"),
    "negative visits": (lambda: lp.policy(noisy_worker()[0], [[1.0, -2.0]]), r"x\[0, 1\] = -2.0: visits are numbers"),
    "infeasible visits": (lambda: lp.policy(worlds.two_state(), np.ones((2, 2))), r"x\[1, 1\] = 1.0: the state is"),
    "occupancy": (lambda: lp.occupancy(FLOOR, np.full(28, 7)), "takes action 7 in state 0"),
    "occupancy, mu": (lambda: lp.occupancy(FLOOR, np.zeros(28, dtype=int), mu=[1.0]), "mu must be a probability"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_refused_with_its_place_and_remedy(name):
    call, message = BAD[name]
    with pytest.raises(ValueError, match=message):
        call()


def test_the_limit_that_the_message_advises_can_be_kept_and_is_hardly_more_than_needed():
    for mdp, rng in instances(7):
        cost = rng.exponential(size=(mdp.S, mdp.A)) * ~mdp.terminal[:, None]
        cost -= rng.random() * ~mdp.terminal[:, None]
        least = -(discounted.policy_iteration(replace(mdp, r=np.where(mdp.feasible, -cost, -np.inf))).v @ mdp.mu)
        with pytest.raises(ValueError, match="Constraint 0 cannot be met") as error:
            lp.constrained(mdp, cost, least - 1 - abs(least))
        advised = float(re.search(r"Raise the limit to (\S+), or", str(error.value))[1])
        assert least - 1e-9 <= advised <= least + 1e-4 * (1 + abs(least))
        assert lp.constrained(mdp, cost, advised).costs[0] <= advised + 1e-8


def test_limits_raised_together_as_advised_can_be_kept():
    limits = np.array([0.0, LEAST + 1e-3])
    with pytest.raises(ValueError, match="raised by") as error:
        lp.constrained(FLOOR, PAIR, limits)
    more = float(re.search(r"raised by (\S+) each", str(error.value))[1])
    assert (lp.constrained(FLOOR, PAIR, limits + more).costs <= limits + more + 1e-9).all()
    with pytest.raises(ValueError, match="not all at once"):
        lp.constrained(FLOOR, PAIR, limits + 0.99 * more)


def test_no_limit_at_all_is_the_ordinary_process():
    none = lp.constrained(FLOOR, np.zeros((0, FLOOR.S, FLOOR.A)), [])
    assert none.value == pytest.approx(FLOOR.mu @ discounted.policy_iteration(FLOOR).v, abs=1e-7)
    assert len(none.randomized) == 0


def test_a_solver_that_gives_up_says_what_to_do():
    with pytest.raises(RuntimeError, match=r"was not solved: numerical trouble\. .*rescale them"):
        _programs.need_solved(OptimizeResult(status=4, message="numerical trouble."))
