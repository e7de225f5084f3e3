"""Lists and dictionaries of modules and of parameters."""

import pytest

import aino
from aino import nn


def names(module):
    return [name for name, _ in module.named_children()]


def kinds(module):
    return [type(child).__name__ for child in module]


@pytest.mark.parametrize("make", [lambda *m: nn.Sequential(*m), lambda *m: nn.ModuleList(m)])
def test_lists(make):
    a, b, c, d = nn.Tanh(), nn.ReLU(), nn.Sigmoid(), nn.GELU()
    found = make(a, b)
    assert found.append(c) is found
    assert len(found) == 3
    assert found[0] is a
    assert found[-1] is c
    assert b in found
    assert nn.ReLU() not in found
    found.insert(1, d)
    assert kinds(found) == ["Tanh", "GELU", "ReLU", "Sigmoid"]
    assert names(found) == ["0", "1", "2", "3"]
    found[1] = nn.SiLU()
    assert kinds(found[1:3]) == ["SiLU", "ReLU"]
    assert type(found[1:3]) is type(found)
    assert found.pop(1) is not d
    del found[0]
    assert kinds(found) == ["ReLU", "Sigmoid"]
    assert names(found) == ["0", "1"]
    found.extend([a, d])
    del found[1:3]
    assert kinds(found) == ["ReLU", "GELU"]
    assert "0" not in dir(found)
    for index in (2, -3):
        with pytest.raises(IndexError):
            found[index]
    with pytest.raises(IndexError):
        found.insert(5, a)
    with pytest.raises(TypeError):
        found.append("module")
    with pytest.raises(TypeError):
        found.extend(3)
    assert kinds(found) == ["ReLU", "GELU"]


def test_sequential_runs_in_order():
    first, second = nn.Linear(2, 3), nn.Linear(3, 1)
    model = nn.Sequential(first, nn.Tanh(), second)
    x = aino.ones(4, 2)
    assert aino.equal(model(x), second(aino.tanh(first(x))))
    assert aino.equal(nn.Sequential()(x), x)


def test_sequential_with_names():
    model = nn.Sequential({"one": nn.Tanh(), "two": nn.ReLU(), "three": nn.GELU()})
    assert names(model) == ["one", "two", "three"]
    assert model.two is model[1]
    assert names(model[1:]) == ["two", "three"]
    assert names(model.append(nn.Tanh())) == ["one", "two", "three", "3"]


def test_sequential_arithmetic():
    model = nn.Sequential(nn.Tanh(), nn.ReLU())
    assert kinds(model + nn.Sequential(nn.GELU())) == ["Tanh", "ReLU", "GELU"]
    assert kinds(2 * model) == ["Tanh", "ReLU", "Tanh", "ReLU"]
    model *= 2
    model += nn.Sequential(nn.GELU())
    assert len(model) == 5
    for wrong in (lambda: model + [nn.Tanh()], lambda: model * 1.5):
        with pytest.raises(TypeError):
            wrong()
    with pytest.raises(ValueError):
        model * 0


def test_module_lists_add():
    layers = nn.ModuleList([nn.Linear(1, 1)]) + [nn.Linear(1, 1)]
    layers += [nn.Tanh()]
    assert kinds(layers) == ["Linear", "Linear", "Tanh"]
    assert repr(layers) == (
        "ModuleList(\n  (0-1): 2 x Linear(in_features=1, out_features=1, bias=True)\n"
        "  (2): Tanh()\n)"
    )
    assert repr(nn.ModuleList()) == "ModuleList()"


def test_module_dict():
    found = nn.ModuleDict({"a": nn.Linear(1, 2)})
    found["b"] = nn.Tanh()
    found.update([("c", nn.ReLU())])
    found.update(nn.ModuleDict({"d": nn.GELU()}))
    assert list(found) == list(found.keys()) == ["a", "b", "c", "d"]
    assert [type(m).__name__ for m in found.values()] == ["Linear", "Tanh", "ReLU", "GELU"]
    assert dict(found.items())["a"] is found["a"]
    assert list(found.state_dict()) == ["a.weight", "a.bias"]
    assert "b" in found
    assert isinstance(found.pop("b"), nn.Tanh)
    del found["c"]
    assert len(found) == 2
    for wrong, error in [
        (lambda: found["zz"], KeyError), (lambda: found.update(3), TypeError),
        (lambda: found.update([("a",)]), ValueError), (lambda: found.pop("zz"), KeyError),
        (lambda: found.__setitem__("keys", nn.Tanh()), KeyError),
        (lambda: found.__setitem__("x", 3), TypeError),
    ]:  # fmt: skip
        with pytest.raises(error):
            wrong()
    found.clear()
    assert len(found) == 0


def test_parameter_list():
    found = nn.ParameterList([aino.ones(2), nn.Parameter(aino.ones(3))])
    found.append(aino.zeros(1)).extend([aino.zeros(4)])
    found += [aino.zeros(5)]
    assert [tuple(p.shape) for p in found] == [(2,), (3,), (1,), (4,), (5,)]
    assert all(isinstance(p, nn.Parameter) for p in found)
    assert list(found.state_dict()) == ["0", "1", "2", "3", "4"]
    found[0] = aino.ones(7)
    assert found[0].shape == (7,)
    assert found[-1] is found[4]
    assert len(found[1:3]) == 2
    assert repr(nn.ParameterList([aino.ones(2, 3), 5])) == (
        "ParameterList(\n    (0): Parameter containing: [aino.float32 of size 2x3]\n"
        "    (1): Object of type: int\n)"
    )
    for wrong, error in [
        (lambda: found[9], IndexError), (lambda: found.extend(aino.ones(2)), TypeError),
        (lambda: found(), RuntimeError),
    ]:  # fmt: skip
        with pytest.raises(error):
            wrong()


def test_parameter_dict():
    found = nn.ParameterDict({"a": aino.ones(2)})
    found["b"] = aino.ones(3)
    assert isinstance(found["b"], nn.Parameter)
    assert found.setdefault("c", aino.zeros(1)) is found["c"]
    assert found.get("zz", 5) == 5
    assert list(reversed(found)) == ["c", "b", "a"]
    assert list(found.state_dict()) == ["a", "b", "c"]
    assert found.copy()["a"] is found["a"]
    assert list((found | nn.ParameterDict({"d": aino.ones(1)})).keys()) == ["a", "b", "c", "d"]
    found |= {"d": aino.ones(1)}
    assert found.popitem()[0] == "d"
    assert found.pop("c").shape == (1,)
    assert list(found.fromkeys(["x"], 3).values()) == [3]
    del found["b"]
    assert [k for k, _ in found.items()] == ["a"]
    for wrong, error in [
        (lambda: found["zz"], KeyError), (lambda: found.__setitem__("a.b", 1), KeyError),
        (lambda: found.__setitem__("keys", 1), KeyError), (lambda: found(), RuntimeError),
        (lambda: found.__setitem__(3, 1), TypeError),
    ]:  # fmt: skip
        with pytest.raises(error):
            wrong()
    found.clear()
    assert len(found) == 0
    assert "a" not in found
