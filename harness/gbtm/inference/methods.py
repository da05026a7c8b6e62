"""What every fitted trajectory model can be asked beyond its estimates, whether it is of one outcome or of several."""

from typing import TYPE_CHECKING

from harness.gbtm import curves
from harness.gbtm.estimation import estimate
from harness.gbtm.inference.classification import Classification, classification
from harness.gbtm.inference.likelihood_ratio import ComparedModel, RatioTable, likelihood_ratio
from harness.gbtm.inference.profile import ProfileInterval, profile_interval
from harness.gbtm.inference.resampling import bootstrap
from harness.gbtm.inference.wald import WaldTest, wald
from harness.gbtm.prediction.drawn_model import DRAWS, model_of
from harness.gbtm.prediction.new_patients import new_patients
from harness.gbtm.prediction.predict import Prediction, posterior_after, predict
from harness.gbtm.prediction.simulated import simulated
from harness.gbtm.prediction.visits import fitted_patients
from harness.gbtm.uncertainty import CovarianceKind, checked_kind

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from harness.arrays import Vector
    from harness.cohorts.cohort import Cohort
    from harness.gbtm.account import GbtmFit
    from harness.gbtm.design import GbtmDesign
    from harness.gbtm.estimates import GbtmEstimates
    from harness.gbtm.inference.bands import Bands
    from harness.gbtm.inference.bootstrap import Bootstrap, BootstrapKind
    from harness.gbtm.inference.hypotheses import Hypothesis
    from harness.gbtm.inference.observed_scale import Scale
    from harness.gbtm.spec import GbtmSpec


class Inferences:
    """Uncertainty and prediction of a fit of a design; `standard_errors` are the result's own where not given."""

    __slots__ = ()

    if TYPE_CHECKING:

        @property
        def cohort(self) -> Cohort: ...  # noqa: D102
        @property
        def design(self) -> GbtmDesign: ...  # noqa: D102
        @property
        def fit(self) -> GbtmFit: ...  # noqa: D102
        @property
        def estimates(self) -> GbtmEstimates: ...  # noqa: D102

    def estimates_with(self, standard_errors: "CovarianceKind | None" = None) -> "GbtmEstimates":
        """Return the estimates with the covariance of a kind: "observed information" or "sandwich"."""
        kind = self._kind(standard_errors)
        return self.estimates if kind == self.estimates.covariance_kind else estimate(self.fit, self.design, kind)

    def curve_differences(
        self,
        g: int,
        h: int,
        times: "Vector | None" = None,
        *,
        level: float = 0.95,
        standard_errors: "CovarianceKind | None" = None,
        scale: "Scale" = "predictor",
        bands: "Bands" = "pointwise",
        outcome: int = 0,
        seed: int = 1,
    ) -> "pd.DataFrame":
        """Return the curve of class g less that of class h with its bands (see `curves.curve_differences`)."""
        return curves.curve_differences(
            self.fit,
            self.design,
            g,
            h,
            times,
            level=level,
            kind=self._kind(standard_errors),
            scale=scale,
            bands=bands,
            outcome=outcome,
            seed=seed,
        )

    def wald(
        self,
        hypothesis: "Hypothesis | Sequence[Hypothesis]",
        standard_errors: "CovarianceKind | None" = None,
    ) -> WaldTest:
        """Return Wald's test of linear hypotheses on parameters (see `inference.wald`)."""
        return wald(self.fit, self.design, hypothesis, self._kind(standard_errors))

    def likelihood_ratio(self, *others: "Inferences") -> RatioTable:
        """Return likelihood-ratio tests of this and other nested models (see `inference.likelihood_ratio`)."""
        models = (self, *others)
        names = [_words(model.design) for model in models]
        named = [name if names.count(name) == 1 else f"{name} ({k})" for k, name in enumerate(names, start=1)]
        return likelihood_ratio(
            [ComparedModel(name=n, design=m.design, fit=m.fit) for n, m in zip(named, models, strict=True)]
        )

    def profile_interval(self, path: str, level: float = 0.95) -> ProfileInterval:
        """Return the profile-likelihood interval of a parameter or share (see `inference.profile`)."""
        return profile_interval(self.fit, self.design, path, level)

    def bootstrap(
        self,
        replicates: int = 500,
        *,
        kind: "BootstrapKind" = "nonparametric",
        seed: int = 1,
        workers: int | None = None,
    ) -> "Bootstrap":
        """Return the bootstrap of all parameters, of class shares and adequacy (see `inference.resampling`)."""
        return bootstrap(self.fit, self.design, replicates=replicates, kind=kind, seed=seed, workers=workers)

    def classification(self) -> Classification:
        """Return how surely subjects are classified (see `inference.classification`)."""
        return classification(self.estimates)

    def predict(
        self,
        data: "pd.DataFrame | Cohort",
        after: int | None = None,
        *,
        times: "Vector | None" = None,
        level: float = 0.95,
        draws: int = DRAWS,
        seed: int = 1,
        uncertain_parameters: bool = False,
    ) -> Prediction:
        """Return classes and courses of new patients, visit by visit (see `prediction.predict`)."""
        model = model_of(self.fit, self.design, draws=draws, seed=seed, kind=self._kind(None))
        patients = new_patients(self.design, self.cohort, data)
        return predict(
            model, patients, after=after, times=times, level=level, uncertain_parameters=uncertain_parameters
        )

    def posterior_after(self, after: int | None = None) -> "pd.DataFrame":
        """Return the class probabilities of the fitted subjects after their first visits (each number in turn)."""
        return posterior_after(model_of(self.fit, self.design, draws=0), fitted_patients(self.design), after)

    def simulate(self, replicates: int | None = None, *, seed: int = 1) -> "pd.DataFrame":
        """Return the cohort's table with outcomes drawn from the fit (see `prediction.simulated`)."""
        return simulated(self.fit, self.design, self.cohort, replicates, seed)

    def _kind(self, standard_errors: "CovarianceKind | None") -> "CovarianceKind":
        return checked_kind(self.estimates.covariance_kind if standard_errors is None else standard_errors)


def _words(design: "GbtmDesign") -> str:
    """Return what tells a model from others of the same data."""
    return "; ".join(_of_spec(outcome.spec) for outcome in design.outcomes)


def _of_spec(spec: "GbtmSpec") -> str:
    parts = [f"orders {','.join(map(str, spec.orders))}"]
    if spec.sigma != "shared":
        parts.append(f"sigma by {spec.sigma}")
    parts += [f"{name} {text}" for name in ("covariates", "common", "membership") if (text := getattr(spec, name))]
    if spec.random is not None:
        parts.append(f"random {spec.random}")
    return "; ".join(parts)
