"""Prediction for patients, visit by visit: which class, and what is to come."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy.special import softmax

from harness.arrays import Matrix, Vector
from harness.errors import Problem, SpecError
from harness.gbtm.inference.bands import level_problems
from harness.gbtm.prediction.course import Known, courses
from harness.gbtm.prediction.drawn_model import Model
from harness.gbtm.prediction.sequential import log_joint_after, log_shares
from harness.gbtm.prediction.visits import Patients


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Prediction:
    """What a model says of patients after some of their visits.

    Attributes
    ----------
    classes
        One row a patient and number of visits known: the subject, `after`, the time of the last one, `latent_class`
        (modal), `probability_g`, and `lower_g`, `upper_g`: its limits over draws of the parameters (NaN where the fit
        has no standard errors).
    course
        One row a patient, number of visits known, and visit to come: the subject, `after`, the time, `outcome` where
        there are several, `mean` of the outcome, `lower`, `upper`: quantiles of the outcome itself, with its variation
        within classes and the uncertainty about the class; and `observed`, where it is known.
    """

    classes: pd.DataFrame
    course: pd.DataFrame


def predict(
    model: Model,
    patients: Patients,
    *,
    after: int | None = None,
    times: Vector | None = None,
    level: float = 0.95,
    uncertain_parameters: bool = False,
) -> Prediction:
    """Return class probabilities and the course to come of patients.

    Parameters
    ----------
    model
        From `model_of`.
    patients
        From `new_patients`, or `fitted_patients`.
    after
        How many visits count as known (fewer where a patient has fewer); None for each number in turn, 0 included.
    times
        When the course is wanted, for models without covariates by visit; by default at each patient's own later rows.
    level
        Of all limits.
    uncertain_parameters
        Whether the course's limits are over the draws of the parameters, too.

    Raises
    ------
    SpecError
        For settings that can't be, or times where the course would depend on covariates.
    """
    _check(after, level)
    joint = log_joint_after(model.vectors, model.mixture, model.design, patients)
    prior = np.exp(log_shares(model.vectors, model.mixture, patients))
    posterior = softmax(joint, axis=1)
    states = list(_states(patients, after))
    by_state = [prior[:, :, i] if visit < 0 else posterior[:, :, visit] for i, _, visit in states]
    classes = _class_table(model, patients, states, by_state, level)
    some = slice(None) if uncertain_parameters else slice(1)
    known = [
        Known(patient=i, after=k, last=visit, posterior=probabilities[some])
        for (i, k, visit), probabilities in zip(states, by_state, strict=True)
    ]
    return Prediction(
        classes=classes, course=courses(replace(model, vectors=model.vectors[some]), patients, known, times, level)
    )


def posterior_after(model: Model, patients: Patients, after: int | None = None) -> pd.DataFrame:
    """Return the class probabilities of patients after some of their visits, without limits.

    One row a patient and number of visits: the subject, `after`, time of the last one, `latent_class`, `probability_g`.
    """
    _check(after, 0.95)
    posterior = softmax(log_joint_after(model.vectors[:1], model.mixture, model.design, patients), axis=1)
    prior = np.exp(log_shares(model.vectors[:1], model.mixture, patients))
    states = list(_states(patients, after))
    by_state = [prior[:, :, i] if visit < 0 else posterior[:, :, visit] for i, _, visit in states]
    table = _class_table(model, patients, states, by_state, 0.95)
    return table.drop(columns=[name for name in table if str(name).startswith(("lower_", "upper_"))])


State = tuple[int, int, int]
"""A patient, how many of its visits are known, and the number of the last of these (-1: none)."""


def _states(patients: Patients, after: int | None) -> Iterator[State]:
    counts = patients.n_visits
    first = np.cumsum(counts) - counts
    for i, count in enumerate(counts.tolist()):
        for k in range(count + 1) if after is None else [min(after, count)]:
            yield i, k, int(first[i]) + k - 1 if k else -1


def _class_table(
    model: Model, patients: Patients, states: list[State], by_state: list[Matrix], level: float
) -> pd.DataFrame:
    spec, K = model.design.spec, model.mixture.n_classes
    stacked = np.array(by_state)  # (states, S, K)
    table = {
        spec.subject: [patients.labels[i] for i, _, _ in states],
        "after": [k for _, k, _ in states],
        "time" if spec.time is None else spec.time: [
            patients.visit_time[visit] if visit >= 0 else np.nan for _, _, visit in states
        ],
        "latent_class": stacked[:, 0].argmax(axis=1) + 1,
    }
    limits = np.full((2, len(states), K), np.nan)
    if stacked.shape[1] > 1:
        limits = np.quantile(stacked[:, 1:], [(1 - level) / 2, (1 + level) / 2], axis=1)
    for g in range(K):
        table[f"probability_{g + 1}"] = stacked[:, 0, g]
        table[f"lower_{g + 1}"], table[f"upper_{g + 1}"] = limits[0, :, g], limits[1, :, g]
    return pd.DataFrame(table)


def _check(after: object, level: object) -> None:
    problems = list(level_problems(level))
    is_count = isinstance(after, int | np.integer) and not isinstance(after, bool) and after >= 0
    if after is not None and not is_count:
        problems.append(Problem(found=f"after {after!r:.40}", expected="a number of visits, or None for each in turn"))
    if problems:
        raise SpecError("predict", problems)
