"""The comparisons behind the items: ours once a case, each of its references, R only where it is asked for."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from harness.cases import Case, Engine, read_project_case
from harness.comparison.known import unused
from harness.comparison.run import Skipped
from harness.comparison.verdict import Comparison
from harness.crosscheck import References, compare_with
from harness.engines import solve
from harness.peers.session import live_engines
from harness.pytest_plugin.settings import Settings
from harness.references import source_hash
from harness.references.pins import PinnedEngine, moves, new_pin, pin_path, read_pin, write_pin


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """A case and one of its references; `notes` are accepted differences that have disappeared."""

    case: str
    engine: str
    found: Comparison | Skipped
    notes: tuple[str, ...] = ()


@dataclass(slots=True, kw_only=True)
class Comparer:
    """Compares the cases of a project; `close` ends R if it was started."""

    settings: Settings
    _open: ExitStack = field(default_factory=ExitStack)
    _live: Mapping[str, Engine] | None = None

    def compare(self, path: Path) -> Iterator[Compared]:
        """Yield the comparisons of a case file.

        Raises
        ------
        HarnessError
            If the case can't be read or fitted, or R is there and can't be started.
        """
        case = read_project_case(path)
        ours = solve(case)
        references = self._references(case)
        for name in case.references:
            found = compare_with(ours, name, references, self.settings.known)
            yield Compared(case=case.name, engine=name, found=found, notes=self._notes(found))

    def references(self, path: Path) -> tuple[str, ...]:
        """Return the references of a case file."""
        return read_project_case(path).references

    def record(self, path: Path, engine: str) -> tuple[str, ...]:
        """Write what an engine says of a case as a pin, and return what has moved.

        Raises
        ------
        HarnessError
            If it is not installed, or has no finite answer.
        """
        case = read_project_case(path)
        ours = solve(case)
        reading = self._running()[engine].read(case, ours.probes())
        pin = new_pin(case, reading, source_hash(engine), self.settings.reason)
        file = pin_path(self.settings.pins, case.name, engine)
        moved = moves(read_pin(file) if file.exists() else None, pin)
        self.settings.pins.mkdir(parents=True, exist_ok=True)
        write_pin(pin, self.settings.pins)
        return moved

    def can_record(self, engine: str) -> bool:
        """Return whether an engine is installed."""
        return engine in self._running()

    def close(self) -> None:
        """End R."""
        self._open.close()
        self._live = None

    def _references(self, case: Case) -> References:
        pinned = {
            name: PinnedEngine(name=name, folder=self.settings.pins, r_source=source_hash(name))
            for name in case.references
        }
        return References(live=self._running() if self.settings.mode == "compare" else None, pinned=pinned)

    def _running(self) -> Mapping[str, Engine]:
        if self._live is None:
            self._live = self._open.enter_context(live_engines())
        return self._live

    def _notes(self, found: Comparison | Skipped) -> tuple[str, ...]:
        """Return the entries for this case alone whose difference is gone; one for many cases may hold elsewhere."""
        if isinstance(found, Skipped):
            return ()
        own = [entry for entry in self.settings.known if entry.case == found.case]
        return tuple(
            f"the known difference of {entry.quantity!r} ({entry.attribution.value}) has disappeared; remove its entry"
            for entry in unused(own, [found])
        )
