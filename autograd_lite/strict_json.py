"""JSON text read without leniency: what Python's reader lets pass in silence is an error here."""

from __future__ import annotations

import json
import math
import re
from typing import Any

_DEEPEST = 32
_STRING_OR_BRACKET = re.compile(r'"(?:[^"\\]|\\.)*+"?|[\[\]{}]', re.DOTALL)  # a string without an end is one too


def read(text: str) -> Any:
    """The content of JSON text.

    Raises TypeError if it is no string; ValueError if it is not JSON, NaN and Infinity (which are not) included, if it nests
    deeper than 32 levels, if a name comes twice in an object, or if a number lies beyond the largest float.
    """
    if not isinstance(text, str):
        raise TypeError(f"this reads JSON in a string, not {type(text).__name__} {text!r:.60}")
    depth = 0
    for token in _STRING_OR_BRACKET.finditer(text):
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(token[0], 0)
        if depth > _DEEPEST:
            raise ValueError(f"more than {_DEEPEST} brackets inside one another")
    try:
        return json.loads(text, parse_float=_finite, parse_constant=_no_constant, object_pairs_hook=_without_repeats)
    except ValueError as error:
        raise ValueError(f"not JSON, or a truncated file: {error}") from None


def _finite(numeral: str) -> float:
    x = float(numeral)
    if math.isinf(x):
        raise ValueError(f"{numeral:.60} lies beyond the largest float, 1.8e308")
    return x


def _no_constant(name: str) -> float:
    raise ValueError(f'{name} is no number of JSON; the strings "nan", "inf" and "-inf" take its place')


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members: dict[str, Any] = {}
    for name, member in pairs:
        if name in members:
            raise ValueError(f"the name {name!r:.60} comes twice in one object")
        members[name] = member
    return members
