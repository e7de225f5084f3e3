/* Whether calls are made in C, and the tapes that are made when one has been made some times. */
#include "eager.h"

int makes_calls = 1;

PyObject *make_eager_calls(PyObject *nothing, PyObject *does)
{
    (void)nothing;
    int before = makes_calls, after = PyObject_IsTrue(does);
    if (after < 0) {
        return NULL;
    }
    makes_calls = after;
    return PyBool_FromLong(before);
}

void note_preparation(Preparation *noted, PyObject *prepare, Py_ssize_t patience)
{
    noted->prepare = Py_NewRef(prepare);
    for (int i = 0; i < DTYPES; i++) {
        noted->waits[i] = patience;
    }
}

void clear_preparation(Preparation *noted)
{
    Py_CLEAR(noted->prepare);
    for (int i = 0; i < DTYPES; i++) {
        Py_CLEAR(noted->tapes[i]);
    }
}

PyObject *tape_at(Preparation *noted, int dtype, Py_ssize_t place, int reads)
{
    PyObject *tapes = noted->tapes[dtype];
    if (tapes == NULL) {
        if (noted->waits[dtype]-- > 0) {
            return NULL;
        }
        noted->waits[dtype] = PY_SSIZE_T_MAX; /* what prepares makes such calls itself */
        tapes = PyObject_CallFunction(noted->prepare, "i", dtype);
        if (tapes == NULL || !PyTuple_Check(tapes)) {
            Py_XDECREF(tapes);
            return NULL;
        }
        noted->tapes[dtype] = tapes;
    }
    PyObject *tape = place < PyTuple_GET_SIZE(tapes) ? PyTuple_GET_ITEM(tapes, place) : NULL;
    return tape != NULL && is_tape_over(tape, reads) ? tape : NULL;
}
