"""The report as one self-contained HTML page: no network, no external script, readable on a phone and on paper."""

import base64
import hashlib
from importlib import resources

from harness.comparison.run import Run
from harness.reports.elements import Html, element, join, trusted
from harness.reports.html_beyond import beyond_pairs
from harness.reports.html_case import case_page, in_order
from harness.reports.html_digits import digits_matrix
from harness.reports.html_limits import Limits
from harness.reports.html_overview import banner, filters, matrix
from harness.reports.summary import summarise
from harness.reports.words import name, seconds, sentence


def render(run: Run) -> str:
    """Return the page."""
    return f"<!doctype html>\n{element('html', _head(run), _body(run), lang='en')}\n"


def _head(run: Run) -> Html:
    style, script = _piece("page.css"), _piece("page.js")
    # Only the two pieces of this package run, whatever else might ever slip into the page.
    policy = (
        f"default-src 'none'; style-src {_fingerprint(style)}; script-src {_fingerprint(script)};"
        " base-uri 'none'; form-action 'none'"
    )
    return element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=policy),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", f"Cross-check: {summarise(run).headline}"),
        element("style", trusted(style)),
        element("script", trusted(script), type="module"),
    )


def _body(run: Run) -> Html:
    limits = Limits()
    cases = join(*(case_page(case, run, limits) for case in in_order(run)))
    main = element(
        "main",
        banner(run),
        filters(run),
        matrix(run),
        digits_matrix(run),
        beyond_pairs(run),
        element("h2", "Cases", id="pages") if cases else "",
        cases,
        limits.listed(),
    )
    return element("body", main, _footer(run))


def _footer(run: Run) -> Html:
    versions = (
        join(element("dt", name(key)), element("dd", sentence(value, 120)))
        for key, value in sorted(run.environment.items())
    )
    return element(
        "footer",
        element("h2", "Provenance"),
        element("p", "This page shows what agreed, for these versions, within the limits printed beside each number."),
        element(
            "dl",
            element("dt", "command"),
            element("dd", element("code", sentence(run.command))),
            element("dt", "started"),
            element("dd", f"{name(run.started)}, took {seconds(run.seconds)}"),
            *versions,
            class_="pairs",
        ),
        element("p", "Every verdict, unshortened, is in ", element("code", "run.json"), " beside this page."),
    )


def _piece(file: str) -> str:
    return resources.files("harness.reports").joinpath(file).read_text(encoding="utf-8")


def _fingerprint(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
