"""The table of a fit that users of R and statsmodels know."""

from collections.abc import Sequence

import numpy as np

from harness.arrays import Matrix
from harness.formula import formula_text
from harness.lmm.design import LmmDesign
from harness.lmm.estimates import LmmEstimates
from harness.lmm.fitted import Fitted
from harness.lmm.inference.table import ContrastTable
from harness.lmm.remarks import design_remarks
from harness.lmm.spec import LmmSpec
from harness.summaries import Summary, aligned, ruled, shown, shown_df, shown_p_value, shown_percent


def summarise(spec: LmmSpec, design: LmmDesign, fit: Fitted, estimates: LmmEstimates, table: ContrastTable) -> Summary:
    """Return header, covariances, fixed effects with their tests (`table`), and how the search ended."""
    label = "REML criterion" if spec.criterion == "REML" else "Deviance"
    header = [
        ["Observations", f"{design.n_observations}", "Log-likelihood", f"{estimates.log_likelihood:.3f}"],
        ["Subjects", f"{design.n_subjects}", label, f"{fit.deviance:.3f}"],
        ["Rows dropped", f"{design.dropped_rows}", "AIC", f"{estimates.aic:.3f}"],
        ["Parameters", f"{estimates.n_parameters}", "BIC", f"{estimates.bic:.3f}"],
    ]
    step = fit.convergence.next_step
    advice = [] if step == "Nothing to do." else [step]
    sections = [
        [f"Linear mixed model fitted by {spec.criterion}", f"Formula: {formula_text(spec.formula)}"],
        aligned(header),
        *_covariance_sections(estimates),
        [f"Fixed effects, degrees of freedom: {table.method.name}", *aligned(_fixed_rows(table))],
        [fit.convergence.message, *advice, *design_remarks(design)],
    ]
    return ruled(sections)


def _covariance_sections(estimates: LmmEstimates) -> list[list[str]]:
    tables = [(f"Random effects, by {one.grouping}", _covariance_rows(one.names, one.cov)) for one in estimates.random]
    for one in estimates.residual:
        level = f", {one.level}" if one.level is not None else ""
        tables.append((f"Residual covariance of one subject{level}", _covariance_rows(one.visits, one.cov)))
    if estimates.sigma is not None:
        row = ["residual", shown(estimates.sigma**2), shown(estimates.sigma)]
        tables[-1][1].append(row)
    return [[title, *aligned(rows)] for title, rows in tables]


def _covariance_rows(names: Sequence[str], cov: Matrix) -> list[list[str]]:
    sds = np.sqrt(np.diag(cov))
    correlated = bool(np.any(np.tril(cov, -1)))
    rows = [["", "Variance", "SD", *(["Correlation"] if correlated else [])]]
    for a, name in enumerate(names):
        row = [name, shown(cov[a, a]), shown(sds[a])]
        if correlated:
            scales = (float(sds[a] * sds[b]) for b in range(a))
            row += [f"{cov[a, b] / scale:.3f}" if scale > 0 else "-" for b, scale in enumerate(scales)]
        rows.append(row)
    return rows


def _fixed_rows(table: ContrastTable) -> list[list[str]]:
    low, high = (1 - table.level) / 2, (1 + table.level) / 2
    rows = [["", "Estimate", "Std. error", "df", "t", "p", shown_percent(low), shown_percent(high)]]
    for k, name in enumerate(table.names):
        if not table.estimable[k]:
            rows.append([name, "not estimable"])
            continue
        tests = (shown_df(float(table.df[k])), f"{table.t[k]:.3f}", shown_p_value(float(table.p[k])))
        ends = (shown(table.lower[k]), shown(table.upper[k]))
        rows.append([name, shown(table.estimate[k]), shown(table.standard_error[k]), *tests, *ends])
    return rows
