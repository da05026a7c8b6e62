"""Checks of scales and outcomes at their boundaries, against thresholds that are written here once more."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from fractions import Fraction

from harness.certification.grounds import Check, Grounds, concluded
from harness.certification.traceability import Checked
from harness.errors import ScoringError
from harness.reports.words import counted
from harness.scoring import (
    GAD7,
    MADRS,
    Instrument,
    RemissionRule,
    TotalRule,
    partial_response,
    remission,
    response,
    score_items,
)

_SCALES = {"madrs": MADRS, "gad7": GAD7}
_ITEMS = {"madrs": (10, 6), "gad7": (7, 3)}
_HIGHEST = {"madrs": 60, "gad7": 21}
_REMISSION = {"madrs": 10, "gad7": 4}
_BANDS = {
    "madrs": {"none": (0, 6), "mild": (7, 19), "moderate": (20, 34), "severe": (35, 60)},
    "gad7": {"minimal": (0, 4), "mild": (5, 9), "moderate": (10, 14), "severe": (15, 21)},
}


def _totals(_: Grounds) -> Checked:
    def cases() -> Iterator[tuple[str, object, object]]:
        for name, (n, most) in _ITEMS.items():
            scale = _SCALES[name]
            yield f"{name}, number of items", len(scale.items), n
            if len(scale.items) != n:
                continue
            yield f"{name}, all items at 0", _total(scale, [0] * n), 0
            yield f"{name}, all items at {most}", _total(scale, [most] * n), _HIGHEST[name]
            for k in range(n):
                for answer in range(most + 1):
                    alone = [answer if j == k else 0 for j in range(n)]
                    yield f"{name}, item {k + 1} at {answer}", _total(scale, alone), answer

    return _compared(cases())


def _missing_items(_: Grounds) -> Checked:
    prorate = TotalRule(missing="prorate", least_answered=5)
    few = _total(GAD7, [None, None, 1, 1, 1, 0, 0], prorate)
    return _compared(
        [
            ("MADRS, one item missing", _total(MADRS, [None, *[1] * 9]), None),
            ("GAD-7, one item missing", _total(GAD7, [None, *[1] * 6]), None),
            ("GAD-7, 5 of 7 items with sum 3, prorated", few, Fraction(21, 5)),
            ("its remission", remission(few, RemissionRule(cut=4)), False),
            ("MADRS, nothing missing, prorated", _total(MADRS, [1] * 10, TotalRule(missing="prorate")), 10),
            (
                "MADRS, two items missing, prorated",
                _total(MADRS, [None, None, *[1] * 8], TotalRule(missing="prorate")),
                None,
            ),
        ]
    )


def _refusals(_: Grounds) -> Checked:
    rows: Mapping[str, tuple[Instrument, list[object]]] = {
        "MADRS item at 7": (MADRS, [7, *[1] * 9]),
        "MADRS item at -1": (MADRS, [-1, *[1] * 9]),
        "GAD-7 item at 4": (GAD7, [4, *[1] * 6]),
        "GAD-7 item at -9": (GAD7, [-9, *[1] * 6]),
        "GAD-7 item '1' as text": (GAD7, ["1", *[1] * 6]),
        "GAD-7 item at 1.5": (GAD7, [1.5, *[1] * 6]),
    }
    return _compared(
        (name, _refused(lambda scale=scale, row=row: _total(scale, row)), True)  # type: ignore[misc]
        for name, (scale, row) in rows.items()
    )


def _response(_: Grounds) -> Checked:
    return _compared((f"{b} to {y}", response(b, y), 2 * y <= b) for b, y in _pairs())


def _partial_response(_: Grounds) -> Checked:
    return _compared((f"{b} to {y}", partial_response(b, y), 4 * y <= 3 * b and 2 * y > b) for b, y in _pairs())


def _undefined(_: Grounds) -> Checked:
    return _compared(
        (f"{b} to {y}", response(b, y), None) for b, y in ((0, 0), (0, 5), (None, 5), (20, None), (None, None))
    )


def _remission_of(name: str) -> Check:
    def check(_: Grounds) -> Checked:
        scale, cut = _SCALES[name], _REMISSION[name]
        rule = RemissionRule(cut=scale.remission if scale.remission is not None else -1)
        scores = range(_HIGHEST[name] + 1)
        found = (
            (f"score {y}, baseline {b}", remission(y, rule, baseline=b), y <= cut) for y in scores for b in (0, 40)
        )
        between = (
            (f"score {y}", remission(y, rule), wanted) for y, wanted in ((cut + Fraction(1, 10), False), (None, None))
        )
        return _compared([*found, *between])

    return check


def _bands(_: Grounds) -> Checked:
    def cases() -> Iterator[tuple[str, object, object]]:
        for name, bands in _BANDS.items():
            table = _SCALES[name].bands
            for label, (lowest, highest) in bands.items():
                for score in range(lowest, highest + 1):
                    yield f"{name} {score}", None if table is None else table.label(Fraction(score)), label

    return _compared(cases())


def _total(scale: Instrument, answers: Sequence[object], rule: TotalRule | None = None) -> object:
    items = {name: [answer] for name, answer in zip(scale.item_names, answers, strict=True)}
    return score_items(scale, items, rule or TotalRule()).totals[0]


def _pairs() -> Iterator[tuple[int, int]]:
    """Yield every baseline above 0 with every score, of both scales."""
    return ((b, y) for highest in _HIGHEST.values() for b in range(1, highest + 1) for y in range(highest + 1))


def _refused(attempt: Callable[[], object]) -> bool:
    try:
        attempt()
    except ScoringError:
        return True
    return False


def _compared(cases: Iterable[tuple[str, object, object]]) -> Checked:
    """Return whether in each case, (name, found, expected), both are the same."""
    tried = list(cases)
    wrong = [
        f"{name}: {found}, not {expected}"
        for name, found, expected in tried
        if found != expected or isinstance(found, bool) != isinstance(expected, bool)
    ]
    return concluded(wrong, f"{counted(len(tried), 'case')} computed, all as stated.")


CHECKS: dict[str, Check] = {
    "totals": _totals,
    "missing_items": _missing_items,
    "refusals": _refusals,
    "response": _response,
    "partial_response": _partial_response,
    "undefined": _undefined,
    "remission_madrs": _remission_of("madrs"),
    "remission_gad7": _remission_of("gad7"),
    "bands": _bands,
}
