"""Calls that C makes from end to end: made there while all is as it was, and nowhere else wrong.

Each row changes one thing that a program relies on. What the call gives is what the function gives
eagerly, and the row says whether C may have made it.
"""

import weakref

import numpy as np
import pytest

import aino
from aino import nn
from tests.native.calls import (
    X,
    as_is,
    bits,
    compile_natively,
    in_python,
    left,
    made_in_c,
    network,
    training,
)

pytest.importorskip("aino_native")


class Sub(aino.Tensor):
    pass


def with_history(x):
    with aino.enable_grad():
        return x.clone().requires_grad_() * 1


# What a call is given

#: The arguments of a call of a predictor, and whether C makes it.
GIVEN = {
    "the same": (lambda x: ((x,), {}), True),
    "another of its form": (lambda x: ((aino.from_numpy(X + 1),), {}), True),
    "two rows": (lambda x: ((aino.from_numpy(np.concatenate([X, X])),), {}), False),
    "no rows": (lambda x: ((aino.from_numpy(X[0]),), {}), False),
    "float64": (lambda x: ((aino.from_numpy(X.astype(float)),), {}), False),
    "every other number": (lambda x: ((aino.from_numpy(np.repeat(X, 2, 1))[:, ::2],), {}), False),
    "it wants a gradient": (lambda x: ((x.clone().requires_grad_(),), {}), False),
    "it has a history": (lambda x: ((with_history(x),), {}), False),
    "of a subclass": (lambda x: ((Sub(x.tolist()),), {}), False),
    "a parameter": (lambda x: ((nn.Parameter(x.clone()),), {}), False),
    "an array": (lambda x: ((X,), {}), False),
    "a list": (lambda x: ((X.tolist(),), {}), False),
    "by name": (lambda x: ((), {"input": x}), False),
    "by a wrong name": (lambda x: ((), {"y": x}), False),
    "nothing": (lambda x: ((), {}), False),
    "two": (lambda x: ((x, x), {}), False),
    "None": (lambda x: ((None,), {}), False),
}


@pytest.mark.parametrize("what", GIVEN)
def test_what_a_predictor_is_given(what):
    give, in_c = GIVEN[what]
    model, x = network(), aino.from_numpy(X.copy())
    compiled = aino.compile(model, backend="native")
    with aino.no_grad():
        for _ in range(4):
            compiled(x)
        args, kwargs = give(x)
        try:
            expected = model(*args, **kwargs)
        except Exception as error:
            expected = type(error)
        found, calls = made_in_c(compiled, lambda: compiled(*args, **kwargs))
        assert bits(found) == bits(expected)
        assert calls == in_c
        for _ in range(4):  # and once it has a program of its own
            found, _ = made_in_c(compiled, lambda: compiled(*args, **kwargs))
            assert bits(found) == bits(expected)
        assert bits(compiled(x)) == bits(model(x))


def test_arguments_that_are_one_or_share_memory():
    compiled = aino.compile(lambda a, b: a * 2 + b, backend="native")
    a, b = aino.from_numpy(X.copy()), aino.from_numpy(X + 1)
    for _ in range(4):
        compiled(a, b)
    assert made_in_c(compiled, lambda: compiled(b, a))[1] == 1
    found, calls = made_in_c(compiled, lambda: compiled(a, a))
    assert (bits(found), calls) == (bits(a * 3), 0)
    whole = aino.from_numpy(np.arange(8, dtype=np.float32).reshape(2, 4))
    found = compiled(whole[:1], whole[1:])
    assert bits(found) == bits(whole[:1] * 2 + whole[1:])


def test_a_result_is_let_go_with_its_array():
    compiled, x = aino.compile(lambda x: x * 2, backend="native"), aino.from_numpy(X.copy())
    for _ in range(4):
        compiled(x)
    result, calls = made_in_c(compiled, lambda: compiled(x))
    known = weakref.ref(result), weakref.ref(result.array)
    del result
    assert calls == 1
    assert [one() for one in known] == [None, None]


def test_what_it_gives_back_is_new_each_time():
    model, x = network(), aino.from_numpy(X.copy())
    compiled = aino.compile(model, backend="native")
    with aino.no_grad():
        results = [compiled(x) for _ in range(6)]
    assert len({result.array.__array_interface__["data"] for result in results}) == 6
    before = results[4].tolist()
    results[5].zero_()
    assert results[4].tolist() == before
    assert all(not result.requires_grad and result.grad_fn is None for result in results)


#: What is kept of a result: the next calls do not write into its memory.
KEPT = {
    "it": lambda result: result,
    "a view": lambda result: result[:, :2],
    "its array": lambda result: result.numpy(),
    "a view of its array": lambda result: result.numpy()[0],
    "a buffer of it": lambda result: memoryview(result.numpy()),
    "what was computed of it": lambda result: (result.requires_grad_() ** 2).sum(),
}


@pytest.mark.parametrize("what", KEPT)
def test_what_is_kept_of_a_result_stays(what):
    compiled, x = aino.compile(lambda x: x * 2, backend="native"), aino.from_numpy(X.copy())
    for _ in range(4):
        compiled(x)
    kept = KEPT[what](compiled(x))
    compiled(aino.from_numpy(X + 7))
    compiled(aino.from_numpy(X + 8))
    if what == "what was computed of it":
        kept.backward()  # where its values were changed that would be refused
    else:
        held = np.asarray(kept.array if isinstance(kept, aino.Tensor) else kept).reshape(-1)
        assert held.tolist() == (X * 2)[0, : len(held)].tolist()


ANSWERS = {
    "a tuple": lambda x: (x * 2, x + 1),
    "one in a tuple": lambda x: (x * 2,),
    "a list": lambda x: [x * 2, x + 1],
    "a dictionary": lambda x: {"a": x * 2, "b": (x + 1, 3)},
    "twice the same": lambda x: [y := x * 2, y],
    "itself": lambda x: (x, x * 2),
    "nothing": lambda x: None,
    "a number beside": lambda x: (x * 2, 7),
}


@pytest.mark.parametrize("what", ANSWERS)
def test_what_is_returned_is_nested_as_the_function_nests_it(what):
    function, x = ANSWERS[what], aino.from_numpy(X.copy())
    compiled = aino.compile(function, backend="native")
    for _ in range(5):
        found, expected = compiled(x), function(x)
        assert repr(found) == repr(expected)
        if what == "twice the same":
            assert found[0] is found[1]
        if what == "itself":
            assert found[0] is x


# What a function reads

SCALE, SHIFT, NAMES = 2.5, 1, {"power": 2.0}
FIXED = "plus"


class Box:
    def __init__(self):
        self.offset = 3.0


class World:
    """A function that reads names of all kinds, and what it reads."""

    def __init__(self):
        self.model, self.box, self.held = network(), Box(), 0.5
        held, box, model = [self.held], self.box, self.model
        weight = aino.from_numpy(np.full((1, 3), 2.0, np.float32))

        def function(x):
            y = model(x) * SCALE + SHIFT + box.offset
            return y * weight + held[0] if FIXED == "plus" else y - weight ** NAMES["power"]

        self.function, self.list, self.weight = function, held, weight
        self.undo = dict(globals())

    def cell(self, name):
        names = self.function.__code__.co_freevars
        return self.function.__closure__[names.index(name)]


def put_global(name, value):
    def change(world):
        globals()[name] = value

    return change


def set_cell(name, value):
    def change(world):
        world.cell(name).cell_contents = value

    return change


def other_code(world):
    def other(x):
        return model(x) * SHIFT, box, held, weight  # noqa: F821

    code = (lambda model, box, held, weight: lambda x: (model(x) - box.offset) * held[0] * weight)(
        *[None] * 4
    ).__code__
    assert code.co_freevars == world.function.__code__.co_freevars
    world.function.__code__ = code


#: What is changed, and whether C makes the next call.
CHANGES = {
    "nothing": (lambda w: None, True),
    "a global number": (put_global("SCALE", 3.5), False),
    "a global integer by a float": (put_global("SHIFT", 1.0), False),
    "a global integer by a bool": (put_global("SHIFT", True), False),
    "a global number by an equal one": (put_global("SCALE", float("2.5")), True),
    "a global text": (put_global("FIXED", "minus"), False),
    "an attribute": (lambda w: setattr(w.box, "offset", 4.0), False),
    "an attribute that is gone": (lambda w: delattr(w.box, "offset"), False),
    "an object": (set_cell("box", Box()), False),
    "what a list holds": (lambda w: w.list.__setitem__(0, 0.25), False),
    "a model": (set_cell("model", network(1)), False),
    "a tensor's memory": (lambda w: setattr(w.weight, "data", aino.ones(1, 3)), False),
    "what a tensor holds": (lambda w: w.weight.fill_(5.0), True),
    "what a parameter holds": (lambda w: w.model[0].bias.data.fill_(5.0), True),
    "a parameter": (lambda w: setattr(w.model[0], "bias", nn.Parameter(aino.ones(16))), False),
    "a parameter's memory": (lambda w: setattr(w.model[0].bias, "data", aino.ones(16)), False),
    "a module": (lambda w: w.model.__setitem__(1, nn.Tanh()), False),
    "its mode": (lambda w: w.model.eval(), False),
    "a hook": (lambda w: w.model[1].register_forward_hook(lambda m, x, y: y * 2), False),
    "its code": (other_code, False),
    "the default dtype": (lambda w: aino.set_default_dtype("float64"), False),
}


@pytest.mark.parametrize("what", CHANGES)
def test_what_a_function_reads(what):
    change, in_c = CHANGES[what]
    world, x = World(), aino.from_numpy(X.copy())
    compiled = aino.compile(world.function, backend="native")
    before = {name: globals()[name] for name in ("SCALE", "SHIFT", "NAMES", "FIXED")}
    try:
        with aino.no_grad():
            for _ in range(5):
                compiled(x)
            assert made_in_c(compiled, lambda: compiled(x))[1] == 1
            change(world)
            found, calls = made_in_c(compiled, lambda: compiled(x))
            try:
                expected = world.function(x)
            except AttributeError as error:
                expected = type(error)
            assert bits(found) == bits(expected)
            assert calls == in_c
            if expected is not AttributeError:
                for _ in range(5):
                    assert bits(compiled(x)) == bits(expected)
    finally:
        globals().update(before)
        aino.set_default_dtype("float32")


# What an optimizer holds


def group(optimizer):
    return optimizer.param_groups[0]


OPTIMIZERS = {
    "nothing": (lambda m, o: None, True),
    "the rate": (lambda m, o: group(o).update(lr=0.05), True),
    "the rate, an integer": (lambda m, o: group(o).update(lr=1), True),
    "no rate": (lambda m, o: group(o).pop("lr"), False),
    "weight decay": (lambda m, o: group(o).update(weight_decay=0.1), False),
    "weight decay, as it was": (lambda m, o: group(o).update(weight_decay=0.0), True),
    "the other way": (lambda m, o: group(o).update(maximize=True), False),
    "groups in another list": (lambda m, o: setattr(o, "param_groups", [*o.param_groups]), True),
    "another group": (lambda m, o: o.param_groups.__setitem__(0, dict(group(o))), False),
    "other parameters": (lambda m, o: group(o).update(params=[*m[0].parameters()]), False),
    "fewer parameters": (lambda m, o: group(o)["params"].pop(), False),
    "one group more": (
        lambda m, o: o.add_param_group({"params": [aino.ones(2, requires_grad=True)]}), False,
    ),
    "a frozen parameter": (lambda m, o: m[0].weight.requires_grad_(False), False),
    "a hook of a parameter": (lambda m, o: m[0].weight.register_hook(lambda g: g * 2), False),
    "a gradient": (lambda m, o: setattr(m[0].weight, "grad", aino.ones(16, 4)), True),
    "no gradients": (lambda m, o: o.zero_grad(), True),
    "a state that is loaded": (lambda m, o: o.load_state_dict(o.state_dict()), False),
}  # fmt: skip


@pytest.mark.parametrize("as_in", ["eager", "python"])
@pytest.mark.parametrize("kind", [aino.optim.SGD, aino.optim.Adam])
@pytest.mark.parametrize("what", OPTIMIZERS)
def test_what_an_optimizer_holds(what, kind, as_in):
    change, in_c = OPTIMIZERS[what]
    step, model, optimizer = training(compile_natively, kind)
    other, its_model, its_optimizer = training(in_python if as_in == "python" else as_is, kind)
    for _ in range(5):
        assert bits(step()) == bits(other())
    assert made_in_c(step, step)[1] == 1
    other()
    change(model, optimizer)
    change(its_model, its_optimizer)
    found, calls = made_in_c(step, step)
    assert calls == in_c
    assert bits(found) == bits(made_in_c(step, other)[0])
    for _ in range(5 if found is not KeyError else 0):
        assert bits(step()) == bits(other())
    assert left(model) == left(its_model) or (found is KeyError and as_in == "eager")


def test_a_write_is_noticed_by_a_backward_pass():
    step, model, _ = training(compile_natively, aino.optim.SGD)
    for _ in range(4):
        step()
    loss = (model[0].weight ** 2).sum()
    assert made_in_c(step, step)[1] == 1
    with pytest.raises(RuntimeError, match="in place has changed it"):
        loss.backward()
