"""What the commands do: gather cases and engines, call the loop, return a run."""

import platform
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from harness.cases import Case, Engine, read_case
from harness.comparison.consensus import Consensus, consensus
from harness.comparison.known import KnownDifference, read_known, unused
from harness.comparison.run import Run, Skipped
from harness.comparison.verdict import Comparison
from harness.counterexamples.file_format import read_counterexample_case
from harness.crosscheck import Progress, References, cross_check
from harness.drift import Drifts
from harness.engines import own_versions, solve
from harness.envelope.measure import Envelope, measure
from harness.errors import CaseError, EngineError, NothingToCompareError, Problem, nearest
from harness.locations import fixtures_folder
from harness.peers.session import live_engines
from harness.references import source_hash
from harness.references.pins import Pin, PinnedEngine, moves, new_pin, pin_path, read_pin, write_pin
from harness.reports.summary import NOT_INSTALLED
from harness.roster import references as reference_names


def case_names() -> tuple[str, ...]:
    """Return the names of all cases of the project, counterexamples among them."""
    return tuple(sorted(_case_files()))


def _case_files() -> Mapping[str, Path]:
    folder = fixtures_folder()
    found = (*(folder / "cases").glob("*.toml"), *(folder / "counterexamples").glob("*.json"))
    return {path.stem: path for path in found}


def _read(path: Path) -> Case:
    return read_counterexample_case(path) if path.suffix == ".json" else read_case(path)


def read_cases(names: Sequence[str] = ()) -> tuple[Case, ...]:
    """Read the named cases, or all.

    Raises
    ------
    CaseError
        With every name that is no case; or with everything that is wrong with a case's file.
    """
    known = case_names()
    problems = [
        Problem(
            found=f"no case {name[:80]!r}",
            expected="the name of a case",
            advice=nearest(name, known) or "`harness cases` lists them.",
        )
        for name in names
        if name not in known
    ]
    if problems:
        raise CaseError("cases", problems)
    files = _case_files()
    return tuple(_read(files[name]) for name in names or known)


def check(cases: Sequence[Case], command: str, progress: Progress) -> Run:
    """Compare ours with the pins; R is not started.

    Raises
    ------
    NothingToCompareError
        If no case has a pin.
    """
    return _run(cases, References(pinned=_pinned()), command, progress)


def compare(cases: Sequence[Case], command: str, progress: Progress, required: Sequence[str] = ()) -> Run:
    """Compare ours with R, live where the R package is installed, with the pins otherwise.

    Raises
    ------
    CaseError
        If a required engine is none that we know.
    EngineError
        If a required engine is not installed.
    NothingToCompareError
        If no case has a reference that is installed or recorded.
    """
    problems = [
        Problem(found=f"no engine {name[:80]!r}", expected=f"one of {', '.join(reference_names())}")
        for name in required
        if name not in reference_names()
    ]
    if problems:
        raise CaseError("--require", problems)
    with live_engines() as live:
        for name in required:
            if name not in live:
                raise EngineError(name, "absent", "it is required for this run; `harness doctor` tells what to install")
        return _run(cases, References(live=live, pinned=_pinned()), command, progress)


@contextmanager
def reference_engines() -> Iterator[tuple[References, Sequence[KnownDifference]]]:
    """Yield what is installed, with pins for the rest, and the differences that are accepted.

    Raises
    ------
    EngineError
        If R is there but can't be started.
    CaseError
        With everything that is wrong with known_differences.toml.
    """
    known = read_known(fixtures_folder() / "known_differences.toml")
    with live_engines() as live:
        yield References(live=live, pinned=_pinned()), known


def envelope(cases: Sequence[Case], progress: Progress, *, live: bool) -> Envelope:
    """Measure how far the engines move by themselves, R's too where it is to run live; else its pins stand in.

    Raises
    ------
    EngineError
        If R is there but can't be started.
    """
    known = read_known(fixtures_folder() / "known_differences.toml")
    if not live:
        return measure(cases, References(pinned=_pinned()), known, progress)
    with live_engines() as engines:
        return measure(cases, References(live=engines, pinned=_pinned()), known, progress)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """A pin that was written, and what it changed; or why none was."""

    case: str
    engine: str
    path: Path | None
    changes: tuple[str, ...] = ()
    reason: str = ""


def record(
    cases: Sequence[Case], reason: str, progress: Progress, engines: Sequence[str] = ()
) -> tuple[Recording, ...]:
    """Record what the installed engines say about the cases; only those of `engines` where any are named.

    All pins are made before one is written, so that a recording that fails leaves no moves that nobody was shown.

    Raises
    ------
    EngineError
        If no engine is installed.
    CaseError
        If no reason is given, an engine has no finite answer, or `engines` names one that no case is compared with.
    """
    asked = {name for case in cases for name in case.references}
    problems = [
        Problem(found=f"engine {name[:80]!r}", expected=f"one of the cases' references, {', '.join(sorted(asked))}")
        for name in engines
        if name not in asked
    ]
    if problems:
        raise CaseError("--engine", problems)
    if engines:
        of_these = ((case, tuple(name for name in case.references if name in engines)) for case in cases)
        cases = [replace(case, references=names) for case, names in of_these if names]
    with live_engines() as live:
        if not live:
            raise EngineError(
                "R", "absent", "nothing can be recorded without it; `harness doctor` tells what to install"
            )
        made = tuple(_made(cases, live, reason, progress))
    folder = fixtures_folder() / "pins"
    folder.mkdir(exist_ok=True)
    return tuple(_written(item, folder) if isinstance(item, Pin) else item for item in made)


def _made(
    cases: Sequence[Case], live: Mapping[str, Engine], reason: str, progress: Progress
) -> Iterator[Pin | Recording]:
    """Yield the pin of each case and reference, or why there is none."""
    for case in cases:
        ours = solve(case)
        for name in case.references:
            progress(f"{case.name}: {name}")
            if name in live:
                yield new_pin(ours.case, live[name].read(ours.case, ours.probes()), source_hash(name), reason)
            else:
                yield Recording(case=case.name, engine=name, path=None, reason=f"{name} is not installed")


def _written(pin: Pin, folder: Path) -> Recording:
    before = _pin_or_none(pin_path(folder, pin.case, pin.engine))
    return Recording(case=pin.case, engine=pin.engine, path=write_pin(pin, folder), changes=moves(before, pin))


def _pin_or_none(path: Path) -> Pin | None:
    try:
        return read_pin(path)
    except CaseError:
        return None


def _pinned() -> Mapping[str, Engine]:
    folder = fixtures_folder() / "pins"
    return {name: PinnedEngine(name=name, folder=folder, r_source=source_hash(name)) for name in reference_names()}


def _run(cases: Sequence[Case], references: References, command: str, progress: Progress) -> Run:
    started, clock = datetime.now(UTC), time.perf_counter()
    known = read_known(fixtures_folder() / "known_differences.toml")
    drifts = Drifts(pinned=references.pinned, known=known)
    comparisons, skipped = cross_check(cases, references, known, progress, drifts.see)
    if not comparisons:
        reasons = " ".join(sorted({item.reason for item in skipped})) or "no cases"
        raise NothingToCompareError(f"nothing was compared: {reasons}")
    return Run(
        command=command,
        started=started.isoformat(timespec="seconds"),
        seconds=time.perf_counter() - clock,
        environment=_environment(comparisons, references),
        comparisons=comparisons,
        skipped=skipped,
        notes=_notes(known, comparisons, skipped),
        triangles=tuple(drifts.found),
        consensus=_consensus(comparisons),
    )


def _consensus(comparisons: Sequence[Comparison]) -> tuple[Consensus, ...]:
    """Return what the engines of each case agree on, where there are three or more."""
    by_case: dict[str, list[Comparison]] = {}
    for comparison in comparisons:
        by_case.setdefault(comparison.case, []).append(comparison)
    found = (consensus(case, of_case) for case, of_case in by_case.items())
    return tuple(one for one in found if one is not None)


def _environment(comparisons: Sequence[Comparison], references: References) -> Mapping[str, str]:
    versions = {"python": platform.python_version(), "platform": platform.platform(), **own_versions()}
    for comparison in comparisons:
        if comparison.right.source == "live":
            versions |= comparison.right.versions
    if references.live is not None:
        versions |= {name: NOT_INSTALLED for name in reference_names() if name not in references.live}
    return versions


def _notes(
    known: Sequence[KnownDifference], comparisons: Sequence[Comparison], skipped: Sequence[Skipped]
) -> tuple[str, ...]:
    compared = {comparison.case for comparison in comparisons}
    left_out = [name for name in case_names() if name not in compared]
    return tuple(
        f"a known difference has disappeared; remove its entry of case {entry.case!r}, engine {entry.engine!r},"
        f" quantity {entry.quantity!r}, attribution {entry.attribution.value!r}"
        for entry in unused(known, comparisons)
        # An entry for many cases may still hold in one that could not be compared, or was not asked for.
        if not any(entry.concerns(item.case, item.reference) for item in skipped)
        and not any(entry.concerns(name, entry.engine) for name in left_out)
    )
