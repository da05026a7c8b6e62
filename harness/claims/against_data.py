"""Claims against the data: the number is computed again from the selected rows."""

from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar

from harness.claims.claim import Claim
from harness.claims.cohort_table import CohortTable
from harness.claims.condition import Condition, condition, conditions
from harness.claims.description import (
    Counted,
    Described,
    Selection,
    UndecidedError,
    counted,
    described,
    other_selections,
)
from harness.claims.judge import ANY, NOT_NEGATIVE, PERCENTAGE, Alternative, judge
from harness.claims.printed import Printed, UnreadableError
from harness.claims.span import Span, point
from harness.claims.verdict import Finding, not_checkable
from harness.errors import Problem

CHECK = "the data"

_Found = TypeVar("_Found", Counted, Described)

_STATISTICS: Mapping[str, Callable[[Described], Span]] = {
    "mean": lambda values: values.mean,
    "sd": lambda values: values.sd,
    "se": lambda values: values.se,
    "median": lambda values: values.median,
    "minimum": lambda values: values.minimum,
    "maximum": lambda values: values.maximum,
}
_SPREADS = ("sd", "se")
COUNTED = ("count", "percent")


def selection_problems(claim: Claim, table: CohortTable) -> Iterator[Problem]:
    """Yield what a claim asks of the data that they do not have."""
    outcome = claim.word("outcome")
    if outcome and (outcome not in table.columns or table.is_level(outcome) or table.is_truth(outcome)):
        known = [name for name in table.columns if not table.is_level(name) and not table.is_truth(name)]
        yield claim.problem("outcome", f"{outcome!r:.60}", f"a numeric column, one of {', '.join(known)}")
    if claim.kind not in COUNTED and not outcome:
        yield claim.problem("outcome", "nothing", "a column, because the claim is of the data")
    try:
        selection = selection_of(claim)
    except UnreadableError as reason:
        expected = {"at": "such as visit=inf4; protocol=six", "event": "such as madrs <= 10, or a derived column"}
        column = str(reason.advice)
        yield claim.problem(column, f"{claim.word(column)!r:.60}", expected[column])
        return
    for column, asked in (("at", selection.at), ("event", (selection.event,) if selection.event else ())):
        for one in asked:
            if (wrong := table.problem_with(one)) is not None:
                yield claim.problem(column, *wrong)


def selection_of(claim: Claim) -> Selection:
    """Return what a claim selects.

    Raises
    ------
    UnreadableError
        A condition can't be read; `advice` is its column.
    """
    at: tuple[Condition, ...] = ()
    event = None
    for column in ("at", "event"):
        if not (text := claim.word(column)):
            continue
        try:
            if column == "at":
                at = conditions(text)
            else:
                event = condition(text)
        except UnreadableError:
            raise UnreadableError(column) from None
    return Selection(
        at=at,
        outcome=claim.word("outcome"),
        event=event,
        unit=claim.word("unit", "subjects"),
        missing=claim.word("missing", "left out"),
    )


def check_data(claim: Claim, table: CohortTable) -> Iterator[Finding]:
    """Yield whether each number of a claim is that of the data."""
    selection = selection_of(claim)
    try:
        if claim.kind in COUNTED:
            yield from _counts(claim, table, selection)
        else:
            yield from _descriptions(claim, table, selection)
    except UndecidedError as reason:
        yield not_checkable(CHECK, str(reason))


def _counts(claim: Claim, table: CohortTable, selection: Selection) -> Iterator[Finding]:
    found = counted(table, selection)
    of = f"the data have {found.count} of {found.n}{selection.words}, that is,"
    count, percent = claim.parts.get("count") or claim.beside("count"), claim.parts.get("percent")
    n = claim.parts.get("n") or claim.beside("n")
    if count is not None:
        others = _others(table, selection, lambda other: point(other.count), counted)
        words = f"the data{selection.words} have"
        yield judge(f"{CHECK}: count", count, point(found.count), words, exact=True, alternatives=others)
    if n is not None:
        others = _others(table, selection, lambda other: point(other.n), counted)
        words = f"n in the data{selection.words} is"
        yield judge(f"{CHECK}: n", n, point(found.n), words, exact=True, alternatives=others)
    if percent is not None:
        computed = found.percent
        if computed is None:
            yield not_checkable(f"{CHECK}: percentage", f"the data have nobody{selection.words}")
            return
        others = _others(table, selection, lambda other: other.percent, counted)
        yield judge(f"{CHECK}: percentage", percent, computed, of, bounds=PERCENTAGE, alternatives=others)


def _descriptions(claim: Claim, table: CohortTable, selection: Selection) -> Iterator[Finding]:
    found = described(table, selection)
    n = claim.beside("n")
    if n is not None:
        others = _others(table, selection, lambda other: point(other.n), described)
        words = f"n in the data{selection.words} is"
        yield judge(f"{CHECK}: n", n, point(found.n), words, exact=True, alternatives=others)
    for name, printed in _numbers(claim):
        check = f"{CHECK}: {name.upper() if name in _SPREADS else name}"
        if found.n < (2 if name in _SPREADS else 1):
            yield not_checkable(check, f"the data have {found.n} values{selection.words}")
            continue
        words = f"{found.n} values of {selection.outcome}{selection.words} have"
        bounds = NOT_NEGATIVE if name in _SPREADS else ANY
        others = _other_statistics(name, found, table, selection)
        yield judge(check, printed, _STATISTICS[name](found), words, bounds=bounds, alternatives=others)


def _numbers(claim: Claim) -> Iterator[tuple[str, Printed]]:
    if claim.kind == "mean_sd":
        yield from claim.parts.items()
    else:
        yield claim.kind, claim.parts["value"]


def _other_statistics(name: str, found: Described, table: CohortTable, selection: Selection) -> Iterator[Alternative]:
    if name in _SPREADS:
        other = "se" if name == "sd" else "sd"
        words = "the standard error of the mean" if other == "se" else "the standard deviation"
        yield f"it is {words}", _STATISTICS[other](found)
        yield "it was divided by n instead of n - 1", found.variance(found.n).root()
        yield "it is the variance", found.variance(found.n - 1)
    elif name in {"mean", "median"}:
        yield f"it is the {'median' if name == 'mean' else 'mean'}", found.median if name == "mean" else found.mean
    least = 2 if name in _SPREADS else 1
    yield from _others(
        table, selection, lambda other: _STATISTICS[name](other) if other.n >= least else None, described
    )


def _others(
    table: CohortTable,
    selection: Selection,
    number: Callable[[_Found], Span | None],
    compute: Callable[[CohortTable, Selection], _Found],
) -> Iterator[Alternative]:
    """Yield the number of each selection that a print may have confused with this one."""
    for sentence, other in other_selections(table, selection):
        try:
            span = number(compute(table, other))
        except UndecidedError:
            continue
        if span is not None:
            yield sentence, span
