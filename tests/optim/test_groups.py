"""Parameter groups, gradients that are missing, closures, hooks, and what is refused."""

import copy
import pickle

import numpy as np
import pytest

from aino.autograd.mode import is_grad_enabled, no_grad
from aino.autograd.node import Node
from aino.autograd.tensor import Tensor, make
from aino.optim import LBFGS, SGD, Adagrad, Adam, AdamW, Optimizer
from aino.optim.optimizer import (
    register_optimizer_step_post_hook,
    register_optimizer_step_pre_hook,
)
from aino.structure_version import structure_version
from tests.optim.helpers import assert_same, give, parameters, run, values
from tests.optim.rows import ROWS


def leaf(*numbers):
    return Tensor(np.array(numbers)).requires_grad_()


def test_each_group_has_its_own_settings():
    first, second = leaf(1.0), leaf(1.0)
    optimizer = SGD([{"params": [first]}, {"params": second, "lr": 0.5}], lr=0.1)
    assert optimizer.param_groups[1]["params"] == [second]
    for parameter in (first, second):
        parameter.grad = make(np.array([1.0]))
    optimizer.step()
    assert first.array == 0.9
    assert second.array == 0.5


def test_a_group_added_later_is_stepped_from_then_on():
    tensors = parameters()
    optimizer = Adam(tensors[:2], lr=0.1)
    run(optimizer, tensors, 2)
    before = structure_version.count
    optimizer.add_param_group({"params": tensors[2:], "lr": 0.01})
    assert structure_version.count > before
    untouched = values(tensors[2:])
    run(optimizer, tensors, 1)
    assert optimizer.state[tensors[0]]["step"].array == 3
    assert optimizer.state[tensors[2]]["step"].array == 1
    moved = [np.abs(a.array - b).max() for a, b in zip(tensors[2:], untouched)]
    np.testing.assert_allclose(moved, 0.01, rtol=1e-6)


def test_settings_are_read_at_every_step():
    parameter = leaf(1.0)
    optimizer = SGD([parameter], lr=0.1)
    parameter.grad = make(np.array([1.0]))
    optimizer.param_groups[0]["lr"] = 0.25
    optimizer.step()
    assert parameter.array == 0.75


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_learning_rate_may_be_a_tensor(row):
    plain, others = parameters(shapes=row.shapes), parameters(shapes=row.shapes)
    with_number, with_tensor = row.make(plain, lr=0.01), row.make(others, lr=make(np.array(0.01)))
    run(with_number, plain, 3)
    run(with_tensor, others, 3)
    assert_same(values(plain), values(others))


def test_switching_a_setting_on_makes_the_state_that_it_needs():
    tensors = parameters()
    optimizer = SGD(tensors, lr=0.1)
    run(optimizer, tensors, 2)
    assert not optimizer.state_dict()["state"]
    optimizer.param_groups[0]["momentum"] = 0.9
    give(tensors, 2)
    first = values([t.grad for t in tensors])
    optimizer.step()
    assert_same(first, [optimizer.state[t]["momentum_buffer"].array for t in tensors])


def test_parameters_of_several_dtypes_share_a_group():
    narrow, wide = parameters("float32"), parameters("float64")
    optimizer = Adam([*narrow, *wide])
    run(optimizer, [*narrow, *wide], 3)
    assert {t.array.dtype.name for t in narrow} == {"float32"}
    alone = parameters("float32")
    run(Adam(alone), alone, 3)
    assert_same(values(narrow), values(alone))


def test_a_parameter_replaced_in_its_group_begins_anew():
    """What programs that grow their parameters do: they swap tensor and state by hand."""
    tensors = parameters()
    optimizer = Adam(tensors)
    run(optimizer, tensors, 3)
    grown = Tensor(np.zeros((5, 4))).requires_grad_()
    kept = optimizer.state.get(tensors[0])
    kept["exp_avg"] = make(np.zeros((5, 4)))
    kept["exp_avg_sq"] = make(np.zeros((5, 4)))
    del optimizer.state[tensors[0]]
    optimizer.param_groups[0]["params"][0] = grown
    optimizer.state[grown] = kept
    tensors[0] = grown
    run(optimizer, tensors, 1)
    assert [int(optimizer.state[t]["step"].array) for t in tensors] == [4] * len(tensors)
    assert optimizer.state[grown]["exp_avg"].array.shape == (5, 4)


def test_data_that_is_replaced_is_stepped_where_it_is_now():
    tensors, others = parameters(), parameters()
    optimizer, twin = Adam(tensors), Adam(others)
    for t in range(3):
        for tensor in tensors:
            tensor.data = make(tensor.array.copy())
        give(tensors, t)
        optimizer.step()
        give(others, t)
        twin.step()
    assert_same(values(tensors), values(others))


def test_zero_grad():
    tensors = parameters()
    optimizer = SGD(tensors)
    give(tensors, 0)
    held = tensors[0].grad
    optimizer.zero_grad(set_to_none=False)
    assert tensors[0].grad is held
    assert not any(t.grad.array.any() for t in tensors)
    optimizer.zero_grad()
    assert [t.grad for t in tensors] == [None] * len(tensors)


def test_a_step_without_any_gradient_changes_nothing():
    tensors = parameters()
    before = values(tensors)
    optimizer = Adam(tensors)
    optimizer.step()
    assert_same(values(tensors), before)
    assert not optimizer.state_dict()["state"]


def test_a_closure_runs_with_gradients_and_gives_the_result():
    parameter = leaf(1.0)
    optimizer = SGD([parameter], lr=0.5)

    def closure():
        parameter.grad = make(np.array([1.0]))
        return is_grad_enabled()

    with no_grad():
        assert optimizer.step(closure) is True
    assert parameter.array == 0.5


def test_hooks_run_around_the_step_and_may_change_its_arguments():
    tensors = parameters()
    optimizer = SGD(tensors)
    seen = []
    handles = [
        optimizer.register_step_pre_hook(lambda o, args, kwargs: seen.append("before")),
        optimizer.register_step_pre_hook(lambda o, args, kwargs: ((lambda: "loss",), {})),
        optimizer.register_step_post_hook(lambda o, args, kwargs: seen.append("after")),
        register_optimizer_step_pre_hook(lambda o, args, kwargs: seen.append("before all")),
        register_optimizer_step_post_hook(lambda o, args, kwargs: seen.append("after all")),
    ]
    assert optimizer.step() == "loss"
    assert seen == ["before all", "before", "after", "after all"]
    before = structure_version.count
    for handle in handles:
        handle.remove()
    assert structure_version.count > before
    assert optimizer.step() is None
    assert len(seen) == 4
    optimizer.register_step_pre_hook(lambda o, args, kwargs: 3)
    with pytest.raises(RuntimeError, match="None or a tuple"):
        optimizer.step()


def test_hooks_around_state_dicts():
    tensors = parameters()
    optimizer = Adam(tensors)
    seen = []
    optimizer.register_state_dict_pre_hook(lambda o: seen.append("save"))
    optimizer.register_state_dict_post_hook(lambda o, d: {**d, "note": 1})
    optimizer.register_load_state_dict_pre_hook(lambda o, d: seen.append(d.pop("note")))
    optimizer.register_load_state_dict_post_hook(lambda o: seen.append("second"))
    optimizer.register_load_state_dict_post_hook(lambda o: seen.append("first"), prepend=True)
    saved = optimizer.state_dict()
    optimizer.load_state_dict(saved)
    assert saved["note"] == 1
    assert seen == ["save", 1, "first", "second"]


def test_an_optimizer_of_your_own():
    class SignDescent(Optimizer):
        def __init__(self, params, lr):
            super().__init__(params, {"lr": lr})

        def step(self, closure=None):
            for group in self.param_groups:
                for parameter in group["params"]:
                    state = self.state[parameter]
                    state["count"] = state.get("count", 0) + 1
                    parameter.array[...] -= group["lr"] * np.sign(parameter.grad.array)

    parameter = leaf(1.0)
    parameter.grad = make(np.array([3.0]))
    optimizer = SignDescent([parameter], lr=0.5)
    seen = []
    optimizer.register_step_post_hook(lambda *_: seen.append(True))
    optimizer.step()
    assert parameter.array == 0.5
    assert seen
    saved = optimizer.state_dict()
    assert saved["state"] == {0: {"count": 1}}
    optimizer.load_state_dict(saved)
    assert optimizer.state[parameter]["count"] == 1


def test_named_parameters_leave_their_names_in_the_group():
    optimizer = SGD([("first", leaf(1.0)), ("second", leaf(2.0))])
    assert optimizer.param_groups[0]["param_names"] == ["first", "second"]
    assert optimizer.state_dict()["param_groups"][0]["param_names"] == ["first", "second"]
    with pytest.raises(ValueError, match="names"):
        optimizer.add_param_group({"params": [leaf(3.0)]})
    with pytest.raises(ValueError, match="names"):
        SGD([("first", leaf(1.0)), leaf(2.0)])


def test_repr_lists_the_groups():
    text = repr(SGD([leaf(1.0)], lr=0.1, momentum=0.9))
    assert text.startswith("SGD (\nParameter Group 0\n    dampening: 0\n")
    assert "    lr: 0.1\n    maximize: False\n    momentum: 0.9\n" in text
    assert text.endswith("\n)")


def test_copies_and_pickles_go_on_as_the_original():
    tensors = parameters()
    optimizer = Adam(tensors)
    run(optimizer, tensors, 3)
    for duplicate in (copy.deepcopy, lambda pair: pickle.loads(pickle.dumps(pair))):
        copies, twin = duplicate((tensors, optimizer))
        assert twin.param_groups[0]["params"][0] is copies[0]
        originals = copy.deepcopy(tensors), copy.deepcopy(optimizer)
        run(twin, copies, 2, start=3)
        reference = parameters()
        run(Adam(reference), reference, 5)
        assert_same(values(copies), values(reference))
        assert_same(values(originals[0]), values(tensors))


@pytest.mark.parametrize(
    ("make_optimizer", "error", "match"),
    [
        (lambda: SGD([]), ValueError, "empty parameter list"),
        (lambda: SGD(leaf(1.0)), TypeError, "iterable of tensors"),
        (lambda: SGD([np.zeros(3)]), TypeError, "only optimize Tensors.*ndarray"),
        (lambda: SGD([{"params": {leaf(1.0)}}]), TypeError, "order"),
        (lambda: SGD([3]), TypeError, "int"),
        (lambda: SGD([*2 * [leaf(1.0)]]), ValueError, "more than once"),
        (lambda: Adam([leaf(1.0)], fused=True, foreach=True), RuntimeError, "fused"),
        (lambda: AdamW([leaf(1.0)], differentiable=True), NotImplementedError, "not recorded"),
        (lambda: LBFGS([{"params": leaf(1.0)}, {"params": leaf(2.0)}]), ValueError, "groups"),
        (lambda: LBFGS([leaf(1.0)], line_search_fn="golden"), ValueError, "golden"),
        (lambda: LBFGS([leaf(1.0)]).step(), TypeError, "closure"),
        (lambda: SGD([leaf(1.0)], lr=make(np.ones(2))), ValueError, "1-element"),
    ],
)
def test_what_makes_no_optimizer_is_refused(make_optimizer, error, match):
    with pytest.raises(error, match=match):
        make_optimizer()


def test_a_result_of_an_operation_is_no_parameter():
    result = make(np.zeros(2), object.__new__(Node))
    result.node.extras = None
    with pytest.raises(ValueError, match="non-leaf"):
        SGD([result])


def test_a_parameter_belongs_to_one_group():
    parameter = leaf(1.0)
    optimizer = SGD([parameter])
    with pytest.raises(ValueError, match="more than one parameter group"):
        optimizer.add_param_group({"params": [leaf(2.0), parameter]})
    assert len(optimizer.param_groups) == 1
    with pytest.raises(TypeError, match="must be a dict"):
        optimizer.add_param_group([leaf(2.0)])


def test_memory_that_cannot_be_written_is_refused_before_anything_changes():
    first, second = leaf(1.0), leaf(2.0)
    optimizer = Adagrad([first, second])
    for parameter in (first, second):
        parameter.grad = make(np.array([1.0]))
    second.array.flags.writeable = False
    with pytest.raises(ValueError, match="can't be written"):
        optimizer.step()
    assert first.array == 1.0
    assert optimizer.state[first]["step"].array == 0


class Model:
    def parameters(self):
        return iter(())


@pytest.mark.parametrize("as_group", [False, True], ids=["params", "a group"])
@pytest.mark.parametrize(
    ("given", "message"),
    [
        (Model(), r"not a Model; pass its parameters\(\)"),
        (Model().parameters, "not the function parameters; call it"),
        ({"w": leaf(1.0)}, r"not a dict of names; pass its values\(\), or its items\(\)"),
        ({"params": [leaf(1.0)]}, "not a single dict; put it into a list"),
        (None, "not None"),
        (3, "not a int"),
        (["w"], "can only optimize Tensors, but one of the params is str"),
        ([Model()], "can only optimize Tensors, but one of the params is Model"),
    ],
)
@pytest.mark.parametrize("optimizer", [Adam, LBFGS], ids=["Adam", "LBFGS"])
def test_what_is_no_list_of_tensors_is_said_in_words(optimizer, given, message, as_group):
    with pytest.raises(TypeError, match=message):
        optimizer([{"params": given}] if as_group else given)


def test_a_group_without_tensors_is_said_in_words():
    with pytest.raises(KeyError, match='tensors under "params"'):
        Adam([{"lr": 1.0}])
    with pytest.raises(TypeError, match="not a single Tensor; put it into a list"):
        Adam(leaf(1.0))
