"""From the best optimum of a dual model to its probabilities and parameters with their uncertainty."""

from dataclasses import dataclass

import numpy as np
from scipy.stats import chi2

from harness.arrays import Mask, Matrix, Tensor, Vector, read_only
from harness.convergence import Stop
from harness.gbtm.adequacy import average_posterior, entropy
from harness.gbtm.estimates import GbtmEstimates, reported
from harness.gbtm.estimation import covariance_refusal, reported_jacobian
from harness.gbtm.mixture import e_step
from harness.gbtm.several.dual_design import DualDesign
from harness.gbtm.several.dual_optima import empty_cells
from harness.gbtm.several.dual_search import DualFit
from harness.gbtm.several.margins import Margin, joint_shares, joint_slopes, margins
from harness.gbtm.uncertainty import CovarianceKind, free_covariance


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Probabilities:
    """Probabilities of any shape with their standard errors by the delta method, NaN at a boundary."""

    estimate: Matrix
    standard_error: Matrix


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DualEstimates:
    """Estimates of a dual model in the user's units, the classes of both outcomes in canonical order.

    Attributes
    ----------
    joint, second_given_first, first_given_second : (J, K)
        pi_jk; pi_(k|j), rows of sum 1; pi_(j|k), columns of sum 1.
    shares
        Of the classes of each outcome, (J,) and (K,).
    first, second
        Each outcome's own classes and parameters; their log-likelihood and criteria are those of the dual model.
    posterior : (N, J, K)
        Probabilities of the cells.
    covariance : (P, P) or None
        Of the free vector in working units.
    """

    joint: Probabilities
    second_given_first: Probabilities
    first_given_second: Probabilities
    shares: tuple[Probabilities, Probabilities]
    first: GbtmEstimates
    second: GbtmEstimates
    posterior: Tensor
    covariance: Matrix | None
    covariance_kind: CovarianceKind
    entropy: float

    @property
    def log_likelihood(self) -> float:
        """With all constants, of both outcomes together."""
        return self.first.log_likelihood


def estimate_dual(fit: DualFit, design: DualDesign, kind: CovarianceKind) -> DualEstimates:
    """Return the estimates of a dual fit; the covariance is None where `covariance_refusal` gives a reason."""
    best = fit.joint
    mixture = design.mixture_of(best.class_kinds)
    covariance = None if covariance_refusal(best) else free_covariance(best.vector, mixture, kind)
    shares = joint_shares(best.vector, mixture, design)
    slopes = np.zeros((shares.size, mixture.n_free))
    slopes[:, : mixture.membership.n_free] = joint_slopes(best.vector, mixture)
    empty = empty_cells(shares, design.n_subjects)
    cells = e_step(best.vector[None], mixture)[0][0]
    posterior = cells.reshape(*design.shape, -1)
    of_margins = margins(best.vector, mixture, design)
    first, second = (
        _outcome(number, margin, fit, design, (posterior, covariance, kind)) for number, margin in enumerate(of_margins)
    )

    def probabilities(values: Matrix, jacobian: Tensor, where: Mask) -> Probabilities:
        errors = np.full(values.shape, np.nan)
        if covariance is not None:
            flat = jacobian.reshape(values.size, -1)
            errors = np.sqrt(np.einsum("cp,pq,cq->c", flat, covariance, flat)).reshape(values.shape)
        return Probabilities(estimate=read_only(values), standard_error=read_only(np.where(where, np.nan, errors)))

    by_cell = slopes.reshape(*shares.shape, -1)
    rows, columns = shares.sum(axis=1), shares.sum(axis=0)
    given_first, given_second = shares / rows[:, None], shares / columns
    # d (a / b) = (d a - (a / b) d b) / b
    of_rows, of_columns = by_cell.sum(axis=1), by_cell.sum(axis=0)
    slopes_first = (by_cell - given_first[..., None] * of_rows[:, None]) / rows[:, None, None]
    slopes_second = (by_cell - given_second[..., None] * of_columns) / columns[None, :, None]
    # A row of a single cell with subjects has no freedom left: its 1 is as much at the boundary as the zeros.
    alone = (~empty).sum(axis=1, keepdims=True) == 1, (~empty).sum(axis=0, keepdims=True) == 1
    return DualEstimates(
        joint=probabilities(shares, by_cell, empty),
        second_given_first=probabilities(given_first, slopes_first, empty | alone[0]),
        first_given_second=probabilities(given_second, slopes_second, empty | alone[1]),
        shares=(
            probabilities(rows, of_rows, np.zeros(len(rows), dtype=np.bool_)),
            probabilities(columns, of_columns, np.zeros(len(columns), dtype=np.bool_)),
        ),
        first=first,
        second=second,
        posterior=read_only(np.moveaxis(posterior, 2, 0)),
        covariance=covariance,
        covariance_kind=kind,
        entropy=entropy(cells.T),
    )


def _outcome(
    number: int,
    margin: Margin,
    fit: DualFit,
    design: DualDesign,
    found: tuple[Tensor, Matrix | None, CovarianceKind],
) -> GbtmEstimates:
    """Return one outcome's classes and parameters, with the uncertainty that the dual model leaves them."""
    posterior, free, kind = found
    model, mixture = design.outcomes[number], margin.mixture
    marginal = posterior.sum(axis=1 - number).T
    covariance = None
    if free is not None:
        jacobian = reported_jacobian(margin.vector, mixture) @ margin.jacobian
        covariance = jacobian @ free @ jacobian.T
        kept = reported(mixture.parameters, mixture.n_classes)
        singular = fit.joint.convergence.stop == Stop.SINGULAR
        lost = [
            mixture.n_classes + row
            for row, k in enumerate(kept)
            if margin.places[k] in fit.joint.best.boundary or (singular and mixture.parameters[k].role == "covariance")
        ]
        covariance[lost] = np.nan
        covariance[:, lost] = np.nan
    L, p = fit.joint.log_likelihood, design.n_parameters
    n_odds = mixture.membership.n_free
    return GbtmEstimates(
        family=model.spec.family,
        sigma_kind=model.spec.sigma,
        time=str(model.spec.time),
        parameters=mixture.parameters,
        point=read_only(mixture.to_user(margin.vector)),
        class_shares=read_only(mixture.membership.shares(margin.vector[None, :n_odds], mixture.weights)[0]),
        covariance=None if covariance is None else read_only(covariance),
        covariance_kind=kind,
        log_likelihood=L,
        aic=-2 * L + 2 * p,
        bic_subjects=-2 * L + p * float(np.log(design.n_subjects)),
        bic_observations=-2 * L + p * float(np.log(design.n_observations)),
        n_observations=design.n_observations,
        n_subjects=design.n_subjects,
        n_parameters=p,
        subject_labels=design.subjects.labels,
        posterior=read_only(np.ascontiguousarray(marginal)),
        entropy=entropy(marginal),
        average_posterior=read_only(average_posterior(marginal)),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class IndependenceTest:
    """Likelihood-ratio test of independent classes: twice the gain over both outcomes alone, (J - 1)(K - 1) df.

    Where cells are empty the reference distribution is only rough; with sampling weights there is none, and p is NaN.
    """

    statistic: float
    df: int
    p: float
    independent_log_likelihood: float


def independence_test(fit: DualFit, design: DualDesign) -> IndependenceTest:
    """Return the test of whether the classes of one outcome say anything about those of the other."""
    J, K = design.shape
    statistic, df = 2 * (fit.joint.log_likelihood - fit.independent_log_likelihood), (J - 1) * (K - 1)
    has_reference = df > 0 and not design.mixture.are_weighted
    return IndependenceTest(
        statistic=statistic,
        df=df,
        p=float(chi2.sf(statistic, df)) if has_reference else float("nan"),
        independent_log_likelihood=fit.independent_log_likelihood,
    )


def limits(probabilities: Probabilities, width: float) -> tuple[Matrix, Matrix]:
    """Return confidence limits that are symmetric in the log-odds; NaN where there is no standard error."""
    values: Vector = probabilities.estimate
    with np.errstate(divide="ignore", invalid="ignore"):
        centre, half = np.log(values / (1 - values)), width * probabilities.standard_error / (values * (1 - values))
        return 1 / (1 + np.exp(half - centre)), 1 / (1 + np.exp(-half - centre))
