"""The shipped cohorts are what the generator writes, and the generator does what its recipe says."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from harness.cohorts import cohort_from_frame, fixture_cohort, simulate_ketamine
from harness.cohorts.ketamine_recipe import CLASS_SHARES, GAD7_CLASSES, MADRS_CLASSES, RECIPES, VISITS
from harness.cohorts.random_stream import RandomStream
from harness.cohorts.simulate import SHIPPED_SEED, TRUTH, csv_texts
from harness.locations import fixtures_folder

LARGE = {"four": 9400, "six": 11500}
LAST_RATING = {"four": "inf4", "six": "inf6"}

# Published with the recipe for `real`, from one simulation of 20 900 subjects: mean and SD before each infusion.
MEANS = {
    "madrs": {
        "inf1": (31.0, 7.2),
        "inf2": (25.9, 8.5),
        "inf3": (22.7, 9.3),
        "inf4": (20.8, 9.8),
        "inf5": (19.8, 10.1),
        "inf6": (19.0, 10.3),
    },
    "gad7": {
        "inf1": (13.3, 4.7),
        "inf2": (12.0, 4.8),
        "inf3": (10.9, 5.0),
        "inf4": (10.1, 5.1),
        "inf5": (9.6, 5.2),
        "inf6": (9.3, 5.3),
    },
}
# Response and remission among the observed at the last rating, per cent.
RATES = {
    "madrs": {"four": (27.2, 15.4), "six": (36.6, 22.2)},
    "gad7": {"four": (21.9, 14.2), "six": (30.0, 19.6)},
}
# Missing scores, per cent.
MISSING = (
    ("madrs", "inf4", "four", 10),
    ("madrs", "inf6", "six", 12),
    ("madrs", "fu_1wk", "four", 27),
    ("madrs", "fu_1mo", "four", 41),
    ("gad7", "fu_1wk", "four", 30),
    ("gad7", "fu_1mo", "four", 43),
)
REMISSION = {"madrs": 10, "gad7": 4}


@pytest.fixture(scope="module")
def large():
    return simulate_ketamine("real", 1, LARGE)


def wide(frame, column):
    return frame.pivot(index="subject", columns="visit", values=column)  # noqa: PD010 - refuses duplicates, where pivot_table averages


def protocols(frame):
    return frame.groupby("subject")["protocol"].first()


@pytest.mark.parametrize("variant", RECIPES)
def test_the_generator_writes_the_shipped_files_byte_by_byte(variant):
    seen, truth = csv_texts(simulate_ketamine(variant, SHIPPED_SEED))
    folder = fixtures_folder() / "cohorts"
    assert (folder / f"ketamine_{variant}.csv").read_bytes() == seen.encode()
    assert (folder / f"ketamine_{variant}.truth.csv").read_bytes() == truth.encode()


@pytest.mark.parametrize("variant", RECIPES)
def test_the_frame_and_the_shipped_file_are_the_same_cohort(variant):
    frame = simulate_ketamine(variant, SHIPPED_SEED).drop(columns=list(TRUTH))
    assert (
        cohort_from_frame(frame, subject="subject", time="week").sha256 == fixture_cohort(f"ketamine_{variant}").sha256
    )


def test_the_random_stream_is_that_of_its_seed():
    # From PCG64's raw output, which numpy promises not to change; quantiles by mpmath.
    stream = RandomStream(95)
    assert stream.uniform(2).tolist() == [0.541456507390793, 0.9133074665576334]
    np.testing.assert_allclose(stream.normal(2), [-0.75155104271066087, -0.30373090697475441], rtol=1e-14)


def test_the_stream_has_the_moments_of_its_distributions():
    stream, n = RandomStream(1), 200_000
    uniform, normal = stream.uniform(n), stream.normal(n)
    four = 4 / np.sqrt(n)  # four standard errors of a mean with unit variance
    assert 0 < uniform.min() < uniform.max() < 1
    assert abs(uniform.mean() - 0.5) < four * np.sqrt(1 / 12)
    assert abs(normal.mean()) < four
    assert abs((normal**2).mean() - 1) < four * np.sqrt(2)
    assert abs((normal[1:] * normal[:-1]).mean()) < four
    counts = np.bincount(stream.integers(-2, 2, n) + 2, minlength=5)
    assert np.all(abs(counts / n - 0.2) < four * np.sqrt(0.2 * 0.8))
    chosen = np.bincount(stream.choices(np.array([0.5, 0.0, 0.3, 0.2]), n), minlength=4) / n
    assert chosen[1] == 0
    assert np.all(abs(chosen - [0.5, 0, 0.3, 0.2]) < four / 2)
    assert sorted(stream.permutation(1000)) == list(range(1000))


@pytest.mark.parametrize("variant", RECIPES)
def test_every_cohort_has_the_design_of_the_study(variant):
    frame = simulate_ketamine(variant, 3)
    own = protocols(frame)
    assert own.value_counts().to_dict() == {"six": 115, "four": 94}
    assert own.iloc[:94].nunique() == 2
    for protocol, visits in VISITS.items():
        rows = frame[frame["protocol"] == protocol]
        assert rows.groupby("subject")["visit"].apply(tuple).unique().tolist() == [visits]
    days = wide(frame, "day")
    assert (days["inf1"] == 0).all()
    for visit, low, high in (("inf2", 2, 4), ("inf4", 9, 11), ("inf6", 16, 18), ("fu_1wk", 15, 19), ("fu_1mo", 35, 45)):
        assert set(days[visit].dropna()) == set(range(low, high + 1))
    assert (frame.groupby("subject")["day"].diff().dropna() > 0).all()
    assert (frame["week"] == frame["day"] / 7).all()
    assert (frame["infusion"].isna() == frame["visit"].str.startswith("fu")).all()
    assert frame["age"].between(18, 80).all()
    assert frame.groupby("protocol")["start_year"].agg(["min", "max"]).to_numpy().tolist() == [
        [2017, 2019],
        [2019, 2021],
    ]


def test_scores_are_the_latent_values_rounded_and_clipped(large):
    for scale, highest in (("madrs", 60), ("gad7", 21)):
        rated = large.dropna(subset=[scale])
        expected = np.clip(np.rint(rated[f"{scale}_latent"]), 0, highest)
        np.testing.assert_array_equal(rated[scale], expected)
        assert rated[scale].min() == 0
        assert (rated[f"{scale}_latent"] < -1).any()


def test_classes_have_their_joint_shares(large):
    truth = large.drop_duplicates("subject")
    counts = pd.crosstab(truth["madrs_class"], truth["gad7_class"]).loc[list(MADRS_CLASSES), list(GAD7_CLASSES)]
    n = len(truth)
    limit = 4 * np.sqrt(CLASS_SHARES * (1 - CLASS_SHARES) / n)
    assert np.all(abs(counts.to_numpy() / n - CLASS_SHARES) < limit)


@pytest.mark.parametrize("scale", MEANS)
def test_means_and_deviations_are_the_published_ones(large, scale):
    for visit, (mean, deviation) in MEANS[scale].items():
        scores = large.loc[large["visit"] == visit, scale].dropna()
        # Both sides are simulations of this size; the published figures are rounded to 0.1.
        error = np.sqrt(2) * deviation / np.sqrt(len(scores))
        assert abs(scores.mean() - mean) < 4 * error + 0.05
        assert abs(scores.std() - deviation) < 4 * error / np.sqrt(2) + 0.05


@pytest.mark.parametrize("scale", RATES)
def test_response_and_remission_are_the_published_ones(large, scale):
    scores, own = wide(large, scale), protocols(large)
    for protocol, published in RATES[scale].items():
        mine = scores[own == protocol]
        first, last = mine["inf1"], mine[LAST_RATING[protocol]]
        response = (2 * last <= first)[first.notna() & last.notna()]
        remission = (last <= REMISSION[scale])[last.notna()]
        for found, figure in zip((response, remission), published, strict=True):
            error = 100 * np.sqrt(2 * found.mean() * (1 - found.mean()) / len(found))
            assert abs(100 * found.mean() - figure) < 4 * error + 0.05


def test_missing_scores_have_the_published_frequencies(large):
    own = protocols(large)
    for scale, visit, protocol, figure in MISSING:
        missing = wide(large, scale).isna().loc[own == protocol, visit]
        error = 100 * np.sqrt(2 * missing.mean() * (1 - missing.mean()) / len(missing))
        assert abs(100 * missing.mean() - figure) < 4 * error + 0.5


def test_dropout_is_monotone_and_spares_the_first_visit(large):
    attended = (wide(large, "madrs").notna() | wide(large, "gad7").notna())[list(VISITS["six"])]
    six = attended[protocols(large) == "six"].to_numpy()
    assert six[:, 0].all()
    # A gap before a later visit needs both scores to be missing by chance: 0.03 * 0.07 a visit.
    gaps = (~six[:, :-1] & six[:, 1:]).mean()
    assert gaps < 0.0021 + 4 * np.sqrt(0.0021 / six.size)
    assert (~six[:, -1]).mean() > 0.05


def test_the_pure_variant_is_complete_and_has_independent_residuals():
    frame = simulate_ketamine("pure", 2, LARGE)
    assert not frame[["madrs", "gad7"]].isna().any().any()
    for scale, deviation in (("madrs", 4.8), ("gad7", 2.9)):
        residual = frame[f"{scale}_latent"] - frame.groupby([f"{scale}_class", "visit"])[f"{scale}_latent"].transform(
            "mean"
        )
        n = len(residual)
        assert abs(residual.std() / deviation - 1) < 4 / np.sqrt(2 * n)
        steps = residual.to_numpy().reshape(-1, 6)
        assert abs(np.mean(steps[:, 1:] * steps[:, :-1])) / deviation**2 < 4 / np.sqrt(steps[:, 1:].size)


def test_the_scales_correlate_as_the_recipe_says():
    frame = simulate_ketamine("pure", 4, LARGE)
    means = {s: frame.groupby([f"{s}_class", "visit"])[f"{s}_latent"].transform("mean") for s in ("madrs", "gad7")}
    found = np.corrcoef(frame["madrs_latent"] - means["madrs"], frame["gad7_latent"] - means["gad7"])[0, 1]
    assert abs(found - 0.5) < 4 * 0.75 / np.sqrt(len(frame))


def test_visits_and_scales_correlate_as_published(large):
    scores = wide(large, "madrs")
    adjacent = [scores[a].corr(scores[b]) for a, b in pairwise(VISITS["six"])]
    same_visit = [scores[visit].corr(wide(large, "gad7")[visit]) for visit in VISITS["six"]]
    # Published as ranges over visits, rounded to 0.01; four standard errors of either side's correlation.
    error = 4 * np.sqrt(2) * 0.75 / np.sqrt(10_000)
    assert abs(min(adjacent) - 0.66) < error
    assert abs(max(adjacent) - 0.86) < error
    assert abs(min(same_visit) - 0.50) < error
    assert abs(max(same_visit) - 0.55) < error


def test_the_shipped_real_cohort_shows_more_response_with_six_infusions():
    frame = simulate_ketamine("real")
    own = protocols(frame)
    for scale, cut in REMISSION.items():
        scores = wide(frame, scale)
        last = scores["inf4"].where(own == "four", scores["inf6"])
        for hit in ((2 * last <= scores["inf1"])[scores["inf1"].notna() & last.notna()], (last <= cut)[last.notna()]):
            rate = hit.groupby(own).mean()
            assert rate["six"] > rate["four"]


def test_seeds_differ_and_repeat():
    first, second = simulate_ketamine("sharp", 1), simulate_ketamine("sharp", 2)
    assert not first.equals(second)
    pd.testing.assert_frame_equal(first, simulate_ketamine("sharp", 1))
