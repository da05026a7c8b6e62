"""Readings as engines give them, built by hand: a mixed model of 18 subjects and a trajectory model of 24."""

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
import pytest

from harness.comparison.verdict import CrossEvidence, ObjectivePair
from harness.convergence import Convergence, Stop
from harness.gbtm.estimates import GbtmEstimates
from harness.gbtm.named import Parameter
from harness.lmm.estimates import LmmEstimates, RandomEffects
from harness.quantities import Failure, InputEvidence, ObjectiveValue, OptimumCovariance, Quantity, Reading

Change = Callable[..., Reading]

LABELS = tuple(str(label) for label in range(301, 319))
MEMBERS = tuple(f"P{i:02d}" for i in range(24))


def lmm_estimates(*, singular: bool = False) -> LmmEstimates:
    """A random slope model like sleepstudy's; `singular` has no variance of the slope."""
    random = np.random.default_rng(1)
    covariance = np.array([[612.09, 9.6043], [9.6043, 35.0717]])
    conditional = np.array([[145.705, -21.4444], [-21.4444, 5.31227]])
    if singular:
        covariance = np.array([[612.09, 0.0], [0.0, 0.0]])
        conditional = np.array([[59.2, 0.0], [0.0, 0.0]])
    modes = random.multivariate_normal([0, 0], covariance - 0.2 * np.diag(np.diag(covariance)), size=18)
    variance_cov = np.outer([321.9, 46.7, 14.8, 1.51], [321.9, 46.7, 14.8, 1.51]) * (0.9 * np.eye(4) + 0.1)
    return LmmEstimates(
        criterion="REML",
        fixed_names=("intercept", "days"),
        beta=np.array([251.405105, 10.4672860]),
        vcov=np.array([[46.57457, -1.451097], [-1.451097, 2.389463]]),
        theta=np.array([0.9667, 0.0152, 0.2309]),
        random=(
            RandomEffects(
                grouping="subject",
                names=("intercept", "days"),
                cov=covariance,
                labels=LABELS,
                modes=modes,
                modes_cov=np.broadcast_to(conditional, (18, 2, 2)),
            ),
        ),
        sigma=25.5918,
        variance_cov=None if singular else variance_cov,
        log_likelihood=-871.814136,
        aic=2 * 871.814136 + 12,
        bic=2 * 871.814136 + 6 * np.log(180),
        n_observations=180,
        n_subjects=18,
        n_parameters=6,
    )


def gbtm_estimates() -> GbtmEstimates:
    """Three classes of unequal order, shared sigma, 24 subjects, 330 rows."""
    random = np.random.default_rng(2)
    shares = np.array([0.45, 0.33, 0.22])
    posterior = random.dirichlet([0.4, 0.3, 0.2], size=24)
    beta = (np.array([29.8, -4.2, 0.31]), np.array([31.5, -1.4]), np.array([33.1]))
    blocks = [(np.diag(shares) - np.outer(shares, shares)) / 24]
    for coefficients, errors in zip(beta, ([0.55, 0.41, 0.07], [0.6, 0.16], [0.45]), strict=True):
        powers = np.arange(len(coefficients))
        blocks.append(np.outer(errors, errors) * (-0.6) ** np.abs(np.subtract.outer(powers, powers)))
    blocks.append(np.array([[0.12**2]]))
    covariance = np.zeros((10, 10))
    start = 0
    for block in blocks:
        covariance[start : start + len(block), start : start + len(block)] = block
        start += len(block)
    named = [("log_odds", "intercept", 1), ("log_odds", "intercept", 2)]
    named += [("beta", ("intercept", "week", "week^2")[k], g) for g in (1, 2, 3) for k in range(len(beta[g - 1]))]
    named.append(("sigma", "sigma", 0))
    parameters = tuple(Parameter(role=role, name=name, latent_class=g) for role, name, g in named)
    modal = posterior.argmax(axis=1)
    entropy = 1 + np.sum(posterior * np.log(posterior)) / (24 * np.log(3))
    return GbtmEstimates(
        family="gaussian",
        sigma_kind="shared",
        time="week",
        parameters=parameters,
        point=np.concatenate([np.log(shares[:2] / shares[2]), *beta, [3.02]]),
        class_shares=shares,
        covariance=covariance,
        log_likelihood=-918.682761,
        aic=2 * 918.682761 + 18,
        bic_subjects=2 * 918.682761 + 9 * np.log(24),
        bic_observations=2 * 918.682761 + 9 * np.log(330),
        n_observations=330,
        n_subjects=24,
        n_parameters=9,
        subject_labels=MEMBERS,
        posterior=posterior,
        entropy=float(entropy),
        average_posterior=np.array([posterior[modal == g, g].mean() for g in range(3)]),
    )


def reading(
    engine: str, estimates: LmmEstimates | GbtmEstimates, *, stop: Stop = Stop.OPTIMUM, **rest: object
) -> Reading:
    """An engine's reading of these estimates, with evidence of its input."""
    n, m = estimates.n_observations, estimates.n_subjects
    sums = {"intercept": float(n), "days": 4.5 * n, "centred": 3.1e-14}
    return Reading(
        engine=engine,
        source="computed" if engine == "harness" else "live",
        versions={engine: "1"},
        evidence=InputEvidence(n_observations=n, n_subjects=m, outcome_sum=53731.42, design_sums=sums),
        quantities=estimates.quantities(),
        covariance=estimates.optimum_covariance(),
        objective=(ObjectiveValue(label="optimum", point=(1.0,), log_likelihood=estimates.log_likelihood),),
        convergence=Convergence(stop=stop, gradient=1e-9, distance=1e-9),
        **rest,
    )


@pytest.fixture(scope="session")
def ours_lmm() -> Reading:
    return reading("harness", lmm_estimates())


@pytest.fixture(scope="session")
def lme4() -> Reading:
    """As the decoder of lme4 gives it: no covariance of the variance parameters."""
    return reading("lme4", replace(lmm_estimates(), variance_cov=None))


@pytest.fixture(scope="session")
def ours_singular() -> Reading:
    return reading("harness", lmm_estimates(singular=True), stop=Stop.SINGULAR)


@pytest.fixture(scope="session")
def lme4_singular() -> Reading:
    return reading("lme4", lmm_estimates(singular=True), stop=Stop.SINGULAR)


@pytest.fixture(scope="session")
def ours_gbtm() -> Reading:
    return reading("harness", gbtm_estimates())


@pytest.fixture(scope="session")
def lcmm() -> Reading:
    return reading("lcmm", gbtm_estimates())


@pytest.fixture(scope="session")
def agreeing_evidence() -> CrossEvidence:
    """Four points at which the log-likelihoods are equal to rounding; the right optimum is stationary."""
    values = (-871.814136, -890.25, -902.5, -1011.75)
    pairs = tuple(
        ObjectivePair(label=f"probe {k}", point=(float(k),), left=value, right=value * (1 + 2e-15))
        for k, value in enumerate(values)
    )
    return CrossEvidence(objectives=pairs, gradient_at_right=1e-6)


@pytest.fixture(scope="session")
def change() -> Change:
    """Return a reading in which some quantities have another value, given as such or made from the old one, by path."""

    def changed(of: Reading, values: Mapping[str, object]) -> Reading:
        missing = values.keys() - {q.path for q in of.quantities}
        assert not missing, missing
        new = ((q, values.get(q.path, q.value)) for q in of.quantities)
        return replace(
            of, quantities=tuple(replace(q, value=value(q.value) if callable(value) else value) for q, value in new)
        )

    return changed


@pytest.fixture(scope="session")
def relabel() -> Change:
    """Return a reading in which latent class g is called permutation[g], as another engine would have numbered it."""

    def relabelled(of: Reading, permutation: Mapping[int, int]) -> Reading:
        quantities = tuple(q.relabelled(permutation) for q in of.quantities)
        names = {a.path: b.path for a, b in zip(of.quantities, quantities, strict=True)}
        covariance = of.covariance and OptimumCovariance(
            paths=tuple(names[path] for path in of.covariance.paths), matrix=of.covariance.matrix
        )
        return replace(of, quantities=quantities, covariance=covariance)

    return relabelled


@pytest.fixture(scope="session")
def quantity() -> Callable[[Reading, str], Quantity]:
    """Return the quantity at a path."""

    def found(of: Reading, path: str) -> Quantity:
        return next(q for q in of.quantities if q.path == path)

    return found


@pytest.fixture(scope="session")
def crashed() -> Failure:
    return Failure(reason="crashed", sentence="R ended with signal 9.", evidence="Killed")
