"""Checks of what verdicts rest on: cohorts, recorded results, accepted differences."""

from collections.abc import Iterator

from harness.certification.grounds import Check, Grounds, concluded
from harness.certification.traceability import Checked
from harness.cohorts.reading import read_cohort
from harness.cohorts.schema_file import read_schema
from harness.errors import CaseError, HarnessError
from harness.references.pins import read_pin
from harness.reports.words import counted
from harness.selftest.trials import selftest

JUDGED = ("sleepstudy__random_slope_reml", "orthodont__distance_2_classes", "two_rates__madrs_remission")
"""The cases on whose recorded results the judge is tried."""


def _cohorts(grounds: Grounds) -> Checked:
    files = sorted((grounds.fixtures / "cohorts").glob("*.toml"))
    wrong = []
    for file in files:
        try:
            schema = read_schema(file)
            values = read_cohort(file.with_suffix(".csv"), schema).sha256
        except HarnessError as error:
            wrong.append(str(error))
            continue
        if schema.sha256 != values:
            wrong.append(f"{file.stem} has {'no recorded hash' if not schema.sha256 else 'other values than recorded'}")
        wrong += [f"{file.stem} states no {key}" for key in ("origin", "licence") if not getattr(schema, key)]
    return concluded(wrong, f"{counted(len(files), 'cohort')} have the values whose hashes were recorded.")


def _references(grounds: Grounds) -> Checked:
    wrong = [*_failures(grounds), *_strays(grounds)]
    doctor = grounds.doctor or ()
    wrong += [
        f"doctor: {finding.name}: {finding.detail}" for finding in doctor if not finding.ok and not finding.advice
    ]
    sources = [comparison.right.source for comparison in grounds.run.comparisons]
    live = sources.count("live")
    detail = (
        f"{sources.count('pinned')} recorded results are sealed and fit what is there today; {live} came live from R."
    )
    caveats = [] if live else ["R was not run: nothing here shows that the recorded results could be had again."]
    if live and grounds.doctor is None:
        wrong.append("the doctor did not test the R that ran")
    return concluded(wrong, detail, caveats)


def _failures(grounds: Grounds) -> Iterator[str]:
    for comparison in grounds.run.comparisons:
        failure = comparison.right.failure
        if failure is not None:
            yield f"{comparison.right.engine} on {comparison.case} ({failure.reason}): {failure.sentence}"


def _strays(grounds: Grounds) -> Iterator[str]:
    """Yield pins that nobody compares, and those that can't be read."""
    compared = {f"{one.case}.{one.right.engine}.json" for one in grounds.run.comparisons}
    for path in sorted((grounds.fixtures / "pins").glob("*.json")):
        if path.name not in compared:
            yield f"the pin {path.name} belongs to no comparison"
        try:
            read_pin(path)
        except CaseError as error:
            yield str(error)


def _known_differences(grounds: Grounds) -> Checked:
    wrong = list(grounds.run.notes)
    accepted = counted(len(grounds.known), "accepted difference")
    return concluded(wrong, f"{accepted}, each with reason, owner and a day to come, still exist.")


def _judge(_: Grounds) -> Checked:
    found = selftest(JUDGED)
    wrong = [
        f"{tally.sentence.rstrip('.')}: {one.what} of {one.pin}"
        for tally in (*found.mutations, *found.harmless)
        for one in tally.wrong
    ]
    tried, unchanged = (sum(tally.tried for tally in tallies) for tallies in (found.mutations, found.harmless))
    if not (found.has_passed or wrong):
        wrong.append("nothing was tried")
    detail = f"{tried} of {tried} wrong numbers in {len(found.pins)} recorded results were found, none of {unchanged}"
    caveat = "Tried on a mixed model, a trajectory model and a table of rates; `harness selftest` tries all cases."
    return concluded(wrong, f"{detail} harmless changes was flagged.", [caveat])


CHECKS: dict[str, Check] = {
    "cohorts": _cohorts,
    "references": _references,
    "known_differences": _known_differences,
    "judge": _judge,
}
