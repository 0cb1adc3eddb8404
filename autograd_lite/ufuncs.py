"""NumPy's side of Values: its ufuncs of a Value and numbers or arrays, and the methods that its functions call.

NumPy is never imported here: whoever calls these functions has done so. An array of Values is an ordinary array of objects, for
whose elements NumPy calls operators and methods itself.
"""

from __future__ import annotations

import operator
import sys
from collections.abc import Callable
from typing import Any

from autograd_lite.primitive import Primitive, array_of_one, mapped
from autograd_lite.primitives import TABLE, copysign, isnan, maximum, minimum, where
from autograd_lite.structures import is_any_array

# NumPy's and SciPy's other names for primitives.
_ALIASES = {
    "remainder": "mod", "fabs": "absolute", "float_power": "power", "degrees": "rad2deg", "radians": "deg2rad",
    "expit": "sigmoid", "log_expit": "log_sigmoid", "ndtr": "normal_cdf", "log_ndtr": "log_normal_cdf",
}  # fmt: skip
# For arrays of objects NumPy applies Python's operators, which are right for numbers and Values mixed.
_OPERATORS: dict[str, Callable[..., Any]] = {
    "add": operator.add, "subtract": operator.sub, "multiply": operator.mul, "divide": operator.truediv,
    "floor_divide": operator.floordiv, "remainder": operator.mod, "power": operator.pow, "negative": operator.neg,
    "positive": operator.pos, "absolute": operator.abs,
}  # fmt: skip
_COMPARISONS: dict[str, tuple[Callable[[Any, Any], Any], Callable[[Any, Any], Any]]] = {  # and what holds of the second then
    "less": (operator.lt, operator.gt), "less_equal": (operator.le, operator.ge), "greater": (operator.gt, operator.lt),
    "greater_equal": (operator.ge, operator.le), "equal": (operator.eq, operator.eq), "not_equal": (operator.ne, operator.ne),
}  # fmt: skip


def _comparison(name: str) -> Callable[..., Any]:
    compare, reflected = _COMPARISONS[name]
    truth = sys.modules["numpy"].bool_
    return lambda x, y: truth(compare(x, y) if hasattr(type(x), "__record__") else reflected(y, x))


def _predicate(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    truth = sys.modules["numpy"].bool_
    return lambda x: truth(bool(function(x)))


def _but_for_nan(choose: Primitive) -> Callable[[Any, Any], Any]:
    """The larger or smaller of two numbers, or the one that is not nan."""
    return lambda x, y: where(isnan(x), y, where(isnan(y), x, choose(x, y)))


_OTHERS: dict[str, Callable[..., Any]] = {
    "fmax": _but_for_nan(maximum),
    "fmin": _but_for_nan(minimum),
    "signbit": lambda x: copysign(1.0, x) < 0.0,
}
_PREDICATES = ("isfinite", "isinf", "isnan", "signbit")
_counterparts: dict[Any, tuple[Callable[..., Any], bool]] = {}  # of NumPy's ufuncs that were met so far, see _counterpart


def _counterpart(ufunc: Any) -> tuple[Callable[..., Any] | None, bool]:
    """What a ufunc is on Values and floats, and whether NumPy's own loop over objects does the same on arrays.

    None where there is no such function, or the ufunc is not NumPy's or SciPy's.
    """
    if ufunc in _counterparts:
        return _counterparts[ufunc]
    name = ufunc.__name__
    owners = [sys.modules.get(module) for module in ("numpy", "numpy._core.umath", "numpy.core.umath", "scipy.special")]
    if all([getattr(owner, name, None) is not ufunc for owner in owners]):
        return None, False
    primitive = TABLE.get(_ALIASES.get(name, name))
    function = _OPERATORS.get(name) or _OTHERS.get(name) or (primitive if primitive is not None and primitive.public else None)
    if name in _COMPARISONS:
        function = _comparison(name)
    elif name in _PREDICATES and function is not None:
        function = _predicate(function)
    if function is None:
        return None, False
    _counterparts[ufunc] = function, name in _OPERATORS or name in _COMPARISONS
    return _counterparts[ufunc]


def array_ufunc(self: Any, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:  # noqa: ARG001
    """Value.__array_ufunc__: a ufunc of Values, numbers and arrays, with the table's conventions for ties and kinks.

    Comparisons, `isfinite` and the like give truths, as they do of numbers. Raises TypeError, naming the ufunc, where it has no
    counterpart for Values, or where an option would drop derivatives.
    """
    numpy = sys.modules["numpy"]
    if ufunc is numpy.divmod and method == "__call__" and not options:
        return numpy.floor_divide(*inputs), numpy.remainder(*inputs)
    function, has_right_loop = _counterpart(ufunc)
    if function is not None and method == "__call__" and not options:
        ndarray = numpy.ndarray
        operands, are_numbers = [], True
        for x in inputs:
            kind = type(x)
            if kind is ndarray and x.ndim == 0:
                x = x.item()
                kind = type(x)
            if kind is float or kind is int or hasattr(kind, "__record__"):
                operands.append(x)
            elif isinstance(x, (float, int)) or (isinstance(x, numpy.generic) and isinstance(x, numpy.floating)):
                operands.append(float(x))
            elif has_right_loop and kind is ndarray:
                operands.append(x)
                are_numbers = False
            else:
                return _on_arrays(ufunc, method, inputs, options)
        if are_numbers:
            return function(*operands)
        with numpy.errstate(all="ignore"):  # as for numbers
            return ufunc(*map(_boxed, operands))
    return _on_arrays(ufunc, method, inputs, options)


def _on_arrays(ufunc: Any, method: str, inputs: tuple[Any, ...], options: dict[str, Any]) -> Any:
    numpy, name = sys.modules["numpy"], ufunc.__name__
    for x in (*inputs, *options.get("out", ())):
        foreign = getattr(type(x), "__array_ufunc__", None)
        if foreign is not None and foreign is not numpy.ndarray.__array_ufunc__ and not hasattr(type(x), "__record__"):
            return NotImplemented
    function, has_right_loop = _counterpart(ufunc)
    by_numpy = function is None or has_right_loop or method not in ("__call__", "outer")
    if has_right_loop or (by_numpy and method != "at" and any(["O" in types for types in ufunc.types])):
        return getattr(ufunc, method)(*map(_boxed, inputs), **options)
    if function is None or by_numpy:
        called = f"np.{name}" if method == "__call__" else f"np.{name}.{method}"
        raise TypeError(
            f"{called} is not known for a Value: write it with operators and autograd_lite's functions (README, The table of"
            " primitives), or take v.data for the number alone"
        )
    outputs = options.pop("out", (None,))
    _check_options(f"np.{name}", options)
    arrays = [numpy.asarray(x, dtype=object) if hasattr(x, "__len__") and not is_any_array(x) else _boxed(x) for x in inputs]
    if method == "outer":
        arrays = [x if is_any_array(x) else array_of_one(x) for x in arrays]
        arrays[0] = arrays[0].reshape(arrays[0].shape + (1,) * arrays[1].ndim)
    result = mapped(function, f"np.{name}", arrays)
    if outputs[0] is None:
        return result
    if outputs[0].dtype != object:
        raise TypeError(f"np.{name}: an array of {outputs[0].dtype} has no place for Values; out= takes an array of objects")
    outputs[0][...] = result
    return outputs[0]


def _boxed(x: Any) -> Any:
    """A Value in an array, for NumPy not to ask it again; anything else as it is."""
    return array_of_one(x) if hasattr(type(x), "__record__") else x


# What NumPy's functions pass to a method of their name, as far as it makes no difference for one number.
_OPTIONS: dict[str, Callable[[Any], bool]] = {
    "out": lambda x: x is None,
    "axis": lambda x: x is None or (type(x) in (int, tuple) and x in (0, -1, ())),
    "dtype": lambda x: x is None or x is object or getattr(x, "kind", "") == "O",
    "where": lambda x: x is True or (getattr(x, "shape", None) == () and bool(x)),
    "keepdims": lambda x: x is True or x is False,
    "casting": lambda x: isinstance(x, str),
    "order": lambda x: isinstance(x, str),
    "subok": lambda x: x is True or x is False,
}


def _check_options(name: str, options: dict[str, Any]) -> None:
    for option, value in options.items():
        if option not in _OPTIONS or not _OPTIONS[option](value):
            raise TypeError(
                f"{name}: {option}={value!r:.60} is refused for a Value, which is one number with a derivative; call it without"
                " that, or take v.data for the number alone"
            )


def called_as_method(primitive: Primitive, args: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
    """A primitive called as a method with keywords: its own, or those with which NumPy's function of the name calls it.

    So ``np.sum(v)`` calls ``v.sum(axis=None, out=None)``, and ``np.clip(v, 1.5, None)`` means no upper bound. Raises
    TypeError for keywords that do not fit, and for options that would drop the derivative.
    """
    own = {name: x for name, x in keywords.items() if name in primitive.arguments or name not in _OPTIONS}
    options = {name: x for name, x in keywords.items() if name not in own}
    _check_options(f"Value.{primitive.name}", options)
    if primitive.name == "clip" and "out" in options and len(args) == 3:
        low, high = args[1:]
        args = args[0], float("-inf") if low is None else low, float("inf") if high is None else high
    return primitive(*args, **own)
