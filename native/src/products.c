/* Makes products of matrices, of stacks of them and of rows: calls of the loops of NumPy's own. */
#include "instructions.h"

#include <string.h>

/* A BLAS takes one thread for a product of at most so many sums and products. */
enum { SMALL_PRODUCT = 1 << 18 };

/* (out, a, b): vectors are matrices with one row or one column. */
int build_product(Instruction *made, PyUFuncObject *matmul, PyArrayObject **arrays)
{
    PyArrayObject *out = arrays[0], *a = arrays[1], *b = arrays[2];
    if (!matmul->core_enabled || strcmp(matmul->name, "matmul")) {
        return refuse("the function of a product is matmul");
    }
    int rows = PyArray_NDIM(a) == 2, columns = PyArray_NDIM(b) == 2;
    if (PyArray_NDIM(a) < 1 || PyArray_NDIM(a) > 2 || PyArray_NDIM(b) < 1 || PyArray_NDIM(b) > 2
        || PyArray_NDIM(out) != rows + columns) {
        return refuse("products are of matrices and vectors");
    }
    npy_intp m = rows ? PyArray_DIM(a, 0) : 1, n = PyArray_DIM(a, rows);
    npy_intp p = columns ? PyArray_DIM(b, 1) : 1;
    if (PyArray_DIM(b, 0) != n || (rows && PyArray_DIM(out, 0) != m)
        || (columns && PyArray_DIM(out, rows) != p) || m * n * p == 0) {
        return refuse("matrices do not fit one another, or are empty");
    }
    if (!PyArray_ISONESEGMENT(a) || !PyArray_ISONESEGMENT(b)) {
        return refuse("dot copies what does not lie in one stretch, and matmul does not");
    }
    PyArrayObject *ordered[3] = {a, b, out};
    Place places[3] = {made->places[1], made->places[2], made->places[0]};
    memcpy(made->places, places, sizeof places);
    if (find_loop(matmul, ordered, &made->loop, &made->data) < 0) {
        return -1;
    }
    npy_intp size = PyArray_ITEMSIZE(out);
    npy_intp dimensions[4] = {1, m, n, p};
    npy_intp strides[9] = {0, 0, 0,
        rows ? PyArray_STRIDE(a, 0) : size * n, PyArray_STRIDE(a, rows),
        PyArray_STRIDE(b, 0), columns ? PyArray_STRIDE(b, 1) : size,
        rows ? PyArray_STRIDE(out, 0) : size * p, columns ? PyArray_STRIDE(out, rows) : size};
    memcpy(made->dimensions, dimensions, sizeof dimensions);
    memcpy(made->strides, strides, sizeof strides);
    made->work = m * n * p / 8;
    made->is_big = m * n * p > SMALL_PRODUCT;
    made->step = step_product;
    return 0;
}

/* The axes of a stack of matrices; a vector is one matrix, with one row or one column. */
typedef struct {
    int axes;
    npy_intp lengths[MAX_AXES + 1], steps[MAX_AXES + 1];
} Matrices;

/* Notes the axes of an array; `before_last`, `last`: whether an axis of length 1 is added there. */
static Matrices as_matrices(PyArrayObject *array, int before_last, int last)
{
    Matrices found = {.axes = 0};
    int ndim = PyArray_NDIM(array);
    for (int axis = 0; axis < ndim; axis++) {
        if (before_last && axis == ndim - 1) {
            found.lengths[found.axes++] = 1;
        }
        found.lengths[found.axes] = PyArray_DIM(array, axis);
        found.steps[found.axes++] = PyArray_STRIDE(array, axis);
    }
    if (last) {
        found.lengths[found.axes++] = 1;
    }
    return found;
}

/* (out, a, b): stacks of matrices, of which one axis at most remains of all that stack them. */
int build_stack(Instruction *made, PyUFuncObject *matmul, PyArrayObject **arrays)
{
    int row = PyArray_NDIM(arrays[1]) == 1, column = PyArray_NDIM(arrays[2]) == 1;
    if (!matmul->core_enabled || strcmp(matmul->name, "matmul") || (row && column)
        || PyArray_NDIM(arrays[0]) + row + column < 2 || PyArray_NDIM(arrays[1]) < 1
        || PyArray_NDIM(arrays[2]) < 1 || PyArray_NDIM(arrays[0]) >= MAX_AXES) {
        return refuse("stacks of matrices are multiplied by matmul");
    }
    Matrices of[3] = {as_matrices(arrays[0], row, column), as_matrices(arrays[1], row, 0),
                      as_matrices(arrays[2], 0, column)};
    int ndim = of[0].axes, stacked = 0;
    if (of[1].axes > ndim || of[2].axes > ndim) {
        return refuse("stacks of matrices do not fit one another");
    }
    npy_intp lengths[MAX_AXES + 1], steps[3][MAX_AXES + 1];
    for (int axis = 0; axis < ndim - 2; axis++) {
        npy_intp length = of[0].lengths[axis];
        npy_intp step[3];
        for (int i = 0; i < 3; i++) {
            int own = of[i].axes - ndim + axis;
            npy_intp there = own < 0 ? 1 : of[i].lengths[own];
            if (there != length && (there != 1 || i == 0)) {
                return refuse("stacks of matrices do not fit one another");
            }
            step[i] = there == 1 ? 0 : of[i].steps[own];
        }
        if (length == 1) {
            continue;
        }
        int joins = stacked > 0;
        for (int i = 0; i < 3; i++) {
            joins = joins && steps[i][stacked - 1] == step[i] * length;
        }
        int place = joins ? stacked - 1 : stacked++;
        lengths[place] = joins ? lengths[place] * length : length;
        for (int i = 0; i < 3; i++) {
            steps[i][place] = step[i];
        }
    }
    if (stacked > 1) {
        return refuse("matrices are stacked along more than one axis");
    }
    npy_intp core[3][4]; /* lengths and strides of the last two axes */
    for (int i = 0; i < 3; i++) {
        int last = of[i].axes - 1;
        core[i][0] = of[i].lengths[last - 1];
        core[i][1] = of[i].lengths[last];
        core[i][2] = of[i].steps[last - 1];
        core[i][3] = of[i].steps[last];
    }
    npy_intp m = core[1][0], n = core[1][1], p = core[2][1];
    if (core[2][0] != n || core[0][0] != m || core[0][1] != p || m * n * p == 0
        || PyArray_SIZE(arrays[0]) == 0) {
        return refuse("matrices do not fit one another, or are empty");
    }
    PyArrayObject *ordered[3];
    put_result_last(made, arrays, ordered);
    npy_intp count = stacked ? lengths[0] : 1;
    npy_intp dimensions[4] = {count, m, n, p};
    npy_intp strides[9] = {
        stacked ? steps[1][0] : 0, stacked ? steps[2][0] : 0, stacked ? steps[0][0] : 0,
        core[1][2], core[1][3], core[2][2], core[2][3], core[0][2], core[0][3]};
    memcpy(made->dimensions, dimensions, sizeof dimensions);
    memcpy(made->strides, strides, sizeof strides);
    made->work = count * m * n * p / 8;
    made->is_big = m * n * p > SMALL_PRODUCT;
    made->step = step_product;
    return find_loop(matmul, ordered, &made->loop, &made->data);
}

/* (out, a, b): the sums of products along the last axis, which b may have alone */
int build_vecdot(Instruction *made, PyUFuncObject *vecdot, PyArrayObject **arrays)
{
    PyArrayObject *ordered[3], *out = arrays[0], *of[2] = {arrays[1], arrays[2]};
    int outer = PyArray_NDIM(out), alone = PyArray_NDIM(of[1]) == 1;
    if (!vecdot->core_enabled || strcmp(vecdot->name, "vecdot") || outer < 1 || outer > 2
        || PyArray_NDIM(of[0]) != outer + 1 || (!alone && !PyArray_SAMESHAPE(of[0], of[1]))
        || PyArray_DIM(of[1], alone ? 0 : outer) != PyArray_DIM(of[0], outer)
        || PyArray_SIZE(of[0]) == 0) {
        return refuse("sums of products go along the last axis");
    }
    for (int axis = 0; axis < outer; axis++) {
        if (PyArray_DIM(out, axis) != PyArray_DIM(of[0], axis)) {
            return refuse("sums of products go along the last axis");
        }
    }
    put_result_last(made, arrays, ordered);
    npy_intp *steps = PyMem_Calloc(3, sizeof(npy_intp));
    if (steps == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    made->steps = steps;
    for (int k = 0; k < 3; k++) {
        int stands = k == 1 && alone;
        steps[k] = outer == 1 || stands ? 0 : PyArray_STRIDE(ordered[k], 0);
        made->strides[k] = stands ? 0 : PyArray_STRIDE(ordered[k], outer - 1);
    }
    made->strides[3] = PyArray_STRIDE(of[0], outer);
    made->strides[4] = PyArray_STRIDE(of[1], alone ? 0 : outer);
    made->dimensions[0] = PyArray_DIM(out, outer - 1);
    made->dimensions[1] = PyArray_DIM(of[0], outer);
    made->axes = 1;
    made->lengths[0] = outer == 1 ? 1 : PyArray_DIM(out, 0);
    made->step = step_walk;
    return find_loop(vecdot, ordered, &made->loop, &made->data);
}
