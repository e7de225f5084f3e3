"""Recurrent layers: RNN, GRU and LSTM, one or both ways along the time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from aino.autograd.tensor import Tensor
from aino.errors import OnnxError
from aino.nn import functional as F
from aino.onnx.importing.operators.index import reverse_sequence
from aino.onnx.importing.table import Ints, operator
from aino.ops.pointwise.choosing import where
from aino.ops.shape.joining import stack

Activation = Callable[[Tensor], Tensor]
#: Activations by their lower-case names, with the usual values of alpha and beta.
_ACTIVATIONS: dict[str, tuple[Callable[..., Tensor], float, float]] = {
    "relu": (lambda x, a, b: x.relu(), 0, 0),
    "tanh": (lambda x, a, b: x.tanh(), 0, 0),
    "sigmoid": (lambda x, a, b: x.sigmoid(), 0, 0),
    "softsign": (lambda x, a, b: F.softsign(x), 0, 0),
    "softplus": (lambda x, a, b: F.softplus(x), 0, 0),
    "affine": (lambda x, a, b: x * a + b, 1, 0),
    "leakyrelu": (lambda x, a, b: F.leaky_relu(x, a), 0.01, 0),
    "thresholdedrelu": (lambda x, a, b: where(x > a, x, x * 0), 1, 0),
    "scaledtanh": (lambda x, a, b: (x * b).tanh() * a, 1, 1),
    "hardsigmoid": (lambda x, a, b: (x * a + b).clamp(0, 1), 0.2, 0.5),
    "elu": (lambda x, a, b: F.elu(x, a), 1, 0),
}


def _activations(
    names: list[str], alphas: list[float] | None, betas: list[float] | None
) -> list[Activation]:
    """Return activations by their names, each with the numbers that are given for it."""
    alpha, beta = iter(alphas or ()), iter(betas or ())
    found: list[Activation] = []
    for name in names:
        if name.lower() not in _ACTIVATIONS:
            raise OnnxError(f"the activation {name!r} is none of those that ONNX names")
        function, a, b = _ACTIVATIONS[name.lower()]
        found.append(_bound(function, next(alpha, a) if a else a, next(beta, b) if b else b))
    return found


def _bound(function: Callable[..., Tensor], a: float, b: float) -> Activation:
    return lambda x: function(x, a, b)


class _Layer:
    """What the three have in common: directions, lengths, and the order of the dimensions."""

    def __init__(
        self,
        X: Tensor,
        R: Tensor,
        gates: int,
        direction: str,
        layout: int,
        sequence_lens: list[int] | None,
        clip: float | None,
    ) -> None:
        self.x = X.transpose(0, 1) if layout else X
        self.layout, self.gates = layout, gates
        self.hidden = R.shape[-1]
        self.backward = {"forward": [False], "reverse": [True], "bidirectional": [False, True]}.get(
            direction, []
        )
        if len(self.backward) != R.shape[0]:
            raise OnnxError(f"{direction!r} does not fit weights for {R.shape[0]} directions")
        self.time, self.batch = self.x.shape[:2]
        self.lengths = sequence_lens
        if sequence_lens is not None and all(n == self.time for n in sequence_lens):
            self.lengths = None
        self.clip = clip

    def start(self, given: Tensor | None, number: int) -> Tensor:
        """Return the state that a direction begins with."""
        if given is None:
            return Tensor(np.zeros((self.batch, self.hidden), self.x.dtype))
        return given[:, number] if self.layout else given[number]

    def clipped(self, x: Tensor) -> Tensor:
        """Return what goes into an activation."""
        return x if self.clip is None else x.clamp(-self.clip, self.clip)

    def turned(self, x: Tensor, number: int) -> Tensor:
        """Return a sequence in the order of a direction: each as long as it is."""
        if not self.backward[number]:
            return x
        if self.lengths is None:
            return x.flip(0)
        return reverse_sequence(x, self.lengths, batch_axis=1, time_axis=0)

    def run(
        self, number: int, inputs: Tensor, states: list[Tensor], cell: Callable[..., list[Tensor]]
    ) -> tuple[Tensor, list[Tensor]]:
        """Return all outputs of a direction and its last states.

        Arguments:
            number: the direction.
            inputs: what each turn is given, in the order of the time.
            states: what it begins with.
            cell: ``cell(input, *states)`` gives new states, the output first.
        """
        results = []
        for turn, given in enumerate(self.turned(inputs, number).unbind(0)):
            new = cell(given, *states)
            if self.lengths is None:
                states = new
                results.append(new[0])
            else:
                inside = Tensor(np.array([turn < n for n in self.lengths]).reshape(-1, 1))
                states = [where(inside, one, other) for one, other in zip(new, states)]
                results.append(where(inside, new[0], new[0] * 0))
        return self.turned(stack(results), number), states

    def outputs(self, y: list[Tensor], last: list[list[Tensor]], count: int) -> tuple[Any, ...]:
        """Return what the node gives: all outputs, then the last states."""
        whole = stack(y, 1)  # time, directions, batch, hidden
        ends = [stack(list(parts)) for parts in zip(*last)]
        if self.layout:
            whole = whole.permute(2, 0, 1, 3)
            ends = [end.transpose(0, 1) for end in ends]
        return (whole, *ends)[:count]


def _split_bias(B: Tensor | None, number: int, size: int) -> tuple[Any, Any]:
    if B is None:
        return 0, 0
    return B[number, :size], B[number, size:]


@operator("RNN", 7)
def rnn(
    X: Tensor,
    W: Tensor,
    R: Tensor,
    B: Tensor | None = None,
    sequence_lens: Ints | None = None,
    initial_h: Tensor | None = None,
    *,
    activation_alpha: list[float] | None = None,
    activation_beta: list[float] | None = None,
    activations: list[str] | None = None,
    clip: float | None = None,
    direction: str,
    hidden_size: int | None = None,
    layout: int = 0,
    outputs: int,
) -> tuple[Any, ...]:
    layer = _Layer(X, R, 1, direction, layout, sequence_lens, clip)
    count = len(layer.backward)
    chosen = _activations(activations or ["Tanh"] * count, activation_alpha, activation_beta)
    y, last = [], []
    for number in range(count):
        w_bias, r_bias = _split_bias(B, number, layer.hidden)
        recurrent, f = R[number].mT, chosen[number]

        def cell(x: Tensor, h: Tensor, recurrent=recurrent, f=f) -> list[Tensor]:
            return [f(layer.clipped(x + h.matmul(recurrent)))]

        inputs = layer.x.matmul(W[number].mT) + (w_bias + r_bias)
        results, states = layer.run(number, inputs, [layer.start(initial_h, number)], cell)
        y.append(results)
        last.append(states)
    return layer.outputs(y, last, outputs)


@operator("GRU", 7)
def gru(
    X: Tensor,
    W: Tensor,
    R: Tensor,
    B: Tensor | None = None,
    sequence_lens: Ints | None = None,
    initial_h: Tensor | None = None,
    *,
    activation_alpha: list[float] | None = None,
    activation_beta: list[float] | None = None,
    activations: list[str] | None = None,
    clip: float | None = None,
    direction: str,
    hidden_size: int | None = None,
    layout: int = 0,
    linear_before_reset: int = 0,
    outputs: int,
) -> tuple[Any, ...]:
    layer = _Layer(X, R, 3, direction, layout, sequence_lens, clip)
    size, count = layer.hidden, len(layer.backward)
    names = activations or ["Sigmoid", "Tanh"] * count
    chosen = _activations(names, activation_alpha, activation_beta)
    y, last = [], []
    for number in range(count):
        w_bias, r_bias = _split_bias(B, number, 3 * size)
        gates, candidate = R[number, : 2 * size].mT, R[number, 2 * size :].mT
        both, third = (0, 0) if B is None else (r_bias[: 2 * size], r_bias[2 * size :])
        f, g = chosen[2 * number : 2 * number + 2]

        def cell(
            x: Tensor, h: Tensor, gates=gates, candidate=candidate, both=both, third=third, f=f, g=g
        ) -> list[Tensor]:
            zr = f(layer.clipped(x[:, : 2 * size] + h.matmul(gates) + both))
            z, r = zr[:, :size], zr[:, size:]
            if linear_before_reset:
                inner = r * (h.matmul(candidate) + third)
            else:
                inner = (r * h).matmul(candidate) + third
            new = g(layer.clipped(x[:, 2 * size :] + inner))
            return [(1 - z) * new + z * h]

        inputs = layer.x.matmul(W[number].mT) + w_bias
        results, states = layer.run(number, inputs, [layer.start(initial_h, number)], cell)
        y.append(results)
        last.append(states)
    return layer.outputs(y, last, outputs)


@operator("LSTM", 7)
def lstm(
    X: Tensor,
    W: Tensor,
    R: Tensor,
    B: Tensor | None = None,
    sequence_lens: Ints | None = None,
    initial_h: Tensor | None = None,
    initial_c: Tensor | None = None,
    P: Tensor | None = None,
    *,
    activation_alpha: list[float] | None = None,
    activation_beta: list[float] | None = None,
    activations: list[str] | None = None,
    clip: float | None = None,
    direction: str,
    hidden_size: int | None = None,
    input_forget: int = 0,
    layout: int = 0,
    outputs: int,
) -> tuple[Any, ...]:
    layer = _Layer(X, R, 4, direction, layout, sequence_lens, clip)
    size, count = layer.hidden, len(layer.backward)
    names = activations or ["Sigmoid", "Tanh", "Tanh"] * count
    chosen = _activations(names, activation_alpha, activation_beta)
    y, last = [], []
    for number in range(count):
        w_bias, r_bias = _split_bias(B, number, 4 * size)
        recurrent = R[number].mT
        peepholes: Any = (0, 0, 0) if P is None else P[number].split(size)
        f, g, h = chosen[3 * number : 3 * number + 3]

        def cell(
            x: Tensor, hidden: Tensor, c: Tensor, recurrent=recurrent, peepholes=peepholes,
            f=f, g=g, h=h,
        ) -> list[Tensor]:  # fmt: skip
            gates = x + hidden.matmul(recurrent)
            into, out, forget, candidate = gates.split(size, 1)
            peep_i, peep_o, peep_f = peepholes
            i = f(layer.clipped(into + peep_i * c))
            keep = 1 - i if input_forget else f(layer.clipped(forget + peep_f * c))
            new = keep * c + i * g(layer.clipped(candidate))
            return [f(layer.clipped(out + peep_o * new)) * h(new), new]

        inputs = layer.x.matmul(W[number].mT) + (w_bias + r_bias)
        start = [layer.start(initial_h, number), layer.start(initial_c, number)]
        results, states = layer.run(number, inputs, start, cell)
        y.append(results)
        last.append(states)
    return layer.outputs(y, last, outputs)
