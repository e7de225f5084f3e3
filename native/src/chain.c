/* A chain: element-wise loops over long flat memory, run together, a block of it at a time, so that
 * what they hand to each other stays in the cache. */
#include "chain.h"

#include <string.h>

struct Chain {
    npy_intp begin, end, block;
    Py_ssize_t count;
    Link links[];
};

int step_chain(const Instruction *self, char *const *slots, PyObject *const *numbers)
{
    (void)numbers;
    const Chain *chain = self->chain;
    for (npy_intp low = chain->begin; low < chain->end; low += chain->block) {
        npy_intp high = low + chain->block < chain->end ? low + chain->block : chain->end;
        for (Py_ssize_t i = 0; i < chain->count; i++) {
            const Link *link = &chain->links[i];
            npy_intp first = low > link->begin ? low : link->begin;
            npy_intp count = (high < link->end ? high : link->end) - first;
            if (count <= 0) {
                continue;
            }
            char *operands[MAX_LINK_OPERANDS];
            npy_intp strides[MAX_LINK_OPERANDS];
            for (int k = 0; k < link->operands; k++) {
                const Operand *operand = &link->each[k];
                npy_intp from = operand->role == FLAT ? first - operand->origin
                    : operand->role == SCRATCH       ? first - low
                                                     : 0;
                operands[k] = at(&operand->place, slots) + from * operand->stride;
                strides[k] = operand->stride;
            }
            link->loop(operands, &count, strides, link->data);
        }
    }
    return 0;
}

/* Notes one operand of a link: a flat array, scratch memory, or a number without axes. */
static int note_operand(Operand *noted, PyArrayObject *array, Place place, const char *role,
                        npy_intp origin, const Link *link, npy_intp block)
{
    *noted = (Operand){.place = place, .role = NUMBER};
    if (!strcmp(role, "number")) {
        return PyArray_SIZE(array) == 1 ? 0 : refuse("a number of a chain has no axes");
    }
    if (PyArray_NDIM(array) != 1 || !PyArray_IS_C_CONTIGUOUS(array)) {
        return refuse("what a chain goes over is flat");
    }
    noted->stride = PyArray_ITEMSIZE(array);
    if (!strcmp(role, "scratch")) {
        noted->role = SCRATCH;
        return PyArray_DIM(array, 0) >= block ? 0 : refuse("scratch memory has room for a block");
    }
    noted->role = FLAT;
    noted->origin = origin;
    return !strcmp(role, "flat") && origin <= link->begin
            && link->end - origin <= PyArray_DIM(array, 0)
        ? 0
        : refuse("a chain stays within its arrays");
}

/* described: (ufunc, ((operand's number, role, origin) ..., the result last), begin, end) */
static int build_link(Link *link, PyObject *described, const Instruction *made,
                      PyArrayObject **arrays, npy_intp block)
{
    PyObject *function, *operands;
    if (!PyTuple_Check(described)
        || !PyArg_ParseTuple(described, "OO!nn", &function, &PyTuple_Type, &operands,
                             &link->begin, &link->end)) {
        return -1;
    }
    PyUFuncObject *ufunc = (PyUFuncObject *)function;
    if (!PyObject_TypeCheck(function, &PyUFunc_Type) || ufunc->core_enabled || ufunc->nout != 1
        || PyTuple_GET_SIZE(operands) != ufunc->nargs || ufunc->nargs > MAX_OPERANDS) {
        return refuse("a link of a chain is a ufunc with one result, and its operands");
    }
    PyArrayObject *given[MAX_OPERANDS];
    link->operands = ufunc->nargs;
    for (int k = 0; k < link->operands; k++) {
        int which;
        const char *role;
        npy_intp origin;
        PyObject *told = PyTuple_GET_ITEM(operands, k);
        if (!PyTuple_Check(told) || !PyArg_ParseTuple(told, "isn", &which, &role, &origin)) {
            return -1;
        }
        if (which < 0 || which >= made->operands) {
            return refuse("a link names an operand that the chain does not have");
        }
        given[k] = arrays[which];
        if (note_operand(&link->each[k], given[k], made->chain_places[which], role, origin, link,
                         block) < 0) {
            return -1;
        }
        link->each[k].which = which;
    }
    if (!PyArray_ISWRITEABLE(given[link->operands - 1])
        || link->each[link->operands - 1].role == NUMBER) {
        return refuse("the result of a link is flat and can be written");
    }
    link->ufunc = ufunc;
    link->type = PyArray_TYPE(given[link->operands - 1]);
    return find_loop(ufunc, given, &link->loop, &link->data);
}

/* detail: (begin, end, block, [links]) */
int build_chain(Instruction *made, PyArrayObject **arrays, PyObject *detail)
{
    npy_intp begin, end, block;
    PyObject *links;
    if (!PyTuple_Check(detail)
        || !PyArg_ParseTuple(detail, "nnnO!", &begin, &end, &block, &PyList_Type, &links)) {
        return -1;
    }
    if (begin < 0 || end < begin || block < 1) {
        return refuse("a chain goes forward, in blocks");
    }
    Py_ssize_t count = PyList_GET_SIZE(links);
    Chain *chain = PyMem_Calloc(1, sizeof(Chain) + (size_t)count * sizeof(Link));
    if (chain == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    made->chain = chain;
    *chain = (Chain){.begin = begin, .end = end, .block = block, .count = count};
    for (Py_ssize_t i = 0; i < count; i++) {
        Link *link = &chain->links[i];
        if (build_link(link, PyList_GET_ITEM(links, i), made, arrays, block) < 0) {
            return -1;
        }
        if (link->begin < begin || link->end > end) {
            return refuse("a link runs within its chain");
        }
    }
    chain->count = fuse_links(chain->links, count);
    made->work = (end - begin) * count;
    made->step = step_chain;
    return 0;
}
