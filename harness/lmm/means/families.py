"""Families of contrasts among the means that belong together."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations

import numpy as np

from harness.arrays import Matrix, Vector
from harness.errors import Problem, SpecError, nearest

FAMILIES = ("baseline", "pairwise", "consecutive", "effects")
CustomContrasts = Mapping[str, Sequence[float]]


def family(
    contrasts: str | CustomContrasts, names: Sequence[str], reference: str | None
) -> tuple[tuple[str, ...], Matrix]:
    """Return the names of the contrasts (k,) and their weights (k, means).

    "baseline" is each mean minus that of the reference (the first, unless named), "pairwise" all differences, earlier
    minus later as in emmeans, "consecutive" each minus the one before it, "effects" each minus the average of all. Or a
    mapping from names to one weight a mean.

    Raises
    ------
    SpecError
        For an unknown family or reference, a contrast with a wrong number of weights or none but zeros, and fewer than
        two means.
    """
    problems = list(_problems(contrasts, names, reference))
    if problems:
        raise SpecError("contrasts", problems)
    if not isinstance(contrasts, str):
        return tuple(contrasts), np.array([list(map(float, weights)) for weights in contrasts.values()])
    unit = np.eye(len(names))
    rows = list(_rows(contrasts, names, unit, names.index(reference) if reference is not None else 0))
    return tuple(name for name, _ in rows), np.array([row for _, row in rows])


def _rows(contrasts: str, names: Sequence[str], unit: Matrix, reference: int) -> Iterator[tuple[str, Vector]]:
    if contrasts == "pairwise":
        for a, b in combinations(range(len(names)), 2):
            yield f"{names[a]} - {names[b]}", unit[a] - unit[b]
    elif contrasts == "consecutive":
        for a in range(1, len(names)):
            yield f"{names[a]} - {names[a - 1]}", unit[a] - unit[a - 1]
    elif contrasts == "effects":
        for a, name in enumerate(names):
            yield f"{name} effect", unit[a] - 1 / len(names)
    else:
        for a, name in enumerate(names):
            if a != reference:
                yield f"{name} - {names[reference]}", unit[a] - unit[reference]


def _problems(contrasts: str | CustomContrasts, names: Sequence[str], reference: str | None) -> Iterator[Problem]:
    if len(names) < 2:
        yield Problem(
            found=f"{len(names)} mean to compare", expected="at least two", advice="Name fewer columns in `by`."
        )
    if reference is not None and (contrasts != "baseline" or reference not in names):
        expected = f"with contrasts='baseline', one of {', '.join(names)}"
        yield Problem(found=f"reference {reference!r:.60}", expected=expected, advice=nearest(str(reference), names))
    if not isinstance(contrasts, Mapping):
        if contrasts not in FAMILIES:
            expected = f"one of {', '.join(FAMILIES)}, or a mapping from names to weights"
            advice = nearest(str(contrasts), FAMILIES)
            yield Problem(found=f"contrasts {contrasts!r:.40}", expected=expected, advice=advice)
        return
    if not contrasts:
        yield Problem(found="no contrasts", expected="at least one")
    for name, weights in contrasts.items():
        if not _are_weights(weights, len(names)):
            expected = f"{len(names)} finite weights, not all zero: {', '.join(names)}"
            yield Problem(column=str(name), found=f"weights {weights!r:.60}", expected=expected)


def _are_weights(weights: object, size: int) -> bool:
    try:
        values = np.asarray(weights, dtype=float)
    except (TypeError, ValueError):
        return False
    return values.shape == (size,) and bool(np.isfinite(values).all()) and bool(values.any())
