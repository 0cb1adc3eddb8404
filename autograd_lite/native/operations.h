/* The operations: those of the table, whose C is in rules.h, and those defined at run time, whose rules are called in Python. */

typedef struct {
    PyObject *primitive;
    PyObject *fn;              /* floats to float */
    PyObject *number_partials; /* a tuple of callables and None */
    int arity;                 /* -1: variadic */
    int optional;              /* how many of the last arguments have defaults */
    int is_compiled;           /* whether rules.h has it */
    int is_paired;             /* variadic: its arguments come as two sequences of one length */
    unsigned selects, carries; /* a bit an argument, as in rules.h */
    double defaults[3];
} Operation;

static Operation *operations = NULL;
static Py_ssize_t operation_count = 0, operation_capacity = 0;

/* Where the Python objects of the package are kept that C code calls. */
static struct {
    PyObject *active_modes;  /* modes.active_modes: a list, nearly always empty */
    PyObject *observed;      /* engine._observed(node) */
    PyObject *made;          /* engine._made(leaf) */
    PyObject *asked;         /* engine._asked(node, what) */
    PyObject *in_place_of;   /* modes.in_place_of(primitive, operands, error): the number of a result, or the error */
    PyObject *compared;      /* engine._compared(comparison, node, other): the outcome or None */
    PyObject *real_number;   /* primitive.real_number(x, role) */
    PyObject *called_as_method; /* ufuncs.called_as_method(primitive, args, keywords) */
    PyObject *paired;        /* primitive.paired */
    PyObject *numbers_of;    /* sweep.numbers_of(node): raises StaleGraphError */
    PyObject *assigned;      /* engine._Assigned */
    PyObject *empty_note;    /* engine.Note() */
    PyObject *slow_backward; /* the same in Python, for sweeps that are watched, or inside another sweep */
    PyObject *slow_pull;
    PyObject *slow_order;
    PyObject *slow_call;     /* Primitive.__call__ */
    PyObject *table;         /* primitives.TABLE */
    PyObject *real;          /* numbers.Real */
    PyObject *number;        /* numbers.Number */
    PyObject *result_class;  /* the name of an attribute */
} package;

/* From a primitive to its operation: a hash table by address, open addressing; primitives in it are kept alive. */
static struct {
    PyObject *primitive;
    uint32_t op;
} *primitive_slots = NULL;
static size_t slot_count = 0; /* a power of two */

static inline size_t
slot_of(PyObject *primitive)
{
    size_t slot = ((uintptr_t)primitive >> 4) * 0x9E3779B1u & (slot_count - 1);
    while (primitive_slots[slot].primitive != NULL && primitive_slots[slot].primitive != primitive) {
        slot = (slot + 1) & (slot_count - 1);
    }
    return slot;
}

static int
grow_slots(void)
{
    size_t before = slot_count;
    void *old_slots = primitive_slots;
    slot_count = before ? 2 * before : 1024;
    primitive_slots = PyMem_Calloc(slot_count, sizeof(*primitive_slots));
    if (primitive_slots == NULL) {
        primitive_slots = old_slots;
        slot_count = before;
        PyErr_NoMemory();
        return -1;
    }
    for (Py_ssize_t op = 1; op < operation_count; op++) {
        size_t slot = slot_of(operations[op].primitive);
        primitive_slots[slot].primitive = operations[op].primitive;
        primitive_slots[slot].op = (uint32_t)op;
    }
    PyMem_Free(old_slots);
    return 0;
}

/* The operation of a primitive that C has no rule for: everything is asked from the primitive itself. */
static int
describe_in_python(Operation *operation, PyObject *primitive)
{
    PyObject *variadic = PyObject_GetAttrString(primitive, "variadic");
    PyObject *domain = variadic ? PyObject_GetAttrString(primitive, "domain") : NULL;
    PyObject *selects = domain ? PyObject_GetAttrString(primitive, "selects") : NULL;
    int status = -1, is_variadic = variadic == Py_True;
    Py_ssize_t rules = 0;
    if (selects == NULL) {
        goto done;
    }
    if (PyTuple_Check(operation->number_partials)) {
        rules = PyTuple_GET_SIZE(operation->number_partials);
    }
    if (!PyTuple_Check(domain) || !PyTuple_Check(selects) || rules < 1 || rules > 32) {
        PyErr_SetString(PyExc_TypeError, "a primitive has a tuple of rules, at most 32");
        goto done;
    }
    operation->arity = is_variadic ? -1 : (int)PyTuple_GET_SIZE(domain);
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(selects) && i < 32; i++) {
        operation->selects |= (unsigned)(PyObject_IsTrue(PyTuple_GET_ITEM(selects, i)) == 1) << i;
    }
    for (Py_ssize_t i = 0; i < rules; i++) {
        operation->carries |= (unsigned)(PyTuple_GET_ITEM(operation->number_partials, i) != Py_None) << i;
    }
    if (is_variadic) {
        operation->selects = operation->selects ? ~0u : 0u;
        operation->carries = operation->carries ? ~0u : 0u;
    }
    status = 0;
done:
    Py_XDECREF(variadic);
    Py_XDECREF(domain);
    Py_XDECREF(selects);
    return status;
}

/* Enter a primitive as the operation of the next index; `rule` is its compiled rule or NULL. */
static int
enter_operation(PyObject *primitive, const Rule *rule)
{
    if (operation_count == operation_capacity) {
        Py_ssize_t capacity = operation_capacity ? 2 * operation_capacity : 2 * OP_COUNT;
        Operation *grown = PyMem_Realloc(operations, (size_t)capacity * sizeof(Operation));
        if (grown == NULL) {
            PyErr_NoMemory();
            return -1;
        }
        operations = grown;
        operation_capacity = capacity;
    }
    if (2 * (size_t)operation_count >= slot_count && grow_slots() < 0) {
        return -1;
    }
    Operation operation = {0};
    operation.fn = PyObject_GetAttrString(primitive, "fn");
    operation.number_partials = PyObject_GetAttrString(primitive, "number_partials");
    if (operation.fn == NULL || operation.number_partials == NULL) {
        goto failed;
    }
    if (rule == NULL) {
        if (describe_in_python(&operation, primitive) < 0) {
            goto failed;
        }
    }
    else {
        operation.is_compiled = 1;
        operation.arity = rule->arity;
        operation.optional = rule->optional;
        operation.is_paired = rule->is_paired;
        operation.selects = rule->selects;
        operation.carries = rule->carries;
        memcpy(operation.defaults, rule->defaults, sizeof(operation.defaults));
    }
    operation.primitive = Py_NewRef(primitive);
    operations[operation_count] = operation;
    size_t slot = slot_of(primitive);
    primitive_slots[slot].primitive = primitive;
    primitive_slots[slot].op = (uint32_t)operation_count;
    operation_count++;
    return 0;
failed:
    Py_XDECREF(operation.fn);
    Py_XDECREF(operation.number_partials);
    return -1;
}

/* The index of a primitive's operation, or 0 with an exception set. */
static uint32_t
operation_of(PyObject *primitive)
{
    size_t slot = slot_of(primitive);
    if (primitive_slots[slot].primitive == NULL) {
        if (enter_operation(primitive, NULL) < 0) {
            return 0;
        }
        return (uint32_t)operation_count - 1;
    }
    return primitive_slots[slot].op;
}

/* All primitives of the table, in the order of rules.h. */
static int
enter_table(void)
{
    operation_count = 1; /* index 0 is the leaf's */
    operation_capacity = 2 * OP_COUNT;
    operations = PyMem_Calloc((size_t)operation_capacity, sizeof(Operation));
    if (operations == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    if (grow_slots() < 0) {
        return -1;
    }
    for (int op = 1; op < OP_COUNT; op++) {
        PyObject *primitive = PyMapping_GetItemString(package.table, RULES[op].name);
        if (primitive == NULL) {
            return -1;
        }
        int status = enter_operation(primitive, &RULES[op]);
        Py_DECREF(primitive);
        if (status < 0) {
            return -1;
        }
    }
    return 0;
}
