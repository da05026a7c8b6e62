"""The README of a reproduction: the verdict, its evidence, the versions, and how to run the scripts."""

from collections.abc import Iterator

from harness.comparison.verdict import Comparison, Outcome, Verdict
from harness.quantities import Reading
from harness.reports.words import sentence, visible
from harness.reproduction.material import Material


def readme(
    comparison: Comparison,
    disputed: Verdict | None,
    material: Material | None,
    subjects: tuple[int, int],
    *,
    without: str = "",
    has_r: bool = False,
) -> str:
    """Return the text; names of the user's stand in it as code, and not at all in the scripts."""
    left, right = comparison.left, comparison.right
    lines = [
        *_verdict(comparison, subjects),
        *(() if disputed is None else ("", *_disputed(comparison, disputed, material))),
        "",
        *([without] if material is None else _scripts(right, has_r=has_r)),
        "",
        "`evidence.txt` has every verdict, the nearest to its limit first.",
        "",
        *(_versions(reading) for reading in (left, right)),
    ]
    return "\n".join(lines) + "\n"


def _verdict(comparison: Comparison, subjects: tuple[int, int]) -> Iterator[str]:
    left, right = comparison.left, comparison.right
    yield f"# {_code(comparison.case)}: {_code(left.engine)} and {_code(right.engine)}"
    yield ""
    cause = "" if comparison.attribution is None else f", {comparison.attribution.value}"
    yield f"Outcome: {comparison.outcome.value}{cause}."
    for text in (comparison.sentence, comparison.next_step):
        if text:
            yield ""
            yield f"    {sentence(text)}"
    if subjects[0] < subjects[1]:
        yield ""
        yield f"On {subjects[0]} of {subjects[1]} subjects: the fewest found on whom the cause is the same."


def _versions(reading: Reading) -> str:
    versions = ", ".join(f"{visible(name)} {visible(version)}" for name, version in reading.versions.items())
    return f"- {_code(reading.engine)} ({reading.source}): {versions}"


def _disputed(comparison: Comparison, disputed: Verdict, material: Material | None) -> Iterator[str]:
    word = "Disputed" if disputed.outcome in {Outcome.DISAGREE, Outcome.KNOWN} else "Nearest to its limit"
    yield f"{word}: {_code(disputed.quantity)}, {disputed.outcome.value}."
    yield ""
    for reading, value in ((comparison.left, disputed.left_value), (comparison.right, disputed.right_value)):
        yield f"- {_code(reading.engine)}: {_code(repr(value))}"
    if disputed.observed is not None:
        yield f"- apart: {disputed.observed:.3g} of at most {disputed.limit or 0.0:.3g} {disputed.metric}"
    if material is not None:
        yield ""
        line = material.lines.get(disputed.quantity)
        told = f"The scripts print it as `{line}`." if line else "The scripts print what it is made of, not the number."
        yield told


def _scripts(right: Reading, *, has_r: bool) -> Iterator[str]:
    yield "`data.csv` has the rows that were used, under letters; `model.json` says what the letters stand for."
    yield ""
    yield "    python reproduce.py              # numpy, scipy: the log-likelihood by its definition at both optima"
    if has_r:
        yield "    Rscript --vanilla reproduce.R    # R and the one package"
    else:
        yield ""
        yield f"There is no R script for {_code(right.engine)} and this model."


def _code(text: str) -> str:
    shown = visible(text).replace("`", "'")
    return f"`{shown}`"
