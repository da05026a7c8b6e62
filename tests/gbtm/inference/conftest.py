"""Fits whose likelihood has no maximum: separated classes, and a class in which nobody ever responds."""

import numpy as np
import pandas as pd
import pytest

from harness.trajectories import fit_gbtm


@pytest.fixture(scope="session")
def separated():
    """A risk factor that tells the class of everybody."""
    stream = np.random.default_rng(1)
    N, T = 50, 4
    high = np.arange(N) < 20
    score = 6.0 * high[:, None] + stream.standard_normal((N, T))
    panel = pd.DataFrame(
        {
            "id": np.repeat([f"p{i:02d}" for i in range(N)], T),
            "week": np.tile(np.arange(T, dtype=float), N),
            "score": score.ravel(),
            "sign": np.repeat(high.astype(float), T),
        }
    )
    return fit_gbtm(panel, outcome="score", time="week", subject="id", orders=(1, 1), membership="sign", n_starts=6)


@pytest.fixture(scope="session")
def never():
    """15 of 40 never respond in 20 visits, the others with a chance of 0.6."""
    stream = np.random.default_rng(2)
    N, T = 40, 20
    hits = np.where(np.arange(N)[:, None] < 15, 0.0, stream.random((N, T)) < 0.6)
    panel = pd.DataFrame(
        {
            "id": np.repeat([f"p{i:02d}" for i in range(N)], T),
            "week": np.tile(np.arange(T, dtype=float), N),
            "hit": hits.ravel().astype(float),
        }
    )
    return fit_gbtm(panel, outcome="hit", time="week", subject="id", orders=(0, 0), family="logit", n_starts=6)
