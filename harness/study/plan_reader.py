"""Take the plan of a study out of a parsed TOML document, value by value."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal, TypeVar, get_args

from harness.cohorts.tables import shown
from harness.cohorts.toml_lines import Keys
from harness.cohorts.toml_values import TomlTable, TomlValues
from harness.errors import ScoringError, nearest
from harness.importing import ImportMapping
from harness.scoring import EndOfTreatment, FollowUp, ImprovementRule, RelapseRule, RemissionRule, share
from harness.study.plan import Denominator, PrimaryTest, ScalePlan, StudyPlan, TimeAxis

DENOMINATORS: tuple[Denominator, ...] = get_args(Denominator)
TIME_AXES: tuple[TimeAxis, ...] = get_args(TimeAxis)
PRIMARY_TESTS: tuple[PrimaryTest, ...] = get_args(PrimaryTest)
TOP_KEYS = ("study", "import", "outcomes", "scales", "models", "report", "charts", "fixture")
STUDY_KEYS = ("name", "title", "data", "reference", "seed")
OUTCOME_KEYS = (
    *("response", "partial", "no_benefit", "min_baseline", "denominator", "sensitivity", "carry_baseline"),
    *("primary_test", "adjust_for", "force_different_ends", "end_of_treatment", "alternative_ends"),
)
END_KEYS = ("rule", "window", "target")
SCALE_KEYS = ("remission", "relapse")
REMISSION_KEYS = ("cut", "also_response")
RELAPSE_KEYS = ("by", "cut", "visits", "among")
MODEL_KEYS = (
    *("time_axis", "visits", "classes", "order", "starts", "bootstrap_replicates", "chosen", "reason", "predictors"),
)
REPORT_KEYS = ("covariates", "small_cell_limit", "cross_check")
END_RULES: tuple[Literal["last_preinfusion", "post_last", "window"], ...] = ("last_preinfusion", "post_last", "window")
RELAPSE_BY: tuple[Literal["score", "loss_of_response", "score_and_loss"], ...] = (
    "score",
    "loss_of_response",
    "score_and_loss",
)
AMONG: tuple[Literal["responders", "remitters", "either"], ...] = ("responders", "remitters", "either")
NO_MAPPING = ImportMapping(name="", shape="long", subject="", visits=(), scores=())
ONLY_PROTOCOL = "all"
"""The label of the protocol in a file that tells none apart."""

_Word = TypeVar("_Word", bound=str)
_Made = TypeVar("_Made")


class PlanReader(TomlValues):
    """Builds a plan of what is written, and remembers what does not fit.

    `folder` is where the study file lies. Without a mapping, because it was unusable, names are not checked against it.
    """

    def __init__(self, source: str, folder: Path, mapping: ImportMapping | None) -> None:
        super().__init__(source)
        self.folder = folder
        self.mapping = mapping or NO_MAPPING

    def plan(self, document: TomlTable, stem: str, sha256: str) -> StudyPlan:
        """Return the plan, which is of use only if there are no problems."""
        self.only(document, TOP_KEYS, ())
        study, outcomes, models, report = (
            self._needed(document, key) for key in ("study", "outcomes", "models", "report")
        )
        for table, known, key in (
            (study, STUDY_KEYS, "study"),
            (outcomes, OUTCOME_KEYS, "outcomes"),
            (models, MODEL_KEYS, "models"),
            (report, REPORT_KEYS, "report"),
        ):
            self.only(table, known, (key,))
        improvement = self._improvement(outcomes)
        protocols = self._protocols(study)
        scales = self._scales(document, improvement)
        covariates = [covariate.name for covariate in self.mapping.covariates]
        covariates += ["start_year"] if self.mapping.start_year else []
        visits = [visit.name for visit in self.mapping.visits if not visit.screening]
        modelled = self._some_of(models, "visits", ("models",), visits)
        return StudyPlan(
            name=self.text(study, "name", ("study",)) or stem,
            title=self.text(study, "title", ("study",), required=True),
            data=self.folder / self.text(study, "data", ("study",), required=True),
            mapping=self.mapping,
            protocols=protocols,
            treatment_visits=self._treatment_visits(),
            follow_up_visits=tuple(visit for visit in visits if visit not in self._treatment_visits()),
            model_visits=tuple(visit for visit in visits if visit in modelled),
            scales=scales,
            improvement=improvement,
            end_of_treatment=self._ends(outcomes, protocols),
            force_different_ends=self.flag(outcomes, "force_different_ends", ("outcomes",)),
            alternative_ends=self._alternative_ends(outcomes),
            denominator=self._declared(outcomes, "denominator", ("outcomes",), DENOMINATORS),
            sensitivity_denominators=self._denominators(outcomes),
            carry_baseline=self._carry_baseline(outcomes),
            adjust_for=self._some_of(outcomes, "adjust_for", ("outcomes",), ["baseline", *covariates]),
            time_axis=self._declared(models, "time_axis", ("models",), TIME_AXES),
            primary_test=self._declared(outcomes, "primary_test", ("outcomes",), PRIMARY_TESTS),
            seed=self._whole(study, "seed", ("study",), (0, 2**32 - 1)),
            follow_up=self._follow_up(),
            classes=self._classes(models),
            chosen_classes=self._chosen(models, scales),
            reason_for_classes=self.text(models, "reason", ("models",)),
            order=self._whole(models, "order", ("models",), (0, 5)),
            starts=self._whole(models, "starts", ("models",), (1, 10**6)),
            bootstrap_replicates=self._whole(models, "bootstrap_replicates", ("models",), (0, 10**6), 0),
            predictors=self._some_of(models, "predictors", ("models",), covariates),
            covariates=self._some_of(report, "covariates", ("report",), covariates),
            small_cell_limit=self._whole(report, "small_cell_limit", ("report",), (3, 10**6), 11),
            cross_check=self.flag(report, "cross_check", ("report",), default=True),
            charts=self._charts(document),
            sha256=sha256,
        )

    def _needed(self, document: TomlTable, key: str) -> TomlTable:
        table = self.table(document, key, ())
        if key not in document and key != "report":
            self.complain((), None, f"no [{key}]", "one, because it declares what changes results")
        return table

    def _protocols(self, study: TomlTable) -> dict[str, int]:
        """Return the protocols with their planned treatments, the reference first."""
        planned = {protocol.name: protocol.infusions or 1 for protocol in self.mapping.protocols}
        planned = planned or {ONLY_PROTOCOL: len(self.mapping.infusions)}
        reference = self.text(study, "reference", ("study",)) or next(iter(planned))
        if "reference" not in study and len(planned) > 1:
            expected = f"the protocol that others are compared with: {' or '.join(map(repr, planned))}"
            self.complain(("study",), None, "no `reference` in [study]", expected)
        if reference not in planned:
            if self.mapping.protocols:
                advice = nearest(reference, planned)
                self.complain(("study",), "reference", f"reference {shown(reference)}", " or ".join(planned), advice)
            return planned
        return {reference: planned[reference], **planned}

    def _treatment_visits(self) -> tuple[str, ...]:
        return tuple(visit.name for visit in self.mapping.infusions)

    def _follow_up(self) -> FollowUp | None:
        """Return the windows that the import declares for follow-up visits."""
        windows = [visit.follow_up for visit in self.mapping.visits if visit.follow_up is not None]
        if not windows:
            return None
        return FollowUp(windows=tuple((round(day - slack), round(day + slack)) for day, slack in windows))

    def _improvement(self, outcomes: TomlTable) -> ImprovementRule:
        where: Keys = ("outcomes",)
        for key in ("response", "partial"):
            if key not in outcomes and outcomes:
                expected = f"the least share of the baseline, such as {key} = [1, {2 if key == 'response' else 4}]"
                self.complain(where, None, f"no `{key}` in [outcomes]", expected)
        shares = {
            key: self._made(where, key, lambda key=key: share(_pair(outcomes[key])))  # type: ignore[misc]
            for key in ("response", "partial", "no_benefit")
            if outcomes.get(key, False) is not False
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
        if len(set(ends.values())) > 1 and not forced and not self.problems:
            expected = "one rule, because different ones compare different things"
            advice = "Set force_different_ends = true to compare them all the same; the report will say so."
            self.complain(where, None, "protocols with different ends of treatment", expected, advice)
        return ends

    def _alternative_ends(self, outcomes: TomlTable) -> dict[str, EndOfTreatment]:
        where = ("outcomes", "alternative_ends")
        table = self.table(outcomes, "alternative_ends", ("outcomes",))
        return {name: self._end(table, name, where) for name in table}

    def _end(self, parent: TomlTable, key: str, where: Keys) -> EndOfTreatment:
        table, inside = self.table(parent, key, where), (*where, key)
        self.only(table, END_KEYS, inside)
        rule = self._declared(table, "rule", inside, END_RULES)
        window = self.bounds(table, inside, "window")
        target = self.number(table, "target", inside)
        days = None if window is None else (round(window[0]), round(window[1]))
        made = self._made(
            where,
            key,
            lambda: EndOfTreatment(rule=rule, window=days, target=None if target is None else round(target)),
        )
        return made or EndOfTreatment()

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

    def _classes(self, models: TomlTable) -> tuple[int, ...]:
        values = models.get("classes")
        if isinstance(values, list) and values and all(type(value) is int and 1 <= value <= 12 for value in values):
            return tuple(sorted(set(values)))
        found = "no `classes` in [models]" if values is None else f"classes = {shown(values)}"
        if models:
            self.complain(("models",), "classes", found, "the numbers of classes tried, from 1 to 12")
        return (1,)

    def _chosen(self, models: TomlTable, scales: Sequence[ScalePlan]) -> dict[str, int]:
        table, where = self.table(models, "chosen", ("models",)), ("models", "chosen")
        if scales:
            self.only(table, [scale.name for scale in scales], where)
        chosen = {name: self._whole(table, name, where, (1, 12)) for name in table}
        tried = self._classes(models) if chosen else ()
        for name, number in chosen.items():
            if number not in tried:
                self.complain(("models",), "chosen", f"{number} classes chosen for {name!r}", "one of `classes`")
        if chosen and not self.text(models, "reason", ("models",)):
            self.complain(("models",), "chosen", "classes chosen without a `reason`", "why these and not others")
        return chosen

    def _charts(self, document: TomlTable) -> dict[str, int]:
        table = self.table(document, "charts", ())
        return {step: self._whole(table, step, ("charts",), (0, 10**9)) for step in table}

    def _some_of(self, table: TomlTable, key: str, where: Keys, known: Sequence[str]) -> tuple[str, ...]:
        words = self.texts(table, key, where)
        for word in words if self.mapping is not NO_MAPPING else ():
            if word not in known:
                expected = f"some of {', '.join(known)}" if known else "none, because the import reads none"
                self.complain(where, key, f"{key} names {shown(word)}", expected, nearest(word, known))
        return tuple(dict.fromkeys(words))

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
