"""One replicate as files that `harness compare --data --spec` reads, so that anybody can look into a disagreement."""

import json
from collections.abc import Iterator, Mapping

from harness.campaigns.again import AGAIN
from harness.campaigns.cells import Cell
from harness.campaigns.plan import Plan
from harness.campaigns.replicate import replicate_case
from harness.cases import Case
from harness.cohorts.cohort import Cohort
from harness.errors import CampaignError, Problem
from harness.gbtm.spec import GbtmSpec


def replicate_files(plan: Plan, name: str) -> Mapping[str, str]:
    """Return the texts of a table and of its spec by file name; `name` is ``<cell's key>:<replicate>``, as in reports.

    Raises
    ------
    CampaignError
        If the plan has no such replicate.
    """
    cell, number = _found(plan, name)
    case, _ = replicate_case(cell, number)
    stem = f"replicate-{cell.key}-{number}"
    return {f"{stem}.csv": _table(case.cohort), f"{stem}.toml": "\n".join(_spec(case, cell)) + "\n"}


def _found(plan: Plan, name: str) -> tuple[Cell, int]:
    key, _, written = name.partition(":")
    cell = next((cell for cell in plan.cells if cell.key == key), None)
    if cell is not None and written.isascii() and written.isdigit() and len(written) < 10:
        number = int(written)
        if number < plan.replicates:
            return cell, number
    expected = f"a cell's key and a number below {plan.replicates}, such as {plan.cells[0].key}:0"
    raise CampaignError("--replicate", [Problem(found=f"{name[:80]!r}", expected=expected)])


def _table(cohort: Cohort) -> str:
    """Return the cohort as CSV, numbers so that they come back as they are."""
    columns = {
        name: [factor.levels[code] for code in factor.codes.tolist()] for name, factor in cohort.factors.items()
    } | {name: [repr(value) for value in values.tolist()] for name, values in cohort.numeric.items()}
    rows = zip(*columns.values(), strict=True)
    return "\n".join([",".join(columns), *(",".join(row) for row in rows)]) + "\n"


def _spec(case: Case, cell: Cell) -> Iterator[str]:
    if cell.reference != AGAIN:
        yield f"references = {json.dumps([cell.reference])}"
        yield ""
    roles = {"subject": "subject", "visit": "time", "score": "outcome"}
    for name in (*case.cohort.factors, *case.cohort.numeric):
        yield f"[columns.{name}]"
        yield f'role = "{roles.get(name, "factor")}"'
        if name not in roles:
            yield f"levels = {json.dumps(list(case.cohort.factors[name].levels))}"
        yield ""
    yield "[model]"
    model: Mapping[str, object] = cell.model
    if isinstance(case.spec, GbtmSpec):
        columns = {"outcome": "score", "time": "visit", "subject": "subject", "orders": list(case.spec.orders)}
        model = {**columns, **{key: value for key, value in model.items() if key != "order"}}
    for key, value in model.items():
        yield f"{key} = {json.dumps(value)}"
