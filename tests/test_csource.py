"""Programs recorded from rules, float functions read from Python, both printed as C; and the generated file is current."""

import math
import random
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

import float_functions
import refused_functions as refused
from autograd_lite import Value, floats, gradient, special
from autograd_lite.compiler import csource
from autograd_lite.compiler.program import Program, Recording, Variable, record
from autograd_lite.compiler.translate import TranslationError, closure, signature, translate
from autograd_lite.native import generate
from autograd_lite.primitive import Interval, Primitive
from autograd_lite.primitives import TABLE
from extensions import PURE, build
from float_functions import FUNCTIONS
from points import number, points

log, maximum, sigmoid = TABLE["log"], TABLE["maximum"], TABLE["sigmoid"]
RULES = [
    (primitive, i, rule)
    for primitive in generate.entries()
    if not primitive.variadic
    for i, rule in enumerate(primitive.partials)
    if rule is not None
]


def bits(x):
    return "nan" if x != x else float(x).hex()


# --- programs


def test_a_program_is_straight():
    program = record(lambda x, y: [log(x * y), 2.0], 2)
    assert [(instruction.primitive.name, instruction.operands) for instruction in program.instructions] == [
        ("multiply", (0, 1)),
        ("log", (2,)),
    ]
    assert (program.inputs, program.constants, program.outputs) == (2, (2.0,), (3, -1))
    assert program(2.0, 0.5) == [0.0, 2.0]


def test_every_operator_of_numbers_is_recorded():
    program = record(lambda x, y: [x + y, x - y, x * y, x / y, x // y, x % y, x**y, -x, +x, abs(x)], 2)
    args = (7.5, 2.0)
    assert program(*args) == [9.5, 5.5, 15.0, 3.75, 3.0, 1.5, 56.25, -7.5, 7.5, 7.5]
    reflected = record(lambda y: [7.5 + y, 7.5 - y, 7.5 * y, 7.5 / y, 7.5 // y, 7.5 % y, 7.5**y], 1)
    assert reflected(2.0) == program(*args)[:7]


def test_equal_instructions_are_recorded_once_and_those_not_needed_not_at_all():
    program = record(lambda x, y: [log(y), x * y + x * y, sigmoid(x)][1], 2)
    assert [instruction.primitive.name for instruction in program.instructions] == ["multiply", "add"]
    assert program.instructions[1].operands == (2, 2)
    unneeded = record(lambda x: [x + 3.0, x + 4.0, x + 5.0][1:2], 1)
    assert (unneeded.constants, unneeded.outputs) == ((4.0,), (1,))
    assert unneeded.instructions[0].operands == (0, -1)


def test_constants_differ_by_their_bits():
    program = record(lambda x: [x + 0.0, x + -0.0, x + math.nan, x * math.nan, x * 0.0], 1)
    assert [bits(x) for x in program.constants] == [bits(x) for x in (0.0, -0.0, math.nan)]
    assert bits(program(-0.0)[1]) == bits(-0.0)
    assert bits(program(-0.0)[0]) == bits(0.0)


def test_what_depends_on_no_input_is_computed_at_once():
    program = record(lambda x: x * log(TABLE["exp"](2.0)), 1)
    assert program.constants == (2.0,)
    assert record(lambda x: 5, 1) == Program(1, (5.0,), (), (-1,))


@pytest.mark.parametrize(("primitive", "i", "rule"), RULES, ids=lambda x: getattr(x, "name", ""))
def test_a_rules_program_computes_what_the_rule_does(primitive, i, rule):
    program = record(rule, 1 + len(primitive.domain))
    for args in points(primitive, 40, "program"):
        r = primitive.fn(*args)
        assert bits(program(r, *args)[0]) == bits(primitive.number_partials[i](r, *args))


@given(st.floats(0.1, 10.0), st.floats(0.1, 10.0))
def test_a_program_runs_on_values_and_has_their_derivatives(x, y):
    def function(x, y):
        return maximum(x * y, log(x), 0.5) / sigmoid(y)

    leaves = [[Value(x), Value(y)] for _ in range(2)]
    (result,) = record(function, 2)(*leaves[0])
    expected = function(*leaves[1])
    assert (result.data, gradient(result, leaves[0])) == (expected.data, gradient(expected, leaves[1]))


def test_errors_in_recording():
    with pytest.raises(TypeError, match="branch on the <number at 0 in a program>; use where"):
        record(lambda x: 1.0 if x else 2.0, 1)
    with pytest.raises(TypeError, match="must be real number, not Variable"):
        record(math.sin, 1)
    with pytest.raises(TypeError, match="an output takes a real number"):
        record(lambda x: "x", 1)
    with pytest.raises(ValueError, match="add was given variables of different programs"):
        Variable(Recording(1), 0) + Variable(Recording(1), 0)
    with pytest.raises(TypeError, match="takes 2 inputs, got 1"):
        record(lambda x, y: x + y, 2)(1.0)


# --- C text


@given(st.floats())
def test_literals_are_exact(x):
    text = csource.literal(x)
    if math.isnan(x) or math.isinf(x):
        assert text == ("NAN" if x != x else "INFINITY" if x > 0 else "-INFINITY")
    else:
        assert bits(float.fromhex(text) if "x" in text else float(text)) == bits(x)
        assert "." in text or "p" in text or "e" in text
    assert csource.constant(x) == (f"({text})" if text[0] == "-" else text)


def test_the_statements_of_a_program():
    program = record(lambda r, x: [-(x * -1.0), maximum(r, x, 0.1), special_cbrt(x), TABLE["where"](x, r, 2.0)], 2)
    assert csource.statements(program, ["r", "x[0]"], ["p[0]", "p[1]", "p[2]", "p[3]"]) == [
        "const double t0 = x[0] * (-1.0);",
        "const double t1 = -t0;",
        "const double t2 = ag_maximum((const double[]){r, x[0], 0x1.999999999999ap-4}, 3);",
        "const double t3 = ag_cbrt(x[0]);",
        "const double t4 = x[0] != 0.0 ? r : 2.0;",
        "p[0] = t1;",
        "p[1] = t2;",
        "p[2] = t3;",
        "p[3] = t4;",
    ]


special_cbrt = TABLE["cbrt"]


def test_names_of_functions_in_c():
    names = {"exp": "exp", "rint": "rint", "floor": "floor", "hypot": "ag_hypot", "sum": "ag_add_all", "cbrt": "ag_cbrt"}
    assert {name: csource.function_name(TABLE[name].fn) for name in names} == names


# --- float functions


def test_the_kinds_of_parameters():
    assert signature(float_functions.evaluate) == ({"xs": "list", "x": "float", "negate": "bool"}, "float")
    assert signature(floats.maximum) == ({"xs": "list"}, "float")
    assert signature(float_functions.ones)[1] == "none"


def test_the_text_of_a_function():
    assert csource.function(translate(float_functions.sigmoid)) == (
        "/* 1 / (1 + exp(-x)), without overflow on either side. */\n"
        "static inline double ag_sigmoid(double x) {\n"
        "    if (x >= 0.0) {\n"
        "        return 1.0 / (1.0 + exp(-x));\n"
        "    }\n"
        "    const double e = exp(x);\n"
        "    return e / (1.0 + e);\n"
        "}"
    )
    assert csource.function(translate(float_functions.ones)).count("*/") == 1


def test_callees_come_first_each_once():
    names = [function.name for function in closure([special.gelu, special.normal_cdf], generate.is_given)]
    assert names.index("product_error") < names.index("normal_cdf") < names.index("gelu")
    assert len(set(names)) == len(names)
    assert "power" not in names


@pytest.mark.parametrize(
    ("function", "line", "message"),
    [
        (refused.untyped, 0, "parameter x is not annotated"),
        (refused.returning, 0, "its result is not annotated as float"),
        (refused.calling, 1, "a call of this is not translated: math.gamma(x)"),
        (refused.rounding, 1, "a call of this is not translated: math.floor(x)"),
        (refused.generating, 1, "a call of this is not translated: sum("),
        (refused.renaming, 3, "this is of kind int, and is assigned one of kind float"),
        (refused.allocating, 2, "lists are made outside of loops"),
        (refused.shortening, 2, "the loop changes its variable or its end"),
        (refused.unknown, 1, "this name is not known: missing"),
        (refused.chaining, 1, "give this a name, it stands in the middle of comparisons: math.exp(x)"),
        (refused.looping, 1, "this statement is not translated: while x > 1.0"),
        (refused.mixing, 1, "this expression is not translated: [x]"),
        (refused.several, 1, "missing a required argument: 'y'"),
        (refused.slicing, 1, "of a list only its end is taken"),
        (lambda x: x, 0, "parameter x is not annotated"),
    ],
    ids=lambda x: getattr(x, "__name__", ""),
)
def test_what_is_not_translated_is_named(function, line, message):
    place = f"{function.__name__}, line {function.__code__.co_firstlineno + line}: " if line else f"{function.__name__}: "
    with pytest.raises(TranslationError) as caught:
        translate(function)
    assert str(caught.value).startswith(place + message)


def test_recursion_is_refused():
    with pytest.raises(TranslationError, match="recursive calls itself"):
        closure([refused.recursive], generate.is_given)


# --- compiled

WRAPPER = """
#define PY_SSIZE_T_CLEAN
#include "rules.h"
{definitions}
/* The outputs of body i for these inputs, and whether it failed. */
static PyObject *run(PyObject *Py_UNUSED(module), PyObject *args) {{
    int body;
    double x[3] = {{0.0}}, p[{outputs}] = {{0.0}};
    if (!PyArg_ParseTuple(args, "iddd", &body, &x[0], &x[1], &x[2])) {{
        return NULL;
    }}
    failed = 0;
    switch (body) {{
{cases}
    }}
    PyObject *result = PyList_New({outputs});
    for (int i = 0; result != NULL && i < {outputs}; i++) {{
        PyList_SET_ITEM(result, i, PyFloat_FromDouble(p[i]));
    }}
    return Py_BuildValue("Ni", result, failed);
}}
static PyMethodDef methods[] = {{{{"run", run, METH_VARARGS, NULL}}, {{NULL, NULL, 0, NULL}}}};
static struct PyModuleDef definition = {{PyModuleDef_HEAD_INIT, .m_name = "bodies", .m_size = -1, .m_methods = methods}};
PyMODINIT_FUNC PyInit_bodies(void) {{
    return PyModule_Create(&definition);
}}
"""
PROGRAMS, LENGTH = 60, 14
SPECIAL = (0.0, -0.0, 0.5, -1.0, 3.0, 7.0, math.inf, -math.inf, math.nan)


def random_program(seed):
    """A program over the whole table, with three inputs; its last numbers are the outputs, and are finite somewhere."""
    draw = random.Random(seed)

    def function(*inputs):
        numbers = list(inputs)
        for _ in range(LENGTH):
            primitive = draw.choice(generate.entries())
            domain = primitive.domain * (2 * draw.randint(1, 2) if primitive.variadic else 1)
            args = [
                number(interval, draw) if interval.integers or not draw.randrange(5) else draw.choice(numbers[-6:])
                for interval in domain
            ]
            if any(isinstance(x, Variable) for x in args):
                numbers.append(primitive(*args))
        return numbers[-3:]

    program = record(function, 3)
    outputs = run_in_python(program, (0.7, 1.3, -2.1)) or [math.nan]
    return program if all(map(math.isfinite, outputs)) else random_program(f"{seed} again")


def run_in_python(body, args):
    """The outputs, None where Python raises."""
    try:
        return body(*args) if isinstance(body, Program) else [body(*args[:2])]
    except ValueError:
        return None


if not PURE:

    @pytest.fixture(scope="module")
    def compiled(tmp_path_factory):
        programs = [random_program(seed) for seed in range(PROGRAMS)]
        cases = [csource.statements(program, ["x[0]", "x[1]", "x[2]"], [f"p[{i}]" for i in range(3)]) for program in programs]
        cases += [[f"p[0] = ag_{function.__name__}(x[0], x[1]);"] for function in FUNCTIONS]
        known = {
            function.name for function in closure([p.fn for p in generate.entries() if csource.is_ours(p)], generate.is_given)
        }
        printed = [function for function in closure(FUNCTIONS, generate.is_given) if function.name not in known]
        source = WRAPPER.format(
            definitions="\n".join(map(csource.function, printed)),
            outputs=3,
            cases="\n".join([csource.block(f"case {i}:", [*lines, "break;"]) for i, lines in enumerate(cases)]),
        )
        return build(tmp_path_factory.mktemp("bodies"), "bodies", source), programs + FUNCTIONS

    @pytest.mark.parametrize("at", range(PROGRAMS + len(FUNCTIONS)))
    def test_programs_and_functions_have_their_bits_in_c(compiled, at):
        module, bodies = compiled
        draw, numbers = random.Random(at), 0
        for _ in range(300):
            args = [draw.choice((number(Interval(), draw), draw.uniform(-3.0, 3.0), *SPECIAL)) for _ in range(3)]
            expected = run_in_python(bodies[at], args)
            result, failed = module.run(at, *args)
            assert bool(failed) == (expected is None), args
            if expected is not None:
                assert [bits(x) for x in result[: len(expected)]] == [bits(x) for x in expected], args
                numbers += any(math.isfinite(x) for x in expected)
        assert numbers > 0


# --- the generated file


def test_rules_h_is_current():
    assert generate.main(["--check"]) == 0


def test_rules_h_is_written_anew(tmp_path, monkeypatch):
    path = tmp_path / "rules.h"
    monkeypatch.setattr(generate, "PATH", path)
    assert generate.main(["--check"]) == 1
    assert generate.main([]) == 0
    assert generate.main(["--check"]) == 0
    assert b"\r" not in path.read_bytes()
    path.write_text(path.read_text().replace("1.0", "2.0", 1))
    assert generate.main(["--check"]) == 1


def test_rules_h_does_not_depend_on_the_order_of_hashes():
    for seed in ("1", "2"):
        program = "from autograd_lite.native.generate import main; raise SystemExit(main(['--check']))"
        subprocess.run([sys.executable, "-c", program], env={"PYTHONHASHSEED": seed}, check=True)


def cubed(x: float) -> float:
    """x * x * x."""
    return x * x * x


def test_an_entry_of_the_table_is_enough_for_a_rule_in_c(monkeypatch):
    entry = Primitive("cubed", cubed, (lambda r, x: 3.0 * (x * x),), (Interval(),), "x*x*x")
    monkeypatch.setattr(generate, "entries", lambda: [*TABLE.values(), entry])
    text = generate.text()
    assert "    OP_CUBED,\n    OP_COUNT,\n" in text
    assert "static inline double ag_cubed(double x) {\n    return x * x * x;\n}" in text
    assert "const double t0 = x[0] * x[0];\n        const double t1 = 3.0 * t0;\n        p[0] = t1;" in text
