"""Which columns of a user's DataFrame a model reads, or all that it lacks."""

from collections.abc import Iterable

import pandas as pd

from harness.errors import Problem, SpecError, nearest


def present(frame: pd.DataFrame, names: Iterable[str], where: str) -> tuple[str, ...]:
    """Return the names, each once, or raise with all that the frame does not have."""
    require(where, frame, pd.DataFrame, "a pandas DataFrame or a Cohort as data")
    wanted = tuple(dict.fromkeys(names))
    columns = frame.columns.tolist()
    known = tuple(map(str, columns))
    problems = [
        Problem(
            column=name, found="no such column", expected=f"one of {', '.join(known[:20])}", advice=nearest(name, known)
        )
        for name in wanted
        if name not in columns
    ]
    if problems:
        raise SpecError(where, problems)
    return wanted


def require(where: str, argument: object, kind: type, expected: str) -> None:
    """Raise a SpecError if an argument is of another type."""
    if not isinstance(argument, kind):
        found = f"{argument!r:.40} of type {type(argument).__name__}"
        raise SpecError(where, [Problem(found=found, expected=expected)])
