"""Which rows belong to which subject."""

from dataclasses import dataclass

import numpy as np

from harness.arrays import Codes, Tensor, read_only


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Panel:
    """Rows sorted by subject.

    Attributes
    ----------
    subject : (n,)
        Number of the subject of each row, ascending; of `n_subjects`, of whom some may have no row.
    starts : (N_present,)
        First row of each subject that has rows.
    present : (N_present,)
        The numbers of those subjects.
    """

    subject: Codes
    starts: Codes
    present: Codes
    n_subjects: int

    def sum(self, values: Tensor) -> Tensor:
        """Return the sums over the rows of each subject, from (..., n) to (..., N); 0 for a subject without rows."""
        if values.shape[-1] == 0:
            return np.zeros((*values.shape[:-1], self.n_subjects))
        sums = np.add.reduceat(values, self.starts, axis=-1)
        if len(self.present) == self.n_subjects:
            return np.asarray(sums)
        spread = np.zeros((*values.shape[:-1], self.n_subjects))
        spread[..., self.present] = sums
        return spread

    @property
    def sizes(self) -> Codes:
        """Rows of each subject, (N,)."""
        return np.bincount(self.subject, minlength=self.n_subjects).astype(np.int64)


def panel_of(subject: Codes, n_subjects: int) -> Panel:
    """Return the panel of rows that are sorted by subject."""
    present, starts = np.unique(subject, return_index=True)
    return Panel(
        subject=read_only(subject.astype(np.int64)),
        starts=read_only(starts.astype(np.int64)),
        present=read_only(present.astype(np.int64)),
        n_subjects=n_subjects,
    )
