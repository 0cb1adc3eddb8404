"""Hypothesis profiles: derandomised where CI is set, random elsewhere; HYPOTHESIS_PROFILE chooses another.

AUTOGRAD_LITE_COLLECTOR=off runs the suite with the cyclic collector off: nothing here may depend on it.
"""

import gc
import os

import pytest
from hypothesis import HealthCheck, settings

import autograd_lite as ag
from autograd_lite.primitives import TABLE

common = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("local", **common)
settings.register_profile("ci", derandomize=True, database=None, **common)
settings.register_profile("nightly", max_examples=20_000, **common)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if os.environ.get("CI") else "local"))

if os.environ.get("AUTOGRAD_LITE_COLLECTOR") == "off":
    gc.disable()


@pytest.fixture
def forget():
    """Take what a test defines out of the table again."""
    before = set(TABLE)
    yield
    for name in set(TABLE) - before:
        del TABLE[name]
        delattr(ag.Value, name)
        delattr(ag, name)
