"""Read the plan of a campaign from a TOML file.

::

    [campaign]
    name = "small trials"
    seed = 20261126
    replicates = 1000                       # of each cell at most
    batch = 50                              # computed and stored together; optional, 50
    stop = 0.01                             # optional: leave a cell whose 95 % interval is within +- 0.01
    required = 0.99                         # optional: the least rate of agreement that will do
    deadline = 60                           # optional: seconds for one fit of R
    references = ["lme4"]                   # engines of R, or "harness": our own, from elsewhere

    [factors]                               # a value, or a list that is crossed with all others
    subjects = [20, 50]
    dropout = [0, 0.2]

    [model]
    kind = "lmm"                            # on score, visit, arm and subject
    formula = "score ~ visit * arm + (1 + visit | subject)"
    criterion = "REML"                      # or "ML"

or, for trajectory models of as many classes as are drawn, all of one order::

    [model]
    kind = "gbtm"
    order = 1
    sigma = "shared"                        # or "class"
    n_starts = 20
    seed = 1

`harness.campaigns.plan.FACTORS` has the factors and what they may be.
"""

import tomllib
from pathlib import Path

from harness.campaigns.plan import Plan
from harness.campaigns.plan_checks import plan_problems
from harness.campaigns.plan_reader import PlanReader
from harness.cohorts.toml_values import TomlTable
from harness.errors import CampaignError, Problem


def read_plan(path: Path) -> Plan:
    """Return the plan that a file declares.

    Raises
    ------
    CampaignError
        The file can't be read, or its plan is unusable; all problems are listed with their lines.
    """
    where = str(path)
    try:
        text = path.read_text(encoding="utf-8")
        document = tomllib.loads(text)
    except OSError as error:
        raise CampaignError(where, [Problem(found=f"{error.strerror}", expected="a plan in TOML")]) from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise CampaignError(where, [Problem(found=f"{error}", expected="TOML in UTF-8")]) from None
    return plan_of(document, text, where)


def plan_of(document: TomlTable, text: str, where: str) -> Plan:
    """Return the plan of a parsed document; `text` is what it was parsed from, for the lines of problems.

    Raises
    ------
    CampaignError
        If the plan is unusable; all problems are listed.
    """
    reader = PlanReader(text)
    plan = reader.plan(document)
    # What can be said of a whole plan would only repeat what is wrong with its parts.
    problems = reader.problems or plan_problems(plan)
    if problems:
        raise CampaignError(where, sorted(problems, key=lambda problem: problem.line or 0))
    return plan
