/* The rules of a primitive, applied to what arrives in a backward pass.
 *
 * walker.Pullback(names ...) is called with a node's inputs, what it has saved, and the cotangent of
 * its output. It returns the cotangents of the inputs, or None where the pullback in Python has to
 * see to them: a rule that is no tape, arrays that it is not for, an error.
 */
#include "calling.h"
#include "eager.h"

#include <structmember.h>

enum { MOST_RULES = 2 };

typedef struct {
    PyObject_HEAD
    vectorcallfunc vectorcall;
    PyTypeObject *node; /* of which all nodes are */
    Py_ssize_t shape;
    PyObject *sum_to; /* sums back to the shape of an input that was broadcast */
    int rules, broadcasts;
    int reads[MOST_RULES];                /* how many a rule reads */
    int sources[MOST_RULES][MOST_READ]; /* what: the cotangent, -1, or which of the saved */
    Preparation preparation;
} Pullback;

/* Whether an array has the shape of a node's output. */
static int has_shape(PyArrayObject *array, PyObject *shape)
{
    int ndim = PyArray_NDIM(array);
    if (PyTuple_GET_SIZE(shape) != ndim) {
        return 0;
    }
    for (int i = 0; i < ndim; i++) {
        PyObject *length = PyTuple_GET_ITEM(shape, i);
        if (!PyLong_CheckExact(length) || PyLong_AsSsize_t(length) != PyArray_DIM(array, i)) {
            return 0;
        }
    }
    return 1;
}

/* Applies one rule; NULL, perhaps without an exception, where it can't. */
static PyObject *apply(Pullback *self, int rule, int dtype, PyObject *saved, PyObject *g)
{
    PyObject *tape = tape_at(&self->preparation, dtype, rule, self->reads[rule]);
    PyObject *given[MOST_READ];
    if (tape == NULL) {
        return NULL;
    }
    for (int k = 0; k < self->reads[rule]; k++) {
        int source = self->sources[rule][k];
        given[k] = source < 0 ? g : PyTuple_GET_ITEM(saved, source);
    }
    return run_tape(tape, given);
}

/* The shape that a cotangent is summed back to, borrowed; NULL where that is none. */
static PyObject *shape_of(Pullback *self, PyObject *edge)
{
    PyObject *shape = PyObject_TypeCheck(edge, self->node)
        ? *(PyObject **)((char *)edge + self->shape) : NULL;
    return shape != NULL && PyTuple_Check(shape) ? shape : NULL;
}

static PyObject *call_pullback(PyObject *object, PyObject *const *args, size_t nargsf, PyObject *names)
{
    Pullback *self = (Pullback *)object;
    if (PyVectorcall_NARGS(nargsf) != 3 || names != NULL) {
        PyErr_SetString(PyExc_TypeError, "a pullback takes inputs, saved values and a cotangent");
        return NULL;
    }
    PyObject *inputs = args[0], *saved = args[1], *g = args[2];
    int dtype = makes_calls ? dtype_of(g) : -1;
    if (dtype < 0 || !PyTuple_CheckExact(inputs) || !PyTuple_Check(saved)
        || PyTuple_GET_SIZE(inputs) != self->rules) {
        Py_RETURN_NONE;
    }
    for (int i = 0; i < self->rules; i++) {
        for (int k = 0; k < self->reads[i]; k++) {
            if (self->sources[i][k] >= PyTuple_GET_SIZE(saved)) {
                Py_RETURN_NONE;
            }
        }
    }
    PyObject *found = PyTuple_New(self->rules);
    for (int i = 0; i < self->rules && found != NULL; i++) {
        PyObject *edge = PyTuple_GET_ITEM(inputs, i), *made = NULL;
        if (edge == Py_None) {
            made = Py_NewRef(Py_None);
        }
        else if (!self->broadcasts || shape_of(self, edge) != NULL) {
            made = apply(self, i, dtype, saved, g);
        }
        if (made == NULL) {
            Py_CLEAR(found);
            break;
        }
        PyTuple_SET_ITEM(found, i, made);
    }
    /* Now: a sum may warn, which is not to be heard twice because another rule is none for C. */
    for (int i = 0; i < self->rules && found != NULL && self->broadcasts; i++) {
        PyObject *edge = PyTuple_GET_ITEM(inputs, i), *whole = PyTuple_GET_ITEM(found, i);
        if (edge == Py_None || has_shape((PyArrayObject *)whole, shape_of(self, edge))) {
            continue;
        }
        PyObject *sum = PyObject_CallFunctionObjArgs(self->sum_to, whole, shape_of(self, edge), NULL);
        if (sum == NULL) {
            Py_CLEAR(found);
            break;
        }
        PyTuple_SET_ITEM(found, i, sum);
        Py_DECREF(whole);
    }
    return found != NULL || PyErr_Occurred() ? found : Py_NewRef(Py_None);
}

static int note_rule(Pullback *self, int rule, PyObject *told)
{
    if (!PyTuple_Check(told) || PyTuple_GET_SIZE(told) > MOST_READ) {
        return refuse("a rule reads up to six arrays");
    }
    self->reads[rule] = (int)PyTuple_GET_SIZE(told);
    for (int k = 0; k < self->reads[rule]; k++) {
        self->sources[rule][k] = (int)PyLong_AsLong(PyTuple_GET_ITEM(told, k));
        if (PyErr_Occurred() || self->sources[rule][k] < -1) {
            return refuse("a rule reads the cotangent and what is saved");
        }
    }
    return 0;
}

static PyObject *new_pullback(PyTypeObject *type, PyObject *args, PyObject *keywords)
{
    static char *names[] = {"node", "shape_slot", "rules", "broadcasts", "sum_to", "prepare",
                            "patience", NULL};
    PyObject *node, *slot, *rules, *sum_to, *prepare;
    int broadcasts;
    Py_ssize_t patience;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "O!OO!pOOn", names, &PyType_Type, &node, &slot,
                                     &PyTuple_Type, &rules, &broadcasts, &sum_to, &prepare,
                                     &patience)) {
        return NULL;
    }
    Py_ssize_t count = PyTuple_GET_SIZE(rules);
    if (count < 1 || count > MOST_RULES) {
        refuse("there are one or two rules");
        return NULL;
    }
    Pullback *self = (Pullback *)type->tp_alloc(type, 0);
    if (self == NULL) {
        return NULL;
    }
    self->vectorcall = call_pullback;
    self->node = (PyTypeObject *)Py_NewRef(node);
    self->rules = (int)count;
    self->broadcasts = broadcasts;
    self->sum_to = Py_NewRef(sum_to);
    note_preparation(&self->preparation, prepare, patience);
    self->shape = offset_of(slot, self->node);
    int failed = self->shape < 0;
    for (int i = 0; i < self->rules && !failed; i++) {
        failed = note_rule(self, i, PyTuple_GET_ITEM(rules, i)) < 0;
    }
    if (failed) {
        Py_DECREF(self);
        return NULL;
    }
    return (PyObject *)self;
}

static int traverse_pullback(PyObject *object, visitproc visit, void *arg)
{
    Py_VISIT(((Pullback *)object)->node);
    Py_VISIT(((Pullback *)object)->sum_to);
    Py_VISIT(((Pullback *)object)->preparation.prepare);
    return 0;
}

static int clear_pullback(PyObject *object)
{
    Py_CLEAR(((Pullback *)object)->node);
    Py_CLEAR(((Pullback *)object)->sum_to);
    clear_preparation(&((Pullback *)object)->preparation);
    return 0;
}

static void dealloc_pullback(PyObject *object)
{
    PyObject_GC_UnTrack(object);
    clear_pullback(object);
    Py_TYPE(object)->tp_free(object);
}

PyTypeObject PullbackType = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "aino_native.walker.Pullback",
    .tp_doc = "The rules of a primitive, applied in C where that is plain.",
    .tp_basicsize = sizeof(Pullback),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HAVE_VECTORCALL,
    .tp_new = new_pullback,
    .tp_dealloc = dealloc_pullback,
    .tp_traverse = traverse_pullback,
    .tp_clear = clear_pullback,
    .tp_call = PyVectorcall_Call,
    .tp_vectorcall_offset = offsetof(Pullback, vectorcall),
};
