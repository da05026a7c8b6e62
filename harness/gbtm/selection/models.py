"""The models among which the number of classes is chosen: 1 to K classes, and mixed models that have fewer."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from time import perf_counter

import numpy as np

from harness.cohorts.cohort import Cohort
from harness.gbtm.result import GbtmResult, fit_gbtm_cohort
from harness.gbtm.selection.neighbours import with_neighbours
from harness.gbtm.spec import GbtmSpec

RANDOM = {0: "random intercept", 1: "random intercept and slope", 2: "random quadratic"}

_RIVAL_STARTS = 20


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Candidate:
    """One model of a selection: its name, the fit, and how many seconds that took.

    A rival has random effects that the other models do not have.
    """

    name: str
    result: GbtmResult
    seconds: float
    is_rival: bool = False

    @property
    def n_classes(self) -> int:
        """How many latent classes."""
        return self.result.design.n_classes


def fit_all(specs: Mapping[int, GbtmSpec], cohort: Cohort) -> tuple[tuple[Candidate, ...], Mapping[int, float]]:
    """Return the models by number of classes, none of them worse than its neighbours lead to.

    The second value says by how much the log-likelihood of which model rose because of its neighbours.
    """
    timed = {K: _timed(specs[K], cohort) for K in sorted(specs)}
    before = perf_counter()
    results, gains = with_neighbours({K: result for K, (result, _) in timed.items()})
    shared = (perf_counter() - before) / len(timed)
    candidates = tuple(
        Candidate(name=class_name(K), result=results[K], seconds=seconds + shared) for K, (_, seconds) in timed.items()
    )
    return candidates, gains


def fit_rivals(spec: GbtmSpec, cohort: Cohort, n_classes: int) -> tuple[Candidate, ...]:
    """Return mixed models of the same data: of one class, and of one class less than `n_classes` with an intercept.

    Parameters
    ----------
    spec
        Of any number of equal classes; its highest order is that of the rivals.
    cohort
        The data.
    n_classes
        What the other models would choose.
    """
    order = max(spec.orders)
    found = []
    for K, random in _rivals(spec, cohort, n_classes):
        rival = replace(
            spec,
            orders=(order,) * K,
            zero_orders=None,
            dropout=None if spec.dropout is None else (max(spec.dropout),) * K,
            membership=spec.membership if K > 1 else "",
            sigma="shared",
            random=random,
            n_starts=min(spec.n_starts, _RIVAL_STARTS),
        )
        result, seconds = _timed(rival, cohort)
        name = f"{class_name(K)} + {RANDOM[random]}"
        found.append(Candidate(name=name, result=result, seconds=seconds, is_rival=True))
    return tuple(found)


def can_have_rivals(spec: GbtmSpec) -> bool:
    """Whether there are mixed models on the same likelihood scale that are not among the models already."""
    return spec.family == "gaussian" and spec.random is None


def class_name(n_classes: int) -> str:
    """Return "1 class", "2 classes", ..."""
    return f"{n_classes} class" if n_classes == 1 else f"{n_classes} classes"


def _rivals(spec: GbtmSpec, cohort: Cohort, n_classes: int) -> Iterator[tuple[int, int]]:
    if not can_have_rivals(spec):
        return
    yield 1, 0
    if spec.time is not None and _n_times(spec, cohort) > 1:
        yield 1, 1
    if n_classes > 2:  # of two classes one is left, which is there already
        yield n_classes - 1, 0


def _n_times(spec: GbtmSpec, cohort: Cohort) -> int:
    observed = ~np.isnan(cohort.numeric[spec.outcome])
    return len(np.unique(cohort.numeric[str(spec.time)][observed]))


def _timed(spec: GbtmSpec, cohort: Cohort) -> tuple[GbtmResult, float]:
    before = perf_counter()
    result = fit_gbtm_cohort(spec, cohort)
    return result, perf_counter() - before
