/* What a function reads from outside, compared with what it was: `Environment.is_current` of environment.py. */

enum { ITEM, CELL, ATTRIBUTE, FUNCTION, LIST, DICT, BUFFER }; /* as in environment.py */

typedef struct {
    int kind;
    PyObject *owner, *name, *found; /* borrowed from a tuple of environment.py; */
    PyObject *only;                 /* the first object in `found`, or NULL: there was none */
} Watch;

static Watch
read_watch(PyObject *tuple)
{
    Watch watch = {(int)PyLong_AsLong(PyTuple_GET_ITEM(tuple, 0)), PyTuple_GET_ITEM(tuple, 1), PyTuple_GET_ITEM(tuple, 2),
                   PyTuple_GET_ITEM(tuple, 3), NULL};
    if (PyTuple_CheckExact(watch.found) && PyTuple_GET_SIZE(watch.found) > 0) {
        watch.only = PyTuple_GET_ITEM(watch.found, 0);
    }
    return watch;
}

/* A tuple of watches as an array, which PyMem_Free frees. */
static Watch *
read_watches(PyObject *watched)
{
    Watch *watch = PyMem_Malloc((PyTuple_GET_SIZE(watched) + 1) * sizeof(Watch));
    for (Py_ssize_t i = 0; watch != NULL && i < PyTuple_GET_SIZE(watched); i++) {
        watch[i] = read_watch(PyTuple_GET_ITEM(watched, i));
    }
    return watch == NULL ? (Watch *)PyErr_NoMemory() : watch;
}

static int
is_item(const Watch *watch)
{
    PyObject *now = PyDict_GetItemWithError(watch->owner, watch->name);
    return now == NULL && PyErr_Occurred() ? -1 : now == watch->only;
}

static int
is_attribute(const Watch *watch)
{
    PyObject *now = PyObject_GetAttr(watch->owner, watch->name);
    if (now == NULL) {
        PyErr_Clear();
    }
    Py_XDECREF(now);
    return now == watch->only;
}

static int
is_function(PyObject *owner, PyObject *found)
{
    PyObject *parts[] = {PyFunction_GET_CODE(owner), PyFunction_GET_DEFAULTS(owner), PyFunction_GET_KW_DEFAULTS(owner)};
    for (int i = 0; i < 3; i++) {
        if (PyTuple_GET_ITEM(found, i) != (parts[i] == NULL ? Py_None : parts[i])) {
            return 0;
        }
    }
    return 1;
}

static int
is_list(PyObject *owner, PyObject *found)
{
    const Py_ssize_t count = PyTuple_GET_SIZE(found);
    if (PyList_GET_SIZE(owner) != count) {
        return 0;
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        if (PyList_GET_ITEM(owner, i) != PyTuple_GET_ITEM(found, i)) {
            return 0;
        }
    }
    return 1;
}

static int
is_dict(PyObject *owner, PyObject *found)
{
    Py_ssize_t position = 0, i = 0;
    PyObject *key, *value;
    if (2 * PyDict_GET_SIZE(owner) != PyTuple_GET_SIZE(found)) {
        return 0;
    }
    for (; PyDict_Next(owner, &position, &key, &value); i += 2) {
        if (PyTuple_GET_ITEM(found, i) != key || PyTuple_GET_ITEM(found, i + 1) != value) {
            return 0;
        }
    }
    return 1;
}

static int
is_buffer(PyObject *owner, PyObject *found)
{
    Py_buffer view;
    if (PyObject_GetBuffer(owner, &view, PyBUF_ANY_CONTIGUOUS | PyBUF_FORMAT) < 0) {
        PyErr_Clear();
        return 0;
    }
    Py_ssize_t ndim = view.ndim, axes = ndim * (Py_ssize_t)sizeof(ndim), name = (Py_ssize_t)strlen(view.format);
    int result = PyBytes_GET_SIZE(found) == view.len + (Py_ssize_t)sizeof(ndim) + axes + name;
    if (result) { /* the bytes, the number of axes, their lengths, the format */
        const char *bytes = PyBytes_AS_STRING(found), *lengths = bytes + view.len + sizeof(ndim);
        result = memcmp(bytes + view.len, &ndim, sizeof(ndim)) == 0 && (ndim == 0 || memcmp(lengths, view.shape, (size_t)axes) == 0)
                 && memcmp(lengths + axes, view.format, (size_t)name) == 0 && memcmp(bytes, view.buf, (size_t)view.len) == 0;
    }
    PyBuffer_Release(&view);
    return result;
}

/* Whether a place is as it was found: 1 or 0; -1 with an error. */
static inline int
is_as_found(const Watch *watch)
{
    switch (watch->kind) {
    case ITEM:
        return is_item(watch);
    case CELL:
        return PyCell_GET(watch->owner) == watch->only;
    case ATTRIBUTE:
        return is_attribute(watch);
    case FUNCTION:
        return is_function(watch->owner, watch->found);
    case LIST:
        return is_list(watch->owner, watch->found);
    case DICT:
        return is_dict(watch->owner, watch->found);
    default:
        return is_buffer(watch->owner, watch->found);
    }
}

/* The same of many. */
static int
are_as_found(const Watch *watch, Py_ssize_t count)
{
    int result = 1;
    for (Py_ssize_t i = 0; result == 1 && i < count; i++) {
        result = is_as_found(&watch[i]);
    }
    return result;
}

PyDoc_STRVAR(is_current_doc, "is_current(watched, /)\n"
                             "--\n\n"
                             "Whether all is as it was found, in a tuple of watches of `environment.py`.");

static PyObject *
is_current_or_not(PyObject *Py_UNUSED(module), PyObject *watched)
{
    int result = 1;
    for (Py_ssize_t i = 0; result == 1 && i < PyTuple_GET_SIZE(watched); i++) {
        const Watch watch = read_watch(PyTuple_GET_ITEM(watched, i));
        result = is_as_found(&watch);
    }
    return result < 0 ? NULL : PyBool_FromLong(result);
}
