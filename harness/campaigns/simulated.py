"""Data of a replicate: a pure function of the factors of its cell and of its seed.

Visits are at the times 0, 1, ... of all subjects. A subject leaves before each later visit with a probability of
1 - (1 - dropout)^(1/(visits - 1)), so that `dropout` is the share that is gone at the last one; whoever left does not
return. Who leaves has nothing to do with the scores.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from harness.arrays import Codes, Matrix, read_only
from harness.cohorts.cohort import Cohort, Factor
from harness.cohorts.random_stream import RandomStream

Factors = Mapping[str, int | float]

MEAN = {"intercept": 30.0, "visit": -2.0, "arm[b]": 0.0}
"""Of the score in both arms: at the first visit, by visit, and by which arm b starts higher."""
LOWEST = 10.0
"""The first score of the lowest class."""
FIRST_SLOPE, SLOPE_STEP = -0.4, 0.2
"""Slopes by class from the lowest on, so that classes part and stay in their order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A cohort and what it was drawn from: the truth by the names that estimates of it have."""

    cohort: Cohort
    truths: Mapping[str, float]


def simulate(kind: str, factors: Factors, seed: int) -> Sample:
    """Return the data of a replicate for models of a kind, "lmm" or "gbtm"."""
    return _MAKERS[kind](factors, RandomStream(seed))


def truths_of(kind: str, factors: Factors) -> Mapping[str, float]:
    """Return what data of this kind are drawn from, by the names that estimates of it have."""
    if kind == "lmm":
        means = {**MEAN, "visit:arm[b]": float(factors["effect"])}
        return {f"fixed[{name}]": value for name, value in means.items()}
    truths: dict[str, float] = {}
    for g, share in enumerate(_shares(factors), start=1):
        truths[f"class[{g}].share"] = share
        truths[f"class[{g}].beta[intercept]"] = LOWEST + float(factors["separation"] * factors["residual_sd"]) * (g - 1)
        truths[f"class[{g}].beta[visit]"] = FIRST_SLOPE + SLOPE_STEP * (g - 1)
    return truths


def _two_arms(factors: Factors, stream: RandomStream) -> Sample:
    """Return two arms that start alike and part, every second subject in arm b, with random intercepts and slopes."""
    n, visits = int(factors["subjects"]), int(factors["visits"])
    truths = truths_of("lmm", factors)
    first, second = stream.normal(n), stream.normal(n)
    correlation = float(factors["correlation"])
    intercept = factors["intercept_sd"] * first
    slope = factors["slope_sd"] * (correlation * first + np.sqrt(1 - correlation**2) * second)
    arm = np.arange(n, dtype=np.int64) % 2
    time = np.arange(float(visits))
    slopes = truths["fixed[visit]"] + truths["fixed[visit:arm[b]]"] * arm + slope
    starts = truths["fixed[intercept]"] + truths["fixed[arm[b]]"] * arm + intercept
    score = starts[:, None] + slopes[:, None] * time + _residuals(factors, stream)
    labels = Factor(codes=read_only(np.repeat(arm, visits)), levels=("a", "b"))
    return Sample(cohort=_cohort(score, _staying(factors, stream), {"arm": labels}), truths=truths)


def _latent_classes(factors: Factors, stream: RandomStream) -> Sample:
    """Return classes on lines, `separation` residual standard deviations apart at the first visit."""
    n, visits = int(factors["subjects"]), int(factors["visits"])
    latent = stream.choices(np.array(_shares(factors)), n)
    start = LOWEST + factors["separation"] * factors["residual_sd"] * latent
    slope = FIRST_SLOPE + SLOPE_STEP * latent
    score = start[:, None] + slope[:, None] * np.arange(float(visits)) + _residuals(factors, stream)
    return Sample(cohort=_cohort(score, _staying(factors, stream), {}), truths=truths_of("gbtm", factors))


def _shares(factors: Factors) -> tuple[float, ...]:
    """Return the shares of the classes: `smallest` for the lowest, where it is set, the others alike."""
    classes, smallest = int(factors["classes"]), float(factors["smallest"])
    if classes == 1 or smallest == 0:
        return (1 / classes,) * classes
    return (smallest, *(((1 - smallest) / (classes - 1),) * (classes - 1)))


def _residuals(factors: Factors, stream: RandomStream) -> Matrix:
    n, visits = int(factors["subjects"]), int(factors["visits"])
    return factors["residual_sd"] * stream.normal(n * visits).reshape(n, visits)


def _staying(factors: Factors, stream: RandomStream) -> np.ndarray[tuple[int, int], np.dtype[np.bool_]]:
    """Return which visits (n, visits) each subject has."""
    n, visits = int(factors["subjects"]), int(factors["visits"])
    leaving = 1 - (1 - float(factors["dropout"])) ** (1 / max(visits - 1, 1))
    leaves = stream.happens(leaving, n * visits).reshape(n, visits)
    leaves[:, 0] = False
    return np.logical_not(np.logical_or.accumulate(leaves, axis=1))


def _cohort(
    score: Matrix, staying: np.ndarray[tuple[int, int], np.dtype[np.bool_]], factors: Mapping[str, Factor]
) -> Cohort:
    """Return the visits that took place as a cohort."""
    n, visits = score.shape
    kept = staying.ravel()
    subject: Codes = np.repeat(np.arange(n, dtype=np.int64), visits)[kept]
    width = len(str(n))
    names = tuple(f"s{number:0{width}d}" for number in range(1, n + 1))
    return Cohort(
        name="replicate",
        subject="subject",
        time="visit",
        numeric={
            "visit": read_only(np.tile(np.arange(float(visits)), n)[kept]),
            "score": read_only(score.ravel()[kept]),
        },
        factors={
            "subject": Factor(codes=read_only(subject), levels=names),
            **{
                name: Factor(codes=read_only(factor.codes[kept]), levels=factor.levels)
                for name, factor in factors.items()
            },
        },
    )


_MAKERS: Mapping[str, Callable[[Factors, RandomStream], Sample]] = {"lmm": _two_arms, "gbtm": _latent_classes}
