"""Pins of three sorts, with our fits: a mixed model, a mixture, a table of rates."""

from functools import cache

import pytest

from harness.comparison.known import read_known
from harness.locations import fixtures_folder
from harness.runs import read_cases
from harness.selftest.pinned import pins_of

KNOWN = read_known(fixtures_folder() / "known_differences.toml")


@cache
def pin(name, reference):
    (case,) = read_cases([name])
    (pinned,) = pins_of(case, KNOWN, [reference])
    return pinned


@pytest.fixture
def mixed_model():
    """A random slope model by lme4."""
    return pin("sleepstudy__random_slope_reml", "lme4")


@pytest.fixture
def tests_of_effects():
    """Degrees of freedom, t and p by lmerTest."""
    return pin("sleepstudy__random_slope_reml", "lmerTest")


@pytest.fixture
def mixture():
    """Two trajectories by flexmix."""
    return pin("orthodont__distance_2_classes", "flexmix")


@pytest.fixture
def accepted():
    """Standard errors by glmmTMB, of which an entry of known differences accepts some."""
    return pin("beat_the_blues__random_slope_ml", "glmmTMB")
