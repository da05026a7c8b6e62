"""Plans that tests run, made in Python."""

from dataclasses import replace

import pytest

from harness.campaigns.plan import FACTORS, Plan

LMM = {"kind": "lmm", "formula": "score ~ visit * arm + (1 | subject)", "criterion": "ML"}
GBTM = {"kind": "gbtm", "order": 1, "sigma": "shared", "n_starts": 5, "seed": 1}


def made_plan(kind="lmm", **given):
    """Return a plan of our engine against itself; `given` are factors (tuples) or fields of the plan."""
    rules = FACTORS[kind]
    factors = {
        name: tuple(rule.value(value) for value in given.pop(name, (rule.default,))) for name, rule in rules.items()
    }
    made = Plan(
        name="tested",
        seed=1,
        replicates=20,
        batch=5,
        stop=None,
        required=None,
        deadline=60.0,
        references=("harness",),
        factors=factors,
        model=LMM if kind == "lmm" else GBTM,
    )
    return replace(made, **given)


@pytest.fixture
def plan():
    """Return what makes plans of our engine against itself."""
    return made_plan


@pytest.fixture
def small_plan():
    """Return what makes plans whose replicates take milliseconds: two cells of twenty."""
    return lambda **given: made_plan(**{"subjects": (6, 8), "visits": (3,), **given})


@pytest.fixture(scope="session")
def made_small_plan():
    """Return the small plan as it is."""
    return made_plan(subjects=(6, 8), visits=(3,))
