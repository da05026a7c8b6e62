"""No size of a small class, nor what tells it, and no line of a patient in it, leaves the sections of models."""

import re
from dataclasses import replace

import pytest

from harness.study.class_choice import class_choice
from harness.study.class_description import class_description
from harness.study.class_tables import class_tables
from harness.study.disclosure import Gate
from harness.study.parts import Part, section_of
from harness.study.predictors import predictors
from harness.study.shown import count_cell, denominator
from harness.study.trajectories import fit_trajectories, sizes_of
from harness.study.trajectory_figures import trajectory_pictures
from harness.study.trajectory_models import begin_trajectory_models


@pytest.fixture(scope="module")
def small(real, plan, no_r):
    """Six classes of the MADRS, one of which is small."""
    wanted = replace(plan, classes=(6,), chosen_classes={"madrs": 6}, scales=plan.scales[:1], starts=30)
    (models,) = fit_trajectories(real.data, wanted, no_r)
    counts = sizes_of(models.fit.assignment, 6)
    assert 0 < counts.min() < 11, "another draw is needed"
    return models, wanted, counts


def test_sizes_and_shares_of_small_classes_are_withheld_with_what_tells_them(small, real):
    models, plan, counts = small
    part = class_description(models, real.data, plan)
    rows = next(table for table in part.tables if table.name == "madrs.adequacy").rows
    withheld = [g for g in range(6) if not isinstance(rows[g][2], int)]
    assert counts.argmin() in withheld
    assert len(withheld) >= 2, "one withheld size alone is the total less the others"
    for g in withheld:
        assert rows[g][1] in {"< 11", "\N{EN DASH}"}
        assert rows[g][3] is None
        assert rows[g][4] is None
        assert not any(each.path == f"madrs.class_{g + 1}.share" for each in part.estimates)
    for g in set(range(6)) - set(withheld):
        assert rows[g][2] == counts[g]


def test_the_table_of_all_numbers_withholds_the_smallest_class(small):
    models, plan, _ = small
    part = class_choice(models, plan)
    rows = next(table for table in part.tables if table.name == "madrs.numbers_of_classes").rows
    of_six = next(row for row in rows if row[0] == "6 classes")
    assert of_six[10] == "< 11"
    assert of_six[9] == "< 5.3"  # 11 of 209
    assert not any("person" in text for text in (*part.warnings, *part.paragraphs))


def test_small_classes_have_no_courses(small):
    models, plan, counts = small
    pictures = {picture.name: picture for picture in trajectory_pictures(models, plan)}
    svg = pictures["madrs-courses"].svg
    panels = re.split(r'<g id="axes_\d+">', svg)[1:]
    assert len(panels) == 6
    lines = [len(re.findall(r'<g id="line2d_\d+">\s*<path d="[^"]*" clip-path', panel)) for panel in panels]
    # Beside the courses a panel has its fitted curve.
    for g in range(6):
        shown = models.is_shown(g + 1)
        assert lines[g] - 1 == (counts[g] if shown else 0), g
    assert f"Class {counts.argmin() + 1}" in pictures["madrs-courses"].description or "no courses" in (
        pictures["madrs-courses"].description
    )
    assert "(&lt; 11)" in pictures["madrs-numbers"].svg


@pytest.fixture(scope="module")
def trajectories(real, plan, finished):
    return finished(begin_trajectory_models(real.models[1:], real.data, plan))


def test_nothing_passes_that_the_last_gate_would_stop(small, real, plan, *, mixed, missing, trajectories):
    gate = Gate(limit=plan.small_cell_limit)
    models, wanted, _ = small
    six = section_of(
        "S6",
        "six classes",
        [
            class_choice(models, wanted),
            class_description(models, real.data, wanted),
            Part(pictures=trajectory_pictures(models, wanted)),
        ],
    )
    others = predictors(real.models, real.data, plan), class_tables(real.models, plan)
    for section in (mixed, missing, trajectories, six, *others):
        assert section.tables
        assert gate.reasons(section) == []
        for table in section.tables:
            assert all(len(row) == len(table.header) for row in table.rows), table.name
        labels = [picture.name for picture in section.pictures]
        assert len(set(labels)) == len(labels)
        assert all(picture.description for picture in section.pictures)


def test_no_section_names_a_patient_or_describes_a_class_in_words(trajectories):
    cells = (str(row) for table in trajectories.tables for row in table.rows)
    words = " ".join([*trajectories.paragraphs, *trajectories.warnings, *cells])
    assert not re.search(r"\bK\d{3}\b", words)
    assert not re.search(r"respond(er|ing) class|rapid|gradual|persist", words)
    assert all(f"class {g}" in words for g in (1, 2, 3, 4))


def test_counts_are_shown_unless_they_or_the_rest_are_few():
    shown = {n: count_cell(n, 30, 11) for n in range(31)}
    assert all(shown[n] == "< 11" for n in range(1, 11))
    assert all(shown[n] == "> 19" for n in range(20, 30))
    assert all(shown[n] == n for n in (0, *range(11, 20), 30))
    assert [denominator(n, 30, 11) for n in (5, 15, 25, 30)] == [None, 15, None, 30]
