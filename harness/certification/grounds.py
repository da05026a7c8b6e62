"""What the checks look at besides the verdicts."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.certification.traceability import Checked, Standing
from harness.comparison.known import KnownDifference
from harness.comparison.run import Run
from harness.references.doctor import Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class Grounds:
    """A run, the folder of fixtures that it was made on, the differences accepted, and the doctor's tests of R.

    `doctor` is None where R was not asked for.
    """

    run: Run
    fixtures: Path
    known: Sequence[KnownDifference] = ()
    doctor: Sequence[Finding] | None = None


Check = Callable[[Grounds], Checked]


def concluded(wrong: Sequence[str], detail: str, caveats: Sequence[str] = ()) -> Checked:
    """Return that a check shows what it is for, or what is wrong, the first few of it."""
    if wrong:
        more = f"; and {len(wrong) - 5} more" if len(wrong) > 5 else ""
        return Checked(standing=Standing.NOT_SHOWN, detail="; ".join(wrong[:5]) + more + ".", caveats=tuple(caveats))
    return Checked(standing=Standing.SHOWN, detail=detail, caveats=tuple(caveats))
