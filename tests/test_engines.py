"""Two copies of the package in one process share nothing, and leave the process as it was."""

import copy
import importlib
import os
import pickle
import sys

import pytest

import autograd_lite
import engines
from engines import SWITCH, installed, load_engine

ANOTHER = engines._second_copy(pure=True)


def package_modules():
    return {name: module for name, module in sys.modules.items() if name.partition(".")[0] == "autograd_lite"}


def test_the_engine_in_python_is_there_whatever_is_imported():
    pure = load_engine(pure=True)
    assert pure.engine_name == "python"
    assert load_engine(pure=True) is pure
    assert (pure is autograd_lite) == (autograd_lite.engine_name == "python")
    a, b = pure.Value(2.0), pure.Value(1.0)
    e = (a + b) * (b + 1)
    e.backward()
    assert (e.data, a.grad, b.grad) == (6.0, 2.0, 5.0)


@pytest.mark.skipif(autograd_lite.engine_name == "python", reason="about the compiled engine")
def test_an_extension_built_from_another_table_is_not_used(monkeypatch):
    extension = importlib.import_module("autograd_lite.native._native")
    native = importlib.import_module("autograd_lite.native")
    assert native._extension() is extension
    with monkeypatch.context() as patch:
        patch.setattr(extension, "rules_source", extension.rules_source ^ 1)
        with pytest.warns(RuntimeWarning, match="built before the table of rules was changed: run"):
            assert native._extension() is None
    monkeypatch.setattr(native, "__file__", "/nowhere/autograd_lite/native/__init__.py")  # no source beside the bytecode
    assert native.rules_source() is None
    assert native._extension() is extension


def test_the_imported_package_is_given_for_its_own_engine():
    assert load_engine(pure=autograd_lite.engine_name == "python") is autograd_lite


def test_an_engine_that_was_not_built_is_an_error(monkeypatch):
    monkeypatch.setattr(engines, "_modules", {})
    monkeypatch.setattr(autograd_lite, "engine_name", "another")
    monkeypatch.setattr(engines, "_second_copy", lambda pure: ANOTHER)
    with pytest.raises(ImportError, match="the native engine is asked for, and autograd_lite has the python one"):
        load_engine(pure=False)


@pytest.mark.parametrize("switch", [None, "", "1"])
def test_modules_and_environment_are_left_as_they_were(monkeypatch, switch):
    monkeypatch.delenv(SWITCH, raising=False)
    if switch is not None:
        monkeypatch.setenv(SWITCH, switch)
    before = package_modules()
    second = engines._second_copy(pure=True)
    assert second.engine_name == "python"
    assert package_modules() == before
    assert os.environ.get(SWITCH) == switch
    monkeypatch.setattr(importlib, "import_module", lambda name: sys.modules.update({"autograd_lite.half": sys}) or 1 / 0)
    with pytest.raises(ZeroDivisionError):
        engines._second_copy(pure=True)
    assert package_modules() == before
    assert os.environ.get(SWITCH) == switch


def test_the_copies_share_nothing():
    assert ANOTHER is not autograd_lite
    assert not isinstance(ANOTHER.Value(1.0), autograd_lite.Value)
    assert ANOTHER.primitives.TABLE is not autograd_lite.primitives.TABLE
    with ANOTHER.no_grad():
        assert autograd_lite.Value(1.0).exp().op is not None
        assert ANOTHER.Value(1.0).exp().op is None
    assert not {id(module) for module in engines._modules[ANOTHER].values()} & {id(m) for m in package_modules().values()}


def test_an_installed_copy_is_what_imports_pickle_and_definitions_find():
    before = package_modules()
    with installed(ANOTHER) as package:
        assert package is ANOTHER
        assert importlib.import_module("autograd_lite") is ANOTHER
        report = importlib.import_module("autograd_lite.report")
        restored = pickle.loads(pickle.dumps(ANOTHER.Value(3.0).exp()))
        assert type(restored) is ANOTHER.Value
        ANOTHER.define_primitive("thrice", lambda x: 3.0 * x, lambda r, x: 3.0)
        with pytest.raises(KeyError), installed(ANOTHER):
            raise KeyError
    assert package_modules() == before
    assert ANOTHER.thrice(ANOTHER.Value(2.0)).data == 6.0
    assert not hasattr(autograd_lite, "thrice")
    with installed(ANOTHER):
        assert importlib.import_module("autograd_lite.report") is report
    with installed(autograd_lite) as package:
        assert package is autograd_lite
        assert type(copy.deepcopy(autograd_lite.Value(1.0))) is autograd_lite.Value
    assert package_modules() == before
