/* A stretch of a program: instructions that are walked one after the other.
 *
 * walker.Stretch(stand_ins, numbers, instructions, on_flags) is called with as many arrays as there
 * are stand-ins, of the same form, and as many numbers; what its instructions name besides is
 * memory that stays. A fifth argument says whether long instructions are shared between two threads.
 */
#define AINO_OWNS_THE_IMPORTS
#include "calling.h"
#include "eager.h"
#include "flags.h"

#include <structmember.h>

enum { LONG_WORK = 1 << 16 };

typedef struct {
    PyObject_HEAD
    vectorcallfunc vectorcall;
    PyObject *stand_ins; /* a list of arrays of the form that a call's have */
    PyObject *kept; /* what the instructions point to: by address, each once */
    PyObject *on_flags;  /* called with what floating-point arithmetic raised */
    Py_ssize_t numbers, count;
    Instruction *instructions;
    int is_long; /* whether others may hold the interpreter's lock meanwhile */
    int shares;  /* whether some of it is for two threads */
    char **begin;           /* where the arrays of the call that is made begin */
    PyArrayObject **copies; /* those that had to be copied for it */
    int is_busy; /* its iterators are its own: one call at a time */
} Stretch;

/* Tells whether an array has the form of its stand-in: shape, dtype and strides. */
static int has_form(PyArrayObject *array, PyArrayObject *form)
{
    int ndim = PyArray_NDIM(form);
    if (PyArray_NDIM(array) != ndim || PyArray_TYPE(array) != PyArray_TYPE(form)
        || !PyArray_ISBEHAVED_RO(array)) {
        return 0;
    }
    for (int axis = 0; axis < ndim; axis++) {
        npy_intp length = PyArray_DIM(form, axis);
        if (PyArray_DIM(array, axis) != length
            || (length > 1 && PyArray_STRIDE(array, axis) != PyArray_STRIDE(form, axis))) {
            return 0;
        }
    }
    return 1;
}

/* Returns a copy in the form of the stand-in, NULL with an exception where there is none. */
static PyArrayObject *in_form(PyObject *given, PyArrayObject *form)
{
    if (!PyArray_Check(given) || PyArray_NDIM((PyArrayObject *)given) != PyArray_NDIM(form)
        || !PyArray_CompareLists(PyArray_DIMS((PyArrayObject *)given), PyArray_DIMS(form),
                                 PyArray_NDIM(form))) {
        PyErr_SetString(PyExc_ValueError, "an argument has another form than the program is for");
        return NULL;
    }
    PyArrayObject *copy = (PyArrayObject *)PyArray_NewLikeArray(form, NPY_KEEPORDER, NULL, 0);
    if (copy == NULL || PyArray_CopyInto(copy, (PyArrayObject *)given) < 0) {
        Py_XDECREF(copy);
        return NULL;
    }
    if (!has_form(copy, form)) {
        Py_DECREF(copy);
        PyErr_SetString(PyExc_ValueError, "an argument lies otherwise than the program is for");
        return NULL;
    }
    return copy;
}

int walk_list(const Instruction *list, Py_ssize_t count, char *const *slots,
              PyObject *const *numbers, int *flags)
{
    for (Py_ssize_t i = 0; i < count; i++) {
        const Instruction *next = &list[i];
        int failed = next->step(next, slots, numbers);
        /* Now: some of NumPy's loops clear what was raised before them. */
        int raised = raised_flags(next->one_unit);
        if (raised) {
            feclearexcept(WATCHED);
            *flags |= raised & ~next->quiet;
        }
        if (failed) {
            return failed;
        }
    }
    return 0;
}

static int walk(const Stretch *self, char *const *slots, PyObject *const *numbers, int *flags)
{
    if (raised_flags(0)) { /* which takes a tenth of clearing them */
        feclearexcept(WATCHED);
    }
    return walk_list(self->instructions, self->count, slots, numbers, flags);
}

static PyObject *call_stretch(PyObject *object, PyObject *const *args, size_t nargsf,
                              PyObject *names)
{
    Stretch *self = (Stretch *)object;
    Py_ssize_t slots = PyList_GET_SIZE(self->stand_ins);
    if (PyVectorcall_NARGS(nargsf) != slots + self->numbers || names != NULL) {
        return PyErr_Format(PyExc_TypeError, "a stretch takes %zd arrays and %zd numbers", slots,
                            self->numbers);
    }
    if (self->is_busy) {
        PyErr_SetString(PyExc_RuntimeError, "a stretch is walked by one thread at a time");
        return NULL;
    }
    char **begin = self->begin;
    PyArrayObject **copies = self->copies;
    int copied = 0, failed = 0, flags = 0;
    for (Py_ssize_t i = 0; i < slots && !failed; i++) {
        PyArrayObject *form = (PyArrayObject *)PyList_GET_ITEM(self->stand_ins, i);
        PyArrayObject *array = (PyArrayObject *)args[i];
        if (!PyArray_Check(args[i]) || !has_form(array, form)) {
            /* What is written is made by the program itself, in this form. */
            array = copies[copied] = in_form(args[i], form);
            if (array == NULL) {
                failed = 1;
                break;
            }
            copied++;
        }
        begin[i] = PyArray_BYTES(array);
    }
    self->is_busy = 1;
    if (!failed && self->shares) {
        begin_sharing();
    }
    if (!failed && self->is_long) {
        Py_BEGIN_ALLOW_THREADS
        failed = walk(self, begin, args + slots, &flags);
        Py_END_ALLOW_THREADS
    }
    else if (!failed) {
        failed = walk(self, begin, args + slots, &flags);
    }
    if (self->shares) {
        end_sharing();
    }
    self->is_busy = 0;
    while (copied > 0) {
        Py_DECREF(copies[--copied]);
    }
    if (failed || PyErr_Occurred()) { /* a loop of integer powers may say that it can't */
        return NULL;
    }
    if (flags) {
        PyObject *told = PyObject_CallFunction(
            self->on_flags, "iiii", !!(flags & FE_DIVBYZERO), !!(flags & FE_OVERFLOW),
            !!(flags & FE_UNDERFLOW), !!(flags & FE_INVALID));
        if (told == NULL) {
            return NULL;
        }
        Py_DECREF(told);
    }
    Py_RETURN_NONE;
}

void free_instruction(Instruction *made)
{
    for (Py_ssize_t i = 0; i < made->owns; i++) {
        free_instruction(&made->owned[i]);
    }
    PyMem_Free(made->owned);
    if (made->borrows) {
        return;
    }
    if (made->iterator != NULL) {
        NpyIter_Deallocate(made->iterator);
    }
    PyMem_Free(made->chain);
    PyMem_Free(made->steps);
    Py_XDECREF(made->target);
    Py_XDECREF(made->source);
}

static void free_instructions(Stretch *self)
{
    for (Py_ssize_t i = 0; i < self->count; i++) {
        free_instruction(&self->instructions[i]);
    }
    PyMem_Free(self->instructions);
    PyMem_Free(self->begin);
    PyMem_Free(self->copies);
    self->instructions = NULL;
    self->begin = NULL;
    self->copies = NULL;
    self->count = 0;
}

/* Keeps what instructions point to: functions, and of arrays what their memory belongs to. */
static int keep(PyObject *told, PyObject *kept)
{
    if (PyTuple_Check(told) || PyList_Check(told)) {
        int failed = 0;
        for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(told) && !failed; i++) {
            failed = keep(PySequence_Fast_GET_ITEM(told, i), kept) < 0;
        }
        return failed ? -1 : 0;
    }
    if (PyLong_Check(told) || PyUnicode_Check(told) || told == Py_None) {
        return 0;
    }
    while (PyArray_Check(told) && PyArray_BASE((PyArrayObject *)told) != NULL) {
        told = PyArray_BASE((PyArrayObject *)told);
    }
    PyObject *address = PyLong_FromVoidPtr(told);
    int failed = address == NULL || PyDict_SetItem(kept, address, told) < 0;
    Py_XDECREF(address);
    return failed ? -1 : 0;
}

static PyObject *new_stretch(PyTypeObject *type, PyObject *args, PyObject *keywords)
{
    PyObject *stand_ins, *described, *on_flags;
    Py_ssize_t numbers;
    int shares = 0;
    if (keywords != NULL && PyDict_GET_SIZE(keywords)) {
        PyErr_SetString(PyExc_TypeError, "Stretch takes no keywords");
        return NULL;
    }
    if (!PyArg_ParseTuple(args, "O!nO!O|p", &PyList_Type, &stand_ins, &numbers, &PyList_Type,
                          &described, &on_flags, &shares)) {
        return NULL;
    }
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(stand_ins); i++) {
        if (!PyArray_Check(PyList_GET_ITEM(stand_ins, i))) {
            PyErr_SetString(PyExc_TypeError, "a stand-in is an array");
            return NULL;
        }
    }
    Stretch *self = (Stretch *)type->tp_alloc(type, 0);
    if (self == NULL) {
        return NULL;
    }
    self->vectorcall = call_stretch;
    /* Copies: nobody changes them later. */
    self->stand_ins = PyList_GetSlice(stand_ins, 0, PyList_GET_SIZE(stand_ins));
    self->kept = PyDict_New();
    self->on_flags = Py_NewRef(on_flags);
    self->numbers = numbers;
    Py_ssize_t count = PyList_GET_SIZE(described);
    self->instructions = PyMem_Calloc((size_t)(count ? count : 1), sizeof(Instruction));
    size_t slots = (size_t)PyList_GET_SIZE(stand_ins) + 1;
    self->begin = PyMem_Calloc(slots, sizeof(char *));
    self->copies = PyMem_Calloc(slots, sizeof(PyArrayObject *));
    if (self->stand_ins == NULL || self->kept == NULL || keep(described, self->kept) < 0 || self->instructions == NULL
        || self->begin == NULL || self->copies == NULL) {
        Py_DECREF(self);
        return PyErr_NoMemory();
    }
    npy_intp work = 0;
    int needs_python = 0;
    for (Py_ssize_t i = 0; i < count; i++) {
        self->count = i + 1;
        Instruction *made = &self->instructions[i];
        if (build_instruction(made, PyList_GET_ITEM(described, i), self->stand_ins) < 0
            || (made->step == step_number && (made->number < 0 || made->number >= numbers))) {
            if (!PyErr_Occurred()) {
                PyErr_SetString(PyExc_ValueError, "an instruction names a number that is not given");
            }
            Py_DECREF(self);
            return NULL;
        }
        if (shares && share_instruction(made) < 0) {
            Py_DECREF(self);
            return NULL;
        }
        work += made->work;
        needs_python |= made->needs_python;
        self->shares |= shares && is_shared(made);
    }
    self->is_long = work > LONG_WORK && !needs_python;
    return (PyObject *)self;
}

static int traverse_stretch(PyObject *object, visitproc visit, void *arg)
{
    Stretch *self = (Stretch *)object;
    Py_VISIT(self->stand_ins);
    Py_VISIT(self->kept);
    Py_VISIT(self->on_flags);
    return 0;
}

static int clear_stretch(PyObject *object)
{
    Stretch *self = (Stretch *)object;
    free_instructions(self);
    Py_CLEAR(self->stand_ins);
    Py_CLEAR(self->kept);
    Py_CLEAR(self->on_flags);
    return 0;
}

static void dealloc_stretch(PyObject *object)
{
    PyObject_GC_UnTrack(object);
    clear_stretch(object);
    Py_TYPE(object)->tp_free(object);
}

static PyMemberDef members[] = {
    {"instructions", T_PYSSIZET, offsetof(Stretch, count), READONLY, "how many there are"},
    {NULL, 0, 0, 0, NULL},
};

static PyTypeObject StretchType = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "aino_native.walker.Stretch",
    .tp_doc = "Instructions that are walked one after the other.",
    .tp_basicsize = sizeof(Stretch),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HAVE_VECTORCALL,
    .tp_new = new_stretch,
    .tp_dealloc = dealloc_stretch,
    .tp_traverse = traverse_stretch,
    .tp_clear = clear_stretch,
    .tp_call = PyVectorcall_Call,
    .tp_vectorcall_offset = offsetof(Stretch, vectorcall),
    .tp_members = members,
};

static PyMethodDef functions[] = {
    {"share_by", share_by, METH_VARARGS, "Says who may forbid the second thread."},
    {"make_eager_calls", make_eager_calls, METH_O,
     "Says whether calls of primitives are made here; returns whether they were."},
    {"helped", helped, METH_NOARGS, "Returns how many parts the second thread has walked."},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef module = {
    PyModuleDef_HEAD_INIT, "walker", "Walks programs: NumPy's own loops, one after the other.", -1,
    functions, NULL, NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit_walker(void)
{
    import_array();
    import_ufunc();
    PyTypeObject *types[] = {&StretchType,  &SlotsType,  &ArgumentsType, &EntryType,
                             &EntranceType, &CallerType, &LockType,      &TapeType,
                             &OperationType, &PullbackType, &BackwardType};
    const char *names[] = {"Stretch", "Slots", "Arguments", "Entry", "Entrance",
                           "Caller",  "Lock",  "Tape",      "Operation", "Pullback", "Backward"};
    PyObject *made = PyModule_Create(&module);
    for (int i = 0; made != NULL && i < (int)(sizeof names / sizeof *names); i++) {
        if (PyType_Ready(types[i]) < 0
            || PyModule_AddObjectRef(made, names[i], (PyObject *)types[i]) < 0) {
            Py_CLEAR(made);
        }
    }
    return made;
}
