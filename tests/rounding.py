"""How far the number of a recorded result may be from the exact one: the a-priori bound of rounding-error analysis.

The result errs by at most the sum over all nodes of its graph of |derivative of the result by the node| times the error of that
node's own operation, to first order (Linnainmaa 1976, Iri 1984). One sweep gives these factors. An operation is allowed
4 ulp, a sum or a product half an ulp; a member of a family of derivatives, which may lie next to one of its zeros, 4 ulp of
itself and of its arguments. Nothing in the bound was measured.
"""

import math

import autograd_lite as ag

ULP = 2.0**-52


def own_error(node):
    """How far an operation's result may be from the exact one for the same operands."""
    if node.op is None or node.op.name in ("positive", "negative", "stop_gradient"):
        return 0.0
    if node.op.name in ("add", "subtract", "multiply"):
        return abs(node.data) * ULP / 2
    size = abs(node.data)
    if node.op.name in ("sum", "dot"):  # a rounding for each term
        return math.fsum(abs(getattr(x, "data", x)) for x in node.args) * len(node.args) * ULP / 2
    if any(interval.integers for interval in node.op.domain):  # a family of derivatives, with the order as an argument
        numbers = [getattr(x, "data", x) for x in node.args]
        for arg, x, rule in zip(node.args, numbers, node.op.number_partials, strict=True):
            if not isinstance(arg, float):  # a constant is exact
                size += abs(x * rule(node.data, *numbers))
    return 4 * ULP * size


def a_priori_bound(y, inexact=()):
    """The bound for a recorded result; 0 for a float, which is a constant. Leaves in `inexact` are known to an ulp only."""
    if isinstance(y, float):
        return 0.0
    before = {v: v.grad for v in ag.topological_order(y)}
    y.backward()
    errors = [abs(v.grad - old) * own_error(v) for v, old in before.items()]
    errors += [abs((v.grad - before[v]) * v.data) * ULP for v in inexact if v in before]
    for v, old in before.items():
        v.grad = old
    return 1.01 * math.fsum(errors)
