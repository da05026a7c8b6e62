"""S5, mixed models: the plan A to G for every scale."""

from collections.abc import Iterator

import pandas as pd

from harness.study.continuous_time import continuous_time
from harness.study.covariance_structures import covariance_structures
from harness.study.cross_check import CrossChecks, cross_checks
from harness.study.data import StudyData
from harness.study.mixed_model_diagnostics import mixed_model_diagnostics
from harness.study.mixed_model_figures import changes_picture, means_picture
from harness.study.model_rows import model_rows, shared_visits
from harness.study.parts import Later, Part, section_of
from harness.study.plan import StudyPlan
from harness.study.protocol_contrasts import protocol_contrasts
from harness.study.scales_together import scales_together
from harness.study.section import Section
from harness.study.visit_contrasts import visit_contrasts, visit_model

KEY, TITLE = "S5", "Mixed models"


def mixed_models(data: StudyData, plan: StudyPlan) -> Section:
    """Return the section of mixed models, every estimate with R's verdict.

    Raises
    ------
    DurabilityNotEstimable
        The plan's models reach into a follow-up that a protocol lacks.
    SpecError
        A scale on which the models can't be fitted; with all reasons.
    """
    with cross_checks(wanted=plan.cross_check) as checks:
        return section_of(KEY, TITLE, (later() for later in begin_mixed_models(data, plan, checks)))


def begin_mixed_models(data: StudyData, plan: StudyPlan, checks: CrossChecks) -> tuple[Later, ...]:
    """Fit all models, ask R, and return what becomes the section when R has answered."""
    rows = model_rows(data, plan)
    visits = shared_visits(data, plan)
    each = (later for scale in plan.scales for later in _of_scale(rows, plan, scale.name, visits, checks))
    return (_introduction(plan, visits), *each, scales_together(rows, plan, data, checks))


def _of_scale(
    rows: pd.DataFrame, plan: StudyPlan, scale: str, visits: tuple[str, ...], checks: CrossChecks
) -> Iterator[Later]:
    fit = visit_model(rows, scale)
    contrasts = visit_contrasts(rows, plan, scale, fit, checks)
    yield lambda: _with_pictures(contrasts(), rows, plan, scale)
    yield protocol_contrasts(rows, plan, scale, visits, checks)
    yield continuous_time(rows, plan, scale, checks)
    yield covariance_structures(rows, plan, scale, checks)
    yield mixed_model_diagnostics(plan, scale, fit)


def _with_pictures(part: Part, rows: pd.DataFrame, plan: StudyPlan, scale: str) -> Part:
    changes = [estimate for estimate in part.estimates if estimate.path.startswith(f"{scale}.change.")]
    return Part(
        paragraphs=part.paragraphs,
        tables=part.tables,
        pictures=(means_picture(rows, plan, scale), changes_picture(plan, scale, changes)),
        estimates=part.estimates,
    )


def _introduction(plan: StudyPlan, visits: tuple[str, ...]) -> Later:
    compared = ""
    if len(plan.protocols) > 1:
        every = len(visits) == len(plan.model_visits)
        why = "all of them" if every else "the others are not planned in every protocol"
        compared = f" Protocols are compared on {', '.join(visits)}: {why}."
    sentence = (
        f"Models use the visits {', '.join(plan.model_visits)}. Likelihood handles missing ratings if they are missing "
        f"at random; section S10 asks what if they are not.{compared}"
    )
    return lambda: Part(paragraphs=(sentence,))
