"""Write the reports of a study into a folder: the only function of the study that writes files."""

from pathlib import Path

from harness.reports.write import write_texts
from harness.study import report_html, report_json, report_markdown
from harness.study.report import StudyReport


def write_study(report: StudyReport, folder: Path) -> tuple[Path, ...]:
    """Write `index.html`, `report.md`, `results.json` and its schema into the folder and return their paths.

    Everything is rendered before anything is written, and each file appears whole or not at all.

    Raises
    ------
    InputError
        If the folder is a link or no folder; nothing is written then.
    """
    texts = {
        "index.html": report_html.render(report),
        "report.md": report_markdown.render(report),
        "results.json": report_json.render(report),
        "results.schema.json": report_json.schema(),
    }
    return write_texts(texts, folder)
