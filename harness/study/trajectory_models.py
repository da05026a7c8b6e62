"""S6, trajectory models: every scale by the plan, with rivals, stability, and what can't be told from them."""

from collections.abc import Sequence

from harness.study.class_choice import class_choice
from harness.study.class_description import class_description
from harness.study.class_sensitivity import class_sensitivity
from harness.study.cross_check import cross_checks
from harness.study.data import StudyData
from harness.study.model_rows import shared_visits
from harness.study.parts import Later, Part, section_of
from harness.study.plan import StudyPlan
from harness.study.section import Section
from harness.study.trajectories import ScaleTrajectories, fit_trajectories
from harness.study.trajectory_figures import trajectory_pictures

KEY, TITLE = "S6", "Trajectory models"


def trajectory_models(data: StudyData, plan: StudyPlan) -> Section:
    """Return the section of trajectory models, estimates of the reported ones with R's verdict.

    Raises
    ------
    DurabilityNotEstimable
        The plan's models reach into a follow-up that a protocol lacks.
    SpecError
        A model that can't be fitted; with all reasons.
    """
    with cross_checks(wanted=plan.cross_check) as checks:
        parts = begin_trajectory_models(fit_trajectories(data, plan, checks), data, plan)
        return section_of(KEY, TITLE, (later() for later in parts))


def begin_trajectory_models(models: Sequence[ScaleTrajectories], data: StudyData, plan: StudyPlan) -> tuple[Later, ...]:
    """Fit what the section needs beyond the models, and return what becomes it when R has answered."""
    visits = shared_visits(data, plan)
    return tuple(later for one in models for later in _of_scale(one, data, plan, visits))


def _of_scale(
    models: ScaleTrajectories, data: StudyData, plan: StudyPlan, visits: tuple[str, ...]
) -> tuple[Later, ...]:
    choice = class_choice(models, plan)
    sensitivity = class_sensitivity(models, data, plan, visits)
    pictures = Part(pictures=trajectory_pictures(models, plan))
    return (
        lambda: choice,
        lambda: class_description(models, data, plan),
        lambda: sensitivity,
        lambda: pictures,
    )
