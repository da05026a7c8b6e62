"""What a run and its requirements leave over: orphans of either side, what was not compared, accepted differences."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence

from harness.certification.families import family_of
from harness.certification.requirement import Requirement
from harness.certification.selection import Asked, concerns
from harness.certification.traceability import Accepted, Orphan, Unshown
from harness.comparison.known import KnownDifference
from harness.comparison.run import Run
from harness.comparison.verdict import Outcome, Verdict
from harness.reports.ranking import ratio
from harness.reports.words import counted


def orphan_requirements(requirement: Requirement, unmatched: Iterable[str]) -> Iterator[Orphan]:
    """Yield an orphan for each pattern of a requirement that nothing matches."""
    for pattern in unmatched:
        sentence = f"{requirement.identifier} asks for the {pattern}, and no verdict has it"
        yield Orphan(requirement=requirement.identifier, case="", engine="", family="", sentence=sentence)


def orphan_verdicts(run: Run, requirements: Iterable[Requirement], asked: Asked) -> Iterator[Orphan]:
    """Yield what was compared, failed or was skipped, and no requirement asks for."""
    for k, comparison in enumerate(run.comparisons):
        case, engine = comparison.case, comparison.right.engine
        if not comparison.verdicts and (k, "") not in asked:
            sentence = f"no requirement asks for {engine} on {case}, which has no answer"
            yield Orphan(requirement="", case=case, engine=engine, family="", sentence=sentence)
        families = Counter(
            family_of(verdict.quantity)
            for verdict in comparison.verdicts
            if verdict.outcome is not Outcome.NOT_COMPARED and (k, verdict.quantity) not in asked
        )
        for family, times in sorted(families.items()):
            sentence = f"no requirement asks for {family} of {case} by {engine} ({counted(times, 'verdict')})"
            yield Orphan(requirement="", case=case, engine=engine, family=family, sentence=sentence)
    asking = [requirement for requirement in requirements if not requirement.check]
    for skipped in run.skipped:
        case, engine = skipped.case, skipped.reference
        if not any(concerns(requirement, case, engine) for requirement in asking):
            sentence = f"no requirement asks for {engine} on {case}, which was not compared"
            yield Orphan(requirement="", case=case, engine=engine, family="", sentence=sentence)


def unshown(run: Run) -> Iterator[Unshown]:
    """Yield what was not compared, each reason of an engine and family once, whoever asks for it."""
    cases: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for comparison in run.comparisons:
        for verdict in comparison.verdicts:
            if verdict.outcome is Outcome.NOT_COMPARED:
                reason = verdict.reason or "no reason was given"
                cases[comparison.right.engine, family_of(verdict.quantity), reason].append(comparison.case)
    for skipped in run.skipped:
        cases[skipped.reference, "everything", skipped.reason].append(skipped.case)
    for (engine, family, reason), where in sorted(cases.items()):
        yield Unshown(engine=engine, family=family, reason=reason, quantities=len(where), cases=len(set(where)))


def accepted(run: Run, known: Sequence[KnownDifference]) -> Iterator[Accepted]:
    """Yield the entries of the known differences that a verdict needed; the first that accepts it is the one."""
    used: dict[int, list[tuple[str, Verdict]]] = defaultdict(list)
    for comparison in run.comparisons:
        fitting = [
            (k, entry)
            for k, entry in enumerate(known)
            if entry.concerns(comparison.case, comparison.right.engine) and comparison.attribution is entry.attribution
        ]
        for verdict in comparison.verdicts:
            if verdict.outcome is Outcome.KNOWN:
                place = next((k for k, entry in fitting if entry.accepts(verdict)), None)
                if place is not None:
                    used[place].append((comparison.case, verdict))
    for place, verdicts in sorted(used.items()):
        ratios = [share for _, verdict in verdicts if (share := ratio(verdict)) is not None]
        yield Accepted(
            entry=known[place],
            cases=tuple(dict.fromkeys(case for case, _ in verdicts)),
            quantities=len(verdicts),
            farthest=max(ratios, default=None),
        )
