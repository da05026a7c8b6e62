"""Hostile inputs that are no text files: formulas, names, tables in memory and on disk, runs to be reported."""

import re
from dataclasses import replace
from functools import cache

import hostile
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import sources

from harness.cases import read_own_case
from harness.cohorts import read_cohort
from harness.cohorts.frames import cohort_from_frame
from harness.comparison.judge import judge
from harness.comparison.run import Run
from harness.comparison.verdict import CrossEvidence
from harness.engines import solve
from harness.errors import EngineError
from harness.formula import parse_formula
from harness.quantities import Failure
from harness.references import wire
from harness.references.pins import PinnedEngine
from harness.reports.write import write_report
from harness.runs import read_cases

FORMULAS = (
    "score ~ week * arm + dose + (1 + week | id)",
    "y ~ C(visit, sum) * g + us(visit | id)",
    "y ~ ns(t, 2) + poly(t, 2) + (1 || a/b)",
    "y ~ log(t) + I(t^2) - 1 + ar1h(visit | arm / id)",
)
ANSWER = (
    wire.frame(
        {
            "status": "ok",
            "value": {"beta": np.array([1.5, -2.0]), "names": ["a", None]},
            "n": 3,
            "is": True,
            "none": None,
        }
    )[wire.HEADER :]
    .decode()
    .replace(", ", ",\n")
    .replace(",", ",\n")
)
TOKENS = ("~", "+", "-", "*", ":", "^", "(", ")", "|", "||", "/", ",", "1", "0", "2", "week", "I(", "log(", "ns(", "C(")


def formula(chance, folder):
    del folder
    draw = chance.random()
    if draw < 0.4:
        text = chance.choice(FORMULAS)
        for _ in range(chance.randint(1, 3)):
            place = chance.randrange(len(text) + 1)
            text = text[:place] + hostile.text(chance) + text[place + chance.randint(0, 3) :]
    elif draw < 0.45:
        text = f"y ~ {chance.choice(('(', 'I(', '-', 'a:', 'a+', '(1|'))}" * chance.choice((10, 1000, hostile.DEPTH))
    else:
        text = " ".join(chance.choice((*TOKENS, hostile.text(chance))) for _ in range(chance.randint(1, 25)))
    parse_formula(text)


def name_of_a_case(chance, folder):
    del folder
    read_cases([hostile.text(chance) for _ in range(chance.randint(1, 3))])


def frame(chance, folder):
    """A DataFrame with hostile names, labels and types of columns."""
    del folder
    columns = [_cell(chance) if chance.random() < 0.7 else hostile.text(chance)[:1000] for _ in range(2)]
    data = pd.DataFrame({place: _column(chance, 6) for place in range(len(columns))})
    data.columns = pd.Index(columns, dtype=object)  # which holds lone surrogates too
    if chance.random() < 0.7:  # so that not all is refused for want of subjects
        data["id"] = ["a", "a", "b", "b", "c", "c"]
        columns.append("id")
    cohort_from_frame(data, subject=columns[-1])


def parquet(chance, folder):
    """A Parquet file with columns missing, doubled, of other types, or with bytes that are none of Parquet's."""
    columns = {
        "id": pa.array(["a", "a", "b"]),
        "week": pa.array([0, 1, 0]),
        "score": pa.array([20, 21, 22]),
        "arm": pa.array(["a", "a", "b"]),
        "dose": pa.array([0.1, 0.2, 0.3]),
    }
    for name in chance.sample(sorted(columns), chance.choice((0, 1, 1, 2, 5))):
        columns[name] = _arrow(chance)
    names, arrays = list(columns), list(columns.values())
    if chance.random() < 0.2:
        names[chance.randrange(len(names))] = chance.choice(("id", hostile.text(chance)[:1000]))
    path = folder / "mine.parquet"
    try:
        pq.write_table(pa.table(arrays, names=names), path)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, UnicodeEncodeError):
        path.write_bytes(b"PAR1")
    if chance.random() < 0.3:
        content = bytearray(path.read_bytes())
        for _ in range(chance.randint(1, 3)):
            content[chance.randrange(len(content))] = chance.randrange(256)
        path.write_bytes(content[: chance.randrange(len(content))] if chance.random() < 0.3 else content)
    read_cohort(path, sources._schema(folder))


def pin_of_a_case(chance, folder):
    """A damaged pin where the engine looks for it: it answers, stale, and never raises."""
    case = _case()
    source = hostile.damaged(chance, sources.texts("pins/two_rates__alike.rates.json")[0])
    hostile.written(folder / f"{case.name}.rates.json", source)
    PinnedEngine(name="rates", folder=folder, r_source="0" * 64).read(case)


def answer_of_r(chance, folder):
    """A damaged frame from the R process: it is an answer, or said to be none."""
    del folder
    try:
        wire.unframe(hostile.damaged(chance, ANSWER).encode("utf-8", errors="surrogatepass"))
    except ValueError as error:
        raise EngineError("lme4", "crashed", str(error)) from None


def names_to_the_end(chance, folder):
    """Hostile columns and levels from the file through a fit to the report."""
    outcome, arm, level = (_cell(chance) for _ in range(3))
    rows = [("id", "week", outcome, arm)]
    rows += [
        (f"{_cell(chance)}{i}", str(week), str(20 + i % 7 - week + (i * week) % 3), level if i % 2 else "b")
        for i in range(6)
        for week in range(3)
    ]
    text = "\n".join(",".join('"' + cell.replace('"', '""') + '"' for cell in row) for row in rows)
    spec = (
        '[cohort]\nname = "mine"\n[columns.id]\nrole = "subject"\n[columns.week]\nrole = "time"\n'
        f'[columns.{hostile.quoted(chance, outcome)}]\nrole = "outcome"\n'
        f'[columns.{hostile.quoted(chance, arm)}]\nrole = "protocol"\n'
        f'[model]\nkind = "gbtm"\noutcome = {hostile.quoted(chance, outcome)}\ntime = "week"\nsubject = "id"\n'
        "orders = [1]\nn_starts = 1\n"
    )
    case = read_own_case(hostile.written(folder / "mine.csv", text), hostile.written(folder / "mine.toml", spec))
    said = solve(case).reading(against="lcmm")
    _reported(chance, folder, case.name, replace(said, engine=hostile.text(chance)[:1000]))


def report(chance, folder):
    """A run full of hostile texts: what an R, a name or a path may have said."""
    said = _said()
    quantities = tuple(replace(q, path=f"{hostile.text(chance)[:2000]}[{k}]") for k, q in enumerate(said.quantities))
    failure = Failure(reason="crashed", sentence=hostile.text(chance), evidence=hostile.text(chance))
    right = replace(
        said,
        engine=hostile.text(chance),
        quantities=quantities,
        conventions=(hostile.text(chance),),
        warnings=(hostile.text(chance),),
        failure=failure if chance.random() < 0.2 else None,
    )
    _reported(chance, folder, hostile.text(chance), right)


def _reported(chance, folder, name, right):
    comparison = judge(name, _said(), right, CrossEvidence())
    run = Run(
        command=hostile.text(chance),
        started="2026-11-26T00:00:00+00:00",
        seconds=1.0,
        environment={hostile.text(chance): hostile.text(chance)},
        comparisons=(comparison,),
        notes=(hostile.text(chance),),
    )
    for path in write_report(run, folder / "report"):
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".html":
            page = re.sub(r"(?s)<script\b.*?</script>", "", text, count=1)
            live = re.search(r"(?i)<script\b|<img\b|\bonerror=[^&]*?[\"'>]|<!--(?!\s)|javascript:", page)
            if live:
                raise AssertionError(f"alive in the page: {page[live.start() - 40 : live.end() + 40]!r}")
        if path.suffix == ".md" and "<script" in text:
            raise AssertionError("a tag in the Markdown")


@cache
def _case():
    (case,) = read_cases(["two_rates__alike"])
    return case


@cache
def _said():
    return solve(_case()).reading(against="rates")


def _cell(chance):
    """Return a name that a schema allows: printable, without spaces around it."""
    while True:
        text = hostile.text(chance)[:100].strip()
        if text and text.isprintable():
            return text


def _column(chance, length):
    ways = (
        lambda: pd.Series([hostile.text(chance)[:1000] for _ in range(length)], dtype=object),
        lambda: pd.Series([_cell(chance) for _ in range(length)]),
        lambda: np.array([chance.choice((0.0, 1.5, float("nan"), float("inf"), 1e308)) for _ in range(length)]),
        lambda: np.array([chance.choice((0, -(2**31), 2**62)) for _ in range(length)]),
        lambda: [chance.choice((None, b"\xff", 1, "1", 1.0, (), {}, object, 10**400)) for _ in range(length)],
        lambda: pd.date_range("2026-01-01", periods=length),
        lambda: pd.array([True, None] * (length // 2), dtype="boolean"),
        lambda: [1 + 2j] * length,
    )
    return chance.choice(ways)()


def _arrow(chance):
    ways = (
        lambda: pa.array([1, 2, 3]),
        lambda: pa.array(["a", "b", "=1+1"]),
        lambda: pa.array([1.5, None, float("nan")]),
        lambda: pa.array([[1], [2], None]),
        lambda: pa.array([{"a": 1}] * 3),
        lambda: pa.array([b"\xff", b"", None]),
        lambda: pa.array([2**63 - 1, -(2**63), 0]),
        lambda: pa.array([True, False, None]),
        lambda: pa.array([None, None, None]),
        lambda: pa.array(["a", "b", None]).dictionary_encode(),
        lambda: pa.array([0, 1, 2], type=pa.timestamp("ns")),
        lambda: pa.array([1, 2, 3], type=pa.duration("s")),
        lambda: pa.array(["1", "2", "x"], type=pa.large_string()),
    )
    return chance.choice(ways)()
