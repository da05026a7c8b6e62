"""What is to come of patients: the predictive distribution of later outcomes, a mixture over classes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from harness.arrays import Codes, Matrix, Tensor, Vector
from harness.errors import Problem, SpecError
from harness.gbtm.design import Outcome
from harness.gbtm.prediction.drawn_model import Model
from harness.gbtm.prediction.outcome_laws import Law, given_known
from harness.gbtm.prediction.predictive import predictive_mean, predictive_quantile
from harness.gbtm.prediction.visits import OutcomeRows, Patients


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Known:
    """What is known of one patient: its first `after` visits, of which `last` is the number of the last (-1: none).

    `posterior` (S, K) are its class probabilities then.
    """

    patient: int
    after: int
    last: int
    posterior: Matrix


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Piece:
    known: Known
    wanted: OutcomeRows
    law: Law


def courses(
    model: Model, patients: Patients, known: Sequence[Known], times: Vector | None, level: float
) -> pd.DataFrame:
    """Return the means and predictive limits of outcomes to come.

    Parameters
    ----------
    model, patients
        Parameters and visits.
    known
        Up to where each patient is known.
    times
        When; by default at the later rows of each patient.
    level
        Of the limits.

    Raises
    ------
    SpecError
        For times that are no finite numbers, or if the course would depend on covariates that nobody gave.
    """
    if times is not None:
        times = _checked_times(model, times)
    frames = []
    for number, outcome in enumerate(model.design.outcomes):
        pieces = list(_pieces(model, patients, known, number, times))
        if pieces:
            frames.append(_table(model, patients, outcome, pieces, level))
    if not frames:
        return pd.DataFrame()
    if len(model.design.outcomes) > 1:
        for frame, outcome in zip(frames, model.design.outcomes, strict=True):
            frame.insert(2, "outcome", outcome.spec.outcome)
    return pd.concat(frames, ignore_index=True)


def _pieces(
    model: Model, patients: Patients, known: Sequence[Known], number: int, times: Vector | None
) -> Iterator[_Piece]:
    outcome, rows = model.design.outcomes[number], patients.outcomes[number]
    density, own = model.mixture.densities[outcome.density], model.vectors[:, model.mixture.parts[outcome.density]]
    visit = np.full(len(rows.y), -1)
    visit[rows.known] = patients.visit_of[number]
    first = np.searchsorted(rows.patient, np.arange(patients.count + 1))
    for one in known:
        here = np.arange(first[one.patient], first[one.patient + 1])
        seen = here[(visit[here] >= 0) & (visit[here] <= one.last)]
        wanted = rows.taken(_later(rows, here, visit, one)) if times is None else _at(outcome, times, one.patient)
        if len(wanted.y):
            yield _Piece(known=one, wanted=wanted, law=given_known(density, own, wanted, rows.taken(seen)))


def _later(rows: OutcomeRows, here: Codes, visit: Codes, one: Known) -> Codes:
    """Return the rows after the visits that are known: seen later, or without an outcome and not before the last."""
    seen = here[(visit[here] >= 0) & (visit[here] <= one.last)]
    last = rows.time[seen].max(initial=-np.inf)
    open_rows = (visit[here] < 0) & (rows.time[here] >= last)
    return np.asarray(here[(visit[here] > one.last) | open_rows])


def _at(outcome: Outcome, times: Vector, patient: int) -> OutcomeRows:
    m = len(times)
    return OutcomeRows(
        y=np.full(m, np.nan),
        time=times,
        offset=np.zeros(m),
        trials=np.ones(m) if outcome.spec.family == "logit" else None,
        X=outcome.columns.at(times),
        patient=np.full(m, patient),
        source=np.arange(m),
    )


def _table(model: Model, patients: Patients, outcome: Outcome, pieces: Sequence[_Piece], level: float) -> pd.DataFrame:
    spec = outcome.spec
    counts = [len(piece.wanted.y) for piece in pieces]
    law = _joined([piece.law for piece in pieces])
    trials = None
    if spec.family == "logit":
        trials = np.concatenate([np.ones(0) if p.wanted.trials is None else p.wanted.trials for p in pieces])
    posterior = np.stack([piece.known.posterior for piece in pieces], axis=-1)  # (S, K, pieces)
    weights = np.repeat(posterior, counts, axis=-1) / len(posterior)
    lower, upper = (
        predictive_quantile(spec, law, weights, share, trials) for share in ((1 - level) / 2, (1 + level) / 2)
    )
    return pd.DataFrame(
        {
            spec.subject: np.repeat([patients.labels[piece.known.patient] for piece in pieces], counts),
            "after": np.repeat([piece.known.after for piece in pieces], counts),
            "time" if model.design.spec.time is None else model.design.spec.time: np.concatenate(
                [piece.wanted.time for piece in pieces]
            ),
            "mean": predictive_mean(spec, law, weights, trials),
            "lower": lower,
            "upper": upper,
            "observed": np.concatenate([piece.wanted.y for piece in pieces]),
        }
    )


def _joined(laws: Sequence[Law]) -> Law:
    eta = np.concatenate([law.eta for law in laws], axis=-1)
    zetas: list[Tensor] = [np.broadcast_to(law.zeta, law.eta.shape) for law in laws if law.zeta is not None]
    return Law(eta=eta, zeta=np.concatenate(zetas, axis=-1) if zetas else None)


def _checked_times(model: Model, times: Vector) -> Vector:
    problems = []
    try:
        found = np.atleast_1d(np.asarray(times, dtype=np.float64))
    except (TypeError, ValueError):
        found = np.array([np.nan])
    if found.ndim != 1 or not np.isfinite(found).all():
        problems.append(Problem(found=f"times {times!r:.60}", expected="finite numbers"))
    for spec in (outcome.spec for outcome in model.design.outcomes):
        if spec.covariates or spec.common:
            advice = "Give the visits to come as rows without an outcome, with their covariates."
            problems.append(
                Problem(
                    found=f"times for {spec.outcome!r}, which depends on covariates", expected="rows", advice=advice
                )
            )
        if spec.sigma == "visit":
            visits = np.unique(np.concatenate([o.rows.time for o in model.design.outcomes]))
            if problems == [] and not np.isin(found, visits).all():
                expected = "times of visits of the fit, because sigma goes by visit"
                problems.append(Problem(found=f"times {times!r:.60}", expected=expected))
    if problems:
        raise SpecError("predict", problems)
    return found
