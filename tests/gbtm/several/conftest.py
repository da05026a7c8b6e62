"""Small simulated panels of two outcomes, seeded; both models as a book has them, in loops; exact slopes."""

import cmath
import math

import numpy as np
import pytest

from harness.cohorts.cohort import Cohort, Factor

WAVES = 5


def simulate_two(n_subjects, seed, shares=((0.4, 0.1), (0.1, 0.4)), gaps=0.2, noise=1.5):
    """Score and mood of pairs of classes; either may be missing at a visit, and one of them at all visits of some."""
    stream = np.random.default_rng(seed)
    joint = np.array(shares)
    pairs = stream.choice(joint.size, n_subjects, p=joint.ravel() / joint.sum())
    first, second = np.divmod(pairs, joint.shape[1])
    subject, time = np.repeat(np.arange(n_subjects), WAVES), np.tile(np.arange(float(WAVES)), n_subjects)
    score = 10 + 6 * first[subject] - (0.5 + first[subject]) * time + noise * stream.standard_normal(len(time))
    mood = 30 - 8 * second[subject] + second[subject] * time + noise * stream.standard_normal(len(time))
    for values in (score, mood):
        values[stream.random(len(values)) < gaps] = np.nan
        values[subject == stream.integers(n_subjects)] = np.nan
    return subject, time, {"score": score, "mood": mood}, (first, second)


def make_panel(subject, time, columns):
    """All columns are numbers; labels of subjects sort as their numbers do."""
    labels = tuple(f"s{number:05d}" for number in range(int(subject.max()) + 1))
    numeric = {"week": time, **columns}
    return Cohort(
        name="panel",
        subject="id",
        time="week",
        numeric={name: np.asarray(values, dtype=float) for name, values in numeric.items()},
        factors={"id": Factor(codes=np.asarray(subject), levels=labels)},
    )


@pytest.fixture(scope="session")
def simulated():
    return simulate_two


@pytest.fixture(scope="session")
def panel_of():
    return make_panel


@pytest.fixture(scope="session")
def panel():
    subject, time, columns, _ = simulate_two(60, 3)
    return make_panel(subject, time, columns)


@pytest.fixture(scope="session")
def small_panel():
    subject, time, columns, _ = simulate_two(9, 4, gaps=0.3)
    return make_panel(subject, time, columns)


def rows_of(design, number):
    """Return the rows of each subject of one outcome: a list of (time, y) by subject."""
    rows = design.outcomes[number].rows
    found = [[] for _ in range(rows.panel.n_subjects)]
    for i, t, y in zip(rows.panel.subject, rows.time, rows.y, strict=True):
        found[i].append((float(t), float(y)))
    return found


def log_density(rows, beta, sigma, m):
    """Return the gaussian log density of one subject's rows given one class."""
    total = 0.0
    for t, y in rows:
        eta = sum(b * t**k for k, b in enumerate(beta))
        total += -((y - eta) ** 2) / (2 * sigma**2) - m.log(sigma) - m.log(2 * m.pi) / 2
    return total


def curves_and_sigmas(rest, spec):
    """Take the coefficients of each class and its sigma from the front of a list of parameters."""
    betas = []
    for order in spec.orders:
        betas.append(rest[: order + 1])
        del rest[: order + 1]
    count = spec.n_classes if spec.sigma == "class" else 1
    sigmas = rest[:count] * (1 if count > 1 else spec.n_classes)
    del rest[:count]
    return betas, sigmas


def multi_by_loops(design, m=math):
    """Return the log-likelihood of a multi-trajectory model as a function of the user's parameters."""
    data = [rows_of(design, number) for number in range(len(design.outcomes))]

    def log_likelihood(*point):
        rest = list(point)
        K = design.n_classes
        odds = [*map(m.exp, rest[: K - 1]), 1.0]
        del rest[: K - 1]
        models = [curves_and_sigmas(rest, outcome.spec) for outcome in design.outcomes]
        total = 0.0
        for i, weight in enumerate(design.subjects.weights):
            joint = 0.0
            for g in range(K):
                given = [log_density(rows[i], b[g], s[g], m) for rows, (b, s) in zip(data, models, strict=True)]
                joint += odds[g] / sum(odds) * m.exp(sum(given))
            total += float(weight) * m.log(joint)
        return total

    return log_likelihood


def dual_by_loops(design, m=math):
    """Return the log-likelihood of a dual model, with pi_j and pi_(k|j) as traj has them, of the user's parameters."""
    data = [rows_of(model, 0) for model in design.outcomes]
    J, K = design.shape

    def log_likelihood(*point):
        rest = list(point)
        cells = [*map(m.exp, rest[: J * K - 1]), 1.0]
        del rest[: J * K - 1]
        (betas, sigmas), (others, their_sigmas) = (curves_and_sigmas(rest, model.spec) for model in design.outcomes)
        rows = [cells[j * K : (j + 1) * K] for j in range(J)]
        total = 0.0
        for i, weight in enumerate(design.subjects.weights):
            joint = 0.0
            for j in range(J):
                share = sum(rows[j]) / sum(cells)
                inner = 0.0
                for k in range(K):
                    conditional = rows[j][k] / sum(rows[j])
                    inner += conditional * m.exp(log_density(data[1][i], others[k], their_sigmas[k], m))
                joint += share * m.exp(log_density(data[0][i], betas[j], sigmas[j], m)) * inner
            total += float(weight) * m.log(joint)
        return total

    return log_likelihood


@pytest.fixture(scope="session")
def multi_loops():
    return multi_by_loops


@pytest.fixture(scope="session")
def dual_loops():
    return dual_by_loops


def complex_slopes(function, point):
    """Gradient by complex steps, exact to rounding, and Hessian by differences of these over five points."""
    unit, h = np.eye(len(point)), 1e-3

    def gradient(at):
        return np.array([function(*(at + 1e-30j * e)).imag / 1e-30 for e in unit])

    # The error of the formula is of the fourth power of h: 1e-12 times a fifth derivative.
    def second(e):
        near, far = gradient(point + h * e) - gradient(point - h * e), gradient(point + 2 * h * e)
        return (8 * near - far + gradient(point - 2 * h * e)) / (12 * h)

    return gradient(point), np.array([second(e) for e in unit])


@pytest.fixture(scope="session")
def slopes_of_loops():
    """From loops over the user's parameters to the gradient and Hessian by a free vector in working units."""

    def slopes(loops, design, vector):
        mixture = design.mixture
        user, jacobian = mixture.to_user(vector), mixture.user_jacobian(vector)
        sigmas = [k for k, p in enumerate(mixture.parameters) if p.role == "sigma"]
        book = loops(design, cmath)

        def by_working(*moved):
            # The maps to the user's units are linear, but for sigma = exp(log sigma).
            step = np.array(moved) - vector
            at = user + jacobian @ step
            for k in sigmas:
                (place,) = np.flatnonzero(jacobian[k])
                at[k] = user[k] * np.exp(step[place])
            return book(*at)

        return complex_slopes(by_working, vector)

    return slopes
