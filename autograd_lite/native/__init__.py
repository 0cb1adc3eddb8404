"""The compiled twin of `engine`: the same Value in C, taken in its place where it was built.

`autograd_lite.engine` stays the reference. Recording, the order of a graph and the sweeps on numbers come from the extension
`_native`; what is rarely called (text, copies, pickle, watched sweeps) are the reference's own functions, which the compiled
class is given here. Nothing is adopted where the extension was not built, was built from other rules or C files than are here
now, or the environment sets AUTOGRAD_LITE_PURE.
"""

import importlib
import os
import zlib
from inspect import Parameter, Signature, signature
from numbers import Real
from types import ModuleType
from warnings import warn

from autograd_lite import builds, copies, engine, sweep
from autograd_lite.primitives import TABLE

_FROM_THE_REFERENCE = (
    *copies.METHODS, "__repr__", "__format__", "__float__", "__int__", "__complex__",
    "__round__", "round", "__divmod__", "__rdivmod__", "__sympy__", "real", "imag", "conjugate", "item", "note", "label",
    "__doc__", "__init_subclass__", "__array_ufunc__",
)  # fmt: skip


def rules_source() -> int | None:
    """A checksum of the modules from which rules.h is generated; None where their source is not installed."""
    checksum = 0
    for name in ("primitives.py", "special.py", "normal.py", "floats.py"):
        try:
            with open(os.path.join(os.path.dirname(os.path.dirname(__file__)), name), "rb") as file:  # noqa: PTH118, PTH120, PTH123
                checksum = zlib.crc32(file.read().replace(b"\r\n", b"\n"), checksum)
        except OSError:
            return None
    return checksum


def _extension() -> ModuleType | None:
    """The extension, or None where it was not built, is not wanted, or has other rules than the table."""
    if os.environ.get("AUTOGRAD_LITE_PURE", "0") not in ("", "0"):
        return None
    try:
        extension = importlib.import_module("autograd_lite.native._native")
    except ModuleNotFoundError:
        builds.warn_of_another("native._native")
        return None
    if not builds.fits(extension):
        return None
    if rules_source() in (None, getattr(extension, "rules_source", None)):
        return extension
    warn(
        "autograd_lite: the engine in Python is used, for the compiled one was built before the table of rules was changed:"
        " run `python -m autograd_lite.native.generate`, and install the package again",
        RuntimeWarning,
        stacklevel=2,
    )
    return None


def _document(extension: ModuleType) -> None:
    """Give what is compiled and public the reference's docstrings, and its signatures as CPython's own functions have them."""
    for name in ("args", "data", "grad"):
        extension.document(name, vars(engine.Value)[name].__doc__ or "")
    extension.document("op", engine.Value.__slots__["op"])
    for function in (engine.Value.backward, engine.Value.__record__, sweep.topological_order):
        parameters = signature(function).parameters.values()
        bare = str(Signature([parameter.replace(annotation=Parameter.empty) for parameter in parameters]))
        extension.document(
            function.__name__, f"{function.__name__}{bare.replace('(self', '($self')}\n--\n\n{function.__doc__ or ''}"
        )


def _adopt(extension: ModuleType) -> None:
    """Complete the compiled class from the reference, and bind the names of `engine` and `sweep` to what is compiled."""
    _document(extension)
    value = extension.Value
    for name in _FROM_THE_REFERENCE:
        setattr(value, name, vars(engine.Value)[name])
    value._result_class = value
    Real.register(value)
    for primitive in TABLE.values():
        if primitive.public:
            setattr(value, primitive.name, extension.Method(primitive, primitive.name))
        for name in engine.OPERATORS.get(primitive.name, ()):
            if not hasattr(value, name):  # those that are no slots of a C type, as __floor__
                setattr(value, name, extension.Method(primitive, name))
    bindings = {
        "Value": value,
        "make_node": extension.make_node,
        "share_notes": extension.share_notes,
        "method_of": extension.Method,
        "topological_order": extension.topological_order,
        "_blank": extension.blank,
        "_set_grad": vars(value)["_grad"].__set__,
    }
    for name, compiled in bindings.items():
        setattr(engine, name, compiled)
    for name in ("topological_order", "pull_numbers", "has_leaf"):
        setattr(sweep, name, getattr(extension, name))


_found = _extension()
engine_name = "python" if _found is None else "native"
if _found is not None:
    _adopt(_found)
