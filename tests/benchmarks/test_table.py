"""The table of all engines: on points made up, and one small run for which no R is needed."""

import math
import signal
import subprocess
from dataclasses import replace

import pytest

from benchmarks import table as of_engines
from benchmarks.engines import ENGINES, OURS, engine_of
from benchmarks.growth_figure import Curve, draw
from benchmarks.point import MOST_REPEATS, Point, _goes_on
from benchmarks.races import Timing
from benchmarks.tables import render

POINT = Point(
    seconds=(3.0, 1.0, 2.0),
    peak=300.0,
    before=250.0,
    rows=600,
    log_likelihood=-1000.0,
    beta=(1.0, 2.0),
    errors=(0.1, 0.5),
)


def rows(points, model="mixed"):
    """Return the rows of these points, by engine and number of subjects."""
    return tuple(
        of_engines.Row(engine=engine_of(model, name), n_subjects=n, point=point) for (name, n), point in points.items()
    )


def cells(of, engine, n_subjects):
    """Return the cells of one engine at one size, by column."""
    shown = of_engines.table(of, 3, 60.0)
    (line,) = (row for row in shown.rows if row[1:3] == (engine, str(n_subjects)))
    return dict(zip(shown.header, line, strict=True))


def test_the_median_of_the_fits_is_divided_by_ours():
    other = replace(POINT, seconds=(9.0, 8.0, 100.0))
    line = cells(rows({(OURS, 100): POINT, ("lme4", 100): other}), "lme4", 100)
    assert (line["seconds"], line["min-max"], line["fits"], line["times ours"]) == ("9", "8-100", "3", "4.5")
    assert (line["MiB"], line["MiB more"]) == ("300", "50")


def test_agreement_is_with_the_best_log_likelihood_whoever_reached_it():
    better = replace(POINT, log_likelihood=-999.9, beta=(1.01, 2.0))
    found = rows({(OURS, 100): POINT, ("lme4", 100): better})
    assert cells(found, "lme4", 100)["digits of logL"] == "best"
    ours = cells(found, OURS, 100)
    assert ours["digits of logL"] == "4.0"
    assert ours["worst beta"] == "1.0e-01"  # a hundredth, of which ten are one standard error of ours


@pytest.mark.parametrize("late", [True, False])
def test_a_size_without_a_result_is_shown_with_its_reason(late):
    failed = Point(failure="a fit took too long" if late else "no module named x", late=late)
    found = rows({(OURS, 100): POINT, ("nlme", 100): POINT, ("nlme", 1000): failed})
    assert cells(found, "nlme", 1000)["seconds"] == ("> 60" if late else "not run")
    printed = render(of_engines.table(found, 3, 60.0))
    assert ("not run: nlme: no module named x" in printed) is not late


def test_larger_sizes_are_not_run_once_a_fit_took_too_long(monkeypatch):
    asked = []

    def measure(engine, n_subjects, repeats, seconds):  # noqa: ARG001  # its signature
        asked.append((engine.name, n_subjects))
        return Point(failure="a fit took too long", late=True) if n_subjects == 1000 else POINT

    monkeypatch.setattr(of_engines, "in_a_process", measure)
    found = list(of_engines.measured([engine_of("mixed", "nlme")], [100, 1000, 10_000], 3, 60.0))
    assert asked == [("nlme", 100), ("nlme", 1000)]
    assert [row.point.late for row in found] == [False, True, True]


def test_the_exponent_is_read_from_the_largest_sizes():
    sizes = (100, 1000, 10_000, 100_000)
    assert of_engines.exponent(sizes, (5.0, 0.1, 1.0, 10.0)) == pytest.approx(1.0)
    assert of_engines.exponent((100, 1000), (1.0, 100.0)) == pytest.approx(2.0)
    assert math.isnan(of_engines.exponent((100,), (1.0,)))


def test_the_exponent_stands_beside_the_largest_size_that_was_measured():
    slow = replace(POINT, seconds=(20.0,))
    found = rows({(OURS, 100): POINT, (OURS, 1000): slow, (OURS, 10_000): Point(failure="late", late=True)})
    assert [cells(found, OURS, n).get("exponent") for n in (100, 1000, 10_000)] == ["", "1.00", ""]


def test_short_fits_are_repeated_more_often_and_long_ones_are_not():
    def timings(seconds, n):
        return [Timing(seconds=seconds, log_likelihood=0.0)] * n

    assert _goes_on([], 3, 60.0)
    assert _goes_on(timings(0.01, 5), 3, 60.0)
    assert not _goes_on(timings(0.01, MOST_REPEATS), 3, 60.0)
    assert not _goes_on(timings(1.0, 3), 3, 60.0)
    assert not _goes_on(timings(50.0, 1), 3, 60.0)  # two would take longer than patience lasts


def ended(code=0, out="", err=""):
    return lambda *_, **__: subprocess.CompletedProcess([], code, stdout=out, stderr=err)


@pytest.mark.parametrize(
    ("end", "late", "said"),
    [
        (ended(-signal.SIGPROF), True, "too long"),
        (ended(1, err="Traceback\nMemoryError: 9 GiB"), False, "MemoryError: 9 GiB"),
        (ended(-signal.SIGKILL), False, "exit status -9"),
        (ended(0, out="no json"), False, "exit status 0"),
    ],
)
def test_a_process_that_ends_without_a_point_says_how(monkeypatch, end, late, said):
    monkeypatch.setattr(subprocess, "run", end)
    point = of_engines.in_a_process(engine_of("mixed", "lme4"), 100, 3, 60.0)
    assert (point.late, point.seconds) == (late, ())
    assert said in point.failure


def test_the_figure_is_the_same_for_the_same_numbers(tmp_path):
    curves = [
        Curve(engine="harness", sizes=(100, 1000), seconds=(0.1, 1.0), exponent=1.0),
        Curve(engine="nlme", sizes=(100,), seconds=(1.0,), exponent=math.nan, late=1000),
        Curve(engine="pyreml", sizes=(), seconds=(), exponent=math.nan, late=100),
    ]
    for name in ("a.svg", "b.svg"):
        draw(tmp_path / name, {"a model": curves}, 60.0)
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()
    assert "harness, 1.00" in (tmp_path / "a.svg").read_text(encoding="utf-8")


def test_every_engine_of_a_model_has_a_name_of_its_own():
    assert len({(engine.model, engine.name) for engine in ENGINES}) == len(ENGINES)


def test_a_fit_that_takes_too_long_is_ended_by_the_system():
    point = of_engines.in_a_process(engine_of("mixed", "statsmodels"), 300, 1, 0.02)
    assert point.late


def test_a_small_run_prints_one_table_and_draws_its_figure(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(of_engines, "environment", lambda *_: "this machine")  # which would start R
    figure = tmp_path / "growth.svg"
    assert of_engines.main(["--sizes", "50", "--repeats", "2", "--only", OURS, "--figure", str(figure)]) == 0
    printed = capsys.readouterr().out
    assert [line.split()[:3] for line in printed.splitlines() if "harness" in line] == [
        ["mixed", "harness", "50"],
        ["classes", "harness", "50"],
    ]
    assert figure.read_text(encoding="utf-8").count("<svg") == 1


def test_bad_options_are_refused():
    with pytest.raises(SystemExit):
        of_engines.main(["--sizes", "0"])
    with pytest.raises(SystemExit):
        of_engines.main(["--only", "nobody"])
