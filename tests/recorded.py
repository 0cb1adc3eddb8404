"""Programs that several test files need."""

import autograd_lite as ag
from autograd_lite.compiler.program import record
from autograd_lite.compiler.record import record as record_with_guards
from autograd_lite.structures import LEAF, Sequence


def recorded(function, *args):
    """The program of a function at a point, with guards."""
    return record_with_guards(function, args, Sequence(tuple, (LEAF,) * len(args), is_flat=True)).program


def of_lines(drawn):
    """The package's program of one that was drawn, with all its results as outputs."""
    return record(lambda *xs: drawn.run(xs), len(drawn.inputs))


def branching(x, y):
    z = x * y
    if z < 3.0 and not x >= 2.0:
        z = ag.log(z) - abs(-x)
    return [z, x**y, ag.where(ag.step(x), x, -y)]


BRANCHING = recorded(branching, 1.5, 1.0)
