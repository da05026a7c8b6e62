"""Import of raw clinical files by a declared mapping: REDCap exports, long and wide tables, CSV and Excel."""

from harness.importing.export import write_long, write_redcap, write_wide
from harness.importing.guesses import Guess, guess_table
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
from harness.importing.mapping_text import mapping_text
from harness.importing.pipeline import Imported, import_table
from harness.importing.proposal import Proposal, propose_mapping
from harness.importing.rules import Check, check_table

__all__ = [
    "Check",
    "Companion",
    "Covariate",
    "Dating",
    "Guess",
    "ImportMapping",
    "Imported",
    "Proposal",
    "Protocol",
    "Score",
    "TableFile",
    "Visit",
    "check_table",
    "guess_table",
    "import_table",
    "mapping_of",
    "mapping_text",
    "propose_mapping",
    "read_mapping",
    "write_long",
    "write_redcap",
    "write_wide",
]
