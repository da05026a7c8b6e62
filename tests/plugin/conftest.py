"""A project that depends on this package: a case on a table of its own, and one on a cohort that comes with it."""

import shutil
from importlib.metadata import entry_points

import pytest

from harness.locations import fixtures_folder

OWN, THEIRS = "sleepstudy__random_slope_reml", "two_rates__madrs_remission"
MODEL = """
[model]
kind = "lmm"
formula = "reaction ~ days + (1 + days | subject)"
criterion = "REML"
"""


def installed():
    """Whether this installation has the plugin's entry point; one from before it has not."""
    return any(point.name == "harness" for point in entry_points(group="pytest11"))


@pytest.fixture
def project(pytester):
    """The folder of the project; its pins are what lme4 and R's prop.test were recorded to say."""
    for folder in ("cases", "pins"):
        pytester.mkdir(folder)
    fixtures = fixtures_folder()
    schema = (fixtures / "cohorts" / "sleepstudy.toml").read_text(encoding="utf-8")
    head = 'references = ["lme4"]\ndata = "../sleepstudy.csv"\n'
    (pytester.path / "cases" / f"{OWN}.toml").write_text(head + schema + MODEL, encoding="utf-8")
    shutil.copy(fixtures / "cohorts" / "sleepstudy.csv", pytester.path)
    shutil.copy(fixtures / "cases" / f"{THEIRS}.toml", pytester.path / "cases")
    for pin in (f"{OWN}.lme4.json", f"{THEIRS}.rates.json"):
        shutil.copy(fixtures / "pins" / pin, pytester.path / "pins")
    pytester.makepyfile(test_other="def test_other(): pass")
    pytester.makeini("[pytest]\n")
    return pytester.path


@pytest.fixture
def run(project, pytester):
    """Run pytest in the project; `apart` in a process of its own."""
    assert project == pytester.path

    def of(*arguments, apart=False):
        options = [
            "-p",
            "no:cacheprovider",
            *([] if installed() else ["-p", "harness.pytest_plugin.entry"]),
            *arguments,
        ]
        return pytester.runpytest_subprocess(*options) if apart else pytester.runpytest_inprocess(*options)

    return of
