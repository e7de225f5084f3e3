/* What floating-point arithmetic has raised: asked after every instruction. */
#ifndef AINO_FLAGS_H
#define AINO_FLAGS_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <fenv.h>

#define WATCHED (FE_DIVBYZERO | FE_OVERFLOW | FE_UNDERFLOW | FE_INVALID)

/* Whether an instruction is known to, of how it is described: flags.c. */
int raises_in_one_unit(PyObject *described);

/* Whether a ufunc's loops of float and double are: those of plain arithmetic. */
int is_plain_ufunc(PyObject *ufunc);

/* The flags that NumPy's bits stand for, which name what is quiet. */
int flags_of(int bits);

/* What has been raised, as fetestexcept(WATCHED) tells, in half the time; `one_unit`: of what is
 * known to raise it in the unit that computes float and double alone, in next to no time. */
static inline int raised_flags(int one_unit)
{
#if defined(__x86_64__) && defined(__GNUC__)
    unsigned short old = 0;
    unsigned int new;
    if (!one_unit) {
        __asm__ volatile("fnstsw %0" : "=a"(old));
    }
    __asm__ volatile("stmxcsr %0" : "=m"(new));
    return (int)(old | new) & WATCHED;
#else
    (void)one_unit;
    return fetestexcept(WATCHED);
#endif
}

#endif
