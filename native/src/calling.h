/* What a call of a compiled function goes through, where it is made in C from end to end. */
#ifndef AINO_CALLING_H
#define AINO_CALLING_H

#include "instructions.h"

enum { MOST_ARGUMENTS = 6, MOST_GIVEN = 16 };

/* Finds the arrays of a call's arguments: 1 with references of their own, 0 where anything is
 * otherwise than it was, -1 with an exception. */
int find_arrays(PyObject *arguments, PyObject *const *objects, Py_ssize_t count, PyObject **arrays);

/* How many arguments there have to be. */
Py_ssize_t count_arguments(PyObject *arguments);

/* Slots of objects: whether each holds its value; each set to its value; all set to one. */
int slots_are(PyObject *slots);
void put_slots(PyObject *slots);
void fill_slots(PyObject *slots, PyObject *value);

/* Finds where a slot of objects of a class lies; -1 with an exception where it is none. */
Py_ssize_t offset_of(PyObject *descriptor, PyTypeObject *type);

/* What an object of threading.local holds, by one name: asked at every call, by few threads. */
typedef struct {
    PyObject *local, *name;
    PyObject *own; /* the dictionary of the thread that asked last */
    PyThreadState *thread;
    uint64_t id;
} Here;

/* Returns the value, a reference of its own; NULL with an exception where there is none. */
PyObject *value_here(Here *here);
void clear_here(Here *here);

/* A row of what a call finds as it was: rows.c. */
typedef struct {
    int kind;
    Py_ssize_t place;
    PyObject *holder, *key, *value;
    PyObject *holds; /* asked about another value, where there may be one; else NULL */
} Row;

int note_row(Row *row, PyObject *described);
/* Whether it is as it was: 1, 0, or -1 with an exception. */
int row_is(Row *row);
int visit_row(Row *row, visitproc visit, void *arg);
void clear_row(Row *row);

/* A call by a program: 1 with its result, 0 where nothing has happened, -1 with an exception. */
int make_call(PyObject *entry, PyObject *const *args, Py_ssize_t count, PyObject **result);

/* Takes the exception that is raised, an object of its own; and raises it again. */
static inline PyObject *take_error(void)
{
#if PY_VERSION_HEX >= 0x030C0000
    return PyErr_GetRaisedException();
#else
    PyObject *type, *error, *trace;
    PyErr_Fetch(&type, &error, &trace);
    PyErr_NormalizeException(&type, &error, &trace);
    if (trace != NULL) {
        PyException_SetTraceback(error, trace);
    }
    Py_XDECREF(type);
    Py_XDECREF(trace);
    return error;
#endif
}

static inline void raise_again(PyObject *error)
{
#if PY_VERSION_HEX >= 0x030C0000
    PyErr_SetRaisedException(error);
#else
    PyErr_Restore(Py_NewRef(Py_TYPE(error)), error, PyException_GetTraceback(error));
#endif
}

/* Takes a Lock, waiting for it, and gives it back; -1 with an exception: lock.c. */
int take_lock(PyObject *lock);
int free_lock(PyObject *lock);

extern PyTypeObject LockType, EntryType, EntranceType, CallerType;

#endif
