"""The table of a fit that users of R and statsmodels know."""

from collections.abc import Sequence

import numpy as np

from harness.arrays import Matrix
from harness.formula import formula_text
from harness.lmm.design import LmmDesign
from harness.lmm.estimates import LmmEstimates
from harness.lmm.fit import LmmFit
from harness.lmm.spec import LmmSpec
from harness.summaries import Summary

WALD_95 = 1.959963984540054


def summarise(spec: LmmSpec, design: LmmDesign, fit: LmmFit, estimates: LmmEstimates) -> Summary:
    """Return header, random effects, fixed effects and how the search ended."""
    label = "REML criterion" if spec.criterion == "REML" else "Deviance"
    header = [
        ["Observations", f"{design.n_observations}", "Log-likelihood", f"{estimates.log_likelihood:.3f}"],
        ["Subjects", f"{design.n_subjects}", label, f"{fit.deviance:.3f}"],
        ["Rows dropped", f"{design.dropped_rows}", "AIC", f"{estimates.aic:.3f}"],
        ["Parameters", f"{estimates.n_parameters}", "BIC", f"{estimates.bic:.3f}"],
    ]
    sections = [
        [f"Linear mixed model fitted by {spec.criterion}", f"Formula: {formula_text(spec.formula)}"],
        _aligned(header),
        *_covariance_sections(estimates),
        ["Fixed effects", *_aligned(_fixed_rows(estimates))],
        [fit.convergence.message, *_remarks(design, fit)],
    ]
    width = max(len(line) for section in sections[:-1] for line in section)
    rule = "\n" + "-" * width + "\n"
    return Summary(rule.join("\n".join(section) for section in sections))


def _covariance_sections(estimates: LmmEstimates) -> list[list[str]]:
    tables = [(f"Random effects, by {one.grouping}", _covariance_rows(one.names, one.cov)) for one in estimates.random]
    for one in estimates.residual:
        level = f", {one.level}" if one.level is not None else ""
        tables.append((f"Residual covariance of one subject{level}", _covariance_rows(one.visits, one.cov)))
    if estimates.sigma is not None:
        row = ["residual", _number(estimates.sigma**2), _number(estimates.sigma)]
        tables[-1][1].append(row)
    return [[title, *_aligned(rows)] for title, rows in tables]


def _covariance_rows(names: Sequence[str], cov: Matrix) -> list[list[str]]:
    sds = np.sqrt(np.diag(cov))
    correlated = bool(np.any(np.tril(cov, -1)))
    rows = [["", "Variance", "SD", *(["Correlation"] if correlated else [])]]
    for a, name in enumerate(names):
        row = [name, _number(cov[a, a]), _number(sds[a])]
        if correlated:
            scales = (float(sds[a] * sds[b]) for b in range(a))
            row += [f"{cov[a, b] / scale:.3f}" if scale > 0 else "-" for b, scale in enumerate(scales)]
        rows.append(row)
    return rows


def _fixed_rows(estimates: LmmEstimates) -> list[list[str]]:
    rows = [["", "Estimate", "Std. error", "Wald z", "2.5 %", "97.5 %"]]
    errors = np.sqrt(np.diag(estimates.vcov))
    for name, b, se in zip(estimates.fixed_names, estimates.beta, errors, strict=True):
        numbers = (_number(b), _number(se), f"{b / se:.3f}", _number(b - WALD_95 * se), _number(b + WALD_95 * se))
        rows.append([name, *numbers])
    return rows


def _remarks(design: LmmDesign, fit: LmmFit) -> list[str]:
    remarks = [] if fit.convergence.next_step == "Nothing to do." else [fit.convergence.next_step]
    if design.empty_levels:
        remarks.append(f"Levels without a complete row: {', '.join(design.empty_levels)}.")
    if design.lost_subjects:
        remarks.append(f"Subjects without a complete row: {len(design.lost_subjects)}.")
    return remarks


def _number(value: float) -> str:
    return f"{value:.6g}"


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return the rows as lines: the first column to the left, the others to the right."""
    n_columns = max(map(len, rows))
    full = [[*row, *[""] * (n_columns - len(row))] for row in rows]
    widths = [max(map(len, column)) for column in zip(*full, strict=True)]
    return [
        "   ".join(
            [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        ).rstrip()
        for row in full
    ]
