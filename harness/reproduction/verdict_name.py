"""How one verdict is named: CASE, CASE/ENGINE or CASE/ENGINE/QUANTITY."""

from collections.abc import Sequence
from dataclasses import dataclass

from harness.errors import CaseError, Problem, nearest


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictName:
    """What is to be explained: a case, one of its engines, one quantity between the two; None for all of them."""

    case: str
    engine: str | None = None
    quantity: str | None = None


def read_verdict_name(text: str, references: Sequence[str] | None = None) -> VerdictName:
    """Return the parts of a name; a quantity is all that follows the second slash, whatever signs it has.

    Raises
    ------
    CaseError
        If a part is empty, or the engine is none of the case's `references`.
    """
    case, _, rest = text.partition("/")
    engine, slash, quantity = rest.partition("/")
    empty = not case or ("/" in text and not engine) or (slash and not quantity)
    problems = []
    if empty:
        problems.append(Problem(found=repr(text[:80]), expected="CASE, CASE/ENGINE or CASE/ENGINE/QUANTITY"))
    elif engine and references is not None and engine not in references:
        problems.append(
            Problem(
                found=f"no engine {engine[:80]!r} in case {case[:80]!r}",
                expected=f"one of {', '.join(references)}",
                advice=nearest(engine, references),
            )
        )
    if problems:
        raise CaseError("harness explain", problems)
    return VerdictName(case=case, engine=engine or None, quantity=quantity or None)
