"""The printed account of a multi-trajectory model."""

from collections.abc import Iterator

from harness.gbtm import summary
from harness.gbtm.account import GbtmFit
from harness.gbtm.design import GbtmDesign
from harness.gbtm.estimates import GbtmEstimates

_SHOWN_SUBJECTS = 5


def multi_summary(design: GbtmDesign, fit: GbtmFit, estimates: GbtmEstimates, warnings: tuple[str, ...]) -> str:
    """Return what a reader wants to know of one model, as plain text."""
    parts = [
        *_heading(design, estimates),
        "",
        *summary.criteria(estimates),
        "",
        f"Coefficients (in the units of the data; standard errors: {estimates.covariance_kind})",
        summary.coefficient_table(estimates),
        "",
        "Classes (AvePP: average posterior probability; OCC: odds of correct classification)",
        summary.class_table(estimates),
        "",
        *summary.search_account(fit),
    ]
    if warnings:
        parts += ["", "Warnings", *(f"  - {warning}" for warning in warnings)]
    return "\n".join(parts)


def _heading(design: GbtmDesign, estimates: GbtmEstimates) -> Iterator[str]:
    yield f"Multi-trajectory model of {len(design.outcomes)} outcome(s): {estimates.n_classes} class(es)"
    yield from outcome_lines(design)
    yield "Outcomes are independent within class; maximum likelihood"
    yield f"{design.n_subjects} subjects, {design.n_observations} observations, {estimates.n_parameters} parameters"
    yield from left_out(design)


def outcome_lines(design: GbtmDesign) -> Iterator[str]:
    """Yield what is modelled of each outcome."""
    for outcome in design.outcomes:
        spec = outcome.spec
        said = "; ".join([summary.family_name(spec), *summary.model_parts(spec)])
        yield f"  {spec.outcome} on {spec.time}: {said}; {len(outcome.rows.y)} observations"


def left_out(design: GbtmDesign) -> Iterator[str]:
    """Yield what was left out for having no outcome at all."""
    subjects = design.subjects
    if subjects.dropped_rows:
        yield f"{subjects.dropped_rows} row(s) without any outcome left out"
    if subjects.dropped:
        names = ", ".join(subjects.dropped[:_SHOWN_SUBJECTS])
        more = ", ..." if len(subjects.dropped) > _SHOWN_SUBJECTS else ""
        yield f"{len(subjects.dropped)} subject(s) without any outcome left out: {names}{more}"
