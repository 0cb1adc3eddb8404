"""Programs as C files: compiled with warnings as errors they have the bits of machine code in exact mode."""

import ctypes
import math
import os
import random
import shutil
import subprocess
from pathlib import Path

import pytest

import autograd_lite as ag
from autograd_lite import native
from autograd_lite.compiler.c_file import HELPERS_OF_ENGINE
from autograd_lite.compiler.hypotenuse import hypot
from autograd_lite.compiler.instructions import Guard, Instruction
from autograd_lite.compiler.program import PathError, Program, Recording, record
from autograd_lite.native.generate import entries
from autograd_lite.primitive import Interval, Primitive
from autograd_lite.primitives import TABLE
from points import LANDMARKS, SMALLEST, any_double, number, points, related
from recorded import BRANCHING, recorded
from values import bits

COMPILER = shutil.which("gcc") or shutil.which("cc") or "cc"
FLAGS = ["-std=c99", "-O2", "-ffp-contract=off", "-Wall", "-Wextra", "-pedantic", "-Werror", "-shared", "-fPIC"]
ODD = (0.0, -0.0, 0.5, -1.0, 2.0, 1e300, -SMALLEST, math.inf, -math.inf, math.nan)


def compiled(folder, texts):
    """The library of some files. Fails with what the compiler says."""
    for i, text in enumerate(texts):
        (folder / f"file{i}.c").write_text(text)
    command = [COMPILER, *FLAGS, *sorted([path.name for path in folder.glob("*.c")]), "-o", "library.so", "-lm"]
    result = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert result.returncode == 0, f"the C compiler is needed:\n{result.stdout}{result.stderr}"
    return ctypes.CDLL(str(folder / "library.so"))


def run(function, args, count):
    """The bits of the outputs of a function in C."""
    inputs, outputs = (ctypes.c_double * max(1, len(args)))(*args), (ctypes.c_double * max(1, count))()
    function(inputs, outputs)
    return [bits(x) for x in outputs[:count]]


def expected(program, args):
    """The bits of the outputs of a program; nan for a power that is complex."""
    try:
        return [bits(x) for x in program(*args)]
    except ValueError:
        return None


# --- the text


def test_the_text_of_a_file():
    text = BRANCHING.to_c("branch")
    assert text[text.index("/* From") :] == (
        """\
/* From 2 inputs 3 outputs; they are right where branch_on_path gives 1. */
void branch(const double *inputs, double *outputs) {
    const double x0 = inputs[0];
    const double x1 = inputs[1];
    const double v2 = x0 * x1;
    const double v3 = libm_log(v2);
    const double v4 = -x0;
    const double v5 = fabs(v4);
    const double v6 = v3 - v5;
    const double v7 = ag_power(x0, x1);
    const double v8 = ag_step(x0);
    const double v9 = -x1;
    const double v10 = v8 != 0.0 ? x0 : v9;
    outputs[0] = v6;
    outputs[1] = v7;
    outputs[2] = v10;
}

/* Whether all comparisons come out as they did when the function was recorded. */
int branch_on_path(const double *inputs) {
    const double x0 = inputs[0];
    const double x1 = inputs[1];
    if (x0 >= 2.0) return 0;
    if (!ag_is_real(x0, x1)) return 0;
    const double v2 = x0 * x1;
    if (!(v2 < 3.0)) return 0;
    return 1;
}
"""
    )
    assert "Python.h" not in text
    assert "#include <stdio.h>" not in text


def test_a_kernel_gives_the_path_recorded_last():
    kernel = ag.compile(lambda x: x * x if x > 0.0 else -x)
    with pytest.raises(RuntimeError, match="not been recorded yet"):
        kernel.to_c()
    for x in (1.0, -1.0):
        kernel(x)
        assert kernel.to_c("f") == kernel.program.to_c("f")
    assert "const double v1 = -x0;" in kernel.to_c()


@pytest.mark.parametrize("name", ["", "1f", "a b", "f;", "double", "while", "sin", "main", "ag_f", "_f", "f\n", "ü", 3])
def test_names_that_c_has_not_or_has_already(name):
    with pytest.raises(ValueError, match="a function in C cannot be called"):
        BRANCHING.to_c(name)


def test_helpers_have_the_engines_text():
    header = (Path(native.__file__).parent / "floats.h").read_text(encoding="utf-8").replace("AG_UNUSED ", "")
    for helper in HELPERS_OF_ENGINE.values():
        assert helper in header


def cubed(x: float) -> float:
    """x * x * x."""
    return x * x * x


def double_(x: float) -> float:
    """x + x, by another function of this name."""
    return x + x


double_.__name__ = "cubed"


def own(function, name="own"):
    primitive = Primitive(name, function, (lambda r, x: 1.0,), (Interval(),), "its own")
    return Instruction(primitive, (0,))


def test_users_primitives_are_translated_or_refused():
    text = Program(1, (), [own(cubed)], (1,)).to_c()
    assert "static inline double ag_cubed(double x) {\n    return x * x * x;\n}" in text
    assert "const double v1 = ag_cubed(x0);" in text
    with pytest.raises(ValueError, match="parameter x is not annotated"):
        Program(1, (), [own(lambda x: x)], (1,)).to_c()
    with pytest.raises(ValueError, match="own is <built-in function lgamma>, which C need not have"):
        Program(1, (), [own(math.lgamma)], (1,)).to_c()
    with pytest.raises(ValueError, match="two functions would be called ag_hypot in C"):
        Program(1, (), [own(hypot)], (1,)).to_c()


def picky(x: float, y: float) -> float:
    """x / y, of positive numbers."""
    if x <= 0.0:
        raise ValueError("not positive")
    return 1.0 if y > x else x / y


def unguarded(x: float) -> float:
    """1 / x, which Python refuses at 0 by itself."""
    return 1.0 / x


def test_the_path_of_a_point_where_a_users_primitive_raises(tmp_path, forget):
    primitive = ag.define_primitive("picky", picky, (None, None), domain=(0.5, 9.0))

    def function(x, y):
        try:
            return primitive(x, y) + ag.maximum(x, y)
        except ValueError:
            return primitive(y, 2.0) if y > 1.0 else x

    points_ = [(2.0, 3.0), (3.0, 2.0), (-1.0, 2.0), (-1.0, 0.5), (0.0, 1.5), (1.0, -2.0)]
    programs_ = []
    for i, args in enumerate(points_):
        kernel = ag.compile(function, exact=True)
        kernel(*args)
        programs_.append((f"path{i}", kernel.program))
    library = compiled(tmp_path, [program.to_c(name) for name, program in programs_])
    for name, program in programs_:
        for args in points_:
            try:
                wanted = [bits(x) for x in program(*args)]
            except PathError:
                wanted = None
            is_on_path = getattr(library, f"{name}_on_path")((ctypes.c_double * 2)(*args))
            assert is_on_path == (wanted is not None), (str(program), args)
            if wanted is not None:
                assert run(getattr(library, name), args, 1) == wanted


def test_a_path_that_c_cannot_tell(forget):
    primitive = ag.define_primitive("unguarded", unguarded, lambda r, x: -r * r, domain=(0.5, 9.0))

    def function(x):
        try:
            return primitive(x)
        except ZeroDivisionError:
            return x + 1.0

    kernel = ag.compile(function)
    kernel(0.0)
    with pytest.raises(ValueError, match="where unguarded raises, without a raise statement: C has none"):
        kernel.program.to_c()
    kernel(2.0)
    assert "unguarded" in kernel.program.to_c()


def test_functions_of_the_library_are_called_through_pointers():
    program = record(lambda x: TABLE["xlogy"](x, 0.3) + TABLE["arctan2"](x, 0.3) + TABLE["sqrt"](x), 1)
    text = program.to_c()
    assert "static double (*volatile libm_log)(double) = log;" in text
    assert "static double (*volatile libm_atan2)(double, double) = atan2;" in text
    assert "/* x * log(y), 0 where x is 0 and y is a number. */" in text
    assert "0.0 : x * libm_log(y);" in text
    assert "const double v2 = libm_atan2(x0, 0x1.3333333333333p-2);" in text
    assert "= sqrt(x0);" in text


# --- hypot


def test_hypot_is_pythons():
    draw = random.Random("hypot")
    for _ in range(40_000):
        x = draw.choice((any_double(draw), draw.uniform(-3.0, 3.0), SMALLEST * draw.randrange(2**54), draw.choice(LANDMARKS)))
        y = draw.choice((related(x, draw), number(Interval(), draw), draw.choice(ODD)))
        assert bits(hypot(x, y)) == bits(math.hypot(x, y)) == bits(hypot(y, x)), (x, y)


# --- compiled

COUNT, LENGTH = 24, 40


def random_program(seed):
    """A program over the whole table with three inputs and some guards; its last numbers are the outputs, finite somewhere."""
    draw = random.Random(seed)
    recording = Recording(3)
    places = [0, 1, 2]
    for _ in range(LENGTH):
        primitive = draw.choice(entries())
        domain = primitive.domain * (2 * draw.randint(1, 2) if primitive.variadic else 1)
        operands = [
            recording.constant(number(interval, draw) if draw.randrange(8) else draw.choice(ODD))
            if interval.integers or not draw.randrange(5)
            else draw.choice(places[-6:])
            for interval in domain
        ]
        places.append(recording.instruction(primitive, tuple(operands)))
    comparisons = ["<", "<=", ">", ">=", "==", "!=", "is real"]
    guards = [
        Guard(comparison, draw.choice(places), draw.choice(places), outcome=bool(draw.randrange(4)))
        for comparison in comparisons
        if not draw.randrange(3)
    ]
    if "finite" not in map(kind, expected(recording.reduced(places[-8:], ()), (0.7, 1.3, -2.1)) or ()):
        return random_program(f"{seed} again")
    return recording.reduced(places[-8:], guards)


def kind(text):
    return text if text in ("nan", "inf", "-inf", "0x0.0p+0") else "finite"


def every_primitive():
    """A program of one instruction for every primitive, and for variadic ones more."""
    for primitive in entries():
        for count in (2, 4) if primitive.variadic else (len(primitive.domain),):
            yield primitive, Program(count, (), [Instruction(primitive, tuple(range(count)))], (count,))


PROGRAMS = [random_program(seed) for seed in range(COUNT)]
SINGLE = list(every_primitive())
DERIVATIVES = recorded(
    lambda x, y: ag.hessian(lambda v: v[0] ** v[1] * ag.hypot(*v) + ag.silu(v[0]) * ag.arctan2(*v) + ag.gelu(v[1]))([x, y]),
    1.5,
    0.25,
)

if os.name == "posix":

    @pytest.fixture(scope="module")
    def library(tmp_path_factory):
        programs = {f"program{i}": program for i, program in enumerate(PROGRAMS)}
        programs.update({f"single{i}": program for i, (_, program) in enumerate(SINGLE)})
        programs.update(branch=BRANCHING, derivatives=DERIVATIVES, nothing=Program(0, (1.5,), (), (-1,)))
        return compiled(tmp_path_factory.mktemp("c"), [program.to_c(name) for name, program in programs.items()])

    @pytest.mark.parametrize("i", range(COUNT))
    def test_random_programs_have_their_bits(library, i):
        program, draw, finite, kept = PROGRAMS[i], random.Random(i), 0, set()
        free = Program(program.inputs, program.constants, program.instructions, program.outputs)
        guards = Program(program.inputs, program.constants, program.instructions, (), program.guards)
        function = getattr(library, f"program{i}")
        for _ in range(200):
            args = [draw.choice((number(Interval(), draw), draw.uniform(-3.0, 3.0), draw.choice(ODD))) for _ in range(3)]
            results = expected(free, args)
            if results is None:  # a power is complex
                continue
            assert run(function, args, len(results)) == results, args
            finite += "finite" in map(kind, results)
            if program.guards:
                held = bool(getattr(library, f"program{i}_on_path")((ctypes.c_double * 3)(*args)))
                kept.add(held)
                assert held == (expected(guards, args) is not None), args
        assert finite

    @pytest.mark.parametrize("i", range(len(SINGLE)), ids=[primitive.name for primitive, _ in SINGLE])
    def test_every_primitive_has_its_bits(library, i):
        primitive, program = SINGLE[i]
        draw = random.Random(primitive.name)
        inside = [x for x in points(primitive, 100, "C") if len(x) == program.inputs]
        outside = [[draw.choice((*ODD, 1.0, 3.0)) for _ in range(program.inputs)] for _ in range(100)]
        for args in (*inside, *outside):
            results = expected(program, args) or ["nan"]
            assert run(getattr(library, f"single{i}"), args, 1) == results, args

    def test_around_on_all_decimals(library):
        (i,) = [i for i, (primitive, _) in enumerate(SINGLE) if primitive.name == "around"]
        draw = random.Random("around")
        for _ in range(5000):
            decimals = float(draw.choice((draw.randint(-330, 340), draw.randint(-4, 6), 0, 1e300, -1e300, 0.5, math.nan)))
            x = draw.choice(
                (any_double(draw), draw.randint(-2000, 2000) / 8.0, draw.uniform(-1e5, 1e5), draw.choice(LANDMARKS))
            )
            x = draw.choice((x, float(f"{x:.{draw.randint(1, 6)}e}"), 9.5 * 10.0 ** draw.randint(-300, 300)))
            args = (x, decimals)
            if not draw.randrange(4):  # the last decimals there are
                args = draw.choice(
                    (
                        (SMALLEST * draw.randrange(2**30), draw.randint(305, 326)),
                        (draw.choice((-1.0, 1.0)) * draw.uniform(1e307, 1.7e308), -308 - draw.randrange(2)),
                    )
                )
            assert run(getattr(library, f"single{i}"), args, 1) == [bits(TABLE["around"].fn(*map(float, args)))], args

    def test_kernels_in_exact_mode_have_the_same_bits(library):
        kernel = ag.compile(lambda x, y: DERIVATIVES(x, y), exact=True)
        draw = random.Random("exact")
        for _ in range(300):
            args = [draw.uniform(0.1, 3.0), draw.uniform(-3.0, 3.0)]
            assert run(library.derivatives, args, 4) == [bits(x) for x in kernel(*args)]

    def test_the_path_of_a_point(library):
        def on_path(*args):
            return library.branch_on_path((ctypes.c_double * 2)(*args))

        for args in ((1.5, 1.0), (1.5, 1.9), (1.0, 2.5)):
            assert on_path(*args) == 1
            assert run(library.branch, args, 3) == expected(BRANCHING, args)
        for args in ((2.0, 1.0), (1.5, 2.5), (math.nan, 1.0), (-8.0, 0.5)):
            assert on_path(*args) == 0
            with pytest.raises(PathError):
                BRANCHING(*args)
        assert run(library.nothing, [], 1) == [bits(1.5)]
