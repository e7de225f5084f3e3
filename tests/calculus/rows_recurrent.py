"""Rows of recurrent layers, padded and packed, and of their cells."""

import numpy as np

import aino
from tests.calculus.row import Row, case, given, real
from tests.nn.rows_recurrent import gru_step, lstm_step, recurrent, tanh_step


def named(weights, has_biases):
    """Return a flat list of the weights of one layer by their names."""
    names = ["weight_ih", "weight_hh", *(["bias_ih", "bias_hh"] if has_biases else []), "weight_hr"]
    return {f"{name}_l0": weight for name, weight in zip(names, weights)}


def layer(kind):
    """Return the oracle of a layer in one direction, called as the ``aino`` namespace has it."""

    def compute(x, *arguments):
        packed = isinstance(arguments[0], np.ndarray) and arguments[0].dtype.kind == "i"
        sizes = arguments[0] if packed else None
        hx, weights, has_biases = arguments[packed : packed + 3]
        states = hx if kind == "LSTM" else [hx]
        if packed:
            starts = np.cumsum([0, *sizes])
            lengths = [(sizes > i).sum() for i in range(sizes[0])]
            samples = [x[starts[:length] + i] for i, length in enumerate(lengths)]
        else:
            samples = [x[:, i] for i in range(x.shape[1])]
        y, last = recurrent(kind, samples, states, named(weights, has_biases))
        if not packed:
            return [np.stack(y, 1), *last]
        rows = [y[i][t] for t, size in enumerate(sizes) for i in range(size)]
        return [np.array(rows), *last]

    return compute


def cell(step):
    def compute(x, hx, *weights):
        states = hx if isinstance(hx, list) else [hx]
        found = [step(a, *[s[i] for s in states], *weights) for i, a in enumerate(x)]
        outputs = [np.array(part) for part in zip(*found)]
        return outputs if isinstance(hx, list) else outputs[0]

    return compute


def weights(gates, size=2, inner=2, bias=True):
    found = [real(gates * size, 2), real(gates * size, inner)]
    return [*found, real(gates * size), real(gates * size)] if bias else found


SETTINGS = (1, 0.0, False, False)
SIZES = given(np.array([3, 2, 2, 1]))


def recurrence(name, kind, gates, states, covers):
    function = getattr(aino, name)
    return Row(name, function, layer(kind), [
        case(real(3, 2, 2), states(2), weights(gates), True, *SETTINGS, False),
        case(real(2, 1, 2), states(1), weights(gates, bias=False), False, *SETTINGS, False),
        case(real(8, 2), SIZES, states(3), weights(gates), True, *SETTINGS),
    ], covers=covers, method="", dtypes="float32", errors=[
        case(real(3, 2, 3), states(2), weights(gates), True, *SETTINGS, False),
        case(real(3, 2, 2), states(2), weights(gates, inner=3), True, *SETTINGS, False),
    ])  # fmt: skip


def pair(batch):
    return [real(1, batch, 2), real(1, batch, 2)]


def single(batch):
    return real(1, batch, 2)


ROWS = [
    recurrence("lstm", "LSTM", 4, pair, "lstm"),
    Row("lstm", aino.lstm, layer("LSTM"), [
        case(real(3, 2, 2), [real(1, 2, 1), real(1, 2, 2)],
             [*weights(4, inner=1), real(1, 2)], True, *SETTINGS, False),
        case(real(8, 2), SIZES, [real(1, 3, 1), real(1, 3, 2)],
             [*weights(4, inner=1, bias=False), real(1, 2)], False, *SETTINGS),
    ], covers="lstm", method="", dtypes="float32"),
    recurrence("gru", "GRU", 3, single, "gru"),
    recurrence("rnn_tanh", "RNN", 1, single, "rnn"),
    recurrence("rnn_relu", "RNN relu", 1, single, "rnn"),
    Row("lstm_cell", aino.lstm_cell, cell(lstm_step), [
        case(real(3, 2), [real(3, 2), real(3, 2)], *weights(4))], covers="", method="",
        dtypes="float32"),
    Row("gru_cell", aino.gru_cell, cell(lambda *a: gru_step(*a)), [
        case(real(3, 2), real(3, 2), *weights(3))], covers="", method="", dtypes="float32"),
    Row("rnn_tanh_cell", aino.rnn_tanh_cell, cell(tanh_step), [
        case(real(3, 2), real(3, 2), *weights(1))], covers="", method="", dtypes="float32"),
]  # fmt: skip
