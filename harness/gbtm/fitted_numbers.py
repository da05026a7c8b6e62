"""The numbers of a fit that need no more than its estimates, for models of one outcome and of several."""

from typing import TYPE_CHECKING

from harness.arrays import Codes, Matrix, Vector, read_only
from harness.gbtm import adequacy

if TYPE_CHECKING:
    from harness.gbtm.estimates import GbtmEstimates


class FittedNumbers:
    """Criteria, class shares and class probabilities of a fit; with several outcomes, of all of them together."""

    __slots__ = ()

    if TYPE_CHECKING:

        @property
        def estimates(self) -> GbtmEstimates: ...  # noqa: D102

    @property
    def log_likelihood(self) -> float:
        """With all constants."""
        return self.estimates.log_likelihood

    @property
    def aic(self) -> float:
        """-2L + 2p."""
        return self.estimates.aic

    @property
    def bic(self) -> float:
        """-2L + p log N, N subjects: lcmm's. flexmix's is `bic_observations`; Stata traj's is -1/2 of these."""
        return self.estimates.bic_subjects

    @property
    def bic_observations(self) -> float:
        """-2L + p log n, n rows."""
        return self.estimates.bic_observations

    @property
    def entropy(self) -> float:
        """1 - EN / (N log K)."""
        return self.estimates.entropy

    @property
    def class_shares(self) -> Vector:
        """Estimated shares (K,), not those of modal assignment."""
        return self.estimates.class_shares

    @property
    def posterior(self) -> Matrix:
        """Class probabilities (N, K) of the subjects in `estimates.subject_labels`."""
        return self.estimates.posterior

    @property
    def assignment(self) -> Codes:
        """Modal class of each subject (N,), from 1."""
        return read_only(adequacy.assignment(self.posterior) + 1)
