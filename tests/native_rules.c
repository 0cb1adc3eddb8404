/* The functions of rules.h as a module for test_native_rules.py: numbers in, numbers out, and whether C failed. */
#define PY_SSIZE_T_CLEAN
#include "rules.h"

#define MAXIMUM 64

/* The operation's number and its arguments; -1 with an error set if they are none. */
static Py_ssize_t
numbers_of(PyObject *sequence, double *x)
{
    PyObject *items = PySequence_Fast(sequence, "numbers");
    if (items == NULL) {
        return -1;
    }
    Py_ssize_t n = PySequence_Fast_GET_SIZE(items);
    for (Py_ssize_t i = 0; i < n && i < MAXIMUM; i++) {
        x[i] = PyFloat_AsDouble(PySequence_Fast_GET_ITEM(items, i));
    }
    Py_DECREF(items);
    if (n > MAXIMUM) {
        PyErr_SetString(PyExc_ValueError, "too many numbers");
    }
    return PyErr_Occurred() ? -1 : n;
}

static PyObject *
value(PyObject *Py_UNUSED(module), PyObject *args)
{
    int op;
    PyObject *sequence;
    double x[MAXIMUM];
    if (!PyArg_ParseTuple(args, "iO", &op, &sequence)) {
        return NULL;
    }
    Py_ssize_t n = numbers_of(sequence, x);
    if (n < 0) {
        return NULL;
    }
    failed = 0;
    double result = value_of(op, x, n);
    return failed ? Py_NewRef(Py_None) : PyFloat_FromDouble(result);
}

/* The partials, None for those that were not written; None altogether where C has no rule, or failed. */
static PyObject *
partials(PyObject *Py_UNUSED(module), PyObject *args)
{
    int op;
    double r;
    PyObject *sequence;
    unsigned needed;
    double x[MAXIMUM], p[MAXIMUM];
    if (!PyArg_ParseTuple(args, "idOI", &op, &r, &sequence, &needed)) {
        return NULL;
    }
    Py_ssize_t n = numbers_of(sequence, x);
    if (n < 0) {
        return NULL;
    }
    const double untouched = 0x1.123456789abcdp-777;
    for (Py_ssize_t i = 0; i < n; i++) {
        p[i] = untouched;
    }
    failed = 0;
    if (!partials_of(op, r, x, n, needed, p) || failed) {
        return Py_NewRef(Py_None);
    }
    PyObject *result = PyList_New(n);
    for (Py_ssize_t i = 0; result != NULL && i < n; i++) {
        PyObject *item = p[i] == untouched ? Py_NewRef(Py_None) : PyFloat_FromDouble(p[i]);
        if (item == NULL) {
            Py_CLEAR(result);
            break;
        }
        PyList_SET_ITEM(result, i, item);
    }
    return result;
}

static PyObject *
rules(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(args))
{
    PyObject *result = PyList_New(0);
    for (int op = 0; result != NULL && op < OP_COUNT; op++) {
        const Rule *rule = &RULES[op];
        PyObject *item = Py_BuildValue(
            "sshh(ddd)iiII", rule->name, rule->doc, rule->arity, rule->optional, rule->defaults[0], rule->defaults[1],
            rule->defaults[2], rule->is_public, rule->is_paired, rule->selects, rule->carries
        );
        if (item == NULL || PyList_Append(result, item) < 0) {
            Py_CLEAR(result);
        }
        Py_XDECREF(item);
    }
    return result;
}

static PyMethodDef methods[] = {
    {"value", value, METH_VARARGS, "value(op, numbers)"},
    {"partials", partials, METH_VARARGS, "partials(op, r, numbers, needed)"},
    {"rules", rules, METH_NOARGS, "rules()"},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, .m_name = "native_rules", .m_size = -1, .m_methods = methods};

PyMODINIT_FUNC
PyInit_native_rules(void)
{
    return PyModule_Create(&definition);
}
