"""Panels for the choice of a number of classes: few subjects, so that a whole selection takes half a second."""

import numpy as np
import pytest

from harness.cohorts import fixture_cohort
from harness.cohorts.cohort import Cohort, Factor
from harness.gbtm.result import fit_gbtm_cohort
from harness.gbtm.selection.adjacent import adjacent
from harness.gbtm.spec import GbtmSpec


def panel_of(outcome, n_visits):
    """Subjects with visits 0, 1, ..., their outcomes (N, n_visits)."""
    N = len(outcome)
    labels = tuple(f"s{i:03d}" for i in range(N))
    return Cohort(
        name="panel",
        subject="id",
        time="week",
        numeric={"week": np.tile(np.arange(float(n_visits)), N), "score": outcome.ravel()},
        factors={"id": Factor(codes=np.repeat(np.arange(N), n_visits), levels=labels)},
    )


@pytest.fixture(scope="session")
def make_panel():
    return panel_of


@pytest.fixture(scope="session")
def two_groups():
    """48 subjects, 4 visits, 2 classes: stable at 20, and falling from 25."""
    stream = np.random.default_rng(8)
    week = np.arange(4.0)
    means = np.where(np.arange(48)[:, None] % 3 == 0, 25 - 2.5 * week, 20.0)
    return panel_of(means + 2 * stream.standard_normal((48, 4)), 4)


@pytest.fixture(scope="session")
def one_continuum():
    """60 subjects, 5 visits: one class whose intercepts and slopes vary continuously."""
    stream = np.random.default_rng(9)
    own = stream.standard_normal((60, 2)) * (5.0, 1.5)
    week = np.arange(5.0)
    return panel_of(20 + own[:, :1] + own[:, 1:] * week + stream.standard_normal((60, 5)), 5)


@pytest.fixture(scope="session")
def spec_of():
    def build(orders, **settings):
        return GbtmSpec(outcome="score", time="week", subject="id", orders=orders, **{"n_starts": 20} | settings)

    return build


@pytest.fixture(scope="session")
def fits(two_groups, spec_of):
    """Models of 1, 2 and 3 linear classes of `two_groups`."""
    return {K: fit_gbtm_cohort(spec_of((1,) * K), two_groups) for K in (1, 2, 3)}


@pytest.fixture(scope="session")
def pair_of(fits):
    def build(K, results=fits):
        smaller, larger = results[K], results[K + 1]
        return adjacent((smaller.fit, smaller.design), (larger.fit, larger.design), "test", {})

    return build


@pytest.fixture(scope="session")
def four_classes():
    """Four quadratic classes of MADRS, from which `ketamine_pure` was drawn."""
    return fit_gbtm_cohort(ketamine_spec(4), fixture_cohort("ketamine_pure"))


@pytest.fixture(scope="session")
def five_at_a_poor_end(four_classes):
    """Five classes, climbed from the lowest proper end that 20 starts find."""
    found = fit_gbtm_cohort(ketamine_spec(5), four_classes.cohort)
    lowest = [optimum for optimum in found.fit.optima if optimum.is_proper][-1]
    return fit_gbtm_cohort(ketamine_spec(5), four_classes.cohort, lowest.point)


def ketamine_spec(n_classes):
    return GbtmSpec(outcome="madrs", time="week", subject="subject", orders=(2,) * n_classes, n_starts=20)
