"""R's engines: the one process that runs R, one decoder per engine, and pins of what they said."""

from harness.references.live import REFERENCES, installed_packages, reference_engine
from harness.references.provenance import r_source_hash

__all__ = ["REFERENCES", "installed_packages", "r_source_hash", "reference_engine"]
