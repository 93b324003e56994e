"""What the test cells of the problem set on linear-quadratic control share: misconceptions and individual instances.

Each function named after a problem returns maps from a sentence to what an answer with that misconception gives on the
given instance (see `rlgrade.check.close`). None of them holds a right answer. Arrays are A (n, n), B (n, m), Q (n, n),
R (m, m), and gains K (m, n) stand for u = -Kx.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from rlgrade.instances import Draw, for_another_id, student_id

__all__ = ["cost", "gradient", "greenhouse", "greenhouse_slips", "regulator", "riccati", "unmoved"]

Slips = dict[str, dict[str, Any]]

SIGN = "Your gains have the other sign: the control is u = -Kx."
NO_R = "R is missing in the inverse of your gain: it is R + B'PB that is inverted."
NO_CONTROLS = "The controls cost something too: K'RK is missing."
TRANSPOSED = "Your products are transposed: P stands between (A - BK)' on the left and A - BK on the right."
PLUS = "Your next state is (A + BK)x: with u = -Kx it is (A - BK)x."

# ---------------------------------------------------------------------- misconceptions


def riccati(A, B, Q, R, P_end, H) -> Slips:
    """Misread recursions over H steps: for "K" and "P", sentences to arrays. Source: this book."""

    def run(gain=_gain, step=_step, start=P_end, late=False) -> tuple[np.ndarray, np.ndarray]:
        P, K = [start], []
        for _ in range(H):
            K.append(gain(A, B, R, P[-1]))
            P.append(step(A, B, Q, R, P[-1], K[-1]))
            if late:
                K[-1] = gain(A, B, R, P[-1])
        return np.array(K[::-1]), np.array(P[::-1])

    K, P = run()
    found = {
        SIGN: (-K, P),
        NO_R: run(gain=lambda A, B, R, P: np.linalg.pinv(B.T @ P @ B) @ B.T @ P @ A),
        "Your recursion starts from 0: the last state costs x'P_end x.": run(start=0 * P_end),
        "Your recursion starts from Q: the last state costs x'P_end x.": run(start=Q),
        "Your gain at time t looks at P[t]: what is still to be paid after the step is P[t + 1].": run(late=True),
        NO_CONTROLS: run(step=lambda A, B, Q, R, P, K: _step(A, B, Q, 0 * R, P, K)),
        TRANSPOSED: run(step=lambda A, B, Q, R, P, K: Q + K.T @ R @ K + (A - B @ K) @ P @ (A - B @ K).T),
        PLUS: run(step=lambda A, B, Q, R, P, K: _step(A, -B, Q, R, P, K)),
        "Your results are in the order in which they are found, from the end: number them by time.": (K[::-1], P[::-1]),
    }
    return _parts(found, ("K", "P"))


def unmoved(A, B, *, seen: bool = False) -> dict[str, bool]:
    """Other tests of a pair for being stabilisable: sentences to their verdicts. Source: this book.

    With `seen`, the sentences are about a pair (A', Q) that is tested for being detectable.
    """
    word, outside_word = ("seen by the cost", "left") if seen else ("moved by the control", "right")
    values, left = np.linalg.eig(A.T)
    turned, right = np.linalg.eig(A)
    rank = [np.linalg.svd(np.hstack([A - z * np.eye(len(A)), B]), compute_uv=False)[-1] for z in values]
    turned_rank = [np.linalg.svd(np.hstack([A.T - z * np.eye(len(A)), B]), compute_uv=False)[-1] for z in values]
    stuck, outside, real = np.array(rank) < 1e-9, np.abs(values) > 1 - 1e-9, np.abs(values.imag) < 1e-9
    above, miss = np.abs(values) > 1 + 1e-9, np.abs(left.T @ B).max(axis=1) < 1e-9
    wrong_side = (np.abs(turned) > 1 - 1e-9) & (np.abs(right.T @ B).max(axis=1) < 1e-9)
    return {
        f"You ask that every mode is {word}: one that dies out by itself need not be.": not stuck.any(),
        f"You ask that A itself is stable: a mode that grows may be {word}.": not outside.any(),
        f"A mode of modulus exactly 1 does not die out: it has to be {word}, too.": not (stuck & above).any(),
        "You compare the eigenvalue with 1, not its modulus: one below -1 grows, too.": not (
            stuck & real & (values.real > 1 - 1e-9)
        ).any(),
        "Your test leaves out complex eigenvalues: they come in pairs that turn and may grow.": not (
            stuck & outside & real
        ).any(),
        "Your test looks at one eigenvector for each eigenvalue: a double one has more. Use a rank.": not (
            outside & miss
        ).any(),
        f"Your test uses {outside_word} eigenvectors, one for each eigenvalue: of A and its transpose, you took the "
        "wrong one.": not wrong_side.any(),
        f"Your test uses {outside_word} eigenvectors (w'A = z w' is about the control, Av = z v about the cost).": not (
            outside & (np.array(turned_rank) < 1e-9)
        ).any(),
        "Your verdicts are the wrong way round.": bool((stuck & outside).any()),
    }


def regulator(A, B, Q, R, gamma) -> Slips:
    """Misread limits: for "P" and "K", sentences to arrays. Source: this book."""

    def limit(gain=_gain, step=_step, rounds=3000) -> tuple[np.ndarray, np.ndarray]:
        P = 0 * Q
        for _ in range(rounds):
            P = step(A, B, Q, R, P, gain(A, B, R, P))
        return P, gain(A, B, R, P)

    both: dict[str, Callable] = {
        "gain": lambda A, B, R, P: _gain(A, B, R, gamma * P),
        "step": lambda A, B, Q, R, P, K: _step(A, B, Q, R, gamma * P, K),
    }
    P, K = limit(**both)
    few = "Your P is that of a horizon of {} steps: the recursion has not settled down."
    return _parts(
        {
            "Your discount stands in front of A'PA only: it belongs before every P.": limit(
                gain=lambda A, B, R, P: _gain(A, B, R, P) * gamma, step=both["step"]
            ),
            "The discount is missing in your gain: it belongs before every P.": limit(step=both["step"]),
            "The discount is missing in your gain, though not in P: it belongs before every P.": (P, _gain(A, B, R, P)),
            "The discount is missing.": limit(),
            "Your discount is squared or doubled: it counts once a step.": limit(
                gain=lambda A, B, R, P: _gain(A, B, R, gamma**2 * P),
                step=lambda A, B, Q, R, P, K: _step(A, B, Q, R, gamma**2 * P, K),
            ),
            SIGN: (P, -K),
            NO_CONTROLS: limit(gain=both["gain"], step=lambda A, B, Q, R, P, K: _step(A, B, Q, 0 * R, gamma * P, K)),
            **{few.format(k): limit(**both, rounds=k) for k in (1, 2, 10, 20, 30, 50, 100, 200, 500, 1000)},
        },
        ("P", "K"),
    )


def cost(A, B, Q, R, K, W) -> Slips:
    """Misread costs of a gain: for "P", "average" and "K_plus", sentences to values. Source: this book."""

    def total(pay, M) -> np.ndarray:
        P = 0 * pay
        for _ in range(3000):
            P = pay + M.T @ P @ M
        return P

    pay, M, n = Q + K.T @ R @ K, A - B @ K, len(A)
    P, best = total(pay, M), 0 * Q
    for _ in range(3000):
        best = _step(A, B, Q, R, best, _gain(A, B, R, best))
    spread = total(W, M.T)
    return {
        "P": {
            NO_CONTROLS: total(Q, M),
            TRANSPOSED: total(pay, M.T),
            "Your P leaves out the first step: the state x is paid for, too.": M.T @ P @ M,
            "Your P is the least cost: the gain that is given need not be the best.": best,
            "Your P is the cost of one step: the rest of the path is missing.": pay,
        },
        "average": {
            "Your average is the trace of P: the noise has the covariance W.": float(np.trace(P)),
            "Your average is what a state that is drawn by W costs in one step: each push costs until it has died "
            "out.": float(np.trace(pay @ W)),
            "Your average is the variance of the state, not its cost.": float(np.trace(spread)),
            "Your average leaves out what the controls cost.": float(np.trace(Q @ spread)),
            "Your average counts W twice.": float(np.trace(P @ W @ W)),
            "Your average is a product of two traces: it is the trace of a product.": float(
                np.trace(P) * np.trace(W) / (1 if n > 1 else 2)
            ),
            "Your average is that of the best gain: it is the gain given that is used.": float(np.trace(best @ W)),
        },
        "K_plus": {
            SIGN: -_gain(A, B, R, P),
            NO_R: np.linalg.pinv(B.T @ P @ B) @ B.T @ P @ A,
            "Your K_plus is the gain that was given.": K,
            "Your K_plus is best if only Q is paid afterwards: what follows costs x'Px.": _gain(A, B, R, Q),
            "Your K_plus is the gain where all rounds end: one round is asked for.": _gain(A, B, R, best),
        },
    }


def gradient(step, derivatives, Q, R, P_end, x0, u) -> Slips:
    """Misread passes: for "J" and "g", sentences to numbers and gradients (H, m). Source: this book."""
    x = [x0]
    for control in u:
        x.append(step(x[-1], control))

    def run(end=2 * P_end, pay=2 * Q, price=2 * R, turned=True, late=0, fed=1) -> np.ndarray:
        prices, g = [end @ x[-1]], []
        for t in reversed(range(len(u))):
            f_x, f_u = derivatives(x[t], u[t])
            prices.append(pay @ x[t] + (f_x.T if turned else f_x) @ prices[-1])
            g.append(price @ u[t] + fed * f_u.T @ prices[len(prices) - 2 + late])
        return np.array(g[::-1])

    states, controls = sum(y @ Q @ y for y in x[:-1]), sum(v @ R @ v for v in u)
    end = x[-1] @ P_end @ x[-1]
    totals = {
        "Your J leaves out the last state.": states + controls,
        "Your J leaves out what the controls cost.": states + end,
        "Your J leaves out what the states on the way cost.": controls + end,
        "Your J leaves out what the first state costs.": states - x0 @ Q @ x0 + controls + end,
        "Your J counts Q for the last state, too: there P_end alone is paid.": states
        + controls
        + end
        + x[-1] @ Q @ x[-1],
        "Your J pays Q for the last state: there P_end is paid.": states + controls + x[-1] @ Q @ x[-1],
        "Your J has halves in it: x'Qx and u'Ru are paid in full.": (states + controls + end) / 2,
    }
    slopes = {
        "Your gradient is half of what it should be: the derivative of x'Qx is 2Qx.": run() / 2,
        "Your gradient leaves out the last state: the prices start from 2 P_end x_H.": run(end=0 * P_end),
        "Your prices start from 2 Q x_H: the last state costs x'P_end x.": run(end=2 * Q),
        "The derivative of u'Ru is missing.": run(price=0 * R),
        "Your gradient is that of u'Ru alone: a control moves all later states, too.": run(fed=0),
        "Your f_x is not transposed in the backward pass.": run(turned=False),
        "Your gradient at time t uses the price of the state x_t: a control moves x_{t+1}.": run(late=1),
        "Your prices leave out the states on the way: each costs x'Qx.": run(pay=0 * Q),
    }
    return {"J": totals, "g": slopes}


# ---------------------------------------------------------------------- the individual greenhouse


def greenhouse(typed: str, *, as_typed: bool = False) -> dict[str, Any]:
    """The student's own greenhouse, as plain numbers: two temperatures, of the air and of the soil, hour by hour.

    `A` (2, 2) and `B` (2, 1) as tuples; `q` (2,) and `r` prices; `start` (2,) degrees; `gust`, a standard deviation in
    degrees. With `as_typed`, that of the id in the notebook even while nbgrader grades another. Raises `Wrong` if no id
    is known. Source: this book.
    """
    draw = Draw(typed if as_typed else student_id(typed), "lqr/greenhouse")
    to_soil, lost, to_air = (draw.integer(low, high) / 100 for low, high in ((10, 25), (5, 20), (4, 12)))
    return {
        "A": ((round(1 - to_soil - lost, 2), to_soil), (to_air, round(1 - to_air, 2))),
        "B": ((draw.integer(3, 9) / 10,), (0.0,)),
        "q": (draw.integer(1, 4) / 2, draw.integer(1, 6) / 2),
        "r": draw.integer(2, 12) / 4,
        "start": (-draw.integer(2, 9), -draw.integer(1, 6)),
        "gust": draw.integer(11, 25) / 10,
    }


def greenhouse_slips(typed: str, answer: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
    """What `answer`, a function of a greenhouse, gives for a misread one or the one of another id.

    Sentences to what `answer` returns (any shape). Source: this book.
    """
    m = greenhouse(typed)
    (a, b), (c, d) = m["A"]
    return {
        for_another_id(typed, "greenhouse"): answer(greenhouse(typed, as_typed=True)),
        "Your answer matches a greenhouse with A transposed.": answer({**m, "A": ((a, c), (b, d))}),
        "Your answer matches the prices the wrong way round: q[0] is for the air.": answer({**m, "q": m["q"][::-1]}),
        "Your answer matches a greenhouse whose heating costs nothing.": answer({**m, "r": 1e-12}),
        "Your answer takes the standard deviation for the variance: square it.": answer(
            {**m, "gust": np.sqrt(m["gust"])}
        ),
    }


# ---------------------------------------------------------------------- steps that variants are made of


def _gain(A, B, R, P) -> np.ndarray:
    return np.linalg.solve(R + B.T @ P @ B, B.T @ P @ A)


def _step(A, B, Q, R, P, K) -> np.ndarray:
    return Q + K.T @ R @ K + (A - B @ K).T @ P @ (A - B @ K)


def _parts(found: dict[str, tuple], names: tuple[str, ...]) -> Slips:
    return {name: {text: values[i] for text, values in found.items()} for i, name in enumerate(names)}
