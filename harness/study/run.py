"""Run a study: read its data, take every step of its plan, and gather what the report says."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from harness.errors import HarnessError
from harness.study.data import StudyData
from harness.study.disclosure import Gate
from harness.study.plan import StudyPlan
from harness.study.provenance import provenance
from harness.study.reading import read_data
from harness.study.report import StudyReport
from harness.study.section import Section


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of the plan: its key and title, and the function that makes its section."""

    key: str
    title: str
    module: str
    function: str


STEPS = (
    Step(key="S0", title="What was declared", module="declaration", function="declaration"),
    Step(key="S1", title="Data checks", module="data_checks", function="data_checks"),
    Step(key="S2", title="Flow of patients", module="flow", function="flow"),
    Step(key="S3", title="Patients at baseline", module="table_one", function="table_one"),
    Step(key="S4", title="Response and remission", module="rates_section", function="rates_section"),
    Step(key="S5", title="Mixed models", module="mixed_models", function="mixed_models"),
    Step(key="S6", title="Trajectory classes", module="trajectory_models", function="trajectory_models"),
    Step(key="S7", title="Predictors of class membership", module="predictors", function="predictors"),
    Step(
        key="S8", title="Classes of two scales", module="class_tables", function="class_tables"
    ),
    Step(key="S9", title="Durability", module="durability", function="durability"),
    Step(key="S10", title="Missing data", module="missing_data", function="missing_data"),
    Step(key="S11", title="Multiplicity", module="multiplicity", function="multiplicity"),
)


def run_study(plan: StudyPlan, *, command: str = "", progress: Callable[[str], object] = lambda _: None) -> StudyReport:
    """Return the report of a study.

    Raises
    ------
    InputError
        The data can't be used. A step that the data can't answer raises nothing: its section says so.
    """
    data = read_data(plan)
    gate = Gate(limit=plan.small_cell_limit)
    sections, spent = [], {}
    for step in STEPS:
        progress(step.title)
        began = time.perf_counter()
        sections.append(gate.passed(_section(step, data, plan)))
        spent[step.key] = time.perf_counter() - began
    return StudyReport(
        plan=plan,
        sections=tuple(sections),
        methods=(),
        checklists=(),
        provenance=provenance(plan, data.imported.source_sha256, command, spent),
    )


def _section(step: Step, data: StudyData, plan: StudyPlan) -> Section:
    try:
        make: Any = getattr(import_module(f"harness.study.{step.module}"), step.function)
        return make(data, plan)
    except ModuleNotFoundError as error:
        return Section(key=step.key, title=step.title, warnings=(str(error),))
    except HarnessError as error:
        return Section(key=step.key, title=step.title, warnings=(f"This step could not be taken. {error}",))
