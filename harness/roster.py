"""Which reference engines there are: R's by a list that R and the shell read too, Python's by files and entry points.

R's are listed in reference_r/engines.dcf. Python's, the peers, need no list: each is a file
harness/peers/<models>/<engine>.py, or an entry point of an installed package in the group harness.engines.<models>.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path

from harness.errors import EngineError
from harness.locations import r_source_folder

MODELS = ("lmm", "gbtm", "rates", "means")
"""The kinds of model that a case can have."""
ENTRY_POINTS = "harness.engines"


@dataclass(frozen=True, slots=True, kw_only=True)
class Enlisted:
    """An engine of R: `package` is where it comes from, `models` are the kinds of model that it fits.

    Where the list names no package it has the engine's own name: one package may be run in more than one way. `sources`
    are the R files that it runs, in the order in which they are loaded; `debian` is its system package, empty where it
    is on CRAN only. `fit` is the engine whose fit it goes on from, itself where it fits on its own.
    """

    name: str
    package: str
    models: str
    sources: tuple[str, ...]
    debian: str
    fit: str


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
            fit=entry.get("Fit", entry["Engine"]),
        )
        for entry in _entries((r_source_folder() / "engines.dcf").read_text(encoding="utf-8"))
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """A package of Python that fits one kind of model; `module` and `attribute` tell where its adapter is."""

    name: str
    models: str
    module: str
    attribute: str = "ADAPTER"


@cache
def peers() -> Mapping[str, Peer]:
    """Return Python's engines by name: our own files first, then what installed packages offer.

    Raises
    ------
    EngineError
        If two engines have one name; the name decides whose pins and limits are used.
    """
    found: dict[str, Peer] = {}
    for peer in (*_own_peers(), *_offered_peers()):
        if peer.name in found or peer.name in roster():
            other = found[peer.name].module if peer.name in found else "R's engines"
            raise EngineError(peer.name, "refused", f"{peer.module} offers an engine of a name that {other} has")
        found[peer.name] = peer
    return found


def references() -> tuple[str, ...]:
    """Return the names of all reference engines, R's first."""
    return (*roster(), *peers())


def engines_of(models: str) -> tuple[str, ...]:
    """Return the names of the engines for one kind of model, such as "lmm" or "gbtm", R's first."""
    of_r = (name for name, entry in roster().items() if entry.models == models)
    of_python = (name for name, peer in peers().items() if peer.models == models)
    return (*of_r, *of_python)


def _own_peers() -> Iterator[Peer]:
    for models in MODELS:
        for path in sorted((Path(__file__).parent / "peers" / models).glob("[!_]*.py")):
            yield Peer(name=path.stem, models=models, module=f"harness.peers.{models}.{path.stem}")


def _offered_peers() -> Iterator[Peer]:
    for models in MODELS:
        for point in sorted(entry_points(group=f"{ENTRY_POINTS}.{models}"), key=lambda point: point.name):
            yield Peer(name=point.name, models=models, module=point.module, attribute=point.attr)


def whose_fit(engine: str) -> str:
    """Return the engine whose fit an engine goes on from, the engine itself where it fits on its own."""
    return roster()[engine].fit if engine in roster() else engine


def r_files() -> tuple[str, ...]:
    """Return the R files of all engines, each once, none before a file that it needs."""
    return tuple(dict.fromkeys(source for entry in roster().values() for source in entry.sources))


def _entries(text: str) -> Iterator[Mapping[str, str]]:
    for block in text.split("\n\n"):
        fields = (line.split(":", 1) for line in block.splitlines() if line)
        yield {name: value.strip() for name, value in fields}
