"""Run a campaign: give out what is missing, store what comes back, stop cells that have enough.

One code path for local processes and for clusters: batches go to an executor, rows come back and are stored here. Which
rows there are in the end depends on the plan alone, whatever order they came in.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, wait
from dataclasses import dataclass, field
from typing import Any

from harness.campaigns.agreement import AGREEING, enough_after
from harness.campaigns.cells import Cell
from harness.campaigns.plan import Plan
from harness.campaigns.progress import Standing, Told
from harness.campaigns.schedulers import Workers
from harness.campaigns.store import Store
from harness.campaigns.workers import Done
from harness.errors import CampaignError, Problem

MOST_DEATHS = 20
"""So many times in one run workers may die; more are no accident."""
AHEAD = 2
"""Batches a worker that are given out at once, so that none waits for this process."""
TICK = 1.0


@dataclass(slots=True)
class _CellState:
    """Which batches of a cell are given out or there; `agreeing` by number of those that are there."""

    cell: Cell
    most: int
    agreeing: dict[int, int] = field(default_factory=dict)
    given_back: list[int] = field(default_factory=list)
    following: int = 0
    enough: int | None = None

    def first_missing(self) -> int | None:
        """Return the first batch that is neither there nor given out, None if there is none or no need."""
        while self.following in self.agreeing:
            self.following += 1
        number = min([*self.given_back, self.following])
        return number if number < (self.most if self.enough is None else self.enough) else None

    def give_out(self, number: int) -> None:
        """Take note that a batch is being computed."""
        if number in self.given_back:
            self.given_back.remove(number)
        else:
            self.following = number + 1

    def found(self, number: int, agreeing: int) -> None:
        """Take note of a batch that is there."""
        self.agreeing[number] = agreeing

    def look(self, plan: Plan) -> None:
        """Find out whether the cell has enough."""
        self.enough = enough_after(self.in_order(), plan.batch, plan.stop)

    def in_order(self) -> Iterator[int]:
        """Yield the counts of the batches from the first on, up to the first gap."""
        number = 0
        while number in self.agreeing:
            yield self.agreeing[number]
            number += 1

    @property
    def counted(self) -> int:
        """How many batches count: those without a gap, up to where the cell has enough."""
        return sum(1 for _ in self.in_order()) if self.enough is None else self.enough

    @property
    def complete(self) -> bool:
        """Whether nothing is missing."""
        return self.enough is not None or self.counted == self.most


_Running = dict[Future[Done], tuple[_CellState, int, int]]
"""Batches that are being computed: of which cell, which number, and after how many deaths of workers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The rows of each cell that count, by key, in the order of replicates, and what is to be said of them.

    `computed` is how many replicates this run computed, `stored` how many were there before it, `deaths` how often
    workers died; `versions` are the different sets of versions behind the rows, `complete` is false if replicates are
    missing.
    """

    rows: Mapping[str, Sequence[Mapping[str, Any]]]
    computed: int
    stored: int
    deaths: int
    complete: bool
    versions: tuple[Mapping[str, str], ...]


def run_campaign(plan: Plan, workers: Workers, store: Store, told: Told) -> Found:
    """Compute whatever the plan needs and the store does not have, and return all rows that count.

    Raises
    ------
    CampaignError
        If workers die again and again.
    EngineError
        If a worker does not have a reference engine.
    """
    states = [_state_of(cell, plan, store) for cell in plan.cells]
    stored = sum(len(state.agreeing) for state in states) * plan.batch
    began, computed, deaths = time.monotonic(), 0, 0
    told(_standing(plan, states, computed, began))
    running: _Running = {}
    worker_died: tuple[type[BaseException], ...] = (*workers.lost, CancelledError)
    while True:
        lost = not _give_out(plan, states, workers, running, deaths)
        if not (running or lost):
            break
        finished, _ = wait(running, timeout=TICK, return_when=FIRST_COMPLETED)
        for future in finished:
            state, number, generation = running.pop(future)
            try:
                done = future.result()
            except worker_died:
                state.given_back.append(number)
                # With one worker all batches of its executor are lost, and they need not be lost at once.
                lost = lost or generation == deaths
                continue
            store.append(done)
            computed += len(done.rows)
            state.found(number, _agreeing(done.rows))
            state.look(plan)
        if lost:
            deaths += 1
            if deaths > MOST_DEATHS:
                raise _deadly(deaths)
            workers.renew()
        told(_standing(plan, states, computed, began))
    return _found(plan, states, store, computed=computed, stored=stored, deaths=deaths)


def found_in(plan: Plan, store: Store) -> Found:
    """Return the rows of a plan that are in a store, without computing any."""
    states = [_state_of(cell, plan, store) for cell in plan.cells]
    stored = sum(len(state.agreeing) for state in states) * plan.batch
    return _found(plan, states, store, computed=0, stored=stored, deaths=0)


def _state_of(cell: Cell, plan: Plan, store: Store) -> _CellState:
    state = _CellState(cell=cell, most=plan.n_batches)
    for number in range(plan.n_batches):
        batch = plan.batch_of(cell, number)
        if store.has(batch):
            state.found(number, _agreeing(store.read(batch)))
    state.look(plan)
    return state


def _give_out(
    plan: Plan,
    states: Sequence[_CellState],
    workers: Workers,
    running: _Running,
    generation: int,
) -> bool:
    """Give out batches, the first ones of all cells first, until workers have enough to do; false if one has died."""
    for _ in range(AHEAD * workers.n_workers() - len(running)):
        waiting = [(number, k) for k, state in enumerate(states) if (number := state.first_missing()) is not None]
        if not waiting:
            break
        number, k = min(waiting)
        try:
            future = workers.submit(plan.batch_of(states[k].cell, number))
        except workers.lost:
            return False
        states[k].give_out(number)
        running[future] = (states[k], number, generation)
    return True


def _found(plan: Plan, states: Sequence[_CellState], store: Store, *, computed: int, stored: int, deaths: int) -> Found:
    rows: dict[str, list[Mapping[str, Any]]] = {}
    versions: dict[str, Mapping[str, str]] = {}
    for state in states:
        batches = [plan.batch_of(state.cell, number) for number in range(state.counted)]
        rows[state.cell.key] = [row for batch in batches for row in store.read(batch)]
        for batch in batches:
            found = store.versions(batch)
            versions[repr(sorted(found.items()))] = found
    return Found(
        rows=rows,
        computed=computed,
        stored=stored,
        deaths=deaths,
        complete=all(state.complete for state in states),
        versions=tuple(versions.values()),
    )


def _standing(plan: Plan, states: Sequence[_CellState], computed: int, began: float) -> Standing:
    return Standing(
        total=len(states) * plan.replicates,
        there=sum(len(state.agreeing) if state.enough is None else state.enough for state in states) * plan.batch,
        computed=computed,
        spared=sum(state.most - state.enough for state in states if state.enough is not None) * plan.batch,
        agreeing=sum(sum(state.agreeing.values()) for state in states),
        seconds=time.monotonic() - began,
    )


def _agreeing(rows: Sequence[Mapping[str, Any]]) -> int:
    return sum(row["outcome"] in AGREEING for row in rows)


def _deadly(deaths: int) -> CampaignError:
    problem = Problem(
        found=f"workers died {deaths} times",
        expected="workers that live",
        advice="Look for what kills them (memory?); what is stored stays, and the same command goes on.",
    )
    return CampaignError("campaign", [problem])
