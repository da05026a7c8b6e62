"""Model formulas as typed trees; no part of a formula is ever evaluated as code.

Grammar::

    formula   = name "~" sum
    sum       = ( term | "-" "1" ) { "+" term | "-" "1" }
    term      = product { "*" product }                a*b = a + b + a:b
    product   = atom { ":" atom }
    atom      = name | name "^" integer | "I(" name "^" integer ")" | function "(" name ")" | number | "(" random ")"
    random    = sum ("|" | "||") name

`week^2` is the square of a numeric column, not R's crossing. Functions: log, log1p, sqrt, exp.
Terms are put in R's order: by degree, and within a product by first appearance, so that columns of a design come in the
order of R's `model.matrix`.
"""

from dataclasses import dataclass
from itertools import combinations
from typing import Literal, NoReturn, cast

from harness.errors import FormulaError, Problem
from harness.formula_tokens import Token, Word, shortened, tokens

FunctionName = Literal["identity", "log", "log1p", "sqrt", "exp"]
FUNCTIONS = ("log", "log1p", "sqrt", "exp")

MAX_CHARACTERS = 5_000
MAX_POWER = 9
MAX_FACTORS = 6
MAX_PROBLEMS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Atom:
    """One column, possibly as a power or a function of it."""

    column: str
    power: int = 1
    function: FunctionName = "identity"

    def __str__(self) -> str:
        if self.function != "identity":
            return f"{self.function}({self.column})"
        return self.column if self.power == 1 else f"{self.column}^{self.power}"


Term = tuple[Atom, ...]
"""A product of atoms, none twice; in a parsed formula in the order in which they first appear in its sorted terms."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RandomTerm:
    """`(terms | subject)`; not correlated for `(terms || subject)`."""

    terms: tuple[Term, ...]
    subject: str
    intercept: bool = True
    correlated: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Formula:
    """`outcome ~ terms + (random | subject)`; terms are expanded, without repeats, main effects first by degree."""

    outcome: str
    terms: tuple[Term, ...]
    intercept: bool = True
    random: tuple[RandomTerm, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns that the formula names, each once: outcome, then variables, then grouping columns."""
        terms = (*self.terms, *(term for random in self.random for term in random.terms))
        atoms = (atom.column for term in terms for atom in term)
        return tuple(dict.fromkeys([self.outcome, *atoms, *(random.subject for random in self.random)]))


def parse_formula(text: str) -> Formula:
    """Return the tree of a formula such as ``madrs ~ week * protocol + (1 + week | id)``.

    Raises
    ------
    FormulaError
        With one problem for every part that the grammar rejects; `column` names the character.
    """
    where = f"formula {shortened(text)!r}"
    if len(text) > MAX_CHARACTERS:
        raise FormulaError(where, [_too_long(len(text))])
    parser = _Parser(text)
    formula = parser.formula()
    if parser.problems or formula is None:
        listed, left_out = parser.problems[:MAX_PROBLEMS], len(parser.problems) - MAX_PROBLEMS
        if left_out > 0:
            listed.append(Problem(found=f"{left_out} more problems", expected="none"))
        raise FormulaError(where, listed)
    return formula


def formula_text(formula: Formula) -> str:
    """Return the formula as text that `parse_formula` reads back to the same tree."""
    written = [] if formula.intercept and formula.terms else [str(int(formula.intercept))]
    written += [term_text(term) for term in formula.terms]
    for random in formula.random:
        inner = [str(int(random.intercept)), *(term_text(term) for term in random.terms)]
        bar = "|" if random.correlated else "||"
        written.append(f"({' + '.join(inner)} {bar} {random.subject})")
    return f"{formula.outcome} ~ {' + '.join(written)}"


def term_text(term: Term) -> str:
    """Return a term as it is written in a formula, such as ``week:protocol``."""
    return ":".join(map(str, term))


def _too_long(length: int) -> Problem:
    return Problem(
        found=f"a formula of {length} characters",
        expected=f"at most {MAX_CHARACTERS}",
        advice="Give columns shorter names, or write fewer terms.",
    )


class _RejectedError(Exception):
    """A part of the formula was rejected and its problem is noted; the parser goes on behind it."""


@dataclass(slots=True)
class _Sum:
    """What a sum has collected so far; `intercept` is None while neither 0 nor 1 was written."""

    terms: list[Term]
    random: list[RandomTerm]
    intercept: bool | None = None


class _Parser:
    """Recursive descent by the grammar above, two levels deep at most because random terms don't nest."""

    def __init__(self, text: str) -> None:
        self._tokens = list(tokens(text))
        self._index = 0
        self.problems: list[Problem] = []

    def formula(self) -> Formula | None:
        outcome = ""
        try:
            outcome = self._name("the outcome, a column name")
            if not self._take("~"):
                self._reject("'~' after the outcome", "Write the outcome as a plain column, computed beforehand.")
        except _RejectedError:
            self._skip(("~",))
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

    def _reject(self, expected: str, advice: str = "") -> NoReturn:
        self._note(self._next, expected, advice)
        raise _RejectedError

    def _skip(self, until: tuple[str, ...]) -> None:
        """Go on behind a rejected part: to the next of `until` outside the brackets that it opened."""
        depth = 0
        while self._next.word is not Word.END:
            symbol = self._next.text if self._next.word is Word.SYMBOL else ""
            if depth == 0 and symbol in until:
                return
            depth += (symbol == "(") - (symbol == ")")
            self._index += 1

    def _name(self, expected: str) -> str:
        if self._next.word is not Word.NAME:
            self._reject(expected)
        self._index += 1
        return self._tokens[self._index - 1].text

    def _sum(self, *, nested: bool) -> _Sum:
        found = _Sum(terms=[], random=[])
        ends = ("+", "|", "||", ")") if nested else ("+",)
        first = True
        while True:
            try:
                if self._take("-"):
                    self._minus_one(found)
                elif first or self._take("+"):
                    self._summand(found, nested=nested)
                elif self._next.word is Word.END or (nested and self._next.text in ends):
                    return found
                else:
                    self._reject(
                        "'+', '-', '*', ':' or the end of the term",
                        "A formula holds column names, + - * : ^ ( ) | and log, log1p, sqrt, exp, nothing else.",
                    )
            except _RejectedError:
                self._skip(ends)
            first = False

    def _minus_one(self, found: _Sum) -> None:
        if self._next.text != "1":
            self._reject("1 after '-'", "Only the intercept can be removed.")
        self._set_intercept(found, wanted=False)

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
            found.random.append(self._random())
        else:
            found.terms += self._term()

    def _random(self) -> RandomTerm:
        parts = self._sum(nested=True)
        correlated = self._take("|")
        if not correlated and not self._take("||"):
            self._reject("'|' and a grouping column", "Brackets are only for random effects, as in (1 + week | id).")
        subject = self._name("the grouping column, one name")
        if not self._take(")"):
            self._reject("')' after the grouping column", "Nested and crossed grouping is not supported.")
        if parts.intercept is False and not parts.terms:
            self._index -= 1
            self._reject("at least one random effect before '|'")
        return RandomTerm(
            terms=_in_order(parts.terms),
            subject=subject,
            intercept=parts.intercept is not False,
            correlated=correlated,
        )

    def _term(self) -> list[Term]:
        start = self._next
        products = [self._product()]
        while self._take("*"):
            products.append(self._product())
        if sum(map(len, products)) > MAX_FACTORS:
            self._note(start, f"a product of at most {MAX_FACTORS} columns")
            raise _RejectedError
        return [sum(chosen, ()) for degree in range(1, len(products) + 1) for chosen in combinations(products, degree)]

    def _product(self) -> Term:
        atoms = [self._atom()]
        while self._take(":"):
            atoms.append(self._atom())
        return tuple(atoms)

    def _atom(self) -> Atom:
        name_token = self._next
        name = self._name("a column name")
        if self._take("^"):
            return Atom(column=name, power=self._power())
        if not self._take("("):
            return Atom(column=name)
        if name == "I":
            column = self._name("a column name")
            if not self._take("^"):
                self._reject("'^'", "I( ) holds a power of one column, as in I(week^2).")
            atom = Atom(column=column, power=self._power())
        elif name in FUNCTIONS:
            atom = Atom(column=self._name("a column name"), function=cast("FunctionName", name))
        else:
            self._note(name_token, f"one of the functions {', '.join(FUNCTIONS)}, I", "Compute the column beforehand.")
            self._index -= 1
            raise _RejectedError
        if not self._take(")"):
            self._reject("')'")
        return atom

    def _power(self) -> int:
        digits = self._next.text
        if self._next.word is not Word.NUMBER or len(digits) > 1 or not 1 <= int(digits) <= MAX_POWER:
            self._reject(f"a power from 1 to {MAX_POWER}")
        self._index += 1
        return int(digits)


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
