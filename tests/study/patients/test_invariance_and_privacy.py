"""P9 and P11: labels and the order of rows change nothing, and no section shows a count from 1 to 10."""

import random
import re

import pytest

from harness.study.data_checks import data_checks
from harness.study.declaration import declaration
from harness.study.disclosure import Gate
from harness.study.durability import durability
from harness.study.flow import flow
from harness.study.rates_section import rates_section
from harness.study.reading import read_data
from harness.study.study_file import read_study
from harness.study.table_one import table_one

SECTIONS = (declaration, data_checks, flow, table_one, rates_section, durability)


def test_new_labels_and_another_order_of_rows_change_nothing(ketamine, edited, tmp_path):
    header, *rows = ketamine.plan.data.read_text(encoding="utf-8").split("\nMRN-")
    rows = [f"MRN-{row}".rstrip("\n") for row in rows]
    random.Random(5).shuffle(rows)  # noqa: S311  # an order, not a secret
    renamed = [re.sub(r"^MRN-(\d+)", lambda found: f"X{int(found[1]) * 7 % 100_003}", row) for row in rows]
    (tmp_path / "ketamine_redcap.csv").write_text("\n".join([header, *renamed]) + "\n", encoding="utf-8")
    plan = read_study(edited(folder=tmp_path))
    data = read_data(plan)
    for make in SECTIONS[1:]:
        assert make(data, plan) == make(ketamine.data, ketamine.plan), make.__name__


def test_sections_are_the_same_twice(study):
    for make in SECTIONS:
        assert make(study.data, study.plan) == make(study.data, study.plan), make.__name__


@pytest.mark.parametrize("make", SECTIONS, ids=lambda make: make.__name__)
def test_no_section_shows_a_small_count_or_a_date(study, make):
    assert Gate(limit=study.plan.small_cell_limit).reasons(make(study.data, study.plan)) == []


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_no_section_of_other_cohorts_does_either(ketamine, simulated, seed):
    data = simulated(seed)
    for make in SECTIONS:
        assert Gate(limit=11).reasons(make(data, ketamine.plan)) == [], make.__name__


def test_no_section_holds_a_label_of_a_patient_or_an_original_one(ketamine):
    raw = ketamine.plan.data.read_text(encoding="utf-8")
    labels = set(re.findall(r"MRN-\d+", raw)) | set(ketamine.data.protocol_of)
    dates = set(re.findall(r"20\d\d-\d\d-\d\d", raw))
    for make in SECTIONS:
        told = repr(make(ketamine.data, ketamine.plan))
        assert not [label for label in labels if re.search(rf"\b{label}\b", told)], make.__name__
        assert not [date for date in dates if date in told], make.__name__
