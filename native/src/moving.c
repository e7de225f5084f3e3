/* Elements that are moved: chosen by a mask, taken and put by their places, made into another dtype
 * by NumPy's own casts, joined along an axis. */
#include "instructions.h"

#include <string.h>

/* A choice for each size, called as NumPy's loops are: mask, one, other, result. Steps that the
 * compiler knows make the usual ones several times as fast. */
#define CHOICES(TYPE)                                                                              \
    static inline void choose_##TYPE##_by(char *const *operands, npy_intp count, npy_intp mask,    \
                                          npy_intp one, npy_intp other, npy_intp to)               \
    {                                                                                              \
        for (npy_intp i = 0; i < count; i++) {                                                     \
            LOAD(npy_bool, operands[0] + i * mask, chosen);                                        \
            LOAD(TYPE, operands[1] + i * one, first);                                              \
            LOAD(TYPE, operands[2] + i * other, second);                                           \
            TYPE element = chosen ? first : second;                                                \
            STORE(operands[3] + i * to, element);                                                  \
        }                                                                                          \
    }                                                                                              \
    static void choose_##TYPE(char **operands, const npy_intp *dimensions,                         \
                              const npy_intp *steps, void *data)                                   \
    {                                                                                              \
        (void)data;                                                                                \
        npy_intp count = dimensions[0], size = sizeof(TYPE);                                       \
        int in_rows = steps[0] == 1 && steps[3] == size;                                           \
        if (in_rows && steps[1] == size && steps[2] == size) {                                     \
            choose_##TYPE##_by(operands, count, 1, sizeof(TYPE), sizeof(TYPE), sizeof(TYPE));      \
        }                                                                                          \
        else if (in_rows && steps[1] == size && steps[2] == 0) {                                   \
            choose_##TYPE##_by(operands, count, 1, sizeof(TYPE), 0, sizeof(TYPE));                 \
        }                                                                                          \
        else if (in_rows && steps[1] == 0 && steps[2] == size) {                                   \
            choose_##TYPE##_by(operands, count, 1, 0, sizeof(TYPE), sizeof(TYPE));                 \
        }                                                                                          \
        else {                                                                                     \
            choose_##TYPE##_by(operands, count, steps[0], steps[1], steps[2], steps[3]);           \
        }                                                                                          \
    }

CHOICES(npy_uint8)
CHOICES(npy_uint16)
CHOICES(npy_uint32)
CHOICES(npy_uint64)
CHOICES(Sixteen)

/* (mask, one, other, out): where the mask is true the one, else the other. */
int build_choose(Instruction *made, PyArrayObject **arrays)
{
    int type = PyArray_TYPE(arrays[3]);
    if (PyArray_TYPE(arrays[0]) != NPY_BOOL || PyArray_TYPE(arrays[1]) != type
        || PyArray_TYPE(arrays[2]) != type) {
        return refuse("a mask chooses between numbers of one dtype");
    }
    switch (PyArray_ITEMSIZE(arrays[3])) {
    case 1: made->loop = choose_npy_uint8; break;
    case 2: made->loop = choose_npy_uint16; break;
    case 4: made->loop = choose_npy_uint32; break;
    case 8: made->loop = choose_npy_uint64; break;
    case 16: made->loop = choose_Sixteen; break;
    default: return refuse("elements of this size are not chosen");
    }
    return plan_sweep(made, arrays, 4);
}

static int is_numeric(PyArrayObject *array)
{
    return PyTypeNum_ISNUMBER(PyArray_TYPE(array)) || PyTypeNum_ISBOOL(PyArray_TYPE(array));
}

/* Returns the array that an operand is, or a new one where a call's argument lies. */
static PyArrayObject *array_at(PyArrayObject *form, const Place *place, char *const *slots)
{
    if (place->slot < 0) {
        return (PyArrayObject *)Py_NewRef(form);
    }
    PyArray_Descr *dtype = PyArray_DESCR(form);
    Py_INCREF(dtype);
    return (PyArrayObject *)PyArray_NewFromDescr(
        &PyArray_Type, dtype, PyArray_NDIM(form), PyArray_DIMS(form), PyArray_STRIDES(form),
        at(place, slots), PyArray_FLAGS(form) & NPY_ARRAY_WRITEABLE, NULL);
}

/* One region into another of another dtype, by NumPy's own casts. */
int step_convert(const Instruction *self, char *const *slots, PyObject *const *numbers)
{
    (void)numbers;
    PyArrayObject *to = array_at(self->target, &self->places[0], slots);
    PyArrayObject *from = array_at(self->source, &self->places[1], slots);
    int failed = to == NULL || from == NULL ? -1 : PyArray_CopyInto(to, from);
    Py_XDECREF(to);
    Py_XDECREF(from);
    return failed;
}

/* (out, in) of different dtypes */
int build_convert(Instruction *made, PyArrayObject **arrays)
{
    if (!is_numeric(arrays[0]) || !is_numeric(arrays[1]) || made->quiet
        || (PyArray_ISCOMPLEX(arrays[1]) && !PyArray_ISCOMPLEX(arrays[0]))) {
        return refuse("numbers become numbers of another dtype, complex ones complex ones");
    }
    made->target = (PyArrayObject *)Py_NewRef((PyObject *)arrays[0]);
    made->source = (PyArrayObject *)Py_NewRef((PyObject *)arrays[1]);
    made->needs_python = 1;
    made->step = step_convert;
    return 0;
}

/* Looks at all places, so that nothing is written where one is wrong. */
static int are_inside(const char *places, npy_intp step, npy_intp count, npy_intp length)
{
    for (npy_intp i = 0; i < count; i++) {
        LOAD(npy_int64, places + i * step, index);
        if (index < -length || index >= length) {
            PyGILState_STATE state = PyGILState_Ensure(); /* a long stretch goes without */
            PyErr_Format(PyExc_IndexError,
                         "index %lld is out of bounds for axis 0 with size %lld",
                         (long long)index, (long long)length);
            PyGILState_Release(state);
            return 0;
        }
    }
    return 1;
}

#define TAKE(SIZE)                                                                                 \
    for (npy_intp i = 0; i < count; i++) {                                                         \
        LOAD(npy_int64, places + i * places_step, index);                                          \
        if (self->clips) {                                                                         \
            index = index < 0 ? 0 : index >= length ? length - 1 : index;                          \
        }                                                                                          \
        index += index < 0 ? length : 0;                                                           \
        memcpy(to + i * to_step, table + index * table_step, SIZE);                                \
    }

/* result[i] = table[places[i]]: operands result, table, places; of rows, one after the other. */
int step_take(const Instruction *self, char *const *slots, PyObject *const *numbers)
{
    (void)numbers;
    char *to = at(&self->places[0], slots);
    const char *table = at(&self->places[1], slots);
    const char *places = at(&self->places[2], slots);
    npy_intp count = self->dimensions[0], length = self->dimensions[1];
    npy_intp to_step = self->strides[0], table_step = self->strides[1];
    npy_intp places_step = self->strides[2];
    if (!self->clips && !are_inside(places, places_step, count, length)) {
        return -1;
    }
    switch (self->itemsize) {
    case 1: TAKE(1) break;
    case 2: TAKE(2) break;
    case 4: TAKE(4) break;
    case 8: TAKE(8) break;
    default: TAKE((size_t)self->itemsize)
    }
    return 0;
}

#define PUT(SIZE)                                                                                  \
    for (npy_intp i = 0; i < count; i++) {                                                         \
        LOAD(npy_int64, places + i * places_step, index);                                          \
        index += index < 0 ? length : 0;                                                           \
        memcpy(table + index * table_step, from + i * from_step, SIZE);                            \
    }

/* table[places[i]] = source[i]: operands table, places, source; of rows, one after the other. */
int step_put(const Instruction *self, char *const *slots, PyObject *const *numbers)
{
    (void)numbers;
    char *table = at(&self->places[0], slots);
    const char *places = at(&self->places[1], slots);
    const char *from = at(&self->places[2], slots);
    npy_intp count = self->dimensions[0], length = self->dimensions[1];
    npy_intp table_step = self->strides[0], places_step = self->strides[1];
    npy_intp from_step = self->strides[2];
    if (!are_inside(places, places_step, count, length)) {
        return -1;
    }
    switch (self->itemsize) {
    case 1: PUT(1) break;
    case 2: PUT(2) break;
    case 4: PUT(4) break;
    case 8: PUT(8) break;
    default: PUT((size_t)self->itemsize)
    }
    return 0;
}

/* Tells whether the axes of an array from one on lie in one piece, in C order. */
static int lies_in_order(PyArrayObject *array, int first)
{
    npy_intp step = PyArray_ITEMSIZE(array);
    for (int axis = PyArray_NDIM(array) - 1; axis >= first; axis--) {
        if (PyArray_DIM(array, axis) != 1 && PyArray_STRIDE(array, axis) != step) {
            return 0;
        }
        step *= PyArray_DIM(array, axis);
    }
    return 1;
}

/* The step from one row to the next, 0 where one row is for all. */
static npy_intp row_step(PyArrayObject *array, int axes, npy_intp row)
{
    return axes == 1 ? PyArray_STRIDE(array, 0) : row;
}

/* (out, table, places), mode takes; (table, places, source) puts: along the table's first axis. */
int build_take_or_put(Instruction *made, PyArrayObject **arrays, int takes, PyObject *mode)
{
    PyArrayObject *table = arrays[takes ? 1 : 0], *places = arrays[takes ? 2 : 1];
    PyArrayObject *rows = arrays[takes ? 0 : 2];
    int axes = PyArray_NDIM(places), of_row = PyArray_NDIM(table) - 1;
    if (of_row < 0 || PyArray_TYPE(places) != NPY_INT64
        || PyArray_TYPE(table) != PyArray_TYPE(rows)) {
        return refuse("rows are taken from one axis by indices of 64 bits");
    }
    int one_for_all = !takes && PyArray_NDIM(rows) == 0 && of_row == 0;
    npy_intp row = PyArray_ITEMSIZE(table);
    for (int axis = 1; axis <= of_row; axis++) {
        row *= PyArray_DIM(table, axis);
    }
    if (!one_for_all
        && (PyArray_NDIM(rows) != axes + of_row
            || !PyArray_CompareLists(PyArray_DIMS(rows), PyArray_DIMS(places), axes)
            || !PyArray_CompareLists(PyArray_DIMS(rows) + axes, PyArray_DIMS(table) + 1, of_row))) {
        return refuse("rows have another shape than they are taken in");
    }
    /* One axis of places may have steps; several, and rows, lie in one piece. */
    if (PyArray_SIZE(places) > 0
        && (!lies_in_order(table, 1) || !lies_in_order(places, axes == 1)
            || (!one_for_all && !lies_in_order(rows, axes == 1)))) {
        return refuse("rows lie in one piece");
    }
    npy_intp of_table = PyArray_STRIDE(table, 0), of_rows = one_for_all ? 0
        : row_step(rows, axes, row), of_places = row_step(places, axes, sizeof(npy_int64));
    npy_intp steps[3] = {takes ? of_rows : of_table, takes ? of_table : of_places,
                         takes ? of_places : of_rows};
    memcpy(made->strides, steps, sizeof steps);
    made->clips = takes && mode != Py_None;
    made->itemsize = row;
    made->dimensions[0] = row == 0 ? 0 : PyArray_SIZE(places);
    made->dimensions[1] = PyArray_DIM(table, 0);
    if ((row == 0 || PyArray_DIM(table, 0) == 0) && PyArray_SIZE(places) > 0) {
        return refuse("there is nothing to take from");
    }
    made->step = takes ? step_take : step_put;
    return 0;
}

static void accumulate_axes(const Instruction *self, int axis, char *to, char *from)
{
    if (axis == self->axes) {
        char *operands[3] = {to, from + self->strides[1], to + self->strides[0]};
        npy_intp steps[3] = {self->strides[0], self->strides[1], self->strides[0]};
        npy_intp count = self->dimensions[0] - 1;
        memcpy(to, from, (size_t)self->itemsize);
        if (count > 0) {
            self->loop(operands, &count, steps, self->data);
        }
        return;
    }
    for (npy_intp i = 0; i < self->lengths[axis]; i++) {
        accumulate_axes(self, axis + 1, to + i * self->to[axis], from + i * self->from[axis]);
    }
}

/* ufunc.accumulate: each value is joined to what came before it along an axis. */
int step_accumulate(const Instruction *self, char *const *slots, PyObject *const *numbers)
{
    (void)numbers;
    accumulate_axes(self, 0, at(&self->places[0], slots), at(&self->places[1], slots));
    return 0;
}

/* (out, in) of one shape, axis */
int build_accumulate(Instruction *made, PyUFuncObject *ufunc, PyArrayObject **arrays, PyObject *axis)
{
    PyArrayObject *out = arrays[0], *in = arrays[1], *ordered[3] = {out, in, out};
    long along = PyLong_Check(axis) ? PyLong_AsLong(axis) : -1;
    if (along < 0 || along >= PyArray_NDIM(in) || !PyArray_SAMESHAPE(out, in)
        || ufunc->nin != 2 || ufunc->nout != 1 || PyArray_SIZE(in) == 0) {
        return refuse("ufuncs of two operands accumulate, along one axis into the same shape");
    }
    for (int i = 0; i < PyArray_NDIM(in); i++) {
        if (i != along) {
            made->lengths[made->axes] = PyArray_DIM(in, i);
            made->to[made->axes] = PyArray_STRIDE(out, i);
            made->from[made->axes++] = PyArray_STRIDE(in, i);
        }
    }
    made->dimensions[0] = PyArray_DIM(in, (int)along);
    made->strides[0] = PyArray_STRIDE(out, (int)along);
    made->strides[1] = PyArray_STRIDE(in, (int)along);
    made->itemsize = PyArray_ITEMSIZE(out);
    made->step = step_accumulate;
    return find_loop(ufunc, ordered, &made->loop, &made->data);
}
