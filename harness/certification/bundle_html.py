"""The bundle as one page to read and to print: no script, no network."""

import base64
import hashlib
from collections.abc import Iterable, Sequence
from importlib import resources

from harness.certification.bundle_evidence import evidence
from harness.certification.certify import Certified
from harness.certification.requirement import PHASES
from harness.certification.statements import headline, scope
from harness.certification.tables import CSS_CLASS, pill, table
from harness.certification.traceability import Accepted, Standing, Traced
from harness.reports.elements import Html, element, join, trusted
from harness.reports.summary import engine_text, summarise
from harness.reports.words import counted, name, number, sentence, times

_ORPHANS = 200


def render(certified: Certified) -> str:
    """Return the page."""
    return f"<!doctype html>\n{element('html', _head(certified), _body(certified), lang='en')}\n"


def _head(certified: Certified) -> Html:
    style = _piece("harness.reports", "page.css") + _piece("harness.certification", "bundle.css")
    fingerprint = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{fingerprint}'; base-uri 'none'; form-action 'none'"
    return element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=policy),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", f"What was shown: {headline(certified.traceability)}"),
        element("style", trusted(style)),
    )


def _body(certified: Certified) -> Html:
    found = certified.traceability
    main = element(
        "main",
        _banner(certified),
        *(
            _phase(title, [one for one in found.traced if one.requirement.phase == phase])
            for phase, title in PHASES.items()
        ),
        _not_shown(certified),
        element("h2", "Evidence by requirement", id="evidence"),
        element("p", "Each opens. Those that are open are printed; traceability.csv has all.", class_="quiet"),
        evidence(found.traced),
    )
    return element("body", main, _footer(certified))


def _banner(certified: Certified) -> Html:
    found = certified.traceability
    edge = "disagree" if not found.is_complete else "known" if found.count(Standing.KNOWN) else "agree"
    lines = [*scope(certified), *found.notes]
    verdicts = sum(len(comparison.verdicts) for comparison in certified.run.comparisons)
    figures = [
        *((standing.value, found.count(standing), CSS_CLASS[standing]) for standing in Standing),
        ("orphans", len(found.orphans), "disagree"),
        ("comparisons", len(certified.run.comparisons), ""),
        ("verdicts", verdicts, ""),
    ]
    return element(
        "header",
        element("p", "What was shown, requirement by requirement", class_="eyebrow"),
        element("h1", headline(found)),
        element("ul", *(element("li", sentence(line)) for line in lines), class_="cautions"),
        element(
            "dl",
            *(
                element("div", element("dt", label), element("dd", str(n)), class_=(css if n else "") or None)
                for label, n, css in figures
            ),
            class_="figures",
        ),
        _engines(certified),
        class_=f"banner {edge}",
    )


def _engines(certified: Certified) -> Html:
    rows = (
        [engine_text(use.engine, use.versions), use.source, counted(use.readings, "comparison")]
        for use in summarise(certified.run).engines
    )
    made = table(("engine and versions", "source", "took part"), rows, label="Engines and versions", css="engines")
    return element("details", element("summary", "Engines and versions"), made, class_="more")


def _phase(title: str, traced: Sequence[Traced]) -> Html:
    if not traced:
        return join()
    rows = (
        [
            element("a", name(one.requirement.identifier), href=f"#{one.requirement.identifier}"),
            join(sentence(one.requirement.statement), element("small", sentence(one.sentence), class_="quiet")),
            pill(one.standing),
            times(max((row.ratio for row in one.rows if row.ratio is not None), default=None)),
        ]
        for one in traced
    )
    head = ("requirement", "statement", "verdict", "worst, as a share of its limit")
    return element("section", element("h2", title), table(head, rows, label=title, css="requirements", numbers=(3,)))


def _not_shown(certified: Certified) -> Html:
    found = certified.traceability
    rest = len(found.orphans) - _ORPHANS
    orphans = [element("li", sentence(orphan.sentence)) for orphan in found.orphans[:_ORPHANS]]
    more = element("p", f"{counted(rest, 'more orphan')} in traceability.json.") if rest > 0 else join()
    return element(
        "section",
        element("h2", "What was not shown", id="not-shown"),
        element("h3", "Orphans"),
        join(element("ul", *orphans), more)
        if orphans
        else element("p", "None: every requirement has verdicts, and every verdict a requirement."),
        element("h3", "Known differences"),
        element(
            "p",
            "These quantities differ beyond their limits. They are accepted until a day, and count nowhere as shown.",
        ),
        _accepted(found.accepted),
        element("h3", "Quantities that were not compared"),
        table(
            ("engine", "quantities", "why", "how many", "cases"),
            (
                [name(one.engine), name(one.family), sentence(one.reason, 300), str(one.quantities), str(one.cases)]
                for one in found.unshown
            ),
            label="Quantities that were not compared",
            numbers=(3, 4),
        ),
        element("h3", "What no requirement asks for"),
        table(
            ("what", "why"),
            ([sentence(one.statement), sentence(one.reason)] for one in found.outside),
            label="What no requirement asks for",
        ),
    )


def _accepted(accepted: Iterable[Accepted]) -> Html:
    rows = (
        [
            join(name(one.entry.engine), element("small", f"{name(one.entry.case)}: {name(one.entry.quantity)}")),
            one.entry.attribution.value,
            sentence(one.entry.reason),
            name(one.entry.owner),
            one.entry.expires.isoformat(),
            f"{counted(one.quantities, 'quantity', 'quantities')} in {counted(len(one.cases), 'case')}",
            times(one.farthest),
            times(one.entry.at_most),
        ]
        for one in accepted
    )
    head = (
        "engine, case, quantity",
        "cause",
        "reason",
        "owner",
        "expires",
        "how many",
        "farthest, in limits",
        "may be",
    )
    return table(head, rows, label="Known differences", css="accepted", numbers=(6, 7))


def _footer(certified: Certified) -> Html:
    environment = certified.environment
    packages = environment.get("packages")
    files = environment.get("files")
    n_files = len(files) if isinstance(files, dict) else 0
    libraries = environment.get("numerical_libraries")
    rows = [
        *((name(key), sentence(value, 120)) for key, value in sorted(certified.run.environment.items())),
        *((name(key), name(str(value))) for key, value in (packages.items() if isinstance(packages, dict) else ())),
        *(
            (name(str(one.get("user_api"))), " ".join(name(str(value)) for value in one.values()))
            for one in (libraries if isinstance(libraries, list) else ())
            if isinstance(one, dict)
        ),
    ]
    return element(
        "footer",
        element("h2", "Installation"),
        element(
            "dl",
            element("dt", "command"),
            element("dd", element("code", sentence(certified.run.command))),
            element("dt", "started"),
            element("dd", name(certified.run.started)),
            *(join(element("dt", key), element("dd", value)) for key, value in dict(rows).items()),
            class_="pairs",
        ),
        element("p", f"environment.json has these versions and the hashes of {number(n_files)} files."),
        element("h2", "To check this bundle"),
        element(
            "p",
            element("code", "sha256sum -c MANIFEST.sha256"),
            " in its folder tells whether a file of it was changed. traceability.csv has a line for each requirement,"
            " case, engine and kind of quantity, traceability.json the same by the schema beside it.",
        ),
    )


def _piece(package: str, file: str) -> str:
    return resources.files(package).joinpath(file).read_text(encoding="utf-8")
