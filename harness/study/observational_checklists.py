"""STROBE for cohort studies and its extension RECORD for data collected for other purposes, item by item.

What an item asks for is said in our own words and in short; the published checklists are what counts.
"""

from collections.abc import Sequence

from harness.study.checklists import Checklist, Item, Place, filled
from harness.study.section import Section

_DECLARED, _CHECKS, _FLOW, _BASELINE = (Place(section=f"S{k}") for k in range(4))
_METHODS = Place(section="methods")

_STROBE = (
    Item(number="1", asks="design in the title, balanced abstract", remark="Title and abstract are the authors'."),
    Item(number="2", asks="background and reasons"),
    Item(number="3", asks="objectives and hypotheses"),
    Item(number="4", asks="key elements of the design", places=(_DECLARED,)),
    Item(number="5", asks="setting, places, dates", remark="No date is in this report; give the years."),
    Item(
        number="6",
        asks="who was eligible, how they were followed",
        places=(_FLOW,),
        remark="Sources of patients: authors.",
    ),
    Item(number="7", asks="outcomes, exposures, predictors", places=(Place(section="S0", part="outcomes"),)),
    Item(
        number="8",
        asks="how each was measured",
        places=(Place(section="S0", part="design"), Place(section="S0", part="import")),
    ),
    Item(number="9", asks="what was done against bias", places=(Place(section="S9"), Place(section="S10"))),
    Item(number="10", asks="how the size came about", remark="The size is in the flow; the reason is the authors'."),
    Item(number="11", asks="how quantities were handled and grouped", places=(Place(section="S0", part="outcomes"),)),
    Item(number="12a", asks="all statistical methods", places=(_METHODS,)),
    Item(number="12b", asks="subgroups and interactions", places=(Place(section="S5"),)),
    Item(number="12c", asks="missing data", places=(Place(section="S10"),)),
    Item(number="12d", asks="loss to follow-up", places=(Place(section="S9"), Place(section="S10"))),
    Item(number="12e", asks="sensitivity analyses", places=(Place(section="S4"), Place(section="S10"))),
    Item(number="13", asks="numbers at each stage, flow diagram", places=(_FLOW,)),
    Item(number="14", asks="characteristics, missing values, time of follow-up", places=(_BASELINE, _CHECKS)),
    Item(
        number="15",
        asks="numbers of outcomes, or summaries over time",
        places=(Place(section="S4"), Place(section="S5")),
    ),
    Item(number="16", asks="estimates with precision, cut points", places=(Place(section="S4"), Place(section="S5"))),
    Item(number="17", asks="other analyses", places=tuple(Place(section=f"S{k}") for k in (6, 7, 8, 9, 10))),
    Item(number="18", asks="key results"),
    Item(number="19", asks="limitations", remark="Warnings beside the results name many."),
    Item(number="20", asks="cautious interpretation"),
    Item(number="21", asks="generalisability"),
    Item(number="22", asks="funding"),
)
_RECORD = (
    Item(number="1.1", asks="kind of data, names of databases, in title or abstract"),
    Item(number="1.2", asks="region and years, in title or abstract"),
    Item(number="1.3", asks="linkage of databases, in title or abstract"),
    Item(
        number="6.1",
        asks="codes or algorithms that select patients",
        remark="Selection took place before the file was made.",
    ),
    Item(number="6.2", asks="validation of these"),
    Item(number="6.3", asks="flow of linkage"),
    Item(number="7.1", asks="codes and algorithms of outcomes and covariates", places=(Place(section="S0"),)),
    Item(number="12.1", asks="access of the investigators to the database"),
    Item(number="12.2", asks="cleaning of the data", places=(_CHECKS, Place(section="S0", part="import"))),
    Item(number="12.3", asks="level and methods of linkage"),
    Item(
        number="13.1", asks="selection of patients, with filters by quality and availability", places=(_FLOW, _CHECKS)
    ),
    Item(
        number="19.1",
        asks="misclassification, unmeasured confounding, missing data, eligibility that changes over time",
        places=(Place(section="S9"), Place(section="S10")),
        remark="If protocols follow one another in time, calendar time confounds them.",
    ),
    Item(number="22.1", asks="access to protocol, data and code", places=(Place(section="provenance"),)),
)


def strobe(sections: Sequence[Section]) -> Checklist:
    """Return STROBE for cohort studies, with links to what the report has."""
    return filled("STROBE", "von Elm et al. 2007, for cohort studies; in short words", _STROBE, sections)


def record(sections: Sequence[Section]) -> Checklist:
    """Return RECORD, with links to what the report has."""
    return filled("RECORD", "Benchimol et al. 2015, beyond STROBE; in short words", _RECORD, sections)
