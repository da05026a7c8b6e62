"""Which R code an engine's numbers come from."""

import hashlib

from harness.locations import r_source_folder


def r_source_hash(engine: str) -> str:
    """Return the sha256 of the R files that the engine runs: worker.R and its own."""
    digest = hashlib.sha256()
    for name in ("worker.R", f"{engine}.R"):
        digest.update(f"{name}\n".encode())
        digest.update((r_source_folder() / name).read_bytes())
    return digest.hexdigest()
