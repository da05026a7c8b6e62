"""What fuzzing against flexmix found, and what is said of the cases in which flexmix has no answer."""

import numpy as np
import pytest

from harness.counterexamples.specimen import Specimen
from harness.engines import solve
from harness.fuzzing.flexmix_limits import dependent_columns


def solved(model, **numbers):
    subjects = numbers.pop("subjects")
    specimen = Specimen(
        subject="id",
        time="t",
        numbers={name: tuple(map(float, values)) for name, values in numbers.items()},
        labels={"id": tuple(subjects)},
        levels={},
        model={"kind": "gbtm", "outcome": "y", "time": "t", "subject": "id", **model},
    )
    return solve(specimen.case("fuzzed", ("flexmix",)))


def test_our_maximum_stands_where_flexmix_s_equations_lead_to_infinity():
    # Seed 9, case 53, made smaller: all equations but that of sigma vanish where membership is separated.
    model = {"orders": [0, 0], "family": "gaussian", "sigma": "shared", "membership": "a"}
    ours = solved(model, subjects=["s1", "s2", "s1"], t=[0, 1, 1], a=[-1.6, -0.1, -1.6], y=[2, 0, 1])
    reading = ours.reading(against="flexmix")
    values = {q.path: q.value for q in reading.quantities}
    assert values["log_likelihood"] == ours.reading(against="lcmm").objective[0].log_likelihood
    # By hand: s2 has a class of its own, so that sigma^2 is (1/4 + 1/4 + 0) / 3.
    assert values["log_likelihood"] == pytest.approx(-1.5 * (np.log(2 * np.pi / 6) + 1), abs=1e-6)
    assert any("no fixed point" in convention for convention in reading.conventions)


@pytest.mark.parametrize(("origin", "is_dependent"), [(0, False), (2000, True)])
def test_powers_of_time_that_r_drops_are_seen(origin, is_dependent):
    # In R: lm.wfit(cbind(1, t, t^2), y, w) of these rows gives NA for t^2 at 2000, and none at 0.
    random = np.random.default_rng(3)
    times = np.tile([0.0, 0.1, 0.2], 8) + origin
    subjects = [f"s{k // 3}" for k in range(24)]
    model = {"orders": [2], "family": "gaussian", "sigma": "shared"}
    ours = solved(model, subjects=subjects, t=times, y=random.standard_normal(24))
    assert bool(dependent_columns(ours)) == is_dependent
