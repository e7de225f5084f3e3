/* Links of a chain that are one loop: each number goes through all of them while it is in the
 * processor's registers. Only arithmetic that IEEE 754 rounds one way is fused, each operation
 * rounded by itself, so that the bits are those of one loop after the other. */
#include "chain.h"

#include <math.h>
#include <string.h>

/* Two versions of each loop where the compiler and the linker can choose by the processor. */
#if defined(__x86_64__) && defined(__GLIBC__) && defined(__GNUC__) && !defined(__clang__)          \
    && !defined(__SANITIZE_ADDRESS__)
#define CLONED __attribute__((target_clones("avx2", "default")))
#else
#define CLONED
#endif

/* The arrays lie apart (fuse_links looks), so that loops need not. */
#if defined(__clang__)
#define APART _Pragma("clang loop vectorize(assume_safety)")
#elif defined(__GNUC__)
#define APART _Pragma("GCC ivdep")
#else
#define APART
#endif

/* What Adam and its kin do, but for the last step to the parameters. A letter is an operand: m and
 * v the moments, g the gradient, u the update, s and t scratch memory, the others numbers. */
static const struct {
    const char *name, *operands;
} adam[] = {
    {"multiply", "mbm"}, {"multiply", "gct"}, {"add", "mtm"},    {"multiply", "ggs"},
    {"multiply", "sds"}, {"multiply", "vev"}, {"add", "vsv"},    {"sqrt", "vu"},
    {"add", "ufu"},      {"divide", "muu"},   {"multiply", "uhu"},
};
enum { LINKS_OF_ADAM = sizeof adam / sizeof *adam };
/* The operands of the fused loop, in order. */
static const char adam_order[] = "mgvubcdefh";

/* One operation a statement: so no compiler joins a product and a sum to one rounding. */
#define ADAM(NAME, TYPE, ROOT)                                                                     \
    CLONED static void NAME(char **operands, const npy_intp *dimensions, const npy_intp *steps,    \
                            void *data)                                                            \
    {                                                                                              \
        (void)steps;                                                                               \
        (void)data;                                                                                \
        npy_intp count = dimensions[0];                                                            \
        TYPE *m = (TYPE *)operands[0], *v = (TYPE *)operands[2], *u = (TYPE *)operands[3];         \
        const TYPE *g = (const TYPE *)operands[1];                                                 \
        TYPE b = *(TYPE *)operands[4], c = *(TYPE *)operands[5], d = *(TYPE *)operands[6];         \
        TYPE e = *(TYPE *)operands[7], f = *(TYPE *)operands[8], h = *(TYPE *)operands[9];         \
        APART for (npy_intp i = 0; i < count; i++) {                                               \
            TYPE kept = m[i] * b;                                                                  \
            TYPE added = g[i] * c;                                                                 \
            TYPE first = kept + added;                                                             \
            TYPE square = g[i] * g[i];                                                             \
            TYPE part = square * d;                                                                \
            TYPE old = v[i] * e;                                                                   \
            TYPE second = old + part;                                                              \
            TYPE root = ROOT(second);                                                              \
            TYPE below = root + f;                                                                 \
            TYPE ratio = first / below;                                                            \
            m[i] = first;                                                                          \
            v[i] = second;                                                                         \
            u[i] = ratio * h;                                                                      \
        }                                                                                          \
    }

ADAM(adam_of_floats, npy_float32, sqrtf)
ADAM(adam_of_doubles, npy_float64, sqrt)

static int is_same(const Operand *one, const Operand *other)
{
    return one->which == other->which && one->role == other->role && one->origin == other->origin;
}

/* Tells whether links are those of the pattern, and which operand each letter is. */
static int is_adam(const Link *links, const Operand **letters)
{
    for (int i = 0; i < LINKS_OF_ADAM; i++) {
        const Link *link = &links[i];
        if (strcmp(link->ufunc->name, adam[i].name) || link->type != links->type
            || link->begin != links->begin || link->end != links->end
            || (size_t)link->operands != strlen(adam[i].operands)) {
            return 0;
        }
        for (int k = 0; k < link->operands; k++) {
            const Operand **known = &letters[adam[i].operands[k] - 'a'];
            if (*known == NULL) {
                *known = &link->each[k];
            }
            else if (!is_same(*known, &link->each[k])) {
                return 0;
            }
        }
    }
    return links->type == NPY_FLOAT || links->type == NPY_DOUBLE;
}

static const Operand *named(const Operand *const *letters, char name)
{
    return letters[name - 'a'];
}

/* Tells whether the operands are what their letters say, and nobody reads the scratch memory later. */
static int can_fuse(const Operand *const *letters, const Link *rest, const Link *end)
{
    const char *arrays = "mgvu", *numbers = "bcdefh";
    for (const char *name = arrays; *name; name++) {
        const Operand *array = named(letters, *name);
        if (array->role == NUMBER || array->place.slot >= 0) {
            return 0; /* where a call's argument lies is not known */
        }
        for (const char *other = arrays; other < name; other++) {
            if (named(letters, *other)->place.address == array->place.address) {
                return 0;
            }
        }
    }
    for (const char *name = numbers; *name; name++) {
        if (named(letters, *name)->role != NUMBER) {
            return 0;
        }
    }
    for (const char *name = "st"; *name; name++) {
        const Operand *scratch = named(letters, *name);
        if (scratch->role != SCRATCH || scratch->which == named(letters, 'u')->which) {
            return 0;
        }
        for (const Link *link = rest; link < end; link++) {
            for (int k = 0; k < link->operands; k++) {
                if (link->each[k].which == scratch->which) {
                    return 0;
                }
            }
        }
    }
    return 1;
}

Py_ssize_t fuse_links(Link *links, Py_ssize_t count)
{
    for (Py_ssize_t i = 0; i + LINKS_OF_ADAM <= count; i++) {
        const Operand *letters[26] = {NULL};
        Link *rest = &links[i + LINKS_OF_ADAM];
        if (!is_adam(&links[i], letters) || !can_fuse(letters, rest, links + count)) {
            continue;
        }
        Link fused = links[i];
        fused.loop = fused.type == NPY_FLOAT ? adam_of_floats : adam_of_doubles;
        fused.operands = (int)strlen(adam_order);
        for (int k = 0; k < fused.operands; k++) {
            fused.each[k] = *named(letters, adam_order[k]);
        }
        links[i] = fused;
        memmove(&links[i + 1], rest, (size_t)(links + count - rest) * sizeof(Link));
        count -= LINKS_OF_ADAM - 1;
    }
    return count;
}
