"""Dropout given the class: one logit of stayed or dropped out for each wave at risk, with lagged outcomes."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy.special import logit

from harness.arrays import Codes, Mask, Matrix, Tensor, Vector, read_only
from harness.errors import Problem, SpecError
from harness.gbtm.densities.complete import newton_m_step
from harness.gbtm.dropout import AtRisk, waves_at_risk
from harness.gbtm.families.build import row_family
from harness.gbtm.families.rows import RowFamily
from harness.gbtm.model import ClassDerivatives
from harness.gbtm.named import Parameter
from harness.gbtm.response import Response, coefficient_index
from harness.gbtm.rows import Rows
from harness.gbtm.spec import GbtmSpec

_FIRST_STEPS = 3
_OF_ALL = 1e-6  # weight of all subjects in the beginning of every class, so that an empty class has one


@dataclass(frozen=True, kw_only=True, eq=False)
class DropoutDensity:
    """D_ig = sum_t a_igt log P(dropped out, or stayed, at wave t), log-odds gamma_g0 + gamma_g1 y_t-1 + gamma_g2 y_t-2.

    S starts, K classes, N subjects, n waves at risk. Own vector: the coefficients class by class, of lagged outcomes
    standardised over the waves at risk. R: ``sum(dbinom(dropped, 1, plogis(X %*% gamma), log = TRUE))``.

    Attributes
    ----------
    response
        Rows are waves at risk, columns 1 and the lags; `orders` is the number of lags of each class.
    depth : (n,)
        How many lags are known at a wave; a_igt = 1 where class g needs no more than these.
    """

    response: Response
    family: RowFamily
    depth: Codes

    @property
    def n_free(self) -> int:
        """Coefficients."""
        return self.response.n_coefficients

    @cached_property
    def places(self) -> tuple[Codes, ...]:
        """Coefficients of the class."""
        return tuple(places[places >= 0] for places in self.response.index)

    @property
    def lower(self) -> Vector:
        """None has a bound."""
        return np.full(self.n_free, -np.inf)

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """Intercept, lag1, lag2, class by class."""
        return tuple(replace(parameter, role="dropout") for parameter in self.response.parameters)

    @cached_property
    def enters(self) -> Mask:
        """Whether a wave enters the likelihood of a class, a_igt, (K, n)."""
        return np.asarray(self.depth >= np.array(self.response.orders)[:, None])

    def log_density(self, own: Matrix) -> Tensor:
        """Return D_ig, (S, K, N)."""
        by_wave = self.family.log_density(self.response.predictor(own), None)
        return self.response.panel.sum(by_wave * self.enters)

    def derivatives(self, own: Matrix, weights: Tensor) -> tuple[ClassDerivatives, ...]:
        """Return the derivatives class by class."""
        eta, panel = self.response.predictor(own), self.response.panel
        found = []
        for g in range(self.response.n_classes):
            by_wave = self.family.derivatives(eta[:, g], None)
            columns = self.response.X[:, self.response.used(g)] * self.enters[g][:, None]
            products = (columns[:, :, None] * columns[:, None, :]).reshape(len(columns), -1)
            curvature = (weights[:, g, panel.subject] * by_wave.d2_eta) @ products
            found.append(
                ClassDerivatives(
                    scores=panel.sum(by_wave.d_eta[:, None] * columns.T),
                    curvature=curvature.reshape(len(own), columns.shape[1], columns.shape[1]),
                )
            )
        return tuple(found)

    def begin(self, weights: Tensor) -> Matrix:
        """Return the log-odds of the overall rate in every class, followed by a few M-steps."""
        weights = weights + _OF_ALL
        own = np.zeros((len(weights), self.n_free))
        dropped = self.response.y
        # Half a dropout more, and half a stay, so that the log-odds are finite.
        own[:, self.response.index[:, 0]] = logit((dropped.sum() + 0.5) / (len(dropped) + 1)) / self.response.X[0, 0]
        for _ in range(_FIRST_STEPS):
            own = self.m_step(weights, own)
        return own

    def m_step(self, weights: Tensor, own: Matrix) -> Matrix:
        """Return the parameters after one damped Newton step."""
        return newton_m_step(self, weights, own)

    def simulate(self, own: Vector, classes: Codes, generator: np.random.Generator) -> Vector:
        """Refuse: which rows there are would change with the draw, and with them the likelihood of the outcome."""
        del own, classes, generator
        problem = Problem(
            found="a model of dropout",
            expected="a model whose visits are given, such as the same one without dropout",
            advice="Bootstrap over subjects, which draws their visits with them.",
        )
        raise SpecError("simulation", [problem])

    def permuted(self, classes: Codes) -> "DropoutDensity":
        """Return the density with its classes in another order."""
        return replace(self, response=self.response.permuted(classes))

    def relabelled(self, own: Matrix, classes: Codes) -> Matrix:
        """Return its own vectors with the classes in another order."""
        return self.response.relabelled(own, classes)

    def to_user(self, own: Vector) -> Vector:
        """Return the coefficients of the user's lagged outcomes."""
        return self.response.to_user(own)

    def from_user(self, values: Vector) -> Vector:
        """Return the own vector of the user's values."""
        return self.response.from_user(values)

    def user_jacobian(self, own: Vector) -> Matrix:  # noqa: ARG002 - the map is linear
        """Return d to_user / d own."""
        return self.response.user_jacobian()


def build_dropout(spec: GbtmSpec, rows: Rows) -> DropoutDensity:
    """Return the dropout density of a spec that has one; its lags follow the outcomes in `rows`."""
    lags = (0,) * spec.n_classes if spec.dropout is None else spec.dropout
    risk = waves_at_risk(rows)
    X, T = _lag_columns(risk, max(lags))
    response = Response(
        y=risk.dropped,
        time=risk.time,
        offset=read_only(np.zeros(len(X))),
        panel=risk.panel,
        X=read_only(X),
        index=coefficient_index(lags, 0, max(lags), 0),
        T=read_only(T),
        scale=1.0,
        pooled=read_only(np.zeros(X.shape[1])),
        names=("intercept", "lag1", "lag2")[: X.shape[1]],
        orders=lags,
        n_covariates=0,
        n_common=0,
    )
    return DropoutDensity(response=response, family=row_family("logit", risk.dropped), depth=risk.depth)


def _lag_columns(risk: AtRisk, n_lags: int) -> tuple[Matrix, Matrix]:
    """Return 1 and the standardised lags (n, 1 + n_lags), 0 where a lag is not known, and T: X = raw columns @ T."""
    lags = risk.lags[:, :n_lags]
    means, deviations = np.nanmean(lags, axis=0), np.nanstd(lags, axis=0)
    X = np.column_stack([np.ones(len(lags)), np.nan_to_num((lags - means) / deviations)])
    T = np.diag([1.0, *(1 / deviations)])
    T[0, 1:] = -means / deviations
    return X, T
