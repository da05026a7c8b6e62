"""Figures inside the page: what draws is kept, everything else is left out."""

import pytest
from matplotlib.figure import Figure

from harness.errors import StudyError
from harness.study.picture_html import svg_html
from harness.study.pictures import picture_of


@pytest.fixture
def drawn(demo_svg):
    return svg_html(demo_svg, "s4-figure-1", "Means", "They fall.")


def test_scripts_styles_metadata_handlers_and_outside_links_are_left_out(drawn, page_of):
    page = page_of(drawn)
    assert not {"script", "style", "metadata", "date"} & {tag for tag, _ in page.elements}
    assert "onload" not in drawn
    assert "example.org" not in drawn
    assert "2024" not in drawn
    assert "style=" not in drawn


def test_style_attributes_become_what_the_policy_allows(drawn, page_of):
    page = page_of(drawn)
    assert page.all("use")[0] == {
        "href": "#s4-figure-1-dot",
        "x": "5",
        "y": "5",
        "fill": "#1f77b4",
        "fill-opacity": "0.2",
    }
    (text,) = page.all("text")
    assert (text["font-size"], text["font-weight"], text["text-anchor"]) == ("10px", "bold", "middle")
    assert text["font-family"] == "'DejaVu Sans', sans-serif"


def test_names_are_those_of_the_figure(drawn, page_of):
    page = page_of(drawn)
    assert {a["id"] for _, a in page.elements if "id" in a} == {
        f"s4-figure-1-{part}" for part in ("title", "description", "dot", "frame", "axes")
    }
    assert [a["clip-path"] for a in page.all("g")] == ["url(#s4-figure-1-frame)"]


def test_points_become_pixels_and_the_frame_stays(drawn, page_of):
    (svg,) = page_of(drawn).all("svg")
    # 216 pt of 1/72 inch are 288 px of 1/96 inch.
    assert (svg["width"], svg["height"], svg["viewbox"]) == ("288", "192", "0 0 216 144")


def test_a_figure_of_matplotlib_keeps_all_its_shapes_and_words(page_of):
    figure = Figure(figsize=(4, 3))
    axes = figure.add_subplot()
    axes.plot([1, 2, 3], [3, 1, 2], marker="o", label="four & six")
    axes.fill_between([1, 2, 3], [2, 0, 1], [4, 2, 3], alpha=0.2)
    axes.set_xlabel("week")
    axes.legend()
    picture = picture_of(figure, name="demo", caption="c", description="d")
    page = page_of(svg_html(picture.svg, "s1-figure-1", "t", "d"))
    for tag in ("path", "use", "text", "clipPath"):
        assert len(page.all(tag.lower())) == picture.svg.count(f"<{tag} "), tag
    assert "four & six" in page.text()
    assert page.unbalanced == []


@pytest.mark.parametrize(
    ("svg", "found"),
    [
        ("<svg", "no XML"),
        ("<html/>", "another element"),
        ('<svg xmlns="http://www.w3.org/2000/svg"/>', "no width and height"),
        ('<!DOCTYPE svg [<!ENTITY a "b">]><svg xmlns="http://www.w3.org/2000/svg">&a;</svg>', "declarations"),
        ("<svg>" + " " * 4_000_001 + "</svg>", "too large"),
    ],
)
def test_what_is_no_drawing_is_refused(svg, found):
    with pytest.raises(StudyError, match=found):
        svg_html(svg, "a", "t", "d")
