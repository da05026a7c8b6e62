"""Numbers that nothing can be: a p value above 1, a negative standard error, more than 100 %."""

from collections.abc import Iterator, Mapping

from harness.claims.claim import Claim
from harness.claims.judge import ANY, NOT_NEGATIVE, PERCENTAGE, PROBABILITY, Bounds
from harness.claims.verdict import Finding, inconsistent

_OF_KIND: Mapping[str, Bounds] = {
    "p": PROBABILITY,
    "share": PROBABILITY,
    "entropy": PROBABILITY,
    "sd": NOT_NEGATIVE,
    "se": NOT_NEGATIVE,
    "df": NOT_NEGATIVE,
}
_OF_PART: Mapping[str, Bounds] = {"percent": PERCENTAGE, "sd": NOT_NEGATIVE}
_WORDS = {PROBABILITY: "lies between 0 and 1", PERCENTAGE: "lies between 0 and 100", NOT_NEGATIVE: "is not below 0"}


def check_possible(claim: Claim) -> Iterator[Finding]:
    """Yield what is wrong with numbers that can't be, whatever they are of; nothing if there is none."""
    for name, printed in claim.parts.items():
        bounds = _bounds(claim, name)
        stands_for = printed.span()
        low = bounds.lowest is not None and stands_for.upper < bounds.lowest
        high = bounds.highest is not None and stands_for.lower > bounds.highest
        if low or high:
            kind = name if name != "value" else claim.kind
            reason = f"{printed.text} can't be: the {kind.replace('_', ' ')} {_WORDS[bounds]}."
            yield inconsistent("what is possible", reason, stands_for=stands_for)


def _bounds(claim: Claim, part: str) -> Bounds:
    if claim.kind == "percents":
        return PERCENTAGE
    if claim.kind == "statistic" and claim.word("test") not in {"", "z", "t"}:
        return NOT_NEGATIVE
    return _OF_KIND.get(claim.kind, ANY) if part == "value" else _OF_PART.get(part, ANY)
