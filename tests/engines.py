"""Both engines in one process: a second copy of the package beside the imported one, to compare bits and times.

The copies share nothing: not Value, not the table, not the modes. What looks the package up by its name as it runs (an import,
pickle, `define_primitive`) finds the imported copy; within `installed(copy)` it finds the other.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

import autograd_lite

PACKAGE = "autograd_lite"
SWITCH = "AUTOGRAD_LITE_PURE"

_modules: dict[ModuleType, dict[str, ModuleType]] = {}  # of each second copy


def load_engine(pure: bool = True) -> ModuleType:
    """The package with the engine in Python, or with the compiled one: the imported package if that is its engine, else a copy.

    The copy is made once. Raises ImportError if the compiled engine is asked for and was not built.
    """
    name = "python" if pure else "native"
    for package in (autograd_lite, *_modules):
        if package.engine_name == name:
            return package
    copy = _second_copy(pure)
    if copy.engine_name != name:
        raise ImportError(f"the {name} engine is asked for, and {PACKAGE} has the {copy.engine_name} one: it was not built")
    return copy


def _second_copy(pure: bool) -> ModuleType:
    """The package imported once more, and all of it; neither `sys.modules` nor the environment shows it afterwards."""
    switch = os.environ.pop(SWITCH, None)
    others = _take_out()
    try:
        if pure:
            os.environ[SWITCH] = "1"
        copy = importlib.import_module(PACKAGE)
        for part in (copy, copy.show):  # later, what is imported on demand would be found in the other copy
            for name in part.__all__:
                getattr(part, name)
        for name in ("graph", "derivation", "explore"):
            getattr(copy.Value, name)
        _modules[copy] = _take_out()
    finally:
        _take_out()
        sys.modules.update(others)
        os.environ.pop(SWITCH, None)
        if switch is not None:
            os.environ[SWITCH] = switch
    return copy


@contextmanager
def installed(package: ModuleType) -> Iterator[ModuleType]:
    """Within it, what `load_engine` gave is what `import autograd_lite`, its submodules' imports and pickle find."""
    if package is sys.modules[PACKAGE]:
        yield package
        return
    others = _take_out()
    sys.modules.update(_modules[package])
    try:
        yield package
    finally:
        _modules[package] = _take_out()
        sys.modules.update(others)


def _take_out() -> dict[str, ModuleType]:
    """The package's modules, which `sys.modules` has no longer."""
    names = [name for name in sys.modules if name == PACKAGE or name.startswith(PACKAGE + ".")]
    return {name: sys.modules.pop(name) for name in names}
