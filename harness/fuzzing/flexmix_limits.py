"""What flexmix can't do, each seen on the case itself: cut links, dependent columns, regressions without weight.

And two ends at which nothing of that is the matter: where sigma vanishes, and where classes are one.
"""

import math
import re
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from scipy.linalg import qr

from harness.arrays import Matrix, Vector
from harness.cases import Engine
from harness.comparison.tolerances import DEFAULT, Measure
from harness.comparison.verdict import Comparison, ObjectivePair, Outcome
from harness.convergence import Stop
from harness.crosscheck import judged
from harness.engines import OurGbtm, OurSide
from harness.gbtm.account import is_rare
from harness.gbtm.design import GbtmDesign
from harness.gbtm.fit import fit
from harness.gbtm.flexmix_rule import distance_by_its_rule
from harness.quantities import Kind, Point, Reading
from harness.references.requests import time_columns

_CUTS = {"poisson": (math.log(np.finfo(np.float64).eps), 300.0), "logit": (-30.0, 30.0)}
"""Where linear predictors are cut: by R's ``pmax(exp(eta), .Machine$double.eps)`` and ``binomial()``, by us at 300."""

_EPS = float(np.finfo(np.float64).eps)

_ALIASED = {"gaussian": 1e-7, "poisson": 1e-11, "logit": 1e-11}
"""``tol`` of ``lm.wfit``, and of ``glm.fit`` with ``epsilon = 1e-8``."""

# The last is glm.fit's, in which no row of a class has weight: it ends before its first regression.
_NO_LIKELIHOOD = ("failed from every start", "Log-likelihood: NaN", "Log-likelihood: NA", "object 'fit' not found")

# What few_starts.R says of flexmix's own steps.
_UNDETERMINED = re.compile(r"At step \d+ (coefficients are NA in class [\d, ]+|a regression fails: .*)\.")

_VANISHED = 1e-6
"""Of the outcome's standard deviation."""

_STATIONARY = 1e-4
"""Standard errors; flexmix goes on until no posterior moves by 1e-10."""

_AGAIN = 1e-8
"""To which two of its ends are one, relative to the log-likelihood."""

CUT = (
    "R cuts the link, the logit at 30 either side and a mean at 2.2e-16, ours a mean at exp(300), or R rounds: 1 - p"
    " where p is nearly 1, and large powers of time that cancel. Both agree wherever neither is the case."
)
AT_INFINITY = (
    "The reference ended at infinity, where a class jumps between neighbouring times with predictors past where R cuts"
    " the logit; begun there, ours stays, at a boundary. Ours says of its own end that few starts found it, and that a"
    " better one may exist."
)
ALIASED = (
    "R's regression takes raw powers of time, finds them dependent ({share:.1g} of a column is left, its limit is"
    " {limit:.0e}) and leaves a coefficient NA, with which flexmix's log-likelihood is NA."
)
STARTED = (
    "From its own starts flexmix came to a class that has too few rows for its coefficients, which are NA then; begun"
    " at our optimum it is compared: "
)
UNDETERMINED = (
    "Begun at our optimum, a regression of flexmix can't be made, so that its log-likelihood is NA, as it was from all"
    " of its own starts: {told}"
)
RIDGE = (
    "Ours ends where classes are equal or empty, and which of them has whom is not determined; the reference's"
    " log-likelihood is lower by its rule for sigma alone: {told}."
)
_OWN_EQUATIONS = "its own equations hold at its end, to {distance:.1g} standard errors"
_SAME_END = "begun at ours, it comes to the very end that it came to from its own starts"
VANISHED = (
    "flexmix ended where the sigma of a class vanishes, {sigma:.1g}: all its rows lie on its curve, where the"
    " likelihood has no bound."
)


def without_cut_points(ours: OurSide, found: Comparison, engine: Engine) -> Comparison | None:
    """Return the comparison without the points at which R cuts the link, if all that disagree are such; else None."""
    if not isinstance(ours, OurGbtm) or ours.result.spec.family not in _CUTS:
        return None
    differ = {v.quantity for v in found.verdicts if v.kind is Kind.OBJECTIVE and v.outcome is Outcome.DISAGREE}
    cut = {o.label for o in found.evidence.objectives if _is_cut(ours, o.point) or _is_rounded(ours, o)}
    if not differ or not differ <= {f"objective[{label}]" for label in cut}:
        return None
    dropped = cut if "objective[optimum]" in differ else cut - {"optimum"}
    uncut = tuple(o for o in found.right.objective if o.label not in dropped)
    return judged(ours, engine, replace(found.right, objective=uncut), left=found.left)


def missed_at_infinity(ours: OurSide, found: Comparison) -> str:
    """Return that the reference's higher end is one at infinity, of which our search warns; nothing if it is not."""
    end = next((o for o in found.evidence.objectives if o.label == "optimum"), None)
    if end is None or not isinstance(ours, OurGbtm) or ours.result.spec.family != "logit":
        return ""
    account = ours.result.fit
    there = fit(ours.result.design, start=end.point, kinds=account.class_kinds)
    stays = there.log_likelihood >= end.right - 1e-6 * max(1.0, abs(end.right))
    at_infinity = there.convergence.stop is Stop.BOUNDARY and _is_cut(ours, end.point)
    return AT_INFINITY if stays and at_infinity and is_rare(account) else ""


def _is_cut(ours: OurGbtm, point: Point) -> bool:
    lowest, highest = _CUTS[ours.result.spec.family]
    return any(np.min(eta) < lowest or np.max(eta) > highest for eta, _ in _predictors(ours, point))


def _is_rounded(ours: OurGbtm, at: ObjectivePair) -> bool:
    """Whether R's log-likelihood loses more than the judge's limit there: by raw powers of time, and by 1 - p.

    A predictor is right to eps times the sum of its terms' sizes, by which a binary row's log-likelihood moves at most;
    and log(1 - p) to eps exp(eta), as p is a double near 1.
    """
    if ours.result.spec.family != "logit":
        return False
    parts = [_EPS * (sizes + np.exp(np.minimum(np.abs(eta), 700.0))) for eta, sizes in _predictors(ours, at.point)]
    lost = float(np.max(parts, axis=0).sum())
    return lost > DEFAULT[Measure.OBJECTIVE].limit * max(1.0, abs(at.left))


def _predictors(ours: OurGbtm, point: Point) -> Iterator[tuple[Vector, Vector]]:
    """Yield the linear predictor of all rows in each class, in R's columns, and the sum of its terms' sizes."""
    design = ours.result.design
    spec, X = design.spec, _columns(design)
    common = design.outcomes[0].rows.common.values
    n_common, at = common.shape[1], (spec.n_classes - 1) * (1 + len(spec.membership))
    beta_common = np.array(point[len(point) - n_common :])
    n_covariates = X.shape[1] - 1 - max(spec.orders)
    for order in ours.result.fit.orders:
        used = [*range(order + 1), *range(1 + max(spec.orders), X.shape[1])]
        beta = np.array(point[at : at + len(used)])
        sizes = np.abs(X[:, used]) @ np.abs(beta) + np.abs(common) @ np.abs(beta_common)
        yield X[:, used] @ beta + common @ beta_common, sizes
        at += order + 1 + n_covariates


def dependent_columns(ours: OurSide) -> str:
    """Return why R's regressions of all rows leave a coefficient out; nothing if they do not."""
    if not isinstance(ours, OurGbtm) or ours.result.spec.family not in _ALIASED:
        return ""
    design = ours.result.design
    X = np.column_stack([_columns(design), design.outcomes[0].rows.common.values])
    (R,) = qr(X, mode="r")
    share = float(np.min(np.abs(np.diag(R)) / np.linalg.norm(X, axis=0)))
    limit = _ALIASED[design.spec.family]
    return ALIASED.format(share=share, limit=limit) if share < limit else ""


def without_an_answer(ours: OurSide, found: Comparison, engine: Engine) -> tuple[Comparison | None, str]:
    """Return what flexmix that ended with coefficients of NA says from our optimum, if it does; or why it has none."""
    failure = found.right.failure
    if (
        failure is None
        or not any(words in failure.sentence for words in _NO_LIKELIHOOD)
        or not isinstance(ours, OurGbtm)
    ):
        return None, ""
    reason = dependent_columns(ours)
    if reason:
        return None, reason
    again = engine.read(ours.case, start=ours.result.fit.point)
    if again.failure is None:
        return judged(ours, engine, again), STARTED
    told = _UNDETERMINED.search(again.failure.evidence)
    return None, "" if told is None else UNDETERMINED.format(told=told[0])


def on_a_ridge(ours: OurSide, found: Comparison, again: Reading | None) -> str:
    """Return why flexmix's end is as good as ours where classes are equal or empty; nothing if they are not.

    `again` is what flexmix says when it begins at ours. Where all classes are one, nothing has information, and no
    distance can tell whether equations hold.
    """
    end = next((o for o in found.evidence.objectives if o.label == "optimum"), None)
    if end is None or not isinstance(ours, OurGbtm) or ours.result.spec.family != "gaussian":
        return ""
    best, kinds = ours.result.fit.best, ours.result.fit.class_kinds
    if not (best.empty or best.duplicated):
        return ""
    distance = distance_by_its_rule(end.point, ours.result.design, kinds)
    if distance < _STATIONARY:
        return RIDGE.format(told=_OWN_EQUATIONS.format(distance=distance))
    reached = () if again is None or again.failure is not None else again.quantities
    values = [float(q.value) for q in reached if q.path == "log_likelihood"]
    near = _AGAIN * max(1.0, abs(end.right))
    return RIDGE.format(told=_SAME_END) if values and abs(values[0] - end.right) <= near else ""


def vanished_sigma(ours: OurSide, found: Comparison) -> str:
    """Return that the reference's sigma of a class is nothing beside the outcome's spread; nothing if it is not."""
    if not isinstance(ours, OurGbtm):
        return ""
    sigmas = [q.value for q in found.right.quantities if q.path.endswith("sigma.estimate")]
    smallest = min((float(value) for value in sigmas), default=math.inf)
    spread = float(np.std(ours.result.design.outcomes[0].rows.y))
    return VANISHED.format(sigma=smallest) if smallest < _VANISHED * spread else ""


def _columns(design: GbtmDesign) -> Matrix:
    rows = design.outcomes[0].rows
    return np.column_stack([np.ones(len(rows.y)), time_columns(design.spec, rows.time), rows.covariates.values])
