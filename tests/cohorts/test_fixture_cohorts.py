import numpy as np
import pytest

from harness.cohorts import fixture_cohort, read_schema
from harness.cohorts.fixtures import fixture_names
from harness.cohorts.slopes_only import simulate_slopes_only, slopes_only_text
from harness.cohorts.two_courses import simulate_two_courses, two_courses_text
from harness.errors import CohortError
from harness.locations import fixtures_folder

COLUMNS = {
    "sleepstudy": {"subject", "days", "reaction"},
    "slopes_only": {"subject", "visit", "score"},
    "penicillin": {"plate", "sample", "diameter"},
    "machines": {"worker", "machine", "score"},
    "orthodont": {"subject", "age", "distance", "sex"},
    "beat_the_blues": {"subject", "month", "bdi", "treatment", "drug", "length"},
    "bacteria": {"subject", "week", "present", "treatment"},
    "betablocker": {"center", "treatment", "deaths", "total"},
    "epil": {"subject", "period", "weeks", "seizures", "treatment", "age"},
    "npreg": {"row", "pair", "four", "x", "yn", "yp", "yb"},
    "patent": {"company", "lgrd", "rds", "patents"},
    "two_courses": {"subject", "visit", "risk", "score", "episodes", "share"},
    "two_rates": {"row", "table", "group", "events", "patients"},
} | {
    key: {"subject", "protocol", "visit", "day", "week", "infusion", "madrs", "gad7", "age", "sex", "start_year"}
    for key in ("ketamine_sharp", "ketamine_pure", "ketamine_real")
}
TIMELESS = ("penicillin", "machines", "betablocker", "npreg", "patent", "two_rates")
SIZES = {
    "slopes_only": (326, 80),
    "penicillin": (144, 24),
    "machines": (54, 6),
    "sleepstudy": (180, 18),
    "orthodont": (108, 27),
    "beat_the_blues": (500, 100),
    "bacteria": (220, 50),
    "betablocker": (44, 22),
    "epil": (295, 59),
    "npreg": (200, 200),
    "patent": (70, 70),
    "two_courses": (363, 80),
    "two_rates": (22, 22),
}


def test_the_fixtures_are_those_that_are_documented():
    assert set(fixture_names()) == set(COLUMNS)


@pytest.mark.parametrize("name", COLUMNS)
def test_a_fixture_is_what_its_schema_recorded(name):
    schema = read_schema(fixtures_folder() / "cohorts" / f"{name}.toml")
    cohort = fixture_cohort(name)
    assert cohort.sha256 == schema.sha256
    assert cohort.name == schema.name == name
    assert set(cohort.columns) == COLUMNS[name]
    assert (cohort.n_rows, cohort.n_subjects) == SIZES.get(name, (1254, 209))
    assert schema.origin
    assert schema.licence
    assert cohort.time is None if name in TIMELESS else cohort.time in cohort.units
    assert all(column.unit for column in schema.with_role("outcome"))


def test_slopes_only_is_what_its_recipe_writes():
    shipped = (fixtures_folder() / "cohorts" / "slopes_only.csv").read_bytes()
    assert slopes_only_text().encode() == shipped
    assert not simulate_slopes_only(1).equals(simulate_slopes_only(2))


def test_two_courses_is_what_its_recipe_writes():
    shipped = (fixtures_folder() / "cohorts" / "two_courses.csv").read_bytes()
    assert two_courses_text().encode() == shipped
    assert not simulate_two_courses(1).equals(simulate_two_courses(2))


def test_sleepstudy_is_that_of_lme4():
    cohort = fixture_cohort("sleepstudy")
    # R: sum(sleepstudy$Reaction), sprintf("%.17g", sleepstudy$Reaction[c(1, 180)])
    assert cohort.numeric["reaction"].sum() == pytest.approx(53731.42049999999, rel=1e-14)
    assert cohort.numeric["reaction"][[0, -1]].tolist() == [249.56, 364.1236]
    assert cohort.subjects.levels[:3] == ("308", "309", "310")


def test_penicillin_and_machines_are_those_of_lme4_and_nlme():
    # R: sum(Penicillin$diameter), table(Penicillin$plate, Penicillin$sample), sprintf("%.17g", sum(Machines$score))
    penicillin, machines = fixture_cohort("penicillin"), fixture_cohort("machines")
    assert penicillin.numeric["diameter"].sum() == 3308
    cells = penicillin.factors["plate"].codes * 6 + penicillin.factors["sample"].codes
    assert np.bincount(cells).tolist() == [1] * 144
    assert machines.numeric["score"].sum() == pytest.approx(3221.0999999999999, rel=1e-14)
    assert machines.factors["machine"].levels == ("A", "B", "C")
    assert np.bincount(machines.factors["worker"].codes * 3 + machines.factors["machine"].codes).tolist() == [3] * 18


def test_beat_the_blues_has_the_visits_and_the_dropout_of_hsaur3():
    cohort = fixture_cohort("beat_the_blues")
    month, observed = cohort.numeric["month"], ~np.isnan(cohort.numeric["bdi"])
    # R: colSums(!is.na(BtheB[4:8]))
    assert [int(observed[month == at].sum()) for at in (0, 2, 3, 5, 8)] == [100, 97, 73, 58, 52]
    # R: sum(BtheB[4:8], na.rm = TRUE), table(BtheB$treatment)
    assert np.nansum(cohort.numeric["bdi"]) == 6374
    assert cohort.factors["treatment"].levels == ("TAU", "BtheB")
    assert np.bincount(cohort.factors["treatment"].codes).tolist() == [5 * 48, 5 * 52]


def test_orthodont_is_that_of_nlme():
    cohort = fixture_cohort("orthodont")
    # R: sum(Orthodont$distance), table(Orthodont$Sex)
    assert cohort.numeric["distance"].sum() == 2594.5
    assert np.bincount(cohort.factors["sex"].codes).tolist() == [64, 44]


def test_epil_and_bacteria_are_those_of_mass():
    epil, bacteria = fixture_cohort("epil"), fixture_cohort("bacteria")
    # R: sum(epil$y), sum(epil$base[epil$period == 1]), table(epil$trt) / 4, sum(bacteria$y == "y"), table(bacteria$trt)
    first = epil.numeric["period"] == 0
    assert epil.numeric["seizures"][~first].sum() == 1948
    assert epil.numeric["seizures"][first].sum() == 1842
    assert np.bincount(epil.factors["treatment"].codes).tolist() == [5 * 28, 5 * 31]
    assert np.array_equal(epil.numeric["weeks"], np.where(first, 8, 2))
    assert bacteria.numeric["present"].sum() == 177
    assert np.bincount(bacteria.factors["treatment"].codes).tolist() == [96, 62, 62]


def test_betablocker_patent_and_npreg_are_those_of_flexmix():
    # R: colSums(betablocker[c("Deaths", "Total")]), sum(patent$Patents), sprintf("%.17g", sum(NPreg$yn)), sum(NPreg$yp)
    betablocker, patent, npreg = (fixture_cohort(name) for name in ("betablocker", "patent", "npreg"))
    assert [betablocker.numeric[name].sum() for name in ("deaths", "total")] == [1811, 20290]
    assert patent.numeric["patents"].sum() == 1642
    assert npreg.numeric["yn"].sum() == pytest.approx(5721.395793341434, rel=1e-14)
    assert npreg.numeric["yp"].sum() == 791
    assert len(npreg.factors["four"].levels) == 50


@pytest.mark.parametrize("name", ["nothing", "../cohorts/sleepstudy", "/etc/passwd", "sleepstudy\n", "", "a\0b"])
def test_only_names_of_fixtures_are_read(name):
    with pytest.raises(CohortError, match="expected one of bacteria"):
        fixture_cohort(name)
