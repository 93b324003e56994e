"""What the worlds share: a process from lists of moves, and the checks of its parameters."""

from __future__ import annotations

import numpy as np

from rlcore import _checks as checks
from rlcore.mdp import FiniteMDP


def from_moves(S: int, A: int, moves: list, gamma: float, **fields) -> FiniteMDP:
    """Each move is (s, a, s', probability, reward), of arrays that broadcast against each other."""
    flat = [[x.ravel() for x in np.broadcast_arrays(*move)] for move in moves]
    s, a, s_next, p, r = (np.concatenate(column) for column in zip(*flat, strict=True))
    return FiniteMDP.from_transitions(S, A, s, a, s_next, p, r, gamma, **fields)


def need(ok: bool | np.bool_, name: str, value, remedy: str) -> None:
    """Conditions are written so that NaN fails them."""
    if not ok:
        raise ValueError(f"{name} = {value!r}: {remedy}.")


def count_of(name: str, value) -> int:
    need(checks.is_integer(value), name, value, "give an integer")
    return int(value)


def number_of(name: str, value) -> float:
    need(checks.is_number(value), name, value, "give a number")
    return value


def law_of(name: str, law) -> np.ndarray:
    law = checks.real_array(name, law)
    ok = law.ndim == 1 and (law >= 0).all() and abs(law.sum() - 1) <= 1e-9
    need(ok, name, law.tolist(), "give a list of probabilities that sum to 1")
    return law
