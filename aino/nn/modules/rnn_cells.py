"""The cells of recurrent layers, which go one step: RNNCell, LSTMCell and GRUCell."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from aino.autograd.tensor import Tensor, make
from aino.errors import ArgumentError, ShapeError
from aino.nn import init
from aino.nn.base.module import Module
from aino.nn.base.parameter import empty_parameter
from aino.nn.functional import recurrent

__all__ = ["GRUCell", "LSTMCell", "RNNCell", "RNNCellBase"]


class RNNCellBase(Module):
    """The base of recurrent cells: their parameters, and what they check.

    Arguments:
        input_size: how many features an input has.
        hidden_size: how many numbers a state has.
        bias: add vectors b.
        num_chunks: how many gates there are.
        device: where the parameters are; there is only the CPU.
        dtype: of the parameters; the default dtype for None.
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool,
        num_chunks: int,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.bias = bias
        rows = num_chunks * hidden_size
        self.weight_ih = empty_parameter((rows, input_size), device, dtype)
        self.weight_hh = empty_parameter((rows, hidden_size), device, dtype)
        self.bias_ih = empty_parameter((rows,), device, dtype) if bias else None
        self.bias_hh = empty_parameter((rows,), device, dtype) if bias else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw all parameters anew from U(-1/√hidden, 1/√hidden)."""
        bound = 1.0 / math.sqrt(self.hidden_size) if self.hidden_size > 0 else 0.0
        for parameter in self.parameters():
            init.uniform_(parameter, -bound, bound)

    def _weights(self) -> tuple:
        return self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh

    def _states(self, input: Tensor, hx: Sequence[Tensor] | None, count: int) -> tuple:
        """Return the input and the states with a dimension for the batch; zeros for none."""
        kind = type(self).__name__
        if input.dim() not in (1, 2):
            raise ShapeError(f"{kind}: Expected input to be 1D or 2D, got {input.dim()}D instead")
        batched = input.dim() == 2
        if not batched:
            input = input.unsqueeze(0)
        if hx is None:
            zeros = make(np.zeros((input.shape[0], self.hidden_size), input.array.dtype))
            return input, [zeros] * count
        for state in hx:
            if state.dim() not in (1, 2):
                raise ShapeError(
                    f"{kind}: Expected hidden to be 1D or 2D, got {state.dim()}D instead"
                )
        return input, [state if batched else state.unsqueeze(0) for state in hx]

    def extra_repr(self) -> str:
        text = f"{self.input_size}, {self.hidden_size}"
        return text if self.bias is True else f"{text}, bias={self.bias}"


class RNNCell(RNNCellBase):
    """One step of a recurrent layer: h' = tanh(W x + b + U h + b'), or relu of that.

    ``weight_ih`` W (hidden, input), ``weight_hh`` U (hidden, hidden), ``bias_ih`` and ``bias_hh``
    (hidden,) start in U(-1/√hidden, 1/√hidden). Input (batch, input) or (input,), state and output
    (batch, hidden) or (hidden,); ``ShapeError`` for others.

    Arguments:
        input_size: how many features an input has.
        hidden_size: how many numbers a state has.
        bias: add b and b'.
        nonlinearity: "tanh" or "relu".
        device: where the parameters are; there is only the CPU.
        dtype: of the parameters; the default dtype for None.

    >>> import aino
    >>> aino.nn.RNNCell(3, 4)(aino.zeros(2, 3)).shape
    aino.Size([2, 4])
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        nonlinearity: str = "tanh",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 1, device, dtype)
        self.nonlinearity = nonlinearity

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        """Return the new state."""
        if self.nonlinearity not in ("tanh", "relu"):
            raise ArgumentError(f"Unknown nonlinearity: {self.nonlinearity}")
        step = getattr(recurrent, f"rnn_{self.nonlinearity}_cell")
        x, (h,) = self._states(input, None if hx is None else [hx], 1)
        y = step(x, h, *self._weights())
        return y if input.dim() == 2 else y.squeeze(0)

    def extra_repr(self) -> str:
        text = super().extra_repr()
        if self.nonlinearity == "tanh":
            return text
        return f"{text}, nonlinearity={self.nonlinearity}"


class LSTMCell(RNNCellBase):
    """One step of an LSTM: c' = σ(f) c + σ(i) tanh(g), h' = σ(o) tanh(c').

    The sums i, f, g, o = W x + b + U h + b' stand one after the other in the rows of ``weight_ih``
    W (4 hidden, input), ``weight_hh`` U (4 hidden, hidden), ``bias_ih`` and ``bias_hh``
    (4 hidden,), which start in U(-1/√hidden, 1/√hidden). Input (batch, input) or (input,), state
    and cell (batch, hidden) or (hidden,); ``ShapeError`` for others. Returns the pair (h', c').

    Arguments:
        input_size: how many features an input has.
        hidden_size: how many numbers a cell has.
        bias: add b and b'.
        device: where the parameters are; there is only the CPU.
        dtype: of the parameters; the default dtype for None.

    >>> import aino
    >>> h, c = aino.nn.LSTMCell(3, 4)(aino.zeros(2, 3))
    >>> h.shape
    aino.Size([2, 4])
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 4, device, dtype)

    def forward(
        self, input: Tensor, hx: tuple[Tensor, Tensor] | None = None
    ) -> tuple[Tensor, Tensor]:
        """Return the new state and the new cell."""
        x, states = self._states(input, hx, 2)
        h, c = recurrent.lstm_cell(x, states, *self._weights())
        return (h, c) if input.dim() == 2 else (h.squeeze(0), c.squeeze(0))


class GRUCell(RNNCellBase):
    """One step of a GRU: n = tanh(W x + b + σ(r) (U h + b')), h' = n + σ(z) (h - n).

    The sums r and z of W x + b + U h + b' and the two parts of n stand one after the other in the
    rows of ``weight_ih`` W (3 hidden, input), ``weight_hh`` U (3 hidden, hidden), ``bias_ih`` and
    ``bias_hh`` (3 hidden,), which start in U(-1/√hidden, 1/√hidden). Input (batch, input) or
    (input,), state and output (batch, hidden) or (hidden,); ``ShapeError`` for others.

    Arguments:
        input_size: how many features an input has.
        hidden_size: how many numbers a state has.
        bias: add b and b'.
        device: where the parameters are; there is only the CPU.
        dtype: of the parameters; the default dtype for None.

    >>> import aino
    >>> aino.nn.GRUCell(3, 4)(aino.zeros(2, 3)).shape
    aino.Size([2, 4])
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 3, device, dtype)

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        """Return the new state."""
        x, (h,) = self._states(input, None if hx is None else [hx], 1)
        y = recurrent.gru_cell(x, h, *self._weights())
        return y if input.dim() == 2 else y.squeeze(0)
