"""Models B and E: do protocols change alike? On the visits that all of them have, and on no others."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from harness.api import fit_lmm
from harness.lmm.result import LmmResult
from harness.rates import holm
from harness.study.cross_check import Asked, CrossChecks
from harness.study.mixed_estimates import METHOD, coefficients, of_term, row_of
from harness.study.model_rows import at_visits
from harness.study.parts import Later, Part
from harness.study.plan import StudyPlan
from harness.study.section import Cell, Estimate, Table
from harness.study.shown import denominator, p_cell, scale_title

INTERACTION = "visit:protocol"
_HEADER = ("protocol", "visit", "mean", "SE", "2.5 %", "97.5 %", "change", "SE of change", "lower", "upper")
_MODELS = (
    "B: difference of changes from baseline. E: difference at the visit, protocols having one mean at baseline and "
    "residuals any covariance between visits (Satterthwaite degrees of freedom)."
)
_LATER = "later_{visit}_{protocol}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fits:
    """Model B, and model E with a common mean at baseline, with R's verdicts."""

    crossed: LmmResult
    crossed_asked: Asked
    constrained: LmmResult
    constrained_asked: Asked


def protocol_model(rows: pd.DataFrame, scale: str, visits: tuple[str, ...]) -> LmmResult:
    """Return the mixed model of visits by protocol with a random intercept, on shared visits only, by REML."""
    frame = at_visits(rows, visits)[["subject", "visit", "protocol", scale]]
    return fit_lmm(f"{scale} ~ visit * protocol + (1 | subject)", frame)


def constrained_model(rows: pd.DataFrame, plan: StudyPlan, scale: str, visits: tuple[str, ...]) -> LmmResult:
    """Return the model whose protocols have one mean at baseline, residuals with any covariance, by REML.

    Protocols differ by indicators of each later visit in each protocol beyond the reference.
    """
    frame = at_visits(rows, visits)[["subject", "visit", "protocol", scale]].copy()
    names = []
    for j, visit in enumerate(visits[1:], start=1):
        for k, protocol in enumerate(list(plan.protocols)[1:], start=1):
            names.append(_LATER.format(visit=j, protocol=k))
            here = (frame["visit"] == visit) & (frame["protocol"] == protocol)
            frame[names[-1]] = here.astype(float)
    return fit_lmm(f"{scale} ~ visit + {' + '.join(names)} + us(visit | subject)", frame)


def protocol_contrasts(
    rows: pd.DataFrame, plan: StudyPlan, scale: str, visits: tuple[str, ...], checks: CrossChecks
) -> Later:
    """Return, later, whether protocols change alike.

    Parameters
    ----------
    rows
        As `model_rows` gives them.
    plan, scale
        The study, and which of its scales.
    visits
        As `shared_visits` gives them.
    checks
        R's verdicts.
    """
    if len(plan.protocols) < 2 or len(visits) < 2:
        reason = "one protocol" if len(plan.protocols) < 2 else "only one visit that all protocols have"
        return lambda: Part(paragraphs=(f"Models B and E compare protocols; there is {reason}.",))
    crossed = protocol_model(rows, scale, visits)
    constrained = constrained_model(rows, plan, scale, visits)
    fits = _Fits(
        crossed=crossed,
        crossed_asked=checks.ask(crossed, "pbkrtest"),
        constrained=constrained,
        constrained_asked=checks.ask(constrained, "nlme"),
    )
    n = denominator(crossed.estimates.n_subjects, rows["subject"].nunique(), plan.small_cell_limit)
    return lambda: _part(plan, scale, visits, fits, n)


def _part(plan: StudyPlan, scale: str, visits: tuple[str, ...], fits: _Fits, n: int | None) -> Part:
    title = scale_title(scale)
    test, words = of_term(
        fits.crossed,
        INTERACTION,
        fits.crossed_asked,
        path=f"{scale}.visit_by_protocol.F",
        label=f"{title}, F of visit by protocol (model B)",
        n=n,
    )
    crossed = _differences(plan, scale, visits, fits, n)
    constrained = _constrained(plan, scale, visits, fits, n)
    later = [visit for visit in plan.model_visits if visit not in visits]
    left_out = f" {', '.join(later)} exist in some protocols only and are not used." if later else ""
    sentence = f"{title}, protocols on {', '.join(visits)}: visit by protocol has {words}.{left_out}"
    return Part(
        paragraphs=(sentence,),
        tables=(_means(plan, scale, visits, fits.crossed), _comparison(scale, crossed, constrained)),
        estimates=(test, *crossed, *constrained),
    )


def _differences(
    plan: StudyPlan, scale: str, visits: tuple[str, ...], fits: _Fits, n: int | None
) -> tuple[Estimate, ...]:
    reference, *others = plan.protocols
    wanted = {
        f"visit[{visit}]:protocol[{protocol}]": (
            f"{scale}.change_difference.{visit}.{protocol}",
            f"{scale_title(scale)}, change to {visit} in {protocol} less that in {reference} (model B)",
        )
        for visit in visits[1:]
        for protocol in others
    }
    return coefficients(fits.crossed.inference(METHOD), fits.crossed_asked, wanted, n)


def _constrained(
    plan: StudyPlan, scale: str, visits: tuple[str, ...], fits: _Fits, n: int | None
) -> tuple[Estimate, ...]:
    reference, *others = plan.protocols
    wanted = {
        _LATER.format(visit=j, protocol=k): (
            f"{scale}.constrained_difference.{visit}.{protocol}",
            f"{scale_title(scale)}, {protocol} less {reference} at {visit}, one mean at baseline (model E)",
        )
        for j, visit in enumerate(visits[1:], start=1)
        for k, protocol in enumerate(others, start=1)
    }
    return coefficients(fits.constrained.inference("satterthwaite"), fits.constrained_asked, wanted, n)


def _means(plan: StudyPlan, scale: str, visits: tuple[str, ...], fit: LmmResult) -> Table:
    means = fit.means("visit", by="protocol", df=METHOD)
    changes = means.contrasts("baseline", reference=visits[0], adjust="none")
    rows: list[tuple[Cell, ...]] = []
    k = j = 0
    for protocol in plan.protocols:
        for visit in visits:
            own = [float(values[k]) for values in (means.estimate, means.standard_error, means.lower, means.upper)]
            k += 1
            if visit == visits[0]:
                rows.append((protocol, visit, *own, None, None, None, None))
                continue
            of = (changes.estimate, changes.standard_error, changes.lower, changes.upper)
            rows.append((protocol, visit, *own, *(float(values[j]) for values in of)))
            j += 1
    return Table(
        name=f"{scale}.by_protocol",
        caption=f"{scale_title(scale)}: means and changes by protocol on shared visits (model B)",
        header=_HEADER,
        rows=tuple(rows),
        digits=(0, 0, 1, 2, 1, 1, 1, 2, 1, 1),
        notes=(f"{scale} ~ visit * protocol + (1 | subject), REML, Kenward-Roger degrees of freedom, single limits.",),
    )


def _comparison(scale: str, crossed: tuple[Estimate, ...], constrained: tuple[Estimate, ...]) -> Table:
    adjusted = holm([np.nan if estimate.p is None else estimate.p for estimate in crossed])
    rows: list[tuple[Cell, ...]] = [
        ("B", *_place(estimate), *row_of(estimate), p_cell(estimate.p or 0.0), p_cell(p))
        for estimate, p in zip(crossed, adjusted, strict=True)
    ]
    rows += [("E", *_place(estimate), *row_of(estimate), p_cell(estimate.p or 0.0), None) for estimate in constrained]
    return Table(
        name=f"{scale}.protocol_differences",
        caption=f"{scale_title(scale)}: how changes differ between protocols",
        header=("model", "visit", "protocol", "difference", "SE", "2.5 %", "97.5 %", "p", "p (Holm)"),
        rows=tuple(rows),
        digits=(0, 0, 0, 2, 2, 2, 2, 3, 3),
        notes=(
            _MODELS,
            "The F test of visit by protocol is the test of the plan; the single differences describe it.",
        ),
    )


def _place(estimate: Estimate) -> tuple[str, str]:
    """Return the visit and protocol of a difference."""
    *_, visit, protocol = estimate.path.split(".")
    return visit, protocol
