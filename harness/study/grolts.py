"""GRoLTS, the guideline for reporting latent trajectory studies, item by item.

What an item asks for is said in our own words and in short; the published checklist is what counts.
"""

from collections.abc import Sequence

from harness.study.checklists import Checklist, Item, Place, filled
from harness.study.plan import StudyPlan
from harness.study.section import Section


def _in(section: str, *parts: str) -> tuple[Place, ...]:
    return tuple(Place(section=section, part=part) for part in parts) or (Place(section=section),)


def grolts(plan: StudyPlan, sections: Sequence[Section]) -> Checklist:
    """Return GRoLTS with links to what the report has.

    An item that only a person can answer is answered where the plan has the person's words.
    """
    reason = plan.reason_for_classes.strip()
    items = (
        Item(number="1", asks="metric of time", places=_in("S0", "models")),
        Item(number="2", asks="mean and variance of time within a visit", places=_in("S1", "timing")),
        Item(number="3a", asks="assumed mechanism of missing data", places=_in("S10")),
        Item(number="3b", asks="variables related to attrition", places=_in("S10")),
        Item(number="3c", asks="how missing data were handled", places=(*_in("methods"), *_in("S10"))),
        Item(number="4", asks="distribution of observed variables", places=_in("S3", "distribution*")),
        Item(number="5", asks="software", places=_in("provenance")),
        Item(
            number="6a",
            asks="other heterogeneity within classes",
            places=_in("S6", "*.numbers_of_classes", "*.class_sensitivity"),
        ),
        Item(
            number="6b",
            asks="other variances and covariances between classes",
            places=_in("S6", "*.class_sensitivity"),
        ),
        Item(number="7", asks="other shapes of trajectories", places=_in("S6", "*.one_class", "*.class_sensitivity")),
        Item(number="8", asks="covariates, if any, so that they can be replicated", places=_in("S7")),
        Item(number="9", asks="starts and final iterations", places=_in("S6", "*.numbers_of_classes", "*-search")),
        Item(
            number="10",
            asks="tools of model comparison, from a statistical point of view",
            places=(*_in("S6", "*.numbers_of_classes"), *(_in("S0", "models") if reason else ())),
            remark="" if reason else "The reason for the number of classes is missing in the study file.",
        ),
        Item(
            number="11",
            asks="number of fitted models, one class included",
            places=_in("S6", "*.numbers_of_classes"),
        ),
        Item(
            number="12",
            asks="patients per class for each model",
            places=_in("S6", "*.numbers_of_classes", "*.adequacy"),
            remark="Of models that are not reported, the size of the smallest class only.",
        ),
        Item(number="13", asks="entropy, if classification is an aim", places=_in("S6", "*.numbers_of_classes")),
        Item(number="14a", asks="plot of the final curves", places=_in("S6", "*-classes")),
        Item(number="14b", asks="plots for each model", places=_in("S6", "*-numbers")),
        Item(number="14c", asks="plot of curves with individual courses by class", places=_in("S6", "*-courses")),
        Item(
            number="15",
            asks="final classes in numbers",
            places=_in("S6", "*.adequacy", "*.class_means", "*.classes_by_protocol", "*.classes_at_end"),
        ),
        Item(number="16", asks="syntax", places=(*_in("provenance"), *_in("S0"))),
    )
    return filled("GRoLTS", "van de Schoot et al. 2017, 16 items in 21 lines; in short words", items, sections)
