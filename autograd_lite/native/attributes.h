/* Value as Python sees it: constructor and attributes. */

/* A real number from Python: floats at once, anything else by primitive.real_number, which words the errors. */
static int
as_number(PyObject *x, const char *role, double *number)
{
    if (PyFloat_CheckExact(x)) {
        *number = PyFloat_AS_DOUBLE(x);
        return 0;
    }
    PyObject *result = PyObject_CallFunction(package.real_number, "Os", x, role);
    if (result == NULL) {
        return -1;
    }
    *number = PyFloat_AsDouble(result);
    Py_DECREF(result);
    return *number == -1.0 && PyErr_Occurred() ? -1 : 0;
}

static int
check_deletion(PyObject *x, const char *name)
{
    if (x == NULL) {
        PyErr_Format(PyExc_AttributeError, "%s of a Value cannot be deleted", name);
        return -1;
    }
    return 0;
}

/* While a sweep goes through a graph, a rule in Python must not take it apart. */
static int
check_no_sweep(Value *self)
{
    if (is_sweeping && self->first != NULL) {
        PyErr_SetString(PyExc_RuntimeError, "the arguments of a node cannot change while a sweep is under way");
        return -1;
    }
    return 0;
}

/* Have the modes told of a node: by _made(node), or by _asked(node, what). */
static int
told(PyObject *function, PyObject *node, const char *what)
{
    if (PyList_GET_SIZE(package.active_modes) == 0) {
        return 0;
    }
    PyObject *result = PyObject_CallFunction(function, what ? "Os" : "O", node, what);
    Py_XDECREF(result);
    return result == NULL ? -1 : 0;
}

static int
fill(Value *self, PyObject *data, PyObject *label)
{
    if (as_number(data, "Value", &self->data) < 0) {
        return -1;
    }
    if (label != NULL && label != Py_None && PyObject_SetAttrString((PyObject *)self, "label", label) < 0) {
        return -1;
    }
    return told(package.made, (PyObject *)self, NULL);
}

static int
value_init(PyObject *self, PyObject *args, PyObject *keywords)
{
    static char *names[] = {"data", "label", NULL};
    PyObject *data, *label = NULL;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "O|O:Value", names, &data, &label)) {
        return -1;
    }
    double number;
    if (as_number(data, "Value", &number) < 0 || check_no_sweep(AS_VALUE(self)) < 0) {
        return -1;
    }
    Value *waiting = NULL;
    release_contents(AS_VALUE(self), &waiting); /* a second __init__ makes a leaf of it */
    free_waiting(waiting);
    AS_VALUE(self)->op = 0;
    AS_VALUE(self)->grad = 0.0;
    AS_VALUE(self)->flags &= ~(uint32_t)(ASSIGNED | REACHED);
    return fill(AS_VALUE(self), data, label);
}

static PyObject *
value_new(PyTypeObject *type, PyObject *Py_UNUSED(args), PyObject *Py_UNUSED(keywords))
{
    if (type != ValueType) {
        return (PyObject *)new_instance(type, 0);
    }
    Value *node = new_node();
    if (node != NULL) {
        node->data = 0.0;
        node->op = 0;
        node->first = NULL;
    }
    return (PyObject *)node;
}

/* blank(type, args), as engine._blank. */
static PyObject *
blank(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t nargs)
{
    if (nargs != 2 || !PyType_Check(args[0]) || !PyType_IsSubtype((PyTypeObject *)args[0], ValueType) || !PyTuple_Check(args[1])) {
        PyErr_SetString(PyExc_TypeError, "blank takes a class of Values and a tuple of arguments");
        return NULL;
    }
    PyTypeObject *type = (PyTypeObject *)args[0];
    int is_above = 0;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(args[1]); i++) {
        PyObject *x = PyTuple_GET_ITEM(args[1], i);
        is_above |= IS_VALUE(x) && can_be_in_cycle(x);
    }
    return (PyObject *)new_result(type, 0, 0.0, is_above);
}

/* Value(data) and Value(data, label) without the detour over a tuple. */
static PyObject *
value_vectorcall(PyObject *type, PyObject *const *args, size_t nargsf, PyObject *keywords)
{
    Py_ssize_t nargs = PyVectorcall_NARGS(nargsf);
    PyObject *self = value_new((PyTypeObject *)type, NULL, NULL);
    if (self == NULL) {
        return NULL;
    }
    int status;
    if (keywords == NULL && (nargs == 1 || nargs == 2)) {
        status = fill(AS_VALUE(self), args[0], nargs == 2 ? args[1] : NULL);
    }
    else {
        PyObject *positional = PyTuple_New(nargs), *named = PyDict_New();
        status = positional == NULL || named == NULL ? -1 : 0;
        for (Py_ssize_t i = 0; status == 0 && i < nargs; i++) {
            PyTuple_SET_ITEM(positional, i, Py_NewRef(args[i]));
        }
        for (Py_ssize_t i = 0; status == 0 && keywords != NULL && i < PyTuple_GET_SIZE(keywords); i++) {
            status = PyDict_SetItem(named, PyTuple_GET_ITEM(keywords, i), args[nargs + i]);
        }
        if (status == 0) {
            status = value_init(self, positional, named);
        }
        Py_XDECREF(positional);
        Py_XDECREF(named);
    }
    if (status < 0) {
        Py_CLEAR(self);
    }
    return self;
}

/* --- data, grad, op, args */

static PyObject *
get_data(PyObject *self, void *Py_UNUSED(closure))
{
    return told(package.asked, self, "data") < 0 ? NULL : PyFloat_FromDouble(AS_VALUE(self)->data);
}

static int
set_data(PyObject *self, PyObject *x, void *Py_UNUSED(closure))
{
    double number;
    if (check_deletion(x, "data") < 0 || told(package.asked, self, "data = ") < 0 || as_number(x, "data", &number) < 0) {
        return -1;
    }
    AS_VALUE(self)->data = number;
    AS_VALUE(self)->flags |= ASSIGNED;
    return 0;
}

static PyObject *
get_grad(PyObject *self, void *Py_UNUSED(closure))
{
    return told(package.asked, self, "grad") < 0 ? NULL : PyFloat_FromDouble(AS_VALUE(self)->grad);
}

static int
set_grad(PyObject *self, PyObject *x, void *Py_UNUSED(closure))
{
    return check_deletion(x, "grad") < 0 ? -1 : as_number(x, "grad", &AS_VALUE(self)->grad);
}

static PyObject *
get_op(PyObject *self, void *Py_UNUSED(closure))
{
    uint32_t op = AS_VALUE(self)->op;
    return Py_NewRef(op == 0 ? Py_None : operations[op].primitive);
}

static int
set_op(PyObject *self, PyObject *primitive, void *Py_UNUSED(closure))
{
    if (check_deletion(primitive, "op") < 0) {
        return -1;
    }
    uint32_t op = primitive == Py_None ? 0 : operation_of(primitive);
    if (op == 0 && primitive != Py_None) {
        return -1;
    }
    AS_VALUE(self)->op = op;
    return 0;
}

static PyObject *
get_args(PyObject *self, void *Py_UNUSED(closure))
{
    PyObject *first = AS_VALUE(self)->first, *second = AS_VALUE(self)->second;
    if (first == NULL) {
        return PyTuple_New(0);
    }
    if (PyTuple_CheckExact(first)) {
        if (AS_VALUE(self)->flags < PLACE) {
            return Py_NewRef(first);
        }
        /* A copy, for the collector looks at the tuple together with the node, which may die earlier than what is given away. */
        PyObject *list = PySequence_List(first), *copy = list ? PyList_AsTuple(list) : NULL;
        Py_XDECREF(list);
        return copy;
    }
    return second == NULL ? PyTuple_Pack(1, first) : PyTuple_Pack(2, first, second);
}

/* --- the slots of the reference, as sweep.py and engine.py read and write them */

static PyObject *
get_number(PyObject *self, void *Py_UNUSED(closure))
{
    if (AS_VALUE(self)->flags & ASSIGNED) {
        return PyObject_CallFunction(package.assigned, "d", AS_VALUE(self)->data);
    }
    return PyFloat_FromDouble(AS_VALUE(self)->data);
}

static int
set_number(PyObject *self, PyObject *x, void *Py_UNUSED(closure))
{
    if (check_deletion(x, "_number") < 0) {
        return -1;
    }
    double number = PyFloat_AsDouble(x);
    if (number == -1.0 && PyErr_Occurred()) {
        return -1;
    }
    AS_VALUE(self)->data = number;
    AS_VALUE(self)->flags &= ~(uint32_t)(ASSIGNED | REACHED);
    AS_VALUE(self)->flags |= (PyObject *)Py_TYPE(x) == package.assigned ? ASSIGNED : 0;
    return 0;
}

static PyObject *
get_sum(PyObject *self, void *Py_UNUSED(closure))
{
    return PyFloat_FromDouble(AS_VALUE(self)->grad);
}

static PyObject *
get_argument(PyObject *self, void *offset)
{
    PyObject *argument = *(PyObject **)((char *)self + (size_t)offset);
    return Py_NewRef(argument == NULL ? Py_None : argument);
}

static int
is_argument(PyObject *x)
{
    return PyFloat_CheckExact(x) || IS_VALUE(x);
}

static int
set_argument(PyObject *self, PyObject *x, void *offset)
{
    if (check_deletion(x, "an argument") < 0) {
        return -1;
    }
    int fits = x == Py_None || is_argument(x) || (PyTuple_CheckExact(x) && (size_t)offset == offsetof(Value, first));
    for (Py_ssize_t i = 0; fits && PyTuple_CheckExact(x) && i < PyTuple_GET_SIZE(x); i++) {
        fits = is_argument(PyTuple_GET_ITEM(x, i));
    }
    if (!fits) {
        PyErr_Format(PyExc_TypeError, "an argument of a node is a Value or a float, not %R", x);
        return -1;
    }
    if (check_no_sweep(AS_VALUE(self)) < 0) {
        return -1;
    }
    PyObject **place = (PyObject **)((char *)self + (size_t)offset), *old = *place;
    *place = x == Py_None ? NULL : Py_NewRef(x);
    Py_XDECREF(old);
    return 0;
}

static PyObject *
get_note(PyObject *self, void *Py_UNUSED(closure))
{
    return Py_NewRef(AS_VALUE(self)->note != NULL ? AS_VALUE(self)->note : package.empty_note);
}

static int
set_note(PyObject *self, PyObject *note, void *Py_UNUSED(closure))
{
    if (check_deletion(note, "the note") < 0) {
        return -1;
    }
    if (!PyObject_TypeCheck(note, Py_TYPE(package.empty_note))) {
        PyErr_Format(PyExc_TypeError, "the note of a node is a Note, not %R", note);
        return -1;
    }
    PyObject *old = AS_VALUE(self)->note;
    AS_VALUE(self)->note = Py_NewRef(note);
    Py_XDECREF(old);
    return 0;
}

static PyGetSetDef value_getset[] = {
    {"data", get_data, set_data, NULL, NULL},
    {"grad", get_grad, set_grad, NULL, NULL},
    {"op", get_op, set_op, NULL, NULL},
    {"args", get_args, NULL, NULL, NULL},
    {"_number", get_number, set_number, NULL, NULL},
    {"_grad", get_sum, set_grad, NULL, NULL},
    {"_first", get_argument, set_argument, NULL, (void *)offsetof(Value, first)},
    {"_second", get_argument, set_argument, NULL, (void *)offsetof(Value, second)},
    {"_note", get_note, set_note, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

/* share_notes(nodes, notes), as in engine.py. */
static PyObject *
share_notes(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t nargs)
{
    if (nargs != 2 || !PyList_Check(args[0]) || !PyList_Check(args[1])) {
        PyErr_SetString(PyExc_TypeError, "share_notes takes a list of nodes and a list of notes");
        return NULL;
    }
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(args[0]) && i < PyList_GET_SIZE(args[1]); i++) {
        PyObject *made = PyList_GET_ITEM(args[0], i), *note = PyList_GET_ITEM(args[1], i);
        if (!IS_VALUE(made) || !PyObject_TypeCheck(note, Py_TYPE(package.empty_note))) {
            continue;
        }
        PyObject *pair[] = {made, AS_VALUE(made)->first};
        for (int k = 0; k < 2; k++) {
            if (pair[k] != NULL && IS_VALUE(pair[k]) && AS_VALUE(pair[k])->op != 0 && AS_VALUE(pair[k])->note == NULL) {
                AS_VALUE(pair[k])->note = Py_NewRef(note);
            }
        }
    }
    Py_RETURN_NONE;
}
