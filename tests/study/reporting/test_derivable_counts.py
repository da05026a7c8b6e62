"""No small count can be worked out from several tables together: sums that one table hides, another may show.

Each withheld cell is an unknown within what its mark says; all that is printed of margins anywhere in the report are
equations. Linear programming gives the smallest and largest value that a reader can't rule out; both are whole numbers,
because sums of a table are a network.
"""

import re
from itertools import product

import numpy as np
import pytest
from scipy.optimize import linprog

LIMIT, MANY = 11, 10_000
SIZES = {"four": 94, "six": 115}
SCALES = {"madrs": "MADRS", "gad7": "GAD-7"}


def bounds(cell):
    """Return the smallest and largest count that a cell may stand for."""
    text = str(cell)
    if found := re.match(r"(\d+)(?: \(|$)", text):
        return int(found[1]), int(found[1])
    if text == f"< {LIMIT}":
        return 1, LIMIT - 1
    return (LIMIT, MANY) if text == "\N{EN DASH}" else (0, MANY)


def still_possible(cells, rows, columns):
    """Return what a reader can't rule out of each cell marked as small: (cell, smallest, largest).

    `rows` and `columns` are sums, None where no table prints them.
    """
    cells = np.array(cells, dtype=object)
    places = list(np.ndindex(cells.shape))
    sums, totals = [], []
    for axis, margin in enumerate((rows, columns)):
        for k, total in enumerate(margin):
            if total is not None:
                sums.append([float(place[axis] == k) for place in places])
                totals.append(total)
    limits = [bounds(cells[place]) for place in places]
    found = []
    for k, place in enumerate(places):
        if str(cells[place]) == f"< {LIMIT}":
            cost = np.eye(len(places))[k]
            ends = [
                linprog(sign * cost, A_eq=sums or None, b_eq=totals or None, bounds=limits).fun * sign
                for sign in (1, -1)
            ]
            found.append((place, *map(round, ends)))
    return found


def test_the_attack_finds_what_a_margin_tells():
    assert still_possible([["34 (72 %)"], ["< 11"], ["0"]], [None] * 3, [42]) == [((1, 0), 8, 8)]
    assert still_possible([["< 11", "< 11"]], [2], [None] * 2) == [((0, 0), 1, 1), ((0, 1), 1, 1)]
    assert still_possible([["< 11", "\N{EN DASH}"], ["\N{EN DASH}", "40"]], [30, 60], [30, 60]) == [((0, 0), 10, 10)]
    assert still_possible([["< 11", "\N{EN DASH}"]], [60], [None] * 2) == [((0, 0), 1, 10)]


@pytest.fixture(scope="module")
def table(whole_study):
    """Return the rows of a table by section and name, as texts and numbers."""
    tables = {(section.key, table.name): table for section in whole_study.sections for table in section.tables}
    return lambda key, name: [list(row) for row in tables[key, name].rows]


@pytest.fixture(scope="module")
def class_sizes(table):
    """Return the sizes of classes that are printed, by scale."""
    return {scale: [known(row[2]) for row in table("S6", f"{scale}.adequacy")] for scale in SCALES}


@pytest.fixture(scope="module")
def rates(table):
    """Return events and patients of each rate that is printed, by scale, outcome and protocol."""
    return {tuple(row[:3]): (known(row[3]), known(row[4])) for row in table("S4", "rates")}


def known(cell):
    low, high = bounds(cell)
    return low if low == high else None


def total(parts):
    return None if None in parts else sum(parts)


def check(cells, rows, columns):
    found = still_possible(cells, rows, columns)
    told = [(place, low, high) for place, low, high in found if low == high]
    assert told == []
    return len(found)


@pytest.mark.parametrize("scale", SCALES)
def test_classes_by_protocol(table, class_sizes, scale):
    cells = [row[1:] for row in table("S6", f"{scale}.classes_by_protocol")]
    check(cells, class_sizes[scale], list(SIZES.values()))


@pytest.mark.parametrize(("scale", "outcome"), [*product(SCALES, ("response", "remission"))])
def test_outcomes_of_classes(table, rates, scale, outcome):
    column = {"response": 1, "remission": 3}[outcome]
    rows = table("S6", f"{scale}.classes_at_end")
    events = total([rates[SCALES[scale], outcome, protocol][0] for protocol in SIZES])
    rated = [known(row[column + 1]) for row in rows]
    cells = [[row[column], "?"] for row in rows]
    patients = total([rates[SCALES[scale], outcome, protocol][1] for protocol in SIZES])
    others = None if events is None or patients is None else patients - events
    check(cells, rated, [events, others])


def test_classes_of_one_scale_by_classes_of_the_other(table, class_sizes):
    cells = [row[1:] for row in table("S8", "classes.counts")]
    assert check(cells, class_sizes["madrs"], class_sizes["gad7"]) > 0


@pytest.mark.parametrize("scale", SCALES)
def test_categories_of_improvement(table, rates, scale):
    cells = [row[2:] for row in table("S4", "categories") if row[0] == SCALES[scale]]
    columns = [rates[SCALES[scale], "response", protocol][1] for protocol in SIZES]
    check(cells, [None] * len(cells), columns)


@pytest.mark.parametrize(("scale", "protocol"), [*product(SCALES, SIZES)])
def test_response_by_remission(table, rates, scale, protocol):
    (row,) = (r[2:] for r in table("S4", "response_and_remission") if r[:2] == [SCALES[scale], protocol])
    both, response, remission, neither = row
    (responded, n), (remitted, m) = (rates[SCALES[scale], outcome, protocol] for outcome in ("response", "remission"))
    # Patients of this table have both answers: only where as many have each are its margins those of the rates.
    same = n is not None and n == m
    rows = [responded, None if responded is None else n - responded] if same else [None, None]
    columns = [remitted, None if remitted is None else n - remitted] if same else [None, None]
    check([[both, response], [remission, neither]], rows, columns)


@pytest.mark.parametrize("scale", SCALES)
def test_patterns_of_missing_ratings(table, scale):
    cells = [row[1:] for row in table("S10", f"{scale}.missing_patterns")]
    check(cells, [None] * len(cells), list(SIZES.values()))


def test_levels_at_baseline(table):
    rows = [row for row in table("S3", "baseline") if ":" in row[0] and "mean" not in row[0] and "median" not in row[0]]
    names = dict.fromkeys(row[0].rsplit(": ", 1)[0] for row in rows)
    small = 0
    for name in names:
        own = [row for row in rows if row[0].rsplit(": ", 1)[0] == name]
        if len(own) > 1:
            small += check([row[2:4] for row in own], [known(row[1]) for row in own], list(SIZES.values()))
    assert small > 0
