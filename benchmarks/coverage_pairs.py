"""Models of two outcomes whose truth is known: with one class variable (multi), or with one each (dual)."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from harness.cohorts import cohort_from_frame
from harness.gbtm.several import dual_tables
from harness.gbtm.several.dual_estimates import estimate_dual
from harness.gbtm.several.dual_result import fit_dual_cohort
from harness.gbtm.several.multi_result import fit_multi_cohort
from harness.gbtm.spec import GbtmSpec

VISITS = 6
MISSING = 0.1
LEVELS = ((5.0, 0.5), (11.0, -0.3))
SIGMA = 1.5
RATES = ((0.2, 0.05), (1.6, -0.05))
JOINT = np.array([[0.3, 0.15], [0.1, 0.45]])
"""Probabilities of the classes of both outcomes; with one class variable the shares are those of the first."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pair:
    """A normal score and a count, two classes; `dual` says whether each has classes of its own."""

    name: str
    dual: bool

    @property
    def point(self) -> tuple[float, ...]:
        """The truth of the model with one class variable, as a `Point`."""
        odds = float(np.log(JOINT[0].sum() / JOINT[1].sum()))
        return (odds, *LEVELS[0], *LEVELS[1], SIGMA, *RATES[0], *RATES[1])

    def draw(self, stream: np.random.Generator, n_subjects: int) -> pd.DataFrame:
        """Return a panel with some outcomes missing at random."""
        cell = stream.choice(4, n_subjects, p=JOINT.ravel())
        first = cell // 2
        second = cell % 2 if self.dual else first
        week = np.tile(np.arange(VISITS, dtype=float), (n_subjects, 1))
        score = np.array(LEVELS)[first] @ np.array([np.ones(VISITS), week[0]]) + SIGMA * stream.standard_normal(
            week.shape
        )
        count = stream.poisson(np.exp(np.array(RATES)[second] @ np.array([np.ones(VISITS), week[0]]))).astype(float)
        for outcome in (score, count):
            outcome[stream.random(outcome.shape) < MISSING] = np.nan
        return pd.DataFrame(
            {
                "id": np.repeat([f"s{i:03d}" for i in range(n_subjects)], VISITS),
                "week": week.ravel(),
                "score": score.ravel(),
                "count": count.ravel(),
            }
        )

    def truth(self, panel: pd.DataFrame) -> np.ndarray:
        """Return what the rows of `table` estimate."""
        del panel
        first, second = JOINT.sum(axis=1), JOINT.sum(axis=0)
        if not self.dual:
            return np.array([*first, *self.point[1:]])
        own = ((*first, *LEVELS[0], *LEVELS[1], SIGMA), (*second, *RATES[0], *RATES[1]))
        given = (JOINT / first[:, None], JOINT / second)
        return np.concatenate([*own, first, second, given[0].ravel(), given[1].ravel(), JOINT.ravel()])

    def fit(self, panel: pd.DataFrame, *, start: bool) -> Any:  # noqa: ANN401  # results of two kinds
        """Return the fit: from the truth if asked for and possible, or from a search."""
        common = {"time": "week", "subject": "id", "orders": (1, 1), "n_starts": 4 if start else 10}
        specs = (GbtmSpec(outcome="score", **common), GbtmSpec(outcome="count", family="poisson", **common))
        cohort = cohort_from_frame(panel, subject="id", time="week")
        if self.dual:
            return fit_dual_cohort(specs, cohort)
        return fit_multi_cohort(specs, cohort, self.point if start else None)

    def table(self, fit: Any, kind: str) -> pd.DataFrame:  # noqa: ANN401
        """Return estimates with limits."""
        if not self.dual:
            return fit.coefficients(standard_errors=kind)
        estimates = estimate_dual(fit.fit, fit.design, kind)
        own = dual_tables.coefficients(estimates, fit.names)
        pairs = dual_tables.probabilities(estimates, fit.names)
        pairs = pairs.assign(parameter=pairs["quantity"], latent_class=10 * pairs["class_score"] + pairs["class_count"])
        return pd.concat([own, pairs], ignore_index=True)


PAIRS = (Pair(name="multi: normal and Poisson", dual=False), Pair(name="dual: normal and Poisson", dual=True))
