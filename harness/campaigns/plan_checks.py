"""What only a whole plan tells: combinations that can't be, models that the data can't have, engines without them."""

from collections.abc import Iterator

from harness.campaigns.again import AGAIN
from harness.campaigns.cells import Cell, spec_of
from harness.campaigns.plan import Plan
from harness.campaigns.simulated import simulate
from harness.cases import FittedSpec
from harness.errors import Problem, SpecError
from harness.lmm.design import build_design
from harness.lmm.spec import LmmSpec
from harness.peers.engine import peer_engine
from harness.references.live import DECODERS
from harness.roster import peers

MOST_CELLS = 10_000


def plan_problems(plan: Plan) -> list[Problem]:
    """Return everything that is wrong with a plan whose parts are right each by itself."""
    n_cells = len(plan.cells)
    if n_cells > MOST_CELLS:
        found = f"{n_cells} cells"
        return [Problem(found=found, expected=f"up to {MOST_CELLS}", advice="Cross fewer values.")]
    problems = list(dict.fromkeys(problem for cell in plan.cells for problem in _combination_problems(cell)))
    if problems:
        return problems
    spec = spec_of(plan.cells[0])
    return [*_data_problems(plan.cells[0], spec), *_reference_problems(plan, spec)]


def _combination_problems(cell: Cell) -> Iterator[Problem]:
    if cell.kind != "gbtm":
        return
    classes, smallest = cell.factors["classes"], cell.factors["smallest"]
    if smallest * classes > 1:
        found = f"smallest = {smallest:g} with classes = {classes}"
        yield Problem(column="factors", found=found, expected=f"at most 1/{classes}, because the others are larger")
    if cell.factors["visits"] <= cell.model["order"]:  # type: ignore[operator]
        found = f"visits = {cell.factors['visits']} with order = {cell.model['order']}"
        yield Problem(column="factors", found=found, expected="more visits than the order of the curves")
    if cell.factors["subjects"] < classes:
        found = f"subjects = {cell.factors['subjects']} with classes = {classes}"
        yield Problem(column="factors", found=found, expected="at least one subject for each class")


def _data_problems(cell: Cell, spec: FittedSpec) -> list[Problem]:
    """Return what a replicate's data lack for the model, and what the model lacks that they were drawn from."""
    if not isinstance(spec, LmmSpec):
        return []
    sample = simulate(cell.kind, cell.factors, cell.data_seed(0))
    try:
        names = build_design(spec, sample.cohort).fixed_names
    except SpecError as error:
        return list(error.problems)
    missing = [
        path for path, truth in sample.truths.items() if truth != 0 and path not in map("fixed[{}]".format, names)
    ]
    if not missing:
        return []
    expected = "a model with every effect that the data are drawn from, so that there is a truth to cover"
    return [Problem(column="model.formula", found=f"a model without {', '.join(missing)}", expected=expected)]


def _reference_problems(plan: Plan, spec: FittedSpec) -> Iterator[Problem]:
    for name in plan.references:
        if name == AGAIN:
            continue
        support = (
            DECODERS[name]().support(spec) if name in DECODERS else peer_engine(peers()[name]).adapter.support(spec)
        )
        if not support.fit:
            yield Problem(
                column="references",
                found=f"{name}, which does not fit this model",
                expected="one that does",
                advice=support.reason,
            )
