"""Planning from a fixed number of samples of every action. Public through `tree_search`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil, log

import numpy as np

from rlcore import _checks as checks
from rlcore.planning._generative import GenerativeModel, State, count


@dataclass(frozen=True, eq=False)
class Estimate:
    """Estimated values of the actions in one state.

    `q` (A,), `-inf` where an action is illegal; `std_error` (A,), the standard error of each mean where the samples
    are independent returns, otherwise nan; `calls`, how often the model was asked. Values are in the rewards' unit.
    Source: Kearns, Mansour and Ng (2002), figure 1.
    """

    q: np.ndarray
    std_error: np.ndarray
    calls: int

    @property
    def value(self) -> float:
        """The largest entry of `q`."""
        return float(self.q.max())

    @property
    def action(self) -> int:
        """The first action that attains it."""
        return int(self.q.argmax())


def sparse_sampling(
    model: GenerativeModel, state: State, *, horizon: int, width: int, rng: int | np.random.Generator | None = None
) -> Estimate:
    """Look `horizon` steps ahead along `width` sampled next states of every action, and of every action there.

    The cost, in calls of the model, is at most sum over h = 1..horizon of (A * width)**h, whatever the number of
    states. Takes one-player models. Returns an `Estimate`. Raises ValueError for a horizon or a width below 1, two
    players, a state without a legal action, or what the model refuses.
    Source: Kearns, Mansour and Ng (2002), figure 1.
    """
    count("horizon", horizon), count("width", width)
    if model.players != 1:
        raise ValueError("Sparse sampling plans for one player; for a game use mcts or minimax.")
    rng, calls = np.random.default_rng(rng), 0

    def estimate(s: State, h: int) -> dict[int, float]:
        nonlocal calls
        q = {}
        for a in model.legal(s):
            total = 0.0
            for _ in range(width):
                s_next, r, discount = model(s, a, rng)
                calls += 1
                ahead = max(estimate(s_next, h - 1).values()) if h > 1 and discount > 0 else 0.0
                total += r + discount * ahead
            q[a] = total / width
        return q

    q = _filled(model, estimate(state, horizon))
    return Estimate(q, np.full(model.A, np.nan), calls)


def sparse_parameters(model: GenerativeModel, epsilon: float) -> tuple[int, int]:
    """`(horizon, width)` with which acting by `sparse_sampling`, afresh at every step, loses at most `epsilon`.

    They depend on A, r_max, gamma and epsilon and not on the states; they are large. Raises ValueError if the model
    knows no r_max or no gamma, if gamma is 1, or if epsilon is not positive.
    Source: Kearns, Mansour and Ng (2002), theorem 1; the constants are those proved in the chapter.
    """
    gamma, v_max = _scale(model)
    if not (checks.is_number(epsilon) and epsilon > 0):
        raise ValueError(f"epsilon must be a positive number, the loss to allow; got {epsilon!r}.")
    if v_max == 0:
        return 1, 1
    slack = epsilon * (1 - gamma) / 8
    horizon = 1 if gamma == 0 else max(1, ceil(log(min(1.0, slack / v_max)) / log(gamma)))
    spread = 2 * (v_max / (slack * (1 - gamma))) ** 2
    delta = min(1.0, epsilon * (1 - gamma) / (4 * v_max))
    alpha = spread * (log(4 / delta) + horizon * log(model.A))
    beta = spread * (horizon - 1)
    return horizon, max(2, ceil(2 * alpha + (2 * beta * (log(2 * beta) - 1) if beta > 0 else 0.0)))


def sparse_failure(model: GenerativeModel, *, horizon: int, width: int, accuracy: float) -> float:
    """A bound on the probability that some sampled mean in the tree is off by more than `accuracy`.

    Otherwise every value at the root is off by at most accuracy/(1-gamma) + gamma**horizon * r_max/(1-gamma).
    Raises ValueError as `sparse_parameters` does, for counts below 1, and for an accuracy that is not positive.
    Source: Kearns, Mansour and Ng (2002), section 3; the constants are those proved in the chapter.
    """
    _, v_max = _scale(model)
    count("horizon", horizon), count("width", width)
    if not (checks.is_number(accuracy) and accuracy > 0):
        raise ValueError(f"accuracy must be a positive number; got {accuracy!r}.")
    if v_max == 0:
        return 0.0
    pairs = sum(model.A * (model.A * width) ** h for h in range(horizon))
    exponent = log(2 * pairs) - width * (accuracy / v_max) ** 2 / 2
    return float(np.exp(min(0.0, exponent)))


def rollouts(
    model: GenerativeModel,
    state: State,
    policy: Callable[[State, np.random.Generator], int] | None = None,
    *,
    runs: int,
    steps: int,
    rng: int | np.random.Generator | None = None,
) -> Estimate:
    """Try each action `runs` times, each time followed by `policy` for `steps - 1` steps: one-step improvement.

    `policy(s, rng)` returns an action; by default all legal ones are equally likely. Returns an `Estimate` with
    standard errors (nan for a single run). Raises ValueError for counts below 1, an illegal action, or what the
    model refuses. Source: Tesauro and Galperin (1997); Bertsekas, Tsitsiklis and Wu (1997).
    """
    count("runs", runs), count("steps", steps)
    rng, calls = np.random.default_rng(rng), 0
    q, error = {}, np.full(model.A, np.nan)
    for a in model.legal(state):
        returns = np.empty(runs)
        for i in range(runs):
            s, r, discount = model(state, a, rng)
            ahead, used = rollout_value(model, s, policy, steps - 1, rng) if discount > 0 else (0.0, 0)
            returns[i] = r + model.sign * discount * ahead
            calls += 1 + used
        q[a] = float(returns.mean())
        if runs > 1:
            error[a] = returns.std(ddof=1) / np.sqrt(runs)
    return Estimate(_filled(model, q), error, calls)


def rollout_value(model: GenerativeModel, s: State, policy, steps: int, rng) -> tuple[float, int]:
    """The return of one run from s, for whoever moves there, and its length."""
    total, weight = 0.0, 1.0
    for step in range(steps):
        legal = model.legal(s)
        a = legal[int(rng.random() * len(legal))] if policy is None else policy(s, rng)
        if a not in legal:
            raise ValueError(f"The rollout policy takes action {a!r} in state {s!r}; legal are {legal}.")
        s, r, discount = model(s, a, rng)
        total += weight * r
        weight *= model.sign * discount
        if weight == 0:
            return total, step + 1
    return total, steps


def _filled(model: GenerativeModel, q: dict[int, float]) -> np.ndarray:
    values = np.full(model.A, -np.inf)
    values[list(q)] = list(q.values())
    return values


def _scale(model: GenerativeModel) -> tuple[float, float]:
    """gamma and r_max / (1 - gamma), which every guarantee needs."""
    for name, value in (("r_max", model.r_max), ("gamma", model.gamma)):
        if value is None:
            raise ValueError(
                f"The guarantee needs {name}, and this model does not know it: GenerativeModel({name}=...)."
            )
    gamma, r_max = float(model.gamma), float(model.r_max)  # type: ignore[arg-type]
    if gamma == 1:
        raise ValueError(
            "The guarantee needs gamma < 1; this model has gamma = 1: discount, or choose horizon and width."
        )
    return gamma, r_max / (1 - gamma)
