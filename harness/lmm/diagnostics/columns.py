"""The rows of a fit told apart by subject, visit, arm, or any other column of the model."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from harness.arrays import Codes, Vector
from harness.errors import Problem, SpecError, nearest
from harness.lmm.design import LmmDesign
from harness.lmm.estimates import LmmEstimates
from harness.lmm.prediction.trained import random_parts


def subject_sets(design: LmmDesign) -> tuple[Codes, tuple[str, ...]]:
    """Return the subject of every row (n,), and the subjects' labels."""
    return np.repeat(np.arange(design.n_subjects), np.diff(design.starts)), design.subject_labels


def level_sets(design: LmmDesign, column: str) -> tuple[Codes, tuple[str, ...]]:
    """Return the level of every row (n,) in a column of the model, and the levels; numbers are labels here.

    Raises
    ------
    SpecError
        If the model has no such column.
    """
    values = frame_columns(design, [column])[column]
    if isinstance(values.dtype, pd.CategoricalDtype):
        return values.cat.codes.to_numpy().astype(np.int64), tuple(map(str, values.cat.categories))
    distinct, codes = np.unique(values.to_numpy(), return_inverse=True)
    return codes.reshape(-1), tuple(f"{value:.15g}" for value in distinct.tolist())


def frame_columns(design: LmmDesign, names: Sequence[str]) -> pd.DataFrame:
    """Return columns of the model over the rows of the fit, factors as categories.

    Raises
    ------
    SpecError
        With all names that are no columns of the model.
    """
    frame = design.frame
    known = [*frame.numeric, *frame.codes]
    problems = [
        Problem(
            column=name,
            found="no column of the model",
            expected=f"one of {', '.join(map(repr, known))}",
            advice=nearest(str(name), known),
        )
        for name in names
        if name not in known
    ]
    if not names:
        problems = [Problem(found="no column", expected=f"at least one of {', '.join(map(repr, known))}")]
    if problems:
        raise SpecError("diagnostics", problems)
    return pd.DataFrame(
        {
            name: frame.numeric[name]
            if name in frame.numeric
            else pd.Categorical.from_codes(frame.codes[name], categories=pd.Index(frame.levels[name], dtype=object))
            for name in names
        }
    )


def signal_at_modes(design: LmmDesign, estimates: LmmEstimates) -> Vector:
    """Return Zb (n,) at the conditional modes."""
    total = np.zeros(design.n_observations)
    for parts, one in zip(random_parts(design), estimates.random, strict=True):
        Z = np.concatenate([part.Z for part in parts], axis=1)
        total += np.einsum("ij,ij->i", Z, one.modes[parts[0].codes])
    return total
