"""The compiled engine is used where it fits, and what stands in its way is said: stale builds, builds that lie elsewhere."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import autograd_lite
from autograd_lite import builds, on_demand

PACKAGE = Path(autograd_lite.__file__).parent
IMPORT = "import autograd_lite as ag; print(ag.engine_name); assert ag.grad(lambda x: x * x)(3.0) == 6.0"
BUILT = ("*.so", "*.pyd")
needs_native = pytest.mark.skipif(autograd_lite.engine_name == "python", reason="about the compiled engine")


def copied(place, without=()):
    """The package, as it is here, in a folder."""
    shutil.copytree(PACKAGE, place / "autograd_lite", ignore=shutil.ignore_patterns("__pycache__", *without))
    return place


def imported(place, *path, **variables):
    """The engine that Python uses in a folder, with others on its path and nothing else, and the warnings."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AUTOGRAD_LITE_")} | variables
    environment["PYTHONPATH"] = os.pathsep.join(map(str, path))
    result = subprocess.run(
        [sys.executable, "-S", "-c", IMPORT], cwd=place, env=environment, capture_output=True, text=True, check=True
    )
    return result.stdout.strip(), result.stderr


@needs_native
def test_a_clone_without_a_build_says_that_there_is_one_elsewhere(tmp_path):
    clone = copied(tmp_path / "clone", without=BUILT)
    elsewhere = copied(tmp_path / "site-packages", without=("*.c", "*.h"))
    assert imported(elsewhere) == ("native", "")
    engine, said = imported(clone, elsewhere)
    assert engine == "python"
    assert said.count("RuntimeWarning") == 1
    assert f"imported from {clone / 'autograd_lite'}" in said
    assert f"one is installed in {elsewhere / 'autograd_lite'}" in said
    assert f"Run `python -m pip install -e .` in {clone}" in said
    assert imported(clone, elsewhere, AUTOGRAD_LITE_PURE="1") == ("python", "")


def test_where_no_engine_is_compiled_nothing_is_said(tmp_path):
    clone = copied(tmp_path / "clone", without=BUILT)
    pure = copied(tmp_path / "site-packages", without=(*BUILT, "*.c", "*.h"))
    assert imported(clone, pure) == ("python", "")
    assert imported(clone, clone) == ("python", "")


@needs_native
def test_an_editable_installation_of_another_clone_is_found(tmp_path, monkeypatch):
    """Its finder is on no path: it stands behind the others in sys.meta_path."""
    other = copied(tmp_path / "other")

    class Editable:
        def find_spec(self, name, path=None, target=None):
            place = [str(other)] if name == "autograd_lite" else []
            return builds.PathFinder.find_spec(name, place)

    monkeypatch.setattr(sys, "meta_path", [builds.PathFinder, Editable()])
    monkeypatch.setattr(builds, "PACKAGE", str(tmp_path / "clone" / "autograd_lite"))
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    with pytest.warns(RuntimeWarning, match="one is installed in .*other"):
        builds.warn_of_another("native._native")


@needs_native
@pytest.mark.parametrize("changed", ["native/module.c", "native/node.h"])
def test_a_build_from_other_c_files_is_not_used(tmp_path, changed):
    clone = copied(tmp_path / "clone")
    assert imported(clone) == ("native", "")
    with (clone / "autograd_lite" / changed).open("a") as file:
        file.write("/* another */")
    engine, said = imported(clone)
    assert engine == "python"
    assert said.count("RuntimeWarning") == 1
    assert "autograd_lite.native._native is not used, for it was built from other C files" in said
    assert f"run `python -m pip install -e .` in {clone}" in said


def test_the_checksum_is_of_all_c_files_and_of_nothing_else(tmp_path):
    assert builds.checksum(str(tmp_path)) is None
    (tmp_path / "a.c").write_text("int a;")
    first = builds.checksum(str(tmp_path))
    (tmp_path / "a.py").write_text("a = 1")
    assert builds.checksum(str(tmp_path)) == first
    (tmp_path / "b.h").write_text("int b;")
    assert builds.checksum(str(tmp_path)) != first


def test_how_to_install_depends_on_where_the_package_is(tmp_path, monkeypatch):
    monkeypatch.setattr(on_demand, "ROOT", str(tmp_path))
    assert on_demand.how_to_install("compile", "numpy", "llvmlite") == "python -m pip install numpy llvmlite"
    (tmp_path / "pyproject.toml").touch()
    assert on_demand.how_to_install("compile", "numpy") == f"python -m pip install -e '.[compile]' in {tmp_path}"
