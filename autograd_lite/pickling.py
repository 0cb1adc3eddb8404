"""Callables that wrap a function, as pickle writes them: by their own name, or as the function and what was made of it.

pickle writes a function as its name in its module. A wrapper that was bound to its function's name, as a decorator does it, has
hidden the function, and is written as that name itself.
"""

from __future__ import annotations

import pickle
import sys
from collections.abc import Callable
from types import FunctionType
from typing import Any


class Wrapper:
    """A callable of this package that stands for the function it was made of, and has no state of its own."""

    function: Callable[..., Any]


def own_name(wrapper: Any, f: Callable[..., Any], role: str) -> str | None:
    """The name that a wrapper of f is to be written as; None: it is to be written as f with what was made of it.

    Raises PicklingError, beginning with `role`, if f is a function that cannot be found by its name.
    """
    if _writes_functions_whole():
        return None
    if _found_by_name(wrapper) is wrapper:
        return str(wrapper.__qualname__)
    if isinstance(f, FunctionType) and _found_by_name(f) is not f:
        place = f"{f.__module__}.{f.__qualname__}"
        what = "is a lambda or a local function" if "<" in f.__qualname__ else "is another object now"
        raise pickle.PicklingError(
            f"{role} cannot be pickled: {place} {what}, and pickle writes a function as the name by which it is found in its"
            " module; define it with def at the top of a module, under a name of its own, or pickle with cloudpickle"
        )
    return None


def _found_by_name(x: Any) -> Any:
    """What the name of an object leads to in its module; None where it leads nowhere."""
    found: Any = sys.modules.get(getattr(x, "__module__", None) or "")
    for part in getattr(x, "__qualname__", "<unknown>").split("."):
        found = getattr(found, part, None)
    return found


def _writes_functions_whole() -> bool:
    """Whether cloudpickle or dill is at work, which write functions that are not found by name with their code."""
    frame: Any = sys._getframe(1)
    while frame is not None:
        if {"cloudpickle", "dill"} & set(frame.f_globals.get("__name__", "").split(".")):
            return True
        frame = frame.f_back
    return False
