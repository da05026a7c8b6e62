"""Propose a mapping for a file that nobody has described yet: shown with its evidence, and refused until confirmed."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.importing.file_detection import Detection
from harness.importing.guesses import Guess, guess_columns
from harness.importing.layout import ARM, EVENT, EVENT_NAME, INSTANCE
from harness.importing.mapping import Covariate, Dating, ImportMapping, Protocol, Score, TableFile, Visit
from harness.importing.mapping_text import mapping_text
from harness.importing.raw_table import RawTable, read_raw
from harness.importing.visit_words import visits_of_words
from harness.scoring import Instrument
from harness.scoring.built_in import BUILT_IN

LEAST_ROWS = 11
"""A word of a column is shown only if so many rows have it; rarer ones could be about a person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A guessed mapping, how each column was read, what was found out about the file, and what is left to say.

    `text` is the mapping as TOML, with `confirmed = false`: a person reads it, mends it, and confirms it.
    """

    mapping: ImportMapping
    guesses: tuple[Guess, ...]
    detected: tuple[Detection, ...]
    open_questions: tuple[str, ...]

    @property
    def text(self) -> str:
        """The mapping as TOML, its open questions before it."""
        return "".join(f"# {question}\n" for question in self.open_questions) + mapping_text(self.mapping)


def propose_mapping(path: Path | str, file: TableFile | None = None) -> Proposal:
    """Return a guess of what a file holds, by the names of its columns and the kinds of its cells.

    Of the cells nothing is shown but events of a REDCap project, and words of the visit column that many rows have.

    Raises
    ------
    CohortError
        The file can't be read, or not without doubt.
    """
    path = Path(path)
    file = file or TableFile()
    raw = read_raw(path, file)
    guesses = guess_columns(raw)
    proposer = _Proposer(raw, guesses)
    return Proposal(
        mapping=proposer.mapping(path.stem, file),
        guesses=guesses,
        detected=raw.detected,
        open_questions=tuple(proposer.questions),
    )


class _Proposer:
    """Puts guesses together; what they leave open becomes a question."""

    def __init__(self, raw: RawTable, guesses: Sequence[Guess]) -> None:
        self.raw = raw
        self.questions: list[str] = []
        self.chosen = {guess.column: guess.chosen for guess in guesses if guess.chosen is not None}
        self.redcap = bool({EVENT, INSTANCE} & set(raw.header))
        self.wide = not self.redcap and any(guess.scale and guess.wave for guess in self.chosen.values())

    def mapping(self, name: str, file: TableFile) -> ImportMapping:
        """Return the mapping that fits the guesses, as far as they go."""
        scores = tuple(found for scale in BUILT_IN.values() if (found := self._score(scale)) is not None)
        if not scores:
            self.questions.append("No column of MADRS or GAD-7 was recognised: name them under [import.scores].")
        subject, date, day = self._column("subject", needed=True), self._place("date"), self._place("day")
        if not date and not day:
            self.questions.append("No dates or days were recognised: name them, or give each visit its nominal `day`.")
        visit = "" if self.redcap or self.wide else self._column("visit", needed=True)
        protocol = "" if self.redcap else self._column("protocol")
        visits, other_events = self._visits(visit)
        self._about_self_ratings()
        return ImportMapping(
            name=name,
            shape="redcap" if self.redcap else "wide" if self.wide else "long",
            subject=subject,
            visit=visit,
            visits=visits,
            other_events=other_events,
            scores=scores,
            protocol=protocol,
            protocols=self._protocols(protocol),
            covariates=self._covariates(),
            dating=Dating(
                date=date or None, day=None if date else day or None, infusion_date=self._place("infusion date") or None
            ),
            file=file,
            confirmed=False,
        )

    def _columns(self, role: str) -> list[str]:
        return [name for name, guess in self.chosen.items() if guess.role == role]

    def _column(self, role: str, *, needed: bool = False) -> str:
        """Return the only column of a role; the first of several, with a question."""
        found = self._columns(role)
        if len(found) > 1:
            self.questions.append(f"Which column is the {role}: {', '.join(found)}? The first is proposed.")
        if not found and needed:
            self.questions.append(f"No column of the {role} was recognised: name it.")
        return found[0] if found else ""

    def _place(self, role: str) -> str:
        """Return the column of a role, in a wide file its name with `{visit}`."""
        if not self.wide:
            return self._column(role)
        templates = Counter(guess.template for guess in self.chosen.values() if guess.role == role and guess.wave)
        if len(templates) > 1:
            names = ", ".join(templates)
            self.questions.append(f"The {role} is written in several ways: {names}. The most frequent is proposed.")
        return templates.most_common(1)[0][0] if templates else ""

    def _score(self, scale: Instrument) -> Score | None:
        sure = {name: guess for name, guess in self.chosen.items() if guess.scale == scale.name}
        doubtful = [name for name, guess in sure.items() if guess.confidence == "low"]
        if doubtful:
            reasons = sorted({self.chosen[name].evidence.split(";")[0] for name in doubtful})
            self.questions.append(f"Not read as {scale.name}: {', '.join(doubtful)} ({'; '.join(reasons)}).")
            for name in doubtful:
                del self.chosen[name]
        total = self._place(f"{scale.name} total")
        items = tuple(self._place(f"{scale.name} item {number}") for number in range(1, len(scale.items) + 1))
        if not all(items):
            if any(items):
                self.questions.append(
                    f"Only {sum(map(bool, items))} of {len(items)} items of {scale.name}: none is read."
                )
            items = ()
        return Score(name=scale.name, scale=scale, total=total or None, items=items) if total or items else None

    def _visits(self, column: str) -> tuple[tuple[Visit, ...], tuple[str, ...]]:
        """Return the visits by the file's words, and the events at which nothing changes."""
        others: tuple[str, ...] = ()
        if self.wide:
            words = list(dict.fromkeys(guess.wave for guess in self.chosen.values() if guess.wave and guess.scale))
        elif self.redcap:
            words, others = self._events()
        else:
            words = self._words(column, "visits")
        visits = visits_of_words(words)
        unclear = [visit.name for visit in visits if visit.infusion is None and not visit.screening]
        if unclear:
            self.questions.append(f"Say what these visits are (infusion, follow_up, screening): {', '.join(unclear)}.")
        return visits, others

    def _events(self) -> tuple[list[str], tuple[str, ...]]:
        """Return the events with values that change, and those without."""
        if EVENT not in self.raw.header:
            self.questions.append(f"Without {EVENT}, name the visits by instances, such as '#1'.")
            return [], ()
        event = list(self.raw.header).index(EVENT)
        changing = [
            place
            for place, name in enumerate(self.raw.header)
            if (guess := self.chosen.get(name)) is not None and (guess.scale or guess.role in {"date", "day"})
        ]
        rated = {row[event]: False for row in self.raw.rows if EVENT_NAME.fullmatch(row[event])}
        for row in self.raw.rows:
            if row[event] in rated and any(row[place].strip() for place in changing):
                rated[row[event]] = True
        return [name for name, has in rated.items() if has], tuple(name for name, has in rated.items() if not has)

    def _words(self, column: str, what: str) -> list[str]:
        """Return the words of a column that many rows have; rarer ones could be about a person."""
        if not column:
            return []
        place = list(self.raw.header).index(column)
        counts = Counter(row[place].strip() for row in self.raw.rows)
        frequent = [word for word, count in counts.items() if word and count >= LEAST_ROWS]
        if (rare := sum(bool(word) for word in counts) - len(frequent)) > 0:
            self.questions.append(
                f"Words for {what} in {column!r} that fewer than {LEAST_ROWS} rows have are not shown ({rare})."
            )
        return frequent

    def _protocols(self, column: str) -> tuple[Protocol, ...]:
        words = self._words(column, "protocols")
        if self.redcap and EVENT in self.raw.header:
            place = list(self.raw.header).index(EVENT)
            found = [ARM.fullmatch(row[place]) for row in self.raw.rows if EVENT_NAME.fullmatch(row[place])]
            words = sorted({match["arm"] for match in found if match is not None})
        if words:
            self.questions.append("Say how many infusions each protocol plans.")
        return tuple(Protocol(name=word, named=(word,)) for word in words)

    def _covariates(self) -> tuple[Covariate, ...]:
        age, sex = self._column("age"), self._column("sex")
        found = [Covariate(name="age", source=age, range=(0, 120), unit="years")] if age else []
        if words := self._words(sex, "sex"):
            found.append(Covariate(name="sex", source=sex, levels={word: (word,) for word in words}))
        return tuple(found)

    def _about_self_ratings(self) -> None:
        self.questions += [
            f"The column {name!r} looks like MADRS-S, which is not MADRS; it is not read."
            for name in self._columns("MADRS-S, another scale")
        ]
