"""Figures as SVG: the same bytes from the same figure."""

import io

from matplotlib import rc_context
from matplotlib.figure import Figure

from harness.study.section import Picture

COLOURS = ("#0b5394", "#b45309", "#166534", "#9d174d", "#5b21b6", "#115e59", "#7f1d1d", "#374151")
"""Dark enough on white for text; told apart by most who don't see all colours, and by markers besides."""
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")


def picture_of(figure: Figure, *, name: str, caption: str, description: str) -> Picture:
    """Return a figure as a picture; `description` says in words what it shows.

    The SVG depends on the figure and `name` alone: no date, no random names.
    """
    for axes in figure.axes:
        axes.spines[["top", "right"]].set_visible(False)
    buffer = io.StringIO()
    # Text stays text, which a screen can enlarge and a reader can search.
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": name}):
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    text = buffer.getvalue()
    return Picture(name=name, caption=caption, description=description, svg=text[text.index("<svg") :].strip())


def colour_of(place: int) -> str:
    """Return the colour of the first, second, ... of several series."""
    return COLOURS[place % len(COLOURS)]


def marker_of(place: int) -> str:
    """Return the marker of the first, second, ... of several series."""
    return MARKERS[place % len(MARKERS)]
