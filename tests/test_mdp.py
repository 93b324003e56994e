"""FiniteMDP: its operators against plain sums, its validation, and properties on arbitrary processes."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.sparse import csr_array, issparse

from rlcore import FiniteMDP, greedy

LOOP = dict(P=[[0.5, 0.5], [0.0, 1.0], [1.0, 0.0], [0.5, 0.5]], r=[[1.0, 2.0], [3.0, 4.0]], gamma=0.9)


def change(**fields):
    return FiniteMDP(**{**LOOP, **fields})


@st.composite
def mdps(draw):
    """Any size up to 5 x 4, integer weights normalised, infeasible actions and terminal states, dense or sparse."""
    S, A = draw(st.integers(1, 5)), draw(st.integers(1, 4))
    weights = draw(arrays(float, (A * S, S), elements=st.integers(0, 9).map(float)))
    weights[weights.sum(axis=1) == 0] = 1.0
    P = weights / weights.sum(axis=1, keepdims=True)
    r = draw(arrays(float, (S, A), elements=st.floats(-100, 100)))
    r[draw(arrays(bool, (S, A))) & (np.arange(A) > 0)] = -np.inf
    terminal = draw(arrays(bool, (S,)))
    P.reshape(A, S, S)[:, terminal] = 0.0
    r[terminal] = 0.0
    gamma = draw(st.floats(0, 1))
    return FiniteMDP(csr_array(P) if draw(st.booleans()) else P, r, gamma, terminal=terminal)


@st.composite
def mdps_and_values(draw):
    mdp = draw(mdps())
    return mdp, draw(arrays(float, (mdp.S,), elements=st.floats(-1e3, 1e3)))


def dense(mdp):
    """p[s, a, s'] as a dense array."""
    P = mdp.P.toarray() if issparse(mdp.P) else mdp.P
    return P.reshape(mdp.A, mdp.S, mdp.S).transpose(1, 0, 2)


# ---------------------------------------------------------------------- operators


@given(mdps_and_values())
def test_q_is_the_sum_it_stands_for(pair):
    mdp, v = pair
    q, p = mdp.q(v), dense(mdp)
    assert q.shape == (mdp.S, mdp.A)
    for s in range(mdp.S):
        for a in range(mdp.A):
            expected = mdp.r[s, a] + mdp.gamma * sum(p[s, a, t] * v[t] for t in range(mdp.S))
            assert q[s, a] == pytest.approx(expected, abs=1e-9)
    assert (q[mdp.terminal] == 0).all()
    assert (np.isneginf(q) == ~mdp.feasible).all()


@given(mdps())
def test_rows_are_laws_where_they_are_used_and_empty_elsewhere(mdp):
    sums = dense(mdp).sum(axis=2)
    used = mdp.feasible & ~mdp.terminal[:, None]
    np.testing.assert_allclose(sums[used], 1)
    assert (sums[~used] == 0).all()
    assert mdp.mu.sum() == pytest.approx(1)


@given(mdps())
def test_dense_and_sparse_are_the_same_process(mdp):
    other = dataclasses.replace(mdp, P=dense(mdp).transpose(1, 0, 2).reshape(-1, mdp.S))
    v = np.arange(mdp.S, dtype=float)
    np.testing.assert_allclose(other.q(v), mdp.q(v))
    rebuilt = FiniteMDP.from_arrays(dense(mdp), mdp.r, mdp.gamma, terminal=mdp.terminal)
    np.testing.assert_allclose(rebuilt.q(v), mdp.q(v))


@given(mdps_and_values(), st.randoms(use_true_random=False))
def test_induced_averages_the_rows_of_q(pair, random):
    mdp, v = pair
    weights = np.array([[random.random() + 0.01 for _ in range(mdp.A)] for _ in range(mdp.S)]) * mdp.feasible
    weights /= weights.sum(axis=1, keepdims=True)
    actions = greedy(mdp.q(v))
    q = np.where(mdp.feasible, mdp.q(v), 0.0)
    for pi, expected in ((weights, (weights * q).sum(axis=1)), (actions, q[np.arange(mdp.S), actions])):
        P, r = mdp.induced(pi)
        assert P.shape == (mdp.S, mdp.S)
        np.testing.assert_allclose(r + mdp.gamma * (P @ v), expected, atol=1e-9)


def test_transitions_accumulate_and_leave_out_what_never_occurs():
    mdp = FiniteMDP.from_transitions(
        3, 2, s=[0, 0, 0, 1], a=[0, 0, 1, 1], s_next=[1, 1, 2, 0], p=[0.25, 0.75, 1.0, 1.0], r=[4.0, 8.0, 1.0, 2.0],
        gamma=0.5, terminal=np.array([False, False, True]),
    )  # fmt: skip
    assert mdp.r[0, 0] == 0.25 * 4 + 0.75 * 8
    assert np.isneginf(mdp.r[1, 0])
    np.testing.assert_array_equal(dense(mdp)[0, 0], [0, 1, 0])
    np.testing.assert_array_equal(mdp.mu, [0.5, 0.5, 0])


def test_large_models_are_sparse():
    n = 400
    s = np.arange(n)
    mdp = FiniteMDP.from_transitions(n, 1, s, 0, (s + 1) % n, 1.0, 1.0, gamma=0.5)
    assert issparse(mdp.P)
    np.testing.assert_array_equal(mdp.q(s.astype(float))[:, 0], 1 + 0.5 * ((s + 1) % n))


def test_rewards_of_transitions_are_averaged():
    p = np.array([[[0.25, 0.75]], [[1.0, 0.0]]])
    r = np.array([[[4.0, 8.0]], [[1.0, np.inf]]])  # an impossible transition's reward does not matter
    with np.errstate(invalid="ignore"):
        np.testing.assert_array_equal(FiniteMDP.from_arrays(p, r, 0.5).r, [[7.0], [1.0]])


def test_a_process_cannot_be_changed():
    mdp = change()
    sparse = change(P=csr_array(LOOP["P"])).P
    for array in (mdp.P, mdp.r, mdp.mu, mdp.terminal, sparse.data, sparse.indices, sparse.indptr):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0
    with pytest.raises(dataclasses.FrozenInstanceError):
        mdp.gamma = 0.5
    r = np.ones((2, 2))
    change(r=r)
    r[0] = 5  # what was passed in stays the caller's


def test_a_terminal_state_may_loop_to_itself_and_is_stored_empty():
    for P in (np.array([[0.5, 0.5], [0, 1]]), csr_array([[0.5, 0.5], [0, 1]])):
        mdp = FiniteMDP(P, [[1.0], [0.0]], 0.9, terminal=np.array([False, True]))
        np.testing.assert_array_equal(dense(mdp)[1], [[0, 0]])
        np.testing.assert_array_equal(mdp.mu, [1, 0])


def test_names():
    mdp = change(labels=["hot", "cold"], action_labels=["wait", "go"])
    assert mdp.labels == ("hot", "cold")
    assert change().labels == (0, 1)
    assert change().action_labels == (0, 1)


# ---------------------------------------------------------------------- greedy


def test_greedy_breaks_ties_low_or_at_random():
    q = np.array([[1.0, 1.0 + 1e-14, 0.0], [0.0, 2.0, 2.0], [-np.inf, -1.0, -np.inf]])
    np.testing.assert_array_equal(greedy(q), [0, 1, 1])
    seen = {tuple(greedy(q, seed)) for seed in range(60)}
    assert seen == {(a, b, 1) for a in (0, 1) for b in (1, 2)}
    np.testing.assert_array_equal(greedy(q, 7), greedy(q, np.random.default_rng(7)))


@pytest.mark.parametrize("row", [[np.nan, 1.0], [-np.inf, -np.inf]])
def test_greedy_refuses_rows_without_a_best_action(row):
    with pytest.raises(ValueError, match=r"q\[1\] = .* has no greedy action"):
        greedy(np.array([[0.0, 1.0], row]))


def test_greedy_names_the_shape_it_got():
    with pytest.raises(ValueError, match=r"q must have shape \(S, A\); got shape \(2,\).*pass q\[None\]"):
        greedy(np.array([0.0, 1.0]))


# ---------------------------------------------------------------------- bad input


@pytest.mark.parametrize("sparse", [False, True])
def test_rows_that_are_no_laws(sparse):
    P = np.array(LOOP["P"])
    P[2] = [0.7, 0.2]
    with pytest.raises(ValueError, match=r"Row 2 of P \(state 0, action 1\) sums to 0.9, off by -0.1.*Normalise"):
        change(P=csr_array(P) if sparse else P)
    for bad in (-0.5, np.nan, np.inf):
        P[2] = [1.5, bad]
        message = rf"Row 2 of P \(state 0, action 1\) gives state 1 the probability {bad}, .*lie in \[0, 1\]"
        with pytest.raises(ValueError, match=message):
            change(P=csr_array(P) if sparse else P)
    with pytest.raises(ValueError, match=r"P must .*real numbers.*complex128"):
        change(P=csr_array(P.astype(complex)) if sparse else P.astype(complex))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"r": [[1.0, np.nan], [0.0, 0.0]]}, r"r\[0, 1\] = nan: rewards must be finite"),
        ({"r": [[1.0, 0.0], [np.inf, 0.0]]}, r"r\[1, 0\] = inf"),
        ({"r": [[1.0, 2.0], [-np.inf, -np.inf]]}, "State 1 has no feasible action: allow one, or mark"),
        ({"r": np.zeros((2, 0)), "P": np.zeros((0, 2))}, r"at least one state and one action; got shape \(2, 0\)"),
        ({"r": np.zeros(2)}, r"shape \(S, A\).*got shape \(2,\)"),
        ({"gamma": 1.2}, r"gamma must lie in \[0, 1\]; got 1.2"),
        ({"gamma": -0.1}, "got -0.1"),
        ({"gamma": np.nan}, "got nan"),
        ({"gamma": None}, r"gamma must lie in \[0, 1\]; got None: give a number. A discount factor of 0.9"),
        ({"gamma": "x"}, "got 'x': give a number"),
        ({"gamma": np.array([0.9])}, r"got array\(\[0.9\]\): give a number"),
        ({"r": [[1.0, 2.0], [3.0]]}, "r must be an array of real numbers, with rows of equal length"),
        ({"r": np.ones((2, 2), dtype=complex)}, "r must be .*real numbers.*complex128"),
        ({"P": [[1.0], [0.5, 0.5]]}, "P must be .*rows of equal length"),
        ({"mu": [1.5, -0.5]}, r"mu\[1\] = -0.5: the probability of starting in a state lies in \[0, 1\]"),
        ({"mu": [np.nan, 1.0]}, r"mu\[0\] = nan"),
        ({"P": np.eye(2)}, r"\(A\*S, S\) = \(4, 2\).*got \(2, 2\).*from_arrays"),
        ({"terminal": [True]}, r"bool array of shape \(2,\)"),
        ({"terminal": [0, 1]}, "terminal must be a bool array"),
        ({"terminal": [False, True]}, r"State 1 is terminal but r\[1\] = .*pay the reward on the transition into it"),
        ({"terminal": [False, True], "r": [[1, 1], [0, 0]]}, "State 1 is terminal but P leads out of it"),
        ({"mu": [0.5, 0.6]}, r"mu must be a probability vector of shape \(2,\); got shape \(2,\), sum 1.1"),
        ({"mu": [1.0]}, "mu must be a probability vector"),
        ({"labels": ["a"]}, "labels must hold 2 different names; got 1"),
        ({"action_labels": ["a", "a"]}, "action_labels must hold 2 different names; got 2, 1 of them different"),
    ],
)
def test_fields_that_are_wrong(fields, message):
    with pytest.raises(ValueError, match=message):
        change(**fields)


@pytest.mark.parametrize(
    ("pi", "message"),
    [
        (np.array([0]), r"integer array of shape \(2,\) or probabilities of shape \(2, 2\); got int64 of shape \(1,\)"),
        (np.array([0.0, 1.0]), "got float64"),
        (np.array([0, 2]), r"takes action 2 in state 1; actions are 0..1"),
        (np.array([-1, 0]), "takes action -1 in state 0"),
        (np.array([[0.5, 0.5], [0.5, 0.4]]), "Row 1 of the policy is no probability vector"),
        (np.array([[1.5, -0.5], [0.5, 0.5]]), "Row 0 of the policy"),
        (np.array([[np.nan, 0.5], [0.5, 0.5]]), "Row 0 of the policy"),
    ],
)
def test_policies_that_are_wrong(pi, message):
    with pytest.raises(ValueError, match=message):
        change().induced(pi)


def test_a_policy_must_be_feasible():
    mdp = change(r=[[1.0, -np.inf], [0.0, 0.0]])
    with pytest.raises(ValueError, match="takes action 1 in state 0, where it is infeasible"):
        mdp.induced(np.array([1, 0]))


def test_constructors_name_what_is_wrong():
    with pytest.raises(ValueError, match=r"needs p of shape \(S, A, S\).*got \(2, 2\) and \(2,\)"):
        FiniteMDP.from_arrays(np.eye(2), np.zeros(2), 0.9)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"s_next": [0, 2]}, r"s_next\[1\] = 2: s_next must lie in 0..1"),
        ({"a": -1}, r"a\[0\] = -1: a must lie in 0..0"),
        ({"s": [0.0, 1.0]}, r"s must hold integers in 0..1; its entries are float64"),
        ({"s": [0, 1, 1]}, r"of one length, or scalars; got shapes s \(3,\), a \(\), s_next \(2,\)"),
        ({"s": [0, 0], "p": [1.5, -0.5]}, r"p\[0\] = 1.5: a probability lies in \[0, 1\]"),
        ({"p": [1.0, -0.5]}, r"p\[1\] = -0.5"),
        ({"p": [1.0, np.nan]}, r"p\[1\] = nan"),
        ({"r": [0.0, np.nan]}, r"r\[1\] = nan: give a finite reward, or -inf where the action is infeasible"),
        ({"r": np.inf}, r"r\[0\] = inf: give a finite reward"),
        ({"r": 1j}, "r must be an array of real numbers"),
    ],
)
def test_transitions_that_are_wrong(columns, message):
    good = {"s": [0, 1], "a": 0, "s_next": [1, 0], "p": 1.0, "r": 0.0}
    with pytest.raises(ValueError, match=message):
        FiniteMDP.from_transitions(2, 1, **{**good, **columns}, gamma=0.9)


def test_rewards_of_transitions_may_bar_an_action_and_do_not_matter_where_p_is_zero():
    mdp = FiniteMDP.from_transitions(1, 2, [0, 0, 0], [0, 0, 1], 0, [1.0, 0.0, 1.0], [3.0, np.nan, -np.inf], 0.9)
    np.testing.assert_array_equal(mdp.r, [[3.0, -np.inf]])


@pytest.mark.parametrize("v", [np.ones(3), np.ones((2, 1)), 1.0])
def test_values_of_another_shape_are_named(v):
    with pytest.raises(ValueError, match=r"v must have shape \(2,\), one value per state; got shape \("):
        change().q(v)
