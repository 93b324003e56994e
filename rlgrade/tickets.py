"""Tickets: short codes, made from an id and the course's secret, that decide an exam's individual instances.

The secret stays with the instructor. A student types id and ticket; the last two characters of a ticket bind it to the
id, so that the notebook tells a mistyped ticket from a right one without the secret. While nbgrader grades, the ticket
that counts comes from the secret (see `rlgrade.preprocessors`), never from the notebook.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rlgrade.check import Wrong
from rlgrade.instances import STUDENT_VARIABLE, Draw, normal, student_id

__all__ = ["SECRET_VARIABLE", "TICKET_VARIABLE", "Paper", "TicketError", "fits", "needed", "secret", "ticket"]

SECRET_VARIABLE = "RLGRADE_COURSE_SECRET"  # the secret, or the path of the file that holds it
TICKET_VARIABLE = "RLGRADE_TICKET"  # the one ticket that counts, while a submission is executed
SHORTEST = 16
LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # base 32 without I, L, O and U, which are easily misread
READ_AS = str.maketrans("OIL", "011", "- \t\n\r\u00a0\u2010\u2011\u2013\u2014")
BODY, CHECK = 10, 2


class TicketError(ValueError):
    """The secret or an id cannot be used; the text says what to do. Source: this book."""


def needed(slug: str) -> bool:
    """Whether the set of that name is an exam, so that its instances need tickets. (No arrays.) Source: this book."""
    return slug.startswith("exam_")


def secret() -> str:
    """The course's secret: the environment variable RLGRADE_COURSE_SECRET, or the content of the file that it names.

    A value with a slash is a path. (No arrays.) Raises `TicketError` where it is missing, names no readable file, or is
    shorter than 16 characters. Source: this book.
    """
    value = os.environ.get(SECRET_VARIABLE, "").strip()
    if not value:
        raise TicketError(
            f"The course's secret is not set. Set the environment variable {SECRET_VARIABLE} to the secret, "
            f"or to the path of a file that holds it: at least {SHORTEST} characters, the same for the whole course."
        )
    path = Path(value).expanduser()
    if "/" in value or "\\" in value or path.is_file():
        try:
            value = path.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise TicketError(
                f"{SECRET_VARIABLE} names a file that cannot be read ({type(error).__name__}): {path}. "
                "A secret that itself holds a slash must be put in a file."
            ) from None
    if len(value) < SHORTEST:
        raise TicketError(
            f"The course's secret has {len(value)} characters; at least {SHORTEST} are needed, "
            "or it could be guessed from one ticket."
        )
    return value


def ticket(exam: str, student: Any) -> str:
    """The ticket of a student for an exam, such as "7QK2-M0XZ-9RTB": 10 characters from HMAC-SHA256 and 2 of check.

    (No arrays.) Raises `TicketError` where the id is empty or the secret cannot be used.
    Source: Krawczyk, Bellare and Canetti (1997), HMAC; FIPS 180-4.
    """
    known = normal(student)
    if not known:
        raise TicketError("An empty id has no ticket.")
    digest = hmac.new(secret().encode(), f"{exam}\n{known}".encode(), hashlib.sha256).digest()
    body = _letters(digest, BODY)
    code = body + _check(exam, known, body)
    return "-".join(code[i : i + 4] for i in range(0, BODY + CHECK, 4))


def fits(exam: str, student: Any, typed: Any) -> str:
    """The ten characters of a typed ticket that decide the instances, if its check characters fit exam and id.

    Case, blanks and hyphens do not matter, and O, I, L are read as 0, 1, 1. (No arrays.) Raises `Wrong` where the
    ticket is missing, has another length, holds another letter, or does not fit; 1 wrong one in 1,024 is not noticed.
    Source: this book.
    """
    code, shown = _read(typed), f"{str(typed or '').strip()[:40]!r}"
    if not code:
        raise Wrong(
            'Your instances are drawn from your id and your ticket: type the ticket at the top, ticket = "...", '
            "as it is printed on your slip, run that cell, and then the cells below it."
        )
    if len(code) != BODY + CHECK:
        raise Wrong(
            f"The ticket {shown} has {len(code)} letters and digits; {BODY + CHECK} are needed. "
            "Compare it with your slip."
        )
    strange = [letter for letter in code if letter not in LETTERS]
    if strange:
        raise Wrong(f"The ticket {shown} holds {strange[0]!r}, which no ticket does. Compare it with your slip.")
    if code[BODY:] != _check(exam, normal(student), code[:BODY]):
        raise Wrong(
            f"The ticket {shown} does not fit the id {normal(student)!r}: one of the two is mistyped, or the ticket is "
            "another student's. Compare both with your slip, letter by letter, and run the cells at the top again."
        )
    return code[:BODY]


@dataclass(frozen=True)
class Paper:
    """An exam's paper: the exam, and the id and ticket as typed in the notebook. Shown, it says whether they fit.

    Source: this book.
    """

    exam: str
    student: Any
    typed: Any

    def draw(self, slug: str, *, as_typed: bool = False) -> Draw:
        """The stream of integers behind one problem's instance.

        While nbgrader grades, it is that of the graded id and its own ticket, unless `as_typed`. (No arrays.) Raises
        `Wrong` where id or ticket are missing or do not fit, and where an exam is graded without its ticket.
        Source: as for `Draw`.
        """
        if as_typed or not normal(os.environ.get(STUDENT_VARIABLE, "")):
            student = _typed_id(self.student)
            return Draw(student, f"{self.exam}/{slug}/{fits(self.exam, student, self.typed)}")
        student = student_id()
        return Draw(student, f"{self.exam}/{slug}/{fits(self.exam, student, self._official(student))}")

    def _official(self, student: str) -> str:
        """The ticket that counts: what the preprocessor handed over, or, in an instructor's process, a new one."""
        handed = os.environ.get(TICKET_VARIABLE, "")
        try:
            return handed or ticket(self.exam, student)
        except TicketError as error:
            raise Wrong(f"This exam cannot be graded: the notebook's ticket is not trusted. {error}") from None

    def mismatch(self) -> str:
        """What is wrong with the typed id or ticket, compared with those that count, or nothing. (No arrays.)

        Raises `Wrong` where an exam is graded without its ticket. Source: this book.
        """
        graded = normal(os.environ.get(STUDENT_VARIABLE, ""))
        if graded and normal(self.student) != graded:
            return (
                f"This notebook names the id {str(self.student)!r}, but it is graded as {graded!r}, "
                f"with the instances of {graded!r}."
            )
        if graded and _read(self.typed) != _read(self._official(graded)):
            return (
                f"The ticket {str(self.typed)[:40]!r} in this notebook is not that of {graded!r}: "
                "it is graded with the instances of the right ticket."
            )
        return ""

    def __repr__(self) -> str:
        try:
            said = self.mismatch()
            draw = self.draw("paper")
        except Wrong as wrong:
            return str(wrong)
        return said or f"The ticket fits the id {draw.student!r}: the instances below are yours."


def _typed_id(typed: Any) -> str:
    known = normal(typed)
    if not known:
        raise Wrong(
            'Your instances are drawn from your id and your ticket: type both at the top, student_id = "..." and '
            'ticket = "...", run that cell, and then the cells below it.'
        )
    return known


def _read(typed: Any) -> str:
    return str(typed or "").upper().translate(READ_AS)


def _check(exam: str, student: str, body: str) -> str:
    return _letters(hashlib.sha256(f"check\n{exam}\n{student}\n{body}".encode()).digest(), CHECK)


def _letters(digest: bytes, count: int) -> str:
    """The first 5 * count bits of a digest, five to a letter."""
    bits = int.from_bytes(digest, "big") >> (8 * len(digest) - 5 * count)
    return "".join(LETTERS[bits >> 5 * i & 31] for i in reversed(range(count)))
