"""The cohorts that come with the project."""

import re
from pathlib import Path

from harness.cohorts.cohort import Cohort
from harness.cohorts.reading import read_cohort
from harness.errors import CohortError, Problem

_PACKAGE = Path(__file__).resolve().parents[1]


def fixtures_folder() -> Path:
    """Return the folder of fixtures: at the root of a source checkout, inside the package of an installed wheel."""
    checkout = _PACKAGE.parent / "fixtures"
    return checkout if (checkout / "cohorts").is_dir() else _PACKAGE / "_data" / "fixtures"


def fixture_names() -> tuple[str, ...]:
    """Return the names of all fixture cohorts, sorted."""
    return tuple(sorted(path.stem for path in (fixtures_folder() / "cohorts").glob("*.toml")))


def fixture_cohort(name: str) -> Cohort:
    """Return the fixture cohort of this name.

    Raises
    ------
    CohortError
        No fixture has this name.
    """
    names = fixture_names()
    if not re.fullmatch(r"[a-z0-9_]+", name) or name not in names:
        raise CohortError("fixture", [Problem(found=f"{name[:40]!r}", expected=f"one of {', '.join(names)}")])
    folder = fixtures_folder() / "cohorts"
    return read_cohort(folder / f"{name}.csv", folder / f"{name}.toml")
