"""Fixed effects and their tests as named quantities, whoever computed them.

Paths: ``fixed[week].estimate``; ``satterthwaite.fixed[week].df``; ``satterthwaite.type3[visit:protocol].df2``.
"""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from harness.arrays import Mask, Matrix, Vector
from harness.quantities import Kind, Quantity


def effect_quantities(
    names: Sequence[str],
    beta: Vector,
    vcov: Matrix,
    *,
    log_likelihood: float,
    n_observations: int,
    n_subjects: int,
) -> Iterator[Quantity]:
    """Yield what a test of fixed effects starts from: the fit by its log-likelihood, estimates, standard errors."""
    yield Quantity(path="n_observations", kind=Kind.EXACT, value=n_observations)
    yield Quantity(path="n_subjects", kind=Kind.EXACT, value=n_subjects)
    yield Quantity(path="log_likelihood", kind=Kind.OPTIMUM, value=log_likelihood)
    for name, estimate, variance in zip(names, beta, np.diag(vcov), strict=True):
        error = float(np.sqrt(variance))
        yield Quantity(path=f"fixed[{name}].estimate", kind=Kind.OPTIMUM, value=float(estimate), standard_error=error)
        yield Quantity(path=f"fixed[{name}].standard_error", kind=Kind.CURVATURE, value=error)


def coefficient_quantities(
    method: str,
    names: Sequence[str],
    *,
    standard_error: Vector | None = None,
    statistic: Vector | None = None,
    df: Vector | None = None,
    p_value: Vector | None = None,
) -> Iterator[Quantity]:
    """Yield the t test of each coefficient; its standard error where the method has one of its own."""
    columns = {"standard_error": standard_error, "statistic": statistic, "df": df, "p_value": p_value}
    for ending, values in columns.items():
        if values is None:
            continue
        for name, value in zip(names, values, strict=True):
            yield Quantity(path=f"{method}.fixed[{name}].{ending}", kind=Kind.CURVATURE, value=float(value))


def table_quantities(
    table: str,
    terms: Sequence[str],
    *,
    statistic: Vector,
    df1: Vector,
    df2: Vector,
    p_value: Vector,
    scaling: Vector | None = None,
) -> Iterator[Quantity]:
    """Yield the F test of each term; `table` is the method and what is tested, such as ``satterthwaite.type3``."""
    for term, numerator in zip(terms, df1, strict=True):
        yield Quantity(path=f"{table}[{term}].df1", kind=Kind.EXACT, value=float(numerator))
    columns = {"statistic": statistic, "df2": df2, "p_value": p_value, "scaling": scaling}
    for ending, values in columns.items():
        if values is None:
            continue
        for term, value in zip(terms, values, strict=True):
            yield Quantity(path=f"{table}[{term}].{ending}", kind=Kind.CURVATURE, value=float(value))


def mean_quantities(
    method: str,
    table: str,
    labels: Sequence[str],
    *,
    estimable: Mask,
    numbers: Mapping[str, Vector],
    tukey: Vector | None = None,
) -> Iterator[Quantity]:
    """Yield marginal means or contrasts: which are estimable, and the numbers of those that are.

    `numbers` has estimate, standard_error, df, lower, upper, statistic and p_value, each (k,), not adjusted; `tukey`
    are p-values adjusted for all pairs.
    """
    for k, label in enumerate(labels):
        path = f"{method}.{table}[{label}]"
        yield Quantity(path=f"{path}.estimable", kind=Kind.EXACT, value=bool(estimable[k]))
        if not estimable[k]:
            continue
        error = float(numbers["standard_error"][k])
        for ending in ("estimate", "lower", "upper"):
            value = float(numbers[ending][k])
            yield Quantity(path=f"{path}.{ending}", kind=Kind.OPTIMUM, value=value, standard_error=error)
        for ending in ("standard_error", "df", "statistic", "p_value"):
            yield Quantity(path=f"{path}.{ending}", kind=Kind.CURVATURE, value=float(numbers[ending][k]))
        if tukey is not None:
            yield Quantity(path=f"{path}.tukey_p_value", kind=Kind.CURVATURE, value=float(tukey[k]))


def interval_quantities(method: str, names: Sequence[str], lower: Vector, upper: Vector) -> Iterator[Quantity]:
    """Yield the ends of 95 % intervals, on the scale of standard errors that their widths give."""
    for name, low, high in zip(names, lower.tolist(), upper.tolist(), strict=True):
        width = (high - low) / 3.92
        scale = width if np.isfinite(width) and width > 0 else None
        for ending, value in (("lower", low), ("upper", high)):
            path = f"{method}[{name}].{ending}"
            yield Quantity(path=path, kind=Kind.OPTIMUM, value=float(value), standard_error=scale)
