"""`make screenshots`: the README's picture of a page, from the built site."""

from __future__ import annotations

from pathlib import Path

from tests.browser import launched, open_page, served

ROOT = Path(__file__).resolve().parents[1]
PAGE, PICTURE = "planning/discounted.html", ROOT / "book" / "_static" / "page.png"


def main() -> None:
    """Photograph the discounted chapter around its grid, solved."""
    with served(ROOT / "_build" / "html") as url, launched() as browser:
        page = open_page(browser, f"{url}/{PAGE}", width=1280, height=860)
        page.get_by_role("button", name="Solve").first.click()
        figure = page.locator("figure.rl-figure").first
        figure.evaluate("(figure) => figure.scrollIntoView({block: 'center', behavior: 'instant'})")
        page.wait_for_timeout(300)  # the table of contents follows
        page.screenshot(path=PICTURE)
    print(f"{PICTURE.relative_to(ROOT)}: {PICTURE.stat().st_size / 1024:.0f} KiB")


if __name__ == "__main__":
    main()
