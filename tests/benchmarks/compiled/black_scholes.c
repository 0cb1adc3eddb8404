/* Black-Scholes call: value and greeks, the peer of black_scholes.py. `adjoint` and `adjoint_gamma` go backwards through the
   formula's operations, as an engine does; `closed` uses the textbook's simplified greeks. Loops without branches: with
   -O3 -march=native -ffast-math gcc turns log, exp and erf into glibc's vector functions. */
#include <math.h>
#include <stddef.h>

#define IN const double *restrict spot, const double *restrict strike, const double *restrict rate, \
    const double *restrict volatility, const double *restrict time
#define OUT(x) double *restrict x

static const double ROOT_HALF = 0.70710678118654752440, DENSITY_AT_0 = 0.39894228040143267794;

static inline double cumulative(double x) { return 0.5 + 0.5 * erf(x * ROOT_HALF); }
static inline double density(double x) { return DENSITY_AT_0 * exp(-0.5 * x * x); }

#define FORWARD                                                                                                            \
    const double S = spot[i], K = strike[i], r = rate[i], v = volatility[i], t = time[i];                                 \
    const double root = sqrt(t), s = v * root, inverse = 1.0 / s, drift = r + 0.5 * v * v;                                \
    const double d1 = (log(S / K) + drift * t) * inverse, d2 = d1 - s;                                                    \
    const double N1 = cumulative(d1), N2 = cumulative(d2), discounted = K * exp(-r * t);

#define BACKWARD                                                                                                           \
    const double n1 = density(d1), n2 = density(d2), q1 = S * n1, q2 = discounted * n2; /* -d2_bar is q2 */                \
    const double d1_bar = q1 - q2, x_bar = d1_bar * inverse;      /* of the numerator of d1 */                            \
    const double s_bar = q2 - d1_bar * d1 * inverse;                                                                       \
    const double discounted_bar = -N2 * discounted;               /* times the discounted strike */

void adjoint(size_t n, IN, OUT(value), OUT(by_spot), OUT(by_strike), OUT(by_rate), OUT(by_volatility), OUT(by_time)) {
    for (size_t i = 0; i < n; i++) {
        FORWARD
        BACKWARD
        value[i] = S * N1 - discounted * N2;
        by_spot[i] = N1 + x_bar / S;
        by_strike[i] = (discounted_bar - x_bar) / K;
        by_rate[i] = x_bar * t - discounted_bar * t;
        by_volatility[i] = s_bar * root + x_bar * t * v;
        by_time[i] = x_bar * drift - discounted_bar * r + 0.5 * s_bar * v / root;
    }
}

void adjoint_gamma(size_t n, IN, OUT(value), OUT(delta), OUT(gamma), OUT(vega), OUT(theta), OUT(rho)) {
    for (size_t i = 0; i < n; i++) {
        FORWARD
        BACKWARD
        const double inverse_spot = 1.0 / S, d1_dot = inverse * inverse_spot; /* along the spot */
        const double d1_bar_dot = n1 - (q1 * d1 - q2 * d2) * d1_dot;
        value[i] = S * N1 - discounted * N2;
        delta[i] = N1 + x_bar * inverse_spot;
        gamma[i] = n1 * d1_dot + (d1_bar_dot * inverse - x_bar * inverse_spot) * inverse_spot;
        vega[i] = s_bar * root + x_bar * t * v;
        theta[i] = discounted_bar * r - x_bar * drift - 0.5 * s_bar * v / root;
        rho[i] = x_bar * t - discounted_bar * t;
    }
}

#define CLOSED                                                                                                             \
    const double n1 = density(d1);                                                                                        \
    value[i] = S * N1 - discounted * N2;                                                                                   \
    delta[i] = N1;                                                                                                         \
    gamma[i] = n1 * inverse / S;                                                                                           \
    vega[i] = S * n1 * root;                                                                                               \
    theta[i] = -0.5 * S * n1 * v / root - r * discounted * N2;                                                             \
    rho[i] = t * discounted * N2;

void closed(size_t n, IN, OUT(value), OUT(delta), OUT(gamma), OUT(vega), OUT(theta), OUT(rho)) {
    for (size_t i = 0; i < n; i++) {
        FORWARD
        CLOSED
    }
}

void closed_second(size_t n, IN, OUT(value), OUT(delta), OUT(gamma), OUT(vega), OUT(theta), OUT(rho), OUT(vanna), OUT(volga)) {
    for (size_t i = 0; i < n; i++) {
        FORWARD
        CLOSED
        vanna[i] = -n1 * d2 / v;
        volga[i] = S * n1 * root * d1 * d2 / v;
    }
}
