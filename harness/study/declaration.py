"""S0: what the study declared before it looked at the data, and what that leaves open."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise

import numpy as np

from harness.scoring import EndOfTreatment, common_end
from harness.study.data import StudyData
from harness.study.firewall import protocols_with_follow_up, refusal_sentence
from harness.study.plan import StudyPlan
from harness.study.section import Section, Table
from harness.study.shown import scale_title

DENOMINATORS = {
    "observed": "patients with a score at the end of treatment",
    "locf": "all, with the last observed score carried forward",
    "nri": "all, those without a score as non-responders",
}
TESTS = {
    "chi-square": "Pearson's chi-square without correction for continuity",
    "fisher": "Fisher's exact test",
}

Row = tuple[str, str]


def declaration(data: StudyData, plan: StudyPlan) -> Section:
    """Return what was declared, as a table, and in words what follows from it."""
    return Section(
        key="S0",
        title="What was declared",
        paragraphs=tuple(_paragraphs(data, plan)),
        tables=(
            _table("design", "The cohort and its scales", _design(data, plan)),
            _table("outcomes", "Outcomes", _outcomes(plan)),
            _table("models", "Models, tests and what is shown", _models(plan)),
            _table("import", "How the file was read", _import(data, plan)),
        ),
        warnings=tuple(text for text in [common_end(plan.end_of_treatment, force=True)] if text),
    )


def _table(name: str, caption: str, rows: Iterable[Row]) -> Table:
    return Table(name=name, caption=caption, header=("declared", "value"), rows=tuple(rows))


def _design(data: StudyData, plan: StudyPlan) -> Iterator[Row]:
    yield "title", plan.title
    protocols = [f"{name!r} with {_treatments(planned)}" for name, planned in plan.protocols.items()]
    yield "protocols, the reference first", "; ".join(protocols)
    yield "visits before treatments", ", ".join(plan.treatment_visits)
    windows = {visit.name: visit.follow_up for visit in plan.mapping.visits if visit.follow_up is not None}
    follow_up = [
        f"{visit} ({windows[visit][0]:g} +/- {windows[visit][1]:g} days after the last treatment)"
        if visit in windows
        else visit
        for visit in plan.follow_up_visits
    ]
    yield "visits after treatment", ", ".join(follow_up) or "none"
    for score in plan.mapping.all_scores:
        if score.scale is not None:
            yield scale_title(score.name), "; ".join(score.scale.describe().values())
    for step, count in plan.charts.items():
        yield f"charts {step}", str(count)
    yield "SHA-256 of the study file", plan.sha256 or "none: the plan was made in Python"
    for place, digest in enumerate(data.imported.source_sha256, start=1):
        yield f"SHA-256 of data file {place}", digest


def _outcomes(plan: StudyPlan) -> Iterator[Row]:
    yield from plan.improvement.describe().items()
    for scale in plan.scales:
        title = scale_title(scale.name)
        yield f"remission, {title}", scale.remission.describe()["remission"]
        if scale.relapse is not None:
            yield f"relapse, {title}", scale.relapse.describe()["relapse"]
    yield from _ends(plan.end_of_treatment, "end of treatment")
    yield from _ends(plan.alternative_ends, "end of treatment, for sensitivity")
    if plan.follow_up is not None:
        yield "follow-up that counts", plan.follow_up.describe()["follow-up"]
    yield "patients that count", DENOMINATORS[plan.denominator]
    others = [DENOMINATORS[word] for word in plan.sensitivity_denominators if word != plan.denominator]
    yield "for sensitivity", "; ".join(others) or "nothing else"
    if "locf" in {plan.denominator, *plan.sensitivity_denominators}:
        yield "the baseline may be carried forward", "yes" if plan.carry_baseline else "no"
    yield "adjusted for", ", ".join(plan.adjust_for) or "nothing"


def _ends(ends: Mapping[str, EndOfTreatment], what: str) -> Iterator[Row]:
    rules = {name: end.describe()["end of treatment"] for name, end in ends.items()}
    if len(set(rules.values())) == 1 and len(rules) > 1:
        yield what, next(iter(rules.values()))
        return
    for name, rule in rules.items():
        yield f"{what}, {name}", rule


def _models(plan: StudyPlan) -> Iterator[Row]:
    yield "primary test of two rates", TESTS[plan.primary_test]
    yield "level", "two-sided 0.05; intervals of 95 %; Holm's adjustment within the family of rates"
    axes = {"visit": "the number of the visit", "week": "weeks since the first treatment"}
    yield "time axis of models", axes[plan.time_axis]
    yield "visits that models use", ", ".join(plan.model_visits)
    yield "numbers of classes tried", ", ".join(map(str, plan.classes))
    chosen = ", ".join(f"{number} for {scale_title(name)}" for name, number in plan.chosen_classes.items())
    yield "classes chosen", f"{chosen}: {plan.reason_for_classes}" if chosen else "none beforehand"
    yield "order of the curves", str(plan.order)
    yield "starts of each search", str(plan.starts)
    yield "bootstrap samples", str(plan.bootstrap_replicates)
    yield "seed of random numbers", str(plan.seed)
    yield "predictors of class membership", ", ".join(plan.predictors) or "none"
    yield "smallest count above zero that is shown", str(plan.small_cell_limit)
    yield "cross-check with R", "wherever R is installed" if plan.cross_check else "not asked for"


def _import(data: StudyData, plan: StudyPlan) -> Iterator[Row]:
    mapping = plan.mapping
    yield "shape of the file", mapping.shape
    items = [
        f"{scale_title(score.name)}: {_items(bool(score.items), score.total is not None, prorated=score.prorate)}"
        for score in mapping.all_scores
    ]
    yield "scores", "; ".join(items)
    codes = [f"{code:g}" if isinstance(code, float) else code for code in mapping.missing]
    yield "codes of missing values", ", ".join(["blank cells", *codes])
    yield "repairs", ", ".join(mapping.repairs) or "none"
    yield "two rows of one visit", "an error" if mapping.duplicates == "error" else mapping.duplicates
    yield "violations that were accepted", ", ".join(mapping.accept) or "none"
    for found in data.imported.detected:
        yield f"{found.setting}, found out", f"{found.value}: {found.evidence}"


def _items(items: bool, total: bool, *, prorated: bool) -> str:  # noqa: FBT001  # a private pair of marks
    if not items:
        return "totals as given"
    rule = "prorated where the scale allows it" if prorated else "no total where an item is missing"
    return f"sums of items, {rule}" + (", compared with the given totals" if total else "")


def _paragraphs(data: StudyData, plan: StudyPlan) -> Iterator[str]:
    if any(end.rule == "last_preinfusion" for end in plan.end_of_treatment.values()):
        yield (
            "Ratings precede the treatment of the same visit: the last one of a protocol with k treatments tells what "
            "k - 1 of them did."
        )
    yield from _recall(data, plan)
    for scale in plan.scales if plan.follow_up_visits and len(plan.protocols) > 1 else ():
        present = protocols_with_follow_up(data, scale.name)
        if len(present) < len(plan.protocols):
            yield refusal_sentence(present)
            return


def _recall(data: StudyData, plan: StudyPlan) -> Iterator[str]:
    """Yield that windows of recall overlap, where they do."""
    recall = {
        scale_title(score.name): score.scale.recall_days
        for score in plan.mapping.all_scores
        if score.scale is not None and score.scale.recall_days is not None
    }
    gap = median_gap(data, plan)
    if not recall or np.isnan(gap) or max(recall.values()) <= gap:
        return
    back = " and ".join(f"{name} over {days} days" for name, days in recall.items())
    text = f"Scales look back, {back}, while ratings lie a median of {gap:g} days apart: windows of recall overlap."
    if len(set(recall.values())) > 1:
        slowest = max(recall, key=lambda name: recall[name])
        text += f" That {slowest} changes more slowly is in part its longer window."
    yield text


def median_gap(data: StudyData, plan: StudyPlan) -> float:
    """Return the median number of days between ratings that precede treatments; NaN if there are none such."""
    gaps = [
        float(later - earlier)
        for scale in plan.scales
        for course in data.courses[scale.name].values()
        for earlier, later in pairwise(
            day for day, treatment in zip(course.days, course.treatments, strict=True) if treatment is not None
        )
    ]
    return float(np.median(gaps)) if gaps else float("nan")


def _treatments(planned: int) -> str:
    return "1 treatment" if planned == 1 else f"{planned} treatments"
