"""Checks of the compiled extensions before they are used: whether they fit the sources, and whether one lies elsewhere.

Standard library only, and nothing of the package: the build backend, which compiles the extensions, reads this file too.
"""

from __future__ import annotations

import os
import sys
import zlib
from collections.abc import Iterator
from importlib.machinery import EXTENSION_SUFFIXES, PathFinder
from types import ModuleType
from warnings import warn

PACKAGE = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120 -- pathlib takes as long to import as the engine does
ROOT = os.path.dirname(PACKAGE)  # noqa: PTH120


def checksum(folder: str) -> int | None:
    """31 bits of the C files in a folder, which an extension has as `sources`; None where there are none (an installation)."""
    total = 0
    names = sorted(name for name in os.listdir(folder) if name.endswith((".c", ".h")))  # noqa: PTH208
    for name in names:
        with open(os.path.join(folder, name), "rb") as file:  # noqa: PTH118, PTH123
            total = zlib.crc32(file.read(), total)
    return total & 0x7FFFFFFF if names else None


def fits(extension: ModuleType) -> bool:
    """Whether an extension was built from the C files beside it; with a warning if it was not."""
    folder = os.path.dirname(extension.__file__ or "")  # noqa: PTH120
    if checksum(folder) in (None, getattr(extension, "sources", None)):
        return True
    warn(
        f"autograd_lite: {extension.__name__} is not used, for it was built from other C files than there are now:"
        f" run `python -m pip install -e .` in {ROOT}",
        RuntimeWarning,
        stacklevel=2,
    )
    return False


def warn_of_another(name: str) -> None:
    """Warn if an extension that the imported package lacks is in another installation of it: the wrong one is imported then."""
    for package in _other_packages():
        for suffix in EXTENSION_SUFFIXES:
            path = os.path.join(package, *name.split("."))  # noqa: PTH118
            if os.path.isfile(path + suffix):  # noqa: PTH113
                warn(
                    f"autograd_lite: the engine in Python is used, which takes many times as long. The package is imported from"
                    f" {PACKAGE}, where no compiled engine was built; one is installed in {package}. Run `python -m pip install"
                    f" -e .` in {ROOT} to have one here, or start Python elsewhere; AUTOGRAD_LITE_PURE=1 asks for the engine in"
                    " Python without this warning",
                    RuntimeWarning,
                    stacklevel=2,
                )
                return


def _other_packages() -> Iterator[str]:
    """The folders that `import autograd_lite` could find on the path, or by another finder, besides the imported one."""
    name = os.path.basename(PACKAGE)  # noqa: PTH119
    finders = [finder.find_spec for finder in sys.meta_path if finder is not PathFinder and hasattr(finder, "find_spec")]
    specs = [PathFinder.find_spec(name, [entry]) for entry in sys.path] + [find(name, None) for find in finders]
    for spec in specs:
        folder = os.path.dirname(spec.origin or "") if spec else ""  # noqa: PTH120
        if folder and os.path.realpath(folder) != os.path.realpath(PACKAGE):
            yield folder
