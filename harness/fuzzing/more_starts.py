"""Whether a mixture's lower maximum is a matter of starts, of which there are never enough for all of its maxima.

Or it is a matter of choice: our search has the higher end too, and does not report it, because it is none of as many
classes as were asked for.
"""

from dataclasses import replace

from harness.comparison.verdict import Comparison
from harness.counterexamples.specimen import Specimen
from harness.engines import OurGbtm, OurSide, solve
from harness.gbtm.fit import fit
from harness.gbtm.optima import SAME_LOG_LIKELIHOOD
from harness.quantities import Reading

N_STARTS = 500
"""Five times what a trajectory model begins with."""

_NEAR = 1e-6

IMPROPER = (
    "The reference's end leads to {there:.9g}, which {count} of our starts found too: there a class is empty (of less"
    " than one subject), equal to another or collapsed, so that ours reports its best proper end, and lists this one."
)


def reached_by_more_starts(specimen: Specimen, log_likelihood: float) -> str:
    """Return why a lower maximum is acceptable: that five times the starts reach the higher one; else nothing."""
    searched = replace(specimen, model={**specimen.model, "n_starts": N_STARTS})
    reading = solve(searched.case("fuzzed", ("flexmix",))).reading(against="harness")
    if log_likelihood_of(reading) < log_likelihood - _NEAR * max(1.0, abs(log_likelihood)):
        return ""
    return f"One of a mixture's many maxima; {N_STARTS} starts in place of 100 reach the higher one."


def listed_as_improper(ours: OurSide, found: Comparison) -> str:
    """Return that the reference's end leads to one that our search found and passed over; nothing if it does not."""
    end = next((o for o in found.evidence.objectives if o.label == "optimum"), None)
    if end is None or not isinstance(ours, OurGbtm):
        return ""
    account = ours.result.fit
    there = fit(ours.result.design, start=end.point, kinds=account.class_kinds).best
    if there.is_proper or there.log_likelihood < end.right - _NEAR * max(1.0, abs(end.right)):
        return ""
    near = 10 * SAME_LOG_LIKELIHOOD
    for optimum in account.optima[: account.chosen]:
        alike = (optimum.empty, optimum.duplicated, optimum.collapsed)
        if (
            abs(optimum.log_likelihood - there.log_likelihood) <= near
            and sum(map(len, alike)) > 0
            and tuple(map(len, alike)) == tuple(map(len, (there.empty, there.duplicated, there.collapsed)))
        ):
            return IMPROPER.format(there=there.log_likelihood, count=optimum.count)
    return ""


def log_likelihood_of(reading: Reading) -> float:
    """Return the log-likelihood that a reading ends with."""
    return next(float(q.value) for q in reading.quantities if q.path == "log_likelihood")
