"""How exact our engines are: mixed models against live lme4, trajectory models against check values and live lcmm.

python -m benchmarks.accuracy [--data-hlme FILE] [--paquid FILE]
"""

import argparse
import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.machine import environment, pin_threads, timing_worker
from benchmarks.tables import USAGE, Cell, Judged, Table, closing, exit_status, render
from harness import fit_gbtm
from harness.cases import Case
from harness.comparison.run import Skipped
from harness.comparison.verdict import Comparison, Outcome
from harness.convergence import Stop
from harness.crosscheck import References, compare_with
from harness.engines import solve
from harness.errors import CohortError, EngineError, HarnessError, Problem
from harness.gbtm.result import GbtmResult
from harness.lmm.spec import Criterion, LmmSpec
from harness.references import reference_engine
from harness.references.lcmm import CONSTANT_PER_ROW
from harness.references.lme4 import lme4_support
from harness.references.requests import gbtm_request
from harness.references.worker import RWorker
from harness.runs import read_cases

CRITERION_LIMIT = 1e-12
DISTANCE_LIMIT = 1e-3
GRADIENT_LIMIT = 1e-8
LOG_LIKELIHOOD_LIMIT = 1e-8
CRITERIA: tuple[Criterion, ...] = ("ML", "REML")
NO_PAQUID = (
    "paquid: give --paquid FILE, a CSV with ID, normMMSE, age65, CEP and male; its outcome is made by the R package "
    "NormPsy"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckCase:
    """A fit whose exact maximum (double precision, all constants) is known to the digits of `log_likelihood`.

    `settings` are further arguments of `fit_gbtm`.
    """

    model: str
    data: str
    outcome: str
    time: str
    orders: tuple[int, ...]
    log_likelihood: str
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def limit(self) -> float:
        """How far an exact number may be off: 1e-8, and half a unit of the last printed digit."""
        return LOG_LIKELIHOOD_LIMIT + 0.5 * 10.0 ** -len(self.log_likelihood.partition(".")[2])


def check_cases() -> Iterator[CheckCase]:
    """Yield the check cases A, B and C, of two data sets of the R package lcmm."""
    hlme = {"data": "data_hlme", "outcome": "Y", "time": "Time"}
    paquid = {"data": "paquid", "outcome": "normMMSE", "time": "age65"}
    for orders, log_likelihood in (((1,), "-1125.30959422"), ((1, 1), "-990.46288387"), ((1, 1, 1), "-918.68276087")):
        yield CheckCase(model="A: Y ~ Time", orders=orders, log_likelihood=log_likelihood, **hlme)
    growth = {"common": "X1 + Time:X1", "random": 1, "n_starts": 30}
    for model, own, log_likelihood in (
        ("B: Y ~ Time*X1, random ~ Time, classes ~ X2 + X3", {"membership": "X2 + X3"}, "-773.82078053"),
        ("B: Y ~ Time*X1, random ~ Time, nwg", {"random_scale": "class"}, "-775.01678899"),
    ):
        yield CheckCase(model=model, orders=(1, 1), log_likelihood=log_likelihood, settings={**growth, **own}, **hlme)
    quadratic = "C: normMMSE ~ age65 + age65^2"
    for orders, log_likelihood in (((2, 2), "-9205.13357881"), ((2, 2, 2), "-9067.23742628")):
        yield CheckCase(model=quadratic, orders=orders, log_likelihood=log_likelihood, **paquid)
    yield CheckCase(
        model=f"{quadratic}, classes ~ CEP + male",
        orders=(2, 2, 2),
        log_likelihood="-9032.65331628",
        settings={"membership": "CEP + male"},
        **paquid,
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the tables and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.accuracy", description=str(__doc__).partition("\n")[0])
    parser.add_argument("--data-hlme", type=Path, metavar="FILE", help="lcmm's data_hlme as CSV; else taken from R")
    parser.add_argument(
        "--paquid", type=Path, metavar="FILE", help="lcmm's paquid as CSV, with normMMSE, age65, CEP, male"
    )
    options = parser.parse_args(arguments)
    files = {"data_hlme": options.data_hlme, "paquid": options.paquid}
    tables = []
    try:
        frames = {name: _read(path) for name, path in files.items() if path is not None}
        with timing_worker() as worker:
            print(environment(worker))
            for measure in (mixed_models, trajectory_models):
                tables.append(measure(worker, frames))
                print(f"\n{render(tables[-1])}")
    except HarnessError as error:
        print(error, file=sys.stderr)
        return USAGE
    print(f"\n{closing(tables)}")
    return exit_status(tables)


def mixed_models(worker: RWorker, _: Mapping[str, pd.DataFrame]) -> Table:
    """Compare every mixed model of the fixtures that lme4 has with it, by ML and by REML."""
    rows: list[tuple[Cell, ...]] = []
    missing: dict[str, None] = {}
    lme4 = References(live={"lme4": reference_engine("lme4", worker)})
    for case in read_cases():
        for criterion, own in _by_each_criterion(case):
            found = compare_with(solve(own), "lme4", lme4)
            if isinstance(found, Skipped):
                missing[found.reason] = None
            else:
                rows.append((case.name, criterion, *_lmm_cells(found)))
    return Table(
        title="Linear mixed models against lme4::lmer (bobyqa, rhoend = 1e-11)\n"
        f"  criterion   largest relative difference at three fixed theta; limit {CRITERION_LIMIT:g}\n"
        f"  D           distance of the two optima, in standard errors; limit {DISTANCE_LIMIT:g}. Where the fit is\n"
        "              singular there are no standard errors, and D is the root of the excess\n"
        f"  gradient    of ours at our optimum, in standard errors; limit {GRADIENT_LIMIT:g}\n"
        "  excess      our criterion at lme4's optimum less that at ours (rounding is about 1e-12)",
        header=("case", "by", "criterion", "D", "gradient", "excess", "judge"),
        rows=tuple(rows),
        not_run=tuple(missing),
    )


def _by_each_criterion(case: Case) -> Iterator[tuple[Criterion, Case]]:
    if isinstance(case.spec, LmmSpec) and lme4_support(case.spec).fit:
        for criterion in CRITERIA:
            yield criterion, replace(case, spec=replace(case.spec, criterion=criterion))


def _lmm_cells(found: Comparison) -> tuple[Cell, ...]:
    """Return what one comparison with lme4 measured; what it could not measure is NaN, which keeps no limit."""
    pairs = {pair.label: pair for pair in found.evidence.objectives}
    probes = [pair for label, pair in pairs.items() if label.startswith("probe")]
    apart = max((abs(pair.left / pair.right - 1) for pair in probes), default=math.nan)
    excess = 2 * (pairs["our optimum"].left - pairs["optimum"].left) if "optimum" in pairs else math.nan
    convergence = found.left.convergence
    singular = convergence is not None and convergence.stop is Stop.SINGULAR
    distance = math.sqrt(abs(excess)) if singular else found.distance
    gradient = None if convergence is None else convergence.gradient
    judged = str(found.outcome) if found.outcome is Outcome.AGREE else f"{found.outcome}: {found.sentence}"
    return (
        Judged(value=apart, limit=CRITERION_LIMIT),
        Judged(value=math.nan if distance is None else distance, limit=DISTANCE_LIMIT),
        Judged(value=math.nan if gradient is None else gradient, limit=GRADIENT_LIMIT),
        f"{excess:.1e}",
        " ".join(judged.split()) + (", singular" if singular else ""),
    )


def trajectory_models(worker: RWorker, frames: Mapping[str, pd.DataFrame]) -> Table:
    """Fit every check case; compare with the check value, and with what lcmm says at our optimum."""
    rows: list[tuple[Cell, ...]] = []
    missing: dict[str, None] = {}
    found = dict(frames)
    if "data_hlme" not in found:
        try:
            found["data_hlme"] = pd.DataFrame(worker.request("lcmm.data_hlme", {}).value)
        except EngineError as error:
            missing[f"data_hlme: give --data-hlme FILE; {error}"] = None
    if "paquid" not in found:
        missing[NO_PAQUID] = None
    for case in check_cases():
        if case.data not in found:
            continue
        named = {"outcome": case.outcome, "time": case.time, "subject": "ID", "orders": case.orders}
        fit = fit_gbtm(found[case.data], **named, **case.settings)
        check = (
            f"{fit.log_likelihood:.8f}",
            case.log_likelihood,
            Judged(value=abs(fit.log_likelihood - float(case.log_likelihood)), limit=case.limit),
        )
        try:
            lcmm = _lcmm_cells(fit, worker)
        except EngineError as error:
            lcmm = ("", "", "")
            missing[f"lcmm at our optimum: {error}"] = None
        hits = f"{fit.fit.hit_rate:.0%} of {fit.fit.n_starts}"
        rows.append((case.model, str(len(case.orders)), hits, *check, *lcmm))
    return Table(
        title="Trajectory models with a shared sigma: log-likelihoods of a whole search with the default seed\n"
        "  hits        starts that reached the best, splits of the model with one class less among them\n"
        f"  check       the exact maximum, known to 8 decimals; limit {LOG_LIKELIHOOD_LIMIT:g} and half a last digit\n"
        "  lcmm        what hlme says at our optimum, as it prints it\n"
        f"  offset      {CONSTANT_PER_ROW:.5e} a row: hlme evaluates log(2 pi) in single precision\n"
        f"  left        lcmm + offset - ours, limit {LOG_LIKELIHOOD_LIMIT:g}",
        header=("case", "classes", "hits", "ours", "check", "apart", "lcmm", "offset", "left"),
        rows=tuple(rows),
        not_run=tuple(missing),
    )


def _lcmm_cells(fit: GbtmResult, worker: RWorker) -> tuple[Cell, Cell, Cell]:
    """Return hlme's log-likelihood at our optimum, its offset, and the difference that is left."""
    request = gbtm_request(replace(fit.spec, orders=fit.orders), fit.cohort).with_points([fit.fit.point])
    answer = worker.request("lcmm.log_likelihood", request.payload).value
    theirs, offset = answer["values"].item(), CONSTANT_PER_ROW * answer["n_observations"].item()
    left = Judged(value=abs(theirs + offset - fit.log_likelihood), limit=LOG_LIKELIHOOD_LIMIT)
    return f"{theirs:.8f}", f"{offset:.8f}", left


def _read(path: Path) -> pd.DataFrame:
    try:
        return pd.read_csv(path)
    except (OSError, UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise CohortError(path.name, [Problem(found=str(error), expected="a CSV file in UTF-8")]) from None


if __name__ == "__main__":
    pin_threads()
    sys.exit(main())
