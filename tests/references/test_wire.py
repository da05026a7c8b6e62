"""Values travel bit for bit; only a length is trusted, and only up to a limit."""

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from harness.references import wire


def there_and_back(value):
    framed = wire.frame(value)
    assert wire.frame_length(framed[: wire.HEADER]) == len(framed) - wire.HEADER
    return wire.unframe(framed[wire.HEADER :])


@given(hnp.arrays(np.uint64, hnp.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=4)))
def test_every_bit_pattern_of_a_double_survives(bits):
    doubles = bits.view(np.float64)
    back = there_and_back({"x": doubles})["x"]
    assert back.shape == doubles.shape
    assert np.array_equal(np.ascontiguousarray(back).view(np.uint64), bits)


@given(st.lists(st.one_of(st.none(), st.text()), min_size=1))
def test_text_survives_whatever_it_holds(text):
    assert there_and_back(text) == text


def test_an_empty_character_vector_is_not_an_empty_list():
    assert isinstance(there_and_back(wire.Text()), wire.Text)
    assert not isinstance(there_and_back([]), wire.Text)


def test_a_tree_keeps_its_shape():
    tree = {"terms": [[{"column": "v1", "power": 2}], []], "nothing": None, "flag": True}
    back = there_and_back(tree)
    assert back["nothing"] is None
    assert back["terms"][1] == []
    assert back["terms"][0][0]["column"] == ["v1"]
    assert back["terms"][0][0]["power"].item() == 2
    assert back["flag"].item() is True


def test_missing_doubles_are_told_from_other_nans():
    values = wire.with_missing(np.array([1.0, np.nan, np.nan]), np.array([False, True, False]))
    assert wire.is_missing(values).tolist() == [False, True, False]
    assert np.isnan(values[1:]).all()


def test_marking_missing_leaves_the_column_alone():
    column = np.array([1.0, 2.0])
    column.flags.writeable = False
    wire.with_missing(column, np.array([True, False]))
    assert column.tolist() == [1.0, 2.0]


@pytest.mark.parametrize("value", [np.array([2**31]), np.array([1.0], dtype=np.float32), object(), np.array(["a"])])
def test_what_r_can_not_hold_is_refused_before_it_leaves(value):
    with pytest.raises(TypeError, match="can't travel"):
        wire.frame({"x": value})


def test_a_length_that_no_frame_has_is_refused():
    with pytest.raises(ValueError, match="a frame of"):
        wire.frame_length(struct.pack(">Q", 2**60))
