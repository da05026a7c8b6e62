"""The figure shows each estimate once, on the scale on which it was judged."""

from io import BytesIO

import pytest

from harness.comparison.figure import differences, signed_difference
from harness.comparison.judge import judge
from harness.comparison.verdict import CrossEvidence


def figure_of(left, right):
    return differences(judge("", left, right, CrossEvidence()))


def labels(figure):
    return [text.get_text() for text in figure.axes[0].get_yticklabels()]


def test_every_estimate_with_a_standard_error_has_a_row(ours_gbtm, lcmm):
    figure = figure_of(ours_gbtm, lcmm)
    assert labels(figure) == [path.removesuffix(".estimate") for path in ours_gbtm.covariance.paths]


def test_the_sign_is_ours_minus_the_reference(ours_lmm, lme4, change, quantity):
    target = quantity(lme4, "fixed[days].estimate")
    moved = change(lme4, {target.path: target.value + 3 * target.standard_error})
    verdicts = judge("case", ours_lmm, moved, CrossEvidence()).verdicts
    found = next(v for v in verdicts if v.quantity == target.path)
    assert signed_difference(found) == pytest.approx(-3.0, rel=1e-9)


def test_a_large_difference_is_drawn_beyond_the_band_on_a_logarithmic_scale(ours_lmm, lme4, change):
    near, far = figure_of(ours_lmm, lme4), figure_of(ours_lmm, change(lme4, {"fixed[days].estimate": 20.0}))
    assert (near.axes[0].get_xscale(), far.axes[0].get_xscale()) == ("linear", "symlog")
    assert len(far.axes[0].lines) == len(near.axes[0].lines) + 1


def test_it_can_be_saved_for_regular_singular_and_empty_comparisons(
    ours_lmm, lme4, ours_singular, lme4_singular, crashed
):
    from dataclasses import replace

    failed = judge("case", ours_lmm, replace(lme4, failure=crashed), CrossEvidence())
    for figure in (figure_of(ours_lmm, lme4), figure_of(ours_singular, lme4_singular), differences(failed)):
        buffer = BytesIO()
        figure.savefig(buffer, format="svg")
        assert buffer.getvalue().startswith(b"<?xml")


def test_a_column_name_is_text_not_mathematics(ours_lmm, lme4):
    from dataclasses import replace

    def named(reading):
        quantities = tuple(replace(q, path=q.path.replace("[days]", r"[$\frac{1$]")) for q in reading.quantities)
        return replace(reading, quantities=quantities, covariance=None)

    figure_of(named(ours_lmm), named(lme4)).savefig(BytesIO(), format="svg")
