"""What a cell becomes, for cells that nobody thought of."""

import math

import numpy as np
import pandas as pd
from hypothesis import example, given
from hypothesis import strategies as st

from harness.cohorts import cohort_from_frame
from harness.cohorts.cells import convert
from harness.cohorts.levels import factor, is_label, sorted_levels
from harness.cohorts.schema import Column
from harness.cohorts.tables import Table

NUMBER = Column(name="x", role="covariate", source="x", missing=(-9.0, "not done"))
LABEL = Column(name="x", role="factor", source="x", missing=(-9.0, "not done"))
FINITE = st.floats(allow_nan=False, allow_infinity=False)


def cells(values, column, *, textual=True, decimal="."):
    lines = range(2, len(values) + 2)
    return convert(Table(header=["x"], columns={"x": values}, lines=lines, textual=textual), "x", column, decimal)


@given(FINITE)
@example(5e-324)
@example(1.7976931348623157e308)
@example(-0.0)
def test_a_number_written_with_all_its_digits_is_read_back_exactly(value):
    for text in (repr(value), f"{value:.17g}", f"{value:.17e}"):
        found = cells([text], NUMBER)
        assert not found.problems
        assert found.numbers[0] == value or value == -9.0


@given(FINITE)
def test_the_decimal_sign_does_not_change_a_number(value):
    with_comma = cells([repr(value).replace(".", ",")], NUMBER, decimal=",")
    np.testing.assert_array_equal(with_comma.numbers, cells([repr(value)], NUMBER).numbers)


@given(st.text(max_size=30))
@example("1" * 5000)
@example("0" * 5000)
@example("1_0")
@example("infinity")
@example("nan")
@example("1e5000")
@example("²")
def test_a_text_is_a_number_as_it_stands_or_missing_as_declared_or_reported(text):
    found = cells([text], NUMBER)
    if text in {"", "not done"}:
        assert not found.problems
        assert math.isnan(found.numbers[0])
    elif found.problems:
        assert len(found.problems) == 1
        assert found.problems[0].line == 2
        assert math.isnan(found.numbers[0])
        assert found.unfit[0]
        assert len(str(found.problems[0])) < 250
    else:
        assert set(text) <= set("0123456789+-.eE")
        assert found.numbers[0] == float(text) or float(text) == -9.0


@given(st.text(max_size=250))
@example("a" * 201)
@example(" a")
@example("a\u00a0")
@example("\ud800")
@example("-9")
def test_a_text_is_a_label_as_it_stands_or_missing_as_declared_or_reported(text):
    found = cells([text], LABEL)
    if text in {"", "not done", "-9"}:
        assert not found.problems
        assert found.labels == [None]
    elif is_label(text):
        assert not found.problems
        assert found.labels == [text]
    else:
        assert len(found.problems) == 1
        assert found.labels == [None]


@given(st.lists(st.one_of(st.none(), st.text(max_size=5), st.floats(), st.integers(), st.booleans()), max_size=20))
def test_every_typed_cell_is_a_value_or_missing_or_reported(values):
    for column in (NUMBER, LABEL):
        found = cells(values, column, textual=False)
        reported = {problem.line - 2 for problem in found.problems}
        assert reported == set(np.flatnonzero(found.unfit))
        kept = [row for row in range(len(values)) if not found.missing[row] and row not in reported]
        for row in kept:
            if column.is_numeric:
                assert found.numbers[row] == values[row]
                assert not isinstance(values[row], str | bool)
            else:
                assert found.labels[row]


@given(st.integers(min_value=-(10**190), max_value=10**190))
def test_integer_ids_of_any_size_are_exact_labels(value):
    found = cells([value], LABEL, textual=False)
    assert found.labels == [None if value == -9 else str(value)]


@given(st.lists(st.one_of(st.none(), st.sampled_from(["a", "b", "10", "9", "-1"])), max_size=30))
def test_a_factor_holds_its_labels(labels):
    made = factor(labels)
    assert [made.levels[code] if code >= 0 else None for code in made.codes] == labels
    assert set(made.levels) == {label for label in labels if label is not None}


@given(st.sets(st.integers()))
def test_whole_numbers_are_ordered_as_numbers(values):
    assert [int(label) for label in sorted_levels(map(str, values))] == sorted(values)


@given(
    st.lists(st.tuples(st.sampled_from("abc"), FINITE, st.one_of(st.none(), st.booleans())), min_size=1, max_size=20),
    st.randoms(use_true_random=False),
)
def test_the_hash_ignores_the_order_of_rows_and_nothing_else(rows, random):
    frame = pd.DataFrame(rows, columns=["id", "y", "arm"])
    expected = cohort_from_frame(frame, subject="id").sha256
    shuffled = list(rows)
    random.shuffle(shuffled)
    assert cohort_from_frame(pd.DataFrame(shuffled, columns=["id", "y", "arm"]), subject="id").sha256 == expected
    changed = frame.copy()
    changed.loc[0, "y"] = np.nextafter(changed.loc[0, "y"], 0) if changed.loc[0, "y"] else 5e-324
    assert cohort_from_frame(changed, subject="id").sha256 != expected
