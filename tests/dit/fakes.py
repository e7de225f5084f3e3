"""Small modules with what a `.dit` asks of a module, and nothing else."""

import numpy as np

from aino.autograd.tensor import Tensor
from aino.dit import register
from aino.nn import Parameter


class Fake:
    """A module that walks ``vars(self)``; buffers are plain tensors whose names are listed."""

    buffers = ()
    training = True

    def __new__(cls, *args, **kwargs):
        self = object.__new__(cls)
        vars(self)["_constructor"] = (args, kwargs)
        return self

    def inside(self):
        return {name: value for name, value in vars(self).items() if isinstance(value, Fake)}

    def own(self):
        return {
            name: value
            for name, value in vars(self).items()
            if isinstance(value, Parameter) or (name in self.buffers and value is not None)
        }

    def state_dict(self):
        state = {name: tensor.detach() for name, tensor in self.own().items()}
        for name, module in self.inside().items():
            state |= {f"{name}.{key}": tensor for key, tensor in module.state_dict().items()}
        return state

    def load_state_dict(self, state, strict=True, assign=False):
        assert strict
        assert assign
        for name, held in self.own().items():
            value = state[name]
            if isinstance(held, Parameter):
                value = Parameter(value, held.requires_grad)
            setattr(self, name, value)
        for name, module in self.inside().items():
            inner = {k[len(name) + 1 :]: v for k, v in state.items() if k.startswith(f"{name}.")}
            module.load_state_dict(inner, strict, assign)

    def train(self, mode=True):
        self.training = mode
        for module in self.inside().values():
            module.train(mode)
        return self

    def eval(self):
        return self.train(False)


@register("test.Line")
class Line(Fake):
    """A matrix and a vector."""

    def __init__(self, inputs, outputs, bias=True, dtype=np.float32, scale=1.0):
        draw = np.random.default_rng(inputs * 31 + outputs)
        self.weight = Parameter(draw.standard_normal((outputs, inputs)).astype(dtype))
        self.bias = Parameter(np.zeros(outputs, dtype)) if bias else None
        self.scale = scale


@register("test.Drop")
class Drop(Fake):
    def __init__(self, rate=0.5):
        self.rate = rate


@register("test.Count")
class Count(Fake):
    """Buffers, one of which is not stored in the state."""

    buffers = ("steps", "mean")

    def __init__(self, size):
        self.steps = Tensor(np.array(0, np.int64))
        self.mean = Tensor(np.zeros(size, np.float32))
        self.table = Tensor(np.arange(size, dtype=np.float32))


@register("test.Chain")
class Chain(Fake):
    """Modules one after the other."""

    def __init__(self, *modules):
        for index, module in enumerate(modules):
            setattr(self, str(index), module)


@register("test.Net")
class Net(Fake):
    """Makes its own parts, and ties two of them when asked to."""

    def __init__(self, width=4, tied=False, act=None):
        self.first = Line(width, width)
        self.drop = Drop()
        self.last = Line(width, width)
        self.act = act
        if tied:
            self.last.weight = self.first.weight


@register("test.Keeps")
class Keeps(Fake):
    """Keeps whatever it is given."""

    def __init__(self, one=None, /, two=None, *more, three=None, **rest):
        self.all = [one, two, more, three, rest]
