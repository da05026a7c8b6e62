"""Plans: everything that is wrong is told at once, cells and seeds are keyed by themselves."""

import tomllib
from dataclasses import replace

import pytest

from harness.campaigns.plan_file import plan_of, read_plan
from harness.errors import CampaignError
from harness.locations import fixtures_folder

GOOD = """
[campaign]
name = "small"
seed = 1
replicates = 100
references = ["lme4"]

[factors]
subjects = [20, 50]
dropout = [0, 0.2]

[model]
kind = "lmm"
formula = "score ~ visit * arm + (1 + visit | subject)"
"""


def of_text(text):
    return plan_of(tomllib.loads(text), text, "a plan")


def problems(text):
    with pytest.raises(CampaignError) as caught:
        of_text(text)
    return [str(problem) for problem in caught.value.problems]


def test_cells_are_all_combinations_with_defaults_for_what_is_not_written():
    made = of_text(GOOD)
    assert [made.label(cell) for cell in made.cells] == [
        "subjects 20, dropout 0",
        "subjects 20, dropout 0.2",
        "subjects 50, dropout 0",
        "subjects 50, dropout 0.2",
    ]
    assert made.cells[0].factors["visits"] == 4
    assert (made.batch, made.stop, made.required, made.deadline) == (50, None, None, 60.0)


def test_every_problem_is_told_at_once_and_with_its_line():
    text = """
[campaign]
name = "x"
seed = -1
replicates = 120
stopp = 0.1
required = 1.5
references = ["lme5"]

[factors]
subjects = [20, 20.5]
visits = [4, 4]
drop = 0

[model]
kind = "gbtm"
order = 9
"""
    found = problems(text)
    assert [line.split(":")[0] for line in found] == [f"line {n}" for n in (4, 5, 6, 7, 8, 11, 12, 13, 17)]
    assert "Did you mean 'stop'?" in found[2]
    assert "Did you mean 'dropout'?" in found[7]


def test_a_plan_of_nothing_says_what_is_missing():
    found = "\n".join(problems("[factors]\n"))
    assert "no [campaign]" in found
    assert "no [model]" in found


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("score ~ visit * arm +", "score ~ visit + arm +", "a model without fixed[visit:arm[b]]"),
        ("score ~", "scores ~", "scores"),
        ("score ~ visit * arm + (1 + visit | subject)", "score ~ visit * (", "formula"),
        ('["lme4"]', "[]", "no `references`"),
        ('["lme4"]', '["lme4", "lme4"]', "each engine once"),
        ("[20, 50]", "[]", "whole numbers from 2"),
        ("[20, 50]", "true", "whole numbers from 2"),
        ("[0, 0.2]", "[0, 0.2, 0.0]", "each value once"),
        ("[0, 0.2]", "nan", "numbers from 0 to 0.95"),
    ],
)
def test_a_plan_that_cannot_be_is_refused(old, new, told):
    assert told in "\n".join(problems(GOOD.replace(old, new)))


def test_combinations_that_cannot_be_are_refused():
    text = """
[campaign]
name = "x"
seed = 1
replicates = 50
references = ["flexmix"]

[factors]
subjects = [3, 50]
visits = [2, 5]
classes = [2, 4]
smallest = 0.4

[model]
kind = "gbtm"
order = 3
"""
    found = "\n".join(problems(text))
    assert "smallest = 0.4 with classes = 4" in found
    assert "visits = 2 with order = 3" in found
    assert "subjects = 3 with classes = 4" in found


def test_a_reference_without_the_model_is_refused():
    assert "which does not fit this model" in "\n".join(
        problems(GOOD.replace("(1 + visit | subject)", "us(visit | subject)"))
    )


def test_a_package_of_python_without_the_model_is_refused():
    text = GOOD.replace('["lme4"]', '["statsmodels"]').replace("(1 + visit | subject)", "us(visit | subject)")
    assert "statsmodels, which does not fit this model" in "\n".join(problems(text))


@pytest.mark.parametrize("path", sorted((fixtures_folder() / "campaigns").glob("*.toml")), ids=lambda path: path.stem)
def test_the_ready_made_plans_can_be_read(path):
    assert read_plan(path).cells


def test_a_file_that_is_not_there_is_told(tmp_path):
    with pytest.raises(CampaignError, match="expected a plan in TOML"):
        read_plan(tmp_path / "none.toml")


def test_a_cell_and_its_data_do_not_depend_on_the_rest_of_the_plan(plan):
    alone = plan(subjects=(20,)).cells[0]
    among = plan(subjects=(50, 20), dropout=(0.2, 0.0), replicates=1000, stop=0.1, required=0.5)
    same = next(cell for cell in among.cells if cell.factors == alone.factors)
    assert same.key == alone.key
    assert same.data_seed(7) == alone.data_seed(7)


def test_what_changes_rows_changes_the_key(plan):
    cell = plan().cells[0]
    changed = [
        replace(cell, seed=2),
        replace(cell, batch=10),
        replace(cell, reference="lme4"),
        replace(cell, factors={**cell.factors, "subjects": 51}),
        replace(cell, model={**cell.model, "criterion": "REML"}),
    ]
    assert len({cell.key, *(other.key for other in changed)}) == 6


def test_all_references_and_models_see_the_same_data(plan):
    cell = plan().cells[0]
    seeds = {cell.data_seed(3), replace(cell, reference="lme4").data_seed(3)}
    assert seeds == {replace(cell, model={**cell.model, "criterion": "REML"}).data_seed(3)}
    assert len({cell.data_seed(k) for k in range(1000)}) == 1000
