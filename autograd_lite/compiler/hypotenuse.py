"""Python's own hypot, written in the part of Python that `compiler.translate` reads: bit for bit that of this version.

The larger number is scaled to lie between 1/2 and 1, so neither square overflows; what squares and sums round away is kept,
and the root improved by a Newton step whose residual is computed with it. Python 3.12 has changed how.
"""

import math
import sys

from autograd_lite.floats import inf, nan, product_error

NORMAL = 2.2250738585072014e-308


def hypot(x: float, y: float) -> float:
    """sqrt(x*x + y*y), as Python computes it."""
    x = abs(x)
    y = abs(y)
    if math.isinf(x) or math.isinf(y):
        return inf
    if x != x or y != y:
        return nan
    largest = max(x, y)
    if largest == 0.0:
        return 0.0
    _, exponent = math.frexp(largest)
    if exponent < -1023:  # its reciprocal would overflow
        return _small_hypot(x, y, largest)
    scale = math.ldexp(1.0, -exponent)
    return _scaled_hypot(x * scale, y * scale) / scale


if sys.version_info >= (3, 12):

    def _small_hypot(x: float, y: float, largest: float) -> float:
        """hypot of subnormal numbers."""
        _, exponent = math.frexp(largest / NORMAL)
        scale = math.ldexp(1.0, -exponent)
        return NORMAL * (_scaled_hypot(x / NORMAL * scale, y / NORMAL * scale) / scale)

    def _scaled_hypot(x: float, y: float) -> float:
        """hypot of numbers below 1, the larger of which is at least 1/2."""
        first = x * x
        low = product_error(x, x)
        high = 1.0 + first
        lost = (1.0 - high) + first
        second = y * y
        low += product_error(y, y)
        total = high + second
        lost += (high - total) + second
        root = math.sqrt(total - 1.0 + (low + lost))
        square = -root * root
        low += product_error(-root, root)
        rest = total + square
        lost += (total - rest) + square
        return root + (rest - 1.0 + (low + lost)) / (2.0 * root)

else:

    def _small_hypot(x: float, y: float, largest: float) -> float:
        """hypot of subnormal numbers."""
        first = (x / largest) * (x / largest)
        second = (y / largest) * (y / largest)
        high = 1.0 + first
        total = high + second
        lost = ((1.0 - high) + first) + ((high - total) + second)
        return largest * math.sqrt(total - 1.0 + lost)

    def _scaled_hypot(x: float, y: float) -> float:
        """hypot of numbers below 1, the larger of which is at least 1/2, each squared as a sum of two halves."""
        high_x = _upper_half(x)
        high_y = _upper_half(y)
        low_x = x - high_x
        low_y = y - high_y
        sum1 = 1.0 + high_x * high_x
        lost1 = (1.0 - sum1) + high_x * high_x
        sum2 = sum1 + 2.0 * high_x * low_x
        lost2 = (sum1 - sum2) + 2.0 * high_x * low_x
        sum3 = sum2 + high_y * high_y
        lost1 += (sum2 - sum3) + high_y * high_y
        sum4 = sum3 + 2.0 * high_y * low_y
        lost2 += (sum3 - sum4) + 2.0 * high_y * low_y
        lost3 = low_x * low_x + low_y * low_y
        root = math.sqrt(sum4 - 1.0 + (lost1 + lost2 + lost3))
        high = _upper_half(root)
        low = root - high
        sum5 = sum4 - high * high
        lost1 += (sum4 - sum5) - high * high
        sum6 = sum5 - 2.0 * high * low
        lost2 += (sum5 - sum6) - 2.0 * high * low
        sum7 = sum6 - low * low
        lost3 += (sum6 - sum7) - low * low
        return root + (sum7 - 1.0 + (lost1 + lost2 + lost3)) / (2.0 * root)

    def _upper_half(x: float) -> float:
        """The leading 26 bits of x, rounded."""
        scaled = 134217729.0 * x
        return scaled - (scaled - x)
