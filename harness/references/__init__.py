"""R's engines: the one process that runs R, one decoder per engine, and pins of what they said.

The names below are imported when they are first asked for: the R process is a module of this package too, needs none
of them, and starts in a third of the time without.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.references.live import REFERENCES, installed_packages, reference_engine
    from harness.references.provenance import source_hash

__all__ = ["REFERENCES", "installed_packages", "reference_engine", "source_hash"]

_HOMES = {
    "REFERENCES": "live",
    "installed_packages": "live",
    "reference_engine": "live",
    "source_hash": "provenance",
}


def __getattr__(name: str) -> object:
    """Return a public name from the module that defines it."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
