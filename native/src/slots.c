/* Slots of Python objects that are compared with what they held, or set, many in one call.
 *
 * walker.Slots([(object, descriptor, value) ...]): `are()` tells whether each slot holds its value,
 * `put()` sets each to it, `fill(value)` sets all to one.
 */
#include "calling.h"

#include <structmember.h>

typedef struct {
    PyObject *object, *value;
    Py_ssize_t offset;
} Slot;

typedef struct {
    PyObject_HEAD
    Py_ssize_t count;
    Slot *slots;
} Slots;

static inline PyObject **place_of(const Slot *slot)
{
    return (PyObject **)((char *)slot->object + slot->offset);
}

int slots_are(PyObject *object)
{
    Slots *self = (Slots *)object;
    for (Py_ssize_t i = 0; i < self->count; i++) {
        if (*place_of(&self->slots[i]) != self->slots[i].value) {
            return 0;
        }
    }
    return 1;
}

static PyObject *are(PyObject *object, PyObject *unused)
{
    (void)unused;
    return PyBool_FromLong(slots_are(object));
}

static void set(const Slot *slot, PyObject *value)
{
    PyObject **place = place_of(slot), *before = *place;
    *place = Py_NewRef(value);
    Py_XDECREF(before); /* last: it may run code that looks here */
}

void put_slots(PyObject *object)
{
    Slots *self = (Slots *)object;
    for (Py_ssize_t i = 0; i < self->count; i++) {
        set(&self->slots[i], self->slots[i].value);
    }
}

static PyObject *put(PyObject *object, PyObject *unused)
{
    (void)unused;
    put_slots(object);
    Py_RETURN_NONE;
}

void fill_slots(PyObject *object, PyObject *value)
{
    Slots *self = (Slots *)object;
    for (Py_ssize_t i = 0; i < self->count; i++) {
        set(&self->slots[i], value);
    }
}

static PyObject *fill(PyObject *object, PyObject *value)
{
    fill_slots(object, value);
    Py_RETURN_NONE;
}

/* Notes one slot; the descriptor says where it lies in objects of its class. */
static int note(Slot *slot, PyObject *row)
{
    PyObject *object, *descriptor, *value;
    if (!PyTuple_Check(row) || !PyArg_ParseTuple(row, "OOO", &object, &descriptor, &value)) {
        PyErr_SetString(PyExc_TypeError, "a slot is (object, descriptor, value)");
        return -1;
    }
    if (!Py_IS_TYPE(descriptor, &PyMemberDescr_Type)
        || ((PyMemberDescrObject *)descriptor)->d_member->type != T_OBJECT_EX
        || ((PyMemberDescrObject *)descriptor)->d_member->flags & READONLY
        || !PyObject_TypeCheck(object, PyDescr_TYPE(descriptor))) {
        PyErr_SetString(PyExc_TypeError, "a descriptor is that of a slot of the object's class");
        return -1;
    }
    *slot = (Slot){Py_NewRef(object), Py_NewRef(value),
                   ((PyMemberDescrObject *)descriptor)->d_member->offset};
    return 0;
}

static PyObject *new_slots(PyTypeObject *type, PyObject *args, PyObject *keywords)
{
    PyObject *rows;
    if (keywords != NULL && PyDict_GET_SIZE(keywords)) {
        PyErr_SetString(PyExc_TypeError, "Slots takes no keywords");
        return NULL;
    }
    if (!PyArg_ParseTuple(args, "O!", &PyList_Type, &rows)) {
        return NULL;
    }
    Slots *self = (Slots *)type->tp_alloc(type, 0);
    if (self == NULL) {
        return NULL;
    }
    self->slots = PyMem_Calloc((size_t)PyList_GET_SIZE(rows) + 1, sizeof(Slot));
    if (self->slots == NULL) {
        Py_DECREF(self);
        return PyErr_NoMemory();
    }
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(rows); i++) {
        if (note(&self->slots[i], PyList_GET_ITEM(rows, i)) < 0) {
            Py_DECREF(self);
            return NULL;
        }
        self->count = i + 1;
    }
    return (PyObject *)self;
}

static int traverse_slots(PyObject *object, visitproc visit, void *arg)
{
    Slots *self = (Slots *)object;
    for (Py_ssize_t i = 0; i < self->count; i++) {
        Py_VISIT(self->slots[i].object);
        Py_VISIT(self->slots[i].value);
    }
    return 0;
}

static int clear_slots(PyObject *object)
{
    Slots *self = (Slots *)object;
    Py_ssize_t count = self->count;
    self->count = 0;
    for (Py_ssize_t i = 0; i < count; i++) {
        Py_DECREF(self->slots[i].object);
        Py_DECREF(self->slots[i].value);
    }
    return 0;
}

static void dealloc_slots(PyObject *object)
{
    PyObject_GC_UnTrack(object);
    clear_slots(object);
    PyMem_Free(((Slots *)object)->slots);
    Py_TYPE(object)->tp_free(object);
}

static PyMethodDef methods[] = {
    {"are", are, METH_NOARGS, "Tell whether each slot holds its value."},
    {"put", put, METH_NOARGS, "Set each slot to its value."},
    {"fill", fill, METH_O, "Set all slots to one value."},
    {NULL, NULL, 0, NULL},
};

PyTypeObject SlotsType = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "aino_native.walker.Slots",
    .tp_doc = "Slots of objects that are compared or set together.",
    .tp_basicsize = sizeof(Slots),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_new = new_slots,
    .tp_dealloc = dealloc_slots,
    .tp_traverse = traverse_slots,
    .tp_clear = clear_slots,
    .tp_methods = methods,
};
