"""The forms in which numbers are printed: one number, a count of n with a percentage, a mean with an SD, limits."""

import re
from collections.abc import Callable, Mapping

from harness.claims.printed import NUMBER, Printed, Relation, UnreadableError, in_hundredths, number, plain

Parts = Mapping[str, Printed]
"""What a text holds, by the name of its part."""

_COUNT = r"[0-9][0-9,]*"
_NAMED = re.compile(r"(?:[A-Za-z][A-Za-z0-9 _-]{0,20}?\s*(?=[=<>]))?(=|<=?|>=?)?\s*(.+)")
_PERCENT = rf"({NUMBER})\s*%"
_OF = rf"({_COUNT})(?:\s*(?:/|of)\s*({_COUNT}))?"
_COUNT_FIRST = re.compile(rf"{_OF}(?:\s*[(\[]\s*{_PERCENT}\s*[)\]])?")
_PERCENT_FIRST = re.compile(rf"{_PERCENT}(?:\s*[(\[]\s*{_OF}\s*[)\]])?")
_WITH_SPREAD = re.compile(
    rf"({NUMBER})\s*(?:\u00b1\s*({NUMBER})|[(\[]\s*(?:SD\s*=?\s*)?({NUMBER})\s*[)\]])", re.IGNORECASE
)
_LEVEL = rf"(?:({NUMBER})\s*%\s*(?:CI|confidence interval)?\s*[:=]?\s*)?"
_LIMITS = re.compile(rf"{_LEVEL}[(\[]?\s*({NUMBER})\s*(?:to|-|;|,\s)\s*({NUMBER})\s*[)\]]?", re.IGNORECASE)
MOST_ITEMS = 100
MOST_COUNTED = 10_000_000


def one_number(text: str) -> Parts:
    """Return the part `value` of a text such as "12.3", "BIC = 5093.6" or "-4.1"."""
    relation, digits = _relation(plain(text))
    if relation != "=":
        raise UnreadableError
    return {"value": number(digits)}


def probability(text: str) -> Parts:
    """Return the part `value` of a p value: "0.03", "p = .03", "p < 0.001"."""
    relation, digits = _relation(plain(text))
    return {"value": number(digits, relation)}


def share(text: str) -> Parts:
    """Return the part `value` of a share of one: "0.38" as it is, "38 %" as 0.38."""
    relation, digits = _relation(plain(text))
    percent = digits.endswith("%")
    value = number(digits.rstrip("% "), relation)
    return {"value": in_hundredths(value) if percent else value}


def proportion(text: str) -> Parts:
    """Return `count`, `n` and `percent`, as many as there are, of "36", "36/94", "36/94 (38.3 %)", "38.3 % (36/94)"."""
    digits = plain(text)
    relation, rest = _relation(digits)
    if found := _COUNT_FIRST.fullmatch(rest):
        count, n, percent = found.groups()
    elif found := _PERCENT_FIRST.fullmatch(rest):
        percent, count, n = found.groups()
    else:
        raise UnreadableError
    if relation != "=" and (percent is None or count is not None):
        raise UnreadableError("Only a percentage alone can have < or >.")
    parts = {"count": count, "n": n, "percent": percent}
    numbers = {name: number(part, relation) for name, part in parts.items() if part is not None}
    return {name: part if name == "percent" else _bearable(part) for name, part in numbers.items()}


def percentage(text: str) -> Parts:
    """Return the parts of a proportion whose percentage is given, with or without its sign."""
    relation, digits = _relation(plain(text))
    if re.fullmatch(NUMBER, digits):
        return {"percent": number(digits, relation)}
    parts = proportion(text)
    if "percent" not in parts:
        raise UnreadableError
    return parts


def mean_and_sd(text: str) -> Parts:
    """Return `mean` and `sd` of "24.1 (8.3)", "24.1 (SD 8.3)" or "24.1 \u00b1 8.3"."""
    found = _WITH_SPREAD.fullmatch(plain(text))
    if found is None:
        raise UnreadableError
    mean, after, within = found.groups()
    return {"mean": number(mean), "sd": number(after or within)}


def limits(text: str) -> Parts:
    """Return `lower` and `upper`, and `level` if it is there, of "-4.9 to -0.2", "(1.2, 3.4)", "95 % CI 1.2-3.4"."""
    found = _LIMITS.fullmatch(plain(text))
    if found is None:
        raise UnreadableError
    level, lower, upper = found.groups()
    parts = {"lower": number(lower), "upper": number(upper)}
    return parts if level is None else {**parts, "level": level_of(f"{level} %")["value"]}


def level_of(text: str) -> Parts:
    """Return the part `value` of a level of confidence, as a share: "95 %" and "0.95" are the same."""
    value = share(text)["value"]
    if not 0 < value.value < 1:
        raise UnreadableError("A level is a percentage such as 95 %, or a share such as 0.95.")
    return {"value": value}


def several(text: str) -> Parts:
    """Return the numbers of a list such as "45; 30; 25 %", each under its place from 1."""
    items = [item.strip().rstrip("% ") for item in plain(text).split(";")]
    if len(items) < 2 or len(items) > MOST_ITEMS:
        raise UnreadableError("Put a semicolon between the numbers.")
    return {str(place): number(item) for place, item in enumerate(items, start=1)}


def several_proportions(text: str) -> Parts:
    """Return `count 1`, `n 1`, `count 2`, ... of "13/94; 31/115"."""
    parts: dict[str, Printed] = {}
    items = plain(text).split(";")
    if len(items) != 2:
        raise UnreadableError("Write two rates, such as 13/94; 31/115.")
    for place, item in enumerate(items, start=1):
        rate = proportion(item)
        if not {"count", "n"} <= rate.keys() or rate["count"].value > rate["n"].value:
            raise UnreadableError("Each rate is a count of n, such as 13/94.")
        parts |= {f"{name} {place}": rate[name] for name in ("count", "n")}
    return parts


def whole(text: str) -> Parts:
    """Return the part `value` of a whole number >= 0, with or without "n =" before it."""
    value = one_number(text)["value"]
    if value.value.denominator != 1 or value.decimals or value.value < 0 or "e" in value.text:
        raise UnreadableError
    return {"value": _bearable(value)}


def size(text: str) -> Parts:
    """Return the part `value` of a number >= 0: a spread, degrees of freedom."""
    parts = one_number(text)
    if parts["value"].value < 0:
        raise UnreadableError
    return parts


def bounds(text: str) -> Parts:
    """Return `lower` and `upper` of a range such as "0 to 60"."""
    parts = limits(text)
    if "level" in parts or parts["lower"].value >= parts["upper"].value:
        raise UnreadableError("Write the smallest and the largest value, such as 0 to 60.")
    return parts


def _bearable(count: Printed) -> Printed:
    """Return a count, refused where nobody could have counted so many."""
    if count.value > MOST_COUNTED:
        raise UnreadableError(f"A count of more than {MOST_COUNTED} is no count of patients.")
    return count


def _relation(text: str) -> tuple[Relation, str]:
    found = _NAMED.fullmatch(text)
    if found is None:
        raise UnreadableError
    sign, digits = found.groups()
    return ("<" if sign and "<" in sign else ">" if sign and ">" in sign else "="), digits.strip()


FORMS: Mapping[str, tuple[Callable[[str], Parts], str]] = {
    "number": (one_number, "a number such as 12.3"),
    "probability": (probability, "a p value such as 0.03 or p < 0.001"),
    "share": (share, "a share such as 38 % or 0.38"),
    "proportion": (proportion, "a count such as 36, 36/94 or 36/94 (38.3 %)"),
    "percentage": (percentage, "a percentage such as 38.3 % or 36/94 (38.3 %)"),
    "mean and SD": (mean_and_sd, "a mean with an SD such as 24.1 (8.3)"),
    "limits": (limits, "two limits such as -4.9 to -0.2"),
    "level": (level_of, "a level such as 95 %"),
    "list": (several, "numbers such as 45; 30; 25"),
    "rates": (several_proportions, "two rates such as 13/94; 31/115"),
    "whole": (whole, "a whole number >= 0"),
    "size": (size, "a number >= 0"),
    "range": (bounds, "a range such as 0 to 60"),
}
"""How a text of each form is read, and what it looks like."""


def read_form(form: str, text: str) -> Parts:
    """Return the parts of a text; `UnreadableError` says what to write instead.

    Raises
    ------
    UnreadableError
        The text does not have the form.
    """
    return FORMS[form][0](text)
