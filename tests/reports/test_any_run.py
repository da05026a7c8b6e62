"""No run, however strange its numbers and texts, may cost the reader a report."""

import json
import math
import re
from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.comparison.verdict import Attribution, CrossEvidence, ObjectivePair, Outcome, Restart, Verdict
from harness.quantities import Failure, Kind
from harness.reports import console, html, json_report, markdown
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
        "permutation": st.dictionaries(st.integers(1, 4), st.integers(1, 4), max_size=4),
    }
)
FAILURES = st.none() | st.builds(
    Failure, reason=st.sampled_from(["crashed", "timeout", "stale"]), sentence=TEXTS, evidence=TEXTS
)


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(changes=CHANGES, failure=FAILURES, engine=TEXTS, note=TEXTS)
def test_every_report_can_be_written(sample_runs, changes, failure, engine, note):
    run = sample_runs["all agree, live"]
    first, second, _ = run.comparisons
    strange = replace(first, right=replace(first.right, engine=engine, failure=failure), **changes)
    run = replace(run, comparisons=(strange, second), notes=(note,), environment={engine: note})

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
