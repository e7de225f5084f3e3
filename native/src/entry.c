/* A call by one program, from what it is given to what it gives back.
 *
 * What the program relies on is compared as its guard in Python does, or more strictly. Where
 * anything is otherwise, nothing has happened, and the guard in Python is asked: it decides.
 */
#include "entry.h"

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
    if (calls == NULL || Py_TYPE(calls)->tp_iternext == NULL) {
        return PyErr_Occurred() ? -1 : 0;
    }
    PyObject *one = Py_TYPE(calls)->tp_iternext(calls);
    Py_XDECREF(one);
    if (one == NULL && PyErr_ExceptionMatches(PyExc_StopIteration)) {
        PyErr_Clear();
    }
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

static inline PyObject **slot(PyObject *object, Py_ssize_t place)
{
    return (PyObject **)((char *)object + place);
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

/* Returns a tensor over a result, as aino.autograd.tensor.make does; takes the reference. */
static PyObject *make(Entry *self, PyObject **result)
{
    PyObject *made = self->tensor->tp_alloc(self->tensor, 0);
    if (made != NULL) {
        *slot(made, self->array_place) = *result;
        *slot(made, self->node_place) = Py_NewRef(Py_None);
        *slot(made, self->view_place) = Py_NewRef(Py_None);
        *result = NULL;
    }
    return made;
}

/* Returns what the call gives back. */
static PyObject *answer(Entry *self, PyObject **results)
{
    if (self->finish != NULL) {
        return PyObject_Vectorcall(self->finish, results, (size_t)self->result_count, NULL);
    }
    if (!self->is_tuple) {
        return make(self, &results[0]);
    }
    PyObject *answered = PyTuple_New(self->result_count);
    for (Py_ssize_t i = 0; answered != NULL && i < self->result_count; i++) {
        PyObject *made = make(self, &results[i]);
        if (made == NULL) {
            Py_CLEAR(answered);
        }
        else {
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
