"""The files of a reproduction: data, model, scripts, and what they show."""

import json
from collections.abc import Mapping
from importlib import resources
from typing import Any

from harness.comparison.verdict import Comparison, Verdict
from harness.engines import OurGbtm, OurLmm, OurSide
from harness.quantities import Point, Reading
from harness.reports.explanation import render
from harness.reproduction.material import Material, data_csv, mixed_model, trajectories
from harness.reproduction.r_scripts import r_script
from harness.reproduction.readme import readme

_PROGRAMS = {"mixed model": "mixed_model.py", "trajectories": "trajectories.py"}


def reproduction(
    ours: OurSide, comparison: Comparison, disputed: Verdict | None, subjects: tuple[int, int]
) -> Mapping[str, str]:
    """Return the files of a reproduction by name; without scripts, README.md says why there are none.

    `disputed` is the verdict that was asked for, else the one that is furthest beyond its limit; `subjects` are how
    many there are of how many there were.
    """
    evidence = {"evidence.txt": render(comparison) + "\n"}
    material = _material(ours)
    if isinstance(material, str):
        return {"README.md": readme(comparison, disputed, None, subjects, without=material), **evidence}
    script = r_script(comparison.right.engine, material, _optimum(comparison.right))
    program = resources.files("harness.reproduction.programs").joinpath(_PROGRAMS[material.kind])
    files = {
        "data.csv": data_csv(material.columns),
        "model.json": json.dumps(_model(ours, material, comparison, disputed), indent=1, ensure_ascii=True) + "\n",
        "reproduce.py": program.read_text(encoding="utf-8"),
        **({} if script is None else {"reproduce.R": script}),
        **evidence,
    }
    return {"README.md": readme(comparison, disputed, material, subjects, has_r=script is not None), **files}


def _material(ours: OurSide) -> Material | str:
    if isinstance(ours, OurLmm):
        return mixed_model(ours.result.design, ours.result.estimates)
    if isinstance(ours, OurGbtm):
        return trajectories(ours.result.design, ours.result.fit.class_kinds)
    return "There are no scripts for rates and means, which are formulas: the evidence has both numbers."


def _model(ours: OurSide, material: Material, comparison: Comparison, disputed: Verdict | None) -> dict[str, Any]:
    left, right = comparison.left, comparison.right
    points: list[dict[str, Any]] = [
        {
            "label": f"the optimum of {reading.engine}",
            "parameters": list(point),
            "log_likelihood": {left.engine: ours.log_likelihood(point), **_said(right, point)},
        }
        for reading in (left, right)
        if (point := _optimum(reading)) is not None
    ]
    verdict: dict[str, Any] | None = None
    if disputed is not None:
        verdict = {
            "quantity": disputed.quantity,
            "line": material.lines.get(disputed.quantity),
            left.engine: disputed.left_value,
            right.engine: disputed.right_value,
        }
    return {
        **material.model,
        "points": points,
        "disputed": verdict,
        "case": comparison.case,
        "attribution": None if comparison.attribution is None else comparison.attribution.value,
        "versions": {left.engine: dict(left.versions), right.engine: dict(right.versions)},
    }


def _said(reading: Reading, point: Point) -> dict[str, float]:
    values = [value.log_likelihood for value in reading.objective if value.point == point]
    return {reading.engine: values[-1]} if values else {}


def _optimum(reading: Reading) -> Point | None:
    return next((value.point for value in reading.objective if value.label == "optimum"), None)
