"""exp, log and erfc of vectors of eight numbers, written out where they are used (AVX-512): no call, no branch, no slow range.

Numbers are looked up in tables of 16, which are two registers. Largest errors found, in units in the last place, on 16 million
points each and more: exp 1.11, log 1.59, erfc 1.74. The polynomials' coefficients are
minimax, computed by Remez' exchange in 250 bits and rounded.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from autograd_lite.compiler.erfc_table import ERFCX
from autograd_lite.compiler.ir import Builder, Operand, literal

WIDTH = 8
_TYPE = "<8 x double>"
_BITS = "<8 x i64>"
_ROUND = 3.0 * 2.0**47  # adding it leaves sixteenths: a whole number of them in the lowest bits

# exp: 2**(i/16), rounded, and what that takes off; ln(2) in two parts, and 1/ln(2)
_EXP_TABLE = [
    "0x1.0000000000000p+0", "0x1.0b5586cf9890fp+0", "0x1.172b83c7d517bp+0", "0x1.2387a6e756238p+0", "0x1.306fe0a31b715p+0",
    "0x1.3dea64c123422p+0", "0x1.4bfdad5362a27p+0", "0x1.5ab07dd485429p+0", "0x1.6a09e667f3bcdp+0", "0x1.7a11473eb0187p+0",
    "0x1.8ace5422aa0dbp+0", "0x1.9c49182a3f090p+0", "0x1.ae89f995ad3adp+0", "0x1.c199bdd85529cp+0", "0x1.d5818dcfba487p+0",
    "0x1.ea4afa2a490dap+0",
]  # fmt: skip
_EXP_TABLE_LOW = [
    "0x0.0p+0", "0x1.8a62e4adc610bp-54", "-0x1.19041b9d78a76p-55", "0x1.9b07eb6c70573p-54", "0x1.6f46ad23182e4p-55",
    "0x1.ada0911f09ebcp-55", "0x1.d4397afec42e2p-56", "0x1.6324c054647adp-54", "-0x1.bdd3413b26456p-54",
    "-0x1.41577ee04992fp-55", "0x1.6e9f156864b27p-54", "0x1.c7c46b071f2bep-56", "0x1.7a1cd345dcc81p-54",
    "0x1.11065895048ddp-55", "0x1.2ed02d75b3707p-55", "-0x1.e9c23179c2893p-54",
]  # fmt: skip
_LN2 = float.fromhex("0x1.62e42fefa39efp-1")
_LN2_LOW = float.fromhex("0x1.abc9e3b39803fp-56")
_1_LN2 = float.fromhex("0x1.71547652b82fep+0")
_EXP = [float.fromhex(x) for x in (
    "0x1.fffffffffffb8p-2", "0x1.555555548f88bp-3", "0x1.5555555906020p-5", "0x1.11123aaed476fp-7", "0x1.6c14c07ed0a88p-10",
)]  # fmt: skip

# log: near 1/c of the mantissas in a cell, rounded to 9 bits, and -log(c)
_LOG_FACTORS = [
    "0x1.0000000000000p+0", "0x1.d400000000000p-1", "0x1.bb00000000000p-1", "0x1.a400000000000p-1", "0x1.9000000000000p-1",
    "0x1.7d00000000000p-1", "0x1.6c00000000000p-1", "0x1.5d00000000000p-1", "0x1.4e80000000000p+0", "0x1.4180000000000p+0",
    "0x1.3500000000000p+0", "0x1.2a00000000000p+0", "0x1.1f80000000000p+0", "0x1.1580000000000p+0", "0x1.0c80000000000p+0",
    "0x1.0000000000000p+0",
]  # fmt: skip
_LOGS = [
    "0x0.0p+0", "0x1.700d30aeac0e1p-4", "0x1.28753bc11aba5p-3", "0x1.95a5adcf7017fp-3", "0x1.f991c6cb3b379p-3",
    "0x1.2e9e2bce12286p-2", "0x1.5d5bddf595f30p-2", "0x1.8873658327ccfp-2", "-0x1.11e0e2dad9cb7p-2", "-0x1.d293581b6b3e7p-3",
    "-0x1.815c0a14357ebp-3", "-0x1.371fc201e8f74p-3", "-0x1.db5270187d927p-4", "-0x1.4a50d3aa1b040p-4",
    "-0x1.868a83083f6cfp-5", "0x0.0p+0",
]  # fmt: skip
_LOG = [float.fromhex(x) for x in (
    "0x1.5555555555e73p-2", "-0x1.fffffffffa6bep-3", "0x1.9999998218ecap-3", "-0x1.55555497a9bdep-3", "0x1.2492d25e7cfacp-3",
    "-0x1.0009bb5ca837bp-3", "0x1.c583d23ae8b43p-4", "-0x1.667895b88683ep-4",
)]  # fmt: skip
_CELL, _HALF_CELL = 0xFFFC000000000000, 0x0002000000000000
_MANTISSA_FROM_THREE_QUARTERS = 3 | 2 << 2  # in [0.75, 1.5); nan for negative numbers


class _Vectors:
    """Operations on vectors of eight numbers, whatever the width of the builder is that they are written by."""

    def __init__(self, builder: Builder) -> None:
        self.builder = builder

    def constant(self, x: float) -> str:
        return f"splat (double {literal(x)})"

    def emit(self, instruction: str) -> str:
        return self.builder.emit(instruction, "float").text

    def binary(self, operation: str, x: str, y: str) -> str:
        return self.emit(f"{operation} {_TYPE} {x}, {y}")

    def fma(self, x: str, y: str, z: str) -> str:
        """x * y + z, rounded once."""
        return self.intrinsic("llvm.fma.v8f64", [(_TYPE, x), (_TYPE, y), (_TYPE, z)])

    def intrinsic(self, name: str, arguments: Sequence[tuple[str, str]]) -> str:
        self.builder.module.declare(name, _TYPE, [type_ for type_, _ in arguments])
        return self.emit(f"call {_TYPE} @{name}({', '.join([f'{type_} {x}' for type_, x in arguments])})")

    def negative(self, x: str) -> str:
        return self.emit(f"fneg {_TYPE} {x}")

    def fabs(self, x: str) -> str:
        return self.intrinsic("llvm.fabs.v8f64", [(_TYPE, x)])

    def scaled(self, x: str, exponent: str) -> str:
        """x * 2**floor(exponent), rounded once where that is subnormal."""
        arguments = [(_TYPE, x), (_TYPE, exponent), (_TYPE, "zeroinitializer"), ("i8", "-1"), ("i32", "4")]
        return self.intrinsic("llvm.x86.avx512.mask.scalef.pd.512", arguments)

    def bits(self, x: str) -> str:
        return self.emit(f"bitcast {_TYPE} {x} to {_BITS}")

    def lookup(self, table: Sequence[str], index: str) -> str:
        """The numbers of a table at the lowest four bits of each index."""
        numbers = [float.fromhex(x) for x in table]
        halves = [f"<{', '.join([f'double {literal(x)}' for x in half])}>" for half in (numbers[:8], numbers[8:])]
        name = "llvm.x86.avx512.vpermi2var.pd.512"
        return self.intrinsic(name, [(_TYPE, halves[0]), (_BITS, index), (_TYPE, halves[1])])

    def polynomial(self, x: str, coefficients: Sequence[float]) -> str:
        """By pairs, then by pairs of pairs: the shortest chain."""
        terms = [self.constant(c) for c in coefficients]
        power = x
        while len(terms) > 1:
            pairs = [terms[i : i + 2] for i in range(0, len(terms), 2)]
            terms = [self.fma(pair[1], power, pair[0]) if len(pair) == 2 else pair[0] for pair in pairs]
            if len(terms) > 1:
                power = self.binary("fmul", power, power)
        return terms[0]


def _exp(v: _Vectors, x: str) -> str:
    """2**k * (1 + r + r*r*q(r)), where x = k * ln(2) + r, and k counts in sixteenths."""
    below = v.emit(f"fcmp olt {_TYPE} {v.constant(1000.0)}, {x}")
    x = v.emit(f"select <8 x i1> {below}, {_TYPE} {v.constant(1000.0)}, {_TYPE} {x}")
    above = v.emit(f"fcmp ogt {_TYPE} {v.constant(-1000.0)}, {x}")
    x = v.emit(f"select <8 x i1> {above}, {_TYPE} {v.constant(-1000.0)}, {_TYPE} {x}")
    shifted = v.fma(x, v.constant(_1_LN2), v.constant(_ROUND))
    k = v.binary("fsub", shifted, v.constant(_ROUND))
    r = v.fma(k, v.constant(-_LN2_LOW), v.fma(k, v.constant(-_LN2), x))
    first = v.lookup(_EXP_TABLE, v.bits(shifted))
    square = v.binary("fmul", r, r)
    p = [v.constant(c) for c in _EXP]
    q = v.fma(v.fma(p[4], square, v.fma(p[3], r, p[2])), square, v.fma(p[1], r, p[0]))
    result = v.fma(first, v.fma(q, square, r), first)
    return v.scaled(result, k)


def _log(v: _Vectors, x: str) -> str:
    """e * ln(2) - log(c) + log1p(r), where x = 2**e * m and r = m * c - 1."""
    flags = [("i8", "-1"), ("i32", "4")]
    kind = str(_MANTISSA_FROM_THREE_QUARTERS)
    mantissa = v.intrinsic(
        "llvm.x86.avx512.mask.getmant.pd.512", [(_TYPE, x), ("i32", kind), (_TYPE, "zeroinitializer"), *flags]
    )
    exponents = [
        v.intrinsic("llvm.x86.avx512.mask.getexp.pd.512", [(_TYPE, y), (_TYPE, "zeroinitializer"), *flags])
        for y in (x, mantissa)
    ]
    cell = v.emit(f"lshr {_BITS} {v.bits(mantissa)}, splat (i64 48)")
    r = v.fma(mantissa, v.lookup(_LOG_FACTORS, cell), v.constant(-1.0))
    whole = v.fma(v.binary("fsub", *exponents), v.constant(_LN2), v.lookup(_LOGS, cell))
    square = v.binary("fmul", r, r)
    q = v.fma(v.polynomial(r, _LOG), r, v.constant(-0.5))
    return v.binary("fadd", whole, v.fma(q, square, r))


def _erfc(v: _Vectors, x: str) -> str:
    """exp(-a*a) * erfcx(a) of a = |x|, and 2 less that where x is negative. What a*a rounds away is carried along, and what the
    exponential does.
    """
    size = v.fabs(x)
    large = v.emit(f"fcmp olt {_TYPE} {v.constant(28.0)}, {size}")
    a = v.emit(f"select <8 x i1> {large}, {_TYPE} {v.constant(28.0)}, {_TYPE} {size}")
    square = v.binary("fmul", a, a)
    low = v.fma(a, a, v.negative(square))
    shifted = v.fma(v.negative(square), v.constant(_1_LN2), v.constant(_ROUND))
    k = v.binary("fsub", shifted, v.constant(_ROUND))
    r = v.binary("fadd", v.fma(k, v.constant(_LN2_LOW), v.fma(k, v.constant(_LN2), square)), low)
    minus, r2 = v.negative(r), v.binary("fmul", r, r)
    p = [v.constant(c) for c in _EXP]
    q = v.fma(v.fma(p[3], minus, v.fma(p[4], r2, p[2])), r2, v.fma(p[1], minus, p[0]))
    index = v.bits(shifted)
    first = v.lookup(_EXP_TABLE, index)
    rest = v.fma(first, v.fma(q, r2, minus), v.lookup(_EXP_TABLE_LOW, index))
    exponential = v.binary("fadd", first, rest)
    lost = v.binary("fsub", rest, v.binary("fsub", exponential, first))
    bits = v.bits(v.binary("fadd", a, v.constant(2.0)))
    cell = v.emit(f"lshr {_BITS} {bits}, splat (i64 50)")
    kept = v.emit(f"and {_BITS} {bits}, splat (i64 {_CELL - 2**64})")
    middle = v.emit(f"bitcast {_BITS} {v.emit(f'or {_BITS} {kept}, splat (i64 {_HALF_CELL})')} to {_TYPE}")
    s = v.binary("fsub", a, v.binary("fsub", middle, v.constant(2.0)))
    s2 = v.binary("fmul", s, s)
    even, odd = v.lookup(ERFCX[14], cell), v.lookup(ERFCX[13], cell)
    for i in range(12, 0, -2):
        even, odd = v.fma(even, s2, v.lookup(ERFCX[i], cell)), v.fma(odd, s2, v.lookup(ERFCX[i - 1], cell))
    constant = v.lookup(ERFCX[0], cell)
    varying = v.fma(even, s2, v.binary("fmul", odd, s))
    product = v.fma(exponential, constant, v.fma(exponential, varying, v.binary("fmul", lost, constant)))
    result = v.scaled(product, k)
    other = v.binary("fsub", v.constant(2.0), result)
    negative = v.emit(f"fcmp olt {_TYPE} {x}, zeroinitializer")
    return v.emit(f"select <8 x i1> {negative}, {_TYPE} {other}, {_TYPE} {result}")


WRITTEN_OUT: dict[Callable[..., Any], Callable[[_Vectors, str], str]] = {math.exp: _exp, math.log: _log, math.erfc: _erfc}


def written_out(builder: Builder, function: Callable[..., Any], x: Operand, inline: bool) -> Operand:
    """A function of `WRITTEN_OUT` on all lanes, on the spot or as a call; on a single number, in a vector filled with it."""
    argument = builder.filled(x.text, WIDTH) if builder.width == 1 else x.text
    if inline:
        result = WRITTEN_OUT[function](_Vectors(builder), argument)
    else:
        name = f"v_{function.__name__}"
        if name not in builder.module.written:
            builder.module.written.add(name)
            body = Builder(builder.module, WIDTH)
            body.write(f"ret {_TYPE} {WRITTEN_OUT[function](_Vectors(body), '%x')}")
            builder.module.definitions.append(body.text(f"define internal {_TYPE} @{name}({_TYPE} %x) #1"))
        result = builder.emit(f"call {_TYPE} @{name}({_TYPE} {argument})", "float").text
    if builder.width == 1:
        return builder.emit(f"extractelement {_TYPE} {result}, i64 0", "float")
    return Operand(result, "float")
