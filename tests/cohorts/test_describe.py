import numpy as np
import pytest

from harness.cohorts import describe, fixture_cohort


def test_a_description_has_one_row_a_numeric_column():
    table = describe(fixture_cohort("sleepstudy")).set_index("column")
    assert list(table.index) == ["days", "reaction"]
    row = table.loc["reaction"]
    assert (row["unit"], row["n"], row["missing"]) == ("ms", 180, 0)
    # R: mean(sleepstudy$Reaction), sd(sleepstudy$Reaction), range(sleepstudy$Reaction)
    assert row["mean"] == pytest.approx(298.50789166666664, rel=1e-12)
    assert row["sd"] == pytest.approx(56.328757125235143, rel=1e-12)
    assert (row["smallest"], row["largest"]) == (194.3322, 466.3535)


def test_a_description_by_time_counts_what_is_missing():
    table = describe(fixture_cohort("beat_the_blues"), by="month")
    assert table["month"].tolist() == [0, 2, 3, 5, 8]
    assert table["n"].tolist() == [100, 97, 73, 58, 52]
    assert (table["n"] + table["missing"] == 100).all()


def test_a_description_by_visit_follows_the_order_of_the_levels():
    table = describe(fixture_cohort("ketamine_real"), by="visit")
    madrs = table[table["column"] == "madrs"]
    assert madrs["visit"].tolist() == ["inf1", "inf2", "inf3", "inf4", "inf5", "inf6", "fu_1wk", "fu_1mo"]
    assert madrs["n"].tolist() == [209, 193, 195, 189, 107, 105, 66, 60]
    infusion = table[(table["column"] == "infusion") & (table["visit"] == "fu_1wk")].iloc[0]
    assert infusion["n"] == 0
    assert np.isnan(infusion["mean"])


def test_an_unknown_column_is_an_error():
    with pytest.raises(KeyError):
        describe(fixture_cohort("sleepstudy"), by="week")
