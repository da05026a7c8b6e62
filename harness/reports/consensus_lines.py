"""What the engines of a case agree on together, in a few lines for a terminal: a count, and who stands alone."""

from collections.abc import Iterator

from harness.comparison.run import Run
from harness.reports.words import counted, name, sentence

_CASES_SHOWN = 6


def consensus_lines(run: Run) -> Iterator[str]:
    """Yield how many quantities all engines agree on, then a line for each case in which they do not."""
    if not run.consensus:
        return
    unanimous = sum(found.unanimous for found in run.consensus)
    cases = counted(len(run.consensus), "case")
    numbers = counted(unanimous, "quantity", "quantities")
    yield f"Consensus: in {cases} of three engines or more, all agree on {numbers}."
    divided = [found for found in run.consensus if found.dissents]
    for found in divided[:_CASES_SHOWN]:
        yield f"  {name(found.case)}: {sentence(found.sentence, 200)}"
    if len(divided) > _CASES_SHOWN:
        yield f"  and {counted(len(divided) - _CASES_SHOWN, 'more case')} without consensus"
