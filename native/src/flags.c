/* Which instructions raise their flags in one of a processor's two floating-point units alone.
 *
 * To ask the old one, which long doubles and some of libm compute in, takes as long as a short
 * instruction. What NumPy's plain loops of float and double do is seen in the other.
 */
#include "flags.h"
#include "instructions.h"

#include <string.h>

static const char *const plain[] = {
    "add",     "subtract", "multiply",   "divide", "sqrt",          "square",  "negative",
    "maximum", "minimum",  "less_equal", "less",   "greater_equal", "greater", "equal",
    "not_equal",
};

/* Whether a ufunc is NumPy's own, and one of those; `clip` has no public name there. */
int is_plain_ufunc(PyObject *ufunc)
{
    static PyObject *numpy = NULL;
    if (numpy == NULL && (numpy = PyImport_ImportModule("numpy")) == NULL) {
        PyErr_Clear();
        return 0;
    }
    for (size_t i = 0; i < sizeof(plain) / sizeof(*plain); i++) {
        PyObject *known = PyObject_GetAttrString(numpy, plain[i]);
        Py_XDECREF(known); /* the module has it */
        if (known == NULL) {
            PyErr_Clear();
        }
        else if (known == ufunc) {
            return 1;
        }
    }
    const PyUFuncObject *own = (const PyUFuncObject *)ufunc;
    return PyObject_TypeCheck(ufunc, &PyUFunc_Type) && own->nin == 3 && !strcmp(own->name, "clip");
}

int flags_of(int bits)
{
    return (bits & NPY_FPE_DIVIDEBYZERO ? FE_DIVBYZERO : 0)
        | (bits & NPY_FPE_OVERFLOW ? FE_OVERFLOW : 0)
        | (bits & NPY_FPE_UNDERFLOW ? FE_UNDERFLOW : 0)
        | (bits & NPY_FPE_INVALID ? FE_INVALID : 0);
}

static int is_short(PyObject *operand)
{
    if (!PyArray_Check(operand)) {
        return 0;
    }
    int type = PyArray_TYPE((PyArrayObject *)operand);
    return type == NPY_FLOAT || type == NPY_DOUBLE || type == NPY_BOOL;
}

int raises_in_one_unit(PyObject *described)
{
    static const char *const moves[] = {"copy", "put_where", "choose"};
    if (!PyTuple_Check(described) || PyTuple_GET_SIZE(described) < 3) {
        return 0;
    }
    PyObject *kind = PyTuple_GET_ITEM(described, 0), *operands = PyTuple_GET_ITEM(described, 1);
    PyObject *function = PyTuple_GET_ITEM(described, 2);
    if (!PyUnicode_Check(kind) || !PyTuple_Check(operands)) {
        return 0;
    }
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(operands); i++) {
        if (!is_short(PyTuple_GET_ITEM(operands, i))) {
            return 0;
        }
    }
    for (size_t i = 0; i < sizeof(moves) / sizeof(*moves); i++) {
        if (PyUnicode_CompareWithASCIIString(kind, moves[i]) == 0) {
            return 1;
        }
    }
    if (PyUnicode_CompareWithASCIIString(kind, "reduce") == 0 && PyTuple_Check(function)
        && PyTuple_GET_SIZE(function) > 0) {
        function = PyTuple_GET_ITEM(function, 0);
    }
    else if (PyUnicode_CompareWithASCIIString(kind, "product") == 0) {
        return 1; /* the BLAS's, or NumPy's own sums of products */
    }
    else if (PyUnicode_CompareWithASCIIString(kind, "ufunc") != 0) {
        return 0;
    }
    return is_plain_ufunc(function);
}
