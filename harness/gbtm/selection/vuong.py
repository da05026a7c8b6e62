"""The test of Vuong (1989) for two models that differ by one class, as Lo, Mendell and Rubin (2001) proposed it."""

from dataclasses import dataclass

import numpy as np

from harness.arrays import Matrix, Vector, read_only
from harness.errors import Problem, SpecError
from harness.gbtm.estimation import covariance_refusal
from harness.gbtm.mixture import derivatives
from harness.gbtm.selection.adjacent import Adjacent
from harness.gbtm.selection.weighted_chi_square import upper_tail
from harness.summaries import Summary, aligned, ruled, shown, shown_p_value

WARNING = (
    "The conditions under which this reference distribution was derived do not hold for numbers of classes "
    "(Jeffries 2003), and p is often too small: never the only evidence, see blrt()."
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class VuongLoMendellRubin:
    """The test of K classes (`n_classes`) against one more.

    Attributes
    ----------
    statistic, p
        Twice the difference of the log-likelihoods, and its upper tail under sum_k weights_k Z_k^2.
    adjusted, adjusted_p
        statistic / (1 + 1 / (d log N)), d parameters more, and its upper tail under the same.
    weights : (p + q,)
        Eigenvalues that Vuong's theorem 3.3 has, from subject scores and observed information of both models.
    df
        d.
    warning
        Why it must not stand alone.
    """

    n_classes: int
    statistic: float
    p: float
    adjusted: float
    adjusted_p: float
    weights: Vector
    df: int
    warning: str = WARNING

    @property
    def reference_mean(self) -> float:
        """Mean of the reference distribution."""
        return float(self.weights.sum())

    @property
    def reference_deviation(self) -> float:
        """Standard deviation of the reference distribution."""
        return float(np.sqrt(2 * np.sum(self.weights**2)))

    def summary(self) -> Summary:
        """Return the test as a reader wants it."""
        rows = [
            ("2 (L larger - L smaller)", shown(self.statistic)),
            ("p (Vuong-Lo-Mendell-Rubin)", shown_p_value(self.p)),
            ("adjusted (Lo-Mendell-Rubin)", shown(self.adjusted)),
            ("p of the adjusted one", shown_p_value(self.adjusted_p)),
        ]
        first = [
            f"Vuong-Lo-Mendell-Rubin test: {self.n_classes} against {self.n_classes + 1} classes",
            f"Reference: a sum of {len(self.weights)} weighted chi-squares with 1 df each,",
            f"  mean {shown(self.reference_mean)}, standard deviation {shown(self.reference_deviation)}",
        ]
        return ruled([first, aligned(rows), [self.warning]])


def vuong_lo_mendell_rubin(pair: Adjacent) -> VuongLoMendellRubin:
    """Return the test of two models that differ by one class.

    Raises
    ------
    SpecError
        If one of them has no positive definite information, so that there is no reference distribution. R:
        ``tidyLPA::calc_lrt`` has the adjusted statistic, with a chi-square in place of the weighted sum.
    """
    problems = []
    for fit in (pair.smaller, pair.larger):
        reason = covariance_refusal(fit) or ("A parameter has no maximum." if fit.best.boundary else "")
        if reason or not fit.best.is_proper:
            found = f"a {len(fit.orders)}-class model without a regular optimum"
            problems.append(Problem(found=found, expected="a positive definite information", advice=reason))
    if problems:
        raise SpecError("Vuong-Lo-Mendell-Rubin test", problems)
    larger = derivatives(pair.larger.vector[None], pair.larger_design.mixture_of(pair.larger.class_kinds))
    smaller = derivatives(pair.smaller.vector[None], pair.smaller_design.mixture_of(pair.smaller.class_kinds))
    weights = reference_weights((larger.scores[0], larger.information[0]), (smaller.scores[0], smaller.information[0]))
    df = pair.larger_design.n_parameters - pair.smaller_design.n_parameters
    adjusted = pair.statistic / (1 + 1 / (df * float(np.log(pair.smaller_design.n_subjects))))
    return VuongLoMendellRubin(
        n_classes=pair.n_classes,
        statistic=pair.statistic,
        p=upper_tail(pair.statistic, weights),
        adjusted=adjusted,
        adjusted_p=upper_tail(adjusted, weights),
        weights=read_only(weights),
        df=df,
    )


def reference_weights(larger: tuple[Matrix, Matrix], smaller: tuple[Matrix, Matrix]) -> Vector:
    """Return the weights (p + q,) of the chi-squares that make up the reference distribution, largest first.

    Parameters
    ----------
    larger, smaller
        Scores by subject (p, N) and observed information (p, p) at the maximum of each model.

    Returns
    -------
    Eigenvalues of [[B_f, B_fg], [B_gf, B_g]] diag(H_f^-1, -H_g^-1), B sums of products of scores: those of a symmetric
    matrix, hence real. They are the same in any parametrisation.
    """
    scores = np.concatenate([larger[0], smaller[0]])
    p = len(larger[0])
    signed = np.zeros((len(scores), len(scores)))
    signed[:p, :p] = np.linalg.inv(larger[1])
    signed[p:, p:] = -np.linalg.inv(smaller[1])
    # B = R'R by the QR decomposition of the scores: their products would square the condition number.
    R = np.asarray(np.linalg.qr(scores.T, mode="r"))
    return np.linalg.eigvalsh(R @ signed @ R.T)[::-1]
