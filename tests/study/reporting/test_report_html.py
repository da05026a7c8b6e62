"""The page of a study: self-contained, safe, and with a verdict beside every estimate."""

import base64
import hashlib
import re

import pytest

from harness.study.report_html import render


@pytest.fixture(scope="module")
def page(any_report, page_of):
    return page_of(render(any_report))


def test_every_element_is_closed(page):
    assert page.unbalanced == []
    assert page.stack == []


def test_nothing_is_loaded_or_run(page):
    for tag, attributes in page.elements:
        assert tag not in {
            "script",
            "link",
            "img",
            "iframe",
            "object",
            "embed",
            "base",
            "form",
            "image",
            "foreignobject",
        }
        assert not {"src", "srcset", "style", "action", "xlink:href"} & set(attributes)
        assert not any(key.startswith("on") for key in attributes)
        assert attributes.get("href", "#").startswith("#")


def test_only_the_style_of_the_package_has_an_effect(page):
    (style,) = (data for stack, data in page.texts if stack[-1] == "style")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    (policy,) = (a["content"] for a in page.all("meta") if a.get("http-equiv") == "Content-Security-Policy")
    assert policy == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    assert not re.search(r"@import|url\(", style)


def test_hostile_text_is_text(sample_reports, page_of):
    html = render(sample_reports["hostile"])
    text = page_of(html).text()
    assert "<script>alert(1)</script>" in text
    assert "\x1b" not in html
    assert "\u202e" not in html
    assert len(html) < 60_000
    ids = [attributes["id"] for _, attributes in page_of(html).elements if "id" in attributes]
    assert all(re.fullmatch(r"[A-Za-z0-9_-]+", name) for name in ids)


def test_every_estimate_stands_in_a_row_with_its_verdict(sample_reports, page_of):
    report = sample_reports["mixed"]
    html = render(report)
    rows = re.findall(r"<tr><th scope=\"row\" id=\"estimate-.*?</tr>", html)
    texts = [page_of(row).text() for row in rows]
    assert len(texts) == len(report.estimates) == 3
    assert texts[0].startswith("MADRS response, six infusions madrs. response. six") or "madrs.response.six" in texts[0]
    assert texts[0].endswith("✓ agrees lme4 1.1-31 (R 4.2.2) 2.1e-06 standard errors, limit 1e-03")
    assert texts[1].endswith("○ not compared lme4 R is not installed")
    assert texts[2].endswith("○ not compared no engine of R was asked for this number")


def test_without_r_nothing_looks_like_agreement(sample_reports, page_of):
    page = page_of(render(sample_reports["no R"]))
    text = page.text()
    assert "None of 3 estimates was compared with R." in text
    assert "3 estimates: R is not installed" in text
    assert "✓" not in text
    assert not [a for _, a in page.elements if "agree" in a.get("class", "").split() and "pill" in a["class"].split()]
    assert [a["class"] for a in page.all("header")] == ["banner missing"]


@pytest.mark.parametrize(
    ("name", "edge", "headline"),
    [
        ("mixed", "known", "The one compared estimate agrees with R; 2 not compared"),
        ("disagreement", "disagree", "1 of 2 compared estimates disagrees with R; 2 not compared"),
        ("empty", "missing", "None of 0 estimates was compared with R"),
    ],
)
def test_the_banner_says_the_worst_first(sample_reports, page_of, name, edge, headline):
    page = page_of(render(sample_reports[name]))
    assert page.all("header") == [{"class": f"banner {edge}"}]
    assert headline in page.text()


def test_contents_lead_to_every_section(any_report, page):
    hrefs = [a["href"] for a in page.all("a")]
    assert hrefs[0] == "#main"
    own = [f"#{section.key.lower()}" for section in any_report.sections]
    assert hrefs[1 : 1 + len(own) + 3] == [*own, "#methods", "#checklists", "#provenance"]


def test_tables_keep_their_digits_and_their_gaps(sample_reports):
    html = render(sample_reports["mixed"])
    assert '<th scope="row">four</th><td class="number">94</td><td class="number">28.9</td><td></td>' in html
    assert (
        '<td class="number">&lt; 11</td><td class="number">not estimable</td><td class="short">-2.3 lower</td>' in html
    )


def test_checklist_items_link_to_what_is_there_and_to_nothing_else(sample_reports):
    html = render(sample_reports["mixed"])
    assert '<td>a plot</td><td><a href="#s4-figure-1">Figure S4.1</a></td>' in html
    assert "<td>the metric of time</td><td>not in this report</td>" in html
    assert "<td>a title</td><td>for the authors<small>Name the data base.</small></td>" in html
