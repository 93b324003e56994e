"""What `FiniteMDP` demands of its fields. Each message names the place, the value and the remedy."""

from __future__ import annotations

import numpy as np

ROW_SUM_TOLERANCE = 1e-9


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

        P = csr_array(P, dtype=float, copy=True)
        P.sum_duplicates()
    else:
        P = np.array(P, dtype=float)
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


def checked_rows(P, r: np.ndarray, terminal: np.ndarray):
    """Check that every row that can be used is a law, and empty the others."""
    S, A = r.shape
    entries = P if isinstance(P, np.ndarray) else P.data
    if not np.isfinite(entries).all() or (entries < 0).any():
        low = np.nanmin(entries) if not np.isnan(entries).all() else np.nan
        raise ValueError(
            f"P has entries that are negative or not finite (smallest: {low}); probabilities lie in [0, 1]."
        )
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
    mu = np.array(mu, dtype=float)
    if mu.shape != terminal.shape or not (mu >= 0).all() or not abs(mu.sum() - 1) <= ROW_SUM_TOLERANCE:
        raise ValueError(
            f"mu must be a probability vector of shape {terminal.shape}; got shape {mu.shape}, sum {mu.sum()}."
        )
    return mu


def names_of(names, n: int, field: str) -> tuple:
    names = tuple(range(n)) if names is None else tuple(names)
    if len(names) != n or len(set(names)) != n:
        raise ValueError(
            f"{field} must hold {n} different names; got {len(names)}, {len(set(names))} of them different."
        )
    return names
