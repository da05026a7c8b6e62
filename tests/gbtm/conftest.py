"""Small simulated panels, seeded; no data of anyone. And the model as a book has it, in loops."""

import math
from functools import cache

import numpy as np
import pandas as pd
import pytest

from harness.cohorts.cohort import Cohort, Factor
from harness.gbtm.design import build_design
from harness.gbtm.spec import GbtmSpec
from harness.trajectories import fit_gbtm


def factor_of(labels):
    levels = tuple(sorted(set(labels)))
    return Factor(codes=np.array([levels.index(label) for label in labels]), levels=levels)


def make_cohort(subject, time, outcome, **columns):
    """Columns of strings become factors, all others numbers."""
    given = {name: np.array(values) for name, values in {"week": time, "score": outcome, **columns}.items()}
    return Cohort(
        name="panel",
        subject="id",
        time="week",
        numeric={name: values.astype(float) for name, values in given.items() if values.dtype.kind != "U"},
        factors={
            "id": factor_of([f"s{label}" for label in subject]),
            **{name: factor_of(values.tolist()) for name, values in given.items() if values.dtype.kind == "U"},
        },
    )


def simulate(shares, beta, sigma, n_subjects=60, seed=3):
    """Irregular times, 3 to 6 visits, one sigma per class; returns subject, time, outcome, true class by subject."""
    stream = np.random.default_rng(seed)
    classes = stream.choice(len(shares), n_subjects, p=shares)
    subject, time, outcome = [], [], []
    for i, g in enumerate(classes):
        t = np.sort(stream.uniform(0, 8, stream.integers(3, 7)))
        mean = np.polynomial.polynomial.polyval(t, beta[g])
        subject += [100 + i] * len(t)
        time += t.tolist()
        outcome += (mean + sigma[g] * stream.standard_normal(len(t))).tolist()
    return np.array(subject), np.array(time), np.array(outcome), classes


THREE = {
    "shares": (0.5, 0.3, 0.2),
    "beta": ((20.0, -2.0, 0.1), (22.0, 0.5), (10.0, 1.0, -0.2)),
    "sigma": (2.0, 2.5, 1.5),
}


def simulate_trial(n_subjects, seed=7):
    """Two classes that depend on age and sex; doses at visits; a count and an answer beside the score."""
    stream = np.random.default_rng(seed)
    visits = stream.integers(2, 5, n_subjects)
    subject = np.repeat(np.arange(n_subjects), visits)
    age, sex = stream.normal(50, 8, n_subjects), stream.choice(["female", "male"], n_subjects)
    upper = stream.random(n_subjects) < 1 / (1 + np.exp(-(age - 50) / 6 - (sex == "male") + 0.5))
    week = np.concatenate([np.sort(stream.uniform(0, 6, n)) for n in visits])
    dose, stress = stream.normal(3, 1, len(week)), stream.normal(0, 1, len(week))
    slope = np.where(upper[subject], 0.8, -0.5)
    score = 12 + 5 * upper[subject] + slope * week + 0.6 * dose + 0.4 * stress + stream.normal(0, 1, len(week))
    exposure, trials = stream.uniform(0.5, 2, len(week)), stream.integers(1, 5, len(week))
    return make_cohort(
        subject + 10,
        week,
        score,
        dose=dose,
        stress=stress,
        age=age[subject],
        sex=sex[subject],
        sampling=stream.integers(1, 4, n_subjects).astype(float)[subject],
        exposure=exposure,
        trials=trials.astype(float),
        count=stream.poisson(exposure * np.exp(score / 10)).astype(float),
        successes=stream.binomial(trials, 1 / (1 + np.exp(14 - score))).astype(float),
    )


@pytest.fixture(scope="session")
def panel():
    return make_cohort(*simulate(**THREE)[:3])


@pytest.fixture(scope="session")
def trial():
    return simulate_trial(60)


@pytest.fixture(scope="session")
def small_trial():
    """As small as a model with a dozen parameters can be, for arithmetic with forty digits."""
    return simulate_trial(5)


@pytest.fixture(scope="session")
def design_of(panel):
    def build(orders=(2, 1, 2), sigma="class", cohort=panel, **settings):
        named = {"outcome": "score", "time": "week", "subject": "id"}
        spec = GbtmSpec(**{**named, "orders": orders, "sigma": sigma, **settings})
        return build_design(spec, cohort)

    return build


@pytest.fixture(scope="session")
def cohort_of():
    return make_cohort


@pytest.fixture(scope="session")
def simulated():
    return simulate


def read_by_loops(spec, cohort, number):
    """Return what a model needs of each subject: its weight, its risk factors, and its rows as mappings."""

    def column(name, row):
        if name in cohort.numeric:
            return number(float(cohort.numeric[name][row]))
        factor = cohort.factors[name]
        return number(int(factor.levels[factor.codes[row]] == factor.levels[1]))

    def columns(text, row):
        return [column(name, row) for name in text.split(" + ")] if text else []

    subjects = {}
    for row, code in enumerate(cohort.subjects.codes.tolist()):
        one = subjects.setdefault(code, {"rows": []})
        one["weight"] = column(spec.weights, row) if spec.weights else number(1)
        one["risk"] = [number(1), *columns(spec.membership, row)]
        one["rows"].append(
            {
                "y": column(spec.outcome, row),
                "time": column(spec.time, row),
                "by class": columns(spec.covariates, row),
                "common": columns(spec.common, row),
                "exposure": column(spec.exposure, row) if spec.exposure else number(1),
                "trials": column(spec.trials, row) if spec.trials else number(1),
            }
        )
    return list(subjects.values())


def row_by_loops(family, row, eta, sigma, m):
    """Return the log density of one row, with all constants."""
    log_gamma = getattr(m, "lgamma", None) or m.loggamma
    y, trials = row["y"], row["trials"]
    if family == "poisson":
        rate = row["exposure"] * m.exp(eta)
        return y * m.log(rate) - rate - log_gamma(y + 1)
    if family == "logit":
        ways = log_gamma(trials + 1) - log_gamma(y + 1) - log_gamma(trials - y + 1)
        return ways + y * eta - trials * m.log(1 + m.exp(eta))
    z = (y - eta) / sigma
    return -z * z / 2 - m.log(sigma) - m.log(2 * m.pi) / 2


def model_by_loops(spec, cohort, number=float, m=math):
    """Return the log-likelihood as a function of a `Point`: loops over subjects, classes, rows, coefficients."""
    subjects, K = read_by_loops(spec, cohort, number), spec.n_classes
    first = subjects[0]
    n_by_class, n_common = len(first["rows"][0]["by class"]), len(first["rows"][0]["common"])
    mean_weight = sum(one["weight"] for one in subjects) / len(subjects)

    def log_likelihood(*point):
        take = iter(point)
        theta = [[next(take) for _ in range(K - 1)] for _ in first["risk"]]
        beta = [([next(take) for _ in range(d + 1)], [next(take) for _ in range(n_by_class)]) for d in spec.orders]
        common = [next(take) for _ in range(n_common)]
        sigma = list(take) or [None]
        sigma = sigma * K if len(sigma) == 1 else sigma
        total = number(0)
        for one in subjects:
            odds = [m.exp(sum(t[g] * w for t, w in zip(theta, one["risk"], strict=True))) for g in range(K - 1)]
            odds.append(number(1))
            density = number(0)
            for g, (of_time, of_covariates) in enumerate(beta):
                log_density = number(0)
                for row in one["rows"]:
                    eta = sum(b * row["time"] ** k for k, b in enumerate(of_time))
                    eta += sum(b * x for b, x in zip(of_covariates, row["by class"], strict=True))
                    eta += sum(b * x for b, x in zip(common, row["common"], strict=True))
                    log_density += row_by_loops(spec.family, row, eta, sigma[g], m)
                density += odds[g] / sum(odds) * m.exp(log_density)
            total += one["weight"] / mean_weight * m.log(density)
        return total

    return log_likelihood


@pytest.fixture(scope="session")
def by_loops():
    return model_by_loops


FAMILY_SETTINGS = {"time": "week", "subject": "id", "orders": (1, 1), "n_starts": 8}
EVERY_FAMILY = {
    "gaussian": {"outcome": "score", "sigma": "class", "membership": "age + sex", "covariates": "dose"},
    "by_visit": {"outcome": "score", "sigma": "visit"},
    "censored_normal": {"outcome": "bounded", "family": "censored_normal", "limits": (-0.5, 4.0)},
    "logit": {"outcome": "hits", "family": "logit", "trials": "tries"},
    "poisson": {"outcome": "events", "family": "poisson", "exposure": "days", "common": "dose"},
    "zip": {"outcome": "events", "family": "zip", "zero_orders": (1, -1)},
    "beta": {"outcome": "part", "family": "beta"},
    "random": {"outcome": "score", "random": 0, "random_scale": "class"},
    "ar1": {"outcome": "drifting", "errors": "ar1", "membership": "age"},
    "weighted": {"outcome": "score", "weights": "weight", "membership": "age"},
}


def table_of_every_family(n_subjects=60, seed=5):
    """Two classes, one column for the outcome of each family, risk factors, doses, exposures, weights."""
    stream = np.random.default_rng(seed)
    rows = []
    for i in range(n_subjects):
        falls = stream.random() < 0.4
        age, sex, own = stream.normal() + falls, stream.choice(["f", "m"]), stream.normal()
        weight = stream.uniform(0.5, 2.0)
        drift = stream.normal()
        for week in range(stream.integers(3, 7)):
            drift = 0.8 * drift + 0.6 * stream.normal()
            dose = stream.normal()
            eta = (3 - 0.5 * week if falls else 0.2 * week) + 0.3 * dose
            score = eta + 0.7 * own + 0.8 * stream.normal()
            rate = 1.5 * np.exp(0.4 * eta)
            rows.append(
                {
                    "id": f"p{i:03d}",
                    "week": float(week),
                    "score": score if stream.random() > 0.05 else np.nan,
                    "drifting": eta + drift + 0.7 * stream.normal(),
                    "bounded": float(np.clip(score, -0.5, 4.0)),
                    "hits": float(stream.binomial(5, 1 / (1 + np.exp(-eta)))),
                    "tries": 5.0,
                    "events": float(stream.poisson(rate)) if stream.random() > 0.2 * falls else 0.0,
                    "days": 1.5,
                    "part": 1 / (1 + np.exp(-(eta + stream.normal()) / 2)),
                    "dose": dose,
                    "age": age,
                    "sex": sex,
                    "weight": weight,
                }
            )
    return pd.DataFrame(rows)


@pytest.fixture(scope="session")
def family_table():
    return table_of_every_family()


@pytest.fixture(scope="session")
def family_fit(family_table):
    @cache
    def fit(name):
        return fit_gbtm(family_table, **FAMILY_SETTINGS, **EVERY_FAMILY[name])

    return fit


@pytest.fixture(params=sorted(EVERY_FAMILY))
def every_family(request, family_fit):
    return family_fit(request.param)
