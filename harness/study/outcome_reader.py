"""Take out of a study file what an outcome is: shares, ends of treatment, remission, relapse, and who counts."""

from collections.abc import Callable, Sequence
from typing import Literal, TypeVar, get_args

from harness.cohorts.tables import shown
from harness.cohorts.toml_lines import Keys
from harness.cohorts.toml_values import TomlTable, TomlValues
from harness.errors import ScoringError
from harness.importing import ImportMapping
from harness.scoring import EndOfTreatment, ImprovementRule, RelapseRule, RemissionRule, share
from harness.study.plan import Denominator, ScalePlan

DENOMINATORS: tuple[Denominator, ...] = get_args(Denominator)
OUTCOME_KEYS = (
    *("response", "partial", "no_benefit", "min_baseline", "denominator", "sensitivity", "carry_baseline"),
    *("primary_test", "adjust_for", "force_different_ends", "end_of_treatment", "alternative_ends"),
)
END_KEYS = ("rule", "window", "target")
SCALE_KEYS = ("remission", "relapse")
REMISSION_KEYS = ("cut", "also_response")
RELAPSE_KEYS = ("by", "cut", "visits", "among")
END_RULES: tuple[Literal["last_preinfusion", "post_last", "window"], ...] = ("last_preinfusion", "post_last", "window")
RELAPSE_BY: tuple[Literal["score", "loss_of_response", "score_and_loss"], ...] = (
    "score",
    "loss_of_response",
    "score_and_loss",
)
AMONG: tuple[Literal["responders", "remitters", "either"], ...] = ("responders", "remitters", "either")
NO_MAPPING = ImportMapping(name="", shape="long", subject="", visits=(), scores=())

_Word = TypeVar("_Word", bound=str)
_Made = TypeVar("_Made")


class OutcomeReader(TomlValues):
    """Reads outcomes; without a mapping, because it was unusable, names are not checked against it."""

    def __init__(self, source: str, mapping: ImportMapping | None) -> None:
        super().__init__(source)
        self.mapping = mapping or NO_MAPPING

    def _improvement(self, outcomes: TomlTable) -> ImprovementRule:
        where: Keys = ("outcomes",)
        for key in ("response", "partial"):
            if key not in outcomes and outcomes:
                expected = f"the least share of the baseline, such as {key} = [1, {2 if key == 'response' else 4}]"
                self.complain(where, None, f"no `{key}` in [outcomes]", expected)
        shares = {
            key: self._made(where, key, lambda key=key: share(_pair(outcomes[key])))  # type: ignore[misc]
            for key in ("response", "partial", "no_benefit")
            if key in outcomes and (outcomes[key] is not False or key == "response")
        }
        least = self._whole(outcomes, "min_baseline", where, (0, 10**6), 0)
        made = self._made(
            where,
            "response",
            lambda: ImprovementRule(
                response=shares.get("response") or ImprovementRule().response,
                partial=shares.get("partial"),
                no_benefit=shares.get("no_benefit"),
                min_baseline=least,
            ),
        )
        return made or ImprovementRule()

    def _ends(self, outcomes: TomlTable, protocols: dict[str, int]) -> dict[str, EndOfTreatment]:
        where = ("outcomes", "end_of_treatment")
        table = self.table(outcomes, "end_of_treatment", ("outcomes",))
        self.only(table, tuple(protocols), where) if self.mapping is not NO_MAPPING else None
        for protocol in protocols if self.mapping is not NO_MAPPING else ():
            if protocol not in table:
                expected = 'a rule for every protocol, such as { rule = "last_preinfusion" }'
                self.complain(where, None, f"no end of treatment of the protocol {protocol!r}", expected)
        ends = {protocol: self._end(table, protocol, where) for protocol in protocols if protocol in table}
        forced = outcomes.get("force_different_ends") is True
        if None not in ends.values() and len(set(ends.values())) > 1 and not forced:
            expected = "one rule, because different ones compare different things"
            advice = "Set force_different_ends = true to compare them all the same; the report will say so."
            self.complain(where, None, "protocols with different ends of treatment", expected, advice)
        return {protocol: end or EndOfTreatment() for protocol, end in ends.items()}

    def _alternative_ends(self, outcomes: TomlTable) -> dict[str, EndOfTreatment]:
        where = ("outcomes", "alternative_ends")
        table = self.table(outcomes, "alternative_ends", ("outcomes",))
        return {name: self._end(table, name, where) or EndOfTreatment() for name in table}

    def _end(self, parent: TomlTable, key: str, where: Keys) -> EndOfTreatment | None:
        """Return a rule, None if what is written makes none."""
        table, inside, before = self.table(parent, key, where), (*where, key), len(self.problems)
        self.only(table, END_KEYS, inside)
        rule = self._declared(table, "rule", inside, END_RULES)
        window, target = self.bounds(table, inside, "window"), self.number(table, "target", inside)
        for name, days in (("window", window or ()), ("target", () if target is None else (target,))):
            if not all(day.is_integer() for day in days):
                self.complain(where, key, f"{key}: {name} with parts of days", "whole days")
        if len(self.problems) > before:
            return None
        return self._made(
            where,
            key,
            lambda: EndOfTreatment(
                rule=rule,
                window=None if window is None else (int(window[0]), int(window[1])),
                target=None if target is None else int(target),
            ),
        )

    def _scales(self, document: TomlTable, improvement: ImprovementRule) -> tuple[ScalePlan, ...]:
        tables = self.table(document, "scales", ())
        scores = {score.name: score for score in self.mapping.all_scores}
        if scores:
            self.only(tables, tuple(scores), ("scales",))
        for name, score in scores.items():
            if name not in tables:
                self.complain(("scales",), None, f"no [scales.{name}]", "one for every score of [import.scores]")
            if score.scale is None:
                expected = "a built-in one or a TOML file, under `instrument` of [import.scores]"
                self.complain(("import", "scores"), name, f"the score {name!r} without a known scale", expected)
        return tuple(
            self._scale(
                self.table(tables, name, ("scales",)), name, score.scale.name if score.scale else "", improvement
            )
            for name, score in scores.items()
            if name in tables
        )

    def _scale(self, table: TomlTable, name: str, instrument: str, improvement: ImprovementRule) -> ScalePlan:
        where = ("scales", name)
        self.only(table, SCALE_KEYS, where)
        if "remission" not in table:
            self.complain(where, None, f"no `remission` in [scales.{name}]", "the highest score in remission")
        also = None
        if isinstance(table.get("remission"), dict):
            inner = self.table(table, "remission", where)
            self.only(inner, REMISSION_KEYS, (*where, "remission"))
            cut = self._whole(inner, "cut", (*where, "remission"), (0, 10**6))
            also = improvement if self.flag(inner, "also_response", (*where, "remission")) else None
        else:
            cut = self._whole(table, "remission", where, (0, 10**6), 0)
        relapse = self._relapse(table, where) if "relapse" in table else None
        return ScalePlan(name=name, instrument=instrument, remission=RemissionRule(cut=cut, also=also), relapse=relapse)

    def _relapse(self, parent: TomlTable, where: Keys) -> RelapseRule | None:
        table, inside = self.table(parent, "relapse", where), (*where, "relapse")
        self.only(table, RELAPSE_KEYS, inside)
        by = self._declared(table, "by", inside, RELAPSE_BY)
        among = self._declared(table, "among", inside, AMONG)
        cut = self._whole(table, "cut", inside, (0, 10**6)) if "cut" in table else None
        visits = self._whole(table, "visits", inside, (1, 2))
        return self._made(where, "relapse", lambda: RelapseRule(by=by, cut=cut, visits=visits or 1, among=among))

    def _denominators(self, outcomes: TomlTable) -> tuple[Denominator, ...]:
        words = self.texts(outcomes, "sensitivity", ("outcomes",))
        for word in words:
            if word not in DENOMINATORS:
                self.complain(
                    ("outcomes",),
                    "sensitivity",
                    f"sensitivity names {shown(word)}",
                    f"some of {', '.join(DENOMINATORS)}",
                )
        return tuple(word for word in DENOMINATORS if word in words)

    def _carry_baseline(self, outcomes: TomlTable) -> bool:
        used = [outcomes.get("denominator"), *self.texts(outcomes, "sensitivity", ("outcomes",))]
        if "locf" in used and "carry_baseline" not in outcomes:
            expected = "whether the baseline may be carried forward, true or false"
            self.complain(("outcomes",), None, "no `carry_baseline` beside 'locf'", expected)
        return self.flag(outcomes, "carry_baseline", ("outcomes",))

    def _declared(self, table: TomlTable, key: str, where: Keys, known: Sequence[_Word]) -> _Word:
        """Return one of the known words; there is no default."""
        if key not in table:
            if table or len(where) > 1:
                self.complain(where, None, f"no `{key}` in [{'.'.join(where)}]", f"one of {', '.join(known)}")
            return known[0]
        word = self.choice(table, key, where, known, known[0])
        return next(entry for entry in known if entry == word)

    def _whole(
        self, table: TomlTable, key: str, where: Keys, limits: tuple[int, int], default: int | None = None
    ) -> int:
        """Return a whole number within limits; without a default it must be there."""
        value = table.get(key, default)
        if type(value) is int and limits[0] <= value <= limits[1]:
            return value
        if key in table or table or len(where) > 1:
            found = f"{key} = {shown(value)}" if key in table else f"no `{key}` in [{'.'.join(where)}]"
            self.complain(where, key, found, f"a whole number from {limits[0]} to {limits[1]}")
        return limits[0]

    def _made(self, where: Keys, key: str, make: Callable[[], _Made]) -> _Made | None:
        """Return what is made, or None and what the rule itself complains of."""
        try:
            return make()
        except ScoringError as error:
            for problem in error.problems:
                self.complain(where, key, f"{key}: {problem.found}", problem.expected, problem.advice)
            return None


def _pair(value: object) -> float | tuple[int, int]:
    """Return a share as it is written: a number, or numerator and denominator; `share` refuses the rest."""
    if isinstance(value, list) and len(value) == 2:
        return value[0], value[1]
    return value  # type: ignore[return-value]
