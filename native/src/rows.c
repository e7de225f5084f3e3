/* Rows of Python's world that a program relies on, each compared with the object that stood there.
 *
 * A row is (kind, holder, key, place, value, holds). `holds` is None, or tells whether the program
 * is right for what stands there now: a plain value that has passed it need not be asked about
 * again.
 */
#include "calling.h"

enum { ATTRIBUTE, ITEM, CELL, PART, LENGTH };
static const char *const kinds[] = {"attr", "item", "cell", "part", "length"};

static PyObject *new_or_missing(PyObject *found)
{
    if (found == NULL && !PyErr_Occurred()) {
        PyErr_SetNone(PyExc_LookupError);
    }
    return Py_XNewRef(found);
}

/* Returns what stands there now, a reference of its own; NULL with an exception. */
static PyObject *now(const Row *row)
{
    switch (row->kind) {
    case ITEM: /* a group's are its own, also while another thread traces */
        return new_or_missing(PyDict_GetItemWithError(row->holder, row->key));
    case CELL:
        return new_or_missing(PyCell_GET(row->holder));
    case PART: {
        PyObject *list = PyObject_GetAttr(row->holder, row->key), *found = NULL;
        if (list != NULL && PyList_CheckExact(list) && row->place < PyList_GET_SIZE(list)) {
            found = PyList_GET_ITEM(list, row->place);
        }
        found = new_or_missing(found);
        Py_XDECREF(list);
        return found;
    }
    default:
        return PyObject_GetAttr(row->holder, row->key);
    }
}

static int is_plain(PyObject *value)
{
    return value == Py_None || PyBool_Check(value) || PyFloat_CheckExact(value)
        || PyLong_CheckExact(value) || PyUnicode_CheckExact(value);
}

/* Asks about another value than the last that passed. */
static int still_holds(Row *row, PyObject *value)
{
    PyObject *told = PyObject_CallNoArgs(row->holds);
    int holds = told == NULL ? -1 : PyObject_IsTrue(told);
    Py_XDECREF(told);
    if (holds > 0 && is_plain(value)) {
        PyObject *after = now(row); /* the question may have let others change it */
        if (after == NULL) {
            return -1;
        }
        if (after == value) {
            Py_XSETREF(row->value, Py_NewRef(value));
        }
        Py_DECREF(after);
    }
    return holds;
}

int row_is(Row *row)
{
    if (row->kind == LENGTH) {
        return PyList_GET_SIZE(row->holder) == row->place;
    }
    PyObject *value = now(row);
    if (value == NULL) {
        return -1;
    }
    int is = value == row->value;
    if (!is && row->holds != NULL) {
        is = still_holds(row, value);
    }
    Py_DECREF(value);
    return is;
}

int note_row(Row *row, PyObject *described)
{
    const char *kind;
    PyObject *holder, *key, *value, *holds;
    Py_ssize_t place;
    if (!PyTuple_Check(described)
        || !PyArg_ParseTuple(described, "sOOnOO", &kind, &holder, &key, &place, &value, &holds)) {
        PyErr_SetString(PyExc_TypeError, "a row is (kind, holder, key, place, value, holds)");
        return -1;
    }
    int found = 0;
    while (found <= LENGTH && strcmp(kinds[found], kind) != 0) {
        found++;
    }
    int fits = found == ITEM ? PyDict_Check(holder)
        : found == CELL      ? PyCell_Check(holder)
        : found == LENGTH    ? PyList_CheckExact(holder)
                             : found < LENGTH && PyUnicode_Check(key) && place >= 0;
    if (!fits) {
        PyErr_Format(PyExc_TypeError, "there is no row of kind %s of this holder and key", kind);
        return -1;
    }
    *row = (Row){.kind = found, .place = place, .holder = Py_NewRef(holder), .key = Py_NewRef(key)};
    if (holds != Py_None) {
        row->holds = Py_NewRef(holds); /* and the first value is asked about */
    }
    else {
        row->value = Py_NewRef(value);
    }
    return 0;
}

int visit_row(Row *row, visitproc visit, void *arg)
{
    Py_VISIT(row->holder);
    Py_VISIT(row->key);
    Py_VISIT(row->value);
    Py_VISIT(row->holds);
    return 0;
}

void clear_row(Row *row)
{
    Py_CLEAR(row->holder);
    Py_CLEAR(row->key);
    Py_CLEAR(row->value);
    Py_CLEAR(row->holds);
}
