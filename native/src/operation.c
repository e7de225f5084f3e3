/* A call of a primitive with tensors: what its call path in Python does, where all is plain.
 *
 * walker.Operation(names ...) is called with the one or two arguments of a primitive, of which at
 * least one is a tensor. It returns the tensor, or None where the call path has to see to it: views,
 * arrays that stand for others, dtypes to be promoted, somebody who looks on, an error. Nothing has
 * happened then.
 */
#include "calling.h"
#include "eager.h"

#include <float.h>
#include <math.h>
#include <structmember.h>

enum { MOST_SAVED = 4, SMALL = 513 };

typedef struct {
    PyObject_HEAD
    vectorcallfunc vectorcall;
    PyTypeObject *tensor, *node;
    PyObject *slots[3], *names[3]; /* the descriptors of a tensor's array and its kin; their names */
    Py_ssize_t array, origin, view; /* where a tensor's slots lie */
    Py_ssize_t inputs, saved, noted, shape, sequence, extras; /* and a node's */
    Here level;
    PyObject *tick, *constant, *note;
    PyObject *ufunc; /* the kernel, where it is one */
    int takes, saves;
    int sources[MOST_SAVED];  /* of what is saved: an input, or the result behind them */
    int readers[MOST_SAVED]; /* the inputs whose rules read it, as bits */
    Preparation preparation;
} Operation;

static inline PyObject *held(PyObject *object, Py_ssize_t offset)
{
    return *(PyObject **)((char *)object + offset);
}

/* Puts a reference of its own into a slot of an object that has just been made. */
static inline void put(PyObject *object, Py_ssize_t offset, PyObject *value)
{
    *(PyObject **)((char *)object + offset) = value;
}

/* Whether objects of a class have their array and its kin where tensors have them. */
static int has_slots(Operation *self, PyTypeObject *type)
{
    /* While something is traced, another thing stands in the array's place. */
    int asked = type == self->tensor ? 1 : 3;
    for (int i = 0; i < asked; i++) {
        if (_PyType_Lookup(type, self->names[i]) != self->slots[i]) {
            return 0;
        }
    }
    return type->tp_getattro == self->tensor->tp_getattro;
}

/* What an argument is: its array, and its node, NULL for none; 0 where it is not plain. Both are
 * references of their own: what runs Python meanwhile may take them from the tensor. */
static int look_at(Operation *self, PyObject *given, PyObject **array, PyObject **node)
{
    if (!has_slots(self, Py_TYPE(given))) {
        return 0;
    }
    PyObject *own = held(given, self->array), *origin = held(given, self->origin);
    if (held(given, self->view) != Py_None || own == NULL || origin == NULL) {
        return 0;
    }
    *array = Py_NewRef(own);
    *node = origin == Py_None ? NULL : Py_NewRef(origin);
    return 1;
}

/* Whether a number becomes one of a dtype without a word: of one that overflows NumPy tells. */
static int is_quiet_number(PyObject *number, int dtype)
{
    if (PyLong_CheckExact(number)) {
        int overflows;
        PyLong_AsLongAndOverflow(number, &overflows);
        return !overflows;
    }
    double value = PyFloat_AS_DOUBLE(number);
    return dtype == 1 || !isfinite(value) || fabs(value) <= FLT_MAX;
}

static PyObject *shape_of(PyArrayObject *array)
{
    int ndim = PyArray_NDIM(array);
    PyObject *shape = PyTuple_New(ndim);
    for (int i = 0; shape != NULL && i < ndim; i++) {
        PyObject *length = PyLong_FromSsize_t(PyArray_DIM(array, i));
        if (length == NULL) {
            Py_CLEAR(shape);
            break;
        }
        PyTuple_SET_ITEM(shape, i, length);
    }
    return shape;
}

/* What a node notes of the input that wants no gradient. */
static PyObject *noted_of(Operation *self, PyObject *given, PyObject *array)
{
    if (PyFloat_CheckExact(given)) {
        return Py_NewRef(given);
    }
    if (PyArray_NBYTES((PyArrayObject *)array) < SMALL
        && PyArray_BASE((PyArrayObject *)array) == NULL) {
        return Py_NewRef(array);
    }
    return PyObject_CallOneArg(self->note, array);
}

static PyObject *record(Operation *self, PyObject *const *args, PyObject **arrays, PyObject **nodes)
{
    PyObject *node = self->node->tp_alloc(self->node, 0);
    PyObject *inputs = PyTuple_New(self->takes), *saved = PyTuple_New(self->saves);
    PyObject *shape = shape_of((PyArrayObject *)arrays[self->takes]), *sequence = NULL, *noted = NULL;
    int wanted = 0, failed = node == NULL || inputs == NULL || saved == NULL || shape == NULL
        || (sequence = PyObject_CallNoArgs(self->tick)) == NULL;
    for (int i = 0; i < self->takes && !failed; i++) {
        wanted |= nodes[i] != NULL ? 1 << i : 0;
        PyTuple_SET_ITEM(inputs, i, Py_NewRef(nodes[i] != NULL ? nodes[i] : Py_None));
        if (nodes[i] == NULL) {
            noted = noted_of(self, args[i], arrays[i]);
            failed = noted == NULL;
        }
    }
    for (int i = 0; i < self->saves && !failed; i++) {
        int read = self->readers[i] & wanted;
        PyTuple_SET_ITEM(saved, i, Py_NewRef(read ? arrays[self->sources[i]] : Py_None));
    }
    if (failed) {
        Py_XDECREF(node);
        Py_XDECREF(inputs);
        Py_XDECREF(saved);
        Py_XDECREF(shape);
        Py_XDECREF(sequence);
        Py_XDECREF(noted);
        return NULL;
    }
    put(node, self->inputs, inputs);
    put(node, self->saved, saved);
    put(node, self->shape, shape);
    put(node, self->sequence, sequence);
    put(node, self->extras, Py_NewRef(Py_None));
    if (noted != NULL) {
        put(node, self->noted, noted);
    }
    return node;
}

/* Computes: by its tape, or by NumPy itself, which knows shapes and layouts that a tape does not. */
static PyObject *compute(Operation *self, int dtype, PyObject **arrays)
{
    PyObject *tape = tape_at(&self->preparation, dtype, 0, self->takes);
    PyObject *made = tape == NULL ? NULL : run_tape(tape, arrays);
    int has_axes = 0;
    for (int i = 0; i < self->takes; i++) {
        has_axes |= PyArray_NDIM((PyArrayObject *)arrays[i]);
    }
    /* Without axes NumPy gives a scalar. */
    if (made != NULL || tape == NULL || PyErr_Occurred() || self->ufunc == Py_None || !has_axes) {
        return made;
    }
    made = PyObject_Vectorcall(self->ufunc, arrays, self->takes, NULL);
    if (made == NULL
        && (PyErr_ExceptionMatches(PyExc_ValueError) || PyErr_ExceptionMatches(PyExc_TypeError))) {
        PyErr_Clear(); /* the call path comes to it, too, and explains it */
    }
    else if (made != NULL && dtype_of(made) != dtype) {
        Py_CLEAR(made);
    }
    return made;
}

/* Finds the arrays and nodes of a call, references of their own; -1 with an exception, 0 where it is
 * none for C, 1 where it is. */
static int find_given(Operation *self, PyObject *const *args, PyObject **arrays, PyObject **nodes,
                      int *dtype)
{
    int number = -1;
    *dtype = -1;
    for (int i = 0; i < self->takes; i++) {
        if (PyObject_TypeCheck(args[i], self->tensor)) {
            if (!look_at(self, args[i], &arrays[i], &nodes[i])) {
                return 0;
            }
            int found = dtype_of(arrays[i]);
            if (found < 0 || (*dtype >= 0 && found != *dtype)) {
                return 0;
            }
            *dtype = found;
        }
        else if (self->takes == 1 || number >= 0
                 || !(PyFloat_CheckExact(args[i]) || PyLong_CheckExact(args[i]))) {
            return 0;
        }
        else {
            number = i;
        }
    }
    if (number < 0) {
        return 1;
    }
    if (!is_quiet_number(args[number], *dtype)) {
        return 0;
    }
    PyObject *both[] = {args[number], arrays[1 - number]};
    arrays[number] = PyObject_Vectorcall(self->constant, both, 2, NULL);
    return arrays[number] == NULL ? -1 : dtype_of(arrays[number]) == *dtype;
}

static PyObject *call_operation(PyObject *object, PyObject *const *args, size_t nargsf,
                                PyObject *names)
{
    Operation *self = (Operation *)object;
    if (PyVectorcall_NARGS(nargsf) != self->takes || names != NULL) {
        return PyErr_Format(PyExc_TypeError, "the operation takes %d arguments", self->takes);
    }
    if (!makes_calls) {
        Py_RETURN_NONE;
    }
    PyObject *told = value_here(&self->level);
    if (told == NULL) {
        return NULL;
    }
    long level = PyLong_CheckExact(told) ? PyLong_AsLong(told) : 2;
    Py_DECREF(told);
    PyObject *arrays[3] = {NULL}, *nodes[2] = {NULL}, *result = NULL, *node = NULL;
    int dtype, plain = level == 0 || level == 1 ? find_given(self, args, arrays, nodes, &dtype) : 0;
    if (plain > 0) {
        arrays[self->takes] = compute(self, dtype, arrays);
        if (arrays[self->takes] != NULL) {
            result = self->tensor->tp_alloc(self->tensor, 0);
            int records = level && (nodes[0] != NULL || (self->takes > 1 && nodes[1] != NULL));
            node = result == NULL ? NULL
                : records         ? record(self, args, arrays, nodes)
                                  : Py_NewRef(Py_None);
        }
        if (node != NULL) {
            put(result, self->array, arrays[self->takes]);
            put(result, self->origin, node);
            put(result, self->view, Py_NewRef(Py_None));
        }
        else {
            Py_XDECREF(arrays[self->takes]);
            Py_CLEAR(result);
        }
    }
    for (int i = 0; i < self->takes; i++) {
        Py_XDECREF(arrays[i]);
        Py_XDECREF(nodes[i]);
    }
    return result != NULL || PyErr_Occurred() ? result : Py_NewRef(Py_None);
}

static int note_saved(Operation *self, PyObject *sources, PyObject *readers)
{
    self->saves = (int)PyTuple_GET_SIZE(sources);
    if (self->saves > MOST_SAVED || PyTuple_GET_SIZE(readers) != self->saves) {
        return refuse("a node saves up to four values, each for some of its rules");
    }
    for (int i = 0; i < self->saves; i++) {
        self->sources[i] = (int)PyLong_AsLong(PyTuple_GET_ITEM(sources, i));
        self->readers[i] = (int)PyLong_AsLong(PyTuple_GET_ITEM(readers, i));
        if (PyErr_Occurred() || self->sources[i] < 0 || self->sources[i] > self->takes) {
            return refuse("what is saved is an input or the result");
        }
    }
    return 0;
}

static int note_slots(const PyObject *const *slots, PyTypeObject *type, Py_ssize_t **places, int count)
{
    for (int i = 0; i < count; i++) {
        *places[i] = offset_of((PyObject *)slots[i], type);
        if (*places[i] < 0) {
            return -1;
        }
    }
    return 0;
}

static PyObject *new_operation(PyTypeObject *type, PyObject *args, PyObject *keywords)
{
    static char *names[] = {"takes", "tensor", "tensor_slots", "node", "node_slots", "mode", "tick",
                            "constant", "note", "ufunc", "sources", "readers", "prepare",
                            "patience", NULL};
    int takes;
    Py_ssize_t patience;
    PyObject *tensor, *node, *mode, *tick, *constant, *note, *ufunc, *sources, *readers, *prepare;
    const PyObject *of_tensor[3], *of_node[6];
    if (!PyArg_ParseTupleAndKeywords(
            args, keywords, "iO!(OOO)O!(OOOOOO)OOOOOO!O!On", names, &takes, &PyType_Type, &tensor,
            &of_tensor[0], &of_tensor[1], &of_tensor[2], &PyType_Type, &node, &of_node[0],
            &of_node[1], &of_node[2], &of_node[3], &of_node[4], &of_node[5], &mode, &tick, &constant,
            &note, &ufunc, &PyTuple_Type, &sources, &PyTuple_Type, &readers, &prepare, &patience)) {
        return NULL;
    }
    if (takes < 1 || takes > 2) {
        refuse("an operation takes one argument or two");
        return NULL;
    }
    Operation *self = (Operation *)type->tp_alloc(type, 0);
    if (self == NULL) {
        return NULL;
    }
    self->vectorcall = call_operation;
    self->takes = takes;
    self->tensor = (PyTypeObject *)Py_NewRef(tensor);
    self->node = (PyTypeObject *)Py_NewRef(node);
    self->level = (Here){.local = Py_NewRef(mode), .name = PyUnicode_InternFromString("level")};
    self->tick = Py_NewRef(tick);
    self->constant = Py_NewRef(constant);
    self->note = Py_NewRef(note);
    self->ufunc = Py_NewRef(ufunc);
    note_preparation(&self->preparation, prepare, patience);
    Py_ssize_t *in_tensor[] = {&self->array, &self->origin, &self->view};
    Py_ssize_t *in_node[] = {&self->inputs, &self->saved, &self->noted,
                             &self->shape,  &self->sequence, &self->extras};
    if (self->level.name == NULL || note_slots(of_tensor, self->tensor, in_tensor, 3) < 0
        || note_slots(of_node, self->node, in_node, 6) < 0 || note_saved(self, sources, readers) < 0) {
        Py_DECREF(self);
        return NULL;
    }
    for (int i = 0; i < 3; i++) {
        self->slots[i] = Py_NewRef((PyObject *)of_tensor[i]);
        self->names[i] = Py_NewRef(PyDescr_NAME(of_tensor[i]));
    }
    return (PyObject *)self;
}

static int traverse_operation(PyObject *object, visitproc visit, void *arg)
{
    Operation *self = (Operation *)object;
    PyObject *held[] = {(PyObject *)self->tensor, (PyObject *)self->node, self->level.local,
                        self->level.own, self->tick, self->constant, self->note, self->ufunc,
                        self->preparation.prepare};
    for (size_t i = 0; i < sizeof held / sizeof *held; i++) {
        Py_VISIT(held[i]);
    }
    return 0;
}

static int clear_operation(PyObject *object)
{
    Operation *self = (Operation *)object;
    Py_CLEAR(self->tensor);
    Py_CLEAR(self->node);
    for (int i = 0; i < 3; i++) {
        Py_CLEAR(self->slots[i]);
        Py_CLEAR(self->names[i]);
    }
    Py_CLEAR(self->tick);
    Py_CLEAR(self->constant);
    Py_CLEAR(self->note);
    Py_CLEAR(self->ufunc);
    clear_here(&self->level);
    clear_preparation(&self->preparation);
    return 0;
}

static void dealloc_operation(PyObject *object)
{
    PyObject_GC_UnTrack(object);
    clear_operation(object);
    Py_TYPE(object)->tp_free(object);
}

PyTypeObject OperationType = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "aino_native.walker.Operation",
    .tp_doc = "A call of a primitive with tensors, made in C where it is plain.",
    .tp_basicsize = sizeof(Operation),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HAVE_VECTORCALL,
    .tp_new = new_operation,
    .tp_dealloc = dealloc_operation,
    .tp_traverse = traverse_operation,
    .tp_clear = clear_operation,
    .tp_call = PyVectorcall_Call,
    .tp_vectorcall_offset = offsetof(Operation, vectorcall),
};
