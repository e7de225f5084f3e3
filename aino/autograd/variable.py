"""``Variable``, which tensors with gradients were called until they became one with tensors."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from aino.autograd.passes import queue_callback
from aino.autograd.tensor import Tensor


class _Tensors(type):
    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, Tensor)


class Variable(metaclass=_Tensors):
    """What older programs wrap tensors in: a tensor over the same memory.

    ``Variable._execution_engine.queue_callback(f)``, in a hook of a backward pass, has ``f()``
    called at the end of that pass, when all gradients have been summed.

    Arguments:
        data: a tensor.
        requires_grad: whether gradients flow back to the new one.
        volatile: has no effect, as in PyTorch; ``no_grad`` took its place.

    >>> import aino
    >>> aino.autograd.Variable(aino.ones(2), requires_grad=True)
    tensor([1., 1.], requires_grad=True)
    """

    _execution_engine = SimpleNamespace(queue_callback=queue_callback)

    def __new__(cls, data: Any, requires_grad: bool = False, volatile: bool = False) -> Any:
        if not isinstance(data, Tensor):
            raise TypeError(f"Variable takes a tensor, not {type(data).__name__}")
        return data.detach().requires_grad_(requires_grad)
