"""Public names that are imported when they are first asked for (PEP 562), and what to say where a package is missing."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from autograd_lite.builds import ROOT


def names_on_demand(package: str, names: Mapping[str, Sequence[str]]) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """The functions `__getattr__` and `__dir__` of a package, which import each of its names when it is first asked for.

    names: for each submodule the names that it defines, and for "" the submodules that are public names themselves.
    `dir` lists the package's `__all__`, and its attributes with double underscores.
    """
    places = {name: place for place, defined in names.items() for name in defined}
    module = sys.modules[package]

    def load(name: str) -> Any:
        if name not in places:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        submodule = importlib.import_module(f"{package}.{places[name] or name}")
        value = getattr(submodule, name) if places[name] else submodule
        setattr(module, name, value)
        return value

    def listing() -> list[str]:
        return [*module.__all__, *[name for name in vars(module) if name.startswith("__")]]

    return load, listing


class MethodOnDemand:
    """A method of `owner` that is a function of the same name in a module; the first access puts the function in its place."""

    def __init__(self, owner: type, name: str, module: str) -> None:
        self.owner, self.name, self.module = owner, name, module

    def __get__(self, instance: object, owner: type | None = None) -> Any:
        function = getattr(importlib.import_module(self.module), self.name)
        setattr(self.owner, self.name, function)
        return function.__get__(instance, owner)


class InstanceAttribute:
    """An attribute that an instance computes when it is first asked for, and keeps; the class has `of_class`, or none."""

    def __init__(self, name: str, compute: Callable[[Any], Any], *of_class: Any) -> None:
        self.name, self.compute, self.of_class = name, compute, of_class

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        if instance is not None:
            return vars(instance).setdefault(self.name, self.compute(instance))
        if self.of_class:
            return self.of_class[0]
        raise AttributeError(f"instances alone have {self.name}")


def how_to_install(extra: str, *packages: str) -> str:
    """The command that installs missing packages: in a checkout by the name of the extra, elsewhere by their own names."""
    if os.path.exists(os.path.join(ROOT, "pyproject.toml")):  # noqa: PTH110, PTH118
        return f"python -m pip install -e '.[{extra}]' in {ROOT}"
    return f"python -m pip install {' '.join(packages)}"
