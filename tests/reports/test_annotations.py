"""Annotations: few, one a cause, and no text of a run can become a workflow command of its own."""

from dataclasses import replace

from harness.comparison.run import Skipped
from harness.comparison.traces import Trace
from harness.comparison.verdict import Attribution, Outcome
from harness.reports import annotations


def disagreeing(comparison, **changes):
    return replace(comparison, outcome=Outcome.DISAGREE, **changes)


def test_agreement_is_not_annotated(sample_runs):
    assert annotations.render(sample_runs["all agree, live"]) == ()


def test_disagreements_of_one_cause_share_an_annotation(sample_runs):
    comparison = sample_runs["all agree, live"].comparisons[0]
    alike = [
        disagreeing(comparison, case=f"case {k}", attribution=Attribution.HESSIAN, sentence="Errors differ.")
        for k in range(7)
    ]
    other = disagreeing(comparison, attribution=Attribution.INPUT, sentence="A row is lost.")
    lines = annotations.render(replace(sample_runs["mixed"], comparisons=(other, *alike)))
    assert len(lines) == 2
    assert lines[0].startswith(
        "::error title=lme4%3A hessian::Disagreement with lme4 in 7 comparisons:"
        " case 0, case 1, case 2, case 3, case 4 and 2 more. Errors differ."
    )


def test_there_are_at_most_ten_and_the_last_one_counts_the_rest(sample_runs):
    comparison = sample_runs["all agree, live"].comparisons[0]
    many = tuple(
        disagreeing(comparison, attribution=cause, right=replace(comparison.right, engine=engine))
        for cause in list(Attribution)[:4]
        for engine in ("lme4", "nlme", "mmrm")
    )
    lines = annotations.render(replace(sample_runs["mixed"], comparisons=many))
    assert len(lines) == 10
    assert lines[-1] == "::error title=Cross-check::3 more kinds of findings: see the report."


def test_no_text_ends_a_command_or_begins_another(sample_runs):
    evil = "x\n::set-output name=a::b\r\n%0A::error::c"
    comparison = sample_runs["all agree, live"].comparisons[0]
    bad = disagreeing(comparison, case=evil, sentence=evil, right=replace(comparison.right, engine=f"{evil},file=a"))
    run = replace(
        sample_runs["mixed"],
        comparisons=(bad,),
        notes=(evil,),
        skipped=(Skipped(case=evil, reference=evil, reason=evil),),
    )
    lines = annotations.render(run)
    assert len(lines) == 3
    for line in lines:
        assert line.isprintable()
        assert line.startswith(("::error title=", "::warning title="))
        assert "," not in line[: line.index("::", 2)]
        assert "%0A::error::c" not in line
    assert annotations.escape("50 %\r\n") == "50 %25%0D%0A"


def test_nothing_compared_drift_and_stale_entries_are_said(sample_runs):
    (failed, nothing, *_) = annotations.render(sample_runs["nothing compared"])
    assert failed.startswith("::error title=nlme%3A engine::")
    assert nothing.startswith("::error title=Nothing compared::")
    trace = Trace(
        case="a", engine="lme4", started=("1",), ratios=(0.5,), digits=(3.0,), distances=(0.1,), warning="It rose."
    )
    (drift,) = annotations.render(replace(sample_runs["pinned only"], traces=(trace,)))
    assert drift == "::warning title=Drift::1 comparison came nearer to a limit. It rose."
