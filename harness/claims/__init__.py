"""Claims: numbers that somebody printed, each judged at the precision at which it was printed."""

from harness.claims.claim import Claim
from harness.claims.claims_file import read_claims
from harness.claims.spec_file import ClaimsSpec, read_claims_spec
from harness.claims.verdict import Answer, Finding, Judged, Verification
from harness.claims.verification import verify, verify_files

__all__ = [
    "Answer",
    "Claim",
    "ClaimsSpec",
    "Finding",
    "Judged",
    "Verification",
    "read_claims",
    "read_claims_spec",
    "verify",
    "verify_files",
]
