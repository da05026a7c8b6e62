"""No run, however strange its numbers and texts, may cost the reader a report."""

import json
import math
import re
import xml.etree.ElementTree as ET
from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.comparison.consensus import Consensus, Dissent
from harness.comparison.curves import CurvePair
from harness.comparison.traces import Trace
from harness.comparison.triangle import Moved, Mover, Triangle
from harness.comparison.verdict import Attribution, CrossEvidence, ObjectivePair, Outcome, Restart, Verdict
from harness.quantities import Failure, Kind
from harness.reports import annotations, console, html, json_report, junit, markdown
from harness.reports.annotations import AT_MOST
from harness.reports.markdown import MOST_BYTES

# Lone surrogates included: R can send them, and a file can't hold them.
TEXTS = st.text(st.characters(), max_size=60) | st.sampled_from(
    ["", "</script>", "<!--", "|", "=1+1", "\x1b[31m", "__"]
)
FLOATS = st.floats() | st.sampled_from([0.0, 0.01, 5e-324, 1e308, math.nan, math.inf])
VALUES = st.none() | FLOATS | st.integers() | st.booleans() | TEXTS
VERDICTS = st.builds(
    Verdict,
    quantity=TEXTS,
    kind=st.sampled_from(Kind),
    left_value=VALUES,
    right_value=VALUES,
    metric=TEXTS | st.just("standard errors"),
    observed=st.none() | FLOATS,
    limit=st.none() | FLOATS,
    basis=TEXTS,
    digits=st.none() | FLOATS,
    outcome=st.sampled_from(Outcome),
    reason=TEXTS,
)
EVIDENCE = st.builds(
    CrossEvidence,
    objectives=st.lists(
        st.builds(ObjectivePair, label=TEXTS, point=st.tuples(FLOATS), left=FLOATS, right=FLOATS), max_size=3
    ).map(tuple),
    gradient_at_right=st.none() | FLOATS,
    restart=st.none() | st.builds(Restart, engine=TEXTS, log_likelihood=FLOATS),
)
SERIES = st.lists(FLOATS, max_size=4).map(tuple)
CURVES = st.builds(
    CurvePair,
    label=TEXTS,
    times=SERIES,
    left=SERIES,
    right=SERIES,
    observed=st.lists(st.tuples(FLOATS, FLOATS), max_size=2).map(tuple),
    along=TEXTS,
    outcome=TEXTS,
    levels=st.lists(TEXTS, max_size=2).map(tuple),
) | st.tuples(FLOATS, FLOATS, FLOATS).map(
    lambda t: CurvePair(label="x", times=(0.0, 1.0, 2.0), left=t, right=t[::-1], levels=("a", "</svg>", ""))
)
RATIOS = st.lists(st.none() | FLOATS, max_size=4).map(tuple)
BEYOND = st.fixed_dictionaries(
    {
        "notes": st.tuples(TEXTS),
        "triangles": st.lists(
            st.builds(
                Triangle,
                case=TEXTS,
                engine=TEXTS,
                recorded=st.dictionaries(TEXTS, TEXTS, max_size=2),
                running=st.just({}),
                ours_pinned=st.sampled_from(Outcome),
                live_pinned=st.sampled_from(Outcome),
                ours_live=st.sampled_from(Outcome),
                mover=st.sampled_from(Mover),
                sentence=TEXTS,
                moved=st.lists(
                    st.builds(
                        Moved,
                        quantity=TEXTS,
                        ours=VALUES,
                        pinned=VALUES,
                        live=VALUES,
                        mover=st.sampled_from(Mover),
                    ),
                    max_size=2,
                ).map(tuple),
            ),
            max_size=2,
        ).map(tuple),
        "traces": st.lists(
            st.builds(
                Trace,
                case=TEXTS,
                engine=TEXTS,
                started=st.just(()),
                ratios=RATIOS,
                digits=RATIOS,
                distances=RATIOS,
                warning=TEXTS,
            ),
            max_size=2,
        ).map(tuple),
        "consensus": st.lists(
            st.builds(
                Consensus,
                case=TEXTS,
                engines=st.just(("a", "b", "c")),
                unanimous=st.integers(0, 9),
                sentence=TEXTS,
                dissents=st.lists(
                    st.builds(
                        Dissent,
                        quantity=TEXTS,
                        values=st.dictionaries(TEXTS, FLOATS | TEXTS, max_size=3),
                        dissenter=st.none() | TEXTS,
                        sentence=TEXTS,
                    ),
                    max_size=2,
                ).map(tuple),
            ),
            max_size=2,
        ).map(tuple),
    }
)
CHANGES = st.fixed_dictionaries(
    {
        "case": TEXTS,
        "verdicts": st.lists(VERDICTS, max_size=6).map(tuple),
        "evidence": EVIDENCE,
        "outcome": st.sampled_from(Outcome),
        "attribution": st.none() | st.sampled_from(Attribution),
        "sentence": TEXTS,
        "next_step": TEXTS,
        "distance": st.none() | FLOATS,
        "curves": st.lists(CURVES, max_size=2).map(tuple),
        "permutation": st.dictionaries(st.integers(1, 4), st.integers(1, 4), max_size=4),
    }
)
FAILURES = st.none() | st.builds(
    Failure, reason=st.sampled_from(["crashed", "timeout", "stale"]), sentence=TEXTS, evidence=TEXTS
)


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(changes=CHANGES, failure=FAILURES, engine=TEXTS, beyond=BEYOND)
def test_every_report_can_be_written(sample_runs, changes, failure, engine, beyond):
    run = sample_runs["all agree, live"]
    first, second, _ = run.comparisons
    strange = replace(first, right=replace(first.right, engine=engine, failure=failure), **changes)
    run = replace(run, comparisons=(strange, second), environment={engine: beyond["notes"][0]}, **beyond)

    lines = console.render(run).splitlines()
    assert all(line.isprintable() for line in lines)

    page = html.render(run)
    assert page.encode("utf-8").decode("utf-8") == page
    assert len(re.findall(r"</script", page)) == 1
    assert "<!--" not in page.replace("&lt;!--", "")

    summary = markdown.render(run)
    summary.encode("utf-8")
    assert len(summary.encode()) <= MOST_BYTES
    assert "<" not in summary

    back = json.loads(json_report.render(run))
    assert len(back["run"]["comparisons"]) == len(run.comparisons)

    suites = ET.fromstring(junit.render(run))  # noqa: S314  # written a moment ago
    assert len(suites.findall(".//testcase")) == len(run.comparisons) + 2

    commands = annotations.render(run)
    assert len(commands) <= AT_MOST
    assert all(line.isprintable() and re.match(r"::(error|warning) title=[^:,]*::", line) for line in commands)
