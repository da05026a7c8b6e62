"""The methods in words, as a paper has them: what was declared, for the steps that were taken and for no others."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from harness.study.declaration import DENOMINATORS, TESTS
from harness.study.plan import StudyPlan
from harness.study.section import Section
from harness.study.shown import scale_title
from harness.study.verdicts import check_counts, engines_of

AXES = {"visit": "the number of the visit", "week": "weeks since the first treatment"}


def methods(plan: StudyPlan, sections: Sequence[Section], versions: Mapping[str, str]) -> tuple[str, ...]:
    """Return paragraphs that can go into a paper.

    Parameters
    ----------
    plan, sections
        Of the study; of a section that found nothing nothing is said.
    versions
        Of the software, by name.
    """
    taken = {section.key for section in sections if section.tables or section.estimates}
    said = [_outcomes(plan)]
    said += [paragraph(plan) for key, paragraph in _STEPS.items() if key in taken]
    return (*said, _software(plan, versions), _comparison(sections))


def _outcomes(plan: StudyPlan) -> str:
    rules = plan.improvement.describe()
    remission = _listed(
        f"{scale.remission.describe()['remission']} on {scale_title(scale.name)}" for scale in plan.scales
    )
    ends = {protocol: end.describe()["end of treatment"] for protocol, end in plan.end_of_treatment.items()}
    same = len(set(ends.values())) == 1
    end = next(iter(ends.values())) if same else "; ".join(f"{protocol}: {rule}" for protocol, rule in ends.items())
    return (
        f"Response meant that {rules['response']}, remission {remission}; it was undefined where {rules['undefined']}. "
        f"Thresholds were compared in whole numbers or fractions. The end of treatment was {end}. Rates are those of "
        f"{DENOMINATORS[plan.denominator]}."
    )


def _rates(plan: StudyPlan) -> str:
    sensitivity = [word for word in plan.sensitivity_denominators if word != plan.denominator]
    others = _listed(DENOMINATORS[word] for word in sensitivity)
    adjusted = f", and standardised over {_listed(plan.adjust_for)} by logistic regression" if plan.adjust_for else ""
    return (
        "Rates have Wilson intervals, their differences Newcombe's score intervals, ratios and odds ratios Wald "
        "intervals of the logarithm; all intervals are of 95 %. Protocols were compared by "
        f"{TESTS[plan.primary_test]}, which was named beforehand, with the other test printed beside it and p values "
        f"adjusted by Holm's method over all scales and outcomes{adjusted}."
        + (f" For sensitivity, rates were also those of {others}." if sensitivity else "")
    )


def _mixed_models(plan: StudyPlan) -> str:
    compared = (
        " Protocols were compared by the interaction of visit and protocol, on the visits that all of them plan only."
        if len(plan.protocols) > 1
        else ""
    )
    return (
        f"Each score was fitted by a linear mixed model of the visit ({_listed(plan.model_visits)}) with a random "
        "intercept, by restricted maximum likelihood with Kenward-Roger degrees of freedom; visits were compared with "
        f"the first one by Dunnett's method.{compared} Other covariances of a patient's visits were compared by the "
        "AIC of maximum likelihood fits."
    )


def _trajectories(plan: StudyPlan) -> str:
    chosen = _listed(f"{number} for {scale_title(name)}" for name, number in plan.chosen_classes.items())
    reason = plan.reason_for_classes.strip().rstrip(".")
    why = f" The number of classes was {chosen}: {reason}." if chosen else ""
    return (
        f"Group-based trajectory models had polynomials of order {plan.order} in {AXES[plan.time_axis]} and "
        f"{_listed(map(str, plan.classes))} classes, each searched from at least {plan.starts} starts.{why} Classes "
        "have numbers and no names."
    )


def _predictors(plan: StudyPlan) -> str:
    return (
        f"Predictors of class membership ({_listed(plan.predictors)}) entered a multinomial logit by the three-step "
        "method, which allows for uncertain membership; the baseline score of the same scale is part of the outcome "
        "and was not among them."
    )


def _classes_together(plan: StudyPlan) -> str:
    first, second = (scale_title(scale.name) for scale in plan.scales[:2])
    return (
        f"The most probable classes of {first} and {second} were crossed, with class probabilities as weights beside "
        "counts, and a joint model with both class variables was fitted."
    )


def _durability(plan: StudyPlan) -> str:
    several = (
        " Protocols were compared at follow-up only where each of them had been followed up."
        if len(plan.protocols) > 1
        else ""
    )
    return f"Follow-up is described among the patients who were rated then.{several}"


def _missing(plan: StudyPlan) -> str:
    del plan
    return (
        "Likelihood methods took ratings to be missing at random. How far this matters was asked by shifting imputed "
        "scores, step by step, towards worse ones."
    )


_STEPS: Mapping[str, Callable[[StudyPlan], str]] = {
    "S4": _rates,
    "S5": _mixed_models,
    "S6": _trajectories,
    "S7": _predictors,
    "S8": _classes_together,
    "S9": _durability,
    "S10": _missing,
}


def _software(plan: StudyPlan, versions: Mapping[str, str]) -> str:
    used = [f"{name} {versions[name]}" for name in ("gbtm-harness", "Python", "numpy", "scipy") if name in versions]
    return f"All was computed by {_listed(used)}, with random numbers from seed {plan.seed}."


def _comparison(sections: Sequence[Section]) -> str:
    """Return what R says of the estimates; what was not compared is not said to agree."""
    estimates = [estimate for section in sections for estimate in section.estimates]
    counts = check_counts(estimates)
    compared = counts["agrees"] + counts["disagrees"]
    if not compared:
        return "No estimate was compared with R."
    engines = _listed(engines_of(estimates))
    return f"Of {len(estimates)} estimates, {compared} were compared with R ({engines}); {counts['agrees']} agreed."


def _listed(words: Iterable[str]) -> str:
    """Return words joined by commas, the last by "and"."""
    found = list(words)
    return " and ".join([", ".join(found[:-1]), found[-1]]) if len(found) > 1 else "".join(found)
