"""Derivatives of the marginal normal by coefficients and covariance parameters, of one class at S starts.

With r = y - X beta, A = Sigma^-1, a = A r and Sigma_k the derivative of Sigma by a component of it (Lindstrom & Bates
1988, section 4, in another notation)::

    d beta = X' a                        d k = 1/2 [ a' Sigma_k a - tr(A Sigma_k) ]
    d2 beta beta = -X' A X               d2 beta k = -X' A Sigma_k a
    d2 k l = 1/2 tr(A Sigma_k A Sigma_l) - a' Sigma_k A Sigma_l a,  + 1/2 [ a' Sigma_kl a - tr(A Sigma_kl) ]

Sigma is linear in all components but the rate of an ar1. Rows that random effects do not touch have Sigma = sigma^2 I.
"""

from dataclasses import dataclass

import numpy as np

from harness.arrays import Codes, Matrix, Tensor
from harness.gbtm.densities.marginal_normal import Residuals, residuals
from harness.gbtm.densities.rotated_panel import RotatedPanel
from harness.gbtm.densities.within_class_covariance import Components
from harness.gbtm.model import ClassDerivatives


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Directions:
    """Where one covariance goes as its k components change.

    Attributes
    ----------
    inverse : (S, m, m, C)
        A, of the kept rows.
    rest_variance : (S, 1)
        Of each of the other rows; it is the first component.
    slopes : (S, k, m, m, C)
        Sigma_k of the kept rows; the last components are the parameters of a process.
    products : (S, k, m, m, C)
        A Sigma_k.
    by_rate : (S, m, m, C), or None
        Second derivative of Sigma by the rate of an ar1, the last component but one.
    """

    inverse: Tensor
    rest_variance: Matrix
    slopes: Tensor
    products: Tensor
    by_rate: Tensor | None


def directions(inverse: Tensor, rest_variance: Matrix, slopes: Tensor, by_rate: Tensor | None) -> Directions:
    """Return the directions of a covariance; `slopes` (S or 1, k, m, m, C) may be the same at all starts."""
    whole = np.broadcast_to(slopes, (len(inverse), *slopes.shape[1:]))
    return Directions(
        inverse=inverse,
        rest_variance=rest_variance,
        slopes=whole,
        products=np.einsum("sabc,skbdc->skadc", inverse, whole),
        by_rate=by_rate,
    )


def derivatives(
    beta: Matrix, at: Directions, components: Components, weights: Matrix, panel: RotatedPanel, *, used: Codes
) -> ClassDerivatives:
    """Return the derivatives by the coefficients of a class, then by its covariance parameters.

    Parameters
    ----------
    beta
        Coefficients (S, Q).
    at
        Its covariance.
    components
        How the components of its covariance depend on parameters.
    weights
        (S, N), those of the curvature.
    panel
        The rotated rows.
    used
        Which of the Q coefficients the class has.
    """
    found = residuals(beta, at.inverse, panel)
    toward = np.einsum("skabn,sbn->skan", panel.by_subject(at.slopes), found.a)  # Sigma_k a
    rest = _rest_scores(beta, panel) / at.rest_variance[:, :, None]
    by_beta = np.einsum("aqn,san->sqn", panel.X, found.a)
    by_beta[:, panel.columns] += rest
    by_component = _by_component(found, toward, at, panel)
    by_parameter = components.slopes @ by_component

    cross, second = _component_curvature(found, toward, rest, at, weights=weights, panel=panel)
    Q, p = len(beta[0]), by_parameter.shape[1]
    curvature = np.empty((len(beta), Q + p, Q + p))
    curvature[:, :Q, :Q] = _coefficient_curvature(at, weights, panel)
    curvature[:, :Q, Q:] = cross @ components.slopes.transpose(0, 2, 1)
    curvature[:, Q:, :Q] = curvature[:, :Q, Q:].transpose(0, 2, 1)
    gradient = np.einsum("skn,sn->sk", by_component, weights)
    curvature[:, Q:, Q:] = components.slopes @ second @ components.slopes.transpose(0, 2, 1)
    curvature[:, Q:, Q:] += np.einsum("spqk,sk->spq", components.curved, gradient)
    kept = np.concatenate([used, np.arange(Q, Q + p)])
    return ClassDerivatives(
        scores=np.concatenate([by_beta[:, used], by_parameter], axis=1), curvature=curvature[:, kept[:, None], kept]
    )


def _rest_scores(beta: Matrix, panel: RotatedPanel) -> Tensor:
    """Return X'(y - X beta) of the rows that are not kept, over the columns that they depend on, (S, h, N)."""
    h = len(panel.columns)
    Xy, XX = panel.rest_sums[:, 1 : 1 + h], panel.rest_sums[:, 1 + h :].reshape(len(panel.rest), h, h)
    return np.asarray(Xy.T - np.einsum("nab,sb->san", XX, beta[:, panel.columns]))


def _by_component(found: Residuals, toward: Tensor, at: Directions, panel: RotatedPanel) -> Tensor:
    """Return the scores by components, (S, k, N)."""
    traces = np.einsum("skaac->skc", at.products)
    scores = 0.5 * (np.einsum("san,skan->skn", found.a, toward) - panel.by_subject(traces))
    scores[:, 0] += 0.5 * (found.rest / at.rest_variance - panel.rest) / at.rest_variance
    return np.asarray(scores)


def _coefficient_curvature(at: Directions, weights: Matrix, panel: RotatedPanel) -> Tensor:
    """Return -sum_i w_i X' A X, (S, Q, Q)."""
    S, Q, h = len(weights), panel.X.shape[1], len(panel.columns)
    A = panel.by_subject(at.inverse[:, *panel.row_pairs]) * weights[:, None]
    found = -(A.reshape(S, -1) @ panel.pair_products).reshape(S, Q, Q)
    rest = (weights @ panel.rest_sums[:, 1 + h :]).reshape(S, h, h)
    found[:, panel.columns[:, None], panel.columns] -= rest / at.rest_variance[:, :, None]
    return np.asarray(found)


def _component_curvature(
    found: Residuals, toward: Tensor, rest: Tensor, at: Directions, *, weights: Matrix, panel: RotatedPanel
) -> tuple[Tensor, Tensor]:
    """Return the second derivatives by coefficients and components, (S, Q, k), and by components, (S, k, k)."""
    S, k = toward.shape[:2]
    A_toward = np.einsum("sabn,skbn->skan", panel.by_subject(at.inverse), toward) * weights[:, None, None]
    cross = -(A_toward.reshape(S * k, -1) @ panel.flat_rows).reshape(S, k, -1).transpose(0, 2, 1)
    cross[:, panel.columns, 0] -= np.einsum("san,sn->sa", rest, weights) / at.rest_variance

    sums = panel.by_pattern(weights)
    left = (at.products * sums[:, None, None, None]).reshape(S, k, -1)
    right = at.products.swapaxes(2, 3).reshape(S, k, -1)
    second = 0.5 * left @ right.transpose(0, 2, 1)
    second -= A_toward.reshape(S, k, -1) @ toward.reshape(S, k, -1).transpose(0, 2, 1)
    squares, rows = np.sum(found.rest * weights, axis=1), weights @ panel.rest
    variance = at.rest_variance[:, 0]
    second[:, 0, 0] += (0.5 * rows - squares / variance) / variance**2
    if at.by_rate is not None:
        curved = panel.by_subject(at.by_rate)
        forms = np.einsum("san,sabn->sbn", found.a, curved)
        forms = np.einsum("sbn,sbn,sn->s", forms, found.a, weights)
        traces = np.einsum("sabc,sabc,sc->s", at.inverse, at.by_rate, sums)
        second[:, k - 2, k - 2] += 0.5 * (forms - traces)
    return cross, second
