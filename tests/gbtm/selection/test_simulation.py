import numpy as np
import pytest
from scipy.stats import chi2

from harness.errors import SpecError
from harness.gbtm.fit import fit
from harness.gbtm.mixture import derivatives
from harness.gbtm.simulation import draw_classes, simulate

RARE = 1e-4  # of a chi-square that the truth gives by chance; the seeds are fixed


def score_statistic(vector, mixture):
    """g' (sum s s')^-1 g at the parameters that the data were drawn from: chi-square with P degrees of freedom."""
    scores = derivatives(vector[None], mixture).scores[0]
    score = scores.sum(axis=1)
    return float(score @ np.linalg.solve(scores @ scores.T, score))


@pytest.mark.parametrize(
    "settings",
    [
        {"orders": (1, 2)},
        {"orders": (1, 1), "sigma": "visit"},
        {"orders": (1, 1), "random": 1},
        {"orders": (1, 1), "family": "censored_normal", "limits": (5.0, 40.0)},
    ],
    ids=lambda settings: "-".join(map(str, settings.values())),
)
def test_outcomes_drawn_from_a_fit_have_its_parameters_as_their_truth(simulated, cohort_of, design_of, settings):
    subject, time, outcome, _ = simulated(
        shares=(0.6, 0.4), beta=((20.0, -1.0), (28.0, 0.5)), sigma=(2.0, 3.0), n_subjects=300
    )
    time = np.round(time)
    if "random" in settings:
        own = np.random.default_rng(5).standard_normal((300, 2)) @ np.diag([3.0, 0.5])
        outcome = outcome + own[subject - 100, 0] + own[subject - 100, 1] * time
    design = design_of(
        cohort=cohort_of(subject, time, np.clip(outcome, 5, 40)), n_starts=5, **{"sigma": "shared"} | settings
    )
    fitted = fit(design)
    drawn = design.with_outcomes(simulate(fitted, design, np.random.default_rng(4)))
    mixture = drawn.mixture_of(fitted.class_kinds)
    statistic = score_statistic(mixture.from_user(np.array(fitted.point)), mixture)
    assert RARE < chi2.sf(statistic, mixture.n_free) < 1 - RARE


def test_classes_are_drawn_with_the_membership_of_each_subject(simulated, cohort_of, design_of):
    subject, time, outcome, _ = simulated(shares=(0.6, 0.4), beta=((20.0,), (28.0,)), sigma=(2.0, 2.0), n_subjects=200)
    risk = (subject % 2).astype(float)
    design = design_of(
        orders=(0, 0), cohort=cohort_of(subject, time, outcome, risk=risk), membership="risk", n_starts=5
    )
    vector = fit(design).vector
    shares = np.exp(design.mixture.membership.log_shares(vector[None, : design.mixture.membership.n_free]))[0, 1]
    generator = np.random.default_rng(2)
    frequency = np.mean([draw_classes(vector, design.mixture, generator) for _ in range(400)], axis=0)
    z = (frequency - shares) / np.sqrt(shares * (1 - shares) / 400)
    assert np.abs(z).max() < 5  # 200 of them, 4 is reached by one in eighty
    assert abs(z.mean()) < 4 / np.sqrt(len(z))


def test_a_model_of_dropout_is_not_drawn_at_given_visits(cohort_of, design_of):
    subject, visit = np.repeat(np.arange(40), 4), np.tile(np.arange(4.0), 40)
    outcome = np.random.default_rng(1).standard_normal(160) + 4 * (subject % 2)
    seen = visit < 2 + subject % 3
    cohort = cohort_of(subject[seen], visit[seen], outcome[seen])
    design = design_of(orders=(0, 0), sigma="shared", dropout=(0, 0), cohort=cohort, n_starts=3)
    with pytest.raises(SpecError, match="dropout"):
        simulate(fit(design), design, np.random.default_rng(1))
