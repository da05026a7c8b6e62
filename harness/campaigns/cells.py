"""A cell of a campaign: one combination of factors, with the model and the reference engine; and what keys to it."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass

from harness.cases import FittedSpec, read_model
from harness.gbtm.spec import GbtmSpec

Value = int | float | str

RECIPE = 1
"""Which data makers and which rows; it enters every key, so that rows of another recipe are never taken for these."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """What all replicates of a cell share. `factors` has every factor of the data, those at their defaults too.

    `seed` is the campaign's, `batch` how many replicates are computed and stored together.
    """

    seed: int
    batch: int
    reference: str
    factors: Mapping[str, int | float]
    model: Mapping[str, Value]

    @property
    def kind(self) -> str:
        """Which models are fitted: "lmm" or "gbtm"."""
        return str(self.model["kind"])

    @property
    def key(self) -> str:
        """A hash of everything that decides the cell's rows, which names their files."""
        return _hash([RECIPE, self.seed, self.batch, self.reference, dict(self.factors), dict(self.model)])[:16]

    def data_seed(self, replicate: int) -> int:
        """Return the seed of a replicate's data, of 128 bits.

        It is keyed by the campaign's seed, the kind of data, the factors and the replicate: neither by the cell's
        place in the plan, nor by other cells, nor by who computes it. Cells that differ in reference or model only
        see the same data.
        """
        return int(_hash([RECIPE, self.seed, self.kind, dict(self.factors), replicate])[:32], 16)


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """The replicates `first` to `last` (not included) of a cell; `deadline` in seconds is for one fit of R."""

    cell: Cell
    first: int
    last: int
    deadline: float


def spec_of(cell: Cell) -> FittedSpec:
    """Return the model that is fitted in a cell.

    Raises
    ------
    CaseError
        If the model can't be read.
    """
    if cell.kind == "lmm":
        return read_model(dict(cell.model), "[model]")
    settings = {key: value for key, value in cell.model.items() if key in {"sigma", "n_starts", "seed"}}
    orders = (int(cell.model["order"]),) * int(cell.factors["classes"])
    return GbtmSpec(outcome="score", time="visit", subject="subject", orders=orders, **settings)  # type: ignore[arg-type]


def _hash(values: object) -> str:
    text = json.dumps(values, sort_keys=True, ensure_ascii=True, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()
