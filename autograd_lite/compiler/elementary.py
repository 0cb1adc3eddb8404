"""exp, exp2, tanh and tan of vectors of any width, written out where they are used.

One sequence of operations, hence the same bits on all processors with fused products, and on all without. They take the place
of libmvec's: those are up to 2.9 units in the last place off, with which densities and derivatives come to 6. Largest errors
found, in units in the last place: exp 1.04, exp2 1.10, tanh 1.11, tan 1.02. The polynomials' coefficients are minimax, computed
by Remez' exchange in 200 bits and rounded.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from autograd_lite import floats
from autograd_lite.compiler.ir import Builder, Operand

_ROUND = 1.5 * 2.0**52  # adding it leaves whole numbers: in the lowest bits
_1_LN2 = float.fromhex("0x1.71547652b82fep+0")
_LN2_PARTS = float.fromhex("0x1.62e42fefa3800p-1"), float.fromhex("0x1.ef35793c76730p-45")  # the first one of 42 bits
_LN2 = float.fromhex("0x1.62e42fefa39efp-1")
_EXP = [float.fromhex(x) for x in (
    "0x1.000000000000ap-1", "0x1.55555555554f9p-3", "0x1.555555555083ep-5", "0x1.1111111127d12p-7", "0x1.6c16c18438b27p-10",
    "0x1.a01a012a0e441p-13", "0x1.a01999e25cd1bp-16", "0x1.71df25b5069cdp-19", "0x1.28ad9b8b9cccdp-22", "0x1.ad7f3be86f49cp-26",
)]  # fmt: skip
_2_PI = float.fromhex("0x1.45f306dc9c883p-1")
# pi/2 in parts: where products are fused, and of so few bits that products with 22 bits are exact
_HALF_PI = [float.fromhex(x) for x in ("0x1.921fb54442d18p+0", "0x1.1a62633145c07p-54", "-0x1.f1976b7ed8fbcp-110")]
_HALF_PI_SHORT = [float.fromhex(x) for x in (
    "0x1.921fb544p+0", "0x1.0b4611a6p-34", "0x1.3198a2ep-69", "0x1.b839a252049c1p-104",
)]  # fmt: skip
_SIN = [float.fromhex(x) for x in (
    "-0x1.5555555555549p-3", "0x1.111111110f861p-7", "-0x1.a01a019c0e4c0p-13", "0x1.71de3574ba57ap-19",
    "-0x1.ae5e63cd8aaedp-26", "0x1.5d9246d001f3dp-33",
)]  # fmt: skip
_COS = [float.fromhex(x) for x in (
    "0x1.555555555554cp-5", "-0x1.6c16c16c15162p-10", "0x1.a01a019caef3cp-16", "-0x1.27e4f807d657dp-22",
    "0x1.1ee9ea6ce58a1p-29", "-0x1.8fadd082473f3p-37",
)]  # fmt: skip
_SMALL = 2.0**-27  # of smaller numbers, tan and tanh are these numbers


class _Numbers:
    """Arithmetic on the lanes of a builder; products are fused with sums where the processor does it."""

    def __init__(self, builder: Builder, has_fma: bool) -> None:
        self.builder, self.has_fma = builder, has_fma

    def constant(self, x: float) -> Operand:
        return self.builder.constant(x, "float")

    def add(self, x: Operand, y: Operand) -> Operand:
        return self.builder.operation("+", (x, y), "float")

    def subtract(self, x: Operand, y: Operand) -> Operand:
        return self.builder.operation("-", (x, y), "float")

    def multiply(self, x: Operand, y: Operand) -> Operand:
        return self.builder.operation("*", (x, y), "float")

    def negative(self, x: Operand) -> Operand:
        return self.builder.operation("negative", (x,), "float")

    def multiply_add(self, x: Operand, y: Operand, z: Operand) -> Operand:
        """x * y + z."""
        return self.builder.fma(x, y, z) if self.has_fma else self.add(self.multiply(x, y), z)

    def product(self, x: Operand, y: Operand) -> tuple[Operand, Operand]:
        """x * y and what it rounds away."""
        product = self.multiply(x, y)
        if self.has_fma:
            return product, self.builder.fma(x, y, self.negative(product))
        return product, self.builder.call(floats.product_error, (x, y))

    def fast_sum(self, x: Operand, y: Operand) -> tuple[Operand, Operand]:
        """x + y, and what it rounds away where x is the larger one."""
        total = self.add(x, y)
        return total, self.subtract(y, self.subtract(total, x))

    def sum(self, x: Operand, y: Operand) -> tuple[Operand, Operand]:
        """x + y and what it rounds away."""
        total = self.add(x, y)
        share = self.subtract(total, x)
        return total, self.add(self.subtract(x, self.subtract(total, share)), self.subtract(y, share))

    def quotient(self, x: tuple[Operand, Operand], y: tuple[Operand, Operand]) -> Operand:
        """x / y, where each is a sum of a number and what it has rounded away."""
        reciprocal = self.builder.operation("/", (self.constant(1.0), y[0]), "float")
        quotient = self.multiply(x[0], reciprocal)
        product, error = self.product(quotient, y[0])
        rest = self.subtract(self.subtract(x[0], product), error)
        rest = self.add(rest, self.subtract(x[1], self.multiply(quotient, y[1])))
        return self.multiply_add(rest, reciprocal, quotient)

    def polynomial(self, x: Operand, coefficients: Sequence[float]) -> Operand:
        """By pairs, then by pairs of pairs: the shortest chain."""
        terms, power = [self.constant(c) for c in coefficients], x
        while len(terms) > 1:
            pairs = [terms[i : i + 2] for i in range(0, len(terms), 2)]
            terms = [self.multiply_add(pair[1], power, pair[0]) if len(pair) == 2 else pair[0] for pair in pairs]
            power = self.multiply(power, power)
        return terms[0]

    def select(self, comparison: str, x: Operand, y: Operand, then: Operand, otherwise: Operand) -> Operand:
        return self.builder.select(self.builder.compare(comparison, x, y), then, otherwise)

    def bits(self, x: Operand) -> Operand:
        return self.builder.emit(f"bitcast {self.builder.typed(x)} to {self.builder.type('int')}", "int")

    def on_bits(self, operation: str, x: Operand, y: Operand | int) -> Operand:
        y = self.builder.constant(y, "int") if isinstance(y, int) else y
        return self.builder.emit(f"{operation} {self.builder.typed(x)}, {y.text}", "int")

    def power_of_two(self, exponent: Operand) -> Operand:
        """2 to the power of a whole number, which is in the lowest 12 bits."""
        bits = self.on_bits("shl", self.on_bits("add", exponent, 1023), 52)
        return self.builder.emit(f"bitcast {self.builder.typed(bits)} to {self.builder.type('float')}", "float")


def _exp(v: _Numbers, x: Operand) -> Operand:
    """2**k * exp(r), where x = k * ln(2) + r."""
    r, _, shifted = _rest_of_ln2(v, _between(v, x, -746.0, 710.0))
    return _scaled_exp(v, r, shifted)


def _rest_of_ln2(v: _Numbers, x: Operand) -> tuple[Operand, Operand, Operand]:
    """x - k * ln(2) as a sum of two numbers, and one with k in its lowest bits."""
    shifted = v.multiply_add(x, v.constant(_1_LN2), v.constant(_ROUND))
    k = v.subtract(shifted, v.constant(_ROUND))
    high, low = [v.constant(-part) for part in _LN2_PARTS]
    rest = v.multiply_add(k, high, x)
    r = v.multiply_add(k, low, rest)
    return r, v.multiply_add(k, low, v.subtract(rest, r)), shifted


def _exp2(v: _Numbers, x: Operand) -> Operand:
    """2**k * exp(r), where x = k + r / ln(2)."""
    x = _between(v, x, -1076.0, 1025.0)
    shifted = v.add(x, v.constant(_ROUND))
    rest = v.subtract(x, v.subtract(shifted, v.constant(_ROUND)))
    return _scaled_exp(v, v.multiply(rest, v.constant(_LN2)), shifted)


def _between(v: _Numbers, x: Operand, low: float, high: float) -> Operand:
    """x, or the bound that it lies beyond."""
    x = v.select("<", v.constant(high), x, v.constant(high), x)
    return v.select(">", v.constant(low), x, v.constant(low), x)


def _scaled_exp(v: _Numbers, r: Operand, shifted: Operand) -> Operand:
    """2**k * (1 + (r + r*r*q(r))), where k is in the lowest bits of `shifted`.

    2**k is multiplied on in two halves, so that neither overflows and only the last one rounds.
    """
    result = v.add(v.multiply_add(v.multiply(r, r), v.polynomial(r, _EXP), r), v.constant(1.0))
    whole = v.bits(shifted)
    half = v.on_bits("lshr", whole, 1)
    return v.multiply(v.multiply(result, v.power_of_two(half)), v.power_of_two(v.on_bits("sub", whole, half)))


def _tanh(v: _Numbers, x: Operand) -> Operand:
    """n / (1 + n), where n = (exp(2|x|) - 1) / 2 is a sum of two numbers; with the sign of x."""
    size = v.builder.call(math.fabs, [x])
    bounded = v.select("<", v.constant(20.0), size, v.constant(20.0), size)  # where it is 1
    r, low, shifted = _rest_of_ln2(v, v.add(bounded, bounded))
    q = v.multiply_add(v.multiply(r, r), v.polynomial(r, _EXP), low)
    scale = v.power_of_two(v.on_bits("sub", v.bits(shifted), 1))
    total, rounded = v.sum(v.subtract(scale, v.constant(0.5)), v.multiply(scale, r))
    n, n_low = v.fast_sum(total, v.multiply_add(scale, q, rounded))
    divisor, lost = v.sum(v.constant(1.0), n)
    result = v.builder.call(math.copysign, [v.quotient((n, n_low), (divisor, v.add(lost, n_low))), x])
    return v.select("<", size, v.constant(_SMALL), x, result)


def _tan(v: _Numbers, x: Operand) -> Operand:
    """sin(r) / cos(r), or minus its reciprocal, where x = k * pi/2 + r; sine and cosine are sums of two numbers."""
    shifted = v.multiply_add(x, v.constant(_2_PI), v.constant(_ROUND))
    k = v.subtract(shifted, v.constant(_ROUND))
    r, low = _rest_of_half_pi(v, x, k)
    z, z_low = v.product(r, r)
    half_z = v.multiply(z, v.constant(0.5))
    one = v.constant(1.0)
    near_one = v.subtract(one, half_z)
    small = v.multiply_add(v.multiply(r, z), v.polynomial(z, _SIN), v.multiply(low, near_one))
    sine, sine_low = v.fast_sum(r, small)
    lost = v.subtract(v.subtract(one, near_one), half_z)
    lost = v.multiply_add(z_low, v.constant(-0.5), v.subtract(lost, v.multiply(r, low)))
    small = v.multiply_add(v.multiply(z, z), v.polynomial(z, _COS), lost)
    cosine, cosine_low = v.fast_sum(near_one, small)
    parity = v.on_bits("and", v.bits(shifted), 1)
    is_odd = v.builder.compare("!=", parity, v.builder.constant(0, "int"))
    numerator = v.builder.select(is_odd, cosine, sine), v.builder.select(is_odd, cosine_low, sine_low)
    minus = v.negative(sine), v.negative(sine_low)
    divisor = v.builder.select(is_odd, minus[0], cosine), v.builder.select(is_odd, minus[1], cosine_low)
    result = v.quotient(numerator, divisor)
    return v.select("<", v.builder.call(math.fabs, [x]), v.constant(_SMALL), x, result)  # with the sign of 0


def _rest_of_half_pi(v: _Numbers, x: Operand, k: Operand) -> tuple[Operand, Operand]:
    """x - k * pi/2 as a sum of two numbers."""
    minus = v.negative(k)
    if v.has_fma:
        first, second, third = [v.constant(part) for part in _HALF_PI]
        rest = v.builder.fma(minus, first, x)
        product, error = v.product(k, second)
        r, lost = v.fast_sum(rest, v.negative(product))
        return r, v.builder.fma(minus, third, v.subtract(lost, error))
    first, second, third, fourth = [v.constant(part) for part in _HALF_PI_SHORT]
    rest = v.add(x, v.multiply(minus, first))
    high = v.add(rest, v.multiply(minus, second))
    lost = v.add(v.subtract(rest, high), v.multiply(minus, second))
    r = v.add(high, v.multiply(minus, third))
    more = v.add(v.subtract(high, r), v.multiply(minus, third))
    return r, v.add(v.multiply_add(minus, fourth, more), lost)


ANY_WIDTH: dict[Callable[..., Any], Callable[[_Numbers, Operand], Operand]] = {
    math.exp: _exp,
    math.exp2: _exp2,
    math.tanh: _tanh,
    math.tan: _tan,
}


def limit(function: Callable[..., Any], has_fma: bool) -> float:
    """The size of argument up to which a function of `ANY_WIDTH` is right."""
    return math.inf if function is not math.tan else 2.0**40 if has_fma else 2.0**20


def at_any_width(builder: Builder, function: Callable[..., Any], x: Operand, has_fma: bool, inline: bool) -> Operand:
    """A function of `ANY_WIDTH` on all lanes, on the spot or as a call."""
    if inline:
        return ANY_WIDTH[function](_Numbers(builder, has_fma), x)
    name, type_ = f"v{builder.width}_{function.__name__}", builder.type("float")
    if name not in builder.module.written:
        builder.module.written.add(name)
        body = type(builder)(builder.module, builder.width)
        result = ANY_WIDTH[function](_Numbers(body, has_fma), Operand("%x", "float"))
        body.write(f"ret {body.typed(result)}")
        builder.module.definitions.append(body.text(f"define internal {type_} @{name}({type_} %x) #1"))
    return builder.emit(f"call {type_} @{name}({builder.typed(x)})", "float")
