"""Python's own arithmetic on floats, written in the part of Python that `compiler.translate` reads."""

import math

from autograd_lite import floats


def mod(x: float, y: float) -> float:
    """x % y: the remainder with the sign of the divisor."""
    remainder = math.fmod(x, y)
    if remainder == 0.0:
        return math.copysign(0.0, y)
    return remainder + y if (y < 0.0) != (remainder < 0.0) else remainder


def floor_divide(x: float, y: float) -> float:
    """x // y; what is left when the remainder is taken off is all but a multiple of the divisor."""
    if y == 0.0:
        return x / y
    remainder = math.fmod(x, y)
    quotient = (x - remainder) / y
    if remainder != 0.0 and (y < 0.0) != (remainder < 0.0):
        quotient = quotient - 1.0
    if quotient == 0.0:
        return math.copysign(0.0, x / y)
    below = floats.floor(quotient)
    return below + 1.0 if quotient - below > 0.5 else below
