"""Small extensions, compiled for a test as the package's own is, with warnings as errors; PURE says that none is wanted."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import autograd_lite

PURE = os.environ.get("AUTOGRAD_LITE_PURE", "0") not in ("", "0")
NATIVE = Path(autograd_lite.__file__).parent / "native"
SETUP = """
import sys
sys.path.insert(0, {native!r})
from build import BuildNative
from setuptools import Extension, setup
setup(
    name={name!r}, packages=[], py_modules=[], cmdclass={{"build_ext": BuildNative}},
    ext_modules=[Extension({name!r}, [{source!r}], include_dirs=[{native!r}])],
    script_args=["build_ext", "--build-lib", "built", "--build-temp", "objects"],
)
"""


def build(folder, name, source):
    """The module of that name from the text of a C file, built in an empty folder. Fails with what the compiler says."""
    (folder / f"{name}.c").write_text(source)
    environment = {**os.environ, "AUTOGRAD_LITE_REQUIRE_NATIVE": "1"}
    if os.name == "posix":
        environment["CFLAGS"] = "-Wall -Wextra -Werror"
    program = SETUP.format(native=str(NATIVE), name=name, source=f"{name}.c")
    result = subprocess.run(
        [sys.executable, "-c", program], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, f"the C compiler is needed, or set AUTOGRAD_LITE_PURE=1:\n{result.stdout}{result.stderr}"
    (built,) = [path for path in (folder / "built").iterdir() if path.suffix in (".so", ".pyd")]
    specification = importlib.util.spec_from_file_location(name, built)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module
