"""Trajectory models whose truth is known: how panels are drawn, by formulas of their own, and how they are fitted."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from harness import fit_gbtm

VISITS = 6
MISSING = 0.1
SHARES = (0.4, 0.6)
Draw = Callable[[np.random.Generator, np.ndarray, np.ndarray], np.ndarray]
"""From a stream, the means by class at the visits (N, T) and the classes (N,) to outcomes (N, T)."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Model:
    """Two classes with curves `beta` on the predictor's scale.

    Attributes
    ----------
    settings
        Arguments of `fit_gbtm`.
    outcomes
        Of predictors (N, T) and classes (N,).
    rest
        The parameters after the curves, as a `Point` has them.
    log_odds
        Intercept and effect of a standard normal risk factor on class 1; None for shares 0.4 and 0.6.
    dropout
        Intercept and effect of the last outcome on the log-odds of dropping out, by class; None for none.
    """

    name: str
    beta: tuple[tuple[float, ...], tuple[float, ...]]
    outcomes: Draw
    settings: Mapping[str, Any] = field(default_factory=dict)
    rest: tuple[float, ...] = ()
    log_odds: tuple[float, float] | None = None
    dropout: tuple[tuple[float, float], tuple[float, float]] | None = None
    visits: int = VISITS

    @property
    def point(self) -> tuple[float, ...]:
        """The truth as a `Point`."""
        odds = (np.log(SHARES[0] / SHARES[1]),) if self.log_odds is None else self.log_odds
        gone = () if self.dropout is None else (*self.dropout[0], *self.dropout[1])
        return (*odds, *self.beta[0], *self.beta[1], *self.rest, *gone)

    def draw(self, stream: np.random.Generator, n_subjects: int) -> pd.DataFrame:
        """Return a panel with some outcomes missing at random."""
        x = stream.standard_normal(n_subjects)
        classes = (stream.random(n_subjects) >= self._first(x)).astype(int)
        week = np.tile(np.arange(self.visits, dtype=float), (n_subjects, 1))
        both = [np.polynomial.polynomial.polyval(week, own) for own in self.beta]
        y = self.outcomes(stream, np.where(classes[:, None] == 0, *both), classes)
        if self.dropout is None:
            y = np.where(stream.random(y.shape) < MISSING, np.nan, y)
        else:
            y = self._dropped(stream, y, classes)
        return pd.DataFrame(
            {
                "id": np.repeat([f"s{i:03d}" for i in range(n_subjects)], self.visits),
                "week": week.ravel(),
                "y": y.ravel(),
                "x": np.repeat(x, self.visits),
            }
        )

    def truth(self, panel: pd.DataFrame) -> np.ndarray:
        """Return what the rows of `coefficients()` estimate: shares, then parameters."""
        first = float(np.mean(self._first(panel.groupby("id")["x"].first().to_numpy())))
        return np.array([first, 1 - first, *(self.point if self.log_odds else self.point[1:])])

    def fit(self, panel: pd.DataFrame, *, start: bool) -> Any:  # noqa: ANN401  # results of one outcome or several
        """Return the fit from the truth, or from a search."""
        orders = tuple(len(own) - 1 for own in self.beta)
        given = {"outcome": "y", "time": "week", "subject": "id", "orders": orders, "n_starts": 10, **self.settings}
        if self.log_odds is not None:
            given["membership"] = "x"
        if self.dropout is not None:
            given["dropout"] = (1, 1)
        return fit_gbtm(panel, **given, start=self.point if start else None)

    def table(self, fit: Any, kind: str) -> pd.DataFrame:  # noqa: ANN401
        """Return estimates with limits."""
        return fit.coefficients(standard_errors=kind)

    def _first(self, x: np.ndarray) -> np.ndarray:
        if self.log_odds is None:
            return np.full(len(x), SHARES[0])
        return 1 / (1 + np.exp(-(self.log_odds[0] + self.log_odds[1] * x)))

    def _dropped(self, stream: np.random.Generator, y: np.ndarray, classes: np.ndarray) -> np.ndarray:
        gamma = np.array(self.dropout)[classes]
        stays = np.ones(len(y), dtype=bool)
        for t in range(1, y.shape[1]):
            stays &= stream.random(len(y)) >= 1 / (1 + np.exp(-(gamma[:, 0] + gamma[:, 1] * y[:, t - 1])))
            y[~stays, t] = np.nan
        return y


def _gaussian(*sigma: float) -> Draw:
    return lambda stream, mean, classes: mean + np.array(sigma)[classes][:, None] * stream.standard_normal(mean.shape)


def _censored(stream: np.random.Generator, mean: np.ndarray, classes: np.ndarray) -> np.ndarray:
    return np.clip(_gaussian(2.0, 2.0)(stream, mean, classes), 0.0, 10.0)


def _random(stream: np.random.Generator, mean: np.ndarray, classes: np.ndarray) -> np.ndarray:
    return _gaussian(1.0, 1.0)(stream, mean, classes) + stream.standard_normal((len(mean), 1))


def _hits(stream: np.random.Generator, eta: np.ndarray, classes: np.ndarray) -> np.ndarray:
    del classes
    return (stream.random(eta.shape) < 1 / (1 + np.exp(-eta))).astype(float)


def _counts(stream: np.random.Generator, eta: np.ndarray, classes: np.ndarray) -> np.ndarray:
    del classes
    return stream.poisson(np.exp(eta)).astype(float)


def _inflated(stream: np.random.Generator, eta: np.ndarray, classes: np.ndarray) -> np.ndarray:
    extra = stream.random(eta.shape) < np.array([0.3, 0.1])[classes][:, None]
    return np.where(extra, 0.0, _counts(stream, eta, classes))


def _shares(stream: np.random.Generator, eta: np.ndarray, classes: np.ndarray) -> np.ndarray:
    phi, mean = np.array([8.0, 12.0])[classes][:, None], 1 / (1 + np.exp(-eta))
    return np.clip(stream.beta(mean * phi, (1 - mean) * phi), 1e-12, 1 - 1e-12)


SINGLE = (
    Model(
        name="gaussian, risk factor",
        beta=((5.0, 0.5), (12.0, -1.0, 0.2)),
        outcomes=_gaussian(2.0, 1.5),
        settings={"sigma": "class"},
        rest=(2.0, 1.5),
        log_odds=(-0.4, 0.8),
    ),
    Model(
        name="censored normal",
        beta=((1.0, 0.2), (7.0, 0.3)),
        outcomes=_censored,
        settings={"family": "censored_normal", "limits": (0.0, 10.0)},
        rest=(2.0,),
    ),
    Model(
        name="logit",
        beta=((-1.8, 0.05), (1.0, 0.1)),
        outcomes=_hits,
        settings={"family": "logit"},
        visits=10,
    ),
    Model(name="Poisson", beta=((0.2, 0.05), (1.6, -0.05)), outcomes=_counts, settings={"family": "poisson"}),
    Model(
        name="zero-inflated Poisson",
        beta=((0.6, 0.05), (2.0, -0.05)),
        outcomes=_inflated,
        settings={"family": "zip", "zero_orders": (0, 0)},
        rest=(float(np.log(0.3 / 0.7)), float(np.log(0.1 / 0.9))),
    ),
    Model(
        name="beta",
        beta=((-1.0, 0.1), (0.8, 0.05)),
        outcomes=_shares,
        settings={"family": "beta"},
        rest=(8.0, 12.0),
    ),
    Model(
        name="random intercept",
        beta=((5.0, 0.5), (11.0, -0.3)),
        outcomes=_random,
        settings={"random": 0},
        rest=(1.0, 1.0),
    ),
    Model(
        name="dropout",
        beta=((5.0, -0.4), (11.0, -0.3)),
        outcomes=_gaussian(1.5, 1.5),
        rest=(1.5,),
        dropout=((-2.5, 0.15), (-4.0, 0.2)),
    ),
)
