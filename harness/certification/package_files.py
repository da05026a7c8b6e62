"""The files that a result depends on, and their hashes."""

import hashlib
from base64 import urlsafe_b64decode
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path

import harness
from harness.locations import DISTRIBUTION, fixtures_folder, r_source_folder

_READ = {".py", ".css", ".js", ".json"}


def sha256_of(path: Path) -> str | None:
    """Return the hash of a file, None where there is none."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return None


def recorded_files() -> dict[str, tuple[Path, str]]:
    """Return the files whose hash the installation recorded, by name, with path and hash."""
    found = {}
    for file in metadata.files(DISTRIBUTION) or ():
        if file.hash is not None and file.hash.mode == "sha256":
            digest = urlsafe_b64decode(file.hash.value + "=" * (-len(file.hash.value) % 4)).hex()
            found[str(file)] = Path(str(file.locate())), digest
    return found


def hashed_files(fixtures: Path | None = None) -> dict[str, str]:
    """Return the hash of every file of the package, its fixtures and R sources, by a name that is the same anywhere."""
    package = Path(harness.__file__).parent
    folders = {"harness": _code(package), "reference_r": _all(r_source_folder())}
    fixtures = fixtures or fixtures_folder()
    names = {
        f"{name}/{path.relative_to(folder).as_posix()}": path
        for name, (folder, paths) in {
            "harness": (package, folders["harness"]),
            "reference_r": (r_source_folder(), folders["reference_r"]),
            "fixtures": (fixtures, _all(fixtures)),
        }.items()
        for path in paths
    }
    return {name: digest for name, path in sorted(names.items()) if (digest := sha256_of(path)) is not None}


def _code(folder: Path) -> Iterable[Path]:
    data = folder / "_data"  # an installed copy of the fixtures, which are listed by their own name
    return (path for path in folder.rglob("*") if path.suffix in _READ and data not in path.parents)


def _all(folder: Path) -> Iterable[Path]:
    return (path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
