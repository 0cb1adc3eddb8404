/* The class that compiled functions are instances of: a call goes to the direct ways first, then to Python's `_call`. */

typedef struct {
    PyObject_HEAD
    PyObject *entries; /* a tuple of callables that take the tuple of arguments */
} Front;

static PyObject *slow_name = NULL; /* "_call" */

static int
front_traverse(Front *self, visitproc visit, void *arg)
{
    Py_VISIT(self->entries);
    Py_VISIT(Py_TYPE(self));
    return 0;
}

static int
front_clear(Front *self)
{
    Py_CLEAR(self->entries);
    return 0;
}

static void
front_dealloc(Front *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    Py_CLEAR(self->entries);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyObject *
front_new(PyTypeObject *type, PyObject *Py_UNUSED(args), PyObject *Py_UNUSED(keywords))
{
    Front *self = (Front *)type->tp_alloc(type, 0);
    if (self != NULL && (self->entries = PyTuple_New(0)) == NULL) {
        Py_CLEAR(self);
    }
    return (PyObject *)self;
}

static PyObject *
front_call(Front *self, PyObject *args, PyObject *keywords)
{
    if (keywords == NULL || PyDict_GET_SIZE(keywords) == 0) {
        PyObject *entries = Py_XNewRef(self->entries), *result = Py_NewRef(Py_NotImplemented);
        for (Py_ssize_t i = 0; entries != NULL && result == Py_NotImplemented && i < PyTuple_GET_SIZE(entries); i++) {
            Py_DECREF(result);
            result = PyObject_CallOneArg(PyTuple_GET_ITEM(entries, i), args);
        }
        Py_XDECREF(entries);
        if (result != Py_NotImplemented) {
            return result;
        }
        Py_DECREF(result);
    }
    PyObject *given = keywords == NULL ? PyDict_New() : PyDict_Copy(keywords);
    PyObject *result = given == NULL ? NULL : PyObject_CallMethodObjArgs((PyObject *)self, slow_name, args, given, NULL);
    Py_XDECREF(given);
    return result;
}

static PyObject *
get_entries(Front *self, void *Py_UNUSED(closure))
{
    return self->entries == NULL ? PyTuple_New(0) : Py_NewRef(self->entries);
}

static int
set_entries(Front *self, PyObject *entries, void *Py_UNUSED(closure))
{
    if (entries == NULL || !PyTuple_CheckExact(entries)) {
        PyErr_SetString(PyExc_TypeError, "the direct ways are a tuple");
        return -1;
    }
    Py_XSETREF(self->entries, Py_NewRef(entries));
    return 0;
}

static PyGetSetDef front_attributes[] = {
    {"_entries", (getter)get_entries, (setter)set_entries, "The direct ways of calls, tried one after the other.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

PyDoc_STRVAR(front_doc, "Calls that go the direct ways in `_entries` first, then to `_call(arguments, keywords)`.");

static PyType_Slot front_slots[] = {
    {Py_tp_new, front_new},
    {Py_tp_dealloc, front_dealloc},
    {Py_tp_traverse, front_traverse},
    {Py_tp_clear, front_clear},
    {Py_tp_call, front_call},
    {Py_tp_getset, front_attributes},
    {Py_tp_doc, (void *)front_doc},
    {0, NULL},
};

static PyType_Spec front_specification = {
    "autograd_lite.compiler._entry.Front", sizeof(Front), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC, front_slots,
};
