"""A case: a cohort, a model, and the engines that are to agree on it."""

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol, TypeGuard, get_args

from harness.cohorts import fixture_cohort, read_cohort, read_schema
from harness.cohorts.cohort import Cohort
from harness.cohorts.subset import keep_levels
from harness.errors import CaseError, CohortError, FormulaError, Problem, nearest
from harness.formula import parse_formula
from harness.gbtm.spec import GbtmSpec
from harness.lmm.spec import Criterion, LmmSpec
from harness.quantities import Point, Reading
from harness.roster import engines_of
from harness.two_samples.spec import MeansSpec, RatesSpec

FittedSpec = LmmSpec | GbtmSpec
"""A model that is fitted."""
Spec = FittedSpec | RatesSpec | MeansSpec

KEYS: Mapping[str, Mapping[str, type]] = {
    "lmm": {"kind": str, "formula": str, "criterion": str, "weights": str},
    "gbtm": {
        "kind": str,
        "outcome": str,
        "time": str,
        "subject": str,
        "orders": list,
        "family": str,
        "sigma": str,
        "n_starts": int,
        "seed": int,
        "limits": list,
        "trials": str,
        "exposure": str,
        "zero_orders": list,
        "knots": list,
        "covariates": str,
        "common": str,
        "membership": str,
        "weights": str,
        "random": int,
        "random_covariance": str,
        "random_scale": str,
        "errors": str,
        "dropout": list,
    },
    "rates": {"kind": str, "events": str, "by": str, "total": str, "covariates": list},
    "means": {"kind": str, "outcome": str, "by": str},
}
REQUIRED = {
    "lmm": {"formula"},
    "gbtm": {"outcome", "subject", "orders"},
    "rates": {"events"},
    "means": {"outcome"},
}
_CASE_KEYS = ("cohort", "references", "keep", "model")
_NAME = re.compile(r"[a-z0-9]+(_{1,2}[a-z0-9]+)*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A cohort and a model; `references` names the engines to compare ours with."""

    name: str
    cohort: Cohort
    spec: Spec
    references: tuple[str, ...]


def default_references(spec: Spec) -> tuple[str, ...]:
    """Return the engines that a model is compared with where nothing else is asked: those that have it and are fast."""
    if isinstance(spec, GbtmSpec):
        return _references_of_trajectories(spec)
    if isinstance(spec, RatesSpec | MeansSpec):
        return engines_of("rates" if isinstance(spec, RatesSpec) else "means")
    formula = spec.formula
    if (residual := formula.residual) is not None:
        in_nlme = residual.by is None and residual.structure not in {"ad", "adh"} and spec.weights is None
        return ("nlme",) if in_nlme else ("mmrm",)
    nested = len({random.grouping for random in formula.random}) == 1
    return ("lme4", "nlme", "lmerTest") if nested else ("lme4", "lmerTest")


_REGRESSIONS: Mapping[str, str] = {
    "poisson": "glm",
    "logit": "glm",
    "censored_normal": "survreg",
    "zip": "zeroinfl",
    "beta": "glmmTMB_beta",
}


def _references_of_trajectories(spec: GbtmSpec) -> tuple[str, ...]:
    if spec.family == "gaussian":
        alike = spec.random is None and spec.errors == "independent"
        return ("lcmm", "flexmix") if alike else ("lcmm",)
    if spec.n_classes == 1:
        return (_REGRESSIONS.get(spec.family, "trajeR"),)
    return ("flexmix",) if spec.family in {"poisson", "logit"} else ("trajeR",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """Parameters at which every engine is to evaluate its log-likelihood, without any optimiser."""

    label: str
    point: Point


@dataclass(frozen=True, slots=True, kw_only=True)
class Support:
    """What an engine can do with a model; `reason` says what it can't and why."""

    fit: bool
    objective: bool
    reason: str = ""


class Engine(Protocol):
    """Anything that turns a case into named quantities: R's engines live, or their pins."""

    @property
    def name(self) -> str:
        """The engine's name in cases, pins and reports."""
        ...

    def read(self, case: Case, probes: Sequence[Probe] = (), start: Point | None = None) -> Reading:
        """Return what this engine says about the case.

        It fits from its usual starts, or from `start` alone when that is given, and evaluates its log-likelihood at the
        probes. A pin can do neither: it answers with the fit and the points of its recording. No engine raises for a
        failure of its own, which is a `Reading` with a `failure`.
        """
        ...


def read_case(path: Path) -> Case:
    """Read a case of the project: a TOML file that names a fixture cohort and holds a `[model]`.

    ::

        cohort = "sleepstudy"
        references = ["lme4", "nlme"]
        keep = { visit = ["inf1", "inf2"] }      # optional: the rows that have these levels

        [model]
        kind = "lmm"
        formula = "reaction ~ days + (1 + days | subject)"
        criterion = "REML"

    Raises
    ------
    CaseError
        With everything that is wrong with the file.
    CohortError
        If no fixture cohort has the name, or `keep` names a column or a level that the cohort does not have.
    """
    where = f"case {path.stem}"
    table = _read_toml(path, where)
    problems = _unknown_keys(table, _CASE_KEYS)
    name = table.get("cohort")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        problems.append(Problem(column="cohort", found=repr(name), expected="the name of a fixture cohort"))
    spec, references = _read_model(table, where, problems)
    cohort = keep_levels(fixture_cohort(str(name)), table.get("keep", {}))
    return Case(name=path.stem, cohort=cohort, spec=spec, references=references)


def read_own_case(data: Path, spec_file: Path) -> Case:
    """Read a case from a table of the user and a TOML file with its schema (`read_schema`) and a `[model]`.

    Raises
    ------
    CohortError
        With everything that is wrong with the schema, with the table, or with what `keep` names of it.
    CaseError
        With everything that is wrong with the model.
    """
    return _own_case(data, spec_file, ())


def read_project_case(path: Path) -> Case:
    """Read a case of a project that uses this package, named after its file.

    It is either as `read_case` reads it, on a cohort that comes with the package; or as `read_own_case` does, with the
    table's file beside it: `data = "trial.csv"`.

    Raises
    ------
    CohortError
        With everything that is wrong with the schema, with the table, or with what `keep` names of it.
    CaseError
        With everything that is wrong with the rest.
    """
    where = f"case {path.stem}"
    table = _read_toml(path, where)
    if isinstance(table.get("cohort"), str):
        return read_case(path)
    data = table.get("data")
    if not isinstance(data, str) or not data.strip():
        problem = Problem(column="data", found=repr(data)[:80], expected="the file of a table, or `cohort` with a name")
        raise CaseError(where, [problem])
    return replace(_own_case(path.parent / data, path, ("data",)), name=path.stem)


def _own_case(data: Path, spec_file: Path, also: tuple[str, ...]) -> Case:
    where = f"spec {spec_file.name}"
    table = _read_toml(spec_file, where)
    try:
        schema = read_schema(spec_file, also=("references", "keep", "model", *also))
    except CohortError as error:
        _read_model(table, where, error.problems)  # which raises with the problems of both
        raise
    spec, references = _read_model(table, where)
    cohort = keep_levels(read_cohort(data, schema), table.get("keep", {}))
    return Case(name=data.stem, cohort=cohort, spec=spec, references=references)


def read_model(model: object, where: str) -> FittedSpec:
    """Return the model that a table of TOML states, as `[model]` of a case does; rates and means are none.

    Raises
    ------
    CaseError
        With everything that is wrong with it.
    """
    spec = _read_model({"model": model}, where)[0]
    if isinstance(spec, RatesSpec | MeansSpec):
        problem = Problem(column="kind", found="a comparison of two groups", expected="'lmm' or 'gbtm'")
        raise CaseError(where, [problem])
    return spec


def _read_toml(path: Path, where: str) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CaseError(where, [Problem(found=str(error.strerror), expected="a TOML file")]) from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise CaseError(where, [Problem(found=str(error), expected="TOML in UTF-8")]) from None


def _read_model(table: Mapping[str, Any], where: str, problems: Sequence[Problem] = ()) -> tuple[Spec, tuple[str, ...]]:
    """Return the model and its reference engines, or raise with the problems found before and all of these."""
    model = table.get("model")
    if not isinstance(model, dict) or model.get("kind") not in tuple(KEYS):  # a tuple: TOML's lists have no hash
        what = f"kind = {model.get('kind')!r:.80}" if isinstance(model, dict) else "no [model]"
        problem = Problem(column="model", found=what, expected=f"a kind, one of {', '.join(KEYS)}")
        raise CaseError(where, [*problems, problem])
    found = [*problems, *_model_problems(model), *_choice_problems(table, model["kind"])]
    if isinstance(text := model.get("formula"), str):
        found += _formula_problems(text)
    if found:
        raise CaseError(where, found)
    spec = _spec(model)
    return spec, tuple(table.get("references", default_references(spec)))


def _spec(model: Mapping[str, Any]) -> Spec:
    if model["kind"] == "lmm":
        return LmmSpec(
            formula=parse_formula(model["formula"]),
            criterion=model.get("criterion", "REML"),
            weights=model.get("weights"),
        )
    settings: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in model.items()}
    kind = settings.pop("kind")
    if kind == "rates":
        return RatesSpec(**settings)
    if kind == "means":
        return MeansSpec(**settings)
    return GbtmSpec(**{"time": None, **settings})


def _model_problems(model: Mapping[str, Any]) -> list[Problem]:
    kind = model["kind"]
    keys = KEYS[kind]
    missing = [
        Problem(column=key, found="nothing", expected=f"a value, because kind = {kind!r} needs it")
        for key in sorted(REQUIRED[kind] - model.keys())
    ]
    wrong = [
        Problem(column=key, found=repr(value)[:80], expected=f"a value of type {keys[key].__name__}")
        for key, value in model.items()
        if key in keys and (not isinstance(value, keys[key]) or isinstance(value, bool))
    ]
    if kind == "lmm" and model.get("criterion", "REML") not in get_args(Criterion):
        wrong.append(Problem(column="criterion", found=repr(model["criterion"])[:80], expected="'ML' or 'REML'"))
    return [*_unknown_keys(model, keys), *missing, *wrong]


def _formula_problems(text: str) -> list[Problem]:
    try:
        parse_formula(text)
    except FormulaError as error:
        return [replace(problem, column=f"formula, {problem.column}") for problem in error.problems]
    return []


def _choice_problems(table: Mapping[str, Any], kind: str) -> list[Problem]:
    engines = engines_of(kind)
    references, keep = table.get("references", [engines[0]]), table.get("keep", {})
    problems = []
    if not _is_list_of_text(references) or not references or not set(references) <= set(engines):
        expected = f"a list from {', '.join(engines)}"
        problems.append(Problem(column="references", found=repr(references)[:80], expected=expected))
    elif len(set(references)) < len(references):
        problems.append(Problem(column="references", found=repr(references)[:80], expected="each engine once"))
    if not isinstance(keep, dict) or not all(_is_list_of_text(levels) for levels in keep.values()):
        problems.append(Problem(column="keep", found=repr(keep)[:80], expected="lists of levels by column"))
    return problems


def _unknown_keys(table: Mapping[str, Any], known: Iterable[str]) -> list[Problem]:
    return [
        Problem(
            column=key[:80], found="an unknown key", expected=f"one of {', '.join(known)}", advice=nearest(key, known)
        )
        for key in table
        if key not in known
    ]


def _is_list_of_text(value: object) -> TypeGuard[list[str]]:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)
