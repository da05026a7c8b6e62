"""All checks by the names that requirements give them."""

from collections.abc import Iterable, Mapping

from harness.certification import evidence_checks, installation_checks, scoring_checks, use_checks
from harness.certification.grounds import Check, Grounds
from harness.certification.traceability import Checked

CHECKS: Mapping[str, Check] = {
    **installation_checks.CHECKS,
    **evidence_checks.CHECKS,
    **scoring_checks.CHECKS,
    **use_checks.CHECKS,
}


def make_checks(names: Iterable[str], grounds: Grounds) -> Mapping[str, Checked]:
    """Return what each of the named checks found."""
    return {name: CHECKS[name](grounds) for name in dict.fromkeys(names)}
