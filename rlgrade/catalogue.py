"""The form of a catalogued wrong answer; the catalogues are solutions/*/wrong_answers.py, which students do not get."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["WrongAnswer"]


class WrongAnswer(NamedTuple):
    """An answer that must lose points, with a message that names its misconception.

    `source` replaces the answer cell; the test cells in `fails`, and no others of the problem, must then score 0, with
    a message that holds `says`. Source: this book.
    """

    name: str
    misconception: str
    source: str
    fails: tuple[str, ...]
    says: str
    student_id: str | None = None  # typed in the notebook in place of the student's own
