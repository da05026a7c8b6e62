"""Which code an engine's numbers come from: R's files, or the file of a Python package's adapter."""

import hashlib
from importlib.util import find_spec
from pathlib import Path

from harness.errors import EngineError
from harness.locations import r_source_folder
from harness.roster import Peer, peers, roster


def source_hash(engine: str) -> str:
    """Return the sha256 of the R files that the engine runs, or of the one file that runs a Python package.

    Raises
    ------
    EngineError
        If the file of a Python package's adapter can't be found.
    """
    digest = hashlib.sha256()
    if engine in roster():
        for name in roster()[engine].sources:
            digest.update(f"{name}\n".encode())
            digest.update((r_source_folder() / name).read_bytes())
    else:
        digest.update(_adapter_file(peers()[engine]).read_bytes())
    return digest.hexdigest()


def _adapter_file(peer: Peer) -> Path:
    try:
        spec = find_spec(peer.module)
    except ImportError as error:
        raise EngineError(peer.name, "absent", f"its adapter can't be found: {error}") from error
    if spec is None or spec.origin is None:
        raise EngineError(peer.name, "absent", f"there is no file of {peer.module}")
    return Path(spec.origin)
