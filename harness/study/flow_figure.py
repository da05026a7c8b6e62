"""The diagram of a flow: boxes one below the other, then a column of them for each protocol."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

WIDTH, GAP, LINE, PADDING = 230, 30, 18, 10
LETTERS = 30
"""So many letters fit into a box; a longer line ends with an ellipsis."""
INK, PAPER = "#1f2937", "#ffffff"


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """One step: its lines, the first of which is printed in bold."""

    lines: tuple[str, ...]

    @property
    def height(self) -> int:
        """The height in pixels."""
        return LINE * len(self.lines) + 2 * PADDING


def flow_svg(above: Sequence[Box], columns: Sequence[Sequence[Box]]) -> str:
    """Return the diagram as SVG: `above` for all patients, then the columns side by side, level by level."""
    width = max(1, len(columns)) * (WIDTH + GAP) + GAP
    middle, top = width / 2, GAP
    drawn: list[str] = []
    for place, box in enumerate(above):
        if place:
            drawn.append(_arrow(middle, top - GAP, middle, top))
        drawn += _box(box, middle, top)
        top += box.height + GAP
    centres = [GAP + WIDTH / 2 + k * (WIDTH + GAP) for k in range(len(columns))]
    drawn += [_arrow(middle, top - GAP, centre, top) for centre in centres]
    bottoms: dict[float, float] = {}
    for level in range(max(map(len, columns), default=0)):
        boxes = [
            (centre, column[level]) for centre, column in zip(centres, columns, strict=True) if level < len(column)
        ]
        for centre, box in boxes:
            if centre in bottoms:
                drawn.append(_arrow(centre, bottoms[centre], centre, top))
            drawn += _box(box, centre, top)
            bottoms[centre] = top + box.height
        top += max(box.height for _, box in boxes) + GAP
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:g}" height="{top:g}" viewBox="0 0 {width:g} {top:g}">'
        f'<rect x="0" y="0" width="{width:g}" height="{top:g}" fill="{PAPER}"/>{"".join(drawn)}</svg>'
    )


def _box(box: Box, centre: float, top: float) -> Iterator[str]:
    yield (
        f'<rect x="{centre - WIDTH / 2:g}" y="{top:g}" width="{WIDTH}" height="{box.height}" rx="4" fill="{PAPER}" '
        f'stroke="{INK}"/>'
    )
    for place, line in enumerate(box.lines):
        weight = ' font-weight="bold"' if place == 0 else ""
        shown = line if len(line) <= LETTERS else f"{line[: LETTERS - 1]}\N{HORIZONTAL ELLIPSIS}"
        yield (
            f'<text x="{centre:g}" y="{top + PADDING + LINE * (place + 0.75):g}" text-anchor="middle" font-size="13" '
            f'font-family="sans-serif" fill="{INK}"{weight}>{escape(shown)}</text>'
        )


def _arrow(x1: float, y1: float, x2: float, y2: float) -> str:
    head = f"M {x2 - 4:g} {y2 - 7:g} L {x2:g} {y2:g} L {x2 + 4:g} {y2 - 7:g}"
    path = f"M {x1:g} {y1:g} L {x1:g} {(y1 + y2) / 2:g} L {x2:g} {(y1 + y2) / 2:g} L {x2:g} {y2:g} {head}"
    return f'<path d="{path}" fill="none" stroke="{INK}"/>'
