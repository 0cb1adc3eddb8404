/* The functions of monte_carlo.py without derivatives: the mean over paths of a discounted payoff. `asian` and `heston` go path
   by path; `asian_lanes` and `heston_lanes` take several paths at a time, in loops that gcc turns into vector code with
   -O3 -march=native -ffast-math -fopenmp-simd (exp and sqrt included). Normals are given path after path. */
#include <math.h>
#include <stddef.h>

enum { ASIAN = 8, HESTON = 16 }; /* lanes: what was found fastest */

static const double FLOOR = 1e-10; /* of the variance */

static double asian_sum(size_t paths, size_t steps, const double *parameters, const double *restrict normals) {
    const double spot = parameters[0], strike = parameters[1], rate = parameters[2], volatility = parameters[3];
    const double step = parameters[4] / steps, drift = (rate - 0.5 * volatility * volatility) * step;
    const double deviation = volatility * sqrt(step);
    double sum = 0.0;
    for (size_t i = 0; i < paths; i++) {
        double price = spot, total = 0.0;
        for (size_t j = 0; j < steps; j++) {
            price *= exp(drift + deviation * normals[i * steps + j]);
            total += price;
        }
        sum += fmax(total / steps - strike, 0.0);
    }
    return sum;
}

double asian(size_t paths, size_t steps, const double *parameters, const double *restrict normals) {
    return exp(-parameters[2] * parameters[4]) * asian_sum(paths, steps, parameters, normals) / paths;
}

double asian_lanes(size_t paths, size_t steps, const double *parameters, const double *restrict normals) {
    const double spot = parameters[0], strike = parameters[1], rate = parameters[2], volatility = parameters[3];
    const double step = parameters[4] / steps, drift = (rate - 0.5 * volatility * volatility) * step;
    const double deviation = volatility * sqrt(step);
    const size_t whole = paths - paths % ASIAN;
    double sums[ASIAN] = {0.0}, sum = 0.0;
    for (size_t i = 0; i < whole; i += ASIAN) {
        double prices[ASIAN], totals[ASIAN] = {0.0};
        const double *restrict block = normals + i * steps;
        for (int k = 0; k < ASIAN; k++) prices[k] = spot;
        for (size_t j = 0; j < steps; j++)
#pragma omp simd
            for (int k = 0; k < ASIAN; k++) {
                prices[k] *= exp(drift + deviation * block[k * steps + j]);
                totals[k] += prices[k];
            }
        for (int k = 0; k < ASIAN; k++) sums[k] += fmax(totals[k] / steps - strike, 0.0);
    }
    for (int k = 0; k < ASIAN; k++) sum += sums[k];
    sum += asian_sum(paths - whole, steps, parameters, normals + whole * steps);
    return exp(-rate * parameters[4]) * sum / paths;
}

static double heston_sum(size_t paths, size_t steps, double maturity, const double *parameters, const double *restrict first,
                         const double *restrict second) {
    const double spot = parameters[0], strike = parameters[1], rate = parameters[2], start = parameters[3];
    const double reversion = parameters[4], mean = parameters[5], deviation = parameters[6], correlation = parameters[7];
    const double step = maturity / steps, rest = sqrt(1.0 - correlation * correlation), logarithm = log(spot);
    double sum = 0.0;
    for (size_t i = 0; i < paths; i++) {
        double x = logarithm, variance = start;
        for (size_t j = 0; j < steps; j++) {
            const double z = first[i * steps + j], positive = fmax(variance, FLOOR), root = sqrt(positive * step);
            x += (rate - 0.5 * positive) * step + root * z;
            variance += reversion * (mean - positive) * step
                      + deviation * root * (correlation * z + rest * second[i * steps + j]);
        }
        sum += fmax(exp(x) - strike, 0.0);
    }
    return sum;
}

double heston(size_t paths, size_t steps, double maturity, const double *parameters, const double *restrict first,
              const double *restrict second) {
    return exp(-parameters[2] * maturity) * heston_sum(paths, steps, maturity, parameters, first, second) / paths;
}

double heston_lanes(size_t paths, size_t steps, double maturity, const double *parameters, const double *restrict first,
                    const double *restrict second) {
    const double spot = parameters[0], strike = parameters[1], rate = parameters[2], start = parameters[3];
    const double reversion = parameters[4], mean = parameters[5], deviation = parameters[6], correlation = parameters[7];
    const double step = maturity / steps, rest = sqrt(1.0 - correlation * correlation), logarithm = log(spot);
    const size_t whole = paths - paths % HESTON;
    double sums[HESTON] = {0.0}, sum = 0.0;
    for (size_t i = 0; i < whole; i += HESTON) {
        double x[HESTON], variance[HESTON];
        const double *restrict z1 = first + i * steps, *restrict z2 = second + i * steps;
        for (int k = 0; k < HESTON; k++) {
            x[k] = logarithm;
            variance[k] = start;
        }
        for (size_t j = 0; j < steps; j++)
#pragma omp simd
            for (int k = 0; k < HESTON; k++) {
                const double z = z1[k * steps + j], positive = fmax(variance[k], FLOOR), root = sqrt(positive * step);
                x[k] += (rate - 0.5 * positive) * step + root * z;
                variance[k] += reversion * (mean - positive) * step
                             + deviation * root * (correlation * z + rest * z2[k * steps + j]);
            }
        for (int k = 0; k < HESTON; k++) sums[k] += fmax(exp(x[k]) - strike, 0.0);
    }
    for (int k = 0; k < HESTON; k++) sum += sums[k];
    sum += heston_sum(paths - whole, steps, maturity, parameters, first + whole * steps, second + whole * steps);
    return exp(-rate * maturity) * sum / paths;
}
