"""Counterexamples as files: JSON of our own, with exact doubles, which no version of Hypothesis or R makes unreadable.

::

    {
     "format": 1,
     "references": ["lme4"],
     "found": {"code": "hessian", "sentence": "...", "date": "2026-11-26", "by": "harness fuzz lmm ...",
               "versions": {"R": "4.2.2", "lme4": "1.1-31"}},
     "note": "What was done about it.",
     "subject": "id", "time": "t",
     "model": {"kind": "lmm", "formula": "y ~ t + (1 | id)", "criterion": "REML"},
     "levels": {"arm": ["four", "six"]},
     "numbers": {"t": [0.0, 1.0], "y": [1.5, null]},
     "labels": {"id": ["s1", "s1"], "arm": ["four", null]}
    }
"""

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from harness.cases import Case
from harness.counterexamples.specimen import Specimen
from harness.errors import CaseError, CohortError, Problem, nearest
from harness.roster import engines_of

FORMAT = 1

_KINDS = ("lmm", "gbtm")

_TEXTS_OF_FOUND = ("code", "sentence", "date", "by")
_REQUIRED: Mapping[str, type] = {
    "format": int,
    "references": list,
    "found": dict,
    "note": str,
    "subject": str,
    "model": dict,
    "numbers": dict,
    "labels": dict,
}
_OPTIONAL: Mapping[str, type] = {"time": str, "levels": dict}


@dataclass(frozen=True, slots=True, kw_only=True)
class Counterexample:
    """A specimen on which engines disagreed, with how it was found and what was done about it.

    `code` is the finding's when it was found, `sentence` its evidence, `by` the command, `date` in ISO 8601.
    """

    specimen: Specimen
    references: tuple[str, ...]
    code: str
    sentence: str
    date: str
    by: str
    note: str
    versions: Mapping[str, str] = field(default_factory=dict)


def write_counterexample(counterexample: Counterexample, path: Path) -> None:
    """Write a counterexample; one value a line, so that a change shows which."""
    specimen = counterexample.specimen
    document: dict[str, Any] = {
        "format": FORMAT,
        "references": list(counterexample.references),
        "found": {
            "code": counterexample.code,
            "sentence": counterexample.sentence,
            "date": counterexample.date,
            "by": counterexample.by,
            "versions": dict(counterexample.versions),
        },
        "note": counterexample.note,
        "subject": specimen.subject,
        "model": dict(specimen.model),
        "levels": {column: list(levels) for column, levels in specimen.levels.items()},
        "numbers": {
            column: [None if math.isnan(value) else value for value in values]
            for column, values in specimen.numbers.items()
        },
        "labels": {column: list(values) for column, values in specimen.labels.items()},
    }
    if specimen.time is not None:
        document["time"] = specimen.time
    text = json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8")


def read_counterexample(path: Path) -> Counterexample:
    """Read a counterexample.

    Raises
    ------
    CaseError
        With everything that is wrong with the file.
    """
    where = f"counterexample {path.name[:80]}"
    document = _document(path, where)
    problems = [*_shape_problems(document)]
    if problems:
        raise CaseError(where, problems)
    problems = [*_content_problems(document)]
    if problems:
        raise CaseError(where, problems)
    found = document["found"]
    specimen = Specimen(
        subject=document["subject"],
        time=document.get("time"),
        numbers={
            column: tuple(math.nan if value is None else float(value) for value in values)
            for column, values in document["numbers"].items()
        },
        labels={column: tuple(values) for column, values in document["labels"].items()},
        levels={column: tuple(levels) for column, levels in document.get("levels", {}).items()},
        model=document["model"],
    )
    return Counterexample(
        specimen=specimen,
        references=tuple(document["references"]),
        **{name: found[name] for name in _TEXTS_OF_FOUND},
        note=document["note"],
        versions=found.get("versions", {}),
    )


def read_counterexample_case(path: Path) -> Case:
    """Return the case that a counterexample is.

    Raises
    ------
    CaseError
        With everything that is wrong with the file, its model or its rows.
    """
    read = read_counterexample(path)
    try:
        return read.specimen.case(path.stem, read.references)
    except CohortError as error:
        raise CaseError(f"counterexample {path.name[:80]}", error.problems) from None


def _document(path: Path, where: str) -> Mapping[str, Any]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"), parse_constant=_no_constant)
    except OSError as error:
        raise CaseError(where, [Problem(found=str(error.strerror), expected="a counterexample")]) from None
    except (ValueError, RecursionError) as error:
        raise CaseError(where, [Problem(found=str(error)[:200], expected="JSON in UTF-8")]) from None
    if not isinstance(document, dict):
        raise CaseError(where, [Problem(found=f"a {type(document).__name__}", expected="an object of JSON")])
    return document


def _no_constant(text: str) -> NoReturn:
    message = f"the number {text}"
    raise ValueError(message)


def _shape_problems(document: Mapping[str, Any]) -> list[Problem]:
    known = {**_REQUIRED, **_OPTIONAL}
    problems = [
        Problem(
            column=key[:80], found="an unknown key", expected=f"one of {', '.join(known)}", advice=nearest(key, known)
        )
        for key in document
        if key not in known
    ]
    problems += [
        Problem(column=key, found="nothing", expected=f"a value of type {kind.__name__}")
        for key, kind in _REQUIRED.items()
        if key not in document
    ]
    problems += [
        Problem(column=key, found=f"{document[key]!r:.80}", expected=f"a value of type {kind.__name__}")
        for key, kind in known.items()
        if key in document and (not isinstance(document[key], kind) or isinstance(document[key], bool))
    ]
    if not problems and document["format"] != FORMAT:
        problems.append(Problem(column="format", found=repr(document["format"])[:80], expected=f"{FORMAT}"))
    return problems


def _content_problems(document: Mapping[str, Any]) -> list[Problem]:
    kind = document["model"].get("kind")
    engines = engines_of(kind) if kind in _KINDS else ()
    problems = []
    references = document["references"]
    if not references or not all(isinstance(name, str) and name in engines for name in references):
        expected = f"a list from {', '.join(engines)}" if engines else "engines of a model of a known kind"
        problems.append(Problem(column="references", found=f"{references!r:.80}", expected=expected))
    found = document["found"]
    problems += [
        Problem(column=f"found.{name}", found=f"{found.get(name)!r:.80}", expected="a text")
        for name in _TEXTS_OF_FOUND
        if not isinstance(found.get(name), str)
    ]
    versions = found.get("versions", {})
    if not isinstance(versions, dict) or not all(isinstance(value, str) for value in versions.values()):
        problems.append(Problem(column="found.versions", found=f"{versions!r:.80}", expected="texts by name"))
    problems += _column_problems(document)
    for key, home in (("subject", document["labels"]), ("time", document["numbers"])):
        name = document.get(key)
        if name is not None and name not in home:
            problems.append(Problem(column=key, found=f"{name!r:.80}", expected=f"one of {', '.join(home)}"[:200]))
    return problems


def _column_problems(document: Mapping[str, Any]) -> list[Problem]:
    problems = []
    tables: tuple[tuple[str, Callable[[object], bool], str], ...] = (
        ("numbers", _is_number, "finite numbers, null where missing"),
        ("labels", lambda value: value is None or isinstance(value, str), "texts, null where missing"),
        ("levels", lambda value: isinstance(value, str), "texts"),
    )
    for key, fits, expected in tables:
        for column, values in document.get(key, {}).items():
            name = f"{key}.{column}"[:80]
            if not isinstance(values, list):
                problems.append(Problem(column=name, found=f"{values!r:.80}", expected=f"a list of {expected}"))
            elif unfit := [value for value in values if not fits(value)]:
                problems.append(Problem(column=name, found=f"{unfit[0]!r:.80}", expected=expected))
    columns = {**document["numbers"], **document["labels"]}
    lengths = sorted({len(values) for values in columns.values() if isinstance(values, list)})
    if len(lengths) > 1:
        problems.append(Problem(found=f"columns of {lengths[0]} to {lengths[-1]} rows", expected="one value a row"))
    problems += [
        Problem(column=column[:80], found="numbers and labels of one name", expected="each column once")
        for column in document["numbers"].keys() & document["labels"].keys()
    ]
    return problems


def _is_number(value: object) -> bool:
    if value is None:
        return True
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    try:
        return math.isfinite(float(value))
    except OverflowError:
        return False
