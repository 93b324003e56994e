"""Fixtures of all tests. With CI_REQUIRE_ALL=1 a skipped test fails: nothing may go unchecked for want of a tool."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from xdist.scheduler import LoadFileScheduling

from tests import browser as chrome
from tests import figures

ROOT = Path(__file__).resolve().parents[1]
os.environ.setdefault("MPLBACKEND", "Agg")  # figures of tests are not shown
sys.path.insert(0, str(ROOT / "book" / "_ext"))  # the book's Sphinx extension, as Sphinx itself finds it


def refuse_skip(report, name: str):
    """Turn a skip into a failure where everything is required. What is expected to fail stays so."""
    if os.environ.get("CI_REQUIRE_ALL") == "1" and report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"{name} was skipped, but CI_REQUIRE_ALL=1 allows no skips. {reason}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo):
    """Skips of a test."""
    return refuse_skip((yield), item.nodeid)


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: pytest.Collector):
    """Skips of a whole module."""
    return refuse_skip((yield), collector.nodeid)


class ByCourse(LoadFileScheduling):
    """A worker gets a whole file, as module fixtures cost much; each course of test_pipeline goes by itself."""

    def _split_scope(self, nodeid: str) -> str:
        file, _, test = nodeid.partition("::")
        return f"{file} {test.partition('[')[2]}" if file.endswith("test_pipeline.py") else file


def pytest_xdist_make_scheduler(config: pytest.Config, log) -> ByCourse:
    """How pytest-xdist shares the tests out."""
    return ByCourse(config, log)


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository."""
    return ROOT


@pytest.fixture(scope="session")
def site() -> Path:
    """The built site; built here where it is missing (`make test` builds it first, so that it is never stale)."""
    html = ROOT / "_build" / "html"
    if not (html / "index.html").exists():
        done = subprocess.run(["make", "book"], cwd=ROOT, capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.fail(f"make book failed:\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}")
    return html


@pytest.fixture(scope="session")
def site_url(site: Path) -> Iterator[str]:
    """Address of a local server that shows the site."""
    with chrome.served(site) as url:
        yield url


@pytest.fixture(scope="session")
def chromium() -> Iterator:
    """A headless Chromium (Playwright's Browser). Skips where there is none."""
    if chrome.chromium() is None:
        pytest.skip("Chromium is not installed.")
    with chrome.launched() as browser:
        yield browser


@pytest.fixture
def browser_page(chromium) -> Iterator:
    """A fresh page, 1280 px wide, in light mode."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900}, color_scheme="light")
    yield context.new_page()
    context.close()


@pytest.fixture(scope="module")
def url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of pages that hold the figure that the test module names, FIGURE; see tests/figures.py."""
    with figures.served_figure(request.module.FIGURE(), tmp_path_factory.mktemp("figures")) as address:
        yield address


@pytest.fixture
def opened(chromium, url: str) -> Iterator[Callable]:
    """A function that opens one of these pages; afterwards: no error, no warning, no request elsewhere."""
    with figures.opener(chromium, url) as show:
        yield show


@pytest.fixture
def page(opened: Callable):
    """The figure in a light page of 1280 px, awake."""
    return opened()
