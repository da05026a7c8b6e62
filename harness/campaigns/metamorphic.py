"""One fuzzed case against itself: told in another way, its estimates must follow exactly; and against definitions."""

from harness.campaigns.acceptable import Finding
from harness.counterexamples.specimen import Specimen


def contradicts(specimen: Specimen) -> Finding:
    """Return whether ours contradicts itself on the specimen."""
    raise NotImplementedError(specimen)
