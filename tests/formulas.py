"""Random formulas: text for the parser, and the same computed by Python's own operators on floats."""

import math
import operator
import struct

from hypothesis import strategies as st

NAMES = ("a", "b", "x1")


class NotRealError(Exception):
    """Python raises, or gives a complex number."""


def bits(x):
    return struct.pack("<d", x) if x == x else b"nan"


def _largest(*xs):
    return math.nan if any(x != x for x in xs) else max(xs)


def _smallest(*xs):
    return math.nan if any(x != x for x in xs) else min(xs)


def _power(x, y):
    result = x**y
    if isinstance(result, complex):
        raise NotRealError
    return result


def _if(x, condition, y):
    return x if condition else y


FORMS = {
    "({} + {})": operator.add,
    "({} - {})": operator.sub,
    "({} * {})": operator.mul,
    "({} / {})": operator.truediv,
    "({} // {})": operator.floordiv,
    "({} % {})": operator.mod,
    "({} ** {})": _power,
    "pow({}, {})": _power,
    "(-{})": operator.neg,
    "(+{})": operator.pos,
    "abs({})": abs,
    "max({}, {}, {})": _largest,
    "min({}, {})": _smallest,
    "round({}, 2)": lambda x: round(x, 2),
    "where({} < {}, {}, {})": lambda p, q, x, y: x if p < q else y,
    "where({} <= {} < {} != {}, {}, {})": lambda p, q, r, s, x, y: x if p <= q < r != s else y,
    "({} if {} else {})": _if,
    "({} if {} and {} else {})": lambda x, p, q, y: x if p and q else y,
    "({} if {} or not {} else {})": lambda x, p, q, y: x if p or not q else y,
    "({} if {} == {} or {} > {} >= {} else {})": lambda x, p, q, r, s, t, y: x if p == q or r > s >= t else y,
}


def _apply(form, operands):
    function = FORMS[form]

    def compute(point):
        numbers = [operand(point) for _, operand in operands]
        try:
            return function(*numbers)
        except ArithmeticError as error:
            raise NotRealError from error

    return form.format(*[text for text, _ in operands]), compute


def _literal(x):
    return repr(x), lambda _: x


def _name(name):
    return name, lambda point: point[name]


def _grown(operands):
    return st.sampled_from(sorted(FORMS)).flatmap(
        lambda form: st.lists(operands, min_size=form.count("{}"), max_size=form.count("{}")).map(lambda xs: _apply(form, xs))
    )


simple_numbers = st.sampled_from([0.0, 0.5, 1.0, 2.0, 3.0, 10.0, 0.1, 1e-3, 1e308, 5e-324]) | st.floats(0.0, 1e3)
formulas = st.recursive(st.sampled_from(NAMES).map(_name) | simple_numbers.map(_literal), _grown, max_leaves=12)
"""Pairs of a text and a function from a point (a dict of NAMES) to its number, which raises NotRealError."""

points = st.fixed_dictionaries({name: st.sampled_from([0.0, -0.0, 1.0, -2.0, 0.5]) | st.floats(-1e3, 1e3) for name in NAMES})
