"""Run one comparison again, on as few subjects as still disagree, and make its files."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from harness.cases import Case
from harness.comparison.known import KnownDifference
from harness.comparison.run import Skipped
from harness.comparison.verdict import Attribution, Comparison, Outcome, Verdict
from harness.crosscheck import References, compare_with
from harness.engines import OurSide, solve
from harness.errors import CaseError, EngineError, Problem, nearest
from harness.gbtm.spec import GbtmSpec
from harness.lmm.spec import LmmSpec
from harness.reproduction.folder import reproduction
from harness.reproduction.shrinking import fewest_subjects

DIFFERING = frozenset({Outcome.DISAGREE, Outcome.KNOWN})


@dataclass(frozen=True, slots=True, kw_only=True)
class Reproduction:
    """One comparison, the verdict that it is about, and its files by name; `subjects` of how many there were."""

    comparison: Comparison
    disputed: Verdict | None
    files: Mapping[str, str]
    subjects: tuple[int, int]


def reproduce(
    case: Case,
    engine: str,
    references: References,
    *,
    quantity: str | None = None,
    known: Sequence[KnownDifference] = (),
    seconds: float = 0.0,
    progress: Callable[[str], None] = lambda _: None,
) -> Reproduction:
    """Compare our fit of a case with one engine again, and return the files that show the verdict.

    Where they differ and the engine runs live, subjects are left out for up to `seconds`, as long as the cause stays
    the same and the disputed quantity differs.

    Raises
    ------
    EngineError
        If the engine is neither installed nor recorded.
    CaseError
        If the comparison has no such quantity.
    """
    progress(f"{case.name}: {engine}")
    ours = solve(case)
    comparison = _compared(ours, engine, references, known)
    disputed = _disputed(comparison, quantity)
    before = case.cohort.n_subjects
    column = _subject_column(case)
    if seconds > 0 and column is not None and _can_shrink(comparison, disputed):
        progress(f"{case.name}: {engine}, on fewer subjects")
        smaller = fewest_subjects(
            case, column, lambda part: _same(_compared(solve(part), engine, references), comparison, disputed), seconds
        )
        if smaller.cohort.n_rows < case.cohort.n_rows:
            case, ours = smaller, solve(smaller)
            comparison = _compared(ours, engine, references, known)
            disputed = _disputed(comparison, None if disputed is None else disputed.quantity)
    subjects = (case.cohort.n_subjects, before)
    return Reproduction(
        comparison=comparison,
        disputed=disputed,
        files=reproduction(ours, comparison, disputed, subjects),
        subjects=subjects,
    )


def worst_verdict(comparison: Comparison) -> Verdict | None:
    """Return the verdict that matters most: of those that differ, if any do, the furthest beyond its limit."""
    judged = [v for v in comparison.verdicts if v.outcome is not Outcome.NOT_COMPARED]
    pool = [v for v in judged if v.outcome in DIFFERING] or judged
    single = [v for v in pool if v.left_value is not None]
    return max(single or pool, key=_excess, default=None)


def _excess(verdict: Verdict) -> float:
    if verdict.observed is None:
        return float("inf")
    return verdict.observed / verdict.limit if verdict.limit else verdict.observed


def _compared(ours: OurSide, engine: str, references: References, known: Sequence[KnownDifference] = ()) -> Comparison:
    found = compare_with(ours, engine, references, known)
    if isinstance(found, Skipped):
        raise EngineError(engine, "absent", found.reason)
    return found


def _disputed(comparison: Comparison, quantity: str | None) -> Verdict | None:
    if quantity is None:
        return worst_verdict(comparison)
    found = next((v for v in comparison.verdicts if v.quantity == quantity), None)
    if found is None and comparison.verdicts:
        names = [v.quantity for v in comparison.verdicts]
        problem = Problem(
            found=f"no quantity {quantity[:80]!r} of {comparison.case} and {comparison.right.engine}",
            expected="a quantity that `harness explain CASE/ENGINE` lists",
            advice=nearest(quantity, names),
        )
        raise CaseError("harness explain", [problem])
    return found


def _can_shrink(comparison: Comparison, disputed: Verdict | None) -> bool:
    return (
        comparison.outcome in DIFFERING
        and comparison.attribution not in {Attribution.ENGINE, None}
        and comparison.right.source == "live"
        and disputed is not None
        and disputed.outcome in DIFFERING
    )


def _same(found: Comparison, before: Comparison, disputed: Verdict | None) -> bool:
    """Return whether the cause is the same and the disputed quantity still differs."""
    if found.attribution is not before.attribution or disputed is None:
        return False
    return any(v.quantity == disputed.quantity and v.outcome in DIFFERING for v in found.verdicts)


def _subject_column(case: Case) -> str | None:
    if isinstance(case.spec, LmmSpec):
        return case.spec.formula.subject[0]
    return case.spec.subject if isinstance(case.spec, GbtmSpec) else None
