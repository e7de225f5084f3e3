/* A chain and its links, which chain.c walks and fused.c joins. */
#ifndef AINO_CHAIN_H
#define AINO_CHAIN_H

#include "instructions.h"

enum { MAX_LINK_OPERANDS = 10 };

typedef enum { FLAT, SCRATCH, NUMBER } Role;

typedef struct {
    Place place;
    Role role;
    npy_intp stride;
    npy_intp origin; /* of flat memory: which number of the chain its first one is */
    int which;       /* its number among the operands of the chain */
} Operand;

typedef struct {
    const PyUFuncObject *ufunc;
    PyUFuncGenericFunction loop;
    void *data;
    int operands, type;  /* the result's dtype */
    npy_intp begin, end; /* between which numbers of the chain it runs */
    Operand each[MAX_LINK_OPERANDS];
} Link;

/* Joins links that are one loop, to the same bits; returns how many links are left. */
Py_ssize_t fuse_links(Link *links, Py_ssize_t count);

#endif
