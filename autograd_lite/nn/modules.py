"""Modules: what holds parameters. Neuron, Layer and MLP have micrograd's shapes, names, parameter order and random draws.

A neuron adds up ``b + w[0]*x[0] + w[1]*x[1] + ...`` from left to right, in a single `dot` node, and applies its activation.
What the neurons of a layer compute lies in scopes such as "layer0.neuron2", by which drawings group it.
"""

from __future__ import annotations

import operator
import os
import random
from collections.abc import Callable, Iterable, Iterator, Mapping
from numbers import Real
from types import MemberDescriptorType
from typing import Any, Protocol, Self

from autograd_lite.engine import Note, Value, share_notes
from autograd_lite.modes import active_modes, is_recording, scope
from autograd_lite.nn import storage
from autograd_lite.nn.storage import ModelFormatError, SavedModel
from autograd_lite.primitive import Primitive, real_number
from autograd_lite.primitives import TABLE
from autograd_lite.structures import is_array

Activation = str | Callable[[Any], Any] | None
_dot = TABLE["dot"]
_Path = tuple[Any, str, Any] | None  # of an object: the path of its holder, how the next piece is written, the key


class UniformSource(Protocol):
    """Where first weights come from: a `random.Random`, or NumPy's generators."""

    def uniform(self, low: float, high: float, /) -> float:
        """A random number between the two."""


class Module:
    """Something with parameters: the Values in its attributes.

    An attribute may hold Values and Modules, also in lists, tuples, dicts and NumPy arrays of objects, nested to any depth.
    What was computed (a Value with an operation) is no parameter. A subclass may define `parameters` itself.

    >>> import autograd_lite as ag
    >>> line = ag.nn.Module()
    >>> line.slope, line.shift = ag.Value(2.0), ag.Value(1.0)
    >>> line.named_parameters()
    {'slope': Value(2.0, grad=0.0), 'shift': Value(1.0, grad=0.0)}
    """

    def parameters(self) -> list[Value]:
        """The parameters in the order in which the attributes were first assigned, each once however often it is used.

        Raises TypeError if an attribute has them in a set, which has no order.
        """
        return [value for _, value in _walk(self, everything=False)]

    def named_parameters(self) -> dict[str, Value]:
        """Every Value to be saved, by its path from the module, as in ``layers[0].neurons[3].w[1]``; a shared one by its first.

        Besides `parameters()` these are the Values that a `parameters` method of a subclass leaves out.
        """
        named: dict[str, Value] = {}
        for path, value in _walk(self, everything=True):
            name = _name(path)
            if name in named:
                raise ValueError(f"two parameters have the path {name!r:.60}; rename the attribute or the key")
            named[name] = value
        return named

    def zero_grad(self) -> None:
        """Set the gradient of every parameter to 0."""
        for parameter in self.parameters():
            parameter.grad = 0.0

    def state(self) -> dict[str, float]:
        """The numbers of `named_parameters`, by name."""
        return {name: value.data for name, value in self.named_parameters().items()}

    def load_state(self, state: Mapping[str, float]) -> None:
        """Give the parameters the numbers of a `state` (or of a file: `read_state`). Gradients stay.

        Nothing is assigned if anything is wrong: ModelFormatError if a name is missing or unexpected, TypeError or ValueError
        if something is no real number.
        """
        if not isinstance(state, Mapping):
            raise TypeError(f"load_state takes a mapping of names to numbers, not {type(state).__name__} {state!r:.60}")
        named = self.named_parameters()
        differences = storage.differing_names(named, state)
        if differences:
            raise ModelFormatError(f"the state does not fit {self!r:.200}: {differences}")
        numbers = [real_number(state[name], f"parameter {name}") for name in named]
        for value, number in zip(named.values(), numbers, strict=True):
            value.data = number

    def architecture(self) -> dict[str, Any] | None:
        """The arguments with which the constructor makes such a module, as JSON has them; None if no arguments do.

        A subclass that defines it can be read with its own `load` and `from_json`.
        """
        return None

    def to_json(self) -> str:
        """The class, its `architecture` and every parameter to the last bit, as JSON."""
        return storage.to_text(self._saved())

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The model in a text of `to_json`, made by the constructor of this class (`Module` stands for MLP, Layer, Neuron).

        Runs nothing but that constructor, and leaves the random state alone where the class is one of the three. Raises
        ModelFormatError saying what is wrong if the text is no such model.
        """
        return cls._restored(storage.from_text(text))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write `to_json` to a file, all or nothing: an interrupted save leaves an older file as it was.

        Raises OSError if the file cannot be written.
        """
        storage.write(path, self._saved())

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """The model in a file of `save`, as `from_json` makes it. Raises OSError too, if the file cannot be read."""
        saved = storage.read(path)
        try:
            return cls._restored(saved)
        except ModelFormatError as error:
            raise ModelFormatError(f"{os.fspath(path)}: {error}") from error.__cause__

    def _saved(self) -> SavedModel:
        return SavedModel(type(self).__name__, self.architecture(), self.state())

    @classmethod
    def _restored(cls, saved: SavedModel) -> Self:
        own = {kind.__name__: kind for kind in (MLP, Layer, Neuron)}
        makers: dict[str, Any] = own if cls is Module else {cls.__name__: cls}
        maker = makers.get(saved.class_name)
        if maker is None:
            raise ModelFormatError(f"{cls.__name__} cannot read the model of a class {saved.class_name!r:.60}; use that class")
        if saved.arguments is None:
            raise ModelFormatError(
                f"no constructor's arguments describe this {saved.class_name:.60}: make one as it was,"
                " then call its load_state(autograd_lite.nn.read_state(path))"
            )
        is_own = maker in own.values()
        blank = {"rng": _Blank(len(saved.parameters))} if is_own else {}
        try:
            model = maker(**saved.arguments, **blank)
        except (TypeError, ValueError) as error:
            raise ModelFormatError(f"the arguments {saved.arguments!r:.200} make no {saved.class_name}: {error}") from error
        if is_own and model.architecture() != saved.arguments:
            raise ModelFormatError(f"the arguments of {saved.class_name} should read {model.architecture()!r:.200}")
        model.load_state(saved.parameters)
        return model  # type: ignore[no-any-return]

    def __repr__(self) -> str:
        return f"{type(self).__name__} of {len(self.parameters())} parameters"


class Neuron(Module):
    """``activation(b + w[0]*x[0] + w[1]*x[1] + ...)``, or the sum alone if `nonlin` is false or the activation None.

    The activation is the name of a one-argument operation of the table, or a function of a Value. Weights are drawn from
    `rng` (the module `random` if None) in order, uniform in -1 to 1; the bias begins at 0.

    Raises TypeError or ValueError if `inputs` is no positive integer, or there is no such activation.

    >>> import autograd_lite as ag
    >>> -1.0 <= ag.nn.Neuron(2, activation="tanh")([2.0, 2.5]).data <= 1.0
    True
    """

    w: list[Value]
    b: Value
    activation: Callable[[Any], Any] | None

    def __init__(
        self, inputs: int, nonlin: bool = True, activation: Activation = "relu", rng: UniformSource | None = None
    ) -> None:
        inputs, uniform = _size(inputs, "inputs"), _uniform(rng)
        self.activation = _function(activation) if nonlin else None
        self.w = [Value(uniform(-1, 1)) for _ in range(inputs)]
        self.b = Value(0.0)

    @property
    def nonlin(self) -> bool:
        """Whether there is an activation."""
        return self.activation is not None

    def __call__(self, x: Any) -> Any:
        """The output for the inputs x: as many numbers or Values as there are weights, or the number alone where it is one.

        Raises ValueError if there are more or fewer, TypeError if one is no real number.
        """
        inputs = _inputs(x, self, len(self.w))
        try:
            total = _dot([1.0, *self.w], [self.b, *inputs])
        except TypeError:
            _check_numbers(inputs, self)
            raise
        if not isinstance(total, Value):
            _check_numbers(inputs, self)
        return total if self.activation is None else self.activation(total)

    def architecture(self) -> dict[str, Any] | None:
        """The number of inputs and the activation's name; None if the activation is a function outside the table."""
        name = getattr(self.activation, "name", None)
        if self.activation is not None and not (isinstance(name, str) and TABLE.get(name) is self.activation):
            return None
        return {"inputs": len(self.w), "activation": name}

    def __repr__(self) -> str:
        return f"{_title(self.activation)}Neuron({len(self.w)})"


class Layer(Module):
    """Neurons side by side on the same inputs. Arguments as those of `Neuron`, `outputs` being the number of neurons.

    >>> import autograd_lite as ag
    >>> layer = ag.nn.Layer(2, 3)
    >>> len(layer([1.0, 2.0])), len(layer.parameters())
    (3, 9)
    """

    neurons: list[Neuron]
    _prefix: str = ""  # of its neurons' scopes
    _notes: list[Note] = []  # of its neurons' results; none where an activation may make more than one node  # noqa: RUF012

    def __init__(
        self,
        inputs: int,
        outputs: int,
        nonlin: bool = True,
        activation: Activation = "relu",
        rng: UniformSource | None = None,
    ) -> None:
        self.neurons = [Neuron(inputs, nonlin, activation, rng) for _ in range(_size(outputs, "outputs"))]
        self._name_scopes("")

    def __call__(self, x: Any) -> Any:
        """The outputs for the inputs x (as `Neuron` takes them) in a list; a single one alone, as in micrograd."""
        inputs = _inputs(x, self)
        if self._notes and not active_modes:
            outputs = [neuron(inputs) for neuron in self.neurons]
            share_notes(outputs, self._notes)
        elif active_modes and not is_recording():
            outputs = [neuron(inputs) for neuron in self.neurons]
        else:
            outputs = [self._in_scope(i, inputs) for i in range(len(self.neurons))]
        return outputs[0] if len(outputs) == 1 else outputs

    def _name_scopes(self, prefix: str) -> None:
        """Say in which scopes drawings group what the neurons compute."""
        self._prefix = prefix
        simple = all(neuron.activation is None or isinstance(neuron.activation, Primitive) for neuron in self.neurons)
        self._notes = [Note(scope=f"{prefix}neuron{i}") for i in range(len(self.neurons))] if simple else []

    def _in_scope(self, i: int, inputs: list[Any]) -> Any:
        """The output of a neuron called inside its scope, where every node is looked at as it is made."""
        with scope(f"{self._prefix}neuron{i}"):
            return self.neurons[i](inputs)

    def architecture(self) -> dict[str, Any] | None:
        """Inputs, outputs and activation; None if the neurons are not all alike."""
        kinds = [neuron.architecture() if type(neuron) is Neuron else None for neuron in self.neurons]
        if not kinds or kinds[0] is None or any(kind != kinds[0] for kind in kinds):
            return None
        return {"inputs": kinds[0]["inputs"], "outputs": len(kinds), "activation": kinds[0]["activation"]}

    def __repr__(self) -> str:
        return f"{type(self).__name__} of {_listing(self.neurons)}"


class MLP(Module):
    """A multilayer perceptron: layers one behind the other, of as many neurons as `outputs` lists.

    The last layer is linear unless `output_activation` names an activation; the others have `activation`.
    Raises as `Neuron` does, and ValueError if there is no layer.

    >>> import autograd_lite as ag
    >>> model = ag.nn.MLP(2, [4, 1], activation="tanh")
    >>> (model([0.5, -1.0]) ** 2).backward()
    >>> len(model.parameters())
    17
    """

    layers: list[Layer]

    def __init__(
        self,
        inputs: int,
        outputs: Iterable[int],
        activation: Activation = "relu",
        output_activation: Activation = None,
        rng: UniformSource | None = None,
    ) -> None:
        if not isinstance(outputs, Iterable):
            raise TypeError(f"outputs lists the number of neurons of each layer, as in [4, 4, 1]; not {outputs!r:.60}")
        sizes = [inputs, *outputs]
        if len(sizes) == 1:
            raise ValueError("outputs lists the number of neurons of each layer, as in [4, 4, 1]; there should be one at least")
        activations = [activation] * (len(sizes) - 2) + [output_activation]
        self.layers = [
            Layer(before, after, activation=function, rng=rng)
            for before, after, function in zip(sizes[:-1], sizes[1:], activations, strict=True)
        ]
        for i, layer in enumerate(self.layers):
            layer._name_scopes(f"layer{i}.")

    def __call__(self, x: Any) -> Any:
        """The outputs of the last layer for the inputs x (as `Neuron` takes them) in a list; a single one alone."""
        for layer in self.layers:
            x = layer(x)
        return x

    def architecture(self) -> dict[str, Any] | None:
        """Inputs, outputs and both activations; None if the layers are not as the constructor makes them."""
        kinds = [layer.architecture() if type(layer) is Layer else None for layer in self.layers]
        described = [kind for kind in kinds if kind is not None]
        outputs = [kind["outputs"] for kind in described]
        hidden = {kind["activation"] for kind in described[:-1]} or {"relu"}
        chained = [kind["inputs"] for kind in described[1:]] == outputs[:-1]
        if not described or len(described) < len(kinds) or not chained or len(hidden) > 1:
            return None
        return {
            "inputs": described[0]["inputs"],
            "outputs": outputs,
            "activation": hidden.pop(),
            "output_activation": described[-1]["activation"],
        }

    def __repr__(self) -> str:
        return f"{type(self).__name__} of {_listing(self.layers)}"


# --- arguments


def _size(count: int, role: str) -> int:
    if isinstance(count, bool) or not hasattr(type(count), "__index__"):
        raise TypeError(f"{role} is a number of inputs or neurons, an integer; not {type(count).__name__} {count!r:.60}")
    if operator.index(count) < 1:
        raise ValueError(f"{role} is a number of inputs or neurons, at least 1; not {count!r:.60}")
    return operator.index(count)


def _uniform(rng: UniformSource | None) -> Callable[[float, float], float]:
    if rng is None:
        return random.uniform
    if not hasattr(rng, "uniform"):
        raise TypeError(
            f"rng has a method uniform(low, high), as random.Random(seed) has; not {type(rng).__name__} {rng!r:.60}"
        )
    return rng.uniform


def _function(activation: Activation) -> Callable[[Any], Any] | None:
    if activation is None:
        return None
    function = TABLE.get(activation) if isinstance(activation, str) else activation
    if isinstance(function, Primitive):
        if not function.variadic and len(function.domain) - len(function.defaults) <= 1:
            return function
    elif callable(function):
        return function
    some = "relu, leaky_relu, gelu, silu, softplus, tanh, sigmoid"
    raise ValueError(
        f"no activation {activation!r:.60}: it is the name of a one-argument operation of the table ({some}, ...), a function,"
        " or None; autograd_lite.define_primitive adds to the table"
    )


class _Blank:
    """In place of random weights, which numbers from a file are to replace: zeros, and no more of them than those."""

    def __init__(self, count: int) -> None:
        self.left = count

    def uniform(self, low: float, high: float, /) -> float:  # noqa: ARG002
        if self.left <= 0:
            raise ModelFormatError("they ask for more weights than there are parameters")
        self.left -= 1
        return 0.0


# --- inputs


def _inputs(x: Any, module: Module, count: int | None = None) -> list[Any]:
    if x.__class__ is not list:
        x = _listed(x, module)
    if count is not None and len(x) != count:
        raise ValueError(f"{module!r:.200} takes {count} input{'s' * (count != 1)}, not {len(x)}")
    return x  # type: ignore[no-any-return]


def _listed(x: Any, module: Module) -> list[Any]:
    if isinstance(x, (Value, Real)) or getattr(x, "shape", None) == ():
        return [x]
    if is_array(x):
        if x.ndim > 1:
            raise ValueError(f"{module!r:.200} takes one row of inputs, not an array of shape {x.shape}: call it once a row")
        return x.tolist()  # type: ignore[no-any-return]
    if isinstance(x, (str, bytes, Mapping, set, frozenset)) or not isinstance(x, Iterable):
        raise TypeError(f"{module!r:.200} takes a sequence of numbers or Values, not {type(x).__name__} {x!r:.60}")
    return list(x)


def _check_numbers(inputs: list[Any], module: Module) -> None:
    """Raise TypeError if an input is neither a Value nor a number."""
    for i, x in enumerate(inputs):
        if not isinstance(x, Value):
            real_number(x, f"input {i} of {module!r:.200}")


# --- search for parameters


def _walk(root: Module, everything: bool) -> Iterator[tuple[_Path, Value]]:
    """The leaf Values a module holds and their paths, each once, depth first; nothing recurses.

    A module inside whose class defines `parameters` itself is asked for them, with `everything` besides its attributes.
    """
    seen: dict[int, Any] = {}  # keeps what it lists alive, so that no identity comes twice
    stack: list[tuple[_Path, Any]] = [(None, root)]
    while stack:
        path, item = stack.pop()
        if id(item) in seen:
            continue
        if isinstance(item, Value):
            if item.op is None:
                seen[id(item)] = item
                yield path, item
            continue
        if isinstance(item, Module):
            template, parts = ".{}", _module_parts(item, everything, is_root=item is root)
        else:
            template, parts = "[{!r}]", _container_parts(item, path)
        if parts:
            seen[id(item)] = item
            stack.extend([((path, template, key), part) for key, part in reversed(parts)])


def _module_parts(module: Module, everything: bool, is_root: bool) -> list[tuple[Any, Any]]:
    asked = type(module).parameters is not Module.parameters and (everything or not is_root)
    parts = _attributes(module) if everything or not asked else []
    return [*parts, ("parameters()", list(module.parameters()))] if asked else parts


def _attributes(module: Module) -> list[tuple[Any, Any]]:
    slots = [
        (name, getattr(module, name))
        for kind in reversed(type(module).__mro__)
        if "__slots__" in vars(kind)
        for name, member in vars(kind).items()
        if isinstance(member, MemberDescriptorType) and hasattr(module, name)
    ]
    return [*slots, *vars(module).items()]


def _container_parts(item: Any, path: _Path) -> list[tuple[Any, Any]]:
    if isinstance(item, dict):
        return list(item.items())
    if is_array(item):
        item = item.tolist() if item.dtype == object else ()
    elif isinstance(item, (set, frozenset)) and any(isinstance(part, (Value, Module)) for part in item):
        raise TypeError(f"{_name(path)} is a set with parameters, which would come in any order: use a list")
    return list(enumerate(item)) if isinstance(item, (list, tuple)) else []


def _name(path: _Path) -> str:
    pieces = []
    while path is not None:
        path, template, key = path
        pieces.append(template.format(key))
    return "".join(reversed(pieces))[1:]


# --- descriptions


def _title(function: Callable[[Any], Any] | None) -> str:
    if function is None:
        return "Linear"
    name = str(getattr(function, "name", None) or getattr(function, "__name__", type(function).__name__))
    return "ReLU" if name == "relu" else "".join([part[:1].upper() + part[1:] for part in name.split("_")])[:40]


def _listing(items: list[Any]) -> str:
    """All items if they are few, else the first ones and their number."""
    shown = [f"{item!r:.400}" for item in (items if len(items) <= 6 else items[:3])]
    return f"[{', '.join(shown)}{f', ... {len(items)} in all' if len(items) > 6 else ''}]"
