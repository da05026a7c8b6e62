"""The words of a model formula, each with the place where it stands."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

_SHOWN = 30


class Word(StrEnum):
    """What sort of word a token is."""

    NAME = "name"
    NUMBER = "number"
    SYMBOL = "symbol"
    FOREIGN = "foreign"
    END = "end"


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """One word; `position` counts characters from 1."""

    word: Word
    text: str
    position: int

    @property
    def place(self) -> str:
        """Where it stands, as problems name it."""
        return f"character {self.position}"

    def __str__(self) -> str:
        if self.word is Word.END:
            return "the end of the formula"
        return repr(shortened(self.text))


_WORDS = re.compile(
    r"(?P<space>\s+)"
    r"|(?P<name>[^\W\d]\w*)"
    r"|(?P<number>[0-9]+)"
    r"|(?P<symbol>\|\||[~+\-*:/^(),|])"
    # A run of anything else is one foreign word, so that it makes one complaint.
    r"|(?P<foreign>[^\w\s~+\-*:/^(),|]+|.)",
    re.DOTALL,
)


def tokens(text: str) -> Iterator[Token]:
    """Yield the words of a formula, ending with one `Word.END`."""
    for match in _WORDS.finditer(text):
        if match.lastgroup is not None and match.lastgroup != "space":
            yield Token(word=Word(match.lastgroup), text=match.group(), position=match.start() + 1)
    yield Token(word=Word.END, text="", position=len(text) + 1)


def shortened(text: str) -> str:
    """Return the text, cut to a length that fits into a message."""
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
