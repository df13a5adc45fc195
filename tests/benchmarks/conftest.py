"""The benchmarks are no distribution: they are found from the root of the tree."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[2]))
