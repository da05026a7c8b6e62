"""Dual trajectory models as mixtures over pairs of classes: one class variable for each of two outcomes.

L_i = log sum_jk pi_jk f1_ij f2_ik, with pi_jk = pi_j pi_(k|j) free (Nagin & Tremblay 2001). The J K - 1 log-odds of the
cells are exactly the J - 1 of pi_j and the J (K - 1) of pi_(k|j). Cell c = j K + k; a density of outcome 1 is the same
in all cells of one j, one of outcome 2 in all cells of one k.
"""

from dataclasses import dataclass, replace

import numpy as np

from harness.arrays import read_only
from harness.cohorts.cohort import Cohort
from harness.gbtm.design import ClassKind, GbtmDesign, assemble
from harness.gbtm.membership import membership_of
from harness.gbtm.mixture import Mixture
from harness.gbtm.rows import Subjects, read_rows
from harness.gbtm.several.checks import refuse_several
from harness.gbtm.several.tied import Tied
from harness.gbtm.spec import GbtmSpec
from harness.gbtm.terms import Covariates


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DualDesign:
    """Everything that a search for a dual model needs.

    `first` and `second` are the models of each outcome alone, over all N subjects with any outcome; `mixture` is that
    over the J K cells, its classes in the order of both specs.
    """

    first: GbtmDesign
    second: GbtmDesign
    mixture: Mixture

    @property
    def spec(self) -> GbtmSpec:
        """Of the first outcome, from which the search has its seed and number of starts."""
        return self.first.spec

    @property
    def outcomes(self) -> tuple[GbtmDesign, GbtmDesign]:
        """Both models alone."""
        return self.first, self.second

    @property
    def shape(self) -> tuple[int, int]:
        """J and K."""
        return self.first.n_classes, self.second.n_classes

    @property
    def subjects(self) -> Subjects:
        """The N subjects with an outcome of any kind."""
        return self.first.subjects

    @property
    def n_subjects(self) -> int:
        """N."""
        return self.subjects.count

    @property
    def n_observations(self) -> int:
        """Rows of both outcomes."""
        return self.first.n_observations + self.second.n_observations

    @property
    def n_parameters(self) -> int:
        """Free parameters: J K - 1 log-odds, then those of both outcomes."""
        return self.mixture.n_free

    @property
    def class_kinds(self) -> tuple[ClassKind, ...]:
        """What distinguishes the J classes of the first outcome, then the K of the second."""
        return self.first.class_kinds + self.second.class_kinds

    def split(self, kinds: tuple[ClassKind, ...]) -> tuple[tuple[ClassKind, ...], tuple[ClassKind, ...]]:
        """Return the kinds of the classes of each outcome."""
        J = self.shape[0]
        return kinds[:J], kinds[J:]

    def mixture_of(self, kinds: tuple[ClassKind, ...] | None = None) -> Mixture:
        """Return the mixture with the classes of both outcomes in the order of `kinds`; of the specs by default."""
        if kinds is None or kinds == self.class_kinds:
            return self.mixture
        of_first, of_second = self.split(kinds)
        return paired(self.first.mixture_of(of_first), self.second.mixture_of(of_second), self._names)

    @property
    def _names(self) -> tuple[str, str]:
        return self.first.spec.outcome, self.second.spec.outcome


def paired(first: Mixture, second: Mixture, names: tuple[str, str]) -> Mixture:
    """Return the mixture over the cells of two class variables; `names` of the outcomes go before parameters."""
    J, K = first.n_classes, second.n_classes
    of_first, of_second = np.divmod(np.arange(J * K), K)
    densities = [
        *(Tied(inner=density, classes=read_only(of_first.astype(np.int64))) for density in first.densities),
        *(Tied(inner=density, classes=read_only(of_second.astype(np.int64))) for density in second.densities),
    ]
    labels = (names[0],) * len(first.densities) + (names[1],) * len(second.densities)
    return Mixture(
        membership=membership_of(no_factors(len(first.weights)), J * K),
        densities=tuple(densities),
        weights=first.weights,
        labels=labels,
    )


def build_dual_design(specs: tuple[GbtmSpec, GbtmSpec], cohort: Cohort) -> DualDesign:
    """Return the design of a dual model; the first spec gives the weights, the seed and the number of starts.

    Raises
    ------
    SpecError
        With all problems of both outcomes at once.
    """
    refuse_several(specs, cohort, same_classes=False)
    subjects, rows = read_rows(specs, cohort)
    # Streams of its own: with the same ones, both outcomes' starts would have the same noise.
    seeded = replace(specs[1], seed=int(np.random.SeedSequence(specs[0].seed).generate_state(1)[0]))
    first, second = (assemble((spec,), subjects, (own,)) for spec, own in zip((specs[0], seeded), rows, strict=True))
    mixture = paired(first.mixture, second.mixture, (specs[0].outcome, specs[1].outcome))
    return DualDesign(first=first, second=second, mixture=mixture)


def no_factors(n_subjects: int) -> Covariates:
    """Return the risk factors of a membership model that has none."""
    return Covariates(names=(), values=read_only(np.empty((n_subjects, 0))))
