"""What a program takes for granted about memory, identity and names: it notices, or refuses."""

import copy
import threading

import numpy as np
import pytest

import aino
from aino import nn
from aino.errors import CompileError

SCALE = 2.0


def plain(item):
    """Return a result with arrays in the places of tensors, comparable."""
    if isinstance(item, aino.Tensor):
        return str(item.dtype), item.detach().tolist()
    if isinstance(item, (list, tuple)):
        return [plain(part) for part in item]
    return item


def agree(program):
    """Run ``program(compile)`` eager and compiled; what they return must be the same."""
    found = []
    for transform in (lambda function: function, aino.compile):
        aino.manual_seed(0)
        found.append(plain(program(transform)))
    assert found[0] == found[1]


def test_one_array_given_twice_and_two_arrays_are_told_apart():
    def program(transform):
        f = transform(lambda a, b: a * b + a)
        x, y = aino.tensor([1.0, 2.0]), aino.tensor([5.0, 7.0])
        return [f(*pair) for pair in [(x, x)] * 3 + [(x, y), (y, x), (y, y)]]

    agree(program)


@pytest.mark.parametrize("late", [False, True])
def test_an_argument_within_memory_that_is_written_is_refused(late):
    w = aino.ones(3, requires_grad=True)

    @aino.compile(fullgraph=True)
    def step(v):
        with aino.no_grad():
            w.mul_(2.0)
        return (v + w[0]).sum().detach()

    if late:
        for _ in range(3):
            step(aino.ones(2))
    before = w.tolist()
    with pytest.raises(CompileError, match="argument v shares memory"):
        step(w.detach()[1:])
    assert w.tolist() == before


MEMORY = np.ones(8, np.float32)


def in_buffer(first, count):
    """Return a view of an array of its own in memory that belongs to neither."""
    return np.frombuffer(memoryview(MEMORY), np.float32, count, 4 * first).reshape(-1)


@pytest.mark.parametrize("weight", [lambda: in_buffer(0, 4), lambda: MEMORY[:4]])
@pytest.mark.parametrize("argument", [lambda: in_buffer(2, 4), lambda: MEMORY[2:6]])
def test_an_argument_in_memory_of_others_is_looked_for_in_what_is_written(weight, argument):
    MEMORY[...] = np.arange(8.0)
    w = aino.from_numpy(weight())

    @aino.compile(fullgraph=True)
    def step(v):
        w.mul_(2.0)
        return (v + w).sum()

    for _ in range(3):
        step(aino.ones(4))
    before = w.tolist()
    with pytest.raises(CompileError, match="argument v shares memory"):
        step(aino.from_numpy(argument()))
    assert w.tolist() == before
    other = np.frombuffer(bytearray(16), np.float32).reshape(-1)
    assert step(aino.from_numpy(other)).item() == 2.0 * sum(before)


WEIGHT = aino.ones(2)


def test_a_tensor_that_the_function_holds_is_told_from_an_argument():
    model = nn.Linear(2, 2)
    parts = {"w": aino.ones(2)}
    held = [
        (lambda w: w + WEIGHT, WEIGHT),
        (lambda w: w + parts["w"], parts["w"]),
        (lambda w: w + sum(parts.values()), parts["w"]),
        (lambda w: w + model(WEIGHT).detach(), model.bias),
    ]
    for function, tensor in held:
        with aino.no_grad():
            for first, second in ((tensor, tensor.detach() * 7), (tensor.detach() * 7, tensor)):
                step = aino.compile(function)
                found = [step(x).tolist() for x in [first] * 3 + [second] * 3 + [first, second]]
                assert found == [
                    function(x).tolist() for x in [first] * 3 + [second] * 3 + [first, second]
                ]


def test_one_dictionary_given_again_with_other_tensors_has_one_program():
    batch, nested = {}, {"parts": [None, (None,)]}
    step = aino.compile(lambda b, n: b["x"] * 2 + sum(n["parts"][1]) + len(list(b.items())))
    for turn in range(60):
        batch["x"] = aino.ones(2) * turn
        nested["parts"][1] = (aino.ones(2) * turn,)
        assert step(batch, nested).tolist() == [turn * 3.0 + 1] * 2
    assert repr(step).endswith("1 of 1 signatures ready>")


def test_a_dictionary_that_is_given_and_read_by_name_is_both():
    settings = {"k": 1.0}
    step = aino.compile(lambda x, d: x * settings["k"] + d["k"])
    found = []
    for given, value in ((settings, 1.0), ({"k": 3.0}, 1.0), (settings, 2.0)):
        settings["k"] = value
        found += [step(aino.ones(1), given).item() for _ in range(3)]
    assert found == [2.0] * 3 + [4.0] * 3 + [4.0] * 3


@pytest.mark.parametrize("count", [3, 9])
def test_many_arguments_that_are_written(count):
    def step(*tensors):
        for position, x in enumerate(tensors):
            x.add_(position)
        return sum(tensors[1:], tensors[0] * 1)

    compiled = aino.compile(step, fullgraph=True)
    memory = aino.zeros(2 * count)
    for _ in range(4):
        compiled(*[memory[2 * k : 2 * k + 2] for k in range(count)])
    assert memory.tolist() == [4.0 * (k // 2) for k in range(2 * count)]
    overlapping = [memory[2 * k : 2 * k + 2] for k in range(count - 1)] + [memory[1:3]]
    with pytest.raises(CompileError, match="shares memory"):
        compiled(*overlapping)
    assert memory.tolist() == [4.0 * (k // 2) for k in range(2 * count)]


def test_arguments_that_overlap_are_refused_where_one_is_written():
    @aino.compile(fullgraph=True)
    def step(a, b):
        a.mul_(2)
        return (a + b).sum()

    for _ in range(3):
        step(aino.ones(2), aino.ones(2))
    z = aino.ones(3)
    with pytest.raises(CompileError, match="shares memory"):
        step(z[:2], z[1:])


def test_gradients_and_hooks_of_arguments():
    def program(transform):
        f = transform(lambda x: (x * x).sum().backward())
        found = []
        for turn in range(9):
            if turn % 4 == 0:
                x = aino.tensor([1.0, turn], requires_grad=True)
            if turn == 7:
                x.register_hook(lambda gradient: gradient * 10)
            f(x)
            found.append(x.grad.clone())
        return found

    agree(program)


def test_what_is_returned_is_the_tensor_itself():
    w = aino.ones(3, requires_grad=True)

    @aino.compile
    def step(x):
        y = x * 2
        return x, w, y, y

    for _ in range(4):
        x = aino.ones(3)
        first, second, third, fourth = step(x)
        assert first is x
        assert second is w
        assert third is fourth


def test_a_returned_gradient_belongs_to_the_caller():
    model = nn.Linear(3, 2)

    @aino.compile
    def step(x):
        model.zero_grad()
        model(x).sum().backward()
        return x.grad, model.weight.grad

    for _ in range(4):
        x = aino.rand(4, 3).requires_grad_()
        found = step(x)
        assert found[0].tolist() == x.grad.tolist()
        assert found[1].tolist() == model.weight.grad.tolist()


def test_a_returned_leaf_of_the_step_is_refused():
    with pytest.raises(CompileError, match="requires grad"):
        aino.compile(lambda x: (x * 2).requires_grad_(), fullgraph=True)(aino.ones(2))


def test_memory_that_is_filled_piece_by_piece_is_returned():
    def program(transform):
        f = transform(lambda: aino.empty(3).uniform_())
        return [f() for _ in range(4)]

    agree(program)


def test_seeding_in_the_step_is_part_of_it():
    def program(transform):
        def step(x):
            before = aino.rand(2)
            aino.manual_seed(3)
            return before, x + aino.rand(2)

        f = transform(step)
        return [f(aino.ones(2)) for _ in range(5)] + [aino.rand(2)]

    agree(program)


def test_reading_the_state_of_a_generator_is_refused():
    with pytest.raises(CompileError, match="state of a generator"):
        aino.compile(lambda x: x + aino.get_rng_state().sum(), fullgraph=True)(aino.ones(2))


def test_branches_on_a_live_number_have_programs_of_their_own():
    def program(transform):
        f = transform(lambda x, t: x * 2 if t > 0.5 else x * 3)
        return [f(aino.ones(1), t) for t in (0.1, 0.9, 0.2, 0.8, 0.3, 0.7, 0.5, 0.6)]

    agree(program)


def test_accumulation_over_two_calls():
    def program(transform):
        model = nn.Linear(3, 2)
        optimizer = aino.optim.Adam(model.parameters(), lr=0.1)

        def step(x):
            (model(x) ** 2).mean().backward()

        f = transform(step)
        for turn in range(9):
            f(aino.ones(4, 3) * turn)
            if turn % 2:
                optimizer.step()
                optimizer.zero_grad()
        return [np.round(p.detach().numpy(), 5).tolist() for p in model.parameters()]

    agree(program)


def test_a_live_number_fills_tensors():
    def program(transform):
        f = transform(lambda x, t: (aino.full((2,), t), aino.tensor(t) * x, aino.full_like(x, t),
                                    x.clone().fill_(t)))  # fmt: skip
        return [f(aino.ones(2), t) for t in (0.25, 0.5, 2.0, 4.0)]

    agree(program)


def test_live_clipping_limits():
    def program(transform):
        w = aino.tensor([3.0, 4.0], requires_grad=True)

        def step(limit):
            w.grad = None
            (w * w).sum().backward()
            norm = nn.utils.clip_grad_norm_([w], limit)
            nn.utils.clip_grad_value_([w], limit)
            return norm, w.grad.clone()

        f = transform(step)
        return [f(limit) for limit in (1.0, 2.0, 4.0, 0.5, 0.25)]

    agree(program)


def test_a_compiled_function_within_another_is_part_of_it():
    def program(transform):
        inner = transform(lambda x: x * 2 + 1)
        f = transform(lambda x: inner(x) * 3)
        return [(f(aino.ones(2) * i), inner(aino.ones(2) * i)) for i in range(5)]

    agree(program)


def test_a_function_of_ones_own():
    class Scaled(aino.autograd.Function):
        @staticmethod
        def forward(ctx, x, k):
            ctx.save_for_backward(x)
            ctx.k = k
            return x * x * k

        @staticmethod
        def backward(ctx, gradient):
            (x,) = ctx.saved_tensors
            return gradient * 2 * x * ctx.k, None

    def program(transform):
        w = aino.ones(3, requires_grad=True)

        def step(x):
            w.grad = None
            Scaled.apply(w * x, 3).sum().backward()
            return w.grad

        f = transform(step)
        return [f(aino.tensor([1.0, 2.0, i])) for i in range(5)]

    agree(program)


def scaled(x):
    return x * SCALE


def test_names_bound_anew_are_seen(monkeypatch):
    def program(transform):
        class Holder:
            def __init__(self):
                self.weight = aino.ones(2)

            def apply(self, x):
                return x * self.weight

        holder, shift = Holder(), aino.ones(2)
        f = transform(lambda x: holder.apply(scaled(x)) + shift)
        found = []
        for turn in range(16):
            if turn == 4:
                monkeypatch.setitem(globals(), "SCALE", 5.0)
            if turn == 8:
                holder.weight = aino.zeros(2)
            if turn == 12:
                shift = aino.zeros(2)
            found.append(f(aino.ones(2) * turn))
        monkeypatch.undo()
        return found

    agree(program)


def test_what_eager_silences_is_silent():
    def step(x):
        x = x.detach().requires_grad_()
        y = x.sigmoid().sum() + nn.functional.softplus(x).sum()
        y.backward()
        return y.detach(), x.grad

    f = aino.compile(step)
    with np.errstate(over="raise"):
        for _ in range(4):
            f(aino.tensor([-800.0, 800.0]))


def test_polygamma_of_negative_numbers():
    def step(x):
        x = x.detach().requires_grad_()
        aino.digamma(x).sum().backward()
        return x.grad

    compiled, x = aino.compile(step), aino.tensor([-10.4, 10.4], dtype=aino.float64)
    for _ in range(3):
        assert compiled(x).tolist() == step(x).tolist()


def test_models_of_several_threads():
    def train(seed, transform, found):
        generator = np.random.default_rng(seed)
        w = aino.tensor(generator.random((4, 3)), requires_grad=True)
        optimizer = aino.optim.Adam([w], lr=0.1)
        x = aino.tensor(generator.random((8, 4)))

        def step():
            optimizer.zero_grad()
            loss = ((x @ w - 1) ** 2).mean()
            loss.backward()
            optimizer.step()
            return loss

        f = transform(step)
        found[seed] = [f().item() for _ in range(20)]

    eager, compiled = {}, {}
    for seed in range(3):
        train(seed, lambda function: function, eager)
    threads = [
        threading.Thread(target=train, args=(seed, aino.compile, compiled)) for seed in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert compiled.keys() == eager.keys()
    for seed, losses in eager.items():
        np.testing.assert_allclose(compiled[seed], losses, rtol=1e-12)


def test_a_copy_of_a_compiled_model_goes_its_own_way():
    model = nn.Linear(3, 2)
    optimizer = aino.optim.SGD(model.parameters(), lr=0.1)

    @aino.compile
    def step(x):
        optimizer.zero_grad()
        model(x).sum().backward()
        optimizer.step()

    for _ in range(4):
        step(aino.ones(1, 3))
    other = copy.deepcopy(model)
    before = other.weight.tolist()
    step(aino.ones(1, 3))
    assert other.weight.tolist() == before != model.weight.tolist()
