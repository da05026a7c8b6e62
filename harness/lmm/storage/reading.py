"""Read a stored fit: refuse what was edited, what another version wrote, and what is no fit at all."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from harness.arrays import Tensor, read_only
from harness.coding.bases import Basis, NaturalSpline, Polynomial
from harness.coding.columns import CodedTerm, Encoding
from harness.convergence import Convergence, Stop
from harness.errors import CaseError, InputError, Problem, listed
from harness.formula import Atom, parse_formula
from harness.lmm.inference.degrees import Degrees, FixedDegrees
from harness.lmm.inference.fixed_effects import FixedEffects
from harness.lmm.inference.kenward_roger import KenwardRoger
from harness.lmm.inference.methods import Method
from harness.lmm.inference.satterthwaite import Satterthwaite
from harness.lmm.prediction.distribution import (
    ContinuousResidual,
    Distribution,
    IndependentResidual,
    Residual,
    VisitResidual,
)
from harness.lmm.prediction.trained import Trained, TrainedRandom, TrainedResidual
from harness.lmm.spec import LmmSpec
from harness.lmm.storage.consistency import consistency_problems
from harness.lmm.storage.layout import DOCUMENT, FORMAT, VERSION
from harness.lmm.storage.stored import StoredLmm
from harness.lmm.storage.writing import content_hash

_MOST_BYTES = 500_000_000
_WRITTEN = "a file as `write_fit` writes it"


def read_fit(path: Path) -> StoredLmm:
    """Return the fit that a file holds.

    Raises
    ------
    CaseError
        If the file can't be read, is no JSON, is of another format or version, was edited, or holds values that no fit
        has; then all such values are listed.
    """
    where = f"stored fit {path.name}"
    content = _parsed(path, where)
    _refuse_other_version(content, where)
    problems = list(DOCUMENT.problems(content, ""))
    _raise_if(where, problems)
    if content["sha256"] != content_hash(content):
        problem = Problem(
            found="content that is not what its hash was made of",
            expected="an unedited file",
            advice="Store the fit again.",
        )
        _raise_if(where, [problem])
    _raise_if(where, consistency_problems(content))
    try:
        return _stored(content)
    except (InputError, ValueError) as error:
        raise CaseError(where, [Problem(found=str(error), expected=_WRITTEN)]) from error


def _parsed(path: Path, where: str) -> dict[str, Any]:
    try:
        content = json.loads(_text(path), object_pairs_hook=_without_repetition)
    except (OSError, ValueError, RecursionError) as error:
        found = f"{type(error).__name__}: {error}"
        raise CaseError(where, [Problem(found=found[:200], expected=_WRITTEN)]) from error
    if not isinstance(content, dict):
        raise CaseError(where, [Problem(found=f"a JSON {type(content).__name__}", expected=_WRITTEN)])
    return content


def _text(path: Path) -> str:
    size = path.stat().st_size
    if size > _MOST_BYTES:
        raise ValueError(f"{size} bytes")
    return path.read_text(encoding="utf-8")


def _refuse_other_version(content: Mapping[str, Any], where: str) -> None:
    if content.get("format") != FORMAT:
        problem = Problem(column="format", found=f"{content.get('format')!r:.60}", expected=repr(FORMAT))
        raise CaseError(where, [problem])
    if content.get("version") != VERSION or isinstance(content["version"], bool):
        software = content.get("software")
        problem = Problem(
            column="version",
            found=f"{content.get('version')!r:.60}, by {software!r:.60}",
            expected=f"{VERSION}",
            advice="Read it with the software that wrote it, or fit the model again.",
        )
        raise CaseError(where, [problem])


def _without_repetition(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("an object with an entry of one name twice")
    return found


def _raise_if(where: str, problems: Sequence[Problem]) -> None:
    if problems:
        raise CaseError(where, listed(problems))


def _stored(content: Mapping[str, Any]) -> StoredLmm:
    model, cohort, likelihood = content["model"], content["cohort"], content["likelihood"]
    columns = _columns(content)
    beta = _array(content["beta"], 1)
    return StoredLmm(
        spec=LmmSpec(formula=parse_formula(model["formula"]), criterion=model["criterion"], weights=model["weights"]),
        cohort_name=cohort["name"],
        cohort_sha256=cohort["sha256"],
        n_observations=cohort["rows"],
        n_subjects=cohort["subjects"],
        n_parameters=likelihood["parameters"],
        log_likelihood=float(likelihood["logarithm"]),
        aic=float(likelihood["aic"]),
        bic=float(likelihood["bic"]),
        theta=_array(content["theta"], 1),
        convergence=Convergence(**{**content["convergence"], "stop": Stop(content["convergence"]["stop"])}),
        distribution=Distribution(
            beta=beta,
            vcov=_array(content["vcov"], 2),
            random_cov=tuple(_array(one["covariance"], 2) for one in content["random"]),
            residual=_residual(content["residual"]),
        ),
        columns=columns,
        effects={
            name: FixedEffects(
                names=columns.all_names,
                kept=columns.kept,
                null_space=columns.null_space,
                beta=beta,
                working=_array(one["working"], 2),
                degrees=_degrees(one["degrees"]),
                method=Method(**one["method"]),
                remarks=tuple(one["remarks"]),
            )
            for name, one in content["effects"].items()
        },
    )


def _columns(content: Mapping[str, Any]) -> Trained:
    columns = content["columns"]
    residual = columns["residual"]
    return Trained(
        outcome=columns["outcome"],
        weights=content["model"]["weights"],
        levels={name: tuple(levels) for name, levels in columns["levels"].items()},
        numeric=tuple(columns["numeric"]),
        coded=_terms(columns["terms"]),
        all_names=tuple(columns["names"]),
        kept=read_only(np.array(columns["kept"], dtype=np.int64)),
        null_space=_array(columns["null_space"], 2, len(columns["names"])),
        random=tuple(
            TrainedRandom(grouping=tuple(one["grouping"]), names=tuple(one["names"]), coded=_terms(one["terms"]))
            for one in content["random"]
        ),
        residual=None
        if residual is None
        else TrainedResidual(
            subject=residual["subject"],
            visit=residual["visit"],
            by=residual["by"],
            visits=None if residual["visits"] is None else tuple(residual["visits"]),
            levels=tuple(residual["levels"]),
        ),
    )


def _terms(terms: Sequence[Sequence[Mapping[str, Any]]]) -> tuple[CodedTerm, ...]:
    found = []
    for encodings in terms:
        read = tuple(map(_encoding, encodings))
        found.append(CodedTerm(term=tuple(one.atom for one in read), encodings=read))
    return tuple(found)


def _encoding(one: Mapping[str, Any]) -> Encoding:
    return Encoding(
        atom=Atom(**{name: one[name] for name in ("column", "power", "function", "size", "coding")}),
        names=tuple(one["names"]),
        table=None if one["table"] is None else _array(one["table"], 2),
        basis=None if one["basis"] is None else _basis(one["basis"]),
    )


def _basis(basis: Mapping[str, Any]) -> Basis:
    if basis["kind"] == "polynomial":
        return Polynomial(**{name: _array(basis[name], 1) for name in ("centres", "ratios", "norms")})
    return NaturalSpline(knots=_array(basis["knots"], 1), natural=_array(basis["natural"], 2))


def _residual(residual: Mapping[str, Any]) -> Residual:
    if residual["kind"] == "independent":
        return IndependentResidual(variance=float(residual["variance"]))
    if residual["kind"] == "visits":
        return VisitResidual(matrices=_array(residual["matrices"], 3))
    return ContinuousResidual(variances=_array(residual["variances"], 1), phi=_array(residual["phi"], 1))


def _degrees(degrees: Mapping[str, Any]) -> Degrees:
    covariance = _array(degrees["covariance"], 2)
    if degrees["kind"] == "fixed":
        return FixedDegrees(covariance=covariance, df=np.inf if degrees["df"] is None else float(degrees["df"]))
    slopes, spread = _array(degrees["slopes"], 3, len(covariance)), _array(degrees["spread"], 2)
    ignored = degrees["ignored"]
    if degrees["kind"] == "satterthwaite":
        return Satterthwaite(covariance=covariance, slopes=slopes, spread=spread, ignored=ignored)
    return KenwardRoger(
        covariance=covariance,
        phi=_array(degrees["phi"], 2),
        slopes=slopes,
        spread=spread,
        ignored=ignored,
        definite=degrees["definite"],
    )


def _array(values: list[Any], depth: int, rows: int = 0) -> Tensor:
    """Return nested lists as an array; `rows` is the length of lists of which there are none, or which are empty."""
    found = np.array(values, dtype=np.float64)
    if found.ndim < depth:
        found = found.reshape(len(values), *([rows] * (depth - 1)))
    return read_only(found)
