"""The selftest for a terminal and as JSON: mutations by pins, harmless changes by pins, two rates."""

import json
from collections.abc import Sequence
from dataclasses import asdict

from rich.box import SIMPLE_HEAD
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from harness.reports.lines import lines_of
from harness.reports.words import name, sentence
from harness.selftest.result import SelfTest, Tally

FORMAT = 1
MOST_SHOWN = 20


def render(found: SelfTest, width: int = 100, *, colour: bool = False) -> str:
    """Return the tables, what went wrong and the two rates as lines of at most `width` columns."""
    return lines_of(_parts(found), width, colour=colour)


def render_json(found: SelfTest) -> str:
    """Return everything as JSON; `passed` is what the exit status says."""
    document = {
        "format": FORMAT,
        "passed": found.has_passed,
        "kill_rate": found.kill_rate,
        "false_alarm_rate": found.false_alarm_rate,
        "applies_to_no_pin": list(found.without_a_pin),
        **asdict(found),
    }
    return json.dumps(document, indent=1, sort_keys=True) + "\n"


def headline(found: SelfTest) -> str:
    """Return both rates with what they are rates of."""
    tried = sum(tally.tried for tally in found.mutations)
    changes = sum(tally.tried for tally in found.harmless)
    caught = sum(tally.right for tally in found.mutations)
    flagged = sum(len(tally.wrong) for tally in found.harmless)
    return (
        f"Kill rate {_per_cent(found.kill_rate)}: {caught} of {tried} wrong numbers caught,"
        f" {len(found.mutations)} mutations x {len(found.pins)} pins."
        f" False-alarm rate {_per_cent(found.false_alarm_rate)}: {flagged} of {changes} harmless readings flagged,"
        f" {len(found.harmless)} changes."
    )


def _parts(found: SelfTest) -> list[RenderableType]:
    missing = f"Applies to no pin: {', '.join(found.without_a_pin)}." if found.without_a_pin else ""
    verdict = Text("PASSED" if found.has_passed else "FAILED", style="green" if found.has_passed else "bold red")
    return [
        _table("mutation", ("caught", "survived"), found.mutations),
        *_shown("survived", found.mutations),
        Text(),
        _table("harmless change", ("left alone", "flagged"), found.harmless),
        *_shown("flagged", found.harmless),
        Text(),
        *([Text(missing)] if missing else []),
        *(Text(f"A known difference has disappeared; remove its entry: {name(entry)}") for entry in found.idle_entries),
        Text.assemble(verdict, "  ", headline(found), f" {found.seconds:.0f} s."),
    ]


def _table(first: str, words: tuple[str, str], tallies: Sequence[Tally]) -> Table:
    table = Table(box=SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0), pad_edge=False, header_style="bold")
    table.add_column(first, no_wrap=True)
    table.add_column("what is wrong" if words[1] == "survived" else "what is done", overflow="fold", ratio=1)
    for column in ("pins", "tried", *words):
        table.add_column(column, justify="right", no_wrap=True)
    for tally in tallies:
        style = "bold red" if tally.wrong or not tally.pins else ""
        counts = (tally.pins, tally.tried, tally.right, len(tally.wrong) or ".")
        table.add_row(tally.name, tally.sentence, *map(str, counts), style=style)
    return table


def _shown(word: str, tallies: Sequence[Tally]) -> list[RenderableType]:
    wrong = [(tally.name, one) for tally in tallies for one in tally.wrong]
    lines = [Text(f"{word}: {title}, {name(one.pin)}: {sentence(one.what)}") for title, one in wrong[:MOST_SHOWN]]
    more = len(wrong) - MOST_SHOWN
    return [*lines, *([Text(f"and {more} more, all in selftest.json")] if more > 0 else [])]


def _per_cent(share: float) -> str:
    """Return the share in per cent; less than all is never shown as all, nor more than nothing as nothing."""
    if share in {0.0, 1.0}:
        return f"{100 * share:.0f} %"
    return f"{min(max(100 * share, 0.001), 99.999):.3f} %"
