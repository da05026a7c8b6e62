"""A project's cases as items of pytest: one a quantity, and none that passes without agreement."""

import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest

from harness.comparison.verdict import Attribution, Outcome
from harness.pytest_plugin import comparing
from harness.quantities import Reading

SIGMA = "cases/sleepstudy__random_slope_reml.toml::lme4::sigma.estimate"


@pytest.fixture
def judged(monkeypatch):
    """Have a quantity judged otherwise than it is."""

    def otherwise(of, **change):
        def compare(*arguments):
            found = compare_with(*arguments)
            verdicts = tuple(replace(v, **change) if v.quantity == of else v for v in found.verdicts)
            cause = {
                "attribution": Attribution.HESSIAN,
                "sentence": "Their Hessian is off.",
                "next_step": "Look at it.",
            }
            return replace(found, verdicts=verdicts, **cause)

        compare_with = comparing.compare_with
        monkeypatch.setattr(comparing, "compare_with", compare)

    return otherwise


def outcomes(result):
    return {key: value for key, value in result.parseoutcomes().items() if key not in {"seconds", "warnings", "second"}}


def test_nothing_is_collected_unless_it_is_asked_for(run):
    assert outcomes(run()) == {"passed": 1}


def test_nothing_is_imported_unless_it_is_asked_for(run, project):
    (project / "conftest.py").write_text(
        "import sys\n\ndef pytest_sessionfinish(session):\n"
        "    loaded = {'numpy', 'pandas', 'harness.cases', 'harness.pytest_plugin.session'} & set(sys.modules)\n"
        "    print('loaded', sorted(loaded))\n",
        encoding="utf-8",
    )
    run("-s", apart=True).stdout.fnmatch_lines(["*loaded []*"])


def test_every_quantity_is_an_item_under_its_case_and_engine(run):
    result = run("--harness=check", "--collect-only", "-q")
    names = [line for line in result.outlines if "::" in line]
    assert SIGMA in names
    assert "cases/two_rates__madrs_remission.toml::rates::fisher.p_value" in names
    assert len(names) == len(set(names)) > 100


def test_quantities_that_agree_pass_and_those_not_compared_are_skipped_with_a_reason(run):
    result = run("--harness=check", "-rs")
    found = outcomes(result)
    assert set(found) == {"passed", "skipped"}
    result.stdout.fnmatch_lines(["SKIPPED*not compared: *"])
    said = (
        f"harness: session reached its end; {found['passed'] - 1} quantities judged; *{found['skipped']} not compared"
    )
    result.stdout.fnmatch_lines([said])


def test_a_disagreement_tells_values_limit_basis_cause_and_next_step(run, judged):
    judged("sigma.estimate", outcome=Outcome.DISAGREE, right_value=25.7, observed=0.2, limit=0.001)
    result = run("--harness=check", "-k", "sigma.estimate")
    assert outcomes(result)["failed"] == 1
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    lines = ["*sigma.estimate of sleepstudy__random_slope_reml: ours and that of lme4 * disagree"]
    lines += [
        "  harness * 25.*",
        "  lme4 * 25.7*",
        "  observed * 0.2 *x 200 the limit",
        "  limit * 0.001",
        "  basis * *",
    ]
    lines += ["  cause * hessian: Their Hessian is off.", "  next step * Look at it."]
    result.stdout.fnmatch_lines(lines)
    result.stdout.no_fnmatch_line("*Traceback*")


def test_a_known_difference_is_expected_to_fail_with_its_reason_and_never_passes(run, judged):
    judged("sigma.estimate", outcome=Outcome.KNOWN, reason="Understood (accepted by us).")
    result = run("--harness=check", "-k", "sigma.estimate", "-rx")
    assert outcomes(result)["xfailed"] == 1
    result.stdout.fnmatch_lines(["XFAIL*known difference: Understood (accepted by us).*"])
    assert outcomes(run("--harness=check", "-k", "sigma.estimate", "--runxfail"))["failed"] == 1


def test_a_known_difference_that_has_disappeared_fails(run, project):
    (project / "known_differences.toml").write_text(
        '[[difference]]\ncase = "sleepstudy__random_slope_reml"\nengine = "lme4"\nquantity = "sigma*"\nat_most = 2.0\n'
        'attribution = "hessian"\nreason = "It was."\nowner = "us"\nexpires = 2999-12-31\n',
        encoding="utf-8",
    )
    result = run("--harness=check")
    assert outcomes(result)["failed"] == 1
    result.stdout.fnmatch_lines(["FAILED cases/sleepstudy*::lme4::known difference*"])


def test_a_stale_and_an_absent_pin_fail(run, project):
    table = project / "sleepstudy.csv"
    table.write_text(table.read_text(encoding="utf-8").replace("249.56", "249.57", 1), encoding="utf-8")
    schema = project / "cases" / "sleepstudy__random_slope_reml.toml"
    lines = [line for line in schema.read_text(encoding="utf-8").splitlines() if not line.startswith("sha256")]
    schema.write_text("\n".join(lines), encoding="utf-8")
    (project / "pins" / "two_rates__madrs_remission.rates.json").unlink()
    result = run("--harness=check")
    assert outcomes(result) == {"failed": 2, "passed": 1}
    result.stdout.fnmatch_lines(["*is stale: the cohort has changed*", "*has no recorded result*--harness=record*"])
    result.stdout.fnmatch_lines(["*2 failed without a comparison"])


def test_an_empty_comparison_fails(run, monkeypatch):
    def compare(*arguments):
        found = compare_with(*arguments)
        return replace(found, verdicts=(), outcome=Outcome.NOT_COMPARED)

    compare_with = comparing.compare_with
    monkeypatch.setattr(comparing, "compare_with", compare)
    result = run("--harness=check")
    assert outcomes(result) == {"failed": 2, "passed": 1}
    result.stdout.fnmatch_lines(["*nothing was compared with lme4*"])


def test_a_case_file_with_problems_is_an_error_that_lists_them(run, project):
    (project / "cases" / "wrong.toml").write_text('cohort = "two_rates"\nnonsense = 1\n[model]\nkind = "x"\n')
    (project / "cases" / "nothing.toml").write_text('[model]\nkind = "lmm"\nformula = "y ~ x"\n')
    result = run("--harness=check")
    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.fnmatch_lines(["case nothing: column 'data': None; expected the file of a table*"])
    result.stdout.fnmatch_lines(["case wrong: 2 problems", "*'nonsense'*", "*kind = 'x'*"])


def test_one_item_can_be_chosen(run):
    assert outcomes(run("--harness=check", SIGMA)) == {"passed": 1}


def test_cases_outside_the_test_paths_are_collected_too(run, project):
    (project / "tests").mkdir()
    (project / "test_other.py").rename(project / "tests" / "test_other.py")
    (project / "pytest.ini").write_text("[pytest]\ntestpaths = tests\n", encoding="utf-8")
    assert outcomes(run("--harness=check"))["passed"] > 100
    assert outcomes(run("--harness=check", "tests"))["passed"] == 1


def test_other_folders_can_be_named(run, project):
    (project / "cases").rename(project / "models")
    (project / "pins").rename(project / "said")
    (project / "pytest.ini").write_text(
        "[pytest]\nharness_cases = models/sleep*.toml models/none*.toml\nharness_pins = said\n", encoding="utf-8"
    )
    assert outcomes(run("--harness=check"))["passed"] > 80


def test_junit_has_an_item_a_quantity_with_what_it_rests_on(run, project):
    run("--harness=check", "--junitxml=junit.xml", "-k", "sigma.estimate")
    (case,) = ET.parse(project / "junit.xml").getroot().iter("testcase")  # noqa: S314  # it was written just now
    properties = {one.get("name"): one.get("value") for one in case.iter("property")}
    assert {"engine", "versions", "observed", "limit", "basis", "digits", "ours", "theirs"} <= set(properties)
    assert properties["quantity"] == "sigma.estimate"
    assert properties["engine"].startswith("lme4 1.")
    assert float(properties["observed"]) <= float(properties["limit"])
    assert float(properties["ours"]) == pytest.approx(25.5918, abs=1e-4)  # lme4's sigma of sleepstudy


def test_results_are_recorded_with_a_reason_and_can_be_checked(run, project, monkeypatch):
    class Lme4:
        def read(self, case, probes=(), start=None):  # noqa: ARG002  # an Engine's signature
            return replace(recorded.reading, source="live")

    recorded = comparing.read_pin(project / "pins" / "sleepstudy__random_slope_reml.lme4.json")
    assert isinstance(recorded.reading, Reading)
    (project / "pins" / "sleepstudy__random_slope_reml.lme4.json").unlink()
    monkeypatch.setattr(comparing.Comparer, "_running", lambda _: {"lme4": Lme4()})
    assert run("--harness=record").ret == pytest.ExitCode.USAGE_ERROR
    result = run("--harness=record", "--harness-reason=to see", "-rA")
    assert outcomes(result) == {"passed": 2, "skipped": 1}
    result.stdout.fnmatch_lines(["first recording, * values", "*session reached its end; 1 recorded; 1 not compared"])
    again = comparing.read_pin(project / "pins" / "sleepstudy__random_slope_reml.lme4.json")
    assert again.reason == "to see"
    assert outcomes(run("--harness=check", SIGMA)) == {"passed": 1}


def test_a_name_that_would_move_the_cursor_is_shown_escaped(run, judged):
    judged("sigma.estimate", quantity="\x1b[2J\nsigma::estimate")
    result = run("--harness=check", "--collect-only", "-q")
    assert any(line.endswith(r"lme4::\x1b[2J\nsigma::estimate") for line in result.outlines)


@pytest.mark.parametrize("pattern", ["/etc/*.toml", "../*.toml"])
def test_cases_lie_in_the_project(run, project, pattern):
    (project / "pytest.ini").write_text(f"[pytest]\nharness_cases = {pattern}\n", encoding="utf-8")
    assert run("--harness=check").ret == pytest.ExitCode.USAGE_ERROR
