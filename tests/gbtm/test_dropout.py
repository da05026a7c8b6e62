"""Dropout by class: against loops over subjects and waves, statsmodels, and a simulated truth."""

import cmath
import math

import numpy as np
import pytest
import statsmodels.api as sm

from harness.convergence import Stop
from harness.errors import SpecError
from harness.gbtm.design import build_design
from harness.gbtm.dropout import waves_at_risk
from harness.gbtm.em import begin, m_step
from harness.gbtm.estimation import estimate
from harness.gbtm.fit import fit
from harness.gbtm.mixture import derivatives, e_step
from harness.gbtm.spec import GbtmSpec

WAVES = (0.0, 1.0, 2.0, 4.0, 5.0)


def simulate_waves(n_subjects, seed, gamma=((-2.5, 0.0), (-1.0, 0.05)), levels=(10.0, 20.0), gaps=0.1):
    """Two classes; dropout depends on the class and the outcome before; some waves are missed, some subjects late."""
    stream = np.random.default_rng(seed)
    subject, time, outcome = [], [], []
    for i in range(n_subjects):
        g = int(stream.random() < 0.4)
        before = None
        for wave in WAVES:
            if before is not None and stream.random() < 1 / (1 + np.exp(-gamma[g][0] - gamma[g][1] * before)):
                break
            before = levels[g] - wave + stream.normal(0, 1.5)
            subject.append(i)
            time.append(wave)
            outcome.append(before if stream.random() > gaps else np.nan)
    return np.array(subject), np.array(time), np.array(outcome)


def spec_of(orders, dropout, **settings):
    return GbtmSpec(outcome="score", time="week", subject="id", orders=orders, dropout=dropout, **settings)


@pytest.fixture(scope="module")
def cohort(cohort_of):
    return cohort_of(*simulate_waves(60, 3))


@pytest.fixture(scope="module")
def handmade(cohort_of):
    """A completer, gaps of one and of two waves, a late entry, one wave alone, the last wave alone, early dropouts."""
    seen = [(9, 8, 7, 9, 5), (12, None, 11, 9), (20, None, None, 15, 16), (None, None, 18, 17), (21,)]
    seen += [(None, None, None, None, 13), (15, 14), (11, 9, 12), (19, 21, None, 17)]
    rows = [(i, t, y) for i, one in enumerate(seen) for t, y in zip(WAVES, one, strict=False)]
    subject, time, outcome = zip(*rows, strict=True)
    return cohort_of(
        subject, time, [np.nan if y is None else y + 0.1 * i for i, y in zip(subject, outcome, strict=True)]
    )


def loops(design, number=float, m=math):
    """Return the log-likelihood as a function of the user's parameters, in loops over subjects, classes and waves."""
    spec, rows = design.spec, design.outcomes[0].rows
    waves = rows.waves.tolist()
    seen = [{} for _ in range(design.n_subjects)]
    for i, t, y in zip(rows.panel.subject, rows.time, rows.y, strict=True):
        seen[i][waves.index(t)] = number(float(y))

    def of_class(one, beta, sigma, gamma):
        total = number(0)
        for wave, y in one.items():
            eta = sum(b * number(waves[wave]) ** k for k, b in enumerate(beta))
            total += -((y - eta) ** 2) / (2 * sigma**2) - m.log(sigma) - m.log(2 * m.pi) / 2
        first, last, lags = min(one), max(one), len(gamma) - 1
        for wave in range(first + 1, min(last + 1, len(waves) - 1) + 1):
            before = [one.get(wave - lag) for lag in range(1, lags + 1)]
            if None in before:
                continue
            odds = m.exp(gamma[0] + sum(c * y for c, y in zip(gamma[1:], before, strict=True)))
            total += m.log(odds / (1 + odds)) if wave == last + 1 else -m.log(1 + odds)
        return total

    def log_likelihood(*point):
        rest = list(point)

        def take(count):
            taken, rest[:] = rest[:count], rest[count:]
            return taken

        odds = [*map(m.exp, take(spec.n_classes - 1)), number(1)]
        betas = [take(order + 1) for order in spec.orders]
        (sigma,) = take(1)
        gammas = [take(lags + 1) for lags in spec.dropout]
        total = number(0)
        for one in seen:
            joint = [
                o / sum(odds) * m.exp(of_class(one, beta, sigma, gamma))
                for o, beta, gamma in zip(odds, betas, gammas, strict=True)
            ]
            total += m.log(sum(joint))
        return total

    return log_likelihood


def somewhere(design, seed=5, spread=0.4):
    return np.random.default_rng(seed).normal(0, spread, design.n_parameters)


@pytest.mark.parametrize("lags", [(0, 1, 2), (2, 0, 1), (1, 1, 0)])
def test_the_log_likelihood_is_that_of_loops_over_waves(handmade, cohort, lags):
    for data in (handmade, cohort):
        design = build_design(spec_of((1, 0, 1), lags), data)
        vector = somewhere(design)
        exact = loops(design)(*design.mixture.to_user(vector))
        assert e_step(vector[None], design.mixture)[1][0] == pytest.approx(exact, rel=1e-12)


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


def test_score_and_information_are_the_derivatives_of_the_loops(handmade):
    design = build_design(spec_of((0, 0, 1), (0, 1, 2)), handmade)
    vector, mixture = somewhere(design), design.mixture
    found = derivatives(vector[None], mixture)
    # In working units, through the linear maps to the user's and sigma = exp(log sigma).
    user, jacobian = mixture.to_user(vector), mixture.user_jacobian(vector)
    sigma = [p.role for p in mixture.parameters].index("sigma")

    def by_working(*moved):
        step = np.array(moved) - vector
        at = user + jacobian @ step
        at[sigma] = user[sigma] * np.exp(step[sigma])
        return loops(design, complex, cmath)(*at)

    gradient, hessian = complex_slopes(by_working, vector)
    np.testing.assert_allclose(found.score[0], gradient, rtol=1e-7, atol=1e-10 * np.abs(gradient).max())
    np.testing.assert_allclose(-found.information[0], hessian, atol=1e-6 * np.abs(hessian).max())


def test_waves_at_risk_end_with_the_first_missed_for_good_and_know_their_lags(handmade):
    risk = waves_at_risk(build_design(spec_of((0,), (0,)), handmade).outcomes[0].rows)

    def of(i):
        here = risk.panel.subject == i
        return list(zip(risk.time[here].tolist(), risk.dropped[here].tolist(), risk.depth[here].tolist(), strict=True))

    assert of(0) == [(1, 0, 1), (2, 0, 2), (4, 0, 2), (5, 0, 2)]
    assert of(1) == [(1, 0, 1), (2, 0, 0), (4, 0, 1), (5, 1, 2)]
    assert of(2) == [(1, 0, 1), (2, 0, 0), (4, 0, 0), (5, 0, 1)]
    assert of(3) == [(4, 0, 1), (5, 1, 2)]
    assert of(4) == [(1, 1, 1)]
    assert of(5) == []


def test_a_late_lag_is_no_lag_without_the_one_between(handmade):
    risk = waves_at_risk(build_design(spec_of((0,), (0,)), handmade).outcomes[0].rows)
    row = np.flatnonzero((risk.panel.subject == 1) & (risk.time == 2.0))[0]
    assert np.isnan(risk.lags[row, 0])
    assert risk.lags[row, 1] == pytest.approx(12.1)
    assert risk.depth[row] == 0


@pytest.mark.parametrize("lags", [0, 1, 2])
def test_one_class_is_a_logistic_regression_beside_the_model_of_the_outcome(cohort, lags):
    design = build_design(spec_of((1,), (lags,)), cohort)
    fitted = fit(design)
    risk = waves_at_risk(design.outcomes[0].rows)
    used = risk.depth >= lags
    X = np.column_stack([np.ones(used.sum()), risk.lags[used][:, :lags]])
    reference = sm.Logit(risk.dropped[used], X).fit(disp=0, tol=1e-12)
    alone = fit(build_design(spec_of((1,), None), cohort))
    assert fitted.log_likelihood == pytest.approx(alone.log_likelihood + reference.llf, abs=1e-8)
    np.testing.assert_allclose(fitted.point[-1 - lags :], reference.params, rtol=1e-6)
    errors = np.sqrt(np.diag(estimate(fitted, design).covariance))
    np.testing.assert_allclose(errors[-1 - lags :], reference.bse, rtol=1e-6)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_em_never_lowers_the_log_likelihood(cohort, seed):
    mixture = build_design(spec_of((1, 0, 1), (1, 0, 2)), cohort).mixture
    posterior = np.random.default_rng(seed).dirichlet(np.ones(3), (4, len(mixture.weights))).transpose(0, 2, 1)
    vectors, before = begin(posterior, mixture), -np.inf
    for _ in range(40):
        posterior, reached = e_step(vectors, mixture)
        assert np.all(reached >= before - 1e-10 * np.abs(reached))  # rounding of a sum of 60 subjects
        vectors, before = m_step(posterior, vectors, mixture), reached


def test_classes_in_another_order_are_the_same_model(cohort):
    mixture = build_design(spec_of((1, 0, 1), (2, 0, 1)), cohort).mixture
    vector, order = np.random.default_rng(1).normal(0, 0.5, (1, mixture.n_free)), np.array([2, 0, 1])
    moved = mixture.relabelled(vector, order)
    posterior, reached = e_step(vector, mixture)
    after, again = e_step(moved, mixture.permuted(order))
    assert again[0] == pytest.approx(reached[0], rel=1e-13)
    np.testing.assert_allclose(after[0], posterior[0][order], rtol=1e-10)


def test_another_unit_of_the_outcome_changes_coefficients_and_nothing_else(cohort_of):
    subject, time, outcome = simulate_waves(200, 3)
    spec = spec_of((0, 0), (1, 1), n_starts=5)
    first = fit(build_design(spec, cohort_of(subject, time, outcome)))
    design = build_design(spec, cohort_of(subject, time, 300 + 10 * outcome))
    second = fit(design)
    n = design.n_observations
    assert second.log_likelihood == pytest.approx(first.log_likelihood - n * np.log(10), abs=1e-7)
    slopes = [k for k, p in enumerate(design.mixture.parameters) if p.name.startswith("lag")]
    np.testing.assert_allclose(np.array(second.point)[slopes], np.array(first.point)[slopes] / 10, rtol=1e-6)


def test_a_known_truth_is_recovered(cohort_of):
    gamma = ((-2.0, 0.05), (-3.5, 0.12))
    data = cohort_of(*simulate_waves(1500, 11, gamma, gaps=0.0))
    design = build_design(spec_of((1, 1), (1, 1), n_starts=4), data)
    estimates = estimate(fit(design), design)
    errors = np.sqrt(np.diag(estimates.covariance))[-4:]
    found = estimates.of_role("dropout")
    # Four standard errors each: fails by chance once in four thousand seeds.
    assert np.all(np.abs(found - np.ravel(gamma)) < 4 * errors)
    assert errors.max() < 0.7


def test_a_class_in_which_nobody_drops_out_has_no_standard_error(cohort_of):
    data = cohort_of(*simulate_waves(80, 5, gamma=((-1.0, 0.0), (-60.0, 0.0)), levels=(5.0, 40.0), gaps=0.0))
    design = build_design(spec_of((1, 1), (0, 0), n_starts=6), data)
    fitted = fit(design)
    assert fitted.convergence.stop == Stop.BOUNDARY
    at = [design.mixture.parameters[k] for k in fitted.best.boundary]
    assert [(p.role, p.latent_class) for p in at] == [("dropout", 2)]
    assert np.isnan(estimate(fitted, design).covariance[-1, -1])


def test_dropout_that_no_data_could_tell_is_refused(cohort_of):
    n = 12
    subject, time = np.repeat(np.arange(n), 4), np.tile(np.arange(4.0), n)
    score = np.random.default_rng(2).normal(10, 2, 4 * n)
    with pytest.raises(SpecError, match="has 0 dropout"):
        build_design(spec_of((0,), (1,)), cohort_of(subject, time, score))
    irregular = np.random.default_rng(3).uniform(0, 10, 4 * n)
    with pytest.raises(SpecError, match="48 distinct times, where no subject has more than 4"):
        build_design(spec_of((0,), (0,)), cohort_of(subject, irregular, score))
    twice = cohort_of(np.append(subject, 0), np.append(time, 1.0), np.append(score, 9.0))
    with pytest.raises(SpecError, match="several outcomes of one subject"):
        build_design(spec_of((0,), (0,)), twice)


def test_a_draw_of_dropout_is_refused_not_invented(cohort):
    density = build_design(spec_of((0,), (0,)), cohort).mixture.densities[1]
    with pytest.raises(SpecError, match="a model of dropout"):
        density.simulate(np.zeros(1), np.zeros(60, dtype=np.int64), np.random.default_rng(1))
