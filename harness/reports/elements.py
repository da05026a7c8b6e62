"""HTML that is safe by construction: text is escaped unless it was built by `element`."""

import html

from harness.reports.words import shorten, visible

_VOID = {"meta", "input", "wbr"}
_DRAWN = {"circle", "line", "path", "polyline", "rect"}
_LONGEST = 4000
_RENAMED = {"class_": "class"}


class Html(str):
    """Text that is HTML already; only `element`, `join` and `trusted` make it."""

    __slots__ = ()


def element(tag: str, *children: str, **attributes: str | bool | None) -> Html:
    """Return an element; children and attribute values that are plain text are escaped and bounded.

    `class_` is `class`, other underscores become dashes; True is an attribute without a value, None and False leave it
    out.
    """
    shown = "".join(
        f" {_RENAMED.get(key, key.replace('_', '-'))}" + ("" if value is True else f'="{_escape(str(value))}"')
        for key, value in attributes.items()
        if value is not None and value is not False
    )
    if not children and tag in _DRAWN:
        return Html(f"<{tag}{shown}/>")
    opening = f"<{tag}{shown}>"
    return Html(opening if tag in _VOID and not children else f"{opening}{join(*children)}</{tag}>")


def join(*parts: str) -> Html:
    """Return the parts one after the other, plain text escaped."""
    return Html("".join(part if isinstance(part, Html) else _escape(part) for part in parts))


def breakable(text: str) -> Html:
    """Return a name that a narrow column may break after an underscore."""
    pieces = text.split("_")
    return join(*(join(f"{piece}_", element("wbr")) for piece in pieces[:-1]), pieces[-1])


def trusted(text: str) -> Html:
    """Return text of this package (style, script) as HTML; never text of a run."""
    return Html(text)


def _escape(text: str) -> str:
    return html.escape(shorten(visible(text), _LONGEST))
