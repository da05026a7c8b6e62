"""How surely subjects are classified, in one table a class, and in the numbers of the whole."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from harness.gbtm import adequacy
from harness.gbtm.estimates import GbtmEstimates


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Classification:
    """Adequacy of K classes for N subjects.

    Attributes
    ----------
    by_class
        One row a class: `latent_class`, `share` (estimated), `subjects_assigned`, `share_assigned`, `mismatch`,
        `average_posterior`, `odds_of_correct_classification`, and `above_0.7`, `above_0.8`, `above_0.9`: of the
        subjects assigned to it, the share whose probability is above that.
    by_modal_class
        One row a modal class, one column `probability_1`, ..., `probability_K`: mean probability of each class over
        the subjects assigned to it (lcmm's ``postprob``); the diagonal is `average_posterior`.
    entropy, total_entropy, modal_uncertainty
        1 - EN / (N log K); EN = -sum p log p; M = -2 sum log max p. ICL is BIC + 2 EN, or BIC + M.
    caveat
        What none of these numbers can tell.
    """

    by_class: pd.DataFrame
    by_modal_class: pd.DataFrame
    entropy: float
    total_entropy: float
    modal_uncertainty: float
    caveat: str


def classification(estimates: GbtmEstimates) -> Classification:
    """Return how surely the subjects of a fit are classified."""
    posterior, shares, K = estimates.posterior, estimates.class_shares, estimates.n_classes
    classes = np.arange(1, K + 1)
    by_class = {
        "latent_class": classes,
        "share": shares,
        "subjects_assigned": np.bincount(adequacy.assignment(posterior), minlength=K),
        "share_assigned": adequacy.assigned_shares(posterior),
        "mismatch": adequacy.mismatch(posterior, shares),
        "average_posterior": adequacy.average_posterior(posterior),
        "odds_of_correct_classification": adequacy.odds_of_correct_classification(posterior, shares),
    }
    by_class |= {f"above_{threshold:g}": adequacy.shares_above(posterior, threshold) for threshold in adequacy.CERTAIN}
    table = pd.DataFrame(adequacy.classification_table(posterior), columns=[f"probability_{g}" for g in classes])
    table.insert(0, "latent_class", classes)
    return Classification(
        by_class=pd.DataFrame(by_class),
        by_modal_class=table,
        entropy=adequacy.entropy(posterior),
        total_entropy=adequacy.total_entropy(posterior),
        modal_uncertainty=adequacy.modal_uncertainty(posterior),
        caveat=adequacy.CAVEAT,
    )
