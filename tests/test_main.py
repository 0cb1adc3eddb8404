"""The command line: what it prints, its exit statuses, and that every mistake gives one line with a caret."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd_lite as ag
from autograd_lite.__main__ import BROKEN_PIPE, FAILURE, main
from autograd_lite.expression import SPELLINGS, parse
from autograd_lite.primitives import TABLE
from autograd_lite.report import as_json, as_text, differentiate

ROOT = Path(ag.__file__).parents[1]
CLASSIC = ["(a + b) * (b + 1)", "a=2", "b=1"]


def start(*arguments, **options):
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **options.pop("env", {})}
    return subprocess.Popen(
        [sys.executable, "-m", "autograd_lite", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
        **options,
    )


def run(*arguments, **options):
    process = start(*arguments, **options)
    output, errors = process.communicate(timeout=60)
    return process.returncode, output, errors


def reported(text, hessian=False, **point):
    return differentiate(parse(text), point, hessian)


@pytest.fixture
def call(capsys):
    def call(*arguments):
        status = main(list(arguments))
        output, errors = capsys.readouterr()
        return status, output, errors

    return call


# --- in a process of its own


def test_the_classic_expression():
    status, output, errors = run(*CLASSIC)
    assert (status, errors) == (0, b"")
    assert output.decode() == as_text(reported("(a + b) * (b + 1)", a=2.0, b=1.0)).replace("\n", os.linesep)
    assert b"f = 6" in output
    assert b"df/da = 2" in output
    assert b"df/db = 5" in output


@pytest.mark.parametrize(
    "arguments",
    [
        ["a b"],
        ["a +"],
        ["nofunction(1)"],
        ["a"],
        ["9**9**9**9"],
        ["(" * 5000],
        ["-" * 5000 + "1"],
        ["1/0"],
        ["a", "a=x"],
        ["--nonsense"],
        [],
    ],
)
def test_mistakes_end_with_status_2_and_a_line_on_the_error_stream(arguments):
    status, output, errors = run(*arguments)
    assert (status, output) == (2, b"")
    lines = errors.decode().splitlines()
    assert lines[0].startswith("autograd-lite: error: ")
    if arguments and arguments != ["--nonsense"]:
        assert len(lines) == 3
        assert set(lines[2].strip()) == {"^"}
    else:
        assert len(lines) == 1


@pytest.mark.parametrize("arguments", [[" + ".join(["x"] * 900), "x=1", "--all"], ["2"], ["--help"], ["primitives"]])
def test_a_reader_that_stops_reading(arguments):
    process = start(*arguments)
    process.stdout.close()
    errors = process.stderr.read()
    process.stderr.close()
    assert (process.wait(timeout=60), errors) == (BROKEN_PIPE, b"")


NEEDS_SHELL = pytest.mark.skipif(os.name != "posix", reason="streams are closed by a POSIX shell")


def run_in_shell(redirections, *arguments):
    """The status and what is left of both streams, with the shell's redirections."""
    shell = ["/bin/sh", "-c", f'"$0" -m autograd_lite "$@" {redirections}', sys.executable, *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(shell, capture_output=True, env=environment, timeout=60, check=False)
    return done.returncode, done.stdout, done.stderr.decode()


@NEEDS_SHELL
@pytest.mark.parametrize("arguments", [CLASSIC, [*CLASSIC, "--json"], ["--help"], ["--version"], ["primitives"]])
def test_a_closed_output_is_an_error(arguments):
    line = "autograd-lite: error: cannot write the output: it is closed\n"
    assert run_in_shell(">&-", *arguments) == (FAILURE, b"", line)


@NEEDS_SHELL
@pytest.mark.parametrize("redirections", ["2>&-", ">&- 2>&-", "<&- >&- 2>&-"])
def test_a_mistake_that_nobody_can_be_told(redirections):
    assert run_in_shell(redirections, "a +") == (FAILURE, b"", "")


@NEEDS_SHELL
def test_a_closed_error_stream_or_input_does_not_disturb_a_result():
    expected = run_in_shell("", *CLASSIC)
    assert expected[0] == 0
    assert run_in_shell("2>&-", *CLASSIC) == run_in_shell("<&-", *CLASSIC) == expected


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_a_full_disk():
    line = "autograd-lite: error: cannot write the output: No space left on device\n"
    assert run_in_shell(">/dev/full", *CLASSIC) == (FAILURE, b"", line)
    assert run_in_shell(">/dev/full 2>/dev/full", *CLASSIC) == run_in_shell("2>/dev/full", "a +") == (FAILURE, b"", "")


def test_characters_that_the_terminal_lacks_are_escaped():
    status, output, _ = run("αβ * 2", "αβ=1", env={"PYTHONIOENCODING": "ascii"})
    assert status == 0
    assert rb"\u03b1\u03b2 * 2" in output


def test_arguments_that_are_no_text():
    status, _, errors = run(b"a\xff + 1", b"a=1")
    assert status == 2
    assert b"cannot be part of an expression" in errors


# --- output


def test_json(call):
    status, output, errors = call(*CLASSIC, "--json", "--hessian")
    assert (status, errors) == (0, "")
    assert output == as_json(reported("(a + b) * (b + 1)", True, a=2.0, b=1.0))
    assert json.loads(output)["hessian"] == [[0.0, 1.0], [1.0, 2.0]]


def test_hessian(call):
    status, output, _ = call("--hessian", *CLASSIC)
    assert status == 0
    assert output == as_text(reported("(a + b) * (b + 1)", True, a=2.0, b=1.0))


def test_all(call):
    text = " + ".join([f"x ** {i}" for i in range(50)])
    assert "--all" in call(text, "x=1")[1]
    assert call(text, "x=1", "--all")[1] == as_text(reported(text, x=1.0), everything=True)


def drawing(text, **point):
    leaves = {name: ag.Value(x, label=name) for name, x in point.items()}
    y = parse(text).evaluate(leaves)
    y.backward()
    return ag.show.graph.to_dot(y)


def test_dot_on_the_output(call):
    status, output, _ = call(*CLASSIC, "--dot", "-")
    assert (status, output) == (0, drawing("(a + b) * (b + 1)", a=2.0, b=1.0))
    assert "grad 5" in output


@pytest.mark.parametrize("option", [lambda path: ["--dot", path], lambda path: [f"--dot={path}"]])
def test_dot_in_a_file(call, tmp_path, option):
    path = tmp_path / "graph.dot"
    status, output, _ = call(*CLASSIC, *option(str(path)), "--json")
    assert (status, output) == (0, as_json(reported("(a + b) * (b + 1)", a=2.0, b=1.0)))
    assert path.read_text(encoding="utf-8") == drawing("(a + b) * (b + 1)", a=2.0, b=1.0)


def test_dot_of_a_constant_and_of_a_variable(call):
    assert "data 4" in call("2 + 2", "--dot", "-")[1]
    assert "grad 1" in call("x", "x=3", "--dot", "-")[1]


@pytest.mark.parametrize("name", ["missing/graph.dot", "", "graph\0.dot"])
def test_a_file_that_cannot_be_written(call, tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    status, output, errors = call("a", "a=1", "--dot", name)
    assert (status, output) == (2, "")
    assert errors.startswith("autograd-lite: error: cannot write ")
    assert errors.count("\n") == 1


@pytest.mark.parametrize("arguments", [["primitives"], ["--primitives"]])
def test_the_table(call, arguments):
    status, output, _ = call(*arguments)
    assert status == 0
    for primitive in TABLE.values():
        lines = [line for line in output.splitlines() if line.startswith(f"{primitive.name}(")]
        assert len(lines) == primitive.public
        assert all([primitive.doc in line for line in lines])
    assert "arcsin(x)" in output
    assert "-1 < x < 1" in output
    assert "x ** y" in output
    assert "whole order" in output


def test_a_variable_called_primitives(call):
    assert "df/dprimitives = 1" in call("primitives", "primitives=2")[1]


def test_help(call):
    status, output, _ = call("--help")
    assert status == 0
    assert CLASSIC[0] in output
    for name in [*SPELLINGS, *[name for name, primitive in TABLE.items() if primitive.public]]:
        assert name in output.split()


def test_version(call):
    assert call("--version") == (0, f"autograd-lite {ag.__version__}\n", "")


# --- arguments


@pytest.mark.parametrize(
    ("given_text", "number"),
    [("2", 2.0), ("-1.5", -1.5), ("1e-3", 1e-3), ("1/3", 1 / 3), ("-pi/2", -1.5707963267948966), (" 2 ", 2.0), ("-0.0", -0.0),
     ("e", 2.718281828459045), ("sqrt(2)", 2**0.5), ("1_000", 1000.0), ("2**-3", 0.125), ("1 if 2 > 1 else 0", 1.0)],
)  # fmt: skip
def test_numbers_of_variables(call, given_text, number):
    status, output, _ = call("a", f"a={given_text}", "--json")
    assert status == 0
    assert repr(json.loads(output)["value"]) == repr(number)


def test_infinite_variables_are_allowed_where_the_result_is_finite(call):
    assert "f = 0\n" in call("exp(-x)", "x=inf")[1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["a + b", "a=abc", "b=1"], "abc is no number\n  a=abc\n    ^^^"),
        (["a + b", "a=  1 + abc", "b=1"], "abc is no number\n  a=  1 + abc\n          ^^^"),
        (["a", "a=1 +"], "an operand is missing\n  a=1 +\n       ^"),
        (["a", "a==2"], "invalid syntax\n  a==2\n    ^"),
        (["a", "a=(0-1)**0.5"], "is complex: "),
        (["a", "a="], "a has no number\n  a=\n    ^"),
        (["a", "a= "], "a has no number\n"),
        (["a", "=2"], "'' is no name of a variable\n  =2\n  ^"),
        (["a", "2=2"], "'2' is no name of a variable\n  2=2\n  ^"),
        (["a", "a+b=2"], "'a+b' is no name of a variable\n  a+b=2\n  ^^^"),
        (["a", "2"], "NAME=NUMBER; quote the expression for the shell\n  2\n  ^"),
        (["a", "+", "b", "a=1"], "NAME=NUMBER; quote the expression for the shell\n  +\n"),
        (["a", "a=1", "a=1"], "a is given twice\n  a=1\n  ^^^"),
        (["ﬁ", "fi=1", "ﬁ=1"], "fi is given twice"),
        (["a*b", "a=1", "c=2", "b=1"], "the expression has no variable c; its variables: a, b\n  c=2\n  ^"),
        (["1 + 1", "pi=2"], "the expression has no variable pi; its variables: none\n"),
        (["a*b", "b=1"], "no value for a: give a=NUMBER\n  a*b\n  ^"),
        (["a*b"], "no value for a, b: give a=NUMBER"),
        (["x ^ 2", "x=3"], "a power is written **\n  x ^ 2\n    ^"),
        (["sqrt(x)", "x=0"], "the derivative by x is inf"),
        (["x**1.5", "x=0", "--hessian"], "the second derivative by x and x is inf"),
        (["a", "a=1", "--json", "--dot", "-"], "--json and --dot - both write"),
        (["a", "a=1", "--dot"], "expected one argument"),
        (["a", "a=1", "--hess"], "unrecognized arguments: --hess"),
        (["a", "a=1", "--json=1"], "--json"),
        ([""], "the expression is empty"),
        ([], "give an expression"),
        (["a\nb"], "invalid syntax"),
    ],
)
def test_mistakes(call, arguments, message):
    status, output, errors = call(*arguments)
    assert (status, output) == (FAILURE, "")
    assert message in errors
    assert errors.startswith("autograd-lite: error: ")
    assert errors.count("\n") <= 3


def test_an_expression_may_begin_with_a_minus_sign_and_options_may_stand_anywhere(call):
    for arguments in (
        ["-x**2", "x=3"],
        ["--json", "-x**2", "x=3"],
        ["-x**2", "--json", "x=3"],
        ["--json", "--", "-x**2", "x=3"],
    ):
        assert call(*[a for a in arguments if a != "--json"])[1].startswith("f = -x**2")
        status, output, _ = call(*arguments, *([] if "--json" in arguments else ["--json"]))
        assert (status, json.loads(output)["gradient"]) == (0, {"x": -6.0})
    assert json.loads(call("--json", "--", "--x", "x=3")[1])["value"] == 3.0
    assert json.loads(call("--json", "--(x)", "x=3")[1])["value"] == 3.0


def test_constants_may_be_given_a_value(call):
    assert "f = 4" in call("e + 1", "e=3")[1]


@given(
    st.lists(
        st.text(max_size=8)
        | st.sampled_from(["a", "a=1", "-a", "--", "--json", "--all", "--hessian", "primitives", "a=", "=", "-"]),
        max_size=4,
    )
)
def test_any_arguments_end_with_status_0_or_2(arguments):
    output = io.StringIO()
    previous = sys.stdout, sys.stderr
    sys.stdout = sys.stderr = output
    try:
        status = main(arguments)
    finally:
        sys.stdout, sys.stderr = previous
    assert status in (0, 2)
    assert ("autograd-lite: error: " in output.getvalue()) == (status == 2)


@pytest.mark.parametrize("argument", ["1", "--help", "--version", "primitives"])
def test_an_output_that_cannot_be_written(monkeypatch, capsys, argument):
    class Full(io.StringIO):
        def flush(self):
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(sys, "stdout", Full())
    assert main([argument]) == FAILURE
    assert capsys.readouterr().err == "autograd-lite: error: cannot write the output: No space left on device\n"
