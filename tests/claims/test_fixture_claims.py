"""The thirty claims of the fixture: twenty are right, ten are wrong in ways in which printed numbers are.

The right numbers are R's on the same file (R 4.2.2: `aggregate`, lmerTest 3.1, emmeans 1.8, flexmix 2.3 for the
classes), rounded. Each wrong one is a right number with one named mistake.
"""

import pytest

from harness.claims import Answer, read_claims, verify
from harness.locations import fixtures_folder

WRONG = {
    "age_four_digits": "it was rounded to fewer digits, and zeros were added",  # 46.17021
    "madrs_baseline_four": "two digits are transposed, for 31.12",  # 31.11702
    "madrs_baseline_six": "it is the standard error of the mean",  # SD 6.786, SE 0.633
    "gad7_subsample": "it is a mean of 26, another n",  # no 28 whole numbers have the mean 13.27
    "women_six": "it is that of protocol=four",  # 84 of 115
    "remission_six": "it is 12 of 115, another n",  # 12 of 105 observed are 11.4 %
    "week_interval": "it is a limit at 90 %",  # at 95 % -7.754 to -5.614
    "protocol_p": "it is one-sided",  # 0.13208
    "difference_test": "it has ten times these degrees of freedom",  # 248
    "classes_bic": "it is -2L + k log 998 (rows)",  # 209 subjects give 6427.2
}


def test_every_verdict_is_right(verification):
    answers = {one.claim.id: one.answer for one in verification.judged}
    assert len(answers) == 30
    expected = {key: Answer.INCONSISTENT if key in WRONG else Answer.CONSISTENT for key in answers}
    assert answers == expected


@pytest.mark.parametrize(("claim", "cause"), WRONG.items())
def test_the_mistake_is_among_the_causes(verification, claim, cause):
    (one,) = (one for one in verification.judged if one.claim.id == claim)
    assert cause in one.causes


def test_every_reason_names_what_was_computed_and_what_the_print_stands_for(verification):
    for one in verification.judged:
        for finding in one.deciding:
            assert finding.reason.endswith(".")
            if finding.stands_for is not None and finding.computed is not None:
                assert finding.stands_for.meets(finding.computed) == (finding.answer is Answer.CONSISTENT)


def test_without_data_only_arithmetic_speaks():
    rows = read_claims(fixtures_folder() / "claims" / "ketamine.csv")
    found = verify(rows)
    wrong = {one.claim.id for one in found.judged if one.answer is Answer.INCONSISTENT}
    assert wrong == {"gad7_subsample", "remission_six", "difference_test"}
    for one in found.judged:
        if one.answer is Answer.NOT_CHECKABLE:
            assert "no data are given" in one.findings[-1].reason
