"""Who was not rated: patterns by protocol, Little's test, and what goes before a missing rating."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pandas as pd
from scipy.stats import chi2

from harness.errors import SpecError
from harness.gbtm.result import GbtmResult
from harness.study.cross_check import Asked, CrossChecks
from harness.study.imputation import LittleTest, little_test
from harness.study.model_rows import by_visit, own_visits
from harness.study.parts import Later, Part
from harness.study.plan import StudyPlan
from harness.study.section import Estimate, Table
from harness.study.shown import denominator, p_words, scale_title
from harness.suppression import suppress
from harness.trajectories import fit_gbtm

PATTERNS = (
    "rated at all visits",
    "missed some, rated at the last",
    "left before the last visit",
    "missed some, then left",
    "never rated",
)
LEAST_EVENTS = 20
"""Missing ratings below which no regression is made."""


def missing_patterns(rows: pd.DataFrame, plan: StudyPlan, scale: str, checks: CrossChecks) -> Later:
    """Return, later, how ratings of one scale are missing."""
    scores = {
        protocol: by_visit(rows[rows["protocol"] == protocol], scale, own_visits(plan, protocol))
        for protocol in plan.protocols
    }
    table = _table(plan, scale, [pattern_counts(one.to_numpy()) for one in scores.values()])
    test = combined([little_test(one.to_numpy()) for one in scores.values()])
    title = scale_title(scale)
    sentence = (
        f"{title}: Little's test of ratings missing completely at random, within protocols, has chi-square "
        f"{test.statistic:.1f} on {test.df} degrees of freedom, {p_words(test.p)}."
    )
    asked = _asked(rows, plan, scale, checks)
    n = denominator(
        int(rows.loc[rows[scale].notna(), "subject"].nunique()), rows["subject"].nunique(), plan.small_cell_limit
    )

    def finished() -> Part:
        if isinstance(asked, str):
            return Part(paragraphs=(sentence, f"{title}: {asked}"), tables=(table,))
        return Part(paragraphs=(sentence, _words(title)), tables=(table,), estimates=_estimates(plan, scale, *asked, n))

    return finished


def pattern_counts(scores: np.ndarray) -> tuple[int, ...]:
    """Return how many rows of scores (n, q) have each of `PATTERNS`."""
    seen = ~np.isnan(scores)
    never = ~seen.any(axis=1)
    last = np.where(never, -1, scores.shape[1] - 1 - seen[:, ::-1].argmax(axis=1))
    stayed = last == scores.shape[1] - 1
    # Without a gap all visits up to the last rating are rated.
    gap = seen.sum(axis=1) < last + 1
    kinds = (stayed & ~gap, stayed & gap, ~stayed & ~gap & ~never, ~stayed & gap, never)
    return tuple(int(kind.sum()) for kind in kinds)


def combined(tests: Sequence[LittleTest]) -> LittleTest:
    """Return tests of independent groups as one."""
    statistic, df = sum(test.statistic for test in tests), sum(test.df for test in tests)
    return LittleTest(statistic=statistic, df=df, p=float(chi2.sf(statistic, df)) if df > 0 else float("nan"))


def before_missing(rows: pd.DataFrame, plan: StudyPlan, scale: str) -> pd.DataFrame:
    """Return one row for each rating that has a next planned visit: the score, and `missed`, 1 if none follows."""
    frames = []
    for protocol in plan.protocols:
        visits = own_visits(plan, protocol)
        scores = by_visit(rows[rows["protocol"] == protocol], scale, visits)
        for k, (visit, following) in enumerate(pairwise(visits)):
            seen = scores[scores[visit].notna()]
            frames.append(
                pd.DataFrame(
                    {
                        "subject": seen.index.astype(str),
                        "protocol": protocol,
                        "visit_number": float(k),
                        "score": seen[visit].to_numpy(),
                        "missed": seen[following].isna().to_numpy().astype(float),
                    }
                )
            )
    found = pd.concat(frames, ignore_index=True)
    found["protocol"] = pd.Categorical(found["protocol"], categories=list(plan.protocols))
    return found


def _asked(rows: pd.DataFrame, plan: StudyPlan, scale: str, checks: CrossChecks) -> tuple[GbtmResult, Asked] | str:
    """Return the logistic regression of a missing next rating, or why there is none."""
    frame = before_missing(rows, plan, scale)
    if frame["missed"].sum() < LEAST_EVENTS:
        return "too few ratings are missing for a regression of what goes before them."
    covariates = "score + visit_number" + (" + protocol" if len(plan.protocols) > 1 else "")
    try:
        fit = fit_gbtm(
            frame,
            outcome="missed",
            time=None,
            subject="subject",
            orders=(0,),
            family="logit",
            covariates=covariates,
            n_starts=1,
        )
    except SpecError as error:
        return f"no regression of missing ratings could be made. {error}"
    return fit, checks.ask(fit, "glm")


def _estimates(plan: StudyPlan, scale: str, fit: GbtmResult, asked: Asked, n: int | None) -> tuple[Estimate, ...]:
    words = {"score": "a point of the score", "visit_number": "a visit later"}
    words |= {f"protocol[{name}]": f"protocol {name}" for name in plan.protocols}
    found = []
    for row in fit.coefficients().to_dict("records"):
        name = str(row["parameter"])
        if row["role"] != "beta" or name not in words:
            continue
        path = f"class[1].beta[{name}]"
        found.append(
            Estimate(
                path=f"{scale}.missing_next.{name}",
                label=f"{scale_title(scale)}, log-odds that the next rating is missing: {words[name]}",
                value=float(row["estimate"]),
                standard_error=float(row["standard_error"]),
                lower=float(row["lower"]),
                upper=float(row["upper"]),
                p=float(row["p"]),
                denominator=n,
                check=asked.of(f"{path}.estimate", f"{path}.standard_error"),
            )
        )
    return tuple(found)


def _words(title: str) -> str:
    return (
        f"{title}: a logistic regression of whether the next planned rating is missing, on the last score, the visit "
        "and the protocol; likelihood is right about ratings that are missing because of what was seen before."
    )


def _table(plan: StudyPlan, scale: str, counts: Sequence[Sequence[int]]) -> Table:
    safe = suppress(np.array(counts).T.tolist(), plan.small_cell_limit)
    return Table(
        name=f"{scale}.missing_patterns",
        caption=f"{scale_title(scale)}: patterns of ratings by protocol, each on the visits that it plans",
        header=("pattern", *plan.protocols),
        rows=tuple((words, *texts) for words, texts in zip(PATTERNS, safe.texts(), strict=True)),
        notes=(f"Counts below {plan.small_cell_limit} are withheld, and others with which they could be found.",),
    )
