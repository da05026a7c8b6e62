"""Take the plan of a study out of a parsed TOML document, value by value."""

from collections.abc import Sequence
from pathlib import Path
from typing import get_args

from harness.cohorts.tables import shown
from harness.cohorts.toml_lines import Keys
from harness.cohorts.toml_values import TomlTable
from harness.errors import nearest
from harness.importing import ImportMapping
from harness.scoring import FollowUp
from harness.study.outcome_reader import DENOMINATORS, NO_MAPPING, OUTCOME_KEYS, OutcomeReader
from harness.study.plan import PrimaryTest, ScalePlan, StudyPlan, TimeAxis

TIME_AXES: tuple[TimeAxis, ...] = get_args(TimeAxis)
PRIMARY_TESTS: tuple[PrimaryTest, ...] = get_args(PrimaryTest)
TOP_KEYS = ("study", "import", "outcomes", "scales", "models", "report", "charts", "fixture")
STUDY_KEYS = ("name", "title", "data", "reference", "seed")
MODEL_KEYS = (
    *("time_axis", "visits", "classes", "order", "starts", "bootstrap_replicates", "chosen", "reason", "predictors"),
)
REPORT_KEYS = ("covariates", "small_cell_limit", "cross_check")
ONLY_PROTOCOL = "all"
"""The label of the protocol in a file that tells none apart."""


class PlanReader(OutcomeReader):
    """Builds a plan of what is written, and remembers what does not fit.

    `folder` is where the study file lies. Without a mapping, because it was unusable, names are not checked against it.
    """

    def __init__(self, source: str, folder: Path, mapping: ImportMapping | None) -> None:
        super().__init__(source, mapping)
        self.folder = folder

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
        """Return the windows that the import declares for follow-up visits, which are whole days."""
        windows = []
        for visit in self.mapping.visits:
            if visit.follow_up is None:
                continue
            first, last = visit.follow_up[0] - visit.follow_up[1], visit.follow_up[0] + visit.follow_up[1]
            if not (first.is_integer() and last.is_integer()):
                found = f"follow_up from {first:g} to {last:g} days"
                self.complain(("import", "visits"), visit.name, found, "whole days")
            windows.append((int(first), int(last)))
        return FollowUp(windows=tuple(windows)) if windows else None

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
