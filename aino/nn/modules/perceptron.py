"""Perceptron and Layer: the neuron, and many of them as one matrix.

A layer is an object of perceptrons to look at and one matrix to compute with: ``layer[i]`` is a
perceptron whose weight *is* row i of the layer's weight, values and gradients alike.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from aino.autograd.memory import stamp_write
from aino.autograd.mode import enable_grad
from aino.autograd.rules.index import getitem
from aino.autograd.tensor import Tensor, View, make
from aino.errors import GradientError, ShapeError
from aino.nn import functional as F
from aino.nn import init
from aino.nn.base.module import TensorModule
from aino.nn.base.parameter import Parameter, empty_parameter
from aino.nn.modules.activation_names import ACTIVATIONS, JOINT, RECTIFIERS, check_activation
from aino.nn.modules.batchnorm import BatchNorm1d

__all__ = ["Perceptron", "Layer"]


class _Row(Parameter):
    """Row ``index`` of a layer's parameter: the same memory, the same gradient."""

    def __init__(self, whole: Parameter, index: int) -> None:
        self.whole = whole
        self.index = index
        self._node: Any = None
        self.view_of = View(whole, getitem, ((index, ...),))

    @property
    def node(self) -> Any:  # type: ignore[override]
        """The way to the layer's gradient: recorded anew when a backward pass has used it up."""
        leaf, node = self.whole.node, self._node
        if leaf is None:
            return None
        if node is None or node.saved is None or node.inputs[0] is not leaf:
            with enable_grad():
                node = self._node = getitem(self.whole, (self.index, ...)).node
        return node

    @property
    def array(self) -> Any:
        return self.whole.array[self.index, ...]

    @array.setter
    def array(self, value: Any) -> None:
        row = self.whole.array[self.index, ...]
        np.copyto(row, value)
        stamp_write(row)

    @property
    def grad_fn(self) -> None:
        return None

    @property
    def grad(self) -> Tensor | None:
        gradient = self.whole.grad
        return None if gradient is None else make(gradient.array[self.index, ...])

    @grad.setter
    def grad(self, gradient: Tensor | None) -> None:
        if self.whole.grad is None:
            if gradient is None:
                return
            self.whole.grad = make(np.zeros_like(self.whole.array))
        row = self.grad
        assert row is not None
        if gradient is not None and gradient.array.shape != row.array.shape:
            raise ShapeError(
                f"a gradient of shape {gradient.array.shape} was assigned to a row of shape "
                f"{row.array.shape}"
            )
        row.array[...] = 0 if gradient is None else gradient.array
        stamp_write(row.array)

    def requires_grad_(self, requires_grad: bool = True) -> Any:
        if requires_grad != self.requires_grad:
            raise GradientError(
                "a perceptron of a layer is frozen with its layer: layer.requires_grad_(False)"
            )
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Parameter:
        return Parameter(self.array.copy(), self.requires_grad)

    def __reduce_ex__(self, protocol: Any):
        return Parameter, (self.array.copy(), self.requires_grad)


class Perceptron(TensorModule):
    """One neuron: y = φ(w · x + b).

    ``weight`` w (in_features,) and ``bias`` b () start as in a `Layer`. Input (..., in_features),
    output (...). Raises ``ValueError`` for an unknown activation, and says which was probably
    meant.

    Arguments:
        in_features: how many numbers a sample has.
        activation: the name of φ: "sigmoid", "tanh", "relu", ..., or "linear".
        bias: add b; without it ``bias`` is None.
        device: where the parameters are; there is only the CPU.
        dtype: of the parameters; the default dtype for None.

    Source: Rosenblatt, "The perceptron", 1958.

    >>> import aino
    >>> neuron = aino.nn.Perceptron(2, "tanh")
    >>> neuron(aino.zeros(5, 2)).shape
    aino.Size([5])
    """

    weight: Parameter
    bias: Parameter | None
    #: Whether it is one of a layer with ``batch_norm``.
    normalised = False

    def __init__(
        self,
        in_features: int,
        activation: str | None = "sigmoid",
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.activation = check_activation(activation)
        self.in_features = in_features
        self.weight = empty_parameter((in_features,), device, dtype)
        self.bias = empty_parameter((), device, dtype) if bias else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw weight and bias anew, as ``Layer`` does."""
        _reset(self)

    def forward(self, input: Tensor) -> Tensor:
        """Return φ(w · x + b)."""
        if self.activation in JOINT:
            raise ValueError(f"{self.activation} looks at all neurons of a layer, not at one")
        if self.normalised:
            raise ValueError("the sums of this layer's neurons are normalised: call the layer")
        return ACTIVATIONS[self.activation](F.linear(input, self.weight, self.bias))

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, check_activation(value) if name == "activation" else value)

    def extra_repr(self) -> str:
        return f"in_features={self.in_features}, activation={self.activation!r}" + (
            "" if self.bias is not None else ", bias=False"
        )


class Layer(TensorModule):
    """Perceptrons side by side, computed at once: y = φ(x Wᵀ + b).

    With ``batch_norm`` the sums are brought to mean 0 and variance 1 over the batch before φ, and
    with ``dropout`` some of the outputs are set to 0 while training.

    ``weight`` W (out_features, in_features), ``bias`` b (out_features,). Input (..., in_features),
    output (..., out_features). ``layer[i]`` is neuron i, a `Perceptron` that shares row i: write to
    one, and the other changes. For rectifiers the weights start in U(-√(6/n), √(6/n)) with n the
    number of inputs, else in U(-1/√n, 1/√n), as the biases always do. Raises ``ValueError`` for an
    unknown activation, and says which was probably meant, and for a dropout outside [0, 1].

    Arguments:
        in_features: how many numbers a sample has.
        out_features: how many neurons there are.
        activation: the name of φ: "sigmoid", "tanh", "relu", ..., or "linear".
        bias: add b; without it ``bias`` is None.
        device: where the parameters are; there is only the CPU.
        dtype: of the parameters; the default dtype for None.
        dropout: the probability that an output is set to 0 while training.
        batch_norm: normalise the sums over the batch; ``norm`` is a ``BatchNorm1d`` then.

    Source of the rectifiers' weights: He et al., "Delving deep into rectifiers", 2015.

    >>> import aino
    >>> layer = aino.nn.Layer(2, 3, "tanh")
    >>> layer
    Layer(in_features=2, out_features=3, activation='tanh')
    >>> layer[0].weight.shape
    aino.Size([2])
    """

    weight: Parameter
    bias: Parameter | None
    #: What layers of older files have.
    dropout = 0.0
    norm: BatchNorm1d | None = None

    def __init__(
        self,
        in_features: int,
        out_features: int,
        activation: str | None = "sigmoid",
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        dropout: float = 0.0,
        batch_norm: bool = False,
    ) -> None:
        super().__init__()
        self.activation = check_activation(activation)
        self.dropout = check_dropout(dropout)
        self.in_features = in_features
        self.out_features = out_features
        self.weight = empty_parameter((out_features, in_features), device, dtype)
        self.bias = empty_parameter((out_features,), device, dtype) if bias else None
        self.norm = BatchNorm1d(out_features, device=device, dtype=dtype) if batch_norm else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw weight and bias anew; let a normalisation begin anew."""
        _reset(self)
        if self.norm is not None:
            self.norm.reset_parameters()

    def forward(self, input: Tensor) -> Tensor:
        """Return φ(x Wᵀ + b)."""
        sums = F.linear(input, self.weight, self.bias)
        if self.norm is not None:
            sums = self.norm(sums)
        outputs = ACTIVATIONS[self.activation](sums)
        if self.dropout and self.training:
            return F.dropout(outputs, self.dropout)
        return outputs

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, check_activation(value) if name == "activation" else value)

    @property
    def perceptrons(self) -> Perceptrons:
        """The neurons of the layer, as a sequence."""
        return Perceptrons(self)

    def __len__(self) -> int:
        return self.out_features

    def __getitem__(self, index: Any) -> Any:
        return self.perceptrons[index]

    def __iter__(self) -> Iterator[Perceptron]:
        return iter(self.perceptrons)

    def extra_repr(self) -> str:
        return (
            f"in_features={self.in_features}, out_features={self.out_features}, "
            f"activation={self.activation!r}"
            + ("" if self.bias is not None else ", bias=False")
            + (f", dropout={self.dropout}" if self.dropout else "")
        )


class Perceptrons(Sequence):
    """The neurons of a layer; each shares its row with the layer."""

    def __init__(self, layer: Layer) -> None:
        self._layer = layer

    def __len__(self) -> int:
        return self._layer.out_features

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self[position] for position in range(len(self))[index]]
        layer = self._layer
        position = range(len(self))[index]
        neuron = Perceptron.__new__(Perceptron, layer.in_features, layer.activation)
        own = vars(neuron)
        own["activation"] = layer.activation
        own["normalised"] = layer.norm is not None
        own["in_features"] = layer.in_features
        own["weight"] = _Row(layer.weight, position)
        own["bias"] = None if layer.bias is None else _Row(layer.bias, position)
        return neuron

    def __repr__(self) -> str:
        return f"[{', '.join(map(repr, self))}]"


def check_dropout(p: Any) -> float:
    """Return a probability that an output is dropped; ``ValueError`` for what is none."""
    if isinstance(p, bool) or not isinstance(p, (int, float)) or not 0.0 <= p <= 1.0:
        raise ValueError(f"dropout is a probability, from 0 to 1, not {p!r}")
    return float(p)


def _reset(module: Perceptron | Layer) -> None:
    inputs = module.in_features
    bound = 1.0 / math.sqrt(inputs) if inputs > 0 else 0.0
    gain = math.sqrt(6.0) if module.activation in RECTIFIERS else 1.0
    init.uniform_(module.weight, -gain * bound, gain * bound)
    if module.bias is not None:
        init.uniform_(module.bias, -bound, bound)
