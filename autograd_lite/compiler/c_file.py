"""A program as a C file of its own, to read and to compile anywhere: C99 that needs the standard library alone.

Float functions are translated as for the native engine. What is written by hand there has the same text here, or is
translated from Python where Python is called there.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from autograd_lite.compiler import csource, listing
from autograd_lite.compiler.hypotenuse import hypot
from autograd_lite.compiler.instructions import IS_DEFINED, IS_REAL, Guard
from autograd_lite.compiler.spelling import is_users
from autograd_lite.compiler.translate import closure
from autograd_lite.compiler.tree import Block, Fail, Function, If, Loop, Number, Return, walk
from autograd_lite.primitive import Primitive

if TYPE_CHECKING:
    from autograd_lite.compiler.program import Program

_HEAD = """\
/* A function on one of its paths, recorded by autograd_lite. The results have the library's bits where this is compiled
   without contraction of products and sums, and without fast arithmetic: cc -std=c99 -O2 -ffp-contract=off ... -lm */"""


def text(program: Program, name: str) -> str:
    """The file: ``void name(const double *inputs, double *outputs)`` and, if there are guards, ``int name_on_path(inputs)``.

    Raises ValueError if a function in C cannot have that name, or if a primitive's function is not written in the part of
    Python that is translated.
    """
    is_name = isinstance(name, str) and re.fullmatch(r"[A-Za-z]\w*", name, re.ASCII)
    if not is_name or csource.local(name) != name or name == "main" or name.startswith("ag_"):
        raise ValueError(f"a function in C cannot be called {name!r:.60} here: take a name that neither C nor this file has")
    parts = [_kernel(program, name), *([_on_path(program, name)] if len(program.guards) else [])]
    called = [(x, _function_of(x)) for x in program.instructions.primitives if csource.is_ours(x)]
    functions = closure([function for _, function in called], _is_given)
    total = {x.name for x in closure([function for primitive, function in called if not _may_raise(primitive)], _is_given)}
    names = [*_HELPERS, *[f"ag_{function.name.strip('_')}" for function in functions]]
    twice = [x for x in names if names.count(x) > 1]
    if twice:
        raise ValueError(f"two functions would be called {twice[0]} in C: give the primitive's function another name")
    printed = [_printed(function, tells=function.name not in total) for function in functions]
    return _with_helpers([*printed, *parts]) + "\n"


# --- the program


def _kernel(program: Program, name: str) -> str:
    """The function that fills in the outputs."""
    needed = _needed(program, program.outputs)
    lines = list(_statements(program, needed))
    lines += [f"outputs[{i}] = {_operand(program, place)};" for i, place in enumerate(program.outputs)]
    comment = f"/* From {program.inputs} inputs {len(program.outputs)} outputs"
    comment += f"; they are right where {name}_on_path gives 1. */" if len(program.guards) else ". */"
    return f"{comment}\n{csource.block(f'void {name}(const double *inputs, double *outputs)', _with_unused(lines))}"


def _on_path(program: Program, name: str) -> str:
    """The function that tells whether all comparisons come out as they were recorded."""
    needed = _needed(program, [place for guard in program.guards for place in (guard.left, guard.right)])
    before = ["ag_failed = 0;"] if any([_may_raise(primitive) for primitive in program.instructions.primitives]) else []
    lines = [*before, *_statements(program, needed, program.standing_guards()), "return 1;"]
    comment = "/* Whether all comparisons come out as they did when the function was recorded. */"
    return f"{comment}\n{csource.block(f'int {name}_on_path(const double *inputs)', _with_unused(lines, 'inputs'))}"


def _needed(program: Program, places: Iterable[int]) -> set[int]:
    """The places whose numbers these places need, theirs among them."""
    needed = set(places)
    for place in range(program.inputs + len(program.instructions) - 1, program.inputs - 1, -1):
        if place in needed:
            needed.update(program.instructions[place - program.inputs].operands)
    return needed


def _statements(program: Program, needed: set[int], standing: dict[int, list[Guard]] | None = None) -> Iterator[str]:
    """The numbers at these places, and a return from each guard that fails, after them."""
    for place in range(program.inputs):
        if place in needed:
            yield f"const double {listing.named(program, place)} = inputs[{place}];"
    standing = standing or {}
    yield from [line for guard in standing.get(-1, ()) for line in _failing(program, guard)]
    for place, (primitive, operands) in enumerate(program.instructions, program.inputs):
        if place in needed:
            expression = csource.value(primitive, [_operand(program, x) for x in operands])
            yield f"const double {listing.named(program, place)} = {expression};"
            yield from [line for guard in standing.get(place, ()) for line in _failing(program, guard)]


def _operand(program: Program, place: int) -> str:
    return csource.constant(program.constants[-1 - place]) if place < 0 else listing.named(program, place)


def _failing(program: Program, guard: Guard) -> Iterator[str]:
    """A return where a guard fails."""
    if guard.comparison == IS_DEFINED:
        primitive = program.instructions[guard.left - program.inputs].primitive
        yield f"(void){_operand(program, guard.left)};"
        if _may_raise(primitive):
            yield f"if ({'' if guard.outcome else '!'}ag_failed) return 0;"
            yield from [] if guard.outcome else ["ag_failed = 0;"]
        elif not guard.outcome:
            raise ValueError(f"the path is that where {primitive.name} raises, without a raise statement: C has none")
        return
    left, right = _operand(program, guard.left), _operand(program, guard.right)
    is_call = guard.comparison == IS_REAL
    test = f"ag_is_real({left}, {right})" if is_call else f"{left} {guard.comparison} {right}"
    failing = (f"!{test}" if is_call else f"!({test})") if guard.outcome else test
    yield f"if ({failing}) return 0;"


def _with_unused(lines: list[str], *parameters: str) -> list[str]:
    """The lines; before them statements that name parameters which they do not mention."""
    return [*[f"(void){x};" for x in parameters or ("inputs", "outputs") if not any([f"{x}[" in y for y in lines])], *lines]


# --- float functions


def _function_of(primitive: Primitive) -> Callable[..., Any]:
    """The float function that is called. Raises ValueError for one that only Python has."""
    if is_users(primitive) and csource.is_library_function(primitive.fn):
        raise ValueError(f"{primitive.name} is {primitive.fn!r}, which C need not have: write it as a function in Python")
    return primitive.fn


def _is_given(function: Callable[..., Any]) -> bool:
    """Whether a float function needs no translation: it is in C's library, or among the helpers."""
    return function in csource.BY_HAND or csource.is_library_function(function)


def _may_raise(primitive: Primitive) -> bool:
    """Whether a user's primitive has a raise statement."""
    if not is_users(primitive):
        return False
    parts = [part for function in closure([primitive.fn], _is_given) for statement in function.body for part in walk(statement)]
    return any([isinstance(part, Fail) for part in parts])


def _printed(function: Function, tells: bool = False) -> str:
    """A float function in C that gives nan where Python raises, and `tells` of it; its lists live as long as it runs."""
    printed = csource.function(function if tells else dataclasses.replace(function, body=_without_failures(function.body)))
    printed = re.sub(r"\bfailed = 1;", "ag_failed = 1;", printed)
    printed = re.sub(r"static (AG_\w+ )+", "static ", printed)
    return re.sub(r"double \*const (\w+) = AG_ALLOCATE\(\(size_t\)(\w+) \* sizeof\(double\)\);", r"double \1[\2 + 1];", printed)


def _without_failures(body: Block) -> Block:
    changed: list[Any] = []
    for statement in body:
        match statement:
            case Fail():
                changed.append(Return(Number(float("nan"), "float")))
            case If(test, then, otherwise):
                changed.append(If(test, _without_failures(then), _without_failures(otherwise)))
            case Loop():
                changed.append(dataclasses.replace(statement, body=_without_failures(statement.body)))
            case _:
                changed.append(statement)
    return tuple(changed)


# --- helpers


def _with_helpers(parts: list[str]) -> str:
    """The parts of a file after the helpers that they mention, and the headers."""
    for name in reversed(_HELPERS):
        if any([re.search(rf"\b{name}\b", part) for part in parts]):
            helper = _HELPERS[name]
            parts[:0] = [helper] if isinstance(helper, str) else [_printed(x) for x in closure([helper], _is_given)]
    parts = list(dict.fromkeys(parts))  # what a helper shares with the functions behind it
    whole = _through_pointers("\n\n".join(parts))
    headers = ["math.h", *[header for header, words in _HEADERS.items() if re.search(rf"\b({words})\b", whole)]]
    return "\n\n".join([_HEAD, "\n".join([f"#include <{header}>" for header in headers]), whole])


def _through_pointers(whole: str) -> str:
    """The text with the functions that libraries and compilers round as they like called through pointers."""
    used: set[str] = set()

    def renamed(call: re.Match[str]) -> str:
        if call["name"]:
            used.add(call["name"])
        return f"libm_{call['name']}(" if call["name"] else call[0]

    whole = _CALL.sub(renamed, whole)
    if not used:
        return whole
    parameters = {name: "double, double" if name == "atan2" else "double" for name in sorted(used)}
    pointers = [f"static double (*volatile libm_{name})({x}) = {name};" for name, x in parameters.items()]
    return "\n".join([_POINTERS, *pointers, "", whole])


_POINTERS = "/* Compilers compute functions of constants themselves, with other bits than libm's: they must not see them. */"
_CALL = re.compile(
    r"/\*.*?\*/|\b(?P<name>acosh?|asinh?|atan[2h]?|cbrt|cosh?|erfc?|exp|exp2|expm1|log|log10|log1p|log2|sinh?|tanh?)\(",
    re.DOTALL,
)
_HEADERS = {
    "stddef.h": "ptrdiff_t|size_t",
    "stdio.h": "snprintf",
    "stdlib.h": "strtod|atoi",
}
HELPERS_OF_ENGINE = {
    "ag_pow": """\
/* Compilers replace pow(x, 2.0) and pow(2.0, x), whose bits are others than those of libm's pow: they must not see it. */
static double (*volatile ag_pow)(double, double) = pow;""",
    "ag_max": "static inline double ag_max(double x, double y) { return y > x ? y : x; }",
    "ag_min": "static inline double ag_min(double x, double y) { return y < x ? y : x; }",
    "ag_int_max": "static inline ptrdiff_t ag_int_max(ptrdiff_t x, ptrdiff_t y) { return y > x ? y : x; }",
    "ag_int_min": "static inline ptrdiff_t ag_int_min(ptrdiff_t x, ptrdiff_t y) { return y < x ? y : x; }",
    "ag_int_mod": """\
static inline ptrdiff_t ag_int_mod(ptrdiff_t x, ptrdiff_t y) {
    ptrdiff_t remainder = x % y;
    return remainder != 0 && (remainder < 0) != (y < 0) ? remainder + y : remainder;
}""",
    "ag_int_floor_divide": """\
static inline ptrdiff_t ag_int_floor_divide(ptrdiff_t x, ptrdiff_t y) { return (x - ag_int_mod(x, y)) / y; }""",
    "ag_frexp": """\
/* The mantissa, 0.5 <= |m| < 1, and the exponent of a finite x = m * 2^exponent. */
static inline double ag_frexp(double x, ptrdiff_t *exponent) {
    int power_of_two;
    double mantissa = frexp(x, &power_of_two);
    *exponent = power_of_two;
    return mantissa;
}""",
    "ag_mod": """\
/* The remainder with the sign of the divisor. */
static inline double ag_mod(double x, double y) {
    double remainder = fmod(x, y);
    if (remainder == 0.0) {
        return copysign(0.0, y);
    }
    return (y < 0.0) != (remainder < 0.0) ? remainder + y : remainder;
}""",
    "ag_floor_divide": """\
/* The floor of the quotient; what is left when the remainder is taken off is all but a multiple of the divisor. */
static double ag_floor_divide(double x, double y) {
    if (y == 0.0) {
        return x / y;
    }
    double remainder = fmod(x, y);
    double quotient = (x - remainder) / y;
    if (remainder != 0.0 && (y < 0.0) != (remainder < 0.0)) {
        quotient -= 1.0;
    }
    if (quotient == 0.0) {
        return copysign(0.0, x / y);
    }
    double below = floor(quotient);
    return quotient - below > 0.5 ? below + 1.0 : below;
}""",
}
_SMALL = {
    "ag_failed": """\
/* Whether a function of the user's has raised; each thread has its own, where the compiler knows how. */
#if defined(__STDC_VERSION__) && __STDC_VERSION__ >= 201112L && !defined(__STDC_NO_THREADS__)
static _Thread_local int ag_failed;
#elif defined(__GNUC__)
__extension__ static __thread int ag_failed;
#else
static int ag_failed;
#endif""",
    "ag_power": """\
/* x ** y; nan where that is complex. */
static inline double ag_power(double x, double y) { return ag_pow(x, y); }""",
    "ag_is_real": """\
/* Whether x ** y is no complex number. */
static inline int ag_is_real(double x, double y) {
    const double power = ag_pow(x, y);
    return power == power || x != x || y != y;
}""",
}
_AROUND = """\
/* x rounded to a number of decimals, half to even, on all of its decimal digits; nan unless that is a whole number. */
static double ag_around(double x, double decimals) {
    char text[800], digits[800];
    int count = 0;
    if (ag_mod(decimals, 1.0) != 0.0) {
        return NAN;
    }
    if (!isfinite(x) || decimals > 323.0) {
        return x;
    }
    if (x == 0.0 || decimals < -308.0) {
        return 0.0 * x;
    }
    snprintf(text, sizeof text, "%.766e", fabs(x));
    const char *at = text;
    for (; *at != 'e'; at++) {
        if (*at >= '0' && *at <= '9') {
            digits[count++] = *at;
        }
    }
    const int kept = atoi(at + 1) + 1 + (int)decimals;
    if (kept < 0) {
        return 0.0 * x;
    }
    int is_above = digits[kept] > '5' || (digits[kept] == '5' && kept > 0 && (digits[kept - 1] - '0') % 2 == 1);
    for (int i = kept + 1; digits[kept] == '5' && i < count; i++) {
        is_above |= digits[i] != '0';
    }
    digits[kept] = 0;
    for (int i = kept - 1; is_above && i >= 0; i--) {
        is_above = digits[i] == '9';
        digits[i] = is_above ? '0' : (char)(digits[i] + 1);
    }
    snprintf(text, sizeof text, "%c%.780se%d", is_above ? '1' : '0', digits, -(int)decimals);
    return copysign(strtod(text, NULL), x);
}"""
# By name, in an order in which none mentions a later one; those that are functions are translated.
_HELPERS: dict[str, str | Callable[..., float]] = {
    **HELPERS_OF_ENGINE,
    **_SMALL,
    "ag_around": _AROUND,
    "ag_hypot": hypot,
}
