"""Claims made in a test, and the claims of the fixture judged once."""

import pytest

from harness.claims import read_claims, read_claims_spec, verify
from harness.claims.claims_file import claims_of
from harness.cohorts import read_cohort
from harness.locations import fixtures_folder

CLAIMS = fixtures_folder() / "claims" / "ketamine.csv"
SPEC = fixtures_folder() / "claims" / "ketamine.toml"
DATA = fixtures_folder() / "cohorts" / "ketamine_real.csv"


def claims_from(*rows):
    """Return claims from dictionaries of cells; ids are given where they lack."""
    full = [{"id": f"c{place}", **row} for place, row in enumerate(rows, start=1)]
    header = list(dict.fromkeys(column for row in full for column in row))
    cells = [header, *([row.get(column, "") for column in header] for row in full)]
    return claims_of(cells, range(1, len(cells) + 1), "claims.csv")


@pytest.fixture(scope="session")
def claims():
    return claims_from


@pytest.fixture(scope="session")
def judged():
    """A function that returns one claim, judged; cells are arguments by name."""

    def judge(cohort=None, spec=None, **cells):
        return verify(claims_from(cells), cohort, spec).judged[0]

    return judge


@pytest.fixture(scope="session")
def spec():
    return read_claims_spec(SPEC)


@pytest.fixture(scope="session")
def cohort(spec):
    return read_cohort(DATA, spec.schema)


@pytest.fixture(scope="session")
def verification(cohort, spec):
    return verify(read_claims(CLAIMS), cohort, spec, name="ketamine")
