"""What a bundle was made with: versions of everything, and hashes of every file that a result depends on."""

from pathlib import Path

from threadpoolctl import threadpool_info

from harness.certification.installation_checks import dependencies, installed
from harness.certification.package_files import hashed_files
from harness.comparison.run import Run
from harness.reports.json_report import Json
from harness.reports.summary import summarise

_OF_A_LIBRARY = ("user_api", "internal_api", "version", "architecture", "threading_layer", "num_threads")


def environment(run: Run, fixtures: Path) -> dict[str, Json]:
    """Return the environment of a run as JSON values: no times, no places of this machine."""
    return {
        "versions": dict(run.environment),
        "packages": {name: installed(name) or "absent" for name in sorted(dependencies())},
        "numerical_libraries": _libraries(),
        "engines": [
            {
                "engine": use.engine,
                "source": use.source,
                "versions": dict(use.versions),
                "comparisons": use.readings,
                "failures": use.failures,
            }
            for use in summarise(run).engines
        ],
        "files": dict(hashed_files(fixtures)),
    }


def _libraries() -> list[Json]:
    """Return the libraries of linear algebra and threads that are loaded, by what they are and not where."""
    found: list[dict[str, object]] = threadpool_info()
    return [
        {key: str(library[key]) for key in _OF_A_LIBRARY if library.get(key) is not None}
        for library in sorted(found, key=lambda one: (str(one.get("user_api")), str(one.get("version"))))
    ]
