"""Model F: does one scale improve less than another? Both on one axis, in standard deviations of their baselines."""

import pandas as pd

from harness.api import fit_lmm
from harness.lmm.result import LmmResult
from harness.scoring import Instrument
from harness.study.cross_check import Asked, CrossChecks
from harness.study.data import StudyData
from harness.study.mixed_estimates import METHOD, coefficients, of_term, row_of
from harness.study.model_rows import baseline_of
from harness.study.parts import Later, Part
from harness.study.plan import StudyPlan
from harness.study.section import Cell, Table
from harness.study.shown import denominator, p_cell, scale_title

INTERACTION = "visit:scale"


def standardised(rows: pd.DataFrame, plan: StudyPlan) -> pd.DataFrame:
    """Return all scales below each other: `z` is the score by the standard deviation of the scale's baseline."""
    frames = []
    for scale in plan.scales:
        frame = rows[["subject", "visit"]].copy()
        frame["scale"] = scale.name
        frame["z"] = rows[scale.name] / baseline_of(rows, scale.name, plan).std(ddof=1)
        frames.append(frame)
    together = pd.concat(frames, ignore_index=True)
    together["scale"] = pd.Categorical(together["scale"], categories=[scale.name for scale in plan.scales])
    return together


def scales_model(rows: pd.DataFrame, plan: StudyPlan) -> LmmResult:
    """Return the mixed model of visits by scale, patients and their scales having random intercepts, by REML."""
    return fit_lmm("z ~ visit * scale + (1 | subject / scale)", standardised(rows, plan))


def scales_together(rows: pd.DataFrame, plan: StudyPlan, data: StudyData, checks: CrossChecks) -> Later:
    """Return, later, whether the scales change alike."""
    if len(plan.scales) < 2:
        return lambda: Part(paragraphs=("Model F compares scales; the study has one.",))
    fit = scales_model(rows, plan)
    asked = checks.ask(fit, "pbkrtest")
    patients = int(rows.loc[rows[[scale.name for scale in plan.scales]].notna().any(axis=1), "subject"].nunique())
    n = denominator(patients, rows["subject"].nunique(), plan.small_cell_limit)
    return lambda: _part(plan, data, fit, asked, n)


def _part(plan: StudyPlan, data: StudyData, fit: LmmResult, asked: Asked, n: int | None) -> Part:
    test, words = of_term(
        fit, INTERACTION, asked, path="scales.visit_by_scale.F", label="F of visit by scale (model F)", n=n
    )
    reference, *others = (scale.name for scale in plan.scales)
    wanted = {
        f"visit[{visit}]:scale[{other}]": (
            f"scales.change_difference.{visit}.{other}",
            f"change to {visit}, {scale_title(other)} less {scale_title(reference)}, in baseline SD (model F)",
        )
        for other in others
        for visit in plan.model_visits[1:]
    }
    differences = coefficients(fit.inference(METHOD), asked, wanted, n)
    rows: list[tuple[Cell, ...]] = [
        (*estimate.path.split(".")[2:], *row_of(estimate), p_cell(estimate.p or 0.0)) for estimate in differences
    ]
    sentence = (
        f"Scales on one axis (points by the standard deviation of the baseline): visit by scale has {words}. A "
        f"positive difference says that the scale improved less than {scale_title(reference)}."
    )
    table = Table(
        name="scales.differences",
        caption=f"Model F: change of each scale less that of {scale_title(reference)}, in baseline standard deviations",
        header=("visit", "scale", "difference", "SE", "2.5 %", "97.5 %", "p"),
        rows=tuple(rows),
        digits=(0, 0, 2, 3, 2, 2, 3),
        notes=("z ~ visit * scale + (1 | subject / scale), REML, Kenward-Roger degrees of freedom.",),
    )
    return Part(paragraphs=(sentence,), tables=(table,), estimates=(test, *differences), warnings=_recall(plan, data))


def _recall(plan: StudyPlan, data: StudyData) -> tuple[str, ...]:
    """Return the caveat of scales that look back over different spans."""
    scores = {score.name: score.scale for score in data.imported.mapping.all_scores}
    days = {scale.name: _recall_days(scores.get(scale.name)) for scale in plan.scales}
    known = {name: span for name, span in days.items() if span is not None}
    if len(set(known.values())) < 2:
        return ()
    told = " and ".join(f"{scale_title(name)} over {span} days" for name, span in known.items())
    sentence = (
        f"Patients are asked about different spans, {told}, which overlap where visits lie closer together: a slower "
        "improvement of the scale with the longer span is in part of that making."
    )
    return (sentence,)


def _recall_days(instrument: Instrument | None) -> int | None:
    return None if instrument is None else instrument.recall_days
