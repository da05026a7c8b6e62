"""Predictions of a fitted model: for its own rows, for new visits of its subjects, and for new subjects."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal, get_args

import numpy as np
import pandas as pd

from harness.arrays import Codes, Mask, Vector, read_only
from harness.cohorts.cohort import Cohort
from harness.errors import Problem, SpecError
from harness.lmm.inference.fixed_effects import FixedEffects
from harness.lmm.prediction.distribution import Distribution
from harness.lmm.prediction.new_rows import new_occasions
from harness.lmm.prediction.occasions import Occasions, joined
from harness.lmm.prediction.parsing import as_frame
from harness.lmm.prediction.posterior import Prediction, population, posterior
from harness.lmm.prediction.predictor import Predictor

Target = Literal["population", "subject"]
Given = Literal["fit", "rows"]


def predict(
    model: Predictor, data: pd.DataFrame | Cohort | None = None, *, of: Target = "subject", given: Given = "fit"
) -> Prediction:
    """Return mean and outcome at the rows of `data`, or at those of the fit, with their variances.

    Parameters
    ----------
    data
        One row an occasion, with the model's predictors; rows may have an outcome or none.
    of
        "population": X beta, for which nobody's outcomes matter. "subject": X beta + Zb for the subject of the row.
    given
        By what a subject is known. "fit": by the outcomes that the model was fitted to; those in `data` count only for
        subjects that it was not fitted to. "rows": by the outcomes in `data` alone, whoever the subject is: the patient
        after one infusion, after two, ...

    Returns
    -------
    Prediction
        R's lme4: `mean.value` is ``predict(m, data, allow.new.levels = TRUE)``; ``re.form = NA`` for the population.
        `mean.conditional_variance` follows from ``postVar``; `mean.variance` is the square of SAS's "StdErrPred".

    Raises
    ------
    SpecError
        With all that is wrong with `data`; or if the rows of the fit are asked for, and it was stored without.
    """
    _require_choices(of, given)
    fitted = model.fitted
    if data is None:
        if fitted is None:
            raise _no_rows()
        if of == "population":
            return population(model.distribution, fitted)
        return _after(model.distribution, fitted, fitted.without_outcomes())
    at = new_occasions(model.columns, data, model.known or None, individual=of == "subject")
    if of == "population":
        return population(model.distribution, at)
    if given == "rows" or fitted is None:
        return _after(model.distribution, at, at.without_outcomes())
    measured = replace(at, outcome=read_only(np.where(_new(at, model.known), at.outcome, np.nan)))
    return _after(model.distribution, joined(_relevant(fitted, at), measured), at.without_outcomes())


def row_degrees(model: Predictor, effects: FixedEffects, data: pd.DataFrame | Cohort | None = None) -> Vector:
    """Return the degrees of freedom (k,) of X beta at each row, by the method of `effects`; for `Prediction.table`.

    Raises
    ------
    SpecError
        As `predict`.
    """
    at = model.fitted if data is None else new_occasions(model.columns, data, model.known or None, individual=False)
    if at is None:
        raise _no_rows()
    return effects.degrees.of_rows(at.X @ effects.working)


def forecasts(model: Predictor, data: pd.DataFrame | Cohort, *, along: str, level: float = 0.95) -> pd.DataFrame:
    """Return, for every subject and every k, what its first k outcomes say about its later rows.

    Rows of a subject are put in the order of the numeric column `along`; k counts outcomes, from 0 (nothing measured
    yet). Subjects are known by these rows alone, as by ``given="rows"``.

    Returns
    -------
    pandas.DataFrame
        `row` (number of the row in `data`, from 0), `after` (k), `along`, and the columns of `Prediction.table`.

    Raises
    ------
    SpecError
        As `predict`; or if `along` is no column of numbers of the model.
    """
    if along not in model.columns.numeric:
        known = ", ".join(map(repr, model.columns.numeric))
        expected = f"one of {known}" if known else "a model with one"
        raise SpecError("forecasts", [Problem(column=along, found="no numeric predictor", expected=expected)])
    at = new_occasions(model.columns, data, None, individual=True)
    time = pd.to_numeric(as_frame(data)[along]).to_numpy(dtype=np.float64)
    place = _places(at, time)
    found = []
    for k in range(int(place[at.measured].max(initial=0)) + 1):
        asked = np.flatnonzero(place > k)
        given = np.flatnonzero(at.measured & (place <= k))
        table = _after(model.distribution, at.rows(given), at.rows(asked).without_outcomes()).table(level)
        found.append(pd.DataFrame({"row": asked, "after": k, along: time[asked]}).join(table))
    return pd.concat(found, ignore_index=True)


def _places(at: Occasions, time: Vector) -> Codes:
    """Return the number of each row's outcome among those of its subject; of a row without one, that of the next."""
    subject = at.random[0].codes if at.random else at.residual_subject
    order = np.lexsort([time, subject])
    running = np.cumsum(at.measured[order])
    first = np.flatnonzero(np.diff(subject[order], prepend=-1))
    before = np.concatenate([[0], running])[first]
    place = np.empty(at.n_rows, dtype=np.int64)
    place[order] = running - np.repeat(before, np.diff(np.append(first, at.n_rows)))
    return place + ~at.measured


def _after(distribution: Distribution, given: Occasions, asked: Occasions) -> Prediction:
    """Return the rows `asked` given the outcomes of other rows."""
    both = joined(given, asked)
    return posterior(distribution, both, asked=np.arange(both.n_rows) >= given.n_rows)


def _new(at: Occasions, known: Sequence[Sequence[str]]) -> Mask:
    """Return the rows that can't be rows of the fit, since it has not seen a level of one of their grouping factors."""
    codes = [part.codes for part in at.random] + ([at.residual_subject] if at.has_residual_structure else [])
    return np.asarray(np.any([own >= len(seen) for own, seen in zip(codes, known, strict=True)], axis=0))


def _relevant(fitted: Occasions, at: Occasions) -> Occasions:
    """Return the rows of the fit that are in a block with rows asked for; the others say nothing about them."""
    both = joined(fitted, at).blocks()
    needed: Codes = np.flatnonzero(np.isin(both[: fitted.n_rows], both[fitted.n_rows :]))
    return fitted.rows(needed)


def _no_rows() -> SpecError:
    problem = Problem(found="no data, and a fit stored without its rows", expected="a DataFrame to predict for")
    return SpecError("predict", [problem])


def _require_choices(of: str, given: str) -> None:
    problems = [
        Problem(found=f"{name} {value!r:.40}", expected=f"one of {', '.join(map(repr, choices))}")
        for name, value, choices in (("of", of, get_args(Target)), ("given", given, get_args(Given)))
        if value not in choices
    ]
    if problems:
        raise SpecError("predict", problems)
