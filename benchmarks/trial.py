"""A simulated trial: two arms, six visits, some of them missed."""

import numpy as np
import pandas as pd

from harness.cohorts.random_stream import RandomStream

VISITS = 6
FORMULA = "score ~ visit * arm + (1 + week | id)"
_MISSED = 0.12


def trial(n_subjects: int, seed: int = 1) -> pd.DataFrame:
    """Return a long frame, one row a visit: a random intercept and slope in week, and nobody without a first visit."""
    stream = RandomStream(seed)
    subject, week = np.repeat(np.arange(n_subjects), VISITS), np.tile(np.arange(float(VISITS)), n_subjects)
    intercept, other = (stream.normal(n_subjects) for _ in range(2))
    treated = subject % 2
    score = 25 - (2 - 0.5 * treated) * week + 5 * intercept[subject] + (0.3 * intercept + 0.8 * other)[subject] * week
    score += 3 * stream.normal(len(week))
    kept = (stream.uniform(len(week)) >= _MISSED) | (week == 0)
    frame = pd.DataFrame(
        {
            "score": score,
            "visit": pd.Categorical([f"visit {k + 1}" for k in range(VISITS)])[week.astype(int)],
            "arm": pd.Categorical(["control", "treated"])[treated],
            "week": week,
            "id": subject,
        }
    )
    complete: pd.DataFrame = frame.loc[kept]
    return complete.reset_index(drop=True)
