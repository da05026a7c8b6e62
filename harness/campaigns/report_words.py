"""How a campaign's numbers and sentences look in all of its reports."""

from collections.abc import Mapping

from harness.campaigns.agreement import LEVEL, Rate
from harness.campaigns.progress import duration
from harness.campaigns.report import CellReport, Report
from harness.reports.words import ABSENT, counted, number

STOP_RULE = (
    "A cell ends after the first batch of {batch} after which its interval is no wider than {stop:g} to either side."
    " The rule looks at whole batches in the order of replicates, so that it does not depend on who computed what."
    " An interval that is looked at more than once and stopped when narrow covers a little less often than one of fixed"
    " size; docs/campaigns.md has how much."
)
ONE_REPLICATE = "With --replicate and the name of a replicate the same command writes its data, for `harness compare`."
SAME = (
    "Everything but seconds and retries depends on the plan and the versions alone: two runs agree bit by bit if their"
    " digests do."
)


def headline(report: Report) -> str:
    """Return what a campaign found, in one sentence."""
    rate = report.overall
    if not rate.n:
        return "No replicate was computed"
    cells = counted(len(report.cells), "cell")
    return f"{rate.events} of {rate.n} replicates in {cells} agree: {percent(rate)}"


def cell_line(one: CellReport) -> str:
    """Return what a cell found, in one line of a terminal."""
    summary = one.summary
    parts = [f"{summary.agreement.events} of {summary.agreement.n} agree: {percent(summary.agreement)}"]
    if one.standing != "not required":
        parts.append(f"required rate {one.standing}")
    if summary.attributions:
        parts.append(counts(summary.attributions))
    if 1.0 in summary.distances:
        parts.append(f"largest D {number(summary.distances[1.0], 2)}")
    return f"{one.label}: {', '.join(parts)}"


def requirement(report: Report) -> str:
    """Return how the cells stand to the required rate; empty where nothing is required."""
    if report.plan.required is None:
        return ""
    counts = {word: sum(one.standing == word for one in report.cells) for word in ("shown", "open", "below")}
    words = {"shown": "show it", "open": "leave it open", "below": "are below it"}
    said = ", ".join(f"{count} {words[word]}" for word, count in counts.items() if count)
    return f"Required is a rate of {report.plan.required:g}: of {counted(len(report.cells), 'cell')} {said}."


def cautions(report: Report) -> list[str]:
    """Return what limits the result, one sentence each."""
    said = []
    if not report.complete:
        said.append("The campaign is not complete: the same command goes on.")
    uncompared = report.overall.n - report.n_compared
    if uncompared:
        said.append(f"{counted(uncompared, 'replicate')} could not be compared, which counts as no agreement.")
    if len(report.versions) > 1:
        said.append(f"Rows come from {len(report.versions)} different sets of versions.")
    if report.others:
        said.append(f"{counted(report.others, 'file')} of other plans in the folder were left alone.")
    if report.deaths:
        said.append(f"Workers died {counted(report.deaths, 'time')}; their batches were computed again.")
    return said


def percent(rate: Rate) -> str:
    """Return a rate with its interval, in per cent."""
    if not rate.n:
        return ABSENT
    lower, upper = (f"{100 * end:.2f}" for end in (rate.lower, rate.upper))
    return f"{100 * rate.estimate:.2f} % [{lower}, {upper}]"


def counts(of: Mapping[str, int]) -> str:
    """Return counts by word, the largest first."""
    ordered = sorted(of.items(), key=lambda pair: (-pair[1], pair[0]))
    return ", ".join(f"{word} {count}" for word, count in ordered) or ABSENT


def better(of: Mapping[str, int], reference: str) -> str:
    """Return who found the better optimum how often."""
    names = {"both": "equal", "left": "harness", "right": reference if reference != "harness" else "harness again"}
    return counts({names[word]: count for word, count in of.items()})


def milliseconds(seconds: float | None) -> str:
    """Return a time of a fit."""
    return ABSENT if seconds is None else f"{number(1000 * seconds, 3)} ms"


def made(report: Report) -> str:
    """Return how many replicates this run computed and how long it took."""
    return f"{report.computed} replicates computed in {duration(report.seconds)}, {report.stored} were there before"


LEVEL_WORDS = f"{100 * LEVEL:g} % interval (Clopper-Pearson)"
