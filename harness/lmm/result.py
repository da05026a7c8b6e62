"""A fitted linear mixed model, to read, test, predict from, tabulate and plot."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from harness.arrays import Matrix, Vector
from harness.cohorts.cohort import Cohort
from harness.convergence import Convergence
from harness.lmm.design import LmmDesign, build_design
from harness.lmm.diagnostics.columns import frame_columns, level_sets, signal_at_modes, subject_sets
from harness.lmm.diagnostics.explained import Explained, explained
from harness.lmm.diagnostics.influence import Influence, Leverage, influence, leverage
from harness.lmm.diagnostics.refits import refit_table, refits_without
from harness.lmm.diagnostics.residuals import Residuals, residuals, spread_by
from harness.lmm.engine import fitted
from harness.lmm.estimates import LmmEstimates
from harness.lmm.fitted import Fitted
from harness.lmm.inference.contrasts import Contrast, JointTest, Weights, contrast, joint_test
from harness.lmm.inference.fixed_effects import FixedEffects, fixed_effects
from harness.lmm.inference.hypotheses import Type
from harness.lmm.inference.sandwich import Kind, robust_effects
from harness.lmm.inference.table import coefficient_table
from harness.lmm.inference.terms import TermTable, term_table
from harness.lmm.likelihood.bootstrap import Bootstrap
from harness.lmm.likelihood.criteria import counts_of, information_criteria
from harness.lmm.likelihood.profile import ProfileCurve, profile_curve
from harness.lmm.means import grid
from harness.lmm.means.marginal import MarginalMeans, described
from harness.lmm.parameter_intervals import IntervalMethod, Statistic, bootstrapped, interval_table
from harness.lmm.prediction.modes import Modes, modes, part_of
from harness.lmm.prediction.occasions import Occasions
from harness.lmm.prediction.posterior import Prediction
from harness.lmm.prediction.predict import Given, Target, forecasts, predict, row_degrees
from harness.lmm.prediction.predictor import Predictor, predictor
from harness.lmm.prediction.simulation import simulate
from harness.lmm.spec import LmmSpec
from harness.lmm.storage.stored import stored
from harness.lmm.storage.writing import write_fit
from harness.lmm.summary import summarise
from harness.lmm.tables import random_effect_table, variance_table
from harness.summaries import Summary

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LmmResult:
    """A linear mixed model, the matrices it was fitted to, where the search ended, and the estimates.

    Wherever `df` is asked for it names the method for degrees of freedom: "satterthwaite", "kenward-roger",
    "kenward-roger-observed", "kenward-roger-observed-linear", "residual" or "wald"; see
    `harness.lmm.inference.fixed_effects.fixed_effects`. `robust` ("CR0" or "CR2") takes sandwich errors instead.
    `level` is the probability with which intervals cover.

    n rows, m subjects, p fixed effects. A method that is asked for what the model does not have, or does not know an
    argument, raises `SpecError` with everything that is wrong.
    """

    cohort: Cohort
    spec: LmmSpec
    design: LmmDesign
    fit: Fitted
    estimates: LmmEstimates

    @property
    def convergence(self) -> Convergence:
        """How the search ended, in words and figures."""
        return self.fit.convergence

    @property
    def log_likelihood(self) -> float:
        """The log-likelihood, restricted under REML, with all constants; ``logLik(m)``."""
        return self.estimates.log_likelihood

    @property
    def aic(self) -> float:
        """Akaike's criterion; ``AIC(m)``."""
        return self.estimates.aic

    @property
    def bic(self) -> float:
        """Schwarz's criterion, by rows; ``BIC(m)``."""
        return self.estimates.bic

    @property
    def beta(self) -> Vector:
        """Fixed effects (p,); ``fixef(m)``."""
        return self.estimates.beta

    @property
    def vcov(self) -> Matrix:
        """Covariance of the fixed effects (p, p); ``vcov(m)``."""
        return self.estimates.vcov

    @property
    def theta(self) -> Vector:
        """The engine's own covariance parameters: lme4's ``getME(m, "theta")``, or those of the residual structure."""
        return self.estimates.theta

    @property
    def sigma(self) -> float | None:
        """Residual standard deviation, None where the residual covariance has a structure; ``sigma(m)``."""
        return self.estimates.sigma

    @property
    def random_cov(self) -> Matrix:
        """Covariance of the random effects (q, q) of the first grouping factor; ``VarCorr(m)``."""
        return self.estimates.random_cov

    @property
    def conditional_modes(self) -> Matrix:
        """Predicted random effects (m, q) of the first grouping factor, by its `labels`; ``ranef(m)``."""
        return self.estimates.conditional_modes

    def summary(self, df: str = "satterthwaite") -> Summary:
        """Return the table of the fit: header, covariances, fixed effects with tests, convergence; ``summary(m)``."""
        return summarise(self.spec, self.design, self.fit, self.estimates, coefficient_table(self.inference(df)))

    # ---- fixed effects: tests and intervals ----

    def inference(self, df: str = "satterthwaite", *, robust: Kind | None = None) -> FixedEffects:
        """Return the fixed effects and their `vcov` (p, p) under one method, as `harness.lmm.inference` takes them.

        R: ``pbkrtest::vcovAdj(m)``, ``clubSandwich::vcovCR(m, type = robust)``.
        """
        if robust is not None:
            return robust_effects(self.fit, self.design, robust)
        return fixed_effects(self.fit, self.design, df)

    def fixed_effects(
        self, df: str = "satterthwaite", *, level: float = 0.95, robust: Kind | None = None
    ) -> pd.DataFrame:
        """Return one row a fixed effect: estimate, standard error, df, t, p and interval; NaN for aliased columns.

        R: ``summary(lmerTest::lmer(...))``, ``ddf = "Kenward-Roger"``; ``clubSandwich::coef_test(m, "CR2")``.
        """
        return coefficient_table(self.inference(df, robust=robust), level=level).table()

    def contrast(
        self,
        weights: Weights,
        df: str = "satterthwaite",
        *,
        level: float = 0.95,
        null: float = 0.0,
        robust: Kind | None = None,
    ) -> Contrast:
        """Return one contrast with its test; weights by the names of fixed effects, or one for each in order.

        R: ``lmerTest::contest1D(m, l, confint = TRUE)``.
        """
        return contrast(self.inference(df, robust=robust), weights, level=level, null=null)

    def joint_test(
        self, weights: Sequence[Weights] | Matrix, df: str = "satterthwaite", *, robust: Kind | None = None
    ) -> JointTest:
        """Return the F test that several contrasts are all zero; ``lmerTest::contestMD``, ``pbkrtest::KRmodcomp``."""
        return joint_test(self.inference(df, robust=robust), weights)

    def anova(self, type: Type = "III", df: str = "satterthwaite") -> TermTable:  # noqa: A002 - the table's name
        """Return the F test of each term, of type "I", "II" or "III"; ``anova(m, type = 3)`` of lmerTest."""
        return term_table(self.inference(df), self.design, type)

    def means(
        self,
        columns: str | Sequence[str],
        *,
        by: str | Sequence[str] = (),
        at: Mapping[str, Sequence[float | str]] | None = None,
        weights: grid.Weights = "equal",
        df: str = "satterthwaite",
        level: float = 0.95,
        robust: Kind | None = None,
    ) -> MarginalMeans:
        """Return marginal means at all combinations of `columns` and `by`; their `contrasts` stay within `by`.

        R: ``emmeans(m, ~ columns | by, at = at, weights = weights, lmer.df = df)``.

        Raises
        ------
        SpecError
            With all that is wrong with the columns, the values in `at`, or the method.
        """
        own, within = (
            tuple(names) if isinstance(names, Iterable) and not isinstance(names, str) else (names,)
            for names in (columns, by)
        )
        functions = grid.mean_functions(self.design, (*own, *within), at=at, weights=weights)
        return described(functions, self.inference(df, robust=robust), by=within, level=level)

    # ---- all parameters ----

    def intervals(
        self, method: IntervalMethod = "profile", *, level: float = 0.95, parameters: str | Sequence[str] | None = None
    ) -> pd.DataFrame:
        """Return one row a parameter: estimate, lower, upper; ``confint(m, method = "profile")``.

        "profile" is of the ML fit of one grouping factor, as lme4's, in standard deviations and correlations; "wald"
        is of any fit, by the observed information, in variances and covariances. For bootstrap intervals see
        `bootstrap`.
        """
        return interval_table(method, self.design, self.estimates, level=level, parameters=parameters)

    def profile(self, parameter: str, values: Sequence[float]) -> ProfileCurve:
        """Return the signed root of the rise of the ML deviance at `values` of one parameter; ``profile(m)``."""
        return profile_curve(self.design, parameter, values)

    def bootstrap(self, replicates: int = 1000, *, seed: int, statistic: Statistic | None = None) -> Bootstrap:
        """Return the parametric bootstrap of all parameters, or of any function of the estimates.

        R: ``lme4::bootMer(m, f, nsim = replicates)``.
        """
        return bootstrapped(
            (self.design, self.fit, self.estimates), replicates=replicates, seed=seed, statistic=statistic
        )

    def information_criteria(self) -> pd.DataFrame:
        """Return AIC, AICc and BIC by the conventions of lme4, nlme, SAS and mmrm, each with its formula.

        R: ``AIC(m)``, ``BIC(m)``; for mmrm ``AIC(m, corrected = TRUE)``.
        """
        rows = information_criteria(counts_of(self.design, self.fit.deviance, self.estimates))
        return pd.DataFrame([(row.engine, row.name, row.value, row.formula) for row in rows], columns=_CRITERIA)

    def random_effects(self) -> pd.DataFrame:
        """Return one row a level and random effect: conditional mode and its conditional standard deviation.

        R: ``as.data.frame(ranef(m))``.
        """
        return random_effect_table(self.estimates)

    def variances(self) -> pd.DataFrame:
        """Return one row an entry of the random covariances (lower triangles by rows), then sigma or the residual's.

        `correlation` is NaN for variances; `standard_error` is NaN where the fit is no regular optimum. R:
        ``as.data.frame(VarCorr(m))``.
        """
        return variance_table(self.estimates)

    # ---- prediction and diagnostics ----

    def predict(self, data: pd.DataFrame | None = None, *, of: Target = "subject", given: Given = "fit") -> Prediction:
        """Return mean and outcome (k,) with their variances, at new rows or at those of the fit.

        `of` whom: the "population", or the "subject" of the row. `given`: "fit" knows subjects by the outcomes of the
        fit, "rows" by those in `data` alone; see `harness.lmm.prediction.predict.predict`. R: ``predict(m, data,
        re.form = NA)`` for the population, ``re.form = NULL, allow.new.levels = TRUE`` for subjects.
        """
        return predict(self._predictor(), data, of=of, given=given)

    def prediction_df(self, data: pd.DataFrame | None = None, df: str = "satterthwaite") -> Vector:
        """Return the degrees of freedom (k,) of X beta at each row, for the `table` of ``predict(data, ...)``."""
        return row_degrees(self._predictor(), self.inference(df), data)

    def forecasts(self, data: pd.DataFrame, *, along: str, level: float = 0.95) -> pd.DataFrame:
        """Return what the first k outcomes of each subject say about its later rows, k = 0, 1, ...

        `along` is the numeric column that orders them. R has no such function.
        """
        return forecasts(self._predictor(), data, along=along, level=level)

    def simulate(self, replicates: int = 1, *, seed: int, at_modes: bool = False) -> Matrix:
        """Return outcomes (replicates, n) drawn from the fit; ``simulate(m)``, with `at_modes` ``re.form = NULL``."""
        model = self._predictor()
        mean = self.residuals().fitted if at_modes else None
        return simulate(model.distribution, _rows_of(model), seed=seed, replicates=replicates, mean=mean)

    def residuals(self) -> Residuals:
        """Return marginal, conditional, Pearson and whitened residuals (n,) in the design's rows; ``resid(m)``."""
        model = self._predictor()
        return residuals(model.distribution, _rows_of(model), signal_at_modes(self.design, self.estimates))

    def residual_spread(self, *columns: str) -> pd.DataFrame:
        """Return count, mean and standard deviation of conditional residuals by columns, such as "visit".

        R: ``aggregate(resid(m) ~ visit, data, sd)``.
        """
        return spread_by(self.residuals().conditional, frame_columns(self.design, columns))

    def influence(self, column: str | None = None) -> Influence:
        """Return what leaving out each subject, or each level of a column, does to the fixed effects, theta held.

        R: ``HLMdiag::case_delete``, ``cooks.distance(influence(m, "subject"))`` of lme4, which refits.
        """
        model = self._predictor()
        sets, labels = subject_sets(self.design) if column is None else level_sets(self.design, column)
        names = self.estimates.fixed_names
        return influence(model.distribution, _rows_of(model), sets=sets, labels=labels, names=names)

    def leverage(self) -> Leverage:
        """Return the leverage (n,) of each row by fixed and by random effects; ``hatvalues(m)``."""
        model = self._predictor()
        return leverage(model.distribution, _rows_of(model))

    def refits_without(self, column: str | None = None, labels: str | Sequence[str] | None = None) -> pd.DataFrame:
        """Return the changes of fixed effects and theta when each subject, or level of a factor, is left out.

        R: ``influence(m, groups = column)`` of lme4.
        """
        own = self.spec.formula.subject[0] if column is None else column
        refits = refits_without(self.cohort, own, lambda cohort: fit_lmm_cohort(self.spec, cohort).estimates, labels)
        return refit_table(self.estimates, refits)

    def modes(self, grouping: str | None = None) -> Modes:
        """Return the modes of a grouping factor, the first unless named, with both of their variances.

        R: ``ranef(m, condVar = TRUE)``, whose ``postVar`` is the variance given beta; SAS gives that of prediction.

        Raises
        ------
        SpecError
            If the model has no random effects, or none by this factor.
        """
        model, part = self._predictor(), self._part(grouping)
        return modes(model.distribution, _rows_of(model), part, len(self.estimates.random[part].labels))

    def explained(self) -> Explained:
        """Return variances by component, marginal and conditional R2, intraclass correlations.

        R: ``MuMIn::r.squaredGLMM(m)``, ``performance::icc(m)``.
        """
        model = self._predictor()
        one = self.estimates.random
        return explained(
            model.distribution,
            _rows_of(model),
            groupings=[effects.grouping for effects in one],
            names=[effects.names for effects in one],
        )

    def save(self, path: Path | str) -> Path:
        """Write the fit as a plain file, from which `harness.load_fit` predicts and tests without the data."""
        return write_fit(stored(self.spec, self.cohort, self.design, self.fit, self.estimates), Path(path))

    def plot(self) -> "Figure":
        """Return a figure of observed outcomes, their means, and the fitted population curve with a 95 % Wald band."""
        from harness.lmm.figure import draw  # noqa: PLC0415 - matplotlib is slow to import and seldom needed

        return draw(self.spec, self.design, self.estimates)

    def plot_residuals(self, along: str, apart: str | None = None) -> "Figure":
        """Return residuals against fitted values, their quantiles, and their spread by visit (`along`) and arm."""
        from harness.lmm.diagnostics.figures import draw_residuals  # noqa: PLC0415 - as above

        columns = [along] if apart is None else [along, apart]
        return draw_residuals(self.residuals(), self.residual_spread(*columns), along, apart)

    def plot_modes(self, grouping: str | None = None) -> "Figure":
        """Return the modes of one grouping factor in their order, with 95 % prediction intervals; see `modes`."""
        from harness.lmm.diagnostics.figures import draw_modes  # noqa: PLC0415 - as above

        one = self.estimates.random[self._part(grouping)]
        return draw_modes(self.modes(grouping), one.names, one.labels, one.grouping)

    def plot_influence(self, column: str | None = None) -> "Figure":
        """Return Cook's distances and DFBETAS of subjects, or of a column's levels."""
        from harness.lmm.diagnostics.figures import draw_influence  # noqa: PLC0415 - as above

        return draw_influence(self.influence(column))

    def _part(self, grouping: str | None) -> int:
        return part_of([one.grouping for one in self.estimates.random], grouping)

    def _predictor(self) -> Predictor:
        return predictor(self.spec, self.design, self.estimates)


_CRITERIA = ["engine", "criterion", "value", "formula"]


def fit_lmm_cohort(spec: LmmSpec, cohort: Cohort) -> LmmResult:
    """Return the model fitted to a cohort.

    Raises
    ------
    SpecError
        If the model can't be fitted to this cohort; all problems are listed.
    """
    design = build_design(spec, cohort)
    fit, estimates = fitted(design)
    return LmmResult(cohort=cohort, spec=spec, design=design, fit=fit, estimates=estimates)


def _rows_of(model: Predictor) -> Occasions:
    if model.fitted is None:
        raise ValueError("the predictor of a fit has its rows")
    return model.fitted
