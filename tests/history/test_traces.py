"""The past of a comparison, its warnings, and both at the command line."""

import json
from dataclasses import replace

import pytest

from harness import cli, runs
from harness.errors import HistoryError, Problem
from harness.history import append, last_traces, remembered
from harness.reports import console, history_console

from .conftest import DAYS, ERROR, run_of, verdict

CASE = "sleepstudy__random_slope_reml"


def after(path, shares, **given):
    """Return the trace of the last of several runs."""
    for k, share in enumerate(shares):
        run = remembered(run_of(verdict(share=share), started=f"2026-01-{k + 1:02}", **given), path)
    (trace,) = run.traces
    return trace


def test_a_run_gets_the_past_of_its_comparisons(path):
    trace = after(path, [0.1, 0.2, 0.3])
    assert trace.ratios == pytest.approx((0.1, 0.2, 0.3))
    assert trace.started == ("2026-01-01", "2026-01-02", "2026-01-03")
    assert trace.digits == (7.0, 7.0, 7.0)
    assert trace.distances == (3e-7,) * 3
    assert not trace.warning


def test_only_the_last_runs_are_looked_at(path):
    assert after(path, [0.1] * 40).started[0] == "2026-01-11"


def test_a_step_is_told_at_once_with_the_version_that_changed(path):
    after(path, [0.05] * 8)
    trace = after(path, [0.5], lme4="1.1-35")
    assert "0.5 of the limit at fixed[days].standard_error" in trace.warning
    assert "10 times what it was" in trace.warning
    assert "lme4 1.1-31 became 1.1-35" in trace.warning


def test_a_step_without_a_new_version_says_so(path):
    assert "no version changed with it" in after(path, [0.05] * 8 + [0.5]).warning


def test_a_step_behind_something_nearer_to_its_limit_is_told(path):
    for share in [0.05] * 8 + [0.5]:
        run = remembered(run_of(verdict(DAYS, 0.6, metric="standard errors"), verdict(share=share)), path)
    (trace,) = run.traces
    assert set(trace.ratios) == {0.6}
    assert ERROR in trace.warning
    assert DAYS not in trace.warning


def test_a_trend_is_told_with_how_far_it_is_from_the_limit(path):
    trace = after(path, [0.2 * 1.12**k for k in range(12)])
    assert "rising by 12 % a run: it reaches the limit within" in trace.warning


def test_other_data_and_another_source_begin_a_series_of_their_own(path):
    after(path, [0.05] * 8)
    assert after(path, [0.5], n_observations=179).ratios == (0.5,)
    assert after(path, [0.5], source="pinned").ratios == (0.5,)
    assert len(after(path, [0.05]).ratios) == 9


def test_the_last_of_each_case_and_engine_is_shown(path):
    after(path, [0.1], source="pinned")
    after(path, [0.2])
    append(run_of(verdict(share=0.3), case="orthodont", engine="nlme"), path)
    assert [(t.case, t.engine, t.ratios) for t in last_traces(path)] == [
        ("orthodont", "nlme", (0.3,)),
        ("sleepstudy", "lme4", (0.2,)),
    ]
    assert [trace.case for trace in last_traces(path, "orthodont")] == ["orthodont"]


# ---- in a terminal ----


def test_bars_are_on_a_logarithmic_scale():
    assert history_console.bars((0.0, 1e-6, 1e-3, 1.0, 50.0, None, float("nan"))) == "▁▁▅██··"


def test_warnings_come_first_and_again_in_the_report_of_the_run(path):
    after(path, [0.05] * 8)
    run = remembered(run_of(verdict(share=0.5)), path)
    quiet = replace(run.traces[0], case="another", warning="")
    shown = history_console.render([quiet, *run.traces])
    assert shown.startswith("2 comparisons, 1 warning\nWarning: sleepstudy lme4:")
    assert shown.index("sleepstudy lme4   ") < shown.index("another")
    assert "Warning: sleepstudy lme4: relative difference of standard errors" in console.render(run)


@pytest.fixture
def harness(tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        monkeypatch.setattr("sys.argv", ["harness", *arguments])
        try:
            cli.main()
            status = 0
        except SystemExit as end:
            status = end.code
        said = capfd.readouterr()
        return status, said.out, said.err

    return run


def test_two_checks_make_a_history_that_can_be_shown(harness, tmp_path):
    assert harness("check", CASE)[0] == harness("check", CASE)[0] == cli.AGREE
    status, output, _ = harness("history", CASE)
    assert status == 0
    (case,) = runs.read_cases([CASE])
    assert f"{len(case.references)} comparisons, 0 warnings" in output
    found = json.loads((tmp_path / "report" / "run.json").read_text())["run"]["traces"]
    assert {len(trace["started"]) for trace in found} == {2}


def test_a_history_may_lie_elsewhere(harness, tmp_path):
    assert harness("check", CASE, "--history", "kept/all.sqlite")[0] == cli.AGREE
    assert (tmp_path / "kept" / "all.sqlite").exists()
    assert harness("history", "--history", "kept/all.sqlite")[0] == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [(("history",), "no file 'report/history.sqlite'"), (("history", "sleepstudi"), "no file")],
)
def test_what_cannot_be_shown_is_one_error(harness, arguments, said):
    status, output, error = harness(*arguments)
    assert status == cli.USAGE
    assert not output
    assert said in error


def test_a_case_without_a_run_is_named_with_the_nearest(harness, path):
    append(run_of(verdict()), path)
    status, _, error = harness("history", "sleepstudi", "--history", str(path))
    assert status == cli.USAGE
    assert "no run of a case 'sleepstudi'" in error
    assert "Did you mean 'sleepstudy'?" in error


def test_a_file_that_is_no_history_is_refused_before_anything_is_fitted(harness, tmp_path, monkeypatch):
    monkeypatch.setattr("harness.crosscheck.solve", lambda _: pytest.fail("it was fitted"))
    (tmp_path / "h.sqlite").write_text("nothing of the sort" * 99)
    status, _, error = harness("check", CASE, "--history", "h.sqlite")
    assert status == cli.USAGE
    assert "not a database" in error


def test_a_history_that_is_lost_in_the_end_costs_no_report(harness, tmp_path, monkeypatch):
    def full(*_):
        raise HistoryError("history", [Problem(found="the disk is full", expected="room")])

    monkeypatch.setattr(cli, "remembered", full)
    status, output, error = harness("check", CASE)
    assert status == cli.USAGE
    assert "the disk is full" in error
    assert "AGREE" in output
    assert (tmp_path / "report" / "run.json").exists()
