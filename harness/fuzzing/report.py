"""What fuzzing found, in lines for the terminal, in JSON, and as files of counterexamples."""

import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from harness.counterexamples.file_format import Counterexample, write_counterexample
from harness.fuzzing.fuzz import ALONE, Caught, FuzzResult


def lines(result: FuzzResult) -> Iterator[str]:
    """Yield the counts by outcome, the speed, and each counterexample with its size."""
    plan, n = result.plan, len(result.examined)
    against = "itself" if plan.engine == ALONE else plan.engine
    speed = n / result.seconds if result.seconds > 0 else 0.0
    yield (
        f"{n} fuzzed {plan.kind} cases of seed {plan.seed} against {against}, {plan.workers} workers:"
        f" {result.seconds:.0f} s, {speed:.2f} cases a second"
    )
    if n < plan.examples:
        yield f"stopped after {plan.seconds:g} s: {plan.examples - n} of {plan.examples} cases were not begun"
    yield ""
    reasons = {one.finding.code: one.finding.reason for one in result.examined if one.finding.reason}
    bad = {one.finding.code for one in result.unacceptable}
    for code, count in result.counts.most_common():
        why = "NOT ACCEPTABLE" if code in bad else reasons[code]
        yield f"{count:>6}  {code:<24} {why}"
    for one in result.caught:
        yield ""
        yield from _caught_lines(one)
    if n:
        seconds = np.array([one.seconds for one in result.examined])
        yield ""
        yield f"seconds a case: median {np.median(seconds):.2f}, largest {seconds.max():.1f}"


def _caught_lines(one: Caught) -> Iterator[str]:
    before, after = one.drawn, one.specimen
    left = "" if one.finished else " (the tries ran out)"
    yield f"case {one.index}: {one.finding.code}, {one.finding.sentence}"
    yield (
        f"    {len(before.subjects)} subjects, {before.n_rows} rows -> {len(after.subjects)} subjects,"
        f" {after.n_rows} rows after {one.tries} tries{left}"
    )
    yield f"    {_model(one)}"


def _model(one: Caught) -> str:
    return ", ".join(f"{key} = {value!r}" for key, value in one.specimen.model.items() if key != "kind")


def document(result: FuzzResult) -> dict[str, Any]:
    """Return everything as JSON has it."""
    plan = result.plan
    return {
        "kind": plan.kind,
        "engine": plan.engine,
        "seed": plan.seed,
        "workers": plan.workers,
        "seconds": result.seconds,
        "counts": dict(result.counts.most_common()),
        "cases": [
            {
                "index": one.index,
                "code": one.finding.code,
                "sentence": one.finding.sentence,
                "reason": one.finding.reason,
                "seconds": one.seconds,
            }
            for one in result.examined
        ],
    }


def write(result: FuzzResult, folder: Path, by: str, versions: dict[str, str]) -> tuple[Path, ...]:
    """Write `fuzz.json` and a file for each counterexample into the folder; return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    summary = folder / "fuzz.json"
    summary.write_text(json.dumps(document(result), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return (summary, *(_written(one, result, folder, by, versions) for one in result.caught))


def _written(one: Caught, result: FuzzResult, folder: Path, by: str, versions: dict[str, str]) -> Path:
    engine = result.plan.engine
    counterexample = Counterexample(
        specimen=one.specimen,
        references=("lme4" if result.plan.kind == "lmm" else "flexmix",) if engine == ALONE else (engine,),
        code=one.finding.code,
        sentence=one.finding.sentence,
        date=datetime.now(UTC).date().isoformat(),
        by=f"{by}, case {one.index}",
        note="",
        versions=versions,
    )
    path = folder / f"{_name(one, result)}.json"
    write_counterexample(counterexample, path)
    return path


def _name(one: Caught, result: FuzzResult) -> str:
    """Return a name by kind and code, and by values, so that the same counterexample has one name."""
    code = "_".join(filter(None, "".join(c if c.isalnum() else " " for c in one.finding.code.lower()).split()))
    values = repr((sorted(one.specimen.model.items()), one.specimen.cohort("fuzzed").sha256))
    return f"fuzzed_{result.plan.kind}__{code}_{hashlib.sha256(values.encode()).hexdigest()[:8]}"
