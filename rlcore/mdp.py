"""Finite Markov decision processes and the two operators that every solver is written with.

The legend, the same in the book and in the code: `S`, `A` count states and actions; `s, a, r` make a
transition; `v` (S,), `q` (S, A) and `pi` are a value, an action-value and a policy, in lower case.

A process is stored *action-major*: row `a*S + s` of `P` is the law p(. | s, a). A maximum over actions
is then a contiguous reduction, two to three times faster a sweep than state-major rows.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from rlcore import _checks as checks

if TYPE_CHECKING:  # SciPy doubles the time that importing rlcore takes, and small dense models never need it
    from scipy.sparse import csr_array

__all__ = ["FiniteMDP", "greedy"]

DENSE_ENTRIES = 1 << 16  # at most 512 KiB: a dense product is then faster than a sparse one
TIE = 1e-12  # actions within this fraction of the span of q count as tied


@dataclass(frozen=True, eq=False)
class FiniteMDP:
    """A finite, discounted Markov decision process, validated once, never changed after.

    Parameters
    ----------
    P : (A*S, S) array or SciPy sparse array
        Row `a*S + s` holds the probabilities p(s' | s, a). Sparse input is kept as CSR.
    r : (S, A) array
        Expected reward of action a in state s, in the problem's unit; `-inf` marks an infeasible action.
    gamma : float
        Discount factor in [0, 1].
    terminal : (S,) bool array, optional
        States where the process has ended, of value exactly 0. Default: none.
        Rows of P there may be empty or a self-loop; both are stored empty.
    mu : (S,) array, optional
        Law of the first state. Default: uniform over the states that are not terminal.
    labels, action_labels : sequences of length S and A, optional
        What to call states (any hashable, such as a grid's `(row, column)`) and actions. Default: 0, 1, 2, ...

    Raises
    ------
    ValueError
        Naming the row, the value and the remedy: rows that do not sum to one, negative or non-finite
        entries, a state without a feasible action, gamma outside [0, 1], shapes that disagree.

    Notes
    -----
    Source: Puterman (1994), Markov Decision Processes, section 2.1 and chapter 6.
    """

    P: np.ndarray | csr_array
    r: np.ndarray
    gamma: float
    terminal: np.ndarray = None  # type: ignore[assignment]
    mu: np.ndarray = None  # type: ignore[assignment]
    labels: Sequence[Hashable] = None  # type: ignore[assignment]
    action_labels: Sequence[Hashable] = None  # type: ignore[assignment]

    def __post_init__(self) -> None:
        r = checks.real_array("r", self.r, order="F")  # (S, A) in Fortran order: its (A, S) transpose is contiguous
        if r.ndim != 2 or 0 in r.shape:
            raise ValueError(f"r must have shape (S, A) with at least one state and one action; got shape {r.shape}.")
        S, A = r.shape
        terminal = checks.flags(self.terminal, S)
        P = checks.transition_matrix(self.P, S, A)
        checks.check_rewards(r, terminal)
        P = checks.checked_rows(P, r, terminal)
        r[terminal] = 0.0
        values: dict[str, Any] = {
            "P": P,
            "r": r,
            "gamma": checks.discount_factor(self.gamma),
            "terminal": terminal,
            "mu": checks.start_law(self.mu, terminal),
            "labels": checks.names_of(self.labels, S, "labels"),
            "action_labels": checks.names_of(self.action_labels, A, "action_labels"),
        }
        for name, value in values.items():
            object.__setattr__(self, name, value)
        parts = (P,) if isinstance(P, np.ndarray) else (P.data, P.indices, P.indptr)
        for array in (r, terminal, self.mu, *parts):
            array.setflags(write=False)

    # ------------------------------------------------------------------ constructors

    @classmethod
    def from_arrays(cls, p, r, gamma: float, **fields) -> FiniteMDP:
        """Build from the textbook's dense arrays.

        Parameters: `p` (S, A, S) with p[s, a, s'] the transition law; `r` (S, A) expected rewards, or
        (S, A, S) rewards of transitions, of which the expectation is taken; further fields as for `FiniteMDP`.
        Raises ValueError where shapes disagree. Source: Puterman (1994), section 2.1.
        """
        p, r = checks.real_array("p", p), checks.real_array("r", r)
        if p.ndim != 3 or p.shape[0] != p.shape[2] or r.shape not in (p.shape, p.shape[:2]):
            raise ValueError(
                "from_arrays needs p of shape (S, A, S) and r of shape (S, A) or (S, A, S); "
                f"got {p.shape} and {r.shape}."
            )
        S, A, _ = p.shape
        if r.ndim == 3:
            r = np.where(p > 0, p * r, 0.0).sum(axis=2)
        return cls(p.transpose(1, 0, 2).reshape(A * S, S), r, gamma, **fields)

    @classmethod
    def from_transitions(cls, S: int, A: int, s, a, s_next, p, r, gamma: float, **fields) -> FiniteMDP:
        """Build from lists of transitions: the i-th leads from `s[i]` under `a[i]` to `s_next[i]`.

        Parameters: `p` (n,) probabilities, `r` (n,) rewards of these transitions (broadcast from a scalar).
        Pairs (s, a) that never occur in a state that is not terminal are infeasible. Small models are
        stored dense, others as CSR. Raises ValueError naming the transition: an index out of range, p outside
        [0, 1], or r that is NaN or inf where p > 0 (-inf marks an infeasible action).
        Source: Puterman (1994), section 2.1.
        """
        s, a, s_next, p, r = checks.transitions(S, A, s, a, s_next, p, r)
        row = a * S + s
        weights = np.multiply(p, r, out=np.zeros(p.shape), where=p > 0)
        reward = np.bincount(row, weights=weights, minlength=A * S).reshape(A, S).T
        listed = np.bincount(row, minlength=A * S).reshape(A, S).T > 0
        terminal = checks.flags(fields.get("terminal"), S)
        reward[~listed & ~terminal[:, None]] = -np.inf
        P: Any
        if A * S * S <= DENSE_ENTRIES:
            P = np.zeros((A * S, S))
            np.add.at(P, (row, s_next), p)
        else:
            from scipy.sparse import csr_array

            P = csr_array((p, (row, s_next)), shape=(A * S, S))
        return cls(P, reward, gamma, **fields)

    # ------------------------------------------------------------------ sizes and operators

    @property
    def S(self) -> int:
        """Number of states."""
        return self.r.shape[0]

    @property
    def A(self) -> int:
        """Number of actions."""
        return self.r.shape[1]

    @cached_property
    def feasible(self) -> np.ndarray:
        """(S, A) bool: which actions are allowed where."""
        return self.r > -np.inf

    def q(self, v: np.ndarray) -> np.ndarray:
        """One look ahead: q[s, a] = r(s, a) + gamma * sum_s' p(s' | s, a) v(s').

        Takes `v` (S,), returns (S, A), `-inf` where a is infeasible, 0 where s is terminal; a view of an
        action-major array, so `q(v).max(axis=1)` is fast. Raises ValueError for another shape.
        Source: Puterman (1994), eq. 6.2.2.
        """
        if np.shape(v) != (self.S,):
            raise ValueError(f"v must have shape ({self.S},), one value per state; got shape {np.shape(v)}.")
        future = (self.P @ v).reshape(self.A, self.S).T
        return self.r + self.gamma * future

    def induced(self, pi: np.ndarray) -> tuple[np.ndarray | csr_array, np.ndarray]:
        """The Markov reward process of a stationary policy: `(P_pi, r_pi)` of shapes (S, S) and (S,).

        `pi` is (S,) integer actions, or (S, A) probabilities. Raises ValueError for another shape, an
        action out of range or infeasible, or rows that do not sum to one. Source: Puterman (1994), section 5.6.
        """
        weights = self.policy_matrix(pi)
        states, actions = np.nonzero(weights)
        w = weights[states, actions]
        r_pi = np.bincount(states, weights=w * self.r[states, actions], minlength=self.S)
        rows = actions * self.S + states
        if len(rows) == self.S and isinstance(self.P, np.ndarray):  # deterministic: a selection of rows
            return self.P[rows], r_pi
        from scipy.sparse import csr_array

        mix = csr_array((w, (states, rows)), shape=(self.S, self.A * self.S))
        return mix @ self.P, r_pi

    def policy_matrix(self, pi: np.ndarray) -> np.ndarray:
        """`pi` as (S, A) probabilities, checked: (S,) integer actions become rows with a single one.

        Raises ValueError as `induced` says. Source: Puterman (1994), section 2.1.5.
        """
        pi, S, A = np.asarray(pi), self.S, self.A
        if pi.shape == (S,) and np.issubdtype(pi.dtype, np.integer):
            if pi.min() < 0 or pi.max() >= A:
                s = int(np.argmax((pi < 0) | (pi >= A)))
                raise ValueError(f"The policy takes action {pi[s]} in state {s}; actions are 0..{A - 1}.")
            weights = np.zeros((S, A))
            weights[np.arange(S), pi] = 1.0
        elif pi.shape == (S, A):
            weights = pi.astype(float)
            wrong = ~(np.abs(weights.sum(axis=1) - 1) <= checks.ROW_SUM_TOLERANCE) | (weights < 0).any(axis=1)
            if wrong.any():
                s = int(np.argmax(wrong))
                raise ValueError(f"Row {s} of the policy is no probability vector: it is {weights[s]}.")
        else:
            raise ValueError(
                f"A policy is an integer array of shape ({S},) or probabilities of shape ({S}, {A}); "
                f"got {pi.dtype} of shape {pi.shape}."
            )
        barred = (weights > 0) & ~self.feasible
        if barred.any():
            s, a = np.argwhere(barred)[0]
            raise ValueError(f"The policy takes action {a} in state {s}, where it is infeasible (r = -inf).")
        return weights


def greedy(q: np.ndarray, rng: np.random.Generator | int | None = None) -> np.ndarray:
    """A greedy action in each state: (S, A) values to (S,) integers.

    Ties, up to 1e-12 of the span of the finite values, go to the lowest index, or to a random one if `rng`
    is given. Raises ValueError for another shape, NaN or a row without a finite value.
    Source: Puterman (1994), eq. 6.2.6.
    """
    q = np.asarray(q, dtype=float)
    if q.ndim != 2:
        raise ValueError(f"q must have shape (S, A); got shape {q.shape}. For a single state, pass q[None].")
    finite = np.isfinite(q)
    if np.isnan(q).any() or not finite.any(axis=1).all():
        s = int(np.argmax(np.isnan(q).any(axis=1) | ~finite.any(axis=1)))
        raise ValueError(f"q[{s}] = {q[s]} has no greedy action: it needs a finite value and no NaN.")
    span = q[finite].max() - q[finite].min()
    tied = q >= q.max(axis=1, keepdims=True) - TIE * span
    if rng is None:
        return tied.argmax(axis=1)
    return np.where(tied, np.random.default_rng(rng).random(q.shape), -1.0).argmax(axis=1)
