"""The door called Run: a chapter in the JupyterLab that `make lab` starts, run from top to bottom in a browser."""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

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


ALL_DONE = """() => {
  const prompts = [...document.querySelectorAll(".jp-CodeCell .jp-InputPrompt")];
  return prompts.length > 20 && prompts.every((prompt) => /\\[\\d+\\]/.test(prompt.textContent));
}"""


def test_the_chapter_runs_from_top_to_bottom(chromium, lab):
    page = chromium.new_page(viewport={"width": 1300, "height": 900})
    page.goto(lab)
    page.wait_for_selector(".jp-Notebook-ExecutionIndicator[data-status='idle']", timeout=120_000)
    page.get_by_role("menuitem", name="Run", exact=True).first.click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).first.click()
    page.wait_for_function(ALL_DONE, timeout=240_000)
    tracebacks = page.locator(".jp-OutputArea-output[data-mime-type='application/vnd.jupyter.error']").count()
    assert tracebacks == 0
    assert page.locator(".rl-figure .rl-board").count() == 1  # the figure responds here, too
    page.close()
