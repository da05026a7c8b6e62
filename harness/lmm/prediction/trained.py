"""What a fitted model needs in order to code new rows: its columns as trained, without anybody's data."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from harness.arrays import Codes, Matrix, Vector
from harness.coding.columns import CodedTerm, Frame
from harness.lmm.design import LmmDesign
from harness.lmm.estimates import LmmEstimates
from harness.lmm.grouping import RandomDesign
from harness.lmm.spec import LmmSpec


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TrainedRandom:
    """The random effects of one grouping factor: the columns that it combines, and its own coded terms."""

    grouping: tuple[str, ...]
    names: tuple[str, ...]
    coded: tuple[CodedTerm, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainedResidual:
    """Columns of the residual structure; `visits` are its visits in their order, None where it goes by time.

    A visit column of numbers has them as labels. `levels` are those of `by`, one covariance each; (None,) without it.
    """

    subject: str
    visit: str
    by: str | None
    visits: tuple[str, ...] | None
    levels: tuple[str | None, ...]

    def places(self, frame: Frame) -> Vector:
        """Return the visit's code, or the time, of every row (n,) of a frame; NaN where there is no such visit."""
        if self.visit in frame.codes:
            return frame.codes[self.visit].astype(float)
        values = frame.numeric[self.visit]
        if self.visits is None:
            return values
        known = {label: float(code) for code, label in enumerate(self.visits)}
        return np.array([known.get(f"{value:.15g}", np.nan) for value in values.tolist()])

    def level_codes(self, frame: Frame) -> Codes:
        """Return the code of the level of `by` of every row (n,)."""
        return np.zeros(frame.n_rows, dtype=np.int64) if self.by is None else frame.codes[self.by]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Trained:
    """The columns of a model: `coded` terms of the fixed part with the column numbers `kept` (p,) of `all_names`.

    `levels` are those of the factors among the predictors, the visit and `by` included; `numeric` names the other
    predictors. `null_space` (all, k) is zero for estimable contrasts.
    """

    outcome: str
    weights: str | None
    levels: Mapping[str, tuple[str, ...]]
    numeric: tuple[str, ...]
    coded: tuple[CodedTerm, ...]
    all_names: tuple[str, ...]
    kept: Codes
    null_space: Matrix
    random: tuple[TrainedRandom, ...]
    residual: TrainedResidual | None

    @property
    def subjects(self) -> tuple[str, ...]:
        """The columns that say whose a row is."""
        residual = () if self.residual is None else (self.residual.subject,)
        return tuple(dict.fromkeys([*(name for one in self.random for name in one.grouping), *residual]))


def trained(spec: LmmSpec, design: LmmDesign, estimates: LmmEstimates) -> Trained:
    """Return the columns of a design as it was trained."""
    formula, frame = spec.formula, design.frame
    columns_of = {term.subject: term.grouping for term in formula.random}
    random = tuple(
        TrainedRandom(
            grouping=columns_of[parts[0].grouping],
            names=tuple(name for part in parts for name in part.names),
            coded=tuple(one for part in parts for one in part.coded_terms),
        )
        for parts in random_parts(design)
    )
    used = _atom_columns([*design.coded_terms, *(one for part in random for one in part.coded)])
    residual = trained_residual(design, estimates)
    if residual is not None:
        used += [residual.visit, *([residual.by] if residual.by is not None else [])]
    names = tuple(dict.fromkeys(used))
    return Trained(
        outcome=formula.outcome,
        weights=spec.weights,
        levels={name: frame.levels[name] for name in names if name in frame.levels},
        numeric=tuple(name for name in names if name in frame.numeric),
        coded=design.coded_terms,
        all_names=design.all_names,
        kept=design.kept,
        null_space=design.null_space,
        random=random,
        residual=residual,
    )


def random_parts(design: LmmDesign) -> tuple[tuple[RandomDesign, ...], ...]:
    """Return the random terms of each grouping factor, in the order in which the formula first names it."""
    groupings = dict.fromkeys(one.grouping for one in design.random)
    return tuple(tuple(one for one in design.random if one.grouping == grouping) for grouping in groupings)


def trained_residual(design: LmmDesign, estimates: LmmEstimates) -> TrainedResidual | None:
    """Return the columns of a design's residual structure, None without one."""
    term = design.residual
    if term is None:
        return None
    by_time = term.structure == "car1"
    return TrainedResidual(
        subject=term.subject,
        visit=term.visit,
        by=term.by,
        visits=None if by_time else estimates.residual[0].visits,
        levels=design.frame.levels[term.by] if term.by is not None else (None,),
    )


def _atom_columns(coded: Iterable[CodedTerm]) -> list[str]:
    return [atom.column for one in coded for atom in one.term]
