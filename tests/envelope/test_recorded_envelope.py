"""Every limit of the table lies between what was measured and what misleads, as fixtures/envelope.json recorded it."""

import json
from dataclasses import replace

import pytest

from harness.comparison.tolerances import Measure, Tolerance
from harness.envelope.record import FILE_NAME, limits_of, read_envelope, write_envelope
from harness.errors import CaseError
from harness.locations import fixtures_folder

PATH = fixtures_folder() / FILE_NAME
RECORDED = read_envelope(PATH)
LIMITS = tuple(limits_of(RECORDED.bounds))
MEASURED = [limit for limit in LIMITS if limit.is_measured]

# Engines that go on from lme4's fit have its table, and give neither its correlations nor its conditional modes.
ON_LME4 = {
    (engine, measure)
    for engine in ("lmerTest", "pbkrtest", "lme4_profile", "clubSandwich", "emmeans")
    for measure in ("CORRELATION", "CONDITIONAL_VARIANCE", "PREDICTION")
}
# Between two engines the larger limit holds, and ours is larger than these: they judge nothing.
BELOW_OURS = {
    *(("rates", measure) for measure in ("DISTANCE", "STATISTIC", "P_VALUE", "RELATIVE")),
    *(("means", measure) for measure in ("DISTANCE", "STATISTIC", "P_VALUE")),
}
# Every engine that gives such a number has a limit of its own, or no pin holds it, or nothing is simulated.
NO_NUMBERS = {
    *(("", measure) for measure in ("CONDITIONAL_VARIANCE", "COVARIANCE", "DF", "STATISTIC", "P_VALUE", "MONTE_CARLO")),
    *((engine, measure) for engine in ("lcmm", "statsmodels_one_class") for measure in ("COVARIANCE", "CORRELATION")),
    ("harness", "OBJECTIVE"),
    ("lme4_default", "RELATIVE"),
}
NOT_MEASURED = ON_LME4 | BELOW_OURS | NO_NUMBERS


def named(limit):
    return f"{limit.engine or 'default'}: {limit.measure.name}"


@pytest.mark.parametrize("limit", MEASURED, ids=named)
def test_a_limit_lies_between_what_was_seen_and_what_misleads(limit):
    assert limit.is_inside, [(b.floor, b.ceiling, b.where) for b in limit.bounds]


def test_the_limits_that_nothing_reaches_are_these_and_no_others():
    assert {(limit.engine, limit.measure.name) for limit in LIMITS if not limit.is_measured} == NOT_MEASURED


@pytest.mark.parametrize("limit", [limit for limit in MEASURED if limit.measure is not Measure.EQUALITY], ids=named)
def test_a_limit_that_someone_moves_out_of_its_envelope_is_found(limit):
    ceiling = min(bound.ceiling for bound in limit.bounds)
    floor = max(bound.floor for bound in limit.bounds)
    assert not moved(limit, ceiling).is_inside
    assert not moved(limit, 1.0).is_inside
    assert floor == 0 or not moved(limit, floor).is_inside


def moved(limit, to):
    return replace(limit, tolerance=Tolerance(limit=to, basis="a test"))


def test_nothing_was_outside_when_it_was_recorded():
    assert RECORDED.outside == ()
    assert RECORDED.comparisons > 300
    assert {"ours and the reference", "another seed", "two threads", "kernels of Nehalem"} <= {
        how for how, pairs in RECORDED.varied.items() if pairs
    }


def test_an_envelope_comes_back_as_it_was_written(tmp_path):
    assert read_envelope(write_envelope(RECORDED, tmp_path / "e.json")) == RECORDED


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"format": 2}', "[" * 5000])
def test_what_is_no_envelope_is_refused_with_one_error(tmp_path, content):
    path = tmp_path / "e.json"
    path.write_text(content)
    with pytest.raises(CaseError, match=r"expected an envelope as `harness envelope --record` writes it"):
        read_envelope(path)


def test_a_bound_without_a_number_is_refused(tmp_path):
    document = json.loads(PATH.read_text())
    del document["bounds"][0]["floor"]
    path = tmp_path / "e.json"
    path.write_text(json.dumps(document))
    with pytest.raises(CaseError, match="floor"):
        read_envelope(path)
