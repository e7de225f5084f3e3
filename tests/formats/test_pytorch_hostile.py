"""PyTorch's files that would run code, lie or burst: refused in words, nothing run or spent."""

import io
import os
import pickle
import struct
import tracemalloc

import numpy as np
import pytest

import aino
from aino.errors import FormatError
from aino.formats.pytorch import reader
from tests.formats import pickles as p

FOUR = np.arange(4, dtype=np.float32)


def load(data, **options):
    return aino.load(io.BytesIO(data), **options)


def peak_of(function, *args):
    """The most memory that a call takes, of which the first has loaded what it needs."""
    function(*args)
    tracemalloc.start()
    try:
        function(*args)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


# --- names --------------------------------------------------------------------------------------


class Reduced:
    """Pickles as a call of anything."""

    def __init__(self, *parts):
        self.parts = parts

    def __reduce_ex__(self, protocol):
        return self.parts


class Plain:
    """An ordinary object, whose class a pickle names."""

    def __init__(self):
        self.a = 1


FOREIGN = {
    "os.system": (Reduced(os.system, ("touch {trap}",)), r"holds what '(posix|nt)\.system'"),
    "eval": (Reduced(eval, ("open({trap!r}, 'w')",)), r"holds what 'builtins\.eval'"),
    "exec": (Reduced(exec, ("open({trap!r}, 'w')",)), r"holds what 'builtins\.exec'"),
    "open": (Reduced(open, ("{trap}", "w")), r"holds what '(io|_io)\.open'"),
    "getattr": (Reduced(getattr, ("a", "upper")), r"holds what 'builtins\.getattr'"),
    "__import__": (Reduced(__import__, ("os",)), r"holds what 'builtins\.__import__'"),
    "an object": (Plain(), r"holds what '.*Plain'"),
    "a class": (Plain, r"holds what '.*Plain'"),
    "inside a state": ({"w": [1, {"x": Plain()}]}, r"holds what '.*Plain'"),
    "a range": (range(3), r"holds what 'builtins\.x?range'"),
    "an exception": (ValueError("x"), r"holds what '(builtins|exceptions)\.ValueError'"),
    "text in an array": (np.array(["a"]), "holds a NumPy array or scalar of 'U1'"),
    "objects in an array": (np.array([None]), "holds a NumPy array or scalar of 'O8'"),
    "a date": (np.datetime64("2020-01-01"), "holds a NumPy array or scalar of 'M8'"),
}


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize("what", FOREIGN)
def test_what_would_run_code_is_refused_by_name(tmp_path, what, protocol):
    value, match = FOREIGN[what]
    trap = str(tmp_path / "trap")
    data = pickle.dumps(value, protocol).replace(b"{trap!r}", b"'" + trap.encode()[:4] + b"'")
    body = data[2:-1]
    for file in (p.archive(body, {}), p.old(body)):
        with pytest.raises(FormatError, match=match):
            load(file)
    assert os.listdir(tmp_path) == []


NAMES = {
    "a module": ("torch.nn.modules.container.Sequential", "holds a whole module .*state_dict"),
    "sparse": ("torch._utils._rebuild_sparse_tensor", r"holds a sparse tensor; save its to_dense"),
    "quantized": ("torch._utils._rebuild_qtensor", "holds a quantized tensor; .*dequantize"),
    "nested": ("torch._utils._rebuild_nested_tensor", "holds a nested tensor"),
    "meta": ("torch._utils._rebuild_meta_tensor_no_storage", "a tensor without numbers"),
    "float8": ("torch.float8_e4m3fn", r"names the dtype torch\.float8_e4m3fn, which NumPy"),
    "quantized storage": ("torch.QInt8Storage", "holds a QInt8Storage, whose numbers NumPy"),
    "a namespace": ("argparse.Namespace", r"holds what 'argparse\.Namespace' makes, .*take it out"),
    "a name in disguise": ("collections.OrderedDict.clear", "holds what"),
    "a name of the machine": ("torch._utils.__builtins__", "holds what"),
    "a name without module": (".x", "holds what"),
    "not UTF-8": ("\udcff.x", "holds what"),
}


@pytest.mark.parametrize("what", NAMES)
def test_a_name_is_refused_in_words(what):
    name, match = NAMES[what]
    module, _, last = name.rpartition(".")
    body = b"c" + f"{module}\n{last}\n".encode("utf-8", "surrogateescape")
    with pytest.raises(FormatError, match=match):
        load(p.archive(body + b")R", {}))


# --- instructions -------------------------------------------------------------------------------

O = p.call("collections.OrderedDict")
INSTRUCTIONS = {
    "nothing": (b"", "does not end with one value"),
    "two values": (b"NN", "does not end with one value"),
    "an open container": (b"(N", "does not end with one value"),
    "an empty stack": (b"\x85", "takes what is not there"),
    "too few for a pair": (b"N\x86", "takes what is not there"),
    "a tuple without mark": (b"Nt", "takes what is not there"),
    "through a mark": (b"]N(a", "takes what is not there"),
    "an item without value": (b"}(Nu", "a key has no value"),
    "a note that is not there": (b"h\x05", "noted nothing as number 5"),
    "a note of nothing": (b"q\0", "takes what is not there"),
    "a popped value": (b"N0", r"instruction b'0'"),
    "a doubled value": (b"N2", r"instruction b'2'"),
    "text instructions": (b"I1\n", r"instruction b'I'"),
    "an instance": (b"(ios\nsystem\n", r"instruction b'i'"),
    "an object of an instance": (b"(cos\nsystem\no", "holds what 'os.system'"),
    "an extension": (b"\x82\x01", r"instruction b'\\x82'"),
    "a buffer from outside": (b"\x97", r"instruction b'\\x97'"),
    "a persistent id as text": (b"P0\n", r"instruction b'P'"),
    "an unknown one": (b"\xff", r"instruction b'\\xff'"),
    "a protocol of the future": (b"\x80\x09N", "protocol 9"),
    "a new object": (p.name("collections.OrderedDict") + b")\x81", "makes an object of"),
    "a call of text": (p.text("x") + b")R", "calls a str, which makes nothing"),
    "a call of a tensor": (p.tensor() + b")R", "calls a Tensor"),
    "a call without a tuple": (p.name("builtins.set") + b"NR", "calls set"),
    "a call of what only names": (p.name("torch.Tensor") + b")R", "calls Tensor, which makes"),
    "a call of int": (p.name("builtins.int") + p.tup(p.text("9" * 5)) + b"R", "calls int"),
    "too many arguments": (p.call("builtins.complex", *[p.number(1.0)] * 3), "other arguments"),
    "a complex of text": (p.call("builtins.complex", p.text("1"), p.number(1.0)), "no numbers"),
    "a bytearray of a size": (p.call("builtins.bytearray", p.number(10**9)), "are no bytes"),
    "bytes of a size": (p.call("builtins.bytes", p.number(10**9)), "of what is no text"),
    "bytes by a codec": (p.call("_codecs.encode", p.text("x"), p.text("zip")), "no text"),
    "bytes of other text": (p.call("_codecs.encode", p.text("€"), p.text("latin1")), "characters"),
    "a set of a number": (p.call("builtins.set", p.number(3)), "makes a set of a int"),
    "a set of lists": (p.call("builtins.set", p.lst(b"]")), "a key of type list"),
    "a dict of numbers": (p.call("collections.OrderedDict", p.lst(p.number(1))), "no pairs"),
    "a dict by code": (p.call("collections.defaultdict", p.name("torch.Size")), "by code"),
    "a key that is a list": (b"}]Ns", "a key of type list"),
    "a key that is a dict": (b"}}Ns", "a key of type dict"),
    "a key that is a tensor": (b"}" + p.tensor() + b"Ns", "a key of type Tensor"),
    "an item of a list": (b"]NNs", "puts items into a list"),
    "an item of a tuple": (b")NNs", "puts items into a tuple"),
    "an append to a dict": (b"}Na", "appends to a dict"),
    "an append to a tensor": (p.tensor() + b"Na", "appends to a Tensor"),
    "an addition to a list": (b"](N\x90", "adds to a list"),
    "attributes of a dict": (b"}}b", "sets attributes of a dict"),
    "attributes of a list": (b"]}b", "sets attributes of a list"),
    "attributes of a tensor": (p.tensor() + b"}b", "sets attributes of a Tensor"),
    "attributes of a name": (p.name("builtins.set") + p.dct(make=b"N") + b"b", "of a Global"),
    "a class of an OrderedDict": (O + p.dct(__class__=b"N") + b"b", "attributes of a OrderedDict"),
    "methods of an OrderedDict": (O + p.dct(_metadata=b"N", items=b"N") + b"b", "attributes"),
    "a name as a value": (p.dct(a=p.name("builtins.set")), "the name 'set' itself"),
    "a storage as a value": (p.lst(p.storage()), "a storage by itself"),
    "half an array": (p.call("numpy._core.multiarray._reconstruct", p.name("numpy.ndarray"),
                             p.ints([0]), b"C\x01b"), "a NumPy array that was never finished"),
    "an array of another class": (p.call("numpy._core.multiarray._reconstruct",
                                         p.name("builtins.set"), p.ints([0]), b"C\x01b"),
                                  "another class than NumPy's"),
    "half a character": (b"X\3\0\0\0\xed\xa0\x80", None),
    "no UTF-8": (b"X\1\0\0\0\xff", "text that is not UTF-8"),
    "a hash that many share": (b"}" + p.number(2**61 - 1) + b"Ns", "too large a number"),
    "a long number": (b"\x8b" + struct.pack("<I", 2000) + bytes(2000), "a whole number of 2,000"),
    "a size of text": (p.call("torch.Size", p.tup(p.text("a"))), "no whole numbers"),
    "an unknown device": (p.call("torch.device", p.text("tpu9")), "names the device 'tpu9'"),
}  # fmt: skip


@pytest.mark.parametrize("what", INSTRUCTIONS)
def test_instructions_that_make_no_sense(what):
    body, match = INSTRUCTIONS[what]
    if match is None:  # as PyTorch reads it
        assert load(p.archive(body)) == "\ud800"
        return
    for file in (p.archive(body), p.old(body, [("0", FOUR)])):
        with pytest.raises(FormatError, match=match):
            load(file)


LENGTHS = {
    "text": b"X\xff\xff\xff\xff", "long text": b"\x8d" + b"\xff" * 8, "short text": b"\x8c\xff",
    "bytes": b"B\xff\xff\xff\x7f", "long bytes": b"\x8e" + b"\xff" * 8,
    "a byte array": b"\x96" + b"\xff" * 7 + b"\x7f", "a number": b"\x8b\xff\xff\xff\x7f",
    "old text": b"T\xff\xff\xff\xff", "a float": b"G", "a name": b"c" + b"a" * 2000,
    "a name's end": b"ctorch", "a frame": b"\x95",
}  # fmt: skip


@pytest.mark.parametrize("what", LENGTHS)
def test_lengths_beyond_the_end_take_no_memory(what):
    data = p.archive(LENGTHS[what], {})

    def refused():
        with pytest.raises(FormatError, match=r"cut short|bytes|more values"):
            load(data)

    assert peak_of(refused) < 1 << 20


def nested(count, begin, end=b""):
    return begin * count + b"N" + end * count


def doubled(count, pair):
    """A value that holds the one before twice, and so on: 2 ** count when it is walked through."""
    return b"N" + b"".join(pair(n) for n in range(count))


def pair(number):
    """Twice the value on top, as a tuple."""
    return b"q" + bytes([number]) + b"h" + bytes([number]) + b"\x86"


def lists(number):
    """The value on top in a list that stands twice in a tuple."""
    return b"q" + bytes([number]) + b"](h" + bytes([number]) + b"h" + bytes([number]) + b"e\x86"


MEANS_MUCH = "more values than a file of this size"
BOMBS = {
    "tuples of tuples": (doubled(60, pair), "more than anybody could walk through"),
    "lists of lists": (doubled(60, lists), "more than anybody could walk through"),
    "a key of tuples": (b"}" + doubled(60, pair) + b"Ns", "or too large a one"),
    "deep tuples": (nested(5000, b"", b"\x85"), "nested more than 1,000 deep"),
    "deep lists": (b"](" * 5000 + b"N" + b"e" * 5000, "nested more than 1,000 deep"),
    "a list in itself": (b"]q\0h\0a", "a container that holds itself"),
    "a dict in itself": (b"}q\0(" + p.text("a") + b"h\0u", "a container that holds itself"),
    "a tuple in itself": (b"]q\0h\0\x85a", "a container that holds itself"),
    "thousands of lists": (b"(" + b"]" * 60_000 + b"t", MEANS_MUCH),
    "thousands of marks": (b"(" * 60_000, MEANS_MUCH),
    "thousands of notes": (b"N" + b"\x94" * 60_000, MEANS_MUCH),
    "thousands of dicts": (b"(" + b"}NNs" * 40_000 + b"t", MEANS_MUCH),
    "thousands of names": (b"(" + p.name("builtins.set") * 10 + b")R" * 60_000, "more|calls"),
}  # fmt: skip


@pytest.mark.parametrize("what", BOMBS)
def test_a_pickle_that_says_little_and_means_much(what, monkeypatch):
    monkeypatch.setattr(reader, "_SLACK", 1 << 20)  # so that a small bomb is one
    body, match = BOMBS[what]
    data = p.archive(body, {})

    def refused():
        with pytest.raises(FormatError, match=match):
            load(data)

    assert peak_of(refused) < 4 << 20


# --- tensors ------------------------------------------------------------------------------------

F = "torch.FloatStorage"
TENSORS = {
    "beyond the end": (p.tensor(size=(5,)), r"leaves its storage.*reach number 5 of 4"),
    "an offset beyond": (p.tensor(offset=4, size=(1,)), "leaves its storage"),
    "strides beyond": (p.tensor(size=(2, 2), stride=(3, 1)), "leaves its storage"),
    "huge strides": (p.tensor(size=(2,), stride=(2**62,)), "leaves its storage"),
    "a negative stride": (p.tensor(size=(2,), stride=(-1,)), "negative"),
    "a negative size": (p.tensor(size=(-2,), stride=(1,)), "negative size"),
    "a negative offset": (p.tensor(offset=-1), "describes a tensor wrongly"),
    "a size that overflows": (p.tensor(size=(2**62, 2**62), stride=(0, 0)), "overflows"),
    "an empty one of a huge": (p.tensor(size=(2**62, 0, 2**62), stride=(0, 0, 0)), "overflows"),
    "a size of text": (p.call("torch._utils._rebuild_tensor", p.storage(), p.number(0),
                              p.tup(p.text("a")), p.ints([1])), "describes a tensor wrongly"),
    "a size of a float": (p.call("torch._utils._rebuild_tensor", p.storage(), p.number(0),
                                 p.tup(p.number(float("nan"))), p.ints([1])), "wrongly"),
    "no size": (p.call("torch._utils._rebuild_tensor", p.storage(), p.number(0), b"N",
                       p.ints([1])), "describes a tensor wrongly"),
    "other strides": (p.tensor(size=(2, 2), stride=(1,)), "describes a tensor wrongly"),
    "65 dimensions": (p.tensor(size=(1,) * 65, stride=(1,) * 65), "65 dimensions"),
    "no storage": (p.tensor(p.number(3)), "makes a tensor of a int"),
    "hooks": (p.call("torch._utils._rebuild_tensor_v2", p.storage(), p.number(0), p.ints([4]),
                     p.ints([1]), b"\x89", p.dct(a=b"N")), "with hooks"),
    "unknown flags": (p.tensor(metadata=p.dct(x=b"\x88")), "which is not known"),
    "a key that is not there": (p.tensor(p.storage("7")), "names storage '7', which is not there"),
    "a path for a key": (p.tensor(p.storage("../../data.pkl")), "which is not there"),
    "more numbers than bytes": (p.tensor(p.storage(size=5)), "room for 4 numbers"),
    "a terabyte": (p.tensor(p.storage(size=2**38), size=(2**38,)), "room for 4 numbers"),
    "a negative count": (p.tensor(p.storage(size=-1)), "describes a storage wrongly"),
    "bools that are 2": (p.tensor(p.storage("0", "torch.BoolStorage", 16), 0, (16,)),
                         "neither True nor False"),
    "a parameter of text": (p.call("torch._utils._rebuild_parameter", p.text("a"), b"\x88", b"N"),
                            "describes a parameter wrongly"),
    "a parameter of a parameter": (p.call("torch._utils._rebuild_parameter", p.call(
        "torch._utils._rebuild_parameter", p.tensor(), b"\x88", b"N"), b"\x88", b"N"), "wrongly"),
    "a class of its own": (p.call("torch._tensor._rebuild_from_type_v2",
                                  p.name("torch._utils._rebuild_tensor_v2"),
                                  p.name("builtins.set"), b")", b"N"), "a class of its own"),
    "attributes": (p.call("torch._tensor._rebuild_from_type_v2",
                          p.name("torch._utils._rebuild_tensor_v2"), p.name("torch.Tensor"),
                          p.tup(p.storage(), p.number(0), p.ints([4]), p.ints([1]), b"\x89", O),
                          p.dct(note=p.text("x"))), "attributes of its own"),
    "another function": (p.call("torch._tensor._rebuild_from_type_v2", p.name("torch.Tensor"),
                                p.name("torch.Tensor"), b")", b"N"), "wrongly"),
    "an id that is a number": (p.number(0) + b"Q", "refers to what is no storage: a int"),
    "an id that is text": (p.text("storage") + b"Q", "refers to what is no storage: a str"),
    "an id that is short": (p.tup(p.text("storage")) + b"Q", "refers to what is no storage"),
    "an id of a module": (p.tup(p.text("module"), b"N", b"N", b"N") + b"Q", "a whole module"),
    "an id of another thing": (p.tup(p.text("file"), p.name(F), p.text("0"), p.text("cpu"),
                                     p.number(4)) + b"Q", "refers to what is no storage"),
    "an id of another class": (p.storage("0", "builtins.set"), "describes a storage wrongly"),
    "an id with a view that is none": (p.storage("0", F, 4, "cpu", p.ints([1])), "wrongly"),
    "a view beyond": (p.tensor(p.storage("0", F, 4, "cpu", p.tup(p.text("v"), p.number(2),
                                                                 p.number(3)))), "wrongly"),
    "an array of more bytes": (p.call("numpy._core.multiarray.scalar", p.call(
        "numpy.dtype", p.text("f8"), b"\x89", b"\x88") + b"(K\x03" + p.text("<")
        + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\0tb", b"C\x09" + bytes(9)), "holds 9 bytes for"),
}  # fmt: skip


@pytest.mark.parametrize("what", TENSORS)
def test_tensors_that_lie(what):
    body, match = TENSORS[what]
    data = p.archive(body)

    def refused():
        with pytest.raises(FormatError, match=match):
            load(data)

    if what == "bools that are 2":
        data = p.archive(body, {"0": b"\1" * 15 + b"\2"})
    assert peak_of(refused) < 1 << 20


# --- damage -------------------------------------------------------------------------------------

WHOLE = {
    "archive": p.archive(
        p.dct(w=p.tensor(size=(2, 2), stride=(2, 1)), n=p.number(1.5), k=p.lst(p.text("a"))),
        {"0": FOUR},
    ),
    "old": p.old(p.dct(w=p.tensor(), n=p.lst(p.number(7))), [("0", FOUR)]),
}


@pytest.mark.parametrize("what", WHOLE)
def test_whatever_happens_to_a_byte_only_our_error_comes(what):
    original = WHOLE[what]
    for place in range(len(original)):
        for mask in (0x01, 0x20, 0x80):
            data = bytearray(original)
            data[place] ^= mask
            try:
                load(bytes(data))
            except FormatError:
                pass


@pytest.mark.parametrize("what", WHOLE)
def test_a_file_cut_anywhere_is_refused(what):
    original = WHOLE[what]
    for length in range(len(original)):
        with pytest.raises(FormatError):
            load(original[:length])


CODES = b"\x80\x95N\x88\x89)KMJG\x8a\x8cXUC]}\x8f(t\x85\x86\x87aesu\x90\x91qh\x94cR\x81bQ"
CALLED = (
    "collections.OrderedDict", "builtins.set", "torch.Size", "numpy.dtype", "torch.device",
    "torch._utils._rebuild_tensor_v2", "numpy._core.multiarray.scalar",
)  # fmt: skip


def test_random_programs_raise_only_our_error():
    rng = np.random.default_rng(0)
    for _ in range(2000):
        parts = [p.dct(a=p.tensor())]
        for code in rng.choice([*CODES], 12):
            if code == ord("c"):
                parts.append(p.name(CALLED[rng.integers(len(CALLED))]))
            else:
                parts.append(bytes([code]) + (rng.bytes(2) if rng.random() < 0.1 else b""))
        try:
            load(p.old(b"".join(parts), [("0", FOUR)]))
        except FormatError:
            pass
