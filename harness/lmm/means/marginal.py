"""Marginal means and contrasts as values: estimates, intervals and tests of linear functions of the fixed effects."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from harness.arrays import Codes, Vector, read_only
from harness.errors import Problem, SpecError
from harness.lmm.inference.contrasts import JointTest, joint_test
from harness.lmm.inference.distributions import checked_level
from harness.lmm.inference.fixed_effects import FixedEffects
from harness.lmm.inference.methods import Method
from harness.lmm.means.families import CustomContrasts, family
from harness.lmm.means.grid import LinearFunctions
from harness.lmm.means.multiplicity import Adjustment, Simultaneous, check_adjustment
from harness.summaries import Summary

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CONTRAST = "contrast"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MarginalMeans:
    """Marginal means, or contrasts of them: k rows, those with equal values of the `by` columns forming one family.

    `estimate`, `standard_error`, `df`, `lower`, `upper`, `t` (z with infinite df) and `p` (of the
    hypothesis that the row is zero) are (k,), and NaN where the data do not determine a row. `adjust` says how the p
    values and intervals allow for the size of the family, `n_means` how many means its contrasts compare.
    """

    functions: LinearFunctions
    by: tuple[str, ...]
    effects: FixedEffects
    level: float
    adjust: Adjustment
    n_means: int
    estimate: Vector
    standard_error: Vector
    df: Vector
    lower: Vector
    upper: Vector
    t: Vector
    p: Vector

    @property
    def method(self) -> Method:
        """How the standard errors and degrees of freedom were found."""
        return self.effects.method

    @property
    def not_estimable(self) -> tuple[tuple[str, ...], ...]:
        """The rows that the data do not determine, by their labels."""
        missing = np.isnan(self.estimate)
        return tuple(label for label, gone in zip(self.functions.labels, missing, strict=True) if gone)

    def table(self) -> pd.DataFrame:
        """Return one row a mean or contrast: its labels, then the numbers."""
        labels = dict(zip(self.functions.columns, zip(*self.functions.labels, strict=True), strict=True))
        names = ("estimate", "standard_error", "df", "lower", "upper", "t", "p")
        return pd.DataFrame({**labels, **{name: getattr(self, name) for name in names}})

    def contrasts(
        self,
        contrasts: str | CustomContrasts = "baseline",
        *,
        reference: str | None = None,
        by: str | Sequence[str] | None = None,
        adjust: Adjustment | None = None,
    ) -> "MarginalMeans":
        """Return contrasts among the rows with equal values of the `by` columns (those of the means, unless given).

        Parameters
        ----------
        contrasts
            "baseline" (each minus the reference), "pairwise", "consecutive", "effects", or weights by name.
        reference
            What "baseline" subtracts; the first unless given. Labels of several columns are joined by a space.
        adjust
            "none", "bonferroni", "holm", "tukey" (all pairs), "dunnett" (by the joint multivariate t distribution).
            Unless given: "dunnett" for "baseline", "tukey" for "pairwise", "holm" for all others.

        Notes
        -----
        R: ``contrast(emm, "trt.vs.ctrl", adjust = "mvt")``, ``pairs(emm)``, ``contrast(emm, "consec", "holm")``.
        Contrasts of contrasts work alike: `means.contrasts("baseline", by="arm").contrasts("pairwise", by="contrast")`
        are differences between arms in the change from baseline.

        Raises
        ------
        SpecError
            With everything that is wrong with the family, the reference, `by` or `adjust`.
        """
        by = self.by if by is None else (by,) if isinstance(by, str) else tuple(by)
        unknown = [name for name in by if name not in self.functions.columns]
        if unknown:
            expected = f"one of {', '.join(self.functions.columns)}"
            raise SpecError("contrasts", [Problem(found=f"by {name!r:.60}", expected=expected) for name in unknown])
        own = [name for name in self.functions.columns if name not in by]
        if adjust is None:
            adjust = _usual(contrasts)
        check_adjustment(adjust)
        rows, labels = [], []
        size = 0
        for values, members in by_values(self.functions, by):
            names = [" ".join(self.functions.part(k, own)) for k in members]
            chosen, weights = family(contrasts, names, reference)
            rows.append(weights @ self.functions.rows[members])
            labels += [(name, *values) for name in chosen]
            size = len(names)
        functions = LinearFunctions(columns=(CONTRAST, *by), labels=tuple(labels), rows=read_only(np.concatenate(rows)))
        return described(functions, self.effects, by=by, level=self.level, adjust=adjust, n_means=size)

    def summary(self) -> Summary:
        """Return the table as text, to read."""
        from harness.lmm.means.summary import summarise  # noqa: PLC0415 - which describes this class

        return summarise(self)

    def joint_test(self) -> JointTest:
        """Return the F test that all rows are zero at once; ``joint_tests(emm)``, ``test(emm, joint = TRUE)``."""
        return joint_test(self.effects, self.functions.rows)

    def plot(self) -> "Figure":
        """Return a figure: one panel of points with intervals, one line or colour for each combination of `by`."""
        from harness.lmm.means.figure import draw  # noqa: PLC0415 - matplotlib is slow to import and seldom needed

        return draw(self)


def described(
    functions: LinearFunctions,
    effects: FixedEffects,
    *,
    by: Sequence[str] = (),
    level: float = 0.95,
    adjust: Adjustment = "none",
    n_means: int = 0,
) -> MarginalMeans:
    """Return the functions with estimates, intervals and tests; each family of equal `by` values is adjusted alone."""
    level = checked_level(level, "marginal means")
    estimable = effects.estimable(functions.rows)
    rows = functions.rows[:, effects.kept]
    working = rows @ effects.working
    cov = working @ effects.degrees.covariance @ working.T
    estimate = np.where(estimable, rows @ effects.beta, np.nan)
    errors = np.where(estimable, np.sqrt(np.diag(cov)), np.nan)
    df = np.where(estimable, effects.degrees.of_rows(working), np.nan)
    t, p, margin = estimate / errors, np.full(len(errors), np.nan), np.full(len(errors), np.nan)
    for _, members in by_values(functions, by):
        own = members[estimable[members]]
        at_once = Simultaneous(
            adjust=adjust, n_means=n_means, correlation=cov[np.ix_(own, own)] / np.outer(errors[own], errors[own])
        )
        p[own] = at_once.p_values(t[own], df[own])
        margin[own] = at_once.critical_values(df[own], level)
    return MarginalMeans(
        functions=functions,
        by=tuple(by),
        effects=effects,
        level=level,
        adjust=adjust,
        n_means=n_means,
        estimate=read_only(estimate),
        standard_error=read_only(errors),
        df=read_only(df),
        lower=read_only(estimate - margin * errors),
        upper=read_only(estimate + margin * errors),
        t=read_only(t),
        p=read_only(p),
    )


def by_values(functions: LinearFunctions, by: Sequence[str]) -> Iterator[tuple[tuple[str, ...], Codes]]:
    """Yield the values of the `by` columns and the rows that have them, in the order of their first row."""
    members: dict[tuple[str, ...], list[int]] = {}
    for k in range(len(functions.labels)):
        members.setdefault(functions.part(k, by), []).append(k)
    for values, rows in members.items():
        yield values, np.array(rows)


def _usual(contrasts: str | CustomContrasts) -> Adjustment:
    if contrasts == "baseline":
        return "dunnett"
    return "tukey" if contrasts == "pairwise" else "holm"
