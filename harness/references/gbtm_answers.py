"""What R's engines for trajectory models have in common: parameters by class, their canonical order, the estimates."""

import math
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import softmax

from harness.arrays import Codes, Matrix, Vector, read_only
from harness.cases import Case, Spec
from harness.convergence import Convergence, Stop
from harness.gbtm.adequacy import average_posterior, entropy
from harness.gbtm.design import GbtmDesign, build_design, class_kinds, slots
from harness.gbtm.estimates import GbtmEstimates, reported
from harness.gbtm.response_building import power_name
from harness.gbtm.spec import GbtmSpec
from harness.quantities import InputEvidence, Point
from harness.references.decoding import Answered, input_evidence
from harness.references.relabelling import log_odds, relabelled_covariance, relabelled_values
from harness.references.requests import Request, time_columns


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Fitted:
    """An engine's parameters, with its classes in its own order, which is that of the design's spec.

    Attributes
    ----------
    design
        What gives the parameters their names, and the subjects their risk factors.
    membership : (r, K)
        Coefficients of the intercept and each risk factor in the predictor of each class; -inf for an empty class.
    values : (P - (K-1) r,)
        All other parameters, as in a `Point`.
    posterior : (N, K)
        Class probabilities.
    covariance : (P, P) or None
        Of the whole `Point`.
    """

    design: GbtmDesign
    membership: Matrix
    values: Vector
    posterior: Matrix
    covariance: Matrix | None = None

    @property
    def shares(self) -> Vector:
        """Class shares (K,): the mean of those of the subjects."""
        return np.asarray(self._subject_shares().mean(axis=0))

    def share_jacobian(self) -> Matrix:
        """Return d shares / d log-odds, (K, (K-1) r), the log-odds as in a `Point`."""
        pi, W = self._subject_shares(), self._risk_factors()
        K = pi.shape[1]
        slopes = (np.eye(K) - pi[:, None, :]) * pi[:, :, None]  # (N, K, K): of share g by the predictor of class h
        by_coefficient = np.einsum("nr,ngh->grh", W, slopes[:, :, : K - 1]) / len(W)
        return np.asarray(by_coefficient.reshape(K, -1))

    def relabelled(self, classes: Codes) -> "Fitted":
        """Return the same mixture with class classes[g] in place g."""
        design = self.design.with_kinds(tuple(self.design.class_kinds[g] for g in classes))
        before, after = self.design.mixture.parameters, design.mixture.parameters
        covariance = self.covariance
        if covariance is not None:
            covariance = relabelled_covariance(covariance, self.values, before, after, classes)
        return replace(
            self,
            design=design,
            membership=self.membership[:, classes],
            values=relabelled_values(self.values, before, after, classes),
            posterior=self.posterior[:, classes],
            covariance=covariance,
        )

    def canonical(self) -> "Fitted":
        """Return the mixture with its classes from the lowest to the highest mean fitted value over all observed rows.

        Common coefficients add the same to the mean of each class.
        """
        return self.relabelled(np.argsort(self._means(), kind="stable"))

    def as_in(self, spec: GbtmSpec) -> "Fitted":
        """Return the mixture with its classes where the spec has their kinds, in the present order among equals."""
        return self.relabelled(slots(self.design.class_kinds, class_kinds(spec)))

    @property
    def point(self) -> Point:
        """The parameters in the layout of `GbtmSpec`."""
        return tuple(map(float, np.concatenate([log_odds(self.membership), self.values])))

    def _means(self) -> list[float]:
        rows, spec = self.design.outcomes[0].rows, self.design.spec
        of_time = np.column_stack([np.ones_like(rows.y), time_columns(spec, rows.time)]).mean(axis=0)
        of_covariates = rows.covariates.values.mean(axis=0)
        means, at = [], 0
        for order in spec.orders:
            columns = np.concatenate([of_time[: order + 1], of_covariates])
            means.append(float(columns @ self.values[at : at + len(columns)]))
            at += len(columns)
        return means

    def _risk_factors(self) -> Matrix:
        factors = self.design.subjects.membership.values
        return np.column_stack([np.ones(len(factors)), factors])

    def _subject_shares(self) -> Matrix:
        if len(self.membership) == 1:
            return np.asarray(softmax(self.membership, axis=1)).repeat(self.design.n_subjects, axis=0)
        return np.asarray(softmax(self._risk_factors() @ self.membership, axis=1))


def the_gbtm(spec: Spec) -> GbtmSpec:
    """Return the spec as what `support` has already seen that it is."""
    if not isinstance(spec, GbtmSpec):
        msg = f"{type(spec).__name__} is no trajectory model"
        raise TypeError(msg)
    return spec


def the_design(case: Case) -> GbtmDesign:
    """Return the design of a case of a trajectory model."""
    return build_design(the_gbtm(case.spec), case.cohort)


def gbtm_evidence(answer: Answered, design: GbtmDesign) -> InputEvidence:
    """Return what R says it was given: powers of time by our names, then the covariates."""
    rows = design.outcomes[0].rows
    powers = [power_name(str(design.spec.time), k) for k in range(max(design.spec.orders) + 1)]
    return input_evidence(answer, [*powers, *rows.covariates.names, *rows.common.names])


@dataclass(frozen=True, slots=True, kw_only=True)
class Criteria:
    """The log-likelihood and what the engine derives from it; NaN for a criterion that it does not have."""

    log_likelihood: float
    n_parameters: int
    aic: float
    bic_subjects: float = math.nan
    bic_observations: float = math.nan


def gbtm_estimates(answer: Answered, request: Request, fitted: Fitted, criteria: Criteria) -> GbtmEstimates:
    """Return the estimates of a mixture in canonical order."""
    return mixture_estimates(
        fitted,
        criteria,
        n_observations=int(answer["evidence"]["n_observations"].item()),
        n_subjects=int(answer["evidence"]["n_subjects"].item()),
        subject_labels=tuple(request.levels["v3"][int(code) - 1] for code in answer["subjects"]),
    )


def mixture_estimates(
    fitted: Fitted, criteria: Criteria, *, n_observations: int, n_subjects: int, subject_labels: tuple[str, ...]
) -> GbtmEstimates:
    """Return the estimates of a mixture in canonical order, with what the engine counted."""
    spec, mixture = fitted.design.spec, fitted.design.mixture
    covariance = _of_shares_and_reported(fitted)
    return GbtmEstimates(
        family=spec.family,
        sigma_kind=spec.sigma,
        time=str(spec.time),
        parameters=mixture.parameters,
        point=read_only(np.array(fitted.point)),
        class_shares=read_only(fitted.shares),
        covariance=None if covariance is None else read_only(covariance),
        log_likelihood=criteria.log_likelihood,
        aic=criteria.aic,
        bic_subjects=criteria.bic_subjects,
        bic_observations=criteria.bic_observations,
        n_observations=n_observations,
        n_subjects=n_subjects,
        n_parameters=criteria.n_parameters,
        subject_labels=subject_labels,
        posterior=read_only(fitted.posterior),
        entropy=entropy(fitted.posterior),
        average_posterior=read_only(average_posterior(fitted.posterior)),
    )


def _of_shares_and_reported(fitted: Fitted) -> Matrix | None:
    """Return the covariance of (class shares; reported parameters) by the delta method."""
    if fitted.covariance is None:
        return None
    parameters, K = fitted.design.mixture.parameters, len(fitted.shares)
    shares = np.zeros((K, len(parameters)))
    slopes = fitted.share_jacobian()
    shares[:, : slopes.shape[1]] = slopes
    kept = list(reported(parameters, K))
    jacobian = np.concatenate([shares, np.eye(len(parameters))[kept]])
    return np.asarray(jacobian @ fitted.covariance @ jacobian.T)


def search_report(answer: Answered) -> str:
    """Return how often the search met its best end."""
    reached, finals = answer["reached"], answer["finals"]
    continued = ", ".join(f"{value:.6f}" for value in finals)
    if not len(reached):
        return f"from the given start alone: {continued}"
    hits = int(np.sum(reached >= reached.max() - 0.01))
    return (
        f"{hits} of {answer['n_starts'].item():.0f} starts within 0.01 of the best after the first stage; "
        f"continued to convergence: {continued}"
    )


def with_empty_class(convergence: Convergence, shares: Vector, n_subjects: int) -> Convergence:
    """Return the convergence, or that the search ended where a class holds less than one subject."""
    if not convergence.converged or shares.min() * n_subjects >= 1:
        return convergence
    return Convergence(
        stop=Stop.EMPTY_CLASS,
        message=f"a class has {shares.min() * n_subjects:.3g} subjects; {convergence.message}",
        iterations=convergence.iterations,
        distance=convergence.distance,
    )
