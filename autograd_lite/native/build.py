"""The build backend (PEP 517): setuptools, which compiles the extensions where it can and goes on without where it cannot.

Those are the engine, `native._native`, and the direct way into compiled functions, `compiler._entry`. Without them the engine
in Python is installed, in a wheel for every platform, and one line of the build's output says why. The environment decides:
AUTOGRAD_LITE_PURE=1 leaves them out, AUTOGRAD_LITE_REQUIRE_NATIVE=1 makes it an error not to have them. Nothing of the package
imports this module.
"""

import logging
import os
import platform
import runpy
import shutil
import sys
import sysconfig
import warnings
from pathlib import Path

from setuptools import Extension
from setuptools.build_meta import (
    build_editable,
    build_sdist,
    build_wheel,
    get_requires_for_build_editable,
    get_requires_for_build_sdist,
    get_requires_for_build_wheel,
    prepare_metadata_for_build_editable,
    prepare_metadata_for_build_wheel,
)
from setuptools.command.build_ext import build_ext
from setuptools.errors import BaseError, CCompilerError, PlatformError

checksum = runpy.run_path(str(Path(__file__).parents[1] / "builds.py"))["checksum"]  # the package itself is not imported

__all__ = [
    "build_editable",
    "build_sdist",
    "build_wheel",
    "get_requires_for_build_editable",
    "get_requires_for_build_sdist",
    "get_requires_for_build_wheel",
    "prepare_metadata_for_build_editable",
    "prepare_metadata_for_build_wheel",
]

# setuptools calls the table that declares the extension experimental; users who install can do nothing about that.
warnings.filterwarnings("ignore", message=r"[\s\S]*tool\.setuptools\.ext-modules")

# Functions of libm whose last bit is its own. Compilers that know them fold constants and merge calls, with other bits.
LIBM = (
    *("acos", "acosh", "asin", "asinh", "atan", "atan2", "atanh", "cbrt", "cos", "cosh", "erf", "erfc", "exp", "exp2", "expm1"),
    *("hypot", "lgamma", "log", "log10", "log1p", "log2", "pow", "sin", "sinh", "tan", "tanh", "tgamma"),
)  # fmt: skip
# Each operation is rounded once, as Python's is: no contraction to fused multiply-adds, no algebra on floats.
UNIX_FLAGS = ("-O2", "-std=c11", "-ffp-contract=off", "-fno-fast-math", *(f"-fno-builtin-{name}" for name in LIBM))
MSVC_FLAGS = ("/O2", "/std:c11", "/fp:precise")


def flag(name: str) -> bool:
    """Whether the environment sets this variable to something else than 0."""
    return os.environ.get(name, "0") not in ("", "0")


def reason_to_skip() -> str | None:
    """Why the extension is not even tried here, or None."""
    target = sysconfig.get_platform()
    if flag("AUTOGRAD_LITE_PURE"):
        return "AUTOGRAD_LITE_PURE is set"
    if sys.implementation.name != "cpython":
        return f"it is for CPython, and this is {platform.python_implementation()}"
    if sysconfig.get_config_var("Py_GIL_DISABLED"):
        return "it relies on the global interpreter lock, and this is a free-threaded build"
    if target.startswith(("emscripten", "wasi", "pyodide")):
        return f"it is not made for {target}"
    return None


class BuildNative(build_ext):
    """``build_ext`` that ends without the extension, and says so, where `reason_to_skip` or the compiler gives a reason."""

    def finalize_options(self) -> None:
        """The headers belong to the sources. Always compiles: a change of flags or compiler shows in no file's date."""
        super().finalize_options()
        self.force = True
        for extension in self.extensions:
            folder = Path(extension.sources[0]).parent
            extension.depends = [path.as_posix() for path in sorted(folder.glob("*.h"))]

    def run(self) -> None:
        """Raises setuptools' error, or PlatformError, if AUTOGRAD_LITE_REQUIRE_NATIVE is set and there is no extension."""
        required = flag("AUTOGRAD_LITE_REQUIRE_NATIVE")
        reason = reason_to_skip()
        if reason is None:
            try:
                super().run()
            except (BaseError, CCompilerError, OSError) as error:
                if required:
                    raise
                reason = self.cause(error)
            else:
                self.announce("autograd_lite: the native engine was built", logging.WARNING)
                return
        if required:
            raise PlatformError(f"AUTOGRAD_LITE_REQUIRE_NATIVE is set, but the native engine cannot be built: {reason}")
        self.leave_out()
        self.announce(
            f"autograd_lite: the native engine was not built ({reason}); the engine in Python is installed", logging.WARNING
        )

    def build_extension(self, ext: Extension) -> None:
        """Flags in the environment come first: what must hold for the bits has the last word.

        What debuggers read, four fifths of a wheel, is left out unless ``--debug`` or a -g in CFLAGS asks for it.
        """
        ext.define_macros = [*ext.define_macros, ("SOURCES", str(checksum(str(Path(ext.sources[0]).parent))))]
        if self.compiler.compiler_type == "msvc":
            ext.extra_compile_args = list(MSVC_FLAGS)
        else:
            wanted = self.debug or "-g" in os.environ.get("CFLAGS", "").split()
            ext.extra_compile_args = [*UNIX_FLAGS, *([] if wanted else ["-g0"])]
            ext.extra_link_args = ["-fno-fast-math"]  # where it is linked, fast-math flushes subnormals in the whole process
            ext.libraries = ["m"]  # by name: symbols without a version are bound to libm's oldest, not to those Python calls
        super().build_extension(ext)

    def cause(self, error: Exception) -> str:
        """In a few words; what the compiler wrote stands above in the output."""
        command = getattr(self.compiler, "compiler_so", None)
        if not isinstance(error, CCompilerError) or not command:
            return " ".join(str(error).split())
        missing = shutil.which(command[0]) is None
        return f"there is no C compiler {command[0]}" if missing else f"the C compiler {command[0]} failed"

    def leave_out(self) -> None:
        """From here on the distribution is pure; what an earlier build left would be packed or imported, so it goes."""
        for extension in self.extensions:
            built = Path(self.get_ext_filename(extension.name))
            Path(self.build_lib, built).unlink(missing_ok=True)
            if self.editable_mode:
                Path(extension.sources[0]).with_name(built.name).unlink(missing_ok=True)
        self.extensions = self.distribution.ext_modules = []
        wheel = self.distribution.get_command_obj("bdist_wheel", create=False)
        if wheel is not None:
            wheel.root_is_pure = True
