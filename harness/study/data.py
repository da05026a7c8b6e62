"""The data of a study after import: one cohort, and the course of every patient on every scale."""

from collections.abc import Mapping
from dataclasses import dataclass

from harness.cohorts.cohort import Cohort
from harness.importing.pipeline import Imported
from harness.scoring import Course


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StudyData:
    """What every section of a study starts from.

    Attributes
    ----------
    imported
        The table after import, with its checks.
    cohort
        One row a visit: subject, protocol, visit, day, week, treatment (its number; missing afterwards), occasion (the
        place of the visit among those that models use, from 0; missing at others), the totals of all scales, and
        covariates.
    courses
        By scale, by subject: the ratings in order.
    protocol_of
        The protocol of each subject.
    """

    imported: Imported
    cohort: Cohort
    courses: Mapping[str, Mapping[str, Course]]
    protocol_of: Mapping[str, str]
