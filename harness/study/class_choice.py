"""Which curve and how many classes: the table of all models, what it says, and what tests say of one class less."""

import re
from collections.abc import Hashable, Iterator, Mapping
from typing import Any

import numpy as np

from harness.choosing import blrt, selection_stability, vuong_lo_mendell_rubin
from harness.errors import SpecError
from harness.gbtm.selection.selection import Selection
from harness.gbtm.selection.vuong import WARNING
from harness.study.parts import Part
from harness.study.plan import StudyPlan
from harness.study.section import Cell, Table
from harness.study.shown import p_words, scale_title
from harness.study.trajectories import ScaleTrajectories
from harness.trajectories import fit_gbtm

HIGHEST_ORDER = 3
_HEADER = (
    *("model", "log-likelihood", "parameters", "AIC", "BIC (N)", "BIC (ratings)", "SABIC", "ICL", "entropy"),
    *("smallest share %", "fewest assigned", "lowest APP", "lowest OCC", "largest mismatch %", "hit rate %", "ends"),
    "proper",
)
_DIGITS = (0, 1, 0, 1, 1, 1, 1, 1, 3, 1, 0, 2, 1, 1, 0, 0, 0)
_COLUMNS = (
    "APP, OCC: lowest over classes of the average posterior probability and of the odds of correct classification; "
    "mismatch: estimated share less share assigned; hit rate: starts that ended within 0.001 of the best "
    "log-likelihood; ends: distinct maxima found."
)
_VERDICTS = ("Best by", "The criteria")
_CAUTION = WARNING.replace(", see blrt()", "")
_SIZES = re.compile(r"^(?P<model>.*): the smallest class has .* person\(s\) assigned\.$")


def class_choice(models: ScaleTrajectories, plan: StudyPlan) -> Part:
    """Return the tables of curves and of numbers of classes, and what they say."""
    title = scale_title(models.scale)
    flags = list(_flags(models.selection, plan))
    verdicts = [text for text in flags if text.startswith(_VERDICTS)]
    warnings = [text for text in flags if text not in verdicts] + list(_undeclared(models))
    return Part(
        paragraphs=(*_chosen(models, plan), f"{title}: {' '.join(verdicts)}", *_tests(models, plan)),
        tables=(_curves(models, plan), _numbers(models, plan)),
        warnings=tuple(f"{title}: {text}" for text in warnings),
    )


def _curves(models: ScaleTrajectories, plan: StudyPlan) -> Table:
    """Return polynomials of one class, the functional form before any class."""
    highest = min(HIGHEST_ORDER, len(plan.model_visits) - 1)
    fits = [
        fit_gbtm(models.rows, outcome=models.scale, time=models.time, subject="subject", orders=(order,), n_starts=1)
        for order in range(highest + 1)
    ]
    return Table(
        name=f"{models.scale}.one_class",
        caption=f"{scale_title(models.scale)}: polynomials of one class",
        header=("order", "log-likelihood", "parameters", "AIC", "BIC (N)"),
        rows=tuple(
            (order, fit.log_likelihood, fit.estimates.n_parameters, fit.aic, fit.bic) for order, fit in enumerate(fits)
        ),
        digits=(0, 1, 0, 1, 1),
        notes=(f"The plan declares order {plan.order} for every class.",),
    )


def _numbers(models: ScaleTrajectories, plan: StudyPlan) -> Table:
    return Table(
        name=f"{models.scale}.numbers_of_classes",
        caption=f"{scale_title(models.scale)}: numbers of classes, and mixed models as rivals",
        header=_HEADER,
        rows=tuple(
            _row(models, plan, one.name, row)
            for one, row in zip(models.selection.candidates, models.selection.table().to_dict("records"), strict=True)
        ),
        digits=_DIGITS,
        notes=(
            f"{len(models.selection.candidates)} models; {plan.starts} starts, fewer for rivals; seed {plan.seed}.",
            _COLUMNS,
            f"Shares and sizes that come from fewer than {plan.small_cell_limit} patients are withheld.",
        ),
    )


def _row(models: ScaleTrajectories, plan: StudyPlan, name: str, row: Mapping[Hashable, Any]) -> tuple[Cell, ...]:
    few = int(row["smallest_assigned"]) < plan.small_cell_limit
    share = 100 * plan.small_cell_limit / models.n_patients
    one_class = row["n_classes"] == 1
    lowest_occ = float(row["lowest_occ"])
    return (
        name,
        float(row["log_likelihood"]),
        int(row["n_parameters"]),
        *(float(row[key]) for key in ("aic", "bic_subjects", "bic_observations", "sabic", "icl", "entropy")),
        f"< {share:.1f}" if few else 100 * float(row["smallest_share"]),
        f"< {plan.small_cell_limit}" if few else int(row["smallest_assigned"]),
        float(row["lowest_average_posterior"]),
        None if one_class or np.isnan(lowest_occ) else lowest_occ,
        100 * float(row["largest_mismatch"]),
        100 * float(row["hit_rate"]),
        int(row["distinct_optima"]),
        "yes" if row["proper"] else "no",
    )


def _chosen(models: ScaleTrajectories, plan: StudyPlan) -> Iterator[str]:
    title, K = scale_title(models.scale), models.n_classes
    search = models.fit.fit
    if models.declared:
        reason = f" Reason given: {plan.reason_for_classes}" if plan.reason_for_classes else ""
        yield f"{title}: the plan declares {K} classes.{reason}"
    else:
        yield f"{title}: {K} classes have the lowest BIC (N)."
    yield (
        f"{title}, {K} classes: {100 * search.hit_rate:.0f} % of {search.n_starts} starts ended within 0.001 of the "
        f"best log-likelihood, {models.fit.log_likelihood:.3f}{_second_best(models)}."
    )


def _second_best(models: ScaleTrajectories) -> str:
    optima = models.fit.fit.optima
    others = [optimum for k, optimum in enumerate(optima) if k != models.fit.fit.chosen]
    if not others:
        return "; there was no other end"
    return f"; the next best end is {models.fit.log_likelihood - others[0].log_likelihood:.3f} below it"


def _undeclared(models: ScaleTrajectories) -> Iterator[str]:
    if not models.declared:
        yield "No number of classes was declared; the one with the lowest BIC tends to be too large."


def _flags(selection: Selection, plan: StudyPlan) -> Iterator[str]:
    """Yield what the table of models says, sizes of small classes withheld."""
    for text in selection.flags:
        found = _SIZES.match(text)
        if found is None:
            yield text
        else:
            yield f"{found['model']}: the smallest class is small (5 % or less, or below {plan.small_cell_limit})."


def _tests(models: ScaleTrajectories, plan: StudyPlan) -> Iterator[str]:
    """Yield tests of the reported number against one class less, and of the whole choice by samples."""
    smaller = models.selection.fits.get(models.n_classes - 1)
    title = scale_title(models.scale)
    if smaller is not None:
        K = models.n_classes
        try:
            test = vuong_lo_mendell_rubin(smaller, models.fit)
            yield f"{title}, {K - 1} against {K} classes: Vuong-Lo-Mendell-Rubin {p_words(test.adjusted_p)}. {_CAUTION}"
        except SpecError as error:
            yield f"{title}: the test of Vuong, Lo, Mendell and Rubin could not be made: {error}"
        if plan.bootstrap_replicates:
            ratio = blrt(smaller, models.fit, plan.bootstrap_replicates, seed=plan.seed)
            yield (
                f"{title}, {K - 1} against {K} classes: likelihood ratio {ratio.statistic:.2f}, {p_words(ratio.p)} by "
                f"{plan.bootstrap_replicates} outcomes drawn from {K - 1} classes."
            )
    if plan.bootstrap_replicates:
        found = selection_stability(models.selection, plan.bootstrap_replicates, seed=plan.seed)
        shares = found.selected()
        told = ", ".join(f"{100 * share:.0f} % {name}" for name, share in shares.items() if share > 0)
        yield f"{title}: BIC (N) chooses in {plan.bootstrap_replicates} samples of patients: {told}."
