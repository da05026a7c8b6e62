"""R's engines on one case in several ways that should make no difference: other starts, and another optimiser."""

from collections.abc import Iterator, Mapping

from harness.cases import Case, Engine
from harness.evidence import optimum_of
from harness.quantities import Reading

FACTORS: Mapping[str, float] = {"lme4": 0.8, "lmerTest": 0.8, "nlme": 0.8, "lcmm": 0.97, "flexmix": 0.97}
"""Engines that go on from a start that they are given, and by what their optimum is multiplied for it.

The others begin where they always do, or go on from a fit of lme4. A mixture further away ends at another optimum.
"""

OTHER_OPTIMISER: Mapping[str, str] = {"lme4": "lme4_default"}
"""An engine of the same package with another optimiser; the noise is that of the looser of the two."""


def again(case: Case, engine: Engine, said: Reading, live: Mapping[str, Engine]) -> Iterator[tuple[str, Reading]]:
    """Yield what was varied, and what the engine says of the case then; a failure is no reading and is passed over."""
    best = optimum_of(said)
    if said.engine in FACTORS and best is not None:
        found = engine.read(case, start=tuple(FACTORS[said.engine] * value for value in best))
        if found.failure is None:
            yield "the reference from another start", found
    other = OTHER_OPTIMISER.get(said.engine, "")
    if other in live:
        found = live[other].read(case)
        if found.failure is None:
            yield "the reference with another optimiser", found
