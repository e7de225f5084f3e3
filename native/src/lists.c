/* Makes instructions that consist of others: two lists at the same time, or one of two. */
#include "instructions.h"

#include <string.h>

/* Notes lists of instructions as an instruction's own; returns their number, or -1. */
static int describe_lists(Instruction *made, PyObject *detail, PyObject *stand_ins,
                          int at_the_same_time)
{
    Py_ssize_t lists = PyTuple_GET_SIZE(detail), count = 0;
    for (Py_ssize_t k = 0; k < lists; k++) {
        if (!PyList_Check(PyTuple_GET_ITEM(detail, k))) {
            return refuse("what is walked at the same time is lists of instructions");
        }
        count += PyList_GET_SIZE(PyTuple_GET_ITEM(detail, k));
    }
    made->owned = PyMem_Calloc((size_t)count + 1, sizeof(Instruction));
    if (made->owned == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    for (Py_ssize_t k = 0; k < lists; k++) {
        PyObject *list = PyTuple_GET_ITEM(detail, k);
        if (k < 2) {
            made->parts[k] = made->owned + made->owns;
            made->counts[k] = PyList_GET_SIZE(list);
        }
        else {
            made->whole = made->owned + made->owns;
        }
        for (Py_ssize_t i = 0; i < PyList_GET_SIZE(list); i++) {
            Instruction *part = &made->owned[made->owns++];
            if (build_instruction(part, PyList_GET_ITEM(list, i), stand_ins) < 0) {
                return -1;
            }
            if (part->needs_python || part->step == step_take || part->step == step_put) {
                return refuse("what may need Python is not walked at the same time as other work");
            }
            if (at_the_same_time && k < 2
                && ((part->is_big && !part->alone) || part->step == step_either)) {
                return refuse("a product by all threads is not walked at the same time as others");
            }
            made->work += k < 2 ? part->work : 0;
        }
    }
    return 0;
}

/* (mask), ([instructions], [instructions]): the first list where any of the mask is true */
int describe_either(Instruction *made, PyObject *operands, PyObject *detail,
                           PyObject *stand_ins)
{
    PyArrayObject *mask;
    if (PyTuple_GET_SIZE(operands) != 1 || !PyTuple_Check(detail) || PyTuple_GET_SIZE(detail) != 2) {
        return refuse("a mask chooses between two lists of instructions");
    }
    if (place_operand(&made->places[0], &mask, PyTuple_GET_ITEM(operands, 0), stand_ins) < 0) {
        return -1;
    }
    if (PyArray_TYPE(mask) != NPY_BOOL || !PyArray_IS_C_CONTIGUOUS(mask)) {
        return refuse("a mask lies in one stretch");
    }
    made->operands = 1;
    made->dimensions[0] = PyArray_SIZE(mask);
    made->step = step_either;
    return describe_lists(made, detail, stand_ins, 0);
}

/* ([instructions], [instructions]), of which none needs what the other list does; a third list has
 * the one large product that both are the halves of */
int describe_both(Instruction *made, PyObject *detail, PyObject *stand_ins)
{
    if (!PyTuple_Check(detail) || PyTuple_GET_SIZE(detail) < 2 || PyTuple_GET_SIZE(detail) > 3) {
        return refuse("what is walked at the same time is two lists of instructions");
    }
    made->step = step_both;
    if (describe_lists(made, detail, stand_ins, 1) < 0) {
        return -1;
    }
    int halves = PyTuple_GET_SIZE(detail) == 3;
    if (halves && (made->owns != made->counts[0] + made->counts[1] + 1 || !made->whole->is_big)) {
        return refuse("halves are those of one large product");
    }
    return 0;
}
