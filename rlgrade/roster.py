"""Read the list of students that an exam's commands are given."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from rlgrade.instances import normal

__all__ = ["COLUMN", "RosterError", "read_roster"]

COLUMN = "student_id"


class RosterError(ValueError):
    """A list of ids cannot be used; the text names the line. Source: this book."""


def read_roster(path: Path) -> list[str]:
    """The ids in a CSV file with a column `student_id`, or in a file with one id a line, in its order.

    (No arrays.) Raises `RosterError` where the file cannot be read, has more columns but none of that name, lacks an id
    in a line, or holds two ids that are the same once case, outer blanks and Unicode's forms are set aside.
    Source: this book.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")  # spreadsheets write a mark at the start
    except OSError as error:
        raise RosterError(f"{path} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise RosterError(f"{path} is not text in UTF-8: save the list as 'CSV UTF-8'.") from None
    found: dict[str, tuple[int, str]] = {}
    for line, student in _column(path, text):
        known = normal(student)
        if not known:
            raise RosterError(f"{path}, line {line}: the id is missing.")
        if known in found:
            other, same = found[known]
            raise RosterError(
                f"{path}, line {line}: the id {student.strip()!r} is that of line {other}, {same!r}: case, outer "
                "blanks and the form of accents do not tell ids apart. Give one of the two another id."
            )
        found[known] = line, student.strip()
    if not found:
        raise RosterError(f"{path} holds no ids.")
    return [student for _, student in found.values()]


def _column(path: Path, text: str) -> list[tuple[int, str]]:
    """(line, id) of each student."""
    first = text.split("\n", 1)[0]
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=";" if first.count(";") > first.count(",") else ",")
    filled = [(rows.line_num, row) for row in rows if any(cell.strip() for cell in row)]
    if not filled:
        return []
    names = [normal(cell) for cell in filled[0][1]]
    if COLUMN in names:
        place = names.index(COLUMN)
        return [(line, row[place] if place < len(row) else "") for line, row in filled[1:]]
    wide = [line for line, row in filled if len(row) > 1]
    if wide:
        raise RosterError(
            f"{path}, line {wide[0]}, has several columns, but the first line names none {COLUMN!r}: "
            "name the column of the ids so, or write one id a line."
        )
    return [(line, row[0]) for line, row in filled]
