"""Accepted differences: read strictly, applied narrowly, expired on their day, missed when gone."""

from datetime import date

import pytest

from harness.comparison.judge import judge
from harness.comparison.known import KnownDifference, read_known, unused
from harness.comparison.verdict import Attribution, CrossEvidence, Outcome
from harness.errors import CaseError

TODAY = date(2026, 3, 1)
ENTRY = """
[[difference]]
case = "sleepstudy__*"
engine = "nlme"
quantity = "fixed[*].standard_error"
attribution = "hessian"
at_most = 60
reason = "nlme inflates standard errors of an ML fit by sqrt(n/(n-p))."
owner = "lmm"
expires = 2026-12-31
"""


@pytest.fixture
def toml(tmp_path):
    def write(text):
        path = tmp_path / "known_differences.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


@pytest.fixture
def entry(toml):
    (entry,) = read_known(toml(ENTRY), TODAY)
    return entry


@pytest.fixture
def inflated(lme4, change, quantity):
    from dataclasses import replace

    paths = [q.path for q in lme4.quantities if q.path.startswith("fixed[") and q.path.endswith("].standard_error")]
    return replace(change(lme4, {p: 1.0056 * quantity(lme4, p).value for p in paths}), engine="nlme")


def test_an_entry_is_read_with_its_types(entry):
    assert (entry.attribution, entry.expires, entry.owner) == (Attribution.HESSIAN, date(2026, 12, 31), "lmm")


def test_an_empty_file_accepts_nothing(toml):
    assert read_known(toml(""), TODAY) == ()


def test_a_known_difference_is_neither_agreement_nor_disagreement(ours_lmm, inflated, entry):
    comparison = judge("sleepstudy__slope", ours_lmm, inflated, CrossEvidence(), [entry], today=TODAY)
    assert comparison.outcome is Outcome.KNOWN
    assert comparison.attribution is Attribution.HESSIAN
    known = [v for v in comparison.verdicts if v.outcome is Outcome.KNOWN]
    assert len(known) == 2
    assert all("accepted by lmm until 2026-12-31" in v.reason for v in known)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("case", "orthodont__*"),
        ("engine", "lme4"),
        ("quantity", "fixed[*].estimate"),
        ("quantity", "fixed[days].standard_error"),
        ("attribution", Attribution.DEFINITION),
        ("at_most", 50.0),
        ("expires", date(2026, 2, 28)),
    ],
)
def test_an_entry_for_something_else_does_not_apply(ours_lmm, inflated, entry, field, value):
    from dataclasses import replace

    other = replace(entry, **{field: value})
    comparison = judge("sleepstudy__slope", ours_lmm, inflated, CrossEvidence(), [other], today=TODAY)
    assert comparison.outcome is Outcome.DISAGREE


@pytest.mark.parametrize("wrong", [15.3, float("nan"), None])
def test_an_entry_for_a_small_difference_accepts_no_gross_one(ours_lmm, inflated, change, entry, wrong):
    """One standard error is ten times too large, no number, or not given, beside another that differs as accepted."""
    from dataclasses import replace

    path = "fixed[days].standard_error"
    if wrong is None:
        right = replace(inflated, quantities=tuple(q for q in inflated.quantities if q.path != path))
    else:
        right = change(inflated, {path: wrong})
    comparison = judge("sleepstudy__slope", ours_lmm, right, CrossEvidence(), [entry], today=TODAY)
    assert comparison.outcome is Outcome.DISAGREE
    assert next(v for v in comparison.verdicts if v.quantity == path).outcome is Outcome.DISAGREE


@pytest.mark.parametrize("size", ["0.5", "-3", "inf", "nan", "true", '"100"'])
def test_a_size_that_is_no_number_of_limits_is_refused(toml, size):
    with pytest.raises(CaseError, match="a number of limits"):
        read_known(toml(ENTRY.replace("at_most = 60", f"at_most = {size}")), TODAY)


def test_an_entry_holds_on_its_last_day(ours_lmm, inflated, entry):
    comparison = judge("sleepstudy__slope", ours_lmm, inflated, CrossEvidence(), [entry], today=entry.expires)
    assert comparison.outcome is Outcome.KNOWN


def test_brackets_in_a_pattern_are_brackets(entry):
    assert entry.covers("fixed[days].standard_error")
    assert not entry.covers("fixedd.standard_error")


def test_an_entry_whose_difference_is_gone_is_reported(ours_lmm, lme4, inflated, entry, crashed):
    from dataclasses import replace

    def compared(case, right):
        return judge(case, ours_lmm, right, CrossEvidence(), [entry], today=TODAY)

    same = replace(lme4, engine="nlme")
    assert unused([entry], [compared("sleepstudy__slope", inflated)]) == ()
    assert unused([entry], [compared("sleepstudy__slope", same)]) == (entry,)
    assert unused([entry], [compared("orthodont__slope", same)]) == ()
    assert unused([entry], [compared("sleepstudy__slope", replace(same, failure=crashed))]) == ()
    assert unused([entry], []) == ()


def test_all_problems_are_listed_at_once(toml):
    text = (
        ENTRY.replace("owner", "ower").replace('"hessian"', '"unexplained"').replace("2026-12-31", '"soon"')
        + ENTRY.replace("2026-12-31", "2026-01-31")
        + ENTRY.replace('"nlme"', "7")
        + "\n[other]\n"
    )
    with pytest.raises(CaseError) as caught:
        read_known(toml(text), TODAY)
    shown = str(caught.value)
    for part in ("'ower'", "no 'owner'", "'unexplained'", "'soon'", "expired on 2026-01-31", "engine = 7", "'other'"):
        assert part in shown
    assert len(caught.value.problems) == 7


@pytest.mark.parametrize("text", ["difference = 3", "[[difference]\n", "difference = [1, 2]"])
def test_what_is_no_list_of_tables_is_refused(toml, text):
    with pytest.raises(CaseError):
        read_known(toml(text), TODAY)


def test_a_missing_file_is_one_clear_error(tmp_path):
    with pytest.raises(CaseError, match="readable TOML"):
        read_known(tmp_path / "known_differences.toml")


@pytest.mark.parametrize("cause", [Attribution.ENGINE, Attribution.LABELS, Attribution.UNEXPLAINED])
def test_some_causes_can_not_be_accepted(toml, cause):
    with pytest.raises(CaseError, match=cause):
        read_known(toml(ENTRY.replace("hessian", cause)), TODAY)


def test_entries_are_values(entry):
    assert entry == KnownDifference(**{name: getattr(entry, name) for name in KnownDifference.__slots__})
