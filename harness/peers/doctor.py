"""Proof that each package of Python works as a reference, by letting it fit data of which the answer is known."""

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

from harness.arrays import Vector
from harness.cases import Case
from harness.cohorts import cohort_from_frame
from harness.errors import EngineError
from harness.formula import parse_formula
from harness.gbtm.spec import GbtmSpec
from harness.lmm.spec import LmmSpec
from harness.peers.engine import installed_version, peer_engine
from harness.references.doctor import Finding
from harness.roster import Peer, peers

_LEVELS = np.array([0.0, 3.0, -2.0, 5.0, 1.0, -4.0])
_WITHIN = np.array([0.5, -1.0, 0.25, 1.5, -1.25])


def examine_peers() -> tuple[Finding, ...]:
    """Return what was tried of each of Python's engines and how it went.

    Raises
    ------
    EngineError
        If two engines have one name.
    """
    return tuple(_finding(peer) for peer in peers().values())


def _finding(peer: Peer) -> Finding:
    try:
        engine = peer_engine(peer)
    except EngineError as error:
        return Finding(name=peer.name, ok=False, detail=str(error), advice=f"Repair or remove {peer.module}.")
    package = engine.adapter.package
    version = installed_version(package)
    if version is None:
        return Finding(name=peer.name, ok=False, detail="absent", advice=f"Install it: pip install {package}.")
    known = _KNOWN.get(peer.models)
    if known is None:
        return Finding(name=peer.name, ok=True, detail=f"{package} {version}; no model of {peer.models} is tried")
    case, path, exact = known()
    if not engine.adapter.support(case.spec).fit:
        return Finding(name=peer.name, ok=True, detail=f"{package} {version}; it has not the model that is tried")
    reading = engine.read(case)
    if reading.failure is not None:
        return Finding(name=peer.name, ok=False, detail=reading.failure.sentence, advice="Report this.")
    found = next((float(q.value) for q in reading.quantities if q.path == path), np.nan)
    near = abs(found / exact - 1) < 1e-6
    detail = f"{package} {version}" if near else f"{package} {version}: {path} is {found!r}, exactly it is {exact!r}"
    return Finding(name=peer.name, ok=bool(near), detail=detail, advice="" if near else "Report this.")


def _one_way_layout() -> tuple[Case, str, float]:
    """Return a balanced one-way layout, whose REML estimate of sigma has a closed form."""
    spec = LmmSpec(formula=parse_formula("y ~ 1 + (1 | subject)"))
    sigma = np.sqrt(len(_LEVELS) * np.sum(_WITHIN**2) / (len(_LEVELS) * (len(_WITHIN) - 1)))
    return _case(np.repeat(_LEVELS, len(_WITHIN)) + np.tile(_WITHIN, len(_LEVELS)), spec), "sigma.estimate", sigma


def _poisson_counts() -> tuple[Case, str, float]:
    """Return counts with one mean, whose estimate is its logarithm."""
    counts = np.repeat(np.array([0.0, 3.0, 2.0, 5.0, 1.0, 4.0]), len(_WITHIN))
    spec = GbtmSpec(outcome="y", time=None, subject="subject", orders=(0,), family="poisson")
    return _case(counts, spec), "class[1].beta[intercept].estimate", float(np.log(counts.mean()))


def _case(y: Vector, spec: LmmSpec | GbtmSpec) -> Case:
    subjects = np.repeat(np.arange(len(_LEVELS)), len(_WITHIN))
    frame = pd.DataFrame({"y": y, "subject": [f"s{subject}" for subject in subjects]})
    return Case(name="doctor", cohort=cohort_from_frame(frame, subject="subject"), spec=spec, references=())


_KNOWN: Mapping[str, Callable[[], tuple[Case, str, float]]] = {"lmm": _one_way_layout, "gbtm": _poisson_counts}
