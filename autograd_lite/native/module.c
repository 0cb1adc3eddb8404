/* The compiled twin of engine.py: the same Value, with the same bits and errors. What is rarely called stays in Python, and
   native/__init__.py joins the two. */

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <structmember.h>

#include <fenv.h>
#include <math.h>
#ifdef _MSC_VER
#include <malloc.h>
#endif
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#ifdef Py_GIL_DISABLED
#error "the native engine relies on the global interpreter lock; free-threaded builds run the engine in Python"
#endif

#include "rules.h"

#include "node.h"
#include "operations.h"
#include "record.h"
#include "sweep.h"
#include "attributes.h"

static Py_hash_t
value_hash(PyObject *self)
{
    uintptr_t address = (uintptr_t)self; /* by identity; the lowest bits are always 0 */
    Py_hash_t hash = (Py_hash_t)(address >> 4 | address << (8 * sizeof(address) - 4));
    return hash == -1 ? -2 : hash;
}

static PyMethodDef value_methods[] = {
    {"backward", (PyCFunction)(void (*)(void))value_backward, METH_FASTCALL | METH_KEYWORDS, NULL},
    {"__record__", (PyCFunction)(void (*)(void))value_record, METH_FASTCALL | METH_STATIC, NULL},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot value_slots[] = {
    {Py_tp_doc, "Value(data, label=None)\n--\n\n"}, /* the signature; native/__init__.py gives it the reference's docstring */
    {Py_tp_new, value_new},
    {Py_tp_init, value_init},
    {Py_tp_dealloc, value_dealloc},
    {Py_tp_traverse, value_traverse},
    {Py_tp_clear, value_clear},
    {Py_tp_is_gc, value_is_gc},
    {Py_tp_hash, value_hash},
    {Py_tp_richcompare, value_richcompare},
    {Py_tp_methods, value_methods},
    {Py_tp_getset, value_getset},
    {Py_nb_add, operator_add},
    {Py_nb_subtract, operator_subtract},
    {Py_nb_multiply, operator_multiply},
    {Py_nb_true_divide, operator_divide},
    {Py_nb_floor_divide, operator_floor_divide},
    {Py_nb_remainder, operator_mod},
    {Py_nb_power, operator_pow},
    {Py_nb_negative, operator_negative},
    {Py_nb_positive, operator_positive},
    {Py_nb_absolute, operator_absolute},
    {Py_nb_bool, value_bool},
    {0, NULL},
};

static PyType_Spec value_spec = {
    .name = "autograd_lite.engine.Value",
    .basicsize = sizeof(Value),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC, /* which value_is_gc denies for most nodes */
    .slots = value_slots,
};

static PyObject *
attribute_of_module(const char *module_name, const char *name)
{
    PyObject *module = PyImport_ImportModule(module_name);
    PyObject *attribute = module ? PyObject_GetAttrString(module, name) : NULL;
    Py_XDECREF(module);
    return attribute;
}

/* Fetch what C code calls in Python, before the names in those modules are bound to what is here. */
static int
fetch_package(void)
{
    const struct {
        PyObject **place;
        const char *module, *name;
    } fetched[] = {
        {&package.active_modes, "autograd_lite.modes", "active_modes"},
        {&package.real_number, "autograd_lite.primitive", "real_number"},
        {&package.slow_call, "autograd_lite.primitive", "Primitive"},
        {&package.called_as_method, "autograd_lite.ufuncs", "called_as_method"},
        {&package.table, "autograd_lite.primitives", "TABLE"},
        {&package.numbers_of, "autograd_lite.sweep", "numbers_of"},
        {&package.slow_pull, "autograd_lite.sweep", "pull_numbers"},
        {&package.slow_order, "autograd_lite.sweep", "topological_order"},
        {&package.observed, "autograd_lite.engine", "_observed"},
        {&package.made, "autograd_lite.engine", "_made"},
        {&package.asked, "autograd_lite.engine", "_asked"},
        {&package.in_place_of, "autograd_lite.modes", "in_place_of"},
        {&package.compared, "autograd_lite.engine", "_compared"},
        {&package.assigned, "autograd_lite.engine", "_Assigned"},
        {&package.slow_backward, "autograd_lite.engine", "Value"},
        {&package.empty_note, "autograd_lite.engine", "Note"},
        {&package.real, "numbers", "Real"},
        {&package.number, "numbers", "Number"},
    };
    for (size_t i = 0; i < sizeof(fetched) / sizeof(*fetched); i++) {
        PyObject *attribute = attribute_of_module(fetched[i].module, fetched[i].name);
        if (attribute == NULL) {
            return -1;
        }
        *fetched[i].place = attribute;
    }
    if (!PyList_CheckExact(package.active_modes) || !PyType_Check(package.slow_call)) {
        PyErr_SetString(PyExc_ImportError, "modes.active_modes is a list and primitive.Primitive a class");
        return -1;
    }
    package.result_class = PyUnicode_InternFromString("_result_class");
    PyTypeObject *primitive_type = (PyTypeObject *)package.slow_call;
    PyObject *call = PyObject_GetAttrString((PyObject *)primitive_type, "__call__");
    PyObject *backward = PyObject_GetAttrString(package.slow_backward, "backward");
    PyObject *note = PyObject_CallNoArgs(package.empty_note);
    if (package.result_class == NULL || call == NULL || backward == NULL || note == NULL) {
        return -1;
    }
    Py_SETREF(package.slow_call, call);
    Py_SETREF(package.slow_backward, backward);
    Py_SETREF(package.empty_note, note);
    if (enter_table() < 0) {
        return -1;
    }
    /* Calls of primitives come here first; `Primitive.__call__`, looked up by name, is still the function in Python. */
    primitive_type->tp_call = primitive_call;
    PyType_Modified(primitive_type);
    return 0;
}

static PyObject *document(PyObject *, PyObject *const *, Py_ssize_t);

static PyMethodDef module_methods[] = {
    {"document", (PyCFunction)(void (*)(void))document, METH_FASTCALL, NULL},
    {"topological_order", (PyCFunction)(void (*)(void))order_list, METH_VARARGS | METH_KEYWORDS, NULL},
    {"pull_numbers", (PyCFunction)(void (*)(void))pull_numbers, METH_FASTCALL, NULL},
    {"has_leaf", (PyCFunction)(void (*)(void))has_leaf, METH_FASTCALL, NULL},
    {"make_node", (PyCFunction)(void (*)(void))make_node, METH_FASTCALL, NULL},
    {"share_notes", (PyCFunction)(void (*)(void))share_notes, METH_FASTCALL, NULL},
    {"blank", (PyCFunction)(void (*)(void))blank, METH_FASTCALL, NULL},
    {"at_collection", (PyCFunction)(void (*)(void))at_collection, METH_FASTCALL, NULL},
    {NULL, NULL, 0, NULL},
};

/* Be called when the cyclic collector starts and stops. */
static int
watch_collector(PyObject *module)
{
    PyObject *callbacks = attribute_of_module("gc", "callbacks"), *function = NULL;
    int status = -1;
    if (callbacks != NULL && PyList_Check(callbacks)) {
        function = PyObject_GetAttrString(module, "at_collection");
        status = function ? PyList_Append(callbacks, function) : -1;
    }
    Py_XDECREF(callbacks);
    Py_XDECREF(function);
    return status;
}

/* document(name, text): the docstring of a function here, a method or an attribute of Value, as its twin in Python has it. CPython
   reads it from these arrays whenever it is asked for, so the text stays. */
static PyObject *
document(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t nargs)
{
    const char *name = nargs == 2 ? PyUnicode_AsUTF8(args[0]) : NULL;
    const char *text = name ? PyUnicode_AsUTF8(args[1]) : NULL;
    if (text == NULL) {
        return PyErr_Occurred() ? NULL : PyErr_Format(PyExc_TypeError, "document takes a name and a text");
    }
    const char **place = NULL;
    PyMethodDef *methods[] = {value_methods, module_methods};
    for (int i = 0; i < 2; i++) {
        for (PyMethodDef *method = methods[i]; method->ml_name != NULL; method++) {
            place = strcmp(method->ml_name, name) == 0 ? &method->ml_doc : place;
        }
    }
    for (PyGetSetDef *attribute = value_getset; attribute->name != NULL; attribute++) {
        place = strcmp(attribute->name, name) == 0 ? &attribute->doc : place;
    }
    if (place == NULL) {
        return PyErr_Format(PyExc_AttributeError, "there is nothing of the name %s to document", name);
    }
    Py_INCREF(args[1]);
    *place = text;
    Py_RETURN_NONE;
}

static int
module_exec(PyObject *module)
{
    if (ValueType != NULL) {
        PyErr_SetString(PyExc_ImportError, "the native engine loads once a process");
        return -1;
    }
    PyObject *method_type = PyType_FromSpec(&method_spec);
    int status = method_type ? PyModule_AddObjectRef(module, "Method", method_type) : -1;
    Py_XDECREF(method_type);
    PyObject *type = status == 0 ? PyType_FromSpec(&value_spec) : NULL;
    if (type == NULL) {
        return -1;
    }
    ((PyTypeObject *)type)->tp_vectorcall = value_vectorcall;
    ((PyTypeObject *)type)->tp_name = "Value"; /* as a class made in Python has it, for the messages of CPython's own errors */
    ValueType = (PyTypeObject *)type;
    PyObject *source = PyLong_FromUnsignedLong(RULES_SOURCE);
    status = source ? PyModule_AddObjectRef(module, "rules_source", source) : -1;
    Py_XDECREF(source);
    if (status < 0 || PyModule_AddIntConstant(module, "sources", SOURCES) < 0 || fetch_package() < 0 || watch_collector(module) < 0
        || PyModule_AddObjectRef(module, "Value", type) < 0) {
        ValueType = NULL;
        return -1;
    }
    return 0;
}

static PyModuleDef_Slot module_slots[] = {
    {Py_mod_exec, module_exec},
#if PY_VERSION_HEX >= 0x030C0000
    {Py_mod_multiple_interpreters, Py_MOD_MULTIPLE_INTERPRETERS_NOT_SUPPORTED},
#endif
    {0, NULL},
};

static struct PyModuleDef module_definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "autograd_lite.native._native",
    .m_doc = "The compiled twin of autograd_lite.engine.",
    .m_size = 0,
    .m_methods = module_methods,
    .m_slots = module_slots,
};

PyMODINIT_FUNC
PyInit__native(void)
{
    return PyModuleDef_Init(&module_definition);
}
