"""Model formulas as typed trees; no part of a formula is ever evaluated as code.

Grammar::

    formula   = name "~" sum
    sum       = ["-" "1" |] term { ("+" term | "-" "1") }
    term      = product { "*" product }                a*b = a + b + a:b
    product   = atom { ":" atom }
    atom      = name | name "^" integer | "I(" name "^" integer ")" | function "(" name ")" | number | "(" random ")"
    random    = sum ("|" | "||") name

`week^2` is the square of a numeric column, not R's crossing. Functions: log, log1p, sqrt, exp.
"""

from dataclasses import dataclass
from typing import Literal

FunctionName = Literal["identity", "log", "log1p", "sqrt", "exp"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Atom:
    """One column, possibly as a power or a function of it."""

    column: str
    power: int = 1
    function: FunctionName = "identity"


Term = tuple[Atom, ...]
"""A product of atoms, in the order in which they were written."""


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
