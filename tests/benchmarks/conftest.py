"""The benchmarks are no part of the package: they are found where the project lies."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[2]))
