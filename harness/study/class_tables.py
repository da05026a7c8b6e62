"""S8, classes of one scale by classes of another: counts, uncertain counts, and one model of both."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from harness.arrays import Matrix
from harness.gbtm.several.dual_result import DualResult
from harness.rates import chi_square
from harness.several_outcomes import fit_dual_trajectory, outcome_model
from harness.study.class_table_figure import class_table_picture
from harness.study.cross_check import no_check
from harness.study.parts import Part, section_of
from harness.study.plan import StudyPlan
from harness.study.section import Cell, Estimate, Section, Table
from harness.study.shown import p_words, scale_title
from harness.study.trajectories import ScaleTrajectories
from harness.suppression import SafeTable, suppress

KEY, TITLE = "S8", "Classes of two scales together"
DRAWS = 9_999
STARTS = 20
LEAST_EXPECTED = 5.0
NO_ENGINE = "no engine of R that is installed here fits two class variables together"
INDEPENDENT = (
    "Both trajectory models were fitted apart: their classes are taken to be independent given the patient's own "
    "ratings. The joint model below does without that."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Association:
    """Pearson's statistic of a table, Cramer's V, its p value by permutation, and the smallest expected count."""

    statistic: float
    df: int
    p: float
    cramers_v: float
    p_permuted: float
    least_expected: float


def class_tables(models: Sequence[ScaleTrajectories], plan: StudyPlan) -> Section:
    """Return the section of the first two scales' classes; of one scale, that there is none."""
    if len(models) < 2 or min(one.n_classes for one in models[:2]) < 2:
        return section_of(KEY, TITLE, [Part(paragraphs=("There are no two scales with several classes each.",))])
    first, second = models[:2]
    counts, weighted = joint_counts(first, second)
    safe = suppress(counts.astype(int).tolist(), plan.small_cell_limit)
    parts = [_counted(first, second, counts, safe, plan), _weighted(first, second, weighted, plan)]
    return section_of(KEY, TITLE, [*parts, _joint(first, second, plan)])


def joint_counts(first: ScaleTrajectories, second: ScaleTrajectories) -> tuple[Matrix, Matrix]:
    """Return patients by both most probable classes (J, K), and sums of products of class probabilities (J, K).

    Of the patients who have ratings on both scales.
    """
    place = {subject: i for i, subject in enumerate(second.subjects)}
    pairs = [(i, place[subject]) for i, subject in enumerate(first.subjects) if subject in place]
    left, right = (list(side) for side in zip(*pairs, strict=True))
    p, q = first.fit.posterior[left], second.fit.posterior[right]
    counts = np.zeros((first.n_classes, second.n_classes))
    np.add.at(counts, (p.argmax(axis=1), q.argmax(axis=1)), 1.0)
    return counts, p.T @ q


def association(counts: Matrix, *, seed: int, draws: int = DRAWS) -> Association:
    """Return how strongly rows and columns of counts (J, K) hang together.

    The permuted p value keeps both margins; in R ``chisq.test(counts, simulate.p.value = TRUE, B = draws)``.
    """
    counts = _without_empty(counts)
    test = chi_square(counts.astype(int).tolist())
    total = float(counts.sum())
    rows = np.repeat(np.arange(counts.shape[0]), counts.sum(axis=1).astype(int))
    columns = np.repeat(np.arange(counts.shape[1]), counts.sum(axis=0).astype(int))
    expected = np.outer(counts.sum(axis=1), counts.sum(axis=0)) / total
    generator = np.random.default_rng(seed)
    reached = 0
    for _ in range(draws):
        drawn = np.bincount(rows * counts.shape[1] + generator.permutation(columns), minlength=counts.size)
        statistic = float(np.sum((drawn.reshape(counts.shape) - expected) ** 2 / expected))
        reached += statistic >= test.statistic * (1 - 1e-12)
    return Association(
        statistic=test.statistic,
        df=test.df,
        p=test.p,
        cramers_v=cramers_v(counts),
        p_permuted=(reached + 1) / (draws + 1),
        least_expected=test.least_expected,
    )


def cramers_v(counts: Matrix) -> float:
    """Return Cramer's V of counts, or of sums of probabilities, (J, K): 0 for no association, 1 for a full one."""
    counts = _without_empty(counts)
    expected = np.outer(counts.sum(axis=1), counts.sum(axis=0)) / counts.sum()
    statistic = float(np.sum((counts - expected) ** 2 / expected))
    return float(np.sqrt(statistic / (counts.sum() * (min(counts.shape) - 1))))


def _without_empty(counts: Matrix) -> Matrix:
    """Return the table without classes that nobody most probably is in."""
    return np.asarray(counts[counts.sum(axis=1) > 0][:, counts.sum(axis=0) > 0])


def adjusted_residuals(counts: Matrix) -> Matrix:
    """Return Haberman's residuals (J, K), about standard normal without association; ``chisq.test(counts)$stdres``."""
    total = counts.sum()
    rows, columns = counts.sum(axis=1, keepdims=True), counts.sum(axis=0, keepdims=True)
    expected = rows @ columns / total
    with np.errstate(invalid="ignore"):  # classes that nobody is in have no residuals
        return np.asarray((counts - expected) / np.sqrt(expected * (1 - rows / total) * (1 - columns / total)))


def _counted(
    first: ScaleTrajectories, second: ScaleTrajectories, counts: Matrix, safe: SafeTable, plan: StudyPlan
) -> Part:
    found = association(counts, seed=plan.seed)
    names = scale_title(first.scale), scale_title(second.scale)
    residuals = adjusted_residuals(counts)
    rows = tuple((f"{names[0]} class {j + 1}", *texts) for j, texts in enumerate(safe.texts()))
    shown = tuple(
        (
            f"{names[0]} class {j + 1}",
            *(
                None if cell is None or np.isnan(residuals[j, k]) else float(residuals[j, k])
                for k, cell in enumerate(cells)
            ),
        )
        for j, cells in enumerate(safe.cells)
    )
    header = ("class", *(f"{names[1]} class {k + 1}" for k in range(second.n_classes)))
    small = found.least_expected < LEAST_EXPECTED
    named = "by permutation, because an expected count is below 5" if small else "by the chi-square distribution"
    sentence = (
        f"{names[0]} by {names[1]} classes: chi-square {found.statistic:.2f} on {found.df} degrees of freedom, "
        f"{p_words(found.p_permuted if small else found.p)} {named}; Cramer's V {found.cramers_v:.2f}. {INDEPENDENT}"
    )
    estimate = Estimate(
        path="classes.cramers_v",
        label=f"Cramer's V of {names[0]} and {names[1]} classes",
        value=found.cramers_v,
        p=found.p_permuted if small else found.p,
        denominator=int(counts.sum()),
    )
    return Part(
        paragraphs=(sentence,),
        tables=(
            Table(
                name="classes.counts",
                caption="Patients by most probable class on both scales",
                header=header,
                rows=rows,
                notes=(
                    f"Counts below {plan.small_cell_limit} are withheld, and others with which they could be found.",
                ),
            ),
            Table(
                name="classes.residuals",
                caption="Adjusted residuals of the counts that are shown",
                header=header,
                rows=shown,
                digits=(0, *(1 for _ in range(second.n_classes))),
                notes=("Beyond -2 or 2 there are fewer or more patients than without association.",),
            ),
        ),
        pictures=(class_table_picture(counts, safe, names),),
        estimates=(estimate,),
    )


def _weighted(first: ScaleTrajectories, second: ScaleTrajectories, weighted: Matrix, plan: StudyPlan) -> Part:
    """Return sums of products of class probabilities, treated as counts where they are small."""
    safe = suppress(np.rint(weighted).astype(int).tolist(), plan.small_cell_limit)
    names = scale_title(first.scale), scale_title(second.scale)
    rows: list[tuple[Cell, ...]] = []
    for j, (cells, texts) in enumerate(zip(safe.cells, safe.texts(), strict=True)):
        own = (
            text if cell is None else float(weighted[j, k])
            for k, (cell, text) in enumerate(zip(cells, texts, strict=True))
        )
        rows.append((f"{names[0]} class {j + 1}", *own))
    value = cramers_v(weighted)
    table = Table(
        name="classes.weighted",
        caption="The same with uncertain classes: sums over patients of the products of both class probabilities",
        header=("class", *(f"{names[1]} class {k + 1}" for k in range(second.n_classes))),
        rows=tuple(rows),
        digits=(0, *(1 for _ in range(second.n_classes))),
        notes=(f"Cramer's V {value:.3f}; sums below {plan.small_cell_limit} are withheld as counts are.",),
    )
    return Part(tables=(table,))


def _joint(first: ScaleTrajectories, second: ScaleTrajectories, plan: StudyPlan) -> Part:
    """Return the model that has both class variables, and how the second depends on the first."""
    models = [outcome_model(one.scale, orders=one.fit.orders, time=one.time) for one in (first, second)]
    result = fit_dual_trajectory(
        first.rows,
        first=models[0],
        second=models[1],
        time=first.time,
        subject="subject",
        n_starts=STARTS,
        seed=plan.seed,
    )
    safe = suppress(
        np.rint(result.joint * result.estimates.first.n_subjects).astype(int).tolist(), plan.small_cell_limit
    )
    test = result.independence()
    names = scale_title(first.scale), scale_title(second.scale)
    sentence = (
        f"Joint model of {names[0]} and {names[1]}: the likelihood-ratio test of independent classes has chi-square "
        f"{test.statistic:.2f} on {test.df} degrees of freedom, {p_words(test.p)}; entropy of the pairs "
        f"{result.entropy:.2f}."
    )
    estimates = (
        Estimate(
            path="classes.joint.independence",
            label=f"likelihood ratio of independent {names[0]} and {names[1]} classes",
            value=test.statistic,
            p=test.p,
            denominator=result.estimates.first.n_subjects,
            check=no_check(NO_ENGINE),
        ),
        *_conditional(result, safe, names),
    )
    return Part(
        paragraphs=(sentence,),
        tables=(_conditional_table(result, safe, names, plan),),
        estimates=estimates,
        warnings=tuple(f"Joint model: {text}" for text in result.warnings if " starts " not in text),
    )


def _conditional(result: DualResult, safe: SafeTable, names: tuple[str, str]) -> tuple[Estimate, ...]:
    found = result.estimates.second_given_first
    return tuple(
        Estimate(
            path=f"classes.joint.{result.names[1]}_{k + 1}_given_{result.names[0]}_{j + 1}",
            label=f"probability of {names[1]} class {k + 1} given {names[0]} class {j + 1}",
            value=float(found.estimate[j, k]),
            standard_error=float(found.standard_error[j, k]) if np.isfinite(found.standard_error[j, k]) else None,
            denominator=result.estimates.first.n_subjects,
            check=no_check(NO_ENGINE),
        )
        for j, cells in enumerate(safe.cells)
        for k, cell in enumerate(cells)
        if cell is not None
    )


def _conditional_table(result: DualResult, safe: SafeTable, names: tuple[str, str], plan: StudyPlan) -> Table:
    found = result.estimates.second_given_first
    rows: list[tuple[Cell, ...]] = []
    for j, (cells, texts) in enumerate(zip(safe.cells, safe.texts(), strict=True)):
        own = (
            text if cell is None else _with_error(float(found.estimate[j, k]), float(found.standard_error[j, k]))
            for k, (cell, text) in enumerate(zip(cells, texts, strict=True))
        )
        rows.append((f"{names[0]} class {j + 1}", *own))
    return Table(
        name="classes.joint",
        caption=f"Joint model: probability (standard error) of each {names[1]} class given the {names[0]} class, %",
        header=("class", *(f"{names[1]} class {k + 1}" for k in range(found.estimate.shape[1]))),
        rows=tuple(rows),
        notes=(f"Probabilities that stand for fewer than {plan.small_cell_limit} patients are withheld.",),
    )


def _with_error(probability: float, error: float) -> str:
    """Return a probability with its standard error in percent; at a boundary there is none."""
    return f"{100 * probability:.0f}" if np.isnan(error) else f"{100 * probability:.0f} ({100 * error:.0f})"
