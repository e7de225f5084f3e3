"""The engine behind the page: it shows what a network gives, and takes steps back."""

import base64
import io
import json

import numpy as np
import pytest

import aino
from aino import nn
from aino.playground import data, lessons
from aino.playground.session import PLANE, SMALL, Session

#: Settings of all kinds.
SETTINGS = {
    "two classes": {"hidden": [4, 3], "shape": "circles"},
    "three classes": {"hidden": [3], "shape": "three", "activation": "relu", "optimizer": "sgd",
                      "lr": 0.1, "seed": 5},
    "no hidden layer": {"hidden": [], "shape": "clouds", "activation": "sigmoid"},
    "drawn": {"points": [[0.1, 0.2, 0], [-0.3, 0.4, 1], [0.5, -0.5, 1]], "activation": "gelu"},
    "a table": {"table": "long,wide,kind\n1000,2e-3,no\n1010,4e-3,yes\n990,1e-3,no\n", "seed": 2},
}  # fmt: skip


def weights(session):
    return [p.array.copy() for p in session.network.parameters()]


def plane_of(state):
    chosen, share = (base64.b64decode(state["plane"][name]) for name in ("chosen", "share"))
    return np.frombuffer(chosen, np.uint8), np.frombuffer(share, np.uint8)


@pytest.fixture(params=SETTINGS)
def session(request):
    return Session(SETTINGS[request.param])


def test_steps_are_taken_back_to_the_same_bits(session):
    before, at_three = weights(session), None
    session.forward(3)
    at_three, losses = weights(session), list(session.losses)
    session.forward(4)
    at_seven, loss = weights(session), session.losses[-1]
    session.back(4)
    assert session.losses == losses
    for own, other in zip(weights(session), at_three):
        np.testing.assert_array_equal(own, other)
    session.forward(4)
    assert session.losses[-1] == loss
    for own, other in zip(weights(session), at_seven):
        np.testing.assert_array_equal(own, other)
    session.back(1000)
    assert session.step == 0
    for own, other in zip(weights(session), before):
        np.testing.assert_array_equal(own, other)


def test_the_program_learns_the_same(session, tmp_path, monkeypatch, capsys):
    session.forward(6)
    monkeypatch.chdir(tmp_path)
    exec(compile(session.program(), "program.py", "exec"), {"__name__": "__main__"})
    assert f"{session.losses[-1]:.6f}" in capsys.readouterr().out
    for file in (tmp_path / "playground.dit", io.BytesIO(session.file())):
        learned = aino.load(file)
        for own, other in zip(learned.parameters(), weights(session)):
            np.testing.assert_array_equal(own.array, other)


def test_the_plane_is_what_the_file_says(session):
    session.forward(5)
    state = json.loads(json.dumps(session.state(), allow_nan=False))
    chosen, share = plane_of(state)
    left, right, bottom, top = state["data"]["box"]
    xs = left + (right - left) * (np.arange(PLANE) + 0.5) / PLANE
    ys = top - (top - bottom) * (np.arange(PLANE) + 0.5) / PLANE
    grid = np.stack([part.ravel() for part in np.meshgrid(xs, ys)], axis=1)
    said = aino.load(io.BytesIO(session.file())).predict(grid)
    said = np.stack([1 - said, said], axis=1).reshape(len(grid), -1) if said.ndim == 1 or (
        said.shape[1] == 1) else said  # fmt: skip
    np.testing.assert_array_equal(chosen, said.argmax(axis=1))
    np.testing.assert_allclose(share, 255 * said.max(axis=1), atol=1.01)
    assert [len(maps) for maps in state["small"]["maps"]] == session.sizes
    assert len(base64.b64decode(state["small"]["maps"][0][0])) == SMALL**2


def test_a_perceptron_tells_its_numbers(session):
    point = session.data.points[1].tolist()
    for layer in range(len(session.sizes) - 1):
        for unit in range(session.sizes[layer + 1]):
            told = lessons.perceptron(session, layer, unit, point)
            own = session.network.layers[layer]
            np.testing.assert_allclose(told["weights"], own.weight.array[unit], rtol=1e-6)
            total = np.dot(told["weights"], told["inputs"]) + told["bias"]
            assert told["sum"] == pytest.approx(total, rel=1e-4, abs=1e-5)
            if told["activation"] == "tanh":
                assert told["output"] == pytest.approx(np.tanh(total), abs=1e-5)


def test_the_way_of_a_point_is_that_of_the_gradient(session):
    session.forward(2)
    before = weights(session)
    point, target = session.data.points[0].tolist(), int(session.data.classes[0])
    steps = lessons.walk(session, point, target)["steps"]
    told = {step["formula"].partition(" = ")[0]: step["values"] for step in steps}
    # The same by the network as it is in the file, and by no step of the page's.
    network = aino.load(io.BytesIO(session.file()))
    scaled = session.scaled(np.array([point]))
    sums = network.sums(scaled)
    if session.several:
        loss = nn.functional.cross_entropy(sums, aino.tensor([target]))
    else:
        loss = nn.functional.binary_cross_entropy_with_logits(sums, aino.tensor([[float(target)]]))
    loss.backward()
    close = {"rtol": 1e-4, "atol": 1e-6}
    assert told["L"][0] == pytest.approx(loss.item(), rel=1e-5)
    for number, layer in enumerate(network.layers, 1):
        np.testing.assert_allclose(told[f"∂L/∂W{number}"], layer.weight.grad.numpy(), **close)
        np.testing.assert_allclose(told[f"∂L/∂b{number}"], layer.bias.grad.numpy(), **close)
        np.testing.assert_allclose(told[f"∂L/∂z{number}"], layer.bias.grad.numpy(), **close)
    for own, other in zip(weights(session), before):
        np.testing.assert_array_equal(own, other)
    assert all(parameter.grad is None for parameter in session.network.parameters())


def test_steps_beyond_memory_are_forgotten(monkeypatch):
    monkeypatch.setattr("aino.playground.session._KEPT", 3)
    session = Session({"hidden": [2], "shape": "xor"})
    session.forward(5)
    assert session.first == 2
    session.back(100)
    assert (session.step, len(session.losses)) == (2, 3)


def test_without_points_there_is_nothing_to_learn():
    session = Session({"points": []})
    assert session.state()["loss"] is None
    with pytest.raises(ValueError, match="no points to learn from"):
        session.forward(1)


@pytest.mark.parametrize("text", ["1,2,a\n3,4,b", "1;2;a\n3;4;b\n", "u\tv\tw\n1\t2\ta\n3\t4\tb",
                                  "u,v,more,w\n1,2,0,a\n\n3,4,0,b\n", "1 2 a\n3  4   b",
                                  "\ufeff1,2,a\n3,4,b", "\ufeffu,v,w\r\n1,2,a\r\n3,4,b",
                                  '1, 2, "a"\n3, 4, "b"', "u,v,w\n1,2,a\n,,\n3,4,b",
                                  ])  # fmt: skip
def test_tables(text):
    found = data.read(text)
    assert found.points.tolist() == [[1, 2], [3, 4]]
    assert (found.classes.tolist(), found.labels) == ([0, 1], ["a", "b"])
    assert found.names == (("u", "v") if "u" in text else ("x", "y"))


MISTAKES = {
    "layers": ({"hidden": [1] * 7}, "up to 6 hidden layers"),
    "units": ({"hidden": [9]}, "1 to 8 units"),
    "no list": ({"hidden": 3}, "hidden layers"),
    "activation": ({"activation": "tahn"}, "activation is one of tanh"),
    "optimizer": ({"optimizer": None}, "optimizer is one of"),
    "rate": ({"lr": -1}, "above 0"),
    "rate of text": ({"lr": "1"}, "a number"),
    "seed": ({"seed": 1.5}, "whole number"),
    "shape": ({"shape": "square"}, "no shape 'square'; there are circles"),
    "points": ({"points": [[1, 2]]}, "rows of x, y"),
    "far": ({"points": [[3, 0, 0]]}, "between -2 and 2"),
    "class": ({"points": [[0, 0, 4]]}, "from 0 to 3"),
    "empty": ({"table": " \n"}, "the table is empty"),
    "columns": ({"table": "1,2,a\n1,2\n"}, "line 2 has 2 columns"),
    "text": ({"table": "1,2,a\n1,x,b\n"}, "line 2: 'x' is no number"),
    "one class": ({"table": "1,2,a\n2,3,a\n"}, "1 classes, and 2 to 4"),
    "other columns": ({"table": "1,2,a\n1,2,3,b\n"}, "line 2 has 4 columns, and line 1 has 3"),
    "no class": ({"table": "1,2,a\n2,3,\n"}, "line 2 says no class"),
    "no number in the first line": ({"table": "?,2,a\n2,3,b\n"}, "line 1: '\\?' is no number"),
    "no number at first": ({"table": ",2,a\n2,3,b\n"}, "line 1: '' is no number"),
    "NaN in the first line": ({"table": "nan,inf,a\n2,3,b\n"}, "line 1: 'nan' is no number"),
    "underscores": ({"table": "1_0,2,a\n2,3,b\n"}, "'1_0' is no number"),
    "an open quotation": ({"table": '1,2,a\n2,3,b\n3,4,"a\n4,5,b\n5,6,a'}, "can't be read"),
    "huge": ({"table": "1e300,2,a\n2,3,b\n"}, "at most"),
    "hardly different": ({"table": "1e-300,2,a\n2e-300,3,b\n"}, "same number"),
    "two kinds": ({"shape": "xor", "points": []}, "not shape and points"),
    "huge whole number": ({"points": [[10**400, 0, 0]]}, "between -2 and 2"),
    "still": ({"table": "1,2,a\n1,3,b\n"}, "same number in every line"),
    "no settings": ([], "a dictionary"),
}  # fmt: skip


@pytest.mark.parametrize("name", MISTAKES)
def test_what_is_wrong_is_said_for_the_page(name):
    settings, message = MISTAKES[name]
    with pytest.raises(ValueError, match=message):
        Session(settings)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda s: s.forward(0), "from 1 to 1000"),
        (lambda s: s.back("1"), "from 1 to 1000"),
        (lambda s: lessons.perceptron(s, 5, 0, [0, 0]), "no layer 5"),
        (lambda s: lessons.perceptron(s, 0, 9, [0, 0]), "no unit 9"),
        (lambda s: lessons.perceptron(s, 0, 0, [0]), "two numbers"),
        (lambda s: lessons.walk(s, [0, 0], 2), "no class 2"),
        (lambda s: lessons.walk(s, [0, 0], True), "no class True"),
        (lambda s: lessons.walk(s, [0, True], 1), "two numbers"),
        (lambda s: lessons.walk(s, [0, 10**400], 1), "at most"),
        (lambda s: lessons.perceptron(s, True, 0, [0, 0]), "no layer True"),
    ],
)
def test_questions_that_have_no_answer(call, message):
    with pytest.raises(ValueError, match=message):
        call(Session({"hidden": [2], "shape": "xor"}))
