/* What stands in a class for `__call__`: it makes a call by the programs that are ready for it.
 *
 * walker.Caller(places, function): `places` are the slots that lead from an object to its Entrance;
 * whatever is not made there is made by `function`, as if there were nothing here.
 * walker.Entrance(lock, session, eagerly, entries, function, code): the programs of a compiled
 * function, each asked in turn, by one thread at a time, unless the thread's session says that calls
 * run as they are. `function` makes the calls in Python: while it has another code than `code`,
 * somebody looks at them, as a profiler does, and it makes all of them.
 */
#include "calling.h"

#include <structmember.h>

enum { MOST_PLACES = 2 };

PyObject *value_here(Here *here)
{
    PyThreadState *thread = PyThreadState_Get();
    uint64_t id = PyThreadState_GetID(thread);
    PyObject *last = NULL;
    if (here->own == NULL || here->thread != thread || here->id != id) {
        PyObject *own = PyObject_GetAttrString(here->local, "__dict__");
        if (own == NULL || !PyDict_Check(own)) {
            Py_XDECREF(own);
            return PyErr_Occurred() ? NULL : PyObject_GetAttr(here->local, here->name);
        }
        here->thread = thread;
        here->id = id;
        last = here->own;
        here->own = own;
    }
    PyObject *value = Py_XNewRef(PyDict_GetItemWithError(here->own, here->name));
    /* Now: what that lets go of may run Python, and another thread may ask meanwhile. */
    Py_XDECREF(last);
    if (value != NULL || PyErr_Occurred()) {
        return value;
    }
    return PyObject_GetAttr(here->local, here->name); /* that of its class */
}

void clear_here(Here *here)
{
    Py_CLEAR(here->local);
    Py_CLEAR(here->name);
    Py_CLEAR(here->own);
}

/* Entrance */

typedef struct {
    PyObject_HEAD
    PyObject *lock;
    Here as_it_is;
    PyObject *eagerly; /* what is raised for a call that no program makes */
    PyObject *entries; /* a tuple */
    PyObject *function, *code;
} Entrance;

/* Whether calls run as they are in this thread: in a trace, and in a transform. */
static int runs_as_it_is(Entrance *self)
{
    PyObject *told = value_here(&self->as_it_is);
    int is = told == NULL ? -1 : PyObject_IsTrue(told);
    Py_XDECREF(told);
    return is;
}

/* Makes a call of which a program has said that the function has to run. */
static PyObject *run_eagerly(PyObject *compiled, PyObject *signal, PyObject *const *args,
                             Py_ssize_t count)
{
    PyObject *told = PyObject_GetAttrString(signal, "told"), *made = NULL;
    PyObject *given = PyTuple_New(count), *keywords = PyDict_New();
    for (Py_ssize_t i = 0; given != NULL && i < count; i++) {
        PyTuple_SET_ITEM(given, i, Py_NewRef(args[i]));
    }
    if (told != NULL && given != NULL && keywords != NULL) {
        made = PyObject_CallMethod(compiled, "_run_eagerly", "OOO", told, given, keywords);
    }
    Py_XDECREF(told);
    Py_XDECREF(given);
    Py_XDECREF(keywords);
    return made;
}

/* Makes a call by one of the programs: 1 with its result, 0 where nothing has happened, or -1.
 * `stands` is where the compiled function has its entrance. */
static int enter(Entrance *self, PyObject *compiled, PyObject **stands, PyObject *const *args,
                 Py_ssize_t count, PyObject **result)
{
    if (PyFunction_GET_CODE(self->function) != self->code) {
        return 0;
    }
    int as_it_is = runs_as_it_is(self);
    if (as_it_is) {
        return as_it_is < 0 ? -1 : 0;
    }
    if (take_lock(self->lock) < 0) {
        return -1;
    }
    /* Another thread may have dropped a program meanwhile: then Python looks for one. */
    Py_ssize_t known = *stands == (PyObject *)self ? PyTuple_GET_SIZE(self->entries) : 0;
    int found = 0;
    for (Py_ssize_t i = 0; !found && i < known; i++) {
        found = make_call(PyTuple_GET_ITEM(self->entries, i), args, count, result);
    }
    if (free_lock(self->lock) < 0) { /* somebody has given it back already */
        Py_CLEAR(*result);
        return -1;
    }
    if (found >= 0) {
        return found;
    }
    if (!PyErr_ExceptionMatches(self->eagerly)) {
        return -1;
    }
    PyObject *signal = take_error();
    *result = run_eagerly(compiled, signal, args, count);
    Py_DECREF(signal);
    return *result == NULL ? -1 : 1;
}

static PyObject *new_entrance(PyTypeObject *type, PyObject *args, PyObject *keywords)
{
    PyObject *lock, *session, *eagerly, *entries, *function, *code;
    if (keywords != NULL && PyDict_GET_SIZE(keywords)) {
        PyErr_SetString(PyExc_TypeError, "Entrance takes no keywords");
        return NULL;
    }
    if (!PyArg_ParseTuple(args, "O!OOO!O!O!", &LockType, &lock, &session, &eagerly, &PyTuple_Type,
                          &entries, &PyFunction_Type, &function, &PyCode_Type, &code)) {
        return NULL;
    }
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(entries); i++) {
        if (!Py_IS_TYPE(PyTuple_GET_ITEM(entries, i), &EntryType)) {
            PyErr_SetString(PyExc_TypeError, "an entrance leads to entries");
            return NULL;
        }
    }
    Entrance *self = (Entrance *)type->tp_alloc(type, 0);
    if (self == NULL) {
        return NULL;
    }
    self->lock = Py_NewRef(lock);
    self->as_it_is.local = Py_NewRef(session);
    self->as_it_is.name = PyUnicode_InternFromString("as_it_is");
    self->eagerly = Py_NewRef(eagerly);
    self->entries = Py_NewRef(entries);
    self->function = Py_NewRef(function);
    self->code = Py_NewRef(code);
    if (self->as_it_is.name == NULL) {
        Py_DECREF(self);
        return NULL;
    }
    return (PyObject *)self;
}

static int traverse_entrance(PyObject *object, visitproc visit, void *arg)
{
    Entrance *self = (Entrance *)object;
    Py_VISIT(self->as_it_is.local);
    Py_VISIT(self->as_it_is.own);
    Py_VISIT(self->eagerly);
    Py_VISIT(self->entries);
    Py_VISIT(self->function);
    return 0;
}

static int clear_entrance(PyObject *object)
{
    Entrance *self = (Entrance *)object;
    Py_CLEAR(self->lock);
    clear_here(&self->as_it_is);
    Py_CLEAR(self->eagerly);
    Py_CLEAR(self->entries);
    Py_CLEAR(self->function);
    Py_CLEAR(self->code);
    return 0;
}

static void dealloc_entrance(PyObject *object)
{
    PyObject_GC_UnTrack(object);
    clear_entrance(object);
    Py_TYPE(object)->tp_free(object);
}

static PyMemberDef entrance_members[] = {
    {"entries", T_OBJECT_EX, offsetof(Entrance, entries), READONLY, "those that it leads to"},
    {NULL, 0, 0, 0, NULL},
};

PyTypeObject EntranceType = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "aino_native.walker.Entrance",
    .tp_doc = "The programs of a compiled function, each asked in turn.",
    .tp_basicsize = sizeof(Entrance),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_new = new_entrance,
    .tp_dealloc = dealloc_entrance,
    .tp_traverse = traverse_entrance,
    .tp_clear = clear_entrance,
    .tp_members = entrance_members,
};

/* Caller */

typedef struct {
    PyObject_HEAD
    vectorcallfunc vectorcall;
    Py_ssize_t count;
    PyTypeObject *types[MOST_PLACES]; /* whose slots they are */
    Py_ssize_t places[MOST_PLACES];
    PyObject *function;
} Caller;

static PyObject *call_caller(PyObject *object, PyObject *const *args, size_t nargsf,
                             PyObject *names)
{
    Caller *self = (Caller *)object;
    Py_ssize_t count = PyVectorcall_NARGS(nargsf);
    PyObject *compiled = NULL, *found = count > 0 && names == NULL ? args[0] : NULL, **stands = NULL;
    for (Py_ssize_t i = 0; found != NULL && i < self->count; i++) {
        compiled = found;
        stands = (PyObject **)((char *)compiled + self->places[i]);
        found = PyObject_TypeCheck(compiled, self->types[i]) ? *stands : NULL;
    }
    if (found != NULL && Py_IS_TYPE(found, &EntranceType)) {
        PyObject *result = NULL;
        Py_INCREF(found); /* another may stand there before the call is done */
        Py_INCREF(compiled);
        int done = enter((Entrance *)found, compiled, stands, args + 1, count - 1, &result);
        Py_DECREF(compiled);
        Py_DECREF(found);
        if (done) {
            return result;
        }
    }
    return PyObject_Vectorcall(self->function, args, nargsf, names);
}

static PyObject *get_caller(PyObject *self, PyObject *object, PyObject *type)
{
    (void)type;
    return object == NULL || object == Py_None ? Py_NewRef(self) : PyMethod_New(self, object);
}

/* What it is called, what it says of itself: all is the function's but what a caller has. */
static PyObject *attribute_of_caller(PyObject *self, PyObject *name)
{
    PyObject *function = ((Caller *)self)->function;
    if (PyUnicode_CompareWithASCIIString(name, "__doc__") == 0) {
        return PyObject_GetAttr(function, name);
    }
    PyObject *found = PyObject_GenericGetAttr(self, name);
    if (found == NULL && PyErr_ExceptionMatches(PyExc_AttributeError)) {
        PyErr_Clear();
        found = PyObject_GetAttr(function, name);
    }
    return found;
}

static PyObject *new_caller(PyTypeObject *type, PyObject *args, PyObject *keywords)
{
    PyObject *places, *function;
    if (keywords != NULL && PyDict_GET_SIZE(keywords)) {
        PyErr_SetString(PyExc_TypeError, "Caller takes no keywords");
        return NULL;
    }
    if (!PyArg_ParseTuple(args, "O!O", &PyList_Type, &places, &function)) {
        return NULL;
    }
    Py_ssize_t count = PyList_GET_SIZE(places);
    if (count < 1 || count > MOST_PLACES) {
        PyErr_SetString(PyExc_TypeError, "one slot or two lead to an entrance");
        return NULL;
    }
    Caller *self = (Caller *)type->tp_alloc(type, 0);
    if (self == NULL) {
        return NULL;
    }
    self->vectorcall = call_caller;
    self->function = Py_NewRef(function);
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *descriptor = PyList_GET_ITEM(places, i);
        PyTypeObject *owner = Py_IS_TYPE(descriptor, &PyMemberDescr_Type)
            ? PyDescr_TYPE(descriptor) : &PyBaseObject_Type;
        self->places[i] = offset_of(descriptor, owner);
        if (self->places[i] < 0) {
            Py_DECREF(self);
            return NULL;
        }
        self->types[i] = (PyTypeObject *)Py_NewRef(owner);
        self->count = i + 1;
    }
    return (PyObject *)self;
}

static int traverse_caller(PyObject *object, visitproc visit, void *arg)
{
    Caller *self = (Caller *)object;
    for (Py_ssize_t i = 0; i < self->count; i++) {
        Py_VISIT(self->types[i]);
    }
    Py_VISIT(self->function);
    return 0;
}

static int clear_caller(PyObject *object)
{
    Caller *self = (Caller *)object;
    Py_ssize_t count = self->count;
    self->count = 0;
    for (Py_ssize_t i = 0; i < count; i++) {
        Py_CLEAR(self->types[i]);
    }
    Py_CLEAR(self->function);
    return 0;
}

static void dealloc_caller(PyObject *object)
{
    PyObject_GC_UnTrack(object);
    clear_caller(object);
    Py_TYPE(object)->tp_free(object);
}

static PyMemberDef caller_members[] = {
    {"__wrapped__", T_OBJECT_EX, offsetof(Caller, function), READONLY, "what is called otherwise"},
    {NULL, 0, 0, 0, NULL},
};

PyTypeObject CallerType = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "aino_native.walker.Caller",
    .tp_basicsize = sizeof(Caller),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HAVE_VECTORCALL
        | Py_TPFLAGS_METHOD_DESCRIPTOR,
    .tp_new = new_caller,
    .tp_dealloc = dealloc_caller,
    .tp_traverse = traverse_caller,
    .tp_clear = clear_caller,
    .tp_call = PyVectorcall_Call,
    .tp_vectorcall_offset = offsetof(Caller, vectorcall),
    .tp_descr_get = get_caller,
    .tp_getattro = attribute_of_caller,
    .tp_members = caller_members,
};
