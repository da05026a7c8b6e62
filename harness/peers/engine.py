"""A package of Python as the comparison sees it: a case goes in, a `Reading` comes out, whatever the package does."""

import platform
import time
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Any, cast

import numpy as np

from harness.cases import Case, Probe
from harness.errors import EngineError
from harness.peers.adapter import Adapter, Fitted
from harness.quantities import Failure, ObjectiveValue, Point, Reading
from harness.roster import Peer


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerEngine:
    """One package of Python, running in this process."""

    name: str
    adapter: Adapter

    def read(self, case: Case, probes: Sequence[Probe] = (), start: Point | None = None) -> Reading:
        """Return what the package says about the case; whatever it raises is a `Reading` with a `failure`."""
        began = time.perf_counter()
        support = self.adapter.support(case.spec)
        if not support.objective:
            return self._refused(support.reason)
        with warnings.catch_warnings(record=True) as caught, np.errstate(all="ignore"):
            warnings.simplefilter("always")
            try:
                fitted = self.adapter.fit(case, start) if support.fit else None
                objective = self._objective(case, probes, fitted)
            except Exception as error:  # noqa: BLE001  # it is a package's answer, whatever it raises
                return self._refused(f"{type(error).__name__}: {error}")
        reading = Reading(
            engine=self.name,
            source="live",
            versions=peer_versions(self.adapter.package),
            objective=objective,
            conventions=self.adapter.conventions(case.spec),
            not_given=self.adapter.not_given(case.spec),
            warnings=tuple(dict.fromkeys(_first_line(warning) for warning in caught)),
            seconds=time.perf_counter() - began,
        )
        return reading if fitted is None else _with_fit(reading, fitted)

    def _objective(self, case: Case, probes: Sequence[Probe], fitted: Fitted | None) -> tuple[ObjectiveValue, ...]:
        wanted = [(probe.label, probe.point) for probe in probes]
        if fitted is not None and fitted.optimum is not None:
            wanted.append(("optimum", fitted.optimum))
        return tuple(self.adapter.log_likelihoods(case, wanted))

    def _refused(self, evidence: str) -> Reading:
        sentence = f"{self.name} refused the model: {evidence.splitlines()[0] if evidence else 'it said nothing'}"
        failure = Failure(reason="refused", sentence=sentence, evidence=evidence)
        return Reading(engine=self.name, source="live", versions={}, failure=failure)


def peer_engine(peer: Peer) -> PeerEngine:
    """Return the engine whose adapter the peer names.

    Raises
    ------
    EngineError
        If there is no such adapter.
    """
    try:
        adapter = getattr(import_module(peer.module), peer.attribute)
    except (ImportError, AttributeError) as error:
        evidence = f"{peer.module} gives no adapter {peer.attribute}: {error}"
        raise EngineError(peer.name, "absent", evidence) from error
    return PeerEngine(name=peer.name, adapter=cast("Adapter", adapter()))


def installed_version(package: str) -> str | None:
    """Return the version of a package of Python, None where it is not installed."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def peer_versions(package: str) -> Mapping[str, str]:
    """Return what a package's numbers depend on."""
    built = cast("Mapping[str, Any]", np.show_config(mode="dicts"))["Build Dependencies"]
    return {
        "python": platform.python_version(),
        package: installed_version(package) or "absent",
        "numpy": version("numpy"),
        "scipy": version("scipy"),
        "BLAS": f"{built['blas']['name']} {built['blas']['version']}",
        "platform": platform.machine(),
    }


def _with_fit(reading: Reading, fitted: Fitted) -> Reading:
    """Return the reading with the quantities that the package really gives."""
    return replace(
        reading,
        evidence=fitted.evidence,
        quantities=tuple(q for q in fitted.estimates.quantities() if reading.reason_not_given(q.path) is None),
        covariance=fitted.estimates.optimum_covariance(),
        convergence=fitted.convergence,
    )


def _first_line(warning: warnings.WarningMessage) -> str:
    """Return what a warning says, without where: paths differ from machine to machine."""
    text = str(warning.message).strip()
    return f"{warning.category.__name__}: {text.splitlines()[0] if text else 'it says nothing'}"
