"""The page can be heard, tabbed through, printed and read by weak eyes: rules on the HTML and the style themselves."""

import re
from collections import Counter
from importlib import resources
from itertools import pairwise

import pytest

from harness.study.report_html import render


@pytest.fixture(scope="module")
def page(any_report, page_of):
    return page_of(render(any_report))


def test_the_page_has_a_language_and_a_title(page):
    assert page.all("html") == [{"lang": "en"}]
    assert (
        len([data for stack, data in page.texts if stack[-1] == "title" and "svg" not in stack and data.strip()]) == 1
    )


def test_there_is_one_first_heading_and_no_level_is_left_out(page):
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(later - earlier <= 1 for earlier, later in pairwise(levels))


def test_each_landmark_is_there_once_and_the_skip_link_comes_first(page):
    counts = Counter(tag for tag, _ in page.elements)
    assert [counts[tag] for tag in ("header", "nav", "main", "footer")] == [1, 1, 1, 1]
    first = next(attributes for tag, attributes in page.elements if tag in {"a", "button", "input", "summary"})
    assert (first["class"], first["href"]) == ("skip", "#main")
    assert page.all("main")[0]["id"] == "main"


def test_sections_and_regions_have_names(page):
    for tag, attributes in page.elements:
        if tag in {"section", "nav"} or attributes.get("role") == "region":
            assert attributes.get("aria-label") or attributes.get("aria-labelledby"), (tag, attributes)
    labels = [a["aria-label"] for _, a in page.elements if a.get("role") == "region"]
    assert len(labels) == len(set(labels))


def test_what_a_name_or_link_refers_to_is_there_once(page):
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert [name for name, count in Counter(ids).items() if count > 1] == []
    named = {name for _, a in page.elements for name in a.get("aria-labelledby", "").split()}
    linked = {a["href"].removeprefix("#") for tag, a in page.elements if "href" in a}
    assert named | linked <= set(ids)


def test_tables_have_captions_and_headers_with_a_scope(page):
    tags = [tag for tag, _ in page.elements]
    assert all(tags[k + 1] == "caption" for k, tag in enumerate(tags) if tag == "table")
    assert all(attributes.get("scope") in {"row", "col"} for attributes in page.all("th"))
    headers = [data for stack, data in page.texts if stack[-1] == "th" and not data.strip()]
    assert headers == []


def test_figures_are_images_with_a_title_and_a_description(page):
    tags = [tag for tag, _ in page.elements]
    for k, (tag, attributes) in enumerate(page.elements):
        if tag == "svg":
            assert attributes["role"] == "img"
            assert tags[k + 1 : k + 3] == ["title", "desc"]
            assert attributes["aria-labelledby"].split() == [page.elements[k + n][1]["id"] for n in (1, 2)]
    said = [data for stack, data in page.texts if stack[-1] in {"title", "desc"} and "svg" in stack]
    assert len(said) == 2 * len(page.all("svg"))
    assert all(text.strip() for text in said)


def test_links_say_where_they_lead(page):
    texts = Counter()
    for stack, data in page.texts:
        if "a" in stack:
            texts[data.strip().lower()] += 1
    assert not set(texts) & {"", "here", "click here", "link", "more", "read more"}
    assert sum(texts.values()) >= len(page.all("a"))


def test_nothing_jumps_the_order_of_the_tab_key(page):
    assert {attributes["tabindex"] for _, attributes in page.elements if "tabindex" in attributes} <= {"0", "-1"}
    scrolling = [a for a in page.all("div") if "scroll" in a.get("class", "").split()]
    assert all(a["tabindex"] == "0" and a["role"] == "region" for a in scrolling)


def test_verdicts_are_words_and_signs_and_not_only_colours(sample_reports, page_of):
    text = page_of(render(sample_reports["disagreement"])).text()
    for words in ("✓ agrees", "✗ disagrees", "○ not compared"):
        assert words in text


# ---- contrast ----


def luminance(colour):
    short = len(colour) == 4
    parts = [int(colour[k] * 2 if short else colour[k : k + 2], 16) / 255 for k in ((1, 2, 3) if short else (1, 3, 5))]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_the_contrast_is_that_of_the_guideline():
    # WCAG 2: black on white has 21, and #767676 is the lightest grey on white with 4.5.
    assert contrast("#000", "#ffffff") == pytest.approx(21)
    assert contrast("#767676", "#fff") >= 4.5 > contrast("#777777", "#fff")


def test_words_of_a_study_have_a_contrast_of_4_5_on_all_their_grounds():
    shared = resources.files("harness.reports").joinpath("page.css").read_text(encoding="utf-8")
    own = resources.files("harness.study").joinpath("study.css").read_text(encoding="utf-8")
    themes = [
        dict(re.findall(r"--([\w-]+): (#[0-9a-f]{3,6})\b", block))
        for block in re.findall(r":root \{(.*?)\}", shared, re.DOTALL)
    ]
    assert len(themes) == 3
    grounds = set(re.findall(r"background: var\(--([\w-]+)\)", own))
    assert grounds == {"card", "known-wash"}
    # Cautions, and whatever a link led to, stand on the wash, with all words that they may hold.
    pairs = [(word, ground) for word in ("ink", "quiet", "link") for ground in ("card", "paper", "known-wash")]
    for theme in themes:
        for word, ground in pairs:
            assert contrast(theme[word], theme[ground]) >= 4.5, (word, ground)
