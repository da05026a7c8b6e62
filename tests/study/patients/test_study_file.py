"""The study file: what changes a result must be declared, and all that is wrong is said at once."""

from fractions import Fraction

import pytest

from harness.errors import StudyError
from harness.scoring import EndOfTreatment, RelapseRule
from harness.study.study_file import read_study


def test_a_study_file_is_the_whole_plan(ketamine):
    plan = ketamine.plan
    assert plan.protocols == {"four": 4, "six": 6}
    assert plan.treatment_visits == plan.model_visits == ("inf1", "inf2", "inf3", "inf4", "inf5", "inf6")
    assert plan.follow_up_visits == ("fu_1wk", "fu_1mo")
    assert plan.follow_up is not None
    assert plan.follow_up.windows == ((4, 10), (20, 40))
    assert (plan.improvement.response, plan.improvement.partial) == (Fraction(1, 2), Fraction(1, 4))
    assert {scale.name: scale.remission.cut for scale in plan.scales} == {"madrs": 10, "gad7": 4}
    assert plan.scales[0].relapse == RelapseRule(by="score", cut=22)
    assert plan.end_of_treatment == dict.fromkeys(("four", "six"), EndOfTreatment())
    assert (plan.denominator, plan.sensitivity_denominators, plan.carry_baseline) == ("observed", ("locf", "nri"), True)
    assert (plan.primary_test, plan.time_axis, plan.seed) == ("chi-square", "visit", 20260701)
    assert len(plan.sha256) == 64


def test_a_trial_with_follow_up_in_both_arms_models_all_visits(beat_the_blues):
    plan = beat_the_blues.plan
    assert plan.treatment_visits == ("pre",)
    assert plan.model_visits == ("pre", *plan.follow_up_visits)
    assert plan.scales[0].instrument == "bdi2"


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("seed", "no `seed` in [study]"),
        ("reference", "no `reference` in [study]"),
        ("title", "no `title` in [study]"),
        ("data", "no `data` in [study]"),
        ("response", "no `response` in [outcomes]"),
        ("partial", "no `partial` in [outcomes]"),
        ("denominator", "no `denominator` in [outcomes]"),
        ("carry_baseline", "no `carry_baseline` beside 'locf'"),
        ("primary_test", "no `primary_test` in [outcomes]"),
        ("six", "no end of treatment of the protocol 'six'"),
        ("remission", "no `remission` in [scales."),
        ("time_axis", "no `time_axis` in [models]"),
        ("classes", "no `classes` in [models]"),
        ("order", "no `order` in [models]"),
        ("starts", "no `starts` in [models]"),
    ],
)
def test_what_changes_a_result_has_no_default(edited, key, said):
    if key == "six":
        path = edited(replace={'six = { rule = "last_preinfusion" }\n': ""})
    elif key == "remission":
        path = edited(replace={"remission = 10\n": ""})
    else:
        path = edited(without=[key])
    with pytest.raises(StudyError) as refusal:
        read_study(path)
    assert [problem.found for problem in refusal.value.problems if problem.found.startswith(said)]


@pytest.mark.parametrize("table", ["models", "study", "scales.gad7"])
def test_a_table_that_declares_results_can_not_be_left_out(edited, table):
    with pytest.raises(StudyError, match=rf"no \[{table}\]"):
        read_study(edited(replace={f"[{table}]": f"[fixture.{table}]"}))


def test_all_problems_are_told_at_once_each_with_its_line(edited):
    path = edited(
        replace={
            'denominator = "observed"': 'denominator = "everybody"',
            "remission = 4": "remission = 4.5",
            "starts = 50": "starts = 0",
            "response = [1, 2]": "response = [3, 2]",
            "window = [8, 12], target = 10": "window = [8, 12], target = 30",
            'time_axis = "visit"': 'time_axis = "visit"\nspline = 3',
            'predictors = ["age", "sex"]': 'predictors = ["age", "sexe"]',
        }
    )
    with pytest.raises(StudyError) as refusal:
        read_study(path)
    lines = path.read_text(encoding="utf-8").splitlines()
    words = {
        "everybody": "denominator",
        "remission = 4.5": "remission = 4.5",
        "starts = 0": "starts = 0",
        "response: ": "response = [3, 2]",
        "day 10: target 30": "target = 30",
        "spline": "spline = 3",
        "'sexe'": "predictors",
    }
    for found, line in words.items():
        problem = next(problem for problem in refusal.value.problems if found in problem.found)
        assert problem.line is not None
        assert line in lines[problem.line - 1], problem
    assert "Did you mean 'sex'" in str(refusal.value)


def test_problems_of_the_import_and_of_the_plan_are_told_together(edited):
    path = edited(
        replace={'total = "gad7_total"': 'total = "gad7_total"\nrange = [21, 0]', "starts = 50": "starts = 0"}
    )
    with pytest.raises(StudyError) as refusal:
        read_study(path)
    assert len(refusal.value.problems) == 2
    assert {"range [21.0, 0.0]", "starts = 0"} == {problem.found for problem in refusal.value.problems}


@pytest.mark.parametrize(
    ("replace", "said"),
    [
        ({"chosen = { madrs = 4, gad7 = 4 }": "chosen = { madrs = 9 }"}, "9 classes chosen for 'madrs'"),
        ({'reason = "': 'reason = ""  # "'}, "classes chosen without a `reason`"),
        ({'reference = "four"': 'reference = "five"'}, "reference 'five'"),
        ({"visits = 1, among": "visits = 3, among"}, "visits = 3"),
        ({'by = "score", cut = 22': 'by = "loss_of_response", cut = 22'}, "cut 22"),
        ({'sensitivity = ["locf", "nri"]': 'sensitivity = ["locf", "mi"]'}, "'mi'"),
        ({"small_cell_limit = 11": "small_cell_limit = 1"}, "small_cell_limit = 1"),
        ({"[scales.gad7]": "[scales.gad]"}, "no [scales.gad7]"),
        ({"response = [1, 2]": "response = false"}, "response: "),
        ({"window = [8, 12], target": "window = [8.5, 12], target"}, "window with parts of days"),
        ({"follow_up = [7, 3]": "follow_up = [7, 2.5]"}, "follow_up from 4.5 to 9.5 days"),
        ({'covariates = ["age"': 'covariates = ["weight"'}, "covariates names 'weight'"),
        ({'adjust_for = ["baseline"': 'adjust_for = ["first"'}, "adjust_for names 'first'"),
    ],
)
def test_declarations_that_contradict_each_other_are_refused(edited, replace, said):
    with pytest.raises(StudyError) as refusal:
        read_study(edited(replace=replace))
    assert said in str(refusal.value)


def test_protocols_may_end_differently_only_if_the_file_says_that_they_do(edited):
    six = {'six = { rule = "last_preinfusion" }': 'six = { rule = "window", window = [8, 12] }'}
    with pytest.raises(StudyError, match="protocols with different ends of treatment"):
        read_study(edited(replace=six))
    forced = six | {"carry_baseline = true": "carry_baseline = true\nforce_different_ends = true"}
    assert read_study(edited(replace=forced)).force_different_ends


@pytest.mark.parametrize("content", [b"[study", b'\xff\xfe[study]\nname = "x"', b""])
def test_what_is_no_study_file_is_refused(tmp_path, content):
    path = tmp_path / "study.toml"
    path.write_bytes(content)
    with pytest.raises(StudyError):
        read_study(path)


def test_a_study_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(StudyError, match="No such file"):
        read_study(tmp_path / "nothing.toml")
