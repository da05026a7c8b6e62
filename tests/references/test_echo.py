"""The echo of a request's columns: what counts as the same, and what becomes of it in a pin."""

import json
from dataclasses import replace

import numpy as np
import pytest

from harness.errors import CaseError, EngineError
from harness.locations import fixtures_folder
from harness.references import wire
from harness.references.echo import echo_is_exact, is_the_same
from harness.references.pins import read_pin, write_pin
from harness.references.requests import Request

HARD = wire.with_missing(np.array([0.1, -0.0, 5e-324, np.inf, np.nan, 1.0]), np.arange(6) == 5)
COLUMNS = {
    "v1": {"type": "double", "values": HARD},
    "v2": {"type": "factor", "codes": np.array([1, 2, wire.MISSING_INTEGER]), "n_levels": 2},
}


def back(**changes):
    """Return the columns as R sends them back: single values as arrays of one, text as lists, integers of 32 bits."""
    v1 = {"type": ["double"], "values": HARD.copy()}
    v2 = {"type": ["factor"], "codes": COLUMNS["v2"]["codes"].astype(np.int32), "n_levels": np.array([2])}
    return {"v1": {**v1, **changes}, "v2": v2}


def with_value(place, value):
    changed = HARD.copy()
    changed[place] = value
    return changed


def test_what_r_sends_back_is_what_was_sent():
    assert is_the_same(COLUMNS, back())


@pytest.mark.parametrize(
    "values",
    [
        with_value(0, float(np.float32(0.1))),
        with_value(0, np.nextafter(0.1, 1.0)),
        with_value(1, 0.0),
        with_value(5, np.nan),  # which was R's NA
        HARD[:-1],
        HARD[::-1].copy(),
        np.arange(6),
        None,
    ],
    ids=["single precision", "one bit", "sign of zero", "NA", "a row less", "order", "integers", "nothing"],
)
def test_any_other_bit_is_another_value(values):
    assert not is_the_same(COLUMNS, back(values=values))


def test_columns_are_the_same_under_the_same_names_only():
    there = back()
    assert not is_the_same(COLUMNS, {"v2": there["v2"], "v1": there["v1"]})
    assert not is_the_same(COLUMNS, {"v1": there["v1"]})
    assert not is_the_same(COLUMNS, {**there, "v3": there["v1"]})


class Worker:
    """A worker that answers, or raises, what it is given."""

    def __init__(self, answer):
        self.answer = answer

    def request(self, operation, payload, *, deadline=None):  # noqa: ARG002  # a worker's signature
        assert operation == "session.echo"
        if isinstance(self.answer, EngineError):
            raise self.answer
        return self

    @property
    def value(self):
        return {"columns": self.answer}


def test_an_r_without_an_echo_says_nothing_and_a_dead_one_is_a_failure():
    request = Request(payload={"columns": COLUMNS, "spec": {}}, names={}, levels={})
    assert echo_is_exact(Worker(back()), request) is True
    assert echo_is_exact(Worker(back(values=with_value(1, 0.0))), request) is False
    assert echo_is_exact(Worker(EngineError("session", "refused", "no operation of this name")), request) is None
    with pytest.raises(EngineError):
        echo_is_exact(Worker(EngineError("session", "crashed", "R ended")), request)


def test_a_pin_keeps_its_echo_and_an_edit_of_it_shows(tmp_path):
    """Pins that were recorded before there was an echo are as they were: none of theirs says anything of one."""
    pin = read_pin(fixtures_folder() / "pins" / "sleepstudy__random_slope_reml.lme4.json")
    assert "echo_is_exact" not in json.loads(write_pin(pin, tmp_path).read_text())["evidence"] or (
        pin.reading.evidence.echo_is_exact is not None
    )
    echoed = replace(pin.reading, evidence=replace(pin.reading.evidence, echo_is_exact=False))
    path = write_pin(replace(pin, reading=echoed), tmp_path)
    assert read_pin(path).reading.evidence.echo_is_exact is False
    path.write_text(path.read_text().replace('"echo_is_exact": false', '"echo_is_exact": true'))
    with pytest.raises(CaseError, match="sealed"):
        read_pin(path)
