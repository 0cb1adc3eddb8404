"""Scalar reverse-mode automatic differentiation: values that remember how they were computed.

    >>> import autograd_lite as ag
    >>> a, b = ag.Value(2.0, label="a"), ag.Value(1.0, label="b")
    >>> e = (a + b) * (b + 1)
    >>> e.backward()
    >>> e.data, a.grad, b.grad
    (6.0, 2.0, 5.0)

Every primitive of the table (`autograd_lite.primitives.TABLE`) is a function here and a method of `Value`.
"""

import importlib.util
from typing import Any

# First, so that the others find the compiled Value in `engine` where there is one.
from autograd_lite.native import engine_name as engine_name

# isort: split
from autograd_lite import primitives as primitives
from autograd_lite.engine import Value as Value
from autograd_lite.on_demand import InstanceAttribute, MethodOnDemand, how_to_install, names_on_demand
from autograd_lite.primitive import Primitive

__version__ = "0.1.0"

# The public names beside the functions of the table, by the submodule that has them; by "" those that are submodules. Each is
# imported when it is first asked for. For editors and type checkers all are listed in __init__.pyi.
_NAMES = {
    "": ("interop", "nn", "primitives", "show", "testing"),
    "compiler.kernel": ("Kernel", "PathWarning", "compile"),
    "compiler.program": ("PathError", "Program"),
    "compiler.record": ("RecordingError",),
    "engine": ("Value", "gradient"),
    "graph_json": ("GraphFormatError", "graph_from_json", "graph_to_json"),
    "modes": ("AnomalyError", "anomaly", "no_grad", "scope"),
    "native": ("engine_name",),
    "registration": ("WrongRuleError", "define_primitive"),
    "sweep": ("Edge", "FirstOrderError", "StaleGraphError", "routes", "topological_order"),
    "transforms": ("grad", "hessian", "hvp", "jacobian", "jvp", "value_and_grad", "vjp"),
}
_COMPILER_NEEDS = ("numpy", "llvmlite")
_on_demand, __dir__ = names_on_demand(__name__, _NAMES)

globals().update({name: primitive for name, primitive in primitives.TABLE.items() if primitive.public})
for _place, _name in (("graph", "graph"), ("derivation", "derivation"), ("explorer", "explore")):
    setattr(Value, _name, MethodOnDemand(Value, _name, f"{__name__}.show.{_place}"))


def _docstring(primitive: Primitive) -> str:
    return importlib.import_module(f"{__name__}.show.docstrings").docstring(primitive)


# What `help` and editors read of a primitive.
Primitive.__doc__ = InstanceAttribute("__doc__", _docstring, Primitive.__doc__)
Primitive.__signature__ = InstanceAttribute("__signature__", Primitive.call_signature)


def _public_names() -> list[str]:
    """The names that can be imported here: without what is compiled, where a package for that is missing."""
    can_compile = all(map(importlib.util.find_spec, _COMPILER_NEEDS))
    names = [name for place, names in _NAMES.items() for name in names if can_compile or not place.startswith("compiler")]
    return sorted([*names, *[name for name, primitive in primitives.TABLE.items() if primitive.public]])


def __getattr__(name: str) -> Any:
    if name == "__all__":
        return _public_names()
    try:
        return _on_demand(name)
    except ModuleNotFoundError as error:
        if error.name not in _COMPILER_NEEDS:
            raise
        raise ImportError(
            f"autograd_lite.{name} needs NumPy and llvmlite, and {error.name} is not installed:"
            f" {how_to_install('compile', *_COMPILER_NEEDS)}"
        ) from error
