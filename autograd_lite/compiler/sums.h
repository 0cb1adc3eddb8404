/* The sums of results over points, in the parts and in the order that `Path.sums` has. */

/* The sums of the outputs over points; `block` has room for a vector of each output that is no constant. Gives flags. */
static int64_t
add_up(const Entry *self, const double *numbers, double *const *arrays, Py_ssize_t count, double *block, uint8_t *held, double *sums)
{
    const Py_ssize_t width = self->width, groups = count / width;
    Py_ssize_t parts = groups / 16;
    parts = parts < 1 ? 1 : parts > self->parts_of_sums ? self->parts_of_sums : parts;
    for (Py_ssize_t part = 0; part < parts; part++) {
        const Py_ssize_t first = groups * part / parts * width, last = part + 1 == parts ? count : groups * (part + 1) / parts * width;
        memset(block, 0, self->variables * width * sizeof(double));
        const int64_t flags = self->way[0].fast(numbers, arrays, block, held, first, last);
        if (flags != 0) {
            return flags;
        }
        for (Py_ssize_t i = 0; i < self->variables; i++) {
            double *lanes = block + i * width;
            for (Py_ssize_t left = width; left > 1; left /= 2) {
                for (Py_ssize_t k = 0; k < left / 2; k++) {
                    lanes[k] = lanes[2 * k] + lanes[2 * k + 1];
                }
            }
            sums[i] = part == 0 ? lanes[0] : sums[i] + lanes[0];
        }
    }
    return 0;
}

/* What to make of the sums: the result's numbers, constants among them. */
static void
complete(const Entry *self, Py_ssize_t count, const double *sums, double *outputs)
{
    const double points = (double)count;
    for (Py_ssize_t i = 0; i < self->outputs; i++) {
        outputs[i] = self->way[0].template_[i] * points;
    }
    for (Py_ssize_t i = 0; i < self->variables; i++) {
        outputs[self->variable[i]] = sums[i];
    }
    for (Py_ssize_t i = 0; self->mean && i < self->outputs; i++) {
        outputs[i] /= points;
    }
}

/* The sums over points; 0 in `found` where Python has to look. */
static PyObject *
sums_over_points(const Entry *self, double *numbers, double *const *arrays, Py_ssize_t count, uint8_t *held, int *found)
{
    double *block = numbers + self->shared, *sums = block + self->variables * self->width, *outputs = sums + self->variables;
    int64_t flags;
    Py_BEGIN_ALLOW_THREADS
    flags = add_up(self, numbers, arrays, count, block, held, sums);
    Py_END_ALLOW_THREADS
    if (flags != 0) {
        *found = 0;
        return NULL;
    }
    complete(self, count, sums, outputs);
    const double *from = outputs;
    return give(self, &self->result, give_numbers, &from);
}
