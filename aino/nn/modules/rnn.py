"""Recurrent layers: RNN, LSTM and GRU over sequences."""

from __future__ import annotations

import math
import numbers
from collections.abc import Sequence
from typing import Any

import numpy as np

from aino.autograd.tensor import Tensor, make
from aino.errors import ArgumentError, ShapeError
from aino.nn import init
from aino.nn.base.module import Module
from aino.nn.base.parameter import empty_parameter
from aino.nn.functional import recurrent
from aino.nn.utils.rnn import PackedSequence
from aino.user_warnings import warn

__all__ = ["GRU", "LSTM", "RNN", "RNNBase"]

#: Each mode with the function that computes it, and how many gates it has.
_MODES = {"LSTM": ("lstm", 4), "GRU": ("gru", 3), "RNN_TANH": ("rnn_tanh", 1),
          "RNN_RELU": ("rnn_relu", 1)}  # fmt: skip


class RNNBase(Module):
    """The base of recurrent layers: their parameters, and what they check.

    Arguments:
        mode: "LSTM", "GRU", "RNN_TANH" or "RNN_RELU".
        input_size: how many features an element of the input has.
        hidden_size: how many numbers a state has.
        num_layers: how many layers stand on one another.
        bias: add vectors b.
        batch_first: input and output are (batch, steps, features).
        dropout: how probable it is that an output of a layer but the last is dropped.
        bidirectional: go over the sequence from its end, too.
        proj_size: how many numbers the state of an LSTM is projected to; 0 projects nothing.
        device: where the parameters are; there is only the CPU.
        dtype: of the parameters; the default dtype for None.
    """

    def __init__(
        self,
        mode: str,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        if mode not in _MODES:
            raise ArgumentError(f"Unrecognized RNN mode: {mode}")
        _check_settings(locals())
        self.mode = mode
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.bias = bias
        self.batch_first = batch_first
        self.dropout = float(dropout)
        self.bidirectional = bidirectional
        self.proj_size = proj_size
        rows = _MODES[mode][1] * hidden_size
        state_size = proj_size or hidden_size
        directions = 2 if bidirectional else 1
        self._all_weights: list[list[str]] = []
        for layer in range(num_layers):
            width = input_size if layer == 0 else state_size * directions
            for suffix in ("", "_reverse")[:directions]:
                shapes: dict[str, tuple[int, ...]] = {
                    "weight_ih": (rows, width),
                    "weight_hh": (rows, state_size),
                }
                if bias:
                    shapes |= {"bias_ih": (rows,), "bias_hh": (rows,)}
                if proj_size:
                    shapes["weight_hr"] = (proj_size, hidden_size)
                names = {f"{name}_l{layer}{suffix}": shape for name, shape in shapes.items()}
                for name, shape in names.items():
                    setattr(self, name, empty_parameter(shape, device, dtype))
                self._all_weights.append(list(names))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw all parameters anew from U(-1/√hidden, 1/√hidden)."""
        bound = 1.0 / math.sqrt(self.hidden_size)
        for parameter in self.parameters():
            init.uniform_(parameter, -bound, bound)

    @property
    def all_weights(self) -> list[list[Any]]:
        """The parameters of each layer and direction."""
        return [[getattr(self, name) for name in names] for names in self._all_weights]

    @property
    def _flat_weights_names(self) -> list[str]:
        return [name for names in self._all_weights for name in names]

    @property
    def _flat_weights(self) -> list[Any]:
        return [getattr(self, name) for name in self._flat_weights_names]

    @_flat_weights.setter
    def _flat_weights(self, weights: Sequence[Any]) -> None:
        for name, weight in zip(self._flat_weights_names, weights, strict=True):
            setattr(self, name, weight)

    def flatten_parameters(self) -> None:
        """Do nothing: where parameters lie in memory makes no difference here."""

    def check_input(self, input: Tensor, batch_sizes: Tensor | None) -> None:
        """Raise where an input has another dtype than the weights, or another shape.

        Arguments:
            input: what the layer is to read.
            batch_sizes: how many samples each step of a packed sequence has; None for others.
        """
        own = self._flat_weights[0].dtype
        if input.dtype != own:
            raise ArgumentError(
                f"RNN input dtype ({input.dtype}) does not match weight dtype ({own}). Convert "
                f"input: input.to({own}), or convert model: model.to({input.dtype})"
            )
        expected = 2 if batch_sizes is not None else 3
        if input.dim() != expected:
            raise ShapeError(f"input must have {expected} dimensions, got {input.dim()}")
        if input.shape[-1] != self.input_size:
            raise ShapeError(
                f"input.size(-1) must be equal to input_size. Expected {self.input_size}, got "
                f"{input.shape[-1]}"
            )

    def _expected(self, batch: int, size: int) -> tuple[int, int, int]:
        return self.num_layers * (2 if self.bidirectional else 1), batch, size

    def check_hidden_size(
        self,
        hx: Tensor,
        expected_hidden_size: tuple[int, int, int],
        msg: str = "Expected hidden size {}, got {}",
    ) -> None:
        """Raise where a state has another shape.

        Arguments:
            hx: the state.
            expected_hidden_size: the shape that it should have.
            msg: what the error says, with places for both shapes.
        """
        if tuple(hx.shape) != expected_hidden_size:
            raise ShapeError(msg.format(expected_hidden_size, list(hx.shape)))

    def permute_hidden(self, hx: Any, permutation: Tensor | None) -> Any:
        """Return states in another order of the samples; as they are for None.

        Arguments:
            hx: a state, or several.
            permutation: the place of each sample in the batch that is read.
        """
        if permutation is None:
            return hx
        if isinstance(hx, (tuple, list)):
            return tuple([state.index_select(1, permutation) for state in hx])
        return hx.index_select(1, permutation)

    def _check_states(self, states: list, batch: int) -> None:
        """Raise where a state has another shape."""
        self.check_hidden_size(states[0], self._expected(batch, self.proj_size or self.hidden_size))

    def _states(self, input: Tensor, hx: Any, batch: int) -> list:
        """Return the first states, zeros where none were given."""
        if hx is None:
            shape = self._expected(batch, self.proj_size or self.hidden_size)
            return [make(np.zeros(shape, input.array.dtype))]
        return [hx]

    def _groups(self) -> list[list[Any]]:
        groups = recurrent.grouped(self._flat_weights, self.bias, bool(self.proj_size))
        if self.mode == "LSTM" and not self.proj_size:
            return [[*group, None] for group in groups]
        return groups

    def _run(self, input: Any, hx: Any) -> tuple[Any, list]:
        """Return the output and the last states, all as the input is: packed, batched or not."""
        settings = (self.num_layers, self.dropout, self.training, self.bidirectional)
        name = _MODES[self.mode][0]
        if isinstance(input, PackedSequence):
            data, batch_sizes, order, back = input
            sizes = recurrent.sizes_of(batch_sizes)
            hx = None if hx is None else self.permute_hidden(hx, order)
            states = self._states(data, hx, sizes[0])
            self.check_input(data, batch_sizes)
            self._check_states(states, sizes[0])
            rows, *last = recurrent.layers(name, data, sizes, states, self._groups(), *settings)
            packed = PackedSequence(rows, batch_sizes, order, back)
            return packed, [self.permute_hidden(state, back) for state in last]
        if input.dim() not in (2, 3):
            kind = type(self).__name__
            raise ShapeError(f"{kind}: Expected input to be 2D or 3D, got {input.dim()}D instead")
        batched, batch_dim = input.dim() == 3, 0 if self.batch_first else 1
        if hx is not None:
            hx = self._with_batch(hx, batched)
        if not batched:
            input = input.unsqueeze(batch_dim)
        batch = input.shape[batch_dim]
        states = self._states(input, hx, batch)
        self.check_input(input, None)
        self._check_states(states, batch)
        y, *last = recurrent.over_sequence(
            name, input, states, self._groups(), self.batch_first, *settings
        )
        if batched:
            return y, last
        return y.squeeze(batch_dim), [state.squeeze(1) for state in last]

    def _with_batch(self, hx: Any, batched: bool) -> Any:
        """Return a state with a dimension for the batch."""
        if hx.dim() != (3 if batched else 2):
            kind, dims = ("batched", 3) if batched else ("unbatched", 2)
            raise ShapeError(
                f"For {kind} {dims}-D input, hx should also be {dims}-D but got {hx.dim()}-D tensor"
            )
        return hx if batched else hx.unsqueeze(1)

    def forward(self, input: Any, hx: Any = None) -> tuple[Any, Any]:
        """Return the outputs of the last layer, and the last states of all."""
        y, (last,) = self._run(input, hx)
        return y, last

    def extra_repr(self) -> str:
        text = f"{self.input_size}, {self.hidden_size}"
        usual = {"proj_size": 0, "num_layers": 1, "bias": True, "batch_first": False,
                 "dropout": 0, "bidirectional": False}  # fmt: skip
        for name, value in usual.items():
            if getattr(self, name) != value:
                text += f", {name}={getattr(self, name)}"
        return text


def _check_settings(given: dict[str, Any]) -> None:
    """Raise where an argument of a constructor can't be what it is."""
    dropout = given["dropout"]
    number = isinstance(dropout, numbers.Number) and not isinstance(dropout, bool)
    if not number or not 0 <= dropout <= 1:
        raise ArgumentError(
            "dropout should be a number in range [0, 1] representing the probability of an "
            f"element being zeroed, got {dropout!r}"
        )
    if dropout > 0 and given["num_layers"] == 1:
        warn(
            "dropout option adds dropout after all but last recurrent layer, so non-zero dropout "
            f"expects num_layers greater than 1, but got dropout={dropout} and num_layers=1"
        )
    for name in ("bias", "batch_first"):
        if not isinstance(given[name], bool):
            kind = type(given[name]).__name__
            raise TypeError(f"{name} should be of type bool, got: {kind}")
    for name in ("input_size", "hidden_size"):
        if not isinstance(given[name], int):
            raise TypeError(f"{name} should be of type int, got: {type(given[name]).__name__}")
    for name in ("input_size", "hidden_size", "num_layers"):
        if given[name] <= 0:
            raise ArgumentError(f"{name} must be greater than zero, got {given[name]}")
    if given["proj_size"] < 0:
        raise ArgumentError(
            "proj_size should be a positive integer or zero to disable projections, got "
            f"{given['proj_size']}"
        )
    if given["proj_size"] >= given["hidden_size"]:
        raise ArgumentError(
            f"proj_size has to be smaller than hidden_size, got {given['proj_size']} and "
            f"{given['hidden_size']}"
        )


def _no_projection(kind: str, proj_size: int) -> None:
    if proj_size:
        raise ArgumentError(f"proj_size argument is only supported for LSTM, not {kind}")


class RNN(RNNBase):
    """A recurrent layer: hₜ = tanh(W xₜ + b + U hₜ₋₁ + b'), or relu of that.

    All parameters start in U(-1/√hidden, 1/√hidden): ``weight_ih_l0`` W (hidden, input),
    ``weight_hh_l0`` U (hidden, hidden), ``bias_ih_l0`` and ``bias_hh_l0`` (hidden,), and so on for
    each layer, with ``_reverse`` for the other direction. Input (steps, batch, input), (batch,
    steps, input) where ``batch_first``, (steps, input), or a ``PackedSequence``. Returns the
    outputs (steps, batch, directions · hidden) and the last states (layers · directions, batch,
    hidden). Raises ``ShapeError`` for an input or states of other shapes.

    Arguments:
        input_size: how many features an element of the input has.
        hidden_size: how many numbers a state has.
        num_layers: how many layers stand on one another.
        nonlinearity: "tanh" or "relu".
        bias: add b and b'.
        batch_first: input and output are (batch, steps, features).
        dropout: how probable it is that an output of a layer but the last is dropped.
        bidirectional: go over the sequence from its end, too.
        proj_size: 0; an LSTM alone projects its states.
        device: where the parameters are; there is only the CPU.
        dtype: of the parameters; the default dtype for None.

    Source: Elman, "Finding structure in time", 1990.

    >>> import aino
    >>> y, h = aino.nn.RNN(3, 4)(aino.zeros(5, 2, 3))
    >>> y.shape, h.shape
    (aino.Size([5, 2, 4]), aino.Size([1, 2, 4]))
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        nonlinearity: str = "tanh",
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        _no_projection("RNN or GRU", proj_size)
        if nonlinearity not in ("tanh", "relu"):
            raise ArgumentError(
                f"Unknown nonlinearity {str(nonlinearity)!r}. Select from 'tanh' or 'relu'."
            )
        super().__init__(
            f"RNN_{nonlinearity.upper()}", input_size, hidden_size, num_layers, bias, batch_first,
            dropout, bidirectional, 0, device, dtype,
        )  # fmt: skip
        self.nonlinearity = nonlinearity


class LSTM(RNNBase):
    """Long short-term memory: cₜ = σ(f) cₜ₋₁ + σ(i) tanh(g), hₜ = σ(o) tanh(cₜ).

    The sums i, f, g, o = W xₜ + b + U hₜ₋₁ + b' stand one after the other in the rows of
    ``weight_ih_l0`` W (4 hidden, input), ``weight_hh_l0`` U (4 hidden, hidden), ``bias_ih_l0`` and
    ``bias_hh_l0`` (4 hidden,), and so on for each layer, with ``_reverse`` for the other
    direction; ``weight_hr_l0`` (proj, hidden) projects hₜ where ``proj_size`` is given. All start
    in U(-1/√hidden, 1/√hidden). Input (steps, batch, input), (batch, steps, input) where
    ``batch_first``, (steps, input), or a ``PackedSequence``. Returns the outputs (steps, batch,
    directions · hidden), and the pair of the last states and the last cells (layers · directions,
    batch, hidden). Raises ``ShapeError`` for an input, states or cells of other shapes.

    Arguments:
        input_size: how many features an element of the input has.
        hidden_size: how many numbers a cell has.
        num_layers: how many layers stand on one another.
        bias: add b and b'.
        batch_first: input and output are (batch, steps, features).
        dropout: how probable it is that an output of a layer but the last is dropped.
        bidirectional: go over the sequence from its end, too.
        proj_size: how many numbers a state is projected to; 0 projects nothing.
        device: where the parameters are; there is only the CPU.
        dtype: of the parameters; the default dtype for None.

    Source: Hochreiter and Schmidhuber, "Long short-term memory", 1997; Sak, Senior and Beaufays,
    "Long short-term memory based recurrent neural network architectures", 2014, for projections.

    >>> import aino
    >>> y, (h, c) = aino.nn.LSTM(3, 4)(aino.zeros(5, 2, 3))
    >>> y.shape, c.shape
    (aino.Size([5, 2, 4]), aino.Size([1, 2, 4]))
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(
            "LSTM", input_size, hidden_size, num_layers, bias, batch_first, dropout,
            bidirectional, proj_size, device, dtype,
        )  # fmt: skip

    def _states(self, input: Tensor, hx: Any, batch: int) -> list:
        if hx is not None:
            return list(hx)
        zeros = make(np.zeros(self._expected(batch, self.hidden_size), input.array.dtype))
        return [*super()._states(input, None, batch), zeros]

    def _check_states(self, states: list, batch: int) -> None:
        size = self.proj_size or self.hidden_size
        self.check_hidden_size(
            states[0], self._expected(batch, size), "Expected hidden[0] size {}, got {}"
        )
        self.check_hidden_size(
            states[1], self._expected(batch, self.hidden_size),
            "Expected hidden[1] size {}, got {}",
        )  # fmt: skip

    def _with_batch(self, hx: Any, batched: bool) -> Any:
        if not isinstance(hx, (tuple, list)) or len(hx) != 2:
            raise ShapeError("LSTM takes the pair (h_0, c_0) as hx: states and cells")
        h, c = hx
        dims, kind = (3, "batched") if batched else (2, "unbatched")
        if h.dim() != dims or c.dim() != dims:
            raise ShapeError(
                f"For {kind} {dims}-D input, hx and cx should also be {dims}-D but got "
                f"({h.dim()}-D, {c.dim()}-D) tensors"
            )
        return (h, c) if batched else (h.unsqueeze(1), c.unsqueeze(1))

    def forward(
        self, input: Any, hx: tuple[Tensor, Tensor] | None = None
    ) -> tuple[Any, tuple[Any, Any]]:
        """Return the outputs of the last layer, and the last states and cells of all."""
        y, last = self._run(input, hx)
        return y, (last[0], last[1])


class GRU(RNNBase):
    """Gated recurrent units: n = tanh(W xₜ + b + σ(r) (U hₜ₋₁ + b')), hₜ = n + σ(z) (hₜ₋₁ - n).

    The sums r and z of W xₜ + b + U hₜ₋₁ + b' and the two parts of n stand one after the other in
    the rows of ``weight_ih_l0`` W (3 hidden, input), ``weight_hh_l0`` U (3 hidden, hidden),
    ``bias_ih_l0`` and ``bias_hh_l0`` (3 hidden,), and so on for each layer, with ``_reverse`` for
    the other direction. All start in U(-1/√hidden, 1/√hidden). Input (steps, batch, input),
    (batch, steps, input) where ``batch_first``, (steps, input), or a ``PackedSequence``. Returns
    the outputs (steps, batch, directions · hidden) and the last states (layers · directions,
    batch, hidden). Raises ``ShapeError`` for an input or states of other shapes.

    Arguments:
        input_size: how many features an element of the input has.
        hidden_size: how many numbers a state has.
        num_layers: how many layers stand on one another.
        bias: add b and b'.
        batch_first: input and output are (batch, steps, features).
        dropout: how probable it is that an output of a layer but the last is dropped.
        bidirectional: go over the sequence from its end, too.
        proj_size: 0; an LSTM alone projects its states.
        device: where the parameters are; there is only the CPU.
        dtype: of the parameters; the default dtype for None.

    Source: Cho et al., "Learning phrase representations using RNN encoder-decoder for statistical
    machine translation", 2014.

    >>> import aino
    >>> y, h = aino.nn.GRU(3, 4)(aino.zeros(5, 2, 3))
    >>> y.shape, h.shape
    (aino.Size([5, 2, 4]), aino.Size([1, 2, 4]))
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        _no_projection("RNN or GRU", proj_size)
        super().__init__(
            "GRU", input_size, hidden_size, num_layers, bias, batch_first, dropout,
            bidirectional, 0, device, dtype,
        )  # fmt: skip
