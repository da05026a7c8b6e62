"""Standard errors that a trajectory model at a boundary does not have are no disagreement with one that prints them."""

from dataclasses import replace

import numpy as np
import pandas as pd

from harness.cases import Case
from harness.comparison.judge import judge
from harness.comparison.verdict import CrossEvidence, Outcome
from harness.convergence import Stop
from harness.engines import OurGbtm
from harness.quantities import Kind, Quantity
from harness.trajectories import fit_gbtm


def singular_fit():
    """A random intercept where nobody has one: residuals of a subject add up to nothing."""
    stream = np.random.default_rng(2)
    noise = stream.standard_normal((40, 4))
    noise -= noise.mean(axis=1, keepdims=True)
    score = noise + 9.0 * (np.arange(40) % 2)[:, None]
    panel = pd.DataFrame(
        {"id": np.repeat(np.arange(40), 4), "week": np.tile(np.arange(4.0), 40), "score": score.ravel()}
    )
    return fit_gbtm(panel, outcome="score", time="week", subject="id", orders=(0, 0), random=0, n_starts=5)


def test_a_standard_error_at_a_boundary_is_not_compared():
    fit = singular_fit()
    assert fit.fit.convergence.stop == Stop.SINGULAR
    case = Case(name="none", cohort=fit.cohort, spec=fit.spec, references=("lcmm",))
    ours = OurGbtm(case=case, result=fit, seconds=None).reading("lcmm")
    path = "random.var(intercept).standard_error"
    printed = Quantity(path=path, kind=Kind.CURVATURE, value=0.1)
    theirs = replace(ours, engine="lcmm", quantities=(*ours.quantities, printed), not_given={})
    comparison = judge("none", ours, theirs, CrossEvidence())
    assert comparison.outcome is Outcome.AGREE
    (found,) = (verdict for verdict in comparison.verdicts if verdict.quantity == path)
    assert found.outcome is Outcome.NOT_COMPARED
    assert "at a boundary" in found.reason
