"""A validated cohort: repeated measurements of subjects, as read-only arrays."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from harness.arrays import Codes, Vector


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Factor:
    """A categorical column: `codes` (n,) index `levels`; -1 is missing."""

    codes: Codes
    levels: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Cohort:
    """Repeated measurements in long form, one row a visit.

    `numeric` columns are float64 with NaN for missing; `factors` holds all categorical columns, among them the subject.
    `units` maps column names to units as written in the schema. Every array has n_rows entries and is read-only.
    """

    name: str
    subject: str
    time: str | None
    numeric: Mapping[str, Vector]
    factors: Mapping[str, Factor]
    units: Mapping[str, str] = field(default_factory=dict)

    @property
    def n_rows(self) -> int:
        """Rows, missing outcomes included."""
        return len(self.factors[self.subject].codes)

    @property
    def subjects(self) -> Factor:
        """The subject column."""
        return self.factors[self.subject]

    @property
    def n_subjects(self) -> int:
        """Subjects that occur in at least one row."""
        return len(np.unique(self.subjects.codes))

    @property
    def columns(self) -> tuple[str, ...]:
        """All column names, sorted."""
        return tuple(sorted((*self.numeric, *self.factors)))

    @property
    def sha256(self) -> str:
        """Hash of the canonical values: columns by name, rows sorted by subject label and then by all values.

        It does not depend on the order of rows or columns, on file formats, on the numbering of factor codes or on the
        sign of zero.
        """
        cells = {name: [repr(value) for value in (values + 0.0).tolist()] for name, values in self.numeric.items()}
        for name, factor in self.factors.items():
            # ascii, not repr: what counts as printable changes with Python's Unicode tables. Code -1 is the last.
            labels = [*(ascii(level) for level in factor.levels), "nan"]
            cells[name] = [labels[code] for code in factor.codes.tolist()]
        rows = sorted(zip(cells[self.subject], *(cells[name] for name in self.columns), strict=True))
        text = "".join("\x1f".join(row) + "\x1e" for row in rows)
        return hashlib.sha256(ascii(self.columns).encode() + text.encode()).hexdigest()
