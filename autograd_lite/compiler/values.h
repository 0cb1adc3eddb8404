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
new_array(const Entry *self, const Part *part, Py_buffer *view)
{
    PyObject *array = PyObject_CallOneArg(self->empty, part->shape);
    if (array == NULL || PyObject_GetBuffer(array, view, PyBUF_C_CONTIGUOUS | PyBUF_WRITABLE) < 0) {
        Py_XDECREF(array);
        return NULL;
    }
    return array;
}

static PyObject *
give(const Entry *self, const Part *part, const double **from)
{
    switch (part->kind) {
    case NUMBER:
        return PyFloat_FromDouble(*(*from)++);
    case ARRAY: {
        Py_buffer view;
        PyObject *array = new_array(self, part, &view);
        if (array != NULL) {
            memcpy(view.buf, *from, view.len);
            *from += part->numbers;
            PyBuffer_Release(&view);
        }
        return array;
    }
    case NUMBERS:
    case SEQUENCE: {
        int is_tuple = part->make == (PyObject *)&PyTuple_Type;
        PyObject *items = is_tuple ? PyTuple_New(part->count) : PyList_New(part->count);
        for (Py_ssize_t i = 0; items != NULL && i < part->count; i++) {
            PyObject *item = part->kind == NUMBERS ? PyFloat_FromDouble(*(*from)++) : give(self, &part->parts[i], from);
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
    case MAPPING: {
        PyObject *dict = PyDict_New();
        for (Py_ssize_t i = 0; dict != NULL && i < part->count; i++) {
            PyObject *item = give(self, &part->parts[i], from);
            if (item == NULL || PyDict_SetItem(dict, PyTuple_GET_ITEM(part->keys, i), item) < 0) {
                Py_CLEAR(dict);
            }
            Py_XDECREF(item);
        }
        return dict;
    }
    }
    return NULL;
}

/* --- results at points */

/* Sequences and mappings of arrays for so many points; `to` is where the addresses of the arrays go, `output` the number of the
   next output. */
static PyObject *
give_arrays(const Entry *self, const Part *part, PyObject *shape, double ***to, Py_ssize_t *output)
{
    switch (part->kind) {
    case NUMBER:
    case ARRAY: {
        Py_buffer view;
        Part whole = {.shape = part->kind == ARRAY ? PySequence_Concat(shape, part->shape) : Py_NewRef(shape)};
        PyObject *array = whole.shape == NULL ? NULL : new_array(self, &whole, &view);
        Py_XDECREF(whole.shape);
        if (array != NULL) {
            double *numbers = view.buf;
            if (part->kind == NUMBER && self->constant[*output]) {
                for (Py_ssize_t i = 0; i < view.shape[0]; i++) {
                    numbers[i] = self->way[0].template_[*output];
                }
            }
            if (part->numbers != 0) {
                *(*to)++ = numbers;
            }
            *output += part->numbers;
            PyBuffer_Release(&view); /* nobody else has the array yet: it stays where it is */
        }
        return array;
    }
    case NUMBERS:
    case SEQUENCE: {
        static const Part number = {.kind = NUMBER, .numbers = 1};
        PyObject *items = PyList_New(part->count);
        for (Py_ssize_t i = 0; items != NULL && i < part->count; i++) {
            PyObject *item = give_arrays(self, part->kind == NUMBERS ? &number : &part->parts[i], shape, to, output);
            if (item == NULL) {
                Py_CLEAR(items);
            }
            else {
                PyList_SET_ITEM(items, i, item);
            }
        }
        if (items == NULL || part->make == (PyObject *)&PyList_Type) {
            return items;
        }
        PyObject *made = PyObject_CallOneArg(part->make, items);
        Py_DECREF(items);
        return made;
    }
    case MAPPING: {
        PyObject *dict = PyDict_New();
        for (Py_ssize_t i = 0; dict != NULL && i < part->count; i++) {
            PyObject *item = give_arrays(self, &part->parts[i], shape, to, output);
            if (item == NULL || PyDict_SetItem(dict, PyTuple_GET_ITEM(part->keys, i), item) < 0) {
                Py_CLEAR(dict);
            }
            Py_XDECREF(item);
        }
        return dict;
    }
    }
    return NULL;
}
