/* The order of a graph and the reverse sweep over it, on numbers that nobody watches; other sweeps are Python's (sweep.py).
   Order, sums and products are those of sweep.py, so the bits are the same. */

typedef struct {
    Value **nodes; /* operands before their consumers; borrowed, for the roots keep them alive */
    Py_ssize_t count;
    Py_ssize_t capacity;
} Order;

static uint64_t epoch = 0;    /* the number of the last sweep */
static int is_sweeping = 0;   /* a rule in Python may ask for another sweep, or let another thread do so: that one is Python's */

/* Room for half as many items again; NULL with an exception, the items left as they are, if there is none. */
static void *
grown(void *items, Py_ssize_t *capacity, size_t size)
{
    Py_ssize_t larger = *capacity < 512 ? 1024 : *capacity + *capacity / 2;
    void *result = PyMem_RawRealloc(items, (size_t)larger * size);
    if (result == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    *capacity = larger;
    return result;
}

static inline void
see(Value *node)
{
    node->mark = epoch;
    node->adjoint = -0.0; /* adding x to it gives x, whatever x is; 0.0 would lose the sign of -0.0 */
    node->flags &= ~(uint32_t)REACHED;
}

static int
place(Order *order, Value *node)
{
    if (order->count == order->capacity) {
        Value **nodes = grown(order->nodes, &order->capacity, sizeof(*nodes));
        if (nodes == NULL) {
            return -1;
        }
        order->nodes = nodes;
    }
    order->nodes[order->count++] = node;
    return 0;
}

static inline int
is_unseen(PyObject *argument)
{
    return !PyFloat_CheckExact(argument) && AS_VALUE(argument)->mark != epoch;
}

/* Every node the roots depend on and that this epoch has not seen, each once: depth first, operands left to right.
   On the stack a node whose operands have been pushed above it has its lowest bit set. */
static int
topological_order(PyObject *const *roots, Py_ssize_t root_count, Order *order)
{
    uintptr_t *stack = NULL;
    Py_ssize_t capacity = 0, height = 0, items = root_count;
    PyObject *const *pushed = roots;
    int status = -1;
    for (;;) {
        while (height + items + 4 > capacity) {
            uintptr_t *larger = grown(stack, &capacity, sizeof(*stack));
            if (larger == NULL) {
                goto done;
            }
            stack = larger;
        }
        while (items-- > 0) {
            if (is_unseen(pushed[items])) {
                stack[height++] = (uintptr_t)pushed[items];
            }
        }
        for (items = 0; items == 0;) { /* until a node comes up that has many operands */
            if (height == 0) {
                status = 0;
                goto done;
            }
            uintptr_t top = stack[--height];
            Value *node = (Value *)(top & ~(uintptr_t)1);
            PyObject *first = node->first, *second = node->second;
            if (!(top & 1)) {
                if (node->mark == epoch) {
                    continue;
                }
                see(node);
            }
            if (top & 1 || first == NULL) {
                if (place(order, node) < 0) {
                    goto done;
                }
                if (height < capacity / 2 && capacity > 65536) { /* what the order gains, the stack gives back */
                    capacity = height + height / 4 + 4;
                    uintptr_t *smaller = PyMem_RawRealloc(stack, (size_t)capacity * sizeof(*stack));
                    stack = smaller == NULL ? stack : smaller;
                }
                continue;
            }
            stack[height++] = (uintptr_t)node | 1;
            if (PyTuple_CheckExact(first)) {
                pushed = &PyTuple_GET_ITEM(first, 0);
                items = PyTuple_GET_SIZE(first);
                break;
            }
            if (second != NULL && is_unseen(second)) {
                stack[height++] = (uintptr_t)second;
            }
            if (is_unseen(first)) {
                stack[height++] = (uintptr_t)first;
            }
            if (height + 4 > capacity) {
                break;
            }
        }
    }
done:
    PyMem_RawFree(stack);
    return status;
}

/* --- the sweep */

/* Add what an edge brings: adjoint times partial. Of a selection the partial is the operand's share: where that is 0, there is no
   edge, and a node that no other edge reaches contributes nothing either. */
static inline void
contribute(PyObject *operand, unsigned is_selecting, double adjoint, double partial)
{
    if (is_selecting && partial == 0.0) {
        return;
    }
    Value *node = AS_VALUE(operand);
    node->adjoint += adjoint * partial;
    node->flags |= REACHED;
}

/* Whether a node's arguments still give its number, where .data of one of them was assigned; -1 with StaleGraphError if not. */
static int
check_fresh(Value *node, const double *x, Py_ssize_t count)
{
    if (operations[node->op].is_compiled) {
        double fresh = value_of((int)node->op, x, count);
        int is_same = !failed && (fresh == node->data || (fresh != fresh && node->data != node->data));
        failed = 0;
        if (is_same) {
            return 0;
        }
    }
    PyObject *numbers = PyObject_CallOneArg(package.numbers_of, (PyObject *)node);
    Py_XDECREF(numbers);
    return numbers == NULL ? -1 : 0;
}

static inline uint32_t
flags_of(PyObject *argument)
{
    return argument == NULL || PyFloat_CheckExact(argument) ? 0 : AS_VALUE(argument)->flags;
}

/* The same for a node that no edge reaches: a number assigned there may change what is selected. */
static int
check_unreached(Value *node)
{
    PyObject *pair[2] = {node->first, node->second};
    int is_tuple = node->first != NULL && PyTuple_CheckExact(node->first);
    PyObject *const *args = is_tuple ? &PyTuple_GET_ITEM(node->first, 0) : pair;
    Py_ssize_t count = is_tuple ? PyTuple_GET_SIZE(node->first) : (node->first != NULL) + (node->second != NULL);
    uint32_t flags = count ? node->flags : 0;
    for (Py_ssize_t i = 0; i < count; i++) {
        flags |= flags_of(args[i]);
    }
    if (!(flags & ASSIGNED)) {
        return 0;
    }
    double few[16], *x = count > 16 ? PyMem_Malloc((size_t)count * sizeof(double)) : few;
    if (x == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        x[i] = PyFloat_CheckExact(args[i]) ? PyFloat_AS_DOUBLE(args[i]) : AS_VALUE(args[i])->data;
    }
    int status = check_fresh(node, x, count);
    if (x != few) {
        PyMem_Free(x);
    }
    return status;
}

/* One partial, or all those of a variadic operation, from the rule in Python. */
static PyObject *
call_rule(Value *node, Py_ssize_t slot, const double *x, Py_ssize_t count)
{
    PyObject *rule = PyTuple_GetItem(operations[node->op].number_partials, slot);
    PyObject *args = rule ? PyTuple_New(count + 1) : NULL;
    if (args == NULL) {
        return NULL;
    }
    for (Py_ssize_t i = 0; i <= count; i++) {
        PyObject *number = PyFloat_FromDouble(i == 0 ? node->data : x[i - 1]);
        if (number == NULL) {
            Py_DECREF(args);
            return NULL;
        }
        PyTuple_SET_ITEM(args, i, number);
    }
    PyObject *result = PyObject_Call(rule, args, NULL);
    Py_DECREF(args);
    return result;
}

static int
partials_in_python(Value *node, const double *x, Py_ssize_t count, unsigned needed, double *partials)
{
    PyObject *listed = NULL;
    if (operations[node->op].arity < 0) {
        PyObject *result = call_rule(node, 0, x, count);
        listed = result ? PySequence_Fast(result, "the rule of a variadic operation gives all its partials") : NULL;
        Py_XDECREF(result);
        if (listed == NULL) {
            return -1;
        }
        if (PySequence_Fast_GET_SIZE(listed) != count) {
            PyErr_Format(PyExc_ValueError, "a rule gives %zd partials for %zd arguments", PySequence_Fast_GET_SIZE(listed), count);
            Py_DECREF(listed);
            return -1;
        }
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        if (listed == NULL && !(needed >> i & 1)) {
            continue;
        }
        PyObject *partial = listed ? Py_NewRef(PySequence_Fast_GET_ITEM(listed, i)) : call_rule(node, i, x, count);
        partials[i] = partial ? PyFloat_AsDouble(partial) : -1.0;
        Py_XDECREF(partial);
        if (partials[i] == -1.0 && PyErr_Occurred()) {
            Py_XDECREF(listed);
            return -1;
        }
    }
    Py_XDECREF(listed);
    return 0;
}

static int
compute_partials(Value *node, const double *x, Py_ssize_t count, unsigned needed, double *partials)
{
    if (operations[node->op].is_compiled) {
        if (partials_of((int)node->op, node->data, x, count, needed, partials) && !failed) {
            return 0;
        }
        failed = 0;
    }
    return partials_in_python(node, x, count, needed, partials);
}

/* The edges of a node whose arguments are in a tuple. */
static int
sweep_tuple(Value *node)
{
    const Operation *operation = &operations[node->op];
    PyObject *args = node->first;
    Py_ssize_t count = PyTuple_GET_SIZE(args);
    double few[32], *x = few;
    if (count > 16) {
        x = PyMem_Malloc(2 * (size_t)count * sizeof(double));
        if (x == NULL) {
            PyErr_NoMemory();
            return -1;
        }
    }
    double *partials = x + count;
    uint32_t flags = node->flags;
    unsigned carries = operation->carries, is_variadic = operation->arity < 0, selects = operation->selects, needed = 0;
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *item = PyTuple_GET_ITEM(args, i);
        if (PyFloat_CheckExact(item)) {
            x[i] = PyFloat_AS_DOUBLE(item);
        }
        else {
            x[i] = AS_VALUE(item)->data;
            flags |= AS_VALUE(item)->flags;
            needed |= is_variadic ? 1u : 1u << i;
        }
    }
    double adjoint = node->adjoint;
    int status = flags & ASSIGNED ? check_fresh(node, x, count) : 0;
    if (status == 0 && carries && needed) {
        status = compute_partials(node, x, count, needed & carries, partials);
        for (Py_ssize_t i = 0; status == 0 && i < count; i++) {
            PyObject *item = PyTuple_GET_ITEM(args, i);
            unsigned slot = is_variadic ? 0 : (unsigned)i;
            if (!PyFloat_CheckExact(item) && carries >> slot & 1) {
                contribute(item, selects >> slot & 1, adjoint, partials[i]);
            }
        }
    }
    if (x != few) {
        PyMem_Free(x);
    }
    return status;
}

/* Complete the adjoints of the nodes of an order, given those of the roots. */
static int
sweep(const Order *order)
{
    for (Py_ssize_t i = order->count; i-- > 0;) {
        Value *node = order->nodes[i];
        PyObject *first = node->first, *second = node->second;
        if (!(node->flags & REACHED)) {
            if (check_unreached(node) < 0) {
                return -1;
            }
            continue;
        }
        if (first == NULL) {
            continue;
        }
        if (PyTuple_CheckExact(first)) {
            if (sweep_tuple(node) < 0) {
                return -1;
            }
            continue;
        }
        /* Not kept beyond this line: a rule in Python may enter operations, and move them all. */
        unsigned carries = operations[node->op].carries, selects = operations[node->op].selects;
        double x[2], partials[2], adjoint = node->adjoint;
        uint32_t flags = node->flags;
        unsigned needed = 0;
        Py_ssize_t count = 1;
        if (PyFloat_CheckExact(first)) {
            if (second == NULL) { /* a constant with a node of its own */
                continue;
            }
            x[0] = PyFloat_AS_DOUBLE(first);
        }
        else {
            x[0] = AS_VALUE(first)->data;
            flags |= AS_VALUE(first)->flags;
            needed = 1;
        }
        if (second != NULL) {
            count = 2;
            if (PyFloat_CheckExact(second)) {
                x[1] = PyFloat_AS_DOUBLE(second);
            }
            else {
                x[1] = AS_VALUE(second)->data;
                flags |= AS_VALUE(second)->flags;
                needed |= 2;
            }
        }
        if (flags & ASSIGNED && check_fresh(node, x, count) < 0) {
            return -1;
        }
        needed &= carries;
        if (compute_partials(node, x, count, needed, partials) < 0) {
            return -1;
        }
        if (needed & 1) {
            contribute(first, selects & 1, adjoint, partials[0]);
        }
        if (needed & 2) {
            contribute(second, selects & 2, adjoint, partials[1]);
        }
    }
    return 0;
}

static void
set_adjoint(Value *node, double adjoint)
{
    node->adjoint = adjoint;
    node->flags |= REACHED;
}

/* --- what Python calls */

/* topological_order(*roots, above=()): as in sweep.py. */
static PyObject *
order_list(PyObject *Py_UNUSED(module), PyObject *args, PyObject *keywords)
{
    PyObject *above = NULL, *result = NULL;
    Order order = {0};
    if (keywords != NULL && PyDict_GET_SIZE(keywords)) {
        above = PyDict_GetItemString(keywords, "above");
        if (above == NULL || PyDict_GET_SIZE(keywords) > 1) {
            PyErr_SetString(PyExc_TypeError, "topological_order(*roots, above=()) has no other keyword");
            return NULL;
        }
        above = PySequence_Fast(above, "above is an iterable of nodes");
        if (above == NULL) {
            return NULL;
        }
    }
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(args); i++) {
        if (!IS_VALUE(PyTuple_GET_ITEM(args, i))) {
            PyErr_Format(PyExc_TypeError, "topological_order takes Values, not %R", PyTuple_GET_ITEM(args, i));
            goto done;
        }
    }
    if (is_sweeping) { /* marks may be in use: leave them alone */
        result = PyObject_Call(package.slow_order, args, keywords);
        goto done;
    }
    epoch++;
    for (Py_ssize_t i = 0; above != NULL && i < PySequence_Fast_GET_SIZE(above); i++) {
        PyObject *node = PySequence_Fast_GET_ITEM(above, i);
        if (IS_VALUE(node)) {
            AS_VALUE(node)->mark = epoch;
        }
    }
    if (topological_order(&PyTuple_GET_ITEM(args, 0), PyTuple_GET_SIZE(args), &order) < 0) {
        goto done;
    }
    result = PyList_New(order.count);
    for (Py_ssize_t i = 0; result != NULL && i < order.count; i++) {
        PyList_SET_ITEM(result, i, Py_NewRef((PyObject *)order.nodes[i]));
    }
done:
    PyMem_RawFree(order.nodes);
    Py_XDECREF(above);
    return result;
}

/* Value.backward(seed=1.0, visit=None). */
static PyObject *
value_backward(PyObject *self, PyObject *const *args, Py_ssize_t nargs, PyObject *keywords)
{
    double seed = 1.0;
    int is_plain = keywords == NULL && nargs <= 1 && PyList_GET_SIZE(package.active_modes) == 0 && !is_sweeping;
    if (is_plain && nargs == 1) {
        is_plain = PyFloat_CheckExact(args[0]);
        seed = is_plain ? PyFloat_AS_DOUBLE(args[0]) : 0.0;
    }
    if (!is_plain) {
        PyObject *method = PyMethod_New(package.slow_backward, self);
        PyObject *result = method ? PyObject_Vectorcall(method, args, (size_t)nargs, keywords) : NULL;
        Py_XDECREF(method);
        return result;
    }
    Order order = {0};
    is_sweeping = 1;
    epoch++;
    int status = topological_order(&self, 1, &order);
    if (status == 0) {
        set_adjoint(AS_VALUE(self), seed);
        status = sweep(&order);
    }
    for (Py_ssize_t i = 0; status == 0 && i < order.count; i++) { /* all or none: no Python code runs in this loop */
        order.nodes[i]->grad += order.nodes[i]->adjoint;
    }
    is_sweeping = 0;
    PyMem_RawFree(order.nodes);
    return status < 0 ? NULL : Py_NewRef(Py_None);
}

/* pull_numbers(roots, leaves, above): the adjoints of the leaves, as floats, given a dictionary with those of the roots.
   With `above` nothing below a leaf is visited. */
static PyObject *
pull_numbers(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t nargs)
{
    if (nargs != 3 || !PyDict_CheckExact(args[0]) || !PyList_CheckExact(args[1])) {
        PyErr_SetString(PyExc_TypeError, "pull_numbers takes a dictionary of roots, a list of leaves, and whether to prune");
        return NULL;
    }
    PyObject *roots = args[0], *leaves = args[1], *node, *number;
    Py_ssize_t position = 0, root_count = 0, leaf_count = PyList_GET_SIZE(leaves);
    int is_plain = !is_sweeping, prunes = PyObject_IsTrue(args[2]);
    for (Py_ssize_t i = 0; is_plain && i < leaf_count; i++) {
        is_plain = IS_VALUE(PyList_GET_ITEM(leaves, i));
    }
    while (is_plain && PyDict_Next(roots, &position, &node, &number)) {
        is_plain = IS_VALUE(node) && PyFloat_CheckExact(number);
    }
    if (!is_plain) {
        return PyObject_Vectorcall(package.slow_pull, args, (size_t)nargs, NULL);
    }
    Order order = {0};
    PyObject *result = NULL, **nodes = PyMem_Malloc(((size_t)PyDict_GET_SIZE(roots) + 1) * sizeof(PyObject *));
    if (nodes == NULL) {
        return PyErr_NoMemory();
    }
    for (position = 0; PyDict_Next(roots, &position, &node, &number);) {
        nodes[root_count++] = node;
    }
    is_sweeping = 1;
    epoch++;
    for (Py_ssize_t i = 0; prunes && i < leaf_count; i++) {
        see(AS_VALUE(PyList_GET_ITEM(leaves, i)));
    }
    int status = topological_order(nodes, root_count, &order);
    if (status == 0) {
        for (position = 0; PyDict_Next(roots, &position, &node, &number);) {
            set_adjoint(AS_VALUE(node), PyFloat_AS_DOUBLE(number));
        }
        status = sweep(&order);
    }
    result = status == 0 ? PyList_New(leaf_count) : NULL;
    for (Py_ssize_t i = 0; result != NULL && i < leaf_count; i++) {
        Value *leaf = AS_VALUE(PyList_GET_ITEM(leaves, i));
        int is_reached = leaf->mark == epoch && leaf->flags & REACHED;
        PyObject *adjoint = PyFloat_FromDouble(is_reached ? leaf->adjoint : 0.0);
        if (adjoint == NULL) {
            Py_CLEAR(result);
            break;
        }
        PyList_SET_ITEM(result, i, adjoint);
    }
    is_sweeping = 0;
    PyMem_RawFree(order.nodes);
    PyMem_Free(nodes);
    return result;
}

/* has_leaf(order, others): as in sweep.py. */
static PyObject *
has_leaf(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t nargs)
{
    if (nargs != 2 || !PyList_CheckExact(args[0]) || !PySet_Check(args[1])) {
        PyErr_SetString(PyExc_TypeError, "has_leaf takes a list and a set of nodes");
        return NULL;
    }
    int others = PySet_GET_SIZE(args[1]) > 0;
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(args[0]); i++) {
        PyObject *node = PyList_GET_ITEM(args[0], i);
        if (!IS_VALUE(node)) {
            PyErr_Format(PyExc_TypeError, "has_leaf takes Values, not %R", node);
            return NULL;
        }
        int is_one = AS_VALUE(node)->op == 0 ? 1 : others ? PySet_Contains(args[1], node) : 0;
        if (is_one != 0) {
            return is_one < 0 ? NULL : Py_NewRef(Py_True);
        }
    }
    Py_RETURN_FALSE;
}
