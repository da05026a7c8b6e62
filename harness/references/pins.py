"""Pins: what a reference engine said, recorded with its provenance, so that it can be compared without R.

A pin is JSON with one scalar a line, sorted keys and doubles in their shortest exact form. Quantities, evidence and
objective values are judged against ours; besides, they and what is not judged (versions, hashes, sentences) are sealed
by digests, so that no edit by hand passes for a recording.
"""

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from harness.cases import Case, Probe, Spec
from harness.convergence import Convergence, Stop
from harness.errors import CaseError, Problem
from harness.gbtm.spec import GbtmSpec
from harness.quantities import Failure, InputEvidence, Kind, ObjectiveValue, Point, Quantity, Reading, Value
from harness.roster import roster

FORMAT = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Hashes:
    """What a pin was recorded from; a pin whose hashes differ from today's is stale.

    `r_source` is the `source_hash` of the engine: of R's files, or of a Python package's adapter.
    """

    cohort: str
    model: str
    r_source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """A recorded reading: `reason` says why it was recorded, `hashes` from what."""

    case: str
    engine: str
    recorded: str
    reason: str
    hashes: Hashes
    reading: Reading


_FIRST_FIELDS = {"outcome", "time", "subject", "orders", "family", "sigma", "n_starts", "seed"}


def _model_record(spec: Spec) -> dict[str, Any]:
    """Return what a spec says; what trajectory models could not yet say in the first pins only where it says more."""
    record = asdict(spec)
    if not isinstance(spec, GbtmSpec):
        return record
    defaults = {field.name: field.default for field in fields(spec)}
    return {name: value for name, value in record.items() if name in _FIRST_FIELDS or value != defaults[name]}


def hashes_of(case: Case, r_source: str) -> Hashes:
    """Return the hashes that a pin of this case must carry."""
    return Hashes(cohort=case.cohort.sha256, model=_sha256(_model_record(case.spec)), r_source=r_source)


def new_pin(case: Case, reading: Reading, r_source: str, reason: str) -> Pin:
    """Return the pin of a reading that was just made.

    Raises
    ------
    CaseError
        If the reading has a failure or a value that is not finite, or no reason is given.
    """
    problems = []
    if reading.failure is not None:
        problems.append(Problem(found=f"no result: {reading.failure.sentence}", expected="a fit to record"))
    if not reason.strip():
        problems.append(Problem(found="no reason", expected="a sentence that says why the pin is recorded"))
    problems += [
        Problem(column=quantity.path, found=repr(quantity.value), expected="a finite number")
        for quantity in reading.quantities
        if isinstance(quantity.value, float) and not math.isfinite(quantity.value)
    ]
    if problems:
        raise CaseError(f"pin of {case.name} by {reading.engine}", problems)
    return Pin(
        case=case.name,
        engine=reading.engine,
        recorded=datetime.now(UTC).date().isoformat(),
        reason=reason,
        hashes=hashes_of(case, r_source),
        reading=reading,
    )


def pin_path(folder: Path, case: str, engine: str) -> Path:
    """Return where the pin of a case and an engine lies."""
    return folder / f"{case}.{engine}.json"


def write_pin(pin: Pin, folder: Path) -> Path:
    """Write the pin and return its path."""
    path = pin_path(folder, pin.case, pin.engine)
    path.write_text(json.dumps(_document(pin), indent=1, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def read_pin(path: Path) -> Pin:
    """Read a pin.

    Raises
    ------
    CaseError
        If the file is not a pin, or anything in it was changed by hand.
    """
    where = f"pin {path.name}"
    try:
        document = json.loads(path.read_text(encoding="utf-8-sig"))
        pin = _pin(document)
        sealed = document["sealed"]
        intact = sealed["digest"] == _digest(sealed) and sealed["parts"] == _parts(pin.reading)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, OSError) as error:
        problem = Problem(found=f"{type(error).__name__}: {error}", expected="a pin as `harness record` writes it")
        raise CaseError(where, [problem]) from error
    if not intact:
        problem = Problem(
            found="its content is not what was sealed when it was recorded",
            expected="an unedited file",
            advice="Record it again.",
        )
        raise CaseError(where, [problem])
    return pin


def stale_reasons(pin: Pin, case: Case, r_source: str, path: Path) -> tuple[str, ...]:
    """Return why the pin does not belong to what is there today; empty if it does."""
    today = hashes_of(case, r_source)
    found = [
        f"the {name} has changed since it was recorded"
        for name, then, now in (
            ("cohort", pin.hashes.cohort, today.cohort),
            ("model", pin.hashes.model, today.model),
            ("R source" if pin.engine in roster() else "adapter", pin.hashes.r_source, today.r_source),
        )
        if then != now
    ]
    if path != pin_path(path.parent, pin.case, pin.engine):
        found.append(f"it says that it belongs to case {pin.case!r} and engine {pin.engine!r}")
    return tuple(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class PinnedEngine:
    """A reference engine that answers from its pins; `r_source` is the `source_hash` of what it would run today."""

    name: str
    folder: Path
    r_source: str

    def read(
        self,
        case: Case,
        probes: Sequence[Probe] = (),  # noqa: ARG002  # a pin was recorded at points of its own
        start: Point | None = None,  # noqa: ARG002  # and can't be started anew
    ) -> Reading:
        """Return the recorded reading; its objective holds the probes of the recording."""
        path = pin_path(self.folder, case.name, self.name)
        if not path.exists():
            sentence = f"{self.name} is not installed and has no recorded result for this case."
            return self._failed(Failure(reason="absent", sentence=sentence))
        try:
            pin = read_pin(path)
        except CaseError as error:
            return self._failed(Failure(reason="stale", sentence=str(error)))
        reasons = stale_reasons(pin, case, self.r_source, path)
        if reasons:
            sentence = f"The pin {path.name} is stale: {'; '.join(reasons)}. Record it again, or undo the change."
            return self._failed(Failure(reason="stale", sentence=sentence))
        return pin.reading

    def _failed(self, failure: Failure) -> Reading:
        return Reading(engine=self.name, source="pinned", versions={}, failure=failure)


def moves(before: Pin | None, after: Pin) -> tuple[str, ...]:
    """Return a line for each quantity that a new recording changes, old -> new; one line for a first recording."""
    if before is None:
        return (f"first recording, {len(after.reading.quantities)} values",)
    old = {quantity.path: quantity.value for quantity in before.reading.quantities}
    new = {quantity.path: quantity.value for quantity in after.reading.quantities}
    return tuple(
        f"{path}: {old.get(path, 'absent')!r} -> {new.get(path, 'absent')!r}"
        for path in sorted(old.keys() | new.keys())
        if old.get(path) != new.get(path)
    )


def _document(pin: Pin) -> dict[str, Any]:
    reading = pin.reading
    convergence = reading.convergence
    sealed: dict[str, Any] = {
        "recorded": pin.recorded,
        "reason": pin.reason,
        "hashes": asdict(pin.hashes),
        "versions": dict(reading.versions),
        "convergence": None if convergence is None else asdict(convergence),
        "conventions": list(reading.conventions),
        "not_given": dict(reading.not_given),
        "warnings": list(reading.warnings),
        "parts": _parts(reading),
    }
    sealed["digest"] = _digest(sealed)
    quantities: dict[str, dict[str, Any]] = {}
    for quantity in reading.quantities:
        quantities.setdefault(quantity.kind.value, {})[quantity.path] = quantity.value
    return {
        "format": FORMAT,
        "case": pin.case,
        "engine": pin.engine,
        "sealed": sealed,
        "evidence": None if reading.evidence is None else _evidence(reading.evidence),
        "objective": [asdict(value) for value in reading.objective],
        "quantities": quantities,
    }


def _parts(reading: Reading) -> dict[str, Any]:
    """Return what a pin must contain, so that a value that was edited or cut out shows, however small the change.

    The judge would miss some edits: -theta is the same model as theta. Quantities count to 8 digits, and classes as
    they stand together, whatever their numbers: a reader may renumber the classes of a pin, and a platform may round
    the last digit of a number otherwise.
    """
    classes: dict[int | None, list[str]] = {}
    for quantity in reading.quantities:
        path = quantity.path if quantity.latent_class is None else quantity.path.split(".", 1)[1]
        classes.setdefault(quantity.latent_class, []).append(f"{quantity.kind.value} {path} {_rounded(quantity.value)}")
    shared = sorted(classes.pop(None, []))
    values = [shared, *sorted(sorted(lines) for lines in classes.values())]
    evidence = reading.evidence
    seen = [] if evidence is None else [evidence.n_observations, evidence.n_subjects, evidence.outcome_sum]
    if evidence is not None and evidence.echo_is_exact is not None:  # which the first pins could not say
        seen.append(evidence.echo_is_exact)
    sums = [] if evidence is None else sorted(evidence.design_sums.items())
    return {
        "evidence": _sha256([[_rounded(value) for value in seen], [(name, _rounded(value)) for name, value in sums]]),
        "objective": _sha256([(v.label, *map(_rounded, (*v.point, v.log_likelihood))) for v in reading.objective]),
        "values": _sha256(values),
    }


def _evidence(evidence: InputEvidence) -> dict[str, Any]:
    record = asdict(evidence)
    if evidence.echo_is_exact is None:
        del record["echo_is_exact"]
    return record


def _sha256(content: object) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _rounded(value: Value) -> str:
    return f"{value:.8g}" if isinstance(value, float) else repr(value)


def _digest(sealed: Mapping[str, Any]) -> str:
    return _sha256({key: value for key, value in sealed.items() if key != "digest"})


def _pin(document: Mapping[str, Any]) -> Pin:
    sealed = document["sealed"]
    if document["format"] != FORMAT:
        msg = f"format {document['format']!r}, not {FORMAT}"
        raise ValueError(msg)
    convergence = sealed["convergence"]
    reading = Reading(
        engine=document["engine"],
        source="pinned",
        versions={**sealed["versions"], "recorded": sealed["recorded"]},
        evidence=None if document["evidence"] is None else InputEvidence(**document["evidence"]),
        quantities=tuple(
            Quantity(path=path, kind=Kind(kind), value=value, latent_class=_latent_class(path))
            for kind, values in document["quantities"].items()
            for path, value in values.items()
        ),
        objective=tuple(
            ObjectiveValue(label=row["label"], point=tuple(row["point"]), log_likelihood=row["log_likelihood"])
            for row in document["objective"]
        ),
        convergence=None if convergence is None else Convergence(**{**convergence, "stop": Stop(convergence["stop"])}),
        conventions=tuple(sealed["conventions"]),
        not_given=sealed["not_given"],
        warnings=tuple(sealed["warnings"]),
    )
    return Pin(
        case=document["case"],
        engine=document["engine"],
        recorded=sealed["recorded"],
        reason=sealed["reason"],
        hashes=Hashes(**sealed["hashes"]),
        reading=reading,
    )


def _latent_class(path: str) -> int | None:
    return int(path.removeprefix("class[").split("]", 1)[0]) if path.startswith("class[") else None
