"""What makes rows unfit for a residual structure: repeated visits, arms that change, too few rows."""

from collections.abc import Iterator, Sequence

import numpy as np

from harness.arrays import Codes, Mask
from harness.coding.columns import Frame
from harness.errors import Problem
from harness.formula import ResidualTerm
from harness.lmm.checks import HOLDING_INTERCEPTS
from harness.lmm.grouping import RandomDesign
from harness.lmm.rows import representatives

# Numbers with more distinct values than this are times, not visits.
_MOST_VISITS = 60
_LISTED = 3


def visit_problems(residual: ResidualTerm, frame: Frame) -> list[Problem]:
    """Return what is wrong with the visits of a residual structure on the complete rows of a frame."""
    subjects, labels = frame.codes[residual.subject], frame.levels[residual.subject]
    visits, names = _visits(residual, frame)
    if residual.structure != "car1" and len(names) > _MOST_VISITS:
        many, advice = f"{len(names)} distinct visits", "For times that differ between subjects use car1."
        return [Problem(found=many, expected=f"at most {_MOST_VISITS}", column=residual.visit, advice=advice)]
    found = [*_repeated_visits(residual, subjects, visits, labels, len(names)), *_changing_arms(residual, frame)]
    return found or [*_unknown_covariances(residual, frame, subjects, visits)]


def independence_problems(residual: ResidualTerm, random: Sequence[RandomDesign]) -> list[Problem]:
    """Return whether random effects by something else make subjects dependent, which no engine fits."""
    other = sorted({one.grouping for one in random} - {residual.subject})
    if not other:
        return []
    found = f"random effects by {' and '.join(other)} beside {residual}"
    expected = f"random effects by {residual.subject}, so that subjects are independent"
    return [Problem(found=found, expected=expected)]


def redundant_problems(residual: ResidualTerm, frame: Frame, random: Sequence[RandomDesign]) -> list[Problem]:
    """Return which random effects the structure holds already, so that only the sum of both could be known.

    An unstructured covariance holds whatever the visit determines; compound symmetry and Toeplitz an intercept.
    """
    if residual.structure not in HOLDING_INTERCEPTS:
        return []
    visits, _ = _visits(residual, frame)
    rows = representatives(visits) if residual.structure == "us" else np.zeros_like(visits)
    found = []
    for one in random:
        held = [name for j, name in enumerate(one.names) if np.array_equal(one.Z[:, j], one.Z[rows, j])]
        if one.grouping == residual.subject and held:
            sentence = f"a random effect of {' and '.join(held)} beside {residual}, which holds its covariance already"
            advice = "Leave out one of them, or take another structure, such as ar1."
            found.append(Problem(found=sentence, expected="one or the other", column=residual.subject, advice=advice))
    return found


def parameter_count(structure: str, n_visits: int) -> int:
    """Return how many parameters a structure has over so many visits."""
    N = n_visits
    return {"us": N * (N + 1) // 2, "toep": N, "toeph": 2 * N - 1, "ad": N, "adh": 2 * N - 1}.get(
        structure, N + 1 if structure in {"csh", "ar1h"} else 2
    )


def _visits(residual: ResidualTerm, frame: Frame) -> tuple[Codes, tuple[str, ...]]:
    if residual.visit in frame.codes:
        return frame.codes[residual.visit], frame.levels[residual.visit]
    values, codes = np.unique(frame.numeric[residual.visit], return_inverse=True)
    return codes.reshape(-1), tuple(f"{value:.15g}" for value in values.tolist())


def _repeated_visits(
    residual: ResidualTerm, subjects: Codes, visits: Codes, labels: Sequence[str], n_visits: int
) -> Iterator[Problem]:
    cells, counts = np.unique(subjects * n_visits + visits, return_counts=True)
    again = np.unique(cells[counts > 1] // n_visits)
    if len(again):
        yield Problem(
            found=f"{_subjects(again, labels)} with several rows at one visit",
            expected="one row a subject and visit",
            column=residual.visit,
            advice="Keep one of them, or name the column that tells them apart.",
        )


def _changing_arms(residual: ResidualTerm, frame: Frame) -> Iterator[Problem]:
    if residual.by is None:
        return
    subjects, labels = frame.codes[residual.subject], frame.levels[residual.subject]
    by = frame.codes[residual.by]
    changing = np.unique(subjects[by[representatives(subjects)] != by])
    if len(changing):
        found = f"{_subjects(changing, labels)} at several levels"
        yield Problem(found=found, expected="one level a subject", column=residual.by)


def _subjects(codes: Codes, labels: Sequence[str]) -> str:
    """Return how many subjects these are, and the labels of the first."""
    shown = ", ".join(repr(labels[i]) for i in codes[:_LISTED].tolist())
    rest = f" and {len(codes) - _LISTED} more" if len(codes) > _LISTED else ""
    return f"{len(codes)} subject{'s' if len(codes) > 1 else ''} ({shown}{rest})"


def _unknown_covariances(residual: ResidualTerm, frame: Frame, subjects: Codes, visits: Codes) -> Iterator[Problem]:
    levels = ("",) if residual.by is None else frame.levels[residual.by]
    for code, level in enumerate(levels):
        own: Mask = np.ones(len(visits), dtype=bool) if residual.by is None else frame.codes[residual.by] == code
        place = "" if residual.by is None else f" at {residual.by} {level!r}"
        rows = np.bincount(subjects[own])
        n_visits = len(np.unique(visits[own]))
        parameters = parameter_count(residual.structure, n_visits)
        if rows.max() < 2:
            found, expected = f"no subject with two visits{place}", "some, or the covariance of visits can't be known"
            yield Problem(found=found, expected=expected, column=residual.visit)
        elif parameters >= own.sum():
            found = f"{parameters} covariance parameters from {own.sum()} rows{place}"
            advice = "Use a structure with fewer parameters, such as cs or ar1."
            yield Problem(found=found, expected="fewer than rows", column=residual.visit, advice=advice)
