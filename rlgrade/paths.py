"""Random shortest paths, and what is true of them, without the algorithms that the exercises ask for.

Arrays are P (S, A, S), r (S, A), terminal (S,) of bools, where P and r are 0 in the rows of terminal states.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from rlgrade.check import demand, numbers

__all__ = ["best_values", "factor", "forward", "maze", "model", "reach"]

Process = tuple[np.ndarray, np.ndarray, np.ndarray]


# ---------------------------------------------------------------------- instances


def forward(seed: int, S: int = 6, A: int = 3) -> Process:
    """A random process `P, r, terminal` in which every policy is proper; one or two states are terminal.

    In a hidden order of the states, every action leads to a later state with positive probability. Rewards are whole
    numbers from -9 to 9. Raises what NumPy raises for impossible sizes. Source: this book.
    """
    rng = np.random.default_rng(seed)
    weights = rng.integers(1, 10, size=(S, A, S)) * (rng.random((S, A, S)) < 0.5)
    for s, a in np.ndindex(S - 1, A):
        weights[s, a, int(rng.integers(s + 1, S))] += rng.integers(1, 4)
    weights[-1] += 1
    P = weights / weights.sum(axis=2, keepdims=True)
    return _shuffled(rng, P, rng.integers(-9, 10, size=(S, A)).astype(float), 1 + seed % 2)


def maze(seed: int, S: int = 6, A: int = 3, *, wait: bool = False) -> Process:
    """A random process `P, r, terminal` in which some policies never end, action 0 everywhere among them.

    In each state one hidden action leads on, and the others lead back or nowhere. Every step costs 1 to 9; with `wait`,
    action 0 stays where it is for nothing. Raises what NumPy raises for impossible sizes. Source: this book.
    """
    rng = np.random.default_rng(seed)
    P, r = np.zeros((S, A, S)), -rng.integers(1, 10, size=(S, A)).astype(float)
    for s in range(S):
        for a in range(A):
            P[s, a, s if wait and a == 0 else rng.integers(s + 1)] = 1.0
        on = int(rng.integers(1, A))
        weights = rng.integers(1, 10, size=S) * (rng.random(S) < 0.5)
        weights[min(s + 1 + int(rng.integers(2)), S - 1)] += 3
        P[s, on] = weights / weights.sum()
    if wait:
        r[:, 0] = 0.0
    return _shuffled(rng, P, r, 1 + seed % 2)


def _shuffled(rng: np.random.Generator, P: np.ndarray, r: np.ndarray, ends: int) -> Process:
    order = rng.permutation(len(r))
    terminal = (np.arange(len(r)) >= len(r) - ends)[order]
    P, r = P[order][:, :, order].copy(), r[order].copy()
    P[terminal], r[terminal] = 0.0, 0.0
    return P, r, terminal


# ---------------------------------------------------------------------- certificates


def reach(steps: np.ndarray, goal: np.ndarray) -> np.ndarray:
    """Bools (S,): the states from which a walk along positive entries of `steps` (S, S) can reach `goal` (S,).

    Source: Warshall (1962).
    """
    linked = (np.asarray(steps) > 0) | np.eye(len(steps), dtype=bool)
    for k in range(len(linked)):
        linked |= linked[:, k : k + 1] & linked[k]
    return np.asarray(linked[:, np.asarray(goal, dtype=bool)].any(axis=1))


def best_values(P: np.ndarray, r: np.ndarray, terminal: np.ndarray) -> np.ndarray:
    """Values (S,) of the best proper policy: the smallest v with v >= r_a + P_a v for every a, and 0 where it ends.

    Raises ArithmeticError where a loop earns or no policy is proper, and if the solution does not satisfy Bellman's
    equation to 1e-7 of its size. Source: Bertsekas (2012), volume II, section 3.6.
    """
    from scipy.optimize import linprog

    S = len(r)
    rows = (np.eye(S)[:, None, :] - P)[~terminal].reshape(-1, S)
    bounds = [(0, 0) if end else (None, None) for end in terminal]
    found = linprog(np.ones(S), A_ub=-rows, b_ub=-r[~terminal].reshape(-1), bounds=bounds, method="highs").x
    if found is None:
        raise ArithmeticError("No values: a loop earns, or no policy is proper.")
    residual = np.abs((r + P @ found).max(axis=1) - found)[~terminal].max()
    if not residual <= 1e-7 * max(1.0, np.abs(found).max()):
        raise ArithmeticError(f"The certificate failed its own check: Bellman residual {residual:.3g}.")
    return found


def factor(P: np.ndarray, terminal: np.ndarray, w: np.ndarray) -> float:
    """The smallest rho with P_a w <= rho w for every action, for `w` (S,) positive off the ends and 0 on them.

    Source: Bertsekas and Tsitsiklis (1991).
    """
    return float(((P @ w).max(axis=1)[~terminal] / w[~terminal]).max())


def model(P: Any, r: Any, terminal: Any, S_most: int = 3, A_most: int = 2) -> Process:
    """What an answer returned, as a process with at most `S_most` states and `A_most` actions that has a proper policy.

    Raises `Wrong` naming what is amiss: a shape, a law, a row of a terminal state, that no policy ends, or an action
    that can stay where it is.
    Source: this book.
    """
    S, A = np.shape(r) if np.ndim(r) == 2 else (0, 0)
    small = 1 <= S <= S_most and 1 <= A <= A_most
    demand(small, f"r must have shape (S, A) with S <= {S_most} and A <= {A_most}.", what="r", got=r)
    P, r = numbers(P, (S, A, S), "P"), numbers(r, (S, A), "r")
    ends = numbers(terminal, (S,), "terminal")
    demand(np.isin(ends, (0, 1)).all() and ends.any(), "bools, at least one true.", what="terminal", got=ends)
    end = ends.astype(bool)
    rows = (P >= 0).all() and np.allclose(P[~end].sum(axis=2), 1)
    demand(rows, "P[s, a] must sum to 1 in every state that is not terminal.", what="P", got=P.sum(axis=2))
    empty = not P[end].any() and not r[end].any()
    demand(empty, "the rows of terminal states must be 0: nothing follows and nothing is paid.", what="P, r")
    stuck = np.flatnonzero(~reach(P.sum(axis=1), end))
    trapped = f"no policy is proper: from state {[*stuck, 0][0]} no action ever leads to a terminal state."
    demand(not len(stuck), trapped, what="P", expected="a process with a proper policy")
    stays = np.flatnonzero(np.diagonal(P, axis1=0, axis2=2).any(axis=0))
    demand(
        not len(stays), f"an action can stay in state {[*stays, 0][0]}.", what="P", expected="no action that can stay"
    )
    return P, r, end
