"""Arguments taken apart into their numbers, which machine code takes, and the rest, which it is made for.

Strings, None, truth values, members of enumerations, functions and classes are the rest. So is the make-up of an object: its
class, the names of its attributes, and those attributes that are no numbers. Numbers in attributes are numbers like any others.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import operator
import struct
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from enum import Enum
from numbers import Integral, Number
from types import BuiltinFunctionType, EllipsisType, FunctionType, MemberDescriptorType, ModuleType, NoneType
from typing import Any, TypeAlias

import numpy as np

from autograd_lite import structures
from autograd_lite.compiler.arguments import check_array, described
from autograd_lite.compiler.entry import Front
from autograd_lite.compiler.record import Recorded, RecordingError
from autograd_lite.engine import Value
from autograd_lite.pickling import Wrapper
from autograd_lite.primitive import Primitive

_FIXED = (NoneType, bool, str, bytes, Enum, type, FunctionType, BuiltinFunctionType, ModuleType, EllipsisType, Primitive, Front,
          Wrapper)  # fmt: skip
_PLAIN = {float, int, np.float64}
_Path: TypeAlias = tuple[Any, ...]  # an argument's name or position, then keys and indices
CONTENTS = object()
"""In the place of a key: all numbers of an argument are fixed."""
Separated: TypeAlias = tuple[Any, "Rest | None", Any]
"""The numbers; what makes the argument again of them (None: they are the argument); a key, equal where that is."""


class HasValueError(Exception):
    """An argument holds a Value: the function itself is called."""


class Same:
    """A key that equals the key of the same object alone, which it keeps."""

    def __init__(self, of: Any) -> None:
        self.of = of

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Same) and self.of is other.of

    def __hash__(self) -> int:
        return id(self.of)


def is_fixed(x: Any) -> bool:
    """Whether x can neither change nor hold what can: numbers, strings, functions, tuples of these; or is a Value."""
    if isinstance(x, (tuple, frozenset)):
        return all(map(is_fixed, x))
    return isinstance(x, (*_FIXED, Number, Value)) and not isinstance(x, np.ndarray)


def is_object(x: Any) -> bool:
    """Whether x is an instance of a class written in Python that holds nothing beside its attributes, and needs no closing."""
    kind: Any = type(x)
    return _is_plain_class(kind)


@functools.lru_cache(maxsize=256)
def _is_plain_class(kind: Any) -> bool:
    if issubclass(kind, (*_FIXED, Number, Value, list, tuple, dict, np.ndarray, np.generic)):
        return False
    if not kind.__flags__ & 1 << 9 or hasattr(kind, "__float__") or hasattr(kind, "__del__"):  # Py_TPFLAGS_HEAPTYPE
        return False
    try:
        object.__new__(kind)
    except TypeError:
        return False
    return True


def identified(x: Any) -> Any:
    """A key of a value that does not change: equal for values of one type and the same bits.

    Raises TypeError for what has no hash.
    """
    if isinstance(x, (tuple, frozenset)):
        items = [identified(item) for item in x]
        return type(x), tuple(items) if isinstance(x, tuple) else frozenset(items)
    if isinstance(x, float):
        return type(x), struct.pack("d", x)
    if isinstance(x, type):
        return Same(x), _class_key(x)
    if isinstance(x, _FIXED) and not isinstance(x, (str, bytes)):
        return type(x), Same(x)
    hash(x)
    return type(x), x


def _contents(x: Any) -> Any:
    """A key of a value that may change, and of all it holds. Raises TypeError where that is not known."""
    if isinstance(x, (list, tuple, dict, set, frozenset)):
        items = x.items() if isinstance(x, dict) else x
        found = [_contents(item) for item in items]
        return type(x), frozenset(found) if isinstance(x, (set, frozenset)) else tuple(found)
    if isinstance(x, np.ndarray) and x.dtype != object:
        return type(x), x.dtype.str, x.shape, x.tobytes()
    if isinstance(x, (Value, np.ndarray)) or not isinstance(x, (*_FIXED, Number)):
        raise TypeError
    return identified(x)


def _class_data(kind: type) -> dict[str, Any]:
    """The attributes of a class, and of those it inherits from, that are no methods and the like."""
    data: dict[str, Any] = {}
    for klass in reversed(kind.__mro__[:-1]):
        own = {name: x for name, x in vars(klass).items() if not name.startswith(("__", "_abc_"))}
        data.update({name: x for name, x in own.items() if not hasattr(x, "__get__")})
    return data


def _class_key(kind: type) -> Any:
    if not kind.__flags__ & 1 << 9:
        return None
    items = []
    for name, x in _class_data(kind).items():
        try:
            items.append((name, _contents(x)))
        except TypeError:
            items.append((name, Same(x)))
    return tuple(items)


class Rest(ABC):
    """What is left of an argument without its numbers, if it `has_numbers`."""

    has_numbers = False

    @abstractmethod
    def build(self, numbers: Any, twins: list[Twin]) -> Any:
        """The argument again, of numbers or Values in their places; objects among it are noted in `twins`."""

    def outside(self) -> Iterator[Any]:
        """What the function reads of it that may change: functions, and classes with methods."""
        return iter(())


class Fixed(Rest):
    """A value without numbers."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def build(self, numbers: Any, twins: list[Twin]) -> Any:  # noqa: ARG002
        """The value."""
        return self.value

    def outside(self) -> Iterator[Any]:
        """The value: a function, say."""
        return iter(() if type(self.value) is Unnoticed else (self.value,))


class Container(Rest):
    """A list, tuple, dict or array of objects: its numbers are a dict by index or key."""

    def __init__(self, keys: tuple[Any, ...], parts: tuple[Rest | None, ...], make: Callable[[Iterator[Any]], Any]) -> None:
        self.keys, self.parts, self.make = keys, parts, make
        self.has_numbers = any([part is None or part.has_numbers for part in parts])

    def build(self, numbers: Any, twins: list[Twin]) -> Any:
        """The container, made anew."""
        return self.make(iter(_parts(self.keys, self.parts, numbers, twins)))

    def outside(self) -> Iterator[Any]:
        """What is in its items."""
        return (x for part in self.parts if part is not None for x in part.outside())


class Twin:
    """An object that is given to a function in another's place, and what its attributes are at first."""

    def __init__(self, kind: type) -> None:
        self.object: Any = object.__new__(kind)
        self.names: tuple[str, ...] = ()
        self.before: list[Any] = []

    def fill(self, names: tuple[str, ...], values: list[Any]) -> None:
        """Give it its attributes."""
        slots = _slots(type(self.object))
        for name, x in zip(names, values, strict=True):
            if name in slots:
                object.__setattr__(self.object, name, x)
            else:
                self.object.__dict__[name] = x
        self.names, self.before = names, _listed(attributes(self.object))

    def check(self, name: str) -> None:
        """Raise RecordingError if an attribute has changed. What a cached_property keeps is none."""
        found = attributes(self.object)
        for added in found.keys() - set(self.names):
            if isinstance(getattr(type(self.object), added, None), functools.cached_property):
                del found[added]
        now = _listed(found)
        if len(now) != len(self.before) or not all(map(_is_unchanged, self.before, now)):
            raise RecordingError(
                f"{name} changes an attribute of a {type(self.object).__name__}: a compiled function runs when it is recorded,"
                " not at every call; return what is new, and assign it outside"
            )


def _listed(x: Any) -> list[Any]:
    """What x holds, down to its leaves, with what tells structures apart."""
    if type(x) is not Unnoticed:
        if isinstance(x, dict):
            return [type(x), len(x), *x, *itertools.chain.from_iterable(map(_listed, x.values()))]
        if isinstance(x, (list, tuple)):
            return [type(x), len(x), *itertools.chain.from_iterable(map(_listed, x))]
        if isinstance(x, np.ndarray):
            return [type(x), x.shape, *x.ravel().tolist()]
    return [x]


def _is_unchanged(x: Any, y: Any) -> bool:
    return x is y or (type(x) is type(y) and type(x) in (float, int, tuple) and repr(x) == repr(y))


class Instance(Rest):
    """An object with attributes: its numbers are a dict by name. `index` counts the objects of a call."""

    def __init__(self, kind: type, names: tuple[str, ...], parts: tuple[Rest | None, ...], index: int) -> None:
        self.kind, self.names, self.parts, self.index = kind, names, parts, index
        self.has_numbers = any([part is None or part.has_numbers for part in parts])

    def build(self, numbers: Any, twins: list[Twin]) -> Any:
        """An object of that class with these attributes, of which `__init__` is not called."""
        twin = Twin(self.kind)
        twins.append(twin)
        twin.fill(self.names, _parts(self.names, self.parts, numbers, twins))
        return twin.object

    def outside(self) -> Iterator[Any]:
        """Its class, and what is in its attributes."""
        return (x for part in (Fixed(self.kind), *self.parts) if part is not None for x in part.outside())


class Again(Rest):
    """An object that has been met before in a call."""

    def __init__(self, index: int) -> None:
        self.index = index

    def build(self, numbers: Any, twins: list[Twin]) -> Any:  # noqa: ARG002
        """The same object again."""
        return twins[self.index].object


def _parts(keys: tuple[Any, ...], parts: tuple[Rest | None, ...], numbers: Any, twins: list[Twin]) -> list[Any]:
    pairs = zip(keys, parts, strict=True)
    return [numbers[key] if part is None else part.build((numbers or {}).get(key), twins) for key, part in pairs]


def _slots(kind: type) -> dict[str, Any]:
    """The descriptors of a class's slots, by name."""
    slots = {}
    for klass in kind.__mro__:
        slots.update({name: x for name, x in vars(klass).items() if isinstance(x, MemberDescriptorType)})
    return slots


def attributes(x: Any) -> dict[str, Any]:
    """An object's own attributes, those in slots too."""
    found = dict(getattr(x, "__dict__", {}))
    for name, slot in _slots(type(x)).items():
        with contextlib.suppress(AttributeError):  # not set
            found[name] = slot.__get__(x)
    return found


class Watched:
    """Containers, and what they held when they were taken apart."""

    def __init__(self) -> None:
        self.containers: list[tuple[Any, list[str], list[Any]]] = []
        self.is_complete = True  # whether all that can change is among them

    def add(self, x: Any) -> None:
        """Watch a list, tuple, dict, object, class or array of objects, but not what it holds."""
        slots = [] if isinstance(x, (list, tuple, dict, np.ndarray, type)) else list(_slots(type(x)))
        self.containers.append((x, slots, _held(x, slots)))

    def add_all(self, x: Any) -> None:
        """Watch a value and all it holds."""
        if isinstance(x, (list, tuple, dict)):
            self.add(x)
            for item in x.values() if isinstance(x, dict) else x:
                self.add_all(item)
        else:
            self.is_complete &= is_fixed(x)

    def is_current(self) -> bool:
        """Whether all hold the same objects still."""
        for x, slots, before in self.containers:
            now = _held(x, slots)
            if len(now) != len(before) or not all(map(operator.is_, now, before)):
                return False
        return True


def _held(x: Any, slots: Iterable[str]) -> list[Any]:
    if isinstance(x, (list, tuple)):
        return list(x)
    if isinstance(x, np.ndarray):
        return list(x.ravel().tolist())
    held = x if isinstance(x, dict) else getattr(x, "__dict__", {})
    return [*held, *held.values(), *[getattr(x, name, None) for name in slots]]


class Key:
    """A key that is hashed once."""

    def __init__(self, of: Any) -> None:
        self.of, self.hash = of, hash(of)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Key) and self.of == other.of

    def __hash__(self) -> int:
        return self.hash


class Separation:
    """Arguments of one call, taken apart. `counts` are the places of integers that are counted with, which are fixed."""

    def __init__(self, counts: frozenset[_Path]) -> None:
        self.counts = counts
        self.fixes = False  # whether all numbers are fixed
        self.objects: dict[int, int] = {}  # their order, by address
        self.has_again = False  # whether one was met twice
        self.classes: set[type] = set()
        self.watched = Watched()

    def argument(self, x: Any, label: Any, place: str, own: bool) -> Separated:
        """An argument. `own`: Values in it are arguments; otherwise they are read at every call. Raises as `of` does."""
        self.fixes = (label, CONTENTS) in self.counts
        return self.of(x, (label,), place, own)

    def of(self, x: Any, path: _Path, place: str, own: bool = True) -> Separated:
        """A part of an argument.

        Raises HasValueError where a Value is an argument, TypeError where x is neither numbers nor of a kind that is known.
        """
        kind = type(x)
        if kind in _PLAIN and not self.counts:
            return x, None, None
        if isinstance(x, Value):
            if own or isinstance(x, Recorded):
                raise HasValueError
            return None, Fixed(x), Same(x)
        if isinstance(x, (list, tuple, dict)):
            return self._container(x, path, place, own)
        if isinstance(x, _FIXED):
            return None, Fixed(x), identified(x)
        if isinstance(x, np.ndarray):
            return self._array(x, path, place, own)
        if isinstance(x, (Number, np.generic)) or hasattr(kind, "__float__"):
            is_fixed_here = self.fixes or (path in self.counts and isinstance(x, Integral))
            return (None, Fixed(x), identified(x)) if is_fixed_here else (x, None, None)
        if is_object(x):
            return self._object(x, path, place)
        if not own:
            return None, Fixed(Unnoticed(f"{place}, {described(x)},")), Same(x)
        raise TypeError(
            f"{place} takes a real number, not {described(x)}; compile(..., static=...) says which arguments are no numbers and"
            " do not change"
        )

    def _array(self, x: Any, path: _Path, place: str, own: bool) -> Separated:
        check_array(x, place)
        if self.fixes and x.dtype != object:
            self.watched.is_complete = False
            return None, Fixed(x.copy()), _contents(x)
        if own or x.dtype != object:
            return x, None, None
        self.watched.add(x)
        whole = structures.Array(x.shape)
        numbers, parts, key = self._parts(enumerate(x.ravel().tolist()), path, place, "[{!r}]", own)
        return numbers, Container(tuple(range(x.size)), parts, whole), (x.shape, key)

    def _container(self, x: Any, path: _Path, place: str, own: bool) -> Separated:
        self.watched.add(x)
        is_counted = self.fixes or any([count[: len(path)] == path for count in self.counts])
        if not is_counted and set(map(type, x.values() if isinstance(x, dict) else x)) <= _PLAIN:
            return x, None, None
        pairs = x if isinstance(x, dict) else dict(enumerate(x))
        numbers, parts, key = self._parts(pairs.items(), path, place, "[{!r}]", own)
        if not any(parts):
            return x, None, None
        leaf_parts = (structures.LEAF,) * len(parts)
        whole: structures.Structure = structures.LEAF
        match structures.flatten(x, arrays=False)[1]:
            case structures.Mapping(like=like, keys=keys):
                whole = structures.Mapping(like, keys, leaf_parts)
            case structures.Sequence(make=make):
                whole = structures.Sequence(make, leaf_parts, is_flat=True)
        return numbers, Container(tuple(pairs), parts, whole), (type(x), tuple(pairs), key)

    def _object(self, x: Any, path: _Path, place: str) -> Separated:
        if id(x) in self.objects:
            self.has_again = True
            return None, Again(self.objects[id(x)]), (Again, self.objects[id(x)])
        index = self.objects[id(x)] = len(self.objects)
        self.watched.add(x)
        data, constants = attributes(x), self._constants(x, place)
        for name, value in constants.items():
            if value is None:
                data.setdefault(name, getattr(type(x), name))
        numbers, parts, key = self._parts(data.items(), path, place, ".{}", own=False)
        return (
            numbers,
            Instance(type(x), tuple(data), parts, index),
            (Same(type(x)), tuple(data), tuple(constants.items()), key),
        )

    def _constants(self, x: Any, place: str) -> dict[str, Any]:
        """Keys of what an object's class has for attributes; None for what can change, which its twin has for its own."""
        found: dict[str, Any] = {}
        for klass in type(x).__mro__[:-1]:
            if klass not in self.classes:
                self.classes.add(klass)
                self.watched.add(klass)
        for name, value in _class_data(type(x)).items():
            try:
                found[name] = _contents(value)
                self.watched.add_all(value)
            except TypeError:
                if not hasattr(x, "__dict__"):
                    raise TypeError(f"{place}.{name} of the class, {described(value)}, could change unnoticed") from None
                found[name] = None
        return found

    def _parts(
        self, pairs: Iterable[tuple[Any, Any]], path: _Path, place: str, inner: str, own: bool
    ) -> tuple[dict[Any, Any], tuple[Rest | None, ...], tuple[Any, ...]]:
        """The numbers of parts, by index, key or name; what is left of each, and the keys of all."""
        numbers, rests, keys = {}, [], []
        for at, x in pairs:
            some, rest, key = self.of(x, (*path, at), place + inner.format(at), own)
            if rest is None or rest.has_numbers:
                numbers[at] = some
            rests.append(rest)
            keys.append(key)
        return numbers, tuple(rests), tuple(keys)


class Unnoticed:
    """In the place of an attribute that could change without being noticed: whatever is done with it is an error."""

    def __init__(self, place: str) -> None:
        object.__setattr__(self, "_Unnoticed__place", place)

    def _refused(self, *_: Any, **__: Any) -> Any:
        raise RecordingError(
            f"{object.__getattribute__(self, '_Unnoticed__place')} could change without a compiled function's noticing: keep"
            " numbers, lists, tuples, dicts, arrays, Values or objects of these in attributes, or give it as an argument"
        )


for _name in (
    *("getattribute", "call", "iter", "next", "len", "getitem", "setitem", "contains", "bool", "hash", "enter", "exit"),
    *("eq", "ne", "lt", "le", "gt", "ge", "add", "radd", "sub", "rsub", "mul", "rmul", "truediv", "rtruediv", "pow", "rpow"),
    *("neg", "abs", "float", "int", "index", "str", "repr", "format"),
):
    setattr(Unnoticed, f"__{_name}__", Unnoticed._refused)
