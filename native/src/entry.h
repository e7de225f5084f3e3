/* A call by one program: what it is told once, and compares and runs at every call. */
#ifndef AINO_ENTRY_H
#define AINO_ENTRY_H

#include "calling.h"

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

#endif
