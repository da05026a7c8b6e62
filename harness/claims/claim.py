"""A claim: one printed number, what it is of, and the printed numbers that it must agree with."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from harness.claims.forms import Parts
from harness.claims.printed import Printed
from harness.errors import Problem

_DATA = ("outcome", "at", "unit")
_MODEL = ("model", "term")
_WALD = ("estimate", "se", "df")


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """What sort of number a claim is: the form of its text, and the columns that say what it is of."""

    form: str
    columns: tuple[str, ...]
    meaning: str


KINDS: Mapping[str, Kind] = {
    "count": Kind(
        form="proportion",
        columns=("at", "event", "unit", "missing", "outcome", *_MODEL, "n", "parts"),
        meaning="how many subjects (or rows), perhaps of how many, perhaps with the percentage",
    ),
    "percent": Kind(
        form="percentage",
        columns=("at", "event", "unit", "missing", "count", "n", "parts"),
        meaning="a percentage of subjects (or rows)",
    ),
    "percents": Kind(form="list", columns=("n",), meaning="the percentages of all groups of one total"),
    "mean": Kind(form="number", columns=(*_DATA, "n", "items", "range"), meaning="a mean"),
    "sd": Kind(form="number", columns=(*_DATA, "n", "items", "range", "mean", "se"), meaning="a standard deviation"),
    "mean_sd": Kind(
        form="mean and SD", columns=(*_DATA, "n", "items", "range", "se"), meaning="a mean with its standard deviation"
    ),
    "median": Kind(form="number", columns=(*_DATA, "range"), meaning="a median"),
    "minimum": Kind(form="number", columns=(*_DATA, "range"), meaning="the smallest value"),
    "maximum": Kind(form="number", columns=(*_DATA, "range"), meaning="the largest value"),
    "difference": Kind(form="number", columns=("parts",), meaning="the first of two printed numbers less the second"),
    "estimate": Kind(
        form="number",
        columns=(*_MODEL, "interval", "level", "scale", "se", "statistic"),
        meaning="a coefficient, a marginal mean, a contrast, or any parameter of a model",
    ),
    "se": Kind(
        form="number",
        columns=(*_DATA, *_MODEL, "sd", "n", "estimate", "statistic"),
        meaning="a standard error: of a mean, or of an estimate of a model",
    ),
    "statistic": Kind(
        form="number",
        columns=(*_MODEL, "test", "estimate", "se", "rates"),
        meaning="a test statistic: z, t, F or chi-square",
    ),
    "df": Kind(form="number", columns=_MODEL, meaning="degrees of freedom of a contrast or coefficient"),
    "p": Kind(
        form="probability",
        columns=(
            *_MODEL,
            "adjust",
            "test",
            "sides",
            *_WALD,
            "df2",
            "statistic",
            "interval",
            "level",
            "scale",
            "rates",
        ),
        meaning="a p value",
    ),
    "interval": Kind(
        form="limits",
        columns=(*_MODEL, "adjust", "level", *_WALD, "scale"),
        meaning="an interval of confidence",
    ),
    "share": Kind(form="share", columns=_MODEL, meaning="the share of a latent class"),
    "log_likelihood": Kind(form="number", columns=("model",), meaning="a log-likelihood"),
    "aic": Kind(
        form="number", columns=("model", "convention", "log_likelihood", "parameters"), meaning="Akaike's criterion"
    ),
    "bic": Kind(
        form="number",
        columns=("model", "unit", "convention", "log_likelihood", "parameters", "n", "n_rows"),
        meaning="Schwarz's criterion",
    ),
    "entropy": Kind(form="number", columns=("model",), meaning="the relative entropy of a trajectory model"),
}
"""All kinds of claims."""

COMPANION_FORMS: Mapping[str, str] = {
    "n": "whole",
    "n_rows": "whole",
    "count": "whole",
    "items": "whole",
    "parameters": "whole",
    "parts": "list",
    "mean": "number",
    "estimate": "number",
    "se": "size",
    "sd": "size",
    "statistic": "number",
    "df": "size",
    "df2": "size",
    "log_likelihood": "number",
    "interval": "limits",
    "level": "level",
    "range": "range",
    "rates": "rates",
}
"""Columns that hold numbers printed beside the claim, and their form."""

CHOICES: Mapping[str, tuple[str, ...]] = {
    "unit": ("subjects", "rows"),
    "missing": ("left out", "failure"),
    "test": ("z", "t", "F", "chi-square", "chi-square corrected", "Fisher"),
    "sides": ("two", "one"),
    "scale": ("identity", "log"),
    "adjust": ("none", "dunnett", "tukey"),
    "convention": ("deviance", "log-likelihood"),
}
"""Columns that hold one of a few words."""

TEXTS = ("outcome", "at", "event", "model", "term")
"""Columns that name columns, rows and models."""

COLUMNS = ("id", "kind", "text", "place", *TEXTS, *COMPANION_FORMS, *CHOICES)
"""All columns that a table of claims may have."""

LONGEST_CELL = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One row of a table of claims.

    Attributes
    ----------
    id, kind, text, place
        Its name, what sort of number it is (`KINDS`), what was printed, and where.
    parts
        The numbers in the text.
    companions
        By column, the numbers printed beside it.
    words
        By column, the texts and choices that say what it is of; columns left blank are absent.
    line
        Where it stands in its table; the header is line 1.
    """

    id: str
    kind: str
    text: str
    parts: Parts
    place: str = ""
    companions: Mapping[str, Parts] = field(default_factory=dict)
    words: Mapping[str, str] = field(default_factory=dict)
    line: int = 0

    def word(self, column: str, default: str = "") -> str:
        """Return what a column says, or the default where it is blank."""
        return self.words.get(column, default)

    def beside(self, column: str) -> Printed | None:
        """Return the one number that a column holds."""
        return self.companions.get(column, {}).get("value")

    @property
    def asks_data(self) -> bool:
        """Whether it says what it is of in the data."""
        return any(column in self.words for column in ("outcome", "event", "at", "model"))

    def problem(self, column: str, found: str, expected: str, advice: str = "") -> Problem:
        """Return what is wrong with one of its cells."""
        return Problem(found=found, expected=expected, line=self.line, column=column, advice=advice)
