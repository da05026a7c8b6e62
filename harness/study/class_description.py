"""The reported classes in numbers: how large, how sure, their curves, who is in them, and how they end."""

import numpy as np
import pandas as pd

from harness.gbtm.adequacy import CAVEAT
from harness.scoring import end_remission, end_response
from harness.study.data import StudyData
from harness.study.model_rows import OCCASION, own_visits, time_words
from harness.study.parts import Part
from harness.study.plan import ScalePlan, StudyPlan
from harness.study.section import Cell, Estimate, Table
from harness.study.shown import scale_title
from harness.study.trajectories import ScaleTrajectories, sizes_of
from harness.suppression import suppress, suppress_rates

NAMES = (
    "Classes are numbered from the lowest to the highest mean; they have no other names, because a name says more than "
    "a model can."
)
_TIED = (
    "A late course can be seen only where there are late visits, so classes and protocols are tied; see the model of "
    "the shared visits."
)
_ADEQUACY = ("class", "share %", "n assigned", "assigned %", "mismatch %", "APP", "OCC")


def class_description(models: ScaleTrajectories, data: StudyData, plan: StudyPlan) -> Part:
    """Return the classes of the reported model in numbers, each with R's verdict."""
    scale = next(one for one in plan.scales if one.name == models.scale)
    tables = [_adequacy(models), _curves(models, plan)]
    if len(plan.protocols) > 1:
        tables.append(_by_protocol(models, data, plan))
    if models.n_classes > 1:
        tables.append(_ends(models, data, plan, scale))
    return Part(
        paragraphs=(_sentence(models),),
        tables=tuple(tables),
        estimates=(*_shares(models), *_coefficients(models), *_whole(models)),
        warnings=tuple(f"{scale_title(models.scale)}: {text}" for text in _own_warnings(models)),
    )


def _sentence(models: ScaleTrajectories) -> str:
    fit = models.fit
    sizes = ", ".join(f"class {g} {models.share_text(g)}" for g in range(1, models.n_classes + 1))
    return (
        f"{scale_title(models.scale)}, {models.n_classes} classes over {time_words(models.time)}: {sizes}; entropy "
        f"{fit.entropy:.2f}. {NAMES} {CAVEAT}"
    )


def _own_warnings(models: ScaleTrajectories) -> list[str]:
    """Return what must be known of the fit; counts of starts are told elsewhere."""
    return [text for text in models.fit.warnings if " starts " not in text]


def _adequacy(models: ScaleTrajectories) -> Table:
    found = models.fit.adequacy()
    columns = {name: found[name].to_numpy() for name in found.columns}
    texts = models.sizes.texts()
    rows: list[tuple[Cell, ...]] = []
    for k in range(models.n_classes):
        shown, count = models.is_shown(k + 1), models.sizes.counts[k]
        occ = float(columns["odds_of_correct_classification"][k])
        rows.append(
            (
                f"class {k + 1}",
                100 * float(columns["share"][k]) if shown else texts[k],
                texts[k] if count is None else count,
                100 * float(columns["share_assigned"][k]) if shown else None,
                100 * float(columns["mismatch"][k]) if shown else None,
                float(columns["average_posterior"][k]),
                None if np.isnan(occ) else occ,
            )
        )
    return Table(
        name=f"{models.scale}.adequacy",
        caption=f"{scale_title(models.scale)}: classes of the reported model",
        header=_ADEQUACY,
        rows=tuple(rows),
        digits=(0, 1, 0, 1, 1, 3, 1),
        notes=(f"Entropy {models.fit.entropy:.3f}, {models.n_patients} patients.", CAVEAT),
    )


def _curves(models: ScaleTrajectories, plan: StudyPlan) -> Table:
    """Return the fitted mean of each class at each visit."""
    scored = models.rows[models.rows[models.scale].notna()]
    times = np.array([float(scored.loc[scored["visit"] == visit, models.time].mean()) for visit in plan.model_visits])
    found = models.fit.class_curves(times)
    values = {name: found[name].to_numpy() for name in ("latent_class", "fitted", "lower", "upper")}
    visits = [*plan.model_visits] * models.n_classes
    return Table(
        name=f"{models.scale}.class_means",
        caption=f"{scale_title(models.scale)}: fitted mean of each class at each visit, with 95 % limits",
        header=("class", "visit", "mean", "2.5 %", "97.5 %"),
        rows=tuple(
            (f"class {int(g)}", visit, float(fitted), float(lower), float(upper))
            for visit, g, fitted, lower, upper in zip(visits, *values.values(), strict=True)
        ),
        digits=(0, 0, 1, 1, 1),
        notes=() if models.time == OCCASION else ("At the mean week of each visit.",),
    )


def _by_protocol(models: ScaleTrajectories, data: StudyData, plan: StudyPlan) -> Table:
    protocol_of = np.array([data.protocol_of[subject] for subject in models.subjects])
    counts = [
        sizes_of(models.fit.assignment[protocol_of == protocol], models.n_classes).tolist()
        for protocol in plan.protocols
    ]
    table = suppress(np.array(counts).T.tolist(), plan.small_cell_limit)
    rows = tuple((f"class {g}", *texts) for g, texts in enumerate(table.texts(), start=1))
    return Table(
        name=f"{models.scale}.classes_by_protocol",
        caption=f"{scale_title(models.scale)}: patients by most probable class and protocol",
        header=("class", *plan.protocols),
        rows=rows,
        notes=(_TIED,) if len({own_visits(plan, protocol) for protocol in plan.protocols}) > 1 else (),
    )


def _ends(models: ScaleTrajectories, data: StudyData, plan: StudyPlan, scale: ScalePlan) -> Table:
    """Return response and remission of each class at the end of treatment, as the plan declares them."""
    answers = _answers(models, data, plan, scale)
    shown: list[list[str]] = [[f"class {g}"] for g in range(1, models.n_classes + 1)]
    for outcome in ("response", "remission"):
        known = answers[answers[outcome].notna()]
        by_class = known.groupby("latent_class")[outcome]
        totals = by_class.size().reindex(range(1, models.n_classes + 1), fill_value=0).tolist()
        events = by_class.sum().reindex(range(1, models.n_classes + 1), fill_value=0).astype(int).tolist()
        safe = suppress_rates(events, totals, plan.small_cell_limit)
        # Sums over classes are printed with the rates (S4). Where they should be withheld, counts have to be instead.
        exposed = None in safe.columns
        for cells, texts, n in zip(shown, safe.texts(), safe.rows, strict=True):
            count = "\N{EN DASH}" if exposed and texts[0].isdigit() and int(texts[0]) else texts[0]
            share = f" ({100 * int(count) / n:.0f} %)" if count.isdigit() and n else ""
            cells += [f"{count}{share}", "\N{EN DASH}" if n is None else str(n)]
    return Table(
        name=f"{models.scale}.classes_at_end",
        caption=f"{scale_title(models.scale)}: response and remission at the end of treatment by most probable class",
        header=("class", "response", "rated for response", "remission", "rated for remission"),
        rows=tuple(tuple(cells) for cells in shown),
        notes=(f"Denominator: {plan.denominator}. A description, no test: the same ratings make the classes.",),
    )


def _answers(models: ScaleTrajectories, data: StudyData, plan: StudyPlan, scale: ScalePlan) -> pd.DataFrame:
    rows = []
    for subject, latent_class in zip(models.subjects, models.fit.assignment.tolist(), strict=True):
        course, end = data.courses[scale.name][subject], plan.end_of_treatment[data.protocol_of[subject]]
        response = end_response(course, plan.improvement, end, plan.denominator, carry_baseline=plan.carry_baseline)
        remitted = end_remission(course, scale.remission, end, plan.denominator, carry_baseline=plan.carry_baseline)
        rows.append((latent_class, response, remitted))
    return pd.DataFrame(rows, columns=["latent_class", "response", "remission"])


def _shares(models: ScaleTrajectories) -> tuple[Estimate, ...]:
    return tuple(
        estimate
        for g in range(1, models.n_classes + 1)
        if models.is_shown(g) and models.n_classes > 1
        for estimate in _of_role(models, g, "share")
    )


def _coefficients(models: ScaleTrajectories) -> tuple[Estimate, ...]:
    return tuple(estimate for g in range(1, models.n_classes + 1) for estimate in _of_role(models, g, "beta"))


def _of_role(models: ScaleTrajectories, g: int, role: str) -> tuple[Estimate, ...]:
    table = models.fit.coefficients()
    chosen = table[(table["latent_class"] == g) & (table["role"] == role)]
    names = ("parameter", "estimate", "standard_error", "lower", "upper")
    title = scale_title(models.scale)
    found = []
    for name, value, error, lower, upper in zip(*(chosen[column].tolist() for column in names), strict=True):
        path = f"class[{g}].share.estimate" if role == "share" else f"class[{g}].beta[{name}].estimate"
        label = "estimated share" if role == "share" else f"coefficient of {name}"
        found.append(
            Estimate(
                path=f"{models.scale}.class_{g}.{name.replace('^', '_power_')}",
                label=f"{title}, class {g}: {label}",
                value=value,
                standard_error=_known(error),
                lower=_known(lower),
                upper=_known(upper),
                denominator=models.n_patients,
                check=models.asked.of(path),
            )
        )
    return tuple(found)


def _whole(models: ScaleTrajectories) -> tuple[Estimate, ...]:
    """Return the log-likelihood, sigma and entropy of the reported model."""
    title, K = scale_title(models.scale), models.n_classes
    named = (
        ("log_likelihood", "log-likelihood", models.fit.log_likelihood, "log_likelihood"),
        ("sigma", "residual standard deviation", float(models.fit.sigma[0]), "sigma.estimate"),
        ("entropy", "entropy", models.fit.entropy, "entropy"),
    )
    return tuple(
        Estimate(
            path=f"{models.scale}.classes.{name}",
            label=f"{title}, {K} classes: {label}",
            value=value,
            denominator=models.n_patients,
            check=models.asked.of(path),
        )
        for name, label, value, path in named
    )


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
