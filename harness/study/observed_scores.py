"""Scores as they were observed: their distribution at each visit, and means by protocol with intervals."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from harness.arrays import Mask, Vector
from harness.study.data import StudyData
from harness.study.firewall import subjects_of
from harness.study.pictures import colour_of, marker_of, picture_of
from harness.study.plan import StudyPlan
from harness.study.section import Cell, Picture, Table
from harness.study.shown import count_cell, scale_title
from harness.two_samples.balance import skewness
from harness.two_samples.mean_intervals import mean_interval


def distribution(data: StudyData, plan: StudyPlan) -> Table:
    """Return mean, spread, skewness and ends of every scale at every visit, by protocol."""
    rows: list[tuple[Cell, ...]] = []
    for scale in plan.scales:
        ends = next(score.total_range for score in plan.mapping.all_scores if score.name == scale.name) or (0.0, 0.0)
        for protocol in plan.protocols:
            of = len(subjects_of(data, protocol))
            for visit in (*plan.treatment_visits, *plan.follow_up_visits):
                values = scores_at(data, scale.name, protocol, visit)
                if not values.size:
                    continue
                row = (scale_title(scale.name), protocol, visit, count_cell(values.size, of, plan.small_cell_limit))
                rows.append((*row, *_described(values, ends, plan.small_cell_limit)))
    return Table(
        name="distribution",
        caption="Observed scores at each visit",
        header=(
            *("scale", "protocol", "visit", "patients", "mean", "SD", "skewness"),
            *("patients at the lowest score", "patients at the highest score"),
        ),
        rows=tuple(rows),
        digits=(0, 0, 0, 0, 1, 1, 2),
    )


def _described(values: Vector, ends: tuple[float, float], limit: int) -> tuple[Cell, ...]:
    if values.size < limit:
        return (None,) * 5
    at = [count_cell(int(np.sum(values == end)), values.size, limit) for end in ends]
    return (float(values.mean()), float(values.std(ddof=1)), skewness(values), *at)


def means_picture(data: StudyData, plan: StudyPlan) -> Picture:
    """Return the figure of means at the visits of the models with 95 % intervals of the t distribution, by protocol."""
    return draw_means(
        data,
        plan,
        dict.fromkeys(plan.protocols, plan.model_visits),
        name="observed_means",
        caption="Observed means with 95 % intervals by protocol, at the mean day of each visit",
    )


def draw_means(
    data: StudyData, plan: StudyPlan, visits: Mapping[str, Sequence[str]], *, name: str, caption: str
) -> Picture:
    """Return the figure of means of every scale at visits by protocol.

    Visits at which fewer patients were rated than may be counted are left out.
    """
    figure = Figure(figsize=(4 * max(2, len(plan.scales)), 3.6), layout="constrained")
    axes = figure.subplots(1, len(plan.scales), squeeze=False)[0]
    said = []
    for scale, panel in zip(plan.scales, axes, strict=True):
        for place, (protocol, labels) in enumerate(visits.items()):
            points = [
                (_mean_day(data, scale.name, protocol, visit), values)
                for visit in labels
                if (values := scores_at(data, scale.name, protocol, visit)).size >= plan.small_cell_limit
            ]
            if not points:
                continue
            days, means = [day for day, _ in points], [float(values.mean()) for _, values in points]
            half = [mean - mean_interval(values).lower for mean, (_, values) in zip(means, points, strict=True)]
            drawn = panel.errorbar(days, means, yerr=half, capsize=3, label=protocol, color=colour_of(place))
            drawn.lines[0].set_marker(marker_of(place))
            said.append(f"{scale_title(scale.name)}, {protocol!r}: from {means[0]:.1f} to {means[-1]:.1f}")
        panel.set_title(scale_title(scale.name))
        panel.set_xlabel("days since the first treatment")
        panel.set_ylim(bottom=0)
    axes[0].set_ylabel("mean score")
    if said:
        axes[0].legend(title="protocol", frameon=False)
    return picture_of(
        figure, name=name, caption=caption, description="; ".join(said) or "No visit has enough patients."
    )


def scores_at(data: StudyData, scale: str, protocol: str, visit: str) -> Vector:
    """Return the observed scores of a protocol at a visit."""
    rows = _rows(data, protocol, visit)
    values = data.cohort.numeric[scale][rows]
    return values[~np.isnan(values)]


def _mean_day(data: StudyData, scale: str, protocol: str, visit: str) -> float:
    rows = _rows(data, protocol, visit) & ~np.isnan(data.cohort.numeric[scale])
    return float(data.cohort.numeric["day"][rows].mean())


def _rows(data: StudyData, protocol: str, visit: str) -> Mask:
    visits, protocols = data.cohort.factors["visit"], data.cohort.factors["protocol"]
    if visit not in visits.levels:
        return np.zeros(data.cohort.n_rows, dtype=bool)
    at = visits.codes == visits.levels.index(visit)
    return np.asarray(at & (protocols.codes == protocols.levels.index(protocol)))
