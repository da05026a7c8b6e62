"""Simulated subjects of four latent classes, each with a quadratic course over six visits."""

import numpy as np
import pandas as pd

VISITS, CLASSES = 6, 4
_CURVES = ((31.0, -9.0, 1.0), (25.0, -4.5, 0.45), (34.0, -3.5, 0.3), (36.5, -0.9, 0.1))
_SHARES = (0.17, 0.33, 0.32, 0.18)
_SIGMA = 3.4


def subjects_of_classes(n_subjects: int, seed: int = 1) -> pd.DataFrame:
    """Return a long frame, one row a visit, all visits observed."""
    stream = np.random.default_rng(seed)
    latent = stream.choice(CLASSES, n_subjects, p=_SHARES)
    visit = np.tile(np.arange(VISITS, dtype=np.float64), n_subjects)
    means = np.array([np.polynomial.polynomial.polyval(np.arange(VISITS), curve) for curve in _CURVES])[latent].ravel()
    score = means + _SIGMA * stream.standard_normal(len(visit))
    return pd.DataFrame({"id": np.repeat(np.arange(n_subjects), VISITS), "visit": visit, "score": score})
