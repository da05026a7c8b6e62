"""The markers `needs_r` and `needs_chromium`, one R for all tests that need it, and the profiles of Hypothesis."""

import os
import shutil
from functools import cache

import pytest
from hypothesis import settings

from harness.errors import EngineError
from harness.references import installed_packages
from harness.references.worker import RWorker

pytest_plugins = ["pytester"]  # for the tests of our own plugin; pytest takes plugins here alone

# In CI the same examples each time, and nowhere a deadline: a busy machine is no defect.
settings.register_profile("dev", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "dev"))


@cache
def absences():
    """Return why R can't be used at all (None if it can), and the packages that it has."""
    with RWorker() as worker:
        try:
            return None, frozenset(installed_packages(worker))
        except EngineError as error:
            return str(error), frozenset()


NO_CHROMIUM = "no Chromium on the PATH"


def chromium():
    """Return the path of Chromium or a browser made of it, None if there is none."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return next((path for path in map(shutil.which, names) if path), None)


def is_required(package):
    """HARNESS_REQUIRE_R is 1 (R and every package) or a list of packages such as `lme4,nlme`."""
    setting = os.environ.get("HARNESS_REQUIRE_R", "")
    return setting not in {"", "0"} and (setting == "1" or package in setting.split(","))


def pytest_runtest_setup(item):
    for marker in item.iter_markers("needs_r"):
        no_r, installed = absences()
        for package in marker.args or ("R",):
            reason = no_r or (f"R has no package {package}" if package not in {"R", *installed} else None)
            if reason is None:
                continue
            if is_required(package):
                pytest.fail(f"{reason}, and HARNESS_REQUIRE_R asks for it", pytrace=False)
            pytest.skip(reason)
    if item.get_closest_marker("needs_chromium") is not None and chromium() is None:
        if os.environ.get("HARNESS_REQUIRE_CHROMIUM", "") not in {"", "0"}:
            pytest.fail(f"{NO_CHROMIUM}, and HARNESS_REQUIRE_CHROMIUM asks for it", pytrace=False)
        pytest.skip(NO_CHROMIUM)


@pytest.fixture(scope="session")
def chromium_program():
    """Return the path of Chromium."""
    return chromium()


@pytest.fixture(scope="session")
def worker():
    """R, started at the first request."""
    with RWorker() as shared:
        yield shared
