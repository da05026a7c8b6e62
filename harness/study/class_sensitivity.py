"""Would other assumptions have made the same classes? Rivals and smaller data, and how far assignments agree."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
from scipy.optimize import linear_sum_assignment

from harness.arrays import Codes, Matrix
from harness.choosing import search_orders, spurious_checks
from harness.errors import SpecError
from harness.gbtm.result import GbtmResult
from harness.study.data import StudyData
from harness.study.model_rows import OCCASION
from harness.study.parts import Part
from harness.study.plan import StudyPlan
from harness.study.section import Cell, Table
from harness.study.shown import scale_title
from harness.study.trajectories import ScaleTrajectories
from harness.trajectories import fit_gbtm

STARTS = 10
_DRAWS = 100
_HEADER = (
    "assumption",
    "same ratings",
    "log-likelihood",
    "parameters",
    "BIC (N)",
    "entropy",
    "adjusted Rand",
    "same %",
)


_AGREE = (
    "Same %: patients whose most probable class is the matching one of the reported model; adjusted Rand index: 1 is "
    "full agreement, 0 what chance gives."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """How far two assignments of the same patients agree: Rand's index less chance, and the share in matching classes.

    Classes are matched so that the share is as large as it can be.
    """

    rand: float
    same: float


def agreement(one: Codes, other: Codes) -> Agreement:
    """Return how far two assignments (n,), classes from 1, agree."""
    table = np.zeros((int(one.max()), int(other.max())))
    np.add.at(table, (one - 1, other - 1), 1.0)
    return Agreement(rand=_adjusted_rand(table), same=float(table[linear_sum_assignment(-table)].sum() / table.sum()))


def _adjusted_rand(table: Matrix) -> float:
    """Return the index of Hubert and Arabie (1985); 1 where one partition alone is possible. R: mclust's."""

    def pairs(counts: Matrix) -> float:
        return float(np.sum(counts * (counts - 1)) / 2)

    both, rows, columns = pairs(table), pairs(table.sum(axis=1)), pairs(table.sum(axis=0))
    chance = rows * columns / pairs(table.sum(keepdims=True))
    highest = (rows + columns) / 2
    return 1.0 if highest == chance else (both - chance) / (highest - chance)


def class_sensitivity(models: ScaleTrajectories, data: StudyData, plan: StudyPlan, visits: tuple[str, ...]) -> Part:
    """Return the same number of classes under other assumptions, and signs that classes are spurious.

    Parameters
    ----------
    models, data, plan
        Of one scale, of the study.
    visits
        Those that every protocol has.
    """
    if models.n_classes == 1:
        return Part()
    variants = _variants(models, data, plan, visits)
    rows: list[tuple[Cell, ...]] = [_row("as reported", models, models.fit, same_ratings=True)]
    refused: list[str] = []
    for words, (same_ratings, fit) in variants.items():
        try:
            rows.append(_row(words, models, fit(), same_ratings=same_ratings))
        except SpecError as error:
            refused.append(f"{words}: {error}")
    table = Table(
        name=f"{models.scale}.class_sensitivity",
        caption=f"{scale_title(models.scale)}: {models.n_classes} classes under other assumptions",
        header=_HEADER,
        rows=tuple(rows),
        digits=(0, 0, 1, 0, 1, 2, 2, 0),
        notes=(
            (
                f"{STARTS} starts each. Log-likelihood and BIC compare models of the same ratings only; a model with "
                "limits has another scale."
            ),
            _AGREE,
            *refused,
        ),
    )
    return Part(tables=(table, _signs(models, plan)))


def _variants(
    models: ScaleTrajectories, data: StudyData, plan: StudyPlan, visits: tuple[str, ...]
) -> Mapping[str, tuple[bool, Callable[[], GbtmResult]]]:
    """Return, by words, whether the ratings are the same, and how to fit."""
    K, rows = models.n_classes, models.rows
    fit = partial(fit_gbtm, rows, outcome=models.scale, time=models.time, subject="subject", orders=models.fit.orders)
    fit = partial(fit, n_starts=STARTS, seed=plan.seed)
    limits = {score.name: score.total_range for score in data.imported.mapping.all_scores}[models.scale]
    other = "week" if models.time == OCCASION else OCCASION
    orders = partial(search_orders, rows, outcome=models.scale, time=models.time, subject="subject", n_classes=K)
    found: dict[str, tuple[bool, Callable[[], GbtmResult]]] = {
        "orders reduced by BIC": (
            True,
            lambda: orders(highest=max(models.fit.orders), n_starts=STARTS, seed=plan.seed).best,
        ),
        "sigma of each class": (True, partial(fit, sigma="class")),
        "errors AR(1) within class": (True, partial(fit, errors="ar1")),
        "random intercept within class": (True, partial(fit, random=0)),
        f"time axis: {other}": (True, partial(fit, time=other)),
    }
    if limits is not None:
        found["normal with limits of the scale"] = (True, partial(fit, family="censored_normal", limits=limits))
    for words, kept in (("shared visits only", visits), ("without the last visit", plan.model_visits[:-1])):
        if len(kept) > max(models.fit.orders) and kept != plan.model_visits:
            found[words] = (False, partial(_on_visits, fit, rows, kept))
    return found


def _on_visits(fit: "partial[GbtmResult]", rows: pd.DataFrame, visits: tuple[str, ...]) -> GbtmResult:
    return fit.func(rows[rows["visit"].isin(visits)], **fit.keywords)


def _row(words: str, models: ScaleTrajectories, fit: GbtmResult, *, same_ratings: bool) -> tuple[Cell, ...]:
    own = dict(zip(fit.estimates.subject_labels, fit.assignment.tolist(), strict=True))
    pairs = [
        (g, own[subject])
        for subject, g in zip(models.subjects, models.fit.assignment.tolist(), strict=True)
        if subject in own
    ]
    one, other = np.array(pairs).T
    found = agreement(one, other)
    return (
        words,
        "yes" if same_ratings else "no",
        fit.log_likelihood,
        fit.estimates.n_parameters,
        fit.bic,
        fit.entropy,
        found.rand,
        100 * found.same,
    )


def _signs(models: ScaleTrajectories, plan: StudyPlan) -> Table:
    """Return the checks for classes that stand for something else, all classes together."""
    found = spurious_checks(models.fit, draws=_DRAWS, seed=plan.seed).table()
    names = ("check", "latent_class", "value", "expected", "lower", "upper", "stands_out")
    rows: list[tuple[Cell, ...]] = []
    for check, g, *numbers, stands_out in zip(*(found[name].tolist() for name in names), strict=True):
        if g == 0 and not np.isnan(numbers).any():
            value = _share_cell(check, float(numbers[0]), models, plan)
            rows.append((check, value, *map(float, numbers[1:]), "yes" if stands_out else "no"))
    return Table(
        name=f"{models.scale}.spurious",
        caption=f"{scale_title(models.scale)}: what is left within classes, against outcomes drawn from the model",
        header=("check", "value", "expected", "0.5 %", "99.5 %", "stands out"),
        rows=tuple(rows),
        digits=(0, 3, 3, 3, 3, 0),
        notes=(
            f"{_DRAWS} outcomes drawn. These checks can speak against classes; none can show that classes are real.",
        ),
    )


def _share_cell(check: str, value: float, models: ScaleTrajectories, plan: StudyPlan) -> Cell:
    """Return a value; a share of ratings that stands for few of them is withheld."""
    n = models.fit.estimates.n_observations
    is_small = check.startswith("share at") and 0 < value * n < plan.small_cell_limit
    return f"< {plan.small_cell_limit / n:.3f}" if is_small else value
