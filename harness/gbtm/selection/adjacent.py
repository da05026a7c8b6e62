"""Two models that differ by one class: what a test of the number of classes is between."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from harness.errors import Problem, SpecError
from harness.gbtm.account import GbtmFit
from harness.gbtm.design import GbtmDesign
from harness.gbtm.spec import GbtmSpec


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Adjacent:
    """A model with K classes and one with a class more, of the same data and otherwise the same."""

    smaller: GbtmFit
    smaller_design: GbtmDesign
    larger: GbtmFit
    larger_design: GbtmDesign

    @property
    def n_classes(self) -> int:
        """K, of the smaller model."""
        return self.smaller_design.n_classes

    @property
    def statistic(self) -> float:
        """Twice the difference of the log-likelihoods."""
        return 2 * (self.larger.log_likelihood - self.smaller.log_likelihood)


def adjacent(
    smaller: tuple[GbtmFit, GbtmDesign], larger: tuple[GbtmFit, GbtmDesign], where: str, wholes: Mapping[str, object]
) -> Adjacent:
    """Return a pair of fits that can be tested, or raise with all that is wrong with them and with whole numbers.

    Raises
    ------
    SpecError
        If the models do not differ by exactly one class, are of other data, have sampling weights, or are no proper
        solutions; or if one of `wholes`, by name, is not a whole number >= 1 (a seed and cold starts: >= 0).
    """
    pair = Adjacent(smaller=smaller[0], smaller_design=smaller[1], larger=larger[0], larger_design=larger[1])
    problems = [*_pair_problems(pair), *whole_problems(wholes)]
    if problems:
        raise SpecError(where, problems)
    return pair


def whole_problems(wholes: Mapping[str, object]) -> Iterator[Problem]:
    """Yield settings that are not whole numbers, or too small; the number of workers may also be None."""
    for name, value in wholes.items():
        least = 0 if name in {"seed", "n_starts"} else 1
        is_whole = isinstance(value, int | np.integer) and not isinstance(value, bool) and value >= least
        if not is_whole and (name, value) != ("workers", None):
            yield Problem(found=f"{name} {value!r:.40}", expected=f"a whole number >= {least}")


def _pair_problems(pair: Adjacent) -> Iterator[Problem]:
    first, second = pair.smaller_design, pair.larger_design
    K, more = first.n_classes, second.n_classes
    if more != K + 1:
        yield Problem(found=f"models of {K} and {more} classes", expected="a model and the one with one class more")
    elif Counter(first.class_kinds) - Counter(second.class_kinds):
        found = f"orders {first.spec.orders} and {second.spec.orders}"
        yield Problem(found=found, expected="a larger model that has all classes of the smaller one")
    if tuple(map(_apart_from_classes, first.specs)) != tuple(map(_apart_from_classes, second.specs)):
        yield Problem(found="models that differ in more than classes", expected="the same model with one class more")
    elif not same_data(first, second):
        yield Problem(found="models of other rows or outcomes", expected="two models of the same data")
    if first.spec.weights is not None:
        expected = "a likelihood, which weighted sums of logarithms are not"
        yield Problem(found="sampling weights", expected=expected, advice="Compare the criteria of select_classes.")
    for fit, count in ((pair.smaller, K), (pair.larger, more)):
        if fit.best.collapsed:
            found = f"a {count}-class model in which sigma collapsed"
            yield Problem(found=found, expected="a bounded likelihood", advice="Share sigma, or drop a class.")
    if pair.smaller.best.empty or pair.smaller.best.duplicated:
        found = f"a {K}-class model with {pair.smaller.best.n_distinct_classes} different classes"
        yield Problem(found=found, expected="as many different classes as it has", advice="Fit fewer classes.")


def _apart_from_classes(spec: GbtmSpec) -> GbtmSpec:
    return replace(spec, orders=(), zero_orders=None, dropout=spec.dropout and (), n_starts=1, seed=0)


def same_data(first: GbtmDesign, second: GbtmDesign) -> bool:
    """Whether two models are of the same rows: subjects, outcomes and times."""
    if first.subject_labels != second.subject_labels:
        return False
    pairs = ((one.rows, other.rows) for one, other in zip(first.outcomes, second.outcomes, strict=True))
    return all(
        np.array_equal(one.panel.subject, other.panel.subject)
        and np.array_equal(one.y, other.y)
        and np.array_equal(one.time, other.time)
        for one, other in pairs
    )
