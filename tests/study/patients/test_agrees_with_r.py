"""Every estimate of patients, rates and follow-up is R's: prop.test, chisq.test, fisher.test, glm and t.test, live."""

import pytest

from harness.study.cross_check import cross_checks
from harness.study.durability import begin_durability, durability
from harness.study.rates_section import begin_rates_section, rates_section
from harness.study.table_one import begin_table_one, table_one

BEGIN = (begin_table_one, begin_rates_section, begin_durability)


@pytest.mark.needs_r("rates")
def test_every_estimate_agrees_with_r(study):
    with cross_checks(wanted=True) as checks:
        waiting = [later for begin in BEGIN for later in begin(study.data, study.plan, checks)]
        estimates = [estimate for later in waiting for estimate in later().estimates]
    assert len(estimates) >= 18
    wrong = {e.path: e.check for e in estimates if e.check is None or e.check.verdict != "agrees"}
    assert wrong == {}


def test_what_r_was_not_asked_has_no_verdict_and_is_otherwise_the_same(study):
    with cross_checks(wanted=False) as checks:
        for begin, plain in zip(BEGIN, (table_one, rates_section, durability), strict=True):
            (later,) = begin(study.data, study.plan, checks)
            found = later().estimates
            assert {estimate.check.verdict for estimate in found} <= {"not compared"}
            assert [(e.path, e.value) for e in found] == [
                (e.path, e.value) for e in plain(study.data, study.plan).estimates
            ]
