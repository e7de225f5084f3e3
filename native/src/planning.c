/* Plans in which order an instruction goes over memory of several axes. */
#include "instructions.h"

#include <string.h>

/* Describes how one array is copied into another of the same shape, the widest steps outermost;
 * `from` may have strides of 0. */
int plan_copy(Instruction *made, int axes, const npy_intp *lengths, const npy_intp *to,
              const npy_intp *from, npy_intp itemsize)
{
    made->axes = 0;
    made->itemsize = itemsize;
    for (int i = 0; i < axes; i++) {
        if (lengths[i] == 1) {
            continue;
        }
        int place = made->axes++;
        for (; place > 0 && Py_ABS(made->to[place - 1]) < Py_ABS(to[i]); place--) {
            made->lengths[place] = made->lengths[place - 1];
            made->to[place] = made->to[place - 1];
            made->from[place] = made->from[place - 1];
        }
        made->lengths[place] = lengths[i];
        made->to[place] = to[i];
        made->from[place] = from[i];
    }
    /* Two axes that follow on one another in both are one. */
    for (int i = made->axes - 2; i >= 0; i--) {
        if (made->to[i] == made->to[i + 1] * made->lengths[i + 1]
            && made->from[i] == made->from[i + 1] * made->lengths[i + 1]) {
            made->lengths[i] *= made->lengths[i + 1];
            made->to[i] = made->to[i + 1];
            made->from[i] = made->from[i + 1];
            for (int k = i + 1; k + 1 < made->axes; k++) {
                made->lengths[k] = made->lengths[k + 1];
                made->to[k] = made->to[k + 1];
                made->from[k] = made->from[k + 1];
            }
            made->axes--;
        }
    }
    if (itemsize != 1 && itemsize != 2 && itemsize != 4 && itemsize != 8 && itemsize != 16) {
        return refuse("elements of this size are not copied");
    }
    return 0;
}

/* Plans one call of a loop where NumPy makes one without its iterator, with the strides that it
 * gives then: on them depends how a loop computes, and its last bits. Returns whether it does. */
static int plan_trivial(Instruction *made, PyArrayObject **ordered, int count)
{
    PyArrayObject *result = ordered[count - 1];
    int in_c = 1, in_fortran = 1;
    for (int k = 0; k < count; k++) {
        PyArrayObject *array = ordered[k];
        int ndim = PyArray_NDIM(array);
        if (ndim == 0 && k < count - 1) {
            made->strides[k] = 0;
            continue;
        }
        if (!PyArray_SAMESHAPE(array, result)) {
            return 0;
        }
        in_c = in_c && PyArray_IS_C_CONTIGUOUS(array);
        in_fortran = in_fortran && PyArray_IS_F_CONTIGUOUS(array);
        made->strides[k] = ndim == 1 ? PyArray_STRIDE(array, 0) : PyArray_ITEMSIZE(array);
    }
    npy_intp step = made->strides[count - 1];
    int backwards = PyArray_NDIM(result) == 1 && step != 0 && step < PyArray_ITEMSIZE(result);
    if (backwards || (PyArray_NDIM(result) != 1 && !in_c && !in_fortran)) {
        return 0;
    }
    made->dimensions[0] = PyArray_SIZE(result);
    made->step = step_sweep;
    return 1;
}

/* Plans to walk over the axes outside a loop, those of the result's widest steps outermost, if the
 * innermost is the one that NumPy's iterator gives the loop; returns whether it is planned. */
static int plan_walk(Instruction *made, PyArrayObject **ordered, int count, npy_intp length,
                     const npy_intp *strides)
{
    PyArrayObject *result = ordered[count - 1];
    int ndim = PyArray_NDIM(result), order[MAX_AXES], axes = 0;
    for (int axis = 0; axis < ndim; axis++) {
        if (PyArray_DIM(result, axis) == 1) {
            continue;
        }
        int place = axes++;
        for (; place > 0 && PyArray_STRIDE(result, order[place - 1]) < PyArray_STRIDE(result, axis);
             place--) {
            order[place] = order[place - 1];
        }
        order[place] = axis;
    }
    npy_intp *steps = PyMem_Calloc((size_t)(axes + 1) * count, sizeof(npy_intp));
    if (steps == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    made->axes = 0;
    for (int i = 0; i < axes; i++) {
        npy_intp *now = steps + made->axes * count, n = PyArray_DIM(result, order[i]);
        int follows = made->axes > 0; /* on the axis before, in every operand */
        for (int k = 0; k < count; k++) {
            int axis = order[i] - ndim + PyArray_NDIM(ordered[k]);
            int stands = axis < 0 || PyArray_DIM(ordered[k], axis) == 1;
            now[k] = stands ? 0 : PyArray_STRIDE(ordered[k], axis);
            follows = follows && now[k - count] == now[k] * n;
        }
        if (follows) {
            memcpy(now - count, now, count * sizeof(npy_intp));
            made->lengths[made->axes - 1] *= n;
        }
        else {
            made->lengths[made->axes++] = n;
        }
    }
    made->axes--;
    int fits = made->axes > 0 && made->lengths[made->axes] == length
        && !memcmp(steps + made->axes * count, strides, count * sizeof(npy_intp));
    if (!fits) {
        made->axes = 0;
        PyMem_Free(steps);
        return 0;
    }
    made->steps = steps;
    made->dimensions[0] = length;
    memcpy(made->strides, strides, count * sizeof(npy_intp));
    made->step = step_walk;
    return 1;
}

/* Plans a loop in the order of NumPy's iterator; where one call of it does it all, that. */
int plan_sweep(Instruction *made, PyArrayObject **ordered, int count)
{
    if (plan_trivial(made, ordered, count)) {
        return 0;
    }
    npy_uint32 flags[MAX_OPERANDS];
    for (int i = 0; i < count; i++) {
        flags[i] = i < count - 1 ? NPY_ITER_READONLY : NPY_ITER_WRITEONLY | NPY_ITER_NO_BROADCAST;
    }
    NpyIter *iterator = NpyIter_MultiNew(
        count, ordered, NPY_ITER_EXTERNAL_LOOP | NPY_ITER_ZEROSIZE_OK, NPY_KEEPORDER,
        NPY_EQUIV_CASTING, flags, NULL);
    if (iterator == NULL) {
        return -1;
    }
    npy_intp size = NpyIter_GetIterSize(iterator);
    const npy_intp *strides = NpyIter_GetInnerStrideArray(iterator);
    npy_intp length = size == 0 ? 0 : *NpyIter_GetInnerLoopSizePtr(iterator);
    char **begin = NpyIter_GetDataPtrArray(iterator);
    int still = 1; /* negative strides may make an iterator begin elsewhere */
    for (int i = 0; i < count; i++) {
        still = still && (size == 0 || begin[i] == PyArray_BYTES(ordered[i]));
    }
    int planned = 0;
    if (still && length == size) {
        made->dimensions[0] = size;
        memcpy(made->strides, strides, count * sizeof(npy_intp));
        made->step = step_sweep;
        planned = 1;
    }
    else if (still) {
        planned = plan_walk(made, ordered, count, length, strides);
    }
    if (planned) {
        NpyIter_Deallocate(iterator);
        return planned < 0 ? -1 : 0;
    }
    made->iterator = iterator;
    made->next = NpyIter_GetIterNext(iterator, NULL);
    made->step = step_iterate;
    return made->next == NULL ? -1 : 0;
}
