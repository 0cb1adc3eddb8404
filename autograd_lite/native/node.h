/* The node: its memory, its birth and its death. */

typedef struct Value {
    PyObject_HEAD
    double data;
    double grad;
    double adjoint;   /* of the sweep under way; meaningless outside one */
    PyObject *first;  /* as in engine.py: the first argument, or the tuple of all of them; NULL for a leaf */
    PyObject *second; /* the second argument, or NULL */
    PyObject *note;   /* label, scope and source line, or NULL */
    union {
        uint64_t mark;      /* the number of the last sweep that has seen this node: visited without a set */
        struct Value *link; /* while the node waits to be freed, the next one that does */
    };
    uint32_t op; /* the index of its operation; 0 for a leaf */
    uint32_t flags;
} Value;

enum {
    ASSIGNED = 1, /* .data was assigned after the node was made: whoever used the node before must be checked */
    REACHED = 2,  /* the sweep under way has brought a contribution here */
};

/* A dead node stays here, its reference to the type included, for the next one: most graphs are as
   large as the last one, and memory asked from the system anew costs three times what recording does. 80 MiB at most. */
#define FREE_NODES (1 << 20)
static Value *free_nodes = NULL;
static Py_ssize_t free_count = 0;

static PyTypeObject *ValueType = NULL;

#define IS_NODE(x) (Py_TYPE(x) == ValueType)
#define IS_VALUE(x) (IS_NODE(x) || PyObject_TypeCheck(x, ValueType))
#define AS_VALUE(x) ((Value *)(x))

/* A node without data, operation and arguments. */
static inline Value *
new_node(void)
{
    Value *node = free_nodes;
    if (node != NULL) {
        free_nodes = node->link;
        free_count--;
#ifdef Py_TRACE_REFS
        _Py_NewReference((PyObject *)node);
#else
        Py_SET_REFCNT((PyObject *)node, 1);
#endif
    }
    else {
        node = PyObject_New(Value, ValueType);
        if (node == NULL) {
            return NULL;
        }
    }
    node->grad = 0.0;
    node->second = NULL;
    node->note = NULL;
    node->mark = 0;
    node->flags = 0;
    return node;
}

/* Give back a reference to an argument. A node that nothing else refers to joins those that wait to be freed: a chain of any
   length is freed by a loop, with no recursion. */
static void release(PyObject *argument, Value **waiting);

static inline void
release_node(PyObject *argument, Value **waiting)
{
    if (IS_NODE(argument) && Py_REFCNT(argument) == 1) {
        AS_VALUE(argument)->link = *waiting;
        *waiting = AS_VALUE(argument);
    }
    else {
        Py_DECREF(argument);
    }
}

static void
release(PyObject *argument, Value **waiting)
{
    if (PyTuple_CheckExact(argument) && Py_REFCNT(argument) == 1) {
        Py_ssize_t count = PyTuple_GET_SIZE(argument);
        for (Py_ssize_t i = 0; i < count; i++) {
            PyObject *item = PyTuple_GET_ITEM(argument, i);
            PyTuple_SET_ITEM(argument, i, NULL);
            release_node(item, waiting);
        }
        Py_DECREF(argument);
    }
    else {
        release_node(argument, waiting);
    }
}

static inline void
release_contents(Value *node, Value **waiting)
{
    PyObject *first = node->first, *second = node->second, *note = node->note;
    node->first = node->second = node->note = NULL;
    if (first != NULL) {
        release(first, waiting);
        if (second != NULL) {
            release_node(second, waiting);
        }
    }
    Py_XDECREF(note);
}

static void
free_waiting(Value *waiting)
{
    while (waiting != NULL) {
        Value *node = waiting;
        waiting = node->link;
        release_contents(node, &waiting);
        if (free_count < FREE_NODES) {
            node->link = free_nodes;
            free_nodes = node;
            free_count++;
        }
        else {
            PyTypeObject *type = Py_TYPE(node);
            PyObject_Free(node);
            Py_DECREF(type);
        }
    }
}

static void
value_dealloc(PyObject *self)
{
    Value *node = AS_VALUE(self), *waiting = NULL;
    if (IS_NODE(self)) {
        node->link = NULL;
        free_waiting(node);
        return;
    }
    PyTypeObject *type = Py_TYPE(self); /* of a subclass */
    release_contents(node, &waiting);
    type->tp_free(self);
    Py_DECREF(type);
    free_waiting(waiting);
}

/* Nodes are not the cyclic collector's business: they refer to older nodes only. A subclass whose instances have a __dict__
   is, and its traversal comes here. */
static int
value_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(AS_VALUE(self)->first);
    Py_VISIT(AS_VALUE(self)->second);
    return 0;
}

static int
value_clear(PyObject *self)
{
    Value *waiting = NULL;
    release_contents(AS_VALUE(self), &waiting);
    AS_VALUE(self)->op = 0;
    free_waiting(waiting);
    return 0;
}
