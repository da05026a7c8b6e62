"""The report in a real browser: silent, alone, usable by mouse, keyboard, phone, screen reader and printer.

HARNESS_REPORT names the folder of a report that `harness check` or `harness compare` wrote; it is tested instead of the
two that are made here.
"""

import json
import os
import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from harness import runs
from harness.comparison.consensus import Consensus, Dissent
from harness.comparison.traces import Trace
from harness.comparison.triangle import Moved, Mover, Triangle
from harness.comparison.verdict import Outcome
from harness.reports.write import write_report

from .browser import HEADLESS_CELLS, OPEN_ALL, THIN_OUT, TOO_WIDE, UNNAMED, opened, serious

pytestmark = [pytest.mark.needs_chromium, pytest.mark.timeout(600)]

GIVEN = os.environ.get("HARNESS_REPORT", "")
CASES = (
    "sleepstudy__random_slope_reml",
    "beat_the_blues__bdi_2_classes",
    "ketamine_pure__madrs_spline_reml",
    "ketamine_real__gad7_all_visits_ml",
)
PHONE = {"viewport": {"width": 360, "height": 780}, "is_mobile": True, "has_touch": True}
OUTCOMES = {"agree": "agree", "known difference": "known", "disagree": "disagree", "not compared": "missing"}


@pytest.fixture(scope="module")
def playwright():
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        if os.environ.get("HARNESS_REQUIRE_CHROMIUM", "") not in {"", "0"}:
            pytest.fail("playwright is not installed, and HARNESS_REQUIRE_CHROMIUM asks for it", pytrace=False)
        pytest.skip("playwright is not installed; `pip install gbtm-harness[browser]`")
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="module")
def browser(playwright, chromium_program):
    launched = playwright.chromium.launch(executable_path=chromium_program, args=["--no-sandbox"])
    yield launched
    launched.close()


@pytest.fixture(scope="module")
def axe(playwright):  # noqa: ARG001  # skipped as that is
    from axe_core_python.sync_playwright import Axe

    return Axe()


def with_everything(run):
    """Return the sample run with what else a report may hold."""
    moved = Moved(quantity="sigma.estimate", ours=1.5, pinned=1.25, live=None, mover=Mover.OURS)
    triangle = Triangle(
        case="sleep",
        engine="lme4",
        recorded={"lme4": "1.1-31"},
        running={"lme4": "1.1-35"},
        ours_pinned=Outcome.DISAGREE,
        live_pinned=Outcome.AGREE,
        ours_live=Outcome.DISAGREE,
        mover=Mover.OURS,
        sentence="Ours moved since the pin was recorded.",
        moved=(moved,),
    )
    dissent = Dissent(quantity="aic", values={"harness": 1.0, "lme4": 1.0, "nlme": 2.0}, dissenter="nlme", sentence="")
    trace = Trace(
        case="sleep",
        engine="lme4",
        started=("a", "b", "c"),
        ratios=(0.001, 0.002, 0.5),
        digits=(5.0, 5.0, 2.0),
        distances=(0.0, 0.0, 0.1),
        warning="The share of the limit rose from 0.002 to 0.5.",
    )
    consensus = Consensus(
        case="sleep", engines=("harness", "lme4", "nlme"), unanimous=7, dissents=(dissent,), sentence=""
    )
    return replace(run, triangles=(triangle,), consensus=(consensus,), traces=(trace,), notes=("an entry is gone",))


@pytest.fixture(scope="module", params=["given"] if GIVEN else ["real cases", "samples"])
def report(request, sample_runs, tmp_path_factory):
    """Return the folder of a report."""
    if request.param == "given":
        return Path(GIVEN).absolute()
    folder = tmp_path_factory.mktemp("report")
    if request.param == "samples":
        run = with_everything(sample_runs["disagreement"])
    else:
        run = runs.check(runs.read_cases(CASES), "harness check", lambda _: None)
    write_report(run, folder)
    return folder


@pytest.fixture(scope="module")
def counts(report):
    """Return how many comparisons have each outcome, by what run.json says."""
    found = json.loads((report / "run.json").read_text(encoding="utf-8"))
    outcomes = Counter(comparison["outcome"] for comparison in found["summary"]["comparisons"])
    outcomes["not compared"] += len(found["run"]["skipped"])
    return outcomes


@pytest.fixture
def page(browser, report):
    found = opened(browser, report / "index.html", viewport={"width": 1280, "height": 900})
    yield found
    found.page.context.close()


def test_it_says_nothing_on_the_console_and_asks_for_nothing(page, report):
    page.page.mouse.wheel(0, 3000)
    page.page.evaluate(OPEN_ALL)
    page.page.wait_for_load_state("networkidle")
    assert page.said == []
    assert page.requested == [(report / "index.html").as_uri()]


def test_the_buttons_show_as_many_comparisons_as_the_run_has(page, counts):
    total = sum(counts.values())
    assert page.visible(".by-reference .cell") == total
    for outcome, css in OUTCOMES.items():
        button = page.page.locator(f"button[data-show={css}]")
        assert button.count() == bool(counts[outcome])
        if counts[outcome]:
            button.click()
            assert button.get_attribute("aria-pressed") == "true"
            assert page.visible(".by-reference .cell") == counts[outcome]
            assert page.page.locator("#shown").text_content() == f"{counts[outcome]} of {total} shown"
            other = page.page.locator(
                f".comparison:visible:not(.{css}), .digits tbody tr:visible:not([data-outcome={css}])"
            )
            assert other.count() == 0
    page.page.locator("button[data-show=all]").click()
    assert page.visible(".by-reference .cell") == total


def test_the_search_narrows_the_matrices_and_the_cases_alike(page, report):
    found = json.loads((report / "run.json").read_text(encoding="utf-8"))
    case = found["run"]["comparisons"][-1]["case"]
    wanted = sum(case in item["case"] for item in found["run"]["comparisons"])
    skipped = sum(case in item["case"] for item in found["run"]["skipped"])
    page.page.locator("#search").press_sequentially(case)
    assert page.visible(".by-reference .cell") == wanted + skipped
    assert page.visible(".digits tbody tr") == page.visible(".comparison") == wanted
    assert page.visible(".case") == len({c["case"] for c in found["run"]["comparisons"] if case in c["case"]})
    page.page.locator("#search").fill("no such case")
    assert page.visible(".by-reference .cell") == page.visible(".comparison") == page.visible(".case") == 0
    assert page.page.locator("#shown").text_content().startswith("0 of ")


def test_a_link_of_either_matrix_opens_its_comparison(page):
    for link in (page.page.locator(".by-reference .cell a").last, page.page.locator(".digits a").last):
        target = page.page.locator(link.get_attribute("href"))
        target.evaluate("node => { node.open = false; }")
        page.page.evaluate("history.replaceState(null, '', ' ')")
        link.click()
        page.page.wait_for_function("node => node.open", arg=target.element_handle())
        assert target.evaluate("node => Math.abs(node.getBoundingClientRect().top) < innerHeight")


def test_the_keyboard_reaches_and_works_everything(page, counts):
    button = page.page.locator("button[data-show]").last
    for _ in range(60):
        page.page.keyboard.press("Tab")
        if button.evaluate("node => node === document.activeElement"):
            break
    assert button.evaluate("node => getComputedStyle(node).outlineStyle") == "solid"  # where one is can be seen
    page.page.keyboard.press("Enter")
    assert button.get_attribute("aria-pressed") == "true"
    assert page.visible(".by-reference .cell") < sum(counts.values()) or len(+counts) == 1
    page.page.locator("button[data-show=all]").press("Space")
    summary = page.page.locator(".comparison > summary").last
    was_open = summary.evaluate("node => node.parentElement.open")
    summary.press("Enter")
    assert summary.evaluate("node => node.parentElement.open") is not was_open
    assert page.page.evaluate("document.querySelectorAll('.scroll:not([tabindex])').length") == 0


def test_every_drawing_has_a_name_and_every_table_its_headings(page):
    assert page.page.evaluate(UNNAMED) == 0
    assert page.page.evaluate(HEADLESS_CELLS) == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(browser, axe, report, scheme):
    found = opened(browser, report / "index.html", color_scheme=scheme, viewport={"width": 1280, "height": 900})
    found.page.evaluate(THIN_OUT)
    found.page.evaluate(OPEN_ALL)
    problems = serious(axe, found)
    found.page.context.close()
    assert problems == []


def test_a_phone_needs_no_sideways_scrolling(browser, report):
    found = opened(browser, report / "index.html", **PHONE)
    assert found.page.evaluate("document.documentElement.scrollWidth") == 360
    found.page.evaluate(OPEN_ALL)
    assert found.page.evaluate("document.documentElement.scrollWidth") == 360
    assert found.page.evaluate(TOO_WIDE, 360) == []
    assert found.said == []
    found.page.context.close()


def test_paper_shows_every_comparison_opened(page):
    closed = page.page.locator(".comparison:not([open])").count()
    page.page.emulate_media(media="print")
    page.page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.page.locator("details:not([open])").count() == 0
    drawers = page.page.locator(".comparison").count()
    assert page.visible(".comparison .body") == drawers
    assert page.visible("#filters") == 0
    page.page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.page.locator(".comparison:not([open])").count() == closed
    printed = page.page.pdf(format="A4")
    assert printed.startswith(b"%PDF-")
    # Two and a half opened comparisons or fewer fit on a page.
    assert len(re.findall(rb"/Type\s*/Page\b", printed)) >= max(2, drawers / 2.5)


BAD = """<!doctype html><html><head><title>bad</title></head><body>
<img src="http://example.invalid/a.png"><p style="color:#999;background:#fff">pale</p><p style="width:500px">wide</p>
<table><tr><th>a</th></tr></table><svg></svg><script>console.warn("heard")</script></body></html>"""


def test_the_checks_see_a_bad_page(browser, axe, tmp_path):
    path = tmp_path / "bad.html"
    path.write_text(BAD, encoding="utf-8")
    found = opened(browser, path, **PHONE)
    assert "warning: heard" in found.said
    assert found.requested == [path.as_uri(), "http://example.invalid/a.png"]
    assert {"P."} == set(found.page.evaluate(TOO_WIDE, 360))
    assert (found.page.evaluate(UNNAMED), found.page.evaluate(HEADLESS_CELLS)) == (2, 1)
    rules = {problem.split(" in ")[0] for problem in serious(axe, found)}
    assert {"color-contrast", "image-alt", "html-has-lang"} <= rules
    found.page.context.close()
