"""A case as R gets it: columns named v1 ... vk, the model as a tree of those names, numbers only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from harness.cohorts.cohort import Cohort
from harness.errors import EngineError
from harness.formula import Term
from harness.gbtm.spec import GbtmSpec
from harness.lmm.spec import LmmSpec
from harness.quantities import Point
from harness.references import wire


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What travels, and what does not: `names` (v1 -> the user's column) and `subject_labels` (level 1, 2, ...)."""

    payload: Mapping[str, Any]
    names: Mapping[str, str]
    subject_labels: tuple[str, ...]

    def started_at(self, point: Point | None) -> "Request":
        """Return the request with a start, or as it is."""
        return self if point is None else self._with(start=np.array(point, dtype=np.float64))

    def with_points(self, points: Sequence[Point]) -> "Request":
        """Return the request with parameters at which the log-likelihood is wanted."""
        return self._with(points=[np.array(point, dtype=np.float64) for point in points])

    def _with(self, **more: Any) -> "Request":  # noqa: ANN401  # a payload holds any value that can travel
        return replace(self, payload={**self.payload, **more})


def lmm_request(engine: str, spec: LmmSpec, cohort: Cohort) -> Request:
    """Return the request of a linear mixed model.

    Raises
    ------
    EngineError
        If the model has a form that lme4 and nlme would take for another one.
    """
    formula = spec.formula
    (random,) = formula.random
    terms = (*formula.terms, *random.terms)
    own = tuple(dict.fromkeys((formula.outcome, random.subject, *(atom.column for term in terms for atom in term))))
    factors = {atom.column for term in random.terms for atom in term if atom.column in cohort.factors}
    if factors and not random.correlated:
        listed = ", ".join(sorted(factors))
        raise EngineError(engine, "refused", f"`||` leaves the levels of a factor correlated in R: {listed}")
    letters = _letters(own)
    tree = {
        "outcome": letters[formula.outcome],
        "subject": letters[random.subject],
        "terms": _terms(formula.terms, letters),
        "intercept": formula.intercept,
        "random_terms": _terms(random.terms, letters),
        "random_intercept": random.intercept,
        "correlated": random.correlated,
        "criterion": spec.criterion,
    }
    return _request(cohort, random.subject, letters, tree)


def gbtm_request(spec: GbtmSpec, cohort: Cohort) -> Request:
    """Return the request of a trajectory model."""
    letters = _letters((spec.outcome, spec.time, spec.subject))
    tree = {
        "outcome": letters[spec.outcome],
        "time": letters[spec.time],
        "subject": letters[spec.subject],
        "orders": np.array(spec.orders, dtype=np.int64),
        "sigma": spec.sigma,
    }
    return _request(cohort, spec.subject, letters, tree)


def _request(cohort: Cohort, subject: str, letters: Mapping[str, str], tree: Mapping[str, Any]) -> Request:
    return Request(
        payload={"columns": {letters[name]: _column(cohort, name) for name in letters}, "spec": tree},
        names={letter: name for name, letter in letters.items()},
        subject_labels=cohort.factors[subject].levels,
    )


def _letters(columns: Sequence[str]) -> dict[str, str]:
    return {name: f"v{k}" for k, name in enumerate(columns, start=1)}


def _column(cohort: Cohort, name: str) -> dict[str, Any]:
    if name in cohort.numeric:
        values = cohort.numeric[name]
        return {"type": "double", "values": wire.with_missing(values, np.isnan(values))}
    factor = cohort.factors[name]
    codes = np.where(factor.codes < 0, wire.MISSING_INTEGER, factor.codes + 1)
    return {"type": "factor", "codes": codes, "n_levels": len(factor.levels)}


def _terms(terms: Sequence[Term], letters: Mapping[str, str]) -> list[list[dict[str, Any]]]:
    return [
        [{"column": letters[atom.column], "power": atom.power, "function": atom.function} for atom in term]
        for term in terms
    ]
