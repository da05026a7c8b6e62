"""S3: the patients at baseline by protocol, how far protocols differ, and how scores are distributed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from harness.arrays import Mask, Vector
from harness.scoring import BandTable, Score
from harness.study.cross_check import CrossChecks
from harness.study.data import StudyData
from harness.study.observed_scores import distribution, means_picture
from harness.study.parts import Later, Part, section_of
from harness.study.plan import StudyPlan
from harness.study.section import Cell, Estimate, Section, Table
from harness.study.shown import scale_title
from harness.study.two_sample_checks import Pending, Question, Questions, answered
from harness.suppression import suppress
from harness.two_samples.balance import difference_of_means, difference_of_shares

TITLE = "Patients at baseline"
WITHHELD = "withheld"
MISSING = "missing"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Labels:
    """The label of each patient, None if it is missing, and all levels in their order."""

    labels: tuple[str | None, ...]
    levels: tuple[str, ...]

    def counts(self, own: Mask) -> list[int]:
        return [
            sum(label == level for label, is_own in zip(self.labels, own, strict=True) if is_own)
            for level in self.levels
        ]

    def missing(self, own: Mask) -> int:
        return sum(label is None for label, is_own in zip(self.labels, own, strict=True) if is_own)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Patients:
    """Baseline values, one a patient: the protocol of each, and columns of numbers and of labels by their title.

    `keys` are what the columns are called in paths of estimates.
    """

    protocol: tuple[str, ...]
    numbers: Mapping[str, Vector]
    labels: Mapping[str, _Labels]
    keys: Mapping[str, str]

    def of(self, protocol: str) -> Mask:
        return np.array([own == protocol for own in self.protocol])


def table_one(data: StudyData, plan: StudyPlan) -> Section:
    """Return the first table: values by protocol with standardised differences, which no test can replace."""
    return section_of("S3", TITLE, (later() for later in begin_table_one(data, plan, None)))


def begin_table_one(data: StudyData, plan: StudyPlan, checks: CrossChecks | None) -> tuple[Later, ...]:
    """Return what finishes the section when R has answered."""
    patients, questions = _patients(data, plan), Questions(checks)
    rows: list[tuple[Cell, ...]] = []
    pending: list[Pending] = []
    for name, values in patients.numbers.items():
        found, differences = _number_rows(name, values, patients, plan, questions)
        rows += found
        pending += differences
    for name, column in patients.labels.items():
        found, differences = _label_rows(name, column, patients, plan, questions)
        rows += found
        pending += differences
    others = list(plan.protocols)[1:]
    table = Table(
        name="baseline",
        caption="Patients at baseline",
        header=("characteristic", "all", *plan.protocols, *(f"standardised difference, {o}" for o in others)),
        rows=tuple(rows),
        digits=(0,) * (2 + len(plan.protocols)) + (2,) * len(others),
        notes=_notes(plan),
    )
    return (
        lambda: Part(
            paragraphs=(
                (
                    "Protocols are compared by standardised differences: the difference of means by the root of the "
                    "mean of both variances, or the distance of the shares of levels. There are no tests here: they "
                    "would ask whether chance alone made the groups, and in a cohort it did not."
                ),
            ),
            tables=(table, distribution(data, plan)),
            pictures=(means_picture(data, plan),),
            estimates=answered(pending),
        ),
    )


def _notes(plan: StudyPlan) -> tuple[str, ...]:
    return (
        f"Standardised differences are of each protocol against {next(iter(plan.protocols))!r}.",
        (
            f"Counts of 1 to {plan.small_cell_limit - 1} are withheld, with as many others as are needed so that they "
            "can't be worked out; smallest and largest values are not shown at all."
        ),
    )


def _patients(data: StudyData, plan: StudyPlan) -> _Patients:
    cohort = data.cohort
    codes = cohort.subjects.codes
    subjects = list(data.protocol_of)
    first = {cohort.subjects.levels[code]: place for place, code in reversed(list(enumerate(codes)))}
    rows = np.array([first[subject] for subject in subjects])
    numbers: dict[str, Vector] = {}
    labels: dict[str, _Labels] = {}
    keys: dict[str, str] = {}
    units = {covariate.name: covariate.unit for covariate in plan.mapping.covariates}
    for name in plan.covariates:
        title = name.replace("_", " ") + (f", {units[name]}" if units.get(name) else "")
        keys[title] = name
        if name in cohort.numeric:
            numbers[title] = cohort.numeric[name][rows]
        else:
            column = cohort.factors[name]
            found = tuple(column.levels[code] if code >= 0 else None for code in column.codes[rows])
            labels[title] = _Labels(labels=found, levels=column.levels)
    for score in plan.mapping.all_scores:
        baseline = [data.courses[score.name][subject].baseline for subject in subjects]
        title = f"{scale_title(score.name)} at baseline"
        keys |= {title: score.name, f"{title}, band": f"{score.name}_band"}
        numbers[title] = np.array([np.nan if value is None else float(value) for value in baseline])
        if score.scale is not None and score.scale.bands is not None:
            labels[f"{title}, band"] = _bands(score.scale.bands, baseline)
    return _Patients(protocol=tuple(data.protocol_of.values()), numbers=numbers, labels=labels, keys=keys)


def _bands(table: BandTable, values: Sequence[Score]) -> _Labels:
    found = tuple(table.label(value) for value in values)
    return _Labels(labels=found, levels=tuple(band.label for band in table.bands))


def _number_rows(
    title: str, values: Vector, patients: _Patients, plan: StudyPlan, questions: Questions
) -> tuple[list[tuple[Cell, ...]], list[Pending]]:
    groups = [np.ones(len(values), dtype=bool), *(patients.of(protocol) for protocol in plan.protocols)]
    known = [values[group & ~np.isnan(values)] for group in groups]
    enough = [len(group) >= plan.small_cell_limit for group in known]
    sizes = [
        difference_of_means(own, known[1]) if fits and enough[1] else float("nan")
        for own, fits in zip(known[2:], enough[2:], strict=True)
    ]
    cells, blank = _sizes(sizes), (None,) * len(sizes)
    rows: list[tuple[Cell, ...]] = [
        (f"{title}: mean (SD)", *map(_mean_sd, known, enough), *cells),
        (f"{title}: median (quartiles)", *map(_quartiles, known, enough), *blank),
    ]
    if np.isnan(values).any():
        known_or_not = _Labels(
            labels=tuple(None if np.isnan(value) else "known" for value in values), levels=("known",)
        )
        rows.append((*_count_rows(title, known_or_not, patients, plan)[0][1], *blank))
    return rows, [
        _question_of_means(values, patients, plan, other, questions).pending(estimate, "standardised_difference.")
        for other, estimate in _estimates(title, sizes, patients, plan).items()
    ]


def _mean_sd(values: Vector, enough: bool) -> Cell:  # noqa: FBT001  # mapped over both
    return f"{values.mean():.1f} ({values.std(ddof=1):.1f})" if enough else WITHHELD


def _quartiles(values: Vector, enough: bool) -> Cell:  # noqa: FBT001  # mapped over both
    if not enough:
        return WITHHELD
    low, middle, high = np.quantile(values, (0.25, 0.5, 0.75))
    return f"{middle:g} ({low:g} to {high:g})"


def _label_rows(
    title: str, column: _Labels, patients: _Patients, plan: StudyPlan, questions: Questions
) -> tuple[list[tuple[Cell, ...]], list[Pending]]:
    rows, shown = _count_rows(title, column, patients, plan)
    reference, *others = (column.counts(patients.of(protocol)) for protocol in plan.protocols)
    sizes = [difference_of_shares(other, reference) if shown else float("nan") for other in others]
    cells, blank = _sizes(sizes), (None,) * len(sizes)
    pending = [
        _question_of_shares(column, patients, plan, other, questions).pending(estimate, "standardised_difference.")
        if len(column.levels) == 2
        else Pending(estimate=estimate)
        for other, estimate in _estimates(title, sizes, patients, plan).items()
    ]
    return [(*row, *(blank if place else cells)) for place, row in enumerate(rows)], pending


def _question_of_means(
    values: Vector, patients: _Patients, plan: StudyPlan, other: str, questions: Questions
) -> Question:
    """Ask R about a number in two protocols."""
    order = (next(iter(plan.protocols)), other)
    rows = [k for k, own in enumerate(patients.protocol) if own in order and not np.isnan(values[k])]
    return questions.means(values[rows], [patients.protocol[k] for k in rows], order)


def _question_of_shares(
    column: _Labels, patients: _Patients, plan: StudyPlan, other: str, questions: Questions
) -> Question:
    """Ask R about the share of the second of two levels in two protocols."""
    order = (next(iter(plan.protocols)), other)
    rows = [k for k, own in enumerate(patients.protocol) if own in order and column.labels[k] is not None]
    second = [column.labels[k] == column.levels[1] for k in rows]
    return questions.rates(second, [patients.protocol[k] for k in rows], order)


def _count_rows(
    title: str, column: _Labels, patients: _Patients, plan: StudyPlan
) -> tuple[list[tuple[Cell, ...]], bool]:
    """Return a row for each level and one of missing values if there are any; and whether nothing was withheld."""
    groups = [patients.of(protocol) for protocol in plan.protocols]
    missing = [column.missing(own) for own in groups]
    table = [list(row) for row in zip(*(column.counts(own) for own in groups), strict=True)]
    table += [missing] if any(missing) else []
    names = [*column.levels, *([MISSING] if any(missing) else [])]
    safe = suppress(table, plan.small_cell_limit)
    if safe.total is None or None in safe.columns:  # the sizes of protocols are known from the flow
        return [(f"{title}: {name}", *[WITHHELD] * (1 + len(groups))) for name in names], False
    rows: list[tuple[Cell, ...]] = []
    for name, texts, cells, margin in zip(names, safe.texts(), safe.cells, safe.rows, strict=True):
        own = [
            text if cell is None else _with_share(cell, size)
            for text, cell, size in zip(texts, cells, safe.columns, strict=True)
        ]
        rows.append((f"{title}: {name}", WITHHELD if margin is None else _with_share(margin, safe.total), *own))
    return rows, not any(None in row for row in safe.cells)


def _with_share(count: int, of: int | None) -> str:
    return f"{count} ({100 * count / of:.0f} %)" if of else f"{count}"


def _sizes(sizes: Sequence[float]) -> tuple[Cell, ...]:
    return tuple(None if np.isnan(size) else size for size in sizes)


def _estimates(title: str, sizes: Sequence[float], patients: _Patients, plan: StudyPlan) -> dict[str, Estimate]:
    """Return the standardised differences that are known, by protocol."""
    reference, *others = plan.protocols
    return {
        other: Estimate(
            path=f"baseline.{patients.keys[title]}.{other}_against_{reference}",
            label=f"{title}: standardised difference of {other!r} against {reference!r}",
            value=size,
        )
        for other, size in zip(others, sizes, strict=True)
        if not np.isnan(size)
    }
