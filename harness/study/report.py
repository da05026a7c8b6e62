"""What a study ends in: its sections, its checklists, and where all of it came from."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from harness.reports.words import counted, listed
from harness.study.checklists import Checklist
from harness.study.plan import StudyPlan
from harness.study.section import Check, Estimate, Section

CHECKS: tuple[Check, ...] = ("agrees", "disagrees", "not compared")


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """What is needed to do it again: the command, the hashes of what was read, versions, the seed, seconds by section.

    `inputs` are sha256 by file name; `seconds` are the only part that differs between two runs of one study.
    """

    command: str
    inputs: Mapping[str, str]
    versions: Mapping[str, str]
    seed: int
    seconds: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyReport:
    """All that the writers say; `methods` are paragraphs that can go into a paper."""

    plan: StudyPlan
    sections: tuple[Section, ...]
    methods: tuple[str, ...]
    checklists: tuple[Checklist, ...]
    provenance: Provenance

    @property
    def estimates(self) -> tuple[Estimate, ...]:
        """The estimates of all sections, in order."""
        return tuple(estimate for section in self.sections for estimate in section.estimates)


def check_of(estimate: Estimate) -> Check:
    """Return the verdict on an estimate; without one it was not compared."""
    return "not compared" if estimate.check is None else estimate.check.verdict


def check_counts(report: StudyReport) -> dict[Check, int]:
    """Return how many estimates have each verdict."""
    counts = Counter(check_of(estimate) for estimate in report.estimates)
    return {check: counts[check] for check in CHECKS}


def engines_of(report: StudyReport) -> tuple[str, ...]:
    """Return the engines that estimates were really compared with, as they name themselves."""
    return tuple(
        dict.fromkeys(
            estimate.check.engine
            for estimate in report.estimates
            if estimate.check is not None and estimate.check.verdict != "not compared"
        )
    )


def headline(report: StudyReport) -> str:
    """Return the verdict on all estimates in one sentence; what was not compared is never counted as agreement."""
    counts = check_counts(report)
    agree, disagree, missing = (counts[check] for check in CHECKS)
    compared = agree + disagree
    if not compared:
        return f"None of {counted(missing, 'estimate')} was compared with R"
    if disagree:
        verb = "disagrees" if disagree == 1 else "disagree"
        said = f"{disagree} of {counted(compared, 'compared estimate')} {verb} with R"
    elif agree == 1:
        said = "The one compared estimate agrees with R"
    else:
        said = f"All {agree} compared estimates agree with R"
    return f"{said}; {missing} not compared" if missing else said


def reasons_for_no_comparison(report: StudyReport) -> tuple[str, ...]:
    """Return why estimates were not compared, each reason once with how many it left out, the commonest first."""
    reasons = Counter(
        estimate.check.detail or "no reason given" if estimate.check is not None else "no engine of R gives this number"
        for estimate in report.estimates
        if check_of(estimate) == "not compared"
    )
    return tuple(f"{counted(count, 'estimate')}: {reason}" for reason, count in reasons.most_common())


def compared_with(report: StudyReport) -> str:
    """Return the engines in one phrase."""
    return listed(list(engines_of(report)), at_most=12) or "no engine of R"
