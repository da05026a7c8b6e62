"""Figures are the same each time; tests are counted, and adjusted as one family."""

from dataclasses import replace

import pytest
from matplotlib.figure import Figure

from harness.rates import holm
from harness.study.multiplicity import multiplicity
from harness.study.pictures import COLOURS, picture_of
from harness.study.section import Estimate, Section
from harness.study.shown import p_cell, scale_title, signed


def drawn():
    figure = Figure()
    axes = figure.add_subplot()
    axes.fill_between([0, 1], [0, 1], [1, 2])
    axes.set_title("title")
    return picture_of(figure, name="one", caption="", description="")


def test_the_same_figure_gives_the_same_bytes_without_a_date():
    first = drawn()
    assert first == drawn()
    assert first.svg.startswith("<svg")
    assert "<dc:date>" not in first.svg
    assert ">title</text>" in first.svg


def luminance(colour):
    parts = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("colour", COLOURS)
def test_colours_stand_out_on_white_as_text_must(colour):
    assert 1.05 / (luminance(colour) + 0.05) >= 4.5  # WCAG 2.1, contrast of text


def section(key, *p_values, path="x"):
    estimates = tuple(
        Estimate(path=f"{path}{k}.visit_by_protocol.F" if k == 0 else f"{path}{k}", label=f"{path}{k}", value=1.0, p=p)
        for k, p in enumerate(p_values)
    )
    return Section(key=key, title=key, estimates=estimates)


def test_tests_are_counted_by_section_and_adjusted_as_one_family(plan, table):
    sections = [section("S5", 0.01, 0.2, None), section("S7", 0.04, float("nan"), path="y"), section("S8", path="z")]
    found = multiplicity(sections, plan)
    assert table(found, "multiplicity.counts") == (("S5", 2, 1, 0.1), ("S7", 1, 1, 0.1))
    adjusted = dict(zip((0.01, 0.2, 0.04), holm((0.01, 0.2, 0.04)), strict=True))
    rows = table(found, "multiplicity.smallest")
    assert [row[1:] for row in rows] == [(p_cell(p), p_cell(adjusted[p])) for p in (0.01, 0.04, 0.2)]
    assert table(found, "multiplicity.primary") == (("x0", "0.010", "0.020"), ("y0", "0.040", "0.040"))
    assert not multiplicity([], replace(plan)).estimates


def test_words():
    assert [p_cell(p) for p in (0.0004, 0.0014, 1.0, float("nan"))] == ["< 0.001", "0.001", "1.000", None]
    assert [scale_title(name) for name in ("madrs", "gad7", "bdi", "anxiety_total")] == [
        *("MADRS", "GAD-7", "BDI", "anxiety_total")
    ]
    assert (signed(-1.25), signed(2.0)) == ("\N{MINUS SIGN}1.2", "+2.0")
