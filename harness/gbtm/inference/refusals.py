"""Why numbers that a reader would look for are not given, in sentences that name them."""

from collections.abc import Iterator

from harness.convergence import Stop
from harness.gbtm.account import GbtmFit
from harness.gbtm.design import GbtmDesign
from harness.gbtm.estimates import path_of
from harness.gbtm.estimation import covariance_refusal

_NAMED = 6


def standard_error_refusals(fit: GbtmFit, design: GbtmDesign) -> Iterator[str]:
    """Yield why the fit, or some of its parameters, have no standard errors; nothing if all have."""
    if refusal := covariance_refusal(fit):
        yield refusal
        return
    parameters = design.mixture_of(fit.class_kinds).parameters
    if fit.best.boundary:
        found = _named([path_of(parameters[k]) for k in fit.best.boundary])
        shares = any(parameters[k].role == "log_odds" for k in fit.best.boundary)
        also = ", and so of the class shares" if shares else ""
        yield f"No standard error of {found}, which have no maximum{also}. profile_interval() gives what the data say."
    if fit.convergence.stop == Stop.SINGULAR:
        found = _named([path_of(parameter) for parameter in parameters if parameter.role == "covariance"])
        yield (
            f"No standard error of {found}: the covariance of the random effects is singular, at the boundary of what "
            "it can be. Take fewer random effects, or profile_interval()."
        )


def _named(paths: list[str]) -> str:
    return ", ".join(paths[:_NAMED]) + (f" and {len(paths) - _NAMED} more" if len(paths) > _NAMED else "")
