"""docs/gbtm.md and the README's tables of trajectory models: every function that they name is there."""

import re
from importlib import import_module
from pathlib import Path

import pytest

import harness
from harness.gbtm.result import GbtmResult

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "gbtm.md").read_text(encoding="utf-8")
_IN_CODE = re.compile(r"`([a-z_]+(?:\.\w+)+)`")
_BESIDE_A_FORMULA = re.compile(r"\(([a-z_]+\.\w+)(?:, \.\w+)*\)$", re.MULTILINE)
NAMES = sorted({*_IN_CODE.findall(PAGE), *_BESIDE_A_FORMULA.findall(PAGE)} - {"harness.gbtm"})


def test_the_page_names_the_functions_of_its_steps():
    assert {"membership.Membership", "em.run_em", "newton.climb", "uncertainty.free_covariance"} <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_what_the_page_of_trajectories_names_is_there(name):
    *module, last = name.split(".")
    try:
        import_module(f"harness.gbtm.{name}")
    except ModuleNotFoundError:
        assert hasattr(import_module(".".join(["harness.gbtm", *module])), last)


def test_the_readme_names_what_a_trajectory_fit_has():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    table = readme.split("| of a trajectory fit | |")[1].split("\n\n")[0]
    cells = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    assert any("optima" in cell for cell in cells)
    for cell in cells:
        home = harness if "harness." in cell else GbtmResult
        names = [code.split("(")[0].removeprefix("harness.") for code in re.findall(r"`([^`]+)`", cell)]
        assert [name for name in names if not hasattr(home, name)] == []
