"""The report as JUnit XML: a suite a case, a test a reference, so that CI systems list what disagrees.

Bounded: a comparison is one test, however many quantities it has; their counts are its properties and the worst of
them its text. What was not compared is skipped, never passed.
"""

import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping

from harness.comparison.run import Run
from harness.comparison.verdict import Comparison, Outcome
from harness.reports.objectives import evidence_sentences
from harness.reports.ranking import compared, disagreeing, outcome_of
from harness.reports.summary import Overall, engine_text, overall, summarise
from harness.reports.words import both, counted, name, number, sentence

_VERDICTS = 10
_SUITE_OF_THE_RUN = "the run as a whole"


def render(run: Run) -> str:
    """Return the run as JUnit XML."""
    root = ET.Element("testsuites", name="harness", time=_seconds(run.seconds))
    own = ET.SubElement(root, "testsuite", name=_SUITE_OF_THE_RUN, timestamp=sentence(run.started, 40))
    _add_properties(own, {"command": run.command, **run.environment})
    _add_the_run(own, run)
    for case in dict.fromkeys([*(c.case for c in run.comparisons), *(item.case for item in run.skipped)]):
        suite = ET.SubElement(root, "testsuite", name=name(case))
        for comparison in run.comparisons:
            if comparison.case == case:
                _add_comparison(suite, comparison)
        for item in run.skipped:
            if item.case == case:
                test = ET.SubElement(suite, "testcase", classname=name(case), name=name(item.reference), time="0")
                ET.SubElement(test, "skipped", message=sentence(item.reason, 240))
    for element in (*root, root):
        for tag, attribute in (("testcase", "tests"), ("failure", "failures"), ("error", "errors"), ("skipped",) * 2):
            element.set(attribute, str(len(element.findall(f".//{tag}"))))
    ET.indent(root, " ")
    return f'<?xml version="1.0" encoding="utf-8"?>\n{ET.tostring(root, encoding="unicode")}\n'


def _add_the_run(suite: ET.Element, run: Run) -> None:
    """Add what no single comparison would tell: that nothing was compared, or that a known difference is gone."""
    test = ET.SubElement(suite, "testcase", classname="run", name="something was compared", time="0")
    if overall(run) is Overall.NOTHING:
        ET.SubElement(test, "failure", message=summarise(run).headline, type="nothing compared")
    test = ET.SubElement(suite, "testcase", classname="run", name="known differences are still there", time="0")
    if run.notes:
        message = counted(len(run.notes), "note")
        ET.SubElement(test, "failure", message=message, type="note").text = "\n".join(
            sentence(note) for note in run.notes[:_VERDICTS]
        )


def _add_comparison(suite: ET.Element, comparison: Comparison) -> None:
    right = comparison.right
    spent = sum(side.seconds or 0.0 for side in (comparison.left, right))
    label = f"{name(right.engine)} ({right.source})"
    test = ET.SubElement(suite, "testcase", classname=name(comparison.case), name=label, time=_seconds(spent))
    outcome = outcome_of(comparison)
    cause = comparison.attribution.value if comparison.attribution else ""
    _add_properties(
        test,
        {
            "outcome": outcome.value,
            "attribution": cause,
            "compared": str(compared(comparison)),
            **{each.value: str(comparison.count(each)) for each in Outcome},
            "D": number(comparison.distance, 3) if comparison.distance is not None else "",
            "left": engine_text(comparison.left.engine, comparison.left.versions),
            "right": engine_text(right.engine, right.versions),
        },
    )
    if outcome is Outcome.NOT_COMPARED:
        ET.SubElement(test, "skipped", message=_reason(comparison))
    elif outcome is Outcome.DISAGREE:
        tag = "failure" if comparison.verdicts else "error"
        found = ET.SubElement(test, tag, message=_reason(comparison), type=cause or "disagree")
        found.text = "\n".join(_told(comparison))


def _reason(comparison: Comparison) -> str:
    return sentence(comparison.sentence, 240) or "no cause is given"


def _told(comparison: Comparison) -> Iterator[str]:
    if comparison.next_step:
        yield f"Next: {sentence(comparison.next_step)}"
    yield from evidence_sentences(comparison)
    found = disagreeing(comparison)
    for verdict in found[:_VERDICTS]:
        left, right = both(verdict.left_value, verdict.right_value)
        judged = f"{number(verdict.observed, 3)} of at most {number(verdict.limit, 3)} {sentence(verdict.metric, 80)}"
        yield f"{name(verdict.quantity)}: {left} and {right}; {judged}. {sentence(verdict.reason, 160)}".rstrip()
    if len(found) > _VERDICTS:
        yield f"and {counted(len(found) - _VERDICTS, 'more quantity disagrees', 'more quantities disagree')}"


def _add_properties(parent: ET.Element, values: Mapping[str, str]) -> None:
    properties = ET.SubElement(parent, "properties")
    for key, value in values.items():
        if value:
            ET.SubElement(properties, "property", name=name(key), value=sentence(value, 240))


def _seconds(value: float) -> str:
    return f"{value:.3f}"
