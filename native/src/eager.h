/* Calls of primitives, and of the rules behind them, that C makes where they are plain. */
#ifndef AINO_EAGER_H
#define AINO_EAGER_H

#include "tape.h"

enum { DTYPES = 2 }; /* float32 and float64 */

/* What is prepared when a call has been made so many times, for each dtype by itself. */
typedef struct {
    PyObject *prepare; /* (dtype): a tuple of tapes, None where there is none */
    PyObject *tapes[DTYPES]; /* NULL before */
    Py_ssize_t waits[DTYPES];
} Preparation;

/* Which of the dtypes an array has; -1 for another one, and for what is not NumPy's own array. */
static inline int dtype_of(PyObject *array)
{
    if (!is_plain_array(array)) {
        return -1;
    }
    int type = PyArray_TYPE((PyArrayObject *)array);
    return type == NPY_FLOAT ? 0 : type == NPY_DOUBLE ? 1 : -1;
}

void note_preparation(Preparation *noted, PyObject *prepare, Py_ssize_t patience);
void clear_preparation(Preparation *noted);

/* Returns a tape over so many arrays, borrowed; NULL where there is none (yet). */
PyObject *tape_at(Preparation *noted, int dtype, Py_ssize_t place, int reads);

/* Whether calls are made here: False makes all of them in Python. */
extern int makes_calls;
PyObject *make_eager_calls(PyObject *nothing, PyObject *does);

extern PyTypeObject OperationType, PullbackType, BackwardType;

#endif
