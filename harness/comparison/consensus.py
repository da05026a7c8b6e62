"""More than two engines on one case: where one of them stands alone."""

from collections.abc import Mapping
from dataclasses import dataclass

from harness.quantities import Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Dissent:
    """A quantity on which not all engines agree; `dissenter` is None where no single engine stands alone."""

    quantity: str
    values: Mapping[str, Value]
    dissenter: str | None
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Consensus:
    """All engines of one case; `unanimous` counts the quantities that three or more give and on which all agree."""

    case: str
    engines: tuple[str, ...]
    unanimous: int
    dissents: tuple[Dissent, ...]
    sentence: str
