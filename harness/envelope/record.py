"""The recorded envelope (`fixtures/envelope.json`), and which limits of the table do not lie inside of it."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from math import inf
from pathlib import Path
from typing import Any

from harness.comparison.tolerances import BY_ENGINE, DEFAULT, Measure, Tolerance, tolerance
from harness.engines import NAME
from harness.envelope.bound import Bound
from harness.envelope.measure import Envelope
from harness.errors import CaseError, Problem

FORMAT = 1
FILE_NAME = "envelope.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """A limit of the table, by the engine that it belongs to ("" for the default), with the bounds measured of it."""

    engine: str
    measure: Measure
    tolerance: Tolerance
    bounds: tuple[Bound, ...]

    @property
    def is_measured(self) -> bool:
        """Whether any difference was judged by it."""
        return any(bound.count for bound in self.bounds)

    @property
    def is_inside(self) -> bool:
        """Whether it lies above all that was seen and below all that misleads, equality of what is exact excepted."""
        if self.measure is Measure.EQUALITY:
            return self.tolerance.limit == 0 and all(bound.floor == 0 for bound in self.bounds)
        return all(self._allows(bound) and self.tolerance.limit < bound.ceiling for bound in self.bounds)

    def _allows(self, bound: Bound) -> bool:
        """Whether what was seen is below the limit, which may grow with the conditioning as it did then."""
        grown = bound.largest_limit - bound.limit if self.tolerance.per_conditioning else 0.0
        return bound.floor < self.tolerance.limit + grown


def limits_of(bounds: Sequence[Bound]) -> Iterator[Limit]:
    """Yield every limit of the table of tolerances with the bounds that are its own.

    Between two engines the larger limit holds, so a bound belongs to the reference's limit where that is not smaller
    than ours. A default has the bounds of every engine without a limit of its own.
    """
    for measure, default in DEFAULT.items():
        own = tuple(
            bound
            for bound in bounds
            if bound.measure == measure and measure not in BY_ENGINE.get(bound.engine, {}) and bound.engine != NAME
        )
        yield Limit(engine="", measure=measure, tolerance=default, bounds=own)
    for engine, measures in BY_ENGINE.items():
        for measure, given in measures.items():
            own = tuple(
                bound
                for bound in bounds
                if bound.engine == engine
                and bound.measure == measure
                and tolerance(measure, NAME, engine).limit <= given.limit
            )
            yield Limit(engine=engine, measure=measure, tolerance=given, bounds=own)


def write_envelope(envelope: Envelope, path: Path) -> Path:
    """Write the envelope with the day, one value a line, and return the path."""
    document = {
        "format": FORMAT,
        "recorded": datetime.now(UTC).date().isoformat(),
        "cases": envelope.cases,
        "comparisons": envelope.comparisons,
        "varied": dict(envelope.varied),
        "left_out": list(envelope.left_out),
        "versions": dict(envelope.versions),
        "bounds": [
            {name: "Infinity" if value == inf else value for name, value in asdict(bound).items()}
            for bound in envelope.bounds
        ],
    }
    path.write_text(json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def read_envelope(path: Path) -> Envelope:
    """Read a recorded envelope.

    Raises
    ------
    CaseError
        If the file is none.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        _require_format(document["format"])
        return Envelope(
            cases=document["cases"],
            comparisons=document["comparisons"],
            varied=document["varied"],
            left_out=tuple(document["left_out"]),
            versions=document["versions"],
            bounds=tuple(Bound(**_finite(row)) for row in document["bounds"]),
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, OSError) as error:
        problem = Problem(
            found=f"{type(error).__name__}: {error}", expected="an envelope as `harness envelope --record` writes it"
        )
        raise CaseError(f"envelope {path.name}", [problem]) from error


def _require_format(found: object) -> None:
    if found != FORMAT:
        raise ValueError(f"format {found!r}, not {FORMAT}")


def _finite(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: inf if value == "Infinity" else value for name, value in row.items()}
