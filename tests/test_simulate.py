"""Simulation against the exact laws and values.

Statistical tests use fixed seeds. Each would fail for one seed in a million if the code were right (|z| < 4.9,
or p > 1e-6), so a failure means that the code has changed.
"""

import dataclasses

import numpy as np
import pytest
from scipy.sparse import csr_array
from scipy.stats import chisquare

from rlcore import worlds
from rlcore.mdp import FiniteMDP
from rlcore.planning.discounted import evaluate, solve
from rlcore.simulate import Sampler, Trajectory, discounted_return, rollout

Z = 4.9  # two-sided: 9.6e-7
FIELDS = ("s", "a", "r", "discount", "s_next")


def as_sparse(mdp: FiniteMDP) -> FiniteMDP:
    return dataclasses.replace(mdp, P=csr_array(mdp.P))


def z_score(sample: np.ndarray, expected: float) -> float:
    return abs(sample.mean() - expected) / (sample.std(ddof=1) / np.sqrt(len(sample)))


@pytest.mark.parametrize("convert", [lambda mdp: mdp, as_sparse], ids=["dense", "sparse"])
def test_transitions_follow_the_rows_of_P(convert):
    mdp = convert(worlds.garnet(12, 3, 5, rng=0))
    sampler, rng, n = Sampler(mdp), np.random.default_rng(1), 20_000
    P = mdp.P if isinstance(mdp.P, np.ndarray) else mdp.P.toarray()
    for s in range(0, 12, 3):
        for a in range(3):
            r, s_next, discount = sampler.step(np.full(n, s), np.full(n, a), rng)
            counts, law = np.bincount(s_next, minlength=12), P[a * 12 + s]
            assert (counts[law == 0] == 0).all()
            assert chisquare(counts[law > 0], n * law[law > 0]).pvalue > 1e-6
            assert (r == mdp.r[s, a]).all()
            assert (discount == mdp.gamma).all()


def test_first_states_follow_mu():
    mu = np.array([0.0, 0.5, 0.0, 0.3, 0.2, 0.0])
    mdp = dataclasses.replace(worlds.garnet(6, 2, 2, rng=0), mu=mu)
    counts = np.bincount(Sampler(mdp).reset(50_000, np.random.default_rng(2)), minlength=6)
    assert (counts[mu == 0] == 0).all()
    assert chisquare(counts[mu > 0], 50_000 * mu[mu > 0]).pvalue > 1e-6


class Extreme(np.random.Generator):
    """Draws the ends of [0, 1): where rounding could leave a row."""

    def __init__(self, value):
        super().__init__(np.random.PCG64(0))
        self.value = value

    def random(self, size=None, dtype=np.float64, out=None):
        return np.full(size, self.value)


@pytest.mark.parametrize("u", [0.0, 1 - 2**-53])
@pytest.mark.parametrize("sparse", [False, True])
def test_no_draw_is_impossible(u, sparse):
    mdp = worlds.garnet(200, 3, 4, rng=0)
    mdp = as_sparse(mdp) if sparse else dataclasses.replace(mdp, P=mdp.P.toarray())
    s, a = (x.ravel() for x in np.indices((200, 3)))
    s_next = Sampler(mdp).step(s, a, Extreme(u))[1]
    P = mdp.P.toarray() if sparse else mdp.P
    assert (P[a * 200 + s, s_next] > 0).all()
    assert mdp.mu[Sampler(mdp).reset(3, Extreme(u))].all()


@pytest.mark.parametrize("convert", [lambda mdp: mdp, as_sparse], ids=["dense", "sparse"])
def test_mean_return_is_the_value(convert):
    mdp = convert(worlds.grid(gamma=0.9))
    pi = np.random.default_rng(0).dirichlet(np.ones(4), size=mdp.S)
    returns = discounted_return(rollout(mdp, pi, steps=150, runs=8_000, rng=3))
    assert z_score(returns, mdp.mu @ evaluate(mdp, pi)) < Z  # what 150 steps leave out is below 2e-6


def test_mean_return_from_a_given_state():
    mdp = worlds.chain(small=0.0, large=10.0, gamma=0.8)
    pi = solve(mdp).pi
    returns = discounted_return(rollout(mdp, pi, steps=120, runs=20_000, rng=4, start=3))
    assert z_score(returns, evaluate(mdp, pi)[3]) < Z


def test_actions_follow_the_policy():
    mdp = worlds.garnet(4, 3, 2, rng=0)
    pi = np.array([[0.2, 0.0, 0.8], [1.0, 0.0, 0.0], [0.1, 0.6, 0.3], [0.0, 0.0, 1.0]])
    run = rollout(mdp, pi, steps=200, runs=200, rng=5)
    for s in range(4):
        counts = np.bincount(run.a[run.s == s], minlength=3)
        assert (counts[pi[s] == 0] == 0).all()
        if (pi[s] > 0).sum() > 1:
            assert chisquare(counts[pi[s] > 0], counts.sum() * pi[s][pi[s] > 0]).pvalue > 1e-6


def test_runs_that_end_stay_where_they_ended():
    mdp = worlds.grid(["SG"], rewards={"G": 2.0}, slip=0.5, gamma=0.9)
    run = rollout(mdp, np.array([1, 0]), steps=30, runs=200, rng=6)
    goal = 1
    assert (run.s[:, 1:] == run.s_next[:, :-1]).all()
    ended = run.s == goal
    assert ended.any(axis=1).all()
    assert (run.s_next[ended] == goal).all()
    assert (run.r[ended] == 0).all()
    assert (run.discount == np.where(run.s_next == goal, 0.0, 0.9)).all()
    duration = (~ended).sum(axis=1)  # steps until the goal; the expected reward of each is 0.5 * 2
    np.testing.assert_allclose(discounted_return(run), (1 - 0.9**duration) / (1 - 0.9))


def test_shapes_and_seeds():
    mdp = worlds.grid()
    pi = solve(mdp).pi
    one = rollout(mdp, pi, steps=7, runs=3, rng=11)
    again = rollout(mdp, pi, steps=7, runs=3, rng=np.random.default_rng(11))
    other = rollout(mdp, pi, steps=7, runs=3, rng=12)
    for name in FIELDS:
        assert getattr(one, name).shape == (3, 7)
        assert (getattr(one, name) == getattr(again, name)).all()
    assert (one.s_next != other.s_next).any()
    assert rollout(mdp, pi, steps=1).s.shape == (1, 1)
    assert rollout(mdp, pi, steps=1, runs=2, start=np.array([3, 4])).s.tolist() == [[3], [4]]
    with pytest.raises(dataclasses.FrozenInstanceError):
        one.s = other.s


def test_discounted_return_by_hand():
    r, discount = np.array([[1.0, 2.0, 4.0], [1.0, 1.0, 8.0]]), np.array([[0.5, 0.5, 0.5], [0.5, 0.0, 0.0]])
    index = np.zeros((2, 3), dtype=int)
    assert discounted_return(Trajectory(index, index, r, discount, index)).tolist() == [3.0, 1.5]


def test_a_process_that_is_over_from_the_start():
    mdp = FiniteMDP(np.zeros((1, 1)), np.zeros((1, 1)), 0.9, terminal=np.array([True]))
    run = rollout(mdp, np.array([0]), steps=2)
    assert run.s_next.tolist() == [[0, 0]]
    assert run.discount.tolist() == [[0, 0]]


def test_bad_input():
    mdp, rng = worlds.two_state(), np.random.default_rng(0)
    sampler, pi = Sampler(mdp), np.array([0, 0])
    s0, s1 = np.array([0]), np.array([1])
    with pytest.raises(
        ValueError, match=r"Run 0 takes action 1 in state 1, where it is infeasible: choose among \[0\]"
    ):
        sampler.step(s1, s1, rng)
    with pytest.raises(ValueError, match=r"actions reach from 2 to 2: they must lie in 0..1"):
        sampler.step(s0, np.array([2]), rng)
    with pytest.raises(ValueError, match=r"states reach from -1 to -1"):
        sampler.step(np.array([-1]), s0, rng)
    with pytest.raises(ValueError, match="actions have dtype float64: use integers"):
        sampler.step(s0, np.array([0.0]), rng)
    with pytest.raises(ValueError, match=r"States \(1,\) and actions \(2,\) need one shape"):
        sampler.step(s0, np.array([0, 0]), rng)
    with pytest.raises(TypeError, match="rng is 7: open a generator once"):
        sampler.step(s0, s0, 7)
    with pytest.raises(TypeError, match="rng is None: open a generator once"):
        sampler.reset(1, None)
    with pytest.raises(ValueError, match="runs = 0: ask for at least 1"):
        sampler.reset(0, rng)
    with pytest.raises(ValueError, match="steps = 0: ask for at least 1"):
        rollout(mdp, pi, steps=0)
    with pytest.raises(ValueError, match="runs = -1: ask for at least 1"):
        rollout(mdp, pi, steps=1, runs=-1)
    with pytest.raises(ValueError, match=r"start has shape \(3,\): give one state, or one per run, \(2,\)"):
        rollout(mdp, pi, steps=1, runs=2, start=np.zeros(3, dtype=int))
    with pytest.raises(ValueError, match="start states reach from 2 to 2"):
        rollout(mdp, pi, steps=1, start=2)
    with pytest.raises(ValueError, match="takes action 1 in state 1, where it is infeasible"):
        rollout(mdp, np.array([0, 1]), steps=1)
    with pytest.raises(ValueError, match="A policy is an integer array of shape"):
        rollout(mdp, np.array([0]), steps=1)
