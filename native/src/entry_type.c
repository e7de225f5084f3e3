/* walker.Entry(...): what Python tells of a call, looked through once; and the call by itself. */
#include "entry.h"

#include <structmember.h>

/* entry(args, kwargs): the call, or what its guard in Python makes of it. */
static PyObject *call_entry(PyObject *object, PyObject *const *given, size_t nargsf,
                            PyObject *names)
{
    Entry *self = (Entry *)object;
    if (PyVectorcall_NARGS(nargsf) != 2 || names != NULL || !PyTuple_Check(given[0])
        || !PyDict_Check(given[1]) || self->otherwise == NULL) {
        PyErr_SetString(PyExc_TypeError, "an entry takes the arguments and the keywords of a call");
        return NULL;
    }
    PyObject *result = NULL;
    int found = 0;
    if (PyDict_GET_SIZE(given[1]) == 0) {
        found = make_call(object, &PyTuple_GET_ITEM(given[0], 0), PyTuple_GET_SIZE(given[0]),
                          &result);
    }
    return found ? result : PyObject_Vectorcall(self->otherwise, given, 2, NULL);
}

/* Sets a field to what is given, NULL for None. */
static void keep(PyObject **field, PyObject *given)
{
    *field = given == NULL || given == Py_None ? NULL : Py_NewRef(given);
}

static int note_rows(PyObject *described, Py_ssize_t *count, Row **rows)
{
    *rows = PyMem_Calloc((size_t)PyList_GET_SIZE(described) + 1, sizeof(Row));
    if (*rows == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(described); i++) {
        if (note_row(&(*rows)[i], PyList_GET_ITEM(described, i)) < 0) {
            return -1;
        }
        *count = i + 1;
    }
    return 0;
}

static int is_wrong(const char *why)
{
    PyErr_SetString(PyExc_TypeError, why);
    return -1;
}

static int note_given(Entry *self, PyObject *places, PyObject *numbers, PyObject *forms)
{
    Py_ssize_t arguments = self->arguments == NULL ? 0 : count_arguments(self->arguments);
    Py_ssize_t results = 0;
    if (forms != Py_None) {
        if (!PyList_CheckExact(forms) || PyList_GET_SIZE(forms) != self->result_count) {
            return is_wrong("forms are a list, one for each result");
        }
        self->forms = PyList_GetSlice(forms, 0, self->result_count);
        if (self->forms == NULL) {
            return -1;
        }
        results = self->result_count;
        for (Py_ssize_t i = 0; i < results; i++) {
            PyObject *form = PyList_GET_ITEM(self->forms, i);
            if (!PyArray_Check(form) || !PyArray_IS_C_CONTIGUOUS((PyArrayObject *)form)) {
                return is_wrong("a form is an array whose elements lie in order");
            }
        }
    }
    self->given = PyList_GET_SIZE(places);
    if (self->given + PyList_GET_SIZE(numbers) > MOST_GIVEN) {
        return is_wrong("so much is not given to a program from here");
    }
    for (Py_ssize_t i = 0; i < self->given; i++) {
        long place = PyLong_AsLong(PyList_GET_ITEM(places, i));
        if (place >= arguments || place < -results) {
            return is_wrong("what is given is an argument or a result");
        }
        self->places[i] = (int)place;
    }
    if (PyList_GET_SIZE(numbers) && self->forms == NULL) {
        return is_wrong("numbers are given to stretches alone");
    }
    return note_rows(numbers, &self->number_count, &self->numbers);
}

static int note_tensor(Entry *self, PyObject *described)
{
    PyObject *type, *array, *node, *view;
    if (!PyArg_ParseTuple(described, "O!OOO", &PyType_Type, &type, &array, &node, &view)) {
        return -1;
    }
    self->tensor = (PyTypeObject *)Py_NewRef(type);
    self->array_place = offset_of(array, self->tensor);
    self->node_place = self->array_place < 0 ? -1 : offset_of(node, self->tensor);
    self->view_place = self->node_place < 0 ? -1 : offset_of(view, self->tensor);
    return self->view_place < 0 ? -1 : 0;
}

static int note_mode(Entry *self, PyObject *mode, long level, PyObject *inference)
{
    self->wanted_level = level;
    keep(&self->level.local, mode);
    self->level.name = PyUnicode_InternFromString("level");
    self->inference.name = PyUnicode_InternFromString("inference");
    if (inference != Py_None) {
        keep(&self->inference.local, mode);
        self->wanted_inference = Py_NewRef(inference);
    }
    return self->level.name == NULL || self->inference.name == NULL ? -1 : 0;
}

static int note_version(Entry *self, PyObject *version)
{
    PyObject *object, *descriptor, *seen;
    if (version == Py_None) {
        return 0;
    }
    if (!PyTuple_Check(version)
        || !PyArg_ParseTuple(version, "OOO!", &object, &descriptor, &PyList_Type, &seen)) {
        return is_wrong("a version is (object, slot, seen)");
    }
    self->version_place = offset_of(descriptor, Py_TYPE(object));
    keep(&self->version, object);
    keep(&self->seen, seen);
    return self->version_place < 0 ? -1 : 0;
}

static int is_or_none(PyObject *given, PyTypeObject *type)
{
    return given == Py_None || Py_IS_TYPE(given, type);
}

static PyObject *new_entry(PyTypeObject *type, PyObject *args, PyObject *keywords)
{
    static char *names[] = {"mode", "level", "inference", "version", "arguments", "rows", "same",
                            "rest", "counted", "step", "places", "numbers", "forms", "results",
                            "raised", "unlike", "tick", "fill", "put", "tensor", "is_tuple",
                            "finish", "otherwise", NULL};
    PyObject *mode, *inference, *version, *arguments, *rows, *same, *rest, *counted, *step, *places,
        *numbers, *forms, *raised, *unlike, *tick, *fill, *put, *tensor, *finish, *otherwise;
    long level;
    Py_ssize_t results;
    int is_tuple;
    if (!PyArg_ParseTupleAndKeywords(
            args, keywords, "$OlOOOO!OOO!OO!O!OnOOOOOO!pOO", names, &mode, &level, &inference,
            &version, &arguments, &PyList_Type, &rows, &same, &rest, &PyDict_Type, &counted, &step,
            &PyList_Type, &places, &PyList_Type, &numbers, &forms, &results, &raised, &unlike,
            &tick, &fill, &put, &PyTuple_Type, &tensor, &is_tuple, &finish, &otherwise)) {
        return NULL;
    }
    if (!is_or_none(arguments, &ArgumentsType) || !is_or_none(same, &SlotsType)
        || !is_or_none(fill, &SlotsType) || !is_or_none(put, &SlotsType) || results < 0
        || results > MOST_RESULTS || (results != 1 && !is_tuple && finish == Py_None)) {
        PyErr_SetString(PyExc_TypeError, "this is no call that is made from here");
        return NULL;
    }
    Entry *self = (Entry *)type->tp_alloc(type, 0);
    if (self == NULL) {
        return NULL;
    }
    self->vectorcall = call_entry;
    self->result_count = results;
    self->is_tuple = is_tuple;
    keep(&self->arguments, arguments);
    keep(&self->same, same);
    keep(&self->rest, rest);
    keep(&self->counted, counted);
    keep(&self->step, step);
    keep(&self->raised, raised);
    keep(&self->unlike, unlike);
    keep(&self->tick, tick);
    keep(&self->fill, fill);
    keep(&self->put, put);
    keep(&self->finish, finish);
    keep(&self->otherwise, otherwise);
    if (note_mode(self, mode, level, inference) < 0 || note_version(self, version) < 0
        || note_rows(rows, &self->row_count, &self->rows) < 0
        || note_given(self, places, numbers, forms) < 0 || note_tensor(self, tensor) < 0) {
        Py_DECREF(self);
        return NULL;
    }
    return (PyObject *)self;
}

static int traverse_entry(PyObject *object, visitproc visit, void *arg)
{
    Entry *self = (Entry *)object;
    for (Py_ssize_t i = 0; i < self->row_count; i++) {
        int found = visit_row(&self->rows[i], visit, arg);
        if (found) {
            return found;
        }
    }
    for (Py_ssize_t i = 0; i < self->number_count; i++) {
        int found = visit_row(&self->numbers[i], visit, arg);
        if (found) {
            return found;
        }
    }
    Py_VISIT(self->level.local);
    Py_VISIT(self->level.own);
    Py_VISIT(self->inference.local);
    Py_VISIT(self->inference.own);
    Py_VISIT(self->version);
    Py_VISIT(self->seen);
    Py_VISIT(self->arguments);
    Py_VISIT(self->same);
    Py_VISIT(self->rest);
    Py_VISIT(self->counted);
    Py_VISIT(self->step);
    Py_VISIT(self->forms);
    Py_VISIT(self->raised);
    Py_VISIT(self->unlike);
    Py_VISIT(self->tick);
    Py_VISIT(self->fill);
    Py_VISIT(self->put);
    Py_VISIT(self->tensor);
    Py_VISIT(self->finish);
    Py_VISIT(self->otherwise);
    return 0;
}

static int clear_entry(PyObject *object)
{
    Entry *self = (Entry *)object;
    Py_ssize_t rows = self->row_count, numbers = self->number_count;
    self->row_count = self->number_count = 0;
    for (Py_ssize_t i = 0; i < rows; i++) {
        clear_row(&self->rows[i]);
    }
    for (Py_ssize_t i = 0; i < numbers; i++) {
        clear_row(&self->numbers[i]);
    }
    clear_here(&self->level);
    clear_here(&self->inference);
    Py_CLEAR(self->wanted_inference);
    Py_CLEAR(self->version);
    Py_CLEAR(self->seen);
    Py_CLEAR(self->arguments);
    Py_CLEAR(self->same);
    Py_CLEAR(self->rest);
    Py_CLEAR(self->counted);
    Py_CLEAR(self->step);
    Py_CLEAR(self->forms);
    Py_CLEAR(self->raised);
    Py_CLEAR(self->unlike);
    Py_CLEAR(self->tick);
    Py_CLEAR(self->fill);
    Py_CLEAR(self->put);
    Py_CLEAR(self->tensor);
    Py_CLEAR(self->finish);
    Py_CLEAR(self->otherwise);
    return 0;
}

static void dealloc_entry(PyObject *object)
{
    PyObject_GC_UnTrack(object);
    clear_entry(object);
    PyMem_Free(((Entry *)object)->rows);
    PyMem_Free(((Entry *)object)->numbers);
    Py_TYPE(object)->tp_free(object);
}

static PyMemberDef members[] = {
    {"calls", T_PYSSIZET, offsetof(Entry, calls), READONLY, "how many were made here"},
    {"otherwise", T_OBJECT, offsetof(Entry, otherwise), READONLY, "what makes the others"},
    {NULL, 0, 0, 0, NULL},
};

PyTypeObject EntryType = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "aino_native.walker.Entry",
    .tp_doc = "A call by one program, from what it is given to what it gives back.",
    .tp_basicsize = sizeof(Entry),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HAVE_VECTORCALL,
    .tp_new = new_entry,
    .tp_dealloc = dealloc_entry,
    .tp_traverse = traverse_entry,
    .tp_clear = clear_entry,
    .tp_call = PyVectorcall_Call,
    .tp_vectorcall_offset = offsetof(Entry, vectorcall),
    .tp_members = members,
};
