"""The generated stubs are current, and type checkers see through them what users write."""

import subprocess
import sys

import pytest
from stubs import PACKAGE, STUBS


@pytest.mark.parametrize("name", STUBS)
def test_stub_is_current(name):
    assert (PACKAGE / name).read_text() == STUBS[name](), f"run: python tests/stubs.py, then commit autograd_lite/{name}"
