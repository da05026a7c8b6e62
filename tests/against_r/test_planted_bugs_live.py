"""Bugs that are planted in ours are found by fuzzing against R, and shown with a handful of subjects."""

from dataclasses import replace
from functools import partial

import pytest

from harness.fuzzing.drawing import specimen_of
from harness.fuzzing.fuzz import Examined, FuzzPlan, looking, made_smaller
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
    patch.setattr(evaluation, "profiled", lambda *given, **named: right(*given, **{**named, "criterion": "ML"}))


def swapped_posterior(patch):
    """The columns of the posterior come in the reversed order; shares and coefficients do not."""
    right = estimation._estimates

    def planted(*given):
        found = right(*given)
        return replace(found, posterior=found.posterior[:, ::-1])

    patch.setattr(estimation, "_estimates", planted)


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("kind", "reference", "plant"),
    [
        pytest.param("lmm", "lme4", wrong_sign_in_the_gradient, marks=pytest.mark.needs_r("lme4")),
        pytest.param("lmm", "lme4", no_log_determinant_of_reml, marks=pytest.mark.needs_r("lme4")),
        pytest.param("gbtm", "flexmix", swapped_posterior, marks=pytest.mark.needs_r("flexmix")),
    ],
)
def test_a_planted_bug_is_found_and_made_small(kind, reference, plant, monkeypatch):
    plan = FuzzPlan(kind=kind, engine=reference, examples=WITHIN, seed=9, tries=100)
    plant(monkeypatch)
    caught = None
    with looking(plan) as look:
        for index in range(WITHIN):
            drawn = specimen_of(kind, plan.seed, index)
            finding = look(drawn)
            if not finding.acceptable:
                found = Examined(index=index, finding=finding, seconds=0.0)
                caught = made_smaller(found, drawn, look, plan.tries)
                break
        assert caught is not None, "not found"
        assert len(caught.specimen.subjects) <= MOST_SUBJECTS
        monkeypatch.undo()
        assert look(caught.specimen).code != caught.finding.code  # so it is the bug that was found
