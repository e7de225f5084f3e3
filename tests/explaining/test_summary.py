"""``aino.summary``: what it counts, against figures by hand, and that it changes nothing."""

from __future__ import annotations

import random
import threading

import numpy as np
import pytest

import aino
from aino import nn
from aino.autograd.tensor import Tensor
from aino.errors import AinoError
from aino.nn import functional as F
from tests.nn.rows import ROWS

pytestmark = pytest.mark.filterwarnings("ignore")

#: Module, size of its input -> parameters, multiply-adds; counted by hand. torchinfo 1.8 says the
#: same where the module has no bias and works on a batch of rows; beyond that it multiplies every
#: parameter by the length of the batch, biases, scales and rows of an embedding included, counts
#: a sequence of rows as one, and of a transposed convolution the size of its output.
COUNTED = {
    "Linear": (lambda: nn.Linear(5, 7, bias=False), (3, 5), 35, 3 * 5 * 7),
    "Linear with bias": (lambda: nn.Linear(5, 7), (3, 5), 42, 3 * 5 * 7),
    "Linear over a sequence": (lambda: nn.Linear(5, 7), (3, 6, 5), 42, 3 * 6 * 5 * 7),
    "Conv1d": (lambda: nn.Conv1d(3, 8, 3, bias=False), (2, 3, 10), 72, 2 * 8 * 8 * 9),
    "Conv2d": (
        lambda: nn.Conv2d(3, 8, 3, padding=1, bias=False), (2, 3, 8, 8), 216, 2 * 8 * 64 * 27),
    "Conv2d of groups": (
        lambda: nn.Conv2d(4, 8, 3, groups=2, bias=False), (2, 4, 8, 8), 144, 2 * 8 * 36 * 18),
    "ConvTranspose2d": (
        lambda: nn.ConvTranspose2d(3, 8, 2, stride=2), (2, 3, 8, 8), 104, 2 * 3 * 64 * 32),
    "LSTM": (
        lambda: nn.LSTM(5, 7, batch_first=True, bias=False), (4, 6, 5), 336, 24 * 28 * (5 + 7)),
    "GRU": (
        lambda: nn.GRU(5, 7, batch_first=True, bias=False), (4, 6, 5), 252, 24 * 21 * (5 + 7)),
    "RNN": (lambda: nn.RNN(5, 7, batch_first=True), (4, 6, 5), 98, 24 * 7 * (5 + 7)),
    "LSTMCell": (lambda: nn.LSTMCell(5, 7), (4, 5), 392, 4 * 28 * (5 + 7)),
    "BatchNorm2d": (lambda: nn.BatchNorm2d(3), (2, 3, 4, 4), 6, 0),
    "Layer": (lambda: nn.Layer(4, 3), (8, 4), 15, 8 * 4 * 3),
    "Bilinear": (
        lambda: nn.Bilinear(2, 3, 4), [(5, 2), (5, 3)], 28, None),
}  # fmt: skip


@pytest.mark.parametrize("name", COUNTED)
def test_parameters_and_multiply_adds(name):
    make, size, parameters, multiply_adds = COUNTED[name]
    found = aino.summary(make(), size)
    assert found.total_parameters == parameters
    if multiply_adds is not None:
        assert found.total_multiply_adds == multiply_adds
    assert found.rows[0].measured.multiply_adds == found.total_multiply_adds


def test_attention_counts_four_projections_and_two_products():
    length, width = 6, 8
    model = nn.MultiheadAttention(width, 2, batch_first=True)
    x = aino.zeros(1, length, width)
    counted = 4 * length * width * width + 2 * length * length * width
    assert aino.summary(model, (x, x, x)).total_multiply_adds == counted


class Net(nn.Module):
    """Shared modules, frozen weights, a module that does nothing, and one called three times."""

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4), nn.Dropout(0.5))
        self.step = nn.Linear(4, 4)
        self.again = self.step
        self.unused = nn.Linear(100, 100)
        self.body[0].weight.requires_grad_(False)

    def forward(self, x, *, scale=1.0):
        x = self.body(x) * scale
        for _ in range(3):
            x = self.step(x).relu()
        return {"mean": x.mean(), "all": (x, [x * 2.0])}


def test_rows_say_what_each_module_did():
    found = aino.summary(Net(), aino.ones(2, 4))
    rows = {row.path: row for row in found.rows}
    assert list(rows) == [
        "", "body", "body.0", "body.1", "body.2", "step", "again", "unused",
    ]  # fmt: skip
    assert rows["step"].measured.calls == 3
    assert rows["step"].measured.multiply_adds == 3 * 2 * 16
    assert rows["again"].shared == "step"
    assert rows["body"].trainable == "partly"
    assert found.total_parameters == 20 + 8 + 20 + 10100
    assert found.trainable_parameters == found.total_parameters - 16
    text = str(found)
    assert "step: Linear × 3" in text
    assert "(as step)" in text
    assert "not run" in text
    assert "{mean: (), all: [(2, 4), (2, 4)]}" in text


def test_depth_folds():
    text = str(aino.summary(Net(), aino.ones(2, 4), depth=1))
    assert "body: Sequential" in text
    assert "BatchNorm1d" not in text


def test_nothing_changes():
    model = Net()
    model.train()
    model.body[2].eval()
    x = aino.ones(3, 4, requires_grad=True)
    model(x)["mean"].backward()
    before = {key: value.numpy().copy() for key, value in model.state_dict().items()}
    gradients = [None if p.grad is None else p.grad.numpy().copy() for p in model.parameters()]
    modes = [module.training for module in model.modules()]
    parameters = list(model.parameters())
    states = aino.get_rng_state().tolist(), random.getstate(), np.random.get_state()[1].tolist()
    for mode in ("eval", "train", "same"):
        aino.summary(model, x, mode=mode)
    assert [module.training for module in model.modules()] == modes
    for key, value in model.state_dict().items():
        np.testing.assert_array_equal(value.numpy(), before[key])
    for p, gradient, same in zip(model.parameters(), gradients, parameters, strict=True):
        assert p is same
        assert (p.grad is None) == (gradient is None)
        if gradient is not None:
            np.testing.assert_array_equal(p.grad.numpy(), gradient)
    after = aino.get_rng_state().tolist(), random.getstate(), np.random.get_state()[1].tolist()
    assert states == after
    assert all(not module._hooks for module in model.modules())


def test_a_model_that_raises_is_left_as_it_was():
    model = Net()
    with pytest.raises(Exception, match="4"):
        aino.summary(model, aino.ones(2, 5))
    assert model.training
    assert all(not module._hooks for module in model.modules())


def test_memory_is_measured():
    # Of 1000 float64 numbers: tanh returns them anew and keeps its result; so does exp; a view
    # and an operation in place return nothing new.
    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.tanh, self.flat, self.relu = nn.Tanh(), nn.Flatten(), nn.ReLU(inplace=True)

        def forward(self, x):
            return self.relu(self.flat(self.tanh(x))).sum()

    x = aino.zeros(10, 100, dtype=aino.float64, requires_grad=True)
    rows = {row.name: row.measured for row in aino.summary(Model(), x).rows}
    assert (rows["tanh"].forward, rows["tanh"].backward) == (8000, 8000)
    assert rows["flat"].forward == rows["relu"].forward == 0
    # Nothing asks for a gradient, so nothing is kept.
    assert aino.summary(Model(), x.detach()).backward_bytes == 0


def test_what_is_kept_is_what_a_backward_pass_frees():
    model = nn.Sequential(nn.Linear(8, 16), nn.Tanh(), nn.Linear(16, 1))
    x = aino.randn(32, 8)
    found = aino.summary(model, x)
    # x is the caller's, tanh keeps its result, which the second layer keeps, too.
    assert found.backward_bytes == 32 * 16 * 4


class Several(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Linear(3, 2), nn.Embedding(10, 2)

    def forward(self, x, index):
        return self.first(x) + self.second(index)


@pytest.mark.parametrize(
    ("given", "options"),
    [
        ((aino.ones(4, 3), aino.tensor([1, 2, 3, 0])), {}),
        ([np.ones((4, 3), np.float32), np.array([1, 2, 3, 0])], {}),
        ({"index": aino.tensor([1, 2, 3, 0]), "x": aino.ones(4, 3)}, {}),
        ([(4, 3), (4,)], {"dtypes": [np.float32, np.int64]}),
    ],
    ids=["tuple", "arrays", "dict", "sizes"],
)
def test_several_inputs(given, options):
    found = aino.summary(Several(), given, **options)
    assert found.rows[0].measured.output == (4, 2)
    assert found.total_multiply_adds == 4 * 3 * 2


def test_lazy_modules_are_given_shapes_in_a_copy():
    model = nn.Sequential(nn.LazyLinear(3), nn.ReLU())
    assert aino.summary(model, (2, 5)).total_parameters == 18
    assert isinstance(model[0], nn.LazyLinear)
    assert "LazyLinear" in str(aino.summary(model))


def test_packed_sequences():
    packed = nn.utils.rnn.pack_sequence([aino.ones(3, 2), aino.ones(1, 2)])
    found = aino.summary(nn.GRU(2, 4), input_data=(packed,))
    assert found.total_multiply_adds == 4 * (12 * 2 + 12 * 4)


def test_without_input():
    found = aino.summary(Net())
    assert found.total_multiply_adds is None
    assert "multiply-adds" not in str(found)
    assert "10,148" in str(found)


def test_columns():
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten(), nn.Linear(8, 1))
    every = list(aino.explaining.table.COLUMNS)
    text = str(aino.summary(model, (1, 1, 4, 4), col_names=every))
    for word in ("(3, 3)", "float32", "(1, 1, 4, 4)", "(1, 2, 2, 2)", "69.0 %", "yes"):
        assert word in text
    with pytest.raises(ValueError, match=r"no column 'size'.*input_size"):
        aino.summary(model, col_names=["size"])


def test_html():
    found = aino.summary(Net(), aino.ones(2, 4))
    page = found.html()
    assert page.startswith("<!doctype html>")
    assert found._repr_html_() in page
    for tag in ("table", "tr", "td", "th", "div", "dl", "dd"):
        assert page.count(f"<{tag}>") + page.count(f"<{tag} ") == page.count(f"</{tag}>")
    assert "<b>step</b>" in page


MISTAKES = {
    "a class": (lambda: aino.summary(nn.Linear), TypeError, "make a module of it"),
    "no module": (lambda: aino.summary(3), TypeError, "takes a module, not int"),
    "two inputs": (
        lambda: aino.summary(nn.ReLU(), (1, 2), input_data=aino.ones(1)), TypeError, "one of"),
    "a bad size": (
        lambda: aino.summary(nn.ReLU(), input_size=(1.5,)), TypeError, "whole numbers"),
    "a bad mode": (lambda: aino.summary(nn.ReLU(), mode="fast"), ValueError, "'eval', 'train'"),
    "a bad depth": (lambda: aino.summary(nn.ReLU(), depth=-1), ValueError, "depth"),
    "dtypes that are missing": (
        lambda: aino.summary(nn.ReLU(), [(1,), (2,)], dtypes=[np.float32]), ValueError, "1 dtypes"),
}  # fmt: skip


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes(name):
    call, error, message = MISTAKES[name]
    with pytest.raises(error, match=message):
        call()


def first_of_each():
    found = {}
    for row in ROWS:
        found.setdefault(row.name, row)
    return list(found.values())


@pytest.mark.parametrize("row", first_of_each(), ids=lambda row: row.name)
def test_every_module_can_be_summed_up(row):
    module = row.make()
    inputs = [
        aino.tensor(array) if isinstance(array, np.ndarray) else array
        for array in row.draw(np.float32)
    ]
    try:
        expected = module.eval()(*inputs)
    except AinoError:
        pytest.skip("its class alone computes nothing")
    found = aino.summary(module, input_data=tuple(inputs))
    assert found.total_parameters == sum(p.numel() for p in module.parameters())
    if isinstance(expected, Tensor):
        assert found.rows[0].measured.output == tuple(expected.shape)
    assert found.rows[0].kind in str(found)
    assert found.rows[0].measured.calls == 1


class Computes(nn.Module):
    """What a function makes of a 5 × 4 input and weights of 4 × 3."""

    def __init__(self, function):
        super().__init__()
        self.function = function
        self.weight = nn.Parameter(aino.ones(4, 3))

    def forward(self, x):
        return self.function(x, self.weight)


def without_gradients(x, w):
    with aino.no_grad():
        return x @ w


def in_inference_mode(x, w):
    with aino.inference_mode():
        return x @ w


def by_a_function(x, w):
    class Product(aino.autograd.Function):
        @staticmethod
        def forward(ctx, a, b):
            return a @ b

        @staticmethod
        def backward(ctx, g):
            return None, None

    return Product.apply(x, w)


def with_a_backward_pass(x, w):
    inside = x.detach().requires_grad_()
    (slope,) = aino.autograd.grad((inside @ w).square().sum(), inside, create_graph=True)
    return slope


#: What runs -> its multiply-adds, whether it is recorded or not.
RUNS = {
    "plain": (lambda x, w: x @ w, 60),
    "detached": (lambda x, w: x.detach() @ w.detach(), 60),
    "no_grad": (without_gradients, 60),
    "inference_mode": (in_inference_mode, 60),
    "Function": (by_a_function, 60),
    "integers": (lambda x, w: (x > 0).long() @ (w > 0).long(), 60),
    "checkpoint": (
        lambda x, w: aino.utils.checkpoint.checkpoint(aino.matmul, x, w, use_reentrant=False), 60),
    "reentrant checkpoint": (
        lambda x, w: aino.utils.checkpoint.checkpoint(aino.matmul, x, w, use_reentrant=True), 60),
    "compiled": (aino.compile(lambda x, w: x @ w), 60),
    "vmap": (lambda x, w: aino.func.vmap(lambda row: row @ w)(x), 60),
    "vmap twice": (
        lambda x, w: aino.func.vmap(aino.func.vmap(aino.dot, (None, 1)), (0, None))(x, w), 60),
    "vmap of a layer": (
        lambda x, w: aino.func.vmap(lambda row: F.linear(row, w.T))(x.reshape(5, 1, 4)), 60),
    "vmap of attention": (
        lambda x, w: aino.func.vmap(F.scaled_dot_product_attention)(*[x.reshape(5, 2, 2)] * 3),
        5 * 2 * 2 * (2 + 2)),
    "jvp": (lambda x, w: aino.func.jvp(lambda a: a @ w, (x,), (x,))[0], 60),
    "backward": (with_a_backward_pass, 60),
    "keywords": (lambda x, w: F.linear(input=x, weight=w.T), 60),
    "einsum": (lambda x, w: aino.einsum("bi,ij->bj", x, w), 60),
    "attention": (
        lambda x, w: F.scaled_dot_product_attention(x, x, x, is_causal=True), 5 * 5 * (4 + 4)),
    "many heads of attention": (
        lambda x, w: F.scaled_dot_product_attention(*[x.reshape(5, 2, 2, 1)] * 3),
        5 * 2 * 2 * 2 * (1 + 1)),
    "dilated": (lambda x, w: F.conv1d(x.reshape(1, 4, 5), w.reshape(2, 2, 3), dilation=2,
                                      groups=2), 2 * 1 * 2 * 3),
    "transposed": (lambda x, w: F.conv_transpose1d(x.reshape(1, 4, 5), w.reshape(4, 1, 3),
                                                   groups=2), 4 * 5 * 3),
}  # fmt: skip


@pytest.mark.parametrize("name", RUNS)
def test_what_ran_is_counted_recorded_or_not(name):
    function, counted = RUNS[name]
    found = aino.summary(Computes(function), (5, 4))
    assert found.total_multiply_adds == counted


def test_what_other_threads_compute_is_theirs():
    def elsewhere(x, w):
        thread = threading.Thread(target=lambda: x @ w)
        thread.start()
        thread.join()
        return x @ w

    assert aino.summary(Computes(elsewhere), (5, 4)).total_multiply_adds == 60


def test_packed_sequences_count_their_rows():
    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.lstm = nn.LSTM(4, 6, batch_first=True, bidirectional=True)

        def forward(self, x):
            packed = nn.utils.rnn.pack_padded_sequence(x, [5, 3], batch_first=True)
            return self.lstm(packed)[1]

    found = aino.summary(Model(), (2, 5, 4))
    assert found.total_multiply_adds == 2 * (5 + 3) * 24 * (4 + 6)


@pytest.mark.parametrize("calls", [0, 3])
def test_compiled_modules_are_modules(calls):
    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.second = aino.compile(nn.Linear(4, 4)), nn.Linear(4, 2)

        def forward(self, x):
            return self.second(self.first(x))

    model = Model()
    for _ in range(calls):
        model(aino.ones(2, 4))
    for one in (model, aino.compile(model)):
        found = aino.summary(one, (2, 4))
        assert [row.measured.multiply_adds for row in found.rows] == [48, 32, 16]
        assert [row.measured.calls for row in found.rows] == [1, 1, 1]


def test_lazy_modules():
    model = nn.Sequential(nn.LazyLinear(4), nn.Linear(4, 2))
    assert "and those of lazy modules" in str(aino.summary(model))
    state = aino.get_rng_state().tolist()
    assert aino.summary(model, (2, 7)).total_parameters == 32 + 10
    assert aino.get_rng_state().tolist() == state
    assert repr(model[0]).startswith("LazyLinear")
