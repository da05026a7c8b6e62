"""The tree of a model formula: outcome, terms, random effects, and how the visits of a subject hang together."""

from dataclasses import dataclass
from typing import Literal

FunctionName = Literal["identity", "log", "log1p", "sqrt", "exp", "poly", "ns"]
Coding = Literal["treatment", "sum", "helmert", "poly"]
Structure = Literal["us", "cs", "csh", "ar1", "ar1h", "toep", "toeph", "ad", "adh", "car1"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Atom:
    """One column, possibly as a power or a function of it, or a factor in a coding of its own.

    `size` counts the columns of poly(week, 2) and ns(week, 3); `coding` is that of C(visit, sum), else None.
    """

    column: str
    power: int = 1
    function: FunctionName = "identity"
    size: int = 1
    coding: Coding | None = None

    def __str__(self) -> str:
        if self.coding is not None:
            return f"C({self.column}, {self.coding})"
        if self.function in {"poly", "ns"}:
            return f"{self.function}({self.column}, {self.size})"
        if self.function != "identity":
            return f"{self.function}({self.column})"
        return self.column if self.power == 1 else f"{self.column}^{self.power}"


Term = tuple[Atom, ...]
"""A product of atoms, none twice; in a parsed formula in the order in which they first appear in its sorted terms."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RandomTerm:
    """`(terms | grouping)`; (1 | worker:machine) groups by two columns.

    `(terms || grouping)` is not correlated: each column has a variance of its own, those of factors too. (lme4 splits
    `||` between terms only, and leaves the levels of a factor correlated: another model.)
    """

    terms: tuple[Term, ...]
    grouping: tuple[str, ...]
    intercept: bool = True
    correlated: bool = True

    @property
    def subject(self) -> str:
        """The grouping as it is written, such as ``worker:machine``."""
        return ":".join(self.grouping)

    def __str__(self) -> str:
        inner = [str(int(self.intercept)), *map(term_text, self.terms)]
        return f"({' + '.join(inner)} {'|' if self.correlated else '||'} {self.subject})"


@dataclass(frozen=True, slots=True, kw_only=True)
class ResidualTerm:
    """`structure(visit | subject)`: how residuals of a subject covary; its own parameters for each level of `by`.

    Structures are named as in R's mmrm: unstructured, compound symmetry, autoregressive, Toeplitz and ante-dependent,
    an h at the end where each visit has its variance; `car1` has correlation phi^|s - t| of a numeric column.
    """

    structure: Structure
    visit: str
    subject: str
    by: str | None = None

    def __str__(self) -> str:
        within = self.subject if self.by is None else f"{self.by} / {self.subject}"
        return f"{self.structure}({self.visit} | {within})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Formula:
    """`outcome ~ terms + (random | subject) + us(visit | subject)`; terms are expanded, without repeats, by degree."""

    outcome: str
    terms: tuple[Term, ...]
    intercept: bool = True
    random: tuple[RandomTerm, ...] = ()
    residual: ResidualTerm | None = None

    @property
    def subject(self) -> tuple[str, ...]:
        """The columns whose combinations are the subjects: the first random term's grouping, else the residual's."""
        if self.random:
            return self.random[0].grouping
        return () if self.residual is None else (self.residual.subject,)

    @property
    def variables(self) -> tuple[str, ...]:
        """The columns whose values matter, each once: outcome, predictors, visits and arms of a residual structure."""
        terms = (*self.terms, *(term for random in self.random for term in random.terms))
        atoms = (atom.column for term in terms for atom in term)
        residual = self.residual
        visits = () if residual is None else (residual.visit, *filter(None, (residual.by,)))
        return tuple(dict.fromkeys([self.outcome, *atoms, *visits]))

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns that the formula names, each once: the variables, then those that only say whose a row is."""
        subject = () if self.residual is None else (self.residual.subject,)
        groupings = (name for random in self.random for name in random.grouping)
        return tuple(dict.fromkeys([*self.variables, *subject, *groupings]))


def formula_text(formula: Formula) -> str:
    """Return the formula as text that `parse_formula` reads back to the same tree."""
    written = [] if formula.intercept and formula.terms else [str(int(formula.intercept))]
    written += [*map(term_text, formula.terms), *map(str, formula.random)]
    if formula.residual is not None:
        written.append(str(formula.residual))
    return f"{formula.outcome} ~ {' + '.join(written)}"


def term_text(term: Term) -> str:
    """Return a term as it is written in a formula, such as ``week:protocol``."""
    return ":".join(map(str, term))
