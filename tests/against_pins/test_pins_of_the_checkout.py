"""Every case has a pin of each of its references, and ours agrees with all of them."""

from harness.comparison.known import with_known
from harness.comparison.verdict import Attribution, Outcome
from harness.locations import fixtures_folder
from harness.references.pins import read_pin
from harness.roster import roster


def test_every_reference_of_a_case_has_a_pin_with_its_provenance(pinned):
    assert pinned.path.is_file(), "record it with `harness record`"
    pin = read_pin(pinned.path)
    assert (pin.case, pin.engine) == (pinned.name, pinned.reference)
    assert pin.reason
    runs_on = {"R", roster()[pin.engine].package} if pin.engine in roster() else {"python", "numpy", "scipy"}
    assert {*runs_on, "BLAS", "platform"} <= set(pin.reading.versions)


def test_no_pin_belongs_to_no_case(all_pinned):
    assert set((fixtures_folder() / "pins").iterdir()) == {pinned.path for pinned in all_pinned}


def test_ours_agrees_with_the_pin(pinned):
    comparison = pinned.comparison
    if comparison.outcome is Outcome.DISAGREE and pinned.accepted:
        verdicts = with_known(comparison.verdicts, comparison.attribution, pinned.accepted)
        assert all(verdict.outcome is not Outcome.DISAGREE for verdict in verdicts), comparison.sentence
    else:
        assert comparison.outcome is Outcome.AGREE, comparison.sentence


def test_an_entry_accepts_hardly_more_than_what_differs(entry, all_pinned):
    """What an entry accepts is not seen any more; so it may be no larger than three times what was looked at.

    Where an engine rounds, another processor rounds in another way, by no known factor.
    """
    concerned = [pinned for pinned in all_pinned if entry.concerns(pinned.name, pinned.reference)]
    verdicts = (verdict for pinned in concerned for verdict in pinned.comparison.verdicts)
    sizes = [v.observed / v.limit for v in verdicts if v.outcome is Outcome.DISAGREE and entry.covers(v.quantity)]
    assert sizes
    assert entry.at_most <= 3 * max(sizes) or entry.attribution is Attribution.FLOAT


def test_a_pin_gives_numbers_or_at_least_log_likelihoods(pinned):
    judged = [v for v in pinned.comparison.verdicts if v.outcome is Outcome.AGREE]
    anywhere = sum(v.quantity.startswith("objective[") for v in judged)
    assert anywhere >= 2 or len(judged) > anywhere, pinned.reading.conventions
    assert pinned.reading.quantities or set(pinned.reading.not_given), pinned.reading.conventions


NEVER_PINNED = ("no standard error of this estimate", "joint covariance of its estimates")
"""Ends of reasons: a pin holds values, and its standard errors are values of their own."""


def test_what_is_not_compared_is_excused_by_the_reference(pinned):
    reading = pinned.reading
    for verdict in pinned.judge(reading).verdicts:
        if verdict.outcome is Outcome.NOT_COMPARED and not verdict.reason.endswith(NEVER_PINNED):
            excuse = reading.reason_not_given(verdict.quantity)
            assert excuse, verdict
            # Without a fit nothing else is there to be judged either.
            assert verdict.reason == excuse or not reading.quantities
