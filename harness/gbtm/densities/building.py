"""Which densities a spec asks for."""

from harness.gbtm.densities.dropout import build_dropout
from harness.gbtm.densities.moments import gaussian_moments
from harness.gbtm.densities.random_effects import build_random_effects
from harness.gbtm.densities.rows import build_rows_density
from harness.gbtm.model import ClassDensity
from harness.gbtm.response import Response
from harness.gbtm.rows import Rows
from harness.gbtm.spec import GbtmSpec


def build_densities(spec: GbtmSpec, rows: Rows, response: Response) -> tuple[ClassDensity, ...]:
    """Return the density of an outcome given the class, then that of dropout if the spec has it."""
    outcome = _outcome(spec, rows, response)
    if spec.dropout is None:
        return (outcome,)
    return outcome, build_dropout(spec, rows)


def _outcome(spec: GbtmSpec, rows: Rows, response: Response) -> ClassDensity:
    """Return the density by sums of subjects where these suffice, else by rows."""
    if spec.random is not None or spec.errors != "independent":
        return build_random_effects(response, spec)
    if spec.family == "gaussian" and spec.sigma != "visit":
        return gaussian_moments(response, by_class=spec.sigma == "class")
    return build_rows_density(response, spec, rows)
