"""The labels of a factor and the order of its levels."""

import re
from collections.abc import Iterable, Sequence
from numbers import Integral

import numpy as np

from harness.arrays import read_only
from harness.cohorts.cohort import Factor

WHOLE_NUMBER = re.compile(r"-?[0-9]{1,400}")
LONGEST_LABEL = 200


def factor(labels: Sequence[str | None], levels: Sequence[str] = ()) -> Factor:
    """Return labels as a factor; None is missing. Without given levels these are the labels found, sorted."""
    order = tuple(levels) or sorted_levels({label for label in labels if label is not None})
    place = {label: code for code, label in enumerate(order)}
    codes = np.array([-1 if label is None else place[label] for label in labels], dtype=np.int64)
    return Factor(codes=read_only(codes), levels=order)


def sorted_levels(labels: Iterable[str]) -> tuple[str, ...]:
    """Return labels in the order of numbers if all are whole numbers, else in the order of their characters."""
    labels = list(labels)
    if all(WHOLE_NUMBER.fullmatch(label) for label in labels):
        return tuple(sorted(labels, key=lambda label: (int(label), label)))
    return tuple(sorted(labels))


def number_label(number: object) -> str:
    """Return a number as a label: 308 and 308.0 are both '308', whatever the file format made of it."""
    if isinstance(number, Integral):
        return str(int(number))
    value = float(number)  # type: ignore[arg-type]
    return str(int(value)) if value.is_integer() and abs(value) <= 2**53 else repr(value)


def is_label(text: str) -> bool:
    """Tell whether a text can be a label: printable, without spaces around it, and neither empty nor endless."""
    return 0 < len(text) <= LONGEST_LABEL and text.isprintable() and text == text.strip()
