"""A fit without its data: what it estimated, and the columns that it needs to predict and to test contrasts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from harness.arrays import Matrix, Vector
from harness.cohorts.cohort import Cohort
from harness.convergence import Convergence
from harness.errors import Problem, SpecError
from harness.lmm.design import LmmDesign
from harness.lmm.estimates import LmmEstimates
from harness.lmm.fitted import Fitted
from harness.lmm.inference.contrasts import Contrast, JointTest, Weights, contrast, joint_test
from harness.lmm.inference.fixed_effects import FixedEffects, fixed_effects
from harness.lmm.inference.table import coefficient_table
from harness.lmm.prediction.distribution import Distribution
from harness.lmm.prediction.posterior import Prediction
from harness.lmm.prediction.predict import Target, forecasts, predict
from harness.lmm.prediction.predictor import Predictor, distribution_of
from harness.lmm.prediction.trained import Trained, trained
from harness.lmm.spec import LmmSpec

METHODS = ("satterthwaite", "kenward-roger", "residual", "wald")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StoredLmm:
    """A fitted linear mixed model that can be kept in a file.

    It holds nobody's data: no outcome, no subject's label, no conditional mode. `cohort_sha256` is the hash of the
    cohort that it was fitted to; `effects` are the fixed effects under each method for degrees of freedom that was
    stored; `theta` is the optimum in the engine's own parameters.
    """

    spec: LmmSpec
    cohort_name: str
    cohort_sha256: str
    n_observations: int
    n_subjects: int
    n_parameters: int
    log_likelihood: float
    aic: float
    bic: float
    theta: Vector
    convergence: Convergence
    distribution: Distribution
    columns: Trained
    effects: Mapping[str, FixedEffects]

    @property
    def beta(self) -> Vector:
        """Fixed effects (p,)."""
        return self.distribution.beta

    @property
    def vcov(self) -> Matrix:
        """Their covariance (p, p)."""
        return self.distribution.vcov

    @property
    def fixed_names(self) -> tuple[str, ...]:
        """Their names (p,)."""
        return tuple(self.columns.all_names[j] for j in self.columns.kept.tolist())

    @property
    def predictor(self) -> Predictor:
        """What `harness.lmm.prediction.predict` needs; it knows no subject."""
        return Predictor(distribution=self.distribution, columns=self.columns)

    def predict(self, data: pd.DataFrame | Cohort, *, of: Target = "subject") -> Prediction:
        """Return mean and outcome at new rows; subjects are known by the outcomes in these rows."""
        return predict(self.predictor, data, of=of, given="rows")

    def forecasts(self, data: pd.DataFrame | Cohort, *, along: str, level: float = 0.95) -> pd.DataFrame:
        """Return what the first k outcomes of each subject say about its later rows, k = 0, 1, ..."""
        return forecasts(self.predictor, data, along=along, level=level)

    def inference(self, df: str = "satterthwaite") -> FixedEffects:
        """Return the fixed effects under one method for degrees of freedom, as `harness.lmm.inference` takes them.

        Raises
        ------
        SpecError
            If the fit was stored without this method.
        """
        if df not in self.effects:
            stored = ", ".join(map(repr, self.effects))
            advice = "Store the fit again with this method, which needs the data."
            problem = Problem(found=f"method {df!r:.60}", expected=f"one of {stored}", advice=advice)
            raise SpecError("stored fit", [problem])
        return self.effects[df]

    def fixed_effects(self, df: str = "satterthwaite", *, level: float = 0.95) -> pd.DataFrame:
        """Return one row a fixed effect, as `LmmResult.fixed_effects` does."""
        return coefficient_table(self.inference(df), level=level).table()

    def contrast(
        self, weights: Weights, df: str = "satterthwaite", *, level: float = 0.95, null: float = 0.0
    ) -> Contrast:
        """Return one contrast of the fixed effects with its test."""
        return contrast(self.inference(df), weights, level=level, null=null)

    def joint_test(self, weights: Sequence[Weights] | Matrix, df: str = "satterthwaite") -> JointTest:
        """Return the F test that several contrasts are all zero."""
        return joint_test(self.inference(df), weights)


def stored(
    spec: LmmSpec,
    cohort: Cohort,
    design: LmmDesign,
    fit: Fitted,
    estimates: LmmEstimates,
    *,
    methods: Sequence[str] = METHODS,
) -> StoredLmm:
    """Return a fit as it is stored, with fixed effects under some methods; Kenward-Roger is left out of an ML fit."""
    possible = [name for name in methods if spec.criterion == "REML" or not name.startswith("kenward-roger")]
    return StoredLmm(
        spec=spec,
        cohort_name=cohort.name,
        cohort_sha256=cohort.sha256,
        n_observations=estimates.n_observations,
        n_subjects=estimates.n_subjects,
        n_parameters=estimates.n_parameters,
        log_likelihood=estimates.log_likelihood,
        aic=estimates.aic,
        bic=estimates.bic,
        theta=estimates.theta,
        convergence=fit.convergence,
        distribution=distribution_of(design, estimates),
        columns=trained(spec, design, estimates),
        effects={name: fixed_effects(fit, design, name) for name in possible},
    )
