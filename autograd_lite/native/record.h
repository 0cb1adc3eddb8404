/* Recording: operators, methods and functions that make nodes. */

/* --- arguments */

/* The floats of small integers, made once: `x**2` in a loop needs no new object. */
#define SMALLEST_KEPT (-16)
#define LARGEST_KEPT 256
static PyObject *kept_floats[LARGEST_KEPT - SMALLEST_KEPT + 1];

/* The float of an int, a new reference; NULL without an exception if it lies beyond the largest float. */
static PyObject *
float_of_int(PyObject *integer)
{
    double number = PyLong_AsDouble(integer);
    if (number == -1.0 && PyErr_Occurred()) {
        PyErr_Clear();
        return NULL;
    }
    if (!(number >= SMALLEST_KEPT && number <= LARGEST_KEPT)) {
        return PyFloat_FromDouble(number);
    }
    PyObject **kept = &kept_floats[(int)number - SMALLEST_KEPT];
    if (*kept == NULL) {
        *kept = PyFloat_FromDouble(number);
    }
    return Py_XNewRef(*kept);
}

/* An argument as the graph keeps it, a new reference: a Value or a float; anything else becomes a float, or raises. */
static PyObject *
as_operand(PyObject *x, PyObject *role)
{
    if (PyFloat_CheckExact(x) || IS_VALUE(x)) {
        return Py_NewRef(x);
    }
    if (PyLong_CheckExact(x)) {
        PyObject *number = float_of_int(x);
        if (number != NULL || PyErr_Occurred()) {
            return number;
        }
    }
    return PyObject_CallFunctionObjArgs(package.real_number, x, role, NULL);
}

static inline double
number_of(PyObject *operand)
{
    return IS_VALUE(operand) ? AS_VALUE(operand)->data : PyFloat_AS_DOUBLE(operand);
}

/* The name of an operation, a new reference. */
static PyObject *
name_of(uint32_t op)
{
    return PyObject_GetAttrString(operations[op].primitive, "name");
}

/* --- values */

/* The number of an operation; -1 with an exception where there is none. */
static int
compute(uint32_t op, const double *x, Py_ssize_t count, double *result)
{
    if (operations[op].is_compiled && count > 0) {
        *result = value_of((int)op, x, count);
        if (!failed) {
            return 0;
        }
        failed = 0; /* Python repeats the operation and raises */
    }
    PyObject *args = PyTuple_New(count);
    if (args == NULL) {
        return -1;
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *number = PyFloat_FromDouble(x[i]);
        if (number == NULL) {
            Py_DECREF(args);
            return -1;
        }
        PyTuple_SET_ITEM(args, i, number);
    }
    PyObject *number = PyObject_Call(operations[op].fn, args, NULL);
    Py_DECREF(args);
    if (number == NULL) {
        return -1;
    }
    *result = PyFloat_AsDouble(number);
    Py_DECREF(number);
    return *result == -1.0 && PyErr_Occurred() ? -1 : 0;
}

/* The number that a mode has in the place of the result of an operation that has raised; -1 with the exception where none has. */
static int
take_place(uint32_t op, PyObject *operands, double *data)
{
    if (operands == NULL || !PyList_GET_SIZE(package.active_modes) || !PyErr_ExceptionMatches(PyExc_Exception)) {
        return -1;
    }
    PyObject *type, *error, *traceback;
    PyErr_Fetch(&type, &error, &traceback);
    PyErr_NormalizeException(&type, &error, &traceback);
    if (traceback != NULL) {
        PyException_SetTraceback(error, traceback);
    }
    PyObject *number = PyObject_CallFunctionObjArgs(package.in_place_of, operations[op].primitive, operands, error, NULL);
    Py_XDECREF(type);
    Py_XDECREF(error);
    Py_XDECREF(traceback);
    if (number == NULL) {
        return -1;
    }
    *data = PyFloat_AsDouble(number);
    Py_DECREF(number);
    return *data == -1.0 && PyErr_Occurred() ? -1 : 0;
}

/* --- nodes */

/* The node as the modes leave it (no_grad, scope, anomaly); steals the reference. */
static PyObject *
observed(Value *node)
{
    PyObject *result = PyObject_CallOneArg(package.observed, (PyObject *)node);
    Py_DECREF(node);
    return result;
}

#define OBSERVED(node) (PyList_GET_SIZE(package.active_modes) ? observed(node) : (PyObject *)(node))

/* A division by 0 or an overflow leaves a flag in the processor, which NumPy would report after a loop over objects; the engine in
   Python asks before it divides and leaves none. */
#define REPORTED (FE_DIVBYZERO | FE_OVERFLOW | FE_INVALID)
#define FORGET_FLAGS(data) ((void)(!isfinite(data) && fetestexcept(REPORTED) ? feclearexcept(REPORTED) : 0))

/* The class of a result, borrowed, when operands are looked at one by one: that of the first one whose class asks for results of
   its own, as engine._result_class finds it. NULL: there was no node so far. */
static inline PyTypeObject *
result_class(PyTypeObject *so_far, PyObject *operand)
{
    if (IS_NODE(operand)) {
        return so_far == NULL ? ValueType : so_far;
    }
    if ((so_far != NULL && so_far != ValueType) || PyFloat_CheckExact(operand)) {
        return so_far;
    }
    static struct {
        PyTypeObject *type, *result;
        unsigned int version; /* of the type's attributes; 0 if it has none */
    } last;
    PyTypeObject *type = Py_TYPE(operand);
    if (type == last.type && type->tp_version_tag == last.version && last.version != 0) {
        return last.result;
    }
    PyObject *found = PyObject_GetAttr((PyObject *)type, package.result_class);
    if (found == NULL) {
        PyErr_Clear();
        return ValueType;
    }
    Py_DECREF(found); /* the class of the operand keeps it */
    last.type = type;
    last.version = type->tp_version_tag;
    last.result = PyType_Check(found) && PyType_IsSubtype((PyTypeObject *)found, ValueType) ? (PyTypeObject *)found : ValueType;
    return last.result;
}

/* `is_above`: an operand can be part of a cycle. */
static inline Value *
new_result(PyTypeObject *type, uint32_t op, double data, int is_above)
{
    Value *node = type != ValueType ? new_instance(type, is_above) : is_above ? new_registered_node() : new_node();
    if (node != NULL) {
        FORGET_FLAGS(data);
        node->data = data;
        node->op = op;
        node->first = NULL;
    }
    return node;
}

static inline PyObject *
record_unary(PyTypeObject *type, uint32_t op, double data, PyObject *x)
{
    Value *node = new_result(type, op, data, can_be_in_cycle(x));
    if (node == NULL) {
        return NULL;
    }
    node->first = Py_NewRef(x);
    return OBSERVED(node);
}

static inline PyObject *
record_binary(PyTypeObject *type, uint32_t op, double data, PyObject *x, PyObject *y)
{
    Value *node = new_result(type, op, data, can_be_in_cycle(x) || can_be_in_cycle(y));
    if (node == NULL) {
        return NULL;
    }
    node->first = Py_NewRef(x);
    node->second = Py_NewRef(y);
    return OBSERVED(node);
}

/* A node on the operands in a tuple, in their places: one or two of their own, or the tuple, to which it takes a reference. */
static PyObject *
record_tuple(PyTypeObject *type, uint32_t op, double data, PyObject *operands)
{
    Py_ssize_t count = PyTuple_GET_SIZE(operands);
    if (operations[op].arity >= 0 && count == 1) {
        return record_unary(type, op, data, PyTuple_GET_ITEM(operands, 0));
    }
    if (operations[op].arity >= 0 && count == 2) {
        return record_binary(type, op, data, PyTuple_GET_ITEM(operands, 0), PyTuple_GET_ITEM(operands, 1));
    }
    int is_above = 0;
    for (Py_ssize_t i = 0; i < count; i++) {
        is_above |= can_be_in_cycle(PyTuple_GET_ITEM(operands, i));
    }
    Value *node = new_result(type, op, data, is_above);
    if (node == NULL) {
        return NULL;
    }
    node->first = Py_NewRef(operands);
    return OBSERVED(node);
}

static PyTypeObject *
result_class_of_tuple(PyObject *operands)
{
    PyTypeObject *type = NULL;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(operands); i++) {
        type = result_class(type, PyTuple_GET_ITEM(operands, i));
    }
    return type == NULL ? ValueType : type;
}

/* A node of an operation on the operands in a tuple, all floats and Values. */
static PyObject *
record(uint32_t op, PyObject *operands)
{
    double few[16] = {0.0}, *x = few;
    Py_ssize_t count = PyTuple_GET_SIZE(operands);
    if (count > 16) {
        x = PyMem_Malloc((size_t)count * sizeof(double));
        if (x == NULL) {
            return PyErr_NoMemory();
        }
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        x[i] = number_of(PyTuple_GET_ITEM(operands, i));
    }
    double data;
    int status = compute(op, x, count, &data);
    if (x != few) {
        PyMem_Free(x);
    }
    if (status < 0 && take_place(op, operands, &data) < 0) {
        return NULL;
    }
    return record_tuple(result_class_of_tuple(operands), op, data, operands);
}

/* Whether a number of arguments fits an operation; -1 with the error of Primitive.complete where it does not. */
static int
check_count(uint32_t op, Py_ssize_t count)
{
    const Operation *operation = &operations[op];
    if (operation->arity < 0 || operation->arity == count) {
        return 0;
    }
    PyObject *name = name_of(op);
    if (name != NULL) {
        PyErr_Format(PyExc_TypeError, "%U takes %d argument%s, got %zd", name, operation->arity, operation->arity == 1 ? "" : "s", count);
        Py_DECREF(name);
    }
    return -1;
}

/* The arguments of an operation as the graph keeps them, a new tuple of floats and Values. */
static PyObject *
operands_of(uint32_t op, PyObject *args)
{
    Py_ssize_t count = PyTuple_GET_SIZE(args);
    PyObject *name = name_of(op), *operands = name ? PyTuple_New(count) : NULL;
    if (operands == NULL || check_count(op, count) < 0) {
        Py_CLEAR(operands);
    }
    for (Py_ssize_t i = 0; operands != NULL && i < count; i++) {
        PyObject *operand = as_operand(PyTuple_GET_ITEM(args, i), name);
        if (operand == NULL) {
            Py_CLEAR(operands);
            break;
        }
        PyTuple_SET_ITEM(operands, i, operand);
    }
    Py_XDECREF(name);
    return operands;
}

/* Value.__record__(primitive, args): the node of a primitive applied to Values and numbers. */
static PyObject *
value_record(PyObject *Py_UNUSED(type), PyObject *const *args, Py_ssize_t nargs)
{
    if (nargs != 2 || !PyTuple_Check(args[1])) {
        PyErr_SetString(PyExc_TypeError, "__record__ takes a primitive and the tuple of its arguments");
        return NULL;
    }
    uint32_t op = operation_of(args[0]);
    PyObject *operands = op ? operands_of(op, args[1]) : NULL;
    PyObject *result = operands ? record(op, operands) : NULL;
    Py_XDECREF(operands);
    return result;
}

/* The node of a primitive whose number is already known: make_node(data, primitive, operands). */
static PyObject *
make_node(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t nargs)
{
    if (nargs != 3 || !PyTuple_Check(args[2])) {
        PyErr_SetString(PyExc_TypeError, "make_node takes a number, a primitive and the tuple of its operands");
        return NULL;
    }
    double data = PyFloat_AsDouble(args[0]);
    if (data == -1.0 && PyErr_Occurred()) {
        return NULL;
    }
    uint32_t op = operation_of(args[1]);
    PyObject *operands = op ? operands_of(op, args[2]) : NULL;
    PyObject *result = operands ? record_tuple(result_class_of_tuple(operands), op, data, operands) : NULL;
    Py_XDECREF(operands);
    return result;
}

/* --- operators */

/* 1 if x can be an operand, 0 if it is something foreign, -1 with an exception. */
static int
is_operand(PyObject *x)
{
    if (PyFloat_CheckExact(x) || PyLong_CheckExact(x) || IS_VALUE(x)) {
        return 1;
    }
    return PyObject_IsInstance(x, package.real);
}

static PyObject *apply(uint32_t op, PyObject *const *args, Py_ssize_t nargs, int *is_known);

/* An operator on other things than two nodes, or a node and a float. */
static PyObject *
binary_slowly(uint32_t op, PyObject *left, PyObject *right)
{
    int is_known;
    PyObject *applied = apply(op, (PyObject *[]){left, right}, 2, &is_known);
    if (is_known) {
        return applied;
    }
    int fits = is_operand(left);
    if (fits == 1) {
        fits = is_operand(right);
    }
    if (fits != 1) {
        return fits < 0 ? NULL : Py_NewRef(Py_NotImplemented);
    }
    PyObject *name = name_of(op), *result = NULL;
    PyObject *x = name ? as_operand(left, name) : NULL, *y = x ? as_operand(right, name) : NULL;
    if (y != NULL) {
        double numbers[2] = {number_of(x), number_of(y)}, data;
        int status = compute(op, numbers, 2, &data);
        if (status < 0 && PyList_GET_SIZE(package.active_modes)) {
            PyObject *type, *error, *traceback; /* a tuple is not made while there is an exception */
            PyErr_Fetch(&type, &error, &traceback);
            PyObject *operands = PyTuple_Pack(2, x, y);
            PyErr_Restore(type, error, traceback);
            status = take_place(op, operands, &data);
            Py_XDECREF(operands);
        }
        if (status == 0) {
            result = record_binary(result_class(result_class(NULL, x), y), op, data, x, y);
        }
    }
    Py_XDECREF(name);
    Py_XDECREF(x);
    Py_XDECREF(y);
    return result;
}

/* An operator on a node and an int: the int is a float of its own in the graph. */
static PyObject *
binary_with_int(uint32_t op, binaryfunc apply, PyObject *left, PyObject *right)
{
    PyObject *integer = PyLong_CheckExact(right) ? right : left, *result = NULL;
    PyObject *constant = float_of_int(integer);
    if (constant == NULL) {
        return PyErr_Occurred() ? NULL : binary_slowly(op, left, right);
    }
    result = integer == right ? apply(left, constant) : apply(constant, right);
    Py_DECREF(constant);
    return result;
}

/* The number of a Value or a float, where it is one. */
static inline int
has_number(PyObject *operand, double *number)
{
    if (IS_VALUE(operand)) {
        *number = AS_VALUE(operand)->data;
        return 1;
    }
    if (PyFloat_CheckExact(operand)) {
        *number = PyFloat_AS_DOUBLE(operand);
        return 1;
    }
    return 0;
}

#define BINARY(name, OP)                                                                                                \
    static PyObject *operator_##name(PyObject *left, PyObject *right)                                                   \
    {                                                                                                                   \
        double x, y;                                                                                                    \
        if (has_number(left, &x) && has_number(right, &y)) {                                                            \
            double data = value_##name(x, y);                                                                           \
            if (!failed) {                                                                                              \
                return record_binary(result_class(result_class(NULL, left), right), OP, data, left, right);                 \
            }                                                                                                           \
            failed = 0;                                                                                                 \
        }                                                                                                               \
        else if ((IS_VALUE(left) && PyLong_CheckExact(right)) || (IS_VALUE(right) && PyLong_CheckExact(left))) {        \
            return binary_with_int(OP, operator_##name, left, right);                                                   \
        }                                                                                                               \
        return binary_slowly(OP, left, right);                                                                          \
    }

BINARY(add, OP_ADD)
BINARY(subtract, OP_SUBTRACT)
BINARY(multiply, OP_MULTIPLY)
BINARY(divide, OP_DIVIDE)
BINARY(floor_divide, OP_FLOOR_DIVIDE)
BINARY(mod, OP_MOD)
BINARY(power, OP_POWER)

static PyObject *
operator_pow(PyObject *left, PyObject *right, PyObject *modulus)
{
    return modulus == Py_None ? operator_power(left, right) : Py_NewRef(Py_NotImplemented);
}

#define UNARY(name, OP)                                                                                                 \
    static PyObject *operator_##name(PyObject *self)                                                                    \
    {                                                                                                                   \
        return record_unary(result_class(NULL, self), OP, value_##name(AS_VALUE(self)->data), self);                    \
    }

UNARY(negative, OP_NEGATIVE)
UNARY(positive, OP_POSITIVE)
UNARY(absolute, OP_ABSOLUTE)

/* The outcome of a comparison as the modes have it; None: as the numbers have it. */
static PyObject *
compared(PyObject *self, PyObject *other, int comparison)
{
    static const char *symbols[] = {"<", "<=", "==", "!=", ">", ">="}; /* by Py_LT, Py_LE, ... */
    return PyObject_CallFunction(package.compared, "sOO", symbols[comparison], self, other);
}

static int
value_bool(PyObject *self)
{
    if (PyList_GET_SIZE(package.active_modes)) {
        PyObject *zero = PyFloat_FromDouble(0.0), *outcome = zero ? compared(self, zero, Py_NE) : NULL;
        Py_XDECREF(zero);
        if (outcome != Py_None) {
            int truth = outcome ? PyObject_IsTrue(outcome) : -1;
            Py_XDECREF(outcome);
            return truth;
        }
        Py_DECREF(outcome);
    }
    return AS_VALUE(self)->data != 0.0;
}

static PyObject *
value_richcompare(PyObject *self, PyObject *other, int comparison)
{
    if (PyList_GET_SIZE(package.active_modes)) {
        PyObject *outcome = compared(self, other, comparison);
        if (outcome != Py_None) {
            return outcome;
        }
        Py_DECREF(outcome);
    }
    double x = AS_VALUE(self)->data, y;
    if (IS_VALUE(other)) {
        y = AS_VALUE(other)->data;
    }
    else if (PyFloat_CheckExact(other)) {
        y = PyFloat_AS_DOUBLE(other);
    }
    else {
        int is_order = comparison != Py_EQ && comparison != Py_NE; /* which complex numbers have not */
        int is_number = PyLong_CheckExact(other) ? 1 : PyObject_IsInstance(other, is_order ? package.real : package.number);
        if (is_number <= 0) {
            return is_number < 0 ? NULL : Py_NewRef(Py_NotImplemented);
        }
        PyObject *number = PyFloat_FromDouble(x); /* integers and fractions compare exactly */
        int outcome = number ? PyObject_RichCompareBool(number, other, comparison) : -1;
        Py_XDECREF(number);
        return outcome < 0 ? NULL : PyBool_FromLong(outcome);
    }
    Py_RETURN_RICHCOMPARE(x, y, comparison);
}

/* --- methods and functions: every primitive is both */

/* Take a tuple of arguments out of the cyclic collector's lists: a full collection looks at it together with its node. */
static void
forget_tuple(PyObject *operands)
{
    if (PyTuple_GET_SIZE(operands) > 0) {
        PyObject_GC_UnTrack(operands);
    }
}

/* A primitive on arguments that are all floats, ints and Values: a number, or a node if there is a Value among them.
   `*is_known` is 0 where Python must decide. */
static PyObject *
apply(uint32_t op, PyObject *const *args, Py_ssize_t nargs, int *is_known)
{
    const Operation *operation = &operations[op];
    double x[3];
    PyObject *operands[3];
    Py_ssize_t arity = operation->arity, made = 0;
    PyTypeObject *type = NULL;
    PyObject *result = NULL;
    *is_known = 0;
    if (!operation->is_compiled || arity < 1 || arity > 3 || nargs > arity || nargs < arity - operation->optional) {
        return NULL;
    }
    for (Py_ssize_t i = 0; i < nargs; i++) {
        if (PyFloat_CheckExact(args[i])) {
            x[i] = PyFloat_AS_DOUBLE(args[i]);
        }
        else if (IS_VALUE(args[i])) {
            x[i] = AS_VALUE(args[i])->data;
            type = result_class(type, args[i]);
        }
        else if (PyLong_CheckExact(args[i])) {
            x[i] = PyLong_AsDouble(args[i]);
            if (x[i] == -1.0 && PyErr_Occurred()) {
                PyErr_Clear();
                return NULL;
            }
        }
        else {
            return NULL;
        }
    }
    for (Py_ssize_t i = nargs; i < arity; i++) {
        x[i] = operation->defaults[i - (arity - operation->optional)];
    }
    double data = value_of((int)op, x, arity);
    if (failed) {
        failed = 0;
        return NULL;
    }
    *is_known = 1;
    if (type == NULL) {
        return PyFloat_FromDouble(data);
    }
    for (; made < arity; made++) {
        int is_kept = made < nargs && !PyLong_CheckExact(args[made]);
        operands[made] = is_kept ? Py_NewRef(args[made]) : PyFloat_FromDouble(x[made]);
        if (operands[made] == NULL) {
            goto done;
        }
    }
    if (arity == 1) {
        result = record_unary(type, op, data, operands[0]);
    }
    else if (arity == 2) {
        result = record_binary(type, op, data, operands[0], operands[1]);
    }
    else {
        PyObject *tuple = PyTuple_Pack(3, operands[0], operands[1], operands[2]);
        if (tuple != NULL) {
            forget_tuple(tuple);
            result = record_tuple(type, op, data, tuple);
            Py_DECREF(tuple);
        }
    }
done:
    while (made > 0) {
        Py_DECREF(operands[--made]);
    }
    return result;
}

/* The items of the arguments of a variadic operation: lists and tuples are opened, as primitive.flatten and primitive.paired do
   it. Gives a new tuple of floats and Values, or NULL, without an exception where Python must decide. */
static PyObject *
gathered(const Operation *operation, PyObject *const *args, Py_ssize_t nargs, int *has_node)
{
    Py_ssize_t count = 0, length = -1;
    for (Py_ssize_t i = 0; i < nargs; i++) {
        Py_ssize_t items = -1;
        if (PyList_CheckExact(args[i]) || PyTuple_CheckExact(args[i])) {
            items = PySequence_Fast_GET_SIZE(args[i]);
        }
        if (operation->is_paired && (nargs % 2 || (i > 0 && items != length) || (items >= 0 && nargs != 2))) {
            return NULL;
        }
        length = items;
        count += items < 0 ? 1 : items;
    }
    PyObject *operands = PyTuple_New(count);
    if (operands == NULL) {
        return NULL;
    }
    Py_ssize_t at = 0;
    for (Py_ssize_t i = 0; i < nargs; i++) {
        int is_list = PyList_CheckExact(args[i]) || PyTuple_CheckExact(args[i]);
        Py_ssize_t items = is_list ? PySequence_Fast_GET_SIZE(args[i]) : 1;
        for (Py_ssize_t j = 0; j < items; j++, at++) {
            PyObject *item = is_list ? PySequence_Fast_GET_ITEM(args[i], j) : args[i];
            PyObject *operand = NULL;
            if (IS_VALUE(item)) {
                *has_node = 1;
                operand = Py_NewRef(item);
            }
            else if (PyFloat_CheckExact(item)) {
                operand = Py_NewRef(item);
            }
            else if (PyLong_CheckExact(item)) {
                operand = float_of_int(item);
            }
            if (operand == NULL) {
                PyErr_Clear();
                Py_DECREF(operands);
                return NULL;
            }
            PyTuple_SET_ITEM(operands, at, operand);
        }
    }
    forget_tuple(operands);
    return operands;
}

static PyObject *
apply_variadic(uint32_t op, PyObject *const *args, Py_ssize_t nargs, int *is_known)
{
    int has_node = 0;
    *is_known = 0;
    if (!operations[op].is_compiled) {
        return NULL;
    }
    PyObject *operands = gathered(&operations[op], args, nargs, &has_node), *result = NULL;
    if (operands == NULL || !has_node) { /* Python's float functions do as well on numbers alone */
        Py_XDECREF(operands);
        return NULL;
    }
    *is_known = 1;
    result = record(op, operands);
    Py_DECREF(operands);
    return result;
}

/* A primitive called with positional arguments. */
static PyObject *
call_primitive(uint32_t op, PyObject *const *args, Py_ssize_t nargs)
{
    if (nargs == 1 && IS_VALUE(args[0]) && operations[op].arity == 1 && operations[op].is_compiled) {
        double data = value_of((int)op, &AS_VALUE(args[0])->data, 1); /* no function of one argument fails */
        return record_unary(result_class(NULL, args[0]), op, data, args[0]);
    }
    int is_known;
    PyObject *result = operations[op].arity < 0 ? apply_variadic(op, args, nargs, &is_known) : apply(op, args, nargs, &is_known);
    if (is_known || PyErr_Occurred()) {
        return result;
    }
    PyObject *all = PyTuple_New(nargs + 1);
    if (all == NULL) {
        return NULL;
    }
    PyTuple_SET_ITEM(all, 0, Py_NewRef(operations[op].primitive));
    for (Py_ssize_t i = 0; i < nargs; i++) {
        PyTuple_SET_ITEM(all, i + 1, Py_NewRef(args[i]));
    }
    result = PyObject_Call(package.slow_call, all, NULL);
    Py_DECREF(all);
    return result;
}

/* Primitive.__call__, put in the place of the one in Python. */
static PyObject *
primitive_call(PyObject *self, PyObject *args, PyObject *keywords)
{
    uint32_t op = 0;
    if (keywords == NULL) {
        op = operation_of(self);
        if (op == 0) {
            return NULL;
        }
        return call_primitive(op, &PyTuple_GET_ITEM(args, 0), PyTuple_GET_SIZE(args));
    }
    PyObject *bound = PyMethod_New(package.slow_call, self);
    PyObject *result = bound ? PyObject_Call(bound, args, keywords) : NULL;
    Py_XDECREF(bound);
    return result;
}

/* A method of Value that applies a primitive; one object a primitive. */
typedef struct {
    PyObject_HEAD
    vectorcallfunc vectorcall;
    PyObject *name, *qualified_name;
    uint32_t op;
} Method;

/* ufuncs.called_as_method(primitive, args, keywords). */
static PyObject *
called_with_keywords(uint32_t op, PyObject *const *args, Py_ssize_t nargs, PyObject *names)
{
    PyObject *positional = PyTuple_New(nargs), *keywords = PyDict_New(), *result = NULL;
    int status = positional == NULL || keywords == NULL ? -1 : 0;
    for (Py_ssize_t i = 0; status == 0 && i < nargs; i++) {
        PyTuple_SET_ITEM(positional, i, Py_NewRef(args[i]));
    }
    for (Py_ssize_t i = 0; status == 0 && i < PyTuple_GET_SIZE(names); i++) {
        status = PyDict_SetItem(keywords, PyTuple_GET_ITEM(names, i), args[nargs + i]);
    }
    if (status == 0) {
        result = PyObject_CallFunctionObjArgs(package.called_as_method, operations[op].primitive, positional, keywords, NULL);
    }
    Py_XDECREF(positional);
    Py_XDECREF(keywords);
    return result;
}

static PyObject *
method_vectorcall(PyObject *self, PyObject *const *args, size_t nargsf, PyObject *keywords)
{
    Py_ssize_t nargs = PyVectorcall_NARGS(nargsf);
    uint32_t op = ((Method *)self)->op;
    if (nargs < 1 || !IS_VALUE(args[0])) {
        PyErr_Format(PyExc_TypeError, "%U() is a method of Value: its first argument is one", ((Method *)self)->qualified_name);
        return NULL;
    }
    if (keywords != NULL && PyTuple_GET_SIZE(keywords)) {
        return called_with_keywords(op, args, nargs, keywords);
    }
    return call_primitive(op, args, nargs);
}

static PyObject *
method_new(PyTypeObject *type, PyObject *args, PyObject *keywords)
{
    static char *names[] = {"primitive", "name", NULL};
    PyObject *primitive, *name;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "OU:Method", names, &primitive, &name)) {
        return NULL;
    }
    uint32_t op = operation_of(primitive);
    if (op == 0) {
        return NULL;
    }
    Method *self = (Method *)type->tp_alloc(type, 0);
    if (self == NULL) {
        return NULL;
    }
    self->vectorcall = method_vectorcall;
    self->op = op;
    self->name = Py_NewRef(name);
    self->qualified_name = PyUnicode_FromFormat("Value.%U", name);
    if (self->qualified_name == NULL) {
        Py_DECREF(self);
        return NULL;
    }
    return (PyObject *)self;
}

static void
method_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    Method *method = (Method *)self;
    Py_XDECREF(method->name);
    Py_XDECREF(method->qualified_name);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyObject *
method_get(PyObject *self, PyObject *instance, PyObject *Py_UNUSED(owner))
{
    return instance == NULL || instance == Py_None ? Py_NewRef(self) : PyMethod_New(self, instance);
}

static PyObject *
method_repr(PyObject *self)
{
    return PyUnicode_FromFormat("<method %U>", ((Method *)self)->qualified_name);
}

/* The docstring and the signature, as the primitive gives them. */
static PyObject *
method_doc(PyObject *self, void *Py_UNUSED(closure))
{
    return PyObject_CallMethod(operations[((Method *)self)->op].primitive, "method_doc", NULL);
}

static PyObject *
method_signature(PyObject *self, void *Py_UNUSED(closure))
{
    return PyObject_CallMethod(operations[((Method *)self)->op].primitive, "call_signature", "O", Py_True);
}

static PyGetSetDef method_getset[] = {
    {"__doc__", method_doc, NULL, NULL, NULL},
    {"__signature__", method_signature, NULL, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyMemberDef method_members[] = {
    {"__name__", T_OBJECT, offsetof(Method, name), READONLY, NULL},
    {"__qualname__", T_OBJECT, offsetof(Method, qualified_name), READONLY, NULL},
    {"__vectorcalloffset__", T_PYSSIZET, offsetof(Method, vectorcall), READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot method_slots[] = {
    {Py_tp_new, method_new},
    {Py_tp_dealloc, method_dealloc},
    {Py_tp_call, PyVectorcall_Call},
    {Py_tp_descr_get, method_get},
    {Py_tp_repr, method_repr},
    {Py_tp_members, method_members},
    {Py_tp_getset, method_getset},
    {0, NULL},
};

static PyType_Spec method_spec = {
    .name = "autograd_lite.native._native.Method",
    .basicsize = sizeof(Method),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_VECTORCALL | Py_TPFLAGS_METHOD_DESCRIPTOR,
    .slots = method_slots,
};
