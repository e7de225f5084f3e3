"""Files in ONNX that are damaged or made to harm: refused in words, before memory is spent."""

import random
import tracemalloc

import numpy as np
import pytest

import aino
from aino.errors import OnnxError
from tests.onnx.graphs import model, perceptron

onnx = pytest.importorskip("onnx")
helper, TensorProto = onnx.helper, onnx.TensorProto


def with_tensor(change):
    """The bytes of a model that adds an initializer, which was changed."""
    made = model([("Add", "x w", "y")], {"x": (2,)}, ["y"], {"w": np.ones(2, np.float32)})
    change(made.graph.initializer[0])
    return made.SerializeToString()


def of_nodes(*nodes, inputs=None, outputs=("y",), initializers=None, **options):
    """The bytes of a model of some nodes."""
    return model(
        nodes, inputs or {"x": (2,)}, list(outputs), initializers, **options
    ).SerializeToString()


def dims(*sizes, data=b""):
    def change(tensor):
        del tensor.dims[:]
        tensor.dims.extend(sizes)
        tensor.raw_data = data

    return with_tensor(change)


def listed(tensor):
    tensor.ClearField("raw_data")
    tensor.float_data.extend([1.0] * 3)


def set_type(number):
    def change(tensor):
        tensor.data_type = number

    return with_tensor(change)


def text(tensor):
    tensor.ClearField("raw_data")
    tensor.data_type = TensorProto.STRING
    tensor.string_data.extend([b"\xff\xfe", b"a"])


def twice(field):
    made = model([("Add", "x w", "y")], {"x": (2,)}, ["y"], {"w": np.ones(2, np.float32)})
    things = getattr(made.graph, field)
    things.add().CopyFrom(things[0])
    return made.SerializeToString()


def nested(depth):
    """Graphs that lie within one another, in the branches of ``If``."""
    empty = helper.make_empty_tensor_value_info
    graph = helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "g", [], [empty("y")])
    for _ in range(depth):
        node = helper.make_node("If", ["c"], ["y"], then_branch=graph, else_branch=graph)
        node.attribute[1].g.Clear()  # two of each would double the file at each level
        graph = helper.make_graph([node], "g", [], [empty("y")])
    for name in ("x", "c"):
        graph.input.add().CopyFrom(helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]))
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)]).SerializeToString()


def nested_without_end():
    """The same, deeper than ONNX's own package would write it."""

    def message(number, content):
        size, length = bytearray(), len(content)
        while length > 127:
            size.append(length & 127 | 128)
            length >>= 7
        return bytes([number << 3 | 2, *size, length]) + content

    graph = b""
    for _ in range(2_000):
        # A graph's node's attribute's graph.
        graph = message(1, message(5, message(6, graph)))
    return message(7, graph)


def function(name, nodes):
    versions = [helper.make_opsetid("", 21), helper.make_opsetid("own", 1)]
    return helper.make_function("own", name, ["a"], ["b"], nodes, versions)


def calls(*pairs):
    return [
        helper.make_node(name, [given], [result], domain="own" if name[0] == "f" else "")
        for name, given, result in pairs
    ]


def of_functions(*functions):
    return of_nodes(("own.f0", "x", "y"), domains={"own": 1}, functions=list(functions))


def doubling(count):
    """Functions each of which calls the next one twice."""
    made = [
        function(f"f{n}", calls((f"f{n + 1}", "a", "c"), (f"f{n + 1}", "c", "b")))
        for n in range(count)
    ]
    return of_functions(*made, function(f"f{count}", calls(("Relu", "a", "b"))))


def unknown():
    return of_nodes(
        ("Fold", "x", "a"), ("com.there.Gelu", "a", "c"), ("ImageDecoder", "c", "y"),
    )  # fmt: skip


def attribute(**changes):
    made = model([("Elu", "x", "y")], {"x": (2,)}, ["y"])
    for name, value in changes.items():
        made.graph.node[0].attribute.append(helper.make_attribute(name.rstrip("_"), value))
    return made.SerializeToString()


def without(field):
    made = perceptron()
    made.ClearField(field)
    return made.SerializeToString()


#: What is given, and what is said of it.
REFUSED = {
    "nothing": (lambda: b"", "has no graph"),
    "no graph": (lambda: without("graph"), "has no graph"),
    "no versions": (lambda: without("opset_import"), "does not say which version"),
    "a picture": (lambda: b"\x89PNG\r\n\x1a\n" + bytes(100), "not a whole model"),
    "a pickle": (lambda: b"\x80\x04cposix\nsystem\n(S'ls'\ntR.", "not a whole model"),
    "text": (lambda: b"import onnx\n" * 20, "not a whole model"),
    "cut off": (lambda: perceptron().SerializeToString()[:200], "not a whole model"),
    "no room": (lambda: dims(2**31, 2**31), "which no memory holds|takes 18446744073709551616"),
    "large": (lambda: dims(2**35), "has 0 bytes of data.* takes 137438953472"),
    "overflow": (lambda: dims(2**33, 2**33, 2**33), "which no memory holds"),
    "overflow to nothing": (lambda: dims(2**32, 2**32, 2**32, 2**32), "which no memory holds"),
    "empty and large": (lambda: dims(0, 2**61, 2**61), "which no memory holds"),
    "negative": (lambda: dims(-1, 2), "negative size"),
    "dimensions": (lambda: dims(*[1] * 1000, data=bytes(4)), "which no memory holds"),
    "too little": (lambda: dims(2, data=bytes(7)), r"has 7 bytes.* takes 8"),
    "too much": (lambda: dims(2, data=bytes(9)), r"has 9 bytes.* takes 8"),
    "a list too long": (lambda: with_tensor(listed), "has 3 numbers.* takes 2"),
    "no type": (lambda: set_type(0), "not the number of an element type"),
    "unknown type": (lambda: set_type(99), "not the number of an element type"),
    "no text": (lambda: with_tensor(text), "not UTF-8"),
    "segment": (lambda: with_tensor(lambda t: t.segment.SetInParent()), "segment"),
    "circle": (
        lambda: of_nodes(("Add", "x b", "a"), ("Add", "x a", "b"), ("Add", "a b", "y")),
        "takes 'b', which no node before it",
    ),
    "from itself": (lambda: of_nodes(("Add", "x y", "y")), "takes 'y', which no node before"),
    "missing input": (lambda: of_nodes(("Add", "x z", "y")), "takes 'z', which no node before"),
    "missing output": (lambda: of_nodes(("Relu", "x", "z")), "the output 'y' is given by no"),
    "given twice": (lambda: of_nodes(("Relu", "x", "y"), ("Abs", "x", "y")), "there is already"),
    "given as input": (lambda: of_nodes(("Relu", "x", "x"), ("Abs", "x", "y")), "there is already"),
    "twice the input": (lambda: twice("input"), "is there twice"),
    "twice the initializer": (lambda: twice("initializer"), "is there twice"),
    "nested": (lambda: nested(26), "deeper than 24"),
    "nested without end": (nested_without_end, "not a whole model"),
    "calls itself": (lambda: of_functions(function("f0", calls(("f0", "a", "b")))), "calls itself"),
    "calls in a circle": (
        lambda: of_functions(
            function("f0", calls(("f1", "a", "b"))), function("f1", calls(("f0", "a", "b")))
        ),
        "calls itself",
    ),
    "calls too deep": (lambda: doubling(30), "deeper than 24|over 500000"),
    "function twice": (
        lambda: of_functions(*[function("f0", calls(("Relu", "a", "b")))] * 2), "defined twice",
    ),
    "unknown operators": (
        unknown,
        r"(?s)Fold, which ONNX's.*com\.there\.Gelu: the model does not say.*ImageDecoder \(version",
    ),
    "too new": (
        lambda: of_nodes(("Relu", "x", "y"), opset=999), "version 999 of the operators",
    ),
    "too old": (lambda: of_nodes(("GRU", "x x x", "y"), opset=3), r"GRU \(version 3\)"),
    "no longer there": (
        lambda: of_nodes(("Scatter", "x x x", "y"), opset=21), "Scatter, which is no longer there",
    ),
    "unknown attribute": (lambda: attribute(slope=1.0), "'slope', which ONNX does not give it"),
    "attribute twice": (lambda: attribute(alpha=1.0, alpha_=2.0), "'alpha' twice"),
    "attribute of another type": (lambda: attribute(alpha="a"), "of another type"),
    "lacking attribute": (lambda: of_nodes(("Cast", "x", "y")), "lacks the attribute 'to'"),
    "too many inputs": (lambda: of_nodes(("Relu", "x x", "y")), "has 2 inputs; 1 to 1"),
    "too many outputs": (lambda: of_nodes(("Relu", "x", "y z")), "has 2 outputs; 1 are"),
    "sparse": (
        lambda: with_sparse(), "sparse initializers",
    ),
}  # fmt: skip


def with_sparse():
    made = perceptron()
    made.graph.sparse_initializer.add().dims.append(2**40)
    return made.SerializeToString()


def refused(f, words):
    """Check that a file is refused in these words, and what memory that took."""
    tracemalloc.start()
    try:
        with pytest.raises(OnnxError, match=words):
            aino.onnx.load(f)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("name", REFUSED)
def test_refused_in_words_before_memory_is_spent(name):
    make, words = REFUSED[name]
    content = make()
    limit = 400_000_000 if "calls" in name else 4_000_000
    assert refused(content, words) < limit


def test_functions_that_call_one_another_ever_more_often_end(monkeypatch):
    monkeypatch.setattr("aino.onnx.importing.translate._MOST_NODES", 500)
    refused(doubling(12), "over 500 nodes")


def external(folder, **entries):
    """A model in a folder whose initializer lies in another file."""

    def change(tensor):
        tensor.ClearField("raw_data")
        tensor.data_location = TensorProto.EXTERNAL
        for key, value in entries.items():
            tensor.external_data.add(key=key, value=str(value))

    path = folder / "model.onnx"
    path.write_bytes(with_tensor(change))
    return path


#: Where a tensor of eight bytes is said to lie, and what is said of it.
ELSEWHERE = {
    "above": ({"location": "../secret"}, "not inside the model's folder"),
    "above, in between": ({"location": "a/../../secret"}, "not inside the model's folder"),
    "above, as elsewhere": ({"location": "..\\secret"}, "not inside the model's folder"),
    "at the root": ({"location": "/etc/passwd"}, "not inside the model's folder"),
    "a link": ({"location": "link"}, "leads out of the model's folder"),
    "in a link": ({"location": "linked/secret"}, "leads out of the model's folder"),
    "nowhere": ({}, "not inside the model's folder"),
    "itself": ({"location": "."}, "leads out of"),
    "a folder": ({"location": "folder"}, "is not a file"),
    "not there": ({"location": "missing"}, "is not there"),
    "no name": ({"location": "a\0b"}, "not inside the model's folder"),
    "after the end": ({"location": "data", "offset": 12}, "at bytes 12 to 20 .*, which has 16"),
    "far after": ({"location": "data", "offset": 2**62}, "which has 16"),
    "before": ({"location": "data", "offset": -8}, "'-8', which is no count"),
    "no number": ({"location": "data", "offset": "0x8"}, "which is no count of bytes"),
    "too long": ({"location": "data", "length": 16}, "names 16 bytes"),
    "huge": ({"location": "data", "length": 10**30}, "which is no count of bytes"),
}


@pytest.mark.parametrize("name", ELSEWHERE)
def test_data_elsewhere_is_refused_unless_it_is_the_model_s(tmp_path, name):
    entries, words = ELSEWHERE[name]
    folder = tmp_path / "model"
    (folder / "folder").mkdir(parents=True)
    (tmp_path / "secret").write_bytes(bytes(8))
    (folder / "link").symlink_to(tmp_path / "secret")
    (folder / "linked").symlink_to(tmp_path)
    (folder / "data").write_bytes(bytes(16))
    assert refused(external(folder, **entries), words) < 4_000_000


def test_data_in_a_file_of_the_model_s_folder_is_read(tmp_path):
    (tmp_path / "data").write_bytes(np.array([0, 0, 3, 4], np.float32).tobytes())
    path = external(tmp_path, location="data", offset=8, length=8)
    module = aino.onnx.load(path)
    assert module(aino.ones(2)).tolist() == [4, 5]
    aino.save(module, tmp_path / "m.dit")
    (tmp_path / "data").unlink()
    assert aino.load(tmp_path / "m.dit")(aino.ones(2)).tolist() == [4, 5]
    with pytest.raises(OnnxError, match="give the model as a path"):
        aino.onnx.load(path.read_bytes())


def test_tensors_may_not_lie_over_one_another(tmp_path):
    made = model(
        [("Add", "x v", "z"), ("Add", "z w", "y")], {"x": (2,)}, ["y"],
        {name: np.ones(2, np.float32) for name in "vw"},
    )  # fmt: skip
    for tensor, offset in zip(made.graph.initializer, (0, 4)):
        tensor.ClearField("raw_data")
        tensor.data_location = TensorProto.EXTERNAL
        tensor.external_data.add(key="location", value="data")
        tensor.external_data.add(key="offset", value=str(offset))
    (tmp_path / "data").write_bytes(bytes(16))
    (tmp_path / "model.onnx").write_bytes(made.SerializeToString())
    refused(tmp_path / "model.onnx", "lie over one another")


#: Models whose nodes would make far more than they hold; nothing is made before they are called.
GROWING = {
    "ConstantOfShape": [("ConstantOfShape", "n", "big")],
    "Expand": [("Expand", "one n", "big")],
    "Tile": [("Tile", "one n", "big")],
    "Range": [("Range", "zero huge step", "big")],
    "OneHot": [("OneHot", "zero huge pair", "big")],
    "Pad": [("Pad", "one pads", "big")],
    "Einsum": [("Einsum", "row row row row", "big", {"equation": "a,b,c,d->abcd"})],
    "MatMul": [("Reshape", "row column", "c"), ("Reshape", "row line", "r"),
               ("MatMul", "c r", "m"), ("Concat", "m m m m m m m m", "w", {"axis": 1}),
               ("MatMul", "m w", "big")],
}  # fmt: skip
VALUES = {
    "n": np.array([2**36]), "one": np.ones(1, np.float32), "zero": np.array(0),
    "huge": np.array(2**36), "step": np.array(1), "pair": np.array([0.0, 1.0], np.float32),
    "pads": np.array([0, 2**36]), "row": np.ones(1000, np.float32), "column": np.array([-1, 1]),
    "line": np.array([1, -1]),
}  # fmt: skip


@pytest.mark.parametrize("name", GROWING)
def test_loading_computes_nothing_large(name):
    content = of_nodes(
        *GROWING[name], ("Shape", "big", "s"), ("Add", "x x", "y"),
        initializers=VALUES,
    )  # fmt: skip
    tracemalloc.start()
    try:
        aino.onnx.load(content)
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()


def test_a_graph_that_is_no_graph_makes_no_module():
    for content in (np.zeros(3, np.uint8), np.ones((2, 2), np.uint8), b"abc"):
        with pytest.raises(OnnxError):
            aino.onnx.ONNXModule(content)


def test_whatever_is_damaged_is_read_or_refused():
    """Bytes that are changed, left out or put in make no other error than the one for that."""
    content = perceptron().SerializeToString()
    draw = random.Random(7)
    outcomes = set()
    for _ in range(400):
        damaged = bytearray(content)
        for _ in range(draw.randint(1, 3)):
            place = draw.randrange(len(damaged))
            match draw.randrange(3):
                case 0:
                    damaged[place] = draw.randrange(256)
                case 1:
                    del damaged[place : place + draw.randint(1, 9)]
                case 2:
                    damaged[place:place] = draw.randbytes(draw.randint(1, 9))
        try:
            module = aino.onnx.load(bytes(damaged))
            outcomes.add(type(module).__name__)
        except OnnxError:
            outcomes.add("refused")
    assert outcomes == {"ONNXModule", "refused"}
