"""What decoders of packages that go on from lme4's tight fit have in common: clubSandwich, emmeans, lmerTest, ..."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping

from harness.cases import Case, Spec, Support
from harness.quantities import Point, Quantity
from harness.references.decoding import Answered, Decoded
from harness.references.lme4 import LME4_SEARCH, lme4_request, lme4_support
from harness.references.lmm_tests import decoded_tests
from harness.references.requests import Request


class OnLme4(ABC):
    """Decoder of a package that takes lme4's fit: the criterion is lme4's, what it gives beyond is its own.

    A package has its `name`, the sentence `method` on what it does, and `tests`.
    """

    name: str
    method: str

    def support(self, spec: Spec) -> Support:
        """Return that it takes what lme4 fits."""
        return lme4_support(spec)

    def request(self, case: Case) -> Request:
        """Return the case as R gets it."""
        return lme4_request(self.name, case)

    def decode(self, answer: Answered, case: Case, request: Request) -> Decoded:
        """Return lme4's fixed effects, and what the package gives beyond, in our words."""
        return decoded_tests(self.name, answer, case, request, self.tests(answer, case, request))

    @abstractmethod
    def tests(self, answer: Answered, case: Case, request: Request) -> Iterator[Quantity]:
        """Yield what the package gives beyond lme4's fit."""

    def log_likelihood(self, value: float, n_observations: int) -> float:  # noqa: ARG002  # lme4's, nothing to add
        """Return lme4's log-likelihood, which has all constants."""
        return value

    def can_evaluate(self, point: Point, spec: Spec) -> bool:  # noqa: ARG002  # lme4 is asked for its own criterion
        """Return that only its own optimum is of interest: the criterion is lme4's."""
        return False

    def conventions(self, spec: Spec) -> tuple[str, ...]:  # noqa: ARG002  # the same for all models
        """Return how lme4 was run and what the package does."""
        return (*LME4_SEARCH, self.method)

    def not_given(self, spec: Spec) -> Mapping[str, str]:  # noqa: ARG002  # the same for all models
        """Return that it gives all that is asked of it."""
        return {}
