"""What the words for visits say: which infusion they precede, or that they are screening."""

import re
from collections import Counter
from collections.abc import Sequence

from harness.importing.mapping import Visit

INFUSION = re.compile(
    r"(?:.*[^a-z])?(?:inf|infusion|session|treatment|ketamine)[-_. ]?0?(?P<number>[0-9]{1,2})(?:[^0-9].*)?",
    re.IGNORECASE,
)
BASELINE = re.compile(r"(?:.*[^a-z])?(?:baseline|base|bl|b|pre)(?:[^a-z].*)?", re.IGNORECASE)
SCREENING = re.compile(r"(?:.*[^a-z])?screen(?:ing)?(?:[^a-z].*)?", re.IGNORECASE)
ARM_ENDING = re.compile(r"_arm_[0-9]+")


def visits_of_words(words: Sequence[str]) -> tuple[Visit, ...]:
    """Return visits: screening, infusions, others in the order of their words; events of several arms are one visit.

    The infusion of a word is guessed only if all guesses together are 1, 2, ... without gaps.
    """
    named: dict[str, list[str]] = {}
    for word in words:
        named.setdefault(ARM_ENDING.sub("", word), []).append(word)
    numbers = {name: _infusion(name) for name in named}
    if numbered := [number for number in numbers.values() if number]:
        counts = Counter(numbered)
        baselines = [name for name in named if BASELINE.fullmatch(name) and numbers[name] == 1]
        if counts[1] > 1 and baselines:
            numbers |= dict.fromkeys(baselines, None)
            numbered = [number for number in numbers.values() if number]
        if sorted(numbered) != list(range(1, len(numbered) + 1)):
            numbers = dict.fromkeys(numbers)
    visits = [
        Visit(
            name=name,
            named=tuple(entries),
            infusion=numbers[name],
            screening=SCREENING.fullmatch(name) is not None,
        )
        for name, entries in named.items()
    ]
    return tuple(sorted(visits, key=lambda visit: (not visit.screening, visit.infusion or len(visits))))


def _infusion(word: str) -> int | None:
    found = INFUSION.fullmatch(word)
    if found is not None:
        return int(found["number"])
    return 1 if BASELINE.fullmatch(word) else None
