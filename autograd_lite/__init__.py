"""Scalar reverse-mode automatic differentiation: values that remember how they were computed.

    >>> import autograd_lite as ag
    >>> a, b = ag.Value(2.0, label="a"), ag.Value(1.0, label="b")
    >>> e = (a + b) * (b + 1)
    >>> e.backward()
    >>> e.data, a.grad, b.grad
    (6.0, 2.0, 5.0)

Every primitive of the table (`autograd_lite.primitives.TABLE`) is a function here and a method of `Value`.
"""

import importlib
import sys
from typing import TYPE_CHECKING, Any

# First, so that the others find the compiled Value in `engine` where there is one.
from autograd_lite.native import engine_name as engine_name

# isort: split
from autograd_lite import nn as nn
from autograd_lite import primitives as primitives
from autograd_lite import show as show
from autograd_lite.engine import Value as Value
from autograd_lite.engine import gradient as gradient
from autograd_lite.graph_json import GraphFormatError as GraphFormatError
from autograd_lite.graph_json import graph_from_json as graph_from_json
from autograd_lite.graph_json import graph_to_json as graph_to_json
from autograd_lite.modes import AnomalyError as AnomalyError
from autograd_lite.modes import anomaly as anomaly
from autograd_lite.modes import no_grad as no_grad
from autograd_lite.modes import scope as scope
from autograd_lite.registration import WrongRuleError as WrongRuleError
from autograd_lite.registration import define_primitive as define_primitive
from autograd_lite.sweep import Edge as Edge
from autograd_lite.sweep import FirstOrderError as FirstOrderError
from autograd_lite.sweep import StaleGraphError as StaleGraphError
from autograd_lite.sweep import routes as routes
from autograd_lite.sweep import topological_order as topological_order
from autograd_lite.transforms import grad as grad
from autograd_lite.transforms import hessian as hessian
from autograd_lite.transforms import hvp as hvp
from autograd_lite.transforms import jacobian as jacobian
from autograd_lite.transforms import jvp as jvp
from autograd_lite.transforms import value_and_grad as value_and_grad
from autograd_lite.transforms import vjp as vjp

__version__ = "0.1.0"

# The functions of the table; __init__.pyi lists them for editors and type checkers.
globals().update({name: primitive for name, primitive in primitives.TABLE.items() if primitive.public})


if TYPE_CHECKING:
    from autograd_lite.compiler.kernel import Kernel as Kernel
    from autograd_lite.compiler.kernel import PathWarning as PathWarning
    from autograd_lite.compiler.kernel import compile as compile  # noqa: A004
    from autograd_lite.compiler.program import PathError as PathError
    from autograd_lite.compiler.program import Program as Program
    from autograd_lite.compiler.record import RecordingError as RecordingError

# What needs NumPy and llvmlite is imported when it is asked for.
_COMPILER = {
    "compile": "kernel",
    "Kernel": "kernel",
    "PathWarning": "kernel",
    "RecordingError": "record",
    "PathError": "program",
    "Program": "program",
}


def __getattr__(name: str) -> Any:
    if name not in _COMPILER:
        raise AttributeError(f"module 'autograd_lite' has no attribute {name!r}", name=name, obj=sys.modules[__name__])
    try:
        module = importlib.import_module(f"autograd_lite.compiler.{_COMPILER[name]}")
    except ModuleNotFoundError as error:
        if error.name in ("numpy", "llvmlite"):
            raise ImportError(
                f"autograd_lite.{name} needs NumPy and llvmlite, and {error.name} is not installed:"
                " pip install 'autograd_lite[compile]'"
            ) from error
        raise
    globals()[name] = getattr(module, name)
    return globals()[name]
