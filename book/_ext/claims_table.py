"""The directive `{claims-table}`: every claim of the book and the tests that check it."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.util.docutils import SphinxDirective

from claims import KINDS, Claim, Register, find_checks, find_claims

HEADER = ("Statement", "On random instances", "Where it is tight", "With a hypothesis dropped")


class ClaimsTable(SphinxDirective):
    """One table a chapter, written as MyST and parsed as such, so that formulas in titles are typeset."""

    def run(self) -> list:
        root = Path(self.config.rlbook_root or Path(self.env.app.srcdir).parent)
        self.env.note_reread()  # tests and other pages change without this one
        text = tables(find_claims(Path(self.env.app.srcdir)), find_checks(root / "tests"), self.env.found_docs)
        parent = nodes.container(classes=["claims-table"])
        self.state.nested_parse(StringList(text.splitlines(), source="claims-table"), self.content_offset, parent)
        return [parent]


def tables(claims: list[Claim], register: Register, built: set[str]) -> str:
    """MyST for the tables; pages that are not part of the site are left out."""
    parts = []
    for page, group in groupby((c for c in claims if c.page in built), key=lambda claim: claim.page):
        listed = list(group)
        labels = {claim.label for claim in listed}
        modules = sorted({f"`tests/{check.module}`" for check in register.checks if check.label in labels})
        heading = f"**{{doc}}`/{page}`**" + (f", checked in {', '.join(modules)}" if modules else "")
        lines = [line for cells in [HEADER, *(row(claim, register) for claim in listed)] for line in list_row(cells)]
        parts += [heading, "", ":::{list-table}", ":header-rows: 1", "", *lines, ":::", ""]
    return "\n".join(parts)


def row(claim: Claim, register: Register) -> tuple[str, ...]:
    """The four cells of a claim."""
    role = "eq" if claim.kind == "equation" else "prf:ref"
    name = f"Equation {{eq}}`{claim.label}`" if role == "eq" else f"{{prf:ref}}`{claim.label}`"
    statement = f"{name}: {claim.title}" if claim.title else name
    return (statement, *(cell(claim.label, kind, register) for kind in KINDS))


def cell(label: str, kind: str, register: Register) -> str:
    """What the tests show, which is what their names say; or the reason why there is none."""
    checks = register.of(label, kind)
    if checks:
        return "; ".join(f"*{check.name.removeprefix('test_').replace('_', ' ')}*" for check in checks)
    return register.excuse(label, kind) or "missing"


def list_row(cells: tuple[str, ...]) -> list[str]:
    """The lines of one row of a `list-table`."""
    return [f"{'* -' if i == 0 else '  -'} {text}" for i, text in enumerate(cells)]
