"""Balanced data with exact solutions: 40-digit closed forms, and the certified values of NIST."""

from decimal import Decimal, getcontext
from pathlib import Path

import numpy as np
import pytest
import scipy

from harness.cohorts import fixture_cohort
from harness.convergence import Stop
from harness.lmm.estimation import estimate
from harness.lmm.fit import fit

# Davies & Goldsmith (1972): yield of dyestuff, 6 batches of 5. Box & Tiao (1973): simulated, between < within.
DYESTUFF = [1545, 1440, 1440, 1520, 1580, 1540, 1555, 1490, 1560, 1495, 1595, 1550, 1605, 1510, 1560,
            1445, 1440, 1595, 1465, 1545, 1595, 1630, 1515, 1635, 1625, 1520, 1455, 1450, 1480, 1445]  # fmt: skip
DYESTUFF2 = [7.298, 3.846, 2.434, 9.566, 7.99, 5.22, 6.556, 0.608, 11.788, -0.892, 0.11, 10.386, 13.434, 5.51,
             8.166, 2.212, 4.852, 7.092, 9.288, 4.98, 0.282, 9.014, 4.458, 9.446, 7.198, 1.722, 4.782, 8.106, 0.758,
             3.758]  # fmt: skip
# Devore (2000): travel time in 6 rails, 3 times each.
RAIL = [55, 53, 54, 26, 37, 32, 78, 91, 85, 92, 100, 96, 49, 51, 50, 80, 85, 83]
# Wretenberg et al. (1993): effort to rise from 4 stools, 9 subjects.
ERGO_STOOL = [12, 15, 12, 10, 10, 14, 13, 12, 7, 14, 13, 9, 7, 11, 10, 9, 8, 11, 8, 7, 9, 11, 11, 10,
              8, 12, 12, 11, 7, 11, 8, 7, 9, 13, 10, 8]  # fmt: skip
NIST = Path(scipy.__file__).parent / "stats" / "tests" / "data" / "nist_anova"
# Digits of sigma^2 and of the variance between that the doubles of the data still hold, less one for the arithmetic
# (less two for SmLs01 to 03, where nothing but the order of up to 18,009 additions is left to lose).
NIST_DIGITS = {
    "SiRstv": (12.0, 11.3), "AtmWtAg": (9.9, 9.2), "SmLs01": (13.3, 13.2), "SmLs02": (13.3, 13.2),
    "SmLs03": (13.3, 13.2), "SmLs04": (9.3, 9.0), "SmLs05": (9.3, 8.9), "SmLs06": (9.3, 8.9),
    "SmLs07": (3.3, 3.0), "SmLs08": (3.3, 2.9), "SmLs09": (3.3, 2.9),
}  # fmt: skip


@pytest.fixture(scope="module")
def fitted(make_design):
    def run(formula, cohort, criterion):
        design = make_design(formula, cohort, criterion)
        found = fit(design)
        return found, estimate(found, design)

    return run


@pytest.fixture(scope="module")
def one_way(make_cohort, fitted):
    def run(values, per_subject, criterion):
        labels = [f"g{i // per_subject}" for i in range(len(values))]
        return fitted("y ~ 1 + (1 | id)", make_cohort(id=labels, y=values), criterion)

    return run


# Closed form in 40 digits; agrees with lme4, tightly fitted.
SLEEPSTUDY = {
    "REML": {
        "theta": (0.9667329518648034, 0.01516905427048469, 0.2309095947604833),
        "G": (612.0899386625255, 9.604333316744091, 35.0716604983174),
        "se": (6.824556532069072, 1.545788896294727),
        "deviance": 1743.62827195849076,
        "modes": (2.25856554981900514, 9.19897187951519293),
        "modes_cov": (145.705103668990337, -21.4444265921189003, 5.31227366676204151),
    },
    "ML": {
        "theta": (0.9292254737236955, 0.01816570667003531, 0.2226454225667266),
        "G": (565.5153668031188, 11.05542902259861, 32.68219718640933),
        "se": (6.632276807024505, 1.502236782313427),
        "deviance": 1751.93934446319762,
        "modes": (2.81568327378340295, 9.07553396274276518),
        "modes_cov": (140.967030072648937, -20.6044483903538127, 5.15777922856993428),
    },
}


@pytest.mark.parametrize("criterion", ["REML", "ML"])
def test_sleepstudy_equals_its_closed_form(fitted, criterion):
    expected = SLEEPSTUDY[criterion]
    found, estimates = fitted("reaction ~ days + (1 + days | subject)", fixture_cohort("sleepstudy"), criterion)
    lower = np.tril_indices(2)
    close = {"rtol": 1e-12, "atol": 0}
    np.testing.assert_allclose(found.theta, expected["theta"], **close)
    np.testing.assert_allclose(estimates.beta, (251.405104848484848, 10.4672859595959596), **close)
    assert estimates.sigma**2 == pytest.approx(654.941027072298822, rel=1e-12)
    np.testing.assert_allclose(estimates.random_cov[lower], expected["G"], **close)
    np.testing.assert_allclose(np.sqrt(np.diag(estimates.vcov)), expected["se"], **close)
    assert -2 * estimates.log_likelihood == pytest.approx(expected["deviance"], rel=1e-14)
    assert estimates.random[0].labels[0] == "308"
    # Modes are differences of numbers about 100 times larger.
    np.testing.assert_allclose(estimates.conditional_modes[0], expected["modes"], rtol=1e-11)
    np.testing.assert_allclose(estimates.random[0].modes_cov[0][lower], expected["modes_cov"], **close)
    assert estimates.aic == pytest.approx(expected["deviance"] + 12, rel=1e-14)
    assert estimates.bic == pytest.approx(expected["deviance"] + 6 * np.log(180), rel=1e-14)


@pytest.mark.parametrize(
    ("criterion", "theta", "deviance", "sigma", "errors"),
    [
        ("REML", (0.97989629967601529, 0.234230578211773883), 1743.6692935813123, 25.5652853541800482,
         (6.88538129486976704, 1.55956594430000861)),
        ("ML", (0.945810686052785776, 0.226928233904454063), 1752.00325513988292, 25.5561347014609969,
         (6.70767373186093589, 1.51931448233382521)),
    ],
)  # fmt: skip
def test_sleepstudy_without_correlation_equals_40_digit_arithmetic(
    fitted, *, criterion, theta, deviance, sigma, errors
):
    found, estimates = fitted("reaction ~ days + (1 + days || subject)", fixture_cohort("sleepstudy"), criterion)
    np.testing.assert_allclose(found.theta, theta, rtol=1e-12)
    assert found.deviance == pytest.approx(deviance, rel=1e-14)
    assert estimates.sigma == pytest.approx(sigma, rel=1e-12)
    np.testing.assert_allclose(np.sqrt(np.diag(estimates.vcov)), errors, rtol=1e-12)
    assert estimates.random_cov[0, 1] == 0


@pytest.mark.parametrize(
    ("values", "size", "criterion", "deviance", "theta", "sigma", "error"),
    [
        (DYESTUFF, 5, "ML", 327.327059881135106, 0.752580692320212365, 49.5100999797011115, 17.6945534620747698),
        (DYESTUFF, 5, "REML", 319.654276842257456, 0.848323781432422288, 49.5100999797011115, 19.3834121523189685),
        (RAIL, 3, "REML", 122.177000808597555, 24.8054653476025543 / 4.02077936060493957, 4.02077936060493957,
         10.1710373118969532),
        (RAIL, 3, "ML", 128.560036938434725, None, 4.02077936060493957, None),
    ],
)  # fmt: skip
def test_one_way_data_equal_their_closed_form(one_way, *, values, size, criterion, deviance, theta, sigma, error):
    found, estimates = one_way(values, size, criterion)
    assert found.deviance == pytest.approx(deviance, rel=1e-14)
    assert estimates.sigma == pytest.approx(sigma, rel=1e-12)
    if theta is not None:
        assert found.theta[0] == pytest.approx(theta, rel=1e-12)
        assert np.sqrt(estimates.vcov[0, 0]) == pytest.approx(error, rel=1e-12)


@pytest.mark.parametrize(
    ("criterion", "deviance", "sigma", "error"),
    [
        ("ML", 162.873036653825764, 3.65323135137465208, 0.666985739644326196),
        ("REML", 161.828277812288487, 3.71568427447572662, 0.6783880312325242),
    ],
)
def test_less_variance_between_than_within_is_a_singular_optimum(one_way, criterion, deviance, sigma, error):
    found, estimates = one_way(DYESTUFF2, 5, criterion)
    assert found.convergence.stop is Stop.SINGULAR
    assert "the variance of intercept is zero" in found.convergence.message
    assert found.theta[0] < 1e-9
    assert found.deviance == pytest.approx(deviance, rel=1e-14)
    assert estimates.sigma == pytest.approx(sigma, rel=1e-12)
    assert np.sqrt(estimates.vcov[0, 0]) == pytest.approx(error, rel=1e-12)
    np.testing.assert_allclose(estimates.conditional_modes, 0, atol=1e-12)


def test_a_balanced_two_way_layout_equals_its_closed_form(make_cohort, fitted):
    cohort = make_cohort(
        id=[f"s{i // 4}" for i in range(36)], stool=["T1", "T2", "T3", "T4"] * 9, y=np.array(ERGO_STOOL)
    )
    found, estimates = fitted("y ~ stool + (1 | id)", cohort, "REML")
    assert found.deviance == pytest.approx(121.130788701999215, rel=1e-14)
    assert np.sqrt(estimates.random_cov[0, 0]) == pytest.approx(1.33246499502349515, rel=1e-12)
    assert estimates.sigma == pytest.approx(1.10029457335213107, rel=1e-12)
    errors = (0.576012259814658913, *[0.518683836080034008] * 3)
    np.testing.assert_allclose(np.sqrt(np.diag(estimates.vcov)), errors, rtol=1e-12)
    assert estimates.fixed_names == ("intercept", "stool[T2]", "stool[T3]", "stool[T4]")


@pytest.mark.skipif(not NIST.is_dir(), reason="this scipy was built without its test data")
@pytest.mark.parametrize("name", NIST_DIGITS)
def test_nist_certified_variances_are_reached_to_what_the_doubles_hold(name, make_cohort, fitted):
    lines = (NIST / f"{name}.dat").read_text().splitlines()
    between, within = (next(line for line in lines if line.startswith(kind)) for kind in ("Between", "Within"))
    rows = [line.split() for line in lines[60:] if line.strip()]
    getcontext().prec = 40
    sigma_2 = Decimal(within.split()[-1])
    k = len({group for group, _ in rows})
    variance = (Decimal(between.split()[4]) - sigma_2) / (len(rows) // k)
    cohort = make_cohort(id=[group for group, _ in rows], y=[float(value) for _, value in rows])
    _, estimates = fitted("y ~ 1 + (1 | id)", cohort, "REML")
    for value, certified, digits in zip(
        (estimates.sigma**2, estimates.random_cov[0, 0]), (sigma_2, variance), NIST_DIGITS[name], strict=True
    ):
        assert abs(Decimal(float(value)) / certified - 1) < Decimal(10) ** Decimal(-digits)
