"""R's lme4 as people call it, without any control (reference_r/lme4_default.R): what its default search is worth."""

from harness.cases import Spec
from harness.references.lme4 import Lme4

_SEARCH = "Fitted by lme4::lmer with its default control, once: nloptwrap, whose own xtol_rel = 1e-4 stops it."


class Lme4Default(Lme4):
    """Decoder of lme4's answers from its default search; the criterion is the same."""

    name = "lme4_default"

    def conventions(self, spec: Spec) -> tuple[str, ...]:
        """Return how lme4 was run."""
        _, _, *others = super().conventions(spec)
        return (_SEARCH, *others)
