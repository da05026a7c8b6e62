"""How a result's summary is shown: text in sections, tables with aligned columns, numbers of readable length."""

import math
from collections.abc import Sequence


class Summary(str):
    """Text that a notebook shows as it is, not as a quoted string."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def ruled(sections: Sequence[Sequence[str]]) -> Summary:
    """Return sections of lines with rules between them, as wide as all but the last, whose sentences may be longer."""
    width = max(len(line) for section in sections[:-1] for line in section)
    rule = "\n" + "-" * width + "\n"
    return Summary(rule.join("\n".join(section) for section in sections))


def aligned(rows: Sequence[Sequence[str]], left: int = 1) -> list[str]:
    """Return the rows as lines: the first columns to the left, the others to the right."""
    n_columns = max(map(len, rows))
    full = [[*row, *[""] * (n_columns - len(row))] for row in rows]
    widths = [max(map(len, column)) for column in zip(*full, strict=True)]
    return [
        "   ".join(
            cell.ljust(width) if j < left else cell.rjust(width)
            for j, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in full
    ]


def shown(value: float) -> str:
    """Return a number to six digits."""
    return f"{value:.6g}"


def shown_p_value(p: float) -> str:
    """Return a p value to four decimals, or that it is smaller."""
    return f"{p:.4f}" if p >= 0.0001 or math.isnan(p) else "<0.0001"


def shown_df(df: float) -> str:
    """Return degrees of freedom to one decimal."""
    return "inf" if math.isinf(df) else f"{df:.1f}"


def shown_percent(share: float) -> str:
    """Return a share as the heading of an interval's end, such as ``2.5 %``."""
    return f"{100 * share:.3g} %"
