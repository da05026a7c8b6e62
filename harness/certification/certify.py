"""The loop behind `harness certify`: read the requirements, compare, check, trace."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from harness import runs
from harness.cases import Case
from harness.certification.checks import CHECKS, make_checks
from harness.certification.environment import environment
from harness.certification.grounds import Grounds
from harness.certification.package_files import sha256_of
from harness.certification.requirement import RequirementSet
from harness.certification.requirements_file import read_requirements
from harness.certification.traceability import Traceability
from harness.certification.tracing import trace
from harness.comparison.known import KnownDifference, read_known
from harness.comparison.run import Run
from harness.comparison.verdict import Comparison
from harness.crosscheck import Progress
from harness.locations import fixtures_folder
from harness.references import source_hash
from harness.references.doctor import Finding, examine
from harness.references.pins import hashes_of, pin_path
from harness.reports.json_report import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class InputHashes:
    """What a comparison was made on: hashes of cohort, model and R source, and of the pin, empty where R ran live."""

    cohort: str
    model: str
    r_source: str
    pin: str

    @property
    def digest(self) -> str:
        """One hash of all."""
        return hashlib.sha256(f"{self.cohort}\n{self.model}\n{self.r_source}\n{self.pin}".encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Certified:
    """Everything that a bundle says: the traced requirements, the run they rest on, its inputs and its environment."""

    run: Run
    traceability: Traceability
    inputs: Mapping[tuple[str, str], InputHashes]
    environment: Mapping[str, Json]


def certify(command: str, progress: Progress, *, live: bool = False, requirements: Path | None = None) -> Certified:
    """Trace the requirements of the project, or of a file, through a run on all its cases.

    Parameters
    ----------
    command
        What was typed, for the bundle.
    progress
        Is told what is being done.
    live
        Run R where it is installed, as `harness compare` does; else only recorded results are used.
    requirements
        A file of requirements; `fixtures/requirements.toml` if None.

    Raises
    ------
    CaseError
        With everything that is wrong with the requirements, a case or the known differences.
    NothingToCompareError
        If no case has a reference that is installed or recorded.
    """
    fixtures = fixtures_folder()
    wanted = read_requirements(requirements or fixtures / "requirements.toml", CHECKS)
    known = read_known(fixtures / "known_differences.toml")
    cases = runs.read_cases()
    doctor = None
    if live:
        progress("doctor")
        doctor = examine()
    run = (runs.compare if live else runs.check)(cases, command, progress)
    progress("tracing")
    return certified(wanted, run, cases=cases, fixtures=fixtures, known=known, doctor=doctor)


def certified(
    requirements: RequirementSet,
    run: Run,
    *,
    cases: tuple[Case, ...],
    fixtures: Path,
    known: tuple[KnownDifference, ...] = (),
    doctor: tuple[Finding, ...] | None = None,
) -> Certified:
    """Return what a run shows of the requirements; `cases` are those that were compared."""
    by_name = {case.name: case for case in cases}
    sources = {engine: source_hash(engine) for engine in {one.right.engine for one in run.comparisons}}
    inputs = {
        (one.case, one.right.engine): _input_hashes(one, by_name[one.case], sources[one.right.engine], fixtures)
        for one in run.comparisons
    }
    grounds = Grounds(run=run, fixtures=fixtures, known=known, doctor=doctor)
    names = [one.check for one in requirements.requirements if one.check]
    return Certified(
        run=run,
        traceability=trace(
            requirements,
            run,
            checked=make_checks(names, grounds),
            inputs={name: hashes.digest for name, hashes in inputs.items()},
            known=known,
        ),
        inputs=inputs,
        environment=environment(run, fixtures),
    )


def _input_hashes(comparison: Comparison, case: Case, source: str, fixtures: Path) -> InputHashes:
    hashes = hashes_of(case, source)
    pinned = comparison.right.source == "pinned"
    pin = sha256_of(pin_path(fixtures / "pins", case.name, comparison.right.engine)) if pinned else None
    return InputHashes(cohort=hashes.cohort, model=hashes.model, r_source=hashes.r_source, pin=pin or "")
