"""Guess what the columns of a file are: by their names, their neighbours and the kind of their cells."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import pandas as pd

from harness.importing.names_in_the_wild import NameGuess, name_guesses
from harness.importing.raw_table import RawTable
from harness.scoring import Instrument
from harness.scoring.built_in import BUILT_IN

NUMBER = re.compile(r"[+-]?[0-9]+(?:[.,][0-9]+)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Guess:
    """What a column may be: the chosen reading, None if there is none, and the others."""

    column: str
    chosen: NameGuess | None
    others: tuple[NameGuess, ...] = ()


def guess_columns(raw: RawTable) -> tuple[Guess, ...]:
    """Return a guess for each column of a file."""
    read = {name: name_guesses(name) for name in raw.header}
    guesses = [
        Guess(column=name, chosen=found[0] if found else None, others=tuple(found[1:])) for name, found in read.items()
    ]
    for scale in BUILT_IN.values():
        guesses = _by_neighbours(guesses, scale, raw)
    return tuple(_by_cells(guess, raw) for guess in guesses)


def guess_table(guesses: Sequence[Guess]) -> pd.DataFrame:
    """Return guesses as a table: column, role, confidence, evidence, alternatives."""
    return pd.DataFrame(
        [
            {
                "column": guess.column,
                "role": "" if guess.chosen is None else guess.chosen.role,
                "visit": "" if guess.chosen is None else guess.chosen.wave,
                "confidence": "" if guess.chosen is None else guess.chosen.confidence,
                "evidence": "the name says nothing" if guess.chosen is None else guess.chosen.evidence,
                "alternatives": "; ".join(f"{other.role} {other.wave}".strip() for other in guess.others),
            }
            for guess in guesses
        ]
    )


def _by_neighbours(guesses: Sequence[Guess], scale: Instrument, raw: RawTable) -> list[Guess]:
    """Decide what bare numbers after a scale's name are: all its items, or visits; and whether any items lack."""
    n = len(scale.items)
    bare = {
        guess.chosen.item: guess
        for guess in guesses
        if guess.chosen is not None and guess.chosen.scale == scale.name and guess.chosen.item and not guess.chosen.wave
    }
    seventh = [guess for guess in guesses if _is_last_item(guess, scale) and set(bare) == set(range(1, n))]
    if seventh:
        bare[n] = seventh[0]
    replaced: dict[str, Guess] = {}
    if set(bare) == set(range(1, n + 1)):
        evidence = f"one of {n} items, numbered from 1 to {n}"
        for item, guess in bare.items():
            replaced[guess.column] = _chosen(guess, f"{scale.name} item {item}", "high", evidence)
    elif bare and scale.name == "madrs" and set(bare) == set(range(1, 10)):
        evidence = "9 items, as MADRS-S has, where MADRS has 10"
        for guess in bare.values():
            replaced[guess.column] = _chosen(guess, guess.chosen.role if guess.chosen else "", "low", evidence)
    elif bare:
        totals = any(_highest(raw, guess.column) > scale.items[0].highest for guess in bare.values())
        for guess in bare.values():
            role = f"{scale.name} total" if totals else (guess.chosen.role if guess.chosen else "")
            evidence = (
                f"numbers above {scale.items[0].highest}: no items, so the number is that of a visit"
                if totals
                else f"{len(bare)} of {n} items, or a total at {len(bare)} visits"
            )
            replaced[guess.column] = _chosen(guess, role, "medium" if totals else "low", evidence)
    return [replaced.get(guess.column, guess) for guess in guesses]


def _is_last_item(guess: Guess, scale: Instrument) -> bool:
    """Tell whether a name such as gad7_afraid can be item 7, which it is only beside items 1 to 6."""
    chosen = guess.chosen
    return chosen is not None and chosen.role == f"{scale.name} item {len(scale.items)}" and chosen.confidence == "low"


def _chosen(guess: Guess, role: str, confidence: str, evidence: str) -> Guess:
    """Return the guess with its reading of this role chosen, and why."""
    readings = [reading for reading in (guess.chosen, *guess.others) if reading is not None]
    fitting = next((reading for reading in readings if reading.role == role), None)
    if fitting is None:
        return guess
    sure = replace(
        fitting, confidence="high" if confidence == "high" else "medium" if confidence == "medium" else "low"
    )
    others = tuple(reading for reading in readings if reading is not fitting)
    return Guess(column=guess.column, chosen=replace(sure, evidence=evidence), others=others)


def _by_cells(guess: Guess, raw: RawTable) -> Guess:
    """Lower the confidence of scores whose cells are no numbers of the scale, and say how many are."""
    chosen = guess.chosen
    if chosen is None or not chosen.scale:
        return guess
    scale = BUILT_IN[chosen.scale]
    low, high = (scale.items[0].lowest, scale.items[0].highest) if chosen.item else scale.total
    cells = [cell.strip() for cell in _cells(raw, guess.column) if cell.strip()]
    fitting = sum(low <= number <= high for number in _numbers(cells))
    evidence = f"{chosen.evidence}; {fitting} of {len(cells)} cells are from {low} to {high}"
    # A tenth may be codes of missing values and slips; more speaks against the guess.
    confidence = chosen.confidence if cells and fitting >= 0.9 * len(cells) else "low"
    return replace(guess, chosen=replace(chosen, evidence=evidence, confidence=confidence))


def _cells(raw: RawTable, column: str) -> list[str]:
    place = list(raw.header).index(column)
    return [row[place] for row in raw.rows]


def _numbers(cells: Sequence[str]) -> list[float]:
    return [float(cell.replace(",", ".")) for cell in cells if NUMBER.fullmatch(cell)]


def _highest(raw: RawTable, column: str) -> float:
    """Return the largest number of a column, codes of missing values such as 99 left aside."""
    numbers = [number for number in _numbers([cell.strip() for cell in _cells(raw, column)]) if number < 77]
    return max(numbers, default=0.0)
