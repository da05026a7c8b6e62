"""What claims are of: a TOML file with the schema of the data, models by name, and derived columns.

::

    [cohort]                          # and [columns...], [file]: the schema, as for `harness compare`
    name = "my trial"

    [models.slopes]                   # a claim names it in its column `model`
    kind = "lmm"
    formula = "madrs ~ week * protocol + (1 + week | subject)"
    df = "satterthwaite"              # optional: how its tests have their degrees of freedom
    keep = { visit = ["inf1", "inf2"] }   # optional: the rows that have these levels

    [derived.response]                # a claim names it as its outcome or event
    from = "madrs"
    baseline = { visit = "inf1" }
    make = "response"                 # or "change", "percent_change"
    share = "1/2"                     # of the baseline, for a response

A `[model]`, as `harness compare` has it, is a model named "model".
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

from harness.cases import FittedSpec, read_model
from harness.claims.condition import Condition
from harness.claims.derived import MAKINGS, Derived, Making
from harness.cohorts import Schema, read_schema
from harness.cohorts.tables import shown
from harness.cohorts.toml_values import TomlTable, TomlValues
from harness.errors import CaseError, ClaimsError, CohortError, Problem
from harness.gbtm.spec import GbtmSpec
from harness.lmm.inference.methods import METHODS, MethodName

KEYS = ("references", "keep", "model", "models", "derived")
DERIVED_KEYS = ("from", "baseline", "make", "share")
_SHARE = re.compile(r"([0-9]{1,4})(?:/([0-9]{1,4})|\.([0-9]{1,6}))?")


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelChoice:
    """A model, the rows it is fitted to, and how its tests have their degrees of freedom."""

    spec: FittedSpec
    keep: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    df: MethodName = "satterthwaite"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimsSpec:
    """What claims are of; `keep` holds for all of them."""

    name: str
    schema: Schema
    keep: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    models: Mapping[str, ModelChoice] = field(default_factory=dict)
    derived: tuple[Derived, ...] = ()


def read_claims_spec(path: Path | str) -> ClaimsSpec:
    """Return what a TOML file says that claims are of; the module's docstring shows the format.

    Raises
    ------
    ClaimsError
        The file can't be read, or with everything that is wrong with its schema, models and derived columns.
    """
    path = Path(path)
    where = f"spec {path.name}"
    try:
        text = path.read_bytes().decode("utf-8")
        document = tomllib.loads(text)
    except OSError as error:
        raise ClaimsError(where, [Problem(found=f"{error.strerror}", expected="a TOML file")]) from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise ClaimsError(where, [Problem(found=f"{error}", expected="TOML in UTF-8")]) from None
    reader = _Reader(text)
    keep = reader.levels(document, ())
    models, problems = _models(document, reader)
    derived = reader.derived(document)
    try:
        schema = read_schema(path, also=KEYS)
    except CohortError as error:
        raise ClaimsError(where, [*error.problems, *reader.problems, *problems]) from None
    if reader.problems or problems:
        raise ClaimsError(where, [*reader.problems, *problems])
    return ClaimsSpec(name=path.stem, schema=schema, keep=keep, models=models, derived=derived)


class _Reader(TomlValues):
    """Takes the parts of a spec that are no schema."""

    def levels(self, table: TomlTable, where: tuple[str, ...]) -> Mapping[str, tuple[str, ...]]:
        """Return the levels to keep, by column."""
        own = self.table(table, "keep", where)
        return {column: tuple(self.texts(own, column, (*where, "keep"))) for column in own}

    def derived(self, document: TomlTable) -> tuple[Derived, ...]:
        """Return the rules of derived columns."""
        tables = self.table(document, "derived", ())
        return tuple(self._derived(name, self.table(tables, name, ("derived",))) for name in tables)

    def method(self, table: TomlTable, where: tuple[str, ...]) -> MethodName:
        """Return how tests have their degrees of freedom."""
        word = self.choice(table, "df", where, METHODS, "satterthwaite")
        return next(method for method in METHODS if method == word)

    def _derived(self, name: str, table: TomlTable) -> Derived:
        where = ("derived", name)
        self.only(table, DERIVED_KEYS, where)
        word = self.choice(table, "make", where, MAKINGS, "")
        making: Making = next((known for known in MAKINGS if known == word), "change")
        share = self._share(table, where)
        if (making == "response") != (share is not None) and word:
            found = "no `share`" if share is None else f"a share for {word}"
            self.complain(where, "share", found, "a share of the baseline for a response, and for nothing else")
        baseline = self.table(table, "baseline", where)
        conditions = tuple(
            Condition(column=column, value=self.text(baseline, column, (*where, "baseline"))) for column in baseline
        )
        if not conditions:
            self.complain(where, "baseline", "no baseline", 'where it stands, such as { visit = "inf1" }')
        source = self.text(table, "from", where)
        if not source:
            self.complain(where, "from", "nothing", "the name of a numeric column")
        return Derived(name=name, source=source, baseline=conditions, making=making, share=share)

    def _share(self, table: TomlTable, where: tuple[str, ...]) -> Fraction | None:
        value = table.get("share")
        if value is None:
            return None
        text = str(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else ""
        share = Fraction(text) if _SHARE.fullmatch(text) and not text.endswith("/0") else Fraction(0)
        if not 0 < share <= 1:
            self.complain(where, "share", f"share = {shown(value)}", 'a share such as "1/2" or 0.5')
            return None
        return share


def _models(document: Mapping[str, object], reader: _Reader) -> tuple[dict[str, ModelChoice], list[Problem]]:
    tables: dict[str, object] = dict(reader.table(document, "models", ()))
    places: dict[str, tuple[str, ...]] = {name: ("models", name) for name in tables}
    if "model" in document:
        tables["model"], places["model"] = document["model"], ("model",)
    models, problems = {}, []
    for name, table in tables.items():
        own = dict(table) if isinstance(table, dict) else {}
        keep, df = reader.levels(own, places[name]), reader.method(own, places[name])
        stated = {key: value for key, value in own.items() if key not in {"keep", "df"}}
        try:
            spec = read_model(stated if isinstance(table, dict) else table, name)
        except CaseError as error:
            place = ".".join(places[name])
            problems += [
                Problem(
                    column=f"{place}, {problem.column}",
                    found=problem.found,
                    expected=problem.expected,
                    advice=problem.advice,
                )
                for problem in error.problems
            ]
            continue
        if isinstance(spec, GbtmSpec) and "df" in own:
            reader.complain(places[name], "df", "df for a trajectory model", "none, because it has z tests")
        models[name] = ModelChoice(spec=spec, keep=keep, df=df)
    return models, problems
