"""The two studies, read once; and studies that differ from them: in their file, in their rows, in size."""

import re
from types import SimpleNamespace

import pandas as pd
import pytest

from harness.cohorts import cohort_from_frame, simulate_ketamine
from harness.cohorts.frames import to_frame
from harness.importing import Imported
from harness.locations import fixtures_folder
from harness.study.reading import read_data, study_data
from harness.study.study_file import read_study

STUDIES = fixtures_folder() / "studies"


@pytest.fixture(scope="session")
def ketamine():
    plan = read_study(STUDIES / "ketamine.toml")
    return SimpleNamespace(plan=plan, data=read_data(plan))


@pytest.fixture(scope="session")
def beat_the_blues():
    plan = read_study(STUDIES / "beat_the_blues.toml")
    return SimpleNamespace(plan=plan, data=read_data(plan))


@pytest.fixture(params=["ketamine", "beat_the_blues"])
def study(request):
    return request.getfixturevalue(request.param)


@pytest.fixture
def edited(tmp_path):
    """Return a function that writes a study file with parts replaced, each of which must be there."""

    def write(name="ketamine", **changes):
        text = (STUDIES / f"{name}.toml").read_text(encoding="utf-8")
        for old, new in changes.pop("replace", {}).items():
            assert old in text, old
            text = text.replace(old, new)
        for key in changes.pop("without", ()):
            text, found = re.subn(rf"(?m)^{re.escape(key)} = .*\n", "", text)
            assert found == 1, key
        folder = changes.pop("folder", STUDIES)
        text = re.sub(r'(?m)^data = "(.*)"', lambda match: f'data = "{folder / match[1]}"', text)
        (tmp_path / "bdi2.toml").write_bytes((STUDIES / "bdi2.toml").read_bytes())
        path = tmp_path / "study.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


@pytest.fixture
def refilled():
    """Return a function that makes the data of a study from its own rows, changed."""

    def make(study, change):
        frame = to_frame(study.data.imported.cohort)
        return from_frame(change(frame.copy()), study.plan)

    return make


@pytest.fixture(scope="session")
def simulated(ketamine):
    """Return a function that makes the data of a simulated cohort, k times as large, without a file."""

    def make(seed, k=1):
        frame = simulate_ketamine("real", seed, {"four": 94 * k, "six": 115 * k})
        rated = frame["madrs"].notna() | frame["gad7"].notna()
        hidden = ["madrs_class", "gad7_class", "madrs_latent", "gad7_latent"]
        return from_frame(frame[rated].drop(columns=hidden), ketamine.plan)

    return make


def from_frame(frame, plan):
    levels = {
        "visit": [visit.name for visit in plan.mapping.visits],
        "protocol": [protocol.name for protocol in plan.mapping.protocols],
    }
    for name, known in levels.items():
        frame[name] = pd.Categorical(frame[name].astype(str), categories=known)
    cohort = cohort_from_frame(frame, subject="subject", time="week")
    imported = Imported(
        cohort=cohort,
        table=frame,
        items={},
        checks=(),
        detected=(),
        columns=(),
        mapping=plan.mapping,
        source_sha256=(),
    )
    return study_data(imported, plan)


@pytest.fixture(scope="session")
def table_of():
    """Return a function that gives the rows of a table of a section as dictionaries."""

    def rows(section, name):
        table = next(table for table in section.tables if table.name == name)
        return [dict(zip(table.header, row, strict=True)) for row in table.rows]

    return rows


@pytest.fixture(scope="session")
def estimates_of():
    """Return a function that gives the estimates of a section by path."""

    def by_path(section):
        found = {estimate.path: estimate for estimate in section.estimates}
        assert len(found) == len(section.estimates), "two estimates of one path"
        return found

    return by_path
