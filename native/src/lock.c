/* A lock of one thread that may take it again, as threading.RLock: taken from C in a few cycles. */
#include "calling.h"

#include <pythread.h>

typedef struct {
    PyObject_HEAD
    PyThread_type_lock lock;
    unsigned long owner;
    Py_ssize_t depth; /* how often its owner has taken it; 0: it is free */
} Lock;

int take_lock(PyObject *object)
{
    Lock *self = (Lock *)object;
    unsigned long me = PyThread_get_thread_ident();
    if (self->depth > 0 && self->owner == me) {
        self->depth++;
        return 0;
    }
    if (!PyThread_acquire_lock(self->lock, NOWAIT_LOCK)) {
        PyLockStatus status;
        do {
            Py_BEGIN_ALLOW_THREADS
            status = PyThread_acquire_lock_timed(self->lock, -1, 1);
            Py_END_ALLOW_THREADS
            /* While it waits it can be interrupted, as by Ctrl-C. */
            if (status == PY_LOCK_INTR && PyErr_CheckSignals() < 0) {
                return -1;
            }
        } while (status != PY_LOCK_ACQUIRED);
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
    if (--self->depth == 0) {
        self->owner = 0;
        PyThread_release_lock(self->lock);
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
    if (self != NULL && (self->lock = PyThread_allocate_lock()) == NULL) {
        Py_DECREF(self);
        return PyErr_NoMemory();
    }
    return (PyObject *)self;
}

static void dealloc_lock(PyObject *object)
{
    Lock *self = (Lock *)object;
    if (self->lock != NULL) {
        if (self->depth > 0) { /* its owner is gone */
            PyThread_release_lock(self->lock);
        }
        PyThread_free_lock(self->lock);
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
