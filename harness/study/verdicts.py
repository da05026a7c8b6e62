"""What R says of all estimates together; an estimate without a verdict never counts as agreement."""

from collections import Counter
from collections.abc import Sequence

from harness.reports.words import counted, listed
from harness.study.section import Check, Estimate

CHECKS: tuple[Check, ...] = ("agrees", "disagrees", "not compared")


def check_of(estimate: Estimate) -> Check:
    """Return the verdict on an estimate; without one it was not compared."""
    return "not compared" if estimate.check is None else estimate.check.verdict


def check_counts(estimates: Sequence[Estimate]) -> dict[Check, int]:
    """Return how many estimates have each verdict."""
    counts = Counter(map(check_of, estimates))
    return {check: counts[check] for check in CHECKS}


def engines_of(estimates: Sequence[Estimate]) -> tuple[str, ...]:
    """Return the engines that estimates were really compared with, as they name themselves."""
    return tuple(
        dict.fromkeys(
            estimate.check.engine
            for estimate in estimates
            if estimate.check is not None and estimate.check.verdict != "not compared"
        )
    )


def compared_with(estimates: Sequence[Estimate]) -> str:
    """Return the engines in one phrase."""
    return listed(list(engines_of(estimates)), at_most=12) or "no engine of R"


def headline(estimates: Sequence[Estimate]) -> str:
    """Return the verdict on all estimates in one sentence."""
    counts = check_counts(estimates)
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


def reasons_for_no_comparison(estimates: Sequence[Estimate]) -> tuple[str, ...]:
    """Return why estimates were not compared, each reason once with how many it left out, the commonest first."""
    reasons = Counter(
        "no engine of R was asked for this number"
        if estimate.check is None
        else estimate.check.detail or "no reason given"
        for estimate in estimates
        if check_of(estimate) == "not compared"
    )
    return tuple(f"{counted(count, 'estimate')}: {reason}" for reason, count in reasons.most_common())
