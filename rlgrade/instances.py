"""Instances to test on: random ones rebuilt from a number, individual ones drawn from a student's id.

Individual instances use integers and SHA-256 only, so that they are the same on every platform, for ever.
"""

from __future__ import annotations

import hashlib
import os
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rlgrade.check import Wrong

__all__ = ["STUDENT_VARIABLE", "Draw", "for_another_id", "mdp", "mine", "normal", "student_id"]

STUDENT_VARIABLE = "RLGRADE_STUDENT"  # set while nbgrader executes a submission; see rlgrade.preprocessors


def student_id(typed: Any = "") -> str:
    """The id whose instance counts: the one nbgrader grades under, or else the one `typed` in the notebook.

    Case and outer blanks do not matter. Raises `Wrong` where neither is known (no arrays involved).
    Source: nbgrader documentation, "Autograding".
    """
    known = normal(os.environ.get(STUDENT_VARIABLE, "")) or normal(typed)
    if not known:
        raise Wrong(
            'Your instance is drawn from your id: type it near the top, in the cell student_id = "...", '
            "run that cell, and then the one that draws your instance."
        )
    return known


def for_another_id(typed: Any, thing: str) -> str:
    """The sentence for an answer that is right for the `thing` of the id `typed`, not for that of the graded id.

    (No arrays.) Raises `Wrong` as `student_id` does. Source: this book.
    """
    return (
        f"Your answer is right for the id {str(typed)!r} that the notebook's first cells name, but you are graded as "
        f"{student_id(typed)!r}: type your own id and answer for your own {thing}."
    )


@dataclass
class Draw:
    """A stream of integers fixed by a student's id and a problem's slug.

    The i-th is SHA-256 of "id, slug, i" as a whole number. Raises ValueError for an empty range.
    Source: FIPS 180-4 (SHA-256), used in counter mode.
    """

    student: str
    slug: str
    count: int = 0

    def integer(self, low: int, high: int) -> int:
        """A whole number in low..high, both included. Source: as for the class."""
        if high < low:
            raise ValueError(f"integer needs low <= high; got {low}..{high}.")
        text = "\n".join((normal(self.student), self.slug, str(self.count)))
        self.count += 1
        return low + int(hashlib.sha256(text.encode()).hexdigest(), 16) % (high - low + 1)

    def choice(self, options: Sequence) -> Any:
        """One of `options`. Source: as for the class."""
        return options[self.integer(0, len(options) - 1)]


def mine(instance: Callable[[Any], dict[str, Any]], typed: Any) -> dict[str, Any]:
    """The student's own `instance` or, where no id is known, a dict that asks for the id when it is used.

    So a notebook without an id can be run from top to bottom. (No arrays; raises nothing.) Source: this book.
    """
    try:
        return instance(typed)
    except Wrong as asks:
        return _Unknown(asks)


class _Unknown(dict):
    """Stands for the machine until the id is known: shows, and when used raises, the sentence that asks for the id."""

    def __init__(self, asks: Wrong):
        self.asks = asks

    def __missing__(self, key):
        raise Wrong(str(self.asks))

    def __repr__(self) -> str:
        return str(self.asks)


def mdp(seed: int, S: int = 4, A: int = 3, gamma: float | None = None) -> tuple[np.ndarray, np.ndarray, float]:
    """A random process `P, r, gamma` as arrays (S, A, S) and (S, A): sparse rows, whole rewards from -9 to 9.

    gamma is drawn from 0.5, 0.8, 0.9 and 0.95 unless given. Raises what NumPy raises for impossible sizes.
    Source: after the Garnet processes of Archibald, McKinnon and Thomas (1995).
    """
    rng = np.random.default_rng(seed)
    weights = rng.integers(1, 10, size=(S, A, S)) * (rng.random((S, A, S)) < 0.6)
    weights[..., 0] += weights.sum(axis=2) == 0
    r = rng.integers(-9, 10, size=(S, A)).astype(float)
    drawn = float(rng.choice([0.5, 0.8, 0.9, 0.95]))
    return weights / weights.sum(axis=2, keepdims=True), r, drawn if gamma is None else gamma


def normal(student: Any) -> str:
    """An id as it is compared: composed, without outer blanks, in one case. (No arrays.) Source: Unicode, annex 15."""
    return unicodedata.normalize("NFC", str(student or "")).strip().casefold()
