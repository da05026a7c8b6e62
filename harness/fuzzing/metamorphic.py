"""One fuzzed case without another engine: against the model's definition, and against itself told in another way."""

from collections.abc import Iterator, Sequence

from harness.comparison.judge import judge
from harness.comparison.verdict import Attribution, Comparison, CrossEvidence, Outcome
from harness.comparison.yardstick import LOG_LIKELIHOOD
from harness.counterexamples.specimen import Specimen
from harness.engines import NAME, OurSide, solve
from harness.errors import CaseError, CohortError, SpecError
from harness.evidence.design import effect_errors, told_twice
from harness.fuzzing.acceptable import AGREE, Finding
from harness.fuzzing.change import back, only
from harness.fuzzing.gbtm_by_definition import gbtm_contradictions
from harness.fuzzing.lmm_by_definition import lmm_contradictions
from harness.fuzzing.more_starts import reached_by_more_starts
from harness.fuzzing.relations import RELATIONS, Relation
from harness.quantities import Reading

_DEFINITIONS = {"lmm": lmm_contradictions, "gbtm": gbtm_contradictions}

_UNDETERMINED = {Attribution.BOUNDARY, Attribution.FLAT}

_MAY_HELP = {"every_subject_twice", "every_subject_split"}
"""Tellings that have more rows than the first, so that a model that is refused there may be fitted here."""


def contradicts(specimen: Specimen, code: str = "") -> Finding:
    """Return whether ours contradicts the definition, or itself when the case is told in another way.

    With a `code` of a finding only that is looked at which can end with it.
    """
    relations = [relation for relation in RELATIONS if not code or code.startswith(relation.name)]
    try:
        return _of_specimen(specimen, relations)
    except Exception as error:  # noqa: BLE001  # a crash is what fuzzing is for
        return Finding(code=f"crash:{type(error).__name__}", sentence=f"{type(error).__name__}: {error}", reason="")


def _of_specimen(specimen: Specimen, relations: Sequence[Relation]) -> Finding:
    try:
        ours = _solved(specimen)
    except CaseError as error:
        return Finding(code="no case", sentence=str(error), reason="The text is no model.")
    except (CohortError, SpecError) as refusal:
        return _of_refusal(specimen, refusal, relations)
    first = ours.reading(against=NAME)
    for word, sentence in _DEFINITIONS[specimen.model["kind"]](specimen, first):
        return Finding(code=f"definition:{word}", sentence=sentence, reason="")
    evidence = CrossEvidence(effect_errors=effect_errors(ours), told_twice=told_twice(ours))
    remarks = list(_contradictions(specimen, first, evidence, relations))
    if remarks:
        return min(remarks, key=lambda finding: finding.acceptable)
    return Finding(code=AGREE, sentence="", reason="The definition holds, and all tellings of the case agree.")


def _solved(specimen: Specimen) -> OurSide:
    return solve(specimen.case("fuzzed", ("lme4",)))


def _contradictions(
    specimen: Specimen, first: Reading, evidence: CrossEvidence, relations: Sequence[Relation]
) -> Iterator[Finding]:
    for relation in relations:
        told = relation.told(specimen)
        if told is None:
            continue
        other, change_of = told
        change = change_of(first)
        try:
            reading = back(_solved(other).reading(against=NAME), change)
        except (CohortError, SpecError) as refusal:
            sentence = f"the first telling is fitted, the other is refused: {refusal}"
            yield Finding(code=f"{relation.name}:refused", sentence=sentence, reason="")
            continue
        comparison = judge("fuzzed", only(first, change), reading, evidence)
        if comparison.outcome is not Outcome.AGREE:
            yield _of_comparison(relation.name, comparison, specimen)


def _of_comparison(relation: str, comparison: Comparison, specimen: Specimen) -> Finding:
    """Return what it means that two tellings differ; their log-likelihoods must not, but for a mixture's maxima."""
    verdict = next(v for v in comparison.verdicts if v.quantity == LOG_LIKELIHOOD)
    found = comparison.attribution
    word, reason = "" if found is None else found.value, ""
    if verdict.outcome is Outcome.AGREE and found in _UNDETERMINED:
        reason = "The log-likelihoods are one; what differs is at a bound, or not determined by the data."
    values = [value for value in (verdict.left_value, verdict.right_value) if isinstance(value, float)]
    if specimen.model["kind"] == "gbtm" and verdict.outcome is Outcome.DISAGREE and len(values) == 2:
        word, reason = "local_optimum", reached_by_more_starts(specimen, max(values))
    return Finding(code=f"{relation}:{word}", sentence=comparison.sentence, reason=reason)


def _of_refusal(specimen: Specimen, refusal: CohortError | SpecError, relations: Sequence[Relation]) -> Finding:
    """Return whether the other tellings of a case that we refuse are refused too."""
    for relation in relations:
        told = relation.told(specimen)
        if told is None or relation.name in _MAY_HELP:
            continue
        try:
            _solved(told[0])
        except (CohortError, SpecError):
            continue
        sentence = f"the first telling is refused, the other is fitted: {refusal}"
        return Finding(code=f"{relation.name}:refused", sentence=sentence, reason="")
    return Finding(code="refused", sentence=str(refusal), reason="We refuse it, however it is told.")
