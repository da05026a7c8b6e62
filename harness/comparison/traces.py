"""How near to its limits a comparison came, run by run."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """The history of one case and reference, the oldest run first, the present one last.

    Entry for entry: when the run `started`, the largest share of a limit that a quantity used up (`ratios`), the least
    digits of agreement, and D. None where a run has no such number. `warning` is a sentence if a step was detected.
    """

    case: str
    engine: str
    started: tuple[str, ...]
    ratios: tuple[float | None, ...]
    digits: tuple[float | None, ...]
    distances: tuple[float | None, ...]
    warning: str = ""
