/* What each kind of instruction does when its turn comes. */
#include "instructions.h"

#include <string.h>

static inline char *at(const Place *place, char *const *slots)
{
    return place->slot < 0 ? place->address : slots[place->slot];
}

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

/* A ufunc over memory of several axes, in the order of NumPy's own iterator. */
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
        memcpy(now, operands, self->operands * sizeof(char *));
        self->loop(now, count, strides, self->data);
    } while (self->next(self->iterator));
    return 0;
}

#define COPY_ELEMENTS(TYPE)                                                                       \
    for (npy_intp i = 0; i < count; i++, to += step_to, from += step_from) {                      \
        TYPE element;                                                                             \
        memcpy(&element, from, sizeof(TYPE));                                                     \
        memcpy(to, &element, sizeof(TYPE));                                                       \
    }

typedef struct {
    char bytes[16];
} Sixteen;

static void copy_row(char *to, npy_intp step_to, const char *from, npy_intp step_from,
                     npy_intp count, npy_intp itemsize)
{
    if (step_to == itemsize && step_from == itemsize) {
        memmove(to, from, (size_t)(count * itemsize));
        return;
    }
    switch (itemsize) {
    case 1: COPY_ELEMENTS(npy_uint8) break;
    case 2: COPY_ELEMENTS(npy_uint16) break;
    case 4: COPY_ELEMENTS(npy_uint32) break;
    case 8: COPY_ELEMENTS(npy_uint64) break;
    default: COPY_ELEMENTS(Sixteen)
    }
}

static void copy_axes(const Instruction *self, int axis, char *to, const char *from)
{
    if (axis >= self->axes - 1) {
        npy_intp count = self->axes ? self->lengths[axis] : 1;
        copy_row(to, self->axes ? self->to[axis] : self->itemsize, from,
                 self->axes ? self->from[axis] : self->itemsize, count, self->itemsize);
        return;
    }
    for (npy_intp i = 0; i < self->lengths[axis]; i++) {
        copy_axes(self, axis + 1, to + i * self->to[axis], from + i * self->from[axis]);
    }
}

/* One region into another of the same dtype. */
int step_copy(const Instruction *self, char *const *slots, PyObject *const *numbers)
{
    (void)numbers;
    copy_axes(self, 0, at(&self->places[0], slots), at(&self->places[1], slots));
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
    self->loop(operands, self->dimensions, self->strides, self->data);
    return 0;
}

static int outside(npy_int64 index, npy_intp length)
{
    PyErr_Format(PyExc_IndexError, "index %lld is out of bounds for axis 0 with size %lld",
                 (long long)index, (long long)length);
    return -1;
}

/* result[i] = table[places[i]]: operands result, table, places, all of one axis. */
int step_pick(const Instruction *self, char *const *slots, PyObject *const *numbers)
{
    (void)numbers;
    char *to = at(&self->places[0], slots);
    const char *table = at(&self->places[1], slots), *places = at(&self->places[2], slots);
    for (npy_intp i = 0; i < self->dimensions[0]; i++) {
        npy_int64 index;
        memcpy(&index, places + i * self->strides[2], sizeof index);
        index += index < 0 ? self->dimensions[1] : 0;
        if (index < 0 || index >= self->dimensions[1]) {
            return outside(index, self->dimensions[1]);
        }
        copy_row(to + i * self->strides[0], self->itemsize, table + index * self->strides[1],
                 self->itemsize, 1, self->itemsize);
    }
    return 0;
}

/* table[places[i]] = source[i]: operands table, places, source; nothing is written where an index
 * is wrong. */
int step_put(const Instruction *self, char *const *slots, PyObject *const *numbers)
{
    (void)numbers;
    char *table = at(&self->places[0], slots);
    const char *places = at(&self->places[1], slots), *from = at(&self->places[2], slots);
    for (int writes = 0; writes < 2; writes++) {
        for (npy_intp i = 0; i < self->dimensions[0]; i++) {
            npy_int64 index;
            memcpy(&index, places + i * self->strides[1], sizeof index);
            index += index < 0 ? self->dimensions[1] : 0;
            if (index < 0 || index >= self->dimensions[1]) {
                return outside(index, self->dimensions[1]);
            }
            if (writes) {
                copy_row(table + index * self->strides[0], self->itemsize,
                         from + i * self->strides[2], self->itemsize, 1, self->itemsize);
            }
        }
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
    if (size == 4 && step == 0) { /* the choice without a branch */
        npy_uint32 value;
        memcpy(&value, from, 4);
        for (npy_intp i = 0; i < count; i++) {
            npy_uint32 now;
            memcpy(&now, to + 4 * i, 4);
            now = mask[i] ? value : now;
            memcpy(to + 4 * i, &now, 4);
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
