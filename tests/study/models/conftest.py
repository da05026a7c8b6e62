"""The plan of the simulated study, its data from any simulated cohort, and models without R."""

from dataclasses import replace
from types import SimpleNamespace

import pandas as pd
import pytest

from harness.cohorts import cohort_from_frame, simulate_ketamine
from harness.importing import Imported
from harness.locations import fixtures_folder
from harness.study.cross_check import CrossChecks
from harness.study.missing_data import begin_missing_data
from harness.study.mixed_models import begin_mixed_models
from harness.study.parts import section_of
from harness.study.reading import read_data, study_data
from harness.study.study_file import read_study
from harness.study.trajectories import fit_trajectories

STUDIES = fixtures_folder() / "studies"
TRUTH = ["madrs_class", "gad7_class", "madrs_latent", "gad7_latent"]


@pytest.fixture(scope="session")
def plan():
    """The plan of the ketamine study, without R, with few starts."""
    return replace(read_study(STUDIES / "ketamine.toml"), cross_check=False, classes=(4,), starts=20)


@pytest.fixture(scope="session")
def no_r():
    return CrossChecks(wanted=False)


@pytest.fixture(scope="session")
def data_of(plan):
    """Return a function that makes the data of a study from rows as `simulate_ketamine` has them."""

    def make(frame):
        frame = frame[frame["madrs"].notna() | frame["gad7"].notna()].drop(columns=TRUTH, errors="ignore")
        levels = {"visit": (*plan.treatment_visits, *plan.follow_up_visits), "protocol": tuple(plan.protocols)}
        for name, known in levels.items():
            frame[name] = pd.Categorical(frame[name].astype(str), categories=list(known))
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

    return make


@pytest.fixture(scope="session")
def sharp(plan, no_r, data_of):
    """A cohort of classes that 209 patients suffice to recover, its hidden truth, and its trajectory models."""
    frame = simulate_ketamine("sharp")
    data = data_of(frame)
    return SimpleNamespace(frame=frame, data=data, models=fit_trajectories(data, plan, no_r))


@pytest.fixture(scope="session")
def real(plan, no_r, data_of):
    """A cohort as real ones are, and its trajectory models."""
    frame = simulate_ketamine("real")
    data = data_of(frame)
    return SimpleNamespace(frame=frame, data=data, models=fit_trajectories(data, plan, no_r))


@pytest.fixture(scope="session")
def mixed(real, plan, no_r, finished):
    """The section of mixed models of that cohort."""
    return finished(begin_mixed_models(real.data, plan, no_r))


@pytest.fixture(scope="session")
def missing(real, plan, no_r, finished):
    """The section of missing MADRS ratings of that cohort."""
    return finished(begin_missing_data(real.models[:1], real.data, plan, no_r))


@pytest.fixture(scope="session")
def beat_the_blues():
    found = replace(read_study(STUDIES / "beat_the_blues.toml"), cross_check=False)
    return SimpleNamespace(plan=found, data=read_data(found))


@pytest.fixture(scope="session")
def finished():
    """Return a function that makes a section of parts that wait for R."""

    def make(parts):
        return section_of("S0", "section", [later() for later in parts])

    return make


@pytest.fixture(scope="session")
def values():
    """Return a function that gives the estimates of a section by path."""

    def by_path(section):
        found = {estimate.path: estimate for estimate in section.estimates}
        assert len(found) == len(section.estimates), "two estimates of one path"
        return found

    return by_path


@pytest.fixture(scope="session")
def table():
    """Return a function that gives the rows of a table of a section."""

    def rows(section, name):
        return next(one for one in section.tables if one.name == name).rows

    return rows
