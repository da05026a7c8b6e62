"""Write a fit to a file: JSON, a scalar a line, sorted keys, doubles in their shortest exact form, sealed by a hash."""

import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

from harness.coding.bases import Polynomial
from harness.coding.columns import CodedTerm, Encoding
from harness.errors import CaseError, Problem
from harness.formula import formula_text
from harness.lmm.inference.degrees import Degrees, FixedDegrees
from harness.lmm.inference.fixed_effects import FixedEffects
from harness.lmm.inference.kenward_roger import KenwardRoger
from harness.lmm.inference.satterthwaite import Satterthwaite
from harness.lmm.prediction.distribution import ContinuousResidual, Distribution, IndependentResidual
from harness.lmm.prediction.trained import Trained, TrainedResidual
from harness.lmm.storage.layout import DOCUMENT, FORMAT, VERSION
from harness.lmm.storage.stored import StoredLmm
from harness.locations import DISTRIBUTION


def write_fit(fit: StoredLmm, path: Path) -> Path:
    """Write the fit and return its path; the same fit gives the same bytes.

    Raises
    ------
    CaseError
        If a number of it is not finite, for a fit that ended nowhere is not for keeping; or the file can't be written.
    """
    content = document(fit)
    problems = list(DOCUMENT.problems(content, ""))
    if problems:
        raise CaseError(f"stored fit {path.name}", problems)
    try:
        path.write_text(json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")
    except OSError as error:
        problem = Problem(found=f"{type(error).__name__}: {error}", expected="a file that can be written")
        raise CaseError(f"stored fit {path.name}", [problem]) from error
    return path


def document(fit: StoredLmm) -> dict[str, Any]:
    """Return the fit as plain values, with their hash."""
    columns, law = fit.columns, fit.distribution
    content: dict[str, Any] = {
        "format": FORMAT,
        "version": VERSION,
        "software": f"{DISTRIBUTION} {version(DISTRIBUTION)}",
        "model": {
            "formula": formula_text(fit.spec.formula),
            "criterion": fit.spec.criterion,
            "weights": fit.spec.weights,
        },
        "cohort": {
            "name": fit.cohort_name,
            "sha256": fit.cohort_sha256,
            "rows": fit.n_observations,
            "subjects": fit.n_subjects,
        },
        "likelihood": {
            "logarithm": fit.log_likelihood,
            "aic": fit.aic,
            "bic": fit.bic,
            "parameters": fit.n_parameters,
        },
        "convergence": asdict(fit.convergence),
        "theta": fit.theta.tolist(),
        "beta": law.beta.tolist(),
        "vcov": law.vcov.tolist(),
        "random": [
            {
                "grouping": list(part.grouping),
                "names": list(part.names),
                "covariance": G.tolist(),
                "terms": _terms(part.coded),
            }
            for part, G in zip(columns.random, law.random_cov, strict=True)
        ],
        "residual": _residual(law),
        "columns": _columns(columns),
        "effects": {name: _effects(one) for name, one in fit.effects.items()},
    }
    content["sha256"] = content_hash(content)
    return content


def content_hash(content: dict[str, Any]) -> str:
    """Return the sha256 of everything in a document but the hash itself."""
    rest = {key: value for key, value in content.items() if key != "sha256"}
    return hashlib.sha256(json.dumps(rest, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _columns(columns: Trained) -> dict[str, Any]:
    return {
        "outcome": columns.outcome,
        "levels": {name: list(levels) for name, levels in columns.levels.items()},
        "numeric": list(columns.numeric),
        "terms": _terms(columns.coded),
        "names": list(columns.all_names),
        "kept": columns.kept.tolist(),
        "null_space": columns.null_space.tolist(),
        "residual": None if columns.residual is None else _structure(columns.residual),
    }


def _structure(residual: TrainedResidual) -> dict[str, Any]:
    visits = None if residual.visits is None else list(residual.visits)
    return {**asdict(residual), "visits": visits, "levels": list(residual.levels)}


def _terms(coded: Sequence[CodedTerm]) -> list[Any]:
    return [[_encoding(one) for one in term.encodings] for term in coded]


def _encoding(encoding: Encoding) -> dict[str, Any]:
    basis: dict[str, Any] | None = None
    if isinstance(encoding.basis, Polynomial):
        basis = {
            "kind": "polynomial",
            **{name: getattr(encoding.basis, name).tolist() for name in ("centres", "ratios", "norms")},
        }
    elif encoding.basis is not None:
        basis = {
            "kind": "spline",
            "knots": encoding.basis.knots.tolist(),
            "natural": encoding.basis.natural.tolist(),
        }
    return {
        **asdict(encoding.atom),
        "names": list(encoding.names),
        "table": None if encoding.table is None else encoding.table.tolist(),
        "basis": basis,
    }


def _residual(law: Distribution) -> dict[str, Any]:
    residual = law.residual
    if isinstance(residual, IndependentResidual):
        return {"kind": "independent", "variance": residual.variance}
    if isinstance(residual, ContinuousResidual):
        return {"kind": "continuous", "variances": residual.variances.tolist(), "phi": residual.phi.tolist()}
    return {"kind": "visits", "matrices": residual.matrices.tolist()}


def _effects(effects: FixedEffects) -> dict[str, Any]:
    return {
        "working": effects.working.tolist(),
        "degrees": _degrees(effects.degrees),
        "method": asdict(effects.method),
        "remarks": list(effects.remarks),
    }


def _degrees(degrees: Degrees) -> dict[str, Any]:
    found: dict[str, Any] = {"covariance": degrees.covariance.tolist()}
    if isinstance(degrees, Satterthwaite | KenwardRoger):
        found |= {"slopes": degrees.slopes.tolist(), "spread": degrees.spread.tolist(), "ignored": degrees.ignored}
        if isinstance(degrees, Satterthwaite):
            return {"kind": "satterthwaite", **found}
        return {"kind": "kenward-roger", "phi": degrees.phi.tolist(), "definite": degrees.definite, **found}
    if isinstance(degrees, FixedDegrees):
        return {"kind": "fixed", "df": None if math.isinf(degrees.df) else degrees.df, **found}
    problem = Problem(found=f"degrees of freedom by {type(degrees).__name__}", expected="a method that has a format")
    raise CaseError("stored fit", [problem])
