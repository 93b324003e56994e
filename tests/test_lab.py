"""The door called Run: a chapter in the JupyterLab that `make lab` starts, run from top to bottom in a browser."""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import TimeoutError as Expired

ROOT = Path(__file__).resolve().parents[1]
CHAPTER = "book/planning/discounted.ipynb"

pytestmark = [pytest.mark.slow, pytest.mark.browser]


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """Address of a running JupyterLab, started in a copy so that no run can change a committed chapter."""
    copy = tmp_path_factory.mktemp("lab")
    shutil.copytree(ROOT / "book", copy / "book")
    command = re.search(r"^lab:.*\n\t(.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)[1]
    command = command.replace("$(BIN)", str(ROOT / ".venv/bin")).replace("$(CURDIR)", str(copy))
    command = command.replace("$(AS_ROOT)", "--allow-root" if os.geteuid() == 0 else "")
    log = copy / "log"
    with log.open("w") as out:
        server = subprocess.Popen(
            f"exec {command} --no-browser --port=0", shell=True, stdout=out, stderr=out, start_new_session=True
        )
    try:
        for _ in range(120):
            if found := re.search(r"http://\S+/lab/tree\S*", log.read_text()):
                break
            time.sleep(0.5)
        else:
            pytest.fail(f"JupyterLab did not start:\n{log.read_text()[-2000:]}")
        yield found[0]
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGTERM)
        server.wait(timeout=30)


CODE_CELLS = sum(cell.cell_type == "code" for cell in nbformat.read(ROOT / CHAPTER, 4).cells)
PROMPTS = '[...document.querySelectorAll(".jp-CodeCell .jp-InputPrompt")].map((prompt) => prompt.textContent)'


def wait_until(page, what, expression, seconds):
    """Wait for a JavaScript expression; where it does not come true, say what the page shows instead."""
    try:
        page.wait_for_function(expression, timeout=1000 * seconds)
    except Expired:
        seen = page.locator(".jp-StatusBar-Widget, .jp-Dialog").all_inner_texts()
        pytest.fail(f"Waited {seconds} s for {what}; prompts: {page.evaluate(PROMPTS)}; the page says: {seen}")


def test_the_chapter_runs_from_top_to_bottom(chromium, lab):
    page = chromium.new_page(viewport={"width": 1300, "height": 900})
    page.goto(lab)
    # JupyterLab forgets a "Run All Cells" that comes before the kernel has started or the cells are there.
    wait_until(page, "the cells", f"{PROMPTS}.length === {CODE_CELLS}", 120)
    idle = (
        '[...document.querySelectorAll(".jp-StatusBar-Widget")].some((bar) => /Python 3.*Idle/.test(bar.textContent))'
    )
    wait_until(page, "the kernel", idle, 120)
    page.get_by_role("menuitem", name="Run", exact=True).first.click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).first.click()
    wait_until(page, "all cells to have run", rf"{PROMPTS}.every((prompt) => /\[\d+\]/.test(prompt))", 240)
    tracebacks = page.locator(".jp-OutputArea-output[data-mime-type='application/vnd.jupyter.error']").count()
    assert tracebacks == 0
    assert page.locator(".rl-figure .rl-board").count() == 1  # the figure responds here, too
    page.close()
