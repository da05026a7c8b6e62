"""Differential fuzzing: many drawn cases, each through ours and another engine, and what is left of the disagreements.

Case k of a seed is the same whoever draws it, so that the number of processes changes nothing but the time. Each block
of cases has an R of its own, which ends with it.
"""

import math
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Literal

from joblib import Parallel, delayed
from threadpoolctl import threadpool_limits

from harness.counterexamples.specimen import Specimen
from harness.errors import EngineError
from harness.fuzzing.acceptable import Finding
from harness.fuzzing.differential import differs
from harness.fuzzing.drawing import specimen_of
from harness.fuzzing.metamorphic import contradicts
from harness.fuzzing.shrinking import shrink
from harness.locations import r_source_folder
from harness.references.session import live_engines
from harness.references.worker import RWorker
from harness.roster import r_files

ModelKind = Literal["lmm", "gbtm"]
Look = Callable[[Specimen], Finding]
"""What tells of one specimen whether it is a counterexample."""

ALONE = "alone"
"""In place of an engine: ours against itself and against the definitions, without R."""

_BLOCK = 25
_SHRUNK = 12
_SHRINKING = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class FuzzPlan:
    """What to fuzz: `examples` cases of a seed, against an engine or `ALONE`, on so many processes.

    After `seconds` no further case is begun. An R that has not answered after `deadline` seconds is killed. Each
    counterexample may be asked about `tries` times while it is made smaller.
    """

    kind: ModelKind
    engine: str
    examples: int
    seed: int = 1
    workers: int = 1
    seconds: float | None = None
    deadline: float = 10.0
    tries: int = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """One case: its number in the seed, what became of it, and how long that took."""

    index: int
    finding: Finding
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Caught:
    """An outcome that is not acceptable: the first case that had it, before and after it was made smaller."""

    index: int
    drawn: Specimen
    specimen: Specimen
    finding: Finding
    tries: int
    finished: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FuzzResult:
    """Every case that was examined, and one counterexample for each code that is not acceptable."""

    plan: FuzzPlan
    examined: tuple[Examined, ...]
    caught: tuple[Caught, ...]
    seconds: float
    versions: dict[str, str] = field(default_factory=dict)

    @property
    def counts(self) -> Counter[str]:
        """How many cases ended with each code."""
        return Counter(one.finding.code for one in self.examined)

    @property
    def unacceptable(self) -> tuple[Examined, ...]:
        """The cases that something must be done about."""
        return tuple(one for one in self.examined if not one.finding.acceptable)


def fuzz(plan: FuzzPlan, progress: Callable[[str], None] = lambda _: None) -> FuzzResult:
    """Examine the cases of a plan, then make one counterexample of each unacceptable code smaller.

    Raises
    ------
    EngineError
        If the engine is not installed, or R is absent.
    """
    began = time.monotonic()
    stop = None if plan.seconds is None else time.time() + plan.seconds
    with looking(plan):  # so that an engine that is absent is said once, and here
        pass
    size = min(_BLOCK, math.ceil(plan.examples / plan.workers))
    blocks = [range(first, min(first + size, plan.examples)) for first in range(0, plan.examples, size)]
    told = Parallel(n_jobs=plan.workers, return_as="generator")(
        delayed(examine_block)(plan, block, stop) for block in blocks
    )
    examined: list[Examined] = []
    for block in told:
        examined += block
        bad = ", ".join(f"{one.index} {one.finding.code}" for one in examined if not one.finding.acceptable)
        progress(f"{len(examined)} of {plan.examples} cases, not acceptable: {bad or 'none'}")
    first: dict[str, Examined] = {}
    for one in examined:
        if not one.finding.acceptable:
            first.setdefault(one.finding.code, one)
    found = list(islice(first.values(), _SHRUNK))
    if found:
        progress("making smaller: " + ", ".join(f"{one.index} {one.finding.code}" for one in found))
    caught = Parallel(n_jobs=plan.workers)(delayed(_caught)(plan, one) for one in found)
    return FuzzResult(plan=plan, examined=tuple(examined), caught=tuple(caught), seconds=time.monotonic() - began)


def examine_block(plan: FuzzPlan, block: Sequence[int], stop: float | None) -> list[Examined]:
    """Examine some cases with one R; none is begun after `stop`, a time of the clock."""
    examined: list[Examined] = []
    with looking(plan) as look:
        for index in block:
            if stop is not None and time.time() >= stop:
                break
            began = time.monotonic()
            finding = look(specimen_of(plan.kind, plan.seed, index))
            examined.append(Examined(index=index, finding=finding, seconds=time.monotonic() - began))
    return examined


def _sources() -> tuple[Path, ...]:
    """Return the R files of all engines, and the one that lets searches of mixtures begin less often."""
    return tuple(r_source_folder() / name for name in (*r_files(), "few_starts.R"))


@contextmanager
def looking(plan: FuzzPlan) -> Iterator[Look]:
    """Yield what examines a specimen by the plan, with an R that ends when it is left.

    Raises
    ------
    EngineError
        If the engine is not installed, or R is absent.
    """
    with threadpool_limits(limits=1):
        if plan.engine == ALONE:
            yield contradicts
            return
        with live_engines(RWorker(deadline=plan.deadline, sources=_sources())) as live:
            if plan.engine not in live:
                raise EngineError(plan.engine, "absent", "`harness doctor` tells what to install")
            yield lambda specimen: differs(specimen, live[plan.engine])


def _caught(plan: FuzzPlan, one: Examined) -> Caught:
    with looking(plan) as look:
        return made_smaller(one, specimen_of(plan.kind, plan.seed, one.index), look, plan.tries)


def made_smaller(one: Examined, drawn: Specimen, look: Look, tries: int) -> Caught:
    """Return the counterexample with as little as still has its code, and is still not acceptable."""
    until = time.monotonic() + _SHRINKING
    if look is contradicts:
        look = partial(contradicts, code=one.finding.code)
    last = {"finding": one.finding}

    def is_alike(specimen: Specimen) -> bool:
        if time.monotonic() > until:
            return False
        finding = look(specimen)
        alike = finding.code == one.finding.code and not finding.acceptable
        if alike:
            last["finding"] = finding
        return alike

    shrunk = shrink(drawn, is_alike, tries)
    return Caught(
        index=one.index,
        drawn=drawn,
        specimen=shrunk.specimen,
        finding=replace(last["finding"]),
        tries=shrunk.tries,
        finished=shrunk.finished and time.monotonic() <= until,
    )
