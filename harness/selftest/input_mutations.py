"""Wrong data: the reference was given other rows, subjects or columns than we were."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise

from harness.comparison.joint import INPUT
from harness.quantities import InputEvidence, Reading
from harness.selftest.misleading import DECIMALS_OF_AIC as LEAST_SUM
from harness.selftest.mutation import Corruption, Mutation
from harness.selftest.numbers import with_numbers
from harness.selftest.pinned import Pinned

Changed = Callable[[InputEvidence], Iterator[tuple[InputEvidence, tuple[str, ...]]]]
"""What the reference says it was given, and the paths at which that differs."""


def _mutation(name: str, sentence: str, changed: Changed) -> Mutation:
    def corruptions(pinned: Pinned) -> Iterator[Corruption]:
        evidence = pinned.reading.evidence
        if evidence is None:
            return
        told = {quantity.path for quantity in pinned.reading.quantities}
        for given, paths in changed(evidence):
            differing = tuple(path for path in paths if path.startswith(INPUT) or path in told)
            yield Corruption(paths=differing, right=_told(replace(pinned.reading, evidence=given), given))

    return Mutation(name=name, sentence=sentence, corruptions=corruptions)


def _told(reading: Reading, given: InputEvidence) -> Reading:
    """Return the reading with the counts of its own that follow from what it was given."""
    counted = {"n_observations": given.n_observations, "n_subjects": given.n_subjects}
    return with_numbers(reading, counted)


def _rows(by: int) -> Changed:
    def of(evidence: InputEvidence) -> Iterator[tuple[InputEvidence, tuple[str, ...]]]:
        """Yield the evidence of a typical row more or less: each sum moves by its mean."""
        n = evidence.n_observations
        sums = {name: total * (n + by) / n for name, total in evidence.design_sums.items()}
        yield (
            replace(
                evidence,
                n_observations=n + by,
                outcome_sum=evidence.outcome_sum * (n + by) / n,
                design_sums=sums,
            ),
            (f"{INPUT}n_observations", "n_observations"),
        )

    return of


def _one_subject_less(evidence: InputEvidence) -> Iterator[tuple[InputEvidence, tuple[str, ...]]]:
    yield replace(evidence, n_subjects=evidence.n_subjects - 1), (f"{INPUT}n_subjects", "n_subjects")


def _one_cell(evidence: InputEvidence) -> Iterator[tuple[InputEvidence, tuple[str, ...]]]:
    yield replace(evidence, outcome_sum=evidence.outcome_sum + 1), (f"{INPUT}outcome_sum",)


def _column_lost(evidence: InputEvidence) -> Iterator[tuple[InputEvidence, tuple[str, ...]]]:
    for name in evidence.design_sums:
        rest = {key: total for key, total in evidence.design_sums.items() if key != name}
        yield replace(evidence, design_sums=rest), (f"{INPUT}design[{name}]",)


def _column_renamed(evidence: InputEvidence) -> Iterator[tuple[InputEvidence, tuple[str, ...]]]:
    for name in evidence.design_sums:
        sums = {f"{key}_" if key == name else key: total for key, total in evidence.design_sums.items()}
        yield replace(evidence, design_sums=sums), (f"{INPUT}design[{name}]", f"{INPUT}design[{name}_]")


def _column_added(evidence: InputEvidence) -> Iterator[tuple[InputEvidence, tuple[str, ...]]]:
    sums = {**evidence.design_sums, "a column more": 1.0}
    yield replace(evidence, design_sums=sums), (f"{INPUT}design[a column more]",)


def _recoded(evidence: InputEvidence) -> Iterator[tuple[InputEvidence, tuple[str, ...]]]:
    """Zeros for ones in an indicator, which is what another reference level makes of it."""
    n = evidence.n_observations
    for name, total in evidence.design_sums.items():
        if "[" in name and 0 < total < n and total != n - total:
            yield replace(evidence, design_sums={**evidence.design_sums, name: n - total}), (f"{INPUT}design[{name}]",)


def _columns_swapped(evidence: InputEvidence) -> Iterator[tuple[InputEvidence, tuple[str, ...]]]:
    names = list(evidence.design_sums)
    for a, b in pairwise(names):
        first, second = evidence.design_sums[a], evidence.design_sums[b]
        if abs(first - second) >= LEAST_SUM:  # the columns of a polynomial all sum to zero
            swapped = {**evidence.design_sums, a: second, b: first}
            yield replace(evidence, design_sums=swapped), (f"{INPUT}design[{a}]", f"{INPUT}design[{b}]")


INPUT_MUTATIONS = (
    _mutation("row dropped", "The reference lost a row.", _rows(-1)),
    _mutation("row doubled", "The reference got a row twice.", _rows(1)),
    _mutation("subject dropped", "Two subjects were taken for one.", _one_subject_less),
    _mutation("cell changed", "One outcome is off by one point.", _one_cell),
    _mutation("column dropped", "A column of the design is missing.", _column_lost),
    _mutation("column renamed", "A column of the design has another name.", _column_renamed),
    _mutation("column added", "The design has a column more.", _column_added),
    _mutation("level recoded", "An indicator is 1 where it should be 0.", _recoded),
    _mutation("columns swapped", "Two columns of the design changed places.", _columns_swapped),
)
"""What may go wrong on the way to an engine."""
