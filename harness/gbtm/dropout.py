"""Who could drop out before which wave, and who did: Stata traj's definition (Haviland, Jones & Nagin 2011).

Waves t = 1..T are the distinct times of all rows of the cohort. A subject who is observed last at wave T_i is at risk
at waves t = 2..min(T_i + 1, T): there it stays (t <= T_i) or drops out (t = T_i + 1). A wave that was missed in between
counts as stayed. Who is first seen at a later wave enters there, and is at risk from the next wave on: nobody can drop
out before having been seen. A class whose log-odds have lags uses only those waves at which all of its lags are
observed.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from harness.arrays import Codes, Matrix, Vector, read_only
from harness.cohorts.cohort import Cohort
from harness.errors import Problem
from harness.gbtm.panel import Panel, panel_of
from harness.gbtm.rows import Rows, distinct_times
from harness.gbtm.spec import GbtmSpec

MOST_WAVES = 2
"""Waves for each visit of the subject with most visits: with more, times are no waves that subjects share."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class AtRisk:
    """n waves at which subjects were at risk, sorted by subject and wave.

    Attributes
    ----------
    dropped : (n,)
        1 where the subject dropped out, 0 where it stayed.
    time : (n,)
        Of the wave.
    lags : (n, 2)
        The outcome one and two waves before; NaN where it was not observed.
    depth : (n,)
        How many lags are known without a gap: 0, 1, 2. A class with d lags uses the waves of depth d and more.
    """

    dropped: Vector
    time: Vector
    lags: Matrix
    depth: Codes
    panel: Panel


def at_risk(y: Vector, time: Vector, panel: Panel, waves: Vector) -> AtRisk:
    """Return the waves at risk of outcomes y (n,) at times (n,), each of which is one of `waves` (T,)."""
    seen = np.full((panel.n_subjects, len(waves)), np.nan)
    seen[panel.subject, np.searchsorted(waves, time)] = y
    observed = ~np.isnan(seen)
    number = np.arange(len(waves))
    first = np.where(observed.any(axis=1), observed.argmax(axis=1), len(waves))
    last = np.where(observed, number, -1).max(axis=1)
    subject, wave = np.nonzero((number > first[:, None]) & (number <= last[:, None] + 1))
    lags = np.full((len(wave), 2), np.nan)
    for lag in (1, 2):
        known = wave >= lag
        lags[known, lag - 1] = seen[subject[known], wave[known] - lag]
    return AtRisk(
        dropped=read_only((wave == last[subject] + 1).astype(np.float64)),
        time=read_only(waves[wave]),
        lags=read_only(lags),
        depth=read_only(np.cumprod(~np.isnan(lags), axis=1).sum(axis=1).astype(np.int64)),
        panel=panel_of(subject.astype(np.int64), panel.n_subjects),
    )


def waves_at_risk(rows: Rows) -> AtRisk:
    """Return the waves at risk of the subjects of an outcome."""
    return at_risk(rows.y, rows.time, rows.panel, rows.waves)


def dropout_problems(spec: GbtmSpec, cohort: Cohort) -> Iterator[Problem]:
    """Yield why dropout can't be modelled on this cohort; only for a spec with a dropout model and valid columns."""
    if spec.dropout is None or spec.time is None:
        return
    y, time = cohort.numeric[spec.outcome], cohort.numeric[spec.time]
    rows = np.flatnonzero(~np.isnan(y))
    codes, waves = cohort.factors[spec.subject].codes[rows], distinct_times(spec, cohort)
    pairs, counts = np.unique(np.column_stack([codes, time[rows]]), axis=0, return_counts=True)
    if len(pairs) < len(rows):
        found = f"{int((counts > 1).sum())} wave(s) with several outcomes of one subject"
        yield Problem(found=found, expected="one outcome a subject and wave, so that lags are known", column=spec.time)
        return
    most = int(np.bincount(codes).max())
    if len(waves) > MOST_WAVES * most:
        yield Problem(
            found=f"{len(waves)} distinct times, where no subject has more than {most} visit(s)",
            expected="waves that subjects share, at which each is seen or not",
            column=spec.time,
            advice="Use the number or the planned time of the visit as time.",
        )
        return
    order = np.argsort(codes, kind="stable")
    panel = panel_of(codes[order].astype(np.int64), int(codes.max()) + 1)
    yield from _without_variation(spec, at_risk(y[rows][order], time[rows][order], panel, waves))


def _without_variation(spec: GbtmSpec, risk: AtRisk) -> Iterator[Problem]:
    """Yield classes' dropout models that no data could determine."""
    for lags in sorted(set(spec.dropout or ())):
        used = risk.depth >= lags
        dropped = risk.dropped[used]
        what = f"the dropout model with {lags} lag(s)"
        if len(dropped) == 0 or dropped.all() or not dropped.any():
            found = f"{what} has {int(dropped.sum())} dropout(s) in {len(dropped)} wave(s) at risk"
            yield Problem(found=found, expected="some who drop out and some who stay", column=spec.outcome)
            continue
        constant = [k + 1 for k in range(lags) if np.ptp(risk.lags[used, k]) == 0]
        if constant:
            found = f"{what} has a lag {constant[0]} that never varies"
            yield Problem(found=found, expected="a lagged outcome that varies", column=spec.outcome)
