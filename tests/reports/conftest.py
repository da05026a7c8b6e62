"""Runs built by hand, one for each thing that a report must get right."""

import math
from dataclasses import replace

import numpy as np
import pytest

from harness.comparison.run import Run, Skipped
from harness.comparison.verdict import Attribution, Comparison, CrossEvidence, ObjectivePair, Outcome, Restart, Verdict
from harness.convergence import Convergence, Stop
from harness.quantities import Failure, InputEvidence, Kind, ObjectiveValue, OptimumCovariance, Quantity, Reading

SCRIPT = "<script>alert(1)</script>"
HOSTILE = f"{SCRIPT}|`rm`\n**x** \"quoted\" 'single' \x1b[2J \u202e & [red]"
LONG = "n" * 100_000
FORMULA = '=HYPERLINK("http://example.invalid","x")'

SLEEP = "sleepstudy__random_slope_reml"
BEAT = "beat_the_blues__random_intercept_ml"
KETAMINE = "ketamine_sharp__quadratic_3_classes"
VERSIONS = {
    "harness": {"gbtm-harness": "0.1.0", "numpy": "2.4.1", "scipy": "1.17.0"},
    "lme4": {"lme4": "1.1-31", "R": "4.2.2", "Matrix": "1.5-3"},
    "nlme": {"nlme": "3.1-162", "R": "4.2.2"},
    "flexmix": {"flexmix": "2.3-18", "R": "4.2.2"},
    "lcmm": {"lcmm": "2.2.2", "R": "4.4.1", "recorded": "2025-11-02"},
}
LMM = {
    "fixed[intercept].estimate": (251.40510484848, 6.8245563),
    "fixed[days].estimate": (10.46728595959, 1.5457895),
    "random.covariance[intercept,intercept]": (612.1001585, 289.0),
    "random.covariance[days,intercept]": (9.6044064, 46.7),
    "random.covariance[days,days]": (35.0717144, 14.8),
    "sigma.estimate": (25.5917957, 1.5),
}
GBTM = {
    "class[1].share.estimate": (0.21, 0.031),
    "class[2].share.estimate": (0.33, 0.035),
    "class[3].share.estimate": (0.46, 0.036),
    "class[1].beta[intercept].estimate": (31.2, 0.62),
    "class[1].beta[week].estimate": (-4.31, 0.31),
    "class[1].beta[week^2].estimate": (0.292, 0.041),
    "class[2].beta[intercept].estimate": (33.9, 0.55),
    "class[2].beta[week].estimate": (-2.02, 0.27),
    "class[2].beta[week^2].estimate": (0.101, 0.036),
    "class[3].beta[intercept].estimate": (34.6, 0.48),
    "class[3].beta[week].estimate": (-0.31, 0.22),
    "class[3].beta[week^2].estimate": (0.012, 0.029),
    "sigma.estimate": (5.13, 0.11),
}
LIMIT_BASIS = "0.01 standard errors: a tenth of what a reader could see in two printed digits"


def reading(engine, numbers, source="live", **changes):
    """Return what an engine says: the numbers, their standard errors, and how its search ended."""
    quantities = tuple(
        Quantity(path=path, kind=Kind.OPTIMUM, value=value, standard_error=None if source == "pinned" else error)
        for path, (value, error) in numbers.items()
    )
    covariance = OptimumCovariance(
        paths=tuple(numbers), matrix=np.diag([error**2 for _, error in numbers.values()] or [1.0])
    )
    given = Reading(
        engine=engine,
        source=source,
        versions=VERSIONS[engine],
        evidence=InputEvidence(
            n_observations=180, n_subjects=18, outcome_sum=53731.42, design_sums={"intercept": 180.0, "days": 810.0}
        ),
        quantities=quantities,
        covariance=covariance,
        objective=(ObjectiveValue(label="optimum", point=(0.9667, 0.0152, 0.2309), log_likelihood=-871.8141359),),
        convergence=Convergence(stop=Stop.OPTIMUM, message="gradient is zero", iterations=12, gradient=3.1e-10),
        seconds=0.021,
    )
    return replace(given, **changes)


def close(path, value, error, shift=2e-5):
    """Return an agreeing verdict that is `shift` standard errors off."""
    return Verdict(
        quantity=path,
        kind=Kind.OPTIMUM,
        left_value=value,
        right_value=value + shift * error,
        metric="standard errors",
        observed=abs(shift),
        limit=0.01,
        basis=LIMIT_BASIS,
        digits=5.6,
        outcome=Outcome.AGREE if abs(shift) <= 0.01 else Outcome.DISAGREE,
    )


def counts(n=180):
    return Verdict(
        quantity="n_observations",
        kind=Kind.EXACT,
        left_value=n,
        right_value=n,
        metric="equality",
        observed=0.0,
        limit=0.0,
        basis="counts are equal or not",
        digits=None,
        outcome=Outcome.AGREE,
    )


def not_given(path, reason):
    return Verdict(
        quantity=path,
        kind=Kind.CURVATURE,
        left_value=1.25,
        right_value=None,
        metric="",
        observed=None,
        limit=None,
        basis="",
        digits=None,
        outcome=Outcome.NOT_COMPARED,
        reason=reason,
    )


def objectives(left, right):
    labels = ("probe 1", "probe 2", "probe 3", "our optimum", "optimum")
    return tuple(
        ObjectivePair(label=label, point=(1.0, k / 3), left=a, right=b)
        for k, (label, a, b) in enumerate(zip(labels, left, right, strict=True))
    )


def agreeing(case=SLEEP, engine="lme4", source="live", numbers=None, **changes):
    """Return a comparison in which all agrees."""
    numbers = LMM if numbers is None else numbers
    values = (-882.3120456, -903.5501234, -1021.4490012, -871.8141359, -871.8141360)
    given = Comparison(
        case=case,
        left=reading("harness", numbers, "computed"),
        right=reading(engine, numbers, source),
        evidence=CrossEvidence(objectives=objectives(values, values), gradient_at_right=4.2e-5),
        verdicts=(
            counts(),
            *(
                close(path, *number, shift=(-1) ** k * 2e-5 * 3**k / (1 + 2**k))
                for k, (path, number) in enumerate(numbers.items())
            ),
        ),
        outcome=Outcome.AGREE,
        distance=6.4e-5,
    )
    return replace(given, **changes)


def local_optimum():
    """Return a comparison that lcmm loses: it stopped in a local optimum, its classes in another order."""
    shifts = (3.1, -2.2, -1.3, 0.4, 4.4, -3.9, 0.004, -2.0, 1.8, 0.3, -0.006, 0.0, 5.2)
    verdicts = tuple(
        close(path, *number, shift=shift) for (path, number), shift in zip(GBTM.items(), shifts, strict=True)
    )
    left = (-4310.2210001, -4402.1820002, -4512.9930003, -3934.1201144, -3941.8820099)
    return agreeing(
        KETAMINE,
        "lcmm",
        "pinned",
        GBTM,
        verdicts=(counts(1254), *verdicts, not_given("entropy", "lcmm prints no entropy")),
        outcome=Outcome.DISAGREE,
        attribution=Attribution.LOCAL_OPTIMUM,
        sentence="lcmm stopped at a lower optimum: 7.76 log-likelihood units below ours.",
        next_step="Record lcmm again with more starts, or begin it at our estimates.",
        evidence=CrossEvidence(
            objectives=objectives(left, left),
            gradient_at_right=0.00031,
            restart=Restart(engine="lcmm", log_likelihood=-3934.1201145),
        ),
        distance=9.7,
        permutation={1: 3, 2: 1, 3: 2},
        right=reading(
            "lcmm",
            GBTM,
            "pinned",
            warnings=("The program reached the maximum number of iterations",),
            conventions=("lcmm counts 2 pi as 6.28; its log-likelihood is moved by 1.39136e-8 a row.",),
        ),
    )


def failing():
    """Return a comparison whose engine crashed."""
    failure = Failure(
        reason="crashed", sentence="R ended with signal 9 during the fit.", evidence="fitting ...\nKilled"
    )
    return agreeing(
        engine="nlme",
        right=Reading(engine="nlme", source="live", versions=VERSIONS["nlme"], failure=failure),
        evidence=CrossEvidence(),
        verdicts=(),
        outcome=Outcome.DISAGREE,
        attribution=Attribution.ENGINE,
        sentence="nlme gave no answer (crashed): R ended with signal 9 during the fit.",
        next_step="Run the case alone and read what R printed.",
        distance=None,
    )


def singular():
    """Return an agreement at a boundary, with a quantity that is not a number on one side."""
    ended = Convergence(stop=Stop.SINGULAR, message="a random-effect variance is zero", iterations=9)
    nan = replace(
        close("random.covariance[days,days]", 0.0, 1.0),
        right_value=math.nan,
        observed=math.nan,
        outcome=Outcome.NOT_COMPARED,
        reason="a standard error at the boundary has no meaning",
    )
    return agreeing(
        left=reading("harness", LMM, "computed", convergence=ended),
        right=reading("lme4", LMM, convergence=ended, warnings=("boundary (singular) fit: see help('isSingular')",)),
        verdicts=(counts(), close("sigma.estimate", 25.59, 1.5), nan),
        sentence="Both fits are singular; judged by log-likelihood and predictions.",
    )


def hostile():
    """Return a disagreement in which every text is an attack on the reader's terminal, page or spreadsheet."""
    bad = replace(close(f"fixed[{HOSTILE}].estimate", 1.0, 1.0, shift=3.0), basis=HOSTILE, metric=HOSTILE)
    long = replace(bad, quantity=f"fixed[{LONG}].estimate")
    text = replace(
        counts(), quantity=FORMULA, left_value=HOSTILE, right_value=LONG, outcome=Outcome.DISAGREE, reason=HOSTILE
    )
    gone = not_given(HOSTILE, HOSTILE)
    right = reading(
        "lme4",
        LMM,
        versions={"lme4": HOSTILE, HOSTILE: LONG},
        warnings=(HOSTILE, LONG),
        conventions=(HOSTILE,),
        convergence=Convergence(stop=Stop.REPORTED_FAILURE, message=HOSTILE),
    )
    return agreeing(
        FORMULA,
        right=right,
        verdicts=(bad, long, text, gone),
        evidence=CrossEvidence(
            objectives=(ObjectivePair(label=HOSTILE, point=(1.0,), left=math.nan, right=-math.inf),),
            restart=Restart(engine=HOSTILE, log_likelihood=math.nan),
        ),
        outcome=Outcome.DISAGREE,
        attribution=Attribution.UNEXPLAINED,
        sentence=HOSTILE,
        next_step=LONG,
        permutation={1: 2, 2: 1},
    )


def many_verdicts(n=500):
    verdicts = tuple(close(f"class[1].posterior[{k}]", 0.5, 0.1, shift=1.0 if k == n // 2 else 1e-4) for k in range(n))
    return agreeing(verdicts=verdicts, outcome=Outcome.DISAGREE, attribution=Attribution.UNEXPLAINED, sentence="Why?")


def run(*comparisons, skipped=(), **changes):
    given = Run(
        command="harness compare",
        started="2025-11-22T13:40:00+00:00",
        seconds=41.3,
        environment={"python": "3.11.2", "R": "4.2.2", "BLAS": "OpenBLAS 0.3.21", "lcmm": "not installed"},
        comparisons=comparisons,
        skipped=skipped,
    )
    return replace(given, **changes)


def known():
    moved = replace(
        close("fixed[days].estimate", *LMM["fixed[days].estimate"], shift=0.4),
        outcome=Outcome.KNOWN,
        reason="nlme stops early; owner: methods; expires 2026-06-30",
    )
    return agreeing(
        BEAT, "nlme", verdicts=(counts(), moved), outcome=Outcome.KNOWN, attribution=Attribution.OPTIMISER_NOISE
    )


@pytest.fixture(scope="session")
def sample_runs():
    """Return the sample runs by name."""
    no_reml = Skipped(case=SLEEP, reference="flexmix", reason="flexmix fits no random effects")
    pinned = agreeing(KETAMINE, "lcmm", "pinned", GBTM, permutation={1: 3, 2: 1, 3: 2})
    flexmix = agreeing(KETAMINE, "flexmix", numbers=GBTM, permutation={1: 1, 2: 2, 3: 3})
    return {
        "all agree, live": run(agreeing(), agreeing(engine="nlme"), flexmix),
        "pinned only": run(pinned),
        "mixed": run(agreeing(), pinned, flexmix, known()),
        "disagreement": run(agreeing(), flexmix, local_optimum(), known(), failing(), skipped=(no_reml,)),
        "engine failure": run(agreeing(), failing()),
        "nothing compared": run(failing(), skipped=(no_reml,)),
        "empty": run(),
        "hostile": run(hostile(), skipped=(Skipped(case=LONG, reference=HOSTILE, reason=HOSTILE),), notes=(HOSTILE,)),
        "singular": run(singular()),
        "many verdicts": run(many_verdicts()),
        "hidden disagreement": run(replace(many_verdicts(), outcome=Outcome.AGREE, attribution=None)),
    }
