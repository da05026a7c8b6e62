"""Import of raw clinical files by a declared mapping: REDCap exports, long and wide tables, CSV and Excel."""

from harness.importing.mapping import (
    Companion,
    Covariate,
    Dating,
    ImportMapping,
    Protocol,
    Score,
    TableFile,
    Visit,
)
from harness.importing.mapping_file import mapping_of, read_mapping
from harness.importing.pipeline import Imported, import_table
from harness.importing.rules import Check, check_table

__all__ = [
    "Check",
    "Companion",
    "Covariate",
    "Dating",
    "ImportMapping",
    "Imported",
    "Protocol",
    "Score",
    "TableFile",
    "Visit",
    "check_table",
    "import_table",
    "mapping_of",
    "read_mapping",
]
