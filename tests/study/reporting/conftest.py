"""Hand-made reports, the report of a whole study, a reader of pages, and Chromium."""

import fcntl
import os
import pickle
import re
import subprocess
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from harness.importing import ImportMapping, Protocol, Score, Visit
from harness.scoring import EndOfTreatment, ImprovementRule, RemissionRule
from harness.study.checklists import Item, Place, filled
from harness.study.plan import ScalePlan, StudyPlan
from harness.study.report import Provenance, StudyReport
from harness.study.run import run_study
from harness.study.section import CrossCheck, Estimate, Picture, Section, Table
from harness.study.study_file import read_study

STUDIES = Path(__file__).parents[3] / "fixtures" / "studies"
VOID = {"meta", "input", "wbr", "br"}
SVG = """<?xml version="1.0"?>
<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd">
<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="216pt" height="144pt"
 viewBox="0 0 216 144" onload="alert(1)">
 <metadata><date xmlns="http://purl.org/dc/elements/1.1/">2024-03-01</date></metadata>
 <defs><style type="text/css">*{stroke: red}</style><path id="dot" d="M 0 0 L 3 3" style="stroke: #000000"/></defs>
 <clipPath id="frame"><rect x="0" y="0" width="216" height="144"/></clipPath>
 <script>alert(1)</script>
 <g id="axes" clip-path="url(#frame)"><use xlink:href="#dot" x="5" y="5" style="fill: #1f77b4; fill-opacity: 0.2"/>
 <use xlink:href="https://example.org/a.svg#x"/>
 <text x="5" y="20" style="font: bold 10px 'DejaVu Sans', sans-serif; text-anchor: middle">week &amp; mean</text></g>
</svg>"""


class Page(HTMLParser):
    """The elements of a page in order with their attributes, and each text with the element that it stands in."""

    def __init__(self, html):
        super().__init__()
        self.elements, self.texts, self.stack, self.unbalanced = [], [], [], []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.stack.append(tag)

    def handle_endtag(self, tag):
        if not self.stack or self.stack.pop() != tag:
            self.unbalanced.append(tag)

    def handle_data(self, data):
        self.texts.append((tuple(self.stack) or ("",), data))

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]

    def text(self):
        return " ".join(" ".join(data for stack, data in self.texts if "style" not in stack).split())


AGREES = CrossCheck(verdict="agrees", engine="lme4 1.1-31 (R 4.2.2)", detail="2.1e-06 standard errors, limit 1e-03")
DISAGREES = CrossCheck(verdict="disagrees", engine="lme4 1.1-31 (R 4.2.2)", detail="0.3 standard errors, limit 1e-03")
ABSENT = CrossCheck(verdict="not compared", engine="lme4", detail="R is not installed")


def demo_plan(**changes):
    """Return a plan of a study of two protocols and one scale."""
    mapping = ImportMapping(
        name="demo",
        shape="long",
        subject="id",
        visit="visit",
        visits=tuple(Visit(name=f"inf{k}", named=(f"inf{k}",), infusion=k) for k in (1, 2, 3, 4)),
        scores=(Score(name="madrs", total="madrs", range=(0, 60)),),
        protocol="protocol",
        protocols=(Protocol(name="four", named=("4",), infusions=4), Protocol(name="six", named=("6",), infusions=6)),
    )
    end = EndOfTreatment()
    plan = StudyPlan(
        name="demo",
        title="Four or six infusions: a demonstration",
        data=Path("demo.csv"),
        mapping=mapping,
        protocols={"four": 4, "six": 6},
        treatment_visits=("inf1", "inf2", "inf3", "inf4"),
        follow_up_visits=(),
        scales=(ScalePlan(name="madrs", instrument="MADRS", remission=RemissionRule(cut=10)),),
        improvement=ImprovementRule(),
        end_of_treatment={"four": end, "six": end},
        denominator="observed",
        time_axis="week",
        primary_test="chi-square",
        seed=7,
        sha256="ab" * 32,
    )
    return replace(plan, **changes)


def demo_section(**changes):
    section = Section(
        key="S4",
        title="Response and remission",
        paragraphs=("Response is a fall by at least half.",),
        tables=(
            Table(
                name="rates",
                caption="Response by protocol",
                header=("protocol", "patients", "response, %", "note"),
                rows=(("four", 94, 28.947, ""), ("six", 115, 38.8, None), ("all", "< 11", float("nan"), "-2.3 lower")),
                digits=(0, 0, 1, 0),
                notes=("Wilson intervals.",),
            ),
        ),
        pictures=(Picture(name="means", caption="Means by week", description="Means fall from 31 to 20.", svg=SVG),),
        estimates=(
            Estimate(
                path="madrs.response.six",
                label="MADRS response, six infusions",
                value=0.3882352,
                lower=0.291,
                upper=0.495,
                denominator=85,
                check=AGREES,
            ),
            Estimate(
                path="madrs.change.inf4",
                label="Change of MADRS to visit inf4",
                value=-10.2345,
                standard_error=0.5678,
                lower=-11.35,
                upper=-9.12,
                p=0.00001,
                denominator=209,
                check=ABSENT,
            ),
            Estimate(path="madrs.entropy", label="Entropy", value=0.83),
        ),
        warnings=("Follow-up exists in one protocol only.",),
    )
    return replace(section, **changes)


def report_of(*sections, **changes):
    report = StudyReport(
        plan=demo_plan(),
        sections=sections,
        methods=("Rates are given with Wilson intervals.",),
        checklists=(
            filled(
                "GRoLTS",
                "made up for this test",
                (
                    Item(number="1", asks="the metric of time", places=(Place(section="S0"),)),
                    Item(number="14a", asks="a plot", places=(Place(section="S4", part="mean*"),)),
                    Item(number="16", asks="a title", remark="Name the data base."),
                ),
                sections,
            ),
        ),
        provenance=Provenance(
            command="harness study demo.toml",
            inputs={"data": "cd" * 32},
            versions={"Python": "3.11.2", "numpy": "2.2.0"},
            seed=7,
            seconds={"S4": 1.5},
        ),
    )
    return replace(report, **changes)


HOSTILE = "<script>alert(1)</script> | *bold* [x](javascript:alert(1)) \x1b[31m \u202e &amp; =cmd()"


def hostile_section():
    return Section(
        key="S5",
        title=HOSTILE,
        paragraphs=(HOSTILE, "x" * 20_000),
        tables=(Table(name=HOSTILE, caption=HOSTILE, header=(HOSTILE, HOSTILE), rows=((HOSTILE, "=1+1"),)),),
        pictures=(Picture(name=HOSTILE, caption=HOSTILE, description=HOSTILE, svg=SVG),),
        estimates=(
            Estimate(
                path=HOSTILE,
                label=HOSTILE,
                value=float("inf"),
                standard_error=float("nan"),
                check=CrossCheck(verdict="disagrees", engine=HOSTILE, detail=HOSTILE),
            ),
        ),
        warnings=(HOSTILE,),
    )


REPORTS = {
    "mixed": lambda: report_of(demo_section()),
    "no R": lambda: report_of(
        demo_section(estimates=tuple(replace(each, check=ABSENT) for each in demo_section().estimates))
    ),
    "disagreement": lambda: report_of(
        demo_section(
            estimates=(replace(demo_section().estimates[0], path="other", check=DISAGREES), *demo_section().estimates)
        )
    ),
    "hostile": lambda: report_of(demo_section(), hostile_section()),
    "empty": report_of,
}


@pytest.fixture(scope="session")
def page_of():
    return Page


@pytest.fixture(scope="session")
def studies():
    return STUDIES


@pytest.fixture(scope="session")
def plan_of():
    return demo_plan


@pytest.fixture(scope="session")
def demo_svg():
    return SVG


@pytest.fixture(params=[*REPORTS, "whole study"], scope="session")
def any_report(request):
    return REPORTS[request.param]() if request.param in REPORTS else request.getfixturevalue("whole_study")


@pytest.fixture(scope="session")
def sample_reports():
    return {name: make() for name, make in REPORTS.items()}


@pytest.fixture(scope="session")
def whole_study(tmp_path_factory):
    """Return the report of the ketamine study, without R and with few starts and classes, so that it takes seconds.

    Processes that share a run of the tests share the report: the first makes it, the others wait for it.
    """
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    made = folder / "whole_study.pickle"
    with (folder / "whole_study.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            plan = read_study(STUDIES / "ketamine.toml")
            fewer = {"starts": 5, "classes": (1, 2, 3, 4), "cross_check": False}
            made.write_bytes(pickle.dumps(run_study(replace(plan, **fewer), command="harness study ketamine.toml")))
    return pickle.loads(made.read_bytes())  # noqa: S301  # of our own making


# ---- Chromium ----


class Chromium:
    """A browser without a window and without a network, one process a page."""

    def __init__(self, program, folder):
        self.program = program
        self.folder = folder

    def run(self, *arguments):
        """Return the standard output, and the lines that pages wrote to the console."""
        command = [
            self.program,
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--hide-scrollbars",
            "--disable-dev-shm-usage",
            "--disable-background-networking",
            "--host-resolver-rules=MAP * ~NOTFOUND",
            f"--user-data-dir={self.folder}",
            "--enable-logging=stderr",
            *arguments,
        ]
        done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=True)
        return done.stdout, re.findall(r":CONSOLE[:(].*", done.stderr)


@pytest.fixture
def chromium(chromium_program, tmp_path):
    return Chromium(chromium_program, tmp_path / "profile")
