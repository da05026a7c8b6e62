"""Run a study: read its data, take every step of its plan, and gather what the report says."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial

from harness.errors import HarnessError
from harness.study.class_tables import class_tables
from harness.study.cross_check import CrossChecks, cross_checks
from harness.study.data import StudyData
from harness.study.data_checks import data_checks
from harness.study.declaration import declaration
from harness.study.disclosure import Gate
from harness.study.durability import begin_durability
from harness.study.flow import flow
from harness.study.grolts import grolts
from harness.study.methods import methods
from harness.study.missing_data import begin_missing_data
from harness.study.mixed_models import begin_mixed_models
from harness.study.multiplicity import multiplicity
from harness.study.observational_checklists import record, strobe
from harness.study.parts import Later, section_of
from harness.study.plan import StudyPlan
from harness.study.predictors import predictors
from harness.study.provenance import provenance
from harness.study.rates_section import begin_rates_section
from harness.study.reading import read_data
from harness.study.report import StudyReport
from harness.study.section import Section
from harness.study.table_one import begin_table_one
from harness.study.trajectories import ScaleTrajectories, fit_trajectories
from harness.study.trajectory_models import begin_trajectory_models

Progress = Callable[[str], object]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Work:
    """What the steps share: the data, the plan, R's verdicts, and trajectory models, which are fitted once."""

    data: StudyData
    plan: StudyPlan
    checks: CrossChecks
    fitted: list[tuple[ScaleTrajectories, ...] | HarnessError] = field(default_factory=list)

    def trajectories(self) -> tuple[ScaleTrajectories, ...]:
        """Return the trajectory models of every scale; a refusal is the same each time."""
        if not self.fitted:
            try:
                self.fitted.append(fit_trajectories(self.data, self.plan, self.checks))
            except HarnessError as error:
                self.fitted.append(error)
        (found,) = self.fitted
        if isinstance(found, HarnessError):
            raise found
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of the plan: its key, its title, and the function that takes it."""

    key: str
    title: str
    take: Callable[[Work], Section]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelStep:
    """A step that fits models and asks R; its parts are finished when R has answered."""

    key: str
    title: str
    begin: Callable[[Work], tuple[Later, ...]]


MODEL_STEPS = (
    ModelStep(
        key="S3",
        title="Patients at baseline",
        begin=lambda work: begin_table_one(work.data, work.plan, work.checks),
    ),
    ModelStep(
        key="S4",
        title="Response and remission",
        begin=lambda work: begin_rates_section(work.data, work.plan, work.checks),
    ),
    ModelStep(key="S9", title="Durability", begin=lambda work: begin_durability(work.data, work.plan, work.checks)),
    ModelStep(key="S5", title="Mixed models", begin=lambda work: begin_mixed_models(work.data, work.plan, work.checks)),
    ModelStep(
        key="S6",
        title="Trajectory models",
        begin=lambda work: begin_trajectory_models(work.trajectories(), work.data, work.plan),
    ),
    ModelStep(
        key="S10",
        title="Missing ratings",
        begin=lambda work: begin_missing_data(work.trajectories(), work.data, work.plan, work.checks),
    ),
)
STEPS = (
    Step(key="S0", title="What was declared", take=lambda work: declaration(work.data, work.plan)),
    Step(key="S1", title="Data checks", take=lambda work: data_checks(work.data, work.plan)),
    Step(key="S2", title="Flow of patients", take=lambda work: flow(work.data, work.plan)),
    Step(
        key="S7",
        title="Predictors of class membership",
        take=lambda work: predictors(work.trajectories(), work.data, work.plan),
    ),
    Step(
        key="S8",
        title="Classes of two scales together",
        take=lambda work: class_tables(work.trajectories(), work.plan),
    ),
)


def run_study(plan: StudyPlan, *, command: str = "", progress: Progress = lambda _: None) -> StudyReport:
    """Return the report of a study.

    Models come first, so that R works while all else is done.

    Raises
    ------
    InputError
        The data can't be used, or the plan's models ask what they can't answer. Any later step that the data can't
        answer raises nothing: its section says so.
    """
    progress("reading the data")
    data = read_data(plan)
    spent: dict[str, float] = {}
    sections: list[Section] = []
    with cross_checks(wanted=plan.cross_check) as checks:
        work = Work(data=data, plan=plan, checks=checks)
        waiting: list[tuple[ModelStep, Callable[[], Section]]] = []
        for models in MODEL_STEPS:
            with _timed(spent, models.key):
                progress(models.title)
                waiting.append((models, _begun(models, work)))
        for step in STEPS:
            with _timed(spent, step.key):
                progress(step.title)
                sections.append(_section(step, partial(step.take, work)))
        for models, finish in waiting:
            with _timed(spent, models.key):
                progress(f"{models.title}: waiting for R")
                sections.append(_section(models, finish))
    gate = Gate(limit=plan.small_cell_limit)
    passed = [gate.passed(section) for section in sorted(sections, key=lambda section: int(section.key[1:]))]
    ordered = (*passed, gate.passed(multiplicity(passed, plan)))
    origin = provenance(plan, data.imported.source_sha256, command, spent)
    return StudyReport(
        plan=plan,
        sections=ordered,
        methods=methods(plan, ordered, origin.versions),
        checklists=(grolts(plan, ordered), strobe(ordered), record(ordered)),
        provenance=origin,
    )


def _begun(step: ModelStep, work: Work) -> Callable[[], Section]:
    """Return what finishes a step; a step that was refused is finished already."""
    try:
        parts = step.begin(work)
    except HarnessError as error:
        refused = _refused(step, error)
        return lambda: refused
    return lambda: section_of(step.key, step.title, (later() for later in parts))


def _section(step: Step | ModelStep, take: Callable[[], Section]) -> Section:
    try:
        return take()
    except HarnessError as error:
        return _refused(step, error)


def _refused(step: Step | ModelStep, error: HarnessError) -> Section:
    return Section(key=step.key, title=step.title, warnings=(f"This step could not be taken. {error}",))


@contextmanager
def _timed(spent: dict[str, float], key: str) -> Iterator[None]:
    """Add the seconds that a step takes to those that it took before."""
    began = time.perf_counter()
    yield
    spent[key] = spent.get(key, 0.0) + time.perf_counter() - began
