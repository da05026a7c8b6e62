"""Which group-based trajectory model: outcome, family, curves by class, covariates, and how it is searched."""

from dataclasses import dataclass
from typing import Literal

Family = Literal["gaussian", "censored_normal", "logit", "poisson", "zip", "beta"]
Sigma = Literal["shared", "class", "visit"]
RandomCovariance = Literal["full", "diagonal"]
RandomScale = Literal["common", "class"]
HIGHEST_ORDER = 5
"""Of the polynomial of a class."""

Errors = Literal["independent", "ar1", "brownian"]


@dataclass(frozen=True, slots=True, kw_only=True)
class GbtmSpec:
    """A mixture of regressions on time, one latent class a subject.

    Attributes
    ----------
    outcome, time, subject
        Names of columns; `time` may be None if every class is constant in time.
    orders
        Which polynomial orders there are, one a class, not which class gets which: unequal orders are tried in every
        distinct assignment, and a fit tells what each class got. At a given point they are meant in the order written.
        With `knots` an order d means the first d columns of the natural spline.
    family, limits, trials, exposure
        Of the outcome given the class: "gaussian"; "censored_normal" between the `limits` (lower, upper), -inf or inf
        where there is none; "logit" of 0/1, or of successes among the column `trials`; "poisson" and "zip"
        (zero-inflated), both with an optional column of exposures > 0; "beta" for 0 < y < 1.
    sigma
        Residual standard deviation of the gaussian families: "shared", one for each "class", or one for each "visit"
        (each distinct time).
    zero_orders
        For "zip": order of the polynomial of time in the log-odds of an extra zero, one a class in the order of
        `orders`, -1 for a class without extra zeros. Those of equal `orders` go together in every assignment.
    knots
        Interior knots of a natural cubic spline of time, in place of powers; empty for powers.
    covariates, common
        Right sides of formulas, such as "dose + dose:time", with coefficients for each class, or one for all classes.
    membership
        Right side of a formula of columns that are constant within subject: risk factors for the classes.
    weights
        Column of sampling weights > 0, constant within subject.
    random
        Order of the polynomial of time with random coefficients within class: None (no random effects), 0 (intercept),
        1 (intercept and slope), 2.
    random_covariance, random_scale
        "full" or "diagonal"; the same for all classes ("common"), or in class g multiplied by w_g^2 with w_K = 1
        ("class"; lcmm's `nwg`).
    errors
        Within class: "independent", or with a further process of covariance s^2 exp(-r |t - t'|) ("ar1") or
        s^2 min(t, t') ("brownian") beside the independent error, as in lcmm.
    dropout
        Number of lagged outcomes (0, 1, 2) in the log-odds of dropping out before the next visit, one a class in the
        order of `orders`; None for no dropout model.
    n_starts, seed
        How many starts, and the seed from which all of them follow.

    Its `Point`, for K classes, is: the log-odds of classes 1..K-1 against class K, covariate by covariate (the
    intercept first); the coefficients class by class, those of time first (lowest power first), then those of
    `covariates`; those of `common`; then what the family adds: sigma (one, K, or one a visit), the zero-inflation
    coefficients class by class, or the precision of each class; then the random effects: their covariance, upper
    triangle by columns (diagonal: variances), w_1..w_{K-1}, and the process (r, s^2 or s^2); then dropout coefficients
    class by class. All in the user's units.
    """

    outcome: str
    time: str | None
    subject: str
    orders: tuple[int, ...]
    family: Family = "gaussian"
    sigma: Sigma = "shared"
    n_starts: int = 100
    seed: int = 1
    limits: tuple[float, float] | None = None
    trials: str | None = None
    exposure: str | None = None
    zero_orders: tuple[int, ...] | None = None
    knots: tuple[float, ...] = ()
    covariates: str = ""
    common: str = ""
    membership: str = ""
    weights: str | None = None
    random: int | None = None
    random_covariance: RandomCovariance = "full"
    random_scale: RandomScale = "common"
    errors: Errors = "independent"
    dropout: tuple[int, ...] | None = None

    @property
    def n_classes(self) -> int:
        """How many latent classes."""
        return len(self.orders)
