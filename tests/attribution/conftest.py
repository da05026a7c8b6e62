"""Engines that go wrong in one way each, made of our own: what R would say, without R."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from harness.cases import Case
from harness.cohorts.cohort import Cohort, Factor
from harness.comparison.verdict import Outcome
from harness.crosscheck import References, compare_with
from harness.engines import OurGbtm, OurLmm, OurSide, solve
from harness.gbtm.result import fit_gbtm_cohort
from harness.gbtm.spec import GbtmSpec
from harness.lmm.design import build_design
from harness.lmm.engine import engine_of
from harness.lmm.result import LmmResult
from harness.quantities import ObjectiveValue, Reading


def same(value):
    return value


def started(case, start=None):
    """Our engine on a case, from a start of its own or a given one."""
    if start is None:
        return solve(case)
    if isinstance(case.spec, GbtmSpec):
        return OurGbtm(case=case, result=fit_gbtm_cohort(case.spec, case.cohort, start), seconds=None)
    return stopped(case, start, limit=100)


def stopped(case, start=None, *, limit):
    """Our engine of mixed models, stopped after so many iterations."""
    design = build_design(case.spec, case.cohort)
    engine = engine_of(design)
    fit = engine.fit(design, None if start is None else np.array(start), limit)
    result = LmmResult(
        cohort=case.cohort, spec=case.spec, design=design, fit=fit, estimates=engine.estimate(fit, design)
    )
    return OurLmm(case=case, result=result, seconds=None)


@dataclass
class Twin:
    """An engine that runs our code on an altered case, from an altered search, or retells the result in another way.

    `objective(side, point)` is its log-likelihood; `starts` remembers where it was started.
    """

    name: str = "lme4"
    alter: Callable[[Case], Case] = same
    fit: Callable[[Case, object], OurSide] = started
    retell: Callable[[Reading], Reading] = same
    objective: Callable[[OurSide, tuple], float] = lambda side, point: side.log_likelihood(point)
    echo: Callable[[Case, Case], bool] = lambda sent, got: True  # noqa: ARG005  # an echo's signature
    starts: list = field(default_factory=list)

    def read(self, case, probes=(), start=None):
        self.starts.append(start)
        got = self.alter(case)
        side = self.fit(got, start)
        own = side.reading(self.name)
        (optimum,) = own.objective
        points = [(probe.label, probe.point) for probe in probes] + [("optimum", optimum.point)]
        said = tuple(
            ObjectiveValue(label=label, point=point, log_likelihood=self.objective(side, point))
            for label, point in points
        )
        evidence = own.evidence and replace(own.evidence, echo_is_exact=self.echo(case, got))
        return self.retell(replace(own, engine=self.name, source="live", objective=said, evidence=evidence))


def compared(case, engine):
    """Compare our engine on the case with one that goes wrong."""
    return compare_with(solve(case), engine.name, References(live={engine.name: engine}))


def assert_cause(comparison, attribution, *shown):
    """The code, what the sentence must show of the evidence, and a next step."""
    assert comparison.outcome is Outcome.DISAGREE
    assert comparison.attribution is attribution, (comparison.attribution, comparison.sentence)
    for text in shown:
        assert text in comparison.sentence, comparison.sentence
    assert any(letter.isdigit() for letter in comparison.sentence)
    assert comparison.next_step.endswith(".")


@pytest.fixture(scope="session")
def twin():
    return Twin


@pytest.fixture(scope="session")
def stop_after():
    """Return our engine of mixed models on a case, stopped after so many iterations."""
    return stopped


@pytest.fixture(scope="session")
def compare():
    return compared


@pytest.fixture(scope="session")
def assert_named():
    return assert_cause


@pytest.fixture(scope="session")
def change():
    """Return a reading in which each quantity is what a function makes of it."""
    return lambda reading, function: replace(reading, quantities=tuple(map(function, reading.quantities)))


@pytest.fixture(scope="session")
def panel():
    """Return a cohort of arrays: text becomes a factor, `id` is the subject."""

    def made(**columns):
        factors, numeric = {}, {}
        for column, values in columns.items():
            if np.asarray(values).dtype.kind == "U":
                levels, codes = np.unique(values, return_inverse=True)
                factors[column] = Factor(codes=codes, levels=tuple(map(str, levels)))
            else:
                numeric[column] = np.asarray(values, dtype=float)
        return Cohort(name="panel", subject="id", time=None, numeric=numeric, factors=factors)

    return made


@pytest.fixture(scope="session")
def two_arms(panel):
    """Return forty subjects in two arms at five visits: intercepts vary with sd 2, slopes with sd 0.5."""
    stream = np.random.default_rng(3)
    subject, t = np.repeat(np.arange(40), 5), np.tile(np.arange(5.0), 40)
    arm = np.where(subject % 2 == 0, "a", "b")
    random = stream.normal(size=(40, 2)) * (2.0, 0.5)
    y = 10 + (arm == "b") * t + random[subject, 0] + random[subject, 1] * t + stream.normal(size=200)
    return panel(id=np.array([f"s{i:02d}" for i in subject]), t=t, arm=arm, y=y)
