"""The assumptions behind the simulated ketamine cohorts.

Every number is an assumption of this project, set so that response and remission come out as published for real-world
cohorts; class shapes and shares stand in for unpublished ones.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from harness.arrays import read_only

Variant = Literal["sharp", "pure", "real"]
Protocol = Literal["four", "six"]

SUBJECTS: Mapping[Protocol, int] = {"four": 94, "six": 115}
START_YEARS: Mapping[Protocol, tuple[int, int]] = {"four": (2017, 2019), "six": (2019, 2021)}
"""The protocol changed during 2019, so it is confounded with calendar time."""

VISITS: Mapping[Protocol, tuple[str, ...]] = {
    "four": ("inf1", "inf2", "inf3", "inf4", "fu_1wk", "fu_1mo"),
    "six": ("inf1", "inf2", "inf3", "inf4", "inf5", "inf6"),
}
NOMINAL_DAYS: Mapping[Protocol, tuple[int, ...]] = {"four": (0, 3, 7, 10, 17, 40), "six": (0, 3, 7, 10, 14, 17)}
STRAY_DAYS: Mapping[Protocol, tuple[int, ...]] = {"four": (0, 1, 1, 1, 2, 5), "six": (0, 1, 1, 1, 1, 1)}
"""By how many days a visit strays from its nominal day, at most."""

MADRS_CLASSES = ("rapid", "moderate_gradual", "severe_partial", "severe_nonresponse")
GAD7_CLASSES = ("mild_improving", "moderate_gradual", "severe_responder", "severe_persistent")
CLASS_SHARES = read_only(
    np.array(
        [
            [0.05, 0.04, 0.07, 0.01],
            [0.14, 0.14, 0.03, 0.02],
            [0.02, 0.13, 0.04, 0.13],
            [0.01, 0.03, 0.01, 0.13],
        ]
    )
)
"""Joint shares: MADRS classes by rows, GAD-7 classes by columns."""

CURVE_COLUMNS: Mapping[Protocol, tuple[int, ...]] = {"four": (0, 1, 2, 3, 6, 7), "six": (0, 1, 2, 3, 4, 5)}
"""Which columns of the curves the visits of a protocol have: inf1 to inf6, fu_1wk, fu_1mo."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scale:
    """One rating scale: its maximum, the mean curve of each class, and how a score goes missing by chance.

    `missing_first` and `missing_later` are the probabilities at the first visit and at each later one.
    """

    highest: int
    curves: np.ndarray
    missing_first: float
    missing_later: float


MADRS = Scale(
    highest=60,
    curves=read_only(
        np.array(
            [
                [31, 19, 13.5, 11, 10, 9.5, 10.5, 13.5],
                [25, 20.5, 17.5, 15.5, 14.5, 14, 15.5, 17.5],
                [34, 30, 27, 25, 24, 23, 25, 27.5],
                [36.5, 35.5, 34.5, 34, 33.5, 33.5, 34, 34.5],
            ]
        )
    ),
    missing_first=0.0,
    missing_later=0.03,
)
GAD7 = Scale(
    highest=21,
    curves=read_only(
        np.array(
            [
                [7.5, 6.3, 5.4, 4.8, 4.4, 4.2, 4.6, 5.2],
                [12.5, 11.2, 10.2, 9.4, 8.9, 8.6, 9.2, 10.2],
                [16, 13, 10.5, 8.8, 7.8, 7.2, 8.2, 10],
                [17.3, 16.8, 16.3, 16, 15.7, 15.5, 15.8, 16.2],
            ]
        )
    ),
    missing_first=0.02,
    missing_later=0.07,
)
FOLLOW_UP_MISSING = {"fu_1wk": 0.20, "fu_1mo": 0.35}


@dataclass(frozen=True, slots=True, kw_only=True)
class Noise:
    """Standard deviations of one scale: residual, random intercept, random slope a day."""

    residual: float
    intercept: float = 0.0
    slope: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """What distinguishes the variants: noise of both scales, residual autocorrelation a visit, missing scores."""

    madrs: Noise
    gad7: Noise
    autocorrelation: float
    complete: bool


RECIPES: Mapping[Variant, Recipe] = {
    "sharp": Recipe(madrs=Noise(residual=3.4), gad7=Noise(residual=1.7), autocorrelation=0.0, complete=False),
    "pure": Recipe(madrs=Noise(residual=4.8), gad7=Noise(residual=2.9), autocorrelation=0.0, complete=True),
    "real": Recipe(
        madrs=Noise(residual=4.6, intercept=3.2, slope=0.22),
        gad7=Noise(residual=2.5, intercept=1.9, slope=0.10),
        autocorrelation=0.30,
        complete=False,
    ),
}
SCALE_CORRELATION = 0.5
"""Of intercepts, slopes and residuals between the two scales."""
LAST_DAY_OF_SLOPE = 17
"""A random slope acts during treatment only."""
