"""Who checks what the book claims: pure functions that read chapters and tests, without Sphinx.

A claim is a labelled theorem, lemma, proposition or corollary, or an equation whose label starts with `eq-`.
A test names the claim that it checks and how: `@pytest.mark.claim("thm-contraction", "random")`. A test module
excuses a claim, in one line, in its dictionaries NOT_TESTED, NEVER_TIGHT and NOTHING_TO_DROP.
"""

from __future__ import annotations

import ast
import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

STATEMENTS = ("theorem", "lemma", "proposition", "corollary")
KINDS = ("random", "tight", "dropped")
REASONS = {"NOT_TESTED": None, "NEVER_TIGHT": "tight", "NOTHING_TO_DROP": "dropped"}

DIRECTIVE = re.compile(
    r"^[ \t]*(?P<fence>:{3,}|`{3,})\{(?P<kind>prf:(?:" + "|".join(STATEMENTS) + r")|math)\}[ \t]*(?P<title>[^\n]*)\n"
    r"(?P<options>[ \t]*---\n.*?\n[ \t]*---\n|(?:[ \t]*:[\w-]+:[^\n]*\n)*)",
    re.MULTILINE | re.DOTALL,
)
LABEL = re.compile(r"^[ \t]*:?label:[ \t]*(\S+)[ \t]*$", re.MULTILINE)
EQUATION = re.compile(r"\$\$[ \t]*\((eq-[\w-]+)\)[ \t]*$", re.MULTILINE)


@dataclass(frozen=True)
class Claim:
    """A statement of the book. `page` is its file without suffix, relative to the book."""

    label: str
    kind: str
    title: str
    page: str


@dataclass(frozen=True)
class Check:
    """A test function in `module` (a path relative to the tests) that checks a claim in one way."""

    label: str
    kind: str
    name: str
    module: str


@dataclass
class Register:
    """What the tests say: checks, and reasons[table][label] = one line why there is none."""

    checks: list[Check] = field(default_factory=list)
    reasons: dict[str, dict[str, str]] = field(default_factory=lambda: {table: {} for table in REASONS})

    def of(self, label: str, kind: str) -> list[Check]:
        """The checks of one kind that a claim has."""
        return [check for check in self.checks if (check.label, check.kind) == (label, kind)]

    def excuse(self, label: str, kind: str) -> str | None:
        """The reason why a claim has no check of that kind, if the tests give one."""
        table = next((name for name, excused in REASONS.items() if excused == kind), "NOT_TESTED")
        return self.reasons["NOT_TESTED"].get(label) or self.reasons[table].get(label)


def pages(book: Path) -> Iterator[tuple[str, str]]:
    """(name, Markdown) of every page: the whole of a .md file, the Markdown cells of a notebook."""
    for path in sorted([*book.rglob("*.md"), *book.rglob("*.ipynb")]):
        if any(part.startswith((".", "_")) for part in path.relative_to(book).parts) or path.name.endswith(".myst.md"):
            continue
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".ipynb":
            cells = json.loads(text)["cells"]
            text = "\n\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
        yield path.relative_to(book).with_suffix("").as_posix(), text


def claims_in(text: str, page: str) -> list[Claim]:
    """The claims of one page, in order; a statement without a label gets the label ''."""
    found = []
    for match in DIRECTIVE.finditer(text + "\n"):
        label = LABEL.search(match["options"])
        name, kind = (label[1] if label else ""), match["kind"].removeprefix("prf:")
        if kind != "math":
            found.append((match.start(), Claim(name, kind, match["title"].strip(), page)))
        elif name.startswith("eq-"):
            found.append((match.start(), Claim(name, "equation", "", page)))
    for match in EQUATION.finditer(text):
        found.append((match.start(), Claim(match[1], "equation", "", page)))
    return [claim for _, claim in sorted(found, key=lambda item: item[0])]


def find_claims(book: Path) -> list[Claim]:
    """Every claim of the book, page by page."""
    return [claim for page, text in pages(book) for claim in claims_in(text, page)]


def checks_in(source: str, module: str) -> Register:
    """What one test module says, read without running it. Raises ValueError for a mark that is no literal."""
    register = Register()
    tree = ast.parse(source, filename=module)
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            for decorator in node.decorator_list:
                if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == "pytest.mark.claim":
                    label, *kinds = _literals(decorator, module)
                    register.checks += [Check(label, kind, node.name, module) for kind in kinds or [""]]
    for node in tree.body:
        target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
        if isinstance(target, ast.Name) and target.id in REASONS and isinstance(node, (ast.Assign, ast.AnnAssign)):
            register.reasons[target.id].update(ast.literal_eval(node.value or ast.Dict([], [])))
    return register


def _literals(call: ast.Call, module: str) -> list[str]:
    values = [getattr(argument, "value", None) for argument in call.args]
    if not values or not all(isinstance(value, str) for value in values) or call.keywords:
        raise ValueError(f"{module}, line {call.lineno}: write the claim's label and kinds as plain strings.")
    return [str(value) for value in values]


def find_checks(tests: Path) -> Register:
    """What all test modules say together."""
    register = Register()
    for path in sorted(tests.rglob("test_*.py")):
        module = checks_in(path.read_text(encoding="utf-8"), path.relative_to(tests).as_posix())
        register.checks += module.checks
        for table, reasons in module.reasons.items():
            register.reasons[table].update(reasons)
    return register


def problems(claims: list[Claim], register: Register) -> list[str]:
    """What is missing or wrong, one line each: empty when every claim is checked or excused."""
    found = [f"{c.page}: the {c.kind} '{c.title}' has no label." for c in claims if not c.label]
    labels = Counter(claim.label for claim in claims if claim.label)
    found += [f"The label {label} is used {n} times in the book." for label, n in labels.items() if n > 1]
    for label in labels:
        for kind in KINDS:
            if not register.of(label, kind) and not register.excuse(label, kind):
                found.append(f"{label}: no '{kind}' test and no reason why.")
    for check in register.checks:
        where = f"{check.module}::{check.name}"
        if check.label not in labels:
            found.append(f"{where} checks {check.label}, which the book does not have.")
        if check.kind not in KINDS:
            found.append(f"{where}: '{check.kind}' is no kind of check; take one of {', '.join(KINDS)}.")
    for table, reasons in register.reasons.items():
        for label, reason in reasons.items():
            found += _problems_of_reason(table, label, reason, labels, register)
    return found


def _problems_of_reason(table: str, label: str, reason: str, labels, register: Register) -> list[str]:
    found = []
    if label not in labels:
        found.append(f"{table} names {label}, which the book does not have.")
    if not reason.strip() or "\n" in reason:
        found.append(f"{table}: the reason for {label} must be one line.")
    excused = KINDS if REASONS[table] is None else (REASONS[table],)
    if any(register.of(label, str(kind)) for kind in excused):
        found.append(f"{table} excuses {label}, which has such a test.")
    return found
