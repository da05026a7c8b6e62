"""All reference engines that can be run here and now: R's on one worker, Python's in this process."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from harness.cases import Engine
from harness.peers.engine import installed_version, peer_engine
from harness.references import session
from harness.references.worker import RWorker
from harness.roster import peers


def live_peers() -> Mapping[str, Engine]:
    """Return Python's engines whose packages are installed, by name.

    Raises
    ------
    EngineError
        If a peer has no adapter where it says that it has.
    """
    engines = [peer_engine(peer) for peer in peers().values()]
    return {engine.name: engine for engine in engines if installed_version(engine.adapter.package) is not None}


@contextmanager
def live_engines(worker: RWorker | None = None) -> Iterator[Mapping[str, Engine]]:
    """Yield the engines whose packages are installed, by name; R's as `harness.references.session` does.

    Raises
    ------
    EngineError
        If R is there but can't be started, or a peer has no adapter where it says that it has.
    """
    with session.live_engines(worker) as of_r:
        yield {**of_r, **live_peers()}
