"""No small count can be worked out again, by brute force over all tables that fit to what is shown."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from harness.errors import ScoringError
from harness.suppression import suppress, suppress_counts, suppress_rates

TRIES = settings(max_examples=60, deadline=None)
LIMIT = 4
# Zeros, small counts, and counts that need no protection, more of them near the limit.
COUNTS = st.sampled_from([0, 1, 2, 3, 1, 3, 4, 5, 6, 7])
SHAPES = st.sampled_from([(2, 2), (1, 3), (3, 1), (2, 3)])
TABLES = SHAPES.flatmap(
    lambda shape: st.lists(st.lists(COUNTS, min_size=shape[1], max_size=shape[1]), min_size=shape[0], max_size=shape[0])
)


def completions(shown, highest):
    """Return every table that fits to what is shown, with its margins, as rows of numbers.

    A reader knows the sums, that a marked cell is from 1 to limit - 1, that another withheld cell is not small, and
    that zeros are always shown. `highest` ends the enumeration; margins that are shown usually end it before.
    """
    cells = np.array(shown.cells, dtype=object)
    choices = [
        [cell] if cell is not None else range(1, shown.limit) if small else range(shown.limit, highest + 1)
        for cell, small in zip(cells.ravel(), np.ravel(shown.small), strict=True)
    ]
    tables = np.stack(np.meshgrid(*choices, indexing="ij"), axis=-1).reshape(-1, *cells.shape)
    margins = [tables.sum(axis=2), tables.sum(axis=1), tables.sum(axis=(1, 2))[:, None]]
    fits = np.ones(len(tables), dtype=bool)
    for found, told in zip(margins, (shown.rows, shown.columns, (shown.total,)), strict=True):
        for place, value in enumerate(told):
            fits &= (found[:, place] == value) if value is not None else (found[:, place] > 0)
    return np.hstack([tables.reshape(len(tables), -1), *margins])[fits]


def values(shown, table):
    """Return the values that each count may have, as far as the limit, beside the true counts."""
    full = [*np.ravel(table), *np.sum(table, axis=1), *np.sum(table, axis=0), np.sum(table)]
    fitting = completions(shown, highest=max(full[: np.size(table)]) + shown.limit)
    return [(count, set(column[column <= shown.limit].tolist())) for count, column in zip(full, fitting.T, strict=True)]


def only_zeros(table, limit):
    """Return a table of which nothing but zeros, and which cells are small, is shown."""
    zeros = [[0 if cell == 0 else None for cell in row] for row in table]
    blank = suppress(table, limit)
    return replace(
        blank,
        cells=tuple(map(tuple, zeros)),
        small=tuple(tuple(0 < cell < limit for cell in row) for row in table),
        rows=tuple(None if sum(row) else 0 for row in table),
        columns=tuple(None if sum(column) else 0 for column in zip(*table, strict=True)),
        total=None if np.sum(table) else 0,
    )


def keeps_its_promise(shown, table):
    """Tell whether each small count may be all that it may be if only zeros are shown."""
    at_first = values(only_zeros(table, shown.limit), table)
    return all(
        found == expected
        for (count, found), (_, expected) in zip(values(shown, table), at_first, strict=True)
        if 0 < count < shown.limit
    )


@TRIES
@given(TABLES)
@example([[1, 4], [4, 4]])
@example([[1, 1, 1], [4, 4, 4]])
@example([[3, 0], [0, 4]])
def test_every_small_count_stays_as_uncertain_as_if_only_zeros_were_shown(table):
    shown = suppress(table, LIMIT)
    assert keeps_its_promise(shown, table)
    for count, found in values(shown, table)[: np.size(table)]:
        if 0 < count < LIMIT:
            assert found == set(range(1, LIMIT))
    for count, found in values(shown, table)[np.size(table) :]:
        assert len(found) > 1 or not 0 < count < LIMIT


@TRIES
@given(TABLES)
def test_nothing_is_withheld_without_need(table):
    shown = suppress(table, LIMIT)
    for i, row in enumerate(table):
        for j, cell in enumerate(row):
            if shown.cells[i][j] is None and cell >= LIMIT:
                cells = [[*own] for own in shown.cells]
                cells[i][j] = cell
                assert not keeps_its_promise(replace(shown, cells=tuple(map(tuple, cells))), table)
    for name, sums in (("rows", np.sum(table, axis=1)), ("columns", np.sum(table, axis=0))):
        for place, margin in enumerate(getattr(shown, name)):
            if margin is None and sums[place] >= LIMIT:
                margins = [*getattr(shown, name)]
                margins[place] = int(sums[place])
                assert not keeps_its_promise(replace(shown, **{name: tuple(margins)}), table)


@TRIES
@given(TABLES)
def test_what_is_shown_is_true_and_no_small_count_is(table):
    shown = suppress(table, LIMIT)
    triples = [
        *zip(np.ravel(np.array(shown.cells, dtype=object)), np.ravel(table), np.ravel(shown.small), strict=True),
        *((told, sum(row), False) for told, row in zip(shown.rows, table, strict=True)),
        *((told, sum(column), False) for told, column in zip(shown.columns, zip(*table, strict=True), strict=True)),
        (shown.total, np.sum(table), False),
    ]
    for told, true, small in triples:
        assert told in {None, true}
        assert not (0 < true < LIMIT and told is not None)
        assert not small or 0 < true < LIMIT
        assert told == 0 or true != 0


@TRIES
@given(TABLES)
def test_shares_are_there_only_where_count_and_margin_are(table):
    # Both known already: a share tells nothing that they do not.
    shown = suppress(table, LIMIT)
    for shares, margins in (
        (shown.shares_of_rows(), shown.rows),
        (zip(*shown.shares_of_columns(), strict=True), shown.columns),
    ):
        counts = shown.cells if margins is shown.rows else zip(*shown.cells, strict=True)
        for line, cells, margin in zip(shares, counts, margins, strict=True):
            for share, cell in zip(line, cells, strict=True):
                assert share == (None if cell is None or not margin else Fraction(cell, margin))


@TRIES
@given(st.lists(COUNTS, min_size=1, max_size=5))
def test_lists_of_counts_keep_the_same_promise(counts):
    shown = suppress_counts(counts, LIMIT)
    choices = [
        [count] if count is not None else range(1, LIMIT) if small else range(LIMIT, max(counts) + LIMIT + 1)
        for count, small in zip(shown.counts, shown.small, strict=True)
    ]
    lists = np.stack(np.meshgrid(*choices, indexing="ij"), axis=-1).reshape(-1, len(counts))
    if shown.total is not None:
        lists = lists[lists.sum(axis=1) == shown.total]
    for count, column in zip(counts, lists.T, strict=True):
        assert not 0 < count < LIMIT or set(column.tolist()) == set(range(1, LIMIT))
    assert not 0 < sum(counts) < LIMIT or (shown.total is None and len(set(lists.sum(axis=1).tolist())) > 1)
    assert all(told in {None, true} for told, true in zip(shown.counts, counts, strict=True))


def test_withholding_small_cells_alone_would_tell_them():
    # So that the enumeration is known to find what it looks for.
    table = [[3, 30], [20, 40]]
    alone = suppress([[30, 30], [20, 40]], LIMIT)
    alone = replace(alone, cells=((None, 30), (20, 40)), small=((True, False), (False, False)), rows=(33, 60))
    alone = replace(alone, columns=(23, 70), total=93)
    assert values(alone, table)[0] == (3, {3})
    assert not keeps_its_promise(alone, table)


def test_a_small_cell_of_a_usual_table_costs_three_others_and_no_margin():
    shown = suppress([[16, 20], [33, 36], [30, 39], [8, 27]])
    assert shown.texts() == (("16", "20"), ("33", "36"), ("\N{EN DASH}", "\N{EN DASH}"), ("< 11", "\N{EN DASH}"))
    assert (shown.rows, shown.columns, shown.total) == ((36, 69, 69, 35), (87, 122), 209)


def test_a_table_without_small_counts_is_shown_as_it_is():
    table = [[13, 0], [29, 86]]
    shown = suppress(table)
    assert shown.cells == ((13, 0), (29, 86))
    assert (shown.rows, shown.columns, shown.total) == ((13, 115), (42, 86), 128)
    assert suppress(np.array(table)) == shown


def test_a_small_class_hides_another_one():
    assert suppress_counts([4, 60, 70, 75]).texts() == ("< 11", "60", "70", "\N{EN DASH}")
    assert suppress_counts([4, 60, 70, 75]).shares() == (None, Fraction(60, 209), Fraction(70, 209), None)


def test_rates_are_tables_of_events_and_others():
    # 4 of 94 without response are as small a count as 4 with it.
    shown = suppress_rates([90, 60], [94, 115])
    assert shown == suppress([[90, 4], [60, 55]])
    assert shown.cells == ((None, None), (None, None))
    assert (shown.rows, shown.total) == ((94, 115), 209)
    assert suppress_rates([13, 29], [94, 115]).cells == ((13, 81), (29, 86))
    with pytest.raises(ScoringError, match="more events than subjects"):
        suppress_rates([95], [94])
    with pytest.raises(ScoringError, match="2 and 1 entries"):
        suppress_rates([1, 2], [94])


@pytest.mark.parametrize("table", [[], [[]], [[1, 2], [3]], [[1, -1]], [[1.0, 2]], [[True, 2]], [["1", 2]]])
def test_what_is_no_table_of_counts_is_refused(table):
    with pytest.raises(ScoringError):
        suppress(table)


@pytest.mark.parametrize("limit", [2, 0, 11.0, True])
def test_a_limit_whose_mark_would_tell_the_count_is_refused(limit):
    with pytest.raises(ScoringError, match="limit"):
        suppress([[1, 2]], limit)
    with pytest.raises(ScoringError, match="limit"):
        suppress_counts([1, 2], limit)
