"""From a table of other patients to their visits in the columns of a fitted model, or all that is wrong with it."""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from harness.arrays import Codes, Matrix, Vector
from harness.cohorts.cohort import Cohort
from harness.cohorts.frames import cohort_from_frame
from harness.columns_of_frames import present
from harness.errors import CohortError, Problem, SpecError
from harness.gbtm.densities.dropout import DropoutDensity
from harness.gbtm.densities.rows import RowsDensity
from harness.gbtm.design import GbtmDesign, Outcome
from harness.gbtm.families.build import row_family
from harness.gbtm.prediction.trained_terms import TrainedTerms, at_rows, trained_terms
from harness.gbtm.prediction.visits import OutcomeRows, Patients, patients_of
from harness.gbtm.spec import GbtmSpec
from harness.gbtm.terms import columns_in

WHERE = "predict"


def new_patients(design: GbtmDesign, cohort: Cohort, data: pd.DataFrame | Cohort) -> Patients:
    """Return the patients of a table.

    Parameters
    ----------
    design, cohort
        Of the fit, and what it was fitted to.
    data
        One row a visit, with the columns that the model reads but sampling weights. A visit to come has no outcome.

    Raises
    ------
    SpecError
        With all problems: columns that are missing or of another type; rows without a subject, time or covariate;
        levels that the fit has not seen; risk factors that change within a patient; outcomes that the family can't
        have; visits at times without a sigma or at no wave of the dropout model.
    """
    specs = tuple(outcome.spec for outcome in design.outcomes)
    table = _as_cohort(specs, data)
    if specs[0].subject not in table.factors or (table.factors[specs[0].subject].codes < 0).any():
        problem = Problem(found="numbers, or rows without a patient", expected="a label", column=specs[0].subject)
        raise SpecError(WHERE, [problem])
    patient, labels = _numbered(table, specs[0].subject)
    risk = _risk_factors(design, cohort)
    every = np.arange(table.n_rows)
    problems = list(risk.problems(table, every))
    if not problems:
        problems += _changing(specs[0].membership, risk.columns(table, every), patient)
    outcomes = []
    for outcome in design.outcomes:
        found = list(_problems(outcome, design, cohort, table))
        problems += found
        if not found:
            outcomes.append(_rows(outcome, cohort, table, patient))
    if problems:
        raise SpecError(WHERE, list(dict.fromkeys(problems)))
    _, first = np.unique(patient, return_index=True)
    raw = np.column_stack([np.ones(len(first)), risk.columns(table, first)])
    W = raw @ design.mixture.membership.T
    return patients_of(labels, W, tuple(outcomes), timed=specs[0].time is not None)


def _as_cohort(specs: Sequence[GbtmSpec], data: pd.DataFrame | Cohort) -> Cohort:
    names = list(dict.fromkeys(name for spec in specs for name in _columns(spec)))
    if isinstance(data, Cohort):
        missing = [name for name in names if name not in data.columns]
        if missing:
            expected = f"one of {', '.join(data.columns)}"
            raise SpecError(WHERE, [Problem(found="no such column", expected=expected, column=c) for c in missing])
        return data
    columns = present(data, names, WHERE)
    try:
        return cohort_from_frame(data, subject=specs[0].subject, time=specs[0].time, columns=columns)
    except CohortError as error:
        raise SpecError(WHERE, error.problems) from error


def _columns(spec: GbtmSpec) -> Iterator[str]:
    yield spec.subject
    yield from (name for name in (spec.time, spec.outcome, spec.trials, spec.exposure) if name is not None)
    for text in (spec.covariates, spec.common, spec.membership):
        yield from columns_in(text)


def _numbered(table: Cohort, subject: str) -> tuple[Codes, tuple[str, ...]]:
    factor = table.factors[subject]
    codes, patient = np.unique(factor.codes, return_inverse=True)
    return patient.astype(np.int64), tuple(factor.levels[code] for code in codes)


def _risk_factors(design: GbtmDesign, cohort: Cohort) -> TrainedTerms:
    """Return the risk factors as they were coded: for the first row of each subject that has an outcome."""
    first = np.full(design.n_subjects, cohort.n_rows, dtype=np.int64)
    for outcome in design.outcomes:
        np.minimum.at(first, outcome.rows.panel.subject, outcome.rows.cohort_row)
    return trained_terms(design.spec.membership, cohort, first)


def _changing(text: str, values: Matrix, patient: Codes) -> Iterator[Problem]:
    order = np.argsort(patient, kind="stable")
    same = np.diff(patient[order]) == 0
    changed = same & np.any(np.diff(values[order], axis=0) != 0, axis=1)
    if changed.any():
        rows = order[1:][changed]
        yield from at_rows(f"membership {text!r} changes within a patient", rows, "", "one value a patient")


def _problems(outcome: Outcome, design: GbtmDesign, cohort: Cohort, table: Cohort) -> Iterator[Problem]:
    spec, every = outcome.spec, np.arange(table.n_rows)
    named = [("outcome", spec.outcome), ("time", spec.time), ("trials", spec.trials), ("exposure", spec.exposure)]
    wrong = [(role, name) for role, name in named if name is not None and name not in table.numeric]
    yield from (Problem(found=f"labels as {role}", expected="numbers", column=name) for role, name in wrong)
    if wrong:
        return
    for role, name in named[1:]:
        if name is not None:
            yield from at_rows(f"no {role}", every[~np.isfinite(table.numeric[name])], name, f"a finite {role}")
    if spec.exposure is not None:
        yield from at_rows("exposure <= 0", every[table.numeric[spec.exposure] <= 0], spec.exposure, "an exposure > 0")
    trials = None if spec.trials is None else table.numeric[spec.trials]
    for problem in row_family(spec.family, table.numeric[spec.outcome], spec.limits, trials).problems():
        yield Problem(found=problem.found, expected=problem.expected, column=spec.outcome, advice=problem.advice)
    for text in (spec.covariates, spec.common):
        yield from trained_terms(text, cohort, outcome.rows.cohort_row, spec.time).problems(table, every)
    yield from _time_problems(outcome, design, table)


def _time_problems(outcome: Outcome, design: GbtmDesign, table: Cohort) -> Iterator[Problem]:
    spec = outcome.spec
    if spec.time is None:
        return
    time, density = table.numeric[spec.time], design.mixture.densities[outcome.density]
    if isinstance(density, RowsDensity) and spec.sigma == "visit":
        strange = np.flatnonzero(~np.isin(time, density.second.visits))
        yield from at_rows("a time without a sigma", strange, spec.time, "the times of visits of the fit")
    dropout = design.mixture.densities[outcome.density + 1 :][:1]
    if dropout and isinstance(dropout[0], DropoutDensity):
        strange = np.flatnonzero(~np.isin(time, outcome.rows.waves))
        yield from at_rows("a time that is no wave", strange, spec.time, "waves of the dropout model")
    if spec.errors == "brownian":
        yield from at_rows("a time < 0", np.flatnonzero(time < 0), spec.time, "times >= 0")


def _rows(outcome: Outcome, cohort: Cohort, table: Cohort, patient: Codes) -> OutcomeRows:
    spec = outcome.spec
    time = np.zeros(table.n_rows) if spec.time is None else table.numeric[spec.time]
    rows = np.lexsort((np.arange(table.n_rows), time, patient))
    by_class = trained_terms(spec.covariates, cohort, outcome.rows.cohort_row, spec.time).columns(table, rows)
    shared = trained_terms(spec.common, cohort, outcome.rows.cohort_row, spec.time).columns(table, rows)
    return OutcomeRows(
        y=table.numeric[spec.outcome][rows],
        time=time[rows],
        offset=np.zeros(len(rows)) if spec.exposure is None else np.log(table.numeric[spec.exposure][rows]),
        trials=_trials(spec, table, rows),
        X=outcome.columns.at(time[rows], by_class, shared),
        patient=patient[rows],
        source=rows.astype(np.int64),
    )


def _trials(spec: GbtmSpec, table: Cohort, rows: Codes) -> Vector | None:
    if spec.family != "logit":
        return None
    return np.ones(len(rows)) if spec.trials is None else table.numeric[spec.trials][rows]
