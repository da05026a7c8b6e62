"""A cohort and a model as plain values: drawn by fuzzing, made smaller by shrinking, kept as counterexamples."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from harness.cases import Case, Spec, read_model
from harness.cohorts import cohort_from_frame
from harness.cohorts.cohort import Cohort

Row = int


@dataclass(frozen=True, slots=True, kw_only=True)
class Specimen:
    """A cohort as exact doubles and labels, and the table `[model]` of a case.

    `numbers` holds NaN and `labels` None where a value is missing; every column has one entry a row. `levels` fixes the
    order of a factor's levels, of which the first is the reference.
    """

    subject: str
    time: str | None
    numbers: Mapping[str, tuple[float, ...]]
    labels: Mapping[str, tuple[str | None, ...]]
    levels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    model: Mapping[str, Any]

    @property
    def n_rows(self) -> int:
        """Rows, with or without an outcome."""
        return len(self.labels[self.subject])

    @property
    def subjects(self) -> tuple[str, ...]:
        """The subjects' labels, in order of first appearance."""
        return tuple(dict.fromkeys(label for label in self.labels[self.subject] if label is not None))

    def spec(self) -> Spec:
        """Return the model.

        Raises
        ------
        CaseError
            If the table states none.
        """
        return read_model(self.model, "counterexample")

    def cohort(self, name: str) -> Cohort:
        """Return the cohort.

        Raises
        ------
        CohortError
            If the rows are no cohort: a visit twice, a subject missing, no row.
        """
        columns: dict[str, object] = {column: np.array(values, dtype=float) for column, values in self.numbers.items()}
        for column, labels in self.labels.items():
            levels = self.levels.get(column) or tuple(dict.fromkeys(label for label in labels if label is not None))
            columns[column] = pd.Categorical(list(labels), categories=list(levels))
        return cohort_from_frame(pd.DataFrame(columns), subject=self.subject, time=self.time, name=name)

    def case(self, name: str, references: tuple[str, ...]) -> Case:
        """Return the specimen as a case that is compared with the references.

        Raises
        ------
        CaseError, CohortError
            If the table is no model, or the rows are no cohort.
        """
        return Case(name=name, cohort=self.cohort(name), spec=self.spec(), references=references)

    def rows(self, chosen: Collection[Row]) -> "Specimen":
        """Return the specimen with these rows only, in this order; levels that no row has are dropped."""
        labels = {column: tuple(values[row] for row in chosen) for column, values in self.labels.items()}
        return replace(
            self,
            numbers={column: tuple(values[row] for row in chosen) for column, values in self.numbers.items()},
            labels=labels,
            levels={
                column: tuple(level for level in levels if level in labels[column])
                for column, levels in self.levels.items()
            },
        )

    def without_subjects(self, dropped: Collection[str]) -> "Specimen":
        """Return the specimen without the rows of some subjects."""
        left = [row for row, label in enumerate(self.labels[self.subject]) if label not in dropped]
        return self.rows(left)
