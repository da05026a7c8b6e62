"""The printed account of a dual trajectory model."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from harness.gbtm import summary
from harness.gbtm.several.dual_design import DualDesign
from harness.gbtm.several.dual_estimates import DualEstimates, Probabilities, independence_test
from harness.gbtm.several.dual_search import DualFit
from harness.gbtm.several.multi_summary import left_out, outcome_lines
from harness.summaries import shown_p_value


def dual_summary(design: DualDesign, fit: DualFit, estimates: DualEstimates, warnings: tuple[str, ...]) -> str:
    """Return what a reader wants to know of one model, as plain text."""
    first, second = (model.spec.outcome for model in design.outcomes)
    parts = [
        *_heading(design, estimates),
        "",
        *summary.criteria(estimates.first),
        "",
        *_independence(fit, design),
        "",
        f"Class of {second} (columns) given that of {first} (rows), % (standard error)",
        _table(estimates.second_given_first),
        "",
        f"Class of {first} (rows) given that of {second} (columns), %",
        _table(estimates.first_given_second),
        "",
        "Both together, %",
        _table(estimates.joint),
    ]
    for model, own in zip(design.outcomes, (estimates.first, estimates.second), strict=True):
        parts += [
            "",
            f"{model.spec.outcome} (in the units of the data; standard errors: {estimates.covariance_kind})",
            summary.coefficient_table(own),
            "",
            summary.class_table(own),
        ]
    parts += ["", *summary.search_account(fit.joint)]
    if warnings:
        parts += ["", "Warnings", *(f"  - {warning}" for warning in warnings)]
    return "\n".join(parts)


def _heading(design: DualDesign, estimates: DualEstimates) -> Iterator[str]:
    J, K = design.shape
    yield f"Dual trajectory model: {J} class(es) of {design.first.spec.outcome}, {K} of {design.second.spec.outcome}"
    for model in design.outcomes:
        yield from outcome_lines(model)
    yield "Outcomes are independent given both classes; maximum likelihood"
    n_parameters = estimates.first.n_parameters
    yield f"{design.n_subjects} subjects, {design.n_observations} observations, {n_parameters} parameters"
    yield from left_out(design.first)


def _independence(fit: DualFit, design: DualDesign) -> Iterator[str]:
    test = independence_test(fit, design)
    yield f"Outcomes alone: log-likelihood {test.independent_log_likelihood:.4f} together;"
    if np.isnan(test.p):
        yield f"  gain over independent classes: {test.statistic:.3f} (twice the difference, without a reference)"
    else:
        said = f"chi2 {test.statistic:.3f}, df {test.df}, p {shown_p_value(test.p)}"
        yield f"  test of independent classes: {said}"


def _table(found: Probabilities) -> str:
    J, K = found.estimate.shape
    cells = [[_cell(found.estimate[j, k], found.standard_error[j, k]) for k in range(K)] for j in range(J)]
    return pd.DataFrame(cells, index=range(1, J + 1), columns=range(1, K + 1)).to_string()


def _cell(value: float, error: float) -> str:
    return f"{100 * value:.1f}" + ("" if np.isnan(error) else f" ({100 * error:.1f})")
