"""Run the benchmarks: ``python tests/benchmarks --help``."""

import importlib.util
import sys
from pathlib import Path

TESTS = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TESTS))
if importlib.util.find_spec("autograd_lite") is None:  # not installed: take the one of this checkout
    sys.path.append(str(TESTS.parent))

from benchmarks.runner import main  # noqa: E402 - found on the path set above

if __name__ == "__main__":
    sys.exit(main())
