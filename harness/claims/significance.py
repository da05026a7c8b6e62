"""Test statistics and p values against the numbers printed beside them."""

from collections.abc import Iterator
from fractions import Fraction
from itertools import chain

import numpy as np
from scipy.stats import fisher_exact

from harness.claims.claim import Claim
from harness.claims.forms import Parts
from harness.claims.judge import PROBABILITY, Alternative, judge
from harness.claims.printed import Printed
from harness.claims.span import Span, enclosed
from harness.claims.tails import Degrees, TestName, critical, logarithm, one_sided, p_of
from harness.claims.verdict import Finding, consistent, inconsistent, not_checkable
from harness.rates import chi_square

SQUARED = ("F", "chi-square")
OF_RATES = ("chi-square", "chi-square corrected", "Fisher")
TESTS: tuple[TestName, ...] = ("z", "t", "F", "chi-square")


def check_statistic(claim: Claim) -> Iterator[Finding]:
    """Yield whether a statistic is the estimate over its standard error, or that of the table of two rates."""
    printed = claim.parts["value"]
    if "rates" in claim.companions:
        yield _statistic_of_rates(claim, printed)
    estimate, se = claim.beside("estimate"), claim.beside("se")
    if estimate is None or se is None:
        return
    check = "the estimate over its standard error"
    quotient = _quotient(estimate.span(), se)
    if quotient is None:
        yield not_checkable(check, f"a standard error of {se.text} may be 0 at this precision")
        return
    said = f"{estimate.text} over {se.text} gives"
    if claim.word("test") in SQUARED:
        yield judge(check, printed, quotient.square(), said, alternatives=[("it is t and not its square", quotient)])
        return
    # Many tables print the size of t alone.
    unsigned = printed.value >= 0 and quotient.upper < 0
    yield judge(check, printed, quotient.magnitude() if unsigned else quotient, said)


def check_estimate(claim: Claim) -> Iterator[Finding]:
    """Yield whether an estimate is its statistic times its standard error, and whether it lies in its interval."""
    printed, se, statistic = claim.parts["value"], claim.beside("se"), claim.beside("statistic")
    if se is not None and statistic is not None:
        product = se.span(0) * statistic.span()
        said = f"{statistic.text} standard errors of {se.text} give"
        # A statistic without a sign says nothing of the estimate's.
        if printed.value < 0 <= statistic.value:
            product = product.times(-1)
        yield judge("its statistic and standard error", printed, product, said)
    if limits := claim.companions.get("interval"):
        yield from within_limits(printed, limits, claim.word("scale"))


def check_standard_error(claim: Claim) -> Iterator[Finding]:
    """Yield whether a standard error is the estimate over its statistic."""
    estimate, statistic = claim.beside("estimate"), claim.beside("statistic")
    if estimate is None or statistic is None:
        return
    check = "the estimate over its statistic"
    size = statistic.span().magnitude()
    if size.lower == 0:
        yield not_checkable(check, f"a statistic of {statistic.text} may be 0 at this precision")
        return
    said = f"{estimate.text} over {statistic.text} gives"
    yield judge(check, claim.parts["value"], estimate.span().magnitude() / size, said)


def within_limits(estimate: Printed, limits: Parts, scale: str) -> Iterator[Finding]:
    """Yield whether an estimate lies within its interval, and in its middle where the scale is named."""
    lower, upper = limits["lower"], limits["upper"]
    interval = f"{lower.text} to {upper.text}"
    inside = lower.span().lower <= estimate.span().upper and estimate.span().lower <= upper.span().upper
    make = consistent if inside else inconsistent
    yield make("the interval around it", f"{estimate.text} lies {'with' if inside else 'not with'}in {interval}.")
    if scale == "identity":
        middle = (lower.span() + upper.span()).times(Fraction(1, 2))
        yield judge("the middle of its interval", estimate, middle, f"{interval} has the middle")
    elif scale == "log":
        ends = lower.span() * upper.span()
        if ends.lower < 0 or lower.value <= 0:
            yield inconsistent("the middle of its interval", f"{interval} has no logarithm.")
            return
        yield judge("the middle of its interval", estimate, ends.root(), f"{interval} has the geometric middle")


def check_p(claim: Claim) -> Iterator[Finding]:
    """Yield whether a p value follows from each of the ways that are printed beside it."""
    printed = claim.parts["value"]
    if "rates" in claim.companions:
        yield _p_of_rates(claim, printed)
    if (statistic := claim.beside("statistic")) is not None and claim.word("test") in TESTS:
        yield _p_of_statistic(claim, printed, statistic)
    estimate, se = claim.beside("estimate"), claim.beside("se")
    if estimate is None:
        return
    size = logged(estimate.span(), claim.word("scale"))
    if size is None:
        yield not_checkable("the estimate", f"{estimate.text} has no logarithm")
        return
    if se is not None:
        quotient = _quotient(size, se)
        check = "the estimate and its standard error"
        if quotient is None:
            yield not_checkable(check, f"a standard error of {se.text} may be 0 at this precision")
        else:
            yield _p_of_quotient(claim, check, f"{estimate.text} with standard error {se.text} gives", quotient)
    elif (limits := claim.companions.get("interval")) is not None:
        yield _p_of_interval(claim, estimate, size, limits)


def degrees_of(claim: Claim, test: str) -> Degrees:
    """Return the degrees of freedom printed beside a claim.

    Those of t and those of F below may be rounded, as Satterthwaite's are; counts of parameters are not.
    """
    first, second = claim.beside("df"), claim.beside("df2")
    rounded = test in {"t", ""}
    return Degrees(
        first=None if first is None else first.span(0) if rounded else first.exact,
        second=None if second is None else second.span(0),
    )


def logged(numbers: Span, scale: str) -> Span | None:
    """Return numbers on the scale of their standard error; None where a logarithm does not exist."""
    if scale != "log":
        return numbers
    return None if numbers.lower <= 0 else logarithm(numbers)


def level_of(claim: Claim, limits: Parts) -> Span | None:
    """Return the level of an interval, as it is printed in it or beside it."""
    level = limits.get("level") or claim.beside("level")
    return None if level is None else level.exact


def _p_of_statistic(claim: Claim, printed: Printed, statistic: Printed) -> Finding:
    check, name = "the test statistic", claim.word("test")
    test = next(known for known in TESTS if known == name)
    degrees = degrees_of(claim, test)
    lacking = degrees.first is None if test in {"t", "chi-square"} else degrees.second is None and test == "F"
    if lacking:
        return not_checkable(check, f"{test} has no p value without its degrees of freedom")
    df = ", ".join(one.text for one in (claim.beside("df"), claim.beside("df2")) if one is not None)
    two_sided = p_of(statistic.span(None if test in {"z", "t"} else 0), test, degrees)
    said = f"{test}{f'({df})' if df and test != 'z' else ''} = {statistic.text} gives"
    size = statistic.span()
    alternatives = [*_sides(claim, two_sided, test)]
    if test == "t":
        alternatives += _other_degrees(size, degrees)
    if test == "F" and degrees.first is not None and degrees.second is not None:
        turned = Degrees(first=degrees.second, second=degrees.first)
        alternatives.append(("the two degrees of freedom are swapped", p_of(size, "F", turned)))
    computed = one_sided(two_sided) if claim.word("sides") == "one" else two_sided
    return judge(check, printed, computed, said, bounds=PROBABILITY, alternatives=alternatives)


def _p_of_quotient(claim: Claim, check: str, said: str, quotient: Span) -> Finding:
    degrees = degrees_of(claim, "t")
    test: TestName = "z" if degrees.first is None else "t"
    two_sided = p_of(quotient, test, degrees)
    alternatives = [*_sides(claim, two_sided, test)]
    if test == "t":
        alternatives += _other_degrees(quotient, degrees)
    computed = one_sided(two_sided) if claim.word("sides") == "one" else two_sided
    return judge(check, claim.parts["value"], computed, said, bounds=PROBABILITY, alternatives=alternatives)


def _p_of_interval(claim: Claim, estimate: Printed, size: Span, limits: Parts) -> Finding:
    check, level = "the estimate and its interval", level_of(claim, limits)
    ends = [logged(limits[end].span(), claim.word("scale")) for end in ("lower", "upper")]
    if level is None:
        return not_checkable(check, "the level of the interval is not given")
    if ends[0] is None or ends[1] is None:
        return not_checkable(check, "a limit has no logarithm")
    reach = critical(level, degrees_of(claim, "t").first)
    se = (ends[1] - ends[0]) / reach.times(2)
    if se.lower <= 0:
        return not_checkable(check, "the interval may have no width at this precision")
    interval = f"{limits['lower'].text} to {limits['upper'].text}"
    return _p_of_quotient(claim, check, f"{estimate.text} with the interval {interval} gives", size / se)


def _sides(claim: Claim, two_sided: Span, test: TestName) -> Iterator[Alternative]:
    if test not in {"z", "t"}:
        return
    if claim.word("sides") == "one":
        yield "it is two-sided", two_sided
    else:
        yield "it is one-sided", one_sided(two_sided)


def _other_degrees(statistic: Span, degrees: Degrees) -> Iterator[Alternative]:
    yield "it is that of z, without degrees of freedom", p_of(statistic, "z", degrees)
    if degrees.first is not None:
        for factor, words in ((Fraction(10), "ten times"), (Fraction(1, 10), "a tenth of")):
            other = Degrees(first=degrees.first.times(factor))
            yield f"it has {words} these degrees of freedom", p_of(statistic, "t", other)


def _p_of_rates(claim: Claim, printed: Printed) -> Finding:
    check, rates = "the two rates", claim.companions["rates"]
    if _is_empty(rates):
        return not_checkable(check, "a row or column of the table has no counts")
    name = claim.word("test")
    computed = _test_of_rates(rates, name)[1]
    others = (
        (f"it is that of the test {other}", _test_of_rates(rates, other)[1]) for other in OF_RATES if other != name
    )
    sides = [("it is one-sided", one_sided(computed))]
    said = f"{name} of {_written(rates)} gives"
    return judge(check, printed, computed, said, bounds=PROBABILITY, alternatives=chain(sides, others))


def _statistic_of_rates(claim: Claim, printed: Printed) -> Finding:
    check, rates = "the two rates", claim.companions["rates"]
    name = claim.word("test")
    if _is_empty(rates):
        return not_checkable(check, "a row or column of the table has no counts")
    if name == "Fisher":
        return not_checkable(check, "Fisher's test has no statistic")
    others = ((f"it is that of the test {o}", _test_of_rates(rates, o)[0]) for o in OF_RATES[:2] if o != name)
    said = f"{name} of {_written(rates)} gives"
    return judge(check, printed, _test_of_rates(rates, name)[0], said, alternatives=others)


def _table(rates: Parts) -> list[list[int]]:
    counts = [(int(rates[f"count {side}"].value), int(rates[f"n {side}"].value)) for side in (1, 2)]
    return [[count, n - count] for count, n in counts]


def _is_empty(rates: Parts) -> bool:
    table = _table(rates)
    return not all(map(sum, table)) or not all(map(sum, zip(*table, strict=True)))


def _test_of_rates(rates: Parts, name: str) -> tuple[Span, Span]:
    """Return statistic and p of a test of two rates; Fisher's has no statistic but its p."""
    table = _table(rates)
    if name == "Fisher":
        p = enclosed([float(fisher_exact(np.array(table))[1])])
        return p, p
    found = chi_square(table, yates=name == "chi-square corrected")
    return enclosed([found.statistic]), enclosed([found.p])


def _written(rates: Parts) -> str:
    return " and ".join(f"{rates[f'count {side}'].text}/{rates[f'n {side}'].text}" for side in (1, 2))


def _quotient(estimate: Span, se: Printed) -> Span | None:
    """Return estimates over standard errors, None where the error may be 0."""
    errors = se.span(0)
    return None if errors.lower <= 0 else estimate / errors
