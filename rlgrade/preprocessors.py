"""The places where nbgrader's own steps are not enough; `nbgrader_config.py` puts these in."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from nbgrader import utils
from nbgrader.preprocessors import Execute, NbGraderPreprocessor

from rlgrade import tickets
from rlgrade.instances import STUDENT_VARIABLE

__all__ = ["ExecuteForStudent", "ShortErrors", "WrapMessages", "environment"]


class ExecuteForStudent(Execute):
    """Execute a submission in a kernel that is told, by environment variables, whose it is, and the ticket in an exam.

    The course's secret is not in that kernel's environment, but a submission runs with the grader's rights and could
    search for it: grade strangers' submissions in a container. (No arrays.) Raises what `Execute` raises, and
    `tickets.TicketError` for an exam where the secret is missing or cannot be used: the notebook's ticket is not
    trusted. Source: nbgrader documentation, "Custom preprocessors".
    """

    def preprocess(self, nb, resources, *args, **kwargs):
        student, exam = resources["nbgrader"]["student"], resources["nbgrader"]["assignment"]
        told = {
            STUDENT_VARIABLE: student,
            tickets.TICKET_VARIABLE: tickets.ticket(exam, student) if tickets.needed(exam) else None,
            tickets.SECRET_VARIABLE: None,
        }
        with environment(told):  # a kernel inherits it at its start
            return super().preprocess(nb, resources, *args, **kwargs)


class ShortErrors(NbGraderPreprocessor):
    """In feedback, reduce an error of a test cell to its message: a traceback would quote the hidden test's source.

    Source: nbgrader documentation, "Custom preprocessors". (No arrays; raises nothing.)
    """

    def preprocess_cell(self, cell, resources, cell_index):
        if cell.cell_type == "code" and utils.is_grade(cell) and not utils.is_solution(cell):
            for output in cell.outputs:
                if output.output_type == "error" and output.ename != "Wrong":  # which is its message already
                    output.traceback = [_short(output.ename, output.evalue)]
        return cell, resources


class WrapMessages(NbGraderPreprocessor):
    """In feedback, break long lines, so that a message is whole on a telephone. Comes after nbconvert's own CSS.

    Source: nbconvert documentation, "CSSHTMLHeaderPreprocessor". (No arrays; raises nothing.)
    """

    def preprocess(self, nb, resources):
        wrap = "div.output_area pre { white-space: pre-wrap; overflow-wrap: anywhere; }"
        resources["inlining"]["css"] = [*resources["inlining"]["css"], wrap]
        return nb, resources


def _short(name: str, text: str) -> str:
    missing = re.fullmatch(r"name '(\w+)' is not defined", text) if name == "NameError" else None
    if missing is None:
        return f"{name}: {text}"
    return (
        f"The name {missing[1]} is not defined. Names must stay as they were given, and no cell may be deleted; "
        "if the name is there, the cell that defines it was not run or stopped with an error."
    )


@contextmanager
def environment(values: Mapping[str, str | None]) -> Iterator[None]:
    """Set environment variables, or remove those that are None, and put back what was there. (No arrays.)

    Source: this book.
    """
    before = {name: os.environ.pop(name, None) for name in values}
    os.environ.update({name: value for name, value in values.items() if value is not None})
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value
