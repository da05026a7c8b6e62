"""What a model of several outcomes says about each of them."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

from harness.gbtm.spec import Errors, Family, GbtmSpec, RandomCovariance, RandomScale, Sigma


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeModel:
    """The law of one outcome given the class: all of `GbtmSpec` that is not of the whole model.

    `time` is a column of its own times; None for the column of the whole model.
    """

    outcome: str
    orders: tuple[int, ...]
    time: str | None = None
    family: Family = "gaussian"
    sigma: Sigma = "shared"
    limits: tuple[float, float] | None = None
    trials: str | None = None
    exposure: str | None = None
    zero_orders: tuple[int, ...] | None = None
    knots: tuple[float, ...] = ()
    covariates: str = ""
    common: str = ""
    random: int | None = None
    random_covariance: RandomCovariance = "full"
    random_scale: RandomScale = "common"
    errors: Errors = "independent"
    dropout: tuple[int, ...] | None = None

    def spec(
        self,
        *,
        time: str | None,
        subject: str,
        membership: str = "",
        weights: str | None = None,
        n_starts: int = 100,
        seed: int = 1,
    ) -> GbtmSpec:
        """Return the spec of this outcome alone, with the settings of the whole model."""
        own = {field.name: getattr(self, field.name) for field in fields(self)}
        own["time"] = time if self.time is None else self.time
        return GbtmSpec(**own, subject=subject, membership=membership, weights=weights, n_starts=n_starts, seed=seed)


def specs_of(
    outcomes: Sequence[OutcomeModel],
    *,
    time: str | None,
    subject: str,
    membership: str = "",
    weights: str | None = None,
    n_starts: int = 100,
    seed: int = 1,
) -> tuple[GbtmSpec, ...]:
    """Return one spec an outcome; what the whole model has is the same in all of them."""
    return tuple(
        outcome.spec(time=time, subject=subject, membership=membership, weights=weights, n_starts=n_starts, seed=seed)
        for outcome in outcomes
    )
