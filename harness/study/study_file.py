"""Read the plan of a study from a TOML file.

::

    [study]
    name = "ketamine"
    title = "Four or six infusions of ketamine"
    data = "ketamine_redcap.csv"            # beside the study file, unless the path is absolute
    reference = "four"                      # the protocol that others are compared with
    seed = 20260701

    [import]                                # how the raw file is read, as in harness.importing.mapping_file
    ...

    [outcomes]
    response = [1, 2]                       # the share of the baseline that must be gone; also 0.5
    partial = [1, 4]                        # false: no such category
    no_benefit = [3, 10]                    # optional
    min_baseline = 0                        # lower baselines have no answer
    denominator = "observed"                # or "locf", "nri"
    sensitivity = ["locf", "nri"]
    carry_baseline = false                  # whether the baseline may be carried forward
    primary_test = "chi-square"             # or "fisher"
    adjust_for = ["baseline", "age"]        # optional: of differences of rates, by logistic regression
    force_different_ends = false            # whether protocols may end by different rules

    [outcomes.end_of_treatment]             # of every protocol
    four = { rule = "last_preinfusion" }
    six = { rule = "last_preinfusion" }

    [outcomes.alternative_ends]             # optional, each tried in all protocols
    "day 10" = { rule = "window", window = [8, 12], target = 10 }

    [scales.madrs]                          # every score of the import
    remission = 10                          # or { cut = 10, also_response = true }
    relapse = { by = "score", cut = 22, visits = 1, among = "responders" }

    [models]
    time_axis = "visit"                     # or "week"
    visits = ["inf1", "inf2"]               # optional: those in treatment
    classes = [1, 2, 3, 4, 5, 6]
    order = 2
    starts = 50
    bootstrap_replicates = 0
    chosen = { madrs = 4 }                  # optional, and then with a reason
    reason = "..."
    predictors = ["age", "sex"]

    [report]
    covariates = ["age", "sex"]             # of the first table
    small_cell_limit = 11
    cross_check = true

    [charts]                                # optional: counted before the file was made
    screened = 300

What changes a result has no default: its absence is a problem like any other.
"""

import hashlib
import tomllib
from pathlib import Path

from harness.cohorts.toml_values import TomlTable
from harness.errors import CohortError, Problem, StudyError
from harness.importing import ImportMapping, mapping_of
from harness.study.plan import StudyPlan
from harness.study.plan_reader import PlanReader


def read_study(path: Path | str) -> StudyPlan:
    """Return the plan that a study file declares.

    Raises
    ------
    StudyError
        The file can't be read, or its plan is unusable; all problems are listed with their lines.
    """
    path = Path(path)
    try:
        raw = path.read_bytes()
        text = raw.decode("utf-8")
        document = tomllib.loads(text)
    except OSError as error:
        raise StudyError(str(path), [Problem(found=f"{error.strerror}", expected="a study in TOML")]) from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise StudyError(str(path), [Problem(found=f"{error}", expected="TOML in UTF-8")]) from None
    mapping, problems = _mapping(document, text, path)
    reader = PlanReader(text, path.parent, mapping)
    plan = reader.plan(document, path.stem, hashlib.sha256(raw).hexdigest())
    problems += reader.problems
    if problems:
        raise StudyError(str(path), sorted(problems, key=lambda problem: problem.line or 0))
    return plan


def _mapping(document: TomlTable, text: str, path: Path) -> tuple[ImportMapping | None, list[Problem]]:
    try:
        return mapping_of(document, text, path), []
    except CohortError as error:
        return None, list(error.problems)
