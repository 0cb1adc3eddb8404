/* Float functions that are neither plain libm nor translated from Python: Python's own arithmetic, bit for bit.

   Where Python raises, `failed` is set: the caller then repeats the operation in Python, which raises the proper error.
   The functions that call Python's own need the interpreter's lock. */
#ifndef AUTOGRAD_LITE_FLOATS_H
#define AUTOGRAD_LITE_FLOATS_H

#include <Python.h>

#include <math.h>
#include <stddef.h>

#if defined(__GNUC__)
#define AG_UNUSED __attribute__((unused))
#define AG_NOINLINE __attribute__((noinline))
#define AG_ALLOCATE(bytes) __builtin_alloca(bytes)
#elif defined(_MSC_VER)
#include <malloc.h>
#define AG_UNUSED
#define AG_NOINLINE __declspec(noinline)
#define AG_ALLOCATE(bytes) _alloca(bytes)
#else
#include <alloca.h>
#define AG_UNUSED
#define AG_NOINLINE
#define AG_ALLOCATE(bytes) alloca(bytes)
#endif

static int failed;

/* Compilers replace pow(x, 2.0) and pow(2.0, x), whose bits are others than those of libm's pow: they must not see it. */
static double (*volatile ag_pow)(double, double) = pow;

/* Python's max and min: the first of equal ones, and of what cannot be compared. */
static inline double ag_max(double x, double y) { return y > x ? y : x; }
static inline double ag_min(double x, double y) { return y < x ? y : x; }
static inline ptrdiff_t ag_int_max(ptrdiff_t x, ptrdiff_t y) { return y > x ? y : x; }
static inline ptrdiff_t ag_int_min(ptrdiff_t x, ptrdiff_t y) { return y < x ? y : x; }

/* Python's // and % of integers, which round down. */
static inline ptrdiff_t ag_int_mod(ptrdiff_t x, ptrdiff_t y) {
    ptrdiff_t remainder = x % y;
    return remainder != 0 && (remainder < 0) != (y < 0) ? remainder + y : remainder;
}
static inline ptrdiff_t ag_int_floor_divide(ptrdiff_t x, ptrdiff_t y) { return (x - ag_int_mod(x, y)) / y; }

/* The mantissa, 0.5 <= |m| < 1, and the exponent of a finite x = m * 2^exponent. */
static inline double ag_frexp(double x, ptrdiff_t *exponent) {
    int power_of_two;
    double mantissa = frexp(x, &power_of_two);
    *exponent = power_of_two;
    return mantissa;
}

/* x ** y; fails where that is complex. */
static inline double ag_power(double x, double y) {
    double result = ag_pow(x, y);
    if (result != result && x == x && y == y) {
        failed = 1;
    }
    return result;
}

/* The remainder with the sign of the divisor. */
static inline double ag_mod(double x, double y) {
    double remainder = fmod(x, y);
    if (remainder == 0.0) {
        return copysign(0.0, y);
    }
    return (y < 0.0) != (remainder < 0.0) ? remainder + y : remainder;
}

/* The floor of the quotient; what is left when the remainder is taken off is all but a multiple of the divisor. */
static AG_UNUSED double ag_floor_divide(double x, double y) {
    if (y == 0.0) {
        return x / y;
    }
    double remainder = fmod(x, y);
    double quotient = (x - remainder) / y;
    if (remainder != 0.0 && (y < 0.0) != (remainder < 0.0)) {
        quotient -= 1.0;
    }
    if (quotient == 0.0) {
        return copysign(0.0, x / y);
    }
    double below = floor(quotient);
    return quotient - below > 0.5 ? below + 1.0 : below;
}

/* A result of Python's as a double, its reference given back; fails if there is none. */
static double ag_float_of(PyObject *number) {
    if (number == NULL) {
        PyErr_Clear();
        failed = 1;
        return NAN;
    }
    double result = PyFloat_AsDouble(number);
    Py_DECREF(number);
    return result;
}

/* sqrt(x*x + y*y) by math.hypot, which is no libm function. */
static AG_UNUSED double ag_hypot(double x, double y) {
    static PyObject *hypot_function;
    if (hypot_function == NULL) {
        PyObject *module = PyImport_ImportModule("math");
        hypot_function = module == NULL ? NULL : PyObject_GetAttrString(module, "hypot");
        Py_XDECREF(module);
        if (hypot_function == NULL) {
            return ag_float_of(NULL);
        }
    }
    return ag_float_of(PyObject_CallFunction(hypot_function, "dd", x, y));
}

/* x rounded to a number of decimals by float.__round__; nan unless that is a whole number. */
static AG_UNUSED double ag_around(double x, double decimals) {
    if (ag_mod(decimals, 1.0) != 0.0) {
        return NAN;
    }
    if (!isfinite(x)) {
        return x;
    }
    PyObject *number = PyFloat_FromDouble(x);
    PyObject *digits = PyLong_FromDouble(decimals);
    PyObject *result = number == NULL || digits == NULL ? NULL : PyObject_CallMethod(number, "__round__", "O", digits);
    Py_XDECREF(number);
    Py_XDECREF(digits);
    if (result == NULL && PyErr_ExceptionMatches(PyExc_OverflowError)) {
        PyErr_Clear();
        return copysign(INFINITY, x);
    }
    return ag_float_of(result);
}

#endif
