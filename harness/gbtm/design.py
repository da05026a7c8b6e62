"""From a spec and a cohort to the mixture that a search climbs, or to all reasons why that can't be."""

from dataclasses import dataclass, replace
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np

from harness.arrays import Codes, Matrix, Vector, read_only
from harness.cohorts.cohort import Cohort
from harness.gbtm.checks import refuse
from harness.gbtm.densities.building import build_densities
from harness.gbtm.families.build import row_family
from harness.gbtm.membership import membership_of
from harness.gbtm.mixture import Mixture
from harness.gbtm.response import Response
from harness.gbtm.response_building import build_response, power_name
from harness.gbtm.rows import Rows, Subjects, read_rows
from harness.gbtm.spec import GbtmSpec
from harness.gbtm.working_columns import WorkingColumns
from harness.quantities import InputEvidence

if TYPE_CHECKING:
    from harness.gbtm.model import ClassDensity

ClassKind = tuple[int, ...]
"""What distinguishes the classes of a spec before any data: order, order of zero inflation, lags of dropout.
These three, once for each outcome."""

KIND_WIDTH = 3


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Outcome:
    """One outcome of a model: its spec, its rows in the user's units, and its response and columns in working units.

    `density` is the number of its density among those of the mixture; a dropout model is one more density after it.
    """

    spec: GbtmSpec
    rows: Rows
    response: Response
    columns: WorkingColumns
    density: int = 0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GbtmDesign:
    """Everything that a search needs.

    Attributes
    ----------
    spec
        Of the model; its `orders` are those of the mixture's classes. In a model of several outcomes, that of the first
        one; the search takes its seed and number of starts from here.
    subjects
        Labels, weights and risk factors of N subjects.
    outcomes
        Each with its rows; one, but for models of several outcomes.
    mixture
        The log-likelihood as a function of one free vector in working units.
    curves : (N, q)
        Coefficients of each subject's own curve in working units, shrunken towards the pooled one: what searches start
        from. The first is the level; several outcomes have their curves side by side.
    means : (N,)
        Of each subject's outcomes, standardised; of several outcomes, their first principal component.
    """

    spec: GbtmSpec
    subjects: Subjects
    outcomes: tuple[Outcome, ...]
    mixture: Mixture
    curves: Matrix
    means: Vector

    @property
    def specs(self) -> tuple[GbtmSpec, ...]:
        """Of all outcomes, in order."""
        return (self.spec, *(outcome.spec for outcome in self.outcomes[1:]))

    @property
    def n_observations(self) -> int:
        """Rows with an observed outcome, of all outcomes."""
        return sum(len(outcome.rows.y) for outcome in self.outcomes)

    @property
    def n_subjects(self) -> int:
        """Subjects with at least one observed outcome."""
        return self.subjects.count

    @property
    def n_classes(self) -> int:
        """How many latent classes."""
        return self.mixture.n_classes

    @property
    def n_parameters(self) -> int:
        """Free parameters of the model."""
        return self.mixture.n_free

    @property
    def class_kinds(self) -> tuple[ClassKind, ...]:
        """What distinguishes the classes, in the order of the spec; with several outcomes, one after the other."""
        by_outcome = [class_kinds(spec) for spec in self.specs]
        return tuple(tuple(chain.from_iterable(kinds)) for kinds in zip(*by_outcome, strict=True))

    @property
    def subject_labels(self) -> tuple[str, ...]:
        """Names of the N subjects."""
        return self.subjects.labels

    def mixture_of(self, kinds: tuple[ClassKind, ...] | None = None) -> Mixture:
        """Return the mixture with its classes in the order of `kinds`; in that of the spec by default."""
        if kinds is None or kinds == self.class_kinds:
            return self.mixture
        return self.mixture.permuted(slots(self.class_kinds, kinds))

    def with_outcomes(self, outcomes: tuple[Vector, ...]) -> "GbtmDesign":
        """Return the design of the same model for other outcomes (n,) of the same rows."""
        rows = tuple(replace(o.rows, y=read_only(np.array(y))) for o, y in zip(self.outcomes, outcomes, strict=True))
        return assemble(self.specs, self.subjects, rows)

    def with_kinds(self, kinds: tuple[ClassKind, ...]) -> "GbtmDesign":
        """Return the design with its classes in the order of `kinds`."""
        specs = self._specs_of(kinds)
        outcomes = tuple(replace(outcome, spec=spec) for outcome, spec in zip(self.outcomes, specs, strict=True))
        return replace(self, spec=specs[0], outcomes=outcomes, mixture=self.mixture_of(kinds))

    def with_another(self, kind: ClassKind) -> "GbtmDesign":
        """Return the design of the model with one more class of a kind."""
        kinds = (*self.class_kinds, kind)
        return assemble(self._specs_of(kinds), self.subjects, tuple(o.rows for o in self.outcomes))

    def without(self, kind: ClassKind) -> "GbtmDesign":
        """Return the design of the model without one class of a kind."""
        kept = list(self.class_kinds)
        kept.remove(kind)
        return assemble(self._specs_of(tuple(kept)), self.subjects, tuple(o.rows for o in self.outcomes))

    def _specs_of(self, kinds: tuple[ClassKind, ...]) -> tuple[GbtmSpec, ...]:
        """Return the spec of each outcome with classes of these kinds."""
        return tuple(with_kinds(spec, kinds, number) for number, spec in enumerate(self.specs))


def class_kinds(spec: GbtmSpec) -> tuple[ClassKind, ...]:
    """Return what distinguishes the classes of a spec: (order, order of zero inflation, lags of dropout)."""
    zero = spec.zero_orders or (0,) * spec.n_classes
    dropout = spec.dropout or (0,) * spec.n_classes
    return tuple(zip(spec.orders, zero, dropout, strict=True))


def with_kinds(spec: GbtmSpec, kinds: tuple[ClassKind, ...], number: int = 0) -> GbtmSpec:
    """Return the spec with classes of these kinds; `number` says which of several outcomes it is of."""
    own = slice(KIND_WIDTH * number, KIND_WIDTH * (number + 1))
    orders, zero, dropout = zip(*(kind[own] for kind in kinds), strict=True)
    return replace(
        spec,
        orders=orders,
        zero_orders=None if spec.zero_orders is None else zero,
        dropout=None if spec.dropout is None else dropout,
    )


def slots(kinds: tuple[ClassKind, ...], assignment: tuple[ClassKind, ...]) -> Codes:
    """Return the class of the spec that each place takes, so that place r gets kind assignment[r]."""
    free = list(range(len(kinds)))
    taken = []
    for kind in assignment:
        slot = next(g for g in free if kinds[g] == kind)
        free.remove(slot)
        taken.append(slot)
    return np.array(taken, dtype=np.int64)


def build_design(spec: GbtmSpec, cohort: Cohort) -> GbtmDesign:
    """Return the design of a trajectory model on a cohort.

    Rows without an outcome do not exist for the likelihood (missing at random); they are dropped and counted, and so
    is a subject without any other row.

    Raises
    ------
    SpecError
        With all problems at once: unknown or non-numeric columns, outcomes that the family can't have, missing times
        or covariates, orders that the times can't support, more classes than subjects, settings out of range.
    """
    refuse(spec, cohort)
    subjects, rows = read_rows((spec,), cohort)
    return assemble((spec,), subjects, rows)


def assemble(specs: tuple[GbtmSpec, ...], subjects: Subjects, rows: tuple[Rows, ...]) -> GbtmDesign:
    """Return the design of a model of one outcome or several on rows that were checked."""
    outcomes: list[Outcome] = []
    densities: list[ClassDensity] = []
    labels, curves, means = [], [], []
    for spec, own in zip(specs, rows, strict=True):
        response, columns = build_response(spec, own)
        outcomes.append(Outcome(spec=spec, rows=own, response=response, columns=columns, density=len(densities)))
        added = build_densities(spec, own, response)
        densities += added
        labels += [spec.outcome] * len(added)
        y = standardised(spec, own, response)
        curves.append(subject_curves(y, response))
        means.append(response.panel.sum(y) / np.maximum(response.panel.sizes, 1))
    mixture = Mixture(
        membership=membership_of(subjects.membership, specs[0].n_classes),
        densities=tuple(densities),
        weights=subjects.weights,
        labels=tuple(labels) if len(specs) > 1 else (),
    )
    return GbtmDesign(
        spec=specs[0],
        subjects=subjects,
        outcomes=tuple(outcomes),
        mixture=mixture,
        curves=read_only(np.column_stack(curves)),
        means=read_only(means[0] if len(specs) == 1 else first_component(np.column_stack(means))),
    )


def first_component(means: Matrix) -> Vector:
    """Return the first principal component (N,) of columns (N, q), rising with the first one."""
    scaled = (means - means.mean(axis=0)) / np.maximum(means.std(axis=0), 1e-12)
    _, axes = np.linalg.eigh(scaled.T @ scaled)
    leading = axes[:, -1]
    return np.asarray(scaled @ leading * (1.0 if leading[0] >= 0 else -1.0))


_SHRINKAGE = 1.0  # rows' worth of the pooled curve in each subject's curve, so that one visit is enough


def subject_curves(y: Vector, response: Response) -> Matrix:
    """Return the coefficients (N, q) of each subject's own curve of time, shrunken towards the pooled curve."""
    time = np.r_[0, 1 + response.n_covariates : response.X.shape[1] - response.n_common]
    X = response.X[:, time]
    panel, q = response.panel, len(time)
    XX = panel.sum((X[:, :, None] * X[:, None, :]).reshape(len(y), -1).T).T.reshape(-1, q, q)
    Xy = panel.sum((X * y[:, None]).T).T
    return np.asarray(np.linalg.solve(XX + _SHRINKAGE * np.eye(q), Xy[..., None])[..., 0])


def standardised(spec: GbtmSpec, rows: Rows, response: Response) -> Vector:
    """Return the outcome on the scale of the linear predictor, roughly, with mean 0 and deviation 1."""
    if spec.family == "gaussian":
        return response.y
    y = row_family(spec.family, rows.y, spec.limits, rows.trials).working_outcome() - response.offset
    y = y - y.mean()
    return np.asarray(y / (y.std() or 1.0))


def input_evidence(design: GbtmDesign) -> InputEvidence:
    """Return what was used, counted and summed over the rows used: powers of time, covariates by class, common ones."""
    rows = design.outcomes[0].rows
    sums = {
        power_name(str(design.spec.time), k): float(np.sum(rows.time**k)) for k in range(max(design.spec.orders) + 1)
    }
    for columns in (rows.covariates, rows.common):
        sums |= dict(zip(columns.names, columns.values.sum(axis=0).tolist(), strict=True))
    return InputEvidence(
        n_observations=len(rows.y),
        n_subjects=design.n_subjects,
        outcome_sum=float(rows.y.sum()),
        design_sums=sums,
    )
