"""The pure functions of the book's Sphinx extension."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest
from claims import Check, Claim, Register
from claims_table import row, tables
from figures import inline_svg, pixels
from fingerprint import fingerprint
from glued import key_of

SVG = """<?xml version="1.0" encoding="utf-8" standalone="no"?>
<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"
 width="360pt" height="216pt" viewBox="0 0 360 216">
 <metadata><x>who, when</x></metadata>
 <defs><style>*{stroke-linejoin: round; fill: #1B1B1B}</style><path id="m1"/></defs>
 <clipPath id="p1"/>
 <g clip-path="url(#p1)"><use xlink:href="#m1" style="fill: #1b1b1b; stroke: #fefefe"/>
 <text fill="#111111">a &lt; b</text></g>
</svg>"""
COLORS = {"#1b1b1b": "currentColor", "#FEFEFE": "transparent"}


def test_figure_fits_and_follows_the_page():
    html = inline_svg(SVG, alt='values "before" & after', prefix="fig3-", colors=COLORS)
    svg = ET.fromstring(html).find("{http://www.w3.org/2000/svg}svg")
    assert svg.get("role") == "img"
    assert svg.get("aria-label") == 'values "before" & after'
    assert svg.get("width") is None
    assert svg.get("viewBox") == "0 0 360 216"
    assert "max-width:480px;min-width:264px" in svg.get("style")
    assert 'style="fill: currentColor; stroke: transparent"' in html
    assert "round; fill: currentColor" in html
    assert 'fill="#111111"' in html
    assert "who, when" not in html
    assert "<?xml" not in html


def test_ids_on_one_page_do_not_collide():
    first, second = (inline_svg(SVG, alt="x", prefix=p, colors=COLORS) for p in ("fig0-", "fig1-"))
    assert 'id="fig0-p1"' in first
    assert 'clip-path="url(#fig0-p1)"' in first
    assert 'xlink:href="#fig0-m1"' in first
    ids = [{e.get("id") for e in ET.fromstring(h).iter() if e.get("id")} for h in (first, second)]
    assert len(ids[0]) == 2
    assert not ids[0] & ids[1]


@pytest.mark.parametrize(("length", "expected"), [("72pt", 96), ("1in", 96), ("2.54cm", 96), ("40", 40), ("40px", 40)])
def test_pixels(length, expected):
    assert pixels(length) == pytest.approx(expected)


@pytest.mark.parametrize("length", ["100%", "3em", ""])
def test_pixels_refuses_what_depends_on_the_page(length):
    with pytest.raises(ValueError, match="width must be a number"):
        pixels(length)


def test_a_figure_without_size_is_refused():
    with pytest.raises(ValueError, match="needs a width or a viewBox"):
        inline_svg('<svg xmlns="http://www.w3.org/2000/svg"/>', alt="x", prefix="", colors=COLORS)


def test_a_figure_without_view_box_gets_one():
    html = inline_svg(
        '<svg xmlns="http://www.w3.org/2000/svg" width="10" height="20"/>', alt="x", prefix="", colors={"#0": ""}
    )
    assert 'viewBox="0 0 10 20"' in html


def test_fingerprint_sees_content_names_and_new_files(tmp_path):
    package, lock = tmp_path / "package", tmp_path / "lock.txt"
    package.mkdir()
    (package / "a.py").write_text("1")
    lock.write_text("x==1")
    seen = [fingerprint([package, lock])]
    (package / "a.pyc").write_text("compiled")
    assert fingerprint([package, lock]) == seen[0]
    for change in (
        lambda: (package / "a.py").write_text("2"),
        lambda: (package / "b.js").write_text("1"),
        lambda: (package / "b.js").rename(package / "c.js"),
        lambda: lock.write_text("x==2"),
    ):
        change()
        seen.append(fingerprint([package, lock]))
    assert len(set(seen)) == 5
    with pytest.raises(FileNotFoundError, match=r"nothing.*cache key"):
        fingerprint([tmp_path / "nothing"])


def test_rows_of_the_claims_table():
    register = Register([Check("thm-a", "random", "test_a_bound", "test_x.py")])
    register.reasons["NEVER_TIGHT"]["thm-a"] = "an identity"
    claim = Claim("thm-a", "theorem", "It $T$ contracts", "part/x")
    cells = row(claim, register)
    assert cells == ("{prf:ref}`thm-a`: It $T$ contracts", "*a bound*", "an identity", "missing")
    text = tables(
        [claim, Claim("eq-b", "equation", "", "part/x"), Claim("thm-c", "theorem", "", "later")], register, {"part/x"}
    )
    assert "{doc}`/part/x`" in text
    assert "checked in `tests/test_x.py`" in text
    assert "{eq}`eq-b`" in text
    assert "thm-c" not in text


@pytest.mark.parametrize(
    ("expression", "key"),
    [
        ("loss", "loss"),
        ('f"{loss:.2f}"', "loss:.2f"),
        ("f'{days_ahead:,}'", "days_ahead:,"),
        (" loss ", "loss"),
        ("loss + 1", None),
        ('f"{loss}"', None),
        ('f"{loss:.2f} units"', None),
        ('f"{a.b:.2f}"', None),
        ("", None),
    ],
)
def test_the_site_knows_names_and_formats_only(expression, key):
    assert key_of(expression) == key
