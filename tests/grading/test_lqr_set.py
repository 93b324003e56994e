"""The certificates, the individual greenhouses and the experiment of the problem set on linear-quadratic control."""

from __future__ import annotations

import re

import numpy as np
import pytest

from rlgrade import linear
from rlgrade.instances import STUDENT_VARIABLE
from rlgrade.sets import lqr
from tests.grading.course import source

RUNS, MOVES, ALLOWED = 5_000, 20_000, 0.01


@pytest.fixture(autouse=True)
def ungraded(monkeypatch):
    monkeypatch.delenv(STUDENT_VARIABLE, raising=False)


def riccati(A, B, Q, R, P, steps):
    """Riccati's recursion, for one problem or for a stack of them: (gain, value) after `steps`."""
    Bt = np.swapaxes(B, -1, -2)
    K = np.zeros(())
    for _ in range(steps):
        K = np.linalg.solve(R + Bt @ P @ B, Bt @ P @ A)
        M = A - B @ K
        P = Q + np.swapaxes(K, -1, -2) @ R @ K + np.swapaxes(M, -1, -2) @ P @ M
    return K, P


@pytest.mark.parametrize("seed", range(12))
def test_the_certificates_agree_with_the_recursion_and_with_each_other(seed):
    A, B, Q, R = linear.system(seed, 1 + seed % 4, 1 + seed % 2)
    P_end, H = 2.0 * Q + np.eye(len(A)), 1 + seed % 6
    for got, want in zip(linear.best_plan(A, B, Q, R, P_end, H), riccati(A, B, Q, R, P_end, H), strict=True):
        np.testing.assert_allclose(got, want, atol=1e-8 * np.abs(want).max())
    P, K = linear.best_forever(A, B, Q, R, 0.9)
    long = riccati(np.sqrt(0.9) * A, np.sqrt(0.9) * B, Q, R, 0 * Q, 3000)
    np.testing.assert_allclose(K, long[0], atol=1e-7 * np.abs(K).max())
    np.testing.assert_allclose(P, long[1], atol=1e-7 * np.abs(P).max())


@pytest.mark.parametrize("seed", range(8))
def test_no_other_control_is_cheaper_than_that_of_the_best_gain(seed):
    A, B, Q, R = linear.system(seed, 3, 2)
    rng = np.random.default_rng(seed)
    x, K = rng.normal(size=3), linear.best_gain(A, B, R, Q)

    def pays(u):
        y = A @ x + B @ u
        return u @ R @ u + y @ Q @ y

    assert all(pays(-K @ x) < pays(-K @ x + change) for change in rng.normal(size=(20, 2)))


@pytest.mark.parametrize("seed", range(6))
def test_modes_are_as_stated_and_the_unmoved_ones_stay_under_any_gain(seed):
    moved, unmoved = [1.4, 0.3], [0.5 + 0.9j, -1.1][: 1 + seed % 2]
    A, B = linear.modes(seed, moved, unmoved)
    every = [*moved, *unmoved, *np.conj([z for z in unmoved if np.iscomplex(z)])]
    np.testing.assert_allclose(np.poly(A), np.real(np.poly(every)), atol=1e-9)
    loop = np.linalg.eigvals(A - B @ np.random.default_rng(seed).normal(size=(1, len(A))))
    assert all(np.abs(loop - z).min() < 1e-7 for z in unmoved)
    assert all(np.abs(loop - z).min() > 1e-4 for z in moved)


@pytest.mark.parametrize("seed", range(6))
def test_the_derivatives_of_the_curved_systems_are_those_of_their_steps(seed):
    step, derivatives = linear.curved(seed, 3, 2)
    rng, h = np.random.default_rng(seed), 1e-6
    x, u = rng.normal(size=3), rng.normal(size=2)
    f_x = np.stack([(step(x + h * e, u) - step(x - h * e, u)) / (2 * h) for e in np.eye(3)], axis=1)
    f_u = np.stack([(step(x, u + h * e) - step(x, u - h * e)) / (2 * h) for e in np.eye(2)], axis=1)
    np.testing.assert_allclose(derivatives(x, u)[0], f_x, atol=1e-8)
    np.testing.assert_allclose(derivatives(x, u)[1], f_u, atol=1e-8)


def test_every_misconception_differs_from_the_truth():
    A, B, Q, R = linear.system(4, 3, 2)
    G = np.diag([1.0, 2.0, 0.5])
    gains, values = zip(*(riccati(A, B, Q, R, G, 4 - t) for t in range(4)), strict=True)
    P, K = linear.best_forever(A, B, Q, R, 0.8)
    own = 1.1 * linear.best_forever(A, B, Q, R)[1]
    M, W = A - B @ own, np.diag([1.0, 2.0, 3.0])
    total = np.linalg.solve(np.eye(9) - np.kron(M.T, M.T), (Q + own.T @ R @ own).reshape(-1)).reshape(3, 3)
    found = [
        (lqr.riccati(A, B, Q, R, G, 4), {"K": np.array(gains), "P": np.array([*values, G])}),
        (lqr.regulator(A, B, Q, R, 0.8), {"P": P, "K": K}),
        (
            lqr.cost(A, B, Q, R, own, W),
            {"P": total, "average": np.trace(total @ W), "K_plus": linear.best_gain(A, B, R, total)},
        ),
    ]
    same = set()
    for slips, truth in found:
        for name, want in truth.items():
            same |= {(name, text) for text, slip in slips[name].items() if np.allclose(slip, want, rtol=1e-9)}
    one_part = {  # these concern gains alone
        ("P", lqr.SIGN),
        ("P", "Your gain at time t looks at P[t]: what is still to be paid after the step is P[t + 1]."),
        ("P", "The discount is missing in your gain, though not in P: it belongs before every P."),
    }
    settled = {(name, text) for name, text in same if "has not settled down" in text}  # after 50 steps and more
    assert same - settled == one_part
    assert not [text for _, text in settled if re.search(r" (1|2|10) steps", text)]


def test_greenhouses_are_stable_differ_and_ask_for_all_of_P():
    seen = set()
    for i in range(300):
        m = lqr.greenhouse(f"student {i}")
        A, B = np.array(m["A"]), np.array(m["B"])
        assert (A >= 0).all()
        assert linear.radius(A) < 1
        P, K = linear.best_forever(A, B, np.diag(m["q"]), np.array([[m["r"]]]))
        assert np.abs(K).min() > 1e-3
        assert P[0, 1] > 1e-2  # so that adding up the temperatures separately is seen
        assert m["gust"] != 1  # so that a deviation taken for a variance is seen
        seen.add((m["A"], m["B"], m["q"], m["r"], m["start"]))
    assert len(seen) == 300


def test_the_greenhouse_is_that_of_the_graded_id(monkeypatch):
    monkeypatch.setenv(STUDENT_VARIABLE, "ben")
    assert lqr.greenhouse("ada") == lqr.greenhouse("ben")
    slips = lqr.greenhouse_slips("ada", lambda m: m["start"])
    assert any("'ada'" in text and "'ben'" in text for text in slips)


@pytest.mark.slow
def test_an_honest_regression_is_failed_less_than_once_in_a_thousand_gradings():
    """5,000 gradings of least squares from 20,000 states and controls, uniform in [-1, 1].

    The errors of the estimates are drawn from their limit law, normal with the variance 0.5^2 / (20,000 / 3). A grading
    fails if the gain of one of the 8 systems does not stabilise or loses more than 1 %.
    """
    cell = next(cell.source for cell in source("lqr").cells if cell.id == "learn-stable")
    seeds = [int(seed) for seed in re.search(r"hidden_seeds = \(([\d, ]+)\)", cell).group(1).split(",")]
    assert len(seeds) == 8
    failed, rng = np.zeros(RUNS, dtype=bool), np.random.default_rng(0)
    for seed in seeds:
        A, B, Q, R = linear.system(seed, 1 + seed % 3, 1 + seed % 2)
        n, m = B.shape
        error = rng.normal(size=(RUNS, n, n + m)) * 0.5 / np.sqrt(MOVES / 3)
        K, _ = riccati(A + error[:, :, :n], B + error[:, :, n:], Q, R, np.broadcast_to(Q, (RUNS, n, n)), 150)
        M = A - B @ K
        pay = Q + np.swapaxes(K, 1, 2) @ R @ K
        both = np.einsum("kij,klm->kiljm", M, M).reshape(RUNS, n * n, n * n)  # x x' one step later, as a vector
        spread = np.linalg.solve(np.eye(n * n) - both, np.eye(n).reshape(1, n * n, 1)).reshape(RUNS, n, n)
        least = np.trace(linear.best_forever(A, B, Q, R)[0])
        unstable = np.abs(np.linalg.eigvals(M)).max(axis=1) >= 1
        failed |= unstable | ((pay * spread).sum(axis=(1, 2)) / least - 1 > ALLOWED)
    assert not failed.any()  # a probability of 1e-3 would show none with probability 0.7 % only
