"""The engine's tests on a native engine that watches itself: ``python tests/sanitize.py`` (gcc or clang, Linux).

The extensions are compiled with AddressSanitizer and UndefinedBehaviorSanitizer in a copy of the project, which is thrown away.
Other tests than the usual ones are named as arguments: ``python tests/sanitize.py tests/test_nn.py``.
"""

import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from autograd_lite.builds import checksum  # noqa: E402

TESTS = [f"tests/test_{name}.py" for name in ("engine", "sweep", "cycles", "depth_and_copies", "modes", "entry")]
FLAGS = [
    *("-O1", "-g", "-std=c11", "-ffp-contract=off", "-fno-omit-frame-pointer", "-shared", "-fPIC"),
    *("-fsanitize=address,undefined", "-fno-sanitize-recover=all"),
]
# It starts processes in an environment of its own, where the sanitizers' libraries are not loaded first.
LEFT_OUT = "tests/test_depth_and_copies.py::test_same_bits_in_every_process"
COMPILER = shlex.split(os.environ.get("CC", "gcc"))


def copy_project(place: Path) -> None:
    """What the tests need, without what was built."""
    for name in ("autograd_lite", "tests", "notebooks"):
        shutil.copytree(ROOT / name, place / name, ignore=shutil.ignore_patterns("*.so", "__pycache__"))
    for name in ("pyproject.toml", "README.md"):
        shutil.copy(ROOT / name, place)


def compile_extension(source: Path, name: str) -> None:
    """A file into an extension beside it."""
    target = source.with_name(f"{name}{sysconfig.get_config_var('EXT_SUFFIX')}")
    include = sysconfig.get_path("include")
    sources = f"-DSOURCES={checksum(str(source.parent))}"
    subprocess.run([*COMPILER, *FLAGS, sources, f"-I{include}", str(source), "-o", str(target), "-lm"], check=True)


def library(name: str) -> str:
    """The compiler's own copy of a library."""
    found = subprocess.run([*COMPILER, f"-print-file-name={name}"], capture_output=True, text=True, check=True)
    return found.stdout.strip()


def main(tests: list[str]) -> int:
    """Pytest's exit status; memory that Python keeps until it ends is not called a leak."""
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        copy_project(place)
        compile_extension(place / "autograd_lite" / "native" / "module.c", "_native")
        compile_extension(place / "autograd_lite" / "compiler" / "entry.c", "_entry")
        environment = os.environ | {
            "LD_PRELOAD": f"{library('libasan.so')} {library('libubsan.so')}",
            "ASAN_OPTIONS": "detect_leaks=0",
            "UBSAN_OPTIONS": "print_stacktrace=1",
            "PYTHONMALLOC": "malloc",
        }
        environment.pop("AUTOGRAD_LITE_PURE", None)
        check = "from autograd_lite import engine_name as name; print('engine:', name); assert name == 'native'"
        subprocess.run([sys.executable, "-c", check], cwd=place, env=environment, check=True)
        pytest = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--deselect={LEFT_OUT}", *tests]
        return subprocess.run(pytest, cwd=place, env=environment, check=False).returncode


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:] or TESTS))
