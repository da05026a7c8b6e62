"""The pins of the checkout, our fits of their cases, and the judge without a second fit: thousands in seconds."""

from dataclasses import dataclass, fields
from fractions import Fraction
from functools import cache

import pytest

from harness.comparison.known import in_force, read_known
from harness.crosscheck import judged
from harness.engines import solve
from harness.locations import fixtures_folder
from harness.references import source_hash
from harness.references.pins import PinnedEngine, pin_path
from harness.runs import read_cases

KNOWN = read_known(fixtures_folder() / "known_differences.toml")


ASKED = ("reading", "probes", "log_likelihood", "distance", "restarted", "quantities_at", "flattest")


def remembered(ours):
    """Return our side, of its own class still; what it is asked twice, it computes once."""

    class Remembered(type(ours)):
        def refereed(self, points):
            """In doubles: whether a corruption survives does not depend on the referee's further digits."""
            return tuple(Fraction(self.log_likelihood(point)) for point in points)

    own = Remembered(**{field.name: getattr(ours, field.name) for field in fields(ours)})
    for name in ASKED:
        object.__setattr__(own, name, cache(getattr(ours, name)))
    return own


@dataclass(frozen=True)
class Saying:
    """A reference that says what it is told to."""

    said: object

    def read(self, case, probes=(), start=None):  # noqa: ARG002  # an Engine's signature
        return self.said


@cache
def cases():
    return {case.name: case for case in read_cases()}


@cache
def our_side(name):
    return remembered(solve(cases()[name]))


@cache
def reading_of(name, reference):
    folder = fixtures_folder() / "pins"
    engine = PinnedEngine(name=reference, folder=folder, r_source=source_hash(reference))
    return engine.read(our_side(name).case)


@cache
def comparison_with(pinned):
    return pinned.judge(pinned.reading)


@dataclass(frozen=True)
class Pinned:
    """A case of the checkout and what one reference said about it."""

    name: str
    reference: str

    @property
    def ours(self):
        return our_side(self.name)

    @property
    def path(self):
        return pin_path(fixtures_folder() / "pins", self.name, self.reference)

    @property
    def reading(self):
        return reading_of(self.name, self.reference)

    @property
    def comparison(self):
        """Ours compared with what was recorded, as it was."""
        return comparison_with(self)

    @property
    def accepted(self):
        """Entries of differences that are known."""
        return in_force(KNOWN, self.name, self.reference)

    def judge(self, reading):
        """Compare ours with another reading in the pin's place, as `harness check` does, but for curves."""
        return judged(self.ours, Saying(reading), reading)


ALL = [Pinned(case.name, reference) for case in cases().values() for reference in case.references]


THOROUGH = {
    ("sleepstudy__random_slope_reml", "lme4"),
    ("orthodont__distance_2_classes", "lcmm"),
}
"""Pins in which everything is tried, one by one."""

MIXTURES = {"lcmm", "flexmix"}


def pytest_itemcollected(item):
    """Trace no coverage here: it doubles the time of thousands of comparisons, whose lines the other tests reach."""
    item.add_marker(pytest.mark.no_cover)


def pytest_generate_tests(metafunc):
    for fixture, pins in {
        "pinned": ALL,
        "thorough": [pin for pin in ALL if (pin.name, pin.reference) in THOROUGH],
        "mixture": [pin for pin in ALL if (pin.name, pin.reference) in THOROUGH and pin.reference in MIXTURES],
    }.items():
        if fixture in metafunc.fixturenames:
            metafunc.parametrize(fixture, pins, ids=lambda pin: f"{pin.name}.{pin.reference}")
    if "entry" in metafunc.fixturenames:
        named = [f"{entry.case}, {entry.engine}, {entry.quantity}" for entry in KNOWN]
        metafunc.parametrize("entry", KNOWN, ids=named)


@pytest.fixture(scope="session")
def all_pinned():
    return ALL
