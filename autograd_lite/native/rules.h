/* Generated from the table in autograd_lite/primitives.py, and from floats.py, special.py and normal.py: do not edit.
   Written by: python -m autograd_lite.native.generate */
#ifndef AUTOGRAD_LITE_RULES_H
#define AUTOGRAD_LITE_RULES_H

#include "floats.h"

#define RULES_SOURCE 277451125u /* a checksum of these files */

enum {
    OP_LEAF = 0,
    OP_ADD,
    OP_SUBTRACT,
    OP_MULTIPLY,
    OP_DIVIDE,
    OP_POWER,
    OP_NEGATIVE,
    OP_POSITIVE,
    OP_ABSOLUTE,
    OP_RECIPROCAL,
    OP_SQUARE,
    OP_SQRT,
    OP_CBRT,
    OP_MOD,
    OP_FMOD,
    OP_EXP,
    OP_EXP2,
    OP_EXPM1,
    OP_LOG,
    OP_LOG2,
    OP_LOG10,
    OP_LOG1P,
    OP_XLOGY,
    OP_LOGADDEXP,
    OP_LOGSUMEXP,
    OP_SIN,
    OP_COS,
    OP_TAN,
    OP_SINC,
    OP_DEG2RAD,
    OP_RAD2DEG,
    OP_ARCSIN,
    OP_ARCCOS,
    OP_ARCTAN,
    OP_ARCTAN2,
    OP_SINH,
    OP_COSH,
    OP_TANH,
    OP_ARCSINH,
    OP_ARCCOSH,
    OP_ARCTANH,
    OP_HYPOT,
    OP_ERF,
    OP_ERFC,
    OP_NORMAL_CDF,
    OP_LOG_NORMAL_CDF,
    OP_NORMAL_PDF,
    OP_SIGMOID,
    OP_LOG_SIGMOID,
    OP_SOFTPLUS,
    OP_RELU,
    OP_LEAKY_RELU,
    OP_SILU,
    OP_GELU,
    OP_MAXIMUM,
    OP_MINIMUM,
    OP_CLIP,
    OP_WHERE,
    OP_STOP_GRADIENT,
    OP_SIGN,
    OP_STEP,
    OP_HEAVISIDE,
    OP_ISFINITE,
    OP_ISINF,
    OP_ISNAN,
    OP_COPYSIGN,
    OP_FLOOR,
    OP_CEIL,
    OP_TRUNC,
    OP_RINT,
    OP_AROUND,
    OP_FLOOR_DIVIDE,
    OP_SUM,
    OP_DOT,
    OP_FLAT,
    OP_GREATER,
    OP_EQUAL,
    OP_DIFFERENCE,
    OP_DIFFERENCE_ERROR,
    OP_ONE_MINUS_SQUARE,
    OP_POWER_QUOTIENT,
    OP_SHARE,
    OP_POWER_DERIVATIVE,
    OP_HYPOT_DERIVATIVE,
    OP_INVERSE_POWER_REAL,
    OP_INVERSE_POWER_IMAGINARY,
    OP_ERF_DERIVATIVE,
    OP_LOG_NORMAL_CDF_DERIVATIVE,
    OP_SINC_DERIVATIVE,
    OP_LOGISTIC_PDF,
    OP_SILU_DERIVATIVE,
    OP_IF_REACHED,
    OP_COUNT,
};

typedef struct {
    const char *name;
    const char *doc;
    short arity;          /* -1: variadic */
    short optional;       /* so many of the last arguments have defaults */
    double defaults[3];
    unsigned char is_public;
    unsigned char is_paired; /* a variadic one that takes its arguments in pairs */
    unsigned selects;     /* a bit for each argument whose partial says which share of it was selected; all if variadic */
    unsigned carries;     /* a bit for each argument that has a partial; all if variadic */
} Rule;

static const AG_UNUSED Rule RULES[OP_COUNT] = {
    {"", "a number", 0, 0, {0.0, 0.0, 0.0}, 0, 0, 0u, 0u},
    {"add", "x + y", 2, 0, {0.0, 0.0, 0.0}, 1, 0, 0u, 3u},
    {"subtract", "x - y", 2, 0, {0.0, 0.0, 0.0}, 1, 0, 0u, 3u},
    {"multiply", "x * y", 2, 0, {0.0, 0.0, 0.0}, 1, 0, 0u, 3u},
    {"divide", "x / y", 2, 0, {0.0, 0.0, 0.0}, 1, 0, 0u, 3u},
    {"power", "x ** y", 2, 0, {0.0, 0.0, 0.0}, 1, 0, 0u, 3u},
    {"negative", "-x", 1, 0, {0.0, 0.0, 0.0}, 1, 0, 0u, 1u},
    {"positive", "x", 1, 0, {0.0, 0.0, 0.0}, 1, 0, 0u, 1u},
    {"absolute", "|x|", 1, 0, {0.0, 0.0, 0.0}, 1, 0, 0u, 1u},
    {"reciprocal", "1 / x", 1, 0, {0.0, 0.0, 0.0}, 1, 0, 0u, 1u},
    {"square", "x * x", 1, 0, {0.0, 0.0, 0.0}, 1, 0, 0u, 1u},
    {"sqrt", "square root", 1, 0, {0.0, 0.0, 0.0}, 1, 0, 0u, 1u},
    {"cbrt", "real cube root", 1, 0, {0.0, 0.0, 0.0}, 1, 0, 0u, 1u},
    {"mod", "remainder with the sign of the divisor y", 2, 0, {0.0, 0.0, 0.0}, 1, 0, 0u, 3u},
    {"fmod", "remainder with the sign of the dividend x", 2, 0, {0.0, 0.0, 0.0}, 1, 0, 0u, 3u},
    {"exp", "e to the power x", 1, 0, {0.0, 0.0, 0.0}, 1, 0, 0u, 1u},
    {"exp2", "2 to the power x", 1, 0, {0.0, 0.0, 0.0}, 1, 0, 0u, 1u},
    {"expm1", "exp(x) - 1", 1, 0, {0.0, 0.0, 0.0}, 1, 0, 0u, 1u},
    {"log", "natural logarithm", 1, 0, {0.0, 0.0, 0.0}, 1, 0, 0u, 1u},
    {"log2", "logarithm to base 2", 1, 0, {0.0, 0.0, 0.0}, 1, 0, 0u, 1u},
    {"log10", "logarithm to base 10", 1, 0, {0.0, 0.0, 0.0}, 1, 0, 0u, 1u},
    {"log1p", "log(1 + x)", 1, 0, {0.0, 0.0, 0.0}, 1, 0, 0u, 1u},
    {"xlogy", "x * log(y), 0 where x is 0", 2, 0, {0.0, 0.0, 0.0}, 1, 0, 0u, 3u},
    {"logaddexp", "log(exp(x) + exp(y))", 2, 0, {0.0, 0.0, 0.0}, 1, 0, 0u, 3u},
    {"logsumexp", "log of the sum of exp(x)", -1, 0, {0.0, 0.0, 0.0}, 1, 0, 0u, ~0u},
    {"sin", "sine, x in radians", 1, 0, {0.0, 0.0, 0.0}, 1, 0, 0u, 1u},
    {"cos", "cosine, x in radians", 1, 0, {0.0, 0.0, 0.0}, 1, 0, 0u, 1u},
    {"tan", "tangent, x in radians", 1, 0, {0.0, 0.0, 0.0}, 1, 0, 0u, 1u},
    {"sinc", "sin(pi * x) / (pi * x), 1 where x is 0", 1, 0, {0.0, 0.0, 0.0}, 1, 0, 0u, 1u},
    {"deg2rad", "degrees to radians", 1, 0, {0.0, 0.0, 0.0}, 1, 0, 0u, 1u},
    {"rad2deg", "radians to degrees", 1, 0, {0.0, 0.0, 0.0}, 1, 0, 0u, 1u},
    {"arcsin", "inverse sine", 1, 0, {0.0, 0.0, 0.0}, 1, 0, 0u, 1u},
    {"arccos", "inverse cosine", 1, 0, {0.0, 0.0, 0.0}, 1, 0, 0u, 1u},
    {"arctan", "inverse tangent", 1, 0, {0.0, 0.0, 0.0}, 1, 0, 0u, 1u},
    {"arctan2", "angle of the point (y, x), ordinate first", 2, 0, {0.0, 0.0, 0.0}, 1, 0, 0u, 3u},
    {"sinh", "hyperbolic sine", 1, 0, {0.0, 0.0, 0.0}, 1, 0, 0u, 1u},
    {"cosh", "hyperbolic cosine", 1, 0, {0.0, 0.0, 0.0}, 1, 0, 0u, 1u},
    {"tanh", "hyperbolic tangent", 1, 0, {0.0, 0.0, 0.0}, 1, 0, 0u, 1u},
    {"arcsinh", "inverse hyperbolic sine", 1, 0, {0.0, 0.0, 0.0}, 1, 0, 0u, 1u},
    {"arccosh", "inverse hyperbolic cosine", 1, 0, {0.0, 0.0, 0.0}, 1, 0, 0u, 1u},
    {"arctanh", "inverse hyperbolic tangent", 1, 0, {0.0, 0.0, 0.0}, 1, 0, 0u, 1u},
    {"hypot", "sqrt(x*x + y*y)", 2, 0, {0.0, 0.0, 0.0}, 1, 0, 0u, 3u},
    {"erf", "error function", 1, 0, {0.0, 0.0, 0.0}, 1, 0, 0u, 1u},
    {"erfc", "1 - erf(x)", 1, 0, {0.0, 0.0, 0.0}, 1, 0, 0u, 1u},
    {"normal_cdf", "standard normal distribution function", 1, 0, {0.0, 0.0, 0.0}, 1, 0, 0u, 1u},
    {"log_normal_cdf", "log(normal_cdf(x))", 1, 0, {0.0, 0.0, 0.0}, 1, 0, 0u, 1u},
    {"normal_pdf", "standard normal density, or its derivative of an order", 2, 1, {0.0, 0.0, 0.0}, 1, 0, 0u, 1u},
    {"sigmoid", "1 / (1 + exp(-x))", 1, 0, {0.0, 0.0, 0.0}, 1, 0, 0u, 1u},
    {"log_sigmoid", "log(sigmoid(x))", 1, 0, {0.0, 0.0, 0.0}, 1, 0, 0u, 1u},
    {"softplus", "log(1 + exp(x))", 1, 0, {0.0, 0.0, 0.0}, 1, 0, 0u, 1u},
    {"relu", "maximum(x, 0)", 1, 0, {0.0, 0.0, 0.0}, 1, 0, 1u, 1u},
    {"leaky_relu", "x where positive, else slope * x", 2, 1, {0x1.47ae147ae147bp-7, 0.0, 0.0}, 1, 0, 2u, 3u},
    {"silu", "x * sigmoid(x)", 1, 0, {0.0, 0.0, 0.0}, 1, 0, 0u, 1u},
    {"gelu", "x * normal_cdf(x)", 1, 0, {0.0, 0.0, 0.0}, 1, 0, 0u, 1u},
    {"maximum", "the largest argument", -1, 0, {0.0, 0.0, 0.0}, 1, 0, ~0u, ~0u},
    {"minimum", "the smallest argument", -1, 0, {0.0, 0.0, 0.0}, 1, 0, ~0u, ~0u},
    {"clip", "minimum(maximum(x, low), high)", 3, 0, {0.0, 0.0, 0.0}, 1, 0, 7u, 7u},
    {"where", "x where the condition is not 0, else y", 3, 0, {0.0, 0.0, 0.0}, 1, 0, 7u, 6u},
    {"stop_gradient", "x, as a constant", 1, 0, {0.0, 0.0, 0.0}, 1, 0, 0u, 0u},
    {"sign", "-1, 0 or 1", 1, 0, {0.0, 0.0, 0.0}, 1, 0, 1u, 1u},
    {"step", "1 where x > 0, else 0", 1, 0, {0.0, 0.0, 0.0}, 1, 0, 1u, 1u},
    {"heaviside", "0 where x < 0, h0 where x = 0, 1 where x > 0", 2, 0, {0.0, 0.0, 0.0}, 1, 0, 3u, 3u},
    {"isfinite", "1 where x is no infinity and not nan, else 0", 1, 0, {0.0, 0.0, 0.0}, 1, 0, 0u, 0u},
    {"isinf", "1 where x is an infinity, else 0", 1, 0, {0.0, 0.0, 0.0}, 1, 0, 0u, 0u},
    {"isnan", "1 where x is nan, else 0", 1, 0, {0.0, 0.0, 0.0}, 1, 0, 0u, 0u},
    {"copysign", "|x| with the sign of y", 2, 0, {0.0, 0.0, 0.0}, 1, 0, 0u, 1u},
    {"floor", "round down", 1, 0, {0.0, 0.0, 0.0}, 1, 0, 1u, 1u},
    {"ceil", "round up", 1, 0, {0.0, 0.0, 0.0}, 1, 0, 1u, 1u},
    {"trunc", "round towards 0", 1, 0, {0.0, 0.0, 0.0}, 1, 0, 1u, 1u},
    {"rint", "round to the nearest integer, half to even", 1, 0, {0.0, 0.0, 0.0}, 1, 0, 1u, 1u},
    {"around", "round to a number of decimals", 2, 1, {0.0, 0.0, 0.0}, 1, 0, 3u, 1u},
    {"floor_divide", "floor of x / y", 2, 0, {0.0, 0.0, 0.0}, 1, 0, 3u, 3u},
    {"sum", "x1 + x2 + ..., from left to right", -1, 0, {0.0, 0.0, 0.0}, 1, 0, 0u, ~0u},
    {"dot", "x1*y1 + x2*y2 + ..., from left to right", -1, 0, {0.0, 0.0, 0.0}, 1, 1, 0u, ~0u},
    {"flat", "0, nan where x is nan", 1, 0, {0.0, 0.0, 0.0}, 0, 0, 0u, 0u},
    {"greater", "1 where x > y, else 0", 2, 0, {0.0, 0.0, 0.0}, 0, 0, 0u, 0u},
    {"equal", "1 where x == y, else 0", 2, 0, {0.0, 0.0, 0.0}, 0, 0, 0u, 0u},
    {"difference", "x - y, 0 for equal infinities", 2, 0, {0.0, 0.0, 0.0}, 0, 0, 0u, 3u},
    {"difference_error", "what x - y rounds away, 0 in real numbers", 2, 0, {0.0, 0.0, 0.0}, 0, 0, 0u, 0u},
    {"one_minus_square", "1 - x*x", 1, 0, {0.0, 0.0, 0.0}, 0, 0, 0u, 1u},
    {"power_quotient", "x / y**n, 0 where x is 0", 3, 0, {0.0, 0.0, 0.0}, 0, 0, 0u, 3u},
    {"share", "x / (x + y), for weights x and y", 2, 0, {0.0, 0.0, 0.0}, 0, 0, 0u, 3u},
    {"power_derivative", "derivative of x ** y, m times by x and n times by y", 4, 0, {0.0, 0.0, 0.0}, 0, 0, 0u, 3u},
    {"hypot_derivative", "derivative of hypot(x, y), m times by x and n times by y", 4, 0, {0.0, 0.0, 0.0}, 0, 0, 0u, 3u},
    {"inverse_power_real", "real part of (x + iy)**-n", 3, 0, {0.0, 0.0, 0.0}, 0, 0, 0u, 3u},
    {"inverse_power_imaginary", "imaginary part of that", 3, 0, {0.0, 0.0, 0.0}, 0, 0, 0u, 3u},
    {"erf_derivative", "derivative of erf, n times", 2, 0, {0.0, 0.0, 0.0}, 0, 0, 0u, 1u},
    {"log_normal_cdf_derivative", "derivative of log_normal_cdf, n times", 2, 0, {0.0, 0.0, 0.0}, 0, 0, 0u, 1u},
    {"sinc_derivative", "derivative of sinc, n times", 2, 0, {0.0, 0.0, 0.0}, 0, 0, 0u, 1u},
    {"logistic_pdf", "density of the logistic distribution, the derivative of sigmoid", 1, 0, {0.0, 0.0, 0.0}, 0, 0, 0u, 1u},
    {"silu_derivative", "derivative of silu, n times", 2, 0, {0.0, 0.0, 0.0}, 0, 0, 0u, 1u},
    {"if_reached", "x where the mask of an edge is not 0, else the zero given", 3, 0, {0.0, 0.0, 0.0}, 0, 0, 7u, 6u},
};

/* What x * y rounds away (Dekker's product), barring underflow; 0 where the splitting would overflow. */
static inline double ag_product_error(double x, double y) {
    const double p = x * y;
    const double a = 0x1.0000002p+27 * x;
    const double b = 0x1.0000002p+27 * y;
    const double high_x = a - (a - x);
    const double high_y = b - (b - y);
    const double low_x = x - high_x;
    const double low_y = y - high_y;
    const double error = high_x * high_y - p + high_x * low_y + low_x * high_y + low_x * low_y;
    return isfinite(error) ? error : 0.0;
}

/* The real cube root, libm's result improved by one Newton step (libm's own may be 4 ulp off). */
static inline double ag_cbrt(double x) {
    if (x == 0.0 || !isfinite(x)) {
        return x;
    }
    ptrdiff_t exponent;
    const double mantissa = ag_frexp(x, &exponent);
    const ptrdiff_t shift = ag_int_mod(exponent, 3);
    const double scaled = ldexp(mantissa, (int)shift);
    const double root = cbrt(scaled);
    const double square = root * root;
    const double residual = square * root - scaled + (ag_product_error(square, root) + ag_product_error(root, root) * root);
    return ldexp(root - residual / (3.0 * square), (int)ag_int_floor_divide(exponent - shift, 3));
}

/* The remainder with the sign of the dividend, exactly; x where y is infinite. */
static inline double ag_fmod(double x, double y) {
    return fmod(x, y);
}

/* x * log(y), 0 where x is 0 and y is a number. */
static inline double ag_xlogy(double x, double y) {
    return x == 0.0 && y == y ? 0.0 : x * log(y);
}

/* What the difference x - y rounds away, exactly (Knuth's two-sum); 0 where it overflows. */
static inline double ag_difference_error(double x, double y) {
    const double d = x - y;
    const double t = d - x;
    const double error = x - (d - t) - (y + t);
    return isfinite(error) ? error : 0.0;
}

/* log(exp(x) + exp(y)); what x - y rounds away is made good. */
static inline double ag_logaddexp(double x, double y) {
    if (x == y) {
        return x + 0x1.62e42fefa39efp-1;
    }
    const double d = x - y;
    const double error = ag_difference_error(x, y);
    const double term = exp(-fabs(d));
    const double larger = d > 0.0 ? x : y;
    const double lost = d > 0.0 ? -error : error;
    return larger + log1p(term + term * lost);
}

/* log(sum(exp(x))); the largest term (the first of them) is left out of a compensated sum; of nothing, -inf. */
static AG_UNUSED double ag_logsumexp(const double *xs, ptrdiff_t xs_length) {
    ptrdiff_t at = 0;
    double largest = -INFINITY;
    for (ptrdiff_t i = 0; i < xs_length; i++) {
        const double x = xs[i];
        if (x != x) {
            return NAN;
        }
        if (x > largest) {
            at = i;
            largest = x;
        }
    }
    if (isinf(largest)) {
        return largest;
    }
    double rest = 0.0;
    double excess = 0.0;
    for (ptrdiff_t i = 0; i < xs_length; i++) {
        const double x = xs[i];
        if (i != at) {
            double term = exp(x - largest);
            term = term + term * ag_difference_error(x, largest) - excess;
            const double before = rest;
            rest = before + term;
            excess = rest - before - term;
        }
    }
    return largest + log1p(rest);
}

/* sin(pi * x), where x has been reduced exactly. */
static inline double ag_sin_pi(double x) {
    const double nearest = rint(x);
    const double value = sin(0x1.921fb54442d18p+1 * (x - nearest));
    return 0.5 * nearest == rint(0.5 * nearest) ? value : -value;
}

/* sin(pi * x) / (pi * x), 1 where x is 0; exactly 0 at the other whole numbers. */
static inline double ag_sinc(double x) {
    if (x == 0.0) {
        return 1.0;
    }
    return isfinite(x) ? ag_sin_pi(x) / (0x1.921fb54442d18p+1 * x) : 1.0 / x * 0.0;
}

/* x degrees in radians. */
static inline double ag_deg2rad(double x) {
    return x * 0x1.1df46a2529d39p-6;
}

/* x radians in degrees. */
static inline double ag_rad2deg(double x) {
    return x * 0x1.ca5dc1a63c1f8p+5;
}

/* Whether x is a whole number that can be the order of a derivative: 0 to 1000. */
static inline int ag_is_order(double x) {
    return 0.0 <= x && x <= 1000.0 && x == (double)(ptrdiff_t)x;
}

/* The derivative of the given order of peak * exp(-curvature * x*x / 2); nan unless the order is a whole number. */
static AG_UNUSED double ag_gaussian_derivative(double x, double order, double curvature, double peak) {
    if (!ag_is_order(order)) {
        return NAN;
    }
    const double exponent = -0.5 * curvature * (x * x);
    const int tiny = exponent < -700.0;
    const double exponential = exp(tiny ? 0.5 * exponent : exponent);
    if (exponential == 0.0) {
        return 0.0;
    }
    double before = 0.0;
    double polynomial = 1.0;
    for (ptrdiff_t k = 0; k < (ptrdiff_t)order; k++) {
        const double next_before = polynomial;
        const double next_polynomial = -curvature * (x * polynomial + (double)k * before);
        before = next_before;
        polynomial = next_polynomial;
    }
    const double result = polynomial * (peak - peak * (0.5 * curvature * ag_product_error(x, x))) * exponential;
    return tiny ? result * exponential : result;
}

/* The derivative of the given order of the standard normal density; the density itself is order 0. */
static inline double ag_normal_pdf(double x, double order) {
    return ag_gaussian_derivative(x, order, 1.0, 0x1.9884533d43651p-2);
}

/* The standard normal distribution function, erfc(-x/sqrt(2))/2, with the rounding of x/sqrt(2) made good. */
static inline double ag_normal_cdf(double x) {
    const double z = x * 0x1.6a09e667f3bcdp-1;
    const double low = ag_product_error(x, 0x1.6a09e667f3bcdp-1) + x * -0x1.bdd3413b26456p-55;
    const double correction = fabs(x) < 40.0 ? 0x1.6a09e667f3bcdp+1 * ag_normal_pdf(x, 0.0) * low : 0.0;
    return 0.5 * (erfc(-z) + correction);
}

static inline double ag_excess_below_1_5(double s) {
    double result = 0.0;
    static const double c_values[] = {-0x1.caf5b3021c9a6p-36, 0x1.6a2b625e8e464p-31, -0x1.d40159c02fdd1p-29, 0x1.e11ffa45f4e4p-28, 0x1.f5d4ef9dca3ffp-27, -0x1.81d0a8d3244f3p-23, 0x1.843e8b3172c72p-21, -0x1.27cf588952e8cp-20, -0x1.5a78653e979bdp-18, 0x1.759d3e7a1d5fp-15, -0x1.4d63bfe62099p-13, 0x1.2ed3075077164p-13, 0x1.0585473ede567p-9, -0x1.01c72d2e9873bp-6, 0x1.26b85d5d3816dp-4, -0x1.ea7fb90d829e5p-3, 0x1.2fa60fcacefbdp-1};
    for (ptrdiff_t c_at = 0; c_at < 17; c_at++) {
        const double c = c_values[c_at];
        result = result * s + c;
    }
    return result;
}

static inline double ag_excess_below_3(double s) {
    double result = 0.0;
    static const double c_values[] = {-0x1.bd75910909c3ap-37, 0x1.9df23cd891c21p-34, -0x1.7c8696f54ad3ap-32, 0x1.c0f1866899c15p-32, 0x1.58f19dd2a3486p-28, -0x1.b0ea7eae64aedp-25, 0x1.33c7da403a34cp-22, -0x1.269815b61fb8p-20, 0x1.edc3f97a4cb66p-20, 0x1.bb2679a9bbf27p-17, -0x1.5e7ed73b5864ap-13, 0x1.30f5cd56cf5afp-10, -0x1.9c8805ea91cc1p-8, 0x1.d3e7ce6727b8ap-6, -0x1.c64087f772fc6p-4, 0x1.777c48efb2059p-2};
    for (ptrdiff_t c_at = 0; c_at < 16; c_at++) {
        const double c = c_values[c_at];
        result = result * s + c;
    }
    return result;
}

static inline double ag_scaled_excess_below_8(double s) {
    double result = 0.0;
    static const double c_values[] = {0x1.e2c8cfc0d9ep-70, -0x1.7b8d5c958d5dfp-64, 0x1.90a96bc9b5571p-60, -0x1.00388a0574773p-56, 0x1.003a8b040ec6cp-53, -0x1.beb9cc5a3716dp-51, 0x1.4f6ddbda095f5p-48, -0x1.7d3b16450bef4p-46, 0x1.f0d8cd0348812p-46, 0x1.ed495e575ac23p-41, -0x1.001b8ca4a33dbp-36, 0x1.63e6bbbb37264p-33, -0x1.a0e1034e4d7bp-30, 0x1.b6b1357255787p-27, -0x1.a9a0a692bfa1bp-24, 0x1.814121cda8273p-21, -0x1.46d99dc783088p-18, 0x1.03deece2e4f05p-15, -0x1.816120bee072fp-13, 0x1.077b8314175f1p-10, -0x1.447f30908b811p-8, 0x1.550b8d916cb8ap-6, 0x1.dfca6e0a4bc1ap-1};
    for (ptrdiff_t c_at = 0; c_at < 23; c_at++) {
        const double c = c_values[c_at];
        result = result * s + c;
    }
    return result;
}

/* A rational function of u = 1/(t*t), 1 where u is 0. */
static inline double ag_scaled_excess_above_8(double u) {
    double p = 0.0;
    double q = 0.0;
    static const double a_values[] = {-0x1.9439b4d59b854p+13, -0x1.266e6e67cbc3ep+13, -0x1.a6fc39fac61b4p+10, -0x1.a1100ff5e5aa8p+6, -2.0};
    for (ptrdiff_t a_at = 0; a_at < 5; a_at++) {
        const double a = a_values[a_at];
        p = p * u + a;
    }
    static const double b_values[] = {0x1.139ad4931f1a5p+14, 0x1.79a3467e52161p+14, 0x1.073948905ea66p+13, 0x1.11a89f7bd6fe1p+10, 0x1.c9100ff5e571dp+5, 1.0};
    for (ptrdiff_t b_at = 0; b_at < 6; b_at++) {
        const double b = b_values[b_at];
        q = q * u + b;
    }
    return 1.0 + p * u / q;
}

/* k(t) = normal_pdf(t) / normal_cdf(-t) - t for t >= 0, right to 1.2 ulp; t k(t) is fitted where it varies little. */
static inline double ag_mills_excess(double t) {
    if (t < 1.5) {
        return ag_excess_below_1_5(t - 0x1.60e6666666666p-1);
    }
    if (t < 3.0) {
        return ag_excess_below_3(t - 0x1.076cccccccccdp+1);
    }
    return (t < 8.0 ? ag_scaled_excess_below_8(t - 0x1.4d5cccccccccdp+2) : ag_scaled_excess_above_8(1.0 / (t * t))) / t;
}

/* log(normal_cdf(x)); below 0 by the inverse Mills ratio, which neither underflows nor cancels. */
static inline double ag_log_normal_cdf(double x) {
    if (x > 0.0) {
        return log1p(-ag_normal_cdf(-x));
    }
    return -0.5 * x * x - (log(ag_mills_excess(-x) - x) + 0x1.d67f1c864beb5p-1);
}

/* 1 / (1 + exp(-x)), without overflow on either side. */
static inline double ag_sigmoid(double x) {
    const double e = exp(-fabs(x));
    return (x >= 0.0 ? 1.0 : e) / (1.0 + e);
}

/* log(1 + exp(x)). */
static inline double ag_softplus(double x) {
    return ag_max(x, 0.0) + log1p(exp(-fabs(x)));
}

/* log(sigmoid(x)). */
static inline double ag_log_sigmoid(double x) {
    return -ag_softplus(-x);
}

/* x where positive, else 0. */
static inline double ag_relu(double x) {
    return x > 0.0 || x != x ? x : 0.0;
}

/* x where positive, else slope * x. */
static inline double ag_leaky_relu(double x, double slope) {
    return x > 0.0 ? x : slope * x;
}

static inline double ag_general_silu(double x) {
    const double root = exp(0.5 * x);
    return root != 0.0 ? x * root * root : -0.0;
}

/* x * sigmoid(x); exp(x) is multiplied on in two halves where it would be subnormal. */
static inline double ag_silu(double x) {
    return x >= -700.0 ? x * ag_sigmoid(x) : ag_general_silu(x);
}

/* gelu where the distribution function alone would be subnormal: its asymptotic series. */
static inline double ag_general_gelu(double x) {
    double series = 1.0;
    static const double k_values[] = {13.0, 11.0, 9.0, 7.0, 5.0, 3.0, 1.0};
    for (ptrdiff_t k_at = 0; k_at < 7; k_at++) {
        const double k = k_values[k_at];
        series = 1.0 - k / (x * x) * series;
    }
    return -ag_normal_pdf(x, 0.0) * series;
}

/* x times the standard normal distribution function. */
static inline double ag_gelu(double x) {
    return x >= -37.0 ? x * ag_normal_cdf(x) : ag_general_gelu(x);
}

/* The largest argument, the first of several equal ones; nan if one is nan. Raises ValueError if there is none. */
static inline double ag_maximum(const double *xs, ptrdiff_t xs_length) {
    if (xs_length == 0) {
        failed = 1;
        return NAN;
    }
    double best = xs[0];
    for (ptrdiff_t x_at = 0; x_at < xs_length; x_at++) {
        const double x = xs[x_at];
        if (x > best || x != x) {
            best = x;
        }
        if (best != best) {
            return best;
        }
    }
    return best;
}

/* The smallest argument, the first of several equal ones; nan if one is nan. Raises ValueError if there is none. */
static inline double ag_minimum(const double *xs, ptrdiff_t xs_length) {
    if (xs_length == 0) {
        failed = 1;
        return NAN;
    }
    double best = xs[0];
    for (ptrdiff_t x_at = 0; x_at < xs_length; x_at++) {
        const double x = xs[x_at];
        if (x < best || x != x) {
            best = x;
        }
        if (best != best) {
            return best;
        }
    }
    return best;
}

/* minimum(maximum(x, low), high). */
static inline double ag_clip(double x, double low, double high) {
    return ag_minimum((const double[]){ag_maximum((const double[]){x, low}, 2), high}, 2);
}

/* 0, and nan where x is nan: the derivative of a piecewise constant function, and the mark of a domain's outside. */
static inline double ag_flat(double x) {
    return x != x ? NAN : 0.0;
}

/* -1, 0 or 1. */
static inline double ag_sign(double x) {
    return x > 0.0 ? 1.0 : x < 0.0 ? -1.0 : ag_flat(x);
}

/* 1 where x is positive, else 0. */
static inline double ag_step(double x) {
    return x > 0.0 ? 1.0 : ag_flat(x);
}

/* 0 where x is negative, h0 where it is 0, 1 where it is positive. */
static inline double ag_heaviside(double x, double h0) {
    return x == 0.0 ? h0 : x > 0.0 ? 1.0 : ag_flat(x);
}

/* 1 where x is a number that is not infinite, else 0. */
static inline double ag_isfinite(double x) {
    return isfinite(x) ? 1.0 : 0.0;
}

/* 1 where x is an infinity, else 0. */
static inline double ag_isinf(double x) {
    return isinf(x) ? 1.0 : 0.0;
}

/* 1 where x is not a number, else 0. */
static inline double ag_isnan(double x) {
    return x != x ? 1.0 : 0.0;
}

/* |x| with the sign of y, and with none where y is nan: the sign of a nan differs between processors and compilers. */
static inline double ag_copysign(double x, double y) {
    return y == y ? copysign(x, y) : fabs(x);
}

/* The sum, added from left to right; of nothing, 0. */
static inline double ag_add_all(const double *xs, ptrdiff_t xs_length) {
    if (xs_length == 0) {
        return 0.0;
    }
    double result = xs[0];
    for (ptrdiff_t x_at = 1; x_at < xs_length; x_at++) {
        const double x = xs[x_at];
        result += x;
    }
    return result;
}

/* x1*y1 + x2*y2 + ..., added from left to right, of the arguments x1, x2, ..., y1, y2, ...; of nothing, 0. */
static inline double ag_dot(const double *xs, ptrdiff_t xs_length) {
    if (ag_int_mod(xs_length, 2) != 0) {
        failed = 1;
        return NAN;
    }
    if (xs_length == 0) {
        return 0.0;
    }
    const ptrdiff_t n = ag_int_floor_divide(xs_length, 2);
    double result = xs[0] * xs[n];
    for (ptrdiff_t i = 1; i < n; i++) {
        result += xs[i] * xs[n + i];
    }
    return result;
}

/* 1 where x > y, else 0; nan if one is nan. */
static inline double ag_greater(double x, double y) {
    return x > y ? 1.0 : x <= y ? 0.0 : NAN;
}

/* 1 where x == y, else 0; nan if one is nan. */
static inline double ag_equal(double x, double y) {
    return x == y ? 1.0 : x == x && y == y ? 0.0 : NAN;
}

/* x - y, where equal infinities differ by 0. */
static inline double ag_difference(double x, double y) {
    return x == y ? 0.0 : x - y;
}

/* x / y; x / 0 is an infinity, 0 / 0 is nan. */
static inline double ag_divide(double x, double y) {
    return x / y;
}

/* x * 2**exponent. */
static inline double ag_ldexp(double x, ptrdiff_t exponent) {
    return ldexp(x, (int)exponent);
}

static AG_UNUSED double ag_general_power_quotient(double x, double y, double order) {
    if (x == 0.0) {
        return y == y ? x : NAN;
    }
    if (order == 1.0) {
        return ag_divide(x, y);
    }
    if (!ag_is_order(order)) {
        return NAN;
    }
    if (y == 0.0 || !isfinite(y) || !isfinite(x)) {
        return ag_divide(x, ag_power(y, order));
    }
    const ptrdiff_t n = (ptrdiff_t)order;
    ptrdiff_t exponent_x;
    const double mantissa_x = ag_frexp(x, &exponent_x);
    ptrdiff_t exponent_y;
    const double mantissa_y = ag_frexp(y, &exponent_y);
    return ag_ldexp(mantissa_x / ag_pow(mantissa_y, (double)n), exponent_x - n * exponent_y);
}

/* x / y**order, 0 where x is 0 and y a number; y**order is not formed where it could overflow or underflow. */
static AG_UNUSED double ag_power_quotient(double x, double y, double order) {
    if (0x1.cf2b1970e7258p-250 < fabs(y) && fabs(y) < 0x1.1afd6ec0e1411p+249 && (order == 1.0 || order == 2.0 || order == 3.0 || order == 4.0)) {
        const double square = y * y;
        const double divisor = order == 1.0 ? y : order == 2.0 ? square : order == 3.0 ? square * y : square * square;
        return x != 0.0 ? x / divisor : x;
    }
    return ag_general_power_quotient(x, y, order);
}

/* x / (x + y), for weights that are not negative. */
static inline double ag_share(double x, double y) {
    return ag_divide(x, x + y);
}

/* The polynomial with these coefficients, that of 1 first; a coefficient of 0 asks for no power of x. */
static inline double ag_horner(const double *coefficients, ptrdiff_t coefficients_length, double x) {
    double result = 0.0;
    for (ptrdiff_t c_at = coefficients_length - 1; c_at > -1; c_at--) {
        const double c = coefficients[c_at];
        result = result != 0.0 ? result * x + c : c;
    }
    return result;
}

/* x is 0, infinite or nan, or y is not finite: the limit, with 0 for the logarithm's jump at 0 ** 0. */
static inline double ag_power_derivative_at_edge(double x, double y, double exponent, const double *coefficients, ptrdiff_t coefficients_length) {
    const int logs = coefficients_length > 1;
    if (logs && x == 0.0 && (exponent > 0.0 || (exponent == y && y == 0.0))) {
        return 0.0;
    }
    if (logs && x == INFINITY && exponent < 0.0) {
        return 0.0;
    }
    const double value = ag_power(x, exponent);
    if (isinf(y) && value == 0.0) {
        return 0.0;
    }
    return ag_horner(coefficients, coefficients_length, logs ? log(x) : 0.0) * value;
}

/* factor * x^(y - order) for a finite x > 0; what y - order rounds away comes back as a factor of first order. */
static AG_UNUSED double ag_scaled_power(double x, double y, ptrdiff_t order, double factor) {
    const double exponent = y - (double)order;
    const double value = ag_power(x, exponent);
    double result;
    if ((0x1.56e1fc2f8f359p-997 < value && value < INFINITY) || exponent == 1.0) {
        result = factor * value;
    } else {
        const double root = ag_power(x, 0.5 * exponent);
        if (root == 0.0 || factor == 0.0) {
            return 0.0;
        }
        result = factor * root * root;
    }
    const double lost = ag_difference_error(y, (double)order);
    return lost != 0.0 && isfinite(result) ? result * (1.0 + lost * log(x)) : result;
}

/* Whether x is an odd integer. */
static inline int ag_is_odd(double x) {
    return isfinite(x) && ag_mod(x, 2.0) == 1.0;
}

/* It is x^(y-k) P(log x), where P starts as its m-th power, and each derivative by x makes (y - j) P + P' of it. */
static AG_UNUSED AG_NOINLINE double ag_general_power_derivative(double x, double y, double order_x, double order_y) {
    if (!ag_is_order(order_x) || !ag_is_order(order_y)) {
        return NAN;
    }
    const ptrdiff_t order = (ptrdiff_t)order_x;
    const ptrdiff_t logs = (ptrdiff_t)order_y;
    const ptrdiff_t coefficients_length = logs + 1;
    double *const coefficients = AG_ALLOCATE((size_t)coefficients_length * sizeof(double));
    for (ptrdiff_t coefficients_at = 0; coefficients_at < coefficients_length; coefficients_at++) {
        coefficients[coefficients_at] = 0.0;
    }
    coefficients[logs] = 1.0;
    for (ptrdiff_t j = 0; j < order; j++) {
        for (ptrdiff_t i = 0; i < logs; i++) {
            coefficients[i] = (y - (double)j) * coefficients[i] + (double)(i + 1) * coefficients[i + 1];
        }
        coefficients[logs] = (y - (double)j) * coefficients[logs] + 0.0;
    }
    if (logs == 0 && coefficients[0] == 0.0) {
        return 0.0;
    }
    if (x < 0.0 && (logs > 0 || ag_mod(y, 1.0) != 0.0)) {
        return NAN;
    }
    if (x == 0.0 || !isfinite(x) || !isfinite(y)) {
        return ag_power_derivative_at_edge(x, y, y - (double)order, coefficients, coefficients_length);
    }
    const double result = ag_scaled_power(fabs(x), y, order, ag_horner(coefficients, coefficients_length, log(fabs(x))));
    return x < 0.0 && ag_is_odd(y) != ag_is_odd(order_x) ? -result : result;
}

/* The mixed derivative of x ** y, `order_x` times by x and `order_y` times by y; nan where it would be complex. */
static AG_UNUSED double ag_power_derivative(double x, double y, double order_x, double order_y) {
    if ((order_x == 1.0 || order_x == 2.0) && order_y == 0.0) {
        const double exponent = y - order_x;
        if (exponent + order_x == y && y != exponent && x != 0.0 && (x > 0.0 || ag_mod(y, 1.0) == 0.0)) {
            const double value = ag_power(x, exponent);
            if (0x1.56e1fc2f8f359p-997 < fabs(value) && fabs(value) < INFINITY) {
                return (order_x == 1.0 ? y : y * (y - 1.0)) * value;
            }
        }
    }
    if (order_x == 0.0 && order_y == 1.0 && 0.0 < x && x < INFINITY && y - y == 0.0) {
        const double value = ag_power(x, y);
        if (0x1.56e1fc2f8f359p-997 < value && value < INFINITY) {
            return log(x) * value;
        }
    }
    return ag_general_power_derivative(x, y, order_x, order_y);
}

/* Fill in the numerator over hypot^(2n-1) of hypot's n-th derivative, for `_homogeneous`; `order_x` of them are by x. */
static AG_UNUSED void ag_hypot_numerator(double *numerator, ptrdiff_t numerator_length, ptrdiff_t order_x) {
    const ptrdiff_t n = numerator_length - 1;
    numerator[order_x > 0 ? 0 : 1] = 1.0;
    for (ptrdiff_t k = 1; k < n; k++) {
        if (k < order_x) {
            for (ptrdiff_t i = k + 1; i > -1; i--) {
                const double before = i > 1 ? (double)(k - i + 2) * numerator[i - 2] : 0.0;
                numerator[i] = 0.0 + before + (double)(1 - k - i) * numerator[i];
            }
        } else {
            double before = 0.0;
            for (ptrdiff_t i = 0; i < k + 2; i++) {
                const double here = numerator[i];
                const double after = i < n ? numerator[i + 1] : 0.0;
                numerator[i] = 0.0 + (double)(i - 2 * k) * before + (double)(i + 1) * after;
                before = here;
            }
        }
    }
}

/* (c0 x^n + c1 x^(n-1) y + ... + cn y^n) / hypot(x, y)^degree, for finite x and y that are not both 0. */
static AG_UNUSED double ag_homogeneous(const double *coefficients, ptrdiff_t coefficients_length, double x, double y, ptrdiff_t degree) {
    const ptrdiff_t n = coefficients_length - 1;
    ptrdiff_t exponent_x;
    const double mantissa_x = ag_frexp(x, &exponent_x);
    ptrdiff_t exponent_y;
    const double mantissa_y = ag_frexp(y, &exponent_y);
    ptrdiff_t exponent;
    (void) ag_frexp(ag_max(fabs(x), fabs(y)), &exponent);
    x = ldexp(x, (int)-exponent);
    y = ldexp(y, (int)-exponent);
    const double square = x * x + y * y;
    const double low = ag_product_error(x, x) + ag_product_error(y, y) + ag_difference_error(x * x, -y * y);
    const double scale = ag_divide(1.0 - 0.5 * (double)degree * (low / square), ag_pow(square, 0.5 * (double)degree));
    ptrdiff_t largest = -1073741824;
    for (ptrdiff_t i = 0; i < coefficients_length; i++) {
        const double c = coefficients[i];
        if (c * ag_pow(mantissa_x, (double)(n - i)) * ag_pow(mantissa_y, (double)i) != 0.0) {
            largest = ag_int_max(largest, (n - i) * exponent_x + i * exponent_y);
        }
    }
    double result = 0.0;
    for (ptrdiff_t i = 0; i < coefficients_length; i++) {
        const double c = coefficients[i];
        if (c != 0.0) {
            const ptrdiff_t shift = (n - i) * exponent_x + i * exponent_y - largest;
            result += ldexp(c * ag_pow(mantissa_x, (double)(n - i)) * ag_pow(mantissa_y, (double)i) * scale, (int)shift);
        }
    }
    return ag_ldexp(result, largest - degree * exponent);
}

static AG_UNUSED AG_NOINLINE double ag_general_hypot_derivative(double x, double y, double order_x, double order_y) {
    const double order = order_x + order_y;
    if (!ag_is_order(order_x) || !ag_is_order(order_y) || !ag_is_order(order)) {
        return NAN;
    }
    if (order == 0.0) {
        return ag_hypot(x, y);
    }
    if (x != x || y != y || (isinf(x) && isinf(y))) {
        return NAN;
    }
    if (x == y && y == 0.0) {
        return order == 1.0 ? 0.0 : NAN;
    }
    if (isinf(x) || isinf(y)) {
        const double along = order_x != 0.0 ? x : y;
        return order == 1.0 && isinf(along) ? copysign(1.0, along) : 0.0;
    }
    const ptrdiff_t n = (ptrdiff_t)order;
    const ptrdiff_t numerator_length = n + 1;
    double *const numerator = AG_ALLOCATE((size_t)numerator_length * sizeof(double));
    for (ptrdiff_t numerator_at = 0; numerator_at < numerator_length; numerator_at++) {
        numerator[numerator_at] = 0.0;
    }
    ag_hypot_numerator(numerator, numerator_length, (ptrdiff_t)order_x);
    return ag_homogeneous(numerator, numerator_length, x, y, 2 * n - 1);
}

/* The mixed derivative of hypot(x, y). At the origin: 0 of order 1, the subgradient of least norm; nan of higher orders. */
static inline double ag_hypot_derivative(double x, double y, double order_x, double order_y) {
    if (order_x + order_y == 1.0 && order_x * order_y == 0.0 && 0x1.8f2b061aea072p-964 < fabs(x) + fabs(y) && fabs(x) + fabs(y) < 0x1.485ce9e7a065fp+963) {
        return (order_x == 1.0 ? x : y) / ag_hypot(x, y);
    }
    return ag_general_hypot_derivative(x, y, order_x, order_y);
}

/* Fill in the real or the imaginary part of (x - iy)^n, for `_homogeneous`; the binomials are from Pascal's triangle. */
static inline void ag_conjugate_power(double *coefficients, ptrdiff_t coefficients_length, int imaginary) {
    coefficients[0] = 1.0;
    for (ptrdiff_t row = 1; row < coefficients_length; row++) {
        for (ptrdiff_t i = row; i > 0; i--) {
            coefficients[i] = coefficients[i] + coefficients[i - 1];
        }
    }
    for (ptrdiff_t i = 0; i < coefficients_length; i++) {
        if ((ag_int_mod(i, 2) == 1) != imaginary) {
            coefficients[i] = 0.0;
        } else {
            if (ag_int_mod(i, 4) == 1 || ag_int_mod(i, 4) == 2) {
                coefficients[i] = -coefficients[i];
            }
        }
    }
}

static AG_UNUSED AG_NOINLINE double ag_general_inverse_power(double x, double y, double order, int imaginary) {
    if (!ag_is_order(order) || x != x || y != y || (x == y && y == 0.0)) {
        return NAN;
    }
    if (isinf(x) || isinf(y)) {
        return order != 0.0 || imaginary ? 0.0 : 1.0;
    }
    const ptrdiff_t n = (ptrdiff_t)order;
    const ptrdiff_t numerator_length = n + 1;
    double *const numerator = AG_ALLOCATE((size_t)numerator_length * sizeof(double));
    for (ptrdiff_t numerator_at = 0; numerator_at < numerator_length; numerator_at++) {
        numerator[numerator_at] = 0.0;
    }
    ag_conjugate_power(numerator, numerator_length, imaginary);
    return ag_homogeneous(numerator, numerator_length, x, y, 2 * n);
}

/* The real part of (x + iy)^-order; nan at the origin. */
static inline double ag_inverse_power_real(double x, double y, double order) {
    if (order == 1.0 && 0x1.bff2ee48e053p-333 < fabs(x) + fabs(y) && fabs(x) + fabs(y) < 0x1.249ad2594c37dp+332) {
        return x / (x * x + y * y);
    }
    return ag_general_inverse_power(x, y, order, 0);
}

/* The imaginary part of (x + iy)^-order; nan at the origin. */
static inline double ag_inverse_power_imaginary(double x, double y, double order) {
    if (order == 1.0 && 0x1.bff2ee48e053p-333 < fabs(x) + fabs(y) && fabs(x) + fabs(y) < 0x1.249ad2594c37dp+332) {
        return -y / (x * x + y * y);
    }
    return ag_general_inverse_power(x, y, order, 1);
}

/* The derivative of the given order of erf. */
static inline double ag_erf_derivative(double x, double order) {
    return order != 0.0 ? ag_gaussian_derivative(x, order - 1.0, 2.0, 0x1.20dd750429b6dp+0) : erf(x);
}

/* The last cumulant of a distribution with these moments, the first of which is 1. */
static AG_UNUSED AG_NOINLINE double ag_cumulant(const double *moments, ptrdiff_t moments_length) {
    const ptrdiff_t n = moments_length - 1;
    const ptrdiff_t cumulants_length = n + 1;
    double *const cumulants = AG_ALLOCATE((size_t)cumulants_length * sizeof(double));
    for (ptrdiff_t cumulants_at = 0; cumulants_at < cumulants_length; cumulants_at++) {
        cumulants[cumulants_at] = 0.0;
    }
    for (ptrdiff_t i = 1; i < n + 1; i++) {
        double cumulant = moments[i];
        double binomial = 1.0;
        for (ptrdiff_t j = 1; j < i; j++) {
            cumulant -= binomial * cumulants[j] * moments[i - j];
            binomial = binomial * (double)(i - j) / (double)j;
        }
        cumulants[i] = cumulant;
    }
    return cumulants[n];
}

/* From the third order on: a cumulant, a sum of products of moments in which terms cancel. */
static AG_UNUSED AG_NOINLINE double ag_general_log_normal_cdf_derivative(double x, double order) {
    if (!ag_is_order(order) || x != x) {
        return NAN;
    }
    const ptrdiff_t n = (ptrdiff_t)order;
    const ptrdiff_t moments_length = n + 1;
    double *const moments = AG_ALLOCATE((size_t)moments_length * sizeof(double));
    for (ptrdiff_t moments_at = 0; moments_at < moments_length; moments_at++) {
        moments[moments_at] = 1.0;
    }
    if (x > -0.5) {
        for (ptrdiff_t i = 0; i < n; i++) {
            moments[i + 1] = ag_normal_pdf(x, (double)i) / ag_normal_cdf(x);
        }
        return ag_cumulant(moments, moments_length);
    }
    const double u = 1.0 / (x * x);
    double quotient = 0.0;
    for (ptrdiff_t j = n + 20 + (ptrdiff_t)(400.0 * u); j > 0; j--) {
        quotient = (double)j / (1.0 + quotient * u);
        if (j <= n) {
            moments[j] = quotient;
        }
    }
    for (ptrdiff_t i = 0; i < n; i++) {
        moments[i + 1] = moments[i + 1] * moments[i];
    }
    return ag_power_quotient(ag_cumulant(moments, moments_length), -x, order);
}

/* The derivative of the given order of log_normal_cdf; below 0 the first is t + k, the second -k (t + k), where t = -x. */
static AG_UNUSED double ag_log_normal_cdf_derivative(double x, double order) {
    if (order == 1.0) {
        return x <= 0.0 ? ag_mills_excess(-x) - x : ag_normal_pdf(x, 0.0) / ag_normal_cdf(x);
    }
    if (order == 2.0) {
        if (x <= 0.0) {
            const double k = ag_mills_excess(-x);
            return x > -0x1.7d784p+26 ? -k * (k - x) : -1.0;
        }
        const double ratio = ag_normal_pdf(x, 0.0) / ag_normal_cdf(x);
        return ag_normal_pdf(x, 1.0) / ag_normal_cdf(x) - ratio * ratio;
    }
    return order == 0.0 ? ag_log_normal_cdf(x) : ag_general_log_normal_cdf_derivative(x, order);
}

/* cos(pi * x), where x has been reduced exactly. */
static inline double ag_cos_pi(double x) {
    const double nearest = rint(x);
    const double distance = fabs(x - nearest);
    const double value = distance <= 0.25 ? cos(0x1.921fb54442d18p+1 * distance) : sin(0x1.921fb54442d18p+1 * (0.5 - distance));
    return 0.5 * nearest == rint(0.5 * nearest) ? value : -value;
}

/* The sine of an angle with a number of quarter turns added to it. */
static inline double ag_shifted_sine(double sine, double cosine, ptrdiff_t quarters) {
    const double value = ag_int_mod(quarters, 2) == 0 ? sine : cosine;
    return ag_int_mod(quarters, 4) < 2 ? value : -value;
}

/* From the third order on: the recurrence upwards where |y| >= n, else downwards from 0 at an order far above. */
static AG_UNUSED double ag_general_sinc_derivative(double x, double order) {
    if (!ag_is_order(order)) {
        return NAN;
    }
    const ptrdiff_t n = (ptrdiff_t)order;
    const double y = 0x1.921fb54442d18p+1 * x;
    const double sine = ag_sin_pi(x);
    const double cosine = ag_cos_pi(x);
    if (fabs(y) >= (double)n) {
        double result = ag_sinc(x);
        double scale = 1.0;
        for (ptrdiff_t k = 1; k < n + 1; k++) {
            result = (scale * ag_shifted_sine(sine, cosine, k) - (double)k * result) / x;
            scale *= 0x1.921fb54442d18p+1;
        }
        return result;
    }
    double f = 0.0;
    for (ptrdiff_t k = 2 * n + 60; k > n; k--) {
        f = (ag_shifted_sine(sine, cosine, k) - y * f) / (double)k;
    }
    return ag_power(0x1.921fb54442d18p+1, order) * f;
}

/* The derivative of the given order of sinc: pi^n times that of f(y) = sin(y) / y at y = pi * x. */
static AG_UNUSED double ag_sinc_derivative(double x, double order) {
    if (isinf(x)) {
        return ag_is_order(order) ? 0.0 : NAN;
    }
    const double y = 0x1.921fb54442d18p+1 * x;
    const double square = y * y;
    if (order == 1.0) {
        if (fabs(x) > 0x1.3d70a3d70a3d7p-1) {
            return (ag_cos_pi(x) - ag_sin_pi(x) / y) / x;
        }
        double series = 0.0;
        static const double a_values[] = {-0x1.0132bcd1f4692p-70, 0x1.ce272b49432cep-62, -0x1.5532eaf516982p-53, 0x1.952c77030ad4ap-45, -0x1.78af56a4d411bp-37, 0x1.08db48ebe51c7p-29, -0x1.0cfeb60f94b0ep-22, 0x1.71de3a556c734p-16, -0x1.3813813813814p-10, 0x1.1111111111111p-5, -0x1.5555555555555p-2};
        for (ptrdiff_t a_at = 0; a_at < 11; a_at++) {
            const double a = a_values[a_at];
            series = series * square + a;
        }
        return 0x1.921fb54442d18p+1 * (y * series);
    }
    if (order == 2.0) {
        if (fabs(x) > 0.75) {
            return 0x1.921fb54442d18p+1 * (((2.0 / square - 1.0) * ag_sin_pi(x) - 2.0 / y * ag_cos_pi(x)) / x);
        }
        double series = 0.0;
        static const double b_values[] = {0x1.582d8de5c1f22p-75, -0x1.519297d390c9fp-66, 0x1.126741b37fe2ap-57, -0x1.6a8619a46801ap-49, 0x1.7bd9af92da276p-41, -0x1.320e7665ec4e6p-33, 0x1.6c2d84445b072p-26, -0x1.2e9e8cd18747p-19, 0x1.43a2730abee4dp-13, -0x1.8618618618618p-8, 0x1.999999999999ap-4, -0x1.5555555555555p-2};
        for (ptrdiff_t b_at = 0; b_at < 12; b_at++) {
            const double b = b_values[b_at];
            series = series * square + b;
        }
        return 0x1.921fb54442d18p+1 * 0x1.921fb54442d18p+1 * series;
    }
    return order == 0.0 ? ag_sinc(x) : ag_general_sinc_derivative(x, order);
}

/* The density of the logistic distribution, exp(-x) / (1 + exp(-x))^2: the derivative of sigmoid. */
static inline double ag_logistic_pdf(double x) {
    const double e = exp(-fabs(x));
    return e / (1.0 + e * (2.0 + e));
}

/* Fill in Q, where f Q is the derivative of the logistic density f: a polynomial in t = tanh(x/2), that of 1 first. */
static inline void ag_logistic_polynomial(double *polynomial, ptrdiff_t polynomial_length) {
    const ptrdiff_t n = polynomial_length;
    polynomial[0] = 1.0;
    for (ptrdiff_t order = 1; order < n; order++) {
        double before = 0.0;
        for (ptrdiff_t i = 0; i < order + 1; i++) {
            const double here = polynomial[i];
            const double after = i + 1 < n ? polynomial[i + 1] : 0.0;
            polynomial[i] = 0.0 - before * (1.0 + 0.5 * (double)(i - 1)) + 0.5 * (double)(i + 1) * after;
            before = here;
        }
    }
}

static AG_UNUSED AG_NOINLINE double ag_general_silu_derivative(double x, double order) {
    if (!ag_is_order(order)) {
        return NAN;
    }
    const ptrdiff_t n = (ptrdiff_t)order;
    const double root = exp(-0.5 * fabs(x));
    if (root == 0.0) {
        return 0.0;
    }
    if (n == 1) {
        return (1.0 + x) * root * root;
    }
    const ptrdiff_t last_length = n;
    double *const last = AG_ALLOCATE((size_t)last_length * sizeof(double));
    for (ptrdiff_t last_at = 0; last_at < last_length; last_at++) {
        last[last_at] = 0.0;
    }
    const ptrdiff_t before_length = n - 1;
    double *const before = AG_ALLOCATE((size_t)before_length * sizeof(double));
    for (ptrdiff_t before_at = 0; before_at < before_length; before_at++) {
        before[before_at] = 0.0;
    }
    ag_logistic_polynomial(last, last_length);
    ag_logistic_polynomial(before, before_length);
    const double t = tanh(0.5 * x);
    const double factor = x * ag_horner(last, last_length, t) + (double)n * ag_horner(before, before_length, t);
    return fabs(x) < 700.0 ? factor * ag_logistic_pdf(x) : factor * root * root;
}

/* The derivative of the given order of silu. */
static inline double ag_silu_derivative(double x, double order) {
    if (order == 1.0 && x >= -700.0) {
        return x < 700.0 ? ag_sigmoid(x) * (1.0 + x * ag_sigmoid(-x)) : 1.0;
    }
    return order == 0.0 ? ag_silu(x) : ag_general_silu_derivative(x, order);
}

static inline double value_add(double x0, double x1) {
    return x0 + x1;
}

static inline double value_subtract(double x0, double x1) {
    return x0 - x1;
}

static inline double value_multiply(double x0, double x1) {
    return x0 * x1;
}

static inline double value_divide(double x0, double x1) {
    return x0 / x1;
}

static inline double value_power(double x0, double x1) {
    return ag_power(x0, x1);
}

static inline double value_negative(double x0) {
    return -x0;
}

static inline double value_positive(double x0) {
    return x0;
}

static inline double value_absolute(double x0) {
    return fabs(x0);
}

static inline double value_reciprocal(double x0) {
    return 1.0 / x0;
}

static inline double value_square(double x0) {
    return x0 * x0;
}

static inline double value_sqrt(double x0) {
    return sqrt(x0);
}

static inline double value_cbrt(double x0) {
    return ag_cbrt(x0);
}

static inline double value_mod(double x0, double x1) {
    return ag_mod(x0, x1);
}

static inline double value_fmod(double x0, double x1) {
    return ag_fmod(x0, x1);
}

static inline double value_exp(double x0) {
    return exp(x0);
}

static inline double value_exp2(double x0) {
    return exp2(x0);
}

static inline double value_expm1(double x0) {
    return expm1(x0);
}

static inline double value_log(double x0) {
    return log(x0);
}

static inline double value_log2(double x0) {
    return log2(x0);
}

static inline double value_log10(double x0) {
    return log10(x0);
}

static inline double value_log1p(double x0) {
    return log1p(x0);
}

static inline double value_xlogy(double x0, double x1) {
    return ag_xlogy(x0, x1);
}

static inline double value_logaddexp(double x0, double x1) {
    return ag_logaddexp(x0, x1);
}

static AG_UNUSED double value_logsumexp(const double *x, Py_ssize_t n) {
    return ag_logsumexp(x, n);
}

static inline double value_sin(double x0) {
    return sin(x0);
}

static inline double value_cos(double x0) {
    return cos(x0);
}

static inline double value_tan(double x0) {
    return tan(x0);
}

static inline double value_sinc(double x0) {
    return ag_sinc(x0);
}

static inline double value_deg2rad(double x0) {
    return ag_deg2rad(x0);
}

static inline double value_rad2deg(double x0) {
    return ag_rad2deg(x0);
}

static inline double value_arcsin(double x0) {
    return asin(x0);
}

static inline double value_arccos(double x0) {
    return acos(x0);
}

static inline double value_arctan(double x0) {
    return atan(x0);
}

static inline double value_arctan2(double x0, double x1) {
    return atan2(x0, x1);
}

static inline double value_sinh(double x0) {
    return sinh(x0);
}

static inline double value_cosh(double x0) {
    return cosh(x0);
}

static inline double value_tanh(double x0) {
    return tanh(x0);
}

static inline double value_arcsinh(double x0) {
    return asinh(x0);
}

static inline double value_arccosh(double x0) {
    return acosh(x0);
}

static inline double value_arctanh(double x0) {
    return atanh(x0);
}

static inline double value_hypot(double x0, double x1) {
    return ag_hypot(x0, x1);
}

static inline double value_erf(double x0) {
    return erf(x0);
}

static inline double value_erfc(double x0) {
    return erfc(x0);
}

static inline double value_normal_cdf(double x0) {
    return ag_normal_cdf(x0);
}

static inline double value_log_normal_cdf(double x0) {
    return ag_log_normal_cdf(x0);
}

static inline double value_normal_pdf(double x0, double x1) {
    return ag_normal_pdf(x0, x1);
}

static inline double value_sigmoid(double x0) {
    return ag_sigmoid(x0);
}

static inline double value_log_sigmoid(double x0) {
    return ag_log_sigmoid(x0);
}

static inline double value_softplus(double x0) {
    return ag_softplus(x0);
}

static inline double value_relu(double x0) {
    return ag_relu(x0);
}

static inline double value_leaky_relu(double x0, double x1) {
    return ag_leaky_relu(x0, x1);
}

static inline double value_silu(double x0) {
    return ag_silu(x0);
}

static inline double value_gelu(double x0) {
    return ag_gelu(x0);
}

static AG_UNUSED double value_maximum(const double *x, Py_ssize_t n) {
    return ag_maximum(x, n);
}

static AG_UNUSED double value_minimum(const double *x, Py_ssize_t n) {
    return ag_minimum(x, n);
}

static inline double value_clip(double x0, double x1, double x2) {
    return ag_clip(x0, x1, x2);
}

static inline double value_where(double x0, double x1, double x2) {
    return x0 != 0.0 ? x1 : x2;
}

static inline double value_stop_gradient(double x0) {
    return x0;
}

static inline double value_sign(double x0) {
    return ag_sign(x0);
}

static inline double value_step(double x0) {
    return ag_step(x0);
}

static inline double value_heaviside(double x0, double x1) {
    return ag_heaviside(x0, x1);
}

static inline double value_isfinite(double x0) {
    return ag_isfinite(x0);
}

static inline double value_isinf(double x0) {
    return ag_isinf(x0);
}

static inline double value_isnan(double x0) {
    return ag_isnan(x0);
}

static inline double value_copysign(double x0, double x1) {
    return ag_copysign(x0, x1);
}

static inline double value_floor(double x0) {
    return floor(x0);
}

static inline double value_ceil(double x0) {
    return ceil(x0);
}

static inline double value_trunc(double x0) {
    return trunc(x0);
}

static inline double value_rint(double x0) {
    return rint(x0);
}

static inline double value_around(double x0, double x1) {
    return ag_around(x0, x1);
}

static inline double value_floor_divide(double x0, double x1) {
    return ag_floor_divide(x0, x1);
}

static AG_UNUSED double value_sum(const double *x, Py_ssize_t n) {
    return ag_add_all(x, n);
}

static AG_UNUSED double value_dot(const double *x, Py_ssize_t n) {
    return ag_dot(x, n);
}

static inline double value_flat(double x0) {
    return ag_flat(x0);
}

static inline double value_greater(double x0, double x1) {
    return ag_greater(x0, x1);
}

static inline double value_equal(double x0, double x1) {
    return ag_equal(x0, x1);
}

static inline double value_difference(double x0, double x1) {
    return ag_difference(x0, x1);
}

static inline double value_difference_error(double x0, double x1) {
    return ag_difference_error(x0, x1);
}

static inline double value_one_minus_square(double x0) {
    return (1.0 - x0) * (1.0 + x0);
}

static inline double value_power_quotient(double x0, double x1, double x2) {
    return ag_power_quotient(x0, x1, x2);
}

static inline double value_share(double x0, double x1) {
    return ag_share(x0, x1);
}

static inline double value_power_derivative(double x0, double x1, double x2, double x3) {
    return ag_power_derivative(x0, x1, x2, x3);
}

static inline double value_hypot_derivative(double x0, double x1, double x2, double x3) {
    return ag_hypot_derivative(x0, x1, x2, x3);
}

static inline double value_inverse_power_real(double x0, double x1, double x2) {
    return ag_inverse_power_real(x0, x1, x2);
}

static inline double value_inverse_power_imaginary(double x0, double x1, double x2) {
    return ag_inverse_power_imaginary(x0, x1, x2);
}

static inline double value_erf_derivative(double x0, double x1) {
    return ag_erf_derivative(x0, x1);
}

static inline double value_log_normal_cdf_derivative(double x0, double x1) {
    return ag_log_normal_cdf_derivative(x0, x1);
}

static inline double value_sinc_derivative(double x0, double x1) {
    return ag_sinc_derivative(x0, x1);
}

static inline double value_logistic_pdf(double x0) {
    return ag_logistic_pdf(x0);
}

static inline double value_silu_derivative(double x0, double x1) {
    return ag_silu_derivative(x0, x1);
}

static inline double value_if_reached(double x0, double x1, double x2) {
    return x0 != 0.0 ? x1 : x2;
}

static AG_UNUSED double value_of(int op, const double *x, Py_ssize_t n) {
    switch (op) {
    case OP_ADD:
        return value_add(x[0], x[1]);
    case OP_SUBTRACT:
        return value_subtract(x[0], x[1]);
    case OP_MULTIPLY:
        return value_multiply(x[0], x[1]);
    case OP_DIVIDE:
        return value_divide(x[0], x[1]);
    case OP_POWER:
        return value_power(x[0], x[1]);
    case OP_NEGATIVE:
        return value_negative(x[0]);
    case OP_POSITIVE:
        return value_positive(x[0]);
    case OP_ABSOLUTE:
        return value_absolute(x[0]);
    case OP_RECIPROCAL:
        return value_reciprocal(x[0]);
    case OP_SQUARE:
        return value_square(x[0]);
    case OP_SQRT:
        return value_sqrt(x[0]);
    case OP_CBRT:
        return value_cbrt(x[0]);
    case OP_MOD:
        return value_mod(x[0], x[1]);
    case OP_FMOD:
        return value_fmod(x[0], x[1]);
    case OP_EXP:
        return value_exp(x[0]);
    case OP_EXP2:
        return value_exp2(x[0]);
    case OP_EXPM1:
        return value_expm1(x[0]);
    case OP_LOG:
        return value_log(x[0]);
    case OP_LOG2:
        return value_log2(x[0]);
    case OP_LOG10:
        return value_log10(x[0]);
    case OP_LOG1P:
        return value_log1p(x[0]);
    case OP_XLOGY:
        return value_xlogy(x[0], x[1]);
    case OP_LOGADDEXP:
        return value_logaddexp(x[0], x[1]);
    case OP_LOGSUMEXP:
        return value_logsumexp(x, n);
    case OP_SIN:
        return value_sin(x[0]);
    case OP_COS:
        return value_cos(x[0]);
    case OP_TAN:
        return value_tan(x[0]);
    case OP_SINC:
        return value_sinc(x[0]);
    case OP_DEG2RAD:
        return value_deg2rad(x[0]);
    case OP_RAD2DEG:
        return value_rad2deg(x[0]);
    case OP_ARCSIN:
        return value_arcsin(x[0]);
    case OP_ARCCOS:
        return value_arccos(x[0]);
    case OP_ARCTAN:
        return value_arctan(x[0]);
    case OP_ARCTAN2:
        return value_arctan2(x[0], x[1]);
    case OP_SINH:
        return value_sinh(x[0]);
    case OP_COSH:
        return value_cosh(x[0]);
    case OP_TANH:
        return value_tanh(x[0]);
    case OP_ARCSINH:
        return value_arcsinh(x[0]);
    case OP_ARCCOSH:
        return value_arccosh(x[0]);
    case OP_ARCTANH:
        return value_arctanh(x[0]);
    case OP_HYPOT:
        return value_hypot(x[0], x[1]);
    case OP_ERF:
        return value_erf(x[0]);
    case OP_ERFC:
        return value_erfc(x[0]);
    case OP_NORMAL_CDF:
        return value_normal_cdf(x[0]);
    case OP_LOG_NORMAL_CDF:
        return value_log_normal_cdf(x[0]);
    case OP_NORMAL_PDF:
        return value_normal_pdf(x[0], x[1]);
    case OP_SIGMOID:
        return value_sigmoid(x[0]);
    case OP_LOG_SIGMOID:
        return value_log_sigmoid(x[0]);
    case OP_SOFTPLUS:
        return value_softplus(x[0]);
    case OP_RELU:
        return value_relu(x[0]);
    case OP_LEAKY_RELU:
        return value_leaky_relu(x[0], x[1]);
    case OP_SILU:
        return value_silu(x[0]);
    case OP_GELU:
        return value_gelu(x[0]);
    case OP_MAXIMUM:
        return value_maximum(x, n);
    case OP_MINIMUM:
        return value_minimum(x, n);
    case OP_CLIP:
        return value_clip(x[0], x[1], x[2]);
    case OP_WHERE:
        return value_where(x[0], x[1], x[2]);
    case OP_STOP_GRADIENT:
        return value_stop_gradient(x[0]);
    case OP_SIGN:
        return value_sign(x[0]);
    case OP_STEP:
        return value_step(x[0]);
    case OP_HEAVISIDE:
        return value_heaviside(x[0], x[1]);
    case OP_ISFINITE:
        return value_isfinite(x[0]);
    case OP_ISINF:
        return value_isinf(x[0]);
    case OP_ISNAN:
        return value_isnan(x[0]);
    case OP_COPYSIGN:
        return value_copysign(x[0], x[1]);
    case OP_FLOOR:
        return value_floor(x[0]);
    case OP_CEIL:
        return value_ceil(x[0]);
    case OP_TRUNC:
        return value_trunc(x[0]);
    case OP_RINT:
        return value_rint(x[0]);
    case OP_AROUND:
        return value_around(x[0], x[1]);
    case OP_FLOOR_DIVIDE:
        return value_floor_divide(x[0], x[1]);
    case OP_SUM:
        return value_sum(x, n);
    case OP_DOT:
        return value_dot(x, n);
    case OP_FLAT:
        return value_flat(x[0]);
    case OP_GREATER:
        return value_greater(x[0], x[1]);
    case OP_EQUAL:
        return value_equal(x[0], x[1]);
    case OP_DIFFERENCE:
        return value_difference(x[0], x[1]);
    case OP_DIFFERENCE_ERROR:
        return value_difference_error(x[0], x[1]);
    case OP_ONE_MINUS_SQUARE:
        return value_one_minus_square(x[0]);
    case OP_POWER_QUOTIENT:
        return value_power_quotient(x[0], x[1], x[2]);
    case OP_SHARE:
        return value_share(x[0], x[1]);
    case OP_POWER_DERIVATIVE:
        return value_power_derivative(x[0], x[1], x[2], x[3]);
    case OP_HYPOT_DERIVATIVE:
        return value_hypot_derivative(x[0], x[1], x[2], x[3]);
    case OP_INVERSE_POWER_REAL:
        return value_inverse_power_real(x[0], x[1], x[2]);
    case OP_INVERSE_POWER_IMAGINARY:
        return value_inverse_power_imaginary(x[0], x[1], x[2]);
    case OP_ERF_DERIVATIVE:
        return value_erf_derivative(x[0], x[1]);
    case OP_LOG_NORMAL_CDF_DERIVATIVE:
        return value_log_normal_cdf_derivative(x[0], x[1]);
    case OP_SINC_DERIVATIVE:
        return value_sinc_derivative(x[0], x[1]);
    case OP_LOGISTIC_PDF:
        return value_logistic_pdf(x[0]);
    case OP_SILU_DERIVATIVE:
        return value_silu_derivative(x[0], x[1]);
    case OP_IF_REACHED:
        return value_if_reached(x[0], x[1], x[2]);
    default:
        return NAN;
    }
}

static inline void partials_add(double r, const double *x, unsigned needed, double *p) {
    (void)r;
    (void)x;
    if (needed & 1u) {
        p[0] = 1.0;
    }
    if (needed & 2u) {
        p[1] = 1.0;
    }
}

static inline void partials_subtract(double r, const double *x, unsigned needed, double *p) {
    (void)r;
    (void)x;
    if (needed & 1u) {
        p[0] = 1.0;
    }
    if (needed & 2u) {
        p[1] = (-1.0);
    }
}

static inline void partials_multiply(double r, const double *x, unsigned needed, double *p) {
    (void)r;
    if (needed & 1u) {
        p[0] = x[1];
    }
    if (needed & 2u) {
        p[1] = x[0];
    }
}

static inline void partials_divide(double r, const double *x, unsigned needed, double *p) {
    if (needed & 1u) {
        const double t0 = ag_flat(r);
        const double t1 = x[1] + t0;
        const double t2 = 1.0 / t1;
        p[0] = t2;
    }
    if (needed & 2u) {
        const double t0 = ag_flat(r);
        const double t1 = x[1] + t0;
        const double t2 = ag_power_quotient(x[0], t1, 2.0);
        const double t3 = -t2;
        p[1] = t3;
    }
}

static inline void partials_power(double r, const double *x, unsigned needed, double *p) {
    (void)r;
    if (needed & 1u) {
        const double t0 = ag_power_derivative(x[0], x[1], 1.0, 0.0);
        p[0] = t0;
    }
    if (needed & 2u) {
        const double t0 = ag_power_derivative(x[0], x[1], 0.0, 1.0);
        p[1] = t0;
    }
}

static inline void partials_negative(double r, const double *x, unsigned needed, double *p) {
    (void)r;
    (void)x;
    if (needed & 1u) {
        p[0] = (-1.0);
    }
}

static inline void partials_positive(double r, const double *x, unsigned needed, double *p) {
    (void)r;
    (void)x;
    if (needed & 1u) {
        p[0] = 1.0;
    }
}

static inline void partials_absolute(double r, const double *x, unsigned needed, double *p) {
    (void)r;
    if (needed & 1u) {
        const double t0 = ag_sign(x[0]);
        p[0] = t0;
    }
}

static inline void partials_reciprocal(double r, const double *x, unsigned needed, double *p) {
    (void)r;
    if (needed & 1u) {
        const double t0 = ag_power_quotient(1.0, x[0], 2.0);
        const double t1 = -t0;
        p[0] = t1;
    }
}

static inline void partials_square(double r, const double *x, unsigned needed, double *p) {
    (void)r;
    if (needed & 1u) {
        const double t0 = 2.0 * x[0];
        p[0] = t0;
    }
}

static inline void partials_sqrt(double r, const double *x, unsigned needed, double *p) {
    (void)x;
    if (needed & 1u) {
        const double t0 = r + 0.0;
        const double t1 = 1.0 / t0;
        const double t2 = 0.5 * t1;
        p[0] = t2;
    }
}

static inline void partials_cbrt(double r, const double *x, unsigned needed, double *p) {
    (void)x;
    if (needed & 1u) {
        const double t0 = r * r;
        const double t1 = 3.0 * t0;
        const double t2 = 1.0 / t1;
        p[0] = t2;
    }
}

static inline void partials_mod(double r, const double *x, unsigned needed, double *p) {
    if (needed & 1u) {
        const double t0 = ag_flat(r);
        const double t1 = 1.0 + t0;
        p[0] = t1;
    }
    if (needed & 2u) {
        const double t0 = ag_flat(r);
        const double t1 = x[1] + t0;
        const double t2 = ag_floor_divide(x[0], t1);
        const double t3 = -t2;
        p[1] = t3;
    }
}

static inline void partials_fmod(double r, const double *x, unsigned needed, double *p) {
    if (needed & 1u) {
        const double t0 = ag_flat(r);
        const double t1 = 1.0 + t0;
        p[0] = t1;
    }
    if (needed & 2u) {
        const double t0 = ag_sign(x[0]);
        const double t1 = -t0;
        const double t2 = ag_sign(x[1]);
        const double t3 = t1 * t2;
        const double t4 = fabs(x[0]);
        const double t5 = fabs(x[1]);
        const double t6 = ag_flat(r);
        const double t7 = t5 + t6;
        const double t8 = ag_floor_divide(t4, t7);
        const double t9 = t3 * t8;
        p[1] = t9;
    }
}

static inline void partials_exp(double r, const double *x, unsigned needed, double *p) {
    (void)x;
    if (needed & 1u) {
        p[0] = r;
    }
}

static inline void partials_exp2(double r, const double *x, unsigned needed, double *p) {
    (void)r;
    if (needed & 1u) {
        const double t0 = 0.5 * x[0];
        const double t1 = exp2(t0);
        const double t2 = 0x1.62e42fefa39efp-1 * t1;
        const double t3 = t2 * t1;
        p[0] = t3;
    }
}

static inline void partials_expm1(double r, const double *x, unsigned needed, double *p) {
    (void)r;
    if (needed & 1u) {
        const double t0 = exp(x[0]);
        p[0] = t0;
    }
}

static inline void partials_log(double r, const double *x, unsigned needed, double *p) {
    if (needed & 1u) {
        const double t0 = ag_flat(r);
        const double t1 = x[0] + t0;
        const double t2 = 1.0 / t1;
        p[0] = t2;
    }
}

static inline void partials_log2(double r, const double *x, unsigned needed, double *p) {
    if (needed & 1u) {
        const double t0 = ag_flat(r);
        const double t1 = x[0] + t0;
        const double t2 = ag_power_quotient(0x1.71547652b82fep+0, t1, 1.0);
        p[0] = t2;
    }
}

static inline void partials_log10(double r, const double *x, unsigned needed, double *p) {
    if (needed & 1u) {
        const double t0 = ag_flat(r);
        const double t1 = x[0] + t0;
        const double t2 = ag_power_quotient(0x1.bcb7b1526e50ep-2, t1, 1.0);
        p[0] = t2;
    }
}

static inline void partials_log1p(double r, const double *x, unsigned needed, double *p) {
    if (needed & 1u) {
        const double t0 = 1.0 + x[0];
        const double t1 = ag_flat(r);
        const double t2 = t0 + t1;
        const double t3 = 1.0 / t2;
        p[0] = t3;
    }
}

static inline void partials_xlogy(double r, const double *x, unsigned needed, double *p) {
    if (needed & 1u) {
        const double t0 = log(x[1]);
        p[0] = t0;
    }
    if (needed & 2u) {
        const double t0 = ag_flat(r);
        const double t1 = x[1] + t0;
        const double t2 = ag_power_quotient(x[0], t1, 1.0);
        p[1] = t2;
    }
}

static inline void partials_logaddexp(double r, const double *x, unsigned needed, double *p) {
    (void)r;
    if (needed & 1u) {
        const double t0 = ag_difference(x[0], x[1]);
        const double t1 = ag_difference_error(x[0], x[1]);
        const double t2 = ag_sigmoid(t0);
        const double t3 = -t0;
        const double t4 = ag_sigmoid(t3);
        const double t5 = t1 * t4;
        const double t6 = t2 * t5;
        const double t7 = t2 + t6;
        p[0] = t7;
    }
    if (needed & 2u) {
        const double t0 = ag_difference(x[1], x[0]);
        const double t1 = ag_difference_error(x[1], x[0]);
        const double t2 = ag_sigmoid(t0);
        const double t3 = -t0;
        const double t4 = ag_sigmoid(t3);
        const double t5 = t1 * t4;
        const double t6 = t2 * t5;
        const double t7 = t2 + t6;
        p[1] = t7;
    }
}

static AG_UNUSED int partials_logsumexp(double r, const double *x, Py_ssize_t n, double *p) {
    switch (n) {
    case 1: {
        const double t0 = r;
        const double t1 = ag_difference(x[0], t0);
        const double t2 = exp(t1);
        const double t3 = ag_difference_error(x[0], t0);
        const double t4 = t2 * t3;
        const double t5 = t2 + t4;
        const double t6 = ag_share(t5, 0.0);
        p[0] = t6;
        return 1;
    }
    case 2: {
        const double t0 = r;
        const double t1 = ag_difference(x[0], t0);
        const double t2 = exp(t1);
        const double t3 = ag_difference(x[1], t0);
        const double t4 = exp(t3);
        const double t5 = ag_difference_error(x[0], t0);
        const double t6 = t2 * t5;
        const double t7 = t2 + t6;
        const double t8 = ag_difference_error(x[1], t0);
        const double t9 = t4 * t8;
        const double t10 = t4 + t9;
        const double t11 = 0.0 + t10;
        const double t12 = 0.0 + t11;
        const double t13 = ag_share(t7, t12);
        const double t14 = 0.0 + t7;
        const double t15 = t14 + 0.0;
        const double t16 = ag_share(t10, t15);
        p[0] = t13;
        p[1] = t16;
        return 1;
    }
    case 3: {
        const double t0 = r;
        const double t1 = ag_difference(x[0], t0);
        const double t2 = exp(t1);
        const double t3 = ag_difference(x[1], t0);
        const double t4 = exp(t3);
        const double t5 = ag_difference(x[2], t0);
        const double t6 = exp(t5);
        const double t7 = ag_difference_error(x[0], t0);
        const double t8 = t2 * t7;
        const double t9 = t2 + t8;
        const double t10 = ag_difference_error(x[1], t0);
        const double t11 = t4 * t10;
        const double t12 = t4 + t11;
        const double t13 = ag_difference_error(x[2], t0);
        const double t14 = t6 * t13;
        const double t15 = t6 + t14;
        const double t16 = 0.0 + t15;
        const double t17 = t16 + t12;
        const double t18 = 0.0 + t17;
        const double t19 = ag_share(t9, t18);
        const double t20 = 0.0 + t9;
        const double t21 = t20 + t16;
        const double t22 = ag_share(t12, t21);
        const double t23 = t20 + t12;
        const double t24 = t23 + 0.0;
        const double t25 = ag_share(t15, t24);
        p[0] = t19;
        p[1] = t22;
        p[2] = t25;
        return 1;
    }
    case 4: {
        const double t0 = r;
        const double t1 = ag_difference(x[0], t0);
        const double t2 = exp(t1);
        const double t3 = ag_difference(x[1], t0);
        const double t4 = exp(t3);
        const double t5 = ag_difference(x[2], t0);
        const double t6 = exp(t5);
        const double t7 = ag_difference(x[3], t0);
        const double t8 = exp(t7);
        const double t9 = ag_difference_error(x[0], t0);
        const double t10 = t2 * t9;
        const double t11 = t2 + t10;
        const double t12 = ag_difference_error(x[1], t0);
        const double t13 = t4 * t12;
        const double t14 = t4 + t13;
        const double t15 = ag_difference_error(x[2], t0);
        const double t16 = t6 * t15;
        const double t17 = t6 + t16;
        const double t18 = ag_difference_error(x[3], t0);
        const double t19 = t8 * t18;
        const double t20 = t8 + t19;
        const double t21 = 0.0 + t20;
        const double t22 = t21 + t17;
        const double t23 = t22 + t14;
        const double t24 = 0.0 + t23;
        const double t25 = ag_share(t11, t24);
        const double t26 = 0.0 + t11;
        const double t27 = t26 + t22;
        const double t28 = ag_share(t14, t27);
        const double t29 = t26 + t14;
        const double t30 = t29 + t21;
        const double t31 = ag_share(t17, t30);
        const double t32 = t29 + t17;
        const double t33 = t32 + 0.0;
        const double t34 = ag_share(t20, t33);
        p[0] = t25;
        p[1] = t28;
        p[2] = t31;
        p[3] = t34;
        return 1;
    }
    default:
        return 0;
    }
}

static inline void partials_sin(double r, const double *x, unsigned needed, double *p) {
    (void)r;
    if (needed & 1u) {
        const double t0 = cos(x[0]);
        p[0] = t0;
    }
}

static inline void partials_cos(double r, const double *x, unsigned needed, double *p) {
    (void)r;
    if (needed & 1u) {
        const double t0 = sin(x[0]);
        const double t1 = -t0;
        p[0] = t1;
    }
}

static inline void partials_tan(double r, const double *x, unsigned needed, double *p) {
    (void)x;
    if (needed & 1u) {
        const double t0 = r * r;
        const double t1 = 1.0 + t0;
        p[0] = t1;
    }
}

static inline void partials_sinc(double r, const double *x, unsigned needed, double *p) {
    (void)r;
    if (needed & 1u) {
        const double t0 = ag_sinc_derivative(x[0], 1.0);
        p[0] = t0;
    }
}

static inline void partials_deg2rad(double r, const double *x, unsigned needed, double *p) {
    (void)r;
    (void)x;
    if (needed & 1u) {
        p[0] = 0x1.1df46a2529d39p-6;
    }
}

static inline void partials_rad2deg(double r, const double *x, unsigned needed, double *p) {
    (void)r;
    (void)x;
    if (needed & 1u) {
        p[0] = 0x1.ca5dc1a63c1f8p+5;
    }
}

static inline void partials_arcsin(double r, const double *x, unsigned needed, double *p) {
    (void)r;
    if (needed & 1u) {
        const double t0 = (1.0 - x[0]) * (1.0 + x[0]);
        const double t1 = sqrt(t0);
        const double t2 = 1.0 / t1;
        p[0] = t2;
    }
}

static inline void partials_arccos(double r, const double *x, unsigned needed, double *p) {
    (void)r;
    if (needed & 1u) {
        const double t0 = (1.0 - x[0]) * (1.0 + x[0]);
        const double t1 = sqrt(t0);
        const double t2 = 1.0 / t1;
        const double t3 = -t2;
        p[0] = t3;
    }
}

static inline void partials_arctan(double r, const double *x, unsigned needed, double *p) {
    (void)r;
    if (needed & 1u) {
        const double t0 = ag_inverse_power_real(1.0, x[0], 1.0);
        p[0] = t0;
    }
}

static inline void partials_arctan2(double r, const double *x, unsigned needed, double *p) {
    (void)r;
    if (needed & 1u) {
        const double t0 = ag_inverse_power_real(x[1], x[0], 1.0);
        p[0] = t0;
    }
    if (needed & 2u) {
        const double t0 = ag_inverse_power_imaginary(x[1], x[0], 1.0);
        p[1] = t0;
    }
}

static inline void partials_sinh(double r, const double *x, unsigned needed, double *p) {
    (void)r;
    if (needed & 1u) {
        const double t0 = cosh(x[0]);
        p[0] = t0;
    }
}

static inline void partials_cosh(double r, const double *x, unsigned needed, double *p) {
    (void)r;
    if (needed & 1u) {
        const double t0 = sinh(x[0]);
        p[0] = t0;
    }
}

static inline void partials_tanh(double r, const double *x, unsigned needed, double *p) {
    (void)r;
    if (needed & 1u) {
        const double t0 = 2.0 * x[0];
        const double t1 = ag_logistic_pdf(t0);
        const double t2 = 4.0 * t1;
        p[0] = t2;
    }
}

static inline void partials_arcsinh(double r, const double *x, unsigned needed, double *p) {
    (void)r;
    if (needed & 1u) {
        const double t0 = ag_hypot_derivative(1.0, x[0], 1.0, 0.0);
        p[0] = t0;
    }
}

static inline void partials_arccosh(double r, const double *x, unsigned needed, double *p) {
    (void)r;
    if (needed & 1u) {
        const double t0 = x[0] - 1.0;
        const double t1 = sqrt(t0);
        const double t2 = x[0] + 1.0;
        const double t3 = sqrt(t2);
        const double t4 = t1 * t3;
        const double t5 = 1.0 / t4;
        p[0] = t5;
    }
}

static inline void partials_arctanh(double r, const double *x, unsigned needed, double *p) {
    if (needed & 1u) {
        const double t0 = (1.0 - x[0]) * (1.0 + x[0]);
        const double t1 = ag_flat(r);
        const double t2 = t0 + t1;
        const double t3 = 1.0 / t2;
        p[0] = t3;
    }
}

static inline void partials_hypot(double r, const double *x, unsigned needed, double *p) {
    (void)r;
    if (needed & 1u) {
        const double t0 = ag_hypot_derivative(x[0], x[1], 1.0, 0.0);
        p[0] = t0;
    }
    if (needed & 2u) {
        const double t0 = ag_hypot_derivative(x[0], x[1], 0.0, 1.0);
        p[1] = t0;
    }
}

static inline void partials_erf(double r, const double *x, unsigned needed, double *p) {
    (void)r;
    if (needed & 1u) {
        const double t0 = ag_erf_derivative(x[0], 1.0);
        p[0] = t0;
    }
}

static inline void partials_erfc(double r, const double *x, unsigned needed, double *p) {
    (void)r;
    if (needed & 1u) {
        const double t0 = ag_erf_derivative(x[0], 1.0);
        const double t1 = -t0;
        p[0] = t1;
    }
}

static inline void partials_normal_cdf(double r, const double *x, unsigned needed, double *p) {
    (void)r;
    if (needed & 1u) {
        const double t0 = ag_normal_pdf(x[0], 0.0);
        p[0] = t0;
    }
}

static inline void partials_log_normal_cdf(double r, const double *x, unsigned needed, double *p) {
    (void)r;
    if (needed & 1u) {
        const double t0 = ag_log_normal_cdf_derivative(x[0], 1.0);
        p[0] = t0;
    }
}

static inline void partials_normal_pdf(double r, const double *x, unsigned needed, double *p) {
    (void)r;
    if (needed & 1u) {
        const double t0 = x[1] + 1.0;
        const double t1 = ag_normal_pdf(x[0], t0);
        p[0] = t1;
    }
}

static inline void partials_sigmoid(double r, const double *x, unsigned needed, double *p) {
    (void)r;
    if (needed & 1u) {
        const double t0 = ag_logistic_pdf(x[0]);
        p[0] = t0;
    }
}

static inline void partials_log_sigmoid(double r, const double *x, unsigned needed, double *p) {
    (void)r;
    if (needed & 1u) {
        const double t0 = -x[0];
        const double t1 = ag_sigmoid(t0);
        p[0] = t1;
    }
}

static inline void partials_softplus(double r, const double *x, unsigned needed, double *p) {
    (void)r;
    if (needed & 1u) {
        const double t0 = ag_sigmoid(x[0]);
        p[0] = t0;
    }
}

static inline void partials_relu(double r, const double *x, unsigned needed, double *p) {
    (void)r;
    if (needed & 1u) {
        const double t0 = ag_step(x[0]);
        p[0] = t0;
    }
}

static inline void partials_leaky_relu(double r, const double *x, unsigned needed, double *p) {
    if (needed & 1u) {
        const double t0 = ag_step(x[0]);
        const double t1 = -x[0];
        const double t2 = ag_step(t1);
        const double t3 = ag_clip(x[1], 0.0, 1.0);
        const double t4 = t2 != 0.0 ? x[1] : t3;
        const double t5 = t0 != 0.0 ? 1.0 : t4;
        const double t6 = ag_flat(r);
        const double t7 = t5 + t6;
        p[0] = t7;
    }
    if (needed & 2u) {
        const double t0 = -x[0];
        const double t1 = ag_relu(t0);
        const double t2 = -t1;
        p[1] = t2;
    }
}

static inline void partials_silu(double r, const double *x, unsigned needed, double *p) {
    (void)r;
    if (needed & 1u) {
        const double t0 = ag_silu_derivative(x[0], 1.0);
        p[0] = t0;
    }
}

static inline void partials_gelu(double r, const double *x, unsigned needed, double *p) {
    (void)r;
    if (needed & 1u) {
        const double t0 = ag_normal_cdf(x[0]);
        const double t1 = ag_normal_pdf(x[0], 1.0);
        const double t2 = t0 - t1;
        p[0] = t2;
    }
}

static AG_UNUSED int partials_maximum(double r, const double *x, Py_ssize_t n, double *p) {
    switch (n) {
    case 1: {
        const double t0 = ag_equal(x[0], r);
        const double t1 = ag_add_all((const double[]){t0}, 1);
        const double t2 = t0 / t1;
        p[0] = t2;
        return 1;
    }
    case 2: {
        const double t0 = ag_equal(x[0], r);
        const double t1 = ag_equal(x[1], r);
        const double t2 = 0.5 * t1;
        const double t3 = 1.0 - t2;
        const double t4 = t0 * t3;
        const double t5 = 0.5 * t0;
        const double t6 = 1.0 - t5;
        const double t7 = t1 * t6;
        p[0] = t4;
        p[1] = t7;
        return 1;
    }
    case 3: {
        const double t0 = ag_equal(x[0], r);
        const double t1 = ag_equal(x[1], r);
        const double t2 = ag_equal(x[2], r);
        const double t3 = ag_add_all((const double[]){t0, t1, t2}, 3);
        const double t4 = t0 / t3;
        const double t5 = t1 / t3;
        const double t6 = t2 / t3;
        p[0] = t4;
        p[1] = t5;
        p[2] = t6;
        return 1;
    }
    case 4: {
        const double t0 = ag_equal(x[0], r);
        const double t1 = ag_equal(x[1], r);
        const double t2 = ag_equal(x[2], r);
        const double t3 = ag_equal(x[3], r);
        const double t4 = ag_add_all((const double[]){t0, t1, t2, t3}, 4);
        const double t5 = t0 / t4;
        const double t6 = t1 / t4;
        const double t7 = t2 / t4;
        const double t8 = t3 / t4;
        p[0] = t5;
        p[1] = t6;
        p[2] = t7;
        p[3] = t8;
        return 1;
    }
    default:
        return 0;
    }
}

static AG_UNUSED int partials_minimum(double r, const double *x, Py_ssize_t n, double *p) {
    switch (n) {
    case 1: {
        const double t0 = ag_equal(x[0], r);
        const double t1 = ag_add_all((const double[]){t0}, 1);
        const double t2 = t0 / t1;
        p[0] = t2;
        return 1;
    }
    case 2: {
        const double t0 = ag_equal(x[0], r);
        const double t1 = ag_equal(x[1], r);
        const double t2 = 0.5 * t1;
        const double t3 = 1.0 - t2;
        const double t4 = t0 * t3;
        const double t5 = 0.5 * t0;
        const double t6 = 1.0 - t5;
        const double t7 = t1 * t6;
        p[0] = t4;
        p[1] = t7;
        return 1;
    }
    case 3: {
        const double t0 = ag_equal(x[0], r);
        const double t1 = ag_equal(x[1], r);
        const double t2 = ag_equal(x[2], r);
        const double t3 = ag_add_all((const double[]){t0, t1, t2}, 3);
        const double t4 = t0 / t3;
        const double t5 = t1 / t3;
        const double t6 = t2 / t3;
        p[0] = t4;
        p[1] = t5;
        p[2] = t6;
        return 1;
    }
    case 4: {
        const double t0 = ag_equal(x[0], r);
        const double t1 = ag_equal(x[1], r);
        const double t2 = ag_equal(x[2], r);
        const double t3 = ag_equal(x[3], r);
        const double t4 = ag_add_all((const double[]){t0, t1, t2, t3}, 4);
        const double t5 = t0 / t4;
        const double t6 = t1 / t4;
        const double t7 = t2 / t4;
        const double t8 = t3 / t4;
        p[0] = t5;
        p[1] = t6;
        p[2] = t7;
        p[3] = t8;
        return 1;
    }
    default:
        return 0;
    }
}

static inline void partials_clip(double r, const double *x, unsigned needed, double *p) {
    if (needed & 1u) {
        const double t0 = ag_equal(x[0], r);
        const double t1 = ag_greater(x[1], x[2]);
        const double t2 = ag_greater(1.0, t1);
        const double t3 = t0 * t2;
        p[0] = t3;
    }
    if (needed & 2u) {
        const double t0 = ag_greater(x[1], x[0]);
        const double t1 = t0 * 0.5;
        const double t2 = ag_greater(x[2], x[1]);
        const double t3 = 1.0 + t2;
        const double t4 = ag_greater(x[1], x[2]);
        const double t5 = t3 - t4;
        const double t6 = t1 * t5;
        p[1] = t6;
    }
    if (needed & 4u) {
        const double t0 = ag_equal(x[0], r);
        const double t1 = ag_greater(x[1], x[2]);
        const double t2 = ag_greater(1.0, t1);
        const double t3 = t0 * t2;
        const double t4 = 1.0 - t3;
        const double t5 = ag_greater(x[1], x[0]);
        const double t6 = t5 * 0.5;
        const double t7 = ag_greater(x[2], x[1]);
        const double t8 = 1.0 + t7;
        const double t9 = t8 - t1;
        const double t10 = t6 * t9;
        const double t11 = t4 - t10;
        p[2] = t11;
    }
}

static inline void partials_where(double r, const double *x, unsigned needed, double *p) {
    (void)r;
    if (needed & 2u) {
        const double t0 = x[0] != 0.0 ? 1.0 : 0.0;
        p[1] = t0;
    }
    if (needed & 4u) {
        const double t0 = x[0] != 0.0 ? 0.0 : 1.0;
        p[2] = t0;
    }
}

static inline void partials_stop_gradient(double r, const double *x, unsigned needed, double *p) {
    (void)r;
    (void)x;
    (void)needed;
    (void)p;
}

static inline void partials_sign(double r, const double *x, unsigned needed, double *p) {
    (void)r;
    if (needed & 1u) {
        const double t0 = ag_flat(x[0]);
        p[0] = t0;
    }
}

static inline void partials_step(double r, const double *x, unsigned needed, double *p) {
    (void)r;
    if (needed & 1u) {
        const double t0 = ag_flat(x[0]);
        p[0] = t0;
    }
}

static inline void partials_heaviside(double r, const double *x, unsigned needed, double *p) {
    if (needed & 1u) {
        const double t0 = ag_flat(r);
        p[0] = t0;
    }
    if (needed & 2u) {
        const double t0 = ag_equal(x[0], 0.0);
        const double t1 = ag_flat(r);
        const double t2 = t0 + t1;
        p[1] = t2;
    }
}

static inline void partials_isfinite(double r, const double *x, unsigned needed, double *p) {
    (void)r;
    (void)x;
    (void)needed;
    (void)p;
}

static inline void partials_isinf(double r, const double *x, unsigned needed, double *p) {
    (void)r;
    (void)x;
    (void)needed;
    (void)p;
}

static inline void partials_isnan(double r, const double *x, unsigned needed, double *p) {
    (void)r;
    (void)x;
    (void)needed;
    (void)p;
}

static inline void partials_copysign(double r, const double *x, unsigned needed, double *p) {
    (void)r;
    if (needed & 1u) {
        const double t0 = ag_sign(x[0]);
        const double t1 = ag_copysign(1.0, x[1]);
        const double t2 = t0 * t1;
        p[0] = t2;
    }
}

static inline void partials_floor(double r, const double *x, unsigned needed, double *p) {
    (void)r;
    if (needed & 1u) {
        const double t0 = ag_flat(x[0]);
        p[0] = t0;
    }
}

static inline void partials_ceil(double r, const double *x, unsigned needed, double *p) {
    (void)r;
    if (needed & 1u) {
        const double t0 = ag_flat(x[0]);
        p[0] = t0;
    }
}

static inline void partials_trunc(double r, const double *x, unsigned needed, double *p) {
    (void)r;
    if (needed & 1u) {
        const double t0 = ag_flat(x[0]);
        p[0] = t0;
    }
}

static inline void partials_rint(double r, const double *x, unsigned needed, double *p) {
    (void)r;
    if (needed & 1u) {
        const double t0 = ag_flat(x[0]);
        p[0] = t0;
    }
}

static inline void partials_around(double r, const double *x, unsigned needed, double *p) {
    (void)x;
    if (needed & 1u) {
        const double t0 = ag_flat(r);
        p[0] = t0;
    }
}

static inline void partials_floor_divide(double r, const double *x, unsigned needed, double *p) {
    (void)x;
    if (needed & 1u) {
        const double t0 = ag_flat(r);
        p[0] = t0;
    }
    if (needed & 2u) {
        const double t0 = ag_flat(r);
        p[1] = t0;
    }
}

static AG_UNUSED int partials_sum(double r, const double *x, Py_ssize_t n, double *p) {
    (void)r;
    (void)x;
    for (Py_ssize_t i = 0; i < n; i++) {
        p[i] = 1.0;
    }
    return 1;
}

static AG_UNUSED int partials_dot(double r, const double *x, Py_ssize_t n, double *p) {
    (void)r;
    for (Py_ssize_t i = 0; i < n; i++) {
        p[i] = x[(i + n / 2) % n];
    }
    return 1;
}

static inline void partials_flat(double r, const double *x, unsigned needed, double *p) {
    (void)r;
    (void)x;
    (void)needed;
    (void)p;
}

static inline void partials_greater(double r, const double *x, unsigned needed, double *p) {
    (void)r;
    (void)x;
    (void)needed;
    (void)p;
}

static inline void partials_equal(double r, const double *x, unsigned needed, double *p) {
    (void)r;
    (void)x;
    (void)needed;
    (void)p;
}

static inline void partials_difference(double r, const double *x, unsigned needed, double *p) {
    (void)r;
    (void)x;
    if (needed & 1u) {
        p[0] = 1.0;
    }
    if (needed & 2u) {
        p[1] = (-1.0);
    }
}

static inline void partials_difference_error(double r, const double *x, unsigned needed, double *p) {
    (void)r;
    (void)x;
    (void)needed;
    (void)p;
}

static inline void partials_one_minus_square(double r, const double *x, unsigned needed, double *p) {
    (void)r;
    if (needed & 1u) {
        const double t0 = (-2.0) * x[0];
        p[0] = t0;
    }
}

static inline void partials_power_quotient(double r, const double *x, unsigned needed, double *p) {
    (void)r;
    if (needed & 1u) {
        const double t0 = ag_power_quotient(1.0, x[1], x[2]);
        p[0] = t0;
    }
    if (needed & 2u) {
        const double t0 = -x[2];
        const double t1 = x[2] + 1.0;
        const double t2 = ag_power_quotient(x[0], x[1], t1);
        const double t3 = t0 * t2;
        p[1] = t3;
    }
}

static inline void partials_share(double r, const double *x, unsigned needed, double *p) {
    (void)r;
    if (needed & 1u) {
        const double t0 = x[0] + x[1];
        const double t1 = ag_power_quotient(x[1], t0, 2.0);
        p[0] = t1;
    }
    if (needed & 2u) {
        const double t0 = x[0] + x[1];
        const double t1 = ag_power_quotient(x[0], t0, 2.0);
        const double t2 = -t1;
        p[1] = t2;
    }
}

static inline void partials_power_derivative(double r, const double *x, unsigned needed, double *p) {
    (void)r;
    if (needed & 1u) {
        const double t0 = x[2] + 1.0;
        const double t1 = ag_power_derivative(x[0], x[1], t0, x[3]);
        p[0] = t1;
    }
    if (needed & 2u) {
        const double t0 = x[3] + 1.0;
        const double t1 = ag_power_derivative(x[0], x[1], x[2], t0);
        p[1] = t1;
    }
}

static inline void partials_hypot_derivative(double r, const double *x, unsigned needed, double *p) {
    (void)r;
    if (needed & 1u) {
        const double t0 = x[2] + 1.0;
        const double t1 = ag_hypot_derivative(x[0], x[1], t0, x[3]);
        p[0] = t1;
    }
    if (needed & 2u) {
        const double t0 = x[3] + 1.0;
        const double t1 = ag_hypot_derivative(x[0], x[1], x[2], t0);
        p[1] = t1;
    }
}

static inline void partials_inverse_power_real(double r, const double *x, unsigned needed, double *p) {
    (void)r;
    if (needed & 1u) {
        const double t0 = -x[2];
        const double t1 = x[2] + 1.0;
        const double t2 = ag_inverse_power_real(x[0], x[1], t1);
        const double t3 = t0 * t2;
        p[0] = t3;
    }
    if (needed & 2u) {
        const double t0 = x[2] + 1.0;
        const double t1 = ag_inverse_power_imaginary(x[0], x[1], t0);
        const double t2 = x[2] * t1;
        p[1] = t2;
    }
}

static inline void partials_inverse_power_imaginary(double r, const double *x, unsigned needed, double *p) {
    (void)r;
    if (needed & 1u) {
        const double t0 = -x[2];
        const double t1 = x[2] + 1.0;
        const double t2 = ag_inverse_power_imaginary(x[0], x[1], t1);
        const double t3 = t0 * t2;
        p[0] = t3;
    }
    if (needed & 2u) {
        const double t0 = -x[2];
        const double t1 = x[2] + 1.0;
        const double t2 = ag_inverse_power_real(x[0], x[1], t1);
        const double t3 = t0 * t2;
        p[1] = t3;
    }
}

static inline void partials_erf_derivative(double r, const double *x, unsigned needed, double *p) {
    (void)r;
    if (needed & 1u) {
        const double t0 = x[1] + 1.0;
        const double t1 = ag_erf_derivative(x[0], t0);
        p[0] = t1;
    }
}

static inline void partials_log_normal_cdf_derivative(double r, const double *x, unsigned needed, double *p) {
    (void)r;
    if (needed & 1u) {
        const double t0 = x[1] + 1.0;
        const double t1 = ag_log_normal_cdf_derivative(x[0], t0);
        p[0] = t1;
    }
}

static inline void partials_sinc_derivative(double r, const double *x, unsigned needed, double *p) {
    (void)r;
    if (needed & 1u) {
        const double t0 = x[1] + 1.0;
        const double t1 = ag_sinc_derivative(x[0], t0);
        p[0] = t1;
    }
}

static inline void partials_logistic_pdf(double r, const double *x, unsigned needed, double *p) {
    if (needed & 1u) {
        const double t0 = -r;
        const double t1 = 0.5 * x[0];
        const double t2 = tanh(t1);
        const double t3 = t0 * t2;
        p[0] = t3;
    }
}

static inline void partials_silu_derivative(double r, const double *x, unsigned needed, double *p) {
    (void)r;
    if (needed & 1u) {
        const double t0 = x[1] + 1.0;
        const double t1 = ag_silu_derivative(x[0], t0);
        p[0] = t1;
    }
}

static inline void partials_if_reached(double r, const double *x, unsigned needed, double *p) {
    (void)r;
    if (needed & 2u) {
        const double t0 = x[0] != 0.0 ? 1.0 : 0.0;
        p[1] = t0;
    }
    if (needed & 4u) {
        const double t0 = x[0] != 0.0 ? 0.0 : 1.0;
        p[2] = t0;
    }
}

static AG_UNUSED int partials_of(int op, double r, const double *x, Py_ssize_t n, unsigned needed, double *p) {
    switch (op) {
    case OP_ADD:
        partials_add(r, x, needed, p);
        return 1;
    case OP_SUBTRACT:
        partials_subtract(r, x, needed, p);
        return 1;
    case OP_MULTIPLY:
        partials_multiply(r, x, needed, p);
        return 1;
    case OP_DIVIDE:
        partials_divide(r, x, needed, p);
        return 1;
    case OP_POWER:
        partials_power(r, x, needed, p);
        return 1;
    case OP_NEGATIVE:
        partials_negative(r, x, needed, p);
        return 1;
    case OP_POSITIVE:
        partials_positive(r, x, needed, p);
        return 1;
    case OP_ABSOLUTE:
        partials_absolute(r, x, needed, p);
        return 1;
    case OP_RECIPROCAL:
        partials_reciprocal(r, x, needed, p);
        return 1;
    case OP_SQUARE:
        partials_square(r, x, needed, p);
        return 1;
    case OP_SQRT:
        partials_sqrt(r, x, needed, p);
        return 1;
    case OP_CBRT:
        partials_cbrt(r, x, needed, p);
        return 1;
    case OP_MOD:
        partials_mod(r, x, needed, p);
        return 1;
    case OP_FMOD:
        partials_fmod(r, x, needed, p);
        return 1;
    case OP_EXP:
        partials_exp(r, x, needed, p);
        return 1;
    case OP_EXP2:
        partials_exp2(r, x, needed, p);
        return 1;
    case OP_EXPM1:
        partials_expm1(r, x, needed, p);
        return 1;
    case OP_LOG:
        partials_log(r, x, needed, p);
        return 1;
    case OP_LOG2:
        partials_log2(r, x, needed, p);
        return 1;
    case OP_LOG10:
        partials_log10(r, x, needed, p);
        return 1;
    case OP_LOG1P:
        partials_log1p(r, x, needed, p);
        return 1;
    case OP_XLOGY:
        partials_xlogy(r, x, needed, p);
        return 1;
    case OP_LOGADDEXP:
        partials_logaddexp(r, x, needed, p);
        return 1;
    case OP_LOGSUMEXP:
        return partials_logsumexp(r, x, n, p);
    case OP_SIN:
        partials_sin(r, x, needed, p);
        return 1;
    case OP_COS:
        partials_cos(r, x, needed, p);
        return 1;
    case OP_TAN:
        partials_tan(r, x, needed, p);
        return 1;
    case OP_SINC:
        partials_sinc(r, x, needed, p);
        return 1;
    case OP_DEG2RAD:
        partials_deg2rad(r, x, needed, p);
        return 1;
    case OP_RAD2DEG:
        partials_rad2deg(r, x, needed, p);
        return 1;
    case OP_ARCSIN:
        partials_arcsin(r, x, needed, p);
        return 1;
    case OP_ARCCOS:
        partials_arccos(r, x, needed, p);
        return 1;
    case OP_ARCTAN:
        partials_arctan(r, x, needed, p);
        return 1;
    case OP_ARCTAN2:
        partials_arctan2(r, x, needed, p);
        return 1;
    case OP_SINH:
        partials_sinh(r, x, needed, p);
        return 1;
    case OP_COSH:
        partials_cosh(r, x, needed, p);
        return 1;
    case OP_TANH:
        partials_tanh(r, x, needed, p);
        return 1;
    case OP_ARCSINH:
        partials_arcsinh(r, x, needed, p);
        return 1;
    case OP_ARCCOSH:
        partials_arccosh(r, x, needed, p);
        return 1;
    case OP_ARCTANH:
        partials_arctanh(r, x, needed, p);
        return 1;
    case OP_HYPOT:
        partials_hypot(r, x, needed, p);
        return 1;
    case OP_ERF:
        partials_erf(r, x, needed, p);
        return 1;
    case OP_ERFC:
        partials_erfc(r, x, needed, p);
        return 1;
    case OP_NORMAL_CDF:
        partials_normal_cdf(r, x, needed, p);
        return 1;
    case OP_LOG_NORMAL_CDF:
        partials_log_normal_cdf(r, x, needed, p);
        return 1;
    case OP_NORMAL_PDF:
        partials_normal_pdf(r, x, needed, p);
        return 1;
    case OP_SIGMOID:
        partials_sigmoid(r, x, needed, p);
        return 1;
    case OP_LOG_SIGMOID:
        partials_log_sigmoid(r, x, needed, p);
        return 1;
    case OP_SOFTPLUS:
        partials_softplus(r, x, needed, p);
        return 1;
    case OP_RELU:
        partials_relu(r, x, needed, p);
        return 1;
    case OP_LEAKY_RELU:
        partials_leaky_relu(r, x, needed, p);
        return 1;
    case OP_SILU:
        partials_silu(r, x, needed, p);
        return 1;
    case OP_GELU:
        partials_gelu(r, x, needed, p);
        return 1;
    case OP_MAXIMUM:
        return partials_maximum(r, x, n, p);
    case OP_MINIMUM:
        return partials_minimum(r, x, n, p);
    case OP_CLIP:
        partials_clip(r, x, needed, p);
        return 1;
    case OP_WHERE:
        partials_where(r, x, needed, p);
        return 1;
    case OP_STOP_GRADIENT:
        partials_stop_gradient(r, x, needed, p);
        return 1;
    case OP_SIGN:
        partials_sign(r, x, needed, p);
        return 1;
    case OP_STEP:
        partials_step(r, x, needed, p);
        return 1;
    case OP_HEAVISIDE:
        partials_heaviside(r, x, needed, p);
        return 1;
    case OP_ISFINITE:
        partials_isfinite(r, x, needed, p);
        return 1;
    case OP_ISINF:
        partials_isinf(r, x, needed, p);
        return 1;
    case OP_ISNAN:
        partials_isnan(r, x, needed, p);
        return 1;
    case OP_COPYSIGN:
        partials_copysign(r, x, needed, p);
        return 1;
    case OP_FLOOR:
        partials_floor(r, x, needed, p);
        return 1;
    case OP_CEIL:
        partials_ceil(r, x, needed, p);
        return 1;
    case OP_TRUNC:
        partials_trunc(r, x, needed, p);
        return 1;
    case OP_RINT:
        partials_rint(r, x, needed, p);
        return 1;
    case OP_AROUND:
        partials_around(r, x, needed, p);
        return 1;
    case OP_FLOOR_DIVIDE:
        partials_floor_divide(r, x, needed, p);
        return 1;
    case OP_SUM:
        return partials_sum(r, x, n, p);
    case OP_DOT:
        return partials_dot(r, x, n, p);
    case OP_FLAT:
        partials_flat(r, x, needed, p);
        return 1;
    case OP_GREATER:
        partials_greater(r, x, needed, p);
        return 1;
    case OP_EQUAL:
        partials_equal(r, x, needed, p);
        return 1;
    case OP_DIFFERENCE:
        partials_difference(r, x, needed, p);
        return 1;
    case OP_DIFFERENCE_ERROR:
        partials_difference_error(r, x, needed, p);
        return 1;
    case OP_ONE_MINUS_SQUARE:
        partials_one_minus_square(r, x, needed, p);
        return 1;
    case OP_POWER_QUOTIENT:
        partials_power_quotient(r, x, needed, p);
        return 1;
    case OP_SHARE:
        partials_share(r, x, needed, p);
        return 1;
    case OP_POWER_DERIVATIVE:
        partials_power_derivative(r, x, needed, p);
        return 1;
    case OP_HYPOT_DERIVATIVE:
        partials_hypot_derivative(r, x, needed, p);
        return 1;
    case OP_INVERSE_POWER_REAL:
        partials_inverse_power_real(r, x, needed, p);
        return 1;
    case OP_INVERSE_POWER_IMAGINARY:
        partials_inverse_power_imaginary(r, x, needed, p);
        return 1;
    case OP_ERF_DERIVATIVE:
        partials_erf_derivative(r, x, needed, p);
        return 1;
    case OP_LOG_NORMAL_CDF_DERIVATIVE:
        partials_log_normal_cdf_derivative(r, x, needed, p);
        return 1;
    case OP_SINC_DERIVATIVE:
        partials_sinc_derivative(r, x, needed, p);
        return 1;
    case OP_LOGISTIC_PDF:
        partials_logistic_pdf(r, x, needed, p);
        return 1;
    case OP_SILU_DERIVATIVE:
        partials_silu_derivative(r, x, needed, p);
        return 1;
    case OP_IF_REACHED:
        partials_if_reached(r, x, needed, p);
        return 1;
    default:
        return 0;
    }
}

#endif
