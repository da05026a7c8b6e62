"""A figure as SVG inside the page: only shapes and text, its own names, no style that the page would refuse.

Figures come from drawing libraries with metadata, style sheets, style attributes and short names for their parts. In
one page these names would clash, and the page's policy runs no style but its own. So everything is taken from lists of
elements and attributes that draw; what is on neither list is left out.
"""

import html
import re
from collections.abc import Iterator
from xml.etree import ElementTree as ET

from harness.errors import Problem, StudyError
from harness.reports.elements import Html, trusted
from harness.reports.words import visible

_SVG = "{http://www.w3.org/2000/svg}"
_HREF = "{http://www.w3.org/1999/xlink}href"
_DOCTYPE = re.compile(r"<!DOCTYPE[^>\[]*>")
_LARGEST = 4_000_000

_ELEMENTS = {
    *("svg", "g", "defs", "path", "rect", "circle", "ellipse", "line", "polyline", "polygon", "text", "tspan", "use"),
    *("clipPath", "marker", "pattern", "linearGradient", "stop"),
}
_GEOMETRY = {
    *("x", "y", "x1", "x2", "y1", "y2", "dx", "dy", "cx", "cy", "r", "rx", "ry", "d", "points", "transform", "width"),
    *("height", "viewBox", "refX", "refY", "markerWidth", "markerHeight", "markerUnits", "orient", "offset"),
    *("patternUnits", "patternTransform", "gradientUnits", "preserveAspectRatio"),
}
_LOOK = {
    *("fill", "fill-opacity", "fill-rule", "stroke", "stroke-width", "stroke-opacity", "stroke-linecap"),
    *("stroke-linejoin", "stroke-dasharray", "stroke-dashoffset", "stroke-miterlimit", "opacity", "clip-path"),
    *("clip-rule", "marker-start", "marker-mid", "marker-end", "font-size", "font-family", "font-weight"),
    *("font-style", "text-anchor", "dominant-baseline", "stop-color", "stop-opacity", "paint-order"),
}
_OUTWARD = re.compile(r"url\(\s*[^#\s)]|javascript:|data:|https?:", re.IGNORECASE)
_REFERENCE = re.compile(r"url\(\s*['\"]?#([^)'\"]+)['\"]?\s*\)")
_FONT = re.compile(r"^(?:(?P<rest>[\w\s-]*?)\s+)?(?P<size>[\d.]+(?:px|pt|em)?)(?:/\S+)?\s+(?P<family>.+)$")


def svg_html(svg: str, anchor: str, title: str, description: str) -> Html:
    """Return a figure as an SVG element with a title and a description for those who can't see it.

    Parameters
    ----------
    svg
        The figure, an XML document.
    anchor
        What the names of its parts begin with.
    title, description
        What it is and what it shows.

    Raises
    ------
    StudyError
        Text that is no SVG, has entities, or is too large.
    """
    root = _parsed(svg)
    names = (f"{anchor}-title", f"{anchor}-description")
    said = "".join(
        f'<{tag} id="{name}">{_escape(text)}</{tag}>'
        for tag, name, text in zip(("title", "desc"), names, (title, description), strict=True)
    )
    width, height = _size(root)
    # Drawing libraries give these as a style sheet, which no page but their own should have.
    look = 'stroke-linejoin="round" stroke-linecap="butt"'
    return trusted(
        f'<svg role="img" aria-labelledby="{names[0]} {names[1]}" viewBox="{_escape(_view_box(root, width, height))}"'
        f' width="{width:g}" height="{height:g}" {look}>{said}{"".join(_children(root, anchor))}</svg>'
    )


def _parsed(svg: str) -> ET.Element:
    without = _DOCTYPE.sub("", svg, count=1)
    if len(svg) > _LARGEST or "<!" in re.sub(r"<!--.*?-->|<!\[CDATA\[", "", without, flags=re.DOTALL):
        raise _refusal("a document with declarations, or too large")
    try:
        root = ET.fromstring(without)  # noqa: S314  # declarations, and with them entities, are refused above
    except ET.ParseError as error:
        raise _refusal("text that is no XML") from error
    if root.tag != f"{_SVG}svg":
        raise _refusal("another element")
    return root


def _children(parent: ET.Element, anchor: str) -> Iterator[str]:
    for child in parent:
        tag = str(child.tag).removeprefix(_SVG)
        if tag not in _ELEMENTS:
            continue
        inner = "".join(_children(child, anchor))
        if tag == "defs" and not inner:
            continue
        text = _escape(" ".join((child.text or "").split())) if tag in {"text", "tspan"} else ""
        tail = _escape(child.tail) if tag == "tspan" and child.tail and child.tail.strip() else ""
        yield f"<{tag}{''.join(_attributes(child, anchor))}>{text}{inner}</{tag}>{tail}"


def _attributes(element: ET.Element, anchor: str) -> Iterator[str]:
    # A style attribute wins over an attribute, as it does in a browser.
    given = {**element.attrib, **_declarations(element.attrib.get("style", ""))}
    for key, value in given.items():
        if key == "id":
            yield f' id="{_escape(f"{anchor}-{value}")}"'
        elif key in {"href", _HREF}:
            if value.startswith("#"):
                yield f' href="#{_escape(f"{anchor}-{value[1:]}")}"'
        elif key in _GEOMETRY | _LOOK and not _OUTWARD.search(value):
            own = _REFERENCE.sub(lambda found: f"url(#{anchor}-{found[1]})", " ".join(value.split()))
            yield f' {key}="{_escape(own)}"'


def _declarations(style: str) -> dict[str, str]:
    """Return the declarations of a style attribute; the short form of a font as its parts."""
    pairs = (part.split(":", 1) for part in style.split(";") if ":" in part)
    found = {key.strip(): value.strip() for key, value in pairs}
    font = _FONT.match(found.pop("font", ""))
    if font:
        found |= {"font-size": font["size"], "font-family": font["family"]}
        if {"bold", "bolder", "600", "700"} & set((font["rest"] or "").split()):
            found["font-weight"] = "bold"
    return found


def _size(root: ET.Element) -> tuple[float, float]:
    """Return width and height in pixels of CSS."""
    box = root.get("viewBox", "").replace(",", " ").split()
    sizes = []
    for place, key in ((2, "width"), (3, "height")):
        found = re.fullmatch(r"([\d.]+)(px|pt)?", root.get(key, "").strip())
        if found:
            sizes.append(float(found[1]) * (4 / 3 if found[2] == "pt" else 1))
        elif len(box) == 4:
            sizes.append(float(box[place]))
        else:
            raise _refusal("no width and height")
    return sizes[0], sizes[1]


def _view_box(root: ET.Element, width: float, height: float) -> str:
    return root.get("viewBox") or f"0 0 {width:g} {height:g}"


def _escape(text: str) -> str:
    return html.escape(visible(text))


def _refusal(found: str) -> StudyError:
    return StudyError("a figure", [Problem(found=found, expected="an SVG document of shapes and text")])
