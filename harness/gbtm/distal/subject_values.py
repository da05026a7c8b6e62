"""One value a subject, from a table with one row or several rows for each."""

from collections.abc import Iterator

import numpy as np

from harness.arrays import Codes, Mask, Vector, read_only
from harness.cohorts.cohort import Cohort
from harness.errors import Problem, SpecError, nearest
from harness.gbtm.spec import GbtmSpec
from harness.gbtm.term_checks import covariate_problems, dependence_problems, term_problems
from harness.gbtm.terms import Covariates, covariates, predictors, right_side

_NAMED = 5


def outcome_of_subjects(cohort: Cohort, column: str, labels: tuple[str, ...]) -> Vector:
    """Return a column's value of each of N subjects, (N,); NaN for a subject without one.

    A value may stand in one row of a subject or be repeated in several.

    Raises
    ------
    SpecError
        If there is no such numeric column, none of the subjects is in the table or has a value, or one has several.
    """
    problems = list(_table_problems(cohort, labels))
    if column not in cohort.numeric:
        what = "is categorical" if column in cohort.factors else "is not in the table"
        advice = nearest(column, cohort.numeric)
        problems.append(
            Problem(found=f"outcome {column!r} {what}", expected="a numeric column", column=column, advice=advice)
        )
    if not problems:
        values = cohort.numeric[column]
        rows, subject = _rows_of(cohort, labels, ~np.isnan(values))
        problems += _several(column, subject, values[rows], labels)
        if np.isinf(values[rows]).any():
            problems.append(Problem(found="an infinite outcome", expected="finite outcomes", column=column))
        if not len(rows):
            problems.append(Problem(found="no outcome of any subject", expected="numbers", column=column))
    if problems:
        raise SpecError(f"distal outcome in {cohort.name!r}", problems)
    found = np.full(len(labels), np.nan)
    found[subject] = values[rows]
    return read_only(found)


def covariates_of_subjects(
    cohort: Cohort, text: str, labels: tuple[str, ...], spec: GbtmSpec
) -> tuple[Covariates, Codes]:
    """Return the columns of the right side of a formula, and which of the N subjects have values of all of them.

    Raises
    ------
    SpecError
        For a right side that is none, values that change within a subject, columns that others determine, or if no
        subject has all values.
    """
    problems = [*_table_problems(cohort, labels), *term_problems("predictors", text, spec, cohort)]
    if not text:
        problems.append(Problem(found="no predictors", expected="the right side of a formula, such as 'age + sex'"))
    if not problems:
        names = predictors(right_side(text))
        for name in names:
            known, of = _rows_of(cohort, labels, _known(cohort, name))
            problems += _several(name, of, _numbers(cohort, name)[known], labels)
        rows, subject = _rows_of(cohort, labels, np.all([_known(cohort, name) for name in names], axis=0))
        present, first = np.unique(subject, return_index=True)
        used = np.zeros(len(cohort.factors[cohort.subject].codes), dtype=np.bool_)
        used[rows[first]] = True
        if not len(present):
            problems.append(Problem(found="no subject with all predictors", expected="values of the predictors"))
        else:
            problems += covariate_problems("predictors", text, cohort, used)
    if not problems:
        found = covariates(text, cohort, rows[first])
        problems += dependence_problems(found.names, found.values, "predictors")
    if problems:
        raise SpecError(f"predictors of membership in {cohort.name!r}", problems)
    return found, present.astype(np.int64)


def _table_problems(cohort: Cohort, labels: tuple[str, ...]) -> Iterator[Problem]:
    levels = cohort.factors[cohort.subject].levels
    if not set(levels) & set(labels):
        yield Problem(
            found=f"none of the model's subjects (such as {labels[0]!r}) in column {cohort.subject!r}",
            expected="the subjects of the trajectories",
            column=cohort.subject,
        )


def _rows_of(cohort: Cohort, labels: tuple[str, ...], known: Mask) -> tuple[Codes, Codes]:
    """Return the rows of the model's subjects where something is known, and the number of the subject of each."""
    factor = cohort.factors[cohort.subject]
    number = {label: i for i, label in enumerate(labels)}
    of_level = np.array([number.get(level, -1) for level in factor.levels] + [-1], dtype=np.int64)
    subject = of_level[factor.codes]
    rows = np.flatnonzero(known & (subject >= 0))
    return rows.astype(np.int64), subject[rows]


def _known(cohort: Cohort, name: str) -> Mask:
    if name in cohort.numeric:
        return np.asarray(np.isfinite(cohort.numeric[name]))
    return np.asarray(cohort.factors[name].codes >= 0)


def _numbers(cohort: Cohort, name: str) -> Vector:
    return cohort.numeric[name] if name in cohort.numeric else cohort.factors[name].codes.astype(np.float64)


def _several(column: str, subject: Codes, values: Vector, labels: tuple[str, ...]) -> Iterator[Problem]:
    order = np.argsort(subject, kind="stable")
    differ = (subject[order][1:] == subject[order][:-1]) & (values[order][1:] != values[order][:-1])
    wrong = np.unique(subject[order][1:][differ])
    if len(wrong):
        named = ", ".join(labels[i] for i in wrong[:_NAMED]) + (", ..." if len(wrong) > _NAMED else "")
        found = f"several values of {len(wrong)} subject(s): {named}"
        yield Problem(found=found, expected="one value a subject", column=column)
