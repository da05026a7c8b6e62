"""Take the plan of a campaign out of a parsed TOML document, value by value."""

from collections.abc import Mapping
from dataclasses import replace
from typing import get_args

from harness.campaigns.again import AGAIN
from harness.campaigns.cells import Value
from harness.campaigns.plan import FACTORS, FactorRule, Plan
from harness.cases import read_model
from harness.cohorts.tables import shown
from harness.cohorts.toml_lines import Keys
from harness.cohorts.toml_values import TomlTable, TomlValues, is_number
from harness.errors import CaseError, nearest
from harness.gbtm.spec import HIGHEST_ORDER, Sigma
from harness.lmm.spec import LmmSpec
from harness.roster import engines_of

TOP_KEYS = ("campaign", "factors", "model")
CAMPAIGN_KEYS = ("name", "seed", "replicates", "batch", "stop", "required", "deadline", "references")
GBTM_KEYS = ("kind", "order", "sigma", "n_starts", "seed")
KINDS = tuple(FACTORS)
LARGEST_SEED = 2**63 - 1
BATCH, DEADLINE, STARTS = 50, 60.0, 20


class PlanReader(TomlValues):
    """Builds a plan of what is written, and remembers what does not fit."""

    def plan(self, document: TomlTable) -> Plan:
        """Return the plan, which is of use only if there are no problems."""
        self.only(document, TOP_KEYS, ())
        campaign, model = (self._needed(document, key) for key in ("campaign", "model"))
        self.only(campaign, CAMPAIGN_KEYS, ("campaign",))
        kind = self.choice(model, "kind", ("model",), KINDS, "lmm")
        if model and "kind" not in model:
            self.complain(("model",), None, "no `kind` in [model]", f"one of {', '.join(KINDS)}")
        where = ("campaign",)
        replicates = self.count(campaign, "replicates", where)
        if replicates is None and campaign and "replicates" not in campaign:
            self.complain(where, None, "no `replicates` in [campaign]", "how many each cell has at most")
        return Plan(
            name=self.text(campaign, "name", where, required=True),
            seed=self._whole(campaign, "seed", where, (0, LARGEST_SEED)),
            replicates=replicates or BATCH,
            batch=self._batch(campaign, replicates),
            stop=self._between(campaign, "stop", 0.5),
            required=self._between(campaign, "required", 1.0),
            deadline=self._between(campaign, "deadline", 86_400.0) or DEADLINE,
            references=self._references(campaign, kind),
            factors=self._factors(document, kind),
            model=self._lmm(model) if kind == "lmm" else self._gbtm(model),
        )

    def _needed(self, document: TomlTable, key: str) -> TomlTable:
        if key not in document:
            self.complain((), None, f"no [{key}]", "one, because it declares what changes results")
        return self.table(document, key, ())

    def _batch(self, campaign: TomlTable, replicates: int | None) -> int:
        batch = self.count(campaign, "batch", ("campaign",)) or BATCH
        if replicates is not None and replicates % batch:
            self.complain(("campaign",), "replicates", f"replicates = {replicates}", f"a multiple of batch, {batch}")
        return batch

    def _between(self, campaign: TomlTable, key: str, largest: float) -> float | None:
        """Return a number above zero, None where the key is absent."""
        value = self.number(campaign, key, ("campaign",))
        if value is None or 0 < value <= largest:
            return value
        self.complain(("campaign",), key, f"{key} = {value:g}", f"a number above 0 and up to {largest:g}")
        return None

    def _whole(self, table: TomlTable, key: str, where: Keys, ends: tuple[int, int], default: int | None = None) -> int:
        value = table.get(key, default)
        if isinstance(value, int) and not isinstance(value, bool) and ends[0] <= value <= ends[1]:
            return value
        found = f"no `{key}` in [{'.'.join(where)}]" if value is None else f"{key} = {shown(value)}"
        if table:
            self.complain(where, key, found, f"a whole number from {ends[0]} to {ends[1]}")
        return ends[0]

    def _references(self, campaign: TomlTable, kind: str) -> tuple[str, ...]:
        known = (*engines_of(kind), AGAIN)
        names = self.texts(campaign, "references", ("campaign",))
        for name in names:
            if name not in known:
                expected = f"some of {', '.join(known)}"
                self.complain(("campaign",), "references", f"reference {shown(name)}", expected, nearest(name, known))
        if len(set(names)) < len(names):
            self.complain(("campaign",), "references", f"references {shown(names)}", "each engine once")
        if campaign and not names and campaign.get("references", []) == []:
            self.complain(("campaign",), "references", "no `references` in [campaign]", f"some of {', '.join(known)}")
        return tuple(names)

    def _factors(self, document: TomlTable, kind: str) -> dict[str, tuple[int | float, ...]]:
        table, rules = self.table(document, "factors", ()), FACTORS[kind]
        self.only(table, tuple(rules), ("factors",))
        return {name: self._values(table, name, rule) for name, rule in rules.items()}

    def _values(self, table: TomlTable, name: str, rule: FactorRule) -> tuple[int | float, ...]:
        given = table.get(name, rule.default)
        written = given if isinstance(given, list) else [given]
        values = tuple(rule.value(value) for value in written if is_number(value) and _is_of(value, rule))
        what = "whole numbers" if rule.whole else "numbers"
        if len(values) < len(written) or not written:
            expected = f"{what} from {rule.low:g} to {rule.high:g} ({rule.meaning}), one or a list"
            self.complain(("factors",), name, f"{name} = {shown(given)}", expected)
        elif len(set(values)) < len(values):
            self.complain(("factors",), name, f"{name} = {shown(given)}", "each value once")
        return values or (rule.value(rule.default),)

    def _lmm(self, model: TomlTable) -> dict[str, Value]:
        """Return kind, formula and criterion; the rules of a case's `[model]` are this one's too."""
        try:
            spec = read_model(dict(model), "[model]") if model.get("kind") == "lmm" else None
        except CaseError as error:
            self.problems += [replace(problem, column=f"model.{problem.column}") for problem in error.problems]
            return {"kind": "lmm"}
        if not isinstance(spec, LmmSpec):
            return {"kind": "lmm"}
        return {"kind": "lmm", "formula": str(model["formula"]), "criterion": spec.criterion}

    def _gbtm(self, model: TomlTable) -> dict[str, Value]:
        where = ("model",)
        self.only(model, GBTM_KEYS, where)
        sigmas = tuple(sigma for sigma in get_args(Sigma) if sigma != "visit")
        return {
            "kind": "gbtm",
            "order": self._whole(model, "order", where, (1, HIGHEST_ORDER), 1),
            "sigma": self.choice(model, "sigma", where, sigmas, "shared"),
            "n_starts": self._whole(model, "n_starts", where, (1, 10_000), STARTS),
            "seed": self._whole(model, "seed", where, (0, 2**32 - 1), 1),
        }


def _is_of(value: float, rule: FactorRule) -> bool:
    return rule.low <= value <= rule.high and (not rule.whole or float(value).is_integer())


def default_factors(kind: str, **given: float) -> Mapping[str, int | float]:
    """Return every factor of a kind of data, at its default where it is not given."""
    return {name: rule.value(given.get(name, rule.default)) for name, rule in FACTORS[kind].items()}
