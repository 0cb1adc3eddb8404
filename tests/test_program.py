"""Programs as objects: their text, equality, JSON, pickles and size."""

import copy
import json
import math
import pickle
import subprocess
import sys
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd_lite as ag
from autograd_lite.compiler.instructions import Guard, Guards, Instruction, Instructions
from autograd_lite.compiler.program import PathError, Program, record
from autograd_lite.compiler.program_json import ProgramFormatError
from autograd_lite.primitive import Primitive
from autograd_lite.primitives import TABLE
from programs import EVERYTHING, programs
from recorded import BRANCHING, of_lines, recorded
from values import SPECIAL, bits

add, log = TABLE["add"], TABLE["log"]
LONG = record(lambda x: [x := TABLE["sin"](x) * 0.5 + float(i) for i in range(100)][-1], 1)


# --- text


def test_the_text_of_a_program():
    assert str(BRANCHING).splitlines() == [
        "inputs x0, x1",
        "assume not x0 >= 2.0",
        "assume x0 ** x1 is real",
        "v2 = x0 * x1",
        "assume v2 < 3.0",
        "v3 = log(v2)",
        "v4 = -x0",
        "v5 = absolute(v4)",
        "v6 = v3 - v5",
        "v7 = x0 ** x1",
        "v8 = step(x0)",
        "v9 = -x1",
        "v10 = where(v8, x0, v9)",
        "return v6, v7, v10",
    ]


def test_constants_in_the_text():
    program = record(lambda x: [x * -2.0, (-2.0) ** x, TABLE["maximum"](x, math.nan, -math.inf), -0.0, x // 3.0, x % 1e22], 1)
    assert str(program).splitlines()[1:] == [
        "v1 = x0 * -2.0",
        "v2 = (-2.0) ** x0",
        "v3 = maximum(x0, nan, -inf)",
        "v4 = x0 // 3.0",
        "v5 = x0 % 1e+22",
        "return v1, v2, v3, -0.0, v4, v5",
    ]


def test_a_short_program_is_shown_whole_and_a_long_one_counted():
    assert repr(record(lambda x: x * x + 1.0, 1)) == "<program: inputs x0; v1 = x0 * x0; v2 = v1 + 1.0; return v2>"
    assert repr(LONG) == "<program of 1 input, 300 instructions, 0 guards, 1 output>"
    assert repr(LONG.instructions) == "<300 instructions>"
    assert str(Program(0, (), (), ())) == "inputs\nreturn"


# --- rows


def test_instructions_are_a_sequence_of_tuples():
    rows = BRANCHING.instructions
    assert rows[1] == Instruction(log, (2,)) == (log, (2,))
    assert (rows[-9], rows[len(rows) - 1]) == (rows[0], rows[-1])
    assert rows[1:3] == (rows[1], rows[2])
    assert rows == tuple(rows) == Instructions(rows)
    assert rows == list(rows)
    assert hash(rows) == hash(tuple(rows))
    assert all(rows != other for other in (3, tuple(rows)[1:], Instructions(rows[1:]), rows[1:] + rows[:1]))
    for index in (9, -10):
        with pytest.raises(IndexError):
            rows[index]


def test_guards_are_a_sequence_of_tuples():
    guards = BRANCHING.guards
    assert set(guards) == {Guard("<", 2, -1, True), Guard(">=", 0, -2, False), Guard("is real", 0, 1, True)}
    assert guards == Guards(guards) == tuple(guards)
    assert guards[-1].comparison == "is real"


def test_a_program_takes_few_bytes_an_instruction():
    text = pickle.dumps(recorded(ag.value_and_grad(chain), 0.5))
    assert len(text) < 32 * 100_000
    tracemalloc.start()
    try:
        program = pickle.loads(text)
        size = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert len(program.instructions) > 100_000
    assert size <= 32 * len(program.instructions)


def chain(x):
    y = x
    for i in range(11_000):
        y = ag.sin(x * y + float(i)) * 0.5 + x
    return y


@pytest.mark.parametrize("branches", [bool, lambda x: x == 0.0, lambda x: x != x, lambda x: x in (1.0, 2.0)])
def test_a_straight_line_program_cannot_branch(branches):
    with pytest.raises(TypeError, match="a straight-line program cannot branch on the <number at 0 in a program>"):
        record(lambda x: x if branches(x) else -x, 1)


# --- equality


def test_constants_are_compared_by_their_bits():
    def constant(x):
        return Program(1, (x,), [Instruction(add, (0, -1))], (1,))

    assert constant(math.nan) == constant(float("nan")) == constant(-math.nan)
    assert hash(constant(math.nan)) == hash(constant(-math.nan))
    assert constant(0.0) != constant(-0.0)
    assert constant(1.0) != constant(math.nextafter(1.0, 2.0))
    assert constant(1.0) != "a program"


def test_every_part_of_a_program_tells_it_apart():
    rows = [Instruction(add, (0, 1)), Instruction(log, (2,))]
    guard = Guard("<", 0, 1, True)
    different = [
        Program(2, (), rows, (3,)),
        Program(2, (1.0,), rows, (3,)),
        Program(2, (), [Instruction(add, (1, 0)), rows[1]], (3,)),
        Program(2, (), [rows[0], Instruction(TABLE["exp"], (2,))], (3,)),
        Program(2, (), [Instruction(log, (0,)), Instruction(log, (1,))], (3,)),
        Program(2, (), [Instruction(TABLE["sum"], (0, 1)), Instruction(TABLE["sum"], (2,))], (3,)),
        Program(2, (), [Instruction(TABLE["sum"], (0,)), Instruction(TABLE["sum"], (1, 2))], (3,)),
        Program(2, (), rows, (2,)),
        Program(2, (), rows, (3, 3)),
        Program(3, (), rows, (3,)),
        *[Program(2, (), rows, (3,), [guard._replace(**{name: x})]) for name, x in guard._asdict().items()],
        *[Program(2, (), rows, (3,), [guard._replace(**change)]) for change in CHANGES],
        Program(2, (), rows, (3,), [guard, guard]),
    ]
    different = [x for i, x in enumerate(different) if i < 11 or i > 13]  # of four equal ones the first
    assert len(set(different)) == len({x.digest for x in different}) == len(different)


CHANGES = ({"comparison": "<="}, {"left": 1}, {"right": 0}, {"outcome": False})


def test_primitives_of_one_name_are_told_apart():
    twin = Primitive("log", log.fn, log.partials, log.domain, log.doc)
    programs = [Program(1, (), [Instruction(primitive, (0,))], (1,)) for primitive in (log, twin)]
    assert programs[0] != programs[1]


def test_the_digest_is_the_same_in_every_process():
    program = "from autograd_lite.compiler.program import record; print(record(lambda x: x * x + 0.5, 1).digest)"
    for seed in ("1", "2"):
        command = [sys.executable, "-c", program]
        result = subprocess.run(command, env={"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True)
        assert result.stdout.strip() == record(lambda x: x * x + 0.5, 1).digest


def test_programs_do_not_change():
    with pytest.raises(AttributeError):
        BRANCHING.inputs = 3


# --- pickle and JSON


ANY_PROGRAM = programs(names=EVERYTHING, numbers=SPECIAL, valid=False)


@given(ANY_PROGRAM)
def test_copies_are_equal(drawn):
    program = of_lines(drawn)
    text = program.to_json()
    for twin in (Program.from_json(text), pickle.loads(pickle.dumps(program)), copy.copy(program), copy.deepcopy(program)):
        assert twin == program
        assert hash(twin) == hash(program)
        assert list(map(bits, twin.constants)) == list(map(bits, program.constants))
        assert (twin.instructions, twin.outputs, str(twin)) == (program.instructions, program.outputs, str(program))
    assert Program.from_json(text).to_json() == text
    json.loads(text, parse_constant=pytest.fail)


def test_the_format():
    assert json.loads(BRANCHING.to_json()) == {
        "format": "autograd_lite program 1",
        "inputs": 2,
        "constants": [3.0, 2.0],
        "instructions": [
            ["multiply", 0, 1], ["log", 2], ["negative", 0], ["absolute", 4], ["subtract", 3, 5], ["power", 0, 1],
            ["step", 0], ["negative", 1], ["where", 8, 0, 9],
        ],
        "guards": [["<", 2, -1, True], [">=", 0, -2, False], ["is real", 0, 1, True]],
        "outputs": [6, 7, 10],
    }  # fmt: skip
    assert Program.from_json(BRANCHING.to_json()) == BRANCHING


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": 1}, 'not a program: "format" should be'),
        ({"more": 1}, "has the keys format, inputs, constants, instructions, guards, outputs, and this one .*more"),
        ({"inputs": -1}, '"inputs" should be how many there are, not -1'),
        ({"inputs": True}, '"inputs" should be how many'),
        ({"inputs": 2**31}, '"inputs" should be how many'),
        ({"constants": {}}, '"constants" should be a list'),
        ({"constants": [1]}, "constant 0: 1 is not a float"),
        ({"constants": [True]}, "constant 0: True is not a float"),
        ({"constants": ["Infinity"]}, "constant 0: 'Infinity' is not a float"),
        ({"instructions": [["import", 0]]}, "instruction 0: no primitive is called 'import'; .*the row is ..import., 0.$"),
        ({"instructions": [["log", 0, 1]]}, "instruction 0: log does not take 2 operands"),
        ({"instructions": [["dot", 0, 1, 0]]}, "instruction 0: dot does not take 3 operands"),
        ({"instructions": [["sum"]]}, "instruction 0: sum does not take 0 operands"),
        ({"instructions": [["log", 2]]}, "instruction 0: 2 is not the place of"),
        ({"instructions": [["log", -3]]}, "instruction 0: -3 is not the place of"),
        ({"instructions": [["log", True]]}, "instruction 0: True is not the place of"),
        ({"instructions": [["log", 0.0]]}, "instruction 0: 0.0 is not the place of"),
        ({"instructions": ["log"]}, "instruction 0: a row is a list that begins with a name"),
        ({"instructions": [{"negative": 0}]}, "instruction 0: a row is a list"),
        ({"instructions": [[["log"], 0]]}, "instruction 0: a row is a list"),
        ({"guards": [["<", 0, 1, 1]]}, "guard 0: a guard is "),
        ({"guards": [["=", 0, 1, True]]}, "guard 0: a guard is "),
        ({"guards": [["<", 0, 11, True]]}, "guard 0: 11 is not the place of"),
        ({"guards": [["<", 0, True]]}, "guard 0: not enough values"),
        ({"outputs": [11]}, "output 0: 11 is not the place of"),
    ],
)
def test_what_is_no_program_is_named(change, message):
    with pytest.raises(ProgramFormatError, match=message):
        Program.from_json(json.dumps({**json.loads(BRANCHING.to_json()), **change}))


@pytest.mark.parametrize(
    "text",
    [
        *("", "[" * 100_000, "[]", "null", "{}", BRANCHING.to_json()[:-1], "1" * 10_000),
        BRANCHING.to_json()[:-1] + ', "inputs": 1}',
        *(BRANCHING.to_json().replace('"constants":[', f'"constants":[{x},') for x in ("NaN", "-Infinity", "1e999")),
    ],
)
def test_some_bad_texts(text):
    with pytest.raises(ProgramFormatError):
        Program.from_json(text)


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-4, 12)
    | st.floats(allow_nan=False)
    | st.sampled_from(["add", "sum", "dot", "clip", "nan", "inf", "<", "is real", "x"]),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.sampled_from(["format", "inputs"]), inner, max_size=2),
)


@given(st.data())
def test_damaged_programs(data):
    """A program with any part replaced raises ProgramFormatError, or makes a program that runs or says why not."""
    document = json.loads(BRANCHING.to_json())
    key = data.draw(st.sampled_from(sorted(document)))
    part = document[key]
    if isinstance(part, list) and data.draw(st.booleans()):
        i = data.draw(st.integers(0, len(part) - 1))
        if isinstance(part[i], list) and data.draw(st.booleans()):
            part[i][data.draw(st.integers(0, len(part[i]) - 1))] = data.draw(VALUES)
        else:
            part[i] = data.draw(VALUES)
    else:
        document[key] = data.draw(VALUES)
    try:
        program = Program.from_json(json.dumps(document))
    except ProgramFormatError:
        return
    assert Program.from_json(program.to_json()) == program
    try:
        program(*[0.5] * program.inputs)
    except (PathError, ValueError) as error:
        assert str(error)
