/* Memory of large results.

   The C library gives the pages of large blocks back to the system, and fetching new ones takes longer than most machine code
   that fills them. So blocks are kept for the next result of about the same size. */

#define LARGE ((size_t)1 << 18)        /* bytes; smaller arrays are NumPy's own */
#define MOST_KEPT ((size_t)128 << 20)  /* bytes */
#define MOST_BLOCKS 64
#define ALIGNMENT 64                   /* of a vector */

typedef struct {
    void *start; /* as it was allocated */
    char *first; /* aligned */
    size_t size; /* from there on */
} Block;

typedef struct {
    PyObject_HEAD
    Block block;
} Memory;

static Block kept[MOST_BLOCKS]; /* the oldest first */
static int kept_blocks = 0;
static size_t kept_bytes = 0;
static PyTypeObject *MemoryType = NULL;

static Block
take_kept(int i)
{
    const Block block = kept[i];
    kept_bytes -= block.size;
    memmove(&kept[i], &kept[i + 1], (--kept_blocks - i) * sizeof(Block));
    return block;
}

static void
memory_dealloc(Memory *self)
{
    PyTypeObject *type = Py_TYPE(self);
    if (self->block.size >= LARGE && self->block.size <= MOST_KEPT) {
        while (kept_blocks == MOST_BLOCKS || kept_bytes + self->block.size > MOST_KEPT) {
            PyMem_RawFree(take_kept(0).start);
        }
        kept[kept_blocks++] = self->block;
        kept_bytes += self->block.size;
    }
    else {
        PyMem_RawFree(self->block.start);
    }
    type->tp_free(self);
    Py_DECREF(type);
}

static int
memory_buffer(Memory *self, Py_buffer *view, int flags)
{
    return PyBuffer_FillInfo(view, (PyObject *)self, self->block.first, (Py_ssize_t)self->block.size, 0, flags);
}

/* Memory of at least this size, and no more than a quarter above it. */
static PyObject *
new_memory(size_t size)
{
    Memory *self = (Memory *)MemoryType->tp_alloc(MemoryType, 0);
    if (self == NULL) {
        return NULL;
    }
    for (int i = size < LARGE ? -1 : kept_blocks - 1; i >= 0; i--) {
        if (kept[i].size >= size && kept[i].size - size <= size / 4) {
            self->block = take_kept(i);
            return (PyObject *)self;
        }
    }
    self->block.size = size;
    self->block.start = PyMem_RawMalloc(size + ALIGNMENT);
    if (self->block.start == NULL) {
        MemoryType->tp_free(self);
        Py_DECREF(MemoryType);
        return PyErr_NoMemory();
    }
    self->block.first = (char *)(((uintptr_t)self->block.start + ALIGNMENT - 1) & ~(uintptr_t)(ALIGNMENT - 1));
    return (PyObject *)self;
}

PyDoc_STRVAR(empty_doc, "empty($module, ndarray, empty, shape, /)\n"
                        "--\n\n"
                        "A new array of float64 of this shape, a tuple, whose numbers are not set: by numpy.empty, or in memory kept for it.");

static PyObject *
empty_array(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t count)
{
    if (count != 3 || !PyTuple_Check(args[2])) {
        PyErr_SetString(PyExc_TypeError, "empty takes numpy.ndarray, numpy.empty and a shape");
        return NULL;
    }
    size_t size = sizeof(double);
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(args[2]); i++) {
        const Py_ssize_t length = PyLong_AsSsize_t(PyTuple_GET_ITEM(args[2], i));
        if (length < 0 || (length != 0 && size > PY_SSIZE_T_MAX / (size_t)length)) {
            return PyErr_Occurred() ? NULL : PyObject_CallOneArg(args[1], args[2]); /* which says what is wrong */
        }
        size *= (size_t)length;
    }
    if (size < LARGE) {
        return PyObject_CallOneArg(args[1], args[2]);
    }
    PyObject *memory = new_memory(size);
    if (memory == NULL) {
        return NULL;
    }
    PyObject *array = PyObject_CallFunction(args[0], "OsO", args[2], "d", memory);
    Py_DECREF(memory);
    return array;
}

static PyType_Slot memory_slots[] = {
    {Py_tp_dealloc, memory_dealloc},
    {Py_bf_getbuffer, memory_buffer},
    {Py_tp_doc, "Memory of a large array."},
    {0, NULL},
};

static PyType_Spec memory_specification = {
    "autograd_lite.compiler._entry.Memory", sizeof(Memory), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION, memory_slots,
};
