/* A backward pass over nodes that are plain: what the walk in Python does with them, in C.
 *
 * walker.Backward(names ...) is called with what waits (pending, order, and the one entry ahead, or
 * None), whether saved values are kept, and, where not every leaf is wanted, which nodes lead to the
 * wanted ones and which those are; both None else. It goes on until it meets an entry that Python
 * has to see to (a leaf, a hook, an array that stands for others, a graph that was freed) and
 * returns it; or None, when nothing waits any more.
 */
#include "calling.h"
#include "eager.h"

#include <structmember.h>

enum { BETWEEN_SIGNALS = 1024 };

typedef struct {
    PyObject_HEAD
    vectorcallfunc vectorcall;
    PyTypeObject *node, *leaf;
    Py_ssize_t inputs, saved, sequence, extras; /* where a node's slots lie */
    PyObject *clock;
    Py_ssize_t last_write;
    PyObject *push, *pop; /* of a heap */
    PyObject *spent;      /* what stays of values that were saved */
    PyObject *spent_type; /* of those where that is known to be all of them */
    PyObject *join;       /* (entry, edge, cotangent): sums what is not plain */
    PyObject *check;      /* (node, recorded): raises where a value that was saved has been written */
    PyObject *refusal;    /* what a rule raises that has to be asked in another way */
    PyObject *pure, *keeps, *quick, *pullback; /* names */
} Backward;

/* What a pass is told, and what waits. */
typedef struct {
    PyObject *pending, *order, *ahead, *useful, *wanted;
    int keep;
} Pass;

static inline PyObject **slot_at(PyObject *object, Py_ssize_t offset)
{
    return (PyObject **)((char *)object + offset);
}

static inline int is_number_or_array(PyObject *value)
{
    return is_plain_array(value) || PyArray_IsScalar(value, Generic);
}

/* The entry whose turn it is, a reference of its own. */
static PyObject *next_entry(Backward *self, Pass *pass)
{
    PyObject *entry = pass->ahead;
    if (entry != NULL) {
        pass->ahead = NULL;
        return entry;
    }
    PyObject *turned = PyObject_CallOneArg(self->pop, pass->order);
    PyObject *key = turned == NULL ? NULL : PyNumber_Negative(turned);
    Py_XDECREF(turned);
    entry = key == NULL ? NULL : Py_XNewRef(PyDict_GetItemWithError(pass->pending, key));
    if (entry != NULL && PyDict_DelItem(pass->pending, key) < 0) {
        Py_CLEAR(entry);
    }
    Py_XDECREF(key);
    if (entry == NULL && !PyErr_Occurred()) {
        PyErr_SetString(PyExc_KeyError, "what is in order waits");
    }
    return entry;
}

/* Lets an entry wait; takes the reference. */
static int let_wait(Backward *self, Pass *pass, PyObject *entry)
{
    PyObject *key = *slot_at(PyList_GET_ITEM(entry, 0), self->sequence);
    PyObject *turned = PyNumber_Negative(key), *both[] = {pass->order, turned}, *done = NULL;
    if (turned != NULL && PyDict_SetItem(pass->pending, key, entry) == 0) {
        done = PyObject_Vectorcall(self->push, both, 2, NULL);
    }
    Py_XDECREF(turned);
    Py_DECREF(entry);
    Py_XDECREF(done);
    return done == NULL ? -1 : 0;
}

/* Adds a cotangent to what has arrived for a node before. */
static int join(Backward *self, PyObject *entry, PyObject *edge, PyObject *cotangent)
{
    PyObject *before = PyList_GET_ITEM(entry, 1), *total;
    int own = PyList_GET_ITEM(entry, 2) == Py_True;
    if (!is_number_or_array(before) || !is_number_or_array(cotangent)) {
        PyObject *given[] = {entry, edge, cotangent};
        total = PyObject_Vectorcall(self->join, given, 3, NULL);
        Py_XDECREF(total);
        return total == NULL ? -1 : 0;
    }
    total = own ? PyNumber_InPlaceAdd(before, cotangent) : PyNumber_Add(before, cotangent);
    if (total == NULL) {
        return -1;
    }
    if (!own && is_plain_array(total)) {
        PyList_SetItem(entry, 2, Py_NewRef(Py_True));
    }
    return PyList_SetItem(entry, 1, total);
}

/* Hands a cotangent to a node. */
static int hand_on(Backward *self, Pass *pass, PyObject *edge, PyObject *cotangent)
{
    if (!PyObject_TypeCheck(edge, self->node)) {
        PyErr_SetString(PyExc_TypeError, "a pullback returned a cotangent where none is wanted");
        return -1;
    }
    if (pass->ahead != NULL) {
        PyObject *entry = pass->ahead;
        pass->ahead = NULL;
        if (let_wait(self, pass, entry) < 0) {
            return -1;
        }
    }
    PyObject *key = *slot_at(edge, self->sequence), *entry = NULL;
    int alone = PyList_GET_SIZE(pass->order) == 0;
    if (!alone) {
        entry = PyDict_GetItemWithError(pass->pending, key);
        if (entry == NULL && PyErr_Occurred()) {
            return -1;
        }
        if (entry != NULL) {
            Py_INCREF(entry);
            int failed = join(self, entry, edge, cotangent);
            Py_DECREF(entry);
            return failed;
        }
    }
    entry = PyList_New(3);
    if (entry == NULL) {
        return -1;
    }
    PyList_SET_ITEM(entry, 0, Py_NewRef(edge));
    PyList_SET_ITEM(entry, 1, Py_NewRef(cotangent));
    PyList_SET_ITEM(entry, 2, Py_NewRef(Py_False));
    if (alone) {
        pass->ahead = entry;
        return 0;
    }
    return let_wait(self, pass, entry);
}

/* Whether an entry is for C: its node is a primitive's, and nobody looks at it; -1 with an exception,
 * as where a value that its rules read has been written. */
static int is_plain_entry(Backward *self, Pass *pass, PyObject *entry)
{
    PyObject *node = PyList_GET_ITEM(entry, 0), *cotangent = PyList_GET_ITEM(entry, 1);
    if (Py_IS_TYPE(node, self->leaf) || !PyObject_TypeCheck(node, self->node)
        || _PyType_Lookup(Py_TYPE(node), self->pure) != Py_True
        || *slot_at(node, self->extras) != Py_None) {
        return 0;
    }
    if (pass->wanted != Py_None) {
        int is_wanted = PySet_Contains(pass->wanted, node);
        int leads = is_wanted ? 1 : PySet_Contains(pass->useful, node);
        if (is_wanted || leads <= 0) {
            return is_wanted < 0 || leads < 0 ? -1 : 0;
        }
    }
    int is_later = PyObject_RichCompareBool(*slot_at(self->clock, self->last_write),
                                            *slot_at(node, self->sequence), Py_GT);
    if (is_later > 0) {
        PyObject *told[] = {node, Py_False};
        PyObject *checked = PyObject_Vectorcall(self->check, told, 2, NULL);
        Py_XDECREF(checked);
        is_later = checked == NULL ? -1 : 0;
    }
    if (is_later < 0) {
        return -1;
    }
    /* Now: that calls Python, and another thread's pass may free a graph that both go through. */
    if (!PyTuple_Check(*slot_at(node, self->saved))) {
        return 0;
    }
    if (PyArray_IsScalar(cotangent, Generic)) {
        PyObject *array = PyArray_FromScalar(cotangent, NULL);
        return array == NULL || PyList_SetItem(entry, 1, array) < 0 ? -1 : 1;
    }
    return is_plain_array(cotangent);
}

/* The edges over which something is handed on: of all, those that lead to what is wanted. */
static PyObject *edges_of(Pass *pass, PyObject *inputs)
{
    if (pass->useful == Py_None) {
        return Py_NewRef(inputs);
    }
    Py_ssize_t count = PyTuple_GET_SIZE(inputs);
    PyObject *edges = PyTuple_New(count);
    for (Py_ssize_t i = 0; edges != NULL && i < count; i++) {
        PyObject *edge = PyTuple_GET_ITEM(inputs, i);
        int leads = edge == Py_None ? 0 : PySet_Contains(pass->useful, edge);
        if (leads < 0) {
            Py_CLEAR(edges);
            break;
        }
        PyTuple_SET_ITEM(edges, i, Py_NewRef(leads ? edge : Py_None));
    }
    return edges;
}

/* Lets go of what a node has saved, which no later pass will read. */
static int let_go(Backward *self, PyObject *node, PyObject *saved)
{
    if (PyTuple_GET_SIZE(saved) == 0) {
        return 0;
    }
    PyObject *keeps = _PyType_Lookup(Py_TYPE(node), self->keeps), *left;
    if (keeps == Py_True) {
        left = Py_NewRef(Py_None);
    }
    else if (keeps == Py_False && Py_IS_TYPE(saved, (PyTypeObject *)self->spent_type)) {
        return 0;
    }
    else {
        left = PyObject_CallOneArg(keeps == Py_False ? self->spent_type : self->spent, saved);
    }
    if (left == NULL) {
        return -1;
    }
    PyObject **slot = slot_at(node, self->saved), *before = *slot;
    *slot = left;
    Py_XDECREF(before);
    return 0;
}

/* The cotangents of a node's inputs; NULL with an exception. */
static PyObject *pull_back(Backward *self, PyObject *node, PyObject *edges, PyObject *saved,
                           PyObject *cotangent)
{
    PyObject *quick = _PyType_Lookup(Py_TYPE(node), self->quick);
    PyObject *given[] = {node, edges, saved, cotangent};
    if (quick != NULL && Py_IS_TYPE(quick, &PullbackType)) {
        PyObject *found = PyObject_Vectorcall(quick, given + 1, 3, NULL);
        if (found != Py_None) {
            return found;
        }
        Py_DECREF(found);
    }
    return PyObject_VectorcallMethod(self->pullback, given, 4, NULL);
}

/* Does with an entry what the walk does; -1 with an exception, 1 where Python has to do it again. */
static int visit(Backward *self, Pass *pass, PyObject *entry)
{
    PyObject *node = Py_NewRef(PyList_GET_ITEM(entry, 0));
    PyObject *cotangent = Py_NewRef(PyList_GET_ITEM(entry, 1));
    PyObject *saved = Py_NewRef(*slot_at(node, self->saved));
    PyObject *edges = edges_of(pass, *slot_at(node, self->inputs)), *found = NULL, *each = NULL;
    if (edges != NULL) {
        found = pull_back(self, node, edges, saved, cotangent);
    }
    Py_DECREF(cotangent);
    int failed = found == NULL || (!pass->keep && let_go(self, node, saved) < 0);
    if (!failed) {
        Py_CLEAR(saved);
        /* So that a cotangent that is held nowhere else is known to be. */
        PyList_SetItem(entry, 1, Py_NewRef(Py_None));
        each = PySequence_Fast(found, "a pullback returns a cotangent for each input");
        failed = each == NULL;
    }
    Py_ssize_t count = failed ? 0 : Py_MIN(PySequence_Fast_GET_SIZE(each), PyTuple_GET_SIZE(edges));
    for (Py_ssize_t i = 0; i < count && !failed; i++) {
        PyObject *part = PySequence_Fast_GET_ITEM(each, i);
        if (part != Py_None) {
            failed = hand_on(self, pass, PyTuple_GET_ITEM(edges, i), part) < 0;
        }
    }
    Py_XDECREF(each);
    Py_XDECREF(saved);
    Py_XDECREF(edges);
    Py_DECREF(node);
    if (found == NULL && PyErr_ExceptionMatches(self->refusal)) {
        PyErr_Clear();
        return 1;
    }
    Py_XDECREF(found);
    return failed ? -1 : 0;
}

static PyObject *call_backward(PyObject *object, PyObject *const *args, size_t nargsf, PyObject *names)
{
    Backward *self = (Backward *)object;
    if (PyVectorcall_NARGS(nargsf) != 6 || names != NULL || !PyDict_CheckExact(args[0])
        || !PyList_CheckExact(args[1])) {
        PyErr_SetString(PyExc_TypeError, "a pass is told what waits, in which order, what is ahead, "
                                         "whether values are kept, and what is wanted");
        return NULL;
    }
    Pass pass = {args[0], args[1], args[2] == Py_None ? NULL : Py_NewRef(args[2]), args[4], args[5],
                 PyObject_IsTrue(args[3])};
    PyObject *entry = NULL;
    int failed = pass.keep < 0;
    for (unsigned steps = 1; !failed; steps++) {
        if (pass.ahead == NULL && PyList_GET_SIZE(pass.order) == 0) {
            break;
        }
        entry = next_entry(self, &pass);
        if (entry == NULL) {
            failed = 1;
            break;
        }
        int plain = makes_calls ? is_plain_entry(self, &pass, entry) : 0;
        int again = plain > 0 ? visit(self, &pass, entry) : 0;
        failed = plain < 0 || again < 0 || (steps % BETWEEN_SIGNALS == 0 && PyErr_CheckSignals() < 0);
        if (!failed && (plain == 0 || again)) {
            break; /* Python sees to it */
        }
        Py_CLEAR(entry);
    }
    Py_XDECREF(pass.ahead); /* after an error: an entry that is returned was the one ahead */
    if (failed) {
        Py_XDECREF(entry);
        return NULL;
    }
    return entry != NULL ? entry : Py_NewRef(Py_None);
}

static PyObject *new_backward(PyTypeObject *type, PyObject *args, PyObject *keywords)
{
    static char *names[] = {"node", "leaf", "slots", "clock", "last_write", "push", "pop", "spent",
                            "spent_type", "join", "check", "refusal", NULL};
    PyObject *node, *leaf, *slots[4], *clock, *last, *push, *pop, *spent, *kind, *join, *check, *refusal;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "O!O!(OOOO)OOOOOO!OOO", names, &PyType_Type, &node,
                                     &PyType_Type, &leaf, &slots[0], &slots[1], &slots[2], &slots[3],
                                     &clock, &last, &push, &pop, &spent, &PyType_Type, &kind, &join,
                                     &check, &refusal)) {
        return NULL;
    }
    Backward *self = (Backward *)type->tp_alloc(type, 0);
    if (self == NULL) {
        return NULL;
    }
    self->vectorcall = call_backward;
    self->node = (PyTypeObject *)Py_NewRef(node);
    self->leaf = (PyTypeObject *)Py_NewRef(leaf);
    self->clock = Py_NewRef(clock);
    self->push = Py_NewRef(push);
    self->pop = Py_NewRef(pop);
    self->spent = Py_NewRef(spent);
    self->spent_type = Py_NewRef(kind);
    self->join = Py_NewRef(join);
    self->check = Py_NewRef(check);
    self->refusal = Py_NewRef(refusal);
    self->pure = PyUnicode_InternFromString("pure");
    self->keeps = PyUnicode_InternFromString("keeps_arrays");
    self->quick = PyUnicode_InternFromString("quick_back");
    self->pullback = PyUnicode_InternFromString("pullback");
    Py_ssize_t *places[] = {&self->inputs, &self->saved, &self->sequence, &self->extras};
    int failed = !self->pure || !self->keeps || !self->quick || !self->pullback;
    for (int i = 0; i < 4 && !failed; i++) {
        *places[i] = offset_of(slots[i], self->node);
        failed = *places[i] < 0;
    }
    if (!failed) {
        self->last_write = offset_of(last, Py_TYPE(clock));
    }
    if (failed || self->last_write < 0) {
        Py_DECREF(self);
        return NULL;
    }
    return (PyObject *)self;
}

static int traverse_backward(PyObject *object, visitproc visit, void *arg)
{
    Backward *self = (Backward *)object;
    PyObject *held[] = {(PyObject *)self->node, (PyObject *)self->leaf, self->clock, self->push,
                        self->pop, self->spent, self->spent_type, self->join, self->check,
                        self->refusal};
    for (size_t i = 0; i < sizeof held / sizeof *held; i++) {
        Py_VISIT(held[i]);
    }
    return 0;
}

static int clear_backward(PyObject *object)
{
    Backward *self = (Backward *)object;
    Py_CLEAR(self->node);
    Py_CLEAR(self->leaf);
    Py_CLEAR(self->clock);
    Py_CLEAR(self->push);
    Py_CLEAR(self->pop);
    Py_CLEAR(self->spent);
    Py_CLEAR(self->spent_type);
    Py_CLEAR(self->join);
    Py_CLEAR(self->check);
    Py_CLEAR(self->refusal);
    Py_CLEAR(self->pure);
    Py_CLEAR(self->keeps);
    Py_CLEAR(self->quick);
    Py_CLEAR(self->pullback);
    return 0;
}

static void dealloc_backward(PyObject *object)
{
    PyObject_GC_UnTrack(object);
    clear_backward(object);
    Py_TYPE(object)->tp_free(object);
}

PyTypeObject BackwardType = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "aino_native.walker.Backward",
    .tp_doc = "A backward pass over plain nodes.",
    .tp_basicsize = sizeof(Backward),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HAVE_VECTORCALL,
    .tp_new = new_backward,
    .tp_dealloc = dealloc_backward,
    .tp_traverse = traverse_backward,
    .tp_clear = clear_backward,
    .tp_call = PyVectorcall_Call,
    .tp_vectorcall_offset = offsetof(Backward, vectorcall),
};
