"""Calls of a compiled function: by position and by keyword, of methods, with arguments that are no numbers.

What is no number is fixed: a kernel of its own (a variant) is kept for each combination of such arguments, and of the ways in
which arguments are given. Arguments that are all numbers, given by position, need no variant.
"""

from __future__ import annotations

import functools
import inspect
import warnings
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from inspect import Parameter
from numbers import Integral
from threading import Lock
from types import FunctionType, MethodType
from typing import TYPE_CHECKING, Any, TypedDict

import numpy as np

from autograd_lite import structures
from autograd_lite.compiler.advice import advice
from autograd_lite.compiler.arguments import described, place_in
from autograd_lite.compiler.entry import Front
from autograd_lite.compiler.reader import StructureError
from autograd_lite.compiler.record import RecordingError
from autograd_lite.compiler.separation import (
    CONTENTS,
    Container,
    Fixed,
    HasValueError,
    Instance,
    Key,
    Rest,
    Separated,
    Separation,
    Twin,
    Watched,
    identified,
    is_fixed,
    is_object,
)
from autograd_lite.modes import source_line

if TYPE_CHECKING:
    from autograd_lite.compiler.kernel import Kernel

_BY_POSITION = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)


class PathWarning(RuntimeWarning):
    """Points of a compiled function are computed without machine code, or it is recorded again and again; the text says why.

    >>> import autograd_lite as ag
    >>> import warnings
    >>> kernel = ag.compile(lambda x: x if x > 0.0 else -x, max_paths=1)
    >>> kernel(1.0)
    1.0
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always")
    ...     kernel(-2.0)
    2.0
    >>> [warning.category is ag.PathWarning for warning in caught]
    [True]
    """


def warn(message: str) -> None:
    """A PathWarning at the innermost line outside of this package."""
    file, line, _ = source_line() or ("<unknown>", 0, "")
    warnings.warn_explicit(message, PathWarning, file, line)


class Options(TypedDict, total=False):
    """The options of `compile`."""

    batch: int | tuple[int | None, ...] | None
    reduce: str | None
    exact: bool
    threads: int
    max_paths: int
    static: str | int | tuple[str | int, ...]


@dataclass(frozen=True)
class Slot:
    """An argument of a function: what it is called in errors, and its name or position there."""

    place: str
    label: Any
    source: Any  # a position or a keyword among what is given; a default is in a list
    is_own: bool  # given in the call, not before it and not by default
    is_static: bool


@dataclass(frozen=True)
class Form:
    """How the arguments of one way of calling reach the function: a number of them by position, then by these names."""

    slots: tuple[Slot, ...]
    positional: int
    names: tuple[str, ...]


@dataclass(frozen=True)
class Known:
    """An object as it was taken apart at the last call."""

    object: Callable[[], Any]
    counts: frozenset[tuple[Any, ...]]
    objects: dict[int, int]
    watched: Watched
    separated: Separated


class Bound:
    """A function of the numbers of arguments, of which the rest is known."""

    def __init__(self, function: Callable[..., Any], name: str, rests: tuple[Rest | None, ...], form: Form) -> None:
        self.function, self.rests = function, rests
        self.__name__, self.__wrapped__ = name, function
        self.positional, self.names = form.positional, form.names
        self.outside = tuple([x for rest in rests if rest is not None for x in rest.outside()])

    def __call__(self, *numbers: Any) -> Any:
        """The function's result. Raises RecordingError where it has changed an object."""
        given, twins, args = iter(numbers), list[Twin](), []
        for rest in self.rests:
            if rest is None:
                args.append(next(given))
            else:
                args.append(rest.build(next(given) if rest.has_numbers else None, twins))
        result = self.function(*args[: self.positional], **dict(zip(self.names, args[self.positional :], strict=True)))
        for twin in twins:
            twin.check(self.__name__)
        return result


class Calls:
    """The ways in which a function has been called, and the kernels of its variants."""

    def __init__(self, f: Callable[..., Any], name: str, static: tuple[str | int, ...]) -> None:
        self.function, self.prefix, self.keywords = _unwrapped(f)
        self.name = name
        self.signature = _signature(self.function, follow=False)
        self._defaults = _defaults(self.function)
        known = _signature(self.function, follow=True)
        self.parameters = list(known.parameters.values()) if known else None
        self.static = self._static_labels(static)
        self.counts: frozenset[tuple[Any, ...]] = frozenset()  # places of what is fixed as soon as it is needed as a number
        self.variants: dict[Any, Kernel] = {}
        self._forms: dict[Any, Form] = {}
        self._known: Known | None = None
        self._count: int | None = None  # of arguments at the first call
        self._warned = False
        self._lock = Lock()

    def clear(self) -> None:
        """Forget what has been recorded."""
        self.variants, self.counts, self._known, self._count, self._warned = {}, frozenset(), None, None, False

    def __call__(self, kernel: Kernel, args: tuple[Any, ...], keywords: dict[str, Any], out: Any) -> Any:
        """What the function gives, by this kernel or one of a variant."""
        given = {**self.keywords, **keywords}
        form = self._form(len(args), tuple(given))
        values = self._values(form, (*self.prefix, *args), given)
        counts, failed = self.counts, None
        while True:
            try:
                target, numbers, rests = self._target(kernel, form, values)
            except HasValueError:
                return of_values(kernel.function, args, keywords, out, self.name)
            try:
                return target._computed(numbers, out)
            except Exception as error:  # noqa: BLE001 -- raised below, unless it is mended
                if not target._paths:
                    self._count = None if target is kernel else self._count
                    self.variants = {key: variant for key, variant in self.variants.copy().items() if variant is not target}
                if self._has_learnt(target, numbers, form, rests, error):
                    continue
                failed = failed or (self._explained(target, numbers, form, rests, error), error)
                by_contents = _fixable(form, rests) if isinstance(error, TypeError) and not target._paths else frozenset()
                if by_contents:  # they may be needed as numbers
                    self.counts |= by_contents
                    continue
            self.counts = counts
            explained, first = failed
            try:
                if explained is None:
                    raise first
                raise explained from first
            finally:
                del explained, first, failed  # this frame is in their tracebacks: a cycle

    def _explained(
        self, target: Kernel, numbers: tuple[Any, ...], form: Form, rests: tuple[Rest | None, ...], error: Exception
    ) -> Exception | None:
        """An error that says what to do instead, or what was given in the place of a number; None where there is none."""
        if isinstance(error, StructureError) and (remedies := self._advice(target, numbers, form, rests)):
            return ValueError(f"{error}{remedies}")
        if getattr(error, "as_sequence", False) and (remedies := self._advice(target, numbers, form, rests)):
            return RecordingError(
                f"{self.name} takes a number for a sequence: each number of an array is a point of its own, as in NumPy's"
                f" functions{remedies}"
            )
        flags = [(slot, x) for slot, rest in zip(form.slots, rests, strict=True) for x in _flags(slot, rest)]
        if isinstance(error, TypeError) and flags and not target._paths:
            kind = RecordingError if isinstance(error, RecordingError) else TypeError
            return kind(
                f"{self.name}: {flags[0][0].place} takes a real number, not {described(flags[0][1])}, unless the function takes"
                f" that as it is: it raises {type(error).__name__}: {error}"
            )
        return None

    def _advice(self, target: Kernel, numbers: tuple[Any, ...], form: Form, rests: tuple[Rest | None, ...]) -> str:
        taken = [slot for slot, rest in zip(form.slots, rests, strict=True) if rest is None or rest.has_numbers]
        return advice(target, numbers, taken, form.slots)

    # --- forms

    def _static_labels(self, static: tuple[str | int, ...]) -> set[str | int]:
        """The names of static arguments; positions of those without."""
        if self.parameters is None:
            return set(static)
        names = [x.name for x in self.parameters if x.kind in _BY_POSITION][len(self.prefix) :]
        kinds = {x.kind for x in self.parameters}
        labels: set[str | int] = set()
        for x in static:
            if isinstance(x, int):
                if x >= len(names) and Parameter.VAR_POSITIONAL not in kinds:
                    raise ValueError(f"compile: static says argument {x}, and {self.name} takes {len(names)} by position")
                labels.add(names[x] if x < len(names) else x)
            elif x not in {y.name for y in self.parameters} and Parameter.VAR_KEYWORD not in kinds:
                raise ValueError(f"compile: static says {x!r}, and {self.name} has no argument of that name")
            else:
                labels.add(x)
        return labels

    def _form(self, count: int, names: tuple[str, ...]) -> Form:
        """The form of calls with `count` arguments by position, and these by name."""
        if any([x is not y for x, y in zip(_defaults(self.function), self._defaults, strict=True)]):  # they were assigned to
            self._defaults, self._forms, self.signature = _defaults(self.function), {}, _signature(self.function, follow=False)
        found = self._forms.get((count, names))
        if found is None:
            found = self._forms[count, names] = self._new_form(len(self.prefix) + count, names)
        return found

    def _new_form(self, count: int, names: tuple[str, ...]) -> Form:
        by_position: list[Any] = list(range(count))
        by_name: dict[str, Any] = {name: name for name in names}
        try:
            bound = self.signature and self.signature.bind(*by_position, **by_name)
        except TypeError:  # the function itself says what is wrong
            bound = None
        if self.signature and bound:
            by_position, by_name = _in_order(self.signature, bound.arguments)
        labels = [x.name for x in self.parameters or () if x.kind in _BY_POSITION]
        slots = []
        for i, source in enumerate(by_position):
            own = i - len(self.prefix)
            name = labels[i] if i < len(labels) else None
            place = f"argument {own + 1}" if own >= 0 else f"argument {name!r}"
            slots.append(self._slot(place, own if name is None else name, source))
        slots += [self._slot(f"argument {name!r}", name, source) for name, source in by_name.items()]
        return Form(tuple(slots), len(by_position), tuple(by_name))

    def _slot(self, place: str, label: Any, source: Any) -> Slot:
        before = isinstance(source, list) or (source in self.keywords if isinstance(source, str) else source < len(self.prefix))
        return Slot(place, label, source, not before, label in self.static)

    def _values(self, form: Form, args: tuple[Any, ...], keywords: dict[str, Any]) -> list[Any]:
        found = []
        for slot in form.slots:
            if isinstance(slot.source, list):
                found.append(slot.source[0])
            else:
                found.append(keywords[slot.source] if isinstance(slot.source, str) else args[slot.source])
        return found

    # --- variants

    def _target(self, kernel: Kernel, form: Form, values: list[Any]) -> tuple[Kernel, tuple[Any, ...], tuple[Rest | None, ...]]:
        """The kernel for these arguments; what it takes of them, and what is left of each."""
        separation = Separation(self.counts)
        axes = self._axes(kernel.batch, form, values)
        numbers, rests, keys, own_axes, places = [], [], [], [], []
        for slot, x, axis in zip(form.slots, values, axes, strict=True):
            place = f"{self.name}: {slot.place}"
            if slot.is_static or (not slot.is_own and is_fixed(x)):
                some, rest, key = self._fixed(x, place)
            elif axis == 0:  # an array, or what is no argument at all
                some, rest, key = x, None, None
            else:
                some, rest, key = self._separated(separation, x, slot, place)
            rests.append(rest)
            keys.append(key)
            if rest is None or rest.has_numbers:
                numbers.append(some)
                own_axes.append(None if _holds_object(rest) else axis)
                places.append(slot.place)
        given, left = tuple(numbers), tuple(rests)
        is_plain = not any(left) and all([slot.is_own for slot in form.slots]) and not form.names
        if is_plain and self._is_for(kernel, len(given)):
            return kernel, given, left
        key = form.positional, form.names, tuple(own_axes), tuple(keys)
        found = self.variants.get(key)
        if found is None:
            function = Bound(self.function, self.name, left, form)
            found = self._new_variant(kernel, key, function, tuple(own_axes), tuple(places), given)
        return found, given, left

    def _is_for(self, kernel: Kernel, count: int) -> bool:
        """Whether that kernel itself takes this number of arguments by position, as at its first call."""
        if not kernel._paths:
            with self._lock:
                self._count = count if self._count is None else self._count
            return self._count == count
        return len(kernel._arguments or ()) == count

    def _separated(self, separation: Separation, x: Any, slot: Slot, place: str) -> Separated:
        """An argument taken apart: the first object of a call as at the last one, if it has not changed."""
        if separation.objects or not is_object(x):
            return separation.argument(x, slot.label, place, slot.is_own)
        known = self._known
        if known and known.object() is x and known.counts == self.counts and known.watched.is_current():
            separation.objects = dict(known.objects)
            return known.separated
        separation.watched = Watched()
        some, rest, key = separation.argument(x, slot.label, place, slot.is_own)
        found = some, rest, Key(key)
        self._known = None
        keeps_itself = slot.is_own and separation.has_again  # perhaps: what is watched would keep it alive
        if separation.watched.is_complete and hasattr(type(x), "__weakref__") and not keeps_itself:
            self._known = Known(weakref.ref(x), self.counts, dict(separation.objects), separation.watched, found)
        return found

    def _fixed(self, x: Any, place: str) -> tuple[Any, Rest, Any]:
        if type(x) is not type and hasattr(type(x), "__record__"):
            raise HasValueError
        try:
            return None, Fixed(x), identified(x)
        except TypeError:
            raise TypeError(f"{place} is static and has no hash: {described(x)}; give a tuple, say") from None

    def _axes(self, batch: Any, form: Form, values: list[Any]) -> list[Any]:
        """Of each argument 0 (its arrays have a leading axis of points), None (it is shared) or "broadcast"."""
        own = [slot for slot in form.slots if slot.is_own]
        if isinstance(batch, tuple):
            told = list(batch)
            if own and len(told) == len(own) - 1 and form.slots[0].is_own and is_object(values[0]):
                told = [None, *told]  # a method's object
            if len(told) != len(own):
                raise TypeError(f"{self.name}: batch tells of {len(batch)} arguments, and {len(own)} were given")
        else:
            told = ["broadcast" if batch is None else 0] * len(own)
            if own and form.slots[0].is_own and is_object(values[0]):
                told[0] = None
        axes = iter(told)
        return [next(axes) if slot.is_own else None for slot in form.slots]

    def _new_variant(
        self, kernel: Kernel, key: Any, function: Bound, axes: tuple[Any, ...], places: tuple[str, ...], given: tuple[Any, ...]
    ) -> Kernel:
        if len(self.variants) < kernel.max_paths:
            with self._lock:
                return self.variants.setdefault(key, kernel._variant(function, axes, places, kernel.max_paths))
        if not self._warned:
            self._warned = True
            warn(
                f"{self.name} has been called with {kernel.max_paths} combinations (max_paths) of arguments that are no"
                " numbers, or counts; for further ones nothing is kept, and the function itself computes single points"
            )
        is_batch = any([structures.is_array(x) for part in given for x in structures.flatten(part, arrays=False)[0]])
        single = kernel._variant(function, axes, places, 1 if is_batch else 0)
        single._warned = True
        return single

    # --- counts

    def _has_learnt(
        self, target: Kernel, numbers: tuple[Any, ...], form: Form, rests: tuple[Rest | None, ...], error: Exception
    ) -> bool:
        """Whether the error is over integers that something is counted with: they are fixed from now on."""
        taken = [slot for slot, rest in zip(form.slots, rests, strict=True) if rest is None or rest.has_numbers]
        found = set()
        for index in getattr(error, "inputs", ()):
            at = place_in(target._arguments or (), index)
            if at is None:
                return False
            x: Any = numbers
            for key in at:
                x = x[key]
            if isinstance(x, np.ndarray) or not isinstance(x, Integral):
                return False
            found.add((taken[at[0]].label, *at[1:]))
        if not found - self.counts:
            return False
        self.counts |= found
        return True


def of_values(f: Callable[..., Any], args: tuple[Any, ...], keywords: dict[str, Any], out: Any, name: str) -> Any:
    """What the function itself gives, where there are Values among the arguments."""
    if out is not None:
        raise TypeError(f"{name}: out takes numbers, and there are Values among the arguments")
    return f(*args, **keywords)


def _flags(slot: Slot, rest: Rest | None) -> list[Any]:
    """What was given in the place of numbers, and is none."""
    if slot.is_static or not slot.is_own or rest is None:
        return []
    if isinstance(rest, Container):
        return [x for part in rest.parts for x in _flags(slot, part)]
    return (
        [rest.value]
        if isinstance(rest, Fixed) and (isinstance(rest.value, bool) or not isinstance(rest.value, Integral))
        else []
    )


def _fixable(form: Form, rests: tuple[Rest | None, ...]) -> frozenset[tuple[Any, ...]]:
    """Places of what is read at every call, and can be taken by its contents: defaults, attributes, what partial gives."""
    pairs = zip(form.slots, rests, strict=True)
    found = [slot for slot, rest in pairs if (rest is None or rest.has_numbers) and (not slot.is_own or _holds_object(rest))]
    return frozenset([(slot.label, CONTENTS) for slot in found])


def _holds_object(rest: Rest | None) -> bool:
    return isinstance(rest, Instance) or (isinstance(rest, Container) and any(map(_holds_object, rest.parts)))


def _unwrapped(f: Callable[..., Any]) -> tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]:
    """A function, and arguments that are given to it before others: by partial, or as a method's object, which may change."""
    function: Any = f
    prefix: tuple[Any, ...] = ()
    keywords: dict[str, Any] = {}
    while True:
        if isinstance(function, functools.partial):
            prefix, keywords = (*function.args, *prefix), {**function.keywords, **keywords}
            function = function.func
        elif isinstance(function, MethodType):
            prefix, function = (function.__self__, *prefix), function.__func__
        elif is_object(function) and isinstance(inspect.getattr_static(type(function), "__call__"), (FunctionType, Front)):
            prefix, function = (function, *prefix), type(function).__call__
        else:
            break
    return (f, (), {}) if is_fixed(prefix) and is_fixed(tuple(keywords.values())) else (function, prefix, keywords)


def _defaults(function: Any) -> tuple[Any, Any]:
    """The defaults of a function by position and by name, or of the function that it wraps."""
    bare = inspect.unwrap(function)
    return getattr(bare, "__defaults__", None), getattr(bare, "__kwdefaults__", None)


def _signature(function: Callable[..., Any], follow: bool) -> inspect.Signature | None:
    try:
        return inspect.signature(function, follow_wrapped=follow)
    except (TypeError, ValueError):
        return None


def _in_order(signature: inspect.Signature, given: dict[str, Any]) -> tuple[list[Any], dict[str, Any]]:
    """Where arguments come from, by position and by name, in the order of parameters; with the defaults that can change."""
    by_position: list[Any] = []
    by_name: dict[str, Any] = {}
    without_gap = True
    for name, parameter in signature.parameters.items():
        if parameter.kind is Parameter.VAR_POSITIONAL:
            by_position += given.get(name, ())
        elif parameter.kind is Parameter.VAR_KEYWORD:
            by_name.update(given.get(name, {}))
        elif name not in given and is_fixed(parameter.default):
            without_gap = False
        else:
            source = given.get(name, [parameter.default])
            if without_gap and parameter.kind in _BY_POSITION:
                by_position.append(source)
            else:
                by_name[name] = source
    return by_position, by_name
