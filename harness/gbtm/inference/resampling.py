"""Samples that might have been, and the same model fitted to each.

Replicate b has a stream of random numbers of its own, so that results do not depend on how replicates are shared out
among processes. A refit begins at the estimates and at a few cold starts, because the best optimum of a sample is not
always the one next to the original. A sample of subjects is a weight for each: how often it was drawn.
"""

from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import get_args

import numpy as np
from threadpoolctl import threadpool_limits

from harness.arrays import Codes, Matrix, Vector, read_only
from harness.convergence import Stop
from harness.errors import Problem, SpecError
from harness.gbtm.account import GbtmFit
from harness.gbtm.adequacy import (
    average_posterior,
    entropy,
    mismatch,
    odds_of_correct_classification,
)
from harness.gbtm.design import GbtmDesign
from harness.gbtm.em import run_em
from harness.gbtm.ends import EM_STEPS
from harness.gbtm.estimates import reported
from harness.gbtm.inference.alignment import agreement, matching_classes
from harness.gbtm.inference.bootstrap import Bootstrap, BootstrapKind, End
from harness.gbtm.inference.named_parameters import parameter_paths, parameter_values
from harness.gbtm.mixture import Mixture, e_step
from harness.gbtm.newton import climb
from harness.gbtm.optima import Optimum, distinct_optima
from harness.gbtm.simulation import simulate
from harness.gbtm.starts import draw_starts

COLD_STARTS = 4
_LARGEST_SEED = 2**31


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How samples are drawn, and from how many cold starts they are fitted."""

    kind: BootstrapKind
    seed: int
    cold_starts: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sample:
    """A design with its classes in the order of the fit, the estimates there, how often each subject counts (N,)."""

    design: GbtmDesign
    vector: Vector
    counts: Codes


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Replicate:
    """What one replicate gave, by name; how it ended; how many subjects kept their class."""

    quantities: dict[str, float]
    end: End
    same_class: float


def bootstrap(
    fit: GbtmFit,
    design: GbtmDesign,
    *,
    replicates: int = 500,
    kind: BootstrapKind = "nonparametric",
    seed: int = 1,
    workers: int | None = None,
    cold_starts: int = COLD_STARTS,
) -> Bootstrap:
    """Return the bootstrap of every reported parameter, of class shares, and of adequacy.

    Parameters
    ----------
    fit, design
        Of one model.
    replicates
        How many.
    kind
        "nonparametric": subjects drawn with replacement, all visits of each together. "parametric": outcomes drawn
        from the fit, at the same visits.
    seed
        From which the stream of each replicate follows.
    workers
        Processes; None for this one alone. The result is the same for any number.
    cold_starts
        Starts of each refit besides the estimates themselves.

    Raises
    ------
    SpecError
        For settings that can't be, or a fit that is no K-class solution. R: ``flexmix::boot(m, R, "LR")`` and
        ``boot::boot`` with a statistic of a refit.
    """
    _check(fit, kind, {"replicates": replicates, "seed": seed, "cold_starts": cold_starts, "workers": workers})
    own = design.with_kinds(fit.class_kinds)
    one = partial(_replicates, fit, own, Settings(kind=kind, seed=seed, cold_starts=cold_starts))
    if workers is None or workers == 1:
        found = one(range(replicates))
    else:
        with ProcessPoolExecutor(max_workers=workers) as pool:
            parts = np.array_split(np.arange(replicates), min(4 * workers, replicates))
            found = [replicate for part in pool.map(one, parts) for replicate in part]
    names, estimates = zip(*_quantities(fit.vector, own.mixture, _once(own)).items(), strict=True)
    return Bootstrap(
        names=names,
        kind=kind,
        seed=seed,
        estimates=read_only(np.array(estimates)),
        drawn=read_only(np.array([[one.quantities.get(name, np.nan) for name in names] for one in found])),
        ends=tuple(one.end for one in found),
        same_class=read_only(np.array([one.same_class for one in found])),
    )


def _replicates(fit: GbtmFit, own: GbtmDesign, settings: Settings, numbers: Codes | range) -> list[Replicate]:
    """Return the replicates of some numbers."""
    found = []
    with threadpool_limits(limits=1, user_api="blas"):
        for number in numbers:
            stream = np.random.default_rng(np.random.SeedSequence(settings.seed, spawn_key=(int(number),)))
            try:
                found.append(_refitted(_sample(fit, own, settings, stream), settings.cold_starts))
            except np.linalg.LinAlgError:  # a sample that leaves a covariance without an inverse
                found.append(Replicate(quantities={}, end=End.UNFINISHED, same_class=np.nan))
    return found


def _sample(fit: GbtmFit, own: GbtmDesign, settings: Settings, stream: np.random.Generator) -> Sample:
    if settings.kind == "parametric":
        drawn = own.with_outcomes(simulate(fit, own, stream))
        return Sample(
            design=_seeded(drawn, stream), vector=drawn.mixture.from_user(np.array(fit.point)), counts=_once(own)
        )
    N = own.n_subjects
    counts = stream.multinomial(N, np.full(N, 1 / N)).astype(np.int64)
    return Sample(design=_seeded(reweighted(own, counts), stream), vector=fit.vector, counts=counts)


def reweighted(design: GbtmDesign, counts: Codes) -> GbtmDesign:
    """Return the design in which each subject counts so many times (N,), 0 included.

    Its log-likelihood is exactly that of rows repeated so often (up to the factor that gives weights the mean 1, where
    there are sampling weights), but the working units are still those of the original rows.
    """
    weights = design.mixture.weights * counts
    return replace(design, mixture=replace(design.mixture, weights=read_only(weights / weights.mean())))


def _seeded(design: GbtmDesign, stream: np.random.Generator) -> GbtmDesign:
    return replace(design, spec=replace(design.spec, seed=int(stream.integers(_LARGEST_SEED))))


def _once(design: GbtmDesign) -> Codes:
    return np.ones(design.n_subjects, dtype=np.int64)


def _refitted(sample: Sample, cold_starts: int) -> Replicate:
    design, mixture = sample.design, sample.design.mixture
    starts, kinds = sample.vector[None], ["estimates"]
    if cold_starts and design.n_classes > 1:
        cold = draw_starts(design, 0, cold_starts)
        starts = np.concatenate([starts, run_em(cold.posterior, mixture, EM_STEPS)])
        kinds += cold.kinds
    optima, _ = distinct_optima(climb(starts, mixture), kinds, design)
    best = next((optimum for optimum in optima if optimum.is_proper), optima[0])
    end = _end(best)
    found = design.mixture_of(best.class_kinds)
    reference = e_step(sample.vector[None], mixture)[0][0]
    vector = np.array(best.working)
    other = e_step(vector[None], found)[0][0]
    classes = matching_classes(reference, other, sample.counts)
    aligned, moved = found.permuted(classes), found.relabelled(vector[None], classes)[0]
    quantities = _quantities(moved, aligned, sample.counts) if end in {End.OPTIMUM, End.BOUNDARY} else {}
    return Replicate(quantities=quantities, end=end, same_class=agreement(reference, other[classes], sample.counts))


def _end(optimum: Optimum) -> End:
    if optimum.empty or optimum.duplicated:
        return End.LOST_CLASS
    if optimum.collapsed:
        return End.COLLAPSED
    if not optimum.convergence.converged:
        return End.UNFINISHED
    return End.OPTIMUM if optimum.convergence.stop == Stop.OPTIMUM else End.BOUNDARY


def _quantities(vector: Vector, mixture: Mixture, counts: Codes) -> dict[str, float]:
    """Return class shares, reported parameters and adequacy by path."""
    K = mixture.n_classes
    kept = [*range(K), *(K + k for k in reported(mixture.parameters, K))]
    paths, values = parameter_paths(mixture), parameter_values(vector, mixture)
    found = {paths[k]: float(values[k]) for k in kept}
    posterior = np.repeat(e_step(vector[None], mixture)[0][0].T, counts, axis=0)
    by_class: dict[str, Matrix] = {
        "average_posterior": average_posterior(posterior),
        "odds_of_correct_classification": odds_of_correct_classification(posterior, values[:K]),
        "mismatch": mismatch(posterior, values[:K]),
    }
    for name, numbers in by_class.items():
        found |= {f"class[{g}].{name}": float(number) for g, number in enumerate(numbers, start=1)}
    return {**found, "entropy": entropy(posterior)}


def _check(fit: GbtmFit, kind: object, wholes: dict[str, object]) -> None:
    problems = []
    if kind not in get_args(BootstrapKind):
        problems.append(Problem(found=f"kind {kind!r:.40}", expected="'nonparametric' or 'parametric'"))
    for name, value in wholes.items():
        least = 1 if name in {"replicates", "workers"} else 0
        is_whole = isinstance(value, int | np.integer) and not isinstance(value, bool) and value >= least
        if not is_whole and (name, value) != ("workers", None):
            problems.append(Problem(found=f"{name} {value!r:.40}", expected=f"a whole number >= {least}"))
    if not fit.best.is_proper:
        found = "a fit with empty, equal or collapsed classes, or without a maximum"
        problems.append(Problem(found=found, expected="a fit with as many classes as were asked for"))
    if problems:
        raise SpecError("bootstrap", problems)
