"""Proof that R, its packages and the exchange with them work, by doing it."""

import platform
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from harness.errors import EngineError
from harness.references import wire
from harness.references.live import REFERENCES, installed_packages
from harness.references.worker import RWorker, install_advice

CONTRASTS = ["contr.treatment", "contr.poly"]

HARD_DOUBLES = np.array(
    [0.1, 1 / 3, np.pi, 5e-324, -0.0, np.inf, -np.inf, np.nan, 1.7976931348623157e308, 2.2250738585072011e-308, 0.0]
)
"""17-digit, subnormal, signed zero, infinite and NaN; the last one travels as R's NA."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was tried; `advice` says what to do where it failed."""

    name: str
    ok: bool
    detail: str
    advice: str = ""


def examine(worker: RWorker | None = None) -> tuple[Finding, ...]:
    """Return what was tried and how it went, in the order in which one thing needs the other."""
    if worker is None:
        with RWorker() as own:
            return examine(own)
    python = Finding(name="Python", ok=True, detail=f"{platform.python_version()} at {sys.executable}")
    try:
        session = worker.request("session.versions", {}).value
    except EngineError as error:
        return (python, Finding(name="R", ok=False, detail=error.evidence, advice="Then run `harness doctor` again."))
    return (
        python,
        Finding(name="R", ok=True, detail=f"{session['r'][0]} on {session['platform'][0]}"),
        Finding(name="rpy2", ok=True, detail=worker.rpy2_version),
        Finding(name="BLAS", ok=True, detail=f"{session['blas'][0]}, LAPACK {session['lapack'][0]}"),
        *(_tried(name, check, worker) for name, check in _CHECKS.items()),
        *_packages(installed := installed_packages(worker)),
        *((_tried("a fit by lme4", _lme4_fits, worker),) if "lme4" in installed else ()),
    )


def _packages(installed: Mapping[str, str]) -> tuple[Finding, ...]:
    return tuple(
        Finding(name=package, ok=package in installed, detail=installed.get(package, "absent"), advice=advice)
        for package in REFERENCES
        for advice in ("" if package in installed else install_advice(package),)
    )


def _tried(name: str, check: Callable[[RWorker], str], worker: RWorker) -> Finding:
    """Return the finding of a check, which returns its complaint or, if all is well, nothing."""
    try:
        complaint = check(worker)
    except EngineError as error:
        return Finding(name=name, ok=False, detail=str(error), advice="Report this with the output above.")
    return Finding(name=name, ok=not complaint, detail=complaint or "as expected")


def _doubles_return_bit_for_bit(worker: RWorker) -> str:
    sent = wire.with_missing(HARD_DOUBLES, np.arange(len(HARD_DOUBLES)) == len(HARD_DOUBLES) - 1)
    matrix = np.arange(6.0).reshape(2, 3)
    back = worker.request("session.echo", {"doubles": sent, "matrix": matrix}).value
    if back["doubles"].tobytes() != sent.tobytes():
        return f"sent {sent!r}, got {back['doubles']!r}"
    if not np.array_equal(wire.is_missing(back["doubles"]), wire.is_missing(sent)):
        return "NA and NaN were confused"
    return "" if np.array_equal(back["matrix"], matrix) else "a matrix came back in another order"


def _codes_and_masks_return(worker: RWorker) -> str:
    codes, mask, text = np.array([1, 2, wire.MISSING_INTEGER]), np.array([True, False]), ["a", None, "ä\n"]
    back = worker.request("session.echo", {"codes": codes, "mask": mask, "text": text}).value
    same = np.array_equal(back["codes"], codes) and np.array_equal(back["mask"], mask) and back["text"] == text
    return "" if same else f"sent {codes!r}, {mask!r}, {text!r}, got {back!r}"


def _contrasts_are_treatment(worker: RWorker) -> str:
    found = worker.request("session.contrasts", {}).value
    return "" if found == CONTRASTS else f"options(contrasts) is {found!r}"


def _lme4_fits(worker: RWorker) -> str:
    """Fit a balanced one-way layout, whose REML estimates have a closed form."""
    subject = np.repeat(np.arange(6), 5)
    y = np.array([0.0, 3.0, -2.0, 5.0, 1.0, -4.0])[subject] + np.tile([0.5, -1.0, 0.25, 1.5, -1.25], 6)
    within = 6 * float(np.sum(np.array([0.5, -1.0, 0.25, 1.5, -1.25]) ** 2)) / 24
    payload: Mapping[str, Any] = {
        "columns": {
            "v1": {"type": "double", "values": y},
            "v2": {"type": "factor", "codes": subject + 1, "n_levels": 6},
        },
        "spec": {
            "outcome": "v1",
            "terms": [],
            "intercept": True,
            "random": [{"terms": [], "intercept": True, "correlated": True, "grouping": wire.Text(["v2"])}],
            "residual": None,
            "weights": None,
            "codings": {},
            "criterion": "REML",
        },
    }
    sigma = worker.request("lme4.fit", payload).value["sigma"].item()
    return "" if abs(sigma**2 / within - 1) < 1e-6 else f"sigma^2 is {sigma**2!r}, exactly it is {within!r}"


_CHECKS: Mapping[str, Callable[[RWorker], str]] = {
    "exchange of doubles": _doubles_return_bit_for_bit,
    "exchange of codes": _codes_and_masks_return,
    "contrasts": _contrasts_are_treatment,
}
