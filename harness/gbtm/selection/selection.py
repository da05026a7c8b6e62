"""The choice of a number of classes: all models in one table, and what it says in words."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from harness.gbtm import adequacy
from harness.gbtm.result import GbtmResult
from harness.gbtm.selection import selection_summary, verdicts
from harness.gbtm.selection.criteria import criteria
from harness.gbtm.selection.models import Candidate, class_name
from harness.summaries import Summary

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_WEIGHTED = (
    "With sampling weights the log-likelihood is a pseudo-likelihood: criteria compare models by it, and no test does."
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Selection:
    """Models of the same data with 1 to K classes, and rivals with random effects.

    Attributes
    ----------
    candidates
        All models: by number of classes, then the rivals.
    gains
        By number of classes, how much the log-likelihood rose because a neighbour led to a better optimum.
    """

    candidates: tuple[Candidate, ...]
    gains: Mapping[int, float]

    @property
    def fits(self) -> dict[int, GbtmResult]:
        """The models without rivals, by number of classes."""
        return {one.n_classes: one.result for one in self.candidates if not one.is_rival}

    @property
    def rivals(self) -> dict[str, GbtmResult]:
        """The mixed models, by name."""
        return {one.name: one.result for one in self.candidates if one.is_rival}

    @property
    def flags(self) -> tuple[str, ...]:
        """What the table says, and what speaks against it, one sentence each."""
        found = verdicts.flags(self.table(), self.gains)
        return (*found, _WEIGHTED) if self.candidates[0].result.spec.weights else tuple(found)

    def best(self, criterion: str = "bic_subjects") -> int:
        """Return the number of classes that a criterion chooses among the proper models without rivals.

        Raises
        ------
        SpecError
            If there is no such criterion, or no proper model.
        """
        return verdicts.chosen(self.table(), criterion)

    def table(self) -> pd.DataFrame:
        """Return one row a model, named by the index.

        Returns
        -------
        DataFrame
            `n_classes`, `is_rival`, `orders`, `log_likelihood`, `n_parameters`; `aic`, `bic_subjects`,
            `bic_observations`, `sabic`, `icl`, `classification_icl`, `icl1_lcmm` (see `criteria`); `entropy`;
            `smallest_share` (estimated) and `smallest_assigned` (persons); `lowest_average_posterior`, `lowest_occ`,
            `largest_mismatch` (in size) over classes; `hit_rate` and `distinct_optima` of the search; `proper`, whether
            it is a maximum with as many different classes as it has; `seconds`.
        """
        return pd.DataFrame([_row(one) for one in self.candidates]).set_index("model")

    def plot(self) -> "Figure":
        """Return a figure: one panel a number of classes, what each further class splits."""
        from harness.gbtm import figure  # noqa: PLC0415  # matplotlib is slow to import and seldom needed

        fits = self.fits
        titles = [f"{class_name(K)}, BIC {fit.bic:.1f}" for K, fit in fits.items()]
        return figure.side_by_side([fit.drawn() for fit in fits.values()], titles)

    def summary(self) -> Summary:
        """Return the table and what it says."""
        result = self.candidates[0].result
        return selection_summary.summary(self.table(), self.flags, result.spec, result.design)


def _row(candidate: Candidate) -> dict[str, object]:
    result = candidate.result
    estimates = result.estimates
    shares, posterior = estimates.class_shares, estimates.posterior
    occ = adequacy.odds_of_correct_classification(posterior, shares)
    return {
        "model": candidate.name,
        "n_classes": candidate.n_classes,
        "is_rival": candidate.is_rival,
        "orders": result.orders,
        "log_likelihood": estimates.log_likelihood,
        "n_parameters": estimates.n_parameters,
        **asdict(criteria(estimates)),
        "entropy": estimates.entropy,
        "smallest_share": float(shares.min()),
        "smallest_assigned": int(np.bincount(adequacy.assignment(posterior), minlength=len(shares)).min()),
        "lowest_average_posterior": float(np.min(estimates.average_posterior)),
        "lowest_occ": float(np.min(occ)),
        "largest_mismatch": float(np.abs(adequacy.mismatch(posterior, shares)).max()),
        "hit_rate": result.fit.hit_rate,
        "distinct_optima": len(result.fit.optima),
        "proper": result.fit.best.is_proper,
        "seconds": candidate.seconds,
    }
