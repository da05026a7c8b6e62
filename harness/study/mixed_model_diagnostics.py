"""Diagnostics of the mixed models: residuals, explained variance, patients who move the estimates."""

import numpy as np
from matplotlib.figure import Figure
from scipy.special import ndtri

from harness.lmm.result import LmmResult
from harness.study.parts import Later, Part
from harness.study.pictures import COLOURS, picture_of
from harness.study.plan import StudyPlan
from harness.study.section import Cell, Picture, Table
from harness.study.shown import count_cell, scale_title

_QUANTILES = 40
_BINS = 8


def mixed_model_diagnostics(plan: StudyPlan, scale: str, fit: LmmResult) -> Later:
    """Return, later, diagnostics of model A.

    Figures show quantiles and means of residuals, so that no rating can be read off.
    """
    return lambda: Part(
        tables=(_spread(plan, scale, fit), _explained(plan, scale, fit)), pictures=(_residuals(plan, scale, fit),)
    )


def _spread(plan: StudyPlan, scale: str, fit: LmmResult) -> Table:
    found = fit.residual_spread("visit")
    spread = zip(found["visit"], found["count"].to_numpy(), found["standard_deviation"].to_numpy(), strict=True)
    deviation = {str(visit): float(sd) for visit, n, sd in spread if n >= plan.small_cell_limit}
    return Table(
        name=f"{scale}.residuals",
        caption=f"{scale_title(scale)}: residuals of model A by visit",
        header=("visit", "SD of residuals"),
        rows=tuple((visit, deviation.get(visit)) for visit in plan.model_visits),
        digits=(0, 2),
        notes=("Model A has one variance for all visits; model D shows what other covariances do.",),
    )


def _explained(plan: StudyPlan, scale: str, fit: LmmResult) -> Table:
    variances = fit.explained()
    distances = fit.influence().cooks_distance
    m = len(distances)
    influential = int(np.sum(distances > 4 / m))
    standard = fit.residuals().conditional / fit.residuals().conditional.std()
    whole: list[tuple[Cell, ...]] = [
        ("intraclass correlation", float(variances.intraclass[0]), None),
        ("marginal R2", variances.marginal_r2, None),
        ("conditional R2", variances.conditional_r2, None),
        ("skewness of residuals", float(np.mean(standard**3)), None),
        ("excess kurtosis of residuals", float(np.mean(standard**4) - 3), None),
        ("patients with Cook's distance above 4 / m", None, count_cell(influential, m, plan.small_cell_limit)),
        ("largest Cook's distance", float(distances.max()), None),
    ]
    return Table(
        name=f"{scale}.diagnostics",
        caption=f"{scale_title(scale)}: diagnostics of model A",
        header=("what", "value", "n"),
        rows=tuple(whole),
        digits=(0, 3, 0),
        notes=("Cook's distance of a patient is exact, covariance parameters held; m is the number of patients.",),
    )


def _residuals(plan: StudyPlan, scale: str, fit: LmmResult) -> Picture:
    found = fit.residuals()
    fitted, residuals = found.fitted, found.conditional
    figure = Figure(figsize=(7.4, 3.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    order = np.argsort(fitted, kind="stable")
    bins = [part for part in np.array_split(order, _BINS) if len(part) >= plan.small_cell_limit]
    centres = [float(fitted[part].mean()) for part in bins]
    left.errorbar(
        centres,
        [float(residuals[part].mean()) for part in bins],
        yerr=[float(residuals[part].std()) for part in bins],
        fmt="o",
        color=COLOURS[0],
        capsize=3,
        label="mean and SD",
    )
    # A score of 0 lies on this line: residuals can't be below it.
    left.plot(centres, [-centre for centre in centres], color="0.5", linestyle="--", linewidth=1, label="score 0")
    spread = float(residuals.std())
    left.set_ylim(-3.2 * spread, 3.2 * spread)
    left.axhline(0, color="0.5", linewidth=0.8)
    left.set_xlabel("fitted")
    left.set_ylabel("residual")
    left.legend(frameon=False, fontsize="small")
    levels = (np.arange(_QUANTILES) + 0.5) / _QUANTILES
    right.plot(ndtri(levels), np.quantile(residuals, levels) / spread, "o", color=COLOURS[0], markersize=3)
    right.axline((0, 0), slope=1, color="0.5", linewidth=0.8)
    right.set_xlabel("normal quantile")
    right.set_ylabel("residual quantile, in SD")
    tails = np.quantile(residuals / spread, [0.025, 0.975])
    title = scale_title(scale)
    return picture_of(
        figure,
        name=f"{scale}-residuals",
        caption=f"{title}: residuals of model A against fitted values (left), and their quantiles (right).",
        description=(
            f"Left: mean and standard deviation of residuals in {len(bins)} groups of fitted values, with the line "
            "below which no residual can lie because scores end at 0. Right: quantiles of residuals against those of a "
            f"normal distribution; the 2.5 and 97.5 % quantiles are {tails[0]:.2f} and {tails[1]:.2f} standard "
            "deviations, where a normal distribution has -1.96 and 1.96."
        ),
    )
