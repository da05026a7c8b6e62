"""Improvement as a share of the baseline: response, partial response and the categories beside them.

A share p/q is reached where q (b - y) >= p b, with b the baseline and y the later score: no division, no rounding. It
has no meaning where the baseline is missing, zero, or below the least that a rule asks for.
"""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Literal

from harness.errors import Problem, ScoringError
from harness.scoring.exact import Score, exact
from harness.scoring.truth import Truth

Category = Literal["response", "partial", "minimal", "worse"]
Undefined = Literal["baseline missing", "baseline zero", "baseline below the least", "score missing"]


def share(value: float | Decimal | Fraction | tuple[int, int]) -> Fraction:
    """Return a share as a fraction, from a number such as 0.2 or from numerator and denominator.

    Raises
    ------
    ScoringError
        It is no number from 0 (excluded) to 1.
    """
    if isinstance(value, tuple):
        whole = len(value) == 2 and all(isinstance(part, int) and not isinstance(part, bool) for part in value)
        found = Fraction(*value) if whole and value[1] != 0 else None
    else:
        found = exact(value)
    if found is None or not 0 < found <= 1:
        expected = "a number above 0 and at most 1, or (numerator, denominator)"
        raise ScoringError("a share of the baseline", [Problem(found=f"{value!r:.40}", expected=expected)])
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class ImprovementRule:
    """How much of the baseline must be gone; every limit is included.

    `response` and `partial` are the least shares of a response and of a partial response (None: no such category);
    `no_benefit` is the greatest share that still counts as no meaningful benefit. Baselines below `min_baseline` have
    no answer, as zero has none.

    Raises
    ------
    ScoringError
        Shares that are no fractions or not 0 < partial < response <= 1.
    """

    response: Fraction = Fraction(1, 2)
    partial: Fraction | None = Fraction(1, 4)
    no_benefit: Fraction | None = None
    min_baseline: Fraction | int = 0

    def __post_init__(self) -> None:
        shares = {"response": self.response, "partial": self.partial, "no_benefit": self.no_benefit}
        problems = [
            Problem(found=f"{name} {value!r:.40}", expected="a fraction above 0 and at most 1", advice="See `share`.")
            for name, value in shares.items()
            if value is not None and not (isinstance(value, Fraction) and 0 < value <= 1)
        ]
        if not problems and self.partial is not None and self.partial >= self.response:
            expected = f"a share below that of a response, {self.response}"
            problems.append(Problem(found=f"partial {self.partial}", expected=expected))
        least = self.min_baseline
        if isinstance(least, bool) or not isinstance(least, int | Fraction) or least < 0:
            problems.append(Problem(found=f"min_baseline {least!r:.40}", expected="a whole number or fraction >= 0"))
        if problems:
            raise ScoringError("rule of improvement", problems)

    def describe(self) -> dict[str, str]:
        """Return the rule in words."""
        said = {"response": f"the score fell by at least {_percent(self.response)} of the baseline"}
        if self.partial is not None:
            limits = f"at least {_percent(self.partial)} and less than {_percent(self.response)}"
            said["partial response"] = f"the score fell by {limits} of the baseline"
        said["minimal change"] = f"a smaller fall, or none (less than {_percent(self.partial or self.response)})"
        said["worse"] = "the score is above the baseline"
        if self.no_benefit is not None:
            said["no meaningful benefit"] = f"the score fell by at most {_percent(self.no_benefit)} of the baseline"
        least = f" or below {self.min_baseline}" if self.min_baseline > 0 else ""
        said["undefined"] = f"a score is missing, or the baseline is 0{least}"
        return said


RESPONSE = ImprovementRule()


def why_undefined(baseline: object, later: object, rule: ImprovementRule = RESPONSE) -> Undefined | None:
    """Return why improvement has no meaning, None where it has one."""
    b, y = exact(baseline), exact(later)
    if b is None:
        return "baseline missing"
    if b <= 0:
        return "baseline zero"
    if b < rule.min_baseline:
        return "baseline below the least"
    return "score missing" if y is None else None


def percent_change(baseline: object, later: object) -> Score:
    """Return 100 (b - y) / b, positive where the score fell; None where it has no meaning."""
    scores = _defined(baseline, later, RESPONSE)
    return None if scores is None else 100 * (scores[0] - scores[1]) / scores[0]


def response(baseline: object, later: object, rule: ImprovementRule = RESPONSE) -> Truth:
    """Tell whether the score fell by the share of a response; None where that has no meaning."""
    return _reached(baseline, later, rule.response, rule)


def partial_response(baseline: object, later: object, rule: ImprovementRule = RESPONSE) -> Truth:
    """Tell whether the score fell by the share of a partial response but not of a response."""
    found = category(baseline, later, rule)
    return None if found is None else found == "partial"


def category(baseline: object, later: object, rule: ImprovementRule = RESPONSE) -> Category | None:
    """Return the one category that a change belongs to; None where it has no meaning."""
    scores = _defined(baseline, later, rule)
    if scores is None:
        return None
    b, y = scores
    if _reaches(b, y, rule.response):
        return "response"
    if rule.partial is not None and _reaches(b, y, rule.partial):
        return "partial"
    return "worse" if y > b else "minimal"


def no_meaningful_benefit(baseline: object, later: object, rule: ImprovementRule) -> Truth:
    """Tell whether the score fell by no more than the rule's `no_benefit`; None where that has no meaning.

    Raises
    ------
    ScoringError
        The rule states no such share.
    """
    if rule.no_benefit is None:
        problem = Problem(found="no_benefit None", expected="a share, such as share((3, 10))")
        raise ScoringError("rule of improvement", [problem])
    scores = _defined(baseline, later, rule)
    if scores is None:
        return None
    b, y = scores
    return rule.no_benefit.denominator * (b - y) <= rule.no_benefit.numerator * b


def _reached(baseline: object, later: object, least: Fraction, rule: ImprovementRule) -> Truth:
    scores = _defined(baseline, later, rule)
    return None if scores is None else _reaches(*scores, least)


def _reaches(b: Fraction, y: Fraction, least: Fraction) -> bool:
    return least.denominator * (b - y) >= least.numerator * b


def _defined(baseline: object, later: object, rule: ImprovementRule) -> tuple[Fraction, Fraction] | None:
    b, y = exact(baseline), exact(later)
    if b is None or y is None or b <= 0 or b < rule.min_baseline:
        return None
    return b, y


def _percent(value: Fraction) -> str:
    """Return a share in percent, exactly: 1/3 is 100/3 %."""
    percent = 100 * value
    return f"{percent} %"
