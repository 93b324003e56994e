"""SVG figures written into the page, so that they follow its colours and a reader hears what they show."""

from __future__ import annotations

import html
import re
import xml.etree.ElementTree as ET

SVG, XLINK = "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"
PIXELS = {"": 1.0, "px": 1.0, "pt": 4 / 3, "in": 96.0, "cm": 96 / 2.54, "mm": 96 / 25.4}
SMALLEST = 0.55  # of its natural width: below that the labels are unreadable, and the figure scrolls instead

ET.register_namespace("", SVG)
ET.register_namespace("xlink", XLINK)


def pixels(length: str) -> float:
    """A CSS length such as '432pt' in pixels. Raises ValueError for units that depend on the page."""
    match = re.fullmatch(r"\s*([\d.]+)\s*([a-z]*)\s*", length)
    if not match or match[2] not in PIXELS:
        raise ValueError(f"an SVG's width must be a number of {', '.join(filter(None, PIXELS))}; got {length!r}")
    return float(match[1]) * PIXELS[match[2]]


def with_prefix(root: ET.Element, prefix: str) -> None:
    """Make every id, and every reference to one, start with `prefix`."""
    for element in root.iter():
        for name, value in element.attrib.items():
            if name == "id":
                element.set(name, prefix + value)
            elif name in ("href", f"{{{XLINK}}}href") and value.startswith("#"):
                element.set(name, f"#{prefix}{value[1:]}")
            elif "url(#" in value:
                element.set(name, value.replace("url(#", f"url(#{prefix}"))


def recolored(root: ET.Element, colors: dict[str, str]) -> None:
    """Replace colours, in attributes and in style sheets, wherever they stand."""
    pattern = re.compile("|".join(map(re.escape, colors)), re.IGNORECASE)

    def swap(text: str) -> str:
        return pattern.sub(lambda match: colors[match[0].lower()], text)

    for element in root.iter():
        for name, value in element.attrib.items():
            element.set(name, swap(value))
        if element.tag == f"{{{SVG}}}style" and element.text:
            element.text = swap(element.text)


def inline_svg(source: str, *, alt: str, prefix: str, colors: dict[str, str]) -> str:
    """HTML for an SVG file: a `<figure>` around an `<svg role="img">` that fits the page.

    `prefix` goes before each id, so that figures on one page do not take each other's clips and markers;
    `colors` maps lower-case hexes to what replaces them. Raises ValueError when there is neither a width nor a viewBox.
    """
    root = ET.fromstring(source)
    for child in root.findall(f"{{{SVG}}}metadata"):
        root.remove(child)
    with_prefix(root, prefix)
    recolored(root, {color.lower(): new for color, new in colors.items()})
    box = root.get("viewBox", "").split()
    if not box and root.get("width") is None:
        raise ValueError("an SVG needs a width or a viewBox")
    width = pixels(root.get("width") or box[2])
    if not box:
        root.set("viewBox", f"0 0 {width:g} {pixels(root.get('height', '')):g}")
    for name in ("width", "height", "style"):
        root.attrib.pop(name, None)
    root.set("role", "img")
    root.set("aria-label", alt)
    root.set("style", f"width:100%;max-width:{width:.0f}px;min-width:{SMALLEST * width:.0f}px")
    body = ET.tostring(root, encoding="unicode", short_empty_elements=True)
    return f'<figure class="rl-svg" data-width="{html.escape(f"{width:.0f}")}">{body}</figure>'
