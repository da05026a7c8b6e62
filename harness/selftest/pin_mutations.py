"""Pins that do not belong to what is there today, or were edited: they are stale, and stale is no agreement."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from harness.arrays import Vector
from harness.cases import Case
from harness.cohorts.cohort import Cohort
from harness.gbtm.spec import GbtmSpec
from harness.lmm.spec import LmmSpec
from harness.quantities import Reading
from harness.references.pins import pin_path
from harness.selftest.mutation import Corruption, Mutation
from harness.selftest.pinned import Pinned
from harness.two_samples.spec import RatesSpec

WHOLE = "the pin"
"""What a stale pin is a corruption of: not one number, but all of them."""


def _read_for(change: Callable[[Case], Case]) -> Callable[[Pinned], Iterator[Corruption]]:
    def corruptions(pinned: Pinned) -> Iterator[Corruption]:
        yield _whole(pinned.engine.read(change(pinned.case)))

    return corruptions


def _another_cohort(case: Case) -> Case:
    """Return the case with one number of its cohort in the last place: what a corrected typing error may be."""
    cohort = case.cohort
    name = min(cohort.numeric)
    values = cohort.numeric[name].copy()
    present = int((values == values).argmax())  # noqa: PLR0124  # the first that is not NaN
    values[present] += 1.0
    values.flags.writeable = False
    return replace(case, cohort=_with_column(cohort, name, values))


def _with_column(cohort: Cohort, name: str, values: Vector) -> Cohort:
    return replace(cohort, numeric={**cohort.numeric, name: values})


def _another_model(case: Case) -> Case:
    """Return the case with a model that says something else."""
    spec = case.spec
    if isinstance(spec, LmmSpec):
        return replace(case, spec=replace(spec, criterion="ML" if spec.criterion == "REML" else "REML"))
    if isinstance(spec, GbtmSpec):
        return replace(case, spec=replace(spec, n_starts=spec.n_starts + 1))
    return replace(case, spec=replace(spec, by=f"{spec.by}_") if isinstance(spec, RatesSpec) else replace(spec, by="_"))


def _another_source(pinned: Pinned) -> Iterator[Corruption]:
    yield _whole(replace(pinned.engine, r_source="0" * 64).read(pinned.case))


def _edited(edit: Callable[[dict[str, Any]], bool]) -> Callable[[Pinned], Iterator[Corruption]]:
    """Return the mutation of the pin's file; `edit` says whether there was something to edit."""

    def corruptions(pinned: Pinned) -> Iterator[Corruption]:
        original = pin_path(pinned.engine.folder, pinned.case.name, pinned.reference)
        document = json.loads(original.read_text(encoding="utf-8"))
        if edit(document):
            yield _whole(read_text(pinned, json.dumps(document)))

    return corruptions


def read_text(pinned: Pinned, text: str, encoding: str = "utf-8") -> Reading:
    """Return what the pin says if its file holds this text."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        pin_path(folder, pinned.case.name, pinned.reference).write_text(text, encoding=encoding)
        return replace(pinned.engine, folder=folder).read(pinned.case)


def _whole(right: Reading) -> Corruption:
    return Corruption(paths=(WHOLE,), right=right)


def _excused(document: dict[str, Any]) -> bool:
    document["sealed"]["not_given"][""] = "R does not give it"
    return True


def _first_value_gone(document: dict[str, Any]) -> bool:
    for values in document["quantities"].values():
        if values:
            del values[min(values)]
            return True
    return False


def _slightly_edited(document: dict[str, Any]) -> bool:
    """Move one estimate by less than any limit: the judge can't see it, the seal does."""
    for values in document["quantities"].values():
        for path, value in values.items():
            if isinstance(value, float) and value:
                values[path] = value * (1 + 1e-7)
                return True
    return False


def _objectives_gone(document: dict[str, Any]) -> bool:
    had = bool(document["objective"])
    document["objective"] = []
    return had


def _evidence_gone(document: dict[str, Any]) -> bool:
    had = document["evidence"] is not None
    document["evidence"] = None
    return had


def _version_edited(document: dict[str, Any]) -> bool:
    document["sealed"]["versions"]["R"] = "9.9.9"
    return True


PIN_MUTATIONS = (
    Mutation(
        name="stale cohort", sentence="A number of the cohort was changed.", corruptions=_read_for(_another_cohort)
    ),
    Mutation(name="stale model", sentence="The model was changed.", corruptions=_read_for(_another_model)),
    Mutation(name="stale R source", sentence="The R source was changed.", corruptions=_another_source),
    Mutation(
        name="edited value", sentence="A value of a pin was edited by 1e-7.", corruptions=_edited(_slightly_edited)
    ),
    Mutation(name="cut value", sentence="A value was cut out of a pin.", corruptions=_edited(_first_value_gone)),
    Mutation(
        name="cut log-likelihoods",
        sentence="The log-likelihoods at given parameters were cut out of a pin.",
        corruptions=_edited(_objectives_gone),
    ),
    Mutation(
        name="cut input",
        sentence="What the reference was given was cut out of a pin.",
        corruptions=_edited(_evidence_gone),
    ),
    Mutation(
        name="excused", sentence="An excuse for everything was written into a pin.", corruptions=_edited(_excused)
    ),
    Mutation(name="edited version", sentence="A version was edited in a pin.", corruptions=_edited(_version_edited)),
)
"""What may go wrong with the files."""
