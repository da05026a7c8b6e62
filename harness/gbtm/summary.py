"""The printed account of a trajectory model."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from harness.gbtm import tables
from harness.gbtm.account import GbtmFit
from harness.gbtm.design import GbtmDesign
from harness.gbtm.estimates import GbtmEstimates
from harness.gbtm.spec import GbtmSpec

_SHOWN_SUBJECTS = 5
_SHOWN_OPTIMA = 8


def summary(
    spec: GbtmSpec, design: GbtmDesign, fit: GbtmFit, estimates: GbtmEstimates, warnings: tuple[str, ...]
) -> str:
    """Return what a reader wants to know of one model, as plain text."""
    parts = [
        *_heading(spec, design, estimates),
        "",
        *criteria(estimates),
        "",
        f"Coefficients (in the units of the data; standard errors: {estimates.covariance_kind})",
        coefficient_table(estimates),
        "",
        "Classes (AvePP: average posterior probability; OCC: odds of correct classification)",
        class_table(estimates),
        "",
        *search_account(fit),
    ]
    if warnings:
        parts += ["", "Warnings", *(f"  - {warning}" for warning in warnings)]
    return "\n".join(parts)


def _heading(spec: GbtmSpec, design: GbtmDesign, estimates: GbtmEstimates) -> Iterator[str]:
    kind = "Growth mixture model" if spec.random is not None else "Group-based trajectory model"
    along = "" if spec.time is None else f" on {spec.time}"
    yield f"{kind} of {spec.outcome}{along}: {estimates.n_classes} class(es), {family_name(spec)}"
    yield "; ".join([*model_parts(spec), "maximum likelihood"])
    yield f"{design.n_subjects} subjects, {design.n_observations} observations, {estimates.n_parameters} parameters"
    subjects = design.subjects
    if subjects.dropped_rows:
        yield f"{subjects.dropped_rows} row(s) without an outcome left out"
    if subjects.dropped:
        names = ", ".join(subjects.dropped[:_SHOWN_SUBJECTS])
        more = ", ..." if len(subjects.dropped) > _SHOWN_SUBJECTS else ""
        yield f"{len(subjects.dropped)} subject(s) without any outcome left out: {names}{more}"


_SIGMA = {"shared": "one sigma", "class": "a sigma for each class", "visit": "a sigma for each visit"}
_RANDOM = ("intercept", "intercept and slope", "intercept, slope and square")


def family_name(spec: GbtmSpec) -> str:
    """Return the family of an outcome as a reader says it."""
    if spec.family == "censored_normal" and spec.limits is not None:
        lower, upper = spec.limits
        return f"censored normal between {lower:g} and {upper:g}"
    return {"zip": "zero-inflated Poisson", "poisson": "Poisson"}.get(spec.family, spec.family)


def model_parts(spec: GbtmSpec) -> Iterator[str]:
    """Yield what the model consists of beside its curves."""
    if spec.family in {"gaussian", "censored_normal"}:
        yield _SIGMA[spec.sigma]
    if spec.random is not None:
        scale = ", scaled by class" if spec.random_scale == "class" else ""
        yield f"random {_RANDOM[spec.random]} ({spec.random_covariance} covariance{scale})"
    if spec.errors != "independent":
        yield f"{spec.errors} errors"
    if spec.knots:
        yield f"natural spline with knots at {', '.join(f'{knot:g}' for knot in spec.knots)}"
    for name in ("covariates", "common", "membership", "exposure", "weights"):
        value = getattr(spec, name)
        if value:
            yield f"{name}: {value}"
    if spec.dropout is not None:
        yield f"dropout with {', '.join(map(str, spec.dropout))} lag(s)"


def criteria(estimates: GbtmEstimates) -> Iterator[str]:
    """Yield the log-likelihood and the criteria, one a line."""
    for name, value in (
        ("Log-likelihood", estimates.log_likelihood),
        ("AIC", estimates.aic),
        ("BIC (subjects, as lcmm)", estimates.bic_subjects),
        ("BIC (observations, as flexmix)", estimates.bic_observations),
        ("Entropy", estimates.entropy),
    ):
        yield f"  {name:<32}{value:>16.4f}"


def coefficient_table(estimates: GbtmEstimates) -> str:
    """Return the table of coefficients."""
    table = tables.coefficients(estimates)
    shown = pd.DataFrame(
        {
            "Class": ["all" if g == 0 else str(g) for g in table["latent_class"]],
            "Parameter": [_label(role, name) for role, name in zip(table["role"], table["parameter"], strict=True)],
            "Estimate": [_number(value) for value in table["estimate"]],
            "SE": [_number(value) for value in table["standard_error"]],
            "z": ["" if np.isnan(z) else f"{z:.3f}" for z in table["z"]],
            "p": ["" if np.isnan(p) else "<0.0001" if p < 1e-4 else f"{p:.4f}" for p in table["p"]],
            "2.5 %": [_number(value) for value in table["lower"]],
            "97.5 %": [_number(value) for value in table["upper"]],
        }
    )
    return shown.to_string(index=False)


_PREFIXES = {"log_odds": "log-odds: ", "zero": "zero: ", "dropout": "dropout: "}


def _label(role: str, name: str) -> str:
    """Return a parameter's name with what tells it from one of the same name in another part of the model."""
    return _PREFIXES.get(role, "") + name


def class_table(estimates: GbtmEstimates) -> str:
    """Return the table of classes and their adequacy."""
    table = tables.adequacy_by_class(estimates)
    shown = pd.DataFrame(
        {
            "Class": table["latent_class"],
            "Share %": [f"{100 * value:.2f}" for value in table["share"]],
            "Assigned": table["subjects_assigned"],
            "Assigned %": [f"{100 * value:.2f}" for value in table["share_assigned"]],
            "Mismatch %": [f"{100 * value:.2f}" for value in table["mismatch"]],
            "AvePP": [f"{value:.4f}" for value in table["average_posterior"]],
            "OCC": [_number(value) for value in table["odds_of_correct_classification"]],
        }
    )
    return shown.to_string(index=False)


def search_account(fit: GbtmFit) -> Iterator[str]:
    """Yield what a search found, one line an end."""
    gradient = fit.convergence.gradient
    reached = "not defined" if gradient is None else f"{gradient:.1e} standard errors"
    yield f"Search: {fit.n_starts} starts, {100 * fit.hit_rate:.0f} % ended within 0.001 of this log-likelihood;"
    yield f"  stop: {fit.convergence.stop.value}; gradient {reached}; {len(fit.optima)} distinct end(s)"
    for number, optimum in enumerate(fit.optima[:_SHOWN_OPTIMA], start=1):
        shares = ", ".join(f"{100 * share:.1f}" for share in optimum.class_shares)
        mark = "*" if number == fit.chosen + 1 else " "
        note = "" if optimum.is_proper else " (not a proper optimum)"
        yield f"  {mark}{number:>3}  {optimum.log_likelihood:>16.6f}  x{optimum.count:<4} shares % {shares}{note}"
    if len(fit.optima) > _SHOWN_OPTIMA:
        yield f"     and {len(fit.optima) - _SHOWN_OPTIMA} lower one(s), see optima()"


def _number(value: float) -> str:
    return "" if np.isnan(value) else f"{value:.6g}"
