"""Whether a mixture's lower maximum is a matter of starts, of which there are never enough for all of its maxima."""

from dataclasses import replace

from harness.counterexamples.specimen import Specimen
from harness.engines import solve
from harness.quantities import Reading

N_STARTS = 500
"""Five times what a trajectory model begins with."""

_NEAR = 1e-6


def reached_by_more_starts(specimen: Specimen, log_likelihood: float) -> str:
    """Return why a lower maximum is acceptable: that five times the starts reach the higher one; else nothing."""
    searched = replace(specimen, model={**specimen.model, "n_starts": N_STARTS})
    reading = solve(searched.case("fuzzed", ("flexmix",))).reading(against="harness")
    if log_likelihood_of(reading) < log_likelihood - _NEAR * max(1.0, abs(log_likelihood)):
        return ""
    return f"One of a mixture's many maxima; {N_STARTS} starts in place of 100 reach the higher one."


def log_likelihood_of(reading: Reading) -> float:
    """Return the log-likelihood that a reading ends with."""
    return next(float(q.value) for q in reading.quantities if q.path == "log_likelihood")
