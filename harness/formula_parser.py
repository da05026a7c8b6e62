"""Recursive descent through the grammar of `harness.formula`; every fault is noted and the parser goes on behind it."""

from dataclasses import dataclass
from itertools import accumulate, combinations
from typing import NoReturn, cast, get_args

from harness.errors import Problem, nearest
from harness.formula_tokens import Token, Word, tokens
from harness.formula_tree import (
    Atom,
    Coding,
    Formula,
    FunctionName,
    RandomTerm,
    ResidualTerm,
    Structure,
    Term,
    term_text,
)

FUNCTIONS = ("log", "log1p", "sqrt", "exp")
BASES = ("poly", "ns")
STRUCTURES: tuple[str, ...] = get_args(Structure)
CODINGS: tuple[str, ...] = get_args(Coding)

MAX_POWER = 9
MAX_SIZE = 20
MAX_FACTORS = 6

_WORDS = f"+ - * : / ^ ( ) |, and {', '.join((*FUNCTIONS, *BASES))}, C, I"


class _RejectedError(Exception):
    """A part of the formula was rejected and its problem is noted; the parser goes on behind it."""


@dataclass(slots=True)
class _Sum:
    """What a sum has collected so far; `intercept` is None while neither 0 nor 1 was written."""

    terms: list[Term]
    random: list[RandomTerm]
    residual: ResidualTerm | None = None
    intercept: bool | None = None


class Parser:
    """Recursive descent, two levels deep at most because random terms don't nest."""

    def __init__(self, text: str) -> None:
        self._tokens = list(tokens(text))
        self._index = 0
        self.problems: list[Problem] = []

    def formula(self) -> Formula | None:
        """Return the tree, or None with `problems`."""
        outcome = ""
        try:
            outcome = self._name("the outcome, a column name")
            if not self._take("~"):
                self._reject("'~' after the outcome", "Write the outcome as a plain column, computed beforehand.")
        except _RejectedError:
            self._skip(0, ("~",))
            if not self._take("~"):
                return None
        parts = self._sum(nested=False)
        if self._next.word is not Word.END:
            self._note(self._next, "the end of the formula")
        if self.problems:
            return None
        return Formula(
            outcome=outcome,
            terms=_in_order(parts.terms),
            intercept=parts.intercept is not False,
            random=tuple(parts.random),
            residual=parts.residual,
        )

    @property
    def _next(self) -> Token:
        return self._tokens[self._index]

    def _take(self, symbol: str) -> bool:
        found = self._next.word is Word.SYMBOL and self._next.text == symbol
        self._index += found
        return found

    def _note(self, token: Token, expected: str, advice: str = "") -> None:
        self.problems.append(Problem(found=f"found {token}", expected=expected, column=token.place, advice=advice))

    def _reject(self, expected: str, advice: str = "", *, at: Token | None = None) -> NoReturn:
        self._note(at or self._next, expected, advice)
        raise _RejectedError

    def _skip(self, begun: int, until: tuple[str, ...]) -> None:
        """Go on behind a rejected part that has begun: to the next of `until` outside the brackets that it opened."""
        depth = sum(map(_opened, self._tokens[begun : self._index]))
        while self._next.word is not Word.END:
            if depth <= 0 and self._next.word is Word.SYMBOL and self._next.text in until:
                return
            depth += _opened(self._next)
            self._index += 1

    def _name(self, expected: str) -> str:
        if self._next.word is not Word.NAME:
            self._reject(expected)
        self._index += 1
        return self._tokens[self._index - 1].text

    def _other(self, seen: set[str], expected: str) -> str:
        """Return a name that was not seen before."""
        if self._next.word is Word.NAME and self._next.text in seen:
            self._reject("each of these columns once")
        return self._name(expected)

    def _number(self, least: int, most: int, what: str) -> int:
        token = self._next
        if token.word is not Word.NUMBER or len(token.text) > len(str(most)) or not least <= int(token.text) <= most:
            self._reject(f"{what} from {least} to {most}")
        self._index += 1
        return int(token.text)

    def _sum(self, *, nested: bool) -> _Sum:
        found = _Sum(terms=[], random=[])
        ends = ("+", "|", "||", ")") if nested else ("+",)
        first = True
        while True:
            begun = self._index
            try:
                if self._take("-"):
                    self._minus(found)
                elif first or self._take("+"):
                    self._summand(found, nested=nested)
                elif self._next.word is Word.END or (nested and self._next.text in ends):
                    return found
                else:
                    self._reject(
                        "'+', '-', '*', ':' or the end of the term",
                        f"A formula holds column names, numbers, {_WORDS}, nothing else.",
                    )
            except _RejectedError:
                self._skip(begun, ends)
            first = False

    def _minus(self, found: _Sum) -> None:
        if self._next.text == "1":
            self._set_intercept(found, wanted=False)
            return
        start = self._next
        if start.word is not Word.NAME:
            self._reject("1 or a term after '-'")
        present = {frozenset(term) for term in found.terms}
        removed = self._term()
        for term in removed:
            if frozenset(term) not in present:
                advice = f"There is no {term_text(term)} before this '-'."
                self._reject("a term to remove, written before", advice, at=start)
        gone = set(map(frozenset, removed))
        found.terms = [term for term in found.terms if frozenset(term) not in gone]

    def _set_intercept(self, found: _Sum, *, wanted: bool) -> None:
        if found.intercept is not None and found.intercept is not wanted:
            self._reject("the intercept either kept or removed", "Write 1, or 0, or -1, once.")
        self._index += 1
        found.intercept = wanted

    def _summand(self, found: _Sum, *, nested: bool) -> None:
        token = self._next
        if token.word is Word.NUMBER:
            if token.text not in {"0", "1"}:
                self._reject("0 or 1, the intercept")
            self._set_intercept(found, wanted=token.text == "1")
        elif token.text == "(" and not nested:
            self._index += 1
            found.random += self._random()
        elif token.text in STRUCTURES and not nested and self._tokens[self._index + 1].text == "(":
            if found.residual is not None:
                self._reject("one residual structure", f"There is {found.residual} already.")
            found.residual = self._residual()
        else:
            found.terms += self._term()

    def _random(self) -> list[RandomTerm]:
        parts = self._sum(nested=True)
        correlated = self._take("|")
        if not correlated and not self._take("||"):
            self._reject("'|' and a grouping column", "Brackets are only for random effects, as in (1 + week | id).")
        groupings = self._groupings()
        if not self._take(")"):
            self._reject("')' after the grouping column", "A grouping is written id, site:id or site/id.")
        if parts.intercept is False and not parts.terms:
            self._index -= 1
            self._reject("at least one random effect before '|'")
        return [
            RandomTerm(
                terms=_in_order(parts.terms),
                grouping=grouping,
                intercept=parts.intercept is not False,
                correlated=correlated,
            )
            for grouping in groupings
        ]

    def _groupings(self) -> list[tuple[str, ...]]:
        """Return a/b as a and a:b, from the outermost inwards."""
        levels: list[tuple[str, ...]] = []
        seen: set[str] = set()
        while True:
            crossed: list[str] = []
            while not crossed or self._take(":"):
                crossed.append(self._other(seen, "the grouping column, a name"))
                seen.add(crossed[-1])
            levels.append(tuple(crossed))
            if not self._take("/"):
                return list(accumulate(levels))

    def _residual(self) -> ResidualTerm:
        structure = cast("Structure", self._name("a structure"))
        self._take("(")
        visit = self._name("the visit, a column name")
        if not self._take("|"):
            self._reject("'|' and the subject", f"Write {structure}(visit | subject) or {structure}(visit | arm / id).")
        by, subject = None, self._other({visit}, "the subject, a column name")
        if self._take("/"):
            by, subject = subject, self._other({visit, subject}, "the subject, a column name")
        if not self._take(")"):
            self._reject("')' after the subject")
        return ResidualTerm(structure=structure, visit=visit, subject=subject, by=by)

    def _term(self) -> list[Term]:
        start = self._next
        products = [self._product()]
        while self._take("*"):
            products.append(self._product())
        if sum(map(len, products)) > MAX_FACTORS:
            self._reject(f"a product of at most {MAX_FACTORS} columns", at=start)
        return [sum(chosen, ()) for degree in range(1, len(products) + 1) for chosen in combinations(products, degree)]

    def _product(self) -> Term:
        atoms = [self._atom()]
        while self._take(":"):
            atoms.append(self._atom())
        return tuple(atoms)

    def _atom(self) -> Atom:
        start = self._next
        name = self._name("a column name")
        if self._take("^"):
            return Atom(column=name, power=self._power())
        if not self._take("("):
            return Atom(column=name)
        known = (*FUNCTIONS, *BASES, "C", "I")
        if name not in known:
            advice = nearest(name, (*known, *STRUCTURES)) or "Compute the column beforehand."
            if name in STRUCTURES:
                advice = f"A structure is a term of its own, as in y ~ x + {name}(visit | id)."
            self._index -= 1
            self._reject(f"one of the functions {', '.join(known)}, or a structure {', '.join(STRUCTURES)}", advice,
                         at=start)  # fmt: skip
        atom = self._call(name, self._name("a column name"))
        if not self._take(")"):
            self._reject("')'")
        return atom

    def _call(self, name: str, column: str) -> Atom:
        if name == "I":
            if not self._take("^"):
                self._reject("'^'", "I( ) holds a power of one column, as in I(week^2).")
            return Atom(column=column, power=self._power())
        if name == "C":
            return Atom(column=column, coding=self._coding() if self._take(",") else "treatment")
        if name in BASES:
            what = "the degree" if name == "poly" else "the degrees of freedom"
            if not self._take(","):
                self._reject(f"',' and {what}", f"As in {name}({column}, 3).")
            most = MAX_POWER if name == "poly" else MAX_SIZE
            return Atom(column=column, function=cast("FunctionName", name), size=self._number(1, most, what))
        return Atom(column=column, function=cast("FunctionName", name))

    def _coding(self) -> Coding:
        token = self._next
        name = self._name(f"a coding: {', '.join(CODINGS)}")
        if name not in CODINGS:
            self._index -= 1
            self._reject(f"one of the codings {', '.join(CODINGS)}", nearest(name, CODINGS), at=token)
        return cast("Coding", name)

    def _power(self) -> int:
        return self._number(1, MAX_POWER, "a power")


def _opened(token: Token) -> int:
    return 0 if token.word is not Word.SYMBOL else (token.text == "(") - (token.text == ")")


def _in_order(terms: list[Term]) -> tuple[Term, ...]:
    """Return the terms by degree, without repeats; a:b and b:a are one term, and a:a is a."""
    distinct = [tuple(dict.fromkeys(term)) for term in terms]
    appeared: dict[Atom, int] = {}
    ordered: dict[frozenset[Atom], Term] = {}
    for term in sorted(distinct, key=len):
        for atom in term:
            appeared.setdefault(atom, len(appeared))
        ordered.setdefault(frozenset(term), tuple(sorted(term, key=appeared.__getitem__)))
    return tuple(ordered.values())
