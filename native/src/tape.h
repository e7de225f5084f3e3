/* A tape: the loops of NumPy's that an element-wise kernel or rule consists of, over any shape. */
#ifndef AINO_TAPE_H
#define AINO_TAPE_H

#include "instructions.h"

enum { MOST_READ = 6 };

extern PyTypeObject TapeType;

/* Whether an object is an array of NumPy's own class, and not one that stands for an array. */
static inline int is_plain_array(PyObject *object) { return Py_IS_TYPE(object, &PyArray_Type); }

/* Whether an object is a tape over so many arrays. */
int is_tape_over(PyObject *object, int reads);

/* Returns a new array; NULL where the arrays are not what the tape is for or arithmetic has raised
 * what somebody may want to hear of: nothing has happened then. With an exception only where memory
 * runs out, or an interrupt comes while NumPy is asked who wants to hear of underflow. */
PyObject *run_tape(PyObject *tape, PyObject *const *arrays);

#endif
