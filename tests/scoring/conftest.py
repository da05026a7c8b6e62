"""Courses of ratings as nobody would think of them."""

from fractions import Fraction

import pytest
from hypothesis import strategies as st

from harness.scoring import Course

HIGHEST = 60


@st.composite
def rating_courses(draw):
    """A course of one to six treatments, any of its ratings absent or without a score, and up to three later ones."""
    planned = draw(st.integers(1, 6))
    treatments = [number for number in range(1, planned + 1) if number == 1 or draw(st.integers(0, 5))]
    after = draw(st.integers(0, 3))
    gaps = draw(st.lists(st.integers(1, 9), min_size=len(treatments) + after, max_size=len(treatments) + after))
    scores = draw(st.lists(st.none() | st.integers(0, HIGHEST).map(Fraction), min_size=len(gaps), max_size=len(gaps)))
    return Course(
        days=tuple(Fraction(sum(gaps[:place])) for place in range(len(gaps))),
        treatments=(*treatments, *[None] * after),
        scores=tuple(scores),
        planned=planned,
    )


@pytest.fixture(scope="session")
def any_course():
    """The strategy above, for tests that draw from it."""
    return rating_courses()
