"""From a design to a model over visits in working units, and back."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from harness.arrays import Codes, Matrix, Vector, read_only
from harness.formula import ResidualTerm
from harness.lmm.covariance import upper_factor
from harness.lmm.design import LmmDesign
from harness.lmm.visits.coordinates import LEAST_GAP, Coordinates, coordinates, g_places
from harness.lmm.visits.layout import Layout, Positions, lay_out
from harness.lmm.visits.likelihood import Evaluation, VisitModel
from harness.lmm.visits.statistics import block_statistics
from harness.lmm.visits.structures import Structure, continuous_autoregression, structure

# With more times than these nobody reads their covariances.
_MANY_TIMES = 50


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Prepared:
    """A model with what leads back to the user's units.

    Working rows are D = [X fixed, (y - X origin)/unit], X and y times the roots of weights; beta = origin + unit fixed
    beta_working. Random effects are in units of 1/`random_scale`, covariances of `unit`^2, times of `gap`. `names` and
    `coordinates` belong to gamma, `visits` and `levels` are labels, `positions` and `layout` say who was seen when.
    """

    model: VisitModel
    coordinates: Coordinates
    names: tuple[str, ...]
    visits: tuple[str, ...]
    levels: tuple[str, ...]
    positions: Positions
    layout: Layout
    D: Matrix
    fixed: Matrix
    origin: Vector
    unit: float
    random_scale: Vector
    gap: float

    def working_gamma(self, gamma: Vector) -> Vector:
        """Return gamma of the user's units in working units."""
        powers = self._powers()
        return np.asarray(np.abs(gamma) ** powers * np.sign(gamma) / self._units())

    def user_gamma(self, gamma: Vector) -> Vector:
        """Return working gamma in the user's units."""
        scaled = gamma * self._units()
        return np.asarray(np.abs(scaled) ** (1 / self._powers()) * np.sign(scaled))

    def user_derivatives(self, gamma: Vector) -> Vector:
        """Return by how much each parameter in the user's units moves with the working one."""
        scaled, powers = np.abs(gamma * self._units()), self._powers()
        slopes = np.divide(scaled ** (1 / powers), powers * np.abs(gamma), out=self._units(), where=powers != 1)
        return np.asarray(slopes)

    def random_cov(self, gamma: Vector) -> Matrix:
        """Return G (q, q) in the user's units, from working gamma."""
        return self.model.random_cov(gamma) * self.unit**2 / np.outer(self.random_scale, self.random_scale)

    def covariances(self, gamma: Vector) -> Mapping[str, Matrix]:
        """Return Sigma over visits, or over a few times, of each level, from working gamma, in the user's units."""
        model = self.model
        found: dict[str, Matrix] = {}
        if not self.visits:
            return found
        for level, label in enumerate(self.levels):
            own = gamma[model.level_slice(level)]
            if model.structure.n_visits is None:
                values = _decaying(own, np.array([float(visit) for visit in self.visits]) / self.gap)
            else:
                values = model.structure.entries(own).values.reshape(len(self.visits), -1)
            found[label] = read_only(values * self.unit**2)
        return found

    def marginal_covariances(self, gamma: Vector, design: LmmDesign) -> Iterator[tuple[Codes, Matrix]]:
        """Yield the rows (n_i,) of each subject and V_i (n_i, n_i) in the user's units, from working gamma."""
        model, positions, G = self.model, self.positions, self.random_cov(gamma)
        own = [gamma[model.level_slice(level)] for level in range(model.n_levels)]
        N = positions.n_visits
        whole = [] if N is None else [model.structure.entries(each).values.reshape(N, N) for each in own]
        for of_subject, level in zip(design.subject_rows(), positions.levels.tolist(), strict=True):
            rows, place = np.arange(of_subject.start, of_subject.stop), positions.place[of_subject]
            if N is None:
                Sigma = _decaying(own[level], place)
            else:
                visits = place.astype(np.int64)
                Sigma = whole[level][np.ix_(visits, visits)]
            Sigma = Sigma * self.unit**2
            if design.weights is not None:
                roots = np.sqrt(design.weights[rows])
                Sigma = Sigma / np.outer(roots, roots)
            yield rows, Sigma + design.Z[rows] @ G @ design.Z[rows].T

    def _units(self) -> Vector:
        model = self.model
        scale = self.random_scale[model.random_rows] * self.random_scale[model.random_columns]
        own = np.where(model.structure.variances, self.unit**2, 1.0)
        return np.concatenate([self.unit**2 / scale, np.tile(own, model.n_levels)])

    def _powers(self) -> Vector:
        """Return 1, or `gap` for correlations in time: over a gap, they are the gap-th power of that over time 1."""
        model = self.model
        own = np.ones(len(model.structure.names))
        if model.structure.n_visits is None:
            own[-1] = self.gap
        return np.concatenate([np.ones(model.n_random_parameters), np.tile(own, model.n_levels)])


def prepare(design: LmmDesign) -> Prepared:
    """Return the model of a design with a residual structure."""
    residual = design.residual
    if residual is None:
        raise ValueError("the design has no residual structure")
    positions, visits, levels, gap = _positions(residual, design)
    random_scale: Vector = np.sqrt(np.mean(design.scaled.Z**2, axis=0))
    Z = design.scaled.Z / random_scale
    layout = lay_out(positions, Z)
    own: Structure = (
        structure(residual.structure, visits)
        if layout.distances is None
        else continuous_autoregression(layout.distances)
    )
    conditioned = design.conditioned
    unit = float(np.sqrt(np.mean(conditioned.D[:, -1] ** 2)))
    D = np.column_stack([conditioned.D[:, :-1], conditioned.D[:, -1] / unit])
    n, p = design.n_observations, design.n_fixed
    log_det_fixed = float(np.log(np.abs(np.diag(conditioned.triangle))).sum())
    df = n - p if design.criterion == "REML" else n
    constant = df * float(np.log(2 * np.pi * unit**2)) - design.log_weights
    rows, columns = g_places(design.blocks)
    model = VisitModel(
        criterion=design.criterion,
        structure=own,
        n_levels=len(levels),
        random_rows=rows,
        random_columns=columns,
        random_spread=read_only(upper_factor(Z / np.sqrt(n)).T),
        blocks=block_statistics(layout, D),
        n_random=design.n_random,
        n_fixed=p,
        n_observations=n,
        constant=constant + (2 * log_det_fixed if design.criterion == "REML" else 0.0),
    )
    least_gap = 1.0 if layout.distances is None else float(layout.distances[layout.distances > 0].min(initial=1.0))
    fixed: Matrix = np.asarray(np.linalg.inv(conditioned.triangle))
    return Prepared(
        model=model,
        coordinates=coordinates(model, design.blocks, least_gap),
        names=_names(own, levels, design, by=residual.by),
        visits=visits,
        levels=levels,
        positions=positions,
        layout=layout,
        D=read_only(D),
        fixed=read_only(fixed),
        origin=read_only(fixed @ conditioned.coefficients),
        unit=unit,
        random_scale=read_only(random_scale),
        gap=gap,
    )


def recentred(prepared: Prepared, here: Evaluation) -> Prepared:
    """Return the same model with a residual that has `here.beta` taken off, and columns with X'V^-1X = I.

    Where V has a wide range of variances, cross products of other columns lose the digits of the small ones.
    """
    p = prepared.model.n_fixed
    turn = np.linalg.cholesky(here.inverse)
    columns, residual = prepared.D[:, :p], prepared.D[:, p]
    D = np.column_stack([columns @ turn, residual - columns @ here.beta])
    shift = 0.0
    if prepared.model.criterion == "REML":
        shift = -2 * float(np.log(np.diag(turn)).sum())
    model = replace(
        prepared.model,
        blocks=block_statistics(prepared.layout, D),
        constant=prepared.model.constant + shift,
    )
    return replace(
        prepared,
        model=model,
        D=read_only(D),
        origin=read_only(prepared.origin + prepared.unit * (prepared.fixed @ here.beta)),
        fixed=read_only(prepared.fixed @ turn),
    )


def _positions(residual: ResidualTerm, design: LmmDesign) -> tuple[Positions, tuple[str, ...], tuple[str, ...], float]:
    """Return where rows stand, labels of visits (or of times, if they are few) and of levels, and the typical gap."""
    frame, starts = design.frame, design.starts
    subject = np.repeat(np.arange(design.n_subjects), np.diff(starts))
    levels: tuple[str, ...] = ("all",)
    codes = np.zeros(design.n_subjects, dtype=np.int64)
    if residual.by is not None:
        levels, codes = frame.levels[residual.by], frame.codes[residual.by][starts[:-1]]
    continuous = residual.structure == "car1"
    place, visits = _places(residual.visit, design, continuous=continuous)
    order = np.lexsort([place, subject])
    gaps = np.diff(place[order])[np.diff(subject[order]) == 0]
    gap = max(float(gaps.min()), LEAST_GAP * float(np.median(gaps))) if continuous and len(gaps) else 1.0
    return (
        Positions(
            place=read_only(place / gap if continuous else place),
            starts=starts,
            levels=read_only(codes),
            n_visits=None if continuous else len(visits),
        ),
        visits,
        levels,
        gap,
    )


def _places(visit: str, design: LmmDesign, *, continuous: bool) -> tuple[Vector, tuple[str, ...]]:
    frame = design.frame
    if visit in frame.codes:
        return frame.codes[visit].astype(float), frame.levels[visit]
    values, codes = np.unique(frame.numeric[visit], return_inverse=True)
    if continuous and len(values) > _MANY_TIMES:
        return frame.numeric[visit], ()
    labels = tuple(f"{value:.15g}" for value in values.tolist())
    return (frame.numeric[visit] if continuous else codes.reshape(-1).astype(float)), labels


def _names(own: Structure, levels: tuple[str, ...], design: LmmDesign, by: str | None) -> tuple[str, ...]:
    rows, columns = g_places(design.blocks)
    effects = design.random_names
    random = tuple(
        f"random variance[{effects[i]}]" if i == j else f"random covariance[{effects[i]}, {effects[j]}]"
        for i, j in zip(rows.tolist(), columns.tolist(), strict=True)
    )
    if by is None:
        return random + own.names
    return random + tuple(f"{by}[{level}] {name}" for level in levels for name in own.names)


def _decaying(parameters: Vector, times: Vector) -> Matrix:
    """Return v phi^|s - t| for a variance, a correlation and times (k,) in working units."""
    variance, correlation = parameters
    return np.asarray(variance * correlation ** np.abs(times[:, None] - times))
