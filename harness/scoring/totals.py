"""From items to totals: nothing is guessed, filled in or overwritten."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from harness.errors import Problem, nearest
from harness.scoring.exact import Range, Score, exact, exact_column, refuse
from harness.scoring.instrument import Instrument, Item

Missing = Literal["strict", "prorate"]
Conflict = Literal["differs", "missing_as_zero", "items_missing"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TotalRule:
    """How items become a total.

    `missing="strict"`: an item missing, the total missing. `"prorate"`: the number of items times the mean of the
    answered ones, not rounded, if at least `least_answered` are answered (the scale's own number if None).
    `fractions` accepts numbers that aren't whole, as the mean of two raters is. `sentinels` are codes of missing
    values, such as (-9, 99, "ND"); a code that could be a score is refused.
    """

    missing: Missing = "strict"
    least_answered: int | None = None
    fractions: bool = False
    sentinels: tuple[int | float | str, ...] = ()

    def describe(self, instrument: Instrument) -> dict[str, str]:
        """Return the rule in words."""
        n, least = len(instrument.items), self.least_answered or instrument.least_answered
        strict = "any item missing: total missing"
        prorate = f"prorated if at least {least} of {n} items are answered: {n} times their mean, not rounded"
        return {
            f"{instrument.name} missing items": strict if self.missing == "strict" else prorate,
            f"{instrument.name} fractional scores": "accepted" if self.fractions else "refused",
            f"{instrument.name} codes of missing values": ", ".join(map(repr, self.sentinels)) or "none",
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Disagreement:
    """A total that was given and is not the one that its items make.

    `conflict` is `differs`; `missing_as_zero` (the given total is the sum of the answered items); or `items_missing`
    (a total is given that its items can't make).
    """

    line: int
    given: Fraction
    recomputed: Score
    conflict: Conflict


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """Totals, one a row; None is a missing one.

    `prorated` marks the rows whose total was; `answered` counts their items. Totals are those of the items even where
    others were given: `disagreements` lists these.
    """

    totals: tuple[Score, ...]
    prorated: tuple[bool, ...]
    answered: tuple[int, ...]
    disagreements: tuple[Disagreement, ...] = ()


STRICT = TotalRule()


def score_items(
    instrument: Instrument,
    items: Mapping[str, Iterable[object]],
    rule: TotalRule = STRICT,
    *,
    given: Iterable[object] | None = None,
    lines: Sequence[int] | None = None,
) -> Scored:
    """Return the total of every row from its items.

    Parameters
    ----------
    instrument
        The scale.
    items
        The answers, one column an item by the names of the scale; see `exact` for what counts as a number.
    rule
        What is done about missing items.
    given
        Totals that came with the items, to be compared with theirs.
    lines
        The lines of the rows in their file, for messages; they count from 1 if not given.

    Raises
    ------
    ScoringError
        Items that lack, are unknown or of different lengths; answers that are texts, truth values, no whole numbers
        or off their item's range; a rule that the scale does not allow. All are listed with line and column.
    """
    problems = [*_rule_problems(instrument, rule), *_name_problems(instrument, items)]
    refuse(f"scale {instrument.name!r}", problems)
    columns = []
    for item in instrument.items:
        allowed = _range(item.lowest, item.highest, rule)
        cells, unfit = exact_column(items[item.name], allowed, column=item.name, lines=lines)
        columns.append(cells)
        problems += unfit
    named = dict(zip(instrument.item_names, map(len, columns), strict=True))
    totals: tuple[Score, ...] = ()
    if given is not None:
        allowed = _range(instrument.lowest, instrument.highest, rule)
        totals, unfit = exact_column(given, allowed, column="total", lines=lines)
        named["total"] = len(totals)
        problems += unfit
    problems += _length_problems(named, lines)
    refuse(f"scale {instrument.name!r}", problems)
    rows = [_row(instrument.items, row) for row in zip(*columns, strict=True)]
    least = _least(instrument, rule)
    recomputed = tuple(_total(answers, len(instrument.items), least) for answers in rows)
    answered = tuple(map(len, rows))
    disagreements = (
        _disagreement(lines[row] if lines is not None else row + 1, total, recomputed[row], rows[row])
        for row, total in enumerate(totals)
    )
    return Scored(
        totals=recomputed,
        prorated=tuple(
            total is not None and n < len(instrument.items) for total, n in zip(recomputed, answered, strict=True)
        ),
        answered=answered,
        disagreements=tuple(found for found in disagreements if found is not None),
    )


def read_totals(
    instrument: Instrument,
    totals: Iterable[object],
    rule: TotalRule = STRICT,
    *,
    column: str = "total",
    lines: Sequence[int] | None = None,
) -> tuple[Score, ...]:
    """Return totals that came without items, None where missing.

    Raises
    ------
    ScoringError
        Totals that are texts, truth values, off the scale, or not whole where the rule does not accept fractions.
    """
    problems = _sentinel_problems(rule, (instrument.lowest, instrument.highest))
    refuse(f"scale {instrument.name!r}", problems)
    allowed = _range(instrument.lowest, instrument.highest, rule)
    found, problems = exact_column(totals, allowed, column=column, lines=lines)
    refuse(f"scale {instrument.name!r}", problems)
    return found


def _row(items: Sequence[Item], cells: Sequence[Score]) -> list[Fraction]:
    """Return the answers of a row that are there, reversed where their item is."""
    return [
        item.lowest + item.highest - cell if item.reversed else cell
        for item, cell in zip(items, cells, strict=True)
        if cell is not None
    ]


def _total(answers: Sequence[Fraction], n: int, least: int) -> Score:
    return Fraction(n, len(answers)) * sum(answers) if len(answers) >= least else None


def _least(instrument: Instrument, rule: TotalRule) -> int:
    if rule.missing == "strict":
        return len(instrument.items)
    return rule.least_answered or instrument.least_answered or len(instrument.items)


def _disagreement(line: int, given: Score, recomputed: Score, answers: Sequence[Fraction]) -> Disagreement | None:
    if given is None or given == recomputed:
        return None
    conflict: Conflict = "differs"
    if recomputed is None:
        conflict = "missing_as_zero" if answers and given == sum(answers) else "items_missing"
    return Disagreement(line=line, given=given, recomputed=recomputed, conflict=conflict)


def _range(lowest: int, highest: int, rule: TotalRule) -> Range:
    return Range(lowest=lowest, highest=highest, fractions=rule.fractions, missing=rule.sentinels)


def _rule_problems(instrument: Instrument, rule: TotalRule) -> list[Problem]:
    problems = _sentinel_problems(rule, *((item.lowest, item.highest) for item in instrument.items))
    if not instrument.items:
        problems.append(Problem(found="a scale without items", expected="items", advice="Give totals instead."))
    if rule.missing not in {"strict", "prorate"}:
        problems.append(Problem(found=f"missing {rule.missing!r}", expected="'strict' or 'prorate'"))
    n, least = len(instrument.items), rule.least_answered
    if rule.missing == "prorate" and instrument.least_answered is None:
        found = "missing = 'prorate'"
        problems.append(Problem(found=found, expected="'strict', because the scale states no `least_answered`"))
    elif least is not None:
        ever = instrument.least_ever or instrument.least_answered or n
        whole = isinstance(least, int) and not isinstance(least, bool)
        if rule.missing == "strict" or not (whole and ever <= least <= n):
            expected = "none with 'strict'" if rule.missing == "strict" else f"a whole number from {ever} to {n}"
            problems.append(Problem(found=f"least_answered {least!r}", expected=expected))
    return problems


def _sentinel_problems(rule: TotalRule, *ranges: tuple[int, int]) -> list[Problem]:
    numbers = [(code, exact(code)) for code in rule.sentinels if not isinstance(code, str)]
    return [
        Problem(found=f"{code!r} as a code of a missing value", expected="a code that can't be a score")
        for code, number in numbers
        if number is not None and any(lowest <= number <= highest for lowest, highest in ranges)
    ]


def _name_problems(instrument: Instrument, items: Mapping[str, Iterable[object]]) -> list[Problem]:
    lacking = [name for name in instrument.item_names if name not in items]
    problems = [Problem(found="no such item", expected="its answers", column=name) for name in lacking]
    return problems + [
        Problem(
            found="an unknown item",
            expected=f"an item of {instrument.name!r}",
            column=name,
            advice=nearest(name, instrument.item_names),
        )
        for name in items
        if name not in instrument.item_names
    ]


def _length_problems(lengths: Mapping[str, int], lines: Sequence[int] | None) -> list[Problem]:
    n = len(lines) if lines is not None else next(iter(lengths.values()))
    return [
        Problem(found=f"{length} rows", expected=f"{n} rows, as the others", column=name)
        for name, length in lengths.items()
        if length != n
    ]
