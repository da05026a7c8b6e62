"""The report for machines; `results.schema.json` beside this file is its published JSON Schema.

Every estimate in full precision, every table and checklist; figures by their captions and descriptions only. JSON has
no numbers that are not finite: they are the strings "NaN", "Infinity" and "-Infinity". Keys are sorted, text is ASCII.
Only `provenance.seconds` differs between two runs of one study on one machine.
"""

import json
from importlib import resources

from harness.reports.plain import Json, plain
from harness.study.anchors import estimate_anchor, part_anchor, part_label, section_anchor
from harness.study.checklists import Checklist
from harness.study.report import StudyReport
from harness.study.section import Estimate, Section
from harness.study.verdicts import check_counts, check_of, engines_of, headline

SCHEMA_VERSION = "1.0"


def render(report: StudyReport) -> str:
    """Return the report as JSON."""
    return json.dumps(document(report), indent=1, sort_keys=True, allow_nan=False) + "\n"


def document(report: StudyReport) -> dict[str, Json]:
    """Return the report as JSON values."""
    plan = report.plan
    return {
        "schema_version": SCHEMA_VERSION,
        "study": {
            "name": plan.name,
            "title": plan.title,
            "seed": plan.seed,
            "protocols": plain(plan.protocols),
            "scales": [scale.name for scale in plan.scales],
            "small_cell_limit": plan.small_cell_limit,
        },
        "summary": {
            "headline": headline(report.estimates),
            "checks": {str(check): count for check, count in check_counts(report.estimates).items()},
            "engines": list(engines_of(report.estimates)),
        },
        "sections": [_section(section) for section in report.sections],
        "methods": list(report.methods),
        "checklists": [_checklist(checklist) for checklist in report.checklists],
        "provenance": plain(report.provenance),
    }


def schema() -> str:
    """Return the JSON Schema of what `render` returns."""
    return resources.files("harness.study").joinpath("results.schema.json").read_text(encoding="utf-8")


def _section(section: Section) -> Json:
    return {
        "key": section.key,
        "anchor": section_anchor(section),
        "title": section.title,
        "warnings": list(section.warnings),
        "paragraphs": list(section.paragraphs),
        "tables": [
            {
                "anchor": part_anchor(section, table),
                "label": part_label(section, table),
                "name": table.name,
                "caption": table.caption,
                "header": list(table.header),
                "rows": plain(table.rows),
                "notes": list(table.notes),
            }
            for table in section.tables
        ],
        "figures": [
            {
                "anchor": part_anchor(section, picture),
                "label": part_label(section, picture),
                "name": picture.name,
                "caption": picture.caption,
                "description": picture.description,
            }
            for picture in section.pictures
        ],
        "estimates": [_estimate(estimate) for estimate in section.estimates],
    }


def _estimate(estimate: Estimate) -> Json:
    check = estimate.check
    return {
        "path": estimate.path,
        "anchor": estimate_anchor(estimate),
        "label": estimate.label,
        "value": plain(estimate.value),
        "standard_error": plain(estimate.standard_error),
        "lower": plain(estimate.lower),
        "upper": plain(estimate.upper),
        "p": plain(estimate.p),
        "denominator": estimate.denominator,
        "check": {
            "verdict": check_of(estimate),
            "engine": "" if check is None else check.engine,
            "detail": "" if check is None else check.detail,
        },
    }


def _checklist(checklist: Checklist) -> Json:
    return {
        "name": checklist.name,
        "source": checklist.source,
        "items": [
            {
                "number": answer.item.number,
                "asks": answer.item.asks,
                "remark": answer.item.remark,
                "standing": answer.standing,
                "links": plain(answer.links),
            }
            for answer in checklist.answers
        ],
    }
