"""AIC and BIC by every convention that prints have, against the log-likelihood, the number of parameters and n."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from harness.claims.claim import Claim
from harness.claims.judge import Alternative, judge
from harness.claims.span import Span, enclosed, point
from harness.claims.verdict import Finding, not_checkable


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One way to print a criterion: its formula, the n it has ("subjects", "rows" or none), and the values it allows.

    `convention` is "deviance" for -2L + penalty, and "log-likelihood" for L - penalty / 2, as Stata's traj prints it.
    """

    formula: str
    unit: str
    convention: str
    value: Span


def readings(kind: str, log_likelihood: Span, k: int, counts: Iterable[tuple[str, int]]) -> Iterator[Reading]:
    """Yield each criterion that k parameters and each n, by its unit, give.

    In R: ``-2 * logLik + 2 * k``, ``-2 * logLik + k * log(n)``.
    """
    penalties = [("2k", "", point(2))]
    if kind == "bic":
        penalties = [(f"k log {n} ({unit})", unit, enclosed([math.log(n)])) for unit, n in counts if n > 0]
    for words, unit, penalty in penalties:
        value = log_likelihood.times(-2) + penalty.times(k)
        yield Reading(formula=f"-2L + {words}", unit=unit, convention="deviance", value=value)
        half = Span(-value.upper / 2, -value.lower / 2)
        yield Reading(formula=f"L - ({words})/2", unit=unit, convention="log-likelihood", value=half)


def judge_criterion(
    claim: Claim, check: str, words: str, all_readings: Sequence[Reading], others: Iterable[Alternative] = ()
) -> Finding:
    """Return whether a criterion is one of those that the claim declares.

    Where a claim does not say which n or which convention it has, any of them makes it consistent, and the reason says
    which one.
    """
    declared = [reading for reading in all_readings if is_declared(claim, reading)]
    if not declared:
        return not_checkable(check, f"n, the number of {claim.word('unit', 'subjects or rows')}, is not given")
    printed = claim.parts["value"]
    chosen = next((reading for reading in declared if printed.span().meets(reading.value)), declared[0])
    alternatives = [(f"it is {reading.formula}", reading.value) for reading in all_readings if reading not in declared]
    giving = f"{words} {chosen.formula} ="
    return judge(check, printed, chosen.value, giving, alternatives=[*alternatives, *others])


def is_declared(claim: Claim, reading: Reading) -> bool:
    """Tell whether a reading is what the claim says that it has, or leaves open."""
    of_unit = not reading.unit or claim.word("unit", reading.unit) == reading.unit
    return of_unit and claim.word("convention", reading.convention) == reading.convention


def check_criterion(claim: Claim) -> Iterator[Finding]:
    """Yield whether a criterion follows from the log-likelihood and the number of parameters printed beside it."""
    log_likelihood, parameters = claim.beside("log_likelihood"), claim.beside("parameters")
    if log_likelihood is None and parameters is None:
        return
    check = "the log-likelihood and the number of parameters"
    if log_likelihood is None or parameters is None:
        yield not_checkable(check, "both must be given")
        return
    named = (("subjects", claim.beside("n")), ("rows", claim.beside("n_rows")))
    counts = [(unit, int(n.value)) for unit, n in named if n is not None]
    k, L = int(parameters.value), log_likelihood.span()
    words = f"L = {log_likelihood.text} and k = {k} give"
    own = list(readings(claim.kind, L, k, counts))
    yield judge_criterion(claim, check, words, own, miscounted(claim, L, k, counts))


def miscounted(claim: Claim, L: Span, k: int, counts: Sequence[tuple[str, int]]) -> Iterator[Alternative]:
    """Yield what one parameter more or less gives, as where sigma or a class share was counted otherwise."""
    for other in (k + 1, k - 1):
        for reading in readings(claim.kind, L, max(other, 0), counts):
            if is_declared(claim, reading):
                yield f"it counts {other} parameters", reading.value
