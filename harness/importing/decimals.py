"""Find out the decimal sign of a file's numbers, or refuse to."""

import re
from collections.abc import Sequence

from harness.errors import Problem
from harness.importing.file_detection import Detection

COMMA = re.compile(r"[+-]?[0-9]+,[0-9]+")
POINT = re.compile(r"[+-]?[0-9]+\.[0-9]+")
GROUPED = re.compile(r"[+-]?[1-9][0-9]{0,2},[0-9]{3}")


def detect_decimal(texts: Sequence[str]) -> tuple[str, Detection | None, Problem | None]:
    """Return the decimal sign of the texts of numbers.

    A comma is one if no number has a point and some comma can't separate thousands. Where both signs stand, the point
    is taken and each number with a comma is a problem of its own.
    """
    commas = [text for text in texts if COMMA.fullmatch(text)]
    points = sum(POINT.fullmatch(text) is not None for text in texts)
    if not commas or points:
        return ".", None, None
    if all(GROUPED.fullmatch(text) for text in commas):
        problem = Problem(
            found=f"{len(commas)} numbers whose comma is a decimal sign or separates thousands",
            expected="one of both",
            advice='Set decimal under [import.file], or declare repairs = ["thousands"].',
        )
        return ",", None, problem  # so that the doubt is said once, and not again of every number
    evidence = f"{len(commas)} numbers with a comma, none with a point"
    return ",", Detection(setting="decimal", value=",", evidence=evidence), None
