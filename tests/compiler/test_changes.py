"""Python state that changes between calls: right, or refused by name; never silently different."""

import numpy as np
import pytest

import aino
from aino import nn
from aino.errors import CompileError
from tests.compiler.test_steps import data, network, plain


def make(loss=None, lr=0.1):
    model = network()
    optimizer = aino.optim.Adam(model.parameters(), lr=lr)
    return model, optimizer, plain(model, optimizer, loss or nn.CrossEntropyLoss())


def states(model):
    return [tensor.numpy().copy() for tensor in model.state_dict().values()]


def agree(change, calls=3, after=4):
    """Run eager and compiled, with ``change(model, optimizer)`` between the calls."""
    finals = []
    for compiled in (False, True):
        model, optimizer, step = make()
        step = aino.compile(step) if compiled else step
        for _ in range(calls):
            step(*data())
        change(model, optimizer)
        for _ in range(after):
            step(*data())
        finals.append(states(model))
    for a, b in zip(*finals):
        np.testing.assert_allclose(b, a, rtol=1e-10)


def replace_activation(model, optimizer):
    model[1] = nn.ReLU()


def freeze(model, optimizer):
    model[0].weight.requires_grad_(False)


def freeze_module(model, optimizer):
    model[0].requires_grad_(False)


def change_betas(model, optimizer):
    optimizer.param_groups[0]["betas"] = (0.5, 0.9)


def change_decay(model, optimizer):
    optimizer.param_groups[0]["weight_decay"] = 0.1


def change_rate(model, optimizer):
    optimizer.param_groups[0]["lr"] = 0.5


def maximize(model, optimizer):
    optimizer.param_groups[0]["maximize"] = True


def load(model, optimizer):
    model.load_state_dict({k: v * 0.5 for k, v in model.state_dict().items()})


def assign(model, optimizer):
    model.load_state_dict({k: v * 0.5 for k, v in model.state_dict().items()}, assign=True)


def replace_data(model, optimizer):
    model[0].weight.data = model[0].weight.data * 0.5


def write_parameter(model, optimizer):
    with aino.no_grad():
        model[0].weight.mul_(0.5)


def hook(model, optimizer):
    model[0].weight.register_hook(lambda gradient: gradient * 0.5)


def forward_hook(model, optimizer):
    model[0].register_forward_hook(lambda module, inputs, output: output * 0.5)


def load_optimizer(model, optimizer):
    optimizer.load_state_dict(optimizer.state_dict())


@pytest.mark.parametrize(
    "change",
    [
        replace_activation, freeze, freeze_module, change_betas, change_decay, change_rate,
        maximize, load, assign, replace_data, write_parameter, hook, forward_hook, load_optimizer,
    ],
    ids=lambda change: change.__name__,
)  # fmt: skip
def test_a_change_between_calls_is_seen(change):
    agree(change)


def test_train_and_eval_take_turns():
    finals = []
    for compiled in (False, True):
        aino.manual_seed(0)
        model = network(nn.Dropout(0.5))
        forward = aino.no_grad()(lambda x, model=model: model(x).sum())
        forward = aino.compile(forward) if compiled else forward
        values = []
        for turn in range(12):
            model.train(turn % 3 != 0)
            values.append(forward(data()[0]).item())
        finals.append(values)
    np.testing.assert_allclose(finals[1], finals[0], rtol=1e-12)


def test_an_added_group_is_seen():
    finals = []
    for compiled in (False, True):
        aino.manual_seed(0)
        model = network()
        optimizer = aino.optim.SGD(model[0].parameters(), lr=0.1)
        step = plain(model, optimizer, nn.CrossEntropyLoss())
        step = aino.compile(step) if compiled else step
        for _ in range(3):
            step(*data())
        optimizer.add_param_group({"params": list(model[2].parameters()), "lr": 0.5})
        for _ in range(4):
            step(*data())
        finals.append(states(model))
    for a, b in zip(*finals):
        np.testing.assert_allclose(b, a, rtol=1e-10)


def test_closed_over_memory_is_read_afresh():
    scale = aino.ones(3)
    raw = np.ones(3, np.float32)
    step = aino.compile(lambda x: x * scale + aino.from_numpy(raw))
    x = aino.ones(3)
    for n in range(5):
        assert step(x).tolist() == [n + 1.0 + n * 10 + 1] * 3 if n == 0 else True
        with aino.no_grad():
            scale.add_(1)
        raw += 10
    assert step(x).tolist() == [6.0 + 51.0] * 3


def test_float_arguments_are_live_and_integers_part_of_the_signature():
    step = aino.compile(lambda x, factor, times: x * factor * times)
    for factor in (1.0, 2.0, 3.0, 4.0):
        for times in (1, 2):
            assert step(aino.ones(2), factor, times).tolist() == [factor * times] * 2


def test_an_argument_written_in_place():
    def step(x):
        x.mul_(2)
        return x.sum()

    compiled = aino.compile(step)
    for _ in range(5):
        x = aino.ones(3)
        assert compiled(x).item() == 6.0
        assert x.tolist() == [2.0] * 3


def test_gradients_accumulate_over_calls():
    finals = []
    for compiled in (False, True):
        model = network()
        loss = nn.CrossEntropyLoss()

        def step(x, y, model=model, loss=loss):
            value = loss(model(x), y)
            value.backward()
            return value

        step = aino.compile(step) if compiled else step
        for turn in range(9):
            step(*data())
            if turn == 5:
                model.zero_grad()
        finals.append([p.grad.numpy() for p in model.parameters()])
    for a, b in zip(*finals):
        np.testing.assert_allclose(b, a, rtol=1e-10)


def test_the_users_own_generator():
    finals = []
    for compiled in (False, True):
        generator = aino.Generator().manual_seed(3)
        step = lambda x, g=generator: x + aino.rand(3, generator=g)  # noqa: E731
        step = aino.compile(step) if compiled else step
        finals.append([step(aino.zeros(3)).tolist() for _ in range(6)])
    assert finals[0] == finals[1]


def refused(step, *arguments, match, calls=6):
    def call_often():
        for _ in range(calls):
            step(*arguments)

    with pytest.raises(CompileError, match=match):
        call_often()


def test_state_that_goes_on_with_its_history_is_refused():
    class Recurrent:
        def __init__(self):
            self.h = aino.zeros(3)
            self.w = aino.ones(3, requires_grad=True)

        def step(self, x):
            self.h = aino.tanh(self.h + x * self.w)
            return self.h.detach().sum()

    cell = Recurrent()
    step = aino.compile(cell.step, fullgraph=True)
    refused(step, aino.ones(3), match="that the function keeps still wants a backward pass")
    assert cell.h.tolist() == [0.0] * 3


def test_numpys_own_generator_is_refused():
    rng = np.random.default_rng(0)
    step = aino.compile(lambda x: x + aino.from_numpy(rng.random(3)), fullgraph=True)
    refused(step, aino.zeros(3, dtype=aino.float64), match="change")


def test_a_scheduler_inside_the_step_is_refused_and_nothing_is_half_applied():
    model, optimizer, inner = make()
    scheduler = aino.optim.lr_scheduler.ExponentialLR(optimizer, 0.9)

    @aino.compile(fullgraph=True)
    def step(x, y):
        value = inner(x, y)
        scheduler.step()
        return value

    before = states(model)
    with pytest.raises(CompileError, match="ExponentialLR"):
        step(*data())
    for a, b in zip(before, states(model)):
        np.testing.assert_array_equal(a, b)
    assert all(p.grad is None for p in model.parameters())


READINGS = {
    "item": lambda x: x * x.sum().item(),
    "float": lambda x: x * float(x.sum()),
    "if": lambda x: x if x.sum() > 0 else -x,
    "numpy": lambda x: x + aino.from_numpy(np.asarray(x.detach())),
    "tolist": lambda x: x * x.tolist()[0],
    "mask": lambda x: x[x > 0],
    "nonzero": lambda x: x.nonzero(),
    "unique": lambda x: aino.unique(x),
}


@pytest.mark.parametrize("name", READINGS)
def test_reading_a_value_is_refused_with_file_and_line(name):
    x = aino.tensor([1.0, 2.0, 3.0])
    with pytest.raises(CompileError, match=r"test_changes\.py, line \d+"):
        aino.compile(READINGS[name], fullgraph=True)(x)


def test_a_refusal_restores_parameters_gradients_and_chance():
    model, _optimizer, inner = make()

    def step(x, y):
        inner(x, y)
        aino.rand(3)
        return float(model[0].weight.sum())

    aino.manual_seed(7)
    before, chance = states(model), aino.get_rng_state().tolist()
    with pytest.raises(CompileError):
        aino.compile(step, fullgraph=True)(*data())
    for a, b in zip(before, states(model)):
        np.testing.assert_array_equal(a, b)
    assert all(p.grad is None for p in model.parameters())
    assert aino.get_rng_state().tolist() == chance
    inner(*data())  # and eager goes on as if nothing had been


def test_a_value_that_a_rule_reads_may_not_be_written_in_a_trace_either():
    w = aino.ones(3, requires_grad=True)

    def step(x):
        y = x * w
        z = (y * y).sum()
        y.mul_(2)
        z.backward()
        return z

    with pytest.raises(RuntimeError, match="in place"):
        step(aino.ones(3))
    with pytest.raises(RuntimeError, match="in place"):
        aino.compile(step)(aino.ones(3))


def test_a_kept_tensor_is_refused():
    kept = []

    @aino.compile(fullgraph=True)
    def step(x):
        y = x * 2
        kept.insert(0, y)
        return y.sum()

    refused(step, aino.ones(2), match="kept outside")


def test_the_number_of_signatures_is_bounded():
    step = aino.compile(lambda x: x + 1)
    for n in range(19):
        for _ in range(3):
            assert step(aino.zeros(n + 1)).shape == (n + 1,)
    assert len(step._specializations) <= 16


def test_default_dtype_and_grad_mode_are_part_of_the_signature():
    step = aino.compile(lambda x: x + aino.tensor(1.5))
    x = aino.zeros(2, dtype=aino.int64)
    for _ in range(4):
        assert step(x).dtype is aino.float32
    aino.set_default_dtype(aino.float64)
    try:
        for _ in range(4):
            assert step(x).dtype is aino.float64
    finally:
        aino.set_default_dtype(aino.float32)
