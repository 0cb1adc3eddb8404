"""Functions of which `reference` is made: the families of the normal distribution, erf and sinc in mpmath's numbers."""

import math
from typing import Any

from mpmath import mp, mpf


def sinc_derivative(x: Any, n: Any) -> Any:
    """The integral of s^n cos(y s + n pi/2) over 0 < s < 1 times pi^n: a power series where y = pi x is small, or in parts."""
    n = int(n)
    y = mp.pi * x
    if abs(y) < 1:
        j = (n + 1) // 2
        term, total = (-1) ** j * (y if n % 2 else mpf(1)), mpf(0)
        while abs(term) > abs(total) * mpf(2) ** (-mp.prec - 9):
            total += term / (2 * j + 1)
            term *= -y * y / ((2 * j - n + 1) * (2 * j - n + 2))
            j += 1
        return mp.pi**n * total
    with mp.extraprec(64):
        f = mp.sinpi(x) / y
        for k in range(1, n + 1):
            f = ((mp.sinpi(x), mp.cospi(x), -mp.sinpi(x), -mp.cospi(x))[k % 4] - k * f) / y
        return mp.pi**n * f


def sinc_envelope(x: Any, n: Any) -> Any:
    """What the integral is at most, times pi^n, and how large it is between its zeros: of size 1/y."""
    return mp.pi**n * min(1 / (n + 1), 1 / (mp.pi * abs(x)) if x else 1)


def phi(x: Any) -> Any:
    return mp.exp(-(x**2) / 2) / mp.sqrt(2 * mp.pi)


def erfc(x: Any) -> Any:
    return mp.erfc(max(-1000, min(1000, x)))  # beyond, it is 0 or 2 in any case, and mpmath overflows


def normal_cdf(x: Any) -> Any:
    return erfc(-x / mp.sqrt(2)) / 2


def hermite(x: Any, n: int, twice: bool, absolute: bool = False) -> Any:
    """The Hermite polynomial of physicists (twice) or of probabilists by its sum; or the sum of its terms' sizes."""
    total = mpf(0)
    for k in range(n // 2 + 1):
        term = mpf(math.factorial(n)) / (math.factorial(k) * math.factorial(n - 2 * k))
        term *= (2 * x) ** (n - 2 * k) if twice else x ** (n - 2 * k) / mpf(2) ** k
        total += abs(term) if absolute else (-1) ** k * term
    return total


def normal_pdf(x: Any, order: Any) -> Any:
    return (-1) ** int(order) * hermite(x, int(order), twice=False) * phi(x)


def normal_pdf_terms(x: Any, order: Any) -> Any:
    return hermite(x, int(order), twice=False, absolute=True) * phi(x)


def inverse_mills(x: Any) -> Any:
    """The derivative of log(normal_cdf(x)); far below 0 by its continued fraction, of t = -x: t + 1 / (t + 2 / (t + ...))."""
    if x > -1000:
        return phi(x) / normal_cdf(x)
    ratio = -x
    for j in range(20 + mp.prec // (2 * mp.mag(x) - 10), 0, -1):
        ratio = j / ratio - x
    return ratio


def log_normal_cdf(x: Any) -> Any:
    if x > 0:
        return mp.log1p(-normal_cdf(-x))
    return -(x**2) / 2 - mp.log(inverse_mills(x) * mp.sqrt(2 * mp.pi))


def log_normal_cdf_derivative(x: Any, n: Any) -> Any:
    """With h the first, h' = -h (x + h)."""
    if n == 0:
        return log_normal_cdf(x)
    with mp.workprec(mp.prec + int(4 + 2 * n) * max(8, mp.mag(x))):  # of powers of x little is left
        derivatives = [inverse_mills(x)]
        for m in range(int(n) - 1):
            products = [math.comb(m, k) * derivatives[k] * derivatives[m - k] for k in range(m + 1)]
            derivatives.append(-(x * derivatives[m] + (m * derivatives[m - 1] if m else 0)) - mp.fsum(products))
        return derivatives[-1]


def log_normal_cdf_derivative_terms(x: Any, n: Any) -> Any:
    """The sizes of the products of moments of which the derivative, a cumulant, is the sum.

    Moments of exp(x s - s*s/2) over s > 0; above -1/2 the derivatives of the distribution function over its value.
    """
    n = int(n)
    with mp.workprec(mp.prec + int(4 + 2 * n) * max(8, mp.mag(x))):
        moments = [mpf(1), inverse_mills(x) + x]
        for j in range(1, n):
            moments.append(j * moments[j - 1] + x * moments[j])
    if x > -0.5:
        moments[1:] = [normal_pdf(x, j) / normal_cdf(x) for j in range(n)]
    sizes = [mpf(0)]
    for i in range(1, n + 1):
        products = [math.comb(i - 1, j - 1) * sizes[j] * abs(moments[i - j]) for j in range(1, i)]
        sizes.append(abs(moments[i]) + mp.fsum(products))
    return sizes[n]


def erf_derivative(x: Any, order: Any) -> Any:
    n = int(order)
    return (-1) ** (n - 1) * hermite(x, n - 1, twice=True) * bell(x) if n else mp.erf(x)


def erf_derivative_terms(x: Any, order: Any) -> Any:
    n = int(order)
    return hermite(x, n - 1, twice=True, absolute=True) * bell(x) if n else mp.erf(x)


def bell(x: Any) -> Any:
    return 2 / mp.sqrt(mp.pi) * mp.exp(-(x**2))


def sigmoid(x: Any) -> Any:
    return 1 / (1 + mp.exp(-x))


def difference_error(x: Any, y: Any) -> Any:
    rounded = float(x) - float(y)
    return mp.fsub(mp.fsub(x, y, exact=True), rounded, exact=True) if math.isfinite(rounded) else 0
