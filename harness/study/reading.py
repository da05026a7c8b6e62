"""Read the data of a study: the import, and the course of every patient on every scale."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from harness.arrays import Vector, read_only
from harness.cohorts.cohort import Cohort, Factor
from harness.cohorts.levels import factor
from harness.importing import Imported, import_table
from harness.scoring import Course, courses
from harness.study.data import StudyData
from harness.study.firewall import require_no_pooled_follow_up
from harness.study.plan import StudyPlan


def read_data(plan: StudyPlan) -> StudyData:
    """Return the data of a study.

    Raises
    ------
    CohortError
        The file breaks the rules of its import; all problems are listed.
    ScoringError
        Courses that can't be: two ratings of a patient on one day, or in another order than the treatments.
    DurabilityNotEstimable
        The plan's models pool protocols over a follow-up that one of them lacks.
    """
    return study_data(import_table(plan.data, plan.mapping), plan)


def study_data(imported: Imported, plan: StudyPlan) -> StudyData:
    """Return the data of a study from what was imported; errors are those of `read_data`."""
    protocol_of = _protocols(imported.cohort, plan)
    cohort = _with_occasions(imported.cohort, protocol_of, plan)
    data = StudyData(
        imported=imported,
        cohort=cohort,
        courses={scale.name: _courses(cohort, scale.name, protocol_of, plan) for scale in plan.scales},
        protocol_of=protocol_of,
    )
    require_no_pooled_follow_up(data, plan.model_visits)
    return data


def _protocols(cohort: Cohort, plan: StudyPlan) -> dict[str, str]:
    """Return the protocol of each subject: the only one, where the file tells none apart."""
    subjects = cohort.subjects
    if "protocol" not in cohort.factors:
        return dict.fromkeys(
            (subjects.levels[code] for code in sorted(set(subjects.codes))), next(iter(plan.protocols))
        )
    own = cohort.factors["protocol"]
    pairs = zip(subjects.codes.tolist(), own.codes.tolist(), strict=True)
    found = {subjects.levels[subject]: own.levels[protocol] for subject, protocol in pairs}
    return {subject: found[subject] for subject in subjects.levels if subject in found}


def _with_occasions(cohort: Cohort, protocol_of: Mapping[str, str], plan: StudyPlan) -> Cohort:
    """Return the cohort with the numbers of treatments and occasions, protocols in the order of the plan."""
    visits = cohort.factors["visit"]
    labels = [visits.levels[code] for code in visits.codes]
    subjects = [cohort.subjects.levels[code] for code in cohort.subjects.codes]
    numeric = {name: values for name, values in cohort.numeric.items() if name != "infusion"}
    return replace(
        cohort,
        numeric={
            **numeric,
            "treatment": _places(labels, plan.treatment_visits) + 1,
            "occasion": _places(labels, plan.model_visits),
        },
        factors={
            **cohort.factors,
            "protocol": factor([protocol_of[subject] for subject in subjects], tuple(plan.protocols)),
        },
    )


def _places(labels: list[str], visits: tuple[str, ...]) -> Vector:
    place = {visit: float(k) for k, visit in enumerate(visits)}
    return read_only(np.array([place.get(label, np.nan) for label in labels]))


def _courses(cohort: Cohort, scale: str, protocol_of: Mapping[str, str], plan: StudyPlan) -> dict[str, Course]:
    """Return the courses on one scale; screening visits precede them and are not part of them."""
    rows = np.flatnonzero(~_is(cohort.factors["visit"], [v.name for v in plan.mapping.visits if v.screening]))
    subjects = [cohort.subjects.levels[code] for code in cohort.subjects.codes[rows]]
    return courses(
        subjects,
        cohort.numeric["day"][rows],
        cohort.numeric["treatment"][rows],
        cohort.numeric[scale][rows],
        {subject: plan.protocols[protocol] for subject, protocol in protocol_of.items()},
    )


def _is(column: Factor, labels: list[str]) -> np.ndarray:
    return np.isin(column.codes, [column.levels.index(label) for label in labels if label in column.levels])
