"""A small cohort of two courses in outcomes of every kind: a score with a floor and a ceiling, counts, a share.

A subject is of the rising course with log-odds 0.3 + 0.8 risk. At visit t = 0 .. 4, in the falling and in the rising
course: the score is normal about 14 - 4 t and 8 + 2.5 t with standard deviation 4, censored at 0 and 21; episodes are 0
with probability 0.35 and 0.15, else Poisson with log mean 1.4 - 0.4 t and 0.9 + 0.15 t; the share is beta with logit
mean 0.6 - 0.5 t and -0.2 + 0.4 t and precision 8 and 12. A tenth of the visits is missing.
"""

from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import expit, ndtri
from scipy.stats import beta, poisson

from harness.cohorts.random_stream import RandomStream

SHIPPED_SEED = 1
_SUBJECTS, _VISITS = 80, 5
_FLOOR, _CEILING = 0, 21


def simulate_two_courses(seed: int = SHIPPED_SEED) -> pd.DataFrame:
    """Return the cohort in long form: subject, visit, risk, score, episodes, share."""
    stream = RandomStream(seed)
    n = _SUBJECTS * _VISITS
    risk = np.round(stream.normal(_SUBJECTS), 2)
    rises = np.repeat(stream.happens(expit(0.3 + 0.8 * risk), _SUBJECTS), _VISITS)
    visit = np.tile(np.arange(_VISITS), _SUBJECTS)
    score = np.where(rises, 8 + 2.5 * visit, 14 - 4.0 * visit) + 4 * ndtri(stream.uniform(n))
    extra = stream.happens(np.where(rises, 0.15, 0.35), n)
    episodes = poisson.ppf(stream.uniform(n), np.exp(np.where(rises, 0.9 + 0.15 * visit, 1.4 - 0.4 * visit)))
    mean, precision = expit(np.where(rises, -0.2 + 0.4 * visit, 0.6 - 0.5 * visit)), np.where(rises, 12.0, 8.0)
    share = beta.ppf(stream.uniform(n), mean * precision, (1 - mean) * precision)
    kept = ~stream.happens(0.1, n)
    table = pd.DataFrame(
        {
            "subject": [f"s{k + 1:02d}" for k in np.repeat(np.arange(_SUBJECTS), _VISITS)],
            "visit": visit,
            "risk": np.repeat(risk, _VISITS),
            "score": [round(value, 1) for value in np.clip(score, _FLOOR, _CEILING).tolist()],
            "episodes": np.where(extra, 0, episodes).astype(np.int64),
            "share": [round(value, 3) for value in np.clip(share, 0.001, 0.999).tolist()],
        }
    )
    return table[kept].reset_index(drop=True)


def two_courses_text() -> str:
    """Return the shipped cohort as the text of its CSV file."""
    return simulate_two_courses().to_csv(index=False, lineterminator="\n")


def write_two_courses(folder: Path) -> None:
    """Write the shipped cohort as it stands among the fixtures."""
    (folder / "two_courses.csv").write_text(two_courses_text(), encoding="utf-8", newline="\n")
