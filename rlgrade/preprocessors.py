"""The places where nbgrader's own steps are not enough; `nbgrader_config.py` puts these in."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager

from nbgrader import utils
from nbgrader.preprocessors import Execute, NbGraderPreprocessor

from rlgrade.instances import STUDENT_VARIABLE

__all__ = ["ExecuteForStudent", "ShortErrors", "WrapMessages"]


class ExecuteForStudent(Execute):
    """Execute a submission in a kernel that is told, by an environment variable, whose submission it is.

    Source: nbgrader documentation, "Custom preprocessors". (No arrays; raises what `Execute` raises.)
    """

    def preprocess(self, nb, resources, *args, **kwargs):
        with _environment(STUDENT_VARIABLE, resources["nbgrader"]["student"]):  # a kernel inherits it at its start
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
def _environment(name: str, value: str) -> Iterator[None]:
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before
