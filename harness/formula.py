"""Model formulas as typed trees; no part of a formula is ever evaluated as code.

Grammar::

    formula   = name "~" sum
    sum       = summand { "+" summand | "-" "1" | "-" term }    "-" removes a term written before
    summand   = term | "0" | "1" | "(" random ")" | residual
    term      = product { "*" product }                         a*b = a + b + a:b
    product   = atom { ":" atom }
    atom      = name | name "^" integer | "I(" name "^" integer ")" | function "(" name ")"
              | ("poly" | "ns") "(" name "," integer ")" | "C(" name [ "," coding ] ")"
    random    = sum ("|" | "||") grouping                       no random within random
    grouping  = crossed { "/" crossed }                         a/b = one term by a and one by a:b
    crossed   = name { ":" name }
    residual  = structure "(" name "|" [ name "/" ] name ")"    structure(visit | arm / subject), at most one

`week^2` is the square of a numeric column, not R's crossing. Functions: log, log1p, sqrt, exp; poly(week, 2) are R's
orthogonal polynomials and ns(week, 3) the natural splines of R's package splines. Codings: treatment, sum, helmert,
poly. Structures: us, cs, csh, ar1, ar1h, toep, toeph, ad, adh, car1. Terms are put in R's order: by degree, and
within a product by first appearance, so that columns of a design come in the order of R's `model.matrix`.
"""

from functools import lru_cache

from harness.errors import FormulaError, Problem, listed
from harness.formula_parser import FUNCTIONS, Parser
from harness.formula_tokens import shortened
from harness.formula_tree import (
    Atom,
    Coding,
    Formula,
    FunctionName,
    RandomTerm,
    ResidualTerm,
    Structure,
    Term,
    formula_text,
    term_text,
)

__all__ = [
    "FUNCTIONS",
    "Atom",
    "Coding",
    "Formula",
    "FunctionName",
    "RandomTerm",
    "ResidualTerm",
    "Structure",
    "Term",
    "formula_text",
    "parse_formula",
    "term_text",
]

MAX_CHARACTERS = 5_000


@lru_cache(maxsize=256)
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
    parser = Parser(text)
    formula = parser.formula()
    if parser.problems or formula is None:
        raise FormulaError(where, listed(parser.problems))
    return formula


def _too_long(length: int) -> Problem:
    return Problem(
        found=f"a formula of {length} characters",
        expected=f"at most {MAX_CHARACTERS}",
        advice="Give columns shorter names, or write fewer terms.",
    )
