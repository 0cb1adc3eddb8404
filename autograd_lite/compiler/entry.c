/* The direct way into machine code: a call with plain arguments, taken apart and put together without Python's help.

   An Entry knows the structure of the arguments and of the result. A call on numbers runs the machine code of one path after
   the other until a point is on one. A call on arrays with a row for each point runs that of one path: into new arrays, or, where
   results are added up, in the parts and in the order that `Path.sums` has. Whatever is not plain, not on these paths or in doubt
   is left to Python: NotImplemented. */

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdint.h>
#include <string.h>

#define VERSION 3      /* what `entry.py` and this file agree on */
#define ON_STACK 256   /* so many numbers need no memory of their own */
#define IN_DOUBT 2     /* a flag of machine code's result: the careful code must decide */
#define LONGEST_SHAPE 8
#define MOST_VAIN 3    /* such calls; then they are left to Python for good */

typedef int64_t (*Code)(const double *shared, double *const *arrays, void *outputs, uint8_t *held, int64_t first, int64_t last);

#include "environment.h"
#include "memory.h"
#include "structure.h"

/* --- the type */

typedef struct {
    Code fast;         /* or exact */
    Code careful;      /* or NULL: not made yet */
    double *template_; /* the outputs that are constants, in their places */
} Way;

typedef struct {
    PyObject_HEAD
    Py_ssize_t arguments;
    Part *parts;          /* an argument each */
    char *has_points;     /* of each argument: whether it is an array with a leading axis of points */
    Part result;
    Py_ssize_t ways;
    Way *way;             /* the path recorded last first */
    Py_ssize_t outputs, shared, columns;
    Py_ssize_t variables; /* outputs that are not constants, */
    Py_ssize_t *variable; /* and their places */
    Py_ssize_t arrays;    /* that results at points go into */
    char *constant;       /* of each output: whether it is one */
    int width, reduce, mean, release;
    int vain;             /* so many calls in a row have run machine code in vain, as not all points were on the path */
    Py_ssize_t most, parts_of_sums; /* points that are not worth a thread; parts that sums are made in at most */
    PyObject *array_type, *float_type, *empty, *owners;
    PyObject *watched;    /* what the function read from outside: a tuple, */
    Py_ssize_t watches;   /* and the same as structures */
    Watch *watch;
    PyObject *modes;      /* a list: Python looks at calls while there are any */
} Entry;

/* What is watched may refer to whoever keeps the compiled function: the cyclic collector has to know. */
static int
traverse(Entry *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(self->watched);
    return 0;
}

static int
clear(Entry *self)
{
    self->watches = 0;
    Py_CLEAR(self->watched);
    return 0;
}

static void
dealloc(Entry *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    for (Py_ssize_t i = 0; self->parts != NULL && i < self->arguments; i++) {
        clear_part(&self->parts[i]);
    }
    for (Py_ssize_t i = 0; self->way != NULL && i < self->ways; i++) {
        PyMem_Free(self->way[i].template_);
    }
    clear_part(&self->result);
    PyMem_Free(self->watch);
    PyMem_Free(self->parts);
    PyMem_Free(self->has_points);
    PyMem_Free(self->way);
    PyMem_Free(self->variable);
    PyMem_Free(self->constant);
    Py_XDECREF(self->array_type);
    Py_XDECREF(self->float_type);
    Py_XDECREF(self->empty);
    Py_XDECREF(self->owners);
    Py_XDECREF(self->watched);
    Py_XDECREF(self->modes);
    type->tp_free(self);
    Py_DECREF(type);
}

static int
read_ways(Entry *self, PyObject *ways)
{
    Py_ssize_t count = PyTuple_GET_SIZE(ways);
    self->way = PyMem_Calloc(count, sizeof(Way));
    if (self->way == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    for (; self->ways < count; self->ways++) {
        Way *way = &self->way[self->ways];
        unsigned long long fast, careful;
        const char *bytes;
        Py_ssize_t length;
        if (!PyArg_ParseTuple(PyTuple_GET_ITEM(ways, self->ways), "KKy#:way", &fast, &careful, &bytes, &length)) {
            return -1;
        }
        way->fast = (Code)(uintptr_t)fast;
        way->careful = (Code)(uintptr_t)careful;
        if (length != self->outputs * (Py_ssize_t)sizeof(double)) {
            PyErr_SetString(PyExc_ValueError, "a template of another length than the result");
            return -1;
        }
        way->template_ = PyMem_Malloc(length ? length : 1);
        if (way->template_ == NULL) {
            PyErr_NoMemory();
            return -1;
        }
        memcpy(way->template_, bytes, length);
    }
    return 0;
}

static int
read_arguments(Entry *self, PyObject *parts, PyObject *has_points)
{
    Py_ssize_t count = PyTuple_GET_SIZE(parts);
    self->parts = PyMem_Calloc(count ? count : 1, sizeof(Part));
    self->has_points = PyMem_Calloc(count ? count : 1, 1);
    if (self->parts == NULL || self->has_points == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    for (; self->arguments < count; self->arguments++) {
        Py_ssize_t i = self->arguments;
        if (read_part(&self->parts[i], PyTuple_GET_ITEM(parts, i)) < 0) {
            clear_part(&self->parts[i]);
            return -1;
        }
        self->has_points[i] = PyObject_IsTrue(PyTuple_GET_ITEM(has_points, i)) == 1;
        if (self->has_points[i]) {
            self->columns++;
        }
        else {
            self->shared += self->parts[i].numbers;
        }
    }
    return 0;
}

/* How many arrays results at points go into: one for each number, and one for each array. */
static Py_ssize_t
array_count(const Part *part)
{
    Py_ssize_t count = 0;
    switch (part->kind) {
    case NUMBER:
        return 1;
    case NUMBERS:
        return part->count;
    case ARRAY:
        return part->numbers != 0;
    default:
        for (Py_ssize_t i = 0; i < part->count; i++) {
            count += array_count(&part->parts[i]);
        }
        return count;
    }
}

PyDoc_STRVAR(entry_doc, "Entry(*, arguments, has_points, result, ways, variable, width, reduce, mean, release, most, parts, array, number, empty, owners, watched, modes)\n"
                        "--\n\n"
                        "The way into machine code of functions with these arguments; made by `entry.py`.");

static PyObject *
new_entry(PyTypeObject *type, PyObject *args, PyObject *keywords)
{
    static char *names[] = {"arguments", "has_points", "result", "ways", "variable", "width", "reduce", "mean", "release", "most", "parts", "array", "number", "empty", "owners", "watched", "modes", NULL};
    PyObject *arguments, *has_points, *result, *ways, *variable, *array, *number, *empty, *owners, *watched, *modes;
    int width, reduce, mean, release;
    Py_ssize_t most, parts;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "$O!O!O!O!O!ipppnnOOOOO!O!:Entry", names, &PyTuple_Type, &arguments, &PyTuple_Type,
                                     &has_points, &PyTuple_Type, &result, &PyTuple_Type, &ways, &PyTuple_Type, &variable, &width,
                                     &reduce, &mean, &release, &most, &parts, &array, &number, &empty, &owners,
                                     &PyTuple_Type, &watched, &PyList_Type, &modes)) {
        return NULL;
    }
    Entry *self = (Entry *)type->tp_alloc(type, 0);
    if (self == NULL) {
        return NULL;
    }
    self->width = width;
    self->reduce = reduce;
    self->mean = mean;
    self->release = release;
    self->most = most;
    self->parts_of_sums = parts;
    self->array_type = Py_NewRef(array);
    self->float_type = Py_NewRef(number);
    self->empty = Py_NewRef(empty);
    self->owners = Py_NewRef(owners);
    self->watched = Py_NewRef(watched);
    self->modes = Py_NewRef(modes);
    self->watch = read_watches(watched);
    if (self->watch == NULL) {
        goto failed;
    }
    self->watches = PyTuple_GET_SIZE(watched);
    self->variables = PyTuple_GET_SIZE(variable);
    if (read_part(&self->result, result) < 0) {
        goto failed;
    }
    self->outputs = self->result.numbers;
    self->arrays = array_count(&self->result);
    self->variable = PyMem_Calloc(self->variables + 1, sizeof(Py_ssize_t));
    self->constant = PyMem_Malloc(self->outputs + 1);
    if (self->variable == NULL || self->constant == NULL) {
        PyErr_NoMemory();
        goto failed;
    }
    memset(self->constant, 1, self->outputs);
    for (Py_ssize_t i = 0; i < self->variables; i++) {
        const Py_ssize_t output = PyLong_AsSsize_t(PyTuple_GET_ITEM(variable, i));
        if (output < 0 || output >= self->outputs) {
            if (!PyErr_Occurred()) {
                PyErr_SetString(PyExc_ValueError, "an output that there is not");
            }
            goto failed;
        }
        self->variable[i] = output;
        self->constant[output] = 0;
    }
    if (read_arguments(self, arguments, has_points) < 0 || read_ways(self, ways) < 0) {
        goto failed;
    }
    return (PyObject *)self;
failed:
    Py_DECREF(self);
    return NULL;
}

#include "values.h"

/* --- calls */

/* Memory for so many numbers: what is given, where that is enough. */
static double *
room(Py_ssize_t count, double *given)
{
    if (count <= ON_STACK) {
        return given;
    }
    double *found = PyMem_RawMalloc(count * sizeof(double));
    if (found == NULL) {
        PyErr_NoMemory();
    }
    return found;
}

static void
leave_room(double *found, const double *given)
{
    if (found != given) {
        PyMem_RawFree(found);
    }
}

/* Whether the point is on a path; its outputs. */
static int
run_at_point(const Entry *self, const double *numbers, double *outputs)
{
    for (Py_ssize_t i = 0; i < self->ways; i++) {
        const Way *way = &self->way[i];
        uint8_t held = 1;
        memcpy(outputs, way->template_, self->outputs * sizeof(double));
        int64_t flags = way->fast(numbers, NULL, outputs, &held, 0, 1);
        if (flags & IN_DOUBT) {
            if (way->careful == NULL) {
                return 0;
            }
            flags = way->careful(numbers, NULL, outputs, &held, 0, 1);
        }
        if (flags == 0) {
            return 1;
        }
    }
    return 0;
}

static PyObject *
at_point(const Entry *self, PyObject *args)
{
    double own_numbers[ON_STACK], own_outputs[ON_STACK];
    double *numbers = room(self->shared, own_numbers);
    if (numbers == NULL) {
        return NULL;
    }
    int found = 1;
    double *to = numbers;
    for (Py_ssize_t i = 0; found == 1 && i < self->arguments; i++) {
        found = take(self, &self->parts[i], PyTuple_GET_ITEM(args, i), &to);
    }
    PyObject *result = NULL;
    if (found == 1) {
        int is_array = self->result.kind == ARRAY; /* the numbers go where they stay */
        Py_buffer view;
        double *outputs;
        if (is_array) {
            result = new_array(self, self->result.shape, &view);
            outputs = result == NULL ? NULL : view.buf;
        }
        else {
            outputs = room(self->outputs, own_outputs);
        }
        if (outputs != NULL) {
            if (self->release) {
                Py_BEGIN_ALLOW_THREADS
                found = run_at_point(self, numbers, outputs);
                Py_END_ALLOW_THREADS
            }
            else {
                found = run_at_point(self, numbers, outputs);
            }
            if (is_array) {
                PyBuffer_Release(&view);
                if (!found) {
                    Py_CLEAR(result);
                }
            }
            else {
                if (found) {
                    const double *from = outputs;
                    result = give(self, &self->result, give_numbers, &from);
                }
                leave_room(outputs, own_outputs);
            }
        }
    }
    leave_room(numbers, own_numbers);
    if (found == 0) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    return result;
}

#include "sums.h"

/* --- calls on points */

/* The results at points; 0 in `found` where Python has to look. */
static PyObject *
each_of_points(const Entry *self, double *numbers, double *const *arrays, Py_ssize_t count, uint8_t *held, int *found)
{
    double **outputs = PyMem_Calloc(self->arrays + 1, sizeof(double *));
    if (outputs == NULL) {
        return PyErr_NoMemory();
    }
    Arrays state = {Py_BuildValue("(n)", count), outputs, 0};
    PyObject *result = state.shape == NULL ? NULL : give(self, &self->result, give_arrays, &state);
    Py_XDECREF(state.shape);
    if (result != NULL) {
        int64_t flags;
        Py_BEGIN_ALLOW_THREADS
        flags = self->way[0].fast(numbers, arrays, outputs, held, 0, count);
        Py_END_ALLOW_THREADS
        if (flags != 0) {
            *found = 0;
            Py_CLEAR(result);
        }
    }
    PyMem_Free(outputs);
    return result;
}

static PyObject *
over_points(Entry *self, PyObject *args)
{
    Py_ssize_t count = -1, views = 0;
    PyObject *result = NULL;
    Py_buffer *view = PyMem_Calloc(self->columns, sizeof(Py_buffer));
    double **arrays = PyMem_Calloc(self->columns, sizeof(double *));
    const Py_ssize_t work = self->reduce ? self->variables * (self->width + 1) + self->outputs : 0;
    double *numbers = PyMem_RawMalloc((self->shared + work + 1) * sizeof(double)), *to = numbers;
    Memory *held = NULL;
    int found = 1;
    if (view == NULL || arrays == NULL || numbers == NULL) {
        PyErr_NoMemory();
        goto finished;
    }
    for (Py_ssize_t i = 0; found == 1 && i < self->arguments; i++) {
        PyObject *x = PyTuple_GET_ITEM(args, i);
        if (!self->has_points[i]) {
            found = take(self, &self->parts[i], x, &to);
            continue;
        }
        found = view_array(self, x, &self->parts[i], 1, &view[views]);
        if (found == 1) {
            arrays[views] = view[views].buf;
            const Py_ssize_t length = view[views++].shape[0];
            found = (count == -1 || count == length) && length >= self->width && length < self->most;
            count = length;
        }
    }
    if (found != 1) {
        goto finished;
    }
    held = (Memory *)new_memory(count);
    if (held == NULL) {
        goto finished;
    }
    result = (self->reduce ? sums_over_points : each_of_points)(
        self, numbers, arrays, count, (uint8_t *)held->block.first, &found
    );
    self->vain = found ? 0 : self->vain + 1;
finished:
    for (Py_ssize_t i = 0; i < views; i++) {
        PyBuffer_Release(&view[i]);
    }
    PyMem_Free(view);
    PyMem_Free(arrays);
    PyMem_RawFree(numbers);
    Py_XDECREF(held);
    if (found == 0) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    return result;
}

PyDoc_STRVAR(enter_doc, "enter($self, arguments, /)\n"
                        "--\n\n"
                        "The result for a tuple of arguments; NotImplemented where Python has to look at them.");

static PyObject *
enter(Entry *self, PyObject *args)
{
    if (!PyTuple_CheckExact(args) || PyTuple_GET_SIZE(args) != self->arguments || self->vain >= MOST_VAIN) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    const int current = PyList_GET_SIZE(self->modes) ? 0 : are_as_found(self->watch, self->watches);
    if (current != 1) {
        return current < 0 ? NULL : Py_NewRef(Py_NotImplemented);
    }
    return self->columns ? over_points(self, args) : at_point(self, args);
}

static PyMethodDef methods[] = {
    {"enter", (PyCFunction)enter, METH_O, enter_doc},
    {NULL, NULL, 0, NULL},
};

static PyMethodDef functions[] = {
    {"empty", (PyCFunction)(void (*)(void))empty_array, METH_FASTCALL, empty_doc},
    {"is_current", is_current_or_not, METH_O, is_current_doc},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot slots[] = {
    {Py_tp_new, new_entry},
    {Py_tp_dealloc, dealloc},
    {Py_tp_traverse, traverse},
    {Py_tp_clear, clear},
    {Py_tp_methods, methods},
    {Py_tp_doc, (void *)entry_doc},
    {0, NULL},
};

static PyType_Spec specification = {"autograd_lite.compiler._entry.Entry", sizeof(Entry), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC, slots};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "_entry", "The direct way into machine code; see entry.py.", -1, functions, NULL, NULL, NULL, NULL,
};

PyMODINIT_FUNC
PyInit__entry(void)
{
    PyObject *module = PyModule_Create(&definition);
    if (module == NULL) {
        return NULL;
    }
    MemoryType = (PyTypeObject *)PyType_FromSpec(&memory_specification);
    PyObject *type = MemoryType == NULL ? NULL : PyType_FromSpec(&specification);
    if (type == NULL || PyModule_AddObjectRef(module, "Entry", type) < 0 || PyModule_AddIntConstant(module, "version", VERSION) < 0) {
        Py_XDECREF(type);
        Py_DECREF(module);
        return NULL;
    }
    Py_DECREF(type);
    return module;
}
