"""What a campaign found, as reports show it: each cell with its rate, what was required, and what lies behind."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from harness.campaigns.agreement import AGREEING, CellSummary, Rate, clopper_pearson, summarise
from harness.campaigns.campaign import Found
from harness.campaigns.cells import Cell
from harness.campaigns.plan import Plan
from harness.campaigns.simulated import truths_of
from harness.campaigns.store import digest

Standing = Literal["shown", "open", "below", "not required"]
"""What a cell's interval says of the required rate: all of it above, on both sides, all of it below."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CellReport:
    """A cell, what tells it from others, and what its rows add up to."""

    cell: Cell
    label: str
    summary: CellSummary
    standing: Standing
    ended_early: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A campaign as it stands.

    `disagreements` are the rows that are no agreement, in the order of cells and replicates; `digest` is the hash of
    all rows that count; `others` is how many files of other plans lie in the folder and were left alone.
    """

    plan: Plan
    command: str
    started: str
    seconds: float
    cells: tuple[CellReport, ...]
    overall: Rate
    disagreements: tuple[Mapping[str, Any], ...]
    digest: str
    computed: int
    stored: int
    deaths: int
    complete: bool
    others: int
    versions: tuple[Mapping[str, str], ...]

    @property
    def n_compared(self) -> int:
        """Replicates in which anything was compared."""
        return sum(
            count for one in self.cells for outcome, count in one.summary.outcomes.items() if outcome != "not compared"
        )

    @property
    def below(self) -> tuple[CellReport, ...]:
        """The cells whose interval lies below the required rate."""
        return tuple(one for one in self.cells if one.standing == "below")

    def label_of(self, key: str) -> str:
        """Return what tells a cell from others, by its key."""
        return next(one.label for one in self.cells if one.cell.key == key)


def report_of(plan: Plan, found: Found, *, command: str, started: str, seconds: float, others: int) -> Report:
    """Return what a campaign found."""
    cells = tuple(_cell_report(plan, cell, found.rows[cell.key]) for cell in plan.cells)
    rows = [row for cell in plan.cells for row in found.rows[cell.key]]
    return Report(
        plan=plan,
        command=command,
        started=started,
        seconds=seconds,
        cells=cells,
        overall=clopper_pearson(sum(row["outcome"] in AGREEING for row in rows), len(rows)),
        disagreements=tuple(row for row in rows if row["outcome"] not in AGREEING),
        digest=digest(rows),
        computed=found.computed,
        stored=found.stored,
        deaths=found.deaths,
        complete=found.complete,
        others=others,
        versions=found.versions,
    )


def _cell_report(plan: Plan, cell: Cell, rows: Sequence[Mapping[str, Any]]) -> CellReport:
    summary = summarise(rows, tuple(truths_of(cell.kind, cell.factors)), cell.reference)
    return CellReport(
        cell=cell,
        label=plan.label(cell),
        summary=summary,
        standing=standing_of(summary.agreement, plan.required),
        ended_early=len(rows) < plan.replicates,
    )


def standing_of(rate: Rate, required: float | None) -> Standing:
    """Return what an interval says of a required rate."""
    if required is None:
        return "not required"
    if rate.lower >= required:
        return "shown"
    return "below" if rate.upper < required else "open"
