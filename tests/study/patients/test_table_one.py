"""S3: what the table says of baseline is what stands in the rows, and standardised differences are those of R.

Numbers were computed by R 4.2.2 from the formulas in the docstrings of harness.two_samples.balance.
"""

from dataclasses import replace

import numpy as np
import pytest

from harness.study.table_one import table_one
from harness.two_samples.balance import difference_of_means, difference_of_shares, skewness


@pytest.fixture(scope="module")
def section(ketamine):
    return table_one(ketamine.data, ketamine.plan)


def test_standardised_differences_are_those_of_r():
    x, y = np.array([3.0, 5, 8, 9, 12, 15]), np.array([1.0, 4, 4, 7, 10])
    assert difference_of_means(x, y) == pytest.approx(0.87817668831515794, rel=1e-14)
    assert difference_of_shares([20, 30, 50], [40, 35, 25]) == pytest.approx(0.57735026918962584, rel=1e-12)
    assert difference_of_shares([63, 31], [84, 31]) == pytest.approx(0.13174066664161591, rel=1e-12)
    assert skewness(x) == pytest.approx(0.15191669735988717, rel=1e-12)


def test_a_standardised_difference_changes_its_sign_with_the_order_of_two_groups():
    x, y = np.array([3.0, 5, 8]), np.array([1.0, 4, 4])
    assert difference_of_means(x, y) == -difference_of_means(y, x)
    assert difference_of_shares([3, 7], [6, 4]) == -difference_of_shares([6, 4], [3, 7])
    assert difference_of_shares([3, 7, 5], [6, 4, 5]) == pytest.approx(difference_of_shares([6, 4, 5], [3, 7, 5]))


@pytest.mark.parametrize(
    ("other", "reference", "expected"),
    [([5, 0], [0, 5], np.nan), ([0, 0], [1, 2], np.nan), ([5, 0], [7, 0], 0.0), ([2, 0, 4], [4, 0, 8], 0.0)],
)
def test_shares_that_can_not_be_compared_have_no_difference(other, reference, expected):
    assert difference_of_shares(other, reference) == pytest.approx(expected, abs=1e-12, nan_ok=True)


def test_values_are_those_of_the_first_rows_of_patients(ketamine, section, table_of, estimates_of):
    table = ketamine.data.imported.table
    first = table[table["visit"] == "inf1"]
    rows = {row["characteristic"]: row for row in table_of(section, "baseline")}
    for protocol in ("four", "six"):
        own = first[first["protocol"] == protocol]
        for name, title in (("age", "age, years"), ("madrs", "MADRS at baseline"), ("gad7", "GAD-7 at baseline")):
            expected = f"{own[name].mean():.1f} ({own[name].std():.1f})"
            assert rows[f"{title}: mean (SD)"][protocol] == expected
        women = (own["sex"] == "F").sum()
        assert rows["sex: F"][protocol] == f"{women} ({100 * women / len(own):.0f} %)"
    four, six = (first[first["protocol"] == protocol]["madrs"] for protocol in ("four", "six"))
    expected = (six.mean() - four.mean()) / np.sqrt((six.var() + four.var()) / 2)
    assert estimates_of(section)["baseline.madrs.six_against_four"].value == pytest.approx(expected, rel=1e-12)


def test_protocols_that_were_given_in_other_years_show_it(section, estimates_of):
    assert estimates_of(section)["baseline.start_year.six_against_four"].value > 2


def test_counts_that_are_small_are_withheld_with_what_would_tell_them(section, table_of):
    rows = {row["characteristic"]: row for row in table_of(section, "baseline")}
    mild, severe = (rows[f"MADRS at baseline, band: {band}"] for band in ("mild", "severe"))
    assert (mild["four"], mild["six"], mild["all"]) == ("< 11", "< 11", "withheld")
    assert (severe["four"], severe["six"], severe["all"]) == ("\N{EN DASH}", "\N{EN DASH}", "withheld")


def test_a_column_with_a_withheld_count_has_no_standardised_difference(ketamine, estimates_of):
    shown = estimates_of(table_one(ketamine.data, replace(ketamine.plan, small_cell_limit=11)))
    assert "baseline.madrs_band.six_against_four" not in shown
    assert "baseline.sex.six_against_four" in shown


def test_bands_are_those_of_the_scale(ketamine, simulated, table_of):
    data = simulated(3, 5)
    rows = table_of(table_one(data, replace(ketamine.plan, small_cell_limit=3)), "baseline")
    scores = [float(course.baseline) for course in data.courses["madrs"].values() if course.baseline is not None]
    moderate = next(row for row in rows if row["characteristic"] == "MADRS at baseline, band: moderate")
    assert int(moderate["all"].split(" ", maxsplit=1)[0]) == sum(20 <= score <= 34 for score in scores)


def test_means_of_visits_are_drawn_and_told(section):
    picture = section.pictures[0]
    assert "MADRS, 'four': from 31.1 to 20.8" in picture.description
    assert picture.svg.startswith("<svg")
