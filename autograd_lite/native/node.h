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
    uint32_t flags; /* and above them the node's place in the register, 0 if it is not there */
} Value;

enum {
    ASSIGNED = 1, /* .data was assigned after the node was made: whoever used the node before must be checked */
    REACHED = 2,  /* the sweep under way has brought a contribution here */
    HEADER = 4,   /* a node of class Value that has the header of the cyclic collector, and is not in a slab */
    PLACE = 8,    /* the lowest bit of the place in the register */
};

static PyTypeObject *ValueType = NULL;

#define IS_NODE(x) (Py_TYPE(x) == ValueType)
#define IS_VALUE(x) (IS_NODE(x) || PyObject_TypeCheck(x, ValueType))
#define AS_VALUE(x) ((Value *)(x))

/* --- memory: slabs of nodes, aligned to their size, so that a node's address tells its slab

   Nodes recorded together lie together. A slab whose nodes are all dead starts anew from its first byte: without that, the
   order of the free places would be shuffled a little more with every graph, and memory would be read at random. */

#define SLAB_SIZE ((size_t)1 << 20)
#define KEPT_SLABS 80 /* empty ones that are not given back to the system: the next graph is often as large as the last */

typedef struct Slab {
    struct Slab *next, *previous; /* in the ring of slabs with room */
    Value *free;                  /* places of dead nodes */
    char *unused;                 /* the first place never used since the slab was empty */
    size_t live;
    int is_listed;
} Slab;

#define SLAB_START(slab) ((char *)(slab) + ((sizeof(Slab) + 15) & ~(size_t)15))
#define SLAB_NODES ((SLAB_SIZE - 64 - sizeof(Slab)) / sizeof(Value))
#define SLAB_OF(node) ((Slab *)((uintptr_t)(node) & ~(uintptr_t)(SLAB_SIZE - 1)))

static Slab *current_slab = NULL;
static Slab with_room = {&with_room, &with_room, NULL, NULL, 0, 1}; /* the ring's head; the current slab is not in it */
static int empty_slabs = 0;                                         /* in the ring */

static void
list_slab(Slab *slab)
{
    slab->next = with_room.next;
    slab->previous = &with_room;
    with_room.next->previous = slab;
    with_room.next = slab;
    slab->is_listed = 1;
}

static void
unlist_slab(Slab *slab)
{
    slab->next->previous = slab->previous;
    slab->previous->next = slab->next;
    slab->is_listed = 0;
}

static Slab *
allocate_slab(void)
{
#ifdef _MSC_VER
    Slab *slab = _aligned_malloc(SLAB_SIZE, SLAB_SIZE);
#else
    Slab *slab = aligned_alloc(SLAB_SIZE, SLAB_SIZE);
#endif
    if (slab == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    slab->free = NULL;
    slab->unused = SLAB_START(slab);
    slab->live = 0;
    slab->is_listed = 0;
    return slab;
}

static void
give_back_slab(Slab *slab)
{
#ifdef _MSC_VER
    _aligned_free(slab);
#else
    free(slab);
#endif
}

/* Make a slab with room the current one. */
static int
next_slab(void)
{
    Slab *slab = with_room.next;
    if (slab == &with_room) {
        slab = allocate_slab();
        if (slab == NULL) {
            return -1;
        }
    }
    else {
        unlist_slab(slab);
        empty_slabs -= slab->live == 0;
    }
    current_slab = slab;
    return 0;
}

/* A slab has lost a node: it comes into the ring when it is half empty, and is as good as new when it is empty. */
static void
lighten_slab(Slab *slab)
{
    if (slab->live == 0) {
        slab->free = NULL;
        slab->unused = SLAB_START(slab);
        if (slab == current_slab) {
            return;
        }
        if (empty_slabs == KEPT_SLABS) {
            if (slab->is_listed) {
                unlist_slab(slab);
            }
            give_back_slab(slab);
            return;
        }
        empty_slabs++;
    }
    if (slab != current_slab && !slab->is_listed) {
        list_slab(slab);
    }
}

static inline void
free_node(Value *node)
{
    Slab *slab = SLAB_OF(node);
    node->link = slab->free;
    slab->free = node;
    slab->live--;
    if (slab->live == 0 || slab->live == SLAB_NODES / 2) {
        lighten_slab(slab);
    }
}

/* A node without data, operation and arguments. Nodes hold no reference to their type, which lives as long as the process. */
static inline Value *
new_node(void)
{
    Value *node;
    while (current_slab == NULL || current_slab->live == SLAB_NODES) {
        if (next_slab() < 0) {
            return NULL;
        }
    }
    Slab *slab = current_slab;
    if (slab->free != NULL) {
        node = slab->free;
        slab->free = node->link;
    }
    else {
        node = (Value *)slab->unused;
        slab->unused += sizeof(Value);
    }
    slab->live++;
    Py_SET_TYPE((PyObject *)node, ValueType);
#ifdef Py_TRACE_REFS
    _Py_NewReference((PyObject *)node);
#else
    Py_SET_REFCNT((PyObject *)node, 1);
#endif
    node->grad = 0.0;
    node->second = NULL;
    node->note = NULL;
    node->mark = 0;
    node->flags = 0;
    return node;
}

/* --- nodes that can be part of a cycle

   A node refers to older nodes only, so there is no cycle without an instance of a subclass, which may have attributes. Such
   instances and the nodes above them have the header of Python's cyclic collector, and are listed in the register. As they are
   many, the collector does not see them when it looks at young objects: they are untracked, and tracked for the time of a full
   collection alone, which the register starts itself where it has grown to twice what was alive after the last one. */

#define LEAST_DUE ((size_t)1 << 17)
#define MOST_PLACES ((size_t)1 << 29)

static struct {
    Value **nodes; /* from place 1 to `end`, in the order of their birth; NULL where one has died */
    size_t end, capacity, count, due;
} registered = {NULL, 1, 0, 0, LEAST_DUE};

static inline int
can_be_in_cycle(PyObject *operand)
{
    return !PyFloat_CheckExact(operand) && AS_VALUE(operand)->flags >= PLACE;
}

/* Before a node is made that will be registered. */
static inline void
collect_where_due(void)
{
    if (registered.count >= registered.due && PyGC_IsEnabled()) {
        PyGC_Collect();
        registered.due = Py_MAX(LEAST_DUE, Py_MAX(registered.due / 2, 2 * registered.count));
    }
}

/* Make room in the register: move the nodes together, or if they fill half of it enlarge it. */
static int
extend_register(void)
{
    if (registered.count >= registered.capacity / 2) {
        size_t larger = registered.capacity ? 2 * registered.capacity : 1024;
        Value **nodes = larger > MOST_PLACES ? NULL : PyMem_RawRealloc(registered.nodes, larger * sizeof(*nodes));
        if (nodes == NULL) {
            PyErr_NoMemory();
            return -1;
        }
        registered.nodes = nodes;
        registered.capacity = larger;
        return 0;
    }
    size_t end = 1;
    for (size_t place = 1; place < registered.end; place++) {
        Value *node = registered.nodes[place];
        if (node != NULL) {
            registered.nodes[end] = node;
            node->flags = (node->flags & (PLACE - 1)) | (uint32_t)end++ * PLACE;
        }
    }
    registered.end = end;
    return 0;
}

static inline int
enter_register(Value *node)
{
    if (registered.end >= registered.capacity && extend_register() < 0) {
        return -1;
    }
    node->flags |= (uint32_t)registered.end * PLACE;
    registered.nodes[registered.end++] = node;
    registered.count++;
    return 0;
}

/* Before a node is freed. */
static inline void
leave_register(Value *node)
{
    if (node->flags >= PLACE) {
        registered.nodes[node->flags / PLACE] = NULL;
        registered.count--;
        while (registered.end > 1 && registered.nodes[registered.end - 1] == NULL) {
            registered.end--;
        }
        node->flags &= PLACE - 1;
        PyObject_GC_UnTrack(node);
    }
}

/* A node of class Value above one that can be part of a cycle; as from new_node otherwise. */
static Value *
new_registered_node(void)
{
    collect_where_due();
    Value *node = PyObject_GC_New(Value, ValueType);
    if (node == NULL) {
        return NULL;
    }
    Py_DECREF(ValueType); /* nodes hold no reference to it */
    node->grad = 0.0;
    node->first = node->second = node->note = NULL;
    node->mark = 0;
    node->flags = HEADER;
    if (enter_register(node) < 0) {
        PyObject_GC_Del(node);
        return NULL;
    }
    return node;
}

/* An instance of a subclass, all zeros; `is_above` says that it gets an operand that can be part of a cycle. */
static Value *
new_instance(PyTypeObject *type, int is_above)
{
    int is_registered = is_above || type->tp_dictoffset != 0 || (size_t)type->tp_basicsize > sizeof(Value);
    if (is_registered) {
        collect_where_due();
    }
    Value *node = PyObject_GC_New(Value, type);
    if (node == NULL) {
        return NULL;
    }
    memset((char *)node + sizeof(PyObject), 0, (size_t)type->tp_basicsize - sizeof(PyObject));
    if (is_registered && enter_register(node) < 0) {
        Py_DECREF(node);
        return NULL;
    }
    return node;
}

static int
value_is_gc(PyObject *self)
{
    return !IS_NODE(self) || AS_VALUE(self)->flags & HEADER;
}

static void
track(PyObject *x, int is_tracked)
{
    if (PyObject_GC_IsTracked(x) != is_tracked) {
        (is_tracked ? PyObject_GC_Track : PyObject_GC_UnTrack)(x);
    }
}

/* at_collection(phase, info): one of gc.callbacks. */
static PyObject *
at_collection(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t nargs)
{
    PyObject *generation = nargs == 2 && PyDict_Check(args[1]) ? PyDict_GetItemString(args[1], "generation") : NULL;
    if (generation != NULL && PyLong_Check(generation) && PyLong_AsLong(generation) == 2) {
        int is_start = PyUnicode_Check(args[0]) && PyUnicode_CompareWithASCIIString(args[0], "start") == 0;
        for (size_t place = 1; place < registered.end; place++) {
            Value *node = registered.nodes[place];
            if (node == NULL) {
                continue;
            }
            track((PyObject *)node, is_start);
            if (node->first != NULL && PyTuple_CheckExact(node->first) && PyTuple_GET_SIZE(node->first) > 0) {
                track(node->first, is_start);
            }
        }
    }
    Py_RETURN_NONE;
}

/* --- how nodes die */

/* Give back a reference to an argument. A node that nothing else refers to joins those that wait to be freed: a chain of any
   length is freed by a loop, with no recursion. */
static void release(PyObject *argument, Value **waiting);

static inline void
release_node(PyObject *argument, Value **waiting)
{
    if (IS_NODE(argument) && Py_REFCNT(argument) == 1) {
        leave_register(AS_VALUE(argument));
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
        if (node->flags & HEADER) {
            PyObject_GC_Del(node);
        }
        else {
            free_node(node);
        }
    }
}

static void
value_dealloc(PyObject *self)
{
    Value *node = AS_VALUE(self), *waiting = NULL;
    leave_register(node);
    if (IS_NODE(self)) {
        node->link = NULL;
        free_waiting(node);
        return;
    }
    PyTypeObject *type = Py_TYPE(self); /* of a subclass */
    PyObject_GC_UnTrack(self);
    release_contents(node, &waiting);
    type->tp_free(self);
    Py_DECREF(type);
    free_waiting(waiting);
}

static int
value_traverse(PyObject *self, visitproc visit, void *arg)
{
    if (!IS_NODE(self)) {
        Py_VISIT(Py_TYPE(self));
    }
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
