"""Tidy tables of a fitted trajectory model: one row a thing, one column a property."""

import numpy as np
import pandas as pd
from scipy.special import ndtr, ndtri

from harness.gbtm import adequacy
from harness.gbtm.account import GbtmFit
from harness.gbtm.estimates import GbtmEstimates

POSITIVE = ("sigma", "precision", "scale", "process")
"""Roles whose limits are symmetric in the logarithm."""
TESTED = ("log_odds", "beta", "common", "zero", "dropout")
"""Roles of which 0 is a hypothesis."""


def coefficients(estimates: GbtmEstimates, level: float = 0.95) -> pd.DataFrame:
    """Return one row a parameter, in the order of `GbtmEstimates.covariance`.

    Parameters
    ----------
    estimates
        Of one model.
    level
        Of the confidence limits.

    Returns
    -------
    DataFrame
        `latent_class` (from 1; 0 for what all classes share), `role`, `parameter`, `estimate`, `standard_error`, `z`,
        `p`, `lower`, `upper`. Limits of a share are symmetric in its log-odds and those of positive parameters, the
        variances of random effects among them, in their logarithm, so that they stay in range; z and p are NaN where 0
        is no hypothesis.
    """
    K = estimates.n_classes
    rows = [(g, "share", "share", share) for g, share in enumerate(estimates.class_shares, start=1)]
    point = estimates.point.tolist()
    for k in estimates.reported:
        parameter = estimates.parameters[k]
        rows.append((parameter.latent_class, parameter.role, parameter.name, point[k]))
    table = pd.DataFrame(rows, columns=["latent_class", "role", "parameter", "estimate"])

    value = table["estimate"].to_numpy()
    covariance = estimates.covariance
    error = np.full(len(value), np.nan) if covariance is None else np.sqrt(np.maximum(np.diag(covariance), 0.0))
    error[error == 0] = np.nan  # a sandwich of classes of one subject each, whose scores are all zero, says nothing
    is_share = (table["role"] == "share").to_numpy()
    is_variance = (table["role"] == "covariance") & table["parameter"].str.contains("var(", regex=False)
    is_sigma = (table["role"].isin(POSITIVE) | is_variance).to_numpy()
    is_tested = table["role"].isin(TESTED).to_numpy()
    width = ndtri(0.5 + level / 2) * error
    lower, upper = value - width, value + width
    if K > 1:
        log_odds, slope = np.log(value[is_share] / (1 - value[is_share])), value[is_share] * (1 - value[is_share])
        for limit, sign in ((lower, -1), (upper, 1)):
            limit[is_share] = 1 / (1 + np.exp(-(log_odds + sign * width[is_share] / slope)))
    for limit, sign in ((lower, -1), (upper, 1)):
        with np.errstate(over="ignore"):  # a parameter of which the data know next to nothing goes up to infinity
            limit[is_sigma] = value[is_sigma] * np.exp(sign * width[is_sigma] / value[is_sigma])
    z = np.full(len(value), np.nan)
    z[is_tested] = value[is_tested] / error[is_tested]
    return table.assign(standard_error=error, z=z, p=2 * ndtr(-np.abs(z)), lower=lower, upper=upper)


def adequacy_by_class(estimates: GbtmEstimates) -> pd.DataFrame:
    """Return one row a class: how many it has, and how surely (Nagin 2005, ch. 5)."""
    posterior, shares = estimates.posterior, estimates.class_shares
    return pd.DataFrame(
        {
            "latent_class": np.arange(1, estimates.n_classes + 1),
            "share": shares,
            "subjects_assigned": np.bincount(adequacy.assignment(posterior), minlength=estimates.n_classes),
            "share_assigned": adequacy.assigned_shares(posterior),
            "mismatch": adequacy.mismatch(posterior, shares),
            "average_posterior": adequacy.average_posterior(posterior),
            "odds_of_correct_classification": adequacy.odds_of_correct_classification(posterior, shares),
        }
    )


def posteriors(estimates: GbtmEstimates) -> pd.DataFrame:
    """Return one row a subject: `subject`, `latent_class` (modal, from 1), `probability_1`, ..., `probability_K`."""
    posterior = estimates.posterior
    table = pd.DataFrame({"subject": estimates.subject_labels, "latent_class": adequacy.assignment(posterior) + 1})
    for g in range(estimates.n_classes):
        table[f"probability_{g + 1}"] = posterior[:, g]
    return table


def optima(fit: GbtmFit) -> pd.DataFrame:
    """Return one row a distinct end of the search; `hit_rate` is its share of all starts."""
    return pd.DataFrame(
        [
            {
                "optimum": number,
                "log_likelihood": optimum.log_likelihood,
                "below_best": fit.log_likelihood - optimum.log_likelihood,
                "count": optimum.count,
                "hit_rate": optimum.count / fit.n_starts,
                "class_shares": tuple(round(share, 4) for share in optimum.class_shares),
                "orders": optimum.orders,
                "first_start": optimum.first_kind,
                "stop": optimum.convergence.stop.value,
                "gradient": np.nan if optimum.convergence.gradient is None else optimum.convergence.gradient,
                "distinct_classes": optimum.n_distinct_classes,
                "empty": optimum.empty,
                "duplicated": optimum.duplicated,
                "collapsed": optimum.collapsed,
                "at_boundary": optimum.boundary,
                "chosen": number == fit.chosen + 1,
            }
            for number, optimum in enumerate(fit.optima, start=1)
        ]
    )


def starts(fit: GbtmFit) -> pd.DataFrame:
    """Return one row a start; `optimum` is its row in `optima`, 0 if it ran out of iterations."""
    table = fit.starts
    return pd.DataFrame(
        {
            "start": np.arange(1, fit.n_starts + 1),
            "kind": table.kinds,
            "orders": [tuple(kind[0] for kind in kinds) for kinds in table.assignments],
            "log_likelihood": table.log_likelihood,
            "optimum": table.optimum + 1,
        }
    )
