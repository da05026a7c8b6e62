"""What a campaign declares before it starts: factors, model, references, replicates, and when a cell has enough."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product

from harness.campaigns.cells import Batch, Cell, Value


@dataclass(frozen=True, slots=True, kw_only=True)
class FactorRule:
    """What values a factor may have: from `low` to `high`, whole numbers or any; `default` where a plan has none."""

    default: float
    low: float
    high: float
    whole: bool = False
    meaning: str = ""

    def value(self, given: float) -> int | float:
        """Return a value as the factor has it, so that 1 and 1.0 are one value."""
        return int(given) if self.whole else float(given)


_VISITS: Mapping[str, FactorRule] = {
    "subjects": FactorRule(default=50, low=2, high=1_000_000, whole=True, meaning="subjects"),
    "visits": FactorRule(default=4, low=2, high=100, whole=True, meaning="visits of who stays to the end"),
    "dropout": FactorRule(default=0.0, low=0.0, high=0.95, meaning="share that is gone at the last visit"),
    "residual_sd": FactorRule(default=2.0, low=1e-6, high=1e6, meaning="standard deviation of residuals"),
}
FACTORS: Mapping[str, Mapping[str, FactorRule]] = {
    "lmm": {
        **_VISITS,
        "intercept_sd": FactorRule(default=3.0, low=0.0, high=1e6, meaning="standard deviation of random intercepts"),
        "slope_sd": FactorRule(default=1.0, low=0.0, high=1e6, meaning="standard deviation of random slopes"),
        "correlation": FactorRule(default=0.3, low=-1.0, high=1.0, meaning="correlation of intercepts and slopes"),
        "effect": FactorRule(default=-1.0, low=-1e6, high=1e6, meaning="difference of the arms' slopes"),
    },
    "gbtm": {
        **_VISITS,
        "classes": FactorRule(default=2, low=1, high=8, whole=True, meaning="latent classes, drawn and fitted"),
        "separation": FactorRule(
            default=2.0, low=0.0, high=100.0, meaning="residual standard deviations between classes at the first visit"
        ),
        "smallest": FactorRule(default=0.0, low=0.0, high=0.5, meaning="share of the lowest class; 0 for equal shares"),
    },
}
"""The factors of the data, by the kind of model that is fitted to them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A campaign as its file declares it.

    Attributes
    ----------
    name, seed
        Of the campaign.
    replicates, batch
        Of each cell at most, a multiple of `batch`; how many are computed and stored together.
    stop
        A cell is left when its interval reaches no further than this to either side of its middle; None for never.
    required
        The least rate of agreement that will do; None where nothing is required.
    deadline
        Seconds for one fit of R.
    references
        The engines that ours is compared with, each in cells of its own.
    factors
        Of each factor of the data its values; cells are all combinations.
    model
        What is fitted, as `[model]` has it.
    """

    name: str
    seed: int
    replicates: int
    batch: int
    stop: float | None
    required: float | None
    deadline: float
    references: tuple[str, ...]
    factors: Mapping[str, tuple[int | float, ...]]
    model: Mapping[str, Value]

    @property
    def cells(self) -> tuple[Cell, ...]:
        """All combinations of factors, for each reference."""
        return tuple(
            Cell(
                seed=self.seed,
                batch=self.batch,
                reference=reference,
                factors=dict(zip(self.factors, values, strict=True)),
                model=self.model,
            )
            for reference in self.references
            for values in product(*self.factors.values())
        )

    @property
    def n_batches(self) -> int:
        """How many batches a cell has at most."""
        return self.replicates // self.batch

    @property
    def varied(self) -> tuple[str, ...]:
        """The factors that have more than one value."""
        return tuple(name for name, values in self.factors.items() if len(values) > 1)

    def batch_of(self, cell: Cell, number: int) -> Batch:
        """Return a batch of a cell, numbered from 0."""
        first = number * self.batch
        return Batch(cell=cell, first=first, last=first + self.batch, deadline=self.deadline)

    def label(self, cell: Cell) -> str:
        """Return what tells a cell from the others of the plan."""
        return ", ".join(self._parts(cell)) or "all"

    def _parts(self, cell: Cell) -> Iterator[str]:
        if len(self.references) > 1:
            yield cell.reference
        for name in self.varied:
            yield f"{name} {cell.factors[name]:g}"
