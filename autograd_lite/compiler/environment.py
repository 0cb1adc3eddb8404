"""What a function reads from outside: found by the names in its code, and compared with what it was when it was recorded.

Names are those of globals, variables of enclosing functions, defaults, and attributes of the objects that these refer to: of
modules, classes, instances and functions. Functions of the user's that are found so are looked through too, and the items of
lists, tuples and dicts. Functions of installed packages are not, nor is what names do not tell: what a function computes a name
for, reads from a set, a file or a clock.
"""

from __future__ import annotations

import dis
import functools
import operator
import struct
import sys
import sysconfig
from collections.abc import Callable, Iterable
from pathlib import Path
from types import CellType, CodeType, FunctionType, MemberDescriptorType, MethodType, ModuleType
from typing import Any, NamedTuple

from autograd_lite import modes
from autograd_lite.compiler.memory import extension
from autograd_lite.engine import Value

_ITEM, _CELL, _ATTRIBUTE, _FUNCTION, _LIST, _DICT, _BUFFER = range(7)  # as in environment.h
_PLAIN = {float, int, bool, complex, str, bytes, type(None)}
_ABSENT = object()
_INSTALLED = ("site-packages", "dist-packages")
_STANDARD_LIBRARY = sysconfig.get_path("stdlib")
_PACKAGE = modes.__file__.removesuffix("modes.py")
_AT_BIRTH = {"__init__", "__new__", "__repr__"}  # of an object: not called when it is used
_MODELS = tuple([str(Path(_PACKAGE, name)) for name in ("nn", "interop")])


class Watch(NamedTuple):
    """A place from which a function reads, and what was found there.

    By `kind`: an item of a dict, the contents of a cell, an attribute, the code and defaults of a function, the items of a
    list, the keys and values of a dict in turn (objects, in a tuple); the bytes, shape and format of an array.
    """

    kind: int
    owner: Any
    name: str
    found: tuple[Any, ...] | bytes


class Environment:
    """What a function reads from outside, as it is now; `is_current` tells later whether it still is so."""

    def __init__(self, function: Callable[..., Any] | None = None) -> None:
        walk = _Walk()
        if function is not None:
            walk.run(function)
        self.watched = tuple(walk.watched)
        self._kept = walk.kept  # objects in arrays, of which only the addresses are compared

    def is_current(self) -> bool:
        """Whether every name refers to the object that it referred to."""
        compiled = extension()
        if compiled is not None:
            return compiled.is_current(self.watched)  # type: ignore[no-any-return]
        return not any([_differs(watch, operator.is_) for watch in self.watched])

    def changes(self) -> list[str]:
        """The names that refer to other objects now, new numbers and texts aside that are equal to the old ones."""
        return list(dict.fromkeys([_described(watch) for watch in self.watched if _differs(watch, _are_one)]))


def _differs(watch: Watch, are_one: Callable[[Any, Any], bool]) -> bool:
    found, now = watch.found, _NOW[watch.kind](watch.owner, watch.name)
    if isinstance(found, bytes) or isinstance(now, bytes):
        return found != now
    return len(found) != len(now) or not all(map(are_one, found, now))


def _are_one(x: Any, y: Any) -> bool:
    return x is y or (type(x) is type(y) and type(x) in _PLAIN and repr(x) == repr(y))


def _described(watch: Watch) -> str:
    owner = getattr(watch.owner, "__name__", type(watch.owner).__name__)
    return watch.name or {_FUNCTION: f"the code of {owner}"}.get(watch.kind, f"what is in a {owner}")


def _contents(cell: CellType, _name: str) -> tuple[Any, ...]:
    try:
        return (cell.cell_contents,)
    except ValueError:  # it is empty
        return ()


_NOW: tuple[Callable[[Any, str], tuple[Any, ...] | bytes], ...] = (  # what is found at a place, by its kind
    lambda owner, name: (owner[name],) if name in owner else (),
    _contents,
    lambda owner, name: () if (found := getattr(owner, name, _ABSENT)) is _ABSENT else (found,),
    lambda owner, _: (owner.__code__, owner.__defaults__, owner.__kwdefaults__),
    lambda owner, _: tuple(owner),
    lambda owner, _: tuple([x for pair in owner.items() for x in pair]),
    lambda owner, _: _image(memoryview(owner)),
)


def _image(array: memoryview) -> bytes:
    """The bytes of an array, its number of axes, their lengths, and its format, as `is_buffer` in environment.h reads them."""
    shape = array.shape or ()
    return array.tobytes("A") + struct.pack(f"{1 + len(shape)}n", len(shape), *shape) + array.format.encode()


class _Walk:
    """A search for all that a function may read from outside."""

    def __init__(self) -> None:
        self.watched: list[Watch] = []
        self.kept: list[Any] = []  # so that no other object gets the address of one that was seen
        self._places: set[tuple[int, int, str]] = set()
        self._seen: set[int] = set()
        self._todo: list[Any] = []
        self._owners: list[Any] = []  # of attributes
        self._names: dict[str, None] = {}  # that attributes have in code
        self._optional: dict[str, None] = {}  # names of attributes that there may be or not
        self._home: str | None = None  # the installed package that the function belongs to

    def run(self, function: Callable[..., Any]) -> None:
        """Fill `watched`."""
        self._home = _home_of(function)
        self._todo.append(function)
        looked_for = -1
        while self._todo or looked_for != len(self._names):
            while self._todo:
                self._visit(self._todo.pop())
            looked_for = len(self._names)
            for owner in self._owners:
                self._attributes(owner)

    def _watch(self, kind: int, owner: Any, name: str = "") -> None:
        place = kind, id(owner), name
        if place not in self._places:
            self._places.add(place)
            found = _NOW[kind](owner, name)
            self.watched.append(Watch(kind, owner, name, found))
            if not isinstance(found, bytes):
                self._look_at(found)

    def _look_at(self, objects: Iterable[Any]) -> None:
        self._todo += [x for x in objects if type(x) not in _PLAIN and id(x) not in self._seen]

    def _visit(self, x: Any) -> None:
        if id(x) in self._seen or isinstance(x, CodeType) or (isinstance(x, Value) and not getattr(x, "__dict__", None)):
            return
        self._seen.add(id(x))
        self.kept.append(x)
        match x:
            case FunctionType():
                self._function(x)
            case MethodType():
                self._look_at((x.__func__, x.__self__))
            case functools.partial() | functools.partialmethod():
                self._look_at((x.func, x.args, x.keywords))
            case staticmethod() | classmethod():
                self._look_at((x.__func__,))
            case property():
                self._look_at((x.fget,))
            case tuple():
                self._look_at(x)
            case list():
                self._watch(_LIST, x)
            case dict():
                self._watch(_DICT, x)
            case ModuleType() if self._is_foreign_module(x):
                pass
            case _ if _is_array(x):
                self._array(x)
            case _ if self._is_own(str((x if isinstance(x, type) else type(x)).__module__)):
                self._look_at((getattr(x, "function", None), *getattr(x, "outside", ())))  # of a kernel, or of a variant
            case _:
                self._owners.append(x)
                if "__wrapped__" in getattr(x, "__dict__", ()):  # of functools.cache
                    self._look_at((x.__wrapped__,))

    def _function(self, function: FunctionType) -> None:
        code = function.__code__
        if not self._is_foreign(code.co_filename):
            self._watch(_FUNCTION, function)
            stored, names = function.__globals__, _names(code)
            self._names.update(names.attributes)
            self._optional.update(names.optional)
            for name in names.loaded if not code.co_filename.startswith(_PACKAGE) else ():
                self._watch(_ITEM, stored, name)  # absent: perhaps a builtin, which a global of that name may hide later
            for name, attribute in names.of_loaded:
                base = stored.get(name)
                if not isinstance(base, ModuleType):
                    self._names[attribute] = None
                elif attribute in base.__dict__ and not self._is_foreign_module(base):
                    self._watch(_ITEM, base.__dict__, attribute)
            self._look_at([sys.modules[name] for name in names.imported if name in sys.modules])
            for name, cell in zip(code.co_freevars, function.__closure__ or (), strict=True):
                self._watch(_CELL, cell, name)
        else:  # it may have been given a function of the user's
            self._look_at((function.__defaults__, function.__kwdefaults__))
            for cell in function.__closure__ or ():
                self._look_at(_contents(cell, ""))
        if function.__dict__:
            self._owners.append(function)
            self._look_at((function.__dict__.get("__wrapped__"),))

    def _array(self, x: Any) -> None:
        while not (x.flags.c_contiguous or x.flags.f_contiguous) and _is_array(x.base):
            x = x.base
        if x.dtype.hasobject:
            items = x.ravel().tolist()
            self.kept.append(items)
            self._look_at(items)
        if x.dtype.kind in "fiubcO" and (x.flags.c_contiguous or x.flags.f_contiguous):
            self._watch(_BUFFER, x)

    def _attributes(self, owner: Any) -> None:
        """Look at the attributes of an object whose names are in code, and at the methods that Python calls by itself."""
        if isinstance(owner, ModuleType):
            for name in self._names:
                if name in owner.__dict__:
                    self._watch(_ITEM, owner.__dict__, name)
            return
        classes = (owner if isinstance(owner, type) else type(owner)).__mro__
        own = () if isinstance(owner, type) else getattr(owner, "__dict__", ())
        by_position = getattr(classes[0], "__match_args__", ()) if "__match_args__" in self._names else ()
        for name in {**self._names, **dict.fromkeys(by_position)}:
            held = _ABSENT
            for holder in reversed([kind for kind in classes if name in kind.__dict__]):  # super() calls those behind the first
                held = holder.__dict__[name]
                if hasattr(type(held), "__get__") and not isinstance(held, MemberDescriptorType):
                    self._look_at((held.func if isinstance(held, functools.cached_property) else held,))
                    if isinstance(held, FunctionType) and not self._is_foreign(held.__code__.co_filename):
                        self._watch(_ATTRIBUTE, holder, name)
            is_slot = isinstance(held, MemberDescriptorType) and not isinstance(owner, type)
            is_stored = is_slot or (held is not _ABSENT and not hasattr(type(held), "__get__"))
            is_missing = held is _ABSENT and name not in own and name in self._optional
            if (name in own or is_stored or is_missing) and getattr(owner, name, _ABSENT) is getattr(owner, name, _ABSENT):
                self._watch(_ATTRIBUTE, owner, name)
        for kind in classes:
            module = sys.modules.get(kind.__module__)
            if module is not None and not self._is_foreign_module(module):
                left_out = () if kind is owner else _AT_BIRTH
                called = [name for name in kind.__dict__ if name[:2] == "__" and name not in left_out]
                self._look_at([kind.__dict__[name] for name in called if isinstance(kind.__dict__[name], FunctionType)])

    @staticmethod
    def _is_own(module: str) -> bool:
        """Whether a module is of this package, its models aside."""
        return module.startswith("autograd_lite.") and not module.startswith(("autograd_lite.nn", "autograd_lite.interop"))

    def _is_foreign_module(self, module: ModuleType) -> bool:
        filename = getattr(module, "__file__", None)
        return self._is_foreign(filename) if filename else module.__name__ in (*sys.builtin_module_names, "builtins")

    def _is_foreign(self, filename: str) -> bool:
        """Whether code is of the standard library, of this package (its models aside), or of another installed one."""
        if filename.startswith(_PACKAGE):
            return not filename.startswith(_MODELS)
        package = _package_of(filename)
        return package != self._home if package else filename.startswith((_STANDARD_LIBRARY, "<frozen"))


def _home_of(function: Any) -> str | None:
    """The installed package of a function, or of what it was made from; of the class of an object that is called."""
    for _ in range(100):
        inner = getattr(function, "__wrapped__", None) or getattr(function, "func", None) or getattr(function, "__func__", None)
        if inner is None:
            break
        function = inner
    code = getattr(function, "__code__", None) or getattr(type(function).__call__, "__code__", None)
    return None if code is None else _package_of(code.co_filename)


def _package_of(filename: str) -> str | None:
    """The folder, or the file, of the installed package that a file belongs to."""
    parts = Path(filename).parts
    installed = [i for i, part in enumerate(parts) if part in _INSTALLED]
    return str(Path(*parts[: installed[-1] + 2])) if installed else None


def _is_array(x: Any) -> bool:
    return isinstance(x, getattr(sys.modules.get("numpy"), "ndarray", ()))


class _Names(NamedTuple):
    """The names in code: of globals, of their attributes, of other attributes (some optional), of modules that are imported."""

    loaded: dict[str, None]
    of_loaded: dict[tuple[str, str], None]
    attributes: dict[str, None]
    optional: dict[str, None]
    imported: dict[str, None]


@functools.lru_cache(maxsize=1024)
def _names(code: CodeType) -> _Names:
    """The names in code, and in that of functions made in it."""
    names = _Names({}, {}, {}, {}, {})
    todo = [code]
    while todo:
        found = todo.pop()
        todo += [x for x in found.co_consts if isinstance(x, CodeType)]
        if "getattr" in found.co_names or "hasattr" in found.co_names:
            names.optional.update(dict.fromkeys([x for x in found.co_consts if isinstance(x, str) and x.isidentifier()]))
        loaded: str | None = None  # by the last instruction
        constant: Any = None  # the last one that was loaded
        for instruction in dis.get_instructions(found):
            name = instruction.argval
            match instruction.opname:
                case "EXTENDED_ARG":
                    continue
                case "LOAD_GLOBAL" | "LOAD_NAME":
                    names.loaded[name] = None
                    loaded = name
                    continue
                case "IMPORT_NAME":
                    names.imported[name] = None
                case "LOAD_CONST":
                    constant = name
                case "MATCH_CLASS":  # attributes by keyword, and those that the class lists for positions
                    names.attributes.update(dict.fromkeys([*constant, "__match_args__"]))
                case "LOAD_ATTR" | "LOAD_METHOD" | "LOAD_SUPER_ATTR" | "IMPORT_FROM" if name[:2] == "__":
                    pass
                case "LOAD_ATTR" | "LOAD_METHOD" | "LOAD_SUPER_ATTR" | "IMPORT_FROM" if loaded is None:
                    names.attributes[name] = None
                case "LOAD_ATTR" | "LOAD_METHOD" if loaded is not None:
                    names.of_loaded[loaded, name] = None
            loaded = None
    names.attributes.update(names.optional)
    return names
