"""What values are called where text speaks of them: in derivations, in routes, in the explorer.

A value is called by its label. Values that share one are numbered, the result without a label is f, others v1, v2, ...; no such
name is some other value's label.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from autograd_lite.engine import Value
from autograd_lite.show.text import printable, shortened

_PLAIN = re.compile(r"[^\W\d][\w.]*(\[\d+\])*")


def names_of(order: Sequence[Value]) -> dict[Value, str]:
    """A name for each value of a topological order, the last of which is the result; no two are the same."""
    labels = [_name(node.label) if node.label else "" for node in order]
    uses = Counter(labels)
    taken = set(uses)
    result = "f"
    while result in taken:
        result += "_"
    prefix = "v"
    while any([re.fullmatch(f"{prefix}[0-9]+", label) for label in taken]):
        prefix += "_"
    numbers: Counter[str] = Counter()
    names: dict[Value, str] = {}
    for node, label in zip(order, labels, strict=True):
        if label and uses[label] == 1:
            names[node] = label
        elif label:
            names[node] = _numbered(label, numbers, taken)
        elif node is order[-1] and node.op is not None:
            names[node] = result
        else:
            numbers[prefix] += 1
            names[node] = f"{prefix}{numbers[prefix]}"
    return names


def _name(label: str) -> str:
    """A label as a name in a formula: on one line, in quotation marks unless it is a plain word."""
    text = shortened(printable(label))
    return text if _PLAIN.fullmatch(text) else f'"{text}"'


def _numbered(label: str, numbers: Counter[str], taken: set[str]) -> str:
    while True:
        numbers[label] += 1
        name = f"{label}[{numbers[label]}]"
        if name not in taken:
            return name
