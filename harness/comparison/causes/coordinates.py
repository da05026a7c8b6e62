"""The cause in the coordinates: one fit, whose parameters one engine reports in another form.

What does not depend on the coordinates must agree: the log-likelihood, and the other estimates, posteriors or fitted
values. What does must differ by a map that is known, or be coefficients that give the same fitted values.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import exp, inf, isclose, isfinite, log, sqrt

from harness.comparison.causes.cause import Cause
from harness.comparison.findings import Findings
from harness.comparison.joint import COVARIANCE, DESIGN, DISTANCE
from harness.comparison.verdict import Attribution, Outcome, Verdict
from harness.comparison.yardstick import IRREGULAR, LOG_LIKELIHOOD, number
from harness.quantities import Kind, Reading

CLOSE = 1e-4
"""Relative; two searches of lme4 find its parameters to 4e-5, and no two maps come this near by chance."""

FITTED_SUM = 1e-6
"""Relative to the sizes of the terms, of the sum of fitted values: to D of a hundredth it moves by less."""

_COEFFICIENT = re.compile(r"(fixed|common|class\[\d+\]\.(?:beta|membership|zero))\[(.*)\]\.estimate")


@dataclass(frozen=True, slots=True, kw_only=True)
class Map:
    """A form in which a number x is also reported, and how much the form moves with x."""

    name: str
    value: Callable[[float], float]
    slope: Callable[[float], float]


MAPS = (
    Map(name="the square (a variance for a standard deviation)", value=lambda x: x * x, slope=lambda x: 2 * x),
    Map(
        name="the root (a standard deviation for a variance)",
        value=lambda x: sqrt(x) if x >= 0 else inf,
        slope=lambda x: 0.5 / sqrt(x) if x > 0 else inf,
    ),
    Map(name="the logarithm", value=lambda x: log(x) if x > 0 else inf, slope=lambda x: 1 / x),
    Map(
        name="the logarithm of the square (log variance)",
        value=lambda x: log(x * x) if x else inf,
        slope=lambda x: 2 / x,
    ),
    Map(name="the exponential", value=lambda x: exp(x) if x < 700 else inf, slope=lambda x: exp(min(x, 700.0))),
    Map(name="the inverse", value=lambda x: 1 / x if x else inf, slope=lambda x: 1 / (x * x) if x else inf),
    Map(name="the opposite sign", value=lambda x: -x, slope=lambda _: 1.0),
    Map(
        name="the log-odds",
        value=lambda x: log(x / (1 - x)) if 0 < x < 1 else inf,
        slope=lambda x: 1 / (x * (1 - x)) if 0 < x < 1 else inf,
    ),
)


def parameterisation(found: Findings) -> Cause | None:
    """Return `parameterisation` if both have one fit, and one engine reports it in other coordinates."""
    told = _mapped(found) or _correlations(found) or _reference_class(found) or _recoded(found)
    if told is None:
        return None
    return Cause(
        attribution=Attribution.PARAMETERISATION,
        sentence=f"Both have the same fit in other coordinates: {told}.",
        next_step=f"Carry the estimates and standard errors of {found.right.engine} to our coordinates in its decoder"
        " (by the delta method), or code the columns alike.",
    )


def is_recoded(found: Findings) -> bool:
    """Return whether the columns differ but what is fitted with them does not."""
    return _recoded(found) is not None


def _one_fit(found: Findings, *, constant: bool = False) -> bool:
    """Return whether the log-likelihoods agree at the optima and wherever else they were compared.

    With `constant` they may differ by one and the same amount: the restricted likelihood depends on the coding.
    """
    gap = found.verdicts.get(LOG_LIKELIHOOD)
    if gap is None:
        return False
    if gap.outcome is Outcome.AGREE and not found.differing_objectives:
        return True
    offsets = found.offsets
    return (
        constant
        and len(offsets) >= 3
        and not found.offsets_vary
        and abs(found.gap - offsets[0]) <= found.scales.gap_limit.limit + found.scales.rounding
    )


def _mapped(found: Findings) -> str | None:
    """Return the map of single numbers, such as sigma and log sigma; None if some disagreement follows from none."""
    estimates = _estimates(found)
    if not estimates or not _one_fit(found) or not _nothing_but(found, {v.quantity for v in estimates}):
        return None
    named: dict[str, list[str]] = {}
    for verdict in estimates:
        left, right = number(verdict.left_value or 0.0), number(verdict.right_value or 0.0)
        form = next((one for one in MAPS if _is_close(one.value(left), right)), None)
        # A sign alone is a mistake in one number, and coordinates only for a coefficient of a recoded column.
        if form is None or form.name == "the opposite sign" or not _errors_follow(found, verdict.quantity, form, left):
            return None
        named.setdefault(form.name, []).append(f"{verdict.quantity} is {left!r} and {right!r}")
    if not _others_agree(found):
        return None
    return "; ".join(f"{form} is what {found.right.engine} gives: {_few(names)}" for form, names in named.items())


def _correlations(found: Findings) -> str | None:
    """Return that the right engine gives correlations of random effects for covariances; None if it does not."""
    values = {v.quantity: (v.left_value, v.right_value) for v in found.verdicts.values()}
    estimates = _estimates(found)
    for verdict in estimates:
        names = re.fullmatch(r"random\.covariance\[(.*)\]", verdict.quantity)
        if names is None:
            return None
        variances = [
            number(values[path][0] or 0.0)
            for name in _pair(names[1], values)
            if (path := f"random.covariance[{name},{name}]") in values
        ]
        if len(variances) != 2 or min(variances) <= 0:
            return None
        # The root of the product may vanish where the roots do not.
        correlation = number(verdict.left_value or 0.0) / sqrt(variances[0]) / sqrt(variances[1])
        if not _is_close(correlation, number(verdict.right_value or 0.0)):
            return None
    if not estimates or not _one_fit(found) or not _nothing_but(found, {v.quantity for v in estimates}):
        return None
    shown = _few([f"{v.quantity} is {v.left_value!r} and {v.right_value!r}" for v in estimates])
    return f"{found.right.engine} gives correlations where covariances are meant: {shown}"


def _pair(names: str, values: Mapping[str, object]) -> tuple[str, ...]:
    """Return the two names of a covariance, whose own names may hold commas."""
    parts = names.split(",")
    for cut in range(1, len(parts)):
        pair = ",".join(parts[:cut]), ",".join(parts[cut:])
        if all(f"random.covariance[{name},{name}]" in values for name in pair):
            return pair
    return ()


def _reference_class(found: Findings) -> str | None:
    """Return which class the right engine's log-odds are against, if that is all that differs; else None."""
    ours, theirs = _memberships(found.left), _memberships(found.right)
    classes = {q.latent_class for q in found.left.quantities if q.latent_class is not None}
    names = {name for _, name in ours}
    only = all(".membership[" in v.quantity or v.quantity in {DISTANCE, COVARIANCE} for v in found.disagreements)
    if not names or not only or not _one_fit(found) or not _posteriors_agree(found):
        return None
    for reference in sorted(classes):
        against = {
            (g, name): ours.get((g, name), 0.0) - ours.get((reference, name), 0.0)
            for g in classes - {reference}
            for name in names
        }
        if against.keys() == theirs.keys() and all(_is_close(against[key], theirs[key]) for key in against):
            (key, value), *_ = theirs.items()
            return (
                f"the log-odds of {found.right.engine} are against class {reference}, such as {value!r} for {key[1]}"
                f" in class {key[0]}, which is our {ours.get(key, 0.0)!r} less that of class {reference}"
            )
    return None


def _recoded(found: Findings) -> str | None:
    """Return how many coefficients differ, if they give the same fitted values of other columns; else None."""
    estimates = _estimates(found)
    one_sided = [v for v in found.disagreements if v.observed is None and _coefficient(v.quantity)]
    families = {match[1] for v in (*estimates, *one_sided) if (match := _COEFFICIENT.fullmatch(v.quantity))}
    if not families or not _one_fit(found, constant=True):
        return None
    allowed = all(_is_of(v, families) for v in found.disagreements)
    if not (allowed and _others_agree(found) and _same_number(found, families) and not _shuffled(found)):
        return None
    if families == {"fixed"}:
        ours, theirs = _fitted_sum(found.left), _fitted_sum(found.right)
        if ours is None or theirs is None or abs(ours[0] - theirs[0]) > FITTED_SUM * max(ours[1], theirs[1]):
            return None
        evidence = f"the sum of fitted values is {ours[0]:.9g} and {theirs[0]:.9g}"
    elif _posteriors_agree(found) and not _at_an_edge(found) and len(estimates) + len(one_sided) > len(families):
        # A single coefficient may differ alone where the data do not determine it, at a bound or on a ridge.
        evidence = "the posterior probabilities agree"
    else:
        return None
    moved = len({v.quantity for v in estimates}) + len({v.quantity for v in one_sided})
    return (
        f"{moved} coefficients of {', '.join(sorted(families))} differ while {evidence} and the log-likelihood is"
        f" {found.left_best:.9g} and {found.right_best:.9g}, as treatment and sum coding, raw and orthogonal powers, or"
        " other units of a column do"
    )


def _at_an_edge(found: Findings) -> bool:
    ends = (reading.convergence for reading in (found.left, found.right))
    return any(end is not None and end.stop in IRREGULAR for end in ends)


def _fitted_sum(reading: Reading) -> tuple[float, float] | None:
    """Return the sum over rows of X beta, and of the sizes of its terms; None where a column has no coefficient."""
    if reading.evidence is None:
        return None
    values = {q.path: number(q.value) for q in reading.quantities}
    terms = [
        total * values.get(f"fixed[{name}].estimate", float("nan"))
        for name, total in reading.evidence.design_sums.items()
    ]
    return (sum(terms), sum(map(abs, terms))) if terms and all(map(isfinite, terms)) else None


def _shuffled(found: Findings) -> bool:
    """Return whether the same columns came under each other's names, which is another input and no coding."""
    sums = [v for v in found.disagreements if v.quantity.startswith(DESIGN)]
    known = [v for v in sums if v.left_value is not None and v.right_value is not None]
    ours, theirs = (sorted(number(getattr(v, side)) for v in known) for side in ("left_value", "right_value"))
    return len(known) > 1 and all(isclose(a, b, rel_tol=1e-9) for a, b in zip(ours, theirs, strict=True))


def _is_of(verdict: Verdict, families: Iterable[str]) -> bool:
    """Return whether a disagreement belongs to coefficients of these families, or follows from them."""
    if verdict.quantity in {DISTANCE, COVARIANCE, LOG_LIKELIHOOD} or verdict.kind is Kind.OBJECTIVE:
        return True
    if verdict.quantity.startswith(DESIGN):
        return True
    return any(verdict.quantity.startswith((f"{family}[", f"{family}.")) for family in families)


def _same_number(found: Findings, families: Iterable[str]) -> bool:
    def count(reading: Reading, family: str) -> int:
        return sum(q.path.startswith(f"{family}[") and q.path.endswith("].estimate") for q in reading.quantities)

    return all(count(found.left, family) == count(found.right, family) for family in families)


def _estimates(found: Findings) -> list[Verdict]:
    """Return the disagreements on single estimates, both of which are numbers."""
    return [
        v
        for v in found.disagreements
        if v.kind is Kind.OPTIMUM and v.quantity not in {DISTANCE, LOG_LIKELIHOOD} and v.observed is not None
    ]


def _nothing_but(found: Findings, paths: set[str]) -> bool:
    """Return whether only these estimates disagree, their standard errors, and what is made of them jointly."""
    errors = {f"{path.removesuffix('.estimate')}.standard_error" for path in paths}
    allowed = paths | errors | {DISTANCE, COVARIANCE}
    return all(v.quantity in allowed for v in found.disagreements)


def _errors_follow(found: Findings, path: str, form: Map, at: float) -> bool:
    """Return whether the standard error, where both give one, is the left one by the delta method or unchanged."""
    verdict = found.verdicts.get(f"{path.removesuffix('.estimate')}.standard_error")
    if verdict is None or verdict.left_value is None or verdict.right_value is None:
        return True
    left, right = number(verdict.left_value), number(verdict.right_value)
    return verdict.outcome is Outcome.AGREE or isclose(abs(form.slope(at)) * left, right, rel_tol=1e-2)


def _others_agree(found: Findings) -> bool:
    """Return whether an estimate, posterior or mode that the coordinates do not touch was compared and agrees."""
    return any(
        v.outcome is Outcome.AGREE and v.kind in {Kind.OPTIMUM, Kind.POSTERIOR}
        for v in found.verdicts.values()
        if v.quantity not in {LOG_LIKELIHOOD, DISTANCE}
    )


def _posteriors_agree(found: Findings) -> bool:
    judged = [v for v in found.verdicts.values() if v.kind is Kind.POSTERIOR and ".posterior[" in v.quantity]
    return any(v.outcome is Outcome.AGREE for v in judged)


def _memberships(reading: Reading) -> dict[tuple[int, str], float]:
    found: dict[tuple[int, str], float] = {}
    for q in reading.quantities:
        match = re.fullmatch(r"class\[(\d+)\]\.membership\[(.*)\]\.estimate", q.path)
        if match is not None:
            found[int(match[1]), match[2]] = number(q.value)
    return found


def _coefficient(path: str) -> bool:
    return _COEFFICIENT.fullmatch(path) is not None


def _is_close(a: float, b: float) -> bool:
    return isfinite(a) and isfinite(b) and abs(a - b) <= CLOSE * max(abs(a), abs(b), 1e-300)


def _few(texts: Sequence[str]) -> str:
    rest = len(texts) - 3
    return "; ".join(texts[:3]) + (f"; and {rest} more" if rest > 0 else "")
