/* A call by one program, from what it is given to what it gives back: walker.Entry(...).
 *
 * What the program relies on is compared as its guard in Python does, or more strictly. Where
 * anything is otherwise, nothing has happened, and the guard in Python is asked: it decides.
 */
#include "calling.h"

#include <structmember.h>

enum { MOST_RESULTS = 8 };

typedef struct {
    PyObject_HEAD
    vectorcallfunc vectorcall;
    Here level, inference; /* of the mode; the second is asked where its name is set */
    long wanted_level;
    PyObject *wanted_inference;
    PyObject *version, *seen; /* the structure's, and a list of the one that was seen last */
    Py_ssize_t version_place;
    PyObject *arguments, *same, *rest; /* NULL where there are none */
    Py_ssize_t row_count;
    Row *rows;
    PyObject *counted; /* holds the calls to come, until the next that is compared */

    PyObject *step;                /* a Stretch that is the whole program, or a function */
    PyObject *forms;               /* of what a stretch fills and the call returns */
    Py_ssize_t given, result_count;
    int places[MOST_GIVEN];        /* of what is given: an argument, or a result from -1 down */
    Py_ssize_t number_count;
    Row *numbers;                  /* entries that a stretch is given after its arrays */

    PyObject *raised, *unlike;
    PyObject *tick, *fill, *put;
    PyTypeObject *tensor;
    Py_ssize_t array_place, node_place, view_place;
    int is_tuple;
    PyObject *finish, *otherwise;
    Py_ssize_t calls; /* how many were made here */
} Entry;

/* What came of a look: an exception of an ordinary kind is left to the guard in Python. */
static int looked(int found)
{
    if (found < 0 && PyErr_ExceptionMatches(PyExc_Exception)) {
        PyErr_Clear();
        return 0;
    }
    return found;
}

static int is_mode(Entry *self)
{
    if (self->level.local != NULL) {
        PyObject *level = value_here(&self->level);
        if (level == NULL) {
            return -1;
        }
        int is = PyLong_CheckExact(level) && PyLong_AsLong(level) == self->wanted_level;
        Py_DECREF(level);
        if (!is) {
            return 0;
        }
    }
    if (self->inference.local != NULL) {
        PyObject *inference = value_here(&self->inference);
        if (inference == NULL) {
            return -1;
        }
        Py_DECREF(inference);
        return inference == self->wanted_inference;
    }
    return 1;
}

static int is_version(Entry *self)
{
    if (self->version == NULL) {
        return 1;
    }
    PyObject *count = *(PyObject **)((char *)self->version + self->version_place);
    PyObject *seen = PyList_GET_SIZE(self->seen) ? PyList_GET_ITEM(self->seen, 0) : NULL;
    return count != NULL && seen != NULL
        && (count == seen
            || (PyLong_CheckExact(count) && PyLong_CheckExact(seen)
                && PyObject_RichCompareBool(count, seen, Py_EQ) == 1));
}

/* Asks what only Python can tell. */
static int rest_is(Entry *self, PyObject *const *args, Py_ssize_t count)
{
    PyObject *given = PyTuple_New(count), *keywords = PyDict_New(), *told = NULL;
    for (Py_ssize_t i = 0; given != NULL && i < count; i++) {
        PyTuple_SET_ITEM(given, i, Py_NewRef(args[i]));
    }
    if (given != NULL && keywords != NULL) {
        PyObject *both[] = {given, keywords};
        told = PyObject_Vectorcall(self->rest, both, 2, NULL);
    }
    Py_XDECREF(given);
    Py_XDECREF(keywords);
    int is = told == NULL ? -1 : told == Py_True;
    Py_XDECREF(told);
    return is;
}

/* Takes one of the calls to come; 0 where there are none left, and this one is compared. */
static int is_counted(Entry *self)
{
    static PyObject *name = NULL;
    if (name == NULL && (name = PyUnicode_InternFromString("_calls_to_come")) == NULL) {
        return -1;
    }
    PyObject *calls = PyDict_GetItemWithError(self->counted, name);
    if (calls == NULL || !PyIter_Check(calls)) {
        return PyErr_Occurred() ? -1 : 0;
    }
    PyObject *one = PyIter_Next(calls);
    Py_XDECREF(one);
    return one != NULL ? 1 : PyErr_Occurred() ? -1 : 0;
}

/* Compares all that the program relies on; the arrays are those of the arguments. */
static int fits(Entry *self, PyObject *const *args, Py_ssize_t count, PyObject **arrays)
{
    int is = is_mode(self);
    if (is > 0) {
        is = is_version(self) && (self->same == NULL || slots_are(self->same));
    }
    for (Py_ssize_t i = 0; is > 0 && i < self->row_count; i++) {
        is = row_is(&self->rows[i]);
    }
    if (is > 0) {
        is = self->arguments != NULL ? find_arrays(self->arguments, args, count, arrays)
                                     : count == 0;
    }
    if (is > 0 && self->rest != NULL) {
        is = rest_is(self, args, count);
        for (Py_ssize_t i = 0; is <= 0 && i < count; i++) {
            Py_CLEAR(arrays[i]);
        }
    }
    return is;
}

/* Gives a stretch its arrays and numbers: 1, 0 where a number is not there, -1 with an exception. */
static int gather(Entry *self, PyObject **arrays, PyObject **results, PyObject **given)
{
    for (Py_ssize_t i = 0; i < self->result_count; i++) {
        PyArrayObject *form = (PyArrayObject *)PyList_GET_ITEM(self->forms, i);
        PyArray_Descr *dtype = PyArray_DESCR(form);
        Py_INCREF(dtype);
        results[i] = PyArray_NewFromDescr(&PyArray_Type, dtype, PyArray_NDIM(form),
                                          PyArray_DIMS(form), NULL, NULL, 0, NULL);
        if (results[i] == NULL) {
            return -1;
        }
    }
    for (Py_ssize_t i = 0; i < self->given; i++) {
        int place = self->places[i];
        given[i] = place < 0 ? results[-1 - place] : arrays[place];
    }
    for (Py_ssize_t i = 0; i < self->number_count; i++) {
        const Row *number = &self->numbers[i];
        PyObject *found = PyDict_GetItemWithError(number->holder, number->key);
        if (found == NULL) {
            return PyErr_Occurred() ? -1 : 0;
        }
        given[self->given + i] = Py_NewRef(found);
    }
    return 1;
}

/* Says to Python that the program has raised; what it makes of that is raised. */
static void tell(Entry *self)
{
    PyObject *error = take_error(), *saved = PyTuple_New(0), *told = NULL;
    if (saved != NULL) {
        told = PyObject_CallFunctionObjArgs(self->raised, error, saved, NULL);
        Py_DECREF(saved);
    }
    if (told == NULL) {
        Py_DECREF(error);
        return;
    }
    Py_DECREF(told);
    raise_again(error);
}

/* Takes the results out of what a function has returned. */
static int take_results(Entry *self, PyObject *returned, PyObject **results)
{
    Py_ssize_t count = self->result_count;
    if (count == 1) {
        results[0] = Py_NewRef(returned);
        return 0;
    }
    if (count > 1 && (!PyTuple_CheckExact(returned) || PyTuple_GET_SIZE(returned) != count)) {
        PyErr_SetString(PyExc_RuntimeError, "a program has returned another number of results");
        return -1;
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        results[i] = Py_NewRef(PyTuple_GET_ITEM(returned, i));
    }
    return 0;
}

/* Runs the program: 1 with its results, 0 where the data is not such as it was made for. */
static int run(Entry *self, PyObject **arrays, PyObject **results)
{
    PyObject *given[MOST_GIVEN] = {NULL}, *returned = NULL;
    int found = 1;
    if (self->forms != NULL) {
        found = gather(self, arrays, results, given);
    }
    else {
        for (Py_ssize_t i = 0; i < self->given; i++) {
            given[i] = arrays[self->places[i]];
        }
    }
    if (found > 0) {
        found = looked(is_counted(self));
    }
    if (found > 0) {
        size_t count = (size_t)(self->given + self->number_count);
        returned = PyObject_Vectorcall(self->step, given, count, NULL);
        if (returned == NULL && self->unlike != NULL && PyErr_ExceptionMatches(self->unlike)) {
            PyErr_Clear();
            found = 0;
        }
        else if (returned == NULL) {
            tell(self);
            found = -1;
        }
        else if (self->forms == NULL && take_results(self, returned, results) < 0) {
            found = -1;
        }
        Py_XDECREF(returned);
    }
    for (Py_ssize_t i = 0; i < self->number_count; i++) {
        Py_XDECREF(given[self->given + i]);
    }
    return found;
}

/* Stamps the memory that was written, and shows the gradients. */
static int leave(Entry *self)
{
    if (self->fill != NULL) {
        PyObject *time = PyObject_CallNoArgs(self->tick);
        if (time == NULL) {
            return -1;
        }
        fill_slots(self->fill, time);
        Py_DECREF(time);
    }
    if (self->put != NULL) {
        put_slots(self->put);
    }
    return 0;
}

/* Returns a tensor over an array, as aino.autograd.tensor.make does; takes the reference. */
static PyObject *make(Entry *self, PyObject *array)
{
    PyObject *made = self->tensor->tp_alloc(self->tensor, 0);
    if (made == NULL) {
        Py_DECREF(array);
        return NULL;
    }
    *(PyObject **)((char *)made + self->array_place) = array;
    *(PyObject **)((char *)made + self->node_place) = Py_NewRef(Py_None);
    *(PyObject **)((char *)made + self->view_place) = Py_NewRef(Py_None);
    return made;
}

/* Returns what the call gives back; takes the references of the results. */
static PyObject *answer(Entry *self, PyObject **results)
{
    PyObject *answered = NULL;
    if (self->finish != NULL) {
        answered = PyObject_Vectorcall(self->finish, results, (size_t)self->result_count, NULL);
    }
    else if (!self->is_tuple) {
        PyObject *only = results[0];
        results[0] = NULL;
        return make(self, only);
    }
    else if ((answered = PyTuple_New(self->result_count)) != NULL) {
        for (Py_ssize_t i = 0; i < self->result_count; i++) {
            PyObject *made = make(self, results[i]);
            results[i] = NULL;
            if (made == NULL) {
                Py_CLEAR(answered);
                break;
            }
            PyTuple_SET_ITEM(answered, i, made);
        }
    }
    return answered;
}

int make_call(PyObject *object, PyObject *const *args, Py_ssize_t count, PyObject **result)
{
    Entry *self = (Entry *)object;
    PyObject *arrays[MOST_ARGUMENTS], *results[MOST_RESULTS] = {NULL};
    int found = looked(fits(self, args, count, arrays));
    if (found <= 0) {
        return found;
    }
    found = run(self, arrays, results);
    for (Py_ssize_t i = 0; i < count; i++) {
        Py_DECREF(arrays[i]);
    }
    if (found > 0 && leave(self) < 0) {
        found = -1;
    }
    if (found > 0) {
        *result = answer(self, results);
        found = *result == NULL ? -1 : 1;
    }
    for (Py_ssize_t i = 0; i < self->result_count; i++) {
        Py_XDECREF(results[i]);
    }
    self->calls += found > 0;
    return found;
}

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
            if (!PyArray_Check(PyList_GET_ITEM(self->forms, i))) {
                return is_wrong("a form is an array");
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
