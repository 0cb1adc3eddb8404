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


# Vectors of so many numbers; whether libmvec is there; whether products are fused; LLVM's name of such a processor
PROCESSORS = {
    "avx512": (8, True, True, None),
    "avx2": (4, True, True, "x86-64-v3"),
    "avx2-without-libmvec": (4, False, True, "x86-64-v3"),
    "sse2": (2, True, False, "x86-64"),
    "sse2-without-libmvec": (2, False, False, "x86-64"),
}


@pytest.fixture(params=PROCESSORS)
def processor(request, monkeypatch):
    """One of these processors in the place of this one, which must be able to do what they do: else this one's width."""
    from autograd_lite.compiler import llvm  # what compiles nothing does not need llvmlite

    machine = llvm.machine()
    width, has_library, has_fma, name = PROCESSORS[request.param]
    if name is not None and width < machine.width and machine.triple.startswith("x86_64"):  # no instructions that it has not
        monkeypatch.setattr(machine, "cpu", name)
        monkeypatch.setattr(machine, "features", "")
    monkeypatch.setattr(machine, "width", min(width, machine.width))
    monkeypatch.setattr(machine, "has_fma", has_fma and machine.has_fma)
    if not has_library:
        monkeypatch.setattr(machine, "vector_library", None)
    llvm.vector_function.cache_clear()
    yield request.param
    llvm.vector_function.cache_clear()
