"""What rlcore demands of a process and of its parameters. Each message names the place, the value and the remedy."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Literal

import numpy as np

ROW_SUM_TOLERANCE = 1e-9


def is_integer(value) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool)


def is_number(value) -> bool:
    return isinstance(value, Real)


def real_array(name: str, values, order: Literal["K", "F"] = "K") -> np.ndarray:
    """A copy as floats."""
    try:
        array = np.asarray(values)
        if array.dtype.kind not in "biufO":
            raise TypeError(f"its entries are {array.dtype}")
        return np.array(array, dtype=float, order=order)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} must be an array of real numbers, with rows of equal length: {error}.") from None


def discount_factor(gamma) -> float:
    if not (is_number(gamma) and 0 <= gamma <= 1):  # also refuses nan
        raise ValueError(
            f"gamma must lie in [0, 1]; got {gamma!r}: give a number. "
            "A discount factor of 0.9 counts a reward t steps ahead 0.9**t times."
        )
    return float(gamma)


def flags(terminal, S: int) -> np.ndarray:
    if terminal is None:
        return np.zeros(S, dtype=bool)
    terminal = np.array(terminal)
    if terminal.shape != (S,) or terminal.dtype != bool:
        raise ValueError(
            f"terminal must be a bool array of shape ({S},); got {terminal.dtype} of shape {terminal.shape}."
        )
    return terminal


def transition_matrix(P, S: int, A: int):
    if hasattr(P, "tocsr"):
        from scipy.sparse import csr_array

        if P.dtype.kind not in "biuf":
            raise ValueError(f"P must hold real numbers; its entries are {P.dtype}: convert them first.")
        P = csr_array(P, dtype=float, copy=True)
        P.sum_duplicates()
    else:
        P = real_array("P", P)
    if P.shape != (A * S, S):
        raise ValueError(
            f"P must have shape (A*S, S) = ({A * S}, {S}) to match r of shape ({S}, {A}); got {P.shape}. "
            "For an array p[s, a, s'] use FiniteMDP.from_arrays."
        )
    return P


def check_rewards(r: np.ndarray, terminal: np.ndarray) -> None:
    bad = np.isnan(r) | (r == np.inf)
    if bad.any():
        s, a = np.argwhere(bad)[0]
        raise ValueError(f"r[{s}, {a}] = {r[s, a]}: rewards must be finite, or -inf for an infeasible action.")
    stuck = ~(r > -np.inf).any(axis=1) & ~terminal
    if stuck.any():
        s = int(np.argmax(stuck))
        raise ValueError(f"State {s} has no feasible action: allow one, or mark the state terminal.")
    paid = terminal & ((r != 0) & (r > -np.inf)).any(axis=1)
    if paid.any():
        s = int(np.argmax(paid))
        raise ValueError(f"State {s} is terminal but r[{s}] = {r[s]}: pay the reward on the transition into it.")


def check_entries(P, S: int) -> None:
    dense = isinstance(P, np.ndarray)
    entries = P if dense else P.data
    bad = ~((entries >= 0) & (entries < np.inf))  # also nan
    if bad.any():
        k = int(np.argmax(bad))
        row, s_next = divmod(k, S) if dense else (np.searchsorted(P.indptr, k, side="right") - 1, P.indices[k])
        raise ValueError(
            f"Row {row} of P (state {row % S}, action {row // S}) gives state {s_next} the probability "
            f"{entries[bad][0]}, which is negative or not finite: probabilities lie in [0, 1]."
        )


def checked_rows(P, r: np.ndarray, terminal: np.ndarray):
    """Check that every row that can be used is a law, and empty the others."""
    S, A = r.shape
    check_entries(P, S)
    total = np.asarray(P.sum(axis=1)).reshape(A, S)
    unused = terminal | np.isneginf(r.T)  # (A, S)
    wrong = (np.abs(total - 1) > ROW_SUM_TOLERANCE) & ~unused
    if wrong.any():
        a, s = np.argwhere(wrong)[0]
        raise ValueError(
            f"Row {a * S + s} of P (state {s}, action {a}) sums to {total[a, s]:.12g}, off by {total[a, s] - 1:+.3g}: "
            "probabilities must sum to 1. Normalise the row, mark the state terminal, "
            "or the action infeasible (r = -inf)."
        )
    if isinstance(P, np.ndarray):
        diagonal = P.reshape(A, S, S)[:, np.arange(S), np.arange(S)]
        P[unused.ravel()] = 0.0
    else:
        from scipy.sparse import diags_array

        diagonal = np.concatenate([P[a * S : (a + 1) * S].diagonal() for a in range(A)]).reshape(A, S)
        if (unused & (total > 0)).any():
            P = (diags_array((~unused).ravel().astype(float)) @ P).tocsr()
        P.eliminate_zeros()
        P.sort_indices()
    leaving = terminal & ((total > 0) & (diagonal != total)).any(axis=0)
    if leaving.any():
        s = int(np.argmax(leaving))
        raise ValueError(f"State {s} is terminal but P leads out of it: empty its rows, or let it loop to itself.")
    return P


def start_law(mu, terminal: np.ndarray) -> np.ndarray:
    if mu is None:
        open_states = ~terminal if (~terminal).any() else np.ones_like(terminal)
        return open_states / open_states.sum()
    mu = real_array("mu", mu)
    bad = ~(mu >= 0)  # also nan
    if mu.shape == terminal.shape and bad.any():
        s = int(np.argmax(bad))
        raise ValueError(f"mu[{s}] = {mu[s]}: the probability of starting in a state lies in [0, 1].")
    if mu.shape != terminal.shape or not abs(mu.sum() - 1) <= ROW_SUM_TOLERANCE:
        raise ValueError(
            f"mu must be a probability vector of shape {terminal.shape}; got shape {mu.shape}, sum {mu.sum()}. "
            "Give one probability per state, and divide them by their sum."
        )
    return mu


def names_of(names, n: int, field: str) -> tuple:
    names = tuple(range(n)) if names is None else tuple(names)
    if len(names) != n or len(set(names)) != n:
        raise ValueError(
            f"{field} must hold {n} different names; got {len(names)}, {len(set(names))} of them different."
        )
    return names


def transitions(S: int, A: int, s, a, s_next, p, r) -> tuple[np.ndarray, ...]:
    """The columns of `FiniteMDP.from_transitions`, broadcast, as integers and floats."""
    columns = {"s": np.asarray(s), "a": np.asarray(a), "s_next": np.asarray(s_next)}
    columns |= {"p": real_array("p", p), "r": real_array("r", r)}
    try:
        s, a, s_next, p, r = (column.ravel() for column in np.broadcast_arrays(*columns.values()))
    except ValueError:
        shapes = ", ".join(f"{name} {column.shape}" for name, column in columns.items())
        raise ValueError(f"s, a, s_next, p and r must be of one length, or scalars; got shapes {shapes}.") from None
    for name, index, size in (("s", s, S), ("a", a, A), ("s_next", s_next, S)):
        if index.size and index.dtype.kind not in "iu":
            raise ValueError(f"{name} must hold integers in 0..{size - 1}; its entries are {index.dtype}.")
        outside = (index < 0) | (index >= size)
        if outside.any():
            i = int(np.argmax(outside))
            raise ValueError(f"{name}[{i}] = {index[i]}: {name} must lie in 0..{size - 1}.")
    for name, column, bad, remedy in (
        ("p", p, ~((p >= 0) & (p <= 1 + ROW_SUM_TOLERANCE)), "a probability lies in [0, 1]"),
        ("r", r, (p > 0) & ~(r < np.inf), "give a finite reward, or -inf where the action is infeasible"),
    ):
        if bad.any():
            i = int(np.argmax(bad))
            raise ValueError(f"{name}[{i}] = {column[i]}: {remedy}.")
    return s.astype(np.intp), a.astype(np.intp), s_next.astype(np.intp), p, r
