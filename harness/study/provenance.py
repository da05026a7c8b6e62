"""Where a report comes from: hashes of what was read, versions of what computed, the command that does it again."""

import platform
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version

from threadpoolctl import threadpool_info

from harness.reports.words import seconds
from harness.study.plan import StudyPlan
from harness.study.report import Provenance, StudyReport
from harness.study.verdicts import compared_with

_PACKAGES = ("gbtm-harness", "numpy", "scipy", "pandas", "matplotlib")


def provenance(plan: StudyPlan, source_sha256: tuple[str, ...], command: str, spent: Mapping[str, float]) -> Provenance:
    """Return the provenance of a study.

    Parameters
    ----------
    plan
        Of the study.
    source_sha256
        Hashes of the raw files.
    command
        What was typed.
    spent
        Seconds by section.
    """
    names = ["data"] if len(source_sha256) == 1 else [f"data {k}" for k in range(1, len(source_sha256) + 1)]
    inputs = dict(zip(names, source_sha256, strict=True))
    if plan.sha256:
        inputs = {"study file": plan.sha256, **inputs}
    return Provenance(command=command, inputs=inputs, versions=_versions(), seed=plan.seed, seconds=dict(spent))


def provenance_lines(report: StudyReport) -> Iterator[tuple[str, str]]:
    """Yield what every report says of where it comes from, as pairs of what and which."""
    origin = report.provenance
    yield "command", origin.command or "run_study in Python"
    for name, digest in origin.inputs.items():
        yield f"sha256 of the {name}", digest
    yield "seed", str(origin.seed)
    yield "compared with", compared_with(report.estimates)
    yield from origin.versions.items()
    yield "time taken", seconds(sum(origin.seconds.values()))


def _versions() -> dict[str, str]:
    found = {"Python": platform.python_version(), "platform": f"{platform.system()} {platform.machine()}"}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:  # a source tree on the path has no metadata
            found[package] = "unknown version"
    libraries = {
        f"{library['internal_api']} {library.get('version') or ''}".strip()
        for library in threadpool_info()
        if library.get("user_api") == "blas"
    }
    return {**found, "BLAS": ", ".join(sorted(libraries)) or "unknown"}
