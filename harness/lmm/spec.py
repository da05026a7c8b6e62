"""Which linear mixed model: a formula, a criterion and prior weights."""

from dataclasses import dataclass
from typing import Literal

from harness.formula import Formula

Criterion = Literal["ML", "REML"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LmmSpec:
    """A linear mixed model: random effects, a covariance of the residuals of a subject's visits, or both.

    `weights` names a numeric column > 0: the residual variance of a row is sigma^2 / weight, as in
    ``lmer(..., weights = )``. The `Point` of a model with random effects only is theta, the lower triangles by columns
    of the relative factor's blocks (diagonal only for `||`), in the user's units: for `(1 + t | id)` it is (L11, L21,
    L22), as in `lme4::getME(m, "theta")`.
    """

    formula: Formula
    criterion: Criterion = "REML"
    weights: str | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns that the model needs, each once."""
        weights = () if self.weights is None else (self.weights,)
        return tuple(dict.fromkeys((*self.formula.columns, *weights)))
