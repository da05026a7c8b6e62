"""The density of rows of any family: against scipy row by row, against its own slopes, and as maximised."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from harness.gbtm.densities.complete import separate_blocks

MODELS = (
    "gaussian by visit",
    "gaussian",
    "censored",
    "censored by class",
    "censored by visit",
    "logit",
    "binomial",
    "poisson",
    "zip",
    "zip without zeros",
    "beta",
)
K = 3


def somewhere(density, count=2, seed=5):
    """Own vectors off any optimum, where no term of a derivative vanishes."""
    return np.random.default_rng(seed).normal(0, 0.4, (count, density.n_free))


def weights_of(density, count=2, seed=6):
    N = density.response.panel.n_subjects
    return np.random.default_rng(seed).dirichlet(np.ones(K), (count, N)).transpose(0, 2, 1)


def columns_of(panel):
    """Columns of the panel by the name of a coefficient, rows sorted as in a density."""
    codes = panel.factors["id"].codes
    subject = np.unique(codes, return_inverse=True)[1]

    def column(name, outcome):
        rows = np.lexsort((panel.numeric[outcome], panel.numeric["week"], subject))
        if name == "intercept":
            return np.ones(len(rows))
        base, _, power = name.partition("^")
        return panel.numeric[base][rows] ** int(power or 1)

    return column, np.sort(subject)


def by_scipy(model, outcome, density, own, panel):
    """log f_ig of one own vector, (K, N), from parameters in the user's units and raw columns alone."""
    column, subject = columns_of(panel)
    named = list(zip(density.parameters, density.to_user(own), strict=True))
    y, week = column(outcome, outcome), column("week", outcome)
    found = np.empty((K, subject.max() + 1))
    for g in range(K):
        of = {role: {} for role in ("beta", "sigma", "zero", "precision")}
        for parameter, value in named:
            if parameter.latent_class in {0, g + 1}:
                of["beta" if parameter.role == "common" else parameter.role][parameter.name] = value
        eta = sum(value * column(name, outcome) for name, value in of["beta"].items())
        if model in {"poisson", "zip"}:
            eta = eta + np.log(column("exposure", outcome))
        mean = 1 / (1 + np.exp(-eta))
        sigma = of["sigma"].get("sigma") or np.array([of["sigma"].get(f"sigma[{t:g}]", np.nan) for t in week])
        if model.startswith("gaussian"):
            rows = stats.norm.logpdf(y, eta, sigma)
        elif model.startswith("censored"):
            rows = np.where(y <= 2, stats.norm.logcdf(2, eta, sigma), stats.norm.logpdf(y, eta, sigma))
            rows = np.where(y >= 7, stats.norm.logsf(7, eta, sigma), rows)
        elif model == "logit":
            rows = stats.bernoulli.logpmf(y, mean)
        elif model == "binomial":
            rows = stats.binom.logpmf(y, column("trials", outcome), mean)
        elif model == "beta":
            phi = of["precision"]["precision"]
            rows = stats.beta.logpdf(y, mean * phi, (1 - mean) * phi)
        else:
            odds = np.exp(sum(value * column(name, outcome) for name, value in of["zero"].items())) if of["zero"] else 0
            extra = odds / (1 + odds)
            rows = np.log(extra * (y == 0) + (1 - extra) * stats.poisson.pmf(y, np.exp(eta)))
        found[g] = np.bincount(subject, weights=rows)
    return found


OUTCOME = {"gaussian": "score", "censored": "scale", "logit": "answer", "binomial": "successes", "beta": "share"}
OUTCOME |= {"poisson": "count", "zip": "visits"}


@pytest.mark.parametrize("model", MODELS)
def test_the_log_density_is_that_of_scipy_at_the_users_parameters(model, density_of, panel):
    density = density_of(model)
    own = somewhere(density)
    for vector, found in zip(own, density.log_density(own), strict=True):
        exact = by_scipy(model, OUTCOME[model.split()[0]], density, vector, panel)
        np.testing.assert_allclose(found, exact, rtol=1e-11)


def slope(function, own, place, h=1e-3):
    """Five points: the error of the formula is of the fourth power of h."""
    e = h * np.eye(own.shape[1])[place]
    return (8 * (function(own + e) - function(own - e)) - (function(own + 2 * e) - function(own - 2 * e))) / (12 * h)


@pytest.mark.parametrize("model", MODELS)
def test_scores_and_curvature_are_slopes(model, density_of):
    density = density_of(model)
    own, weights = somewhere(density), weights_of(density)
    found = density.derivatives(own, weights)

    def summed(at, g):
        return np.einsum("spn,sn->sp", density.derivatives(at, weights)[g].scores, weights[:, g])

    for g, places in enumerate(density.places):
        size, bend = np.abs(found[g].scores).max(), np.abs(found[g].curvature).max()
        for p, place in enumerate(places):
            numeric = slope(density.log_density, own, place)[:, g]
            np.testing.assert_allclose(found[g].scores[:, p], numeric, rtol=1e-7, atol=1e-8 * size)
            numeric = slope(lambda at, g=g: summed(at, g), own, place)
            np.testing.assert_allclose(found[g].curvature[:, p], numeric, rtol=1e-6, atol=1e-8 * bend)


@pytest.mark.parametrize("model", MODELS)
def test_what_a_class_does_not_depend_on_is_not_in_its_places(model, density_of):
    density = density_of(model)
    own = somewhere(density)
    for place in range(density.n_free):
        moves = (density.log_density(own + np.eye(density.n_free)[place]) != density.log_density(own)).any(axis=(0, 2))
        assert moves.tolist() == [place in places for places in density.places]


@pytest.mark.parametrize("model", MODELS)
def test_the_users_units_lead_there_and_back_with_their_jacobian(model, density_of):
    density = density_of(model)
    own = somewhere(density)[0]
    user = density.to_user(own)
    assert len(density.parameters) == len(user) == density.n_free
    np.testing.assert_allclose(density.from_user(user), own, rtol=1e-10, atol=1e-12)
    jacobian = density.user_jacobian(own)
    for place in range(density.n_free):
        numeric = slope(lambda at: density.to_user(at[0]), own[None], place)
        np.testing.assert_allclose(jacobian[:, place], numeric, rtol=1e-9, atol=1e-9 * np.abs(jacobian).max())


@pytest.mark.parametrize("model", MODELS)
def test_relabelled_classes_have_the_same_densities(model, density_of):
    density = density_of(model)
    own, classes = somewhere(density), np.array([2, 0, 1])
    other = density.permuted(classes)
    moved = other.log_density(density.relabelled(own, classes))
    np.testing.assert_allclose(moved, density.log_density(own)[:, classes], rtol=1e-12)


@pytest.mark.parametrize("model", MODELS)
def test_draws_are_outcomes_of_the_users_units_with_the_mean_of_their_class(model, density_of):
    density = density_of(model)
    own = somewhere(density)[0]
    classes = np.arange(density.response.panel.n_subjects) % K
    stream = np.random.default_rng(3)
    draws = np.array([density.simulate(own, classes, stream) for _ in range(400)])
    response = density.response
    chosen = classes[response.panel.subject], np.arange(len(response.y))
    eta, zeta = (np.broadcast_to(part[0], (K, len(response.y)))[chosen] for part in density.predictors(own[None]))
    mean = response.X @ response.pooled + response.scale * density.family.mean(eta, zeta)
    error = (draws.mean(axis=0) - mean) / (draws.std(axis=0) / 20 + 1e-9)
    # Mean of squares of about 160 standard errors: 1 with a standard deviation of about 0.11.
    assert np.mean(error**2) == pytest.approx(1, abs=0.45)
    if model.startswith("censored"):
        assert draws.min() == 2
        assert draws.max() == 7
    if model in {"logit", "binomial", "poisson", "zip"}:
        assert (draws == np.floor(draws)).all()


def objective(density, weights, own):
    return np.einsum("skn,skn->s", weights, density.log_density(own))


@pytest.mark.parametrize("model", MODELS)
@settings(max_examples=5, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), spread=st.sampled_from([0.1, 1.0, 4.0]))
def test_an_m_step_never_lowers_the_objective(model, density_of, seed, spread):
    density = density_of(model)
    stream = np.random.default_rng(seed)
    own = np.maximum(stream.normal(0, spread, (3, density.n_free)), density.lower)
    weights = stream.dirichlet(np.full(K, 0.3), (3, density.response.panel.n_subjects)).transpose(0, 2, 1)
    weights[0, 1] = 0  # an empty class
    for _ in range(3):
        moved = density.m_step(weights, own)
        assert (moved >= density.lower).all()
        assert (objective(density, weights, moved) >= objective(density, weights, own)).all()
        own = moved


@pytest.mark.parametrize("model", MODELS)
def test_m_steps_from_the_beginning_reach_a_maximum(model, density_of):
    density = density_of(model)
    weights = weights_of(density)
    own = density.begin(weights)
    for _ in range(25):
        own = density.m_step(weights, own)
    score = np.zeros_like(own)
    curvature = np.zeros((*own.shape, density.n_free))
    for g, (places, found) in enumerate(zip(density.places, density.derivatives(own, weights), strict=True)):
        score[:, places] += np.einsum("spn,sn->sp", found.scores, weights[:, g])
        curvature[:, places[:, None], places] += found.curvature
    # Gain that a further Newton step could make, in units of the log-likelihood.
    gain = np.einsum("sp,sp->s", score, np.linalg.solve(-curvature, score[..., None])[..., 0])
    assert (np.abs(gain) < 1e-10).all()
    assert (np.linalg.eigvalsh(curvature) < 0).all()


@pytest.mark.parametrize("model", ["censored by class", "logit", "poisson", "zip", "beta"])
def test_a_class_that_shares_nothing_is_not_moved_by_the_others(model, density_of):
    density = density_of(model, common="")
    own, weights = somewhere(density), weights_of(density)
    other = weights.copy()
    other[:, 1:] = weights[:, :0:-1]
    places = density.places[0]
    moved, also_moved = density.m_step(weights, own)[:, places], density.m_step(other, own)[:, places]
    np.testing.assert_allclose(moved, also_moved, rtol=1e-11)


@pytest.mark.parametrize("model", ["gaussian", "gaussian by visit", "censored by class", "zip", "beta"])
def test_the_second_predictor_can_be_constant_and_is_known_at_other_times(model, density_of):
    density = density_of(model)
    second, response = density.second, density.response
    zeta = np.array([[0.3, -np.inf if model == "zip" else 0.5, 0.7]])
    shared = np.full((1, K), 0.5) if not second.by_class else zeta
    found = second.values(second.constant(zeta))
    spread = np.broadcast_to(shared[:, :, None], (1, K, len(response.y)))
    np.testing.assert_allclose(np.broadcast_to(found, spread.shape), spread, rtol=1e-14)
    Z = second.at(response.time[::-1])
    np.testing.assert_allclose(Z, second.Z[::-1] if len(second.Z) > 1 else second.Z, atol=1e-14)


def test_a_sigma_by_visit_is_unknown_between_visits(density_of):
    with pytest.raises(ValueError, match=r"at the times \[0.0, 1.0, 2.0, 3.0, 4.0\] only"):
        density_of("gaussian by visit").second.at(np.array([1.0, 2.5]))


def test_classes_share_a_block_if_they_share_a_parameter_directly_or_through_others():
    places = tuple(map(np.array, ([0, 1], [2, 3], [4, 3], [5], [4, 6])))
    found = [(classes.tolist(), joined.tolist()) for classes, joined in separate_blocks(places)]
    assert found == [([0], [0, 1]), ([3], [5]), ([1, 2, 4], [2, 3, 4, 6])]


@pytest.mark.parametrize("model", ["censored by class", "beta"])
def test_a_class_without_spread_ends_at_its_bound(model, density_of):
    density = density_of(model, (2, 2, 0))
    weights = weights_of(density)
    weights[:, 0] = 0
    # A subject with no more visits than the class has coefficients: the likelihood has no upper bound.
    sizes = density.response.panel.sizes
    weights[:, 0, np.flatnonzero(sizes == sizes.min())[0]] = 1
    own = density.begin(weights)
    for _ in range(60):
        own = density.m_step(weights, own)
    place = density.places[0][-1]
    assert own[:, place] == pytest.approx(density.lower[place], rel=1e-12)
    # A thousandth of the overall spread; for a beta law that of its mean and variance.
    y = density.response.y
    bound = 1e-3 * density.response.scale if model != "beta" else 1e6 * y.mean() * (1 - y.mean()) / y.var()
    assert density.to_user(own[0])[place] == pytest.approx(bound, rel=1e-9)


def test_a_separated_class_drifts_without_a_warning(density_of):
    density = density_of("logit", common="")
    answers = density.family.y
    always = density.response.panel.sum(1 - answers) == 0
    weights = np.full((1, K, len(always)), 0.5)
    weights[:, 2] = always
    own = density.begin(weights)
    for _ in range(40):
        own = density.m_step(weights, own)
    # The supremum of this class is 0; each step adds about 1 to the log-odds.
    assert objective(density, weights * (np.arange(K) == 2)[:, None], own) > -1e-10
    assert own[0, density.places[2][0]] > 25


def test_without_orders_every_class_has_one_share_of_extra_zeros(density_of):
    named = density_of("zip", zero_orders=None).parameters[-K:]
    assert [(p.role, p.name, p.latent_class) for p in named] == [("zero", "intercept", g) for g in (1, 2, 3)]


def test_starts_do_not_depend_on_their_batch(density_of):
    density = density_of("zip")
    weights = weights_of(density, count=3)
    together = density.begin(weights)
    alone = np.concatenate([density.begin(one[None]) for one in weights])
    np.testing.assert_allclose(alone, together, rtol=1e-8, atol=1e-10)
