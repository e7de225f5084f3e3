/* A second thread that walks one half of a long instruction while the caller walks the other.
 *
 * It looks for work in a loop for a while before it sleeps, so that it begins within a fraction of
 * a microsecond; waking a thread takes a hundred times as long. What it has not begun when the
 * caller has done its own half, the caller does as well: nobody waits for a thread that sleeps. It
 * never touches Python. Where there are no POSIX threads, the caller does all. */
#include "instructions.h"
#include "flags.h"

#if defined(_WIN32) || defined(__EMSCRIPTEN__)

static void team_begin(void) { }
static void team_end(void) { }
static int run_both(const Instruction *self, char *const *slots)
{
    (void)self;
    (void)slots;
    return 0;
}
static long parts_done(void) { return 0; }
static int is_crowded(void) { return 1; }
enum { is_in_team };
#if defined(_MSC_VER)
#define _Thread_local __declspec(thread)
#endif

#else

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <time.h>

enum { IDLE, POSTED, TAKEN, DONE };

/* One job at a time: part of an instruction. */
static struct {
    atomic_int state;
    const Instruction *list;
    Py_ssize_t count;
    char *const *slots;
    int failed, flags;
} job;

static struct {
    pthread_mutex_t lock;
    pthread_cond_t wake;
    pthread_t thread;
    atomic_int sleeps; /* whether it has to be woken */
    atomic_int core;   /* on which core it was last */
    int runs;          /* whether it was started in this process */
    atomic_long done;  /* how many parts it has walked */
} helper = {.lock = PTHREAD_MUTEX_INITIALIZER, .wake = PTHREAD_COND_INITIALIZER};

/* Whether a walk has the helper for itself. */
static atomic_flag is_taken = ATOMIC_FLAG_INIT;
/* Whether this thread's walk has it, and is not within an instruction that is shared already. */
static _Thread_local int is_in_team;

/* So often the helper looks before it lets others run, and for so long before it sleeps. */
enum { LOOKS = 1 << 10, WAKEFUL_NS = 200 * 1000 };

static inline void relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ __volatile__("yield");
#endif
}

static long long now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000000LL + time.tv_nsec;
}

/* A clock that takes a few cycles to read; in what units it counts is nobody's business. */
static inline unsigned long long ticks(void)
{
#if defined(__x86_64__) || defined(__i386__)
    return __builtin_ia32_rdtsc();
#else
    return (unsigned long long)now();
#endif
}

/* Where others need the cores, the helper is sent away in the middle of its part, and the caller
 * waits for it: after that so many instructions are walked by the caller alone, twice as many after
 * each time that follows, and half as many when all has gone well for a while. */
static struct {
    int alone, penalty, well;
} crowd;
enum { FIRST_PENALTY = 1 << 6, LAST_PENALTY = 1 << 13, A_WHILE = 1 << 8 };

/* Notes how long the caller took for its part, and then waited. */
static void note_wait(unsigned long long own, unsigned long long waited)
{
    if (waited > 2 * own + (1 << 16)) {
        crowd.penalty = crowd.penalty == 0             ? FIRST_PENALTY
            : crowd.penalty * 2 < LAST_PENALTY ? crowd.penalty * 2
                                               : LAST_PENALTY;
        crowd.alone = crowd.penalty;
        crowd.well = 0;
    }
    else if (++crowd.well == A_WHILE) {
        crowd.penalty >>= 1;
        crowd.well = 0;
    }
}

/* Tells whether an instruction is to be walked by the caller alone. */
static int is_crowded(void)
{
    if (crowd.alone > 0) {
        crowd.alone--;
        return 1;
    }
    return 0;
}

static int current_core(void)
{
#if defined(__linux__)
    return sched_getcpu();
#else
    return -1;
#endif
}

static int is_posted(void) { return atomic_load(&job.state) == POSTED; }

static void wait_for_work(void)
{
    for (int i = 0; i < LOOKS; i++) {
        if (is_posted()) {
            return;
        }
        relax();
    }
    long long until = now() + WAKEFUL_NS;
    while (now() < until) {
        for (int i = 0; i < 16; i++) {
            if (is_posted()) {
                return;
            }
            relax();
        }
        sched_yield();
    }
    pthread_mutex_lock(&helper.lock);
    atomic_store(&helper.sleeps, 1);
    while (!is_posted()) {
        pthread_cond_wait(&helper.wake, &helper.lock);
    }
    atomic_store(&helper.sleeps, 0);
    pthread_mutex_unlock(&helper.lock);
}

static void *help(void *nothing)
{
    for (;;) {
        wait_for_work();
        int posted = POSTED;
        if (atomic_compare_exchange_strong(&job.state, &posted, TAKEN)) {
            atomic_store_explicit(&helper.core, current_core(), memory_order_relaxed);
            feclearexcept(WATCHED);
            job.flags = 0;
            job.failed = walk_list(job.list, job.count, job.slots, NULL, &job.flags);
            atomic_fetch_add(&helper.done, 1);
            atomic_store(&job.state, DONE);
        }
    }
    return nothing;
}

static long parts_done(void) { return atomic_load(&helper.done); }

/* In the child of a fork there is no helper, and nobody has it. */
static void forget(void)
{
    helper.runs = 0;
    is_in_team = 0;
    atomic_store(&job.state, IDLE);
    atomic_store(&helper.sleeps, 0);
    atomic_flag_clear(&is_taken);
    pthread_mutex_init(&helper.lock, NULL);
    pthread_cond_init(&helper.wake, NULL);
}

static int start(void)
{
    static int watches_forks;
    if (!watches_forks) {
        watches_forks = pthread_atfork(NULL, NULL, forget) == 0;
    }
    atomic_store(&helper.core, -1);
    helper.runs = watches_forks && pthread_create(&helper.thread, NULL, help, NULL) == 0;
    if (helper.runs) {
        pthread_detach(helper.thread);
    }
    return helper.runs;
}

/* Has the helper for this walk, if it can be had. */
static void team_begin(void)
{
    if (atomic_flag_test_and_set(&is_taken)) {
        return;
    }
    if (!helper.runs && !start()) {
        atomic_flag_clear(&is_taken);
        return;
    }
    is_in_team = 1;
}

static void team_end(void)
{
    if (is_in_team) {
        is_in_team = 0;
        atomic_flag_clear(&is_taken);
    }
}

/* Keeps the helper from the core that the caller is on: Linux wakes a thread on the core of the one
 * that calls it, and leaves both there. */
static void keep_apart(void)
{
#if defined(__linux__)
    int core = current_core();
    int its = atomic_load_explicit(&helper.core, memory_order_relaxed);
    if (core < 0 || (its >= 0 && its != core)) {
        return;
    }
    cpu_set_t cores;
    if (sched_getaffinity(0, sizeof cores, &cores) == 0 && core < CPU_SETSIZE) {
        CPU_CLR(core, &cores);
        if (CPU_COUNT(&cores) > 0) {
            pthread_setaffinity_np(helper.thread, sizeof cores, &cores);
        }
    }
#endif
}

/* Walks both parts, the second on the other thread if it begins in time. */
static int run_both(const Instruction *self, char *const *slots)
{
    job.list = self->parts[1];
    job.count = self->counts[1];
    job.slots = slots;
    atomic_store(&job.state, POSTED);
    if (atomic_load(&helper.sleeps)) {
        keep_apart();
        pthread_mutex_lock(&helper.lock);
        pthread_cond_signal(&helper.wake);
        pthread_mutex_unlock(&helper.lock);
    }
    is_in_team = 0; /* what is within a part is not shared once more */
    unsigned long long begin = ticks();
    int flags = 0, failed = walk_list(self->parts[0], self->counts[0], slots, NULL, &flags);
    int posted = POSTED;
    if (atomic_compare_exchange_strong(&job.state, &posted, IDLE)) {
        keep_apart();
        int others = 0;
        failed |= walk_list(self->parts[1], self->counts[1], slots, NULL, &others);
        flags |= others;
    }
    else {
        unsigned long long own = ticks() - begin;
        for (int i = 0; atomic_load(&job.state) != DONE; i++) {
            if (i < LOOKS) {
                relax();
            }
            else {
                sched_yield();
            }
        }
        note_wait(own, ticks() - begin - own);
        failed |= job.failed;
        flags |= job.flags;
        atomic_store(&job.state, IDLE);
    }
    is_in_team = 1;
    if (flags) {
        feraiseexcept(flags);
    }
    return failed ? -1 : 0;
}

#endif

/* Who says how many threads may compute, and the BLAS's own functions for that. */
static struct {
    PyObject *worker;
    int (*get)(void);
    void (*set)(int);
} threads;

/* How many threads the BLAS had before this thread's walk took them from it, 0 where it did not. */
static _Thread_local int blas_threads;

/* share_by(worker, get, set): whose attribute `alone` forbids the second thread; the addresses of
 * the BLAS's functions that get and set its number of threads. */
PyObject *share_by(PyObject *nothing, PyObject *args)
{
    (void)nothing;
    PyObject *worker;
    unsigned long long get, set;
    if (!PyArg_ParseTuple(args, "OKK", &worker, &get, &set)) {
        return NULL;
    }
    Py_XSETREF(threads.worker, Py_NewRef(worker));
    threads.get = (int (*)(void))(uintptr_t)get;
    threads.set = (void (*)(int))(uintptr_t)set;
    Py_RETURN_NONE;
}

/* helped(): how many parts the second thread has walked. */
PyObject *helped(PyObject *nothing, PyObject *args)
{
    (void)nothing;
    (void)args;
    return PyLong_FromLong(parts_done());
}

/* Begins to compute on two threads, if that is allowed: the BLAS then multiplies on the thread that
 * calls it, but for products that it shares out itself. */
void begin_sharing(void)
{
    static PyObject *name;
    if (threads.worker == NULL) {
        return;
    }
    if (name == NULL && (name = PyUnicode_InternFromString("alone")) == NULL) {
        PyErr_Clear();
        return;
    }
    PyObject *alone = PyObject_GetAttr(threads.worker, name);
    int may = alone == Py_False;
    Py_XDECREF(alone);
    PyErr_Clear();
    int known = threads.get != NULL && threads.set != NULL;
    int count = may && known ? threads.get() : 0;
    if (count > 1) {
        blas_threads = count;
        threads.set(1);
    }
    if (may && count != 1) {
        team_begin();
    }
}

void end_sharing(void)
{
    team_end();
    if (blas_threads) {
        threads.set(blas_threads);
        blas_threads = 0;
    }
}

void let_blas_share(int does)
{
    if (blas_threads) {
        threads.set(does ? blas_threads : 1);
    }
}

/* Two lists of instructions, of which no one needs the other: at the same time, or one after the
 * other. Of a product that a BLAS of two threads would compute in its own way they are the halves;
 * one of another number of threads computes the whole. */
int step_both(const Instruction *self, char *const *slots, PyObject *const *numbers)
{
    int shares = is_in_team && self->counts[1] > 0 && !is_crowded();
    if (self->whole != NULL && (self->whole->is_big ? blas_threads != 2 : !shares)) {
        return self->whole->step(self->whole, slots, numbers);
    }
    if (shares) {
        return run_both(self, slots);
    }
    int flags = 0;
    int failed = walk_list(self->parts[0], self->counts[0], slots, numbers, &flags)
        || walk_list(self->parts[1], self->counts[1], slots, numbers, &flags);
    if (flags) {
        feraiseexcept(flags);
    }
    return failed ? -1 : 0;
}
