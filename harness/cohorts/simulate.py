"""Simulate cohorts of adults treated with four or six infusions of ketamine, rated with MADRS and GAD-7.

A score is the mean curve of the subject's latent class, plus a random intercept and slope (variant `real` only), plus
a residual; rounded half to even and clipped to the scale. Ratings precede each infusion. Only the four-infusion
protocol has follow-up visits, and it belongs to the earlier years: nothing in these data can tell the durability of
one protocol from that of the other.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

import numpy as np
import pandas as pd
from scipy.special import expit

from harness.arrays import Codes, Mask, Matrix, Vector
from harness.cohorts.ketamine_recipe import (
    CLASS_SHARES,
    CURVE_COLUMNS,
    FOLLOW_UP_MISSING,
    GAD7,
    GAD7_CLASSES,
    LAST_DAY_OF_SLOPE,
    MADRS,
    MADRS_CLASSES,
    NOMINAL_DAYS,
    RECIPES,
    SCALE_CORRELATION,
    START_YEARS,
    STRAY_DAYS,
    SUBJECTS,
    VISITS,
    Protocol,
    Recipe,
    Scale,
    Variant,
)
from harness.cohorts.random_stream import RandomStream

SHIPPED_SEED = 95
"""A draw like the average one: response and remission come out higher with six infusions, none significantly."""
N_VISITS = 6
TRUTH = ("madrs_class", "gad7_class", "madrs_latent", "gad7_latent")
"""Columns that no model is to see."""

_Entry = TypeVar("_Entry", int, str)


def simulate_ketamine(
    variant: Variant, seed: int = SHIPPED_SEED, subjects: Mapping[Protocol, int] = SUBJECTS
) -> pd.DataFrame:
    """Return a simulated cohort in long form, one row a scheduled visit, with its hidden truth.

    `sharp` has four classes that 209 subjects suffice to recover; `pure` is exactly a trajectory model but for
    rounding and clipping, and complete; `real` adds random intercepts and slopes and autocorrelation, as real data
    have. In `sharp` and `real` scores are missing at random: dropout depends on the last observed MADRS.

    Columns: subject, protocol, visit, day (the nominal one plus some days, whether attended or not), week (day / 7),
    infusion (0..5, missing at follow-up), madrs, gad7 (missing where not rated), age, sex, start_year; and `TRUTH`,
    the latent scores being those before rounding and clipping, to six decimals.

    Parameters
    ----------
    variant
        Which recipe.
    seed
        Seed of the random stream; the shipped files have `SHIPPED_SEED`.
    subjects
        How many subjects each protocol has.
    """
    recipe, stream = RECIPES[variant], RandomStream(seed)
    n = subjects["four"] + subjects["six"]
    six = stream.permutation(n) >= subjects["four"]
    pair = stream.choices(CLASS_SHARES.ravel(), n)
    classes = {"madrs": pair // len(GAD7_CLASSES), "gad7": pair % len(GAD7_CLASSES)}
    age = np.clip(np.rint(45 + 14 * stream.normal(n)), 18, 80).astype(np.int64)
    sex = np.where(stream.happens(0.6, n), "F", "M")
    years = _of_protocol(START_YEARS, six)
    start_year = stream.integers(years[:, 0], years[:, 1], n)

    visit, nominal = _of_protocol(VISITS, six), _of_protocol(NOMINAL_DAYS, six)
    stray = _of_protocol(STRAY_DAYS, six).ravel()
    day = nominal + stream.integers(-stray, stray, stray.size).reshape(n, N_VISITS)
    noise = _noise(recipe, nominal, stream)
    curve = _of_protocol(CURVE_COLUMNS, six)
    latent = {
        name: np.round(scale.curves[classes[name][:, None], curve] + noise[name], 6)
        for name, scale in (("madrs", MADRS), ("gad7", GAD7))
    }
    madrs, gad7 = _score(latent["madrs"], MADRS), _score(latent["gad7"], GAD7)
    if not recipe.complete:
        madrs, gad7 = _with_gaps(madrs, gad7, visit, stream)

    rows = np.repeat(np.arange(n), N_VISITS)
    in_treatment = np.char.startswith(visit, "inf").ravel()
    return pd.DataFrame(
        {
            "subject": [f"K{number:0{len(str(n))}d}" for number in rows + 1],
            "protocol": np.where(six, "six", "four")[rows],
            "visit": visit.ravel(),
            "day": day.ravel(),
            "week": day.ravel() / 7,
            "infusion": np.where(in_treatment, np.tile(np.arange(N_VISITS), n), np.nan),
            "madrs": madrs.ravel(),
            "gad7": gad7.ravel(),
            "age": age[rows],
            "sex": sex[rows],
            "start_year": start_year[rows],
            "madrs_class": np.array(MADRS_CLASSES)[classes["madrs"]][rows],
            "gad7_class": np.array(GAD7_CLASSES)[classes["gad7"]][rows],
            "madrs_latent": latent["madrs"].ravel(),
            "gad7_latent": latent["gad7"].ravel(),
        }
    )


def _of_protocol(table: Mapping[Protocol, tuple[_Entry, ...]], six: Mask) -> np.ndarray:
    """Return each subject's own row of a table by protocol."""
    return np.array([table["four"], table["six"]])[six.astype(np.int64)]


def _noise(recipe: Recipe, nominal: Codes, stream: RandomStream) -> dict[str, Matrix]:
    """Return what is added to the curves (n, visits), by scale."""
    n = len(nominal)
    intercept, slope = _correlated_pair(n, stream), _correlated_pair(n, stream)
    residual = _correlated_pair(n, stream)
    steps = [residual]
    for _ in range(N_VISITS - 1):
        innovation = _correlated_pair(n, stream)
        residual = recipe.autocorrelation * residual + np.sqrt(1 - recipe.autocorrelation**2) * innovation
        steps.append(residual)
    time = np.minimum(nominal, LAST_DAY_OF_SLOPE)
    return {
        name: noise.intercept * intercept[:, [k]]
        + noise.slope * slope[:, [k]] * time
        + noise.residual * np.column_stack([step[:, k] for step in steps])
        for k, (name, noise) in enumerate((("madrs", recipe.madrs), ("gad7", recipe.gad7)))
    }


def _correlated_pair(n: int, stream: RandomStream) -> Matrix:
    """Return standard normal pairs (n, 2), one column a scale."""
    first, own = stream.normal(n), stream.normal(n)
    return np.column_stack([first, SCALE_CORRELATION * first + np.sqrt(1 - SCALE_CORRELATION**2) * own])


def _score(latent: Matrix, scale: Scale) -> Matrix:
    # Adding zero turns the -0.0 of a rounded small negative number into 0.
    return np.clip(np.rint(latent), 0, scale.highest) + 0.0


def _with_gaps(madrs: Matrix, gad7: Matrix, visit: np.ndarray, stream: RandomStream) -> tuple[Matrix, Matrix]:
    """Return the scores without those that were never observed: dropout, missed follow-up, single missing ratings."""
    n, baseline, last = len(madrs), madrs[:, 0], madrs[:, 0]
    staying = np.ones(n, dtype=bool)
    rated_madrs, rated_gad7 = np.ones_like(madrs, dtype=bool), np.ones_like(gad7, dtype=bool)
    for j in range(N_VISITS):
        if j > 0:
            in_treatment = np.char.startswith(visit[:, j], "inf")
            staying &= ~(stream.happens(_dropout_probability(last, baseline), n) & in_treatment)
        missed = np.array([FOLLOW_UP_MISSING.get(label, 0.0) for label in visit[:, j]])
        attends = staying & ~stream.happens(missed, n)
        rated_madrs[:, j] = attends & ~stream.happens(MADRS.missing_later if j else MADRS.missing_first, n)
        rated_gad7[:, j] = attends & ~stream.happens(GAD7.missing_later if j else GAD7.missing_first, n)
        last = np.where(rated_madrs[:, j], madrs[:, j], last)
    return np.where(rated_madrs, madrs, np.nan), np.where(rated_gad7, gad7, np.nan)


def _dropout_probability(last: Vector, baseline: Vector) -> Vector:
    """Return the probability of not coming again, given the last observed and the first MADRS."""
    log_odds = -4.1 + 0.06 * (last - 28) + 0.5 * (last >= 0.9 * baseline)
    return np.asarray(expit(log_odds), dtype=np.float64)


def csv_texts(frame: pd.DataFrame) -> tuple[str, str]:
    """Return a simulated cohort as the text of two CSV files: what models may see, and the truth."""
    whole = frame.astype({"infusion": "Int64", "madrs": "Int64", "gad7": "Int64"})
    seen = whole.drop(columns=list(TRUTH))
    truth = whole[["subject", "visit", *TRUTH]]
    return seen.to_csv(index=False, lineterminator="\n"), truth.to_csv(index=False, lineterminator="\n")


def write_shipped_cohorts(folder: Path) -> None:
    """Write the three shipped cohorts and their truth, as they stand among the fixtures."""
    for variant in RECIPES:
        seen, truth = csv_texts(simulate_ketamine(variant))
        (folder / f"ketamine_{variant}.csv").write_text(seen, encoding="utf-8", newline="\n")
        (folder / f"ketamine_{variant}.truth.csv").write_text(truth, encoding="utf-8", newline="\n")
