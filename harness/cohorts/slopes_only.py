"""A small cohort in which subjects start alike and part: on it lme4's default search ends at a false boundary.

A score is 10 - 0.5 visit, plus the subject's own standard normal slope times the visit, plus a standard normal
residual, rounded to three decimals; there is no random intercept. Each subject has two to six visits from 0 on.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from harness.cohorts.random_stream import RandomStream

SHIPPED_SEED = 199
"""Of the seeds 1 to 300 one of 36 on which lme4's default search ends more than 0.05 above the minimum; of these the
only one whose minimum is no singular fit either."""

_SUBJECTS, _VISITS = 80, 6


def simulate_slopes_only(seed: int = SHIPPED_SEED) -> pd.DataFrame:
    """Return the cohort in long form: subject, visit, score."""
    stream = RandomStream(seed)
    slopes = stream.normal(_SUBJECTS)
    visits = stream.integers(2, _VISITS, _SUBJECTS)
    noise = stream.normal(_SUBJECTS * _VISITS).reshape(_SUBJECTS, _VISITS)
    subject = np.repeat(np.arange(_SUBJECTS), visits)
    visit = np.concatenate([np.arange(n) for n in visits])
    score = 10 - 0.5 * visit + slopes[subject] * visit + noise[subject, visit]
    labels = [f"s{k + 1:02d}" for k in subject]
    return pd.DataFrame({"subject": labels, "visit": visit, "score": [round(value, 3) for value in score.tolist()]})


def slopes_only_text() -> str:
    """Return the shipped cohort as the text of its CSV file."""
    return simulate_slopes_only().to_csv(index=False, lineterminator="\n")


def write_slopes_only(folder: Path) -> None:
    """Write the shipped cohort as it stands among the fixtures."""
    (folder / "slopes_only.csv").write_text(slopes_only_text(), encoding="utf-8", newline="\n")
