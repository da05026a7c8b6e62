"""The cohorts that come with the project."""

from harness.cohorts.cohort import Cohort
from harness.cohorts.reading import read_cohort
from harness.errors import CohortError, Problem
from harness.locations import fixtures_folder


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
    if name not in names:  # so that no name is ever a path
        raise CohortError("fixture", [Problem(found=f"{name[:40]!r}", expected=f"one of {', '.join(names)}")])
    folder = fixtures_folder() / "cohorts"
    return read_cohort(folder / f"{name}.csv", folder / f"{name}.toml")
