"""The likelihood-ratio test for the number of classes, its distribution simulated (McLachlan 1987).

No chi-square holds for it: where the smaller model is true, the larger one is not identified. So outcomes are drawn
from the smaller model at the visits that were seen, and both models are fitted to each draw.
"""

from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from threadpoolctl import threadpool_limits

from harness.arrays import Vector, read_only
from harness.errors import Problem, SpecError
from harness.gbtm.account import HIT
from harness.gbtm.design import GbtmDesign, slots
from harness.gbtm.mixture import e_step
from harness.gbtm.selection.adjacent import Adjacent
from harness.gbtm.selection.processes import over_replicates, stream_of
from harness.gbtm.selection.search import End, search_from, search_larger
from harness.gbtm.simulation import simulate
from harness.summaries import Summary, aligned, ruled, shown, shown_p_value

NEGATIVE = -1e-5
"""A ratio below this is no rounding: the search for the larger model has failed."""

_LARGEST_SEED = 2**31
_OF_THE_DATA = 2**32 - 1  # as if it were the number of a replicate
_LARGER_SEARCH = 5


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BootstrapLikelihoodRatio:
    """The test of K classes against one more, by B outcomes drawn from the model with K.

    Attributes
    ----------
    n_classes
        K.
    statistic
        Twice the difference of the log-likelihoods of the data.
    p
        (1 + how many of `statistics` reach it) / (1 + how many there are).
    standard_error
        Of p, because B is finite: sqrt(p (1 - p) / B).
    statistics : (B,)
        Of the replicates; NaN where a model could not be fitted (these enter nothing).
    restarted, negative
        Replicates in which the larger model first ended below the smaller one; those in which it still did after a
        search five times as large, which count as 0.
    remarks
        What a reader must know, one sentence each.
    """

    n_classes: int
    statistic: float
    p: float
    standard_error: float
    statistics: Vector
    restarted: int
    negative: int
    seed: int
    remarks: tuple[str, ...]

    @property
    def critical_value(self) -> float:
        """The 95 % quantile of the replicates."""
        return float(np.nanquantile(self.statistics, 0.95))

    def summary(self) -> Summary:
        """Return the test as a reader wants it."""
        used = self.statistics[np.isfinite(self.statistics)]
        rows = [
            ("2 (L larger - L smaller)", shown(self.statistic)),
            (f"p, from {len(used)} simulated outcomes", shown_p_value(self.p)),
            ("its Monte-Carlo standard error", f"{self.standard_error:.4f}"),
            ("mean under the smaller model", shown(float(used.mean()))),
            ("95 % quantile under it", shown(self.critical_value)),
        ]
        first = [f"Bootstrap likelihood-ratio test: {self.n_classes} against {self.n_classes + 1} classes"]
        return ruled([first, aligned(rows), list(self.remarks) or ["No replicate had to be searched again."]])


@dataclass(frozen=True, slots=True, kw_only=True)
class Replicate:
    """What one replicate gave: the ratio (NaN: none), and whether it was searched twice."""

    ratio: float
    restarted: bool


def bootstrap_likelihood_ratio(
    pair: Adjacent, *, replicates: int, seed: int, n_starts: int, workers: int | None
) -> BootstrapLikelihoodRatio:
    """Return the test of two models that differ by one class.

    The data and every replicate are searched by the same rule: the smaller model from the parameters that outcomes were
    drawn from and from cold starts of all kinds, the larger one from splits and newcomers of the smaller one's best
    end, from cold starts, and from exchanges.

    Raises
    ------
    SpecError
        If outcomes can't be drawn from the smaller model, or neither model can be fitted to any of them.
    """
    task = partial(_replicate, pair, seed, n_starts)
    found = over_replicates(task, replicates, workers)
    statistics = np.array([one.ratio for one in found])
    used = statistics[np.isfinite(statistics)]
    if not len(used):
        problem = Problem(found=f"none of {replicates} replicates in which both models were fitted", expected="some")
        raise SpecError("bootstrap likelihood ratio", [problem])
    with threadpool_limits(limits=1, user_api="blas"):
        statistic, remarks = _observed(pair, seed, n_starts)
    restarted = sum(one.restarted for one in found)
    negative = int(np.sum(used < NEGATIVE))
    # A model contains those with fewer classes: its maximum can't be lower.
    statistics, used = np.maximum(statistics, 0.0), np.maximum(used, 0.0)
    p = (1 + int(np.sum(used >= statistic))) / (1 + len(used))
    return BootstrapLikelihoodRatio(
        n_classes=pair.n_classes,
        statistic=statistic,
        p=p,
        standard_error=float(np.sqrt(p * (1 - p) / len(used))),
        statistics=read_only(statistics),
        restarted=restarted,
        negative=negative,
        seed=seed,
        remarks=(*remarks, *_remarks(restarted, negative, replicates - len(used), replicates)),
    )


def _replicate(pair: Adjacent, seed: int, n_starts: int, number: int) -> Replicate:
    stream = stream_of(seed, number)
    outcomes = simulate(pair.smaller, pair.smaller_design, stream)
    start = int(stream.integers(_LARGEST_SEED))
    try:
        smaller = _seeded(pair.smaller_design.with_outcomes(outcomes), start)
        larger = _seeded(pair.larger_design.with_outcomes(outcomes), start)
        truth = smaller.mixture_of(pair.smaller.class_kinds).from_user(np.array(pair.smaller.point))
        ratio, end = _ratio(pair, truth, (smaller, larger), n_starts, stream)
        if ratio >= NEGATIVE:
            return Replicate(ratio=ratio, restarted=False)
        again = search_larger(end, smaller, _seeded(larger, start + 1), _LARGER_SEARCH * max(n_starts, 1), stream)
        return Replicate(ratio=2 * (again.log_likelihood - end.log_likelihood), restarted=True)
    except np.linalg.LinAlgError:
        return Replicate(ratio=float("nan"), restarted=False)


def _ratio(
    pair: Adjacent,
    vector: Vector,
    designs: tuple[GbtmDesign, GbtmDesign],
    n_starts: int,
    stream: np.random.Generator,
) -> tuple[float, End]:
    """Return the ratio, and the best end of the smaller model; `vector` has its classes in the order of the fit."""
    smaller, larger = designs
    classes = e_step(vector[None], smaller.mixture_of(pair.smaller.class_kinds))[0][0]
    posterior = np.empty_like(classes)
    posterior[slots(smaller.class_kinds, pair.smaller.class_kinds)] = classes
    end = search_from(posterior, smaller, n_starts)
    other = search_larger(end, smaller, larger, n_starts, stream)
    return 2 * (other.log_likelihood - end.log_likelihood), end


def _observed(pair: Adjacent, seed: int, n_starts: int) -> tuple[float, list[str]]:
    """Return the ratio of the data, never from a smaller search than the replicates have."""
    designs = (pair.smaller_design, pair.larger_design)
    ratio, end = _ratio(pair, pair.smaller.vector, designs, n_starts, stream_of(seed, _OF_THE_DATA))
    reached = (end.log_likelihood, end.log_likelihood + ratio / 2)
    given = (pair.smaller.log_likelihood, pair.larger.log_likelihood)
    remarks = [
        f"A log-likelihood of {found:.4f} was found for {design.n_classes} classes, above the {known:.4f} of the fit: "
        "fit it again with more starts. The test uses the higher one."
        for found, known, design in zip(reached, given, designs, strict=True)
        if found > known + HIT
    ]
    smaller, larger = map(max, reached, given)
    return 2 * (larger - smaller), remarks


def _seeded(design: GbtmDesign, seed: int) -> GbtmDesign:
    return replace(design, spec=replace(design.spec, seed=seed))


def _remarks(restarted: int, negative: int, failed: int, replicates: int) -> list[str]:
    remarks = []
    if restarted:
        remarks.append(
            f"In {restarted} of {replicates} replicates the larger model first ended below the smaller one and was "
            f"searched again; {negative} remained so and count as 0."
        )
    if failed:
        remarks.append(f"{failed} of {replicates} replicates could not be fitted and are left out.")
    return remarks
