"""Tables of follow-up: changes, responses that were kept, relapse, and who was followed at all."""

import math
from collections.abc import Sequence

import numpy as np

from harness.arrays import Vector
from harness.rates import Proportion, wilson
from harness.study.data import StudyData
from harness.study.follow_up import Afterwards, Visit, compare_changes, compare_kept_response
from harness.study.plan import StudyPlan
from harness.study.rate_tables import WITHHELD
from harness.study.section import Cell, Table
from harness.study.shown import count_cell, p_cell, scale_title
from harness.two_samples.balance import difference_of_means
from harness.two_samples.mean_intervals import mean_interval


def may_be_shown(rate: Proportion, plan: StudyPlan, *, of: int) -> bool:
    """Tell whether neither the events of a rate nor the others are few, nor those of a group who have no answer."""
    return all(count == 0 or count >= plan.small_cell_limit for count in (rate.events, rate.others, of - rate.n))


def changes_table(visits: Sequence[Visit], plan: StudyPlan) -> Table:
    """Return the mean changes since the end of treatment with intervals of the t distribution."""
    rows: list[tuple[Cell, ...]] = []
    for one in visits:
        names = (scale_title(one.scale), one.protocol, one.visit)
        n = one.changes.size
        if n < plan.small_cell_limit:
            rows.append((*names, count_cell(n, n, plan.small_cell_limit), None, None, None, None))
            continue
        found = mean_interval(one.changes)
        spread = float(one.changes.std(ddof=1))
        rows.append((*names, n, found.estimate, found.lower, found.upper, spread))
    return Table(
        name="changes",
        caption="Mean change of the score since the end of treatment; above zero is worse",
        header=("scale", "protocol", "visit", "patients", "mean", "lower", "upper", "SD"),
        rows=tuple(rows),
        digits=(0, 0, 0, 0, 2, 2, 2, 1),
    )


def kept_table(visits: Sequence[Visit], plan: StudyPlan) -> Table:
    """Return how many responders still respond, with the bounds that those not rated leave open."""
    rows: list[tuple[Cell, ...]] = []
    for one in visits:
        names = (scale_title(one.scale), one.protocol, one.visit)
        shown = may_be_shown(one.kept, plan, of=one.responders)
        counts = _chain((one.responders, one.kept.n, one.kept.events), plan.small_cell_limit)
        rate = wilson(one.kept)
        share = _share(rate.estimate, rate.lower, rate.upper) if shown else WITHHELD
        worst, best = one.bounds
        bounds = f"{_percent(worst)} to {_percent(best)} %" if shown else WITHHELD
        rows.append((*names, *counts, share, bounds))
    return Table(
        name="kept",
        caption="Responders at the end of treatment who still respond",
        header=(
            *("scale", "protocol", "visit", "responders", "responders rated", "responders who still respond"),
            *("% (95 % interval)", "bounds"),
        ),
        rows=tuple(rows),
        notes=(
            "Wilson's intervals. Bounds: those not rated count as having lost their response, or as having kept it.",
        ),
    )


def afterwards_table(found: Sequence[Afterwards], plan: StudyPlan) -> Table:
    """Return sustained response and relapse over all ratings that count."""
    rows: list[tuple[Cell, ...]] = []
    for one in found:
        limit = plan.small_cell_limit
        rate = wilson(one.answered)
        rows.append(
            (
                scale_title(one.scale),
                one.protocol,
                one.question,
                *_chain((one.at_risk, one.answered.n, one.answered.events), limit),
                _share(rate.estimate, rate.lower, rate.upper)
                if may_be_shown(one.answered, plan, of=one.at_risk)
                else WITHHELD,
            )
        )
    rules = [scale.relapse.describe()["relapse"] for scale in plan.scales if scale.relapse is not None]
    return Table(
        name="afterwards",
        caption="Sustained response and relapse",
        header=(
            *("scale", "protocol", "question", "patients it is about", "patients with enough ratings"),
            *("patients with it", "% (95 % interval)"),
        ),
        rows=tuple(rows),
        notes=(
            "Sustained: a response at the end of treatment and at every later rating that counts, one at least.",
            *(f"Relapse: {rule}." for rule in rules),
        ),
    )


def followed_table(data: StudyData, plan: StudyPlan, visits: Sequence[Visit]) -> Table:
    """Return how those who were followed differ from those who were not, before and at the end of treatment."""
    rows: list[tuple[Cell, ...]] = []
    for one in visits:
        for when, values in _before(data, plan, one).items():
            sides = [
                np.array([values[subject] for subject, is_followed in one.followed.items() if is_followed is side])
                for side in (True, False)
            ]
            sides = [side[~np.isnan(side)] for side in sides]
            enough = [side.size >= plan.small_cell_limit for side in sides]
            size = difference_of_means(*sides) if all(enough) else float("nan")
            rows.append(
                (
                    *(scale_title(one.scale), one.protocol, one.visit, when),
                    *(_mean(side) if fits else WITHHELD for side, fits in zip(sides, enough, strict=True)),
                    None if math.isnan(size) else size,
                )
            )
    return Table(
        name="followed",
        caption="Patients who were followed against those who were not: scores before follow-up, mean (SD)",
        header=("scale", "protocol", "visit", "score", "followed", "not followed", "standardised difference"),
        rows=tuple(rows),
        digits=(0, 0, 0, 0, 0, 0, 2),
    )


def _before(data: StudyData, plan: StudyPlan, visit: Visit) -> dict[str, dict[str, float]]:
    """Return the scores of patients at baseline and at the end of treatment."""
    found: dict[str, dict[str, float]] = {"baseline": {}, "end of treatment": {}}
    for subject in visit.followed:
        course = data.courses[visit.scale][subject]
        place = plan.end_of_treatment[visit.protocol].place(course)
        last = None if place is None else course.scores[place]
        for when, score in (("baseline", course.baseline), ("end of treatment", last)):
            found[when][subject] = math.nan if score is None else float(score)
    return found


def comparisons_table(data: StudyData, plan: StudyPlan, visits: Sequence[Visit]) -> Table:
    """Return protocols compared at visits at which all of them were followed.

    Raises
    ------
    DurabilityNotEstimable
        One of them was not.
    """
    rows: list[tuple[Cell, ...]] = []
    reference = next(iter(plan.protocols))
    scales = {scale.name: scale for scale in plan.scales}
    of = {(one.scale, one.protocol, one.visit): one for one in visits}
    for one in visits:
        if one.protocol == reference or (one.scale, reference, one.visit) not in of:
            continue
        before = of[one.scale, reference, one.visit]
        asked = (data, plan, scales[one.scale], one.visit)
        kept = compare_kept_response(*asked, other=one.protocol, reference=reference)
        change, p = compare_changes(*asked, other=one.protocol, reference=reference)
        shown = all(may_be_shown(visit.kept, plan, of=visit.responders) for visit in (one, before))
        enough = min(one.changes.size, before.changes.size) >= plan.small_cell_limit
        rows.append(
            (
                *(scale_title(one.scale), one.visit, f"{one.protocol} against {reference}"),
                _share(kept.estimate, kept.lower, kept.upper) if shown else WITHHELD,
                f"{change.estimate:.2f} ({change.lower:.2f} to {change.upper:.2f})" if enough else WITHHELD,
                p_cell(p) if enough else WITHHELD,
            )
        )
    return Table(
        name="comparisons",
        caption="Protocols compared after treatment, where all were followed",
        header=(
            *("scale", "visit", "protocols", "difference of kept responses in points (95 % interval)"),
            *("difference of mean changes (95 % interval)", "p of the difference of means"),
        ),
        rows=tuple(rows),
        notes=("Newcombe's interval for shares, Welch's for means.",),
    )


def _chain(counts: Sequence[int], limit: int) -> list[Cell]:
    """Return counts, each a part of the one before; after one that is withheld, limits of a part would tell it."""
    cells: list[Cell] = []
    for n, of in zip(counts, (counts[0], *counts), strict=False):
        known = not cells or isinstance(cells[-1], int)
        cells.append(count_cell(n, of, limit) if known else WITHHELD)
    return cells


def _share(estimate: float, lower: float, upper: float) -> Cell:
    if math.isnan(estimate):
        return None
    low, high = (f"{100 * limit:.1f}" for limit in (lower, upper))
    return f"{100 * estimate:.1f} ({low} to {high})"


def _percent(rate: Proportion) -> str:
    return f"{100 * rate.events / rate.n:.1f}" if rate.n else "-"


def _mean(values: Vector) -> str:
    return f"{values.mean():.1f} ({values.std(ddof=1):.1f})"
