"""Outcomes simulated from a fit by any engine, one replicate at a time: those that `LmmResult.simulate` gives."""

from harness.lmm.design import LmmDesign
from harness.lmm.estimates import LmmEstimates
from harness.lmm.prediction import simulation
from harness.lmm.prediction.predictor import distribution_of, fitted_occasions
from harness.lmm.prediction.simulation import Draw
from harness.lmm.prediction.trained import trained_residual


def draws(design: LmmDesign, estimates: LmmEstimates, seed: int) -> Draw:
    """Return a function of a replicate's number that gives X beta + Zb + e (n,), b and e drawn anew.

    R: ``simulate(m)``.
    """
    at = fitted_occasions(design, trained_residual(design, estimates))
    return simulation.draws(distribution_of(design, estimates), at, seed)
