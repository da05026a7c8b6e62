"""Subjects and their visits, as a Hypothesis strategy: who comes when, who drops out, what they are called."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import strategies as st

from harness.arrays import Codes, Mask, Vector
from harness.counterexamples.specimen import Specimen

Draw = Callable[..., Any]
"""What Hypothesis hands to a composite strategy."""

_LARGE = 9007199254740993
"""The first whole number that no double holds."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Panel:
    """One row a visit: the subject's number, the visit's number, the time. All (n_rows,)."""

    n_subjects: int
    subject: Codes
    visit: Codes
    time: Vector

    @property
    def n_rows(self) -> int:
        """Visits of all subjects."""
        return len(self.subject)


@st.composite
def panels(draw: Draw, *, least_subjects: int = 2, most_subjects: int, most_visits: int) -> Panel:
    """Draw a panel: planned or irregular times, on several scales, with dropout and visits that were left out."""
    n = draw(st.integers(least_subjects, most_subjects))
    v = draw(st.integers(2, most_visits))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    times = draw(st.sampled_from(("regular", "regular", "uneven", "irregular")))
    unit = draw(st.sampled_from((1.0, 1.0, 7.0, 1 / 52, 365.25)))
    origin = draw(st.sampled_from((0.0, 0.0, 0.0, -3.0, 2000.0)))
    planned = np.arange(v) if times == "regular" else np.cumsum(rng.integers(1, 6, v)).astype(float)
    subject, visit = np.repeat(np.arange(n), v), np.tile(np.arange(v), n)
    time = planned[visit] + (np.round(rng.uniform(0, 0.9, n * v), 2) if times == "irregular" else 0.0)
    last = np.full(n, v)
    if draw(st.booleans()):
        last = np.where(rng.uniform(size=n) < 0.4, rng.integers(1, v + 1, n), v)
    seen = (visit < last[subject]) & (rng.uniform(size=n * v) >= draw(st.sampled_from((0.0, 0.0, 0.2))))
    seen |= visit == 0  # everybody comes at least once: nobody is only a label
    kept = np.flatnonzero(seen)
    if draw(st.booleans()):
        kept = rng.permutation(kept)
    return Panel(n_subjects=n, subject=subject[kept], visit=visit[kept], time=np.asarray((origin + time * unit)[kept]))


def labels_of(panel: Panel, kind: str) -> tuple[str, ...]:
    """Return the subject of each row: plain, a number, one too large for a double, or a text to be quoted."""
    names = {
        "s": [f"s{k}" for k in range(panel.n_subjects)],
        "number": [str(k + 1) for k in range(panel.n_subjects)],
        "large": [str(_LARGE + k) for k in range(panel.n_subjects)],
        "text": [f'näme, "{k}" [a:b] $' for k in range(panel.n_subjects)],
    }[kind]
    return tuple(names[k] for k in panel.subject)


def stored(
    numbers: Mapping[str, Vector],
    labels: Mapping[str, tuple[str, ...]],
    model: Mapping[str, Any],
    gaps: Mapping[str, Mask],
    levels: Mapping[str, tuple[str, ...]] | None = None,
) -> Specimen:
    """Return the columns that the model names, and subject and time, with the gaps filled by nothing."""
    text = " ".join(str(value) for value in model.values())
    words = set("".join(letter if letter.isalnum() else " " for letter in text).split()) | {"id", "t"}
    return Specimen(
        subject="id",
        time="t",
        numbers={
            column: tuple(np.where(gaps.get(column, np.zeros(len(values), dtype=bool)), np.nan, values).tolist())
            for column, values in numbers.items()
            if column in words
        },
        labels={column: values for column, values in labels.items() if column in words},
        levels={column: found for column, found in (levels or {}).items() if column in words},
        model=dict(model),
    )
