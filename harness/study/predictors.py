"""S7, predictors of class membership: by three steps, with what uncorrected regressions would have said beside it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from harness.cohorts import cohort_from_frame
from harness.errors import Problem, SpecError
from harness.gbtm.distal.result import PredictorResult
from harness.gbtm.distal.subject_values import covariates_of_subjects
from harness.gbtm.membership import membership_of
from harness.rates import holm
from harness.several_outcomes import membership_predictors
from harness.study.cross_check import no_check
from harness.study.data import StudyData
from harness.study.parts import Part, section_of
from harness.study.plan import StudyPlan
from harness.study.section import Cell, Estimate, Section, Table
from harness.study.shown import denominator, p_cell, p_words, scale_title
from harness.study.trajectories import ScaleTrajectories
from harness.trajectories import fit_gbtm

KEY, TITLE = "S7", "Predictors of class membership"
STARTS = 10
LEAST_PER_COEFFICIENT = 10
"""Patients of the smallest class for each coefficient of a class, below which a warning is given."""
NO_ENGINE = "no engine of R that is installed here corrects for wrong classes"

_STEPS = 200
_SETTLED = 1e-12
_COLUMNS = (
    "Three steps, with limits and p; then odds ratios of regressions on class probabilities and on the most probable "
    "class, both without correction, and with predictors in the mixture itself (one step)."
)
_HEADER = (
    *("class", "predictor", "odds ratio", "2.5 %", "97.5 %", "p"),
    *("posterior-weighted", "most probable class", "one step"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rivals:
    """Odds ratios by class and coefficient without the correction, and with predictors in the mixture itself."""

    weighted: Mapping[tuple[int, str], float]
    modal: Mapping[tuple[int, str], float]
    one_step: Mapping[tuple[int, str], float]


def predictors(models: Sequence[ScaleTrajectories], data: StudyData, plan: StudyPlan) -> Section:
    """Return the section of predictors.

    Raises
    ------
    SpecError
        A predictor is a score, which the classes are made of, or can't be used.
    """
    scores = [scale.name for scale in plan.scales if scale.name in plan.predictors]
    if scores:
        expected = "characteristics that are no scores: classes are made of scores"
        raise SpecError("predictors", [Problem(column=name, found="a score", expected=expected) for name in scores])
    if not plan.predictors:
        return section_of(KEY, TITLE, [Part(paragraphs=("The plan declares no predictors.",))])
    return section_of(KEY, TITLE, [_introduction(plan), *(_of_scale(one, data, plan) for one in models)])


def _introduction(plan: StudyPlan) -> Part:
    sentence = (
        f"Predictors declared: {', '.join(plan.predictors)}. A multinomial logit of the most probable class, corrected "
        "for how often a class is taken for another (three steps, maximum likelihood); the classes stay as they are. "
        "Without the correction differences between classes are understated. Scores of the baseline are no predictors, "
        "because classes are made of them."
    )
    return Part(paragraphs=(sentence,))


def _of_scale(models: ScaleTrajectories, data: StudyData, plan: StudyPlan) -> Part:
    title, K = scale_title(models.scale), models.n_classes
    if K == 1:
        return Part(paragraphs=(f"{title}: one class has no predictors.",))
    rows = models.rows[["subject", *plan.predictors]]
    text = " + ".join(plan.predictors)
    result = membership_predictors(models.fit, rows, text)
    n = denominator(result.estimates.n_subjects, len(data.protocol_of), plan.small_cell_limit)
    tests = result.tests()
    overall = [(str(name), float(p)) for name, p in zip(tests["predictor"], tests["p"].to_numpy(), strict=True)]
    told = "; ".join(f"{name} {p_words(p)}" for name, p in overall)
    return Part(
        paragraphs=(f"{title}, against class {result.estimates.reference}, Wald tests over all classes: {told}.",),
        tables=(
            _ratios(models, plan, result, text),
            _tests(models, overall, tests["df"].tolist(), tests["chi2"].tolist()),
        ),
        estimates=_estimates(models, result, n),
        warnings=tuple(f"{title}: {text}" for text in (*result.warnings, *_few(models, result))),
    )


def _ratios(models: ScaleTrajectories, plan: StudyPlan, result: PredictorResult, text: str) -> Table:
    rivals = _rivals(models, plan, text)
    rows: list[tuple[Cell, ...]] = []
    for row in result.coefficients().to_dict("records"):
        if row["predictor"] == "intercept":
            continue
        at = (int(row["latent_class"]), str(row["predictor"]))
        limits = (float(np.exp(row["lower"])), float(np.exp(row["upper"])))
        others = (rivals.weighted[at], rivals.modal[at], rivals.one_step.get(at))
        rows.append((f"class {at[0]}", at[1], float(row["odds_ratio"]), *limits, p_cell(row["p"]), *others))
    return Table(
        name=f"{models.scale}.predictors",
        caption=(
            f"{scale_title(models.scale)}: odds ratios of each class against class {result.estimates.reference}, "
            "by unit of the predictor"
        ),
        header=_HEADER,
        rows=tuple(rows),
        digits=(0, 0, 3, 3, 3, 3, 3, 3, 3),
        notes=(_COLUMNS,),
    )


def _tests(models: ScaleTrajectories, overall: list[tuple[str, float]], df: list[int], chi2: list[float]) -> Table:
    adjusted = holm([p for _, p in overall])
    return Table(
        name=f"{models.scale}.predictor_tests",
        caption=f"{scale_title(models.scale)}: does a predictor tell any class from the others?",
        header=("predictor", "chi2", "df", "p", "p (Holm)"),
        rows=tuple(
            (name, float(statistic), int(k), p_cell(p), p_cell(q))
            for (name, p), statistic, k, q in zip(overall, chi2, df, adjusted, strict=True)
        ),
        digits=(0, 2, 0, 3, 3),
    )


def _estimates(models: ScaleTrajectories, result: PredictorResult, n: int | None) -> tuple[Estimate, ...]:
    title, reference = scale_title(models.scale), result.estimates.reference
    return tuple(
        Estimate(
            path=f"{models.scale}.predictor.{row['predictor']}.class_{row['latent_class']}",
            label=f"{title}, log-odds of class {row['latent_class']} against {reference}, {row['predictor']}",
            value=float(row["estimate"]),
            standard_error=_known(row["standard_error"]),
            lower=_known(row["lower"]),
            upper=_known(row["upper"]),
            p=_known(row["p"]),
            denominator=n,
            check=no_check(NO_ENGINE),
        )
        for row in result.coefficients().to_dict("records")
        if row["predictor"] != "intercept"
    )


def _few(models: ScaleTrajectories, result: PredictorResult) -> tuple[str, ...]:
    """Return the warning of too many predictors for the smallest class."""
    per_class = len(result.estimates.parameters) // (models.n_classes - 1) - 1
    smallest = int(np.bincount(models.fit.assignment - 1, minlength=models.n_classes).min())
    if smallest >= LEAST_PER_COEFFICIENT * per_class:
        return ()
    sentence = (
        f"the smallest class has fewer than {LEAST_PER_COEFFICIENT} patients for each coefficient; read odds ratios "
        "as a description."
    )
    return (sentence,)


def _rivals(models: ScaleTrajectories, plan: StudyPlan, text: str) -> _Rivals:
    cohort = cohort_from_frame(models.rows[["subject", *plan.predictors]], subject="subject")
    factors, subjects = covariates_of_subjects(cohort, text, models.subjects, models.fit.spec)
    posterior = models.fit.posterior[subjects]
    modal = np.eye(models.n_classes)[posterior.argmax(axis=1)]
    names = ("intercept", *factors.names)

    def ratios(weights: np.ndarray) -> dict[tuple[int, str], float]:
        membership = membership_of(factors, models.n_classes)
        theta = membership.begin(weights.T[None])
        for _ in range(_STEPS):
            moved = membership.m_step(weights.T[None], theta)
            if float(np.abs(moved - theta).max()) < _SETTLED:
                break
            theta = moved
        values = membership.to_user(theta[0]).reshape(len(names), models.n_classes - 1)
        return {
            (g, name): float(np.exp(values[k, g - 1]))
            for k, name in enumerate(names)
            for g in range(1, models.n_classes)
        }

    return _Rivals(weighted=ratios(posterior), modal=ratios(modal), one_step=_one_step(models, plan, text))


def _one_step(models: ScaleTrajectories, plan: StudyPlan, text: str) -> dict[tuple[int, str], float]:
    """Return odds ratios of the mixture with predictors in it, on patients who have all of them."""
    complete = models.rows.dropna(subset=list(plan.predictors))
    fit = fit_gbtm(
        complete,
        outcome=models.scale,
        time=models.time,
        subject="subject",
        orders=models.fit.orders,
        membership=text,
        n_starts=STARTS,
        seed=plan.seed,
    )
    return {
        (int(row["latent_class"]), str(row["parameter"])): float(np.exp(row["estimate"]))
        for row in fit.coefficients().to_dict("records")
        if row["role"] == "log_odds"
    }


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
