"""One point of the table, measured in this process: one engine, one size, several fits; prints JSON.

python -m benchmarks.point MODEL ENGINE SUBJECTS REPEATS SECONDS
"""

import json
import resource
import signal
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from benchmarks.engines import MODELS, engine_of
from benchmarks.machine import pin_threads, timing_worker
from benchmarks.races import Timing
from harness.errors import EngineError

WARM_UP = 100
"""Subjects of the fit that loads packages, compiles and fills caches; the smallest size of the table."""

PATIENCE = 1.5
"""Repeats stop where they would take more than so many times the seconds of one fit."""

SHORT, MOST_REPEATS = 0.5, 25
"""Fits go on for so many seconds in all, or up to so many: of short ones a few say little."""

MOST_BYTES = 8 * 2**30


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """What was measured: seconds of the processor of each fit, and the memory of the process in MiB.

    `peak` is its largest resident set during the fits, `before` its resident set when the data were ready. Of the
    fixed effects there are `beta` and ours alone gives `errors`. `failure` says why there is nothing, `late` that a fit
    took too long.
    """

    seconds: tuple[float, ...] = ()
    peak: float = 0.0
    before: float = 0.0
    rows: int = 0
    log_likelihood: float | None = None
    beta: tuple[float, ...] = ()
    errors: tuple[float, ...] = ()
    failure: str = ""
    late: bool = False


def measure(model: str, name: str, n_subjects: int, repeats: int, seconds: float) -> Point:
    """Return the point; a fit that takes longer than `seconds` ends this process by SIGPROF, or is R's timeout."""
    engine = engine_of(model, name)
    simulate = MODELS[model].simulate
    frame = simulate(n_subjects)
    with timing_worker() as worker:
        try:
            engine.fit(simulate(WARM_UP), worker, seconds)(1)
            measured = worker.pid if engine.in_r else None
            run = engine.fit(frame, worker, seconds)
            before = _restart_peak(measured)
            timings: list[Timing] = []
            while _goes_on(timings, repeats, seconds):
                # R has a deadline; everything else is ended by the system, in whatever code it is.
                signal.setitimer(signal.ITIMER_PROF, 0 if engine.in_r else seconds)
                timings.append(run(len(timings) + 1))
                signal.setitimer(signal.ITIMER_PROF, 0)
            peak = _memory("VmHWM", measured)
        except EngineError as error:
            return Point(failure=str(error), late=error.reason == "timeout", rows=len(frame))
        except (ImportError, MemoryError) as error:
            return Point(failure=f"{type(error).__name__}: {error}", rows=len(frame))
    best = max(timings, key=lambda timing: timing.log_likelihood)
    return Point(
        seconds=tuple(timing.seconds for timing in timings),
        peak=peak,
        before=before,
        rows=len(frame),
        log_likelihood=best.log_likelihood,
        beta=() if best.beta is None else tuple(map(float, best.beta)),
        errors=() if best.errors is None else tuple(map(float, best.errors)),
    )


def _goes_on(timings: list[Timing], repeats: int, seconds: float) -> bool:
    """Return whether another fit is due: until there are enough, and more of short ones, unless they take too long."""
    spent, done = sum(timing.seconds for timing in timings), len(timings)
    if not done:
        return True
    if spent + timings[-1].seconds > PATIENCE * seconds:
        return False
    return done < repeats or (spent < SHORT and done < MOST_REPEATS)


def _restart_peak(process: int | None) -> float:
    """Let the peak of a process (this one if None) begin anew at its resident set, and return that in MiB."""
    with suppress(OSError):  # where the system does not allow it, the peak counts from the start of the process
        Path(f"/proc/{process or 'self'}/clear_refs").write_text("5", encoding="ascii")
    return _memory("VmRSS", process)


def _memory(field: str, process: int | None) -> float:
    """Return what the system counts of a process, in MiB."""
    status = Path(f"/proc/{process or 'self'}/status").read_text(encoding="ascii")
    (line,) = (line for line in status.splitlines() if line.startswith(f"{field}:"))
    return float(line.split()[1]) / 1024


def main() -> None:
    """Measure what the command line names and print it as one line of JSON."""
    model, name, n_subjects, repeats, seconds = sys.argv[1:]
    resource.setrlimit(resource.RLIMIT_DATA, (MOST_BYTES, MOST_BYTES))
    found = measure(model, name, int(n_subjects), int(repeats), float(seconds))
    print(json.dumps({field: getattr(found, field) for field in Point.__slots__}))


if __name__ == "__main__":
    pin_threads()
    main()
