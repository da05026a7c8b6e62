"""Tidy tables of a dual model."""

import numpy as np
import pandas as pd
from scipy.special import ndtri

from harness.arrays import Vector
from harness.gbtm import tables
from harness.gbtm.account import GbtmFit
from harness.gbtm.curves import default_times
from harness.gbtm.inference.mean_curves import mean_curves
from harness.gbtm.several.dual_design import DualDesign
from harness.gbtm.several.dual_estimates import DualEstimates, limits
from harness.gbtm.several.margins import margins


def probabilities(estimates: DualEstimates, names: tuple[str, str], level: float = 0.95) -> pd.DataFrame:
    """Return one row a probability: shares of the classes, pi_(k|j), pi_(j|k), pi_jk.

    Parameters
    ----------
    estimates, names
        Of one model, and of its outcomes.
    level
        Of the limits, which are symmetric in the log-odds.

    Returns
    -------
    DataFrame
        `quantity` (such as ``"b given a"`` and ``"a and b"``), the class of each outcome (0 where the quantity is not
        of one), `estimate`, `standard_error`, `lower`, `upper`; the last three are NaN at a boundary.
    """
    first, second = names
    width = float(ndtri(0.5 + level / 2))
    frames = []
    J, K = estimates.joint.estimate.shape
    rows, columns = np.indices((J, K)) + 1
    for quantity, found, of_first, of_second in (
        (first, estimates.shares[0], rows[:, 0], np.zeros(J, dtype=np.int64)),
        (second, estimates.shares[1], np.zeros(K, dtype=np.int64), columns[0]),
        (f"{second} given {first}", estimates.second_given_first, rows, columns),
        (f"{first} given {second}", estimates.first_given_second, rows, columns),
        (f"{first} and {second}", estimates.joint, rows, columns),
    ):
        lower, upper = limits(found, width)
        frames.append(
            pd.DataFrame(
                {
                    "quantity": quantity,
                    f"class_{first}": of_first.ravel(),
                    f"class_{second}": of_second.ravel(),
                    "estimate": found.estimate.ravel(),
                    "standard_error": found.standard_error.ravel(),
                    "lower": lower.ravel(),
                    "upper": upper.ravel(),
                }
            )
        )
    return pd.concat(frames, ignore_index=True)


def coefficients(estimates: DualEstimates, names: tuple[str, str], level: float = 0.95) -> pd.DataFrame:
    """Return one row a parameter of each outcome, as `tables.coefficients`, its `outcome` first."""
    frames = []
    for name, own in zip(names, (estimates.first, estimates.second), strict=True):
        frame = tables.coefficients(own, level)
        frame.insert(0, "outcome", name)
        frames.append(frame)
    return pd.concat(frames, ignore_index=True)


def adequacy(estimates: DualEstimates, names: tuple[str, str]) -> pd.DataFrame:
    """Return one row a class of each outcome, as `tables.adequacy_by_class`, its `outcome` first."""
    frames = []
    for name, own in zip(names, (estimates.first, estimates.second), strict=True):
        frame = tables.adequacy_by_class(own)
        frame.insert(0, "outcome", name)
        frames.append(frame)
    return pd.concat(frames, ignore_index=True)


def posteriors(estimates: DualEstimates, names: tuple[str, str]) -> pd.DataFrame:
    """Return one row a subject: modal class of each outcome, the modal pair, and the probability of every pair."""
    cells = estimates.posterior
    J, K = cells.shape[1:]
    pairs = cells.reshape(len(cells), -1).argmax(axis=1)
    table = pd.DataFrame(
        {
            "subject": estimates.first.subject_labels,
            f"class_{names[0]}": cells.sum(axis=2).argmax(axis=1) + 1,
            f"class_{names[1]}": cells.sum(axis=1).argmax(axis=1) + 1,
            "pair": [(int(j) + 1, int(k) + 1) for j, k in zip(pairs // K, pairs % K, strict=True)],
        }
    )
    for j in range(J):
        for k in range(K):
            table[f"probability_{j + 1}_{k + 1}"] = cells[:, j, k]
    return table


def class_curves(
    fit: GbtmFit, design: DualDesign, estimates: DualEstimates, times: Vector | None = None, level: float = 0.95
) -> pd.DataFrame:
    """Return the predictor of each outcome by class with pointwise bands, as `curves.class_curves`."""
    width, frames = float(ndtri(0.5 + level / 2)), []
    mixture = design.mixture_of(fit.class_kinds)
    for model, margin in zip(design.outcomes, margins(fit.vector, mixture, design), strict=True):
        outcome = model.outcomes[0]
        at = default_times(outcome) if times is None else np.asarray(times, dtype=np.float64)
        found = mean_curves(margin.vector, margin.mixture, outcome, at, scale="predictor")
        for g, (fitted, slopes) in enumerate(zip(found.fitted, found.slopes, strict=True), start=1):
            error = np.full(len(at), np.nan)
            if estimates.covariance is not None:
                by_free = slopes @ margin.jacobian
                error = np.sqrt(np.einsum("tp,pq,tq->t", by_free, estimates.covariance, by_free))
            frames.append(
                pd.DataFrame(
                    {
                        "outcome": outcome.spec.outcome,
                        "latent_class": g,
                        str(outcome.spec.time): at,
                        "fitted": fitted,
                        "standard_error": error,
                        "lower": fitted - width * error,
                        "upper": fitted + width * error,
                    }
                )
            )
    return pd.concat(frames, ignore_index=True)


def _orders(kinds: tuple[tuple[int, ...], ...], design: DualDesign) -> tuple[tuple[int, ...], ...]:
    return tuple(tuple(kind[0] for kind in own) for own in design.split(kinds))


def optima(fit: GbtmFit, design: DualDesign) -> pd.DataFrame:
    """Return one row a distinct end of the search, as `tables.optima`; shares are those of the pairs, row by row.

    Flags count the classes of the first outcome, then on to those of the second.
    """
    table = tables.optima(fit)
    orders = [_orders(optimum.class_kinds, design) for optimum in fit.optima]
    return table.drop(columns="distinct_classes").assign(orders=pd.Series(orders, index=table.index, dtype=object))


def starts(fit: GbtmFit, design: DualDesign) -> pd.DataFrame:
    """Return one row a start, as `tables.starts`, with the orders of both outcomes."""
    table = tables.starts(fit)
    orders = [_orders(kinds, design) for kinds in fit.starts.assignments]
    return table.assign(orders=pd.Series(orders, index=table.index, dtype=object))
