"""Engines timed in turn, and the table of what they took and reached."""

import math
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from benchmarks.tables import Cell, Judged, Table
from harness.arrays import Vector
from harness.errors import EngineError
from harness.references.lcmm import CONSTANT_PER_ROW
from harness.references.worker import RWorker

OURS = "harness"
_PATIENCE = 1800.0  # seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """What a fit ended at; `beta` are the fixed effects where they are compared, `errors` their standard errors."""

    log_likelihood: float
    beta: Vector | None = None
    errors: Vector | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """Seconds of the processor for one fit (the mean over a few), and what it reached."""

    seconds: float
    log_likelihood: float
    beta: Vector | None = None
    errors: Vector | None = None


Run = Callable[[int], Timing]
"""Times one engine; the argument is the number of the round, which seeds those that draw their starts."""


@dataclass(slots=True)
class Race:
    """What every engine took, round by round, and why the others did not run."""

    timings: dict[str, list[Timing]] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)


def run_in_turn(runs: Mapping[str, Run], rounds: int, fewer: Mapping[str, int] | None = None) -> Race:
    """Run every engine once a round, one after the other, so that a busy machine slows all of them.

    An engine that fails once is out of the race; those in `fewer` take part in the first rounds only.
    """
    race = Race()
    for number in range(1, rounds + 1):
        for name, run in runs.items():
            if name in race.failures or number > (fewer or {}).get(name, rounds):
                continue
            try:
                race.timings.setdefault(name, []).append(run(number))
            except (EngineError, ImportError) as error:
                race.failures[name] = str(error)
                del race.timings[name]
    return race


def standings(title: str, race: Race, targets: Mapping[str, float]) -> Table:
    """Return the race as a table; ratios are formed within a round, where both engines met the same load."""
    compared = any(timing.beta is not None for timings in race.timings.values() for timing in timings)
    header = ("engine", "seconds", "min-max", "times ours", "min-max", "log-likelihood", "digits as ours")
    return Table(
        title=title,
        header=(*header, "digits of beta") if compared else header,
        rows=tuple(_row(name, race, targets.get(name), compared=compared) for name in race.timings),
        not_run=tuple(f"{name}: {reason}" for name, reason in race.failures.items()),
    )


def _row(name: str, race: Race, target: float | None, *, compared: bool) -> tuple[Cell, ...]:
    own, ours = race.timings[name], race.timings[OURS]
    seconds = [timing.seconds for timing in own]
    reached, ours_reached = (min(timing.log_likelihood for timing in timings) for timings in (own, ours))
    took = (name, f"{statistics.median(seconds):.4f}", f"{min(seconds):.4f}-{max(seconds):.4f}")
    if name == OURS:
        return (*took, "1", "", f"{reached:.8f}", "", *([""] * compared))
    ratios = [theirs / base.seconds for theirs, base in zip(seconds, ours, strict=False)]
    median = statistics.median(ratios)
    return (
        *took,
        f"{median:.3g}" if target is None else Judged(value=median, limit=target, at_least=True),
        f"{min(ratios):.3g}-{max(ratios):.3g}",
        f"{reached:.8f}",
        digits(reached, ours_reached),
        *([_digits_of_vectors(own[0].beta, ours[0].beta)] * compared),
    )


def digits(left: float, right: float) -> str:
    """Return to how many significant digits two numbers agree."""
    if left == right:
        return "all"
    return f"{-math.log10(abs(left - right) / max(abs(left), abs(right))):.1f}"


def _digits_of_vectors(left: Vector | None, right: Vector | None) -> str:
    """Return to how many digits two vectors agree, as a whole."""
    if left is None or right is None or left.shape != right.shape:
        return ""
    return digits(float(np.linalg.norm(right) + np.linalg.norm(left - right)), float(np.linalg.norm(right)))


def timed(run: Callable[[], Reached], inner: int) -> Timing:
    """Return the mean of `inner` runs in seconds of the processor, after one that warms up; of the first if 0."""
    started = time.process_time()
    reached = run()
    if inner:
        started = time.process_time()
    for _ in range(inner):
        run()
    seconds = (time.process_time() - started) / max(inner, 1)
    return Timing(seconds=seconds, log_likelihood=reached.log_likelihood, beta=reached.beta, errors=reached.errors)


def asked(
    worker: RWorker, operation: str, payload: Mapping[str, Any], patience: float = _PATIENCE, **settings: int
) -> Timing:
    """Return what R measured within itself; lcmm's constant is added to its log-likelihood."""
    answer = worker.request(operation, {**payload, **settings}, deadline=patience).value
    n_offset = answer["n_observations"].item() if "n_observations" in answer else 0
    return Timing(
        seconds=answer["seconds"].item(),
        log_likelihood=answer["log_likelihood"].item() + CONSTANT_PER_ROW * n_offset,
        beta=answer.get("beta"),
    )
