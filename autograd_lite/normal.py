"""The logarithm of the normal distribution function and its derivatives, on floats, with their digits in both tails.

Written as `special` is, in the part of Python that `compiler.translate` reads.
"""

import math

from autograd_lite.floats import is_order, nan
from autograd_lite.special import normal_cdf, normal_pdf, power_quotient

HALF_LOG_2PI = 0.9189385332046728


def log_normal_cdf(x: float) -> float:
    """log(normal_cdf(x)); below 0 by the inverse Mills ratio, which neither underflows nor cancels."""
    if x > 0.0:
        return math.log1p(-normal_cdf(-x))
    return -0.5 * x * x - (math.log(mills_excess(-x) - x) + HALF_LOG_2PI)


def log_normal_cdf_derivative(x: float, order: float) -> float:
    """The derivative of the given order of log_normal_cdf; below 0 the first is t + k, the second -k (t + k), where t = -x."""
    if order == 1.0:
        return mills_excess(-x) - x if x <= 0.0 else normal_pdf(x, 0.0) / normal_cdf(x)
    if order == 2.0:
        if x <= 0.0:
            k = mills_excess(-x)
            return -k * (k - x) if x > -1e8 else -1.0
        ratio = normal_pdf(x, 0.0) / normal_cdf(x)
        return normal_pdf(x, 1.0) / normal_cdf(x) - ratio * ratio
    return log_normal_cdf(x) if order == 0.0 else _general_log_normal_cdf_derivative(x, order)


def mills_excess(t: float) -> float:
    """k(t) = normal_pdf(t) / normal_cdf(-t) - t for t >= 0, right to 1.2 ulp; t k(t) is fitted where it varies little."""
    if t < 1.5:
        return _excess_below_1_5(t - 0.6892578125)
    if t < 3.0:
        return _excess_below_3(t - 2.0580078125)
    return (_scaled_excess_below_8(t - 5.2087890625) if t < 8.0 else _scaled_excess_above_8(1.0 / (t * t))) / t


def _excess_below_1_5(s: float) -> float:
    result = 0.0
    for c in (
        -2.6088842031362625e-11, 6.587824277581432e-10, -3.4051865494800037e-09, 7.001288942658054e-09,
        1.4605227079463806e-08, -1.7965914498157635e-07, 7.231613833811713e-07, -1.1019779172114195e-06,
        -5.162809712715185e-06, 4.453828746956909e-05, -0.00015897257179993103, 0.00014439789312249284, 0.00199524397561095,
        -0.015733522532520566, 0.07195316763273292, -0.239501424526977, 0.5930638251370436,
    ):  # fmt: skip
        result = result * s + c
    return result


def _excess_below_3(s: float) -> float:
    result = 0.0
    for c in (
        -1.2660713204955109e-11, 9.412047823750162e-11, -3.4608614527216494e-10, 4.0831169568483923e-10,
        5.019593146205813e-09, -5.039805494040159e-08, 2.866430897212262e-07, -1.0974484730139403e-06,
        1.8394199217785307e-06, 1.3206907925916355e-05, -0.00016712926467747836, 0.0011633307055512845,
        -0.006294728702932407, 0.02855868488824912, -0.11090138542129954, 0.36668504679665187,
    ):  # fmt: skip
        result = result * s + c
    return result


def _scaled_excess_below_8(s: float) -> float:
    result = 0.0
    for c in (
        1.5973996492789062e-21, -8.03733033743619e-20, 1.3574949844882492e-18, -1.3889760437626423e-17,
        1.1112147821412792e-16, -7.749456882106633e-16, 4.655014372867408e-15, -2.11625610679255e-14, 2.7580542197172708e-14,
        8.762530182034342e-13, -1.4558032421157236e-11, 1.6184517428540118e-10, -1.5165968095737091e-09,
        1.2767624045391857e-08, -9.909913449219433e-08, 7.175922804477484e-07, -4.870445486481721e-06, 3.097901369311481e-05,
        -0.00018376322074336582, 0.0010051058534580294, -0.004951428753470225, 0.020815742731155086, 0.9370912921493784,
    ):  # fmt: skip
        result = result * s + c
    return result


def _scaled_excess_above_8(u: float) -> float:
    """A rational function of u = 1/(t*t), 1 where u is 0."""
    p, q = 0.0, 0.0
    for a in (-12935.213298048977, -9421.803908912578, -1691.941038793052, -104.2656858846118, -2.0):
        p = p * u + a
    for b in (17638.707592473966, 24168.818841250035, 8423.1604316134, 1094.6347341155563, 57.132842942299455, 1.0):
        q = q * u + b
    return 1.0 + p * u / q


def _general_log_normal_cdf_derivative(x: float, order: float) -> float:
    """From the third order on: a cumulant, a sum of products of moments in which terms cancel.

    Below -1/2 they are the moments of exp(-t s - s*s/2) over s > 0, where t = -x, times powers of t: from a continued fraction
    of their quotients, whose terms are positive. Above, they are the derivatives of normal_cdf over its value. The third order
    is right to 32 ulp, those after it, which have zeros, to a few ulp of the largest term.
    """
    if not is_order(order) or x != x:
        return nan
    n = int(order)
    moments = [1.0] * (n + 1)
    if x > -0.5:
        for i in range(n):
            moments[i + 1] = normal_pdf(x, float(i)) / normal_cdf(x)
        return _cumulant(moments)
    u = 1.0 / (x * x)
    quotient = 0.0
    for j in range(n + 20 + int(400.0 * u), 0, -1):
        quotient = j / (1.0 + quotient * u)
        if j <= n:
            moments[j] = quotient
    for i in range(n):
        moments[i + 1] *= moments[i]
    return power_quotient(_cumulant(moments), -x, order)


def _cumulant(moments: list[float]) -> float:
    """The last cumulant of a distribution with these moments, the first of which is 1."""
    n = len(moments) - 1
    cumulants = [0.0] * (n + 1)
    for i in range(1, n + 1):
        cumulant, binomial = moments[i], 1.0
        for j in range(1, i):
            cumulant -= binomial * cumulants[j] * moments[i - j]
            binomial = binomial * (i - j) / j
        cumulants[i] = cumulant
    return cumulants[n]
