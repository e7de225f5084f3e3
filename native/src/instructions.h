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

/* What is walked has at most so many operands and axes. */
enum { MAX_OPERANDS = 8, MAX_AXES = 8 };

/* Where an operand begins: at an address that stays, or within a call's argument. */
typedef struct {
    char *address;
    int slot;        /* which argument; -1: the address stays */
    npy_intp offset; /* how many bytes behind the beginning of the argument */
} Place;

typedef struct Instruction Instruction;
typedef struct Chain Chain;

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
    npy_intp lengths[MAX_AXES], to[MAX_AXES], from[MAX_AXES];
    npy_intp *steps; /* of a loop's operands on each axis outside it; its own */
    npy_intp itemsize;
    int cast; /* which pair of dtypes, of a copy into another one */
    int clips; /* whether a place outside stands for the nearest inside */

    Chain *chain;          /* of element-wise loops in blocks; its own */
    Place *chain_places;   /* where its operands lie, while it is made */

    PyArrayObject *target; /* whose dtype a number becomes, or all of a source */
    PyArrayObject *source;
    int number;            /* which */
    PyObject *error;       /* what is raised for a label that is none of the classes */
    int one_unit;          /* whether it raises flags in one of the processor's units alone */
    Instruction *parts[2]; /* what can be walked at the same time: lists */
    Py_ssize_t counts[2];
    Instruction *whole;    /* what both are the halves of, NULL where they are not */
    Instruction *owned;    /* all of these, in one piece of memory */
    Py_ssize_t owns;
    int is_big;            /* a product for which a BLAS takes several threads, if it may */
    int alone;             /* a product that one thread computes, or a half of one */
    int borrows;           /* whether iterator, steps and chain are another one's */
    int quiet;             /* what of overflow and its kin is nobody's business here: flags */
    npy_intp work;         /* how many elements, about */
    int needs_python;      /* whether the interpreter's lock has to be held */
};

static inline char *at(const Place *place, char *const *slots)
{
    return place->slot < 0 ? place->address : slots[place->slot] + place->offset;
}

/* Elements of a type are moved as that type, whatever they stand for; memory may be of another. */
#define LOAD(TYPE, from, element)                                                                  \
    TYPE element;                                                                                  \
    memcpy(&element, (from), sizeof(TYPE))
#define STORE(to, element) memcpy((to), &(element), sizeof(element))

typedef struct {
    char bytes[16];
} Sixteen;

/* Casts that C makes as NumPy does; the others it makes itself. */
enum {
    NO_CAST, BOOL_TO_FLOAT, BOOL_TO_DOUBLE, BOOL_TO_INT64, BOOL_TO_INT32, BOOL_TO_INT8,
    INT64_TO_FLOAT, INT64_TO_DOUBLE, FLOAT_TO_DOUBLE, DOUBLE_TO_FLOAT
};

int step_sweep(const Instruction *, char *const *, PyObject *const *);
int step_walk(const Instruction *, char *const *, PyObject *const *);
int step_iterate(const Instruction *, char *const *, PyObject *const *);
int step_reduce(const Instruction *, char *const *, PyObject *const *);
int step_product(const Instruction *, char *const *, PyObject *const *);
int step_copy(const Instruction *, char *const *, PyObject *const *);
int step_cast(const Instruction *, char *const *, PyObject *const *);
int step_number(const Instruction *, char *const *, PyObject *const *);
int step_take(const Instruction *, char *const *, PyObject *const *);
int step_put(const Instruction *, char *const *, PyObject *const *);
int step_class_places(const Instruction *, char *const *, PyObject *const *);
int step_convert(const Instruction *, char *const *, PyObject *const *);
int step_accumulate(const Instruction *, char *const *, PyObject *const *);
int step_put_where(const Instruction *, char *const *, PyObject *const *);
int step_chain(const Instruction *, char *const *, PyObject *const *);
int step_both(const Instruction *, char *const *, PyObject *const *);
int step_either(const Instruction *, char *const *, PyObject *const *);

/* Walks instructions one after the other; what arithmetic raised, and is not quiet, joins `flags`. */
int walk_list(const Instruction *list, Py_ssize_t count, char *const *slots,
              PyObject *const *numbers, int *flags);

/* Between these a walk shares long instructions with a second thread, if it may: sharing.c. */
void begin_sharing(void);
void end_sharing(void);
void let_blas_share(int does);
PyObject *share_by(PyObject *nothing, PyObject *args);
PyObject *helped(PyObject *nothing, PyObject *args);

/* Makes an instruction that is long enough one of two halves: halving.c. */
int share_instruction(Instruction *made);
int is_shared(const Instruction *made);

/* Frees what an instruction owns. */
void free_instruction(Instruction *made);

/* Says why an instruction is not made; returns -1. */
int refuse(const char *why);

/* Notes where an operand lies, and looks at whether loops can read it. */
int place_operand(Place *place, PyArrayObject **array, PyObject *told, PyObject *stand_ins);

/* Puts the operands of a loop in NumPy's order: what is read first, the result last. */
void put_result_last(Instruction *made, PyArrayObject **arrays, PyArrayObject **ordered);

/* Finds the loop of a ufunc for the dtypes of its operands. */
int find_loop(PyUFuncObject *ufunc, PyArrayObject **arrays, PyUFuncGenericFunction *loop,
              void **data);

/* Makes a chain; its operands are any number, of which `chain_places` knows where they lie. */
int build_chain(Instruction *made, PyArrayObject **arrays, PyObject *detail);

/* Plans a copy into another array of the same shape: planning.c. */
int plan_copy(Instruction *made, int axes, const npy_intp *lengths, const npy_intp *to,
              const npy_intp *from, npy_intp itemsize);

/* Plans a loop over arrays that are broadcast, the result last, in the order of NumPy's iterator. */
int plan_sweep(Instruction *made, PyArrayObject **ordered, int count);

/* Products: products.c. */
int build_product(Instruction *made, PyUFuncObject *matmul, PyArrayObject **arrays);
int build_stack(Instruction *made, PyUFuncObject *matmul, PyArrayObject **arrays);
int build_vecdot(Instruction *made, PyUFuncObject *vecdot, PyArrayObject **arrays);

/* What consists of other instructions: lists.c. */
int describe_both(Instruction *made, PyObject *detail, PyObject *stand_ins);
int describe_either(Instruction *made, PyObject *operands, PyObject *detail, PyObject *stand_ins);

/* What moves elements: moving.c. */
int build_choose(Instruction *made, PyArrayObject **arrays);
int build_convert(Instruction *made, PyArrayObject **arrays);
int build_take_or_put(Instruction *made, PyArrayObject **arrays, int takes, PyObject *mode);
int build_accumulate(Instruction *made, PyUFuncObject *ufunc, PyArrayObject **arrays,
                     PyObject *axis);

/* Makes an instruction of a tuple (kind, details ...); returns -1 with an exception set. */
int build_instruction(Instruction *made, PyObject *described, PyObject *stand_ins);

/* Slots of Python objects, compared or set together: slots.c. */
extern PyTypeObject SlotsType;

/* The arguments of a call, compared with those that a program was made for: arguments.c. */
extern PyTypeObject ArgumentsType;

#endif
