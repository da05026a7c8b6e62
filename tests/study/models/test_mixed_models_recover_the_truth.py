"""S5 on simulated cohorts: what went in comes out, within sampling error.

Estimates are those of our engine, truths those of the recipe of the simulation. Models A and B take a random intercept
for all that ties a patient's visits together, which is not so in these cohorts, so their own standard errors are too
small; sandwich errors (CR2) hold all the same, and those of model E, whose covariance is free. The limit of |z| is 3.9:
all of at most 100 comparisons hold with probability 0.99 if nothing is wrong.
"""

import numpy as np
import pandas as pd
import pytest

from harness.cohorts import simulate_ketamine
from harness.cohorts.ketamine_recipe import CLASS_SHARES, GAD7, MADRS
from harness.study.continuous_time import RANDOM, continuous_time
from harness.study.model_rows import model_rows, shared_visits
from harness.study.protocol_contrasts import protocol_model
from harness.study.visit_contrasts import visit_model

LIMIT = 3.9
SEEDS = (1, 2, 3)
SHARES = {"madrs": CLASS_SHARES.sum(axis=1), "gad7": CLASS_SHARES.sum(axis=0)}
CURVES = {"madrs": MADRS.curves, "gad7": GAD7.curves}


def true_means(scale):
    """Return the population means before each of the six infusions."""
    return SHARES[scale] @ CURVES[scale][:, :6]


@pytest.fixture(scope="module")
def cohorts(plan, data_of):
    found = {}
    for seed in SEEDS:
        data = data_of(simulate_ketamine("real", seed))
        found[seed] = (model_rows(data, plan), shared_visits(data, plan))
    return found


@pytest.mark.parametrize("scale", ["madrs", "gad7"])
def test_means_and_changes_by_visit_recover_those_of_the_population(cohorts, plan, scale):
    truth = true_means(scale)
    lines = [f"{'seed':>4} {'visit':5} {'of':7} {'truth':>7} {'found':>7} {'se':>5} {'z':>6}"]
    largest = 0.0
    for seed, (rows, _) in cohorts.items():
        means = visit_model(rows, scale).means("visit", robust="CR2")
        changes = means.contrasts("baseline", reference="inf1", adjust="none")
        for what, found, wanted in (("mean", means, truth), ("change", changes, truth[1:] - truth[0])):
            z = (found.estimate - wanted) / found.standard_error
            visits = plan.treatment_visits[-len(z) :]
            numbers = zip(visits, wanted, found.estimate, found.standard_error, z, strict=True)
            lines += [f"{seed:4} {v:5} {what:7} {t:7.2f} {e:7.2f} {s:5.2f} {q:6.2f}" for v, t, e, s, q in numbers]
            largest = max(largest, float(np.abs(z).max()))
    assert largest < LIMIT, "\n".join(lines)


@pytest.mark.parametrize("scale", ["madrs", "gad7"])
def test_protocols_do_not_differ_on_shared_visits_as_they_were_simulated(cohorts, scale):
    # Both protocols follow the same curves, so that every true difference of changes is 0.
    for rows, visits in cohorts.values():
        table = protocol_model(rows, scale, visits).fixed_effects(robust="CR2")
        differences = table[[":protocol" in name for name in table.index]]
        assert len(differences) == 3
        assert (differences["estimate"] / differences["standard_error"]).abs().max() < LIMIT


@pytest.mark.parametrize("scale", ["madrs", "gad7"])
def test_the_section_says_what_models_a_b_and_e_found(mixed, values, real, plan, scale):
    rows, visits = model_rows(real.data, plan), shared_visits(real.data, plan)
    found = values(mixed)
    means = visit_model(rows, scale).means("visit", df="kenward-roger")
    for k, visit in enumerate(plan.treatment_visits):
        assert found[f"{scale}.mean.{visit}"].value == means.estimate[k]
        if k:
            assert found[f"{scale}.change.{visit}"].value == pytest.approx(means.estimate[k] - means.estimate[0])
    effects = protocol_model(rows, scale, visits).fixed_effects("kenward-roger")
    for visit in visits[1:]:
        own = found[f"{scale}.change_difference.{visit}.six"]
        assert (own.value, own.p) == tuple(effects.loc[f"visit[{visit}]:protocol[six]", ["estimate", "p"]])
        constrained = found[f"{scale}.constrained_difference.{visit}.six"]
        assert abs(constrained.value / constrained.standard_error) < LIMIT
    assert found[f"{scale}.mean.inf1"].denominator == 209


def test_changes_on_one_axis_recover_those_of_the_population(mixed, values, plan):
    truth = {name: true_means(name) / np.sqrt(_baseline_variance(name)) for name in ("madrs", "gad7")}
    for k, visit in enumerate(plan.treatment_visits[1:], start=1):
        estimate = values(mixed)[f"scales.change_difference.{visit}.gad7"]
        changes = [truth[name][k] - truth[name][0] for name in ("madrs", "gad7")]
        # The standard deviations that scores are divided by are estimates, too, each of 209 patients: about
        # 1 / sqrt(2 * 208) of itself, as of a normal distribution.
        of_axis = np.hypot(*changes) / np.sqrt(2 * 208)
        error = np.hypot(estimate.standard_error, of_axis)
        assert abs(estimate.value - (changes[1] - changes[0])) / error < LIMIT


def test_a_covariance_that_is_too_simple_is_said_to_be(mixed):
    # AIC of 209 patients with random slopes and autocorrelation: a random intercept is far behind.
    assert sum("random intercept alone" in text for text in mixed.warnings) == 2


@pytest.mark.parametrize(
    ("seed", "used"), [(0, "(1 + week | subject)"), (3, "(1 + week || subject)"), (1, "(1 | subject)")]
)
def test_singular_random_parts_are_named_and_the_next_simpler_one_is_used(plan, no_r, seed, used):
    # Patients who differ in level but not in slope: whether a slope's variance is at its bound is a matter of the draw.
    generator, n = np.random.default_rng(seed), 60
    week = np.tile(np.arange(5) * 3 / 7, n)
    level = np.repeat(generator.normal(0, 5, n), 5)
    rows = pd.DataFrame({"subject": np.repeat([f"s{i}" for i in range(n)], 5), "day": week * 7, "week": week})
    rows["madrs"] = 30 - 3 * week + level + generator.normal(0, 3, 5 * n)
    part = continuous_time(rows, plan, "madrs", no_r)()
    assert f"+ {used}, REML, ended at: optimum." in part.paragraphs[0]
    assert [text.split(" with ")[1].split(":")[0] for text in part.warnings] == list(RANDOM[: RANDOM.index(used)])


def _baseline_variance(scale):
    """Return the variance of a score before the first infusion: of classes, intercepts and residuals."""
    shares, means = SHARES[scale], CURVES[scale][:, 0]
    noise = {"madrs": 4.6**2 + 3.2**2, "gad7": 2.5**2 + 1.9**2}[scale]
    return shares @ means**2 - (shares @ means) ** 2 + noise
