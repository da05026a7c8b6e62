"""Multi-trajectory models: one class variable, several outcomes (Nagin, Jones, Passos & Tremblay 2018).

log f_ig = sum over outcomes and their rows of log f(y_kij given g): outcomes are independent within class. An outcome
that was not observed at a visit is skipped there; a subject needs one observed outcome of any kind.
"""

from harness.cohorts.cohort import Cohort
from harness.gbtm.design import GbtmDesign, assemble
from harness.gbtm.rows import read_rows
from harness.gbtm.several.checks import refuse_several
from harness.gbtm.spec import GbtmSpec


def build_multi_design(specs: tuple[GbtmSpec, ...], cohort: Cohort) -> GbtmDesign:
    """Return the design of a model of several outcomes with the same classes.

    Parameters
    ----------
    specs
        One an outcome; the first gives the risk factors, the weights and the search of the whole model. The orders at
        the same place are of the same class, and go together in every assignment.
    cohort
        With their columns.

    Raises
    ------
    SpecError
        With all problems of all outcomes at once.
    """
    refuse_several(specs, cohort, same_classes=True)
    subjects, rows = read_rows(specs, cohort)
    return assemble(specs, subjects, rows)
