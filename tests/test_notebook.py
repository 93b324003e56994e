"""What a chapter hands to the page around it."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.testing.globalipapp import get_ipython  # noqa: F401 (the name that a kernel defines)

from rlcore.notebook import RECORD, glue

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def published(monkeypatch):
    """What `display` sends to the page: a list of (data, metadata)."""
    sent = []
    shell = InteractiveShell.instance()
    monkeypatch.setattr(
        shell.display_pub, "publish", lambda data, metadata=None, **_: sent.append((data, metadata)), raising=True
    )
    return sent


@pytest.mark.parametrize(("value", "text"), [(np.float64(0.25), "0.25"), (3, "3"), ("up", "'up'"), (np.array(7), "7")])
def test_a_value_is_handed_over_and_named(published, value, text):
    glue("answer", value)
    [(data, metadata)] = published
    assert data[RECORD + "text/plain"] == text
    assert metadata["scrapbook"] == {"name": "answer", "mime_prefix": RECORD}
    assert InteractiveShell.instance().user_ns["answer"] == value


@pytest.mark.parametrize("name", ["", "worst-loss", "2nd"])
def test_a_name_must_be_one(name):
    with pytest.raises(ValueError, match="glue needs a Python name"):
        glue(name, 1.0)


def test_the_format_is_that_of_myst_nb(tmp_path):
    """The record in an executed notebook is the one that MyST-NB's own function writes."""
    cells = {"ours": "from rlcore.notebook import glue", "theirs": "from myst_nb import glue"}
    records = {}
    for name, line in cells.items():
        code = f"{line}\nglue('x', 0.5{', display=False' if name == 'theirs' else ''})"
        notebook = {
            "cells": [
                {"cell_type": "code", "id": "a", "metadata": {}, "outputs": [], "execution_count": None, "source": code}
            ],
            "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
            "nbformat": 4,
            "nbformat_minor": 5,
        }
        path = tmp_path / f"{name}.ipynb"
        path.write_text(json.dumps(notebook))
        command = [sys.executable, "-m", "nbconvert", "--to", "notebook", "--execute", "--inplace", str(path)]
        subprocess.run(command, check=True, capture_output=True, cwd=ROOT)
        records[name] = json.loads(path.read_text())["cells"][0]["outputs"]
    assert records["ours"] == records["theirs"]
