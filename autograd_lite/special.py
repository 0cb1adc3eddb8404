"""Special functions on floats, and derivatives of any order that keep their digits over the whole range of doubles.

The derivatives come in families that are closed under differentiation: one function, with the orders as arguments, whole
numbers from 0 to 1000. Like `floats`, these functions return inf or nan where ``math`` raises. They are written in the part of
Python that `compiler.translate` reads: lists keep their length, and helpers fill the lists passed to them. What few arguments
need is in functions named ``_general_...``, which machine code for many points at once keeps out of the way.
"""

import math

from autograd_lite.floats import difference_error, divide, inf, is_odd, is_order, ldexp, log, nan, power, product_error, rint

PI = 3.141592653589793
LN2 = 0.6931471805599453
SQRT_HALF = 0.7071067811865476
SQRT_HALF_LOW = -4.833646656726457e-17  # sqrt(1/2) - SQRT_HALF
SQRT_EIGHT = 2.8284271247461903
INV_SQRT_2PI = 0.3989422804014327
TWO_OVER_SQRT_PI = 1.1283791670955126
LOWEST_EXPONENT = -(2**30)


def normal_cdf(x: float) -> float:
    """The standard normal distribution function, erfc(-x/sqrt(2))/2, with the rounding of x/sqrt(2) made good."""
    z = x * SQRT_HALF
    low = product_error(x, SQRT_HALF) + x * SQRT_HALF_LOW
    correction = SQRT_EIGHT * normal_pdf(x, 0.0) * low if abs(x) < 40.0 else 0.0
    return 0.5 * (math.erfc(-z) + correction)


def gelu(x: float) -> float:
    """x times the standard normal distribution function."""
    return x * normal_cdf(x) if x >= -37.0 else _general_gelu(x)


def _general_gelu(x: float) -> float:
    """gelu where the distribution function alone would be subnormal: its asymptotic series."""
    series = 1.0
    for k in (13.0, 11.0, 9.0, 7.0, 5.0, 3.0, 1.0):
        series = 1.0 - k / (x * x) * series
    return -normal_pdf(x, 0.0) * series


def sigmoid(x: float) -> float:
    """1 / (1 + exp(-x)), without overflow on either side."""
    e = math.exp(-abs(x))
    return (1.0 if x >= 0.0 else e) / (1.0 + e)


def silu(x: float) -> float:
    """x * sigmoid(x); exp(x) is multiplied on in two halves where it would be subnormal."""
    return x * sigmoid(x) if x >= -700.0 else _general_silu(x)


def _general_silu(x: float) -> float:
    root = math.exp(0.5 * x)
    return x * root * root if root != 0.0 else -0.0


def softplus(x: float) -> float:
    """log(1 + exp(x))."""
    return max(x, 0.0) + math.log1p(math.exp(-abs(x)))


def log_sigmoid(x: float) -> float:
    """log(sigmoid(x))."""
    return -softplus(-x)


def logaddexp(x: float, y: float) -> float:
    """log(exp(x) + exp(y)); what x - y rounds away is made good."""
    if x == y:
        return x + LN2
    d, error = x - y, difference_error(x, y)
    term = math.exp(-abs(d))
    larger, lost = (x if d > 0.0 else y), (-error if d > 0.0 else error)
    return larger + math.log1p(term + term * lost)


def logsumexp(*xs: float) -> float:
    """log(sum(exp(x))); the largest term (the first of them) is left out of a compensated sum; of nothing, -inf.

    What an addition rounds away goes into the next one (Kahan, Communications of the ACM 8 (1965), 40), so that the error does
    not grow with the number of terms.
    """
    at, largest = 0, -inf
    for i, x in enumerate(xs):
        if x != x:
            return nan
        if x > largest:
            at, largest = i, x
    if math.isinf(largest):
        return largest
    rest, excess = 0.0, 0.0
    for i, x in enumerate(xs):
        if i != at:
            term = math.exp(x - largest)
            term = term + term * difference_error(x, largest) - excess
            before = rest
            rest = before + term
            excess = (rest - before) - term
    return largest + math.log1p(rest)


def xlogy(x: float, y: float) -> float:
    """x * log(y), 0 where x is 0 and y is a number."""
    return 0.0 if x == 0.0 and y == y else x * log(y)


def sinc(x: float) -> float:
    """sin(pi * x) / (pi * x), 1 where x is 0; exactly 0 at the other whole numbers."""
    if x == 0.0:
        return 1.0
    return _sin_pi(x) / (PI * x) if math.isfinite(x) else 1.0 / x * 0.0


def sinc_derivative(x: float, order: float) -> float:
    """The derivative of the given order of sinc: pi^n times that of f(y) = sin(y) / y at y = pi * x.

    y f(n) = sin(y + n pi/2) - n f(n-1), where f(n) is the n-th derivative of f; next to 0 the first two are series.
    """
    if math.isinf(x):
        return 0.0 if is_order(order) else nan
    y = PI * x
    square = y * y
    if order == 1.0:
        if abs(x) > 0.62:
            return (_cos_pi(x) - _sin_pi(x) / y) / x
        series = 0.0
        for a in (
            -8.509974375387505e-22, 3.9145882126782523e-19, -1.4797143443923793e-16, 4.498331606952833e-14,
            -1.0706029224547743e-11, 1.9270852604185937e-09, -2.505210838544172e-07, 2.2045855379188714e-05,
            -0.0011904761904761906, 0.03333333333333333, -0.3333333333333333,
        ):  # fmt: skip
            series = series * square + a
        return PI * (y * series)
    if order == 2.0:
        if abs(x) > 0.75:
            return PI * (((2.0 / square - 1.0) * _sin_pi(x) - 2.0 / y * _cos_pi(x)) / x)
        series = 0.0
        for b in (
            3.5587165569802293e-23, -1.787094618831376e-20, 7.437717604088679e-18, -2.515514385467045e-15,
            6.74749741042925e-13, -1.3917837991912066e-10, 2.1197937864604532e-08, -2.2546897546897547e-06,
            0.00015432098765432098, -0.005952380952380952, 0.1, -0.3333333333333333,
        ):  # fmt: skip
            series = series * square + b
        return PI * PI * series
    return sinc(x) if order == 0.0 else _general_sinc_derivative(x, order)


def _general_sinc_derivative(x: float, order: float) -> float:
    """From the third order on: the recurrence upwards where |y| >= n, else downwards from 0 at an order far above."""
    if not is_order(order):
        return nan
    n = int(order)
    y, sine, cosine = PI * x, _sin_pi(x), _cos_pi(x)
    if abs(y) >= n:
        result, scale = sinc(x), 1.0
        for k in range(1, n + 1):
            result = (scale * _shifted_sine(sine, cosine, k) - k * result) / x
            scale *= PI
        return result
    f = 0.0
    for k in range(2 * n + 60, n, -1):
        f = (_shifted_sine(sine, cosine, k) - y * f) / k
    return power(PI, order) * f


def _shifted_sine(sine: float, cosine: float, quarters: int) -> float:
    """The sine of an angle with a number of quarter turns added to it."""
    value = sine if quarters % 2 == 0 else cosine
    return value if quarters % 4 < 2 else -value


def _sin_pi(x: float) -> float:
    """sin(pi * x), where x has been reduced exactly."""
    nearest = rint(x)
    value = math.sin(PI * (x - nearest))
    return value if 0.5 * nearest == rint(0.5 * nearest) else -value


def _cos_pi(x: float) -> float:
    """cos(pi * x), where x has been reduced exactly."""
    nearest = rint(x)
    distance = abs(x - nearest)
    value = math.cos(PI * distance) if distance <= 0.25 else math.sin(PI * (0.5 - distance))
    return value if 0.5 * nearest == rint(0.5 * nearest) else -value


def share(x: float, y: float) -> float:
    """x / (x + y), for weights that are not negative."""
    return divide(x, x + y)


def one_minus_square(x: float) -> float:
    """1 - x*x, with all its digits next to 1 and -1."""
    return (1.0 - x) * (1.0 + x)


def logistic_pdf(x: float) -> float:
    """The density of the logistic distribution, exp(-x) / (1 + exp(-x))^2: the derivative of sigmoid."""
    e = math.exp(-abs(x))
    return e / (1.0 + e * (2.0 + e))


def power_quotient(x: float, y: float, order: float) -> float:
    """x / y**order, 0 where x is 0 and y a number; y**order is not formed where it could overflow or underflow."""
    if 1e-75 < abs(y) < 1e75 and (order == 1.0 or order == 2.0 or order == 3.0 or order == 4.0):
        square = y * y
        divisor = y if order == 1.0 else square if order == 2.0 else square * y if order == 3.0 else square * square
        return x / divisor if x != 0.0 else x
    return _general_power_quotient(x, y, order)


def _general_power_quotient(x: float, y: float, order: float) -> float:
    if x == 0.0:
        return x if y == y else nan
    if order == 1.0:
        return divide(x, y)
    if not is_order(order):
        return nan
    if y == 0.0 or not math.isfinite(y) or not math.isfinite(x):
        return divide(x, power(y, order))
    n = int(order)
    mantissa_x, exponent_x = math.frexp(x)
    mantissa_y, exponent_y = math.frexp(y)
    return ldexp(mantissa_x / mantissa_y**n, exponent_x - n * exponent_y)


def power_derivative(x: float, y: float, order_x: float, order_y: float) -> float:
    """The mixed derivative of x ** y, `order_x` times by x and `order_y` times by y; nan where it would be complex."""
    if (order_x == 1.0 or order_x == 2.0) and order_y == 0.0:
        exponent = y - order_x
        if exponent + order_x == y != exponent and x != 0.0 and (x > 0.0 or y % 1.0 == 0.0):  # the exponent is exact
            value = power(x, exponent)
            if 1e-300 < abs(value) < inf:
                return (y if order_x == 1.0 else y * (y - 1.0)) * value
    if order_x == 0.0 and order_y == 1.0 and 0.0 < x < inf and y - y == 0.0:
        value = power(x, y)
        if 1e-300 < value < inf:
            return log(x) * value
    return _general_power_derivative(x, y, order_x, order_y)


def _general_power_derivative(x: float, y: float, order_x: float, order_y: float) -> float:
    """It is x^(y-k) P(log x), where P starts as its m-th power, and each derivative by x makes (y - j) P + P' of it."""
    if not is_order(order_x) or not is_order(order_y):
        return nan
    order, logs = int(order_x), int(order_y)
    coefficients = [0.0] * (logs + 1)
    coefficients[logs] = 1.0
    for j in range(order):
        for i in range(logs):
            coefficients[i] = (y - j) * coefficients[i] + (i + 1) * coefficients[i + 1]
        coefficients[logs] = (y - j) * coefficients[logs] + 0.0
    if logs == 0 and coefficients[0] == 0.0:
        return 0.0
    if x < 0.0 and (logs > 0 or y % 1.0 != 0.0):
        return nan
    if x == 0.0 or not math.isfinite(x) or not math.isfinite(y):
        return _power_derivative_at_edge(x, y, y - order, coefficients)
    result = _scaled_power(abs(x), y, order, _horner(coefficients, math.log(abs(x))))
    return -result if x < 0.0 and is_odd(y) != is_odd(order_x) else result


def _scaled_power(x: float, y: float, order: int, factor: float) -> float:
    """factor * x^(y - order) for a finite x > 0; what y - order rounds away comes back as a factor of first order."""
    exponent = y - order
    value = power(x, exponent)
    if 1e-300 < value < inf or exponent == 1.0:
        result = factor * value
    else:  # the square root is multiplied on twice, so that neither overflow nor underflow comes too early
        root = power(x, 0.5 * exponent)
        if root == 0.0 or factor == 0.0:
            return 0.0
        result = factor * root * root
    lost = difference_error(y, float(order))
    return result * (1.0 + lost * math.log(x)) if lost and math.isfinite(result) else result


def _power_derivative_at_edge(x: float, y: float, exponent: float, coefficients: list[float]) -> float:
    """x is 0, infinite or nan, or y is not finite: the limit, with 0 for the logarithm's jump at 0 ** 0."""
    logs = len(coefficients) > 1
    if logs and x == 0.0 and (exponent > 0.0 or exponent == y == 0.0):
        return 0.0
    if logs and x == inf and exponent < 0.0:
        return 0.0
    value = power(x, exponent)
    if math.isinf(y) and value == 0.0:
        return 0.0
    return _horner(coefficients, log(x) if logs else 0.0) * value


def _horner(coefficients: list[float], x: float) -> float:
    """The polynomial with these coefficients, that of 1 first; a coefficient of 0 asks for no power of x."""
    result = 0.0
    for c in reversed(coefficients):
        result = result * x + c if result else c
    return result


def hypot_derivative(x: float, y: float, order_x: float, order_y: float) -> float:
    """The mixed derivative of hypot(x, y). At the origin: 0 of order 1, the subgradient of least norm; nan of higher orders."""
    if order_x + order_y == 1.0 and order_x * order_y == 0.0 and 1e-290 < abs(x) + abs(y) < 1e290:
        return (x if order_x == 1.0 else y) / math.hypot(x, y)
    return _general_hypot_derivative(x, y, order_x, order_y)


def _general_hypot_derivative(x: float, y: float, order_x: float, order_y: float) -> float:
    order = order_x + order_y
    if not is_order(order_x) or not is_order(order_y) or not is_order(order):
        return nan
    if order == 0.0:
        return math.hypot(x, y)
    if x != x or y != y or (math.isinf(x) and math.isinf(y)):
        return nan
    if x == y == 0.0:
        return 0.0 if order == 1.0 else nan
    if math.isinf(x) or math.isinf(y):
        along = x if order_x != 0.0 else y
        return math.copysign(1.0, along) if order == 1.0 and math.isinf(along) else 0.0
    n = int(order)
    numerator = [0.0] * (n + 1)
    _hypot_numerator(numerator, int(order_x))
    return _homogeneous(numerator, x, y, 2 * n - 1)


def inverse_power_real(x: float, y: float, order: float) -> float:
    """The real part of (x + iy)^-order; nan at the origin."""
    if order == 1.0 and 1e-100 < abs(x) + abs(y) < 1e100:
        return x / (x * x + y * y)
    return _general_inverse_power(x, y, order, imaginary=False)


def inverse_power_imaginary(x: float, y: float, order: float) -> float:
    """The imaginary part of (x + iy)^-order; nan at the origin."""
    if order == 1.0 and 1e-100 < abs(x) + abs(y) < 1e100:
        return -y / (x * x + y * y)
    return _general_inverse_power(x, y, order, imaginary=True)


def _general_inverse_power(x: float, y: float, order: float, imaginary: bool) -> float:
    if not is_order(order) or x != x or y != y or x == y == 0.0:
        return nan
    if math.isinf(x) or math.isinf(y):
        return 0.0 if order != 0.0 or imaginary else 1.0
    n = int(order)
    numerator = [0.0] * (n + 1)
    _conjugate_power(numerator, imaginary)
    return _homogeneous(numerator, x, y, 2 * n)


def silu_derivative(x: float, order: float) -> float:
    """The derivative of the given order of silu.

    It is x s(n) + n s(n-1), where s(n) is the n-th derivative of sigmoid: its density times a polynomial in tanh(x/2).
    """
    if order == 1.0 and x >= -700.0:
        return sigmoid(x) * (1.0 + x * sigmoid(-x)) if x < 700.0 else 1.0
    return silu(x) if order == 0.0 else _general_silu_derivative(x, order)


def _general_silu_derivative(x: float, order: float) -> float:
    if not is_order(order):
        return nan
    n = int(order)
    root = math.exp(-0.5 * abs(x))
    if root == 0.0:
        return 0.0
    if n == 1:
        return (1.0 + x) * root * root
    last, before = [0.0] * n, [0.0] * (n - 1)
    _logistic_polynomial(last)
    _logistic_polynomial(before)
    t = math.tanh(0.5 * x)
    factor = x * _horner(last, t) + n * _horner(before, t)
    return factor * logistic_pdf(x) if abs(x) < 700.0 else factor * root * root


def _logistic_polynomial(polynomial: list[float]) -> None:
    """Fill in Q, where f Q is the derivative of the logistic density f: a polynomial in t = tanh(x/2), that of 1 first.

    Its degree is the order. As df/dx = -t f and dt/dx = (1 - t*t) / 2, the next derivative of f Q is
    f (Q' (1 - t*t) / 2 - t Q).
    """
    n = len(polynomial)
    polynomial[0] = 1.0
    for order in range(1, n):
        before = 0.0
        for i in range(order + 1):
            here = polynomial[i]
            after = polynomial[i + 1] if i + 1 < n else 0.0
            polynomial[i] = 0.0 - before * (1.0 + 0.5 * (i - 1)) + 0.5 * (i + 1) * after
            before = here


def _hypot_numerator(numerator: list[float], order_x: int) -> None:
    """Fill in the numerator over hypot^(2n-1) of hypot's n-th derivative, for `_homogeneous`; `order_x` of them are by x.

    It starts as x or y; each derivative by x makes (x*x + y*y) dP/dx - (2k - 1) x P of the k-th numerator P.
    """
    n = len(numerator) - 1
    numerator[0 if order_x > 0 else 1] = 1.0
    for k in range(1, n):
        if k < order_x:
            for i in range(k + 1, -1, -1):  # of the term x^(k+1-i) * y^i
                before = (k - i + 2) * numerator[i - 2] if i > 1 else 0.0
                numerator[i] = 0.0 + before + (1 - k - i) * numerator[i]
        else:
            before = 0.0
            for i in range(k + 2):
                here = numerator[i]
                after = numerator[i + 1] if i < n else 0.0
                numerator[i] = 0.0 + (i - 2 * k) * before + (i + 1) * after
                before = here


def _conjugate_power(coefficients: list[float], imaginary: bool) -> None:
    """Fill in the real or the imaginary part of (x - iy)^n, for `_homogeneous`; the binomials are from Pascal's triangle."""
    coefficients[0] = 1.0
    for row in range(1, len(coefficients)):
        for i in range(row, 0, -1):
            coefficients[i] += coefficients[i - 1]
    for i in range(len(coefficients)):
        if (i % 2 == 1) != imaginary:
            coefficients[i] = 0.0
        elif i % 4 == 1 or i % 4 == 2:
            coefficients[i] = -coefficients[i]


def _homogeneous(coefficients: list[float], x: float, y: float, degree: int) -> float:
    """(c0 x^n + c1 x^(n-1) y + ... + cn y^n) / hypot(x, y)^degree, for finite x and y that are not both 0.

    Exponents are kept apart from mantissas, so that no term loses digits to overflow or underflow on the way.
    """
    n = len(coefficients) - 1
    mantissa_x, exponent_x = math.frexp(x)
    mantissa_y, exponent_y = math.frexp(y)
    _, exponent = math.frexp(max(abs(x), abs(y)))
    x, y = math.ldexp(x, -exponent), math.ldexp(y, -exponent)
    square = x * x + y * y
    low = product_error(x, x) + product_error(y, y) + difference_error(x * x, -y * y)
    scale = divide(1.0 - 0.5 * degree * (low / square), square ** (0.5 * degree))
    largest = LOWEST_EXPONENT
    for i, c in enumerate(coefficients):
        if c * mantissa_x ** (n - i) * mantissa_y**i != 0.0:  # a number that is 0 has no exponent
            largest = max(largest, (n - i) * exponent_x + i * exponent_y)
    result = 0.0
    for i, c in enumerate(coefficients):
        if c:
            shift = (n - i) * exponent_x + i * exponent_y - largest
            result += math.ldexp(c * mantissa_x ** (n - i) * mantissa_y**i * scale, shift)
    return ldexp(result, largest - degree * exponent)


def normal_pdf(x: float, order: float) -> float:
    """The derivative of the given order of the standard normal density; the density itself is order 0."""
    return _gaussian_derivative(x, order, 1.0, INV_SQRT_2PI)


def erf_derivative(x: float, order: float) -> float:
    """The derivative of the given order of erf."""
    return _gaussian_derivative(x, order - 1.0, 2.0, TWO_OVER_SQRT_PI) if order else math.erf(x)


def _gaussian_derivative(x: float, order: float, curvature: float, peak: float) -> float:
    """The derivative of the given order of peak * exp(-curvature * x*x / 2); nan unless the order is a whole number.

    Where the exponential is tiny half of it is multiplied on at the end, so that it does not underflow early. What x*x rounds
    away is made good.
    """
    if not is_order(order):
        return nan
    exponent = -0.5 * curvature * (x * x)
    tiny = exponent < -700.0
    exponential = math.exp(0.5 * exponent if tiny else exponent)
    if exponential == 0.0:
        return 0.0
    before, polynomial = 0.0, 1.0
    for k in range(int(order)):
        before, polynomial = polynomial, -curvature * (x * polynomial + k * before)
    result = polynomial * (peak - peak * (0.5 * curvature * product_error(x, x))) * exponential
    return result * exponential if tiny else result
