"""The fit without a subject, refitted: what leaving somebody out does to the covariance parameters as well."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from harness.arrays import Mask, read_only
from harness.cohorts.cohort import Cohort, Factor
from harness.errors import InputError, Problem, SpecError, nearest
from harness.lmm.estimates import LmmEstimates


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Refit:
    """The estimates without one subject, or why there are none."""

    label: str
    estimates: LmmEstimates | None
    reason: str = ""


def refits_without(
    cohort: Cohort, column: str, refit: Callable[[Cohort], LmmEstimates], labels: str | Sequence[str] | None = None
) -> tuple[Refit, ...]:
    """Return the fit without each level of a factor of the cohort, all of them or those named.

    Parameters
    ----------
    refit
        Fits the model to a cohort; a `SpecError` of it, such as a column that is aliased without the subject, becomes
        the reason of that refit.

    Raises
    ------
    SpecError
        If the column is no factor of the cohort, or a label does not occur in it.
    """
    if column not in cohort.factors:
        problem = Problem(column=column, found="no such factor", expected=f"one of {', '.join(sorted(cohort.factors))}")
        raise SpecError("refits", [problem])
    factor = cohort.factors[column]
    occurring = [factor.levels[code] for code in np.unique(factor.codes[factor.codes >= 0]).tolist()]
    wanted = occurring if labels is None else [labels] if isinstance(labels, str) else list(labels)
    unknown = [
        Problem(
            column=column,
            found=f"level {label!r:.60}",
            expected="one that occurs",
            advice=nearest(str(label), occurring),
        )
        for label in wanted
        if label not in occurring
    ]
    if unknown:
        raise SpecError("refits", unknown)
    return tuple(_without(cohort, factor, label, refit) for label in wanted)


def refit_table(full: LmmEstimates, refits: Sequence[Refit]) -> pd.DataFrame:
    """Return one row a refit: the changes, full - without, of the fixed effects and of theta.

    NaN where the smaller fit has no such fixed effect, or another number of covariance parameters, as without a visit.
    """
    rows = []
    for one in refits:
        row: dict[str, object] = {"left_out": one.label, "reason": one.reason}
        kept = {} if one.estimates is None else dict(zip(one.estimates.fixed_names, one.estimates.beta, strict=True))
        for name, value in zip(full.fixed_names, full.beta.tolist(), strict=True):
            row[f"change[{name}]"] = value - kept[name] if name in kept else np.nan
        theta = None if one.estimates is None else one.estimates.theta
        theta = theta if theta is not None and len(theta) == len(full.theta) else None
        for j, value in enumerate(full.theta.tolist()):
            row[f"change[theta {j + 1}]"] = np.nan if theta is None else value - float(theta[j])
        rows.append(row)
    return pd.DataFrame(rows).set_index("left_out")


def _without(cohort: Cohort, factor: Factor, label: str, refit: Callable[[Cohort], LmmEstimates]) -> Refit:
    kept: Mask = factor.codes != factor.levels.index(label)
    smaller = replace(
        cohort,
        numeric={name: read_only(values[kept]) for name, values in cohort.numeric.items()},
        factors={
            name: Factor(codes=read_only(one.codes[kept]), levels=one.levels) for name, one in cohort.factors.items()
        },
    )
    try:
        return Refit(label=label, estimates=refit(smaller))
    except InputError as error:
        return Refit(label=label, estimates=None, reason=str(error))
