"""What makes a mapping unusable, whether it was written in a file or in Python."""

from collections import Counter
from collections.abc import Iterator, Sequence

from harness.cohorts.levels import is_label
from harness.cohorts.tables import shorter
from harness.errors import Problem, nearest
from harness.importing.dates import format_problem
from harness.importing.fields import columns_of, fields_of, score_fields
from harness.importing.mapping import Codes, Covariate, ImportMapping, Place, Protocol, Score, Visit
from harness.importing.rules import ACCEPTABLE
from harness.importing.scales import SELF_RATED

RESERVED = frozenset({"subject", "protocol", "visit", "day", "week", "infusion"})


def mapping_problems(mapping: ImportMapping) -> list[Problem]:
    """Return everything that is wrong with a mapping."""
    problems = [*_visits(mapping), *_names(mapping), *_protocols(mapping), *_dating(mapping)]
    scores = mapping.all_scores
    problems += [found for score in scores for found in score_problems(score)]
    problems += [found for score in scores for found in _codes_in_range(score, mapping.missing)]
    problems += [found for covariate in mapping.covariates for found in _covariate(covariate)]
    problems += [
        Problem(
            found=f"accept names {rule!r}", expected=f"one of {', '.join(ACCEPTABLE)}", advice=nearest(rule, ACCEPTABLE)
        )
        for rule in mapping.accept
        if rule not in ACCEPTABLE
    ]
    # Columns are looked for last: what is wrong above can make them appear wrong.
    return problems or list(_columns(mapping))


def score_problems(score: Score) -> Iterator[Problem]:
    """Yield what is wrong with one scale, above all a self-rated MADRS that is taken for MADRS."""

    def problem(found: str, expected: str, advice: str = "") -> Problem:
        return Problem(found=found, expected=expected, column=shorter(score.name), advice=advice)

    if score.total is None and not score.items:
        yield problem("neither `total` nor `items`", "one of them, or both")
    columns = [name for place in (score.total, *score.items) for name in _words(place)]
    if "madrs" in {score.name, score.scale.name if score.scale else ""}:
        hints = [name for name in columns if SELF_RATED.search(name)]
        if hints or len(score.items) == 9:
            yield problem(
                f"{f'the column {shorter(hints[0])!r}' if hints else '9 items'}, as MADRS-S has",
                "MADRS, whose 10 items a clinician rates",
                "MADRS-S is another scale: import it, if at all, under a name and with a range of its own.",
            )
            return
    expected = 0 if score.scale is None else len(score.scale.items)
    if score.items and len(score.items) != expected:
        yield problem(
            f"{len(score.items)} items", f"{expected}" if expected else "none, because the scale is not known"
        )
    if score.range is not None and not score.range[0] < score.range[1]:
        yield problem(f"range {list(score.range)}", "[smallest, largest]")
    if score.total_range is None:
        yield problem("a scale that is not known, without `range`", "the range of its total")
    yield from _codes_in_range(score, score.missing)


def _codes_in_range(score: Score, missing: Codes) -> Iterator[Problem]:
    low, high = score.total_range or (1.0, 0.0)
    for code in missing:
        if not isinstance(code, str) and low <= code <= high:
            yield Problem(
                found=f"the missing code {code:g} inside the range of the scale",
                expected="a code that no score can have",
                column=shorter(score.name),
            )


def _visits(mapping: ImportMapping) -> Iterator[Problem]:
    if not mapping.visits:
        yield Problem(found="no visits", expected="at least one under [import.visits]")
    if not mapping.scores:
        yield Problem(found="no scores", expected="at least one under [import.scores]")
    yield from _named_twice("visit", mapping.visits)
    for visit in mapping.visits:
        wide = mapping.shape == "wide"
        if not visit.named or (wide and len(visit.named) > 1):
            expected = "exactly one word of the column names" if wide else "at least one label or event"
            yield Problem(found=f"{len(visit.named)} names in the file", expected=expected, column=shorter(visit.name))
        if not is_label(visit.name):
            yield Problem(found="a visit's name with odd characters", expected="printable, without spaces around it")
        kinds = (visit.infusion is not None, visit.follow_up is not None, visit.screening)
        if sum(kinds) > 1:
            yield Problem(
                found="more than one of `infusion`, `follow_up` and `screening`",
                expected="one",
                column=shorter(visit.name),
            )
    numbers = [visit.infusion for visit in mapping.infusions]
    if numbers != list(range(1, len(numbers) + 1)):
        yield Problem(found=f"infusions numbered {numbers}", expected="1, 2, ... without gaps, each once")
    if any(visit.follow_up for visit in mapping.visits) and not numbers:
        yield Problem(found="follow-up visits without any infusion", expected="`infusion` of the visits before them")


def _names(mapping: ImportMapping) -> Iterator[Problem]:
    if not mapping.subject:
        yield Problem(found="no `subject`", expected="the column of the subjects")
    if mapping.shape == "long" and not mapping.visit:
        yield Problem(found="a long file without `visit`", expected="the column of the visits")
    if mapping.shape == "wide" and mapping.visit:
        yield Problem(found="`visit` in a wide file", expected="none; column names tell the visits apart")
    reserved = RESERVED | ({"start_year"} if mapping.start_year else frozenset())
    names = [*(c.name for c in mapping.covariates), *(s.name for s in mapping.all_scores)]
    for name, count in Counter(names).items():
        if count > 1 or name in reserved or not is_label(name) or "." in name:
            why = (
                "that stands twice"
                if count > 1
                else "that the result needs itself"
                if name in reserved
                else "that can't be one"
            )
            yield Problem(found=f"a name {why}", expected="each column of the result once", column=shorter(name))


def _protocols(mapping: ImportMapping) -> Iterator[Problem]:
    yield from _named_twice("protocol", mapping.protocols)
    if mapping.protocols and not mapping.protocol and mapping.shape != "redcap":
        yield Problem(found="protocols without `protocol`", expected="the column that tells them apart")
    if mapping.protocol and not mapping.protocols:
        yield Problem(found="`protocol` without protocols", expected="[import.protocols] with the words of each")
    planned = len(mapping.infusions)
    for protocol in mapping.protocols:
        if not protocol.named:
            yield Problem(found="no names in the file", expected="at least one", column=shorter(protocol.name))
        if planned and not 1 <= (protocol.infusions or 0) <= planned:
            found = "no `infusions`" if protocol.infusions is None else f"{protocol.infusions} infusions"
            yield Problem(found=found, expected=f"how many it plans, 1 to {planned}", column=shorter(protocol.name))


def _named_twice(what: str, named: Sequence[Visit] | Sequence[Protocol]) -> Iterator[Problem]:
    for words, count in Counter(thing.name for thing in named).items():
        if count > 1:
            yield Problem(found=f"{count} {what}s of this name", expected="one", column=shorter(words))
    for word, count in Counter(word for thing in named for word in thing.named).items():
        if count > 1:
            yield Problem(found=f"{shorter(word)!r} stands for {count} {what}s", expected=f"one {what}")


def _dating(mapping: ImportMapping) -> Iterator[Problem]:
    dating = mapping.dating
    nominal = all(visit.day is not None for visit in mapping.visits)
    if dating.date is not None and dating.day is not None:
        yield Problem(found="both `date` and `day`", expected="one of them")
    if dating.date is None and dating.day is None and not nominal:
        yield Problem(found="neither `date` nor `day`", expected="one of them, or the nominal `day` of every visit")
    if dating.undated == "nominal" and not nominal:
        yield Problem(found='undated = "nominal"', expected="the nominal `day` of every visit")
    if dating.date is None and (mapping.start_year or mapping.companion is not None):
        what = "start_year" if mapping.start_year else "a second file"
        yield Problem(found=f"{what} without `date`", expected="the column of dates")
    for text in (dating.date_format, mapping.companion.date_format if mapping.companion else None):
        if text is not None and (problem := format_problem(text)):
            yield problem
    if mapping.companion is not None and not 0 <= mapping.companion.within_days <= 366:
        yield Problem(found=f"within_days = {mapping.companion.within_days:g}", expected="0 to 366 days")


def _covariate(covariate: Covariate) -> Iterator[Problem]:
    column = shorter(covariate.name)
    if covariate.levels and (covariate.range is not None or covariate.integer or covariate.top_code is not None):
        yield Problem(found="`levels` beside the rules of a number", expected="one or the other", column=column)
    for word, count in Counter(word for words in covariate.levels.values() for word in words).items():
        if count > 1:
            yield Problem(found=f"{shorter(word)!r} stands for {count} levels", expected="one level", column=column)
    if covariate.range is not None and not covariate.range[0] < covariate.range[1]:
        yield Problem(found=f"range {list(covariate.range)}", expected="[smallest, largest]", column=column)


def _columns(mapping: ImportMapping) -> Iterator[Problem]:
    """Yield columns of the file that two fields would read."""
    fixed = [mapping.subject, *([mapping.visit] if mapping.visit else [])]
    used = Counter(fixed)
    for found in fields_of(mapping):
        changing = mapping.shape == "wide" and not found.constant
        if isinstance(found.place, str) and ("{visit}" in found.place) != changing:
            yield Problem(
                found=f"the column name {shorter(found.place)!r}",
                expected="a name with {visit}" if changing else "a name without {visit}",
                column=shorter(found.name),
            )
        if not isinstance(found.place, str) and not changing:
            yield Problem(found="a column for each visit", expected="one column", column=shorter(found.name))
        known = {visit.name for visit in mapping.visits}
        if not isinstance(found.place, str):
            for name in sorted(set(found.place) - known):
                yield Problem(found=f"unknown visit {shorter(name)!r}", expected="a visit", column=shorter(found.name))
        used.update(set(columns_of(found.place, mapping.visits[:1] if not changing else mapping.visits).values()))
    if mapping.companion is not None:
        own = Counter([mapping.companion.subject, mapping.companion.date])
        own.update(str(found.place) for found in score_fields(mapping.companion.scores, ()))
        used.update({name: count for name, count in own.items() if count > 1})
    for name, count in used.items():
        if count > 1:
            yield Problem(found=f"a column that is read {count} times", expected="once", column=shorter(name))


def _words(place: Place | None) -> Sequence[str]:
    return [] if place is None else [place] if isinstance(place, str) else list(place.values())
