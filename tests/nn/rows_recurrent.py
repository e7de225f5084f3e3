"""Recurrent modules and a plain oracle of theirs, which goes sample by sample, step by step."""

import numpy as np

from tests.calculus.row import real
from tests.nn.row import row


def sigmoid(x):
    return 1.0 / (1.0 + np.exp(-x))


def lstm_step(x, h, c, w_ih, w_hh, b_ih=0.0, b_hh=0.0, w_hr=None):
    i, f, g, o = np.split(w_ih @ x + w_hh @ h + b_ih + b_hh, 4)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    h = sigmoid(o) * np.tanh(c)
    return h if w_hr is None else w_hr @ h, c


def gru_step(x, h, w_ih, w_hh, b_ih=0.0, b_hh=0.0):
    (r, z, n), (r2, z2, n2) = np.split(w_ih @ x + b_ih, 3), np.split(w_hh @ h + b_hh, 3)
    n = np.tanh(n + sigmoid(r + r2) * n2)
    z = sigmoid(z + z2)
    return ((1.0 - z) * n + z * h,)


def tanh_step(x, h, w_ih, w_hh, b_ih=0.0, b_hh=0.0):
    return (np.tanh(w_ih @ x + b_ih + w_hh @ h + b_hh),)


def relu_step(x, h, w_ih, w_hh, b_ih=0.0, b_hh=0.0):
    return (np.maximum(w_ih @ x + b_ih + w_hh @ h + b_hh, 0.0),)


STEPS = {"LSTM": lstm_step, "GRU": gru_step, "RNN": tanh_step, "RNN relu": relu_step}


def over_one(step, x, states, weights):
    """Return the outputs of one sequence (steps, features) and the last states."""
    outputs = []
    for element in x:
        states = step(element, *states, *weights)
        outputs.append(states[0])
    return np.array(outputs), states


def recurrent(kind, x, states, state_dict, layers=1, bidirectional=False):
    """Return outputs and last states of sequences, a list of (steps, features).

    ``states``: (layers · directions, batch, ...) each. ``state_dict``: the parameters by name.
    """
    step, sequences, last = STEPS[kind], list(x), [[] for _ in states]
    for layer in range(layers):
        halves = []
        for direction in range(1 + bidirectional):
            suffix = f"l{layer}" + "_reverse" * direction
            names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh", "weight_hr")
            weights = [state_dict.get(f"{name}_{suffix}") for name in names]
            if kind != "LSTM":
                weights.pop()
            keywords = [0.0 if w is None and i in (2, 3) else w for i, w in enumerate(weights)]
            ends, half = [], []
            for number, sequence in enumerate(sequences):
                own = [s[len(last[0])][number] for s in states]
                y, end = over_one(step, sequence[:: 1 - 2 * direction], own, keywords)
                half.append(y[:: 1 - 2 * direction])
                ends.append(end)
            for found, values in zip(last, zip(*ends)):
                found.append(np.array(values))
            halves.append(half)
        sequences = [np.concatenate(parts, -1) for parts in zip(*halves)]
    return sequences, [np.array(found) for found in last]


def oracle(kind, size, layers=1, directions=1, output=0, proj=None):
    """Return the oracle of a module over an input (steps, batch, features) without states."""

    def compute(x, **state):
        batch = x.shape[1]
        zeros = [np.zeros((layers * directions, batch, proj or size))]
        if kind == "LSTM":
            zeros.append(np.zeros((layers * directions, batch, size)))
        samples = [x[:, i] for i in range(batch)]
        y, last = recurrent(kind, samples, zeros, state, layers, directions == 2)
        return np.stack(y, 1) if output == 0 else last[0]

    return compute


def cell(kind):
    def compute(x, h, weight_ih, weight_hh, bias_ih=0.0, bias_hh=0.0):
        weights = (weight_ih, weight_hh, bias_ih, bias_hh)
        return np.array([STEPS[kind](a, b, *weights)[0] for a, b in zip(x, h)])

    return compute


def lstm_cell(x, weight_ih, weight_hh, bias_ih, bias_hh):
    zero = np.zeros(weight_hh.shape[1])
    return np.array(
        [lstm_step(a, zero, zero, weight_ih, weight_hh, bias_ih, bias_hh)[1] for a in x]
    )


ROWS = [
    row("LSTM", 2, 3, inputs=real(3, 2, 2), oracle=oracle("LSTM", 3), text="LSTM(2, 3)", output=0,
        errors=[((0, 3), {}, ValueError), ((2, 3.0), {}, TypeError), ((2, 3, 0), {}, ValueError),
                ((2, 3), {"proj_size": 3}, ValueError), ((2, 3), {"proj_size": -1}, ValueError),
                ((2, 3, 2), {"dropout": 1.5}, ValueError), ((2, 3), {"bias": 1}, TypeError),
                ((2, 3), {"batch_first": 1}, TypeError), ((2, 3, 2), {"dropout": True}, ValueError),
                ((2, 3), {"dtype": "int64"}, TypeError)],
        bad_inputs=[(real(3, 2, 3),), (real(3),), (real(0, 2, 2),)]),
    row("LSTM", 1, 2, num_layers=2, proj_size=1, dropout=0.5, bidirectional=True,
        inputs=real(2, 1, 1), oracle=oracle("LSTM", 2, 2, 2, proj=1), output=0, random=True,
        text="LSTM(1, 2, proj_size=1, num_layers=2, dropout=0.5, bidirectional=True)"),
    row("GRU", 2, 3, bias=False, inputs=real(3, 2, 2), oracle=oracle("GRU", 3, output=1),
        text="GRU(2, 3, bias=False)", output=1, errors=[((2, 3), {"proj_size": 1}, ValueError)],
        bad_inputs=[(real(3, 2, 3),)]),
    row("GRU", 2, 2, bidirectional=True, inputs=real(2, 2, 2), oracle=oracle("GRU", 2, 1, 2),
        text="GRU(2, 2, bidirectional=True)", output=0),
    row("RNN", 2, 3, batch_first=True, inputs=real(2, 3, 2), output=0,
        oracle=lambda x, **state: oracle("RNN", 3)(x.swapaxes(0, 1), **state).swapaxes(0, 1),
        text="RNN(2, 3, batch_first=True)",
        errors=[((2, 3), {"nonlinearity": "sin"}, ValueError), ((2, 3, 1, "x"), {}, ValueError),
                ((2, 3), {"proj_size": 1}, ValueError)]),
    row("RNN", 2, 3, 2, "relu", inputs=real(3, 2), output=0, text="RNN(2, 3, num_layers=2)",
        oracle=lambda x, **state: oracle("RNN relu", 3, 2)(x[:, None], **state)[:, 0]),
    row("RNNCell", 2, 3, inputs=(real(2, 2), real(2, 3)), oracle=cell("RNN"), text="RNNCell(2, 3)",
        bad_inputs=[(real(2, 3), real(2, 3)), (real(2, 2), real(3, 3)), (real(2, 2), real(2, 2)),
                    (real(1, 2, 2), real(2, 3)), (real(2, 2), real(1, 2, 3))]),
    row("RNNCell", 2, 3, bias=False, nonlinearity="relu", inputs=(real(2, 2), real(2, 3)),
        oracle=cell("RNN relu"), text="RNNCell(2, 3, bias=False, nonlinearity=relu)"),
    row("LSTMCell", 2, 3, inputs=real(2, 2), oracle=lstm_cell, text="LSTMCell(2, 3)", output=1,
        bad_inputs=[(real(2, 3),), (real(),)]),
    row("GRUCell", 2, 3, inputs=(real(2, 2), real(2, 3)), oracle=cell("GRU"), text="GRUCell(2, 3)",
        bad_inputs=[(real(2, 3), real(2, 3))]),
]  # fmt: skip
