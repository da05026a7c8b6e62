"""What a run is said to show."""

from dataclasses import replace

import pytest

from harness.comparison.verdict import FlatDirection, Outcome, RecomputedError
from harness.reports import console, html, markdown
from harness.reports.objectives import evidence_sentences
from harness.reports.ranking import outcome_of, ratio, worst
from harness.reports.summary import Overall, overall, pinned_in_short, summarise


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("all agree, live", Overall.AGREE),
        ("pinned only", Overall.AGREE),
        ("mixed", Overall.KNOWN),
        ("disagreement", Overall.DISAGREE),
        ("engine failure", Overall.DISAGREE),
        ("nothing compared", Overall.NOTHING),
        ("empty", Overall.NOTHING),
        ("singular", Overall.AGREE),
        ("many verdicts", Overall.DISAGREE),
    ],
)
def test_a_run_shows_no_more_than_it_holds(sample_runs, name, expected):
    assert overall(sample_runs[name]) is expected


def test_a_disagreement_inside_an_agreeing_comparison_is_not_hidden(sample_runs):
    run = sample_runs["hidden disagreement"]
    assert run.comparisons[0].outcome is Outcome.AGREE
    assert outcome_of(run.comparisons[0]) is Outcome.DISAGREE
    assert summarise(run).headline == "1 of 1 comparison disagrees"


def test_a_comparison_without_verdicts_is_not_agreement(sample_runs):
    comparison = replace(sample_runs["all agree, live"].comparisons[0], verdicts=())
    assert outcome_of(comparison) is Outcome.NOT_COMPARED


def test_skipped_comparisons_count_in_the_headline(sample_runs):
    assert summarise(sample_runs["disagreement"]).headline == (
        "2 of 6 comparisons disagree, 1 because an engine gave no answer; 1 was not compared"
    )


def test_an_engine_without_an_answer_is_told_from_a_number_that_differs(sample_runs):
    failed = summarise(sample_runs["engine failure"])
    assert failed.headline == "1 of 2 comparisons disagrees, because an engine gave no answer"
    assert failed.not_compared == (
        "nlme on sleepstudy__random_slope_reml: crashed: R ended with signal 9 during the fit.",
    )
    assert summarise(sample_runs["nothing compared"]).headline == "Nothing was compared; 2 comparisons asked for"


def test_a_part_that_was_skipped_is_in_the_verdict(sample_runs):
    run = replace(sample_runs["all agree, live"], skipped=sample_runs["nothing compared"].skipped)
    assert overall(run) is Overall.PARTIAL
    assert summarise(run).headline == "3 of 4 comparisons agree; 1 was not compared"


def test_headline_says_that_agreement_is_with_recorded_results_only(sample_runs):
    assert summarise(sample_runs["pinned only"]).headline.endswith("all against recorded results only")
    assert "1 against recorded results only" in summarise(sample_runs["mixed"]).headline
    assert "recorded" not in summarise(sample_runs["all agree, live"]).headline


def test_an_absent_engine_is_said_with_version_and_date_of_its_pins(sample_runs):
    (pinned,) = summarise(sample_runs["pinned only"]).pinned
    assert pinned.startswith(
        "lcmm was not installed; its recorded results (lcmm 2.2.2 with R 4.4.1, recorded 2025-11-02) were used"
    )


def test_an_engine_is_called_not_installed_only_if_the_environment_says_so(sample_runs):
    run = replace(sample_runs["pinned only"], environment={})
    (pinned,) = summarise(run).pinned
    assert pinned.startswith("lcmm was not run live; its recorded results")


def test_a_pin_without_a_date_says_so(sample_runs):
    run = sample_runs["pinned only"]
    (comparison,) = run.comparisons
    undated = replace(comparison, right=replace(comparison.right, versions={"lcmm": "2.2.2"}))
    assert "(lcmm 2.2.2, date not recorded)" in summarise(replace(run, comparisons=(undated,))).pinned[0]


def test_every_reason_for_not_comparing_is_given(sample_runs):
    summary = summarise(sample_runs["disagreement"])
    reasons = (*summary.not_compared, *summary.not_given)
    assert any("flexmix on" in text and "fits no random effects" in text for text in reasons)
    assert any("nlme on" in text and "crashed: R ended with signal 9" in text for text in reasons)
    assert any("lcmm, 1 quantity in 1 comparison" in text and "prints no entropy" in text for text in reasons)


def test_the_same_reason_is_said_once(sample_runs):
    run = sample_runs["nothing compared"]
    skipped = tuple(replace(run.skipped[0], case=f"case_{k}") for k in range(9))
    (first, *_) = summarise(replace(run, skipped=skipped)).not_compared
    assert first == "flexmix on case_0, case_1, case_2, case_3 and 5 more: flexmix fits no random effects."


@pytest.mark.parametrize("render", [console.render, markdown.render, html.render], ids=["console", "markdown", "html"])
@pytest.mark.parametrize("name", ["disagreement", "nothing compared", "pinned only", "engine failure"])
def test_every_report_says_first_what_limits_the_run(sample_runs, render, name):
    text = " ".join(render(sample_runs[name]).replace("\\", "").split())
    summary = summarise(sample_runs[name])
    for claim in (*summary.pinned, *summary.not_compared, summary.headline):
        assert claim in text
        assert text.index(claim) < text.index("computed")


def test_ratio_to_the_limit_knows_zero_limits_and_nan(sample_runs):
    exact, close, *_ = sample_runs["all agree, live"].comparisons[0].verdicts
    assert ratio(exact) == 0.0
    assert ratio(replace(exact, observed=1.0)) == float("inf")
    assert ratio(replace(close, observed=float("nan"))) == float("inf")
    assert ratio(replace(close, observed=-0.02, limit=0.01)) == pytest.approx(2.0, rel=1e-15)
    assert ratio(replace(close, observed=None)) is None


def test_a_quantity_that_one_side_lacks_is_worse_than_any_difference(sample_runs):
    lost = next(c for c in sample_runs["disagreement"].comparisons if c.permutation and c.outcome is Outcome.DISAGREE)
    missing = replace(lost.verdicts[0], right_value=None, observed=None, limit=None, outcome=Outcome.DISAGREE)
    assert worst(replace(lost, verdicts=(*lost.verdicts, missing))) is missing


def test_worst_is_the_verdict_farthest_beyond_its_limit(sample_runs):
    lost = next(c for c in sample_runs["disagreement"].comparisons if c.outcome is Outcome.DISAGREE)
    assert worst(lost).quantity == "sigma.estimate"


def test_flat_directions_and_standard_errors_computed_again_are_told_of_a_disagreement(sample_runs):
    comparison = next(c for c in sample_runs["disagreement"].comparisons if c.outcome is Outcome.DISAGREE)
    flat = FlatDirection(weights={"fixed[week]": -0.5, "sigma": 1.0}, information=2e-9)
    errors = tuple(RecomputedError(quantity=f"fixed[x{k}]", at_left=0.5, at_right=0.5, said=0.7) for k in range(5))
    evidence = replace(comparison.evidence, flat=flat, errors=errors)
    told = " ".join(evidence_sentences(replace(comparison, evidence=evidence)))
    assert "bends least along sigma (+1), fixed[week] (-0.5): information 2e-9." in told
    assert "of fixed[x0] is 0.5 at the optimum of harness and 0.5 at that of lcmm, which says 0.7." in told
    assert "3 more standard errors were computed again." in told
    agreeing = replace(comparison, evidence=evidence, outcome=Outcome.AGREE)
    assert "bends least" not in " ".join(evidence_sentences(agreeing))


def test_many_pinned_engines_are_one_sentence_at_the_top_of_every_report(sample_runs):
    (comparison,) = sample_runs["pinned only"].comparisons
    many = tuple(replace(comparison, right=replace(comparison.right, engine=f"engine{k}")) for k in range(9))
    run = replace(sample_runs["pinned only"], comparisons=many)
    said = "No reference was run live; 9 rest on the recorded results of 9 engines."
    assert pinned_in_short(run) == said
    assert said in html.render(run)
    assert said in markdown.render(run)
    assert f"Pinned: {said}" in console.render(run)
