"""Intervals of all parameters of a fit, covariances included: by profile, by the information, by simulated outcomes."""

from collections.abc import Callable, Mapping, Sequence
from typing import Literal, get_args

import numpy as np
import pandas as pd

from harness.arrays import Matrix, Vector
from harness.convergence import Stop
from harness.errors import Problem, SpecError, nearest
from harness.lmm.design import LmmDesign, with_outcome
from harness.lmm.engine import fitted
from harness.lmm.estimates import LmmEstimates
from harness.lmm.fit import LmmFit
from harness.lmm.fitted import Fitted
from harness.lmm.inference.distributions import checked_level, t_quantile
from harness.lmm.likelihood.bootstrap import Bootstrap, bootstrap, bootstrap_fit
from harness.lmm.likelihood.draws import draws
from harness.lmm.likelihood.parameters import estimated_parameters
from harness.lmm.likelihood.profile import profile_intervals
from harness.lmm.prediction.simulation import checked_replicates
from harness.quantities import Kind as QuantityKind

IntervalMethod = Literal["profile", "wald"]
Statistic = Callable[[LmmEstimates], Mapping[str, float]]


def interval_table(
    method: IntervalMethod,
    design: LmmDesign,
    estimates: LmmEstimates,
    *,
    level: float,
    parameters: str | Sequence[str] | None,
) -> pd.DataFrame:
    """Return one row a parameter: estimate, lower, upper, and for profiles what each end is.

    Raises
    ------
    SpecError
        For an unknown method or parameter, a level outside (0, 1), or a model that has no profile.
    """
    if method not in get_args(IntervalMethod):
        expected = f"one of {', '.join(get_args(IntervalMethod))}"
        advice = "Those by simulated outcomes are `bootstrap(...).intervals()`."
        raise SpecError("intervals", [Problem(found=f"method {method!r:.40}", expected=expected, advice=advice)])
    if isinstance(parameters, str):
        parameters = [parameters]
    if method == "wald":
        return _wald(estimates, level, parameters)
    found = profile_intervals(design, level=level, parameters=parameters)
    rows = [(one.estimate, one.lower, one.upper, str(one.lower_end), str(one.upper_end)) for one in found]
    index = pd.Index([one.parameter for one in found], name="parameter")
    return pd.DataFrame(rows, columns=["estimate", "lower", "upper", "lower_end", "upper_end"], index=index)


def bootstrapped(
    given: tuple[LmmDesign, Fitted, LmmEstimates], *, replicates: int, seed: int, statistic: Statistic | None
) -> Bootstrap:
    """Return the parametric bootstrap of all parameters, or of a function of the estimates, for any engine.

    Parameters are standard deviations, correlations, sigma or those of the residual structure, and fixed effects.

    Raises
    ------
    SpecError
        For a seed or a number of replicates that can't be, and a statistic that gives no numbers by name.
    """
    checked_replicates(replicates, seed, "bootstrap")
    design, fit, estimates = given
    if statistic is not None:
        _refuse_unnamed(statistic(estimates))
    if isinstance(fit, LmmFit) and statistic is None:
        return bootstrap_fit(design, fit, seed=int(seed), replicates=int(replicates))

    def refit(y: Vector) -> tuple[Stop, LmmEstimates]:
        found, own = fitted(with_outcome(design, y))
        return found.convergence.stop, own

    def parameters(one: LmmEstimates) -> Mapping[str, float]:
        return estimated_parameters(design, one)

    wanted = statistic or parameters
    return bootstrap(
        (fit.convergence.stop, estimates),
        draw=draws(design, estimates, seed),
        refit=refit,
        statistic=lambda found: wanted(found[1]),
        stop_of=lambda found: found[0],
        replicates=range(replicates),
    )


def _refuse_unnamed(values: object) -> None:
    if isinstance(values, Mapping) and all(isinstance(value, int | float | np.number) for value in values.values()):
        return
    advice = 'As in statistic=lambda estimates: {"slope": estimates.beta[1]}.'
    found = f"a statistic of type {type(values).__name__}"
    raise SpecError("bootstrap", [Problem(found=found, expected="numbers by name, a dict", advice=advice)])


def _parameters(estimates: LmmEstimates) -> dict[str, float]:
    return {
        quantity.path.removesuffix(".estimate"): float(quantity.value)
        for quantity in estimates.quantities()
        if quantity.kind is QuantityKind.OPTIMUM and quantity.path != "log_likelihood"
    }


def _wald(estimates: LmmEstimates, level: float, parameters: Sequence[str] | None) -> pd.DataFrame:
    values = _parameters(estimates)
    errors = _standard_errors(estimates)
    unknown = [name for name in parameters or () if name not in values]
    if unknown:
        expected = f"one of {', '.join(values)}"
        problems = [
            Problem(column=str(name), found="no parameter", expected=expected, advice=nearest(str(name), values))
            for name in unknown
        ]
        raise SpecError("intervals", problems)
    table = pd.DataFrame({"estimate": values, "standard_error": errors})
    half = t_quantile(checked_level(level, "intervals"), np.array([np.inf]))[0] * table["standard_error"]
    table["lower"], table["upper"] = table["estimate"] - half, table["estimate"] + half
    table.index.name = "parameter"
    return table if parameters is None else table.loc[list(parameters)]


def _standard_errors(estimates: LmmEstimates) -> dict[str, float]:
    joint = estimates.optimum_covariance()
    if joint is None:
        fixed = np.sqrt(np.diag(estimates.vcov)).tolist()
        return {f"fixed[{name}]": error for name, error in zip(estimates.fixed_names, fixed, strict=True)}
    errors: Matrix = np.sqrt(np.diag(joint.matrix))
    return {path.removesuffix(".estimate"): float(error) for path, error in zip(joint.paths, errors, strict=True)}
