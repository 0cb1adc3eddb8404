/* Arguments taken apart, and results put together.

   What takes arguments gives 1; 0 where they are something else; -1 where Python has raised */

static int
take_number(const Entry *self, PyObject *x, double *to)
{
    if (PyFloat_CheckExact(x) || (PyObject *)Py_TYPE(x) == self->float_type) {
        *to = PyFloat_AS_DOUBLE(x);
        return 1;
    }
    if (!PyLong_CheckExact(x)) {
        return 0;
    }
    *to = PyLong_AsDouble(x);
    if (*to == -1.0 && PyErr_Occurred()) {
        PyErr_Clear(); /* too large: Python says where */
        return 0;
    }
    return 1;
}

/* A view of a contiguous array of doubles, of these dimensions behind its first ones. */
static int
view_array(const Entry *self, PyObject *x, const Part *part, int leading, Py_buffer *view)
{
    if ((PyObject *)Py_TYPE(x) != self->array_type) {
        return 0;
    }
    if (PyObject_GetBuffer(x, view, PyBUF_C_CONTIGUOUS | PyBUF_FORMAT) < 0) {
        PyErr_Clear(); /* not contiguous */
        return 0;
    }
    int fits = view->format != NULL && strcmp(view->format, "d") == 0 && view->ndim == leading + (int)part->count;
    for (Py_ssize_t i = 0; fits && i < part->count; i++) {
        fits = view->shape[leading + i] == part->lengths[i];
    }
    if (!fits) {
        PyBuffer_Release(view);
    }
    return fits;
}

static int
take(const Entry *self, const Part *part, PyObject *x, double **to)
{
    switch (part->kind) {
    case NUMBER:
        return take_number(self, x, (*to)++);
    case ARRAY: {
        Py_buffer view;
        int found = view_array(self, x, part, 0, &view);
        if (found == 1) {
            memcpy(*to, view.buf, view.len);
            *to += part->numbers;
            PyBuffer_Release(&view);
        }
        return found;
    }
    case NUMBERS:
    case SEQUENCE: {
        int is_list = PyList_CheckExact(x);
        int is_tuple = PyTuple_CheckExact(x) || ((PyObject *)Py_TYPE(x) == part->own && PyTuple_Check(x));
        if ((!is_list && !is_tuple) || Py_SIZE(x) != part->count) {
            return 0;
        }
        for (Py_ssize_t i = 0; i < part->count; i++) {
            if (Py_SIZE(x) != part->count) { /* a key's __eq__ below has changed the list */
                return 0;
            }
            PyObject *item = is_list ? PyList_GET_ITEM(x, i) : PyTuple_GET_ITEM(x, i);
            int found;
            if (part->kind == NUMBERS) {
                found = take_number(self, item, (*to)++);
            }
            else {
                Py_INCREF(item);
                found = take(self, &part->parts[i], item, to);
                Py_DECREF(item);
            }
            if (found != 1) {
                return found;
            }
        }
        return 1;
    }
    case MAPPING:
        if (!PyDict_CheckExact(x) || PyDict_GET_SIZE(x) != part->count) {
            return 0;
        }
        for (Py_ssize_t i = 0; i < part->count; i++) {
            PyObject *item = PyDict_GetItemWithError(x, PyTuple_GET_ITEM(part->keys, i));
            if (item == NULL) {
                return PyErr_Occurred() ? -1 : 0;
            }
            Py_INCREF(item);
            int found = take(self, &part->parts[i], item, to);
            Py_DECREF(item);
            if (found != 1) {
                return found;
            }
        }
        return 1;
    }
    return 0;
}

/* --- results */

/* A new array; a view of its numbers, to be released. */
static PyObject *
new_array(const Entry *self, PyObject *shape, Py_buffer *view)
{
    PyObject *array = PyObject_CallOneArg(self->empty, shape);
    if (array == NULL || PyObject_GetBuffer(array, view, PyBUF_C_CONTIGUOUS | PyBUF_WRITABLE) < 0) {
        Py_XDECREF(array);
        return NULL;
    }
    return array;
}

/* What gives a number or an array of a result; `state` tells where it comes from. */
typedef PyObject *(*Giver)(const Entry *self, const Part *part, void *state);

/* A result: sequences and mappings of what the giver gives. */
static PyObject *
give(const Entry *self, const Part *part, Giver giver, void *state)
{
    static const Part number = {.kind = NUMBER, .numbers = 1};
    if (part->kind == NUMBER || part->kind == ARRAY) {
        return giver(self, part, state);
    }
    if (part->kind == MAPPING) {
        PyObject *dict = PyDict_New();
        for (Py_ssize_t i = 0; dict != NULL && i < part->count; i++) {
            PyObject *item = give(self, &part->parts[i], giver, state);
            if (item == NULL || PyDict_SetItem(dict, PyTuple_GET_ITEM(part->keys, i), item) < 0) {
                Py_CLEAR(dict);
            }
            Py_XDECREF(item);
        }
        return dict;
    }
    int is_tuple = part->make == (PyObject *)&PyTuple_Type;
    PyObject *items = is_tuple ? PyTuple_New(part->count) : PyList_New(part->count);
    for (Py_ssize_t i = 0; items != NULL && i < part->count; i++) {
        PyObject *item = part->kind == NUMBERS ? giver(self, &number, state) : give(self, &part->parts[i], giver, state);
        if (item == NULL) {
            Py_CLEAR(items);
        }
        else if (is_tuple) {
            PyTuple_SET_ITEM(items, i, item);
        }
        else {
            PyList_SET_ITEM(items, i, item);
        }
    }
    if (items == NULL || is_tuple || part->make == (PyObject *)&PyList_Type) {
        return items;
    }
    PyObject *made = PyObject_CallOneArg(part->make, items);
    Py_DECREF(items);
    return made;
}

/* The next of the numbers that `state` points to. */
static PyObject *
give_numbers(const Entry *self, const Part *part, void *state)
{
    const double **from = state;
    if (part->kind == NUMBER) {
        return PyFloat_FromDouble(*(*from)++);
    }
    Py_buffer view;
    PyObject *array = new_array(self, part->shape, &view);
    if (array != NULL) {
        memcpy(view.buf, *from, view.len);
        *from += part->numbers;
        PyBuffer_Release(&view);
    }
    return array;
}

/* Arrays for results at points. */
typedef struct {
    PyObject *shape;   /* of the points */
    double **to;       /* where the next array's address goes */
    Py_ssize_t output; /* the number of the next output */
} Arrays;

/* An array for the next number, or the next array, at all points: constants are in it already. */
static PyObject *
give_arrays(const Entry *self, const Part *part, void *state)
{
    Arrays *arrays = state;
    Py_buffer view;
    PyObject *shape = part->kind == ARRAY ? PySequence_Concat(arrays->shape, part->shape) : Py_NewRef(arrays->shape);
    PyObject *array = shape == NULL ? NULL : new_array(self, shape, &view);
    Py_XDECREF(shape);
    if (array != NULL) {
        double *numbers = view.buf;
        if (part->numbers == 1 && self->constant[arrays->output]) { /* beside others it is written by machine code */
            for (Py_ssize_t i = 0; i < view.shape[0]; i++) {
                numbers[i] = self->way[0].template_[arrays->output];
            }
        }
        if (part->numbers != 0) {
            *arrays->to++ = numbers;
        }
        arrays->output += part->numbers;
        PyBuffer_Release(&view); /* nobody else has the array yet: it stays where it is */
    }
    return array;
}
