"""Which linear mixed model: a formula and a criterion."""

from dataclasses import dataclass
from typing import Literal

from harness.formula import Formula

Criterion = Literal["ML", "REML"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LmmSpec:
    """A linear mixed model with one grouping factor.

    Its `Point` is theta, the lower triangle of the relative factor by columns (diagonal only for `||`), in the user's
    units: for `(1 + t | id)` it is (L11, L21, L22), as in `lme4::getME(m, "theta")`.
    """

    formula: Formula
    criterion: Criterion = "REML"
