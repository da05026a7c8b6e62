"""The data of a study: treatments are numbered, occasions counted, and courses belong to their patients."""

from dataclasses import replace

import numpy as np

from harness.cohorts import fixture_cohort
from harness.importing import import_table
from harness.importing.simulated_clinic import study_export
from harness.study.reading import study_data


def test_the_raw_export_holds_the_scores_of_the_shipped_cohort(ketamine):
    shipped = fixture_cohort("ketamine_real")
    for scale in ("madrs", "gad7"):
        ours = ketamine.data.cohort.numeric[scale]
        theirs = shipped.numeric[scale]
        assert sorted(ours[~np.isnan(ours)]) == sorted(theirs[~np.isnan(theirs)])
    assert ketamine.data.cohort.n_subjects == 209
    assert sorted(ketamine.data.protocol_of.values()).count("four") == 94


def test_the_raw_export_is_what_its_recipe_writes(ketamine):
    assert study_export().encode() == ketamine.plan.data.read_bytes()
    assert study_export(1, {"four": 2, "six": 2}) != study_export(2, {"four": 2, "six": 2})


def test_treatments_and_occasions_are_numbered_by_their_visits(ketamine):
    cohort = ketamine.data.cohort
    visits = np.array(cohort.factors["visit"].levels)[cohort.factors["visit"].codes]
    follow_up = np.char.startswith(visits, "fu_")
    assert np.isnan(cohort.numeric["treatment"][follow_up]).all()
    assert np.isnan(cohort.numeric["occasion"][follow_up]).all()
    numbers = np.array([float(label[3:]) for label in visits[~follow_up]])
    assert (cohort.numeric["treatment"][~follow_up] == numbers).all()
    assert (cohort.numeric["occasion"][~follow_up] == numbers - 1).all()


def test_models_may_count_follow_up_as_occasions_where_both_arms_have_it(beat_the_blues):
    cohort = beat_the_blues.data.cohort
    assert set(cohort.numeric["occasion"]) == {0.0, 1.0, 2.0, 3.0, 4.0}


def test_protocols_stand_in_the_order_of_the_plan(ketamine):
    turned = replace(ketamine.plan, protocols={"six": 6, "four": 4})
    data = study_data(import_table(turned.data, turned.mapping), turned)
    assert data.cohort.factors["protocol"].levels == ("six", "four")
    assert data.protocol_of == ketamine.data.protocol_of


def test_courses_are_planned_as_long_as_their_protocol(ketamine):
    data = ketamine.data
    for scale in ("madrs", "gad7"):
        assert {data.courses[scale][subject].planned for subject, own in data.protocol_of.items() if own == "six"} == {
            6
        }
        assert set(data.courses[scale]) == set(data.protocol_of)


def test_a_file_that_tells_no_protocols_apart_has_one(ketamine):
    mapping = replace(ketamine.plan.mapping, protocols=())
    plan = replace(ketamine.plan, mapping=mapping, protocols={"all": 6})
    data = study_data(import_table(plan.data, mapping), plan)
    assert set(data.protocol_of.values()) == {"all"}
