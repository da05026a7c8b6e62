"""Which R code an engine's numbers come from."""

import hashlib

from harness.locations import r_source_folder
from harness.roster import roster


def r_source_hash(engine: str) -> str:
    """Return the sha256 of the R files that the engine runs."""
    digest = hashlib.sha256()
    for name in roster()[engine].sources:
        digest.update(f"{name}\n".encode())
        digest.update((r_source_folder() / name).read_bytes())
    return digest.hexdigest()
