"""Read a mapping from the `[import]` table of a TOML file.

::

    [import]
    name = "clinic"
    shape = "redcap"                        # "long" (one row a visit), "wide" (one row a subject) or "redcap"
    subject = "record_id"
    visit = "visit"                         # long only; REDCap's is redcap_event_name unless said otherwise
    other_events = ["enrolment_arm_1"]      # events that are no visits: only sex, age and the like are read there
    protocol = "protocol"                   # a column; without it, REDCap's arms tell protocols apart
    missing = ["NA", -9]                    # codes of missing values in every column; blank cells always are
    repairs = ["strip"]                     # also "full_width", "thousands", "footnotes": each use is counted
    duplicates = "error"                    # or identical, complement, first, last, earliest, latest
    accept = ["follow_up_window"]           # rules whose violations are known and stay
    time = "week"                           # or "day"
    start_year = true                       # keep the year of the first infusion
    confirmed = true                        # false in a proposal that nobody has read

    [import.file]                           # what is left out is detected and reported
    encoding = "latin-1"
    delimiter = ";"
    decimal = ","
    sheet = "Visits"
    header = 1

    [import.dating]
    date = "visit_date"                     # or day = "day"; or neither, and `day` of each visit
    date_format = "%d.%m.%Y"                # or "excel"
    infusion_date = "infusion_date"
    undated = "error"                       # or "nominal"
    planned = false                         # true if missed visits have a date too

    [import.visits]                         # in their order
    inf1 = { named = ["baseline_arm_1", "baseline_arm_2"], infusion = 1, day = 0 }
    fu_1wk = { named = "week_1_arm_1", follow_up = [7, 3] }

    [import.protocols]
    four = { named = "arm_1", infusions = 4 }

    [import.scores.madrs]
    total = "madrs_total"                   # in wide files with {visit}, or { inf1 = "a", inf2 = "b" }
    items = "madrs_{item:02}"               # or a list of columns
    instrument = "madrs"                    # if the name does not say it; or the TOML file of a scale
    differing = "error"                     # or which is right: "items" or "total"

    [import.covariates.sex]
    source = "sex"
    levels = { F = ["1", "f"], M = "2" }

    [import.companion]                      # a second file, joined on subject and nearest date
    subject = "id"
    date = "completed"
    within_days = 2
    ties = "earlier"
    scores = { gad7 = { total = "gad7_total" } }
"""

import tomllib
from pathlib import Path

from harness.cohorts.toml_values import TomlTable
from harness.errors import CohortError, Problem
from harness.importing.mapping import ImportMapping
from harness.importing.mapping_checks import mapping_problems
from harness.importing.mapping_reader import MappingReader


def read_mapping(path: Path | str) -> ImportMapping:
    """Return the mapping that the `[import]` table of a TOML file declares; other tables belong to others.

    Raises
    ------
    CohortError
        The file can't be read, or its mapping is unusable; all problems are listed.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
        document = tomllib.loads(text)
    except OSError as error:
        raise CohortError(str(path), [Problem(found=f"{error.strerror}", expected="a mapping in TOML")]) from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise CohortError(str(path), [Problem(found=f"{error}", expected="TOML in UTF-8")]) from None
    return mapping_of(document, text, path)


def mapping_of(document: TomlTable, text: str, path: Path) -> ImportMapping:
    """Return the mapping in a TOML document that has been parsed already, from this text of this file.

    Raises
    ------
    CohortError
        The mapping is unusable; all problems are listed.
    """
    reader = MappingReader(text, path.parent)
    table = reader.table(document, "import", ())
    if not table:
        reader.complain((), None, "no [import]", "one")
        raise CohortError(str(path), reader.problems)
    mapping = reader.mapping(table, path.stem)
    problems = reader.problems or mapping_problems(mapping)
    if problems:
        raise CohortError(str(path), problems)
    return mapping
