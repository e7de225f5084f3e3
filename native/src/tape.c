/* Runs what an element-wise kernel does with arrays of one form, a block of them at a time.
 *
 * walker.Tape(dtype, reads, steps, result, limit, alone) is made of what was recorded of it. Of the
 * `reads` arrays all have that dtype and lie in one piece; so does the result. A step is (function,
 * sources, samples, quiet): a ufunc, or None for a choice by a mask; where its operands come from, a
 * number of an array, or of a step behind them, or a constant; an array of the dtype of each operand
 * and, last, of its result; which of what it raises is nobody's business, as NumPy's bits.
 * `result`: where the tape's comes from. `limit`: up to so many elements.
 * `alone`: which arrays may be single numbers, some or all, as bits of a set, itself a bit.
 */
#include "tape.h"
#include "flags.h"

#include <structmember.h>

enum { MOST_STEPS = 16, BLOCK = 2048, LOOP_OPERANDS = 4 };

/* A block for the result of each step. One tape runs at a time: no Python is called meanwhile. */
static npy_uint64 scratch[MOST_STEPS][BLOCK];

typedef enum { READ, STEP, CONSTANT } Origin;

typedef struct {
    Origin origin;
    int which;
    char *address;
} Source;

typedef struct {
    PyUFuncGenericFunction loop;
    void *data;
    int takes; /* how many operands, without the result */
    Source sources[LOOP_OPERANDS - 1];
    npy_intp sizes[LOOP_OPERANDS]; /* of an element of each, the result's last */
    int type; /* of the result */
    int one_unit, quiet;
} TapeStep;

typedef struct {
    PyObject_HEAD
    vectorcallfunc vectorcall;
    PyArray_Descr *dtype;
    int reads, count, result;
    npy_intp limit;
    unsigned long long alone;
    TapeStep steps[MOST_STEPS];
    PyObject *kept; /* constants and functions */
} Tape;

int is_tape_over(PyObject *object, int reads)
{
    return Py_IS_TYPE(object, &TapeType) && ((Tape *)object)->reads == reads;
}

/* Finds the array whose shape is the result's, and which ones are single numbers; -1 where they are
 * not what the tape is for. */
static int find_form(const Tape *self, PyObject *const *given, unsigned *numbers)
{
    int form = 0, most = -1;
    for (int i = 0; i < self->reads; i++) {
        PyArrayObject *array = (PyArrayObject *)given[i];
        if (!is_plain_array(given[i]) || PyArray_DESCR(array) != self->dtype
            || !PyArray_CHKFLAGS(array, NPY_ARRAY_C_CONTIGUOUS | NPY_ARRAY_ALIGNED)) {
            return -1;
        }
        if (PyArray_NDIM(array) > most) {
            most = PyArray_NDIM(array);
            form = i;
        }
    }
    *numbers = 0;
    for (int i = 0; i < self->reads; i++) {
        PyArrayObject *array = (PyArrayObject *)given[i];
        if (PyArray_NDIM(array) == 0) {
            *numbers |= 1u << i;
        }
        else if (i != form && !PyArray_SAMESHAPE(array, (PyArrayObject *)given[form])) {
            return -1;
        }
    }
    return *numbers && !(self->alone >> *numbers & 1) ? -1 : form;
}

/* Goes over elements `low` to `low + count`; returns what was raised that is not quiet, at once but for
 * underflow. */
static int run_block(const Tape *self, char *const *begin, const npy_intp *strides, char *out,
                     npy_intp inner, npy_intp low, npy_intp count)
{
    int loud = 0;
    for (int i = 0; i < self->count; i++) {
        const TapeStep *step = &self->steps[i];
        char *operands[LOOP_OPERANDS];
        npy_intp steps[LOOP_OPERANDS], width = self->dtype->type_num == NPY_FLOAT ? 4 : 8;
        for (int k = 0; k < step->takes; k++) {
            const Source *source = &step->sources[k];
            if (source->origin == READ) {
                operands[k] = begin[source->which] + low * strides[source->which];
                steps[k] = strides[source->which];
            }
            else if (source->origin == STEP) {
                operands[k] = (char *)scratch[source->which];
                steps[k] = inner ? step->sizes[k] : 0; /* NumPy's own, of an array without axes */
            }
            else {
                operands[k] = source->address;
                steps[k] = 0;
            }
        }
        int last = i == self->count - 1;
        operands[step->takes] = last ? out + low * width : (char *)scratch[i];
        steps[step->takes] = step->sizes[step->takes];
        step->loop(operands, &count, steps, step->data);
        /* Now: some of NumPy's loops clear what was raised before them. */
        int raised = raised_flags(step->one_unit);
        if (raised) {
            feclearexcept(WATCHED);
            loud |= raised & ~step->quiet;
            if (loud & ~FE_UNDERFLOW) {
                break;
            }
        }
    }
    return loud;
}

/* Whether nobody wants to hear of underflow, as is usual; -1 with an exception. It comes often: the
 * gradients of long chains fade. */
static int is_underflow_ignored(void)
{
    static PyObject *handling = NULL;
    if (handling == NULL) {
        PyObject *numpy = PyImport_ImportModule("numpy");
        handling = numpy == NULL ? NULL : PyObject_GetAttrString(numpy, "geterr");
        Py_XDECREF(numpy);
    }
    PyObject *told = handling == NULL ? NULL : PyObject_CallNoArgs(handling);
    PyObject *how = told == NULL ? NULL : PyMapping_GetItemString(told, "under");
    int is = how == NULL ? -1
        : PyUnicode_Check(how) && PyUnicode_CompareWithASCIIString(how, "ignore") == 0;
    Py_XDECREF(how);
    Py_XDECREF(told);
    return is;
}

PyObject *run_tape(PyObject *object, PyObject *const *given)
{
    const Tape *self = (const Tape *)object;
    unsigned numbers;
    int form = find_form(self, given, &numbers);
    if (form < 0) {
        return NULL;
    }
    PyArrayObject *like = (PyArrayObject *)given[form];
    int ndim = PyArray_NDIM(like);
    npy_intp size = PyArray_SIZE(like), width = PyArray_ITEMSIZE(like);
    if (size < 1 || size > self->limit || (ndim == 1 && PyArray_STRIDE(like, 0) != width)) {
        return NULL;
    }
    if (self->result < self->reads) { /* it hands on what it is given */
        return Py_NewRef(given[self->result]);
    }
    char *begin[MOST_READ];
    npy_intp strides[MOST_READ];
    for (int i = 0; i < self->reads; i++) {
        begin[i] = PyArray_BYTES((PyArrayObject *)given[i]);
        strides[i] = numbers >> i & 1 ? 0 : width;
    }
    Py_INCREF(self->dtype);
    PyObject *made = PyArray_NewFromDescr(&PyArray_Type, self->dtype, ndim, PyArray_DIMS(like), NULL,
                                          NULL, 0, NULL);
    if (made == NULL) {
        return NULL;
    }
    if (raised_flags(0)) { /* which takes a tenth of clearing them */
        feclearexcept(WATCHED);
    }
    char *out = PyArray_BYTES((PyArrayObject *)made);
    int loud = 0;
    for (npy_intp low = 0; low < size && !(loud & ~FE_UNDERFLOW); low += BLOCK) {
        npy_intp count = size - low < BLOCK ? size - low : BLOCK;
        loud |= run_block(self, begin, strides, out, ndim > 0, low, count);
    }
    /* Asked now: what that calls may run other threads, which the scratch memory serves as well. */
    if (loud && ((loud & ~FE_UNDERFLOW) || is_underflow_ignored() <= 0)) {
        Py_CLEAR(made);
    }
    return made;
}

/* For those who want to see what it does: the result, None where run_tape gives none. */
static PyObject *call_tape(PyObject *object, PyObject *const *args, size_t nargsf, PyObject *names)
{
    if (PyVectorcall_NARGS(nargsf) != ((Tape *)object)->reads || names != NULL) {
        return PyErr_Format(PyExc_TypeError, "the tape reads %d arrays", ((Tape *)object)->reads);
    }
    PyObject *made = run_tape(object, args);
    return made != NULL || PyErr_Occurred() ? made : Py_NewRef(Py_None);
}

static int note_source(Source *noted, PyObject *told, int known, int reads)
{
    if (PyArray_Check(told)) {
        *noted = (Source){CONSTANT, 0, PyArray_BYTES((PyArrayObject *)told)};
        return PyArray_SIZE((PyArrayObject *)told) == 1
            ? 0 : refuse("a constant of a tape is one number");
    }
    long which = PyLong_Check(told) ? PyLong_AsLong(told) : -1;
    if (which < 0 || which >= known) {
        return refuse("a step reads what was there before it");
    }
    int is_read = which < reads;
    *noted = (Source){is_read ? READ : STEP, (int)(is_read ? which : which - reads), NULL};
    return 0;
}

/* Finds the loop of a step, and whether its flags are raised in one unit. */
static int find_step_loop(TapeStep *made, PyObject *function, PyArrayObject **samples)
{
    if (function == Py_None) {
        Instruction choice = {0};
        int failed = build_choose(&choice, samples);
        made->loop = choice.loop;
        made->one_unit = 1;
        free_instruction(&choice);
        return failed;
    }
    PyUFuncObject *ufunc = (PyUFuncObject *)function;
    if (!PyObject_TypeCheck(function, &PyUFunc_Type) || ufunc->core_enabled || ufunc->nout != 1
        || ufunc->nargs != made->takes + 1) {
        return refuse("a step is a ufunc with one result, and its operands");
    }
    made->one_unit = is_plain_ufunc(function);
    return find_loop(ufunc, samples, &made->loop, &made->data);
}

static int build_step(TapeStep *made, PyObject *told, int known, const Tape *tape)
{
    PyObject *function, *sources, *samples;
    PyArrayObject *arrays[LOOP_OPERANDS];
    int quiet;
    if (!PyTuple_Check(told)) {
        PyErr_SetString(PyExc_TypeError, "a step is a tuple");
        return -1;
    }
    if (!PyArg_ParseTuple(told, "OO!O!i", &function, &PyTuple_Type, &sources, &PyTuple_Type, &samples,
                          &quiet)) {
        return -1;
    }
    made->quiet = flags_of(quiet);
    made->takes = (int)PyTuple_GET_SIZE(sources);
    if (made->takes < 1 || made->takes >= LOOP_OPERANDS
        || PyTuple_GET_SIZE(samples) != made->takes + 1) {
        return refuse("a step takes one to three operands, and has a sample of each");
    }
    for (int k = 0; k <= made->takes; k++) {
        PyObject *sample = PyTuple_GET_ITEM(samples, k);
        if (!PyArray_Check(sample) || PyArray_ITEMSIZE((PyArrayObject *)sample) > 8) {
            return refuse("a sample is an array of numbers of up to eight bytes");
        }
        arrays[k] = (PyArrayObject *)sample;
        made->sizes[k] = PyArray_ITEMSIZE(arrays[k]);
        made->type = PyArray_TYPE(arrays[k]);
    }
    for (int k = 0; k < made->takes; k++) {
        PyObject *source = PyTuple_GET_ITEM(sources, k);
        if (note_source(&made->sources[k], source, known, tape->reads) < 0) {
            return -1;
        }
        int type = PyArray_TYPE(arrays[k]);
        const Source *noted = &made->sources[k];
        if (noted->origin == CONSTANT ? type != PyArray_TYPE((PyArrayObject *)source)
            : noted->origin == READ   ? type != tape->dtype->type_num
                                      : type != tape->steps[noted->which].type) {
            return refuse("an operand has another dtype than its source");
        }
    }
    return find_step_loop(made, function, arrays);
}

static PyObject *new_tape(PyTypeObject *type, PyObject *args, PyObject *keywords)
{
    PyObject *dtype, *steps;
    int reads, result;
    npy_intp limit;
    unsigned long long alone;
    if (keywords != NULL && PyDict_GET_SIZE(keywords)) {
        PyErr_SetString(PyExc_TypeError, "Tape takes no keywords");
        return NULL;
    }
    if (!PyArg_ParseTuple(args, "O!iO!inK", &PyArrayDescr_Type, &dtype, &reads, &PyTuple_Type, &steps,
                          &result, &limit, &alone)) {
        return NULL;
    }
    Py_ssize_t count = PyTuple_GET_SIZE(steps);
    int type_num = ((PyArray_Descr *)dtype)->type_num;
    int ends = count > 0 ? result == reads + count - 1 : result >= 0 && result < reads;
    if ((type_num != NPY_FLOAT && type_num != NPY_DOUBLE) || reads < 1 || reads > MOST_READ
        || count > MOST_STEPS || !ends) {
        refuse("a tape reads one to six arrays of float32 or float64, in up to sixteen steps");
        return NULL;
    }
    Tape *self = (Tape *)type->tp_alloc(type, 0);
    if (self == NULL) {
        return NULL;
    }
    self->vectorcall = call_tape;
    self->dtype = (PyArray_Descr *)Py_NewRef(dtype);
    self->kept = Py_NewRef(steps);
    self->reads = reads;
    self->result = result;
    self->limit = limit;
    self->alone = alone;
    self->count = (int)count;
    for (int i = 0; i < self->count; i++) {
        if (build_step(&self->steps[i], PyTuple_GET_ITEM(steps, i), reads + i, self) < 0) {
            Py_DECREF(self);
            return NULL;
        }
    }
    if (count > 0 && self->steps[count - 1].type != type_num) {
        Py_DECREF(self);
        refuse("the result of a tape has its dtype");
        return NULL;
    }
    return (PyObject *)self;
}

static void dealloc_tape(PyObject *object)
{
    Tape *self = (Tape *)object;
    Py_XDECREF(self->dtype);
    Py_XDECREF(self->kept);
    Py_TYPE(object)->tp_free(object);
}

static PyMemberDef members[] = {
    {"steps", T_INT, offsetof(Tape, count), READONLY, "how many there are"},
    {NULL, 0, 0, 0, NULL},
};

PyTypeObject TapeType = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "aino_native.walker.Tape",
    .tp_doc = "The loops of an element-wise kernel or rule, over arrays of any shape.",
    .tp_basicsize = sizeof(Tape),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_VECTORCALL,
    .tp_new = new_tape,
    .tp_dealloc = dealloc_tape,
    .tp_call = PyVectorcall_Call,
    .tp_vectorcall_offset = offsetof(Tape, vectorcall),
    .tp_members = members,
};
