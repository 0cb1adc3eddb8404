"""The generated stubs are current, and name what there is; what type checkers make of them mypy says, on typing_sample.py."""

import runpy
from pathlib import Path

import pytest

import autograd_lite
from stubs import PACKAGE, STUBS, public


@pytest.mark.parametrize("name", STUBS)
def test_stub_is_current(name):
    assert (PACKAGE / name).read_text() == STUBS[name](), f"run: python tests/stubs.py, then commit autograd_lite/{name}"


def test_every_public_function_is_there():
    for primitive in public():
        assert getattr(autograd_lite, primitive.name) is primitive
        assert callable(getattr(autograd_lite.Value, primitive.name))


def test_the_typing_sample_runs():
    runpy.run_path(str(Path(__file__).parent / "typing_sample.py"))
