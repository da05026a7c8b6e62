"""Rows become courses whatever their order and the names of the subjects."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.errors import ScoringError
from harness.scoring import courses, end_response, sustained_response, time_to_response

TRIES = settings(max_examples=40, deadline=None)
ROWS = [
    # subject, day, treatment, score
    ("a", 0, 1, 30),
    ("a", 3, 2, 22),
    ("a", 10, 4, 14),
    ("a", 17, None, 13),
    ("b", 0, 1, 28),
    ("b", 4, 2, None),
    ("b", 7, 3, 27),
    ("c", 0, 1, 0),
    ("c", 3, 2, 0),
]


def built(rows, planned=4, **more):
    return courses(*zip(*rows, strict=True), planned, **more)


def outcomes(found):
    return {
        subject: (end_response(course), sustained_response(course), time_to_response(course))
        for subject, course in found.items()
    }


@TRIES
@given(st.permutations(ROWS))
def test_the_order_of_rows_changes_nothing(rows):
    assert built(rows) == built(ROWS)


@TRIES
@given(st.permutations(["a", "b", "c", "patient 7", "001"]))
def test_the_names_of_subjects_only_name_the_outcomes(names):
    new = dict(zip("abc", names, strict=False))
    renamed = outcomes(built([(new[subject], *rest) for subject, *rest in ROWS]))
    assert renamed == {new[subject]: outcome for subject, outcome in outcomes(built(ROWS)).items()}
    assert list(renamed) == sorted(renamed)


def test_ratings_that_are_absent_and_ratings_without_a_score_are_the_same():
    empty = [("a", 7, 3, None), ("a", 40, None, None), ("b", 10, 4, None), ("c", 7, 3, None)]
    assert outcomes(built([*ROWS, *empty])) == outcomes(built(ROWS))


def test_columns_of_frames_are_read_like_lists():
    frame = pd.DataFrame(ROWS, columns=["subject", "day", "treatment", "score"])
    nullable = frame.astype({"treatment": "Int64", "score": "Int64", "day": "int32"})
    for table in (frame, nullable):
        assert courses(*(table[column] for column in table), 4) == built(ROWS)
    whole = [1.0, 1, np.int64(1)]
    assert list(courses(whole, [0, 3, 7], [1, 2, 3], [30, 20, 10], 3)) == ["1"]


def test_planned_treatments_may_differ_between_subjects():
    found = built(ROWS, {"a": 4, "b": 6, "c": 4})
    assert [course.planned for course in found.values()] == [4, 6, 4]
    with pytest.raises(ScoringError, match="line 5: 0 planned treatments"):
        built(ROWS, {"a": 4, "c": 4})


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (("a", 3, None, 9), "line 10: the same subject and day as in line 2"),
        (("a", 5, 2, 9), "line 10: the same treatment as in line 2"),
        (("a", 12, 3, 9), "line 10: an earlier treatment than in line 3"),
        (("a", 5, None, 9), "line 3: a treatment after the rating in line 10, which has none"),
        (("a", 12, 5, 9), "line 10: treatment 5; expected at most 4, as planned"),
        (("a", None, 3, 9), "line 10, column 'day': no day"),
        (("a", 5, 0, 9), "line 10, column 'treatment': another number"),
        (("a", 5, 2.5, 9), "line 10, column 'treatment': another number"),
        (("a", 5, 3, "9"), "line 10, column 'score': a text of 1 characters"),
        ((None, 5, 3, 9), "line 10: no subject"),
        ((1.5, 5, 3, 9), "line 10: no subject"),
    ],
)
def test_rows_that_make_no_course_are_refused(row, message):
    with pytest.raises(ScoringError) as caught:
        built([*ROWS, row])
    assert message in str(caught.value)


def test_lines_are_those_of_the_file_and_all_problems_are_listed():
    with pytest.raises(ScoringError) as caught:
        built([*ROWS, ("a", 3, 2, 22), ("b", 4, 2, 20)], lines=range(2, 13))
    assert [(found.line, found.found) for found in caught.value.problems] == [
        (11, "the same subject and day as in line 3"),
        (11, "the same treatment as in line 3"),
        (12, "the same subject and day as in line 7"),
        (12, "the same treatment as in line 7"),
    ]
    with pytest.raises(ScoringError, match="different lengths"):
        courses(["a"], [0, 3], [1, 2], [30, 20], 2)
