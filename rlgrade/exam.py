"""Give an exam: make tickets, and a model solution for each student's own instances.

    python -m rlgrade.exam tickets roster.csv > tickets.csv
    python -m rlgrade.exam solution ID [ID ...] [--to DIR]
    python -m rlgrade.exam solutions roster.csv --to DIR

All need the course's secret, see `rlgrade.tickets`. Run them in the repository's folder.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import csv
import hashlib
import io
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rlgrade import tickets
from rlgrade.instances import STUDENT_VARIABLE, normal
from rlgrade.roster import COLUMN, RosterError, read_roster
from rlgrade.tickets import TicketError

if TYPE_CHECKING:
    from nbformat import NotebookNode

__all__ = ["main", "model_solution", "page", "run"]

# ---------------------------------------------------------------------- model solutions


def run(nb: NotebookNode, student: str, ticket: str) -> dict[str, str]:
    """Run the notebook's code cells for a student, hidden tests included; what each showed, by the cell's id.

    A cell shows what it prints and the value of its last line, and an answer's function is called at once, so that it
    prints its working. (No arrays.) Raises what a cell raises: the reference solution then fails its own tests.
    Source: this book.
    """
    from rlgrade.preprocessors import environment

    shown, space = {}, {"__name__": "__main__"}
    told = {STUDENT_VARIABLE: student, tickets.TICKET_VARIABLE: ticket, tickets.SECRET_VARIABLE: None}
    with environment(told):
        for cell in nb.cells:
            if cell.cell_type != "code":
                continue
            source = _identity(student, ticket) if cell.id == "student-id" else cell.source
            shown[cell.id] = _shows(source, space)
            call, names = _call(cell)
            if call:
                shown[cell.id] += _shows(call, space, names)
    return shown


def model_solution(nb: NotebookNode, exam: str, student: str) -> NotebookNode:
    """A notebook with the exam's questions, the student's instances, and answers with their working.

    (No arrays.) Raises `TicketError` without a secret, and what `run` raises. Source: this book.
    """
    import nbformat

    ticket = tickets.ticket(exam, student)
    shown = run(nb, student, ticket)
    cells = []
    for cell in nb.cells:
        mark = cell.metadata.get("nbgrader", {})
        if cell.cell_type == "markdown":
            heading = f"**Model solution for {student}, ticket {ticket}**\n\n"
            kept = nbformat.v4.new_markdown_cell((heading if cell.id == "title" else "") + cell.source, id=cell.id)
            if mark.get("solution"):
                kept.source = f"**Model answer.** {kept.source}"
        elif mark.get("grade") or cell.id in ("imports", "student-id", "paper"):
            continue
        else:
            kept = nbformat.v4.new_code_cell(_unmarked(cell.source), id=cell.id)
            if shown[cell.id]:
                kept.outputs = [nbformat.v4.new_output("stream", name="stdout", text=shown[cell.id])]
        cells.append(kept)
    return nbformat.v4.new_notebook(cells=cells, metadata=nb.metadata)


def page(nb: NotebookNode, title: str) -> str:
    """A notebook as one HTML page. (No arrays.) Source: nbconvert documentation."""
    from nbconvert import HTMLExporter

    exporter = HTMLExporter(exclude_input_prompt=True, exclude_output_prompt=True)
    return exporter.from_notebook_node(nb, resources={"metadata": {"name": title}})[0]


def _identity(student: str, ticket: str) -> str:
    return f"student_id = {student!r}\nticket = {ticket!r}"


def _call(cell: Any) -> tuple[str, list[str]]:
    """The line that calls an answer without arguments, or nothing; and what its docstring says that it returns."""
    if not cell.metadata.get("nbgrader", {}).get("solution"):
        return "", []
    functions = [node for node in ast.parse(cell.source).body if isinstance(node, ast.FunctionDef)]
    if not functions or functions[-1].args.args:
        return "", []
    returns = re.search(r"Returns \(([\w, ]+)\)", ast.get_docstring(functions[-1]) or "")
    return f"{functions[-1].name}()", returns[1].split(", ") if returns else []


def _shows(source: str, space: dict[str, Any], names: Sequence[str] = ()) -> str:
    """What a cell prints, and its last value, or the parts of that by their `names`."""
    import numpy as np

    body = ast.parse(source).body
    last = body[-1] if body and isinstance(body[-1], ast.Expr) else None
    body = body[:-1] if last else body
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), np.printoptions(precision=6, suppress=True):
        exec(compile(ast.Module(body, []), "<cell>", "exec"), space)
        value = eval(compile(ast.Expression(last.value), "<cell>", "eval"), space) if last else None
        if names:
            print("\nAnswer:", *map(_named, names, value or ()), sep="\n")
        elif value is not None:
            print(_plain(value))
    return printed.getvalue().lstrip("\n")


def _named(name: str, value: Any) -> str:
    text = _plain(value)
    return f"{name} ={chr(10) if chr(10) in text else ' '}{text}"


def _plain(value: Any) -> str:
    import numpy as np

    if isinstance(value, dict):
        return "\n".join(f"{name} = {part}" for name, part in value.items())
    return str(value) if isinstance(value, str) else str(np.asarray(value))


def _unmarked(source: str) -> str:
    return "\n".join(line for line in source.split("\n") if not re.search(r"### (BEGIN|END) SOLUTION", line))


# ---------------------------------------------------------------------- commands


def _write_tickets(exam: str, ids: list[str], to: Path | None) -> None:
    rows = [(student, tickets.ticket(exam, student)) for student in ids]
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerows([(COLUMN, "ticket"), *rows])
    if to is None:
        sys.stdout.write(out.getvalue())
    else:
        to.write_text(out.getvalue(), encoding="utf-8")


def _write_solutions(exam: str, ids: list[str], to: Path) -> None:
    import nbformat
    from tqdm import tqdm

    source = Path("solutions", exam, f"{exam}.ipynb")
    if not source.is_file():
        raise TicketError(f"{source} is not here: run this in the repository's folder.")
    tickets.secret()  # before anything is written
    nb = nbformat.read(source, 4)
    to.mkdir(parents=True, exist_ok=True)
    for student in tqdm(ids, unit="student", disable=len(ids) == 1):
        (to / file_name(student)).write_text(page(model_solution(nb, exam, student), f"{exam}: {student}"), "utf-8")
    print(f"{to}: {len(ids)} model solution{'s' * (len(ids) > 1)}", file=sys.stderr)


def file_name(student: str) -> str:
    """The id, where it is a safe file name; with a hash of it, so that no two ids share a file, where it is not."""
    known = normal(student)
    safe = re.sub(r"[^a-z0-9._@-]", "_", known).lstrip(".")
    return f"{safe}.html" if safe == known else f"{safe}-{hashlib.sha256(known.encode()).hexdigest()[:8]}.html"


def _arguments(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m rlgrade.exam", description="Tickets and model solutions.")
    commands = parser.add_subparsers(dest="command", required=True)
    made = commands.add_parser("tickets", help="a ticket for each student, as CSV")
    made.add_argument("roster", type=Path, help=f"a CSV file with a column {COLUMN}, or one id a line")
    made.add_argument("--to", type=Path, help="the file to write; printed where none is given")
    one = commands.add_parser("solution", help="the model solution for some ids")
    one.add_argument("ids", nargs="+", metavar="ID")
    one.add_argument("--to", type=Path, default=Path(), help="the folder for the pages (this one)")
    every = commands.add_parser("solutions", help="the model solution for all students")
    every.add_argument("roster", type=Path)
    every.add_argument("--to", type=Path, required=True, help="the folder for the pages")
    for command in (made, one, every):
        command.add_argument("--exam", default="exam_planning", help="the exam's name (exam_planning)")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> None:
    """The command line. Raises SystemExit with one clear line where something is amiss. Source: this book."""
    given = _arguments(arguments)
    try:
        if not tickets.needed(given.exam):
            raise TicketError(f"{given.exam!r} is no exam: its name would start with exam_.")
        ids = given.ids if given.command == "solution" else read_roster(given.roster)
        if given.command == "tickets":
            _write_tickets(given.exam, ids, given.to)
        else:
            _write_solutions(given.exam, ids, given.to)
    except (RosterError, TicketError, OSError) as error:
        raise SystemExit(f"{error}") from None


if __name__ == "__main__":
    main()
