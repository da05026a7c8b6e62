"""Checklists claim only what is there, and methods speak only of steps that were taken."""

from dataclasses import replace

import pytest

from harness.study.checklists import Item, Place, filled
from harness.study.grolts import grolts
from harness.study.methods import methods
from harness.study.observational_checklists import record, strobe
from harness.study.section import CrossCheck, Estimate, Section, Table

VERSIONS = {"Python": "3.11.2", "numpy": "2.2.0"}


def section(key, *names, **words):
    tables = tuple(Table(name=name, caption="c", header=("a",), rows=()) for name in names)
    return Section(key=key, title="t", tables=tables, **words)


def standing(checklist, number):
    (answer,) = (answer for answer in checklist.answers if answer.item.number == number)
    return answer.standing, [link.anchor for link in answer.links]


def test_an_item_is_answered_by_each_part_whose_name_fits():
    items = [Item(number="1", asks="x", places=(Place(section="S6", part="*.sizes"), Place(section="S6", part="*b*")))]
    found = filled("a", "b", items, [section("S6", "madrs.sizes", "other", "gad7.sizes", "b.sizes")])
    assert standing(found, "1") == ("reported", ["s6-table-1", "s6-table-3", "s6-table-4"])


def test_a_section_that_was_refused_answers_nothing():
    items = [Item(number="1", asks="x", places=(Place(section="S9"),))]
    refused = section("S9", warnings=("This step could not be taken.",))
    assert standing(filled("a", "b", items, [refused]), "1") == ("not in this report", [])
    assert standing(filled("a", "b", items, [section("S9", "t")]), "1") == ("reported", ["s9"])


def test_an_item_without_a_place_is_for_the_authors():
    assert standing(filled("a", "b", [Item(number="1", asks="x")], []), "1") == ("for the authors", [])


@pytest.mark.parametrize(
    ("make", "lines"), [(grolts, 21), (strobe, 26), (record, 13)], ids=["GRoLTS", "STROBE", "RECORD"]
)
def test_the_lists_are_whole(make, lines, plan_of):
    # GRoLTS has 16 items in 21 lines, STROBE 22 items of which number 12 has five lines, RECORD 13.
    answers = (make(plan_of(), []) if make is grolts else make([])).answers
    assert len(answers) == len({answer.item.number for answer in answers}) == lines


def test_an_empty_report_answers_only_what_every_report_has(plan_of):
    checklists = [grolts(plan_of(), []), strobe([]), record([])]
    anchors = {link.anchor for checklist in checklists for answer in checklist.answers for link in answer.links}
    assert anchors == {"methods", "provenance"}


def test_the_reason_for_the_number_of_classes_is_asked_for(plan_of):
    def remark(plan):
        return next(answer.item.remark for answer in grolts(plan, []).answers if answer.item.number == "10")

    assert "missing in the study file" in remark(plan_of())
    assert remark(plan_of(reason_for_classes="Declared beforehand.")) == ""


def test_methods_speak_of_no_step_that_was_not_taken(plan_of):
    plan = plan_of()
    first, *rest = methods(plan, [section("S5", warnings=("refused",))], VERSIONS)
    assert rest == [
        "All was computed by Python 3.11.2 and numpy 2.2.0, with random numbers from seed 7.",
        "No estimate was compared with R.",
    ]
    assert "fell by at least 50 % of the baseline" in first
    assert "a score of at most 10 on MADRS" in first


def test_methods_say_what_was_declared(plan_of):
    plan = plan_of(
        primary_test="fisher",
        sensitivity_denominators=("nri",),
        chosen_classes={"madrs": 4},
        reason_for_classes="Declared beforehand.",
        classes=(1, 2, 4),
        starts=30,
    )
    plan = replace(plan, scales=(*plan.scales, replace(plan.scales[0], name="gad7")))
    text = " ".join(methods(plan, [section(f"S{k}", "t") for k in range(12)], VERSIONS))
    for claim in (
        "Fisher's exact test, which was named beforehand",
        "those without a score as non-responders",
        "The number of classes was 4 for MADRS: Declared beforehand.",
        "1, 2 and 4 classes, each searched from at least 30 starts",
        "weeks since the first treatment",
        "on the visits that all of them plan only",
        "The most probable classes of MADRS and GAD-7 were crossed",
    ):
        assert claim in text


def test_methods_count_what_r_says(plan_of):
    def estimate(verdict):
        check = CrossCheck(verdict=verdict, engine="lme4 1.1-31", detail="")
        return Estimate(path="a", label="b", value=1.0, check=check)

    own = section("S5", estimates=tuple(map(estimate, ["agrees", "agrees", "disagrees", "not compared"])))
    assert methods(plan_of(), [own], VERSIONS)[-1] == (
        "Of 4 estimates, 3 were compared with R (lme4 1.1-31); 2 agreed."
    )
