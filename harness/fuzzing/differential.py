"""One fuzzed case through two engines that are black boxes."""

from dataclasses import replace

from harness.cases import Case, Engine
from harness.comparison.run import Skipped
from harness.comparison.verdict import Attribution, Comparison, Outcome
from harness.counterexamples.specimen import Specimen
from harness.crosscheck import References, compare_with
from harness.engines import OurLmm, OurSide, solve
from harness.errors import CaseError, CohortError, InputError, SpecError
from harness.fuzzing.acceptable import Finding, is_below, of_comparison, of_our_refusal
from harness.fuzzing.ends import equally_high, higher_by_its_own_word, rests_on_one_subject
from harness.fuzzing.flexmix_limits import (
    CUT,
    missed_at_infinity,
    on_a_ridge,
    vanished_sigma,
    without_an_answer,
    without_cut_points,
)
from harness.fuzzing.more_starts import listed_as_improper, log_likelihood_of, reached_by_more_starts
from harness.fuzzing.rounding import errors_rounded_by_the_reference, rounded_by_the_reference
from harness.gbtm.spec import GbtmSpec
from harness.quantities import Reading


def differs(specimen: Specimen, engine: Engine) -> Finding:
    """Return whether ours and the engine have the same outcome on the specimen, or why not.

    What breaks ours in any other way than by a refusal is a finding too: no input may.
    """
    try:
        case = specimen.case("fuzzed", (engine.name,))
    except (CohortError, CaseError) as error:
        return Finding(code="no case", sentence=str(error), reason="The rows are no cohort, or the text is no model.")
    try:
        return _of_case(specimen, case, engine)
    except Exception as error:  # noqa: BLE001  # a crash of ours is what fuzzing is for
        return Finding(code=f"crash:{type(error).__name__}", sentence=f"{type(error).__name__}: {error}", reason="")


def _of_case(specimen: Specimen, case: Case, engine: Engine) -> Finding:
    try:
        ours = solve(case)
    except SpecError as refusal:
        return of_our_refusal(refusal, _said(engine, case))
    found = compare_with(ours, engine.name, References(live={engine.name: engine}))
    if isinstance(found, Skipped):
        return Finding(code="skipped", sentence=found.reason, reason="")
    uncut = without_cut_points(ours, found, engine)
    if uncut is not None and uncut.outcome is Outcome.AGREE:
        return Finding(code="cut_link", sentence=found.sentence, reason=CUT)
    return _of_outcome(specimen, uncut or found, ours, engine)


def _of_outcome(specimen: Specimen, found: Comparison, ours: OurSide, engine: Engine) -> Finding:  # a cause a return
    finding, case = of_comparison(found), ours.case
    if found.right.failure is not None and not finding.acceptable:
        return _of_no_answer(specimen, finding, found, ours, engine)
    if found.attribution is Attribution.NOT_CONVERGED and _is_mixture(case) and _says_converged(found.right):
        return _of_other_ends(specimen, found, finding, ours, engine)
    limit = "" if finding.acceptable else vanished_sigma(ours, found)
    if limit:
        return replace(finding, code=f"limit:{engine.name}", reason=limit)
    if found.attribution is Attribution.LOCAL_OPTIMUM and not finding.acceptable and _is_mixture(case):
        return _of_our_lower_end(specimen, found, finding, ours)
    if found.attribution is Attribution.UNEXPLAINED and _is_mixture(case):
        return _of_other_ends(specimen, found, finding, ours, engine)
    reason = _rounded(found, ours)
    return Finding(code=f"float:{engine.name}", sentence=found.sentence, reason=reason) if reason else finding


def _rounded(found: Comparison, ours: OurSide) -> str:
    """Return why what the reference of a mixed model says otherwise is its rounding, if it is."""
    if found.attribution is Attribution.DEFINITION and isinstance(ours, OurLmm):
        return rounded_by_the_reference(found)
    if found.attribution is Attribution.HESSIAN and isinstance(ours, OurLmm):
        return errors_rounded_by_the_reference(ours, found)
    return ""


def _of_no_answer(specimen: Specimen, finding: Finding, found: Comparison, ours: OurSide, engine: Engine) -> Finding:
    """Return what it means that flexmix came to no likelihood, where it says so; else the finding as it is."""
    begun_at_ours, reason = without_an_answer(ours, found, engine)
    if begun_at_ours is not None:
        there = _of_outcome(specimen, begun_at_ours, ours, engine)
        if not there.acceptable:
            return there
        reason += there.code
    return replace(finding, code=f"limit:{engine.name}", reason=reason) if reason else finding


def _of_other_ends(
    specimen: Specimen, comparison: Comparison, finding: Finding, ours: OurSide, engine: Engine
) -> Finding:
    """Return whose end is the lower maximum, where classes of two ends do not even have the same coefficients."""
    left, right = log_likelihood_of(comparison.left), log_likelihood_of(comparison.right)
    if is_below(comparison):
        return _of_our_lower_end(specimen, comparison, finding, ours)
    optimum = next((value.point for value in comparison.left.objective if value.label == "optimum"), None)
    again = None if optimum is None else engine.read(ours.case, start=optimum)
    near = 1e-6 * max(1.0, abs(left))
    # Its sigma may keep it a little below ours, wherever it begins.
    if again is not None and again.failure is None and left + near >= log_likelihood_of(again) > right + near:
        reason = "The reference ended at a lower maximum of the mixture; begun at ours it ends higher."
        return Finding(code=f"local_optimum:{engine.name}", sentence=finding.sentence, reason=reason)
    reason = higher_by_its_own_word(comparison, near)
    if reason:
        return Finding(code=f"local_optimum:{engine.name}", sentence=finding.sentence, reason=reason)
    reason = equally_high(comparison) or on_a_ridge(ours, comparison, again)
    return Finding(code="flat", sentence=finding.sentence, reason=reason) if reason else finding


def _of_our_lower_end(specimen: Specimen, found: Comparison, finding: Finding, ours: OurSide) -> Finding:
    """Return why the lower end of a mixture is acceptable, if it is ours."""
    improper = listed_as_improper(ours, found)
    if improper:
        return Finding(code=f"improper:{found.right.engine}", sentence=finding.sentence, reason=improper)
    spurious = rests_on_one_subject(ours, found)
    if spurious:
        return Finding(code=f"spurious:{found.right.engine}", sentence=finding.sentence, reason=spurious)
    at_infinity = missed_at_infinity(ours, found)
    if at_infinity:
        return Finding(code=f"infinity:{found.left.engine}", sentence=finding.sentence, reason=at_infinity)
    reason = reached_by_more_starts(specimen, log_likelihood_of(found.right))
    return Finding(code=f"local_optimum:{found.left.engine}", sentence=finding.sentence, reason=reason)


def _says_converged(reading: Reading) -> bool:
    """Whether the engine is at a fixed point of its own, which with flexmix's sigma is no stationary point of ours."""
    return reading.convergence is not None and reading.convergence.converged


def _is_mixture(case: Case) -> bool:
    return isinstance(case.spec, GbtmSpec) and case.spec.n_classes > 1


def _said(engine: Engine, case: Case) -> Reading | None:
    """Return what the engine says of a case that we refuse; None if it can't be told without a design of ours."""
    try:
        return engine.read(case)
    except InputError:
        return None
