"""Our fitted curves with the reference's laid over them, dashed."""

from matplotlib.figure import Figure

from harness.comparison.verdict import Comparison
from harness.errors import Problem, SpecError
from harness.gbtm.result import GbtmResult
from harness.lmm.result import LmmResult

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
    if not any(q.path.endswith(".estimate") for q in reference.quantities):
        problem = Problem(found=f"{reference.engine} without estimates", expected="a reference that fitted the model")
        raise SpecError("overlay", [problem])
    figure = fit.plot()
    axes = figure.axes[0]
    for pair in comparison.curves:
        axes.plot(pair.times, pair.right, color="black", linestyle=DASHES, linewidth=1.4)
    if not comparison.curves:
        return figure
    own = axes.get_legend()
    axes.legend(handles=axes.lines[-1:], labels=[reference.engine], loc="lower left", frameon=False)
    if own is not None:
        axes.add_artist(own)
    return figure
