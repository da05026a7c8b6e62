"""What is said of a run as a whole: the verdict, the engines, and what was pinned or not compared."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from harness.comparison.run import Run
from harness.comparison.verdict import Attribution, Comparison, Outcome
from harness.quantities import Reading
from harness.reports.ranking import compared, outcome_of
from harness.reports.words import counted, listed, name, sentence

NOT_INSTALLED = "not installed"
"""What `Run.environment` holds for an engine that was looked for and not found."""

MOST_PINS = 4
"""How many sentences on recorded results are read; where there are more, `pinned_in_short` stands for them."""

_SHOWN_CASES = 4


class Overall(StrEnum):
    """What a run shows. Only AGREE says that everything asked for was compared and agrees."""

    AGREE = "agree"
    KNOWN = "agree but for known differences"
    PARTIAL = "agree where compared"
    NOTHING = "nothing compared"
    DISAGREE = "disagree"


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineUse:
    """How one engine took part, from one source ("computed", "live" or "pinned") with one set of versions."""

    engine: str
    source: str
    versions: Mapping[str, str]
    readings: int
    failures: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """A run in a few sentences. `pinned` and `not_compared` come before everything else in each report.

    `not_compared` are comparisons that did not take place, `not_given` quantities that an engine does not have.
    """

    overall: Overall
    headline: str
    counts: str
    pinned: tuple[str, ...]
    not_compared: tuple[str, ...]
    not_given: tuple[str, ...]
    engines: tuple[EngineUse, ...]


def summarise(run: Run) -> Summary:
    """Return what every report says first."""
    return Summary(
        overall=overall(run),
        headline=_headline(run),
        counts=_counts(run),
        pinned=_pinned(run),
        not_compared=_not_compared(run),
        not_given=_not_given(run),
        engines=_engines(run),
    )


def overall(run: Run) -> Overall:
    """Return the verdict of the run; the first that applies of: nothing, disagree, partial, known, agree."""
    outcomes = {outcome_of(comparison) for comparison in run.comparisons}
    if not any(map(compared, run.comparisons)):
        return Overall.NOTHING
    if Outcome.DISAGREE in outcomes:
        return Overall.DISAGREE
    if run.skipped or Outcome.NOT_COMPARED in outcomes:
        return Overall.PARTIAL
    return Overall.KNOWN if Outcome.KNOWN in outcomes else Overall.AGREE


def engine_text(engine: str, versions: Mapping[str, str]) -> str:
    """Return the engine with its own version, then the versions of what it ran on."""
    own = versions.get(engine)
    others = [f"{key} {value}" for key, value in sorted(versions.items()) if key != engine]
    text = f"{engine} {own}" if own else engine
    return sentence(f"{text} with {', '.join(others)}" if others else text, 160)


def _headline(run: Run) -> str:
    outcomes = Counter(map(outcome_of, run.comparisons))
    agree, known, disagree = (outcomes[o] for o in (Outcome.AGREE, Outcome.KNOWN, Outcome.DISAGREE))
    missing = outcomes[Outcome.NOT_COMPARED] + len(run.skipped)
    total = counted(len(run.comparisons) + len(run.skipped), "comparison")
    if overall(run) is Overall.NOTHING:
        return f"Nothing was compared; {total} asked for"
    if disagree:
        parts = [f"{disagree} of {total} {'disagrees' if disagree == 1 else 'disagree'}{_for_want_of_an_answer(run)}"]
    else:
        whole = "The one comparison" if total == "1 comparison" else f"All {total}"
        share = f"{agree + known} of {total}" if missing else whole
        parts = [f"{share} {'agrees' if agree + known == 1 else 'agree'}"]
        parts += [f"{known} but for known differences"] if known else []
        parts += _against_pins(run)
    return ", ".join(parts) + (f"; {missing} {'was' if missing == 1 else 'were'} not compared" if missing else "")


def _for_want_of_an_answer(run: Run) -> str:
    """Return how many of the disagreements are no number's fault."""
    disagreeing = [comparison for comparison in run.comparisons if outcome_of(comparison) is Outcome.DISAGREE]
    failed = sum(comparison.attribution is Attribution.ENGINE for comparison in disagreeing)
    if not failed:
        return ""
    return f", {f'{failed} ' if failed < len(disagreeing) else ''}because an engine gave no answer"


def _against_pins(run: Run) -> list[str]:
    agreeing = [c for c in run.comparisons if outcome_of(c) in {Outcome.AGREE, Outcome.KNOWN}]
    pinned = sum(comparison.right.source == "pinned" for comparison in agreeing)
    if not pinned:
        return []
    return [f"{'all' if pinned == len(agreeing) else pinned} against recorded results only"]


def _counts(run: Run) -> str:
    total = sum(compared(comparison) for comparison in run.comparisons)
    return (
        f"{counted(total, 'quantity', 'quantities')} compared: {run.count(Outcome.AGREE)} agree, "
        f"{counted(run.count(Outcome.KNOWN), 'known difference')}, {run.count(Outcome.DISAGREE)} disagree; "
        f"{run.count(Outcome.NOT_COMPARED)} not compared"
    )


def _pinned(run: Run) -> tuple[str, ...]:
    """Return a sentence for each engine, and each version of it, that answered from recorded results."""
    live = {comparison.right.engine for comparison in run.comparisons if comparison.right.source != "pinned"}
    cases: dict[tuple[str, tuple[tuple[str, str], ...]], list[str]] = defaultdict(list)
    for comparison in run.comparisons:
        for reading in (comparison.left, comparison.right):
            if reading.source == "pinned" and reading.failure is None:
                cases[reading.engine, tuple(sorted(reading.versions.items()))].append(comparison.case)
    sentences = []
    for (engine, versions), where in cases.items():
        if run.environment.get(engine) == NOT_INSTALLED:
            cause = "was not installed"
        elif engine in live:
            cause = "was live for other cases only"
        else:
            cause = "was not run live"
        recorded = _recorded(engine, dict(versions))
        sentences.append(
            f"{name(engine)} {cause}; its recorded results ({recorded}) were used"
            f" in {counted(len(where), 'comparison')}: {_cases(where)}."
        )
    return tuple(sentences)


def _recorded(engine: str, versions: dict[str, str]) -> str:
    date = versions.pop("recorded", "")
    return f"{engine_text(engine, versions)}, {f'recorded {name(date)}' if date else 'date not recorded'}"


def pinned_in_short(run: Run) -> str:
    """Return how much rests on recorded results, where the engines are too many to be listed at once."""
    pinned = [comparison.right.engine for comparison in run.comparisons if comparison.right.source == "pinned"]
    live = len(run.comparisons) - len(pinned)
    began = f"{counted(live, 'comparison was', 'comparisons were')} run live" if live else "No reference was run live"
    engines = counted(len(set(pinned)), "engine")
    return f"{began}; {len(pinned)} rest on the recorded results of {engines}."


def _not_compared(run: Run) -> tuple[str, ...]:
    """Return a sentence for each reason for which whole comparisons did not take place."""
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    for skipped in run.skipped:
        found[skipped.reference, skipped.reason].append(skipped.case)
    for comparison in run.comparisons:
        if _did_not_take_place(comparison):
            found[comparison.right.engine, _why_not(comparison)].append(comparison.case)
    return tuple(f"{name(engine)} on {_cases(cases)}: {_reason(why)}" for (engine, why), cases in found.items())


def _not_given(run: Run) -> tuple[str, ...]:
    """Return a sentence for each reason for which single quantities were not compared."""
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    for comparison in run.comparisons:
        for verdict in comparison.verdicts:
            if verdict.outcome is Outcome.NOT_COMPARED and not _did_not_take_place(comparison):
                found[comparison.right.engine, verdict.reason].append(comparison.case)
    return tuple(
        f"{name(engine)}, {counted(len(cases), 'quantity', 'quantities')}"
        f" in {counted(len(set(cases)), 'comparison')}: {_reason(why)}"
        for (engine, why), cases in found.items()
    )


def _did_not_take_place(comparison: Comparison) -> bool:
    return compared(comparison) == 0 or comparison.outcome is Outcome.NOT_COMPARED


def _why_not(comparison: Comparison) -> str:
    failures = (reading.failure for reading in (comparison.left, comparison.right) if reading.failure is not None)
    found = [f"{failure.reason}: {failure.sentence}" for failure in failures]
    return "; ".join(found) or comparison.sentence or "no quantity was compared"


def _reason(text: str) -> str:
    shown = sentence(text, 240) or "no reason was given"
    return shown if shown.endswith((".", "!", "?", "…")) else f"{shown}."


def _cases(cases: Iterable[str]) -> str:
    return listed([name(case) for case in dict.fromkeys(cases)], _SHOWN_CASES)


def _engines(run: Run) -> tuple[EngineUse, ...]:
    readings = defaultdict[tuple[str, str, tuple[tuple[str, str], ...]], list[Reading]](list)
    for comparison in run.comparisons:
        for reading in (comparison.left, comparison.right):
            readings[reading.engine, reading.source, tuple(sorted(reading.versions.items()))].append(reading)
    return tuple(
        EngineUse(
            engine=engine,
            source=source,
            versions=dict(versions),
            readings=len(found),
            failures=sum(reading.failure is not None for reading in found),
        )
        for (engine, source, versions), found in readings.items()
    )
