"""Claims against models: the number is that of the model fitted again to the data."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from fractions import Fraction

from harness.claims import noise
from harness.claims.claim import Claim
from harness.claims.criteria import judge_criterion, miscounted, readings
from harness.claims.fitted_models import COUNTS, OF_TERMS, FittedModel
from harness.claims.intervals import LEVELS
from harness.claims.judge import ANY, NOT_NEGATIVE, PROBABILITY, Alternative, Bounds, judge
from harness.claims.numbers_of_models import TermNumbers
from harness.claims.significance import level_of
from harness.claims.span import Span, around, point
from harness.claims.tails import one_sided
from harness.claims.verdict import Finding, not_checkable
from harness.errors import Problem

_NUMBER = {"estimate": "estimate", "share": "estimate", "se": "standard_error", "statistic": "statistic", "df": "df"}
_BOUNDS: Mapping[str, Bounds] = {"share": PROBABILITY, "se": NOT_NEGATIVE, "df": NOT_NEGATIVE, "p": PROBABILITY}
NEEDS_TERM = (*OF_TERMS, "share", "count")
DEFAULT_LEVEL = 0.95


def model_problems(claim: Claim, model: FittedModel) -> Iterator[Problem]:
    """Yield what a claim asks that its kind of model does not have."""
    if claim.kind in NEEDS_TERM and not claim.word("term"):
        yield claim.problem("term", "nothing", "which number of the model, because a model is given")
    if claim.kind == "count" and claim.word("term") not in {"", *COUNTS}:
        yield claim.problem("term", f"{claim.word('term')!r:.60}", f"one of {', '.join(COUNTS)}")
    if claim.kind in {"share", "entropy"} and math.isnan(model.numbers.entropy):
        yield claim.problem("model", "a model without classes", "a trajectory model of several classes")


def check_model(claim: Claim, model: FittedModel) -> Iterator[Finding]:
    """Yield whether each number of a claim is that of its model.

    Raises
    ------
    UnknownTermError
        The model does not have the term.
    """
    own = model.numbers
    check = f"the model {claim.word('model')}"
    if claim.kind == "count":
        n = int(getattr(own, claim.word("term")))
        yield judge(check, claim.parts["count"], point(n), f"{claim.word('term')} of the model is", exact=True)
    elif claim.kind == "log_likelihood":
        computed = around(own.log_likelihood, noise.LOG_LIKELIHOOD)
        yield judge(check, claim.parts["value"], computed, "its log-likelihood is", alternatives=_of_optima(model))
    elif claim.kind == "entropy":
        yield judge(check, claim.parts["value"], around(own.entropy, noise.ESTIMATE), "its entropy is")
    elif claim.kind in {"aic", "bic"}:
        yield _criterion(claim, model, check)
    elif claim.kind == "interval":
        yield from _limits(claim, model, check)
    else:
        yield _number(claim, model, check)


def _number(claim: Claim, model: FittedModel, check: str) -> Finding:
    numbers = model.term(claim, DEFAULT_LEVEL)
    name = "p" if claim.kind == "p" else _NUMBER[claim.kind]
    computed = numbers.span(name)
    if computed is None:
        return not_checkable(check, f"{numbers.name} has no {name.replace('_', ' ')} there")
    others = list(_other_numbers(claim, model, numbers, name))
    if name == "p" and claim.word("sides") == "one":
        others.append(("it is two-sided", computed))
        computed = one_sided(computed)
    words = f"{numbers.name}{_by(numbers, name)} has"
    printed = claim.parts["value"]
    if name == "statistic" and printed.value >= 0 and computed.upper < 0:
        # Many tables print the size of t alone.
        computed = computed.magnitude()
    return judge(check, printed, computed, words, bounds=_BOUNDS.get(claim.kind, ANY), alternatives=others)


def _by(numbers: TermNumbers, name: str) -> str:
    return f", by {numbers.words}," if numbers.words and name in {"df", "p"} else ""


def _other_numbers(claim: Claim, model: FittedModel, numbers: TermNumbers, name: str) -> Iterator[Alternative]:
    own = numbers.span(name)
    if name == "p" and own is not None:
        yield "it is one-sided", one_sided(own)
    if _is_adjusted(claim):
        yield from _named("it is not adjusted", model.term(_unadjusted(claim), DEFAULT_LEVEL).span(name))
    if name == "estimate":
        yield from _named("it is the standard error", numbers.span("standard_error"))
    if name == "standard_error":
        yield from _named("it is the estimate", numbers.span("estimate"))
        error = own
        if error is not None:
            yield "it is the variance", error.square()
            yield "it is half the width of the interval at 95 %", error.times(Fraction(196, 100))
    for other in model.other_terms(claim, DEFAULT_LEVEL):
        yield from _named(f"it is that of {other.name}", other.span(name))


def _is_adjusted(claim: Claim) -> bool:
    return claim.word("adjust", "none") != "none"


def _unadjusted(claim: Claim) -> Claim:
    return replace(claim, words={**claim.words, "adjust": "none"})


def _named(sentence: str, span: Span | None) -> Iterator[Alternative]:
    if span is not None:
        yield sentence, span


def _limits(claim: Claim, model: FittedModel, check: str) -> Iterator[Finding]:
    level = level_of(claim, claim.parts)
    if level is None:
        yield not_checkable(check, "the level of the interval is not given")
        return
    numbers = model.term(claim, float(level.lower))
    for end in ("lower", "upper"):
        computed = numbers.span(end)
        if computed is None:
            yield not_checkable(f"{check}: {end} limit", f"{numbers.name} has no limits there")
            continue
        words = f"{numbers.name} at {float(100 * level.lower):g} % has"
        others = _other_limits(claim, model, end, float(level.lower))
        yield judge(f"{check}: {end} limit", claim.parts[end], computed, words, alternatives=others)


def _other_limits(claim: Claim, model: FittedModel, end: str, level: float) -> Iterator[Alternative]:
    if _is_adjusted(claim):
        yield from _named("it is not adjusted", model.term(_unadjusted(claim), level).span(end))
        return
    for text in LEVELS:
        if float(text) != level:
            yield from _named(f"it is a limit at {100 * float(text):g} %", model.term(claim, float(text)).span(end))
    for other in model.other_terms(claim, level):
        yield from _named(f"it is that of {other.name}", other.span(end))


def _criterion(claim: Claim, model: FittedModel, check: str) -> Finding:
    own = model.numbers
    counts = (("subjects", own.n_subjects), ("rows", own.n_observations))
    L = around(own.log_likelihood, noise.LOG_LIKELIHOOD)
    found = [reading for kind, reading in own.criteria if kind == claim.kind]
    if not found:
        found = list(readings(claim.kind, L, own.n_parameters, counts))
    others = list(miscounted(claim, L, own.n_parameters, counts))
    for sentence, lower in own.optima:
        at = readings(claim.kind, around(lower, noise.LOG_LIKELIHOOD), own.n_parameters, counts)
        others += [(sentence, reading.value) for reading in at]
    return judge_criterion(claim, check, "it has", found, others)


def _of_optima(model: FittedModel) -> Iterator[Alternative]:
    for sentence, lower in model.numbers.optima:
        yield sentence, around(lower, noise.LOG_LIKELIHOOD)
