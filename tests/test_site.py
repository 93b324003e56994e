"""Every page of the built site, in Chromium: wide and narrow, light and dark."""

from __future__ import annotations

import re
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
import yaml

from tests.browser import settle

ROOT = Path(__file__).resolve().parents[1]
WIDTHS, SCHEMES = (1280, 390), ("light", "dark")
OTHER_HOSTS = ("cdn.jsdelivr", "cdnjs.", "unpkg.com", "fonts.googleapis", "fonts.gstatic", "polyfill.io", "require.js")

pytestmark = pytest.mark.slow


def pages_of_toc() -> list[str]:
    """Every page of the site, in order."""
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    return [toc["root"], *(chapter["file"] for part in toc["parts"] for chapter in part["chapters"])]


PAGES = pages_of_toc()

# What a typeset page looks like: formulas left over or wrong, boxes that leave the page, images without a text.
INSPECT = r"""() => {
  const article = document.querySelector("article");
  const shown = (node) => !node.closest("script, style, pre, code, mjx-container, textarea, svg");
  const walker = document.createTreeWalker(article, NodeFilter.SHOW_TEXT);
  const raw = [];
  while (walker.nextNode()) {
    const text = walker.currentNode.textContent;
    if (!shown(walker.currentNode.parentElement)) continue;
    if (/\\\(|\\\[|\\\]|\$\$|\$[^$\d\s][^$]*\$/.test(text)) raw.push(text.trim().slice(0, 80));
  }
  const name = (node) => node.outerHTML.slice(0, 120);
  const all = (selector) => [...article.querySelectorAll(selector)];
  return {
    overflow: document.documentElement.scrollWidth - window.innerWidth,
    raw,
    untypeset: all("span.math, div.math").filter((node) => !node.querySelector("mjx-container")).map(name),
    wrong: all("mjx-merror, mjx-mtext[style*='red'], [data-mjx-error]").map(name),
    silent: all("img").filter((node) => !(node.getAttribute("alt") || "").trim()).map(name).concat(
      all("svg[role=img]").filter((node) => !(node.getAttribute("aria-label") || "").trim()).map(name)),
    unlabelled: all("svg").filter((node) => !node.closest("mjx-container, [aria-hidden=true], summary, button") &&
      !node.closest("[aria-label], [aria-labelledby]")).map(name),
    broken: [...document.images].filter((node) => !node.complete || !node.naturalWidth).map(name),
    theme: document.documentElement.dataset.theme,
  };
}"""


@pytest.mark.browser
@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", PAGES)
def test_page(chromium, site_url, name, width, scheme):
    """No overflow, no console error, no failed or foreign request, every formula typeset, every picture described."""
    context = chromium.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page, complaints = context.new_page(), []
    page.on("console", lambda m: complaints.append(m.text) if m.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("requestfailed", lambda request: complaints.append(f"failed: {request.url}"))
    page.on("response", lambda r: complaints.append(f"{r.status}: {r.url}") if r.status >= 400 else None)
    page.on("request", lambda r: complaints.append(f"other host: {r.url}") if foreign(r.url, site_url) else None)
    page.goto(f"{site_url}/{name}.html")
    page.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
    settle(page)
    page.mouse.wheel(0, 100_000)  # what is loaded late, is loaded now
    page.wait_for_load_state("networkidle")
    seen = page.evaluate(INSPECT)
    context.close()
    assert seen.pop("theme") == scheme
    assert seen.pop("overflow") <= 0
    assert {key: found for key, found in seen.items() if found} == {}
    assert complaints == []


def foreign(url: str, site_url: str) -> bool:
    """Whether a request leaves the site."""
    return not url.startswith((site_url, "data:", "blob:"))


@pytest.mark.browser
def test_a_dark_page_is_dark(chromium, site_url):
    """The figures' ink is the page's: it follows the mode."""
    inks = {}
    for scheme in SCHEMES:
        context = chromium.new_context(color_scheme=scheme)
        page = context.new_page()
        page.goto(f"{site_url}/introduction.html")
        inks[scheme] = page.eval_on_selector("figure.rl-svg svg", "(svg) => getComputedStyle(svg).color")
        background = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert inks[scheme] != background
        context.close()
    assert inks["light"] != inks["dark"]


class Links(HTMLParser):
    """Collects the targets of links and other references, and all ids, of one page."""

    def __init__(self, text: str):
        super().__init__()
        self.links: list[str] = []
        self.ids: list[str] = []
        self.assets: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        self.ids += [values["id"]] if values.get("id") else []
        if tag == "a" and values.get("href"):
            self.links.append(values["href"])
        elif tag != "a":
            self.assets += [v for v in (values.get("src"), values.get("href")) if v and not v.startswith("#")]


@cache
def parsed(path: Path) -> Links:
    return Links(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", PAGES)
def test_links_and_ids(site, name):
    """Links within the site lead somewhere, assets exist and are the site's own, no id is used twice."""
    page = site / f"{name}.html"
    found = parsed(page)
    problems = [f"id {i} is used twice" for i in sorted({i for i in found.ids if found.ids.count(i) > 1})]
    problems += [f"asset of another host: {a}" for a in found.assets if urlsplit(a).netloc]
    for link in found.links + found.assets:
        parts = urlsplit(link)
        if parts.scheme or parts.netloc or link in ("#", ""):
            continue
        target = (page.parent / unquote(parts.path)).resolve() if parts.path else page
        if not target.exists():
            problems.append(f"{link}: there is no such file")
        elif parts.fragment and target.suffix == ".html" and unquote(parts.fragment) not in parsed(target).ids:
            problems.append(f"{link}: there is no such place")
    assert problems == []


@pytest.mark.parametrize("name", ["introduction", "planning/discounted"])
def test_no_line_begins_with_a_full_stop(site, name):
    """A formula and the punctuation mark after it are one unbreakable span."""
    text = (site / f"{name}.html").read_text(encoding="utf-8")
    formula = r'<span class="math[^"]*">[^<]*</span>'
    kept = re.findall(rf'<span class="rl-unbroken">{formula}[.,;:!?)]+</span>', text)
    assert len(kept) == len(re.findall(rf"{formula}[.,;:!?)]", text)) > 50


def test_no_other_host_is_named(site):
    """No page loads anything from a content network, not even in a script that runs only sometimes."""
    pages = [path for path in site.rglob("*.html") if "_static" not in path.parts]
    named = [(path.name, host) for path in pages for host in OTHER_HOSTS if host in path.read_text(encoding="utf-8")]
    assert pages
    assert named == []
