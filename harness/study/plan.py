"""What a study declares before it looks at the data: everything that changes a result."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from harness.importing.mapping import ImportMapping
from harness.scoring import EndOfTreatment, FollowUp, ImprovementRule, RelapseRule, RemissionRule

Denominator = Literal["observed", "locf", "nri"]
TimeAxis = Literal["visit", "week"]
PrimaryTest = Literal["chi-square", "fisher"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScalePlan:
    """One scale: the column of its total, the instrument (MADRS, GAD-7, one from a file), and when it is remitted."""

    name: str
    instrument: str
    remission: RemissionRule
    relapse: RelapseRule | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyPlan:
    """The declared plan, as a study file has it.

    Attributes
    ----------
    name, title, data, mapping
        Of the study; the raw file and how it is read (`harness.importing`).
    protocols
        Labels of the protocols, the reference first, and how many treatments each plans.
    treatment_visits, follow_up_visits
        Labels of visits before each treatment, in order, and of those after the last one.
    model_visits
        Labels of the visits that mixed and trajectory models use: those in treatment unless the file names others.
    scales
        One or more.
    improvement
        What counts as a response, a partial response, and so on.
    end_of_treatment, force_different_ends, alternative_ends
        By protocol; whether protocols may end by different rules, which is then reported; and by name, rules for all
        protocols that the sensitivity table tries.
    denominator, sensitivity_denominators, carry_baseline
        The primary one and those of the sensitivity table.
    adjust_for
        For what differences of rates are adjusted: covariates, and "baseline" for the scale's own baseline.
    time_axis
        Of mixed and trajectory models: the number of the visit, or weeks since the first treatment.
    follow_up
        Windows of follow-up visits; None for a study without follow-up.
    primary_test
        Of two rates.
    classes, orders, starts, seed, bootstrap_replicates
        Numbers of classes tried, the order of their curves, and how they are searched.
    predictors
        Columns that may predict class membership; never a baseline score of the same scale.
    covariates
        Columns of the first table.
    small_cell_limit
        Counts from 1 up to one less than this are withheld.
    cross_check
        Whether estimates are compared with R where it is installed.
    charts
        How many patients there were before the file was made, by step ("screened", "eligible"), as somebody counted.
    sha256
        Hash of the study file; empty for a plan made in Python.
    """

    name: str
    title: str
    data: Path
    mapping: ImportMapping
    protocols: dict[str, int]
    treatment_visits: tuple[str, ...]
    follow_up_visits: tuple[str, ...]
    scales: tuple[ScalePlan, ...]
    improvement: ImprovementRule
    end_of_treatment: dict[str, EndOfTreatment]
    denominator: Denominator
    time_axis: TimeAxis
    primary_test: PrimaryTest
    seed: int
    model_visits: tuple[str, ...] = ()
    force_different_ends: bool = False
    alternative_ends: dict[str, EndOfTreatment] = field(default_factory=dict)
    sensitivity_denominators: tuple[Denominator, ...] = ()
    carry_baseline: bool = False
    adjust_for: tuple[str, ...] = ()
    follow_up: FollowUp | None = None
    classes: tuple[int, ...] = (1, 2, 3, 4, 5, 6)
    chosen_classes: dict[str, int] = field(default_factory=dict)
    reason_for_classes: str = ""
    order: int = 2
    starts: int = 100
    bootstrap_replicates: int = 0
    predictors: tuple[str, ...] = ()
    covariates: tuple[str, ...] = ()
    small_cell_limit: int = 11
    cross_check: bool = True
    charts: dict[str, int] = field(default_factory=dict)
    sha256: str = ""

    def __post_init__(self) -> None:
        if not self.model_visits:
            object.__setattr__(self, "model_visits", self.treatment_visits)
