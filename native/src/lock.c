/* A lock of one thread that may take it again, as threading.RLock: taken from C in a few cycles.
 *
 * Whoever is here holds the interpreter's lock, so that what is free is taken without asking the
 * system. Who has to wait does so at a gate, which is shut but for when somebody is let in.
 */
#include "calling.h"

#include <pythread.h>

typedef struct {
    PyObject_HEAD
    unsigned long owner;
    Py_ssize_t depth;   /* how often its owner has taken it; 0: it is free */
    Py_ssize_t waiting; /* how many threads stand at the gate */
    PyThread_type_lock gate;
    int is_open;
} Lock;

/* Waits until the lock is free; -1 with an exception where that is interrupted, as by Ctrl-C. */
static int wait_for(Lock *self)
{
    int failed = 0;
    self->waiting++;
    while (self->depth > 0 && !failed) {
        PyLockStatus status;
        Py_BEGIN_ALLOW_THREADS
        status = PyThread_acquire_lock_timed(self->gate, -1, 1);
        Py_END_ALLOW_THREADS
        if (status == PY_LOCK_ACQUIRED) {
            self->is_open = 0; /* and another may have been quicker */
        }
        else {
            failed = PyErr_CheckSignals() < 0;
        }
    }
    self->waiting--;
    return failed ? -1 : 0;
}

int take_lock(PyObject *object)
{
    Lock *self = (Lock *)object;
    unsigned long me = PyThread_get_thread_ident();
    if (self->depth > 0 && self->owner == me) {
        self->depth++;
        return 0;
    }
    if (self->depth > 0 && wait_for(self) < 0) {
        return -1;
    }
    self->owner = me;
    self->depth = 1;
    return 0;
}

int free_lock(PyObject *object)
{
    Lock *self = (Lock *)object;
    if (self->depth == 0 || self->owner != PyThread_get_thread_ident()) {
        PyErr_SetString(PyExc_RuntimeError, "a lock is released by the thread that has taken it");
        return -1;
    }
    if (--self->depth == 0 && self->waiting > 0 && !self->is_open) {
        self->is_open = 1;
        PyThread_release_lock(self->gate);
    }
    return 0;
}

static PyObject *acquire(PyObject *self, PyObject *unused)
{
    (void)unused;
    return take_lock(self) < 0 ? NULL : Py_NewRef(Py_True);
}

static PyObject *release(PyObject *self, PyObject *unused)
{
    (void)unused;
    return free_lock(self) < 0 ? NULL : Py_NewRef(Py_None);
}

static PyObject *leave(PyObject *self, PyObject *const *args, Py_ssize_t count)
{
    (void)args;
    (void)count;
    return release(self, NULL);
}

static PyObject *new_lock(PyTypeObject *type, PyObject *args, PyObject *keywords)
{
    if (PyTuple_GET_SIZE(args) || (keywords != NULL && PyDict_GET_SIZE(keywords))) {
        PyErr_SetString(PyExc_TypeError, "Lock takes no arguments");
        return NULL;
    }
    Lock *self = (Lock *)type->tp_alloc(type, 0);
    if (self == NULL) {
        return NULL;
    }
    self->gate = PyThread_allocate_lock();
    if (self->gate == NULL) {
        Py_DECREF(self);
        return PyErr_NoMemory();
    }
    PyThread_acquire_lock(self->gate, WAIT_LOCK);
    return (PyObject *)self;
}

static void dealloc_lock(PyObject *object)
{
    Lock *self = (Lock *)object;
    if (self->gate != NULL) {
        if (!self->is_open) {
            PyThread_release_lock(self->gate);
        }
        PyThread_free_lock(self->gate);
    }
    Py_TYPE(object)->tp_free(object);
}

static PyMethodDef methods[] = {
    {"acquire", acquire, METH_NOARGS, "Wait until the lock is free, and take it."},
    {"release", release, METH_NOARGS, "Give back what was taken last."},
    {"__enter__", acquire, METH_NOARGS, "Wait until the lock is free, and take it."},
    {"__exit__", (PyCFunction)(void (*)(void))leave, METH_FASTCALL, "Give it back."},
    {NULL, NULL, 0, NULL},
};

PyTypeObject LockType = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "aino_native.walker.Lock",
    .tp_doc = "A lock of one thread that may take it again.",
    .tp_basicsize = sizeof(Lock),
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_new = new_lock,
    .tp_dealloc = dealloc_lock,
    .tp_methods = methods,
};
