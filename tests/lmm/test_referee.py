"""The criterion in a hundred digits against closed forms of as many, and where doubles can't follow."""

from fractions import Fraction

import mpmath
import numpy as np
import pytest

from harness.cohorts import fixture_cohort
from harness.errors import SpecError
from harness.lmm import referee as module
from harness.lmm.deviance import profiled_deviance
from harness.lmm.referee import referee


def as_mpf(value):
    return mpmath.mpf(value.numerator) / value.denominator


@pytest.mark.parametrize("criterion", ["ML", "REML"])
def test_one_way_layouts_have_their_closed_form_to_forty_digits(make_cohort, make_design, criterion):
    stream = np.random.default_rng(4)
    k, n = 5, 4
    y = np.round(stream.normal(10, 3, (k, n)), 2)
    cohort = make_cohort(id=[f"s{i}" for i in range(k) for _ in range(n)], y=y.ravel())
    design = make_design("y ~ 1 + (1 | id)", cohort, criterion)
    (found,) = referee(design, [np.array([0.75])])
    with mpmath.workdps(60):
        # The eigenspaces of V/sigma^2: 1 within subjects, 1 + n theta^2 between them.
        values = [[mpmath.mpf(float(value)) for value in row] for row in y]
        means = [mpmath.fsum(row) / n for row in values]
        grand = mpmath.fsum(means) / k
        within = mpmath.fsum((v - m) ** 2 for row, m in zip(values, means, strict=True) for v in row)
        between = n * mpmath.fsum((m - grand) ** 2 for m in means)
        ratio = 1 + n * mpmath.mpf(0.75) ** 2
        df = k * n - (criterion == "REML")
        rest = within + between / ratio
        expected = k * mpmath.log(ratio) + df * (1 + mpmath.log(2 * mpmath.pi * rest / df))
        if criterion == "REML":
            expected += mpmath.log(k * n / ratio)
        assert abs(as_mpf(found) / expected - 1) < mpmath.mpf(10) ** -45


def test_crossed_and_nested_factors_have_their_published_optima(make_design):
    # Penicillin at the ML optimum of 40-digit arithmetic: the criterion is flat there, so 15 digits of theta give 30.
    design = make_design("diameter ~ 1 + (1 | plate) + (1 | sample)", fixture_cohort("penicillin"), "ML")
    (found,) = referee(design, [np.array([1.53759353477208712, 3.21975379980421142])])
    assert float(found) == pytest.approx(332.188348668500663, rel=1e-15)
    machines = make_design("score ~ machine + (1 | worker/machine)", fixture_cohort("machines"))
    (found,) = referee(machines, [np.array([4.78105055865804921, 3.72953841515588317]) / 0.9615766374187913])
    assert float(found) == pytest.approx(215.687568008220518, rel=1e-15)


@pytest.mark.parametrize("formula", ["y ~ t + g + (1 + t | id)", "y ~ t + (1 + t || id)", "y ~ t + (1 | id)"])
@pytest.mark.parametrize("criterion", ["ML", "REML"])
def test_doubles_agree_with_it_where_nothing_is_hard(uneven, make_design, formula, criterion):
    design = make_design(formula, uneven, criterion)
    for scale in (0.3, 1.0, 4.0):
        theta = scale * np.linspace(0.5, 1.5, len(design.blocks) and sum(q * (q + 1) // 2 for q in design.blocks))
        (exact,) = referee(design, [theta])
        assert profiled_deviance(theta, design) == pytest.approx(float(exact), rel=1e-13)


def test_what_an_offset_leaves_of_the_data_is_kept_to_the_last_digit(uneven, make_cohort, make_design):
    # y + 2^40 is exact for these y, so that the criterion is the very same number.
    columns = {name: uneven.numeric[name] for name in ("t", "y")}
    labels = [uneven.factors["id"].levels[k] for k in uneven.factors["id"].codes]
    designs = [
        make_design("y ~ t + (1 + t | id)", make_cohort(id=labels, t=columns["t"], y=columns["y"] + offset))
        for offset in (0.0, 2.0**40)
    ]
    theta = np.array([1.0, 0.2, 0.5])
    plain, moved = (referee(design, [theta])[0] for design in designs)
    assert abs(plain - moved) < Fraction(1, 10**60)


def test_a_residual_structure_or_a_large_design_has_no_referee(make_cohort, make_design, monkeypatch):
    panel = make_cohort(id=["a", "a", "b", "b", "c", "c"] * 2, t=[0, 1] * 6, y=np.arange(12.0) ** 1.5)
    design = make_design("y ~ t + (1 | id)", panel)
    monkeypatch.setattr(module, "_MOST_ROWS", 10)
    with pytest.raises(SpecError, match="12 rows"):
        referee(design, [np.array([1.0])])
