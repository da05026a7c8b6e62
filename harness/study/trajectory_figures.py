"""Figures of the classes: curves with bands over observed means, courses of patients, all numbers side by side."""

from dataclasses import dataclass

from harness.gbtm.figure import Drawn, search, side_by_side, spaghetti, trajectories
from harness.gbtm.result import GbtmResult
from harness.gbtm.selection.models import class_name
from harness.study.model_rows import time_words
from harness.study.pictures import picture_of
from harness.study.plan import StudyPlan
from harness.study.section import Picture
from harness.study.shown import scale_title
from harness.study.trajectories import ScaleTrajectories, sizes_of
from harness.suppression import suppress_counts


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SafelyDrawn(Drawn):
    """A model as figures show it, shares of small classes withheld; `sizes` are texts of the shares."""

    sizes: tuple[str, ...]

    @property
    def labels(self) -> list[str]:
        """One label a class, with its share where that may be shown."""
        return [f"class {g} ({text})" for g, text in enumerate(self.sizes, start=1)]


def trajectory_pictures(models: ScaleTrajectories, plan: StudyPlan) -> tuple[Picture, ...]:
    """Return the figures of one scale."""
    return (_classes(models, plan), _courses(models, plan), _all_numbers(models, plan), _search(models))


def _drawn(fit: GbtmResult, plan: StudyPlan) -> SafelyDrawn:
    K = fit.design.n_classes
    safe = suppress_counts(sizes_of(fit.assignment, K).tolist(), plan.small_cell_limit)
    shares = zip(safe.texts(), safe.counts, fit.class_shares, strict=True)
    drawn = fit.drawn()
    return SafelyDrawn(
        curves=drawn.curves,
        observed=drawn.observed,
        shares=drawn.shares,
        time=drawn.time,
        outcome=scale_title(fit.spec.outcome),
        sizes=tuple(text if count is None else f"{100 * share:.1f} %" for text, count, share in shares),
    )


def _classes(models: ScaleTrajectories, plan: StudyPlan) -> Picture:
    drawn, title = _drawn(models.fit, plan), scale_title(models.scale)
    curves = drawn.curves
    told = []
    for g, label in enumerate(drawn.labels, start=1):
        fitted = curves.loc[curves["latent_class"] == g, "fitted"].to_numpy()
        told.append(f"{label} goes from {fitted[0]:.1f} to {fitted[-1]:.1f}")
    figure = trajectories(drawn)
    axes = figure.axes[0]
    axes.set_xlabel(time_words(models.time))
    for g in range(1, models.n_classes + 1):
        last = curves[curves["latent_class"] == g].to_dict("records")[-1]
        axes.annotate(f" {g}", (float(last[models.time]), float(last["fitted"])), va="center", fontsize="small")
    return picture_of(
        figure,
        name=f"{models.scale}-classes",
        caption=f"{title}: fitted curves of {models.n_classes} classes with 95 % bands, over observed means.",
        description=f"One curve a class: {'; '.join(told)}. Dots are means weighted by class probabilities.",
    )


def _courses(models: ScaleTrajectories, plan: StudyPlan) -> Picture:
    """Return patients' courses by most probable class; a class with a size that is withheld has none."""
    drawn = _drawn(models.fit, plan)
    counts = sizes_of(models.fit.assignment, models.n_classes)
    assignment = models.fit.assignment.copy()
    for g in range(1, models.n_classes + 1):
        if counts[g - 1] < plan.small_cell_limit or not models.is_shown(g):
            assignment[assignment == g] = 0
    figure = spaghetti(drawn, models.fit.design.outcomes[0], assignment)
    figure.supxlabel(time_words(models.time))
    for axes, label in zip(figure.axes, drawn.labels, strict=True):
        axes.set_title(label, fontsize="small")
    hidden = [g for g in range(1, models.n_classes + 1) if not models.is_shown(g)]
    without = f" Class {', '.join(map(str, hidden))}: no courses, because its size is withheld." if hidden else ""
    return picture_of(
        figure,
        name=f"{models.scale}-courses",
        caption=f"{scale_title(models.scale)}: observed courses by most probable class, under the fitted curve.",
        description=f"One panel a class, a thin line for each patient and a thick one for the fitted curve.{without}",
    )


def _all_numbers(models: ScaleTrajectories, plan: StudyPlan) -> Picture:
    fits = models.selection.fits
    titles = [f"{class_name(K)}, BIC {fit.bic:.1f}" for K, fit in fits.items()]
    figure = side_by_side([_drawn(fit, plan) for fit in fits.values()], titles)
    figure.supxlabel(time_words(models.time))
    return picture_of(
        figure,
        name=f"{models.scale}-numbers",
        caption=f"{scale_title(models.scale)}: curves of {', '.join(map(str, fits))} classes side by side.",
        description=f"One panel a number of classes, on the same axes: {'; '.join(titles)}.",
    )


def _search(models: ScaleTrajectories) -> Picture:
    fit = models.fit.fit
    return picture_of(
        search(fit),
        name=f"{models.scale}-search",
        caption=f"{scale_title(models.scale)}: where every start of the search ended, by kind of start.",
        description=(
            f"{fit.n_starts} dots, one a start, at the log-likelihood where it ended; "
            f"{100 * fit.hit_rate:.0f} % lie at the best one, and there are {len(fit.optima)} distinct ends."
        ),
    )
