"""Signs that classes are not what they seem: what a skewed outcome, a floor or correlated residuals would leave.

Classes of a mixture approximate whatever distribution there is; a homogeneous population with a skewed outcome, or one
continuous distribution of courses, looks like several classes (Bauer & Curran 2003). What is left within classes is
compared with outcomes drawn from the fitted model, because its own expectation is not zero: the same residuals have
decided who belongs where. Parameters are not estimated again for the draws, so limits are a little wide.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from harness.arrays import Vector
from harness.errors import Problem, SpecError
from harness.gbtm.account import GbtmFit
from harness.gbtm.adequacy import assignment
from harness.gbtm.design import GbtmDesign
from harness.gbtm.mixture import e_step
from harness.gbtm.response_building import GAUSSIAN
from harness.gbtm.result import GbtmResult
from harness.gbtm.selection.adjacent import same_data, whole_problems
from harness.gbtm.selection.models import class_name
from harness.gbtm.selection.processes import stream_of
from harness.gbtm.selection.residuals import class_means, residual_moments
from harness.gbtm.simulation import simulate
from harness.summaries import Summary, aligned, ruled

LEVEL = 0.99
"""Of the limits: a table has some twenty checks, and should seldom give a false alarm."""

_FEW_PERSONS = 10
_SKEWED = 1.0

_MEANING = {
    "skewness": "residuals within classes are skewed otherwise than the family is; classes may stand for that",
    "excess kurtosis": "tails within classes are not those of the family; classes may stand for that",
    "lag-1 correlation": "visits next to each other are alike beyond their class; try errors='ar1' or random effects",
    "intraclass correlation": "visits of a subject are alike beyond its class; try fewer classes with random effects",
    "share at the floor": "the lowest value is not as frequent as the family has it; try one with limits, or zeros",
    "share at the ceiling": "the highest value is not as frequent as the family has it; try one with limits",
}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SpuriousChecks:
    """Checks of one model, `rows` as `table()` has them, and how many outcomes were drawn for comparison."""

    rows: pd.DataFrame
    draws: int

    def table(self) -> pd.DataFrame:
        """Return one row a check and class.

        Returns
        -------
        DataFrame
            `check`, `latent_class` (0: all together), `value`; `expected`, `lower`, `upper`: mean and 99 % limits of
            outcomes drawn from the model, NaN where nothing is drawn; `stands_out`; `verdict`, a sentence.
        """
        return self.rows.copy()

    def summary(self) -> Summary:
        """Return the checks of all classes together, and those of single ones that stand out, as text."""
        together = self.rows[(self.rows["latent_class"] == 0) | self.rows["stands_out"]]
        lines = [["Check", "Class", "Value", "Expected", "0.5 %", "99.5 %", ""]]
        for _, row in together.iterrows():
            of = "all" if row["latent_class"] == 0 else str(row["latent_class"])
            numbers = [row[name] for name in ("value", "expected", "lower", "upper")]
            mark = "<" if row["stands_out"] else ""
            lines.append([row["check"], of, *("" if np.isnan(number) else f"{number:.4g}" for number in numbers), mark])
        heading = [f"Signs of spurious classes; limits from {self.draws} outcomes drawn from the model"]
        ending = "These checks can speak against classes; none of them can show that classes are real."
        verdicts = self.rows["verdict"][self.rows["latent_class"] == 0]
        return ruled([heading, aligned(lines, left=2), [*verdicts, ending]])


def spurious_checks(result: GbtmResult, rival: GbtmResult | None, *, draws: int, seed: int) -> SpuriousChecks:
    """Return the checks of a fitted model.

    Parameters
    ----------
    result
        Of `fit_gbtm`.
    rival
        A model of the same data with fewer classes and random effects, if there is one.
    draws, seed
        Outcomes drawn from the model for comparison, and the seed from which they follow.

    Raises
    ------
    SpecError
        If outcomes can't be drawn from the model, or the rival is of other data.
    """
    problems = list(whole_problems({"draws": draws, "seed": seed}))
    if rival is not None and not same_data(result.design, rival.design):
        problems.append(Problem(found="a rival of other rows or outcomes", expected="two models of the same data"))
    if problems:
        raise SpecError("spurious_checks", problems)
    fit, design = result.fit, result.design
    limits = _floor_and_ceiling(design)
    observed = _statistics(fit.vector, fit, design, limits)
    drawn = [_of_draw(fit, design, limits, stream_of(seed, number)) for number in range(draws)]
    rows = []
    for name, values in observed.items():
        reference = np.array([one[name] for one in drawn])
        classes = [0] if len(values) <= 2 else [0, *range(1, len(values))]  # one class is all together
        rows += [_row(name, g, float(values[g - 1]), reference[:, g - 1]) for g in classes]
    if design.spec.family in GAUSSIAN:
        rows.append(_about_one_curve(design))
    if design.n_classes > 1:
        rows += [_smallest_class(result), _against(result, rival)]
    return SpuriousChecks(rows=pd.DataFrame(rows), draws=draws)


def _floor_and_ceiling(design: GbtmDesign) -> tuple[float, float]:
    """Return the limits of the outcome if it has some, else its extremes."""
    outcome = design.outcomes[0]
    y = outcome.rows.y
    lower, upper = outcome.spec.limits or (-np.inf, np.inf)
    return (lower if np.isfinite(lower) else float(y.min()), upper if np.isfinite(upper) else float(y.max()))


def _statistics(vector: Vector, fit: GbtmFit, design: GbtmDesign, limits: tuple[float, float]) -> dict[str, Vector]:
    """Return each statistic for classes 1..K and then for all, (K + 1,); the shares for all alone, (1,)."""
    mixture = design.mixture_of(fit.class_kinds)
    outcome = design.outcomes[0]
    y, panel = outcome.rows.y, outcome.rows.panel
    posterior = e_step(vector[None], mixture)[0][0] * mixture.weights
    found = residual_moments(y - class_means(vector, mixture, design), posterior, panel)
    statistics = {
        "skewness": found.skewness,
        "excess kurtosis": found.excess_kurtosis,
        "lag-1 correlation": found.lag_one,
        "intraclass correlation": found.within_subject,
    }
    if outcome.spec.family != "logit":
        weights = mixture.weights[panel.subject]
        for name, here in (("share at the floor", y <= limits[0]), ("share at the ceiling", y >= limits[1])):
            statistics[name] = np.array([np.average(here, weights=weights)])
    return statistics


def _of_draw(
    fit: GbtmFit, design: GbtmDesign, limits: tuple[float, float], stream: np.random.Generator
) -> dict[str, Vector]:
    drawn = design.with_outcomes(simulate(fit, design, stream))
    vector = drawn.mixture_of(fit.class_kinds).from_user(np.array(fit.point))
    return _statistics(vector, fit, drawn, limits)


def _row(name: str, latent_class: int, value: float, reference: Vector) -> dict[str, object]:
    known = reference[np.isfinite(reference)]
    lower, upper = np.quantile(known, [(1 - LEVEL) / 2, (1 + LEVEL) / 2]) if len(known) else (np.nan, np.nan)
    stands_out = bool(value < lower or value > upper)
    of = "" if latent_class == 0 else f" in class {latent_class}"
    verdict = f"{name}{of}: as the model gives it."
    if stands_out:
        verdict = f"{name}{of} is {value:.3g}, where the model gives {lower:.3g} to {upper:.3g}: {_MEANING[name]}."
    return {
        "check": name,
        "latent_class": latent_class,
        "value": value,
        "expected": float(known.mean()) if len(known) else np.nan,
        "lower": float(lower),
        "upper": float(upper),
        "stands_out": stands_out,
        "verdict": verdict[0].upper() + verdict[1:],
    }


def _plain(check: str, value: float, verdict: str, *, stands_out: bool) -> dict[str, object]:
    nothing = dict.fromkeys(("expected", "lower", "upper"), np.nan)
    return {
        "check": check,
        "latent_class": 0,
        "value": value,
        **nothing,
        "stands_out": stands_out,
        "verdict": verdict,
    }


def _about_one_curve(design: GbtmDesign) -> dict[str, object]:
    y = design.outcomes[0].response.y
    z = (y - y.mean()) / y.std()
    skewness = float(np.mean(z**3))
    skewed = abs(skewness) > _SKEWED
    verdict = f"About a single curve the outcome has a skewness of {skewness:.2f}: " + (
        "classes can arise from that alone." if skewed else "not so skewed that classes arise from that alone."
    )
    return _plain("skewness about one curve", skewness, verdict, stands_out=skewed)


def _smallest_class(result: GbtmResult) -> dict[str, object]:
    persons = int(np.bincount(assignment(result.posterior), minlength=result.design.n_classes).min())
    few = persons < _FEW_PERSONS
    verdict = f"The smallest class has {persons} person(s): " + (
        "a few unusual courses may be all there is to it." if few else "more than a few unusual courses."
    )
    return _plain("persons in the smallest class", persons, verdict, stands_out=few)


def _against(result: GbtmResult, rival: GbtmResult | None) -> dict[str, object]:
    check = "BIC of a mixed model less this one's"
    if rival is None:
        K = result.design.n_classes - 1
        verdict = (
            f"Not compared with {class_name(K)} and a random intercept: fit it with random=0, or see the rivals of "
            "select_classes."
        )
        return _plain(check, float("nan"), verdict, stands_out=False)
    difference = rival.bic - result.bic
    name = f"{class_name(rival.design.n_classes)} with random effects"
    verdict = (
        f"{name}: BIC (subjects) {-difference:.1f} below this one's. The data do not need so many classes."
        if difference < 0
        else f"{name}: BIC (subjects) {difference:.1f} above this one's."
    )
    return _plain(check, difference, verdict, stands_out=difference < 0)
