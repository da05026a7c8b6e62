"""Whether the parts of a stored fit belong together; asked of documents whose parts each have the right shape."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from harness.convergence import Stop
from harness.errors import Problem

# Of the product of two standard deviations: a covariance matrix that was computed in doubles.
_ROUNDING = 1e-8


def consistency_problems(content: Mapping[str, Any]) -> list[Problem]:
    """Return sizes that differ, matrices that are no covariances, and names that refer to nothing."""
    return [
        *_fixed_problems(content),
        *_random_problems(content),
        *_residual_problems(content),
        *_term_problems(content),
        *_effects_problems(content),
        *_convergence_problems(content),
    ]


def _fixed_problems(content: Mapping[str, Any]) -> Iterator[Problem]:
    columns = content["columns"]
    kept, names = columns["kept"], columns["names"]
    p = len(kept)
    if sorted(set(kept)) != kept or (kept and kept[-1] >= len(names)):
        yield Problem(column="columns.kept", found=f"{kept!r:.60}", expected=f"ascending numbers below {len(names)}")
    yield from _size(content["beta"], (p,), "beta")
    yield from _size(columns["null_space"], (len(names), len(names) - p), "columns.null_space")
    yield from _covariance(content["vcov"], p, "vcov")
    yield from _unique(names, "columns.names")


def _random_problems(content: Mapping[str, Any]) -> Iterator[Problem]:
    for k, part in enumerate(content["random"]):
        place = f"random[{k}]"
        yield from _covariance(part["covariance"], len(part["names"]), f"{place}.covariance")
        yield from _names_of(part["terms"], part["names"], f"{place}.names")
        if not part["grouping"]:
            yield Problem(column=f"{place}.grouping", found="no column", expected="at least one")


def _residual_problems(content: Mapping[str, Any]) -> Iterator[Problem]:
    residual, columns = content["residual"], content["columns"]["residual"]
    kind = residual["kind"]
    wanted = "independent" if columns is None else "continuous" if columns["visits"] is None else "visits"
    if kind != wanted:
        yield Problem(column="residual.kind", found=repr(kind), expected=f"{wanted!r}, as the columns say")
        return
    if columns is None:
        if not residual["variance"] > 0:
            yield Problem(column="residual.variance", found=f"{residual['variance']!r}", expected="a number > 0")
        return
    yield from _structured_problems(residual, columns, content["columns"]["levels"])


def _structured_problems(
    residual: Mapping[str, Any], columns: Mapping[str, Any], levels: Mapping[str, Any]
) -> Iterator[Problem]:
    k = len(columns["levels"])
    if columns["by"] is not None and levels.get(columns["by"]) != columns["levels"]:
        yield Problem(column="columns.residual.levels", found="other levels", expected=f"those of {columns['by']!r}")
    if residual["kind"] == "continuous":
        for name in ("variances", "phi"):
            yield from _size(residual[name], (k,), f"residual.{name}")
            if not all(value > 0 for value in residual[name]):
                yield Problem(column=f"residual.{name}", found="a number that is not positive", expected="numbers > 0")
        return
    if levels.get(columns["visit"], columns["visits"]) != columns["visits"]:
        yield Problem(
            column="columns.residual.visits", found="other visits", expected=f"levels of {columns['visit']!r}"
        )
    if len(residual["matrices"]) != k:
        yield Problem(column="residual.matrices", found=f"{len(residual['matrices'])} matrices", expected=f"{k}")
    for j, matrix in enumerate(residual["matrices"]):
        yield from _covariance(matrix, len(columns["visits"]), f"residual.matrices[{j}]")


def _term_problems(content: Mapping[str, Any]) -> Iterator[Problem]:
    columns = content["columns"]
    yield from _names_of(columns["terms"], columns["names"], "columns.names")
    for place, terms in (
        ("columns", columns["terms"]),
        *((f"random[{k}]", r["terms"]) for k, r in enumerate(content["random"])),
    ):
        for i, encodings in enumerate(terms):
            for j, one in enumerate(encodings):
                yield from _encoding_problems(one, columns, f"{place}.terms[{i}][{j}]")


def _encoding_problems(one: Mapping[str, Any], columns: Mapping[str, Any], place: str) -> Iterator[Problem]:
    k, levels = len(one["names"]), columns["levels"].get(one["column"])
    if one["table"] is not None:
        if levels is None:
            yield Problem(column=place, found=f"a factor {one['column']!r:.60}", expected="one with levels")
        else:
            yield from _size(one["table"], (len(levels), k), f"{place}.table")
        return
    if one["column"] not in columns["numeric"]:
        yield Problem(column=place, found=f"{one['column']!r:.60}", expected="a numeric column of the model")
    basis = one["basis"]
    if (basis is not None) != (one["function"] in {"poly", "ns"}):
        yield Problem(
            column=f"{place}.basis", found="it does not suit the function", expected="one for poly and ns only"
        )
    elif basis is None:
        if k != 1:
            yield Problem(column=f"{place}.names", found=f"{k} names", expected="1")
    elif basis["kind"] == "polynomial":
        for name in ("centres", "ratios", "norms"):
            yield from _size(basis[name], (k,), f"{place}.basis.{name}")
    else:
        # Four boundary knots on each side, and as many B-splines less one as `natural` has rows.
        yield from _size(basis["natural"], (len(basis["knots"]) - 5, k), f"{place}.basis.natural")
        if len(basis["knots"]) < 8 or sorted(basis["knots"]) != basis["knots"]:
            yield Problem(
                column=f"{place}.basis.knots", found="no knots of a cubic spline", expected="8 or more, ascending"
            )


def _effects_problems(content: Mapping[str, Any]) -> Iterator[Problem]:
    p = len(content["columns"]["kept"])
    for name, one in content["effects"].items():
        place, degrees = f"effects.{name:.40}", one["degrees"]
        yield from _size(one["working"], (p, p), f"{place}.working")
        yield from _size(degrees["covariance"], (p, p), f"{place}.degrees.covariance")
        if "slopes" in degrees:
            r = len(degrees["spread"])
            yield from _size(degrees["spread"], (r, r), f"{place}.degrees.spread")
            yield from _size(degrees["slopes"], (r, p, p), f"{place}.degrees.slopes")
        if "phi" in degrees:
            yield from _size(degrees["phi"], (p, p), f"{place}.degrees.phi")


def _convergence_problems(content: Mapping[str, Any]) -> Iterator[Problem]:
    stop = content["convergence"]["stop"]
    known = [one.value for one in Stop]
    if stop not in known:
        yield Problem(
            column="convergence.stop", found=f"{stop!r:.60}", expected=f"one of {', '.join(map(repr, known))}"
        )


def _names_of(terms: Sequence[Sequence[Mapping[str, Any]]], names: Sequence[str], place: str) -> Iterator[Problem]:
    columns = sum(int(np.prod([len(one["names"]) for one in encodings], dtype=object)) for encodings in terms)
    if columns != len(names):
        yield Problem(column=place, found=f"{len(names)} names", expected=f"{columns}, one a column of the terms")


def _unique(names: Sequence[str], place: str) -> Iterator[Problem]:
    if len(set(names)) != len(names):
        yield Problem(column=place, found="a name twice", expected="each once")


def _size(values: Sequence[Any], expected: tuple[int, ...], place: str) -> Iterator[Problem]:
    found = np.shape(values)
    if found != expected and not (0 in expected and len(values) == expected[0]):
        yield Problem(column=place, found=f"an array of {_sizes(found)}", expected=_sizes(expected))


def _covariance(values: Sequence[Any], size: int, place: str) -> Iterator[Problem]:
    wrong = list(_size(values, (size, size), place))
    yield from wrong
    if wrong or size == 0:
        return
    matrix = np.array(values, dtype=np.float64)
    sds = np.sqrt(np.maximum(np.diag(matrix), 0.0))
    scaled = matrix / np.outer(np.where(sds > 0, sds, 1.0), np.where(sds > 0, sds, 1.0))
    symmetric = np.allclose(scaled, scaled.T, rtol=0, atol=_ROUNDING)
    if not symmetric or np.linalg.eigvalsh(scaled)[0] < -_ROUNDING:
        yield Problem(column=place, found="a matrix that is no covariance", expected="a symmetric one, not indefinite")


def _sizes(sizes: tuple[int, ...]) -> str:
    return " x ".join(map(str, sizes)) or "no size"
