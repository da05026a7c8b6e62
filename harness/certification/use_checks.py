"""Checks of the intended use: from a clinic's file to what the models see."""

from collections import Counter

from harness.certification.grounds import Check, Grounds, concluded
from harness.certification.traceability import Checked
from harness.cohorts.cohort import Cohort
from harness.cohorts.reading import read_cohort
from harness.errors import HarnessError
from harness.importing import import_table, read_mapping
from harness.reports.words import counted

_COHORT = "ketamine_real"


def _import(grounds: Grounds) -> Checked:
    table = grounds.fixtures / "cohorts" / f"{_COHORT}.csv"
    try:
        modelled = _ratings(read_cohort(table, table.with_suffix(".toml")))
        imported = _ratings(import_table(table, read_mapping(grounds.fixtures / "imports" / f"{_COHORT}.toml")).cohort)
    except HarnessError as error:
        return concluded([str(error)], "")
    lost, gained = modelled - imported, imported - modelled
    wrong = [f"not imported: {row}" for row in lost] + [f"not in the cohort: {row}" for row in gained]
    return concluded(wrong, f"{counted(imported.total(), 'rated visit')} have the same visit, protocol and scores.")


def _ratings(cohort: Cohort) -> Counter[tuple[str, str, float, float]]:
    """Return how often each visit, protocol and pair of scores occurs; labels of subjects are new after an import.

    A score that is missing is -1, which none of the scales has, because nothing equals NaN.
    """
    visit, protocol = cohort.factors["visit"], cohort.factors["protocol"]
    scores = zip(
        visit.codes, protocol.codes, cohort.numeric["madrs"].tolist(), cohort.numeric["gad7"].tolist(), strict=True
    )
    return Counter(
        (visit.levels[v], protocol.levels[p], -1.0 if m != m else m, -1.0 if g != g else g)  # noqa: PLR0124  # NaN
        for v, p, m, g in scores
        if m == m or g == g  # noqa: PLR0124
    )


CHECKS: dict[str, Check] = {"import": _import}
