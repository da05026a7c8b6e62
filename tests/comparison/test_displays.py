"""What a notebook prints for a comparison and a run is short, whatever they hold."""

from harness.runs import check, read_cases


def test_the_last_line_of_a_cell_prints_a_few_lines():
    run = check(read_cases(["sleepstudy__random_slope_reml"]), "harness check", lambda _: None)
    comparison = run.comparisons[0]
    assert repr(comparison) == str(comparison)
    assert repr(comparison).startswith("sleepstudy__random_slope_reml: harness and ")
    assert len(repr(comparison)) < 1000
    assert repr(run).startswith("'harness check' of 20")
    assert len(repr(run)) < 300
    assert f"{len(run.comparisons)} comparisons, {len(run.skipped)} skipped" in repr(run)
