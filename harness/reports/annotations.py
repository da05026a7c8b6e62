"""At most ten annotations for a CI system that reads GitHub's workflow commands: one a cause, not one a number."""

import re
from collections import defaultdict
from collections.abc import Iterator

from harness.comparison.run import Run
from harness.comparison.verdict import Comparison, Outcome
from harness.reports.ranking import compared, outcome_of, worst
from harness.reports.summary import Overall, overall, summarise
from harness.reports.words import counted, listed, name, sentence

AT_MOST = 10
_CASES = 5
_ESCAPES = {"%": "%25", "\r": "%0D", "\n": "%0A"}
_ESCAPES_IN_TITLES = {**_ESCAPES, ":": "%3A", ",": "%2C"}


def render(run: Run) -> tuple[str, ...]:
    """Return the lines, errors first; what is beyond ten is counted in the last one."""
    lines = [*_disagreements(run), *_warnings(run)]
    rest = len(lines) - AT_MOST
    if rest <= 0:
        return tuple(lines)
    said = counted(rest + 1, "more kind of finding", "more kinds of findings")
    return (*lines[: AT_MOST - 1], _command("error", "Cross-check", f"{said}: see the report."))


def escape(text: str, *, title: bool = False) -> str:
    """Return text that can't end a workflow command or begin another."""
    table = _ESCAPES_IN_TITLES if title else _ESCAPES
    return re.sub("[%\r\n:,]" if title else "[%\r\n]", lambda found: table[found[0]], text)


def _disagreements(run: Run) -> Iterator[str]:
    """Yield an error for each engine and cause, the most frequent first."""
    found: dict[tuple[str, str], list[Comparison]] = defaultdict(list)
    for comparison in run.comparisons:
        if outcome_of(comparison) is Outcome.DISAGREE:
            cause = comparison.attribution.value if comparison.attribution else "no cause"
            found[comparison.right.engine, cause].append(comparison)
    for (engine, cause), alike in sorted(found.items(), key=lambda item: -len(item[1])):
        first = alike[0]
        verdict = worst(first)
        where = listed([name(comparison.case) for comparison in alike], _CASES)
        begins = f"Disagreement with {name(engine, 40)} in {counted(len(alike), 'comparison')}: {where}."
        example = f" Worst quantity of the first: {name(verdict.quantity)}." if verdict is not None else ""
        yield _command("error", f"{name(engine, 40)}: {cause}", f"{begins} {sentence(first.sentence, 300)}{example}")


def _warnings(run: Run) -> Iterator[str]:
    summary = summarise(run)
    if overall(run) is Overall.NOTHING:
        yield _command("error", "Nothing compared", summary.headline)
    if run.notes:
        said = f"{counted(len(run.notes), 'note')}. {sentence(run.notes[0], 400)}"
        yield _command("error", "Known differences", said)
    warned = [trace for trace in run.traces if trace.warning]
    if warned:
        said = f"{counted(len(warned), 'comparison')} came nearer to a limit. {sentence(warned[0].warning, 300)}"
        yield _command("warning", "Drift", said)
    missing = len(run.skipped) + sum(outcome_of(c) is Outcome.NOT_COMPARED for c in run.comparisons)
    if missing and any(map(compared, run.comparisons)):
        said = f"{counted(missing, 'comparison')} did not take place. {' '.join(summary.not_compared[:1])}"
        yield _command("warning", "Not compared", said)


def _command(level: str, title: str, message: str) -> str:
    return f"::{level} title={escape(title, title=True)}::{escape(message)}"
