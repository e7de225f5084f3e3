"""Transforms of functions: PyTorch's ``torch.func``, which compose freely, and compile."""

from aino.func.forward import hessian, jacfwd, jvp, linearize
from aino.func.gradients import grad, grad_and_value, value_and_grad, vjp
from aino.func.jacobians import jacrev
from aino.func.modules import (
    functional_call,
    functionalize,
    replace_all_batch_norm_modules_,
    stack_module_state,
)
from aino.func.vmap import vmap

__all__ = [
    "functional_call", "functionalize", "grad", "grad_and_value", "hessian", "jacfwd",
    "jacrev", "jvp", "linearize", "replace_all_batch_norm_modules_", "stack_module_state",
    "value_and_grad", "vjp", "vmap",
]  # fmt: skip
