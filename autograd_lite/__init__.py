"""Scalar reverse-mode automatic differentiation: values that remember how they were computed.

    >>> import autograd_lite as ag
    >>> a, b = ag.Value(2.0, label="a"), ag.Value(1.0, label="b")
    >>> e = (a + b) * (b + 1)
    >>> e.backward()
    >>> e.data, a.grad, b.grad
    (6.0, 2.0, 5.0)

Every primitive of the table (`autograd_lite.primitives.TABLE`) is a function here and a method of `Value`.
"""

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
