"""Random programs: views, writes in place and products, the same for both libraries.

A program is a list of steps. A step names what it does and which of the tensors so far it does
it to, so that Hypothesis can shrink it to the few steps that matter.
"""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

import aino
from aino.autograd.memory import owner

VALUES = np.array([[0.55, -1.5, 2.0], [1.25, 0.75, -0.6]])

#: Each makes a new tensor of one or two.
NEW = {
    "scale": lambda m, a, b: a * 2.0,
    "add": lambda m, a, b: a + b,
    "mul": lambda m, a, b: a * b,
    "square": lambda m, a, b: a * a,
    "tanh": lambda m, a, b: a.tanh(),
    "sum": lambda m, a, b: a.sum(),
    "amax": lambda m, a, b: a.amax(),
    "cat": lambda m, a, b: m.cat([a.reshape(-1), b.reshape(-1)]),
    "where": lambda m, a, b: m.where(a > 0.0, a, a * 3.0),
    "clone": lambda m, a, b: a.clone(),
    "detach": lambda m, a, b: a.detach(),
    "row": lambda m, a, b: a[0],
    "last": lambda m, a, b: a[..., -1],
    "step": lambda m, a, b: a[..., ::2],
    "flat": lambda m, a, b: a.view(-1),
    "transpose": lambda m, a, b: a.T if a.ndim == 2 else a.unsqueeze(0),
    "expand": lambda m, a, b: a.unsqueeze(0).expand(2, *a.shape),
    "diagonal": lambda m, a, b: a.diagonal(),
    "windows": lambda m, a, b: a.unfold(-1, 2, 2),
    "narrow": lambda m, a, b: a.narrow(-1, 1, 1),
    "same": lambda m, a, b: a.expand(1, *a.shape),
    "swap": lambda m, a, b: a.movedim(0, -1),
    "chunk": lambda m, a, b: a.chunk(2, -1)[0],
    "div": lambda m, a, b: a / (b * b + 1.0),
    "silu": lambda m, a, b: m.nn.functional.silu(a),
    "silent_row": lambda m, a, b: silently(m, lambda: a[0]),
}

#: Each changes the first in place.
WRITES = {
    "add_": lambda m, a, b: a.add_(apart(a, b)),
    "mul_": lambda m, a, b: a.mul_(apart(a, b)),
    "scale_": lambda m, a, b: a.mul_(0.5),
    "tanh_": lambda m, a, b: a.tanh_(),
    "zero_": lambda m, a, b: a.zero_() if a.is_contiguous() else a.mul_(0.0),
    "div_": lambda m, a, b: a.div_(apart(a, b) * apart(a, b) + 1.0),
    "fill_": lambda m, a, b: a.fill_(b.sum()),
    "copy_": lambda m, a, b: a.copy_(apart(a, b)),
    "assign_row": lambda m, a, b: assign(a, 0, apart(a, b)),
    "assign_number": lambda m, a, b: assign(a, (..., -1), 0.25),
    "assign_mask": lambda m, a, b: assign(a, a > 0.4837, 0.125),
    "silent_add_": lambda m, a, b: silently(m, lambda: a.add_(1.0)),
    "detached_add_": lambda m, a, b: a.detach().add_(1.0),
}

STEPS = {**NEW, **WRITES}


def silently(m, function):
    with m.no_grad():
        return function()


def assign(a, index, value):
    a[index] = value
    return a


def apart(a, b):
    """Return ``b``, cloned where it overlaps what is written: PyTorch reads what it has written."""
    return b.clone() if a is not b and memory(a) == memory(b) else b


def memory(tensor) -> int:
    if isinstance(tensor, aino.Tensor):
        return id(owner(tensor.array))
    return tensor.untyped_storage().data_ptr()


def steps(names):
    """Return a strategy for programs of these steps."""
    step = st.tuples(st.sampled_from(sorted(names)), st.integers(0, 7), st.integers(0, 7))
    return st.lists(step, min_size=1, max_size=7)


def run(m, program, values=VALUES, order=1):
    """Run a program; return which steps were refused, its results, and its gradient.

    Later numbers count back from the newest tensor. A step that raises (a row of a 0-d tensor,
    shapes that do not fit) changes nothing, and the program goes on without it.
    """
    x = m.tensor(values.tolist(), dtype=m.float64, requires_grad=True)
    c = m.tensor([[1.0, -2.0, 0.5], [0.25, 1.5, 3.0]], dtype=m.float64)
    pool, refused = [x, c, x * 1.5], []
    for name, first, second in program:
        a, b = pool[-1 - first % len(pool)], pool[-1 - second % len(pool)]
        try:
            result = STEPS[name](m, a, b)
        except Exception:
            refused.append(name)
            continue
        refused.append("")
        if name in NEW:
            pool.append(result)
    try:
        total = x.sum() * 0.0
        for position, y in enumerate(pool[1:]):
            total = total + (y * (position + 1.0)).sum()
        return [refused, total, *gradients(m, total, x, c, order)]
    except RuntimeError as error:
        error.refused = refused
        raise


def gradients(m, total, x, c, order):
    if order == 1:
        return m.autograd.grad(total, x)
    (gradient,) = m.autograd.grad(total, x, create_graph=True)
    if not gradient.requires_grad:
        return [gradient, x * 0.0]
    (second,) = m.autograd.grad((gradient * c.detach().clone()).sum(), x, allow_unused=True)
    return [gradient, x * 0.0 if second is None else second]
