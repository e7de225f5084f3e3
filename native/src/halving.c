/* Makes an instruction that is long enough one of two halves, for two threads. */
#include "instructions.h"

#include <string.h>

/* So much work is worth a second thread: elements; of a product, sums and products by eight. */
enum { WORTH_SHARING = 1 << 14 };
/* Halves are of whole cache lines, so that each element meets the loop that it met before. */
enum { LINE = 64 };

static npy_intp half_of(npy_intp count, npy_intp line)
{
    return count >= 2 * line ? (count / 2 + line - 1) / line * line : count / 2;
}

static void advance(Place *place, npy_intp bytes)
{
    if (place->slot < 0) {
        place->address += bytes;
    }
    else {
        place->offset += bytes;
    }
}

/* Cuts a stack of products in two, if each of them is computed by one thread as it is. */
static int halve_product(Instruction *first, Instruction *second)
{
    npy_intp matrices = first->dimensions[0], cut = matrices / 2;
    if (cut == 0 || (first->is_big && !first->alone)) {
        return 0;
    }
    for (int k = 0; k < 3; k++) {
        advance(&second->places[k], cut * first->strides[k]);
    }
    second->dimensions[0] = matrices - cut;
    first->dimensions[0] = cut;
    return 1;
}

/* Cuts what goes over elements in two, along its outermost axis. */
static int halve_loop(Instruction *first, Instruction *second)
{
    int moves = first->step == step_copy || first->step == step_cast;
    int walks = first->step == step_walk;
    if (moves ? first->axes == 0 : first->step != step_sweep && !walks) {
        return 0;
    }
    npy_intp *length = moves || walks ? &first->lengths[0] : &first->dimensions[0];
    npy_intp cut = half_of(*length, (moves ? first->axes > 1 : walks) ? 1 : LINE);
    if (cut == 0) {
        return 0;
    }
    if (moves) {
        advance(&second->places[0], cut * first->to[0]);
        advance(&second->places[1], cut * first->from[0]);
    }
    for (int k = 0; k < first->operands && !moves; k++) {
        advance(&second->places[k], cut * (walks ? first->steps[k] : first->strides[k]));
    }
    *(moves || walks ? &second->lengths[0] : &second->dimensions[0]) = *length - cut;
    *length = cut;
    return 1;
}

/* Tells whether an instruction is for two threads, or one that it may lead to. */
int is_shared(const Instruction *made)
{
    int found = made->step == step_both || made->is_big;
    for (Py_ssize_t i = 0; i < made->owns && !found; i++) {
        found = is_shared(&made->owned[i]);
    }
    return found;
}

/* Makes an instruction that is long enough one of two halves; returns -1 without memory. */
int share_instruction(Instruction *made)
{
    if (made->step == step_either) {
        for (Py_ssize_t i = 0; i < made->owns; i++) {
            if (share_instruction(&made->owned[i]) < 0) {
                return -1;
            }
        }
        return 0;
    }
    if (made->work < WORTH_SHARING || made->needs_python || made->step == step_both) {
        return 0;
    }
    Instruction *all = PyMem_Calloc(3, sizeof(Instruction));
    if (all == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    for (int i = 0; i < 3; i++) {
        all[i] = *made;
        all[i].borrows = i < 2;
        all[i].is_big = 0;
    }
    int halved = made->step == step_product ? halve_product(&all[0], &all[1])
                                            : halve_loop(&all[0], &all[1]);
    if (!halved) {
        PyMem_Free(all);
        return 0;
    }
    memset(made, 0, sizeof *made);
    *made = (Instruction){.step = step_both, .parts = {all, all + 1}, .counts = {1, 1},
                          .whole = all + 2, .owned = all, .owns = 3, .work = all[2].work,
                          .quiet = all[2].quiet};
    return 0;
}
