"""Linear hypotheses on named parameters, as people write them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from harness.arrays import Matrix
from harness.errors import Problem, SpecError
from harness.gbtm.inference.named_parameters import NamedParameters

Hypothesis = str | Mapping[str, float]
"""What is zero: a parameter, all parameters of a name in every class, or a weighted sum; or what is equal."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LinearHypotheses:
    """r weighted sums that are zero: weights (r, m) over the parameters, and each in words."""

    weights: Matrix
    words: tuple[str, ...]


def linear_hypotheses(given: Hypothesis | Sequence[Hypothesis], parameters: NamedParameters) -> LinearHypotheses:
    """Return the weighted sums of parameters that a hypothesis says are zero.

    Parameters
    ----------
    given
        One or several of these. A path, such as "class[1].beta[week]" or "common[age]": it is zero. The end of paths,
        such as "membership[age]" or "beta[week^2]": it is zero in every class that has it. Paths with " = " between
        them: they are equal. A mapping of paths to weights: the weighted sum is zero.
    parameters
        Of the fit.

    Raises
    ------
    SpecError
        With every path that is unknown, every weight that is no number, every sum of nothing.
    """
    several = [given] if isinstance(given, str | Mapping) else list(given)
    problems: list[Problem] = []
    rows, words = [], []
    for one in several:
        for row in _sums(one, parameters, problems):
            weights = np.zeros(len(parameters.paths))
            for path, weight in row.items():
                weights[parameters.paths.index(path)] = weight
            rows.append(weights)
            words.append(_in_words(row))
    if not several:
        problems.append(Problem(found="no hypothesis", expected="at least one"))
    if problems:
        raise SpecError("hypothesis on parameters", problems)
    return LinearHypotheses(weights=np.array(rows), words=tuple(words))


def _sums(one: object, parameters: NamedParameters, problems: list[Problem]) -> Iterator[Mapping[str, float]]:
    if isinstance(one, Mapping):
        unknown = [path for path in one if parameters.place(path) is None]
        problems += [parameters.unknown(path) for path in unknown]
        wrong = [(path, weight) for path, weight in one.items() if not _is_weight(weight)]
        problems += [Problem(found=f"weight {weight!r:.40} of {path}", expected="a number") for path, weight in wrong]
        if not unknown and not wrong:
            if not any(one.values()):
                problems.append(Problem(found=f"weights {dict(one)!r:.60}", expected="at least one that is not zero"))
            yield one
    elif isinstance(one, str) and "=" in one:
        named = [part.strip() for part in one.split("=")]
        unknown = [path for path in named if parameters.place(path) is None]
        problems += [parameters.unknown(path) for path in unknown]
        if not unknown:
            for first, second in pairwise(named):
                if first == second:
                    problems.append(Problem(found=f"{first} = {second}", expected="two parameters"))
                yield {first: 1.0, second: -1.0}
    elif isinstance(one, str):
        found = [path for path in parameters.paths if path == one or path.endswith("." + one)]
        if not found:
            problems.append(parameters.unknown(one))
        yield from ({path: 1.0} for path in found)
    else:
        expected = "a path, paths with ' = ' between them, or a mapping of paths to weights"
        problems.append(Problem(found=f"hypothesis {one!r:.60}", expected=expected))


def _is_weight(weight: object) -> bool:
    return isinstance(weight, int | float | np.integer | np.floating) and bool(np.isfinite(weight))


def _in_words(row: Mapping[str, float]) -> str:
    terms = [
        f"{'-' if weight < 0 else '+'} {'' if abs(weight) == 1 else f'{abs(weight):g} '}{path}"
        for path, weight in row.items()
        if weight
    ]
    return " ".join(terms).removeprefix("+ ") + " = 0"
