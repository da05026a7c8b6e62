"""The doctor proves by doing, and R's side of the exchange changes nothing."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from harness.references import REFERENCES, installed_packages
from harness.references.doctor import examine
from harness.references.wire import MISSING_INTEGER

pytestmark = pytest.mark.needs_r

# R's strings hold anything but a zero byte.
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
ONE_R = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=50)


def test_everything_but_absent_packages_is_well(worker):
    findings = examine(worker)
    assert [finding.name for finding in findings if not finding.ok and finding.name not in REFERENCES] == []
    installed = installed_packages(worker)
    assert {finding.name for finding in findings if finding.ok} >= {"Python", "R", "rpy2", "BLAS", *installed}


@ONE_R
@given(hnp.arrays(np.uint64, hnp.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=4)))
def test_every_double_comes_back_from_r_bit_for_bit(worker, bits):
    back = worker.request("session.echo", {"x": bits.view(np.float64)}).value["x"]
    assert np.array_equal(np.ascontiguousarray(back).view(np.uint64), bits)


@ONE_R
@given(st.lists(st.integers(MISSING_INTEGER, -(MISSING_INTEGER + 1))))
def test_every_integer_comes_back_from_r(worker, numbers):
    sent = np.array(numbers, dtype=np.int64)
    assert worker.request("session.echo", {"x": sent}).value["x"].tolist() == numbers


@ONE_R
@given(
    st.lists(
        st.one_of(st.none(), st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))), min_size=1
    )
)
def test_text_comes_back_from_r(worker, text):
    assert worker.request("session.echo", {"x": text}).value["x"] == text


def test_masks_and_empty_vectors_come_back_from_r(worker):
    sent = {"mask": np.array([True, False]), "none": np.empty(0), "codes": np.empty(0, dtype=np.int64), "nothing": None}
    back = worker.request("session.echo", sent).value
    assert back["mask"].tolist() == [True, False]
    assert back["none"].shape == back["codes"].shape == (0,)
    assert back["nothing"] is None
