"""Models as JSON text and as files: the class, its constructor's arguments, and every parameter to the last bit.

Reading runs nothing that the text says: names are looked up and compared, never evaluated.
"""

from __future__ import annotations

import json
import math
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from autograd_lite import strict_json

_FAMILY = "autograd_lite model "
_FORMAT = _FAMILY + "1"
_NOT_FINITE = ("inf", "-inf", "nan")


class ModelFormatError(ValueError):
    """The text is no saved model, or not of the model that should take it.

    >>> import autograd_lite as ag
    >>> try:
    ...     ag.nn.MLP.from_json("{}")
    ... except ag.nn.ModelFormatError:
    ...     print("no model")
    no model
    """


class SavedModel(NamedTuple):
    """What a file holds. `arguments` is None where no constructor's arguments describe the model."""

    class_name: str
    arguments: dict[str, Any] | None
    parameters: dict[str, float]


def to_text(model: SavedModel) -> str:
    """A model as JSON, one line a parameter. Numbers are written so that they read back as the same bits (a nan as the nan)."""
    numbers = {name: x if math.isfinite(x) else repr(x) for name, x in model.parameters.items()}
    lines = ",\n".join([f"  {json.dumps(name)}: {json.dumps(x)}" for name, x in numbers.items()])
    return (
        f'{{\n "format": {json.dumps(_FORMAT)},\n "class": {json.dumps(model.class_name)},\n'
        f' "arguments": {json.dumps(model.arguments, allow_nan=False)},\n "parameters": {{\n{lines}\n }}\n}}\n'
    )


def from_text(text: str) -> SavedModel:
    """The model that `to_text` wrote. Raises ModelFormatError saying what is wrong if the text is anything else."""
    try:
        document = strict_json.read(text)
    except ValueError as error:
        raise ModelFormatError(f"not a saved model: {error}") from None
    found = document.get("format") if isinstance(document, dict) else None
    if found != _FORMAT:
        newer = isinstance(found, str) and found.startswith(_FAMILY)
        hint = "; it comes from another version of autograd_lite" if newer else ""
        raise ModelFormatError(f'not a saved model: "format" should be {_FORMAT!r}, not {found!r:.60}{hint}')
    if set(document) != {"format", "class", "arguments", "parameters"}:
        keys = ", ".join(map(repr, sorted(document)))
        raise ModelFormatError(f"a saved model has the keys format, class, arguments and parameters, not {keys:.200}")
    name, arguments, parameters = document["class"], document["arguments"], document["parameters"]
    if not isinstance(name, str):
        raise ModelFormatError(f'"class" should be a name, not {name!r:.60}')
    if not (arguments is None or isinstance(arguments, dict)):
        raise ModelFormatError(f'"arguments" should be an object or null, not {arguments!r:.60}')
    if not isinstance(parameters, dict):
        raise ModelFormatError(f'"parameters" should be an object, not {parameters!r:.60}')
    return SavedModel(name, arguments, {key: _number(key, x) for key, x in parameters.items()})


def read_state(path: str | os.PathLike[str]) -> dict[str, float]:
    """The parameters in a file that `Module.save` wrote, by name: what `Module.load_state` takes.

    Raises OSError if the file cannot be read, ModelFormatError if it is no saved model.

    >>> import autograd_lite as ag
    >>> import os, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "model.json")
    ...     ag.nn.Neuron(1).save(path)
    ...     sorted(ag.nn.read_state(path))
    ['b', 'w[0]']
    """
    return read(path).parameters


def read(path: str | os.PathLike[str]) -> SavedModel:
    """The model in a file. Raises OSError if it cannot be read, ModelFormatError (which names it) if it is no saved model."""
    try:
        return from_text(Path(path).read_text(encoding="utf-8"))
    except (ModelFormatError, UnicodeDecodeError) as error:
        raise ModelFormatError(f"{os.fspath(path)}: {error}") from None


def write(path: str | os.PathLike[str], model: SavedModel) -> None:
    """Write a model to a file, all or nothing: until the text is on the disk, an older file of that name stays as it was.

    Raises OSError if the file cannot be written, or if the path is there and no regular file.
    """
    data = to_text(model).encode()
    target = Path(path).resolve()
    exists = target.exists()
    if exists and not target.is_file():
        raise OSError(f"{os.fspath(path)} is no regular file; save a model under a file name of its own")
    part = target.with_name(f".autograd_lite-{os.urandom(8).hex()}.part")
    try:
        with part.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if exists:
            shutil.copymode(target, part)
        part.replace(target)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def _number(name: str, x: Any) -> float:
    if isinstance(x, str) and x in _NOT_FINITE:
        return float(x)
    if isinstance(x, bool) or not isinstance(x, (int, float)):
        raise ModelFormatError(f"parameter {name!r:.60}: {x!r:.60} is no number (nor one of the strings inf, -inf, nan)")
    try:
        return float(x)
    except OverflowError:
        raise ModelFormatError(f"parameter {name!r:.60}: {x!r:.60} lies beyond the largest float, 1.8e308") from None


def differing_names(expected: Mapping[str, Any], given: Mapping[str, Any]) -> str:
    """What is missing from `given` and what it has too much, in a few words; empty if nothing."""
    missing = [name for name in expected if name not in given]
    surplus = [name for name in given if name not in expected]
    parts = [f"{_some(names)} {what}" for names, what in ((missing, "missing"), (surplus, "unexpected")) if names]
    return "; ".join(parts)


def _some(names: list[Any]) -> str:
    shown = ", ".join(f"{name!r:.60}" for name in names[:3])
    return shown if len(names) <= 3 else f"{shown} and {len(names) - 3} more"
