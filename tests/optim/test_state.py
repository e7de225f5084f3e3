"""State: flat underneath, a dict of tensors outside, PyTorch's shape in files."""

import numpy as np
import pytest

from aino.autograd.tensor import Tensor, make
from aino.errors import ShapeError
from aino.optim import SGD, Adam, RMSprop
from tests.optim.helpers import assert_same, give, parameters, run, values
from tests.optim.rows import ROWS

each = pytest.mark.parametrize(
    ("row", "settings"),
    [(row, settings) for row in ROWS for settings in row.settings],
    ids=[f"{row.name}-{settings}" for row in ROWS for settings in row.settings],
)


def as_arrays(saved):
    """Return a state dict as it comes back from a file: arrays, lists, plain numbers."""
    state = {
        position: {name: np.array(tensor.array) for name, tensor in entries.items()}
        for position, entries in saved["state"].items()
    }
    groups = [
        {k: list(v) if isinstance(v, tuple) else v for k, v in group.items()}
        for group in saved["param_groups"]
    ]
    return {"state": state, "param_groups": groups}


@each
@pytest.mark.parametrize("missing", [lambda t: (), lambda t: (1,) if t < 2 else (0,)])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_run_resumed_from_its_state_dict_differs_in_no_bit(row, settings, missing, dtype):
    tensors = parameters(dtype, row.shapes)
    optimizer = row.make(tensors, **settings)
    run(optimizer, tensors, 5, missing)
    resumed = [Tensor(array).requires_grad_() for array in values(tensors)]
    twin = row.make(resumed, lr=0.5)
    twin.load_state_dict(as_arrays(optimizer.state_dict()))
    run(optimizer, tensors, 5, start=5)
    run(twin, resumed, 5, start=5)
    assert_same(values(tensors), values(resumed))
    first, second = optimizer.state_dict()["state"], twin.state_dict()["state"]
    assert {k: list(v) for k, v in first.items()} == {k: list(v) for k, v in second.items()}
    for position in first:
        assert_same(*[[t.array for t in s[position].values()] for s in (first, second)])


def test_the_shape_is_that_of_pytorch():
    tensors = parameters()
    optimizer = Adam([{"params": tensors[:2]}, {"params": tensors[2:], "lr": 0.5}])
    run(optimizer, tensors, 2, missing=lambda t: (1,))
    saved = optimizer.state_dict()
    assert set(saved) == {"state", "param_groups"}
    assert sorted(saved["state"]) == [0, 2, 3, 4]
    assert type(saved["state"][0]) is dict
    assert list(saved["state"][0]) == ["step", "exp_avg", "exp_avg_sq"]
    step = saved["state"][0]["step"].array
    assert (step.dtype, step.shape, step) == (np.float32, (), 2.0)
    assert [group["params"] for group in saved["param_groups"]] == [[0, 1], [2, 3, 4]]
    assert saved["param_groups"][1]["lr"] == 0.5
    assert saved["param_groups"][0]["betas"] == (0.9, 0.999)


def test_the_state_of_a_parameter_is_a_view_of_the_flat_state():
    tensors = parameters()
    optimizer = Adam(tensors)
    run(optimizer, tensors, 1)
    flat = optimizer.named_memory()["exp_avg"].array
    assert flat.shape == (sum(t.array.size for t in tensors),)
    for tensor in tensors:
        assert np.shares_memory(optimizer.state[tensor]["exp_avg"].array, flat)
        assert optimizer.state[tensor]["exp_avg"].array.shape == tensor.array.shape
    optimizer.state[tensors[0]]["exp_avg"].array[...] = 0
    assert not flat[: tensors[0].array.size].any()


def test_a_count_cannot_be_changed_behind_the_optimizer():
    tensors = parameters()
    optimizer = Adam(tensors)
    run(optimizer, tensors, 1)
    with pytest.raises(ValueError, match="read-only"):
        optimizer.state[tensors[0]]["step"].array[...] = 0


def test_setting_an_entry_is_seen_by_the_next_step():
    tensors, others = parameters(), parameters()
    optimizer, twin = Adam(tensors), Adam(others)
    run(optimizer, tensors, 3)
    run(twin, others, 3)
    state = optimizer.state[tensors[1]]
    state["step"] = make(np.array(0.0))
    state["exp_avg"] = make(np.zeros_like(tensors[1].array))
    state["exp_avg_sq"] = make(np.zeros_like(tensors[1].array))
    fresh = Adam([others[1]])
    twin.param_groups[0]["params"].pop(1)
    for t in range(3, 6):
        give(tensors, t)
        give(others, t)
        for one in (optimizer, twin, fresh):
            one.step()
    assert_same(values(tensors), values(others))
    assert optimizer.state[tensors[1]]["step"].array == 3
    assert optimizer.state[tensors[0]]["step"].array == 6


def test_state_is_a_mapping_of_parameters():
    tensors = parameters()
    optimizer = Adam(tensors)
    assert not optimizer.state
    assert tensors[0] not in optimizer.state
    run(optimizer, tensors, 1)
    assert list(optimizer.state) == tensors
    assert len(optimizer.state) == len(tensors)
    assert set(optimizer.state[tensors[0]]) == {"step", "exp_avg", "exp_avg_sq"}
    del optimizer.state[tensors[0]]
    run(optimizer, tensors, 1, start=1)
    assert [int(optimizer.state[t]["step"].array) for t in tensors] == [1, 2, 2, 2, 2]
    optimizer.state.clear()
    run(optimizer, tensors, 1, start=2)
    assert [int(optimizer.state[t]["step"].array) for t in tensors] == [1] * 5


def test_loading_casts_to_the_dtype_of_the_parameter():
    wide, narrow = parameters("float64"), parameters("float32")
    optimizer = Adam(wide)
    run(optimizer, wide, 2)
    twin = Adam(narrow)
    twin.load_state_dict(optimizer.state_dict())
    assert twin.state[narrow[0]]["exp_avg"].array.dtype == np.float32
    run(optimizer, wide, 1, start=2)
    assert not np.shares_memory(
        twin.state[narrow[0]]["exp_avg"].array, optimizer.state[wide[0]]["exp_avg"].array
    )


def test_settings_that_an_older_file_lacks_keep_their_defaults():
    tensors = parameters()
    optimizer = Adam(tensors, lr=0.1)
    saved = optimizer.state_dict()
    del saved["param_groups"][0]["decoupled_weight_decay"]
    saved["param_groups"][0]["initial_lr"] = 7
    optimizer.load_state_dict(saved)
    assert optimizer.param_groups[0]["decoupled_weight_decay"] is False
    assert optimizer.param_groups[0]["initial_lr"] == 7


def damaged(change):
    """Return a saved Adam that one thing is wrong with."""
    tensors = parameters()
    optimizer = Adam(tensors)
    run(optimizer, tensors, 2)
    saved = as_arrays(optimizer.state_dict())
    change(saved)
    return saved


@pytest.mark.parametrize(
    ("change", "error", "match"),
    [
        (lambda s: s.pop("state"), ValueError, "'state'"),
        (lambda s: s.pop("param_groups"), ValueError, "'param_groups'"),
        (lambda s: s["param_groups"].extend(s["param_groups"]), ValueError, "2 parameter groups"),
        (lambda s: s["param_groups"][0]["params"].pop(), ValueError, "4 parameters in group 0"),
        (lambda s: s["param_groups"][0].update(lr=-1.0), ValueError, "learning rate"),
        (lambda s: s["state"][1].pop("exp_avg"), ValueError, "parameter 1 lacks Adam's 'exp_avg'"),
        (lambda s: s["state"].update({1: {"momentum_buffer": np.zeros(4)}}), ValueError,
         "'momentum_buffer', which Adam does not keep"),
        (lambda s: s["state"][1].update(exp_avg=np.zeros(3)), ShapeError, r"\(3,\).*\(4,\)"),
        (lambda s: s["state"].update({1: 3}), ValueError, "not a dict"),
    ],
)  # fmt: skip
def test_a_state_that_does_not_fit_is_refused_and_changes_nothing(change, error, match):
    tensors = parameters()
    optimizer = Adam(tensors, lr=0.3)
    run(optimizer, tensors, 1)
    before = as_arrays(optimizer.state_dict())
    with pytest.raises(error, match=match):
        optimizer.load_state_dict(damaged(change))
    after = as_arrays(optimizer.state_dict())
    assert repr(before) == repr(after)
    run(optimizer, tensors, 1, start=1)


def test_a_state_set_by_hand_is_checked_at_the_next_step():
    tensors = parameters()
    optimizer = RMSprop(tensors)
    optimizer.state[tensors[0]]["square_avg"] = make(np.zeros(7))
    give(tensors, 0)
    before = values(tensors)
    with pytest.raises(ShapeError, match=r"'square_avg'.*\(7,\).*\(3, 4\)"):
        optimizer.step()
    assert_same(values(tensors), before)


def test_pytorchs_empty_buffers_are_accepted():
    tensors = parameters()
    optimizer = SGD(tensors, momentum=0.9)
    saved = optimizer.state_dict()
    saved["state"] = {i: {"momentum_buffer": None} for i in range(len(tensors))}
    optimizer.load_state_dict(saved)
    run(optimizer, tensors, 1)
