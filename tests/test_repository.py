"""What holds for the files of the repository: notebooks, the lock, docstrings, what importing costs."""

from __future__ import annotations

import importlib
import inspect
import json
import pkgutil
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest

import rlcore

ROOT = Path(__file__).resolve().parents[1]
BOOK = sorted(p for p in (ROOT / "book").rglob("*.ipynb") if ".ipynb_checkpoints" not in p.parts)
SETS = sorted(
    p for d in ("solutions", "exercises") for p in (ROOT / d).rglob("*.ipynb") if ".ipynb_checkpoints" not in p.parts
)


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


# ---------------------------------------------------------------------- notebooks


def code_lines(cell: dict) -> int:
    """Lines of a code cell that are neither empty nor the options that MyST reads."""
    lines = "".join(cell["source"]).splitlines()
    return sum(bool(line.strip()) and not line.startswith("#|") for line in lines)


@pytest.mark.parametrize("path", BOOK + SETS, ids=relative)
def test_notebook_is_clean(path):
    """No outputs or counts, ids that are there and unique, a kernel that everyone has."""
    notebook = json.loads(path.read_text(encoding="utf-8"))
    assert (notebook["nbformat"], notebook["nbformat_minor"]) >= (4, 5), "cells have ids since format 4.5"
    assert notebook["metadata"]["kernelspec"]["name"] == "python3"
    ids = [cell.get("id") for cell in notebook["cells"]]
    assert all(ids)
    assert len(ids) == len(set(ids))
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    dirty = [cell["id"] for cell in code if cell["outputs"] or cell["execution_count"] is not None]
    assert dirty == [], "run `make notebooks`"


@pytest.mark.parametrize("path", BOOK, ids=relative)
def test_cells_are_short(path):
    """Median at most 8 lines, nine in ten at most 20, none over 30: longer code belongs in rlcore."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    lengths = [code_lines(cell) for cell in cells if cell["cell_type"] == "code"]
    assert lengths
    assert np.median(lengths) <= 8
    assert np.quantile(lengths, 0.9) <= 20
    assert max(lengths) <= 30


@pytest.mark.parametrize("path", BOOK, ids=relative)
def test_chapter_reads_without_macros(path):
    """Code hosts and JupyterLab know no macros of ours; and a backtick fence hides its text from a plain viewer."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    text = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
    assert not re.search(r"\\(newcommand|renewcommand|def)\b", text)
    assert not re.search(r"^`{3,}\{prf:", text, re.MULTILINE), "write :::{prf:...} with colons"


def test_both_parts_of_a_chapter_have_one_name():
    """Every problem set but an exam belongs to a chapter's slug, and students have what instructors keep."""
    slugs = {path.stem for path in BOOK}
    assert {path.stem for path in SETS if not path.stem.startswith("exam_")} <= slugs
    kept, given = (
        {p.relative_to(ROOT / d) for p in SETS if p.is_relative_to(ROOT / d)} for d in ("solutions", "exercises")
    )
    assert kept == given


# ---------------------------------------------------------------------- the lock


def required(requirements: list[str], extras: dict[str, list[str]]) -> set[str]:
    """Names that requirements ask for, with our own extras followed."""
    found = set()
    for requirement in requirements:
        name, own = re.match(r"([\w.-]+)(?:\[([\w,]+)\])?", requirement).groups()
        if name == "rl-foundations-book":
            for extra in own.split(","):
                found |= required(extras[extra], extras)
        else:
            found.add(re.sub(r"[-_.]+", "-", name).lower())
    return found


def test_the_lock_is_in_step():
    """Each requirement of pyproject.toml is pinned, by that name, as a direct one; and none besides."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    wanted = required(project["dependencies"] + ["rl-foundations-book[dev]"], extras)
    pinned, direct = {}, set()
    for line in (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines():
        if match := re.match(r"([\w.-]+)==(\S+)", line):
            name = match[1].lower()
            pinned[name] = match[2]
        elif "rl-foundations-book (pyproject.toml)" in line:
            direct.add(name)
    assert wanted == direct, "run `make lock`"


def test_the_lock_names_no_place():
    """It installs from whatever index the reader uses."""
    lock = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    assert not re.search(r"://|--(extra-)?index-url|--find-links|^#.*/", lock, re.MULTILINE)


# ---------------------------------------------------------------------- rlcore


def modules() -> list[str]:
    """Every public module of rlcore; widgets and plots too, where their requirements are installed."""
    found = ["rlcore"]
    for module in pkgutil.walk_packages(rlcore.__path__, "rlcore."):
        if not any(part.startswith("_") for part in module.name.split(".")):
            found.append(module.name)
    return found


def public() -> dict[str, object]:
    """What rlcore offers: name -> function or class."""
    found = {}
    for name in modules():
        module = importlib.import_module(name)
        for attribute in getattr(module, "__all__", []):
            value = getattr(module, attribute)
            if inspect.isfunction(value) or inspect.isclass(value):
                found[f"{value.__module__}.{attribute}"] = value
    return found


PUBLIC = public()
SHAPE = re.compile(r"\((?:[A-Za-z*0-9_]+ ?[,*] ?)+[A-Za-z*0-9_]*\)|\[[A-Za-z]+[,\]]|Takes and returns nothing")


@pytest.mark.parametrize("name", PUBLIC)
def test_public_names_are_documented(name):
    """A docstring with its source; and with shapes, where arrays go in or come out."""
    value = PUBLIC[name]
    doc = inspect.getdoc(value) or ""
    assert "Source" in doc, f"{name} names no source"
    if inspect.isfunction(value):
        hints = " ".join(
            str(p.annotation) for p in inspect.signature(value).parameters.values() if p.name not in ("mdp", "rng")
        )
        hints += str(inspect.signature(value).return_annotation)
        if "ndarray" in hints or "ArrayLike" in hints:
            assert SHAPE.search(doc), f"{name} takes or returns arrays: give their shapes, such as (S, A)"


def run_python(code: str) -> str:
    """Output of a fresh process."""
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT).stdout


def test_importing_the_core_pulls_in_little():
    """A reader without Matplotlib, Gymnasium or SciPy can still read a small model."""
    code = "import sys, rlcore; from rlcore import FiniteMDP; print(*{m.split('.')[0] for m in sys.modules})"
    loaded = set(run_python(code).split())
    assert "numpy" in loaded
    assert not loaded & {"matplotlib", "gymnasium", "scipy", "ipywidgets", "anywidget", "IPython", "torch", "tqdm"}


# ---------------------------------------------------------------------- addresses

HOST = re.compile(r"https?://([\w.-]+)")
KNOWN_HOSTS = {"creativecommons.org", "localhost", "127.0.0.1", "www.w3.org", "json-schema.org", "doi.org"}
TEXT = {".py", ".md", ".js", ".css", ".yml", ".toml", ".cff", ".ipynb", ".bib", ".svg", ".txt"}


def test_no_address_is_invented():
    """The repository names only hosts that are meant: no registry, no content network, no placeholder."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split("\n")
    found = {}
    for name in filter(None, listed):
        path = ROOT / name
        if path.is_file() and (path.suffix in TEXT or path.name in ("Makefile", "run")):
            for host in HOST.findall(path.read_text(encoding="utf-8")):
                found.setdefault(host, []).append(name)
    assert {host: names for host, names in found.items() if host not in KNOWN_HOSTS} == {}
