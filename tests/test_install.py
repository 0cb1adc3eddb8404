"""Building and installing: what the sdist holds, what the build says without a compiler, which wheel it makes."""

import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
NATIVE, COMPILER = Path("autograd_lite/native"), Path("autograd_lite/compiler")
BUILT = ("*.so", "*.pyd", "__pycache__")
SOURCES = {path.name for folder in (NATIVE, COMPILER) for path in (ROOT / folder).iterdir() if path.suffix in {".c", ".h"}}
SUFFIX = sysconfig.get_config_var("EXT_SUFFIX")
TRIVIAL = """#include <Python.h>
#include "number.h"
static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "%(name)s", NULL, 0, NULL, NULL, NULL, NULL, NULL};
PyMODINIT_FUNC PyInit_%(name)s(void) {
    PyObject *module = PyModule_Create(&definition);
    PyModule_AddIntConstant(module, "number", NUMBER);
    return module;
}
"""


@pytest.fixture
def project(tmp_path):
    """The package with modules of ten lines for its extensions, which compile at once."""
    place = tmp_path / "project"
    shutil.copytree(ROOT / "autograd_lite", place / "autograd_lite", ignore=shutil.ignore_patterns(*BUILT))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, place)
    for folder, source, name in ((NATIVE, "module.c", "_native"), (COMPILER, "entry.c", "_entry")):
        for path in (place / folder).glob("*.[ch]"):
            path.unlink()
        (place / folder / source).write_text(TRIVIAL % {"name": name})
        (place / folder / "number.h").write_text("#define NUMBER 1\n")
    return place


def run(project, call, **variables):
    """One call of the build backend, as a frontend makes it; the files made, and what the build wrote."""
    out = project.parent / "out"
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AUTOGRAD_LITE_")} | variables
    program = f"import sys; sys.path.insert(0, {str(NATIVE)!r}); import build; build.{call}({str(out)!r})"
    result = subprocess.run(
        [sys.executable, "-c", program], cwd=project, env=environment, capture_output=True, text=True, check=False
    )
    return result.returncode, list(out.iterdir()), result.stdout + result.stderr


def said(output):
    return [line for line in output.splitlines() if line.startswith("autograd_lite: ")]


def extensions(wheel):
    with zipfile.ZipFile(wheel) as archive:
        return [name for name in archive.namelist() if name.endswith((".so", ".pyd"))]


def test_the_sdist_holds_the_c_sources_and_the_build_code(tmp_path):
    place = tmp_path / "project"
    shutil.copytree(ROOT / "autograd_lite", place / "autograd_lite", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, place)
    status, (sdist,), output = run(place, "build_sdist")
    assert status == 0, output
    with tarfile.open(sdist) as archive:
        held = {Path(name).name for name in archive.getnames() if "autograd_lite/" in name}
    assert SOURCES | {"build.py"} <= held
    assert {"module.c", "rules.h", "entry.c"} <= SOURCES
    assert not [name for name in held if name.endswith((".so", ".pyd"))]


def test_with_a_compiler_the_wheel_is_for_this_python_and_holds_no_source(project):
    status, (wheel,), output = run(project, "build_wheel", AUTOGRAD_LITE_REQUIRE_NATIVE="1")
    assert status == 0, output
    assert said(output) == ["autograd_lite: the native engine was built"]
    assert "experimental" not in output
    tag = f"cp{sys.version_info.major}{sys.version_info.minor}"
    assert wheel.name.split("-")[2:4] == [tag, tag]
    assert sorted(extensions(wheel)) == [f"{COMPILER.as_posix()}/_entry{SUFFIX}", f"{NATIVE.as_posix()}/_native{SUFFIX}"]
    with zipfile.ZipFile(wheel) as archive:
        assert not [name for name in archive.namelist() if name.endswith((".c", ".h"))]
        assert "autograd_lite/py.typed" in archive.namelist()


def test_what_was_built_in_the_tree_does_not_get_into_a_wheel(project):
    """After the editable installation of the README's first command, wheels hold what was compiled for them, or nothing."""
    for path in (project / NATIVE / f"_native{SUFFIX}", project / COMPILER / f"_entry{SUFFIX}"):
        path.write_bytes(b"old")
    _, (wheel,), output = run(project, "build_wheel", AUTOGRAD_LITE_REQUIRE_NATIVE="1")
    assert len(extensions(wheel)) == 2, output
    with zipfile.ZipFile(wheel) as archive:
        assert b"old" not in [archive.read(name) for name in extensions(wheel)]
    status, (wheel,), output = run(project, "build_wheel", AUTOGRAD_LITE_PURE="1")
    assert status == 0, output
    assert wheel.name.endswith("-py3-none-any.whl")
    assert extensions(wheel) == []


@pytest.mark.skipif(sys.platform != "linux", reason="reads ELF")
@pytest.mark.parametrize(("variables", "count"), [({}, 0), ({"CFLAGS": "-g"}, 1)])
def test_what_debuggers_read_is_left_out_unless_it_is_asked_for(project, variables, count):
    """Python's own flags, which extensions are compiled with, have a -g on most systems."""
    _, (wheel,), output = run(project, "build_wheel", AUTOGRAD_LITE_REQUIRE_NATIVE="1", **variables)
    with zipfile.ZipFile(wheel) as archive:
        (native,) = [archive.read(name) for name in extensions(wheel) if "_native" in name]
    assert native.count(b"\0.debug_info\0") == count, output


def test_a_changed_header_is_compiled_in(project):
    for number in ("1", "2"):
        (project / NATIVE / "number.h").write_text(f"#define NUMBER {number}\n")
        _, (wheel,), output = run(project, "build_wheel", AUTOGRAD_LITE_REQUIRE_NATIVE="1")
        unpacked = project.parent / number
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(unpacked)  # noqa: S202, made a moment ago
        program = f"import sys; sys.path.insert(0, {str(unpacked / NATIVE)!r}); import _native; print(_native.number)"
        result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
        assert result.stdout.strip() == number, output


@pytest.mark.parametrize(
    ("variables", "reason"),
    [
        ({"CC": "/bin/false"}, "the C compiler /bin/false failed"),
        ({"CC": "no-such-compiler"}, "there is no C compiler no-such-compiler"),
        ({"AUTOGRAD_LITE_PURE": "1"}, "AUTOGRAD_LITE_PURE is set"),
    ],
)
def test_without_an_extension_the_wheel_is_pure_and_one_line_says_why(project, variables, reason):
    """Whatever earlier builds left behind."""
    stale = project / "build" / f"lib.{sysconfig.get_platform()}-{sys.implementation.cache_tag}" / NATIVE
    stale.mkdir(parents=True)
    (stale / f"_native{SUFFIX}").write_bytes(b"old")
    status, (wheel,), output = run(project, "build_wheel", **variables)
    assert status == 0, output
    assert said(output) == [f"autograd_lite: the native engine was not built ({reason}); the engine in Python is installed"]
    assert wheel.name.endswith("-py3-none-any.whl")
    assert extensions(wheel) == []


def test_an_editable_installation_without_a_compiler_drops_the_old_extension(project):
    old = [project / NATIVE / f"_native{SUFFIX}", project / COMPILER / f"_entry{SUFFIX}"]
    assert run(project, "build_editable")[0] == 0
    assert [path.exists() for path in old] == [True, True]
    assert run(project, "build_editable", CC="/bin/false")[0] == 0
    assert [path.exists() for path in old] == [False, False]


@pytest.mark.parametrize("variables", [{"CC": "/bin/false"}, {"AUTOGRAD_LITE_PURE": "1"}, {}])
def test_a_required_extension_that_is_missing_is_an_error(project, variables):
    (project / NATIVE / "module.c").write_text("#error wrong code\n")
    status, made, output = run(project, "build_wheel", AUTOGRAD_LITE_REQUIRE_NATIVE="1", **variables)
    assert status != 0
    assert made == [], output


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("sys.implementation.name = 'pypy'", "it is for CPython"),
        ("build.sysconfig.get_config_var = lambda name: name == 'Py_GIL_DISABLED'", "it relies on the global interpreter lock"),
        ("build.sysconfig.get_platform = lambda: 'emscripten-4.0-wasm32'", "it is not made for emscripten"),
        ("pass", "None"),
    ],
)
def test_where_the_extension_is_not_even_tried(change, reason):
    program = f"import sys; sys.path.insert(0, {str(ROOT / NATIVE)!r}); import build; {change}; print(build.reason_to_skip())"
    environment = {name: value for name, value in os.environ.items() if name != "AUTOGRAD_LITE_PURE"}
    result = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    assert result.stdout.startswith(reason)
