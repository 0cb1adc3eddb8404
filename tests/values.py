"""What several test files need of Values: the classic expression, exact comparison, special numbers, small threads."""

import math
import sys
import threading

from hypothesis import strategies as st

from autograd_lite.engine import Value

SPECIAL = st.one_of(st.floats(), st.sampled_from([0.0, -0.0, 1.0, -1.0, 5e-324, -5e-324, 1e308, math.inf, -math.inf, math.nan]))


def bits(x):
    """A float's identity: its sign of zero told apart, all nans alike."""
    return "nan" if x != x else x.hex()


def place(nodes, node):
    """The index of a node in a list, by identity; None if it is not there."""
    return next((i for i, other in enumerate(nodes) if other is node), None)


def same(xs, ys):
    """Whether two sequences hold the same nodes, by identity, and equal floats in the same places."""
    pairs = zip(xs, ys, strict=True)
    return all(x is y or (type(x) is type(y) is float and bits(x) == bits(y)) for x, y in pairs)


def classic():
    a, b = Value(2.0, "a"), Value(1.0, "b")
    c = a + b
    d = b + 1
    return a, b, c, d, c * d


def in_small_thread(work):
    """Run it at a recursion limit of 60 in a thread with a stack of 256 kB; what it raises is raised here."""
    failures = []

    def body():
        limit = sys.getrecursionlimit()
        sys.setrecursionlimit(60)
        try:
            work()
        except BaseException as error:
            failures.append(error)
        finally:
            sys.setrecursionlimit(limit)

    old = threading.stack_size(256 * 1024)
    try:
        thread = threading.Thread(target=body)
        thread.start()
        thread.join()
    finally:
        threading.stack_size(old)
    if failures:
        raise failures[0]
