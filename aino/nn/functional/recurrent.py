"""Recurrent layers over sequences and packed sequences, and their cells, one step at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from aino.autograd.mode import mode
from aino.autograd.primitive import cast
from aino.autograd.rules import gru as gru_rules
from aino.autograd.rules import lstm as lstm_rules
from aino.autograd.rules import recurrent as rules
from aino.autograd.tensor import Tensor
from aino.dtypes import float16, float32
from aino.errors import ArgumentError, DtypeError, ShapeError
from aino.nn.functional.dropout import dropout as dropped
from aino.nn.functional.linear import linear
from aino.ops.pointwise.activation import relu
from aino.ops.shape.joining import cat, stack
from aino.tracing import data_for_shape

__all__ = [
    "gru", "gru_cell", "lstm", "lstm_cell", "rnn_relu", "rnn_relu_cell", "rnn_tanh",
    "rnn_tanh_cell",
]  # fmt: skip


# One layer in one direction


def _checked(name: str, x: Any, states: Sequence[Any], weights: Sequence[Any]) -> None:
    """Raise where dtypes or shapes do not fit together."""
    for tensor in (*states, *weights):
        if tensor is not None and tensor.array.dtype != x.array.dtype:
            raise DtypeError(
                f"{name}: the input is {x.array.dtype} and a state or a weight "
                f"{tensor.array.dtype}; bring them together with input.to() or model.to()"
            )
    if x.array.dtype.kind not in "fc":
        raise DtypeError(f"{name} takes floating point numbers, not {x.array.dtype}")
    w_ih, w_hh = weights[:2]
    if x.shape[-1] != w_ih.shape[-1]:
        raise ShapeError(
            f"{name}: the input has {x.shape[-1]} features, and a weight of shape "
            f"{tuple(w_ih.shape)} takes {w_ih.shape[-1]}"
        )
    if states[0].shape[-1] != w_hh.shape[-1]:
        raise ShapeError(
            f"{name}: the state has {states[0].shape[-1]} features, and a weight of shape "
            f"{tuple(w_hh.shape)} takes {w_hh.shape[-1]}"
        )


def _layer(name: str, x, states, weights, sizes, reverse) -> tuple:
    """Return the rows and the last states of one layer in one direction."""
    _checked(name, x, states, weights)
    if x.array.dtype is float16:
        states, weights = (
            [t if t is None else cast(t, float32) for t in ts] for ts in (states, weights)
        )
        found = _layer(name, cast(x, float32), states, weights, sizes, reverse)
        return tuple([cast(y, float16) for y in found])
    if name == "rnn_relu" and x.array.dtype.kind == "c":
        raise DtypeError("rnn_relu takes real numbers: complex ones have no order")
    tensors = [t for t in (x, *states, *weights) if t is not None]
    keep = bool(mode.level) and any([t.node is not None for t in tensors])
    if name.startswith("rnn"):
        return rules.rnn(x, *states, *weights, sizes, reverse, keep, name == "rnn_relu")[:2]
    if name == "lstm":
        return lstm_rules.lstm(x, *states, *weights, sizes, reverse, keep)[:3]
    return gru_rules.gru(x, *states, *weights, sizes, reverse, keep)[:2]


# All layers


def layers(
    name: str, data, sizes, states, weights, num_layers: int, dropout: float, train: bool,
    bidirectional: bool,
) -> tuple:  # fmt: skip
    """Return the rows of the last layer and the last states of all of them.

    ``data``: the rows of all steps, one step after the other, each of so many as ``sizes`` says.
    ``states``: tensors (layers · directions, batch, hidden). ``weights``: a list of those of each
    layer and direction, W, U, the vectors b or None, for ``lstm`` the projection or None.
    """
    if not sizes:
        raise ShapeError(f"{name}: expected a sequence of at least one step")
    directions = 2 if bidirectional else 1
    if len(weights) != num_layers * directions:
        raise ShapeError(
            f"{name}: {num_layers} layers in {directions} directions were asked for, and the "
            f"weights are of {len(weights)}"
        )
    last: list[tuple] = []
    for layer in range(num_layers):
        outputs = []
        for direction in range(directions):
            place = layer * directions + direction
            own = [state[place] for state in states]
            y, *ends = _layer(name, data, own, weights[place], sizes, bool(direction))
            outputs.append(y)
            last.append(tuple(ends))
        data = outputs[0] if directions == 1 else cat(outputs, -1)
        if dropout and train and layer < num_layers - 1:
            data = dropped(data, dropout, True)
    return data, *[stack(list(ends), 0) for ends in zip(*last)]


def over_sequence(name: str, input, states, weights, batch_first: bool, *settings: Any) -> tuple:
    """Run all layers over a tensor (steps, batch, features), or with the batch first."""
    if batch_first:
        input = input.transpose(0, 1)
    steps, batch, features = input.shape
    rows, *last = layers(
        name, input.reshape(steps * batch, features), (batch,) * steps, states, weights, *settings
    )
    y = rows.reshape(steps, batch, rows.shape[-1])
    return y.transpose(0, 1) if batch_first else y, *last


def sizes_of(batch_sizes: Tensor) -> tuple[int, ...]:
    """Return how many samples each step of a packed sequence has."""
    counts = data_for_shape(
        batch_sizes.array, "a packed sequence", "pack it outside, and pass what is packed"
    )
    return tuple(counts.tolist())


def grouped(parameters: Sequence[Any], has_biases: bool, projects: bool) -> list[list[Any]]:
    """Return a flat list of weights as one list for each layer and direction, None for none."""
    count = (4 if has_biases else 2) + projects
    if len(parameters) % count:
        raise ArgumentError(f"the number of weights, {len(parameters)}, is no multiple of {count}")
    groups = []
    for start in range(0, len(parameters), count):
        group = list(parameters[start : start + count])
        if not has_biases:
            group[2:2] = [None, None]
        groups.append(group)
    return groups


# As the ``aino`` namespace has them

_SETTINGS = ("params", "has_biases", "num_layers", "dropout", "train", "bidirectional")


def _called(name: str, arguments: tuple, keywords: dict[str, Any]) -> tuple:
    """Run a layer that is called in one of PyTorch's two ways, padded or packed."""
    packed = "data" in keywords or "batch_sizes" in keywords
    if len(arguments) > 2:
        # The weights stand third where the sequence is padded, and fourth where it is packed.
        packed = isinstance(arguments[1], Tensor) and not (
            isinstance(arguments[2], (list, tuple)) and name != "lstm"
        )
    names = ("data", "batch_sizes", "hx", *_SETTINGS) if packed else (
        "input", "hx", *_SETTINGS, "batch_first")  # fmt: skip
    if len(arguments) > len(names):
        raise TypeError(f"{name}() takes {len(names)} arguments, {len(arguments)} were given")
    given = dict(zip(names, arguments))
    for key, value in keywords.items():
        if key not in names or key in given:
            raise TypeError(f"{name}() takes {', '.join(names)}, each once; not {key!r}")
        given[key] = value
    for key in names:
        if key not in given:
            raise TypeError(f"{name}() is not given {key!r}; it takes {', '.join(names)}")
    states = list(given["hx"]) if name == "lstm" else [given["hx"]]
    projects = name == "lstm" and states[0].shape[-1] != states[1].shape[-1]
    weights = grouped(given["params"], given["has_biases"], projects)
    if name == "lstm" and not projects:
        weights = [[*group, None] for group in weights]
    settings = [given[key] for key in _SETTINGS[2:]]
    if packed:
        return layers(
            name, given["data"], sizes_of(given["batch_sizes"]), states, weights, *settings
        )
    return over_sequence(name, given["input"], states, weights, given["batch_first"], *settings)


def lstm(*args: Any, **kwargs: Any) -> tuple[Tensor, Tensor, Tensor]:
    """Return the outputs of an LSTM, its last states and its last cells.

    Called as ``lstm(input, hx, params, has_biases, num_layers, dropout, train, bidirectional,
    batch_first)`` or, for a packed sequence, as ``lstm(data, batch_sizes, hx, params, has_biases,
    num_layers, dropout, train, bidirectional)``. ``nn.LSTM`` keeps the weights.

    Arguments:
        args, kwargs: input (steps, batch, features), or with the batch first; hx, the states and
            the cells (layers · directions, batch, hidden); params, the weights of each layer and
            direction: (4 hidden, features), (4 hidden, hidden), two vectors (4 hidden,) where
            there are biases, the projection where states and cells differ in length.

    >>> import aino
    >>> hx, params = [aino.zeros(1, 2, 4)] * 2, [aino.ones(16, 3), aino.ones(16, 4)]
    >>> y, h, c = aino.lstm(aino.ones(5, 2, 3), hx, params, False, 1, 0.0, False, False, False)
    >>> y.shape
    aino.Size([5, 2, 4])
    """
    return _called("lstm", args, kwargs)


def gru(*args: Any, **kwargs: Any) -> tuple[Tensor, Tensor]:
    """Return the outputs of a GRU and its last states.

    Called as ``gru(input, hx, params, has_biases, num_layers, dropout, train, bidirectional,
    batch_first)`` or, for a packed sequence, as ``gru(data, batch_sizes, hx, params, has_biases,
    num_layers, dropout, train, bidirectional)``. ``nn.GRU`` keeps the weights.

    Arguments:
        args, kwargs: input (steps, batch, features), or with the batch first; hx, the states
            (layers · directions, batch, hidden); params, the weights of each layer and direction.

    >>> import aino
    >>> hx, params = aino.zeros(1, 2, 4), [aino.ones(12, 3), aino.ones(12, 4)]
    >>> y, h = aino.gru(aino.ones(5, 2, 3), hx, params, False, 1, 0.0, False, False, False)
    >>> y.shape
    aino.Size([5, 2, 4])
    """
    return _called("gru", args, kwargs)


def rnn_tanh(*args: Any, **kwargs: Any) -> tuple[Tensor, Tensor]:
    """Return the outputs of a recurrent layer with tanh and its last states.

    Called as ``rnn_tanh(input, hx, params, has_biases, num_layers, dropout, train, bidirectional,
    batch_first)`` or, for a packed sequence, as ``rnn_tanh(data, batch_sizes, hx, params,
    has_biases, num_layers, dropout, train, bidirectional)``. ``nn.RNN`` keeps the weights.

    Arguments:
        args, kwargs: as for ``aino.gru``.

    >>> import aino
    >>> hx, params = aino.zeros(1, 2, 4), [aino.ones(4, 3), aino.ones(4, 4)]
    >>> y, h = aino.rnn_tanh(aino.ones(5, 2, 3), hx, params, False, 1, 0.0, False, False, False)
    >>> y.shape
    aino.Size([5, 2, 4])
    """
    return _called("rnn_tanh", args, kwargs)


def rnn_relu(*args: Any, **kwargs: Any) -> tuple[Tensor, Tensor]:
    """Return the outputs of a recurrent layer with relu and its last states.

    Called as ``rnn_relu(input, hx, params, has_biases, num_layers, dropout, train, bidirectional,
    batch_first)`` or, for a packed sequence, as ``rnn_relu(data, batch_sizes, hx, params,
    has_biases, num_layers, dropout, train, bidirectional)``. ``nn.RNN`` keeps the weights.

    Arguments:
        args, kwargs: as for ``aino.gru``.

    >>> import aino
    >>> hx, params = aino.zeros(1, 2, 4), [aino.ones(4, 3), aino.ones(4, 4)]
    >>> y, h = aino.rnn_relu(aino.ones(5, 2, 3), hx, params, False, 1, 0.0, False, False, False)
    >>> y.shape
    aino.Size([5, 2, 4])
    """
    return _called("rnn_relu", args, kwargs)


# One step


def _check_cell(name: str, input, states, w_ih, w_hh) -> None:
    if input.shape[-1] != w_ih.shape[1]:
        raise ShapeError(
            f"{name}: input has inconsistent input_size: got {input.shape[-1]}, expected "
            f"{w_ih.shape[1]}"
        )
    for number, state in enumerate(states):
        if state.shape[0] != input.shape[0]:
            raise ShapeError(
                f"{name}: input batch size {input.shape[0]} doesn't match hidden{number} batch "
                f"size {state.shape[0]}"
            )
        if state.shape[-1] != w_hh.shape[1]:
            raise ShapeError(
                f"{name}: hidden{number} has inconsistent hidden_size: got {state.shape[-1]}, "
                f"expected {w_hh.shape[1]}"
            )


def lstm_cell(
    input: Tensor, hx: Sequence[Tensor], w_ih: Tensor, w_hh: Tensor, b_ih: Tensor | None = None,
    b_hh: Tensor | None = None,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """Return the state and the cell of an LSTM one step later; ``nn.LSTMCell`` keeps the weights.

    Raises ``ShapeError`` when batch or features do not fit.

    Arguments:
        input: x: (batch, features).
        hx: state and cell: (batch, hidden) each.
        w_ih: what multiplies the input: (4 hidden, features).
        w_hh: what multiplies the state: (4 hidden, hidden).
        b_ih: what is added: (4 hidden,); None adds nothing.
        b_hh: what is added, too.

    >>> import aino
    >>> hx = [aino.zeros(2, 4), aino.zeros(2, 4)]
    >>> aino.lstm_cell(aino.ones(2, 3), hx, aino.ones(16, 3), aino.ones(16, 4))[0].shape
    aino.Size([2, 4])
    """
    h, c = hx
    _check_cell("lstm_cell", input, hx, w_ih, w_hh)
    return lstm_rules.gated(linear(input, w_ih, b_ih) + linear(h, w_hh, b_hh), c)


def gru_cell(
    input: Tensor, hx: Tensor, w_ih: Tensor, w_hh: Tensor, b_ih: Tensor | None = None,
    b_hh: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """Return the state of a GRU one step later; ``nn.GRUCell`` keeps the weights.

    Raises ``ShapeError`` when batch or features do not fit.

    Arguments:
        input: x: (batch, features).
        hx: the state: (batch, hidden).
        w_ih: what multiplies the input: (3 hidden, features).
        w_hh: what multiplies the state: (3 hidden, hidden).
        b_ih: what is added to the input's part: (3 hidden,); None adds nothing.
        b_hh: what is added to the state's part.

    >>> import aino
    >>> aino.gru_cell(aino.ones(2, 3), aino.zeros(2, 4), aino.ones(12, 3), aino.ones(12, 4)).shape
    aino.Size([2, 4])
    """
    _check_cell("gru_cell", input, [hx], w_ih, w_hh)
    return gru_rules.gated(linear(input, w_ih, b_ih), linear(hx, w_hh, b_hh), hx)


def rnn_tanh_cell(
    input: Tensor, hx: Tensor, w_ih: Tensor, w_hh: Tensor, b_ih: Tensor | None = None,
    b_hh: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """Return tanh(W x + b + U h + b), the state one step later; ``nn.RNNCell`` keeps the weights.

    Raises ``ShapeError`` when batch or features do not fit.

    Arguments:
        input: x: (batch, features).
        hx: the state: (batch, hidden).
        w_ih: what multiplies the input: (hidden, features).
        w_hh: what multiplies the state: (hidden, hidden).
        b_ih: what is added: (hidden,); None adds nothing.
        b_hh: what is added, too.

    >>> import aino
    >>> aino.rnn_tanh_cell(aino.zeros(2, 3), aino.zeros(2, 1), aino.ones(1, 3), aino.ones(1, 1))
    tensor([[0.],
            [0.]])
    """
    _check_cell("rnn_tanh_cell", input, [hx], w_ih, w_hh)
    return (linear(input, w_ih, b_ih) + linear(hx, w_hh, b_hh)).tanh()


def rnn_relu_cell(
    input: Tensor, hx: Tensor, w_ih: Tensor, w_hh: Tensor, b_ih: Tensor | None = None,
    b_hh: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """Return relu(W x + b + U h + b), the state one step later; ``nn.RNNCell`` keeps the weights.

    Raises ``ShapeError`` when batch or features do not fit.

    Arguments:
        input: x: (batch, features).
        hx: the state: (batch, hidden).
        w_ih: what multiplies the input: (hidden, features).
        w_hh: what multiplies the state: (hidden, hidden).
        b_ih: what is added: (hidden,); None adds nothing.
        b_hh: what is added, too.

    >>> import aino
    >>> aino.rnn_relu_cell(aino.ones(1, 3), aino.zeros(1, 1), aino.ones(1, 3), aino.ones(1, 1))
    tensor([[3.]])
    """
    _check_cell("rnn_relu_cell", input, [hx], w_ih, w_hh)
    return relu(linear(input, w_ih, b_ih) + linear(hx, w_hh, b_hh))
