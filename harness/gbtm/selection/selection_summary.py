"""The printed choice of a number of classes."""

import numpy as np
import pandas as pd

from harness.gbtm.design import GbtmDesign
from harness.gbtm.spec import GbtmSpec
from harness.summaries import Summary, aligned, ruled, shown

_COLUMNS = {
    "log_likelihood": "Log-lik.",
    "n_parameters": "p",
    "aic": "AIC",
    "bic_subjects": "BIC (N)",
    "bic_observations": "BIC (n)",
    "sabic": "SABIC",
    "icl": "ICL",
    "classification_icl": "c-ICL",
}
_CHOOSING = ("aic", "bic_subjects", "bic_observations", "sabic", "icl", "classification_icl")
_CAVEAT = (
    "Every criterion is computed at the optimum that was found and as if the family were right; none of them can tell "
    "that classes are real. See blrt(), selection_stability() and spurious_checks()."
)


def summary(table: pd.DataFrame, flags: tuple[str, ...], spec: GbtmSpec, design: GbtmDesign) -> Summary:
    """Return the table of models and its flags as text; the smallest value of a column without rivals has a star."""
    heading = [
        f"Number of classes for {spec.outcome} on {spec.time}: {spec.family}, {spec.sigma} sigma",
        f"{design.n_subjects} subjects, {design.n_observations} observations; all models on one likelihood scale",
    ]
    return ruled([heading, aligned(_criteria(table)), aligned(_classes(table)), [*flags, _CAVEAT]])


def _criteria(table: pd.DataFrame) -> list[list[str]]:
    own = table[table["proper"] & ~table["is_rival"]]
    rows = [["Model", *_COLUMNS.values()]]
    for name, model in table.iterrows():
        row = [str(name)]
        for column in _COLUMNS:
            text = str(model[column]) if column == "n_parameters" else f"{model[column]:.2f}"
            best = column in _CHOOSING and not own.empty and name == own[column].idxmin()
            row.append(text + ("*" if best else " "))
        rows.append(row)
    return rows


def _classes(table: pd.DataFrame) -> list[list[str]]:
    rows = [["Model", "Entropy", "Smallest %", "Persons", "APP", "OCC", "Mismatch %", "Hits %", "Ends", "Seconds"]]
    for name, model in table.iterrows():
        rows.append(
            [
                str(name),
                f"{model['entropy']:.3f}",
                f"{100 * model['smallest_share']:.1f}",
                str(model["smallest_assigned"]),
                f"{model['lowest_average_posterior']:.3f}",
                "" if np.isnan(model["lowest_occ"]) else shown(round(model["lowest_occ"], 2)),
                f"{100 * model['largest_mismatch']:.1f}",
                f"{100 * model['hit_rate']:.0f}",
                str(model["distinct_optima"]),
                f"{model['seconds']:.2f}",
            ]
        )
    return rows
