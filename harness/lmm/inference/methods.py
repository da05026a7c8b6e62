"""The methods for degrees of freedom, and what each one is, in words that go with every result."""

from dataclasses import dataclass
from typing import Literal, get_args

from harness.errors import Problem, SpecError, nearest

MethodName = Literal[
    "satterthwaite",
    "kenward-roger",
    "kenward-roger-observed",
    "kenward-roger-observed-linear",
    "residual",
    "wald",
]
METHODS: tuple[MethodName, ...] = get_args(MethodName)


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """How degrees of freedom and standard errors were had.

    `information` is that of the covariance parameters, `order` how far their uncertainty is followed, `parametrisation`
    the parameters in which it is; each is "none" where a method has no use for it.
    """

    name: str
    information: str
    order: str
    parametrisation: str

    def __str__(self) -> str:
        if self.information == "none":
            return self.name
        return f"{self.name} ({self.information} information, {self.order}, in {self.parametrisation})"


def checked_method(name: str, criterion: str) -> MethodName:
    """Return the name, known to be one of the methods and right for the criterion.

    Raises
    ------
    SpecError
        If there is no such method, or if it needs a REML fit and this is none.
    """
    where = f"degrees of freedom {name!r:.40}"
    known = {method: method for method in METHODS}
    if not isinstance(name, str) or name not in known:
        expected, advice = f"one of {', '.join(map(repr, METHODS))}", nearest(str(name), METHODS)
        raise SpecError(where, [Problem(found="no such method", expected=expected, advice=advice)])
    if name.startswith("kenward-roger") and criterion != "REML":
        advice = "Fit the model again by REML, or choose 'satterthwaite'."
        raise SpecError(where, [Problem(found=f"a fit by {criterion}", expected="a fit by REML", advice=advice)])
    return known[name]
