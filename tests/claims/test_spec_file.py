"""Specs that can't be used: one error with all problems; and what a good one says."""

from fractions import Fraction

import pytest

from harness.claims import read_claims_spec
from harness.errors import ClaimsError
from harness.gbtm.spec import GbtmSpec

SCHEMA = """
[cohort]
name = "mine"

[columns.id]
role = "subject"

[columns.visit]
role = "visit"
levels = ["pre", "post"]

[columns.score]
role = "outcome"
"""


@pytest.fixture
def refused(tmp_path):
    def words(text):
        path = tmp_path / "spec.toml"
        path.write_text(text, encoding="utf-8")
        with pytest.raises(ClaimsError) as caught:
            read_claims_spec(path)
        return [str(problem) for problem in caught.value.problems]

    return words


def test_a_spec_holds_models_by_name_derived_columns_and_the_rows_to_keep(spec):
    assert list(spec.models) == ["slopes", "visits", "classes"]
    assert spec.models["visits"].keep == {"visit": ("inf1", "inf2", "inf3", "inf4")}
    assert isinstance(spec.models["classes"].spec, GbtmSpec)
    assert [(rule.name, rule.share) for rule in spec.derived] == [("response", Fraction(1, 2)), ("change", None)]


def test_a_spec_of_compare_is_a_spec_of_verify(tmp_path):
    path = tmp_path / "spec.toml"
    model = '[model]\nkind = "lmm"\nformula = "score ~ visit + (1 | id)"\ndf = "kenward-roger"\n'
    path.write_text(f'references = ["lme4"]\n{SCHEMA}{model}', encoding="utf-8")
    found = read_claims_spec(path)
    assert list(found.models) == ["model"]
    assert found.models["model"].df == "kenward-roger"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a = ", ["Invalid value"]),
        (SCHEMA.replace("subject", "subjekt"), ["role 'subjekt'"]),
        (f'{SCHEMA}[modles.a]\nkind = "lmm"', ["unknown key 'modles' at the top"]),
        (f'{SCHEMA}[models.a]\nkind = "lm"', ["'models.a, model'", "kind = 'lm'"]),
        (f"models = 3\n{SCHEMA}", ["models = 3; expected a table"]),
        (f"{SCHEMA}[models]\na = 3", ["expected a kind, one of lmm, gbtm"]),
        (
            f'{SCHEMA}[models.a]\nkind = "lmm"\nformula = "score ~ ~"\n[models.b]\nkind = "lmm"',
            ["'models.a, formula", "'models.b, formula'"],
        ),
        (f'{SCHEMA}[models.a]\nkind = "lmm"\nformula = "score ~ 1 + (1 | id)"\ndf = "kenward"', ["df 'kenward'"]),
        (
            f'{SCHEMA}[models.a]\nkind = "gbtm"\noutcome = "score"\nsubject = "id"\norders = [0, 0]\ndf = "wald"',
            ["df for a trajectory model"],
        ),
        (f'{SCHEMA}[models.a]\nkind = "lmm"\nformula = "score ~ 1 + (1 | id)"\nkeep = 3', ["keep = 3"]),
        (f"keep = {{ visit = 3 }}\n{SCHEMA}", ["visit 3; expected a list of texts"]),
        (
            f"{SCHEMA}[derived.gain]\nmake = 3",
            ["make = 3; expected a text", "baseline", "expected the name of a numeric column"],
        ),
        (f'{SCHEMA}[derived.a]\nfrom = "score"\nmake = "chang"\nbaseline = {{ visit = "pre" }}', ["make 'chang'"]),
        (
            f'{SCHEMA}[derived.a]\nfrom = "score"\nmake = "response"\nbaseline = {{ visit = "pre" }}',
            ["no `share`; expected a share of the baseline"],
        ),
        (
            f'{SCHEMA}[derived.a]\nfrom = "score"\nmake = "response"\nbaseline = {{ visit = "pre" }}\nshare = "3/2"',
            ["share = '3/2'"],
        ),
        (
            f'{SCHEMA}[derived.a]\nfrom = "score"\nmake = "change"\nbaseline = {{ visit = "pre" }}\nshare = 0.5',
            ["a share for change"],
        ),
    ],
)
def test_what_is_wrong_is_listed(refused, text, words):
    said = "\n".join(refused(text))
    for word in words:
        assert word in said


def test_no_spec_is_a_problem_and_no_traceback(tmp_path):
    with pytest.raises(ClaimsError, match="expected a TOML file"):
        read_claims_spec(tmp_path / "none.toml")
