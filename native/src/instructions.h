/* An instruction: one call of a program, with all that is known of it before it is made. */
#ifndef AINO_INSTRUCTIONS_H
#define AINO_INSTRUCTIONS_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#define PY_ARRAY_UNIQUE_SYMBOL aino_native_array
#define PY_UFUNC_UNIQUE_SYMBOL aino_native_ufunc
#ifndef AINO_OWNS_THE_IMPORTS
#define NO_IMPORT_ARRAY
#define NO_IMPORT_UFUNC
#endif
#include <numpy/ndarrayobject.h>
#include <numpy/ufuncobject.h>

enum { MAX_OPERANDS = 8 };

/* Where an operand begins: at an address that stays, or where a call's argument lies. */
typedef struct {
    char *address;
    int slot; /* which argument; -1: the address stays */
} Place;

typedef struct Instruction Instruction;

/* Returns 0, or -1 with an exception set. */
typedef int (*Step)(const Instruction *self, char *const *slots, PyObject *const *numbers);

struct Instruction {
    Step step;
    int operands;
    Place places[MAX_OPERANDS];

    /* A loop of NumPy's, and what it is given. */
    PyUFuncGenericFunction loop;
    void *data;
    npy_intp strides[9];   /* of the operands; of a product its cores' follow */
    npy_intp dimensions[4]; /* how often; of a product its cores' lengths follow */
    NpyIter *iterator;     /* NULL where one call of the loop does it all */
    NpyIter_IterNextFunc *next;
    npy_intp first_visits; /* of a reduction that begins with its first values: how many */

    /* A copy, or what a reduction begins with: axes from the outermost to the innermost, their lengths and strides. */
    int axes;
    npy_intp lengths[NPY_MAXDIMS], to[NPY_MAXDIMS], from[NPY_MAXDIMS];
    npy_intp itemsize;

    PyArrayObject *target; /* whose dtype a number becomes */
    int number;            /* which */
    int quiet;             /* whether overflow and its kin are nobody's business here */
    npy_intp work;         /* how many elements, about */
    int needs_python;      /* whether the interpreter's lock has to be held */
};

int step_sweep(const Instruction *, char *const *, PyObject *const *);
int step_iterate(const Instruction *, char *const *, PyObject *const *);
int step_reduce(const Instruction *, char *const *, PyObject *const *);
int step_product(const Instruction *, char *const *, PyObject *const *);
int step_copy(const Instruction *, char *const *, PyObject *const *);
int step_number(const Instruction *, char *const *, PyObject *const *);
int step_pick(const Instruction *, char *const *, PyObject *const *);
int step_put(const Instruction *, char *const *, PyObject *const *);
int step_put_where(const Instruction *, char *const *, PyObject *const *);

/* Makes an instruction of a tuple (kind, details ...); returns -1 with an exception set. */
int build_instruction(Instruction *made, PyObject *described, PyObject *stand_ins);

/* Slots of Python objects, compared or set together: slots.c. */
extern PyTypeObject SlotsType;

#endif
