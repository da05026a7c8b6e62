"""Reading a file of requirements, with all that is wrong with it at once."""

import re
import tomllib
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.certification.requirement import PHASES, Outside, Requirement, RequirementSet
from harness.errors import CaseError, Problem, nearest

_DEMANDED = ("cases", "engines", "quantities")
_KEYS = ("id", "statement", *_DEMANDED, "also", "check")
_OUTSIDE_KEYS = ("statement", "reason")
_IDENTIFIER = re.compile(rf"({'|'.join(PHASES)})-[A-Z0-9]+(-[A-Z0-9]+)*")


def read_requirements(path: Path, checks: Collection[str]) -> RequirementSet:
    """Read a TOML file of requirements.

    ::

        [[requirement]]
        id = "OQ-KR-1"
        statement = "Degrees of freedom by Kenward and Roger equal pbkrtest's."
        engines = ["pbkrtest"]                    # `cases`, `engines`, `quantities`: patterns, all if left out
        quantities = ["kenward-roger.*.df*"]
        also = ["optimum.covariance"]             # counts where it is compared, and need not be

        [[requirement]]
        id = "IQ-PACKAGES"
        statement = "Python and its packages have the versions that the package asks for."
        check = "packages"                        # one of `checks`

        [[outside]]
        statement = "Forecasts."
        reason = "No case of the project has them."

    Raises
    ------
    CaseError
        With everything that is wrong: no TOML, unknown or missing keys, an identifier that is none or given twice, no
        such check, a requirement that is shown by nothing, by everything, or by a check and patterns together.
    """
    where = path.name
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise CaseError(where, [Problem(found=str(error), expected="a readable TOML file")]) from error
    requirements, outside = _tables(document, "requirement"), _tables(document, "outside")
    problems = [*_problems_of_the_file(document, requirements)]
    for k, table in enumerate(requirements, start=1):
        problems += _problems(table, f"requirement {k}", checks)
    for k, table in enumerate(outside, start=1):
        place = f"outside {k}"
        problems += [*_key_problems(table, place, _OUTSIDE_KEYS), *_text_problems(table, place, _OUTSIDE_KEYS)]
    if problems:
        raise CaseError(where, problems)
    return RequirementSet(
        requirements=tuple(map(_requirement, requirements)), outside=tuple(Outside(**table) for table in outside)
    )


def _requirement(table: Mapping[str, Any]) -> Requirement:
    chosen = {} if "check" in table else {key: tuple(table.get(key, ("*",))) for key in _DEMANDED}
    return Requirement(
        identifier=table["id"],
        statement=table["statement"],
        also=tuple(table.get("also", ())),
        check=table.get("check", ""),
        **chosen,
    )


def _tables(document: Mapping[str, Any], key: str) -> Sequence[Mapping[str, Any]]:
    """Return the tables; none where they are no list of tables, which is told elsewhere."""
    tables = document.get(key, [])
    return tables if isinstance(tables, list) and all(isinstance(table, dict) for table in tables) else []


def _problems_of_the_file(document: Mapping[str, Any], requirements: Sequence[Mapping[str, Any]]) -> Iterator[Problem]:
    for key in document:
        if key not in {"requirement", "outside"}:
            yield Problem(found=f"unknown key {key!r:.80}", expected="only [[requirement]] and [[outside]] tables")
        elif not _tables(document, key):
            yield Problem(column=key, found="no list of tables", expected=f"[[{key}]] tables")
    if "requirement" not in document:
        yield Problem(found="no requirement", expected="[[requirement]] tables")
    identifiers = Counter(str(table.get("id")) for table in requirements if "id" in table)
    for identifier, times in identifiers.items():
        if times > 1:
            yield Problem(found=f"id {identifier!r:.80} {times} times", expected="an identifier of its own for each")


def _problems(table: Mapping[str, Any], place: str, checks: Collection[str]) -> Iterator[Problem]:
    yield from _key_problems(table, place, ("id", "statement"), _KEYS)
    yield from _text_problems(table, place, ("id", "statement", "check"))
    identifier = table.get("id")
    if isinstance(identifier, str) and identifier.strip() and not _IDENTIFIER.fullmatch(identifier):
        expected = f"{', '.join(PHASES)} followed by dashes, capitals and digits, as OQ-KR-1"
        yield Problem(column=place, found=f"id = {identifier!r:.80}", expected=expected)
    chosen = [key for key in _DEMANDED if key in table]
    for key in (key for key in (*chosen, "also") if key in table):
        value = table[key]
        if not (isinstance(value, list) and value and all(isinstance(item, str) and item for item in value)):
            yield Problem(column=place, found=f"{key} = {value!r:.80}", expected="a list of patterns")
    if "check" in table and chosen:
        yield Problem(column=place, found=f"check and {', '.join(chosen)}", expected="either a check or patterns")
    if "check" not in table and not chosen:
        yield Problem(
            column=place, found="nothing that shows it", expected=f"a check, or one of {', '.join(_DEMANDED)}"
        )
    check = table.get("check")
    if isinstance(check, str) and check.strip() and check not in checks:
        expected = f"one of {', '.join(sorted(checks))}"
        yield Problem(column=place, found=f"check = {check!r:.80}", expected=expected, advice=nearest(check, checks))


def _key_problems(
    table: Mapping[str, Any], place: str, required: Sequence[str], known: Sequence[str] = ()
) -> Iterator[Problem]:
    for key in table:
        if key not in (known or required):
            expected = f"one of {', '.join(known or required)}"
            yield Problem(column=place, found=f"unknown key {key!r:.80}", expected=expected)
    for key in required:
        if key not in table:
            yield Problem(column=place, found=f"no {key!r}", expected="a text")


def _text_problems(table: Mapping[str, Any], place: str, keys: Sequence[str]) -> Iterator[Problem]:
    for key in keys:
        if key in table and not (isinstance(table[key], str) and table[key].strip()):
            yield Problem(column=place, found=f"{key} = {table[key]!r:.80}", expected="a text that is not empty")
