"""Pages that hold one figure that responds, and Chromium contexts that complain of errors and of requests elsewhere."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

import rlcore.widgets
from tests.browser import served

THEMES = {  # colours of text and page, as the book's theme has them
    "light": {"text-base": "#222832", "text-muted": "#48566b", "background": "#ffffff"},
    "dark": {"text-base": "#ced6dd", "text-muted": "#9ca4af", "background": "#14181e"},
}
OUTER = "document.querySelector('.rl-live').rlFigure"


def page_source(figure, theme: str = "light", boot: bool = True) -> str:
    colours = "".join(f"--pst-color-{name}: {value};" for name, value in THEMES[theme].items())
    script = '<script type="module" src="widgets/boot.js"></script>' if boot else ""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Figure</title>'
        '<link rel="icon" href="data:,"><meta name="viewport" content="width=device-width">'
        '<link rel="stylesheet" href="widgets/figure.css">'
        f"<style>:root {{{colours}}} body {{ margin: 0 auto; max-width: 46rem; padding: 0 16px;"
        'font-family: "DejaVu Sans", Verdana, sans-serif;'  # wide letters, so that what fits here fits
        "background: var(--pst-color-background); color: var(--pst-color-text-base); }</style></head>"
        f'<body>{figure._repr_mimebundle_()[0]["text/html"]}<p id="after">After.</p>{script}</body></html>'
    )


@contextmanager
def served_figure(figure, folder: Path) -> Iterator[str]:
    """Pages light.html, dark.html and asleep.html with the figure, and bundle.js as JupyterLab gets it; the address."""
    sources = Path(rlcore.widgets.__file__).parent
    shutil.copytree(sources, folder / "widgets", ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    for theme in THEMES:
        (folder / f"{theme}.html").write_text(page_source(figure, theme), encoding="utf-8")
    (folder / "asleep.html").write_text(page_source(figure, boot=False), encoding="utf-8")
    (folder / "bundle.js").write_text(figure._esm, encoding="utf-8")
    with served(folder) as address:
        yield address


@contextmanager
def opener(chromium, url: str) -> Iterator:
    """A function that opens a page of a fresh context; afterwards: no error, no warning, no request elsewhere."""
    contexts, complaints = [], []

    def show(path="light.html", width=1280, **options):
        context = chromium.new_context(viewport={"width": width, "height": 900}, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda r: r.url.startswith((url, "data:")) or complaints.append(r.url))
        page.on("response", lambda r: r.status < 400 or complaints.append(f"{r.status} {r.url}"))
        page.goto(f"{url}/{path}")
        if path.removesuffix(".html") in THEMES and options.get("java_script_enabled", True):
            page.wait_for_selector(".rl-awake", timeout=10_000)
        return page

    yield show
    for context in contexts:
        context.close()
    assert not complaints


def luminance(rgb: np.ndarray) -> float:
    """Relative luminance. Source: WCAG 2.2, definition of relative luminance."""
    c = np.asarray(rgb) / 255
    return float(np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4) @ [0.2126, 0.7152, 0.0722])


def contrast(one, other) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def rgb(text: str) -> np.ndarray:
    if text.startswith("#"):
        return np.array([int(text[i : i + 2], 16) for i in (1, 3, 5)], dtype=float)
    numbers = [float(x) for x in re.findall(r"[\d.]+", text)][:3]
    return np.array(numbers) * (255 if text.startswith("color(") else 1)


def in_jupyter(page, figure, steps: str):
    """Render the bundle that JupyterLab gets, in a page opened asleep, with a kernel that counts what it is sent.

    `steps` are JavaScript: they see `el`, the model's `data` and `window.model`, and end with a return. Afterwards
    `window.saved` is that count, and `window.release()` lets the figure go.
    """
    kernel = """async data => {
        const { default: widget } = await import('./bundle.js');
        const el = document.body.appendChild(document.createElement('div'));
        el.className = 'rl-live';
        const listeners = {};
        window.saved = 0;
        window.model = { get: name => data[name], save_changes: () => window.saved++,
          set: (name, value) => { data[name] = value; listeners['change:' + name]?.(); },
          on: (event, listener) => { listeners[event] = listener; }, off: event => { delete listeners[event]; } };
        window.release = await widget.render({ model: window.model, el });
        STEPS
    }"""
    return page.evaluate(kernel.replace("STEPS", steps), json.loads(json.dumps(figure.data())))
