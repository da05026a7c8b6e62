"""The k-th case of a seed: the same on every machine, whoever asks for it and in whatever order."""

import numpy as np
from hypothesis import HealthCheck, Phase, given, seed, settings

from harness.counterexamples.specimen import Specimen
from harness.fuzzing.gbtm_strategy import gbtm_specimens
from harness.fuzzing.lmm_strategy import lmm_specimens

STRATEGIES = {"lmm": lmm_specimens, "gbtm": gbtm_specimens}

# Hypothesis begins with the simplest example, whatever the seed; the next one is the first that the seed decides.
_EXAMPLES = 2


def specimen_of(kind: str, chosen_seed: int, index: int) -> Specimen:
    """Return the case number `index` (from 0) of a seed, of kind "lmm" or "gbtm"."""
    strategy = STRATEGIES[kind]()
    drawn: list[Specimen] = []
    stream = np.random.SeedSequence([chosen_seed, index]).generate_state(2, np.uint64).tolist()

    @seed(stream[0] ^ stream[1])
    @settings(
        max_examples=_EXAMPLES,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def draw(specimen: Specimen) -> None:
        drawn.append(specimen)

    draw()
    return drawn[-1]
