"""Distal outcomes and predictors of membership, as a reader wants them: tables, tests, a summary."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import ndtr, ndtri

from harness.arrays import Vector
from harness.gbtm.distal.estimates import DistalEstimates, WaldTest, wald_test
from harness.gbtm.distal.predictors import PredictorEstimates, predictor_tests
from harness.summaries import Summary, aligned, shown, shown_p_value

Formats = dict[str, Callable[[Any], str]]
"""How the columns of a table are shown."""

_NAMES = {
    "three_step_ml": "three steps, maximum likelihood",
    "bch": "three steps, BCH weights",
    "posterior_regression": "regression on posterior probabilities, jointly with the trajectories (traj's outcome)",
    "class_mean_mixture": "one more outcome of the mixture (one step)",
}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DistalResult:
    """What the classes of a trajectory model say of one value a subject."""

    estimates: DistalEstimates

    @property
    def estimate(self) -> Vector:
        """Value of each class (K,) on `estimates.scale`."""
        return self.estimates.estimate

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a reader must know before using the numbers, one sentence each."""
        return self.estimates.notes

    def classes(self, level: float = 0.95) -> pd.DataFrame:
        """Return one row a class.

        Returns
        -------
        DataFrame
            `latent_class` (from 1), `share`, `estimate`, `standard_error`, `lower`, `upper` on the scale of the
            predictor (the mean, log-odds, log rate), and `mean`, `mean_lower`, `mean_upper` of the outcome itself.
        """
        found = self.estimates
        half = float(ndtri(0.5 + level / 2)) * found.standard_error
        lower, upper = found.estimate - half, found.estimate + half
        return pd.DataFrame(
            {
                "latent_class": np.arange(1, len(half) + 1),
                "share": found.class_shares,
                "estimate": found.estimate,
                "standard_error": found.standard_error,
                "lower": lower,
                "upper": upper,
                "mean": found.to_mean(found.estimate),
                "mean_lower": found.to_mean(lower),
                "mean_upper": found.to_mean(upper),
            }
        )

    def differences(self, level: float = 0.95) -> pd.DataFrame:
        """Return one row a pair: `class_a` less `class_b` on the scale of the predictor, with a Wald test."""
        found, width = self.estimates, float(ndtri(0.5 + level / 2))
        rows = []
        for g in range(len(found.estimate)):
            for h in range(g):
                difference = found.estimate[g] - found.estimate[h]
                variance = found.covariance[g, g] + found.covariance[h, h] - 2 * found.covariance[g, h]
                error = float(np.sqrt(variance))
                z = difference / error
                rows.append(
                    {
                        "class_a": g + 1,
                        "class_b": h + 1,
                        "difference": difference,
                        "standard_error": error,
                        "z": z,
                        "p": 2 * float(ndtr(-abs(z))),
                        "lower": difference - width * error,
                        "upper": difference + width * error,
                    }
                )
        columns = ["class_a", "class_b", "difference", "standard_error", "z", "p", "lower", "upper"]
        return pd.DataFrame(rows, columns=columns)

    def test(self) -> WaldTest:
        """Return the Wald test that all classes have the same value."""
        return wald_test(self.estimates)

    def summary(self) -> Summary:
        """Return the method in words, the classes, their differences, and what must be known of them."""
        return Summary("\n".join(self._lines()))

    def _lines(self) -> Iterator[str]:
        found, test = self.estimates, self.test()
        yield f"{found.outcome.name} by trajectory class: {_NAMES[found.method]}"
        missing = f", {found.outcome.n_missing} without a value" if found.outcome.n_missing else ""
        yield f"{found.n_subjects} subjects{missing}; family {found.outcome.family}; estimates are of the {found.scale}"
        yield f"Standard errors: {found.uncertainty}"
        yield ""
        shares: Formats = {"latent_class": str, "share": _percent}
        numbers: Formats = dict.fromkeys(("estimate", "standard_error", "lower", "upper", "mean"), shown)
        heads = ["Class", "Share %", "Estimate", "SE", "2.5 %", "97.5 %", "Mean"]
        yield from aligned([heads, *_cells(self.classes(), {**shares, **numbers})])
        yield ""
        pairs = self.differences()
        pairs.insert(0, "pair", [f"{g} - {h}" for g, h in zip(pairs["class_a"], pairs["class_b"], strict=True)])
        formats: Formats = {"pair": str, "difference": shown, "standard_error": shown, "z": _z, "p": shown_p_value}
        yield from aligned([["Difference", "Estimate", "SE", "z", "p"], *_cells(pairs, formats)])
        yield f"All equal: chi2 {test.statistic:.3f}, df {test.df}, p {shown_p_value(test.p)}"
        yield from _notes(found.notes)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PredictorResult:
    """What predicts the classes of a trajectory model, corrected for wrong assignments."""

    estimates: PredictorEstimates

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a reader must know before using the numbers, one sentence each."""
        return self.estimates.notes

    def coefficients(self, level: float = 0.95) -> pd.DataFrame:
        """Return one row a coefficient: log-odds of a class against the reference, with z, p, limits and odds ratio."""
        found, half = self.estimates, float(ndtri(0.5 + level / 2))
        error = np.sqrt(np.diag(found.covariance))
        z = found.estimate / error
        return pd.DataFrame(
            {
                "latent_class": [p.latent_class for p in found.parameters],
                "predictor": [p.name for p in found.parameters],
                "estimate": found.estimate,
                "standard_error": error,
                "z": z,
                "p": 2 * ndtr(-np.abs(z)),
                "lower": found.estimate - half * error,
                "upper": found.estimate + half * error,
                "odds_ratio": np.exp(found.estimate),
            }
        )

    def tests(self) -> pd.DataFrame:
        """Return one row a column: the Wald test that it predicts no class."""
        return pd.DataFrame(
            [
                {"predictor": test.name, "chi2": test.statistic, "df": test.df, "p": test.p}
                for test in predictor_tests(self.estimates)
            ]
        )

    def summary(self) -> Summary:
        """Return the coefficients, the tests, and what must be known of them."""
        return Summary("\n".join(self._lines()))

    def _lines(self) -> Iterator[str]:
        found = self.estimates
        yield "Predictors of trajectory classes: three steps, maximum likelihood"
        missing = f", {found.n_missing} without all predictors" if found.n_missing else ""
        yield f"{found.n_subjects} subjects{missing}; log-odds against class {found.reference}"
        yield f"Standard errors: {found.uncertainty}"
        yield ""
        formats: dict[str, Callable[[Any], str]] = {
            "latent_class": str,
            "predictor": str,
            "estimate": shown,
            "standard_error": shown,
        }
        formats |= {"z": _z, "p": shown_p_value, "odds_ratio": shown}
        heads = ["Class", "Predictor", "Estimate", "SE", "z", "p", "Odds ratio"]
        yield from aligned([heads, *_cells(self.coefficients(), formats)], left=2)
        for test in predictor_tests(found):
            yield f"{test.name}: chi2 {test.statistic:.3f}, df {test.df}, p {shown_p_value(test.p)}"
        yield from _notes(found.notes)


def _cells(table: pd.DataFrame, formats: Formats) -> list[list[str]]:
    columns = [[form(value) for value in table[name].tolist()] for name, form in formats.items()]
    return [list(row) for row in zip(*columns, strict=True)]


def _percent(share: float) -> str:
    return f"{100 * share:.1f}"


def _z(value: float) -> str:
    return f"{value:.3f}"


def _notes(notes: tuple[str, ...]) -> Iterator[str]:
    if notes:
        yield ""
        yield from (f"  - {note}" for note in notes)
