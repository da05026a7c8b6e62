"""The files of a bundle: rendered from values, sealed by a list of their hashes."""

import hashlib
from collections.abc import Mapping

from harness.certification import bundle_csv, bundle_html, bundle_json
from harness.certification.certify import Certified
from harness.reports.plain import Json, text_of

MANIFEST = "MANIFEST.sha256"


def render(certified: Certified) -> dict[str, str]:
    """Return the text of each file of the bundle by its name.

    The same run gives the same bytes: the only times in them are the start of the run and the days of recordings.
    """
    return sealed(
        {
            "index.html": bundle_html.render(certified),
            "traceability.csv": bundle_csv.render(certified),
            "traceability.json": bundle_json.render(certified),
            "traceability.schema.json": bundle_json.schema(),
            "environment.json": _environment(certified),
        }
    )


def sealed(texts: Mapping[str, str]) -> dict[str, str]:
    """Return the texts and, as the last, the list of their hashes that `sha256sum -c` reads."""
    lines = (f"{hashlib.sha256(text.encode()).hexdigest()}  {name}\n" for name, text in sorted(texts.items()))
    return {**texts, MANIFEST: "".join(lines)}


def _environment(certified: Certified) -> str:
    document: Json = {
        "command": certified.run.command,
        "started": certified.run.started,
        **certified.environment,
    }
    return text_of(document, 3) + "\n"
