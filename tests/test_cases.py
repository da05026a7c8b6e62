import textwrap
import tomllib
from dataclasses import fields

import numpy as np
import pytest

from harness.cases import read_case, read_own_case
from harness.errors import CaseError, InputError
from harness.gbtm.spec import GbtmSpec
from harness.lmm.spec import LmmSpec
from harness.runs import case_names, read_cases

LMM = """
cohort = "sleepstudy"
references = ["lme4"]

[model]
kind = "lmm"
formula = "reaction ~ days + (1 + days | subject)"
criterion = "ML"
"""

SCHEMA = """
[cohort]
name = "mine"

[columns.id]
role = "subject"

[columns.week]
role = "time"

[columns.score]
role = "outcome"
range = [0, 60]

[columns.arm]
role = "protocol"
"""

ROWS = "id,week,score,arm\n" + "".join(
    f"p{i},{week},{20 + i % 7 - week + (i * week) % 3},{'ab'[i % 2]}\n" for i in range(12) for week in range(4)
)


@pytest.fixture
def write(tmp_path):
    def write(name, text):
        path = tmp_path / name
        path.write_text(textwrap.dedent(text), encoding="utf-8")
        return path

    return write


def test_a_case_file_names_a_cohort_a_model_and_its_references(write):
    case = read_case(write("sleep__ml.toml", LMM))
    assert case.name == "sleep__ml"
    assert case.cohort.name == "sleepstudy"
    assert case.references == ("lme4",)
    assert isinstance(case.spec, LmmSpec)
    assert case.spec.criterion == "ML"


def test_references_default_to_those_that_are_fast(write):
    case = read_case(write("a.toml", LMM.replace('references = ["lme4"]', "")))
    assert case.references == ("lme4", "nlme", "lmerTest")


@pytest.mark.parametrize(
    ("formula", "references"),
    [
        ("reaction ~ days + (1 | subject) + (1 | days:subject)", ("lme4", "lmerTest")),
        ("reaction ~ days + ar1(days | subject)", ("nlme",)),
        ("reaction ~ days + adh(days | subject)", ("mmrm",)),
        ("reaction ~ days + us(days | arm / subject)", ("mmrm",)),
    ],
)
def test_references_default_to_engines_that_have_the_model(write, formula, references):
    text = LMM.replace('references = ["lme4"]', "").replace("reaction ~ days + (1 + days | subject)", formula)
    assert read_case(write("a.toml", text)).references == references


def test_a_model_may_have_weights(write):
    assert read_case(write("a.toml", f'{LMM}weights = "days"\n')).spec.weights == "days"


def test_keep_selects_rows(write):
    text = LMM.replace("[model]", 'keep = { subject = ["308", "309", "310"] }\n[model]')
    cohort = read_case(write("a.toml", text)).cohort
    assert cohort.n_subjects == 3
    assert cohort.n_rows == 30


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("sleepstudy", "../../etc/passwd", "the name of a fixture cohort"),
        ("sleepstudy", "/etc/passwd", "the name of a fixture cohort"),
        ("sleepstudy", "sleepstody", "sleepstudy"),
        ('"lmm"', '"lm"', "one of lmm, gbtm"),
        ('"lme4"', '"sas"', "one of 'lme4'|a list from lme4, lme4_default"),
        ('["lme4"]', '["lme4", "lme4"]', "each engine once"),
        ('"ML"', '"MLE"', "'ML' or 'REML'"),
        ('"ML"', "3", "a value of type str"),
        ("criterion", "criterium", "Did you mean 'criterion'"),
        ("reaction ~ days", "__import__('os').system('touch pwned') ~ days", "character"),
        ("reaction ~ days", "reaction ~ system(days)", "character"),
        ("reaction ~ days", "reaction ~ I(system(days))", "character"),
        ("[model]", "[modell]", "no \\[model\\]"),
        ('kind = "lmm"', 'kind = ["lmm"]', "a kind, one of lmm, gbtm"),
        ("[model]", "colour = 3\n[model]", "one of cohort, references, keep, model"),
        ("[model]", 'keep = { subject = ["999"] }\n[model]', "'999' does not occur"),
        ("[model]", 'keep = { nobody = ["999"] }\n[model]', "no such factor"),
        ("[model]", "keep = 3\n[model]", "lists of levels"),
    ],
)
def test_a_bad_case_file_gets_one_clear_error(write, old, new, message):
    assert old in LMM
    with pytest.raises(InputError, match=message):
        read_case(write("a.toml", LMM.replace(old, new)))


def test_all_problems_of_a_case_file_are_listed_at_once(write):
    text = LMM.replace('"sleepstudy"', '"../x"').replace('"lme4"', '"sas"').replace('"ML"', '"MLE"')
    with pytest.raises(CaseError) as caught:
        read_case(write("a.toml", text + "colour = 3\n"))
    assert {problem.column for problem in caught.value.problems} == {"cohort", "references", "criterion", "colour"}


@pytest.mark.parametrize("text", ["", "= 3", "a = [" + "[" * 5000])
def test_what_is_no_case_is_no_traceback(write, text):
    with pytest.raises(CaseError):
        read_case(write("a.toml", text))


def test_a_case_file_that_is_not_there_is_an_input_error(tmp_path):
    with pytest.raises(CaseError, match="No such file"):
        read_case(tmp_path / "nothing.toml")


def test_own_data_take_the_same_path(write):
    model = '\n[model]\nkind = "gbtm"\noutcome = "score"\ntime = "week"\nsubject = "id"\norders = [1, 1]\n'
    case = read_own_case(write("mine.csv", ROWS), write("mine.toml", 'references = ["flexmix"]\n' + SCHEMA + model))
    assert case.name == "mine"
    assert case.references == ("flexmix",)
    assert isinstance(case.spec, GbtmSpec)
    assert case.spec.orders == (1, 1)
    assert case.cohort.n_subjects == 12


def test_every_setting_of_a_trajectory_model_can_be_written_in_a_case(write):
    settings = """
[model]
kind = "gbtm"
outcome = "score"
time = "week"
subject = "id"
orders = [2, 1]
family = "zip"
sigma = "shared"
n_starts = 30
seed = 7
limits = [-inf, 60.0]
trials = "week"
exposure = "week"
zero_orders = [0, -1]
knots = [1.5, 2]
covariates = "week"
common = "week"
membership = "week"
weights = "week"
random = 1
random_covariance = "diagonal"
random_scale = "class"
errors = "ar1"
dropout = [1, 0]
"""
    spec = read_own_case(write("mine.csv", ROWS), write("mine.toml", SCHEMA + settings)).spec
    given = {field.name: getattr(spec, field.name) for field in fields(GbtmSpec)}
    assert set(given) == set(tomllib.loads(settings)["model"]) - {"kind"}
    assert given["limits"] == (-np.inf, 60.0)
    assert given["knots"] == (1.5, 2)
    assert (given["zero_orders"], given["dropout"]) == ((0, -1), (1, 0))


def test_own_data_and_their_spec_are_checked(write):
    model = '\n[model]\nkind = "lmm"\nformula = "score ~ week + (1 | id)"\n'
    bad_rows = ROWS.replace("p3,2,", "p3,2,9")
    with pytest.raises(InputError, match="60"):
        read_own_case(write("mine.csv", bad_rows), write("mine.toml", SCHEMA + model))


def test_every_case_of_the_project_can_be_read():
    cases = read_cases()
    assert len(cases) == len(case_names()) > 20
    assert all(case.references for case in cases)


def test_unknown_case_names_are_listed_with_near_matches():
    with pytest.raises(CaseError) as caught:
        read_cases(["sleepstudy__random_slope_remll", "nothing_like_it"])
    assert len(caught.value.problems) == 2
    assert "sleepstudy__random_slope_reml" in str(caught.value)
