"""Writes the stubs in which editors and type checkers see what is made from the table: `python tests/stubs.py`."""

from pathlib import Path
from types import ModuleType

import autograd_lite
from autograd_lite import show
from autograd_lite.engine import OPERATORS
from autograd_lite.primitive import Primitive, paired
from autograd_lite.primitives import TABLE

PACKAGE = Path(autograd_lite.__file__).parent
HEADER = "# Generated from the table by tests/stubs.py; tests/test_stubs.py keeps it current.\n"


def public() -> list[Primitive]:
    return [primitive for primitive in TABLE.values() if primitive.public]


def parameters(primitive: Primitive, kinds: list[str]) -> str:
    """The parameter list, where an argument that must be a Value has no default."""
    defaults: list[float | None] = [None] * (len(primitive.domain) - len(primitive.defaults)) + list(primitive.defaults)
    written = [
        f"{name}: {kind}" if default is None or kind == "Value" else f"{name}: {kind} = {default!r}"
        for name, kind, default in zip(primitive.arguments, kinds, defaults, strict=True)
    ]
    return ", ".join(written)


def function(primitive: Primitive) -> str:
    """The overloads of a public function: floats give a float, a Value anywhere gives a Value, arrays give anything."""
    overloads = []
    if primitive.gather is paired:
        overloads.append(("xs: Iterable[float], ys: Iterable[float], /", "float", "  # type: ignore[overload-overlap]"))
        overloads.append(("xs: Iterable[Value | float], ys: Iterable[Value | float], /", "Value", ""))
    elif primitive.variadic:
        (name,) = primitive.arguments
        overloads.append((f"*{name}: float | Iterable[float]", "float", "  # type: ignore[overload-overlap]"))
        overloads.append((f"*{name}: Value | float | Iterable[Value | float]", "Value", ""))
        if primitive.elementwise:
            overloads.append((f"*{name}: Value | float | _Array", "Any", ""))
    else:
        count = len(primitive.domain)
        overloads.append((parameters(primitive, ["float"] * count), "float", ""))
        for i in range(count):
            kinds = ["float"] * i + ["Value"] + ["Value | float"] * (count - i - 1)
            overloads.append((parameters(primitive, kinds), "Value", ""))
        overloads.append((parameters(primitive, ["Value | float | _Array"] * count), "Any", ""))
    return "\n".join(
        f"@overload\ndef {primitive.name}({signature}) -> {result}: ...{comment}" for signature, result, comment in overloads
    )


def imports(package: ModuleType) -> list[str]:
    """The public names of a package as what type checkers read: re-exports."""
    return sorted(
        f"from {package.__name__}{f'.{place}' if place else ''} import {name} as {name}"
        for place, names in package._NAMES.items()
        for name in names
    )


def package_stub() -> str:
    return "\n".join(
        [
            HEADER + "from collections.abc import Iterable",
            "from typing import Any, Protocol, overload",
            "",
            *imports(autograd_lite),
            "",
            "class _Array(Protocol):  # NumPy's",
            "    def __array__(self, *args: Any, **options: Any) -> Any: ...",
            "",
            "__version__: str",
            "",
            *[function(primitive) for primitive in public()],
            "",
        ]
    )


def show_stub() -> str:
    return "\n".join([HEADER.rstrip(), *imports(show), ""])


def methods_stub() -> str:
    lines = [
        HEADER + "from typing import Any",
        "",
        "from autograd_lite.engine import Value",
        "",
        "class Methods:",
        "    def graph(self, *args: Any, **options: Any) -> Any: ...",
        "    def derivation(self, *args: Any, **options: Any) -> Any: ...",
        "    def explore(self, *args: Any, **options: Any) -> Any: ...",
    ]
    lines += [f"    def {name}(self, other: object) -> bool: ..." for name in ("__eq__", "__ne__")]
    lines.append("    def __hash__(self) -> int: ...")
    for name in ("__lt__", "__le__", "__gt__", "__ge__"):
        lines.append(f"    def {name}(self, other: Value | float) -> bool: ...")
    for primitive in TABLE.values():
        for name in OPERATORS.get(primitive.name, ()):
            other = ", other: Value | float" if len(primitive.domain) == 2 else ""
            lines.append(f"    def {name}(self{other}) -> Value: ...")
    for primitive in public():
        if primitive.variadic:
            rest = ", *others: Value | float"
        else:
            rest = "".join(
                f", {part}" for part in parameters(primitive, ["Value | float"] * len(primitive.domain)).split(", ")[1:]
            )
        lines.append(f"    def {primitive.name}(self{rest}) -> Value: ...")
    return "\n".join([*lines, ""])


STUBS = {"__init__.pyi": package_stub, "_methods.pyi": methods_stub, "show/__init__.pyi": show_stub}

if __name__ == "__main__":
    for name, text in STUBS.items():
        (PACKAGE / name).write_text(text())
