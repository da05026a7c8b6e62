"""Models with a residual covariance over visits (MMRM), alone or beside random effects of the same subject."""
