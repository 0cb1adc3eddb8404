"""Machine code is shared by equal programs in a process, and by processes through a folder."""

import os
import subprocess
import sys

import numpy as np

import autograd_lite as ag
from autograd_lite.compiler import llvm

PROGRAM = """
import sys
import autograd_lite as ag
from autograd_lite.compiler import llvm

if sys.argv[1] == "again":
    llvm.Code._keep = lambda *_: sys.exit("machine code was made once more")
kernel = ag.compile(ag.value_and_grad(lambda x: ag.sin(x) * ag.exp(-x * x)))
print(kernel(0.3))
"""


def run(folder, *arguments, program=PROGRAM):
    environment = {**os.environ, "AUTOGRAD_LITE_CACHE": str(folder), "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    return subprocess.run(
        [sys.executable, "-c", program, *arguments], env=environment, capture_output=True, text=True, check=False
    )


def test_equal_programs_share_their_machine_code():
    kernels = [ag.compile(lambda x, y: x * y + ag.tanh(x), exact=exact) for exact in (False, False, True)]
    assert [kernel(0.5, 2.0) for kernel in kernels] == [kernels[0](0.5, 2.0)] * 3
    codes = [next(iter(kernel._paths[0]._code.values())).code for kernel in kernels]
    assert codes[0] is codes[1]
    assert codes[0] is not codes[2]


def test_another_process_takes_what_is_kept(tmp_path):
    first = run(tmp_path, "first")
    assert first.returncode == 0, first.stderr
    kept = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert kept
    again = run(tmp_path, "again")
    assert (again.returncode, again.stdout) == (0, first.stdout), again.stderr
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == kept


def test_nothing_is_kept_unasked(tmp_path):
    assert run("", "first").returncode == 0
    assert run(tmp_path, "first").stdout == run("", "first").stdout


def test_a_folder_that_cannot_be_written_to_is_a_warning(tmp_path):
    (tmp_path / "file").write_text("")
    result = run(tmp_path / "file", "first")
    assert result.returncode == 0
    assert "AUTOGRAD_LITE_CACHE: machine code is not kept" in result.stderr


def test_code_that_calls_functions_in_python_is_not_kept(tmp_path):
    program = "import autograd_lite as ag; print(ag.compile(lambda x: ag.around(x, 1.0), exact=True)(0.26))"
    result = run(tmp_path, program=program)
    assert (result.returncode, result.stdout.strip()) == (0, "0.3"), result.stderr
    assert list(tmp_path.iterdir()) == []


def test_machine_code_is_freed_with_its_kernels():
    kernel = ag.compile(lambda x: x * 1.2345678 + 9.87)
    kernel(np.arange(3.0))
    before = len(llvm._made)
    del kernel
    assert len(llvm._made) < before
