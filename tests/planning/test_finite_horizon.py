"""Finite horizons: against brute force over policies and paths, against known answers, and bad arguments."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from scipy.sparse import csr_array

from rlcore import FiniteMDP, greedy, worlds
from rlcore.planning import discounted, finite_horizon
from rlcore.planning.finite_horizon import backward_induction, evaluate, marginals, markov_policy, paths
from tests.instances import instances, random_values


def stages_like(mdp, rng, horizon):
    """Processes with the feasible actions and terminal states of `mdp`, whose laws and rewards change over time."""
    stages = []
    for _ in range(horizon):
        p = rng.dirichlet(np.ones(mdp.S), size=(mdp.S, mdp.A)) * ~mdp.terminal[:, None, None]
        r = np.where(mdp.feasible, rng.normal(size=(mdp.S, mdp.A)) * ~mdp.terminal[:, None], -np.inf)
        stages.append(FiniteMDP.from_arrays(p, r, rng.uniform(0.3, 1), terminal=mdp.terminal, mu=mdp.mu))
    return stages


def random_markov(mdp, rng, horizon):
    weights = rng.exponential(size=(horizon, mdp.S, mdp.A)) * mdp.feasible
    return weights / weights.sum(axis=2, keepdims=True)


def walk(stages, choose, s, history, final):
    """Expected discounted payment from a history on, by recursion over the definition; choose gives (A,)."""
    t = len(history) // 2
    if stages[0].terminal[s]:
        return 0.0
    if t == len(stages):
        return final[s]
    mdp, total = stages[t], 0.0
    for a, weight in enumerate(choose((*history, s))):
        if weight > 0:
            law = mdp.P.reshape(mdp.A, mdp.S, mdp.S)[a, s]
            rest = sum(p * walk(stages, choose, u, (*history, s, a), final) for u, p in enumerate(law) if p > 0)
            total += weight * (mdp.r[s, a] + mdp.gamma * rest)
    return total


def test_evaluation_is_the_sum_over_all_paths():
    for i, (mdp, rng) in enumerate(instances(1, 60)):
        stages = [mdp] * 3 if i % 3 else stages_like(mdp, rng, 3)
        pi, final = random_markov(mdp, rng, 3), random_values(mdp, rng)
        v = evaluate(stages, pi, terminal_value=final)
        by_hand = [walk(stages, lambda h, pi=pi: pi[len(h) // 2, h[-1]], s, (), final) for s in range(mdp.S)]
        np.testing.assert_allclose(v[0], by_hand, atol=1e-9)
        np.testing.assert_array_equal(v[3], final)


def test_backward_induction_beats_every_deterministic_markov_policy():
    checked = 0
    for i, (mdp, rng) in enumerate(instances(2, 300, gamma=None)):
        choices = [np.flatnonzero(f) if not end else [0] for f, end in zip(mdp.feasible, mdp.terminal, strict=True)]
        H = int(rng.integers(1, 4))
        if np.prod([len(c) for c in choices], dtype=float) ** H > 600:
            continue
        stages = [replace(mdp, gamma=1.0)] * H if i % 3 else stages_like(mdp, rng, H)
        final = random_values(mdp, rng)
        plan = backward_induction(stages, terminal_value=final)
        every = product(*[np.array(list(product(*choices)))] * H)
        best = np.max([evaluate(stages, np.array(pi), terminal_value=final)[0] for pi in every], axis=0)
        np.testing.assert_allclose(plan.v[0], best, atol=1e-9)
        np.testing.assert_allclose(evaluate(stages, plan.pi, terminal_value=final), plan.v, atol=1e-9)
        checked += 1
    assert checked >= 100


def test_q_is_one_look_ahead_and_pi_is_greedy():
    for mdp, rng in instances(3, 30):
        final = random_values(mdp, rng)
        plan = backward_induction(mdp, 4, terminal_value=final)
        assert plan.horizon == 4
        for t in range(4):
            np.testing.assert_array_equal(plan.q[t], mdp.q(plan.v[t + 1]))
            np.testing.assert_array_equal(plan.v[t], plan.q[t].max(axis=1))
            np.testing.assert_array_equal(plan.pi[t], greedy(plan.q[t]))


def test_a_long_horizon_approaches_the_discounted_optimum():
    for mdp, _ in instances(4, 30):
        best = discounted.policy_iteration(mdp).v
        scale = 1 + np.abs(best).max()
        np.testing.assert_allclose(backward_induction(mdp, 900).v[0], best, atol=1e-8 * scale)


def test_marginals_of_markov_policies_agree_with_the_tree():
    for i, (mdp, rng) in enumerate(instances(5, 60)):
        stages = [mdp] * 3 if i % 3 else stages_like(mdp, rng, 3)
        pi, mu = random_markov(mdp, rng, 3), rng.dirichlet(np.ones(mdp.S))
        d = marginals(stages, pi, mu=mu)
        np.testing.assert_allclose(d, marginals(stages, lambda h, pi=pi: pi[len(h) // 2, h[-1]], mu=mu), atol=1e-12)
        assert not d[:, mdp.terminal].any()
        pays = np.array([np.where(m.feasible, m.r, 0) for m in stages])
        discount = np.cumprod([1.0] + [m.gamma for m in stages])[:3]
        assert discount @ (d * pays).sum(axis=(1, 2)) == pytest.approx(mu @ evaluate(stages, pi)[0], abs=1e-9)


def test_marginals_give_their_policy_back():
    for mdp, rng in instances(6, 60):
        pi = random_markov(mdp, rng, 3)
        d = marginals(mdp, pi)
        recovered = markov_policy(mdp, d)
        reached = d.sum(axis=2) > 0
        np.testing.assert_allclose(recovered[reached], pi[reached], atol=1e-9)
        np.testing.assert_allclose(recovered.sum(axis=2), 1)
        assert not recovered[:, ~mdp.feasible].any()


def test_paths_are_a_law_and_carry_the_returns():
    for mdp, rng in instances(7, 40):
        final, pi = random_values(mdp, rng), random_markov(mdp, rng, 3)
        every = paths(mdp, pi, terminal_value=final)
        assert every.p.sum() == pytest.approx(1)
        assert (every.p > 0).all()
        ended = mdp.terminal[every.s[:, :-1]]
        np.testing.assert_array_equal(every.a == -1, ended)
        paid = np.where(ended, 0.0, mdp.r[every.s[:, :-1], every.a])
        returns = paid @ mdp.gamma ** np.arange(3) + mdp.gamma**3 * final[every.s[:, -1]]
        np.testing.assert_allclose(every.returns, returns, atol=1e-9)
        value = mdp.mu @ evaluate(mdp, pi, terminal_value=final)[0]
        assert every.p @ every.returns == pytest.approx(value, abs=1e-9)


def test_sparse_processes_are_the_same():
    for mdp, rng in instances(8, 20):
        sparse, pi = replace(mdp, P=csr_array(mdp.P)), random_markov(mdp, rng, 3)
        np.testing.assert_allclose(backward_induction(sparse, 3).v, backward_induction(mdp, 3).v, atol=1e-12)
        np.testing.assert_allclose(evaluate(sparse, pi), evaluate(mdp, pi), atol=1e-12)
        np.testing.assert_allclose(marginals(sparse, pi), marginals(mdp, pi), atol=1e-12)
        np.testing.assert_allclose(paths(sparse, pi).p, paths(mdp, pi).p, atol=1e-12)


def test_order_up_to_levels_of_a_last_month_is_a_newsvendor():
    """One month left, no fixed cost: order up to the largest u with P(D >= u) > (cost + holding) / price."""
    law = np.array([0.1, 0.2, 0.3, 0.2, 0.1, 0.1])
    mdp = worlds.inventory(5, demand=law, price=8.0, unit_cost=2.0, order_cost=0.0, holding_cost=1.0, gamma=1.0)
    tail = law[::-1].cumsum()[::-1]
    up_to = max(u for u in range(6) if u == 0 or tail[u] > 3 / 8)
    assert backward_induction(mdp, 1).pi[0].tolist() == [max(up_to - s, 0) for s in range(6)]


def loop(last=(2, -np.inf), **fields):
    return FiniteMDP(P=[[1, 0], [0, 1]] * 2, r=[[0, 1], last], gamma=1.0, **fields)


ENDS = loop(last=(0, 0), terminal=[False, True])
STAY = np.zeros((3, 2), dtype=int)
BARRED = np.array([[0, 0], [0, 1], [0, 0]])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: backward_induction(loop()), "horizon is missing: say how many decisions"),
        (lambda: backward_induction(loop(), 0), "horizon = 0: plan at least 1"),
        (lambda: backward_induction(loop(), 2.5), "horizon = 2.5: plan at least 1 decision, a whole number"),
        (lambda: backward_induction(loop(), True), "horizon = True"),
        (lambda: backward_induction([]), "horizon = 0: plan at least 1"),
        (lambda: backward_induction([loop()] * 3, 2), "There are 3 processes for 2 decisions"),
        (
            lambda: backward_induction([loop(), ENDS]),
            r"The process at time 1 has 2 states and 2 actions, terminal.*\[1\]",
        ),
        (
            lambda: backward_induction(loop(), 2, terminal_value=[1.0]),
            r"terminal_value must be .* \(2,\); got shape \(1,\)",
        ),
        (lambda: backward_induction(loop(), 2, terminal_value=[1.0, np.nan]), "terminal_value must be a finite array"),
        (lambda: backward_induction(ENDS, 2, terminal_value=[1.0, 3.0]), r"terminal_value\[1\] = 3.0: .* make it 0"),
        (lambda: evaluate(loop(), STAY[0], 3), r"shape \(3, 2\) or \(3, 2, 2\), time first; got \(2,\)"),
        (lambda: evaluate(loop(), STAY, 2), r"shape \(2, 2\) or .*; got \(3, 2\)"),
        (
            lambda: evaluate(loop(), BARRED),
            "At time 1: The policy takes action 1 in state 1, ",
        ),
        (lambda: marginals(loop(), STAY, mu=[0.5, 0.6]), "mu must be a probability vector"),
        (lambda: markov_policy(loop(), np.ones((3, 2))), r"of shape \(3, 2, 2\); got shape \(3, 2\)"),
        (lambda: markov_policy(loop(), -np.ones((1, 2, 2))), "numbers of at least 0.*least -1.0"),
        (
            lambda: markov_policy(loop(), np.ones((1, 2, 2))),
            "use action 1 in state 1 at time 0, where it is infeasible",
        ),
        (
            lambda: paths(loop(), lambda h: 2, 1),
            r"answers 2 to the history \(0,\): it must be a feasible action in 0..1",
        ),
        (lambda: paths(loop(), lambda h: len(h) // 2, 2, mu=[0, 1]), r"answers .* to the history \(1, 0, 1\)"),
        (lambda: paths(loop(), lambda h: [0.5, 0.6], 1), r"answers \[0.5 0.6\]"),
        (lambda: paths(loop(), lambda h: 0), "horizon is missing"),
    ],
)
def test_bad_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_too_many_paths_are_refused(monkeypatch):
    monkeypatch.setattr("rlcore.planning._histories.MAX_PATHS", 1000)
    mdp = worlds.garnet(5, 2, 5, rng=0)
    with pytest.raises(ValueError, match="more than 1,000 paths: use a smaller process, or a shorter horizon"):
        paths(mdp, lambda h: 0, 10)


def test_the_public_names():
    assert set(finite_horizon.__all__) <= set(dir(finite_horizon))
