/* The arguments of a call, compared with those that a program was made for.
 *
 * walker.Arguments([(class, array, node, form, dtype, rigid) ...], roots, apart): `array` and `node`
 * are the descriptors of a tensor's slots, None for an argument that is an array itself; `form` is
 * an array of the shape and the strides that the argument has to have. `open(args, kwargs)` returns
 * the tuple of the arrays, or None where anything is otherwise than it was.
 */
#include "calling.h"

#include <structmember.h>

typedef struct {
    PyTypeObject *type;
    Py_ssize_t array, node; /* where the slots lie; -1 for an argument that is an array itself */
    PyArrayObject *form;
    PyObject *dtype;
    int rigid;              /* whether strides count */
    int first_array, first_object; /* the first argument that is the same array, the same object */
} Argument;

typedef struct {
    PyObject_HEAD
    Py_ssize_t count;
    Argument arguments[MOST_ARGUMENTS];
    PyObject *roots;  /* a list of the arrays that the program writes, kept alive */
    PyObject *apart;  /* apart([array], roots) tells of memory whose owner is no array */
    size_t known;
    void **addresses; /* those of the roots, in order */
    int foreign;      /* whether the memory of one of them belongs to something else */
} Arguments;

static int by_address(const void *left, const void *right)
{
    const char *a = *(char *const *)left, *b = *(char *const *)right;
    return (a > b) - (a < b);
}

static int is_root(const Arguments *self, const void *object)
{
    return bsearch(&object, self->addresses, self->known, sizeof(void *), by_address) != NULL;
}

/* Whether an array lies apart from all that the program writes: 1, 0, or -1 with an exception. */
static int lies_apart(const Arguments *self, PyArrayObject *array)
{
    PyObject *base = PyArray_BASE(array);
    if (self->known == 0) {
        return 1;
    }
    if (is_root(self, array) || (base != NULL && is_root(self, base))) {
        return 0;
    }
    int is_plain = base == NULL
        || (Py_IS_TYPE(base, &PyArray_Type) && PyArray_BASE((PyArrayObject *)base) == NULL);
    if (is_plain && !self->foreign) {
        return 1;
    }
    PyObject *told = PyObject_CallFunction(self->apart, "[O]O", array, self->roots);
    if (told == NULL) {
        return -1;
    }
    int is_apart = PyObject_IsTrue(told);
    Py_DECREF(told);
    return is_apart;
}

/* Returns the array of an argument, borrowed; NULL where it is of another kind. */
static PyArrayObject *array_of(const Argument *wanted, PyObject *given)
{
    if (!Py_IS_TYPE(given, wanted->type)) {
        return NULL;
    }
    PyObject *array = given;
    if (wanted->array >= 0) {
        PyObject *node = *(PyObject **)((char *)given + wanted->node);
        array = *(PyObject **)((char *)given + wanted->array);
        if (node != Py_None || array == NULL) {
            return NULL;
        }
    }
    return PyArray_Check(array) ? (PyArrayObject *)array : NULL;
}

static int has_form(const Argument *wanted, PyArrayObject *array)
{
    int ndim = PyArray_NDIM(wanted->form);
    size_t bytes = (size_t)ndim * sizeof(npy_intp);
    return PyArray_NDIM(array) == ndim && (PyObject *)PyArray_DESCR(array) == wanted->dtype
        && memcmp(PyArray_DIMS(array), PyArray_DIMS(wanted->form), bytes) == 0
        && (!wanted->rigid
            || memcmp(PyArray_STRIDES(array), PyArray_STRIDES(wanted->form), bytes) == 0);
}

/* Which of the first objects is the same as the last: their places say who is who. */
static int first_of(PyObject *const *objects, int last)
{
    int place = 0;
    while (objects[place] != objects[last]) {
        place++;
    }
    return place;
}

Py_ssize_t count_arguments(PyObject *object)
{
    return ((Arguments *)object)->count;
}

int find_arrays(PyObject *object, PyObject *const *objects, Py_ssize_t count, PyObject **arrays)
{
    Arguments *self = (Arguments *)object;
    if (count != self->count) {
        return 0;
    }
    for (int i = 0; i < count; i++) {
        const Argument *wanted = &self->arguments[i];
        PyArrayObject *array = array_of(wanted, objects[i]);
        arrays[i] = (PyObject *)array;
        if (array == NULL || !has_form(wanted, array) || first_of(arrays, i) != wanted->first_array
            || first_of(objects, i) != wanted->first_object) {
            return 0;
        }
    }
    for (int i = 0; i < count; i++) {
        Py_INCREF(arrays[i]);
    }
    int are_apart = 1;
    for (int i = 0; i < count && are_apart > 0; i++) {
        are_apart = lies_apart(self, (PyArrayObject *)arrays[i]);
    }
    for (int i = 0; i < count && are_apart <= 0; i++) {
        Py_CLEAR(arrays[i]);
    }
    return are_apart;
}

static PyObject *open_arguments(PyObject *object, PyObject *const *given, Py_ssize_t count)
{
    PyObject *arrays[MOST_ARGUMENTS];
    if (count != 2 || !PyTuple_Check(given[0]) || !PyDict_Check(given[1])) {
        PyErr_SetString(PyExc_TypeError, "open takes the arguments and the keywords of a call");
        return NULL;
    }
    Py_ssize_t size = PyTuple_GET_SIZE(given[0]);
    int found = PyDict_GET_SIZE(given[1]) ? 0 : find_arrays(
        object, &PyTuple_GET_ITEM(given[0], 0), size, arrays);
    if (found <= 0) {
        return found < 0 ? NULL : Py_NewRef(Py_None);
    }
    PyObject *opened = PyTuple_New(size);
    for (Py_ssize_t i = 0; i < size; i++) {
        if (opened == NULL) {
            Py_DECREF(arrays[i]);
        }
        else {
            PyTuple_SET_ITEM(opened, i, arrays[i]);
        }
    }
    return opened;
}

Py_ssize_t offset_of(PyObject *descriptor, PyTypeObject *type)
{
    if (!Py_IS_TYPE(descriptor, &PyMemberDescr_Type)
        || ((PyMemberDescrObject *)descriptor)->d_member->type != T_OBJECT_EX
        || !PyType_IsSubtype(type, PyDescr_TYPE(descriptor))) {
        PyErr_SetString(PyExc_TypeError, "a descriptor is that of a slot of the argument's class");
        return -1;
    }
    return ((PyMemberDescrObject *)descriptor)->d_member->offset;
}

static int note(Argument *noted, PyObject *row)
{
    PyObject *type, *array, *node, *form, *dtype;
    int rigid, first_array, first_object;
    if (!PyTuple_Check(row)) {
        PyErr_SetString(PyExc_TypeError, "an argument is described by a tuple");
        return -1;
    }
    if (!PyArg_ParseTuple(row, "O!OOO!Opii", &PyType_Type, &type, &array, &node, &PyArray_Type,
                          &form, &dtype, &rigid, &first_array, &first_object)) {
        return -1;
    }
    Argument made = {.array = -1, .node = -1, .rigid = rigid, .first_array = first_array,
                     .first_object = first_object};
    if (array != Py_None) {
        made.array = offset_of(array, (PyTypeObject *)type);
        made.node = made.array < 0 ? -1 : offset_of(node, (PyTypeObject *)type);
        if (made.node < 0) {
            return -1;
        }
    }
    made.type = (PyTypeObject *)Py_NewRef(type);
    made.form = (PyArrayObject *)Py_NewRef(form);
    made.dtype = Py_NewRef(dtype);
    *noted = made;
    return 0;
}

/* Puts the addresses of the roots in order, and looks whose memory they have. */
static int note_roots(Arguments *self)
{
    self->known = (size_t)PyList_GET_SIZE(self->roots);
    self->addresses = PyMem_Calloc(self->known + 1, sizeof(void *));
    if (self->addresses == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    for (size_t i = 0; i < self->known; i++) {
        PyObject *root = PyList_GET_ITEM(self->roots, (Py_ssize_t)i);
        if (!PyArray_Check(root)) {
            PyErr_SetString(PyExc_TypeError, "what a program writes is an array");
            return -1;
        }
        self->addresses[i] = root;
        self->foreign |= !PyArray_CHKFLAGS((PyArrayObject *)root, NPY_ARRAY_OWNDATA);
    }
    qsort(self->addresses, self->known, sizeof(void *), by_address);
    return 0;
}

static PyObject *new_arguments(PyTypeObject *type, PyObject *args, PyObject *keywords)
{
    PyObject *rows, *roots, *apart;
    if (keywords != NULL && PyDict_GET_SIZE(keywords)) {
        PyErr_SetString(PyExc_TypeError, "Arguments takes no keywords");
        return NULL;
    }
    if (!PyArg_ParseTuple(args, "O!O!O", &PyList_Type, &rows, &PyList_Type, &roots, &apart)) {
        return NULL;
    }
    if (PyList_GET_SIZE(rows) > MOST_ARGUMENTS) {
        return PyErr_Format(PyExc_ValueError, "at most %d arguments are compared here",
                            MOST_ARGUMENTS);
    }
    Arguments *self = (Arguments *)type->tp_alloc(type, 0);
    if (self == NULL) {
        return NULL;
    }
    self->roots = PyList_GetSlice(roots, 0, PyList_GET_SIZE(roots)); /* nobody changes it later */
    self->apart = Py_NewRef(apart);
    if (self->roots == NULL || note_roots(self) < 0) {
        Py_DECREF(self);
        return NULL;
    }
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(rows); i++) {
        if (note(&self->arguments[i], PyList_GET_ITEM(rows, i)) < 0) {
            Py_DECREF(self);
            return NULL;
        }
        self->count = i + 1;
    }
    return (PyObject *)self;
}

static int traverse_arguments(PyObject *object, visitproc visit, void *arg)
{
    Arguments *self = (Arguments *)object;
    for (Py_ssize_t i = 0; i < self->count; i++) {
        Py_VISIT(self->arguments[i].type);
        Py_VISIT(self->arguments[i].form);
        Py_VISIT(self->arguments[i].dtype);
    }
    Py_VISIT(self->roots);
    Py_VISIT(self->apart);
    return 0;
}

static int clear_arguments(PyObject *object)
{
    Arguments *self = (Arguments *)object;
    Py_ssize_t count = self->count;
    self->count = 0;
    self->known = 0;
    for (Py_ssize_t i = 0; i < count; i++) {
        Py_DECREF(self->arguments[i].type);
        Py_DECREF(self->arguments[i].form);
        Py_DECREF(self->arguments[i].dtype);
    }
    Py_CLEAR(self->roots);
    Py_CLEAR(self->apart);
    return 0;
}

static void dealloc_arguments(PyObject *object)
{
    PyObject_GC_UnTrack(object);
    clear_arguments(object);
    PyMem_Free(((Arguments *)object)->addresses);
    Py_TYPE(object)->tp_free(object);
}

static PyMethodDef methods[] = {
    {"open", (PyCFunction)(void (*)(void))open_arguments, METH_FASTCALL,
     "Return the arrays of a call's arguments, None where they are of another kind."},
    {NULL, NULL, 0, NULL},
};

PyTypeObject ArgumentsType = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "aino_native.walker.Arguments",
    .tp_doc = "The arguments that a program was made for.",
    .tp_basicsize = sizeof(Arguments),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_new = new_arguments,
    .tp_dealloc = dealloc_arguments,
    .tp_traverse = traverse_arguments,
    .tp_clear = clear_arguments,
    .tp_methods = methods,
};
