"""Where the fixtures and the R sources lie: in a checkout of the project, else inside the installed package."""

import tomllib
from pathlib import Path

DISTRIBUTION = "gbtm-harness"


def data_folder() -> Path:
    """Return the folder that holds `fixtures` and `reference_r`.

    A checkout wins, the one that the package runs from or the one that is the working directory, so that an edited
    pin or R source is never passed over in favour of an installed copy.
    """
    package = Path(__file__).parent
    for folder in (package.parent, Path.cwd()):
        if _is_checkout(folder):
            return folder
    return package / "_data"


def fixtures_folder() -> Path:
    """Return the folder of cohorts, cases and pins."""
    return data_folder() / "fixtures"


def r_source_folder() -> Path:
    """Return the folder of the R sources, the only R code that is ever run."""
    return data_folder() / "reference_r"


def _is_checkout(folder: Path) -> bool:
    try:
        project = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError):
        return False
    return project.get("project", {}).get("name") == DISTRIBUTION and (folder / "fixtures").is_dir()
