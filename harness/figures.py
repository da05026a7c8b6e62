"""Our fitted curves with the reference's laid over them, dashed."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from harness.arrays import Vector
from harness.comparison.verdict import Comparison
from harness.errors import Problem, SpecError
from harness.gbtm.estimates import path_of
from harness.gbtm.inference.mean_curves import mean_curves
from harness.gbtm.named import Parameter
from harness.gbtm.result import GbtmResult
from harness.lmm.curve import curve_columns, population_curves
from harness.lmm.result import LmmResult
from harness.quantities import Reading

DASHES = (0, (3, 3))


def overlay(fit: LmmResult | GbtmResult, comparison: Comparison) -> Figure:
    """Return the figure of a fit with the fitted curves of the reference over it.

    Parameters
    ----------
    fit
        From `fit_lmm` or `fit_gbtm`.
    comparison
        From `compare(fit)`.

    Raises
    ------
    SpecError
        If the reference has no estimates, because it failed or has no such model.
    """
    reference = comparison.right
    estimates = _estimates(reference)
    if not estimates:
        problem = Problem(found=f"{reference.engine} without estimates", expected="a reference that fitted the model")
        raise SpecError("overlay", [problem])
    figure = fit.plot()
    axes = figure.axes[0]
    if isinstance(fit, LmmResult):
        _add_population_curves(axes, fit, estimates)
    else:
        _add_class_curves(axes, fit, estimates)
    own = axes.get_legend()
    axes.legend(handles=axes.lines[-1:], labels=[reference.engine], loc="lower left", frameon=False)
    if own is not None:
        axes.add_artist(own)
    return figure


def _estimates(reading: Reading) -> dict[str, float]:
    return {q.path: float(q.value) for q in reading.quantities if q.path.endswith(".estimate")}


def _add_population_curves(axes: Axes, fit: LmmResult, estimates: dict[str, float]) -> None:
    along, apart = curve_columns(fit.spec, fit.design)
    if along is None:
        return
    beta = np.array([estimates[f"fixed[{name}].estimate"] for name in fit.estimates.fixed_names])
    for curve in population_curves(fit.design, replace(fit.estimates, beta=beta), along, apart):
        _dashed(axes, curve.x, curve.mean)


def _add_class_curves(axes: Axes, fit: GbtmResult, estimates: dict[str, float]) -> None:
    mixture = fit.design.mixture_of(fit.fit.class_kinds)
    outcome, times = fit.design.outcomes[0], fit.drawn_times
    vector = mixture.from_user(_user_values(mixture.parameters, estimates, fit.estimates.n_classes))
    for curve in mean_curves(vector, mixture, outcome, times, scale="response").fitted:
        _dashed(axes, times, curve)


def _user_values(parameters: Sequence[Parameter], estimates: dict[str, float], n_classes: int) -> Vector:
    """Return the reference's parameters in our order; log-odds that it reports as shares from these."""

    def value(parameter: Parameter) -> float:
        path = f"{path_of(parameter)}.estimate"
        if path in estimates or parameter.role != "log_odds":
            return estimates[path]
        shares = [estimates[f"class[{g}].share.estimate"] for g in (parameter.latent_class, n_classes)]
        return float(np.log(shares[0] / shares[1]))

    return np.array([value(parameter) for parameter in parameters])


def _dashed(axes: Axes, x: Vector, y: Vector) -> None:
    axes.plot(x, y, color="black", linestyle=DASHES, linewidth=1.4)
