"""Which of R's engines there are: the list reference_r/engines.dcf, which R and the shell read too."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from harness.locations import r_source_folder


@dataclass(frozen=True, slots=True, kw_only=True)
class Enlisted:
    """An engine of R: `package` is where it comes from, `models` are the kinds of model that it fits.

    Where the list names no package it has the engine's own name: one package may be run in more than one way. `sources`
    are the R files that it runs, in the order in which they are loaded; `debian` is its system package, empty where it
    is on CRAN only.
    """

    name: str
    package: str
    models: str
    sources: tuple[str, ...]
    debian: str


@cache
def roster() -> Mapping[str, Enlisted]:
    """Return the engines by name, in the order of the list."""
    return {
        entry["Engine"]: Enlisted(
            name=entry["Engine"],
            package=entry.get("Package", entry["Engine"]),
            models=entry["Models"],
            sources=tuple(entry["Sources"].split()),
            debian=entry.get("Debian", ""),
        )
        for entry in _entries((r_source_folder() / "engines.dcf").read_text(encoding="utf-8"))
    }


def engines_of(models: str) -> tuple[str, ...]:
    """Return the names of the engines for one kind of model, "lmm" or "gbtm"."""
    return tuple(name for name, entry in roster().items() if entry.models == models)


def r_files() -> tuple[str, ...]:
    """Return the R files of all engines, each once, none before a file that it needs."""
    return tuple(dict.fromkeys(source for entry in roster().values() for source in entry.sources))


def _entries(text: str) -> Iterator[Mapping[str, str]]:
    for block in text.split("\n\n"):
        fields = (line.split(":", 1) for line in block.splitlines() if line)
        yield {name: value.strip() for name, value in fields}
