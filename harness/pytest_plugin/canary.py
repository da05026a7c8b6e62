"""The proof that a session reached its end: a file that is written last, and read by whoever does not trust its status.

R's `quit()` has ended pytest with exit status 0 before a failing test ran. A status says how a process ended, not how
far it came.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from harness.errors import CaseError, Problem

FORMAT = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Canary:
    """How far a session came: items collected, items that ended and how, a digest of their names, the exit status.

    `judged` are those of which something was compared.
    """

    collected: int
    ended: int
    judged: int
    outcomes: dict[str, int]
    digest: str
    status: int

    @property
    def complaint(self) -> str:
        """What is wrong with the session, nothing if it ran whole, judged something and found nothing wrong."""
        if self.ended < self.collected:
            return f"only {self.ended} of {self.collected} items ended"
        if not self.judged:
            return "no quantity was judged"
        return f"its exit status was {self.status}" if self.status else ""


def digest_of(names: Iterable[str]) -> str:
    """Return the hash of the names of items, whatever their order."""
    return hashlib.sha256("\n".join(sorted(names)).encode("utf-8", "surrogatepass")).hexdigest()


def write_canary(canary: Canary, path: Path) -> None:
    """Write the file."""
    path.write_text(json.dumps({"format": FORMAT, **asdict(canary)}, indent=1) + "\n", encoding="utf-8")


def read_canary(path: Path) -> Canary:
    """Read the file.

    Raises
    ------
    CaseError
        If there is none, because the session did not reach its end; or if it is something else.
    """
    where = f"canary {path.name}"
    found = "another format"
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        if document.pop("format") == FORMAT:
            return Canary(**document)
    except FileNotFoundError:
        advice = "The session did not reach its end, whatever its exit status was."
        raise CaseError(where, [Problem(found="no file", expected="the file of a session", advice=advice)]) from None
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        found = type(error).__name__
    raise CaseError(where, [Problem(found=found, expected="a file as --harness-canary writes it")])
