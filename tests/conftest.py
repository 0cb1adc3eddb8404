"""Hypothesis profiles: derandomised where CI is set, random elsewhere; HYPOTHESIS_PROFILE chooses another.

AUTOGRAD_LITE_COLLECTOR=off runs the suite with the cyclic collector off: nothing here may depend on it.
"""

import gc
import os
from contextlib import contextmanager

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


@contextmanager
def forgotten():
    """What is defined inside is taken out of the table again."""
    before = set(TABLE)
    yield
    for name in set(TABLE) - before:
        if TABLE.pop(name).public:
            delattr(ag.Value, name)
            delattr(ag, name)


@pytest.fixture
def forget():
    """Take what a test defines out of the table again."""
    with forgotten():
        yield


class Examples:
    """For the examples in docstrings, whose files this one is not beside."""

    @pytest.fixture(autouse=True)
    def forget_example(self, request):
        if isinstance(request.node, pytest.DoctestItem):
            with forgotten():
                yield
        else:
            yield


def pytest_configure(config):
    config.pluginmanager.register(Examples())


@pytest.fixture(params=[(8, True, True), (4, True, True), (4, False, True), (2, True, False), (2, False, False)])
def processor(request, monkeypatch):
    """A processor with vectors of so many numbers, or fewer, with libmvec or not, with fused products or not."""
    from autograd_lite.compiler import llvm  # what compiles nothing does not need llvmlite

    machine = llvm.machine()
    width, has_library, has_fma = request.param
    monkeypatch.setattr(machine, "width", min(width, machine.width))
    monkeypatch.setattr(machine, "has_fma", has_fma and machine.has_fma)
    if not has_library:
        monkeypatch.setattr(machine, "vector_library", None)
    llvm.vector_function.cache_clear()
    yield request.param
    llvm.vector_function.cache_clear()
