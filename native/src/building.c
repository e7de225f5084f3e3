/* Makes instructions of what Python says of them, and refuses what would not be walked rightly. */
#include "instructions.h"
#include "flags.h"

#include <string.h>

static char zeros[16];

/* As much work as so many elements are in other loops: one of an exponential and its kin. */
enum { SLOW = 4 };

int refuse(const char *why)
{
    if (!PyErr_Occurred()) {
        PyErr_SetString(PyExc_ValueError, why);
    }
    return -1;
}

/* The bytes that an array reaches over, from where it begins. */
static void extent_of(PyArrayObject *array, npy_intp *low, npy_intp *high)
{
    *low = 0;
    *high = PyArray_SIZE(array) == 0 ? 0 : PyArray_ITEMSIZE(array);
    for (int axis = 0; axis < PyArray_NDIM(array) && *high > 0; axis++) {
        npy_intp reach = (PyArray_DIM(array, axis) - 1) * PyArray_STRIDE(array, axis);
        *(reach < 0 ? low : high) += reach;
    }
}

/* Takes (form, slot, offset): an array within a call's argument, which begins so many bytes on. */
static int place_within(Place *place, PyArrayObject **array, PyObject *told, PyObject *stand_ins)
{
    PyObject *form;
    Py_ssize_t slot;
    npy_intp offset, low, high, first, end;
    if (!PyArg_ParseTuple(told, "O!nn", &PyArray_Type, &form, &slot, &offset)) {
        return -1;
    }
    if (slot < 0 || slot >= PyList_GET_SIZE(stand_ins)) {
        return refuse("an operand lies in an argument that is not given");
    }
    *array = (PyArrayObject *)form;
    extent_of(*array, &low, &high);
    extent_of((PyArrayObject *)PyList_GET_ITEM(stand_ins, slot), &first, &end);
    if (offset % PyDataType_ALIGNMENT(PyArray_DESCR(*array)) != 0) {
        return refuse("an operand lies between the elements of an argument");
    }
    if (offset + low < first || offset + high > end) {
        return refuse("an operand reaches beyond the argument that it lies in");
    }
    *place = (Place){NULL, (int)slot, offset};
    return 0;
}

/* Notes where an operand lies, and looks at whether loops can read it. */
int place_operand(Place *place, PyArrayObject **array, PyObject *told, PyObject *stand_ins)
{
    *place = (Place){NULL, -1, 0};
    if (PyTuple_Check(told)) {
        if (place_within(place, array, told, stand_ins) < 0) {
            return -1;
        }
    }
    else if (!PyArray_Check(told)) {
        return refuse("an operand is no array");
    }
    else {
        *array = (PyArrayObject *)told;
        place->address = PyArray_BYTES(*array);
        for (Py_ssize_t slot = 0; slot < PyList_GET_SIZE(stand_ins); slot++) {
            if (PyList_GET_ITEM(stand_ins, slot) == told) {
                *place = (Place){NULL, (int)slot, 0};
            }
        }
    }
    if (PyArray_NDIM(*array) > MAX_AXES) {
        return refuse("an operand has too many axes");
    }
    if (!PyArray_ISALIGNED(*array) || !PyArray_ISNOTSWAPPED(*array)
        || PyDataType_REFCHK(PyArray_DESCR(*array))) {
        return refuse("an operand is not aligned, is swapped or holds objects");
    }
    return 0;
}

/* Notes where the operands of an instruction lie, of which the first is written. */
static int place_operands(Instruction *made, PyArrayObject **arrays, PyObject *operands,
                          PyObject *stand_ins)
{
    made->operands = (int)PyTuple_GET_SIZE(operands);
    for (int i = 0; i < made->operands; i++) {
        if (place_operand(&made->places[i], &arrays[i], PyTuple_GET_ITEM(operands, i), stand_ins)
            < 0) {
            return -1;
        }
        npy_intp size = PyArray_SIZE(arrays[i]);
        made->work = size > made->work ? size : made->work;
    }
    return PyArray_ISWRITEABLE(arrays[0]) ? 0 : refuse("an operand can't be written");
}

/* Finds the loop of a ufunc for the dtypes of its operands: of several the first. */
int find_loop(PyUFuncObject *ufunc, PyArrayObject **arrays, PyUFuncGenericFunction *loop,
              void **data)
{
    int operands = ufunc->nargs;
    for (int i = 0; i < ufunc->ntypes; i++) {
        const char *types = ufunc->types + i * operands;
        int fits = 1;
        for (int k = 0; k < operands; k++) {
            /* `long long` and `long` are two types with one lay-out. */
            fits = fits && PyArray_EquivTypenums(types[k], PyArray_TYPE(arrays[k]));
        }
        if (fits && ufunc->functions[i] != NULL) {
            *loop = ufunc->functions[i];
            *data = ufunc->data == NULL ? NULL : (void *)ufunc->data[i];
            return 0;
        }
    }
    return refuse("the ufunc has no loop for these dtypes");
}

/* Puts the operands of a loop in NumPy's order: what is read first, the result last. */
void put_result_last(Instruction *made, PyArrayObject **arrays, PyArrayObject **ordered)
{
    int last = made->operands - 1;
    Place result = made->places[0];
    memmove(made->places, made->places + 1, (size_t)last * sizeof(Place));
    made->places[last] = result;
    memcpy(ordered, arrays + 1, (size_t)last * sizeof(PyArrayObject *));
    ordered[last] = arrays[0];
}

/* Whether a loop takes as long for each element as memory does, or several times that. */
static int is_quick(const PyUFuncObject *ufunc)
{
    static const char *const quick[] = {
        "add", "subtract", "multiply", "negative", "absolute", "maximum", "minimum", "clip", "square",
        "greater", "greater_equal", "less", "less_equal", "equal", "not_equal", "sign", "conjugate",
    };
    for (size_t i = 0; i < sizeof quick / sizeof *quick; i++) {
        if (!strcmp(ufunc->name, quick[i])) {
            return 1;
        }
    }
    return !strncmp(ufunc->name, "bitwise", 7) || !strncmp(ufunc->name, "logical", 7);
}

/* (out, in ...) */
static int build_ufunc(Instruction *made, PyUFuncObject *ufunc, PyArrayObject **arrays)
{
    PyArrayObject *ordered[MAX_OPERANDS];
    if (made->operands != ufunc->nargs || ufunc->nout != 1 || ufunc->core_enabled) {
        return refuse("a ufunc with one result takes its operands, and one for the result");
    }
    put_result_last(made, arrays, ordered);
    if (find_loop(ufunc, ordered, &made->loop, &made->data) < 0) {
        return -1;
    }
    made->work *= is_quick(ufunc) ? 1 : SLOW;
    return plan_sweep(made, ordered, made->operands);
}

/* (out, in), axes: out has the axes of in that are not among them. */
static int build_reduce(Instruction *made, PyUFuncObject *ufunc, PyArrayObject **arrays,
                        PyObject *axes)
{
    PyArrayObject *out = arrays[0], *in = arrays[1];
    int ndim = PyArray_NDIM(in), kept = 0, of_out[MAX_AXES], of_in[MAX_AXES];
    npy_intp lengths[MAX_AXES], from[MAX_AXES], no_steps[MAX_AXES] = {0};
    if (ufunc->nin != 2 || ufunc->nout != 1 || !PyTuple_Check(axes)) {
        return refuse("ufuncs of two operands reduce, over a tuple of axes");
    }
    for (int axis = 0; axis < ndim; axis++) {
        int reduced = 0;
        for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(axes); i++) {
            reduced = reduced || PyLong_AsLong(PyTuple_GET_ITEM(axes, i)) == axis;
        }
        of_in[axis] = axis;
        of_out[axis] = reduced ? -1 : kept;
        if (!reduced) {
            if (kept >= PyArray_NDIM(out) || PyArray_DIM(out, kept) != PyArray_DIM(in, axis)) {
                return refuse("the result of a reduction has another shape");
            }
            lengths[kept] = PyArray_DIM(in, axis);
            from[kept++] = PyArray_STRIDE(in, axis);
        }
    }
    if (kept != PyArray_NDIM(out) || PyArray_SIZE(in) == 0) {
        return refuse("the result of a reduction has another shape, or there is nothing to reduce");
    }
    PyArrayObject *loop_arrays[3] = {out, in, out};
    if (find_loop(ufunc, loop_arrays, &made->loop, &made->data) < 0) {
        return -1;
    }
    PyObject *identity = PyObject_GetAttrString((PyObject *)ufunc, "identity");
    if (identity == NULL) {
        return -1;
    }
    int is_add = PyLong_Check(identity) && PyLong_AsLong(identity) == 0;
    int first = identity == Py_None;
    Py_DECREF(identity);
    if (!is_add && !first) {
        return refuse("reductions begin with zero or with their first values");
    }
    made->places[2] = first ? made->places[1] : (Place){zeros, -1, 0};
    made->first_visits = first ? PyArray_SIZE(out) : 0;
    if (plan_copy(made, kept, lengths, PyArray_STRIDES(out), first ? from : no_steps,
                  PyArray_ITEMSIZE(out)) < 0) {
        return -1;
    }
    int *op_axes[2] = {of_out, of_in};
    npy_uint32 flags[2] = {NPY_ITER_READWRITE | NPY_ITER_ALIGNED,
                           NPY_ITER_READONLY | NPY_ITER_ALIGNED | NPY_ITER_NO_BROADCAST};
    made->iterator = NpyIter_AdvancedNew(
        2, arrays,
        NPY_ITER_BUFFERED | NPY_ITER_EXTERNAL_LOOP | NPY_ITER_GROWINNER | NPY_ITER_REDUCE_OK
            | NPY_ITER_DELAY_BUFALLOC | NPY_ITER_DONT_NEGATE_STRIDES,
        NPY_KEEPORDER, NPY_EQUIV_CASTING, flags, NULL, ndim, op_axes, NULL, 0);
    if (made->iterator == NULL) {
        return -1;
    }
    if (NpyIter_Reset(made->iterator, NULL) != NPY_SUCCEED) {
        return -1;
    }
    made->next = NpyIter_GetIterNext(made->iterator, NULL);
    made->step = step_reduce;
    return made->next == NULL ? -1 : 0;
}

/* Which cast leads from one dtype to another: those that C makes as NumPy does. */
static int cast_between(int from, int to)
{
    static const int casts[][3] = {
        {NPY_BOOL, NPY_FLOAT, BOOL_TO_FLOAT}, {NPY_BOOL, NPY_DOUBLE, BOOL_TO_DOUBLE},
        {NPY_BOOL, NPY_INT64, BOOL_TO_INT64}, {NPY_BOOL, NPY_INT32, BOOL_TO_INT32},
        {NPY_BOOL, NPY_INT8, BOOL_TO_INT8}, {NPY_INT64, NPY_FLOAT, INT64_TO_FLOAT},
        {NPY_INT64, NPY_DOUBLE, INT64_TO_DOUBLE}, {NPY_FLOAT, NPY_DOUBLE, FLOAT_TO_DOUBLE},
        {NPY_DOUBLE, NPY_FLOAT, DOUBLE_TO_FLOAT},
    };
    for (size_t i = 0; i < sizeof casts / sizeof *casts; i++) {
        if (casts[i][0] == from && casts[i][1] == to) {
            return casts[i][2];
        }
    }
    return NO_CAST;
}

static int build_copy(Instruction *made, PyArrayObject **arrays)
{
    PyArrayObject *out = arrays[0], *in = arrays[1];
    int ndim = PyArray_NDIM(out), ahead = ndim - PyArray_NDIM(in);
    int same = PyArray_TYPE(out) == PyArray_TYPE(in);
    npy_intp from[MAX_AXES];
    made->cast = cast_between(PyArray_TYPE(in), PyArray_TYPE(out));
    if (ahead < 0) {
        return refuse("a copy is into as many axes or more");
    }
    for (int axis = 0; axis < ndim; axis++) {
        npy_intp length = axis < ahead ? 1 : PyArray_DIM(in, axis - ahead);
        if (length != 1 && length != PyArray_DIM(out, axis)) {
            return refuse("what is copied has another shape");
        }
        from[axis] = length == 1 ? 0 : PyArray_STRIDE(in, axis - ahead);
    }
    if (!same && made->cast == NO_CAST) {
        return build_convert(made, arrays);
    }
    made->step = same ? step_copy : step_cast;
    return plan_copy(made, ndim, PyArray_DIMS(out), PyArray_STRIDES(out), from,
                     PyArray_ITEMSIZE(out));
}

static int is_row(PyArrayObject *array) { return PyArray_NDIM(array) == 1; }

/* (places, labels), and how many classes there are with what a label that is none of them raises */
static int build_class_places(Instruction *made, PyArrayObject **arrays, PyObject *detail)
{
    PyObject *classes = PyTuple_GET_ITEM(detail, 0), *error = PyTuple_GET_ITEM(detail, 1);
    Py_ssize_t known = PyLong_Check(classes) ? PyLong_AsSsize_t(classes) : -1;
    if (!is_row(arrays[0]) || !is_row(arrays[1]) || PyArray_TYPE(arrays[0]) != NPY_INT64
        || PyArray_TYPE(arrays[1]) != NPY_INT64
        || PyArray_DIM(arrays[0], 0) != PyArray_DIM(arrays[1], 0) || known < 0
        || (known > 0 && PyArray_DIM(arrays[0], 0) > NPY_MAX_INT64 / known)
        || !PyExceptionClass_Check(error)) {
        PyErr_Clear();
        return refuse("labels and their places are rows of 64 bits");
    }
    made->dimensions[0] = PyArray_DIM(arrays[0], 0);
    made->dimensions[1] = known;
    made->strides[0] = PyArray_STRIDE(arrays[0], 0);
    made->strides[1] = PyArray_STRIDE(arrays[1], 0);
    made->error = error;
    made->needs_python = 1;
    made->step = step_class_places;
    return 0;
}

/* (target, mask, value) */
static int build_put_where(Instruction *made, PyArrayObject **arrays)
{
    npy_intp count = PyArray_SIZE(arrays[0]), values = PyArray_SIZE(arrays[2]);
    if (!PyArray_IS_C_CONTIGUOUS(arrays[0]) || !PyArray_IS_C_CONTIGUOUS(arrays[1])
        || !PyArray_IS_C_CONTIGUOUS(arrays[2]) || PyArray_TYPE(arrays[1]) != NPY_BOOL
        || PyArray_SIZE(arrays[1]) != count || (values != 1 && values != count)
        || PyArray_TYPE(arrays[0]) != PyArray_TYPE(arrays[2])) {
        return refuse("what is put where a mask is true lies in one stretch");
    }
    made->itemsize = PyArray_ITEMSIZE(arrays[0]);
    made->dimensions[0] = count;
    made->strides[2] = values == 1 ? 0 : made->itemsize;
    made->step = step_put_where;
    return 0;
}

static int build_number(Instruction *made, PyArrayObject **arrays, PyObject *number)
{
    made->number = PyLong_Check(number) ? (int)PyLong_AsLong(number) : -1;
    made->target = (PyArrayObject *)Py_NewRef((PyObject *)arrays[0]);
    made->itemsize = PyArray_ITEMSIZE(arrays[0]);
    made->needs_python = 1;
    made->step = step_number;
    if (PyArray_SIZE(arrays[0]) != 1
        || (PyArray_TYPE(arrays[0]) != NPY_FLOAT && PyArray_TYPE(arrays[0]) != NPY_DOUBLE)) {
        return refuse("a number goes into one float");
    }
    return 0;
}

/* A chain has as many operands as it likes. */
static int describe_chain(Instruction *made, PyObject *operands, PyObject *detail, int quiet,
                          PyObject *stand_ins)
{
    Py_ssize_t count = PyTuple_GET_SIZE(operands);
    made->operands = (int)count;
    made->quiet = quiet;
    PyArrayObject **arrays = PyMem_Calloc((size_t)count + 1, sizeof *arrays);
    made->chain_places = PyMem_Calloc((size_t)count + 1, sizeof(Place));
    int failed = made->chain_places == NULL || arrays == NULL;
    for (Py_ssize_t i = 0; i < count && !failed; i++) {
        failed = place_operand(&made->chain_places[i], &arrays[i], PyTuple_GET_ITEM(operands, i),
                               stand_ins) < 0;
    }
    failed = failed || build_chain(made, arrays, detail) < 0;
    PyMem_Free(arrays);
    PyMem_Free(made->chain_places);
    made->chain_places = NULL;
    return failed ? -1 : 0;
}

/* described: (kind, operands, the kind's own detail, what is quiet as NumPy's bits) */
static int build_kind(Instruction *made, PyObject *described, PyObject *stand_ins)
{
    const char *kind;
    PyObject *operands, *detail;
    int quiet;
    memset(made, 0, sizeof *made);
    if (!PyTuple_Check(described)) {
        PyErr_SetString(PyExc_TypeError, "an instruction is a tuple");
        return -1;
    }
    if (!PyArg_ParseTuple(described, "sO!Oi", &kind, &PyTuple_Type, &operands, &detail, &quiet)) {
        return -1;
    }
    quiet = flags_of(quiet);
    int count = (int)PyTuple_GET_SIZE(operands);
    if (!strcmp(kind, "chain")) {
        return describe_chain(made, operands, detail, quiet, stand_ins);
    }
    if (!strcmp(kind, "both")) {
        return describe_both(made, detail, stand_ins);
    }
    if (!strcmp(kind, "either")) {
        return describe_either(made, operands, detail, stand_ins);
    }
    PyArrayObject *arrays[MAX_OPERANDS];
    if (count < 1 || count > MAX_OPERANDS) {
        return refuse("an instruction has 1 to 8 operands");
    }
    made->quiet = quiet;
    if (place_operands(made, arrays, operands, stand_ins) < 0) {
        return -1;
    }
    int is_pair = PyTuple_Check(detail) && PyTuple_GET_SIZE(detail) == 2;
    PyObject *function = is_pair ? PyTuple_GET_ITEM(detail, 0) : detail;
    int of_ufunc = PyObject_TypeCheck(function, &PyUFunc_Type);
    if (!strcmp(kind, "ufunc") && of_ufunc && !is_pair) {
        return build_ufunc(made, (PyUFuncObject *)detail, arrays);
    }
    if (!strcmp(kind, "reduce") && of_ufunc && is_pair && count == 2) {
        return build_reduce(made, (PyUFuncObject *)function, arrays, PyTuple_GET_ITEM(detail, 1));
    }
    /* A product is by as many threads as the BLAS has: matmul; or by one: (matmul, True). */
    made->alone = is_pair && PyTuple_GET_ITEM(detail, 1) == Py_True;
    if (!strcmp(kind, "product") && of_ufunc && count == 3) {
        return build_product(made, (PyUFuncObject *)function, arrays);
    }
    if (!strcmp(kind, "stack") && of_ufunc && count == 3) {
        return build_stack(made, (PyUFuncObject *)function, arrays);
    }
    if (!strcmp(kind, "vecdot") && of_ufunc && !is_pair && count == 3) {
        return build_vecdot(made, (PyUFuncObject *)detail, arrays);
    }
    if (!strcmp(kind, "copy") && count == 2) {
        return build_copy(made, arrays);
    }
    if (!strcmp(kind, "number") && count == 1) {
        return build_number(made, arrays, detail);
    }
    if (!strcmp(kind, "choose") && count == 4) {
        PyArrayObject *ordered[MAX_OPERANDS];
        put_result_last(made, arrays, ordered);
        return build_choose(made, ordered);
    }
    if (!strcmp(kind, "accumulate") && of_ufunc && is_pair && count == 2) {
        return build_accumulate(made, (PyUFuncObject *)function, arrays,
                                PyTuple_GET_ITEM(detail, 1));
    }
    if ((!strcmp(kind, "take") || !strcmp(kind, "put")) && count == 3) {
        return build_take_or_put(made, arrays, kind[0] == 't', detail);
    }
    if (!strcmp(kind, "class_places") && is_pair && count == 2) {
        return build_class_places(made, arrays, detail);
    }
    if (!strcmp(kind, "put_where") && count == 3) {
        return build_put_where(made, arrays);
    }
    return refuse("there is no instruction of this kind with these operands and this function");
}

int build_instruction(Instruction *made, PyObject *described, PyObject *stand_ins)
{
    if (build_kind(made, described, stand_ins) < 0) {
        return -1;
    }
    /* Of several instructions the flags are gathered, and raised again in both units. */
    made->one_unit = made->owns == 0 && raises_in_one_unit(described);
    return 0;
}
