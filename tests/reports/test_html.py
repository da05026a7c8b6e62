"""The page: self-contained, escaped, readable without colour and by a screen reader."""

import base64
import hashlib
import re
from dataclasses import replace
from html.parser import HTMLParser
from importlib import resources
from itertools import pairwise

import pytest

from harness.comparison.verdict import Outcome
from harness.reports.dotplot import dot_plot
from harness.reports.elements import element, join
from harness.reports.html import render

NAMES = [
    "all agree, live",
    "pinned only",
    "mixed",
    "disagreement",
    "engine failure",
    "nothing compared",
    "empty",
    "hostile",
    "singular",
    "many verdicts",
]
VOID = {"meta", "input", "wbr"}


class Page(HTMLParser):
    """The elements of a page with their attributes, and its text by element."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.elements, self.texts, self.unbalanced, self.stack = [], [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag not in VOID:
            self.stack.append(tag)

    def handle_endtag(self, tag):
        if not self.stack or self.stack.pop() != tag:
            self.unbalanced.append(tag)

    def handle_data(self, data):
        self.texts.append((self.stack[-1] if self.stack else "", data))

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]

    def text(self):
        return " ".join("".join(data for tag, data in self.texts if tag not in {"style", "script"}).split())


@pytest.fixture(scope="module")
def pages(sample_runs):
    return {name: Page(render(sample_runs[name])) for name in NAMES}


@pytest.mark.parametrize("name", NAMES)
def test_every_element_is_closed(pages, name):
    assert pages[name].unbalanced == []
    assert pages[name].stack == []


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_loaded_from_anywhere(pages, name):
    for tag, attributes in pages[name].elements:
        assert tag not in {"link", "img", "iframe", "object", "embed", "base", "form"}
        assert not {"src", "srcset", "style", "action"} & set(attributes)
        assert not any(key.startswith("on") for key in attributes)
        assert attributes.get("href", "#").startswith("#")


@pytest.mark.parametrize("name", NAMES)
def test_only_the_script_and_style_of_the_package_may_run(pages, name):
    page = pages[name]
    assert len(page.all("script")) == len(page.all("style")) == 1
    (policy,) = (a["content"] for a in page.all("meta") if a.get("http-equiv") == "Content-Security-Policy")
    for tag, file in (("style", "page.css"), ("script", "page.js")):
        (text,) = (data for where, data in page.texts if where == tag)
        assert text == resources.files("harness.reports").joinpath(file).read_text(encoding="utf-8")
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'")


def test_hostile_text_is_text(pages, sample_runs):
    page = pages["hostile"]
    assert "<script>alert(1)</script>" in page.text()
    assert "\x1b" not in page.text()
    assert "\u202e" not in page.text()
    assert len(render(sample_runs["hostile"])) < 60_000


def test_hostile_names_do_not_become_ids_or_links(pages):
    ids = [attributes["id"] for _, attributes in pages["hostile"].elements if "id" in attributes]
    assert all(re.fullmatch(r"[a-z0-9-]+", text) for text in ids)
    assert len(ids) == len(set(ids))


def test_cells_do_not_start_a_spreadsheet_formula(pages):
    cells = [data for tag, data in pages["hostile"].texts if tag in {"td", "th", "code", "span"}]
    assert not [text for text in cells if text.startswith(("=", "@"))]


@pytest.mark.parametrize("name", NAMES)
def test_every_link_has_its_target(pages, name):
    page = pages[name]
    ids = {attributes["id"] for _, attributes in page.elements if "id" in attributes}
    assert {attributes["href"].removeprefix("#") for attributes in page.all("a")} <= ids


@pytest.mark.parametrize("name", NAMES)
def test_the_page_can_be_heard(pages, name):
    page = pages[name]
    assert page.all("html") == [{"lang": "en"}]
    assert all(attributes.get("scope") in {"row", "col"} for attributes in page.all("th"))
    drawings = sum("aria-hidden" not in a and not a.get("overflow") for a in page.all("svg"))
    assert sum(tag == "title" and bool(data.strip()) for tag, data in page.texts) == drawings + 1  # and the page's own
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(later - earlier <= 1 for earlier, later in pairwise(levels))
    scrolling = [a for a in page.all("div") if a.get("class") == "scroll"]
    assert all(a["tabindex"] == "0" and ("aria-label" in a or "aria-labelledby" in a) for a in scrolling)


def test_the_banner_gives_verdict_counts_engines_and_limits(pages):
    text = pages["disagreement"].text()
    top = text[: text.index("Cases by reference")]
    for claim in (
        "2 of 6 comparisons disagree, 1 because an engine gave no answer; 1 was not compared",
        "Pinned. lcmm was not installed; its recorded results (lcmm 2.2.2 with R 4.4.1, recorded 2025-11-02)",
        "Not compared. nlme on sleepstudy__random_slope_reml: crashed",
        "lme4 1.1-31 with Matrix 1.5-3, R 4.2.2",
    ):
        assert claim in top


def test_outcomes_are_words_and_signs_and_not_only_colours(pages):
    text = pages["disagreement"].text()
    for words in ("✓ agree", "≈ known difference", "✗ disagree", "○ not compared"):
        assert words in text


def test_a_comparison_with_something_to_decide_is_open_and_agreement_is_shut(pages):
    drawers = [a for a in pages["disagreement"].all("details") if (a.get("class") or "").startswith("comparison")]
    # By case, the most urgent case first, and within a case the most urgent reference.
    assert [a["data-outcome"] for a in drawers] == ["disagree", "agree", "disagree", "agree", "known"]
    assert ["open" in a for a in drawers] == [True, False, True, False, True]


def test_the_section_holds_all_evidence(pages):
    text = pages["disagreement"].text()
    for claim in (
        "lcmm stopped at a lower optimum: 7.76 log-likelihood units below ours.",
        "Next step. Record lcmm again with more starts",
        "Classes of lcmm in the numbers of harness: 2 is 1, 3 is 2, 1 is 3.",
        "Warning. The program reached the maximum number of iterations",
        "Convention. lcmm counts 2 pi as 6.28",
        "Crashed. R ended with signal 9 during the fit.",
        "Reproduce with harness compare",
    ):
        assert claim in text


def test_500_verdicts_show_the_disagreement_first_and_count_what_is_cut(pages):
    text = pages["many verdicts"].text()
    table = text[text.index("500 verdicts: the worst, and the worst of each group of quantities") :]
    assert table.index("class[1].posterior[250]") < table.index("class[1].posterior[0]")
    assert "Not shown here but in run.json: 480 agree." in table


def test_nothing_compared_has_no_green(pages):
    page = pages["nothing compared"]
    assert page.text().startswith("Cross-check: Nothing was compared")
    assert not [a for _, a in page.elements if "agree" in (a.get("class") or "").split()]


def test_the_dot_plot_draws_each_difference_with_its_sign_and_band(sample_runs):
    lost = next(c for c in sample_runs["disagreement"].comparisons if c.outcome is Outcome.DISAGREE)
    plot = Page(dot_plot(lost))
    assert len(plot.all("rect")) == 13
    assert len(plot.all("circle")) == 3
    assert len([a for a in plot.all("path") if a["class"] == "disagree"]) == 10
    assert ("td", "-5.2 ✗") in plot.texts  # in words too, so that the drawing need not be seen
    assert all(svg.get("aria-hidden") == "true" for svg in plot.all("svg") if "overflow" not in svg)
    places = {a["cx"] for a in plot.all("circle")}
    assert "50.00%" in places  # the quantity without a difference


def test_dots_stand_in_the_band_exactly_where_they_are_within_the_limit(sample_runs):
    plot = dot_plot(sample_runs["all agree, live"].comparisons[0])
    bands = [(float(x), float(width)) for x, width in re.findall(r'<rect x="([\d.]+)%" y="0" width="([\d.]+)%"', plot)]
    dots = [float(place) for place in re.findall(r'<circle cx="([\d.]+)%"', plot)]
    assert len(dots) == len(bands) == 6
    assert all(x < dot < x + width for dot, (x, width) in zip(dots, bands, strict=True))


def test_a_difference_that_is_no_number_is_named_but_not_drawn(sample_runs):
    comparison = sample_runs["all agree, live"].comparisons[0]
    nan = replace(comparison.verdicts[1], right_value=float("nan"), observed=float("nan"), outcome=Outcome.DISAGREE)
    plot = Page(dot_plot(replace(comparison, verdicts=(nan,))))
    assert plot.all("circle") == plot.all("path") == []
    assert ("td", "NaN ✗") in plot.texts


@pytest.mark.parametrize("limit", [0.0, 5e-324, 1e300, float("inf"), float("nan")])
def test_a_limit_that_no_axis_can_show_costs_the_plot_and_not_the_page(sample_runs, limit):
    comparison = sample_runs["all agree, live"].comparisons[0]
    assert dot_plot(replace(comparison, verdicts=(replace(comparison.verdicts[1], limit=limit),))) == ""


def test_the_dot_plot_is_left_out_where_nothing_was_judged_in_standard_errors(sample_runs):
    comparison = sample_runs["all agree, live"].comparisons[0]
    assert dot_plot(replace(comparison, verdicts=comparison.verdicts[:1])) == ""


def test_elements_escape_text_and_attributes():
    assert element("p", "<b>&\"'", title='">x') == '<p title="&quot;&gt;x">&lt;b&gt;&amp;&quot;&#x27;</p>'
    assert element("p", join("<", element("b", "x"))) == "<p>&lt;<b>x</b></p>"
    assert element("details", open=True, hidden=False, id=None) == "<details open></details>"


def luminance(colour):
    short = len(colour) == 4
    parts = [int(colour[k] * 2 if short else colour[k : k + 2], 16) / 255 for k in ((1, 2, 3) if short else (1, 3, 5))]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.fixture(scope="module")
def themes():
    style = resources.files("harness.reports").joinpath("page.css").read_text(encoding="utf-8")
    found = [
        dict(re.findall(r"--([\w-]+): (#[0-9a-f]{3,6})\b", block))
        for block in re.findall(r":root \{(.*?)\}", style, re.DOTALL)
    ]
    assert len(found) == 3  # light, dark, print
    return found


def test_the_scale_of_digits_is_one_ramp_of_lightness_in_each_theme(themes):
    for theme in themes:
        steps = [luminance(theme[f"d{k}"]) for k in range(5)]
        assert steps == sorted(steps) or steps == sorted(steps, reverse=True)


def test_text_has_a_contrast_of_at_least_4_5_in_light_dark_and_print(themes):
    outcomes = ("agree", "known", "disagree", "missing")
    pairs = [(word, f"{word}-wash") for word in outcomes]
    pairs += [(word, ground) for word in ("ink", "quiet", "link", *outcomes) for ground in ("paper", "card")]
    pairs += [("paper", "ink"), ("ink", "missing-wash")]
    pairs += [("on-low", "d0"), ("on-low", "d1"), *(("on-high", f"d{k}") for k in (2, 3, 4))]
    pairs += [(f"k{k}", "card") for k in range(1, 9)]
    for theme in themes:
        for word, ground in pairs:
            light, dark = sorted((luminance(theme[word]), luminance(theme[ground])), reverse=True)
            assert (light + 0.05) / (dark + 0.05) >= 4.5, (word, ground)
