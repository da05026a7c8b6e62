"""Parts of the page: matrix of digits, curves, drift, consensus; and how large the page may become."""

import math
import re
from dataclasses import replace

import pytest

from harness.comparison.consensus import Consensus, Dissent
from harness.comparison.curves import CurvePair
from harness.comparison.traces import Trace
from harness.comparison.triangle import Moved, Mover, Triangle
from harness.comparison.verdict import Outcome
from harness.reports.html import render
from harness.reports.html_beyond import beyond_pairs, sparkline
from harness.reports.html_comparison import commands
from harness.reports.html_curves import curves
from harness.reports.html_digits import digits_matrix

LINE = CurvePair(
    label="all",
    times=tuple(range(11)),
    left=tuple(10.0 - t for t in range(11)),
    right=tuple(10.0 - 0.9 * t for t in range(11)),
    observed=((0.0, 9.5), (10.0, 0.5)),
    along="week",
    outcome="madrs",
)


def polylines(drawing):
    found = re.findall(r'<polyline points="([^"]+)"', drawing)
    return [[tuple(map(float, point.split(","))) for point in points.split()] for points in found]


def text_of(page):
    return " ".join(re.sub(r"<[^>]+>", " ", page.replace("<wbr>", "")).split())


def with_curves(sample_runs, *pairs):
    return replace(sample_runs["mixed"].comparisons[0], curves=pairs)


def test_a_row_of_the_matrix_says_digits_marks_and_cause(sample_runs):
    shown = text_of(digits_matrix(sample_runs["disagreement"]))
    assert "case reference cause data coefficients variances class shares posteriors" in shown
    row = shown[shown.index("ketamine_sharp__quadratic_3_classes ✗ lcmm") :]
    assert row.startswith("ketamine_sharp__quadratic_3_classes ✗ lcmm local optimum same ✗ 0.0 ✗ 0.0 ✗ 0.0 ○")


def test_the_matrix_is_left_out_where_nothing_was_compared(sample_runs):
    assert digits_matrix(sample_runs["nothing compared"]) == ""


def test_both_curves_are_drawn_where_their_means_are(sample_runs):
    drawing = curves(with_curves(sample_runs, LINE))
    ours, theirs = polylines(drawing)
    assert len(ours) == len(theirs) == 2  # a line needs no points between its ends
    assert ours[0] == theirs[0]
    assert ours[1][1] - theirs[1][1] == pytest.approx(0.1 * (ours[1][1] - ours[0][1]), abs=0.2)
    assert drawing.count("<circle") == 2
    assert "the curves are at most 1 apart" in text_of(drawing)


def test_a_bend_is_not_straightened(sample_runs):
    bend = tuple(math.exp(-t) for t in LINE.times)
    ours, _ = polylines(curves(with_curves(sample_runs, replace(LINE, left=bend, right=bend, observed=()))))
    assert 4 < len(ours) <= 11
    assert ours[1][0] > ours[0][0]


@pytest.mark.parametrize(
    "pair",
    [
        replace(LINE, left=(math.nan, *LINE.left[1:])),
        replace(LINE, right=LINE.right[:-1]),
        replace(LINE, times=(), left=(), right=()),
        replace(LINE, right=(1e300, *LINE.right[1:])),
    ],
)
def test_curves_that_no_drawing_can_show_cost_the_picture_and_not_the_page(sample_runs, pair):
    assert curves(with_curves(sample_runs, pair)) == ""


@pytest.mark.parametrize("value", [0.0, 5e-324, -1e140, 1 + 1e-16])
def test_a_constant_or_strange_scale_is_drawn(sample_runs, value):
    flat = replace(LINE, times=(value,), left=(value,), right=(value,), observed=((value, value),))
    assert "NaN" not in curves(with_curves(sample_runs, flat))
    assert len(polylines(curves(with_curves(sample_runs, flat, LINE)))) == 4


def test_levels_of_a_factor_stand_under_the_axis(sample_runs):
    visits = replace(LINE, times=(0.0, 1.0), left=(3.0, 2.0), right=(3.0, 2.0), observed=(), levels=("base", "<end>"))
    drawing = curves(with_curves(sample_runs, visits))
    assert ">base</text>" in drawing
    assert "&lt;end&gt;</text>" in drawing


def test_more_curves_than_a_drawing_holds_are_counted(sample_runs):
    many = [replace(LINE, label=f"site {k}") for k in range(11)]
    drawing = curves(with_curves(sample_runs, *many))
    assert len(polylines(drawing)) == 16
    assert "3 more curves not drawn." in text_of(drawing)


def triangle(**changes):
    moved = Moved(quantity="sigma.estimate", ours=1.5, pinned=1.25, live=1.25, mover=Mover.OURS)
    given = Triangle(
        case="sleep",
        engine="lme4",
        recorded={"lme4": "1.1-31"},
        running={"lme4": "1.1-35"},
        ours_pinned=Outcome.DISAGREE,
        live_pinned=Outcome.AGREE,
        ours_live=Outcome.DISAGREE,
        mover=Mover.OURS,
        sentence="Ours moved.",
        moved=(moved,),
    )
    return replace(given, **changes)


def test_what_lies_beyond_pairs_says_so_where_there_is_nothing(sample_runs):
    shown = text_of(beyond_pairs(sample_runs["mixed"]))
    assert "No reference ran live beside its pin in this run." in shown
    assert "No history of earlier runs was kept." in shown
    assert "No case was fitted by three engines or more." in shown


def test_who_moved_is_said_with_the_three_values(sample_runs):
    still = triangle(mover=Mover.NOBODY, ours_pinned=Outcome.AGREE)
    run = replace(sample_runs["mixed"], triangles=(still, triangle()))
    shown = text_of(beyond_pairs(run))
    assert "Somebody moved in 1 of 2 comparisons." in shown
    assert (
        "sleep lme4 ours ✗ disagree ✓ agree ✗ disagree Ours moved. sigma.estimate: ours 1.5, pin 1.25, R 1.25." in shown
    )
    alone = text_of(beyond_pairs(replace(run, triangles=(still,))))
    assert "Nobody moved in 1 comparison." in alone
    assert "what happened" not in alone


def test_the_dissenter_is_named(sample_runs):
    dissent = Dissent(
        quantity="aic",
        values={"harness": 10.0, "lme4": 10.0, "nlme": 12.0},
        dissenter="nlme",
        sentence="It counts more.",
    )
    consensus = Consensus(
        case="sleep", engines=("harness", "lme4", "nlme"), unanimous=7, dissents=(dissent,), sentence=""
    )
    shown = text_of(beyond_pairs(replace(sample_runs["mixed"], consensus=(consensus,))))
    assert "1 case; all engines agree on 7 quantities that three or more of them give, and differ on 1." in shown
    assert "sleep aic nlme harness 10, lme4 10, nlme 12 It counts more." in shown


def trace(case="sleep", last=0.5, warning=""):
    return Trace(
        case=case,
        engine="lme4",
        started=("a", "b", "c"),
        ratios=(0.001, None, last),
        digits=(5.0, None, 2.0),
        distances=(0.0, None, 0.1),
        warning=warning,
    )


def test_the_history_that_warns_comes_first(sample_runs):
    run = replace(sample_runs["mixed"], traces=(trace(last=0.9), trace("other", 0.2, "It rose a hundredfold.")))
    shown = text_of(beyond_pairs(run))
    assert "1 comparison came a step nearer to a limit." in shown
    assert shown.index("It rose a hundredfold.") < shown.index("x 0.9")


def test_a_sparkline_rises_where_the_share_of_the_limit_rises():
    ((first, last),) = polylines(sparkline((0.001, None, 0.5)))
    assert last[0] > first[0]
    assert last[1] < first[1]
    assert "Shares of the limit over 2 runs, the last x 0.5" in sparkline((0.001, None, 0.5))
    assert sparkline((None, math.nan)) == "—"


def test_the_command_is_of_this_comparison_alone_where_it_can_be(sample_runs):
    live, pinned = sample_runs["mixed"].comparisons[:2]
    assert commands(live, "harness compare")[0] == f"harness compare {live.case}"
    assert commands(pinned, "harness compare")[0] == f"harness check {pinned.case}"
    own = "harness compare --data a.csv --spec b.toml"
    assert commands(live, own) == (own,)
    assert commands(replace(live, case="a; rm -rf"), "harness compare") == ("harness compare",)


def test_an_agreeing_comparison_costs_the_page_at_most_twelve_kilobytes(sample_runs):
    numbers = {f"fixed[x{k}].estimate": (1.0, 0.1) for k in range(200)}
    comparison = sample_runs["mixed"].comparisons[0]
    verdicts = tuple(replace(comparison.verdicts[1], quantity=path) for path in numbers)
    comparison = replace(comparison, verdicts=verdicts, curves=(LINE,) * 8)
    few, many = (len(render(replace(sample_runs["mixed"], comparisons=(comparison,) * n)).encode()) for n in (10, 60))
    assert (many - few) / 50 < 12_000
