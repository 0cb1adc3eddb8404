/* Structures of numbers, as `structures.py` has them. */

typedef enum { NUMBER, NUMBERS, SEQUENCE, MAPPING, ARRAY } Kind;

typedef struct Part {
    Kind kind;
    Py_ssize_t count;   /* of parts, or of dimensions, or of numbers side by side */
    struct Part *parts; /* of a sequence or mapping */
    PyObject *make;     /* of a sequence: list, tuple, or what makes one of a list */
    PyObject *own;      /* of a sequence: its class, or None: list or tuple */
    PyObject *keys;     /* of a mapping: a tuple */
    PyObject *shape;    /* of an array: a tuple */
    Py_ssize_t lengths[LONGEST_SHAPE];
    Py_ssize_t numbers; /* in all */
} Part;

static void
clear_part(Part *part)
{
    if (part->parts != NULL) {
        for (Py_ssize_t i = 0; i < part->count; i++) {
            clear_part(&part->parts[i]);
        }
        PyMem_Free(part->parts);
    }
    Py_CLEAR(part->make);
    Py_CLEAR(part->own);
    Py_CLEAR(part->keys);
    Py_CLEAR(part->shape);
}

/* Read a part from its description in Python: a tuple that begins with the number of its kind. */
static int
read_part(Part *part, PyObject *description)
{
    int kind;
    PyObject *first, *second, *own = Py_None;
    memset(part, 0, sizeof *part);
    if (!PyArg_ParseTuple(description, "iOO|O:part", &kind, &first, &second, &own)) {
        return -1;
    }
    part->kind = (Kind)kind;
    switch (part->kind) {
    case NUMBER:
        part->numbers = 1;
        return 0;
    case NUMBERS:
        part->make = Py_NewRef(first);
        part->own = Py_NewRef(own);
        part->count = part->numbers = PyLong_AsSsize_t(second);
        return PyErr_Occurred() ? -1 : 0;
    case ARRAY:
        part->shape = Py_NewRef(first);
        part->count = PyTuple_GET_SIZE(first);
        part->numbers = 1;
        if (part->count > LONGEST_SHAPE) {
            PyErr_SetString(PyExc_ValueError, "an array of too many dimensions");
            return -1;
        }
        for (Py_ssize_t i = 0; i < part->count; i++) {
            part->lengths[i] = PyLong_AsSsize_t(PyTuple_GET_ITEM(first, i));
            part->numbers *= part->lengths[i];
        }
        return PyErr_Occurred() ? -1 : 0;
    case SEQUENCE:
        part->make = Py_NewRef(first);
        part->own = Py_NewRef(own);
        break;
    case MAPPING:
        part->keys = Py_NewRef(first);
        break;
    }
    Py_ssize_t count = PyTuple_GET_SIZE(second);
    part->parts = PyMem_Calloc(count ? count : 1, sizeof(Part));
    if (part->parts == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    for (; part->count < count; part->count++) {
        Part *item = &part->parts[part->count];
        if (read_part(item, PyTuple_GET_ITEM(second, part->count)) < 0) {
            clear_part(item);
            return -1;
        }
        part->numbers += item->numbers;
    }
    return 0;
}
