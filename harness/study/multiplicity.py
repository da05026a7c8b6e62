"""S11, multiplicity and software: how many tests this report makes, and what they would be as one family."""

import math
from collections.abc import Sequence

from harness.rates import holm
from harness.study.parts import Part, section_of
from harness.study.plan import StudyPlan
from harness.study.section import Estimate, Section, Table
from harness.study.shown import p_cell

KEY, TITLE = "S11", "Multiplicity and software"
ALPHA = 0.05
MOST = 20
"""Smallest p values that are listed."""
_POLICY = (
    "Tests are two-sided at the level 0.05. Named as primary before the data were looked at: the tests of response and "
    "remission of section S4 (one family, adjusted by Holm), and the test of visit by protocol of model B on each "
    "scale. Everything else describes; no claim rests on a single one of these p values."
)


def multiplicity(sections: Sequence[Section], plan: StudyPlan) -> Section:
    """Return the count of tests of all other sections, and their p values as one family.

    Parameters
    ----------
    sections
        Of the study, all but this one.
    plan
        Of the study.
    """
    tested = {section.key: [each for each in section.estimates if _is_test(each)] for section in sections}
    tested = {key: found for key, found in tested.items() if found}
    primary = [each for found in tested.values() for each in found if each.path.endswith(".visit_by_protocol.F")]
    every = [each for found in tested.values() for each in found]
    tables = [_counts(tested)]
    if primary:
        tables.append(_family("multiplicity.primary", "Visit by protocol on each scale, adjusted by Holm", primary))
    if every:
        smallest = sorted(every, key=lambda each: each.p or 0.0)
        tables.append(_listed(smallest[:MOST], every))
    sentence = (
        f"{len(every)} p values are printed in this report; if no hypothesis were false, about "
        f"{ALPHA * len(every):.0f} of them would lie below 0.05 by chance. Seed of all random parts: {plan.seed}."
    )
    return section_of(KEY, TITLE, [Part(paragraphs=(_POLICY, sentence), tables=tuple(tables))])


def _is_test(estimate: Estimate) -> bool:
    return estimate.p is not None and not math.isnan(estimate.p)


def _counts(tested: dict[str, list[Estimate]]) -> Table:
    rows = tuple(
        (key, len(found), sum((each.p or 0.0) < ALPHA for each in found), round(ALPHA * len(found), 1))
        for key, found in tested.items()
    )
    return Table(
        name="multiplicity.counts",
        caption="Tests by section",
        header=("section", "tests", "below 0.05", "expected by chance"),
        rows=rows,
        digits=(0, 0, 0, 1),
    )


def _family(name: str, caption: str, tests: Sequence[Estimate]) -> Table:
    adjusted = holm([each.p or 0.0 for each in tests])
    return Table(
        name=name,
        caption=caption,
        header=("test", "p", "p (Holm)"),
        rows=tuple((each.label, p_cell(each.p or 0.0), p_cell(p)) for each, p in zip(tests, adjusted, strict=True)),
    )


def _listed(smallest: Sequence[Estimate], every: Sequence[Estimate]) -> Table:
    adjusted = dict(zip((each.path for each in every), holm([each.p or 0.0 for each in every]), strict=True))
    return Table(
        name="multiplicity.smallest",
        caption=f"The {len(smallest)} smallest p values, and adjusted by Holm as if all {len(every)} were one family",
        header=("test", "p", "p (Holm, all)"),
        rows=tuple((each.label, p_cell(each.p or 0.0), p_cell(adjusted[each.path])) for each in smallest),
        notes=("Versions, platform and the command that makes this report again are listed at its end.",),
    )
