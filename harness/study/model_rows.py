"""Rows of the visits on which mixed and trajectory models rest; which of them may compare protocols."""

import pandas as pd

from harness.cohorts.frames import to_frame
from harness.study.data import StudyData
from harness.study.firewall import require_comparable_follow_up, require_no_pooled_follow_up
from harness.study.plan import StudyPlan

OCCASION = "occasion"
"""The column that counts visits from 0, the baseline."""


def time_column(plan: StudyPlan) -> str:
    """Return the column that is the declared time axis."""
    return OCCASION if plan.time_axis == "visit" else "week"


def time_words(column: str) -> str:
    """Return what a time axis counts."""
    return "visit, counted from 0" if column == OCCASION else "weeks since the first treatment"


def model_rows(data: StudyData, plan: StudyPlan) -> pd.DataFrame:
    """Return the rows of the visits that models use, sorted by subject and visit, with `occasion` from 0.

    `visit` and `protocol` are categories in the plan's order. A row beyond what its protocol plans stays: the checks of
    the data report it.

    Raises
    ------
    DurabilityNotEstimable
        These visits reach into a follow-up that a protocol lacks.
    """
    require_no_pooled_follow_up(data, plan.model_visits)
    frame = to_frame(data.cohort)
    frame = frame[frame["visit"].isin(plan.model_visits)].copy()
    frame["subject"] = frame["subject"].astype(str)
    frame["visit"] = pd.Categorical(frame["visit"].astype(str), categories=list(plan.model_visits))
    frame["protocol"] = pd.Categorical(frame["protocol"].astype(str), categories=list(plan.protocols))
    return frame.sort_values(["subject", OCCASION], kind="stable").reset_index(drop=True)


def at_visits(frame: pd.DataFrame, visits: tuple[str, ...]) -> pd.DataFrame:
    """Return the rows at some visits, which are the only categories left."""
    found = frame[frame["visit"].isin(visits)].copy()
    found["visit"] = found["visit"].cat.set_categories(list(visits))
    return found


def own_visits(plan: StudyPlan, protocol: str) -> tuple[str, ...]:
    """Return the visits of the models that one protocol plans."""
    beyond = plan.treatment_visits[plan.protocols[protocol] :]
    return tuple(visit for visit in plan.model_visits if visit not in beyond)


def shared_visits(data: StudyData, plan: StudyPlan) -> tuple[str, ...]:
    """Return the visits that every protocol plans; nothing else may compare protocols.

    Raises
    ------
    DurabilityNotEstimable
        One of them follows the treatment, and a protocol was hardly rated there.
    """
    own = [own_visits(plan, protocol) for protocol in plan.protocols]
    shared = tuple(visit for visit in plan.model_visits if all(visit in visits for visits in own))
    require_comparable_follow_up(data, shared, tuple(plan.protocols))
    return shared


def baseline_of(frame: pd.DataFrame, scale: str, plan: StudyPlan) -> pd.Series:
    """Return each subject's score at the first visit, by subject; missing where there is none."""
    first = frame[frame["visit"] == plan.model_visits[0]]
    return first.set_index("subject")[scale]


def by_visit(frame: pd.DataFrame, scale: str, visits: tuple[str, ...]) -> pd.DataFrame:
    """Return one row a subject, one column a visit."""
    rows = frame[frame["visit"].isin(visits)]
    table = rows.set_index(["subject", "visit"])[scale].unstack("visit")  # noqa: PD010  # subject and visit are a key
    return table.reindex(columns=list(visits))
