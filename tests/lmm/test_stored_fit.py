"""A fit in a file: what comes back, what does not go in, and what is refused."""

import json
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from harness.cohorts import fixture_cohort
from harness.cohorts.frames import cohort_from_frame
from harness.errors import CaseError, SpecError
from harness.formula import parse_formula
from harness.lmm.design import build_design
from harness.lmm.engine import fitted
from harness.lmm.inference.contrasts import contrast
from harness.lmm.inference.fixed_effects import fixed_effects
from harness.lmm.inference.table import coefficient_table
from harness.lmm.prediction.predict import predict
from harness.lmm.prediction.predictor import predictor
from harness.lmm.spec import LmmSpec
from harness.lmm.storage.reading import read_fit
from harness.lmm.storage.stored import stored
from harness.lmm.storage.writing import content_hash, document, write_fit


def panel():
    stream = np.random.default_rng(6)
    subject, visit = np.repeat(np.arange(20), 4), np.tile(np.arange(4), 20)
    y = 20 - visit + stream.standard_normal(20)[subject] + stream.standard_normal(80)
    frame = pd.DataFrame(
        {
            "id": [f"patient-{i:02d}" for i in subject],
            "site": [f"clinic-{i // 4}" for i in subject],
            "g": ["b" if i % 2 else "a" for i in subject],
            "visit": [f"v{i}" for i in visit],
            "t": visit + 0.25 * stream.random(80),
            "w": stream.random(80) + 0.5,
            "y": y,
        }
    )
    return frame[stream.random(80) < 0.85].assign(twice=lambda kept: 2 * kept["t"])


MODELS = {
    "splines": ("y ~ ns(t, 2) * g + (1 + t | id)", "REML", None),
    "polynomials, ML, weights": ("y ~ poly(t, 2) + C(g, sum) + (1 + t || id)", "ML", "w"),
    "unstructured": ("y ~ C(visit, helmert) * g + us(visit | id)", "REML", None),
    "by arm": ("y ~ t * g + ar1h(visit | g / id)", "REML", None),
    "continuous time": ("y ~ log1p(t) + car1(t | id)", "REML", None),
    "nested": ("y ~ t * g + (1 | site / id)", "REML", None),
    "aliased": ("y ~ t + twice + visit + g + (1 | id)", "REML", None),
}


def fit_of(name):
    formula, criterion, weights = MODELS[name]
    cohort = cohort_from_frame(panel(), subject="id")
    spec = LmmSpec(formula=parse_formula(formula), criterion=criterion, weights=weights)
    design = build_design(spec, cohort)
    fit, estimates = fitted(design)
    return spec, cohort, design, fit, estimates


@pytest.fixture(scope="module", params=MODELS, ids=str)
def kept(request, tmp_path_factory):
    """The parts of a fit, the stored fit, and its file."""
    parts = fit_of(request.param)
    one = stored(*parts)
    return parts, one, write_fit(one, tmp_path_factory.mktemp("fits") / "fit.json")


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    cohort = fixture_cohort("sleepstudy")
    spec = LmmSpec(formula=parse_formula("reaction ~ days + (1 + days | subject)"))
    design = build_design(spec, cohort)
    fit, estimates = fitted(design)
    return write_fit(stored(spec, cohort, design, fit, estimates), tmp_path_factory.mktemp("fits") / "sleepstudy.json")


def test_a_fit_comes_back_to_the_last_bit(kept):
    _, one, path = kept
    back = read_fit(path)
    assert document(back) == document(one)
    assert back.spec == one.spec
    assert back.convergence == one.convergence
    np.testing.assert_array_equal(back.vcov, one.vcov)


def test_a_stored_fit_predicts_as_the_fit_does(kept):
    (spec, _, design, _, estimates), _, path = kept
    new = panel().head(8).assign(id="somebody new", site="elsewhere")
    new.loc[new.index[3:], "y"] = np.nan
    new = new.drop_duplicates("visit")
    expected = predict(predictor(spec, design, estimates), new).table()
    np.testing.assert_array_equal(read_fit(path).predict(new).table(), expected)


def test_a_stored_fit_tests_contrasts_as_the_fit_does(kept):
    (spec, _, design, fit, _), _, path = kept
    back = read_fit(path)
    first, last = (2, 3) if design.aliased else (1, -1)
    weights = {design.fixed_names[first]: 1.0, design.fixed_names[last]: -2.0}
    methods = ["satterthwaite", "residual", "wald", *(["kenward-roger"] if spec.criterion == "REML" else [])]
    assert list(back.effects) == sorted(methods)
    for method in methods:
        expected = contrast(fixed_effects(fit, design, method), weights)
        found = back.contrast(weights, method)
        assert (found.estimate, found.standard_error, found.df, found.p) == (
            expected.estimate, expected.standard_error, expected.df, expected.p,
        )  # fmt: skip
        assert found.state == "estimated"
    both = [{name: 1.0} for name in weights]
    assert back.joint_test(both).df1 == len(weights)
    expected = coefficient_table(fixed_effects(fit, design), level=0.9).table()
    pd.testing.assert_frame_equal(back.fixed_effects(level=0.9), expected, check_exact=True)
    with pytest.raises(SpecError, match="method 'kenward-roger-observed'; expected one of"):
        back.contrast(weights, "kenward-roger-observed")


def test_a_file_that_can_not_be_written_is_named(kept, tmp_path):
    with pytest.raises(CaseError, match=r"stored fit fit\.json: FileNotFoundError"):
        write_fit(kept[1], tmp_path / "nowhere" / "fit.json")


def test_what_is_not_estimable_is_not_after_reading_either(tmp_path):
    parts = fit_of("aliased")
    back = read_fit(write_fit(stored(*parts), tmp_path / "fit.json"))
    (aliased, *_) = parts[2].aliased_names
    assert aliased == "twice"
    assert back.contrast({aliased: 1.0}).state == "not estimable"
    assert back.contrast({"t": 1.0, "twice": 2.0}).state == "estimated"


def test_nobodys_data_are_in_the_file(kept):
    (_, cohort, design, _, estimates), _, path = kept
    text = path.read_text(encoding="utf-8")
    assert "patient-" not in text
    assert "clinic-" not in text
    numbers = {float(word) for word in re.findall(r"-?\d+\.\d+(?:e[+-]?\d+)?", text)}
    assert not numbers & set(design.y.tolist())
    assert not numbers & {value for one in estimates.random for value in one.modes.ravel().tolist()}
    assert cohort.sha256 in text


def test_the_same_fit_gives_the_same_bytes_and_a_line_a_scalar(file, tmp_path):
    again = write_fit(read_fit(file), tmp_path / "again.json")
    assert again.read_bytes() == file.read_bytes()
    lines = file.read_text(encoding="utf-8").splitlines()
    scalar = r"""("(?:[^"\\]|\\.)*": )?("(?:[^"\\]|\\.)*"|-?[\w.+-]+|[][{}]+),?"""
    assert all(re.fullmatch(r"\s*" + scalar, line) for line in lines)


def test_an_edit_of_any_line_is_noticed(file, tmp_path):
    """Every line with a digit is changed, one at a time."""
    lines = file.read_text(encoding="utf-8").splitlines()
    edited = tmp_path / "edited.json"
    tried = 0
    for i, line in enumerate(lines):
        # The first digit: the last of 17 may be one that no double tells apart.
        changed = re.sub(r"\d", lambda digit: str((int(digit[0]) + 1) % 10), line, count=1)
        if changed == line:
            continue
        edited.write_text("\n".join([*lines[:i], changed, *lines[i + 1 :]]), encoding="utf-8")
        with pytest.raises(CaseError):
            read_fit(edited)
        tried += 1
    assert tried > 100
    edited.write_text(json.dumps(json.loads("\n".join(lines))), encoding="utf-8")  # only the layout is another
    assert read_fit(edited).n_subjects == 18


def test_an_entry_that_stands_twice_is_noticed(file, tmp_path):
    """Readers of JSON take the last one; the hash would be right."""
    twice = tmp_path / "twice.json"
    twice.write_text(file.read_text(encoding="utf-8").replace("{", '{"theta": [1.0],', 1), encoding="utf-8")
    with pytest.raises(CaseError, match="an object with an entry of one name twice"):
        read_fit(twice)


def test_numbers_that_are_none_are_found_at_their_places(file, tmp_path):
    content = json.loads(file.read_text(encoding="utf-8"))
    content["theta"][1], content["vcov"][0][0] = float("nan"), float("-inf")
    with pytest.raises(CaseError) as caught:
        read_fit(sealed(content, tmp_path / "bad.json"))
    assert {problem.column for problem in caught.value.problems} == {"theta[1]", "vcov[0][0]"}


def sealed(content, path):
    """Write a document with the hash that belongs to it, as somebody who means harm would."""
    content["sha256"] = content_hash(content)
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def test_another_version_is_refused_in_one_sentence(file, tmp_path):
    content = json.loads(file.read_text(encoding="utf-8"))
    for name, value, words in (
        ("version", 2, "column 'version': 2, by 'gbtm-harness"),
        ("version", True, "column 'version': True"),
        ("format", "trajectory model", "'trajectory model'; expected 'linear mixed model'"),
    ):
        with pytest.raises(CaseError) as caught:
            read_fit(sealed({**content, name: value}, tmp_path / "other.json"))
        assert words in str(caught.value)
        assert len(caught.value.problems) == 1


@pytest.mark.parametrize(
    "text",
    [
        "", "{", "null", "[1, 2]", "[" * 100_000, '{"a": ' * 50_000, '{"format": NaN}', '{"format": Infinity}',
        '{"a": 1, "a": 2}', '{"version": ' + "9" * 5000 + "}", "import os",
    ],
)  # fmt: skip
def test_what_is_no_fit_at_all_is_one_problem(tmp_path, text):
    path = tmp_path / "hostile.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(CaseError) as caught:
        read_fit(path)
    assert len(caught.value.problems) == 1
    assert len(str(caught.value)) < 500


def test_a_file_that_is_absent_or_no_text_is_one_problem(tmp_path):
    (tmp_path / "bytes.json").write_bytes(b"\xff\xfe{}")
    for name in ("absent.json", "bytes.json", ""):
        with pytest.raises(CaseError, match="expected a file as `write_fit` writes it"):
            read_fit(tmp_path / name)


def test_all_values_of_the_wrong_kind_are_listed(file, tmp_path):
    content = json.loads(file.read_text(encoding="utf-8"))
    content["beta"][0] = "251"
    content["vcov"][0] = [1.0]
    content["model"]["criterion"] = "Bayes"
    content["cohort"]["rows"] = -1
    content["extra"] = 1
    del content["theta"]
    content["columns"]["levels"] = []
    content["residual"]["kind"] = "odd"
    content["effects"]["wald"]["degrees"]["df"] = True
    with pytest.raises(CaseError) as caught:
        read_fit(sealed(content, tmp_path / "bad.json"))
    found = {problem.column for problem in caught.value.problems}
    assert found == {
        "beta[0]", "vcov", "model.criterion", "cohort.rows", "extra", "theta", "columns.levels", "residual.kind",
        "effects.wald.degrees.df",
    }  # fmt: skip


def put(content, path, value):
    """Set the entry that a path of keys and indices leads to."""
    for key in path[:-1]:
        content = content[key]
    content[path[-1]] = value


SPLINE = {
    "column": "days", "power": 1, "function": "ns", "size": 1, "coding": None, "names": ["days"], "table": None,
    "basis": {"kind": "spline", "knots": [1.0, 0.0, 0.0, 0.0, 0.0, 0.0], "natural": [[1.0]]},
}  # fmt: skip


@pytest.mark.parametrize(
    ("named", "path", "value"),
    [
        ("beta", ("beta",), [1.0, 2.0, 3.0]),
        ("vcov", ("vcov", 0, 0), -1.0),
        ("vcov", ("vcov",), [[46.0, -1.0, 0.0], [-1.0, 2.4, 0.0]]),
        ("columns.kept", ("columns", "kept"), [1, 0]),
        ("columns.kept", ("columns", "kept"), [0, 2]),
        ("columns.names", ("columns", "names"), ["intercept", "intercept"]),
        ("columns.names", ("columns", "terms"), [[]]),
        ("random[0].covariance", ("random", 0, "covariance", 0, 1), 1000.0),
        ("random[0].names", ("random", 0, "names"), ["a", "b", "c"]),
        ("random[0].grouping", ("random", 0, "grouping"), []),
        ("residual.variance", ("residual", "variance"), 0.0),
        ("residual.kind", ("residual",), {"kind": "continuous", "variances": [1.0], "phi": [0.5]}),
        ("columns.terms[1][0]", ("columns", "numeric"), ["night"]),
        ("columns.terms[1][0].basis", ("columns", "terms", 1, 0, "function"), "ns"),
        ("columns.terms[1][0].basis.knots", ("columns", "terms", 1, 0), SPLINE),
        ("columns.terms[1][0]", ("columns", "terms", 1, 0, "table"), [[0.0], [1.0]]),
        ("effects.satterthwaite.degrees.slopes", ("effects", "satterthwaite", "degrees", "slopes"), [[[1.0]]]),
        ("effects.wald.working", ("effects", "wald", "working"), [[1.0]]),
        ("convergence.stop", ("convergence", "stop"), "tired"),
        ("formula", ("model", "formula"), "reaction ~ __import__('os')"),
    ],
)  # fmt: skip
def test_parts_that_do_not_belong_together_are_named(file, tmp_path, named, path, value):
    content = json.loads(file.read_text(encoding="utf-8"))
    put(content, path, value)
    with pytest.raises(CaseError) as caught:
        read_fit(sealed(content, tmp_path / "bad.json"))
    assert named in str(caught.value)


def test_a_fit_with_a_number_that_is_none_is_not_written(file, tmp_path):
    lost = replace(read_fit(file), log_likelihood=float("nan"))
    with pytest.raises(CaseError, match=r"column 'likelihood.logarithm': nan; expected a finite number"):
        write_fit(lost, tmp_path / "lost.json")
    assert not (tmp_path / "lost.json").exists()


def test_new_patients_are_forecast_from_the_file(file):
    data = pd.DataFrame({"subject": "p", "days": [0.0, 1.0, 2.0], "reaction": [260.0, 270.0, np.nan]})
    found = read_fit(file).forecasts(data, along="days")
    assert found[["row", "after"]].to_numpy().tolist() == [[0, 0], [1, 0], [2, 0], [1, 1], [2, 1], [2, 2]]
    with pytest.raises(SpecError, match="a fit stored without its rows"):
        predict(read_fit(file).predictor)
