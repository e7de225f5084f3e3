/* What each kind of instruction does when its turn comes. */
#include "instructions.h"
#include "flags.h"

#include <string.h>

/* A ufunc over memory that its loop walks in one go. */
int step_sweep(const Instruction *self, char *const *slots, PyObject *const *numbers)
{
    (void)numbers;
    char *operands[MAX_OPERANDS];
    for (int i = 0; i < self->operands; i++) {
        operands[i] = at(&self->places[i], slots);
    }
    self->loop(operands, self->dimensions, self->strides, self->data);
    return 0;
}

static void walk_axes(const Instruction *self, int axis, char *const *operands)
{
    const npy_intp *steps = self->steps + axis * self->operands;
    char *now[MAX_OPERANDS];
    for (npy_intp i = 0; i < self->lengths[axis]; i++) {
        for (int k = 0; k < self->operands; k++) {
            now[k] = operands[k] + i * steps[k];
        }
        if (axis + 1 < self->axes) {
            walk_axes(self, axis + 1, now);
        }
        else {
            self->loop(now, self->dimensions, self->strides, self->data);
        }
    }
}

/* A ufunc over memory of several axes: its loop along the innermost. */
int step_walk(const Instruction *self, char *const *slots, PyObject *const *numbers)
{
    (void)numbers;
    char *operands[MAX_OPERANDS];
    for (int k = 0; k < self->operands; k++) {
        operands[k] = at(&self->places[k], slots);
    }
    walk_axes(self, 0, operands);
    return 0;
}

/* The same in the order of NumPy's own iterator, where it goes backwards or in another one. */
int step_iterate(const Instruction *self, char *const *slots, PyObject *const *numbers)
{
    (void)numbers;
    char *bases[MAX_OPERANDS];
    for (int i = 0; i < self->operands; i++) {
        bases[i] = at(&self->places[i], slots);
    }
    char *message = NULL;
    if (NpyIter_ResetBasePointers(self->iterator, bases, &message) != NPY_SUCCEED) {
        return -1;
    }
    char **operands = NpyIter_GetDataPtrArray(self->iterator);
    const npy_intp *count = NpyIter_GetInnerLoopSizePtr(self->iterator);
    const npy_intp *strides = NpyIter_GetInnerStrideArray(self->iterator);
    do {
        char *now[MAX_OPERANDS];
        for (int i = 0; i < self->operands; i++) {
            now[i] = operands[i];
        }
        self->loop(now, count, strides, self->data);
    } while (self->next(self->iterator));
    return 0;
}

/* Rows into rows: one after the other, one number for all of a row, or with steps. */
#define COPY_ROWS(TYPE)                                                                            \
    for (npy_intp row = 0; row < rows; row++, to += to_row, from += from_row) {                    \
        if (to_step == sizeof(TYPE) && from_step == sizeof(TYPE)) {                                \
            for (npy_intp i = 0; i < count; i++) {                                                 \
                LOAD(TYPE, from + i * sizeof(TYPE), element);                                      \
                STORE(to + i * sizeof(TYPE), element);                                             \
            }                                                                                      \
        }                                                                                          \
        else if (to_step == sizeof(TYPE) && from_step == 0) {                                      \
            LOAD(TYPE, from, element);                                                             \
            for (npy_intp i = 0; i < count; i++) {                                                 \
                STORE(to + i * sizeof(TYPE), element);                                             \
            }                                                                                      \
        }                                                                                          \
        else {                                                                                     \
            for (npy_intp i = 0; i < count; i++) {                                                 \
                LOAD(TYPE, from + i * from_step, element);                                         \
                STORE(to + i * to_step, element);                                                  \
            }                                                                                      \
        }                                                                                          \
    }

static void copy_rows(char *to, npy_intp to_row, npy_intp to_step, const char *from,
                      npy_intp from_row, npy_intp from_step, npy_intp rows, npy_intp count,
                      npy_intp itemsize)
{
    switch (itemsize) {
    case 1: COPY_ROWS(npy_uint8) break;
    case 2: COPY_ROWS(npy_uint16) break;
    case 4: COPY_ROWS(npy_uint32) break;
    case 8: COPY_ROWS(npy_uint64) break;
    default: COPY_ROWS(Sixteen)
    }
}

static void copy_axes(const Instruction *self, int axis, char *to, const char *from)
{
    npy_intp size = self->itemsize;
    if (self->axes == 0) {
        memcpy(to, from, (size_t)size);
    }
    else if (self->axes == 1 && self->to[0] == size && self->from[0] == size) {
        memmove(to, from, (size_t)(self->lengths[0] * size));
    }
    else if (self->axes == 1) {
        copy_rows(to, 0, self->to[0], from, 0, self->from[0], 1, self->lengths[0], size);
    }
    else if (axis == self->axes - 2) {
        copy_rows(to, self->to[axis], self->to[axis + 1], from, self->from[axis],
                  self->from[axis + 1], self->lengths[axis], self->lengths[axis + 1], size);
    }
    else {
        for (npy_intp i = 0; i < self->lengths[axis]; i++) {
            copy_axes(self, axis + 1, to + i * self->to[axis], from + i * self->from[axis]);
        }
    }
}

/* One region into another of the same dtype. */
int step_copy(const Instruction *self, char *const *slots, PyObject *const *numbers)
{
    (void)numbers;
    copy_axes(self, 0, at(&self->places[0], slots), at(&self->places[1], slots));
    return 0;
}

#define CAST_BY(FROM, TO, VALUE, from_step, to_step)                                               \
    for (npy_intp i = 0; i < count; i++) {                                                         \
        LOAD(FROM, from + i * (from_step), element);                                               \
        TO made = (TO)(VALUE);                                                                     \
        STORE(to + i * (to_step), made);                                                           \
    }
#define CAST_AS(FROM, TO, VALUE)                                                                   \
    if (from_step == sizeof(FROM) && to_step == sizeof(TO)) {                                      \
        CAST_BY(FROM, TO, VALUE, sizeof(FROM), sizeof(TO))                                         \
    }                                                                                              \
    else {                                                                                         \
        CAST_BY(FROM, TO, VALUE, from_step, to_step)                                               \
    }
#define CAST(FROM, TO) CAST_AS(FROM, TO, element)
#define CAST_BOOL(TO) CAST_AS(npy_bool, TO, element != 0) /* any bit may say true */

static void cast_row(int cast, char *to, npy_intp to_step, const char *from, npy_intp from_step,
                     npy_intp count)
{
    switch (cast) {
    case BOOL_TO_FLOAT: CAST_BOOL(npy_float32) break;
    case BOOL_TO_DOUBLE: CAST_BOOL(npy_float64) break;
    case BOOL_TO_INT64: CAST_BOOL(npy_int64) break;
    case BOOL_TO_INT32: CAST_BOOL(npy_int32) break;
    case BOOL_TO_INT8: CAST_BOOL(npy_int8) break;
    case INT64_TO_FLOAT: CAST(npy_int64, npy_float32) break;
    case INT64_TO_DOUBLE: CAST(npy_int64, npy_float64) break;
    case FLOAT_TO_DOUBLE: CAST(npy_float32, npy_float64) break;
    case DOUBLE_TO_FLOAT: CAST(npy_float64, npy_float32) break;
    }
}

static void cast_axes(const Instruction *self, int axis, char *to, const char *from)
{
    if (axis >= self->axes - 1) {
        int last = self->axes - 1;
        cast_row(self->cast, to, last < 0 ? 0 : self->to[last], from,
                 last < 0 ? 0 : self->from[last], last < 0 ? 1 : self->lengths[last]);
        return;
    }
    for (npy_intp i = 0; i < self->lengths[axis]; i++) {
        cast_axes(self, axis + 1, to + i * self->to[axis], from + i * self->from[axis]);
    }
}

/* One region into another of another dtype. */
int step_cast(const Instruction *self, char *const *slots, PyObject *const *numbers)
{
    (void)numbers;
    cast_axes(self, 0, at(&self->places[0], slots), at(&self->places[1], slots));
    return 0;
}

/* A number of Python's into an array without axes. */
int step_number(const Instruction *self, char *const *slots, PyObject *const *numbers)
{
    PyObject *number = numbers[self->number];
    char *to = at(&self->places[0], slots);
    if (PyFloat_CheckExact(number) && self->itemsize == 4) {
        npy_float32 value = (npy_float32)PyFloat_AS_DOUBLE(number);
        memcpy(to, &value, 4);
        return 0;
    }
    if (PyFloat_CheckExact(number)) {
        npy_float64 value = PyFloat_AS_DOUBLE(number);
        memcpy(to, &value, 8);
        return 0;
    }
    return PyArray_SETITEM(self->target, to, number);
}

/* ufunc.reduce: the result is an operand that is read and written, and stands still on the axes
 * that are reduced. It begins with zeros, or with the first value of each. */
int step_reduce(const Instruction *self, char *const *slots, PyObject *const *numbers)
{
    (void)numbers;
    char *bases[2] = {at(&self->places[0], slots), at(&self->places[1], slots)};
    copy_axes(self, 0, bases[0], at(&self->places[2], slots));
    char *message = NULL;
    if (NpyIter_ResetBasePointers(self->iterator, bases, &message) != NPY_SUCCEED) {
        return -1;
    }
    char **operands = NpyIter_GetDataPtrArray(self->iterator);
    const npy_intp *counts = NpyIter_GetInnerLoopSizePtr(self->iterator);
    const npy_intp *steps = NpyIter_GetInnerStrideArray(self->iterator);
    npy_intp skip = self->first_visits;
    do {
        char *now[3] = {operands[0], operands[1], operands[0]};
        npy_intp strides[3] = {steps[0], steps[1], steps[0]};
        npy_intp count = *counts;
        if (skip > 0 && NpyIter_IsFirstVisit(self->iterator, 0)) {
            if (strides[0] == 0) {
                count--;
                skip--;
                now[1] += strides[1];
            }
            else {
                skip -= count;
                count = 0;
            }
        }
        if (count > 0) {
            self->loop(now, &count, strides, self->data);
        }
    } while (self->next(self->iterator));
    return 0;
}

/* A product of matrices or vectors, by the loop of NumPy's matmul. */
int step_product(const Instruction *self, char *const *slots, PyObject *const *numbers)
{
    (void)numbers;
    char *operands[3];
    for (int i = 0; i < 3; i++) {
        operands[i] = at(&self->places[i], slots);
    }
    int by_all = self->is_big && !self->alone;
    if (by_all) {
        let_blas_share(1);
    }
    self->loop(operands, self->dimensions, self->strides, self->data);
    if (by_all) {
        let_blas_share(0);
    }
    return 0;
}

/* Walks the first list where any of the numbers is true, else the second. */
int step_either(const Instruction *self, char *const *slots, PyObject *const *numbers)
{
    const npy_bool *mask = (const npy_bool *)at(&self->places[0], slots);
    npy_intp count = self->dimensions[0], i = 0;
    while (i < count && !mask[i]) {
        i++;
    }
    int which = i == count, flags = 0;
    int failed = walk_list(self->parts[which], self->counts[which], slots, numbers, &flags);
    if (flags) {
        feraiseexcept(flags); /* the walk around this one asks for them */
    }
    return failed;
}

/* places[i] = i * classes + labels[i]: where each row's class lies in a matrix of scores. */
int step_class_places(const Instruction *self, char *const *slots, PyObject *const *numbers)
{
    (void)numbers;
    char *to = at(&self->places[0], slots);
    const char *labels = at(&self->places[1], slots);
    npy_intp count = self->dimensions[0], classes = self->dimensions[1];
    for (npy_intp i = 0; i < count; i++) {
        LOAD(npy_int64, labels + i * self->strides[1], label);
        if (label < 0 || label >= classes) {
            PyErr_SetString(self->error, "a label is none of the classes");
            return -1;
        }
        npy_int64 place = i * classes + label;
        STORE(to + i * self->strides[0], place);
    }
    return 0;
}

/* putmask: operands target, mask, value, in one stretch each; one value, or one for each place. */
int step_put_where(const Instruction *self, char *const *slots, PyObject *const *numbers)
{
    (void)numbers;
    char *to = at(&self->places[0], slots);
    const npy_bool *mask = (const npy_bool *)at(&self->places[1], slots);
    const char *from = at(&self->places[2], slots);
    npy_intp size = self->itemsize, step = self->strides[2], count = self->dimensions[0];
    if (size == 4 && step == 0) { /* the choice without a branch, several at a time */
        LOAD(npy_uint32, from, value);
        for (npy_intp i = 0; i < count; i++) {
            LOAD(npy_uint32, to + 4 * i, now);
            npy_uint32 keep = (npy_uint32)(mask[i] != 0) - 1; /* all bits, or none */
            now = (now & keep) | (value & ~keep);
            STORE(to + 4 * i, now);
        }
        return 0;
    }
    for (npy_intp i = 0; i < count; i++) {
        if (mask[i]) {
            memcpy(to + i * size, from + i * step, (size_t)size);
        }
    }
    return 0;
}
