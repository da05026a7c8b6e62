"""Marginal means and contrasts: against R's emmeans 1.8.4 (lme4 1.1-31, bobyqa, rhoend = 1e-11; lmerTest 3.1-3)."""

import numpy as np
import pytest
from scipy import stats

import harness
from harness.cohorts.subset import keep_levels
from harness.errors import SpecError
from harness.formula import parse_formula
from harness.lmm.inference.fixed_effects import fixed_effects
from harness.lmm.means.grid import mean_functions
from harness.lmm.means.marginal import described
from harness.lmm.means.multiplicity import Simultaneous
from harness.lmm.result import fit_lmm_cohort
from harness.lmm.spec import LmmSpec

MODEL = "madrs ~ visit * protocol + age + sex + (1 + week | subject)"
# emmeans inherits from lmerTest derivatives by finite differences, right to about 1e-6 (and prints ten digits).
DF = {"rtol": 2e-5}
ESTIMATE = {"rtol": 2e-7, "atol": 1e-9}


def fitted(visits):
    cohort = keep_levels(harness.fixture_cohort("ketamine_real"), {"visit": list(visits)})
    return fit_lmm_cohort(LmmSpec(formula=parse_formula(MODEL)), cohort)


@pytest.fixture(scope="module")
def four():
    return fitted(["inf1", "inf2", "inf3", "inf4"])


@pytest.fixture(scope="module")
def six():
    return fitted(["inf1", "inf2", "inf3", "inf4", "inf5", "inf6"])


def means(result, columns, by=(), df="satterthwaite", **options):
    effects = fixed_effects(result.fit, result.design, df)
    return described(mean_functions(result.design, columns, **options), effects, by=by)


def test_means_equal_emmeans_and_empty_cells_are_not_estimable(six):
    found = means(six, ["visit", "protocol"], by=["protocol"])
    assert found.not_estimable == (("inf5", "four"), ("inf6", "four"))
    kept = ~np.isnan(found.estimate)
    # emmeans(m, ~ visit | protocol), which says nonEst for the same two
    np.testing.assert_allclose(
        found.estimate[kept],
        [
            *(31.31597498, 25.89841099, 23.00965296, 20.81721065),
            *(30.92397614, 25.76075985, 23.73162951, 22.66360003, 21.09744892, 20.13299083),
        ],
        **ESTIMATE,
    )
    np.testing.assert_allclose(
        found.standard_error[kept],
        [
            *(0.7205082066, 0.7983767772, 0.9213617854, 1.0291391570),
            *(0.6712160897, 0.7401445466, 0.8363297863, 0.9354188949, 1.0761199545, 1.1802391835),
        ],
        **ESTIMATE,
    )
    np.testing.assert_allclose(
        found.df[kept], [274.29, 328.41, 314.78, 284.78, 269.09, 324.42, 318.48, 290.43, 239.33, 213.46], atol=0.006
    )
    np.testing.assert_allclose(found.lower[kept][:2], [29.89754617, 24.32783315], **ESTIMATE)


def test_contrasts_with_a_mean_that_is_not_estimable_are_not_either_and_leave_the_family(six):
    found = means(six, ["visit", "protocol"], by=["protocol"]).contrasts("baseline", adjust="holm")
    kept = ~np.isnan(found.estimate)
    assert [label for label, shown in zip(found.functions.labels, kept, strict=True) if not shown] == [
        ("inf5 - inf1", "four"),
        ("inf6 - inf1", "four"),
    ]
    # From emmeans, adjust = "none"; with "holm" it counts in the family also what can't be tested
    np.testing.assert_allclose(
        found.df[kept],
        [
            *(700.1990356, 680.6263585, 415.1557100),
            *(702.3074025, 707.0603862, 425.7663093, 226.7051928, 174.4255167),
        ],
        **DF,
    )
    np.testing.assert_allclose(
        found.p[kept],
        [
            *(3.581486617e-17, 2 * 4.169973905e-29, 3 * 3.649656167e-33),
            *(7.651493465e-19, 5 * 6.097821500e-28, 4 * 3.391112259e-27, 3 * 5.218695227e-25, 2 * 4.941435178e-23),
        ],
        rtol=1e-4,
    )
    bonferroni = stats.t.ppf(1 - 0.025 / np.repeat([3, 5], [3, 5]), found.df[kept])
    np.testing.assert_allclose(
        (found.upper - found.estimate)[kept], bonferroni * found.standard_error[kept], rtol=1e-12
    )


def test_all_pairs_with_tukey_equal_emmeans(four):
    found = means(four, ["visit", "protocol"], by=["protocol"]).contrasts("pairwise")
    assert found.adjust == "tukey"
    # pairs(e4); its ptukey is right to about 1e-10 absolute
    np.testing.assert_allclose(found.estimate[3:6], [2.9152546644, 5.1203973277, 2.2051426632], **ESTIMATE)
    np.testing.assert_allclose(
        found.p[[3, 5, 9, 11]], [7.229030150e-05, 3.479936445e-03, 3.174760484e-03, 0.3218095340], rtol=2e-5
    )
    np.testing.assert_allclose(found.lower[[3, 11]], [1.2127081675, -0.5050346067], rtol=1e-4)


def test_joint_adjustment_equals_emmeans_mvt(four):
    found = means(four, ["visit", "protocol"], by=["protocol"]).contrasts("baseline")
    assert found.adjust == "dunnett"
    # contrast(e4, "trt.vs.ctrl", adjust = "mvt"): mvtnorm's intervals are random, to 1e-3 of a standard error
    half = [1.454115979, 1.745651606, 2.059913185, 1.318202579, 1.552623427, 1.846304196]
    np.testing.assert_allclose((found.upper - found.lower) / 2, half, rtol=2e-3)


def test_kenward_roger_means_equal_emmeans(four):
    found = means(four, ["visit", "protocol"], by=["protocol"], df="kenward-roger")
    np.testing.assert_allclose(found.standard_error[[0, 3, 7]], [0.7047155944, 1.0884167862, 0.9934979398], rtol=1e-6)
    np.testing.assert_allclose(found.df, [250.61, 319.55, 290.65, 250.05, 247.43, 315.04, 292.66, 250.75], atol=0.006)


@pytest.mark.parametrize(
    ("weights", "estimates", "errors"),
    [
        ("equal", [31.10445366, 25.80895951, 23.33072210, 21.73426391], [0.4999373004, 0.7481202185]),
        ("proportional", [30.78946390, 25.50993123, 23.07728596, 21.54432921], [0.4596882001, 0.7193260127]),
        ("cells", [30.79236868, 25.50302070, 23.08185551, 21.55272361], [0.4596822623, 0.7193376788]),
    ],
)
def test_weights_equal_those_of_emmeans(four, weights, estimates, errors):
    found = means(four, ["visit"], weights=weights)
    np.testing.assert_allclose(found.estimate, estimates, **ESTIMATE)
    np.testing.assert_allclose(found.standard_error[[0, 3]], errors, **ESTIMATE)


def test_values_of_a_number_are_looked_at_where_asked(four):
    found = means(four, ["visit", "age"], at={"age": [30, 50]})
    assert found.functions.labels[4] == ("inf1", "50")
    np.testing.assert_allclose(found.estimate[[0, 4, 7]], [31.57513853, 30.98429240, 21.61410265], **ESTIMATE)
    np.testing.assert_allclose(found.standard_error[[0, 4, 7]], [0.7184104411, 0.5191328753, 0.7611729862], **ESTIMATE)


def test_contrasts_of_contrasts_are_differences_of_changes(four):
    changes = means(four, ["visit", "protocol"], by=["protocol"]).contrasts("baseline")
    found = changes.contrasts("consecutive", by="contrast", adjust="none")
    # From emmeans: contrast(contrast(e4, "trt.vs.ctrl"), "revpairwise", by = "contrast")
    np.testing.assert_allclose(found.estimate, [0.3059934564, 1.1800279696, 2.3973969240], **ESTIMATE)
    np.testing.assert_allclose(found.standard_error, [0.8408809285, 1.0008512670, 1.1821734768], **ESTIMATE)
    np.testing.assert_allclose(found.p, [0.7161, 0.2390, 0.0436], atol=6e-5)


def test_all_changes_at_once_equal_the_joint_test_of_emmeans(four):
    found = means(four, ["visit", "protocol"], by=["protocol"]).contrasts("baseline").joint_test()
    assert found.df1 == 6
    # emmeans' test(..., joint = TRUE) takes the least df of the rows, 247.9; ours is lmerTest's average
    assert abs(found.F - 50.482) < 6e-4
    assert found.df2 > 247.9


def test_joint_adjustment_of_all_pairs_of_equal_means_is_tukeys():
    pairs = np.array([row for a in range(4) for b in range(a + 1, 4) if any(row := np.eye(4)[a] - np.eye(4)[b])])
    joint = Simultaneous(adjust="dunnett", n_means=4, correlation=pairs @ pairs.T / 2)
    for t in (1.0, 2.5, 5.0, 9.0):
        found = joint.p_values(np.full(6, t), np.full(6, 20.3))
        # The joint distribution by directions on the sphere against the studentized range of scipy
        np.testing.assert_allclose(found, stats.studentized_range.sf(np.sqrt(2) * t, 4, 20.3), rtol=2e-4)


@pytest.mark.parametrize("adjust", ["none", "bonferroni", "holm", "tukey", "dunnett"])
def test_a_contrast_without_degrees_of_freedom_has_no_test_and_spoils_no_other(adjust):
    """As Kenward and Roger's with an information that is not positive definite."""
    at_once = Simultaneous(adjust=adjust, n_means=3, correlation=np.full((2, 2), 0.5) + np.eye(2) / 2)
    for found in (
        at_once.p_values(np.array([2.0, 3.0]), df := np.array([9.0, np.nan])),
        at_once.critical_values(df, 0.95),
    ):
        assert np.isfinite(found).tolist() == [True, False]


@pytest.mark.parametrize("adjust", ["bonferroni", "holm", "dunnett"])
def test_adjusted_p_values_lie_between_the_single_ones_and_bonferronis(four, adjust):
    raw = means(four, ["visit", "protocol"], by=["protocol"]).contrasts("baseline", adjust="none")
    found = means(four, ["visit", "protocol"], by=["protocol"]).contrasts("baseline", adjust=adjust)
    slack = 1 + 1e-6
    assert np.all(raw.p <= found.p * slack)
    assert np.all(found.p <= 3 * raw.p * slack)
    assert np.all(found.upper - found.lower > raw.upper - raw.lower)


def test_a_mean_over_the_grid_is_the_average_of_its_cells(four):
    whole, cells = means(four, ["visit"]), means(four, ["visit", "protocol", "sex"])
    np.testing.assert_allclose(whole.estimate, cells.estimate.reshape(4, 4).mean(axis=0), rtol=1e-12)


def test_everything_that_is_wrong_with_a_request_is_told_at_once(four):
    with pytest.raises(SpecError) as caught:
        mean_functions(four.design, ["visits", "age"], at={"protocol": ["five"]}, weights="equl")
    text = str(caught.value)
    for told in ("'equl'", "Did you mean 'visit'?", "'five'", "Give them, as in at="):
        assert told in text
    with pytest.raises(SpecError, match="Did you mean 'pairwise'"):
        means(four, ["visit"]).contrasts("pairwize")
    with pytest.raises(SpecError, match="level 95; expected a number between 0 and 1"):
        four.means("visit", level=95)
    with pytest.raises(SpecError, match="reference 'inf9'"):
        means(four, ["visit"]).contrasts("baseline", reference="inf9")
    with pytest.raises(SpecError, match="4 finite weights"):
        means(four, ["visit"]).contrasts({"late": [1, -1]})


def test_the_figure_leaves_out_what_is_not_estimable(six):
    found = means(six, ["visit", "protocol"], by=["protocol"])
    (axes,) = found.plot().axes
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["four", "six"]
    assert [len(container.lines[0].get_xdata()) for container in axes.containers] == [4, 6]
    (axes,) = found.contrasts().plot().axes
    assert axes.get_ylabel() == "difference"
