"""Where everything stands: random terms as blocks of Lambda, grouping factors, and rows that depend on each other.

Two random terms of one grouping factor share its levels; so a factor has the columns of all its terms side by side, and
a block-diagonal relative factor. Rows fall into components that share no level of any factor: nested designs have one
component an outer level, crossed ones a single one.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.linalg import solve_triangular
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from harness.arrays import Codes, Matrix, Vector, read_only
from harness.lmm.covariance import lower_triangular, theta_entries, upper_factor
from harness.lmm.design import LmmDesign
from harness.lmm.twofold import product

# Components are put together until the factors that are not eliminated level by level have so many columns.
_COLUMNS_AT_ONCE = 256


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Factor:
    """A grouping factor: Z (n, q) in working units, and the level (n,) of each row, of `n_levels`."""

    grouping: str
    Z: Matrix
    codes: Codes
    n_levels: int

    @property
    def n_random(self) -> int:
        """Random effects of one level, q."""
        return int(self.Z.shape[1])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Block:
    """A square on Lambda's diagonal that theta fills: some columns of one factor, from `start`.

    `units` (q, q), upper triangular, turns the user's columns into working ones, which are orthonormal times sqrt(n):
    the working Lambda has neither units nor an origin of time.
    """

    term: int
    factor: int
    start: int
    units: Matrix
    names: tuple[str, ...]

    @property
    def size(self) -> int:
        """Random effects in the block."""
        return len(self.units)

    @property
    def columns(self) -> slice:
        """The factor's columns that belong to the block."""
        return slice(self.start, self.start + self.size)

    def user_factor(self, Lambda: Matrix) -> Matrix:
        """Return the block of Lambda in the user's units, lower triangular with a diagonal >= 0."""
        return lower_triangular(self.units @ Lambda)

    def working_factor(self, Lambda: Matrix) -> Matrix:
        """Return the user's block of Lambda in working units, lower triangular."""
        return lower_triangular(solve_triangular(self.units, Lambda))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Layout:
    """Grouping factors, the one with most columns first, and blocks of Lambda in the order of theta.

    `parts` holds the rows of the independent parts, each one component or several small ones.
    """

    factors: tuple[Factor, ...]
    blocks: tuple[Block, ...]
    components: Codes
    parts: tuple[Codes, ...]

    @property
    def sizes(self) -> tuple[int, ...]:
        """How many random effects each block has."""
        return tuple(block.size for block in self.blocks)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Entries:
    """Where each entry of theta stands: its factor, and its row and column in that factor's Lambda (each (J,)).

    `orders` is the order of random effects in each block in which its Lambda is lower triangular.
    """

    factor: Codes
    rows: Codes
    columns: Codes
    orders: tuple[tuple[int, ...], ...]


def arrange(design: LmmDesign) -> Layout:
    """Return the layout of a design's random terms, in working units."""
    widths: dict[str, int] = {}
    for term in design.random:
        widths[term.grouping] = widths.get(term.grouping, 0) + len(term.labels) * len(term.names)
    groupings = sorted(widths, key=lambda grouping: -widths[grouping])
    columns: list[list[Matrix]] = [[] for _ in groupings]
    blocks: list[Block] = []
    at = 0
    for k, term in enumerate(design.random):
        factor = groupings.index(term.grouping)
        for size in term.blocks:
            working, units = _working_columns(design.scaled.Z[:, at : at + size])
            start = sum(Z.shape[1] for Z in columns[factor])
            names = design.random_names[at : at + size]
            blocks.append(Block(term=k, factor=factor, start=start, units=units, names=names))
            columns[factor].append(working)
            at += size
    terms = {term.grouping: term for term in design.random}
    factors = tuple(
        Factor(
            grouping=grouping,
            Z=read_only(np.column_stack(columns[f])),
            codes=terms[grouping].codes,
            n_levels=len(terms[grouping].labels),
        )
        for f, grouping in enumerate(groupings)
    )
    components = _components(factors)
    return Layout(
        factors=factors,
        blocks=tuple(blocks),
        components=read_only(components),
        parts=_parts(components, factors),
    )


def entries(layout: Layout, orders: Sequence[tuple[int, ...]] | None = None) -> Entries:
    """Return where theta's entries stand; as the blocks are, unless orders are given."""
    orders = tuple(tuple(range(block.size)) for block in layout.blocks) if orders is None else tuple(orders)
    factor, rows, columns = [], [], []
    for block, order in zip(layout.blocks, orders, strict=True):
        own_rows, own_columns = theta_entries(block.size)
        factor.append(np.full(len(own_rows), block.factor))
        rows.append(block.start + np.array(order)[own_rows])
        columns.append(block.start + own_columns)
    return Entries(
        factor=read_only(np.concatenate(factor)),
        rows=read_only(np.concatenate(rows)),
        columns=read_only(np.concatenate(columns)),
        orders=orders,
    )


def factors_at(theta: Vector, where: Entries, layout: Layout) -> tuple[Matrix, ...]:
    """Return each factor's Lambda (q, q); triangular up to the order of its rows."""
    Lambdas = []
    for f, factor in enumerate(layout.factors):
        own = where.factor == f
        Lambda = np.zeros((factor.n_random, factor.n_random))
        Lambda[where.rows[own], where.columns[own]] = theta[own]
        Lambdas.append(Lambda)
    return tuple(Lambdas)


def pair_offsets(layout: Layout) -> Codes:
    """Return where the pairs (q x q) of each factor begin, and where all end."""
    return np.cumsum([0, *(factor.n_random**2 for factor in layout.factors)])


def gamma_parameters(layout: Layout) -> tuple[Matrix, tuple[str, ...]]:
    """Return for each covariance parameter, the lower triangle of each block, its pairs (r, k), and its name."""
    offsets = pair_offsets(layout)
    deltas, names = [], []
    for block in layout.blocks:
        factor = layout.factors[block.factor]
        for a, b in zip(*theta_entries(block.size), strict=True):
            delta = np.zeros((factor.n_random, factor.n_random))
            first, second = block.start + a, block.start + b
            delta[first, second] = delta[second, first] = 1.0
            row = np.zeros(offsets[-1])
            row[offsets[block.factor] : offsets[block.factor + 1]] = delta.reshape(-1)
            deltas.append(row)
            names.append(f"G[{factor.grouping},{first + 1},{second + 1}]")
    return np.array(deltas), tuple(names)


def _working_columns(Z: Matrix) -> tuple[Matrix, Matrix]:
    """Return orthonormal columns times sqrt(n), with the upper triangular matrix that makes them of Z."""
    triangle = upper_factor(Z)
    triangle = triangle * np.where(np.diag(triangle) < 0, -1.0, 1.0)[:, None]
    units = np.sqrt(len(Z)) * solve_triangular(triangle, np.eye(Z.shape[1]))
    units = np.triu(units)
    return product(Z, units).high, read_only(units)  # times around a large origin would lose digits in one product


def _components(factors: Sequence[Factor]) -> Codes:
    """Return for each row the component of levels that are connected by rows, counted from 0."""
    offsets = np.cumsum([0, *(factor.n_levels for factor in factors)])
    first = factors[0].codes
    edges = [(first, offset + factor.codes) for offset, factor in zip(offsets[1:], factors[1:], strict=False)]
    start = np.concatenate([first, *(edge[0] for edge in edges)])
    end = np.concatenate([first, *(edge[1] for edge in edges)])
    graph = coo_array((np.ones(len(start)), (start, end)), shape=(offsets[-1], offsets[-1]))
    _, labels = connected_components(graph, directed=False)
    return np.asarray(np.unique(labels[first], return_inverse=True)[1], dtype=np.int64)


def _parts(components: Codes, factors: Sequence[Factor]) -> tuple[Codes, ...]:
    """Return the rows of each part: whole components, as many as keep the dense columns few."""
    n_components = int(components.max()) + 1
    width = np.zeros(n_components)
    for factor in factors[1:]:
        _, first = np.unique(factor.codes, return_index=True)
        width += factor.n_random * np.bincount(components[first], minlength=n_components)
    part, filled, current = np.empty(n_components, dtype=np.int64), 0.0, 0
    for k, columns in enumerate(width.tolist()):
        if filled and filled + columns > _COLUMNS_AT_ONCE:
            current, filled = current + 1, 0.0
        part[k] = current
        filled += columns
    own = part[components]
    order = np.argsort(own, kind="stable")
    ends = np.searchsorted(own[order], np.arange(1, current + 1))
    return tuple(read_only(np.sort(rows)) for rows in np.split(order, ends))
