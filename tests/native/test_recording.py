"""Kernels that are walked: what they do is written down, and what can't be is refused."""

import inspect

import numpy as np
import pytest

import aino
from aino import nn
from aino.autograd.rules import batch_order, columns, gru, lstm, normalization, recurrent
from aino.native import recording
from aino.native.forms import Form
from aino.native.recorded_array import UnrecordedError
from aino.native.recording import Recorder, recorded, scratch_of
from aino.native.trials import stretch_type
from aino.num_threads import by_halves, shared_product
from aino.tracing import either, session

pytest.importorskip("aino_native")
rng = np.random.default_rng(0)


def form(*shape, dtype=np.float32, order="C"):
    return Form.of(np.empty(shape, dtype, order))


PLACE, WIDE = ((1, 1), ((1, 1), (1, 1)), (1, 1), 1), ((2, 1), ((2, 0), (1, 3)), (1, 2), 2)
SIZES = (6,) * 5
LSTM = (form(30, 7), form(6, 9), form(6, 9), form(36, 7), form(36, 9), form(36), form(36))
GRU = (form(30, 7), form(6, 9), form(27, 7), form(27, 9), form(27), form(27))
KERNELS = {
    "the batch last": (batch_order.lay_batch_last, (form(20, 16, 16),), form(16, 16, 20)),
    "the batch first": (batch_order.lay_batch_first, (form(64, 32, 20),), form(20, 64, 32)),
    "a convolution": (
        columns.convolved, (form(6, 12, 12, 20), form(8, 6, 3, 3), form(8), PLACE),
        form(8, 12, 12, 20)),
    "a long convolution": (
        columns.convolved, (form(16, 24, 24, 40), form(32, 16, 3, 3), None, PLACE),
        form(32, 24, 24, 40)),
    "groups, strides, frames": (
        columns.convolved, (form(6, 12, 12, 4), form(8, 3, 2, 3), form(8), WIDE),
        form(8, 7, 12, 4)),
    "a convolution in double": (
        columns.convolved,
        (form(3, 8, 8, 4, dtype=float), form(8, 3, 3, 3, dtype=float), None, PLACE),
        form(8, 8, 8, 4, dtype=float)),
    "a transpose": (
        columns.spread_back, (form(64, 8, 8, 9), form(64, 16, 3, 3), None, (8, 8), PLACE),
        form(16, 8, 8, 9)),
    "a transpose that is added up": (
        columns.spread_back, (form(8, 8, 8, 9), form(8, 3, 3, 3), form(3), (8, 8), PLACE),
        form(3, 8, 8, 9)),
    "the gradient of a weight": (
        columns.paired, (form(8, 12, 12, 20), form(6, 12, 12, 20), (3, 3), PLACE),
        form(8, 6, 3, 3)),
    "the gradient of a weight, long": (
        columns.paired, (form(32, 24, 24, 40), form(16, 24, 24, 40), (3, 3), PLACE),
        form(32, 16, 3, 3)),
    "LSTM": (inspect.unwrap(lstm._lstm), (*LSTM, None, SIZES, False, True), None),
    "LSTM backwards": (inspect.unwrap(lstm._lstm), (*LSTM, None, SIZES, True, True), None),
    "LSTM that keeps nothing": (
        inspect.unwrap(lstm._lstm), (*LSTM, None, SIZES, False, False), None),
    "LSTM without biases": (
        inspect.unwrap(lstm._lstm), (*LSTM[:5], None, None, None, SIZES, False, True), None),
    "LSTM with a projection": (
        inspect.unwrap(lstm._lstm),
        (form(30, 7), form(6, 4), form(6, 9), form(36, 7), form(36, 4), None, None, form(4, 9),
         SIZES, False, True), None),
    "the slopes of an LSTM": (
        inspect.unwrap(lstm._lstm_slopes),
        ((True,) * 8, form(30, 9), None, form(6, 9), *LSTM[:2], *LSTM[3:5], None,
         form(5, 5, 9, 6), form(6, 9, 6), form(6, 17, 6), SIZES, False), None),
    "GRU": (inspect.unwrap(gru._gru), (*GRU, SIZES, False, True), None),
    "the slopes of a GRU": (
        inspect.unwrap(gru._gru_slopes),
        ((True,) * 6, form(30, 9), form(6, 9), *GRU[:4], form(5, 4, 9, 6), form(6, 17, 6), SIZES,
         False), None),
    "a plain layer": (
        inspect.unwrap(recurrent._rnn),
        (form(30, 7), form(6, 9), form(9, 7), form(9, 9), None, None, SIZES, False, True, False),
        None),
    "the slopes of a plain layer": (
        inspect.unwrap(recurrent._rnn_slopes),
        ((True,) * 6, form(30, 9), None, form(30, 7), form(6, 9), form(9, 7), form(9, 9),
         form(6, 17, 6), SIZES, False, False), None),
    "normalised": (
        inspect.unwrap(normalization._normalised),
        (form(8, 5, 9, 9), form(5), form(5), 1e-5), None),
    "normalised, long rows": (
        inspect.unwrap(normalization._normalised),
        (form(4, 3, 40, 40), form(3), None, 1e-5), None),
    "normalised rows": (
        inspect.unwrap(normalization._normalised), (form(20, 16), None, None, 1e-5), None),
    "normalised, long": (
        inspect.unwrap(normalization._normalised),
        (form(16, 32, 33, 33), form(32), form(32), 1e-5), None),
    "slopes of what is normalised": (
        inspect.unwrap(normalization._batch_norm_slopes),
        ((True,) * 3, form(8, 5, 9, 9), form(8, 5, 9, 9), form(5), form(5), form(5), 1e-5), None),
    "slopes of normalised rows": (
        inspect.unwrap(normalization._batch_norm_slopes),
        ((True,) * 3, form(20, 16), form(20, 16), None, form(16), form(16), 1e-5), None),
    "a product of two threads": (
        shared_product, (form(300, 200), form(200, 150)), form(300, 150)),
    "a choice by a mask": (lambda x, row: np.where(x > 0, x, row), (form(6, 5), form(5)), None),
    "a choice by numbers": (
        lambda x, y: np.where(y, 0.5 * x, 1), (form(6, 5), form(6, 5)), None),
    "a product of one": (shared_product, (form(80, 80), form(80, 60)), form(80, 60)),
    "a product that is turned": (
        shared_product, (form(300, 200, order="F"), form(200, 150, order="F")), form(300, 150)),
}  # fmt: skip


@pytest.mark.parametrize("name", KERNELS)
def test_a_kernel_is_recorded(name):
    """What comes of walking it is what the kernel gives, or ``recorded`` would say None."""
    found = recorded(*KERNELS[name])
    assert found is not None
    assert found.count > 0


def kernel(function):
    """A kernel of a matrix and a vector that gives a matrix."""
    return function, (form(6, 5), form(5)), None


def writes_what_it_is_given(x, row):
    x += row
    return x.copy()


def depends_on_the_numbers(x, row):
    return x * 2.0 if np.asarray(x)[0, 0] > 0 else x + row


memory = np.zeros((6, 5), np.float32)


def writes_elsewhere(x, row):
    return np.add(x, row, out=memory)


def reads_elsewhere(x, row):
    return x + memory


def computes_over_itself(x, row):
    y = x.copy()
    np.add(y[1:], y[:-1], out=y[1:])
    return y


def copies_over_itself(x, row):
    y = x.copy()
    y[1:] = y[:-1]
    return y


def returns_a_part(x, row):
    return (x + row)[1:]


def returns_the_same_twice(x, row):
    y = x + row
    return y, y


REFUSED = {
    "it looks at all": lambda x, row: x * 2.0 if (x > 0).all() else x,
    "it asks whether a number holds": lambda x, row: x * 2.0 if row.sum() else x,
    "it takes a number": lambda x, row: x * row[0],
    "it makes a float": lambda x, row: x * float(row[:1]),
    "it asks where the largest stands": lambda x, row: x[row.argmax()],
    "it asks which are true": lambda x, row: x[row.nonzero()[0][0]],
    "it puts": lambda x, row: x.copy().put(0, 1.0),
    "it makes a list": lambda x, row: x * row.tolist()[0],
    "it chooses by a mask": lambda x, row: x[x > 0],
    "it takes by places": lambda x, row: x[[0, 1]],
    "it sorts": lambda x, row: np.sort(x),
    "it sorts in place": lambda x, row: x.copy().sort(),
    "it fills": lambda x, row: x.copy().fill(3.0),
    "it sums in double": lambda x, row: np.add.reduce(x, axis=0, dtype=float),
    "it accumulates": lambda x, row: np.add.accumulate(x),
    "it mixes dtypes": lambda x, row: np.add(x, row.astype(np.float64)),
    "it writes into another dtype": lambda x, row: np.add(x, row, out=np.empty_like(x, dtype=bool)),
    "it has two results": lambda x, row: np.modf(x)[0],
    "it decomposes": lambda x, row: np.linalg.norm(x) * x,
    "its memory has another order": lambda x, row: np.empty_like(x.T, shape=(5, 6)),
    "it copies in another order": lambda x, row: x.copy("F"),
    "it multiplies stacks by dot": lambda x, row: np.dot(x[None], x.T),
    "it asks where": lambda x, row: np.where(x > 0),
    "it chooses between dtypes": lambda x, row: np.where(x > 0, x, row.astype(np.float64)),
    "it adds where a mask says": lambda x, row: np.add(x, row, where=x > 0),
    **{
        function.__name__.replace("_", " "): function
        for function in (
            writes_what_it_is_given, depends_on_the_numbers, writes_elsewhere, reads_elsewhere,
            computes_over_itself, copies_over_itself, returns_a_part, returns_the_same_twice,
        )
    },
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.filterwarnings("ignore:Conversion of an array:DeprecationWarning")
def test_a_kernel_is_refused(name):
    assert recorded(*kernel(REFUSED[name])) is None


@pytest.mark.parametrize("dtype", [np.int64, np.bool, np.complex64])
def test_only_floats_are_recorded(dtype):
    forms = form(6, 5, dtype=dtype), form(5, dtype=dtype)
    assert recorded(lambda x, row: x + row, forms, None) is None


def test_what_cant_be_compared_is_not_recorded():
    assert recorded(lambda x, what: x + 1.0, (form(3), [3]), None) is None


def test_a_wrong_recording_is_not_used(monkeypatch):
    """An instruction that were left out, or another one, would be seen."""
    add = Recorder.add

    def forgets(self, kind, operands, detail):
        if detail is not np.tanh:
            add(self, kind, operands, detail)

    assert recorded(lambda x, row: np.tanh(x + row), (form(6, 5), form(5)), None)
    monkeypatch.setattr(Recorder, "add", forgets)
    assert recorded(lambda x, row: np.tanh(x + row) + 0.0, (form(6, 5), form(5)), None) is None


def test_nothing_is_recorded_afterwards():
    """A kernel that fails half-way leaves nobody listening."""
    with pytest.raises(ZeroDivisionError):
        recording._record(lambda x: 1 / 0, (form(3),), [np.zeros(3, np.float32)], [])
    assert session.recorder is None


def test_halves_are_of_recorded_kernels_only():
    seen = []
    by_halves(lambda part, x: seen.append(x[part]), 5, list(range(5)))
    assert seen == [[0, 1, 2, 3, 4]]

    def doubled(x):
        y = np.empty_like(x, order="C", shape=x.shape)
        by_halves(lambda part: np.multiply(x[part], 2.0, out=y[part]), len(x))
        return y

    found = recorded(doubled, (form(7),), None)
    assert [row[0] for row in found.rows] == ["both"]
    assert [len(part) for part in found.rows[0][2]] == [1, 1]
    assert recorded(doubled, (form(1),), None).rows[0][0] == "ufunc"


def chooses(x):
    y = np.empty_like(x, order="C", shape=x.shape)
    either(x > 0.0, lambda: np.multiply(x, 2.0, out=y), lambda: np.negative(x, out=y))
    return y


def test_one_of_two_ways_is_walked():
    """As the numbers are at each call; the mask is looked at there, too."""
    found = recorded(chooses, (form(3),), None)
    assert [row[0] for row in found.rows] == ["ufunc", "either"]
    assert found.count == 3
    x, y = np.zeros(3, np.float32), np.zeros(3, np.float32)
    walk = stretch_type()([], 0, found.on(scratch_of(found.size), x, y), None)
    for numbers in ([0.0, 0.0, 1.0], [-1.0, -2.0, -3.0], [1.0, -2.0, 3.0], [np.nan] * 3):
        x[...] = numbers
        walk()
        assert y.tobytes() == chooses(x).tobytes()


def test_one_of_two_ways_in_ordinary_code():
    assert chooses(np.float32([1.0, -1.0])).tolist() == [2.0, -2.0]
    assert chooses(np.float32([-1.0, -3.0])).tolist() == [1.0, 3.0]


def test_memory_that_is_not_known_has_no_part():
    recorder = Recorder()
    known = recorder.known(np.zeros(4))
    assert recorder.part(np.asarray(known)[1:]).offset == 8
    with pytest.raises(UnrecordedError, match="not known"):
        recorder.part(np.zeros(4))


def network(name):
    torch_like = {
        "conv": lambda: nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.Flatten(),
                                      nn.Linear(8 * 64, 2)),
        "lstm": lambda: nn.LSTM(4, 8, 2, batch_first=True),
        "gru": lambda: nn.GRU(4, 8, batch_first=True, bidirectional=True),
        "rnn": lambda: nn.RNN(4, 8, batch_first=True),
    }  # fmt: skip
    aino.manual_seed(0)
    shape = (5, 3, 8, 8) if name == "conv" else (5, 6, 4)
    return torch_like[name](), aino.randn(*shape)


@pytest.mark.parametrize("name", ["conv", "lstm", "gru", "rnn"])
def test_networks_are_walked_whole(name):
    """Their kernels are in the table, and the numbers are those of the program in Python."""
    found = {}
    for backend in ("native", "numpy"):
        model, x = network(name)
        optimizer = aino.optim.Adam(model.parameters(), lr=0.01)

        def step(x, model=model, optimizer=optimizer):
            optimizer.zero_grad()
            y = model(x)
            loss = ((y if name == "conv" else y[0]) ** 2).mean()
            loss.backward()
            optimizer.step()
            return loss

        step = aino.compile(step, backend=backend, fullgraph=True)
        for _ in range(4):
            loss = step(x)
        found[backend] = [loss.item(), *[p.detach().numpy().tobytes() for p in model.parameters()]]
        if backend == "native":
            assert step.code.count("_steps.on(") >= 2
    assert found["native"] == found["numpy"]
