"""Bugs that are planted are found, and shown with a handful of subjects.

The only switch for them is a fixture of pytest, so that no user can turn one on.
"""

from dataclasses import replace
from functools import partial

import pytest

from harness.fuzzing.drawing import specimen_of
from harness.fuzzing.fuzz import ALONE, Examined, FuzzPlan, fuzz, looking, made_smaller
from harness.fuzzing.metamorphic import contradicts
from harness.gbtm import estimation
from harness.lmm import engine, evaluation, fit

WITHIN = 200
MOST_SUBJECTS = 6


def wrong_sign_in_the_gradient(patch):
    """The derivative of log|V| enters the gradient of the criterion with the wrong sign."""
    shorter = replace(engine.ONE_FACTOR, fit=partial(fit.fit, limit=10))  # such a search never ends by itself
    patch.setattr(engine, "ONE_FACTOR", shorter)
    right = evaluation.profiled

    def planted(*given, **named):
        found = right(*given, **named)
        return replace(found, log_det_1=-found.log_det_1)

    patch.setattr(evaluation, "profiled", planted)


def no_log_determinant_of_reml(patch):
    """REML's log|X'V^-1 X| is left out; everything else is as in REML."""
    right = evaluation.profiled

    def planted(*given, **named):
        return right(*given, **{**named, "criterion": "ML"})

    patch.setattr(evaluation, "profiled", planted)


def swapped_posterior(patch):
    """The columns of the posterior come in the reversed order; shares and coefficients do not."""
    right = estimation._estimates

    def planted(*given):
        found = right(*given)
        return replace(found, posterior=found.posterior[:, ::-1])

    patch.setattr(estimation, "_estimates", planted)


BUGS = {
    "wrong_sign_in_the_gradient": ("lmm", wrong_sign_in_the_gradient),
    "no_log_determinant_of_reml": ("lmm", no_log_determinant_of_reml),
    "swapped_posterior": ("gbtm", swapped_posterior),
}


def first_caught(plan):
    """Return the first counterexample of a plan, made smaller, as `fuzz` does for each code."""
    with looking(plan) as look:
        for index in range(plan.examples):
            drawn = specimen_of(plan.kind, plan.seed, index)
            finding = look(drawn)
            if not finding.acceptable:
                found = Examined(index=index, finding=finding, seconds=0.0)
                return made_smaller(found, drawn, look, plan.tries)
    return None


@pytest.mark.parametrize("bug", BUGS)
def test_a_planted_bug_is_found_without_r_and_made_small(bug, monkeypatch):
    kind, plant = BUGS[bug]
    plan = FuzzPlan(kind=kind, engine=ALONE, examples=WITHIN, seed=9, tries=40)
    plant(monkeypatch)
    caught = first_caught(plan)
    assert caught is not None, "not found"
    assert len(caught.specimen.subjects) <= MOST_SUBJECTS
    again = contradicts(caught.specimen)
    assert (again.code, again.acceptable) == (caught.finding.code, False)
    monkeypatch.undo()
    assert contradicts(caught.specimen).acceptable  # so it is the bug that was found, and nothing else


def test_sound_engines_are_left_in_peace():
    for kind in ("lmm", "gbtm"):
        result = fuzz(FuzzPlan(kind=kind, engine=ALONE, examples=2, seed=9))
        assert len(result.examined) == 2
        assert [one.finding for one in result.unacceptable] == []
        assert result.caught == ()
