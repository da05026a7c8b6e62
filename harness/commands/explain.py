"""What `harness explain` writes where it is asked for files: one folder for each engine of a verdict."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

from harness import runs
from harness.cases import Case
from harness.errors import EngineError
from harness.reports.write import write_texts
from harness.reproduction.rerun import reproduce
from harness.reproduction.verdict_name import VerdictName

_SAFE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
"""Names of engines that can be names of folders."""


def write_reproductions(
    case: Case, wanted: VerdictName, folder: Path, *, seconds: float, progress: Callable[[str], None]
) -> Iterator[str]:
    """Write the reproduction of each comparison, and yield a line for each.

    Raises
    ------
    EngineError
        If the engine that was asked for is neither installed nor recorded.
    CaseError
        If the comparison has no such quantity.
    """
    engines = case.references if wanted.engine is None else (wanted.engine,)
    with runs.reference_engines() as (references, known):
        for engine in engines:
            if not _SAFE.fullmatch(engine):
                continue
            try:
                made = reproduce(
                    case,
                    engine,
                    references,
                    quantity=wanted.quantity,
                    known=known,
                    seconds=seconds,
                    progress=progress,
                )
            except EngineError as error:
                if wanted.engine is not None:
                    raise
                yield f"reproduction: none of {engine}: {error.evidence}"
                continue
            place = folder if wanted.engine is not None else folder / engine
            written = write_texts(made.files, place)
            few, all_of_them = made.subjects
            less = f", {few} of {all_of_them} subjects" if few < all_of_them else ""
            yield f"reproduction{less}: " + ", ".join(str(path) for path in written)
