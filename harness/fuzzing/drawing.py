"""The k-th case of a seed: the same on every machine, whoever asks for it and in whatever order.

Hypothesis's own draws prefer constants that it finds in the modules that happen to be imported, so that one seed gives
other cases in another process. Ours come from a stream of numpy, through Hypothesis's interface for other backends.
"""

from typing import ClassVar, Literal

import numpy as np
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.internal.conjecture.data import ConjectureData
from hypothesis.internal.conjecture.providers import AVAILABLE_PROVIDERS, PrimitiveProvider

from harness.counterexamples.specimen import Specimen
from harness.fuzzing.gbtm_strategy import gbtm_specimens
from harness.fuzzing.lmm_strategy import lmm_specimens

STRATEGIES = {"lmm": lmm_specimens, "gbtm": gbtm_specimens}

_BACKEND = "numpy stream"

# Hypothesis begins with the simplest example, whoever draws; the next one is ours.
_EXAMPLES = 2


def specimen_of(kind: str, chosen_seed: int, index: int) -> Specimen:
    """Return the case number `index` (from 0) of a seed, of kind "lmm" or "gbtm"."""
    drawn: list[Specimen] = []

    class Stream(_Stream):
        seed = (chosen_seed, index)

    AVAILABLE_PROVIDERS[_BACKEND] = Stream

    @settings(
        backend=_BACKEND,
        max_examples=_EXAMPLES,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(STRATEGIES[kind]())
    def draw(specimen: Specimen) -> None:
        drawn.append(specimen)

    draw()
    return drawn[-1]


class _Stream(PrimitiveProvider):
    """Choices of one case: uniform, from the stream of its seed."""

    lifetime: ClassVar[Literal["test_function", "test_case"]] = "test_case"
    seed: ClassVar[tuple[int, int]]

    def __init__(self, data: ConjectureData | None, /) -> None:
        super().__init__(data)
        self._rng = np.random.default_rng(self.seed)

    def draw_boolean(self, p: float = 0.5) -> bool:
        return bool(self._rng.random() < p)

    def draw_integer(
        self,
        min_value: int | None = None,
        max_value: int | None = None,
        *,
        weights: dict[int, float] | None = None,  # noqa: ARG002  # Hypothesis's preference for ends of wide ranges
        shrink_towards: int = 0,  # noqa: ARG002  # named by Hypothesis
    ) -> int:
        if min_value is None or max_value is None:
            raise NotImplementedError("strategies of fuzzing draw integers between bounds")
        return int(self._rng.integers(min_value, max_value, endpoint=True))

    def draw_float(self, **_: object) -> float:
        raise NotImplementedError("strategies of fuzzing draw numbers from lists and from streams of noise")

    def draw_string(self, intervals: object, *, min_size: int = 0, max_size: int = 0) -> str:
        raise NotImplementedError("strategies of fuzzing draw texts from lists")

    def draw_bytes(self, min_size: int = 0, max_size: int = 0) -> bytes:
        raise NotImplementedError("strategies of fuzzing draw no bytes")
