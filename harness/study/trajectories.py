"""Trajectory models of every scale: all numbers of classes, and the one that the plan declares."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from harness.arrays import Codes
from harness.choosing import select_classes
from harness.errors import Problem, SpecError
from harness.gbtm.result import GbtmResult
from harness.gbtm.selection.selection import Selection
from harness.study.cross_check import Asked, CrossChecks
from harness.study.data import StudyData
from harness.study.model_rows import OCCASION, model_rows, time_column
from harness.study.plan import StudyPlan
from harness.suppression import SafeCounts, suppress_counts


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ScaleTrajectories:
    """The models of one scale.

    Attributes
    ----------
    scale, time
        Columns of the outcome and of the time axis.
    rows
        As `model_rows` gives them.
    selection
        All numbers of classes with their rivals.
    fit
        The model with the number of classes that the plan declares, or that BIC chooses where it declares none.
    declared
        Whether the plan did.
    asked
        R's verdict on the fit.
    sizes
        How many patients have each class as their most probable one, as they may be shown.
    """

    scale: str
    time: str
    rows: pd.DataFrame
    selection: Selection
    fit: GbtmResult
    declared: bool
    asked: Asked
    sizes: SafeCounts

    @property
    def n_classes(self) -> int:
        """How many classes the reported model has."""
        return self.fit.design.n_classes

    @property
    def n_patients(self) -> int:
        """Patients with a score."""
        return self.fit.estimates.n_subjects

    @property
    def subjects(self) -> tuple[str, ...]:
        """Labels of the patients, in the order of posteriors and assignments."""
        return self.fit.estimates.subject_labels

    def assigned(self) -> pd.Series:
        """Return the most probable class of each patient, from 1, by subject."""
        return pd.Series(self.fit.assignment, index=pd.Index(self.subjects, name="subject"))

    def share_text(self, g: int) -> str:
        """Return the estimated share of class g (from 1) in percent, or that it is withheld as its size is."""
        text = self.sizes.texts()[g - 1]
        return f"{100 * self.fit.class_shares[g - 1]:.1f} %" if self.sizes.counts[g - 1] is not None else text

    def is_shown(self, g: int) -> bool:
        """Tell whether the size of class g (from 1), and what tells it, may be shown."""
        return self.sizes.counts[g - 1] is not None


def fit_trajectories(data: StudyData, plan: StudyPlan, checks: CrossChecks) -> tuple[ScaleTrajectories, ...]:
    """Return the models of every scale, in the plan's order; R is asked about the reported ones.

    Raises
    ------
    DurabilityNotEstimable
        The plan's models reach into a follow-up that a protocol lacks.
    SpecError
        A model that can't be fitted, or a declared number of classes that is not among those tried.
    """
    rows = model_rows(data, plan)
    return tuple(_of_scale(rows, plan, scale.name, checks) for scale in plan.scales)


def _of_scale(rows: pd.DataFrame, plan: StudyPlan, scale: str, checks: CrossChecks) -> ScaleTrajectories:
    time = time_column(plan)
    declared = plan.chosen_classes.get(scale)
    if declared is not None and declared not in plan.classes:
        tried = f"one of {', '.join(map(str, plan.classes))}, which are tried"
        raise SpecError("trajectories", [Problem(column=scale, found=f"{declared} classes", expected=tried)])
    selection = select_classes(
        rows[["subject", OCCASION, "week", scale]],
        outcome=scale,
        time=time,
        subject="subject",
        order=plan.order,
        n_classes=plan.classes,
        n_starts=plan.starts,
        seed=plan.seed,
    )
    fit = selection.fits[selection.best() if declared is None else declared]
    return ScaleTrajectories(
        scale=scale,
        time=time,
        rows=rows,
        selection=selection,
        fit=fit,
        declared=declared is not None,
        asked=checks.ask(fit, "lcmm", "flexmix"),
        sizes=suppress_counts(sizes_of(fit.assignment, fit.design.n_classes).tolist(), plan.small_cell_limit),
    )


def sizes_of(assignment: Codes, n_classes: int) -> Codes:
    """Return how many patients have each class (K,) as their most probable one."""
    return np.bincount(assignment - 1, minlength=n_classes)
